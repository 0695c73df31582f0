#include "tests/harness/test.h"
#include "wire/js.h"
#include <locale.h>

static const struct js *parse(struct arena *a, slice text)
{
    struct fault f = { 0 };
    const struct js *v = js_parse(a, text, &f);
    if (!v)
        test_fail(__FILE__, __LINE__, SLF ": %s", SLA(text), f.text);
    return v;
}

TEST(js_finds_values_by_path)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    const struct js *v = parse(a, SL("{\"a\":{\"b\":[10,{\"c\":\"x\"},null]},\"n\":null,\"d.e\":1,\"t\":true}"));
    int64_t i = 0;
    CHECK(js_int(js_at(v, "a.b.0"), &i) && i == 10);
    CHECK_SLICE(js_text(js_at(v, "a.b.1.c")), SL("x"));
    CHECK(js_is_null(js_at(v, "n")));
    CHECK(js_at(v, "") == v);
    CHECK(!js_at(v, "n.x") && !js_at(v, "a.b.3") && !js_at(v, "a.b.-1") && !js_at(v, "a.b.x") && !js_at(v, "zz"));
    CHECK(!js_at(NULL, "a") && !js_at(v, "a.b.-0"));
    CHECK(js_int(js_get(v, SL("d.e")), &i) && i == 1);
    CHECK(js_true(js_at(v, "t")) && !js_true(js_at(v, "n")));
    CHECK_INT(js_len(js_at(v, "a.b")), 3);
    CHECK_INT(js_len(v), 4);
    CHECK_INT(js_len(js_at(v, "t")), 0);
    CHECK(!js_text(js_at(v, "t")).p && !js_text(NULL).p);
}

TEST(js_keeps_members_in_document_order)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct text t = text_new(a, 1 << 16), want = text_new(a, 1 << 16);
    text_char(&t, '{');
    for (int i = 0; i < 200; i++) { /* enough to make the table grow several times */
        text_add(&t, "%s\"k%d\":%d", i ? "," : "", (i * 7919) % 200, i);
        text_add(&want, "k%d ", (i * 7919) % 200);
    }
    text_char(&t, '}');
    const struct js *v = parse(a, text_slice(&t));
    struct text got = text_new(a, 1 << 16);
    for (void *it = js_first(v); it; it = js_next(v, it))
        text_add(&got, SLF " ", SLA(js_key(v, it)));
    CHECK_SLICE(text_slice(&got), text_slice(&want));
    CHECK_SLICE(js_print(a, v), text_slice(&t));
}

TEST(js_prints_compact_text_that_means_the_same)
{
    static const struct { slice in, out; } rows[] = {
        { SLI(" { \"b\" : 1 , \"a\" : [ ] } "), SLI("{\"b\":1,\"a\":[]}") },
        { SLI("[1.0,-0.0,-0,1e2,1E400e]") , SLI("") },
        { SLI("[1.0,-0.0,-0,1e2,0.1,1e-7,1e-8,123456789012345678]"),
          SLI("[1.0,-0.0,0,100.0,0.1,0.0000001,1e-8,123456789012345678]") },
        { SLI("9223372036854775807"), SLI("9223372036854775807") },
        { SLI("-9223372036854775808"), SLI("-9223372036854775808") },
        { SLI("\"\\u3042\\/\\u2028\\ud83d\\ude00\""), SLI("\"\xe3\x81\x82/\xe2\x80\xa8\xf0\x9f\x98\x80\"") },
        { SLI("\"a\\u0000b\\u001f\\n\\\"\\\\\""), SLI("\"a\\u0000b\\u001f\\n\\\"\\\\\"") },
        { SLI("1e300"), SLI("1e300") }, { SLI("12345678901234567890.0"), SLI("1.2345678901234567e19") },
        { SLI("null"), SLI("null") }, { SLI("\"\""), SLI("\"\"") }, { SLI("{}"), SLI("{}") },
    };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct js *v = js_parse(a, rows[i].in, NULL);
        CHECK_ROW(i, !!v == !!rows[i].out.n);
        if (!v)
            continue;
        CHECK_SLICE(js_print(a, v), rows[i].out);
        CHECK_ROW(i, js_equal(v, parse(a, js_print(a, v))));
    }
}

TEST(js_refuses_what_is_not_json)
{
    static const struct { slice in; const char *text; } rows[] = {
        { SLI(""), "empty" }, { SLI("   "), "line 1" }, { SLI("{"), "line 1" }, { SLI("{\"a\":1,\"a\":2}"), "duplicate" },
        { SLI("[1,]"), "line 1" }, { SLI("[01]"), "line 1" }, { SLI("[NaN]"), "line 1" }, { SLI("{'a':1}"), "line 1" },
        { SLI("\"\xff\""), "decode" }, { SLI("\"\xed\xa0\x80\""), "decode" }, { SLI("\"\\ud800\""), "line 1" },
        { SLI("\"a\nb\""), "line 1" }, { SLI("[1]\n x"), "line 2" }, { SLI("9223372036854775808"), "big" },
        { SLI("{\"a\\u0000b\":1}"), "NUL" }, { SLI("1e999"), "overflow" }, { SLI("\xef\xbb\xbf{}"), "line 1" },
        { SLI("[\"secret\" \"secret2\"]"), "line 1" },
        { { "[1.25\0]", 7 }, "NUL" }, { { "[true\0]", 7 }, "NUL" }, { { "\"\0\"", 3 }, "NUL" }, { { "[]\0", 3 }, "NUL" },
    };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fault f = { 0 };
        CHECK_ROW(i, !js_parse(a, rows[i].in, &f));
        CHECK_SLICE(slice_of(f.code), SL("bad_json"));
        if (!strstr(f.text, rows[i].text) || strstr(f.text, "secret"))
            test_fail(__FILE__, __LINE__, "row %zu says \"%s\"", i, f.text);
    }
}

