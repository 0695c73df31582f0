#include "store/tables.h"
#include "store/contact_private.h"
#include "store/history_sql.h"
#include "store/store_pg.h"
#include <sodium.h>

enum { COLUMNS_MAX = 16, KEYS_MAX = 3, TABLES_MAX = 6 };
static_assert((int)COLUMNS_MAX <= (int)SQL_ARGS_MAX, "a row is one statement's arguments");

/* What a column holds: in PostgreSQL, in SQLite. */
enum holds { NUMBER, BYTES, BYTES_TEXT /* bytea, TEXT */, TEXT };
struct column {
    const char *name;
    enum holds holds;
    const char *in_sqlite; /* when it is called otherwise there */
};
struct table {
    const char *name, *sqlite, *pg;
    size_t keys; /* so many columns, the first ones, are the key */
    struct column columns[COLUMNS_MAX];
};
struct set {
    const struct table *tables;
    size_t n_tables;
    const char *sqlite_finish, *pg_finish; /* NULL: nothing */
};

/* clang-format off */
static const struct table store_tables[] = {
    { "keys", "kv", "kv", 1, { { "key", BYTES, NULL }, { "value", BYTES, NULL } } },
    { "attachments", "attachments", "attachments", 1,
      { { "id", BYTES_TEXT, NULL }, { "account", BYTES_TEXT, NULL }, { "conversation", BYTES_TEXT, NULL }, { "storage", BYTES_TEXT, NULL },
        { "handle", BYTES_TEXT, NULL }, { "url", BYTES_TEXT, NULL }, { "sha256", BYTES_TEXT, NULL }, { "type", BYTES_TEXT, NULL }, { "name", BYTES_TEXT, NULL },
        { "size", NUMBER, NULL }, { "created_ms", NUMBER, NULL }, { "purge_at_ms", NUMBER, NULL }, { "attempts", NUMBER, NULL }, { "state", NUMBER, NULL } } },
};
static const struct table history_tables[] = {
    { "places in the journal", "place", "history_place", 1, { { "one", NUMBER, NULL }, { "at", BYTES, NULL } } },
    { "conversations of the history", "conversation", "history_conversation", 1,
      { { "n", NUMBER, NULL }, { "id", TEXT, NULL }, { "name", TEXT, NULL }, { "person", BYTES_TEXT, NULL }, { "open", NUMBER, NULL }, { "messages", NUMBER, NULL },
        { "last_id", NUMBER, NULL }, { "last_ms", NUMBER, NULL }, { "last_text", TEXT, NULL }, { "last_kind", BYTES_TEXT, NULL }, { "last_way", NUMBER, NULL },
        { "news", NUMBER, NULL } } },
    { "messages of the history", "message", "history_message", 1,
      { { "id", NUMBER, NULL }, { "conv", NUMBER, NULL }, { "target", BYTES_TEXT, NULL }, { "at_ms", NUMBER, NULL }, { "way", NUMBER, NULL }, { "state", NUMBER, NULL },
        { "status", NUMBER, NULL }, { "tries", NUMBER, NULL }, { "ended_ms", NUMBER, NULL }, { "kind", BYTES_TEXT, NULL }, { "text", TEXT, NULL },
        { "peer_id", BYTES_TEXT, NULL }, { "vendor_id", BYTES_TEXT, NULL }, { "body", BYTES_TEXT, NULL }, { "media", BYTES_TEXT, NULL }, { "note", TEXT, NULL } } },
    { "trace lines of the history", "trace", "history_trace", 1,
      { { "n", NUMBER, "rowid" }, { "id", NUMBER, NULL }, { "at_ms", NUMBER, NULL }, { "op", BYTES_TEXT, NULL }, { "note", BYTES_TEXT, NULL } } },
};
static const struct table contact_tables[] = {
    { "contacts", "contact", "contact", 1,
      { { "n", NUMBER, NULL }, { "id", BYTES_TEXT, NULL }, { "tenant", BYTES_TEXT, NULL }, { "name", BYTES_TEXT, NULL }, { "named", NUMBER, NULL },
        { "touched", NUMBER, NULL }, { "attributes", BYTES_TEXT, NULL }, { "rev", NUMBER, NULL }, { "created_ms", NUMBER, NULL }, { "changed_ms", NUMBER, NULL },
        { "search", TEXT, NULL } } },
    { "identities of contacts", "identity", "contact_identity", 1,
      { { "conversation", BYTES_TEXT, NULL }, { "contact", NUMBER, NULL }, { "tenant", BYTES_TEXT, NULL }, { "network", BYTES_TEXT, NULL },
        { "guest", BYTES_TEXT, NULL }, { "name", BYTES_TEXT, NULL }, { "picture", BYTES_TEXT, NULL }, { "phone", BYTES_TEXT, NULL }, { "email", BYTES_TEXT, NULL },
        { "how", NUMBER, NULL }, { "heard_ms", NUMBER, NULL } } },
    { "addresses of contacts", "address", "contact_address", 3,
      { { "contact", NUMBER, NULL }, { "kind", NUMBER, NULL }, { "value", BYTES_TEXT, NULL }, { "tenant", BYTES_TEXT, NULL } } },
    { "merged contacts", "merged", "contact_merged", 1, { { "id", BYTES_TEXT, NULL }, { "contact", NUMBER, NULL } } },
};
/* clang-format on */

