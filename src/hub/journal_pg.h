/* journal_pg.h - the journal of a worker, kept in PostgreSQL, so that whoever takes its shard over goes on where it stopped.
 *
 *   struct journal_pg *p = journal_pg_take("postgresql://…", 0, SL("10.0.0.7:8080"), "data", &f);    DIR/journal is now a copy of the shard's files
 *   struct journal *j = journal_open_on(journal_pg_io(p), loop, "data", &limits, &offers, &f);
 *   journal_pg_watch(p, loop, leave, arg);
 *   … journal_close(j); journal_pg_close(p);
 *
 * Shape      The journal is the same code, files and formats; its folder is a copy that is only read here. What is written to a segment is gathered, and a sync
 *            writes it as rows log_part(shard, file, at, bytes) in one transaction and one round trip; snapshots and generations are files of rows, too.
 *            Where a log of files would trust a sync, this one trusts a commit: what was not committed is not there after a takeover, lazy batches of the last 50 ms among it.
 * Fence      log_shard(no, holder, epoch): who takes a shard raises the epoch, and every transaction of ours holds that row and fails when the epoch is not ours.
 *            From then on every sync is an error, and the watch is told once. Who does not write finds out within JOURNAL_PG_LOOK_MS.
 *            A session that holds the row for seconds is ended by the one who takes it: its machine may be gone, and the server need not notice for hours.
 * Errors     take: "in_use" (a hub runs in that folder, or it has a journal of its own: `dragoman move` brings it over), "io", and those of store/pg.h.
 *            A sync whose connection is lost is done again, the same rows in the same places, until JOURNAL_PG_PATIENCE_MS are over; then it is EIO, and the journal
 *            goes on in a new segment, as after any sync that failed. A fence that is lost is ESTALE.
 * Memory     what was written since the last sync, and 256 KiB at a time of a whole file.
 * Threads    take and close block, on the thread of the loop; the io belongs to the journal's threads; the rest: loop thread.
 */
#ifndef HUB_JOURNAL_PG_H
#define HUB_JOURNAL_PG_H
#include "base/base.h"

enum {
    JOURNAL_PG_PATIENCE_MS = 5000, /* a sync is tried again for so long */
    JOURNAL_PG_LOOK_MS = 5000,     /* the fence is looked at so often */
    JOURNAL_PG_TAKE_MS = 20000,    /* the longest wait for a fence that somebody's transaction holds */
};

struct journal_pg;
struct jio;
struct loop;

/* Whose tables these are is written when somebody comes first; true: ours. False: "other_installation" (another mark is there), or those of store/pg.h. mark: no secret. Blocks. */
bool journal_pg_ours(const char *where, slice mark, struct fault *f) MUST_USE;
/* Makes the tables if there are none (several may start at once), takes the fence, fills DIR/journal, which is emptied before. holder: where the others find us. */
struct journal_pg *journal_pg_take(const char *where, unsigned shard, slice holder, const char *dir, struct fault *f) MUST_USE;
const struct jio *journal_pg_io(struct journal_pg *p);
/* lost(arg), once; also when it was lost before. */
void journal_pg_watch(struct journal_pg *p, struct loop *loop, void (*lost)(void *arg), void *arg);
/* After journal_close. The shard stays ours in the table, without a holder's name, until it is taken. */
void journal_pg_close(struct journal_pg *p);

struct journal_pg_numbers {
    uint64_t syncs, failed, rows, bytes; /* commits, those that failed for good, what they wrote */
    int64_t last_us, sync_us;            /* the last commit's duration; of all together */
    int64_t made, lost;                  /* connections; made: the first ones not counted */
    uint64_t epoch;
    bool reachable, fenced;              /* the last thing asked of the server was answered; the fence is lost */
};
struct journal_pg_numbers journal_pg_numbers(struct journal_pg *p);
/* Why the last commit failed; code NULL: it did not. */
void journal_pg_fault(struct journal_pg *p, struct fault *ret);

/* ---- for `dragoman move` ------------------------------------------------------------------------------------------------------------------- */

/* As the holder's name: nobody but a move takes the shard then. The first while one is under way (and after one that was interrupted), the second for good. */
#define JOURNAL_PG_MOVING_IN "dragoman move in"
#define JOURNAL_PG_MOVED_OUT "dragoman move out"
/* The holder that stands in the table after the close; what is not said is nobody. */
void journal_pg_leave(struct journal_pg *p, const char *holder);
/* The files of a stopped hub's DIR/journal in place of all that the shard has. told: after each file, with the bytes so far. */
bool journal_pg_import(struct journal_pg *p, const char *dir, void (*told)(void *arg, int64_t bytes), void *arg, struct fault *f) MUST_USE;
/* Empties DIR/journal and fills it again, as take did with its own; DIR/journal must be a copy or empty. */
bool journal_pg_fill(struct journal_pg *p, const char *dir, struct fault *f) MUST_USE;
/* Rows of the shard's log. */
bool journal_pg_parts(const char *where, unsigned shard, int64_t *ret, struct fault *f) MUST_USE;

/* Who holds the shard, in a; absent: nobody. Blocks: on a connection of its own. */
bool journal_pg_holder(const char *where, unsigned shard, struct arena *a, slice *ret_holder, struct fault *f) MUST_USE;
#endif
