#include "journal/fake_loop.h"
#include "tests/harness/test.h"
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- a journal under test: offers, puts and ends are noted ---------------------------------------- */

enum { OFFERS_MAX = 4096 };
struct bench {
    struct loop *loop;
    struct journal *j;
    struct journal_limits limits;
    const char *dir;
    struct offered {
        uint64_t id;
        unsigned attempts;
        bool interrupted;
        int64_t accepted_ms;
        char lane[40];
    } offers[OFFERS_MAX];
    size_t n_offers;
    char puts[64][2][40];
    size_t n_puts;
    size_t n_waiting;
    struct fault f;
    size_t generation_keys;
};

static void note_offer(void *ctx, const struct joffer *o)
{
    struct bench *t = ctx;
    assert(t->n_offers < OFFERS_MAX);
    struct offered *to = &t->offers[t->n_offers++];
    *to = (struct offered){ .id = o->id, .attempts = o->attempts, .interrupted = o->interrupted, .accepted_ms = o->accepted_ms };
    snprintf(to->lane, sizeof(to->lane), SLF, SLA(o->lane));
}

static void note_put(void *ctx, slice key, slice value)
{
    struct bench *t = ctx;
    snprintf(t->puts[t->n_puts][0], 40, SLF, SLA(key));
    snprintf(t->puts[t->n_puts++][1], 40, value.p ? SLF : "(removed)" SLF, SLA(value));
}

static void note_waiting(void *ctx, uint64_t id, slice lane, slice body)
{
    struct bench *t = ctx;
    CHECK(id && lane.p && body.p);
    t->n_waiting++;
}

static bool opens(struct bench *t)
{
    t->n_offers = t->n_puts = t->n_waiting = 0;
    if (!t->loop)
        t->loop = fake_loop_new();
    t->j = journal_open_with(t->loop, t->dir, &t->limits, &(struct joffers){ note_offer, note_put, note_waiting, t }, &fake_io,
                             t->generation_keys, &t->f);
    return t->j != NULL;
}

static struct bench *bench_new(void)
{
    struct bench *t = must_calloc(1, sizeof(*t));
    fake_write = fake_sync = fake_allocate = (struct fake_fault){ 0 };
    fake_torn = false;
    t->dir = test_dir();
    journal_limits_default(&t->limits);
    t->limits.segment_bytes = 16 << 10;
    CHECK(opens(t));
    return t;
}

static void reopen(struct bench *t)
{
    journal_close(t->j);
    CHECK(opens(t));
}

static void bench_free(struct bench *t)
{
    journal_close(t->j);
    fake_loop_free(t->loop);
    free(t);
}

static void run(struct bench *t)
{
    fake_run(t->loop, t->j, 60);
}

/* 0: not yet, 1: durable, -1: failed; and in which order. */
struct ended {
    int how, order;
};
static int ended_last;
static void note_end(void *arg, bool ok)
{
    struct ended *e = arg;
    assert(e->how == 0);
    e->how = ok ? 1 : -1;
    e->order = ++ended_last;
}

static uint64_t put_in(struct jbatch *b, const char *lane, const char *dedupe, const char *body, enum jresult *ret)
{
    uint64_t id;
    enum jresult r;
    jbatch_accept(b, &(struct jaccept){ .lane = slice_of(lane), .dedupe = slice_of(dedupe), .dedupe_keep_ms = 3600000, .body = slice_of(body) },
                  ret ? ret : &r, &id);
    return id;
}

static uint64_t accept_one(struct bench *t, const char *lane, const char *dedupe, const char *body)
{
    struct jbatch *b = jbatch_new(t->j);
    struct ended e = { 0 };
    uint64_t id = put_in(b, lane, dedupe, body, NULL);
    jbatch_commit(b, JOURNAL_DURABLE, note_end, &e);
    CHECK_INT(e.how, 0);
    run(t);
    CHECK_INT(e.how, 1);
    return id;
}

static int commit_and_run(struct bench *t, struct jbatch *b, enum jdurability how)
{
    struct ended e = { 0 };
    jbatch_commit(b, how, note_end, &e);
    run(t);
    CHECK(e.how != 0);
    return e.how;
}

static void settle(struct bench *t, uint64_t id, enum jstate s)
{
    struct jbatch *b = jbatch_new(t->j);
    jbatch_settle(b, id, s, SLICE_NONE);
    CHECK_INT(commit_and_run(t, b, JOURNAL_DURABLE), 1);
}

static int64_t count(struct bench *t, enum jstate s)
{
    int64_t c[J_STATES];
    journal_counts(t->j, c);
    return c[s];
}

/* ---- the sentences of the header ------------------------------------------------------------------ */

TEST(an_accepted_message_is_offered_once_durable_and_survives)
{
    struct bench *t = bench_new();
    struct jbatch *b = jbatch_new(t->j);
    struct ended e = { 0 };
    int before = fake_syncs;
    uint64_t id = put_in(b, "a\x1f" "1", "k1", "hello", NULL);
    CHECK_INT(id, 1);
    jbatch_commit(b, JOURNAL_DURABLE, note_end, &e);
    CHECK_INT(t->n_offers, 0);
    run(t);
    CHECK(fake_syncs > before);
    CHECK_INT(e.how, 1);
    CHECK_INT(t->n_offers, 1);
    CHECK_INT(t->offers[0].id, 1);
    CHECK_INT(journal_lanes(t->j), 1);
    reopen(t);
    CHECK_INT(t->n_offers, 0); /* not within open */
    CHECK_INT(t->n_waiting, 1);
    run(t);
    CHECK_INT(t->n_offers, 1);
    CHECK(!t->offers[0].interrupted);
    CHECK_SLICE(slice_of(t->offers[0].lane), SL("a\x1f" "1"));
    CLEANUP(arena_freep) struct arena *a = arena_new();
    CHECK_SLICE(journal_body(t->j, 1, a), SL("hello"));
    settle(t, 1, J_DELIVERED);
    CHECK(!journal_body(t->j, 1, a).p);
    CHECK_INT(journal_lanes(t->j), 0);
    reopen(t);
    run(t);
    CHECK_INT(t->n_offers, 0);
    CHECK_INT(count(t, J_DELIVERED), 1);
    CHECK_INT(accept_one(t, "a", NULL, "x"), 2); /* ids go on */
    bench_free(t);
}

