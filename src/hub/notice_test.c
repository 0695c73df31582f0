/* notice_test.c - what is told when: with a whole hub and a notifier of the test's own, whose messages arrive at the rig's vendor as "kind act key count reason". */
#include "hub/notice.h"
#include "hub/config.h"
#include "hub/rig_test.h"
#include "hub/state.h"
#include "hub/work.h"

/* ---- the notifier -------------------------------------------------------------------------------------------------------- */

enum { N_URL, N_SETTINGS };
static const struct setting n_settings[N_SETTINGS] = { [N_URL] = { .name = "url", .type = SETTING_URL, .required = true, .secret = true, .help = "where" } };
static const char *const acts[] = { [NOTICE_CHANGE] = "change", [NOTICE_TRIGGER] = "trigger", [NOTICE_RESOLVE] = "resolve" };

static bool n_build(struct notice_call *c, const struct notice *n, struct http_call *ret)
{
    ret->method = "POST";
    ret->url = c->settings[N_URL];
    ret->type = SL("text/plain");
    ret->body = arena_printf(c->a, SLF " %s " SLF " %u" "%s" SLF, SLA(n->kind), acts[n->act], SLA(n->key), n->count, n->reason.n ? " " : "", SLA(n->reason));
    return !slice_eq(n->reason, SL("unspeakable"));
}

static void n_judge(struct notice_call *c, const struct answer *r, struct notice_verdict *ret)
{
    notice_usual(c, r, ret);
    ret->gone = r->status == 410;
    if (r->status == 503)
        ret->wait_ms = 1;
}

static const struct notifier tnotify = { .name = "tnotify", .title = "Test", .settings = n_settings, .n_settings = N_SETTINGS, .build = n_build, .judge = n_judge };
static const struct notifier tduty = { .name = "tduty", .title = "Test that remembers", .settings = n_settings, .n_settings = N_SETTINGS, .resolves = true, .build = n_build,
                                       .judge = n_judge };

const struct notifier *notifier_find(slice name)
{
    return slice_eq(name, SL("tnotify")) ? &tnotify : slice_eq(name, SL("tduty")) ? &tduty : NULL;
}

/* ---- the rig -------------------------------------------------------------------------------------------------------------- */

static struct notice_target target(struct rig *r, const char *name, const struct notifier *type, bool normal, bool subscriptions)
{
    slice *values = ARENA_ARRAY(r->a, slice, N_SETTINGS);
    values[N_URL] = arena_printf(r->a, "http://127.0.0.1:%u/vendor/told/%s", server_port(r->vendor), name);
    return (struct notice_target){ slice_of(name), type, values, { [NOTICE_DEFAULT] = normal, [NOTICE_SUBSCRIPTIONS] = subscriptions } };
}

/* How many calls to this destination began with `head`. */
static size_t told(struct rig *r, const char *name, const char *head)
{
    size_t n = 0;
    slice path = arena_printf(r->a, "/vendor/told/%s", name);
    for (size_t i = 0; i < r->n_seen; i++)
        n += slice_eq(r->seen[i].path, path) && slice_starts(r->seen[i].body, slice_of(head));
    return n;
}

static struct rig *told_rig(void)
{
    struct rig *r = rig_new();
    struct notice_target ops = target(r, "ops", &tnotify, true, true);
    notices_configure(r->hub.notices, &ops, 1);
    return r;
}

static double counted(struct rig *r, const char *result)
{
    const slice labels[] = { SL("tnotify"), slice_of(result) };
    return metrics_value(r->hub.metrics, METRIC_NOTICES, labels, 2);
}

struct standing {
    const char *name, *state;
    size_t queued;
    uint64_t sent, refused, dropped;
    char tail[5];
};
static void find_standing(void *arg, const struct notice_standing *s)
{
    struct standing *st = arg;
    if (slice_eq(s->name, slice_of(st->name))) {
        *st = (struct standing){ st->name, s->state, s->queued, s->sent, s->refused, s->dropped, "" };
        memcpy(st->tail, s->tail, sizeof(st->tail));
    }
}
static struct standing standing(struct rig *r, const char *name)
{
    struct standing st = { .name = name };
    notices_each(r->hub.notices, find_standing, &st);
    return st;
}

