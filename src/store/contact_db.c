/* contact_db.c - the database of contacts: opening, reading, searching. What is written: contact_write.c. */
#include "store/contact_private.h"

enum { SEARCH_TEXT_MAX = 64 << 10, SHORT_CHARS = 3 };

const char *const contact_how_names[CONTACT_HOWS] = { "new", "guest", "phone", "email", "hand" };

struct contact_db *contact_db_open(const char *where, int64_t turn, struct fault *f)
{
    struct sql *sql = sql_open(&contact_plan, where, turn, f);
    if (!sql)
        return NULL;
    struct contact_db *db = must_calloc(1, sizeof(*db));
    db->sql = sql;
    return db;
}

void contact_db_close(struct contact_db *db)
{
    if (!db)
        return;
    sql_close(db->sql);
    free(db);
}

bool contact_db_begin(struct contact_db *db, struct fault *f)
{
    return sql_begin(db->sql, f);
}

bool contact_db_commit(struct contact_db *db, struct fault *f)
{
    return sql_commit(db->sql, f);
}

void contact_db_rollback(struct contact_db *db)
{
    sql_rollback(db->sql);
}

bool contact_on(struct contact_db *db, enum contact_statement which, int64_t n, struct fault *f)
{
    struct sql_args args = { 0 };
    sql_int(&args, n);
    return sql_do(db->sql, which, &args, f);
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

struct reading_contact {
    struct arena *a;
    struct contact *c;
    bool found;
};

static void found_identity(void *arg, const struct sql_row *row)
{
    struct reading_contact *rd = arg;
    struct contact_identity *v = LIST_ADD(rd->a, &rd->c->identities, struct contact_identity);
    slice *const texts[] = { &v->conversation, &v->network, &v->name, &v->picture, &v->phone, &v->email };
    for (size_t i = 0; i < COUNT(texts); i++)
        *texts[i] = arena_dup(rd->a, sql_text_at(row, (int)i));
    v->how = (int)sql_int_at(row, COUNT(texts));
    v->heard_ms = sql_int_at(row, COUNT(texts) + 1);
}

static void found_address(void *arg, const struct sql_row *row)
{
    struct reading_contact *rd = arg;
    *LIST_ADD(rd->a, sql_int_at(row, 0) == ADDRESS_PHONE ? &rd->c->phones : &rd->c->emails, slice) = arena_dup(rd->a, sql_text_at(row, 1));
}

static void found_merged(void *arg, const struct sql_row *row)
{
    struct reading_contact *rd = arg;
    *LIST_ADD(rd->a, &rd->c->merged, slice) = arena_dup(rd->a, sql_text_at(row, 0));
}

static void found_contact(void *arg, const struct sql_row *row)
{
    struct reading_contact *rd = arg;
    struct arena *a = rd->a;
    rd->found = true;
    *rd->c = (struct contact){
        .n = sql_int_at(row, 0), .id = arena_dup(a, sql_text_at(row, 1)), .tenant = arena_dup(a, sql_text_at(row, 2)), .name = arena_dup(a, sql_text_at(row, 3)),
        .named = sql_int_at(row, 4) != 0, .attributes = arena_dup(a, sql_text_at(row, 5)), .rev = sql_int_at(row, 6), .created_ms = sql_int_at(row, 7),
        .changed_ms = sql_int_at(row, 8),
    };
}

bool contact_db_read(struct contact_db *db, struct arena *a, int64_t n, struct contact *ret, struct fault *f)
{
    struct reading_contact rd = { a, ret, false };
    struct sql_args args = { 0 };
    sql_int(&args, n);
    if (!sql_each(db->sql, CS_READ, &args, found_contact, &rd, f))
        return false;
    if (!rd.found)
        return fault(f, "not_found", "", "there is no such contact");
    return sql_each(db->sql, CS_IDENTITIES, &args, found_identity, &rd, f) && sql_each(db->sql, CS_ADDRESSES, &args, found_address, &rd, f) &&
           sql_each(db->sql, CS_MERGED, &args, found_merged, &rd, f);
}

bool contact_db_find(struct contact_db *db, slice id, int64_t *ret_n, struct fault *f)
{
    struct sql_args args = { 0 };
    sql_bytes(&args, id);
    return sql_number(db->sql, slice_starts(id, SL("ct-")) ? CS_BY_ID : CS_IDENTITY, &args, ret_n, f);
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

bool contact_refresh(struct contact_db *db, int64_t n, struct fault *f)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct contact c;
    if (!contact_db_read(db, a, n, &c, f))
        return false;
    struct sql_args args = { 0 };
    sql_int(&args, n);
    sql_text(&args, search_text(a, &c));
    sql_int(&args, time_now_ms());
    return contact_on(db, CS_UNINDEX, n, f) && sql_do(db->sql, CS_SEARCH_SET, &args, f) && contact_on(db, CS_INDEX, n, f);
}

struct found_numbers {
    struct arena *a;
    struct js_list list; /* int64_t */
};

static void found_number(void *arg, const struct sql_row *row)
{
    struct found_numbers *found = arg;
    *LIST_ADD(found->a, &found->list, int64_t) = sql_int_at(row, 0);
}

bool contact_db_list(struct contact_db *db, struct arena *a, const struct contact_query *q, struct js_list *ret, struct fault *f)
{
    slice phone = contact_phone(a, q->text), text = phone.n ? phone : slice_trim(q->text);
    enum contact_statement which = !text.n ? CS_LIST : utf8_len(text) < SHORT_CHARS ? CS_FIND_SHORT : CS_FIND;
    struct found_numbers found = { a, { 0 } };
    struct sql_args args = { 0 };
    if (which == CS_LIST) {
        sql_bytes(&args, q->tenant);
        sql_int(&args, q->before_ms);
    } else {
        sql_text(&args, text);
        sql_bytes(&args, q->tenant);
    }
    sql_int(&args, q->before_n);
    sql_int(&args, (int64_t)q->limit);
    if (!sql_each(db->sql, which, &args, found_number, &found, f))
        return false;
    for (size_t i = 0; i < found.list.n; i++)
        if (!contact_db_read(db, a, *LIST_AT(found.list, int64_t, i), LIST_ADD(a, ret, struct contact), f))
            return false;
    return true;
}

bool contact_db_count(struct contact_db *db, int64_t *ret, struct fault *f)
{
    return sql_number(db->sql, CS_COUNT, &(struct sql_args){ 0 }, ret, f);
}

/* ---- erasing ------------------------------------------------------------------------------------------------------------------ */

bool contact_db_erase(struct contact_db *db, slice id, struct fault *f)
{
    static const enum contact_statement steps[] = { CS_UNINDEX, CS_IDENTITIES_REMOVE, CS_ADDRESSES_REMOVE, CS_MERGED_REMOVE, CS_REMOVE };
    int64_t n;
    if (!contact_db_find(db, id, &n, f))
        return false;
    if (!n)
        return fault(f, "not_found", "", "there is no such contact");
    bool ok = true;
    for (size_t i = 0; ok && i < COUNT(steps); i++)
        ok = contact_on(db, steps[i], n, f);
    return ok;
}
