/* pagerduty.c - PagerDuty: Events API v2.
 *
 * What happened is a change event, a problem is an alert, its end resolves it. A ruleset's key (it begins with R) takes no change events: a start resolves
 * the service's alert there, a planned stop is not told.
 *
 * Wire facts: docs/wire/notifiers.md, "PagerDuty".
 */
#include "hub/notifier.h"
#include "wire/js.h"

/* clang-format off */
enum { SET_KEY, SET_BASE_URL, SET_CLIENT };
static const struct setting pagerduty_settings[] = {
    [SET_KEY]      = { "routing_key", "Integration key", .required = true, .secret = true, .min = 32, .max = 32,
        .help = "Service, Integrations, Events API V2: 32 characters" },
    [SET_BASE_URL] = { "base_url", "API address", SETTING_URL, .otherwise = "https://events.pagerduty.com",
        .help = "https://events.eu.pagerduty.com for accounts in the EU service region" },
    [SET_CLIENT]   = { "client", "Client", .otherwise = "Dragoman", .max = 100, .help = "Named on the alert, with a link to public_url" },
};
static const char *const severities[NOTICE_COLOURS] = { /* only these words are taken, and critical */
    [NOTICE_GOOD] = "info", [NOTICE_CALM] = "info", [NOTICE_BAD] = "warning", [NOTICE_ERROR] = "error",
};
/* clang-format on */
enum { PAGERDUTY_BYTES = 16 << 10, SUMMARY_CHARS = 1024 };

static bool pagerduty_check(struct notice_call *c)
{
    slice key = c->settings[SET_KEY];
    for (size_t i = 0; i < key.n; i++)
        if (!((key.p[i] >= '0' && key.p[i] <= '9') || ((key.p[i] | 0x20) >= 'a' && (key.p[i] | 0x20) <= 'z')))
            return fault(c->f, "wrong_type", "routing_key", "must be 32 letters and digits");
    return true;
}

static slice summary(struct arena *a, const struct notice *n)
{
    struct text t = text_new(a, PAGERDUTY_BYTES);
    text_put(&t, n->head);
    if (notice_of_account(n)) {
        if (n->tenant.n)
            text_add(&t, ": " SLF, SLA(n->tenant));
    } else {
        text_add(&t, "%s" SLF " " SLF, n->version.n ? " " : "", SLA(n->version), SLA(n->verb));
        if (n->act == NOTICE_CHANGE && n->instance.n)
            text_add(&t, " on " SLF, SLA(n->instance));
    }
    if (n->reason.n)
        text_add(&t, ": " SLF, SLA(n->reason));
    text_put(&t, notice_times(a, n));
    return utf8_cut(text_slice(&t), SUMMARY_CHARS);
}

static void change(struct arena *a, struct jw *w, const struct notice *n)
{
    jw_open(w, "payload", '{');
    jw_str(w, "summary", summary(a, n));
    if (n->at_ms)
        jw_time(w, "timestamp", n->at_ms);
    jw_opt(w, "source", n->instance);
    jw_open(w, "custom_details", '{');
    jw_opt(w, "environment", n->environment);
    if (n->uptime_ms)
        jw_str(w, "uptime", notice_span(a, n->uptime_ms));
    jw_close(w, '}');
    jw_close(w, '}');
}

static void details(struct jw *w, const struct notice *n)
{
    jw_open(w, "custom_details", '{');
    jw_opt(w, "tenant", n->tenant_id);
    jw_opt(w, "account", n->account);
    jw_opt(w, "network", n->network);
    jw_opt(w, "reason", n->detail);
    if (n->since_ms)
        jw_time(w, "since", n->since_ms);
    if (n->count > 1)
        jw_int(w, "times", n->count);
    jw_close(w, '}');
}

static void trigger(struct notice_call *c, struct jw *w, const struct notice *n)
{
    bool account = notice_of_account(n);
    if (c->settings[SET_CLIENT].n) {
        jw_str(w, "client", c->settings[SET_CLIENT]);
        jw_opt(w, "client_url", c->public_url);
    }
    jw_open(w, "payload", '{');
    jw_str(w, "summary", summary(c->a, n));
    jw_str(w, "source", account ? n->service : n->instance);
    jw_str(w, "severity", slice_of(severities[n->colour]));
    jw_str(w, "component", account ? n->tenant : n->service);
    jw_opt(w, "group", n->environment);
    jw_str(w, "class", n->kind);
    if (n->at_ms)
        jw_time(w, "timestamp", n->at_ms);
    details(w, n);
    jw_close(w, '}');
}

static bool pagerduty_build(struct notice_call *c, const struct notice *n, struct http_call *ret)
{
    bool ruleset = slice_starts(c->settings[SET_KEY], SL("R"));
    enum notice_act act = n->act;
    if (act == NOTICE_CHANGE && ruleset) {
        if (n->colour != NOTICE_GOOD || !n->key.n)
            return false;
        act = NOTICE_RESOLVE;
    }
    struct jw w = jw_new(c->a, PAGERDUTY_BYTES);
    jw_open(&w, NULL, '{');
    jw_str(&w, "routing_key", c->settings[SET_KEY]);
    if (act == NOTICE_CHANGE) {
        change(c->a, &w, n);
    } else {
        jw_str(&w, "event_action", act == NOTICE_TRIGGER ? SL("trigger") : SL("resolve"));
        jw_str(&w, "dedup_key", n->key);
        if (act == NOTICE_TRIGGER)
            trigger(c, &w, n);
    }
    jw_close(&w, '}');
    ret->method = "POST";
    ret->url = arena_printf(c->a, SLF "/v2%s/enqueue", SLA(c->settings[SET_BASE_URL]), act == NOTICE_CHANGE ? "/change" : "");
    ret->type = SL("application/json");
    ret->body = jw_done(&w);
    return true;
}

/* 202 is taken; 400 says in "errors" what is wrong with the event, in words that may repeat it: only the status is told. */
static void pagerduty_judge(struct notice_call *c, const struct answer *r, struct notice_verdict *ret)
{
    enum { AGAIN_MS = 30000 }; /* as PagerDuty advises */
    notice_usual(c, r, ret);
    if (r->status == 429 || r->status >= 500)
        ret->wait_ms = MAX(ret->wait_ms, (int64_t)AGAIN_MS);
    if (r->status == 400)
        fault(c->f, "refused", "", "status 400: the routing key or the event is not valid");
}

const struct notifier notifier_pagerduty = {
    .name = "pagerduty",
    .title = "PagerDuty",
    .settings = pagerduty_settings,
    .n_settings = COUNT(pagerduty_settings),
    .rate = { .calls = 100, .per_ms = 60000 },
    .resolves = true,
    .check = pagerduty_check,
    .build = pagerduty_build,
    .judge = pagerduty_judge,
};
