/* Webhooks at a door: verified, understood, published. */
#include "hub/accept.h"
#include "hub/inbox.h"
#include "hub/keys.h"
#include "hub/parcel.h"
#include "hub/verify.h"
#include "hub/work.h"
#include "main/door-private.h"
#include "main/replica.h"
#include "store/store.h"

struct doorway { /* a connector's hook */
    struct door *door;
    const struct connector *type;
};
struct knock { /* one request at it */
    struct door *door;
    const struct connector *type;
    struct exchange *x;
    struct request rq;
    struct response answer; /* once it is known to be plain */
    uint64_t shards;        /* a bit for each that has a conversation of it */
    slice of_messages;      /* parcel.h: the shard of each message; absent: they are all of one */
    unsigned confirming;
    struct fault unpublished; /* code NULL: all so far are */
};

static void knock_over(struct knock *k)
{
    k->door->open--;
    door_hand_over(k->door, k->x);
}

static void tell_unpublished(struct door *d, const struct fault *f)
{
    d->unpublished++;
    if (!door_tells(&d->unpublished_ms))
        return;
    struct log_line *l = log_begin_fault(&d->log, LEVEL_ERROR, f, "Webhooks not published");
    log_int(l, "webhooks", d->unpublished);
    log_end(l);
    d->unpublished = 0;
}

static void confirmed(void *arg, const struct fault *f)
{
    struct knock *k = arg;
    struct door *d = k->door;
    if (f)
        k->unpublished = *f;
    if (--k->confirming)
        return;
    d->open--;
    if (!k->unpublished.code) {
        METRIC_ADD(d->hub.metrics, METRIC_WEBHOOKS, 1, slice_of(k->type->name), SL("published"));
        exchange_answer(k->x, &k->answer);
        return;
    }
    METRIC_ADD(d->hub.metrics, METRIC_WEBHOOKS, 1, slice_of(k->type->name), SL("failed"));
    tell_unpublished(d, &k->unpublished);
    struct fault told;
    fault(&told, "not_stored", "", "the message could not be stored; send it again");
    exchange_fault(k->x, 503, &told);
}

/* What an account learned, the worker knows and the store keeps. Until it is read here, its requests are the worker's to decide. */
struct lesson {
    struct door *door;
    struct actor *actor;
};

static void learned(void *arg, slice value, const struct fault *f)
{
    struct lesson *lesson = arg;
    if (!f && value.p)
        actor_remember(lesson->actor, value);
    lesson->actor->learning = false;
    lesson->door->open--;
    free(lesson);
}

static void learn(struct door *d, struct actor *actor)
{
    if (actor->learning)
        return;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct lesson *lesson = must_calloc(1, sizeof(*lesson));
    *lesson = (struct lesson){ d, actor };
    actor->learning = true;
    d->open++; /* its era stays */
    store_get(d->hub.store, actor_memory_key(a, actor), learned, lesson);
}

/* A copy: the account whose words they may be can be another one by the time of the answer. */
static struct response answer_of(struct arena *a, const struct inbox *in)
{
    struct response r = inbox_response(in);
    struct header *headers = ARENA_ARRAY(a, struct header, r.n_headers + 1);
    for (size_t i = 0; i < r.n_headers; i++)
        headers[i] = (struct header){ arena_dup(a, r.headers[i].name), arena_dup(a, r.headers[i].value) };
    r.headers = headers;
    r.type = arena_dup(a, r.type);
    r.body = arena_dup(a, r.body);
    return r;
}

struct plainly {
    struct call c;
    bool *asks;
};

/* Canned responses are the worker's. */
static slice response_elsewhere(const struct call *c, slice name)
{
    (void)name;
    *((const struct plainly *)(const void *)c)->asks = true;
    return SLICE_NONE;
}

static void find_shards(struct knock *k, const struct actor *actor, const struct inbox *in)
{
    enum { EACH = sizeof("63,") - 1 };
    unsigned n = broker_shards(k->door->broker);
    static const struct message nobody;
    char *list = arena_alloc(k->x->a, in->n * EACH + 1);
    size_t at = 0;
    k->shards = in->n ? 0 : UINT64_C(1) << parcel_shard(&actor->account, &nobody, n);
    for (const struct inbox_item *it = in->first; it; it = it->next) {
        unsigned shard = parcel_shard(&actor->account, &it->m, n);
        k->shards |= UINT64_C(1) << shard;
        at += (size_t)snprintf(list + at, EACH + 1, it->next ? "%u," : "%u", shard);
    }
    if (k->shards & (k->shards - 1))
        k->of_messages = slice_mem(list, at);
}

