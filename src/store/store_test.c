#include "store/store.h"
#include "net/loop.h"
#include "tests/harness/servers.h"
#include "tests/harness/test.h"
#include <libpq-fe.h>
#include <sqlite3.h>
#include <sys/stat.h>

static char path[256];
static struct store *open_new(void)
{
    if (on_pg)
        snprintf(path, sizeof(path), "%s", pg_place_new());
    else
        snprintf(path, sizeof(path), "%s/store.db", test_dir());
    struct fault f = { 0 };
    struct store *s = store_open(path, &f);
    if (!s)
        test_fail(__FILE__, __LINE__, "%s: %s", f.code, f.text);
    return s;
}

/* Another connection to the same store, in the words of each engine. */
struct other {
    sqlite3 *sqlite;
    PGconn *pg;
};
static struct other other_new(void)
{
    struct other o = { NULL, NULL };
    if (on_pg)
        o.pg = PQconnectdb(path);
    else
        CHECK(sqlite3_open(path, &o.sqlite) == SQLITE_OK);
    return o;
}
static void other_run(struct other *o, const char *in_sqlite, const char *in_pg)
{
    if (!on_pg) {
        CHECK(sqlite3_exec(o->sqlite, in_sqlite, 0, 0, 0) == SQLITE_OK);
        return;
    }
    PGresult *r = PQexec(o->pg, in_pg);
    bool ok = PQresultStatus(r) == PGRES_COMMAND_OK || PQresultStatus(r) == PGRES_TUPLES_OK;
    PQclear(r);
    if (!ok)
        test_fail(__FILE__, __LINE__, "%s: %s", in_pg, PQerrorMessage(o->pg));
}
static void other_free(struct other *o)
{
    sqlite3_close(o->sqlite);
    PQfinish(o->pg);
}

/* Collects what callbacks say as one text; a callback's arg is put before its note. */
#define TAG(literal) ((void *)(uintptr_t)(literal))
static char seen[4096];
static size_t seen_n;
static void note(const char *fmt, ...) PRINTF(1, 2);
static void note(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(seen + seen_n, sizeof(seen) - seen_n, fmt, ap);
    va_end(ap);
    seen_n = MIN(seen_n + (size_t)MAX(n, 0), sizeof(seen) - 1);
}
static slice noted(void)
{
    slice s = { seen, seen_n };
    seen_n = 0;
    return s;
}
static void on_pair(void *arg, slice key, slice value)
{
    note("%s" SLF "=" SLF " ", (const char *)arg, SLA(key), SLA(value));
}
static void on_done(void *arg, const struct fault *f)
{
    note("%sdone:%s ", (const char *)arg, f ? f->code : "ok");
}
static void on_got(void *arg, slice value, const struct fault *f)
{
    note("%sgot:%s" SLF " ", (const char *)arg, f ? f->code : value.p ? "" : "none", SLA(value));
}
static void on_attachment(void *arg, const struct attachment *a)
{
    note("%s" SLF "/%lld/%lld/%lld ", (const char *)arg, SLA(a->id), (long long)a->purge_at_ms, (long long)a->attempts,
         (long long)a->state);
}
static void on_got_attachment(void *arg, const struct attachment *a, const struct fault *f)
{
    if (a)
        note("%s" SLF "," SLF "," SLF "," SLF "," SLF "," SLF "," SLF "," SLF "," SLF ",%lld,%lld ", (const char *)arg, SLA(a->id),
             SLA(a->account), SLA(a->conversation), SLA(a->storage), SLA(a->handle), SLA(a->url), SLA(a->sha256), SLA(a->type),
             SLA(a->name), (long long)a->size, (long long)a->created_ms);
    else
        note("%sgot:%s ", (const char *)arg, f ? f->code : "none");
}

