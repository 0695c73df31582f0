/* telegram.c - Telegram (Bot API).
 *
 * Wire facts: docs/wire/telegram.md; the names in quotes are its sections. What an operator does: docs/networks/telegram.md.
 */
#include "networks/telegram/wire.h"
#include "wire/crypto.h"
#include "wire/hex.h"
#include "wire/url.h"

/* clang-format off */
static const struct setting telegram_settings[TELEGRAM_SETTINGS] = {
    [TELEGRAM_TOKEN]       = { "token", "Bot token", .required = true, .secret = true, .max = 128,
        .help = "From @BotFather; a number, a colon and 35 characters" },
    [TELEGRAM_SECRET]      = { "secret_token", "Webhook secret", .secret = true, .max = 256,
        .help = "A to Z, a to z, 0 to 9, _ and -; made from the bot token when left out" },
    [TELEGRAM_BASE_URL]    = { "base_url", "API address", SETTING_URL,
        .help = "Only for a Bot API server of your own and for tests; https://api.telegram.org when left out" },
    [TELEGRAM_SET_WEBHOOK] = { "set_webhook", "Set the webhook", SETTING_BOOL, .otherwise = "true",
        .help = "Enter our webhook URL at Telegram when the channel is saved" },
    [TELEGRAM_CONNECTIONS] = { "max_connections", "Connections", SETTING_NUMBER, .otherwise = "40", .min = 1, .max = 100,
        .help = "How many updates Telegram sends at a time" },
    [TELEGRAM_SHOW_SYSTEM] = { "show_system_messages", "Show System Messages", SETTING_BOOL, .otherwise = "false",
        .help = "Tell the guest when an agent joins or leaves and when the conversation ends" },
    [TELEGRAM_PREFIX_AGENT]= { "prefix_agent_name", "Prefix Agent Name", SETTING_BOOL, .otherwise = "false",
        .help = "Write the agent's name before what the agent writes" },
    [TELEGRAM_UPLOAD]      = { "upload_files", "Upload files", SETTING_BOOL, .otherwise = "false",
        .help = "Send files themselves instead of links to them: where Telegram cannot reach us, or does not know our certificate" },
};

static const struct media_rule telegram_media[] = { /* "Files out"; sends.c knows what goes by link */
    { "*", TELEGRAM_UPLOAD_BYTES },
};

static const struct rate telegram_rates[] = { /* "Limits" */
    [TELEGRAM_RATE_ALL]   = { .calls = 30, .per_ms = 1000 },
    [TELEGRAM_RATE_CHAT]  = { .calls = 5, .per_ms = 5000, .per_conversation = true },
    [TELEGRAM_RATE_GROUP] = { .calls = 20, .per_ms = 60000, .per_conversation = true },
};
/* clang-format on */

/* ---- small common things ------------------------------------------------------------------------------------------- */

struct telegram_guest telegram_guest_of(slice guest)
{
    struct telegram_guest g = { .business = slice_starts(guest, SL("b")) };
    slice rest = g.business ? slice_from(guest, 1) : guest;
    g.chat = slice_cut(&rest, '.');
    if (g.business) {
        g.connection = rest;
        return g;
    }
    g.group = rest.p != NULL;
    g.user = slice_cut(&rest, '.');
    g.thread = rest;
    return g;
}

slice telegram_bot_id(const struct call *c)
{
    slice rest = setting(c, TELEGRAM_TOKEN);
    return slice_cut(&rest, ':');
}

slice telegram_bot_name(const struct call *c)
{
    slice rest = memory_get(c->memory, TELEGRAM_BOT, c->now_ms);
    slice id = slice_cut(&rest, ' ');
    return slice_eq(id, telegram_bot_id(c)) ? rest : SLICE_NONE;
}

slice telegram_secret(struct call *c)
{
    slice own = setting(c, TELEGRAM_SECRET);
    if (own.n)
        return own;
    struct sha256 mac = hmac_sha256(setting(c, TELEGRAM_TOKEN), arena_printf(c->a, "webhook " SLF, SLA(c->account->id)));
    return hex_encode(c->a, slice_mem(mac.b, sizeof(mac.b)));
}

static slice base_url(const struct call *c)
{
    slice url = slice_or(setting(c, TELEGRAM_BASE_URL), SL("https://api.telegram.org"));
    return slice_ends(url, SL("/")) ? slice_sub(url, 0, url.n - 1) : url;
}

