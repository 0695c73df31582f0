#include "wire/js.h"
#include "wire/js_number.h"
#include "wire/js_plain.h"

struct jw jw_new(struct arena *a, size_t max_bytes)
{
    return (struct jw){ .t = text_new(a, max_bytes) };
}

slice jw_done(struct jw *w)
{
    return w->t.over ? SLICE_NONE : text_slice(&w->t);
}

/* ---- strings ----------------------------------------------------------------------------------------------------- */

/* Only what RFC 8259 demands is escaped: 1 short escape, 2 as \u00XX. */
/* clang-format off */
static const unsigned char escapes[256] = {
    2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 1, 1, 2, 2, /* \b \t \n \f \r */
    2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2,
    ['"'] = 1, ['\\'] = 1,
};
/* clang-format on */

static char *put_escape(char *p, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    *p++ = '\\';
    if (escapes[c] == 2) {
        memcpy(p, "u00", 3);
        p[3] = hex[c >> 4];
        p[4] = hex[c & 15];
        return p + 5;
    }
    *p++ = c == '\b' ? 'b' : c == '\f' ? 'f' : c == '\n' ? 'n' : c == '\r' ? 'r' : c == '\t' ? 't' : (char)c;
    return p;
}

static void put_escaped(struct text *t, slice s)
{
    s = utf8_repair(t->a, s);
    size_t extra = 0;
    for (size_t i = 0; i < s.n; i++)
        extra += escapes[(unsigned char)s.p[i]] ? escapes[(unsigned char)s.p[i]] * 4u - 3u : 0; /* 1 or 5 */

    char *p = text_room(t, s.n + extra + 2);
    if (!p)
        return;
    char *from = p;
    *p++ = '"';
    for (size_t i = 0; i < s.n; i++) {
        if (escapes[(unsigned char)s.p[i]])
            p = put_escape(p, (unsigned char)s.p[i]);
        else
            *p++ = s.p[i];
    }
    *p++ = '"';
    t->n += (size_t)(p - from);
}

