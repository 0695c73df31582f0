#include "hub/pseudonym.h"
#include "hub/connector.h"
#include "hub/verify.h"
#include "tests/harness/test.h"
#include "wire/js.h"

static const char *const keep[] = { "type", "timestamp", NULL };

static struct pseudonyms some(void)
{
    struct pseudonyms p = { .keep = keep };
    memset(p.key, 7, sizeof(p.key));
    return p;
}

TEST(pseudonyms_keep_the_form_and_nothing_else)
{
    static const struct {
        const char *in, *form; /* ~: small letter, ^: large, 9: digit, *: hex digit, _: not ASCII; others: themselves */
    } rows[] = {
        { "Hello, Ms. Sato! 42", "^~~~~, ^~. ^~~~! 99" },
        { "+81 90-1234-5678", "+99 99-9999-9999" },
        { "U4af4980629e14b1c88d2d4c0f3a1b2c3", "U********************************" },
        { "4d8f3c2e-71aa-4c0e-9d1b-0f6e5a4b3c2d", "********-****-****-****-************" },
        { "https://example.com/p/42?a=b%2F", "https://~~~.invalid/*/99?*=*%9^" },
        { "http://x.y/", "http://~~~/" },
        { "\xe3\x81\x93\xe3\x82\x93", "______" },
        { "\xf0\x9f\x90\xb1 \xc3\xa9", "____ __" },
        { "", "" },
        { "\n\t{}", "\n\t{}" },
    };
    struct pseudonyms p = some();
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP(arena_freep) struct arena *a = arena_new();
        slice in = slice_of(rows[i].in), out = pseudonym_text(&p, a, in);
        CHECK_ROW(i, out.n == in.n && utf8_valid(out));
        for (size_t k = 0; k < out.n; k++) {
            char c = out.p[k], f = rows[i].form[k];
            bool low = c >= 'a' && c <= 'z', high = c >= 'A' && c <= 'Z', digit = c >= '0' && c <= '9', hex = digit || (c >= 'a' && c <= 'f');
            CHECK_ROW(i, f == '~' ? low : f == '^' ? high : f == '9' ? digit : f == '*' ? hex : f == '_' ? (c & 0x80) != 0 : c == f);
        }
    }
}

TEST(pseudonyms_of_equal_values_are_equal_and_others_are_not)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct pseudonyms p = some(), other = some();
    slice names[] = { SL("line") };
    p.names = names;
    p.n_names = 1;
    other.key[0] = 8;
    slice guest = SL("U4af4980629e14b1c88d2d4c0f3a1b2c3");
    slice one = pseudonym_text(&p, a, guest);
    CHECK_SLICE(pseudonym_text(&p, a, guest), one);
    CHECK(!slice_eq(one, guest) && !slice_eq(pseudonym_text(&other, a, guest), one));
    CHECK(!slice_eq(pseudonym_text(&p, a, SL("U4af4980629e14b1c88d2d4c0f3a1b2c4")), one));
    CHECK_SLICE(pseudonym_text(&p, a, SL("U4af4980629e14b1c88d2d4c0f3a1b2c3@line")), arena_printf(a, SLF "@line", SLA(one)));
    slice mail = pseudonym_text(&p, a, SL("sato@example.com"));
    CHECK(mail.n == 16 && slice_find(mail, SL("sato")) == SIZE_MAX && slice_find(mail, SL("example")) == SIZE_MAX);
}

TEST(pseudonyms_in_a_document)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct pseudonyms p = some();
    slice in = SL("{\"type\":\"text\",\"text\":\"Taro\",\"timestamp\":1700000000000,\"latitude\":-139.7454,\"n\":5,\"ok\":true,\"none\":null,"
                  "\"list\":[\"Taro\",{\"type\":\"x\",\"name\":\"Taro\"}],\"attributes\":{\"090 1234 5678\":\"Taro\",\"taro@example.com\":{\"a\":[]}}}");
    struct fault f = { 0 };
    slice out = pseudonym_body(&p, a, in);
    const struct js *doc = js_parse(a, out, &f);
    CHECK(doc && slice_find(out, SL("Taro")) == SIZE_MAX && slice_find(out, SL("1234")) == SIZE_MAX && slice_find(out, SL("taro@")) == SIZE_MAX);
    CHECK(slice_find(out, SL("7454")) == SIZE_MAX);
    CHECK_SLICE(js_text(js_at(doc, "type")), SL("text"));
    CHECK_SLICE(js_text(js_at(doc, "list.0")), js_text(js_at(doc, "text")));
    CHECK_SLICE(js_text(js_at(doc, "list.1.name")), js_text(js_at(doc, "text")));
    CHECK_SLICE(js_text(js_at(doc, "list.1.type")), SL("x"));
    int64_t at = 0;
    double lat = 0;
    CHECK(js_int(js_at(doc, "timestamp"), &at) && at == 1700000000000);
    CHECK(js_double(js_at(doc, "latitude"), &lat) && lat <= -100 && lat > -110);
    CHECK(js_true(js_at(doc, "ok")) && js_is_null(js_at(doc, "none")) && js_len(js_at(doc, "attributes")) == 2);
    CHECK(!pseudonym_body(&p, a, SL("{\"text\":")).p && !pseudonym_body(&p, a, SL("plain")).p);
}

