#include "wire/js_shape.h"

enum { PATH_MAX_BYTES = 1024 };
struct shape_path { /* a list on the stack, from the member to its document */
    const struct shape_path *up;
    slice name; /* a member; absent: item i */
    size_t i;
};
struct shaping {
    struct arena *a;
    struct fault *f;
};

/* ---- where ------------------------------------------------------------------------------------------------------------ */

static size_t path_put(const struct shape_path *at, char *buf, size_t n)
{
    size_t used = at->up ? path_put(at->up, buf, n) : 0;
    int more = at->name.p ? snprintf(buf + used, n - used, "%s" SLF, used && at->name.n ? "." : "", SLA(utf8_cut_bytes(at->name, 100)))
                          : snprintf(buf + used, n - used, "[%zu]", at->i);
    return more > 0 && (size_t)more < n - used ? used + (size_t)more : used;
}

bool shape_fault(struct fault *f, const char *code, const struct shape_path *at, const char *member, const char *fmt, ...)
{
    char path[PATH_MAX_BYTES] = "", text[sizeof(f->text)];
    const struct shape_path last = { at, slice_of(member), 0 };
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    size_t n = path_put(member ? &last : at, path, sizeof(path)), room = f ? sizeof(f->field) - 1 : 0;
    slice shown = slice_mem(path, n);
    if (n > room) { /* its end says more: from a whole step on */
        shown = slice_from(shown, n - room);
        size_t dot = slice_find_char(shown, '.');
        shown = slice_from(shown, dot == SIZE_MAX ? 0 : dot + 1);
    }
    char field[PATH_MAX_BYTES];
    snprintf(field, sizeof(field), SLF, SLA(shown));
    return fault(f, code, field, "%s", text);
}

/* ---- values ------------------------------------------------------------------------------------------------------------ */

static size_t units(slice s, unsigned flags)
{
    return flags & SHAPE_CHARS ? utf8_len(s) : utf16_len(s);
}

static bool has_word(const char *words, slice word)
{
    for (slice rest = slice_of(words); rest.p && rest.n;)
        if (slice_eq_nocase(slice_cut(&rest, ' '), word))
            return true;
    return false;
}

static bool in_range(struct shaping *s, const struct shape_member *m, const struct shape_path *at, int64_t n, const char *unit)
{
    if ((!m->min && !m->max) || (n >= m->min && n <= m->max))
        return true;
    if (m->min == m->max)
        return shape_fault(s->f, "out_of_range", at, NULL, "must have %lld%s, it has %lld", (long long)m->min, unit, (long long)n);
    if (n < m->min && m->min == 1)
        return shape_fault(s->f, "out_of_range", at, NULL, "must not be empty");
    return shape_fault(s->f, "out_of_range", at, NULL, "must be %lld to %lld%s, it is %lld", (long long)m->min, (long long)m->max, unit, (long long)n);
}

static bool check_of(struct shaping *s, const struct js *v, const struct shape *const *of, const struct shape_path *at);

static bool check_text(struct shaping *s, const struct js *v, const struct shape_member *m, const struct shape_path *at)
{
    slice text = js_text(v);
    if (!js_is_string(v))
        return shape_fault(s->f, "wrong_type", at, NULL, "must be a text");
    if (m->type == SHAPE_WORD && !has_word(m->words, text))
        return shape_fault(s->f, "out_of_range", at, NULL, "must be one of: %s", m->words);
    if (m->type == SHAPE_HTTPS && !slice_starts(slice_trim(text), SL("https://")))
        return shape_fault(s->f, "out_of_range", at, NULL, "must be an address that begins with https://");
    return in_range(s, m, at, (int64_t)units(text, m->flags), " characters");
}

static bool check_list(struct shaping *s, const struct js *v, const struct shape_member *m, const struct shape_path *at)
{
    if (!js_is_array(v))
        return shape_fault(s->f, "wrong_type", at, NULL, "must be a list");
    if (!in_range(s, m, at, (int64_t)js_len(v), " items"))
        return false;
    for (size_t i = 0; m->of && i < js_len(v); i++) {
        const struct shape_path item = { at, SLICE_NONE, i };
        if (!check_of(s, js_item(v, i), m->of, &item))
            return false;
    }
    return true;
}

