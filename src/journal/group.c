/* Commits. Batches gather in one group while another flies; what landed is applied to the state and told to who waits. */
#include "journal/journal-private.h"

enum {
    GROUP_FIRST_BYTES = 4096,
    WORTH_WAITING = 3,   /* commits to be expected within two windows */
    COMPANY_ENOUGH = 16, /* so many batches go without waiting for more: the sync is shared by enough of them */
};

static int64_t mono_us(const struct journal *j)
{
    return j->io->mono_us(j->io->ctx);
}

static struct group *group_new(struct journal *j)
{
    struct group *g = must_calloc(1, sizeof(*g));
    g->j = j;
    g->n = GROUP_HEAD;
    return g;
}

static void group_free(struct group *g)
{
    if (!g)
        return;
    free(g->waiters);
    free(g->buf);
    free(g);
}

static void group_put(struct group *g, const char *p, size_t n)
{
    if (g->cap - MIN(g->n, g->cap) < n) {
        g->cap = MAX(MAX(g->cap * 2, g->n + n), (size_t)GROUP_FIRST_BYTES);
        g->buf = must_realloc(g->buf, g->cap);
    }
    memcpy(g->buf + g->n, p, n);
    g->n += n;
}

static slice group_records(const struct group *g)
{
    return g->buf ? slice_mem(g->buf + GROUP_HEAD, g->n - GROUP_HEAD) : SLICE_NONE;
}

/* ---- when to go --------------------------------------------------------------------------------- */

static void count_commit(struct journal *j)
{
    int64_t now = mono_us(j);
    if (now - j->span_us >= RATE_SPAN_US) {
        j->before_commits = now - j->span_us < 2 * RATE_SPAN_US ? j->span_commits : 0;
        j->span_commits = 0;
        j->span_us = now;
    }
    j->span_commits++;
}

/* Waiting for company pays when company is likely: groups are then started a window apart. A lone commit never waits. */
static int64_t wait_us(const struct journal *j)
{
    int64_t window = j->limits.window_max_us, now = mono_us(j);
    if (window <= 0 || j->gathering->n >= j->limits.window_bytes || j->gathering->n_waiters >= COMPANY_ENOUGH || j->closing)
        return 0;
    int64_t expected = (int64_t)MAX(j->before_commits, j->span_commits) * window * 2 / RATE_SPAN_US;
    if (expected < WORTH_WAITING)
        return 0;
    return MAX(0, MIN(window, j->last_start_us + window - now));
}

void group_schedule(struct journal *j)
{
    if (j->flying || !j->gathering || j->window.active)
        return;
    int64_t wait = wait_us(j);
    if (wait)
        loop_timer_start(j->loop, &j->window, (wait + 999) / 1000, group_window_over, j);
    else
        later_ask(j->turn_end);
}

void group_turn_end(void *arg)
{
    struct journal *j = arg;
    if (!j->flying && j->gathering && !j->window.active)
        group_start(j);
}

void group_window_over(void *arg)
{
    struct journal *j = arg;
    if (!j->flying && j->gathering)
        group_start(j);
}

void group_append(struct journal *j, struct jbatch *b)
{
    struct group *g = j->gathering;
    if (!g)
        g = j->gathering = group_new(j);
    if (b->n)
        group_put(g, b->buf, b->n);
    if (g->n_waiters == g->cap_waiters) {
        g->cap_waiters = g->cap_waiters ? g->cap_waiters * 2 : 4;
        g->waiters = must_realloc(g->waiters, g->cap_waiters * sizeof(*g->waiters));
    }
    g->waiters[g->n_waiters++] = (struct waiter){ b->done, b->arg, !b->bad };
    g->sync |= b->how == JOURNAL_DURABLE && b->n;
    count_commit(j);
    if ((g->n >= j->limits.window_bytes || g->n_waiters >= COMPANY_ENOUGH) && j->window.active)
        loop_timer_stop(&j->window);
    group_schedule(j);
}

/* ---- on the disk thread -------------------------------------------------------------------------- */

static void group_work(struct job *job)
{
    struct group *g = CONTAINER_OF(job, struct group, job);
    if (g->n > GROUP_HEAD || g->sync)
        log_write(&g->place, g->buf, g->n, g->sync);
}

/* ---- what was written and is kept ---------------------------------------------------------------- */

bool group_all_synced(const struct journal *j)
{
    for (size_t i = j->kept_from; i < j->n_kept; i++)
        if (!j->kept[i]->synced)
            return false;
    return true;
}

