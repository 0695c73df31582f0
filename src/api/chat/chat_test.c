/* What needs no hub: tokens, offers, what messages look like on the wire. The rest is tests/e2e/webchat.test.mjs. */
#include "api/chat/request.h"
#include "api/chat/say.h"
#include "tests/harness/test.h"

#define SID "11111111-2222-4333-8444-555555555555"
#define TID "66666666-7777-4888-9999-aaaaaaaaaaaa"
#define PID "bbbbbbbb-cccc-4ddd-8eee-ffffffffffff"
static const char vector[] =
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzZXNzaW9uSWQiOiIxMTExMTExMS0yMjIyLTQzMzMtODQ0NC01NTU1NTU1NTU1NTUiLCJ0cmFuc3BvcnRJZCI6IjY2NjY2NjY2LTc3NzctND"
    "g4OC05OTk5LWFhYWFhYWFhYWFhYSIsInBhcnRpY2lwYW50SWQiOiJiYmJiYmJiYi1jY2NjLTRkZGQtOGVlZS1mZmZmZmZmZmZmZmYifQ.Oi8yrQID80ZFox-r_EORROsH5d52ZCs8b1-BI3lgCRo";

TEST(chat_token_is_the_one_that_pages_know)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    CLEANUP(jwt_key_freep) struct jwt_key *key = jwt_key_secret(SL("jwt-secret-1")), *other = jwt_key_secret(SL("jwt-secret-2"));
    struct chat_token t = { SL(SID), SL(TID), SL(PID) }, back;
    CHECK_SLICE(chat_token_sign(a, key, &t), slice_of(vector));
    CHECK(chat_token_read(a, key, slice_of(vector), &back));
    CHECK_SLICE(back.session, SL(SID));
    CHECK_SLICE(back.transport, SL(TID));
    CHECK_SLICE(back.participant, SL(PID));
    CHECK(!chat_token_read(a, other, slice_of(vector), &back));
    CHECK(!chat_token_read(a, key, slice_sub(slice_of(vector), 0, sizeof(vector) - 2), &back));
    CHECK(!chat_token_read(a, key, SL(""), &back));
}

TEST(chat_token_has_three_uuids_and_nothing_else)
{
    static const char *const payloads[] = {
        "{\"sessionId\":\"" SID "\",\"transportId\":\"" TID "\"}",
        "{\"sessionId\":\"" SID "\",\"transportId\":\"" TID "\",\"participantId\":\"x\"}",
        "{\"sessionId\":\"" SID "\",\"transportId\":\"" TID "\",\"participantId\":7}",
        "{\"sessionId\":\"" SID "\",\"transportId\":\"" TID "\",\"participantId\":\"" PID "\",\"exp\":1}",
        "[]",
    };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    CLEANUP(jwt_key_freep) struct jwt_key *key = jwt_key_secret(SL("s"));
    for (size_t i = 0; i < COUNT(payloads); i++) {
        struct chat_token back;
        slice token = jws_sign(a, key, SL("{\"alg\":\"HS256\",\"typ\":\"JWT\"}"), slice_of(payloads[i]), NULL);
        CHECK_ROW(i, token.p && !chat_token_read(a, key, token, &back));
    }
}

TEST(chat_places_grow_and_never_reach_two_digits)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct chat_session s = { .last = 0 };
    int64_t before = 0;
    for (int i = 0; i < 100; i++) {
        int64_t place = line_place(&s, i < 50 ? 1718000000123 : 1700000000000 /* the clock was set back */), back;
        slice index = place_index(a, place);
        CHECK(place > before && place_read(index, &back) && back == place);
        CHECK_INT(slice_from(index, slice_find_char(index, '-') + 1).n, 1);
        before = s.last = place;
    }
    s.last = 0;
    CHECK_SLICE(place_index(a, line_place(&s, 1718000000123)), SL("1718000000123-0"));
    static const char *const bad[] = { "", "x", "-1", "1-", "1-10", "1--1", "99999999999999999999-0", "1.5-0" };
    for (size_t i = 0; i < COUNT(bad); i++)
        CHECK_ROW(i, !place_read(slice_of(bad[i]), &before));
}

