#include "wire/js.h"
#include <jansson.h>

/* A struct js is a json_t that is never changed, counted or freed: everything jansson allocates during js_parse comes
 * from the arena of that call. */
static __thread struct arena *parse_arena;

static void *js_malloc(size_t n)
{
    assert(parse_arena); /* jansson is used nowhere else in this program */
    return arena_alloc(parse_arena, n);
}

static void js_free(void *p)
{
    (void)p; /* dies with its arena */
}

__attribute__((constructor)) static void js_use_arenas(void)
{
    json_set_alloc_funcs(js_malloc, js_free);
}

static json_t *jt(const struct js *v)
{
    return (json_t *)(uintptr_t)v;
}

static const struct js *js_of(const json_t *v)
{
    return (const struct js *)(const void *)v;
}

/* ---- parsing ---------------------------------------------------------------------------------------------------- */

/* p stands behind an opening quote; the result stands behind the closing one or at the end. */
static const char *after_string(const char *p, const char *end)
{
    for (; p < end && *p != '"'; p++)
        if (*p == '\\' && p + 1 < end)
            p++;
    return p < end ? p + 1 : end;
}

/* Is the text nested deeper than allowed? Broken text is left to the parser. */
static bool too_deep(slice text)
{
    const char *p = text.p, *end = text.p + text.n;
    int depth = 0;
    while (p < end) {
        char c = *p++;
        if (c == '"')
            p = after_string(p, end);
        else if ((c == '{' || c == '[') && ++depth > JS_DEPTH_MAX)
            return true;
        else if (c == '}' || c == ']')
            depth--;
    }
    return false;
}

static const struct js *bad(struct fault *f, const json_error_t *e)
{
    /* jansson quotes what it stumbled over; a fault never holds message text. */
    slice why = slice_of(e->text);
    size_t near = slice_find(why, SL(" near "));
    why = near == SIZE_MAX ? why : slice_sub(why, 0, near);
    (void)fault(f, "bad_json", "", "line %d, column %d: " SLF, e->line, e->column, SLA(why));
    return NULL;
}

const struct js *js_parse(struct arena *a, slice text, struct fault *f)
{
    if (text.n == 0)
        return (void)fault(f, "bad_json", "", "line 1, column 0: the text is empty"), NULL;
    /* jansson's reader loses a NUL that follows a number or a literal: "[1\0]" would be accepted. */
    if (memchr(text.p, 0, text.n))
        return (void)fault(f, "bad_json", "", "a NUL byte stands in the text"), NULL;
    if (too_deep(text))
        return (void)fault(f, "bad_json", "", "nested deeper than %d levels", JS_DEPTH_MAX), NULL;

    assert(!parse_arena);
    json_error_t e;
    parse_arena = a;
    json_t *v = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_ANY, &e);
    parse_arena = NULL;
    return v ? js_of(v) : bad(f, &e);
}

/* ---- looking ---------------------------------------------------------------------------------------------------- */

const struct js *js_get(const struct js *v, slice key)
{
    if (!v || !key.p)
        return NULL;
    return js_of(json_object_getn(jt(v), key.p, key.n));
}

const struct js *js_at(const struct js *v, const char *path)
{
    slice rest = slice_of(*path ? path : NULL);
    while (v && rest.p) {
        slice name = slice_cut(&rest, '.');
        int64_t i;
        if (js_is_array(v))
            v = slice_int(name, &i) && i >= 0 && name.p[0] != '-' ? js_item(v, (size_t)i) : NULL;
        else
            v = js_get(v, name);
    }
    return v;
}

slice js_text(const struct js *v)
{
    if (!js_is_string(v))
        return SLICE_NONE;
    return (slice){ json_string_value(jt(v)), json_string_length(jt(v)) };
}

bool js_int(const struct js *v, int64_t *ret)
{
    if (json_is_integer(jt(v))) {
        *ret = json_integer_value(jt(v));
        return true;
    }
    if (!json_is_real(jt(v)))
        return false;
    double d = json_real_value(jt(v));
    if (d < -0x1p63 || d >= 0x1p63)
        return false;
    int64_t whole = (int64_t)d;
    if ((double)whole < d || (double)whole > d)
        return false;
    *ret = whole;
    return true;
}

bool js_double(const struct js *v, double *ret)
{
    if (!json_is_number(jt(v)))
        return false;
    *ret = json_number_value(jt(v));
    return true;
}

bool js_true(const struct js *v)
{
    return json_is_true(jt(v));
}

bool js_is_null(const struct js *v)
{
    return json_is_null(jt(v));
}

bool js_is_object(const struct js *v)
{
    return json_is_object(jt(v));
}

bool js_is_array(const struct js *v)
{
    return json_is_array(jt(v));
}

bool js_is_string(const struct js *v)
{
    return json_is_string(jt(v));
}

bool js_is_bool(const struct js *v)
{
    return json_is_boolean(jt(v));
}

bool js_is_integer(const struct js *v)
{
    return json_is_integer(jt(v));
}

bool js_is_number(const struct js *v)
{
    return json_is_number(jt(v));
}

size_t js_len(const struct js *v)
{
    return js_is_array(v) ? json_array_size(jt(v)) : js_is_object(v) ? json_object_size(jt(v)) : 0;
}

const struct js *js_item(const struct js *v, size_t i)
{
    return js_of(json_array_get(jt(v), i));
}

/* jansson keeps an object's members in the order they were added (2.10 and later; a test holds us to it). */
void *js_first(const struct js *v)
{
    return json_object_iter(jt(v));
}

void *js_next(const struct js *v, void *it)
{
    return json_object_iter_next(jt(v), it);
}

slice js_key(const struct js *v, void *it)
{
    (void)v;
    return (slice){ json_object_iter_key(it), json_object_iter_key_len(it) };
}

const struct js *js_value(void *it)
{
    return js_of(json_object_iter_value(it));
}

/* ---- comparing -------------------------------------------------------------------------------------------------- */

static bool numbers_equal(const struct js *a, const struct js *b)
{
    int64_t i, j;
    if (js_int(a, &i) && js_int(b, &j)) /* -0.0 and 0 are the same number */
        return i == j;
    double x = json_number_value(jt(a)), y = json_number_value(jt(b));
    return json_is_real(jt(a)) && json_is_real(jt(b)) && !(x < y || x > y);
}

bool js_equal(const struct js *a, const struct js *b)
{
    if (a == b)
        return true;
    if (!a || !b)
        return false;
    if (js_is_number(a) && js_is_number(b))
        return numbers_equal(a, b);
    if (json_typeof(jt(a)) != json_typeof(jt(b)) || js_len(a) != js_len(b))
        return false;
    if (js_is_string(a))
        return slice_eq(js_text(a), js_text(b));
    for (size_t i = 0; js_is_array(a) && i < js_len(a); i++)
        if (!js_equal(js_item(a, i), js_item(b, i)))
            return false;
    for (void *it = js_first(a); it; it = js_next(a, it))
        if (!js_equal(js_value(it), js_get(b, js_key(a, it))))
            return false;
    return true;
}
