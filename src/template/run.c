#include "template/run.h"
#include "template/unicode.h"

enum { BYTES_A_STEP = 64 };

void run_limit(struct run *r, const char *which)
{
    run_fail(r, "template limit exceeded: %s", which);
}

void run_over(struct run *r)
{
    r->looked_at = r->steps;
    if (r->steps > TEMPLATE_STEPS)
        run_limit(r, "steps");
    if (time_mono_us() > r->ends_us)
        run_limit(r, "time");
}

void *run_alloc(struct run *r, size_t n)
{
    if (n > TEMPLATE_MEMORY_BYTES || r->memory + n > TEMPLATE_MEMORY_BYTES)
        run_limit(r, "memory");
    r->memory += n + 16;
    run_step(r, n / BYTES_A_STEP);
    return arena_alloc(r->a, n);
}

slice run_copy(struct run *r, slice s)
{
    if (s.n > TEMPLATE_STRING_BYTES)
        run_limit(r, "string");
    char *p = run_alloc(r, s.n + 1);
    if (s.n)
        memcpy(p, s.p, s.n);
    p[s.n] = 0;
    return (slice){ p, s.n };
}

struct text_out out_new(struct run *r)
{
    return (struct text_out){ .r = r, .max = TEMPLATE_STRING_BYTES, .which = "string" };
}

static char *out_room(struct text_out *t, size_t n)
{
    if (n > t->max - t->n)
        run_limit(t->r, t->which);
    if (t->cap - t->n < n) {
        size_t cap = MAX(t->cap * 2, MAX(t->n + n, (size_t)64));
        char *p = run_alloc(t->r, cap);
        if (t->n)
            memcpy(p, t->p, t->n);
        t->p = p;
        t->cap = cap;
    }
    return t->p + t->n;
}

void out_put(struct text_out *t, slice s)
{
    if (!s.n)
        return;
    run_step(t->r, s.n / BYTES_A_STEP);
    memcpy(out_room(t, s.n), s.p, s.n);
    t->n += s.n;
}

void out_char(struct text_out *t, char c)
{
    *out_room(t, 1) = c;
    t->n++;
}

void out_rune(struct text_out *t, uint32_t c)
{
    t->n += rune_put(c, out_room(t, 4));
}

void out_fill(struct text_out *t, char c, size_t n)
{
    if (!n)
        return;
    run_step(t->r, n / BYTES_A_STEP);
    memset(out_room(t, n), c, n);
    t->n += n;
}

void out_fmt(struct text_out *t, const char *fmt, ...)
{
    va_list ap, again;
    assert(fmt);
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    assert(n >= 0);
    vsnprintf(out_room(t, (size_t)n + 1), (size_t)n + 1, fmt, again);
    t->n += (size_t)n;
    va_end(again);
    va_end(ap);
}

struct list *list_new(struct run *r, size_t n, enum value_of of)
{
    if (n > TEMPLATE_ENTRIES)
        run_limit(r, "list entries");
    run_step(r, n);
    struct list *l = run_alloc(r, sizeof(*l) + n * sizeof(*l->v));
    *l = (struct list){ .of = of, .n = n, .v = (struct value *)(void *)(l + 1) };
    for (size_t i = 0; i < n; i++)
        l->v[i] = VALUE_NIL;
    return l;
}

struct map *map_new(struct run *r, enum value_of of)
{
    struct map *m = run_alloc(r, sizeof(*m));
    *m = (struct map){ .of = of };
    return m;
}

void map_set(struct run *r, struct map *m, slice key, struct value v)
{
    bool found;
    size_t at = map_seek(m, key, &found);
    run_step(r, key.n / BYTES_A_STEP);
    if (found) {
        m->e[at].v = v;
        return;
    }
    if (m->n >= TEMPLATE_ENTRIES)
        run_limit(r, "map entries");
    if (m->n == m->cap) {
        size_t cap = MAX(m->n * 2, (size_t)8);
        struct entry *e = run_alloc(r, cap * sizeof(*e));
        if (m->n)
            memcpy(e, m->e, m->n * sizeof(*e));
        m->e = e;
        m->cap = cap;
    }
    run_step(r, 1 + (m->n - at) * sizeof(*m->e) / BYTES_A_STEP);
    memmove(m->e + at + 1, m->e + at, (m->n - at) * sizeof(*m->e));
    m->e[at] = (struct entry){ key, v };
    m->n++;
}

void map_drop(struct map *m, slice key)
{
    bool found;
    size_t at = map_seek(m, key, &found);
    if (!found)
        return;
    memmove(m->e + at, m->e + at + 1, (m->n - at - 1) * sizeof(*m->e));
    m->n--;
}

void map_order(struct run *r, struct map *m)
{
    run_step(r, m->n * 16);
    r->memory += m->n * sizeof(*m->e); /* the sorting's spare room */
    map_sort(r->a, m);
}

struct gather gather_new(struct run *r, enum value_of of)
{
    return (struct gather){ .r = r, .l = list_new(r, 0, of) };
}

void gather_add(struct gather *g, struct value v)
{
    struct list *l = g->l;
    if (l->n >= TEMPLATE_ENTRIES)
        run_limit(g->r, "list entries");
    if (l->n == g->cap) {
        size_t cap = MAX(g->cap * 2, (size_t)8);
        struct value *to = run_alloc(g->r, cap * sizeof(*to));
        if (l->n)
            memcpy(to, l->v, l->n * sizeof(*to));
        l->v = to;
        g->cap = cap;
    }
    run_step(g->r, 1);
    l->v[l->n++] = v;
}
