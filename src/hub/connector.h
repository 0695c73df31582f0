/* connector.h - what a connector is: one const table and a few pure functions. Network and desk obey the same contract.
 *
 *   receive   bytes in, messages out.  One request may hold several messages of several guests.
 *   deliver   message in, HTTP calls out. A small state machine: the framework makes the call and comes back with the answer
 *             until a step says how it ended.
 *
 * 1. No function here may block, log, read the clock, draw randomness, allocate outside c->a, or keep a pointer after returning.
 *    What it needs of the world is in struct call.
 * 2. Everything optional is NULL or 0 when not needed. What is not said in the table is done by the framework: sockets, TLS,
 *    tokens, retries, rates, breakers, media, the journal, order, duplicates, logs, metrics, trace.
 * 3. What a function wants remembered it writes with memory_set; it is stored in the same commit as the messages received or the
 *    outcome of the delivery, so that any process can go on with it.
 * 4. Adding a connector: its folder, its cases, its simulator, and one line in connectors.def.
 */
#ifndef HUB_CONNECTOR_H
#define HUB_CONNECTOR_H
#include "hub/memory.h"
#include "hub/message.h"
#include "hub/response.h"
#include "net/client.h" /* struct header, struct answer */

struct jwks; /* wire/jwks.h */
struct url;  /* wire/url.h */
struct record;

/* ---- settings: one table makes the checks, the API document, the console's form and the operator's page ------------- */

enum setting_type { SETTING_TEXT, SETTING_URL, SETTING_NUMBER, SETTING_BOOL, SETTING_CHOICE, SETTING_PAIRS };
struct setting {
    const char *name;    /* "channel_secret"; "integration.name": a member of an object */
    const char *label;   /* on the form */
    enum setting_type type;
    bool required, secret;
    const char *otherwise;      /* the default; NULL: absent */
    const char *help;           /* where the operator finds the value, what it does */
    const char *const *choices; /* SETTING_CHOICE: NULL-terminated */
    int64_t min, max;           /* SETTING_NUMBER: range; SETTING_TEXT, SETTING_URL: characters (code points); both 0: any */
};
enum { SETTINGS_MAX = 48 };

struct connector;
struct delivery;
struct account { /* one configured instance of a connector */
    slice id;        /* stable and unique: "acme/line" */
    slice name;      /* unique within the tenant: "line"; the part behind '@' in the address a desk sees */
    slice tenant;    /* name of the tenant */
    const struct connector *type;
    const slice *settings; /* indexed like type->settings; checked; defaults filled in; {NULL,0}: absent. SETTING_PAIRS: JSON text */
    slice storage;         /* name of the storage for files this side sends … */
    slice own_storage;     /* … where it is set for this side alone */
    bool storage_is_default; /* neither this side nor its tenant names one: it is whatever default_storage says now */
    int64_t dedupe_ms;     /* how long its message ids are remembered, where it is set for this account; 0: hook.dedupe_ms */
    slice public_url;      /* of the hub, no slash at the end */
    slice hook_url;        /* public_url + type->hook.path */
};

/* What every connector function gets. */
struct call {
    struct arena *a;
    const struct account *account;
    struct memory *memory;             /* the account's; reads and writes */
    struct memory *guest_memory;       /* the conversation's; NULL where no conversation is known (receive, setup) */
    const struct conversation *conversation; /* NULL likewise */
    int64_t now_ms;
    uint8_t random[32];                /* fresh for every call */
    const struct jwks *keys;           /* hook.keys as fetched last, while a request is verified; NULL: none */
    struct record *record;             /* route_extra.record; else NULL */
    struct fault *f;
    slice (*response)(const struct call *c, slice name); /* call_response; NULL: none are to be had here */
    void *of;                          /* the framework's */
};
/* How a canned response of the tenant's reads, with its own defaults, where it is at hand: for dialogs, which must be open within seconds. {NULL,0}: it is not; then the desk is
 * being asked, so that whoever sends a button which will want it asks for it beforehand. In c->a. */
