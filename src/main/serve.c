#include "api/api.h"
#include "api/ops.h"
#include "base/durable.h"
#include "base/pages.h"
#include "broker/broker.h"
#include "cache/cache.h"
#include "hub/accept.h"
#include "hub/config.h"
#include "hub/conversation.h"
#include "hub/deliver.h"
#include "hub/history.h"
#include "hub/intake.h"
#include "hub/journal_pg.h"
#include "hub/later.h"
#include "hub/media.h"
#include "hub/media_link.h"
#include "hub/notice.h"
#include "hub/pages.h"
#include "hub/recorder.h"
#include "hub/refused.h"
#include "hub/registry.h"
#include "hub/responses.h"
#include "hub/state.h"
#include "hub/storage_set.h"
#include "hub/work.h"
#include "main/access_log.h"
#include "main/child.h"
#include "main/commands.h"
#include "main/door.h"
#include "main/internal.h"
#include "main/net_open.h"
#include "main/pages.h"
#include "net/client.h"
#include "store/seal.h"
#include "storages/local/local.h"
#include "store/store.h"
#include "wire/hex.h"
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#define WORKER_KEEP_BYTES (INT64_C(64) << 20) /* of the journal: a worker that takes over has to read it all; what was said is in the history */
enum { EXIT_TAKEN_OVER = 3, DRAIN_LOOK_MS = 20, PRUNE_THRESHOLD = 128 << 10, STARTED_MS = 2000 /* by then the accounts are set up, usually */ };

/* Everything of a serving process, in the order it is made. */
struct serving {
    struct arena *a;
    const struct config *config;
    struct logger *logger;
    struct log log;
    struct hub hub;
    struct seal *seal;
    struct server *server, *control; /* control NULL: the folder can hold no socket */
    struct server *metrics;          /* /metrics on a port of its own; NULL: not wanted, or the port is taken */
    struct ops *ops;
    struct api *api;
    struct loop_timer flush_timer, drain_timer, started_timer;
    int64_t drain_until_ms;
    unsigned busy; /* servers that are not idle yet */
    /* A worker's, of several replicas; else NULL. */
    bool worker, working; /* working: the shard was gained, everything below start has run */
    int failed;           /* its exit status, when it could not go on */
    struct broker *broker;
    struct intake *intake;
    struct journal_pg *journal_pg;
    struct js_list waiting; /* struct waiting: messages with media from before the start */
};
struct waiting {
    uint64_t id;
    slice lane;
};

static int fail(const char *what, const struct fault *f)
{
    fprintf(stderr, "dragoman: %s: %s\n", what, f->text);
    return 1;
}

/* ---- accounts -------------------------------------------------------------------------------------------------------- */

/* The tenants of the file, then those made over the API. */
static void accounts_make(struct serving *s)
{
    registry_new(&s->hub, connector_find);
    for (size_t i = 0; i < s->config->n_tenants; i++)
        registry_file(&s->hub, &s->config->tenants[i]);
    registry_load(&s->hub);
}

static void account_appeared(void *arg, struct actor *actor)
{
    struct serving *s = arg;
    accept_routes(&s->hub, s->server, actor->account.type);
    pages_routes(&s->hub, s->server, actor->account.type);
}

/* ---- what the journal says at start and from then on -------------------------------------------------------------------- */

static void on_offer(void *ctx, const struct joffer *o)
{
    struct serving *s = ctx;
    deliver_offer(&s->hub, o);
}

static void on_put(void *ctx, slice key, slice value)
{
    struct serving *s = ctx;
    state_replay(s->hub.state, key, value);
}

static void on_waiting(void *ctx, uint64_t id, slice lane, slice body)
{
    struct serving *s = ctx;
    if (slice_find(body, SL("\"media\":")) == SIZE_MAX && slice_find(body, SL("\"location\":")) == SIZE_MAX)
        return;
    *LIST_ADD(s->a, &s->waiting, struct waiting) = (struct waiting){ id, arena_dup(s->a, lane) };
}

