/* line.c - plays LINE: a Messaging API channel of an official account, and the phones of the people who write to it.
 *
 *   dragoman sim line --listen 127.0.0.1:9002 --hub http://127.0.0.1:8080
 *
 * Set in the hub: channel_id, channel_secret, bot_id as given here (or left at their standards), base_url: http://127.0.0.1:9002 for
 * both of LINE's hosts. The page at / is a phone.
 *
 * Control API. "guest" is a user, group or room: its id, or its number as GET /sim/guests lists it ("1" is the first person).
 *
 *   GET    /sim/guests                      account and people {"account":{…},"count":N,"guests":[{"number","id","kind","name","friend",
 *                                           "sent","received","loading_ms",…}]}
 *   POST   /sim/guests/{guest}/send         a guest does something; one signed webhook follows. {"type":…}:
 *            text      "text" ("emojis","mention","quotedMessageId")
 *            image     "base64" and "contentType", or "url" (then an external provider), or nothing: a sample picture; "imageSet"
 *            video, audio   "base64" or "url"; "duration"; "preparing_ms": the content answers 202 so long; "transcoding":"failed"
 *            file      "base64", "fileName", "contentType"
 *            sticker   "packageId","stickerId","stickerResourceType","keywords","text"
 *            location  "title","address","latitude","longitude"
 *            postback  "data","params","displayText"
 *            follow, unfollow, unsend ("messageId"), join, leave, memberJoined, memberLeft, videoPlayComplete, beacon, accountLink
 *            ("link"), membership, module, activated, deactivated, botSuspended, botResumed, delivery: their member as in LINE's
 *            webhook, or a standard one
 *            switchBack     the chat returns from where a Switcher call sent it; "note"
 *            event     "event":{"type":"anything",…}: any other event; "replyToken":true
 *          Beside them: "as" (who, in a group), "wrongSignature":true, "standby":true, "destination":"U…".
 *          Answer {"events","webhookEventId","replyToken"}
 *   POST   /sim/guests/{guest}/tap          {"label"}: a quick reply still shown, or a button of one of the newest messages; "params" for
 *                                           pickers. As send, or {"action":{…}} where nothing goes out (links, clipboard)
 *   GET    /sim/guests/{guest}/messages     {"guest":{…},"messages":[{"id","from":"guest"|"account","at","how","message":{…},
 *                                           "media":{…},"read","unsent","requestId"}]}; ?after=ID
 *   DELETE /sim/messages                    empties all chats
 *   POST   /sim/send                        {"items":[{"guest":"1","type":…},…]}: several events in one webhook
 *   POST   /sim/verify                      the console's Verify button: {"status","took_ms"}
 *   POST   /sim/settings                    {"quota","used","chatMode","redelivery","pnpRefused":"+81…,+81…"}
 *   POST   /sim/tokens                      a long-lived token, as the console makes it; DELETE: every token expires now
 *   POST   /sim/keys                        registers a public key for assertions: a JWK {"n","e"} or {"pem"}; {"kid"}
 *   GET    /sim/events                      server-sent events: bubble {"chat","bubble"}, typing {"chat","seconds"}, webhook {"status"…}, reset
 *   GET    /sim/counters                    messages, events, calls by route and status, webhooks
 *   POST   /sim/burst                       {"count","guests","rate","text"}: texts from many guests; GET: how it goes, answer times
 *   GET|POST|DELETE /sim/faults, GET /sim/webhooks   faults.h, webhook.h
 *   GET    /stickershop/v1/sticker/{id}/…   sticker pictures (ours), where LINE's picture host has them
 */
#include "sim/line.h"

