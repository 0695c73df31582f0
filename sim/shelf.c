#include "sim/shelf.h"

struct entry {
    struct entry *chain;       /* of the bucket */
    struct entry *prev, *next; /* by age */
    uint64_t hash;
    int64_t at_ms;
    void *thing;
    size_t n;
    char name[];
};

struct shelf {
    struct entry **buckets;
    size_t n_buckets, n, max;
    int64_t keep_ms;
    struct entry *oldest, *newest;
    void (*drop)(void *);
};

enum { FIRST_BUCKETS = 64 };

struct shelf *shelf_new(size_t max, int64_t keep_ms, void (*drop)(void *))
{
    struct shelf *s = must_calloc(1, sizeof(*s));
    *s = (struct shelf){ .n_buckets = FIRST_BUCKETS, .max = max, .keep_ms = keep_ms, .drop = drop };
    s->buckets = must_calloc(FIRST_BUCKETS, sizeof(struct entry *));
    return s;
}

static void take_out(struct shelf *s, struct entry *e)
{
    struct entry **at = &s->buckets[e->hash % s->n_buckets];
    while (*at != e)
        at = &(*at)->chain;
    *at = e->chain;
    *(e->prev ? &e->prev->next : &s->oldest) = e->next;
    *(e->next ? &e->next->prev : &s->newest) = e->prev;
    s->n--;
    if (s->drop)
        s->drop(e->thing);
    free(e);
}

void shelf_free(struct shelf *s)
{
    if (!s)
        return;
    while (s->oldest)
        take_out(s, s->oldest);
    free(s->buckets);
    free(s);
}

static struct entry *find(const struct shelf *s, slice name)
{
    uint64_t hash = slice_hash(name);
    for (struct entry *e = s->buckets[hash % s->n_buckets]; e; e = e->chain)
        if (e->hash == hash && slice_eq(slice_mem(e->name, e->n), name))
            return e;
    return NULL;
}

void *shelf_get(const struct shelf *s, slice name)
{
    struct entry *e = find(s, name);
    return e ? e->thing : NULL;
}

static void grow(struct shelf *s)
{
    size_t n = s->n_buckets * 4;
    struct entry **buckets = must_calloc(n, sizeof(struct entry *));
    for (struct entry *e = s->oldest; e; e = e->next) {
        e->chain = buckets[e->hash % n];
        buckets[e->hash % n] = e;
    }
    free(s->buckets);
    s->buckets = buckets;
    s->n_buckets = n;
}

void shelf_put(struct shelf *s, slice name, void *thing, int64_t now_ms)
{
    shelf_remove(s, name);
    while (s->oldest && (s->n >= s->max || (s->keep_ms && now_ms - s->oldest->at_ms > s->keep_ms)))
        take_out(s, s->oldest);
    if (s->n >= s->n_buckets * 2)
        grow(s);
    struct entry *e = must_malloc(sizeof(*e) + name.n + 1);
    *e = (struct entry){ .prev = s->newest, .hash = slice_hash(name), .at_ms = now_ms, .thing = thing, .n = name.n };
    memcpy(e->name, name.n ? name.p : "", name.n);
    *(s->newest ? &s->newest->next : &s->oldest) = e;
    s->newest = e;
    e->chain = s->buckets[e->hash % s->n_buckets];
    s->buckets[e->hash % s->n_buckets] = e;
    s->n++;
}

void shelf_remove(struct shelf *s, slice name)
{
    struct entry *e = find(s, name);
    if (e)
        take_out(s, e);
}

size_t shelf_count(const struct shelf *s)
{
    return s->n;
}

void shelf_each(const struct shelf *s, void (*fn)(void *, void *), void *arg)
{
    for (struct entry *e = s->oldest; e; e = e->next)
        fn(arg, e->thing);
}
