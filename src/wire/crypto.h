/* crypto.h - hashes and message authentication codes.
 *
 *   struct sha256 mac = hmac_sha256(secret, body);
 *   if (!mac_is_base64(slice_mem(mac.b, sizeof(mac.b)), header))
 *       … 403
 *
 * Results    by value, in structs of exactly their bytes.
 * Cost       HMAC-SHA256 of 400 bytes is about one microsecond: OpenSSL's algorithms are looked up once per process and
 *            its contexts are kept per thread.
 * Threads    any; a struct sha256_stream belongs to one thread at a time.
 * Errors     none: hashing bytes in memory cannot fail; if OpenSSL refuses all the same, the process ends.
 */
#ifndef WIRE_CRYPTO_H
#define WIRE_CRYPTO_H
#include "base/base.h"

struct sha1 {
    unsigned char b[20];
};
struct sha256 {
    unsigned char b[32];
};
struct sha512 {
    unsigned char b[64];
};

struct sha1 sha1(slice s) MUST_USE;
struct sha256 sha256(slice s) MUST_USE;
struct sha512 sha512(slice s) MUST_USE;
struct sha1 hmac_sha1(slice key, slice s) MUST_USE;
struct sha256 hmac_sha256(slice key, slice s) MUST_USE;
struct sha512 hmac_sha512(slice key, slice s) MUST_USE;

/* SHA-256 of what arrives in pieces. */
struct sha256_stream;
struct sha256_stream *sha256_new(void) MUST_USE;
void sha256_update(struct sha256_stream *s, slice piece);
struct sha256 sha256_final(struct sha256_stream *s) MUST_USE; /* afterwards it is ready for the next content */
struct sha256_stream *sha256_free(struct sha256_stream *s);   /* accepts NULL, returns NULL */
static inline void sha256_freep(struct sha256_stream **s)
{
    *s = sha256_free(*s);
}

/* Is the signature text the same as the computed bytes? In constant time for texts of the right length. */
bool mac_is_base64(slice mac, slice text) MUST_USE; /* standard alphabet, padded */
bool mac_is_hex(slice mac, slice text) MUST_USE;    /* either case */
#endif