/* With what stands before it: nothing or a comma, and behind it: nothing or a colon. */
static void put_string(struct text *t, slice before, slice s, slice behind)
{
    if (!s.n || !js_is_plain(s)) {
        text_put(t, before);
        put_escaped(t, s);
        text_put(t, behind);
        return;
    }
    char *p = text_room(t, before.n + s.n + 2 + behind.n);
    if (!p)
        return;
    t->n += before.n + s.n + 2 + behind.n;
    if (before.n)
        *p++ = before.p[0];
    *p++ = '"';
    memcpy(p, s.p, s.n);
    p += s.n;
    *p++ = '"';
    if (behind.n)
        *p = behind.p[0];
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

static void put_char(struct text *t, char c)
{
    char *p = text_room(t, 1);
    if (p) {
        *p = c;
        t->n++;
    }
}

/* What stands before every value: the comma after its predecessor, and its key. */
static void begin(struct jw *w, const char *key)
{
    if (key) {
        jw_key(w, slice_of(key));
    } else if (w->comma) {
        put_char(&w->t, ',');
    }
    w->comma = true;
}

void jw_key(struct jw *w, slice key)
{
    put_string(&w->t, w->comma ? SL(",") : SLICE_NONE, key, SL(":"));
    w->comma = false; /* the value follows */
}

void jw_open(struct jw *w, const char *key, char bracket)
{
    assert(bracket == '{' || bracket == '[');
    begin(w, key);
    put_char(&w->t, bracket);
    w->comma = false;
}

void jw_close(struct jw *w, char bracket)
{
    assert(bracket == '}' || bracket == ']');
    put_char(&w->t, bracket);
    w->comma = true;
}

void jw_str(struct jw *w, const char *key, slice s)
{
    bool comma = w->comma && !key;
    if (key)
        jw_key(w, slice_of(key));
    put_string(&w->t, comma ? SL(",") : SLICE_NONE, s, SLICE_NONE);
    w->comma = true;
}

void jw_opt(struct jw *w, const char *key, slice s)
{
    if (s.n)
        jw_str(w, key, s);
}

static void put_literal(struct jw *w, const char *key, slice text)
{
    begin(w, key);
    text_put(&w->t, text);
}

void jw_int(struct jw *w, const char *key, int64_t v)
{
    char buf[JS_NUMBER_BYTES];
    put_literal(w, key, slice_mem(buf, js_integer_print(v, buf)));
}

void jw_double(struct jw *w, const char *key, double v)
{
    char buf[JS_NUMBER_BYTES];
    put_literal(w, key, slice_mem(buf, js_number_print(v, false, buf)));
}

void jw_bool(struct jw *w, const char *key, bool v)
{
    put_literal(w, key, v ? SL("true") : SL("false"));
}

void jw_null(struct jw *w, const char *key)
{
    put_literal(w, key, SL("null"));
}

void jw_raw(struct jw *w, const char *key, slice json)
{
    put_literal(w, key, json.n ? json : SL("null"));
}

void jw_time(struct jw *w, const char *key, int64_t ms)
{
    char buf[TIME_RFC3339_BYTES];
    time_rfc3339_buf(ms, buf);
    jw_str(w, key, slice_mem(buf, TIME_RFC3339_BYTES - 1));
}

static void put_number(struct jw *w, const struct js *v)
{
    char buf[JS_NUMBER_BYTES];
    int64_t i = 0;
    double d = 0;
    size_t n = 0;
    if (js_is_integer(v) && js_int(v, &i))
        n = js_integer_print(i, buf);
    else if (js_double(v, &d))
        n = js_number_print(d, true, buf);
    put_literal(w, NULL, slice_mem(buf, n));
}

/* A value behind its key; recursion is bounded by JS_DEPTH_MAX. */
static void put_value(struct jw *w, const struct js *v)
{
    if (js_is_object(v)) {
        jw_open(w, NULL, '{');
        for (void *it = js_first(v); it; it = js_next(v, it)) {
            jw_key(w, js_key(v, it));
            put_value(w, js_value(it));
        }
        jw_close(w, '}');
    } else if (js_is_array(v)) {
        jw_open(w, NULL, '[');
        for (size_t i = 0; i < js_len(v); i++)
            put_value(w, js_item(v, i));
        jw_close(w, ']');
    } else if (js_is_string(v)) {
        jw_str(w, NULL, js_text(v));
    } else if (js_is_number(v)) {
        put_number(w, v);
    } else if (js_is_bool(v)) {
        jw_bool(w, NULL, js_true(v));
    } else {
        jw_null(w, NULL);
    }
}

void jw_value(struct jw *w, const char *key, const struct js *v)
{
    if (key)
        jw_key(w, slice_of(key));
    put_value(w, v);
}

slice js_print(struct arena *a, const struct js *v)
{
    struct jw w = jw_new(a, SIZE_MAX / 4); /* as long as the text it was parsed from, give or take its escapes */
    put_value(&w, v);
    return jw_done(&w);
}

/* ---- by table ---------------------------------------------------------------------------------------------------- */

static void put_slice(struct jw *w, const char *key, slice s, bool always)
{
    if (s.p || always)
        jw_str(w, key, s);
}

static void put_int(struct jw *w, const char *key, int64_t v, bool always)
{
    if (v || always)
        jw_int(w, key, v);
}

/* An object without members is taken back, comma and key included. */
static void put_object(struct jw *w, const struct js_field *t, const void *from, bool always)
{
    size_t start = w->t.n;
    bool comma = w->comma;
    jw_open(w, t->path, '{');
    size_t inside = w->t.n;
    jw_fields(w, t->sub, t->n_sub, from);
    if (w->t.n == inside && !always && !w->t.over) {
        w->t.n = start;
        w->comma = comma;
        return;
    }
    jw_close(w, '}');
}

static void put_list(struct jw *w, const struct js_field *t, const struct js_list *list, bool always)
{
    if (!list->n && !always)
        return;
    bool pairs = t->type == JS_PAIRS;
    jw_open(w, t->path, pairs ? '{' : '[');
    for (size_t i = 0; i < list->n; i++) {
        if (pairs) {
            const struct js_pair *pair = (const struct js_pair *)list->items + i;
            jw_key(w, pair->key);
            jw_str(w, NULL, pair->value);
        } else if (t->type == JS_STRLIST) {
            jw_str(w, NULL, ((const slice *)list->items)[i]);
        } else {
            jw_open(w, NULL, '{');
            jw_fields(w, t->sub, t->n_sub, (const char *)list->items + i * t->size);
            jw_close(w, '}');
        }
    }
    jw_close(w, pairs ? '}' : ']');
}

static void put_field(struct jw *w, const struct js_field *t, const void *from)
{
    bool always = t->flags & JS_ZERO;
    switch (t->type) {
    case JS_STR:
    case JS_TEXTNUM:
        put_slice(w, t->path, *(const slice *)from, always);
        return;
    case JS_I64:
        put_int(w, t->path, *(const int64_t *)from, always);
        return;
    case JS_F64:
        if (*(const double *)from < 0 || *(const double *)from > 0 || always)
            jw_double(w, t->path, *(const double *)from);
        return;
    case JS_BOOL:
        if (*(const bool *)from || always)
            jw_bool(w, t->path, *(const bool *)from);
        return;
    case JS_SECS:
        put_int(w, t->path, *(const int64_t *)from / 1000, always);
        return;
    case JS_TIME:
        if (*(const int64_t *)from || always)
            jw_time(w, t->path, *(const int64_t *)from);
        return;
    case JS_ENUM: {
        int i = *(const int *)from;
        if (i >= 0 && (size_t)i < t->n_names && t->names[i])
            jw_str(w, t->path, slice_of(t->names[i]));
        return;
    }
    case JS_ANY:
        if (*(const struct js *const *)from || always)
            jw_value(w, t->path, *(const struct js *const *)from);
        return;
    case JS_RAW:
        if (((const slice *)from)->n || always)
            jw_raw(w, t->path, *(const slice *)from);
        return;
    case JS_OBJ:
        put_object(w, t, from, always);
        return;
    case JS_LIST:
    case JS_STRLIST:
    case JS_PAIRS:
        put_list(w, t, from, always);
        return;
    }
    assert(false); /* not a value of enum js_type */
}

void jw_fields(struct jw *w, const struct js_field *t, size_t n, const void *from)
{
    for (size_t i = 0; i < n; i++) {
        assert(!strchr(t[i].path, '.'));
        put_field(w, &t[i], (const char *)from + t[i].off);
    }
}