/* ---- what is told ------------------------------------------------------------------------------------------------------------ */

TEST(notice_of_a_problem_is_told_once_and_so_is_its_end)
{
    struct rig *r = told_rig();
    for (int i = 0; i < 5; i++)
        hub_notice(&r->hub, NOTICE_ACCOUNT_FAILS, r->net, SL("401\ninvalid_client"));
    UNTIL(r, told(r, "ops", "subscription.error trigger dragoman/test/subscription/t/tnet 1 401 invalid_client") == 1);
    hub_notice(&r->hub, NOTICE_ACCOUNT_WORKS, r->other, SLICE_NONE); /* another account's */
    rig_turn(r, 50);
    CHECK_INT(told(r, "ops", ""), 1);
    hub_notice(&r->hub, NOTICE_ACCOUNT_WORKS, r->net, SLICE_NONE);
    hub_notice(&r->hub, NOTICE_ACCOUNT_WORKS, r->net, SLICE_NONE);
    UNTIL(r, told(r, "ops", "subscription.recovered resolve dragoman/test/subscription/t/tnet") == 1);
    hub_notice(&r->hub, NOTICE_ACCOUNT_FAILS, r->net, SL("again")); /* a new one is news */
    UNTIL(r, told(r, "ops", "subscription.error trigger") == 2);
    rig_turn(r, 50);
    CHECK_INT(told(r, "ops", ""), 3);
    rig_free(r);
}

TEST(notice_that_goes_on_is_told_again_with_a_count)
{
    enum { REPEATS = 200 };
    struct rig *r = told_rig();
    r->hub.limits.notice_haste = 1000; /* 5 minutes are 300 ms */
    for (int i = 0; i < REPEATS; i++)
        hub_notice(&r->hub, NOTICE_DEAD_LETTER, r->desk, SL("status 400"));
    UNTIL(r, told(r, "ops", "messages.dead trigger dragoman/test/dead/t/tdesk 199 status 400") == 1);
    rig_turn(r, 500);
    CHECK_INT(told(r, "ops", ""), 2); /* nothing new: nothing more */
    hub_notice(&r->hub, NOTICE_DEAD_LETTER, r->desk, SL("status 401"));
    UNTIL(r, told(r, "ops", "messages.dead trigger dragoman/test/dead/t/tdesk 1 status 400") == 2);
    hub_notice(&r->hub, NOTICE_DEAD_LETTER, r->net, SL("blocked"));
    hub_notice(&r->hub, NOTICE_DEAD_LOOKED_AT, NULL, SLICE_NONE); /* both */
    UNTIL(r, told(r, "ops", "messages.looked_at resolve") == 2);
    rig_free(r);
}

TEST(notice_of_what_may_pass_waits_a_while)
{
    struct rig *r = told_rig();
    r->hub.limits.notice_haste = 400; /* 2 minutes are 300 ms */
    hub_notice(&r->hub, NOTICE_CHANNEL_PAUSED, r->net, SL("calls fail"));
    rig_turn(r, 100);
    CHECK_INT(told(r, "ops", ""), 0);
    hub_notice(&r->hub, NOTICE_CHANNEL_WORKS, r->net, SLICE_NONE); /* it passed: nobody hears of it */
    rig_turn(r, 400);
    CHECK_INT(told(r, "ops", ""), 0);
    hub_notice(&r->hub, NOTICE_CHANNEL_PAUSED, r->net, SL("calls fail"));
    UNTIL(r, told(r, "ops", "channel.paused trigger dragoman/test/channel/t/tnet 0 calls fail") == 1);
    hub_notice(&r->hub, NOTICE_CHANNEL_REFUSED, r->net, SL("401")); /* worse: told at once, under the same key */
    UNTIL(r, told(r, "ops", "channel.refused trigger dragoman/test/channel/t/tnet 1 401") == 1);
    hub_notice(&r->hub, NOTICE_CHANNEL_PAUSED, r->net, SL("calls fail")); /* not worse: counted */
    rig_turn(r, 400);
    CHECK_INT(told(r, "ops", "channel.paused"), 1);
    hub_notice(&r->hub, NOTICE_CHANNEL_WORKS, r->net, SLICE_NONE);
    UNTIL(r, told(r, "ops", "channel.resumed resolve") == 1);
    rig_free(r);
}

