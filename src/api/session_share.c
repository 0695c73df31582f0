#include "api/session_share.h"
#include "cache/cache.h"

enum { UNTOLD_MAX = 1024 };
#define CHANNEL "session-news"

/* An end that the cache has not taken yet: "h HASH" or "u TIME BUT USER". */
struct untold {
    struct untold *next;
    size_t n;
    char text[];
};
struct session_share {
    struct cache *cache;
    int64_t keep_ms;
    struct session_share_events ev;
    struct untold *untold;
    size_t n_untold;
};

/* ---- news ---------------------------------------------------------------------------------------------------------------------- */

/* "h HASH"; "u TIME BUT USER", BUT "-" for none. */
static void heard(void *arg, slice text)
{
    struct session_share *sh = arg;
    slice rest = text, kind = slice_cut(&rest, ' ');
    if (slice_eq(kind, SL("h"))) {
        sh->ev.ended(sh->ev.arg, rest);
        return;
    }
    slice time = slice_cut(&rest, ' '), but = slice_cut(&rest, ' ');
    int64_t until_ms;
    if (slice_eq(kind, SL("u")) && slice_int(time, &until_ms) && rest.n)
        sh->ev.all_ended(sh->ev.arg, rest, slice_eq(but, SL("-")) ? SL("") : but, until_ms);
}

struct telling {
    struct session_share *sh;
    size_t n;
    char text[];
};

static void told(void *arg, const struct fault *f)
{
    struct telling *te = arg;
    struct session_share *sh = te->sh;
    if (f && sh->n_untold < UNTOLD_MAX) {
        struct untold *u = must_calloc(1, sizeof(*u) + te->n);
        memcpy(u->text, te->text, te->n);
        u->n = te->n;
        u->next = sh->untold;
        sh->untold = u;
        sh->n_untold++;
    }
    free(te);
}

/* The mark first: who does not hear finds it. */
static void tell(struct session_share *sh, slice text)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice rest = text, kind = slice_cut(&rest, ' ');
    slice key, value = SL("1");
    if (slice_eq(kind, SL("h"))) {
        key = arena_printf(a, "session-end:" SLF, SLA(rest));
    } else {
        slice user = rest, time = slice_cut(&user, ' '), but = slice_cut(&user, ' ');
        key = arena_printf(a, "sessions-end:" SLF, SLA(user));
        value = arena_printf(a, SLF " " SLF, SLA(time), SLA(but));
    }
    struct telling *te = must_calloc(1, sizeof(*te) + text.n);
    te->sh = sh;
    te->n = text.n;
    memcpy(te->text, text.p, text.n);
    cache_set(sh->cache, key, value, sh->keep_ms, told, te);
    cache_publish(sh->cache, SL(CHANNEL), text);
}

static void changed(void *arg, bool reachable, slice why)
{
    struct session_share *sh = arg;
    (void)why;
    if (!reachable)
        return;
    struct untold *u = sh->untold;
    sh->untold = NULL;
    sh->n_untold = 0;
    for (struct untold *next; u; u = next) {
        next = u->next;
        tell(sh, slice_mem(u->text, u->n));
        free(u);
    }
    sh->ev.back(sh->ev.arg);
}

struct session_share *session_share_new(struct cache *c, int64_t keep_ms, const struct session_share_events *ev)
{
    struct session_share *sh = must_calloc(1, sizeof(*sh));
    *sh = (struct session_share){ .cache = c, .keep_ms = keep_ms, .ev = *ev };
    cache_listen(c, CHANNEL, heard, sh);
    cache_watch(c, changed, sh);
    return sh;
}

void session_share_free(struct session_share *sh)
{
    if (!sh)
        return;
    for (struct untold *u = sh->untold, *next; u; u = next) {
        next = u->next;
        free(u);
    }
    free(sh);
}

/* ---- putting and ending -------------------------------------------------------------------------------------------------------- */

void session_share_put(struct session_share *sh, slice hash, slice json, int64_t for_ms)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    cache_set(sh->cache, arena_printf(a, "session:" SLF, SLA(hash)), json, for_ms, NULL, NULL);
}

void session_share_end(struct session_share *sh, slice hash)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    cache_remove(sh->cache, arena_printf(a, "session:" SLF, SLA(hash)), NULL, NULL);
    tell(sh, arena_printf(a, "h " SLF, SLA(hash)));
}

void session_share_end_all(struct session_share *sh, slice user, slice but, int64_t now_ms)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    tell(sh, arena_printf(a, "u %lld " SLF " " SLF, (long long)now_ms, SLA(but.n ? but : SL("-")), SLA(user)));
}

/* ---- looking ------------------------------------------------------------------------------------------------------------------- */

struct looking {
    struct arena *a;
    struct session_seen s;
    void (*seen)(void *arg, const struct session_seen *s);
    void *arg;
    int left;
};

static void looked(struct looking *lo)
{
    if (--lo->left)
        return;
    lo->seen(lo->arg, &lo->s);
    arena_free(lo->a);
}

static void got_session(void *arg, slice value, const struct fault *f)
{
    struct looking *lo = arg;
    lo->s.lost |= f != NULL;
    lo->s.json = arena_dup(lo->a, value);
    looked(lo);
}

static void got_end(void *arg, slice value, const struct fault *f)
{
    struct looking *lo = arg;
    lo->s.lost |= f != NULL;
    lo->s.ended = value.p != NULL;
    looked(lo);
}

void session_share_look(struct session_share *sh, slice hash, void (*seen)(void *arg, const struct session_seen *s), void *arg)
{
    struct arena *a = arena_new();
    struct looking *lo = ARENA_NEW(a, struct looking);
    *lo = (struct looking){ .a = a, .seen = seen, .arg = arg, .left = 2 };
    slice session = arena_printf(a, "session:" SLF, SLA(hash)), end = arena_printf(a, "session-end:" SLF, SLA(hash));
    cache_get(sh->cache, session, got_session, lo);
    cache_get(sh->cache, end, got_end, lo);
}

struct checking {
    struct arena *a;
    slice hash;
    int64_t began_ms;
    void (*checked)(void *arg, bool ended);
    void *arg;
};

static void got_all_end(void *arg, slice value, const struct fault *f)
{
    struct checking *ch = arg;
    slice but = value, time = slice_cut(&but, ' ');
    int64_t ended_ms = 0;
    bool ended = !f && value.p && slice_int(time, &ended_ms) && ch->began_ms <= ended_ms && !slice_eq(but, ch->hash);
    ch->checked(ch->arg, ended);
    arena_free(ch->a);
}

void session_share_check(struct session_share *sh, slice user, slice hash, int64_t began_ms, void (*checked)(void *arg, bool ended), void *arg)
{
    struct arena *a = arena_new();
    struct checking *ch = ARENA_NEW(a, struct checking);
    *ch = (struct checking){ a, arena_dup(a, hash), began_ms, checked, arg };
    cache_get(sh->cache, arena_printf(a, "sessions-end:" SLF, SLA(user)), got_all_end, ch);
}
