#include "hub/keys.h"
#include "hub/verify.h"
#include "net/client.h"
#include "wire/jwks.h"
#include "wire/url.h"

enum { KEYS_BYTES_MAX = 512 << 10, KEYS_FETCH_MS = 8000 };

/* One request that waits for one set. A request with accounts of several addresses waits for each in turn. */
struct waiting {
    struct waiting *next;
    struct hub *hub;
    const struct connector *type;
    struct arena *a;
    struct actor *named; /* by the path; NULL: none is */
    slice route;         /* what the body says of the account */
    size_t at; /* the actor whose keys are looked at next */
    slice kid;
    void (*done)(void *arg, const struct fault *why);
    void *arg;
    struct loop_timer timer; /* KEYS_WAIT_MS over */
    struct key_set *set;
};
struct key_set {
    struct key_set *next;
    struct hub *hub;
    const struct connector *type; /* who asked first: for the metrics */
    slice url;
    struct jwks *keys; /* NULL: not fetched yet */
    int64_t fetched_ms, failed_ms, unknown_ms; /* monotonic; 0: never */
    struct waiting *waiting;
    struct arena *a; /* of the fetch under way; NULL: none */
    struct client_call call;
    bool second; /* the keys themselves are asked for, behind the OpenID document */
};
struct keys {
    struct arena *a;
    struct key_set *sets;
    size_t n_waiting;
};

static void look_on(struct waiting *w);

static struct key_set *set_of(const struct keys *ks, slice url)
{
    struct key_set *s = ks ? ks->sets : NULL;
    while (s && !slice_eq(s->url, url))
        s = s->next;
    return s;
}

const struct jwks *keys_have(const struct keys *ks, slice url)
{
    const struct key_set *s = set_of(ks, url);
    return s ? s->keys : NULL;
}

static struct key_set *set_made(struct hub *h, const struct connector *type, slice url)
{
    if (!h->keys) {
        struct arena *a = arena_new();
        h->keys = ARENA_NEW(a, struct keys);
        h->keys->a = a;
    }
    struct key_set *s = set_of(h->keys, url);
    if (s)
        return s;
    s = ARENA_NEW(h->keys->a, struct key_set);
    *s = (struct key_set){ .next = h->keys->sets, .hub = h, .type = type, .url = arena_dup(h->keys->a, url) };
    return h->keys->sets = s;
}

/* ---- fetching ------------------------------------------------------------------------------------------------------- */

static void wait_end(struct waiting *w)
{
    struct key_set *s = w->set;
    struct waiting **at = &s->waiting;
    while (*at != w)
        at = &(*at)->next;
    *at = w->next;
    w->set = NULL;
    w->hub->keys->n_waiting--;
    loop_timer_done(&w->timer);
}

static void not_now(struct waiting *w)
{
    struct fault f;
    fault(&f, "no_keys", "", "the keys that %s signs with cannot be fetched now", w->type->title);
    w->done(w->arg, &f);
}

static bool useful(const struct waiting *w, const struct key_set *s)
{
    return s->keys && (jwks_find(s->keys, w->kid) || !s->failed_ms);
}

static void fetch_ended(struct key_set *s, bool ok, const char *why)
{
    struct hub *h = s->hub;
    int64_t now_ms = time_mono_ms();
    s->a = arena_free(s->a);
    s->failed_ms = ok ? 0 : now_ms;
    if (ok)
        s->fetched_ms = now_ms;
    METRIC_ADD(h->metrics, METRIC_KEYS, 1, slice_of(s->type->name), ok ? SL("fetched") : SL("failed"));
    if (!ok && !h->stopped) {
        struct log_line *l = log_begin(h->log, s->keys ? LEVEL_WARN : LEVEL_ERROR, "Keys not fetched%s", s->keys ? "; those at hand still serve" : "");
        log_str(l, "connector", slice_of(s->type->name));
        log_str(l, "url", s->url);
        log_str(l, "why", slice_of(why));
        log_end(l);
    }
    while (s->waiting) {
        struct waiting *w = s->waiting;
        bool good = useful(w, s);
        wait_end(w);
        if (good)
            look_on(w);
        else
            not_now(w);
    }
}

static void fetch_send(struct key_set *s, slice url);

/* Where the OpenID document says the keys are; never from https to http. */
static bool second_url(struct key_set *s, slice jwks_uri, slice *ret)
{
    struct url first, second;
    if (!url_parse(s->a, s->url, &first, NULL) || !url_parse(s->a, jwks_uri, &second, NULL))
        return false;
    *ret = url_print(s->a, &second);
    return slice_eq(second.scheme, SL("https")) || slice_eq(first.scheme, second.scheme);
}

