/* journal_compare.c - SQLite, LMDB and our own log as the engine of the journal: what a message costs.
 *
 *   journal-compare DIR [MESSAGES]       prints the rows of docs/journal-engines.md
 *
 * The work of one message is the same for all: look its dedupe key up, store key and message (about 400 bytes of body), later
 * settle it. Messages are accepted and settled in groups of 1, 4 and 32 a durable commit (each group one commit for the accepts
 * and one for the settles). SQLite: WAL, synchronous=FULL, prepared statements, a table of keys and one of messages. LMDB: two
 * databases, the defaults (synchronous). "own log": its parts in the calling thread, as the other two run: records, dedupe, state,
 * segments. "journal": the whole as the hub runs it, with the loop, the hand-over to the disk thread and back, batches and
 * offers; the other two would have to add the same. CPU is user and system of the process, threads included.
 */
#include "journal/journal-private.h"
#include "net/loop.h"
#include <fcntl.h>
#include <inttypes.h>
#include <lmdb.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BODY_BYTES = 400, GROUP_MAX_MESSAGES = 32, KEEP_MS = 7 * 24 * 3600 * 1000 };

static char body[BODY_BYTES];
static int64_t *latency_us;
static size_t n_latency;

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "journal-compare: %s failed\n", what);
    exit(1);
}

static int64_t cpu_us(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * INT64_C(1000000) + u.ru_utime.tv_usec + u.ru_stime.tv_usec;
}

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static void key_of(char key[48], const char *run, size_t i)
{
    snprintf(key, 48, "line/0123456789/%s/%010zu", run, i);
}

static void report(const char *engine, size_t group, size_t n, int64_t cpu, int64_t wall)
{
    qsort(latency_us, n_latency, sizeof(*latency_us), by_size);
    printf("| %s | %zu | %.1f | %" PRId64 " | %" PRId64 " | %.0f |\n", engine, group, (double)cpu / (double)n,
           latency_us[n_latency / 2], latency_us[n_latency * 99 / 100], (double)n * 1e6 / (double)wall);
    fflush(stdout);
}

/* ---- SQLite ------------------------------------------------------------------------------------- */

static void sql(sqlite3 *db, const char *text)
{
    must(sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK, text);
}

static sqlite3_stmt *prepared(sqlite3 *db, const char *text)
{
    sqlite3_stmt *s;
    must(sqlite3_prepare_v2(db, text, -1, &s, NULL) == SQLITE_OK, text);
    return s;
}

static void run_sqlite(const char *dir, const char *run, size_t n, size_t group)
{
    char path[512], key[48];
    snprintf(path, sizeof(path), "%s/%s.sqlite", dir, run);
    sqlite3 *db;
    must(sqlite3_open(path, &db) == SQLITE_OK, "sqlite3_open");
    sql(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
            "CREATE TABLE keys(key BLOB PRIMARY KEY, ends INTEGER) WITHOUT ROWID;"
            "CREATE TABLE messages(id INTEGER PRIMARY KEY, lane TEXT, body BLOB, state INTEGER);");
    sqlite3_stmt *add_key = prepared(db, "INSERT OR IGNORE INTO keys VALUES(?,?)"),
                 *add = prepared(db, "INSERT INTO messages(lane,body,state) VALUES(?,?,0)"),
                 *end = prepared(db, "UPDATE messages SET state=2 WHERE id=?");
    for (size_t i = 0; i < n; i += group) {
        int64_t ids[GROUP_MAX_MESSAGES], start = time_mono_us();
        sql(db, "BEGIN");
        for (size_t k = 0; k < group; k++) {
            key_of(key, run, i + k);
            sqlite3_bind_blob(add_key, 1, key, (int)strlen(key), SQLITE_STATIC);
            sqlite3_bind_int64(add_key, 2, start);
            must(sqlite3_step(add_key) == SQLITE_DONE && sqlite3_changes(db) == 1, "add key");
            sqlite3_reset(add_key);
            sqlite3_bind_text(add, 1, "acme/U0123456789", -1, SQLITE_STATIC);
            sqlite3_bind_blob(add, 2, body, BODY_BYTES, SQLITE_STATIC);
            must(sqlite3_step(add) == SQLITE_DONE, "add message");
            sqlite3_reset(add);
            ids[k] = sqlite3_last_insert_rowid(db);
        }
        sql(db, "COMMIT");
        latency_us[n_latency++] = time_mono_us() - start;
        sql(db, "BEGIN");
        for (size_t k = 0; k < group; k++) {
            sqlite3_bind_int64(end, 1, ids[k]);
            must(sqlite3_step(end) == SQLITE_DONE, "settle");
            sqlite3_reset(end);
        }
        sql(db, "COMMIT");
    }
    sqlite3_finalize(add_key), sqlite3_finalize(add), sqlite3_finalize(end);
    sqlite3_close(db);
}

/* ---- LMDB --------------------------------------------------------------------------------------- */

