/* journal.h - the durable, ordered record that accepts a message before its sender gets a 200.
 *
 *   struct jbatch *b = jbatch_new(j);
 *   jbatch_accept(b, &(struct jaccept){ .lane = …, .dedupe = …, .dedupe_keep_ms = …, .body = … }, &result);
 *   jbatch_put(b, key, value);                      connector memory: same commit
 *   jbatch_commit(b, JOURNAL_DURABLE, done, arg);   done(arg, true): everything above is on disk
 *
 * A batch is atomic: after a crash either all its operations are there or none. Batches are applied in the order in which
 * they are committed. The journal keeps the lanes: of each lane at most one message is *offered* (handed to the hub) at a
 * time, in the order accepted; the next is offered when the hub settles it, parks it, or puts it off.
 *
 * States     a message is in exactly one state; final states never change:
 *              WAITING (in its lane, or put off until a time) -> DELIVERED | DEAD | UNKNOWN | IGNORED  (final)
 *                                                             -> PARKED -> WAITING again when resumed, or final
 *            accepted = waiting + parked + delivered + dead + unknown + ignored, at any time (journal_counts). DEAD and
 *            UNKNOWN can be replayed by an operator: then they are WAITING again (at the end of their lane).
 * Attempt    jbatch_attempt records "about to make a call that must not be repeated". A message that was WAITING with such
 *            a mark and no later record about it when the process died is offered with .interrupted set.
 * Trace      every operation carries a note (JSON text, may be absent) kept with it as long as its segment is kept.
 * Lanes      a lane name is any bytes up to JOURNAL_LANE_MAX; the part before the first byte 0x1f names the target account,
 *            so that the hub can pause one target: offers say the whole name.
 * Applying   counts, lanes and offers follow when a batch is done, in the order of the commits; what was only claimed (a dedupe
 *            key, a parked message being resumed) is given back when its batch fails or is dropped.
 * Memory     56 bytes and some index a message that is waiting, parked, dead or unknown; final ones cost nothing. DEAD and
 *            UNKNOWN ones are forgotten with their segment.
 * Time       a delay is counted on the monotonic clock and never takes longer than was asked for, whatever the wall clock does.
 * Ids        uint64, growing, never reused in a data directory; 0 is none.
 * Ownership  slices are copied. Offers and notes are valid during the callback.
 * Errors     done(arg, false): nothing of the batch was stored (disk full, I/O error, over a limit); journal_last_fault says
 *            why ("io", "too_large", "busy"; "damaged" after an open that could not read all of the log). The journal tries again with the next batch: it recovers by itself when space is back.
 * Threads    loop thread only. Disk work happens on a thread of the implementation; callbacks come on the loop thread.
 */
#ifndef JOURNAL_JOURNAL_H
#define JOURNAL_JOURNAL_H
#include "base/base.h"

enum { JOURNAL_LANE_MAX = 800, JOURNAL_BODY_MAX = 1 << 20, JOURNAL_VALUE_MAX = 64 << 10 };

enum jstate { J_WAITING, J_PARKED, J_DELIVERED, J_DEAD, J_UNKNOWN, J_IGNORED, J_STATES };
extern const char *const jstate_names[J_STATES]; /* "waiting" … */

struct journal;
struct jbatch;

struct jaccept {
    slice lane;
    slice dedupe;            /* absent: not checked. The same key within dedupe_keep_ms has effect once */
    int64_t dedupe_keep_ms;
    enum jstate state;       /* J_WAITING, or J_IGNORED for what a named rule ignores (say which in note) */
    slice body;              /* absent: the batch is bad */
    slice note;
    int64_t not_before_ms;   /* wall clock; 0: at once. Until then it also holds back what follows in its lane */
};
/* What became of one accept. SEEN: this key is recorded already, or was by an earlier accept of a batch not yet on disk;
 * nothing is stored, and the commit's done still comes only after that earlier one is durable. */
enum jresult { J_NEW, J_SEEN };

