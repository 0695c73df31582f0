/* sql.h - a set of tables in SQLite or in PostgreSQL, and running its statements whichever it is. Private to store/.
 *
 *   static const struct sql_plan plan = { .name = "history", … };
 *   struct sql *db = sql_open(&plan, "data/history.db", 0, &f);                   or postgresql://…
 *   struct sql_args args = { 0 };
 *   sql_int(&args, id);
 *   sql_text(&args, name);
 *   bool ok = sql_begin(db, &f) && sql_do(db, ST_NAME, &args, &f) && sql_commit(db, &f);
 *
 * Statements  a statement has the same number, parameters and columns in both engines: numbers of 64 bits (bigint), texts, bytes. What an engine does not
 *             need is NULL there: it does nothing and finds nothing.
 * Texts       sql_text is for what PostgreSQL keeps as text, because it is searched: what is no UTF-8, and zero bytes, become U+FFFD there, for it would refuse
 *             them and with them all that shares the commit. sql_bytes is for its bytea: anything. To SQLite they are the same.
 * Errors      "store_failed", "newer"; of PostgreSQL also those of pg.h. What is wrong with a write may show at the commit only.
 * Ownership   slices in are used until the call returns; slices of a row are valid during each.
 * Threads     one at a time. Everything blocks.
 */
#ifndef STORE_SQL_H
#define STORE_SQL_H
#include "base/base.h"

struct sql_tables {
    const char *const *migrations; /* row i takes the tables from version i to i + 1; never changed once released, only added */
    size_t n_migrations;
    const char *const *statements;
};
struct sql_plan {
    const char *name; /* in PostgreSQL, of the version and the claim */
    const char *what; /* in errors: "the history" */
    size_t n_statements;
    struct sql_tables sqlite, pg;
    bool lazy, wipe; /* see sqlite_file.h; commits to PostgreSQL are always durable */
    int checkpoint_pages, cache_kib;
};
struct sql;
/* turn: see pg.h; 0 where nobody takes over. NULL: see *f ("newer", "in_use", "store_failed"). */
struct sql *sql_open(const struct sql_plan *plan, const char *where, int64_t turn, struct fault *f) MUST_USE;
void sql_close(struct sql *db);
bool sql_begin(struct sql *db, struct fault *f);
bool sql_commit(struct sql *db, struct fault *f);
void sql_rollback(struct sql *db);
/* Of a lazy plan, outside a transaction: are the next commits synced? */
bool sql_sync(struct sql *db, bool on, struct fault *f);

enum { SQL_ARGS_MAX = 16 };
struct sql_args {
    int n;
    struct sql_arg {
        enum { SQL_NULL, SQL_INT, SQL_TEXT, SQL_BYTES } kind;
        slice s; /* absent counts as empty */
        int64_t v;
    } at[SQL_ARGS_MAX];
};
void sql_null(struct sql_args *args);
void sql_int(struct sql_args *args, int64_t v);
void sql_text(struct sql_args *args, slice s);
void sql_bytes(struct sql_args *args, slice s);
/* A text as PostgreSQL keeps it; where it must be made, in *a, which is made then. */
slice sql_plain(struct arena **a, slice s) MUST_USE;

struct sql_row {
    const void *row;
    slice (*text)(const void *row, int column);
    int64_t (*number)(const void *row, int column);
};
static inline slice sql_text_at(const struct sql_row *r, int column) /* empty: of NULL, too */
{
    return r->text(r->row, column);
}
static inline int64_t sql_int_at(const struct sql_row *r, int column)
{
    return r->number(r->row, column);
}

typedef void (*sql_row_fn)(void *arg, const struct sql_row *row);
bool sql_has(const struct sql *db, size_t statement); /* does this engine need it? */
bool sql_do(struct sql *db, size_t statement, const struct sql_args *args, struct fault *f);
/* each runs no other statement. */
bool sql_each(struct sql *db, size_t statement, const struct sql_args *args, sql_row_fn each, void *arg, struct fault *f);
/* The number in the first column of the first row; 0: no row. */
bool sql_number(struct sql *db, size_t statement, const struct sql_args *args, int64_t *ret, struct fault *f);

/* ---- in statements: the pattern of LIKE that finds `text` within, escaped by '\' --------------------------------------- */
#define SQL_LIKE(text) "'%'||replace(replace(replace(" text ",'\\','\\\\'),'%','\\%'),'_','\\_')||'%'"

/* ---- what an engine does: sql_sqlite.c, sql_pg.c ------------------------------------------------------------------------- */
struct sql_engine {
    void *(*open)(const struct sql_plan *plan, const char *where, int64_t turn, struct fault *f);
    void (*close)(void *e);
    bool (*begin)(void *e, struct fault *f);
    bool (*commit)(void *e, struct fault *f);
    void (*rollback)(void *e);
    bool (*sync)(void *e, bool on, struct fault *f);
    bool (*write)(void *e, size_t statement, const struct sql_args *args, struct fault *f);
    bool (*read)(void *e, size_t statement, const struct sql_args *args, sql_row_fn each, void *arg, struct fault *f);
};
extern const struct sql_engine sql_sqlite, sql_pg;
#endif
