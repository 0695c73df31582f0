#include "journal/journal-private.h"
#include "base/durable.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SEGMENT_LEAST = 4096 };

void journal_limits_default(struct journal_limits *l)
{
    *l = (struct journal_limits){
        .window_max_us = 3000,
        .window_bytes = 256 << 10,
        .gather_bytes = 64 << 20,
        .stall_ms = 10000,
        .segment_bytes = 8 << 20,
        .keep_ms = INT64_C(7) * 24 * 3600 * 1000,
        .keep_bytes = 1 << 30,
        .body_cache_bytes = 2 << 20,
    };
}

int64_t journal_clock_ms(const struct journal *j)
{
    return j->wall_base_ms + j->io->mono_us(j->io->ctx) / 1000 - j->mono_base_ms;
}

uint32_t journal_hour(const struct journal *j)
{
    return (uint32_t)(MAX(journal_clock_ms(j), 0) / HOUR_MS);
}

/* ---- offers and times ---------------------------------------------------------------------------- */

static void offers_run(void *arg)
{
    struct journal *j = arg;
    /* Only what is ready now: an offer may make further ones ready, and sockets want their turn. */
    for (size_t n = j->state.n_ready - j->state.ready_from; n; n--) {
        struct entry *e = state_next(&j->state);
        if (!e)
            break;
        CLEANUP(arena_freep) struct arena *a = arena_new();
        j->to.offer(j->to.ctx, &(struct joffer){
                                   .id = e->id,
                                   .lane = arena_dup(a, state_lane(&j->state, e)),
                                   .accepted_ms = (int64_t)e->accepted_ms,
                                   .attempts = e->attempts,
                                   .interrupted = e->flags & ENTRY_INTERRUPTED,
                                   .begun = e->attempts || e->flags & (ENTRY_INTERRUPTED | ENTRY_DETACHED | ENTRY_OLD),
                               });
    }
    journal_changed(j);
}

static void due_run(void *arg);

void journal_changed(struct journal *j)
{
    if (j->closing)
        return;
    if (j->state.ready_from < j->state.n_ready)
        later_ask(j->offers);
    int64_t at = state_next_due(&j->state);
    if (at == INT64_MAX)
        loop_timer_stop(&j->due);
    else
        loop_timer_start(j->loop, &j->due, MIN(MAX(at - j->io->mono_us(j->io->ctx) / 1000, 0), (int64_t)TEND_MS), due_run, j);
}

static void due_run(void *arg)
{
    struct journal *j = arg;
    struct jbatch *b = NULL;
    int64_t now = j->io->mono_us(j->io->ctx) / 1000;
    for (struct entry *e; (e = state_due(&j->state, now));) {
        if (e->state != J_PARKED)
            continue;
        if (e->flags & ENTRY_RESUMING) { /* should that come to nothing, its time must come again */
            state_wait(&j->state, e, REPAIR_MS, j->io->wall_ms(j->io->ctx));
            continue;
        }
        e->flags |= ENTRY_RESUMING;
        b = b ? b : jbatch_new(j);
        batch_add(b, &(struct rec){ .op = JOP_RESUME, .state = J_WAITING, .at_ms = j->io->wall_ms(j->io->ctx), .id = e->id });
    }
    if (b)
        jbatch_commit(b, JOURNAL_LAZY, NULL, NULL);
    journal_changed(j);
}

static void tend_run(void *arg)
{
    struct journal *j = arg;
    keep_tend(j);
    loop_timer_start(j->loop, &j->tend, TEND_MS, tend_run, j);
}

/* ---- opening ------------------------------------------------------------------------------------- */

static void pinned(void *ctx, enum state_pin what, int by, uint32_t seg, uint32_t len)
{
    struct journal *j = ctx;
    struct segment *s = log_segment(&j->log, seg);
    if (!s)
        return;
    switch (what) {
    case PIN_LIVE:
        s->live += (uint32_t)by;
        s->live_bytes += (uint64_t)((int64_t)by * (int64_t)len);
        break;
    case PIN_DEAD:
        s->dead += (uint32_t)by;
        break;
    case PIN_PUT:
        s->puts += (uint32_t)by;
        break;
    }
}

