/* jwt.h - JSON Web Tokens signed with HS256 or RS256.
 *
 *   CLEANUP(jwt_key_freep) struct jwt_key *key = jwt_key_read(settings.private_key, f);     PEM or JWK
 *   struct jw w = jw_new(a, JWT_BYTES_MAX);
 *   jw_open(&w, NULL, '{');
 *   jwt_claims_write(&w, &(struct jwt_claims){ .iss = channel_id, .sub = channel_id, .aud = SL("https://api.line.me/"),
 *                                              .exp_ms = now_ms + 30 * 60000 });
 *   jw_int(&w, "token_exp", 86400);
 *   jw_close(&w, '}');
 *   slice assertion = jwt_sign(a, key, kid, jw_done(&w), f);
 *
 * Verifying  the header's alg must be the key's own, so that "none" and a public key used as a secret get nowhere; critical
 *            extensions are refused; exp and nbf are compared with now_ms, leeway_ms to the token's good.
 * Errors     "bad_key"; "bad_token" (form, alg, signature), "expired", "not_yet_valid", "wrong_issuer", "wrong_audience".
 *            Faults never hold a part of a token or key.
 * Ownership  a key is the caller's to free; tokens and claims live in the arena.
 * Threads    a key may be used by several threads at a time.
 * Facts      RFC 7515, 7517, 7518, 7519.
 */
#ifndef WIRE_JWT_H
#define WIRE_JWT_H
#include "wire/js.h"

enum { JWT_BYTES_MAX = 16384, JWT_RSA_BITS_MIN = 2048 };

struct jwt_key;
struct jwt_key *jwt_key_secret(slice secret) MUST_USE;                /* HS256 */
struct jwt_key *jwt_key_pem(slice pem, struct fault *f) MUST_USE;     /* RS256: private or public, not encrypted */
struct jwt_key *jwt_key_pem_locked(slice pem, slice passphrase, struct fault *f) MUST_USE; /* the same, encrypted or not */
struct jwt_key *jwt_key_jwk(slice json, struct fault *f) MUST_USE;    /* RS256: n, e and, to sign, d; HS256: k */
struct jwt_key *jwt_key_read(slice text, struct fault *f) MUST_USE;   /* PEM or JWK, whichever it is */
struct jwt_key *jwt_key_free(struct jwt_key *key);                    /* accepts NULL, returns NULL; wipes a secret */
static inline void jwt_key_freep(struct jwt_key **key)
{
    *key = jwt_key_free(*key);
}
/* A PEM with real line ends, also where they were pasted as \n. */
slice pem_lines(struct arena *a, slice pem) MUST_USE;
bool jwt_key_can_sign(const struct jwt_key *key);

struct jwt_claims { /* absent or 0: not written, after verifying: not there */
    slice iss, sub, aud, jti;
    int64_t iat_ms, nbf_ms, exp_ms; /* seconds on the wire */
};
void jwt_claims_write(struct jw *w, const struct jwt_claims *claims);

/* kid may be absent; claims is a JSON object. {NULL,0}: see *f. */
slice jwt_sign(struct arena *a, const struct jwt_key *key, slice kid, slice claims, struct fault *f) MUST_USE;
/* The same with a header and a payload of the caller's own. */
slice jws_sign(struct arena *a, const struct jwt_key *key, slice header, slice payload, struct fault *f) MUST_USE;

struct jwt_rules {
    int64_t now_ms, leeway_ms;
    slice iss, aud; /* absent: not compared; aud may be one of several in the token */
    bool exp_optional;
};
/* The claims; NULL: see *f. */
const struct js *jwt_verify(struct arena *a, const struct jwt_key *key, slice token, const struct jwt_rules *rules,
                            struct fault *f) MUST_USE;
/* The bare signature of a text: HMAC-SHA256, or RSASSA-PKCS1-v1_5 with SHA-256. {NULL,0}: this key cannot sign. */
slice jwt_key_sign(struct arena *a, const struct jwt_key *key, slice text) MUST_USE;
/* The payload's bytes when form, alg and signature are right, whatever they say; {NULL,0}: see *f. */
slice jws_verify(struct arena *a, const struct jwt_key *key, slice token, struct fault *f) MUST_USE;
/* Which key was it signed with? Unverified: only to choose the key to verify with. {NULL,0} if it does not say. */
slice jwt_kid(struct arena *a, slice token) MUST_USE;
#endif