TEST(lanes_keep_order_and_do_not_wait_for_each_other)
{
    struct bench *t = bench_new();
    struct jbatch *b = jbatch_new(t->j);
    uint64_t a1 = put_in(b, "a", NULL, "1", NULL), a2 = put_in(b, "a", NULL, "2", NULL), b1 = put_in(b, "b", NULL, "3", NULL);
    commit_and_run(t, b, JOURNAL_DURABLE);
    CHECK_INT(t->n_offers, 2);
    CHECK_INT(t->offers[0].id, a1);
    CHECK_INT(t->offers[1].id, b1);
    b = jbatch_new(t->j);
    jbatch_retry(b, a1, fake_wall_ms + 5000, SLICE_NONE);
    commit_and_run(t, b, JOURNAL_DURABLE);
    CHECK_INT(t->n_offers, 2); /* a1 stays head: a2 must wait */
    fake_run(t->loop, t->j, 5000);
    CHECK_INT(t->n_offers, 3);
    CHECK_INT(t->offers[2].id, a1);
    CHECK_INT(t->offers[2].attempts, 1);
    settle(t, a1, J_DEAD);
    CHECK_INT(t->offers[3].id, a2);
    settle(t, a1, J_DELIVERED); /* final states never change */
    CHECK_INT(count(t, J_DEAD), 1);
    CHECK_INT(count(t, J_DELIVERED), 0);
    bench_free(t);
}

TEST(parked_messages_free_their_lane_and_are_resumed_by_key_or_time)
{
    struct bench *t = bench_new();
    uint64_t a1 = accept_one(t, "a", NULL, "1"), a2 = accept_one(t, "a", NULL, "2"), a3 = accept_one(t, "a", NULL, "3"), got = 0;
    struct jbatch *b = jbatch_new(t->j);
    jbatch_park(b, a1, SL("result/7"), 0, SL("{}"));
    commit_and_run(t, b, JOURNAL_DURABLE);
    CHECK_INT(t->offers[t->n_offers - 1].id, a2);
    CHECK_INT(count(t, J_PARKED), 1);
    b = jbatch_new(t->j);
    jbatch_park(b, a2, SL("result/8"), fake_wall_ms + 10000, SLICE_NONE);
    commit_and_run(t, b, JOURNAL_DURABLE);
    CHECK_INT(t->offers[t->n_offers - 1].id, a3);
    reopen(t);
    run(t);
    CHECK_INT(t->n_offers, 1);
    CHECK_INT(t->offers[0].id, a3);
    b = jbatch_new(t->j);
    CHECK(!jbatch_resume(b, SL("result/9"), SLICE_NONE, &got));
    CHECK(jbatch_resume(b, SL("result/7"), SLICE_NONE, &got));
    CHECK_INT(got, a1);
    CHECK(!jbatch_resume(b, SL("result/7"), SLICE_NONE, &got)); /* once */
    commit_and_run(t, b, JOURNAL_DURABLE);
    CHECK_INT(t->n_offers, 2); /* out of its lane's order: a3 is still open */
    CHECK_INT(t->offers[1].id, a1);
    fake_run(t->loop, t->j, 11000);
    CHECK_INT(t->n_offers, 3);
    CHECK_INT(t->offers[2].id, a2);
    CHECK_INT(count(t, J_WAITING), 3);
    reopen(t);
    run(t);
    CHECK_INT(t->n_offers, 3);
    settle(t, a1, J_DELIVERED), settle(t, a2, J_UNKNOWN), settle(t, a3, J_DELIVERED);
    CHECK_INT(journal_lanes(t->j), 0);
    bench_free(t);
}

TEST(a_resume_finds_a_park_that_is_still_on_its_way_to_disk)
{
    struct bench *t = bench_new();
    uint64_t a1 = accept_one(t, "a", NULL, "1"), got = 0;
    struct jbatch *b = jbatch_new(t->j);
    jbatch_park(b, a1, SL("k"), 0, SLICE_NONE);
    jbatch_commit(b, JOURNAL_DURABLE, NULL, NULL);
    b = jbatch_new(t->j);
    CHECK(jbatch_resume(b, SL("k"), SLICE_NONE, &got));
    CHECK_INT(got, a1);
    CHECK_INT(commit_and_run(t, b, JOURNAL_DURABLE), 1);
    CHECK_INT(t->n_offers, 2);
    CHECK_INT(count(t, J_WAITING), 1);
    bench_free(t);
}

TEST(a_park_is_over_in_time_though_a_resume_came_to_nothing_then)
{
    struct bench *t = bench_new();
    uint64_t a1 = accept_one(t, "a", NULL, "1"), got = 0;
    struct jbatch *b = jbatch_new(t->j);
    jbatch_park(b, a1, SL("k"), fake_wall_ms + 4000, SLICE_NONE);
    commit_and_run(t, b, JOURNAL_DURABLE);
    b = jbatch_new(t->j);
    CHECK(jbatch_resume(b, SL("k"), SLICE_NONE, &got));
    fake_run(t->loop, t->j, 4100); /* its time passes while the resume is on its way */
    CHECK_INT(t->n_offers, 1);
    jbatch_drop(b);
    fake_run(t->loop, t->j, 5000);
    CHECK_INT(t->n_offers, 2);
    bench_free(t);
}

TEST(of_those_that_wait_for_one_key_the_oldest_goes_first_also_after_a_start)
{
    for (int restart = 0; restart < 2; restart++) {
        struct bench *t = bench_new();
        uint64_t first = accept_one(t, "a", NULL, "1"), b1 = accept_one(t, "b", NULL, "2"), got = 0;
        settle(t, first, J_DELIVERED); /* its place in memory is free */
        uint64_t c1 = accept_one(t, "c", NULL, "3");
        struct jbatch *b = jbatch_new(t->j);
        jbatch_park(b, b1, SL("k"), 0, SLICE_NONE);
        jbatch_park(b, c1, SL("k"), 0, SLICE_NONE);
        commit_and_run(t, b, JOURNAL_DURABLE);
        if (restart)
            reopen(t);
        b = jbatch_new(t->j);
        CHECK(jbatch_resume(b, SL("k"), SLICE_NONE, &got));
        CHECK_INT(got, b1);
        CHECK(jbatch_resume(b, SL("k"), SLICE_NONE, &got));
        CHECK_INT(got, c1);
        jbatch_drop(b);
        bench_free(t);
    }
}

TEST(an_attempt_without_an_end_is_interrupted)
{
    struct bench *t = bench_new();
    uint64_t a1 = accept_one(t, "a", NULL, "1"), b1 = accept_one(t, "b", NULL, "2");
    struct jbatch *b = jbatch_new(t->j);
    jbatch_attempt(b, a1, SLICE_NONE);
    jbatch_attempt(b, b1, SLICE_NONE);
    jbatch_retry(b, b1, 0, SLICE_NONE);
    commit_and_run(t, b, JOURNAL_DURABLE);
    for (int i = 0; i < 2; i++) { /* the second time from the snapshot */
        reopen(t);
        run(t);
        CHECK_INT(t->n_offers, 2);
        for (size_t n = 0; n < 2; n++)
            CHECK_INT(t->offers[n].interrupted, t->offers[n].id == a1);
    }
    bench_free(t);
}