struct joffer {
    uint64_t id;
    slice lane;
    int64_t accepted_ms; /* wall clock */
    unsigned attempts;   /* times it was offered and put off before, this process and earlier ones */
    bool interrupted;    /* see Attempt */
    bool begun;          /* it may have been worked on before: put off, parked, or from before this start */
};
struct joffers {
    /* This message is at the head of its lane. The hub must later settle, park or put off. Called from the loop, never from
     * within another call to the journal. */
    void (*offer)(void *ctx, const struct joffer *o);
    /* During journal_open: the last durable value of each key put (absent value: removed) not yet covered by journal_puts_flushed. */
    void (*put)(void *ctx, slice key, slice value);
    /* During journal_open: each unsettled message, so that the hub can start work that must not wait for its turn. NULL: not wanted */
    void (*waiting)(void *ctx, uint64_t id, slice lane, slice body);
    void *ctx;
};

struct journal_limits {
    int64_t window_max_us;   /* longest wait for company under load (default 3000); 0: never wait */
    size_t window_bytes;     /* a group of this size goes at once (default 256 KiB) */
    size_t gather_bytes;     /* what may gather while a group is being written (default 64 MiB); more fails ("busy"): memory is bounded by a slow disk, too */
    int64_t stall_ms;        /* a write and its sync that take longer are told by journal_healthy (default 10 s) */
    size_t segment_bytes;    /* default 8 MiB */
    int64_t keep_ms;         /* settled records are kept at least this long for trace (default 7 days) … */
    int64_t keep_bytes;      /* … but not more than this (default 1 GiB); unsettled ones and live dedupe keys always */
    size_t body_cache_bytes; /* bodies of fresh messages kept in memory, so that a quick delivery reads no disk (default 2 MiB) */
};
void journal_limits_default(struct journal_limits *l);

struct loop;
struct jio;
/* Opens (makes, repairs a torn tail of, replays) the journal in dir. NULL: see *f; "in_use" when another process has it, "copy" where the folder is
 * only a copy (journal_open_on). */
struct journal *journal_open(struct loop *loop, const char *dir, const struct journal_limits *l, const struct joffers *to,
                             struct fault *f) MUST_USE;
/* The same over an io of its own (journal/io.h), for a folder that is only a copy. */
struct journal *journal_open_on(const struct jio *io, struct loop *loop, const char *dir, const struct journal_limits *l, const struct joffers *to,
                                struct fault *f) MUST_USE;
/* In a folder that is a copy stands a file of this name: nobody opens it as a journal of its own. */
#define JOURNAL_COPY_MARK "copy"
/* Waits for what was committed, closes. Offers still open are offered again at the next start. */
void journal_close(struct journal *j);

struct jbatch *jbatch_new(struct journal *j) MUST_USE;
void jbatch_drop(struct jbatch *b); /* instead of jbatch_commit */
/* ret_result is filled at once; ret_id too (0 when SEEN), but nothing is durable before done. */
void jbatch_accept(struct jbatch *b, const struct jaccept *in, enum jresult *ret_result, uint64_t *ret_id);
void jbatch_put(struct jbatch *b, slice key, slice value); /* value {NULL,0}: remove */
void jbatch_settle(struct jbatch *b, uint64_t id, enum jstate final, slice note);
void jbatch_attempt(struct jbatch *b, uint64_t id, slice note);
void jbatch_retry(struct jbatch *b, uint64_t id, int64_t not_before_ms, slice note); /* stays head of its lane */
/* Leaves the lane (the next one is offered); found again by wait_key. until_ms: resumed by itself then; 0: never. state: the
 * hub's own bytes about how far the delivery had come. */
void jbatch_park(struct jbatch *b, uint64_t id, slice wait_key, int64_t until_ms, slice note);
/* The parked message with this key is offered again at once, out of its lane's order. False: none. */
bool jbatch_resume(struct jbatch *b, slice wait_key, slice note, uint64_t *ret_id);
void jbatch_note(struct jbatch *b, uint64_t id, slice note); /* trace only; also about final messages */

/* DURABLE: done comes after the sync. LAZY, for what may be repeated safely: done comes after the write and the sync with the next
 * durable group, at most 50 ms later; the write is begun at the end of this turn, or as soon as the group before it is on disk. So it
 * survives kill -9 from done on, and a power cut after the sync. done may be NULL. A failure fails every batch committed until it
 * is known, also those that were to be written next, because they may rest on what failed. */