TEST(notice_topics_decide_who_is_told)
{
    struct rig *r = rig_new();
    struct notice_target both[] = { target(r, "ops", &tnotify, true, false), target(r, "subs", &tnotify, false, true) };
    notices_configure(r->hub.notices, both, 2);
    hub_notice(&r->hub, NOTICE_ACCOUNT_FAILS, r->net, SL("x"));
    hub_notice_part(&r->hub, NOTICE_STORAGE_FAILS, SL("local"), SL("disk full"));
    UNTIL(r, told(r, "subs", "subscription.error") == 1);
    UNTIL(r, told(r, "ops", "storage.error trigger dragoman/test/storage/dg-test/local 1 local: disk full") == 1);
    CHECK(!told(r, "subs", "storage") && !told(r, "ops", "subscription"));
    notices_configure(r->hub.notices, both, 1); /* nobody has that topic now */
    hub_notice(&r->hub, NOTICE_ACCOUNT_WORKS, r->net, SLICE_NONE);
    UNTIL(r, told(r, "ops", "subscription.recovered") == 1);
    hub_notice_part(&r->hub, NOTICE_STORAGE_WORKS, SL("local"), SLICE_NONE);
    UNTIL(r, told(r, "ops", "storage.recovered resolve") == 1);
    CHECK_INT(told(r, "subs", ""), 1);
    rig_free(r);
}

static int all_fail(struct rig *r, const struct seen *s)
{
    (void)r;
    return slice_eq(s->path, SL("/vendor/tdesk")) ? 400 : 200;
}

TEST(notices_come_from_the_road)
{
    struct rig *r = told_rig();
    r->answer = all_fail;
    rig_text(r, "1", "U1", "bad");
    UNTIL(r, told(r, "ops", "messages.dead trigger dragoman/test/dead/t/tdesk 1 send: status 400") == 1);
    UNTIL(r, rig_count(r, J_DEAD) == 1);
    for (size_t i = 0; i < r->n_seen; i++)
        CHECK_ROW(i, !slice_starts(r->seen[i].path, SL("/vendor/told")) || slice_find(r->seen[i].body, SL("bad")) == SIZE_MAX);
    rig_free(r);
}

static int desk_down(struct rig *r, const struct seen *s)
{
    (void)r;
    return slice_eq(s->path, SL("/vendor/tdesk")) ? ANSWER_RESET : 200;
}

TEST(notice_of_a_desk_that_is_down_comes_when_it_lasts_and_ends_with_the_next_message)
{
    struct rig *r = told_rig();
    r->hub.limits.notice_haste = 1000; /* 2 minutes are 120 ms */
    r->answer = desk_down;
    for (int i = 0; i < 6; i++)
        rig_text(r, arena_printf(r->a, "%d", i).p, arena_printf(r->a, "U%d", i).p, arena_printf(r->a, "m%d", i).p);
    UNTIL(r, told(r, "ops", "channel.paused trigger dragoman/test/channel/t/tdesk 0 calls to it fail") == 1);
    r->answer = NULL;
    UNTIL(r, told(r, "ops", "channel.resumed resolve dragoman/test/channel/t/tdesk") == 1);
    UNTIL(r, rig_count(r, J_DELIVERED) >= 6);
    CHECK_INT(told(r, "ops", "channel.paused"), 1);
    rig_free(r);
}

