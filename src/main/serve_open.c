/* What a serving process is made of. */
#include "api/api.h"
#include "api/ops.h"
#include "base/durable.h"
#include "cache/cache.h"
#include "hub/deliver.h"
#include "hub/journal_pg.h"
#include "hub/media.h"
#include "hub/recorder.h"
#include "hub/state.h"
#include "hub/storage_set.h"
#include "main/internal.h"
#include "main/net_open.h"
#include "main/replica.h"
#include "main/serve-private.h"
#include "storages/local/local.h"
#include "store/store.h"
#include "wire/hex.h"
#include <errno.h>

#define WORKER_KEEP_BYTES (INT64_C(64) << 20) /* of the journal: a worker that takes over has to read it all; what was said is in the history */

struct waiting {
    uint64_t id;
    slice lane;
};

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

void serving_media_again(struct serving *s)
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

/* ---- parts --------------------------------------------------------------------------------------------------------------- */

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
    jl.stall_ms = config_number(s->config, CFG_STALL_SECONDS) * 1000;
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
        journal_pg_watch(s->journal_pg, h->loop, worker_fence_lost, s);
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
        server_observe(s->control, serving_observe, s);
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
        .forwarded = config_true(c, CFG_FORWARDED) ? config_number(c, CFG_FORWARDED_HOPS) : 0,
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
    slice ca = config_text(s->config, CFG_CA_FILE), name = config_text(s->config, CFG_CACHE_NAME);
    if (s->worker) /* a log-in of another installation's administrator, who may have the same name as ours, is none here, also where both forgot to take a name */
        name = arena_printf(s->a, SLF ":" SLF, SLA(name), SLA(replica_mark(s->a, s->seal)));
    struct cache_setup setup = { .where = config_text(s->config, CFG_CACHE), .name = name, .ca_file = ca.n ? ca.p : NULL };
    s->hub.cache = cache_open(s->hub.loop, &setup, f);
    if (s->hub.cache)
        cache_watch(s->hub.cache, cache_is, s);
    return s->hub.cache != NULL;
}

void serving_limits(struct serving *s)
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
    l->dead_ms = config_number(c, CFG_KEEP_HOURS) * 3600000;
    l->purge_ms = config_number(c, CFG_PURGE_DELAY) * 1000;
    l->storage_instead = config_true(c, CFG_STORAGE_INSTEAD);
    l->link_ms = config_number(c, CFG_LINK_HOURS) * 3600000;
    l->parcel_wait_ms = config_number(c, CFG_BROKER_WAIT) * 1000;
}

bool serving_open(struct serving *s, struct fault *f)
{
    return open_data(s, f) && open_cache(s, f) && open_net(s, f) && open_api(s, f);
}

bool serving_open_files(struct serving *s, struct fault *f)
{
    port_known(s);
    return open_storages(s, f) && open_recorder(s, f);
}

void serving_open_sides(struct serving *s)
{
    open_control(s);
    open_metrics(s);
}
