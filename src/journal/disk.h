/* disk.h - a thread that does disk work in the order it was asked for.
 *
 *   struct job { .work = on the thread, .done = on the loop afterwards }
 *
 * Ownership  the caller keeps the job alive until done ran.
 * Threads    everything but work: the loop thread. Finished jobs are told in one loop_post, however many there are.
 */
#ifndef JOURNAL_DISK_H
#define JOURNAL_DISK_H
#include "base/base.h"

struct loop;
struct disk;
struct job {
    struct job *next;
    void (*work)(struct job *);
    void (*done)(struct job *);
};
struct disk *disk_new(struct loop *loop) MUST_USE; /* NULL: no thread to be had */
void disk_submit(struct disk *d, struct job *job);
void disk_drain(struct disk *d); /* waits for what was submitted and runs its done, also of what done submits */
bool disk_busy(const struct disk *d); /* something was submitted whose done has not run */
void disk_free(struct disk *d);  /* drains; accepts NULL */

/* Runs fn(arg) once at the end of this turn of the loop, however often it was asked for. */
struct later;
struct later *later_new(struct loop *loop, void (*fn)(void *), void *arg) MUST_USE;
void later_ask(struct later *l);
void later_free(struct later *l); /* what was asked for does not come any more; accepts NULL */
#endif
