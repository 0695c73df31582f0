/* teams.c - Microsoft Teams, over the Bot Connector (Bot Framework v3).
 *
 * Wire facts: docs/wire/teams.md; the names in quotes are its sections. What an operator does: docs/networks/teams.md.
 */
#include "networks/teams/wire.h"
#include "wire/url.h"

/* clang-format off */
static const char *const cloud_choices[] = { "public", "us-government", NULL };
static const struct cloud { /* "Clouds" */
    slice name, issuer, openid, login, shared_tenant, scope;
    slice hosts[5]; /* of services, with all names below them */
} clouds[] = {
    { SLI("public"), SLI("https://api.botframework.com"), SLI("https://login.botframework.com/v1/.well-known/openidconfiguration"),
      SLI("https://login.microsoftonline.com"), SLI("botframework.com"), SLI("https://api.botframework.com/.default"),
      { SLI("smba.trafficmanager.net"), SLI("botframework.com"), SLI("infra.gcc.teams.microsoft.com") } },
    { SLI("us-government"), SLI("https://api.botframework.us"), SLI("https://login.botframework.azure.us/v1/.well-known/openidconfiguration"),
      SLI("https://login.microsoftonline.us"), SLI("MicrosoftServices.onmicrosoft.us"), SLI("https://api.botframework.us/.default"),
      { SLI("botframework.azure.us"), SLI("infra.gov.teams.microsoft.us"), SLI("infra.dod.teams.microsoft.us") } },
};

static const struct setting teams_settings[TEAMS_SETTINGS] = {
    [TEAMS_BOT_ID]       = { "bot_id", "Bot ID", .required = true, .min = 36, .max = 36,
        .help = "Microsoft App ID of the bot: Teams Developer Portal, Tools, Bot management" },
    [TEAMS_SECRET]       = { "bot_secret", "Bot secret", .required = true, .secret = true, .max = 512,
        .help = "A client secret of the bot; it is shown once" },
    [TEAMS_HOME_TENANT]  = { "home_tenant", "Home tenant of the bot", .max = 128,
        .help = "Entra tenant in which the bot is registered (not the customer's); leave empty only for an old multi-tenant bot" },
    [TEAMS_TENANTS]      = { "tenants", "Teams tenants", .max = 4000,
        .help = "Entra tenant IDs of the customer's organisations, separated by commas; empty: all that no other channel with this bot lists" },
    [TEAMS_CLOUD]        = { "cloud", "Cloud", SETTING_CHOICE, .otherwise = "public", .choices = cloud_choices,
        .help = "us-government: GCC High and DoD; GCC is public" },
    [TEAMS_BASE_URL]     = { "base_url", "Service address", SETTING_URL,
        .help = "Only for the simulator: stands for Microsoft's log-in, its keys and the connector" },
    [TEAMS_SERVICE_HOSTS]= { "service_hosts", "More service hosts", .max = 1000,
        .help = "Hosts, beside Microsoft's, to which the bot's token may be sent, separated by commas" },
    [TEAMS_PROFILE]      = { "profile", "Ask for profiles", SETTING_BOOL, .otherwise = "true",
        .help = "Ask Teams for the guest's full name and e-mail address" },
    [TEAMS_CONSENT_HOURS]= { "consent_hours", "Wait for consent", SETTING_NUMBER, .otherwise = "24", .min = 1, .max = 720,
        .help = "Hours a file waits for the guest to take it; then a link is sent" },
    [TEAMS_THANKS]       = { "thanks", "Thanks", .otherwise = "Thank you.", .max = 200,
        .help = "What a guest reads after having answered a card or a dialog" },
    [TEAMS_SHOW_SYSTEM]  = { "show_system_messages", "Show System Messages", SETTING_BOOL, .otherwise = "false",
        .help = "Tell the guest when an agent joins or leaves and when the conversation ends" },
    [TEAMS_PREFIX_AGENT] = { "prefix_agent_name", "Prefix Agent Name", SETTING_BOOL, .otherwise = "false",
        .help = "Write the agent's name, in bold, before what the agent writes" },
    [TEAMS_DEVELOPER]    = { "app.developer", "Developer's name", .max = 32, .help = "In the app package; the tenant's name when left out" },
    [TEAMS_WEBSITE]      = { "app.website_url", "Website", SETTING_URL, .help = "In the app package; public_url when left out" },
    [TEAMS_PRIVACY]      = { "app.privacy_url", "Privacy policy", SETTING_URL, .help = "In the app package; the website when left out" },
    [TEAMS_TERMS]        = { "app.terms_url", "Terms of use", SETTING_URL, .help = "In the app package; the website when left out" },
};