TEST(notice_of_a_token_says_whether_one_still_serves)
{
    struct rig *r = told_rig();
    r->token = SL("T1");
    r->token_status = 400;
    rig_say(r, "d1", "U1@tother", "hi");
    UNTIL(r, told(r, "ops", "token.refused trigger dragoman/test/token/t/tother 1 token request: status 400") == 1);
    struct fault f = { 0 };
    fault(&f, "x", "", "status 503");
    r->token_status = 0;
    hub_notice_token(r->other, SLICE_NONE, 0, OUT_DELIVERED, &f);
    UNTIL(r, told(r, "ops", "token.recovered resolve") == 1);
    hub_notice_token(r->other, SLICE_NONE, 605000, OUT_RETRY, &f);
    UNTIL(r, told(r, "ops", "token.expiring trigger dragoman/test/token/t/tother 1 it lives 10 min more and cannot be renewed: status 503") == 1);
    hub_notice_token(r->other, SL("T0"), 0, OUT_REFUSED, &f); /* one of several */
    UNTIL(r, told(r, "ops", "token.refused trigger dragoman/test/token/t/tother/T0 1 T0: status 503") == 1);
    hub_notice_gone(r->other);
    UNTIL(r, told(r, "ops", "token.recovered resolve dragoman/test/token/t/tother") == 3);
    rig_free(r);
}

TEST(notice_of_a_message_that_may_have_arrived)
{
    struct rig *r = told_rig();
    hub_notice_dead(r->desk, J_UNKNOWN, REASON_NONE, SL("no answer"));
    UNTIL(r, told(r, "ops", "messages.unknown trigger dragoman/test/dead/t/tdesk 1 no answer") == 1);
    hub_notice_dead(r->desk, J_DEAD, REASON_CREDENTIALS, SL("status 401")); /* worse */
    UNTIL(r, told(r, "ops", "messages.dead trigger dragoman/test/dead/t/tdesk 1 status 401") == 1);
    UNTIL(r, told(r, "ops", "channel.refused trigger dragoman/test/channel/t/tdesk 1 status 401") == 1);
    hub_notice_dead(r->desk, J_UNKNOWN, REASON_NONE, SL("no answer"));
    rig_turn(r, 50);
    CHECK_INT(told(r, "ops", "messages."), 2);
    struct notice_target ops = target(r, "ops", &tnotify, true, true);
    rig_stop(r);
    rig_start(r);
    notices_configure(r->hub.notices, &ops, 1);
    notices_started(r->hub.notices); /* the journal has none: somebody looked while we were away */
    UNTIL(r, told(r, "ops", "messages.looked_at resolve dragoman/test/dead/t/tdesk") == 1);
    rig_free(r);
}

TEST(notice_of_the_journal_ends_when_it_can_write_again)
{
    struct rig *r = told_rig();
    rig_text(r, "1", "U1", "first");
    rig_disk_full(true);
    CHECK_INT(rig_hook(r, "/tnet", "{\"events\":[{\"id\":\"2\",\"guest\":\"U1\",\"text\":\"lost\"}]}"), 503);
    rig_disk_full(false);
    UNTIL(r, told(r, "ops", "journal.error trigger dragoman/test/journal/dg-test") == 1);
    CHECK_INT(told(r, "ops", "journal.recovered"), 0);
    rig_text(r, "3", "U1", "next");
    UNTIL(r, told(r, "ops", "journal.recovered resolve dragoman/test/journal/dg-test") == 1);
    rig_free(r);
}

TEST(notice_given_before_a_stop_is_over_after_it)
{
    struct rig *r = told_rig();
    struct notice_target ops[] = { target(r, "ops", &tnotify, true, true), target(r, "duty", &tduty, true, true) };
    hub_notice(&r->hub, NOTICE_ACCOUNT_FAILS, r->net, SL("401"));
    hub_notice(&r->hub, NOTICE_ACCOUNT_FAILS, r->desk, SL("401"));
    UNTIL(r, told(r, "ops", "subscription.error") == 2);
    rig_stop(r);
    rig_start(r);
    notices_configure(r->hub.notices, ops, 2);
    notices_started(r->hub.notices);
    UNTIL(r, told(r, "ops", "service.started change dragoman/test/service/dg-test") == 1);
    UNTIL(r, told(r, "duty", "journal.recovered resolve") == 1);
    CHECK_INT(told(r, "ops", "journal.recovered"), 0); /* only who remembers */
    hub_notice(&r->hub, NOTICE_ACCOUNT_WORKS, r->net, SLICE_NONE);
    UNTIL(r, told(r, "ops", "subscription.recovered resolve dragoman/test/subscription/t/tnet") == 1);
    hub_notice(&r->hub, NOTICE_ACCOUNT_FAILS, r->desk, SL("402")); /* goes on: it was told, and is counted */
    rig_turn(r, 100);
    CHECK_INT(told(r, "ops", "subscription.error"), 2);
    rig_stop(r);
    rig_start(r);
    notices_configure(r->hub.notices, ops, 2);
    hub_notice(&r->hub, NOTICE_ACCOUNT_WORKS, r->net, SLICE_NONE); /* forgotten */
    hub_notice(&r->hub, NOTICE_ACCOUNT_WORKS, r->desk, SLICE_NONE);
    UNTIL(r, told(r, "ops", "subscription.recovered") == 2);
    rig_turn(r, 50);
    CHECK_INT(told(r, "ops", "subscription.recovered"), 2);
    rig_free(r);
}

