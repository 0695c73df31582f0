/* contact_write.c - contacts made, matched, changed, merged and split. */
#include "store/contact_private.h"

enum { ID_BYTES = 10, NAME_CHARS = 200, ATTRIBUTES_MAX = 100, ATTRIBUTE_KEY_BYTES = 100, ATTRIBUTE_CHARS = 2000, ATTRIBUTES_BYTES = 256 << 10 };

/* ---- small steps ---------------------------------------------------------------------------------------------------------- */

static bool make(struct contact_db *db, slice tenant, slice name, bool named, bool touched, int64_t at_ms, int64_t *ret_n, struct fault *f)
{
    uint8_t raw[ID_BYTES];
    char id[3 + 2 * ID_BYTES + 1] = "ct-";
    random_bytes(raw, sizeof(raw));
    for (size_t i = 0; i < sizeof(raw); i++)
        snprintf(id + 3 + 2 * i, 3, "%02x", raw[i]);
    contact_bind(db, CS_MAKE, 1, slice_of(id));
    contact_bind(db, CS_MAKE, 2, tenant);
    contact_bind(db, CS_MAKE, 3, name);
    contact_bind_int(db, CS_MAKE, 4, named);
    contact_bind_int(db, CS_MAKE, 5, touched);
    contact_bind(db, CS_MAKE, 6, SL("{}"));
    contact_bind_int(db, CS_MAKE, 7, at_ms);
    if (!contact_finish(db, CS_MAKE, f))
        return false;
    *ret_n = sqlite3_last_insert_rowid(db->db);
    return true;
}

static bool is_touched(struct contact_db *db, int64_t n)
{
    sqlite3_stmt *st = db->st[CS_READ];
    contact_bind_int(db, CS_READ, 1, n);
    bool touched = sqlite3_step(st) == SQLITE_ROW && sqlite3_column_int(st, 9);
    contact_reset(db, CS_READ);
    return touched;
}

static bool on_contact(struct contact_db *db, enum contact_statement which, int64_t n, struct fault *f)
{
    contact_bind_int(db, which, 1, n);
    return contact_finish(db, which, f);
}

static bool address_put(struct contact_db *db, int64_t n, slice tenant, enum address_kind kind, slice value, struct fault *f)
{
    if (!value.n)
        return true;
    contact_bind_int(db, CS_ADDRESS_PUT, 1, n);
    contact_bind_int(db, CS_ADDRESS_PUT, 2, kind);
    contact_bind(db, CS_ADDRESS_PUT, 3, value);
    contact_bind(db, CS_ADDRESS_PUT, 4, tenant);
    return contact_finish(db, CS_ADDRESS_PUT, f);
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
    if (c.named || !name.n || slice_eq(name, c.name))
        return true;
    contact_bind_int(db, CS_CHANGE, 1, n);
    contact_bind(db, CS_CHANGE, 2, name);
    contact_bind_int(db, CS_CHANGE, 3, false);
    contact_bind(db, CS_CHANGE, 4, c.attributes);
    return contact_finish(db, CS_CHANGE, f);
}

/* ---- two become one ---------------------------------------------------------------------------------------------------------- */

