/* A journal whose folder is a copy: what was committed is there after a takeover, what was not is not, and only one writes. */
#include "hub/journal_pg-private.h"
#include "journal/journal-private.h"
#include "net/loop.h"
#include "tests/harness/servers.h"
#include "tests/harness/test.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- an io that fails when it is told to, around the one under test ---------------------------------------------------------------- */

enum spoil { SPOIL_NOTHING, SPOIL_WRITE, SPOIL_BEFORE, SPOIL_AFTER, SPOIL_SECOND /* AFTER, but not the next one */ }; /* a sync before it did anything, or after it did it all: nobody knows */
struct tamper {
    struct jio io;
    const struct jio *inner;
    _Atomic int spoil;     /* of the next call of its kind */
    _Atomic int cut_after; /* so many syncs; then somebody else takes the fence. 0: never */
    _Atomic int syncs;
    const char *place;
};

static void count_sync(struct tamper *t)
{
    if (atomic_fetch_add(&t->syncs, 1) + 1 == atomic_load(&t->cut_after))
        pg_server_run(t->place, "UPDATE log_shard SET epoch=epoch+1");
}

static bool spoils(struct tamper *t, int what)
{
    return atomic_compare_exchange_strong(&t->spoil, &what, SPOIL_NOTHING);
}

static int t_write(void *ctx, int fd, const void *p, size_t n, off_t at)
{
    struct tamper *t = ctx;
    return spoils(t, SPOIL_WRITE) ? ENOSPC : t->inner->write(t->inner->ctx, fd, p, n, at);
}

static int t_sync(void *ctx, int fd)
{
    struct tamper *t = ctx;
    if (spoils(t, SPOIL_BEFORE))
        return EIO;
    count_sync(t);
    int e = t->inner->sync(t->inner->ctx, fd);
    if (spoils(t, SPOIL_AFTER))
        return EIO;
    if (spoils(t, SPOIL_SECOND))
        atomic_store(&t->spoil, SPOIL_AFTER);
    return e;
}

static int t_allocate(void *ctx, int fd, off_t size)
{
    struct tamper *t = ctx;
    return t->inner->allocate(t->inner->ctx, fd, size);
}

static void t_opened(void *ctx, int fd, const char *name)
{
    struct tamper *t = ctx;
    t->inner->opened(t->inner->ctx, fd, name);
}

static int t_replaced(void *ctx, const char *name, slice content)
{
    struct tamper *t = ctx;
    count_sync(t);
    return t->inner->replaced(t->inner->ctx, name, content);
}

static void t_removed(void *ctx, const char *name)
{
    struct tamper *t = ctx;
    t->inner->removed(t->inner->ctx, name);
}

/* ---- a worker ---------------------------------------------------------------------------------------------------------------------- */

enum { OFFERS_MAX = 8192, UNTIL_MS = 240000 };
struct worker {
    struct loop *loop;
    const char *dir;
    struct tamper tamper;
    struct journal_pg *pg;
    struct journal *j;
    uint64_t offers[OFFERS_MAX];
    char lanes[OFFERS_MAX]; /* their first letter */
    size_t n_offers, n_waiting;
    char puts[40];
    int lost;
};
static struct journal_limits limits;
static size_t generation_keys;

static void note_offer(void *ctx, const struct joffer *o)
{
    struct worker *w = ctx;
    assert(w->n_offers < OFFERS_MAX);
    w->lanes[w->n_offers] = o->lane.p[0];
    w->offers[w->n_offers++] = o->id;
}

static void note_put(void *ctx, slice key, slice value)
{
    struct worker *w = ctx;
    snprintf(w->puts, sizeof(w->puts), SLF "=" SLF, SLA(key), SLA(value));
}

static void note_waiting(void *ctx, uint64_t id, slice lane, slice body)
{
    struct worker *w = ctx;
    CHECK(id && lane.p && body.p);
    w->n_waiting++;
}

static void say_nothing(void *arg, const struct pg_row *row)
{
    (void)arg, (void)row;
}

static void note_lost(void *arg)
{
    ((struct worker *)arg)->lost++;
}

static void limits_small(void)
{
    journal_limits_default(&limits);
    limits.segment_bytes = 8 << 10;
    generation_keys = 0;
}

static bool takes(struct worker *w, struct loop *loop, const char *place, const char *dir, const char *holder, struct fault *f)
{
    *w = (struct worker){ .loop = loop, .dir = dir };
    w->pg = journal_pg_take(place, 0, slice_of(holder), dir, f);
    if (!w->pg)
        return false;
    w->tamper.place = place;
    w->tamper.inner = journal_pg_io(w->pg);
    w->tamper.io = (struct jio){ t_write, t_sync, t_allocate, w->tamper.inner->wall_ms, w->tamper.inner->mono_us, t_opened, t_replaced, t_removed, &w->tamper };
    w->j = journal_open_with(loop, dir, &limits, &(struct joffers){ note_offer, note_put, note_waiting, w }, &w->tamper.io, generation_keys, f);
    if (!w->j)
        return false;
    journal_pg_watch(w->pg, loop, note_lost, w);
    return true;
}

static struct worker *worker_new(struct loop *loop, const char *place)
{
    struct worker *w = must_malloc(sizeof(*w));
    struct fault f = { 0 };
    if (!takes(w, loop, place, test_dir(), "here", &f))
        test_fail(__FILE__, __LINE__, "%s: %s", f.code, f.text);
    return w;
}

static void worker_free(struct worker *w)
{
    journal_close(w->j);
    journal_pg_close(w->pg);
    free(w);
}

/* Another one takes over, and the first ends. */
static void move_on(struct worker **w, const char *place)
{
    struct worker *next = worker_new((*w)->loop, place);
    worker_free(*w);
    *w = next;
}

/* ---- turning the loop until something is so ------------------------------------------------------------------------------------------ */

struct turning {
    struct loop *loop;
    struct loop_timer timer;
    const int *what;
    int64_t until_ms;
};

