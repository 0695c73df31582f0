/* js_read: a table says which members go where. A fault carries the whole path from the value that was read. */
#include "wire/js.h"
#include <math.h>

#define SECS_MAX (TIME_MAX_MS / 1000)

/* Where we are: a chain on the stack from the innermost to the outermost, printed only when something is wrong. */
struct spot {
    const struct spot *up;
    slice name;   /* a path of the table or a key; absent: an item */
    size_t index; /* of an item */
};
struct reader {
    struct arena *a;
    struct fault *f;
};

static void spot_print(const struct spot *at, struct text *t)
{
    if (!at)
        return;
    spot_print(at->up, t);
    if (!at->name.p)
        text_add(t, "[%zu]", at->index);
    else
        text_add(t, "%s" SLF, t->n ? "." : "", SLA(at->name));
}

static bool wrong(const struct reader *r, const struct spot *at, const char *code, const char *why)
{
    if (!r->f)
        return false;
    struct text path = text_new(r->a, sizeof(r->f->field) * 4);
    spot_print(at, &path);
    return fault(r->f, code, arena_cstr(r->a, text_slice(&path)), "%s", why);
}

static bool wrong_type(const struct reader *r, const struct spot *at, const char *want)
{
    return wrong(r, at, "wrong_type", arena_printf(r->a, "must be %s", want).p);
}

static bool read_table(const struct reader *r, const struct spot *at, const struct js *v, const struct js_field *t,
                       size_t n, char *into);

/* ---- one value by its type --------------------------------------------------------------------------------------- */

static bool read_int(const struct reader *r, const struct spot *at, const struct js *v, int64_t *ret)
{
    double d;
    if (js_int(v, ret))
        return true;
    if (js_double(v, &d) && fabs(d) >= 0x1p63)
        return wrong(r, at, "out_of_range", "the number is too large");
    return wrong_type(r, at, "a whole number");
}

static bool read_secs(const struct reader *r, const struct spot *at, const struct js *v, int64_t *ret)
{
    int64_t whole;
    double d;
    if (js_int(v, &whole)) {
        if (whole < 0 || whole > SECS_MAX)
            return wrong(r, at, "out_of_range", "must be seconds within the years 1970 to 9999");
        *ret = whole * 1000;
        return true;
    }
    if (!js_double(v, &d))
        return wrong_type(r, at, "a number of seconds");
    if (d < 0 || d >= (double)(SECS_MAX + 1))
        return wrong(r, at, "out_of_range", "must be seconds within the years 1970 to 9999");
    *ret = MIN((int64_t)(d * 1000 + 0.5), TIME_MAX_MS);
    return true;
}

static bool read_time(const struct reader *r, const struct spot *at, const struct js *v, int64_t *ret)
{
    if (!js_is_string(v))
        return wrong_type(r, at, "a time as text, such as 2026-03-04T05:06:07.890Z");
    if (!time_parse_rfc3339(js_text(v), ret))
        return wrong(r, at, "out_of_range", "must be a time within the years 1970 to 9999, such as 2026-03-04T05:06:07.890Z");
    return true;
}

static bool read_enum(const struct reader *r, const struct spot *at, const struct js *v, const struct js_field *t, int *ret)
{
    if (!js_is_string(v))
        return wrong_type(r, at, "a string");
    struct text names = text_new(r->a, sizeof(r->f->text));
    for (size_t i = 0; i < t->n_names; i++) {
        if (!t->names[i])
            continue;
        if (slice_eq(js_text(v), slice_of(t->names[i]))) {
            *ret = (int)i;
            return true;
        }
        text_add(&names, "%s%s", names.n ? ", " : "", t->names[i]);
    }
    return wrong(r, at, "out_of_range", arena_printf(r->a, "must be one of " SLF, SLA(text_slice(&names))).p);
}

static bool read_list(const struct reader *r, const struct spot *at, const struct js *v, const struct js_field *t,
                      struct js_list *ret)
{
    if (!js_is_array(v))
        return wrong_type(r, at, "an array");
    size_t n = js_len(v);
    char *items = arena_zalloc(r->a, n * t->size);
    for (size_t i = 0; i < n; i++) {
        struct spot here = { at, SLICE_NONE, i };
        if (!read_table(r, &here, js_item(v, i), t->sub, t->n_sub, items + i * t->size))
            return false;
    }
    *ret = (struct js_list){ items, n };
    return true;
}

