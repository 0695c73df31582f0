/* JSON as Go's encoding/json reads and writes it, and Sprig's functions for types. */
#include "template/eval.h"
#include "template/function.h"
#include "template/parse.h"
#include "template/print.h"
#include "template/unicode.h"
#include <math.h>

#define FN(name) static struct value name(struct run *r, const struct value *v, size_t n)

struct reader { /* r NULL: data from outside, bounded by whoever read them */
    struct run *r;
    struct arena *a;
    slice s;
    size_t at;
};

static void *take(struct reader *j, size_t n)
{
    return j->r ? run_alloc(j->r, n) : arena_alloc(j->a, n);
}

static void skip(struct reader *j)
{
    while (j->at < j->s.n && (j->s.p[j->at] == ' ' || j->s.p[j->at] == '\t' || j->s.p[j->at] == '\n' || j->s.p[j->at] == '\r'))
        j->at++;
}

static bool is_next(struct reader *j, char c)
{
    skip(j);
    if (j->at >= j->s.n || j->s.p[j->at] != c)
        return false;
    return j->at++, true;
}

static bool hex4(struct reader *j, uint32_t *ret)
{
    if (j->s.n - j->at < 4)
        return false;
    *ret = 0;
    for (int i = 0; i < 4; i++) {
        char c = j->s.p[j->at++], l = (char)(c | 32);
        int d = c >= '0' && c <= '9' ? c - '0' : l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
        if (d < 0)
            return false;
        *ret = *ret * 16 + (uint32_t)d;
    }
    return true;
}

static bool read_string(struct reader *j, slice *ret) /* behind the opening quote */
{
    size_t end = j->at;
    while (end < j->s.n && j->s.p[end] != '"')
        end += j->s.p[end] == '\\' ? 2 : 1;
    if (end >= j->s.n)
        return false;
    char *to = take(j, (end - j->at) * 3 + 1); /* an invalid byte becomes three */
    size_t n = 0;
    while (j->s.p[j->at] != '"') {
        static const char from[] = "\"\\/bfnrt", mean[] = "\"\\/\b\f\n\r\t";
        unsigned char c = (unsigned char)j->s.p[j->at];
        if (c < 0x20)
            return false;
        if (c != '\\') {
            n += rune_put(rune_next(j->s, &j->at), to + n);
            continue;
        }
        c = (unsigned char)j->s.p[j->at + 1];
        j->at += 2;
        const char *hit = c ? strchr(from, c) : NULL;
        uint32_t u, low;
        if (hit) {
            to[n++] = mean[hit - from];
        } else if (c != 'u' || !hex4(j, &u)) {
            return false;
        } else {
            struct reader look = *j;
            if (u >= 0xd800 && u < 0xdc00 && look.s.n - look.at > 6 && look.s.p[look.at] == '\\' && look.s.p[look.at + 1] == 'u') {
                look.at += 2;
                if (hex4(&look, &low) && low >= 0xdc00 && low < 0xe000) {
                    u = 0x10000 + ((u - 0xd800) << 10) + (low - 0xdc00);
                    j->at = look.at;
                }
            }
            n += rune_put(u, to + n);
        }
    }
    j->at++;
    *ret = (slice){ to, n };
    return true;
}

static bool read_number(struct reader *j, struct value *ret)
{
    size_t from = j->at;
    const char *p = j->s.p;
    size_t n = j->s.n, digits;
#define DIGITS() for (digits = 0; j->at < n && p[j->at] >= '0' && p[j->at] <= '9'; j->at++) digits++
    j->at += j->at < n && p[j->at] == '-';
    if (j->at < n && p[j->at] == '0') {
        j->at++;
    } else {
        DIGITS();
        if (!digits)
            return false;
    }
    if (j->at < n && p[j->at] == '.') {
        j->at++;
        DIGITS();
        if (!digits)
            return false;
    }
    if (j->at < n && (p[j->at] | 32) == 'e') {
        j->at++;
        j->at += j->at < n && (p[j->at] == '+' || p[j->at] == '-');
        DIGITS();
        if (!digits)
            return false;
    }
#undef DIGITS
    *ret = VALUE_FLOAT(0);
    return go_float(slice_sub(j->s, from, j->at - from), &ret->f);
}

static bool read_value(struct reader *j, struct value *ret, int depth);

static bool read_list(struct reader *j, struct value *ret, int depth)
{
    struct list *l = take(j, sizeof(*l));
    size_t cap = 0;
    *l = (struct list){ .of = OF_ANY };
    *ret = VALUE_LIST(l);
    if (is_next(j, ']'))
        return true;
    do {
        if (l->n == cap) {
            cap = MAX(cap * 2, (size_t)8);
            struct value *to = take(j, cap * sizeof(*to));
            if (l->n)
                memcpy(to, l->v, l->n * sizeof(*to));
            l->v = to;
        }
        if (j->r && l->n >= TEMPLATE_ENTRIES)
            run_limit(j->r, "list entries");
        if (!read_value(j, &l->v[l->n++], depth + 1))
            return false;
    } while (is_next(j, ','));
    return is_next(j, ']');
}

