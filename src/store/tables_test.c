/* What an engine keeps is the same when it comes back from the other one. */
#include "store/tables.h"
#include "store/contact_db.h"
#include "store/history_db.h"
#include "store/store.h"
#include "tests/harness/servers.h"
#include "tests/harness/test.h"

static struct fault f;

static struct tables *opened(enum table_set set, const char *where)
{
    f = (struct fault){ 0 };
    struct tables *t = tables_open(set, where, &f);
    if (!t)
        test_fail(__FILE__, __LINE__, "%s: %s", f.code, f.text);
    return t;
}

static int told_times;
static void count_told(void *arg, const char *name, int64_t rows)
{
    (void)arg;
    CHECK(*name && rows >= 0);
    told_times++;
}

/* From one place to the other; both say the same then. Returns the rows of the set. */
static int64_t copied(enum table_set set, const char *from, const char *to)
{
    struct tables *a = opened(set, from), *b = opened(set, to);
    int64_t rows = 0;
    for (size_t i = 0; i < tables_n(a); i++) {
        struct table_sum read, there;
        if (!tables_copy(a, b, i, &read, count_told, NULL, &f) || !tables_sum(b, i, &there, &f))
            test_fail(__FILE__, __LINE__, "%s: %s", f.code, f.text);
        CHECK_ROW(i, table_sum_same(&read, &there));
        rows += read.rows;
    }
    if (!tables_finish(b, &f))
        test_fail(__FILE__, __LINE__, "%s: %s", f.code, f.text);
    tables_close(a);
    tables_close(b);
    return rows;
}

static void well(void *arg, const struct fault *fault)
{
    (void)arg;
    CHECK(!fault);
}

static void value_is(void *arg, slice value, const struct fault *fault)
{
    CHECK(!fault);
    CHECK_SLICE(value, *(const slice *)arg);
}

static void attachment_is(void *arg, const struct attachment *a, const struct fault *fault)
{
    (void)arg;
    CHECK(!fault && a);
    CHECK_SLICE(a->handle, SL("{\"n\":\"\xff\"}"));
    CHECK(a->size == 77 && a->purge_at_ms == 99);
}

TEST(tables_of_the_store_go_to_the_other_engine_and_back)
{
    enum { KEYS = TABLES_PAGE * 2 + 7 };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    const char *here = arena_printf(a, "%s/store.db", test_dir()).p, *back = arena_printf(a, "%s/store.db", test_dir()).p, *pg = pg_place_new();
    struct store *s = store_open(here, &f);
    CHECK(s);
    for (int i = 0; i < KEYS; i++) {
        struct store_pair pair = { arena_printf(a, "key/%d", i), arena_printf(a, "value %d", i) };
        store_put(s, &pair, 1, well, NULL);
    }
    const slice odd = slice_mem("\0a\xff", 3), empty = SL(""); /* any bytes */
    store_put(s, &(struct store_pair){ odd, odd }, 1, well, NULL);
    store_put(s, &(struct store_pair){ SL("empty"), empty }, 1, well, NULL);
    store_attachment_put(s, &(struct attachment){ .id = SL("at-1"), .account = SL("acme/line"), .conversation = SL("acme/line:U1"), .handle = SL("{\"n\":\"\xff\"}"),
                                                  .size = 77, .purge_at_ms = 99 }, well, NULL);
    store_close(s);
    CHECK_INT(copied(TABLES_STORE, here, pg), KEYS + 3);
    CHECK(told_times >= 3);
    CHECK_INT(copied(TABLES_STORE, pg, back), KEYS + 3);
    const char *places[] = { pg, back };
    for (size_t i = 0; i < COUNT(places); i++) { /* as the store reads them */
        s = store_open(places[i], &f);
        CHECK(s);
        store_get(s, odd, value_is, (void *)(uintptr_t)&odd);
        store_get(s, SL("empty"), value_is, (void *)(uintptr_t)&empty);
        store_get(s, SL("key/1006"), value_is, &(slice){ "value 1006", 10 });
        store_attachment_get(s, SL("at-1"), attachment_is, NULL);
        store_close(s);
    }
}

static void note_text(void *arg, const struct history_message *m)
{
    text_add(arg, SLF "=" SLF ";", SLA(m->conversation), SLA(m->text));
}

