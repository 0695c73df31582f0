/* What we print of a parsed value parses back to an equal value, and printing that changes nothing; js_raw's spans lie
 * inside the input and parse to the value js_at finds; js_read survives any document; jansson takes and refuses the same texts. */
#include "fuzz/fuzz.h"
#include "wire/js.h"
#include <jansson.h>

struct item {
    slice text;
    int64_t count;
};
struct doc {
    slice id, number, raw;
    int64_t count, at_ms, on_ms;
    double ratio;
    bool live;
    int colour;
    const struct js *any;
    struct item one;
    struct js_list items, tags, pairs;
};
static const char *const colours[] = { "red", NULL, "blue" };
static const struct js_field item_fields[] = {
    JS_FIELD(struct item, text, "text", JS_STR, JS_REQ), JS_FIELD(struct item, count, "count", JS_I64, 0),
};
static const struct js_field doc_fields[] = {
    JS_FIELD(struct doc, id, "id", JS_STR, JS_STRICT),        JS_FIELD(struct doc, number, "number", JS_TEXTNUM, 0),
    JS_FIELD(struct doc, raw, "raw", JS_RAW, 0),              JS_FIELD(struct doc, count, "count", JS_I64, 0),
    JS_FIELD(struct doc, at_ms, "at", JS_SECS, 0),            JS_FIELD(struct doc, on_ms, "on", JS_TIME, 0),
    JS_FIELD(struct doc, ratio, "ratio", JS_F64, 0),          JS_FIELD(struct doc, live, "live", JS_BOOL, 0),
    JS_FIELD_ENUM(struct doc, colour, "colour", colours, 0),  JS_FIELD(struct doc, any, "any", JS_ANY, 0),
    JS_FIELD_OBJ(struct doc, one, "one", item_fields, 0),
    JS_FIELD_LIST(struct doc, items, "items", struct item, item_fields, 0),
    JS_FIELD(struct doc, tags, "tags", JS_STRLIST, 0),        JS_FIELD(struct doc, pairs, "pairs", JS_PAIRS, 0),
};

static void prints_the_same(struct arena *a, const struct js *v)
{
    slice text = js_print(a, v);
    struct fault f = { 0 };
    const struct js *again = js_parse(a, text, &f);
    assert(again && js_equal(v, again) && utf8_valid(text));
    assert(slice_eq(js_print(a, again), text));
}

/* Every member of the outermost value, and one level below, whose key can stand in a path. */
static void raw_is_the_value(struct arena *a, slice text, const struct js *v, const char *path, int depth)
{
    slice raw = js_raw(text, path);
    assert(raw.p && lies_within(raw, text));
    assert(js_equal(js_parse(a, raw, NULL), v) && js_at(js_parse(a, text, NULL), path));
    if (depth == 0)
        return;
    for (size_t i = 0; js_is_array(v) && i < js_len(v) && i < 4; i++)
        raw_is_the_value(a, text, js_item(v, i), arena_printf(a, "%s%s%zu", path, *path ? "." : "", i).p, depth - 1);
    int members = 0;
    for (void *it = js_first(v); it && members < 4; it = js_next(v, it), members++) {
        slice key = js_key(v, it);
        if (key.n && slice_find_char(key, '.') == SIZE_MAX)
            raw_is_the_value(a, text, js_value(it), arena_printf(a, "%s%s" SLF, path, *path ? "." : "", SLA(key)).p, depth - 1);
    }
}

static void reads_and_writes(struct arena *a, const struct js *v)
{
    struct doc d = { 0 }, back = { 0 };
    struct fault f = { 0 };
    if (!js_read(a, v, doc_fields, COUNT(doc_fields), &d, &f)) {
        assert(f.code && f.text[0]);
        return;
    }
    struct jw w = jw_new(a, SIZE_MAX / 4);
    jw_open(&w, NULL, '{');
    jw_fields(&w, doc_fields, COUNT(doc_fields), &d);
    jw_close(&w, '}');
    const struct js *written = js_parse(a, jw_done(&w), NULL);
    /* an item without text cannot come out of js_read, but an object of defaults is left out */
    assert(written && js_read(a, written, doc_fields, COUNT(doc_fields), &back, &f));
    assert(slice_eq(d.id, back.id) && d.count == back.count && d.on_ms == back.on_ms && d.items.n == back.items.n);
}

static void peer_agrees(struct arena *a, slice text, const struct js *ours, const struct fault *f)
{
    if (memchr(text.p, 0, text.n) || (f->code && strstr(f->text, "nested"))) /* there jansson is more lenient */
        return;
    json_t *theirs = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_ANY, NULL);
    assert(!ours == !theirs);
    if (!theirs)
        return;
    char *printed = json_dumps(theirs, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(17));
    assert(js_equal(ours, js_parse(a, slice_of(printed), NULL)));
    free(printed);
    json_decref(theirs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice text = slice_mem(data, size);
    static const char *const paths[] = { "", "a", "a.b", "0", "a.0.b", "id" };
    for (size_t i = 0; i < COUNT(paths); i++)
        assert(lies_within(js_raw(text, paths[i]), text));
    struct fault f = { 0 };
    const struct js *v = js_parse(a, text, &f);
    if (size)
        peer_agrees(a, text, v, &f);
    if (!v) {
        assert(f.code);
        return 0;
    }
    prints_the_same(a, v);
    raw_is_the_value(a, text, v, "", 2);
    reads_and_writes(a, v);
    struct jw w = jw_new(a, SIZE_MAX / 4);
    jw_str(&w, NULL, text);
    assert(slice_eq(js_text(js_parse(a, jw_done(&w), NULL)), utf8_repair(a, text)));
    return 0;
}
