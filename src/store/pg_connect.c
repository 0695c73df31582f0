/* Making a connection: what it must be like, the tables brought up to date, the claim. */
#include "store/pg-private.h"
#include <poll.h> /* POLLIN */
#include <time.h>

void pg_pause(int64_t ms)
{
    struct timespec t = { ms / 1000, (ms % 1000) * 1000000 };
    (void)nanosleep(&t, NULL);
}

static bool failed(struct pg *pg, const char *what, struct fault *f)
{
    char text[160];
    const char *why = PQerrorMessage(pg->c);
    snprintf(text, sizeof(text), "%s", *why ? why : "no answer came in time");
    for (char *p = text; *p; p++)
        *p = *p == '\n' ? ' ' : *p;
    return fault(f, "store_failed", "", "PostgreSQL cannot %s: %s", what, text);
}

/* The last result of what was sent (1) or could not be sent (0). NULL: nothing came in time, or the connection is lost. */
static PGresult *answer(struct pg *pg, int sent)
{
    PGresult *last = NULL, *r = NULL;
    int64_t until_ms = time_mono_ms() + PG_ANSWER_MS;
    while (sent) {
        while (PQisBusy(pg->c))
            if (pg_await(pg, POLLIN, until_ms)) {
                PQclear(last);
                return NULL;
            }
        r = PQgetResult(pg->c);
        if (!r)
            break;
        PQclear(last);
        last = r;
    }
    return last;
}

static bool run(struct pg *pg, const char *sql, const char *what, struct fault *f)
{
    PGresult *r = answer(pg, PQsendQuery(pg->c, sql));
    bool ok = PQresultStatus(r) == PGRES_COMMAND_OK || PQresultStatus(r) == PGRES_TUPLES_OK || failed(pg, what, f);
    PQclear(r);
    return ok;
}

/* The one value of a query with the name of the tables, or the writer, as its parameters, as text; "" when there is no row. */
static bool value(struct pg *pg, const char *sql, char to[64], struct fault *f)
{
    const char *args[] = { pg->tables->name, pg->writer };
    PGresult *r = answer(pg, PQsendQueryParams(pg->c, sql, 2, NULL, args, NULL, NULL, 0));
    bool ok = PQresultStatus(r) == PGRES_TUPLES_OK || PQresultStatus(r) == PGRES_COMMAND_OK || failed(pg, "be asked", f);
    if (ok)
        snprintf(to, 64, "%s", PQntuples(r) && PQnfields(r) && !PQgetisnull(r, 0, 0) ? PQgetvalue(r, 0, 0) : "");
    PQclear(r);
    return ok;
}

/* ---- tables -------------------------------------------------------------------------------------------------------------------- */

/* $1: the name of the tables; $2 is there because every query here has two parameters. */
#define LOCK_KEY(kind) "(('x' || left(md5('dragoman " kind " ' || $1::text || current_schema()), 16))::bit(64)::bigint)"
#define LOCK_ID(kind) LOCK_KEY(kind) " WHERE $2::text <> ''"

/* The claim of a version that knew none. */
static bool with_turns(struct pg *pg, struct fault *f)
{
    char text[64];
    if (!value(pg, "SELECT 1 FROM pg_attribute WHERE attrelid='dragoman_claim'::regclass AND attname='turn' AND $1::text<>$2::text", text, f))
        return false;
    return *text || run(pg, "ALTER TABLE dragoman_claim ADD COLUMN turn bigint NOT NULL DEFAULT 0", "bring its tables up to date", f);
}

static bool bring_up(struct pg *pg, struct fault *f)
{
    const struct pg_tables *t = pg->tables;
    char text[64];
    if (!value(pg, "SELECT pg_advisory_xact_lock" LOCK_ID("tables"), text, f) ||
        !run(pg, "CREATE TABLE IF NOT EXISTS dragoman_schema(name text PRIMARY KEY, version int NOT NULL);"
                 "CREATE TABLE IF NOT EXISTS dragoman_claim(name text PRIMARY KEY, writer text NOT NULL, n bigint NOT NULL, turn bigint NOT NULL DEFAULT 0)",
             "make its tables", f) ||
        !with_turns(pg, f) ||
        !value(pg, "SELECT version FROM dragoman_schema WHERE name=$1 AND $2::text <> ''", text, f))
        return false;
    int64_t version = 0;
    if (*text && !slice_int(slice_of(text), &version))
        return fault(f, "store_failed", "", "the version of the tables cannot be read");
    if (version > (int64_t)t->n_migrations)
        return fault(f, "newer", "", "the %s was written by a newer version (%lld, this program knows %zu)", t->name, (long long)version, t->n_migrations);
    for (size_t v = (size_t)version; v < t->n_migrations; v++)
        if (!run(pg, t->migrations[v], "bring its tables up to date", f))
            return false;
    char set[160];
    snprintf(set, sizeof(set), "INSERT INTO dragoman_schema VALUES('%s',%zu) ON CONFLICT(name) DO UPDATE SET version=excluded.version", t->name, t->n_migrations);
    return version == (int64_t)t->n_migrations || run(pg, set, "bring its tables up to date", f);
}

