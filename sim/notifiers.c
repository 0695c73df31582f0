/* notifiers.c - plays the four services operators are told on: Slack's and Discord's webhooks, PagerDuty's Events API, Genesys Cloud's Generic Webhook.
 *
 *   dragoman sim notifiers --listen 127.0.0.1:9009
 *
 * Set in the hub, for a simulator at http://127.0.0.1:9009 with its standard options:
 *   {type: slack,         url: "http://127.0.0.1:9009/services/T0000/B0000/abcdefghijklmnopqrstuvwx"}
 *   {type: discord,       url: "http://127.0.0.1:9009/api/webhooks/123456789012345678/discord-token-0123456789"}
 *   {type: pagerduty,     routing_key: 0123456789abcdef0123456789abcdef, base_url: "http://127.0.0.1:9009"}
 *   {type: genesys-cloud, url: "http://127.0.0.1:9009/webhooks/api/v1/webhook/6b9a1f4e-0000-4000-8000-1234567890ab"}
 *
 * Control API
 *   GET    /sim/notices   {"notices":[{"n","at","vendor","status","title","text","action","key","colour","hidden","body"}],"alerts":[{"key","open","triggers",
 *                         "resolves","opened"}]}: what arrived, also what was refused
 *   DELETE /sim/notices   forgets it
 *   GET    /sim/counters  {"slack":{"calls","taken"}, …}
 *   GET    /sim/events    server-sent events: notice {"n"}, reset
 *   GET|POST|DELETE /sim/faults   faults.h
 */
#include "sim/notifiers.h"
#include "sim/feed.h"

/* clang-format off */
static const struct sim_option options[] = {
    { "slack",         "T/B/TOKEN", "T0000/B0000/abcdefghijklmnopqrstuvwx",       "what stands behind /services/ in the webhook's address" },
    { "discord",       "ID/TOKEN",  "123456789012345678/discord-token-0123456789", "what stands behind /api/webhooks/" },
    { "pagerduty",     "KEY",       "0123456789abcdef0123456789abcdef",           "the integration key" },
    { "genesys-cloud", "UUID",      "6b9a1f4e-0000-4000-8000-1234567890ab",       "what stands behind /webhooks/api/v1/webhook/" },
    { "slack-limit",     "N", "30",  "calls in ten seconds before 429; 0: any" },
    { "discord-limit",   "N", "5",   "calls in two seconds before 429; 0: any" },
    { "pagerduty-limit", "N", "120", "calls in a minute before 429; 0: any" },
};
const char *const sno_names[SNO_VENDORS] = { [SNO_SLACK] = "slack", [SNO_DISCORD] = "discord", [SNO_DUTY] = "pagerduty", [SNO_GENESYS] = "genesys-cloud" };
static const char *const limit_names[SNO_VENDORS] = { [SNO_SLACK] = "slack-limit", [SNO_DISCORD] = "discord-limit", [SNO_DUTY] = "pagerduty-limit" };
/* clang-format on */
enum { LIST_BYTES = 16 << 20, KEPT_BYTES = 2 << 20, LIMIT_MOST = 1000000 };

/* ---- what arrived ------------------------------------------------------------------------------------------------------------ */

static void kept_free(struct sno_kept *k)
{
    free(k->json);
    free(k);
}

static slice kept_json(struct arena *a, const struct sno_kept *k, slice body, const struct sno_said *said)
{
    struct jw w = jw_new(a, KEPT_BYTES);
    jw_open(&w, NULL, '{');
    jw_int(&w, "n", k->n);
    jw_time(&w, "at", k->at_ms);
    jw_str(&w, "vendor", slice_of(sno_names[k->vendor]));
    jw_int(&w, "status", k->status);
    jw_opt(&w, "title", said->title);
    jw_opt(&w, "text", said->text);
    jw_opt(&w, "action", said->action);
    jw_opt(&w, "key", said->key);
    if (said->colour >= 0)
        jw_str(&w, "colour", arena_printf(a, "#%06llx", (unsigned long long)(said->colour & 0xffffff)));
    jw_bool(&w, "hidden", said->hidden);
    if (js_parse(a, body, NULL))
        jw_raw(&w, "body", body);
    else
        jw_str(&w, "body", body);
    jw_close(&w, '}');
    return jw_done(&w);
}

