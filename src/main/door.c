#include "main/door.h"
#include "api/api.h"
#include "base/metrics.h"
#include "broker/broker.h"
#include "hub/accept.h"
#include "hub/inbox.h"
#include "hub/keys.h"
#include "hub/parcel.h"
#include "hub/registry.h"
#include "hub/verify.h"
#include "hub/work.h"
#include "main/access_log.h"
#include "main/child.h"
#include "main/net_open.h"
#include "main/pages.h"
#include "net/forward.h"
#include "net/forwarded.h"
#include "store/seal.h"
#include "store/store.h"
#include "wire/js.h"
#include "base/durable.h"
#include <errno.h>
#include <signal.h>

enum {
    LOOK_MS = 1000,               /* between two looks at who is the worker, and whether the tenants changed */
    FORWARD_BODY_MAX = 64 << 20,  /* no route of the worker's takes more; each has its own limit there */
    RETRY_AFTER_S = 1,
};

/* The tenants as they were read together; requests that began with them may outlive them. */
struct era {
    struct era *next;
    struct arena *a;
    struct actor **actors;
    size_t n_actors;
};
struct door {
    struct arena *a;
    const struct options *options;
    const struct config *config;
    struct logger *logger;
    struct log log;
    struct hub hub; /* of it: accounts, keys, client, metrics. No journal, nothing is delivered */
    struct seal *seal;
    struct server *server;
    struct broker *broker;
    struct forward *forward;
    struct child *child; /* NULL: this replica does no worker's work */
    struct era *eras;    /* the first is now's */
    size_t open;         /* requests under way */
    slice url, local;    /* how others reach this replica; its own worker */
    struct arena *seen;  /* worker and tenants live here */
    slice worker, tenants;
    uint8_t forward_key[SEAL_DERIVED_BYTES];
    struct loop_timer look, flush;
    unsigned looking;    /* answers of the store still to come */
    bool draining, server_ended, child_ended;
};
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
};

/* ---- settings ---------------------------------------------------------------------------------------------------------- */

/* By the names of the product whose services this program replaces: configuring is the API's, commands are the worker's. */
static slice service_of(slice word)
{
    return slice_eq(word, SL("config")) ? SL("api") : slice_eq(word, SL("commander")) ? SL("worker") : word;
}

static bool service_known(slice word)
{
    return slice_eq(word, SL("all")) || slice_eq(word, SL("api")) || slice_eq(word, SL("worker")) || connector_find(word);
}

static bool services_known(const struct config *c, struct fault *f)
{
    for (slice rest = config_text(c, CFG_SERVICES), word; rest.n;) {
        word = slice_trim(slice_cut(&rest, ','));
        if (!service_known(service_of(word)))
            return fault(f, "invalid", "services", "services: \"" SLF "\" is none; there are all, api (or config), worker (or commander), and the names of connectors", SLA(utf8_cut(word, 64)));
    }
    return true;
}

bool service_wanted(const struct config *c, slice name)
{
    slice all = config_text(c, CFG_SERVICES);
    for (slice rest = all, word; rest.n;) {
        word = service_of(slice_trim(slice_cut(&rest, ',')));
        if (slice_eq(word, SL("all")) || slice_eq(word, name))
            return true;
    }
    return !all.n;
}

bool replica_settings(const struct config *c, struct fault *f)
{
    if (!services_known(c, f))
        return false;
    slice store = config_text(c, CFG_STORE);
    if (!slice_starts(store, SL("postgresql://")) && !slice_starts(store, SL("postgres://")))
        return fault(f, "missing", "store", "with a broker the store must be one that all replicas reach: store: postgresql://…");
    if (!config_text(c, CFG_SECRET_KEY).n && !config_text(c, CFG_KEY_FILE).n)
        return fault(f, "missing", "secret_key", "all replicas need the same key: give secret_key (DRAGOMAN_SECRET_KEY), or key_file");
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice frames;
    return page_frames(a, config_text(c, CFG_FRAME_ORIGINS), &frames, f); /* what the worker would not start with, its door does not begin with */
}