TEST_BOTH(store_keys_are_put_found_scanned_and_removed)
{
    struct store *s = open_new();
    struct stat st;
    CHECK(on_pg || (stat(path, &st) == 0 && (st.st_mode & 0777) == 0600));
    struct store_pair pairs[] = { { SL("a/1"), SL("one") },      { SL("a/2"), SL("") },        { SL("a/\xff"), SL("last") },
                                  { SL("b"), SL("x\0y") },       { SL("\xff\xff"), SL("end") }, { SL("a/1"), SL("uno") } };
    store_put(s, pairs, COUNT(pairs), on_done, TAG(""));
    CHECK_SLICE(noted(), SL("done:ok "));
    store_scan(s, SL("a/"), 0, on_pair, on_done, TAG(""));
    CHECK_SLICE(noted(), SL("a/1=uno a/2= a/\xff=last done:ok "));
    store_scan(s, SL("a/"), 2, on_pair, on_done, TAG(""));
    CHECK_SLICE(noted(), SL("a/1=uno a/2= done:ok "));
    store_walk(s, SL("a/"), 2, on_pair, on_done, TAG(""));
    CHECK_SLICE(noted(), SL("a/1=uno a/2= done:ok "));
    store_scan(s, SL("\xff"), 0, on_pair, on_done, TAG(""));
    CHECK_SLICE(noted(), SL("\xff\xff=end done:ok "));
    store_get(s, SL("a/2"), on_got, TAG(""));
    store_get(s, SL("nothing"), on_got, TAG(""));
    CHECK_SLICE(noted(), SL("got: got:none "));
    struct store_pair remove[] = { { SL("a/1"), SLICE_NONE }, { SL("c"), SL("new") } };
    store_put(s, remove, COUNT(remove), NULL, NULL);
    store_delete_prefix(s, SL("a/"), on_done, TAG(""));
    store_scan(s, SL(""), 0, on_pair, on_done, TAG(""));
    slice all = noted();
    CHECK(slice_starts(all, SL("done:ok b=x")) && slice_ends(all, SL("c=new \xff\xff=end done:ok ")));
    store_close(s);

    struct fault f;
    s = store_open(path, &f);
    store_get(s, SL("c"), on_got, TAG(""));
    CHECK_SLICE(noted(), SL("got:new "));
    store_close(s);
}

TEST_BOTH(store_refuses_what_is_too_long)
{
    struct store *s = open_new();
    static char big[STORE_VALUE_MAX + 1];
    struct store_pair pairs[] = { { SL("ok"), SL("x") }, { SL("big"), { big, sizeof(big) } } };
    store_put(s, pairs, 2, on_done, TAG(""));
    store_get(s, SL("ok"), on_got, TAG(""));
    store_get(s, (slice){ big, STORE_KEY_MAX + 1 }, on_got, TAG(""));
    CHECK_SLICE(noted(), SL("done:too_long got:none got:too_long "));
    store_close(s);
}

static void add_to(struct store *s, const char *id, const char *conversation, slice storage, int64_t purge_at)
{
    struct attachment a = { .id = slice_of(id), .account = SL("acme/line"), .conversation = slice_of(conversation), .storage = storage,
                            .handle = SL("{\"relpath\":\"x\"}"), .url = SL("http://x"), .sha256 = SL("ab"), .type = SL("image/png"),
                            .name = SL("あ.png"), .size = 7, .created_ms = 5, .purge_at_ms = purge_at };
    store_attachment_put(s, &a, on_done, TAG(""));
}

static void add(struct store *s, const char *id, const char *conversation, int64_t purge_at)
{
    add_to(s, id, conversation, SL("local"), purge_at);
}

TEST_BOTH(store_attachments_of_one_storage_are_purged_by_its_own_delay)
{
    struct store *s = open_new();
    add(s, "a1", "c1", 0), add_to(s, "a2", "c1", SL("aws"), 0), add_to(s, "a3", "c2", SL("aws"), 0);
    noted();
    store_attachment_in(s, SL("local"), on_got_attachment, TAG(""));
    store_attachment_in(s, SL("gone"), on_got_attachment, TAG(""));
    CHECK_SLICE(noted(), SL("a1,acme/line,c1,local,{\"relpath\":\"x\"},http://x,ab,image/png,あ.png,7,5 got:none "));
    store_attachments_purge(s, SL("c1"), SLICE_NONE, 100, on_done, TAG(""));
    store_attachments_purge(s, SL("c1"), SL("aws"), 200, on_done, TAG(""));
    noted();
    store_attachments_of(s, SL("c1"), on_attachment, on_done, TAG(""));
    CHECK_SLICE(noted(), SL("a1/100/0/0 a2/200/0/0 done:ok "));
    store_attachments_due(s, 150, 9999, 10, on_attachment, on_done, TAG(""));
    CHECK_SLICE(noted(), SL("a1/9999/1/1 done:ok "));
    store_attachments_purge(s, SL("c1"), SL("aws"), 0, on_done, TAG(""));
    noted();
    store_attachments_due(s, 9000, 9999, 10, on_attachment, on_done, TAG(""));
    CHECK_SLICE(noted(), SL("done:ok "));
    store_close(s);
}

