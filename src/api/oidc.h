/* oidc.h - logging in at the company's own OpenID Connect provider (authorization code with PKCE), beside the hub's own logins.
 *
 *   GET /api/v1/auth/ways                          {"provider":true}: there is one, and log-in pages lead to it
 *   GET /api/v1/auth/oidc/start?next=/ux/conv      302 to the provider
 *   GET /api/v1/auth/oidc/callback?code&state      the session as a cookie, 302 to next
 *
 * Who comes for the first time becomes a login (without a password); the role is what the setting oidc.roles makes of the claim oidc.role_claim, each time anew. A
 * login of our own with a password is never taken over, and a login made here belongs to the provider's `sub` for good.
 *
 * Checks    state (bound to the browser by a cookie, good once, OIDC_WAIT_MS), nonce, PKCE S256, the token's signature by the provider's published keys, its issuer,
 *           audience and times.
 * Threads   loop thread.
 */
#ifndef API_OIDC_H
#define API_OIDC_H
#include "base/base.h"

enum { OIDC_WAIT_MS = 600000, OIDC_WAITING_MAX = 1000 };
struct api;
struct oidc;
struct oidc *oidc_new(struct api *api) MUST_USE;
void oidc_free(struct oidc *o);
/* What the list "group=role, other=role" makes of a claim (a text or a list of them): the highest; false: none. */
struct js;
bool oidc_role(slice list, const struct js *claim, int *ret);
bool oidc_next_ok(slice path); /* a path of this hub, not another site's */
#endif
