/* What only a server can do to a store: go away, come back, be used by two. */
#include "net/loop.h"
#include "store/store.h"
#include "tests/harness/servers.h"
#include "tests/harness/test.h"
#include <pthread.h>
#include <signal.h>

static struct store *open_at(const char *place)
{
    struct fault f = { 0 };
    struct store *s = store_open(place, &f);
    if (!s)
        test_fail(__FILE__, __LINE__, "%s: %s", f.code, f.text);
    return s;
}

static void keep_code(void *arg, const struct fault *f)
{
    *(const char **)arg = f ? f->code : "ok";
}

static const char *put(struct store *s, const char *key, const char *value)
{
    const char *code = "not called";
    store_put(s, &(struct store_pair){ slice_of(key), slice_of(value) }, 1, keep_code, &code);
    return code;
}

/* ---- several programs at once -------------------------------------------------------------------------------------------------- */

struct starting {
    const char *place;
    struct store *store;
    struct fault f;
};

static void *start_one(void *arg)
{
    struct starting *st = arg;
    st->store = store_open(st->place, &st->f);
    return NULL;
}

TEST(pg_programs_that_start_at_once_make_the_tables_once_and_one_of_them_writes)
{
    const char *place = pg_place_new();
    pthread_t threads[6];
    struct starting starting[COUNT(threads)];
    for (size_t i = 0; i < COUNT(threads); i++) {
        starting[i] = (struct starting){ .place = place };
        CHECK(pthread_create(&threads[i], NULL, start_one, &starting[i]) == 0);
    }
    struct store *only = NULL;
    for (size_t i = 0; i < COUNT(threads); i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
        if (starting[i].store) {
            CHECK(!only);
            only = starting[i].store;
        } else {
            CHECK_SLICE(slice_of(starting[i].f.code), SL("in_use"));
        }
    }
    CHECK(only);
    CHECK_SLICE(slice_of(put(only, "k", "v")), SL("ok"));
    store_close(only);
    CHECK_INT(pg_server_number(place, "SELECT version FROM dragoman_schema WHERE name='store'"), 1);
    store_close(open_at(place)); /* the claim was given back */
}

/* ---- losing the connection ------------------------------------------------------------------------------------------------------ */

TEST(pg_store_goes_on_after_its_connection_was_cut)
{
    const char *place = pg_place_new();
    struct store *s = open_at(place);
    CHECK_SLICE(slice_of(put(s, "a", "1")), SL("ok"));
    pg_server_cut();
    CHECK_SLICE(slice_of(put(s, "b", "2")), SL("ok"));
    pg_server_cut();
    const char *code = "";
    store_scan(s, SL(""), 0, NULL, keep_code, &code);
    CHECK_SLICE(slice_of(code), SL("ok"));
    CHECK_INT(pg_server_number(place, "SELECT count(*) FROM kv"), 2);
    store_close(s);
}

TEST(pg_store_that_lost_its_claim_writes_no_more)
{
    const char *place = pg_place_new();
    struct store *s = open_at(place);
    CHECK_SLICE(slice_of(put(s, "a", "1")), SL("ok"));
    pg_server_run(place, "UPDATE dragoman_claim SET writer='another'");
    pg_server_cut();
    CHECK_SLICE(slice_of(put(s, "b", "2")), SL("store_unknown")); /* it was on its way when the connection went; now nobody knows */
    CHECK_SLICE(slice_of(put(s, "c", "3")), SL("in_use"));
    CHECK_INT(pg_server_number(place, "SELECT count(*) FROM kv"), 1);
    store_close(s);
}

TEST(pg_store_that_cannot_be_reached_says_so_and_recovers)
{
    const char *place = pg_place_new();
    struct store *s = open_at(place);
    CHECK_SLICE(slice_of(put(s, "a", "1")), SL("ok"));
    pg_server_stop(SIGINT);
    CHECK_SLICE(slice_of(put(s, "b", "2")), SL("store_failed")); /* after its patience */
    pg_server_start();
    const char *code = "";
    for (int64_t until_ms = time_mono_ms() + 20000; strcmp(code = put(s, "c", "3"), "ok") != 0;)
        CHECK(time_mono_ms() < until_ms);
    CHECK_INT(pg_server_number(place, "SELECT count(*) FROM kv"), 2);
    store_close(s);
}

