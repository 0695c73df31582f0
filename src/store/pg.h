/* pg.h - a connection to PostgreSQL: migrations, prepared statements, pipelined groups, exact reconnects. For store/, and for what of the hub is kept there.
 *
 *   struct pg *pg = pg_open("postgresql://…", &tables, &f);
 *   pg_begin(pg, &f); pg_write(pg, ST_PUT, &args, &f) …; pg_commit(pg, &f)       one round trip
 *
 * Writes     pg_write only queues: what is wrong with it may show at the commit. pg_read within a group waits for its rows.
 * Errors     "store_failed"   nothing of the group has happened
 *            "store_lost"     the same, because the connection was lost: it can be done again on another
 *            "store_unknown"  the connection was lost in the commit, and for PG_RESOLVE_MS there was no other to ask whether it came through
 *            "in_use"         another writer has these tables; "newer": a newer program has changed them
 * Exact      every group writes its number into the row of the claim, within the transaction. When the connection is lost in a commit, that row says
 *            after the reconnect whether it came through.
 * One writer the claim is a lock of the session and a row. Without turns the first one has it until it closes. With turns the later one takes it over: the
 *            session of the one before is ended by the server, and whatever he sends afterwards is refused by the row, within his own transaction: "in_use".
 * Shared     tables that several may write have no claim, and nothing is looked up: what was lost in a commit is "store_unknown" at once. Groups then
 *            are such that they can be done again, and say themselves whether they may be done.
 * Waiting    bounded: PG_ANSWER_MS for an answer; connections are tried again for PG_PATIENCE_MS after a loss, then once for each call, PG_AGAIN_MS apart.
 * Threads    one at a time. Everything blocks.
 */
#ifndef STORE_PG_H
#define STORE_PG_H
#include "base/base.h"

enum { PG_CONNECT_S = 5, PG_ANSWER_MS = 30000, PG_PATIENCE_MS = 5000, PG_RESOLVE_MS = 20000, PG_AGAIN_MS = 200, PG_CLAIM_MS = 3000, PG_IDLE_S = 10, PG_OLDEST = 110000 };

struct pg_tables {
    const char *name;              /* of this set of tables: "store" */
    const char *const *migrations; /* each takes them from version i to i + 1 */
    size_t n_migrations;
    const char *const *statements; /* prepared on each connection, named by their index; NULL: there is none of this number */
    size_t n_statements;
    int64_t turn; /* of those who follow one another: they grow. 0: nobody takes over */
    bool shared;  /* see above */
};
struct pg;
/* Waits PG_CLAIM_MS for a server that is starting, or another writer that is leaving. NULL: see *f. */
struct pg *pg_open(const char *where, const struct pg_tables *tables, struct fault *f) MUST_USE;
void pg_close(struct pg *pg);
void pg_links(const struct pg *pg, int64_t *ret_made, int64_t *ret_lost); /* connections; made: the first one not counted */

enum { PG_ARGS_MAX = 16 };
struct pg_args {
    int n;
    const char *at[PG_ARGS_MAX];
    int length[PG_ARGS_MAX];
    char numbers[PG_ARGS_MAX][8];
};
void pg_bytes(struct pg_args *args, slice s); /* absent counts as empty; not copied */
void pg_int(struct pg_args *args, int64_t v);
void pg_null(struct pg_args *args);

struct pg_row;
slice pg_text(const struct pg_row *row, int column);
int64_t pg_number(const struct pg_row *row, int column); /* of a bigint */

bool pg_begin(struct pg *pg, struct fault *f);
bool pg_commit(struct pg *pg, struct fault *f);
void pg_rollback(struct pg *pg);
bool pg_write(struct pg *pg, size_t statement, const struct pg_args *args, struct fault *f);
/* Slices of a row are valid during each, which runs no statement. */
bool pg_read(struct pg *pg, size_t statement, const struct pg_args *args, void (*each)(void *arg, const struct pg_row *row), void *arg, struct fault *f);

/* For a migration: an index by which ILIKE finds within a text, where pg_trgm is there or can be made; else none. */
#define PG_WORDS_INDEX(index, table, column)                                                                                                   \
    "DO $$ DECLARE home text; BEGIN"                                                                                                           \
    " BEGIN CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA public;"                                                                             \
    " EXCEPTION WHEN OTHERS THEN BEGIN CREATE EXTENSION IF NOT EXISTS pg_trgm; EXCEPTION WHEN OTHERS THEN NULL; END; END;"                     \
    " SELECT n.nspname INTO home FROM pg_extension e JOIN pg_namespace n ON n.oid=e.extnamespace WHERE e.extname='pg_trgm';"                   \
    " IF home IS NOT NULL THEN EXECUTE format('CREATE INDEX " index " ON " table " USING gin (" column " %I.gin_trgm_ops)', home); END IF;"    \
    " END $$;"
#endif
