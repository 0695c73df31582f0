/* contact_db.c - the database of contacts: opening, reading, searching. What is written: contact_write.c. */
#include "store/contact_private.h"
#include "store/sqlite_file.h"

enum { CHECKPOINT_PAGES = 400, SEARCH_TEXT_MAX = 64 << 10, SHORT_CHARS = 3 };

const char *const contact_how_names[CONTACT_HOWS] = { "new", "guest", "phone", "email", "hand" };

/* Each row takes the file from version i to i + 1. Rows are never changed once released, only added. */
static const char *const migrations[] = {
    ("CREATE TABLE contact(n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, tenant TEXT NOT NULL, name TEXT NOT NULL, named INTEGER NOT NULL,"
    " touched INTEGER NOT NULL, attributes TEXT NOT NULL, rev INTEGER NOT NULL, created_ms INTEGER NOT NULL, changed_ms INTEGER NOT NULL,"
    " search TEXT NOT NULL DEFAULT '');"
    "CREATE INDEX contact_changed ON contact(changed_ms, n);"
    "CREATE TABLE identity(conversation TEXT PRIMARY KEY, contact INTEGER NOT NULL, tenant TEXT NOT NULL, network TEXT NOT NULL, guest TEXT NOT NULL,"
    " name TEXT NOT NULL, picture TEXT NOT NULL, phone TEXT NOT NULL, email TEXT NOT NULL, how INTEGER NOT NULL, heard_ms INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX identity_contact ON identity(contact);"
    "CREATE INDEX identity_guest ON identity(tenant, network, guest);"
    "CREATE TABLE address(contact INTEGER NOT NULL, kind INTEGER NOT NULL, value TEXT NOT NULL, tenant TEXT NOT NULL, PRIMARY KEY(contact, kind, value))"
    " WITHOUT ROWID;"
    "CREATE INDEX address_value ON address(tenant, kind, value);"
    "CREATE TABLE merged(id TEXT PRIMARY KEY, contact INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX merged_contact ON merged(contact);"
    "CREATE VIRTUAL TABLE contact_text USING fts5(search, content='contact', content_rowid='n', tokenize='trigram');"),
};

