/* Every message object: what is taken, what is refused, and where the answer points. */
#include "sim/line_check.h"
#include "tests/harness/test.h"

#define HTTPS "\"https://e.example/a.png\""
#define MSG(text) "[" text "]"
#define REPEAT5(s) s s s s s
#define X50 REPEAT5("xxxxxxxxxx")
#define X250 REPEAT5(X50)
#define X1000 X250 X250 X250 X250
#define BUTTON "{\"type\":\"message\",\"label\":\"a\",\"text\":\"b\"}"

/* clang-format off */
static const struct { const char *messages, *property, *message; } rows[] = { /* property NULL: taken */
    { MSG("{\"type\":\"text\",\"text\":\"hi\"}"), NULL, NULL },
    { MSG("{\"type\":\"text\",\"text\":\"\"}"), "messages[0].text", "May not be empty" },
    { MSG("{\"type\":\"text\"}"), "messages[0].text", "May not be empty" },
    { MSG("{\"type\":\"text\",\"text\":7}"), "messages[0].text", "Must be a string" },
    { MSG("{\"type\":\"text\",\"text\":\"" X1000 X1000 X1000 X1000 X1000 "\"}"), NULL, NULL },
    { MSG("{\"type\":\"text\",\"text\":\"" X1000 X1000 X1000 X1000 X1000 "y\"}"), "messages[0].text", "Length must be between 1 and 5000" },
    { "[]", "messages", "Size must be between 1 and 5" },
    { "{}", "messages", "Must be an array" },
    { MSG("{\"type\":\"text\",\"text\":\"1\"},{\"type\":\"text\",\"text\":\"2\"},{\"type\":\"text\",\"text\":\"3\"},{\"type\":\"text\",\"text\":\"4\"},"
          "{\"type\":\"text\",\"text\":\"5\"},{\"type\":\"text\",\"text\":\"6\"}"), "messages", "Size must be between 1 and 5" },
    { MSG("{\"type\":\"file\",\"url\":" HTTPS "}"), "messages[0].type", "Must be one of the following values: [text, image, video, audio, location, sticker, template, imagemap, flex, textV2, coupon]" },
    { MSG("{\"type\":\"text\",\"text\":\"a $\",\"emojis\":[{\"index\":2,\"productId\":\"p\",\"emojiId\":\"1\"}]}"), NULL, NULL },
    { MSG("{\"type\":\"text\",\"text\":\"\xf0\x9f\x98\x80$\",\"emojis\":[{\"index\":2,\"productId\":\"p\",\"emojiId\":\"1\"}]}"), NULL, NULL },
    { MSG("{\"type\":\"text\",\"text\":\"a $\",\"emojis\":[{\"index\":1,\"productId\":\"p\",\"emojiId\":\"1\"}]}"), "messages[0].emojis[0].index", "There is no $ at this position of the text" },
    { MSG("{\"type\":\"textV2\",\"text\":\"Hi {u} {{x}}\",\"substitution\":{\"u\":{\"type\":\"mention\",\"mentionee\":{\"type\":\"all\"}}}}"), NULL, NULL },
    { MSG("{\"type\":\"textV2\",\"text\":\"Hi {v}\"}"), "messages[0].substitution.v", "May not be empty" },
    { MSG("{\"type\":\"image\",\"originalContentUrl\":" HTTPS ",\"previewImageUrl\":" HTTPS "}"), NULL, NULL },
    { MSG("{\"type\":\"image\",\"originalContentUrl\":" HTTPS "}"), "messages[0].previewImageUrl", "May not be empty" },
    { MSG("{\"type\":\"image\",\"originalContentUrl\":\"http://e.example/a\",\"previewImageUrl\":" HTTPS "}"), "messages[0].originalContentUrl", "Must be a valid HTTPS URL" },
    { MSG("{\"type\":\"image\",\"originalContentUrl\":\"https://e.example/\xc3\xa9\",\"previewImageUrl\":" HTTPS "}"), "messages[0].originalContentUrl", "Must be a valid URL, percent-encoded as UTF-8" },
    { MSG("{\"type\":\"audio\",\"originalContentUrl\":" HTTPS "}"), "messages[0].duration", "May not be empty" },
    { MSG("{\"type\":\"audio\",\"originalContentUrl\":" HTTPS ",\"duration\":60000}"), NULL, NULL },
    { MSG("{\"type\":\"location\",\"title\":\"t\",\"address\":\"\",\"latitude\":1,\"longitude\":2}"), "messages[0].address", "May not be empty" },
    { MSG("{\"type\":\"location\",\"title\":\"t\",\"address\":\"a\",\"latitude\":91,\"longitude\":2}"), "messages[0].latitude", "Must be between -90 and 90" },
    { MSG("{\"type\":\"location\",\"title\":\"" X50 X50 "\",\"address\":\"a\",\"latitude\":1.5,\"longitude\":-2}"), NULL, NULL },
    { MSG("{\"type\":\"location\",\"title\":\"" X50 X50 "x\",\"address\":\"a\",\"latitude\":1.5,\"longitude\":-2}"), "messages[0].title", "Length must be between 1 and 100" },
    { MSG("{\"type\":\"sticker\",\"packageId\":\"446\",\"stickerId\":\"1988\"}"), NULL, NULL },
    { MSG("{\"type\":\"sticker\",\"packageId\":\"9999\",\"stickerId\":\"1\"}"), "messages[0].packageId", "This sticker cannot be sent" },
    /* sender */
    { MSG("{\"type\":\"text\",\"text\":\"a\",\"sender\":{\"name\":\"12345678901234567890\"}}"), NULL, NULL },
    { MSG("{\"type\":\"text\",\"text\":\"a\",\"sender\":{\"name\":\"123456789012345678901\"}}"), "messages[0].sender.name", "Length must be between 1 and 20" },
    { MSG("{\"type\":\"text\",\"text\":\"a\",\"sender\":{\"name\":\"My Line bot\"}}"), "messages[0].sender.name", "May not contain a prohibited word" },
    /* quick replies */
    { MSG("{\"type\":\"text\",\"text\":\"a\",\"quickReply\":{\"items\":[{\"type\":\"action\",\"action\":{\"type\":\"camera\",\"label\":\"Photo\"}}]}}"), NULL, NULL },
    { MSG("{\"type\":\"text\",\"text\":\"a\",\"quickReply\":{\"items\":[]}}"), "messages[0].quickReply.items", "Size must be between 1 and 13" },
    { MSG("{\"type\":\"text\",\"text\":\"a\",\"quickReply\":{\"items\":[{\"type\":\"action\",\"action\":{\"type\":\"message\",\"text\":\"x\"}}]}}"), "messages[0].quickReply.items[0].action.label", "May not be empty" },
    { MSG("{\"type\":\"text\",\"text\":\"a\",\"quickReply\":{\"items\":[{\"type\":\"action\",\"action\":{\"type\":\"postback\",\"label\":\"123456789012345678901\",\"data\":\"x\"}}]}}"), "messages[0].quickReply.items[0].action.label", "Length must be between 1 and 20" },
    { MSG("{\"type\":\"text\",\"text\":\"a\",\"quickReply\":{\"items\":[{\"type\":\"action\",\"action\":{\"type\":\"datetimepicker\",\"label\":\"w\",\"data\":\"x\",\"mode\":\"date\",\"initial\":\"2024-1-1\"}}]}}"), "messages[0].quickReply.items[0].action.initial", "Must be in the format of 0000-00-00" },
    /* templates */
    { MSG("{\"type\":\"template\",\"altText\":\"a\",\"template\":{\"type\":\"buttons\",\"text\":\"t\",\"actions\":[" BUTTON "]}}"), NULL, NULL },
    { MSG("{\"type\":\"template\",\"altText\":\"a\",\"template\":{\"type\":\"buttons\",\"text\":\"" X50 X50 "\",\"actions\":[" BUTTON "]}}"), NULL, NULL },
    { MSG("{\"type\":\"template\",\"altText\":\"a\",\"template\":{\"type\":\"buttons\",\"title\":\"t\",\"text\":\"" X50 X50 "\",\"actions\":[" BUTTON "]}}"), "messages[0].template.text", "Length must be between 1 and 60" },
    { MSG("{\"type\":\"template\",\"altText\":\"a\",\"template\":{\"type\":\"buttons\",\"text\":\"t\",\"actions\":[{\"type\":\"camera\",\"label\":\"c\"}]}}"), "messages[0].template.actions[0].type", "camera is allowed in quick replies only" },
    { MSG("{\"type\":\"template\",\"altText\":\"a\",\"template\":{\"type\":\"buttons\",\"text\":\"t\",\"actions\":[{\"type\":\"uri\",\"label\":\"c\",\"uri\":\"ftp://x\"}]}}"), "messages[0].template.actions[0].uri", "invalid uri scheme" },
    { MSG("{\"type\":\"template\",\"altText\":\"a\",\"template\":{\"type\":\"confirm\",\"text\":\"t\",\"actions\":[" BUTTON "]}}"), "messages[0].template.actions", "Size must be between 2 and 2" },
    { MSG("{\"type\":\"template\",\"altText\":\"a\",\"template\":{\"type\":\"carousel\",\"columns\":[{\"text\":\"t\",\"actions\":[" BUTTON "]},{\"text\":\"t\",\"actions\":[" BUTTON "," BUTTON "]}]}}"), "messages[0].template.columns[1].actions", "The number of actions must be the same in all columns" },
    { MSG("{\"type\":\"template\",\"template\":{\"type\":\"confirm\",\"text\":\"t\",\"actions\":[" BUTTON "," BUTTON "]}}"), "messages[0].altText", "May not be empty" },
    /* flex */
    { MSG("{\"type\":\"flex\",\"altText\":\"a\",\"contents\":{\"type\":\"bubble\",\"body\":{\"type\":\"box\",\"layout\":\"vertical\",\"contents\":[{\"type\":\"text\",\"text\":\"x\"}]}}}"), NULL, NULL },
    { MSG("{\"type\":\"flex\",\"altText\":\"a\",\"contents\":{\"type\":\"bubble\",\"body\":{\"type\":\"box\",\"layout\":\"vertical\",\"contents\":[{\"type\":\"text\",\"text\":\"x\",\"colour\":\"#fff\"}]}}}"), "messages[0].contents.body.contents[0].colour", "unknown field" },
    { MSG("{\"type\":\"flex\",\"altText\":\"a\",\"contents\":{\"type\":\"bubble\",\"body\":{\"type\":\"box\",\"contents\":[]}}}"), "messages[0].contents.body.layout", "May not be empty" },
    { MSG("{\"type\":\"flex\",\"altText\":\"a\",\"contents\":{\"type\":\"bubble\",\"body\":{\"type\":\"box\",\"layout\":\"vertical\",\"contents\":[{\"type\":\"text\"}]}}}"), "messages[0].contents.body.contents[0].text", "May not be empty" },
    { MSG("{\"type\":\"flex\",\"altText\":\"a\",\"contents\":{\"type\":\"carousel\",\"contents\":[]}}"), "messages[0].contents.contents", "Size must be between 1 and 12" },
    { MSG("{\"type\":\"imagemap\",\"baseUrl\":" HTTPS ",\"altText\":\"a\",\"baseSize\":{\"width\":1040,\"height\":1040},\"actions\":[{\"type\":\"message\",\"text\":\"x\",\"area\":{\"x\":0,\"y\":0,\"width\":1,\"height\":1}}]}"), NULL, NULL },
};
/* clang-format on */

