#include "broker/broker-private.h"

enum { WAITING_MAX = 4096, CONFIRM_MS = 2000, SWEEP_MS = 250 };

static char *copy_of(slice s)
{
    char *p = must_calloc(1, s.n + 1);
    if (s.n)
        memcpy(p, s.p, s.n);
    return p;
}

struct broker *broker_of(const struct broker_setup *setup, struct fault *f)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct amqp_connection_info info;
    slice copy = arena_dup(a, setup->url);
    char *url;
    memcpy(&url, &copy.p, sizeof(url));
    amqp_default_connection_info(&info);
    if (!setup->url.n || amqp_parse_url(url, &info) != AMQP_STATUS_OK) {
        fault(f, "bad_url", "url", "an address like amqp://user:password@host:5672/vhost is wanted");
        return NULL;
    }
    if (!setup->shards || setup->shards > BROKER_SHARDS_MAX) {
        fault(f, "out_of_range", "shards", "1 to %d shards", BROKER_SHARDS_MAX);
        return NULL;
    }
    struct broker *b = must_calloc(1, sizeof(*b));
    b->setup = *setup;
    b->url = copy_of(setup->url);
    b->name = copy_of(slice_or(setup->name, SL("dragoman")));
    b->mark = copy_of(setup->mark);
    b->ca_file = setup->ca_file ? copy_of(slice_of(setup->ca_file)) : NULL;
    if (!b->setup.max_waiting)
        b->setup.max_waiting = WAITING_MAX;
    if (!b->setup.confirm_ms)
        b->setup.confirm_ms = CONFIRM_MS;
    b->state.why = b->why;
    return b;
}

void broker_free(struct broker *b)
{
    bytes_wipe(b->url, strlen(b->url)); /* a password is in it */
    free(b->url);
    free(b->name);
    free(b->mark);
    free(b->ca_file);
    free(b);
}

struct broker *broker_open(struct loop *loop, const struct broker_setup *setup, struct fault *f)
{
    struct broker *b = broker_of(setup, f);
    if (!b)
        return NULL;
    b->loop = loop;
    line_start(&b->publisher, b, &publisher_role);
    return b;
}

unsigned broker_shards(const struct broker *b)
{
    return b->setup.shards;
}

/* ---- publishing ---------------------------------------------------------------------------------------------------------------- */

static void request_free(struct broker *b, struct request *r)
{
    *(r->prev ? &r->prev->next : &b->first) = r->next;
    *(r->next ? &r->next->prev : &b->last) = r->prev;
    b->state.waiting--;
    free(r);
}

static void request_end(struct broker *b, struct request *r, const struct fault *f)
{
    broker_confirmed done = r->done;
    void *arg = r->arg;
    request_free(b, r);
    if (done)
        done(arg, f);
}

static void sweep(void *arg)
{
    struct broker *b = arg;
    struct fault f = { 0 };
    fault(&f, "broker_slow", "", "the broker has not said within %lld ms that it keeps the message", (long long)b->setup.confirm_ms);
    int64_t now_ms = time_mono_ms();
    while (b->first && b->first->until_ms <= now_ms)
        request_end(b, b->first, &f);
    if (b->first)
        loop_timer_start(b->loop, &b->sweep, SWEEP_MS, sweep, b);
}

static void fail_all(struct broker *b, const char *why)
{
    struct fault f = { 0 };
    fault(&f, "broker_lost", "", "the broker is not reached: %s", why);
    for (uint64_t upto = b->next_number; b->first && b->first->number <= upto;)
        request_end(b, b->first, &f);
}

static void send_confirmed(struct broker *b, enum order_kind kind, unsigned shard, slice why, slice body, broker_confirmed done, void *arg)
{
    assert(shard < b->setup.shards);
    struct fault f = { 0 };
    if (!b->state.publishing)
        fault(&f, "broker_lost", "", "the broker is not reached: %s", b->why);
    else if (b->state.blocked)
        fault(&f, "broker_blocked", "", "the broker takes nothing now: %s", b->why);
    else if (b->state.waiting >= b->setup.max_waiting)
        fault(&f, "broker_busy", "", "%zu messages wait for the broker to confirm them", b->state.waiting);
    else if (body.n > BROKER_BODY_MAX)
        fault(&f, "too_large", "", "more than %d bytes", BROKER_BODY_MAX);
    if (f.code) {
        done(arg, &f);
        return;
    }
    struct request *r = must_calloc(1, sizeof(*r));
    *r = (struct request){ .prev = b->last, .number = ++b->next_number, .until_ms = time_mono_ms() + b->setup.confirm_ms, .done = done, .arg = arg };
    *(b->last ? &b->last->next : &b->first) = r;
    b->last = r;
    b->state.waiting++;
    if (!b->sweep.active)
        loop_timer_start(b->loop, &b->sweep, MIN(b->setup.confirm_ms, (int64_t)SWEEP_MS), sweep, b);
    struct order *o = order_new(kind, why, body);
    o->shard = shard;
    o->number = r->number;
    line_order(&b->publisher, o);
}