static void fetched(void *arg, const struct answer *r)
{
    struct key_set *s = arg;
    struct fault f = { 0 };
    char said[64];
    slice next;
    if (r->status != 200) {
        snprintf(said, sizeof(said), r->status ? "status %d" : "no answer", r->status);
        fetch_ended(s, false, said);
        return;
    }
    slice jwks_uri = s->second ? SLICE_NONE : js_text(js_at(js_parse(s->a, r->body, NULL), "jwks_uri"));
    if (jwks_uri.n && second_url(s, jwks_uri, &next)) {
        s->second = true;
        fetch_send(s, next);
        return;
    }
    struct jwks *keys = jwks_parse(r->body, &f);
    if (!keys) {
        fetch_ended(s, false, f.text);
        return;
    }
    jwks_free(s->keys);
    s->keys = keys;
    fetch_ended(s, true, NULL);
}

static void fetch_send(struct key_set *s, slice url)
{
    s->call = (struct client_call){ .a = s->a, .method = "GET", .url = url, .answer_bytes = KEYS_BYTES_MAX, .total_ms = KEYS_FETCH_MS / 2,
                                    .done = fetched, .arg = s };
    client_send(s->hub->client, &s->call);
}

static void fetch(struct key_set *s)
{
    if (s->a || s->hub->stopped)
        return;
    s->a = arena_new();
    s->second = false;
    fetch_send(s, s->url);
}

/* ---- waiting -------------------------------------------------------------------------------------------------------- */

static void too_long(void *arg)
{
    struct waiting *w = arg;
    wait_end(w);
    not_now(w);
}

enum need { NEED_NOTHING, NEED_WAIT, NEED_IN_VAIN };

static enum need need_of(struct key_set *s, slice kid)
{
    const struct key_source *source = &s->type->hook.keys;
    int64_t now_ms = time_mono_ms();
    bool just_failed = s->failed_ms && now_ms - s->failed_ms < KEYS_RETRY_MS;
    if (!s->keys)
        return just_failed && !s->a ? NEED_IN_VAIN : NEED_WAIT;
    if (jwks_find(s->keys, kid)) {
        if (now_ms - s->fetched_ms > source->keep_ms && !just_failed)
            fetch(s);
        return NEED_NOTHING;
    }
    if (s->a)
        return NEED_WAIT; /* perhaps it is among those */
    if (just_failed)
        return NEED_IN_VAIN;
    if (s->unknown_ms && now_ms - s->unknown_ms < source->again_ms && !s->failed_ms)
        return NEED_NOTHING; /* asked not long ago: the token is wrong */
    s->unknown_ms = now_ms;
    return NEED_WAIT;
}

static void wait_for(struct waiting *w, struct key_set *s)
{
    struct keys *ks = w->hub->keys;
    if (ks->n_waiting >= KEYS_WAITING_MAX || w->hub->stopped) {
        not_now(w);
        return;
    }
    ks->n_waiting++;
    w->set = s;
    w->next = s->waiting;
    s->waiting = w;
    loop_timer_start(w->hub->loop, &w->timer, KEYS_WAIT_MS, too_long, w);
    fetch(s);
}

/* May the body be for this account? As find_verified sees it. */
static bool is_meant(const struct waiting *w, struct call *c)
{
    slice own = w->route.p && w->type->route_own ? w->type->route_own(c) : SLICE_NONE;
    return !own.p || slice_eq(own, w->route);
}

static void look_on(struct waiting *w)
{
    struct hub *h = w->hub;
    struct fault f = { 0 };
    while (w->at < h->n_actors) {
        struct actor *ac = h->actors[w->at++];
        struct call c;
        if (ac->account.type != w->type || ac->retired || (w->named && ac != w->named))
            continue;
        actor_call(ac, &c, w->a, NULL, &f);
        if (!is_meant(w, &c))
            continue;
        struct key_set *s = set_made(h, w->type, w->type->hook.keys.url(&c));
        enum need need = need_of(s, w->kid);
        if (need == NEED_NOTHING)
            continue;
        if (need == NEED_WAIT)
            wait_for(w, s);
        else
            not_now(w);
        return;
    }
    w->done(w->arg, NULL);
}

void keys_prepare(struct hub *h, const struct connector *type, struct arena *a, const struct request *rq,
                  void (*done)(void *arg, const struct fault *why), void *arg)
{
    struct fault f;
    slice token;
    slice kid = hook_token(&type->hook, rq, &token, &f) ? jwt_kid(a, token) : SLICE_NONE;
    if (!kid.n) { /* no key of any set would help */
        done(arg, NULL);
        return;
    }
    struct waiting *w = ARENA_NEW(a, struct waiting);
    *w = (struct waiting){ .hub = h, .type = type, .a = a, .kid = kid, .done = done, .arg = arg };
    w->named = rq->path.n ? find_by_path(h, type, rq->path, &f) : NULL;
    w->route = !rq->path.n && type->route_key ? type->route_key(a, rq) : SLICE_NONE;
    look_on(w);
}

void keys_stop(struct hub *h)
{
    struct keys *ks = h->keys;
    for (struct key_set *s = ks ? ks->sets : NULL; s; s = s->next) {
        while (s->waiting) {
            struct waiting *w = s->waiting;
            wait_end(w);
            not_now(w);
        }
        jwks_free(s->keys);
        arena_free(s->a);
    }
    h->keys = NULL;
    if (ks)
        arena_free(ks->a);
}
