/* The engine on SQLite: one connection, WAL, synchronous=FULL (store.h says why FULL). */
#define BASE_ALLOW_LIBC
#include "store/engine.h"
#include "store/sqlite_file.h"
#include "store/store_pg.h"

enum { CHECKPOINT_PAGES = 1000, CACHE_KIB = 2048 };

/* Each row takes the file from version i to i + 1. Rows are never changed once released, only added. */
const char *const store_sqlite_migrations[STORE_SQLITE_VERSION] = {
    "CREATE TABLE kv(key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE attachments(id TEXT PRIMARY KEY, account TEXT NOT NULL, conversation TEXT NOT NULL, storage TEXT NOT NULL,"
    " handle TEXT NOT NULL, url TEXT NOT NULL, sha256 TEXT NOT NULL, type TEXT NOT NULL, name TEXT NOT NULL,"
    " size INTEGER NOT NULL, created_ms INTEGER NOT NULL, purge_at_ms INTEGER NOT NULL, attempts INTEGER NOT NULL,"
    " state INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX attachments_conversation ON attachments(conversation);"
    "CREATE INDEX attachments_due ON attachments(purge_at_ms) WHERE purge_at_ms > 0;",
};

/* clang-format off */
#define COLUMNS "id,account,conversation,storage,handle,url,sha256,type,name,size,created_ms,purge_at_ms,attempts,state"
enum statement {
    ST_PUT, ST_REMOVE, ST_REMOVE_PREFIX, ST_GET, ST_SCAN, ST_ATT_PUT, ST_ATT_GET, ST_ATT_IN, ST_ATT_OF, ST_ATT_PURGE, ST_ATT_REOPEN, ST_ATT_DUE, ST_ATT_DELETE,
    ST_MAX,
};
static const char *const statements[ST_MAX] = {
    [ST_PUT]           = "INSERT INTO kv(key,value) VALUES(?1,?2) ON CONFLICT(key) DO UPDATE SET value=excluded.value",
    [ST_REMOVE]        = "DELETE FROM kv WHERE key=?1",
    [ST_REMOVE_PREFIX] = "DELETE FROM kv WHERE key>=?1 AND (?2 IS NULL OR key<?2)",
    [ST_GET]           = "SELECT key,value FROM kv WHERE key=?1",
    [ST_SCAN]          = "SELECT key,value FROM kv WHERE key>=?1 AND (?2 IS NULL OR key<?2) ORDER BY key LIMIT ?3",
    [ST_ATT_PUT]       = "INSERT OR REPLACE INTO attachments(" COLUMNS ") VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14)",
    [ST_ATT_GET]       = "SELECT " COLUMNS " FROM attachments WHERE id=?1",
    [ST_ATT_IN]        = "SELECT " COLUMNS " FROM attachments WHERE storage=?1 LIMIT 1",
    [ST_ATT_OF]        = "SELECT " COLUMNS " FROM attachments WHERE conversation=?1 ORDER BY created_ms,id",
    [ST_ATT_PURGE]     = "UPDATE attachments SET purge_at_ms=?2 WHERE conversation=?1 AND state=0 AND (?3='' OR storage=?3)",
    [ST_ATT_REOPEN]    = "UPDATE attachments SET purge_at_ms=0 WHERE conversation=?1 AND state=0 AND (?3='' OR storage=?3)",
    [ST_ATT_DUE]       = "UPDATE attachments SET state=1,attempts=attempts+1,purge_at_ms=?2 WHERE id IN"
                         " (SELECT id FROM attachments WHERE purge_at_ms>0 AND purge_at_ms<=?1 ORDER BY purge_at_ms LIMIT ?3)"
                         " RETURNING " COLUMNS,
    [ST_ATT_DELETE]    = "DELETE FROM attachments WHERE id=?1",
};
/* clang-format on */

struct sqlite {
    sqlite3 *db;
    sqlite3_stmt *st[ST_MAX];
};

static const struct sqlite_plan plan = { .what = "the store", .migrations = store_sqlite_migrations, .n_migrations = STORE_SQLITE_VERSION, .statements = statements,
                                         .n_statements = ST_MAX, .checkpoint_pages = CHECKPOINT_PAGES, .cache_kib = CACHE_KIB };

static bool failed(struct sqlite *e, const char *what, struct fault *f)
{
    return sqlite_failed(&plan, e->db, what, f);
}

static void sqlite_close(void *arg)
{
    struct sqlite *e = arg;
    if (!e)
        return;
    sqlite_file_close(&plan, e->db, e->st);
    free(e);
}

