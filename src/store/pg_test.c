/* What only a server can do to a store: go away, come back, be used by two. */
#include "net/loop.h"
#include "store/pg.h"
#include "store/store.h"
#include "tests/harness/servers.h"
#include "tests/harness/test.h"
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

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

static void keep_value(void *arg, slice value, const struct fault *f)
{
    char *to = arg;
    snprintf(to, 32, SLF, SLA(f ? slice_of(f->code) : value));
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

/* All wait for the lock of who looks at the tables: it must not be held by a program that was stopped. */
TEST(pg_tables_are_made_by_a_session_that_ends_when_its_program_is_stopped)
{
    static const char *const migrations[] = { "CREATE TABLE waits AS SELECT current_setting('idle_in_transaction_session_timeout') AS at_most" };
    const char *place = pg_place_new();
    for (int shared = 0; shared < 2; shared++) {
        struct fault f = { 0 };
        struct pg_tables tables = { .name = shared ? "shared" : "claimed", .migrations = migrations, .n_migrations = 1, .shared = shared };
        struct pg *pg = pg_open(place, &tables, &f);
        CHECK(pg);
        pg_close(pg);
        CHECK_INT(pg_server_number(place, "SELECT count(*) FROM waits WHERE at_most NOT IN ('0','')"), 1);
        pg_server_run(place, "DROP TABLE waits");
    }
}

TEST(pg_store_is_read_beside_its_writer_and_taken_from_it)
{
    const char *place = pg_place_new();
    struct fault f = { 0 };
    struct store *first = store_open_turn(place, 1, &f), *reader = store_open_turn(place, STORE_BESIDE, &f);
    CHECK(reader);
    CHECK_SLICE(slice_of(put(first, "a", "1")), SL("ok"));
    char found[32];
    store_get(reader, SL("a"), keep_value, found);
    CHECK_SLICE(slice_of(found), SL("1"));
    CHECK(!store_open_turn(place, 0, &f));
    CHECK_SLICE(slice_of(f.code), SL("in_use"));
    struct store *second = store_open_turn(place, 2, &f);
    CHECK(second);
    CHECK_SLICE(slice_of(put(second, "a", "2")), SL("ok"));
    const char *code = put(first, "a", "3"); /* its session was ended: what it wanted to write has not happened, and never will */
    CHECK(strcmp(code, "ok") != 0);
    CHECK_SLICE(slice_of(put(first, "a", "4")), SL("in_use"));
    store_get(reader, SL("a"), keep_value, found);
    CHECK_SLICE(slice_of(found), SL("2"));
    store_close(first);
    store_close(second);
    store_close(reader);
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
    const char *code = put(s, "b", "2"); /* on its way when the connection went, nobody knows; or that it was gone was noticed before */
    CHECK(strcmp(code, "store_unknown") == 0 || strcmp(code, "in_use") == 0);
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

/* ---- a commit whose answer does not come ---------------------------------------------------------------------------------------- */

/* Stands between the store and the server, and cuts the connection at the next COMMIT: before the server has it, or behind that; or lets nothing through any more when it is to be set up. */
enum cut { PASS, CUT_BEFORE, CUT_BEHIND, MUTE };
static struct between {
    int listener;
    char path[160], server[160];
    atomic_int cut;
    atomic_bool stop, muted;
    pthread_t thread;
} between;

static bool forward(int from, int to, bool *ret_commits)
{
    char block[16384];
    ssize_t n = read(from, block, sizeof(block));
    if (n <= 0)
        return false;
    if (between.cut == MUTE && slice_find(slice_mem(block, (size_t)n), SL("lock_timeout")) != SIZE_MAX)
        between.muted = true;
    if (between.muted)
        return true;
    *ret_commits = slice_find(slice_mem(block, (size_t)n), SL("COMMIT")) != SIZE_MAX;
    int cut = *ret_commits ? atomic_exchange(&between.cut, PASS) : PASS;
    if (cut == CUT_BEFORE || write(to, block, (size_t)n) != n)
        return false;
    if (cut == CUT_BEHIND) {
        struct timespec t = { 0, 300000000 };
        (void)nanosleep(&t, NULL);
        return false;
    }
    return true;
}

static int socket_at(const char *path, bool listens)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    snprintf(at.sun_path, sizeof(at.sun_path), "%.100s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 && (listens ? bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0 && listen(fd, 8) == 0 : connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0);
    if (ok)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* One connection at a time, as the store makes them. */
static void *stand_between(void *arg)
{
    (void)arg;
    while (!between.stop) {
        struct pollfd knock = { .fd = between.listener, .events = POLLIN };
        if (poll(&knock, 1, 50) <= 0)
            continue;
        int client = accept(between.listener, NULL, NULL), server = socket_at(between.server, false);
        bool commits = false, open = client >= 0 && server >= 0;
        while (open && !between.stop) {
            struct pollfd both[] = { { .fd = client, .events = POLLIN }, { .fd = server, .events = POLLIN } };
            if (poll(both, 2, 50) < 0)
                break;
            open = !(both[0].revents && !forward(client, server, &commits)) && !(both[1].revents && !forward(server, client, &commits));
        }
        if (client >= 0)
            close(client);
        if (server >= 0)
            close(server);
    }
    return NULL;
}

/* The same place, reached through it. */
static const char *place_between(const char *place)
{
    static char through[300];
    slice rest = slice_from(slice_of(place), slice_find(slice_of(place), SL("host=")) + 5), dir = slice_cut(&rest, '&');
    const char *here = test_dir();
    snprintf(between.server, sizeof(between.server), SLF "/.s.PGSQL.5432", SLA(dir));
    snprintf(between.path, sizeof(between.path), "%s/.s.PGSQL.5432", here);
    snprintf(through, sizeof(through), "postgresql://dragoman@/postgres?host=%s&sslmode=disable&gssencmode=disable&" SLF, here, SLA(rest));
    between.listener = socket_at(between.path, true);
    between.cut = PASS;
    between.stop = between.muted = false;
    CHECK(between.listener >= 0 && pthread_create(&between.thread, NULL, stand_between, NULL) == 0);
    return through;
}

TEST(pg_commit_whose_answer_is_lost_is_neither_lost_nor_done_twice)
{
    const char *place = pg_place_new();
    struct store *s = open_at(place_between(place));
    pg_server_run(place, "CREATE TABLE done(key bytea); CREATE FUNCTION note() RETURNS trigger AS $$ BEGIN INSERT INTO done VALUES(new.key); RETURN new; END $$"
                         " LANGUAGE plpgsql; CREATE TRIGGER t AFTER INSERT OR UPDATE ON kv FOR EACH ROW EXECUTE FUNCTION note()");
    static const int cuts[] = { PASS, CUT_BEHIND, CUT_BEFORE, CUT_BEHIND, PASS };
    for (size_t i = 0; i < COUNT(cuts); i++) {
        char key[16];
        snprintf(key, sizeof(key), "k%zu", i);
        between.cut = cuts[i];
        CHECK_SLICE(slice_of(put(s, key, "v")), SL("ok"));
        CHECK_INT(between.cut, PASS); /* it was cut */
        CHECK_INT(pg_server_number(place, "SELECT count(*) FROM done"), (long long)i + 1);
    }
    CHECK_INT(pg_server_number(place, "SELECT count(*) FROM kv"), COUNT(cuts));
    struct store_numbers n = store_numbers(s);
    CHECK(n.connects == 3 && n.losses == 3 && n.failures == 0);
    store_close(s);
    between.stop = true;
    CHECK(pthread_join(between.thread, NULL) == 0);
    close(between.listener);
}

TEST(pg_server_that_takes_the_connection_and_says_nothing_is_not_waited_for_without_end)
{
    struct starting st = { .place = place_between(pg_place_new()) };
    pthread_t thread;
    between.cut = MUTE;
    CHECK(pthread_create(&thread, NULL, start_one, &st) == 0);
    struct timespec until = { .tv_sec = time(NULL) + 4 * PG_ANSWER_MS / 1000 };
    CHECK(pthread_timedjoin_np(thread, NULL, &until) == 0);
    CHECK(!st.store && between.muted);
    CHECK_SLICE(slice_of(st.f.text), SL("PostgreSQL cannot be set up: no answer came in time"));
    between.stop = true;
    CHECK(pthread_join(between.thread, NULL) == 0);
    close(between.listener);
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
