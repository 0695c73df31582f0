/* What was read, written again as a form, reads as the same: names without brackets of their own, and no object or array is empty. */
#include "fuzz/fuzz.h"
#include "wire/bracket.h"
#include "wire/url.h"

static bool plain;

static void write_form(struct arena *a, struct text *t, const struct js *v, slice name)
{
    if (js_is_string(v)) {
        form_add(t, name, js_text(v));
        return;
    }
    for (size_t i = 0; js_is_array(v) && i < js_len(v); i++)
        write_form(a, t, js_item(v, i), arena_printf(a, SLF "[%zu]", SLA(name), i));
    for (void *it = js_is_object(v) ? js_first(v) : NULL; it; it = js_next(v, it)) {
        slice key = js_key(v, it);
        plain &= key.n > 0 && slice_find_char(key, '[') == SIZE_MAX && slice_find_char(key, ']') == SIZE_MAX && slice_find_char(key, 0) == SIZE_MAX;
        write_form(a, t, js_value(it), name.p ? arena_join(a, name, SL("["), arena_join(a, key, SL("]"), SL(""))) : key);
    }
    plain &= js_len(v) > 0 || !name.p;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct fault f = { 0 };
    const struct js *doc = bracket_parse(a, slice_mem(data, size), &f);
    if (!doc) {
        assert(f.code);
        return 0;
    }
    assert(js_is_object(doc));
    struct text t = text_new(a, size * 64 + 4096);
    plain = true;
    write_form(a, &t, doc, SLICE_NONE);
    if (!plain || t.over)
        return 0;
    const struct js *again = bracket_parse(a, text_slice(&t), &f);
    assert(again && js_equal(doc, again));
    return 0;
}
