#include "template/regex-private.h"

enum { REPEAT_MOST = 1000, NEST_MOST = 200, RANGES_MOST = 4000 };
enum flag { FLAG_FOLD = 1, FLAG_DOT_ALL = 2, FLAG_LINES = 4, FLAG_LAZY = 8 };

static struct regex_tree *leaf(struct regex_compiler *c, enum tree_type t)
{
    struct regex_tree *n = run_alloc(c->r, sizeof(*n));
    *n = (struct regex_tree){ .t = t };
    return n;
}

static struct regex_tree *wrong(struct regex_compiler *c, const char *text)
{
    if (!c->error)
        c->error = text;
    c->at = c->s.n;
    return leaf(c, E_EMPTY);
}

bool regex_more(const struct regex_compiler *c)
{
    return c->at < c->s.n;
}

static bool eat(struct regex_compiler *c, const char *what)
{
    if (!slice_starts(slice_from(c->s, c->at), slice_of(what)))
        return false;
    c->at += strlen(what);
    return true;
}

static void set_add(struct regex_compiler *c, struct regex_set *s, uint32_t lo, uint32_t hi)
{
    if (s->n >= RANGES_MOST) {
        wrong(c, "expression too large");
        return;
    }
    if (s->n == s->cap) {
        size_t cap = MAX(s->cap * 2, (size_t)8);
        struct uc_range *to = run_alloc(c->r, cap * sizeof(*to));
        if (s->n)
            memcpy(to, s->r, s->n * sizeof(*to));
        s->r = to;
        s->cap = cap;
    }
    s->r[s->n++] = (struct uc_range){ lo, hi };
}

static const struct {
    slice name;
    const char *ranges; /* pairs of characters, ascending */
} ascii[] = {
    { SLI("alnum"), "09AZaz" }, { SLI("alpha"), "AZaz" }, { SLI("blank"), "\t\t  " }, { SLI("cntrl"), "\1\37\177\177" }, { SLI("digit"), "09" },
    { SLI("graph"), "!~" }, { SLI("lower"), "az" }, { SLI("print"), " ~" }, { SLI("punct"), "!/:@[`{~" }, { SLI("space"), "\t\r  " },
    { SLI("upper"), "AZ" }, { SLI("word"), "09AZ__az" }, { SLI("xdigit"), "09AFaf" }, { SLI("ascii"), "\1\177" }, { SLI("perl-space"), "\t\n\f\r  " },
};

static bool set_ascii(struct regex_compiler *c, struct regex_set *s, slice name, bool negated)
{
    for (size_t i = 0; i < COUNT(ascii); i++) {
        if (!slice_eq(name, ascii[i].name))
            continue;
        uint32_t next = 0;
        bool zero = slice_eq(name, SL("cntrl")) || slice_eq(name, SL("ascii"));
        struct uc_range got[8];
        size_t n = 0;
        for (const char *p = ascii[i].ranges; *p; p += 2)
            got[n++] = (struct uc_range){ zero && p == ascii[i].ranges ? 0 : (unsigned char)p[0], (unsigned char)p[1] };
        for (size_t k = 0; k < n; k++) {
            if (!negated)
                set_add(c, s, got[k].lo, got[k].hi);
            else if (got[k].lo > next)
                set_add(c, s, next, got[k].lo - 1);
            next = got[k].hi + 1;
        }
        if (negated)
            set_add(c, s, next, 0x10ffff);
        return true;
    }
    return false;
}

static bool set_perl(struct regex_compiler *c, struct regex_set *s, char letter)
{
    switch (letter | 32) {
    case 'd':
        return set_ascii(c, s, SL("digit"), letter == 'D');
    case 's':
        return set_ascii(c, s, SL("perl-space"), letter == 'S');
    case 'w':
        return set_ascii(c, s, SL("word"), letter == 'W');
    default:
        return false;
    }
}

