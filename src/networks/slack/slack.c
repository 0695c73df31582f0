/* slack.c - Slack, as a network: guests are members of workspaces that let our app in.
 *
 * Wire facts: docs/wire/slack.md; the names in quotes are its sections. What an operator does: docs/networks/slack.md.
 */
#include "networks/slack/wire.h"
#include "wire/base64.h"
#include "wire/url.h"

/* clang-format off */
static const struct setting slack_settings[SLACK_SETTINGS] = {
    [SLACK_APP_ID]         = { "app_id", "Application Identifier", .required = true, .max = 32,
        .help = "App ID on the app's Basic Information page" },
    [SLACK_CLIENT_ID]      = { "client_id", "Client Identifier", .required = true, .max = 64,
        .help = "Client ID on the Basic Information page" },
    [SLACK_CLIENT_SECRET]  = { "client_secret", "Client Secret", .required = true, .secret = true, .max = 128,
        .help = "Client Secret on the Basic Information page" },
    [SLACK_SIGNING_SECRET] = { "signing_secret", "Signing Secret", .required = true, .secret = true, .max = 128,
        .help = "Signing Secret on the Basic Information page" },
    [SLACK_OLD_SECRET]     = { "old_signing_secret", "Old signing secret", .secret = true, .max = 128,
        .help = "Webhooks signed with it are still taken, while a new one is put in its place" },
    [SLACK_CUSTOMER_ID]    = { "customer_id", "Customer Identifier", .max = 128,
        .help = "What a customer enters at /slack/register; the tenant's identifier when left out" },
    [SLACK_BOT_TOKEN]      = { "bot_token", "Bot token", .secret = true, .max = 512,
        .help = "Only for a single workspace in which the app is installed by hand; begins with xoxb-" },
    [SLACK_APP_NAME]       = { "app_name", "App name", .max = 35,
        .help = "In the manifest and on the registration page; the tenant's name when left out" },
    [SLACK_TOKEN_ROTATION] = { "token_rotation", "Token rotation", SETTING_BOOL, .otherwise = "false",
        .help = "In the manifest: tokens live 12 hours and are renewed. Slack does not let an app go back" },
    [SLACK_ASSISTANT]      = { "assistant", "Assistant", SETTING_BOOL, .otherwise = "false",
        .help = "In the manifest: guests find the app among the assistants, and see when an agent types" },
    [SLACK_COMMAND]        = { "command", "Slash command", .max = 32,
        .help = "In the manifest: a command such as /care, with which guests begin anywhere" },
    [SLACK_SHOW_SYSTEM]    = { "show_system_messages", "Show System Messages", SETTING_BOOL, .otherwise = "false",
        .help = "Tell the guest when an agent joins or leaves and when the conversation ends" },
    [SLACK_DISPLAY_AGENT]  = { "display_agent_name", "Display Agent Name", SETTING_BOOL, .otherwise = "false",
        .help = "Messages carry the agent's name and picture instead of the app's" },
    [SLACK_BASE_URL]       = { "base_url", "API address", SETTING_URL, .otherwise = "https://slack.com/api",
        .help = "Only for tests" },
    [SLACK_AUTHORIZE_URL]  = { "authorize_url", "Log-in address", SETTING_URL, .otherwise = "https://slack.com/oauth/v2/authorize",
        .help = "Only for tests" },
};

static const struct media_rule slack_media[] = { { "*", SLACK_FILE_BYTES } }; /* "Files out" */

static const struct rate slack_rates[] = { /* "Limits" */
    [SLACK_RATE_ALL]   = { .calls = 0 },
    [SLACK_RATE_CHAT]  = { .calls = 60, .per_ms = 60000, .per_conversation = true },
    [SLACK_RATE_TIER3] = { .calls = 50, .per_ms = 60000, .per_token = true },
    [SLACK_RATE_TIER4] = { .calls = 100, .per_ms = 60000, .per_token = true },
};
/* clang-format on */

/* ---- small common things ------------------------------------------------------------------------------------------- */

struct slack_guest slack_guest_of(slice guest)
{
    struct slack_guest g = { .thread = guest };
    g.install = slice_cut(&g.thread, '.');
    g.place = slice_cut(&g.thread, '.');
    g.direct = slice_starts(g.place, SL("U")) || slice_starts(g.place, SL("W"));
    return g;
}

slice slack_app_name(const struct call *c)
{
    return utf8_cut(slice_or(setting(c, SLACK_APP_NAME), slice_or(c->account->tenant, SL("Dragoman"))), 35);
}

slice slack_url(const struct call *c, const char *method)
{
    slice base = setting(c, SLACK_BASE_URL);
    while (slice_ends(base, SL("/")))
        base.n--;
    return arena_printf(c->a, SLF "/%s", SLA(base), method);
}

