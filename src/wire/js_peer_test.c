/* Our reader beside jansson, which shares no line with it: both take the same texts, and find the same in them. */
#include "tests/harness/test.h"
#include "wire/js.h"
#include <jansson.h>

static const slice seeds[] = {
    SLI("{\"destination\":\"U1\",\"events\":[{\"type\":\"message\",\"timestamp\":1772600767123,\"message\":{\"id\":\"1\",\"text\":\"g\\u00fcn\\ud83d\\ude00\"}}]}"),
    SLI(" [ 0 , -0 , 1.5 , -1e5 , 2E-3 , 10.25e+2 , 9223372036854775807 , -9223372036854775808 , true , false , null ] "),
    SLI("{\"\":{},\"a\":[],\"b\":[[[]]],\"c\":{\"d\":{\"e\":\"\"}},\"k1\":1,\"k2\":2,\"k3\":3,\"k4\":4,\"k5\":5,\"k6\":6,\"k7\":7,\"k8\":8,\"k9\":9,"
        "\"k10\":10,\"k11\":11,\"k12\":12,\"k13\":13,\"k14\":14,\"k15\":15}"),
    SLI("\"\xe3\x81\x82\xc3\xa9\xf0\x9f\x98\x80 plain plain plain \\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f\\uffff\x7f\""),
    SLI("[\"\xed\x9f\xbf\",\"\xee\x80\x80\",\"\xf4\x8f\xbf\xbf\",\"\xc2\x80\",\"\xdf\xbf\",\"\xe0\xa0\x80\"]"),
};

/* What jansson says of it: a compact text, or absent when it refuses. */
static slice peer(struct arena *a, slice text)
{
    json_error_t e;
    json_t *v = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_ANY, &e);
    if (!v)
        return SLICE_NONE;
    char *printed = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(17));
    slice s = arena_dup(a, slice_of(printed));
    free(printed);
    json_decref(v);
    return s;
}

static void same(struct arena *a, slice text)
{
    if (text.n && memchr(text.p, 0, text.n)) /* jansson lets one pass behind a number or a literal */
        return;
    slice theirs = peer(a, text);
    struct fault f = { 0 };
    const struct js *ours = js_parse(a, text, &f);
    if (!ours != !theirs.p)
        test_fail(__FILE__, __LINE__, "\"" SLF "\": %s", SLA(text), ours ? "jansson refuses it" : f.text);
    if (ours && !js_equal(ours, js_parse(a, theirs, NULL)))
        test_fail(__FILE__, __LINE__, "\"" SLF "\" is \"" SLF "\" to jansson", SLA(text), SLA(theirs));
}

static uint32_t draw(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33);
}

TEST(js_reads_what_jansson_reads)
{
    static const char likely[] = "\"\\{}[]:,0123456789eE+-.tfnu \n\xff\xc3\x80\xed\xa0/b";
    uint64_t state = 42;
    for (int round = 0; round < 20000; round++) {
        CLEANUP(arena_freep) struct arena *a = arena_new();
        slice seed = seeds[(size_t)round % COUNT(seeds)];
        char *text = arena_cstr(a, seed);
        size_t n = seed.n;
        for (uint32_t changes = draw(&state) % 4; changes; changes--) {
            size_t at = draw(&state) % n;
            switch (draw(&state) % 4) {
            case 0: text[at] = likely[draw(&state) % (sizeof(likely) - 1)]; break;
            case 1: n = at + 1; break;
            case 2: memmove(text + at, text + at + 1, n - at - 1), n -= n > 1; break;
            default: text[at] = text[draw(&state) % n]; break;
            }
        }
        same(a, slice_mem(text, n));
    }
}

TEST(js_reads_numbers_and_escapes_as_jansson_does)
{
    static const slice rows[] = {
        SLI("-"), SLI("+1"), SLI("-0.0"), SLI("1."), SLI(".5"), SLI("1e"), SLI("1e+"), SLI("00"), SLI("-01"), SLI("1e308"), SLI("1e309"), SLI("-1e309"), SLI("1e-400"),
        SLI("4.9e-324"), SLI("0.1234567890123456789012345678901234567890123456789012345678901234567890123456789"), SLI("9223372036854775808"),
        SLI("-9223372036854775809"), SLI("\"\\u12\""), SLI("\"\\u12g4\""), SLI("\"\\ud800\\u0041\""), SLI("\"\\udc00\""), SLI("\"\\ud800\\udbff\""),
        SLI("\"\\uD834\\uDd1e\""), SLI("\"\\x\""), SLI("\"\\\""), SLI("\"\\"), SLI("\""), SLI("\"\\u"), SLI("tru"), SLI("truee"), SLI("nulll"), SLI("True"),
        SLI("{\"a\" 1}"), SLI("{\"a\":}"), SLI("{,}"), SLI("[,]"), SLI("[1 2]"), SLI("{\"a\":1,}"), SLI("{1:2}"), SLI("[1]]"), SLI("[}"), SLI("{]"),
        SLI("\v1"), SLI("1\f"), SLI("\r\n\t 1 \r\n\t"), SLI("{\"a\":1,\"\\u0061\":2}"), SLI("\"\xf4\x90\x80\x80\""), SLI("\"\xc1\xbf\""), SLI("\"\xe0\x9f\xbf\""), SLI("\"\xf0\x8f\xbf\xbf\""),
    };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(rows); i++)
        same(a, rows[i]);
}

TEST(js_finds_each_of_many_members)
{
    enum { MANY = 5000 };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct text t = text_new(a, 1 << 20);
    for (int i = 0; i < MANY; i++)
        text_add(&t, "%c\"k%d\":%d", i ? ',' : '{', i * 7, i);
    text_char(&t, '}');
    const struct js *v = js_parse(a, text_slice(&t), NULL);
    CHECK_INT(js_len(v), MANY);
    for (int i = 0; i < MANY; i++) {
        int64_t n = -1;
        CHECK_ROW(i, js_int(js_get(v, arena_printf(a, "k%d", i * 7)), &n) && n == i);
    }
    CHECK(!js_get(v, SL("k1")) && !js_get(v, SL("")) && !js_get(v, SL("k70000")));
    t.n--;
    text_put(&t, SL(",\"k7\":0}"));
    struct fault f = { 0 };
    CHECK(!js_parse(a, text_slice(&t), &f) && strstr(f.text, "duplicate"));
}
