/* store.h - what the hub keeps beside the journal: keys with values, and which attachments exist.
 *
 *   struct store *s = store_open("data/store.db", &f);      synchronous: for start-up and the command line
 *   store_scan(s, SL("memory/"), 0, load_one, loaded, arg); … callbacks come before the call returns
 *   store_start(s, loop);                                   from here on a thread does the work; callbacks come on the loop
 *   store_put(s, pairs, n, stored, arg);
 *
 * Order      requests take effect and are answered in the order they were made: a get sees every put before it.
 * Durable    done(arg, NULL) of a write means fsync. What is queued when the thread becomes free shares one commit, so that a burst costs one
 *            fsync. There is no faster, weaker write: the journal forgets what the store confirmed (journal_puts_flushed) and a link to an
 *            attachment is given away once its row is confirmed, so neither may be lost; and none of them is waited for by a webhook's sender.
 * Atomic     one store_put is all or nothing. When a write or the commit fails, every write that shared the commit is answered with the fault and
 *            none of them has happened; but "store_unknown" (PostgreSQL was lost in a commit and could not be asked for a while): they may have.
 * Shape      keys up to STORE_KEY_MAX bytes, compared byte by byte; values up to STORE_VALUE_MAX, any bytes. A value {NULL,0} removes the key.
 * Ownership  requests copy their slices; results are valid during the callback.
 * Errors     the callback gets a fault: "store_failed" (disk full, I/O, no server), "store_busy" (STORE_QUEUE_MAX requests wait: come back later),
 *            "too_long", "in_use" (another hub took it over). NULL: it worked.
 * Threads    loop thread. Nothing of the engine shows here: SQLite, or PostgreSQL, whose lost connections are made again (docs/backends.md).
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H
#include "base/base.h"

enum { STORE_KEY_MAX = 1024, STORE_VALUE_MAX = 4 << 20, STORE_QUEUE_MAX = 16384 };

struct loop;
struct store;

/* where: the file, made with mode 0600 when absent, or postgresql://… NULL: see *f ("newer", "in_use", "store_failed"). */
struct store *store_open(const char *where, struct fault *f) MUST_USE;
/* turn: of those who follow one another on the same database, the later one takes over from the others, who never write again; 0: for oneself ("in_use" while another
 * has it: store_open); STORE_BESIDE: only read, beside whoever writes. A file is always for oneself. */
enum { STORE_BESIDE = -1 };
struct store *store_open_turn(const char *where, int64_t turn, struct fault *f) MUST_USE;
void store_start(struct store *s, struct loop *loop);
void store_close(struct store *s); /* does what is queued first; of that, callbacks no longer come. Before loop_free */

typedef void (*store_done)(void *arg, const struct fault *f); /* may be NULL in the calls below */

struct store_pair {
    slice key, value; /* value {NULL,0}: remove */
};
void store_put(struct store *s, const struct store_pair *pairs, size_t n, store_done done, void *arg);
void store_delete_prefix(struct store *s, slice prefix, store_done done, void *arg);
/* value {NULL,0} with f NULL: there is no such key. */
void store_get(struct store *s, slice key, void (*got)(void *arg, slice value, const struct fault *f), void *arg);
/* each for the keys that begin with prefix, in byte order, at most limit (0: all); then done. */
void store_scan(struct store *s, slice prefix, size_t limit, void (*each)(void *arg, slice key, slice value), store_done done,
                void *arg);
/* The same from this key on, itself included: the next page of a long list. */
void store_scan_from(struct store *s, slice prefix, slice from, size_t limit, void (*each)(void *arg, slice key, slice value),
                     store_done done, void *arg);
/* The same before store_start only, each as it is read: nothing is gathered, however many there are. */
void store_walk(struct store *s, slice prefix, size_t limit, void (*each)(void *arg, slice key, slice value), store_done done,
                void *arg);

/* ---- attachments ------------------------------------------------------------------------------------------------------- */

/* STORED -> DELETING (purge began) -> the row is deleted. purge_at_ms 0: the conversation is open. A failed purge is put off:
 * purge_at_ms moves on and attempts counts. After a crash what is DELETING is due again, because its purge_at_ms has passed. */
enum attachment_state { ATTACHMENT_STORED, ATTACHMENT_DELETING };
struct attachment {
    slice id;           /* 128 random bits or more, never guessable */
    slice account;      /* "acme/line" */
    slice conversation; /* "acme/line:Uabc" */
    slice storage;      /* which storage has it: the tenant may point elsewhere later */
    slice handle;       /* the storage's own JSON */
    slice url;          /* as handed out */
    slice sha256, type, name;
    int64_t size, created_ms, purge_at_ms;
    int64_t attempts;
    int64_t state; /* enum attachment_state */
};
void store_attachment_put(struct store *s, const struct attachment *a, store_done done, void *arg); /* replaces the one with this id */
/* a NULL with f NULL: there is none. */
void store_attachment_get(struct store *s, slice id, void (*got)(void *arg, const struct attachment *a, const struct fault *f),
                          void *arg);
/* The conversation closed (at_ms: when to delete), or opened again (0), which takes back what has not begun. storage: only what this one has;
 * absent: all. */
void store_attachments_purge(struct store *s, slice conversation, slice storage, int64_t at_ms, store_done done, void *arg);
/* Marks up to limit attachments due at now_ms as DELETING, moves their purge_at_ms to retry_ms so that nobody else takes them meanwhile, and gives
 * them to each (as they are after that). */
void store_attachments_due(struct store *s, int64_t now_ms, int64_t retry_ms, size_t limit,
                           void (*each)(void *arg, const struct attachment *a), store_done done, void *arg);
void store_attachments_of(struct store *s, slice conversation, void (*each)(void *arg, const struct attachment *a), store_done done,
                          void *arg);
/* One of those in this storage; NULL: there is none. */
void store_attachment_in(struct store *s, slice storage, void (*got)(void *arg, const struct attachment *a, const struct fault *f), void *arg);
void store_attachment_delete(struct store *s, slice id, store_done done, void *arg);

/* Told of each request that was answered, in the thread that gets the answers. command: "put", "get" … */
void store_observe(struct store *s, void (*fn)(void *arg, const char *command, const struct fault *f, int64_t took_us), void *arg);

struct store_numbers {
    const char *engine; /* "sqlite", "postgresql" */
    bool reachable;     /* as of the last request */
    size_t queue;       /* requests waiting */
    uint64_t commits;
    int64_t commit_us;  /* of the last commit */
    int64_t failures;   /* groups and reads that failed */
    int64_t connects;   /* connections made since it was opened, the first one not counted */
    int64_t losses;     /* connections lost */
};
struct store_numbers store_numbers(const struct store *s);
#endif
