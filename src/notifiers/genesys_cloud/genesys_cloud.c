/* genesys_cloud.c - Genesys Cloud: a group chat, through the Generic Webhook app.
 *
 * Wire facts: docs/wire/notifiers.md, "Genesys Cloud".
 */
#include "hub/notifier.h"
#include "wire/js.h"

/* clang-format off */
enum { SET_URL };
static const struct setting genesys_cloud_settings[] = {
    [SET_URL] = { "url", "Webhook URL", SETTING_URL, .required = true, .secret = true, .max = 500,
        .help = "Integrations, Generic Webhook, Details: Webhook Notification link; its mapping filters Meta-Data Contains universal-messaging" },
};
/* clang-format on */
enum { GENESYS_CLOUD_BYTES = 8 << 10, MESSAGE_CHARS = 2000 };
#define MARKS "\\*_~`|>#[]<"

static slice shown(struct arena *a, slice s)
{
    return notice_escape(a, s, MARKS);
}

/* What stands between backticks needs no marks, only no backtick. */
static slice code(struct arena *a, slice s)
{
    char *p = arena_cstr(a, s);
    for (size_t i = 0; i < s.n; i++)
        if (p[i] == '`')
            p[i] = '\'';
    return arena_printf(a, "`" SLF "`", SLA(slice_mem(p, s.n)));
}

static slice message(struct arena *a, const struct notice *n)
{
    struct text t = text_new(a, GENESYS_CLOUD_BYTES);
    text_add(&t, "**" SLF "**", SLA(shown(a, n->head)));
    if (notice_of_account(n)) {
        if (n->tenant.n)
            text_add(&t, ": tenant " SLF, SLA(shown(a, n->tenant)));
        if (n->account.n)
            text_add(&t, ", account %s", code(a, n->account).p);
        if (n->party.n)
            text_add(&t, ", " SLF, SLA(shown(a, n->party)));
        if (n->reason.n)
            text_add(&t, ": " SLF, SLA(shown(a, n->reason)));
        if (n->since_ms)
            text_add(&t, ", since " SLF, SLA(notice_seconds(a, n->since_ms)));
    } else {
        if (n->version.n)
            text_add(&t, " " SLF, SLA(shown(a, n->version)));
        text_add(&t, " " SLF, SLA(shown(a, n->verb)));
        if (n->instance.n)
            text_add(&t, " on %s", code(a, n->instance).p);
        slice more = slice_or(n->reason, n->environment);
        if (more.n)
            text_add(&t, " (" SLF ")", SLA(shown(a, more)));
        if (n->uptime_ms)
            text_add(&t, ", uptime " SLF, SLA(notice_span(a, n->uptime_ms)));
    }
    text_put(&t, notice_times(a, n));
    return utf8_cut(text_slice(&t), MESSAGE_CHARS);
}

static bool genesys_cloud_build(struct notice_call *c, const struct notice *n, struct http_call *ret)
{
    struct jw w = jw_new(c->a, GENESYS_CLOUD_BYTES * 2);
    jw_open(&w, NULL, '{');
    jw_str(&w, "message", message(c->a, n));
    jw_str(&w, "metadata", arena_printf(c->a, "universal-messaging;topic=%s", notice_topics[n->topic])); /* what the mapping filters by */
    jw_close(&w, '}');
    ret->method = "POST";
    ret->url = c->settings[SET_URL];
    ret->type = SL("application/json");
    ret->body = jw_done(&w);
    return true;
}

const struct notifier notifier_genesys_cloud = {
    .name = "genesys-cloud",
    .title = "Genesys Cloud (Generic Webhook)",
    .settings = genesys_cloud_settings,
    .n_settings = COUNT(genesys_cloud_settings),
    .rate = { .calls = 10, .per_ms = 60000 },
    .build = genesys_cloud_build,
    .judge = notice_usual,
};
