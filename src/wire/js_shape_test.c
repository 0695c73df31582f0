#include "tests/harness/test.h"
#include "wire/js_shape.h"

static const struct shape *const parts[];
static const struct shape_member link_members[] = {
    SHAPE_ROW("url", SHAPE_HTTPS, SHAPE_REQUIRED, SHAPE_RANGE(1, 30)), SHAPE_ROW("style", SHAPE_WORD, 0, .words = "thin thick"),
};
static const struct shape_member text_members[] = {
    SHAPE_ROW("text", SHAPE_TEXT, SHAPE_REQUIRED, SHAPE_RANGE(1, 5)), SHAPE_ROW("name", SHAPE_TEXT, SHAPE_CHARS, SHAPE_RANGE(0, 2)), SHAPE_ROW("bold", SHAPE_BOOL, 0),
};
static const struct shape_member box_members[] = {
    SHAPE_ROW("contents", SHAPE_LIST, SHAPE_REQUIRED, SHAPE_RANGE(1, 3), .of = parts), SHAPE_ROW("width", SHAPE_NUMBER, 0, SHAPE_RANGE(1, 100)),
    SHAPE_ROW("head", SHAPE_OBJECT, 0, .of = parts), SHAPE_ROW("two", SHAPE_LIST, 0, SHAPE_RANGE(2, 2)),
};
static bool no_red(const struct js *v, const struct shape_path *at, struct fault *f)
{
    return !js_at(v, "red") || shape_fault(f, "wrong_type", at, "red", "is not wanted");
}
static const struct shape link_shape = SHAPE("link", link_members, .max_bytes = 80), text_shape = SHAPE("text", text_members),
                          box_shape = SHAPE("box", box_members, .more = no_red), one_shape = { .type = "one", .one_of = "a b" };
static const struct shape *const parts[] = { &link_shape, &text_shape, &box_shape, &one_shape, NULL };

/* clang-format off */
static const struct { const char *json, *code, *field, *text; } rows[] = {
    { "{\"type\":\"text\",\"text\":\"hello\",\"more\":1}", NULL, NULL, NULL },
    { "{\"type\":\"box\",\"contents\":[{\"type\":\"link\",\"url\":\"https://x\",\"style\":\"THIN\"},{\"type\":\"one\",\"b\":0}],\"width\":2.5}", NULL, NULL, NULL },
    { "[]", "wrong_type", "m", "must be an object" },
    { "{}", "missing_field", "m.type", "is missing; it is one of: link, text, box, one" },
    { "{\"type\":\"hero\"}", "out_of_range", "m.type", "must be one of: link, text, box, one" },
    { "{\"type\":\"text\"}", "missing_field", "m.text", "is missing" },
    { "{\"type\":\"text\",\"text\":\"\"}", "out_of_range", "m.text", "must not be empty" },
    { "{\"type\":\"text\",\"text\":\"hello!\"}", "out_of_range", "m.text", "must be 1 to 5 characters, it is 6" },
    { "{\"type\":\"text\",\"text\":\"\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\"}", "out_of_range", "m.text", "must be 1 to 5 characters, it is 6" },
    { "{\"type\":\"text\",\"text\":\"x\",\"name\":\"\xf0\x9f\x98\x80\xf0\x9f\x98\x80\"}", NULL, NULL, NULL },
    { "{\"type\":\"text\",\"text\":5}", "wrong_type", "m.text", "must be a text" },
    { "{\"type\":\"text\",\"text\":\"x\",\"bold\":\"yes\"}", "wrong_type", "m.bold", "must be true or false" },
    { "{\"type\":\"box\",\"contents\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"link\",\"url\":\"http://x\"}]}", "out_of_range", "m.contents[1].url",
      "must be an address that begins with https://" },
    { "{\"type\":\"box\",\"contents\":[{\"type\":\"link\",\"url\":\"https://x\",\"style\":\"wide\"}]}", "out_of_range", "m.contents[0].style", "must be one of: thin thick" },
    { "{\"type\":\"box\",\"contents\":[7]}", "wrong_type", "m.contents[0]", "must be an object" },
    { "{\"type\":\"box\",\"contents\":{}}", "wrong_type", "m.contents", "must be a list" },
    { "{\"type\":\"box\",\"contents\":[]}", "out_of_range", "m.contents", "must not be empty" },
    { "{\"type\":\"box\",\"contents\":[1,2,3,4]}", "out_of_range", "m.contents", "must be 1 to 3 items, it is 4" },
    { "{\"type\":\"box\",\"contents\":[{\"type\":\"one\",\"a\":1}],\"width\":0.5}", "out_of_range", "m.width", "must be 1 to 100" },
    { "{\"type\":\"box\",\"contents\":[{\"type\":\"one\",\"a\":1}],\"width\":\"5\"}", "wrong_type", "m.width", "must be a number" },
    { "{\"type\":\"box\",\"contents\":[{\"type\":\"one\",\"a\":1}],\"two\":[1]}", "out_of_range", "m.two", "must have 2 items, it has 1" },
    { "{\"type\":\"box\",\"contents\":[{\"type\":\"one\",\"a\":1}],\"head\":[]}", "wrong_type", "m.head", "must be an object" },
    { "{\"type\":\"box\",\"contents\":[{\"type\":\"one\",\"a\":1}],\"red\":1}", "wrong_type", "m.red", "is not wanted" },
    { "{\"type\":\"one\"}", "missing_field", "m", "needs one of: a b" },
    { "{\"type\":\"link\",\"url\":\"https://x\",\"note\":\"0123456789012345678901234567890123456789\"}", "out_of_range", "m", "has 83 bytes, at most 80 can be sent" },
};
/* clang-format on */

TEST(js_shape_says_what_is_wrong_and_where)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fault f = { 0 };
        const struct js *doc = js_parse(a, slice_of(rows[i].json), NULL);
        CHECK_ROW(i, doc != NULL);
        bool good = shape_check(a, doc, parts, "m", &f);
        if (good != !rows[i].code || (!good && (strcmp(f.code, rows[i].code) != 0 || strcmp(f.field, rows[i].field) != 0 || strcmp(f.text, rows[i].text) != 0)))
            test_fail(__FILE__, __LINE__, "row %zu: %s %s: %s", i, f.code ? f.code : "good", f.field, f.text);
    }
}

TEST(js_shape_tells_the_end_of_a_long_path)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct text t = text_new(a, 8192);
    enum { DEEP = 20 };
    for (int i = 0; i < DEEP; i++)
        text_put(&t, SL("{\"type\":\"box\",\"contents\":["));
    text_put(&t, SL("{\"type\":\"text\"}"));
    for (int i = 0; i < DEEP; i++)
        text_put(&t, SL("]}"));
    struct fault f = { 0 };
    CHECK(!shape_check(a, js_parse(a, text_slice(&t), NULL), parts, "", &f));
    CHECK(slice_starts(slice_of(f.field), SL("contents[0].")) && slice_ends(slice_of(f.field), SL(".contents[0].text")));
}