TEST_BOTH(store_attachments_live_until_their_conversation_closed)
{
    struct store *s = open_new();
    add(s, "a1", "c1", 0), add(s, "a2", "c1", 0), add(s, "a3", "c2", 0), add(s, "a4", "c3", 50);
    noted();
    store_attachment_get(s, SL("a1"), on_got_attachment, TAG(""));
    store_attachment_get(s, SL("a9"), on_got_attachment, TAG(""));
    CHECK_SLICE(noted(), SL("a1,acme/line,c1,local,{\"relpath\":\"x\"},http://x,ab,image/png,あ.png,7,5 got:none "));
    store_attachments_due(s, 1000, 2000, 10, on_attachment, on_done, TAG(""));
    CHECK_SLICE(noted(), SL("a4/2000/1/1 done:ok "));
    store_attachments_purge(s, SL("c1"), SLICE_NONE, 1500, on_done, TAG(""));
    store_attachments_purge(s, SL("c2"), SLICE_NONE, 1500, on_done, TAG(""));
    store_attachments_purge(s, SL("c2"), SLICE_NONE, 0, on_done, TAG("")); /* opened again */
    store_attachments_purge(s, SL("c3"), SLICE_NONE, 0, on_done, TAG("")); /* begun: not taken back */
    noted();
    store_attachments_due(s, 1499, 9999, 10, on_attachment, on_done, TAG(""));
    CHECK_SLICE(noted(), SL("done:ok "));
    store_attachments_due(s, 1500, 1600, 1, on_attachment, on_done, TAG(""));
    CHECK_SLICE(noted(), SL("a1/1600/1/1 done:ok "));
    store_attachments_of(s, SL("c1"), on_attachment, on_done, TAG(""));
    CHECK_SLICE(noted(), SL("a1/1600/1/1 a2/1500/0/0 done:ok "));
    store_attachment_delete(s, SL("a1"), on_done, TAG(""));
    store_attachments_due(s, 2000, 3000, 10, on_attachment, on_done, TAG(""));
    CHECK_SLICE(noted(), SL("done:ok a2/3000/1/1 a4/3000/2/1 done:ok "));
    store_close(s);
}

/* ---- on the loop ------------------------------------------------------------------------------------------------------------- */

static int left;
static struct loop *the_loop;
static void count_down(void *arg, const struct fault *f)
{
    on_done(arg, f);
    if (--left == 0)
        loop_stop(the_loop);
}
static void count_silently(void *arg, const struct fault *f)
{
    *(int *)arg += f == NULL;
    if (--left == 0)
        loop_stop(the_loop);
}
static void too_late(void *arg)
{
    (void)arg;
    test_fail(__FILE__, __LINE__, "the store did not answer");
}

TEST_BOTH(store_answers_on_the_loop_in_order_and_shares_commits)
{
    the_loop = loop_new();
    struct loop_timer guard = { 0 };
    loop_timer_start(the_loop, &guard, 20000, too_late, NULL);
    struct store *s = open_new();
    store_start(s, the_loop);
    store_put(s, &(struct store_pair){ SL("k"), SL("1") }, 1, on_done, TAG("1"));
    store_get(s, SL("k"), on_got, TAG("2"));
    store_put(s, &(struct store_pair){ SL("k"), SL("2") }, 1, on_done, TAG("3"));
    store_get(s, SL("k"), on_got, TAG("4"));
    left = 1;
    store_scan(s, SL("k"), 0, on_pair, count_down, TAG("5"));
    CHECK_INT(seen_n, 0);
    loop_run(the_loop);
    CHECK_SLICE(noted(), SL("1done:ok 2got:1 3done:ok 4got:2 5k=2 5done:ok "));

    uint64_t commits = store_numbers(s).commits;
    int ok = 0;
    left = 500;
    for (int i = 0; i < 500; i++) {
        char key[16];
        snprintf(key, sizeof(key), "n%03d", i);
        store_put(s, &(struct store_pair){ slice_of(key), SL("v") }, 1, count_silently, &ok);
    }
    loop_run(the_loop);
    CHECK_INT(ok, 500);
    CHECK(store_numbers(s).commits - commits < 250);
    CHECK_INT(store_numbers(s).queue, 0);
    store_put(s, &(struct store_pair){ SL("at the end"), SL("kept") }, 1, on_done, TAG("never called"));
    store_close(s);
    loop_timer_done(&guard);
    loop_free(the_loop);
    CHECK_SLICE(noted(), SL(""));

    struct fault f;
    s = store_open(path, &f);
    store_get(s, SL("at the end"), on_got, TAG(""));
    CHECK_SLICE(noted(), SL("got:kept "));
    store_close(s);
}

