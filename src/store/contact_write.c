/* contact_write.c - contacts made, matched, changed, merged and split. */
#include "store/contact_private.h"

enum { ID_BYTES = 10, NAME_CHARS = 200, ATTRIBUTES_MAX = 100, ATTRIBUTE_KEY_BYTES = 100, ATTRIBUTE_CHARS = 2000, ATTRIBUTES_BYTES = 256 << 10 };

/* ---- small steps ---------------------------------------------------------------------------------------------------------- */

static bool make(struct contact_db *db, slice tenant, slice name, bool named, bool touched, int64_t at_ms, int64_t *ret_n, struct fault *f)
{
    char id[3 + 2 * ID_BYTES + 1] = "ct-";
    random_hex(id + 3, ID_BYTES);
    struct sql_args args = { 0 };
    sql_bytes(&args, slice_of(id));
    sql_bytes(&args, tenant);
    sql_bytes(&args, name);
    sql_int(&args, named);
    sql_int(&args, touched);
    sql_bytes(&args, SL("{}"));
    sql_int(&args, at_ms);
    return sql_number(db->sql, CS_MAKE, &args, ret_n, f);
}

static void found_touched(void *arg, const struct sql_row *row)
{
    *(bool *)arg = sql_int_at(row, 9) != 0;
}

static bool is_touched(struct contact_db *db, int64_t n, bool *ret, struct fault *f)
{
    struct sql_args args = { 0 };
    sql_int(&args, n);
    *ret = false;
    return sql_each(db->sql, CS_READ, &args, found_touched, ret, f);
}

static bool set(struct contact_db *db, int64_t n, slice name, bool named, slice attributes, struct fault *f)
{
    struct sql_args args = { 0 };
    sql_int(&args, n);
    sql_bytes(&args, name);
    sql_int(&args, named);
    sql_bytes(&args, attributes);
    return sql_do(db->sql, CS_CHANGE, &args, f);
}

static bool identity_move(struct contact_db *db, slice conversation, int64_t from, int64_t to, enum contact_how how, struct fault *f)
{
    struct sql_args args = { 0 };
    sql_bytes(&args, conversation);
    sql_int(&args, from);
    sql_int(&args, to);
    sql_int(&args, how);
    return sql_do(db->sql, CS_IDENTITY_MOVE, &args, f);
}

static bool address_put(struct contact_db *db, int64_t n, slice tenant, enum address_kind kind, slice value, struct fault *f)
{
    if (!value.n)
        return true;
    struct sql_args args = { 0 };
    sql_int(&args, n);
    sql_int(&args, kind);
    sql_bytes(&args, value);
    sql_bytes(&args, tenant);
    return sql_do(db->sql, CS_ADDRESS_PUT, &args, f);
}

/* A contact that nobody has named is called as its first guest with a name; else by a guest's id. */
static bool rename_of(struct contact_db *db, int64_t n, struct fault *f)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct contact c;
    slice name = SLICE_NONE;
    if (!contact_db_read(db, a, n, &c, f))
        return false;
    for (size_t i = 0; i < c.identities.n && !name.n; i++)
        name = LIST_AT(c.identities, struct contact_identity, i)->name;
    if (!name.n && c.identities.n)
        name = contact_guest(LIST_AT(c.identities, struct contact_identity, 0)->conversation);
    return c.named || !name.n || slice_eq(name, c.name) || set(db, n, name, false, c.attributes, f);
}

/* ---- two become one ---------------------------------------------------------------------------------------------------------- */

static bool move_rows(struct contact_db *db, enum contact_statement which, int64_t from, int64_t to, struct fault *f)
{
    struct sql_args args = { 0 };
    sql_int(&args, from);
    sql_int(&args, to);
    if (which == CS_IDENTITIES_MOVE)
        sql_int(&args, CONTACT_BY_HAND);
    return sql_do(db->sql, which, &args, f);
}

