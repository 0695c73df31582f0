#include "hub/token_share.h"
#include "cache/cache.h"
#include "hub/hub.h"
#include "hub/run.h"
#include "hub/state.h"
#include "store/seal.h"
#include "wire/crypto.h"
#include "wire/hex.h"

enum { HOLDER_BYTES = 16, SHARED_MAX = 32768, LEAST_LIFE_MS = 5000 };
#define REFRESH_MS (INT64_C(400) * 86400 * 1000) /* how long a single-use token that nobody used is kept for the others */

enum step { IDLE, LOOKING, LOCKING, LOOKING_AGAIN, LEARNING, SAVING, HOLDING };
struct token_share {
    struct actor *actor;
    void (*asks)(struct actor *actor);
    enum step step;
    char holder[2 * HOLDER_BYTES + 1]; /* our name at the lock */
    struct sha256 refused;             /* of the header the other side would not take; compared only */
    bool has_refused;
    int64_t began_ms;
    struct loop_timer timer;
};

static void look(void *arg);

static bool is_shared(const struct actor *actor)
{
    return actor->hub->seal && cache_is_shared(actor->hub->cache);
}

static slice key(struct arena *a, const char *what, const struct actor *actor)
{
    return arena_printf(a, "%s:{" SLF "}", what, SLA(actor->account.id)); /* one slot of a cluster, so that their commands keep their order */
}

static struct token_share *share_of(struct actor *actor)
{
    if (actor->token.share)
        return actor->token.share;
    struct token_share *ts = must_calloc(1, sizeof(*ts));
    CLEANUP(arena_freep) struct arena *a = arena_new();
    uint8_t raw[HOLDER_BYTES];
    random_bytes(raw, sizeof(raw));
    snprintf(ts->holder, sizeof(ts->holder), SLF, SLA(hex_encode(a, slice_mem(raw, sizeof(raw)))));
    ts->actor = actor;
    return actor->token.share = ts;
}

void token_share_free(struct token_share *ts)
{
    if (!ts)
        return;
    loop_timer_done(&ts->timer);
    free(ts);
}

/* Two who ask with one refresh token lose it: the lock lasts as long as the answer is waited for. Without one (the cache was lost) this changes nothing. */
static void prolong(void *arg)
{
    struct token_share *ts = arg;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    if (!is_shared(ts->actor))
        return; /* the hub stops */
    cache_lock_keep(ts->actor->hub->cache, key(a, "token-lock", ts->actor), slice_of(ts->holder), TOKEN_LOCK_MS, NULL, NULL);
    loop_timer_start(ts->actor->hub->loop, &ts->timer, TOKEN_KEEP_MS, prolong, ts);
}

static void go(struct token_share *ts)
{
    ts->step = HOLDING;
    loop_timer_start(ts->actor->hub->loop, &ts->timer, TOKEN_KEEP_MS, prolong, ts);
    ts->asks(ts->actor);
}

static void not_now(struct token_share *ts, const char *why)
{
    struct fault f;
    ts->step = IDLE;
    fault(&f, "no_token", "", "%s", why);
    token_not_now(ts->actor, &f);
}

/* The cache cannot be asked. */
static void alone(struct token_share *ts)
{
    if (ts->actor->account.type->auth.single_use || memory_get(ts->actor->memory, "refresh_token", time_now_ms()).n)
        not_now(ts, "the cache is lost, and a refresh token that is good for one use is not used without its lock");
    else
        go(ts);
}

static void later(struct token_share *ts)
{
    if (time_mono_ms() - ts->began_ms > TOKEN_PATIENCE_MS)
        not_now(ts, "another process asks for the token and does not get it");
    else
        loop_timer_start(ts->actor->hub->loop, &ts->timer, TOKEN_LOOK_MS, look, ts);
}

/* ---- what the others left for us --------------------------------------------------------------------------------------------- */

static bool reveal(struct token_share *ts, slice name, slice sealed, struct secret *ret)
{
    struct fault f;
    return sealed.n && seal_reveal(ts->actor->hub->seal, name, sealed, ret, &f);
}

/* Should the cache lose its memory, whoever asks next must know the newest. */
static void remember(struct actor *actor, slice refresh)
{
    if (!refresh.n || slice_eq(refresh, memory_get(actor->memory, "refresh_token", time_now_ms())))
        return;
    memory_set(actor->memory, "refresh_token", refresh, 0);
    struct jbatch *b = jbatch_new(actor->hub->journal);
    actor_save(actor, b);
    jbatch_commit(b, JOURNAL_DURABLE, NULL, NULL);
}

/* Is there a token in it that serves? Then it was taken. */
static bool take(struct token_share *ts, slice value)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct secret text = { NULL, 0 };
    if (!reveal(ts, key(a, "token", ts->actor), value, &text))
        return false;
    const struct js *doc = js_parse(a, secret_reveal(&text), NULL);
    slice header = js_text(js_get(doc, SL("header")));
    int64_t until_ms = 0;
    struct sha256 hash = sha256(header);
    bool refused = ts->has_refused && memcmp(hash.b, ts->refused.b, sizeof(hash.b)) == 0;
    bool good = header.n && js_int(js_get(doc, SL("until")), &until_ms) && until_ms - time_now_ms() > LEAST_LIFE_MS && !refused;
    /* One that is near its end serves nobody who came to have a newer one. */
    const struct token *t = &ts->actor->token;
    good = good && !(t->header && slice_eq(slice_of(t->header), header));
    if (good) {
        ts->step = IDLE;
        remember(ts->actor, js_text(js_get(doc, SL("refresh"))));
        token_shared(ts->actor, header, until_ms - time_now_ms());
    }
    secret_wipe(&text);
    return good;
}

