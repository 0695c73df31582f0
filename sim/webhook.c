#include "sim/webhook.h"
#include "sim/faults.h"
#include "wire/js.h"

/* One webhook on its way. At most one of a lane is in flight. */
struct job {
    struct lane *lane;
    struct job *next; /* of the lane, oldest first */
    struct arena *a;
    struct webhook w;
    struct header headers[WEBHOOK_HEADERS_MAX];
    struct client_call call;
    struct loop_timer hold;
    int copies; /* still to be sent, this one included */
    bool held;
};

/* A lane lives while it has jobs. */
struct lane {
    struct webhooks *ws;
    struct lane *next; /* of its bucket */
    uint64_t hash;
    slice name;
    struct job *first, **last;
    bool busy; /* one is in flight */
};

struct kept {
    int64_t at_ms, took_ms;
    int status, attempt;
    char url[160], error[96];
};

enum { BUCKETS = 1024 };

struct webhooks {
    struct sim_env *env;
    struct lane *buckets[BUCKETS];
    uint64_t nameless;               /* jobs without a lane get one each, of a hash that spreads */
    struct kept kept[WEBHOOKS_KEPT]; /* a ring; n_kept counts all ever */
    size_t n_kept;
    int64_t sent, open, ok, failed, timed_out;
};

struct webhooks *webhooks_new(struct sim_env *env)
{
    struct webhooks *ws = must_calloc(1, sizeof(*ws));
    ws->env = env;
    return ws;
}

static struct lane *lane_get(struct webhooks *ws, slice name)
{
    uint64_t hash = name.n ? slice_hash(name) : ws->nameless++;
    struct lane **bucket = &ws->buckets[hash % BUCKETS];
    for (struct lane *l = *bucket; l && name.n; l = l->next)
        if (l->hash == hash && slice_eq(l->name, name))
            return l;
    struct lane *l = must_calloc(1, sizeof(*l));
    char *copy = must_malloc(name.n + 1);
    memcpy(copy, name.n ? name.p : "", name.n);
    *l = (struct lane){ .ws = ws, .next = *bucket, .hash = hash, .name = { copy, name.n } };
    l->last = &l->first;
    return *bucket = l;
}

static void lane_free(struct lane *l)
{
    struct lane **at = &l->ws->buckets[l->hash % BUCKETS];
    while (*at != l)
        at = &(*at)->next;
    *at = l->next;
    free((void *)(uintptr_t)l->name.p);
    free(l);
}

static void job_unlink(struct job *j)
{
    struct lane *l = j->lane;
    struct job **at = &l->first;
    while (*at != j)
        at = &(*at)->next;
    *at = j->next;
    if (l->last == &j->next)
        l->last = at;
    l->ws->open--;
}

static void job_free(struct job *j)
{
    loop_timer_done(&j->hold);
    arena_free(j->a);
    free(j);
}

void webhooks_free(struct webhooks *ws)
{
    if (!ws)
        return;
    for (size_t i = 0; i < BUCKETS; i++)
        while (ws->buckets[i]) {
            struct lane *l = ws->buckets[i];
            while (l->first) {
                struct job *j = l->first;
                job_unlink(j);
                job_free(j);
            }
            lane_free(l);
        }
    free(ws);
}

static void fly(struct job *j);

/* Starts the oldest of the lane if none is in flight; a held one lets the next go first. */
static void lane_advance(struct lane *l)
{
    if (l->busy || l->ws->env->stopping)
        return;
    struct job *j = l->first;
    while (j && j->held)
        j = j->next;
    if (j)
        fly(j);
}

static void release(void *arg)
{
    struct job *j = arg;
    j->held = false;
    lane_advance(j->lane);
}

/* A newer one of the lane went out: whoever was held back before it may go now. */
static void release_older(const struct job *than)
{
    for (struct job *j = than->lane->first; j && j != than; j = j->next)
        if (j->held) {
            j->held = false;
            loop_timer_stop(&j->hold);
        }
}

static void keep(struct webhooks *ws, const struct job *j, const struct webhook_result *r)
{
    struct kept *k = &ws->kept[ws->n_kept++ % WEBHOOKS_KEPT];
    *k = (struct kept){ .at_ms = time_now_ms(), .took_ms = r->took_ms, .status = r->status, .attempt = j->w.attempt };
    snprintf(k->url, sizeof(k->url), SLF, SLA(j->w.url));
    snprintf(k->error, sizeof(k->error), SLF, SLA(r->error));
}

