/* rig_test.h - a whole hub for tests: real loop, journal, store, server and client; the vendor of both sides is played in this process.
 *
 *   struct rig *r = rig_new();
 *   rig_hook(r, "/tnet", "{\"events\":[{\"id\":\"1\",\"guest\":\"U1\",\"text\":\"hi\"}]}");    returns the status of the answer
 *   UNTIL(r, r->n_seen == 1);
 *   rig_free(r);
 *
 * Connectors of the rig's own, networks "tnet" and "tother" (accounts "t/tnet", "t/tother") and desks "tdesk" ("t/tdesk") and "tdesk2", speak the same
 * small protocol.
 * In: {"events":[{id, guest, text?, kind?: "typing"|"status"|"closed", of?, status?, remember?}], "ignore":[id], "resume":{key,data}, "note": value
 * for the account's memory}. Out: one POST to /vendor/NAME for each part, its body the text. A text that begins with "!" is not repeatable, with "?" it is
 * parked after its first call until it is resumed with its text as key.
 */
#ifndef HUB_RIG_TEST_H
#define HUB_RIG_TEST_H
#include "hub/conversation.h"
#include "hub/hub.h"
#include "net/server.h"
#include "tests/harness/test.h"

enum { SEEN_MAX = 4096, RIG_WAIT_MS = 8000, ANSWER_HOLD = -2, ANSWER_RESET = -1 };
struct seen { /* a call that reached the vendor */
    slice path, body, key, auth;
    int status;
    struct exchange *held;
    int64_t at_ms;
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
    struct seen seen[SEEN_MAX];
    size_t n_seen, n_tokens;
    slice token;          /* given out and asked for; absent: none is asked for */
    int64_t token_life_s;
    int token_status;
    /* What the vendor answers: a status, ANSWER_HOLD or ANSWER_RESET. NULL: 200. */
    int (*answer)(struct rig *r, const struct seen *s);
    size_t n_setup;
    slice secret;         /* webhooks are signed with; absent: "sesame" */
    bool media;
};
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
bool rig_on_disk(struct rig *r, const char *text); /* in any file of the data folder */
void rig_disk_full(bool full); /* of this whole process */

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
