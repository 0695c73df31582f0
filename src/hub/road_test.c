/* accept, run and deliver together, on the rig. */
#include "hub/accept.h"
#include "hub/adapt.h"
#include "hub/config.h"
#include "hub/deliver.h"
#include "hub/inbox.h"
#include "hub/later.h"
#include "hub/rig_test.h"
#include "store/store.h"

static int hold_first(struct rig *r, const struct seen *s)
{
    (void)r;
    return slice_eq(s->body, SL("first")) ? ANSWER_HOLD : 200;
}

TEST(road_there_and_back_each_once)
{
    struct rig *r = rig_new();
    rig_text(r, "1", "U1", "hello");
    rig_text(r, "1", "U1", "hello"); /* the vendor says it again */
    UNTIL(r, rig_count(r, J_DELIVERED) == 1);
    CHECK_INT(r->n_seen, 1);
    CHECK_SLICE(r->seen[0].path, SL("/vendor/tdesk"));
    rig_say(r, "d1", "U1@tnet", "hi there");
    UNTIL(r, rig_count(r, J_DELIVERED) == 3); /* and the desk is told that it came */
    CHECK_INT(rig_seen(r, "hi there"), 1);
    CHECK_INT(rig_seen(r, "status d1 delivered"), 1);
    CHECK_INT(rig_count(r, J_WAITING), 0);
    rig_free(r);
}

TEST(road_refuses_with_the_right_status)
{
    struct rig *r = rig_new();
    int status;
    rig_hook_later(r, "/tnet/t/none", "{}", &status);
    UNTIL(r, status);
    CHECK_INT(status, 404);
    CHECK_INT(rig_hook(r, "/tnet", "{"), 400);
    CHECK_INT(rig_hook(r, "/tnet", "{}"), 200);
    CHECK_INT(rig_hook(r, "/tnet/t/tnet", "{\"ignore\":[\"e1\"]}"), 200);
    CHECK_INT(rig_count(r, J_IGNORED), 1);
    rig_say(r, "d1", "U1@nowhere", "x"); /* nobody we know: kept, and ignored by a rule */
    CHECK_INT(rig_count(r, J_IGNORED), 2);
    char long_guest[600];
    memset(long_guest, 'g', sizeof(long_guest) - 1);
    long_guest[sizeof(long_guest) - 1] = 0;
    rig_text(r, "2", long_guest, "x"); /* no lane could be named so */
    CHECK_INT(rig_count(r, J_IGNORED), 3);
    CHECK_INT(r->n_seen, 0);
    rig_free(r);
}

TEST(road_has_room_for_the_longest_names)
{
    struct rig *r = rig_new();
    char of_net[2 * CONFIG_NAME_MAX + 1], of_desk[sizeof(of_net)], guest[401];
    memset(of_net, 'n', sizeof(of_net) - 1), memset(of_desk, 'd', sizeof(of_desk) - 1), memset(guest, 'g', sizeof(guest) - 1);
    of_net[sizeof(of_net) - 1] = of_desk[sizeof(of_desk) - 1] = guest[sizeof(guest) - 1] = 0;
    r->net->account.id = slice_of(of_net);
    r->desk->account.id = slice_of(of_desk);
    rig_text(r, "1", guest, "hello");
    UNTIL(r, rig_seen(r, "hello") == 1);
    rig_free(r);
}

/* 200 is a promise: what is just too long for the journal must not be taken without its body. */
TEST(accept_takes_no_message_that_the_journal_cannot_hold)
{
    struct rig *r = rig_new();
    size_t taken = 0, refused = 0;
    r->answer = hold_first;
    rig_text(r, "1", "U1", "first"); /* the others stand behind it */
    UNTIL(r, rig_seen(r, "first") == 1);
    char *text = must_malloc(JOURNAL_BODY_MAX);
    memset(text, 'x', JOURNAL_BODY_MAX);
    for (size_t n = JOURNAL_BODY_MAX - 20000; n < JOURNAL_BODY_MAX; n += n < JOURNAL_BODY_MAX - 300 ? 1970 : 10) {
        CLEANUP(arena_freep) struct arena *a = arena_new();
        slice body = arena_printf(a, "{\"events\":[{\"id\":\"n%zu\",\"guest\":\"U1\",\"text\":\"%.*s\"}]}", n, (int)n, text);
        int status = rig_hook(r, "/tnet", body.p);
        CHECK(status == 200 || status == 413);
        taken += status == 200;
        refused += status == 413;
        slice kept = journal_body(r->hub.journal, 1 + taken, a);
        CHECK_ROW(n, kept.n > n || status == 413);
    }
    CHECK(taken && refused);
    free(text);
    rig_free(r);
}