static void run_lmdb(const char *dir, const char *run, size_t n, size_t group)
{
    char path[512], key[48];
    snprintf(path, sizeof(path), "%s/%s.lmdb", dir, run);
    mkdir(path, 0700);
    MDB_env *env;
    MDB_dbi keys, messages;
    MDB_txn *t;
    must(!mdb_env_create(&env) && !mdb_env_set_mapsize(env, (size_t)1 << 30) && !mdb_env_set_maxdbs(env, 2) &&
             !mdb_env_open(env, path, 0, 0600) && !mdb_txn_begin(env, NULL, 0, &t) && !mdb_dbi_open(t, "keys", MDB_CREATE, &keys) &&
             !mdb_dbi_open(t, "messages", MDB_CREATE | MDB_INTEGERKEY, &messages) && !mdb_txn_commit(t),
         "lmdb open");
    uint64_t id = 0;
    struct {
        uint32_t state;
        char lane[20], body[BODY_BYTES];
    } row = { 0, "acme/U0123456789", { 0 } };
    for (size_t i = 0; i < n; i += group) {
        int64_t start = time_mono_us();
        uint64_t first = id + 1;
        must(!mdb_txn_begin(env, NULL, 0, &t), "begin");
        for (size_t k = 0; k < group; k++) {
            key_of(key, run, i + k);
            MDB_val kv = { strlen(key), key }, ends = { sizeof(start), &start };
            must(!mdb_put(t, keys, &kv, &ends, MDB_NOOVERWRITE), "add key");
            id++;
            row.state = 0;
            memcpy(row.body, body, BODY_BYTES);
            MDB_val mk = { sizeof(id), &id }, mv = { sizeof(row), &row };
            must(!mdb_put(t, messages, &mk, &mv, MDB_APPEND), "add message");
        }
        must(!mdb_txn_commit(t), "commit");
        latency_us[n_latency++] = time_mono_us() - start;
        must(!mdb_txn_begin(env, NULL, 0, &t), "begin");
        for (size_t k = 0; k < group; k++) {
            uint64_t at = first + k;
            MDB_val mk = { sizeof(at), &at }, mv;
            must(!mdb_get(t, messages, &mk, &mv), "get");
            memcpy(&row, mv.mv_data, sizeof(row));
            row.state = 2;
            mv = (MDB_val){ sizeof(row), &row };
            must(!mdb_put(t, messages, &mk, &mv, 0), "settle");
        }
        must(!mdb_txn_commit(t), "commit");
    }
    mdb_env_close(env);
}

/* ---- our log, its parts in this thread ------------------------------------------------------------ */

static void no_pin(void *ctx, enum state_pin what, int by, uint32_t seg, uint32_t len)
{
    (void)ctx, (void)what, (void)by, (void)seg, (void)len;
}

struct log_run {
    struct log log;
    struct state state;
    char *buf;
    size_t n, cap;
};

static void log_add(struct log_run *l, const struct rec *r)
{
    size_t n = rec_bytes(r);
    must(l->cap - l->n >= n, "room");
    rec_put(l->buf + l->n, r);
    l->n += n;
}

static void log_commit(struct log_run *l)
{
    struct place p;
    log_plan(&l->log, l->n, &p);
    log_write(&p, l->buf, l->n, true);
    must(!p.error, "log_write");
    log_landed(&l->log, &p, l->n);
    slice s = slice_mem(l->buf + GROUP_HEAD, l->n - GROUP_HEAD);
    for (struct rec r; s.n;) {
        size_t before = s.n;
        must(rec_get(&s, &r), "rec_get");
        state_apply(&l->state, &r, p.no, p.off + (uint32_t)(l->n - before), (uint32_t)(before - s.n));
    }
    while (state_next(&l->state))
        ;
    l->n = GROUP_HEAD;
}

static void run_log(const char *dir, const char *run, size_t n, size_t group)
{
    char path[512], key[48];
    snprintf(path, sizeof(path), "%s/%s.log", dir, run);
    mkdir(path, 0700);
    int dirfd = open(path, O_RDONLY | O_DIRECTORY);
    struct journal_limits limits;
    journal_limits_default(&limits);
    struct log_run l = { .cap = 1 << 20, .n = GROUP_HEAD, .buf = must_malloc(1 << 20) };
    struct fault f;
    must(log_open(&l.log, dirfd, &jio_system, limits.segment_bytes, &f), "log_open");
    state_init(&l.state, &jio_system, no_pin, NULL);
    struct dedupe *d = dedupe_open(dirfd, &jio_system, &f);
    must(d != NULL, "dedupe_open");
    uint32_t now_h = (uint32_t)(time_now_ms() / HOUR_MS);
    uint64_t id = 0;
    for (size_t i = 0; i < n; i += group) {
        int64_t start = time_mono_us();
        uint64_t first = id + 1;
        for (size_t k = 0; k < group; k++) {
            key_of(key, run, i + k);
            struct dkey h = dedupe_key(d, slice_of(key));
            must(!dedupe_seen(d, h, now_h), "new key");
            dedupe_add(d, h, now_h + 168);
            struct rec r = { .op = JOP_ACCEPT, .state = J_WAITING, .at_ms = start, .id = ++id };
            REC_TEXT(&r, REC_LANE) = SL("acme/U0123456789");
            REC_TEXT(&r, REC_DEDUPE) = slice_of(key);
            REC_TEXT(&r, REC_BODY) = slice_mem(body, BODY_BYTES);
            log_add(&l, &r);
        }
        log_commit(&l);
        latency_us[n_latency++] = time_mono_us() - start;
        for (size_t k = 0; k < group; k++)
            log_add(&l, &(struct rec){ .op = JOP_SETTLE, .state = J_DELIVERED, .at_ms = start, .id = first + k });
        log_commit(&l);
    }
    dedupe_free(d);
    state_done(&l.state);
    log_done(&l.log);
    free(l.buf);
    close(dirfd);
}