static bool read_map(struct reader *j, struct value *ret, int depth)
{
    struct map *m = take(j, sizeof(*m));
    *m = (struct map){ .of = OF_ANY };
    *ret = VALUE_MAP(m);
    if (is_next(j, '}'))
        return true;
    do {
        if (m->n == m->cap) {
            m->cap = MAX(m->cap * 2, (size_t)8);
            struct entry *to = take(j, m->cap * sizeof(*to));
            if (m->n)
                memcpy(to, m->e, m->n * sizeof(*to));
            m->e = to;
        }
        if (j->r && m->n >= TEMPLATE_ENTRIES)
            run_limit(j->r, "map entries");
        struct entry *e = &m->e[m->n++];
        if (!is_next(j, '"') || !read_string(j, &e->key) || !is_next(j, ':') || !read_value(j, &e->v, depth + 1))
            return false;
    } while (is_next(j, ','));
    if (j->r)
        map_order(j->r, m);
    else
        map_sort(j->a, m);
    return is_next(j, '}');
}

static bool read_value(struct reader *j, struct value *ret, int depth)
{
    static const struct {
        slice word;
        struct value v;
    } words[] = { { SLI("null"), { .t = V_NIL } }, { SLI("true"), { .t = V_BOOL, .b = true } }, { SLI("false"), { .t = V_BOOL } } };
    if (j->r)
        run_step(j->r, 1);
    if (depth > TEMPLATE_VALUE_DEPTH)
        return false;
    if (is_next(j, '{'))
        return read_map(j, ret, depth);
    if (is_next(j, '['))
        return read_list(j, ret, depth);
    if (is_next(j, '"')) {
        *ret = VALUE_STRING(SLICE_NONE);
        return read_string(j, &ret->s);
    }
    for (size_t i = 0; i < COUNT(words); i++)
        if (slice_starts(slice_from(j->s, j->at), words[i].word)) {
            j->at += words[i].word.n;
            return *ret = words[i].v, true;
        }
    return read_number(j, ret);
}

static bool read_all(struct reader *j, struct value *ret)
{
    if (!read_value(j, ret, 0))
        return false;
    skip(j);
    return j->at == j->s.n;
}

