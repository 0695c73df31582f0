#include "hub/history.h"
#include "hub/rig_test.h"
#include "store/store.h"
#include "tests/harness/servers.h"
#include <signal.h>

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

static char database[256]; /* of the test in PostgreSQL, however often its hub starts */

static struct rig *rig_with_database(void)
{
    snprintf(database, sizeof(database), "%s", on_pg ? pg_place_new() : "");
    return rig_new();
}

static void history_on(struct rig *r)
{
    struct fault f = { 0 };
    r->hub.database = on_pg ? database : NULL;
    const char *dir = arena_printf(r->a, "%s/journal", r->dir).p; /* where the rig has its journal's folder */
    /* One that was freed in the middle of its work lets go of the database when the loop hears of the work's end. */
    UNTIL(r, (r->hub.history = history_new(&r->hub, dir, 86400000, &f)) || strcmp(f.code, "in_use") != 0);
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

TEST_BOTH(history_tells_what_was_said_both_ways_and_how_it_fared)
{
    struct rig *r = rig_with_database();
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

TEST_BOTH(history_pages_searches_and_erases)
{
    struct rig *r = rig_with_database();
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

TEST_BOTH(history_keeps_the_trace_and_goes_on_after_a_crash)
{
    struct rig *r = rig_with_database();
    history_on(r);
    r->answer = refuse_first;
    rig_text(r, "1", "U1", "hello");
    UNTIL(r, rig_count(r, J_DELIVERED) == 1);
    UNTIL(r, slice_eq(messages(r, "t/tnet:U1", 0, 0, 2), SL("in text hello delivered 0\n")));
    rig_text(r, "2", "U1", "not read yet");
    if (on_pg) { /* what the copy does not hold the database must not have heard of either */
        history_free(r->hub.history);
        r->hub.history = NULL;
    }
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

/* ---- what only a server can do ------------------------------------------------------------------------------------------------------ */

static bool is_unheard(struct rig *r, struct history *hi, const char *code)
{
    struct answer_seen s = asked(r);
    history_messages(hi, SL("t/tnet:U1"), &(struct history_page){ .limit = 1 }, each_msg, ended, &s);
    UNTIL(r, s.done);
    return s.f.code && strcmp(s.f.code, code) == 0;
}

TEST(history_goes_on_at_the_next_hub_exactly_where_the_one_before_stopped)
{
    on_pg = true;
    struct rig *r = rig_with_database();
    r->hub.turn = 1;
    history_on(r);
    r->answer = refuse_first;
    rig_text(r, "1", "U1", "hello");
    UNTIL(r, rig_count(r, J_DELIVERED) == 1);
    UNTIL(r, slice_eq(messages(r, "t/tnet:U1", 0, 0, 2), SL("in text hello delivered 0\n")));
    struct history *before = r->hub.history;
    r->hub.turn = 2;
    history_on(r);
    rig_text(r, "2", "U1", "of the second");
    UNTIL(r, rig_count(r, J_DELIVERED) == 2);
    UNTIL(r, slice_eq(messages(r, "t/tnet:U1", 0, 0, 9), SL("in text of the second delivered 0\nin text hello delivered 0\n")));
    rig_text(r, "3", "U1", "of the third");
    UNTIL(r, rig_count(r, J_DELIVERED) == 3);
    UNTIL(r, is_unheard(r, before, "in_use"));
    UNTIL(r, slice_starts(messages(r, "t/tnet:U1", 0, 0, 9), SL("in text of the third delivered 0\n")));
    struct answer_seen s = asked(r);
    history_message(r->hub.history, 1, each_msg, each_trace, ended, &s);
    UNTIL(r, s.done);
    CHECK_SLICE(text_slice(&s.text), SL("in text hello delivered 0\nretry\n")); /* once */
    CHECK_INT(pg_server_number(database, "SELECT messages FROM history_conversation"), 3);
    history_free(before);
    rig_free(r);
}

TEST(history_misses_nothing_while_its_database_is_away)
{
    on_pg = true;
    struct rig *r = rig_with_database();
    history_on(r);
    rig_text(r, "1", "U1", "before");
    UNTIL(r, slice_starts(messages(r, "t/tnet:U1", 0, 0, 2), SL("in text before ")));
    pg_server_stop(SIGKILL);
    rig_text(r, "2", "U1", "meanwhile");
    UNTIL(r, rig_count(r, J_DELIVERED) == 2);
    UNTIL(r, is_unheard(r, r->hub.history, "store_failed"));
    pg_server_start();
    UNTIL(r, !is_unheard(r, r->hub.history, "store_failed"));
    pg_server_cut();
    rig_text(r, "3", "U1", "after");
    UNTIL(r, slice_eq(messages(r, "t/tnet:U1", 0, 0, 9), SL("in text after delivered 0\nin text meanwhile delivered 0\nin text before delivered 0\n")));
    CHECK_INT(pg_server_number(database, "SELECT messages FROM history_conversation"), 3);
    rig_free(r);
}

TEST(history_misses_nothing_when_the_journal_has_no_more_room)
{
    on_pg = true;
    struct rig *r = rig_with_database();
    rig_stop(r);
    r->keep_bytes = 2 << 20;
    rig_start(r);
    history_on(r);
    rig_text(r, "0", "U1", "before");
    UNTIL(r, slice_starts(messages(r, "t/tnet:U1", 0, 0, 2), SL("in text before ")));
    pg_server_stop(SIGKILL);
    char *much = memset(must_calloc(1, 200001), 'x', 200000);
    rig_text(r, "1", "U2", "early");
    for (int i = 2; i < 32; i++) {
        uint64_t commits = (uint64_t)store_numbers(r->hub.store).commits;
        rig_text(r, arena_printf(r->a, "%d", i).p, "U1", much);
        if (i == 10) /* what is remembered is in the store: no segment is kept for that */
            UNTIL(r, rig_count(r, J_DELIVERED) == i + 1 && (uint64_t)store_numbers(r->hub.store).commits > commits);
    }
    UNTIL(r, rig_count(r, J_DELIVERED) == 32);
    pg_server_start();
    UNTIL(r, !is_unheard(r, r->hub.history, "store_failed"));
    UNTIL(r, slice_find(messages(r, "t/tnet:U1", 0, 0, 2), slice_of(much)) != SIZE_MAX);
    CHECK_SLICE(messages(r, "t/tnet:U2", 0, 0, 9), SL("in text early delivered 0\n"));
    free(much);
    rig_free(r);
}

TEST(history_made_from_another_journal_goes_on_with_this_one)
{
    on_pg = true;
    struct rig *r = rig_with_database();
    history_on(r);
    for (int i = 0; i < 5; i++)
        rig_text(r, arena_printf(r->a, "%d", i).p, "U1", "old");
    UNTIL(r, rig_count(r, J_DELIVERED) == 5 && slice_starts(messages(r, "t/tnet:U1", 0, 0, 1), SL("in text old delivered")));
    rig_free(r);
    r = rig_new();
    history_on(r);
    rig_text(r, "1", "U2", "new");
    UNTIL(r, slice_eq(messages(r, "t/tnet:U2", 0, 0, 9), SL("in text new delivered 0\n")));
    rig_free(r);
}
