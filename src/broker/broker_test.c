/* Against a real RabbitMQ: what is confirmed arrives, once, in order, at one process; whatever the broker or the connection does meanwhile. */
#include "broker/dead.h"
#include "net/loop.h"
#include "tests/harness/rabbit.h"
#include "tests/harness/test.h"

enum { SHARDS = 4, WAIT_MS = 240000, TURN_MS = 10, NUMBERS_MAX = 4000 };

struct peer { /* a process that consumes */
    struct rig *r;
    struct broker *b;
    bool keeps;       /* does not acknowledge */
    bool holds[SHARDS];
    unsigned gained, lost, arrived, again;
    int64_t last[SHARDS]; /* the newest number of each */
    bool unordered;
    bool has[NUMBERS_MAX];
    uint64_t tags[NUMBERS_MAX];
};
struct rig {
    struct loop *l;
    struct loop_timer t;
    bool (*until)(struct rig *r);
    int64_t end_ms;
    struct peer a, b;
    unsigned confirmed, failed;
    char last_code[40];
    bool is_confirmed[NUMBERS_MAX];
    char name[40];
    bool classic, together;
};
struct published {
    struct rig *r;
    unsigned number;
};

static void turn(void *arg)
{
    struct rig *r = arg;
    if (r->until(r) || time_mono_ms() > r->end_ms)
        loop_stop(r->l);
    else
        loop_timer_start(r->l, &r->t, TURN_MS, turn, r);
}

static bool wait_for(struct rig *r, bool (*until)(struct rig *r))
{
    r->until = until;
    r->end_ms = time_mono_ms() + WAIT_MS;
    loop_timer_start(r->l, &r->t, 0, turn, r);
    loop_run(r->l);
    bool ok = until(r);
    if (!ok && r->a.b)
        fprintf(stderr, "# %s; publishing %d, consuming %d, holds %u; arrived %u, confirmed %u, failed %u\n", broker_state(r->a.b).why, broker_state(r->a.b).publishing,
                broker_state(r->a.b).consuming, broker_state(r->a.b).shards, r->a.arrived, r->confirmed, r->failed);
    return ok;
}

static void gained(void *ctx, unsigned shard)
{
    struct peer *p = ctx;
    CHECK(!p->holds[shard]);
    p->holds[shard] = true;
    p->gained++;
    p->last[shard] = -1;
}

static void lost(void *ctx, unsigned shard)
{
    struct peer *p = ctx;
    CHECK(p->holds[shard]);
    p->holds[shard] = false;
    p->lost++;
}

static void arrived(void *ctx, unsigned shard, uint64_t tag, slice body, bool again)
{
    struct peer *p = ctx;
    int64_t number;
    CHECK(p->holds[shard] && slice_int(body, &number) && number >= 0 && number < NUMBERS_MAX && number % SHARDS == shard);
    p->unordered |= number <= p->last[shard];
    p->last[shard] = number;
    p->arrived++;
    p->again += again;
    p->has[number] = true;
    p->tags[number] = tag;
    if (!p->keeps)
        broker_ack(p->b, tag);
}

static struct broker *open_at(struct rig *r, const char *url, const char *ca)
{
    struct fault f = { 0 };
    struct broker *b = broker_open(r->l, &(struct broker_setup){ .url = slice_of(url), .name = slice_of(r->name), .shards = SHARDS, .ca_file = ca,
                                                           .classic = r->classic, .together = r->together }, &f);
    if (!b)
        test_fail(__FILE__, __LINE__, "%s", f.text);
    return b;
}

static void begin(struct rig *r, struct peer *p, const char *url, const char *ca)
{
    p->r = r;
    p->b = open_at(r, url, ca);
    broker_consume(p->b, &(struct broker_consumer){ gained, lost, arrived, p });
}

static void rig_of(struct rig *r, bool classic)
{
    static unsigned rigs; /* queues of its own */
    *r = (struct rig){ .l = loop_new(), .classic = classic };
    snprintf(r->name, sizeof(r->name), "test%u", ++rigs);
    begin(r, &r->a, rabbit_url(), NULL);
}

static void rig_new(struct rig *r)
{
    rig_of(r, false);
}

static void rig_free(struct rig *r)
{
    broker_close(r->a.b);
    broker_close(r->b.b);
    loop_timer_done(&r->t);
    loop_free(r->l);
}

