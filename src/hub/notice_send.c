#include "hub/notice_send.h"
#include "net/client.h"

enum {
    BACKOFF_MS = 1000,
    BACKOFF_MOST_MS = 60000,
    WAIT_MOST_MS = 3600000, /* of what a destination may ask for */
    SHOWN_CHARS = 300,      /* of the answer to a test */
};

struct target;
enum how { HOW_QUEUED, HOW_FAREWELL, HOW_TEST };
struct sending { /* one call */
    struct sending *next, *prev; /* of the sender's */
    struct sender *s;
    struct target *to;
    struct told *told;
    enum how how;
    struct arena *a;
    struct client_call call;
    struct header headers[CALL_HEADERS_MAX + 1];
    void (*tested)(void *arg, const struct notice_tested *t);
    void *arg;
};
struct target {
    struct sender *s;
    struct arena *a; /* of its configuration */
    struct notice_target conf;
    struct told *queue[NOTICE_QUEUE_MAX];
    size_t first, n;
    bool busy; /* the first of the queue is under way */
    unsigned attempts, refusals;
    struct bucket bucket;
    int64_t not_before_ms;
    struct loop_timer timer;
    bool disabled, drop_logged;
    struct fault fault;
    int64_t last_ms;
    uint64_t sent, refused, dropped;
};
struct sender {
    struct hub *h;
    struct target *targets[NOTICE_TARGETS_MAX];
    size_t n;
    struct sending *open;
};

static void pump(struct target *t);

/* ---- notices ------------------------------------------------------------------------------------------------------------ */

#define TEXT(member) offsetof(struct notice, member)
static const size_t texts[] = { TEXT(kind),      TEXT(head),    TEXT(verb),    TEXT(service), TEXT(version), TEXT(instance), TEXT(environment), TEXT(tenant),
                                TEXT(tenant_id), TEXT(account), TEXT(network), TEXT(party),   TEXT(reason),  TEXT(detail),   TEXT(key) };

static slice *text_at(struct notice *n, size_t i)
{
    return (slice *)(void *)((char *)n + texts[i]);
}

struct told *told_new(const struct notice *from)
{
    struct notice n = *from;
    size_t bytes = 0;
    for (size_t i = 0; i < COUNT(texts); i++) {
        slice *s = text_at(&n, i);
        *s = utf8_cut_bytes(*s, NOTICE_TEXT_MAX);
        bytes += s->n;
    }
    struct told *t = must_malloc(sizeof(*t) + bytes);
    char *p = t->bytes;
    for (size_t i = 0; i < COUNT(texts); i++) {
        slice *s = text_at(&n, i);
        if (!s->n)
            continue;
        memcpy(p, s->p, s->n);
        s->p = p;
        p += s->n;
    }
    t->refs = 1;
    t->n = n;
    return t;
}

struct told *told_hold(struct told *t)
{
    t->refs++;
    return t;
}

void told_release(struct told *t)
{
    if (t && --t->refs == 0)
        free(t);
}

/* ---- counting --------------------------------------------------------------------------------------------------------------- */

static void count(struct target *t, const char *result)
{
    METRIC_ADD(t->s->h->metrics, METRIC_NOTICES, 1, slice_of(t->conf.type->name), slice_of(result));
}

static void note(struct target *t, enum level level, const char *what, const struct notice *n)
{
    struct log_line *l = log_begin(t->s->h->log, level, "%s", what);
    log_str(l, "notifier", t->conf.name);
    log_str(l, "type", slice_of(t->conf.type->name));
    if (n)
        log_str(l, "notice", n->kind);
    if (t->fault.code)
        log_str(l, "why", slice_of(t->fault.text));
    log_end(l);
}

/* ---- the queue --------------------------------------------------------------------------------------------------------------- */

static struct told **at(struct target *t, size_t i)
{
    return &t->queue[(t->first + i) % NOTICE_QUEUE_MAX];
}

