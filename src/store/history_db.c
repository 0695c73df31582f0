#define BASE_ALLOW_LIBC
#include "store/history_db.h"
#include "store/sqlite_file.h"

enum { CHECKPOINT_PAGES = 1000, CACHE_KIB = 512, STATUS_LOOKS_BACK = 200, LAST_TEXT_CHARS = 200 };

/* Each row takes the file from version i to i + 1. Rows are never changed once released, only added. */
static const char *const migrations[] = {
    "CREATE TABLE place(one INTEGER PRIMARY KEY CHECK(one=1), at BLOB NOT NULL);"
    "CREATE TABLE conversation(n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL DEFAULT '', person TEXT NOT NULL DEFAULT '',"
    " open INTEGER NOT NULL DEFAULT 0, messages INTEGER NOT NULL DEFAULT 0, last_id INTEGER NOT NULL DEFAULT 0, last_ms INTEGER NOT NULL DEFAULT 0,"
    " last_text TEXT NOT NULL DEFAULT '', last_kind TEXT NOT NULL DEFAULT '', last_way INTEGER NOT NULL DEFAULT 0);"
    "CREATE INDEX conversation_last ON conversation(last_ms, n);"
    "CREATE TABLE message(id INTEGER PRIMARY KEY, conv INTEGER NOT NULL, target TEXT NOT NULL, at_ms INTEGER NOT NULL, way INTEGER NOT NULL,"
    " state INTEGER NOT NULL, status INTEGER NOT NULL DEFAULT 0, tries INTEGER NOT NULL DEFAULT 0, ended_ms INTEGER NOT NULL DEFAULT 0,"
    " kind TEXT NOT NULL, text TEXT NOT NULL, peer_id TEXT NOT NULL, vendor_id TEXT NOT NULL DEFAULT '', body TEXT NOT NULL,"
    " media TEXT NOT NULL DEFAULT '', note TEXT NOT NULL DEFAULT '');"
    "CREATE INDEX message_conv ON message(conv, id);"
    "CREATE TABLE trace(id INTEGER NOT NULL, at_ms INTEGER NOT NULL, op TEXT NOT NULL, note TEXT NOT NULL);"
    "CREATE INDEX trace_id ON trace(id);"
    "CREATE TABLE indexed(one INTEGER PRIMARY KEY CHECK(one=1), id INTEGER NOT NULL);"
    "INSERT INTO indexed VALUES(1,0);"
    "CREATE VIRTUAL TABLE message_text USING fts5(text, content='message', content_rowid='id', tokenize='trigram', detail='full');",
    "CREATE INDEX message_failed ON message(id) WHERE state IN (3,4);"
    "CREATE INDEX message_waits ON message(target,at_ms) WHERE state IN (0,1);",
    "ALTER TABLE conversation ADD COLUMN news INTEGER NOT NULL DEFAULT 1;"
    "CREATE INDEX conversation_news ON conversation(n) WHERE news<>0;",
};