slice call_response(const struct call *c, slice name);
static inline slice setting(const struct call *c, unsigned i)
{
    return c->account->settings[i];
}
int64_t account_reply_window_ms(const struct account *a); /* caps.reply_window_ms, or what the account's setting says instead; 0: no limit */
slice account_setting(const struct account *a, const char *name); /* by its name; {NULL,0} also where the connector has no such setting */
bool setting_true(const struct call *c, unsigned i);
int64_t setting_number(const struct call *c, unsigned i); /* 0 when absent */

/* What is known of a guest on a channel and of the other side. Filled by the framework, cached, durable. */
struct conversation {
    slice id;                /* "acme/line:Uabc…": account id, colon, guest id */
    slice guest;             /* in the network's form */
    slice address;           /* in every desk's form: "Uabc…@line" */
    struct person person;    /* the guest, from messages and from the network's lookup */
    slice agent_name;        /* from messages and the desk's lookup; absent: not known */
    slice desk_conversation; /* the desk's id of the open (or last) conversation */
    bool open;               /* the desk has it open */
    int64_t last_in_ms, last_out_ms;
    slice network;           /* title of the network's connector, e.g. "LINE": participant data "media" */
    struct js_list tenant_data; /* struct js_pair: the tenant's own custom data */
    slice tenant;
};

enum outcome {     /* of one step */
    OUT_CALL,      /* make d->call, then step again with its answer in d->last */
    OUT_DELIVERED, /* d->vendor_id is set where the other side gave one. Also: nothing to do */
    OUT_RETRY,     /* not taken; again in d->retry_ms, 0: the framework's own back-off */
    OUT_REFUSED,   /* never will be: d->reason and c->f say why */
    OUT_UNKNOWN,   /* may or may not have had effect */
    OUT_PARKED,    /* waits for inbox_resume(d->wait_for), at most until d->wait_until_ms */
};

/* ---- receive --------------------------------------------------------------------------------------------------------- */

struct request {
    slice method, path, query; /* path: as sent, below hook.path ("" when equal) */
    slice body;                /* as verified: unpacked, decrypted */
    const struct header *headers;
    size_t n_headers;
    bool polled;               /* not a request: the answer to a poll, .status says which; body is its body */
    int status;
};
slice request_header(const struct request *rq, const char *name); /* without regard to case */
slice request_query(struct arena *a, const struct request *rq, const char *name);

struct inbox; /* collects what receive finds; everything is committed at once, then the sender is answered */
struct message *inbox_add(struct inbox *in, enum kind kind); /* a zeroed message, never NULL. Set id, guest, at_ms */
/* Remembered for the conversation of m, in the same commit. until_ms 0: for good. */
void inbox_remember(struct inbox *in, struct message *m, const char *key, slice value, int64_t until_ms);
/* The same in one of n keys (constants of the connector) that share the room for things of one kind: the one written longest ago makes way. */
void inbox_remember_newest(struct inbox *in, struct message *m, const char *const *keys, size_t n, slice value, int64_t until_ms);
/* An event that is not for us, by a named rule ("own-echo", "unknown-type", "placeholder-token"): counted, and kept for trace when id is given. */
void inbox_ignore(struct inbox *in, const char *rule, slice id);
/* Answer with this instead of the default (200, empty) once all is committed: challenges, welcome messages, dialogs. */
void inbox_answer(struct inbox *in, int status, slice type, slice body);
/* One more field of that answer: a cookie, a Location. */
void inbox_header(struct inbox *in, const char *name, slice value);
/* Not addressed to us by itself, on networks that tell us all that is said in a room: taken only while its conversation is open at the desk (else ignored as
 * "not-addressed"), or where it is known, because someone was heard in it before (else "unknown-conversation"). What is ignored so is counted and not kept. */
enum inbox_only { ONLY_OPEN = 1, ONLY_KNOWN };
void inbox_only(struct message *m, enum inbox_only where);
/* A delivery of ours waits for this (OUT_PARKED): go on with it, handing it data. */
void inbox_resume(struct inbox *in, slice wait_for, slice data);
/* Calls of our own that cannot wait for a lane: a dialog that must be open within seconds, a code to be changed into a token. They are made at once, when everything is
 * committed; step is like deliver's, with data in d->keep, and with the conversation of the first message found, if there is one. What it remembers is stored. With
 * `answer` the request is answered after they have ended, and answer may say differently what with. One in a request; not repeated after a restart. */
