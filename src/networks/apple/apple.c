/* apple.c - Apple Messages for Business, as a Messaging Service Provider (MSP).
 *
 * Wire facts: docs/wire/apple-messages.md; the names in quotes are its sections. What an operator does: docs/networks/apple.md.
 */
#include "networks/apple/wire.h"
#include "wire/base64.h"
#include "wire/gzip.h"
#include "wire/jwt.h"

enum { MINUTE_MS = 60 * 1000, HOUR_MS = 60 * MINUTE_MS, IAT_AHEAD_MS = 10 * MINUTE_MS, SECRET_BYTES_MIN = 16 };

/* clang-format off */
static const struct setting apple_settings[APPLE_SETTINGS] = {
    [APPLE_MSP_ID]       = { "msp_id", "MSP ID", .required = true, .max = 64,
        .help = "Of the installation, the same for all businesses: Apple's register, Messaging Service Provider" },
    [APPLE_MSP_SECRET]   = { "msp_secret", "MSP secret", .required = true, .secret = true, .max = 512,
        .help = "The secret beside the MSP ID, as shown there (Base64)" },
    [APPLE_BUSINESS_ID]  = { "business_id", "Business ID", .required = true, .min = 8, .max = 64,
        .help = "Of the business this channel serves: Apple's register, or the registration page of this hub" },
    [APPLE_BASE_URL]     = { "base_url", "API address", SETTING_URL,
        .help = "Only for Apple's staging gateway and for tests; https://mspgw.push.apple.com/v1 when left out" },
    [APPLE_SHOW_SYSTEM]  = { "show_system_messages", "Show System Messages", SETTING_BOOL, .otherwise = "false",
        .help = "Tell the guest when an agent joins or leaves and when the conversation ends" },
    [APPLE_PREFIX_AGENT] = { "prefix_agent_name", "Prefix Agent Name", SETTING_BOOL, .otherwise = "false",
        .help = "Write the agent's name before what the agent writes" },
    [APPLE_OAUTH_CLIENT] = { "oauth.client_id", "Sign-in: client ID", .max = 512,
        .help = "Of this hub at the business's identity provider; with it, canned requests to sign in are completed" },
    [APPLE_OAUTH_SECRET] = { "oauth.client_secret", "Sign-in: client secret", .secret = true, .max = 1024, .help = "Beside the client ID" },
    [APPLE_OAUTH_SCOPE]  = { "oauth.scope", "Sign-in: scope", .otherwise = "openid profile email", .max = 1024,
        .help = "What is asked for, separated by blanks" },
    [APPLE_OAUTH_AUTHORIZE] = { "oauth.authorize_url", "Sign-in: authorization address", SETTING_URL,
        .help = "Where guests sign in whose devices know no sign-in in Messages: they get a link to it" },
    [APPLE_OAUTH_TOKEN]  = { "oauth.token_url", "Sign-in: token address", SETTING_URL, .help = "Where a code is changed into a token" },
    [APPLE_OAUTH_USER]   = { "oauth.userinfo_url", "Sign-in: address of the user's data", SETTING_URL,
        .help = "Asked with the token who the guest is (OpenID Connect: userinfo): sub, name and email reach the desk" },
    [APPLE_PAY_MERCHANT] = { "pay.merchant_id", "Apple Pay: merchant ID", .max = 256,
        .help = "As in merchant.com.example; with it, canned payment requests are completed" },
    [APPLE_PAY_NAME]     = { "pay.merchant_name", "Apple Pay: merchant name", .max = 64, .help = "As guests see it" },
    [APPLE_PAY_CERTIFICATE] = { "pay.certificate", "Apple Pay: merchant identity certificate", .secret = true, .max = 16 << 10, .help = "PEM" },
    [APPLE_PAY_KEY]      = { "pay.private_key", "Apple Pay: its private key", .secret = true, .max = 16 << 10, .help = "PEM, not encrypted" },
    [APPLE_PAY_GATEWAY]  = { "pay.gateway_url", "Apple Pay: payment gateway", SETTING_URL,
        .help = "Of the business's payment service: gets the payment as Apple sends it, and says {\"status\":\"STATUS_SUCCESS\"} when it is made" },
    [APPLE_PAY_NETWORKS] = { "pay.networks", "Apple Pay: cards", .otherwise = "amex, discover, masterCard, visa", .max = 512,
        .help = "Which are taken, separated by commas" },
    [APPLE_PAY_SESSION]  = { "pay.session_url", "Apple Pay: session address", SETTING_URL,
        .otherwise = "https://apple-pay-gateway.apple.com/paymentservices/paymentSession", .help = "Another one in mainland China, and for tests" },
    [APPLE_PAY_DOMAIN]   = { "pay.domain_association", "Apple Pay: domain association", .max = 16 << 10,
        .help = "The text of the file by which Apple checks that this host is yours; it is served where Apple looks for it" },
};