/* What can never be stored must not be answered "again": its sender, or the broker, would never come to what is behind it. */
TEST(accept_has_an_end_for_what_is_too_long)
{
    struct rig *r = rig_new();
    char *word = must_calloc(1, JOURNAL_VALUE_MAX + 2);
    memset(word, 'x', JOURNAL_VALUE_MAX + 1);
    CHECK_INT(rig_hook(r, "/tnet", arena_printf(r->a, "{\"ignore\":[\"%s\"]}", word).p), 200);
    CHECK_INT(rig_hook(r, "/tnet", arena_printf(r->a, "{\"ignore\":[\"%s\"]}", word).p), 200);
    CHECK_INT(rig_count(r, J_IGNORED), 1);
    rig_text(r, "1", "U1", "?may I");
    UNTIL(r, rig_count(r, J_PARKED) == 1);
    CHECK_INT(rig_hook(r, "/tnet", arena_printf(r->a, "{\"resume\":{\"key\":\"?may I\",\"data\":\"%s\"}}", word).p), 413);
    CHECK_INT(rig_hook(r, "/tdesk", arena_printf(r->a, "{\"resume\":{\"key\":\"?may I\",\"data\":\"%s\"}}", word).p), 413);
    CHECK_INT(rig_hook(r, "/tnet", arena_printf(r->a, "{\"resume\":{\"key\":\"%s\",\"data\":\"x\"}}", word).p), 200);
    CHECK_INT(rig_count(r, J_PARKED), 1);
    free(word);
    rig_free(r);
}

TEST(road_keeps_nothing_of_what_is_not_said_to_us)
{
    struct rig *r = rig_new();
    CHECK_INT(rig_hook(r, "/tnet", "{\"events\":[{\"id\":\"1\",\"guest\":\"U1\",\"text\":\"over lunch\",\"only\":\"open\"},"
                                   "{\"id\":\"2\",\"guest\":\"U2\",\"text\":\"over dinner\",\"only\":\"known\"}]}"), 200);
    CHECK_INT(rig_count(r, J_WAITING) + rig_count(r, J_DELIVERED), 0);
    rig_text(r, "3", "U1", "to you");
    rig_text(r, "4", "U2", "to you");
    UNTIL(r, rig_seen(r, "to you") == 2);
    rig_say(r, "d1", "U1@tnet", "yes?"); /* the desk has it open */
    CHECK_INT(rig_hook(r, "/tnet", "{\"events\":[{\"id\":\"5\",\"guest\":\"U1\",\"text\":\"go on\",\"only\":\"open\"},"
                                   "{\"id\":\"6\",\"guest\":\"U2\",\"text\":\"known now\",\"only\":\"known\"}]}"), 200);
    UNTIL(r, rig_seen(r, "go on") == 1 && rig_seen(r, "known now") == 1);
    CHECK_INT(rig_hook(r, "/tdesk", "{\"events\":[{\"id\":\"d2\",\"guest\":\"U1@tnet\",\"kind\":\"closed\"}]}"), 200);
    CHECK_INT(rig_hook(r, "/tnet", "{\"events\":[{\"id\":\"7\",\"guest\":\"U1\",\"text\":\"over coffee\",\"only\":\"open\"}]}"), 200);
    UNTIL(r, rig_count(r, J_WAITING) == 0);
    CHECK(!rig_on_disk(r, "over lunch") && !rig_on_disk(r, "over dinner") && !rig_on_disk(r, "over coffee"));
    CHECK(rig_on_disk(r, "go on") && rig_seen(r, "over coffee") == 0);
    rig_free(r);
}

/* ---- order ------------------------------------------------------------------------------------------------------------- */

TEST(deliver_keeps_order_in_a_lane_and_others_do_not_wait)
{
    struct rig *r = rig_new();
    r->answer = hold_first;
    rig_text(r, "1", "U1", "first");
    UNTIL(r, rig_seen(r, "first") == 1);
    rig_text(r, "2", "U1", "second");
    rig_text(r, "3", "U1", "third");
    rig_text(r, "4", "U2", "of another");
    UNTIL(r, rig_count(r, J_DELIVERED) == 1);
    CHECK_INT(rig_seen(r, "of another"), 1);
    CHECK_INT(r->n_seen, 2);
    rig_answer_held(r, "first", 200);
    UNTIL(r, rig_count(r, J_DELIVERED) == 4);
    CHECK_SLICE(r->seen[2].body, SL("second"));
    CHECK_SLICE(r->seen[3].body, SL("third"));
    rig_free(r);
}

/* ---- the order of requests ---------------------------------------------------------------------------------------------- */

struct said { /* a request with messages of several guests: "guest text", … */
    struct inbox in;
    int ok;
};

static void said_done(void *arg, bool ok)
{
    ((struct said *)arg)->ok = ok ? 1 : -1;
}

static struct said *say_all(struct rig *r, const char *id, const char *const *what)
{
    struct said *s = ARENA_NEW(r->a, struct said);
    inbox_init(&s->in, r->a);
    for (size_t i = 0; what[i]; i++) {
        struct message *m = inbox_add(&s->in, KIND_TEXT);
        slice text = slice_of(what[i]);
        m->guest = slice_cut(&text, ' ');
        m->text = text;
        m->id = arena_printf(r->a, "%s-%zu", id, i);
        m->at_ms = time_now_ms();
    }
    accept_inbox(r->net, &s->in, SLICE_NONE, said_done, s);
    return s;
}
#define SAY(r, id, ...) say_all(r, id, (const char *const[]){ __VA_ARGS__, NULL })