static void confirmed(void *arg, const struct fault *f)
{
    struct published *p = arg;
    p->r->confirmed += !f;
    p->r->failed += f != NULL;
    if (f)
        snprintf(p->r->last_code, sizeof(p->r->last_code), "%s", f->code);
    else
        p->r->is_confirmed[p->number] = true;
    free(p);
}

static void publish(struct rig *r, struct broker *b, unsigned number)
{
    char body[16];
    struct published *p = must_calloc(1, sizeof(*p));
    *p = (struct published){ r, number };
    snprintf(body, sizeof(body), "%u", number);
    broker_publish(b, number % SHARDS, slice_of(body), confirmed, p);
}

static bool ready(struct rig *r)
{
    return broker_state(r->a.b).publishing && r->a.gained - r->a.lost == SHARDS;
}

static unsigned count(const bool *all)
{
    unsigned n = 0;
    for (unsigned i = 0; i < NUMBERS_MAX; i++)
        n += all[i];
    return n;
}

/* ---- what is promised -------------------------------------------------------------------------------------------------- */

static bool has_1000(struct rig *r)
{
    return r->confirmed == 1000 && r->a.arrived == 1000;
}

TEST(confirmed_messages_arrive_once_and_in_order)
{
    struct rig r;
    rig_new(&r);
    CHECK(wait_for(&r, ready));
    for (unsigned i = 0; i < 1000; i++)
        publish(&r, r.a.b, i);
    CHECK(wait_for(&r, has_1000));
    CHECK(!r.a.unordered && count(r.a.has) == 1000 && !r.failed && !r.a.again);
    CHECK_INT(broker_state(r.a.b).waiting, 0);
    CHECK_INT(broker_state(r.a.b).shards, SHARDS);
    rig_free(&r);
}

static bool a_has_40(struct rig *r)
{
    return r->a.arrived == 40;
}
static bool b_stands_by(struct rig *r)
{
    return broker_state(r->b.b).consuming;
}
static bool b_has_40(struct rig *r)
{
    return r->b.gained == SHARDS && r->b.arrived == 40;
}
static bool b_has_80(struct rig *r)
{
    return r->b.arrived == 80;
}

TEST(what_one_process_did_not_acknowledge_goes_to_the_next_in_order)
{
    struct rig r;
    rig_new(&r);
    r.a.keeps = true;
    CHECK(wait_for(&r, ready));
    for (unsigned i = 0; i < 40; i++)
        publish(&r, r.a.b, i);
    CHECK(wait_for(&r, a_has_40));
    begin(&r, &r.b, rabbit_url(), NULL);
    CHECK(wait_for(&r, b_stands_by));
    CHECK_INT(r.b.gained, 0); /* the other one is there */
    broker_leave(r.a.b);
    CHECK_INT(r.a.lost, SHARDS);
    CHECK(wait_for(&r, b_has_40));
    CHECK(r.b.again == 40 && !r.b.unordered);
    for (unsigned i = 40; i < 80; i++)
        publish(&r, r.a.b, i); /* who has left still publishes */
    CHECK(wait_for(&r, b_has_80));
    CHECK(!r.b.unordered && r.a.arrived == 40);
    rig_free(&r);
}

static bool a_has_8(struct rig *r)
{
    return r->a.arrived == 8;
}

TEST(an_empty_shard_is_gained_too_when_its_owner_goes)
{
    struct rig r;
    rig_new(&r);
    CHECK(wait_for(&r, ready));
    begin(&r, &r.b, rabbit_url(), NULL);
    CHECK(wait_for(&r, b_stands_by));
    for (unsigned i = 0; i < 8; i++)
        publish(&r, r.a.b, i);
    CHECK(wait_for(&r, a_has_8)); /* acknowledged: nothing but batons is left */
    broker_leave(r.a.b);
    for (r.end_ms = 0; r.b.gained < SHARDS;)
        CHECK(wait_for(&r, b_stands_by) && time_mono_ms() < r.end_ms);
    CHECK_INT(r.b.arrived, 0);
    rig_free(&r);
}

