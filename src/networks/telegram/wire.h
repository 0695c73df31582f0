/* wire.h - Telegram's names, limits and our settings, shared by the files of this connector. Facts: docs/wire/telegram.md. */
#ifndef NETWORKS_TELEGRAM_WIRE_H
#define NETWORKS_TELEGRAM_WIRE_H
#include "hub/connector.h"

enum telegram_setting {
    TELEGRAM_TOKEN,
    TELEGRAM_SECRET,
    TELEGRAM_BASE_URL,
    TELEGRAM_SET_WEBHOOK,
    TELEGRAM_CONNECTIONS,
    TELEGRAM_SHOW_SYSTEM,
    TELEGRAM_PREFIX_AGENT,
    TELEGRAM_UPLOAD,
    TELEGRAM_SETTINGS
};

enum telegram_rate { TELEGRAM_RATE_ALL, TELEGRAM_RATE_CHAT, TELEGRAM_RATE_GROUP }; /* "Limits" */

/* "Sending", "Buttons" */
enum {
    TELEGRAM_TEXT_UNITS = 4096,
    TELEGRAM_CAPTION_UNITS = 1024,
    TELEGRAM_PAYLOAD_BYTES = 64,
    TELEGRAM_LABEL_CHARS = 64,
    TELEGRAM_BUTTONS = 100,
    TELEGRAM_CARDS = 10,
    TELEGRAM_ALBUM = 10,
    TELEGRAM_BODY_BYTES = 128 << 10,
    TELEGRAM_RETRY_MOST_S = 24 * 3600, /* of ours, as of a Retry-After */
    TELEGRAM_DOWNLOAD_BYTES = 20 << 20,
    TELEGRAM_LINK_PHOTO_BYTES = 5 << 20, /* "Files out" */
    TELEGRAM_LINK_BYTES = 20 << 20,
    TELEGRAM_PHOTO_BYTES = 10 << 20,
    TELEGRAM_UPLOAD_BYTES = 50 << 20,
};

/* Memory. Of the account: */
#define TELEGRAM_BOT      "bot"      /* "id username", learned by setup */
#define TELEGRAM_WEBHOOK  "webhook"  /* SHA-256 of the secret and the list it was set with: neither can be read back */
/* … and "moved:ID" of groups: with an end, so that where there are more than find room they make way for each other, never the above. */
#define TELEGRAM_MOVED_MS (INT64_C(10) * 365 * 24 * 3600 * 1000)
/* Of the conversation: */
#define TELEGRAM_CHAT     "chat"     /* where the group lives since it became a supergroup */
#define TELEGRAM_LAST     "last"     /* id of the newest message, to be quoted in a group */
#define TELEGRAM_TAPPED   "tapped"   /* id of the message whose buttons were tapped: they are taken away */
#define TELEGRAM_BUSINESS "business" /* the business connection of a guest "bCHAT", as versions named those that did not tell owners apart */

/* A guest is "CHAT"; in a group "CHAT.USER" or, in a topic, "CHAT.USER.THREAD"; through a business account "bCHAT.CONNECTION". */
struct telegram_guest {
    slice chat, user, thread, connection;
    bool group, business;
};
struct telegram_guest telegram_guest_of(slice guest);

/* The bot as setup learned it: its id is in the token anyway. */
slice telegram_bot_id(const struct call *c);
slice telegram_bot_name(const struct call *c); /* without '@'; {NULL,0}: not known yet */
slice telegram_secret(struct call *c);

/* An API call: "Calls". */
void telegram_api(struct call *c, struct delivery *d, const char *method, slice body);
/* The same with a stored file as the parameter `name`: "Uploads". */
void telegram_upload(struct call *c, struct delivery *d, const char *method, slice body, const char *name, const struct media *file);
/* "Answers": what an answer says. */
struct telegram_answer {
    const struct js *result; /* NULL: it is not ok */
    slice description;
    int64_t retry_after_s, moved_to;
};
struct telegram_answer telegram_answer_of(struct arena *a, const struct answer *r);
/* The end of a call that did not do what was asked: "Errors". */
enum outcome telegram_failed(struct call *c, struct delivery *d, const char *what);

bool telegram_receive(struct call *c, const struct request *rq, struct inbox *in);
enum outcome telegram_deliver(struct call *c, struct delivery *d);
enum outcome telegram_setup(struct call *c, struct delivery *d);
enum outcome telegram_media_find(struct call *c, struct delivery *d);

/* sends.c: the parts of a delivery as API calls. */
struct telegram_send {
    const char *method;
    slice members;  /* of the JSON object, without chat and braces */
    const char *file_member;  /* with a file: the parameter it is; NULL: none */
    slice link;               /* … where Telegram can fetch it */
    const struct media *file; /* … stored here, to be uploaded when the link does not do; NULL: it is not */
    bool upload;              /* … at once */
    slice instead;  /* the text that takes its place when Telegram cannot fetch or use what it names; absent: nothing does */
};
/* Has a call that is to be passed on what its method needs? False: *c->f says what is wrong, and where. shapes.c */
bool telegram_call_ok(struct call *c, const struct js *doc);
/* False: refused, *ret_reason and *c->f say why. *ret_list: what a reply keyboard's labels stand for, as LIST_MEMORY. */
bool telegram_sends(struct call *c, const struct delivery *d, struct js_list *ret, slice *ret_list, enum reason *ret_reason);
#endif
