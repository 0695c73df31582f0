#include "template/regex-private.h"

enum { REGEXES_KEPT = 16, INSTS_MOST = TEMPLATE_PROGRAM_BYTES / (int)sizeof(struct regex_inst) };

/* ---- program: each emit returns where the piece begins; it goes on at `next` ----------------------------------------- */

static int put(struct regex_compiler *c, struct regex_inst i)
{
    if (c->re->n >= INSTS_MOST) {
        c->error = "expression too large";
        return 0;
    }
    run_step(c->r, 1);
    if (c->re->n == c->re->cap) {
        int cap = MIN(MAX(c->re->cap * 2, 32), INSTS_MOST);
        struct regex_inst *to = run_alloc(c->r, sizeof(*to) * (size_t)cap);
        if (c->re->n)
            memcpy(to, c->re->prog, sizeof(*to) * (size_t)c->re->n);
        c->re->prog = to;
        c->re->cap = cap;
    }
    c->re->prog[c->re->n] = i;
    return c->re->n++;
}

static bool can_be_empty(struct regex_compiler *c, const struct regex_tree *n)
{
    bool so = true;
    run_step(c->r, 1);
    switch (n->t) {
    case E_CHAR:
    case E_ANY:
    case E_SET:
        return false;
    case E_EMPTY:
    case E_AT:
        return true;
    case E_CAT:
        for (; so && n->t == E_CAT; n = n->l) /* spines are walked, here, too */
            so = can_be_empty(c, n->r);
        return so && can_be_empty(c, n);
    case E_ALT:
        for (; n->t == E_ALT; n = n->l)
            if (can_be_empty(c, n->r))
                return true;
        return can_be_empty(c, n);
    case E_GROUP:
        return can_be_empty(c, n->l);
    case E_REPEAT:
        break;
    }
    return !n->min || can_be_empty(c, n->l);
}

static int emit(struct regex_compiler *c, const struct regex_tree *n, int next)
{
    int loop;
    run_step(c->r, 1); /* what is empty emits nothing and could be repeated without end */
    if (c->error)
        return 0;
    switch (n->t) {
    case E_EMPTY:
        return next;
    case E_CHAR:
        return put(c, (struct regex_inst){ .op = OP_CHAR, .c = n->c, .fold = n->fold, .x = next });
    case E_ANY:
        return put(c, (struct regex_inst){ .op = OP_ANY, .c = n->c, .x = next });
    case E_SET:
        return put(c, (struct regex_inst){ .op = OP_SET, .set = n->set, .x = next });
    case E_AT:
        return put(c, (struct regex_inst){ .op = n->at, .x = next });
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
            right = put(c, (struct regex_inst){ .op = OP_SPLIT, .x = emit(c, n->r, next), .y = right });
        }
        left = emit(c, n->l, next);
        return put(c, (struct regex_inst){ .op = OP_SPLIT, .x = left, .y = right });
    }
    case E_GROUP: {
        int end = put(c, (struct regex_inst){ .op = OP_SAVE, .c = (uint32_t)n->group * 2 + 1, .x = next });
        return put(c, (struct regex_inst){ .op = OP_SAVE, .c = (uint32_t)n->group * 2, .x = emit(c, n->l, end) });
    }
    case E_REPEAT:
        break;
    }
    if (n->max < 0) { /* x{2,} is xx+, and what can be empty (x+)?, as in Go: it shows in what lazy and empty bodies prefer */
        loop = put(c, (struct regex_inst){ .op = OP_SPLIT });
        int body = emit(c, n->l, loop);
        c->re->prog[loop].x = n->lazy ? next : body;
        c->re->prog[loop].y = n->lazy ? body : next;
        if (!n->min && can_be_empty(c, n->l))
            return put(c, (struct regex_inst){ .op = OP_SPLIT, .x = n->lazy ? next : body, .y = n->lazy ? body : next });
        next = n->min ? body : loop;
        for (int i = 1; i < n->min && !c->error; i++)
            next = emit(c, n->l, next);
        return next;
    }
    int end = next;
    for (int i = n->min; i < n->max && !c->error; i++) {
        int body = emit(c, n->l, next);
        next = put(c, (struct regex_inst){ .op = OP_SPLIT, .x = n->lazy ? end : body, .y = n->lazy ? body : end });
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
    struct regex_compiler c = { .r = r, .s = pattern, .re = re };
    if (!utf8_valid(pattern))
        return *ret_error = "invalid UTF-8", NULL;
    struct regex_tree *n = regex_alternatives(&c);
    if (!c.error && regex_more(&c))
        c.error = "unexpected )";
    if (!c.error) {
        int match = put(&c, (struct regex_inst){ .op = OP_MATCH });
        int end = put(&c, (struct regex_inst){ .op = OP_SAVE, .c = 1, .x = match });
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
