#include "api/session.h"
#include "api/session_share.h"
#include "cache/cache.h"
#include "hub/hub.h"
#include "store/store.h"
#include "wire/base64.h"
#include "wire/crypto.h"
#include "wire/hex.h"

enum { BUCKETS = 1024, TOKEN_BYTES = 32, TOUCH_MS = 60000, SWEEP_MS = 60000, STORED_MAX = 1024 };
#define KEY_PREFIX "session:"

struct sessions {
    struct hub *hub;
    struct session *buckets[BUCKETS];
    struct session *oldest, *newest; /* by use: ->next is newer */
    size_t n;
    int64_t session_ms, idle_ms;
    struct loop_timer sweep;
    struct session_share *share; /* NULL: there are no others */
    int64_t unsure_ms;           /* monotonic: what was checked before may have ended elsewhere, unheard */
};

/* ---- in memory ------------------------------------------------------------------------------------------------------- */

static struct session **bucket_of(struct sessions *ss, const uint8_t hash[SESSION_HASH_BYTES])
{
    size_t i;
    memcpy(&i, hash, sizeof(i));
    return &ss->buckets[i % BUCKETS];
}

static void unlink_use(struct sessions *ss, struct session *s)
{
    *(s->prev ? &s->prev->next : &ss->oldest) = s->next;
    *(s->next ? &s->next->prev : &ss->newest) = s->prev;
    s->next = s->prev = NULL;
}

static void link_newest(struct sessions *ss, struct session *s)
{
    s->prev = ss->newest;
    *(ss->newest ? &ss->newest->next : &ss->oldest) = s;
    ss->newest = s;
}

static struct session *add(struct sessions *ss, const uint8_t hash[SESSION_HASH_BYTES], slice user)
{
    struct session *s = must_calloc(1, sizeof(*s));
    memcpy(s->hash, hash, SESSION_HASH_BYTES);
    s->user = must_calloc(1, user.n + 1);
    memcpy(s->user, user.p, user.n);
    struct session **at = bucket_of(ss, hash);
    s->hash_next = *at;
    *at = s;
    link_newest(ss, s);
    ss->n++;
    return s;
}

static void drop(struct sessions *ss, struct session *s)
{
    struct session **at = bucket_of(ss, s->hash);
    while (*at != s)
        at = &(*at)->hash_next;
    *at = s->hash_next;
    unlink_use(ss, s);
    ss->n--;
    free(s->user);
    free(s);
}

int64_t session_until_ms(const struct sessions *ss, const struct session *s)
{
    return MIN(s->began_ms + ss->session_ms, s->used_ms + ss->idle_ms);
}

static struct session *by_hash(struct sessions *ss, const uint8_t hash[SESSION_HASH_BYTES])
{
    struct session *s = *bucket_of(ss, hash);
    while (s && memcmp(s->hash, hash, SESSION_HASH_BYTES) != 0)
        s = s->hash_next;
    return s;
}

static bool is_shared(const struct sessions *ss)
{
    return ss->share && ss->hub->cache; /* the cache goes first when the hub stops */
}

/* ---- stored ---------------------------------------------------------------------------------------------------------- */

static slice hex_of(struct arena *a, const uint8_t hash[SESSION_HASH_BYTES])
{
    return hex_encode(a, slice_mem(hash, SESSION_HASH_BYTES));
}

static slice key_of(struct arena *a, const uint8_t hash[SESSION_HASH_BYTES])
{
    return arena_printf(a, KEY_PREFIX SLF, SLA(hex_of(a, hash)));
}

static void store_one(struct sessions *ss, struct session *s, store_done done, void *arg)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct jw w = jw_new(a, STORED_MAX);
    jw_open(&w, NULL, '{');
    jw_str(&w, "user", slice_of(s->user));
    jw_int(&w, "began", s->began_ms);
    jw_int(&w, "used", s->used_ms);
    jw_close(&w, '}');
    slice text = jw_done(&w);
    s->stored_ms = s->used_ms;
    if (is_shared(ss))
        session_share_put(ss->share, hex_of(a, s->hash), text, session_until_ms(ss, s) - s->used_ms);
    store_put(ss->hub->store, &(struct store_pair){ key_of(a, s->hash), text }, 1, done, arg);
}

/* It is gone from here: it ended elsewhere, or nobody used it here for so long. */
static void forget(struct sessions *ss, struct session *s)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    store_put(ss->hub->store, &(struct store_pair){ key_of(a, s->hash), SLICE_NONE }, 1, NULL, NULL);
    drop(ss, s);
}

void session_end(struct sessions *ss, struct session *s)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    if (is_shared(ss))
        session_share_end(ss->share, hex_of(a, s->hash));
    forget(ss, s);
}