static const struct media_rule teams_media[] = { { "*", 0 } }; /* sends.c: shown, offered, or linked */

static const struct rate teams_rates[] = { /* "Limits" */
    [TEAMS_RATE_ALL]          = { .calls = 30, .per_ms = 1000 },
    [TEAMS_RATE_CONVERSATION] = { .calls = 60, .per_ms = 30000, .per_conversation = true },
};

static const struct record_of by_tenant = { teams_page_key, NULL }, by_tenant_moving = { teams_page_key, teams_page_to };
static const struct route_extra teams_routes[] = {
    { "GET",  "/teams/register",     teams_register, .record = &by_tenant },
    { "POST", "/teams/register",     teams_register, .record = &by_tenant_moving, .body_max = 256 << 10 },
    { "GET",  "/teams/register/app", teams_package,  .record = &by_tenant },
};
/* clang-format on */

/* ---- small common things ------------------------------------------------------------------------------------------- */

slice teams_lower(struct arena *a, slice s)
{
    char *p = arena_cstr(a, s);
    for (size_t i = 0; i < s.n; i++)
        if (p[i] >= 'A' && p[i] <= 'Z')
            p[i] = (char)(p[i] | 0x20);
    return slice_mem(p, s.n);
}

slice teams_bot_account(struct call *c)
{
    return arena_printf(c->a, "28:" SLF, SLA(setting(c, TEAMS_BOT_ID)));
}

static const struct cloud *cloud_of(const struct call *c)
{
    for (size_t i = 1; i < COUNT(clouds); i++)
        if (slice_eq(setting(c, TEAMS_CLOUD), clouds[i].name))
            return &clouds[i];
    return &clouds[0];
}

static slice base_of(const struct call *c)
{
    slice url = setting(c, TEAMS_BASE_URL);
    return slice_ends(url, SL("/")) ? slice_sub(url, 0, url.n - 1) : url;
}

/* The next word of a list with commas or blanks; {NULL,0}: no more. */
static slice next_word(slice *list)
{
    while (list->p) {
        slice word = slice_trim(slice_cut(list, ','));
        if (word.n)
            return word;
    }
    return SLICE_NONE;
}

bool teams_tenant_listed(struct call *c, slice tenant)
{
    slice list = setting(c, TEAMS_TENANTS), word;
    if (!list.n)
        return true;
    while ((word = next_word(&list)).p)
        if (slice_eq_nocase(word, tenant))
            return true;
    return false;
}

/* ---- whom the token may be shown: "Traps" ----------------------------------------------------------------------------- */

static bool is_base(struct call *c, const struct url *u)
{
    struct url base;
    return setting(c, TEAMS_BASE_URL).n && url_parse(c->a, setting(c, TEAMS_BASE_URL), &base, NULL) && url_same_origin(&base, u);
}

static bool host_listed(struct call *c, slice host)
{
    const struct cloud *cloud = cloud_of(c);
    for (size_t i = 0; i < COUNT(cloud->hosts); i++)
        if (cloud->hosts[i].n && host_in_domain(host, cloud->hosts[i]))
            return true;
    slice list = setting(c, TEAMS_SERVICE_HOSTS), word;
    while ((word = next_word(&list)).p)
        if (slice_eq_nocase(host, word))
            return true;
    return false;
}

bool teams_service_ok(struct call *c, slice service)
{
    struct url u;
    if (!url_parse(c->a, service, &u, NULL) || u.query.p || u.fragment.p)
        return false;
    return is_base(c, &u) || (slice_eq(u.scheme, SL("https")) && host_listed(c, u.host));
}

bool teams_token_host(struct call *c, const struct url *u)
{
    struct url base;
    bool own = setting(c, TEAMS_BASE_URL).n && url_parse(c->a, setting(c, TEAMS_BASE_URL), &base, NULL) && url_same_host(&base, u);
    return own || (slice_eq(u->scheme, SL("https")) && host_listed(c, u->host));
}