typedef enum outcome (*ask_step)(struct call *c, struct delivery *d);
typedef void (*ask_answer)(struct call *c, const struct delivery *d, enum outcome end, struct inbox *in);
void inbox_ask(struct inbox *in, ask_step step, slice data, ask_answer answer);

/* ---- deliver --------------------------------------------------------------------------------------------------------- */

enum { CALL_HEADERS_MAX = 12 };
struct http_call {
    const char *method;
    slice url;
    slice type; /* Content-Type; absent: none */
    slice body;
    struct header headers[CALL_HEADERS_MAX];
    size_t n_headers;
    bool repeatable; /* the other side makes a repeat harmless (idempotency key, pure read): may be sent again after a lost answer.
                        Not repeatable: recorded before it is made; if the answer is lost the outcome is unknown. */
    bool no_token;   /* without the account's token */
    unsigned rate;   /* index into connector.rates */
    const struct media *media_body; /* the body is this stored file of a part, streamed (upload); NULL: body … */
    int64_t media_from, media_bytes; /* … from this byte on, so many; 0: to its end */
    slice media_head, media_tail; /* … between these bytes: what frames it in multipart/form-data. Absent: nothing */
    slice media_key; /* with media_body: the bytes go out encrypted under these 32 (wire/aes_ctr.h), as a file of its own would from its first byte */
    bool guarded;    /* the address came out of a message: nowhere but to public addresses. Goes with no_token */
    slice token;     /* AUTH_NAMED: which of the account's tokens */
    bool new_token;  /* the other side says in its own words (not by a 401) that the token of the last call has ended: another one first */
    int64_t total_ms; /* 0: the framework's */
    slice tls_cert, tls_key; /* PEM: the other side knows us by this certificate. Absent: it does not ask */
};
void call_header(struct http_call *call, const char *name, slice value);

struct delivery {
    const struct message *m;     /* as accepted; NULL in setup, lookup and poll without one */
    const struct message *parts; /* m adapted to caps: only kinds, sizes and counts the connector said it can carry */
    size_t n_parts;
    size_t part;                 /* the connector's own count of parts done; kept between steps, attempts and processes, like … */
    int step;                    /* … its step */
    slice keep;                  /* … and its own bytes (at most 4 KiB) */
    void *own;                   /* the connector's own of this attempt, in c->a: of any size, gone with the attempt */
    const struct answer *last;   /* NULL on the first step of an attempt */
    bool last_repeatable;        /* of the call that was answered */
    bool last_new_token;         /* likewise */
    bool last_old_token;         /* AUTH_NAMED: what it carried is not the token any more that there is now: another came while it was under way */
    const struct media *media;   /* media_find: what to find; else NULL */
    slice resumed;               /* data of inbox_resume; {NULL,0}: not resumed */
    unsigned attempt;            /* 0: the first */
    bool interrupted;            /* a call that was not repeatable may have been made by a process that died: connector.settles_interrupted */
    bool begun;                  /* an earlier attempt, or a process that ended, may have made calls for it */
    int64_t accepted_ms;         /* the same in every attempt */
    slice key;                   /* names this delivery for ever, the same in every attempt: "dg-…" */
    /* results */
    struct http_call call;
    slice vendor_id;
    slice wait_for;
    int64_t wait_until_ms;
    int64_t retry_ms;
    bool set_up_again;           /* with OUT_RETRY: its vendor no longer knows the account as set up; that is done again first */
    enum reason reason;
    struct person person;        /* lookup: what was found */
    struct js_list data;         /* lookup: struct js_pair: more of what the network tells about the guest, for this message */
    slice text, payload;         /* lookup: the message's, as they read with what was learned; absent: as they are */
    struct location location;    /* lookup: present: what the message is, instead of the file it came as */
    slice desk_conversation;     /* deliver to a desk: its conversation, where the answer says it */
    slice media_url;             /* media_find */
    slice wanted;                /* responses.find: the name of a canned response, and … */
    struct canned_response response;    /* … what was found: its name absent when there is none of this name */
    enum status status;          /* with OUT_DELIVERED: how far it came; STATUS_NONE: STATUS_DELIVERED */
};
/* What the framework (and the case runner) does before each step: the last call's facts are kept, the call is cleared. */
void delivery_begin_step(struct delivery *d, const struct answer *last);
/* A UUID text made of d->key and n: the same in every attempt. For vendors' idempotency keys. */
slice delivery_uuid(struct arena *a, const struct delivery *d, size_t n) MUST_USE;
static inline bool answer_good(const struct answer *r)
{
    return r->status >= 200 && r->status < 300;
}
slice delivery_guest(const struct call *c, const struct delivery *d); /* in the network's form */
/* Who writes this, for the guest: a bot and the hub have at most a name of their own, never that of the agent who wrote before them. {NULL,0}: not known. */
slice author_name(const struct conversation *who, const struct message *m);
/* What a guest is told of an agent who joins or leaves, and of the end: in the desk's words or ours, where the account's setting show_system_messages asks for it. {NULL,0}:
 * nothing. */
