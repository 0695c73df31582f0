/* slack.h - what the files of the Slack simulator share. slack.c holds the options and the manual of the control API. */
#ifndef SIM_SLACK_H
#define SIM_SLACK_H
#include "sim/sim.h"
#include "wire/js.h"

enum {
    SSK_GUESTS_MAX = 200, /* of one workspace */
    SSK_WORKSPACES = 2,
    SSK_MESSAGES_KEPT = 1000,
    SSK_FILES_KEPT = 300,
    SSK_HOOK_MS = 3000,
    SSK_TRIGGER_MS = 3000,
    SSK_RESPONSE_MS = 30 * 60 * 1000,
    SSK_RESPONSE_USES = 5,
    SSK_CODE_MS = 10 * 60 * 1000,
    SSK_TRIES = 4, /* of one event */
    SSK_JSON_MAX = 1 << 20,
};
#define SSK_ENTERPRISE      "E0GRID001"
#define SSK_ENTERPRISE_NAME "ACME Group"

struct ssk;
struct ssk_message {
    struct ssk_message *next;
    char ts[32], thread[32];
    bool from_bot;
    char *json; /* the message as Slack shows it */
};
struct ssk_chat { /* a direct conversation, or the workspace's channel */
    struct ssk_space *space;
    char id[32];
    struct ssk_guest *guest; /* NULL: the channel */
    struct ssk_message *first, **last;
    size_t n_messages;
    int64_t window_s, in_window;
    int64_t typing_until_ms;
};
struct ssk_guest {
    struct ssk_space *space;
    size_t number;
    char id[32], name[64], username[32];
    struct ssk_chat chat;
    char *view; /* the dialog that is open; NULL: none */
};
struct ssk_space { /* a workspace */
    struct ssk *sim;
    char id[32], name[64], domain[32], bot_user[32], bot[32];
    bool in_organisation;
    char *token, *refresh; /* NULL: not installed */
    int64_t until_ms;      /* 0: for good */
    char *scopes;
    bool whole;            /* by the installation of its organisation */
    struct ssk_guest *guests;
    struct ssk_chat channel;
};
struct ssk {
    struct sim_env *env;
    slice app, client_id, client_secret, signing_secret;
    struct ssk_space spaces[SSK_WORKSPACES];
    size_t n_guests; /* of each workspace */
    int64_t token_life_s, retry_ms, per_channel, last_us, next_id;
    bool rotation;
    struct shelf *files, *triggers, *responses, *codes;
    struct ssk_request *requests; /* under way or waiting to be sent again */
    char *last_body, *last_type;  /* newest event, for `again` */
    int64_t calls, events, taken, refused, retried, rotations, misused;
    char *spent[4];               /* refresh tokens that were used */
    size_t n_spent;
};
struct ssk_file {
    char id[32], name[256], type[128], ticket[40], space[32];
    bool uploaded, shared, external;
    int64_t size, said; /* said: what getUploadURLExternal was told */
    char *bytes;
};
struct ssk_trigger { /* good for one dialog, and not for long */
    struct ssk_guest *guest;
    int64_t until_ms;
};
struct ssk_response { /* a response_url */
    struct ssk_chat *chat;
    char ts[32];
    unsigned uses;
};

/* slack.c */
char *ssk_copy(slice s);
void ssk_set(char **to, slice s); /* replaces; absent: NULL */
slice ssk_id(struct ssk *s, struct arena *a, const char *prefix);
slice ssk_ts(struct ssk *s, struct arena *a); /* later than every one before */
struct ssk_guest *ssk_guest_of(struct ssk *s, slice number_or_id);
struct ssk_chat *ssk_chat_of(struct ssk *s, slice id);
struct ssk_message *ssk_message_find(const struct ssk_chat *chat, slice ts);
/* Keeps and shows it. json must hold ts. */
struct ssk_message *ssk_message_add(struct ssk_chat *chat, slice ts, slice thread, bool from_bot, slice json);
void ssk_message_replace(struct ssk_message *m, slice json);
void ssk_message_remove(struct ssk_chat *chat, slice ts);
void ssk_message_write(struct jw *w, const struct ssk_message *m);
void ssk_changed(struct ssk *s);
void ssk_file_drop(void *thing);

/* slack_hook.c: what goes to the hub, signed */
void ssk_event_send(struct ssk_space *space, struct ssk_chat *chat, slice event_json);
void ssk_payload_send(struct ssk *s, slice lane, slice payload_json, void (*answered)(void *arg, int status, slice body), void *arg);
void ssk_form_send(struct ssk *s, slice lane, slice form);
void ssk_raw_send(struct ssk *s, slice lane, slice type, slice body, bool retry); /* an event */
void ssk_event_again(struct ssk *s);
void ssk_requests_done(struct ssk *s);

/* slack_api.c, slack_files.c, slack_oauth.c */
void ssk_api_routes(struct ssk *s);
void ssk_file_routes(struct ssk *s);
void ssk_oauth_routes(struct ssk *s);
void ssk_refuse(struct sim_call *c, int status);
struct ssk_call { /* one call of the Web API */
    struct ssk *s;
    struct sim_call *c;
    struct arena *a;
    struct ssk_space *space;
    const struct js *doc; /* parameters in a JSON body */
    slice form;
    slice method;
};
void ssk_error(struct ssk_call *q, const char *error);
void ssk_ok(struct ssk_call *q, slice members); /* members behind "ok":true, without braces; may be empty */
slice ssk_param(const struct ssk_call *q, const char *name);
const struct js *ssk_param_json(const struct ssk_call *q, const char *name);
slice ssk_install(struct ssk *s, struct ssk_space *space, bool whole, slice scopes, struct arena *a); /* the members of oauth.v2.access */
void ssk_put_file(struct jw *w, const struct ssk *s, const struct ssk_file *f, slice user);
/* The message a bot writes: stored, told as an event as Slack does. */
slice ssk_bot_message(struct ssk_call *q, struct ssk_chat *chat, slice thread, slice members);
/* NULL: Slack would take them. */
const char *ssk_bad_blocks(const struct js *blocks);
const char *ssk_bad_view(const struct js *view);
void ssk_get_upload_url(struct ssk_call *q);
void ssk_complete_upload(struct ssk_call *q);
void ssk_files_info(struct ssk_call *q);

/* slack_guest.c, slack_admin.c */
void ssk_guest_routes(struct ssk *s);
void ssk_admin_routes(struct ssk *s);

struct ssk_deed { /* one thing a member does */
    struct ssk *s;
    struct ssk_guest *who;
    struct ssk_chat *chat;
    struct arena *a;
    const struct js *what;
    struct fault *f;
    slice ts; /* of what it made */
};
/* slack_say.c. Each is false with *f filled. */
bool ssk_do_text(struct ssk_deed *t), ssk_do_file(struct ssk_deed *t), ssk_do_edit(struct ssk_deed *t), ssk_do_delete(struct ssk_deed *t);
bool ssk_do_react(struct ssk_deed *t), ssk_do_home(struct ssk_deed *t), ssk_do_assistant(struct ssk_deed *t), ssk_do_join(struct ssk_deed *t);
bool ssk_do_event(struct ssk_deed *t);
/* The message "ts" names, else the newest; own: a member's. NULL: there is none. */
struct ssk_message *ssk_newest(const struct ssk_deed *t, bool own);
/* slack_press.c */
bool ssk_do_tap(struct ssk_deed *t), ssk_do_command(struct ssk_deed *t), ssk_do_shortcut(struct ssk_deed *t);
bool ssk_do_submit(struct ssk_deed *t), ssk_do_close(struct ssk_deed *t);
#endif