/* Understood, and answered with what it says itself? What connectors remember is the worker's: calls and tokens are no matter of a door's. */
static bool is_plain(struct knock *k, struct actor *actor)
{
    struct fault f = { 0 };
    bool asks = false;
    struct plainly p = { .asks = &asks };
    actor_call(actor, &p.c, k->x->a, NULL, &f);
    p.c.memory = memory_new();
    p.c.response = response_elsewhere;
    struct inbox in;
    inbox_init(&in, k->x->a);
    bool plain = k->type->receive(&p.c, &k->rq, &in) && in.n <= INBOX_MESSAGES_MAX && !in.ask && !asks && accept_fits(k->x->a, &in, k->rq.body.n, &f);
    if (plain) {
        k->answer = answer_of(k->x->a, &in);
        find_shards(k, actor, &in);
    }
    memory_free(p.c.memory);
    return plain;
}

/* One parcel for each shard. All of them, or the sender is told to send it again: what came through is known by its keys. */
static void publish(struct knock *k, const struct actor *actor)
{
    struct door *d = k->door;
    struct parcel p = { .account = actor->account.id, .trace_id = k->x->trace_id, .at_ms = time_now_ms(), .rq = k->rq, .shards = k->of_messages };
    slice bytes[PARCEL_SHARDS_MAX];
    unsigned to[PARCEL_SHARDS_MAX], n = 0;
    for (unsigned i = 0; i < broker_shards(d->broker); i++) {
        if (!(k->shards & UINT64_C(1) << i))
            continue;
        p.shard = to[n] = i;
        bytes[n] = parcel_print(k->x->a, &p);
        if (!bytes[n].n || bytes[n].n > BROKER_BODY_MAX) {
            knock_over(k);
            return;
        }
        n++;
    }
    k->confirming = n;
    for (unsigned i = 0; i < n; i++) /* k is gone behind the last one that fails at once */
        broker_publish(d->broker, to[i], bytes[i], confirmed, k);
}

static void verify(void *arg, const struct fault *no_keys)
{
    struct knock *k = arg;
    struct door *d = k->door;
    struct actor *actor = NULL;
    struct fault f = { 0 };
    if (no_keys || find_verified(&d->hub, k->type, k->x->a, &k->rq, &actor, &f) != FOUND || !is_plain(k, actor)) {
        knock_over(k);
        return;
    }
    if (!knows_its_key(k->type, k->x->a, &k->rq, actor)) {
        learn(d, actor);
        knock_over(k);
        return;
    }
    publish(k, actor);
}

static void on_hook(struct exchange *x, void *ctx)
{
    struct doorway *way = ctx;
    struct door *d = way->door;
    const struct connector *type = way->type;
    struct request rq = { .method = x->method, .path = x->rest, .query = x->query, .body = x->body, .headers = x->headers, .n_headers = x->n_headers };
    if (type->probe && type->probe(x->a, &rq)) {
        exchange_answer(x, &(struct response){ .status = 200 });
        return;
    }
    if (x->forwarded) { /* another door wants the worker's word */
        door_hand_over(d, x);
        return;
    }
    struct knock *k = ARENA_NEW(x->a, struct knock);
    *k = (struct knock){ .door = d, .type = type, .x = x, .rq = rq };
    d->open++;
    if (type->hook.how == VERIFY_JWT)
        keys_prepare(&d->hub, type, x->a, &k->rq, verify, k);
    else
        verify(k, NULL);
}

void door_hooks(struct door *d)
{
    for (size_t i = 0; i < n_connectors; i++) {
        if (!parcel_carries(connectors[i]) || !service_wanted(d->config, slice_of(connectors[i]->name)))
            continue;
        struct doorway *way = ARENA_NEW(d->a, struct doorway);
        *way = (struct doorway){ d, connectors[i] };
        const char *path = connectors[i]->hook.path;
        server_route(d->server, "*", path, connectors[i]->hook.body_max, on_hook, way);
        server_route(d->server, "*", arena_printf(d->a, "%s/*", path).p, connectors[i]->hook.body_max, on_hook, way);
    }
}