static void sweep(void *arg)
{
    struct sessions *ss = arg;
    int64_t now_ms = time_now_ms();
    for (struct session *s = ss->oldest, *next; s; s = next) {
        next = s->next;
        if (session_until_ms(ss, s) <= now_ms)
            forget(ss, s); /* the others may have seen it in use */
    }
    if (ss->n)
        loop_timer_start(ss->hub->loop, &ss->sweep, SWEEP_MS, sweep, ss);
}

static void sweep_later(struct sessions *ss)
{
    if (!ss->sweep.active)
        loop_timer_start(ss->hub->loop, &ss->sweep, SWEEP_MS, sweep, ss);
}

/* Written by ourselves, or another replica; what cannot be read logs nobody in. */
static bool read_text(struct arena *a, slice text, slice *ret_user, int64_t *ret_began_ms, int64_t *ret_used_ms)
{
    const struct js *doc = js_parse(a, text, NULL);
    *ret_user = js_text(js_get(doc, SL("user")));
    return ret_user->n && js_int(js_get(doc, SL("began")), ret_began_ms) && js_int(js_get(doc, SL("used")), ret_used_ms);
}

static void read_one(void *arg, slice key, slice value)
{
    struct sessions *ss = arg;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice hash = hex_decode(a, slice_from(key, sizeof(KEY_PREFIX) - 1)), user;
    int64_t began_ms, used_ms;
    if (hash.n != SESSION_HASH_BYTES || !read_text(a, value, &user, &began_ms, &used_ms))
        return;
    struct session *s = add(ss, (const uint8_t *)hash.p, user);
    s->began_ms = began_ms;
    s->used_ms = s->stored_ms = used_ms;
}

/* ---- what the other replicas say -------------------------------------------------------------------------------------- */

static void ended_elsewhere(void *arg, slice hex)
{
    struct sessions *ss = arg;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice hash = hex_decode(a, hex);
    struct session *s = hash.n == SESSION_HASH_BYTES ? by_hash(ss, (const uint8_t *)hash.p) : NULL;
    if (s)
        forget(ss, s);
}

static void all_ended_elsewhere(void *arg, slice user, slice but, int64_t until_ms)
{
    struct sessions *ss = arg;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (struct session *s = ss->oldest, *next; s; s = next) {
        next = s->next;
        if (slice_eq(slice_of(s->user), user) && s->began_ms <= until_ms && !slice_eq(hex_of(a, s->hash), but))
            forget(ss, s);
    }
}

static void share_back(void *arg)
{
    struct sessions *ss = arg;
    ss->unsure_ms = time_mono_ms();
}

struct sessions *sessions_new(struct hub *h, int64_t session_ms, int64_t idle_ms)
{
    struct sessions *ss = must_calloc(1, sizeof(*ss));
    ss->hub = h;
    ss->session_ms = session_ms;
    ss->idle_ms = idle_ms;
    store_scan(h->store, SL(KEY_PREFIX), SESSIONS_MAX, read_one, NULL, ss);
    if (ss->n)
        sweep_later(ss);
    if (cache_is_shared(h->cache))
        ss->share = session_share_new(h->cache, session_ms, &(struct session_share_events){ ended_elsewhere, all_ended_elsewhere, share_back, ss });
    ss->unsure_ms = time_mono_ms();
    return ss;
}

void sessions_stop(struct sessions *ss)
{
    loop_timer_done(&ss->sweep);
}

void sessions_free(struct sessions *ss)
{
    if (!ss)
        return;
    while (ss->oldest)
        drop(ss, ss->oldest);
    session_share_free(ss->share);
    free(ss);
}

/* ---- using ----------------------------------------------------------------------------------------------------------- */

static void make_room(struct sessions *ss, slice user)
{
    struct session *oldest = NULL;
    size_t n = 0;
    for (struct session *s = ss->newest; s; s = s->prev) {
        if (!slice_eq(slice_of(s->user), user))
            continue;
        oldest = s;
        n++;
    }
    if (n >= SESSIONS_OF_LOGIN)
        session_end(ss, oldest);
    else if (ss->n >= SESSIONS_MAX)
        session_end(ss, ss->oldest);
}

slice session_begin(struct sessions *ss, struct arena *a, slice user, store_done done, void *arg)
{
    uint8_t raw[TOKEN_BYTES];
    random_bytes(raw, sizeof(raw));
    slice token = base64url_encode(a, slice_mem(raw, sizeof(raw)));
    struct sha256 hash = sha256(token);
    static_assert(sizeof(hash.b) == SESSION_HASH_BYTES, "one hash's length");
    make_room(ss, user);
    struct session *s = add(ss, hash.b, user);
    s->began_ms = s->used_ms = time_now_ms();
    s->checked_ms = time_mono_ms();
    store_one(ss, s, done, arg);
    sweep_later(ss);
    return token;
}