/* Fetches that a stop interrupted go on at once. */
static void media_again(struct serving *s)
{
    for (size_t i = 0; i < s->waiting.n; i++) {
        const struct waiting *w = LIST_AT(s->waiting, struct waiting, i);
        slice channel = w->lane;
        slice target = slice_cut(&channel, 0x1f);
        channel = slice_cut(&channel, ':');
        struct actor *to = hub_actor(&s->hub, target), *ch = hub_actor(&s->hub, channel);
        CLEANUP(arena_freep) struct arena *a = arena_new();
        if (to && ch)
            media_resume(to->account.type->desk ? ch : ch->tenant->desk, w->id, journal_body(s->hub.journal, w->id, a));
    }
}

/* ---- log ---------------------------------------------------------------------------------------------------------------- */

static void flush_log(void *arg)
{
    struct serving *s = arg;
    logger_flush(s->logger);
    loop_timer_start(s->hub.loop, &s->flush_timer, logger_flush_ms(s->logger), flush_log, s);
}

static void observe(void *ctx, const struct exchange *x, int status, size_t written, int64_t took_us)
{
    struct serving *s = ctx;
    slice class = metric_status(status);
    api_observe(s->api, x, took_us);
    bool health = slice_starts(x->path, SL("/health")) || slice_eq(x->path, SL("/metrics"));
    slice route_class = health ? SL("ops") : SL("hub");
    METRIC_ADD(s->hub.metrics, METRIC_HTTP_REQUESTS, 1, route_class, class);
    METRIC_OBSERVE(s->hub.metrics, METRIC_HTTP_SECONDS, (double)took_us / 1e6, route_class);
    if (!health) {
        METRIC_ADD(s->hub.metrics, METRIC_NEXUS_REQUESTS, 1);
        METRIC_ADD(s->hub.metrics, METRIC_NEXUS_ERRORS, status >= 500);
    }
    access_log(&s->log, x, status, written, took_us);
}

static void started(void *arg)
{
    (void)arg;
    pages_give_back();
}

/* ---- stop ----------------------------------------------------------------------------------------------------------------- */

static void drain_look(void *arg)
{
    struct serving *s = arg;
    bool idle = s->busy == 0 && s->hub.open_runs == 0 && (!s->intake || intake_open(s->intake) == 0);
    if ((idle || time_mono_ms() >= s->drain_until_ms) && notices_idle(s->hub.notices))
        loop_stop(s->hub.loop);
    else
        loop_timer_start(s->hub.loop, &s->drain_timer, DRAIN_LOOK_MS, drain_look, s);
}

static void server_drained(void *arg)
{
    struct serving *s = arg;
    s->busy--;
}

static void on_signal(void *arg, int signum)
{
    struct serving *s = arg;
    if (s->hub.draining) {
        loop_stop(s->hub.loop); /* asked twice: now */
        return;
    }
    struct log_line *l = log_begin(&s->log, LEVEL_INFO, "Stopping: what was accepted is finished or kept in the journal");
    log_int(l, "signal", signum);
    log_end(l);
    s->hub.draining = true;
    if (s->intake)
        intake_lost(s->intake); /* what is not begun is the next one's. The shard stays ours until what is under way is stored: a token that could not be kept would be lost */
    int64_t grace_ms = config_number(s->config, CFG_DRAIN_SECONDS) * 1000;
    s->drain_until_ms = time_mono_ms() + grace_ms;
    ops_stopping(s->ops);
    notices_stopping(s->hub.notices, signum == SIGINT ? SL("SIGINT") : SL("SIGTERM"));
    for (size_t i = 0; i < s->hub.n_actors; i++)
        actor_stop(s->hub.actors[i]);
    struct server *servers[] = { s->server, s->control, s->metrics };
    for (size_t i = 0; i < COUNT(servers); i++) {
        if (!servers[i])
            continue;
        s->busy++;
        server_drain(servers[i], grace_ms, server_drained, s);
    }
    drain_look(s);
}

/* ---- one of several replicas -------------------------------------------------------------------------------------------------- */

/* Another worker goes on where we stopped: whatever we would still do is no longer ours to do. */
static void fence_lost(void *arg)
{
    struct serving *s = arg;
    log_note(&s->log, LEVEL_WARN, "Another worker has taken over: this one ends at once");
    logger_flush(s->logger);
    _exit(EXIT_TAKEN_OVER);
}

static bool start(struct serving *s, struct fault *f);

