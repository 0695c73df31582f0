/* discord.c - Discord: webhooks of a channel.
 *
 * Wire facts: docs/wire/notifiers.md, "Discord".
 */
#include "hub/notifier.h"
#include "wire/js.h"
#include "wire/url.h"

/* clang-format off */
enum { SET_URL, SET_USERNAME, SET_THREAD, SET_AVATAR };
static const struct setting discord_settings[] = {
    [SET_URL]      = { "url", "Webhook URL", SETTING_URL, .required = true, .secret = true, .max = 500,
        .help = "Channel settings, Integrations, Webhooks, Copy Webhook URL" },
    [SET_USERNAME] = { "username", "Name", .otherwise = "Dragoman", .min = 2, .max = 32,
        .help = "Who it is from; Discord refuses names with \"discord\", @, #, : and three backticks" },
    [SET_THREAD]   = { "thread_id", "Thread", .max = 20, .help = "Number of the thread to write in; a forum's channel needs one" },
    [SET_AVATAR]   = { "avatar_url", "Picture", SETTING_URL, .help = "https address of a picture" },
};
/* clang-format on */
enum { DISCORD_BYTES = 16 << 10, TITLE_CHARS = 256, DESCRIPTION_CHARS = 2000, VALUE_CHARS = 500, WAIT_MOST_MS = 3600000,
       UNKNOWN_WEBHOOK = 10015, INVALID_TOKEN = 50027 };
#define MARKS "\\*_~`|>#"

static bool discord_check(struct notice_call *c)
{
    slice name = c->settings[SET_USERNAME];
    static const slice bad[] = { SLI("@"), SLI("#"), SLI(":"), SLI("```") };
    for (size_t i = 0; i < COUNT(bad); i++)
        if (slice_find(name, bad[i]) != SIZE_MAX)
            return fault(c->f, "refused", "username", "Discord refuses names with @, #, : or three backticks");
    for (size_t i = 0; i + 7 <= name.n; i++)
        if (slice_eq_nocase(slice_sub(name, i, 7), SL("discord")))
            return fault(c->f, "refused", "username", "Discord refuses names with its own in it");
    if (slice_eq(name, SL("everyone")) || slice_eq(name, SL("here")))
        return fault(c->f, "refused", "username", "Discord refuses this name");
    int64_t thread;
    if (c->settings[SET_THREAD].n && (!slice_int(c->settings[SET_THREAD], &thread) || thread <= 0))
        return fault(c->f, "wrong_type", "thread_id", "must be a number");
    return true;
}

static slice shown(struct arena *a, slice s, size_t chars)
{
    return utf8_cut(notice_escape(a, s, MARKS), chars);
}

static void field(struct arena *a, struct jw *w, const char *name, slice value, bool in_line)
{
    if (!value.n)
        return;
    jw_open(w, NULL, '{');
    jw_str(w, "name", slice_of(name));
    jw_str(w, "value", shown(a, value, VALUE_CHARS));
    if (in_line)
        jw_bool(w, "inline", true);
    jw_close(w, '}');
}

static void fields(struct arena *a, struct jw *w, const struct notice *n)
{
    slice times = n->count > 1 ? arena_printf(a, "%u", n->count) : SLICE_NONE;
    bool account = notice_of_account(n);
    if (!(account ? n->tenant.n || n->reason.n : n->version.n || n->instance.n || n->environment.n) && !times.n)
        return;
    jw_open(w, "fields", '[');
    if (account) {
        field(a, w, "Tenant", n->tenant, false);
        field(a, w, "Account", n->account, false);
        field(a, w, "Network", n->network, false);
        field(a, w, "Since", n->since_ms ? notice_seconds(a, n->since_ms) : SLICE_NONE, false);
        field(a, w, "Error", n->reason, false);
    } else {
        field(a, w, "Version", n->version, true);
        field(a, w, "Instance", n->instance, true);
        field(a, w, "Environment", n->environment, true);
    }
    field(a, w, "Times", times, false);
    jw_close(w, ']');
}

static slice description(struct arena *a, const struct notice *n)
{
    struct text t = text_new(a, DISCORD_BYTES);
    if (n->reason.n && !notice_of_account(n))
        text_put(&t, shown(a, n->reason, VALUE_CHARS));
    if (n->detail.n)
        text_add(&t, "%s" SLF, t.n ? ": " : "", SLA(shown(a, n->detail, VALUE_CHARS)));
    if (n->uptime_ms)
        text_add(&t, "%suptime " SLF, t.n ? ", " : "", SLA(notice_span(a, n->uptime_ms)));
    return utf8_cut(text_slice(&t), DESCRIPTION_CHARS);
}