TEST(notice_of_an_account_that_left_is_over_at_the_next_start)
{
    struct rig *r = told_rig();
    struct notice_target ops = target(r, "ops", &tnotify, true, true);
    struct jbatch *b = jbatch_new(r->hub.journal);
    state_put(r->hub.state, b, SL("n:dragoman/test/subscription/t/left"), SL("{\"kind\":\"subscription.error\",\"account\":\"t/left\",\"since\":\"2026-01-01T00:00:00Z\"}"));
    state_put(r->hub.state, b, SL("n:dragoman/test/token/t/tnet"), SL("{\"kind\":\"token.refused\",\"account\":\"t/tnet\"}"));
    state_put(r->hub.state, b, SL("n:broken"), SL("{\"kind\":\"of another time\"}"));
    state_put(r->hub.state, b, SL("s:starts"), SL("{\"at\":[\"yesterday\",7]}"));
    jbatch_commit(b, JOURNAL_DURABLE, NULL, NULL);
    rig_stop(r);
    rig_start(r);
    notices_configure(r->hub.notices, &ops, 1);
    notices_started(r->hub.notices);
    UNTIL(r, told(r, "ops", "subscription.recovered resolve dragoman/test/subscription/t/left") == 1);
    CHECK_INT(told(r, "ops", "service.started"), 1);
    CHECK_INT(told(r, "ops", "token"), 0); /* that one is still here */
    rig_free(r);
}

TEST(notice_of_a_storage_that_left_is_over_at_the_next_start)
{
    struct rig *r = told_rig();
    hub_notice_part(&r->hub, NOTICE_STORAGE_FAILS, SL("old"), SL("the key is wrong"));
    hub_notice_part(&r->hub, NOTICE_STORAGE_FAILS, r->storage.name, SL("full"));
    UNTIL(r, told(r, "ops", "storage.error trigger") == 2);
    rig_stop(r);
    rig_start(r);
    struct notice_target ops = target(r, "ops", &tnotify, true, true);
    notices_configure(r->hub.notices, &ops, 1);
    notices_started(r->hub.notices);
    UNTIL(r, told(r, "ops", "storage.recovered resolve") == 1);
    hub_notice_part(&r->hub, NOTICE_STORAGE_WORKS, r->storage.name, SLICE_NONE); /* the other one was still a problem */
    UNTIL(r, told(r, "ops", "storage.recovered resolve") == 2);
    rig_free(r);
}

TEST(notices_of_a_crash_loop_become_one)
{
    struct rig *r = told_rig();
    for (int i = 0; i < NOTICE_STARTS_MAX + 5; i++) {
        struct notice_target ops = target(r, "ops", &tnotify, true, true);
        notices_configure(r->hub.notices, &ops, 1);
        notices_started(r->hub.notices);
        UNTIL(r, standing(r, "ops").queued == 0);
        rig_stop(r);
        rig_start(r);
    }
    CHECK_INT(told(r, "ops", "service.started"), NOTICE_STARTS_MAX);
    CHECK_INT(told(r, "ops", "service.restarting change"), 1);
    rig_free(r);
}

/* ---- the queue ------------------------------------------------------------------------------------------------------------------- */