static bool migrate(struct pg *pg, struct fault *f)
{
    char schema[64];
    if (!value(pg, "SELECT current_schema() WHERE $1::text <> $2::text", schema, f))
        return false;
    if (!*schema)
        return fault(f, "store_failed", "", "PostgreSQL: the search_path of this connection names no schema that exists");
    if (!run(pg, "BEGIN", "begin", f))
        return false;
    if (bring_up(pg, f))
        return run(pg, "COMMIT", "bring its tables up to date", f);
    PQclear(answer(pg, PQsendQuery(pg->c, "ROLLBACK")));
    return false;
}

/* ---- the claim ----------------------------------------------------------------------------------------------------------------- */

bool pg_taken(struct pg *pg, struct fault *f)
{
    pg->taken = true;
    return fault(f, "in_use", "", "another hub took this %s over", pg->tables->name);
}

/* Is it still ours, after a loss? */
static bool still_ours(struct pg *pg, struct fault *f)
{
    char text[64];
    int64_t n = 0;
    if (!value(pg, "SELECT n FROM dragoman_claim WHERE name=$1 AND writer=$2", text, f))
        return false;
    if (!slice_int(slice_of(text), &n))
        return pg_taken(pg, f);
    pg->stored_n = (uint64_t)n;
    return true;
}

/* Is nobody of a later turn here? Without turns the lock says all. */
static bool may_take(struct pg *pg, struct fault *f)
{
    char text[64];
    int64_t turn = 0;
    if (!pg->tables->turn)
        return true;
    if (!value(pg, "SELECT turn FROM dragoman_claim WHERE name=$1 AND $2::text<>''", text, f))
        return false;
    return !slice_int(slice_of(text), &turn) || turn <= pg->tables->turn || fault(f, "in_use", "", "another hub took this %s over", pg->tables->name);
}

static bool take(struct pg *pg, struct fault *f)
{
    char sql[260], text[64];
    snprintf(sql, sizeof(sql), "INSERT INTO dragoman_claim(name,writer,n,turn) VALUES($1,$2,0,%lld) ON CONFLICT(name) DO UPDATE SET writer=excluded.writer,"
             "n=0,turn=greatest(dragoman_claim.turn,excluded.turn)", (long long)pg->tables->turn);
    return value(pg, sql, text, f);
}

/* Ends the session that has the lock, with what it has begun: that of the turn before, or our own that the server has not missed yet. */
static bool send_away(struct pg *pg, struct fault *f)
{
    char text[64];
    return value(pg, "SELECT count(pg_terminate_backend(l.pid)) FROM (SELECT " LOCK_KEY("claim") " AS key) k JOIN pg_locks l"
                     " ON l.classid::bigint=((k.key>>32)&4294967295) AND l.objid::bigint=(k.key&4294967295) WHERE l.locktype='advisory' AND l.objsubid=1 AND"
                     " l.granted AND l.database=(SELECT oid FROM pg_database WHERE datname=current_database()) AND $2::text<>''", text, f);
}

/* The lock of the session says that nobody else writes; the row says, after a loss, whether anybody did meanwhile. */
static bool claim(struct pg *pg, struct fault *f)
{
    char text[64];
    bool turns = pg->tables->turn != 0;
    if (turns && !(pg->opened ? still_ours(pg, f) : may_take(pg, f)))
        return false;
    if (!value(pg, "SELECT pg_try_advisory_lock" LOCK_ID("claim"), text, f))
        return false;
    if (strcmp(text, "t") != 0)
        return (!turns || send_away(pg, f)) && fault(f, "in_use", "", "another hub uses this %s", pg->tables->name);
    return pg->opened ? still_ours(pg, f) : (may_take(pg, f) && take(pg, f));
}

/* ---- connecting ---------------------------------------------------------------------------------------------------------------- */

static PGconn *dial(const char *where)
{
    /* What stands in the URI counts more than what comes before it. */
    static const char *const names[] = { "connect_timeout", "tcp_user_timeout", "keepalives_idle", "keepalives_interval", "target_session_attrs",
                                         "fallback_application_name", "dbname", "client_encoding", NULL };
    const char *values[] = { "5", "10000", "15", "5", "read-write", "dragoman", where, "UTF8", NULL };
    static_assert(PG_CONNECT_S == 5, "the text above");
    return PQconnectdbParams(names, values, 1);
}