void slack_api(struct call *c, struct delivery *d, const char *method, slice install, slice json)
{
    d->call.method = "POST";
    d->call.url = slack_url(c, method);
    d->call.type = SL("application/json; charset=utf-8");
    d->call.body = json;
    d->call.token = install;
}

void slack_form(struct call *c, struct delivery *d, const char *method, slice install, slice form)
{
    slack_api(c, d, method, install, form);
    d->call.type = SL("application/x-www-form-urlencoded");
}

void slack_basic(struct call *c, struct http_call *call)
{
    slice both = arena_printf(c->a, SLF ":" SLF, SLA(setting(c, SLACK_CLIENT_ID)), SLA(setting(c, SLACK_CLIENT_SECRET)));
    call_header(call, "Authorization", arena_printf(c->a, "Basic " SLF, SLA(base64_encode(c->a, both))));
}

/* ---- answers and errors -------------------------------------------------------------------------------------------- */

struct slack_answer slack_answer_of(struct arena *a, const struct answer *r)
{
    enum { ERROR_CHARS = 80, DETAIL_CHARS = 100 };
    struct slack_answer t = { 0 };
    const struct js *doc = r->body.n ? js_parse(a, r->body, NULL) : NULL;
    if (r->status == 200 && js_true(js_at(doc, "ok")))
        t.doc = doc;
    else
        t.error = utf8_cut(js_text(js_at(doc, "error")), ERROR_CHARS);
    t.detail = utf8_cut(js_text(js_at(doc, "response_metadata.messages.0")), DETAIL_CHARS);
    return t;
}

bool slack_token_ended(const struct slack_answer *t)
{
    return slice_eq(t->error, SL("token_expired")) || slice_eq(t->error, SL("invalid_auth")) || slice_eq(t->error, SL("token_revoked"));
}

/* clang-format off */
static const struct { slice error; enum outcome end; enum reason reason; } ends[] = { /* "Errors" */
    { SLI("channel_not_found"),     OUT_REFUSED, REASON_UNKNOWN_GUEST },
    { SLI("user_not_found"),        OUT_REFUSED, REASON_UNKNOWN_GUEST },
    { SLI("user_not_visible"),      OUT_REFUSED, REASON_UNKNOWN_GUEST },
    { SLI("user_disabled"),         OUT_REFUSED, REASON_UNKNOWN_GUEST },
    { SLI("not_in_channel"),        OUT_REFUSED, REASON_UNKNOWN_GUEST },
    { SLI("is_archived"),           OUT_REFUSED, REASON_UNKNOWN_GUEST },
    { SLI("cannot_dm_bot"),         OUT_REFUSED, REASON_UNKNOWN_GUEST },
    { SLI("thread_not_found"),      OUT_REFUSED, REASON_UNKNOWN_GUEST },
    { SLI("messages_tab_disabled"), OUT_REFUSED, REASON_BLOCKED },
    { SLI("restricted_action"),     OUT_REFUSED, REASON_BLOCKED },
    { SLI("missing_scope"),         OUT_REFUSED, REASON_CREDENTIALS },
    { SLI("no_permission"),         OUT_REFUSED, REASON_CREDENTIALS },
    { SLI("file_uploads_disabled"), OUT_REFUSED, REASON_MEDIA_TYPE },
    { SLI("file_upload_size_restricted"), OUT_REFUSED, REASON_MEDIA_SIZE },
    { SLI("ratelimited"),           OUT_RETRY,   REASON_RATE },
    { SLI("rate_limited"),          OUT_RETRY,   REASON_RATE },
    { SLI("service_unavailable"),   OUT_RETRY,   REASON_SERVER },
    { SLI("team_added_to_org"),     OUT_RETRY,   REASON_SERVER }, /* being moved; soon over */
    { SLI("request_timeout"),       OUT_RETRY,   REASON_SERVER }, /* what we sent did not arrive whole */
    { SLI("token_expired"),         OUT_RETRY,   REASON_CREDENTIALS },
    { SLI("internal_error"),        OUT_UNKNOWN, REASON_SERVER }, /* "some aspect of the operation may have succeeded" */
    { SLI("fatal_error"),           OUT_UNKNOWN, REASON_SERVER },
};
static const slice breaking[] = { /* the installation is over until someone installs anew */
    SLI("invalid_auth"), SLI("not_authed"), SLI("token_revoked"), SLI("account_inactive"), SLI("org_login_required"),
    SLI("app_uninstalled"),
};
/* clang-format on */