static int hold_ops(struct rig *r, const struct seen *s)
{
    (void)r;
    return slice_eq(s->path, SL("/vendor/told/ops")) ? ANSWER_HOLD : 200;
}

TEST(notices_are_bounded_and_the_oldest_are_dropped_visibly)
{
    enum { MANY = 300 };
    struct rig *r = told_rig();
    r->answer = hold_ops;
    for (int i = 0; i < MANY; i++) {
        slice part = arena_printf(r->a, "s%d", i);
        hub_notice_part(&r->hub, NOTICE_STORAGE_FAILS, part, SL("x"));
    }
    UNTIL(r, told(r, "ops", "") == 1);
    struct standing st = standing(r, "ops");
    CHECK_INT(st.queued, NOTICE_QUEUE_MAX);
    CHECK_INT(st.dropped, MANY - NOTICE_QUEUE_MAX);
    CHECK_INT(counted(r, "dropped"), MANY - NOTICE_QUEUE_MAX);
    r->answer = NULL;
    rig_answer_held(r, "storage.error trigger dragoman/test/storage/dg-test/s0 1 s0: x", 200);
    UNTIL(r, standing(r, "ops").queued == 0);
    CHECK_INT(told(r, "ops", ""), NOTICE_QUEUE_MAX);
    CHECK_INT(told(r, "ops", "storage.error trigger dragoman/test/storage/dg-test/s0 "), 1);   /* it was under way */
    CHECK_INT(told(r, "ops", "storage.error trigger dragoman/test/storage/dg-test/s299 "), 1); /* the newest stay */
    CHECK_INT(told(r, "ops", "storage.error trigger dragoman/test/storage/dg-test/s1 "), 0);
    CHECK_INT(counted(r, "sent"), NOTICE_QUEUE_MAX);
    for (int i = 0; i < NOTICE_PROBLEMS_MAX; i++) /* and so are the problems */
        hub_notice_part(&r->hub, NOTICE_STORAGE_FAILS, arena_printf(r->a, "more%d", i), SL("x"));
    rig_free(r);
}

static int two_503(struct rig *r, const struct seen *s)
{
    return slice_eq(s->path, SL("/vendor/told/ops")) && told(r, "ops", "") <= 2 ? 503 : 200;
}

TEST(notice_is_tried_again_and_in_order)
{
    struct rig *r = told_rig();
    r->answer = two_503;
    hub_notice_part(&r->hub, NOTICE_STORAGE_FAILS, SL("a"), SL("x"));
    hub_notice_part(&r->hub, NOTICE_STORAGE_FAILS, SL("b"), SL("x"));
    UNTIL(r, standing(r, "ops").sent == 2);
    CHECK_INT(counted(r, "retried"), 2);
    CHECK_INT(told(r, "ops", "storage.error trigger dragoman/test/storage/dg-test/a "), 3);
    CHECK_SLICE(slice_sub(r->seen[r->n_seen - 1].body, 0, 60), slice_sub(SL("storage.error trigger dragoman/test/storage/dg-test/b 1 b: x"), 0, 60));
    rig_free(r);
}

static int refuse_ops(struct rig *r, const struct seen *s)
{
    (void)r;
    return slice_eq(s->path, SL("/vendor/told/ops")) ? 404 : slice_eq(s->path, SL("/vendor/told/gone")) ? 410 : 200;
}

struct tested {
    int status, n;
    bool taken;
};
static void on_tested(void *arg, const struct notice_tested *t)
{
    struct tested *got = arg;
    *got = (struct tested){ t->status, got->n + 1, !*t->why };
}

