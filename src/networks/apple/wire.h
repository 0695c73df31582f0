/* wire.h - the names, limits and settings of Apple Messages for Business, shared by the files of this connector. Facts: docs/wire/apple-messages.md. */
#ifndef NETWORKS_APPLE_WIRE_H
#define NETWORKS_APPLE_WIRE_H
#include "hub/connector.h"

enum apple_setting {
    APPLE_MSP_ID,
    APPLE_MSP_SECRET,
    APPLE_BUSINESS_ID,
    APPLE_BASE_URL,
    APPLE_SHOW_SYSTEM,
    APPLE_PREFIX_AGENT,
    APPLE_OAUTH_CLIENT,
    APPLE_OAUTH_SECRET,
    APPLE_OAUTH_SCOPE,
    APPLE_OAUTH_AUTHORIZE,
    APPLE_OAUTH_TOKEN,
    APPLE_OAUTH_USER,
    APPLE_PAY_MERCHANT,
    APPLE_PAY_NAME,
    APPLE_PAY_CERTIFICATE,
    APPLE_PAY_KEY,
    APPLE_PAY_GATEWAY,
    APPLE_PAY_NETWORKS,
    APPLE_PAY_SESSION,
    APPLE_PAY_DOMAIN,
    APPLE_SETTINGS
};

/* "Interactive messages" */
#define APPLE_BID "com.apple.messages.MSMessageExtensionBalloonPlugin:0000000000:com.apple.icloud.apps.messages.business.extension"
#define APPLE_OWN "#" /* begins the identifier of an item whose payload is too long for one: it is read back off the list by its title */

enum { /* "Sending", "Interactive messages", "Attachments" */
    APPLE_TEXT_CHARS = 3000,
    APPLE_BODY_BYTES = 32 << 20,     /* with the pictures in it */
    APPLE_IN_BYTES = 5 << 20,        /* unpacked */
    APPLE_FILE_BYTES = 100 << 20,
    APPLE_QUICK_MIN = 2,
    APPLE_QUICK_MAX = 5,
    APPLE_ITEMS = 50,
    APPLE_LABEL_CHARS = 100,
    APPLE_ID_CHARS = 20,
    APPLE_CARDS = 10,
    APPLE_PICTURES = 20,
    APPLE_PICTURE_BYTES = 1 << 20,
    APPLE_PICTURE_MS = 5000,
    APPLE_LEARN_MS = 15 * 1000,
    APPLE_ATTACHMENTS = 50,
    APPLE_ERROR_CHARS = 160,
    APPLE_APP_URL_BYTES = 64 << 10,
    APPLE_LARGE_BYTES = 10 << 10,    /* an interactive message over this is answered with a reference */
    APPLE_REF_MS = 24 * 3600 * 1000, /* of ours: so long a reference is used */
};

/* Memory of the conversation. */
#define APPLE_CLOSED "closed" /* the guest ended it: nothing may be sent until they write again */
#define APPLE_CAPS   "caps"   /* the capability list of the guest's newest message */
#define APPLE_LOCALE "locale"
#define APPLE_TYPES  "types"  /* the phone shows that somebody types … */
#define APPLE_TYPES_MS (60 * 1000) /* … and for so long an answer says that it is over */
#define APPLE_SIGNED "signed_in" /* who the guest turned out to be, until the desk is told */
/* Memory of the account. */
#define APPLE_SEED "seed" /* and "ref:…": large.c */

/* ---- apple.c -------------------------------------------------------------------------------------------------------------- */

/* A call to Apple with our token, the business and, if set, the guest and the message id. */
bool apple_api(struct call *c, struct delivery *d, const char *method, const char *path);
enum outcome apple_failed(struct call *c, struct delivery *d, const char *what);
/* Can the guest's device show it? "LIST", "QUICK", "TIME", "FORM". Unknown as long as nobody was heard: then yes. */
bool apple_can(const struct call *c, const char *capability);
slice apple_member(const struct js *v, const char *path); /* text, or a number as text; never of anything else */

/* ---- pictures.c ----------------------------------------------------------------------------------------------------------- */

struct apple_picture {
    slice url, data, type; /* data: base64; absent: it could not be had */
};
struct apple_own { /* d->own: what an attempt has fetched */
    struct js_list pictures; /* struct apple_picture */
    slice session;           /* JSON */
};
struct apple_own *apple_own_of(struct call *c, struct delivery *d);
/* The picture at this address if it was asked for; NULL: not yet. */
const struct apple_picture *apple_picture_of(const struct delivery *d, slice url);
/* What the last call brought. */
void apple_picture_took(struct call *c, struct delivery *d, slice url);
enum outcome apple_picture_call(struct call *c, struct delivery *d, slice url);
bool apple_picture_room(const struct delivery *d);

/* ---- sends.c, native.c: a part as the message it becomes ------------------------------------------------------------------- */