TEST(line_message_objects)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP(arena_freep) struct arena *a = arena_new();
        struct fault f = { 0 };
        const struct js *messages = js_parse(a, slice_of(rows[i].messages), &f);
        CHECK_ROW(i, messages);
        struct line_errors e = { .a = a };
        line_check_messages(&e, messages);
        if (!rows[i].property) {
            if (e.n)
                test_fail(__FILE__, __LINE__, "row %zu: refused: " SLF " at " SLF, i, SLA(e.list[0].message), SLA(e.list[0].property));
            continue;
        }
        CHECK_ROW(i, e.n == 1);
        CHECK_SLICE(e.list[0].property, slice_of(rows[i].property));
        CHECK_SLICE(e.list[0].message, slice_of(rows[i].message));
    }
}

TEST(line_http_only_where_allowed)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct fault f;
    const struct js *m =
        js_parse(a, SL("[{\"type\":\"image\",\"originalContentUrl\":\"http://h/a\",\"previewImageUrl\":\"http://h/b\"}]"), &f);
    struct line_errors strict = { .a = a }, lax = { .a = a, .rules.allow_http = true }, phone = { .a = a, .rules = { true, true } };
    line_check_messages(&strict, m);
    line_check_messages(&lax, m);
    line_check_messages(&phone, m);
    CHECK_INT(strict.n, 2);
    CHECK_INT(lax.n, 0);
    CHECK_INT(phone.n, 1);
    CHECK_SLICE(phone.list[0].property, SL("messages[0].type"));
}

TEST(line_labels_count_graphemes)
{
    static const struct { const char *s; size_t n; } words[] = {
        { "", 0 }, { "abc", 3 }, { "e\xcc\x81", 1 }, { "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7", 1 }, { "\xf0\x9f\x87\xaf\xf0\x9f\x87\xb5", 1 },
        { "\xf0\x9f\x87\xaf\xf0\x9f\x87\xb5\xf0\x9f\x87\xb9\xf0\x9f\x87\xad", 2 }, { "\xf0\x9f\x91\x8d\xf0\x9f\x8f\xbd!", 2 }, { "\xe6\x97\xa5\xe6\x9c\xac", 2 },
    };
    for (size_t i = 0; i < COUNT(words); i++)
        CHECK_ROW(i, grapheme_count(slice_of(words[i].s)) == words[i].n);
}
