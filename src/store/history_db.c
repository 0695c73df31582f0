#include "store/history_db.h"
#include "store/history_sql.h"

enum { STATUS_LOOKS_BACK = 200, LAST_TEXT_CHARS = 200, SEARCH_CHARS_MIN = 3, SEARCH_NEWEST = 200000 };

struct history_db {
    struct sql *sql;
    bool looks_through; /* there is no index of words: a search looks through the newest messages */
};

void history_db_close(struct history_db *db)
{
    if (!db)
        return;
    sql_close(db->sql);
    free(db);
}

struct history_db *history_db_open(const char *where, int64_t turn, struct fault *f)
{
    struct history_db *db = must_calloc(1, sizeof(*db));
    int64_t has_words = 1;
    if ((db->sql = sql_open(&history_plan, where, turn, f)) &&
        (!sql_has(db->sql, HS_HAS_WORDS) || sql_number(db->sql, HS_HAS_WORDS, &(struct sql_args){ 0 }, &has_words, f))) {
        db->looks_through = !has_words;
        return db;
    }
    history_db_close(db);
    return NULL;
}

bool history_db_begin(struct history_db *db, struct fault *f)
{
    return sql_begin(db->sql, f);
}

bool history_db_sync(struct history_db *db, bool on, struct fault *f)
{
    return sql_sync(db->sql, on, f);
}

bool history_db_commit(struct history_db *db, struct fault *f)
{
    return sql_commit(db->sql, f);
}

void history_db_rollback(struct history_db *db)
{
    sql_rollback(db->sql);
}

struct kept_text {
    struct arena *a;
    slice text;
};

static void keep_text(void *arg, const struct sql_row *row)
{
    struct kept_text *k = arg;
    k->text = arena_dup(k->a, sql_text_at(row, 0));
}

bool history_db_place(struct history_db *db, struct arena *a, slice *ret, struct fault *f)
{
    struct kept_text kept = { a, SLICE_NONE };
    bool ok = sql_each(db->sql, HS_PLACE, &(struct sql_args){ 0 }, keep_text, &kept, f);
    *ret = kept.text;
    return ok;
}

bool history_db_place_set(struct history_db *db, slice place, struct fault *f)
{
    struct sql_args args = { 0 };
    sql_bytes(&args, place);
    return sql_do(db->sql, HS_PLACE_SET, &args, f);
}

/* ---- writing ------------------------------------------------------------------------------------------------------------------------- */

static bool on_conversation(struct history_db *db, enum history_statement which, slice id, struct fault *f)
{
    struct sql_args args = { 0 };
    sql_text(&args, id);
    return sql_do(db->sql, which, &args, f);
}

static bool on_message(struct history_db *db, enum history_statement which, int64_t id, struct fault *f)
{
    struct sql_args args = { 0 };
    sql_int(&args, id);
    return sql_do(db->sql, which, &args, f);
}

/* Makes the conversation's row, or moves it on unless it was there before: messages come in the order of their numbers, and again only from the journal. */
static bool conv_move(struct history_db *db, const struct history_message *m, struct fault *f)
{
    struct sql_args args = { 0 };
    sql_text(&args, m->conversation);
    sql_int(&args, m->id);
    sql_int(&args, m->at_ms);
    sql_text(&args, utf8_cut(m->text, LAST_TEXT_CHARS));
    sql_bytes(&args, m->kind);
    sql_int(&args, m->way);
    return sql_do(db->sql, HS_CONV_MOVE, &args, f);
}

bool history_db_add(struct history_db *db, const struct history_message *m, struct fault *f)
{
    struct sql_args args = { 0 };
    sql_int(&args, m->id);
    sql_text(&args, m->conversation);
    sql_bytes(&args, m->target);
    sql_int(&args, m->at_ms);
    sql_int(&args, m->way);
    sql_int(&args, m->state);
    sql_bytes(&args, m->kind);
    sql_text(&args, m->text);
    sql_bytes(&args, m->peer_id);
    sql_bytes(&args, m->body);
    sql_int(&args, m->tries);
    sql_int(&args, m->ended_ms);
    sql_bytes(&args, m->vendor_id);
    sql_text(&args, m->note);
    return conv_move(db, m, f) && sql_do(db->sql, HS_ADD, &args, f);
}