slice system_text(struct call *c, const struct message *m) MUST_USE;
/* The usual reading of an answer that is not a success, so that a connector says only what differs: no answer -> RETRY when the call is
 * repeatable or was not written, else UNKNOWN; 429, 5xx, 408, 425 -> RETRY (Retry-After); 401, 403 -> REFUSED credentials; 413 media_size;
 * 415 media_type; else REFUSED general. The text names status and what, never the body. */
enum outcome answer_outcome(struct call *c, struct delivery *d, const char *what);
/* An object that was to be passed on has not the vendor's shape (wire/js_shape.h): *c->f says where and why, for whoever wrote it. False. */
bool refuse_shape(struct call *c, const struct fault *why);
enum outcome refuse(struct call *c, struct delivery *d, enum reason reason, const char *fmt, ...) PRINTF(4, 5);

/* ---- tokens ---------------------------------------------------------------------------------------------------------- */

enum auth_kind {
    AUTH_NONE,
    AUTH_STATIC,  /* setting `secret`, sent as `scheme` ("Bearer") */
    AUTH_REQUEST, /* token_call builds the request; answer {"access_token","expires_in","refresh_token"?}; shared by all calls of the account, one
                     refresher at a time, asked again early and once after a 401. A rotated refresh token is stored before it is used:
                     memory "refresh_token" */
    AUTH_NAMED,   /* several tokens, one for each workspace (tenant, partner) that let the account in: http_call.token and media.token_name say which.
                     token_known says what is remembered of it; near its end token_renew builds the request for the next and token_took remembers the
                     answer, which is stored before it is used. One renewal of a name at a time; when another token came meanwhile by other ways, its answer is dropped */
};

/* ---- the table ------------------------------------------------------------------------------------------------------- */

#define CAN(k) (1u << (k))
enum text_unit { UNIT_CHARS, UNIT_UTF16, UNIT_BYTES };
enum media_way { MEDIA_NONE, MEDIA_LINK, MEDIA_UPLOAD };
struct media_rule { /* first match wins; no match: not carried */
    const char *type;  /* "image/jpeg", "image/" + "*", "*" */
    int64_t max_bytes;
};
struct caps { /* also read by the downgrade rules, the console, the docs page and the tests */
    unsigned kinds;        /* CAN(KIND_…): a kind that is not here never arrives at deliver */
    unsigned events;       /* CAN(EVENT_…) */
    unsigned statuses;     /* CAN(STATUS_…): news the account wants about messages it sent us */
    size_t text_max;
    enum text_unit text_unit;
    bool caption;          /* media carry text; else the text follows as a message of its own */
    unsigned media_per_message; /* files in one message; 0: one */
    enum media_way media;
    const struct media_rule *media_rules;
    size_t n_media_rules;
    size_t choices_max, choice_label_max; /* labels: characters */
    size_t cards_max, card_choices_max;
    bool choice_urls;      /* a choice may open a link */
    bool location_needs_title;
    bool sticker_needs_own_id; /* a sticker without a package of this network becomes its picture */
    bool choice_pictures;  /* choices may carry one */
    bool agent_name;       /* has a place of its own for the agent's name; else Prefix Agent Name writes it before the text */
    int64_t reply_window_ms;       /* how long after the guest's last words the network lets us answer; 0: as long as we like */
    unsigned reply_window_setting; /* setting that says it instead, in seconds; 0: none (so it cannot be the first setting) */
};

