/* session.h - the chats of web pages: who the guest is, what both sides said in which order, who looks at it.
 *
 * Guest      the session's id is the guest's id on the channel: "acme/webchat:11111111-…".
 * Lines      what a page sees of a chat, one after the other, each with a place in time that no other has: `place` is 16 times its milliseconds plus a count
 *            from 0 to 9 of those that share them, and its index on the wire "<milliseconds>-<count>". Places only grow, whoever writes and whatever the
 *            clock does; a line's place never changes.
 * Durable    a session is state "w:" + id; a line is state "v:" + id + ":" + a key that sorts newest first, put into the batch of the message it shows. What a
 *            page has been shown is stored: after kill -9 the same lines stand at the same places. Signs of typing are lines in memory only.
 * Memory     the newest CHAT_TAIL lines of a session that is looked at; of one that nobody looks at, none. Older ones are read from the store.
 * Shown      a line is put in when its batch is made, and shown when that is stored; those behind one that is not shown yet wait for it.
 * Threads    loop thread.
 */
#ifndef API_CHAT_SESSION_H
#define API_CHAT_SESSION_H
#include "hub/hub.h"
#include "wire/uuid.h"

enum {
    CHAT_TAIL = 200,             /* lines in memory */
    CHAT_READ_MAX = 10000,       /* lines of one answer */
    CHAT_TRANSPORTS = 8,         /* pages of one session that are told apart */
    CHAT_REPEATS = 3,            /* so often is told again what a page may not have got */
    CHAT_AGENTS = 8,             /* in one session at a time */
    CHAT_STREAMS = 8, CHAT_STREAMS_ALL = 6000, /* pages that are told: of one session, of all */
    CHAT_RATING_MAX = 5, CHAT_ID_BYTES = 200,
    CHAT_PROFILE_BYTES = 16384, CHAT_OFFERS_BYTES = 24576,
    CHAT_TYPING_MS = 5000,       /* how long a sign of typing is shown */
    CHAT_COLD_MS = 600000,       /* nobody looked for so long: its lines leave the memory */
    CHAT_ENDED_KEEP_MS = 600000, /* so long a page that comes late learns that the chat has ended */
    CHAT_SWEEP_MS = 5000,
    CHAT_DAY_MS = 86400000,
};

enum chat_end { CHAT_OPEN, CHAT_LEFT, CHAT_CLOSED, CHAT_IDLE, CHAT_ABANDONED, CHAT_ENDS };
extern const char *const chat_end_names[CHAT_ENDS];

struct bytes { /* owned text, replaced as a whole */
    char *p;
    size_t n;
};
static inline slice bytes_slice(const struct bytes *b)
{
    return slice_mem(b->p, b->n);
}
void bytes_set(struct bytes *b, slice s);

struct chat_line {
    int64_t place;
    uint64_t number;  /* the journal's of its message; 0: none */
    bool shown;
    bool passing;     /* typing: not stored */
    size_t n;
    char json[];      /* the message as pages get it */
};
struct chat_transport {
    struct chat_transport *next; /* by use, newest first */
    char id[UUID_TEXT];
    int64_t had;                 /* place: up to where it was told */
    int64_t before[CHAT_REPEATS]; /* the same before each of its last answers that it may not have got, oldest first */
    uint64_t connection;         /* of its last request */
};
struct chat_stream; /* a page that is told as things happen: stream.c */
struct chat_load;
struct chat_reading;
struct chat_session {
    struct chat_session *hash_next;
    char id[UUID_TEXT], participant[UUID_TEXT];
    struct bytes account; /* "acme/webchat" */
    struct bytes profile; /* JSON: nickname, firstName …, userData {} */
    struct bytes agents;  /* JSON: names of those who are in it */
    struct bytes offers;  /* JSON: what can be tapped, newest first: offers.h */
    int64_t created_ms, active_ms /* a message */, seen_ms /* a request; not stored */, ended_ms;
    enum chat_end end;
    int64_t uploaded, uploads_ms; /* bytes of the guest's files since then, at most CHAT_DAY_MS ago; also of those under way */
    int rating;           /* 1 to CHAT_RATING_MAX; 0: the guest was not asked, or did not say */
    int64_t own, said;    /* places: of the newest line of the guest, and of an agent */
    int64_t read, read_told, seen; /* up to where the guest has read; up to where the desk knows; up to where the desk has read */
    struct bytes said_id; /* the desk's id of the newest message of an agent */
    unsigned holds;       /* requests under way */
    struct chat_line **lines;
    size_t n_lines, cap_lines;
    bool loaded;          /* lines are the newest ones without a gap … */
    bool whole;           /* … and all there are */
    int64_t last;         /* newest place */
    struct chat_load *loads;
    struct chat_reading *readings;
    struct chat_transport *transports;
    struct chat_stream *streams;
    struct bytes preview; /* what the guest is typing; in memory only */
    int64_t preview_ms, typing_told_ms;
};