slice replica_url(struct arena *a, const struct config *c, unsigned port)
{
    slice given = config_text(c, CFG_REPLICA_URL), listen = config_text(c, CFG_LISTEN);
    if (given.n)
        return given;
    size_t colon = slice_find_last(listen, ':');
    return arena_printf(a, "%s://" SLF ":%u", config_text(c, CFG_TLS_CERT).n ? "https" : "http", SLA(slice_sub(listen, 0, colon)), port);
}

/* ---- handing over -------------------------------------------------------------------------------------------------------- */

static void no_worker(struct exchange *x)
{
    struct fault f;
    fault(&f, "no_worker", "", "no worker is there at the moment; ask again");
    exchange_fault(x, 503, &f);
}

/* To the worker: our own where it is ours, another replica's door otherwise; what came from there goes no further than to ours. */
static void hand_over(struct door *d, struct exchange *x)
{
    bool ours = slice_eq(d->worker, d->url), came = x->forwarded;
    if (!d->worker.n || (came && !d->child)) {
        no_worker(x);
        return;
    }
    struct header proof = { SL(FORWARDED_HEADER), forwarded_sign(x->a, slice_mem(d->forward_key, sizeof(d->forward_key)), x->remote, time_now_ms()) };
    forward_exchange(d->forward, x, ours || came ? d->local.p : d->worker.p, &proof, 1);
}

static void on_other(struct exchange *x, void *ctx)
{
    hand_over(ctx, x);
}

/* ---- webhooks ------------------------------------------------------------------------------------------------------------ */

static void knock_over(struct knock *k)
{
    k->door->open--;
    hand_over(k->door, k->x);
}

