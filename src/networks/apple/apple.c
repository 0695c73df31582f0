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
};

static const struct media_rule apple_media[] = { { "*", APPLE_FILE_BYTES } };

static const struct page apple_pages[] = {
    { "GET",  "/amb/register", 0, apple_page_key, NULL, apple_register },
    { "POST", "/amb/register", 16 << 10, apple_page_key, NULL, apple_register },
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
    .settings = apple_settings, .n_settings = COUNT(apple_settings),
    .hook     = { "/amb/message", VERIFY_OWN, "authorization", "Bearer ", .absent_status = 401, .body_max = APPLE_IN_BYTES, .dedupe_ms = 24 * HOUR_MS },
    .record_keep = apple_record_keep, .record_ids = apple_record_ids,
    .pages    = apple_pages, .n_pages = COUNT(apple_pages),
    .check      = apple_check,
    .route_key  = apple_route_key,
    .route_own  = apple_route_own,
    .verify     = apple_verify,
    .receive    = apple_receive,
    .deliver    = apple_deliver,
    .media_find = apple_media_find,
    .dry        = { "urn:mbid:AQAAY6xH", "{\"msp_secret\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\",\"msp_id\":\"msp\",\"business_id\":\"business\"}", NULL, NULL,
                    "{\"upload-url\":\"https://upload.example/\",\"mmcs-url\":\"https://content.example/\",\"mmcs-owner\":\"owner\"}" },
};
/* clang-format on */
