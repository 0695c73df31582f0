#include "wire/uuid.h"
#include "wire/crypto.h"
#include "wire/hex.h"

#define ULID_MAX_MS ((INT64_C(1) << 48) - 1)

static bool is_dash(size_t i)
{
    return i == 8 || i == 13 || i == 18 || i == 23;
}

void uuid_v4(char out[UUID_TEXT])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char b[16];
    random_bytes(b, sizeof(b));
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    size_t nibble = 0;
    for (size_t i = 0; i < UUID_TEXT - 1; i++) {
        if (is_dash(i)) {
            out[i] = '-';
            continue;
        }
        out[i] = digits[nibble % 2 ? b[nibble / 2] & 15 : b[nibble / 2] >> 4];
        nibble++;
    }
    out[UUID_TEXT - 1] = 0;
}

slice uuid_make(struct arena *a)
{
    char *out = arena_alloc(a, UUID_TEXT);
    uuid_v4(out);
    return (slice){ out, UUID_TEXT - 1 };
}

slice uuid_named(struct arena *a, slice name)
{
    struct sha256 sum = sha256(name);
    sum.b[6] = (uint8_t)((sum.b[6] & 0x0f) | 0x80);
    sum.b[8] = (uint8_t)((sum.b[8] & 0x3f) | 0x80);
    slice hex = hex_encode(a, slice_mem(sum.b, 16));
    return arena_printf(a, "%.8s-%.4s-%.4s-%.4s-%.12s", hex.p, hex.p + 8, hex.p + 12, hex.p + 16, hex.p + 20);
}

bool uuid_valid(slice s)
{
    if (s.n != UUID_TEXT - 1)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (is_dash(i) ? s.p[i] != '-' : hex_value(s.p[i]) < 0)
            return false;
    return true;
}

/* One more than before; when all 80 bits were used up, the next millisecond is borrowed. */
static void step(struct ulid_state *s)
{
    for (size_t i = sizeof(s->chance); i-- > 0;)
        if (++s->chance[i])
            return;
    s->last_ms++;
}

void ulid_next(struct ulid_state *s, int64_t now_ms, char out[ULID_TEXT])
{
    static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    now_ms = now_ms < 0 ? 0 : MIN(now_ms, ULID_MAX_MS);
    if (now_ms > s->last_ms) {
        s->last_ms = now_ms;
        random_bytes(s->chance, sizeof(s->chance));
        s->chance[0] &= 0x7f; /* leaves room to count upwards */
    } else {
        step(s);
    }
    for (int i = 9, shift = 0; i >= 0; i--, shift += 5)
        out[i] = digits[s->last_ms >> shift & 31];
    for (size_t half = 0; half < 2; half++) { /* 5 bytes are 8 digits */
        uint64_t v = 0;
        for (size_t i = 0; i < 5; i++)
            v = v << 8 | s->chance[half * 5 + i];
        for (size_t i = 8; i-- > 0; v >>= 5)
            out[10 + half * 8 + i] = digits[v & 31];
    }
    out[ULID_TEXT - 1] = 0;
}
