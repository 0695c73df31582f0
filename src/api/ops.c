#include "api/ops.h"
#include "api/commit.h"
#include "base/pages.h"
#include "cache/cache.h"
#include "hub/conversation.h"
#include "hub/deliver.h"
#include "hub/notice.h"
#include "hub/pages.h"
#include "hub/recorder.h"
#include "hub/storage_set.h"
#include "store/store.h"
#include "wire/url.h"
#include <malloc.h>
#include <sys/sysinfo.h>
#include <time.h>

/* Where an operator's call comes in. */
struct door {
    struct ops *ops;
    bool trusted; /* who gets here is the owner of the data directory */
};
enum { PROBE_MS = 1000 }; /* between two looks whether the store answers */

struct ops {
    struct hub *hub;
    struct server *server;
    slice token;
    struct door outer, inner;
    int64_t started_ms, started_mono_ms, probed_ms;
    struct loop_timer lag;
    int64_t lag_due_us, lag_us; /* the largest since it was last told */
    bool stopping;
};

enum { LAG_EVERY_MS = 5000 };
enum { READY_BYTES = 4096, READY_EACH_BYTES = 4096 /* of an account or a storage: its name and why it does not work, every byte escaped */ };

static void liveness(struct exchange *x, void *ctx)
{
    (void)ctx;
    exchange_text(x, 200, SL("ok\n"));
}

static bool ready(const struct ops *o)
{
    return !o->stopping && journal_healthy(o->hub->journal);
}

/* Also where it is this process's own. */
static bool cache_reachable(const struct ops *o)
{
    return !o->hub->cache || cache_numbers(o->hub->cache).reachable;
}

static void probed(void *arg, slice value, const struct fault *f)
{
    (void)arg;
    (void)value;
    (void)f; /* store_numbers tells */
}

/* Who has nothing to ask of the store does not see that it went, or that it is back. */
static void probe_store(struct ops *o)
{
    int64_t now_ms = time_mono_ms();
    if (now_ms - o->probed_ms < PROBE_MS || store_numbers(o->hub->store).queue)
        return;
    o->probed_ms = now_ms;
    store_get(o->hub->store, SL("probe"), probed, NULL);
}

/* What is lost stops no message: the hub is ready without it. */
static void write_backends(struct jw *w, struct ops *o)
{
    probe_store(o);
    struct store_numbers sn = store_numbers(o->hub->store);
    jw_open(w, "store", '{');
    jw_str(w, "engine", slice_of(sn.engine));
    jw_bool(w, "reachable", sn.reachable);
    jw_close(w, '}');
    jw_open(w, "cache", '{');
    jw_str(w, "engine", slice_of(o->hub->cache ? cache_numbers(o->hub->cache).engine : "memory"));
    jw_bool(w, "reachable", cache_reachable(o));
    jw_close(w, '}');
}

static void readiness(struct exchange *x, void *ctx)
{
    struct ops *o = ctx;
    struct hub *h = o->hub;
    struct jw w = jw_new(x->a, READY_BYTES + READY_EACH_BYTES * (h->n_actors + storages_count(h)));
    jw_open(&w, NULL, '{');
    jw_bool(&w, "ready", ready(o));
    jw_bool(&w, "stopping", o->stopping);
    jw_bool(&w, "journal", journal_healthy(h->journal));
    if (!journal_healthy(h->journal))
        jw_str(&w, "why", slice_of(journal_last_fault(h->journal)->text));
    write_backends(&w, o);
    jw_open(&w, "accounts", '[');
    for (size_t i = 0; i < h->n_actors; i++) {
        const struct actor *actor = h->actors[i];
        if (actor->retired)
            continue;
        jw_open(&w, NULL, '{');
        jw_str(&w, "id", actor->account.id);
        jw_bool(&w, "set_up", actor->set_up);
        if (!actor->set_up && actor->setup_fault.code)
            jw_str(&w, "why", slice_of(actor->setup_fault.text));
        jw_close(&w, '}');
    }
    jw_close(&w, ']');
    jw_open(&w, "storages", '[');
    for (size_t i = 0; i < storages_count(h); i++) {
        const struct storage *s = storages_at(h, i);
        jw_open(&w, NULL, '{');
        jw_str(&w, "name", s->name);
        jw_str(&w, "type", slice_of(s->type->name));
        jw_bool(&w, "works", (s->checked || s == h->storage) && !s->trouble.code);
        if (s->trouble.code)
            jw_str(&w, "why", slice_of(s->trouble.text));
        jw_close(&w, '}');
    }
    jw_close(&w, ']');
    jw_close(&w, '}');
    exchange_json(x, ready(o) ? 200 : 503, jw_done(&w));
}

