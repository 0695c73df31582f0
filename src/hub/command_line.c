#include "hub/command_line.h"

/* Every pair of quotes that a keyboard, an editor or a desk may make of "…". */
static const struct {
    slice open, close;
} quotes[] = {
    { SLI("\""), SLI("\"") },
    { SLI("'"), SLI("'") },
    { SLI("\xe2\x80\x9c"), SLI("\xe2\x80\x9d") }, /* “ ” */
    { SLI("\xe2\x80\x9e"), SLI("\xe2\x80\x9c") }, /* „ “ */
    { SLI("\xe2\x80\x9d"), SLI("\xe2\x80\x9d") }, /* ” ” */
    { SLI("\xe2\x80\x98"), SLI("\xe2\x80\x99") }, /* ‘ ’ */
    { SLI("\xc2\xab"), SLI("\xc2\xbb") },         /* « » */
};

struct reading {
    struct arena *a;
    slice all;
    size_t at;
    struct fault *f;
};

static size_t where(const struct reading *r, size_t at)
{
    return utf8_len(slice_sub(r->all, 0, at)) + 1;
}

/* Blanks, and no-break spaces, which desks make of two blanks. */
static size_t blank(slice s)
{
    if (s.n && (s.p[0] == ' ' || s.p[0] == '\t' || s.p[0] == '\r' || s.p[0] == '\n'))
        return 1;
    return slice_starts(s, SL("\xc2\xa0")) ? 2 : slice_starts(s, SL("\xe3\x80\x80")) ? 3 : 0;
}

static slice left(const struct reading *r)
{
    return slice_from(r->all, r->at);
}

static void skip(struct reading *r)
{
    for (size_t n; (n = blank(left(r))) != 0;)
        r->at += n;
}

static slice trim(slice s)
{
    for (size_t n; (n = blank(s)) != 0;)
        s = slice_from(s, n);
    for (bool more = true; more && s.n;) {
        more = false;
        for (size_t n = 1; n <= 3 && n <= s.n && !more; n++)
            more = blank(slice_from(s, s.n - n)) == n;
        for (size_t n = 3; more && n >= 1; n--)
            if (n <= s.n && blank(slice_from(s, s.n - n)) == n) {
                s.n -= n;
                break;
            }
    }
    return s;
}

bool command_prefixed(slice text, slice prefix, slice *ret_line)
{
    text = trim(text);
    if (!prefix.n || !slice_starts(text, prefix))
        return false;
    *ret_line = trim(slice_from(text, prefix.n));
    return true;
}

static bool is_name_sign(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' || (unsigned char)c >= 0x80;
}

static slice word(struct reading *r)
{
    size_t from = r->at;
    while (r->at < r->all.n && is_name_sign(r->all.p[r->at]) && !blank(left(r)))
        r->at++;
    return slice_sub(r->all, from, r->at - from);
}

bool command_read(struct arena *a, slice line, struct command_line *ret, struct fault *f)
{
    struct reading r = { a, line, 0, f };
    skip(&r);
    slice name = word(&r);
    if (!name.n)
        return fault(f, "bad_command", "", "there is no command behind the prefix");
    if (name.n > COMMAND_NAME_BYTES)
        return fault(f, "bad_command", "", "no command has such a long name");
    *ret = (struct command_line){ arena_lower(a, name), trim(left(&r)) };
    return true;
}

/* At an opening quote: which one, or -1. */
static int quote_at(slice s)
{
    for (size_t i = 0; i < COUNT(quotes); i++)
        if (slice_starts(s, quotes[i].open))
            return (int)i;
    return -1;
}