#define CONTACT "n,id,tenant,name,named,attributes,rev,created_ms,changed_ms"
/* clang-format off */
const char *const contact_statements[CS_MAX] = {
    [CS_MAKE]              = "INSERT INTO contact(id,tenant,name,named,touched,attributes,rev,created_ms,changed_ms) VALUES(?1,?2,?3,?4,?5,?6,1,?7,?7)",
    [CS_READ]              = "SELECT " CONTACT ",touched FROM contact WHERE n=?1",
    [CS_CHANGE]            = "UPDATE contact SET name=?2,named=?3,attributes=?4 WHERE n=?1",
    [CS_TOUCH]             = "UPDATE contact SET touched=1 WHERE n=?1",
    [CS_REMOVE]            = "DELETE FROM contact WHERE n=?1",
    [CS_BY_ID]             = "SELECT n FROM contact WHERE id=?1 UNION ALL SELECT contact FROM merged WHERE id=?1",
    [CS_SEARCH_OF]         = "SELECT search FROM contact WHERE n=?1",
    [CS_SEARCH_SET]        = "UPDATE contact SET search=?2,rev=rev+1,changed_ms=max(changed_ms,?3) WHERE n=?1",
    [CS_UNINDEX]           = "INSERT INTO contact_text(contact_text,rowid,search) VALUES('delete',?1,?2)",
    [CS_INDEX]             = "INSERT INTO contact_text(rowid,search) VALUES(?1,?2)",
    [CS_IDENTITY]          = "SELECT contact,name,picture,phone,email,network FROM identity WHERE conversation=?1",
    [CS_IDENTITY_PUT]      = ("INSERT INTO identity VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11) ON CONFLICT(conversation) DO UPDATE SET"
                             " contact=excluded.contact,network=excluded.network,name=excluded.name,picture=excluded.picture,phone=excluded.phone,"
                             "email=excluded.email,how=CASE WHEN contact=excluded.contact THEN how ELSE excluded.how END"),
    [CS_IDENTITY_MOVE]     = "UPDATE identity SET contact=?3,how=?4 WHERE conversation=?1 AND contact=?2",
    [CS_IDENTITIES]        = "SELECT conversation,network,name,picture,phone,email,how,heard_ms FROM identity WHERE contact=?1 ORDER BY heard_ms,conversation",
    [CS_IDENTITIES_MOVE]   = "UPDATE identity SET contact=?2,how=?3 WHERE contact=?1",
    [CS_IDENTITIES_REMOVE] = "DELETE FROM identity WHERE contact=?1",
    [CS_BY_GUEST]          = "SELECT contact FROM identity WHERE tenant=?1 AND network=?2 AND guest=?3 AND network<>'' ORDER BY heard_ms LIMIT 1",
    [CS_ADDRESS_PUT]       = "INSERT INTO address(contact,kind,value,tenant) VALUES(?1,?2,?3,?4) ON CONFLICT DO NOTHING",
    [CS_ADDRESSES]         = "SELECT kind,value FROM address WHERE contact=?1 ORDER BY kind,value",
    [CS_ADDRESSES_MOVE]    = "INSERT OR IGNORE INTO address(contact,kind,value,tenant) SELECT ?2,kind,value,tenant FROM address WHERE contact=?1",
    [CS_ADDRESSES_REMOVE]  = "DELETE FROM address WHERE contact=?1",
    [CS_ADDRESS_REMOVE]    = "DELETE FROM address WHERE contact=?1 AND kind=?2 AND value=?3",
    [CS_ADDRESSES_KIND_REMOVE] = "DELETE FROM address WHERE contact=?1 AND kind=?2",
    [CS_BY_ADDRESS]        = "SELECT contact FROM address WHERE tenant=?1 AND kind=?2 AND value=?3 AND contact<>?4 ORDER BY contact LIMIT 1",
    [CS_MERGED_PUT]        = "INSERT OR REPLACE INTO merged VALUES(?1,?2)",
    [CS_MERGED]            = "SELECT id FROM merged WHERE contact=?1 ORDER BY id",
    [CS_MERGED_MOVE]       = "UPDATE merged SET contact=?2 WHERE contact=?1",
    [CS_MERGED_REMOVE]     = "DELETE FROM merged WHERE contact=?1",
    [CS_LIST]              = "SELECT n FROM contact WHERE (?1='' OR tenant=?1) AND (?2=0 OR (changed_ms,n)<(?2,?3)) ORDER BY changed_ms DESC,n DESC LIMIT ?4",
    [CS_FIND]              = ("SELECT c.n FROM contact_text t JOIN contact c ON c.n=t.rowid WHERE contact_text MATCH ?1 AND (?2='' OR c.tenant=?2)"
                             " AND (?3=0 OR t.rowid<?3) ORDER BY t.rowid DESC LIMIT ?4"),
    [CS_FIND_SHORT]        = "SELECT n FROM contact WHERE search LIKE ?1 ESCAPE '\\' AND (?2='' OR tenant=?2) AND (?3=0 OR n<?3) ORDER BY n DESC LIMIT ?4",
    [CS_COUNT]             = "SELECT count(*) FROM contact",
};
/* clang-format on */

static const struct sqlite_plan plan = { .what = "the contacts", .migrations = migrations, .n_migrations = COUNT(migrations), .statements = contact_statements,
                                         .n_statements = CS_MAX, .wipe = true, .checkpoint_pages = CHECKPOINT_PAGES, .cache_kib = CONTACT_CACHE_KIB };

bool contact_failed(struct contact_db *db, const char *what, struct fault *f)
{
    return sqlite_failed(&plan, db->db, what, f);
}

void contact_db_close(struct contact_db *db)
{
    if (!db)
        return;
    sqlite_file_close(&plan, db->db, db->st);
    free(db);
}

struct contact_db *contact_db_open(const char *path, struct fault *f)
{
    struct contact_db *db = must_calloc(1, sizeof(*db));
    if (sqlite_file_open(&plan, path, &db->db, db->st, f))
        return db;
    contact_db_close(db);
    return NULL;
}

bool contact_db_begin(struct contact_db *db, struct fault *f)
{
    return sqlite_run(&plan, db->db, "BEGIN IMMEDIATE", "begin", f);
}

bool contact_db_commit(struct contact_db *db, struct fault *f)
{
    return sqlite_run(&plan, db->db, "COMMIT", "commit", f);
}

void contact_db_rollback(struct contact_db *db)
{
    sqlite_rollback(db->db);
}

/* ---- statements ----------------------------------------------------------------------------------------------------------- */