static void kept_trim(struct journal *j, size_t limit)
{
    while (j->kept_from < j->n_kept && j->kept_bytes > limit && j->kept[j->kept_from]->synced) {
        struct group *g = j->kept[j->kept_from++];
        j->kept_bytes -= g->cap;
        group_free(g);
    }
    if (j->kept_from == j->n_kept)
        j->kept_from = j->n_kept = 0;
}

static void kept_add(struct journal *j, struct group *g)
{
    if (j->n_kept == j->cap_kept && j->kept_from * 2 > j->cap_kept) {
        memmove(j->kept, j->kept + j->kept_from, (j->n_kept - j->kept_from) * sizeof(struct group *));
        j->n_kept -= j->kept_from;
        j->kept_from = 0;
    } else if (j->n_kept == j->cap_kept) {
        j->cap_kept = j->cap_kept ? j->cap_kept * 2 : 16;
        j->kept = must_realloc(j->kept, j->cap_kept * sizeof(struct group *));
    }
    if (g->cap > g->n + g->n / 8) {
        g->buf = must_realloc(g->buf, g->n);
        g->cap = g->n;
    }
    j->kept[j->n_kept++] = g;
    j->kept_bytes += g->cap;
    kept_trim(j, j->limits.body_cache_bytes);
}

const struct group *group_kept(const struct journal *j, uint32_t seg, uint32_t off, uint32_t len)
{
    size_t low = j->kept_from, high = j->n_kept; /* the first one that begins behind the place */
    while (low < high) {
        const struct place *p = &j->kept[(low + high) / 2]->place;
        if (p->no < seg || (p->no == seg && p->off <= off))
            low = (low + high) / 2 + 1;
        else
            high = (low + high) / 2;
    }
    if (low == j->kept_from)
        return NULL;
    const struct group *g = j->kept[low - 1];
    return g->place.no == seg && (uint64_t)off + len <= (uint64_t)g->place.off + g->n ? g : NULL;
}

/* What a failed sync left in doubt goes first into the next group; its old copies are dropped once that has landed. */
static void redo_prepare(struct journal *j, struct group *g)
{
    if (!j->log.fresh || group_all_synced(j))
        return;
    struct group *with = group_new(j);
    for (size_t i = j->kept_from; i < j->n_kept; i++)
        if (!j->kept[i]->synced) {
            slice s = group_records(j->kept[i]);
            group_put(with, s.p, s.n);
        }
    with->redo_bytes = with->n - GROUP_HEAD;
    slice s = group_records(g);
    if (s.n)
        group_put(with, s.p, s.n);
    free(g->buf);
    g->buf = with->buf;
    g->n = with->n;
    g->cap = with->cap;
    g->redo_bytes = with->redo_bytes;
    g->sync = true;
    free(with);
}

static void redo_landed(struct journal *j, const struct group *g)
{
    slice s = slice_sub(group_records(g), 0, g->redo_bytes);
    uint32_t off = g->place.off + GROUP_HEAD;
    for (struct rec r; s.n;) {
        size_t before = s.n;
        if (!rec_get(&s, &r))
            break;
        uint32_t len = (uint32_t)(before - s.n);
        state_relocate(&j->state, &r, g->place.no, off, len);
        off += len;
    }
    size_t kept = j->kept_from;
    for (size_t i = j->kept_from; i < j->n_kept; i++) {
        if (j->kept[i]->synced) {
            j->kept[kept++] = j->kept[i];
            continue;
        }
        j->kept_bytes -= j->kept[i]->cap;
        group_free(j->kept[i]);
    }
    j->n_kept = kept;
}

/* ---- landing ------------------------------------------------------------------------------------ */

void journal_apply(struct journal *j, const struct rec *r, uint32_t seg, uint32_t off, uint32_t len)
{
    state_apply(&j->state, r, seg, off, len);
    if (r->op == JOP_ACCEPT && REC_TEXT(r, REC_DEDUPE).p) {
        struct dkey k = dedupe_key(j->dedupe, REC_TEXT(r, REC_DEDUPE));
        dedupe_unclaim(j->dedupe, k);
        int64_t ends_h = MIN(REC_NUMBER(r, REC_EXPIRES) / HOUR_MS + 1, (int64_t)UINT32_MAX);
        if (ends_h > journal_hour(j))
            dedupe_add(j->dedupe, k, (uint32_t)ends_h);
    } else if (r->op == JOP_PARK) {
        batch_park_applied(j, r->id);
    }
}

static void tell(struct group *g, bool ok)
{
    for (size_t i = 0; i < g->n_waiters; i++)
        if (g->waiters[i].done)
            g->waiters[i].done(g->waiters[i].arg, ok && g->waiters[i].ok);
    free(g->waiters);
    g->waiters = NULL;
    g->n_waiters = g->cap_waiters = 0;
}