static void look_again(void *arg)
{
    struct turning *t = arg;
    if (*t->what || time_mono_ms() > t->until_ms)
        loop_stop(t->loop);
    else
        loop_timer_start(t->loop, &t->timer, 1, look_again, t);
}

static bool until_within(struct loop *loop, const int *what, int64_t ms)
{
    struct turning t = { .loop = loop, .what = what, .until_ms = time_mono_ms() + ms };
    loop_timer_start(loop, &t.timer, 0, look_again, &t);
    loop_run(loop);
    loop_timer_done(&t.timer);
    return *what != 0;
}

static void until(struct loop *loop, const int *what)
{
    if (!until_within(loop, what, UNTIL_MS))
        test_fail(__FILE__, __LINE__, "it does not come");
}

static void note_end(void *arg, bool ok)
{
    *(int *)arg = ok ? 1 : -1;
}

static int finish(struct worker *w, struct jbatch *b, enum jdurability how)
{
    int end = 0;
    jbatch_commit(b, how, note_end, &end);
    until(w->loop, &end);
    return end;
}

static uint64_t put_in(struct jbatch *b, const char *lane, const char *dedupe, const char *body, enum jresult *ret)
{
    uint64_t id;
    enum jresult r;
    jbatch_accept(b, &(struct jaccept){ .lane = slice_of(lane), .dedupe = slice_of(dedupe), .dedupe_keep_ms = 3600000, .body = slice_of(body) }, ret ? ret : &r, &id);
    return id;
}

static uint64_t accept_one(struct worker *w, const char *lane, const char *dedupe, const char *body)
{
    struct jbatch *b = jbatch_new(w->j);
    uint64_t id = put_in(b, lane, dedupe, body, NULL);
    CHECK_INT(finish(w, b, JOURNAL_DURABLE), 1);
    return id;
}

static void settle(struct worker *w, uint64_t id, enum jstate s)
{
    struct jbatch *b = jbatch_new(w->j);
    jbatch_settle(b, id, s, SLICE_NONE);
    CHECK_INT(finish(w, b, JOURNAL_DURABLE), 1);
}

static int64_t counted(struct worker *w, enum jstate s)
{
    int64_t c[J_STATES];
    journal_counts(w->j, c);
    return c[s];
}

static bool is_seen(struct worker *w, const char *dedupe)
{
    enum jresult r;
    struct jbatch *b = jbatch_new(w->j);
    put_in(b, "x", dedupe, "x", &r);
    jbatch_drop(b);
    return r == J_SEEN;
}

static void wait_for_offers(struct worker *w, size_t n)
{
    for (int i = 0; i < 2000 && w->n_offers < n; i++) {
        int never = 0;
        (void)until_within(w->loop, &never, 1);
    }
    CHECK(w->n_offers >= n);
}

/* ---- the sentences of the header ----------------------------------------------------------------------------------------------------- */

TEST(what_was_committed_is_there_for_whoever_takes_over)
{
    limits_small();
    const char *place = pg_place_new();
    struct loop *loop = loop_new();
    struct worker *w = worker_new(loop, place);
    uint64_t a1 = accept_one(w, "a", "k1", "one"), a2 = accept_one(w, "a", "k2", "two"), b1 = accept_one(w, "b", "k3", "three"), got = 0;
    struct jbatch *b = jbatch_new(w->j);
    jbatch_put(b, SL("name"), SL("value"));
    jbatch_park(b, b1, SL("wait"), 0, SL("{}"));
    CHECK_INT(finish(w, b, JOURNAL_DURABLE), 1);
    settle(w, a1, J_DELIVERED);
    for (int i = 0; i < 2; i++) { /* left without a word, and once more */
        move_on(&w, place);
        CHECK_INT(w->n_waiting, 2);
        CHECK_SLICE(slice_of(w->puts), SL("name=value"));
        wait_for_offers(w, 1);
        CHECK_INT(w->n_offers, 1);
        CHECK_INT(w->offers[0], a2);
        CHECK(is_seen(w, "k1") && is_seen(w, "k2") && is_seen(w, "k3") && !is_seen(w, "k4"));
        CLEANUP(arena_freep) struct arena *a = arena_new();
        CHECK_SLICE(journal_body(w->j, b1, a), SL("three"));
        CHECK_INT(counted(w, J_DELIVERED), 1);
        CHECK_INT(counted(w, J_PARKED), 1);
    }
    b = jbatch_new(w->j);
    CHECK(jbatch_resume(b, SL("wait"), SLICE_NONE, &got));
    CHECK_INT(finish(w, b, JOURNAL_DURABLE), 1);
    CHECK_INT(got, b1);
    CHECK(accept_one(w, "c", NULL, "four") > b1); /* numbers go on */
    worker_free(w);
    w = worker_new(loop, place); /* after one that closed in good order */
    wait_for_offers(w, 3);
    CHECK_INT(counted(w, J_WAITING), 3);
    struct journal_pg_numbers n = journal_pg_numbers(w->pg);
    CHECK(n.reachable && !n.fenced && n.epoch == 4);
    worker_free(w);
    loop_free(loop);
}

TEST(who_lost_the_fence_writes_nothing_more_and_is_told_once)
{
    limits_small();
    const char *place = pg_place_new();
    struct loop *loop = loop_new();
    struct worker *one = worker_new(loop, place);
    accept_one(one, "a", "k1", "of the first");
    struct worker *two = worker_new(loop, place);
    int64_t parts = pg_server_number(place, "SELECT count(*) FROM log_part");
    struct jbatch *b = jbatch_new(one->j);
    put_in(b, "a", "k2", "too late", NULL);
    CHECK_INT(finish(one, b, JOURNAL_DURABLE), -1);
    CHECK(!journal_healthy(one->j));
    until(loop, &one->lost);
    b = jbatch_new(one->j);
    put_in(b, "a", "k2", "too late again", NULL);
    CHECK_INT(finish(one, b, JOURNAL_DURABLE), -1);
    CHECK_INT(one->lost, 1);
    CHECK(journal_pg_numbers(one->pg).fenced);
    worker_free(one); /* neither does its end write */
    CHECK_INT(pg_server_number(place, "SELECT count(*) FROM log_part"), parts);
    CHECK_INT(two->lost, 0);
    CHECK(is_seen(two, "k1") && !is_seen(two, "k2"));
    accept_one(two, "a", "k2", "in time");
    worker_free(two);
    loop_free(loop);
}

