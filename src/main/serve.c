#include "main/serve-private.h"
#include "api/api.h"
#include "api/ops.h"
#include "base/pages.h"
#include "broker/broker.h"
#include "cache/cache.h"
#include "hub/accept.h"
#include "hub/config.h"
#include "hub/conversation.h"
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
#include "main/access_log.h"
#include "main/child.h"
#include "main/commands.h"
#include "main/door.h"
#include "main/internal.h"
#include "main/pages.h"
#include "storages/local/local.h"
#include "store/store.h"
#include <malloc.h>
#include <signal.h>

enum { DRAIN_LOOK_MS = 20, PRUNE_THRESHOLD = 128 << 10, STARTED_MS = 2000 /* by then the accounts are set up, usually */ };

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

/* ---- log ---------------------------------------------------------------------------------------------------------------- */

static void flush_log(void *arg)
{
    struct serving *s = arg;
    logger_flush(s->logger);
    loop_timer_start(s->hub.loop, &s->flush_timer, logger_flush_ms(s->logger), flush_log, s);
}

void serving_observe(void *ctx, const struct exchange *x, int status, size_t written, int64_t took_us)
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
    bool idle = s->busy == 0 && s->hub.open_runs == 0 && (!s->hub.intake || intake_open(s->hub.intake) == 0);
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

void serving_signal(void *arg, int signum)
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
    if (s->hub.intake)
        intake_lost(s->hub.intake); /* what is not begun is the next one's. The shard stays ours until what is under way is stored: a token that could not be kept would be lost */
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

/* ---- start ------------------------------------------------------------------------------------------------------------- */

bool serving_start(struct serving *s, struct fault *f)
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
    serving_limits(s);
    (void)hub_steady_ms(h); /* from here on ages are told by it */
    h->conversations = conversations_new(h);
    if (!serving_open(s, f))
        return false;
    accounts_make(s); /* behind the API's settings: they may name its storages */
    slice token = config_text(s->config, CFG_ADMIN_TOKEN);
    if (!token.n && !(token = internal_token(s->a, data.p, f)).n)
        return false;
    if (!serving_open_files(s, f))
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
    server_observe(s->server, serving_observe, s);
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
    serving_open_sides(s);
    serving_media_again(s);
    media_purge_start(h);
    responses_start(h);
    later_start(h);
    storages_check(h);
    for (size_t i = 0; i < h->n_actors; i++)
        actor_start(h->actors[i]);
    if (!s->worker) {
        loop_signal(h->loop, SIGTERM, serving_signal, s);
        loop_signal(h->loop, SIGINT, serving_signal, s);
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
    intake_free(s->hub.intake);
    notices_free(h->notices);
    storages_close(h);
    refusals_free(h->refused);
    recorder_free(h->recorder);
    seal_free(s->seal);
    metrics_free(h->metrics);
    loop_timer_done(&s->flush_timer);
    loop_timer_done(&s->drain_timer);
    loop_timer_done(&s->started_timer);
    loop_timer_done(&s->journal_timer);
    if (h->loop)
        loop_free(h->loop);
    api_free(s->api);
}

int command_check(const struct options *o)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    const struct config *c = options_config(a, o);
    if (!c)
        return 1;
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
    struct serving *s = ARENA_NEW(a, struct serving);
    struct fault f = { 0 };
    s->a = a;
    s->worker = worker;
    s->config = options_config(a, o);
    if (!s->config)
        return 1;
    if (!worker && config_text(s->config, CFG_BROKER).n)
        return door_serve(o, s->config, a);
    s->logger = logger_new("dragoman", getenv, &f);
    if (!s->logger)
        return command_failed("log", &f);
    if (config_text(s->config, CFG_LOG_LEVEL).n)
        logger_set_levels(s->logger, config_text(s->config, CFG_LOG_LEVEL));
    s->log = log_root(s->logger);
    bool ok = worker ? worker_stand_by(s, &f) : serving_start(s, &f);
    if (ok && !worker) {
        struct log_line *l = log_begin(&s->log, LEVEL_ALWAYS, "Dragoman " DRAGOMAN_VERSION " serves on port %u", server_port(s->server));
        log_int(l, "tenants", (int64_t)s->hub.n_tenants);
        log_int(l, "accounts", (int64_t)s->hub.n_actors);
        log_end(l);
        logger_flush(s->logger);
    }
    int rc = ok ? 0 : command_failed("cannot start", &f);
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
