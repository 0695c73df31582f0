#include "store/history_db.h"
#include "store/pg.h"
#include "tests/harness/servers.h"
#include "tests/harness/test.h"
#include <pthread.h>
#include <sqlite3.h>

static struct fault f;
static struct arena *a;
static char place[256];

static struct history_db *open_turn(const char *where, int64_t turn)
{
    f = (struct fault){ 0 };
    struct history_db *db = history_db_open(where, turn, &f);
    if (!db)
        test_fail(__FILE__, __LINE__, "%s: %s", f.code, f.text);
    return db;
}

static struct history_db *open_new(void)
{
    a = arena_new();
    if (on_pg)
        snprintf(place, sizeof(place), "%s", pg_place_new());
    else
        snprintf(place, sizeof(place), "%s/history.db", test_dir());
    return open_turn(place, 0);
}

static void close_all(struct history_db *db)
{
    history_db_close(db);
    a = arena_free(a);
}

#define IN_TRANSACTION(db, call)                                                                                                               \
    do {                                                                                                                                       \
        if (!history_db_begin(db, &f) || !(call) || !history_db_commit(db, &f))                                                                 \
            test_fail(__FILE__, __LINE__, "%s: %s", f.code, f.text);                                                                           \
    } while (0)

static struct history_message message(int64_t id, const char *conversation, const char *text)
{
    return (struct history_message){ .id = id, .conversation = slice_of(conversation), .target = SL("acme/desk"), .at_ms = 1000 + id, .way = HISTORY_IN,
                                     .kind = SL("text"), .text = slice_of(text), .peer_id = arena_printf(a, "p%lld", (long long)id), .body = SL("{\"x\":1}") };
}

static void add(struct history_db *db, int64_t id, const char *conversation, const char *text)
{
    struct history_message m = message(id, conversation, text);
    IN_TRANSACTION(db, history_db_add(db, &m, &f));
}

/* What the readings tell, one word for each row. */
static struct text told;
static void told_new(void)
{
    told = text_new(a, 1 << 16);
}
static slice told_now(bool ok)
{
    if (!ok)
        test_fail(__FILE__, __LINE__, "%s: %s", f.code, f.text);
    slice all = text_slice(&told);
    told_new();
    return all;
}
static void tell_message(void *arg, const struct history_message *m)
{
    (void)arg;
    text_add(&told, "%lld:" SLF " ", (long long)m->id, SLA(m->text));
}
static void tell_whole(void *arg, const struct history_message *m)
{
    (void)arg;
    text_add(&told, "%lld " SLF " " SLF " %lld %d %d %lld %lld %lld " SLF " " SLF " " SLF " " SLF " " SLF " " SLF " " SLF "\n", (long long)m->id, SLA(m->conversation),
             SLA(m->target), (long long)m->at_ms, m->way, m->state, (long long)m->status, (long long)m->tries, (long long)m->ended_ms, SLA(m->kind),
             SLA(m->text), SLA(m->peer_id), SLA(m->vendor_id), SLA(m->body), SLA(m->media), SLA(m->note));
}
static void tell_conversation(void *arg, const struct history_conversation *c)
{
    (void)arg;
    text_add(&told, SLF "/" SLF "/%lld/" SLF "/%s ", SLA(c->id), SLA(c->name), (long long)c->messages, SLA(c->last_text), c->open ? "open" : "closed");
}
static void tell_trace(void *arg, int64_t at_ms, slice op, slice note)
{
    (void)arg;
    text_add(&told, "%lld:" SLF ":" SLF " ", (long long)at_ms, SLA(op), SLA(note));
}
static void tell_queue(void *arg, slice target, int64_t n, int64_t oldest_ms)
{
    (void)arg;
    text_add(&told, SLF ":%lld:%lld ", SLA(target), (long long)n, (long long)oldest_ms);
}
static void tell_news(void *arg, const struct history_news *v)
{
    (void)arg;
    text_add(&told, SLF "/" SLF "/" SLF "/%lld/%lld ", SLA(v->id), SLA(v->name), SLA(v->first), (long long)v->heard_ms, (long long)v->mark);
}