/* Attributes of both; those of `first` win. */
static slice both(struct arena *a, slice first, slice second)
{
    const struct js *one = js_parse(a, first, NULL), *two = js_parse(a, second, NULL);
    struct jw w = jw_new(a, ATTRIBUTES_BYTES);
    jw_open(&w, NULL, '{');
    for (void *it = js_is_object(one) ? js_first(one) : NULL; it; it = js_next(one, it)) {
        jw_key(&w, js_key(one, it));
        jw_str(&w, NULL, js_text(js_value(it)));
    }
    for (void *it = js_is_object(two) ? js_first(two) : NULL; it; it = js_next(two, it)) {
        if (js_get(one, js_key(two, it)))
            continue;
        jw_key(&w, js_key(two, it));
        jw_str(&w, NULL, js_text(js_value(it)));
    }
    jw_close(&w, '}');
    return slice_or(jw_done(&w), first);
}

static bool unite(struct contact_db *db, int64_t to, int64_t from, struct fault *f)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct contact keep, go;
    if (!contact_db_read(db, a, to, &keep, f) || !contact_db_read(db, a, from, &go, f))
        return false;
    if (!slice_eq(keep.tenant, go.tenant))
        return fault(f, "other_tenant", "with", "it belongs to another tenant");
    if (keep.identities.n + go.identities.n > CONTACT_IDENTITIES_MAX)
        return fault(f, "invalid", "with", "a contact has at most %d conversations", CONTACT_IDENTITIES_MAX);
    bool theirs = !keep.named && go.named;
    slice attributes = both(a, keep.attributes, go.attributes);
    struct sql_args merged = { 0 };
    sql_bytes(&merged, go.id);
    sql_int(&merged, to);
    if (!set(db, to, theirs ? go.name : keep.name, keep.named || go.named, attributes, f) || !move_rows(db, CS_IDENTITIES_MOVE, from, to, f) || !move_rows(db, CS_ADDRESSES_MOVE, from, to, f) ||
        !move_rows(db, CS_MERGED_MOVE, from, to, f) || !contact_db_erase(db, go.id, f))
        return false;
    return sql_do(db->sql, CS_MERGED_PUT, &merged, f) && rename_of(db, to, f) && contact_refresh(db, to, f);
}

/* ---- a conversation is heard of ------------------------------------------------------------------------------------------------ */

struct hearing {
    struct contact_db *db;
    struct arena *a;
    const struct contact_identity *v;
    slice tenant, guest, phone, email;
    int64_t n; /* whose it is; 0: nobody's yet */
    struct contact_identity was;
};

static void found_row(void *arg, const struct sql_row *row)
{
    struct hearing *h = arg;
    slice *const texts[] = { &h->was.name, &h->was.picture, &h->was.phone, &h->was.email, &h->was.network };
    h->n = sql_int_at(row, 0);
    for (size_t i = 0; i < COUNT(texts); i++)
        *texts[i] = arena_dup(h->a, sql_text_at(row, (int)i + 1));
}

static bool find_row(struct hearing *h, struct fault *f)
{
    struct sql_args args = { 0 };
    sql_bytes(&args, h->v->conversation);
    return sql_each(h->db->sql, CS_IDENTITY, &args, found_row, h, f);
}

static bool by_address(struct hearing *h, enum address_kind kind, slice value, int64_t *ret, struct fault *f)
{
    struct sql_args args = { 0 };
    *ret = 0;
    if (!value.n)
        return true;
    sql_bytes(&args, h->tenant);
    sql_int(&args, kind);
    sql_bytes(&args, value);
    sql_int(&args, h->n);
    return sql_number(h->db->sql, CS_BY_ADDRESS, &args, ret, f);
}

static bool has_room(struct hearing *h, int64_t n, size_t *ret_has, struct fault *f)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct contact c;
    *ret_has = CONTACT_IDENTITIES_MAX;
    if (!contact_db_read(h->db, a, n, &c, f))
        return false;
    *ret_has = c.identities.n;
    return true;
}