void broker_publish(struct broker *b, unsigned shard, slice body, broker_confirmed done, void *arg)
{
    send_confirmed(b, ORDER_PUBLISH, shard, SLICE_NONE, body, done, arg);
}

void broker_bury(struct broker *b, unsigned shard, slice body, slice why, broker_confirmed done, void *arg)
{
    send_confirmed(b, ORDER_BURY, shard, utf8_cut_bytes(why, BROKER_WHY_MAX), body, done, arg);
}

void broker_tell(struct broker *b, slice key, slice body)
{
    if (b->state.publishing && !b->state.blocked)
        line_order(&b->publisher, order_new(ORDER_TELL, key, body));
}

static void confirmed(struct broker *b, const struct news *n)
{
    struct request *r = b->first; /* confirms come in about the order of the requests */
    while (r && r->number != n->number)
        r = r->next;
    if (!r)
        return; /* too late: it was given up */
    struct fault f = { 0 };
    if (!n->ok)
        fault(&f, "broker_refused", "", "the broker could not keep the message");
    b->state.published += n->ok;
    request_end(b, r, n->ok ? NULL : &f);
}

/* ---- consuming ------------------------------------------------------------------------------------------------------------------ */

void broker_consume(struct broker *b, const struct broker_consumer *to)
{
    assert(!b->consumes);
    b->to = *to;
    b->consumes = true;
    line_start(&b->consumer, b, &consumer_role);
}

enum { LIFE_SHIFT = 40 }; /* a tag of ours: the life of the connection above, the broker's tag below */

void broker_ack(struct broker *b, uint64_t tag)
{
    if (!b->consumes)
        return;
    struct order *o = order_new(ORDER_ACK, SLICE_NONE, SLICE_NONE);
    o->life = (uint32_t)(tag >> LIFE_SHIFT);
    o->number = tag & ((UINT64_C(1) << LIFE_SHIFT) - 1);
    line_order(&b->consumer, o);
}

static void lose_all(struct broker *b)
{
    for (unsigned i = 0; i < b->setup.shards; i++) {
        if (!b->held[i])
            continue;
        b->held[i] = false;
        b->state.shards--;
        b->to.lost(b->to.ctx, i);
    }
}

void broker_leave(struct broker *b)
{
    if (!b->consumes)
        return;
    line_stop(&b->consumer);
    b->consumes = false;
    b->state.consuming = false;
    lose_all(b);
}

/* ---- news ---------------------------------------------------------------------------------------------------------------------- */

static void up_or_down(struct broker *b, const struct line *l, bool up, slice why)
{
    bool *is = l == &b->publisher ? &b->state.publishing : &b->state.consuming;
    b->state.reconnects += !up && *is;
    *is = up;
    if (!up)
        snprintf(b->why, sizeof(b->why), SLF, SLA(why));
    else if ((!b->consumes || b->state.consuming) && b->state.publishing && !b->state.blocked)
        b->why[0] = 0;
    if (up)
        return;
    if (l == &b->consumer) {
        lose_all(b);
        return;
    }
    b->state.blocked = false;
    fail_all(b, b->why);
}

static void hear(struct broker *b, struct line *l, const struct news *n)
{
    switch (n->kind) {
    case NEWS_UP:
    case NEWS_DOWN: up_or_down(b, l, n->kind == NEWS_UP, slice_mem(n->bytes, n->n)); return;
    case NEWS_BLOCKED:
        b->state.blocked = true;
        snprintf(b->why, sizeof(b->why), "%.*s", (int)n->n, n->bytes);
        return;
    case NEWS_UNBLOCKED:
        b->state.blocked = false;
        b->why[0] = 0;
        return;
    case NEWS_CONFIRMED: confirmed(b, n); return;
    case NEWS_GAINED:
        b->held[n->shard] = true;
        b->state.shards++;
        b->to.gained(b->to.ctx, n->shard);
        return;
    case NEWS_ARRIVED:
        if (!b->held[n->shard])
            return; /* it was left meanwhile; the broker hands it to another */
        b->state.arrived++;
        b->to.arrived(b->to.ctx, n->shard, (uint64_t)n->life << LIFE_SHIFT | n->number, slice_mem(n->bytes, n->n), n->again);
        return;
    }
}

void broker_heard(void *line)
{
    struct line *l = line;
    struct broker *b = l->b;
    pthread_mutex_lock(&l->lock);
    struct news *n = l->news;
    l->news = NULL;
    l->last_news = &l->news;
    l->told = false;
    pthread_mutex_unlock(&l->lock);
    for (struct news *next; n; n = next) {
        next = n->next;
        hear(b, l, n);
        free(n);
    }
}

struct broker_state broker_state(const struct broker *b)
{
    return b->state;
}

void broker_close(struct broker *b)
{
    if (!b)
        return;
    broker_leave(b);
    line_stop(&b->publisher);
    loop_timer_done(&b->sweep);
    while (b->first)
        request_free(b, b->first);
    broker_free(b);
}