static bool lock(struct journal *j, const char *dir, struct fault *f)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    if (mkdir(dir, 0700) != 0 && errno != EEXIST)
        return fault(f, "io", "data", "%s: %s", dir, strerror(errno));
    const char *path = arena_printf(a, "%s/journal", dir).p;
    int e = durable_folder(path);
    if (e)
        return fault(f, "io", "data", "%s: %s", path, strerror(e));
    j->dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (j->dirfd < 0)
        return fault(f, "io", "data", "%s: %s", path, strerror(errno));
    j->lockfd = openat(j->dirfd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (j->lockfd < 0)
        return fault(f, "io", "data", "%s/lock: %s", path, strerror(errno));
    if (!j->io->opened && faccessat(j->dirfd, JOURNAL_COPY_MARK, F_OK, 0) == 0)
        return fault(f, "copy", "data", "%s is a copy of a journal that is kept in a database: ask the API of any replica", path);
    char pid[24] = "";
    if (flock(j->lockfd, LOCK_EX | LOCK_NB) != 0) {
        pid[jio_read(j->lockfd, pid, sizeof(pid) - 1, 0)] = 0;
        return fault(f, "in_use", "data", "%s is used by the process %s", dir, pid[0] ? pid : "that is just starting");
    }
    int n = snprintf(pid, sizeof(pid), "%d", (int)getpid());
    if (ftruncate(j->lockfd, 0) != 0 || pwrite(j->lockfd, pid, (size_t)n, 0) != n)
        return fault(f, "io", "data", "%s/lock: %s", path, strerror(errno));
    return true;
}

/* What a process that died left behind half made. */
static void remove_unfinished(struct journal *j)
{
    char name[40];
    snprintf(name, sizeof(name), "%08u.tmp", j->log.next_no);
    unlinkat(j->dirfd, name, 0);
    unlinkat(j->dirfd, "snapshot.new", 0);
    unlinkat(j->dirfd, "key.new", 0);
}

static void replay_segment(struct journal *j, struct reader *r, uint64_t seq_limit)
{
    slice records;
    uint32_t off;
    while (reader_next(r, seq_limit, &records, &off))
        while (records.n) {
            struct rec rec;
            size_t before = records.n;
            if (!rec_get(&records, &rec)) {
                j->damaged = true;
                break;
            }
            uint32_t len = (uint32_t)(before - records.n);
            journal_apply(j, &rec, r->no, off, len);
            off += len;
        }
}

/* What the last process wrote may be in the page cache only, and after a sync that failed no further sync brings it from there to the disk: it is
 * written again, the same bytes in the same place. 0 or an errno. */
static int make_sure(struct journal *j, uint32_t from)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    char *buf = arena_alloc(a, COPY_BYTES);
    int e = 0;
    for (uint32_t off = from; !e && j->log.fd >= 0 && off < j->log.off;) {
        size_t n = MIN((size_t)COPY_BYTES, (size_t)(j->log.off - off));
        e = jio_read(j->log.fd, buf, n, off) == n ? j->io->write(j->io->ctx, j->log.fd, buf, n, off) : EIO;
        off += (uint32_t)n;
    }
    return e || j->log.fd < 0 ? e : j->io->sync(j->io->ctx, j->log.fd);
}

/* Returns the bytes read. *ret_sure: the last segment's bytes that are surely on disk. */
static int64_t replay(struct journal *j, uint32_t *ret_sure)
{
    struct snapshot_at at = { 0 };
    bool damaged = false, loaded = snapshot_load(j, &at, &damaged);
    int64_t bytes = 0;
    struct reader now = { .fd = -1 }, next = { .fd = -1 };
    uint64_t seq = loaded ? at.seq : 0;
    if (loaded && j->log.n_segs && at.no > j->log.segs[j->log.n_segs - 1].no)
        damaged = true;
    for (size_t i = 0; i <= j->log.n_segs; i++) {
        const struct segment *s = i < j->log.n_segs ? &j->log.segs[i] : NULL;
        if (s && loaded && s->no < at.no)
            continue;
        if (s && !reader_open(&next, j->dirfd, s->no)) {
            damaged = true;
            continue;
        }
        if (now.fd >= 0) {
            replay_segment(j, &now, s ? next.first_seq : UINT64_MAX);
            bytes += now.off;
            seq = now.seq;
            damaged |= s && next.first_seq > seq;
            struct segment *done = log_segment(&j->log, now.no);
            if (s)
                done->bytes = now.off;
            else
                log_continue(&j->log, now.no, now.off, now.crc, seq);
        }
        reader_close(&now);
        if (!s)
            break;
        now = next;
        next = (struct reader){ .fd = -1 };
        if (loaded && s->no == at.no) {
            damaged |= at.seq < now.first_seq || at.off < SEG_HEAD;
            if (at.off >= SEG_HEAD)
                reader_seek(&now, at.off, at.crc, at.seq);
        }
    }
    j->log.seq = MAX(j->log.seq, seq);
    /* Behind a damaged last segment nothing is added: the next group begins a new one. */
    j->log.fresh = j->log.n_segs && (j->log.fd < 0 || j->log.fresh);
    j->damaged |= damaged;
    j->replay_from = loaded ? at.no : 0;
    *ret_sure = loaded && j->log.n_segs && at.no == j->log.segs[j->log.n_segs - 1].no ? at.off : 0;
    return bytes;
}