static const struct media_rule apple_media[] = { { "*", APPLE_FILE_BYTES } };


static const struct record_of by_business = { apple_page_key, NULL };
static const struct route_extra apple_routes[] = {
    { "GET",  "/amb/register", apple_register, .record = &by_business },
    { "POST", "/amb/register", apple_register, .record = &by_business, .body_max = 16 << 10 },
    { "GET",  "/amb/oauth/callback", apple_callback, .mine = apple_callback_mine },
    { "POST", "/amb/pay", apple_pay_called, .mine = apple_pay_mine, .secret = true },
    { "GET",  "/amb/pay", apple_pay_page, .mine = apple_pay_mine, .secret = true },
    { "GET",  "/.well-known/apple-developer-merchantid-domain-association", apple_domain, .mine = apple_domain_mine },
};
/* clang-format on */

/* ---- small common things ------------------------------------------------------------------------------------------- */

slice apple_member(const struct js *v, const char *path)
{
    return js_text(js_at(v, path));
}

bool apple_can(const struct call *c, const char *capability)
{
    slice list = c->guest_memory ? memory_get(c->guest_memory, APPLE_CAPS, c->now_ms) : SLICE_NONE;
    if (!list.p)
        return true;
    while (list.p)
        if (slice_eq_nocase(slice_trim(slice_cut(&list, ',')), slice_of(capability)))
            return true;
    return false;
}

/* ---- tokens: "Tokens" ---------------------------------------------------------------------------------------------- */

static struct jwt_key *msp_key(struct call *c)
{
    slice secret = base64_decode(c->a, setting(c, APPLE_MSP_SECRET));
    return secret.n ? jwt_key_secret(secret) : NULL;
}

static slice our_token(struct call *c)
{
    CLEANUP(jwt_key_freep) struct jwt_key *key = msp_key(c);
    struct jw w = jw_new(c->a, JWT_BYTES_MAX);
    jw_open(&w, NULL, '{');
    jwt_claims_write(&w, &(struct jwt_claims){ .iss = setting(c, APPLE_MSP_ID), .iat_ms = c->now_ms });
    jw_close(&w, '}');
    slice token = key ? jwt_sign(c->a, key, SLICE_NONE, jw_done(&w), c->f) : SLICE_NONE;
    return token.p ? arena_printf(c->a, "Bearer " SLF, SLA(token)) : SLICE_NONE;
}

static bool apple_verify(struct call *c, const struct request *rq, slice *ret_body)
{
    slice given = request_header(rq, "authorization");
    *ret_body = rq->body;
    if (!given.p)
        return fault(c->f, "no_signature", "authorization", "the header authorization is missing");
    if (!slice_starts(given, SL("Bearer ")))
        return fault(c->f, "bad_signature", "authorization", "authorization does not begin with \"Bearer \"");
    CLEANUP(jwt_key_freep) struct jwt_key *key = msp_key(c);
    struct jwt_rules rules = { .now_ms = c->now_ms, .aud = setting(c, APPLE_MSP_ID), .exp_optional = true };
    const struct js *claims = key ? jwt_verify(c->a, key, slice_from(given, 7), &rules, c->f) : NULL;
    int64_t iat_s = 0;
    if (!claims)
        return key ? false : fault(c->f, "bad_signature", "authorization", "the MSP secret is no Base64");
    if (js_at(claims, "iat") && (!js_int(js_at(claims, "iat"), &iat_s) || iat_s > (c->now_ms + IAT_AHEAD_MS) / 1000))
        return fault(c->f, "not_yet_valid", "iat", "the token was made in the future");
    bool packed = rq->body.n >= 2 && (unsigned char)rq->body.p[0] == 0x1f && (unsigned char)rq->body.p[1] == 0x8b;
    if (packed && gzip_unpack(c->a, rq->body, APPLE_IN_BYTES, ret_body) != GZIP_OK)
        *ret_body = rq->body; /* receive will say that it is no JSON */
    return true;
}

static slice apple_route_key(struct arena *a, const struct request *rq)
{
    (void)a;
    return request_header(rq, "destination-id");
}

static slice apple_route_own(struct call *c)
{
    return setting(c, APPLE_BUSINESS_ID);
}

/* ---- calls: "Calls", "Errors" ---------------------------------------------------------------------------------------- */

bool apple_api(struct call *c, struct delivery *d, const char *method, const char *path)
{
    slice base = slice_or(setting(c, APPLE_BASE_URL), SL("https://mspgw.push.apple.com/v1"));
    slice token = our_token(c);
    if (!token.p)
        return false;
    if (slice_ends(base, SL("/")))
        base = slice_sub(base, 0, base.n - 1);
    d->call.method = method;
    d->call.url = arena_printf(c->a, SLF "%s", SLA(base), path);
    d->call.repeatable = true; /* the same id names the same message; the rest reads, or makes room */
    call_header(&d->call, "Authorization", token);
    call_header(&d->call, "Source-Id", setting(c, APPLE_BUSINESS_ID));
    return true;
}