static void *sqlite_open(const char *path, int64_t turn, struct fault *f)
{
    (void)turn; /* a file has one holder */
    struct sqlite *e = must_calloc(1, sizeof(*e));
    if (sqlite_file_open(&plan, path, &e->db, e->st, f))
        return e;
    sqlite_close(e);
    return NULL;
}

/* ---- transactions -------------------------------------------------------------------------------------------------------------- */

static bool sqlite_begin(void *arg, struct fault *f)
{
    struct sqlite *e = arg;
    return sqlite_run(&plan, e->db, "BEGIN IMMEDIATE", "begin", f);
}

static bool sqlite_commit(void *arg, struct fault *f)
{
    struct sqlite *e = arg;
    return sqlite_run(&plan, e->db, "COMMIT", "commit", f);
}

static void sqlite_take_back(void *arg)
{
    struct sqlite *e = arg;
    sqlite_rollback(e->db);
}

/* ---- keys ------------------------------------------------------------------------------------------------------------------------ */

static void bind(sqlite3_stmt *st, int at, slice s)
{
    sqlite3_bind_blob64(st, at, s.p ? s.p : "", s.n, SQLITE_STATIC);
}

static void bind_text(sqlite3_stmt *st, int at, slice s)
{
    sqlite3_bind_text64(st, at, s.p ? s.p : "", s.n, SQLITE_STATIC, SQLITE_UTF8);
}

static slice column(sqlite3_stmt *st, int at)
{
    const void *p = sqlite3_column_blob(st, at); /* before _bytes: it may convert */
    size_t n = (size_t)sqlite3_column_bytes(st, at);
    return (slice){ n ? p : "", n };
}

/* Steps a statement that returns no rows. */
static bool finish(struct sqlite *e, enum statement which, const char *what, struct fault *f)
{
    int rc = sqlite3_step(e->st[which]);
    bool ok = rc == SQLITE_DONE || failed(e, what, f);
    sqlite3_reset(e->st[which]);
    sqlite3_clear_bindings(e->st[which]);
    return ok;
}

static bool sqlite_put(void *arg, slice key, slice value, struct fault *f)
{
    struct sqlite *e = arg;
    bind(e->st[ST_PUT], 1, key);
    bind(e->st[ST_PUT], 2, value);
    return finish(e, ST_PUT, "write", f);
}

static bool sqlite_remove(void *arg, slice key, struct fault *f)
{
    struct sqlite *e = arg;
    bind(e->st[ST_REMOVE], 1, key);
    return finish(e, ST_REMOVE, "delete", f);
}

static void bind_range(sqlite3_stmt *st, slice prefix, char to[STORE_KEY_MAX])
{
    bind(st, 1, prefix);
    slice end = engine_prefix_end(prefix, to);
    if (end.p)
        bind(st, 2, end);
}

static bool sqlite_remove_prefix(void *arg, slice prefix, struct fault *f)
{
    struct sqlite *e = arg;
    char end[STORE_KEY_MAX];
    bind_range(e->st[ST_REMOVE_PREFIX], prefix, end);
    return finish(e, ST_REMOVE_PREFIX, "delete", f);
}

static bool pairs(struct sqlite *e, enum statement which, engine_pair each, void *arg, struct fault *f)
{
    int rc;
    while ((rc = sqlite3_step(e->st[which])) == SQLITE_ROW)
        each(arg, column(e->st[which], 0), column(e->st[which], 1));
    bool ok = rc == SQLITE_DONE || failed(e, "be read", f);
    sqlite3_reset(e->st[which]);
    sqlite3_clear_bindings(e->st[which]);
    return ok;
}

static bool sqlite_get(void *arg, slice key, engine_pair each, void *each_arg, struct fault *f)
{
    struct sqlite *e = arg;
    bind(e->st[ST_GET], 1, key);
    return pairs(e, ST_GET, each, each_arg, f);
}

static bool sqlite_scan(void *arg, slice prefix, slice from, size_t limit, engine_pair each, void *each_arg, struct fault *f)
{
    struct sqlite *e = arg;
    char end[STORE_KEY_MAX];
    bind_range(e->st[ST_SCAN], prefix, end);
    if (slice_cmp(from, prefix) > 0)
        bind(e->st[ST_SCAN], 1, from);
    sqlite3_bind_int64(e->st[ST_SCAN], 3, limit ? (int64_t)limit : -1);
    return pairs(e, ST_SCAN, each, each_arg, f);
}

/* ---- attachments ------------------------------------------------------------------------------------------------------------------- */