TEST(pseudonyms_at_paths_leave_the_rest)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    static const char *const ids[] = { "events.id", "events.message.id", NULL };
    struct pseudonyms p = some();
    slice in = SL("{\"id\":\"7\",\"events\":[{\"id\":\"01HXYZ\",\"message\":{\"id\":\"123456\",\"text\":\"Hi\"},\"who\":{\"id\":\"u1\"}}]}");
    struct fault f = { 0 };
    const struct js *doc = js_parse(a, pseudonym_paths(&p, a, in, ids), &f);
    CHECK_SLICE(js_text(js_at(doc, "id")), SL("7"));
    CHECK_SLICE(js_text(js_at(doc, "events.0.who.id")), SL("u1"));
    CHECK_SLICE(js_text(js_at(doc, "events.0.message.text")), SL("Hi"));
    CHECK(!slice_eq(js_text(js_at(doc, "events.0.id")), SL("01HXYZ")) && js_text(js_at(doc, "events.0.id")).n == 6);
    CHECK(!slice_eq(js_text(js_at(doc, "events.0.message.id")), SL("123456")));
}

TEST(a_hook_signs_as_it_verifies)
{
    static const enum verify ways[] = { VERIFY_HMAC_SHA256_BASE64, VERIFY_HMAC_SHA256_HEX, VERIFY_HEADER_EQUAL, VERIFY_HMAC_SHA256_HEX };
    enum { STAMPED = 3 };
    for (size_t i = 0; i < COUNT(ways); i++) {
        CLEANUP(arena_freep) struct arena *a = arena_new();
        struct connector type = { .name = "x", .title = "X", .hook = { .how = ways[i], .header = "x-sig", .prefix = i == 1 ? "sha256=" : NULL, .secrets = { 0, 1 }, .n_secrets = 2 } };
        if (i == STAMPED) {
            type.hook.stamp = "x-time";
            type.hook.stamp_before = "v0:";
            type.hook.window_ms = 300000;
        }
        slice settings[] = { SLICE_NONE, SL("the second key") };
        struct account acc = { .type = &type, .settings = settings };
        struct fault f = { 0 };
        struct header h[2];
        CHECK_ROW(i, hook_sign(&acc, a, SL("{}"), INT64_C(1772600767890), &h[0], &h[1], &f));
        CHECK_ROW(i, !h[1].name.n == !type.hook.stamp);
        struct request rq = { .body = SL("{}"), .headers = h, .n_headers = type.hook.stamp ? 2 : 1 };
        struct call c = { .a = a, .account = &acc, .now_ms = INT64_C(1772600767890), .f = &f };
        slice body;
        CHECK_ROW(i, hook_verify(&c, &rq, &body, &f));
        rq.body = SL("{ }");
        CHECK_ROW(i, hook_verify(&c, &rq, &body, &f) == (ways[i] == VERIFY_HEADER_EQUAL));
        rq.body = SL("{}");
        for (int s = -301; s <= 301; s += 2) { /* too old, and from the future */
            c.now_ms = INT64_C(1772600767890) + s * 1000;
            CHECK_ROW(i, hook_verify(&c, &rq, &body, &f) == (i != STAMPED || (s > -301 && s < 301)));
        }
        settings[1] = SLICE_NONE;
        CHECK_ROW(i, !hook_sign(&acc, a, SL("{}"), c.now_ms, &h[0], &h[1], &f) && f.text[0]);
    }
}
