/* session.h - who is logged in. A token is 256 random bits; what is kept, in memory and in the store, is its SHA-256.
 *
 * A session ends session_ms after it began, idle_ms after its last use, at log-out, and when its login's password or role changes. Its last use is
 * stored at most every TOUCH_MS, so that a restart ends nobody's session.
 *
 * Where replicas share a cache, a session of one is good at all of them, and so is its end (session_share.h): session_seek before session_find.
 *
 * Memory   SESSIONS_MAX, of one login SESSIONS_OF_LOGIN: the one used longest ago makes room.
 * Time     wall clock (sessions outlive the process).
 */
#ifndef API_SESSION_H
#define API_SESSION_H
#include "base/base.h"

#define SESSION_COOKIE "dragoman"
enum { SESSIONS_MAX = 4096, SESSIONS_OF_LOGIN = 64, SESSION_HASH_BYTES = 32 };
struct hub;
struct sessions;
struct session {
    struct session *hash_next, *next, *prev;
    uint8_t hash[SESSION_HASH_BYTES];
    char *user;
    int64_t began_ms, used_ms, stored_ms, checked_ms; /* checked_ms: monotonic; when the cache last said that it has not ended */
};
struct sessions *sessions_new(struct hub *h, int64_t session_ms, int64_t idle_ms) MUST_USE; /* reads those of the store */
void sessions_stop(struct sessions *ss); /* stops its timer */
void sessions_free(struct sessions *ss);
/* A new one; the token, in a. done as soon as it is stored. */
slice session_begin(struct sessions *ss, struct arena *a, slice user, void (*done)(void *arg, const struct fault *f), void *arg) MUST_USE;
/* Makes sure that session_find knows what the other replicas know. sought: now, or when the cache has answered. */
void session_seek(struct sessions *ss, slice token, void (*sought)(void *arg), void *arg);
struct session *session_find(struct sessions *ss, slice token); /* counts as a use; NULL: there is none, or it ended */
bool session_alive(struct sessions *ss, const uint8_t hash[SESSION_HASH_BYTES]); /* does not count as a use */
void session_end(struct sessions *ss, struct session *s);
/* Ends all of this login; all but the one of this hash. */
void sessions_end(struct sessions *ss, slice user);
void sessions_end_others(struct sessions *ss, slice user, const uint8_t hash[SESSION_HASH_BYTES]);
int64_t session_until_ms(const struct sessions *ss, const struct session *s); /* when it ends if it is not used again */
#endif
