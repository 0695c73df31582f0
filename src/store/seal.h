/* seal.h - secrets encrypted at rest.
 *
 *   struct seal *key = seal_open("data/secret.key", &f);
 *   slice text = seal_close(key, a, SL("acme/line channel_secret"), secret);    "sealed:v1:…"
 *   if (!seal_reveal(key, SL("acme/line channel_secret"), text, &secret, &f)) …
 *
 * Shape      "sealed:v1:" + base64 (standard alphabet, padded) of a 24-byte nonce and XChaCha20-Poly1305's output. The context says what
 *            the secret is and is bound into it: a sealed text moved to another place does not open.
 * Key file   one line: 64 hex digits (32 bytes). Made on first start with mode 0600; a file that others may read is refused. Without
 *            it nothing sealed can be read again: it belongs in the backup, apart from the data.
 * Errors     code "bad_key" (the file), "bad_seal" (text damaged, another key, or another context).
 * Threads    any, after seal_open.
 */
#ifndef STORE_SEAL_H
#define STORE_SEAL_H
#include "base/base.h"
#include "base/secret.h"

struct seal;
struct seal *seal_open(const char *path, struct fault *f) MUST_USE;      /* reads the key file, or makes it */
struct seal *seal_of_hex(slice hex, struct fault *f) MUST_USE;           /* the key itself, from the environment */
void seal_free(struct seal *s);                                          /* wipes it */
slice seal_close(const struct seal *s, struct arena *a, slice context, slice plain) MUST_USE;
bool seal_reveal(const struct seal *s, slice context, slice sealed, struct secret *ret, struct fault *f) MUST_USE;
bool seal_is_sealed(slice text);
/* 32 bytes that only who has this key can know, the same at every start: for signing keys of our own links and cookies. */
enum { SEAL_DERIVED_BYTES = 32 };
void seal_derive(const struct seal *s, slice purpose, uint8_t ret[SEAL_DERIVED_BYTES]);

/* ---- the sealed secrets of accounts in the store ---------------------------------------------------------------------------- */

struct store;
/* Key "secret/ACCOUNT/NAME"; the context is the same text. An absent plain removes it. */
void secrets_put(struct store *st, const struct seal *s, slice account, slice name, slice plain,
                 void (*done)(void *arg, const struct fault *f), void *arg);
/* secret absent with f NULL: there is none. *secret is wiped after the callback. */
void secrets_get(struct store *st, const struct seal *s, slice account, slice name,
                 void (*got)(void *arg, const struct secret *secret, const struct fault *f), void *arg);
#endif