TEST(shards_that_are_had_together_have_one_owner)
{
    struct rig r;
    rig_new(&r);
    broker_close(r.a.b);
    r.a = (struct peer){ .keeps = true };
    r.together = true;
    begin(&r, &r.a, rabbit_url(), NULL);
    CHECK(wait_for(&r, ready)); /* the first to come has them */
    begin(&r, &r.b, rabbit_url(), NULL);
    CHECK(wait_for(&r, b_stands_by));
    for (unsigned i = 0; i < 40; i++)
        publish(&r, r.a.b, i);
    CHECK(wait_for(&r, a_has_40));
    CHECK_INT(r.a.gained, SHARDS);
    CHECK(!r.a.unordered && r.b.gained == 0);
    broker_leave(r.a.b);
    CHECK_INT(r.a.lost, SHARDS);
    CHECK(wait_for(&r, b_has_40));
    CHECK(r.b.again == 40 && !r.b.unordered);
    rig_free(&r);
}

static bool some_confirmed(struct rig *r)
{
    return r->confirmed >= 200;
}
static bool all_told(struct rig *r)
{
    return r->confirmed + r->failed == NUMBERS_MAX / 2;
}
static bool confirmed_are_there(struct rig *r)
{
    for (unsigned i = 0; i < NUMBERS_MAX; i++)
        if (r->is_confirmed[i] && !r->a.has[i])
            return false;
    return true;
}
static bool down(struct rig *r)
{
    return !broker_state(r->a.b).publishing && !broker_state(r->a.b).consuming;
}

static void kill_broker(bool classic, unsigned rest_s)
{
    struct rig r;
    rig_of(&r, classic);
    CHECK(wait_for(&r, ready));
    struct timespec rest = { .tv_sec = rest_s };
    (void)nanosleep(&rest, NULL);
    for (unsigned i = 0; i < NUMBERS_MAX / 2; i++)
        publish(&r, r.a.b, i);
    CHECK(wait_for(&r, some_confirmed));
    rabbit_kill();
    CHECK(wait_for(&r, all_told) && wait_for(&r, down));
    CHECK_INT(r.a.lost, r.a.gained);
    unsigned failed = r.failed;
    publish(&r, r.a.b, NUMBERS_MAX - 1); /* fails at once: nothing is gathered */
    CHECK(r.failed == failed + 1 && strcmp(r.last_code, "broker_lost") == 0);
    (void)rabbit_url();
    CHECK(wait_for(&r, ready));
    CHECK(wait_for(&r, confirmed_are_there));
    publish(&r, r.a.b, NUMBERS_MAX - 4);
    unsigned before = r.confirmed;
    while (r.confirmed == before)
        CHECK(wait_for(&r, ready));
    CHECK(broker_state(r.a.b).reconnects >= 2);
    rig_free(&r);
}

TEST(a_killed_broker_loses_nothing_that_it_confirmed)
{
    kill_broker(true, 0);
}

TEST(a_killed_broker_with_quorum_queues_loses_nothing_that_it_confirmed)
{
    kill_broker(false, 10); /* broker.h, Queues: what it needs to choose a leader again is on disk by then */
}

static bool again_ready(struct rig *r)
{
    return r->a.lost >= SHARDS && ready(r);
}
static bool has_20_again(struct rig *r)
{
    return r->a.again == 20;
}
static bool has_20(struct rig *r)
{
    return count(r->a.has) == 20;
}

TEST(a_cut_connection_comes_back_and_what_was_not_acknowledged_comes_again)
{
    struct rig r;
    rig_new(&r);
    r.a.keeps = true;
    CHECK(wait_for(&r, ready));
    for (unsigned i = 0; i < 20; i++)
        publish(&r, r.a.b, i);
    CHECK(wait_for(&r, has_20));
    uint64_t stale = r.a.tags[3];
    rabbit_ctl("close_all_connections cut");
    CHECK(wait_for(&r, again_ready));
    CHECK(wait_for(&r, has_20_again));
    CHECK_INT(count(r.a.has), 20);
    broker_ack(r.a.b, stale); /* of a connection that is gone */
    for (unsigned i = 0; i < 20; i++)
        broker_ack(r.a.b, r.a.tags[i]);
    CHECK(wait_for(&r, ready));
    rig_free(&r);
}

static bool blocked(struct rig *r)
{
    return broker_state(r->a.b).blocked;
}
static bool free_again(struct rig *r)
{
    return !broker_state(r->a.b).blocked;
}
static bool tried(struct rig *r)
{
    return r->confirmed + r->failed == 1;
}