static void worker_known(void *arg, const struct fault *f)
{
    struct serving *s = arg;
    if (f)
        log_end(log_begin_fault(&s->log, LEVEL_ERROR, f, "The other replicas cannot be told where the worker is"));
}

static void shard_gained(void *ctx, unsigned shard)
{
    struct serving *s = ctx;
    struct fault f = { 0 };
    (void)shard;
    if (s->working) {
        log_note(&s->log, LEVEL_INFO, "The broker gives this worker its shard again");
        return;
    }
    if (!start(s, &f)) {
        log_end(log_begin_fault(&s->log, LEVEL_ERROR, &f, "This worker cannot begin"));
        s->failed = 1;
        loop_stop(s->hub.loop);
        return;
    }
    s->working = true;
    s->intake = intake_new(&s->hub, s->broker);
    struct store_pair pair = { SL(KEY_WORKER), config_text(s->config, CFG_REPLICA_URL) };
    store_put(s->hub.store, &pair, 1, worker_known, s);
    struct log_line *l = log_begin(&s->log, LEVEL_ALWAYS, "Dragoman " DRAGOMAN_VERSION " works for all replicas");
    log_int(l, "tenants", (int64_t)s->hub.n_tenants);
    log_int(l, "accounts", (int64_t)s->hub.n_actors);
    log_end(l);
    logger_flush(s->logger);
}

/* The connection is gone. What is in the lanes goes on: until another worker takes the fence it is ours. */
static void shard_lost(void *ctx, unsigned shard)
{
    struct serving *s = ctx;
    (void)shard;
    if (s->intake)
        intake_lost(s->intake);
    if (!s->hub.draining)
        log_note(&s->log, LEVEL_WARN, "The broker took the shard back, or is lost: %s", broker_state(s->broker).why);
}

static void parcel_arrived(void *ctx, unsigned shard, uint64_t tag, slice body, bool again)
{
    struct serving *s = ctx;
    (void)shard, (void)again; /* whether it was seen is said by its keys */
    if (s->intake && !s->hub.draining)
        intake_arrived(s->intake, tag, body);
}

static void on_signal_standby(void *arg, int signum)
{
    struct serving *s = arg;
    if (s->working)
        on_signal(s, signum);
    else
        loop_stop(s->hub.loop);
}

/* Waits for the shard. */
static bool stand_by(struct serving *s, struct fault *f)
{
    slice ca = config_text(s->config, CFG_CA_FILE);
    struct broker_setup bs = { .url = config_text(s->config, CFG_BROKER), .name = config_text(s->config, CFG_BROKER_NAME), .shards = 1,
                               .classic = config_true(s->config, CFG_BROKER_CLASSIC), .ca_file = ca.n ? ca.p : NULL };
    if (!bs.url.n)
        return fault(f, "missing", "broker", "a worker works for several replicas: give broker");
    if (!replica_settings(s->config, f))
        return false;
    s->hub.loop = loop_new();
    s->broker = broker_open(s->hub.loop, &bs, f);
    if (!s->broker)
        return false;
    loop_signal(s->hub.loop, SIGTERM, on_signal_standby, s);
    loop_signal(s->hub.loop, SIGINT, on_signal_standby, s);
    broker_consume(s->broker, &(struct broker_consumer){ shard_gained, shard_lost, parcel_arrived, s });
    return true;
}

/* ---- making ---------------------------------------------------------------------------------------------------------------- */

