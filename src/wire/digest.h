/* digest.h - checksums of what arrives in pieces, as storages and networks want them.
 *
 *   CLEANUP(digest_freep) struct digest_stream *s = digest_new(DIGEST_CRC32C);
 *   digest_update(s, piece);
 *   struct digest d = digest_now(s);       slice_mem(d.b, d.n); more pieces may follow
 *
 * Shape      the raw bytes in the order they are written down; CRC-32C (RFC 3720 B.4) big-endian, as Google stores it. MD5 and SHA-1 are here because
 *            providers compare with them, not to protect anything. SHA256_BLOCKS is Dropbox's content_hash: SHA-256 of the SHA-256 of each
 *            DIGEST_BLOCK_BYTES.
 * Threads    any; a stream belongs to one thread at a time.
 */
#ifndef WIRE_DIGEST_H
#define WIRE_DIGEST_H
#include "base/base.h"

enum digest_kind { DIGEST_MD5, DIGEST_SHA1, DIGEST_SHA256, DIGEST_CRC32C, DIGEST_SHA256_BLOCKS };
enum { DIGEST_BYTES_MAX = 32, DIGEST_BLOCK_BYTES = 4 << 20 };
struct digest {
    unsigned char b[DIGEST_BYTES_MAX];
    size_t n;
};
struct digest_stream;
struct digest_stream *digest_new(enum digest_kind kind) MUST_USE;
void digest_update(struct digest_stream *s, slice piece);
struct digest digest_now(const struct digest_stream *s) MUST_USE; /* of all pieces so far */
void digest_reset(struct digest_stream *s);                       /* begins anew */
struct digest_stream *digest_free(struct digest_stream *s);       /* accepts NULL, returns NULL */
static inline void digest_freep(struct digest_stream **s)
{
    *s = digest_free(*s);
}
#endif
