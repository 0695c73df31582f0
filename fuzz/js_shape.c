/* Has a document the shape of one that knows everything shapes can say? A document that is good is an object with what is required; a fault has a code, a text
 * and a path, whatever the document's depth; and asking twice says the same. */
#include "fuzz/fuzz.h"
#include "wire/js_shape.h"

static const struct shape *const parts[], *const kinds[];
static bool no_red(const struct js *v, const struct shape_path *at, struct fault *f)
{
    return !js_get(v, SL("red")) || shape_fault(f, "wrong_type", at, "red", "is not wanted");
}
static const struct shape_member link_members[] = {
    SHAPE_ROW("url", SHAPE_HTTPS, SHAPE_REQUIRED, SHAPE_RANGE(1, 1000)),
    SHAPE_ROW("style", SHAPE_WORD, 0, .words = "thin thick"),
};
static const struct shape_member text_members[] = {
    SHAPE_ROW("text", SHAPE_TEXT, SHAPE_REQUIRED, SHAPE_RANGE(1, 20)),
    SHAPE_ROW("name", SHAPE_TEXT, SHAPE_CHARS, SHAPE_RANGE(0, 5)),
    SHAPE_ROW("bold", SHAPE_BOOL, 0),
};
static const struct shape_member box_members[] = {
    SHAPE_ROW("contents", SHAPE_LIST, SHAPE_REQUIRED, SHAPE_RANGE(1, 12), .of = parts),
    SHAPE_ROW("head", SHAPE_OBJECT, 0, .of = kinds),
    SHAPE_ROW("width", SHAPE_NUMBER, 0, SHAPE_RANGE(1, 100)),
    SHAPE_ROW("any", SHAPE_ANY, 0),
};
static const struct shape_member kind_members[] = { SHAPE_ROW("part", SHAPE_OBJECT, SHAPE_REQUIRED, .of = parts) };
static const struct shape link_shape = SHAPE("link", link_members, .max_bytes = 200), text_shape = SHAPE("text", text_members),
                          box_shape = SHAPE("box", box_members, .more = no_red), kind_shape = SHAPE("k", kind_members, .by = "kind"),
                          one_shape = { .type = "one", .one_of = "a b" };
static const struct shape *const parts[] = { &link_shape, &text_shape, &box_shape, &one_shape, NULL };
static const struct shape *const kinds[] = { &kind_shape, NULL };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct fault f = { 0 }, again = { 0 };
    const struct js *doc = js_parse(a, slice_mem(data, size), NULL);
    if (!doc)
        return 0;
    bool good = shape_check(a, doc, parts, "message", &f);
    assert(shape_check(a, doc, parts, "message", &again) == good);
    if (!good) {
        assert(f.code && f.text[0] && f.field[0] && strcmp(f.field, again.field) == 0 && strcmp(f.text, again.text) == 0);
        return 0;
    }
    assert(js_is_object(doc));
    if (slice_eq(js_text(js_get(doc, SL("type"))), SL("box")))
        assert(js_len(js_get(doc, SL("contents"))) >= 1 && js_len(js_get(doc, SL("contents"))) <= 12 && !js_get(doc, SL("red")));
    return 0;
}
