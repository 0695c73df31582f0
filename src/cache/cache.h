/* cache.h - what processes of one installation share for a while: values, locks, counters, news.
 *
 *   struct cache *c = cache_open(loop, &(struct cache_setup){ .where = SL("redis://127.0.0.1") }, &f);
 *   cache_lock(c, SL("token:acme/line"), holder, 30000, took, arg);     took(arg, true, NULL): ours for 30 s
 *   cache_get(c, SL("session:ab"), got, arg);
 *
 * Nothing here is needed to keep a message: what is in the cache may be gone at any moment, all of it, and every caller can do without.
 *
 * Where      absent: in this process. redis:// or rediss:// (TLS): one server of Redis 6, 7 or Valkey; redis+cluster://, rediss+cluster://: a cluster, of
 *            which one or several members are named:  redis[s][+cluster]://[[user]:password@]host[:port][,host[:port]…][/db]
 * Callbacks  now (in memory, or while the server cannot be reached) or later, on the loop's thread; each once. May be NULL where the answer is of no
 *            interest. A callback must not free the cache. cache_free answers what is under way ("cache_lost").
 * Lost       "cache_lost": the server cannot be reached, or did not answer within CACHE_ANSWER_MS; what was asked may have had effect. Every call
 *            answers so until the server is back, without waiting.
 * Errors     "cache_lost", "cache_failed" (the server refused), "cache_full" (in memory), "too_long".
 * Locks      expire by themselves. Their holder is named by a token of his own (random bytes); giving back or prolonging another's does nothing. A
 *            server that loses its memory forgets them: what a lock guards must bear that, or have a second gate in the store.
 * News       whoever listens hears what is published while he is connected, and no more: who was away must look for himself (cache_watch tells).
 * Threads    loop thread.
 */
#ifndef CACHE_CACHE_H
#define CACHE_CACHE_H
#include "base/base.h"

enum { CACHE_KEY_MAX = 512, CACHE_VALUE_MAX = 64 << 10, CACHE_ANSWER_MS = 2000, CACHE_KEYS_MAX = 100000, CACHE_CHANNELS_MAX = 16, CACHE_WATCHERS_MAX = 8 };

struct loop;
struct cache;
struct cache_setup {
    slice where;
    slice name;          /* of the installation: stands before every key and channel, with a colon; absent: nothing does */
    const char *ca_file; /* more certificate authorities (PEM) for TLS; NULL: the system's */
};
bool cache_where_good(slice where, struct fault *f) MUST_USE; /* "bad_url" */
/* Does not wait for the server. NULL: see *f. */
struct cache *cache_open(struct loop *l, const struct cache_setup *setup, struct fault *f) MUST_USE;
void cache_free(struct cache *c); /* before loop_free */
bool cache_is_shared(const struct cache *c); /* with other processes; NULL: it is not */
/* Called when the server is lost, and when it is back: what was said meanwhile was not heard. Also for the first connection. At most CACHE_WATCHERS_MAX. */
typedef void (*cache_changed)(void *arg, bool reachable, slice why);
void cache_watch(struct cache *c, cache_changed changed, void *arg);
/* Called with each connection that is made: how long it took until it could be used. One listener. */
void cache_on_connect(struct cache *c, void (*connected)(void *arg, int64_t took_us), void *arg);

typedef void (*cache_done)(void *arg, const struct fault *f);
typedef void (*cache_said)(void *arg, bool yes, const struct fault *f);

/* value {NULL,0} with f NULL: there is none. Valid during the call. */
void cache_get(struct cache *c, slice key, void (*got)(void *arg, slice value, const struct fault *f), void *arg);
void cache_set(struct cache *c, slice key, slice value, int64_t for_ms, cache_done done, void *arg);
void cache_remove(struct cache *c, slice key, cache_done done, void *arg);

/* yes: it was free and is ours for so long. */
void cache_lock(struct cache *c, slice key, slice token, int64_t for_ms, cache_said took, void *arg);
/* yes: it was still ours. */
void cache_lock_keep(struct cache *c, slice key, slice token, int64_t for_ms, cache_said kept, void *arg);
void cache_unlock(struct cache *c, slice key, slice token, cache_said was_ours, void *arg);

/* Adds to a number that is forgotten for_ms after it was first added to; n: as it is then. */
void cache_count(struct cache *c, slice key, int64_t by, int64_t for_ms, void (*counted)(void *arg, int64_t n, const struct fault *f), void *arg);

void cache_publish(struct cache *c, slice channel, slice text);
/* One listener a channel, for the life of the cache; what this process publishes it hears, too. At most CACHE_CHANNELS_MAX. */
void cache_listen(struct cache *c, const char *channel, void (*heard)(void *arg, slice text), void *arg);

struct cache_numbers {
    const char *engine; /* "memory", "redis", "redis-cluster" */
    bool reachable;
    int64_t commands, failures, connects; /* connects: connections made */
    int64_t connections, ready; /* wanted now, and of these those that can be used */
    int64_t keys; /* in memory; -1: not known */
    int64_t answer_us; /* of the last command answered by a server */
};
struct cache_numbers cache_numbers(const struct cache *c);
#endif