static bool quoted(struct reading *r, int kind, size_t max, slice *ret)
{
    size_t began = r->at;
    slice close = quotes[kind].close;
    struct text t = text_new(r->a, max);
    for (r->at += quotes[kind].open.n; r->at < r->all.n;) {
        slice s = left(r);
        if (s.p[0] == '\\' && s.n > 1) {
            size_t n = 2;
            while (n < s.n && ((unsigned char)s.p[n] & 0xc0) == 0x80)
                n++;
            if (s.p[1] == 'n' || s.p[1] == 't')
                text_char(&t, s.p[1] == 'n' ? '\n' : '\t');
            else if (s.p[1] == '\\' || quote_at(slice_from(s, 1)) >= 0 || slice_starts(slice_from(s, 1), close))
                text_put(&t, slice_sub(s, 1, n - 1));
            else
                text_put(&t, slice_sub(s, 0, n)); /* \d and the like: what was written */
            r->at += n;
        } else if (slice_starts(s, close)) {
            r->at += close.n;
            if (!slice_starts(left(r), close)) {
                *ret = text_slice(&t);
                return !t.over || fault(r->f, "bad_command", "", "what stands in the quotes from character %zu on is longer than %zu bytes", where(r, began), max);
            }
            text_put(&t, close); /* written twice */
            r->at += close.n;
        } else {
            text_char(&t, s.p[0]);
            r->at++;
        }
    }
    return fault(r->f, "bad_command", "", "the quote at character %zu is not closed", where(r, began));
}

/* The word "with" here, as a word of its own? */
static bool at_with(const struct reading *r)
{
    slice s = left(r);
    return slice_eq_nocase(slice_sub(s, 0, 4), SL("with")) && (s.n == 4 || blank(slice_from(s, 4)));
}

static bool thing(struct reading *r, slice *ret)
{
    int kind = quote_at(left(r));
    if (kind >= 0)
        return quoted(r, kind, COMMAND_THING_BYTES, ret);
    size_t from = r->at;
    while (r->at < r->all.n && !((r->at == from || blank(slice_from(r->all, r->at - 1))) && at_with(r)))
        r->at++;
    *ret = trim(slice_sub(r->all, from, r->at - from));
    return ret->n <= COMMAND_THING_BYTES || fault(r->f, "bad_command", "", "there is no such long name");
}

static bool pair(struct reading *r, struct template_pair *ret)
{
    size_t from = r->at;
    ret->name = word(r);
    if (!ret->name.n) {
        size_t n = 1;
        while (n < left(r).n && ((unsigned char)left(r).p[n] & 0xc0) == 0x80)
            n++;
        return fault(r->f, "bad_command", "", "name=\"value\" is expected at character %zu, not " SLF, where(r, from), SLA(slice_sub(left(r), 0, n)));
    }
    skip(r);
    if (!slice_starts(left(r), SL("=")))
        return fault(r->f, "bad_command", "", "\"=\" is missing behind \"" SLF "\" (character %zu): " SLF "=\"…\"", SLA(utf8_cut_bytes(ret->name, 40)), where(r, from),
                     SLA(utf8_cut_bytes(ret->name, 40)));
    r->at++;
    skip(r);
    int kind = quote_at(left(r));
    if (kind >= 0)
        return quoted(r, kind, COMMAND_VALUE_BYTES, &ret->value);
    size_t began = r->at;
    while (r->at < r->all.n && !blank(left(r)) && r->all.p[r->at] != ',')
        r->at++;
    ret->value = slice_sub(r->all, began, r->at - began);
    return true;
}

static bool add(struct reading *r, struct command_object *to, const struct template_pair *p)
{
    for (size_t i = 0; i < to->n; i++)
        if (slice_eq(to->values[i].name, p->name)) {
            to->values[i].value = p->value;
            return true;
        }
    if (to->n == COMMAND_VALUES_MAX)
        return fault(r->f, "bad_command", "", "more than %d values", COMMAND_VALUES_MAX);
    to->values[to->n++] = *p;
    return true;
}

bool command_read_object(struct arena *a, slice rest, struct command_object *ret, struct fault *f)
{
    struct reading r = { a, rest, 0, f };
    ret->n = 0;
    skip(&r);
    if (r.at == r.all.n)
        return fault(f, "bad_command", "", "a name in quotes is missing");
    if (!thing(&r, &ret->thing))
        return false;
    if (!trim(ret->thing).n)
        return fault(f, "bad_command", "", "the name in quotes is empty");
    skip(&r);
    if (at_with(&r)) {
        r.at += 4;
        skip(&r);
    }
    while (r.at < r.all.n) {
        struct template_pair p = { 0 };
        if (!pair(&r, &p) || !add(&r, ret, &p))
            return false;
        skip(&r);
        while (slice_starts(left(&r), SL(","))) {
            r.at++;
            skip(&r);
        }
    }
    return true;
}
