/* jwks.h - a set of public keys as vendors publish it (RFC 7517), to verify tokens signed with RS256.
 *
 *   struct jwks *set = jwks_parse(body, f);
 *   const struct jwk *k = jwks_find(set, jwt_kid(a, token));
 *   if (k && (claims = jwt_verify(a, k->key, token, &rules, f))) …
 *
 * Shape      keys of another kind than RSA, for another use than signatures, without a kid, or too short are left out: sets hold keys for other
 *            purposes, and a secret ("oct") has no business in a public set. Of two keys of one kid the first counts.
 * Errors     "bad_keys": no JSON, no list "keys", or not one usable key in it.
 * Ownership  the set owns its keys and their documents; jwks_free frees all.
 * Threads    as jwt.h; the documents belong to one thread at a time.
 */
#ifndef WIRE_JWKS_H
#define WIRE_JWKS_H
#include "wire/jwt.h"

enum { JWKS_KEYS_MAX = 64 };

struct jwk {
    slice kid;
    struct jwt_key *key;
    const struct js *doc; /* all that stood there: what a vendor says more about it */
};
struct jwks;
struct jwks *jwks_parse(slice json, struct fault *f) MUST_USE;
struct jwks *jwks_free(struct jwks *set); /* accepts NULL, returns NULL */
static inline void jwks_freep(struct jwks **set)
{
    *set = jwks_free(*set);
}
const struct jwk *jwks_find(const struct jwks *set, slice kid); /* NULL: it is not there, or set is NULL */
size_t jwks_count(const struct jwks *set);
#endif
