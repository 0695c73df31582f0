/* attempts.h - guessing is slowed: failures per login and address, per address and per login, in bounded tables. call.h has who counts what.
 *
 *   int64_t wait_s = attempts_wait(t, key, now);        0: may try; else 429 with Retry-After
 *   attempts_failed(t, key, ATTEMPTS_LOGIN, now);       after a wrong password
 *   attempts_passed(t, key, now);                       after a right one: from now on attempts_known(t, key)
 *
 * Keys       any text; only its hash is kept. An absent key is not counted.
 * Lock-out   after the first free failures each further one doubles the wait, from 1 s up to LOCK_MOST_MS. Failures are forgotten after FORGET_MS
 *            without any.
 * Memory     ATTEMPTS_MAX keys; a new one takes the place of the one that failed longest ago. Who fills the table with other names does not get
 *            free tries that way: the address is counted, too. ATTEMPTS_MAX more that passed, which only another that passes can take the place of.
 *            All are forgotten at a restart.
 * Time       monotonic ms.
 */
#ifndef API_ATTEMPTS_H
#define API_ATTEMPTS_H
#include "base/base.h"

enum { ATTEMPTS_MAX = 4096, ATTEMPTS_LOGIN = 5, ATTEMPTS_ADDRESS = 20, ATTEMPTS_ANYWHERE = 100 }; /* wrong ones that are free: for a login at an address, at an address, for a login anywhere */
struct attempts;
struct attempts *attempts_new(void) MUST_USE;
void attempts_free(struct attempts *t);
int64_t attempts_wait(struct attempts *t, slice key, int64_t now_ms); /* seconds, rounded up */
void attempts_failed(struct attempts *t, slice key, unsigned free_tries, int64_t now_ms);
void attempts_passed(struct attempts *t, slice key, int64_t now_ms);
bool attempts_known(struct attempts *t, slice key);
#endif