static bool match(struct hearing *h, int64_t *ret, int *ret_how, struct fault *f)
{
    size_t has;
    struct sql_args args = { 0 };
    sql_bytes(&args, h->tenant);
    sql_bytes(&args, h->v->network);
    sql_bytes(&args, h->guest);
    *ret_how = CONTACT_BY_GUEST;
    if (!sql_number(h->db->sql, CS_BY_GUEST, &args, ret, f))
        return false;
    if (!*ret) {
        *ret_how = CONTACT_BY_PHONE;
        if (!by_address(h, ADDRESS_PHONE, h->phone, ret, f))
            return false;
    }
    if (!*ret) {
        *ret_how = CONTACT_BY_EMAIL;
        if (!by_address(h, ADDRESS_EMAIL, h->email, ret, f))
            return false;
    }
    if (*ret && !has_room(h, *ret, &has, f))
        return false;
    if (!*ret || has >= CONTACT_IDENTITIES_MAX) {
        *ret = 0;
        *ret_how = CONTACT_MADE;
    }
    return true;
}

static bool identity_put(struct hearing *h, int how, struct fault *f)
{
    const struct contact_identity *v = h->v;
    const struct contact_identity *was = &h->was;
    const slice texts[] = { h->tenant, slice_or(v->network, was->network), h->guest, slice_or(v->name, was->name), slice_or(v->picture, was->picture),
                            slice_or(h->phone, was->phone), slice_or(h->email, was->email) };
    struct sql_args args = { 0 };
    sql_bytes(&args, v->conversation);
    sql_int(&args, h->n);
    for (size_t i = 0; i < COUNT(texts); i++)
        sql_bytes(&args, texts[i]);
    sql_int(&args, how);
    sql_int(&args, v->heard_ms);
    return sql_do(h->db->sql, CS_IDENTITY_PUT, &args, f) && address_put(h->db, h->n, h->tenant, ADDRESS_PHONE, h->phone, f) &&
           address_put(h->db, h->n, h->tenant, ADDRESS_EMAIL, h->email, f) && rename_of(h->db, h->n, f) && contact_refresh(h->db, h->n, f);
}

/* An address that was not known before is another contact's: one that nobody has touched gives way. */
static bool unite_late(struct hearing *h, struct fault *f)
{
    int64_t other = 0;
    size_t has;
    bool phone_new = h->phone.n && !slice_eq(h->phone, h->was.phone), email_new = h->email.n && !slice_eq(h->email, h->was.email);
    bool touched = true;
    if (phone_new || email_new)
        if (!is_touched(h->db, h->n, &touched, f))
            return false;
    if (touched)
        return true;
    if (!has_room(h, h->n, &has, f))
        return false;
    if (has != 1)
        return true;
    if (phone_new && !by_address(h, ADDRESS_PHONE, h->phone, &other, f))
        return false;
    enum contact_how how = other ? CONTACT_BY_PHONE : CONTACT_BY_EMAIL;
    if (!other && email_new && !by_address(h, ADDRESS_EMAIL, h->email, &other, f))
        return false;
    if (!other)
        return true;
    if (!has_room(h, other, &has, f))
        return false;
    if (has >= CONTACT_IDENTITIES_MAX)
        return true;
    if (!unite(h->db, other, h->n, f))
        return false;
    h->n = other;
    return identity_move(h->db, h->v->conversation, other, other, how, f);
}

static bool is_news(slice now, slice was)
{
    return now.n && !slice_eq(now, was);
}

