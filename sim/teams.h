/* teams.h - what the files of the Teams simulator share. teams.c holds the options and the manual of the control API. */
#ifndef SIM_TEAMS_H
#define SIM_TEAMS_H
#include "sim/sim.h"
#include "wire/js.h"

enum {
    STM_GUESTS_MAX = 1000,
    STM_MESSAGES_KEPT = 300, /* of one chat */
    STM_FILES_KEPT = 300,
    STM_FILE_BYTES_MAX = 64 << 20,
    STM_IMAGE_BYTES_MAX = 1 << 20,
    STM_ACTIVITY_UNITS = 100 << 10, /* UTF-16 units of an activity before 413 */
    STM_WEBHOOK_MS = 15 * 1000,
    STM_INVOKE_MS = 5 * 1000,
    STM_TYPING_MS = 3000,
    STM_KEYS = 2, /* the newest signs, the one before is still published */
};
#define STM_ROOM    "19:support@thread.tacv2"
#define STM_SERVICE "/emea"

struct stm;
struct stm_message {
    struct stm_message *next;
    char id[32];
    char thread[32]; /* of a room: the id of its first message */
    int64_t at_ms;
    int who;     /* number of the guest, from 1; 0: the bot */
    bool edited;
    char *json;  /* the activity */
    char *media; /* JSON: what fetching its picture gave, or what was uploaded; NULL: nothing */
};
struct stm_chat { /* a person's chat with the bot, or the room */
    struct stm *sim;
    int number; /* from 1; 0: the room */
    char user[48], aad[40], name[32], conversation[48];
    bool removed; /* the app is taken away: 403 */
    int64_t typing_until_ms, window_s, in_window;
    struct stm_message *first, **last;
    size_t n_messages;
    char *invoke; /* JSON: how the last invoke was answered */
};
struct stm {
    struct sim_env *env;
    slice bot_id, bot_secret, bot_name, tenant, authority;
    bool fetch_media, rsc;
    int64_t per_conversation, token_s, tries, retry_ms;
    struct stm_chat *chats;
    size_t n_chats; /* the last is the room */
    struct sign_key *keys[STM_KEYS];
    char kids[STM_KEYS][24];
    struct shelf *tokens, *files, *uploads;
    int64_t next_id;
    int64_t calls, activities, taken, refused, key_fetches, token_requests, leaks; /* leaks: our bot's token shown to OneDrive */
    char *last_activity;
    struct stm_chat *last_chat;
    struct stm_flight *flights; /* activities on their way */
};
struct stm_file {
    slice type, name, bytes; /* in one malloc with this struct */
};
struct stm_upload { /* an upload session */
    char id[24], name[128], sha256[72];
    int64_t size, got;
    char *bytes;
};

struct stm_chat *stm_chat_of(struct stm *s, slice number);
struct stm_chat *stm_chat_at(struct stm *s, slice conversation, slice *ret_thread); /* by a conversation's id */
struct stm_message *stm_message_add(struct stm_chat *chat, int who, slice id, slice thread, slice json, slice media);
struct stm_message *stm_message_find(const struct stm_chat *chat, slice id);
void stm_message_replace(struct stm_message *m, slice json);
void stm_message_drop(struct stm_chat *chat, struct stm_message *m);
void stm_message_write(struct jw *w, const struct stm *s, const struct stm_message *m);
slice stm_new_id(struct stm *s, struct arena *a);
slice stm_service_url(const struct stm *s, struct arena *a);
char *stm_copy(slice s);
void stm_changed(struct stm *s);

/* teams_auth.c */
void stm_auth_routes(struct stm *s);
void stm_key_new(struct stm *s);
bool stm_token_ok(struct stm *s, struct sim_call *c); /* false: answered */
/* "Bearer …" for an activity; forge: NULL, or what is wrong with it. */
slice stm_bearer(struct stm *s, struct arena *a, const char *forge);

/* teams_hook.c: activities on their way */
enum stm_kind { STM_MESSAGE, STM_INVOKE };
void stm_activity_send(struct stm_chat *chat, slice json, enum stm_kind kind, const char *forge);
void stm_flights_done(struct stm *s);

/* teams_api.c, teams_files.c */
void stm_api_routes(struct stm *s);
void stm_file_routes(struct stm *s);
void stm_refuse(struct sim_call *c, int status);
void stm_error(struct sim_call *c, int status, const char *code, const char *text);
slice stm_file_put(struct stm *s, struct arena *a, slice type, slice name, slice bytes); /* its id */
slice stm_upload_open(struct stm *s, struct arena *a, slice name, int64_t size);          /* its id */
slice stm_upload_shown(struct stm *s, struct arena *a, slice id); /* JSON of what came; {NULL,0}: no such upload */

/* teams_guest.c, teams_press.c */
void stm_guest_routes(struct stm *s);
struct stm_deed { /* one thing done */
    struct stm *s;
    struct stm_chat *chat, *who; /* who: the person; in a private chat the same */
    struct arena *a;
    const struct js *what;
    struct fault *f;
    const char *forge;
    slice id;
};
struct jw stm_open(struct stm_deed *d, const char *type, slice thread);
bool stm_post(struct stm_deed *d, struct jw *w, slice thread, bool shown);
bool stm_say(struct stm_deed *d, slice text, slice thread);
bool stm_press(struct stm_deed *d);
bool stm_consent(struct stm_deed *d);
bool stm_dialog(struct stm_deed *d);
#endif