static void pop(struct target *t)
{
    told_release(*at(t, 0));
    t->first = (t->first + 1) % NOTICE_QUEUE_MAX;
    t->n--;
    t->attempts = 0;
}

static void dropped(struct target *t)
{
    t->dropped++;
    count(t, "dropped");
}

/* Makes room: the oldest that is not under way. */
static void push_out(struct target *t)
{
    if (!t->busy) {
        pop(t);
    } else {
        told_release(*at(t, 1));
        *at(t, 1) = *at(t, 0);
        t->first = (t->first + 1) % NOTICE_QUEUE_MAX;
        t->n--;
    }
    dropped(t);
    if (!t->drop_logged)
        note(t, LEVEL_WARN, "Notifications are dropped: their queue is full", NULL);
    t->drop_logged = true;
}

static void enqueue(struct target *t, struct told *told)
{
    if (t->disabled) {
        dropped(t);
        return;
    }
    if (t->n == NOTICE_QUEUE_MAX)
        push_out(t);
    *at(t, t->n) = told_hold(told);
    t->n++;
    pump(t);
}

static void queue_clear(struct target *t)
{
    while (t->n) {
        pop(t);
        dropped(t);
    }
}

/* ---- one call ------------------------------------------------------------------------------------------------------------------ */

static void sending_free(struct sending *g)
{
    *(g->prev ? &g->prev->next : &g->s->open) = g->next;
    if (g->next)
        g->next->prev = g->prev;
    told_release(g->told);
    arena_free(g->a);
}

static void disable(struct target *t, const struct notice *n)
{
    t->disabled = true;
    note(t, LEVEL_ERROR, "Notifications to this destination are given up until it is configured anew or a test succeeds", n);
    queue_clear(t);
}

static void taken(struct target *t)
{
    t->fault.code = NULL;
    t->fault.text[0] = 0;
    t->refusals = 0;
    t->disabled = t->drop_logged = false;
    t->last_ms = time_now_ms();
    t->sent++;
    count(t, "sent");
}

static void refused(struct target *t, const struct notice *n, bool gone)
{
    t->refused++;
    count(t, "refused");
    note(t, LEVEL_WARN, "Notification refused", n);
    if (gone || ++t->refusals >= NOTICE_REFUSALS_MAX)
        disable(t, n);
}

/* What was at the head of the queue ended like this. */
static void ended(struct target *t, const struct notice_verdict *v)
{
    struct told *told = told_hold(*at(t, 0));
    int64_t now_ms = time_mono_ms();
    t->busy = false;
    switch (v->end) {
    case NOTICE_TAKEN:
        pop(t);
        taken(t);
        t->not_before_ms = now_ms + MIN(v->wait_ms, (int64_t)WAIT_MOST_MS);
        break;
    case NOTICE_REFUSED:
        pop(t);
        refused(t, &told->n, v->gone);
        break;
    case NOTICE_AGAIN:
        t->not_before_ms = now_ms + MIN(MAX(v->wait_ms, MIN((int64_t)BACKOFF_MS << t->attempts, (int64_t)BACKOFF_MOST_MS)), (int64_t)WAIT_MOST_MS);
        if (++t->attempts < NOTICE_ATTEMPTS) {
            count(t, "retried");
            break;
        }
        note(t, LEVEL_WARN, "Notification dropped: its destination did not take it", &told->n);
        pop(t);
        dropped(t);
        break;
    }
    told_release(told);
}

static void answered(void *arg, const struct answer *r)
{
    struct sending *g = arg;
    struct target *t = g->to;
    struct hub *h = g->s->h;
    struct fault f = { 0 };
    struct notice_verdict v = { 0 };
    struct notice_call c = { g->a, t->conf.settings, h->public_url, &f };
    t->conf.type->judge(&c, r, &v);
    if (v.end != NOTICE_TAKEN)
        t->fault = f;
    if (g->how == HOW_QUEUED) {
        ended(t, &v);
    } else if (v.end == NOTICE_TAKEN) {
        taken(t);
    } else {
        count(t, "refused");
        t->refused++;
    }
    if (g->how == HOW_TEST)
        g->tested(g->arg, &(struct notice_tested){ r->status, r->took_us, utf8_cut(utf8_repair(g->a, r->body), SHOWN_CHARS), v.end == NOTICE_TAKEN ? "" : f.text });
    sending_free(g);
    if (!h->stopped)
        pump(t);
}

