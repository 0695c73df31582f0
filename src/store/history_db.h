/* history_db.h - what was said, in tables of its own: conversations, their messages, and how each message fared.
 *
 * It is made from the journal (hub/history.h follows it) and holds the place up to which it was, in the same transaction: so a file need not be synced, what
 * a power cut takes away is read from the journal again. Everything here blocks and belongs to one thread at a time.
 *
 * Where   a file of SQLite, or PostgreSQL (postgresql://…), beside the store's tables there.
 * Search  part of a text, at least three characters, also within words and in languages without spaces. SQLite: FTS5 with trigrams; texts are indexed behind
 *         the messages (history_db_index), when there is time. PostgreSQL: pg_trgm; where that cannot be had the newest messages are looked through.
 * Errors  bool functions fill *f when they return false: "store_failed", "newer", and those of store/pg.h: "store_lost" (nothing of it happened: it can be
 *         done again), "store_unknown" (after a commit: read the place again), "in_use" (another hub writes this history now, for good).
 */
#ifndef STORE_HISTORY_DB_H
#define STORE_HISTORY_DB_H
#include "base/base.h"

struct history_db;
/* turn: of those who follow one another on the same database, the later one takes over from the others; 0: nobody takes over (pg.h). */
struct history_db *history_db_open(const char *where, int64_t turn, struct fault *f) MUST_USE;
void history_db_close(struct history_db *db);
bool history_db_begin(struct history_db *db, struct fault *f);
bool history_db_commit(struct history_db *db, struct fault *f);
void history_db_rollback(struct history_db *db);
/* Outside a transaction: are the next commits synced? Off at first; for what the journal does not hold: that something was erased. */
bool history_db_sync(struct history_db *db, bool on, struct fault *f);
/* Opaque bytes; absent: nothing was ever followed. */
bool history_db_place(struct history_db *db, struct arena *a, slice *ret, struct fault *f);
bool history_db_place_set(struct history_db *db, slice place, struct fault *f);

enum history_way { HISTORY_IN, HISTORY_OUT }; /* from the guest; to the guest */
struct history_message {
    int64_t id;           /* the journal's */
    slice conversation;   /* "acme/line:U1" */
    slice target;         /* the account it goes to */
    int64_t at_ms;        /* accepted */
    int way, state;       /* enum history_way, the journal's enum jstate */
    int64_t status;       /* how far the other side said that it came: enum status of hub/message.h */
    int64_t tries, ended_ms;
    slice kind, text, peer_id, vendor_id;
    slice body;           /* the message as accepted, JSON */
    slice media;          /* what became of its attachments, JSON; absent: none */
    slice note;           /* of its last operation, JSON: hops, reason, downgrades */
};
struct history_conversation {
    slice id, name, person; /* person: JSON */
    bool open;
    int64_t messages, last_id, last_ms;
    slice last_text, last_kind;
    int last_way;
};

/* ---- writing: within begin and commit ------------------------------------------------------------------------------ */

/* The conversation's row is made or moved on. A message that is there already is left alone. m->media is written by history_db_media. */
bool history_db_add(struct history_db *db, const struct history_message *m, struct fault *f);
/* vendor_id absent: as it was. note absent: likewise. tries is added. */
bool history_db_state(struct history_db *db, int64_t id, int state, int64_t at_ms, int tries, slice vendor_id, slice note, struct fault *f);
/* One line of the trace that is not the last state: retries, attempts, operators' doings. */
bool history_db_trace(struct history_db *db, int64_t id, int64_t at_ms, slice op, slice note, struct fault *f);
bool history_db_media(struct history_db *db, int64_t id, slice media, struct fault *f);
/* Never lowers it; of: the id either side knows the message by. Looks at the conversation's last messages. */
bool history_db_status(struct history_db *db, slice conversation, slice of, int64_t status, struct fault *f);
bool history_db_person(struct history_db *db, slice conversation, slice name, slice person, bool open, struct fault *f);
/* Are texts indexed behind the messages? Else what is added can be found at once, and history_db_index has nothing to do. */
bool history_db_indexes(const struct history_db *db);
/* Up to n messages into the index; *ret_more: there are more. */
bool history_db_index(struct history_db *db, size_t n, bool *ret_more, struct fault *f);
/* Up to n messages older than that, and conversations without any that are as old. */
bool history_db_expire(struct history_db *db, int64_t before_ms, size_t n, bool *ret_more, struct fault *f);
bool history_db_erase(struct history_db *db, slice conversation, struct fault *f);
/* What history_db_news told is taken, unless there is newer news meanwhile. */
bool history_db_news_taken(struct history_db *db, slice conversation, int64_t mark, struct fault *f);