static slice searched(struct history_db *db, const char *text, const char *account)
{
    bool more = true;
    while (more)
        IN_TRANSACTION(db, history_db_index(db, 2, &more, &f));
    return told_now(history_db_search(db, slice_of(text), slice_of(account), 0, 10, tell_message, NULL, &f));
}

TEST_BOTH(history_keeps_messages_and_how_they_fared)
{
    struct history_db *db = open_new();
    told_new();
    struct history_message m = message(7, "acme/line:U1", "hello");
    IN_TRANSACTION(db, history_db_add(db, &m, &f) && history_db_state(db, 7, 0, 1500, 1, SLICE_NONE, SL("{\"why\":\"503\"}"), &f) &&
                           history_db_trace(db, 7, 1500, SL("retry"), SL("{\"why\":\"503\"}"), &f) &&
                           history_db_state(db, 7, 2, 1600, 1, SL("v7"), SLICE_NONE, &f) && history_db_trace(db, 7, 1400, SL("note"), SL("first"), &f) &&
                           history_db_trace(db, 8, 1, SL("note"), SL("of none"), &f) && history_db_media(db, 7, SL("[1]"), &f) &&
                           history_db_status(db, SL("acme/line:U1"), SL("v7"), 3, &f) && history_db_status(db, SL("acme/line:U1"), SL("p7"), 2, &f) &&
                           history_db_status(db, SL("acme/line:U2"), SL("v7"), 4, &f));
    CHECK_SLICE(told_now(history_db_message(db, 7, tell_whole, NULL, &f)),
                SL("7 acme/line:U1 acme/desk 1007 0 2 3 2 1600 text hello p7 v7 {\"x\":1} [1] {\"why\":\"503\"}\n"));
    CHECK_SLICE(told_now(history_db_traces(db, 7, tell_trace, NULL, &f)), SL("1400:note:first 1500:retry:{\"why\":\"503\"} "));
    CHECK_SLICE(told_now(history_db_traces(db, 8, tell_trace, NULL, &f)), SL(""));
    add(db, 7, "acme/line:U1", "hello"); /* read from the journal again */
    CHECK_SLICE(told_now(history_db_conversation(db, SL("acme/line:U1"), tell_conversation, NULL, &f)), SL("acme/line:U1//1/hello/closed "));
    slice at;
    CHECK(history_db_place(db, a, &at, &f) && !at.p);
    IN_TRANSACTION(db, history_db_place_set(db, SL("a\0b\xff"), &f));
    IN_TRANSACTION(db, history_db_place_set(db, SL("c\0d\xff"), &f));
    history_db_close(db);
    db = open_turn(place, 0);
    CHECK(history_db_place(db, a, &at, &f));
    CHECK_SLICE(at, SL("c\0d\xff"));
    CHECK(history_db_begin(db, &f) && history_db_place_set(db, SL("x"), &f));
    history_db_rollback(db);
    CHECK(history_db_place(db, a, &at, &f));
    CHECK_SLICE(at, SL("c\0d\xff"));
    close_all(db);
}

