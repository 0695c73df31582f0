#include "tests/cases/compare.h"

enum { SHOWN_BYTES = 600, PRETTY_COLUMNS = 118, PRETTY_BYTES = 4 << 20 };

static slice shown(struct arena *a, const struct js *v)
{
    return v ? utf8_cut_bytes(js_print(a, v), SHOWN_BYTES) : SL("nothing");
}

static slice differ(struct arena *a, slice path, const struct js *want, const struct js *got)
{
    if (js_equal(want, got))
        return SLICE_NONE;
    slice deeper = SLICE_NONE;
    if (js_is_object(want) && js_is_object(got)) {
        for (void *it = js_first(want); it && !deeper.p; it = js_next(want, it))
            deeper = differ(a, arena_printf(a, SLF "." SLF, SLA(path), SLA(js_key(want, it))), js_value(it),
                            js_get(got, js_key(want, it)));
        for (void *it = js_first(got); it && !deeper.p; it = js_next(got, it))
            if (!js_get(want, js_key(got, it)))
                deeper = differ(a, arena_printf(a, SLF "." SLF, SLA(path), SLA(js_key(got, it))), NULL,
                                js_value(it));
    } else if (js_is_array(want) && js_is_array(got)) {
        for (size_t i = 0; i < MAX(js_len(want), js_len(got)) && !deeper.p; i++)
            deeper = differ(a, arena_printf(a, SLF "[%zu]", SLA(path), i), js_item(want, i), js_item(got, i));
    }
    if (deeper.p)
        return deeper;
    return arena_printf(a, "at %s" SLF ": want " SLF ", got " SLF, path.n ? "" : "the top", SLA(path),
                        SLA(shown(a, want)), SLA(shown(a, got)));
}

slice json_difference(struct arena *a, slice want, slice got)
{
    struct fault f = { 0 };
    const struct js *w = js_parse(a, want, &f);
    if (!w)
        return arena_printf(a, "the expectation is no JSON: %s", f.text);
    const struct js *g = js_parse(a, got, &f);
    if (!g)
        return arena_printf(a, "want JSON, got \"" SLF "\"", SLA(utf8_cut_bytes(got, SHOWN_BYTES)));
    return differ(a, SLICE_NONE, w, g);
}

static void put_pretty(struct text *t, struct arena *a, const struct js *v, size_t indent)
{
    slice flat = js_print(a, v);
    if (indent + flat.n <= PRETTY_COLUMNS || !js_len(v)) {
        text_put(t, flat);
        return;
    }
    bool object = js_is_object(v);
    void *it = object ? js_first(v) : NULL;
    text_char(t, object ? '{' : '[');
    for (size_t i = 0; i < js_len(v); i++) {
        text_add(t, "%s\n%*s", i ? "," : "", (int)indent + 1, "");
        if (object) {
            slice key = js_key(v, it);
            struct jw w = jw_new(a, key.n * 6 + 8);
            jw_str(&w, NULL, key);
            text_put(t, jw_done(&w));
            text_char(t, ':');
        }
        put_pretty(t, a, object ? js_value(it) : js_item(v, i), indent + 1);
        it = object ? js_next(v, it) : NULL;
    }
    text_char(t, object ? '}' : ']');
}

slice json_pretty(struct arena *a, slice json)
{
    struct fault f = { 0 };
    const struct js *v = js_parse(a, json, &f);
    if (!v)
        return json;
    struct text t = text_new(a, PRETTY_BYTES);
    put_pretty(&t, a, v, 0);
    return text_slice(&t);
}
