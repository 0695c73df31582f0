/* Sets of tables in SQLite: each in a file of its own. */
#define BASE_ALLOW_LIBC
#include "store/sql.h"
#include "store/sqlite_file.h"

struct file {
    struct sqlite_plan plan;
    sqlite3 *db;
    sqlite3_stmt **st;
};

static void close_file(void *e)
{
    struct file *fi = e;
    sqlite_file_close(&fi->plan, fi->db, fi->st);
    free(fi->st);
    free(fi);
}

static void *open_file(const struct sql_plan *plan, const char *where, int64_t turn, struct fault *f)
{
    struct file *fi = must_calloc(1, sizeof(*fi));
    (void)turn; /* a file has one hub: its data folder is locked */
    fi->plan = (struct sqlite_plan){ .what = plan->what, .migrations = plan->sqlite.migrations, .n_migrations = plan->sqlite.n_migrations,
                                     .statements = plan->sqlite.statements, .n_statements = plan->n_statements, .lazy = plan->lazy, .wipe = plan->wipe,
                                     .checkpoint_pages = plan->checkpoint_pages, .cache_kib = plan->cache_kib };
    fi->st = must_calloc(plan->n_statements, sizeof(fi->st[0]));
    if (sqlite_file_open(&fi->plan, where, &fi->db, fi->st, f))
        return fi;
    close_file(fi);
    return NULL;
}

static bool begin(void *e, struct fault *f)
{
    struct file *fi = e;
    return sqlite_run(&fi->plan, fi->db, "BEGIN IMMEDIATE", "begin", f);
}

static bool commit(void *e, struct fault *f)
{
    struct file *fi = e;
    return sqlite_run(&fi->plan, fi->db, "COMMIT", "commit", f);
}

static void rollback(void *e)
{
    struct file *fi = e;
    sqlite_rollback(fi->db);
}

static bool sync_next(void *e, bool on, struct fault *f)
{
    struct file *fi = e;
    return sqlite_run(&fi->plan, fi->db, on ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL", "be set up", f);
}

static void bind(sqlite3_stmt *st, const struct sql_args *args)
{
    for (int i = 0; i < args->n; i++) {
        const struct sql_arg *v = &args->at[i];
        if (v->kind == SQL_INT)
            sqlite3_bind_int64(st, i + 1, v->v);
        else if (v->kind != SQL_NULL)
            sqlite3_bind_text64(st, i + 1, v->s.p, v->s.n, SQLITE_STATIC, SQLITE_UTF8);
    }
}

static slice text_at(const void *row, int column)
{
    sqlite3_stmt *st = (sqlite3_stmt *)(uintptr_t)row;
    const void *p = sqlite3_column_blob(st, column); /* before _bytes: it may convert */
    size_t n = (size_t)sqlite3_column_bytes(st, column);
    return (slice){ n ? p : "", n };
}

static int64_t number_at(const void *row, int column)
{
    return sqlite3_column_int64((sqlite3_stmt *)(uintptr_t)row, column);
}

static bool step(struct file *fi, size_t statement, const struct sql_args *args, sql_row_fn each, void *arg, const char *doing, struct fault *f)
{
    sqlite3_stmt *st = fi->st[statement];
    struct sql_row row = { st, text_at, number_at };
    int rc;
    bind(st, args);
    while ((rc = sqlite3_step(st)) == SQLITE_ROW)
        if (each)
            each(arg, &row);
    bool ok = rc == SQLITE_DONE || sqlite_failed(&fi->plan, fi->db, doing, f);
    sqlite3_reset(st);
    sqlite3_clear_bindings(st);
    return ok;
}

static bool write_rows(void *e, size_t statement, const struct sql_args *args, struct fault *f)
{
    return step(e, statement, args, NULL, NULL, "be written", f);
}

static bool read_rows(void *e, size_t statement, const struct sql_args *args, sql_row_fn each, void *arg, struct fault *f)
{
    return step(e, statement, args, each, arg, "be read", f);
}

const struct sql_engine sql_sqlite = {
    .open = open_file,
    .close = close_file,
    .begin = begin,
    .commit = commit,
    .rollback = rollback,
    .sync = sync_next,
    .write = write_rows,
    .read = read_rows,
};