TEST(dead_and_unknown_can_be_replayed_and_anything_open_discarded)
{
    struct bench *t = bench_new();
    uint64_t a1 = accept_one(t, "a", NULL, "1"), a2 = accept_one(t, "a", NULL, "2"), b1 = accept_one(t, "b", NULL, "3");
    settle(t, a1, J_DEAD);
    settle(t, b1, J_DELIVERED);
    reopen(t);
    struct jbatch *b = jbatch_new(t->j);
    CHECK(!jbatch_replay(b, b1, SLICE_NONE));
    CHECK(!jbatch_replay(b, a2, SLICE_NONE));
    CHECK(!jbatch_discard(b, b1, SLICE_NONE));
    CHECK(jbatch_replay(b, a1, SL("\"again\"")));
    commit_and_run(t, b, JOURNAL_DURABLE);
    CHECK_INT(t->n_offers, 1); /* behind a2 */
    CHECK_INT(t->offers[0].id, a2);
    b = jbatch_new(t->j);
    CHECK(jbatch_discard(b, a2, SLICE_NONE));
    commit_and_run(t, b, JOURNAL_DURABLE);
    CHECK_INT(t->offers[1].id, a1);
    settle(t, a2, J_DELIVERED); /* the open offer's later end is ignored */
    CHECK_INT(count(t, J_DEAD), 1);
    CHECK_INT(count(t, J_WAITING), 1);
    reopen(t);
    CHECK_INT(count(t, J_DEAD), 1);
    bench_free(t);
}

TEST(what_is_being_replayed_does_not_go_with_its_segment)
{
    struct bench *t = bench_new();
    t->limits.keep_bytes = 64 << 10;
    reopen(t);
    uint64_t id = accept_one(t, "a", NULL, "the dead one");
    settle(t, id, J_DEAD);
    struct jbatch *b = jbatch_new(t->j);
    CHECK(jbatch_replay(b, id, SLICE_NONE));
    char body[500];
    memset(body, 'y', sizeof(body) - 1);
    body[sizeof(body) - 1] = 0;
    for (int i = 0; i < 300; i++)
        settle(t, accept_one(t, "b", NULL, body), J_DELIVERED);
    size_t before = t->n_offers;
    CHECK_INT(commit_and_run(t, b, JOURNAL_DURABLE), 1);
    CHECK_INT(t->n_offers, before + 1);
    CHECK_INT(count(t, J_WAITING), 1);
    CHECK_INT(count(t, J_DEAD), 0);
    for (int i = 0; i < 300; i++) /* a batch that is given up holds nothing */
        settle(t, accept_one(t, "b", NULL, body), J_DELIVERED);
    settle(t, id, J_DEAD);
    b = jbatch_new(t->j);
    CHECK(jbatch_replay(b, id, SLICE_NONE));
    jbatch_drop(b);
    for (int i = 0; i < 300; i++)
        settle(t, accept_one(t, "b", NULL, body), J_DELIVERED);
    b = jbatch_new(t->j);
    CHECK(!jbatch_replay(b, id, SLICE_NONE));
    jbatch_drop(b);
    bench_free(t);
}

TEST(ignored_messages_are_counted_and_not_offered)
{
    struct bench *t = bench_new();
    struct jbatch *b = jbatch_new(t->j);
    enum jresult r;
    uint64_t id;
    jbatch_accept(b, &(struct jaccept){ .lane = SL("a"), .state = J_IGNORED, .body = SL("echo"), .note = SL("{\"rule\":\"own-echo\"}") }, &r, &id);
    commit_and_run(t, b, JOURNAL_DURABLE);
    CHECK_INT(t->n_offers, 0);
    CHECK_INT(count(t, J_IGNORED), 1);
    bench_free(t);
}

TEST(not_before_holds_a_message_back)
{
    struct bench *t = bench_new();
    struct jbatch *b = jbatch_new(t->j);
    enum jresult r;
    uint64_t id;
    jbatch_accept(b, &(struct jaccept){ .lane = SL("a"), .body = SL("x"), .not_before_ms = fake_wall_ms + 3000 }, &r, &id);
    commit_and_run(t, b, JOURNAL_DURABLE);
    CHECK_INT(t->n_offers, 0);
    fake_run(t->loop, t->j, 3000);
    CHECK_INT(t->n_offers, 1);
    bench_free(t);
}

TEST(clock_jumps_neither_lose_nor_stall_anything)
{
    static const int64_t jumps[] = { 0, 365LL * 86400000, -365LL * 86400000 };
    for (size_t i = 0; i < COUNT(jumps); i++)
        for (int restart = 0; restart < 2; restart++) {
            struct bench *t = bench_new();
            uint64_t id = accept_one(t, "a", "key", "1"), parked = accept_one(t, "b", NULL, "2");
            struct jbatch *b = jbatch_new(t->j);
            jbatch_retry(b, id, fake_wall_ms + 4000, SLICE_NONE);
            jbatch_park(b, parked, SL("k"), fake_wall_ms + 4000, SLICE_NONE);
            commit_and_run(t, b, JOURNAL_DURABLE);
            fake_wall_ms += jumps[i];
            if (restart)
                reopen(t);
            fake_run(t->loop, t->j, 4100);
            CHECK_ROW(i, t->n_offers == (restart ? 2u : 4u));
            b = jbatch_new(t->j);
            enum jresult r;
            put_in(b, "a", "key", "1", &r);
            CHECK_ROW(i, restart || r == J_SEEN);
            jbatch_drop(b);
            bench_free(t);
        }
}

TEST(a_key_lives_long_enough_by_a_clock_that_was_set_right_meanwhile)
{
    struct bench *t = bench_new();
    fake_wall_ms += 365LL * 86400000; /* the machine began with an old time */
    accept_one(t, "a", "key", "1");
    for (int i = 0; i < 2; i++) { /* the second time from the snapshot */
        reopen(t);
        struct jbatch *b = jbatch_new(t->j);
        enum jresult r;
        put_in(b, "a", "key", "1", &r);
        CHECK_ROW(i, r == J_SEEN);
        jbatch_drop(b);
    }
    fake_wall_ms -= 365LL * 86400000;
    bench_free(t);
}