TEST(destination_that_refuses_is_left_alone_until_a_test_succeeds)
{
    struct rig *r = rig_new();
    struct notice_target both[] = { target(r, "ops", &tnotify, true, true), target(r, "gone", &tnotify, true, true) };
    struct tested got = { 0 };
    notices_configure(r->hub.notices, both, 2);
    r->answer = refuse_ops;
    for (int i = 0; i < 12; i++) {
        hub_notice_part(&r->hub, NOTICE_STORAGE_FAILS, arena_printf(r->a, "s%d", i), SL("x"));
        rig_turn(r, 20);
    }
    UNTIL(r, strcmp(standing(r, "ops").state, "disabled") == 0 && strcmp(standing(r, "gone").state, "disabled") == 0);
    CHECK_INT(told(r, "ops", ""), NOTICE_REFUSALS_MAX);
    CHECK_INT(told(r, "gone", ""), 1); /* going on does harm */
    CHECK(notices_test(r->hub.notices, SL("ops"), on_tested, &got));
    UNTIL(r, got.n == 1);
    CHECK(got.status == 404 && !got.taken);
    r->answer = NULL;
    CHECK(notices_test(r->hub.notices, SL("ops"), on_tested, &got));
    UNTIL(r, got.n == 2);
    CHECK(got.status == 200 && got.taken);
    CHECK(strcmp(standing(r, "ops").state, "ready") == 0);
    CHECK(!notices_test(r->hub.notices, SL("nobody"), on_tested, &got));
    hub_notice_part(&r->hub, NOTICE_STORAGE_FAILS, SL("new"), SL("x"));
    UNTIL(r, told(r, "ops", "storage.error trigger dragoman/test/storage/dg-test/new ") == 1);
    CHECK(standing(r, "ops").tail[0] && strlen(standing(r, "ops").tail) == 4);
    rig_free(r);
}

TEST(destinations_are_configured_anew_while_the_hub_runs)
{
    struct rig *r = told_rig();
    r->answer = hold_ops;
    hub_notice_part(&r->hub, NOTICE_STORAGE_FAILS, SL("a"), SL("x"));
    hub_notice_part(&r->hub, NOTICE_STORAGE_FAILS, SL("b"), SL("x"));
    UNTIL(r, told(r, "ops", "") == 1);
    struct notice_target more[] = { target(r, "ops", &tnotify, true, false), target(r, "new", &tnotify, true, true) };
    notices_configure(r->hub.notices, more, 2); /* ops is as before, but for its topics: it keeps what it has */
    CHECK_INT(standing(r, "ops").queued, 2);
    hub_notice_part(&r->hub, NOTICE_STORAGE_FAILS, SL("c"), SL("x"));
    UNTIL(r, told(r, "new", "storage.error trigger dragoman/test/storage/dg-test/c ") == 1);
    CHECK_INT(standing(r, "ops").queued, 3);
    struct tested got = { 0 };
    CHECK(notices_test(r->hub.notices, SL("ops"), on_tested, &got));
    UNTIL(r, told(r, "ops", "service.test") == 1);
    notices_configure(r->hub.notices, more + 1, 1); /* its calls are broken off, who waits for a test is told */
    CHECK(got.n == 1 && !got.taken && !standing(r, "ops").state);
    CHECK_INT(counted(r, "dropped"), 3);
    notices_configure(r->hub.notices, NULL, 0);
    hub_notice(&r->hub, NOTICE_ACCOUNT_FAILS, r->net, SL("nobody hears"));
    rig_turn(r, 50);
    CHECK_INT(told(r, "new", "subscription"), 0);
    rig_free(r);
}

TEST(notice_a_notifier_has_no_word_for_is_passed_over)
{
    struct rig *r = told_rig();
    hub_notice(&r->hub, NOTICE_ACCOUNT_FAILS, r->net, SL("unspeakable"));
    hub_notice(&r->hub, NOTICE_ACCOUNT_FAILS, r->other, SL("spoken"));
    UNTIL(r, told(r, "ops", "subscription.error") == 1);
    UNTIL(r, standing(r, "ops").queued == 0);
    rig_free(r);
}

TEST(last_words_overtake_what_waits_and_do_not_wait_long)
{
    struct rig *r = told_rig();
    r->answer = hold_ops;
    hub_notice_part(&r->hub, NOTICE_STORAGE_FAILS, SL("a"), SL("x"));
    UNTIL(r, told(r, "ops", "") == 1);
    r->answer = NULL;
    int64_t began_ms = time_mono_ms();
    notices_stopping(r->hub.notices, SL("SIGTERM"));
    UNTIL(r, told(r, "ops", "service.stopping change dragoman/test/service/dg-test 0 SIGTERM") == 1);
    CHECK(!notices_idle(r->hub.notices)); /* the first is still held */
    UNTIL(r, notices_idle(r->hub.notices));
    CHECK(time_mono_ms() - began_ms >= NOTICE_STOP_MS - 10 && time_mono_ms() - began_ms < 8 * NOTICE_STOP_MS);
    rig_free(r);
}