/* False: this notifier has no word for it, or it could not be made. */
static bool send(struct target *t, struct told *told, enum how how, void (*tested)(void *, const struct notice_tested *), void *arg)
{
    struct sender *s = t->s;
    struct arena *a = arena_new();
    struct http_call made = { 0 };
    struct notice_call c = { a, t->conf.settings, s->h->public_url, &t->fault };
    if (!t->conf.type->build(&c, &told->n, &made) || !made.body.p) {
        arena_free(a);
        return false;
    }
    struct sending *g = ARENA_NEW(a, struct sending);
    *g = (struct sending){ .s = s, .to = t, .told = told_hold(told), .how = how, .a = a, .tested = tested, .arg = arg, .next = s->open };
    if (g->next)
        g->next->prev = g;
    s->open = g;
    size_t n = 0;
    g->headers[n++] = (struct header){ SL("Content-Type"), made.type };
    for (size_t i = 0; i < made.n_headers; i++)
        g->headers[n++] = made.headers[i];
    g->call = (struct client_call){
        .a = a,
        .method = made.method,
        .url = made.url,
        .headers = g->headers,
        .n_headers = n,
        .body = made.body,
        .connect_ms = how == HOW_FAREWELL ? NOTICE_STOP_MS : NOTICE_CONNECT_MS,
        .total_ms = how == HOW_FAREWELL ? NOTICE_STOP_MS : NOTICE_TOTAL_MS,
        .done = answered,
        .arg = g,
    };
    client_send(s->h->client, &g->call);
    return true;
}

static void woken(void *arg)
{
    pump(arg);
}

static void pump(struct target *t)
{
    struct hub *h = t->s->h;
    while (t->n && !t->busy && !t->disabled && !h->stopped) {
        int64_t wait_ms = t->not_before_ms - time_mono_ms();
        if (wait_ms <= 0)
            wait_ms = bucket_take(&t->bucket, time_mono_us());
        if (wait_ms > 0) {
            loop_timer_start(h->loop, &t->timer, wait_ms, woken, t);
            return;
        }
        t->busy = send(t, *at(t, 0), HOW_QUEUED, NULL, NULL);
        if (!t->busy)
            pop(t);
    }
}

/* ---- to whom ------------------------------------------------------------------------------------------------------------------- */

static enum notice_topic topic_of(const struct sender *s, const struct notice *n)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->targets[i]->conf.topics[n->topic] && !s->targets[i]->disabled)
            return n->topic;
    return NOTICE_DEFAULT;
}

void sender_tell(struct sender *s, struct told *told, bool quietly)
{
    enum notice_topic topic = topic_of(s, &told->n);
    for (size_t i = 0; i < s->n; i++)
        if (s->targets[i]->conf.topics[topic] && (!quietly || s->targets[i]->conf.type->resolves))
            enqueue(s->targets[i], told);
}

void sender_farewell(struct sender *s, struct told *told)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->targets[i]->conf.topics[told->n.topic] && !s->targets[i]->disabled)
            (void)send(s->targets[i], told, HOW_FAREWELL, NULL, NULL);
}

bool sender_idle(const struct sender *s)
{
    return !s->open;
}

bool sender_any(const struct sender *s)
{
    return s->n > 0;
}

bool sender_test(struct sender *s, slice name, struct told *told, void (*done)(void *arg, const struct notice_tested *t), void *arg)
{
    for (size_t i = 0; i < s->n; i++) {
        struct target *t = s->targets[i];
        if (slice_eq(t->conf.name, name) && !s->h->stopped)
            return send(t, told, HOW_TEST, done, arg);
    }
    return false;
}