TEST(chat_offers_are_told_apart_and_found_again)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct offers o = { .a = a, .of = SL("m1") };
    struct choice book1 = { .label = SL("Book"), .payload = SL("b1") }, book2 = { .label = SL("Book"), .payload = SL("b2") }, bare = { .label = SL("No") };
    CHECK_SLICE(offer_text(&o, &book1, SL("Room")), SL("Book"));
    CHECK_SLICE(offer_text(&o, &book2, SL("Suite")), SL("Book - Suite"));
    CHECK_SLICE(offer_text(&o, &book2, SL("Suite")), SL("Book (2)"));
    CHECK_SLICE(offer_text(&o, &bare, SLICE_NONE), SL("No"));
    slice json = offers_add(a, SLICE_NONE, &o), payload, of;
    CHECK(offers_find(a, json, SL("Book - Suite"), &payload, &of));
    CHECK_SLICE(payload, SL("b2"));
    CHECK_SLICE(of, SL("m1"));
    CHECK(offers_find(a, json, SL("No"), &payload, &of));
    CHECK_SLICE(payload, SL("No"));
    CHECK(!offers_find(a, json, SL("Perhaps"), &payload, &of));
    for (int i = 0; i < 10; i++) { /* the newest one with this text counts, and old ones go */
        struct offers more = { .a = a, .of = arena_printf(a, "n%d", i) };
        (void)offer_text(&more, &bare, SLICE_NONE);
        json = offers_add(a, json, &more);
    }
    CHECK(offers_find(a, json, SL("No"), &payload, &of));
    CHECK_SLICE(of, SL("n9"));
    CHECK(!offers_find(a, json, SL("Book"), &payload, &of));
    struct offers huge = { .a = a, .of = SL("h") };
    struct text t = text_new(a, CHAT_OFFERS_BYTES);
    while (t.n < CHAT_OFFERS_BYTES)
        text_char(&t, 'x');
    (void)offer_text(&huge, &(struct choice){ .label = SL("L"), .payload = text_slice(&t) }, SLICE_NONE);
    slice same = offers_add(a, json, &huge);
    CHECK_SLICE(same, json);
}

static slice said(struct arena *a, const struct message *part, struct offers *o)
{
    struct chat_session s = { .id = SID, .participant = PID };
    struct say_who who = { SL("p1"), SL("Kim"), "Agent" };
    slice files, json = say_part(a, &s, 1718000100000 * 16, &who, part, o, &files);
    return json;
}

#define HEAD(type) "{\"index\":\"1718000100000-0\",\"type\":\"" type "\",\"utcTime\":1718000100000,\"from\":{\"participantId\":\"p1\",\"nickname\":\"Kim\",\"type\":\"Agent\"},"
static bool is(struct arena *a, slice json, const char *want)
{
    const struct js *got = js_parse(a, json, NULL), *wanted = js_parse(a, slice_of(want), NULL);
    bool same = got && wanted && js_equal(got, wanted);
    if (!same)
        fprintf(stderr, "have " SLF "\nwant %s\n", SLA(json), want);
    return same;
}

TEST(chat_rich_messages_have_the_shapes_that_pages_know)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct offers o = { .a = a, .of = SL("m1") };
    struct choice two[] = { { .label = SL("Yes"), .payload = SL("y") }, { .label = SL("Later"), .payload = SL("n"), .image = SL("https://cdn.example.net/c.png") } };
    struct message m = { .kind = KIND_CHOICES, .text = SL("15:00?"), .choices = { two, 2 } };
    CHECK(is(a, said(a, &m, &o),
             HEAD("Structured") "\"contentType\":\"quick-replies\",\"content\":[{\"id\":\"q1\",\"type\":\"quick-reply\",\"text\":\"Yes\",\"actions\":{\"textback\":\"Yes\"}},"
             "{\"id\":\"q2\",\"type\":\"quick-reply\",\"text\":\"Later\",\"image\":\"https://cdn.example.net/c.png\",\"actions\":{\"textback\":\"Later\"}}],\"text\":\"15:00?\"}"));

    struct choice buttons[] = { { .label = SL("Book"), .payload = SL("book r1") }, { .label = SL("Details"), .url = SL("https://www.example.net/r1") },
                                { .label = SL("Bad"), .url = SL("JavaScript:alert(1)") } };
    struct card card = { .title = SL("Room"), .text = SL("*Sea*"), .image = SL("https://cdn.example.net/r1.jpg"), .url = SL("javascript:alert(1)"), .choices = { buttons, 3 } };
    m = (struct message){ .kind = KIND_CARDS, .cards = { &card, 1 } };
    CHECK(is(a, said(a, &m, &o),
             HEAD("Structured") "\"contentType\":\"generic\",\"content\":[{\"id\":\"c1\",\"type\":\"generic\",\"title\":\"Room\",\"desc\":\"*Sea*\","
             "\"image\":\"https://cdn.example.net/r1.jpg\",\"imageText\":\"Room\",\"components\":["
             "{\"id\":\"b1\",\"type\":\"button\",\"text\":\"Book\",\"actions\":{\"textback\":\"Book\"}},"
             "{\"id\":\"b2\",\"type\":\"link\",\"text\":\"Details\",\"url\":\"https://www.example.net/r1\"},{\"id\":\"b3\",\"type\":\"link\",\"text\":\"Bad\"}]}],\"text\":\"Room\"}"));

    struct time_slot slot = { .at_ms = 1718000100000 };
    struct choice size = { .label = SL("Small"), .payload = SL("s") };
    m = (struct message){ .kind = KIND_PICKER, .picker = { .title = SL("Choose"), .slots = { &slot, 1 }, .choices = { &size, 1 } } };
    CHECK(is(a, said(a, &m, &o),
             HEAD("Structured") "\"contentType\":\"single-selection-list\",\"content\":[{\"id\":\"l1\",\"type\":\"list\",\"title\":\"Choose\",\"components\":["
             "{\"id\":\"i1\",\"type\":\"list-item\",\"title\":\"2024-06-10 06:15 UTC\",\"at\":\"2024-06-10T06:15:00.000Z\",\"actions\":{\"textback\":\"2024-06-10 06:15 UTC\"}},"
             "{\"id\":\"i2\",\"type\":\"list-item\",\"title\":\"Small\",\"actions\":{\"textback\":\"Small\"}}]}],\"text\":\"Choose\"}"));
    slice payload, of, json = offers_add(a, SLICE_NONE, &o);
    CHECK(offers_find(a, json, SL("2024-06-10 06:15 UTC"), &payload, &of));
    CHECK_SLICE(payload, SL("2024-06-10T06:15:00.000Z"));
    CHECK(offers_find(a, json, SL("Book"), &payload, &of));
    CHECK_SLICE(payload, SL("book r1"));
    CHECK(!offers_find(a, json, SL("Details"), &payload, &of)); /* a link answers nothing */
}