TEST(tables_of_the_history_go_to_the_other_engine_and_back_and_are_gone_on_with)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    const char *here = arena_printf(a, "%s/history.db", test_dir()).p, *back = arena_printf(a, "%s/history.db", test_dir()).p, *pg = pg_place_new();
    struct history_db *db = history_db_open(here, 0, &f);
    CHECK(db && history_db_begin(db, &f));
    for (int64_t i = 1; i <= TABLES_PAGE + 3; i++) {
        struct history_message m = { .id = i, .conversation = arena_printf(a, "acme/line:U%lld", (long long)(i % 7)), .target = SL("acme/desk"), .at_ms = 1000 + i,
                                     .kind = SL("text"), .text = i == 5 ? SL("not \xff utf-8") : arena_printf(a, "text %lld", (long long)i), .peer_id = SL("p"),
                                     .body = SL("{}") };
        CHECK(history_db_add(db, &m, &f) && history_db_trace(db, i, 2000, SL("retry"), SL("{\"status\":503}"), &f));
    }
    CHECK(history_db_place_set(db, SL("\x01\0place"), &f) && history_db_commit(db, &f));
    history_db_close(db);
    CHECK_INT(copied(TABLES_HISTORY, here, pg), 2 * (TABLES_PAGE + 3) + 7 + 1);
    CHECK_INT(copied(TABLES_HISTORY, pg, back), 2 * (TABLES_PAGE + 3) + 7 + 1);
    const char *places[] = { pg, back };
    for (size_t i = 0; i < COUNT(places); i++) {
        db = history_db_open(places[i], 0, &f);
        if (!db)
            test_fail(__FILE__, __LINE__, "%s: %s", f.code, f.text);
        bool more = true;
        while (more)
            CHECK(history_db_begin(db, &f) && history_db_index(db, 300, &more, &f) && history_db_commit(db, &f));
        struct history_message m = { .id = 9000, .conversation = SL("acme/line:new"), .target = SL("acme/desk"), .at_ms = 9000, .kind = SL("text"),
                                     .text = SL("one more"), .peer_id = SL("p"), .body = SL("{}") };
        /* Numbers given by the database go on behind those that were copied. */
        if (!history_db_begin(db, &f) || !history_db_add(db, &m, &f) || !history_db_trace(db, 9000, 1, SL("x"), SL("{}"), &f) || !history_db_commit(db, &f))
            test_fail(__FILE__, __LINE__, "%s: %s", f.code, f.text);
        struct text found = text_new(a, 4096);
        CHECK(history_db_search(db, SL("text 499"), SLICE_NONE, 0, 10, note_text, &found, &f));
        CHECK_SLICE(text_slice(&found), SL("acme/line:U2=text 499;"));
        CHECK(history_db_messages(db, SL("acme/line:new"), 0, 0, 10, note_text, &found, &f));
        CHECK_SLICE(text_slice(&found), SL("acme/line:U2=text 499;acme/line:new=one more;"));
        slice at;
        CHECK(history_db_place(db, a, &at, &f));
        CHECK_SLICE(at, SL("\x01\0place"));
        history_db_close(db);
    }
}

TEST(tables_of_the_contacts_go_to_the_other_engine_and_back_and_are_gone_on_with)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    const char *here = arena_printf(a, "%s/contacts.db", test_dir()).p, *back = arena_printf(a, "%s/contacts.db", test_dir()).p, *pg = pg_place_new();
    struct contact_db *db = contact_db_open(here, 0, &f);
    int64_t n = 0, last = 0, wanted = 0;
    bool changed;
    CHECK(db && contact_db_begin(db, &f));
    for (int i = 0; i < 30; i++) {
        struct contact_identity v = { .conversation = arena_printf(a, "acme/line:U%d", i), .network = SL("line"), .name = arena_printf(a, "Guest Number %d", i),
                                      .phone = i % 3 ? SLICE_NONE : arena_printf(a, "+49 170 1000%d", i), .heard_ms = 1000 + i };
        CHECK(contact_db_hear(db, &v, &n, &changed, &f));
        wanted = i == 21 ? n : wanted;
    }
    struct contact one, gone;
    CHECK(contact_db_read(db, a, n, &gone, &f) && contact_db_read(db, a, wanted, &one, &f) && contact_db_merge(db, one.id, gone.id, &last, &f));
    CHECK(contact_db_commit(db, &f));
    contact_db_close(db);
    int64_t rows = copied(TABLES_CONTACTS, here, pg);
    CHECK(rows > 29 + 30 + 10);
    CHECK_INT(copied(TABLES_CONTACTS, pg, back), rows);
    const char *places[] = { pg, back };
    for (size_t i = 0; i < COUNT(places); i++) {
        db = contact_db_open(places[i], 0, &f);
        if (!db)
            test_fail(__FILE__, __LINE__, "%s: %s", f.code, f.text);
        struct js_list found = { 0 };
        CHECK(contact_db_list(db, a, &(struct contact_query){ .text = SL("umber 21"), .limit = 10 }, &found, &f));
        CHECK_INT(found.n, 1);
        int64_t at = 0;
        CHECK(contact_db_find(db, gone.id, &at, &f)); /* by its old number */
        CHECK_INT(at, wanted);
        struct contact_identity v = { .conversation = SL("acme/line:new"), .network = SL("line"), .name = SL("New"), .heard_ms = 9000 };
        if (!contact_db_begin(db, &f) || !contact_db_hear(db, &v, &at, &changed, &f) || !contact_db_commit(db, &f))
            test_fail(__FILE__, __LINE__, "%s: %s", f.code, f.text);
        CHECK(at > n - 1);
        contact_db_close(db);
    }
}

TEST(tables_can_be_cleared_and_a_difference_shows)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    const char *here = arena_printf(a, "%s/store.db", test_dir()).p, *pg = pg_place_new();
    struct store *s = store_open(here, &f);
    CHECK(s);
    store_put(s, (struct store_pair[]){ { SL("a"), SL("1") }, { SL("b"), SL("2") } }, 2, well, NULL);
    store_close(s);
    CHECK_INT(copied(TABLES_STORE, here, pg), 2);
    pg_server_run(pg, "UPDATE kv SET value='3' WHERE key='b'");
    struct tables *x = opened(TABLES_STORE, here), *y = opened(TABLES_STORE, pg);
    struct table_sum one, other;
    CHECK(tables_sum(x, 0, &one, &f) && tables_sum(y, 0, &other, &f));
    CHECK(one.rows == 2 && other.rows == 2 && !table_sum_same(&one, &other));
    CHECK(!tables_open(TABLES_STORE, pg, &f)); /* who has them open is their one writer */
    CHECK_SLICE(slice_of(f.code), SL("in_use"));
    CHECK(!tables_copy(x, y, 0, &one, NULL, NULL, &f)); /* they are there */
    CHECK(tables_clear(y, 0, &f) && tables_sum(y, 0, &other, &f));
    CHECK_INT(other.rows, 0);
    CHECK(tables_copy(x, y, 0, &one, NULL, NULL, &f) && tables_sum(y, 0, &other, &f) && table_sum_same(&one, &other));
    tables_close(x);
    tables_close(y);
}