TEST(the_same_key_has_effect_once)
{
    struct bench *t = bench_new();
    enum jresult r1, r2, r3;
    struct jbatch *b1 = jbatch_new(t->j), *b2 = jbatch_new(t->j);
    CHECK_INT(put_in(b1, "a", "k", "1", &r1), 1);
    CHECK_INT(put_in(b1, "a", "k", "1", &r3), 0);
    CHECK_INT(put_in(b2, "a", "k", "1", &r2), 0);
    CHECK(r1 == J_NEW && r2 == J_SEEN && r3 == J_SEEN);
    struct ended e1 = { 0 }, e2 = { 0 };
    jbatch_commit(b2, JOURNAL_DURABLE, note_end, &e2); /* before the one it rests on */
    run(t);
    CHECK_INT(e2.how, 0);
    jbatch_commit(b1, JOURNAL_DURABLE, note_end, &e1);
    run(t);
    CHECK(e1.how == 1 && e2.how == 1 && e1.order < e2.order);
    CHECK_INT(count(t, J_WAITING), 1);
    reopen(t);
    struct jbatch *b = jbatch_new(t->j);
    put_in(b, "a", "k", "1", &r1);
    CHECK_INT(r1, J_SEEN);
    CHECK_INT(commit_and_run(t, b, JOURNAL_DURABLE), 1); /* nothing to store is an end, too */
    fake_mono_us += INT64_C(3 * 3600) * 1000000;         /* its time is over */
    b = jbatch_new(t->j);
    put_in(b, "a", "k", "1", &r1);
    CHECK_INT(r1, J_NEW);
    jbatch_drop(b);
    b = jbatch_new(t->j); /* a dropped batch claims nothing */
    put_in(b, "a", "k", "1", &r1);
    CHECK_INT(r1, J_NEW);
    jbatch_drop(b);
    bench_free(t);
}

TEST(what_rests_on_a_failed_or_dropped_batch_fails)
{
    struct bench *t = bench_new();
    enum jresult r;
    struct jbatch *b1 = jbatch_new(t->j), *b2 = jbatch_new(t->j);
    put_in(b1, "a", "k", "1", &r);
    put_in(b2, "a", "k", "1", &r);
    struct ended e1 = { 0 }, e2 = { 0 }, e3 = { 0 };
    jbatch_commit(b2, JOURNAL_DURABLE, note_end, &e2);
    jbatch_drop(b1);
    run(t);
    CHECK_INT(e2.how, -1);
    fake_write = (struct fake_fault){ ENOSPC, 0, 1 };
    b1 = jbatch_new(t->j);
    put_in(b1, "a", "k", "1", &r);
    CHECK_INT(r, J_NEW);
    jbatch_commit(b1, JOURNAL_DURABLE, note_end, &e1);
    struct jbatch *late = jbatch_new(t->j);
    put_in(late, "a", "k", "1", &r);
    CHECK_INT(r, J_SEEN);
    run(t);
    CHECK_INT(e1.how, -1);
    CHECK(!journal_healthy(t->j) && journal_last_fault(t->j)->code);
    jbatch_commit(late, JOURNAL_DURABLE, note_end, &e3);
    run(t);
    CHECK_INT(e3.how, -1);
    CHECK_INT(count(t, J_WAITING), 0);
    accept_one(t, "a", "k", "1"); /* recovers by itself */
    CHECK(journal_healthy(t->j) && !journal_last_fault(t->j)->code);
    CHECK_INT(t->n_offers, 1);
    bench_free(t);
}

TEST(a_disk_that_does_not_answer_is_told_and_forgotten_when_it_does)
{
    struct bench *t = bench_new();
    enum jresult r;
    struct jbatch *b = jbatch_new(t->j);
    struct ended e = { 0 };
    put_in(b, "a", "k", "1", &r);
    fake_hang = true;
    jbatch_commit(b, JOURNAL_DURABLE, note_end, &e);
    while (fake_turn(t->loop))
        continue;
    CHECK(journal_healthy(t->j) && !e.how);
    fake_mono_us = fake_next_timer_us(t->loop);
    while (fake_turn(t->loop))
        continue;
    CHECK(!journal_healthy(t->j) && !e.how);
    CHECK_SLICE(slice_of(journal_last_fault(t->j)->code), SL("slow"));
    fake_hang = false;
    run(t);
    CHECK_INT(e.how, 1);
    CHECK(journal_healthy(t->j) && !journal_last_fault(t->j)->code);
    bench_free(t);
}

TEST(over_a_limit_is_refused_and_names_it)
{
    struct bench *t = bench_new();
    char *big = must_calloc(1, JOURNAL_BODY_MAX + 1);
    struct jbatch *b = jbatch_new(t->j);
    enum jresult r;
    uint64_t id;
    jbatch_accept(b, &(struct jaccept){ .lane = SL("a"), .body = slice_mem(big, JOURNAL_BODY_MAX + 1) }, &r, &id);
    CHECK_INT(commit_and_run(t, b, JOURNAL_DURABLE), -1);
    CHECK_SLICE(slice_of(journal_last_fault(t->j)->field), SL("body"));
    b = jbatch_new(t->j); /* what could not be printed */
    jbatch_accept(b, &(struct jaccept){ .lane = SL("a") }, &r, &id);
    CHECK_INT(commit_and_run(t, b, JOURNAL_DURABLE), -1);
    CHECK_SLICE(slice_of(journal_last_fault(t->j)->field), SL("body"));
    b = jbatch_new(t->j); /* as much as is allowed, larger than a segment */
    jbatch_accept(b, &(struct jaccept){ .lane = SL("a"), .body = slice_mem(big, JOURNAL_BODY_MAX) }, &r, &id);
    CHECK_INT(commit_and_run(t, b, JOURNAL_DURABLE), 1);
    reopen(t);
    CLEANUP(arena_freep) struct arena *a = arena_new();
    CHECK_INT(journal_body(t->j, id, a).n, JOURNAL_BODY_MAX);
    free(big);
    bench_free(t);
}

TEST(a_key_of_a_batch_that_holds_no_more_is_free_again)
{
    struct bench *t = bench_new();
    char *big = must_calloc(1, JOURNAL_BODY_MAX);
    struct jbatch *b = jbatch_new(t->j);
    enum jresult r;
    uint64_t id;
    for (size_t i = 0; i <= BATCH_BYTES_MAX / JOURNAL_BODY_MAX; i++) {
        char key[20];
        snprintf(key, sizeof(key), "k%zu", i);
        jbatch_accept(b, &(struct jaccept){ .lane = SL("a"), .dedupe = slice_of(key), .dedupe_keep_ms = 3600000, .body = slice_mem(big, JOURNAL_BODY_MAX) }, &r, &id);
        CHECK_INT(r, J_NEW);
    }
    CHECK_INT(commit_and_run(t, b, JOURNAL_DURABLE), -1);
    CHECK_SLICE(slice_of(journal_last_fault(t->j)->field), SL("batch"));
    free(big);
    for (size_t i = 0; i <= BATCH_BYTES_MAX / JOURNAL_BODY_MAX; i++) {
        char key[20];
        snprintf(key, sizeof(key), "k%zu", i);
        b = jbatch_new(t->j);
        put_in(b, "a", key, "1", &r);
        CHECK_INT(r, J_NEW);
        CHECK_INT(commit_and_run(t, b, JOURNAL_DURABLE), 1);
    }
    bench_free(t);
}

