#include "api/schema.h"

const struct schema *schema_find(const char *name)
{
    for (size_t i = 0; name && i < n_schemas; i++)
        if (strcmp(schemas[i].name, name) == 0)
            return &schemas[i];
    return NULL;
}

void problem_add(struct problems *p, slice field, const char *fmt, ...)
{
    if (p->n == PROBLEMS_MAX)
        return;
    va_list ap;
    va_start(ap, fmt);
    p->items[p->n++] = (struct problem_item){ arena_dup(p->a, field), arena_vprintf(p->a, fmt, ap) };
    va_end(ap);
}

/* ---- checking -------------------------------------------------------------------------------------------------------- */

static bool check_text(const struct member *m, const struct js *v, slice path, struct problems *p)
{
    slice text = js_text(v);
    bool bytes = m->flags & S_BYTES;
    int64_t max = m->max ? m->max : SCHEMA_TEXT_MAX, n = (int64_t)(bytes ? text.n : utf8_len(text));
    if (!js_is_string(v)) {
        problem_add(p, path, "must be a text");
        return false;
    }
    if (slice_find_char(text, 0) != SIZE_MAX) { /* no address and no cursor could name it, PostgreSQL would not keep it */
        problem_add(p, path, "must not hold the character U+0000");
        return false;
    }
    if (n < m->min || n > max) {
        if (text.n == 0)
            problem_add(p, path, "must not be empty");
        else
            problem_add(p, path, "must have %lld to %lld %s", (long long)m->min, (long long)max, bytes ? "bytes" : "characters");
        return false;
    }
    for (const char *const *c = m->choices; c && *c; c++)
        if (slice_eq(text, slice_of(*c)))
            return true;
    if (!m->choices)
        return true;
    struct text list = text_new(p->a, 1024);
    for (const char *const *c = m->choices; *c; c++)
        text_add(&list, "%s%s", list.n ? ", " : "", *c);
    problem_add(p, path, "must be one of: " SLF, SLA(text_slice(&list)));
    return false;
}

static bool check_whole(const struct member *m, const struct js *v, slice path, struct problems *p)
{
    int64_t n;
    if (!js_is_number(v) || !js_int(v, &n)) {
        problem_add(p, path, "must be a whole number");
        return false;
    }
    if ((m->min || m->max) && (n < m->min || n > m->max)) {
        problem_add(p, path, "must be between %lld and %lld", (long long)m->min, (long long)m->max);
        return false;
    }
    return true;
}

static bool check_list(const struct member *m, const struct js *v, slice path, struct problems *p)
{
    size_t max = m->max ? (size_t)m->max : SCHEMA_ITEMS_MAX;
    if (!js_is_array(v)) {
        problem_add(p, path, "must be a list");
        return false;
    }
    if (js_len(v) < (size_t)m->min || js_len(v) > max) {
        problem_add(p, path, "must have %lld to %zu items", (long long)m->min, max);
        return false;
    }
    static const struct member whole = { .type = S_WHOLE };
    const struct member text = { .type = S_TEXT, .choices = m->choices };
    bool ok = true;
    for (size_t i = 0; i < js_len(v); i++) {
        const struct js *item = js_item(v, i);
        slice at = arena_printf(p->a, SLF "[%zu]", SLA(path), i);
        if (m->type == S_LIST)
            ok &= schema_check(schema_find(m->of), item, at, p);
        else if (m->type == S_TEXTS)
            ok &= check_text(&text, item, at, p);
        else if (m->type == S_WHOLES)
            ok &= check_whole(&whole, item, at, p);
    }
    return ok;
}

static bool check_pairs(const struct member *m, const struct js *v, slice path, struct problems *p)
{
    size_t max = m->max ? (size_t)m->max : SCHEMA_ITEMS_MAX;
    if (js_is_object(v) && js_len(v) > max) {
        problem_add(p, path, "must have at most %zu members", max);
        return false;
    }
    bool ok = js_is_object(v);
    for (void *it = ok ? js_first(v) : NULL; it; it = js_next(v, it))
        ok &= js_is_string(js_value(it)) && slice_find_char(js_text(js_value(it)), 0) == SIZE_MAX;
    if (!ok)
        problem_add(p, path, "must be an object of texts, without the character U+0000");
    return ok;
}

