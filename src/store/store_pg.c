/* The engine on PostgreSQL: one connection, a group of writes as one pipelined transaction (docs/backends.md says what is promised). */
#include "store/store_pg.h"
#include "store/pg.h"

#define COLUMNS "id,account,conversation,storage,handle,url,sha256,type,name,size,created_ms,purge_at_ms,attempts,state"

/* Each row takes the tables from version i to i + 1. Rows are never changed once released, only added. Texts are bytea: what SQLite keeps of any text,
 * PostgreSQL would refuse when it holds a zero byte or is no UTF-8, and with it all that shares the commit. */
const char *const store_pg_migrations[STORE_PG_VERSION] = {
    "CREATE TABLE kv(key bytea PRIMARY KEY, value bytea NOT NULL);"
    "CREATE TABLE attachments(id bytea PRIMARY KEY, account bytea NOT NULL, conversation bytea NOT NULL, storage bytea NOT NULL,"
    " handle bytea NOT NULL, url bytea NOT NULL, sha256 bytea NOT NULL, type bytea NOT NULL, name bytea NOT NULL,"
    " size bigint NOT NULL, created_ms bigint NOT NULL, purge_at_ms bigint NOT NULL, attempts bigint NOT NULL, state bigint NOT NULL);"
    "CREATE INDEX attachments_conversation ON attachments(conversation);"
    "CREATE INDEX attachments_due ON attachments(purge_at_ms) WHERE purge_at_ms > 0;",
};

/* clang-format off */
enum statement {
    ST_PUT, ST_REMOVE, ST_REMOVE_PREFIX, ST_GET, ST_SCAN, ST_ATT_PUT, ST_ATT_GET, ST_ATT_IN, ST_ATT_OF, ST_ATT_PURGE, ST_ATT_REOPEN, ST_ATT_DUE, ST_ATT_DELETE,
    ST_MAX,
};
static const char *const statements[ST_MAX] = {
    [ST_PUT]           = "INSERT INTO kv(key,value) VALUES($1::bytea,$2::bytea) ON CONFLICT(key) DO UPDATE SET value=excluded.value",
    [ST_REMOVE]        = "DELETE FROM kv WHERE key=$1::bytea",
    [ST_REMOVE_PREFIX] = "DELETE FROM kv WHERE key>=$1::bytea AND ($2::bytea IS NULL OR key<$2::bytea)",
    [ST_GET]           = "SELECT key,value FROM kv WHERE key=$1::bytea",
    [ST_SCAN]          = "SELECT key,value FROM kv WHERE key>=$1::bytea AND ($2::bytea IS NULL OR key<$2::bytea) ORDER BY key LIMIT $3::bigint",
    [ST_ATT_PUT]       = "INSERT INTO attachments(" COLUMNS ") VALUES($1::bytea,$2::bytea,$3::bytea,$4::bytea,$5::bytea,$6::bytea,$7::bytea,$8::bytea,"
                         "$9::bytea,$10::bigint,$11::bigint,$12::bigint,$13::bigint,$14::bigint) ON CONFLICT(id) DO UPDATE SET account=excluded.account,"
                         "conversation=excluded.conversation,storage=excluded.storage,handle=excluded.handle,url=excluded.url,sha256=excluded.sha256,"
                         "type=excluded.type,name=excluded.name,size=excluded.size,created_ms=excluded.created_ms,purge_at_ms=excluded.purge_at_ms,"
                         "attempts=excluded.attempts,state=excluded.state",
    [ST_ATT_GET]       = "SELECT " COLUMNS " FROM attachments WHERE id=$1::bytea",
    [ST_ATT_IN]        = "SELECT " COLUMNS " FROM attachments WHERE storage=$1::bytea LIMIT 1",
    [ST_ATT_OF]        = "SELECT " COLUMNS " FROM attachments WHERE conversation=$1::bytea ORDER BY created_ms,id",
    [ST_ATT_PURGE]     = "UPDATE attachments SET purge_at_ms=$2::bigint WHERE conversation=$1::bytea AND state=0 AND ($3::bytea='' OR storage=$3::bytea)",
    [ST_ATT_REOPEN]    = "UPDATE attachments SET purge_at_ms=0 WHERE conversation=$1::bytea AND state=0 AND ($2::bytea='' OR storage=$2::bytea)",
    [ST_ATT_DUE]       = "WITH due AS (UPDATE attachments SET state=1,attempts=attempts+1,purge_at_ms=$2::bigint WHERE id IN"
                         " (SELECT id FROM attachments WHERE purge_at_ms>0 AND purge_at_ms<=$1::bigint ORDER BY purge_at_ms LIMIT $3::bigint"
                         " FOR UPDATE SKIP LOCKED) RETURNING " COLUMNS ") SELECT " COLUMNS " FROM due ORDER BY created_ms,id",
    [ST_ATT_DELETE]    = "DELETE FROM attachments WHERE id=$1::bytea",
};
/* clang-format on */

