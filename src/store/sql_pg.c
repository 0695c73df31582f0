/* Sets of tables in PostgreSQL: beside the store's, on a connection of their own. */
#include "store/pg.h"
#include "store/sql.h"

struct server {
    struct pg_tables tables;
    struct pg *pg;
};

static void close_server(void *e)
{
    struct server *s = e;
    pg_close(s->pg);
    free(s);
}

static void *open_server(const struct sql_plan *plan, const char *where, int64_t turn, struct fault *f)
{
    struct server *s = must_calloc(1, sizeof(*s));
    s->tables = (struct pg_tables){ .name = plan->name, .migrations = plan->pg.migrations, .n_migrations = plan->pg.n_migrations,
                                    .statements = plan->pg.statements, .n_statements = plan->n_statements, .turn = turn };
    s->pg = pg_open(where, &s->tables, f);
    if (s->pg)
        return s;
    close_server(s);
    return NULL;
}

static bool begin(void *e, struct fault *f)
{
    struct server *s = e;
    return pg_begin(s->pg, f);
}

static bool commit(void *e, struct fault *f)
{
    struct server *s = e;
    return pg_commit(s->pg, f);
}

static void rollback(void *e)
{
    struct server *s = e;
    pg_rollback(s->pg);
}

slice sql_plain(struct arena **a, slice s)
{
    if (slice_find_char(s, '\0') == SIZE_MAX && utf8_valid(s))
        return s;
    if (!*a)
        *a = arena_new();
    s = utf8_repair(*a, s);
    struct text t = text_new(*a, s.n * 3);
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i])
            text_char(&t, s.p[i]);
        else
            text_put(&t, SL("\xef\xbf\xbd"));
    }
    return text_slice(&t);
}

static void bind(struct pg_args *to, const struct sql_args *args, struct arena **a)
{
    static_assert((int)PG_ARGS_MAX >= (int)SQL_ARGS_MAX, "what is asked for fits");
    for (int i = 0; i < args->n; i++) {
        const struct sql_arg *v = &args->at[i];
        switch (v->kind) {
        case SQL_NULL:
            pg_null(to);
            break;
        case SQL_INT:
            pg_int(to, v->v);
            break;
        case SQL_TEXT:
            pg_bytes(to, sql_plain(a, v->s));
            break;
        case SQL_BYTES:
            pg_bytes(to, v->s);
            break;
        }
    }
}

static slice text_at(const void *row, int column)
{
    return pg_text(row, column);
}

static int64_t number_at(const void *row, int column)
{
    return pg_number(row, column);
}

struct reading {
    sql_row_fn each;
    void *arg;
};

static void read_row(void *arg, const struct pg_row *row)
{
    const struct reading *rd = arg;
    rd->each(rd->arg, &(struct sql_row){ row, text_at, number_at });
}

static bool write_rows(void *e, size_t statement, const struct sql_args *args, struct fault *f)
{
    struct server *s = e;
    CLEANUP(arena_freep) struct arena *a = NULL;
    struct pg_args to = { 0 };
    bind(&to, args, &a);
    return pg_write(s->pg, statement, &to, f);
}

static bool read_rows(void *e, size_t statement, const struct sql_args *args, sql_row_fn each, void *arg, struct fault *f)
{
    struct server *s = e;
    CLEANUP(arena_freep) struct arena *a = NULL;
    struct pg_args to = { 0 };
    bind(&to, args, &a);
    return pg_read(s->pg, statement, &to, read_row, &(struct reading){ each, arg }, f);
}

const struct sql_engine sql_pg = {
    .open = open_server,
    .close = close_server,
    .begin = begin,
    .commit = commit,
    .rollback = rollback,
    .write = write_rows,
    .read = read_rows,
};
