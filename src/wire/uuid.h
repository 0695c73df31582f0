/* uuid.h - names for new things.
 *
 *   char id[UUID_TEXT];           uuid_v4(id)              "0f3c7d2e-5b6a-4918-8c1d-2e3f4a5b6c7d"
 *   char key[ULID_TEXT];          ulid_next(&s, now, key)  "01J8Z3V0QK7M3R5T9W1X2Y4Z6A"
 *
 * A ulid sorts by the time it was made; those of one state made within the same millisecond (or while the clock stands
 * back) sort in the order they were made. A struct ulid_state begins zeroed and belongs to one thread.
 * Facts  RFC 9562 version 4; the ULID specification (48 bits of ms, 80 bits of chance, Crockford's base 32).
 */
#ifndef WIRE_UUID_H
#define WIRE_UUID_H
#include "base/base.h"

enum { UUID_TEXT = 37, ULID_TEXT = 27 }; /* with the closing 0 */

void uuid_v4(char out[UUID_TEXT]);
slice uuid_make(struct arena *a) MUST_USE;
/* Version 8 (RFC 9562: made from a name our own way): the same text for the same name, for ever. */
slice uuid_named(struct arena *a, slice name) MUST_USE;
bool uuid_valid(slice s); /* 8-4-4-4-12 hexadecimal digits of either case, any version */

struct ulid_state {
    int64_t last_ms;
    unsigned char chance[10];
};
void ulid_next(struct ulid_state *s, int64_t now_ms, char out[ULID_TEXT]);
#endif
