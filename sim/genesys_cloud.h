/* genesys_cloud.h - what the files of the Genesys Cloud simulator share: the organisation it plays.
 *
 *   genesys_cloud.c             options, routes, the manual of the control API
 *   genesys_cloud_store.c       conversations, messages, agents; maps and identifiers
 *   genesys_cloud_text.c        error bodies, lists in pages, signatures and digests
 *   genesys_cloud_auth.c        tokens, permissions, rate limit
 *   genesys_cloud_admin.c       integrations, recipients, flows
 *   genesys_cloud_profile.c     messaging settings, supported content, threading
 *   genesys_cloud_check.c       what the inbound endpoints refuse
 *   genesys_cloud_inbound.c     messages, button answers, typing and receipts from the hub
 *   genesys_cloud_hook.c        the integration's webhook: what is posted, and how often
 *   genesys_cloud_media.c       files: fetched from the hub, offered to the hub
 *   genesys_cloud_read.c        conversations, details, participants, users
 *   genesys_cloud_agent.c       the agents' side of the public API
 *   genesys_cloud_responses.c   canned responses
 *   genesys_cloud_notify.c      notification channels
 *   genesys_cloud_desk.c        the control API and what the page is told
 *
 * Memory     conversations, messages and what they hold live in g->a until the simulator ends (SGC_MESSAGES_MAX bounds them); bytes of files are
 *            kept up to SGC_MEDIA_KEPT_BYTES, the oldest go first.
 * Names      sgc_: simulated Genesys Cloud, in these files only; the connector it faces is linked into the same program.
 * Facts      docs/wire/genesys-cloud.md; the sections named in comments are its.
 */
#ifndef SIM_GENESYS_CLOUD_H
#define SIM_GENESYS_CLOUD_H
#include "sim/feed.h"
#include "sim/sim.h"
#include "wire/js.h"

enum {
    SGC_MESSAGES_MAX = 2000000,     /* then inbound calls get 503 */
    SGC_CONVERSATIONS_LISTED = 500, /* by the control API, the newest first */
    SGC_ATTACHMENT_MAX = 25 << 20,  /* "7.1 Message" */
    SGC_MEDIA_KEPT_BYTES = 256 << 20,
    SGC_TEXT_CHARS = 2000,       /* an agent's text, "8.5" */
    SGC_SECRET_CHARS_MIN = 16,   /* longer than 15 characters, "5" */
    SGC_HOOK_TIMEOUT_MS = 10000, /* "8.1" */
    SGC_HOOK_RETRIES = 5,
    SGC_INITIATED_MS = 300,   /* how long a new integration says "Initiated" */
    SGC_DOWNLOAD_LIFE_S = 60, /* of a signed storage URL */
    SGC_TYPING_MS = 5000,
    SGC_ANSWER_MAX = 16 << 20, /* largest JSON we answer with */
    SGC_WEBHOOK_HEADERS = 20, /* of an integration */
};

/* ---- maps from text to anything; keys and values live elsewhere -------------------------------------------------------------- */

struct sgc_slot {
    slice key;
    uint64_t hash;
    void *value;
};
struct sgc_map {
    struct sgc_slot *slots;
    size_t n, cap;
};
void *sgc_map_get(const struct sgc_map *m, slice key);
void sgc_map_put(struct sgc_map *m, slice key,
                 void *value); /* replaces; the key must live as long as the map */
void sgc_map_done(struct sgc_map *m);

struct sgc_list { /* of pointers, growing */
    void **items;
    size_t n, cap;
};
void sgc_list_add(struct sgc_list *l, void *item);
void sgc_list_remove(struct sgc_list *l, const void *item);
void sgc_list_done(struct sgc_list *l);

/* ---- the organisation -------------------------------------------------------------------------------------------------------- */

struct sgc_agent {
    slice id, name, email;
};

struct
    sgc_profile { /* a messaging setting, or a supported content profile: what the hub gave, kept as a document */
    slice id, name;
    const struct js *first, *second; /* setting: event, content; profile: mediaTypes, absent */
    int64_t created_ms, modified_ms;
};

struct sgc_integration {
    slice id, name, url, secret;
    struct js_list headers;                /* of js_pair: webhookHeaders */
    struct sgc_profile *content, *setting; /* NULL: the default one */
    slice flow;                /* id of the inbound message flow tied to its recipient; absent: none */
    const struct js *identity; /* identity resolution as put; NULL: never */
    int64_t created_ms, modified_ms;
    bool deleted;
};

