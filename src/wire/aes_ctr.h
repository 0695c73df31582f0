/* aes_ctr.h - AES-256 in counter mode from a counter of zero: how some vendors keep files on their servers.
 *
 *   CLEANUP(aes_ctr_freep) struct aes_ctr *c = aes_ctr_new(key, 0);
 *   aes_ctr_run(c, in, n, out);
 *
 * The same call encrypts and decrypts; n bytes give n bytes, in pieces of any size. A key must never serve two different contents.
 * It says nothing about who wrote the bytes: what comes out may be anything.
 */
#ifndef WIRE_AES_CTR_H
#define WIRE_AES_CTR_H
#include "base/base.h"

enum { AES_CTR_KEY_BYTES = 32 };
struct aes_ctr;
/* From this byte of the content on. NULL: the key has not AES_CTR_KEY_BYTES bytes, or from is negative. */
struct aes_ctr *aes_ctr_new(slice key, int64_t from) MUST_USE;
void aes_ctr_run(struct aes_ctr *c, const char *in, size_t n, char *out); /* out may be in */
struct aes_ctr *aes_ctr_free(struct aes_ctr *c);                          /* accepts NULL, returns NULL */
static inline void aes_ctr_freep(struct aes_ctr **c)
{
    *c = aes_ctr_free(*c);
}
#endif