void contact_bind(struct contact_db *db, enum contact_statement which, int at, slice s)
{
    sqlite3_bind_text64(db->st[which], at, s.p ? s.p : "", s.n, SQLITE_STATIC, SQLITE_UTF8);
}

void contact_bind_int(struct contact_db *db, enum contact_statement which, int at, int64_t v)
{
    sqlite3_bind_int64(db->st[which], at, v);
}

slice contact_column(sqlite3_stmt *st, int at)
{
    const void *p = sqlite3_column_blob(st, at); /* before _bytes: it may convert */
    size_t n = (size_t)sqlite3_column_bytes(st, at);
    return (slice){ n ? p : "", n };
}

void contact_reset(struct contact_db *db, enum contact_statement which)
{
    sqlite3_reset(db->st[which]);
    sqlite3_clear_bindings(db->st[which]);
}

bool contact_finish(struct contact_db *db, enum contact_statement which, struct fault *f)
{
    bool ok = sqlite3_step(db->st[which]) == SQLITE_DONE || contact_failed(db, "be written", f);
    contact_reset(db, which);
    return ok;
}

bool contact_number(struct contact_db *db, enum contact_statement which, int64_t *ret, struct fault *f)
{
    int rc = sqlite3_step(db->st[which]);
    *ret = rc == SQLITE_ROW ? sqlite3_column_int64(db->st[which], 0) : 0;
    bool ok = rc == SQLITE_ROW || rc == SQLITE_DONE || contact_failed(db, "be read", f);
    contact_reset(db, which);
    return ok;
}

/* ---- addresses -------------------------------------------------------------------------------------------------------------- */

slice contact_phone(struct arena *a, slice text)
{
    enum { DIGITS_MIN = 7, DIGITS_MAX = 15 }; /* E.164 */
    struct text t = text_new(a, DIGITS_MAX + 2);
    text = slice_trim(text);
    if (slice_starts(text, SL("tel:")))
        text = slice_from(text, 4);
    bool abroad = slice_starts(text, SL("+")) || slice_starts(text, SL("00"));
    if (abroad)
        text_char(&t, '+');
    size_t i = abroad ? text.p[0] == '+' ? 1 : 2 : 0, digits = 0;
    for (; i < text.n; i++) {
        char c = text.p[i];
        if (c >= '0' && c <= '9') {
            text_char(&t, c);
            digits++;
        } else if (!strchr(" -.()/", c) || !c) {
            return SLICE_NONE;
        }
    }
    return t.over || digits < DIGITS_MIN || digits > DIGITS_MAX ? SLICE_NONE : text_slice(&t);
}

slice contact_email(struct arena *a, slice text)
{
    enum { EMAIL_MAX = 254 };
    text = slice_trim(text);
    if (slice_starts(text, SL("mailto:")))
        text = slice_from(text, 7);
    size_t at = slice_find_last(text, '@');
    if (at == SIZE_MAX || at == 0 || text.n > EMAIL_MAX)
        return SLICE_NONE;
    slice host = slice_from(text, at + 1), rest = host;
    slice first = slice_cut(&rest, '.');
    if (!first.n || !rest.n || slice_ends(host, SL(".")))
        return SLICE_NONE;
    slice copy = arena_dup(a, text);
    char *p = arena_cstr(a, copy);
    for (size_t i = 0; i < text.n; i++) {
        if ((unsigned char)p[i] <= ' ' || strchr("<>,;\"()", p[i]))
            return SLICE_NONE;
        p[i] = (char)(p[i] >= 'A' && p[i] <= 'Z' ? p[i] | 32 : p[i]);
    }
    return slice_mem(p, text.n);
}

/* ---- one contact ------------------------------------------------------------------------------------------------------------ */

static bool read_identities(struct contact_db *db, struct arena *a, struct contact *c, struct fault *f)
{
    sqlite3_stmt *st = db->st[CS_IDENTITIES];
    int rc;
    contact_bind_int(db, CS_IDENTITIES, 1, c->n);
    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        struct contact_identity *v = LIST_ADD(a, &c->identities, struct contact_identity);
        slice *const texts[] = { &v->conversation, &v->network, &v->name, &v->picture, &v->phone, &v->email };
        for (size_t i = 0; i < COUNT(texts); i++)
            *texts[i] = arena_dup(a, contact_column(st, (int)i));
        v->how = sqlite3_column_int(st, COUNT(texts));
        v->heard_ms = sqlite3_column_int64(st, COUNT(texts) + 1);
    }
    contact_reset(db, CS_IDENTITIES);
    return rc == SQLITE_DONE || contact_failed(db, "be read", f);
}