static bool open_data(struct serving *s, struct fault *f)
{
    struct hub *h = &s->hub;
    slice data = config_text(s->config, CFG_DATA);
    int e = durable_folder(data.p);
    if (e)
        return fault(f, "storage", "data", "cannot make %s: %s", data.p, strerror(e));
    slice key = config_text(s->config, CFG_SECRET_KEY), key_file = config_text(s->config, CFG_KEY_FILE);
    if (!key_file.n)
        key_file = arena_printf(s->a, SLF "/secret.key", SLA(data));
    s->seal = key.n ? seal_of_hex(key, f) : seal_open(key_file.p, f);
    if (!s->seal)
        return false;
    uint8_t name[SEAL_DERIVED_BYTES];
    h->seal = s->seal;
    seal_derive(s->seal, SL("delivery keys"), name);
    snprintf(h->key_prefix, sizeof(h->key_prefix), "dg-%.*s", 10, hex_encode(s->a, slice_mem(name, 5)).p);
    struct journal_limits jl;
    journal_limits_default(&jl);
    jl.window_max_us = config_number(s->config, CFG_WINDOW_US);
    jl.segment_bytes = (size_t)config_number(s->config, CFG_SEGMENT_MIB) << 20;
    jl.keep_ms = config_number(s->config, CFG_KEEP_HOURS) * 3600000;
    jl.keep_bytes = config_number(s->config, CFG_KEEP_MIB) << 20;
    struct joffers to = { on_offer, on_put, on_waiting, s };
    h->state = state_new(h);
    slice store = config_text(s->config, CFG_STORE);
    if (s->worker) {
        jl.keep_bytes = MIN(jl.keep_bytes, WORKER_KEEP_BYTES);
        s->journal_pg = journal_pg_take(store.p, 0, config_text(s->config, CFG_REPLICA_URL), data.p, f);
        if (!s->journal_pg)
            return false;
        journal_pg_watch(s->journal_pg, h->loop, fence_lost, s);
    }
    h->journal = s->worker ? journal_open_on(journal_pg_io(s->journal_pg), h->loop, data.p, &jl, &to, f) : journal_open(h->loop, data.p, &jl, &to, f);
    if (!h->journal)
        return false;
    h->database = store.n ? store.p : NULL;
    h->turn = s->journal_pg ? (int64_t)journal_pg_numbers(s->journal_pg).epoch : 0;
    h->store = store_open_turn(store.n ? store.p : arena_printf(s->a, SLF "/store.db", SLA(data)).p, h->turn, f);
    return h->store != NULL;
}

static bool open_net(struct serving *s, struct fault *f)
{
    s->hub.client = net_client(s->hub.loop, s->config, f);
    if (!s->hub.client)
        return false;
    slice listen = s->worker ? arena_printf(s->a, "unix:" SLF "/" WORKER_SOCKET, SLA(config_text(s->config, CFG_DATA))) : config_text(s->config, CFG_LISTEN);
    s->server = net_server(s->hub.loop, s->config, listen.p, f);
    if (s->server && s->worker) {
        uint8_t key[SEAL_DERIVED_BYTES];
        seal_derive(s->seal, SL("forwarded requests"), key);
        server_forwarded(s->server, slice_mem(key, sizeof(key)));
        bytes_wipe(key, sizeof(key));
    }
    return s->server != NULL;
}

/* Where the commands find this hub. A folder that cannot hold a socket (some network file systems) is no reason to refuse to serve. */
static void open_control(struct serving *s)
{
    struct fault f = { 0 };
    struct server_limits sl;
    server_limits_default(&sl);
    slice at = arena_printf(s->a, "unix:" SLF "/" CONTROL_SOCKET, SLA(config_text(s->config, CFG_DATA)));
    s->control = server_new(s->hub.loop, at.p, NULL, &sl, &f);
    if (s->control) {
        server_observe(s->control, observe, s);
        ops_control(s->ops, s->control);
        api_control(s->api, s->control);
        return;
    }
    log_end(log_begin_fault(&s->log, LEVEL_WARN, &f, "The commands journal and record cannot reach this hub while it runs"));
}

/* Several hubs of one machine cannot all have it: that is no reason to refuse to serve. */
static void open_metrics(struct serving *s)
{
    enum { CONNECTIONS = 32 };
    int64_t port = config_number(s->config, CFG_METRICS_PORT);
    slice listen = config_text(s->config, CFG_LISTEN);
    size_t colon = slice_find_last(listen, ':');
    if (!port)
        return;
    struct fault f = { 0 };
    struct server_limits sl;
    server_limits_default(&sl);
    sl.connections = CONNECTIONS;
    slice host = colon == SIZE_MAX || slice_starts(listen, SL("unix:")) ? SL("127.0.0.1") : slice_sub(listen, 0, colon);
    s->metrics = server_new(s->hub.loop, arena_printf(s->a, SLF ":%lld", SLA(host), (long long)port).p, NULL, &sl, &f);
    if (s->metrics)
        ops_metrics(s->ops, s->metrics);
    else
        log_end(log_begin_fault(&s->log, LEVEL_WARN, &f, "metrics.port cannot be had: the numbers are at /metrics of the hub itself"));
}