/* clang-format off */
static const struct sim_option options[] = {
    { "channel-id",      "ID",      "1234567890",                       "the Messaging API channel" },
    { "channel-secret",  "SECRET",  "8c570fa6dd201bb328f1c1eac23a96d8", "signs webhooks, buys tokens" },
    { "bot-id",          "@ID",     "@dragoman",                        "basic id of the account" },
    { "bot-name",        "NAME",    "Dragoman Store",                   "its display name" },
    { "destination",     "U…",      "U0123456789abcdef0123456789abcdef", "its user id" },
    { "guests",          "N",       "6",                                "people who have added it" },
    { "webhook-path",    "PATH",    "/line",                            "behind --hub; the bot may set another endpoint" },
    { "allow-http",      NULL,      "yes",                              "http:// URLs in messages are fine; --allow-http=no is strict" },
    { "redelivery",      NULL,      NULL,                               "sends events again that got no 2xx" },
    { "redelivery-ms",   "MS",      "2000",                             "wait before the first time; doubles" },
    { "fetch-media",     NULL,      "yes",                              "fetches and checks what messages point to; --fetch-media=no does not" },
    { "rate-limit",      "N",       "2000",                             "calls a second of each endpoint; 0: any" },
    { "quota",           "N",       "0",                                "messages a month; 0: any" },
    { "chat-mode",       NULL,      "yes",                              "chat is ON in the manager, so messages can be marked as read" },
    { "service-code",    "CODE",    NULL,                               "of the Switcher" },
    { "switcher-secret", "SECRET",  NULL,                               "of the Switcher; without it the account has none" },
    { "pnp-refused",     "NUMBERS", NULL,                               "phone numbers answered 422, separated by commas" },
};
/* clang-format on */

enum { REPLY_TOKENS_KEPT = 200000, RETRY_KEYS_KEPT = 200000, READ_TOKENS_KEPT = 20000 };

static char *copy(slice s)
{
    char *p = must_malloc(s.n + 1);
    memcpy(p, s.n ? s.p : "", s.n);
    p[s.n] = 0;
    return p;
}

static void line_stop(void *state)
{
    struct line *l = state;
    line_burst_done(l);
    line_events_done(l);
    line_send_done(l);
    line_chats_free(l);
    struct shelf *shelves[] = { l->by_id, l->tokens, l->reply_tokens, l->retry_keys, l->contents, l->read_tokens, l->keys };
    for (size_t i = 0; i < COUNT(shelves); i++)
        shelf_free(shelves[i]);
    free(l->webhook_url);
    free(l->pnp_refused);
    free(l);
}

static bool read_numbers(struct line *l, int64_t *guests, struct fault *f)
{
    return sim_option_int(l->env, "guests", 0, LINE_GUESTS_MAX, guests, f) &&
           sim_option_int(l->env, "rate-limit", 0, INT32_MAX, &l->rate_limit, f) &&
           sim_option_int(l->env, "quota", 0, INT32_MAX, &l->quota, f) &&
           sim_option_int(l->env, "redelivery-ms", 1, 60000, &l->redelivery_ms, f);
}

static void *line_start(struct sim_env *env, struct fault *f)
{
    struct line *l = must_calloc(1, sizeof(*l));
    int64_t guests;
    *l = (struct line){
        .env = env,
        .channel_id = sim_option(env, "channel-id"),
        .channel_secret = sim_option(env, "channel-secret"),
        .bot_id = sim_option(env, "bot-id"),
        .bot_name = sim_option(env, "bot-name"),
        .destination = sim_option(env, "destination"),
        .service_code = sim_option(env, "service-code"),
        .switcher_secret = sim_option(env, "switcher-secret"),
        .allow_http = sim_option_on(env, "allow-http"),
        .redelivery = sim_option_on(env, "redelivery"),
        .fetch_media = sim_option_on(env, "fetch-media"),
        .chat_mode = sim_option_on(env, "chat-mode"),
        .pnp_refused = copy(sim_option(env, "pnp-refused")),
        .by_id = shelf_new(SIZE_MAX, 0, NULL),
        .reply_tokens = shelf_new(REPLY_TOKENS_KEPT, LINE_REPLY_TOKEN_LAST_MS, free),
        .retry_keys = shelf_new(RETRY_KEYS_KEPT, LINE_RETRY_KEY_MS, free),
        .contents = shelf_new(LINE_CONTENTS_KEPT, 0, free),
        .read_tokens = shelf_new(READ_TOKENS_KEPT, 0, free),
    };
    env->state = l;
    if (!read_numbers(l, &guests, f))
        return NULL;
    if (env->hub.n)
        l->webhook_url = copy(arena_printf(env->a, SLF SLF, SLA(env->hub), SLA(sim_option(env, "webhook-path"))));
    line_people(l, (size_t)guests);
    line_control_routes(l);
    line_burst_routes(l);
    line_token_routes(l);
    line_send_routes(l);
    line_switch_routes(l);
    line_content_routes(l);
    line_api_routes(l);
    return l;
}

const struct sim sim_line = {
    .name = "line",
    .title = "LINE (Messaging API)",
    .page = true,
    .options = options,
    .n_options = COUNT(options),
    .start = line_start,
    .stop = line_stop,
    .refuse = line_refuse,
    .webhook = line_webhook,
};
