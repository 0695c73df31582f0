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
 * Memory     conversations, messages and what they hold live in g->a until the simulator ends (GC_MESSAGES_MAX bounds them); bytes of files are
 *            kept up to GC_MEDIA_KEPT_BYTES, the oldest go first.
 * Names      gc_: Genesys Cloud, in these files only.
 * Facts      docs/wire/genesys-cloud.md; the sections named in comments are its.
 */
#ifndef SIM_GENESYS_CLOUD_H
#define SIM_GENESYS_CLOUD_H
#include "sim/feed.h"
#include "sim/sim.h"
#include "wire/js.h"

enum {
    GC_MESSAGES_MAX = 2000000,      /* then inbound calls get 503 */
    GC_CONVERSATIONS_LISTED = 500,  /* by the control API, the newest first */
    GC_ATTACHMENT_MAX = 25 << 20,   /* "7.1 Message" */
    GC_MEDIA_KEPT_BYTES = 256 << 20,
    GC_TEXT_CHARS = 2000,           /* an agent's text, "8.5" */
    GC_SECRET_CHARS_MIN = 16,       /* longer than 15 characters, "5" */
    GC_HOOK_TIMEOUT_MS = 10000,     /* "8.1" */
    GC_HOOK_RETRIES = 5,
    GC_INITIATED_MS = 300,          /* how long a new integration says "Initiated" */
    GC_DOWNLOAD_LIFE_S = 60,        /* of a signed storage URL */
    GC_TYPING_MS = 5000,
    GC_ANSWER_MAX = 16 << 20,       /* largest JSON we answer with */
    GC_WEBHOOK_HEADERS = 5,         /* of an integration */
};

/* ---- maps from text to anything; keys and values live elsewhere -------------------------------------------------------------- */

struct gc_slot {
    slice key;
    uint64_t hash;
    void *value;
};
struct gc_map {
    struct gc_slot *slots;
    size_t n, cap;
};
void *gc_map_get(const struct gc_map *m, slice key);
void gc_map_put(struct gc_map *m, slice key, void *value); /* replaces; the key must live as long as the map */
void gc_map_done(struct gc_map *m);

struct gc_list { /* of pointers, growing */
    void **items;
    size_t n, cap;
};
void gc_list_add(struct gc_list *l, void *item);
void gc_list_remove(struct gc_list *l, const void *item);
void gc_list_done(struct gc_list *l);

/* ---- the organisation -------------------------------------------------------------------------------------------------------- */

struct gc_agent {
    slice id, name, email;
};

struct gc_profile { /* a messaging setting, or a supported content profile: what the hub gave, kept as a document */
    slice id, name;
    const struct js *first, *second; /* setting: event, content; profile: mediaTypes, absent */
    int64_t created_ms, modified_ms;
};

struct gc_integration {
    slice id, name, url, secret;
    struct js_list headers; /* of js_pair: webhookHeaders */
    struct gc_profile *content, *setting; /* NULL: the default one */
    slice flow; /* id of the inbound message flow tied to its recipient; absent: none */
    const struct js *identity; /* identity resolution as put; NULL: never */
    int64_t created_ms, modified_ms;
    bool deleted;
};

enum gc_media_state { GC_FETCHING, GC_KEPT, GC_DROPPED, GC_BROKEN, GC_WAITING }; /* WAITING: upload announced */
struct gc_media {
    slice id, name, mime, kind, url, sha256, wanted_sha256, error;
    enum gc_media_state state;
    char *bytes; /* NULL: none, or too old */
    size_t size;
};

enum gc_state { GC_QUEUED, GC_RECEIVED, GC_SENT, GC_PUBLISHED, GC_DELIVERED, GC_FAILED }; /* only forward */
enum gc_by { GC_GUEST, GC_AGENT, GC_BOT };
struct gc_conversation;
struct gc_message {
    struct gc_conversation *conversation;
    struct gc_message *next;   /* of the conversation, the older first */
    const struct gc_agent *agent;
    slice id, message_id, text;
    slice time;                /* channel.time as it came, inbound */
    slice content;             /* JSON array, as it goes over the wire; absent: none */
    slice metadata;            /* JSON object, absent: none */
    slice reason_code, reason_text;
    slice button_text, button_payload, button_type, answers_to;
    struct gc_media *media;
    int64_t at_ms, seq;        /* seq: of inbound messages, from 1 in order of arrival */
    int attempts;              /* webhook calls, or inbound calls with this messageId and time */
    enum gc_by by;
    enum gc_state state;
    bool paired;               /* a button answer that repeats text and payload of the offer */
};

enum gc_purpose { GC_CUSTOMER, GC_WORKFLOW, GC_ACD, GC_SEAT };
struct gc_participant {
    struct gc_participant *next;
    slice id, communication;
    const struct gc_agent *agent; /* of a GC_SEAT */
    enum gc_purpose purpose;
    int64_t start_ms, end_ms; /* end 0: connected */
    const char *disconnect;   /* REST spelling, such as "transfer" */
    const struct js *wrapup;
};

