/* Parcels on the rig; the broker is one that nobody reaches, so acknowledgements lead nowhere. */
#include "hub/intake.h"
#include "broker/broker.h"
#include "hub/parcel.h"
#include "hub/rig_test.h"

struct taking {
    struct rig *r;
    struct broker *broker;
    struct intake *in;
    uint64_t tag;
};

static struct taking taking_new(void)
{
    struct taking t = { .r = rig_new() };
    struct fault f = { 0 };
    t.broker = broker_open(t.r->loop, &(struct broker_setup){ .url = SL("amqp://127.0.0.1:1/"), .shards = 1 }, &f);
    CHECK(t.broker);
    t.in = intake_new(&t.r->hub, t.broker);
    return t;
}

static void taking_free(struct taking *t)
{
    rig_stop(t->r);
    broker_close(t->broker);
    intake_free(t->in);
    rig_free(t->r);
}

static void arrive_body(struct taking *t, const char *account, slice body)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    const struct parcel p = { .account = slice_of(account), .trace_id = SL("463ac35c9f6413ad"), .at_ms = time_now_ms(),
                              .rq = { .method = SL("POST"), .path = SL("/"), .body = body } };
    intake_arrived(t->in, ++t->tag, parcel_print(a, &p));
}

static void arrive(struct taking *t, const char *account, const char *id, const char *text)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    arrive_body(t, account, arena_printf(a, "{\"events\":[{\"id\":\"%s\",\"guest\":\"U1\",\"text\":\"%s\"}]}", id, text));
}

static size_t place_of(const struct rig *r, const char *body)
{
    size_t i = 0;
    while (i < r->n_seen && !slice_eq(r->seen[i].body, slice_of(body)))
        i++;
    return i;
}

TEST(intake_takes_a_parcel_once)
{
    struct taking t = taking_new();
    arrive(&t, "t/tnet", "1", "hello");
    arrive(&t, "t/tnet", "1", "hello");
    UNTIL(t.r, intake_open(t.in) == 0 && rig_seen(t.r, "hello"));
    arrive(&t, "t/tnet", "1", "hello");
    arrive(&t, "t/tnet", "2", "more");
    UNTIL(t.r, intake_open(t.in) == 0 && rig_seen(t.r, "more"));
    CHECK_INT(rig_seen(t.r, "hello"), 1);
    taking_free(&t);
}

/* One without a vendor's id is known by what it says, with its time. */
TEST(intake_knows_a_parcel_that_comes_again_also_without_an_id)
{
    struct taking t = taking_new();
    CLEANUP(arena_freep) struct arena *a = arena_new();
    const struct parcel p = { .account = SL("t/tnet"), .at_ms = time_now_ms() - 1000,
                              .rq = { .method = SL("POST"), .path = SL("/"), .body = SL("{\"events\":[{\"id\":\"\",\"guest\":\"U1\",\"text\":\"hello\"}]}") } };
    slice bytes = parcel_print(a, &p);
    intake_arrived(t.in, 1, bytes);
    UNTIL(t.r, intake_open(t.in) == 0);
    rig_turn(t.r, 20);
    intake_arrived(t.in, 2, bytes);
    arrive(&t, "t/tnet", "2", "last");
    UNTIL(t.r, rig_seen(t.r, "last") == 1);
    CHECK_INT(rig_seen(t.r, "hello"), 1);
    taking_free(&t);
}

/* What is resumed with too much, and what another version made. The broker of this rig takes nothing, so they stay until it does. */
TEST(intake_keeps_what_can_never_be_stored_and_is_not_held_up_by_it)
{
    struct taking t = taking_new();
    CLEANUP(arena_freep) struct arena *a = arena_new();
    char *word = must_calloc(1, JOURNAL_VALUE_MAX + 2);
    memset(word, 'x', JOURNAL_VALUE_MAX + 1);
    arrive_body(&t, "t/tnet", arena_printf(a, "{\"ignore\":[\"%s\"]}", word));
    arrive_body(&t, "t/tnet", arena_printf(a, "{\"resume\":{\"key\":\"k\",\"data\":\"%s\"}}", word));
    intake_arrived(t.in, ++t.tag, SL("{\"v\":2}\nof a newer version"));
    arrive(&t, "t/tnet", "1", "behind");
    UNTIL(t.r, rig_seen(t.r, "behind") == 1 && intake_open(t.in) == 2);
    rig_turn(t.r, 2 * INTAKE_AGAIN_MS); /* the broker is asked again */
    CHECK_INT(intake_open(t.in), 2);
    CHECK_INT(rig_seen(t.r, "behind"), 1);
    intake_lost(t.in); /* the next worker's */
    CHECK_INT(intake_open(t.in), 0);
    free(word);
    taking_free(&t);
}