enum verify {
    VERIFY_NONE,               /* nothing to check (a secret in the path: hook.path_secret) */
    VERIFY_HMAC_SHA256_BASE64, /* header = prefix + base64 */
    VERIFY_HMAC_SHA256_HEX,
    VERIFY_HEADER_EQUAL,       /* header = the secret itself */
    VERIFY_JWT,                /* header = prefix + a token signed (RS256) with one of hook.keys; its time is checked, token_ok() says the rest */
    VERIFY_OWN,                /* verify() below */
};
/* Public keys of a vendor (VERIFY_JWT): fetched by the framework when the first request comes, shared by all accounts with the same address, fetched
 * again when old or when a token names an unknown key. While they cannot be had, requests are answered 503. */
struct key_source {
    slice (*url)(struct call *c); /* of an OpenID document whose jwks_uri names the keys, or of the keys themselves */
    int64_t keep_ms;              /* older ones are fetched again */
    int64_t again_ms;             /* an unknown key has them fetched again at most so often */
    int64_t leeway_ms;            /* of the token's times */
};
enum { HOOK_SECRETS_MAX = 3 };
struct hook {
    const char *path;    /* "/line"; also served: path + "/" + account id */
    enum verify how;
    const char *header, *prefix;
    unsigned secrets[HOOK_SECRETS_MAX]; /* settings that hold keys, tried in turn; absent ones are skipped */
    unsigned n_secrets;
    /* HMAC: not the body alone is signed, but stamp_before, the value of the header `stamp` (unix seconds), ":" and the body; the time must lie within window_ms
     * of now, before or after. NULL: the body. */
    const char *stamp, *stamp_before;
    int64_t window_ms;
    struct key_source keys;
    int bad_status;      /* answer to a wrong signature; 0: 403 */
    int absent_status;   /* … and where there is none; 0: the same */
    size_t body_max;     /* 0: the server's */
    int64_t deadline_ms; /* the vendor waits so long for our answer; 0: not known */
    int64_t dedupe_ms;   /* how long a message id is remembered; 0: 7 days */
};
struct rate {
    unsigned calls;      /* 0: no limit */
    int64_t per_ms;
    unsigned setting;    /* setting that says calls instead; 0: none (so it cannot be the first setting) */
    bool per_conversation; /* counted for each conversation, and beside it the call counts for rates[0], too. A connector's calls in one
                              conversation must not alternate between two such rates */
    bool per_token;        /* AUTH_NAMED: counted for each token */
};
struct poll {
    unsigned every;        /* setting with the seconds between two polls; the setting's value 0: off */
    bool per_conversation; /* for each open conversation; else for the account */
    /* Fills d->call, returns OUT_CALL; OUT_DELIVERED: not now. The answer goes through receive with polled set. */
    enum outcome (*next)(struct call *c, struct delivery *d);
};
struct lookup {
    /* Who is it? Steps like deliver; fills d->person, ends with OUT_DELIVERED; any other end: not known, asked again after unknown_ms. On a network: the
     * guest; on a desk: the agent who wrote d->m. Runs before the message goes to the other side, which never waits for it longer than total_ms. */
    enum outcome (*who)(struct call *c, struct delivery *d);
    int64_t keep_ms, unknown_ms, total_ms;
    /* Is there more to ask for this message, although it is known who it is from (names of others it mentions)? NULL: never. */
    bool (*more)(struct call *c, const struct message *m);
};
struct canned { /* a desk that keeps canned responses itself */
    /* The one named d->wanted, without regard to case. Steps like deliver; fills d->response (in c->a), ends with OUT_DELIVERED, also when there is none.
     * OUT_REFUSED: it cannot be had, c->f says why in a line for the agent; anything else: not now. Asked beside the lanes, and kept: responses.h. */
    enum outcome (*find)(struct call *c, struct delivery *d);
    int64_t total_ms;
};
/* Pages and calls of the connector's own, beside its webhook: answered through inbox like a webhook, without verification. What a stranger must not see or change, receive
 * guards: by a secret in the address, a signed state, a secret in the record. Three ways to whom it belongs: the path names the account (mine and record NULL); mine finds
 * the account among all; or to none (record). */