TEST(who_does_not_write_finds_out_that_the_fence_is_lost)
{
    limits_small();
    const char *place = pg_place_new();
    struct loop *loop = loop_new();
    struct worker *one = worker_new(loop, place), *two = worker_new(loop, place);
    until(loop, &one->lost);
    CHECK_INT(two->lost, 0);
    worker_free(one);
    worker_free(two);
    loop_free(loop);
}

/* As a machine that is gone leaves it: the server waits for the rest of what it began to say. */
TEST(who_stopped_in_the_middle_of_a_commit_is_not_waited_for)
{
    limits_small();
    const char *place = pg_place_new();
    struct loop *loop = loop_new();
    struct worker *one = worker_new(loop, place);
    accept_one(one, "a", "k1", "before");
    struct fault f = { 0 };
    struct pg *stopped = pg_open(place, &journal_pg_tables, &f);
    struct pg_args args = { 0 };
    pg_int(&args, 0);
    pg_int(&args, 1);
    CHECK(stopped && pg_begin(stopped, &f) && pg_read(stopped, JST_FENCE, &args, say_nothing, NULL, &f));
    struct worker *two = worker_new(loop, place);
    CHECK(is_seen(two, "k1"));
    CHECK(!pg_commit(stopped, &f)); /* and it hears of it */
    pg_rollback(stopped);
    pg_close(stopped);
    worker_free(one);
    worker_free(two);
    loop_free(loop);
}

TEST(a_fence_that_was_lost_before_anybody_watched_is_told)
{
    limits_small();
    const char *place = pg_place_new();
    struct fault f = { 0 };
    struct loop *loop = loop_new();
    struct worker *w = must_calloc(1, sizeof(*w));
    w->pg = journal_pg_take(place, 0, SL("x"), test_dir(), &f);
    CHECK(w->pg);
    pg_server_run(place, "UPDATE log_shard SET epoch=epoch+1");
    const struct jio *io = journal_pg_io(w->pg);
    CHECK_INT(io->replaced(io->ctx, "snapshot", SL("bytes")), ESTALE);
    CHECK_INT(pg_server_number(place, "SELECT count(*) FROM log_part"), 0);
    journal_pg_watch(w->pg, loop, note_lost, w);
    until(loop, &w->lost);
    journal_pg_close(w->pg);
    free(w);
    loop_free(loop);
}

TEST(a_folder_is_either_a_journal_or_a_copy)
{
    limits_small();
    const char *place = pg_place_new(), *dir = test_dir();
    struct fault f = { 0 };
    struct loop *loop = loop_new();
    const struct joffers to = { note_offer, note_put, note_waiting, NULL };
    struct journal *j = journal_open(loop, dir, &limits, &to, &f);
    CHECK(j);
    struct worker w;
    CHECK(!takes(&w, loop, place, dir, "x", &f)); /* it is open */
    CHECK_SLICE(slice_of(f.code), SL("in_use"));
    journal_close(j);
    CHECK(!takes(&w, loop, place, dir, "x", &f)); /* it is a journal of its own, which would be lost */
    CHECK_SLICE(slice_of(f.code), SL("in_use"));
    struct worker *c = worker_new(loop, place);
    dir = c->dir;
    CHECK(!journal_pg_take(place, 0, SL("y"), dir, &f)); /* while it runs */
    CHECK_SLICE(slice_of(f.code), SL("in_use"));
    CHECK_INT(journal_pg_numbers(c->pg).epoch, 1); /* and it keeps its fence */
    worker_free(c);
    CHECK(!journal_open(loop, dir, &limits, &to, &f));
    CHECK_SLICE(slice_of(f.code), SL("copy"));
    CHECK(takes(&w, loop, place, dir, "y", &f)); /* the same folder again */
    journal_close(w.j);
    journal_pg_close(w.pg);
    loop_free(loop);
}

TEST(the_holder_is_known_to_the_others)
{
    limits_small();
    const char *place = pg_place_new();
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct fault f = { 0 };
    slice holder = SL("?");
    CHECK(journal_pg_holder(place, 0, a, &holder, &f));
    CHECK(!holder.p);
    struct journal_pg *p = journal_pg_take(place, 0, SL("10.0.0.7:8080"), test_dir(), &f);
    CHECK(p);
    CHECK(journal_pg_holder(place, 0, a, &holder, &f));
    CHECK_SLICE(holder, SL("10.0.0.7:8080"));
    CHECK(journal_pg_holder(place, 1, a, &holder, &f)); /* another shard */
    CHECK(!holder.p);
    journal_pg_close(p);
    CHECK(journal_pg_holder(place, 0, a, &holder, &f));
    CHECK(!holder.p);
    CHECK(!journal_pg_holder("postgresql://nobody@/x?host=/nowhere", 0, a, &holder, &f));
}

struct starting {
    const char *place, *dir;
    struct journal_pg *pg;
    struct fault f;
};

static void *start_one(void *arg)
{
    struct starting *st = arg;
    st->pg = journal_pg_take(st->place, 0, SL("one of many"), st->dir, &st->f);
    arena_thread_end();
    return NULL;
}