/* Everything committed until now fails together: a later batch may rest on an earlier one. */
static void group_failed(struct journal *j, struct group *g)
{
    j->healthy = false;
    fault(&j->fault, "io", "journal", "the journal cannot be written: %s", strerror(g->place.error));
    if (g->place.in_doubt) {
        j->log.fresh = true;
        for (size_t i = j->n_kept; i-- > j->kept_from;)
            if (!j->kept[i]->synced)
                j->log.seq = MIN(j->log.seq, j->kept[i]->place.seq);
    }
    j->fail_epoch++;
    struct group *next = j->gathering;
    j->gathering = NULL;
    loop_timer_stop(&j->window);
    batch_forget(j, slice_from(group_records(g), g->redo_bytes));
    if (next)
        batch_forget(j, group_records(next));
    tell(g, false);
    if (next)
        tell(next, false);
    group_free(g);
    group_free(next);
    if (!group_all_synced(j) && !j->closing)
        loop_timer_start(j->loop, &j->sync, REPAIR_MS, group_sync_due, j);
}

static void group_applied(struct journal *j, struct group *g)
{
    const struct place *p = &g->place;
    slice s = slice_from(group_records(g), g->redo_bytes);
    uint32_t off = p->off + GROUP_HEAD + (uint32_t)g->redo_bytes;
    for (struct rec r; s.n;) {
        size_t before = s.n;
        bool whole = rec_get(&s, &r);
        assert(whole); /* we wrote it */
        uint32_t len = (uint32_t)(before - s.n);
        journal_apply(j, &r, p->no, off, len);
        off += len;
    }
}

static void group_landed(struct journal *j, struct group *g)
{
    bool wrote = g->n > GROUP_HEAD;
    j->numbers.commits += wrote;
    j->numbers.batches += g->n_waiters;
    j->numbers.bytes += wrote ? g->n : 0;
    j->numbers.commit_us += wrote ? mono_us(j) - j->last_start_us : 0;
    if (wrote || g->sync) {
        log_landed(&j->log, &g->place, g->n);
        j->healthy = true;
        j->fault.code = NULL;
    }
    if (g->redo_bytes)
        redo_landed(j, g);
    g->synced = g->sync || g->place.begin;
    for (size_t i = j->n_kept; g->synced && i-- > j->kept_from && !j->kept[i]->synced;)
        j->kept[i]->synced = true;
    group_applied(j, g);
    tell(g, true);
    bool begun = g->place.begin;
    if (wrote)
        kept_add(j, g);
    else
        group_free(g);
    if (group_all_synced(j))
        loop_timer_stop(&j->sync);
    else if (!j->sync.active && !j->closing)
        loop_timer_start(j->loop, &j->sync, LAZY_SYNC_MS, group_sync_due, j);
    journal_changed(j);
    if (begun)
        keep_tend(j);
}

static void group_done(struct job *job)
{
    struct group *g = CONTAINER_OF(job, struct group, job);
    struct journal *j = g->j;
    j->flying = NULL;
    loop_timer_stop(&j->stall);
    if (g->place.error)
        group_failed(j, g);
    else
        group_landed(j, g);
    group_schedule(j);
}

static void stalled(void *arg)
{
    struct journal *j = arg;
    j->healthy = false;
    fault(&j->fault, "slow", "journal", "the journal is being written for more than %lld s: its disk, or database, does not answer", (long long)j->limits.stall_ms / 1000);
}

void group_start(struct journal *j)
{
    struct group *g = j->gathering;
    assert(g && !j->flying);
    j->gathering = NULL;
    j->flying = g;
    loop_timer_stop(&j->window);
    redo_prepare(j, g);
    g->place = (struct place){ 0 };
    g->job.work = group_work;
    g->job.done = group_done;
    if (g->n == GROUP_HEAD && !g->sync) { /* nothing to write, and everything before it has landed */
        group_done(&g->job);
        return;
    }
    j->last_start_us = mono_us(j);
    log_plan(&j->log, g->n, &g->place);
    loop_timer_start(j->loop, &j->stall, j->limits.stall_ms, stalled, j);
    disk_submit(j->disk, &g->job);
}

/* Lazy groups are synced by the next durable one; when none comes, by this. */
void group_sync_due(void *arg)
{
    struct journal *j = arg;
    if (j->flying || group_all_synced(j))
        return; /* what is flying comes back and asks again */
    if (!j->gathering)
        j->gathering = group_new(j);
    j->gathering->sync = true;
    group_start(j);
}

void group_free_all(struct journal *j)
{
    assert(!j->flying);
    group_free(j->gathering);
    for (size_t i = j->kept_from; i < j->n_kept; i++)
        group_free(j->kept[i]);
    free(j->kept);
}