static void say_nothing(void *arg, const char *message)
{
    (void)arg;
    (void)message; /* notices are for people at a terminal; errors come with results */
}

static bool prepare(struct pg *pg, const char *name, const char *sql, struct fault *f)
{
    PGresult *r = answer(pg, PQsendPrepare(pg->c, name, sql, 0, NULL));
    bool ok = PQresultStatus(r) == PGRES_COMMAND_OK || failed(pg, "prepare a statement", f);
    PQclear(r);
    return ok;
}

static bool settle_in(struct pg *pg, struct fault *f)
{
    char sql[300], name[PG_NAME_MAX];
    if (PQstatus(pg->c) != CONNECTION_OK)
        return failed(pg, "be reached", f);
    if (PQserverVersion(pg->c) < PG_OLDEST)
        return fault(f, "store_failed", "", "PostgreSQL %d is too old: 11 or newer is needed", PQserverVersion(pg->c) / 10000);
    PQsetNoticeProcessor(pg->c, say_nothing, NULL);
    /* A program that stopped in the middle of a group must not hold the others' rows for ever; nor, while it looks at the tables, the lock that all take. */
    snprintf(sql, sizeof(sql), "SELECT set_config('synchronous_commit','on',false) WHERE current_setting('synchronous_commit')='off';"
             "SET lock_timeout='10s'; SET statement_timeout='25s'; SET idle_in_transaction_session_timeout='%ds'", PG_IDLE_S);
    if (!run(pg, sql, "be set up", f) || !migrate(pg, f))
        return false;
    if (!pg->tables->shared && (!run(pg, "RESET idle_in_transaction_session_timeout", "be set up", f) || !claim(pg, f)))
        return false; /* whoever has a claim is sent away by who follows */
    for (size_t i = 0; i < pg->tables->n_statements; i++) {
        if (!pg->tables->statements[i])
            continue;
        snprintf(name, sizeof(name), "s%zu", i);
        if (!prepare(pg, name, pg->tables->statements[i], f))
            return false;
    }
    snprintf(sql, sizeof(sql), PG_CLAIM_SQL, pg->tables->name, pg->writer);
    return (pg->tables->shared || prepare(pg, PG_CLAIM_STATEMENT, sql, f)) &&
           ((PQsetnonblocking(pg->c, 1) == 0 && PQenterPipelineMode(pg->c)) || failed(pg, "be set up", f));
}

bool pg_connect(struct pg *pg, struct fault *f)
{
    assert(!pg->c);
    pg->tried_ms = time_mono_ms();
    if (pg->taken)
        return pg_taken(pg, f);
    pg->c = dial(pg->where);
    pg->sent = pg->received = 0;
    if (settle_in(pg, f)) {
        pg->connects += pg->opened;
        return true;
    }
    PQfinish(pg->c);
    pg->c = NULL;
    return false;
}

bool pg_connected(struct pg *pg, struct fault *f)
{
    while (!pg->c) {
        int64_t now_ms = time_mono_ms(), again_ms = pg->tried_ms + PG_AGAIN_MS - now_ms;
        bool patient = pg->lost_ms && now_ms < pg->lost_ms + PG_PATIENCE_MS;
        if (again_ms > 0 && !patient)
            return fault(f, "store_failed", "", "PostgreSQL cannot be reached");
        if (again_ms > 0)
            pg_pause(again_ms);
        struct fault why = { 0 };
        if (pg_connect(pg, &why))
            return true;
        if (!patient || pg->taken) {
            *f = why;
            return false;
        }
    }
    return true;
}

struct pg *pg_open(const char *where, const struct pg_tables *tables, struct fault *f)
{
    struct pg *pg = must_calloc(1, sizeof(*pg));
    size_t n = strlen(where) + 1;
    pg->where = must_malloc(n);
    memcpy(pg->where, where, n);
    pg->copy = *tables;
    pg->tables = &pg->copy;
    random_hex(pg->writer, sizeof(pg->writer) / 2);
    int64_t until_ms = time_mono_ms() + PG_CLAIM_MS;
    while (!pg_connect(pg, f)) {
        if (strcmp(f->code, "newer") == 0 || time_mono_ms() >= until_ms) {
            pg_close(pg);
            return NULL;
        }
        pg_pause(PG_AGAIN_MS);
    }
    *f = (struct fault){ 0 };
    pg->opened = true;
    return pg;
}

void pg_links(const struct pg *pg, int64_t *ret_made, int64_t *ret_lost)
{
    *ret_made = pg->connects;
    *ret_lost = pg->losses;
}

void pg_close(struct pg *pg)
{
    if (!pg)
        return;
    PQfinish(pg->c);
    bytes_wipe(pg->where, strlen(pg->where));
    free(pg->where);
    free(pg);
}