bool template_json(struct arena *a, slice json, struct value *ret)
{
    struct reader j = { .a = a, .s = json };
    return read_all(&j, ret);
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

struct writer {
    struct text_out t;
    bool html;   /* < > & as \u003c … */
    bool pretty;
};

static void write_string(struct writer *w, slice s)
{
    out_char(&w->t, '"');
    for (size_t at = 0; at < s.n;) {
        size_t from = at;
        uint32_t c = rune_next(s, &at);
        if (c == '"' || c == '\\')
            out_char(&w->t, '\\'), out_char(&w->t, (char)c);
        else if (c == '\n' || c == '\r' || c == '\t')
            out_char(&w->t, '\\'), out_char(&w->t, c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
        else if (c < 0x20 || (w->html && (c == '<' || c == '>' || c == '&')) || c == 0x2028 || c == 0x2029 || (c == RUNE_BAD && at - from == 1))
            out_fmt(&w->t, "\\u%04x", c);
        else
            out_put(&w->t, slice_sub(s, from, at - from));
    }
    out_char(&w->t, '"');
}

static void write_float(struct writer *w, double f)
{
    if (isnan(f) || isinf(f))
        run_fail(w->t.r, "json: unsupported value: %s", isnan(f) ? "NaN" : f > 0 ? "+Inf" : "-Inf");
    char digits[FLOAT_DIGITS];
    int exp, n = float_digits(f, digits, &exp);
    bool zero = n == 1 && digits[0] == '0';
    if (signbit(f))
        out_char(&w->t, '-');
    if (!zero && (exp < -6 || exp >= 21)) {
        out_char(&w->t, digits[0]);
        if (n > 1)
            out_char(&w->t, '.'), out_put(&w->t, (slice){ digits + 1, (size_t)n - 1 });
        out_fmt(&w->t, "e%c%d", exp < 0 ? '-' : '+', exp < 0 ? -exp : exp);
        return;
    }
    if (exp < 0) {
        out_put(&w->t, SL("0."));
        out_fill(&w->t, '0', (size_t)(-exp - 1));
        out_put(&w->t, (slice){ digits, (size_t)n });
        return;
    }
    for (int i = 0; i <= exp || i < n; i++) {
        if (i == exp + 1)
            out_char(&w->t, '.');
        out_char(&w->t, i < n ? digits[i] : '0');
    }
}

static void line(struct writer *w, int depth)
{
    if (!w->pretty)
        return;
    out_char(&w->t, '\n');
    out_fill(&w->t, ' ', (size_t)depth * 2);
}

static void write_value(struct writer *w, struct value v, int depth)
{
    run_step(w->t.r, 1);
    if (depth > TEMPLATE_VALUE_DEPTH)
        run_limit(w->t.r, "depth");
    switch (v.t) {
    case V_NONE:
    case V_NIL:
        out_put(&w->t, SL("null"));
        return;
    case V_FLOAT:
        write_float(w, v.f);
        return;
    case V_STRING:
        write_string(w, v.s);
        return;
    case V_LIST:
        out_char(&w->t, '[');
        for (size_t i = 0; i < v.l->n; i++) {
            out_put(&w->t, i ? SL(",") : SL(""));
            line(w, depth + 1);
            write_value(w, v.l->v[i], depth + 1);
        }
        if (v.l->n)
            line(w, depth);
        out_char(&w->t, ']');
        return;
    case V_MAP:
        out_char(&w->t, '{');
        for (size_t i = 0; i < v.m->n; i++) {
            out_put(&w->t, i ? SL(",") : SL(""));
            line(w, depth + 1);
            write_string(w, v.m->e[i].key);
            out_put(&w->t, w->pretty ? SL(": ") : SL(":"));
            write_value(w, v.m->e[i].v, depth + 1);
        }
        if (v.m->n)
            line(w, depth);
        out_char(&w->t, '}');
        return;
    case V_TIME: {
        struct value text;
        struct value layout = VALUE_STRING(SL("2006-01-02T15:04:05.999999999Z07:00"));
        (void)time_method(w->t.r, v.at, SL("Format"), &layout, 1, &text);
        write_string(w, text.s);
        return;
    }
    case V_BOOL:
    case V_INT:
    case V_INT64:
        print_value(&w->t, v);
        return;
    case V_VERSION:
        write_string(w, value_text(w->t.r, v));
        return;
    }
}

static struct value written(struct run *r, struct value v, bool html, bool pretty)
{
    struct writer w = { .t = out_new(r), .html = html, .pretty = pretty };
    write_value(&w, v, 0);
    return VALUE_STRING(out_slice(&w.t));
}

FN(f_to_json)
{
    (void)n;
    return written(r, v[0], true, false);
}

FN(f_to_raw_json)
{
    (void)n;
    return written(r, v[0], false, false);
}

FN(f_to_pretty_json)
{
    (void)n;
    return written(r, v[0], true, true);
}

FN(f_from_json)
{
    (void)n;
    struct reader j = { .r = r, .a = r->a, .s = v[0].s };
    struct value ret;
    return read_all(&j, &ret) ? ret : VALUE_NIL;
}

FN(f_must_from_json)
{
    (void)n;
    struct reader j = { .r = r, .a = r->a, .s = v[0].s };
    struct value ret;
    if (!read_all(&j, &ret))
        run_fail(r, "invalid JSON at byte %zu", j.at);
    return ret;
}

/* ---- types ------------------------------------------------------------------------------------------------------- */

FN(f_type_of)
{
    (void)r, (void)n;
    return VALUE_STRING(slice_of(value_type_name(v[0])));
}

FN(f_type_is)
{
    (void)r, (void)n;
    return VALUE_TRUTH(slice_eq(v[0].s, slice_of(value_type_name(v[1]))));
}

FN(f_type_is_like)
{
    (void)r, (void)n;
    slice name = slice_of(value_type_name(v[1]));
    return VALUE_TRUTH(slice_eq(v[0].s, name) || (slice_starts(name, SL("*")) && slice_eq(v[0].s, slice_from(name, 1))));
}

FN(f_kind_of)
{
    (void)r, (void)n;
    return VALUE_STRING(slice_of(value_kind_name(v[0])));
}

FN(f_kind_is)
{
    (void)r, (void)n;
    return VALUE_TRUTH(slice_eq(v[0].s, slice_of(value_kind_name(v[1]))));
}

/* clang-format off */
static const struct function rows[] = {
    { "toJson", "x", f_to_json }, { "mustToJson", "x", f_to_json }, { "toRawJson", "x", f_to_raw_json }, { "mustToRawJson", "x", f_to_raw_json },
    { "toPrettyJson", "x", f_to_pretty_json }, { "mustToPrettyJson", "x", f_to_pretty_json }, { "fromJson", "s", f_from_json },
    { "mustFromJson", "s", f_must_from_json }, { "typeOf", "x", f_type_of }, { "typeIs", "sx", f_type_is },
    { "typeIsLike", "sx", f_type_is_like }, { "kindOf", "x", f_kind_of }, { "kindIs", "sx", f_kind_is },
};
/* clang-format on */
const struct functions functions_json = { rows, COUNT(rows) };