enum apple_way { APPLE_NOTHING, APPLE_JSON, APPLE_FILE };
struct apple_send {
    enum apple_way way;
    slice members; /* of APPLE_JSON: the members behind v, id, type and the two ids, each with a comma before it */
    slice type;
    slice list;    /* a list that was numbered: LIST_MEMORY */
    slice picture; /* an address to be fetched first; then asked again */
    bool session;  /* a merchant session is to be fetched first; then asked again */
    bool authenticate; /* goes to /authenticate */
    bool again;    /* holds nothing that is good for this request alone */
};
/* False: refused; d->reason and *c->f say why. */
bool apple_send_of(struct call *c, struct delivery *d, const struct message *m, slice request, struct apple_send *ret);
bool apple_native(struct call *c, struct delivery *d, slice json, slice request, struct apple_send *ret);
void apple_text(struct call *c, slice text, struct apple_send *ret);
/* A text with numbers, for devices that show no lists. */
struct apple_item {
    slice label, payload;
};
void apple_numbered(struct call *c, slice prompt, const struct apple_item *items, size_t n, struct apple_send *ret);
/* Writes interactiveData, with its pictures; ret->picture is set where one is missing yet. */
/* Has an interactive message that is to be passed on the shape Apple wants? False: *c->f says what is wrong, and where. shapes.c */
bool apple_interactive_ok(struct call *c, const struct js *inner);
bool apple_put_interactive(struct call *c, struct delivery *d, const struct js *inner, slice request, struct apple_send *ret);
bool apple_put_rich(struct call *c, struct delivery *d, const struct js *rich, struct apple_send *ret);

/* large.c: the member interactiveDataRef, with a comma before it, where Apple has this message already; {NULL,0}: it has not. */
slice apple_ref(struct call *c, const struct apple_send *s, slice request);
void apple_ref_took(struct call *c, const struct apple_send *s, slice request, slice body); /* what it was answered with */
void apple_ref_forget(struct call *c, const struct apple_send *s, slice request);

/* ---- answers.c, receive.c, learn.c: what a guest answered, and what of it must be fetched or opened first ------------------------ */

struct apple_answer {
    slice text, payload;
    bool by_label;        /* its payload stands in a list of ours, under its label */
    const char *rule;     /* nothing for us, by this rule */
    slice token, request; /* of a sign-in of the older kind: encrypted to the key of this request */
};
/* i: interactiveData. False: *c->f. */
bool apple_answer_of(struct call *c, const struct js *i, struct apple_answer *ret);

#define APPLE_VLOCATION "text/x-vlocation" /* a card with a shared place in it */
struct apple_later { /* native_json of an answer, or of a place, that is not all there yet */
    slice place, key, bid; /* a large one: where it lies, its key in hexadecimal digits, whose it is */
    slice token, request;
};
enum { APPLE_LATER_FIELDS = 5 };
extern const struct js_field apple_later_fields[APPLE_LATER_FIELDS];
enum outcome apple_find(struct call *c, struct delivery *d, slice where); /* asks for the address of a file */
slice apple_found(struct call *c, const struct delivery *d);              /* … which it got; {NULL,0}: none */
enum outcome apple_learn(struct call *c, struct delivery *d);
bool apple_more(struct call *c, const struct message *m);

/* ---- sign_in.c ------------------------------------------------------------------------------------------------------------ */

/* The guest's identity at the provider: who the token says it is. */
struct apple_signed_in {
    slice id, name, email;
};
bool apple_can_sign_in(const struct call *c); /* the settings for it are there */
/* Writes the member oauth2 of authenticate, or a link for a device that cannot; ret->authenticate is set where it goes by another path. */
bool apple_put_sign_in(struct call *c, struct delivery *d, struct jw *w, const struct js *given, slice request, struct apple_send *ret);
slice apple_sign_in_link(struct call *c, const struct delivery *d, slice request); /* {NULL,0}: there is none */
slice apple_open_token(struct call *c, slice request, slice sealed);
bool apple_ask_person(struct call *c, struct delivery *d, slice token); /* false: there is nobody to ask */
bool apple_person_of(struct call *c, slice json, struct apple_signed_in *ret);
void apple_remember_person(struct call *c, const struct apple_signed_in *who);
bool apple_remembered_person(struct call *c, struct apple_signed_in *ret);

/* ---- pay.c ---------------------------------------------------------------------------------------------------------------- */

bool apple_can_pay(const struct call *c);
/* Writes the members of payment; ret->session is set where Apple must be asked for one first. */
void apple_put_payment(struct call *c, struct delivery *d, struct jw *w, const struct js *given, struct apple_send *ret);
enum outcome apple_session_call(struct call *c, struct delivery *d);
bool apple_session_took(struct call *c, struct delivery *d);

/* A secret that nobody but this account knows, made when it is set up: what is derived from it needs no memory of its own. use: for what. {NULL,0}: not set up yet. */
slice apple_derived(struct call *c, const char *use, slice of);
enum outcome apple_setup(struct call *c, struct delivery *d);

bool apple_callback_mine(struct call *c, const struct request *rq);
bool apple_callback(struct call *c, const struct request *rq, struct inbox *in);
bool apple_pay_mine(struct call *c, const struct request *rq);
bool apple_pay_called(struct call *c, const struct request *rq, struct inbox *in);
bool apple_pay_page(struct call *c, const struct request *rq, struct inbox *in);
bool apple_domain_mine(struct call *c, const struct request *rq);
bool apple_domain(struct call *c, const struct request *rq, struct inbox *in);

bool apple_receive(struct call *c, const struct request *rq, struct inbox *in);
enum outcome apple_deliver(struct call *c, struct delivery *d);
enum outcome apple_media_find(struct call *c, struct delivery *d);
slice apple_page_key(struct arena *a, const struct request *rq);
bool apple_register(struct call *c, const struct request *rq, struct inbox *in);
#endif
