/* rig_test.h - a whole hub for tests: real loop, journal, store, server and client; the vendor of both sides is played in this process.
 *
 *   struct rig *r = rig_new();
 *   rig_hook(r, "/tnet", "{\"events\":[{\"id\":\"1\",\"guest\":\"U1\",\"text\":\"hi\"}]}");    returns the status of the answer
 *   UNTIL(r, r->n_seen == 1);
 *   rig_free(r);
 *
 * Connectors of the rig's own, networks "tnet" and "tother" (accounts "t/tnet", "t/tother") and desks "tdesk" ("t/tdesk") and "tdesk2", speak the same
 * small protocol.
 * In: {"events":[{id, guest, text?, kind?: "typing"|"status"|"closed", of?, status?, remember?, only?: "open"|"known", file?, file_name?, copies?, token?: "yes"|"maybe"}], "ignore":[id],
 * "resume":{key,data}, "note": value for the account's memory}. Out: one POST to /vendor/NAME for each part, its body the text. A text that begins with "!"
 * is not repeatable, with "?" it is parked after its first call until it is resumed with its text as key. file: a picture, fetched from the vendor's
 * /file/NAME and put on the rig's shelf; it goes out as "picture URL TYPE BYTES". token "yes": with the account's token, "maybe": tried without, then with; file may be a whole
 * URL.
 * "t/tother" is set up by a POST to /vendor/setup where the rig says so, and again when a delivery gets 410. Polls are a POST to /vendor/poll.
 */
#ifndef HUB_RIG_TEST_H
#define HUB_RIG_TEST_H
#include "hub/conversation.h"
#include "hub/hub.h"
#include "hub/storage.h"
#include "net/server.h"
#include "tests/harness/test.h"

/* The files "sealed" (and "shut", whose key is none) lie encrypted at their sender's. */
#define RIG_MEDIA_KEY "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
enum { SEEN_MAX = 4096, SHELVED_MAX = 64, RIG_WAIT_MS = 90000, ANSWER_CUT = -3, ANSWER_HOLD = -2, ANSWER_RESET = -1 };
struct seen { /* a call that reached the vendor */
    slice path, body, key, auth;
    int status;
    struct exchange *held;
    int64_t at_ms;
};
struct shelved { /* a stored file */
    slice id, name, type, bytes;
    bool there; /* not deleted */
};
struct rig {
    struct arena *a;
    struct loop *loop;
    struct logger *logger;
    struct log log;
    struct server *vendor, *server;
    struct client *out; /* the vendor's, towards the hub */
    struct seal *seal;
    const char *dir;
    struct hub hub;
    struct actor *net, *other, *desk;
    bool running;
    bool setup; /* from the next rig_start on t/tother has to be set up */
    const char *polls; /* "tother", "tdesk" (per conversation; the call's body is the desk's conversation): polled each second from the next rig_start on */
    const char *polled; /* what a poll is answered with; NULL: {} */
    int64_t keep_bytes; /* of the journal, from the next rig_start on; 0: as usual */
    bool alone; /* from the next rig_start on there is no t/tother */
    struct seen seen[SEEN_MAX];
    size_t n_seen, n_tokens;
    slice token;          /* given out and asked for; absent: none is asked for */
    int64_t token_life_s;
    int token_status;     /* … or ANSWER_HOLD, until rig_answer_token */
    struct exchange *held_token;
    bool single_use;      /* each refresh token is good once, and only the newest one */
    size_t n_misused;
    slice refresh;        /* the newest */
    /* What the vendor answers: a status, ANSWER_HOLD or ANSWER_RESET. NULL: 200. */
    int (*answer)(struct rig *r, const struct seen *s);
    slice secret;         /* webhooks are signed with; absent: "sesame" */
    /* What it answers to the n-th request (from 1) for /file/NAME: 200 with "bytes of NAME", or ANSWER_CUT after a part of them. NULL: 200. */
    int (*file)(struct rig *r, slice name, size_t n);
    size_t n_files;       /* requests for files */
    slice file_auth;      /* of the last one */
    size_t file_bytes;    /* filler behind the words */
    slice file_head, file_type; /* before the words, and of the answer; absent: nothing, image/png */
    slice file_to;        /* where a 302 leads */
    struct uv_tcp_s *cutter; /* where ANSWER_CUT leads to; NULL: not needed yet */
    unsigned cutter_port;
    bool guard;           /* the client's, from the next rig_start on */
    struct storage storage;
    struct shelved shelved[SHELVED_MAX];
    size_t n_shelved, n_aborted, n_deletes, puts_open, puts_most;
    unsigned put_faults;  /* so many puts end with put_fault */
    const char *put_fault;
    enum storage_end delete_end;
};
extern int64_t rig_call_ms; /* of hubs that are started from now on: the longest wait for an answer */
extern const struct connector rig_own_desk; /* "towndesk": its other end is our own API */
struct rig *rig_new(void) MUST_USE;
void rig_free(struct rig *r);
void rig_start(struct rig *r);  /* rig_new has done it; again after rig_stop: another process on the same data */
void rig_stop(struct rig *r);
/* Goes on from a copy of what is on disk now: what a kill -9 would have left. The old hub is stopped afterwards and counts for nothing. */
void rig_crash(struct rig *r);
void rig_turn(struct rig *r, int64_t ms);
/* POST, signed; waits for the answer. */
int rig_hook(struct rig *r, const char *path, const char *body);
void rig_hook_later(struct rig *r, const char *path, const char *body, int *ret_status); /* *ret_status: 0 until it is answered */
void rig_text(struct rig *r, const char *id, const char *guest, const char *text); /* to the desk; must be accepted */
void rig_say(struct rig *r, const char *id, const char *address, const char *text); /* to the network */
int64_t rig_count(struct rig *r, enum jstate state);
size_t rig_seen(struct rig *r, const char *body); /* how many calls had this body */
void rig_answer_held(struct rig *r, const char *body, int status);
void rig_answer_token(struct rig *r);
bool rig_on_disk(struct rig *r, const char *text); /* in any file of the data folder */
void rig_disk_full(bool full); /* of this whole process */
void rig_file(struct rig *r, const char *path, const char *id, const char *guest, const char *name); /* a picture; must be accepted */
void rig_shelf(struct rig *r); /* rig_new has done it */
size_t rig_shelved(const struct rig *r); /* files that are there */
size_t rig_keys(struct rig *r, const char *prefix); /* keys of the state that begin so; the hub must be stopped */

#define UNTIL(r, cond)                                                                                       \
    do {                                                                                                     \
        int64_t end_ms_ = time_mono_ms() + RIG_WAIT_MS;                                                      \
        while (!(cond)) {                                                                                    \
            if (time_mono_ms() > end_ms_)                                                                    \
                test_fail(__FILE__, __LINE__, "waited in vain for %s", #cond);                               \
            rig_turn((r), 5);                                                                                \
        }                                                                                                    \
    } while (0)
#endif
