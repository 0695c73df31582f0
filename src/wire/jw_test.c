#include "tests/harness/test.h"
#include "wire/js.h"
#include "wire/js_number.h"
#include <float.h>
#include <locale.h>
#include <math.h>

TEST(jw_writes_commas_where_they_belong)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct jw w = jw_new(a, 4096);
    jw_open(&w, NULL, '{');
    jw_str(&w, "s", SL("x"));
    jw_opt(&w, "gone", SLICE_NONE);
    jw_opt(&w, "gone", SL(""));
    jw_str(&w, "absent", SLICE_NONE);
    jw_open(&w, "o", '{');
    jw_close(&w, '}');
    jw_open(&w, "list", '[');
    jw_int(&w, NULL, INT64_MIN);
    jw_bool(&w, NULL, true);
    jw_open(&w, NULL, '[');
    jw_null(&w, NULL);
    jw_close(&w, ']');
    jw_raw(&w, NULL, SL("{\"r\":1}"));
    jw_close(&w, ']');
    jw_key(&w, SL("k\n"));
    jw_double(&w, NULL, 1.5);
    jw_key(&w, SL("l"));
    jw_open(&w, NULL, '[');
    jw_close(&w, ']');
    jw_raw(&w, "none", SLICE_NONE);
    jw_value(&w, "value", js_parse(a, SL("[1,{\"a\":[true,false,null]}]"), NULL));
    jw_value(&w, "novalue", NULL);
    jw_time(&w, "t", 0);
    jw_close(&w, '}');
    CHECK_SLICE(jw_done(&w), SL("{\"s\":\"x\",\"absent\":\"\",\"o\":{},\"list\":[-9223372036854775808,true,[null],{\"r\":1}],"
                                "\"k\\n\":1.5,\"l\":[],\"none\":null,\"value\":[1,{\"a\":[true,false,null]}],\"novalue\":null,"
                                "\"t\":\"1970-01-01T00:00:00.000Z\"}"));
}

TEST(jw_strings_are_always_valid)
{
    static const struct { slice in, out; } rows[] = {
        { SLI("a\"b\\c/d"), SLI("\"a\\\"b\\\\c/d\"") },
        { SLI("\b\f\n\r\t\x01\x1f\x7f"), SLI("\"\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\"") },
        { { "\0", 1 }, SLI("\"\\u0000\"") },
        { SLI("\xff" "a\xe3\x81"), SLI("\"\xef\xbf\xbd" "a\xef\xbf\xbd\xef\xbf\xbd\"") },
        { SLI("\xe3\x81\x82\xf0\x9f\x98\x80"), SLI("\"\xe3\x81\x82\xf0\x9f\x98\x80\"") },
        { SLI("12345678\xff" "87654321"), SLI("\"12345678\xef\xbf\xbd" "87654321\"") },
    };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct jw w = jw_new(a, 4096);
        jw_str(&w, NULL, rows[i].in);
        CHECK_SLICE(jw_done(&w), rows[i].out);
        CHECK_ROW(i, js_parse(a, rows[i].out, NULL));
    }
}

TEST(jw_stops_at_its_limit)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (size_t max = 0; max < 40; max++) {
        struct jw w = jw_new(a, max);
        jw_open(&w, NULL, '{');
        jw_str(&w, "a", SL("0123456789"));
        jw_int(&w, "b", 12345);
        jw_close(&w, '}');
        slice want = SL("{\"a\":\"0123456789\",\"b\":12345}");
        CHECK_ROW(max, max < want.n ? !jw_done(&w).p : slice_eq(jw_done(&w), want));
    }
}

static void check_double(size_t i, double v, slice want)
{
    char buf[JS_NUMBER_BYTES];
    slice got = slice_mem(buf, js_number_print(v, false, buf));
    if (want.p)
        CHECK_SLICE(got, want);
    double back = (double)NAN;
    CHECK_ROW(i, slice_double(got, &back) || fabs(v) < DBL_MIN); /* strtod reports subnormals as out of range */
    CHECK_ROW(i, fabs(v) < DBL_MIN || (!(back < v) && !(back > v)));
    CLEANUP(arena_freep) struct arena *a = arena_new();
    const struct js *js = js_parse(a, got, NULL);
    CHECK_ROW(i, js && js_double(js, &back) && !memcmp(&back, &v, sizeof(v)));
}

TEST(jw_doubles_are_short_and_exact)
{
    static const struct { double v; slice want; } rows[] = {
        { 0.0, SLI("0") }, { -0.0, SLI("-0.0") }, { 1, SLI("1") }, { -1.5, SLI("-1.5") }, { 0.1, SLI("0.1") },
        { 0.1 + 0.2, SLI("0.30000000000000004") }, { 1.0 / 3, SLI("0.3333333333333333") }, { 139.7454, SLI("139.7454") },
        { 1e16, SLI("10000000000000000") }, { 1e17, SLI("1e17") }, { 1e21, SLI("1e21") }, { 1e300, SLI("1e300") },
        { 1e-7, SLI("0.0000001") }, { 1.5e-10, SLI("1.5e-10") }, { 5e-324, SLI("5e-324") },
        { DBL_MAX, SLI("1.7976931348623157e308") }, { DBL_MIN, SLI("2.2250738585072014e-308") },
        { 9007199254740993.0, SLI("9007199254740992") }, { 0x1p-44, SLI("5.684341886080802e-14") },
        { 123456789.123456789, SLI("123456789.12345679") }, { 2e-308, SLI("2e-308") },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        check_double(i, rows[i].v, rows[i].want);
    uint64_t bits = 0x9e3779b97f4a7c15u; /* a fixed walk over all exponents and signs */
    for (size_t i = 0; i < 20000; i++) {
        bits = bits * 6364136223846793005u + 1442695040888963407u;
        double v;
        memcpy(&v, &bits, sizeof(v));
        if (isfinite(v))
            check_double(i, v, SLICE_NONE);
    }
    char buf[JS_NUMBER_BYTES];
    CHECK_SLICE(slice_mem(buf, js_number_print((double)NAN, false, buf)), SL("null"));
    CHECK_SLICE(slice_mem(buf, js_number_print(-(double)INFINITY, true, buf)), SL("null"));
    CHECK_SLICE(slice_mem(buf, js_number_print(3, true, buf)), SL("3.0"));
    CHECK_SLICE(slice_mem(buf, js_number_print(0, true, buf)), SL("0.0"));
}

TEST(jw_doubles_do_not_follow_the_locale)
{
    static const char *const comma[] = { "de_DE.UTF-8", "fr_FR.UTF-8", "ru_RU.UTF-8" };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(comma); i++) {
        if (!setlocale(LC_ALL, comma[i]))
            continue; /* not on this machine: the C locale is checked all the same */
        break;
    }
    struct jw w = jw_new(a, 100);
    jw_double(&w, NULL, 0.1 + 0.2);
    double d = 0;
    bool ok = js_double(js_parse(a, SL("1.5"), NULL), &d) && d > 1.4;
    setlocale(LC_ALL, "C");
    CHECK_SLICE(jw_done(&w), SL("0.30000000000000004"));
    CHECK(ok);
}