static void close_it(void *arg, const struct fault *f)
{
    (void)f;
    store_close(arg);
    loop_stop(the_loop);
}

TEST_BOTH(store_may_be_closed_by_a_callback)
{
    the_loop = loop_new();
    struct store *s = open_new();
    store_start(s, the_loop);
    for (int i = 0; i < 3; i++)
        store_put(s, &(struct store_pair){ SL("k"), SL("v") }, 1, i == 1 ? close_it : on_done, i == 1 ? (void *)s : TAG("x"));
    loop_run(the_loop);
    slice got = noted();
    CHECK(slice_starts(got, SL("xdone:ok ")) && slice_find(slice_from(got, 1), SL("x")) == SIZE_MAX);
    loop_free(the_loop);
}

TEST_BOTH(store_full_queue_says_busy)
{
    the_loop = loop_new();
    struct loop_timer guard = { 0 };
    loop_timer_start(the_loop, &guard, 60000, too_late, NULL);
    struct store *s = open_new();
    /* Another connection holds the write lock, so that the thread cannot get on. */
    struct other other = other_new();
    other_run(&other, "BEGIN IMMEDIATE", "BEGIN; LOCK TABLE kv");
    store_start(s, the_loop);
    int ok = 0;
    left = STORE_QUEUE_MAX + 10;
    for (int i = 0; i < STORE_QUEUE_MAX + 10; i++)
        store_put(s, &(struct store_pair){ SL("k"), SL("v") }, 1, count_silently, &ok);
    other_free(&other);
    loop_run(the_loop);
    CHECK_INT(ok, STORE_QUEUE_MAX);
    store_close(s);
    loop_timer_done(&guard);
    loop_free(the_loop);
}

TEST_BOTH(store_failed_commit_fails_all_that_shared_it)
{
    struct store *s = open_new();
    store_close(s);
    struct other other = other_new();
    other_run(&other, "CREATE TRIGGER t BEFORE INSERT ON kv WHEN new.key=x'626164' BEGIN SELECT RAISE(ABORT,'no'); END",
              "CREATE FUNCTION no() RETURNS trigger AS $$ BEGIN RAISE EXCEPTION 'no'; END $$ LANGUAGE plpgsql;"
              "CREATE TRIGGER t BEFORE INSERT ON kv FOR EACH ROW WHEN (new.key='bad'::bytea) EXECUTE FUNCTION no()");
    other_free(&other);
    struct fault f;
    s = store_open(path, &f);
    CHECK(s);
    struct store_pair pairs[] = { { SL("good"), SL("1") }, { SL("bad"), SL("2") } };
    store_put(s, pairs, 2, on_done, TAG(""));
    store_get(s, SL("good"), on_got, TAG(""));
    store_put(s, pairs, 1, on_done, TAG(""));
    store_get(s, SL("good"), on_got, TAG(""));
    CHECK_SLICE(noted(), SL("done:store_failed got:none done:ok got:1 "));
    store_close(s);
}

TEST_BOTH(store_of_a_newer_version_or_no_store_is_refused)
{
    struct store *s = open_new();
    store_close(s);
    struct other other = other_new();
    other_run(&other, "PRAGMA user_version=99", "UPDATE dragoman_schema SET version=99");
    other_free(&other);
    struct fault f = { 0 };
    CHECK(!store_open(path, &f));
    CHECK_SLICE(slice_of(f.code), SL("newer"));
    CHECK(!store_open(on_pg ? "postgresql://nobody@/none?host=/proc/no" : "/proc/no/store.db", &f));
    CHECK_SLICE(slice_of(f.code), SL("store_failed"));
    if (on_pg)
        return;
    FILE *out = fopen(path, "we");
    fputs("this is not a database, and long enough to be read as one ......................................................", out);
    fclose(out);
    CHECK(!store_open(path, &f));
}