#define NEXT_NUMBER(table) "setval(pg_get_serial_sequence('" table "','n'),greatest(1,(SELECT coalesce(max(n),1) FROM " table ")))"
static const struct set sets[TABLE_SETS] = {
    [TABLES_STORE] = { store_tables, COUNT(store_tables), NULL, NULL },
    /* The hub makes the words' index when it has time: of a new file it knows that nothing is in it. */
    [TABLES_HISTORY] = { history_tables, COUNT(history_tables), NULL, "SELECT " NEXT_NUMBER("history_conversation") "+" NEXT_NUMBER("history_trace") },
    [TABLES_CONTACTS] = { contact_tables, COUNT(contact_tables), "INSERT INTO contact_text(contact_text) VALUES('rebuild')", "SELECT " NEXT_NUMBER("contact") },
};
const char *const table_set_files[TABLE_SETS] = { "store.db", "history.db", "contacts.db" };

static const struct sql_plan store_plan = {
    .name = "store",
    .what = "the store",
    .sqlite = { store_sqlite_migrations, STORE_SQLITE_VERSION, NULL },
    .pg = { store_pg_migrations, STORE_PG_VERSION, NULL },
    .checkpoint_pages = 1000,
    .cache_kib = 2048,
};

/* ---- statements -------------------------------------------------------------------------------------------------------------------- */

enum statement { ST_FIRST, ST_NEXT, ST_WRITE, ST_CLEAR, ST_OF_TABLE };
enum { ST_FINISH = TABLES_MAX * ST_OF_TABLE, ST_MAX };

struct tables {
    const struct set *set;
    struct arena *a;
    struct sql_plan plan;
    struct sql *db;
    const char *statements[ST_MAX];
};

static size_t columns_of(const struct table *t)
{
    size_t n = 0;
    while (n < COLUMNS_MAX && t->columns[n].name)
        n++;
    return n;
}

static void names(struct text *to, const struct table *t, size_t n, bool pg)
{
    for (size_t i = 0; i < n; i++)
        text_add(to, "%s%s", i ? "," : "", !pg && t->columns[i].in_sqlite ? t->columns[i].in_sqlite : t->columns[i].name);
}

/* Numbers as wide as they are read. */
static void selected(struct text *to, const struct table *t, bool pg)
{
    for (size_t i = 0; i < columns_of(t); i++)
        text_add(to, "%s%s%s", i ? "," : "", !pg && t->columns[i].in_sqlite ? t->columns[i].in_sqlite : t->columns[i].name,
                 pg && t->columns[i].holds == NUMBER ? "::bigint" : "");
}

/* Typed, so that what is a blob stays one in SQLite. */
static void values(struct text *to, const struct table *t, size_t n, bool pg)
{
    static const char *const pg_types[] = { [NUMBER] = "bigint", [BYTES] = "bytea", [BYTES_TEXT] = "bytea", [TEXT] = "text" };
    static const char *const sqlite_types[] = { [NUMBER] = "INTEGER", [BYTES] = "BLOB", [BYTES_TEXT] = "TEXT", [TEXT] = "TEXT" };
    for (size_t i = 0; i < n; i++) {
        if (pg)
            text_add(to, "%s$%zu::%s", i ? "," : "", i + 1, pg_types[t->columns[i].holds]);
        else
            text_add(to, "%sCAST(?%zu AS %s)", i ? "," : "", i + 1, sqlite_types[t->columns[i].holds]);
    }
}

