/* password.h - passwords: good enough? (zxcvbn), hashed (argon2id), checked. Hashing takes tens of milliseconds and PASSWORD_MEMORY bytes: it is done
 * on a helper thread, one at a time, so that neither messages nor memory feel it.
 *
 *   passwords_check(p, password, hash_of, checked, arg);         checked(arg, true) on the loop; hash_of(arg) is asked when its turn has come, and
 *                                                                once more: a {NULL,0} takes as long, and is false, as is another one by then
 *   passwords_hash(p, password, hashed, arg);                    hashed(arg, "$argon2id$…")
 *
 * Limits   PASSWORD_MAX bytes; PASSWORDS_WAITING jobs wait, more are refused (false): 503, come back.
 * Secrets  copies are wiped when the job is done.
 */
#ifndef API_PASSWORD_H
#define API_PASSWORD_H
#include "base/base.h"

enum { PASSWORD_MAX = 128, PASSWORD_SCORE = 3, PASSWORD_PASSES = 2, PASSWORD_MEMORY = 19 << 20, PASSWORDS_WAITING = 32 };
struct loop;
struct passwords;
struct passwords *passwords_new(struct loop *l) MUST_USE;
/* No more is begun: what waits is told false and {NULL,0}, what is at work ends with loop_free. */
void passwords_stop(struct passwords *p);
void passwords_free(struct passwords *p); /* after loop_free: no job is under way then */
bool passwords_check(struct passwords *p, slice password, slice (*hash_of)(void *arg), void (*done)(void *arg, bool same), void *arg) MUST_USE;
bool passwords_hash(struct passwords *p, slice password, void (*done)(void *arg, slice hash), void *arg) MUST_USE;

/* False: *f (field "password") says how weak it is and what would help. user: the login's name, which it must not be made of. */
bool password_good(slice password, slice user, struct fault *f) MUST_USE;
/* One that is good, for a first administrator nobody gave one. */
slice password_make(struct arena *a) MUST_USE;
#endif