static bool move_rows(struct contact_db *db, enum contact_statement which, int64_t from, int64_t to, struct fault *f)
{
    contact_bind_int(db, which, 2, to);
    if (which == CS_IDENTITIES_MOVE)
        contact_bind_int(db, which, 3, CONTACT_BY_HAND);
    return on_contact(db, which, from, f);
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
    contact_bind_int(db, CS_CHANGE, 1, to);
    contact_bind(db, CS_CHANGE, 2, theirs ? go.name : keep.name);
    contact_bind_int(db, CS_CHANGE, 3, keep.named || go.named);
    contact_bind(db, CS_CHANGE, 4, both(a, keep.attributes, go.attributes));
    if (!contact_finish(db, CS_CHANGE, f) || !move_rows(db, CS_IDENTITIES_MOVE, from, to, f) || !move_rows(db, CS_ADDRESSES_MOVE, from, to, f) ||
        !move_rows(db, CS_MERGED_MOVE, from, to, f) || !contact_db_erase(db, go.id, f))
        return false;
    contact_bind(db, CS_MERGED_PUT, 1, go.id);
    contact_bind_int(db, CS_MERGED_PUT, 2, to);
    return contact_finish(db, CS_MERGED_PUT, f) && rename_of(db, to, f) && contact_refresh(db, to, f);
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

static bool find_row(struct hearing *h, struct fault *f)
{
    sqlite3_stmt *st = h->db->st[CS_IDENTITY];
    contact_bind(h->db, CS_IDENTITY, 1, h->v->conversation);
    int rc = sqlite3_step(st);
    if (rc == SQLITE_ROW) {
        slice *const texts[] = { &h->was.name, &h->was.picture, &h->was.phone, &h->was.email, &h->was.network };
        h->n = sqlite3_column_int64(st, 0);
        for (size_t i = 0; i < COUNT(texts); i++)
            *texts[i] = arena_dup(h->a, contact_column(st, (int)i + 1));
    }
    contact_reset(h->db, CS_IDENTITY);
    return rc == SQLITE_ROW || rc == SQLITE_DONE || contact_failed(h->db, "be read", f);
}

static bool by_address(struct hearing *h, enum address_kind kind, slice value, int64_t *ret, struct fault *f)
{
    *ret = 0;
    if (!value.n)
        return true;
    contact_bind(h->db, CS_BY_ADDRESS, 1, h->tenant);
    contact_bind_int(h->db, CS_BY_ADDRESS, 2, kind);
    contact_bind(h->db, CS_BY_ADDRESS, 3, value);
    contact_bind_int(h->db, CS_BY_ADDRESS, 4, h->n);
    return contact_number(h->db, CS_BY_ADDRESS, ret, f);
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
    contact_bind(h->db, CS_BY_GUEST, 1, h->tenant);
    contact_bind(h->db, CS_BY_GUEST, 2, h->v->network);
    contact_bind(h->db, CS_BY_GUEST, 3, h->guest);
    *ret_how = CONTACT_BY_GUEST;
    if (!contact_number(h->db, CS_BY_GUEST, ret, f))
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
    slice texts[] = { v->conversation, SLICE_NONE, h->tenant, slice_or(v->network, was->network), h->guest, slice_or(v->name, was->name),
                      slice_or(v->picture, was->picture), slice_or(h->phone, was->phone), slice_or(h->email, was->email) };
    for (size_t i = 0; i < COUNT(texts); i++)
        if (i != 1)
            contact_bind(h->db, CS_IDENTITY_PUT, (int)i + 1, texts[i]);
    contact_bind_int(h->db, CS_IDENTITY_PUT, 2, h->n);
    contact_bind_int(h->db, CS_IDENTITY_PUT, 10, how);
    contact_bind_int(h->db, CS_IDENTITY_PUT, 11, v->heard_ms);
    return contact_finish(h->db, CS_IDENTITY_PUT, f) && address_put(h->db, h->n, h->tenant, ADDRESS_PHONE, h->phone, f) &&
           address_put(h->db, h->n, h->tenant, ADDRESS_EMAIL, h->email, f) && rename_of(h->db, h->n, f) && contact_refresh(h->db, h->n, f);
}

/* An address that was not known before is another contact's: one that nobody has touched gives way. */
static bool unite_late(struct hearing *h, struct fault *f)
{
    int64_t other = 0;
    size_t has;
    bool phone_new = h->phone.n && !slice_eq(h->phone, h->was.phone), email_new = h->email.n && !slice_eq(h->email, h->was.email);
    if ((!phone_new && !email_new) || is_touched(h->db, h->n))
        return true;
    if (!has_room(h, h->n, &has, f))
        return false;
    if (has != 1)
        return true;
    if (phone_new && !by_address(h, ADDRESS_PHONE, h->phone, &other, f))
        return false;
    int how = other ? CONTACT_BY_PHONE : CONTACT_BY_EMAIL;
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
    contact_bind(h->db, CS_IDENTITY_MOVE, 1, h->v->conversation);
    contact_bind_int(h->db, CS_IDENTITY_MOVE, 2, other);
    contact_bind_int(h->db, CS_IDENTITY_MOVE, 3, other);
    contact_bind_int(h->db, CS_IDENTITY_MOVE, 4, how);
    h->n = other;
    return contact_finish(h->db, CS_IDENTITY_MOVE, f);
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
    contact_bind_int(db, CS_ADDRESSES_KIND_REMOVE, 2, kind);
    if (!on_contact(db, CS_ADDRESSES_KIND_REMOVE, c->n, f))
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
    contact_bind_int(db, CS_CHANGE, 1, c->n);
    contact_bind(db, CS_CHANGE, 2, to->name.n ? utf8_cut(to->name, NAME_CHARS) : c->name);
    contact_bind_int(db, CS_CHANGE, 3, named);
    contact_bind(db, CS_CHANGE, 4, to->attributes ? js_print(a, to->attributes) : c->attributes);
    return contact_finish(db, CS_CHANGE, f) && on_contact(db, CS_TOUCH, c->n, f) && addresses_set(db, c, ADDRESS_PHONE, to->phones, f) &&
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
    return unite(db, *ret_n, other, f) && on_contact(db, CS_TOUCH, *ret_n, f);
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
        contact_bind_int(db, CS_ADDRESS_REMOVE, 2, kind);
        contact_bind(db, CS_ADDRESS_REMOVE, 3, value);
        if (!on_contact(db, CS_ADDRESS_REMOVE, c->n, f))
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
        contact_bind(db, CS_IDENTITY_MOVE, 1, v->conversation);
        contact_bind_int(db, CS_IDENTITY_MOVE, 2, n);
        contact_bind_int(db, CS_IDENTITY_MOVE, 3, *ret_n);
        contact_bind_int(db, CS_IDENTITY_MOVE, 4, CONTACT_BY_HAND);
        if (!contact_finish(db, CS_IDENTITY_MOVE, f) || !take_address(db, &c, conversations, *ret_n, ADDRESS_PHONE, v->phone, f) ||
            !take_address(db, &c, conversations, *ret_n, ADDRESS_EMAIL, v->email, f))
            return false;
    }
    return on_contact(db, CS_TOUCH, n, f) && rename_of(db, n, f) && contact_refresh(db, n, f) && rename_of(db, *ret_n, f) && contact_refresh(db, *ret_n, f);
}
