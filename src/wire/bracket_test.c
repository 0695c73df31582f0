#include "tests/harness/test.h"
#include "wire/bracket.h"

TEST(bracket_reads_nested_names)
{
    static const struct { const char *form, *json; } rows[] = {
        { "", "{}" },
        { "a=1&b=x+y%20z", "{\"a\":\"1\",\"b\":\"x y z\"}" },
        { "data[firstName]=Ana&data%5BuserData%5D%5B_genesys_source%5D=web&operationId=o1",
          "{\"data\":{\"firstName\":\"Ana\",\"userData\":{\"_genesys_source\":\"web\"}},\"operationId\":\"o1\"}" },
        { "a[]=1&a[]=2", "{\"a\":[\"1\",\"2\"]}" },
        { "a[0][x]=1&a[0][y]=2&a[1][x]=3", "{\"a\":[{\"x\":\"1\",\"y\":\"2\"},{\"x\":\"3\"}]}" },
        { "a[1]=x", "{\"a\":{\"1\":\"x\"}}" },
        { "a[01]=x&a[-0]=y", "{\"a\":{\"01\":\"x\",\"-0\":\"y\"}}" },
        { "0=x", "{\"0\":\"x\"}" },
        { "a=1&a=2", "{\"a\":\"2\"}" },
        { "a=1&a[b]=2", "{\"a\":{\"b\":\"2\"}}" },
        { "a[b]=2&a=1", "{\"a\":\"1\"}" },
        { "a[b=1&a]b[=2&[c]=3&a[b]c=4", "{\"a[b\":\"1\",\"a]b[\":\"2\",\"[c]\":\"3\",\"a[b]c\":\"4\"}" },
        { "a%5B%22%5D=%00%22", "{\"a\":{\"\\\"\":\"\\u0000\\\"\"}}" },
        { "=x&a", "{\"a\":\"\"}" },
        { "n=%F0%9F%98%80&data[%E5%90%8D]=%E9%AB%98", "{\"n\":\"\xf0\x9f\x98\x80\",\"data\":{\"\xe5\x90\x8d\":\"\xe9\xab\x98\"}}" },
    };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fault f = { 0 };
        const struct js *got = bracket_parse(a, slice_of(rows[i].form), &f);
        CHECK_ROW(i, got && js_equal(got, js_parse(a, slice_of(rows[i].json), &f)));
    }
}

TEST(bracket_refuses_what_is_broken_or_too_deep)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct text t = text_new(a, 1 << 16);
    text_put(&t, SL("a"));
    for (int i = 0; i < BRACKET_DEPTH_MAX; i++)
        text_put(&t, SL("[b]"));
    text_put(&t, SL("=1"));
    const slice rows[] = { SL("a=%zz"), SL("a=%ff"), SL("%ff=a"), SL("a[%c3]=1"), text_slice(&t) };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fault f = { 0 };
        CHECK_ROW(i, !bracket_parse(a, rows[i], &f) && strcmp(f.code, "bad_form") == 0);
    }
}
