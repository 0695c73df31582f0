#include "template/regex.h"
#include "template/unicode.h"

enum op { OP_SET, OP_ANY, OP_CHAR, OP_MATCH, OP_JUMP, OP_SPLIT, OP_SAVE, OP_LINE_START, OP_LINE_END, OP_START, OP_END, OP_WORD, OP_NO_WORD, OP_FAIL };
enum flag { FLAG_FOLD = 1, FLAG_DOT_ALL = 2, FLAG_LINES = 4, FLAG_LAZY = 8 };
enum { REPEAT_MOST = 1000, NEST_MOST = 200, GROUPS_MOST = 100, RANGES_MOST = 4000, REGEXES_KEPT = 16 };

struct set { /* of code points */
    bool negated, fold;
    size_t n, cap, n_classes;
    struct uc_range *r;
    struct set_class {
        struct rune_class k;
        bool negated;
    } classes[8];
};
struct inst {
    enum op op;
    uint32_t c; /* OP_CHAR: the code point; OP_SAVE: the slot; OP_ANY: 1 = also line ends */
    int x, y;   /* where to go, x preferred */
    const struct set *set;
    bool fold;
};
enum { INSTS_MOST = TEMPLATE_PROGRAM_BYTES / (int)sizeof(struct inst) };

enum tree_type { E_EMPTY, E_CHAR, E_ANY, E_SET, E_CAT, E_ALT, E_REPEAT, E_GROUP, E_AT };
struct tree {
    enum tree_type t;
    uint32_t c;
    enum op at;
    bool fold, lazy;
    int min, max; /* max -1: no end */
    size_t group;
    const struct set *set;
    struct tree *l, *r;
};
struct regex {
    struct inst *prog;
    int n, cap, start;
    size_t groups;
    slice names[GROUPS_MOST];
    slice pattern;
    struct regex *next;  /* compiled before in this rendering */
    struct match *match; /* room for matching, taken when it is needed first */
};
struct compiler {
    struct run *r;
    slice s;
    size_t at;
    unsigned flags;
    int depth;
    struct regex *re;
    const char *error;
};

static struct tree *alternatives(struct compiler *c);

static struct tree *leaf(struct compiler *c, enum tree_type t)
{
    struct tree *n = run_alloc(c->r, sizeof(*n));
    *n = (struct tree){ .t = t };
    return n;
}

static struct tree *wrong(struct compiler *c, const char *text)
{
    if (!c->error)
        c->error = text;
    c->at = c->s.n;
    return leaf(c, E_EMPTY);
}

static bool more(const struct compiler *c)
{
    return c->at < c->s.n;
}

static bool eat(struct compiler *c, const char *what)
{
    if (!slice_starts(slice_from(c->s, c->at), slice_of(what)))
        return false;
    c->at += strlen(what);
    return true;
}

static void set_add(struct compiler *c, struct set *s, uint32_t lo, uint32_t hi)
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
    const char *ranges; /* pairs of characters */
} ascii[] = {
    { SLI("alnum"), "09AZaz" }, { SLI("alpha"), "AZaz" }, { SLI("blank"), "\t\t  " }, { SLI("cntrl"), "\1\37\177\177" }, { SLI("digit"), "09" },
    { SLI("graph"), "!~" }, { SLI("lower"), "az" }, { SLI("print"), " ~" }, { SLI("punct"), "!/:@[`{~" }, { SLI("space"), "\t\r  " },
    { SLI("upper"), "AZ" }, { SLI("word"), "09AZaz__" }, { SLI("xdigit"), "09AFaf" }, { SLI("ascii"), "\1\177" }, { SLI("perl-space"), "\t\n\f\r  " },
};

static bool set_ascii(struct compiler *c, struct set *s, slice name, bool negated)
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

static bool set_perl(struct compiler *c, struct set *s, char letter)
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

static void set_property(struct compiler *c, struct set *s, bool negated) /* behind \p or \P */
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
    struct set_class k = { .negated = negated };
    if (slice_eq(name, SL("Any")))
        set_add(c, s, negated ? 1 : 0, negated ? 0 : 0x10ffff);
    else if (!rune_class_find(name, &k.k))
        wrong(c, "invalid character class range");
    else if (s->n_classes == COUNT(s->classes))
        wrong(c, "expression too large");
    else
        s->classes[s->n_classes++] = k;
}

