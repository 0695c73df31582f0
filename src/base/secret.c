#include "base/secret.h"
#include "base/arena.h"

struct secret secret_copy(slice s)
{
    if (!s.p)
        return (struct secret){ NULL, 0 };
    struct secret copy = { must_malloc(s.n + 1), s.n };
    memcpy(copy.bytes, s.p, s.n);
    copy.bytes[s.n] = 0;
    return copy;
}

void secret_wipe(struct secret *s)
{
    if (s->bytes)
        bytes_wipe(s->bytes, s->size);
    free(s->bytes);
    *s = (struct secret){ NULL, 0 };
}