static bool sqlite_attachment_put(void *arg, const struct attachment *a, struct fault *f)
{
    struct sqlite *e = arg;
    const slice texts[] = { a->id, a->account, a->conversation, a->storage, a->handle, a->url, a->sha256, a->type, a->name };
    const int64_t numbers[] = { a->size, a->created_ms, a->purge_at_ms, a->attempts, a->state };
    int at = 0;
    for (size_t i = 0; i < COUNT(texts); i++)
        bind_text(e->st[ST_ATT_PUT], ++at, texts[i]);
    for (size_t i = 0; i < COUNT(numbers); i++)
        sqlite3_bind_int64(e->st[ST_ATT_PUT], ++at, numbers[i]);
    return finish(e, ST_ATT_PUT, "write", f);
}

static bool attachments(struct sqlite *e, enum statement which, engine_attachment each, void *arg, struct fault *f)
{
    sqlite3_stmt *st = e->st[which];
    int rc;
    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        struct attachment a = {
            .id = column(st, 0),      .account = column(st, 1),  .conversation = column(st, 2), .storage = column(st, 3),
            .handle = column(st, 4),  .url = column(st, 5),      .sha256 = column(st, 6),       .type = column(st, 7),
            .name = column(st, 8),    .size = sqlite3_column_int64(st, 9),
            .created_ms = sqlite3_column_int64(st, 10),          .purge_at_ms = sqlite3_column_int64(st, 11),
            .attempts = sqlite3_column_int64(st, 12),            .state = sqlite3_column_int64(st, 13),
        };
        each(arg, &a);
    }
    bool ok = rc == SQLITE_DONE || failed(e, "be read", f);
    sqlite3_reset(st);
    sqlite3_clear_bindings(st);
    return ok;
}

static bool sqlite_attachment_get(void *arg, slice id, engine_attachment each, void *each_arg, struct fault *f)
{
    struct sqlite *e = arg;
    bind_text(e->st[ST_ATT_GET], 1, id);
    return attachments(e, ST_ATT_GET, each, each_arg, f);
}

static bool sqlite_attachment_in(void *arg, slice storage, engine_attachment each, void *each_arg, struct fault *f)
{
    struct sqlite *e = arg;
    bind_text(e->st[ST_ATT_IN], 1, storage);
    return attachments(e, ST_ATT_IN, each, each_arg, f);
}

static bool sqlite_attachments_of(void *arg, slice conversation, engine_attachment each, void *each_arg, struct fault *f)
{
    struct sqlite *e = arg;
    bind_text(e->st[ST_ATT_OF], 1, conversation);
    return attachments(e, ST_ATT_OF, each, each_arg, f);
}

static bool sqlite_attachments_purge(void *arg, slice conversation, slice storage, int64_t at_ms, struct fault *f)
{
    struct sqlite *e = arg;
    enum statement which = at_ms ? ST_ATT_PURGE : ST_ATT_REOPEN;
    bind_text(e->st[which], 1, conversation);
    if (at_ms)
        sqlite3_bind_int64(e->st[which], 2, at_ms);
    bind_text(e->st[which], 3, storage);
    return finish(e, which, "write", f);
}

static bool sqlite_attachments_due(void *arg, int64_t now_ms, int64_t retry_ms, size_t limit, engine_attachment each,
                                   void *each_arg, struct fault *f)
{
    struct sqlite *e = arg;
    sqlite3_bind_int64(e->st[ST_ATT_DUE], 1, now_ms);
    sqlite3_bind_int64(e->st[ST_ATT_DUE], 2, retry_ms);
    sqlite3_bind_int64(e->st[ST_ATT_DUE], 3, (int64_t)limit);
    return attachments(e, ST_ATT_DUE, each, each_arg, f);
}

static bool sqlite_attachment_delete(void *arg, slice id, struct fault *f)
{
    struct sqlite *e = arg;
    bind_text(e->st[ST_ATT_DELETE], 1, id);
    return finish(e, ST_ATT_DELETE, "delete", f);
}

const struct store_engine store_sqlite = {
    .name = "sqlite",
    .open = sqlite_open,
    .close = sqlite_close,
    .begin = sqlite_begin,
    .commit = sqlite_commit,
    .rollback = sqlite_take_back,
    .put = sqlite_put,
    .remove = sqlite_remove,
    .remove_prefix = sqlite_remove_prefix,
    .get = sqlite_get,
    .scan = sqlite_scan,
    .attachment_put = sqlite_attachment_put,
    .attachment_get = sqlite_attachment_get,
    .attachment_in = sqlite_attachment_in,
    .attachments_of = sqlite_attachments_of,
    .attachments_purge = sqlite_attachments_purge,
    .attachments_due = sqlite_attachments_due,
    .attachment_delete = sqlite_attachment_delete,
};
