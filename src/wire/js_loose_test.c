#include "tests/harness/test.h"
#include "wire/js.h"
#include "wire/js_loose.h"

TEST(loose_json_becomes_strict)
{
    static const struct { slice in, out; } rows[] = {
        { SLI("{}"), SLI("{}") },
        { SLI("{\"a\":1,}"), SLI("{\"a\":1}") },
        { SLI("[1,[2,],{\"b\":[],},]"), SLI("[1,[2],{\"b\":[]}]") },
        { SLI("{\"name\":\"Ann\", // a placeholder\n  /* two\nlines */ \"type\": \"Button\"\n}"), SLI("{\"name\":\"Ann\",\"type\":\"Button\"}") },
        { SLI("{\"a\":\"http://x/ // no comment\"}"), SLI("{\"a\":\"http://x///nocomment\"}") },
        { SLI("{\"a\":\"/* no comment */, }\"}"), SLI("{\"a\":\"/* no comment */, }\"}") },
        { SLI("{\"url\": \"\nhttps://cdn.example.com/library/\n  ipad.png\"}"), SLI("{\"url\":\"https://cdn.example.com/library/ipad.png\"}") },
        { SLI("{\"url\": \"\xe2\x86\xb5\n\nhttps://cdn.example.com/a.png\"}"), SLI("{\"url\":\"https://cdn.example.com/a.png\"}") },
        { SLI("{\"t\":\"rules of the format, \xe2\x86\xb5\nwe publish it\"}"), SLI("{\"t\":\"rules of the format, we publish it\"}") },
        { SLI("{\"t\":\"a \xe2\x86\xb5 b\"}"), SLI("{\"t\":\"a \xe2\x86\xb5 b\"}") },
        { SLI("{\"t\":\"one\r\ntwo\tthree\"}"), SLI("{\"t\":\"one\\ntwo\\tthree\"}") },
        { SLI("{\"t\":\"say \\\"hi\\\" \\u00e9\"}"), SLI("{\"t\":\"say \\\"hi\\\" \\u00e9\"}") },
        { SLI("\xef\xbb\xbf{\xc2\xa0\"n\":-1.5e3,\"y\":true,\"z\":null}"), SLI("{\"n\":-1.5e3,\"y\":true,\"z\":null}") },
    };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fault f = { 0 };
        slice out = js_strict(a, rows[i].in, &f);
        CHECK_ROW(i, slice_eq(out, rows[i].out));
        CHECK_ROW(i, js_parse(a, out, &f) != NULL);
    }
}

TEST(loose_json_says_where_it_is_wrong)
{
    static const struct { slice in; const char *text; } rows[] = {
        { SLI("{\n\"items\": [{\n  \"a\": 1\n  ], {\n"), "line 4: ] where the object that began in line 2 ends with }" },
        { SLI("{\"a\": 1\n\"b\": 2}"), "line 2: \" where a comma or } is expected" },
        { SLI("{\"a\": \n}"), "line 2: } where a value is expected" },
        { SLI("{\"a\": \"open\n}"), "line 1: a text begins here and does not end: its closing \" is missing" },
        { SLI("{\"a\": [1, 2"), "line 1: the text ends, and the list that began in line 1 is not closed" },
        { SLI("{\"a\": 1} x"), "line 1: x where nothing more is expected" },
        { SLI("{\"a\": \xe2\x80\x9cx\xe2\x80\x9d}"), "line 1: texts stand between straight double quotes: \"" },
        { SLI("{\"a\": yes}"), "line 1: \"yes\" is no value: texts stand between quotes" },
        { SLI("{\"a\": 1, ...}"), "line 1: . where a name between quotes is expected" },
        { SLI("{ /* for ever"), "line 1: a comment begins here and does not end" },
        { SLI("{,}"), "line 1: , where a name between quotes is expected" },
        { SLI("[1,,2]"), "line 1: , where a value is expected" },
        { SLI("{\"a\": \"http://x\\\n\nr\"}"), "line 1: a backslash with nothing behind it" },
        { SLI(""), "line 1: there is nothing" },
    };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fault f = { 0 };
        CHECK_ROW(i, !js_strict(a, rows[i].in, &f).p);
        if (!f.code || strcmp(f.text, rows[i].text) != 0)
            fprintf(stderr, "%zu: %s\n", i, f.text);
        CHECK_ROW(i, f.code && strcmp(f.code, "bad_json") == 0 && strcmp(f.text, rows[i].text) == 0);
    }
}

TEST(what_is_meant_to_be_json)
{
    static const struct { slice in; bool meant; } rows[] = {
        { SLI("{\"a\":1}"), true },  { SLI(" // x\n{ /* y */ \"a\""), true }, { SLI("{}"), true },      { SLI("[{"), true },
        { SLI("[\"a\""), true },     { SLI("{hello}"), false },              { SLI("Hello {}"), false }, { SLI("[1] see below"), false },
        { SLI(""), false },          { SLI("{"), false },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_ROW(i, js_is_meant(rows[i].in) == rows[i].meant);
}