/* ---- who asks: "Inbound authentication" ----------------------------------------------------------------------------- */

static slice teams_route_key(struct arena *a, const struct request *rq)
{
    slice bot = js_text(js_at(js_parse(a, rq->body, NULL), "recipient.id"));
    return slice_starts(bot, SL("28:")) ? teams_lower(a, slice_from(bot, 3)) : SLICE_NONE;
}

static slice teams_route_own(struct call *c)
{
    return teams_lower(c->a, setting(c, TEAMS_BOT_ID));
}

static bool teams_route_rest(struct call *c)
{
    return !setting(c, TEAMS_TENANTS).n;
}

static slice teams_keys_url(struct call *c)
{
    slice base = base_of(c);
    return base.n ? arena_printf(c->a, SLF "/v1/.well-known/openidconfiguration", SLA(base)) : cloud_of(c)->openid;
}

static bool is_endorsed(const struct js *key, slice channel)
{
    const struct js *list = js_at(key, "endorsements");
    for (size_t i = 0; i < js_len(list); i++)
        if (slice_eq(js_text(js_item(list, i)), channel))
            return true;
    return !list;
}

static bool teams_token_ok(struct call *c, const struct request *rq, const struct js *key, const struct js *claims)
{
    const struct js *body = js_parse(c->a, rq->body, NULL);
    slice service = js_text(js_at(body, "serviceUrl")), channel = js_text(js_at(body, "channelId"));
    slice claimed = slice_or(js_text(js_at(claims, "serviceurl")), js_text(js_at(claims, "serviceUrl")));
    if (!slice_eq(js_text(js_at(claims, "iss")), cloud_of(c)->issuer))
        return fault(c->f, "wrong_issuer", "iss", "the token comes from someone else");
    if (!slice_eq_nocase(js_text(js_at(claims, "aud")), setting(c, TEAMS_BOT_ID)))
        return fault(c->f, "wrong_audience", "aud", "the token is meant for another bot");
    if (!slice_eq(channel, SL("msteams")))
        return fault(c->f, "wrong_channel", "channelId", "the activity does not come from Teams");
    if (!is_endorsed(key, channel))
        return fault(c->f, "bad_signature", "endorsements", "the key that signed may not sign for Teams");
    if (!claimed.n || !slice_eq(claimed, service))
        return fault(c->f, "bad_signature", "serviceUrl", "the token was made for another service address");
    if (!teams_service_ok(c, service))
        return fault(c->f, "bad_signature", "serviceUrl", "the service address is at no host of the account's list");
    if (!teams_tenant_listed(c, slice_or(js_text(js_at(body, "channelData.tenant.id")), js_text(js_at(body, "conversation.tenantId")))))
        return fault(c->f, "unknown_account", "channelData.tenant.id", "the organisation is not one of the account's");
    return true;
}

/* ---- our token: "Outbound token" ------------------------------------------------------------------------------------- */

static bool teams_token_call(struct call *c, struct http_call *ret)
{
    const struct cloud *cloud = cloud_of(c);
    slice home = slice_or(setting(c, TEAMS_HOME_TENANT), cloud->shared_tenant);
    struct text form = text_new(c->a, 8192);
    form_add(&form, SL("grant_type"), SL("client_credentials"));
    form_add(&form, SL("client_id"), setting(c, TEAMS_BOT_ID));
    form_add(&form, SL("client_secret"), setting(c, TEAMS_SECRET));
    form_add(&form, SL("scope"), cloud->scope);
    ret->method = "POST";
    ret->url = arena_printf(c->a, SLF "/" SLF "/oauth2/v2.0/token", SLA(slice_or(base_of(c), cloud->login)), SLA(url_encode(c->a, home)));
    ret->type = SL("application/x-www-form-urlencoded");
    ret->body = text_slice(&form);
    return true;
}

/* ---- settings --------------------------------------------------------------------------------------------------------- */

static bool is_guid(slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? s.p[i] != '-' : !s.p[i] || !strchr("0123456789abcdefABCDEF", s.p[i]))
            return false;
    }
    return s.n == 36;
}