static void mark_broken(struct call *c, slice install, slice error)
{
    struct slack_install in;
    if (!slack_install_get(c, install, &in))
        return;
    in.broken = error;
    (void)slack_install_put(c, install, &in);
}

enum outcome slack_failed(struct call *c, struct delivery *d, slice install, const char *what)
{
    const struct answer *r = d->last;
    struct slack_answer t = slack_answer_of(c->a, r);
    if (r->status == 429 || r->status >= 500 || !t.error.n) {
        if (r->status != 200)
            return answer_outcome(c, d, what);
        fault(c->f, "refused", "", "%s: the answer is none of Slack's", what);
        d->reason = REASON_SERVER;
        return d->last_repeatable ? OUT_RETRY : OUT_UNKNOWN;
    }
    for (size_t i = 0; i < COUNT(breaking); i++)
        if (slice_eq(t.error, breaking[i])) {
            struct slack_install in;
            bool turns = slack_token_ended(&t) && !d->last_new_token && slack_install_get(c, install, &in) && in.refresh.n;
            if (turns || d->last_old_token) { /* it may have been, or was, replaced meanwhile; a text that is refused with another one tells */
                d->reason = REASON_CREDENTIALS;
                fault(c->f, "refused", "", "%s: " SLF, what, SLA(t.error));
                return OUT_RETRY;
            }
            mark_broken(c, install, t.error);
            return refuse(c, d, REASON_CREDENTIALS, "%s: " SLF ": the workspace must install the app anew", what, SLA(t.error));
        }
    for (size_t i = 0; i < COUNT(ends); i++) {
        if (!slice_eq(t.error, ends[i].error))
            continue;
        d->reason = ends[i].reason;
        d->retry_ms = r->retry_after_ms;
        fault(c->f, "refused", "", "%s: " SLF " " SLF, what, SLA(t.error), SLA(t.detail));
        return ends[i].end == OUT_UNKNOWN && d->last_repeatable ? OUT_RETRY : ends[i].end;
    }
    return refuse(c, d, REASON_INVALID, "%s: " SLF " " SLF, what, SLA(t.error), SLA(t.detail));
}

/* ---- the table's functions ----------------------------------------------------------------------------------------- */

static bool slack_check(struct call *c)
{
    slice name = setting(c, SLACK_COMMAND);
    if (!slack_id_ok(setting(c, SLACK_APP_ID)) || !slice_starts(setting(c, SLACK_APP_ID), SL("A")))
        return fault(c->f, "refused", "app_id", "an App ID is A and capital letters or digits");
    if (name.n && (!slice_starts(name, SL("/")) || name.n < 2))
        return fault(c->f, "refused", "command", "a command begins with /");
    if (setting(c, SLACK_BOT_TOKEN).n && !slice_starts(setting(c, SLACK_BOT_TOKEN), SL("xox")))
        return fault(c->f, "refused", "bot_token", "a bot token begins with xoxb-");
    return true;
}

static bool is_form(const struct request *rq)
{
    return slice_starts(request_header(rq, "content-type"), SL("application/x-www-form-urlencoded"));
}

/* Of the body that nobody has verified yet: for choosing whose secret to try, for nothing else. */
static slice slack_route_key(struct arena *a, const struct request *rq)
{
    slice json = is_form(rq) ? form_get(a, rq->body, SL("payload")) : rq->body;
    if (!json.p)
        return form_get(a, rq->body, SL("api_app_id"));
    slice id = js_text(js_at(js_parse(a, json, NULL), "api_app_id"));
    return id.n ? id : SLICE_NONE; /* url_verification names no app */
}

static slice slack_route_own(struct call *c)
{
    return setting(c, SLACK_APP_ID);
}

/* ssl_check=1: whatever else stands in it is nobody's word. */
static bool slack_probe(struct arena *a, const struct request *rq)
{
    return is_form(rq) && slice_eq(form_get(a, rq->body, SL("ssl_check")), SL("1"));
}

static bool slack_token_host(struct call *c, const struct url *u)
{
    struct url base;
    if (slice_eq(u->scheme, SL("https")) && host_in_domain(u->host, SL("slack.com")))
        return true;
    return url_parse(c->a, setting(c, SLACK_BASE_URL), &base, NULL) && url_same_host(&base, u);
}