enum jdurability { JOURNAL_DURABLE, JOURNAL_LAZY };
void jbatch_commit(struct jbatch *b, enum jdurability how, void (*done)(void *arg, bool ok), void *arg);

/* The body as accepted, from memory or disk, copied into a; {NULL,0} if it is gone. */
slice journal_body(struct journal *j, uint64_t id, struct arena *a) MUST_USE;
void journal_counts(const struct journal *j, int64_t ret[J_STATES]); /* since the data directory was made */
/* Since it was opened: what was written together, and how long that took (write and sync). */
struct journal_numbers {
    uint64_t commits, batches, bytes;
    int64_t commit_us;
};
struct journal_numbers journal_numbers(const struct journal *j);
int64_t journal_lanes(const struct journal *j);                     /* with something waiting */
const struct fault *journal_last_fault(const struct journal *j);    /* code NULL: healthy */
/* False: the last write failed, or (code "slow") one does not end. What was committed waits for it: the disk may still answer. */
bool journal_healthy(const struct journal *j);
/* All keys put up to a position are safe elsewhere: replay need not repeat them. Segments with puts that are not are never deleted. */
void journal_puts_flushed(struct journal *j, uint64_t upto);
uint64_t journal_position(const struct journal *j); /* for journal_puts_flushed: everything committed so far */
/* Operator: DEAD or UNKNOWN -> WAITING; false if it is in neither state or gone. */
bool jbatch_replay(struct jbatch *b, uint64_t id, slice note);
/* Operator: WAITING, PARKED, DEAD or UNKNOWN -> DEAD with this note (an open offer's later settle is ignored). */
bool jbatch_discard(struct jbatch *b, uint64_t id, slice note);

/* ---- reading a journal, running or stopped, without opening it -------------------------------------------------- */

enum jop { JOP_ACCEPT, JOP_PUT, JOP_SETTLE, JOP_ATTEMPT, JOP_RETRY, JOP_PARK, JOP_RESUME, JOP_NOTE, JOP_REPLAY, JOP_DISCARD, JOP_MAX };
extern const char *const jop_names[JOP_MAX];
struct jrecord {
    enum jop op;
    bool copied; /* an accept carried forward out of a segment that was to be deleted: the same message, not a new one */
    int64_t at_ms;
    uint64_t id;
    enum jstate state; /* after it; means nothing for PUT and NOTE */
    slice lane, dedupe, body, note, key, value;
    int64_t not_before_ms;
};
/* Every record still kept, oldest first; each returns false to stop. Safe beside a running hub (a torn tail is the end). */
bool journal_scan(const char *dir, bool (*each)(void *arg, const struct jrecord *r), void *arg, struct fault *f) MUST_USE;

/* The messages of a stopped hub's journal by state, as an open would find them; nothing is changed.
 * True with the fault "damaged": part of it cannot be read, and does not count. */
bool journal_count(const char *dir, int64_t ret[J_STATES], struct fault *f) MUST_USE;

/* Where a follower is in the log; zeroed: before the oldest record kept. Any change of a group's bytes makes it a place that is not there any more. */
struct jplace {
    uint32_t no, off, crc;
    uint64_t seq;
};
/* Groups before this one are on disk for good. */
uint64_t journal_durable(const struct journal *j);
/* A follower has read all before segment `no`: from there on they are kept for him, also beyond keep_ms and keep_bytes, until all take JOURNAL_FOLLOW_TIMES
 * as much as keep_bytes. Never called: nobody follows. */
enum { JOURNAL_FOLLOW_TIMES = 4 };
void journal_followed(struct journal *j, uint32_t no);
int64_t journal_room(const struct journal *j); /* keep_bytes */
/* The records behind *at, in the groups before `until` (journal_durable of the hub that writes; UINT64_MAX: all there are), oldest first; stops after about
 * max_bytes and moves *at on. On any thread, beside the running hub. *ret_gap: records were deleted, or are unreadable, that were never told. each returns
 * false to stop behind the group that it is in. */
bool journal_follow(const char *dir, struct jplace *at, uint64_t until, size_t max_bytes, bool (*each)(void *arg, const struct jrecord *r), void *arg,
                    bool *ret_gap, struct fault *f) MUST_USE;
#endif
