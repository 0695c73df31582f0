/* sign.h - the vendors' side of cryptography, written apart from the connectors' so that a mistake on one side shows on the other. */
#ifndef SIM_SIGN_H
#define SIM_SIGN_H
#include "base/base.h"

slice sign_base64(struct arena *a, slice bytes) MUST_USE;
/* Standard or URL alphabet, padding optional; {NULL,0} when it is none. */
slice sign_unbase64(struct arena *a, slice text) MUST_USE;
slice sign_hmac_sha256_base64(struct arena *a, slice key, slice message) MUST_USE;
slice sign_hmac_sha256_hex(struct arena *a, slice key, slice message) MUST_USE;
slice sign_sha256_hex(struct arena *a, slice bytes) MUST_USE;
/* RS256: RSASSA-PKCS1-v1_5 with SHA-256 under a public key in PEM. */
bool sign_rs256_ok(slice pem, slice message, slice signature) MUST_USE;
/* A public RSA JWK's n and e (URL Base64) as PEM; {NULL,0} when they are no key. */
slice sign_rsa_pem(struct arena *a, slice n, slice e) MUST_USE;
/* A key pair of a simulated vendor's own, made when it starts. */
struct sign_key;
struct sign_key *sign_key_new(void) MUST_USE; /* RSA, 2048 bits */
void sign_key_free(struct sign_key *k);       /* accepts NULL */
slice sign_base64url(struct arena *a, slice bytes) MUST_USE; /* without padding */
/* RS256; URL Base64 of the signature. */
slice sign_rs256(struct arena *a, const struct sign_key *k, slice message) MUST_USE;
/* n and e as a JWK has them. */
void sign_key_numbers(struct arena *a, const struct sign_key *k, slice *ret_n, slice *ret_e);
#endif