/* ---- configuration ------------------------------------------------------------------------------------------------------------- */

static char *no_env(const char *name)
{
    (void)name;
    return NULL;
}

static const struct connector *no_connector(slice name)
{
    (void)name;
    return NULL;
}

TEST(config_reads_notifiers_by_their_tables)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct config_problems p = { .a = a };
    slice text = SL("environment: prod\nnotifiers:\n  - {type: tnotify, url: \"https://a.example/1\"}\n  - {type: tnotify, topics: Subscriptions, url: \"https://a.example/2\"}\n"
                    "  - {name: duty, type: tduty, topics: [Default, Subscriptions], url: \"https://a.example/3\"}\n");
    const struct config *c = config_read(a, SL("f"), text, no_env, NULL, 0, no_connector, &p);
    CHECK(c && c->n_notifiers == 3);
    CHECK_SLICE(c->notifiers[0].name, SL("tnotify"));
    CHECK_SLICE(c->notifiers[1].name, SL("tnotify-2"));
    CHECK(c->notifiers[2].type == &tduty);
    CHECK_SLICE(c->notifiers[1].settings[N_URL], SL("https://a.example/2"));
    CHECK(c->notifiers[0].topics[NOTICE_DEFAULT] && !c->notifiers[0].topics[NOTICE_SUBSCRIPTIONS]);
    CHECK(!c->notifiers[1].topics[NOTICE_DEFAULT] && c->notifiers[1].topics[NOTICE_SUBSCRIPTIONS]);
    CHECK(c->notifiers[2].topics[NOTICE_DEFAULT] && c->notifiers[2].topics[NOTICE_SUBSCRIPTIONS]);
}

TEST(config_of_notifiers_is_refused_with_line_and_field)
{
    static const struct {
        const char *text, *path;
        int line;
    } rows[] = {
        { "notifiers: 1\n", "notifiers", 1 },
        { "notifiers:\n  - 1\n", "notifiers[0]", 2 },
        { "notifiers:\n  - {url: x}\n", "notifiers[0].type", 2 },
        { "notifiers:\n  - {type: pigeon}\n", "notifiers[0].type", 2 },
        { "notifiers:\n  - {type: tnotify}\n", "notifiers[0].url", 2 },
        { "notifiers:\n  - type: tnotify\n    url: ftp://x\n", "notifiers[0].url", 3 },
        { "notifiers:\n  - type: tnotify\n    url: https://x\n    urk: 1\n", "notifiers[0].urk", 4 },
        { "notifiers:\n  - type: tnotify\n    url: https://x\n    name: A b\n", "notifiers[0].name", 4 },
        { "notifiers:\n  - {name: a, type: tnotify, url: https://x}\n  - {name: a, type: tduty, url: https://x}\n", "notifiers[1].name", 3 },
        { "notifiers:\n  - type: tnotify\n    url: https://x\n    topics: [Default, All]\n", "notifiers[0].topics[1]", 4 },
        { "notifiers:\n  - type: tnotify\n    url: https://x\n    topics: []\n", "notifiers[0].topics", 4 },
        { "notifiers:\n  - type: tnotify\n    url: https://x\n    topics: {a: 1}\n", "notifiers[0].topics", 4 },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP(arena_freep) struct arena *a = arena_new();
        struct config_problems p = { .a = a };
        CHECK_ROW(i, !config_read(a, SL("f"), slice_of(rows[i].text), no_env, NULL, 0, no_connector, &p));
        CHECK_ROW(i, p.n == 1 && p.items[0].line == rows[i].line);
        CHECK_SLICE(p.items[0].path, slice_of(rows[i].path));
    }
}