static slice text_of(struct rig *r, uint64_t id)
{
    return js_text(js_at(js_parse(r->a, journal_body(r->hub.journal, id, r->a), NULL), "text"));
}

/* "new…" are guests whose conversations have to be looked for in the store; those of A, C and D are in memory. */
TEST(accept_keeps_the_order_of_requests_within_each_conversation)
{
    struct rig *r = rig_new();
    static const char *const known[] = { "A", "C", "D" };
    for (size_t i = 0; i < COUNT(known); i++)
        rig_text(r, arena_printf(r->a, "k%zu", i).p, known[i], "known");
    UNTIL(r, rig_count(r, J_DELIVERED) == 3);
    r->desk->set_up = false; /* so that all stay to be looked at */
    struct said *all[] = {
        SAY(r, "1", "A a1", "new1 x", "A a2"),
        SAY(r, "2", "A a3", "D d1"),
        SAY(r, "3", "C c1"),          /* has nothing to do with those that wait */
        SAY(r, "4", "new2 y", "D d2"),
        SAY(r, "5", "D d3", "D d4"),
        SAY(r, "6", "nobody-waits z", "C c2"),
        SAY(r, "7", "A a4"),
        SAY(r, "8", "C c3"),
    };
    CHECK(all[0]->ok == 0 && r->hub.accepting);
    for (size_t i = 0; i < COUNT(all); i++)
        UNTIL(r, all[i]->ok == 1);
    CHECK(!r->hub.accepting);
    CHECK_SLICE(text_of(r, 4), SL("c1")); /* numbers are given with the commit: it was made at once */
    r->desk->set_up = true;
    deliver_pump(r->desk);
    UNTIL(r, rig_count(r, J_DELIVERED) == 3 + 14);
    static const char *const in_order[] = { "a1", "a2", "a3", "a4", "|", "c1", "c2", "c3", "|", "d1", "d2", "d3", "d4" };
    size_t at = 0;
    for (size_t i = 0; i < COUNT(in_order); i++) {
        if (in_order[i][0] == '|') {
            at = 0;
            continue;
        }
        while (at < r->n_seen && !slice_eq(r->seen[at].body, slice_of(in_order[i])))
            at++;
        CHECK_ROW(i, at < r->n_seen);
    }
    rig_free(r);
}

TEST(accept_of_many_that_wait_for_one_goes_on_without_going_deep)
{
    enum { MANY = 2000 };
    struct rig *r = rig_new();
    rig_text(r, "k", "A", "known");
    r->desk->set_up = false;
    struct said *first = SAY(r, "first", "A 0", "new x"), *all[MANY];
    for (int i = 0; i < MANY; i++)
        all[i] = SAY(r, arena_printf(r->a, "m%d", i).p, arena_printf(r->a, "A %d", i + 1).p);
    CHECK(!first->ok && !all[MANY - 1]->ok);
    for (int i = 0; i < MANY; i++)
        UNTIL(r, all[i]->ok == 1);
    for (uint64_t id = 4; id <= MANY; id++) /* 1: known, 2 and 3: the first request */
        CHECK_ROW(id, slice_eq(text_of(r, id), arena_printf(r->a, "%llu", (unsigned long long)id - 3)));
    rig_free(r);
}

/* ---- ends -------------------------------------------------------------------------------------------------------------- */

static int fail_first(struct rig *r, const struct seen *s)
{
    return rig_seen(r, arena_cstr(r->a, s->body)) == 1 ? 500 : 200;
}

TEST(deliver_tries_again_with_the_same_key_and_in_order)
{
    struct rig *r = rig_new();
    r->answer = fail_first;
    rig_text(r, "1", "U1", "one");
    rig_text(r, "2", "U1", "two");
    UNTIL(r, rig_count(r, J_DELIVERED) == 2);
    CHECK_INT(r->n_seen, 4);
    CHECK_SLICE(r->seen[1].body, SL("one"));
    CHECK_SLICE(r->seen[2].body, SL("two"));
    CHECK_SLICE(r->seen[1].key, r->seen[0].key);
    CHECK(!slice_eq(r->seen[2].key, r->seen[0].key));
    CHECK(r->seen[1].at_ms - r->seen[0].at_ms >= 240); /* half of the first back-off at least */
    rig_free(r);
}

static int refuse_bad(struct rig *r, const struct seen *s)
{
    (void)r;
    return slice_starts(s->body, SL("bad")) ? 400 : 200;
}

TEST(deliver_makes_a_dead_letter_and_tells_the_desk)
{
    struct rig *r = rig_new();
    r->answer = refuse_bad;
    rig_say(r, "d1", "U1@tnet", "bad");
    rig_say(r, "d2", "U1@tnet", "good");
    UNTIL(r, rig_count(r, J_DEAD) == 1 && rig_count(r, J_DELIVERED) == 3);
    CHECK_INT(rig_seen(r, "status d1 failed"), 1);
    CHECK_INT(rig_seen(r, "status d2 delivered"), 1);
    CHECK_INT(rig_seen(r, "bad"), 1);
    rig_free(r);
}