static bool check_member(struct shaping *s, const struct js *v, const struct shape_member *m, const struct shape_path *at)
{
    double d;
    switch (m->type) {
    case SHAPE_ANY: return true;
    case SHAPE_TEXT:
    case SHAPE_WORD:
    case SHAPE_HTTPS: return check_text(s, v, m, at);
    case SHAPE_NUMBER:
        if (!js_double(v, &d))
            return shape_fault(s->f, "wrong_type", at, NULL, "must be a number");
        if ((m->min || m->max) && (d < (double)m->min || d > (double)m->max))
            return shape_fault(s->f, "out_of_range", at, NULL, "must be %lld to %lld", (long long)m->min, (long long)m->max);
        return true;
    case SHAPE_BOOL: return js_is_bool(v) || shape_fault(s->f, "wrong_type", at, NULL, "must be true or false");
    case SHAPE_OBJECT:
        if (!js_is_object(v))
            return shape_fault(s->f, "wrong_type", at, NULL, "must be an object");
        return !m->of || check_of(s, v, m->of, at);
    case SHAPE_LIST: return check_list(s, v, m, at);
    }
    return true;
}

static bool check_shape(struct shaping *s, const struct js *v, const struct shape *shape, const struct shape_path *at)
{
    bool any = !shape->one_of;
    for (slice rest = slice_of(shape->one_of); rest.p && rest.n && !any;)
        any = js_get(v, slice_cut(&rest, ' ')) != NULL;
    if (!any)
        return shape_fault(s->f, "missing_field", at, NULL, "needs one of: %s", shape->one_of);
    for (size_t i = 0; i < shape->n; i++) {
        const struct shape_member *m = &shape->members[i];
        const struct js *member = js_get(v, slice_of(m->name));
        if (!member && (m->flags & SHAPE_REQUIRED))
            return shape_fault(s->f, "missing_field", at, m->name, "is missing");
        const struct shape_path here = { at, slice_of(m->name), 0 };
        if (member && !check_member(s, member, m, &here))
            return false;
    }
    if (shape->max_bytes) {
        size_t n = js_print(s->a, v).n;
        if (n > shape->max_bytes)
            return shape_fault(s->f, "out_of_range", at, NULL, "has %zu bytes, at most %zu can be sent", n, shape->max_bytes);
    }
    return !shape->more || shape->more(v, at, s->f);
}

static bool no_such_type(struct shaping *s, const struct shape *const *of, const struct shape_path *at, const char *by, const struct js *said)
{
    char names[128] = "";
    size_t n = 0;
    for (; *of && n + 24 < sizeof(names); of++)
        if ((*of)->type)
            n += (size_t)snprintf(names + n, sizeof(names) - n, "%s%.20s", n ? ", " : "", (*of)->type);
    if (!said)
        return shape_fault(s->f, "missing_field", at, by, "is missing; it is one of: %s%s", names, *of ? " ..." : "");
    return shape_fault(s->f, "out_of_range", at, by, "must be one of: %s%s", names, *of ? " ..." : "");
}

static bool check_of(struct shaping *s, const struct js *v, const struct shape *const *of, const struct shape_path *at)
{
    const char *by = of[0] && of[0]->by ? of[0]->by : "type";
    if (!js_is_object(v))
        return shape_fault(s->f, "wrong_type", at, NULL, "must be an object");
    const struct js *said = js_get(v, slice_of(by));
    for (size_t i = 0; of[i]; i++)
        if (!of[i]->type || slice_eq(js_text(said), slice_of(of[i]->type)))
            return check_shape(s, v, of[i], at);
    return no_such_type(s, of, at, by, said);
}

bool shape_check(struct arena *a, const struct js *v, const struct shape *const *of, const char *path, struct fault *f)
{
    struct shaping s = { a, f };
    const struct shape_path root = { NULL, slice_of(path), 0 };
    return check_of(&s, v, of, &root);
}