static bool read_addresses(struct contact_db *db, struct arena *a, struct contact *c, struct fault *f)
{
    sqlite3_stmt *st = db->st[CS_ADDRESSES];
    int rc;
    contact_bind_int(db, CS_ADDRESSES, 1, c->n);
    while ((rc = sqlite3_step(st)) == SQLITE_ROW)
        *LIST_ADD(a, sqlite3_column_int(st, 0) == ADDRESS_PHONE ? &c->phones : &c->emails, slice) = arena_dup(a, contact_column(st, 1));
    contact_reset(db, CS_ADDRESSES);
    return rc == SQLITE_DONE || contact_failed(db, "be read", f);
}

static bool read_merged(struct contact_db *db, struct arena *a, struct contact *c, struct fault *f)
{
    sqlite3_stmt *st = db->st[CS_MERGED];
    int rc;
    contact_bind_int(db, CS_MERGED, 1, c->n);
    while ((rc = sqlite3_step(st)) == SQLITE_ROW)
        *LIST_ADD(a, &c->merged, slice) = arena_dup(a, contact_column(st, 0));
    contact_reset(db, CS_MERGED);
    return rc == SQLITE_DONE || contact_failed(db, "be read", f);
}

bool contact_db_read(struct contact_db *db, struct arena *a, int64_t n, struct contact *ret, struct fault *f)
{
    sqlite3_stmt *st = db->st[CS_READ];
    contact_bind_int(db, CS_READ, 1, n);
    int rc = sqlite3_step(st);
    if (rc == SQLITE_ROW)
        *ret = (struct contact){
            .n = n, .id = arena_dup(a, contact_column(st, 1)), .tenant = arena_dup(a, contact_column(st, 2)), .name = arena_dup(a, contact_column(st, 3)),
            .named = sqlite3_column_int(st, 4) != 0, .attributes = arena_dup(a, contact_column(st, 5)), .rev = sqlite3_column_int64(st, 6),
            .created_ms = sqlite3_column_int64(st, 7), .changed_ms = sqlite3_column_int64(st, 8),
        };
    contact_reset(db, CS_READ);
    if (rc == SQLITE_DONE)
        return fault(f, "not_found", "", "there is no such contact");
    if (rc != SQLITE_ROW)
        return contact_failed(db, "be read", f);
    return read_identities(db, a, ret, f) && read_addresses(db, a, ret, f) && read_merged(db, a, ret, f);
}

bool contact_db_find(struct contact_db *db, slice id, int64_t *ret_n, struct fault *f)
{
    enum contact_statement which = slice_starts(id, SL("ct-")) ? CS_BY_ID : CS_IDENTITY;
    contact_bind(db, which, 1, id);
    return contact_number(db, which, ret_n, f);
}

/* ---- lists ------------------------------------------------------------------------------------------------------------------- */

/* All that can be searched for: one line each. */
static slice search_text(struct arena *a, const struct contact *c)
{
    struct text t = text_new(a, SEARCH_TEXT_MAX);
    text_put(&t, c->name);
    for (size_t i = 0; i < c->identities.n; i++) {
        const struct contact_identity *v = LIST_AT(c->identities, struct contact_identity, i);
        text_add(&t, "\n" SLF, SLA(contact_guest(v->conversation)));
        if (v->name.n && !slice_eq(v->name, c->name))
            text_add(&t, "\n" SLF, SLA(v->name));
    }
    const struct js_list *lists[] = { &c->phones, &c->emails };
    for (size_t k = 0; k < COUNT(lists); k++)
        for (size_t i = 0; i < lists[k]->n; i++)
            text_add(&t, "\n" SLF, SLA(*LIST_AT(*lists[k], slice, i)));
    const struct js *attributes = js_parse(a, c->attributes, NULL);
    for (void *it = js_is_object(attributes) ? js_first(attributes) : NULL; it; it = js_next(attributes, it))
        text_add(&t, "\n" SLF, SLA(js_text(js_value(it))));
    return utf8_cut_bytes(text_slice(&t), SEARCH_TEXT_MAX);
}

