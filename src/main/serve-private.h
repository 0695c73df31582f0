/* serve-private.h - a serving process, and what its files do for each other: life (serve.c), what it is made of (serve_open.c), being a worker (worker.c).
 *
 * Threads: loop thread.
 */
#ifndef MAIN_SERVE_PRIVATE_H
#define MAIN_SERVE_PRIVATE_H
#include "hub/work.h"
#include "net/server.h"
#include "store/seal.h"

/* Everything of a serving process, in the order it is made. */
struct serving {
    struct arena *a;
    const struct config *config;
    struct logger *logger;
    struct log log;
    struct hub hub;
    struct seal *seal;
    struct server *server, *control; /* control NULL: the folder can hold no socket */
    struct server *metrics;          /* /metrics on a port of its own; NULL: not wanted, or the port is taken */
    struct ops *ops;
    struct api *api;
    struct loop_timer flush_timer, drain_timer, started_timer;
    int64_t drain_until_ms;
    unsigned busy; /* servers that are not idle yet */
    /* A worker's, of several replicas; else NULL. */
    bool worker, working; /* working: the shard was gained, everything below start has run */
    int failed;           /* its exit status, when it could not go on */
    struct broker *broker;
    struct journal_pg *journal_pg;
    struct loop_timer journal_timer;
    int64_t folder_ms;          /* monotonic: since when the folder does not take the copy of the journal; 0: it does */
    struct fault journal_fault; /* the database does not take the journal, as was said last; code NULL: it does */
    struct js_list waiting; /* struct waiting: messages with media from before the start */
};

/* Makes what a hub is and starts it. False: *f says why; serve.c frees what was made. */
bool serving_start(struct serving *s, struct fault *f) MUST_USE;
/* Nothing new begins; ends the loop when what is under way is finished, or at once when it is asked twice. */
void serving_signal(void *arg, int signum);
/* After each request, of every server. */
void serving_observe(void *ctx, const struct exchange *x, int status, size_t written, int64_t took_us);

/* Parts, in the order in which they are opened: settings; journal, store, cache, server, API; what needs the accounts; what the hub does not need in order to serve. */
void serving_limits(struct serving *s);
bool serving_open(struct serving *s, struct fault *f) MUST_USE;
bool serving_open_files(struct serving *s, struct fault *f) MUST_USE;
void serving_open_sides(struct serving *s);
/* Fetches that a stop interrupted go on at once. */
void serving_media_again(struct serving *s);

/* Waits for the shard; what has begun begins when it is gained. */
bool worker_stand_by(struct serving *s, struct fault *f) MUST_USE;
/* Another worker goes on where we stopped: does not return. */
void worker_fence_lost(void *arg);
#endif