static void set_property(struct regex_compiler *c, struct regex_set *s, bool negated) /* behind \p or \P */
{
    slice name;
    if (eat(c, "{")) {
        size_t end = slice_find_char(slice_from(c->s, c->at), '}');
        if (end == SIZE_MAX) {
            wrong(c, "invalid character class range");
            return;
        }
        name = slice_sub(c->s, c->at, end);
        c->at += end + 1;
        if (name.n && name.p[0] == '^')
            negated = !negated, name = slice_from(name, 1);
    } else {
        name = slice_sub(c->s, c->at, 1);
        c->at += name.n;
    }
    struct regex_set_class k = { .negated = negated };
    if (slice_eq(name, SL("Any")))
        set_add(c, s, negated ? 1 : 0, negated ? 0 : 0x10ffff);
    else if (!rune_class_find(name, &k.k))
        wrong(c, "invalid character class range");
    else if (s->n_classes == COUNT(s->classes))
        wrong(c, "expression too large");
    else
        s->classes[s->n_classes++] = k;
}

static bool escaped_rune(struct regex_compiler *c, uint32_t *ret) /* behind the backslash */
{
    static const char from[] = "afnrtv", to[] = "\a\f\n\r\t\v";
    if (!regex_more(c))
        return wrong(c, "trailing backslash at end of expression"), false;
    char x = c->s.p[c->at];
    const char *hit = x ? strchr(from, x) : NULL;
    if (hit)
        return c->at++, *ret = (unsigned char)to[hit - from], true;
    if (x == 'x') {
        c->at++;
        bool braces = eat(c, "{");
        uint32_t v = 0;
        int n = 0;
        for (; regex_more(c) && n < 8 && (braces || n < 2); n++, c->at++) {
            char h = c->s.p[c->at], l = (char)(h | 32);
            if (h >= '0' && h <= '9')
                v = v * 16 + (uint32_t)(h - '0');
            else if (l >= 'a' && l <= 'f')
                v = v * 16 + (uint32_t)(l - 'a' + 10);
            else
                break;
        }
        if (!n || (!braces && n < 2) || (braces && !eat(c, "}")) || v > 0x10ffff)
            return wrong(c, "invalid escape sequence"), false;
        return *ret = v, true;
    }
    if (x == '0' || (x >= '1' && x <= '7' && c->at + 1 < c->s.n && c->s.p[c->at + 1] >= '0' && c->s.p[c->at + 1] <= '7')) {
        uint32_t v = 0;
        for (int n = 0; n < 3 && regex_more(c) && c->s.p[c->at] >= '0' && c->s.p[c->at] <= '7'; n++)
            v = v * 8 + (uint32_t)(c->s.p[c->at++] - '0');
        return *ret = v, true;
    }
    uint32_t u = rune_next(c->s, &c->at);
    if (u < 0x80 && !rune_is_letter(u) && !rune_is_digit(u) && u != '_')
        return *ret = u, true;
    if (u == '_')
        return *ret = u, true;
    return wrong(c, "invalid escape sequence"), false;
}

static struct regex_tree *bracket(struct regex_compiler *c) /* behind '[' */
{
    struct regex_tree *n = leaf(c, E_SET);
    struct regex_set *s = run_alloc(c->r, sizeof(*s));
    memset(s, 0, sizeof(*s));
    s->negated = eat(c, "^");
    s->fold = c->flags & FLAG_FOLD;
    for (bool first = true; !c->error; first = false) {
        if (!regex_more(c))
            return wrong(c, "missing closing ]");
        if (!first && eat(c, "]"))
            break;
        if (eat(c, "[:")) {
            size_t end = slice_find(slice_from(c->s, c->at), SL(":]"));
            slice name = end == SIZE_MAX ? SL("") : slice_sub(c->s, c->at, end);
            bool negated = name.n && name.p[0] == '^';
            if (!set_ascii(c, s, slice_from(name, negated), negated))
                return wrong(c, "invalid character class range");
            c->at += end + 2;
            continue;
        }
        uint32_t lo, hi;
        if (c->s.p[c->at] == '\\') {
            char x = c->at + 1 < c->s.n ? c->s.p[c->at + 1] : 0;
            if (x && strchr("dDsSwW", x)) {
                c->at += 2;
                (void)set_perl(c, s, x);
                continue;
            }
            if (x == 'p' || x == 'P') {
                c->at += 2;
                set_property(c, s, x == 'P');
                continue;
            }
            c->at++;
            if (!escaped_rune(c, &lo))
                return leaf(c, E_EMPTY);
        } else {
            lo = rune_next(c->s, &c->at);
        }
        hi = lo;
        if (c->at + 1 < c->s.n && c->s.p[c->at] == '-' && c->s.p[c->at + 1] != ']') {
            c->at++;
            if (eat(c, "\\")) {
                if (!escaped_rune(c, &hi))
                    return leaf(c, E_EMPTY);
            } else {
                hi = rune_next(c->s, &c->at);
            }
            if (hi < lo)
                return wrong(c, "invalid character class range");
        }
        set_add(c, s, lo, hi);
    }
    n->set = s;
    return n;
}