/* ---- the journal as the hub runs it ---------------------------------------------------------------- */

struct own {
    struct loop *loop;
    struct journal *j;
    const char *run;
    size_t n, group, at;
    uint64_t ids[GROUP_MAX_MESSAGES];
    int64_t start;
};

static void ignore_offer(void *ctx, const struct joffer *o)
{
    (void)ctx, (void)o;
}

static void own_accept(struct own *o);

static void own_settled(void *arg, bool ok)
{
    struct own *o = arg;
    must(ok, "settle");
    if (o->at < o->n)
        own_accept(o);
    else
        loop_stop(o->loop);
}

static void own_accepted(void *arg, bool ok)
{
    struct own *o = arg;
    must(ok, "accept");
    latency_us[n_latency++] = time_mono_us() - o->start;
    struct jbatch *b = jbatch_new(o->j);
    for (size_t k = 0; k < o->group; k++)
        jbatch_settle(b, o->ids[k], J_DELIVERED, SL("{\"status\":200}"));
    jbatch_commit(b, JOURNAL_DURABLE, own_settled, o);
}

/* A batch a message, as the hub makes them; the last one's end is everybody's. */
static void own_accept(struct own *o)
{
    o->start = time_mono_us();
    for (size_t k = 0; k < o->group; k++) {
        char key[48], lane[48];
        key_of(key, o->run, o->at++);
        snprintf(lane, sizeof(lane), "acme\x1fU%010zu", k);
        enum jresult r;
        struct jbatch *b = jbatch_new(o->j);
        jbatch_accept(b, &(struct jaccept){ .lane = slice_of(lane), .dedupe = slice_of(key), .dedupe_keep_ms = KEEP_MS,
                                            .body = slice_mem(body, BODY_BYTES) }, &r, &o->ids[k]);
        must(r == J_NEW, "new key");
        jbatch_commit(b, JOURNAL_DURABLE, k + 1 == o->group ? own_accepted : NULL, o);
    }
}

static void run_own(const char *dir, const char *run, size_t n, size_t group)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s.own", dir, run);
    struct own o = { .loop = loop_new(), .run = run, .n = n, .group = group };
    struct journal_limits l;
    journal_limits_default(&l);
    l.window_max_us = 0; /* the groups are made by hand here */
    struct fault f;
    o.j = journal_open(o.loop, path, &l, &(struct joffers){ .offer = ignore_offer }, &f);
    must(o.j != NULL, "journal_open");
    own_accept(&o);
    loop_run(o.loop);
    journal_close(o.j);
    loop_free(o.loop);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: journal-compare DIR [MESSAGES]\n");
        return 2;
    }
    int64_t want = 9600;
    if (argc > 2)
        must(slice_int(slice_of(argv[2]), &want) && want >= GROUP_MAX_MESSAGES && want < 10000000, "MESSAGES");
    size_t n = (size_t)want / GROUP_MAX_MESSAGES * GROUP_MAX_MESSAGES;
    latency_us = must_malloc(n * sizeof(*latency_us));
    memset(body, 'b', sizeof(body));
    static const struct { const char *name; void (*run)(const char *, const char *, size_t, size_t); } engines[] = {
        { "SQLite", run_sqlite }, { "LMDB", run_lmdb }, { "own log", run_log }, { "journal", run_own },
    };
    static const size_t groups[] = { 1, 4, 32 };
    printf("| engine | messages a commit | CPU µs a message | commit p50 µs | commit p99 µs | messages/s |\n|---|---|---|---|---|---|\n");
    for (size_t e = 0; e < COUNT(engines); e++)
        for (size_t g = 0; g < COUNT(groups); g++) {
            char run[32];
            snprintf(run, sizeof(run), "%zu-%zu", e, g);
            n_latency = 0;
            int64_t cpu = cpu_us(), wall = time_mono_us();
            engines[e].run(argv[1], run, n, groups[g]);
            report(engines[e].name, groups[g], n, cpu_us() - cpu, time_mono_us() - wall);
        }
    free(latency_us);
    return 0;
}