void telegram_api(struct call *c, struct delivery *d, const char *method, slice body)
{
    d->call.method = "POST";
    d->call.url = arena_printf(c->a, SLF "/bot" SLF "/%s", SLA(base_url(c)), SLA(setting(c, TELEGRAM_TOKEN)), method);
    d->call.type = SL("application/json");
    d->call.body = body;
}

/* ---- answers and errors -------------------------------------------------------------------------------------------- */

struct telegram_answer telegram_answer_of(struct arena *a, const struct answer *r)
{
    struct fault none = { 0 };
    struct telegram_answer t = { 0 };
    const struct js *doc = r->body.n ? js_parse(a, r->body, &none) : NULL;
    if (answer_good(r) && js_true(js_at(doc, "ok")))
        t.result = js_at(doc, "result");
    enum { SAID_CHARS = 160 };
    t.description = utf8_cut(js_text(js_at(doc, "description")), SAID_CHARS);
    if (!js_int(js_at(doc, "parameters.retry_after"), &t.retry_after_s))
        t.retry_after_s = 0;
    if (!js_int(js_at(doc, "parameters.migrate_to_chat_id"), &t.moved_to))
        t.moved_to = 0;
    return t;
}

/* clang-format off */
static const struct { int status; slice said; enum reason reason; } refusals[] = { /* "Errors"; first match wins */
    { 400, SLI("Bad Request: chat not found"),              REASON_UNKNOWN_GUEST },
    { 400, SLI("Bad Request: message thread not found"),    REASON_UNKNOWN_GUEST },
    { 400, SLI("Bad Request: user not found"),              REASON_UNKNOWN_GUEST },
    { 400, SLI("Bad Request: PEER_ID_INVALID"),             REASON_UNKNOWN_GUEST },
    { 400, SLI("Bad Request: BUSINESS_PEER"),               REASON_WINDOW },
    { 400, SLI("Bad Request: file is too big"),             REASON_MEDIA_SIZE },
    { 400, SLI("Bad Request: wrong file_id"),               REASON_MEDIA_TYPE },
    { 400, SLI("Bad Request: wrong type of the web page"),  REASON_MEDIA_TYPE },
    { 400, SLI("Bad Request: failed to get HTTP URL"),      REASON_MEDIA_TYPE },
    { 400, { NULL, 0 },                                     REASON_INVALID },
    { 401, { NULL, 0 },                                     REASON_CREDENTIALS },
    { 403, SLI("Forbidden: bot can't initiate"),            REASON_UNKNOWN_GUEST },
    { 403, { NULL, 0 },                                     REASON_BLOCKED },
    { 404, { NULL, 0 },                                     REASON_CREDENTIALS }, /* the token's form, or the server's address */
    { 413, { NULL, 0 },                                     REASON_INVALID },     /* the request, not a file */
    { 421, { NULL, 0 },                                     REASON_CREDENTIALS },
};
/* clang-format on */

enum outcome telegram_failed(struct call *c, struct delivery *d, const char *what)
{
    const struct answer *r = d->last;
    struct telegram_answer said = telegram_answer_of(c->a, r);
    for (size_t i = 0; i < COUNT(refusals); i++)
        if (refusals[i].status == r->status && slice_starts(said.description, slice_or(refusals[i].said, SL(""))))
            return refuse(c, d, refusals[i].reason, "%s: status %d: " SLF, what, r->status, SLA(said.description));
    /* "Nothing is repeatable": 5xx in Telegram's own words, or without any, says that it was not done; a gateway's page says nothing. */
    if (r->status >= 500 && r->body.n && !said.description.n && !d->last_repeatable) {
        fault(c->f, "unknown", "", "%s: status %d, and not from Telegram itself", what, r->status);
        return OUT_UNKNOWN;
    }
    enum outcome end = answer_outcome(c, d, what);
    if (said.retry_after_s > 0)
        d->retry_ms = MAX(d->retry_ms, MIN(said.retry_after_s, (int64_t)TELEGRAM_RETRY_MOST_S) * 1000);
    return end;
}

/* ---- the table's functions ----------------------------------------------------------------------------------------- */

static bool all_of(slice s, const char *chars)
{
    for (size_t i = 0; i < s.n; i++)
        if (!s.p[i] || !strchr(chars, s.p[i]))
            return false;
    return s.n > 0;
}

#define DIGITS "0123456789"
#define WORDS  DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-"

