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
    APPLE_ATTACHMENTS = 50,
    APPLE_ERROR_CHARS = 160,
    APPLE_APP_URL_BYTES = 64 << 10,
};

/* Memory of the conversation. */
#define APPLE_CLOSED "closed" /* the guest ended it: nothing may be sent until they write again */
#define APPLE_CAPS   "caps"   /* the capability list of the guest's newest message */
#define APPLE_LOCALE "locale"

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

bool apple_receive(struct call *c, const struct request *rq, struct inbox *in);
enum outcome apple_deliver(struct call *c, struct delivery *d);
enum outcome apple_media_find(struct call *c, struct delivery *d);
slice apple_page_key(struct arena *a, const struct request *rq);
void apple_register(struct page_call *p, const struct request *rq);
#endif
