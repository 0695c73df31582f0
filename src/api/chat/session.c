/* session.c - the table of sessions and what of each is stored. */
#include "api/chat/session.h"
#include "hub/message.h"
#include "hub/state.h"
#include "store/store.h"

enum { FIRST_BUCKETS = 1024 };

const char *const chat_end_names[CHAT_ENDS] = { "open", "left", "closed", "idle", "abandoned" };

struct chats {
    struct hub *hub;
    struct chat_session **buckets;
    size_t n_buckets, n;
};

void bytes_set(struct bytes *b, slice s)
{
    char *p = s.n ? must_malloc(s.n) : NULL;
    if (s.n)
        memcpy(p, s.p, s.n);
    free(b->p);
    *b = (struct bytes){ p, s.n };
}

struct hub *chats_hub(const struct chats *cs)
{
    return cs->hub;
}

/* ---- the table ------------------------------------------------------------------------------------------------------------ */

static struct chat_session **place_of(const struct chats *cs, slice id)
{
    struct chat_session **at = &cs->buckets[slice_hash(id) & (cs->n_buckets - 1)];
    while (*at && !slice_eq(slice_of((*at)->id), id))
        at = &(*at)->hash_next;
    return at;
}

struct chat_session *chats_find(const struct chats *cs, slice id)
{
    return *place_of(cs, id);
}

static void grow(struct chats *cs)
{
    struct chat_session **old = cs->buckets;
    size_t n = cs->n_buckets;
    cs->n_buckets = n * 2;
    cs->buckets = must_calloc(cs->n_buckets, sizeof(struct chat_session *));
    for (size_t i = 0; i < n; i++) {
        for (struct chat_session *s = old[i], *next; s; s = next) {
            next = s->hash_next;
            struct chat_session **at = place_of(cs, slice_of(s->id));
            s->hash_next = NULL;
            *at = s;
        }
    }
    free(old);
}

static struct chat_session *insert(struct chats *cs, slice id)
{
    if (cs->n >= cs->n_buckets)
        grow(cs);
    struct chat_session *s = must_calloc(1, sizeof(*s));
    memcpy(s->id, id.p, UUID_TEXT - 1);
    *place_of(cs, id) = s;
    cs->n++;
    return s;
}

struct chat_session *chats_add(struct chats *cs, slice account, int64_t now_ms)
{
    char id[UUID_TEXT];
    uuid_v4(id);
    struct chat_session *s = insert(cs, slice_of(id));
    uuid_v4(s->participant);
    bytes_set(&s->account, account);
    s->created_ms = s->active_ms = s->seen_ms = now_ms;
    s->loaded = s->whole = true;
    return s;
}

static void session_free(struct chat_session *s)
{
    assert(!s->holds && !s->loads);
    streams_end(s);
    for (size_t i = 0; i < s->n_lines; i++)
        free(s->lines[i]);
    free(s->lines);
    for (struct chat_transport *t = s->transports, *next; t; t = next) {
        next = t->next;
        free(t);
    }
    struct bytes *const all[] = { &s->account, &s->profile, &s->agents, &s->offers, &s->preview, &s->said_id };
    for (size_t i = 0; i < COUNT(all); i++)
        free(all[i]->p);
    free(s);
}

size_t chats_count(const struct chats *cs, slice account)
{
    size_t n = 0;
    for (size_t i = 0; i < cs->n_buckets; i++)
        for (const struct chat_session *s = cs->buckets[i]; s; s = s->hash_next)
            n += s->end == CHAT_OPEN && slice_eq(bytes_slice(&s->account), account);
    return n;
}

void chats_each(struct chats *cs, void (*each)(void *arg, struct chat_session *s), void *arg)
{
    for (size_t i = 0; i < cs->n_buckets; i++) {
        for (struct chat_session *s = cs->buckets[i], *next; s; s = next) {
            next = s->hash_next;
            each(arg, s);
        }
    }
}

struct actor *session_actor(const struct chats *cs, const struct chat_session *s)
{
    return hub_actor(cs->hub, bytes_slice(&s->account));
}

struct chat_transport *session_transport(struct chat_session *s, slice id)
{
    struct chat_transport **at = &s->transports, **last = at;
    size_t n = 0;
    while (*at && !slice_eq(slice_of((*at)->id), id)) {
        last = at;
        at = &(*at)->next;
        n++;
    }
    struct chat_transport *t = *at;
    if (t) {
        *at = t->next;
    } else if (n >= CHAT_TRANSPORTS) { /* the one used longest ago makes room */
        t = *last;
        *last = NULL;
        *t = (struct chat_transport){ .next = NULL };
    } else {
        t = must_calloc(1, sizeof(*t));
    }
    memcpy(t->id, id.p, MIN(id.n, (size_t)UUID_TEXT - 1));
    t->next = s->transports;
    s->transports = t;
    return t;
}

/* ---- stored ----------------------------------------------------------------------------------------------------------------- */