bool contact_db_hear(struct contact_db *db, const struct contact_identity *v, int64_t *ret_n, bool *ret_changed, struct fault *f)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct hearing h = { .db = db, .a = a, .v = v, .tenant = contact_tenant(v->conversation), .guest = contact_guest(v->conversation) };
    h.phone = slice_or(contact_phone(a, v->phone), slice_starts(h.guest, SL("+")) ? contact_phone(a, h.guest) : SLICE_NONE);
    h.email = slice_or(contact_email(a, v->email), contact_email(a, h.guest));
    *ret_changed = false;
    if (!find_row(&h, f))
        return false;
    if (h.n) {
        *ret_changed = is_news(v->name, h.was.name) || is_news(v->picture, h.was.picture) || is_news(h.phone, h.was.phone) ||
                       is_news(h.email, h.was.email) || is_news(v->network, h.was.network);
        if (*ret_changed && (!identity_put(&h, CONTACT_MADE, f) || !unite_late(&h, f)))
            return false;
        *ret_n = h.n;
        return true;
    }
    int how;
    *ret_changed = true;
    if (!match(&h, &h.n, &how, f))
        return false;
    if (!h.n && !make(db, h.tenant, slice_or(v->name, h.guest), false, false, v->heard_ms, &h.n, f))
        return false;
    *ret_n = h.n;
    return identity_put(&h, how, f);
}

/* ---- by hand ---------------------------------------------------------------------------------------------------------------------- */

static bool addresses_set(struct contact_db *db, const struct contact *c, enum address_kind kind, const struct js *list, struct fault *f)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    const char *field = kind == ADDRESS_PHONE ? "phones" : "emails";
    if (!list)
        return true;
    if (js_len(list) > CONTACT_ADDRESSES_MAX)
        return fault(f, "invalid", field, "at most %d", CONTACT_ADDRESSES_MAX);
    struct sql_args args = { 0 };
    sql_int(&args, c->n);
    sql_int(&args, kind);
    if (!sql_do(db->sql, CS_ADDRESSES_KIND_REMOVE, &args, f))
        return false;
    for (size_t i = 0; i < js_len(list); i++) {
        slice text = js_text(js_item(list, i)), value = kind == ADDRESS_PHONE ? contact_phone(a, text) : contact_email(a, text);
        if (!value.n)
            return fault(f, "invalid", arena_printf(a, "%s[%zu]", field, i).p, "is no %s",
                         kind == ADDRESS_PHONE ? "telephone number" : "e-mail address");
        if (!address_put(db, c->n, c->tenant, kind, value, f))
            return false;
    }
    return true;
}

static bool attributes_check(const struct js *v, struct fault *f)
{
    if (js_len(v) > ATTRIBUTES_MAX)
        return fault(f, "invalid", "attributes", "at most %d", ATTRIBUTES_MAX);
    for (void *it = v ? js_first(v) : NULL; it; it = js_next(v, it))
        if (!js_key(v, it).n || js_key(v, it).n > ATTRIBUTE_KEY_BYTES || utf8_len(js_text(js_value(it))) > ATTRIBUTE_CHARS)
            return fault(f, "invalid", "attributes", "names have 1 to %d bytes, values up to %d characters", ATTRIBUTE_KEY_BYTES, ATTRIBUTE_CHARS);
    return true;
}

static bool change(struct contact_db *db, struct arena *a, const struct contact *c, const struct contact_change *to, struct fault *f)
{
    bool named = to->name.p ? to->name.n > 0 : c->named;
    if (!attributes_check(to->attributes, f))
        return false;
    slice name = to->name.n ? utf8_cut(to->name, NAME_CHARS) : c->name;
    return set(db, c->n, name, named, to->attributes ? js_print(a, to->attributes) : c->attributes, f) && contact_on(db, CS_TOUCH, c->n, f) && addresses_set(db, c, ADDRESS_PHONE, to->phones, f) &&
           addresses_set(db, c, ADDRESS_EMAIL, to->emails, f) && rename_of(db, c->n, f) && contact_refresh(db, c->n, f);
}

bool contact_db_make(struct contact_db *db, slice tenant, const struct contact_change *c, int64_t *ret_n, struct fault *f)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct contact made;
    return make(db, tenant, SL(""), false, true, time_now_ms(), ret_n, f) && contact_db_read(db, a, *ret_n, &made, f) && change(db, a, &made, c, f);
}