static struct regex_tree *place(struct regex_compiler *c, enum op at)
{
    struct regex_tree *n = leaf(c, E_AT);
    n->at = at;
    return n;
}

static struct regex_tree *literal(struct regex_compiler *c, uint32_t rune)
{
    struct regex_tree *n = leaf(c, E_CHAR);
    n->c = rune;
    n->fold = c->flags & FLAG_FOLD;
    return n;
}

static struct regex_tree *group(struct regex_compiler *c) /* behind '(' */
{
    unsigned flags = c->flags;
    size_t number = 0;
    if (++c->depth > NEST_MOST)
        return wrong(c, "expression nests too deeply");
    if (eat(c, "?P<")) {
        size_t end = slice_find_char(slice_from(c->s, c->at), '>');
        slice name = end == SIZE_MAX ? SL("") : slice_sub(c->s, c->at, end);
        bool good = name.n != 0;
        for (size_t i = 0; i < name.n; i++)
            good &= ((name.p[i] | 32) >= 'a' && (name.p[i] | 32) <= 'z') || (name.p[i] >= '0' && name.p[i] <= '9') || name.p[i] == '_';
        if (!good || c->re->groups >= REGEX_GROUPS_MOST)
            return wrong(c, "invalid named capture");
        c->at += end + 1;
        number = c->re->groups++;
        c->re->names[number] = name;
    } else if (eat(c, "?")) {
        bool negative = false, any = false;
        for (;; any = true) {
            if (!regex_more(c))
                return wrong(c, "missing argument to repetition operator");
            char f = c->s.p[c->at++];
            unsigned bit = f == 'i' ? FLAG_FOLD : f == 's' ? FLAG_DOT_ALL : f == 'm' ? FLAG_LINES : f == 'U' ? FLAG_LAZY : 0;
            if (bit)
                flags = negative ? flags & ~bit : flags | bit;
            else if (f == '-' && !negative)
                negative = true;
            else if (f == ':')
                break;
            else if (f == ')' && any) { /* for the rest of the group around */
                c->flags = flags;
                c->depth--;
                return leaf(c, E_EMPTY);
            } else
                return wrong(c, "invalid or unsupported Perl syntax");
        }
    } else {
        if (c->re->groups >= REGEX_GROUPS_MOST)
            return wrong(c, "expression too large");
        number = c->re->groups++;
        c->re->names[number] = SL("");
    }
    unsigned before = c->flags;
    c->flags = flags;
    struct regex_tree *inner = regex_alternatives(c);
    c->flags = before;
    c->depth--;
    if (!c->error && !eat(c, ")"))
        return wrong(c, "missing closing )");
    if (!number)
        return inner;
    struct regex_tree *n = leaf(c, E_GROUP);
    n->group = number;
    n->l = inner;
    return n;
}

static struct regex_tree *backslash(struct regex_compiler *c)
{
    char x = regex_more(c) ? c->s.p[c->at] : 0;
    static const struct {
        char c;
        enum op op;
    } places[] = { { 'A', OP_START }, { 'z', OP_END }, { 'b', OP_WORD }, { 'B', OP_NO_WORD } };
    for (size_t i = 0; i < COUNT(places); i++)
        if (x == places[i].c)
            return c->at++, place(c, places[i].op);
    if (x == 'C')
        return wrong(c, "invalid escape sequence");
    if (x && strchr("dDsSwWpP", x)) {
        struct regex_tree *n = leaf(c, E_SET);
        struct regex_set *s = run_alloc(c->r, sizeof(*s));
        memset(s, 0, sizeof(*s));
        s->fold = c->flags & FLAG_FOLD;
        c->at++;
        if ((x | 32) == 'p')
            set_property(c, s, x == 'P');
        else
            (void)set_perl(c, s, x);
        n->set = s;
        return n;
    }
    uint32_t rune = 0;
    if (!escaped_rune(c, &rune))
        return leaf(c, E_EMPTY);
    return literal(c, rune);
}