struct route_extra {
    const char *method, *path;
    bool (*receive)(struct call *c, const struct request *rq, struct inbox *in);
    /* One address for all accounts of the connector (registration, the way back from a log-in): is this request for this account? Asked of each until one says
     * yes. None does: receive is called all the same, with c->account and c->memory NULL, to show a form or to say no. */
    bool (*mine)(struct call *c, const struct request *rq);
    const struct record_of *record;
    size_t body_max; /* 0: as for the hook */
    bool secret;     /* what stands behind the path is one: no log shows it */
};

/* Where a customer registers before there is an account. What such a customer said is a record, kept under the request's key, sealed; in RECORD_PARTS parts, so that
 * pictures find a place. receive finds it in c->record, with c->account and c->memory NULL, says what it shall be, and adds no messages. */
enum { RECORD_PARTS = 4, RECORD_PART_MAX = 46 << 10, RECORD_KEY_MAX = 200 };
struct record_of {
    slice (*key)(struct arena *a, const struct request *rq);      /* which one is it about? {NULL,0}: none */
    slice (*moves_to)(struct arena *a, const struct request *rq); /* another key it shall have from now on; NULL: never */
};
struct record {
    slice public_url;
    struct call *accounts; /* of this connector: settings and memory of each */
    size_t n_accounts;
    slice key;
    slice part[RECORD_PARTS]; /* absent: nothing there yet; what is left here is kept when .keep is set */
    slice to;                 /* moves_to; {NULL,0}: nowhere, or where it is */
    bool to_taken;            /* there is a record already */
    /* results */
    bool keep;                /* it changed: it is on disk before the answer goes out */
    bool move;                /* with keep: from now on under .to */
    const char *note;         /* for the operator's log: what happened ("asks to be registered") */
};

