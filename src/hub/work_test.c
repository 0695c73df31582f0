/* Accounts at work on the rig: set up, set up again, polled. */
#include "hub/work.h"
#include "hub/rig_test.h"

static struct rig *rig_with(bool setup, const char *polls)
{
    struct rig *r = rig_new();
    rig_stop(r);
    r->token = SL("T1");
    r->setup = setup;
    r->polls = polls;
    return r;
}

static size_t calls(const struct rig *r, const char *path)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n_seen; i++)
        n += slice_eq(r->seen[i].path, slice_of(path));
    return n;
}

/* ---- setup ---------------------------------------------------------------------------------------------------------------- */

static int setup_fails_twice(struct rig *r, const struct seen *s)
{
    return slice_ends(s->path, SL("/setup")) && calls(r, "/vendor/setup") <= 2 ? 503 : 200;
}

TEST(setup_is_tried_until_it_works_and_deliveries_wait_for_it)
{
    struct rig *r = rig_with(true, NULL);
    r->answer = setup_fails_twice;
    rig_start(r);
    CHECK(!r->other->set_up);
    CHECK(r->net->set_up); /* the others do not wait */
    rig_say(r, "d1", "U1@tother", "waits");
    rig_text(r, "1", "U1", "goes");
    UNTIL(r, rig_seen(r, "goes") == 1);
    CHECK_INT(rig_seen(r, "waits"), 0);
    UNTIL(r, calls(r, "/vendor/setup") == 2);
    CHECK(r->other->setup_fault.code && !r->other->set_up_refused);
    UNTIL(r, rig_seen(r, "waits") == 1);
    CHECK(r->other->set_up && !r->other->setup_fault.code);
    CHECK_INT(calls(r, "/vendor/setup"), 3);
    rig_turn(r, 300);
    CHECK_INT(calls(r, "/vendor/setup"), 3);
    rig_free(r);
}

static int setup_refused(struct rig *r, const struct seen *s)
{
    (void)r;
    return slice_ends(s->path, SL("/setup")) ? 400 : 200;
}

TEST(setup_that_is_refused_does_not_hold_deliveries_for_ever)
{
    struct rig *r = rig_with(true, NULL);
    r->answer = setup_refused;
    rig_start(r);
    rig_say(r, "d1", "U1@tother", "goes"); /* what was set up before may still serve */
    UNTIL(r, rig_seen(r, "goes") == 1);
    CHECK(!r->other->set_up && r->other->set_up_refused);
    CHECK_SLICE(slice_of(r->other->setup_fault.code), SL("refused"));
    CHECK_INT(calls(r, "/vendor/setup"), 1); /* and not asked again in a circle */
    rig_free(r);
}

static int forgot_us_once(struct rig *r, const struct seen *s)
{
    return slice_eq(s->body, SL("again")) && rig_seen(r, "again") == 1 ? 410 : 200;
}

TEST(setup_is_done_anew_when_a_delivery_learns_that_it_is_gone)
{
    struct rig *r = rig_with(true, NULL);
    r->answer = forgot_us_once;
    rig_start(r);
    UNTIL(r, r->other->set_up);
    rig_say(r, "d1", "U1@tother", "again");
    rig_say(r, "d2", "U1@tother", "behind");
    UNTIL(r, rig_seen(r, "behind") == 1);
    CHECK_INT(rig_seen(r, "again"), 2);
    CHECK_INT(calls(r, "/vendor/setup"), 2);
    size_t second = 0; /* the setup comes between the two attempts */
    for (size_t i = 0; i < r->n_seen; i++)
        if (slice_ends(r->seen[i].path, SL("/setup")))
            second = i;
    CHECK(second > 0 && slice_eq(r->seen[second - 1].body, SL("again")));
    rig_free(r);
}

TEST(setup_that_is_under_way_at_the_stop_is_done_at_the_next_start)
{
    struct rig *r = rig_with(true, NULL);
    r->answer = setup_fails_twice;
    rig_start(r);
    UNTIL(r, calls(r, "/vendor/setup") == 1);
    rig_stop(r);
    rig_start(r);
    UNTIL(r, r->other->set_up);
    CHECK_INT(calls(r, "/vendor/setup"), 3);
    rig_free(r);
}

/* ---- polls ---------------------------------------------------------------------------------------------------------------- */

