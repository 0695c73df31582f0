#include "template/regex-private.h"

static bool in_set_plain(const struct regex_set *s, uint32_t c)
{
    for (size_t i = 0; i < s->n; i++)
        if (c >= s->r[i].lo && c <= s->r[i].hi)
            return true;
    for (size_t i = 0; i < s->n_classes; i++)
        if (rune_in_class(c, &s->classes[i].k) != s->classes[i].negated)
            return true;
    return false;
}

static bool in_set(const struct regex_set *s, uint32_t c)
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
        const struct regex_inst *i = &m->re->prog[at_pc];
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

static bool takes(const struct regex_inst *i, uint32_t c)
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
