/* dead.h - what lies in the queue of the dead (broker.h), for an operator's decision.
 *
 *   struct broker_dead *d = broker_dead_open(&setup, &f);
 *   while (broker_dead_next(d, a, &letter, &f))            the oldest first, each once: those that were there when it was opened
 *       broker_dead_again(d, &letter, &f);                 or broker_dead_drop; neither: it stays
 *   broker_dead_close(d);
 *
 * Shared     what one has looked at, no other sees until its close; then what was not decided is back in its place.
 * Again      confirmed in its shard's queue before it is taken out of this one: a loss of the connection in between leaves it in both, and who takes it in knows it by its key.
 * Errors     "broker_lost" (a connection that is lost stays so: open another), "broker_refused", and those of broker_open.
 * Threads    blocks, on a connection of its own.
 */
#ifndef BROKER_DEAD_H
#define BROKER_DEAD_H
#include "broker/broker.h"

struct broker_dead;
struct broker_letter {
    uint64_t tag;
    unsigned shard;  /* where it came from */
    int64_t at_ms;   /* wall clock, in whole seconds: when it was buried */
    slice why, body; /* in the arena given */
};
struct broker_dead *broker_dead_open(const struct broker_setup *setup, struct fault *f) MUST_USE;
void broker_dead_close(struct broker_dead *d); /* accepts NULL */
/* False: there are no more, or f->code says why not. */
bool broker_dead_next(struct broker_dead *d, struct arena *a, struct broker_letter *ret, struct fault *f) MUST_USE;
bool broker_dead_again(struct broker_dead *d, const struct broker_letter *l, struct fault *f) MUST_USE;
bool broker_dead_drop(struct broker_dead *d, const struct broker_letter *l, struct fault *f) MUST_USE;
#endif
