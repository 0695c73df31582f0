#include "hub/history.h"
#include "hub/rig_test.h"

struct answer_seen {
    struct arena *a;
    struct text text; /* one line for each row */
    bool done;
    struct fault f;
};

static void each_msg(void *arg, const struct history_message *m)
{
    struct answer_seen *s = arg;
    text_add(&s->text, "%s " SLF " " SLF " %s %lld\n", m->way == HISTORY_IN ? "in" : "out", SLA(m->kind), SLA(m->text), jstate_names[m->state],
             (long long)m->status);
}

static void each_conv(void *arg, const struct history_conversation *c)
{
    struct answer_seen *s = arg;
    text_add(&s->text, SLF " %lld " SLF "%s\n", SLA(c->id), (long long)c->messages, SLA(c->last_text), c->open ? " open" : "");
}

static void each_trace(void *arg, int64_t at_ms, slice op, slice note)
{
    struct answer_seen *s = arg;
    (void)at_ms;
    (void)note;
    text_add(&s->text, SLF "\n", SLA(op));
}

static void ended(void *arg, const struct fault *f)
{
    struct answer_seen *s = arg;
    s->done = true;
    if (f)
        s->f = *f;
}

static void history_on(struct rig *r)
{
    struct fault f = { 0 };
    const char *dir = arena_printf(r->a, "%s/journal", r->dir).p; /* where the rig has its journal's folder */
    r->hub.history = history_new(&r->hub, dir, 86400000, &f);
    if (!r->hub.history)
        test_fail(__FILE__, __LINE__, "%s", f.text);
}

static struct answer_seen asked(struct rig *r)
{
    return (struct answer_seen){ .a = r->a, .text = text_new(r->a, 1 << 20) };
}

static slice messages(struct rig *r, const char *conversation, int64_t before, int64_t after, size_t limit)
{
    struct answer_seen s = asked(r);
    history_messages(r->hub.history, slice_of(conversation), &(struct history_page){ before, after, limit }, each_msg, ended, &s);
    UNTIL(r, s.done);
    CHECK(!s.f.code);
    return text_slice(&s.text);
}

static slice conversations(struct rig *r, const struct history_query *q)
{
    struct answer_seen s = asked(r);
    history_conversations(r->hub.history, q, each_conv, ended, &s);
    UNTIL(r, s.done);
    return text_slice(&s.text);
}

static slice searched(struct rig *r, const char *text, const char *account)
{
    struct answer_seen s = asked(r);
    history_search(r->hub.history, slice_of(text), slice_of(account), &(struct history_page){ .limit = 10 }, each_msg, ended, &s);
    UNTIL(r, s.done);
    return text_slice(&s.text);
}

TEST(history_tells_what_was_said_both_ways_and_how_it_fared)
{
    struct rig *r = rig_new();
    history_on(r);
    rig_text(r, "1", "U1", "hello");
    rig_say(r, "d1", "U1@tnet", "~good day");
    rig_text(r, "2", "U2", "other");
    CHECK_INT(rig_hook(r, "/tdesk", "{\"events\":[{\"guest\":\"U1@tnet\",\"kind\":\"typing\"}]}"), 200);
    UNTIL(r, rig_seen(r, "~good day") == 1 && rig_seen(r, "hello") == 1 && rig_seen(r, "other") == 1);
    UNTIL(r, slice_eq(messages(r, "t/tnet:U1", 0, 0, 10), SL("out text ~good day delivered 0\nin text hello delivered 0\n")));
    /* The network says later how far it came. */
    CHECK_INT(rig_hook(r, "/tnet", "{\"events\":[{\"guest\":\"U1\",\"kind\":\"status\",\"of\":\"d1\",\"status\":\"delivered\"}]}"), 200);
    UNTIL(r, slice_starts(messages(r, "t/tnet:U1", 0, 0, 10), SL("out text ~good day delivered 2\n")));
    UNTIL(r, slice_eq(conversations(r, &(struct history_query){ .limit = 10 }), SL("t/tnet:U2 1 other open\nt/tnet:U1 2 ~good day open\n")));
    CHECK_SLICE(conversations(r, &(struct history_query){ .open = -1, .limit = 10 }), SL(""));
    CHECK_INT(rig_hook(r, "/tdesk", "{\"events\":[{\"guest\":\"U2@tnet\",\"kind\":\"closed\"}]}"), 200);
    UNTIL(r, slice_starts(conversations(r, &(struct history_query){ .open = -1, .limit = 10 }), SL("t/tnet:U2 ")));
    CHECK_SLICE(conversations(r, &(struct history_query){ .open = 1, .limit = 10 }), SL("t/tnet:U1 2 ~good day open\n"));
    rig_free(r);
}

