/* request.h - one call of a page, as the files of the consumer API see it.
 *
 * When an operation is called the key is good for the tenant, the client within its rate, and, where there is a session, the token is the session's
 * own. It answers once, now or later: chat_answer, chat_refuse.
 */
#ifndef API_CHAT_REQUEST_H
#define API_CHAT_REQUEST_H
#include "api/chat/chat.h"
#include "api/chat/session.h"
#include "api/chat/token.h"
#include "api/nexus/apikeys.h"
#include "hub/inbox.h"
#include "networks/webchat/wire.h"

#define CHAT_PERMISSION "nexus:consumer:chat"
enum { CHAT_BODY_MAX = 256 << 10, CHAT_UPLOAD_SLACK = 64 << 10, CHAT_ANSWER_MAX = 16 << 20 };

struct chat {
    struct api *api;
    struct hub *hub;
    struct chats *sessions;
    struct jwt_key *key;
    struct loop_timer sweep;
    size_t n_streams;
    bool stopped;
};

struct chat_call {
    struct chat *chat;
    struct hub *hub;
    struct exchange *x;
    struct arena *a;
    slice address;
    slice words[4];              /* of the path below /sessions/ */
    size_t n_words;
    const struct js *doc;        /* the body, form or JSON; NULL: none */
    slice operation;             /* its operationId; absent: none */
    const struct api_key *key;   /* valid during the first turn; NULL: the channel's own */
    slice key_text;
    struct actor *actor;         /* the channel; NULL before it is known (create) */
    struct chat_session *session; /* held until the call is answered */
    struct chat_token token;
    struct chat_transport *transport; /* valid during the first turn */
    struct inbox in;
    int64_t place;               /* of the last line that this call has made; 0: none */
    slice unsaid;                /* text of the guest that stands in no line yet */
    int64_t now_ms;
};

/* Answers 200: data is a JSON object; ended: the chat is over, also said at the top level. */
void chat_answer(struct chat_call *c, slice data, bool ended);
/* Codes of docs/wire/webchat.md "Errors"; NULL: the number 1. */
void chat_refuse(struct chat_call *c, int status, const char *code, const char *fmt, ...) PRINTF(4, 5);
void chat_not_stored(struct chat_call *c);
/* Lets the session go; answering does it. */
void chat_leave(struct chat_call *c);
/* With the CORS headers: for answers that are no JSON. n_headers of struct response are ours. */
void chat_send(struct chat_call *c, struct response *r);
/* The same for a body that comes in pieces. NULL: there is nothing to give any more; the call is gone. */
struct stream *chat_send_stream(struct chat_call *c, const struct stream_answer *sa) MUST_USE;
enum { CHAT_CORS_HEADERS = 5 };
void chat_cors(struct chat_call *c, struct header to[CHAT_CORS_HEADERS]);

static inline slice chat_setting(const struct chat_call *c, enum webchat_setting i)
{
    return c->actor->account.settings[i];
}
static inline int64_t chat_number(const struct chat_call *c, enum webchat_setting i)
{
    int64_t n = 0;
    return slice_int(c->actor->account.settings[i], &n) ? n : 0;
}
static inline bool chat_true(const struct chat_call *c, enum webchat_setting i)
{
    return slice_eq(c->actor->account.settings[i], SL("true"));
}
bool chat_is_async(const struct actor *actor);

/* The operations. */
void chat_create(struct chat_call *c);      /* create.c; with a session: resume */
void chat_userdata(struct chat_call *c);
void chat_leave_session(struct chat_call *c);
void chat_interaction(struct chat_call *c);
void chat_read(struct chat_call *c);        /* poll.c */
void chat_transcript(struct chat_call *c);
/* Behind the messages of an answer: has it ended, how far has the desk read, is the guest to be asked how it was. */
void chat_state_write(struct jw *w, const struct chat_session *s, const struct actor *actor, bool told_all);
void chat_say(struct chat_call *c);         /* send.c */
void chat_upload(struct chat_call *c);      /* files.c: pictures */
void chat_upload_file(struct chat_call *c); /* … and whatever else the channel takes */
void chat_download(struct chat_call *c);
void chat_stream(struct chat_call *c);      /* stream.c */
void chat_mark_read(struct chat_call *c);   /* opinion.c */
void chat_rate(struct chat_call *c);

/* send.c: what the inbox of c holds, and the lines it makes. line: makes one at this place when the message has its number, again while there is something unsaid; done: answers. */
void chat_accept(struct chat_call *c, slice (*line)(struct chat_call *c, int64_t place, slice *ret_files), void (*done)(struct chat_call *c, bool repeated));
/* Answers with the place of what was just said, for a page that wants to find its own message among those it reads. */
void chat_said(struct chat_call *c, bool repeated);
/* The same call again, because its answer was lost, has the same id: known by its operation and what it says. */
slice chat_message_id(struct chat_call *c, slice said) MUST_USE;
/* A message of the guest with what is known of them. */
struct message *chat_message(struct chat_call *c, enum kind kind);

/* stream.c: what is new goes to the pages that are told. */
void chat_tell(struct chat *chat, struct chat_session *s);

/* arrive.c: the other direction. */
void arrive_take(void *arg, const struct own_delivery *d, struct jbatch *b);
void arrive_taken(void *arg, const struct own_delivery *d);

/* sweep.c: sessions that nobody uses end. */
void sweep_start(struct chat *chat);
#endif
