/* engine.h - what stands behind cache.h. Private to cache/. Lengths are checked, callbacks are never NULL, and an engine calls them as cache.h says. */
#ifndef CACHE_ENGINE_H
#define CACHE_ENGINE_H
#include "cache/cache.h"

enum cache_op { CACHE_GET, CACHE_SET, CACHE_REMOVE, CACHE_LOCK, CACHE_LOCK_KEEP, CACHE_UNLOCK, CACHE_COUNT, CACHE_PUBLISH, CACHE_OPS };
struct cache_ask {
    enum cache_op op;
    slice key, value; /* value: to set; of a lock its token; what is published */
    int64_t for_ms, by;
};
struct cache_answer {
    slice value;    /* CACHE_GET */
    bool yes;       /* locks */
    int64_t number; /* CACHE_COUNT */
};
typedef void (*cache_answered)(void *arg, const struct cache_answer *a, const struct fault *f);

struct cache_events {
    cache_changed changed;
    void (*connected)(void *arg, int64_t took_us);
    void *arg;
};
struct cache_engine {
    void (*free)(void *e);
    void (*ask)(void *e, const struct cache_ask *q, cache_answered done, void *arg);
    void (*listen)(void *e, const char *channel, void (*heard)(void *arg, slice text), void *arg);
    struct cache_numbers (*numbers)(const void *e);
};
extern const struct cache_engine cache_memory_engine, cache_redis_engine;
void *cache_memory_new(struct loop *l) MUST_USE;
void *cache_redis_new(struct loop *l, const struct cache_setup *setup, const struct cache_events *ev, struct fault *f) MUST_USE;
#endif
