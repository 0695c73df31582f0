/* line.h - what the files of the LINE simulator share. line.c holds the options and the manual of the control API. */
#ifndef SIM_LINE_H
#define SIM_LINE_H
#include "sim/feed.h"
#include "sim/line_check.h"
#include "sim/shelf.h"
#include "sim/sim.h"
#include "wire/js.h"

enum {
    LINE_REPLY_TOKEN_MS = 60 * 1000,
    LINE_REPLY_TOKEN_LAST_MS = 20 * 60 * 1000,  /* however often the event is sent again */
    LINE_RETRY_KEY_MS = 24 * 3600 * 1000,
    LINE_WEBHOOK_MS = 2000,
    LINE_BODY_MAX = 2 << 20,
    LINE_BUBBLES_KEPT = 500, /* of one chat */
    LINE_CONTENTS_KEPT = 500,
    LINE_GUESTS_MAX = 20000,
    LINE_ID_CHARS = 33,
};

struct line;
struct bubble { /* a message or an event as the phone shows it */
    struct bubble *next;
    char id[24];
    bool from_guest, read, gone; /* gone: unsent */
    int64_t at_ms;
    const char *how;             /* "reply", "push", "multicast", "pnp"; what the guest did otherwise */
    char request_id[40];
    slice user;                  /* who wrote it in a group; empty elsewhere */
    slice json;                  /* the message object */
    char *media; /* JSON: where a guest's bytes are, or what fetching the account's pictures gave; NULL: neither */
};

enum chat_kind { CHAT_USER, CHAT_GROUP, CHAT_ROOM };
struct chat { /* a person, a group or a room */
    struct line *line;
    enum chat_kind kind;
    size_t number;       /* 1 … as listed */
    char id[LINE_ID_CHARS + 1];
    char name[64], status[96], language[8], phone[20];
    bool friend;         /* has added the account and not blocked it */
    bool left;           /* a group the account left */
    int64_t loading_until_ms;
    char destination[64]; /* of the switcher; empty: the account's own webhook */
    struct bubble *first, **last;
    size_t n_bubbles;
    int64_t received, sent; /* ever */
};

struct line_token;
struct line_stat { /* calls of one route */
    const char *method, *pattern;
    struct {
        int status;
        int64_t n;
    } by[12];
    int64_t window_s, in_window;
};

struct line {
    struct sim_env *env;
    slice channel_id, channel_secret, bot_id, bot_name, destination, service_code, switcher_secret;
    char *webhook_url; /* malloc; NULL: none set */
    bool allow_http, redelivery, fetch_media, chat_mode;
    int64_t rate_limit, quota, used, redelivery_ms;

    struct chat **chats;
    size_t n_chats, cap_chats;
    struct shelf *by_id;
    struct shelf *tokens, *reply_tokens, *retry_keys, *contents, *read_tokens, *keys;
    uint64_t next_id;
    struct line_stat stats[96];
    size_t n_stats;
    int64_t pnp_sent, events_made, bubbles_taken;
    int64_t reply_tokens_used, retry_keys_repeated;
    char *pnp_refused; /* comma-separated phone numbers */
    struct sent *redelivering; /* waiting for their next try */
    struct pnp *notifying;     /* on their way to a phone */
    struct burst *burst;
};

/* ---- line_state.c ---------------------------------------------------------------------------------------------------------------- */
void line_people(struct line *l, size_t n); /* makes chats until there are n people */
struct chat *line_person(const struct line *l, size_t i); /* from 0 */
/* The person with this id, made if there is none; NULL: it is no user's id, or there are too many. */
struct chat *line_stranger(struct line *l, slice id);
/* By id, by number ("1"), or NULL. */
struct chat *line_chat(const struct line *l, slice id);
bool line_chat_has(const struct line *l, const struct chat *group, const struct chat *user);
void line_next_id(struct line *l, char *ret, size_t n); /* a message id: decimal, more than 53 bits */
struct bubble *line_bubble_add(struct chat *c, bool from_guest, const char *how, slice id, slice user, slice json);
void line_bubble_told(struct chat *c, const struct bubble *b); /* tells the pages */
void line_bubble_media(struct bubble *b, slice json);
void line_bubble_write(struct jw *w, const struct bubble *b);
void line_chat_write(struct jw *w, const struct chat *c);
struct bubble *line_bubble_find(const struct chat *c, slice id);
void line_chats_clear(struct line *l); /* every bubble */
void line_chats_free(struct line *l);

