/* journal-private.h - the parts of an open journal, for its own files and tests.
 *
 *   batch.c      jbatch_*: operations become records in the batch's memory
 *   group.c      commits: batches gather in the open group, one group at a time flies to disk, then is applied
 *   keep.c       snapshots, old segments, dedupe generations: what is due when a segment is full
 *   snapshot.c   the state as a file, and back
 *   journal.c    opening, closing, offers, timers, questions
 */
#ifndef JOURNAL_JOURNAL_PRIVATE_H
#define JOURNAL_JOURNAL_PRIVATE_H
#include "journal/dedupe.h"
#include "journal/disk.h"
#include "journal/log.h"
#include "journal/state.h"
#include "net/loop.h"

enum {
    BATCH_BYTES_MAX = 64 << 20,
    BATCH_DEPENDS_MAX = 4,    /* open batches whose keys a batch found claimed; one with more fails and is to be repeated */
    BATCH_SPARES = 8,         /* batches kept for reuse … */
    BATCH_SPARE_BYTES = 8192, /* … with at most this much memory each */
    LAZY_SYNC_MS = 40,        /* the header promises 50 */
    REPAIR_MS = 1000,         /* after a failure: how soon what is still to be written is tried again */
    TEND_MS = 60 * 1000,
    RATE_SPAN_US = 128 * 1000, /* commits are counted over this time to see whether company is to be expected */
    COPY_BYTES = 256 << 10,    /* carried forward out of an old segment at a time */
    COPY_BELOW_PERCENT = 25,   /* only when less than this of the segment is still needed */
    REPLAY_LONG_BYTES = 1 << 20, /* a start that had to read more than this writes a snapshot at once */
    HOUR_MS = 3600 * 1000,
};

struct jbatch {
    struct journal *j;
    struct jbatch *next; /* open ones, or held, or spare */
    char *buf;
    size_t n, cap;
    uint64_t serial;
    bool has_puts, bad, depends; /* depends: on something not durable when fail_epoch was epoch */
    uint64_t epoch, on[BATCH_DEPENDS_MAX];
    unsigned n_on;
    enum jdurability how; /* from here on: held until the batches in on[] are committed */
    void (*done)(void *arg, bool ok);
    void *arg;
};

struct waiter {
    void (*done)(void *arg, bool ok);
    void *arg;
    bool ok;
};

/* Gathers (one), flies (one), then is kept: until it is synced, and for its bodies. */
struct group {
    struct job job;
    struct journal *j;
    char *buf; /* GROUP_HEAD bytes left free in front */
    size_t n, cap;
    struct waiter *waiters;
    size_t n_waiters, cap_waiters;
    size_t redo_bytes; /* the first so many bytes of records are written again after a failed sync */
    bool sync, synced;
    struct place place;
};

struct pending_park {
    uint64_t id, batch;
    bool resumed;
    char *key;
    size_t key_n;
};

struct snapshot_job;
struct journal {
    struct loop *loop;
    struct journal_limits limits;
    struct journal_numbers numbers;
    struct joffers to;
    const struct jio *io;
    int dirfd, lockfd;
    struct disk *disk, *back; /* commits; snapshots and dedupe files */
    struct log log;
    struct state state;
    struct dedupe *dedupe;

    struct jbatch *open, *held, *spare;
    unsigned n_spare;
    uint64_t next_serial, fail_epoch, next_id, position;
    struct pending_park *parks;
    size_t n_parks, cap_parks;

    struct group *gathering, *flying;
    struct group **kept; /* kept[kept_from..n_kept) */
    size_t kept_from, n_kept, cap_kept, kept_bytes;
    struct later *turn_end, *offers;
    struct loop_timer window, sync, stall, due, tend;
    int64_t last_start_us, span_us;
    unsigned span_commits, before_commits;

    struct snapshot_job *snapshot;
    uint32_t replay_from; /* the segment in which replay would start; older ones may go */
    uint32_t followed;    /* … but for a follower's, from this one on */
    bool copying, closing, damaged;
    int64_t wall_base_ms, mono_base_ms; /* a clock that does not jump, for what is kept how long */
    struct fault fault;
    bool healthy;
};

/* For tests: io and the size of a dedupe generation (0: the default). */
struct journal *journal_open_with(struct loop *loop, const char *dir, const struct journal_limits *l, const struct joffers *to,
                                  const struct jio *io, size_t generation_keys, struct fault *f) MUST_USE;

int64_t journal_clock_ms(const struct journal *j);
uint32_t journal_hour(const struct journal *j); /* of that clock */
/* The whole accept record of an entry into a; false: unreadable. */
bool journal_record(struct journal *j, const struct entry *e, struct arena *a, struct rec *ret);
void journal_changed(struct journal *j); /* the state did: offers, timers */

/* batch.c */
bool batch_add(struct jbatch *b, const struct rec *r); /* false: it holds no more */
void batch_forget(struct journal *j, slice records); /* they will not happen: claims are given back */
bool batch_is_open(const struct journal *j, uint64_t serial);
void batch_free_all(struct journal *j);
void batch_park_applied(struct journal *j, uint64_t id);

/* group.c */
void group_append(struct journal *j, struct jbatch *b);
void group_schedule(struct journal *j);
void group_start(struct journal *j); /* the gathering one, now; nothing may be flying */
void group_turn_end(void *journal);
void group_window_over(void *journal);
void group_sync_due(void *journal);
bool group_all_synced(const struct journal *j);
const struct group *group_kept(const struct journal *j, uint32_t seg, uint32_t off, uint32_t len);
void group_free_all(struct journal *j);
/* One durable or replayed record. */
void journal_apply(struct journal *j, const struct rec *r, uint32_t seg, uint32_t off, uint32_t len);

/* keep.c */
void keep_tend(struct journal *j); /* what is due; called when a segment was begun and once in a while */
void keep_snapshot_now(struct journal *j); /* at close; waits for the disk */

/* snapshot.c */
struct snapshot_at { /* replay starts here */
    uint32_t no, off, crc;
    uint64_t seq;
};
slice snapshot_make(const struct journal *j); /* malloc'ed */
/* False: there is none, or it is damaged (*ret_damaged). */
bool snapshot_load(struct journal *j, struct snapshot_at *ret, bool *ret_damaged) MUST_USE;
#endif