enum outcome apple_failed(struct call *c, struct delivery *d, const char *what)
{
    /* clang-format off */
    static const struct { int status; enum reason reason; } refusals[] = {
        { 400, REASON_INVALID }, { 401, REASON_CREDENTIALS }, { 403, REASON_CREDENTIALS }, { 404, REASON_UNKNOWN_GUEST }, { 410, REASON_BLOCKED },
        { 413, REASON_INVALID },
    };
    /* clang-format on */
    slice said = utf8_cut(utf8_repair(c->a, d->last->body), APPLE_ERROR_CHARS);
    for (size_t i = 0; i < COUNT(refusals); i++)
        if (refusals[i].status == d->last->status)
            return refuse(c, d, refusals[i].reason, "%s: status %d: " SLF, what, d->last->status, SLA(said));
    return answer_outcome(c, d, what);
}

/* ---- settings ---------------------------------------------------------------------------------------------------------- */

static bool apple_check(struct call *c)
{
    slice id = setting(c, APPLE_BUSINESS_ID);
    if (base64_decode(c->a, setting(c, APPLE_MSP_SECRET)).n < SECRET_BYTES_MIN)
        return fault(c->f, "refused", "msp_secret", "the MSP secret is a text in Base64");
    for (size_t i = 0; i < id.n; i++)
        if (!id.p[i] || !strchr("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-", id.p[i]))
            return fault(c->f, "refused", "business_id", "a business ID has letters, digits and -");
    if (setting(c, APPLE_OAUTH_CLIENT).n && !setting(c, APPLE_OAUTH_TOKEN).n)
        return fault(c->f, "missing_field", "oauth.token_url", "signing in needs the address where a code is changed into a token");
    if (setting(c, APPLE_PAY_CERTIFICATE).n != 0 && !setting(c, APPLE_PAY_KEY).n)
        return fault(c->f, "missing_field", "pay.private_key", "the certificate has a private key");
    return true;
}

static const char *const apple_record_keep[] = { "v", "type", "locale", "mimeType", "bid", "version", "style", "template", "status", NULL };
static const char *const apple_record_ids[] = { "id", NULL };

/* clang-format off */
const struct connector connector_apple = {
    .name     = "apple",
    .title    = "Apple Messages for Business",
    .caps     = {
        .kinds = CAN(KIND_TEXT) | CAN(KIND_IMAGE) | CAN(KIND_VIDEO) | CAN(KIND_AUDIO) | CAN(KIND_FILE) | CAN(KIND_CHOICES) | CAN(KIND_CARDS) |
                 CAN(KIND_PICKER) | CAN(KIND_NATIVE) | CAN(KIND_TYPING) | CAN(KIND_EVENT),
        .events = CAN(EVENT_JOINED) | CAN(EVENT_LEFT) | CAN(EVENT_CLOSED),
        .text_max = APPLE_TEXT_CHARS, .text_unit = UNIT_CHARS, .caption = true,
        .media = MEDIA_UPLOAD, .media_rules = apple_media, .n_media_rules = COUNT(apple_media),
        .choices_max = APPLE_ITEMS, .choice_label_max = APPLE_LABEL_CHARS,
        .cards_max = APPLE_CARDS, .card_choices_max = APPLE_ITEMS,
        .sticker_needs_own_id = true,
    },
    .settings = apple_settings, .n_settings = COUNT(apple_settings), .once = "business_id",
    .hook     = { "/amb/message", VERIFY_OWN, "authorization", "Bearer ", .absent_status = 401, .body_max = APPLE_IN_BYTES, .dedupe_ms = 24 * HOUR_MS },
    .record_keep = apple_record_keep, .record_ids = apple_record_ids,
    .lookup   = { .who = apple_learn, .keep_ms = 365 * 24 * (int64_t)HOUR_MS, .unknown_ms = 365 * 24 * (int64_t)HOUR_MS, .total_ms = APPLE_LEARN_MS, .more = apple_more },
    .routes   = apple_routes, .n_routes = COUNT(apple_routes),
    .check      = apple_check,
    .route_key  = apple_route_key,
    .route_own  = apple_route_own,
    .verify     = apple_verify,
    .receive    = apple_receive,
    .deliver    = apple_deliver,
    .setup      = apple_setup,
    .media_find = apple_media_find,
    .dry        = { "urn:mbid:AQAAY6xH", "{\"msp_secret\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\",\"msp_id\":\"msp\",\"business_id\":\"business\"}", NULL, NULL,
                    "{\"upload-url\":\"https://upload.example/\",\"mmcs-url\":\"https://content.example/\",\"mmcs-owner\":\"owner\"}" },
};
/* clang-format on */