TEST(several_that_take_at_once_make_the_tables_once_and_the_last_one_writes)
{
    limits_small();
    const char *place = pg_place_new();
    pthread_t threads[5];
    struct starting starting[COUNT(threads)];
    for (size_t i = 0; i < COUNT(threads); i++)
        starting[i] = (struct starting){ .place = place, .dir = test_dir() };
    for (size_t i = 0; i < COUNT(threads); i++)
        CHECK(pthread_create(&threads[i], NULL, start_one, &starting[i]) == 0);
    size_t writers = 0;
    for (size_t i = 0; i < COUNT(threads); i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    for (size_t i = 0; i < COUNT(threads); i++) {
        if (!starting[i].pg)
            test_fail(__FILE__, __LINE__, "%s: %s", starting[i].f.code, starting[i].f.text);
        const struct jio *io = journal_pg_io(starting[i].pg);
        int e = io->replaced(io->ctx, "snapshot", SL("bytes"));
        CHECK(e == 0 || e == ESTALE);
        CHECK(e == 0 || journal_pg_numbers(starting[i].pg).epoch < COUNT(threads));
        writers += e == 0;
    }
    CHECK_INT(writers, 1);
    for (size_t i = 0; i < COUNT(threads); i++)
        journal_pg_close(starting[i].pg);
}

/* The group that needed a new segment was committed, and nobody heard of it: the next one, which fits into the old segment, counts all the same. */
TEST(a_segment_whose_begin_failed_leaves_nothing_behind)
{
    limits_small();
    const char *place = pg_place_new();
    struct loop *loop = loop_new();
    struct worker *w = worker_new(loop, place);
    char *large = memset(must_calloc(1, 8 << 10), 'x', (8 << 10) - 1);
    accept_one(w, "a", "k1", "one");
    struct jbatch *b = jbatch_new(w->j);
    put_in(b, "a", "k2", large, NULL);
    int end = 0;
    jbatch_commit(b, JOURNAL_DURABLE, note_end, &end);
    atomic_store(&w->tamper.spoil, SPOIL_SECOND);
    until(loop, &end);
    CHECK_INT(end, -1);
    /* The sync of the old one was well, that of the new one was not. */
    CHECK_INT(pg_server_number(place, "SELECT count(DISTINCT file) FROM log_part WHERE convert_from(file,'UTF8') LIKE '%.log'"), 2);
    accept_one(w, "a", "k3", "three");
    move_on(&w, place);
    CHECK(is_seen(w, "k1") && !is_seen(w, "k2") && is_seen(w, "k3"));
    CHECK_INT(counted(w, J_WAITING), 2);
    CHECK_INT(w->n_waiting, 2);
    free(large);
    worker_free(w);
    loop_free(loop);
}

/* A commit that was given up for lost is still under way at the server, and comes through while the one after it waits for its rows. */
struct straggler {
    const char *place;
    struct pg *pg;
};

static void *straggle(void *arg)
{
    struct straggler *st = arg;
    struct fault f = { 0 };
    enum { LOOK_MS = 5 };
    int64_t until_ms = time_mono_ms() + UNTIL_MS; /* where nobody comes to wait, the test fails instead of standing still */
    while (time_mono_ms() < until_ms && !pg_server_number(st->place, "SELECT count(*) FROM pg_locks WHERE NOT granted"))
        (void)poll(NULL, 0, LOOK_MS);
    CHECK(pg_commit(st->pg, &f));
    return NULL;
}

static pthread_t straggler_begin(struct straggler *st, const char *name, size_t parts)
{
    struct fault f = { 0 };
    char *bytes = memset(must_malloc(PG_PART_BYTES), 'o', PG_PART_BYTES);
    st->pg = pg_open(st->place, &journal_pg_tables, &f);
    CHECK(st->pg && pg_begin(st->pg, &f));
    for (size_t i = 0; i < parts; i++) {
        struct pg_args args = { 0 };
        pg_int(&args, 0);
        pg_bytes(&args, slice_of(name));
        pg_int(&args, (int64_t)(i * PG_PART_BYTES));
        pg_int(&args, 1);
        pg_bytes(&args, slice_mem(bytes, PG_PART_BYTES));
        CHECK(pg_write(st->pg, JST_PART, &args, &f));
    }
    struct pg_args look = { 0 };
    pg_int(&look, 0);
    CHECK(pg_read(st->pg, JST_LOOK, &look, say_nothing, NULL, &f)); /* the rows are there, and locked */
    free(bytes);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, straggle, st) == 0);
    return thread;
}