static struct regex_tree *atom(struct regex_compiler *c)
{
    if (eat(c, "("))
        return group(c);
    if (eat(c, "["))
        return bracket(c);
    if (eat(c, "\\"))
        return backslash(c);
    if (eat(c, "^"))
        return place(c, c->flags & FLAG_LINES ? OP_LINE_START : OP_START);
    if (eat(c, "$"))
        return place(c, c->flags & FLAG_LINES ? OP_LINE_END : OP_END);
    if (eat(c, ".")) {
        struct regex_tree *n = leaf(c, E_ANY);
        n->c = (c->flags & FLAG_DOT_ALL) != 0;
        return n;
    }
    if (c->s.p[c->at] == '*' || c->s.p[c->at] == '+' || c->s.p[c->at] == '?')
        return wrong(c, "missing argument to repetition operator");
    return literal(c, rune_next(c->s, &c->at));
}

static bool count_at(struct regex_compiler *c, int *ret)
{
    size_t from = c->at;
    *ret = 0;
    for (; regex_more(c) && c->s.p[c->at] >= '0' && c->s.p[c->at] <= '9'; c->at++)
        *ret = MIN(*ret * 10 + (c->s.p[c->at] - '0'), 100000);
    return c->at > from;
}

static bool repetition(struct regex_compiler *c, int *min, int *max)
{
    if (eat(c, "*"))
        return *min = 0, *max = -1, true;
    if (eat(c, "+"))
        return *min = 1, *max = -1, true;
    if (eat(c, "?"))
        return *min = 0, *max = 1, true;
    size_t back = c->at;
    if (eat(c, "{") && count_at(c, min)) {
        *max = *min;
        if (eat(c, ",") && !count_at(c, max))
            *max = -1;
        if (eat(c, "}")) {
            if (*min > REPEAT_MOST || *max > REPEAT_MOST || (*max >= 0 && *max < *min))
                (void)wrong(c, "invalid repeat count");
            return true;
        }
    }
    c->at = back; /* no count: an ordinary brace */
    return false;
}

/* Of \Q…\E each sign is an atom of its own: what is repeated behind it is the last one. */
static void quotes(struct regex_compiler *c)
{
    while (eat(c, c->quoted ? "\\E" : "\\Q"))
        c->quoted = !c->quoted;
}

static bool sequence_more(struct regex_compiler *c)
{
    quotes(c);
    return regex_more(c) && !c->error && (c->quoted || (c->s.p[c->at] != '|' && c->s.p[c->at] != ')'));
}

static struct regex_tree *sequence(struct regex_compiler *c)
{
    struct regex_tree *all = NULL;
    while (sequence_more(c)) {
        struct regex_tree *n = c->quoted ? literal(c, rune_next(c->s, &c->at)) : atom(c);
        int min, max;
        quotes(c);
        for (int times = 0; !c->quoted && regex_more(c) && !c->error && repetition(c, &min, &max); times++) {
            if (times)
                return wrong(c, "invalid nested repetition operator");
            struct regex_tree *rep = leaf(c, E_REPEAT);
            rep->l = n;
            rep->min = min;
            rep->max = max;
            rep->lazy = eat(c, "?") != ((c->flags & FLAG_LAZY) != 0);
            n = rep;
        }
        if (all) {
            struct regex_tree *cat = leaf(c, E_CAT);
            cat->l = all;
            cat->r = n;
            n = cat;
        }
        all = n;
    }
    return all ? all : leaf(c, E_EMPTY);
}

struct regex_tree *regex_alternatives(struct regex_compiler *c)
{
    struct regex_tree *n = sequence(c);
    while (!c->error && eat(c, "|")) {
        struct regex_tree *alt = leaf(c, E_ALT);
        alt->l = n;
        alt->r = sequence(c);
        n = alt;
    }
    return n;
}