#define MESSAGE "m.id,c.id,m.target,m.at_ms,m.way,m.state,m.status,m.tries,m.ended_ms,m.kind,m.text,m.peer_id,m.vendor_id,m.body,m.media,m.note"
#define CONVERSATION "id,name,person,open,messages,last_id,last_ms,last_text,last_kind,last_way"
/* clang-format off */
enum statement {
    ST_PLACE, ST_PLACE_SET, ST_CONV_MAKE, ST_CONV_FIND, ST_CONV_MOVE, ST_ADD, ST_STATE, ST_TRACE, ST_MEDIA, ST_STATUS, ST_PERSON,
    ST_TO_INDEX, ST_INDEX, ST_INDEXED, ST_OLD, ST_UNINDEX, ST_DELETE_TRACE, ST_DELETE, ST_OLD_CONVS, ST_ERASE, ST_ERASE_CONV,
    ST_CONVS, ST_CONV, ST_BEFORE, ST_AFTER, ST_MESSAGE, ST_TRACES, ST_SEARCH, ST_FAILED, ST_WAITING, ST_NEWS, ST_NEWS_TAKEN, ST_OF,
    ST_MAX,
};
static const char *const statements[ST_MAX] = {
    [ST_PLACE]        = "SELECT at FROM place",
    [ST_PLACE_SET]    = "INSERT INTO place VALUES(1,?1) ON CONFLICT(one) DO UPDATE SET at=excluded.at",
    [ST_CONV_MAKE]    = "INSERT INTO conversation(id) VALUES(?1) ON CONFLICT(id) DO NOTHING",
    [ST_CONV_FIND]    = "SELECT n FROM conversation WHERE id=?1",
    [ST_CONV_MOVE]    = "UPDATE conversation SET messages=messages+1,last_id=?2,last_ms=?3,last_text=?4,last_kind=?5,last_way=?6 WHERE n=?1",
    [ST_ADD]          = "INSERT INTO message(id,conv,target,at_ms,way,state,kind,text,peer_id,body,tries,ended_ms,vendor_id,note)"
                        " VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14)"
                        " ON CONFLICT(id) DO NOTHING",
    [ST_STATE]        = "UPDATE message SET state=?2,ended_ms=?3,tries=tries+?4,vendor_id=coalesce(?5,vendor_id),note=coalesce(?6,note) WHERE id=?1",
    [ST_TRACE]        = "INSERT INTO trace(id,at_ms,op,note) SELECT ?1,?2,?3,?4 WHERE EXISTS(SELECT 1 FROM message WHERE id=?1)",
    [ST_MEDIA]        = "UPDATE message SET media=?2 WHERE id=?1",
    [ST_STATUS]       = "UPDATE message SET status=?3 WHERE id=(SELECT id FROM (SELECT id,peer_id,vendor_id FROM message WHERE conv=?1 ORDER BY id DESC"
                        " LIMIT ?4) WHERE peer_id=?2 OR vendor_id=?2 LIMIT 1) AND status<?3",
    [ST_PERSON]       = "UPDATE conversation SET news=news+(name<>?2 OR person<>?3),name=?2,person=?3,open=?4 WHERE id=?1",
    [ST_TO_INDEX]     = "SELECT m.id,m.text FROM message m WHERE m.id>(SELECT id FROM indexed) ORDER BY m.id LIMIT ?1",
    [ST_INDEX]        = "INSERT INTO message_text(rowid,text) VALUES(?1,?2)",
    [ST_INDEXED]      = "UPDATE indexed SET id=?1",
    [ST_OLD]          = "SELECT id,text,id<=(SELECT id FROM indexed) FROM message WHERE at_ms<?1 ORDER BY id LIMIT ?2",
    [ST_UNINDEX]      = "INSERT INTO message_text(message_text,rowid,text) VALUES('delete',?1,?2)",
    [ST_DELETE_TRACE] = "DELETE FROM trace WHERE id=?1",
    [ST_DELETE]       = "DELETE FROM message WHERE id=?1",
    [ST_OLD_CONVS]    = "DELETE FROM conversation WHERE last_ms<?1 AND NOT EXISTS(SELECT 1 FROM message WHERE conv=conversation.n)",
    [ST_ERASE]        = "SELECT m.id,m.text,m.id<=(SELECT id FROM indexed) FROM message m WHERE m.conv=(SELECT n FROM conversation WHERE id=?1)",
    [ST_ERASE_CONV]   = "DELETE FROM conversation WHERE id=?1",
    [ST_CONVS]        = "SELECT " CONVERSATION " FROM conversation WHERE (?1='' OR substr(id,1,length(?1))=?1)"
                        " AND (?2='' OR name LIKE ?2 ESCAPE '\\' OR id LIKE ?2 ESCAPE '\\') AND (?3=0 OR open=(?3>0))"
                        " AND (?4=0 OR last_ms<?4 OR (last_ms=?4 AND last_id<?5)) AND messages>0 ORDER BY last_ms DESC,last_id DESC LIMIT ?6",
    [ST_CONV]         = "SELECT " CONVERSATION " FROM conversation WHERE id=?1",
    [ST_BEFORE]       = "SELECT " MESSAGE " FROM message m JOIN conversation c ON c.n=m.conv WHERE m.conv=(SELECT n FROM conversation WHERE id=?1)"
                        " AND (?2=0 OR m.id<?2) ORDER BY m.id DESC LIMIT ?3",
    [ST_AFTER]        = "SELECT " MESSAGE " FROM message m JOIN conversation c ON c.n=m.conv WHERE m.conv=(SELECT n FROM conversation WHERE id=?1)"
                        " AND m.id>?2 ORDER BY m.id LIMIT ?3",
    [ST_MESSAGE]      = "SELECT " MESSAGE " FROM message m JOIN conversation c ON c.n=m.conv WHERE m.id=?1",
    [ST_TRACES]       = "SELECT at_ms,op,note FROM trace WHERE id=?1 ORDER BY at_ms,rowid",
    [ST_SEARCH]       = "SELECT " MESSAGE " FROM message_text t JOIN message m ON m.id=t.rowid JOIN conversation c ON c.n=m.conv"
                        " WHERE message_text MATCH ?1 AND (?2='' OR substr(c.id,1,length(?2))=?2) AND (?3=0 OR t.rowid<?3) ORDER BY t.rowid DESC LIMIT ?4",
    [ST_FAILED]       = "SELECT " MESSAGE " FROM message m JOIN conversation c ON c.n=m.conv WHERE m.state IN (3,4) AND (?1=0 OR m.state=?1)"
                        " AND (?2='' OR m.target=?2) AND (?3='' OR substr(c.id,1,length(?3))=?3) AND (?4='' OR instr(m.note,?4))"
                        " AND (?5='' OR m.text LIKE ?5 ESCAPE '\\' OR m.note LIKE ?5 ESCAPE '\\' OR c.id LIKE ?5 ESCAPE '\\') AND (?6=0 OR m.id<?6)"
                        " AND m.note NOT LIKE '{\"by\":%' ORDER BY m.id DESC LIMIT ?7", /* that is the note of who discarded it: decided */
    [ST_WAITING]      = "SELECT target,count(*),min(at_ms) FROM message WHERE state IN (0,1) GROUP BY target",
    [ST_NEWS]         = "SELECT c.id,c.name,c.person,c.news,(SELECT body FROM message m WHERE m.conv=c.n AND m.way=0 ORDER BY m.id LIMIT 1),"
                        "coalesce((SELECT at_ms FROM message m WHERE m.conv=c.n ORDER BY m.id LIMIT 1),c.last_ms)"
                        " FROM conversation c WHERE c.news<>0 ORDER BY c.n LIMIT ?1",
    [ST_NEWS_TAKEN]   = "UPDATE conversation SET news=0 WHERE id=?1 AND news=?2",
    [ST_OF]           = "SELECT " MESSAGE " FROM message m JOIN conversation c ON c.n=m.conv WHERE m.id IN (SELECT x.id FROM message x WHERE x.conv IN"
                        " (SELECT n FROM conversation WHERE id IN (SELECT value FROM json_each(?1))) AND (?2=0 OR x.id<?2) AND (?3='' OR x.text LIKE ?3 ESCAPE '\\')"
                        " ORDER BY x.id DESC LIMIT ?4) ORDER BY m.id DESC",
};
/* clang-format on */

