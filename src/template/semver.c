/* Sprig's versions: "1.2.3-beta.1+build", and what they are asked for: "^1.2", "~1.2.3 || >= 2, < 3", "1.2 - 1.4.5". */
#include "template/eval.h"
#include "template/function.h"
#include "template/parse.h"

#define FN(name) static struct value name(struct run *r, const struct value *v, size_t n)

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r';
}

static slice skip(slice s)
{
    while (s.n && is_blank(s.p[0]))
        s = slice_from(s, 1);
    return s;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_sign(char c) /* of a name behind - or + */
{
    return is_digit(c) || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '-';
}

/* ---- a version -------------------------------------------------------------------------------------------------------- */

/* Its pieces as written: up to three numbers, then names behind "-" and "+". Numbers may be x, X and * where a range is meant. */
struct pieces {
    slice number[3], pre, meta;
};

static slice run_of(slice *s, bool (*is)(char c))
{
    size_t n = 0;
    while (n < s->n && is(s->p[n]))
        n++;
    slice got = slice_sub(*s, 0, n);
    *s = slice_from(*s, n);
    return got;
}

static bool is_wild(char c) /* a single | too: such a range is refused when it is read as a number */
{
    return is_digit(c) || c == 'x' || c == 'X' || c == '*' || c == '|';
}

/* Names with points between them, behind this sign; what is no whole name stays where it is. */
static slice names(slice *s, char sign)
{
    if (s->n < 2 || s->p[0] != sign || !is_sign(s->p[1]))
        return SL("");
    slice rest = slice_from(*s, 1);
    size_t n = run_of(&rest, is_sign).n;
    while (rest.n > 1 && rest.p[0] == '.' && is_sign(rest.p[1])) {
        rest = slice_from(rest, 1);
        n += 1 + run_of(&rest, is_sign).n;
    }
    slice got = slice_sub(*s, 1, n);
    *s = rest;
    return got;
}

/* As much of s as is a version. */
static bool pieces_of(slice *s, bool (*is)(char c), struct pieces *ret)
{
    slice at = *s;
    *ret = (struct pieces){ .pre = SL("") };
    if (slice_starts(at, SL("v")))
        at = slice_from(at, 1);
    ret->number[0] = run_of(&at, is);
    if (!ret->number[0].n)
        return false;
    for (size_t i = 1; i < COUNT(ret->number) && at.n > 1 && at.p[0] == '.' && is(at.p[1]); i++) {
        at = slice_from(at, 1);
        ret->number[i] = run_of(&at, is);
    }
    ret->pre = names(&at, '-');
    ret->meta = names(&at, '+');
    *s = at;
    return true;
}

static bool natural(slice s, uint64_t *ret)
{
    *ret = 0;
    for (size_t i = 0; i < s.n; i++)
        if (!is_digit(s.p[i]) || __builtin_mul_overflow(*ret, UINT64_C(10), ret) || __builtin_add_overflow(*ret, (uint64_t)(s.p[i] - '0'), ret))
            return false;
    return s.n > 0;
}

/* NULL: it is good. */
static const char *version_of(const struct pieces *p, slice original, struct version *ret)
{
    uint64_t number[3] = { 0 };
    for (size_t i = 0; i < COUNT(number) && p->number[i].n; i++)
        if (!natural(p->number[i], &number[i]))
            return "Error parsing version segment";
    *ret = (struct version){ number[0], number[1], number[2], p->pre, p->meta, original };
    for (slice rest = p->pre; rest.n;) {
        slice one = slice_cut(&rest, '.'), digits = one;
        if (run_of(&digits, is_digit).n == one.n && one.n > 1 && one.p[0] == '0')
            return "Version segment starts with 0";
    }
    return NULL;
}

static const char *read_version(slice s, struct version *ret)
{
    struct pieces p;
    slice rest = s;
    if (!pieces_of(&rest, is_digit, &p) || rest.n)
        return "Invalid Semantic Version";
    return version_of(&p, s, ret);
}

static int order(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

/* Numbers by value, names by their letters; a number is less than a name. */
static int compare_name(slice a, slice b)
{
    uint64_t x, y;
    bool number_a = natural(a, &x), number_b = natural(b, &y);
    if (slice_eq(a, b))
        return 0;
    if (!a.n || !b.n)
        return a.n ? 1 : -1;
    if (number_a && number_b)
        return x > y ? 1 : -1;
    if (number_a || number_b)
        return number_a ? -1 : 1;
    return slice_cmp(a, b) > 0 ? 1 : -1;
}

static int compare_pre(slice a, slice b)
{
    while (a.n || b.n) {
        int c = compare_name(slice_cut(&a, '.'), slice_cut(&b, '.'));
        if (c)
            return c;
    }
    return 0;
}

static int compare(const struct version *a, const struct version *b)
{
    int c = order(a->major, b->major);
    c = c ? c : order(a->minor, b->minor);
    c = c ? c : order(a->patch, b->patch);
    if (c)
        return c;
    if (!a->pre.n || !b->pre.n) /* what comes before a release is less than the release */
        return a->pre.n ? -1 : b->pre.n ? 1 : 0;
    return compare_pre(a->pre, b->pre);
}

/* ---- what is asked for ------------------------------------------------------------------------------------------------ */

enum wants { WANTS_SAME, WANTS_OTHER, WANTS_MORE, WANTS_LESS, WANTS_LEAST, WANTS_MOST, WANTS_TILDE, WANTS_CARET };
/* Longest first where one begins another. */
static const struct {
    slice sign;
    enum wants wants;
} signs[] = {
    { SLI("!="), WANTS_OTHER }, { SLI(">="), WANTS_LEAST }, { SLI("=>"), WANTS_LEAST }, { SLI("<="), WANTS_MOST }, { SLI("=<"), WANTS_MOST },
    { SLI("~>"), WANTS_TILDE }, { SLI("="), WANTS_SAME },   { SLI(">"), WANTS_MORE },   { SLI("<"), WANTS_LESS },  { SLI("~"), WANTS_TILDE },
    { SLI("^"), WANTS_CARET },
};
/* dirty: a part of it is left open; which of them, where it is the minor or the patch. */
struct constraint {
    enum wants wants;
    struct version v;
    bool dirty, minor_open, patch_open;
};

static bool is_open(slice s)
{
    return !s.n || slice_eq(s, SL("x")) || slice_eq(s, SL("X")) || slice_eq(s, SL("*"));
}

static bool constraint_at(slice *s, struct constraint *ret)
{
    struct pieces p;
    *ret = (struct constraint){ .wants = WANTS_SAME };
    *s = skip(*s);
    for (size_t i = 0; i < COUNT(signs); i++)
        if (slice_starts(*s, signs[i].sign)) {
            ret->wants = signs[i].wants;
            *s = skip(slice_from(*s, signs[i].sign.n));
            break;
        }
    if (!pieces_of(s, is_wild, &p))
        return false;
    ret->dirty = is_open(p.number[0]) || is_open(p.number[1]) || is_open(p.number[2]);
    ret->minor_open = !is_open(p.number[0]) && is_open(p.number[1]);
    ret->patch_open = !is_open(p.number[0]) && !ret->minor_open && is_open(p.number[2]);
    for (size_t i = 0; i < COUNT(p.number); i++)
        if (is_open(p.number[i])) {
            for (; i < COUNT(p.number); i++)
                p.number[i] = SL("");
            break;
        }
    p.number[0] = slice_or(p.number[0], SL("0"));
    if (ret->dirty)
        p.meta = SL("");
    return !version_of(&p, SL(""), &ret->v);
}

static bool fits_tilde(const struct version *v, const struct constraint *c)
{
    bool any = !c->v.major && !c->v.minor && !c->v.patch && !c->minor_open && !c->patch_open;
    return compare(v, &c->v) >= 0 && (any || (v->major == c->v.major && (v->minor == c->v.minor || c->minor_open)));
}

static bool fits_caret(const struct version *v, const struct constraint *c)
{
    if (compare(v, &c->v) < 0)
        return false;
    if (c->v.major || c->minor_open)
        return v->major == c->v.major;
    if (v->major)
        return false;
    if (c->v.minor || c->patch_open)
        return v->minor == c->v.minor;
    return !v->minor && v->patch == c->v.patch;
}

static bool fits_other(const struct version *v, const struct constraint *c)
{
    if (!c->dirty)
        return compare(v, &c->v) != 0;
    if (v->pre.n && !c->v.pre.n)
        return false;
    if (v->major != c->v.major)
        return true;
    if (c->minor_open)
        return false;
    if (v->minor != c->v.minor)
        return true;
    if (c->patch_open)
        return (v->pre.n || c->v.pre.n) && compare_pre(v->pre, c->v.pre) != 0;
    return v->patch != c->v.patch || compare(v, &c->v) != 0;
}

static bool fits_more(const struct version *v, const struct constraint *c)
{
    if (c->minor_open) /* > 11 begins at 12 */
        return v->major > c->v.major;
    if (c->patch_open)
        return v->major > c->v.major || (v->major == c->v.major && v->minor > c->v.minor);
    return compare(v, &c->v) > 0;
}

static bool fits_most(const struct version *v, const struct constraint *c)
{
    if (!c->dirty)
        return compare(v, &c->v) <= 0;
    return v->major < c->v.major || (v->major == c->v.major && (v->minor <= c->v.minor || c->minor_open));
}

static bool fits(const struct version *v, const struct constraint *c)
{
    if (c->wants == WANTS_OTHER)
        return fits_other(v, c);
    if (v->pre.n && !c->v.pre.n) /* who does not ask for what comes before a release does not get it */
        return false;
    switch (c->wants) {
    case WANTS_SAME: return c->dirty ? fits_tilde(v, c) : compare(v, &c->v) == 0;
    case WANTS_MORE: return fits_more(v, c);
    case WANTS_LESS: return compare(v, &c->v) < 0;
    case WANTS_LEAST: return compare(v, &c->v) >= 0;
    case WANTS_MOST: return fits_most(v, c);
    case WANTS_TILDE: return fits_tilde(v, c);
    case WANTS_CARET: return fits_caret(v, c);
    case WANTS_OTHER: break;
    }
    return false;
}

/* "1.2 - 1.4" here? Then s is behind it and the blanks that follow. */
static bool range_at(slice *s, slice *ret_from, slice *ret_to)
{
    struct pieces p;
    slice at = skip(*s), from = at, to;
    if (!pieces_of(&at, is_wild, &p))
        return false;
    *ret_from = slice_sub(from, 0, from.n - at.n);
    if (!at.n || !is_blank(at.p[0]))
        return false;
    at = skip(at);
    if (at.n < 2 || at.p[0] != '-' || !is_blank(at.p[1]))
        return false;
    at = to = skip(slice_from(at, 1));
    if (!pieces_of(&at, is_wild, &p))
        return false;
    *ret_to = slice_sub(to, 0, to.n - at.n);
    *s = skip(at);
    return true;
}

/* Ranges as two constraints each. */
static slice without_ranges(struct run *r, slice s)
{
    struct text_out t = out_new(r);
    while (s.n) {
        slice from, to;
        run_step(r, 1 + s.n / 64);
        if (range_at(&s, &from, &to)) {
            out_put(&t, SL(">= "));
            out_put(&t, from);
            out_put(&t, SL(", <= "));
            out_put(&t, to);
        } else {
            out_char(&t, s.p[0]);
            s = slice_from(s, 1);
        }
    }
    return out_slice(&t);
}

/* All constraints between two || that this version must fit; false: they are none. */
static bool all_of(slice s, const struct version *v, bool *ret_fits)
{
    *ret_fits = true;
    for (;;) {
        struct constraint c;
        if (!constraint_at(&s, &c))
            return false;
        *ret_fits &= fits(v, &c);
        slice rest = skip(s);
        if (!rest.n)
            return true;
        if (rest.p[0] == ',')
            s = slice_from(rest, 1);
        else if (rest.n == s.n) /* neither a comma nor a blank */
            return false;
    }
}

/* ---- functions ---------------------------------------------------------------------------------------------------------- */

static slice checked(struct run *r, slice s)
{
    if (s.n > TEMPLATE_PATTERN_BYTES)
        run_limit(r, "version");
    return s;
}

FN(f_semver)
{
    (void)n;
    struct version *w = run_alloc(r, sizeof(*w));
    const char *why = read_version(checked(r, v[0].s), w);
    if (why)
        run_fail(r, "%s", why);
    return (struct value){ .t = V_VERSION, .v = w };
}

FN(f_semver_compare)
{
    (void)n;
    struct version w = { .original = SL("") }, none = w;
    slice all = without_ranges(r, checked(r, v[0].s));
    const char *why = NULL;
    bool any = false, good = true, one;
    for (int pass = 0; pass < 2; pass++) { /* what is asked for is read as a whole before the version is */
        for (slice rest = all, part; good && rest.p;) {
            size_t bars = slice_find(rest, SL("||"));
            part = slice_sub(rest, 0, bars);
            rest = bars == SIZE_MAX ? SLICE_NONE : slice_from(rest, bars + 2);
            run_step(r, 1 + part.n / 16);
            good = all_of(part, pass ? &w : &none, &one);
            if (!good)
                run_fail(r, "improper constraint: " SLF, SLA(part));
            any |= pass && one;
        }
        if (!pass && (why = read_version(checked(r, v[1].s), &w)) != NULL)
            run_fail(r, "%s", why);
    }
    return VALUE_TRUTH(any);
}

bool version_method(struct run *r, const struct version *w, slice name, const struct value *args, size_t n, struct value *ret)
{
    const struct {
        const char *name;
        struct value v;
    } fields[] = {
        { "Major", VALUE_INT64((int64_t)w->major) }, { "Minor", VALUE_INT64((int64_t)w->minor) }, { "Patch", VALUE_INT64((int64_t)w->patch) },
        { "Prerelease", VALUE_STRING(w->pre) }, { "Metadata", VALUE_STRING(w->meta) }, { "Original", VALUE_STRING(w->original) },
    };
    static const char *const comparisons[] = { "Compare", "Equal", "LessThan", "GreaterThan" };
    size_t field = 0, other = 0;
    while (field < COUNT(fields) && !slice_eq(name, slice_of(fields[field].name)))
        field++;
    while (other < COUNT(comparisons) && !slice_eq(name, slice_of(comparisons[other])))
        other++;
    if (field == COUNT(fields) && other == COUNT(comparisons))
        return false;
    size_t want = other < COUNT(comparisons);
    if (n != want)
        run_fail(r, "wrong number of args for " SLF ": want %zu got %zu", SLA(name), want, n);
    if (!want)
        return *ret = fields[field].v, true;
    if (args[0].t != V_VERSION)
        run_fail(r, "wrong type for value; expected *semver.Version; got %s", value_type_name(args[0]));
    int c = compare(w, args[0].v);
    *ret = other == 0 ? VALUE_INT(c) : VALUE_TRUTH(other == 1 ? c == 0 : other == 2 ? c < 0 : c > 0);
    return true;
}

/* clang-format off */
static const struct function rows[] = { { "semver", "s", f_semver }, { "semverCompare", "ss", f_semver_compare } };
/* clang-format on */
const struct functions functions_version = { rows, COUNT(rows) };