/* DRAGOMAN_COMMIT: "HASH SECONDS", of the commit this was built from; "" where there was no git. The agents' and administrators' pages are part of the
 * program: their versions are its own. */
static void build_info(struct jw *w)
{
    slice at = SL(DRAGOMAN_COMMIT), hash = slice_cut(&at, ' ');
    int64_t seconds = 0;
    jw_str(w, "version", SL(DRAGOMAN_VERSION));
    jw_str(w, "changeset", slice_or(hash, SL("unknown")));
    time_t when = slice_int(slice_trim(at), &seconds) ? (time_t)seconds : 0;
    struct tm tm = { 0 };
    char text[64];
    strftime(text, sizeof(text), "%a %b %d %H:%M:%S UTC %Y", gmtime_r(&when, &tm));
    jw_str(w, "timestamp", slice_of(text));
    jw_str(w, "@genesys/nexus-ux", SL(DRAGOMAN_VERSION));
    jw_str(w, "@genesys/nexus-admin-ux", SL(DRAGOMAN_VERSION));
}

static void detail(struct exchange *x, void *ctx)
{
    struct ops *o = ctx;
    struct sysinfo si = { 0 };
    sysinfo(&si);
    struct mallinfo2 mi = mallinfo2();
    bool green = ready(o);
    struct jw w = jw_new(x->a, 8192);
    jw_open(&w, NULL, '{');
    jw_open(&w, "buildInfo", '{');
    build_info(&w);
    jw_close(&w, '}');
    jw_time(&w, "startTime", o->started_ms);
    jw_open(&w, "os", '{');
    jw_int(&w, "upTime", si.uptime);
    jw_int(&w, "freemem", (int64_t)si.freeram * si.mem_unit);
    jw_open(&w, "loadavg", '[');
    for (size_t i = 0; i < 3; i++)
        jw_double(&w, NULL, (double)(si.loads[i] * 100 / (1 << SI_LOAD_SHIFT)) / 100);
    jw_close(&w, ']');
    jw_int(&w, "totalmem", (int64_t)si.totalram * si.mem_unit);
    jw_close(&w, '}');
    jw_int(&w, "upTime", time_mono_ms() - o->started_mono_ms);
    jw_open(&w, "memoryUsage", '{');
    jw_int(&w, "rss", pages_resident());
    jw_int(&w, "heapTotal", (int64_t)mi.arena);
    jw_int(&w, "heapUsed", (int64_t)mi.uordblks);
    jw_int(&w, "external", (int64_t)mi.hblkhd);
    jw_int(&w, "arrayBuffers", 0);
    jw_close(&w, '}');
    bool cached = cache_reachable(o);
    probe_store(o);
    jw_open(&w, "cache", '{');
    jw_bool(&w, "ready", cached);
    jw_str(&w, "state", cached ? SL("READY") : SL("RECONNECTING"));
    jw_close(&w, '}');
    jw_open(&w, "db", '{');
    jw_bool(&w, "ready", journal_healthy(o->hub->journal) && store_numbers(o->hub->store).reachable);
    jw_close(&w, '}');
    jw_str(&w, "state", green ? SL("green") : SL("red"));
    jw_close(&w, '}');
    exchange_json(x, green ? 200 : 503, jw_done(&w));
}

static void cache_connected(void *arg, int64_t took_us)
{
    struct ops *o = arg;
    METRIC_OBSERVE(o->hub->metrics, METRIC_NEXUS_REDIS_UNTIL, (double)took_us / 1e6);
}