static void tell_puts(struct journal *j)
{
    for (uint32_t n = 0; j->to.put && n < j->state.n_put_at; n++) {
        const struct put *p = &j->state.put_at[n];
        CLEANUP(arena_freep) struct arena *a = arena_new();
        char *buf = p->position && log_has(&j->log, p->seg, p->off, p->len) ? arena_alloc(a, p->len) : NULL;
        slice s = buf ? slice_mem(buf, p->len) : SLICE_NONE;
        struct rec r;
        if (!buf || !log_read(&j->log, p->seg, p->off, buf, p->len) || !rec_get(&s, &r) || r.op != JOP_PUT) {
            j->damaged |= p->position != 0;
            continue;
        }
        j->to.put(j->to.ctx, REC_TEXT(&r, REC_KEY), REC_TEXT(&r, REC_VALUE));
    }
}

static void tell_waiting(struct journal *j)
{
    for (uint32_t i = 0; j->to.waiting && i < state_numbers(&j->state); i++) {
        const struct entry *e = state_entry(&j->state, i);
        if (!e->id || (e->state != J_WAITING && e->state != J_PARKED))
            continue;
        CLEANUP(arena_freep) struct arena *a = arena_new();
        j->to.waiting(j->to.ctx, e->id, state_lane(&j->state, e), journal_body(j, e->id, a));
    }
}

static void journal_free(struct journal *j)
{
    disk_free(j->disk);
    disk_free(j->back);
    later_free(j->turn_end);
    later_free(j->offers);
    struct loop_timer *timers[] = { &j->window, &j->sync, &j->stall, &j->due, &j->tend };
    for (size_t i = 0; i < COUNT(timers); i++)
        loop_timer_done(timers[i]);
    group_free_all(j);
    batch_free_all(j);
    dedupe_free(j->dedupe);
    state_done(&j->state);
    log_done(&j->log);
    if (j->lockfd >= 0)
        close(j->lockfd);
    if (j->dirfd >= 0)
        close(j->dirfd);
    free(j);
}

struct journal *journal_open_with(struct loop *loop, const char *dir, const struct journal_limits *l, const struct joffers *to,
                                  const struct jio *io, size_t generation_keys, struct fault *f)
{
    struct journal *j = must_calloc(1, sizeof(*j));
    j->loop = loop;
    j->limits = *l;
    j->limits.segment_bytes = MIN(MAX(l->segment_bytes, (size_t)SEGMENT_LEAST), (size_t)1 << 30);
    j->to = *to;
    j->io = io;
    j->dirfd = j->lockfd = j->log.fd = -1;
    for (size_t i = 0; i < LOG_READ_FDS; i++)
        j->log.reading[i].fd = -1;
    j->healthy = true;
    j->followed = UINT32_MAX;
    j->wall_base_ms = io->wall_ms(io->ctx);
    j->mono_base_ms = io->mono_us(io->ctx) / 1000;
    state_init(&j->state, io, pinned, j);
    if (!lock(j, dir, f) || !log_open(&j->log, j->dirfd, io, j->limits.segment_bytes, f) ||
        !(j->dedupe = dedupe_open(j->dirfd, io, f))) {
        journal_free(j);
        return NULL;
    }
    if (generation_keys)
        dedupe_set_generation_keys(j->dedupe, generation_keys);
    remove_unfinished(j);
    uint32_t sure = 0;
    int64_t bytes = replay(j, &sure);
    state_started(&j->state);
    j->next_id = j->state.next_id;
    j->position = j->state.put_position;
    int e = make_sure(j, sure);
    j->disk = disk_new(loop);
    j->back = disk_new(loop);
    if (e || !j->disk || !j->back) {
        fault(f, "io", "journal", e ? "cannot be synced: %s" : "no thread to be had", strerror(e));
        journal_free(j);
        return NULL;
    }
    j->turn_end = later_new(loop, group_turn_end, j);
    j->offers = later_new(loop, offers_run, j);
    tell_puts(j);
    tell_waiting(j);
    if (j->damaged)
        fault(&j->fault, "damaged", "journal", "part of the log could not be read; what could be is there");
    if (bytes > REPLAY_LONG_BYTES)
        j->replay_from = 0; /* a snapshot is due */
    tend_run(j);
    journal_changed(j);
    return j;
}

struct journal *journal_open(struct loop *loop, const char *dir, const struct journal_limits *l, const struct joffers *to,
                             struct fault *f)
{
    return journal_open_with(loop, dir, l, to, &jio_system, 0, f);
}