static bool discord_build(struct notice_call *c, const struct notice *n, struct http_call *ret)
{
    struct arena *a = c->a;
    struct jw w = jw_new(a, DISCORD_BYTES);
    slice title = notice_of_account(n) ? n->head : arena_printf(a, SLF " " SLF, SLA(n->head), SLA(n->verb));
    jw_open(&w, NULL, '{');
    jw_opt(&w, "username", c->settings[SET_USERNAME]);
    jw_opt(&w, "avatar_url", c->settings[SET_AVATAR]);
    jw_open(&w, "allowed_mentions", '{'); /* no text ever pings */
    jw_open(&w, "parse", '[');
    jw_close(&w, ']');
    jw_close(&w, '}');
    jw_open(&w, "embeds", '[');
    jw_open(&w, NULL, '{');
    jw_str(&w, "title", shown(a, title, TITLE_CHARS));
    jw_opt(&w, "description", description(a, n));
    jw_int(&w, "color", notice_rgb[n->colour]);
    if (n->at_ms)
        jw_time(&w, "timestamp", n->at_ms);
    fields(a, &w, n);
    jw_close(&w, '}');
    jw_close(&w, ']');
    jw_close(&w, '}');
    slice url = c->settings[SET_URL], thread = c->settings[SET_THREAD];
    bool query = slice_find_char(url, '?') != SIZE_MAX;
    ret->method = "POST"; /* wait=true: else a message that is not kept gives no error */
    ret->url = arena_printf(a, SLF "%cwait=true%s" SLF, SLA(url), query ? '&' : '?', thread.n ? "&thread_id=" : "", SLA(thread));
    ret->type = SL("application/json");
    ret->body = jw_done(&w);
    call_header(ret, "User-Agent", arena_printf(a, "DiscordBot (" SLF ", " DRAGOMAN_VERSION ")", SLA(slice_or(c->public_url, SL("dragoman")))));
    return true;
}

/* "0.65" seconds; 0: none. Rounded up: too early would be a 429. */
static int64_t header_ms(const struct answer *r, const char *name)
{
    double s = 0;
    if (!slice_double(answer_header(r, name), &s) || !(s > 0))
        return 0;
    return s * 1000 < WAIT_MOST_MS ? (int64_t)(s * 1000) + 1 : WAIT_MOST_MS;
}

static void discord_judge(struct notice_call *c, const struct answer *r, struct notice_verdict *ret)
{
    notice_usual(c, r, ret);
    const struct js *doc = r->body.n && ret->end != NOTICE_TAKEN ? js_parse(c->a, r->body, NULL) : NULL;
    int64_t code = 0, reset_ms = header_ms(r, "X-RateLimit-Reset-After");
    double retry_s = 0;
    if (!js_int(js_at(doc, "code"), &code))
        code = 0;
    if (!js_double(js_at(doc, "retry_after"), &retry_s) || !(retry_s > 0))
        retry_s = 0;
    if (ret->end == NOTICE_TAKEN && slice_eq(answer_header(r, "X-RateLimit-Remaining"), SL("0")))
        ret->wait_ms = reset_ms;
    if (r->status == 429) /* what is longest of all that is said */
        ret->wait_ms = MAX(MAX(ret->wait_ms, header_ms(r, "Retry-After")), (int64_t)(MIN(retry_s * 1000, (double)WAIT_MOST_MS)) + 1);
    if (ret->end == NOTICE_REFUSED && code)
        fault(c->f, "refused", "", "status %d, code %lld", r->status, (long long)code);
    /* Going on asking a webhook that is gone leads to a ban of this address. */
    ret->gone = ret->end == NOTICE_REFUSED && (code == UNKNOWN_WEBHOOK || code == INVALID_TOKEN || r->status == 401 || r->status == 403 || r->status == 404);
}

const struct notifier notifier_discord = {
    .name = "discord",
    .title = "Discord",
    .settings = discord_settings,
    .n_settings = COUNT(discord_settings),
    .rate = { .calls = 60, .per_ms = 60000 }, /* the real limit stands in the answers */
    .check = discord_check,
    .build = discord_build,
    .judge = discord_judge,
};