bool history_db_state(struct history_db *db, int64_t id, int state, int64_t at_ms, int tries, slice vendor_id, slice note, struct fault *f)
{
    struct sql_args args = { 0 };
    sql_int(&args, id);
    sql_int(&args, state);
    sql_int(&args, at_ms);
    sql_int(&args, tries);
    if (vendor_id.p)
        sql_bytes(&args, vendor_id);
    else
        sql_null(&args);
    if (note.p)
        sql_text(&args, note);
    else
        sql_null(&args);
    return sql_do(db->sql, HS_STATE, &args, f);
}

bool history_db_trace(struct history_db *db, int64_t id, int64_t at_ms, slice op, slice note, struct fault *f)
{
    struct sql_args args = { 0 };
    sql_int(&args, id);
    sql_int(&args, at_ms);
    sql_bytes(&args, op);
    sql_bytes(&args, note);
    return sql_do(db->sql, HS_TRACE, &args, f);
}

bool history_db_media(struct history_db *db, int64_t id, slice media, struct fault *f)
{
    struct sql_args args = { 0 };
    sql_int(&args, id);
    sql_bytes(&args, media);
    return sql_do(db->sql, HS_MEDIA, &args, f);
}

bool history_db_status(struct history_db *db, slice conversation, slice of, int64_t status, struct fault *f)
{
    struct sql_args args = { 0 };
    if (!of.n)
        return true;
    sql_text(&args, conversation);
    sql_bytes(&args, of);
    sql_int(&args, status);
    sql_int(&args, STATUS_LOOKS_BACK);
    return sql_do(db->sql, HS_STATUS, &args, f);
}

bool history_db_person(struct history_db *db, slice conversation, slice name, slice person, bool open, struct fault *f)
{
    struct sql_args args = { 0 };
    sql_text(&args, conversation);
    sql_text(&args, name);
    sql_bytes(&args, person);
    sql_int(&args, open);
    return sql_do(db->sql, HS_PERSON, &args, f);
}

bool history_db_indexes(const struct history_db *db)
{
    return sql_has(db->sql, HS_INDEX);
}

bool history_db_index(struct history_db *db, size_t n, bool *ret_more, struct fault *f)
{
    struct sql_args args = { 0 };
    int64_t more = 0;
    sql_int(&args, (int64_t)n);
    bool ok = sql_do(db->sql, HS_INDEX, &args, f) && sql_do(db->sql, HS_INDEXED, &args, f) &&
              sql_number(db->sql, HS_TO_INDEX, &(struct sql_args){ 0 }, &more, f);
    *ret_more = more != 0;
    return ok;
}

struct found_ids {
    struct arena *a;
    int64_t *ids;
    size_t n, room;
};

static void found_id(void *arg, const struct sql_row *row)
{
    struct found_ids *found = arg;
    assert(found->n < found->room); /* the statement's limit */
    found->ids[found->n++] = sql_int_at(row, 0);
}

bool history_db_expire(struct history_db *db, int64_t before_ms, size_t n, bool *ret_more, struct fault *f)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct found_ids old = { a, ARENA_ARRAY(a, int64_t, n), 0, n };
    struct sql_args args = { 0 }, before = { 0 };
    sql_int(&args, before_ms);
    sql_int(&args, (int64_t)n);
    sql_int(&before, before_ms);
    if (!sql_each(db->sql, HS_OLD, &args, found_id, &old, f))
        return false;
    for (size_t i = 0; i < old.n; i++)
        if (!on_message(db, HS_UNINDEX, old.ids[i], f) || !on_message(db, HS_DELETE_TRACE, old.ids[i], f) || !on_message(db, HS_DELETE, old.ids[i], f))
            return false;
    *ret_more = old.n == n;
    return *ret_more || sql_do(db->sql, HS_OLD_CONVS, &before, f);
}