static void answered(void *arg, const struct answer *r)
{
    struct job *j = arg;
    struct lane *lane = j->lane;
    struct webhooks *ws = lane->ws;
    if (ws->env->stopping) /* webhooks_free takes the job */
        return;
    lane->busy = false;
    struct webhook_result result = {
        .status = r->status,
        .took_ms = r->took_us / 1000,
        .body = r->body,
        .error = r->error,
        .timed_out = r->status == 0 && r->took_us / 1000 >= j->w.timeout_ms - 1,
    };
    bool good = r->status >= 200 && r->status < 300;
    ws->ok += good;
    ws->failed += !good;
    ws->timed_out += result.timed_out;
    keep(ws, j, &result);
    release_older(j);
    if (--j->copies > 0) {
        fly(j);
        return;
    }
    job_unlink(j);
    if (j->w.done)
        j->w.done(j->w.arg, &result);
    job_free(j);
    if (lane->first)
        lane_advance(lane);
    else
        lane_free(lane);
}

static void fly(struct job *j)
{
    j->lane->busy = true;
    struct webhooks *ws = j->lane->ws;
    ws->sent++;
    j->call = (struct client_call){
        .a = j->a,
        .method = j->w.method,
        .url = j->w.url,
        .headers = j->headers,
        .n_headers = j->w.n_headers,
        .body = j->w.body,
        .total_ms = j->w.timeout_ms,
        .connect_ms = j->w.timeout_ms,
        .done = answered,
        .arg = j,
    };
    client_send(ws->env->client, &j->call);
}

/* Another signature of the same shape: its first character is another one of the Base64 and hexadecimal alphabets. */
static slice wrong_signature(struct arena *a, slice s)
{
    char *p = arena_cstr(a, s);
    size_t at = slice_find_char(s, '=') == SIZE_MAX || slice_find_char(s, '=') + 1 >= s.n ? 0 : slice_find_char(s, '=') + 1;
    if (at < s.n)
        p[at] = p[at] == 'a' ? 'b' : 'a';
    return slice_mem(p, s.n);
}

static slice url_path(slice url)
{
    size_t scheme = slice_find(url, SL("://"));
    slice rest = scheme == SIZE_MAX ? url : slice_from(url, scheme + 3);
    size_t at = slice_find_char(rest, '/');
    return at == SIZE_MAX ? SL("/") : slice_from(rest, at);
}

void webhook_send(struct sim_env *env, const struct webhook *w)
{
    assert(w->n_headers <= WEBHOOK_HEADERS_MAX && w->timeout_ms > 0);
    struct webhooks *ws = env->webhooks;
    struct job *j = must_calloc(1, sizeof(*j));
    j->lane = lane_get(ws, w->lane);
    j->a = arena_new();
    j->w = *w;
    j->w.method = w->method ? w->method : "POST";
    j->w.lane = j->lane->name;
    j->w.url = arena_dup(j->a, w->url);
    j->w.body = arena_dup(j->a, w->body);
    struct fault_hook hook = faults_plan_hook(env->faults, url_path(w->url));
    for (size_t i = 0; i < w->n_headers; i++) {
        slice value = arena_dup(j->a, w->headers[i].value);
        bool spoil = hook.bad_signature && w->signature == (int)i;
        j->headers[i] = (struct header){ arena_dup(j->a, w->headers[i].name), spoil ? wrong_signature(j->a, value) : value };
    }
    j->copies = hook.duplicate ? 2 : 1;
    *j->lane->last = j;
    j->lane->last = &j->next;
    ws->open++;
    if (hook.reorder) {
        j->held = true;
        loop_timer_start(env->loop, &j->hold, REORDER_HOLD_MS, release, j);
    }
    lane_advance(j->lane);
}

slice webhooks_show(const struct webhooks *ws, struct arena *a)
{
    struct jw w = jw_new(a, 128 << 10);
    jw_open(&w, NULL, '{');
    jw_int(&w, "sent", ws->sent);
    jw_int(&w, "open", ws->open);
    jw_int(&w, "ok", ws->ok);
    jw_int(&w, "failed", ws->failed);
    jw_int(&w, "timed_out", ws->timed_out);
    jw_open(&w, "results", '[');
    size_t n = MIN(ws->n_kept, (size_t)WEBHOOKS_KEPT);
    for (size_t i = 0; i < n; i++) {
        const struct kept *k = &ws->kept[(ws->n_kept - 1 - i) % WEBHOOKS_KEPT];
        jw_open(&w, NULL, '{');
        jw_time(&w, "at", k->at_ms);
        jw_str(&w, "url", slice_of(k->url));
        jw_int(&w, "status", k->status);
        jw_int(&w, "took_ms", k->took_ms);
        jw_int(&w, "attempt", k->attempt);
        jw_opt(&w, "error", slice_of(k->error));
        jw_close(&w, '}');
    }
    jw_close(&w, ']');
    jw_close(&w, '}');
    return jw_done(&w);
}

slice webhook_put(struct arena *a, slice json, const char *path, slice text)
{
    slice old = js_raw(json, path);
    if (!old.p)
        return json;
    struct jw w = jw_new(a, json.n + text.n * 6 + 16);
    jw_str(&w, NULL, text);
    slice before = { json.p, (size_t)(old.p - json.p) }, behind = slice_from(json, before.n + old.n);
    return arena_printf(a, SLF SLF SLF, SLA(before), SLA(jw_done(&w)), SLA(behind));
}
