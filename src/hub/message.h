/* message.h - the one message that every network and every desk is translated to and from.
 *
 * Units      times are int64 ms since 1970 UTC; lengths are bytes unless a name says chars.
 * Ownership  slices and pointers live in the arena of the request or delivery they came with.
 * Absent     {NULL, 0}, NULL or 0; an empty text is {"", 0}.
 * JSON       message_write and message_read are the stored form (journal, trace, REST, test cases): member names are the
 *            names below; absent members are left out.
 */
#ifndef HUB_MESSAGE_H
#define HUB_MESSAGE_H
#include "base/base.h"
#include "wire/js.h"

enum kind {
#define X(e, name, family) e,
#include "hub/kinds.def"
#undef X
    KIND_MAX
};
extern const char *const kind_names[KIND_MAX];
bool kind_is_content(enum kind k);
enum kind kind_of_file(slice type); /* by its MIME type: KIND_IMAGE, KIND_VIDEO, KIND_AUDIO, else KIND_FILE */
bool kind_is_media(enum kind k); /* image, video, audio, file */

/* What happened, for KIND_EVENT. */
enum event {
    EVENT_NONE,
    EVENT_START,   /* the guest opened the channel: follow, subscribe, conversation started; text may say from where */
    EVENT_BLOCKED, /* the guest blocked the account or left it: nothing will reach them */
    EVENT_DELETED, /* the message named by `of` was taken back */
    EVENT_EDITED,  /* the message named by `of` now reads `text` */
    EVENT_JOINED,  /* someone joined the conversation: an agent, a group member, or the account a group */
    EVENT_LEFT,
    EVENT_CLOSED,  /* the desk ended the conversation (transfers are not ends) */
    EVENT_READ,    /* everything up to `of` (or all) was read */
    EVENT_OTHER,   /* network's own: `name` says which */
    EVENT_MAX
};
extern const char *const event_names[EVENT_MAX];

/* How far a message came, for KIND_STATUS; only moves forward, FAILED is final. */
enum status { STATUS_NONE, STATUS_SENT, STATUS_DELIVERED, STATUS_READ, STATUS_FAILED, STATUS_MAX };
extern const char *const status_names[STATUS_MAX];

/* Why a delivery failed, in words every desk can be told. */
enum reason {
    REASON_NONE,
    REASON_BLOCKED,       /* the guest blocked the account or opted out */
    REASON_UNKNOWN_GUEST,
    REASON_RATE,          /* a rate or quota of the network */
    REASON_WINDOW,        /* the network's reply window is closed */
    REASON_MEDIA_TYPE,
    REASON_MEDIA_SIZE,
    REASON_UNSUPPORTED,   /* a kind the other side cannot show, and no fallback */
    REASON_INVALID,       /* the content is malformed (canned JSON …) */
    REASON_EXPIRED,       /* tried for too long */
    REASON_CREDENTIALS,
    REASON_SERVER,        /* the other side's fault */
    REASON_GENERAL,
    REASON_MAX
};
extern const char *const reason_names[REASON_MAX];

enum origin { ORIGIN_NONE, ORIGIN_GUEST, ORIGIN_AGENT, ORIGIN_BOT, ORIGIN_HUB, ORIGIN_MAX };
extern const char *const origin_names[ORIGIN_MAX];

struct person {
    slice id, name, first_name, last_name, picture, locale, email;
};
struct media {
    slice url;         /* where the sender keeps it; after storing: our own link */
    slice id;          /* the network's id, where the connector makes the URL from it */
    slice type;        /* MIME; what the network said, then what was found */
    slice name;        /* file name */
    slice sha256;      /* lower-case hex, once stored */
    slice preview_url; /* a small picture */
    slice handle;      /* the storage's, once stored */
    slice storage;     /* … and its name */
    slice error;       /* why it could not be fetched: then there is no link */
    int64_t size;      /* bytes; 0: unknown */
    int64_t duration_ms, width, height;
    bool token;        /* fetch it with the account's token */
    bool token_maybe;  /* try without; with the token when refused */
    slice key;         /* it is kept encrypted there: the 32 bytes it is decrypted with (wire/aes_ctr.h), in hexadecimal */
    slice token_name;  /* which of the account's tokens, where it has several (AUTH_NAMED) */
    bool exact;        /* size and type are what the network says or it is not the file: a page that asks to sign in, a part of it */
    bool public_url;   /* anyone can fetch url: need not be stored */
};
struct location {
    double lat_deg, lon_deg;
    slice title, address;
    bool present;
};
struct sticker {
    slice package, id, title;
    bool animated;
};
/* One thing to tap. url: opens it; else it answers with payload (absent: with the label). */
struct choice {
    slice label, payload, url, image;
};
struct card {
    slice title, text, image, url; /* url: when the card itself is tapped */
    struct js_list choices;        /* struct choice */
};
struct time_slot {
    int64_t at_ms, duration_s;
};
struct picker {
    slice title, text, image;
    struct js_list slots;   /* struct time_slot: choose a time */
    struct js_list choices; /* struct choice: choose of a list */
    bool multiple;
};

struct message {
    int kind;        /* enum kind */
    slice id;        /* the sender's id, unique per account: the dedupe key */
    slice peer_id;   /* the sender's own id of it, as later news name it; absent: id */
    slice trace_id;  /* X-B3-TraceId of the request it came with */
    slice guest;     /* who: from a network the guest's id in the network's own form; from a desk our address of the guest */
    int64_t at_ms;   /* the sender's clock */
    int origin;      /* enum origin */
    struct person from; /* as far as the request itself says it */
    slice text;      /* UTF-8; the caption when there is media; the prompt of choices; the label of an answer */
    slice payload;   /* answer */
    slice of;        /* answer, status, event: the id of the message it is about, in the receiving account's own form */
    slice reply_to;  /* quoted message */
    struct js_list media; /* struct media; image, video, audio, file: one or more; sticker: its picture, if any */
    struct location location;
    struct sticker sticker;
    struct js_list choices; /* struct choice */
    struct js_list cards;   /* struct card */
    struct picker picker;
    slice native_for;  /* connector's name */
    slice native_json;
    int event;         /* enum event */
    slice name;        /* of the event in the network's words */
    int status;        /* enum status */
    int reason;        /* enum reason */
    slice reason_text;
    bool final;        /* status: no more news will come */
    int64_t typing_ms;
    slice group;       /* group or room the guest wrote in */
    slice desk_conversation; /* the desk's id of the conversation */
    struct js_list data; /* struct js_pair: what the network tells about the guest, for the desk's participant data */
    bool private;      /* store, do not route (standby and the like): the journal's IGNORED */
};

/* Their tables, for whoever stores a person apart from a message. */
enum { PERSON_FIELDS = 7 };
extern const struct js_field person_fields[PERSON_FIELDS];

void message_write(struct jw *w, const char *key, const struct message *m);
slice message_print(struct arena *a, const struct message *m) MUST_USE; /* {NULL,0}: longer than the journal takes */
/* Will it still be taken with what is put to it on its way there: where it came from and goes to, its trace and id? */
enum { MESSAGE_ADDED_MAX = 16 << 10 };
bool message_fits(struct arena *a, const struct message *m) MUST_USE;
bool message_read(struct arena *a, const struct js *v, struct message *ret, struct fault *f) MUST_USE;

static inline const struct media *message_media(const struct message *m)
{
    return m->media.n ? (const struct media *)m->media.items : NULL;
}
void message_data(struct arena *a, struct message *m, slice key, slice value); /* left out when value is empty */
#endif
