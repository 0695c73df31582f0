/* telegram.h - what the files of the Telegram simulator share. telegram.c holds the options and the manual of the control API. */
#ifndef SIM_TELEGRAM_H
#define SIM_TELEGRAM_H
#include "sim/sim.h"
#include "wire/js.h"
#include "wire/multipart.h"

enum {
    STG_GUESTS_MAX = 1000,
    STG_MESSAGES_KEPT = 300, /* of one chat */
    STG_FILES_KEPT = 300,
    STG_FILE_BYTES_MAX = 20 << 20,
    STG_PHOTO_BYTES_MAX = 5 << 20, /* by link */
    STG_PHOTO_UPLOAD_MAX = 10 << 20,
    STG_UPLOAD_MAX = 50 << 20,
    STG_CALLBACK_MS = 150 * 1000,
    STG_WEBHOOK_MS = 60 * 1000,
    STG_RETRY_MOST_MS = 60 * 1000,
    STG_GONE_MS = 23 * 3600 * 1000, /* a webhook that answers 410 so long is removed */
    STG_UPDATES_KEPT = 500,         /* waiting in one chat's queue */
};
#define STG_GROUP      "-4242424242"
#define STG_SUPERGROUP "-1001234567890" /* what it is called once it moved */

struct stg;
struct stg_message {
    struct stg_message *next;
    int64_t id, at_ms;
    bool from_guest;
    char *json;  /* the Message */
    slice media; /* JSON: what fetching its link gave; {NULL,0}: no link. In json's allocation */
};
struct stg_update {
    struct stg_update *next;
    int64_t id;
    unsigned attempt;
    size_t n;
    char body[];
};
struct stg_chat { /* a person's private chat, or the group */
    struct stg *sim;
    int64_t id, moved_from; /* moved_from: what the group was called before it became a supergroup; 0: it did not */
    char name[32], username[32];
    bool blocked, group;
    int64_t typing_until_ms;
    struct stg_message *first, **last;
    size_t n_messages, n_waiting;
    struct stg_update *waiting, **waiting_last; /* the first is under way */
    bool sending;
    struct loop_timer timer;
    int64_t window_s, in_window; /* messages of this second */
};
struct stg {
    struct sim_env *env;
    slice token, username;
    bool allow_http, fetch_media, fetch_fails;
    int64_t retry_ms, per_chat, next_id, next_update, gone_since_ms;
    char *url, *secret, *allowed; /* malloc; NULL: none */
    char *last_error;
    struct stg_chat *chats;
    size_t n_chats; /* the last is the group */
    struct shelf *files, *queries;
    char *last_update; /* body of the newest one */
    struct stg_chat *last_chat;
    int64_t calls, updates, taken, refused;
};
struct stg_file {
    slice type, name, bytes; /* in one malloc with this struct */
    int64_t size;      /* what is said of it, which may be more */
};

struct stg_chat *stg_chat_of(struct stg *s, slice id);
struct stg_message *stg_message_add(struct stg_chat *chat, bool from_guest, int64_t id, slice json, slice media);
struct stg_message *stg_message_find(const struct stg_chat *chat, int64_t id);
void stg_message_replace(struct stg_message *m, slice json);
void stg_message_write(struct jw *w, const struct stg_message *m);
char *stg_copy(slice s);
struct stg_file *stg_file_put(struct stg *s, slice id, slice bytes, slice type, slice name);
/* Opens the member key and says of the file what a message of this kind says; the caller may add to it and closes it. */
void stg_file_write(struct jw *w, const char *key, slice kind, slice id, const struct stg_file *file);
slice stg_without(struct arena *a, const struct js *doc, const char *key); /* an object without one of its members */
void stg_chat_write(struct jw *w, const struct stg_chat *chat); /* the member "chat" */

/* telegram_hook.c: updates on their way */
void stg_update_send(struct stg_chat *chat, const char *type, slice json); /* json: what stands under the type */
void stg_update_again(struct stg_chat *chat, slice body);
/* Of struct sim. */
bool stg_webhook(struct sim_env *env, struct arena *a, slice body, struct webhook *ret, struct fault *f);
void stg_updates_done(struct stg *s);

/* telegram_api.c */
struct stg_call {
    struct stg *s;
    struct sim_call *c; /* NULL: asked for in a webhook's answer */
    struct arena *a;
    const struct js *doc;          /* parameters in a JSON body */
    const struct multipart *parts; /* else: in a multipart one */
    slice form;                    /* else: query or form */
};
void stg_api_routes(struct stg *s);
void stg_refuse(struct sim_call *c, int status);
/* What a webhook's answer asks for: {"method":…}. */
void stg_api_reply(struct stg *s, slice body);
void stg_answer_error(struct sim_call *c, int status, const char *text, int64_t retry_s);
void stg_answer_moved(struct stg_call *q, int64_t to);
void stg_call_refuse(struct stg_call *q, int status, const char *text);
void stg_call_result(struct stg_call *q, slice json);
slice stg_call_text(const struct stg_call *q, const char *name);                    /* a parameter; numbers and objects as JSON */
const struct js *stg_call_value(const struct stg_call *q, const char *name);        /* an object or array; in forms it is a JSON text */
/* The file of a parameter that was given as a part; NULL: it was not. */
const struct multipart_part *stg_call_part(const struct stg_call *q, const char *name, slice value);

/* telegram_send.c */
struct stg_chat *stg_call_chat(struct stg_call *q); /* takes messages now; NULL: answered */
bool stg_send(struct stg_call *q, slice method);    /* false: no such method */
void stg_send_group(struct stg_call *q);
void stg_send_action(struct stg_call *q);

/* telegram_guest.c */
void stg_guest_routes(struct stg *s);
#endif