TEST(what_gathers_behind_a_slow_disk_is_bounded)
{
    struct bench *t = bench_new();
    t->limits.gather_bytes = 2000;
    reopen(t);
    char body[900] = { 0 };
    memset(body, 'x', sizeof(body) - 1);
    struct ended ends[4] = { 0 };
    enum jresult r;
    for (size_t i = 0; i < COUNT(ends); i++) { /* none of them is on its way yet: the turn has not ended */
        char key[8];
        snprintf(key, sizeof(key), "k%zu", i);
        struct jbatch *b = jbatch_new(t->j);
        put_in(b, "a", key, body, &r);
        CHECK_INT(r, J_NEW);
        jbatch_commit(b, JOURNAL_DURABLE, note_end, &ends[i]);
    }
    CHECK_SLICE(slice_of(journal_last_fault(t->j)->code), SL("busy"));
    struct jbatch *empty = jbatch_new(t->j); /* takes no room */
    struct ended none = { 0 };
    jbatch_commit(empty, JOURNAL_DURABLE, note_end, &none);
    run(t);
    CHECK_INT(none.how, 1);
    for (size_t i = 0; i < COUNT(ends); i++)
        CHECK_INT(ends[i].how, i < 2 ? 1 : -1);
    CHECK(journal_healthy(t->j));
    struct jbatch *again = jbatch_new(t->j);
    put_in(again, "a", "k1", body, &r);
    CHECK_INT(r, J_SEEN);
    put_in(again, "a", "k2", body, &r);
    CHECK_INT(r, J_NEW);
    CHECK_INT(commit_and_run(t, again, JOURNAL_DURABLE), 1);
    int64_t counts[J_STATES];
    journal_counts(t->j, counts);
    CHECK_INT(counts[J_WAITING], 3);
    bench_free(t);
}

TEST(puts_come_back_until_they_are_flushed)
{
    struct bench *t = bench_new();
    struct jbatch *b = jbatch_new(t->j);
    jbatch_put(b, SL("a"), SL("1"));
    jbatch_put(b, SL("b"), SL("1"));
    commit_and_run(t, b, JOURNAL_DURABLE);
    uint64_t upto = journal_position(t->j);
    b = jbatch_new(t->j);
    jbatch_put(b, SL("a"), SL("2"));
    jbatch_put(b, SL("c"), SLICE_NONE);
    commit_and_run(t, b, JOURNAL_DURABLE);
    for (int i = 0; i < 2; i++) {
        reopen(t);
        CHECK_INT(t->n_puts, 3);
        for (size_t p = 0; p < 3; p++)
            CHECK_SLICE(slice_of(t->puts[p][1]), t->puts[p][0][0] == 'a' ? SL("2") : t->puts[p][0][0] == 'b' ? SL("1") : SL("(removed)"));
    }
    journal_puts_flushed(t->j, upto);
    run(t);
    reopen(t);
    CHECK_INT(t->n_puts, 2);
    journal_puts_flushed(t->j, journal_position(t->j));
    run(t);
    reopen(t);
    CHECK_INT(t->n_puts, 0);
    CHECK(journal_position(t->j) >= upto);
    bench_free(t);
}

TEST(lazy_batches_are_written_at_once_and_synced_within_50_ms)
{
    struct bench *t = bench_new();
    uint64_t id = accept_one(t, "a", NULL, "1");
    int syncs = fake_syncs;
    struct jbatch *b = jbatch_new(t->j);
    struct ended e = { 0 };
    jbatch_settle(b, id, J_DELIVERED, SLICE_NONE);
    jbatch_commit(b, JOURNAL_LAZY, note_end, &e);
    fake_run(t->loop, t->j, 0);
    CHECK_INT(e.how, 1);
    CHECK_INT(fake_syncs, syncs);
    fake_run(t->loop, t->j, 50);
    CHECK_INT(fake_syncs, syncs + 1);
    bench_free(t);
}

TEST(company_is_awaited_under_load_only)
{
    struct bench *t = bench_new();
    struct ended e[400];
    memset(e, 0, sizeof(e));
    int syncs = fake_syncs;
    for (int i = 0; i < 50; i++) { /* 50/s: none waits */
        struct jbatch *b = jbatch_new(t->j);
        put_in(b, "a", NULL, "x", NULL);
        jbatch_commit(b, JOURNAL_DURABLE, note_end, &e[i]);
        fake_run(t->loop, t->j, 0);
        CHECK_ROW(i, e[i].how == 1);
        fake_mono_us += 20000;
    }
    syncs = fake_syncs;
    for (int i = 50; i < 400; i++) { /* 2,000/s */
        struct jbatch *b = jbatch_new(t->j);
        put_in(b, "a", NULL, "x", NULL);
        jbatch_commit(b, JOURNAL_DURABLE, note_end, &e[i]);
        fake_run(t->loop, t->j, 0);
        fake_mono_us += 500;
    }
    run(t);
    CHECK_INT(e[399].how, 1);
    CHECK(fake_syncs - syncs < 140);
    bench_free(t);
}

TEST(one_process_a_directory)
{
    struct bench *t = bench_new();
    struct bench other = { .loop = t->loop, .dir = t->dir, .limits = t->limits };
    CHECK(!opens(&other));
    CHECK_SLICE(slice_of(other.f.code), SL("in_use"));
    char pid[24];
    snprintf(pid, sizeof(pid), "%d", (int)getpid());
    CHECK(slice_find(slice_of(other.f.text), slice_of(pid)) != SIZE_MAX);
    bench_free(t);
}

/* ---- failing disks -------------------------------------------------------------------------------- */

