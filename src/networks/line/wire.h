/* wire.h - LINE's names, limits and our settings, shared by the files of this connector. Facts: docs/wire/line.md. */
#ifndef NETWORKS_LINE_WIRE_H
#define NETWORKS_LINE_WIRE_H
#include "hub/connector.h"

enum line_setting {
    LINE_CHANNEL_ID,
    LINE_CHANNEL_SECRET,
    LINE_OLD_SECRET,
    LINE_BOT_ID,
    LINE_BASE_URL,
    LINE_DATA_URL,
    LINE_TOKEN,
    LINE_ASSERTION_KEY,
    LINE_SWITCHER_CODE,
    LINE_SWITCHER_SECRET,
    LINE_SWITCHER_DESTINATION,
    LINE_REPLY_SECONDS,
    LINE_STICKER_URL,
    LINE_SHOW_SYSTEM,
    LINE_PREFIX_AGENT,
    LINE_AGENT_ICON,
    LINE_MARK_AS_READ,
    LINE_LOADING_SECONDS,
    LINE_PROFILE,
    LINE_SET_WEBHOOK,
    LINE_SETTINGS
};

enum line_rate { LINE_RATE_DEFAULT, LINE_RATE_LOADING, LINE_RATE_WEBHOOK }; /* "Rate limits" */

/* "Message objects", "Actions" */
enum {
    LINE_CALL_BUBBLES = 5,
    LINE_TEXT_UNITS = 5000,
    LINE_ALT_UNITS = 400,
    LINE_PLACE_CHARS = 100, /* title and address of a location */
    LINE_SENDER_UNITS = 20,
    LINE_LABEL_CHARS = 20,
    LINE_ACTION_CHARS = 300, /* data and text of an action */
    LINE_QUICK_REPLIES = 13,
    LINE_CARDS = 12,
    LINE_CARD_CHOICES = 10,
    LINE_BODY_BYTES = 2 << 20,
    LINE_AUDIO_MS = 1000, /* what we say of a length we do not know: it must be there */
    LINE_RETRY_KEY_MS = 24 * 3600 * 1000,
};

/* Memory. Of the account: */
#define LINE_BOT_USER_ID "bot_user_id" /* the destination of its webhooks */
/* Of the conversation: */
#define LINE_REPLY_TOKEN "reply_token"
#define LINE_READ_TOKEN  "read_token"
#define LINE_QUOTE       "quote" /* "messageId quoteToken" of the newest message that can be quoted */

/* What a guest's id says of itself: "Hosts, credentials", "Notification messages". */
enum line_guest { LINE_USER, LINE_GROUP, LINE_ROOM, LINE_PHONE };
enum line_guest line_guest_of(slice guest);

slice line_base_url(const struct call *c);
slice line_data_url(const struct call *c);
/* An API call with what every one of them carries. */
void line_api(struct call *c, struct delivery *d, const char *method, const char *path, slice body);
/* "Errors": message and the property it is about, for a fault; at most LINE_ERROR_CHARS. {NULL,0}: the body says nothing. */
enum { LINE_ERROR_CHARS = 160 };
slice line_error(struct arena *a, slice body);

/* receive.c */
bool line_receive(struct call *c, const struct request *rq, struct inbox *in);
slice line_route_key(struct arena *a, const struct request *rq);

/* bubbles.c: parts of a delivery as message objects. */
struct line_bubble {
    slice json;  /* a whole object when native, else its members without the closing brace */
    bool native; /* goes out as it is */
};
struct line_bubbles {
    struct js_list list; /* struct line_bubble */
    slice quick_replies; /* JSON of the items; absent: none */
    slice sender;        /* name every bubble shows; absent: the account's own */
};
/* Has an object that is to be passed on the shape of a message object? False: *c->f says what is wrong, and where. shapes.c */
bool line_object_ok(struct call *c, const struct js *object);
/* False: refused, *ret_reason and *c->f say why. */
bool line_bubbles(struct call *c, const struct delivery *d, struct line_bubbles *ret,
                  enum reason *ret_reason);
/* The JSON array of bubbles [from, from + n). */
slice line_messages(struct call *c, const struct delivery *d, const struct line_bubbles *b, size_t from,
                    size_t n);

/* deliver.c */
enum outcome line_deliver(struct call *c, struct delivery *d);

/* phone.c: the delivery tag of a notification message. The event that answers it names nobody, so the tag holds the number, readable with
 * the channel secret only. */
slice line_tag(struct call *c, slice phone, slice uuid);
slice line_tag_phone(struct call *c, slice tag); /* {NULL,0}: no tag of ours */

/* setup.c */
enum outcome line_setup(struct call *c, struct delivery *d);
enum outcome line_who(struct call *c, struct delivery *d);
bool line_token_call(struct call *c, struct http_call *ret);
bool line_qr(struct call *c, const struct request *rq, struct inbox *in);
bool line_link(struct call *c, const struct request *rq, struct inbox *in);
/* film.c: a picture for films without one, and where LINE gets it; the film's own address where we are not reached over HTTPS. */
bool line_film(struct call *c, const struct request *rq, struct inbox *in);
slice line_film_url(const struct call *c, slice film);
#endif