void sno_keep(struct sno *s, struct sim_call *c, enum sno_vendor vendor, int status, const struct sno_said *said)
{
    struct sno_kept *k = must_calloc(1, sizeof(*k));
    *k = (struct sno_kept){ .n = ++s->calls[vendor], .at_ms = time_now_ms(), .vendor = vendor, .status = status };
    for (size_t i = 0; i < SNO_VENDORS; i++)
        if (i != vendor)
            k->n += s->calls[i];
    s->taken[vendor] += status < 300;
    slice json = kept_json(c->x->a, k, c->x->body, said);
    if (!json.p)
        json = SL("{}");
    k->json = must_malloc(json.n + 1);
    memcpy(k->json, json.p, json.n);
    k->json[json.n] = 0;
    *(s->first ? s->last : &s->first) = k;
    s->last = &k->next;
    if (++s->n_kept > SNO_KEPT) {
        struct sno_kept *old = s->first;
        s->first = old->next;
        s->n_kept--;
        kept_free(old);
    }
    feed_send(s->env->feed, "notice", arena_printf(c->x->a, "{\"n\":%lld}", (long long)k->n));
}

static void forget(struct sno *s)
{
    for (struct sno_kept *k = s->first, *next; k; k = next) {
        next = k->next;
        kept_free(k);
    }
    for (struct sno_alert *al = s->alerts, *next; al; al = next) {
        next = al->next;
        free(al);
    }
    s->first = NULL;
    s->alerts = NULL;
    s->n_kept = s->n_alerts = 0;
}

static void notices_get(struct sim_call *c, void *ctx)
{
    struct sno *s = ctx;
    struct jw w = jw_new(c->x->a, LIST_BYTES);
    jw_open(&w, NULL, '{');
    jw_open(&w, "notices", '[');
    for (const struct sno_kept *k = s->first; k; k = k->next)
        jw_raw(&w, NULL, slice_of(k->json));
    jw_close(&w, ']');
    jw_open(&w, "alerts", '[');
    for (const struct sno_alert *al = s->alerts; al; al = al->next) {
        jw_open(&w, NULL, '{');
        jw_str(&w, "key", slice_of(al->key));
        jw_bool(&w, "open", al->open);
        jw_int(&w, "triggers", al->triggers);
        jw_int(&w, "resolves", al->resolves);
        jw_int(&w, "opened", al->opened);
        jw_close(&w, '}');
    }
    jw_close(&w, ']');
    jw_close(&w, '}');
    sim_json(c, 200, jw_done(&w));
}

static void notices_delete(struct sim_call *c, void *ctx)
{
    struct sno *s = ctx;
    forget(s);
    feed_send(s->env->feed, "reset", SL("{}"));
    sim_json(c, 200, SL("{}"));
}

static void counters_get(struct sim_call *c, void *ctx)
{
    const struct sno *s = ctx;
    struct jw w = jw_new(c->x->a, 4096);
    jw_open(&w, NULL, '{');
    for (size_t i = 0; i < SNO_VENDORS; i++) {
        jw_open(&w, sno_names[i], '{');
        jw_int(&w, "calls", s->calls[i]);
        jw_int(&w, "taken", s->taken[i]);
        jw_close(&w, '}');
    }
    jw_close(&w, '}');
    sim_json(c, 200, jw_done(&w));
}

static const struct sim_route control[] = {
    { "GET", "/sim/notices", notices_get, SIM_CONTROL },
    { "DELETE", "/sim/notices", notices_delete, SIM_CONTROL },
    { "GET", "/sim/counters", counters_get, SIM_CONTROL },
};

/* ---- life -------------------------------------------------------------------------------------------------------------------- */

static void sno_stop(void *state)
{
    struct sno *s = state;
    forget(s);
    free(s);
}

static void *sno_start(struct sim_env *env, struct fault *f)
{
    struct sno *s = must_calloc(1, sizeof(*s));
    s->env = env;
    env->state = s;
    for (size_t i = 0; i < SNO_VENDORS; i++) {
        s->secrets[i] = sim_option(env, sno_names[i]);
        if (limit_names[i] && !sim_option_int(env, limit_names[i], 0, LIMIT_MOST, &s->limits[i], f))
            return NULL;
    }
    sim_routes(env, control, COUNT(control), s, NULL);
    sno_vendor_routes(s);
    return s;
}

const struct sim sim_notifiers = {
    .name = "notifiers",
    .title = "the services operators are told on: Slack, Discord, PagerDuty, Genesys Cloud",
    .page = true,
    .options = options,
    .n_options = COUNT(options),
    .start = sno_start,
    .stop = sno_stop,
    .refuse = sno_refuse,
};