static slice with_port(struct serving *s, slice url, slice before)
{
    return arena_printf(s->a, SLF "%u" SLF, SLA(slice_sub(before, 0, before.n - 1)), server_port(s->server), SLA(slice_from(url, before.n)));
}

/* listen with port 0: only now it is known how this hub is reached. */
static void port_known(struct serving *s)
{
    struct hub *h = &s->hub;
    slice before = h->public_url;
    if (!slice_ends(before, SL(":0")))
        return;
    h->public_url = with_port(s, before, before);
    for (size_t i = 0; i < h->n_actors; i++) {
        struct account *acc = &h->actors[i]->account;
        acc->public_url = h->public_url;
        if (slice_starts(acc->hook_url, before))
            acc->hook_url = with_port(s, acc->hook_url, before);
    }
}

static bool open_storages(struct serving *s, struct fault *f)
{
    uint8_t secret[SEAL_DERIVED_BYTES];
    seal_derive(s->seal, SL("attachment links"), secret);
    slice root = arena_printf(s->a, SLF "/attachments", SLA(config_text(s->config, CFG_DATA)));
    struct local_setup setup = { .root = root.p, .secret = slice_mem(secret, sizeof(secret)), .public_url = s->hub.public_url,
                                 .loop = s->hub.loop };
    struct storage *local = local_open(&setup, f);
    bytes_wipe(secret, sizeof(secret));
    static_assert(sizeof(s->hub.link_secret) == sizeof(secret), "one key's length");
    seal_derive(s->seal, SL("media links"), s->hub.link_secret);
    s->hub.storage = local;
    return local && storages_open(&s->hub, s->config, local, f);
}

static bool open_recorder(struct serving *s, struct fault *f)
{
    uint8_t key[SEAL_DERIVED_BYTES];
    static_assert(sizeof(key) == PSEUDONYM_KEY_BYTES, "one key's length");
    seal_derive(s->seal, SL("recording"), key);
    slice given = config_text(s->config, CFG_RECORD_FILE);
    slice path = given.n ? arena_dup(s->a, given) : arena_printf(s->a, SLF "/record.jsonl", SLA(config_text(s->config, CFG_DATA)));
    s->hub.recorder = recorder_new(&s->log, path, config_number(s->config, CFG_RECORD_MIB) << 20, key);
    bytes_wipe(key, sizeof(key));
    return !given.n || recorder_start(s->hub.recorder, f);
}

static bool open_api(struct serving *s, struct fault *f)
{
    const struct config *c = s->config;
    struct api_setup setup = {
        .hub = &s->hub,
        .server = s->server,
        .data = config_text(c, CFG_DATA),
        .root = config_text(c, CFG_API_ROOT),
        .admin_user = config_text(c, CFG_ADMIN_USER),
        .admin_password = config_text(c, CFG_ADMIN_PASSWORD),
        .proxy = config_text(c, CFG_PROXY),
        .notifiers = c->notifiers,
        .n_notifiers = c->n_notifiers,
        .session_ms = config_number(c, CFG_SESSION_HOURS) * 3600000,
        .idle_ms = config_number(c, CFG_SESSION_IDLE) * 60000,
        .forwarded = config_true(c, CFG_FORWARDED),
    };
    s->api = api_new(&setup, f);
    return s->api != NULL;
}

static void cache_is(void *arg, bool reachable, slice why)
{
    struct serving *s = arg;
    struct log_line *l = log_begin(&s->log, reachable ? LEVEL_INFO : LEVEL_WARN, reachable ? "The cache is reached" : "The cache is lost; the hub goes on without it");
    log_str(l, "engine", slice_of(cache_numbers(s->hub.cache).engine));
    if (!reachable)
        log_str(l, "why", why);
    log_end(l);
}

static bool open_cache(struct serving *s, struct fault *f)
{
    slice ca = config_text(s->config, CFG_CA_FILE);
    struct cache_setup setup = { .where = config_text(s->config, CFG_CACHE), .name = config_text(s->config, CFG_CACHE_NAME), .ca_file = ca.n ? ca.p : NULL };
    s->hub.cache = cache_open(s->hub.loop, &setup, f);
    if (s->hub.cache)
        cache_watch(s->hub.cache, cache_is, s);
    return s->hub.cache != NULL;
}