static int reset_some(struct rig *r, const struct seen *s)
{
    return slice_find(s->body, SL("lost")) != SIZE_MAX && rig_seen(r, arena_cstr(r->a, s->body)) == 1 ? ANSWER_RESET : 200;
}

TEST(run_repeats_after_a_lost_answer_only_what_may_be_repeated)
{
    struct rig *r = rig_new();
    r->answer = reset_some;
    rig_text(r, "1", "U1", "lost");
    rig_text(r, "2", "U2", "!lost");
    rig_text(r, "3", "U2", "after");
    UNTIL(r, rig_count(r, J_DELIVERED) == 2 && rig_count(r, J_UNKNOWN) == 1);
    CHECK_INT(rig_seen(r, "lost"), 2);
    CHECK_INT(rig_seen(r, "!lost"), 1);
    rig_free(r);
}

static int hold_all(struct rig *r, const struct seen *s)
{
    (void)r, (void)s;
    return ANSWER_HOLD;
}

TEST(run_marks_before_a_call_that_must_not_be_repeated)
{
    struct rig *r = rig_new();
    r->answer = hold_all;
    rig_text(r, "1", "U1", "!once");
    rig_text(r, "2", "U2", "again");
    UNTIL(r, r->n_seen == 2);
    rig_crash(r); /* nobody knows what became of the two calls */
    r->answer = NULL;
    UNTIL(r, rig_count(r, J_UNKNOWN) == 1 && rig_count(r, J_DELIVERED) == 1);
    CHECK_INT(rig_seen(r, "!once"), 1);
    CHECK_INT(rig_seen(r, "again"), 2);
    CHECK_SLICE(r->seen[2].key, slice_eq(r->seen[0].body, SL("again")) ? r->seen[0].key : r->seen[1].key);
    rig_free(r);
}

TEST(stop_with_calls_open_says_so_in_the_journal)
{
    struct rig *r = rig_new();
    r->answer = hold_all;
    rig_text(r, "1", "U1", "!once");
    rig_text(r, "2", "U2", "again");
    rig_text(r, "3", "U1", "behind");
    UNTIL(r, r->n_seen == 2);
    rig_stop(r);
    r->answer = NULL;
    rig_start(r);
    UNTIL(r, rig_count(r, J_UNKNOWN) == 1 && rig_count(r, J_DELIVERED) == 2);
    CHECK_INT(rig_seen(r, "!once"), 1);
    rig_free(r);
}

/* ---- parts, parked ones --------------------------------------------------------------------------------------------------- */

static int fail_second_part(struct rig *r, const struct seen *s)
{
    return slice_starts(s->body, SL("bbbb")) && rig_seen(r, arena_cstr(r->a, s->body)) == 1 ? 500 : 200;
}

TEST(deliver_does_not_send_parts_again_that_were_taken)
{
    struct rig *r = rig_new();
    r->answer = fail_second_part;
    rig_say(r, "d1", "U1@tnet", "aaaaaaaaaabbbbbbbbbbcc");
    UNTIL(r, rig_count(r, J_DELIVERED) == 2);
    CHECK_INT(rig_seen(r, "aaaaaaaaaa"), 1);
    CHECK_INT(rig_seen(r, "bbbbbbbbbb"), 2);
    CHECK_INT(rig_seen(r, "cc"), 1);
    rig_free(r);
}

static int hold_second_part(struct rig *r, const struct seen *s)
{
    (void)r;
    return slice_starts(s->body, SL("bbbb")) ? ANSWER_HOLD : 200;
}

TEST(deliver_goes_on_with_the_part_it_was_at_after_a_crash)
{
    struct rig *r = rig_new();
    r->answer = hold_second_part;
    rig_say(r, "d1", "U1@tnet", "aaaaaaaaaabbbbbbbbbbcc");
    UNTIL(r, rig_seen(r, "bbbbbbbbbb") == 1);
    rig_crash(r);
    r->answer = NULL;
    UNTIL(r, rig_count(r, J_DELIVERED) == 2);
    CHECK_INT(rig_seen(r, "aaaaaaaaaa"), 1);
    CHECK_INT(rig_seen(r, "bbbbbbbbbb"), 2);
    CHECK_INT(rig_seen(r, "cc"), 1);
    rig_free(r);
}

TEST(deliver_parks_lets_others_pass_and_goes_on_when_resumed)
{
    for (int restart = 0; restart < 2; restart++) {
        struct rig *r = rig_new();
        rig_text(r, "1", "U1", "?may I");
        rig_text(r, "2", "U1", "behind it");
        UNTIL(r, rig_count(r, J_PARKED) == 1 && rig_count(r, J_DELIVERED) == 1);
        CHECK_INT(rig_seen(r, "behind it"), 1);
        if (restart) {
            rig_stop(r);
            rig_start(r);
        }
        CHECK_INT(rig_hook(r, "/tdesk", "{\"resume\":{\"key\":\"nobody\",\"data\":\"x\"}}"), 200);
        CHECK_INT(rig_hook(r, "/tdesk", "{\"resume\":{\"key\":\"?may I\",\"data\":\"yes\"}}"), 200);
        UNTIL(r, rig_count(r, J_DELIVERED) == 2);
        CHECK_INT(rig_seen(r, "?may I"), 1);
        CHECK_INT(rig_seen(r, "?may I asked yes"), 1);
        CHECK_INT(rig_count(r, J_PARKED), 0);
        rig_free(r);
    }
}