static void unlock(struct token_share *ts)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    cache_unlock(ts->actor->hub->cache, key(a, "token-lock", ts->actor), slice_of(ts->holder), NULL, NULL);
}

static void saved(void *arg, bool ok)
{
    struct token_share *ts = arg;
    if (ok) {
        go(ts);
        return;
    }
    unlock(ts);
    not_now(ts, "the newest refresh token could not be stored");
}

static void learned(void *arg, slice value, const struct fault *f)
{
    struct token_share *ts = arg;
    struct actor *actor = ts->actor;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct secret newest = { NULL, 0 };
    if (f) {
        alone(ts);
        return;
    }
    if (!reveal(ts, key(a, "refresh", actor), value, &newest) || slice_eq(secret_reveal(&newest), memory_get(actor->memory, "refresh_token", time_now_ms()))) {
        secret_wipe(&newest);
        go(ts);
        return;
    }
    memory_set(actor->memory, "refresh_token", secret_reveal(&newest), 0);
    secret_wipe(&newest);
    ts->step = SAVING;
    struct jbatch *b = jbatch_new(actor->hub->journal);
    actor_save(actor, b);
    jbatch_commit(b, JOURNAL_DURABLE, saved, ts);
}

/* ---- the steps --------------------------------------------------------------------------------------------------------------- */

static void looked_again(void *arg, slice value, const struct fault *f)
{
    struct token_share *ts = arg;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    if (!f && take(ts, value)) { /* somebody was done just before we had the lock */
        unlock(ts);
        return;
    }
    ts->step = LEARNING;
    cache_get(ts->actor->hub->cache, key(a, "refresh", ts->actor), learned, ts);
}

static void locked(void *arg, bool ours, const struct fault *f)
{
    struct token_share *ts = arg;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    if (f) {
        alone(ts);
        return;
    }
    if (!ours) {
        later(ts);
        return;
    }
    ts->step = LOOKING_AGAIN;
    cache_get(ts->actor->hub->cache, key(a, "token", ts->actor), looked_again, ts);
}

static void looked(void *arg, slice value, const struct fault *f)
{
    struct token_share *ts = arg;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    if (f) {
        alone(ts);
        return;
    }
    if (take(ts, value))
        return;
    ts->step = LOCKING;
    cache_lock(ts->actor->hub->cache, key(a, "token-lock", ts->actor), slice_of(ts->holder), TOKEN_LOCK_MS, locked, ts);
}

static void look(void *arg)
{
    struct token_share *ts = arg;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    ts->step = LOOKING;
    cache_get(ts->actor->hub->cache, key(a, "token", ts->actor), looked, ts);
}

void token_share_find(struct actor *actor, void (*asks)(struct actor *actor))
{
    if (!is_shared(actor)) {
        asks(actor);
        return;
    }
    struct token_share *ts = share_of(actor);
    assert(ts->step == IDLE || ts->step == HOLDING);
    loop_timer_stop(&ts->timer);
    ts->asks = asks;
    ts->began_ms = time_mono_ms();
    look(ts);
}

static void keep(struct actor *actor, const char *what, slice text, int64_t for_ms)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice name = key(a, what, actor);
    cache_set(actor->hub->cache, name, seal_close(actor->hub->seal, a, name, text), for_ms, NULL, NULL);
}

/* The commands keep their order: who has the lock next finds both. */
void token_share_put(struct actor *actor, slice header, int64_t life_ms)
{
    if (!is_shared(actor) || !actor->token.share || actor->token.share->step != HOLDING)
        return;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice refresh = memory_get(actor->memory, "refresh_token", time_now_ms());
    if (refresh.n)
        keep(actor, "refresh", refresh, REFRESH_MS);
    struct jw w = jw_new(a, SHARED_MAX);
    jw_open(&w, NULL, '{');
    jw_str(&w, "header", header);
    jw_int(&w, "until", time_now_ms() + life_ms);
    jw_str(&w, "refresh", refresh);
    jw_close(&w, '}');
    slice text = jw_done(&w);
    keep(actor, "token", text, life_ms);
    bytes_wipe((void *)(uintptr_t)text.p, text.n);
    token_share_give_up(actor);
}

void token_share_give_up(struct actor *actor)
{
    struct token_share *ts = actor->token.share;
    if (ts && ts->step == HOLDING)
        loop_timer_stop(&ts->timer);
    if (!is_shared(actor) || !ts || ts->step != HOLDING)
        return;
    ts->step = IDLE;
    unlock(ts);
}

void token_share_forget(struct actor *actor)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    if (is_shared(actor) && actor->token.share)
        cache_remove(actor->hub->cache, key(a, "token", actor), NULL, NULL);
}

void token_share_refused(struct actor *actor, slice header)
{
    if (!is_shared(actor))
        return;
    struct token_share *ts = share_of(actor);
    ts->refused = sha256(header);
    ts->has_refused = true;
}
