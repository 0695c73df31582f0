/* secret.h - bytes that must never be printed.
 *
 *   struct secret key = secret_copy(text);
 *   hmac(secret_reveal(&key), …);
 *   secret_wipe(&key);
 *
 * A type of its own, so that a log function or a JSON writer, which take slices, cannot be given one by mistake: the word
 * secret_reveal stands wherever the bytes are really needed, and can be searched for.
 * Ownership  the heap; secret_wipe overwrites and frees it, and accepts an absent one.
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H
#include "base/slice.h"

struct secret {
    char *bytes;
    size_t size;
};
struct secret secret_copy(slice s) MUST_USE; /* absent stays absent */
void secret_wipe(struct secret *s);
static inline slice secret_reveal(const struct secret *s)
{
    return slice_mem(s->bytes, s->size);
}
static inline bool secret_present(const struct secret *s)
{
    return s->bytes != NULL;
}
#endif
