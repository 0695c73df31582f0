/* slack.c - Slack: incoming webhooks.
 *
 * Wire facts: docs/wire/notifiers.md, "Slack".
 */
#include "hub/notifier.h"
#include "wire/js.h"

/* clang-format off */
enum { SET_URL, SET_CHANNEL, SET_USERNAME, SET_ICON };
static const struct setting slack_settings[] = {
    [SET_URL]      = { "url", "Webhook URL", SETTING_URL, .required = true, .secret = true, .max = 500,
        .help = "The app's \"Incoming Webhooks\" page: https://hooks.slack.com/services/…" },
    [SET_CHANNEL]  = { "channel", "Channel", .max = 80,
        .help = "Such as #operations; only hooks of the old kind follow it, those of an app write where they were made for" },
    [SET_USERNAME] = { "username", "Name", .max = 80, .help = "Who it is from; likewise only with hooks of the old kind" },
    [SET_ICON]     = { "icon_emoji", "Icon", .max = 80, .help = "Such as :satellite:; likewise" },
};
/* clang-format on */
enum { SLACK_BYTES = 16 << 10 };

static slice escaped(struct arena *a, slice s)
{
    struct text t = text_new(a, 5 * s.n + 1);
    for (size_t i = 0; i < s.n; i++) {
        slice as = s.p[i] == '&' ? SL("&amp;") : s.p[i] == '<' ? SL("&lt;") : s.p[i] == '>' ? SL("&gt;") : slice_sub(s, i, 1);
        text_put(&t, as);
    }
    return text_slice(&t);
}

static void mrkdwn(struct jw *w, const char *key, slice text)
{
    jw_open(w, key, '{');
    jw_str(w, "type", SL("mrkdwn"));
    jw_str(w, "text", text);
    jw_close(w, '}');
}

static void field(struct arena *a, struct jw *w, const char *name, slice value)
{
    if (value.n)
        mrkdwn(w, NULL, arena_printf(a, "*%s*\n" SLF, name, SLA(escaped(a, value))));
}

static void account_blocks(struct arena *a, struct jw *w, const struct notice *n)
{
    jw_open(w, NULL, '{');
    jw_str(w, "type", SL("section"));
    jw_open(w, "fields", '[');
    field(a, w, "Tenant", n->tenant);
    field(a, w, "Account", n->account);
    field(a, w, "Network", n->network);
    field(a, w, "Since", n->since_ms ? notice_seconds(a, n->since_ms) : SLICE_NONE);
    field(a, w, "Error", n->reason);
    jw_close(w, ']');
    jw_close(w, '}');
}

static void service_blocks(struct arena *a, struct jw *w, const struct notice *n)
{
    struct text t = text_new(a, SLACK_BYTES);
    text_add(&t, "*" SLF "* " SLF, SLA(escaped(a, n->head)), SLA(escaped(a, n->verb)));
    if (n->reason.n)
        text_add(&t, " (" SLF ")", SLA(escaped(a, n->reason)));
    if (n->detail.n)
        text_add(&t, ": " SLF, SLA(escaped(a, n->detail)));
    if (n->uptime_ms)
        text_add(&t, ", uptime " SLF, SLA(notice_span(a, n->uptime_ms)));
    jw_open(w, NULL, '{');
    jw_str(w, "type", SL("section"));
    mrkdwn(w, "text", text_slice(&t));
    jw_close(w, '}');
    if (!n->version.n)
        return;
    jw_open(w, NULL, '{');
    jw_str(w, "type", SL("context"));
    jw_open(w, "elements", '[');
    struct text from = text_new(a, SLACK_BYTES);
    slice parts[] = { n->version, n->instance, n->environment, n->at_ms ? notice_seconds(a, n->at_ms) : SLICE_NONE };
    for (size_t i = 0; i < COUNT(parts); i++)
        if (parts[i].n)
            text_add(&from, "%s" SLF, from.n ? " | " : "", SLA(escaped(a, parts[i])));
    mrkdwn(w, NULL, text_slice(&from));
    jw_close(w, ']');
    jw_close(w, '}');
}

/* "subscription error", "dragoman stopping": what a phone shows first. */
static slice fallback(struct arena *a, const struct notice *n)
{
    if (notice_of_account(n)) {
        char *p = arena_cstr(a, n->head);
        if (n->head.n && p[0] >= 'A' && p[0] <= 'Z')
            p[0] = (char)(p[0] + ('a' - 'A'));
        return slice_mem(p, n->head.n);
    }
    slice verb = slice_starts(n->verb, SL("is ")) ? slice_from(n->verb, 3) : n->verb;
    return arena_printf(a, SLF " " SLF, SLA(n->head), SLA(verb));
}

static bool slack_build(struct notice_call *c, const struct notice *n, struct http_call *ret)
{
    struct jw w = jw_new(c->a, SLACK_BYTES);
    jw_open(&w, NULL, '{');
    jw_str(&w, "text", escaped(c->a, notice_line(c->a, n)));
    jw_opt(&w, "channel", c->settings[SET_CHANNEL]);
    jw_opt(&w, "username", c->settings[SET_USERNAME]);
    jw_opt(&w, "icon_emoji", c->settings[SET_ICON]);
    jw_open(&w, "attachments", '[');
    jw_open(&w, NULL, '{');
    jw_str(&w, "color", arena_printf(c->a, "#%06x", notice_rgb[n->colour]));
    jw_str(&w, "fallback", escaped(c->a, fallback(c->a, n)));
    jw_open(&w, "blocks", '[');
    (notice_of_account(n) ? account_blocks : service_blocks)(c->a, &w, n);
    jw_close(&w, ']');
    jw_close(&w, '}');
    jw_close(&w, ']');
    jw_close(&w, '}');
    ret->method = "POST";
    ret->url = c->settings[SET_URL];
    ret->type = SL("application/json");
    ret->body = jw_done(&w);
    return true;
}

/* Slack's error is a plain word. */
static bool is_word(slice s)
{
    enum { WORD_MAX = 60 };
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || s.p[i] == '_'))
            return false;
    return s.n && s.n <= WORD_MAX;
}

static void slack_judge(struct notice_call *c, const struct answer *r, struct notice_verdict *ret)
{
    slice word = slice_trim(r->body);
    notice_usual(c, r, ret);
    if (r->status && ret->end != NOTICE_TAKEN && is_word(word))
        fault(c->f, ret->end == NOTICE_AGAIN ? "unavailable" : "refused", "", "status %d: " SLF, r->status, SLA(word));
}

const struct notifier notifier_slack = {
    .name = "slack",
    .title = "Slack",
    .settings = slack_settings,
    .n_settings = COUNT(slack_settings),
    .rate = { .calls = 60, .per_ms = 60000 },
    .build = slack_build,
    .judge = slack_judge,
};
