/* The cache in this process: a table whose entries end. */
#include "cache/engine.h"
#include "net/loop.h"

enum { BUCKETS = 1024, SWEEP_MS = 10000 };

struct entry {
    struct entry *next;
    int64_t until_ms, number; /* until_ms: monotonic */
    char *value;
    size_t n_value, n_key;
    char key[];
};
struct memory_cache {
    struct loop *loop;
    struct loop_timer sweep;
    struct entry *buckets[BUCKETS]; /* where a key's are is fixed: few and short-lived is what is kept here */
    size_t n;
    int64_t commands;
    struct {
        const char *channel;
        void (*heard)(void *arg, slice text);
        void *arg;
    } listeners[CACHE_CHANNELS_MAX];
    size_t n_listeners;
};

void *cache_memory_new(struct loop *l)
{
    struct memory_cache *m = must_calloc(1, sizeof(*m));
    m->loop = l;
    return m;
}

static void drop(struct memory_cache *m, struct entry **at)
{
    struct entry *e = *at;
    *at = e->next;
    if (e->value)
        bytes_wipe(e->value, e->n_value);
    free(e->value);
    free(e);
    m->n--;
}

static void free_memory(void *arg)
{
    struct memory_cache *m = arg;
    loop_timer_done(&m->sweep);
    for (size_t i = 0; i < BUCKETS; i++)
        while (m->buckets[i])
            drop(m, &m->buckets[i]);
    free(m);
}

static void sweep(void *arg)
{
    struct memory_cache *m = arg;
    int64_t now_ms = time_mono_ms();
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct entry **at = &m->buckets[i]; *at;) {
            if ((*at)->until_ms <= now_ms)
                drop(m, at);
            else
                at = &(*at)->next;
        }
    if (m->n)
        loop_timer_start(m->loop, &m->sweep, SWEEP_MS, sweep, m);
}

/* Where the living entry of this key is, or the end of its list; one that has ended is dropped. */
static struct entry **place(struct memory_cache *m, slice key)
{
    struct entry **at = &m->buckets[slice_hash(key) % BUCKETS];
    while (*at && !slice_eq(slice_mem((*at)->key, (*at)->n_key), key))
        at = &(*at)->next;
    if (*at && (*at)->until_ms <= time_mono_ms()) {
        drop(m, at);
        while (*at)
            at = &(*at)->next;
    }
    return at;
}

static bool put(struct memory_cache *m, struct entry **at, slice key, slice value, int64_t number, int64_t for_ms, struct fault *f)
{
    if (!*at && m->n >= CACHE_KEYS_MAX) {
        size_t before = m->n;
        sweep(m);
        if (m->n == before)
            return fault(f, "cache_full", "", "%d keys are kept, which is the most", CACHE_KEYS_MAX);
        at = place(m, key);
    }
    if (*at)
        drop(m, at);
    while (*at)
        at = &(*at)->next;
    struct entry *e = *at = must_calloc(1, sizeof(*e) + key.n);
    memcpy(e->key, key.p, key.n);
    e->n_key = key.n;
    e->value = must_malloc(value.n + 1);
    memcpy(e->value, value.p ? value.p : "", value.n);
    e->n_value = value.n;
    e->number = number;
    e->until_ms = time_mono_ms() + for_ms;
    m->n++;
    if (!m->sweep.active)
        loop_timer_start(m->loop, &m->sweep, SWEEP_MS, sweep, m);
    return true;
}

static slice value_of(const struct entry *e)
{
    return slice_mem(e->value, e->n_value);
}

static bool counts(struct memory_cache *m, struct entry **at, const struct cache_ask *q, struct cache_answer *ret, struct fault *f)
{
    if (!*at)
        return (ret->number = q->by, put(m, at, q->key, SLICE_NONE, q->by, q->for_ms, f));
    ret->number = (*at)->number += q->by;
    return true;
}

static void publish(struct memory_cache *m, const struct cache_ask *q)
{
    for (size_t i = 0; i < m->n_listeners; i++)
        if (slice_eq(slice_of(m->listeners[i].channel), q->key))
            m->listeners[i].heard(m->listeners[i].arg, q->value);
}

static void ask(void *arg, const struct cache_ask *q, cache_answered done, void *done_arg)
{
    struct memory_cache *m = arg;
    struct fault f = { 0 };
    struct cache_answer ret = { 0 };
    struct entry **at = place(m, q->key);
    bool ok = true, ours = *at && slice_eq(value_of(*at), q->value);
    m->commands++;
    switch (q->op) {
    case CACHE_GET:
        ret.value = *at ? value_of(*at) : SLICE_NONE;
        break;
    case CACHE_SET:
        ok = put(m, at, q->key, q->value, 0, q->for_ms, &f);
        break;
    case CACHE_REMOVE:
        if (*at)
            drop(m, at);
        break;
    case CACHE_LOCK:
        ret.yes = !*at;
        ok = *at || put(m, at, q->key, q->value, 0, q->for_ms, &f);
        break;
    case CACHE_LOCK_KEEP:
        if ((ret.yes = ours))
            (*at)->until_ms = time_mono_ms() + q->for_ms;
        break;
    case CACHE_UNLOCK:
        if ((ret.yes = ours))
            drop(m, at);
        break;
    case CACHE_COUNT:
        ok = counts(m, at, q, &ret, &f);
        break;
    case CACHE_PUBLISH:
        publish(m, q);
        break;
    case CACHE_OPS:
        break;
    }
    done(done_arg, &ret, ok ? NULL : &f);
}

static void listen_to(void *arg, const char *channel, void (*heard)(void *arg, slice text), void *heard_arg)
{
    struct memory_cache *m = arg;
    assert(m->n_listeners < CACHE_CHANNELS_MAX);
    m->listeners[m->n_listeners].channel = channel;
    m->listeners[m->n_listeners].heard = heard;
    m->listeners[m->n_listeners++].arg = heard_arg;
}

static struct cache_numbers numbers(const void *arg)
{
    const struct memory_cache *m = arg;
    return (struct cache_numbers){ .engine = "memory", .reachable = true, .commands = m->commands, .keys = (int64_t)m->n };
}

const struct cache_engine cache_memory_engine = { free_memory, ask, listen_to, numbers };