TEST(an_alarm_of_the_broker_is_told_to_those_who_publish)
{
    struct rig r;
    rig_new(&r);
    CHECK(wait_for(&r, ready));
    rabbit_ctl("set_vm_memory_high_watermark 0");
    publish(&r, r.a.b, 0); /* the broker tells its alarm to a connection that publishes */
    CHECK(wait_for(&r, blocked));
    CHECK(strlen(broker_state(r.a.b).why) > 0);
    CHECK(wait_for(&r, tried)); /* kept, or given up when its time was over */
    unsigned failed = r.failed;
    publish(&r, r.a.b, 1);
    CHECK(r.failed == failed + 1 && strcmp(r.last_code, "broker_blocked") == 0);
    rabbit_ctl("set_vm_memory_high_watermark 0.6");
    CHECK(wait_for(&r, free_again));
    unsigned before = r.confirmed;
    publish(&r, r.a.b, 2);
    while (r.confirmed == before)
        CHECK(wait_for(&r, ready));
    rig_free(&r);
}

TEST(a_shard_that_is_gone_refuses_and_is_made_anew)
{
    struct rig r;
    char args[80];
    rig_new(&r);
    CHECK(wait_for(&r, ready));
    snprintf(args, sizeof(args), "delete_queue %s.shard.2", r.name);
    rabbit_ctl(args);
    CHECK(wait_for(&r, again_ready)); /* the broker took a consumer away: all shards were lost, the topology was declared again */
    publish(&r, r.a.b, 2);
    while (!r.confirmed)
        CHECK(wait_for(&r, ready) && !r.failed);
    rig_free(&r);
}

TEST(a_message_that_no_queue_takes_is_refused)
{
    struct rig r = { .l = loop_new(), .name = "bare" };
    char args[80];
    r.a.b = open_at(&r, rabbit_url(), NULL); /* publishes only: it does not hear that a queue is gone */
    for (r.end_ms = 0; !broker_state(r.a.b).publishing;)
        CHECK(wait_for(&r, free_again) && (loop_timer_start(r.l, &r.t, TURN_MS, turn, &r), true));
    snprintf(args, sizeof(args), "delete_queue %s.shard.1", r.name);
    rabbit_ctl(args);
    publish(&r, r.a.b, 1);
    CHECK(wait_for(&r, tried));
    CHECK(r.failed == 1 && strcmp(r.last_code, "broker_refused") == 0);
    rig_free(&r);
}

static bool a_has_1(struct rig *r)
{
    return r->a.arrived == 1 && r->confirmed == 1;
}

/* ---- what can never be used -------------------------------------------------------------------------------------------- */

static void bury(struct rig *r, unsigned number, const char *why)
{
    char body[16];
    struct published *p = must_calloc(1, sizeof(*p));
    *p = (struct published){ r, number };
    snprintf(body, sizeof(body), "%u", number);
    broker_bury(r->a.b, number % SHARDS, slice_of(body), slice_of(why), confirmed, p);
}

static bool three_told(struct rig *r)
{
    return r->confirmed + r->failed == 3;
}
static bool a_has_one(struct rig *r)
{
    return r->a.arrived == 1;
}

TEST(what_is_buried_stays_until_it_is_decided)
{
    static const char *const whys[] = { "unknown_account: no account of this name", "é", "" };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct broker_letter l;
    struct fault f = { 0 };
    struct rig r;
    rig_new(&r);
    CHECK(wait_for(&r, ready));
    for (unsigned i = 0; i < 3; i++)
        bury(&r, i + 4, whys[i]);
    CHECK(wait_for(&r, three_told) && r.confirmed == 3);
    const struct broker_setup setup = { .url = slice_of(rabbit_url()), .name = slice_of(r.name), .shards = SHARDS };
    for (int round = 0; round < 2; round++) { /* looking changes nothing */
        struct broker_dead *d = broker_dead_open(&setup, &f);
        CHECK(d);
        for (unsigned i = 0; i < 3; i++) {
            int64_t number;
            CHECK_ROW(i, broker_dead_next(d, a, &l, &f) && slice_int(l.body, &number) && number == i + 4 && l.shard == i % SHARDS);
            CHECK_SLICE(l.why, slice_of(whys[i]));
            CHECK_ROW(i, time_now_ms() - l.at_ms < WAIT_MS + 1000 && l.at_ms <= time_now_ms());
        }
        CHECK(!broker_dead_next(d, a, &l, &f) && !f.code);
        broker_dead_close(d);
    }
    CHECK_INT(r.a.arrived, 0); /* nobody consumes them */
    struct broker_dead *d = broker_dead_open(&setup, &f);
    CHECK(d && broker_dead_next(d, a, &l, &f) && broker_dead_again(d, &l, &f));
    CHECK(broker_dead_next(d, a, &l, &f) && broker_dead_drop(d, &l, &f));
    CHECK(broker_dead_next(d, a, &l, &f));
    l.shard = SHARDS; /* a queue that is not there */
    CHECK(!broker_dead_again(d, &l, &f) && strcmp(f.code, "broker_refused") == 0);
    broker_dead_close(d);
    CHECK(wait_for(&r, a_has_one) && r.a.has[4]);
    f = (struct fault){ 0 };
    d = broker_dead_open(&setup, &f);
    CHECK(d && broker_dead_next(d, a, &l, &f) && slice_eq(l.body, SL("6")));
    CHECK(!broker_dead_next(d, a, &l, &f) && !f.code);
    broker_dead_close(d);
    rig_free(&r);
}

