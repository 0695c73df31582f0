/* fake_loop.h - a loop for the journal's tests: virtual time, turns made by hand, the disk threads real.
 *
 * It stands in for net/loop.c at link time. Clocks stand still unless moved; wall time jumps by itself (fake_wall_ms).
 */
#ifndef JOURNAL_FAKE_LOOP_H
#define JOURNAL_FAKE_LOOP_H
#include "journal/journal-private.h"
#include <stdatomic.h>

extern int64_t fake_wall_ms, fake_mono_us;
/* What the n-th next call of a kind answers: 0, or an errno for fail_count calls after fail_after good ones. */
struct fake_fault {
    int error, after, count;
};
extern struct fake_fault fake_write, fake_sync, fake_allocate;
extern int fake_syncs, fake_writes;
extern bool fake_torn; /* a failing write writes half of what it should before it fails */
extern atomic_bool fake_hang; /* a sync does not end as long as this is true */
extern const struct jio fake_io;

struct loop *fake_loop_new(void);
void fake_loop_free(struct loop *l);
bool fake_turn(struct loop *l);              /* false: there was nothing to do */
void fake_wait(struct loop *l);              /* for a post */
int64_t fake_next_timer_us(struct loop *l);  /* monotonic; INT64_MAX: none */
/* Turns until nothing moves any more; timers up to within_ms away are let fire by moving the clocks. */
void fake_run(struct loop *l, struct journal *j, int64_t within_ms);
#endif
