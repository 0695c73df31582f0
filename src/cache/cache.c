#include "cache/cache.h"
#include "cache/engine.h"
#include "cache/redis_url.h"

struct cache {
    const struct cache_engine *engine;
    void *e;
    struct arena *a; /* lives as long */
    slice prefix;    /* of keys and channels; empty: none */
    struct {
        cache_changed changed;
        void *arg;
    } watchers[CACHE_WATCHERS_MAX];
    size_t n_watchers;
    void (*connected)(void *arg, int64_t took_us); /* NULL: nobody asks */
    void *connected_arg;
};

/* What to do with the answer to one call. Dies with it. */
struct call {
    union {
        cache_done done;
        cache_said said;
        void (*got)(void *arg, slice value, const struct fault *f);
        void (*counted)(void *arg, int64_t n, const struct fault *f);
    };
    void *arg;
};

bool cache_where_good(slice where, struct fault *f)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct redis_url url;
    return redis_url_parse(a, where, &url, f);
}

static void tell(void *arg, bool reachable, slice why)
{
    struct cache *c = arg;
    for (size_t i = 0; i < c->n_watchers; i++)
        c->watchers[i].changed(c->watchers[i].arg, reachable, why);
}

static void tell_connected(void *arg, int64_t took_us)
{
    const struct cache *c = arg;
    if (c->connected)
        c->connected(c->connected_arg, took_us);
}

void cache_on_connect(struct cache *c, void (*connected)(void *arg, int64_t took_us), void *arg)
{
    c->connected = connected;
    c->connected_arg = arg;
}

void cache_watch(struct cache *c, cache_changed changed, void *arg)
{
    assert(c->n_watchers < CACHE_WATCHERS_MAX);
    c->watchers[c->n_watchers].changed = changed;
    c->watchers[c->n_watchers++].arg = arg;
}

struct cache *cache_open(struct loop *l, const struct cache_setup *setup, struct fault *f)
{
    bool shared = setup->where.n > 0;
    struct cache *c = must_calloc(1, sizeof(*c));
    c->engine = shared ? &cache_redis_engine : &cache_memory_engine;
    c->e = shared ? cache_redis_new(l, setup, &(struct cache_events){ tell, tell_connected, c }, f) : cache_memory_new(l);
    if (!c->e) {
        free(c);
        return NULL;
    }
    c->a = arena_new();
    c->prefix = setup->name.n ? arena_printf(c->a, SLF ":", SLA(setup->name)) : SL("");
    return c;
}

void cache_free(struct cache *c)
{
    if (!c)
        return;
    c->engine->free(c->e);
    arena_free(c->a);
    free(c);
}

bool cache_is_shared(const struct cache *c)
{
    return c && c->engine == &cache_redis_engine;
}

static struct call *call_new(void *arg)
{
    struct call *call = must_calloc(1, sizeof(*call));
    call->arg = arg;
    return call;
}

static void ask(struct cache *c, const struct cache_ask *q, cache_answered answered, struct call *call)
{
    struct fault f;
    struct cache_answer none = { 0 };
    if (c->prefix.n + q->key.n > CACHE_KEY_MAX)
        fault(&f, "too_long", "key", "%zu bytes, at most %zu are allowed", q->key.n, CACHE_KEY_MAX - MIN(c->prefix.n, (size_t)CACHE_KEY_MAX));
    else if (q->value.n > CACHE_VALUE_MAX)
        fault(&f, "too_long", "value", "%zu bytes, at most %d are allowed", q->value.n, CACHE_VALUE_MAX);
    else {
        char key[CACHE_KEY_MAX];
        struct cache_ask named = *q;
        memcpy(key, c->prefix.p, c->prefix.n);
        if (q->key.n)
            memcpy(key + c->prefix.n, q->key.p, q->key.n);
        named.key = slice_mem(key, c->prefix.n + q->key.n);
        c->engine->ask(c->e, &named, answered, call);
        return;
    }
    answered(call, &none, &f);
}

static void end_done(void *arg, const struct cache_answer *a, const struct fault *f)
{
    struct call call = *(struct call *)arg;
    (void)a;
    free(arg);
    if (call.done)
        call.done(call.arg, f);
}

static void end_said(void *arg, const struct cache_answer *a, const struct fault *f)
{
    struct call call = *(struct call *)arg;
    free(arg);
    if (call.said)
        call.said(call.arg, !f && a->yes, f);
}

static void end_got(void *arg, const struct cache_answer *a, const struct fault *f)
{
    struct call call = *(struct call *)arg;
    free(arg);
    call.got(call.arg, f ? SLICE_NONE : a->value, f);
}

static void end_counted(void *arg, const struct cache_answer *a, const struct fault *f)
{
    struct call call = *(struct call *)arg;
    free(arg);
    if (call.counted)
        call.counted(call.arg, f ? 0 : a->number, f);
}

void cache_get(struct cache *c, slice key, void (*got)(void *arg, slice value, const struct fault *f), void *arg)
{
    struct call *call = call_new(arg);
    call->got = got;
    ask(c, &(struct cache_ask){ .op = CACHE_GET, .key = key }, end_got, call);
}

void cache_set(struct cache *c, slice key, slice value, int64_t for_ms, cache_done done, void *arg)
{
    struct call *call = call_new(arg);
    call->done = done;
    ask(c, &(struct cache_ask){ .op = CACHE_SET, .key = key, .value = value, .for_ms = MAX(for_ms, 1) }, end_done, call);
}

void cache_remove(struct cache *c, slice key, cache_done done, void *arg)
{
    struct call *call = call_new(arg);
    call->done = done;
    ask(c, &(struct cache_ask){ .op = CACHE_REMOVE, .key = key }, end_done, call);
}

static void lock(struct cache *c, enum cache_op op, slice key, slice token, int64_t for_ms, cache_said said, void *arg)
{
    struct call *call = call_new(arg);
    call->said = said;
    ask(c, &(struct cache_ask){ .op = op, .key = key, .value = token, .for_ms = MAX(for_ms, 1) }, end_said, call);
}

void cache_lock(struct cache *c, slice key, slice token, int64_t for_ms, cache_said took, void *arg)
{
    lock(c, CACHE_LOCK, key, token, for_ms, took, arg);
}

void cache_lock_keep(struct cache *c, slice key, slice token, int64_t for_ms, cache_said kept, void *arg)
{
    lock(c, CACHE_LOCK_KEEP, key, token, for_ms, kept, arg);
}

void cache_unlock(struct cache *c, slice key, slice token, cache_said was_ours, void *arg)
{
    lock(c, CACHE_UNLOCK, key, token, 1, was_ours, arg);
}

void cache_count(struct cache *c, slice key, int64_t by, int64_t for_ms, void (*counted)(void *arg, int64_t n, const struct fault *f), void *arg)
{
    struct call *call = call_new(arg);
    call->counted = counted;
    ask(c, &(struct cache_ask){ .op = CACHE_COUNT, .key = key, .by = by, .for_ms = MAX(for_ms, 1) }, end_counted, call);
}

void cache_publish(struct cache *c, slice channel, slice text)
{
    ask(c, &(struct cache_ask){ .op = CACHE_PUBLISH, .key = channel, .value = text }, end_done, call_new(NULL));
}

void cache_listen(struct cache *c, const char *channel, void (*heard)(void *arg, slice text), void *arg)
{
    c->engine->listen(c->e, arena_printf(c->a, SLF "%s", SLA(c->prefix), channel).p, heard, arg);
}

struct cache_numbers cache_numbers(const struct cache *c)
{
    return c->engine->numbers(c->e);
}
