/* loop.h - the one event loop: timers, descriptors, messages from other threads, and blocking work on helper threads.
 *
 * Our thin face of libuv. One thread runs loop_run and owns everything; only loop_post may be called from others.
 * Units      ms on the monotonic clock. A timer fires once; ask again for the next.
 * Ownership  callers keep their struct loop_timer (zero-initialised) alive until it fired or was stopped.
 */
#ifndef NET_LOOP_H
#define NET_LOOP_H
#include "base/base.h"

struct loop;
struct uv_loop_s;

struct loop *loop_new(void) MUST_USE; /* also has the process ignore SIGPIPE: a peer that left is an answer to a write */
/* Servers and clients of the loop are freed before it. Timers still running are stopped (a timer to be used again with another
 * loop needs loop_timer_done); work under way is finished, its done() called; posts that nobody fetched are dropped. */
void loop_free(struct loop *l);
void loop_run(struct loop *l);  /* until loop_stop */
void loop_stop(struct loop *l); /* after the running callback */
struct uv_loop_s *loop_uv(struct loop *l);
int64_t loop_now_ms(const struct loop *l); /* monotonic, as of this turn of the loop */

/* Is there more work than the processor gives time for? As of the last moments: who can put something off should. */
bool loop_is_pressed(const struct loop *l);
uint64_t loop_turns(const struct loop *l); /* how often it has asked for events */

struct loop_timer {
    void (*fn)(void *arg);
    void *arg;
    void *impl; /* loop.c's own; NULL: never started */
    bool active;
};
void loop_timer_start(struct loop *l, struct loop_timer *t, int64_t in_ms, void (*fn)(void *), void *arg);
void loop_timer_stop(struct loop_timer *t);
void loop_timer_done(struct loop_timer *t); /* stops it and frees what the loop holds for it; t may be reused */

/* Runs fn(arg) on the loop thread as soon as it can; from any thread. */
void loop_post(struct loop *l, void (*fn)(void *), void *arg);
/* On the loop thread: forgets posts of fn(arg) that have not run yet. Who posts must have stopped before. */
void loop_post_cancel(struct loop *l, void (*fn)(void *), void *arg);
/* Runs fn(arg) on the loop thread behind the timers or descriptors now being served, before the loop waits (deduplicated
 * by the caller). */
void loop_defer(struct loop *l, void (*fn)(void *), void *arg);
/* Forgets deferred calls of fn(arg) that have not run yet (their owner is being freed). */
void loop_defer_cancel(struct loop *l, void (*fn)(void *), void *arg);
/* Runs work(arg) on a helper thread, then done(arg) (may be NULL) on the loop thread. */
void loop_work(struct loop *l, void (*work)(void *), void (*done)(void *), void *arg);
/* Calls fn(arg, signum) on the loop thread. */
void loop_signal(struct loop *l, int signum, void (*fn)(void *, int), void *arg);
#endif