TEST(intake_lets_a_parcel_wait_for_its_account_and_others_go_past)
{
    struct taking t = taking_new();
    t.r->other->retired = true; /* not at work yet */
    arrive(&t, "t/tother", "1", "first");
    arrive(&t, "t/tnet", "2", "past");
    UNTIL(t.r, rig_seen(t.r, "past") == 1);
    UNTIL(t.r, intake_open(t.in) == 1);
    t.r->other->retired = false;
    arrive(&t, "t/tother", "3", "second"); /* not before the one that waits */
    UNTIL(t.r, intake_open(t.in) == 0 && rig_seen(t.r, "second") == 1);
    CHECK_INT(rig_seen(t.r, "first"), 1);
    CHECK(place_of(t.r, "first") < place_of(t.r, "second"));
    taking_free(&t);
}

TEST(intake_hands_back_what_waits_for_an_account)
{
    struct taking t = taking_new();
    for (int i = 0; i < 3 * INTAKE_WAITING_MAX; i++) /* more than may wait: the rest is buried, which this broker does not take */
        arrive(&t, "t/gone", "1", "x");
    CHECK_INT(intake_open(t.in), 3 * INTAKE_WAITING_MAX);
    intake_lost(t.in); /* the next worker's */
    CHECK_INT(intake_open(t.in), 0);
    arrive(&t, "t/gone", "1", "x");
    CHECK_INT(intake_open(t.in), 1);
    taking_free(&t);
}

TEST(intake_takes_what_comes_when_the_account_is_there_though_as_many_wait_as_may)
{
    struct taking t = taking_new();
    char id[16];
    t.r->other->retired = true;
    for (int i = 0; i < INTAKE_WAITING_MAX; i++) {
        snprintf(id, sizeof(id), "w%d", i);
        arrive(&t, "t/tother", id, i ? "more" : "first");
    }
    CHECK_INT(intake_open(t.in), INTAKE_WAITING_MAX);
    t.r->other->retired = false; /* before anybody has looked for it again */
    arrive(&t, "t/tother", "last", "last");
    UNTIL(t.r, intake_open(t.in) == 0 && rig_seen(t.r, "last") == 1);
    CHECK(place_of(t.r, "first") < place_of(t.r, "more") && place_of(t.r, "more") < place_of(t.r, "last"));
    taking_free(&t);
}

static void turn_came(void *arg, bool ok)
{
    *(int *)arg = ok ? 1 : -1;
}

TEST(intake_says_that_no_turn_comes_when_the_broker_takes_no_marker)
{
    struct taking t = taking_new();
    int came = 0, late = 0;
    intake_behind(t.in, t.r->net, turn_came, &came);
    UNTIL(t.r, came != 0);
    CHECK_INT(came, -1);
    t.r->hub.draining = true;
    intake_behind(t.in, t.r->net, turn_came, &late);
    CHECK_INT(late, -1);
    t.r->hub.draining = false;
    taking_free(&t);
}

/* Of the worker before, who died while somebody waited. */
TEST(intake_takes_a_marker_that_nobody_waits_for_away)
{
    struct taking t = taking_new();
    arrive(&t, "t/tnet", "1", "before");
    intake_arrived(t.in, ++t.tag, SL("behind 0011223344556677 1"));
    arrive(&t, "t/tnet", "2", "after");
    UNTIL(t.r, intake_open(t.in) == 0 && rig_seen(t.r, "after") == 1);
    CHECK_INT(rig_seen(t.r, "before"), 1);
    intake_arrived(t.in, ++t.tag, SL("behind 0011223344556677 2"));
    intake_lost(t.in);
    CHECK_INT(intake_open(t.in), 0);
    taking_free(&t);
}