bool store_is_pg(slice where)
{
    return slice_starts(where, SL("postgresql://")) || slice_starts(where, SL("postgres://"));
}

static void *open_pg(const char *where, int64_t turn, struct fault *f)
{
    struct pg_tables tables = { .name = "store", .migrations = store_pg_migrations, .n_migrations = STORE_PG_VERSION, .statements = statements, .n_statements = ST_MAX,
                                .turn = MAX(turn, 0), .shared = turn == STORE_BESIDE };
    return pg_open(where, &tables, f);
}

static void close_pg(void *e)
{
    pg_close(e);
}

static bool begin(void *e, struct fault *f)
{
    return pg_begin(e, f);
}

static bool commit(void *e, struct fault *f)
{
    return pg_commit(e, f);
}

static void rollback(void *e)
{
    pg_rollback(e);
}

/* ---- keys ------------------------------------------------------------------------------------------------------------------------ */

static bool put(void *e, slice key, slice value, struct fault *f)
{
    struct pg_args args = { 0 };
    pg_bytes(&args, key);
    pg_bytes(&args, value);
    return pg_write(e, ST_PUT, &args, f);
}

static bool remove_key(void *e, slice key, struct fault *f)
{
    struct pg_args args = { 0 };
    pg_bytes(&args, key);
    return pg_write(e, ST_REMOVE, &args, f);
}

/* $1 and $2: from the prefix, or a key behind its begin, up to the first key behind all that begin with it. */
static void range(struct pg_args *args, slice prefix, slice from, char to[STORE_KEY_MAX])
{
    pg_bytes(args, slice_cmp(from, prefix) > 0 ? from : prefix);
    slice end = engine_prefix_end(prefix, to);
    if (end.p)
        pg_bytes(args, end);
    else
        pg_null(args);
}

static bool remove_prefix(void *e, slice prefix, struct fault *f)
{
    struct pg_args args = { 0 };
    char end[STORE_KEY_MAX];
    range(&args, prefix, SLICE_NONE, end);
    return pg_write(e, ST_REMOVE_PREFIX, &args, f);
}

struct reading {
    engine_pair pair;
    engine_attachment attachment;
    void *arg;
};

static void pair_row(void *arg, const struct pg_row *row)
{
    const struct reading *rd = arg;
    rd->pair(rd->arg, pg_text(row, 0), pg_text(row, 1));
}

static bool get(void *e, slice key, engine_pair each, void *arg, struct fault *f)
{
    struct pg_args args = { 0 };
    struct reading rd = { .pair = each, .arg = arg };
    pg_bytes(&args, key);
    return pg_read(e, ST_GET, &args, pair_row, &rd, f);
}

static bool scan(void *e, slice prefix, slice from, size_t limit, engine_pair each, void *arg, struct fault *f)
{
    struct pg_args args = { 0 };
    struct reading rd = { .pair = each, .arg = arg };
    char end[STORE_KEY_MAX];
    range(&args, prefix, from, end);
    if (limit)
        pg_int(&args, (int64_t)limit);
    else
        pg_null(&args);
    return pg_read(e, ST_SCAN, &args, pair_row, &rd, f);
}

/* ---- attachments ------------------------------------------------------------------------------------------------------------------- */