/* ---- news, lists ----------------------------------------------------------------------------------------------------------- */

static void have_conv(void *arg, struct conv *conv)
{
    *(struct conv **)arg = conv;
}

TEST(status_of_a_sent_message_is_told_with_the_desks_id)
{
    struct rig *r = rig_new();
    rig_say(r, "d1", "U1@tnet", "~later");
    UNTIL(r, rig_count(r, J_DELIVERED) == 1);
    slice news = arena_printf(r->a, "{\"events\":[{\"id\":\"n1\",\"guest\":\"U1\",\"kind\":\"status\",\"of\":\"v1\",\"status\":\"failed\"}]}");
    CHECK_INT(rig_hook(r, "/tnet", news.p), 200);
    UNTIL(r, rig_seen(r, "status d1 failed") == 1);
    CHECK_INT(rig_hook(r, "/tnet", "{\"events\":[{\"id\":\"n2\",\"guest\":\"U1\",\"kind\":\"status\",\"of\":\"v1\",\"status\":\"failed\"}]}"), 200);
    CHECK_INT(rig_count(r, J_IGNORED), 1); /* nothing is known by this id any more */
    rig_free(r);
}

TEST(answer_to_a_list_stays_one_when_it_is_tried_again)
{
    struct rig *r = rig_new();
    struct conv *conv = NULL;
    conv_get(&r->hub, r->net, SL("U1"), have_conv, &conv);
    UNTIL(r, conv);
    memory_set(conv->memory, LIST_MEMORY, SL("[[\"Yes\",\"y\"]]"), 0);
    r->answer = fail_first;
    rig_text(r, "1", "U1", "1");
    rig_text(r, "2", "U1", "1");
    UNTIL(r, rig_count(r, J_DELIVERED) == 2);
    CHECK_INT(rig_seen(r, "answer y"), 2); /* the first one failed */
    CHECK_INT(rig_seen(r, "1"), 2);        /* the list is used up: then it is a text */
    conv_release(conv);
    rig_free(r);
}

TEST(list_is_read_back_until_an_agent_asks_something_else_or_it_is_over)
{
    static const struct { const char *between; const char *body; bool answer; } rows[] = {
        { "/tnet", "{\"events\":[{\"id\":\"b1\",\"guest\":\"U1\",\"text\":\"hm\"}]}", true }, /* the guest thinks aloud */
        { "/tdesk", "{\"events\":[{\"id\":\"b2\",\"guest\":\"U1@tnet\",\"text\":\"How many?\"}]}", false },
        { "/tdesk", "{\"events\":[{\"id\":\"b3\",\"guest\":\"U1@tnet\",\"kind\":\"closed\"}]}", false },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct rig *r = rig_new();
        struct conv *conv = NULL;
        conv_get(&r->hub, r->net, SL("U1"), have_conv, &conv);
        UNTIL(r, conv);
        memory_set(conv->memory, LIST_MEMORY, SL("[[\"Yes\",\"y\"]]"), 0);
        CHECK_INT(rig_hook(r, rows[i].between, rows[i].body), 200);
        UNTIL(r, rig_count(r, J_WAITING) == 0);
        rig_text(r, "1", "U1", "1");
        UNTIL(r, rig_count(r, J_WAITING) == 0);
        CHECK_ROW(i, (rig_seen(r, "answer y") == 1) == rows[i].answer);
        CHECK_ROW(i, (rig_seen(r, "1") == 1) == !rows[i].answer);
        conv_release(conv);
        rig_free(r);
    }
}

TEST(name_of_the_account_stands_in_when_nobody_can_be_asked)
{
    struct rig *r = rig_new();
    struct conv *conv = NULL;
    conv_get(&r->hub, r->net, SL("U1"), have_conv, &conv);
    UNTIL(r, conv);
    rig_say(r, "d1", "U1@tnet", "hello");
    UNTIL(r, rig_count(r, J_DELIVERED) == 2);
    CHECK(!conv->pub.agent_name.n);
    conv->agent_until_ms = 0;
    rig_say(r, "d2", "U1@tnet", "who is it");
    UNTIL(r, rig_count(r, J_DELIVERED) == 4);
    CHECK_SLICE(conv->pub.agent_name, SL("Service"));
    conv_release(conv);
    rig_free(r);
}

/* ---- accounts that go and come back ------------------------------------------------------------------------------------------ */