static bool check_member(const struct member *m, const struct js *v, slice path, struct problems *p)
{
    int64_t ms;
    double d;
    if (js_is_null(v) && (m->flags & S_NULLABLE))
        return true;
    switch (m->type) {
    case S_TEXT: return check_text(m, v, path, p);
    case S_WHOLE: return check_whole(m, v, path, p);
    case S_OBJECT: return schema_check(schema_find(m->of), v, path, p);
    case S_LIST:
    case S_TEXTS:
    case S_WHOLES:
    case S_OWNS: return check_list(m, v, path, p);
    case S_PAIRS: return check_pairs(m, v, path, p);
    case S_NUMBER:
        if (js_double(v, &d))
            return true;
        problem_add(p, path, "must be a number");
        return false;
    case S_BOOL:
        if (js_is_bool(v))
            return true;
        problem_add(p, path, "must be true or false");
        return false;
    case S_TIME:
        if (js_is_string(v) && time_parse_rfc3339(js_text(v), &ms))
            return true;
        problem_add(p, path, "must be a time such as 2026-03-04T05:06:07Z");
        return false;
    case S_OWN:
        if (js_is_object(v))
            return true;
        problem_add(p, path, "must be an object");
        return false;
    case S_ANY: return true;
    }
    return true;
}

static const struct member *member_find(const struct schema *s, slice name)
{
    for (size_t i = 0; i < s->n; i++)
        if (slice_eq(slice_of(s->members[i].name), name))
            return &s->members[i];
    return NULL;
}

static slice path_of(struct arena *a, slice path, slice name)
{
    enum { NAME_SHOWN = 64 };
    name = utf8_cut_bytes(name, NAME_SHOWN);
    return path.n ? arena_printf(a, SLF "." SLF, SLA(path), SLA(name)) : name;
}

bool schema_check(const struct schema *s, const struct js *v, slice path, struct problems *p)
{
    assert(s); /* a table names only what there is: schema_test.c */
    if (!js_is_object(v)) {
        problem_add(p, path, "must be an object");
        return false;
    }
    bool ok = true;
    for (void *it = js_first(v); it; it = js_next(v, it)) {
        const struct member *m = member_find(s, js_key(v, it));
        slice at = path_of(p->a, path, js_key(v, it));
        if (m) {
            ok &= check_member(m, js_value(it), at, p);
        } else if (!s->open) {
            problem_add(p, at, "there is no such member");
            ok = false;
        }
    }
    for (size_t i = 0; i < s->n; i++) {
        const struct member *m = &s->members[i];
        if (!(m->flags & S_REQUIRED) || js_get(v, slice_of(m->name)))
            continue;
        problem_add(p, path_of(p->a, path, slice_of(m->name)), "is missing%s%s", m->help ? ": " : "", m->help ? m->help : "");
        ok = false;
    }
    return ok;
}

bool schema_fits(struct arena *a, const char *name, const struct js *v, struct fault *f)
{
    struct problems p = { .a = a };
    return schema_check(schema_find(name), v, SLICE_NONE, &p) || fault(f, "invalid", arena_cstr(a, p.items[0].field), SLF, SLA(p.items[0].message));
}

bool schema_is_optional(const struct schema *s)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->members[i].flags & S_REQUIRED)
            return false;
    return true;
}

/* ---- writing --------------------------------------------------------------------------------------------------------- */

static const char *const type_words[] = {
    [S_TEXT] = "string", [S_WHOLE] = "integer", [S_NUMBER] = "number", [S_BOOL] = "boolean", [S_TIME] = "string", [S_OBJECT] = "object",
    [S_LIST] = "array",  [S_TEXTS] = "array",   [S_WHOLES] = "array",  [S_PAIRS] = "object", [S_OWNS] = "array",
};

static void write_type(struct jw *w, const struct member *m)
{
    if (m->type == S_ANY)
        return;
    if (!(m->flags & S_NULLABLE)) {
        jw_str(w, "type", slice_of(type_words[m->type]));
        return;
    }
    jw_open(w, "type", '[');
    jw_str(w, NULL, slice_of(type_words[m->type]));
    jw_str(w, NULL, SL("null"));
    jw_close(w, ']');
}

static void write_ref(struct jw *w, const char *name)
{
    char ref[128];
    snprintf(ref, sizeof(ref), "#/components/schemas/%s", name);
    jw_str(w, "$ref", slice_of(ref));
}