/* ---- reading; slices are valid during each --------------------------------------------------------------------------- */

struct history_query { /* absent and 0: any */
    slice account;      /* conversations of this account; "acme/" (ending in "/"): of all accounts of the tenant */
    slice text;         /* part of the guest's name or id */
    int open;           /* 1: only open ones; -1: only those that are not */
    int64_t before_ms, before_id; /* those whose last message is older: the last one of the page before */
    size_t limit;
};
bool history_db_conversations(struct history_db *db, const struct history_query *q, void (*each)(void *arg, const struct history_conversation *c),
                              void *arg, struct fault *f);
bool history_db_conversation(struct history_db *db, slice id, void (*each)(void *arg, const struct history_conversation *c), void *arg, struct fault *f);
/* Of one conversation: the last `limit` before before_id (0: the newest), newest first; or the first behind after_id, oldest first. */
bool history_db_messages(struct history_db *db, slice conversation, int64_t before_id, int64_t after_id, size_t limit,
                         void (*each)(void *arg, const struct history_message *m), void *arg, struct fault *f);
bool history_db_message(struct history_db *db, int64_t id, void (*each)(void *arg, const struct history_message *m), void *arg, struct fault *f);
bool history_db_traces(struct history_db *db, int64_t id, void (*each)(void *arg, int64_t at_ms, slice op, slice note), void *arg, struct fault *f);
/* Of several conversations (a JSON list of their ids), newest first; text absent: all. */
bool history_db_messages_of(struct history_db *db, slice conversations, slice text, int64_t before_id, size_t limit,
                            void (*each)(void *arg, const struct history_message *m), void *arg, struct fault *f);
struct history_news { /* a conversation that is new, or whose person became known better, since its news were taken */
    slice id, name, person; /* person: JSON */
    slice first;            /* the guest's first message that is kept, JSON; empty: none */
    int64_t heard_ms, mark; /* mark: for history_db_news_taken */
};
bool history_db_news(struct history_db *db, size_t n, void (*each)(void *arg, const struct history_news *v), void *arg, struct fault *f);
/* Messages with this text, newest first. account as in struct history_query. */
bool history_db_search(struct history_db *db, slice text, slice account, int64_t before_id, size_t limit,
                       void (*each)(void *arg, const struct history_message *m), void *arg, struct fault *f);
struct history_failed { /* absent and 0: any */
    int state;      /* of the journal's: dead or unknown */
    slice target;   /* the account it goes to */
    slice account;  /* of the conversation, as in struct history_query */
    slice note;     /* the note of its last operation holds this */
    slice text;     /* its text, its note or its conversation's id holds this */
    int64_t before_id;
    size_t limit;
};
/* Dead letters and messages of which it is not known whether they came, newest first. */
bool history_db_failed(struct history_db *db, const struct history_failed *q, void (*each)(void *arg, const struct history_message *m), void *arg,
                       struct fault *f);
/* What waits (or is parked), by the account it goes to: how many, and since when the oldest. */
bool history_db_waiting(struct history_db *db, void (*each)(void *arg, slice target, int64_t n, int64_t oldest_ms), void *arg, struct fault *f);
#endif
