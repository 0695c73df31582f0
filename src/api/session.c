#include "api/session.h"
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

/* ---- stored ---------------------------------------------------------------------------------------------------------- */

static slice key_of(struct arena *a, const uint8_t hash[SESSION_HASH_BYTES])
{
    return arena_printf(a, KEY_PREFIX SLF, SLA(hex_encode(a, slice_mem(hash, SESSION_HASH_BYTES))));
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
    s->stored_ms = s->used_ms;
    store_put(ss->hub->store, &(struct store_pair){ key_of(a, s->hash), jw_done(&w) }, 1, done, arg);
}

void session_end(struct sessions *ss, struct session *s)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    store_put(ss->hub->store, &(struct store_pair){ key_of(a, s->hash), SLICE_NONE }, 1, NULL, NULL);
    drop(ss, s);
}

static void sweep(void *arg)
{
    struct sessions *ss = arg;
    int64_t now_ms = time_now_ms();
    for (struct session *s = ss->oldest, *next; s; s = next) {
        next = s->next;
        if (session_until_ms(ss, s) <= now_ms)
            session_end(ss, s);
    }
    if (ss->n)
        loop_timer_start(ss->hub->loop, &ss->sweep, SWEEP_MS, sweep, ss);
}

static void sweep_later(struct sessions *ss)
{
    if (!ss->sweep.active)
        loop_timer_start(ss->hub->loop, &ss->sweep, SWEEP_MS, sweep, ss);
}

static void read_one(void *arg, slice key, slice value)
{
    struct sessions *ss = arg;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    const struct js *doc = js_parse(a, value, NULL);
    slice hash = hex_decode(a, slice_from(key, sizeof(KEY_PREFIX) - 1)), user = js_text(js_get(doc, SL("user")));
    int64_t began_ms, used_ms;
    if (hash.n != SESSION_HASH_BYTES || !user.n || !js_int(js_get(doc, SL("began")), &began_ms) || !js_int(js_get(doc, SL("used")), &used_ms))
        return; /* written by ourselves; what cannot be read logs nobody in */
    struct session *s = add(ss, (const uint8_t *)hash.p, user);
    s->began_ms = began_ms;
    s->used_ms = s->stored_ms = used_ms;
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
    store_one(ss, s, done, arg);
    sweep_later(ss);
    return token;
}

static struct session *by_hash(struct sessions *ss, const uint8_t hash[SESSION_HASH_BYTES])
{
    struct session *s = *bucket_of(ss, hash);
    while (s && memcmp(s->hash, hash, SESSION_HASH_BYTES) != 0)
        s = s->hash_next;
    return s;
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
        session_end(ss, s);
        return NULL;
    }
    s->used_ms = now_ms;
    unlink_use(ss, s);
    link_newest(ss, s);
    if (now_ms - s->stored_ms >= TOUCH_MS)
        store_one(ss, s, NULL, NULL);
    return s;
}

void sessions_end_others(struct sessions *ss, slice user, const uint8_t hash[SESSION_HASH_BYTES])
{
    for (struct session *s = ss->oldest, *next; s; s = next) {
        next = s->next;
        if (slice_eq(slice_of(s->user), user) && (!hash || memcmp(s->hash, hash, SESSION_HASH_BYTES) != 0))
            session_end(ss, s);
    }
}

void sessions_end(struct sessions *ss, slice user)
{
    sessions_end_others(ss, user, NULL);
}