TEST(history_pages_searches_and_erases)
{
    struct rig *r = rig_new();
    history_on(r);
    for (int i = 0; i < 5; i++)
        rig_text(r, arena_printf(r->a, "%d", i).p, "U1", arena_printf(r->a, "number %d", i).p);
    rig_text(r, "x", "U2", "\xe4\xba\x88\xe7\xb4\x84\xe3\x81\xae\xe5\xa4\x89\xe6\x9b\xb4"); /* 予約の変更 */
    UNTIL(r, rig_count(r, J_DELIVERED) == 6);
    UNTIL(r, slice_eq(messages(r, "t/tnet:U1", 0, 0, 2), SL("in text number 4 delivered 0\nin text number 3 delivered 0\n")));
    CHECK_SLICE(messages(r, "t/tnet:U1", 2, 0, 10), SL("in text number 0 delivered 0\n"));
    CHECK_SLICE(messages(r, "t/tnet:U1", 0, 4, 10), SL("in text number 4 delivered 0\n"));
    UNTIL(r, slice_eq(conversations(r, &(struct history_query){ .account = SL("t/"), .text = SL("u2"), .limit = 10 }),
                      SL("t/tnet:U2 1 \xe4\xba\x88\xe7\xb4\x84\xe3\x81\xae\xe5\xa4\x89\xe6\x9b\xb4 open\n")));
    CHECK_SLICE(conversations(r, &(struct history_query){ .account = SL("t/tne"), .limit = 10 }), SL(""));
    UNTIL(r, searched(r, "mber 3", "").n > 0); /* when it is calm the texts are indexed */
    CHECK_SLICE(searched(r, "mber 3", "t/tnet"), SL("in text number 3 delivered 0\n"));
    CHECK_SLICE(searched(r, "mber 3", "other/"), SL(""));
    CHECK_SLICE(searched(r, "\" OR text:*", ""), SL(""));
    CHECK(searched(r, "\xe3\x81\xae\xe5\xa4\x89\xe6\x9b\xb4", "").n > 0);
    struct answer_seen s = asked(r);
    history_erase(r->hub.history, SL("t/tnet:U1"), ended, &s);
    UNTIL(r, s.done);
    CHECK_SLICE(messages(r, "t/tnet:U1", 0, 0, 10), SL(""));
    CHECK_SLICE(searched(r, "mber 3", ""), SL(""));
    CHECK(messages(r, "t/tnet:U2", 0, 0, 10).n > 0);
    rig_free(r);
}

static int refuse_first(struct rig *r, const struct seen *s)
{
    (void)s;
    return r->n_seen == 1 ? 503 : 200;
}

TEST(history_keeps_the_trace_and_goes_on_after_a_crash)
{
    struct rig *r = rig_new();
    history_on(r);
    r->answer = refuse_first;
    rig_text(r, "1", "U1", "hello");
    UNTIL(r, rig_count(r, J_DELIVERED) == 1);
    UNTIL(r, slice_eq(messages(r, "t/tnet:U1", 0, 0, 2), SL("in text hello delivered 0\n")));
    rig_text(r, "2", "U1", "not read yet");
    rig_crash(r);
    history_on(r);
    UNTIL(r, rig_count(r, J_DELIVERED) == 2);
    UNTIL(r, slice_eq(messages(r, "t/tnet:U1", 0, 0, 9), SL("in text not read yet delivered 0\nin text hello delivered 0\n")));
    struct answer_seen s = asked(r);
    history_message(r->hub.history, 1, each_msg, each_trace, ended, &s);
    UNTIL(r, s.done);
    CHECK_SLICE(text_slice(&s.text), SL("in text hello delivered 0\nretry\n"));
    rig_free(r);
}

TEST(history_that_is_off_says_so)
{
    struct rig *r = rig_new();
    struct answer_seen s = asked(r);
    history_messages(r->hub.history, SL("t/tnet:U1"), &(struct history_page){ .limit = 1 }, each_msg, ended, &s);
    CHECK(s.done);
    CHECK_SLICE(slice_of(s.f.code), SL("off"));
    rig_free(r);
}