static bool find_or_fault(struct contact_db *db, slice id, const char *field, int64_t *ret_n, struct fault *f)
{
    if (!contact_db_find(db, id, ret_n, f))
        return false;
    return *ret_n || fault(f, "not_found", field, "there is no such contact");
}

bool contact_db_change(struct contact_db *db, slice id, int64_t rev, const struct contact_change *to, int64_t *ret_n, struct fault *f)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct contact c;
    if (!find_or_fault(db, id, "", ret_n, f) || !contact_db_read(db, a, *ret_n, &c, f))
        return false;
    if (rev >= 0 && rev != c.rev)
        return fault(f, "changed", "If-Match", "it was changed meanwhile: read it again");
    return change(db, a, &c, to, f);
}

bool contact_db_merge(struct contact_db *db, slice id, slice with, int64_t *ret_n, struct fault *f)
{
    int64_t other;
    if (!find_or_fault(db, id, "", ret_n, f) || !find_or_fault(db, with, "with", &other, f))
        return false;
    if (other == *ret_n)
        return fault(f, "invalid", "with", "that is the same contact");
    return unite(db, *ret_n, other, f) && contact_on(db, CS_TOUCH, *ret_n, f);
}

static bool is_named(const struct js *list, slice text)
{
    for (size_t i = 0; i < js_len(list); i++)
        if (slice_eq(js_text(js_item(list, i)), text))
            return true;
    return false;
}

/* Does a conversation that stays know this address, too? */
static bool is_shared(const struct contact *c, const struct js *going, slice address)
{
    for (size_t i = 0; i < c->identities.n; i++) {
        const struct contact_identity *v = LIST_AT(c->identities, struct contact_identity, i);
        if (!is_named(going, v->conversation) && (slice_eq(v->phone, address) || slice_eq(v->email, address)))
            return true;
    }
    return false;
}

static bool take_address(struct contact_db *db, const struct contact *c, const struct js *going, int64_t to, enum address_kind kind, slice value, struct fault *f)
{
    if (!value.n)
        return true;
    if (!is_shared(c, going, value)) {
        struct sql_args args = { 0 };
        sql_int(&args, c->n);
        sql_int(&args, kind);
        sql_bytes(&args, value);
        if (!sql_do(db->sql, CS_ADDRESS_REMOVE, &args, f))
            return false;
    }
    return address_put(db, to, c->tenant, kind, value, f);
}

bool contact_db_split(struct contact_db *db, slice id, const struct js *conversations, int64_t *ret_n, struct fault *f)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct contact c;
    int64_t n;
    size_t going = 0;
    if (!find_or_fault(db, id, "", &n, f) || !contact_db_read(db, a, n, &c, f))
        return false;
    for (size_t i = 0; i < c.identities.n; i++)
        going += is_named(conversations, LIST_AT(c.identities, struct contact_identity, i)->conversation);
    if (!going || going != js_len(conversations))
        return fault(f, "invalid", "identities", "these are not conversations of this contact, each once");
    if (going == c.identities.n)
        return fault(f, "invalid", "identities", "at least one conversation must stay");
    if (!make(db, c.tenant, SL(""), false, true, time_now_ms(), ret_n, f))
        return false;
    for (size_t i = 0; i < c.identities.n; i++) {
        const struct contact_identity *v = LIST_AT(c.identities, struct contact_identity, i);
        if (!is_named(conversations, v->conversation))
            continue;
        if (!identity_move(db, v->conversation, n, *ret_n, CONTACT_BY_HAND, f) || !take_address(db, &c, conversations, *ret_n, ADDRESS_PHONE, v->phone, f) ||
            !take_address(db, &c, conversations, *ret_n, ADDRESS_EMAIL, v->email, f))
            return false;
    }
    return contact_on(db, CS_TOUCH, n, f) && rename_of(db, n, f) && contact_refresh(db, n, f) && rename_of(db, *ret_n, f) && contact_refresh(db, *ret_n, f);
}