static const char *read_statement(struct arena *a, const struct table *t, bool pg, bool next)
{
    struct text s = text_new(a, 4096);
    text_add(&s, "SELECT ");
    selected(&s, t, pg);
    text_add(&s, " FROM %s", pg ? t->pg : t->sqlite);
    if (next) {
        text_add(&s, " WHERE (");
        names(&s, t, t->keys, pg);
        text_add(&s, ")>(");
        values(&s, t, t->keys, pg);
        text_add(&s, ")");
    }
    text_add(&s, " ORDER BY ");
    names(&s, t, t->keys, pg);
    text_add(&s, " LIMIT %d", TABLES_PAGE);
    return arena_cstr(a, text_slice(&s));
}

static const char *write_statement(struct arena *a, const struct table *t, bool pg)
{
    struct text s = text_new(a, 4096);
    text_add(&s, "INSERT INTO %s(", pg ? t->pg : t->sqlite);
    names(&s, t, columns_of(t), pg);
    text_add(&s, ")%s VALUES(", pg ? " OVERRIDING SYSTEM VALUE" : "");
    values(&s, t, columns_of(t), pg);
    text_add(&s, ")");
    return arena_cstr(a, text_slice(&s));
}

static size_t statement_of(size_t table, enum statement which)
{
    return table * ST_OF_TABLE + which;
}

static void statements_make(struct tables *t, bool pg)
{
    for (size_t i = 0; i < t->set->n_tables; i++) {
        const struct table *table = &t->set->tables[i];
        t->statements[statement_of(i, ST_FIRST)] = read_statement(t->a, table, pg, false);
        t->statements[statement_of(i, ST_NEXT)] = read_statement(t->a, table, pg, true);
        t->statements[statement_of(i, ST_WRITE)] = write_statement(t->a, table, pg);
        t->statements[statement_of(i, ST_CLEAR)] = arena_printf(t->a, "DELETE FROM %s", pg ? table->pg : table->sqlite).p;
    }
    t->statements[ST_FINISH] = pg ? t->set->pg_finish : t->set->sqlite_finish;
}

struct tables *tables_open(enum table_set set, const char *where, struct fault *f)
{
    static const struct sql_plan *const plans[TABLE_SETS] = { &store_plan, &history_plan, &contact_plan };
    bool pg = store_is_pg(slice_of(where));
    struct tables *t = must_calloc(1, sizeof(*t));
    static_assert(COUNT(store_tables) <= TABLES_MAX && COUNT(history_tables) <= TABLES_MAX && COUNT(contact_tables) <= TABLES_MAX, "each has its statements");
    t->a = arena_new();
    t->set = &sets[set];
    t->plan = *plans[set];
    t->plan.n_statements = ST_MAX;
    t->plan.sqlite.statements = t->plan.pg.statements = t->statements;
    statements_make(t, pg);
    t->db = sql_open(&t->plan, where, 0, f);
    if (t->db)
        return t;
    tables_close(t);
    return NULL;
}

void tables_close(struct tables *t)
{
    if (!t)
        return;
    sql_close(t->db);
    arena_free(t->a);
    free(t);
}

size_t tables_n(const struct tables *t)
{
    return t->set->n_tables;
}

const char *tables_name(const struct tables *t, size_t table)
{
    return t->set->tables[table].name;
}

/* ---- rows -------------------------------------------------------------------------------------------------------------------------- */

bool table_sum_same(const struct table_sum *a, const struct table_sum *b)
{
    return a->rows == b->rows && memcmp(a->part, b->part, sizeof(a->part)) == 0;
}

struct reading {
    const struct table *table;
    struct table_sum *sum;
    struct tables *to; /* NULL: read only */
    size_t write;
    bool ok;
    struct fault *f;
    struct arena *a; /* the page's */
    struct sql_args last;
    size_t n;
};

static void sum_bytes(crypto_generichash_state *st, slice s)
{
    uint64_t n = s.n;
    crypto_generichash_update(st, (const unsigned char *)&n, sizeof(n));
    crypto_generichash_update(st, (const unsigned char *)s.p, s.n);
}