TEST(a_commit_that_comes_through_late_leaves_nothing_in_what_is_written_anew)
{
    const char *place = pg_place_new();
    struct fault f = { 0 };
    const char *dir = test_dir();
    struct journal_pg *pg = journal_pg_take(place, 0, SL("here"), dir, &f);
    CHECK(pg);
    char *bytes = memset(must_malloc(PG_PART_BYTES + 5000), 'n', PG_PART_BYTES + 5000);
    struct straggler st = { .place = place };
    pthread_t thread = straggler_begin(&st, "snapshot", 4);
    CHECK_INT(journal_pg_put(pg, "snapshot", slice_mem(bytes, PG_PART_BYTES + 5000), 2), 0);
    pthread_join(thread, NULL);
    pg_close(st.pg);
    CHECK_INT(pg_server_number(place, "SELECT sum(length(bytes)) FROM log_part"), PG_PART_BYTES + 5000);

    const struct jio *io = journal_pg_io(pg);
    CLEANUP(arena_freep) struct arena *a = arena_new();
    int fd = open(arena_printf(a, "%s/00000007.tmp", dir).p, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    CHECK(fd >= 0);
    io->opened(io->ctx, fd, "00000007.log");
    CHECK(io->write(io->ctx, fd, bytes, 64, 0) == 0 && io->write(io->ctx, fd, bytes, 5000, 64) == 0);
    thread = straggler_begin(&st, "00000007.log", 3);
    CHECK_INT(io->sync(io->ctx, fd), 0);
    pthread_join(thread, NULL);
    pg_close(st.pg);
    CHECK_INT(pg_server_number(place, "SELECT sum(length(bytes)) FROM log_part WHERE file='00000007.log'"), 5064);
    CHECK(io->write(io->ctx, fd, bytes, 100, 5064) == 0); /* what is added goes behind it */
    CHECK_INT(io->sync(io->ctx, fd), 0);
    CHECK_INT(pg_server_number(place, "SELECT sum(length(bytes)) FROM log_part WHERE file='00000007.log'"), 5164);
    close(fd);
    free(bytes);
    journal_pg_close(pg);
}

TEST(a_snapshot_knows_nothing_that_was_not_committed)
{
    limits_small();
    const char *place = pg_place_new();
    struct loop *loop = loop_new();
    struct worker *w = worker_new(loop, place);
    uint64_t id = accept_one(w, "a", "k1", "one");
    struct jbatch *b = jbatch_new(w->j);
    jbatch_settle(b, id, J_DELIVERED, SLICE_NONE);
    CHECK_INT(finish(w, b, JOURNAL_LAZY), 1);
    disk_drain(w->j->back);
    uint64_t before = journal_pg_numbers(w->pg).syncs;
    w->j->replay_from = 0; /* one is due */
    keep_tend(w->j);
    disk_drain(w->j->back);
    CHECK_INT(journal_pg_numbers(w->pg).syncs, before);
    struct worker *next = worker_new(loop, place);
    CHECK_INT(counted(w, J_DELIVERED), 1); /* it was said to be done, lazily */
    CHECK_INT(counted(next, J_DELIVERED), 0);
    CHECK_INT(counted(next, J_WAITING), 1);
    worker_free(w);
    worker_free(next);
    loop_free(loop);
}

TEST(a_segment_of_many_commits_is_read_to_its_end)
{
    enum { MANY = 700 };
    limits_small();
    limits.segment_bytes = 1 << 20;
    const char *place = pg_place_new();
    struct loop *loop = loop_new();
    struct worker *w = worker_new(loop, place);
    for (int i = 0; i < MANY; i++)
        accept_one(w, "a", NULL, "one of many");
    CHECK(journal_pg_numbers(w->pg).rows >= MANY);
    move_on(&w, place);
    CHECK_INT(counted(w, J_WAITING), MANY);
    worker_free(w);
    loop_free(loop);
}

/* ---- `dragoman move` ------------------------------------------------------------------------------------------------------------------ */

TEST(a_journal_that_was_a_folder_goes_on_in_the_database)
{
    enum { MESSAGES = 60 };
    limits_small();
    limits.segment_bytes = 4 << 10;
    generation_keys = 10;
    const char *place = pg_place_new(), *dir = test_dir(), *work = test_dir();
    struct loop *loop = loop_new();
    struct fault f = { 0 };
    struct worker *w = must_calloc(1, sizeof(*w));
    w->loop = loop;
    w->j = journal_open_with(loop, dir, &limits, &(struct joffers){ note_offer, note_put, note_waiting, w }, &jio_system, generation_keys, &f);
    CHECK(w->j);
    char key[24], body[400];
    memset(body, 'z', sizeof(body) - 1);
    body[sizeof(body) - 1] = 0;
    for (int i = 0; i < MESSAGES; i++) {
        snprintf(key, sizeof(key), "key-%d", i);
        uint64_t id = accept_one(w, "a", key, body);
        if (i % 3)
            settle(w, id, i % 3 == 1 ? J_DELIVERED : J_DEAD);
    }
    CHECK(w->j->log.n_segs > 3 && dedupe_generations(w->j->dedupe) > 1);
    journal_close(w->j);
    free(w);
    int64_t counts[J_STATES];
    CHECK(journal_count(dir, counts, &f) && !f.code);
    CHECK(counts[J_WAITING] == MESSAGES / 3 && counts[J_DELIVERED] == MESSAGES / 3 && counts[J_DEAD] == MESSAGES / 3);

    struct journal_pg *p = journal_pg_take(place, 0, SL(JOURNAL_PG_MOVING_IN), work, &f);
    CHECK(p);
    journal_pg_leave(p, JOURNAL_PG_MOVING_IN);
    CHECK(journal_pg_import(p, dir, NULL, NULL, &f));
    journal_pg_close(p); /* interrupted: nobody but a move may take it */
    struct worker other;
    CHECK(!takes(&other, loop, place, test_dir(), "worker", &f));
    CHECK_SLICE(slice_of(f.code), SL("in_use"));
    p = journal_pg_take(place, 0, SL(JOURNAL_PG_MOVING_IN), work, &f);
    CHECK(p);
    CHECK(journal_pg_import(p, dir, NULL, NULL, &f) && journal_pg_fill(p, work, &f));
    int64_t again[J_STATES], parts = 0;
    CHECK(journal_count(work, again, &f) && memcmp(counts, again, sizeof(counts)) == 0);
    journal_pg_leave(p, "");
    journal_pg_close(p);
    CHECK(journal_pg_parts(place, 0, &parts, &f) && parts > 4);

    w = worker_new(loop, place);
    CHECK_INT(counted(w, J_WAITING), MESSAGES / 3);
    CHECK_INT(w->n_waiting, MESSAGES / 3);
    for (int i = 0; i < MESSAGES; i++) {
        snprintf(key, sizeof(key), "key-%d", i);
        CHECK_ROW(i, is_seen(w, key));
    }
    wait_for_offers(w, 1);
    CHECK_INT(w->offers[0], 1);
    journal_pg_leave(w->pg, JOURNAL_PG_MOVED_OUT);
    worker_free(w);
    CHECK(!takes(&other, loop, place, test_dir(), "worker", &f));
    CHECK_SLICE(slice_of(f.code), SL("in_use"));
    loop_free(loop);
}

/* ---- killed -------------------------------------------------------------------------------------------------------------------------- */

struct acked {
    struct worker *w;
    int out, no, *running;
};

static void say_acked(void *arg, bool ok)
{
    struct acked *ak = arg;
    if (ok && write(ak->out, &ak->no, sizeof(ak->no)) != (ssize_t)sizeof(ak->no))
        _exit(3);
    --*ak->running;
    free(ak);
}

/* The child: messages in three lanes, several under way, for ever. */
static void work_until_killed(const char *place, const char *dir, int out, int from)
{
    struct loop *loop = loop_new();
    static struct worker w;
    struct fault f = { 0 };
    int running = 0;
    if (!takes(&w, loop, place, dir, "child", &f))
        _exit(2);
    for (int no = from;; no++) {
        char lane[8], key[24];
        snprintf(lane, sizeof(lane), "%c", 'a' + no % 3);
        snprintf(key, sizeof(key), "key-%d", no);
        struct acked *ak = must_malloc(sizeof(*ak));
        *ak = (struct acked){ &w, out, no, &running };
        struct jbatch *b = jbatch_new(w.j);
        (void)put_in(b, lane, key, key, NULL);
        running++;
        jbatch_commit(b, JOURNAL_DURABLE, say_acked, ak);
        while (running > 5) {
            int never = 0;
            (void)until_within(loop, &never, 1);
        }
    }
}

/* Kills the child after so many were acknowledged; returns how many more than `from` were. */
static int run_and_kill(const char *place, int from, int many)
{
    int ends[2], last = from - 1;
    const char *dir = test_dir();
    CHECK(pipe(ends) == 0);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        work_until_killed(place, dir, ends[1], from);
    }
    close(ends[1]);
    for (int n; last < from + many && read(ends[0], &n, sizeof(n)) == (ssize_t)sizeof(n);) {
        CHECK_INT(n, last + 1);
        last = n;
    }
    CHECK(kill(pid, SIGKILL) == 0);
    int status;
    CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
    for (int n; read(ends[0], &n, sizeof(n)) == (ssize_t)sizeof(n);)
        last = n;
    close(ends[0]);
    return last - from + 1;
}