TEST(a_failing_disk_stores_nothing_and_loses_nothing)
{
    static const struct { int error, what, after; } rows[] = {
        { ENOSPC, 0, 0 }, { EIO, 0, 0 }, { EIO, 1, 0 }, { ENOSPC, 2, 0 }, { EIO, 0, 1 }, { EIO, 1, 1 }, { EIO, 0, 2 }, { EIO, 1, 2 },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        for (int torn = 0; torn < 2; torn++) {
            struct bench *t = bench_new();
            fake_torn = torn;
            uint64_t kept = accept_one(t, "a", "kept", "good"), lazy;
            struct jbatch *b = jbatch_new(t->j);
            lazy = put_in(b, "lazy", "lazy", "also good", NULL);
            struct ended el = { 0 };
            jbatch_commit(b, JOURNAL_LAZY, note_end, &el);
            fake_run(t->loop, t->j, 0);
            CHECK_ROW(i, el.how == 1);
            struct fake_fault *what[] = { &fake_write, &fake_sync, &fake_allocate };
            *what[rows[i].what] = (struct fake_fault){ rows[i].error, rows[i].after, 3 };
            int failed = 0, stored = 0;
            for (int n = 0; n < 60; n++) {
                char body[600], key[16];
                memset(body, 'x', sizeof(body) - 1);
                body[sizeof(body) - 1] = 0;
                snprintf(key, sizeof(key), "k%d", n);
                b = jbatch_new(t->j);
                enum jresult r;
                put_in(b, "a", key, body, &r);
                CHECK_ROW(i, r == J_NEW);
                if (commit_and_run(t, b, JOURNAL_DURABLE) > 0) {
                    stored++;
                } else {
                    failed++;
                    b = jbatch_new(t->j); /* rolled back: the same key is new again */
                    put_in(b, "a", key, body, &r);
                    CHECK_ROW(i, r == J_NEW);
                    jbatch_drop(b);
                }
                CHECK_ROW(i, count(t, J_WAITING) == stored + 2);
            }
            CHECK_ROW(i, failed >= 1 && failed <= 3 && journal_healthy(t->j));
            fake_write = fake_sync = fake_allocate = (struct fake_fault){ 0 };
            reopen(t);
            CHECK_ROW(i, count(t, J_WAITING) == stored + 2);
            CLEANUP(arena_freep) struct arena *a = arena_new();
            CHECK_SLICE(journal_body(t->j, kept, a), SL("good"));
            CHECK_SLICE(journal_body(t->j, lazy, a), SL("also good"));
            bench_free(t);
        }
}

/* ---- a crash: the files as they are at some moment, copied and opened ------------------------------ */

static void copy_dir(const char *from, const char *to)
{
    char cmd[400];
    snprintf(cmd, sizeof(cmd), "cp -r %s/journal %s/journal && rm -f %s/journal/lock", from, to, to);
    CHECK_INT(system(cmd), 0);
}

TEST(a_torn_last_group_is_dropped_whole)
{
    struct bench *t = bench_new();
    const char *copy = test_dir();
    for (int i = 0; i < 3; i++)
        accept_one(t, "a", NULL, "durable");
    uint32_t start = t->j->log.off, no = t->j->log.segs[0].no;
    struct jbatch *b = jbatch_new(t->j);
    put_in(b, "b", NULL, "the last two", NULL);
    put_in(b, "b", NULL, "are one batch", NULL);
    commit_and_run(t, b, JOURNAL_DURABLE);
    uint32_t end = t->j->log.off;
    copy_dir(t->dir, copy);
    char path[200];
    snprintf(path, sizeof(path), "%s/journal/%08u.log", copy, no);
    CLEANUP(arena_freep) struct arena *a = arena_new();
    int fd = open(path, O_RDWR);
    size_t size = (size_t)lseek(fd, 0, SEEK_END);
    char *file = arena_alloc(a, size);
    CHECK_INT(pread(fd, file, size, 0), size);
    for (uint32_t cut = start; cut <= end; cut++)
        for (int how = 0; how < 3; how++) { /* cut off, zeros, garbage */
            CHECK_INT(pwrite(fd, file, size, 0), size);
            char junk[256];
            memset(junk, 0, sizeof(junk));
            if (how == 2)
                random_bytes(junk, sizeof(junk));
            if (how == 0)
                CHECK_INT(ftruncate(fd, cut), 0);
            else
                CHECK_INT(pwrite(fd, junk, end - cut, cut), end - cut);
            struct bench c = { .dir = copy, .limits = t->limits };
            CHECK(opens(&c));
            int64_t n = count(&c, J_WAITING);
            CHECK_ROW(cut, n == (cut == end ? 5 : 3));
            accept_one(&c, "c", NULL, "and it goes on");
            journal_close(c.j);
            CHECK(opens(&c));
            CHECK_ROW(cut, count(&c, J_WAITING) == n + 1);
            journal_close(c.j);
            fake_loop_free(c.loop);
            static const char *const made[] = { "snapshot", "00000002.log" };
            for (size_t m = 0; m < COUNT(made); m++) {
                snprintf(junk, sizeof(junk), "%s/journal/%s", copy, made[m]);
                unlink(junk);
            }
        }
    close(fd);
    bench_free(t);
}

/* A sync failed and the process died: the next one reads from the page cache what no sync brings to the disk any more, so it writes it again. */
TEST(what_an_open_finds_behind_the_snapshot_is_written_again)
{
    struct bench *t = bench_new();
    const char *copy = test_dir();
    accept_one(t, "a", NULL, "closed in good order");
    reopen(t);
    copy_dir(t->dir, copy);
    struct bench c = { .dir = copy, .limits = t->limits };
    fake_writes = 0;
    CHECK(opens(&c));
    CHECK_INT(fake_writes, 0);
    journal_close(c.j);

    accept_one(t, "a", NULL, "in doubt");
    copy = c.dir = test_dir();
    copy_dir(t->dir, copy);
    fake_writes = 0;
    CHECK(opens(&c));
    CHECK_INT(fake_writes, 1);
    CHECK_INT(count(&c, J_WAITING), 2);
    journal_close(c.j);
    fake_sync = (struct fake_fault){ EIO, 0, 1 }; /* neither does it go on when the disk still fails */
    copy = c.dir = test_dir();
    copy_dir(t->dir, copy);
    CHECK(!opens(&c));
    fake_loop_free(c.loop);
    bench_free(t);
}

/* ---- keeping ------------------------------------------------------------------------------------- */

static size_t segments(struct bench *t)
{
    return t->j->log.n_segs;
}

TEST(old_segments_go_and_what_is_needed_of_them_is_carried_forward)
{
    struct bench *t = bench_new();
    t->limits.keep_bytes = 64 << 10;
    reopen(t);
    uint64_t stays = accept_one(t, "old", "old-key", "the old one"), parked = accept_one(t, "p", NULL, "parked");
    struct jbatch *b = jbatch_new(t->j);
    jbatch_park(b, parked, SL("pk"), 0, SLICE_NONE);
    commit_and_run(t, b, JOURNAL_DURABLE);
    char body[500];
    memset(body, 'y', sizeof(body) - 1);
    body[sizeof(body) - 1] = 0;
    for (int i = 0; i < 800; i++) {
        settle(t, accept_one(t, "a", NULL, body), i % 100 ? J_DELIVERED : J_DEAD);
        CHECK(segments(t) < 10);
    }
    CHECK(t->j->log.segs[0].no > 10);
    for (int i = 0; i < 2; i++) {
        CLEANUP(arena_freep) struct arena *a = arena_new();
        CHECK_SLICE(journal_body(t->j, stays, a), SL("the old one"));
        CHECK_SLICE(journal_body(t->j, parked, a), SL("parked"));
        CHECK_INT(count(t, J_WAITING), 1);
        CHECK_INT(count(t, J_PARKED), 1);
        CHECK_INT(count(t, J_DELIVERED), 792);
        CHECK_INT(count(t, J_DEAD), 8);
        enum jresult r;
        b = jbatch_new(t->j);
        put_in(b, "old", "old-key", "x", &r);
        CHECK_INT(r, J_SEEN);
        jbatch_drop(b);
        reopen(t);
    }
    bench_free(t);
}

TEST(old_segments_are_kept_for_who_follows_but_not_without_end)
{
    struct bench *t = bench_new();
    t->limits.keep_bytes = 64 << 10;
    reopen(t);
    journal_followed(t->j, 0);
    char body[500];
    memset(body, 'y', sizeof(body) - 1);
    body[sizeof(body) - 1] = 0;
    for (int i = 0; i < 250; i++)
        settle(t, accept_one(t, "a", NULL, body), J_DELIVERED);
    CHECK(segments(t) > 8 && t->j->log.segs[0].no == 1);
    for (int i = 0; i < 1000; i++)
        settle(t, accept_one(t, "a", NULL, body), J_DELIVERED);
    CHECK(segments(t) > 12 && segments(t) < 20);
    journal_followed(t->j, t->j->log.segs[t->j->log.n_segs - 1].no);
    for (int i = 0; i < 50; i++)
        settle(t, accept_one(t, "a", NULL, body), J_DELIVERED);
    CHECK(segments(t) < 8);
    bench_free(t);
}

TEST(dedupe_generations_freeze_merge_and_end)
{
    struct bench *t = bench_new();
    t->generation_keys = 64;
    t->limits.segment_bytes = 8 << 10;
    reopen(t);
    enum jresult r;
    char key[24];
    enum { KEYS = 3000 };
    for (int i = 0; i < KEYS; i++) {
        struct jbatch *b = jbatch_new(t->j);
        for (int n = 0; n < 10; n++, i++) {
            snprintf(key, sizeof(key), "key-%d", i);
            CHECK(put_in(b, "a", key, "x", &r) && r == J_NEW);
        }
        i--;
        commit_and_run(t, b, JOURNAL_DURABLE);
    }
    CHECK(dedupe_generations(t->j->dedupe) > 1 && dedupe_generations(t->j->dedupe) < 20);
    CHECK(dedupe_in_memory(t->j->dedupe) < KEYS / 2);
    for (int round = 0; round < 2; round++) {
        struct jbatch *b = jbatch_new(t->j);
        for (int i = 0; i < KEYS; i++) {
            snprintf(key, sizeof(key), "key-%d", i);
            put_in(b, "a", key, "x", &r);
            CHECK_ROW(i, r == J_SEEN);
            snprintf(key, sizeof(key), "other-%d", i);
            put_in(b, "a", key, "x", &r);
            CHECK_ROW(i, r == J_NEW);
        }
        jbatch_drop(b);
        reopen(t);
    }
    fake_mono_us += INT64_C(3) * HOUR_MS * 1000;
    fake_wall_ms += INT64_C(3) * HOUR_MS;
    run(t);
    CHECK_INT(dedupe_generations(t->j->dedupe), 0);
    bench_free(t);
}

/* ---- scanning ------------------------------------------------------------------------------------ */

struct seen {
    int n[JOP_MAX];
    uint64_t last_id;
};
static bool see(void *arg, const struct jrecord *r)
{
    struct seen *s = arg;
    s->n[r->op]++;
    if (r->op == JOP_ACCEPT) {
        CHECK(r->id > s->last_id || r->copied);
        s->last_id = r->id;
        CHECK_SLICE(r->body, SL("body"));
        CHECK_SLICE(r->dedupe, SL("dd"));
    }
    if (r->op == JOP_SETTLE)
        CHECK_INT(r->state, J_DELIVERED);
    return true;
}

TEST(a_scan_beside_the_running_journal_tells_every_operation)
{
    struct bench *t = bench_new();
    struct jbatch *b = jbatch_new(t->j);
    uint64_t id = put_in(b, "a", "dd", "body", NULL), got;
    jbatch_put(b, SL("k"), SL("v"));
    jbatch_attempt(b, id, SLICE_NONE);
    jbatch_retry(b, id, 0, SL("{\"status\":503}"));
    jbatch_park(b, id, SL("w"), 0, SLICE_NONE);
    jbatch_note(b, id, SL("{}"));
    CHECK(jbatch_resume(b, SL("w"), SLICE_NONE, &got));
    jbatch_settle(b, id, J_DELIVERED, SLICE_NONE);
    commit_and_run(t, b, JOURNAL_DURABLE);
    CHECK_INT(count(t, J_DELIVERED), 1);
    struct seen s = { 0 };
    struct fault f;
    CHECK(journal_scan(t->dir, see, &s, &f));
    for (int op = JOP_ACCEPT; op <= JOP_NOTE; op++)
        CHECK_ROW(op, s.n[op] == 1);
    CHECK(!journal_scan("/nowhere", see, &s, &f));
    bench_free(t);
}

static bool in_order(void *arg, const struct jrecord *r)
{
    uint64_t *last = arg;
    if (r->op == JOP_ACCEPT && !r->copied) {
        CHECK_INT(r->id, *last + 1);
        *last = r->id;
    }
    return true;
}

TEST(a_follower_reads_each_record_once_piece_by_piece_and_only_what_is_durable)
{
    enum { MESSAGES = 600 };
    struct bench *t = bench_new();
    struct jplace at = { 0 };
    struct fault f;
    uint64_t last = 0, first = 0;
    bool gap;
    char *body = memset(must_calloc(1, 8001), 'x', 8000);
    for (int i = 0; i < MESSAGES; i++) { /* over several segments */
        struct jbatch *b = jbatch_new(t->j);
        uint64_t id = put_in(b, "a", NULL, body, NULL);
        first = first ? first : id;
        commit_and_run(t, b, JOURNAL_DURABLE);
        if (i == 0)
            last = first - 1;
        if (i % 50 == 0)
            CHECK(journal_follow(t->dir, &at, journal_durable(t->j), 20000, in_order, &last, &gap, &f) && !gap);
    }
    CHECK(last < first + MESSAGES - 1);
    for (int i = 0; i < 10000 && at.seq < journal_durable(t->j); i++)
        CHECK(journal_follow(t->dir, &at, journal_durable(t->j), 20000, in_order, &last, &gap, &f) && !gap);
    CHECK_INT(last, first + MESSAGES - 1);
    struct jplace end = at;
    CHECK(journal_follow(t->dir, &at, UINT64_MAX, 20000, in_order, &last, &gap, &f) && !gap);
    CHECK(memcmp(&end, &at, sizeof(at)) == 0);
    at = (struct jplace){ 0 };
    last = first - 1;
    CHECK(journal_follow(t->dir, &at, end.seq - 3, SIZE_MAX, in_order, &last, &gap, &f));
    CHECK_INT(last, first + MESSAGES - 4);
    free(body);
    bench_free(t);
}

/* ---- against a model, with random steps ------------------------------------------------------------ */

enum { MODEL_MAX = 3000, MODEL_LANES = 5 };
struct model {
    struct {
        uint64_t id;
        enum jstate state;
        int lane, order; /* in its lane; 0: resumed, out of order */
        char key[12];
    } m[MODEL_MAX];
    size_t n;
    int last_order;
};

static uint64_t rng;
static unsigned dice(unsigned n)
{
    rng ^= rng << 13, rng ^= rng >> 7, rng ^= rng << 17;
    return (unsigned)(rng >> 33) % n;
}

static size_t pick(struct model *m, enum jstate s)
{
    for (unsigned i = 0; i < 40 && m->n; i++) {
        size_t at = dice((unsigned)m->n);
        if (m->m[at].state == s)
            return at;
    }
    return SIZE_MAX;
}

static void model_check(struct bench *t, struct model *m)
{
    int64_t want[J_STATES] = { 0 }, got[J_STATES];
    for (size_t i = 0; i < m->n; i++)
        want[m->m[i].state]++;
    journal_counts(t->j, got);
    for (size_t i = 0; i < J_STATES; i++)
        CHECK_ROW(i, got[i] == want[i]);
}

static void model_step(struct bench *t, struct model *m)
{
    struct jbatch *b = jbatch_new(t->j);
    struct model was = *m;
    bool fails = dice(12) == 0, dropped = dice(20) == 0;
    unsigned n = 1 + dice(4);
    size_t touched[8];
    for (unsigned i = 0; i < n; i++) {
        size_t at = touched[i] = pick(m, dice(4) ? J_WAITING : dice(2) ? J_PARKED : J_DEAD);
        for (unsigned k = 0; k < i; k++)
            at = touched[k] == at ? SIZE_MAX : at;
        uint64_t id = at == SIZE_MAX ? 0 : m->m[at].id, got;
        if (at == SIZE_MAX || dice(3) == 0) {
            if (m->n == MODEL_MAX)
                continue;
            char lane[8], body[300];
            int l = (int)dice(MODEL_LANES);
            snprintf(lane, sizeof(lane), "%d", l);
            size_t len = dice(sizeof(body) - 1);
            memset(body, 'a' + l, len);
            body[len] = 0;
            m->m[m->n].id = put_in(b, lane, NULL, body, NULL);
            m->m[m->n].state = J_WAITING;
            m->m[m->n].order = ++m->last_order;
            m->m[m->n++].lane = l;
        } else if (m->m[at].state == J_WAITING && dice(5) == 0) {
            snprintf(m->m[at].key, sizeof(m->m[at].key), "w%" PRIu64, id);
            jbatch_park(b, id, slice_of(m->m[at].key), 0, SLICE_NONE);
            m->m[at].state = J_PARKED;
        } else if (m->m[at].state == J_WAITING) {
            static const enum jstate ends[] = { J_DELIVERED, J_DELIVERED, J_DEAD, J_UNKNOWN };
            m->m[at].state = ends[dice(COUNT(ends))];
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
    if (dropped) {
        jbatch_drop(b);
        *m = was;
        return;
    }
    struct fake_fault *what[] = { &fake_write, &fake_sync };
    if (fails)
        *what[dice(2)] = (struct fake_fault){ EIO, 0, 1 };
    bool ok = commit_and_run(t, b, dice(4) ? JOURNAL_DURABLE : JOURNAL_LAZY) > 0;
    fake_write = fake_sync = (struct fake_fault){ 0 };
    if (!ok)
        *m = was;
}

TEST(random_batches_agree_with_a_model)
{
    for (uint64_t seed = 1; seed <= 6; seed++) {
        rng = seed * 0x9e3779b97f4a7c15u;
        struct bench *t = bench_new();
        t->limits.keep_bytes = INT64_MAX;
        struct model *m = must_calloc(1, sizeof(*m));
        for (int step = 0; step < 1500; step++) {
            model_step(t, m);
            model_check(t, m);
            t->n_offers = 0;
            if (dice(40) == 0) {
                reopen(t);
                model_check(t, m);
                run(t);
            }
        }
        /* Each lane in order to its end. */
        for (size_t at; (at = pick(m, J_PARKED)) != SIZE_MAX; m->m[at].state = J_DELIVERED)
            settle(t, m->m[at].id, J_DELIVERED);
        reopen(t);
        run(t);
        int last[MODEL_LANES] = { 0 };
        for (size_t i = 0; i < t->n_offers; i++) {
            size_t at = 0;
            while (m->m[at].id != t->offers[i].id)
                at++;
            CHECK_ROW(i, t->offers[i].lane[0] - '0' == m->m[at].lane);
            if (m->m[at].order) {
                CHECK_ROW(i, m->m[at].order > last[m->m[at].lane]);
                last[m->m[at].lane] = m->m[at].order;
            }
            settle(t, t->offers[i].id, J_DELIVERED);
        }
        CHECK_INT(count(t, J_WAITING), 0);
        CHECK_INT(journal_lanes(t->j), 0);
        free(m);
        bench_free(t);
    }
}

TEST(many_waiting_messages_are_small)
{
    struct bench *t = bench_new();
    t->limits.segment_bytes = 8 << 20;
    reopen(t);
    const struct state *s = &t->j->state;
    for (int i = 0; i < 60000; i++) {
        struct jbatch *b = jbatch_new(t->j);
        for (int n = 0; n < 100; n++, i++) {
            char lane[32];
            snprintf(lane, sizeof(lane), "line\x1f" "U%08d", i % 5000);
            put_in(b, lane, NULL, "a text of a guest", NULL);
        }
        i--;
        jbatch_commit(b, JOURNAL_DURABLE, NULL, NULL);
        run(t);
        t->n_offers = 0;
    }
    CHECK_INT(journal_lanes(t->j), 5000);
    size_t bytes = state_numbers(s) * sizeof(struct entry) + s->n_index * 4 + s->n_lanes * sizeof(struct lane) +
                   s->lane_names.cap_items * sizeof(struct name) + 5000 * 32 + s->lane_names.n_slots * 4 + s->cap_ready * 16;
    CHECK(bytes < 8 << 20);
    journal_close(t->j);
    CHECK(opens(t));
    CHECK_INT(count(t, J_WAITING), 60000);
    bench_free(t);
}
