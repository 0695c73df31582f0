/* What is kept how long: snapshots, old segments, dedupe generations. */
#include "journal/journal-private.h"
#include "journal/record.h"

struct snapshot_job {
    struct job job;
    struct journal *j;
    slice content;
    uint32_t no;
    int error;
};

static void snapshot_work(struct job *job)
{
    struct snapshot_job *s = CONTAINER_OF(job, struct snapshot_job, job);
    s->error = jio_replace(s->j->io, s->j->dirfd, "snapshot", s->content);
}

/* ---- old segments -------------------------------------------------------------------------------- */

static void copied(void *arg, bool ok)
{
    struct journal *j = arg;
    j->copying = false;
    if (ok)
        keep_tend(j);
}

/* Carries what is still needed of a segment forward, a piece at a time, so that the segment can go. */
static bool copy_forward(struct journal *j, const struct segment *seg)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct jbatch *b = jbatch_new(j);
    for (uint32_t i = 0; i < state_numbers(&j->state) && b->n < COPY_BYTES; i++) {
        struct entry *e = state_entry(&j->state, i);
        struct rec r;
        if (!e->id || e->seg != seg->no || (e->state != J_WAITING && e->state != J_PARKED) || !journal_record(j, e, a, &r))
            continue;
        r.op = OP_COPY;
        batch_add(b, &r);
    }
    if (!b->n) {
        jbatch_drop(b);
        return false;
    }
    j->copying = true;
    jbatch_commit(b, JOURNAL_DURABLE, copied, j);
    return true;
}

static void segments_tend(struct journal *j)
{
    int64_t now = journal_clock_ms(j), total = 0;
    for (size_t i = 0; i < j->log.n_segs; i++)
        total += j->log.segs[i].bytes;
    for (size_t i = 0; i + 1 < j->log.n_segs;) {
        struct segment *s = &j->log.segs[i];
        bool over = total > j->limits.keep_bytes;
        if (s->no >= j->replay_from)
            break;
        if (!over && now - s->last_ms < j->limits.keep_ms) {
            i++;
            continue;
        }
        if (s->no >= j->followed && total / JOURNAL_FOLLOW_TIMES <= j->limits.keep_bytes) {
            i++;
            continue;
        }
        if (s->live && !s->puts && !j->copying && s->live_bytes * 100 < (uint64_t)s->bytes * COPY_BELOW_PERCENT &&
            copy_forward(j, s))
            return; /* goes on when they have landed */
        if (s->live || s->puts || (s->dead && state_replays_of(&j->state, s->no))) {
            i++;
            continue;
        }
        total -= s->bytes;
        if (s->dead)
            state_forget_segment(&j->state, s->no);
        log_delete(&j->log, s->no);
    }
}

/* ---- snapshots ----------------------------------------------------------------------------------- */

static void snapshot_done(struct job *job)
{
    struct snapshot_job *s = CONTAINER_OF(job, struct snapshot_job, job);
    struct journal *j = s->j;
    j->snapshot = NULL;
    if (!s->error) {
        j->replay_from = s->no;
        segments_tend(j);
    }
    free((void *)(uintptr_t)s->content.p);
    free(s);
}

/* Only of what is surely on disk: a snapshot must not know more than the log it continues with. */
static void snapshot_begin(struct journal *j)
{
    if (j->snapshot || j->log.fresh || !j->log.n_segs || !group_all_synced(j))
        return;
    struct snapshot_job *s = must_calloc(1, sizeof(*s));
    s->job.work = snapshot_work;
    s->job.done = snapshot_done;
    s->j = j;
    s->no = j->log.segs[j->log.n_segs - 1].no;
    s->content = snapshot_make(j);
    j->snapshot = s;
    disk_submit(j->back, &s->job);
}

void keep_tend(struct journal *j)
{
    dedupe_tend(j->dedupe, j->back, journal_hour(j), j->io->mono_us(j->io->ctx) / 1000);
    if (j->log.n_segs && j->replay_from != j->log.segs[j->log.n_segs - 1].no)
        snapshot_begin(j);
    if (!j->closing)
        segments_tend(j);
}

void keep_snapshot_now(struct journal *j)
{
    disk_drain(j->back);
    snapshot_begin(j);
    disk_drain(j->back);
}