static void collect(void *arg, struct metrics *m)
{
    struct ops *o = arg;
    int64_t counts[J_STATES];
    journal_counts(o->hub->journal, counts);
    for (size_t i = 0; i < J_STATES; i++)
        METRIC_SET(m, METRIC_JOURNAL_MESSAGES, counts[i], slice_of(jstate_names[i]));
    METRIC_SET(m, METRIC_JOURNAL_LANES, journal_lanes(o->hub->journal));
    METRIC_SET(m, METRIC_JOURNAL_HEALTHY, journal_healthy(o->hub->journal));
    struct journal_numbers jn = journal_numbers(o->hub->journal);
    METRIC_SET(m, METRIC_JOURNAL_COMMITS, jn.commits);
    METRIC_SET(m, METRIC_JOURNAL_BATCHES, jn.batches);
    METRIC_SET(m, METRIC_JOURNAL_BYTES, jn.bytes);
    METRIC_SET(m, METRIC_JOURNAL_SECONDS, (double)jn.commit_us / 1e6);
    struct store_numbers sn = store_numbers(o->hub->store);
    METRIC_SET(m, METRIC_STORE_COMMITS, sn.commits);
    METRIC_SET(m, METRIC_STORE_QUEUE, sn.queue);
    METRIC_SET(m, METRIC_STORE_FAILURES, sn.failures);
    METRIC_SET(m, METRIC_STORE_CONNECTS, sn.connects);
    if (o->hub->cache) {
        struct cache_numbers cn = cache_numbers(o->hub->cache);
        METRIC_SET(m, METRIC_CACHE_COMMANDS, cn.commands);
        METRIC_SET(m, METRIC_CACHE_FAILURES, cn.failures);
        METRIC_SET(m, METRIC_CACHE_CONNECTS, cn.connects);
        METRIC_SET(m, METRIC_CACHE_REACHABLE, cn.reachable);
        METRIC_SET(m, METRIC_NEXUS_REDIS_ESTABLISHED, cn.connections);
        METRIC_SET(m, METRIC_NEXUS_REDIS_READY, cn.ready);
        METRIC_SET(m, METRIC_NEXUS_REDIS_RECONNECTING, cn.connections - cn.ready);
        METRIC_SET(m, METRIC_NEXUS_REDIS_ERRORS, cn.failures);
    }
    METRIC_SET(m, METRIC_NEXUS_DB_CONNECTS, 1 + sn.connects, SL("store"));
    METRIC_SET(m, METRIC_NEXUS_DB_DISCONNECTS, sn.losses, SL("store"));
    METRIC_SET(m, METRIC_LOG_LOST, logger_lost(o->hub->log->to));
    METRIC_SET(m, METRIC_HTTP_CONNECTIONS, server_connections(o->server));
    METRIC_SET(m, METRIC_CONVERSATIONS, conversations_open(o->hub));
    METRIC_SET(m, METRIC_BUILD, 1, SL(DRAGOMAN_VERSION));
    METRIC_SET(m, METRIC_NEXUS_LAG, (double)o->lag_us / 1e6);
    METRIC_SET(m, METRIC_IWD_LAG, (double)o->lag_us / 1e6);
    o->lag_us = 0;
}

/* ---- the numbers that the guide names ---------------------------------------------------------------------------------- */

static void lag_look(void *arg)
{
    struct ops *o = arg;
    int64_t now_us = time_mono_us();
    o->lag_us = MAX(o->lag_us, now_us - o->lag_due_us);
    o->lag_due_us = now_us + LAG_EVERY_MS * 1000;
    loop_timer_start(o->hub->loop, &o->lag, LAG_EVERY_MS, lag_look, o);
}

static void on_store(void *arg, const char *command, const struct fault *f, int64_t took_us)
{
    struct metrics *m = ((struct ops *)arg)->hub->metrics;
    METRIC_ADD(m, METRIC_NEXUS_DB_REQUESTS, 1, SL("store"));
    METRIC_OBSERVE(m, METRIC_NEXUS_DB_DURATION, (double)took_us / 1000, SL("store"), slice_of(command));
    if (f)
        METRIC_ADD(m, METRIC_NEXUS_DB_ERRORS, 1, SL("store"), slice_of(f->code));
    else
        METRIC_ADD(m, METRIC_NEXUS_DB_SUCCESS, 1, SL("store"), slice_of(command));
}