TEST(chat_files_are_shown_in_place_or_linked)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct offers o = { .a = a };
    struct chat_session s = { .id = SID, .participant = PID };
    struct say_who who = { SL("p1"), SL("Kim"), "Agent" };
    struct media md = { .url = SL("https://hub.example/attachments/x?sig=1"), .type = SL("image/png"), .name = SL("r.png"), .handle = SL("{\"relpath\":\"t/c/i\"}"), .size = 10 };
    struct message m = { .kind = KIND_IMAGE, .text = SL("your receipt"), .media = { &md, 1 } };
    struct media back;
    slice files, json = say_part(a, &s, 1718000100000 * 16, &who, &m, &o, &files);
    CHECK(is(a, json, HEAD("Text") "\"content\":[{\"type\":\"image\",\"mime\":\"image/png\",\"url\":\"/sessions/" SID "/images/1718000100000-0-0\",\"name\":\"r.png\"}],\"text\":\"your receipt\"}"));
    CHECK(say_file(a, files, 0, &back) && back.size == 10);
    CHECK_SLICE(back.handle, md.handle);
    CHECK(!say_file(a, files, 1, &back) && !say_file(a, SLICE_NONE, 0, &back));
    md.type = SL("image/svg+xml"); /* it could run scripts: linked */
    json = say_part(a, &s, 1718000100000 * 16, &who, &m, &o, &files);
    CHECK(!files.p && slice_find(json, SL("\"mime\"")) == SIZE_MAX && slice_find(json, SL("https://hub.example/attachments/x?sig=1")) != SIZE_MAX);
    md.type = SL("application/pdf");
    md.name = SL("bill.pdf");
    m.kind = KIND_FILE;
    CHECK(is(a, said(a, &m, &o), HEAD("Text") "\"content\":[{\"type\":\"attachment\",\"id\":\"1718000100000-0-0\",\"url\":\"https://hub.example/attachments/x?sig=1\","
             "\"name\":\"bill.pdf\",\"mediaType\":\"application/pdf\",\"size\":10}],\"text\":\"your receipt\\nbill.pdf: https://hub.example/attachments/x?sig=1\"}"));
    files = SLICE_NONE;
    json = say_upload(a, &s, 1718000100000 * 16, &md, &files); /* a guest's own: without the link */
    CHECK(say_file(a, files, 0, &back) && slice_find(json, SL("?sig=")) == SIZE_MAX);
    CHECK(slice_find(json, SL("{\"type\":\"file\",\"mime\":\"application/pdf\",\"url\":\"/sessions/" SID "/files/1718000100000-0-0\",\"name\":\"bill.pdf\",\"size\":10}")) != SIZE_MAX);
    struct message native = { .kind = KIND_NATIVE, .text = SL("fallback"), .native_json = SL("{\"contentType\":\"generic\",\"content\":[{\"id\":\"c\",\"actions\":{\"url\":\"JAVASCRIPT:x\"}}]}") };
    CHECK(is(a, said(a, &native, &o), HEAD("Structured") "\"text\":\"fallback\"}"));
    static const char *const scripts[] = { "java\\tscript:x", " \\u0001Java\\nScript:x", "java\\u0073cript:x", "VbScript:x" }; /* as browsers read them */
    for (size_t i = 0; i < COUNT(scripts); i++) {
        native.native_json = arena_printf(a, "{\"contentType\":\"generic\",\"content\":[{\"id\":\"c\",\"components\":[{\"url\":\"%s\"}]}]}", scripts[i]);
        CHECK_ROW(i, is(a, said(a, &native, &o), HEAD("Structured") "\"text\":\"fallback\"}"));
    }
    native.native_json = SL("{\"contentType\":\"generic\",\"content\":[{\"id\":\"c\",\"title\":\"Java Script: a tour\"}]}"); /* to a browser no address */
    CHECK(is(a, said(a, &native, &o), HEAD("Structured") "\"contentType\":\"generic\",\"text\":\"fallback\",\"content\":[{\"id\":\"c\",\"title\":\"Java Script: a tour\"}]}"));
    native.native_json = SL("{\"contentType\":\"generic\",\"content\":[{\"id\":\"c\"}]}");
    CHECK(is(a, said(a, &native, &o), HEAD("Structured") "\"contentType\":\"generic\",\"text\":\"fallback\",\"content\":[{\"id\":\"c\"}]}"));
}