TEST(what_waits_for_an_account_that_was_taken_out_goes_at_once_when_it_is_back)
{
    struct rig *r = rig_new();
    r->token = SL("T1");
    r->other->set_up = false; /* not delivered before it goes */
    rig_say(r, "d1", "U1@tother", "one");
    rig_say(r, "d2", "U1@tother", "two");
    rig_stop(r);
    r->alone = true;
    for (int starts = 0; starts < 2; starts++) {
        rig_start(r);
        rig_text(r, arena_printf(r->a, "g%d", starts).p, "U1", "of another");
        UNTIL(r, rig_count(r, J_DELIVERED) == 1 + starts);
        CHECK_INT(rig_count(r, J_WAITING), 2);
        rig_stop(r);
    }
    CHECK(rig_on_disk(r, "its account is not configured"));
    r->alone = false;
    rig_start(r);
    UNTIL(r, rig_seen(r, "two") == 1 && rig_count(r, J_WAITING) == 0);
    CHECK_INT(rig_seen(r, "one"), 1);
    CHECK_INT(rig_count(r, J_DEAD), 0);
    rig_free(r);
}

/* ---- discarded by an operator ------------------------------------------------------------------------------------------------- */

static void noted(void *arg, bool ok)
{
    *(int *)arg = ok ? 1 : -1;
}

/* As the operator's call does it. */
static void discard(struct rig *r, uint64_t id)
{
    int done = 0;
    struct jbatch *b = jbatch_new(r->hub.journal);
    CHECK(jbatch_discard(b, id, SL("{\"by\":\"operator\"}")));
    jbatch_commit(b, JOURNAL_DURABLE, noted, &done);
    UNTIL(r, done);
    CHECK_INT(done, 1);
    deliver_discarded(&r->hub, id);
}

static size_t keys_of_messages(struct rig *r)
{
    rig_stop(r);
    size_t n = rig_keys(r, "d:") + rig_keys(r, "m:") + rig_keys(r, "r:");
    rig_start(r);
    return n;
}

static int never_takes(struct rig *r, const struct seen *s)
{
    (void)r;
    return slice_starts(s->body, SL("picture")) || slice_find(s->body, SL("asked")) != SIZE_MAX || slice_starts(s->body, SL("bbbb")) ? 500 : 200;
}

/* The ids are those of the journal: 1, 2, 3 in a new folder. */
TEST(discard_leaves_no_key_behind)
{
    struct rig *r = rig_new();
    r->answer = never_takes;
    rig_file(r, "/tnet", "1", "U1", "cat.png"); /* its file is fetched, the desk never takes it */
    rig_text(r, "2", "U2", "?may I");           /* parked, then resumed, and put off */
    UNTIL(r, rig_count(r, J_PARKED) == 1);
    CHECK_INT(rig_hook(r, "/tdesk", "{\"resume\":{\"key\":\"?may I\",\"data\":\"yes\"}}"), 200);
    rig_say(r, "3", "U3@tnet", "aaaaaaaaaabbbbbbbbbb"); /* the first of two parts was taken */
    UNTIL(r, rig_seen(r, "?may I asked yes") && rig_seen(r, "bbbbbbbbbb") && rig_shelved(r) == 1 && r->n_seen > 5);
    CHECK(keys_of_messages(r) >= 4);
    for (uint64_t id = 1; id <= 3; id++)
        discard(r, id);
    CHECK_INT(rig_count(r, J_WAITING), 0);
    CHECK_INT(rig_count(r, J_DEAD), 3);
    CHECK_INT(keys_of_messages(r), 0);
    rig_free(r);
}

static int hold_file(struct rig *r, slice name, size_t n)
{
    (void)r, (void)name;
    return n == 1 ? 503 : 200;
}

TEST(discard_while_the_file_is_fetched_leaves_no_key_and_makes_no_call)
{
    struct rig *r = rig_new();
    r->file = hold_file;
    r->hub.limits.media_wait_ms = 700; /* the discard comes before the second try */
    rig_file(r, "/tnet", "1", "U1", "cat.png");
    rig_text(r, "2", "U1", "behind");
    UNTIL(r, r->n_files == 1 && r->desk->in_flight == 1);
    discard(r, 1);
    UNTIL(r, rig_seen(r, "behind") == 1 && rig_shelved(r) == 1 && r->desk->in_flight == 0);
    CHECK_INT(r->n_seen, 1);
    CHECK_INT(keys_of_messages(r), 0);
    rig_free(r);
}

TEST(discarded_before_its_turn_is_not_delivered)
{
    struct rig *r = rig_new();
    r->desk->set_up = false; /* gather them */
    for (int i = 1; i <= 3; i++)
        rig_text(r, arena_printf(r->a, "%d", i).p, arena_printf(r->a, "U%d", i).p, arena_printf(r->a, "t%d", i).p);
    UNTIL(r, r->desk->n_ready == 3);
    discard(r, 3); /* the last of the queue, and one in the middle */
    discard(r, 2);
    rig_text(r, "4", "U4", "t4");
    UNTIL(r, r->desk->n_ready == 2);
    r->desk->set_up = true;
    deliver_pump(r->desk);
    UNTIL(r, rig_count(r, J_DELIVERED) == 2);
    CHECK_INT(r->n_seen, 2);
    CHECK(rig_seen(r, "t1") == 1 && rig_seen(r, "t4") == 1);
    rig_free(r);
}