TEST(nothing_that_a_killed_worker_said_it_had_is_missing)
{
    limits_small();
    generation_keys = 40;
    const char *place = pg_place_new();
    int from = 0;
    for (int round = 0; round < 4; round++) {
        int acked = run_and_kill(place, from, 60 + 37 * round);
        struct loop *loop = loop_new();
        struct worker *w = worker_new(loop, place);
        int64_t waiting = counted(w, J_WAITING);
        CHECK(waiting >= from + acked);
        for (int no = 0; no < from + acked; no++) {
            char key[24];
            snprintf(key, sizeof(key), "key-%d", no);
            CHECK_ROW(no, is_seen(w, key));
        }
        from = (int)waiting; /* what was committed and not acknowledged any more: the first ones behind */
        char key[24];
        snprintf(key, sizeof(key), "key-%d", from - 1);
        CHECK(is_seen(w, key));
        snprintf(key, sizeof(key), "key-%d", from);
        CHECK(!is_seen(w, key));
        worker_free(w);
        loop_free(loop);
    }
    struct loop *loop = loop_new(); /* in order, each lane to its end */
    struct worker *w = worker_new(loop, place);
    int next[3] = { 0, 1, 2 };
    for (int i = 0; i < from; i++) {
        wait_for_offers(w, (size_t)MIN(i + 3, from));
        CLEANUP(arena_freep) struct arena *a = arena_new();
        int lane = w->lanes[i] - 'a';
        CHECK_SLICE(journal_body(w->j, w->offers[i], a), arena_printf(a, "key-%d", next[lane]));
        next[lane] += 3;
        settle(w, w->offers[i], J_DELIVERED);
    }
    CHECK_INT(counted(w, J_DELIVERED), from);
    CHECK_INT(journal_lanes(w->j), 0);
    worker_free(w);
    loop_free(loop);
}

/* ---- every cut ------------------------------------------------------------------------------------------------------------------------- */

enum { CUT_STEPS = 40 };

/* What it does is the same each time: messages taken, some of them settled, so that segments, snapshots and generations come and go. How many of its commits were said to be done. */
static int workload(struct worker *w)
{
    uint64_t ids[CUT_STEPS] = { 0 };
    char body[900];
    memset(body, 'y', sizeof(body) - 1);
    body[sizeof(body) - 1] = 0;
    int done = 0;
    for (; done < CUT_STEPS; done++) {
        char key[24], lane[2] = { (char)('a' + done % 4), 0 };
        snprintf(key, sizeof(key), "key-%d", done);
        struct jbatch *b = jbatch_new(w->j);
        ids[done] = put_in(b, lane, key, body, NULL);
        if (done >= 8 && done % 10 != 3) /* the one eight before is delivered by now; a few stay */
            jbatch_settle(b, ids[done - 8], J_DELIVERED, SLICE_NONE);
        if (finish(w, b, JOURNAL_DURABLE) < 0)
            return done;
    }
    return done;
}

static int settled_after(int steps)
{
    int n = 0;
    for (int i = 8; i < steps; i++)
        n += i % 10 != 3;
    return n;
}

TEST(a_takeover_finds_a_whole_journal_wherever_the_first_one_was_cut_off)
{
    limits_small();
    limits.segment_bytes = 4 << 10;
    limits.keep_bytes = 12 << 10;
    generation_keys = 4;
    bool whole = false;
    int cuts = 0;
    for (int cut = 1; !whole; cut++) {
        const char *place = pg_place_new();
        struct loop *loop = loop_new();
        struct worker *w = must_malloc(sizeof(*w));
        struct fault f = { 0 };
        *w = (struct worker){ 0 };
        CHECK(takes(w, loop, place, test_dir(), "first", &f));
        atomic_store(&w->tamper.cut_after, cut + atomic_load(&w->tamper.syncs));
        int done = workload(w);
        whole = done == CUT_STEPS && atomic_load(&w->tamper.syncs) < atomic_load(&w->tamper.cut_after);
        worker_free(w);
        w = worker_new(loop, place);
        CHECK(!journal_last_fault(w->j)->code); /* nothing of the log is damaged */
        int64_t settled = counted(w, J_DELIVERED), all = settled + counted(w, J_WAITING);
        CHECK_INT(all, done); /* what was refused by the fence did not happen */
        CHECK_INT(settled, settled_after(done));
        for (int i = 0; i < CUT_STEPS; i++) {
            char key[24];
            snprintf(key, sizeof(key), "key-%d", i);
            CHECK_ROW(i, is_seen(w, key) == (i < done));
        }
        CHECK_INT(w->n_waiting, counted(w, J_WAITING)); /* each with its body */
        accept_one(w, "z", NULL, "and on");
        worker_free(w);
        loop_free(loop);
        cuts++;
    }
    CHECK(cuts > CUT_STEPS); /* more commits than steps: files were replaced, too */
}

