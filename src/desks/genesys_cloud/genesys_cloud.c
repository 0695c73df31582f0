/* genesys_cloud.c - Genesys Cloud CX by its Open Messaging: the desk where the agents of a tenant sit.
 *
 * Wire facts: docs/wire/genesys-cloud.md; numbers in comments are its sections.
 *
 *   regions.c  where a region's services are, tokens     content.c  what the parts of an outbound message mean
 *   wire.c     calls, answers, reasons                   offer.c    buttons that were sent, answers that come back
 *   setup.c    the integration and what it refers to     deliver.c  message -> calls
 *   receive.c  request -> messages                       poll.c     has the conversation ended?
 *   lookup.c   who is the agent?                         maps.c     a picture of a place
 *   flow.c     the sample inbound message flow            responses.c  canned responses by name
 */
#include "desks/genesys_cloud/wire.h"
#include "desks/genesys_cloud/genesys_cloud.h"

/* ---- table ---------------------------------------------------------------------------------------------------------- */

/* clang-format off */
const char *const gc_regions[] = {                                                                                   /* 1 */
    "mypurecloud.com", "mypurecloud.ie", "mypurecloud.com.au", "mypurecloud.jp", "mypurecloud.de", "usw2.pure.cloud",
    "cac1.pure.cloud", "apne2.pure.cloud", "euw2.pure.cloud", "use2.us-gov-pure.cloud", "sae1.pure.cloud", "mec1.pure.cloud",
    "apne3.pure.cloud", "euc2.pure.cloud", "mxc1.pure.cloud", "apse1.pure.cloud", "edee1.eusc-pure.cloud", "aps1.pure.cloud",
    NULL
};

static const struct setting gc_settings[] = {
    [GC_REGION] = { "region", "Region", SETTING_CHOICE, .otherwise = "mypurecloud.com", .choices = gc_regions,
        .help = "The domain of your organisation: what follows \"apps.\" in the address of its administration pages" },
    [GC_BASE_URL] = { "base_url", "Base URL", SETTING_URL,
        .help = "Instead of a region: everything (log-in, API, apps) is at this address. For simulators and proxies" },
    [GC_CLIENT_ID] = { "client_id", "Client identifier", SETTING_TEXT, .required = true,
        .help = "Admin, Integrations, OAuth: a client with the grant Client Credentials and the role for Open Messaging" },
    [GC_CLIENT_SECRET] = { "client_secret", "Client secret", SETTING_TEXT, .required = true, .secret = true,
        .help = "Beside the client identifier" },
    [GC_INTEGRATION_NAME] = { "integration.name", "Integration name", SETTING_TEXT, .required = true, .min = 1, .max = 200,
        .help = "The Open Messaging platform of this name is made, or taken over when it exists" },
    [GC_INTEGRATION_TOKEN] = { "integration.token", "Integration token", SETTING_TEXT, .required = true, .secret = true,
        .help = "Signs what Genesys Cloud sends us. Any text of more than 15 characters; a long random one is best" },
    [GC_INTEGRATION_OLD_TOKEN] = { "integration.old_token", "Old integration token", SETTING_TEXT, .secret = true,
        .help = "Webhooks signed with it are still taken, while a new one is put in its place" },
    [GC_INTEGRATION_HEADERS] = { "integration.headers", "Webhook headers", SETTING_PAIRS,
        .help = "Headers that Genesys Cloud shall add to every call of the webhook" },
    [GC_INBOUND_FLOW] = { "inbound_flow", "Inbound message flow", SETTING_TEXT,
        .help = "Name or id of a published flow to which the integration is tied. Empty: tie it by hand under Routing, Message Routing" },
    [GC_SUPPORTED_CONTENT] = { "supported_content", "Supported content profile", SETTING_TEXT,
        .help = "Name or id of a profile. A name that does not exist is made and lets all media pass. Empty: left as it is (the default "
                "profile stops what agents send except JPEG, PNG and GIF)" },
    [GC_TYPING] = { "typing", "Typing indicators", SETTING_BOOL, .otherwise = "false",
        .help = "Both ways. Makes a messaging setting; the role needs messaging:setting:view and :add for it" },
    [GC_CUSTOM_DATA] = { "custom_data", "Custom data", SETTING_PAIRS,
        .help = "Added to the participant data of every guest" },
    [GC_AGENT_NAME] = { "agent_name", "Agent name", SETTING_TEXT, .max = 200,
        .help = "Shown to guests when the agent's own name is not known or not looked up" },
    [GC_AGENT_LOOKUP] = { "agent_lookup", "Look up the agent's name", SETTING_BOOL, .otherwise = "true",
        .help = "Asks who wrote a message; at most once a minute for each conversation" },
    [GC_END_POLL_SECONDS] = { "end_poll_seconds", "Ask for the end every", SETTING_NUMBER, .otherwise = "60", .max = 86400,
        .help = "Seconds between two questions whether an open conversation has ended; Genesys Cloud does not tell by itself. 0: never" },
    [GC_REQUESTS_PER_MINUTE] = { "requests_per_minute", "Questions per minute", SETTING_NUMBER, .otherwise = "300", .min = 1, .max = 100000,
        .help = "Budget of look-ups and polls. Messages are not held back by it" },
    [GC_MAPS_KEY] = { "google_maps.key", "Google Maps key", SETTING_TEXT, .secret = true,
        .help = "Adds a picture of the map to places that guests send. Google Maps Platform, Maps Static API" },
    [GC_MAPS_SECRET] = { "google_maps.secret", "Google Maps signing secret", SETTING_TEXT, .secret = true,
        .help = "Google Maps Platform, Credentials, Secret Generator" },
    [GC_MAPS_LANGUAGE] = { "google_maps.language", "Google Maps language", SETTING_TEXT, .max = 35, .help = "As in \"ja\" or \"pt-BR\"" },
    [GC_MAPS_WIDTH] = { "google_maps.width", "Google Maps width", SETTING_NUMBER, .otherwise = "640", .min = 1, .max = GC_MAPS_PIXELS_MAX,
        .help = "Pixels" },
    [GC_MAPS_HEIGHT] = { "google_maps.height", "Google Maps height", SETTING_NUMBER, .otherwise = "480", .min = 1, .max = GC_MAPS_PIXELS_MAX,
        .help = "Pixels" },
    [GC_MAPS_ZOOM] = { "google_maps.zoom", "Google Maps zoom level", SETTING_NUMBER, .otherwise = "15", .max = 21,
        .help = "0: the world, 15: streets, 21: buildings" },
};