struct gc_conversation {
    struct gc_integration *integration;
    slice id, key;
    slice guest, id_type, nickname, first_name, last_name, image, email;
    struct js_pair *attributes;
    size_t n_attributes, cap_attributes;
    struct gc_participant *participants, **last_participant;
    struct gc_message *messages, **last_message;
    size_t n_messages;
    int64_t start_ms, end_ms, last_ms; /* end 0: open */
    int64_t typing_until_ms;
    unsigned unread, reopened, transfers;
};

struct gc_token {
    slice text;
    int64_t expires_ms, window_ms; /* monotonic */
    int calls;                     /* in this window */
    bool dead;
};

struct gc_counters {
    int64_t logins, login_refused, api_calls, unauthorised, rate_limited;
    int64_t inbound, duplicates, refused, responses, typing_in, typing_dropped, receipts_delivered, receipts_failed, receipts_refused;
    int64_t outbound, hooks, hook_retries, hook_given_up, receipts_out, typing_out;
    int64_t fetched, fetch_failed, fetch_dropped, downloads, redirects;
};

struct gc {
    struct sim_env *env;
    struct arena *a; /* as long as the simulator */
    struct feed *feed;
    bool watched; /* a page has been opened */

    slice client_id, client_secret, base, signing_key;
    int64_t token_s, rate_limit, threading_ms, retry_ms;
    bool receipts, instant, download_auth, https_only, nameless, end_on_refusal;
    slice denied; /* permissions the client lacks, comma list */

    slice org_id, queue_id, default_content, default_setting;
    struct gc_list tokens, integrations, contents, settings, agents, conversations, inbound, media, hooks, fetches, responses, channels,
        jobs, chat;
    struct gc_map token_map, conversation_map, guest_map, message_map, once_map, media_map;
    size_t media_bytes, media_evicted; /* bytes held; index of the oldest that may be held */
    size_t n_messages;
    int timeline_min;
    struct gc_counters n;
};

/* ---- store ------------------------------------------------------------------------------------------------------------------- */

slice gc_hex(struct arena *a, size_t digits) MUST_USE; /* random, from the kernel: identifiers never repeat, not even over restarts */
slice gc_uuid(struct arena *a) MUST_USE;

struct gc_integration *gc_integration_find(const struct gc *g, slice id); /* NULL: none */
const struct gc_agent *gc_agent_find(const struct gc *g, slice name_or_id);
struct gc_conversation *gc_conversation_find(const struct gc *g, slice id);
struct gc_message *gc_message_find(const struct gc *g, slice id);

/* The conversation in which this guest's messages go: open, reopened within the threading window, or new. */
struct gc_conversation *gc_conversation_for(struct gc *g, struct gc_integration *in, slice guest);
void gc_attribute_set(struct gc *g, struct gc_conversation *v, slice key, slice value);
/* Adds a message with a fresh id; NULL when GC_MESSAGES_MAX is reached. */
struct gc_message *gc_message_add(struct gc *g, struct gc_conversation *v, enum gc_by by);
bool gc_message_state(struct gc_message *m, enum gc_state to); /* forward only; false: nothing changed */
struct gc_participant *gc_participant_find(const struct gc_conversation *v, slice id);
struct gc_participant *gc_customer(const struct gc_conversation *v);
struct gc_participant *gc_seat(const struct gc_conversation *v); /* the connected agent's; NULL: none */
/* Connects this agent; an agent who was connected is gone with `why` ("transfer"). */
void gc_seat_take(struct gc *g, struct gc_conversation *v, const struct gc_agent *agent, const char *why);
/* who: the customer's disconnectType; the agent's is its other side. */
void gc_conversation_end(struct gc *g, struct gc_conversation *v, const char *customer_why, const char *agent_why);

/* ---- text -------------------------------------------------------------------------------------------------------------------- */

void gc_correlate(struct sim_call *c); /* the correlation header every answer carries */
void gc_json(struct sim_call *c, int status, slice body);
void gc_error(struct sim_call *c, int status, const char *code, const char *fmt, ...) PRINTF(4, 5);
void gc_not_found(struct sim_call *c, const char *what, slice id);
/* The body as a JSON object; NULL: c is answered with 400. */
const struct js *gc_body(struct sim_call *c);
struct jw gc_writer(struct sim_call *c);
/* A list in pages: item(w, list->items[i], ctx) writes one object. keep (may be NULL) chooses. */
struct gc_listing {
    const struct gc_list *list;
    void (*item)(struct gc *g, struct jw *w, const void *item);
    bool (*keep)(const void *item, const void *arg);
    const void *arg;
};
void gc_answer_list(struct gc *g, struct sim_call *c, const struct gc_listing *l);
void gc_ref(struct jw *w, const char *key, slice id, const char *path); /* {"id":…,"selfUri":path/id} */