TEST(js_is_bounded_in_depth)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (int depth = JS_DEPTH_MAX - 1; depth <= JS_DEPTH_MAX + 1; depth++) {
        struct text t = text_new(a, 1000);
        for (int i = 0; i < depth; i++)
            text_char(&t, '[');
        text_put(&t, SL("\"[[{{\\\"[[\""));
        for (int i = 0; i < depth; i++)
            text_char(&t, ']');
        CHECK(!!js_parse(a, text_slice(&t), NULL) == (depth <= JS_DEPTH_MAX));
    }
    char *bomb = arena_alloc(a, 1 << 20);
    memset(bomb, '[', 1 << 20);
    size_t before = arena_bytes(a);
    struct fault f = { 0 };
    CHECK(!js_parse(a, slice_mem(bomb, 1 << 20), &f));
    CHECK(strstr(f.text, "64 levels"));
    CHECK(arena_bytes(a) == before);
}

TEST(js_numbers_are_exact)
{
    static const struct { slice in; bool ok; int64_t v; } rows[] = {
        { SLI("1"), true, 1 }, { SLI("1.0"), true, 1 }, { SLI("1.5"), false, 0 }, { SLI("\"1\""), false, 0 },
        { SLI("9007199254740993"), true, 9007199254740993 }, { SLI("1e3"), true, 1000 }, { SLI("1e19"), false, 0 },
        { SLI("-9223372036854775808.0"), true, INT64_MIN }, { SLI("9223372036854775808.0"), false, 0 },
        { SLI("true"), false, 0 },
    };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t v = 0;
        CHECK_ROW(i, js_int(parse(a, rows[i].in), &v) == rows[i].ok && v == rows[i].v);
    }
    double d = 0;
    CHECK(js_double(parse(a, SL("3")), &d) && d >= 3 && d <= 3);
    CHECK(!js_double(parse(a, SL("\"3\"")), &d) && !js_double(NULL, &d));
}

TEST(js_equal_compares_values)
{
    static const struct { slice a, b; bool same; } rows[] = {
        { SLI("{\"a\":1,\"b\":[1,2]}"), SLI("{\"b\":[1,2.0],\"a\":1e0}"), true },
        { SLI("[1,2]"), SLI("[2,1]"), false }, { SLI("{\"a\":1}"), SLI("{\"b\":1}"), false },
        { SLI("{\"a\":1}"), SLI("{\"a\":1,\"b\":1}"), false }, { SLI("9007199254740993"), SLI("9007199254740992.0"), false },
        { SLI("1.5"), SLI("1.5"), true }, { SLI("1.5"), SLI("1"), false }, { SLI("\"1\""), SLI("1"), false },
        { SLI("null"), SLI("false"), false }, { SLI("true"), SLI("true"), true }, { SLI("\"a\\u0062\""), SLI("\"ab\""), true },
        { SLI("[]"), SLI("{}"), false }, { SLI("0"), SLI("-0.0"), true },
    };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(rows); i++) {
        CHECK_ROW(i, js_equal(parse(a, rows[i].a), parse(a, rows[i].b)) == rows[i].same);
        CHECK_ROW(i, js_equal(parse(a, rows[i].b), parse(a, rows[i].a)) == rows[i].same);
    }
    CHECK(js_equal(NULL, NULL) && !js_equal(NULL, parse(a, SL("null"))));
}

TEST(js_raw_gives_the_bytes_as_they_stand)
{
    slice text = SL(" {\"a\" : [ 1.50 , {\"b\\u0063\":\"x\\\"]\"} ],\"\\ud83d\\ude00\\n\":{ \"z\":1 } ,\"e\":[],\"n\":null } ");
    static const struct { const char *path; slice want; } rows[] = {
        { "a.0", SLI("1.50") }, { "a.1.bc", SLI("\"x\\\"]\"") }, { "a", SLI("[ 1.50 , {\"b\\u0063\":\"x\\\"]\"} ]") },
        { "\xf0\x9f\x98\x80\n", SLI("{ \"z\":1 }") }, { "n", SLI("null") }, { "e", SLI("[]") },
        { "a.2", { NULL, 0 } }, { "e.0", { NULL, 0 } }, { "n.x", { NULL, 0 } }, { "b", { NULL, 0 } }, { "a.x", { NULL, 0 } },
        { "a.1.b", { NULL, 0 } }, { "a.1.bcd", { NULL, 0 } },
    };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    const struct js *doc = parse(a, text);
    for (size_t i = 0; i < COUNT(rows); i++) {
        slice raw = js_raw(text, rows[i].path);
        CHECK_SLICE(raw, rows[i].want);
        CHECK_ROW(i, !raw.p == !rows[i].want.p);
        CHECK_ROW(i, !raw.p == !js_at(doc, rows[i].path));
        CHECK_ROW(i, !raw.p || js_equal(parse(a, raw), js_at(doc, rows[i].path)));
    }
    CHECK_SLICE(js_raw(text, ""), slice_trim(text));
    CHECK_SLICE(js_raw(SL("5"), ""), SL("5"));
    CHECK(!js_raw(SL(""), "").p && !js_raw(SL("{\"a\":\"x\\"), "a").p && !js_raw(SL("{\"a\\"), "a").p);
}

TEST(js_takes_no_memory_but_the_arenas)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (int i = 0; i < 100; i++) /* leaks would show in the sanitizer build */
        CHECK(!js_parse(a, SL("{\"a\":[1,2,{\"b\":\"long enough not to fit anywhere small\"}],\"c\":}"), NULL));
    CHECK(arena_bytes(a) > 4096);
}