/* RabbitMQ 4 would throw away what was handed out twenty times. */
TEST(queues_have_no_limit_of_deliveries)
{
    struct rig r;
    char args[400];
    rig_new(&r);
    CHECK(wait_for(&r, ready));
    for (unsigned i = 0; i <= SHARDS; i++) {
        char queue[60];
        snprintf(queue, sizeof(queue), i < SHARDS ? "%s.shard.%u" : "%s.dead", r.name, i);
        snprintf(args, sizeof(args), "eval '{ok,Q}=rabbit_amqqueue:lookup({resource,<<47>>,queue,<<\"%s\">>}),{_,_,L}=lists:keyfind(<<\"x-delivery-limit\">>,1,amqqueue:get_arguments(Q)),true=L>1000000000.'", queue);
        rabbit_ctl(args);
    }
    rig_free(&r);
}

TEST(tls_is_spoken_with_a_broker_whose_certificate_is_trusted)
{
    struct rig r = { .l = loop_new(), .name = "tls" };
    const char *url = rabbit_tls_url();
    begin(&r, &r.a, url, rabbit_ca_file());
    CHECK(wait_for(&r, ready));
    publish(&r, r.a.b, 7);
    CHECK(wait_for(&r, a_has_1));
    rig_free(&r);
}

static bool knows_why(struct rig *r)
{
    return *broker_state(r->a.b).why != 0;
}

TEST(what_cannot_be_reached_is_said_without_secrets)
{
    char refused[80];
    const char *url = rabbit_url(), *port = strrchr(url, ':') + 1;
    snprintf(refused, sizeof(refused), "amqp://guest:hush-hush@127.0.0.1:%s", port);
    const struct {
        const char *url, *ca, *says;
    } rows[] = {
        { "amqp://guest:hush-hush@127.0.0.1:1/", NULL, "127.0.0.1:1" },
        { refused, NULL, "log-in" },
        { rabbit_tls_url(), NULL, "" }, /* nobody trusts its certificate */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct rig r = { .l = loop_new(), .name = "none" };
        r.a.b = open_at(&r, rows[i].url, rows[i].ca);
        CHECK_ROW(i, wait_for(&r, knows_why));
        CHECK_ROW(i, slice_find(slice_of(broker_state(r.a.b).why), slice_of(rows[i].says)) != SIZE_MAX);
        CHECK_ROW(i, slice_find(slice_of(broker_state(r.a.b).why), SL("hush")) == SIZE_MAX);
        publish(&r, r.a.b, 1);
        CHECK_ROW(i, r.failed == 1 && strcmp(r.last_code, "broker_lost") == 0);
        rig_free(&r);
    }
}

TEST(a_wrong_setup_is_refused)
{
    struct loop *l = loop_new();
    const struct {
        struct broker_setup s;
        const char *field;
    } rows[] = {
        { { .url = SL("http://mq"), .shards = 4 }, "url" },
        { { .shards = 4 }, "url" },
        { { .url = SL("amqp://mq"), .shards = 0 }, "shards" },
        { { .url = SL("amqp://mq"), .shards = BROKER_SHARDS_MAX + 1 }, "shards" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fault f = { 0 };
        CHECK_ROW(i, !broker_open(l, &rows[i].s, &f));
        CHECK_ROW(i, strcmp(f.field, rows[i].field) == 0);
    }
    loop_free(l);
}
