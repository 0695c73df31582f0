/* line.c - LINE (Messaging API, LINE Official Account).
 *
 * Wire facts: docs/wire/line.md; the names in quotes are its sections. What an operator does: docs/networks/line.md.
 */
#include "networks/line/wire.h"
#include "wire/url.h"

/* clang-format off */
static const char *const token_choices[] = { "stateless", "v2.1", NULL };

static const struct setting line_settings[LINE_SETTINGS] = {
    [LINE_CHANNEL_ID]     = { "channel_id", "Channel ID", .required = true, .max = 32,
        .help = "LINE Developers console, Basic settings" },
    [LINE_CHANNEL_SECRET] = { "channel_secret", "Channel secret", .required = true, .secret = true, .max = 128,
        .help = "LINE Developers console, Basic settings" },
    [LINE_OLD_SECRET]     = { "old_channel_secret", "Old channel secret", .secret = true, .max = 128,
        .help = "Webhooks signed with it are still taken, while a new one is put in its place" },
    [LINE_BOT_ID]         = { "bot_id", "Bot basic ID", .required = true, .max = 64,
        .help = "LINE Developers console, Messaging API; begins with @" },
    [LINE_BASE_URL]       = { "base_url", "API address", SETTING_URL,
        .help = "Only for tests and proxies; https://api.line.me when left out" },
    [LINE_DATA_URL]       = { "data_url", "Content address", SETTING_URL,
        .help = "Where content is downloaded; base_url when that is given, else https://api-data.line.me" },
    [LINE_TOKEN]          = { "token", "Access token", SETTING_CHOICE, .otherwise = "stateless", .choices = token_choices,
        .help = "stateless: made from channel ID and secret, nothing to register; v2.1: needs an assertion signing key" },
    [LINE_ASSERTION_KEY]  = { "assertion_key", "Assertion signing key", .secret = true, .max = 16384,
        .help = "For v2.1: the private key as a JWK with the kid the console gave, or {\"kid\":\"...\",\"pem\":\"...\"}" },
    [LINE_SWITCHER_CODE]  = { "switcher.service_code", "Switcher service code", .max = 256,
        .help = "Switcher API, of the controller destination; leave empty without the Switcher API" },
    [LINE_SWITCHER_SECRET]= { "switcher.secret", "Switcher secret", .secret = true, .max = 256,
        .help = "Switcher API, of the controller destination" },
    [LINE_SWITCHER_DESTINATION] = { "switcher.destination_id", "Switcher destination ID", .max = 256,
        .help = "The destination a guest is switched to when the conversation is done (the third-party bot)" },
    [LINE_REPLY_SECONDS]  = { "reply_seconds", "Reply for", SETTING_NUMBER, .otherwise = "50", .max = 60,
        .help = "Seconds a reply token is used, free of the monthly quota; 0: always push" },
    [LINE_STICKER_URL]    = { "sticker_url", "Sticker pictures", .max = 1024, /* no SETTING_URL: the braces */
        .otherwise = "https://stickershop.line-scdn.net/stickershop/v1/sticker/{stickerId}/android/sticker.png",
        .help = "Where the picture of a sticker is; {stickerId} and {packageId} are filled in" },
    [LINE_SHOW_SYSTEM]    = { "show_system_messages", "Show System Messages", SETTING_BOOL, .otherwise = "false",
        .help = "Tell the guest when an agent joins or leaves and when the conversation ends" },
    [LINE_PREFIX_AGENT]   = { "prefix_agent_name", "Prefix Agent Name", SETTING_BOOL, .otherwise = "false",
        .help = "Show the agent's name as the sender of what the agent writes" },
    [LINE_AGENT_ICON]     = { "agent_icon_url", "Agent's icon", SETTING_URL,
        .help = "A square PNG shown with the agent's name; the agent's own picture when left out" },
    [LINE_MARK_AS_READ]   = { "mark_as_read", "Mark as read", SETTING_BOOL, .otherwise = "false",
        .help = "Show the guest what the agent has read; Chat must be on in the LINE Official Account Manager" },
    [LINE_LOADING_SECONDS]= { "loading_seconds", "Loading animation", SETTING_NUMBER, .otherwise = "20", .max = 60,
        .help = "Seconds the animation is shown while the agent types, in steps of 5; 0: never" },
    [LINE_PROFILE]        = { "profile", "Ask for profiles", SETTING_BOOL, .otherwise = "true",
        .help = "Ask LINE for the guest's name, picture and language" },
    [LINE_SET_WEBHOOK]    = { "set_webhook", "Set the webhook", SETTING_BOOL, .otherwise = "false",
        .help = "Enter our webhook URL at LINE when the channel is saved; not with the Switcher API" },
};