struct history_db {
    sqlite3 *db;
    sqlite3_stmt *st[ST_MAX];
};

static const struct sqlite_plan plan = { .what = "the history", .migrations = migrations, .n_migrations = COUNT(migrations), .statements = statements,
                                         .n_statements = ST_MAX, .lazy = true, .checkpoint_pages = CHECKPOINT_PAGES, .cache_kib = CACHE_KIB };

static bool failed(struct history_db *db, const char *what, struct fault *f)
{
    return sqlite_failed(&plan, db->db, what, f);
}

static bool run(struct history_db *db, const char *sql, const char *what, struct fault *f)
{
    return sqlite_run(&plan, db->db, sql, what, f);
}

void history_db_close(struct history_db *db)
{
    if (!db)
        return;
    sqlite_file_close(&plan, db->db, db->st);
    free(db);
}

struct history_db *history_db_open(const char *path, struct fault *f)
{
    struct history_db *db = must_calloc(1, sizeof(*db));
    if (sqlite_file_open(&plan, path, &db->db, db->st, f))
        return db;
    history_db_close(db);
    return NULL;
}

bool history_db_begin(struct history_db *db, struct fault *f)
{
    return run(db, "BEGIN IMMEDIATE", "begin", f);
}

bool history_db_sync(struct history_db *db, bool on, struct fault *f)
{
    return run(db, on ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL", "be set up", f);
}

bool history_db_commit(struct history_db *db, struct fault *f)
{
    return run(db, "COMMIT", "commit", f);
}

void history_db_rollback(struct history_db *db)
{
    sqlite_rollback(db->db);
}

/* ---- statements ------------------------------------------------------------------------------------------------------------------- */

static void bind(struct history_db *db, enum statement which, int at, slice s)
{
    sqlite3_bind_text64(db->st[which], at, s.p ? s.p : "", s.n, SQLITE_STATIC, SQLITE_UTF8);
}

static void bind_opt(struct history_db *db, enum statement which, int at, slice s)
{
    if (s.p)
        bind(db, which, at, s);
}

static void bind_int(struct history_db *db, enum statement which, int at, int64_t v)
{
    sqlite3_bind_int64(db->st[which], at, v);
}

static slice column(sqlite3_stmt *st, int at)
{
    const void *p = sqlite3_column_blob(st, at); /* before _bytes: it may convert */
    size_t n = (size_t)sqlite3_column_bytes(st, at);
    return (slice){ n ? p : "", n };
}

static void reset(struct history_db *db, enum statement which)
{
    sqlite3_reset(db->st[which]);
    sqlite3_clear_bindings(db->st[which]);
}

/* Steps a statement that returns no rows. */
static bool finish(struct history_db *db, enum statement which, struct fault *f)
{
    bool ok = sqlite3_step(db->st[which]) == SQLITE_DONE || failed(db, "be written", f);
    reset(db, which);
    return ok;
}

bool history_db_place(struct history_db *db, struct arena *a, slice *ret, struct fault *f)
{
    int rc = sqlite3_step(db->st[ST_PLACE]);
    *ret = rc == SQLITE_ROW ? arena_dup(a, column(db->st[ST_PLACE], 0)) : SLICE_NONE;
    reset(db, ST_PLACE);
    return rc == SQLITE_ROW || rc == SQLITE_DONE || failed(db, "be read", f);
}

bool history_db_place_set(struct history_db *db, slice place, struct fault *f)
{
    sqlite3_bind_blob64(db->st[ST_PLACE_SET], 1, place.p, place.n, SQLITE_STATIC);
    return finish(db, ST_PLACE_SET, f);
}

/* ---- writing ------------------------------------------------------------------------------------------------------------------------- */

/* 0: there is none. */
static int64_t conv_find(struct history_db *db, slice id)
{
    bind(db, ST_CONV_FIND, 1, id);
    int64_t n = sqlite3_step(db->st[ST_CONV_FIND]) == SQLITE_ROW ? sqlite3_column_int64(db->st[ST_CONV_FIND], 0) : 0;
    reset(db, ST_CONV_FIND);
    return n;
}

static int64_t conv_make(struct history_db *db, slice id, struct fault *f)
{
    int64_t n = conv_find(db, id);
    if (n)
        return n;
    bind(db, ST_CONV_MAKE, 1, id);
    return finish(db, ST_CONV_MAKE, f) ? sqlite3_last_insert_rowid(db->db) : 0;
}

bool history_db_add(struct history_db *db, const struct history_message *m, struct fault *f)
{
    int64_t conv = conv_make(db, m->conversation, f);
    if (!conv)
        return false;
    bind_int(db, ST_ADD, 1, m->id);
    bind_int(db, ST_ADD, 2, conv);
    bind(db, ST_ADD, 3, m->target);
    bind_int(db, ST_ADD, 4, m->at_ms);
    bind_int(db, ST_ADD, 5, m->way);
    bind_int(db, ST_ADD, 6, m->state);
    bind(db, ST_ADD, 7, m->kind);
    bind(db, ST_ADD, 8, m->text);
    bind(db, ST_ADD, 9, m->peer_id);
    bind(db, ST_ADD, 10, m->body);
    bind_int(db, ST_ADD, 11, m->tries);
    bind_int(db, ST_ADD, 12, m->ended_ms);
    bind(db, ST_ADD, 13, m->vendor_id);
    bind(db, ST_ADD, 14, m->note);
    if (!finish(db, ST_ADD, f))
        return false;
    if (sqlite3_changes(db->db) == 0)
        return true;
    bind_int(db, ST_CONV_MOVE, 1, conv);
    bind_int(db, ST_CONV_MOVE, 2, m->id);
    bind_int(db, ST_CONV_MOVE, 3, m->at_ms);
    bind(db, ST_CONV_MOVE, 4, utf8_cut(m->text, LAST_TEXT_CHARS));
    bind(db, ST_CONV_MOVE, 5, m->kind);
    bind_int(db, ST_CONV_MOVE, 6, m->way);
    return finish(db, ST_CONV_MOVE, f);
}

bool history_db_state(struct history_db *db, int64_t id, int state, int64_t at_ms, int tries, slice vendor_id, slice note, struct fault *f)
{
    bind_int(db, ST_STATE, 1, id);
    bind_int(db, ST_STATE, 2, state);
    bind_int(db, ST_STATE, 3, at_ms);
    bind_int(db, ST_STATE, 4, tries);
    bind_opt(db, ST_STATE, 5, vendor_id);
    bind_opt(db, ST_STATE, 6, note);
    return finish(db, ST_STATE, f);
}

bool history_db_trace(struct history_db *db, int64_t id, int64_t at_ms, slice op, slice note, struct fault *f)
{
    bind_int(db, ST_TRACE, 1, id);
    bind_int(db, ST_TRACE, 2, at_ms);
    bind(db, ST_TRACE, 3, op);
    bind(db, ST_TRACE, 4, note);
    return finish(db, ST_TRACE, f);
}

bool history_db_media(struct history_db *db, int64_t id, slice media, struct fault *f)
{
    bind_int(db, ST_MEDIA, 1, id);
    bind(db, ST_MEDIA, 2, media);
    return finish(db, ST_MEDIA, f);
}

bool history_db_status(struct history_db *db, slice conversation, slice of, int64_t status, struct fault *f)
{
    int64_t conv = conv_find(db, conversation);
    if (!conv || !of.n)
        return true;
    bind_int(db, ST_STATUS, 1, conv);
    bind(db, ST_STATUS, 2, of);
    bind_int(db, ST_STATUS, 3, status);
    bind_int(db, ST_STATUS, 4, STATUS_LOOKS_BACK);
    return finish(db, ST_STATUS, f);
}

bool history_db_person(struct history_db *db, slice conversation, slice name, slice person, bool open, struct fault *f)
{
    bind(db, ST_PERSON, 1, conversation);
    bind(db, ST_PERSON, 2, name);
    bind(db, ST_PERSON, 3, person);
    bind_int(db, ST_PERSON, 4, open);
    return finish(db, ST_PERSON, f);
}

bool history_db_index(struct history_db *db, size_t n, bool *ret_more, struct fault *f)
{
    sqlite3_stmt *st = db->st[ST_TO_INDEX];
    int64_t last = 0;
    size_t done = 0;
    bool ok = true;
    bind_int(db, ST_TO_INDEX, 1, (int64_t)n);
    for (; ok && sqlite3_step(st) == SQLITE_ROW; done++) {
        last = sqlite3_column_int64(st, 0);
        bind_int(db, ST_INDEX, 1, last);
        bind(db, ST_INDEX, 2, column(st, 1));
        ok = finish(db, ST_INDEX, f);
    }
    reset(db, ST_TO_INDEX);
    *ret_more = done == n;
    if (!ok || !last)
        return ok;
    bind_int(db, ST_INDEXED, 1, last);
    return finish(db, ST_INDEXED, f);
}

/* Removes the messages that the bound statement `which` finds. */
static bool remove_found(struct history_db *db, enum statement which, size_t *ret_n, struct fault *f)
{
    sqlite3_stmt *st = db->st[which];
    bool ok = true;
    *ret_n = 0;
    for (; ok && sqlite3_step(st) == SQLITE_ROW; ++*ret_n) {
        int64_t id = sqlite3_column_int64(st, 0);
        if (sqlite3_column_int(st, 2)) {
            bind_int(db, ST_UNINDEX, 1, id);
            bind(db, ST_UNINDEX, 2, column(st, 1));
            ok = finish(db, ST_UNINDEX, f);
        }
        bind_int(db, ST_DELETE_TRACE, 1, id);
        ok = ok && finish(db, ST_DELETE_TRACE, f);
        bind_int(db, ST_DELETE, 1, id);
        ok = ok && finish(db, ST_DELETE, f);
    }
    reset(db, which);
    return ok;
}

bool history_db_expire(struct history_db *db, int64_t before_ms, size_t n, bool *ret_more, struct fault *f)
{
    size_t removed;
    bind_int(db, ST_OLD, 1, before_ms);
    bind_int(db, ST_OLD, 2, (int64_t)n);
    if (!remove_found(db, ST_OLD, &removed, f))
        return false;
    *ret_more = removed == n;
    bind_int(db, ST_OLD_CONVS, 1, before_ms);
    return *ret_more || finish(db, ST_OLD_CONVS, f);
}

bool history_db_erase(struct history_db *db, slice conversation, struct fault *f)
{
    size_t removed;
    bind(db, ST_ERASE, 1, conversation);
    if (!remove_found(db, ST_ERASE, &removed, f))
        return false;
    bind(db, ST_ERASE_CONV, 1, conversation);
    return finish(db, ST_ERASE_CONV, f);
}

/* ---- reading ---------------------------------------------------------------------------------------------------------------------------- */

static bool conversations(struct history_db *db, enum statement which, void (*each)(void *, const struct history_conversation *), void *arg,
                          struct fault *f)
{
    sqlite3_stmt *st = db->st[which];
    int rc;
    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        struct history_conversation c = {
            .id = column(st, 0), .name = column(st, 1), .person = column(st, 2), .open = sqlite3_column_int(st, 3) != 0,
            .messages = sqlite3_column_int64(st, 4), .last_id = sqlite3_column_int64(st, 5), .last_ms = sqlite3_column_int64(st, 6),
            .last_text = column(st, 7), .last_kind = column(st, 8), .last_way = sqlite3_column_int(st, 9),
        };
        each(arg, &c);
    }
    bool ok = rc == SQLITE_DONE || failed(db, "be read", f);
    reset(db, which);
    return ok;
}