static void confirmed(void *arg, const struct fault *f)
{
    struct knock *k = arg;
    struct door *d = k->door;
    d->open--;
    if (!f) {
        METRIC_ADD(d->hub.metrics, METRIC_WEBHOOKS, 1, slice_of(k->type->name), SL("published"));
        exchange_answer(k->x, &k->answer);
        return;
    }
    METRIC_ADD(d->hub.metrics, METRIC_WEBHOOKS, 1, slice_of(k->type->name), SL("failed"));
    log_end(log_begin_fault(&d->log, LEVEL_ERROR, f, "Webhook not published"));
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
    if (plain)
        k->answer = answer_of(k->x->a, &in);
    memory_free(p.c.memory);
    return plain;
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
    struct parcel p = { .account = actor->account.id, .trace_id = k->x->trace_id, .at_ms = time_now_ms(), .rq = k->rq };
    slice bytes = parcel_print(k->x->a, &p);
    if (bytes.n && bytes.n <= BROKER_BODY_MAX)
        broker_publish(d->broker, 0, bytes, confirmed, k);
    else
        knock_over(k);
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
        hand_over(d, x);
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

/* Connectors whose every request may depend on what the worker remembers have no hook here. */
static bool has_doorway(const struct door *d, const struct connector *type)
{
    return type->hook.path && !type->own_end && type->auth.kind != AUTH_NAMED && service_wanted(d->config, slice_of(type->name));
}

static void routes(struct door *d)
{
    for (size_t i = 0; i < n_connectors; i++) {
        if (!has_doorway(d, connectors[i]))
            continue;
        struct doorway *way = ARENA_NEW(d->a, struct doorway);
        *way = (struct doorway){ d, connectors[i] };
        const char *path = connectors[i]->hook.path;
        server_route(d->server, "*", path, connectors[i]->hook.body_max, on_hook, way);
        server_route(d->server, "*", arena_printf(d->a, "%s/*", path).p, connectors[i]->hook.body_max, on_hook, way);
    }
    if (service_wanted(d->config, SL("api")) || service_wanted(d->config, SL("worker")))
        server_route(d->server, "*", "/*", FORWARD_BODY_MAX, on_other, d);
}

/* ---- what the store says ------------------------------------------------------------------------------------------------- */

/* The tenants of the file, and from now on those of the store. */
static void era_begin(struct door *d)
{
    struct hub *h = &d->hub;
    struct era *e = must_calloc(1, sizeof(*e));
    e->a = arena_new();
    e->next = d->eras;
    d->eras = e;
    registry_free(h);
    h->a = e->a;
    h->actors = NULL;
    h->tenants = NULL;
    h->n_actors = h->n_tenants = 0;
    registry_new(h, connector_find);
    for (size_t i = 0; i < d->config->n_tenants; i++)
        registry_file(h, &d->config->tenants[i]);
}

/* All tenants are there. What accounts remember is the worker's; here nobody remembers anything. */
static void era_complete(struct door *d)
{
    struct era *e = d->eras;
    e->actors = d->hub.actors;
    e->n_actors = d->hub.n_actors;
    for (size_t i = 0; i < e->n_actors; i++)
        e->actors[i]->memory = memory_new();
}

static void era_free(struct era *e)
{
    for (size_t i = 0; i < e->n_actors; i++)
        memory_free(e->actors[i]->memory);
    arena_free(e->a);
    free(e);
}

static void eras_trim(struct door *d)
{
    while (d->open == 0 && d->eras && d->eras->next) {
        struct era *old = d->eras->next;
        d->eras->next = old->next;
        era_free(old);
    }
}

static void stored_tenant(void *arg, slice key, slice value)
{
    struct door *d = arg;
    registry_stored(&d->hub, key, value);
}

struct gathered {
    struct door *d;
    struct arena *a;
    struct js_list pairs; /* struct store_pair */
    slice tenants;        /* the number of the change they belong to, or of one before */
};

static void gather(void *arg, slice key, slice value)
{
    struct gathered *g = arg;
    *LIST_ADD(g->a, &g->pairs, struct store_pair) = (struct store_pair){ arena_dup(g->a, key), arena_dup(g->a, value) };
}

static void tenants_gathered(void *arg, const struct fault *f)
{
    struct gathered *g = arg;
    struct door *d = g->d;
    d->looking--;
    if (!f) {
        era_begin(d);
        for (size_t i = 0; i < g->pairs.n; i++)
            stored_tenant(d, LIST_AT(g->pairs, struct store_pair, i)->key, LIST_AT(g->pairs, struct store_pair, i)->value);
        era_complete(d);
        d->tenants = arena_dup(d->seen, g->tenants);
        log_note(&d->log, LEVEL_INFO, "The tenants were read again");
    }
    arena_free(g->a);
}

static void tenants_told(void *arg, slice value, const struct fault *f)
{
    struct door *d = arg;
    d->looking--;
    if (f || slice_eq(value, d->tenants))
        return;
    struct arena *a = arena_new();
    struct gathered *g = ARENA_NEW(a, struct gathered);
    *g = (struct gathered){ .d = d, .a = a, .tenants = arena_dup(a, value) };
    d->looking++;
    store_scan(d->hub.store, SL("t:"), 0, gather, tenants_gathered, g);
}

static void worker_told(void *arg, slice value, const struct fault *f)
{
    struct door *d = arg;
    d->looking--;
    if (f || slice_eq(value, d->worker))
        return;
    struct arena *before = d->seen;
    d->seen = arena_new();
    d->worker = arena_dup(d->seen, value);
    d->tenants = arena_dup(d->seen, d->tenants);
    arena_free(before);
    struct log_line *l = log_begin(&d->log, LEVEL_INFO, "The worker is known");
    log_str(l, "url", d->worker);
    log_end(l);
}

static void look(void *arg)
{
    struct door *d = arg;
    eras_trim(d);
    if (!d->looking) {
        d->looking = 2;
        store_get(d->hub.store, SL(KEY_WORKER), worker_told, d);
        store_get(d->hub.store, SL(REGISTRY_CHANGED), tenants_told, d);
    }
    loop_timer_start(d->hub.loop, &d->look, LOOK_MS, look, d);
}

/* ---- is it well? --------------------------------------------------------------------------------------------------------- */

static void liveness(struct exchange *x, void *ctx)
{
    (void)ctx;
    exchange_text(x, 200, SL("ok\n"));
}

/* A door is ready when it can take webhooks; with ?worker it is the worker's own word. */
static void readiness(struct exchange *x, void *ctx)
{
    struct door *d = ctx;
    if (exchange_query(x, "worker").p || x->forwarded) {
        hand_over(d, x);
        return;
    }
    struct broker_state bs = broker_state(d->broker);
    struct store_numbers sn = store_numbers(d->hub.store);
    bool ready = bs.publishing && !bs.blocked && !d->draining;
    struct jw w = jw_new(x->a, 4096);
    jw_open(&w, NULL, '{');
    jw_bool(&w, "ready", ready);
    jw_str(&w, "role", SL("door"));
    if (d->draining)
        jw_str(&w, "why", SL("stopping"));
    jw_open(&w, "broker", '{');
    jw_bool(&w, "reachable", bs.publishing);
    jw_bool(&w, "blocked", bs.blocked);
    jw_opt(&w, "why", slice_of(bs.why));
    jw_close(&w, '}');
    jw_open(&w, "store", '{');
    jw_str(&w, "engine", slice_of(sn.engine));
    jw_bool(&w, "reachable", sn.reachable);
    jw_close(&w, '}');
    jw_str(&w, "worker", d->worker);
    jw_close(&w, '}');
    exchange_json(x, ready ? 200 : 503, jw_done(&w));
}

static void numbers(struct exchange *x, void *ctx)
{
    struct door *d = ctx;
    struct metrics *m = d->hub.metrics;
    METRIC_SET(m, METRIC_HTTP_CONNECTIONS, (double)server_connections(d->server));
    METRIC_SET(m, METRIC_BUILD, 1, SL(DRAGOMAN_VERSION));
    slice text = metrics_print(m, x->a);
    exchange_answer(x, &(struct response){ .status = 200, .type = metrics_content_type, .body = text });
}

static void observe(void *ctx, const struct exchange *x, int status, size_t written, int64_t took_us)
{
    struct door *d = ctx;
    METRIC_ADD(d->hub.metrics, METRIC_HTTP_REQUESTS, 1, SL("door"), metric_status(status));
    METRIC_OBSERVE(d->hub.metrics, METRIC_HTTP_SECONDS, (double)took_us / 1e6, SL("door"));
    access_log(&d->log, x, status, written, took_us);
}

static void flush_log(void *arg)
{
    struct door *d = arg;
    logger_flush(d->logger);
    loop_timer_start(d->hub.loop, &d->flush, logger_flush_ms(d->logger), flush_log, d);
}

/* ---- life ---------------------------------------------------------------------------------------------------------------- */

static void stop_when_ended(struct door *d)
{
    if (d->server_ended && d->child_ended)
        loop_stop(d->hub.loop);
}

static void child_gone(void *arg)
{
    struct door *d = arg;
    d->child_ended = true;
    stop_when_ended(d);
}

/* First nobody comes in any more, then the worker ends: what is under way here may need it. */
static void server_drained(void *arg)
{
    struct door *d = arg;
    d->server_ended = true;
    if (d->child)
        child_stop(d->child, child_gone, d);
    else
        child_gone(d);
}

static void on_signal(void *arg, int signum)
{
    struct door *d = arg;
    if (d->draining) { /* asked twice: now */
        loop_stop(d->hub.loop);
        return;
    }
    struct log_line *l = log_begin(&d->log, LEVEL_INFO, "Stopping: what came in is finished");
    log_int(l, "signal", signum);
    log_end(l);
    d->draining = true;
    server_drain(d->server, config_number(d->config, CFG_DRAIN_SECONDS) * 1000, server_drained, d);
}

static bool start(struct door *d, struct fault *f)
{
    struct hub *h = &d->hub;
    const struct config *c = d->config;
    slice data = config_text(c, CFG_DATA), ca = config_text(c, CFG_CA_FILE), key = config_text(c, CFG_SECRET_KEY);
    int e = durable_folder(data.p);
    if (e)
        return fault(f, "storage", "data", "cannot make %s: %s", data.p, strerror(e));
    if (!replica_settings(c, f))
        return false;
    d->seal = key.n ? seal_of_hex(key, f) : seal_open(config_text(c, CFG_KEY_FILE).p, f);
    if (!d->seal)
        return false;
    seal_derive(d->seal, SL("forwarded requests"), d->forward_key);
    h->loop = loop_new();
    h->metrics = metrics_new();
    h->log = &d->log;
    h->config = c;
    h->seal = d->seal;
    h->public_url = config_text(c, CFG_PUBLIC_URL);
    hub_limits_default(&h->limits);
    h->client = net_client(h->loop, c, f);
    h->store = h->client ? store_open_turn(config_text(c, CFG_STORE).p, STORE_BESIDE, f) : NULL;
    d->server = h->store ? net_server(h->loop, c, config_text(c, CFG_LISTEN).p, f) : NULL;
    if (!d->server)
        return false;
    d->url = replica_url(d->a, c, server_port(d->server));
    d->local = arena_printf(d->a, "unix:" SLF "/" WORKER_SOCKET, SLA(data));
    struct broker_setup bs = { .url = config_text(c, CFG_BROKER), .name = config_text(c, CFG_BROKER_NAME), .shards = 1,
                               .classic = config_true(c, CFG_BROKER_CLASSIC), .ca_file = ca.n ? ca.p : NULL };
    d->broker = broker_open(h->loop, &bs, f);
    d->forward = d->broker ? forward_new(h->loop, NULL, f) : NULL;
    if (!d->forward)
        return false;
    d->seen = arena_new();
    era_begin(d);
    store_walk(h->store, SL("t:"), 0, stored_tenant, NULL, d);
    era_complete(d);
    store_start(h->store, h->loop);
    server_forwarded(d->server, slice_mem(d->forward_key, sizeof(d->forward_key)));
    server_observe(d->server, observe, d);
    api_faults(d->server);
    server_route(d->server, "GET", "/healthz/liveness", 0, liveness, d);
    server_route(d->server, "GET", "/healthz/readiness", 0, readiness, d);
    server_route(d->server, "GET", "/metrics/door", 0, numbers, d);
    routes(d);
    loop_signal(h->loop, SIGTERM, on_signal, d);
    loop_signal(h->loop, SIGINT, on_signal, d);
    if (service_wanted(c, SL("worker"))) {
        slice public_url = h->public_url;
        if (slice_ends(public_url, SL(":0")))
            public_url = arena_printf(d->a, SLF "%u", SLA(slice_sub(public_url, 0, public_url.n - 1)), server_port(d->server));
        d->child = child_new(h->loop, &d->log, d->options->all, (const char *[]){ "--public-url", public_url.p, "--replica-url", d->url.p, NULL });
    }
    look(d);
    if (logger_flush_ms(d->logger))
        flush_log(d);
    return true;
}

static void stop(struct door *d)
{
    struct hub *h = &d->hub;
    child_free(d->child);
    forward_free(d->forward);
    server_free(d->server);
    broker_close(d->broker);
    h->stopped = true;
    client_free(h->client);
    keys_stop(h);
    store_close(h->store);
    registry_free(h);
    for (struct era *e = d->eras, *next; e; e = next) {
        next = e->next;
        era_free(e);
    }
    arena_free(d->seen);
    seal_free(d->seal);
    metrics_free(h->metrics);
    loop_timer_done(&d->look);
    loop_timer_done(&d->flush);
    if (h->loop)
        loop_free(h->loop);
    bytes_wipe(d->forward_key, sizeof(d->forward_key));
}

int door_serve(const struct options *o, const struct config *c, struct arena *a)
{
    struct fault f = { 0 };
    struct door *d = ARENA_NEW(a, struct door);
    *d = (struct door){ .a = a, .options = o, .config = c };
    d->logger = logger_new("dragoman", getenv, &f);
    if (!d->logger) {
        fprintf(stderr, "dragoman: log: %s\n", f.text);
        return 1;
    }
    if (config_text(c, CFG_LOG_LEVEL).n)
        logger_set_levels(d->logger, config_text(c, CFG_LOG_LEVEL));
    d->log = log_root(d->logger);
    bool ok = start(d, &f);
    if (ok) {
        struct log_line *l = log_begin(&d->log, LEVEL_ALWAYS, "Dragoman " DRAGOMAN_VERSION " serves on port %u, as one of several", server_port(d->server));
        log_str(l, "replica", d->url);
        log_end(l);
        logger_flush(d->logger);
        loop_run(d->hub.loop);
    } else {
        fprintf(stderr, "dragoman: cannot start: %s\n", f.text);
    }
    stop(d);
    if (ok)
        log_note(&d->log, LEVEL_INFO, "Stopped");
    logger_free(d->logger);
    return ok ? 0 : 1;
}