static const struct media_rule line_media[] = { /* "Message objects" */
    { "image/jpeg",  10 << 20 },
    { "image/png",   10 << 20 },
    { "video/mp4",  200 << 20 },
    { "audio/mp4",  200 << 20 },
    { "audio/m4a",  200 << 20 },
    { "audio/x-m4a", 200 << 20 },
    { "audio/mpeg", 200 << 20 },
    { "audio/mp3",  200 << 20 },
};

static const struct rate line_rates[] = { /* "Rate limits" */
    [LINE_RATE_DEFAULT] = { .calls = 2000, .per_ms = 1000 },
    [LINE_RATE_LOADING] = { .calls = 100, .per_ms = 1000 },
    [LINE_RATE_WEBHOOK] = { .calls = 1000, .per_ms = 60000 },
};

static const struct route_extra line_routes[] = {
    { "GET", "/line/qr", line_qr, .mine = NULL },
    { "GET", "/line/link", line_link, .mine = NULL },
    { "GET", "/line/film", line_film, .mine = NULL },
};
/* clang-format on */

/* ---- small common things ------------------------------------------------------------------------------------------- */

static bool all_of(slice s, const char *chars)
{
    for (size_t i = 0; i < s.n; i++)
        if (!s.p[i] || !strchr(chars, s.p[i]))
            return false;
    return s.n > 0;
}

enum line_guest line_guest_of(slice guest)
{
    enum { PHONE_MIN = 8, PHONE_MAX = 15 };
    slice digits = slice_from(guest, 1);
    if (slice_starts(guest, SL("+")) && digits.n >= PHONE_MIN && digits.n <= PHONE_MAX &&
        all_of(digits, "0123456789"))
        return LINE_PHONE;
    return slice_starts(guest, SL("C")) ? LINE_GROUP : slice_starts(guest, SL("R")) ? LINE_ROOM : LINE_USER;
}

static slice without_slash(slice url)
{
    return slice_ends(url, SL("/")) ? slice_sub(url, 0, url.n - 1) : url;
}

slice line_base_url(const struct call *c)
{
    return without_slash(slice_or(setting(c, LINE_BASE_URL), SL("https://api.line.me")));
}

slice line_data_url(const struct call *c)
{
    slice base = slice_or(setting(c, LINE_BASE_URL), SL("https://api-data.line.me"));
    return without_slash(slice_or(setting(c, LINE_DATA_URL), base));
}

void line_api(struct call *c, struct delivery *d, const char *method, const char *path, slice body)
{
    d->call.method = method;
    d->call.url = arena_printf(c->a, SLF "%s", SLA(line_base_url(c)), path);
    d->call.body = body;
    if (body.p)
        d->call.type = SL("application/json");
    /* "Control hand-over": on every call of a channel that uses the Switcher. */
    if (setting(c, LINE_SWITCHER_SECRET).n)
        call_header(&d->call, "X-Line-SwitcherSecret", setting(c, LINE_SWITCHER_SECRET));
    if (setting(c, LINE_SWITCHER_CODE).n)
        call_header(&d->call, "X-Line-ServiceCode", setting(c, LINE_SWITCHER_CODE));
}

slice line_error(struct arena *a, slice body)
{
    struct fault none = { 0 };
    const struct js *doc = body.n ? js_parse(a, body, &none) : NULL;
    slice text = js_text(js_at(doc, "message"));
    slice property = js_text(js_at(doc, "details.0.property"));
    if (!text.n) /* token endpoints */
        text = slice_or(js_text(js_at(doc, "error_description")), js_text(js_at(doc, "error")));
    if (!text.n)
        return SLICE_NONE;
    if (property.n)
        text = arena_printf(a, SLF " (" SLF ")", SLA(text), SLA(property));
    return utf8_cut(text, LINE_ERROR_CHARS);
}

/* ---- the table's functions ----------------------------------------------------------------------------------------- */