static void write_range(struct jw *w, const struct member *m, bool checked)
{
    static const char *const words[][2] = {
        [S_TEXT] = { "minLength", "maxLength" }, [S_WHOLE] = { "minimum", "maximum" },   [S_PAIRS] = { "minProperties", "maxProperties" },
        [S_LIST] = { "minItems", "maxItems" },   [S_TEXTS] = { "minItems", "maxItems" }, [S_WHOLES] = { "minItems", "maxItems" }, [S_OWNS] = { "minItems", "maxItems" },
    };
    if ((size_t)m->type >= COUNT(words) || !words[m->type][0])
        return;
    int64_t otherwise = !checked || m->type == S_WHOLE ? 0 : m->type == S_TEXT ? SCHEMA_TEXT_MAX : SCHEMA_ITEMS_MAX;
    if (m->min || (m->type == S_WHOLE && m->max))
        jw_int(w, words[m->type][0], m->min);
    if (m->max || otherwise)
        jw_int(w, words[m->type][1], m->max ? m->max : otherwise);
}

static void write_choices(struct jw *w, const struct member *m)
{
    if (!m->choices)
        return;
    jw_open(w, "enum", '[');
    for (const char *const *c = m->choices; *c; c++)
        jw_str(w, NULL, slice_of(*c));
    jw_close(w, ']');
}

static void write_items(struct jw *w, const struct member *m, bool checked)
{
    jw_open(w, m->type == S_PAIRS ? "additionalProperties" : "items", '{');
    if (m->of)
        write_ref(w, m->of);
    else
        jw_str(w, "type", m->type == S_WHOLES ? SL("integer") : SL("string"));
    if (m->type == S_TEXTS && checked)
        jw_int(w, "maxLength", SCHEMA_TEXT_MAX);
    if (m->type == S_TEXTS)
        write_choices(w, m);
    jw_close(w, '}');
}

/* What it is, and how its length is counted where that is not what JSON Schema says. */
static void write_help(struct jw *w, const struct member *m)
{
    char text[512];
    snprintf(text, sizeof(text), "%s%sIts length is in bytes of UTF-8", m->help ? m->help : "", m->help ? ". " : "");
    jw_opt(w, "description", m->flags & S_BYTES ? slice_of(text) : slice_of(m->help));
}

static void write_member(struct jw *w, const struct member *m, bool checked)
{
    jw_open(w, m->name, '{');
    if (m->type == S_OBJECT || m->type == S_OWN) {
        if (m->flags & S_NULLABLE) {
            jw_open(w, "anyOf", '[');
            jw_open(w, NULL, '{');
            write_ref(w, m->of);
            jw_close(w, '}');
            jw_open(w, NULL, '{');
            jw_str(w, "type", SL("null"));
            jw_close(w, '}');
            jw_close(w, ']');
        } else {
            write_ref(w, m->of);
        }
    } else {
        write_type(w, m);
    }
    if (m->type == S_TIME)
        jw_str(w, "format", SL("date-time"));
    if (m->type == S_LIST || m->type == S_TEXTS || m->type == S_WHOLES || m->type == S_OWNS || m->type == S_PAIRS)
        write_items(w, m, checked);
    write_range(w, m, checked);
    if (m->type == S_TEXT)
        write_choices(w, m);
    if (m->flags & S_WRITE)
        jw_bool(w, "writeOnly", true);
    write_help(w, m);
    jw_close(w, '}');
}

void schema_write(struct jw *w, const char *key, const struct schema *s, bool checked)
{
    bool required = false;
    jw_open(w, key, '{');
    jw_str(w, "type", SL("object"));
    jw_opt(w, "description", slice_of(s->help));
    jw_open(w, "properties", '{');
    for (size_t i = 0; i < s->n; i++) {
        write_member(w, &s->members[i], checked);
        required |= s->members[i].flags & S_REQUIRED;
    }
    jw_close(w, '}');
    if (checked && !s->open)
        jw_bool(w, "additionalProperties", false);
    if (required) {
        jw_open(w, "required", '[');
        for (size_t i = 0; i < s->n; i++)
            if (s->members[i].flags & S_REQUIRED)
                jw_str(w, NULL, slice_of(s->members[i].name));
        jw_close(w, ']');
    }
    jw_close(w, '}');
}