static void limits_of(struct serving *s)
{
    struct hub_limits *l = &s->hub.limits;
    const struct config *c = s->config;
    hub_limits_default(l);
    l->in_flight = (unsigned)config_number(c, CFG_PER_HOST);
    l->in_flight_all = (unsigned)config_number(c, CFG_IN_FLIGHT);
    l->media_parallel = (unsigned)config_number(c, CFG_MEDIA_PARALLEL);
    l->media_bytes = config_number(c, CFG_MEDIA_BYTES);
    l->media_types = config_text(c, CFG_MEDIA_TYPES);
    l->give_up_ms = config_number(c, CFG_GIVE_UP_HOURS) * 3600000;
    l->purge_ms = config_number(c, CFG_PURGE_DELAY) * 1000;
    l->storage_instead = config_true(c, CFG_STORAGE_INSTEAD);
    l->link_ms = config_number(c, CFG_LINK_HOURS) * 3600000;
}

static bool start(struct serving *s, struct fault *f)
{
    struct hub *h = &s->hub;
    slice data = config_text(s->config, CFG_DATA);
    h->metrics = metrics_new();
    h->log = &s->log;
    h->config = s->config;
    h->a = s->a;
    h->public_url = config_text(s->config, CFG_PUBLIC_URL);
    if (!h->loop)
        h->loop = loop_new();
    h->refused = refusals_new();
    limits_of(s);
    (void)hub_steady_ms(h); /* from here on ages are told by it */
    h->conversations = conversations_new(h);
    if (!open_data(s, f) || !open_cache(s, f) || !open_net(s, f) || !open_api(s, f))
        return false;
    accounts_make(s); /* behind the API's settings: they may name its storages */
    slice token = config_text(s->config, CFG_ADMIN_TOKEN);
    if (!token.n && !(token = internal_token(s->a, data.p, f)).n)
        return false;
    port_known(s);
    if (!open_storages(s, f) || !open_recorder(s, f))
        return false;
    h->media = media_new(h);
    if (config_number(s->config, CFG_HISTORY_DAYS) && !(h->history = history_new(h, data.p, config_number(s->config, CFG_HISTORY_DAYS) * 86400000, f)))
        return false;
    for (size_t i = 0; i < h->n_actors; i++)
        actor_init(h->actors[i]);
    state_learn(h->state);
    responses_new(h);
    later_load(h);
    media_purge_load(h);
    h->notices = notices_new(h, config_text(s->config, CFG_ENVIRONMENT));
    api_settings(s->api); /* those of the file, and those made over the API */
    conversations_load_open(h);
    store_start(h->store, h->loop);
    server_observe(s->server, observe, s);
    registry_on_account(h, account_appeared, s);
    for (size_t i = 0; i < n_connectors; i++) /* customers may come before there is a channel for them */
        if (pages_are_named(connectors[i], config_text(s->config, CFG_REGISTER)))
            pages_routes(h, s->server, connectors[i]);
    server_route(s->server, "GET", LOCAL_ROUTE "*", 0, local_serve, h->storage);
    server_route(s->server, "HEAD", LOCAL_ROUTE "*", 0, local_serve, h->storage);
    server_route(s->server, "GET", MEDIA_LINK_ROUTE "*", 0, media_link_serve, h);
    server_route(s->server, "HEAD", MEDIA_LINK_ROUTE "*", 0, media_link_serve, h);
    s->ops = ops_new(h, s->server, token);
    api_start(s->api);
    (void)page_serve(s->server, "/api/v1/openapi-ui", "openapi-ui"); /* a build without pages has none */
    (void)page_serve(s->server, "/", "console");
    (void)page_serve(s->server, "/admin/", "console"); /* the guide's address of it */
    (void)page_serve(s->server, "/admin", "console");
    (void)page_serve(s->server, "/webchat/widget.js", "widget.js");
    slice frames;
    if (!page_frames(s->a, config_text(s->config, CFG_FRAME_ORIGINS), &frames, f))
        return false;
    static const char *const desk_pages[] = { "/ux/conv", "/ux/comm", "/ux/supervisor" };
    for (size_t i = 0; i < COUNT(desk_pages); i++)
        (void)page_serve_framed(s->server, s->a, desk_pages[i], "desk", frames);
    if (config_true(s->config, CFG_DEMO_SHOP))
        (void)page_serve(s->server, "/demo/shop", "shop");
    open_control(s);
    open_metrics(s);
    media_again(s);
    media_purge_start(h);
    responses_start(h);
    later_start(h);
    storages_check(h);
    for (size_t i = 0; i < h->n_actors; i++)
        actor_start(h->actors[i]);
    if (!s->worker) {
        loop_signal(h->loop, SIGTERM, on_signal, s);
        loop_signal(h->loop, SIGINT, on_signal, s);
    }
    if (logger_flush_ms(s->logger))
        flush_log(s);
    notices_started(h->notices);
    loop_timer_start(h->loop, &s->started_timer, STARTED_MS, started, NULL);
    return true;
}