struct stored {
    slice account, participant, profile, agents, offers, said_id;
    int64_t created_ms, active_ms, ended_ms, last, rating, own, said, read, read_told, seen, uploaded, uploads_ms;
    int end;
};
/* clang-format off */
static const struct js_field stored_fields[] = {
    JS_FIELD(struct stored, account,     "account",     JS_STR, JS_REQ),
    JS_FIELD(struct stored, participant, "participant", JS_STR, JS_REQ),
    JS_FIELD(struct stored, profile,     "profile",     JS_RAW, 0),
    JS_FIELD(struct stored, agents,      "agents",      JS_RAW, 0),
    JS_FIELD(struct stored, offers,      "offers",      JS_RAW, 0),
    JS_FIELD(struct stored, created_ms,  "created",     JS_I64, 0),
    JS_FIELD(struct stored, active_ms,   "active",      JS_I64, 0),
    JS_FIELD(struct stored, ended_ms,    "ended",       JS_I64, 0),
    JS_FIELD(struct stored, last,        "last",        JS_I64, 0),
    JS_FIELD(struct stored, rating,      "rating",      JS_I64, 0),
    JS_FIELD(struct stored, own,         "own",         JS_I64, 0),
    JS_FIELD(struct stored, said,        "said",        JS_I64, 0),
    JS_FIELD(struct stored, said_id,     "said_id",     JS_STR, 0),
    JS_FIELD(struct stored, read,        "read",        JS_I64, 0),
    JS_FIELD(struct stored, read_told,   "read_told",   JS_I64, 0),
    JS_FIELD(struct stored, seen,        "seen",        JS_I64, 0),
    JS_FIELD(struct stored, uploaded,    "uploaded",    JS_I64, 0),
    JS_FIELD(struct stored, uploads_ms,  "uploads",     JS_I64, 0),
    JS_FIELD_ENUM(struct stored, end,    "end",         chat_end_names, 0),
};
/* clang-format on */

static slice session_key(struct arena *a, const struct chat_session *s)
{
    return arena_printf(a, "w:%s", s->id);
}

void session_save(struct chats *cs, const struct chat_session *s, struct jbatch *b)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct stored st = { .account = bytes_slice(&s->account), .participant = slice_of(s->participant), .profile = bytes_slice(&s->profile),
                         .agents = bytes_slice(&s->agents), .offers = bytes_slice(&s->offers), .created_ms = s->created_ms, .active_ms = s->active_ms,
                         .ended_ms = s->ended_ms, .last = s->last, .end = (int)s->end, .rating = s->rating, .own = s->own, .said = s->said,
                         .said_id = bytes_slice(&s->said_id), .read = s->read, .read_told = s->read_told, .seen = s->seen, .uploaded = s->uploaded, .uploads_ms = s->uploads_ms };
    struct jw w = jw_new(a, JOURNAL_VALUE_MAX);
    jw_open(&w, NULL, '{');
    jw_fields(&w, stored_fields, COUNT(stored_fields), &st);
    jw_close(&w, '}');
    slice json = jw_done(&w);
    assert(json.p); /* its parts are bounded */
    state_put(cs->hub->state, b, session_key(a, s), json);
}

void chats_remove(struct chats *cs, struct chat_session *s, struct jbatch *b)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct chat_session **at = place_of(cs, slice_of(s->id));
    *at = s->hash_next;
    cs->n--;
    if (b) {
        state_put(cs->hub->state, b, session_key(a, s), SLICE_NONE);
        state_flush_all(cs->hub->state); /* so that no line of it comes into the store behind this */
        store_delete_prefix(cs->hub->store, arena_printf(a, "v:%s:", s->id), NULL, NULL);
    }
    session_free(s);
}

static void read_one(void *arg, slice key, slice value)
{
    struct chats *cs = arg;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct stored st = { 0 };
    slice id = slice_from(key, 2);
    const struct js *doc = js_parse(a, value, NULL);
    if (!uuid_valid(id) || chats_find(cs, id) || !doc || !js_read(a, doc, stored_fields, COUNT(stored_fields), &st, NULL) || st.participant.n != UUID_TEXT - 1)
        return;
    struct chat_session *s = insert(cs, id);
    memcpy(s->participant, st.participant.p, st.participant.n);
    bytes_set(&s->account, st.account);
    bytes_set(&s->profile, st.profile);
    bytes_set(&s->agents, st.agents);
    bytes_set(&s->offers, st.offers);
    s->created_ms = st.created_ms;
    s->active_ms = st.active_ms;
    s->ended_ms = st.ended_ms;
    s->end = (enum chat_end)st.end;
    s->last = st.last;
    s->rating = (int)st.rating;
    s->own = st.own;
    s->said = st.said;
    bytes_set(&s->said_id, st.said_id);
    s->read = st.read;
    s->read_told = st.read_told;
    s->seen = st.seen;
    s->uploaded = st.uploaded;
    s->uploads_ms = st.uploads_ms;
    s->seen_ms = time_now_ms(); /* while we were down nobody could be seen */
}

struct chats *chats_new(struct hub *h)
{
    struct chats *cs = must_calloc(1, sizeof(*cs));
    cs->hub = h;
    cs->n_buckets = FIRST_BUCKETS;
    cs->buckets = must_calloc(cs->n_buckets, sizeof(struct chat_session *));
    state_each(h->state, SL("w:"), read_one, cs);
    return cs;
}

void chats_free(struct chats *cs)
{
    if (!cs)
        return;
    for (size_t i = 0; i < cs->n_buckets; i++) {
        for (struct chat_session *s = cs->buckets[i], *next; s; s = next) {
            next = s->hash_next;
            lines_forget_loads(s);
            s->holds = 0; /* whoever asked is not answered any more */
            session_free(s);
        }
    }
    free(cs->buckets);
    free(cs);
}