TEST_BOTH(history_lists_conversations_by_pages_and_what_is_asked)
{
    struct history_db *db = open_new();
    told_new();
    add(db, 1, "acme/line:U1", "one"), add(db, 2, "acme/line:U2", "two"), add(db, 3, "other/line:U3", "three"), add(db, 4, "acme/sms:+49%1", "four");
    IN_TRANSACTION(db, history_db_person(db, SL("acme/line:U1"), SL("Ann_x"), SL("{}"), true, &f));
    struct history_query q = { .limit = 10 };
    CHECK_SLICE(told_now(history_db_conversations(db, &q, tell_conversation, NULL, &f)),
                SL("acme/sms:+49%1//1/four/closed other/line:U3//1/three/closed acme/line:U2//1/two/closed acme/line:U1/Ann_x/1/one/open "));
    q = (struct history_query){ .account = SL("acme/"), .limit = 1 };
    CHECK_SLICE(told_now(history_db_conversations(db, &q, tell_conversation, NULL, &f)), SL("acme/sms:+49%1//1/four/closed "));
    q.before_ms = 1004, q.before_id = 4, q.limit = 10;
    CHECK_SLICE(told_now(history_db_conversations(db, &q, tell_conversation, NULL, &f)), SL("acme/line:U2//1/two/closed acme/line:U1/Ann_x/1/one/open "));
    static const struct { const char *account, *text; int open; const char *found; } rows[] = {
        { "acme/line", "", 1, "acme/line:U1/Ann_x/1/one/open " },
        { "acme/lin", "", 0, "" },
        { "acme/line", "", -1, "acme/line:U2//1/two/closed " },
        { "", "ann", 0, "acme/line:U1/Ann_x/1/one/open " },
        { "", "N_X", 0, "acme/line:U1/Ann_x/1/one/open " },
        { "", "_n", 0, "" },
        { "", "49%", 0, "acme/sms:+49%1//1/four/closed " },
        { "", "%", 0, "acme/sms:+49%1//1/four/closed " },
        { "", "\\", 0, "" },
        { "", "'", 0, "" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        q = (struct history_query){ .account = slice_of(rows[i].account), .text = slice_of(rows[i].text), .open = rows[i].open, .limit = 10 };
        CHECK_ROW(i, slice_eq(told_now(history_db_conversations(db, &q, tell_conversation, NULL, &f)), slice_of(rows[i].found)));
    }
    close_all(db);
}

TEST_BOTH(history_tells_messages_by_pages_failed_and_waiting_ones)
{
    struct history_db *db = open_new();
    told_new();
    for (int i = 1; i <= 5; i++)
        add(db, i, "acme/line:U1", arena_printf(a, "n%d", i).p);
    add(db, 6, "acme/line:U2", "Order 66%");
    CHECK_SLICE(told_now(history_db_messages(db, SL("acme/line:U1"), 0, 0, 2, tell_message, NULL, &f)), SL("5:n5 4:n4 "));
    CHECK_SLICE(told_now(history_db_messages(db, SL("acme/line:U1"), 4, 0, 2, tell_message, NULL, &f)), SL("3:n3 2:n2 "));
    CHECK_SLICE(told_now(history_db_messages(db, SL("acme/line:U1"), 0, 3, 9, tell_message, NULL, &f)), SL("4:n4 5:n5 "));
    CHECK_SLICE(told_now(history_db_messages(db, SL("acme/line:U1"), 0, -1, 1, tell_message, NULL, &f)), SL("1:n1 "));
    CHECK_SLICE(told_now(history_db_messages_of(db, SL("[\"acme/line:U1\",\"acme/line:U2\",\"none\"]"), SLICE_NONE, 6, 2, tell_message, NULL, &f)), SL("5:n5 4:n4 "));
    CHECK_SLICE(told_now(history_db_messages_of(db, SL("[\"acme/line:U1\",\"acme/line:U2\"]"), SL("6%"), 0, 9, tell_message, NULL, &f)), SL("6:Order 66% "));
    CHECK_SLICE(told_now(history_db_messages_of(db, SL("[]"), SLICE_NONE, 0, 9, tell_message, NULL, &f)), SL(""));
    CHECK_SLICE(told_now(history_db_waiting(db, tell_queue, NULL, &f)), SL("acme/desk:6:1001 "));
    IN_TRANSACTION(db, history_db_state(db, 2, 3, 0, 1, SLICE_NONE, SL("{\"reason\":\"refused\"}"), &f) && history_db_state(db, 3, 4, 0, 1, SLICE_NONE, SL("{}"), &f) &&
                           history_db_state(db, 4, 3, 0, 0, SLICE_NONE, SL("{\"by\":\"ann\"}"), &f) && history_db_state(db, 6, 3, 0, 1, SLICE_NONE, SL("{}"), &f));
    const struct { struct history_failed q; const char *found; } rows[] = {
        { { .limit = 9 }, "6:Order 66% 3:n3 2:n2 " },
        { { .limit = 1 }, "6:Order 66% " },
        { { .before_id = 6, .limit = 9 }, "3:n3 2:n2 " },
        { { .state = 3, .limit = 9 }, "6:Order 66% 2:n2 " },
        { { .note = SL("refused"), .limit = 9 }, "2:n2 " },
        { { .text = SL("REFUSED"), .limit = 9 }, "2:n2 " },
        { { .text = SL("order 66%"), .limit = 9 }, "6:Order 66% " },
        { { .text = SL(":u1"), .limit = 9 }, "3:n3 2:n2 " },
        { { .account = SL("acme/line"), .target = SL("acme/desk"), .limit = 9 }, "6:Order 66% 3:n3 2:n2 " },
        { { .account = SL("acme/li"), .limit = 9 }, "" },
        { { .target = SL("acme/other"), .limit = 9 }, "" },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_ROW(i, slice_eq(told_now(history_db_failed(db, &rows[i].q, tell_message, NULL, &f)), slice_of(rows[i].found)));
    CHECK_SLICE(told_now(history_db_waiting(db, tell_queue, NULL, &f)), SL("acme/desk:2:1001 "));
    close_all(db);
}

static const struct { const char *text, *account, *found; } searches[] = {
    { "mber 3", "", "3:Number 3 " },
    { "NUMBER", "", "4:number four 3:Number 3 " },
    { "number", "acme/line", "3:Number 3 " },
    { "number", "acme/", "3:Number 3 " },
    { "number", "acme/lin", "" },
    { "\" OR text:*", "", "" },
    { "100%", "", "5:100% sure_ly " },
    { "0% sure_l", "", "5:100% sure_ly " },
    { "00_", "", "" },
    { "C:\\dir", "", "6:it's in C:\\dir \"here\" " },
    { "it's", "", "6:it's in C:\\dir \"here\" " },
    { "\"here\"", "", "6:it's in C:\\dir \"here\" " },
    { "\xe3\x81\xae\xe5\xa4\x89\xe6\x9b\xb4", "", "7:\xe4\xba\x88\xe7\xb4\x84\xe3\x81\xae\xe5\xa4\x89\xe6\x9b\xb4 " }, /* 予約の変更 */
    { "\xe5\xa4\x89\xe6\x9b\xb4", "", "" }, /* two characters */
    { "nothing", "", "" },
    { "ab", "", "" },
    { "", "", "" },
};

static void say_all(struct history_db *db)
{
    add(db, 3, "acme/line:U1", "Number 3"), add(db, 4, "other/line:U1", "number four"), add(db, 5, "acme/line:U2", "100% sure_ly");
    add(db, 6, "acme/line:U2", "it's in C:\\dir \"here\""), add(db, 7, "acme/line:U2", "\xe4\xba\x88\xe7\xb4\x84\xe3\x81\xae\xe5\xa4\x89\xe6\x9b\xb4");
}

static void search_all(struct history_db *db)
{
    for (size_t i = 0; i < COUNT(searches); i++) {
        slice found = searched(db, searches[i].text, searches[i].account);
        if (!slice_eq(found, slice_of(searches[i].found)))
            test_fail(__FILE__, __LINE__, "row %zu: '" SLF "'", i, SLA(found));
    }
}

TEST_BOTH(history_finds_parts_of_texts)
{
    struct history_db *db = open_new();
    told_new();
    say_all(db);
    search_all(db);
    CHECK_SLICE(told_now(history_db_search(db, SL("number"), SLICE_NONE, 4, 10, tell_message, NULL, &f)), SL("3:Number 3 "));
    CHECK_SLICE(told_now(history_db_search(db, SL("number"), SLICE_NONE, 0, 1, tell_message, NULL, &f)), SL("4:number four "));
    close_all(db);
}

TEST_BOTH(history_expires_and_erases_with_all_that_belongs_to_it)
{
    struct history_db *db = open_new();
    told_new();
    say_all(db);
    bool more = true;
    IN_TRANSACTION(db, history_db_index(db, 3, &more, &f) && history_db_trace(db, 3, 1, SL("note"), SL("x"), &f) && history_db_trace(db, 6, 1, SL("note"), SL("y"), &f));
    CHECK(more == !on_pg);
    IN_TRANSACTION(db, history_db_expire(db, 1005, 1, &more, &f));
    CHECK(more);
    IN_TRANSACTION(db, history_db_expire(db, 1005, 9, &more, &f));
    CHECK(!more);
    CHECK_SLICE(searched(db, "number", ""), SL(""));
    CHECK_SLICE(told_now(history_db_traces(db, 3, tell_trace, NULL, &f)), SL(""));
    CHECK_SLICE(told_now(history_db_conversations(db, &(struct history_query){ .limit = 9 }, tell_conversation, NULL, &f)),
                SL("acme/line:U2//3/\xe4\xba\x88\xe7\xb4\x84\xe3\x81\xae\xe5\xa4\x89\xe6\x9b\xb4/closed "));
    add(db, 8, "acme/line:U3", "not indexed yet, and sure_ly kept");
    IN_TRANSACTION(db, history_db_erase(db, SL("acme/line:U2"), &f));
    CHECK_SLICE(told_now(history_db_messages(db, SL("acme/line:U2"), 0, 0, 9, tell_message, NULL, &f)), SL(""));
    CHECK_SLICE(told_now(history_db_traces(db, 6, tell_trace, NULL, &f)), SL(""));
    CHECK_SLICE(searched(db, "sure_ly", ""), SL("8:not indexed yet, and sure_ly kept "));
    IN_TRANSACTION(db, history_db_erase(db, SL("acme/line:U2"), &f));
    close_all(db);
}

TEST_BOTH(history_news_are_told_until_they_are_taken)
{
    struct history_db *db = open_new();
    told_new();
    struct history_message out = message(1, "acme/line:U1", "from us");
    out.way = HISTORY_OUT;
    IN_TRANSACTION(db, history_db_add(db, &out, &f));
    CHECK_SLICE(told_now(history_db_news(db, 9, tell_news, NULL, &f)), SL("acme/line:U1///1001/1 "));
    add(db, 2, "acme/line:U1", "hello"), add(db, 3, "acme/line:U2", "other");
    CHECK_SLICE(told_now(history_db_news(db, 9, tell_news, NULL, &f)), SL("acme/line:U1//{\"x\":1}/1001/1 acme/line:U2//{\"x\":1}/1003/1 "));
    CHECK_SLICE(told_now(history_db_news(db, 1, tell_news, NULL, &f)), SL("acme/line:U1//{\"x\":1}/1001/1 "));
    IN_TRANSACTION(db, history_db_person(db, SL("acme/line:U2"), SL("Bo"), SL("{\"name\":\"Bo\"}"), true, &f) && history_db_news_taken(db, SL("acme/line:U1"), 1, &f) &&
                           history_db_news_taken(db, SL("acme/line:U2"), 1, &f));
    CHECK_SLICE(told_now(history_db_news(db, 9, tell_news, NULL, &f)), SL("acme/line:U2/Bo/{\"x\":1}/1003/2 "));
    IN_TRANSACTION(db, history_db_news_taken(db, SL("acme/line:U2"), 2, &f) && history_db_person(db, SL("acme/line:U2"), SL("Bo"), SL("{\"name\":\"Bo\"}"), false, &f));
    CHECK_SLICE(told_now(history_db_news(db, 9, tell_news, NULL, &f)), SL(""));
    close_all(db);
}

TEST_BOTH(history_takes_any_bytes)
{
    struct history_db *db = open_new();
    told_new();
    struct history_message m = message(1, "x", "");
    m.conversation = SL("acme/line:\xff\0" "a");
    m.text = SL("bad \xff\xfe byte, zero \0 byte");
    m.peer_id = m.vendor_id = m.target = m.body = SL("\0\xff");
    m.note = SL("\xc3");
    IN_TRANSACTION(db, history_db_add(db, &m, &f) && history_db_person(db, m.conversation, SL("\xff\0"), SL("\xff\0"), true, &f) &&
                           history_db_media(db, 1, SL("\0\xff"), &f) && history_db_trace(db, 1, 1, SL("\xff"), SL("\xfe"), &f) &&
                           history_db_status(db, m.conversation, SL("\0\xff"), 2, &f));
    CHECK_SLICE(told_now(history_db_traces(db, 1, tell_trace, NULL, &f)), SL("1:\xff:\xfe "));
    size_t n = told_now(history_db_messages(db, m.conversation, 0, 0, 9, tell_message, NULL, &f)).n;
    CHECK(n > 10);
    CHECK_SLICE(searched(db, "byte\xff\xfe", ""), SL(""));
    CHECK(slice_starts(searched(db, " byte,", ""), SL("1:bad ")));
    close_all(db);
}

TEST_BOTH(history_of_a_newer_version_is_refused)
{
    close_all(open_new());
    if (on_pg) {
        pg_server_run(place, "UPDATE dragoman_schema SET version=99 WHERE name='history'");
    } else {
        sqlite3 *db;
        CHECK(sqlite3_open(place, &db) == SQLITE_OK && sqlite3_exec(db, "PRAGMA user_version=99", 0, 0, 0) == SQLITE_OK);
        sqlite3_close(db);
    }
    CHECK(!history_db_open(place, 0, &f));
    CHECK_SLICE(slice_of(f.code), SL("newer"));
}

/* ---- what only a server can do ---------------------------------------------------------------------------------------------------- */

static void open_pg(void)
{
    on_pg = true;
    a = arena_new();
    told_new();
    snprintf(place, sizeof(place), "%s", pg_place_new());
}

TEST(history_without_an_index_of_words_finds_the_same)
{
    open_pg();
    history_db_close(open_turn(place, 0));
    CHECK_INT(pg_server_number(place, "SELECT count(*) FROM pg_indexes WHERE schemaname=current_schema() AND indexname='history_message_words'"), 1);
    pg_server_run(place, "DROP INDEX history_message_words");
    struct history_db *db = open_turn(place, 0);
    say_all(db);
    search_all(db);
    close_all(db);
}

struct starting {
    int64_t turn;
    struct history_db *db;
    struct fault f;
};

static void *start_one(void *arg)
{
    struct starting *st = arg;
    st->db = history_db_open(place, st->turn, &st->f);
    return NULL;
}

TEST(history_hubs_that_start_at_once_make_the_tables_once_and_the_last_turn_writes)
{
    pthread_t threads[4];
    struct starting starting[COUNT(threads)];
    open_pg();
    for (size_t i = 0; i < COUNT(threads); i++) {
        starting[i] = (struct starting){ .turn = (int64_t)i + 1 };
        CHECK(pthread_create(&threads[i], NULL, start_one, &starting[i]) == 0);
    }
    for (size_t i = 0; i < COUNT(threads); i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK_INT(pg_server_number(place, "SELECT version FROM dragoman_schema WHERE name='history'"), 1);
    for (size_t i = 0; i < COUNT(threads); i++) {
        struct history_db *db = starting[i].db;
        bool last = i + 1 == COUNT(threads);
        if (last && !db)
            test_fail(__FILE__, __LINE__, "%s: %s", starting[i].f.code, starting[i].f.text);
        if (db)
            CHECK_ROW(i, (history_db_begin(db, &f) && history_db_place_set(db, SL("x"), &f) && history_db_commit(db, &f)) == last);
        history_db_close(db);
    }
    a = arena_free(a);
}

TEST(history_goes_on_with_the_next_turn_and_the_one_before_writes_no_more)
{
    open_pg();
    struct history_db *one = open_turn(place, 1), *two;
    struct history_message m = message(1, "acme/line:U1", "from the first");
    slice at;
    IN_TRANSACTION(one, history_db_add(one, &m, &f) && history_db_place_set(one, SL("after 1"), &f));
    /* It is stopped within a transaction that touches what the other one needs, and wakes up later. */
    struct history_message late = message(2, "acme/line:U1", "too late");
    CHECK(history_db_begin(one, &f) && history_db_add(one, &late, &f) && history_db_place_set(one, SL("after 2, too late"), &f));
    CHECK(!history_db_open(place, 0, &(struct fault){ 0 })); /* one that takes over from nobody */
    two = open_turn(place, 2);
    CHECK(history_db_place(two, a, &at, &f));
    CHECK_SLICE(at, SL("after 1"));
    struct history_message next = message(2, "acme/line:U1", "from the second");
    IN_TRANSACTION(two, history_db_add(two, &next, &f) && history_db_place_set(two, SL("after 2"), &f));
    CHECK(!history_db_commit(one, &f));
    history_db_rollback(one);
    for (int i = 0; i < 2; i++) {
        bool begun = history_db_begin(one, &f);
        CHECK(!begun || !history_db_add(one, &late, &f) || !history_db_commit(one, &f));
        history_db_rollback(one);
    }
    CHECK_SLICE(slice_of(f.code), SL("in_use"));
    IN_TRANSACTION(two, history_db_trace(two, 2, 1, SL("note"), SL("still here"), &f));
    CHECK_SLICE(told_now(history_db_messages(two, SL("acme/line:U1"), 0, 0, 9, tell_message, NULL, &f)), SL("2:from the second 1:from the first "));
    CHECK(history_db_place(two, a, &at, &f));
    CHECK_SLICE(at, SL("after 2"));
    /* An earlier turn that comes late takes nothing. */
    CHECK(!history_db_open(place, 1, &f));
    CHECK_SLICE(slice_of(f.code), SL("in_use"));
    IN_TRANSACTION(two, history_db_trace(two, 2, 2, SL("note"), SL("still here"), &f));
    history_db_close(one);
    close_all(two);
    history_db_close(open_turn(place, 0)); /* a hub that is alone again */
}

TEST(history_row_of_the_claim_alone_keeps_others_out)
{
    open_pg();
    struct history_db *db = open_turn(place, 5);
    struct history_message m = message(1, "acme/line:U1", "x");
    pg_server_run(place, "UPDATE dragoman_claim SET writer='another' WHERE name='history'");
    CHECK(history_db_begin(db, &f) && history_db_add(db, &m, &f) && !history_db_commit(db, &f));
    CHECK_SLICE(slice_of(f.code), SL("in_use"));
    history_db_rollback(db);
    CHECK(!history_db_begin(db, &f));
    CHECK_SLICE(slice_of(f.code), SL("in_use"));
    CHECK_INT(pg_server_number(place, "SELECT count(*) FROM history_message"), 0);
    close_all(db);
}

TEST(history_whose_connection_is_cut_says_what_can_be_done_again)
{
    open_pg();
    struct history_db *db = open_turn(place, 1);
    add(db, 1, "acme/line:U1", "one");
    pg_server_cut();
    struct history_message m = message(2, "acme/line:U1", "two");
    bool ok = history_db_begin(db, &f) && history_db_add(db, &m, &f) && history_db_commit(db, &f);
    if (!ok) {
        CHECK_SLICE(slice_of(f.code), SL("store_lost"));
        history_db_rollback(db);
        IN_TRANSACTION(db, history_db_add(db, &m, &f));
    }
    pg_server_cut();
    CHECK_SLICE(told_now(history_db_messages(db, SL("acme/line:U1"), 0, 0, 9, tell_message, NULL, &f)), SL("2:two 1:one "));
    close_all(db);
}

TEST(history_of_a_journal_that_began_anew_replaces_what_has_the_same_number)
{
    open_pg();
    struct history_db *db = open_turn(place, 0);
    add(db, 1, "acme/line:U1", "of the old journal");
    IN_TRANSACTION(db, history_db_trace(db, 1, 1, SL("note"), SL("old"), &f) && history_db_media(db, 1, SL("[1]"), &f));
    struct history_message m = message(1, "acme/line:U2", "of the new one");
    m.at_ms = 9999;
    IN_TRANSACTION(db, history_db_add(db, &m, &f));
    CHECK_SLICE(told_now(history_db_message(db, 1, tell_whole, NULL, &f)), SL("1 acme/line:U2 acme/desk 9999 0 0 0 0 0 text of the new one p1  {\"x\":1}  \n"));
    CHECK_SLICE(told_now(history_db_traces(db, 1, tell_trace, NULL, &f)), SL(""));
    close_all(db);
}