bool history_db_erase(struct history_db *db, slice conversation, struct fault *f)
{
    static const enum history_statement steps[] = { HS_ERASE_INDEX, HS_ERASE_TRACES, HS_ERASE_MESSAGES, HS_ERASE_CONV };
    bool ok = true;
    for (size_t i = 0; ok && i < COUNT(steps); i++)
        ok = on_conversation(db, steps[i], conversation, f);
    return ok;
}

bool history_db_news_taken(struct history_db *db, slice conversation, int64_t mark, struct fault *f)
{
    struct sql_args args = { 0 };
    sql_text(&args, conversation);
    sql_int(&args, mark);
    return sql_do(db->sql, HS_NEWS_TAKEN, &args, f);
}

/* ---- reading ---------------------------------------------------------------------------------------------------------------------------- */

struct telling_conversations {
    void (*each)(void *arg, const struct history_conversation *c);
    void *arg;
};

static void tell_conversation(void *arg, const struct sql_row *row)
{
    const struct telling_conversations *t = arg;
    struct history_conversation c = {
        .id = sql_text_at(row, 0), .name = sql_text_at(row, 1), .person = sql_text_at(row, 2), .open = sql_int_at(row, 3) != 0,
        .messages = sql_int_at(row, 4), .last_id = sql_int_at(row, 5), .last_ms = sql_int_at(row, 6),
        .last_text = sql_text_at(row, 7), .last_kind = sql_text_at(row, 8), .last_way = (int)sql_int_at(row, 9),
    };
    t->each(t->arg, &c);
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
    struct sql_args args = { 0 };
    sql_text(&args, id_prefix(a, q->account));
    sql_text(&args, q->text);
    sql_int(&args, q->open);
    sql_int(&args, q->before_ms);
    sql_int(&args, q->before_id);
    sql_int(&args, (int64_t)q->limit);
    return sql_each(db->sql, HS_CONVS, &args, tell_conversation, &(struct telling_conversations){ each, arg }, f);
}

bool history_db_conversation(struct history_db *db, slice id, void (*each)(void *, const struct history_conversation *), void *arg, struct fault *f)
{
    struct sql_args args = { 0 };
    sql_text(&args, id);
    return sql_each(db->sql, HS_CONV, &args, tell_conversation, &(struct telling_conversations){ each, arg }, f);
}

struct telling_messages {
    void (*each)(void *arg, const struct history_message *m);
    void *arg;
};

static void tell_message(void *arg, const struct sql_row *row)
{
    const struct telling_messages *t = arg;
    struct history_message m = {
        .id = sql_int_at(row, 0), .conversation = sql_text_at(row, 1), .target = sql_text_at(row, 2), .at_ms = sql_int_at(row, 3),
        .way = (int)sql_int_at(row, 4), .state = (int)sql_int_at(row, 5), .status = sql_int_at(row, 6), .tries = sql_int_at(row, 7),
        .ended_ms = sql_int_at(row, 8), .kind = sql_text_at(row, 9), .text = sql_text_at(row, 10), .peer_id = sql_text_at(row, 11),
        .vendor_id = sql_text_at(row, 12), .body = sql_text_at(row, 13), .media = sql_text_at(row, 14), .note = sql_text_at(row, 15),
    };
    t->each(t->arg, &m);
}

static bool messages(struct history_db *db, enum history_statement which, const struct sql_args *args, void (*each)(void *, const struct history_message *),
                     void *arg, struct fault *f)
{
    return sql_each(db->sql, which, args, tell_message, &(struct telling_messages){ each, arg }, f);
}

bool history_db_messages(struct history_db *db, slice conversation, int64_t before_id, int64_t after_id, size_t limit,
                         void (*each)(void *, const struct history_message *), void *arg, struct fault *f)
{
    struct sql_args args = { 0 };
    sql_text(&args, conversation);
    sql_int(&args, after_id ? after_id : before_id);
    sql_int(&args, (int64_t)limit);
    return messages(db, after_id ? HS_AFTER : HS_BEFORE, &args, each, arg, f);
}