/* "%text%", with what LIKE reads as a sign made plain. */
static slice like(struct arena *a, slice text)
{
    if (!text.n)
        return SL("");
    struct text t = text_new(a, text.n * 2 + 3);
    text_char(&t, '%');
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '%' || text.p[i] == '_' || text.p[i] == '\\')
            text_char(&t, '\\');
        text_char(&t, text.p[i]);
    }
    text_char(&t, '%');
    return text_slice(&t);
}

/* Conversation ids begin with "account:" or, of a tenant, with "tenant/". */
static slice id_prefix(struct arena *a, slice account)
{
    return !account.n || slice_ends(account, SL("/")) ? account : arena_printf(a, SLF ":", SLA(account));
}

bool history_db_conversations(struct history_db *db, const struct history_query *q, void (*each)(void *, const struct history_conversation *), void *arg,
                              struct fault *f)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    bind(db, ST_CONVS, 1, id_prefix(a, q->account));
    bind(db, ST_CONVS, 2, like(a, q->text));
    bind_int(db, ST_CONVS, 3, q->open);
    bind_int(db, ST_CONVS, 4, q->before_ms);
    bind_int(db, ST_CONVS, 5, q->before_id);
    bind_int(db, ST_CONVS, 6, (int64_t)q->limit);
    return conversations(db, ST_CONVS, each, arg, f);
}

