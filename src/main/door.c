#include "main/door-private.h"
#include "api/api.h"
#include "base/durable.h"
#include "base/metrics.h"
#include "hub/journal_pg.h"
#include "hub/keys.h"
#include "hub/registry.h"
#include "main/access_log.h"
#include "main/child.h"
#include "main/net_open.h"
#include "main/replica.h"
#include "net/forward.h"
#include "net/forwarded.h"
#include "store/store.h"
#include <errno.h>
#include <signal.h>

enum { FORWARD_BODY_MAX = 64 << 20 }; /* no route of the worker's takes more; each has its own limit there */

/* ---- handing over -------------------------------------------------------------------------------------------------------- */

bool door_tells(int64_t *not_before_ms)
{
    int64_t now_ms = time_mono_ms();
    if (now_ms < *not_before_ms)
        return false;
    *not_before_ms = now_ms + DOOR_TELL_AGAIN_MS;
    return true;
}

/* Served all the same, but as that replica's own: the limit on guessing, and the log, take all who come to it for one. */
static void tell_disowned(struct door *d, const struct exchange *x)
{
    if (!door_tells(&d->disowned_ms))
        return;
    struct log_line *l = log_begin(&d->log, LEVEL_ERROR, "A replica hands requests on with a proof that is not good here: its clock differs by more than %d s, or its key", FORWARDED_FRESH_MS / 1000);
    log_str(l, "replica", x->remote);
    log_end(l);
}

static void no_worker(struct exchange *x)
{
    struct fault f;
    fault(&f, "no_worker", "", "no worker is there at the moment; ask again");
    exchange_fault(x, 503, &f);
}

void door_hand_over(struct door *d, struct exchange *x)
{
    bool ours = slice_eq(d->worker, d->url), came = x->forwarded;
    if (x->disowned)
        tell_disowned(d, x);
    if (!d->worker.n || (came && !d->child)) {
        no_worker(x);
        return;
    }
    struct header proof = { SL(FORWARDED_HEADER), forwarded_sign(x->a, slice_mem(d->forward_key, sizeof(d->forward_key)), x->remote, time_now_ms()) };
    forward_exchange(d->forward, x, ours || came ? d->local.p : d->worker.p, &proof, 1);
}

/* Another replica's address that is wrong, or a certificate that nobody trusts: its senders hear of no worker, the operator why. */
static void worker_unreached(void *arg, const char *origin, const struct fault *f)
{
    struct door *d = arg;
    if (slice_starts(slice_of(origin), SL("unix:")) || !door_tells(&d->unreached_ms))
        return; /* our own worker begins, or has just ended: the door says so itself */
    struct log_line *l = log_begin_fault(&d->log, LEVEL_ERROR, f, "The replica of the worker is not reached (its replica_url, or listen)");
    log_str(l, "worker", slice_of(origin));
    log_end(l);
}

static void on_other(struct exchange *x, void *ctx)
{
    door_hand_over(ctx, x);
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
        door_hand_over(d, x);
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
    slice data = config_text(c, CFG_DATA);
    int e = durable_folder(data.p);
    if (e)
        return fault(f, "storage", "data", "cannot make %s: %s", data.p, strerror(e));
    if (!replica_settings(c, f))
        return false;
    d->seal = replica_seal(c, f);
    if (!d->seal)
        return false;
    slice whose = arena_printf(d->a, SLF " " SLF, SLA(replica_mark(d->a, d->seal)), SLA(config_text(c, CFG_BROKER_NAME))); /* workers of two queues would take the fence from each other for ever */
    if (!journal_pg_ours(config_text(c, CFG_STORE).p, whose, f))
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
    struct broker_setup bs = replica_broker(d->a, c, replica_mark(d->a, d->seal));
    d->broker = broker_open(h->loop, &bs, f);
    struct forward_limits fl;
    slice ca = config_text(c, CFG_CA_FILE);
    forward_limits_default(&fl);
    fl.ca_file = ca.n ? ca.p : NULL;
    fl.unreached = worker_unreached;
    fl.arg = d;
    d->forward = d->broker ? forward_new(h->loop, &fl, f) : NULL;
    if (!d->forward)
        return false;
    d->seen = arena_new();
    door_tenants_read(d);
    store_start(h->store, h->loop);
    server_forwarded(d->server, slice_mem(d->forward_key, sizeof(d->forward_key)));
    server_observe(d->server, observe, d);
    api_faults(d->server);
    server_route(d->server, "GET", "/healthz/liveness", 0, liveness, d);
    server_route(d->server, "GET", "/healthz/readiness", 0, readiness, d);
    server_route(d->server, "GET", "/metrics/door", 0, numbers, d);
    door_hooks(d);
    if (service_wanted(c, SL("api")) || service_wanted(c, SL("worker")))
        server_route(d->server, "*", "/*", FORWARD_BODY_MAX, on_other, d);
    loop_signal(h->loop, SIGTERM, on_signal, d);
    loop_signal(h->loop, SIGINT, on_signal, d);
    if (service_wanted(c, SL("worker"))) {
        slice public_url = h->public_url;
        if (slice_ends(public_url, SL(":0")))
            public_url = arena_printf(d->a, SLF "%u", SLA(slice_sub(public_url, 0, public_url.n - 1)), server_port(d->server));
        d->child = child_new(h->loop, &d->log, d->options->all, (const char *[]){ "--public-url", public_url.p, "--replica-url", d->url.p, NULL });
    }
    door_look(d);
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
    door_tenants_free(d);
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
    if (!d->logger)
        return command_failed("log", &f);
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
        command_failed("cannot start", &f);
    }
    stop(d);
    if (ok)
        log_note(&d->log, LEVEL_INFO, "Stopped");
    logger_free(d->logger);
    return ok ? 0 : 1;
}