bool session_alive(struct sessions *ss, const uint8_t hash[SESSION_HASH_BYTES])
{
    const struct session *s = by_hash(ss, hash);
    return s && session_until_ms(ss, s) > time_now_ms();
}

struct session *session_find(struct sessions *ss, slice token)
{
    struct sha256 hash = sha256(token); /* an attacker cannot steer its bytes, so comparing them tells nothing */
    struct session *s = by_hash(ss, hash.b);
    if (!s)
        return NULL;
    int64_t now_ms = time_now_ms();
    if (session_until_ms(ss, s) <= now_ms) {
        forget(ss, s);
        return NULL;
    }
    s->used_ms = now_ms;
    unlink_use(ss, s);
    link_newest(ss, s);
    if (now_ms - s->stored_ms >= TOUCH_MS)
        store_one(ss, s, NULL, NULL);
    return s;
}

/* ---- seeking ----------------------------------------------------------------------------------------------------------- */

struct seeking {
    struct arena *a;
    struct sessions *ss;
    uint8_t hash[SESSION_HASH_BYTES];
    slice hex, user;
    int64_t began_ms, used_ms;
    void (*sought)(void *arg);
    void *arg;
};

static void end_seek(struct seeking *se)
{
    void (*sought)(void *arg) = se->sought;
    void *arg = se->arg;
    arena_free(se->a);
    sought(arg);
}

/* It is good: known here from now on, as far as it was used anywhere. */
static void take_over(struct seeking *se)
{
    struct sessions *ss = se->ss;
    struct session *s = by_hash(ss, se->hash);
    if (!s && ss->n >= SESSIONS_MAX)
        forget(ss, ss->oldest);
    if (!s) {
        s = add(ss, se->hash, se->user);
        s->began_ms = se->began_ms;
        s->stored_ms = se->used_ms;
        sweep_later(ss);
    }
    s->used_ms = MAX(s->used_ms, se->used_ms);
    s->checked_ms = time_mono_ms();
}

static void checked(void *arg, bool ended)
{
    struct seeking *se = arg;
    struct session *s = by_hash(se->ss, se->hash);
    if (!ended)
        take_over(se);
    else if (s)
        forget(se->ss, s);
    end_seek(se);
}

static void seen(void *arg, const struct session_seen *found)
{
    struct seeking *se = arg;
    struct session *s = by_hash(se->ss, se->hash);
    if (!found->lost && found->ended && s) {
        forget(se->ss, s);
        s = NULL;
    }
    bool there = found->json.p && read_text(se->a, arena_dup(se->a, found->json), &se->user, &se->began_ms, &se->used_ms);
    if (!there && s) { /* the cache has lost its memory */
        se->user = arena_dup(se->a, slice_of(s->user));
        se->began_ms = s->began_ms;
        se->used_ms = s->used_ms;
    }
    if (found->lost || found->ended || (!there && !s)) {
        end_seek(se);
        return;
    }
    if (!there)
        store_one(se->ss, s, NULL, NULL);
    session_share_check(se->ss->share, se->user, se->hex, se->began_ms, checked, se);
}

void session_seek(struct sessions *ss, slice token, void (*sought)(void *arg), void *arg)
{
    struct sha256 hash = sha256(token);
    const struct session *s = by_hash(ss, hash.b);
    bool sure = s && s->checked_ms >= ss->unsure_ms && session_until_ms(ss, s) > time_now_ms();
    if (!is_shared(ss) || sure) {
        sought(arg);
        return;
    }
    struct arena *a = arena_new();
    struct seeking *se = ARENA_NEW(a, struct seeking);
    *se = (struct seeking){ .a = a, .ss = ss, .hex = hex_of(a, hash.b), .sought = sought, .arg = arg };
    memcpy(se->hash, hash.b, SESSION_HASH_BYTES);
    session_share_look(ss->share, se->hex, seen, se);
}

/* ---- all of one -------------------------------------------------------------------------------------------------------- */

void sessions_end_others(struct sessions *ss, slice user, const uint8_t hash[SESSION_HASH_BYTES])
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    if (is_shared(ss))
        session_share_end_all(ss->share, user, hash ? hex_of(a, hash) : SL(""), time_now_ms());
    for (struct session *s = ss->oldest, *next; s; s = next) {
        next = s->next;
        if (slice_eq(slice_of(s->user), user) && (!hash || memcmp(s->hash, hash, SESSION_HASH_BYTES) != 0))
            forget(ss, s);
    }
}

void sessions_end(struct sessions *ss, slice user)
{
    sessions_end_others(ss, user, NULL);
}