TEST(discarded_without_an_account_is_not_waited_for)
{
    struct rig *r = rig_new();
    r->token = SL("T1");
    r->other->set_up = false;
    rig_say(r, "d1", "U1@tother", "unwanted");
    rig_say(r, "d2", "U2@tother", "wanted");
    rig_stop(r);
    r->alone = true;
    rig_start(r);
    UNTIL(r, r->hub.homeless);
    discard(r, 1);
    rig_stop(r);
    r->alone = false;
    rig_start(r);
    UNTIL(r, rig_seen(r, "wanted") == 1 && rig_count(r, J_WAITING) == 0);
    CHECK_INT(rig_seen(r, "unwanted"), 0);
    rig_free(r);
}

/* ---- a full disk ------------------------------------------------------------------------------------------------------------ */

TEST(full_disk_refuses_what_is_new_and_keeps_what_is_learned)
{
    struct rig *r = rig_new();
    r->answer = hold_first;
    rig_say(r, "d1", "U1@tnet", "~sent");
    rig_text(r, "1", "U1", "first");
    UNTIL(r, rig_seen(r, "first") == 1 && rig_count(r, J_DELIVERED) == 1);
    rig_disk_full(true);
    int full = rig_hook(r, "/tnet", "{\"events\":[{\"id\":\"n1\",\"guest\":\"U1\",\"kind\":\"status\",\"of\":\"v1\",\"status\":\"failed\"}]}");
    rig_answer_held(r, "first", 200);
    rig_turn(r, 200); /* its outcome cannot be stored */
    int64_t delivered = rig_count(r, J_DELIVERED);
    rig_disk_full(false);
    CHECK_INT(full, 503);
    CHECK_INT(delivered, 1);
    /* The same news again must still find what message it is about. */
    CHECK_INT(rig_hook(r, "/tnet", "{\"events\":[{\"id\":\"n1\",\"guest\":\"U1\",\"kind\":\"status\",\"of\":\"v1\",\"status\":\"failed\"}]}"), 200);
    rig_text(r, "2", "U1", "behind");
    UNTIL(r, rig_count(r, J_DELIVERED) == 4);
    CHECK_INT(rig_seen(r, "status d1 failed"), 1);
    CHECK_INT(rig_seen(r, "first"), 1); /* the lane went on, and nothing was delivered twice */
    rig_stop(r);
    rig_start(r);
    rig_turn(r, 50);
    CHECK_INT(rig_seen(r, "first"), 1);
    CHECK_INT(rig_count(r, J_WAITING), 0);
    rig_free(r);
}

static int fill_disk_at_first_part(struct rig *r, const struct seen *s)
{
    (void)r;
    if (slice_starts(s->body, SL("!a")))
        rig_disk_full(true);
    return slice_starts(s->body, SL("bbbb")) ? ANSWER_HOLD : 200;
}

TEST(full_disk_forgets_no_part_that_was_taken)
{
    struct rig *r = rig_new();
    r->answer = fill_disk_at_first_part;
    rig_say(r, "d1", "U1@tnet", "!aaaaaaaaabbbbbbbbbbcc");
    UNTIL(r, rig_seen(r, "bbbbbbbbbb") == 1 && !journal_healthy(r->hub.journal)); /* how far it came was not stored */
    rig_disk_full(false);
    rig_answer_held(r, "bbbbbbbbbb", 503);
    UNTIL(r, !r->hub.deliveries || rig_seen(r, "bbbbbbbbbb") == 2); /* that it was put off was */
    r->answer = NULL;
    rig_crash(r);
    UNTIL(r, rig_count(r, J_DELIVERED) == 2);
    CHECK_INT(rig_seen(r, "!aaaaaaaaa"), 1);
    CHECK_INT(rig_seen(r, "cc"), 1);
    rig_free(r);
}

static bool planned;
static void plan_stored(void *arg, bool ok)
{
    (void)arg;
    planned = ok;
}

static void plan_it(void *arg, struct conv *conv)
{
    struct rig *r = arg;
    struct jbatch *b = jbatch_new(r->hub.journal);
    later_put(&r->hub, b, conv, time_now_ms(), SL("Ann"));
    jbatch_commit(b, JOURNAL_DURABLE, plan_stored, NULL);
    conv_release(conv);
}

TEST(full_disk_forgets_no_conversation_that_comes_back_later)
{
    struct rig *r = rig_new();
    r->hub.draining = true; /* nobody looks what is due, until it is stored and the disk is full */
    conv_get(&r->hub, r->net, SL("U1"), plan_it, r);
    UNTIL(r, planned);
    rig_disk_full(true);
    r->hub.draining = false;
    later_start(&r->hub);
    UNTIL(r, !journal_healthy(r->hub.journal));
    rig_disk_full(false);
    UNTIL(r, store_numbers(r->hub.store).commits > 0); /* what is remembered goes to the store all the same */
    rig_crash(r);
    UNTIL(r, rig_count(r, J_DELIVERED) == 1);
    CHECK_INT(r->n_seen, 1);
    CHECK(slice_starts(r->seen[0].body, SL("[Commander] It is time")));
    rig_free(r);
}

/* ---- breaker, rates --------------------------------------------------------------------------------------------------------- */

