/* Sprig's regular-expression functions. */
#include "template/function.h"
#include "template/regex.h"
#include "template/unicode.h"

#define FN(name) static struct value name(struct run *r, const struct value *v, size_t n)
enum { SLOTS_MOST = 2 * 100 };

static struct regex *compiled(struct run *r, slice pattern)
{
    const char *error;
    struct regex *re = regex_compile(r, pattern, &error);
    if (!re)
        run_fail(r, "error parsing regexp: %s: `" SLF "`", error, SLA(pattern));
    return re;
}

FN(f_match)
{
    (void)n;
    const char *error;
    size_t caps[SLOTS_MOST];
    struct regex *re = regex_compile(r, v[0].s, &error);
    return VALUE_TRUTH(re && regex_find(r, re, v[1].s, 0, caps));
}

FN(f_must_match)
{
    (void)n;
    size_t caps[SLOTS_MOST];
    return VALUE_TRUTH(regex_find(r, compiled(r, v[0].s), v[1].s, 0, caps));
}

FN(f_find)
{
    (void)n;
    size_t caps[SLOTS_MOST];
    if (!regex_find(r, compiled(r, v[0].s), v[1].s, 0, caps))
        return VALUE_STRING(SL(""));
    return VALUE_STRING(slice_sub(v[1].s, caps[0], caps[1] - caps[0]));
}

/* All matches from left to right; an empty one next to the match before is skipped. */
struct finding {
    struct regex *re;
    slice s;
    size_t at, before;
    size_t caps[SLOTS_MOST];
};

static bool find_next(struct run *r, struct finding *f)
{
    while (f->at <= f->s.n) {
        if (!regex_find(r, f->re, f->s, f->at, f->caps))
            return f->at = f->s.n + 1, false;
        bool empty = f->caps[0] == f->caps[1], skip = empty && f->caps[1] == f->before;
        f->before = f->caps[1];
        f->at = f->caps[1];
        if (empty) {
            if (f->at < f->s.n)
                (void)rune_next(f->s, &f->at);
            else
                f->at = f->s.n + 1;
        }
        if (!skip)
            return true;
    }
    return false;
}

static struct finding finding(struct run *r, slice pattern, slice s)
{
    return (struct finding){ .re = compiled(r, pattern), .s = s, .before = SIZE_MAX };
}

FN(f_find_all)
{
    (void)n;
    struct finding f = finding(r, v[0].s, v[1].s);
    struct gather g = gather_new(r, OF_STRING);
    while ((v[2].i < 0 || (int64_t)g.l->n < v[2].i) && find_next(r, &f))
        gather_add(&g, VALUE_STRING(slice_sub(f.s, f.caps[0], f.caps[1] - f.caps[0])));
    return VALUE_LIST(g.l);
}

static bool name_char(uint32_t c)
{
    return c == '_' || rune_is_letter(c) || rune_is_digit(c);
}

/* $1, ${1}, $name, ${name}, $$ in a replacement. */
static void expand(struct text_out *t, slice with, const struct finding *f)
{
    for (size_t at = 0; at < with.n;) {
        size_t dollar = slice_find_char(slice_from(with, at), '$');
        out_put(t, slice_sub(with, at, dollar));
        if (dollar == SIZE_MAX)
            return;
        at += dollar + 1;
        if (at < with.n && with.p[at] == '$') {
            out_char(t, '$');
            at++;
            continue;
        }
        bool brace = at < with.n && with.p[at] == '{';
        size_t from = at + brace, end = from;
        while (end < with.n) {
            size_t next = end;
            if (!name_char(rune_next(with, &next)))
                break;
            end = next;
        }
        slice name = slice_sub(with, from, end - from);
        if (!name.n || (brace && (end >= with.n || with.p[end] != '}'))) {
            out_char(t, '$'); /* malformed: an ordinary dollar */
            continue;
        }
        at = end + brace;
        int64_t number = -1;
        size_t group = SIZE_MAX;
        if (slice_int(name, &number) && number >= 0)
            group = (size_t)number < regex_groups(f->re) ? (size_t)number : SIZE_MAX;
        else
            for (size_t i = 1; i < regex_groups(f->re) && group == SIZE_MAX; i++) /* of several with one name, the first that took part */
                if (slice_eq(regex_group_name(f->re, i), name) && f->caps[2 * i] != SIZE_MAX)
                    group = i;
        if (group != SIZE_MAX && f->caps[2 * group] != SIZE_MAX && f->caps[2 * group + 1] != SIZE_MAX)
            out_put(t, slice_sub(f->s, f->caps[2 * group], f->caps[2 * group + 1] - f->caps[2 * group]));
    }
}

static struct value replaced(struct run *r, const struct value *v, bool literal)
{
    struct finding f = finding(r, v[0].s, v[1].s);
    struct text_out t = out_new(r);
    size_t done = 0;
    while (find_next(r, &f)) {
        out_put(&t, slice_sub(f.s, done, f.caps[0] - done));
        if (literal)
            out_put(&t, v[2].s);
        else
            expand(&t, v[2].s, &f);
        done = f.caps[1];
    }
    out_put(&t, slice_from(f.s, done));
    return VALUE_STRING(out_slice(&t));
}

FN(f_replace)
{
    (void)n;
    return replaced(r, v, false);
}

FN(f_replace_literal)
{
    (void)n;
    return replaced(r, v, true);
}

FN(f_split)
{
    (void)n;
    struct finding f = finding(r, v[0].s, v[1].s);
    struct gather g = gather_new(r, OF_STRING);
    size_t begin = 0, end = 0;
    if (v[2].i == 0)
        return VALUE_LIST(g.l);
    if (v[0].s.n && !v[1].s.n)
        return gather_add(&g, VALUE_STRING(SL(""))), VALUE_LIST(g.l);
    while (find_next(r, &f)) {
        if (v[2].i > 0 && (int64_t)g.l->n == v[2].i - 1)
            break;
        end = f.caps[0];
        if (f.caps[1] != 0)
            gather_add(&g, VALUE_STRING(slice_sub(f.s, begin, end - begin)));
        begin = f.caps[1];
    }
    if (end != f.s.n)
        gather_add(&g, VALUE_STRING(slice_from(f.s, begin)));
    return VALUE_LIST(g.l);
}

FN(f_quote_meta)
{
    (void)n;
    struct text_out t = out_new(r);
    for (size_t i = 0; i < v[0].s.n; i++) {
        char c = v[0].s.p[i];
        if (c && strchr("\\.+*?()|[]{}^$", c))
            out_char(&t, '\\');
        out_char(&t, c);
    }
    return VALUE_STRING(out_slice(&t));
}

/* clang-format off */
#define BOTH(name, must, params, f) { name, params, f }, { must, params, f }
static const struct function rows[] = {
    { "regexMatch", "ss", f_match }, { "mustRegexMatch", "ss", f_must_match }, BOTH("regexFind", "mustRegexFind", "ss", f_find),
    BOTH("regexFindAll", "mustRegexFindAll", "ssi", f_find_all), BOTH("regexReplaceAll", "mustRegexReplaceAll", "sss", f_replace),
    BOTH("regexReplaceAllLiteral", "mustRegexReplaceAllLiteral", "sss", f_replace_literal), BOTH("regexSplit", "mustRegexSplit", "ssi", f_split),
    { "regexQuoteMeta", "s", f_quote_meta },
};
/* clang-format on */
const struct functions functions_regex = { rows, COUNT(rows) };