/* stream.c: the session goes, its pages are let go. */
void streams_end(struct chat_session *s);

struct chats;
struct chats *chats_new(struct hub *h) MUST_USE; /* reads the sessions of the state: before store_start */
void chats_free(struct chats *cs);
struct hub *chats_hub(const struct chats *cs);
struct chat_session *chats_find(const struct chats *cs, slice id); /* NULL: there is none */
size_t chats_count(const struct chats *cs, slice account);         /* open ones of this account */
struct chat_session *chats_add(struct chats *cs, slice account, int64_t now_ms); /* with a new id and participant; not stored yet */
void chats_remove(struct chats *cs, struct chat_session *s, struct jbatch *b);   /* b NULL: it was never stored */
/* Each in no order; each may remove the session it is given. */
void chats_each(struct chats *cs, void (*each)(void *arg, struct chat_session *s), void *arg);
void session_save(struct chats *cs, const struct chat_session *s, struct jbatch *b);
/* The account at work; NULL: it is not configured. */
struct actor *session_actor(const struct chats *cs, const struct chat_session *s);
/* The transport of this id, made when it is new; it becomes the newest. */
struct chat_transport *session_transport(struct chat_session *s, slice id);

/* ---- lines ------------------------------------------------------------------------------------------------------------------ */

slice place_index(struct arena *a, int64_t place) MUST_USE; /* "1718000000123-0" */
bool place_read(slice index, int64_t *ret) MUST_USE;
static inline int64_t place_ms(int64_t place)
{
    return place / 16;
}
/* The place behind all others; taken by the line_add that follows. */
int64_t line_place(const struct chat_session *s, int64_t now_ms);
/* json: the message at this place. files: JSON of its attachments (files.h), absent: none; kept apart, never shown. b NULL: passing, shown at once. */
struct chat_line *line_add(struct chats *cs, struct chat_session *s, int64_t place, uint64_t number, slice json, slice files, struct jbatch *b);
void lines_show(struct chat_session *s, uint64_t number); /* the batch with the lines of this number is stored */
/* It was not: they are taken out, here and, with b, where they may have got all the same. b NULL: in a batch of its own. */
void lines_withdraw(struct chats *cs, struct chat_session *s, uint64_t number, struct jbatch *b);
bool lines_all_shown(const struct chat_session *s);
void lines_cool(struct chat_session *s); /* out of memory, when nothing waits to be stored */
void lines_trim(struct chat_session *s, int64_t now_ms); /* what is too much, and old signs of typing */

/* The lines in memory; done(arg) now, or later when they were read. */
void lines_load(struct chats *cs, struct chat_session *s, void (*done)(void *arg), void *arg);
void lines_forget_loads(struct chat_session *s); /* at the end: what is being read is given up, and nobody is told */
/* Up to n lines that end at place `to` (inclusive; 0: the newest) and are not before `from`, oldest first: each(arg, json); then done. Now or later. */
void lines_read(struct chats *cs, struct chat_session *s, int64_t from, int64_t to, size_t n, void (*each)(void *arg, int64_t place, slice json),
                void (*done)(void *arg, bool ok), void *arg);
/* What was kept apart with the line at this place: done(arg, json); {NULL,0}: there is no such line. a lives until then. */
void line_files(struct chats *cs, const struct chat_session *s, int64_t place, struct arena *a, void (*done)(void *arg, slice json), void *arg);
#endif