slice gc_base64(struct arena *a, slice bytes) MUST_USE;
bool gc_unbase64(struct arena *a, slice text, slice *ret) MUST_USE;
slice gc_hmac_base64(struct arena *a, slice key, slice data) MUST_USE;
slice gc_hmac_hex(struct arena *a, slice key, slice data) MUST_USE;
slice gc_sha256_hex(struct arena *a, slice data) MUST_USE;
slice gc_form(struct arena *a, slice body, const char *name) MUST_USE; /* of a form body; {NULL,0}: absent */

/* ---- auth -------------------------------------------------------------------------------------------------------------------- */

/* True when the call may go on; else it is answered. permission NULL: none needed. */
bool gc_allowed(struct gc *g, struct sim_call *c, const char *permission);
bool gc_token_alive(const struct gc *g, slice authorization);

/* ---- profile ----------------------------------------------------------------------------------------------------------------- */

bool gc_typing_enabled(const struct gc *g, const struct gc_integration *in, bool inbound);
bool gc_mime_allowed(const struct gc *g, const struct gc_integration *in, slice mime, bool inbound);
struct gc_profile *gc_profile_find(const struct gc_list *l, slice id);
void gc_profiles_begin(struct gc *g);

/* ---- check ------------------------------------------------------------------------------------------------------------------- */

enum gc_shape { GC_MESSAGE, GC_RESPONSE, GC_EVENT, GC_RECEIPT, GC_OLD };
struct gc_inbound { /* what the inbound endpoints take, checked */
    slice message_id, time, from, id_type, nickname, first_name, last_name, image, email;
    slice to, text, type, status, id, answers_to, button_type, button_text, button_payload;
    slice mime, url, kind, name, sha256;
    const struct js *content, *attributes, *metadata, *reasons;
};
/* False: *f holds Genesys' error code and message. */
bool gc_check(const struct js *doc, enum gc_shape shape, struct gc_inbound *ret, struct fault *f) MUST_USE;

/* ---- hook -------------------------------------------------------------------------------------------------------------------- */

struct gc_hook_how {
    bool bad_signature;
    int copies; /* 0, 1: once */
};
void gc_hook_message(struct gc *g, struct gc_message *m, const struct gc_hook_how *how);
void gc_hook_receipt(struct gc *g, struct gc_message *m, bool published, slice code, slice text, const struct gc_hook_how *how);
void gc_hook_typing(struct gc *g, struct gc_conversation *v, const struct gc_hook_how *how);
void gc_hooks_free(struct gc *g);

/* ---- media ------------------------------------------------------------------------------------------------------------------- */

slice gc_kind_of(slice mime); /* "Image", "Video", "Audio", "File" */
struct gc_media *gc_media_new(struct gc *g, slice name, slice mime, slice kind) MUST_USE;
void gc_media_fill(struct gc *g, struct gc_media *f, slice bytes); /* copies, hashes, makes room */
/* Fetches m->media from its URL, then posts the receipt. */
void gc_media_fetch(struct gc *g, struct gc_message *m);
void gc_media_free(struct gc *g);
/* A message of the desk with this file: content as it goes to the hub. */
slice gc_media_content(struct gc *g, const struct gc_media *f) MUST_USE;

/* ---- desk -------------------------------------------------------------------------------------------------------------------- */

void gc_tell_message(struct gc *g, const struct gc_message *m);
void gc_tell_conversation(struct gc *g, const struct gc_conversation *v);
void gc_tell_typing(struct gc *g, const struct gc_conversation *v);
/* Sends what an agent (NULL: a bot) says; content: JSON array or absent. NULL: refused, see *f. */
struct gc_message *gc_say(struct gc *g, struct gc_conversation *v, const struct gc_agent *agent, slice text, slice content,
                          struct gc_media *media, const struct gc_hook_how *how, struct fault *f);

/* ---- notify: what subscribers of a conversation's topics would see ------------------------------------------------------------ */

void gc_channels_free(struct gc *g);
void gc_notify(struct gc *g, const struct gc_conversation *v, const struct gc_participant *p, const char *topic);

/* ---- routes ------------------------------------------------------------------------------------------------------------------ */

struct gc_route {
    const char *method, *pattern, *permission;
    void (*fn)(struct gc *g, struct sim_call *c);
};
/* clang-format off */
extern const struct gc_route gc_auth_routes[], gc_admin_routes[], gc_profile_routes[], gc_inbound_routes[], gc_media_routes[],
    gc_read_routes[], gc_agent_routes[], gc_responses_routes[], gc_notify_routes[];
extern const size_t gc_auth_n, gc_admin_n, gc_profile_n, gc_inbound_n, gc_media_n, gc_read_n, gc_agent_n, gc_responses_n, gc_notify_n;
/* clang-format on */
/* Without a token: log in, storage, uploads; and the control API. */
void gc_login(struct sim_call *c, void *ctx);
void gc_job_put(struct sim_call *c, void *ctx);
void gc_chat_post(struct sim_call *c, void *ctx);
extern const struct sim_route gc_desk_routes[], gc_file_routes[];
extern const size_t gc_desk_n, gc_file_n;
void gc_responses_begin(struct gc *g);
void gc_responses_post(struct sim_call *c, void *ctx);
#endif