static const struct media_rule gc_media[] = { { "*", GC_MEDIA_BYTES_MAX } }; /* larger files go as a text with a link */

static const struct rate gc_rates[] = {                                                                              /* 3 */
    [GC_RATE_MESSAGES] = { .calls = 0 }, /* held back by 429 only: a limit of ours would hold back guests */
    [GC_RATE_QUERIES]  = { .calls = 300, .per_ms = 60000, .setting = GC_REQUESTS_PER_MINUTE },
};
static const struct route_extra gc_routes[] = { { "GET", "/openmessaging/flow", gc_receive_flow, .mine = NULL } };
/* clang-format on */

/* What rows cannot say. */
static bool gc_check(struct call *c)
{
    if (utf8_len(setting(c, GC_INTEGRATION_TOKEN)) < GC_TOKEN_CHARS_MIN)
        return fault(c->f, "out_of_range", "integration.token", "must be longer than 15 characters: Genesys Cloud refuses shorter tokens");
    if (setting(c, GC_MAPS_SECRET).n && !setting(c, GC_MAPS_KEY).n)
        return fault(c->f, "missing_field", "google_maps.key", "is required when google_maps.secret is given");
    struct fault why = { 0 };
    const struct js *headers = setting(c, GC_INTEGRATION_HEADERS).n ? js_parse(c->a, setting(c, GC_INTEGRATION_HEADERS), &why) : NULL;
    if (js_len(headers) > GC_HEADERS_MAX)
        return fault(c->f, "out_of_range", "integration.headers", "at most %d headers", GC_HEADERS_MAX);
    return true;
}

/* Of a webhook (8.2): kinds, times, sizes. */
static const char *const gc_record_keep[] = { "type", "contentType", "eventType", "mediaType", "mime", "status", "direction", "originatingEntity",
                                              "platform", "time", "duration", "contentSizeBytes", "code", NULL };
static const char *const gc_record_ids[] = { "id", "channel.messageId", NULL };

/* clang-format off */
const struct connector connector_genesys_cloud = {
    .name  = "genesys-cloud",
    .title = "Genesys Cloud",
    .desk  = true,
    .caps  = {
        /* No location: Genesys Cloud takes none. It becomes the map's picture (location_picture) with a text, or the text. */
        .kinds = CAN(KIND_TEXT) | CAN(KIND_IMAGE) | CAN(KIND_VIDEO) | CAN(KIND_AUDIO) | CAN(KIND_FILE) | CAN(KIND_ANSWER) |
                 CAN(KIND_TYPING) | CAN(KIND_STATUS),
        .statuses = CAN(STATUS_DELIVERED) | CAN(STATUS_FAILED),
        .text_max = GC_TEXT_CHARS_MAX, .text_unit = UNIT_CHARS,
        .caption = true, .media_per_message = 1, .media = MEDIA_LINK,
        .media_rules = gc_media, .n_media_rules = COUNT(gc_media),
        .agent_name = false,
    },
    .settings   = gc_settings,
    .n_settings = COUNT(gc_settings),
    .once       = "client_id", .once_with = "integration.name",
    .hook       = { .path = "/openmessaging", .how = VERIFY_HMAC_SHA256_BASE64, .header = "x-hub-signature-256",
                    .prefix = "sha256=", .secrets = { GC_INTEGRATION_TOKEN, GC_INTEGRATION_OLD_TOKEN }, .n_secrets = 2, .deadline_ms = 10000 },
    .auth       = { .kind = AUTH_REQUEST, .secret = GC_CLIENT_SECRET, .token_call = gc_token_call, .token_host = gc_token_host },
    .rates      = gc_rates,
    .n_rates    = COUNT(gc_rates),
    .poll       = { .every = GC_END_POLL_SECONDS, .per_conversation = true, .next = gc_poll },
    .lookup     = { .who = gc_who, .keep_ms = 60 * 1000, .unknown_ms = 5 * 60 * 1000, .total_ms = 2000 },
    .canned     = { .find = gc_find_response, .total_ms = 3000 },
    .record_keep = gc_record_keep, .record_ids = gc_record_ids,
    .routes     = gc_routes,
    .n_routes   = COUNT(gc_routes),
    .check      = gc_check,
    .route_key  = gc_route_key,
    .route_own  = gc_route_own,
    .receive    = gc_receive,
    .deliver    = gc_deliver,
    .setup      = gc_setup,
    .location_picture = gc_location_picture,
};
/* clang-format on */