bool history_db_conversation(struct history_db *db, slice id, void (*each)(void *, const struct history_conversation *), void *arg, struct fault *f)
{
    bind(db, ST_CONV, 1, id);
    return conversations(db, ST_CONV, each, arg, f);
}

static bool messages(struct history_db *db, enum statement which, void (*each)(void *, const struct history_message *), void *arg, struct fault *f)
{
    sqlite3_stmt *st = db->st[which];
    int rc;
    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        struct history_message m = {
            .id = sqlite3_column_int64(st, 0), .conversation = column(st, 1), .target = column(st, 2), .at_ms = sqlite3_column_int64(st, 3),
            .way = sqlite3_column_int(st, 4), .state = sqlite3_column_int(st, 5), .status = sqlite3_column_int64(st, 6),
            .tries = sqlite3_column_int64(st, 7), .ended_ms = sqlite3_column_int64(st, 8), .kind = column(st, 9), .text = column(st, 10),
            .peer_id = column(st, 11), .vendor_id = column(st, 12), .body = column(st, 13), .media = column(st, 14), .note = column(st, 15),
        };
        each(arg, &m);
    }
    bool ok = rc == SQLITE_DONE || failed(db, "be read", f);
    reset(db, which);
    return ok;
}

bool history_db_messages(struct history_db *db, slice conversation, int64_t before_id, int64_t after_id, size_t limit,
                         void (*each)(void *, const struct history_message *), void *arg, struct fault *f)
{
    enum statement which = after_id ? ST_AFTER : ST_BEFORE;
    bind(db, which, 1, conversation);
    bind_int(db, which, 2, after_id ? after_id : before_id);
    bind_int(db, which, 3, (int64_t)limit);
    return messages(db, which, each, arg, f);
}