struct connector {
    const char *name, *title; /* "line", "LINE": title is the participant data "media" */
    bool desk;
    bool own_end;  /* the other end is our own API and its pages (web chat, the built-in desk): deliver makes no calls, who stands there is told (struct own_end, hub.h) */
    struct caps caps;
    const struct setting *settings;
    size_t n_settings;
    const char *once; /* name of the setting of which no two accounts of a hub may have the same: who it names sends everything to one place. NULL: none */
    const char *once_with; /* two that differ in this one are told apart all the same. NULL: none does that */
    struct hook hook;
    struct {
        enum auth_kind kind;
        unsigned secret;
        const char *scheme;    /* NULL: "Bearer" */
        bool (*token_call)(struct call *c, struct http_call *ret);
        /* Where the token may be sent to besides the account's API (media downloads …), by scheme and host: never in clear but to a base URL that is set
         * so. NULL: nowhere. */
        bool (*token_host)(struct call *c, const struct url *u);
        bool single_use;   /* AUTH_REQUEST: a refresh token is good once. Where processes share a cache, never asked for without its lock */
        /* AUTH_NAMED. Known: false: there is none (any more), *c->f says why; *ret_until_ms by the wall clock, 0: it does not end. Took: false: that was no token. */
        bool (*token_known)(struct call *c, slice name, slice *ret_token, int64_t *ret_until_ms);
        bool (*token_renew)(struct call *c, slice name, struct http_call *ret);
        bool (*token_took)(struct call *c, slice name, const struct answer *r);
        int64_t renew_ms;      /* how long before its end a token is renewed */
    } auth;
    const struct rate *rates; /* [0] is the default for calls; NULL: no limits of our own */
    size_t n_rates;
    struct poll poll;
    struct lookup lookup;
    struct canned canned; /* find NULL: there are only the hub's own */
    /* Recording (recorder.h): keys of members whose values say nothing about people and stay; paths of the ids that make two messages the same.
     * Both NULL-terminated. */
    const char *const *record_keep, *const *record_ids;
    const struct route_extra *routes;
    size_t n_routes;
    /* More than settings rows can say: is this combination of settings good? NULL: yes. */
    bool (*check)(struct call *c);
    /* What the request itself says about the account, from the *unverified* body: compared with route_own of each account. {NULL,0}: nothing, then
     * every account of this connector is a candidate and the one whose secret verifies is it. NULL function: likewise. */
    slice (*route_key)(struct arena *a, const struct request *rq);
    /* The account's own key (from settings or learned by setup); {NULL,0}: not known yet, then it stays a candidate. */
    slice (*route_own)(struct call *c);
    /* Does this account take what no other account with the same key takes? Then it is asked behind those. NULL: none does. */
    bool (*route_rest)(struct call *c);
    /* VERIFY_OWN: false: wrong. *ret_body: the body receive shall see. */
    bool (*verify)(struct call *c, const struct request *rq, slice *ret_body);
    /* VERIFY_JWT: the claims of a token that is signed and valid now, and the key (as published) that signed it. Is it from the vendor, for this
     * account, about this request? False: *c->f says what is not. */
    bool (*token_ok)(struct call *c, const struct request *rq, const struct js *key, const struct js *claims);
    /* False: the request is answered 400 with *c->f and nothing of it is kept. Events we have no word for are ignored, not refused. */
    bool (*receive)(struct call *c, const struct request *rq, struct inbox *in);
    /* d->parts[…].kind is always one of caps.kinds. */
    enum outcome (*deliver)(struct call *c, struct delivery *d);
    bool settles_interrupted; /* deliver knows what to do when d->interrupted is set; else the framework ends such a delivery as unknown */
    /* When the account is started or saved: who am I, make or update what the vendor must know. Webhooks are served meanwhile. */
    enum outcome (*setup)(struct call *c, struct delivery *d);
    /* Does the vendor just try whether we are there, in a request that nobody signs? Then it is answered 200, and nothing else of it is looked at. */
    bool (*probe)(struct arena *a, const struct request *rq);
    /* One more key for hook.how, made and not set: tried after those of hook.secrets. {NULL,0}: none. */
    slice (*hook_secret)(struct call *c);
    /* Where the bytes of md are, when md->url does not say it. */
    slice (*media_url)(struct call *c, const struct media *md);
    /* The same where it takes calls to learn it. Steps like deliver; fills d->media_url, ends with OUT_DELIVERED. Asked anew before every try: the
     * address may be short-lived. It may hold a secret: it is fetched from, and never shown, stored or handed on. */
    enum outcome (*media_find)(struct call *c, struct delivery *d);
    /* The address of a picture of the map around a place, for a desk that shows no locations itself. The framework fetches it before adapt (the
     * address may hold a key: never shown, never handed on), stores it, and puts it into the media of the location part. {NULL,0}: none. */
    slice (*location_picture)(struct call *c, const struct location *where);
    /* What an operator hands the vendor so that it makes an app of ours there (a JSON document, without secrets), before the account exists: account is one with its
     * defaults, name and public_url. `dragoman manifest NAME` prints it, the console shows it. NULL: none. */
    slice (*manifest)(struct call *c);
    /* What a dry run (dry.h) takes for granted: a guest in the network's form, settings (an object), the account's and the conversation's memory (as
     * memory_print writes it), the body that good calls are answered with. NULL: nothing. */
    struct dry_world { const char *guest, *settings, *memory, *guest_memory, *answer; } dry;
};

/* The list, from connectors.def. */
extern const struct connector *const connectors[];
extern const size_t n_connectors;
const struct connector *connector_find(slice name);
#endif