enum sgc_media_state {
    SGC_FETCHING,
    SGC_KEPT,
    SGC_DROPPED,
    SGC_BROKEN,
    SGC_WAITING
}; /* WAITING: upload announced */
struct sgc_media {
    slice id, name, mime, kind, url, sha256, wanted_sha256, error;
    enum sgc_media_state state;
    char *bytes; /* NULL: none, or too old */
    size_t size;
};

enum sgc_state {
    SGC_QUEUED,
    SGC_RECEIVED,
    SGC_SENT,
    SGC_PUBLISHED,
    SGC_DELIVERED,
    SGC_FAILED
}; /* only forward */
enum sgc_by { SGC_GUEST, SGC_AGENT, SGC_BOT };
struct sgc_conversation;
struct sgc_message {
    struct sgc_conversation *conversation;
    struct sgc_message *next; /* of the conversation, the older first */
    const struct sgc_agent *agent;
    slice id, message_id, text;
    slice nickname; /* of who wrote, as it came, inbound */
    slice time;     /* channel.time as it came, inbound */
    slice content;  /* JSON array, as it goes over the wire; absent: none */
    slice metadata; /* JSON object, absent: none */
    slice reason_code, reason_text;
    slice button_text, button_payload, button_type, answers_to;
    struct sgc_media *media;
    int64_t at_ms, seq; /* seq: of inbound messages, from 1 in order of arrival */
    int attempts;       /* webhook calls, or inbound calls with this messageId and time */
    enum sgc_by by;
    enum sgc_state state;
    bool paired; /* a button answer that repeats text and payload of the offer */
};

enum sgc_purpose { SGC_CUSTOMER, SGC_WORKFLOW, SGC_ACD, SGC_SEAT };
struct sgc_participant {
    struct sgc_participant *next;
    slice id, communication;
    const struct sgc_agent *agent; /* of a SGC_SEAT */
    enum sgc_purpose purpose;
    int64_t start_ms, end_ms; /* end 0: connected */
    const char *disconnect;   /* REST spelling, such as "transfer" */
    const struct js *wrapup;
};

struct sgc_conversation {
    struct sgc_integration *integration;
    slice id, key;
    slice guest, id_type, nickname, first_name, last_name, image, email;
    struct js_pair *attributes;
    size_t n_attributes, cap_attributes;
    struct sgc_participant *participants, **last_participant;
    struct sgc_message *messages, **last_message;
    size_t n_messages;
    int64_t start_ms, end_ms, last_ms; /* end 0: open */
    int64_t typing_until_ms;
    unsigned unread, reopened, transfers;
};

struct sgc_token {
    slice text;
    int64_t expires_ms, window_ms; /* monotonic */
    int calls;                     /* in this window */
    bool dead;
};

struct sgc_counters {
    int64_t logins, login_refused, api_calls, unauthorised, rate_limited;
    int64_t inbound, duplicates, refused, responses, typing_in, typing_dropped, receipts_delivered,
        receipts_failed, receipts_refused;
    int64_t outbound, hooks, hook_retries, hook_given_up, receipts_out, typing_out;
    int64_t fetched, fetch_failed, fetch_dropped, downloads, redirects;
};

struct sgc {
    struct sim_env *env;
    struct arena *a; /* as long as the simulator */

    slice client_id, client_secret, base, signing_key;
    int64_t token_s, rate_limit, threading_ms, retry_ms;
    bool receipts, instant, download_auth, https_only, nameless, end_on_refusal;
    slice denied; /* permissions the client lacks, comma list */

    slice org_id, queue_id, default_content, default_setting;
    struct sgc_list tokens, integrations, contents, settings, agents, conversations, inbound, media, hooks,
        fetches, responses, channels, jobs, chat;
    struct sgc_map token_map, conversation_map, guest_map, message_map, once_map, media_map;
    size_t media_bytes, media_evicted; /* bytes held; index of the oldest that may be held */
    size_t n_messages;
    int timeline_min;
    struct sgc_counters n;
};

/* ---- store ------------------------------------------------------------------------------------------------------------------- */