/* ---- line_token.c ---------------------------------------------------------------------------------------------------------------- */
bool line_token_ok(struct line *l, slice bearer) MUST_USE;
void line_token_routes(struct line *l);

/* ---- line_api.c: what every answer of the Messaging API has --------------------------------------------------------------------- */
struct line_call {
    struct line *line;
    struct sim_call *c;
    struct arena *a;
    slice request_id;
    const struct js *doc;
};
enum { LINE_JSON = 1, LINE_NO_AUTH = 2 };
/* Counts, checks rate, token, and with LINE_JSON the body; false: answered already. */
bool line_enter(struct line_call *q, struct sim_call *c, struct line *l, unsigned what) MUST_USE;
void line_answer(struct line_call *q, int status, slice json);
void line_message(struct line_call *q, int status, const char *message);
void line_errors_answer(struct line_call *q, const struct line_errors *e);
void line_refuse(struct sim_call *c, int status); /* of struct sim */
void line_api_routes(struct line *l);
/* {"calls":{"POST /v2/…":{"200":n}}} as one member of the open object. */
void line_stats_write(struct jw *w, const struct line *l);

/* ---- line_send.c, line_switch.c, line_content.c --------------------------------------------------------------------------------- */
void line_send_routes(struct line *l);
void line_send_done(struct line *l);
void line_switch_routes(struct line *l);
struct content {
    slice type, bytes; /* in one malloc with this struct */
    int64_t ready_ms;  /* wall clock from which it can be fetched */
    bool failed;
};
void line_content_put(struct line *l, slice message_id, slice type, slice bytes, int64_t ready_ms, bool failed);
void line_content_routes(struct line *l);
void line_media_fetch(struct chat *c, const struct bubble *b);

/* ---- line_event.c ---------------------------------------------------------------------------------------------------------------- */
struct line_batch { /* one webhook in the making */
    struct line *line;
    struct arena *a;
    struct jw w;
    slice lane;
    slice url;           /* absent: the account's */
    slice destination;   /* absent: the account's */
    bool bad_signature, standby;
    size_t n, n_tokens;
    slice tokens[64];
    slice last_event_id, last_reply_token;
};
struct line_batch *line_batch_new(struct line *l) MUST_USE;
/* Opens an event of this type: `where` the chat, `who` acts (NULL: nobody named); what follows is written to b->w. */
void line_event_open(struct line_batch *b, const char *type, const struct chat *where, const struct chat *who, bool reply_token);
void line_event_close(struct line_batch *b);
/* Signs and sends, then *b is gone. done (may be NULL) is told how the hub answered the first try. */
void line_batch_send(struct line_batch *b, void (*done)(void *arg, int status, int64_t took_ms), void *arg);
void line_events_done(struct line *l);
/* Of struct sim. People and reply tokens of the events become known. */
bool line_webhook(struct sim_env *env, struct arena *a, slice body, struct webhook *ret, struct fault *f);
/* Once, and within its minute. */
bool line_reply_token_use(struct line *l, slice name, struct chat **ret) MUST_USE;

/* ---- line_guest.c, line_control.c, line_burst.c -------------------------------------------------------------------------------------------------- */
void line_control_routes(struct line *l);
/* The action behind a label that is shown: a quick reply under the newest bubble, or a button of a recent one. */
const struct js *line_tapped(struct chat *c, struct arena *a, slice label) MUST_USE;
bool line_guest_does(struct line_batch *b, struct chat *c, const struct js *what, struct fault *f) MUST_USE;
void line_burst_routes(struct line *l);
void line_burst_done(struct line *l);
void line_counters_write(struct jw *w, const struct line *l);
#endif
