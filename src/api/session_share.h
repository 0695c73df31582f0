/* session_share.h - log-ins known to all replicas, through the cache.
 *
 * A session is put there when it begins and when it is stored; who is asked with a token he does not know looks there. Its end is told to all that run,
 * and leaves a mark for those who look later. What ended while the cache was lost is told when it is back.
 *
 * Keys      "session:HASH", "session-end:HASH", "sessions-end:USER" (all of this user that began before then, but one).
 * Threads   loop thread.
 */
#ifndef API_SESSION_SHARE_H
#define API_SESSION_SHARE_H
#include "base/base.h"

struct cache;
struct session_share;
struct session_share_events {
    void (*ended)(void *arg, slice hash);                   /* hex; elsewhere, or here */
    /* All of this user that began until then; but: not this hash, or empty. */
    void (*all_ended)(void *arg, slice user, slice but, int64_t until_ms);
    void (*back)(void *arg);                                /* what was said meanwhile was not heard */
    void *arg;
};
struct session_share *session_share_new(struct cache *c, int64_t keep_ms, const struct session_share_events *ev) MUST_USE;
void session_share_free(struct session_share *sh);

void session_share_put(struct session_share *sh, slice hash, slice json, int64_t for_ms);
void session_share_end(struct session_share *sh, slice hash);
void session_share_end_all(struct session_share *sh, slice user, slice but, int64_t now_ms);

struct session_seen {
    bool lost;   /* the cache could not be asked */
    slice json;  /* absent: it is not there */
    bool ended;
};
void session_share_look(struct session_share *sh, slice hash, void (*seen)(void *arg, const struct session_seen *s), void *arg);
/* Has this user's session, which began then, ended with all of his? */
void session_share_check(struct session_share *sh, slice user, slice hash, int64_t began_ms, void (*checked)(void *arg, bool ended), void *arg);
#endif