slice sgc_hex(struct arena *a, size_t digits)
    MUST_USE; /* random, from the kernel: identifiers never repeat, not even over restarts */
slice sgc_uuid(struct arena *a) MUST_USE;

struct sgc_integration *sgc_integration_find(const struct sgc *g, slice id); /* NULL: none */
const struct sgc_agent *sgc_agent_find(const struct sgc *g, slice name_or_id);
struct sgc_conversation *sgc_conversation_find(const struct sgc *g, slice id);
struct sgc_message *sgc_message_find(const struct sgc *g, slice id);

/* The conversation in which this guest's messages go: open, reopened within the threading window, or new. */
struct sgc_conversation *sgc_conversation_for(struct sgc *g, struct sgc_integration *in, slice guest);
void sgc_attribute_set(struct sgc *g, struct sgc_conversation *v, slice key, slice value);
/* Adds a message with a fresh id; NULL when SGC_MESSAGES_MAX is reached. */
struct sgc_message *sgc_message_add(struct sgc *g, struct sgc_conversation *v, enum sgc_by by);
bool sgc_message_state(struct sgc_message *m, enum sgc_state to); /* forward only; false: nothing changed */
struct sgc_participant *sgc_participant_find(const struct sgc_conversation *v, slice id);
struct sgc_participant *sgc_customer(const struct sgc_conversation *v);
struct sgc_participant *sgc_seat(const struct sgc_conversation *v); /* the connected agent's; NULL: none */
/* Connects this agent; an agent who was connected is gone with `why` ("transfer"). */
void sgc_seat_take(struct sgc *g, struct sgc_conversation *v, const struct sgc_agent *agent, const char *why);
/* who: the customer's disconnectType; the agent's is its other side. */
void sgc_conversation_end(struct sgc *g, struct sgc_conversation *v, const char *customer_why,
                          const char *agent_why);

/* ---- text -------------------------------------------------------------------------------------------------------------------- */

void sgc_correlate(struct sim_call *c); /* the correlation header every answer carries */
void sgc_json(struct sim_call *c, int status, slice body);
void sgc_error(struct sim_call *c, int status, const char *code, const char *fmt, ...) PRINTF(4, 5);
void sgc_not_found(struct sim_call *c, const char *what, slice id);
/* The body as a JSON object; NULL: c is answered with 400. */
const struct js *sgc_body(struct sim_call *c);
struct jw sgc_writer(struct sim_call *c);
/* A list in pages: item(w, list->items[i], ctx) writes one object. keep (may be NULL) chooses. */
struct sgc_listing {
    const struct sgc_list *list;
    void (*item)(struct sgc *g, struct jw *w, const void *item);
    bool (*keep)(const void *item, const void *arg);
    const void *arg;
};
void sgc_answer_list(struct sgc *g, struct sim_call *c, const struct sgc_listing *l);
void sgc_ref(struct jw *w, const char *key, slice id, const char *path); /* {"id":…,"selfUri":path/id} */

slice sgc_base64(struct arena *a, slice bytes) MUST_USE;
bool sgc_unbase64(struct arena *a, slice text, slice *ret) MUST_USE;
slice sgc_hmac_base64(struct arena *a, slice key, slice data) MUST_USE;
slice sgc_hmac_hex(struct arena *a, slice key, slice data) MUST_USE;
slice sgc_sha256_hex(struct arena *a, slice data) MUST_USE;
slice sgc_form(struct arena *a, slice body, const char *name) MUST_USE; /* of a form body; {NULL,0}: absent */

/* ---- auth -------------------------------------------------------------------------------------------------------------------- */

/* True when the call may go on; else it is answered. permission NULL: none needed. */
bool sgc_allowed(struct sgc *g, struct sim_call *c, const char *permission);
bool sgc_token_alive(const struct sgc *g, slice authorization);

/* ---- profile ----------------------------------------------------------------------------------------------------------------- */

bool sgc_typing_enabled(const struct sgc *g, const struct sgc_integration *in, bool inbound);
bool sgc_mime_allowed(const struct sgc *g, const struct sgc_integration *in, slice mime, bool inbound);
struct sgc_profile *sgc_profile_find(const struct sgc_list *l, slice id);
void sgc_profiles_begin(struct sgc *g);

/* ---- check ------------------------------------------------------------------------------------------------------------------- */