/* ---- restarts under load --------------------------------------------------------------------------------------------------------- */

enum { WRITES = 20000, ASKED_AT_ONCE = 50, RESTARTS = 4 };

struct load {
    struct loop *loop;
    struct store *store;
    struct loop_timer timer;
    int asked, answered, failed, restarts;
    bool confirmed[WRITES];
};
struct load_write {
    struct load *load;
    int i;
};

static void ask(struct load *l);

static void written(void *arg, const struct fault *f)
{
    struct load_write *w = arg;
    struct load *l = w->load;
    l->answered++;
    l->confirmed[w->i] = !f;
    l->failed += f != NULL;
    free(w);
    if (l->answered == WRITES)
        loop_stop(l->loop);
    else
        ask(l);
}

/* Each write adds a key and moves a counter's text on: what is done twice would show in neither, what is lost in the first. */
static void ask(struct load *l)
{
    if (l->asked == WRITES)
        return;
    struct load_write *w = must_calloc(1, sizeof(*w));
    char key[16];
    *w = (struct load_write){ l, l->asked++ };
    snprintf(key, sizeof(key), "n%05d", w->i);
    store_put(l->store, (struct store_pair[]){ { slice_of(key), SL("v") }, { SL("last"), slice_of(key) } }, 2, written, w);
}

static void too_late(void *arg)
{
    (void)arg;
    test_fail(__FILE__, __LINE__, "the store did not answer");
}

/* On the loop's thread, which waits meanwhile: a server ends with the thread that started it. The store's thread works on. */
static void restart(void *arg)
{
    static const int signums[RESTARTS] = { SIGQUIT, SIGKILL, SIGINT, SIGKILL };
    struct load *l = arg;
    pg_server_stop(signums[l->restarts++]);
    pg_server_start();
    if (l->restarts < RESTARTS)
        loop_timer_start(l->loop, &l->timer, 150, restart, l);
}

TEST(pg_restarts_under_load_lose_no_confirmed_write)
{
    const char *place = pg_place_new();
    static struct load l;
    l = (struct load){ .loop = loop_new(), .store = open_at(place) };
    pg_server_run(place, "CREATE TABLE done(key bytea); CREATE FUNCTION note() RETURNS trigger AS $$ BEGIN INSERT INTO done VALUES(new.key); RETURN new; END $$"
                         " LANGUAGE plpgsql; CREATE TRIGGER t AFTER INSERT ON kv FOR EACH ROW WHEN (new.key<>'last'::bytea) EXECUTE FUNCTION note()");
    struct loop_timer guard = { 0 };
    loop_timer_start(l.loop, &guard, 90000, too_late, NULL);
    store_start(l.store, l.loop);
    loop_timer_start(l.loop, &l.timer, 150, restart, &l);
    for (int i = 0; i < ASKED_AT_ONCE; i++)
        ask(&l);
    loop_run(l.loop);
    CHECK_INT(l.restarts, RESTARTS);
    int confirmed = 0;
    for (int i = 0; i < WRITES; i++)
        confirmed += l.confirmed[i];
    printf("# %d of %d writes confirmed through %d restarts, %d answered with a fault\n", confirmed, WRITES, RESTARTS, l.failed);
    CHECK_INT(confirmed + l.failed, WRITES);
    CHECK(confirmed > 0);
    char sql[100];
    for (int i = 0; i < WRITES; i++) {
        if (!l.confirmed[i])
            continue;
        snprintf(sql, sizeof(sql), "SELECT count(*) FROM kv WHERE key='n%05d'::bytea", i);
        if (i % 250 == 0)
            CHECK_INT(pg_server_number(place, sql), 1);
    }
    CHECK(pg_server_number(place, "SELECT count(*) FROM kv WHERE key<>'last'::bytea") >= confirmed);
    CHECK_INT(pg_server_number(place, "SELECT count(*) FROM done"), pg_server_number(place, "SELECT count(DISTINCT key) FROM done"));
    CHECK_INT(pg_server_number(place, "SELECT count(*) FROM done"), pg_server_number(place, "SELECT count(*)-1 FROM kv"));
    store_close(l.store);
    loop_timer_done(&guard);
    loop_timer_done(&l.timer);
    loop_free(l.loop);
}