bool history_db_message(struct history_db *db, int64_t id, void (*each)(void *, const struct history_message *), void *arg, struct fault *f)
{
    struct sql_args args = { 0 };
    sql_int(&args, id);
    return messages(db, HS_MESSAGE, &args, each, arg, f);
}

struct telling_traces {
    void (*each)(void *arg, int64_t at_ms, slice op, slice note);
    void *arg;
};

static void tell_trace(void *arg, const struct sql_row *row)
{
    const struct telling_traces *t = arg;
    t->each(t->arg, sql_int_at(row, 0), sql_text_at(row, 1), sql_text_at(row, 2));
}

bool history_db_traces(struct history_db *db, int64_t id, void (*each)(void *, int64_t, slice, slice), void *arg, struct fault *f)
{
    struct sql_args args = { 0 };
    sql_int(&args, id);
    return sql_each(db->sql, HS_TRACES, &args, tell_trace, &(struct telling_traces){ each, arg }, f);
}

bool history_db_search(struct history_db *db, slice text, slice account, int64_t before_id, size_t limit,
                       void (*each)(void *, const struct history_message *), void *arg, struct fault *f)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct sql_args args = { 0 };
    if (utf8_len(text) < SEARCH_CHARS_MIN)
        return true; /* no index knows them */
    sql_text(&args, text);
    sql_text(&args, id_prefix(a, account));
    sql_int(&args, before_id);
    sql_int(&args, (int64_t)limit);
    if (db->looks_through)
        sql_int(&args, SEARCH_NEWEST);
    return messages(db, db->looks_through ? HS_SEARCH_NEWEST : HS_SEARCH, &args, each, arg, f);
}

bool history_db_failed(struct history_db *db, const struct history_failed *q, void (*each)(void *, const struct history_message *), void *arg, struct fault *f)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct sql_args args = { 0 };
    sql_int(&args, q->state);
    sql_bytes(&args, q->target);
    sql_text(&args, id_prefix(a, q->account));
    sql_text(&args, q->note);
    sql_text(&args, q->text);
    sql_int(&args, q->before_id);
    sql_int(&args, (int64_t)q->limit);
    return messages(db, HS_FAILED, &args, each, arg, f);
}

struct telling_news {
    void (*each)(void *arg, const struct history_news *v);
    void *arg;
};

static void tell_news(void *arg, const struct sql_row *row)
{
    const struct telling_news *t = arg;
    struct history_news v = { .id = sql_text_at(row, 0), .name = sql_text_at(row, 1), .person = sql_text_at(row, 2), .mark = sql_int_at(row, 3),
                              .first = sql_text_at(row, 4), .heard_ms = sql_int_at(row, 5) };
    t->each(t->arg, &v);
}

bool history_db_news(struct history_db *db, size_t n, void (*each)(void *, const struct history_news *), void *arg, struct fault *f)
{
    struct sql_args args = { 0 };
    sql_int(&args, (int64_t)n);
    return sql_each(db->sql, HS_NEWS, &args, tell_news, &(struct telling_news){ each, arg }, f);
}

bool history_db_messages_of(struct history_db *db, slice conversations, slice text, int64_t before_id, size_t limit,
                            void (*each)(void *, const struct history_message *), void *arg, struct fault *f)
{
    struct sql_args args = { 0 };
    sql_text(&args, conversations);
    sql_int(&args, before_id);
    sql_text(&args, text);
    sql_int(&args, (int64_t)limit);
    return messages(db, HS_OF, &args, each, arg, f);
}

struct telling_queues {
    void (*each)(void *arg, slice target, int64_t n, int64_t oldest_ms);
    void *arg;
};

static void tell_queue(void *arg, const struct sql_row *row)
{
    const struct telling_queues *t = arg;
    t->each(t->arg, sql_text_at(row, 0), sql_int_at(row, 1), sql_int_at(row, 2));
}

bool history_db_waiting(struct history_db *db, void (*each)(void *, slice, int64_t, int64_t), void *arg, struct fault *f)
{
    return sql_each(db->sql, HS_WAITING, &(struct sql_args){ 0 }, tell_queue, &(struct telling_queues){ each, arg }, f);
}