static bool read_strings(const struct reader *r, const struct spot *at, const struct js *v, struct js_list *ret)
{
    if (!js_is_array(v))
        return wrong_type(r, at, "an array of strings");
    size_t n = js_len(v);
    slice *items = ARENA_ARRAY(r->a, slice, n);
    for (size_t i = 0; i < n; i++) {
        struct spot here = { at, SLICE_NONE, i };
        items[i] = js_text(js_item(v, i));
        if (!items[i].p)
            return wrong_type(r, &here, "a string");
    }
    *ret = (struct js_list){ items, n };
    return true;
}

static bool read_pairs(const struct reader *r, const struct spot *at, const struct js *v, unsigned flags,
                       struct js_list *ret)
{
    if (!js_is_object(v))
        return wrong_type(r, at, "an object of strings");
    struct js_pair *pairs = ARENA_ARRAY(r->a, struct js_pair, js_len(v));
    size_t n = 0;
    for (void *it = js_first(v); it; it = js_next(v, it)) {
        struct spot here = { at, js_key(v, it), 0 };
        if (js_is_null(js_value(it)) && !(flags & JS_STRICT))
            continue;
        if (!js_is_string(js_value(it)))
            return wrong_type(r, &here, "a string");
        pairs[n++] = (struct js_pair){ here.name, js_text(js_value(it)) };
    }
    *ret = (struct js_list){ pairs, n };
    return true;
}

static bool read_value(const struct reader *r, const struct spot *at, const struct js *v, const struct js_field *t,
                       void *to)
{
    switch (t->type) {
    case JS_STR:
        if (!js_is_string(v))
            return wrong_type(r, at, "a string");
        *(slice *)to = js_text(v);
        return true;
    case JS_TEXTNUM:
        if (!js_is_string(v) && !js_is_integer(v))
            return wrong_type(r, at, "a string or a whole number");
        *(slice *)to = js_is_string(v) ? js_text(v) : js_print(r->a, v);
        return true;
    case JS_I64:
        return read_int(r, at, v, to);
    case JS_F64:
        return js_double(v, to) || wrong_type(r, at, "a number");
    case JS_BOOL:
        if (!js_is_bool(v))
            return wrong_type(r, at, "true or false");
        *(bool *)to = js_true(v);
        return true;
    case JS_SECS:
        return read_secs(r, at, v, to);
    case JS_TIME:
        return read_time(r, at, v, to);
    case JS_ENUM:
        return read_enum(r, at, v, t, to);
    case JS_ANY:
        *(const struct js **)to = v;
        return true;
    case JS_RAW:
        *(slice *)to = js_print(r->a, v);
        return true;
    case JS_OBJ:
        return read_table(r, at, v, t->sub, t->n_sub, to);
    case JS_LIST:
        return read_list(r, at, v, t, to);
    case JS_STRLIST:
        return read_strings(r, at, v, to);
    case JS_PAIRS:
        return read_pairs(r, at, v, t->flags, to);
    }
    assert(false); /* not a value of enum js_type */
    return false;
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

static bool read_table(const struct reader *r, const struct spot *at, const struct js *v, const struct js_field *t,
                       size_t n, char *into)
{
    if (!js_is_object(v))
        return v ? wrong_type(r, at, "an object") : wrong(r, at, "missing_field", "must be an object");
    for (size_t i = 0; i < n; i++) {
        struct spot here = { at, slice_of(t[i].path), 0 };
        const struct js *value = js_at(v, t[i].path);
        bool null = js_is_null(value);
        if (value && !(null && !(t[i].flags & JS_STRICT))) {
            if (null ? !wrong(r, &here, "wrong_type", "must not be null") : !read_value(r, &here, value, &t[i], into + t[i].off))
                return false;
        } else if (t[i].flags & JS_REQ) {
            return wrong(r, &here, "missing_field", "is required");
        }
    }
    return true;
}

bool js_read(struct arena *a, const struct js *v, const struct js_field *t, size_t n, void *into, struct fault *f)
{
    struct reader r = { a, f };
    return read_table(&r, NULL, v, t, n, into);
}