static void sum_row(struct table_sum *to, const struct sql_args *row)
{
    crypto_generichash_state st;
    uint64_t part[COUNT(to->part)];
    crypto_generichash_init(&st, NULL, 0, sizeof(part));
    for (int i = 0; i < row->n; i++) {
        const struct sql_arg *v = &row->at[i];
        CLEANUP(arena_freep) struct arena *a = NULL;
        if (v->kind == SQL_INT)
            crypto_generichash_update(&st, (const unsigned char *)&v->v, sizeof(v->v));
        else
            sum_bytes(&st, v->kind == SQL_TEXT ? sql_plain(&a, v->s) : v->s);
    }
    crypto_generichash_final(&st, (unsigned char *)part, sizeof(part));
    for (size_t i = 0; i < COUNT(part); i++)
        to->part[i] += part[i];
    to->rows++;
}

static void take_row(void *arg, const struct sql_row *row)
{
    struct reading *rd = arg;
    struct sql_args args = { 0 };
    for (size_t i = 0; i < columns_of(rd->table); i++) {
        switch (rd->table->columns[i].holds) {
        case NUMBER:
            sql_int(&args, sql_int_at(row, (int)i));
            break;
        case BYTES:
        case BYTES_TEXT:
            sql_bytes(&args, sql_text_at(row, (int)i));
            break;
        case TEXT:
            sql_text(&args, sql_text_at(row, (int)i));
            break;
        }
    }
    rd->n++;
    sum_row(rd->sum, &args);
    if (rd->to && rd->ok)
        rd->ok = sql_do(rd->to->db, rd->write, &args, rd->f);
    if (rd->n < TABLES_PAGE)
        return;
    rd->last = args; /* the next page begins behind it */
    rd->last.n = (int)rd->table->keys;
    for (int i = 0; i < rd->last.n; i++)
        rd->last.at[i].s = arena_dup(rd->a, rd->last.at[i].s);
}

static bool read_page(struct tables *t, size_t table, struct reading *rd, struct fault *f)
{
    bool first = rd->last.n == 0;
    struct sql_args from = rd->last;
    rd->n = 0;
    return sql_each(t->db, statement_of(table, first ? ST_FIRST : ST_NEXT), &from, take_row, rd, f);
}

static bool read_table(struct tables *t, size_t table, struct tables *to, struct table_sum *ret, void (*told)(void *, const char *, int64_t), void *arg,
                       struct fault *f)
{
    struct reading rd = { .table = &t->set->tables[table], .sum = ret, .to = to, .write = statement_of(table, ST_WRITE), .ok = true, .f = f };
    struct arena *page = arena_new(), *before = NULL;
    bool ok = true;
    *ret = (struct table_sum){ 0 };
    do {
        rd.a = page;
        ok = (!to || sql_begin(to->db, f)) && read_page(t, table, &rd, f) && rd.ok && (!to || sql_commit(to->db, f));
        if (!ok && to)
            sql_rollback(to->db);
        if (told)
            told(arg, rd.table->name, ret->rows);
        arena_free(before); /* the key that this page began behind */
        before = page;
        page = arena_new();
    } while (ok && rd.n == TABLES_PAGE);
    arena_free(before);
    arena_free(page);
    return ok;
}

bool tables_sum(struct tables *t, size_t table, struct table_sum *ret, struct fault *f)
{
    return read_table(t, table, NULL, ret, NULL, NULL, f);
}

bool tables_copy(struct tables *from, struct tables *to, size_t table, struct table_sum *ret, void (*told)(void *arg, const char *name, int64_t rows), void *arg,
                 struct fault *f)
{
    assert(from->set == to->set);
    return read_table(from, table, to, ret, told, arg, f);
}

bool tables_clear(struct tables *t, size_t table, struct fault *f)
{
    struct sql_args none = { 0 };
    bool ok = sql_begin(t->db, f) && sql_do(t->db, statement_of(table, ST_CLEAR), &none, f) && sql_commit(t->db, f);
    if (!ok)
        sql_rollback(t->db);
    return ok;
}

bool tables_finish(struct tables *t, struct fault *f)
{
    struct sql_args none = { 0 };
    int64_t ignored;
    return sql_number(t->db, ST_FINISH, &none, &ignored, f);
}
