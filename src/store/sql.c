#include "store/sql.h"
#include "store/store_pg.h"

struct sql {
    const struct sql_engine *engine;
    const struct sql_tables *tables;
    void *e;
};

struct sql *sql_open(const struct sql_plan *plan, const char *where, int64_t turn, struct fault *f)
{
    bool pg = store_is_pg(slice_of(where));
    const struct sql_engine *engine = pg ? &sql_pg : &sql_sqlite;
    void *e = engine->open(plan, where, turn, f);
    if (!e)
        return NULL;
    struct sql *db = must_calloc(1, sizeof(*db));
    *db = (struct sql){ engine, pg ? &plan->pg : &plan->sqlite, e };
    return db;
}

void sql_close(struct sql *db)
{
    if (!db)
        return;
    db->engine->close(db->e);
    free(db);
}

bool sql_begin(struct sql *db, struct fault *f)
{
    return db->engine->begin(db->e, f);
}

bool sql_commit(struct sql *db, struct fault *f)
{
    return db->engine->commit(db->e, f);
}

void sql_rollback(struct sql *db)
{
    db->engine->rollback(db->e);
}

bool sql_sync(struct sql *db, bool on, struct fault *f)
{
    return !db->engine->sync || db->engine->sync(db->e, on, f);
}

static struct sql_arg *arg_new(struct sql_args *args)
{
    assert(args->n < SQL_ARGS_MAX);
    return &args->at[args->n++];
}

void sql_null(struct sql_args *args)
{
    arg_new(args)->kind = SQL_NULL;
}

void sql_int(struct sql_args *args, int64_t v)
{
    *arg_new(args) = (struct sql_arg){ .kind = SQL_INT, .v = v };
}

void sql_text(struct sql_args *args, slice s)
{
    *arg_new(args) = (struct sql_arg){ .kind = SQL_TEXT, .s = s.p ? s : SL("") };
}

void sql_bytes(struct sql_args *args, slice s)
{
    *arg_new(args) = (struct sql_arg){ .kind = SQL_BYTES, .s = s.p ? s : SL("") };
}

bool sql_has(const struct sql *db, size_t statement)
{
    return db->tables->statements[statement] != NULL;
}

bool sql_do(struct sql *db, size_t statement, const struct sql_args *args, struct fault *f)
{
    return !sql_has(db, statement) || db->engine->write(db->e, statement, args, f);
}

bool sql_each(struct sql *db, size_t statement, const struct sql_args *args, sql_row_fn each, void *arg, struct fault *f)
{
    return !sql_has(db, statement) || db->engine->read(db->e, statement, args, each, arg, f);
}

struct first_number {
    bool found;
    int64_t v;
};

static void keep_number(void *arg, const struct sql_row *row)
{
    struct first_number *first = arg;
    if (!first->found)
        *first = (struct first_number){ true, sql_int_at(row, 0) };
}

bool sql_number(struct sql *db, size_t statement, const struct sql_args *args, int64_t *ret, struct fault *f)
{
    struct first_number first = { false, 0 };
    *ret = 0;
    if (!sql_each(db, statement, args, keep_number, &first, f))
        return false;
    *ret = first.v;
    return true;
}