bool history_db_message(struct history_db *db, int64_t id, void (*each)(void *, const struct history_message *), void *arg, struct fault *f)
{
    bind_int(db, ST_MESSAGE, 1, id);
    return messages(db, ST_MESSAGE, each, arg, f);
}

bool history_db_traces(struct history_db *db, int64_t id, void (*each)(void *, int64_t, slice, slice), void *arg, struct fault *f)
{
    sqlite3_stmt *st = db->st[ST_TRACES];
    int rc;
    bind_int(db, ST_TRACES, 1, id);
    while ((rc = sqlite3_step(st)) == SQLITE_ROW)
        each(arg, sqlite3_column_int64(st, 0), column(st, 1), column(st, 2));
    bool ok = rc == SQLITE_DONE || failed(db, "be read", f);
    reset(db, ST_TRACES);
    return ok;
}

bool history_db_search(struct history_db *db, slice text, slice account, int64_t before_id, size_t limit,
                       void (*each)(void *, const struct history_message *), void *arg, struct fault *f)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct text t = text_new(a, text.n * 2 + 3); /* one phrase: nothing in it is an operator */
    text_char(&t, '"');
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '"')
            text_char(&t, '"');
        text_char(&t, text.p[i]);
    }
    text_char(&t, '"');
    bind(db, ST_SEARCH, 1, text_slice(&t));
    bind(db, ST_SEARCH, 2, id_prefix(a, account));
    bind_int(db, ST_SEARCH, 3, before_id);
    bind_int(db, ST_SEARCH, 4, (int64_t)limit);
    return messages(db, ST_SEARCH, each, arg, f);
}