static void stop(struct serving *s)
{
    struct hub *h = &s->hub;
    ops_free(s->ops);
    api_stop(s->api);
    cache_free(h->cache); /* who waits for it goes on without */
    h->cache = NULL;
    server_free(s->server);
    server_free(s->control);
    server_free(s->metrics);
    hub_stop(h);
    journal_pg_close(s->journal_pg);
    broker_close(s->broker);
    intake_free(s->intake);
    notices_free(h->notices);
    storages_close(h);
    refusals_free(h->refused);
    recorder_free(h->recorder);
    seal_free(s->seal);
    metrics_free(h->metrics);
    loop_timer_done(&s->flush_timer);
    loop_timer_done(&s->drain_timer);
    loop_timer_done(&s->started_timer);
    if (h->loop)
        loop_free(h->loop);
    api_free(s->api);
}

int command_check(const struct options *o)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct config_problems p = { .a = a };
    const struct config *c = options_config(a, o, &p);
    if (!c) {
        config_problems_print(stderr, &p);
        return 1;
    }
    config_print(stdout, c);
    return 0;
}

static int serve(const struct options *o, bool worker)
{
    /* Bursts leave holes in the heap: give them back, and do not let each thread keep a heap of its own. */
    mallopt(M_ARENA_MAX, 2);
    mallopt(M_TRIM_THRESHOLD, PRUNE_THRESHOLD);
    signal(SIGPIPE, SIG_IGN);
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct config_problems p = { .a = a };
    struct serving *s = ARENA_NEW(a, struct serving);
    struct fault f = { 0 };
    s->a = a;
    s->worker = worker;
    s->config = options_config(a, o, &p);
    if (!s->config) {
        config_problems_print(stderr, &p);
        return 1;
    }
    if (!worker && config_text(s->config, CFG_BROKER).n)
        return door_serve(o, s->config, a);
    s->logger = logger_new("dragoman", getenv, &f);
    if (!s->logger)
        return fail("log", &f);
    if (config_text(s->config, CFG_LOG_LEVEL).n)
        logger_set_levels(s->logger, config_text(s->config, CFG_LOG_LEVEL));
    s->log = log_root(s->logger);
    bool ok = worker ? stand_by(s, &f) : start(s, &f);
    if (ok && !worker) {
        struct log_line *l = log_begin(&s->log, LEVEL_ALWAYS, "Dragoman " DRAGOMAN_VERSION " serves on port %u", server_port(s->server));
        log_int(l, "tenants", (int64_t)s->hub.n_tenants);
        log_int(l, "accounts", (int64_t)s->hub.n_actors);
        log_end(l);
        logger_flush(s->logger);
    }
    int rc = ok ? 0 : fail("cannot start", &f);
    if (ok)
        loop_run(s->hub.loop);
    rc = rc ? rc : s->failed;
    stop(s);
    if (rc == 0)
        log_note(&s->log, LEVEL_INFO, "Stopped");
    logger_free(s->logger);
    return rc;
}

int command_serve(const struct options *o)
{
    return serve(o, false);
}

int command_worker(const struct options *o)
{
    child_bind();
    return serve(o, true);
}