/* ---- the server goes and comes --------------------------------------------------------------------------------------------------------- */

struct load {
    struct worker *w;
    int next, open, acked, refused, idle;
    char state[4000]; /* 1 acknowledged, 2 refused */
};
struct load_one {
    struct load *l;
    int no;
};

static void load_end(void *arg, bool ok)
{
    struct load_one *one = arg;
    struct load *l = one->l;
    l->state[one->no] = ok ? 1 : 2;
    l->acked += ok;
    l->refused += !ok;
    l->idle = --l->open == 0;
    free(one);
}

static void load_some(struct load *l, int n)
{
    for (int i = 0; i < n; i++) {
        char key[24];
        assert(l->next < (int)sizeof(l->state));
        snprintf(key, sizeof(key), "key-%d", l->next);
        struct load_one *one = must_malloc(sizeof(*one));
        *one = (struct load_one){ l, l->next++ };
        struct jbatch *b = jbatch_new(l->w->j);
        (void)put_in(b, key + 4, key, "body", NULL);
        l->open++;
        l->idle = 0;
        jbatch_commit(b, JOURNAL_DURABLE, load_end, one);
        int never = 0;
        (void)until_within(l->w->loop, &never, 1);
    }
}

static void check_load(const struct load *l, struct worker *w)
{
    for (int i = 0; i < l->next; i++) {
        char key[24];
        snprintf(key, sizeof(key), "key-%d", i);
        CHECK_ROW(i, l->state[i] && (l->state[i] != 1 || is_seen(w, key)));
        CHECK_ROW(i, l->state[i] != 2 || !is_seen(w, key));
    }
    CHECK_INT(counted(w, J_WAITING), l->acked);
}

TEST(a_server_that_restarts_and_connections_that_are_cut_lose_and_double_nothing)
{
    limits_small();
    limits.segment_bytes = 64 << 10;
    const char *place = pg_place_new();
    struct loop *loop = loop_new();
    struct load *l = must_calloc(1, sizeof(*l));
    l->w = worker_new(loop, place);
    for (int round = 0; round < 8; round++) {
        int refused = l->refused;
        bool restarts = round == 3 || round == 6;
        load_some(l, 40);
        if (restarts) {
            pg_server_stop(round == 3 ? SIGINT : SIGKILL);
            load_some(l, 5);
            pg_server_start();
        } else {
            pg_server_cut();
        }
        load_some(l, 10);
        until(loop, &l->idle);
        CHECK(restarts || l->refused == refused); /* a slow machine's server may be away for longer than a sync waits */
    }
    load_some(l, 1);
    until(loop, &l->idle);
    CHECK_INT(l->state[l->next - 1], 1); /* behind a commit, what was refused is surely not there */
    check_load(l, l->w);
    CHECK(journal_pg_numbers(l->w->pg).lost >= 2);
    move_on(&l->w, place);
    check_load(l, l->w);
    worker_free(l->w);
    free(l);
    loop_free(loop);
}

TEST(a_server_that_stays_away_makes_the_journal_refuse_and_recover)
{
    limits_small();
    const char *place = pg_place_new();
    struct loop *loop = loop_new();
    struct load *l = must_calloc(1, sizeof(*l));
    l->w = worker_new(loop, place);
    load_some(l, 20);
    until(loop, &l->idle);
    pg_server_stop(SIGQUIT);
    load_some(l, 10);
    until(loop, &l->idle);
    CHECK(l->refused >= 10);
    CHECK(!journal_healthy(l->w->j) && !journal_pg_numbers(l->w->pg).reachable);
    struct fault f;
    journal_pg_fault(l->w->pg, &f);
    CHECK_SLICE(slice_of(f.code), SL("store_failed"));
    pg_server_start();
    for (int64_t until_ms = time_mono_ms() + UNTIL_MS; !journal_healthy(l->w->j);) {
        CHECK(time_mono_ms() < until_ms);
        load_some(l, 1);
        until(loop, &l->idle);
    }
    load_some(l, 20);
    until(loop, &l->idle);
    CHECK(l->acked >= 40 && journal_pg_numbers(l->w->pg).reachable);
    CHECK_INT(l->w->lost, 0);
    check_load(l, l->w);
    move_on(&l->w, place);
    check_load(l, l->w);
    worker_free(l->w);
    free(l);
    loop_free(loop);
}

/* ---- against a model, with random steps, failures and takeovers ------------------------------------------------------------------------- */

enum { MODEL_MAX = 2000, MODEL_LANES = 5 };
struct model {
    struct {
        uint64_t id;
        enum jstate state;
        int lane, order; /* in its lane; 0: resumed, out of order */
        char key[24];
    } m[MODEL_MAX];
    size_t n;
    int last_order, value; /* value: of the last batch; each has one of its own */
};
static int last_value;
static bool for_good; /* what ends is delivered, and can be deleted with its segment */

static uint64_t rng;
static unsigned dice(unsigned n)
{
    rng ^= rng << 13, rng ^= rng >> 7, rng ^= rng << 17;
    return (unsigned)(rng >> 33) % n;
}

static size_t pick(const struct model *m, enum jstate s)
{
    for (unsigned i = 0; i < 40 && m->n; i++) {
        size_t at = dice((unsigned)m->n);
        if (m->m[at].state == s)
            return at;
    }
    return SIZE_MAX;
}

static bool model_is(struct worker *w, const struct model *m)
{
    int64_t want[J_STATES] = { 0 }, got[J_STATES];
    for (size_t i = 0; i < m->n; i++)
        want[m->m[i].state]++;
    journal_counts(w->j, got);
    return memcmp(want, got, sizeof(want)) == 0;
}