static bool teams_check(struct call *c)
{
    slice list = setting(c, TEAMS_TENANTS), home = setting(c, TEAMS_HOME_TENANT), word;
    if (!is_guid(setting(c, TEAMS_BOT_ID)))
        return fault(c->f, "refused", "bot_id", "the bot ID is a GUID, such as 11111111-2222-3333-4444-555555555555");
    while ((word = next_word(&list)).p)
        if (!is_guid(word))
            return fault(c->f, "refused", "tenants", "tenant IDs are GUIDs, with commas between them");
    if (home.n && !is_guid(home) && slice_find_char(home, '.') == SIZE_MAX)
        return fault(c->f, "refused", "home_tenant", "a tenant ID, or a domain of the tenant");
    return true;
}

static const char *const teams_record_keep[] = { "type", "channelId", "timestamp", "textFormat", "conversationType", "eventType", "action", "contentType",
                                                 "isGroup", "locale", "platform", "timezone", "fileType", NULL };
static const char *const teams_record_ids[] = { "id", NULL };

/* The vendor's libraries look once an hour; more often, so that a made-up key cannot shut out a new one for long. */
enum { HOUR_MS = 3600 * 1000, LEEWAY_MS = 300 * 1000, KEYS_AGAIN_MS = 600 * 1000 };

/* clang-format off */
const struct connector connector_teams = {
    .name     = "teams",
    .title    = "Teams",
    .caps     = {
        .kinds = CAN(KIND_TEXT) | CAN(KIND_IMAGE) | CAN(KIND_VIDEO) | CAN(KIND_AUDIO) | CAN(KIND_FILE) | CAN(KIND_LOCATION) | CAN(KIND_CHOICES) |
                 CAN(KIND_CARDS) | CAN(KIND_PICKER) | CAN(KIND_NATIVE) | CAN(KIND_TYPING) | CAN(KIND_EVENT),
        .events = CAN(EVENT_JOINED) | CAN(EVENT_LEFT) | CAN(EVENT_CLOSED) | CAN(EVENT_EDITED) | CAN(EVENT_DELETED),
        .text_max = TEAMS_TEXT_UNITS, .text_unit = UNIT_UTF16,
        .media = MEDIA_UPLOAD, .media_rules = teams_media, .n_media_rules = COUNT(teams_media),
        .choices_max = TEAMS_CHOICES, .choice_label_max = TEAMS_LABEL_CHARS,
        .cards_max = TEAMS_CARDS, .card_choices_max = TEAMS_HERO_BUTTONS, .choice_urls = true,
        .sticker_needs_own_id = true, .agent_name = true,
    },
    .settings = teams_settings, .n_settings = COUNT(teams_settings), .once = "bot_id", .once_with = "tenants",
    .hook     = { "/teams", VERIFY_JWT, "authorization", "Bearer ",
                  .keys = { teams_keys_url, .keep_ms = 24 * HOUR_MS, .again_ms = KEYS_AGAIN_MS, .leeway_ms = LEEWAY_MS } },
    .auth     = { AUTH_REQUEST, .token_call = teams_token_call, .token_host = teams_token_host },
    .rates    = teams_rates, .n_rates = COUNT(teams_rates),
    .lookup   = { teams_who, .keep_ms = 24 * HOUR_MS, .unknown_ms = HOUR_MS, .total_ms = 3000 },
    .record_keep = teams_record_keep, .record_ids = teams_record_ids,
    .routes   = teams_routes, .n_routes = COUNT(teams_routes),
    .check      = teams_check,
    .route_key  = teams_route_key,
    .route_own  = teams_route_own,
    .route_rest = teams_route_rest,
    .token_ok   = teams_token_ok,
    .receive    = teams_receive,
    .dry      = { "29:1AbCdEf", NULL, NULL,
                  "{\"ref\":[\"{\\\"service\\\":\\\"https://smba.trafficmanager.net/teams/\\\",\\\"conversation\\\":\\\"a:1xyz\\\",\\\"type\\\":\\\"personal\\\",\\\"user\\\":\\\"29:1AbCdEf\\\",\\\"bot\\\":\\\"28:bot\\\"}\",0]}",
                  "{\"id\":\"1767225601456\"}" },
    .deliver    = teams_deliver,
};
/* clang-format on */