enum sgc_shape { SGC_MESSAGE, SGC_RESPONSE, SGC_EVENT, SGC_RECEIPT, SGC_OLD };
struct sgc_inbound { /* what the inbound endpoints take, checked */
    slice message_id, time, from, id_type, nickname, first_name, last_name, image, email;
    slice to, text, type, status, id, answers_to, button_type, button_text, button_payload;
    slice mime, url, kind, name, sha256;
    const struct js *content, *attributes, *metadata, *reasons;
};
/* False: *f holds Genesys' error code and message. */
bool sgc_check(const struct js *doc, enum sgc_shape shape, struct sgc_inbound *ret, struct fault *f) MUST_USE;

/* ---- hook -------------------------------------------------------------------------------------------------------------------- */

struct sgc_hook_how {
    bool bad_signature;
    int copies; /* 0, 1: once */
};
void sgc_hook_message(struct sgc *g, struct sgc_message *m, const struct sgc_hook_how *how);
void sgc_hook_receipt(struct sgc *g, struct sgc_message *m, bool published, slice code, slice text,
                      const struct sgc_hook_how *how);
void sgc_hook_typing(struct sgc *g, struct sgc_conversation *v, const struct sgc_hook_how *how);
/* Of struct sim. */
bool sgc_webhook(struct sim_env *env, struct arena *a, slice body, struct webhook *ret, struct fault *f);
void sgc_hooks_free(struct sgc *g);

/* ---- media ------------------------------------------------------------------------------------------------------------------- */

slice sgc_kind_of(slice mime); /* "Image", "Video", "Audio", "File" */
struct sgc_media *sgc_media_new(struct sgc *g, slice name, slice mime, slice kind) MUST_USE;
void sgc_media_fill(struct sgc *g, struct sgc_media *f, slice bytes); /* copies, hashes, makes room */
/* Fetches m->media from its URL, then posts the receipt. */
void sgc_media_fetch(struct sgc *g, struct sgc_message *m);
void sgc_media_free(struct sgc *g);
/* A message of the desk with this file: content as it goes to the hub. */
slice sgc_media_content(struct sgc *g, const struct sgc_media *f) MUST_USE;

/* ---- desk -------------------------------------------------------------------------------------------------------------------- */

void sgc_tell_message(struct sgc *g, const struct sgc_message *m);
void sgc_tell_conversation(struct sgc *g, const struct sgc_conversation *v);
void sgc_tell_typing(struct sgc *g, const struct sgc_conversation *v);
/* Sends what an agent (NULL: a bot) says; content: JSON array or absent. NULL: refused, see *f. */
struct sgc_message *sgc_say(struct sgc *g, struct sgc_conversation *v, const struct sgc_agent *agent,
                            slice text, slice content, struct sgc_media *media,
                            const struct sgc_hook_how *how, struct fault *f);

/* ---- notify: what subscribers of a conversation's topics would see ------------------------------------------------------------ */

void sgc_channels_free(struct sgc *g);
void sgc_notify(struct sgc *g, const struct sgc_conversation *v, const struct sgc_participant *p,
                const char *topic);

/* ---- routes ------------------------------------------------------------------------------------------------------------------ */

struct sgc_route {
    const char *method, *pattern, *permission;
    void (*fn)(struct sgc *g, struct sim_call *c);
};
/* clang-format off */
extern const struct sgc_route sgc_auth_routes[], sgc_admin_routes[], sgc_profile_routes[], sgc_inbound_routes[], sgc_media_routes[],
    sgc_read_routes[], sgc_agent_routes[], sgc_responses_routes[], sgc_notify_routes[];
extern const size_t sgc_auth_n, sgc_admin_n, sgc_profile_n, sgc_inbound_n, sgc_media_n, sgc_read_n, sgc_agent_n, sgc_responses_n, sgc_notify_n;
/* clang-format on */
/* Without a token: log in, storage, uploads; and the control API. */
void sgc_login(struct sim_call *c, void *ctx);
void sgc_job_put(struct sim_call *c, void *ctx);
void sgc_chat_post(struct sim_call *c, void *ctx);
extern const struct sim_route sgc_desk_routes[], sgc_file_routes[];
extern const size_t sgc_desk_n, sgc_file_n;
void sgc_responses_begin(struct sgc *g);
void sgc_responses_post(struct sim_call *c, void *ctx);
#endif
