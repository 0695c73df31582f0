#include "api/health.h"
#include "api/call.h"
#include "api/told.h"
#include "base/pages.h"
#include "store/store.h"

enum { CONNECTORS_MAX = 64 };

struct sample {
    int64_t at_ms, counts[J_STATES], rss_bytes;
};
struct health {
    struct api *api;
    struct sample *samples;
    size_t n, next;
    struct loop_timer timer;
    struct times { /* of one connector's webhooks, µs; NULL: it had none */
        uint32_t *us;
        size_t n, next;
        int64_t all;
    } times[CONNECTORS_MAX];
    int64_t started_ms;
};

/* ---- gathering ------------------------------------------------------------------------------------------------------- */

static void take_sample(void *arg)
{
    struct health *he = arg;
    struct sample *s = &he->samples[he->next];
    s->at_ms = time_now_ms();
    journal_counts(he->api->hub->journal, s->counts);
    s->rss_bytes = pages_resident();
    he->next = (he->next + 1) % HEALTH_SAMPLES;
    he->n = MIN(he->n + 1, (size_t)HEALTH_SAMPLES);
    loop_timer_start(he->api->hub->loop, &he->timer, HEALTH_EVERY_MS, take_sample, he);
}

void api_observe(struct api *api, const struct exchange *x, int64_t took_us)
{
    struct health *he = api->health;
    for (size_t i = 0; i < MIN(n_connectors, (size_t)CONNECTORS_MAX); i++) {
        slice hook = slice_of(connectors[i]->hook.path);
        if (!hook.n || !slice_starts(x->path, hook) || (x->path.n > hook.n && x->path.p[hook.n] != '/'))
            continue;
        struct times *t = &he->times[i];
        if (!t->us)
            t->us = must_calloc(WEBHOOK_TIMES, sizeof(t->us[0]));
        t->us[t->next] = (uint32_t)MIN(took_us, (int64_t)UINT32_MAX);
        t->next = (t->next + 1) % WEBHOOK_TIMES;
        t->n = MIN(t->n + 1, (size_t)WEBHOOK_TIMES);
        t->all++;
        return;
    }
}

struct health *health_new(struct api *api)
{
    struct health *he = must_calloc(1, sizeof(*he));
    he->api = api;
    he->samples = must_calloc(HEALTH_SAMPLES, sizeof(*he->samples));
    he->started_ms = time_now_ms();
    take_sample(he);
    return he;
}

void health_stop(struct health *he)
{
    if (he)
        loop_timer_done(&he->timer);
}

void health_free(struct health *he)
{
    if (!he)
        return;
    for (size_t i = 0; i < CONNECTORS_MAX; i++)
        free(he->times[i].us);
    free(he->samples);
    free(he);
}

/* ---- telling --------------------------------------------------------------------------------------------------------- */

static int by_time(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static void write_times(struct arena *a, struct jw *w, const struct times *t, const struct connector *type)
{
    uint32_t *sorted = ARENA_ARRAY(a, uint32_t, t->n + 1);
    memcpy(sorted, t->us, t->n * sizeof(sorted[0]));
    qsort(sorted, t->n, sizeof(sorted[0]), by_time);
    jw_open(w, NULL, '{');
    jw_str(w, "connector", slice_of(type->name));
    jw_str(w, "title", slice_of(type->title));
    jw_int(w, "webhooks", t->all);
    jw_double(w, "p50_ms", (double)sorted[t->n / 2] / 1000);
    jw_double(w, "p99_ms", (double)sorted[(t->n * 99) / 100 < t->n ? (t->n * 99) / 100 : t->n - 1] / 1000);
    if (type->hook.deadline_ms)
        jw_int(w, "deadline_ms", type->hook.deadline_ms);
    else
        jw_null(w, "deadline_ms");
    jw_close(w, '}');
}

/* What is counted up becomes what was added since the sample before. */
static void write_series(struct jw *w, const struct health *he)
{
    jw_open(w, "series", '{');
    jw_int(w, "every_seconds", HEALTH_EVERY_MS / 1000);
    jw_open(w, "samples", '[');
    const struct sample *before = NULL;
    for (size_t i = 0; i < he->n; i++) {
        const struct sample *s = &he->samples[(he->next + HEALTH_SAMPLES - he->n + i) % HEALTH_SAMPLES];
        int64_t accepted = 0, accepted_before = 0;
        for (size_t k = 0; k < J_STATES; k++) {
            accepted += s->counts[k];
            accepted_before += before ? before->counts[k] : 0;
        }
        jw_open(w, NULL, '{');
        jw_time(w, "at", s->at_ms);
        jw_int(w, "accepted", before ? accepted - accepted_before : 0);
        jw_int(w, "delivered", before ? MAX(s->counts[J_DELIVERED] - before->counts[J_DELIVERED], 0) : 0);
        jw_int(w, "waiting", s->counts[J_WAITING] + s->counts[J_PARKED]);
        jw_int(w, "dead", s->counts[J_DEAD] + s->counts[J_UNKNOWN]);
        jw_int(w, "rss_bytes", s->rss_bytes);
        jw_close(w, '}');
        before = s;
    }
    jw_close(w, ']');
    jw_close(w, '}');
}

struct telling {
    struct api_call *c;
    struct jw w;
    int64_t oldest_ms;
};

static void queue_line(void *arg, slice target, int64_t n, int64_t oldest_ms)
{
    struct telling *te = arg;
    te->oldest_ms = te->oldest_ms ? MIN(te->oldest_ms, oldest_ms) : oldest_ms;
    jw_open(&te->w, NULL, '{');
    jw_str(&te->w, "account", target);
    jw_int(&te->w, "waiting", n);
    jw_time(&te->w, "oldest", oldest_ms);
    jw_close(&te->w, '}');
}

static void told(void *arg, const struct fault *f)
{
    struct telling *te = arg;
    struct api_call *c = te->c;
    (void)f; /* without a history there are no queues to tell of */
    jw_close(&te->w, ']');
    if (te->oldest_ms)
        jw_time(&te->w, "oldest_waiting", te->oldest_ms);
    else
        jw_null(&te->w, "oldest_waiting");
    api_answer(c, &te->w);
}

void api_health(struct api_call *c)
{
    const struct health *he = c->api->health;
    struct hub *h = c->hub;
    int64_t n[J_STATES];
    journal_counts(h->journal, n);
    struct store_numbers sn = store_numbers(h->store);
    struct telling *te = ARENA_NEW(c->a, struct telling);
    *te = (struct telling){ .c = c, .w = api_json(c) };
    struct jw *w = &te->w;
    jw_bool(w, "healthy", journal_healthy(h->journal));
    if (!journal_healthy(h->journal))
        jw_str(w, "why", slice_of(journal_last_fault(h->journal)->text));
    jw_str(w, "version", SL(DRAGOMAN_VERSION));
    jw_time(w, "started", he->started_ms);
    jw_open(w, "journal", '{');
    for (size_t i = 0; i < J_STATES; i++)
        jw_int(w, jstate_names[i], n[i]);
    jw_close(w, '}');
    jw_int(w, "store_queue", (int64_t)sn.queue);
    jw_int(w, "in_flight", h->in_flight);
    jw_int(w, "rss_bytes", pages_resident());
    jw_open(w, "webhooks", '[');
    for (size_t i = 0; i < MIN(n_connectors, (size_t)CONNECTORS_MAX); i++)
        if (he->times[i].n)
            write_times(c->a, w, &he->times[i], connectors[i]);
    jw_close(w, ']');
    write_series(w, he);
    jw_open(w, "queues", '[');
    history_waiting(h->history, queue_line, told, te);
}
