/* What a caller sees of a parsed value. */
#include "wire/js_value.h"

/* ---- looking ---------------------------------------------------------------------------------------------------- */

const struct js *js_get(const struct js *v, slice key)
{
    if (!js_is_object(v) || !key.p)
        return NULL;
    const struct js_members *m = v->v.members;
    if (!m->sorted) {
        for (uint32_t i = 0; i < v->n; i++)
            if (slice_eq(m->at[i].key, key))
                return &m->at[i].value;
        return NULL;
    }
    for (size_t low = 0, high = v->n; low < high;) {
        size_t middle = (low + high) / 2;
        int order = js_key_order(key, m->sorted[middle]->key);
        if (order == 0)
            return &m->sorted[middle]->value;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

const struct js *js_at(const struct js *v, const char *path)
{
    if (js_is_object(v) && *path && !strchr(path, '.')) /* mostly it is */
        return js_get(v, slice_of(path));
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
    return (slice){ v->v.text, v->n };
}

static bool is(const struct js *v, enum js_kind kind)
{
    return v && v->kind == kind;
}

bool js_int(const struct js *v, int64_t *ret)
{
    if (is(v, JS_INTEGER)) {
        *ret = v->v.integer;
        return true;
    }
    if (!is(v, JS_REAL))
        return false;
    double d = v->v.real;
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
    if (!js_is_number(v))
        return false;
    *ret = v->kind == JS_REAL ? v->v.real : (double)v->v.integer;
    return true;
}

bool js_true(const struct js *v)
{
    return is(v, JS_TRUE);
}

bool js_is_null(const struct js *v)
{
    return is(v, JS_NULL);
}

bool js_is_object(const struct js *v)
{
    return is(v, JS_OBJECT);
}

bool js_is_array(const struct js *v)
{
    return is(v, JS_ARRAY);
}

bool js_is_string(const struct js *v)
{
    return is(v, JS_STRING);
}

bool js_is_bool(const struct js *v)
{
    return is(v, JS_TRUE) || is(v, JS_FALSE);
}

bool js_is_integer(const struct js *v)
{
    return is(v, JS_INTEGER);
}

bool js_is_number(const struct js *v)
{
    return is(v, JS_INTEGER) || is(v, JS_REAL);
}

size_t js_len(const struct js *v)
{
    return js_is_array(v) || js_is_object(v) ? v->n : 0;
}

const struct js *js_item(const struct js *v, size_t i)
{
    return js_is_array(v) && i < v->n ? &v->v.items[i] : NULL;
}

/* An iterator is the member; they lie in document order. */
static void *iterator(const struct js *v, size_t i)
{
    return i < js_len(v) ? (void *)(uintptr_t)&v->v.members->at[i] : NULL;
}

void *js_first(const struct js *v)
{
    return js_is_object(v) ? iterator(v, 0) : NULL;
}

void *js_next(const struct js *v, void *it)
{
    return iterator(v, (size_t)((const struct js_member *)it - v->v.members->at) + 1);
}

slice js_key(const struct js *v, void *it)
{
    (void)v;
    return ((const struct js_member *)it)->key;
}

const struct js *js_value(void *it)
{
    return &((const struct js_member *)it)->value;
}

/* ---- comparing -------------------------------------------------------------------------------------------------- */

static bool numbers_equal(const struct js *a, const struct js *b)
{
    int64_t i, j;
    if (js_int(a, &i) && js_int(b, &j)) /* -0.0 and 0 are the same number */
        return i == j;
    return is(a, JS_REAL) && is(b, JS_REAL) && !(a->v.real < b->v.real || a->v.real > b->v.real);
}

bool js_equal(const struct js *a, const struct js *b)
{
    if (a == b)
        return true;
    if (!a || !b)
        return false;
    if (js_is_number(a) && js_is_number(b))
        return numbers_equal(a, b);
    if (a->kind != b->kind || js_len(a) != js_len(b))
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

/* ---- lists ------------------------------------------------------------------------------------------------------ */

void *list_add(struct arena *a, struct js_list *l, size_t item_size)
{
    l->items = arena_grow(a, l->items, l->n * item_size, (l->n + 1) * item_size);
    void *item = (char *)l->items + l->n * item_size;
    l->n++;
    return memset(item, 0, item_size);
}