static bool escaped_rune(struct compiler *c, uint32_t *ret) /* behind the backslash */
{
    static const char from[] = "afnrtv", to[] = "\a\f\n\r\t\v";
    if (!more(c))
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
        for (; more(c) && n < 8 && (braces || n < 2); n++, c->at++) {
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
        for (int n = 0; n < 3 && more(c) && c->s.p[c->at] >= '0' && c->s.p[c->at] <= '7'; n++)
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

static struct tree *bracket(struct compiler *c) /* behind '[' */
{
    struct tree *n = leaf(c, E_SET);
    struct set *s = run_alloc(c->r, sizeof(*s));
    memset(s, 0, sizeof(*s));
    s->negated = eat(c, "^");
    s->fold = c->flags & FLAG_FOLD;
    for (bool first = true; !c->error; first = false) {
        if (!more(c))
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

static struct tree *place(struct compiler *c, enum op at)
{
    struct tree *n = leaf(c, E_AT);
    n->at = at;
    return n;
}

static struct tree *literal(struct compiler *c, uint32_t rune)
{
    struct tree *n = leaf(c, E_CHAR);
    n->c = rune;
    n->fold = c->flags & FLAG_FOLD;
    return n;
}

static struct tree *group(struct compiler *c) /* behind '(' */
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
        for (size_t i = 0; i < c->re->groups; i++)
            good &= !slice_eq(c->re->names[i], name) || !name.n;
        if (!good || c->re->groups >= GROUPS_MOST)
            return wrong(c, "invalid named capture");
        c->at += end + 1;
        number = c->re->groups++;
        c->re->names[number] = name;
    } else if (eat(c, "?")) {
        bool negative = false, any = false;
        for (;; any = true) {
            if (!more(c))
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
        if (c->re->groups >= GROUPS_MOST)
            return wrong(c, "expression too large");
        number = c->re->groups++;
        c->re->names[number] = SL("");
    }
    unsigned before = c->flags;
    c->flags = flags;
    struct tree *inner = alternatives(c);
    c->flags = before;
    c->depth--;
    if (!c->error && !eat(c, ")"))
        return wrong(c, "missing closing )");
    if (!number)
        return inner;
    struct tree *n = leaf(c, E_GROUP);
    n->group = number;
    n->l = inner;
    return n;
}

static struct tree *backslash(struct compiler *c)
{
    char x = more(c) ? c->s.p[c->at] : 0;
    static const struct {
        char c;
        enum op op;
    } places[] = { { 'A', OP_START }, { 'z', OP_END }, { 'b', OP_WORD }, { 'B', OP_NO_WORD } };
    for (size_t i = 0; i < COUNT(places); i++)
        if (x == places[i].c)
            return c->at++, place(c, places[i].op);
    if (x == 'Q') {
        c->at++;
        struct tree *all = leaf(c, E_EMPTY);
        while (more(c) && !eat(c, "\\E")) {
            struct tree *cat = leaf(c, E_CAT);
            cat->l = all;
            cat->r = literal(c, rune_next(c->s, &c->at));
            all = cat;
        }
        return all;
    }
    if (x == 'C')
        return wrong(c, "invalid escape sequence");
    if (x && strchr("dDsSwWpP", x)) {
        struct tree *n = leaf(c, E_SET);
        struct set *s = run_alloc(c->r, sizeof(*s));
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

static struct tree *atom(struct compiler *c)
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
        struct tree *n = leaf(c, E_ANY);
        n->c = (c->flags & FLAG_DOT_ALL) != 0;
        return n;
    }
    if (c->s.p[c->at] == '*' || c->s.p[c->at] == '+' || c->s.p[c->at] == '?')
        return wrong(c, "missing argument to repetition operator");
    return literal(c, rune_next(c->s, &c->at));
}

static bool count_at(struct compiler *c, int *ret)
{
    size_t from = c->at;
    *ret = 0;
    for (; more(c) && c->s.p[c->at] >= '0' && c->s.p[c->at] <= '9'; c->at++)
        *ret = MIN(*ret * 10 + (c->s.p[c->at] - '0'), 100000);
    return c->at > from;
}

static bool repetition(struct compiler *c, int *min, int *max)
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

static struct tree *sequence(struct compiler *c)
{
    struct tree *all = NULL;
    while (more(c) && c->s.p[c->at] != '|' && c->s.p[c->at] != ')' && !c->error) {
        struct tree *n = atom(c);
        int min, max;
        for (int times = 0; more(c) && !c->error && repetition(c, &min, &max); times++) {
            if (times)
                return wrong(c, "invalid nested repetition operator");
            struct tree *rep = leaf(c, E_REPEAT);
            rep->l = n;
            rep->min = min;
            rep->max = max;
            rep->lazy = eat(c, "?") != ((c->flags & FLAG_LAZY) != 0);
            n = rep;
        }
        if (all) {
            struct tree *cat = leaf(c, E_CAT);
            cat->l = all;
            cat->r = n;
            n = cat;
        }
        all = n;
    }
    return all ? all : leaf(c, E_EMPTY);
}

static struct tree *alternatives(struct compiler *c)
{
    struct tree *n = sequence(c);
    while (!c->error && eat(c, "|")) {
        struct tree *alt = leaf(c, E_ALT);
        alt->l = n;
        alt->r = sequence(c);
        n = alt;
    }
    return n;
}

/* ---- program: each emit returns where the piece begins; it goes on at `next` ----------------------------------------- */

static int put(struct compiler *c, struct inst i)
{
    if (c->re->n >= INSTS_MOST) {
        c->error = "expression too large";
        return 0;
    }
    run_step(c->r, 1);
    if (c->re->n == c->re->cap) {
        int cap = MIN(MAX(c->re->cap * 2, 32), INSTS_MOST);
        struct inst *to = run_alloc(c->r, sizeof(*to) * (size_t)cap);
        if (c->re->n)
            memcpy(to, c->re->prog, sizeof(*to) * (size_t)c->re->n);
        c->re->prog = to;
        c->re->cap = cap;
    }
    c->re->prog[c->re->n] = i;
    return c->re->n++;
}

static int emit(struct compiler *c, const struct tree *n, int next)
{
    int loop;
    run_step(c->r, 1); /* what is empty emits nothing and could be repeated without end */
    if (c->error)
        return 0;
    switch (n->t) {
    case E_EMPTY:
        return next;
    case E_CHAR:
        return put(c, (struct inst){ .op = OP_CHAR, .c = n->c, .fold = n->fold, .x = next });
    case E_ANY:
        return put(c, (struct inst){ .op = OP_ANY, .c = n->c, .x = next });
    case E_SET:
        return put(c, (struct inst){ .op = OP_SET, .set = n->set, .x = next });
    case E_AT:
        return put(c, (struct inst){ .op = n->at, .x = next });
    case E_CAT: { /* the left spine is walked, not recursed into: a long pattern is a long spine */
        while (n->t == E_CAT) {
            next = emit(c, n->r, next);
            n = n->l;
        }
        return emit(c, n, next);
    }
    case E_ALT: {
        int right = emit(c, n->r, next), left;
        while (n->l->t == E_ALT) { /* likewise */
            n = n->l;
            right = put(c, (struct inst){ .op = OP_SPLIT, .x = emit(c, n->r, next), .y = right });
        }
        left = emit(c, n->l, next);
        return put(c, (struct inst){ .op = OP_SPLIT, .x = left, .y = right });
    }
    case E_GROUP: {
        int end = put(c, (struct inst){ .op = OP_SAVE, .c = (uint32_t)n->group * 2 + 1, .x = next });
        return put(c, (struct inst){ .op = OP_SAVE, .c = (uint32_t)n->group * 2, .x = emit(c, n->l, end) });
    }
    case E_REPEAT:
        break;
    }
    if (n->max < 0) {
        loop = put(c, (struct inst){ .op = OP_SPLIT });
        int body = emit(c, n->l, loop);
        c->re->prog[loop].x = n->lazy ? next : body;
        c->re->prog[loop].y = n->lazy ? body : next;
        next = n->min && n->min == 1 ? body : loop;
        for (int i = n->min == 1 ? 1 : 0; i < n->min && !c->error; i++)
            next = emit(c, n->l, next);
        return next;
    }
    int end = next;
    for (int i = n->min; i < n->max && !c->error; i++) {
        int body = emit(c, n->l, next);
        next = put(c, (struct inst){ .op = OP_SPLIT, .x = n->lazy ? end : body, .y = n->lazy ? body : end });
    }
    for (int i = 0; i < n->min && !c->error; i++)
        next = emit(c, n->l, next);
    return next;
}

struct regex *regex_compile(struct run *r, slice pattern, const char **ret_error)
{
    if (pattern.n > TEMPLATE_PATTERN_BYTES)
        run_limit(r, "regular expression");
    int kept = 0;
    for (struct regex *re = r->regexes; re; re = re->next, kept++)
        if (slice_eq(re->pattern, pattern))
            return re;
    struct regex *re = run_alloc(r, sizeof(*re));
    memset(re, 0, sizeof(*re));
    re->groups = 1;
    re->pattern = pattern;
    struct compiler c = { .r = r, .s = pattern, .re = re };
    if (!utf8_valid(pattern))
        return *ret_error = "invalid UTF-8", NULL;
    struct tree *n = alternatives(&c);
    if (!c.error && more(&c))
        c.error = "unexpected )";
    if (!c.error) {
        int match = put(&c, (struct inst){ .op = OP_MATCH });
        int end = put(&c, (struct inst){ .op = OP_SAVE, .c = 1, .x = match });
        re->start = emit(&c, n, end);
    }
    *ret_error = c.error;
    if (!c.error && kept < REGEXES_KEPT) {
        re->next = r->regexes;
        r->regexes = re;
    }
    return c.error ? NULL : re;
}

size_t regex_groups(const struct regex *re)
{
    return re->groups;
}

slice regex_group_name(const struct regex *re, size_t group)
{
    return re->names[group];
}

/* ---- matching ---------------------------------------------------------------------------------------------------- */

static bool in_set_plain(const struct set *s, uint32_t c)
{
    for (size_t i = 0; i < s->n; i++)
        if (c >= s->r[i].lo && c <= s->r[i].hi)
            return true;
    for (size_t i = 0; i < s->n_classes; i++)
        if (rune_in_class(c, &s->classes[i].k) != s->classes[i].negated)
            return true;
    return false;
}

static bool in_set(const struct set *s, uint32_t c)
{
    bool hit = in_set_plain(s, c) || (s->fold && (in_set_plain(s, rune_lower(c)) || in_set_plain(s, rune_upper(c))));
    return hit != s->negated;
}

static uint32_t folded(uint32_t c)
{
    return rune_lower(rune_upper(c));
}

struct thread { /* caps NULL: it only passed by */
    int pc;
    size_t *caps;
};
struct threads {
    struct thread *v;
    int n;
    int *sparse;
};
struct match {
    struct run *r;
    const struct regex *re;
    slice s;
    struct threads a, b;
    size_t *first;
    size_t slots;
    size_t **spare; /* capture arrays nobody uses */
    int n_spare;
    struct jump {
        int pc;
        uint32_t slot; /* UINT32_MAX: go to pc; else: the slot gets its old value back */
        size_t old;
    } *stack;
};

static bool word_at(slice s, size_t at)
{
    if (at >= s.n)
        return false;
    char c = s.p[at];
    return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '_';
}

static bool holds_at(const struct match *m, enum op op, size_t at)
{
    bool before = at && word_at(m->s, at - 1), after = word_at(m->s, at);
    switch ((int)op) {
    case OP_START:
        return at == 0;
    case OP_END:
        return at == m->s.n;
    case OP_LINE_START:
        return at == 0 || m->s.p[at - 1] == '\n';
    case OP_LINE_END:
        return at == m->s.n || m->s.p[at] == '\n';
    case OP_WORD:
        return before != after;
    default:
        return before == after;
    }
}

/* Follows what costs no character, in order of preference. */
static void follow(struct match *m, struct threads *to, int pc, size_t at, size_t *caps)
{
    int depth = 0;
    m->stack[depth++] = (struct jump){ pc, UINT32_MAX, 0 };
    while (depth) {
        struct jump j = m->stack[--depth];
        if (j.slot != UINT32_MAX) {
            caps[j.slot] = j.old;
            continue;
        }
        int at_pc = j.pc, place = to->sparse[at_pc];
        if (place < to->n && to->v[place].pc == at_pc)
            continue;
        to->sparse[at_pc] = to->n;
        to->v[to->n++] = (struct thread){ at_pc, NULL };
        const struct inst *i = &m->re->prog[at_pc];
        run_step(m->r, 1);
        switch (i->op) {
        case OP_SPLIT:
            m->stack[depth++] = (struct jump){ i->y, UINT32_MAX, 0 };
            m->stack[depth++] = (struct jump){ i->x, UINT32_MAX, 0 };
            break;
        case OP_JUMP:
            m->stack[depth++] = (struct jump){ i->x, UINT32_MAX, 0 };
            break;
        case OP_SAVE:
            m->stack[depth++] = (struct jump){ 0, i->c, caps[i->c] };
            caps[i->c] = at;
            m->stack[depth++] = (struct jump){ i->x, UINT32_MAX, 0 };
            break;
        case OP_START:
        case OP_END:
        case OP_LINE_START:
        case OP_LINE_END:
        case OP_WORD:
        case OP_NO_WORD:
            if (holds_at(m, i->op, at))
                m->stack[depth++] = (struct jump){ i->x, UINT32_MAX, 0 };
            break;
        case OP_CHAR:
        case OP_ANY:
        case OP_SET:
        case OP_MATCH: {
            size_t *mine = m->n_spare ? m->spare[--m->n_spare] : run_alloc(m->r, m->slots * sizeof(size_t));
            memcpy(mine, caps, m->slots * sizeof(size_t));
            to->v[to->n - 1].caps = mine;
            break;
        }
        case OP_FAIL:
            break;
        }
    }
}

static bool takes(const struct inst *i, uint32_t c)
{
    switch ((int)i->op) {
    case OP_CHAR:
        return c == i->c || (i->fold && folded(c) == folded(i->c));
    case OP_ANY:
        return i->c || c != '\n';
    case OP_SET:
        return in_set(i->set, c);
    default:
        return false;
    }
}

static void give_back(struct match *m, struct threads *t)
{
    for (int i = 0; i < t->n; i++)
        if (t->v[i].caps)
            m->spare[m->n_spare++] = t->v[i].caps;
    t->n = 0;
}

static struct match *match_of(struct run *r, struct regex *re)
{
    if (re->match)
        return re->match;
    struct match *m = re->match = run_alloc(r, sizeof(*m));
    size_t n = (size_t)re->n;
    *m = (struct match){ .r = r, .re = re, .slots = re->groups * 2 };
    m->spare = run_alloc(r, (2 * n + 4) * sizeof(size_t *));
    m->stack = run_alloc(r, (2 * n + 8) * sizeof(*m->stack));
    struct threads *both[] = { &m->a, &m->b };
    for (size_t i = 0; i < COUNT(both); i++) {
        both[i]->v = run_alloc(r, n * sizeof(*both[i]->v));
        both[i]->sparse = run_alloc(r, n * sizeof(int));
        memset(both[i]->sparse, 0, n * sizeof(int));
    }
    m->first = run_alloc(r, m->slots * sizeof(size_t));
    return m;
}

bool regex_find(struct run *r, struct regex *re, slice s, size_t from, size_t *caps)
{
    if (s.n > TEMPLATE_SUBJECT_BYTES)
        run_limit(r, "regular expression subject");
    struct match *m = match_of(r, re);
    struct threads *now = &m->a, *next = &m->b;
    size_t slots = m->slots, *first = m->first;
    m->s = s;
    bool found = false;
    for (size_t at = from;;) {
        if (!found) {
            for (size_t i = 0; i < slots; i++)
                first[i] = SIZE_MAX;
            first[0] = at;
            follow(m, now, re->start, at, first);
        }
        if (!now->n)
            break;
        size_t after = at;
        uint32_t c = at < s.n ? rune_next(s, &after) : 0;
        for (int i = 0; i < now->n; i++) {
            struct thread *t = &now->v[i];
            if (!t->caps)
                continue;
            run_step(r, 1);
            if (re->prog[t->pc].op == OP_MATCH) { /* those behind are worse */
                memcpy(caps, t->caps, slots * sizeof(size_t));
                found = true;
                break;
            }
            if (at < s.n && takes(&re->prog[t->pc], c))
                follow(m, next, re->prog[t->pc].x, after, t->caps);
        }
        give_back(m, now);
        struct threads *swap = now;
        now = next;
        next = swap;
        if (at >= s.n || (found && !now->n))
            break;
        at = after;
    }
    give_back(m, now);
    return found;
}