static bool unindex(struct contact_db *db, int64_t n, struct fault *f)
{
    sqlite3_stmt *st = db->st[CS_SEARCH_OF];
    CLEANUP(arena_freep) struct arena *a = arena_new();
    contact_bind_int(db, CS_SEARCH_OF, 1, n);
    slice was = sqlite3_step(st) == SQLITE_ROW ? arena_dup(a, contact_column(st, 0)) : SLICE_NONE;
    contact_reset(db, CS_SEARCH_OF);
    if (!was.n)
        return true;
    contact_bind_int(db, CS_UNINDEX, 1, n);
    contact_bind(db, CS_UNINDEX, 2, was);
    return contact_finish(db, CS_UNINDEX, f);
}

bool contact_refresh(struct contact_db *db, int64_t n, struct fault *f)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct contact c;
    if (!contact_db_read(db, a, n, &c, f) || !unindex(db, n, f))
        return false;
    slice text = search_text(a, &c);
    contact_bind_int(db, CS_SEARCH_SET, 1, n);
    contact_bind(db, CS_SEARCH_SET, 2, text);
    contact_bind_int(db, CS_SEARCH_SET, 3, time_now_ms());
    if (!contact_finish(db, CS_SEARCH_SET, f))
        return false;
    contact_bind_int(db, CS_INDEX, 1, n);
    contact_bind(db, CS_INDEX, 2, text);
    return contact_finish(db, CS_INDEX, f);
}

/* One phrase in which nothing is an operator; or, of few characters, a pattern for LIKE. */
static slice pattern(struct arena *a, slice text, bool is_short)
{
    struct text t = text_new(a, text.n * 2 + 3);
    text_char(&t, is_short ? '%' : '"');
    for (size_t i = 0; i < text.n; i++) {
        if (is_short ? strchr("%_\\", text.p[i]) != NULL : text.p[i] == '"')
            text_char(&t, is_short ? '\\' : '"');
        text_char(&t, text.p[i]);
    }
    text_char(&t, is_short ? '%' : '"');
    return text_slice(&t);
}

bool contact_db_list(struct contact_db *db, struct arena *a, const struct contact_query *q, struct js_list *ret, struct fault *f)
{
    slice phone = contact_phone(a, q->text), text = phone.n ? phone : slice_trim(q->text);
    bool is_short = utf8_len(text) < SHORT_CHARS;
    enum contact_statement which = !text.n ? CS_LIST : is_short ? CS_FIND_SHORT : CS_FIND;
    if (which == CS_LIST) {
        contact_bind(db, which, 1, q->tenant);
        contact_bind_int(db, which, 2, q->before_ms);
        contact_bind_int(db, which, 3, q->before_n);
    } else {
        contact_bind(db, which, 1, pattern(a, text, is_short));
        contact_bind(db, which, 2, q->tenant);
        contact_bind_int(db, which, 3, q->before_n);
    }
    contact_bind_int(db, which, 4, (int64_t)q->limit);
    struct js_list found = { 0 }; /* int64_t */
    int rc;
    while ((rc = sqlite3_step(db->st[which])) == SQLITE_ROW)
        *LIST_ADD(a, &found, int64_t) = sqlite3_column_int64(db->st[which], 0);
    contact_reset(db, which);
    if (rc != SQLITE_DONE)
        return contact_failed(db, "be read", f);
    for (size_t i = 0; i < found.n; i++)
        if (!contact_db_read(db, a, *LIST_AT(found, int64_t, i), LIST_ADD(a, ret, struct contact), f))
            return false;
    return true;
}

bool contact_db_count(struct contact_db *db, int64_t *ret, struct fault *f)
{
    return contact_number(db, CS_COUNT, ret, f);
}

/* ---- erasing ------------------------------------------------------------------------------------------------------------------ */

bool contact_db_erase(struct contact_db *db, slice id, struct fault *f)
{
    static const enum contact_statement steps[] = { CS_IDENTITIES_REMOVE, CS_ADDRESSES_REMOVE, CS_MERGED_REMOVE, CS_REMOVE };
    int64_t n;
    if (!contact_db_find(db, id, &n, f))
        return false;
    if (!n)
        return fault(f, "not_found", "", "there is no such contact");
    bool ok = unindex(db, n, f);
    for (size_t i = 0; ok && i < COUNT(steps); i++) {
        contact_bind_int(db, steps[i], 1, n);
        ok = contact_finish(db, steps[i], f);
    }
    return ok;
}