static void guide_metrics(struct ops *o)
{
    METRIC_SET(o->hub->metrics, METRIC_NEXUS_DB_CONNECTS, 1, SL("store"));
    METRIC_SET(o->hub->metrics, METRIC_NEXUS_DB_DISCONNECTS, 0, SL("store"));
    METRIC_SET(o->hub->metrics, METRIC_NEXUS_DB_REQUESTS, 0, SL("store"));
    store_observe(o->hub->store, on_store, o);
    if (o->hub->cache)
        cache_on_connect(o->hub->cache, cache_connected, o);
    o->lag_due_us = time_mono_us() + LAG_EVERY_MS * 1000;
    loop_timer_start(o->hub->loop, &o->lag, LAG_EVERY_MS, lag_look, o);
}

static void metrics(struct exchange *x, void *ctx)
{
    struct ops *o = ctx;
    exchange_answer(x, &(struct response){ .status = 200, .type = metrics_content_type, .body = metrics_print(o->hub->metrics, x->a) });
}

/* ---- the journal's dead letters ------------------------------------------------------------------------------------- */

bool ops_allowed(const struct door *door, struct exchange *x)
{
    if (door->trusted)
        return true;
    slice given = exchange_header(x, "Authorization");
    slice scheme = SL("Bearer ");
    if (slice_starts(given, scheme) && bytes_equal_secret(slice_from(given, scheme.n), door->ops->token))
        return true;
    struct fault f;
    fault(&f, "unauthorized", "Authorization", "the token of admin.token in the data directory is needed");
    exchange_fault(x, 401, &f);
    return false;
}

static void counts(struct exchange *x, void *ctx)
{
    struct door *door = ctx;
    if (!ops_allowed(door, x))
        return;
    int64_t n[J_STATES];
    journal_counts(door->ops->hub->journal, n);
    struct jw w = jw_new(x->a, 1024);
    jw_open(&w, NULL, '{');
    for (size_t i = 0; i < J_STATES; i++)
        jw_int(&w, jstate_names[i], n[i]);
    jw_close(&w, '}');
    exchange_json(x, 200, jw_done(&w));
}

struct deciding {
    struct hub *hub;
    struct exchange *x;
    size_t done, asked;
    uint64_t *discarded; /* NULL: it is a replay */
};

static void decided(void *arg, bool ok)
{
    struct deciding *de = arg;
    struct fault f;
    if (!ok) {
        fault(&f, "not_stored", "", "the journal could not store it");
        exchange_fault(de->x, 503, &f);
        return;
    }
    for (size_t i = 0; de->discarded && i < de->done; i++)
        deliver_discarded(de->hub, de->discarded[i]);
    if (de->done)
        hub_notice(de->hub, NOTICE_DEAD_LOOKED_AT, NULL, SLICE_NONE);
    exchange_json(de->x, 200, arena_printf(de->x->a, "{\"asked\":%zu,\"done\":%zu}", de->asked, de->done));
}

static void decide(struct door *door, struct exchange *x, bool replays)
{
    struct fault f;
    if (!ops_allowed(door, x))
        return;
    const struct js *ids = js_at(js_parse(x->a, x->body, &f), "ids");
    if (!js_is_array(ids)) {
        fault(&f, "wrong_type", "ids", "a list of message numbers is needed");
        exchange_fault(x, 400, &f);
        return;
    }
    struct deciding *de = ARENA_NEW(x->a, struct deciding);
    de->hub = door->ops->hub;
    de->x = x;
    de->discarded = replays ? NULL : ARENA_ARRAY(x->a, uint64_t, js_len(ids) + 1);
    slice note = SL("{\"by\":\"operator\"}");
    struct jbatch *b = jbatch_new(de->hub->journal);
    for (size_t i = 0; i < js_len(ids); i++) {
        int64_t id;
        if (!js_int(js_item(ids, i), &id) || id <= 0)
            continue;
        de->asked++;
        if (!(replays ? jbatch_replay(b, (uint64_t)id, note) : jbatch_discard(b, (uint64_t)id, note)))
            continue;
        if (de->discarded)
            de->discarded[de->done] = (uint64_t)id;
        de->done++;
    }
    jbatch_commit(b, JOURNAL_DURABLE, decided, de);
}

