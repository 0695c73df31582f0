#include "hub/rich.h"
#include "tests/harness/test.h"

/* "kind:text" of what it stands for, or "!code field"; "text" when it is none. */
static slice shown(struct arena *a, const char *text)
{
    struct message m;
    struct fault f = { 0 };
    const struct js *doc = rich_doc(a, slice_of(text));
    if (!doc)
        return SL("text");
    if (!rich_message(a, doc, NULL, &m, &f))
        return arena_printf(a, "!%s %s", f.code, f.field);
    return arena_printf(a, "%s:" SLF, kind_names[m.kind], SLA(m.text));
}

/* clang-format off */
static const struct { const char *json, *want; } rows[] = {
    { "Hello {you}", "text" }, { "{}", "text" }, { "{\"a\":1", "text" }, { "[1]", "text" }, { " {\"x\":1} ", "native:" },
    { "{\"genesys_prompt\":\"Sure?\",\"genesys_quick_replies\":[{\"text\":\"Yes\",\"payload\":\"y\"},{\"text\":2}]}", "choices:Sure?" },
    { "{\"genesys_quick_replies\":[]}", "!out_of_range genesys_quick_replies" },
    { "{\"genesys_quick_replies\":[{\"payload\":\"y\"}]}", "!missing_field genesys_quick_replies" },
    { "{\"genesys_quick_replies\":[{\"text\":\" \"}]}", "!missing_field genesys_quick_replies" },
    { "{\"type\":\"location\",\"title\":\"HQ\",\"latitude\":37.7,\"longitude\":-122}", "location:" },
    { "{\"type\":\"location\",\"latitude\":91,\"longitude\":0}", "!out_of_range latitude" },
    { "{\"type\":\"location\",\"latitude\":1}", "!missing_field longitude" },
    { "{\"type\":\"location\",\"x\":1}", "native:" }, { "{\"type\":\"location\",\"location\":{\"lat\":1}}", "native:" },
    { "{\"type\":\"text\",\"text\":\"Hi\"}", "text:Hi" }, { "{\"text\":\"Hi\"}", "text:Hi" }, { "{\"text\":\"Hi\",\"blocks\":[]}", "native:" },
    { "{\"type\":\"text\",\"text\":\"Hi\",\"quickReply\":{}}", "native:" }, { "{\"type\":\"text\",\"text\":\" \"}", "!missing_field text" },
    { "{ // which?\n\"type\":\"Carousel\",\"text\":\"Look\",\"cards\":[{\"title\":\"A\"},],}", "cards:Look" },
    { "{\"type\":\"carousel\"}", "!missing_field cards" }, { "{\"type\":\"card\"}", "!missing_field cards" },
    { "{\"type\":\"button\",\"text\":\"Sure?\",\"label\":\"Yes\"}", "choices:Sure?" }, { "{\"genesys_prompt\":\"Sure?\"}", "!out_of_range genesys_quick_replies" },
    { "{\"type\":\"image\",\"url\":\"https://x/y.png\",\"text\":\"cap\"}", "image:cap" }, { "{\"type\":\"image\",\"url\":\"file:///x\"}", "!missing_field url" },
    { "{\"type\":\"image\",\"image\":{\"link\":\"x\"}}", "native:" },
    { "{\"type\":\"sticker\",\"stickerId\":40130}", "sticker:" }, { "{\"type\":\"sticker\",\"stickerId\":true}", "!missing_field stickerId" },
    { "{\"kind\":\"cards\",\"text\":\"Look\",\"cards\":[{\"title\":\"A\"}]}", "cards:Look" },
    { "{\"kind\":\"cards\"}", "!out_of_range cards" }, { "{\"kind\":\"cards\",\"cards\":[{}]}", "!missing_field cards" },
    { "{\"kind\":\"cards\",\"cards\":[{\"title\":\"A\",\"choices\":[{\"payload\":\"x\"}]}]}", "!missing_field cards" },
    { "{\"kind\":\"status\"}", "!out_of_range kind" }, { "{\"kind\":\"storage#object\"}", "native:" },
    { "{\"kind\":\"image\",\"media\":[{\"handle\":\"x\"}]}", "!missing_field media" },
    { "{\"kind\":\"image\"}", "!missing_field media" }, { "{\"kind\":\"text\",\"text\":\" \"}", "!missing_field text" },
    { "{\"kind\":\"picker\",\"picker\":{\"title\":\"When?\"}}", "!missing_field picker" },
};
/* clang-format on */

TEST(rich_reads_what_stands_for_a_message)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(rows); i++) {
        slice got = shown(a, rows[i].json);
        if (!slice_eq(got, slice_of(rows[i].want)))
            test_fail(__FILE__, __LINE__, "%s: got " SLF ", want %s", rows[i].json, SLA(got), rows[i].want);
    }
}

TEST(rich_keeps_only_what_people_see)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct message m;
    struct fault f = { 0 };
    slice text = SL("{\"kind\":\"image\",\"id\":\"x\",\"origin\":\"hub\",\"private\":true,\"guest\":\"g\",\"text\":\"cap\",\"desk_conversation\":\"d\",\"data\":{\"a\":\"b\"},"
                    "\"media\":[{\"url\":\"https://x.example/a.png\",\"type\":\"image/png\",\"name\":\"a.png\",\"handle\":\"h\",\"storage\":\"s\",\"token\":true,"
                    "\"token_maybe\":true,\"token_name\":\"t\",\"key\":\"k\",\"public_url\":true,\"size\":5,\"sha256\":\"00\"}]}");
    CHECK(rich_message(a, rich_doc(a, text), NULL, &m, &f));
    CHECK_SLICE(message_print(a, &m), SL("{\"kind\":\"image\",\"text\":\"cap\",\"media\":[{\"url\":\"https://x.example/a.png\",\"type\":\"image/png\",\"name\":\"a.png\"}]}"));
}

TEST(rich_sticker_numbers_are_texts)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct message m;
    struct fault f = { 0 };
    slice text = SL("{\"type\":\"sticker\",\"stickerId\":40130,\"packageId\":\"446\",\"title\":\"Hug\"}");
    CHECK(rich_message(a, rich_doc(a, text), NULL, &m, &f));
    CHECK_SLICE(m.sticker.id, SL("40130"));
    CHECK_SLICE(m.sticker.package, SL("446"));
    CHECK_SLICE(m.sticker.title, SL("Hug"));
}