static bool attachment_put(void *e, const struct attachment *a, struct fault *f)
{
    const slice texts[] = { a->id, a->account, a->conversation, a->storage, a->handle, a->url, a->sha256, a->type, a->name };
    const int64_t numbers[] = { a->size, a->created_ms, a->purge_at_ms, a->attempts, a->state };
    struct pg_args args = { 0 };
    for (size_t i = 0; i < COUNT(texts); i++)
        pg_bytes(&args, texts[i]);
    for (size_t i = 0; i < COUNT(numbers); i++)
        pg_int(&args, numbers[i]);
    return pg_write(e, ST_ATT_PUT, &args, f);
}

static void attachment_row(void *arg, const struct pg_row *row)
{
    const struct reading *rd = arg;
    struct attachment a = {
        .id = pg_text(row, 0),      .account = pg_text(row, 1),      .conversation = pg_text(row, 2), .storage = pg_text(row, 3),
        .handle = pg_text(row, 4),  .url = pg_text(row, 5),          .sha256 = pg_text(row, 6),       .type = pg_text(row, 7),
        .name = pg_text(row, 8),    .size = pg_number(row, 9),       .created_ms = pg_number(row, 10), .purge_at_ms = pg_number(row, 11),
        .attempts = pg_number(row, 12), .state = pg_number(row, 13),
    };
    rd->attachment(rd->arg, &a);
}

static bool attachments(void *e, enum statement which, slice id, engine_attachment each, void *arg, struct fault *f)
{
    struct pg_args args = { 0 };
    struct reading rd = { .attachment = each, .arg = arg };
    pg_bytes(&args, id);
    return pg_read(e, which, &args, attachment_row, &rd, f);
}

static bool attachment_get(void *e, slice id, engine_attachment each, void *arg, struct fault *f)
{
    return attachments(e, ST_ATT_GET, id, each, arg, f);
}

static bool attachment_in(void *e, slice storage, engine_attachment each, void *arg, struct fault *f)
{
    return attachments(e, ST_ATT_IN, storage, each, arg, f);
}

static bool attachments_of(void *e, slice conversation, engine_attachment each, void *arg, struct fault *f)
{
    return attachments(e, ST_ATT_OF, conversation, each, arg, f);
}

static bool attachments_purge(void *e, slice conversation, slice storage, int64_t at_ms, struct fault *f)
{
    struct pg_args args = { 0 };
    pg_bytes(&args, conversation);
    if (at_ms)
        pg_int(&args, at_ms);
    pg_bytes(&args, storage);
    return pg_write(e, at_ms ? ST_ATT_PURGE : ST_ATT_REOPEN, &args, f);
}

static bool attachments_due(void *e, int64_t now_ms, int64_t retry_ms, size_t limit, engine_attachment each, void *arg, struct fault *f)
{
    struct pg_args args = { 0 };
    struct reading rd = { .attachment = each, .arg = arg };
    pg_int(&args, now_ms);
    pg_int(&args, retry_ms);
    pg_int(&args, (int64_t)limit);
    return pg_read(e, ST_ATT_DUE, &args, attachment_row, &rd, f);
}

static bool attachment_delete(void *e, slice id, struct fault *f)
{
    struct pg_args args = { 0 };
    pg_bytes(&args, id);
    return pg_write(e, ST_ATT_DELETE, &args, f);
}

static struct engine_links links(void *e)
{
    struct engine_links l;
    pg_links(e, &l.made, &l.lost);
    return l;
}

const struct store_engine store_pg = {
    .name = "postgresql",
    .open = open_pg,
    .close = close_pg,
    .begin = begin,
    .commit = commit,
    .rollback = rollback,
    .put = put,
    .remove = remove_key,
    .remove_prefix = remove_prefix,
    .get = get,
    .scan = scan,
    .attachment_put = attachment_put,
    .attachment_get = attachment_get,
    .attachment_in = attachment_in,
    .attachments_of = attachments_of,
    .attachments_purge = attachments_purge,
    .attachments_due = attachments_due,
    .attachment_delete = attachment_delete,
    .links = links,
};