static bool line_check(struct call *c)
{
    if (!all_of(setting(c, LINE_CHANNEL_ID), "0123456789"))
        return fault(c->f, "refused", "channel_id", "the channel ID is a number, such as 1234567890");
    if (!slice_starts(setting(c, LINE_BOT_ID), SL("@")) || setting(c, LINE_BOT_ID).n < 2)
        return fault(c->f, "refused", "bot_id", "the bot basic ID begins with @, such as @123abcde");
    if (slice_eq(setting(c, LINE_TOKEN), SL("v2.1")) && !setting(c, LINE_ASSERTION_KEY).n)
        return fault(c->f, "missing_field", "assertion_key", "token v2.1 needs an assertion signing key");
    bool code = setting(c, LINE_SWITCHER_CODE).n, destination = setting(c, LINE_SWITCHER_DESTINATION).n;
    if ((code || destination) && !setting(c, LINE_SWITCHER_SECRET).n)
        return fault(c->f, "missing_field", "switcher.secret",
                     "the Switcher API needs the controller's secret");
    if (setting(c, LINE_SWITCHER_SECRET).n && !destination)
        return fault(c->f, "missing_field", "switcher.destination_id", "say where guests are switched to");
    return true;
}

static slice line_route_own(struct call *c)
{
    return memory_get(c->memory, LINE_BOT_USER_ID, c->now_ms);
}

static bool is_host_of(struct call *c, slice url, const struct url *u)
{
    struct url base;
    return url_parse(c->a, url, &base, NULL) && url_same_host(&base, u);
}

static bool line_token_host(struct call *c, const struct url *u)
{
    return is_host_of(c, line_base_url(c), u) || is_host_of(c, line_data_url(c), u);
}

static slice line_media_url(struct call *c, const struct media *md) /* "Content download" */
{
    return arena_printf(c->a, SLF "/v2/bot/message/" SLF "/content", SLA(line_data_url(c)),
                        SLA(url_encode(c->a, md->id)));
}

/* Of a webhook ("Inbound webhook"): kinds, times, sizes and the numbers of stickers that all people share. */
static const char *const line_record_keep[] = { "type", "mode", "timestamp", "duration", "fileSize", "index", "length", "total", "packageId", "stickerId",
                                                "stickerResourceType", "productId", "emojiId", "result", NULL };
static const char *const line_record_ids[] = { "events.webhookEventId", "events.message.id", NULL };

/* clang-format off */
const struct connector connector_line = {
    .name     = "line",
    .title    = "LINE",
    .caps     = {
        .kinds = CAN(KIND_TEXT) | CAN(KIND_IMAGE) | CAN(KIND_VIDEO) | CAN(KIND_AUDIO) | CAN(KIND_LOCATION) | CAN(KIND_STICKER) |
                 CAN(KIND_CHOICES) | CAN(KIND_CARDS) | CAN(KIND_NATIVE) | CAN(KIND_TYPING) | CAN(KIND_EVENT),
        .events = CAN(EVENT_JOINED) | CAN(EVENT_LEFT) | CAN(EVENT_CLOSED) | CAN(EVENT_READ) | CAN(EVENT_OTHER),
        .text_max = LINE_TEXT_UNITS, .text_unit = UNIT_UTF16,
        .media = MEDIA_LINK, .media_rules = line_media, .n_media_rules = COUNT(line_media),
        .choices_max = LINE_QUICK_REPLIES, .choice_label_max = LINE_LABEL_CHARS,
        .cards_max = LINE_CARDS, .card_choices_max = LINE_CARD_CHOICES, .choice_urls = true, .choice_pictures = true,
        .location_needs_title = true, .sticker_needs_own_id = true, .agent_name = true,
    },
    .settings = line_settings, .n_settings = COUNT(line_settings), .once = "channel_id", .once_with = "switcher.secret",
    .hook     = { "/line", VERIFY_HMAC_SHA256_BASE64, "x-line-signature",
                  .secrets = { LINE_CHANNEL_SECRET, LINE_SWITCHER_SECRET, LINE_OLD_SECRET }, .n_secrets = 3, .deadline_ms = 2000 },
    .auth     = { AUTH_REQUEST, .token_call = line_token_call, .token_host = line_token_host },
    .rates    = line_rates, .n_rates = COUNT(line_rates),
    .lookup   = { line_who, .keep_ms = 24 * 3600 * 1000, .unknown_ms = 3600 * 1000, .total_ms = 3000 },
    .record_keep = line_record_keep, .record_ids = line_record_ids,
    .routes   = line_routes, .n_routes = COUNT(line_routes),
    .check      = line_check,
    .route_key  = line_route_key,
    .route_own  = line_route_own,
    .receive    = line_receive,
    .deliver    = line_deliver, .settles_interrupted = true,
    .setup      = line_setup,
    .media_url  = line_media_url,
    .dry        = { .guest = "U4af4980629dc8e4c2e7a1b2c3d4e5f60", .answer = "{\"sentMessages\":[{\"id\":\"1\"}]}" },
};
/* clang-format on */