static int fail_until_ten(struct rig *r, const struct seen *s)
{
    (void)s;
    return r->n_seen <= 3 ? ANSWER_RESET : 200;
}

TEST(breaker_probe_that_makes_no_call_does_not_hold_the_others)
{
    struct rig *r = rig_new();
    r->answer = fail_until_ten;
    rig_say(r, "d1", "U1@tnet", "one");
    rig_say(r, "d2", "U2@tnet", "two");
    rig_say(r, "d3", "U3@tnet", "three");
    UNTIL(r, r->net->breaker.until_ms != 0);
    /* The first in the queue is then a message that is ignored without a call. */
    CHECK_INT(rig_hook(r, "/tdesk", "{\"events\":[{\"guest\":\"U4@tnet\",\"kind\":\"typing\"}]}"), 200);
    UNTIL(r, rig_seen(r, "status d1 delivered") && rig_seen(r, "status d2 delivered") && rig_seen(r, "status d3 delivered"));
    CHECK_INT(rig_count(r, J_IGNORED), 1);
    rig_free(r);
}

TEST(deliver_ends_thousands_that_need_no_call_without_going_deep)
{
    enum { EACH = 900, TIMES = 4 };
    struct rig *r = rig_new();
    r->net->set_up = false; /* gather them */
    for (int t = 0; t < TIMES; t++) {
        struct text body = text_new(r->a, 1 << 20);
        text_put(&body, SL("{\"events\":["));
        for (int i = 0; i < EACH; i++)
            text_add(&body, "%s{\"id\":\"e%d-%d\",\"guest\":\"G%d-%d@tnet\",\"kind\":\"closed\"}", i ? "," : "", t, i, t, i);
        text_put(&body, SL("]}"));
        text_char(&body, 0);
        CHECK_INT(rig_hook(r, "/tdesk", body.p), 200);
    }
    UNTIL(r, r->net->n_ready == EACH * TIMES);
    r->net->set_up = true;
    deliver_pump(r->net);
    UNTIL(r, rig_count(r, J_IGNORED) == EACH * TIMES);
    CHECK_INT(r->net->in_flight, 0);
    CHECK_INT(r->hub.in_flight, 0);
    rig_free(r);
}

TEST(run_waits_for_a_rate)
{
    struct rig *r = rig_new();
    bucket_init(&r->net->buckets[0], 10, 1000);
    for (int i = 0; i < 4; i++)
        rig_say(r, arena_printf(r->a, "d%d", i).p, arena_printf(r->a, "U%d@tnet", i).p, "x");
    UNTIL(r, rig_seen(r, "x") == 4);
    int64_t first = 0, last = 0;
    for (size_t i = 0; i < r->n_seen; i++)
        if (slice_eq(r->seen[i].body, SL("x"))) {
            first = first ? first : r->seen[i].at_ms;
            last = r->seen[i].at_ms;
        }
    CHECK(last - first >= 300); /* three more at nine a second */
    rig_free(r);
}

TEST(in_flight_is_bounded_for_all_accounts_together)
{
    struct rig *r = rig_new();
    r->hub.limits.in_flight_all = 2;
    r->answer = hold_all;
    for (int i = 0; i < 3; i++)
        rig_text(r, arena_printf(r->a, "%d", i).p, arena_printf(r->a, "U%d", i).p, arena_printf(r->a, "t%d", i).p);
    rig_say(r, "d1", "U9@tnet", "out");
    rig_turn(r, 50);
    CHECK_INT(r->n_seen, 2);
    r->answer = NULL;
    rig_answer_held(r, "t0", 200);
    rig_answer_held(r, "t1", 200);
    UNTIL(r, rig_seen(r, "t2") == 1 && rig_seen(r, "out") == 1);
    rig_free(r);
}

/* As if senders came without end, and cost all the time there is. */
static void crowd(void *arg)
{
    struct rig *r = arg;
    for (int64_t until_us = time_mono_us() + 1000; time_mono_us() < until_us;)
        ;
    r->hub.asked_turn = loop_turns(r->loop);
    loop_defer(r->loop, crowd, r);
}

TEST(deliveries_yield_to_senders_and_none_starves)
{
    enum { TEXTS = 40 };
    struct rig *r = rig_new();
    r->answer = hold_all;
    loop_defer(r->loop, crowd, r);
    UNTIL(r, loop_is_pressed(r->loop));
    for (int i = 0; i < TEXTS; i++)
        rig_text(r, arena_printf(r->a, "%d", i).p, arena_printf(r->a, "U%d", i).p, arena_printf(r->a, "t%d", i).p);
    rig_turn(r, 50);
    CHECK(r->n_seen > 0 && r->n_seen < 16); /* some go on, though 32 may */
    r->answer = NULL;
    for (size_t i = 0; i < r->n_seen; i++)
        if (r->seen[i].held)
            rig_answer_held(r, arena_cstr(r->a, r->seen[i].body), 200);
    UNTIL(r, r->n_seen >= TEXTS); /* still pressed */
    loop_defer_cancel(r->loop, crowd, r);
    rig_free(r);
}