static int first_poll_fails(struct rig *r, const struct seen *s)
{
    return slice_ends(s->path, SL("/poll")) && calls(r, "/vendor/poll") == 1 ? 503 : 200;
}

TEST(poll_of_an_account_takes_each_message_once)
{
    struct rig *r = rig_with(false, "tother");
    r->answer = first_poll_fails;
    r->polled = "{\"events\":[{\"id\":\"p1\",\"guest\":\"U1\",\"text\":\"one\"},{\"id\":\"p2\",\"guest\":\"U1\",\"text\":\"two\"}],\"note\":\"cursor 2\"}";
    rig_start(r);
    UNTIL(r, calls(r, "/vendor/poll") == 3); /* the second and the third answer are the same */
    UNTIL(r, rig_count(r, J_DELIVERED) == 2);
    rig_turn(r, 100);
    CHECK_INT(rig_seen(r, "one"), 1);
    CHECK_INT(rig_seen(r, "two"), 1);
    CHECK_SLICE(memory_get(r->other->memory, "note", time_now_ms()), SL("cursor 2"));
    rig_crash(r); /* the cursor was stored in the same commit */
    CHECK_SLICE(memory_get(r->other->memory, "note", time_now_ms()), SL("cursor 2"));
    rig_free(r);
}

TEST(poll_goes_on_after_an_answer_that_is_not_understood)
{
    struct rig *r = rig_with(false, "tother");
    r->polled = "{\"events\":";
    rig_start(r);
    UNTIL(r, calls(r, "/vendor/poll") == 1);
    r->polled = "{\"events\":[{\"id\":\"p1\",\"guest\":\"U1\",\"text\":\"one\"}]}";
    UNTIL(r, rig_seen(r, "one") == 1);
    CHECK_INT(r->other->polls_open, 0);
    rig_free(r);
}

/* The answer that reaches us after the turn of the next one: there is never more than one under way. */
static int hold_polls(struct rig *r, const struct seen *s)
{
    (void)r;
    return slice_ends(s->path, SL("/poll")) ? ANSWER_HOLD : 200;
}

TEST(poll_waits_for_the_one_before_it)
{
    struct rig *r = rig_with(false, "tother");
    r->answer = hold_polls;
    rig_start(r);
    UNTIL(r, calls(r, "/vendor/poll") == 1);
    rig_turn(r, 1500);
    CHECK_INT(calls(r, "/vendor/poll"), 1);
    r->answer = NULL;
    rig_answer_held(r, "anything new?", 200);
    UNTIL(r, calls(r, "/vendor/poll") == 2);
    rig_free(r);
}

TEST(poll_of_a_conversation_waits_for_the_one_before_it)
{
    struct rig *r = rig_with(false, "tdesk");
    rig_start(r);
    rig_text(r, "1", "U1", "hello");
    UNTIL(r, conversations_open(&r->hub) == 1);
    r->answer = hold_polls;
    UNTIL(r, r->desk->polls_open == 1);
    rig_turn(r, 1500); /* its next turn has come */
    CHECK(r->desk->polls_open <= 1);
    r->answer = NULL;
    size_t before = calls(r, "/vendor/poll");
    UNTIL(r, calls(r, "/vendor/poll") > before); /* the one that was not answered holds up nothing for good */
    rig_free(r);
}

TEST(poll_of_open_conversations_alone)
{
    struct rig *r = rig_with(false, "tdesk");
    rig_start(r);
    rig_turn(r, 1200);
    CHECK_INT(calls(r, "/vendor/poll"), 0); /* none is open */
    rig_text(r, "1", "U1", "hello");        /* the desk calls its conversation dc-1 */
    UNTIL(r, rig_seen(r, "dc-1") == 2);
    r->polled = "{\"events\":[{\"id\":\"closed-1\",\"guest\":\"U1@tnet\",\"kind\":\"closed\"}]}";
    UNTIL(r, conversations_open(&r->hub) == 0);
    size_t before = calls(r, "/vendor/poll");
    rig_turn(r, 1500);
    CHECK_INT(calls(r, "/vendor/poll"), before);
    r->polled = NULL;
    rig_text(r, "2", "U1", "me again"); /* it is open again */
    UNTIL(r, conversations_open(&r->hub) == 1);
    rig_stop(r);
    rig_start(r);
    UNTIL(r, calls(r, "/vendor/poll") > before); /* and known to be, after a restart */
    rig_free(r);
}
