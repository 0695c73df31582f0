/* wire.h - what Genesys Cloud calls things: settings, names, limits and tables shared by the files of this connector.
 *
 * Facts      docs/wire/genesys-cloud.md; the numbers in comments are its sections.
 * Shape      a guest is one address for ever ("Uabc…@line"); Genesys Cloud joins it to a conversation by itself.
 * Memory     account: "integration_id", "applied" (hash of what the API never shows), "user.N" (names of agents).
 *            guest: "offer.N" (buttons that were sent and may be answered), "typing" (when the last one went).
 */
#ifndef DESKS_GENESYS_CLOUD_WIRE_H
#define DESKS_GENESYS_CLOUD_WIRE_H
#include "hub/connector.h"

/* ---- settings: rows of genesys_cloud.c ------------------------------------------------------------------------------ */

enum gc_setting {
    GC_REGION, GC_BASE_URL, GC_CLIENT_ID, GC_CLIENT_SECRET, GC_INTEGRATION_NAME, GC_INTEGRATION_TOKEN, GC_INTEGRATION_OLD_TOKEN, GC_INTEGRATION_HEADERS,
    GC_INBOUND_FLOW, GC_SUPPORTED_CONTENT, GC_TYPING, GC_CUSTOM_DATA, GC_AGENT_NAME, GC_AGENT_LOOKUP, GC_END_POLL_SECONDS,
    GC_REQUESTS_PER_MINUTE, GC_MAPS_KEY, GC_MAPS_SECRET, GC_MAPS_LANGUAGE, GC_MAPS_WIDTH, GC_MAPS_HEIGHT, GC_MAPS_ZOOM,
    GC_SETTINGS
};
extern const char *const gc_regions[]; /* domains, 1; NULL-terminated */

/* ---- limits ---------------------------------------------------------------------------------------------------------- */

enum {
    GC_TOKEN_CHARS_MIN = 16,          /* 5: "longer than 15 characters" */
    GC_TEXT_CHARS_MAX = 20000,        /* 7.1, unconfirmed */
    GC_MEDIA_BYTES_MAX = 25000000,    /* 7.1: 25 MB, read as the smaller of its two meanings */
    GC_TYPING_EVERY_MS = 5000,        /* 7.3 */
    GC_OFFERS = 8,                    /* remembered per guest: the newest */
    GC_OFFER_DAYS = 7,                /* longer than any threading window that is likely */
    GC_NAMES = 16,                    /* agents' names remembered per account */
    GC_NAME_HOURS = 24,
    GC_PAGE = 100,                    /* pageSize of lists, 3 */
    GC_PAGES_MAX = 50,
    GC_BODY_MAX = 1 << 20,            /* largest body we write */
    GC_HEADERS_MAX = 20,              /* webhookHeaders we are willing to set */
    GC_MAPS_PIXELS_MAX = 640,         /* 12 */
    GC_MAPS_URL_MAX = 16384,          /* 12 */
};
enum gc_rate { GC_RATE_MESSAGES, GC_RATE_QUERIES }; /* rows of connector.rates */

/* ---- regions.c: where things are, 1 ------------------------------------------------------------------------------------- */

enum gc_host { GC_HOST_API, GC_HOST_LOGIN };
slice gc_host_url(const struct call *c, enum gc_host which); /* "https://api.mypurecloud.jp", no slash at the end */
/* An address below /api/v2; the format's arguments must be encoded already. */
slice gc_url(const struct call *c, const char *fmt, ...) PRINTF(2, 3);
slice gc_part(const struct call *c, slice id); /* id as one part of a path or a query value: percent-encoded */
bool gc_token_call(struct call *c, struct http_call *ret);
bool gc_token_host(struct call *c, const struct url *u);

/* ---- calls and answers, 3 --------------------------------------------------------------------------------------------- */

void gc_get(struct delivery *d, slice url);                                     /* repeatable, counted in the budget of queries */
void gc_send(struct delivery *d, const char *method, slice url, slice json);    /* repeatable: see where it is used */
bool gc_ok(const struct delivery *d);                                           /* any 2xx */
const struct js *gc_answer(struct call *c, const struct delivery *d);           /* NULL: not JSON */
/* The outcome of an answer that is no success; c->f says what Genesys Cloud said and under which correlation id. */
enum outcome gc_fail(struct call *c, struct delivery *d, const char *what);
slice gc_integration(const struct call *c);                                     /* {NULL,0}: setup has not learned it yet */
/* The platform's id of a message of ours: without the mark of a part (content.c). */
slice gc_platform_id(slice id);

/* ---- reasons, 7.4 ------------------------------------------------------------------------------------------------------- */

enum reason gc_reason_of(slice code);   /* REASON_GENERAL when we have no word for it */
slice gc_reason_code(enum reason reason);

/* ---- offers: buttons the guest may answer with, 7.2 ---------------------------------------------------------------------- */

struct gc_offer {
    slice id;               /* of the outbound message */
    slice type;             /* "QuickReply", "Button", "DatePicker": as the answer has to say it */
    int64_t at_ms;
    struct js_list choices; /* struct choice: label, payload */
};
void gc_offer_remember(struct call *c, struct inbox *in, struct message *m, const struct gc_offer *offer);
/* The offer that m (KIND_ANSWER) answers, with the one choice it took; false: none that we know. */
bool gc_offer_find(struct call *c, const struct message *m, struct gc_offer *ret, struct choice *ret_choice);

/* ---- the parts of the connector -------------------------------------------------------------------------------------------- */

/* What an outbound message of Genesys Cloud says about itself, 8.2. */
struct gc_outbound {
    slice id, integration, from, to, from_name, type, text, status, direction, entity, conversation;
    int64_t at_ms;
    bool final;
    const struct js *content, *events, *reasons;
};
/* Text and content elements to messages of the inbox (content.c), 8.4. */
void gc_content(struct call *c, const struct gc_outbound *o, slice guest, struct inbox *in);
struct message *gc_message(struct inbox *in, enum kind kind, const struct gc_outbound *o, slice guest);

slice gc_route_key(struct arena *a, const struct request *rq);
slice gc_route_own(struct call *c);
bool gc_receive(struct call *c, const struct request *rq, struct inbox *in);
bool gc_receive_poll(struct call *c, const struct request *rq, struct inbox *in);
bool gc_receive_flow(struct call *c, const struct request *rq, struct inbox *in);
enum outcome gc_deliver(struct call *c, struct delivery *d);
enum outcome gc_setup(struct call *c, struct delivery *d);
enum outcome gc_poll(struct call *c, struct delivery *d);
enum outcome gc_who(struct call *c, struct delivery *d);
enum outcome gc_find_response(struct call *c, struct delivery *d);
slice gc_location_picture(struct call *c, const struct location *where);
#endif