/* Where the app was installed by hand: which workspace is it? */
enum outcome slack_setup(struct call *c, struct delivery *d)
{
    slice token = setting(c, SLACK_BOT_TOKEN);
    if (!token.n)
        return OUT_DELIVERED;
    if (!d->last) {
        slack_form(c, d, "auth.test", SLICE_NONE, SL(""));
        call_header(&d->call, "Authorization", arena_printf(c->a, "Bearer " SLF, SLA(token)));
        d->call.no_token = true;
        d->call.repeatable = true;
        return OUT_CALL;
    }
    struct slack_answer t = slack_answer_of(c->a, d->last);
    if (!t.doc)
        return slack_failed(c, d, SLICE_NONE, "auth.test");
    struct slack_install in = { .token = token, .bot_user = js_text(js_at(t.doc, "user_id")), .bot = js_text(js_at(t.doc, "bot_id")),
                                .enterprise = js_text(js_at(t.doc, "enterprise_id")), .scopes = answer_header(d->last, "x-oauth-scopes") };
    bool whole = js_true(js_at(t.doc, "is_enterprise_install"));
    if (!whole) {
        in.team = js_text(js_at(t.doc, "team_id"));
        in.team_name = js_text(js_at(t.doc, "team"));
    }
    if (!in.bot.n)
        return refuse(c, d, REASON_CREDENTIALS, "auth.test: this is no token of a bot");
    if (!slack_install_put(c, whole ? in.enterprise : in.team, &in))
        return refuse(c, d, REASON_SERVER, "auth.test: it does not say which workspace this is");
    return OUT_DELIVERED;
}

/* clang-format off */
static const char *const slack_record_keep[] = { "type", "subtype", "channel_type", "mode", "filetype", "file_access", NULL };
static const char *const slack_record_ids[] = { "event_id", "event.ts", "event.event_ts", "event.client_msg_id", NULL };

const struct connector connector_slack = {
    .name     = "slack",
    .title    = "Slack",
    .caps     = {
        .kinds = CAN(KIND_TEXT) | CAN(KIND_IMAGE) | CAN(KIND_VIDEO) | CAN(KIND_AUDIO) | CAN(KIND_FILE) | CAN(KIND_CHOICES) | CAN(KIND_CARDS) |
                 CAN(KIND_PICKER) | CAN(KIND_NATIVE) | CAN(KIND_TYPING) | CAN(KIND_EVENT),
        .events = CAN(EVENT_JOINED) | CAN(EVENT_LEFT) | CAN(EVENT_CLOSED),
        .text_max = SLACK_TEXT_CHARS, .text_unit = UNIT_CHARS,
        .caption = true,
        .media = MEDIA_UPLOAD, .media_rules = slack_media, .n_media_rules = COUNT(slack_media),
        .choices_max = SLACK_OPTIONS, .choice_label_max = SLACK_LABEL_CHARS,
        .cards_max = SLACK_CARDS, .card_choices_max = SLACK_ROW_BUTTONS, .choice_urls = true,
        .agent_name = true,
    },
    .settings = slack_settings, .n_settings = COUNT(slack_settings), .once = "signing_secret",
    .hook     = { "/slack", VERIFY_HMAC_SHA256_HEX, "x-slack-signature", "v0=",
                  .secrets = { SLACK_SIGNING_SECRET, SLACK_OLD_SECRET }, .n_secrets = 2,
                  .stamp = "x-slack-request-timestamp", .stamp_before = "v0:", .window_ms = SLACK_WINDOW_MS, .bad_status = 401 },
    .auth     = { .kind = AUTH_NAMED, .token_host = slack_token_host, .token_known = slack_token_known,
                  .token_renew = slack_token_renew, .token_took = slack_token_took, .renew_ms = SLACK_RENEW_MS },
    .rates    = slack_rates, .n_rates = COUNT(slack_rates),
    .lookup   = { .who = slack_lookup, .keep_ms = 6 * 3600 * 1000, .unknown_ms = 10 * 60 * 1000, .total_ms = 3000,
                  .more = slack_lookup_more },
    .record_keep = slack_record_keep, .record_ids = slack_record_ids,
    .check       = slack_check,
    .route_key   = slack_route_key,
    .route_own   = slack_route_own,
    .probe       = slack_probe,
    .receive     = slack_receive,
    .deliver     = slack_deliver,
    .setup       = slack_setup,
    .media_find  = slack_media_find,
    .manifest    = slack_manifest,
    .dry         = { "T0ACME001.U0GUEST01", NULL, "{\"installs\":[\"T0ACME001\",0],\"install:T0ACME001\":[\"{\\\"token\\\":\\\"***\\\",\\\"team\\\":\\\"T0ACME001\\\"}\",0]}",
                     "{\"channel\":[\"D0GUEST01\",0]}",
                     "{\"ok\":true,\"channel\":\"D0GUEST01\",\"ts\":\"1772600770.000100\",\"upload_url\":\"https://files.slack.com/upload/v1/ABC\",\"file_id\":\"F0FILE001\"}" },
    .routes      = slack_routes, .n_routes = SLACK_ROUTES,
};
/* clang-format on */