static bool telegram_check(struct call *c)
{
    enum { KEY_MIN = 30 };
    static const int64_t ports[] = { 443, 80, 88, 8443 };
    slice key = setting(c, TELEGRAM_TOKEN), id = slice_cut(&key, ':'), secret = setting(c, TELEGRAM_SECRET);
    if (!all_of(id, DIGITS) || key.n < KEY_MIN || !all_of(key, WORDS))
        return fault(c->f, "refused", "token", "the bot token is a number, a colon and 35 characters");
    if (secret.n && !all_of(secret, WORDS))
        return fault(c->f, "refused", "secret_token", "only A to Z, a to z, 0 to 9, _ and -");
    if (setting(c, TELEGRAM_BASE_URL).n || !setting_true(c, TELEGRAM_SET_WEBHOOK))
        return true;
    struct url u;
    if (!url_parse(c->a, c->account->hook_url, &u, NULL) || !slice_starts(c->account->hook_url, SL("https://")))
        return fault(c->f, "refused", "public_url", "Telegram sends updates to https:// addresses only");
    for (size_t i = 0; i < COUNT(ports); i++)
        if (ports[i] == (int64_t)u.port)
            return true;
    return fault(c->f, "refused", "public_url", "Telegram sends updates to ports 443, 80, 88 and 8443 only");
}

/* ---- files: "Files in" --------------------------------------------------------------------------------------------- */

enum outcome telegram_media_find(struct call *c, struct delivery *d)
{
    if (!d->last) {
        struct jw w = jw_new(c->a, TELEGRAM_BODY_BYTES);
        jw_open(&w, NULL, '{');
        jw_str(&w, "file_id", d->media->id);
        jw_close(&w, '}');
        telegram_api(c, d, "getFile", jw_done(&w));
        d->call.repeatable = true;
        return OUT_CALL;
    }
    struct telegram_answer t = telegram_answer_of(c->a, d->last);
    slice path = js_text(js_at(t.result, "file_path"));
    if (!t.result)
        return telegram_failed(c, d, "file");
    if (!path.n)
        return refuse(c, d, REASON_SERVER, "file: Telegram does not say where it is");
    struct text url = text_new(c->a, TELEGRAM_BODY_BYTES);
    text_add(&url, SLF "/file/bot" SLF, SLA(base_url(c)), SLA(setting(c, TELEGRAM_TOKEN)));
    while (path.p) {
        slice part = slice_cut(&path, '/');
        if (part.n) /* a server of one's own gives absolute paths */
            text_add(&url, "/" SLF, SLA(url_encode(c->a, part)));
    }
    d->media_url = text_slice(&url);
    return OUT_DELIVERED;
}

/* clang-format off */
const struct connector connector_telegram = {
    .name     = "telegram",
    .title    = "Telegram",
    .caps     = {
        .kinds = CAN(KIND_TEXT) | CAN(KIND_IMAGE) | CAN(KIND_VIDEO) | CAN(KIND_AUDIO) | CAN(KIND_FILE) | CAN(KIND_LOCATION) |
                 CAN(KIND_STICKER) | CAN(KIND_CHOICES) | CAN(KIND_CARDS) | CAN(KIND_NATIVE) | CAN(KIND_TYPING) | CAN(KIND_EVENT),
        .events = CAN(EVENT_JOINED) | CAN(EVENT_LEFT) | CAN(EVENT_CLOSED),
        .text_max = TELEGRAM_TEXT_UNITS, .text_unit = UNIT_UTF16,
        .caption = true,
        .media = MEDIA_LINK, .media_rules = telegram_media, .n_media_rules = COUNT(telegram_media),
        .choices_max = TELEGRAM_BUTTONS, .choice_label_max = TELEGRAM_LABEL_CHARS,
        .cards_max = TELEGRAM_CARDS, .card_choices_max = TELEGRAM_BUTTONS, .choice_urls = true,
        .sticker_needs_own_id = true,
    },
    .settings = telegram_settings, .n_settings = COUNT(telegram_settings), .once = "token",
    .hook     = { "/telegram", VERIFY_HEADER_EQUAL, "x-telegram-bot-api-secret-token",
                  .secrets = { TELEGRAM_SECRET }, .n_secrets = 1 },
    .rates    = telegram_rates, .n_rates = COUNT(telegram_rates),
    .check       = telegram_check,
    .hook_secret = telegram_secret,
    .receive     = telegram_receive,
    .dry        = { .guest = "1111111", .answer = "{\"ok\":true,\"result\":{\"message_id\":1}}" },
    .deliver     = telegram_deliver,
    .setup       = telegram_setup,
    .media_find  = telegram_media_find,
};
/* clang-format on */