void sender_each(const struct sender *s, void (*each)(void *arg, const struct notice_standing *st), void *arg)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct target *t = s->targets[i];
        struct notice_standing st = { .name = t->conf.name, .type = t->conf.type, .topics = t->conf.topics, .why = t->fault.text,
                                      .state = t->disabled ? "disabled" : t->n ? "waiting" : "ready", .last_ms = t->last_ms, .queued = t->n,
                                      .sent = t->sent, .refused = t->refused, .dropped = t->dropped };
        for (size_t k = 0; k < t->conf.type->n_settings; k++) {
            slice v = t->conf.type->settings[k].secret ? t->conf.settings[k] : SLICE_NONE;
            if (v.n >= 4 * sizeof(st.tail)) /* of a short one even that would be too much */
                snprintf(st.tail, sizeof(st.tail), SLF, SLA(slice_from(v, v.n - 4)));
        }
        each(arg, &st);
    }
}

/* ---- configuration ---------------------------------------------------------------------------------------------------------------- */

static bool same(const struct notice_target *a, const struct notice_target *b)
{
    if (a->type != b->type || !slice_eq(a->name, b->name))
        return false;
    for (size_t i = 0; i < a->type->n_settings; i++)
        if (!slice_eq(a->settings[i], b->settings[i]))
            return false;
    return true;
}

static struct target *target_new(struct sender *s, const struct notice_target *conf)
{
    struct target *t = must_calloc(1, sizeof(*t));
    t->s = s;
    t->a = arena_new();
    t->conf = *conf;
    t->conf.name = arena_dup(t->a, conf->name);
    slice *values = ARENA_ARRAY(t->a, slice, MAX(conf->type->n_settings, (size_t)1));
    for (size_t i = 0; i < conf->type->n_settings; i++)
        values[i] = arena_dup(t->a, conf->settings[i]);
    t->conf.settings = values;
    if (conf->type->rate.calls)
        bucket_init(&t->bucket, conf->type->rate.calls, conf->type->rate.per_ms);
    return t;
}

static void target_free(struct target *t)
{
    for (struct sending *g = t->s->open, *next; g; g = next) {
        next = g->next;
        if (g->to != t)
            continue;
        client_cancel(&g->call);
        if (g->how == HOW_TEST)
            g->tested(g->arg, &(struct notice_tested){ .why = "the destination was configured anew" });
        sending_free(g);
    }
    t->busy = false;
    if (t->n)
        note(t, LEVEL_WARN, "Notifications are not sent any more", &(*at(t, 0))->n);
    queue_clear(t);
    loop_timer_done(&t->timer);
    arena_free(t->a);
    free(t);
}

void sender_configure(struct sender *s, const struct notice_target *targets, size_t n)
{
    struct target *old[NOTICE_TARGETS_MAX];
    size_t n_old = s->n;
    assert(n <= NOTICE_TARGETS_MAX);
    memcpy(old, s->targets, sizeof(old));
    s->n = 0;
    for (size_t i = 0; i < n; i++) {
        struct target *t = NULL;
        for (size_t k = 0; k < n_old && !t; k++)
            if (old[k] && same(&old[k]->conf, &targets[i]))
                t = TAKE(old[k]);
        if (!t)
            t = target_new(s, &targets[i]);
        memcpy(t->conf.topics, targets[i].topics, sizeof(t->conf.topics));
        s->targets[s->n++] = t;
    }
    for (size_t k = 0; k < n_old; k++)
        if (old[k])
            target_free(old[k]);
}

struct sender *sender_new(struct hub *h)
{
    struct sender *s = must_calloc(1, sizeof(*s));
    s->h = h;
    return s;
}

void sender_free(struct sender *s)
{
    sender_configure(s, NULL, 0);
    free(s);
}