static void replay(struct exchange *x, void *ctx)
{
    decide(ctx, x, true);
}

static void discard(struct exchange *x, void *ctx)
{
    decide(ctx, x, false);
}

/* ---- recording ---------------------------------------------------------------------------------------------------- */

static void record(struct exchange *x, void *ctx)
{
    struct door *door = ctx;
    struct recorder *r = door->ops->hub->recorder;
    struct fault f;
    if (!ops_allowed(door, x))
        return;
    const struct js *doc = js_parse(x->a, x->body, &f), *on = js_at(doc, "on");
    if (!doc || (on && !js_is_bool(on))) {
        fault(&f, "wrong_type", "on", "true, false, or left out to ask how it stands");
        exchange_fault(x, 400, &f);
        return;
    }
    if (on && js_true(on) && !recorder_start(r, &f)) {
        exchange_fault(x, 503, &f);
        return;
    }
    if (on && !js_true(on))
        recorder_stop(r);
    struct recorder_state st = recorder_state(r);
    struct jw w = jw_new(x->a, 8192);
    jw_open(&w, NULL, '{');
    jw_bool(&w, "on", st.on);
    jw_str(&w, "file", st.path);
    jw_int(&w, "webhooks", st.webhooks);
    jw_int(&w, "bytes", st.bytes);
    jw_int(&w, "max_bytes", st.max_bytes);
    jw_close(&w, '}');
    exchange_json(x, 200, jw_done(&w));
}

/* ---- registrations --------------------------------------------------------------------------------------------------- */

static void registration_found(void *arg, slice part)
{
    struct exchange *x = arg;
    struct fault f;
    if (part.n) {
        exchange_json(x, 200, part);
        return;
    }
    fault(&f, "not_found", "", "nobody of that name has registered");
    exchange_fault(x, 404, &f);
}

static void registration(struct exchange *x, void *ctx)
{
    struct door *door = ctx;
    if (!ops_allowed(door, x))
        return;
    slice key = x->rest, connector = slice_cut(&key, '/');
    pages_record(door->ops->hub, connector, slice_or(url_decode(x->a, key), SL("")), registration_found, x);
}

static void internal_routes(struct server *s, struct door *door)
{
    server_route(s, "GET", "/internal/journal/counts", 0, counts, door);
    server_route(s, "POST", "/internal/journal/replay", 0, replay, door);
    server_route(s, "POST", "/internal/journal/discard", 0, discard, door);
    server_route(s, "POST", "/internal/record", 0, record, door);
    server_route(s, "GET", "/internal/registrations/*", 0, registration, door);
    notifier_ops_routes(door, s);
}

struct hub *ops_hub(const struct door *door)
{
    return door->ops->hub;
}

struct ops *ops_new(struct hub *h, struct server *s, slice admin_token)
{
    struct ops *o = must_calloc(1, sizeof(*o));
    *o = (struct ops){ .hub = h, .server = s, .token = admin_token, .outer = { o, false }, .inner = { o, true },
                       .started_ms = time_now_ms(), .started_mono_ms = time_mono_ms() };
    server_route(s, "GET", "/healthz/liveness", 0, liveness, o);
    server_route(s, "GET", "/healthz/readiness", 0, readiness, o);
    server_route(s, "GET", "/health/detail", 0, detail, o);
    server_route(s, "GET", "/metrics", 0, metrics, o);
    internal_routes(s, &o->outer);
    metrics_collect(h->metrics, collect, o);
    guide_metrics(o);
    return o;
}

void ops_metrics(struct ops *o, struct server *s)
{
    server_route(s, "GET", "/metrics", 0, metrics, o);
}

void ops_control(struct ops *o, struct server *s)
{
    internal_routes(s, &o->inner);
}

void ops_stopping(struct ops *o)
{
    o->stopping = true;
}

void ops_free(struct ops *o)
{
    if (!o)
        return;
    store_observe(o->hub->store, NULL, NULL);
    loop_timer_done(&o->lag);
    free(o);
}
