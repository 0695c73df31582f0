/* apple.h - what the files of the Apple Messages for Business simulator share. apple.c holds the options and the manual of the control API. */
#ifndef SIM_APPLE_H
#define SIM_APPLE_H
#include "sim/sim.h"
#include "wire/js.h"

enum {
    SAM_GUESTS_MAX = 1000,
    SAM_MESSAGES_KEPT = 300, /* of one chat */
    SAM_BLOBS_KEPT = 300,
    SAM_BLOB_BYTES_MAX = 20 << 20,
    SAM_IDS_KEPT = 10000,
    SAM_DOWNLOAD_MS = 30 * 1000,
    SAM_WEBHOOK_MS = 10 * 1000,
    SAM_RETRY_MOST_MS = 60 * 1000,
    SAM_LARGE = 10 << 10, /* interactive messages that are answered with a reference */
    SAM_JSON_BYTES = 24 << 20,
};

struct sam;
struct sam_message {
    struct sam_message *next;
    bool from_guest;
    int64_t at_ms;
    char *json;
    char *media; /* JSON of what its attachments are, decrypted; NULL: none */
};
struct sam_event { /* a webhook on its way */
    struct sam_event *next;
    unsigned attempt;
    char *id, *caps, *body;
};
struct sam_chat {
    struct sam *sim;
    char id[32], name[32];
    bool closed, sending;
    int64_t typing_ms; /* when the agent began to type; 0: not */
    struct sam_message *first, **last;
    size_t n_messages;
    struct sam_event *waiting, **waiting_last; /* the first is under way */
    struct loop_timer timer;
};
struct sam_blob {
    slice bytes, owner, signature; /* signature: 21 bytes; in one allocation with this struct */
};
struct sam {
    struct sim_env *env;
    slice msp_id, secret, business, caps;
    int64_t retry_ms;
    struct sam_chat *chats;
    size_t n_chats;
    struct shelf *blobs, *downloads, *seen, *files, *codes; /* codes: of the identity provider, good once */
    struct sam_chat *last_chat;
    char *last_id, *last_body;
    int64_t calls, repeats, refs, taken, refused;
};

char *sam_copy(slice s);
struct sam_chat *sam_chat_of(struct sam *s, slice guest);
void sam_message_add(struct sam_chat *chat, bool from_guest, slice json, slice media);
void sam_message_write(struct jw *w, const struct sam_message *m);
void sam_changed(struct sam *s);

/* apple_api.c */
void sam_api_routes(struct sam *s);
void sam_refuse(struct sim_call *c, int status);
/* Apple's cipher, apart from the hub's: AES-256-CTR, counter from zero. */
slice sam_cipher(struct arena *a, slice key, slice bytes);
slice sam_blob_put(struct sam *s, slice bytes, struct arena *a); /* its id */
slice sam_file_put(struct sam *s, struct arena *a, slice bytes);
const struct sam_blob *sam_blob_of(struct sam *s, slice url);
slice sam_blob_url(struct sam *s, struct arena *a, slice id);

bool sam_let_in(struct sam *s, struct sim_call *c); /* false: answered */

/* apple_device.c, apple_guest.c, apple_hook.c */
#define SAM_BID "com.apple.messages.MSMessageExtensionBalloonPlugin:0000000000:com.apple.icloud.apps.messages.business.extension"
struct sam_deed { /* one thing a guest does */
    struct sam *s;
    struct sam_chat *chat;
    struct arena *a;
    const struct js *what;
    struct fault *f;
    slice id, media;
};
const struct js *sam_newest(struct sam_deed *d, const char *path); /* interactiveData.data of the business's newest message that has this in it */
bool sam_do_sign_in(struct sam_deed *d);
bool sam_do_pay(struct sam_deed *d);
/* Writes interactiveDataRef: where the JSON lies, encoded, packed and encrypted. */
void sam_large_write(struct sam *s, struct arena *a, struct jw *w, slice title, slice json);
void sam_device_routes(struct sam *s);
void sam_guest_routes(struct sam *s);
void sam_event_send(struct sam_chat *chat, slice id, slice caps, slice body);
void sam_events_done(struct sam *s);
bool sam_webhook(struct sim_env *env, struct arena *a, slice body, struct webhook *ret, struct fault *f);
#endif