/* One batch, which the caller may have made fail. True: it is done. *m: as it is then. */
static bool model_step(struct worker *w, struct model *m, enum spoil spoil)
{
    struct jbatch *b = jbatch_new(w->j);
    unsigned n = 1 + dice(4);
    size_t touched[8];
    char value[40];
    m->value = ++last_value;
    snprintf(value, sizeof(value), "%d", m->value);
    jbatch_put(b, SL("count"), slice_of(value));
    for (unsigned i = 0; i < n; i++) {
        size_t at = touched[i] = pick(m, dice(4) ? J_WAITING : dice(2) ? J_PARKED : J_DEAD);
        for (unsigned k = 0; k < i; k++)
            at = touched[k] == at ? SIZE_MAX : at;
        uint64_t id = at == SIZE_MAX ? 0 : m->m[at].id, got;
        if (at == SIZE_MAX || dice(3) == 0) {
            if (m->n == MODEL_MAX)
                continue;
            char lane[8], body[300], key[24];
            int l = (int)dice(MODEL_LANES);
            enum jresult r;
            snprintf(lane, sizeof(lane), "%d", l);
            snprintf(key, sizeof(key), "d%zu-%d", m->n, m->value);
            size_t len = dice(sizeof(body) - 1);
            memset(body, 'a' + l, len);
            body[len] = 0;
            m->m[m->n].id = put_in(b, lane, key, body, &r);
            CHECK_INT(r, J_NEW);
            m->m[m->n].state = J_WAITING;
            m->m[m->n].order = ++m->last_order;
            m->m[m->n++].lane = l;
        } else if (m->m[at].state == J_WAITING && dice(5) == 0) {
            snprintf(m->m[at].key, sizeof(m->m[at].key), "w%" PRIu64, id);
            jbatch_park(b, id, slice_of(m->m[at].key), 0, SLICE_NONE);
            m->m[at].state = J_PARKED;
        } else if (m->m[at].state == J_WAITING) {
            static const enum jstate ends[] = { J_DELIVERED, J_DELIVERED, J_DEAD, J_UNKNOWN };
            m->m[at].state = ends[for_good ? 0 : dice(COUNT(ends))];
            jbatch_settle(b, id, m->m[at].state, SLICE_NONE);
        } else if (m->m[at].state == J_PARKED) {
            CHECK(jbatch_resume(b, slice_of(m->m[at].key), SLICE_NONE, &got));
            CHECK_INT(got, id);
            m->m[at].state = J_WAITING;
            m->m[at].order = 0;
        } else {
            CHECK(jbatch_replay(b, id, SLICE_NONE));
            m->m[at].state = J_WAITING;
            m->m[at].order = ++m->last_order;
        }
    }
    atomic_store(&w->tamper.spoil, spoil);
    int end = finish(w, b, JOURNAL_DURABLE);
    atomic_store(&w->tamper.spoil, SPOIL_NOTHING);
    return end > 0;
}

/* After a takeover: the last batch that is in told its value. */
static bool ends_with(const struct worker *w, const struct model *m)
{
    char want[40];
    snprintf(want, sizeof(want), "count=%d", m->value);
    return strcmp(w->puts, m->value ? want : "") == 0;
}

static void check_lanes(struct worker *w, struct model *m)
{
    int last[MODEL_LANES] = { 0 };
    int64_t waiting = counted(w, J_WAITING);
    for (size_t i = 0; i < (size_t)waiting; i++) {
        if (w->n_offers <= i)
            wait_for_offers(w, i + 1);
        size_t at = 0;
        while (at < m->n && m->m[at].id != w->offers[i])
            at++;
        CHECK_ROW(i, at < m->n && w->lanes[i] - '0' == m->m[at].lane);
        if (m->m[at].order) {
            CHECK_ROW(i, m->m[at].order > last[m->m[at].lane]);
            last[m->m[at].lane] = m->m[at].order;
        }
        m->m[at].state = J_DELIVERED;
        settle(w, w->offers[i], J_DELIVERED);
    }
    CHECK_INT(counted(w, J_WAITING), 0);
}

TEST(random_batches_failures_and_takeovers_agree_with_a_model)
{
    generation_keys = 60;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        rng = seed * 0x9e3779b97f4a7c15u;
        limits_small();
        generation_keys = 60;
        for_good = seed % 2 == 0;
        limits.keep_ms = for_good ? 0 : limits.keep_ms;
        limits.keep_bytes = for_good ? 32 << 10 : INT64_MAX;
        const char *place = pg_place_new();
        struct loop *loop = loop_new();
        struct worker *w = worker_new(loop, place);
        /* may: what failed since the last commit. One of them may be in, as a whole. */
        enum { MAY_MAX = 12 };
        struct model *is = must_calloc(1, sizeof(*is)), *may = must_calloc(MAY_MAX, sizeof(*may));
        size_t n_may = 0;
        for (int step = 0; step < 260; step++) {
            enum spoil spoil = dice(6) || n_may + 1 == MAY_MAX ? SPOIL_NOTHING : (enum spoil)(1 + dice(3));
            may[n_may] = *is;
            bool ok = model_step(w, &may[n_may], spoil);
            CHECK(ok || spoil);
            if (ok)
                *is = may[n_may];
            n_may = ok ? 0 : n_may + 1;
            CHECK_ROW(step, model_is(w, is));
            w->n_offers = 0;
            if (dice(12))
                continue;
            move_on(&w, place);
            for (size_t i = 0; i < n_may; i++)
                if (ends_with(w, &may[i]))
                    *is = may[i];
            n_may = 0;
            CHECK_ROW(step, ends_with(w, is));
            CHECK_ROW(step, model_is(w, is));
            CHECK(!journal_last_fault(w->j)->code);
        }
        for (size_t at; (at = pick(is, J_PARKED)) != SIZE_MAX; is->m[at].state = J_DELIVERED)
            settle(w, is->m[at].id, J_DELIVERED);
        move_on(&w, place);
        check_lanes(w, is);
        free(is);
        free(may);
        worker_free(w);
        loop_free(loop);
    }
}
