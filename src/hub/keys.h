/* keys.h - the public keys vendors sign their webhooks with (VERIFY_JWT): fetched, kept, fetched again.
 *
 * One set for each address (connector.h, key_source.url), shared by all accounts that name it. A request whose accounts have no keys yet waits until they
 * are there, at most KEYS_WAIT_MS; one fetch is under way at a time, whoever waits. A token that names an unknown key has the set fetched again at once,
 * but at most every again_ms, so that made-up names cost nothing; a set older than keep_ms is fetched again while the old one serves. When a fetch
 * fails the old set stays.
 *
 * Errors     keys_prepare's why: "no_keys": they cannot be had now, the sender shall come again (503). A token that is wrong is no error here.
 * Threads    loop thread.
 */
#ifndef HUB_KEYS_H
#define HUB_KEYS_H
#include "hub/hub.h"

enum { KEYS_WAIT_MS = 4000, KEYS_WAITING_MAX = 1000, KEYS_RETRY_MS = 2000 };

struct keys;
/* Calls done(arg, why), now or later, when the keys are at hand that this request's token may be signed with; why NULL: verify it. rq and a live until
 * then. */
void keys_prepare(struct hub *h, const struct connector *type, struct arena *a, const struct request *rq,
                  void (*done)(void *arg, const struct fault *why), void *arg);
const struct jwks *keys_have(const struct keys *ks, slice url); /* NULL: not fetched yet */
/* Who still waits is told "no_keys". After client_free. */
void keys_stop(struct hub *h);
#endif