bool history_db_failed(struct history_db *db, const struct history_failed *q, void (*each)(void *, const struct history_message *), void *arg, struct fault *f)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    bind_int(db, ST_FAILED, 1, q->state);
    bind(db, ST_FAILED, 2, q->target);
    bind(db, ST_FAILED, 3, id_prefix(a, q->account));
    bind(db, ST_FAILED, 4, q->note);
    bind(db, ST_FAILED, 5, like(a, q->text));
    bind_int(db, ST_FAILED, 6, q->before_id);
    bind_int(db, ST_FAILED, 7, (int64_t)q->limit);
    return messages(db, ST_FAILED, each, arg, f);
}

bool history_db_news(struct history_db *db, size_t n, void (*each)(void *, const struct history_news *), void *arg, struct fault *f)
{
    sqlite3_stmt *st = db->st[ST_NEWS];
    int rc;
    bind_int(db, ST_NEWS, 1, (int64_t)n);
    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        struct history_news v = { .id = column(st, 0), .name = column(st, 1), .person = column(st, 2), .mark = sqlite3_column_int64(st, 3),
                                  .first = column(st, 4), .heard_ms = sqlite3_column_int64(st, 5) };
        each(arg, &v);
    }
    bool ok = rc == SQLITE_DONE || failed(db, "be read", f);
    reset(db, ST_NEWS);
    return ok;
}

bool history_db_news_taken(struct history_db *db, slice conversation, int64_t mark, struct fault *f)
{
    bind(db, ST_NEWS_TAKEN, 1, conversation);
    bind_int(db, ST_NEWS_TAKEN, 2, mark);
    return finish(db, ST_NEWS_TAKEN, f);
}

bool history_db_messages_of(struct history_db *db, slice conversations, slice text, int64_t before_id, size_t limit,
                            void (*each)(void *, const struct history_message *), void *arg, struct fault *f)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    bind(db, ST_OF, 1, conversations);
    bind_int(db, ST_OF, 2, before_id);
    bind(db, ST_OF, 3, like(a, text));
    bind_int(db, ST_OF, 4, (int64_t)limit);
    return messages(db, ST_OF, each, arg, f);
}

bool history_db_waiting(struct history_db *db, void (*each)(void *, slice, int64_t, int64_t), void *arg, struct fault *f)
{
    sqlite3_stmt *st = db->st[ST_WAITING];
    int rc;
    while ((rc = sqlite3_step(st)) == SQLITE_ROW)
        each(arg, column(st, 0), sqlite3_column_int64(st, 1), sqlite3_column_int64(st, 2));
    bool ok = rc == SQLITE_DONE || failed(db, "be read", f);
    reset(db, ST_WAITING);
    return ok;
}