struct journal *journal_open_on(const struct jio *io, struct loop *loop, const char *dir, const struct journal_limits *l, const struct joffers *to,
                                struct fault *f)
{
    return journal_open_with(loop, dir, l, to, io, 0, f);
}

void journal_close(struct journal *j)
{
    if (!j)
        return;
    j->closing = true;
    while (j->flying || j->gathering) {
        if (!j->flying)
            group_start(j);
        disk_drain(j->disk);
    }
    if (!group_all_synced(j)) {
        group_sync_due(j);
        disk_drain(j->disk);
    }
    keep_snapshot_now(j);
    journal_free(j);
}

/* ---- counting without opening it ------------------------------------------------------------------- */

static int refuse_write(void *ctx, int fd, const void *p, size_t n, off_t at)
{
    (void)ctx, (void)fd, (void)p, (void)n, (void)at;
    return EROFS;
}

static int refuse_replace(void *ctx, const char *name, slice content)
{
    (void)ctx, (void)name, (void)content;
    return EROFS;
}

static void nothing_opened(void *ctx, int fd, const char *name)
{
    (void)ctx, (void)fd, (void)name;
}

bool journal_count(const char *dir, int64_t ret[J_STATES], struct fault *f)
{
    struct jio io = jio_system;
    io.write = refuse_write;
    io.replaced = refuse_replace;
    io.opened = nothing_opened; /* the last segment is not gone on with */
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct journal *j = must_calloc(1, sizeof(*j));
    uint32_t sure;
    j->io = &io;
    j->lockfd = j->log.fd = -1;
    for (size_t i = 0; i < LOG_READ_FDS; i++)
        j->log.reading[i].fd = -1;
    j->wall_base_ms = io.wall_ms(io.ctx);
    j->mono_base_ms = io.mono_us(io.ctx) / 1000;
    j->dirfd = open(arena_printf(a, "%s/journal", dir).p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    state_init(&j->state, &io, pinned, j);
    bool ok = j->dirfd >= 0 || fault(f, "not_found", "data", "there is no journal in %s: %s", dir, strerror(errno));
    ok = ok && (faccessat(j->dirfd, "key", F_OK, 0) == 0 || fault(f, "not_found", "data", "there is no journal in %s", dir));
    ok = ok && log_open(&j->log, j->dirfd, &io, SEGMENT_LEAST, f) && (j->dedupe = dedupe_open(j->dirfd, &io, f));
    if (ok) {
        (void)replay(j, &sure);
        journal_counts(j, ret);
        if (j->damaged)
            fault(f, "damaged", "journal", "part of the log in %s cannot be read", dir);
    }
    journal_free(j);
    return ok;
}

/* ---- questions ----------------------------------------------------------------------------------- */

bool journal_record(struct journal *j, const struct entry *e, struct arena *a, struct rec *ret)
{
    const struct group *g = group_kept(j, e->seg, e->off, e->len);
    if (!g && !log_has(&j->log, e->seg, e->off, e->len))
        return false;
    char *buf = arena_alloc(a, e->len);
    if (g)
        memcpy(buf, g->buf + (e->off - g->place.off), e->len);
    else if (!log_read(&j->log, e->seg, e->off, buf, e->len))
        return false;
    slice s = slice_mem(buf, e->len);
    return rec_get(&s, ret) && (ret->op == JOP_ACCEPT || ret->op == OP_COPY) && ret->id == e->id;
}

slice journal_body(struct journal *j, uint64_t id, struct arena *a)
{
    const struct entry *e = state_find(&j->state, id);
    struct rec r;
    return e && journal_record(j, e, a, &r) ? REC_TEXT(&r, REC_BODY) : SLICE_NONE;
}

void journal_counts(const struct journal *j, int64_t ret[J_STATES])
{
    memcpy(ret, j->state.counts, sizeof(j->state.counts));
}

struct journal_numbers journal_numbers(const struct journal *j)
{
    return j->numbers;
}

int64_t journal_lanes(const struct journal *j)
{
    return j->state.lanes_waiting;
}

const struct fault *journal_last_fault(const struct journal *j)
{
    return &j->fault;
}

bool journal_healthy(const struct journal *j)
{
    return j->healthy;
}

uint64_t journal_position(const struct journal *j)
{
    return j->position;
}

void journal_puts_flushed(struct journal *j, uint64_t upto)
{
    if (!j->state.puts.used || !upto)
        return;
    struct jbatch *b = jbatch_new(j);
    batch_add(b, &(struct rec){ .op = OP_FLUSHED, .at_ms = j->io->wall_ms(j->io->ctx), .id = MIN(upto, j->position) });
    jbatch_commit(b, JOURNAL_LAZY, NULL, NULL);
}
