#include "wire/hex.h"

slice hex_encode(struct arena *a, slice bytes)
{
    static const char digits[] = "0123456789abcdef";
    char *out = arena_alloc(a, bytes.n * 2 + 1);
    for (size_t i = 0; i < bytes.n; i++) {
        out[i * 2] = digits[(unsigned char)bytes.p[i] >> 4];
        out[i * 2 + 1] = digits[(unsigned char)bytes.p[i] & 15];
    }
    out[bytes.n * 2] = 0;
    return (slice){ out, bytes.n * 2 };
}

slice hex_decode(struct arena *a, slice text)
{
    if (!text.p || text.n % 2)
        return SLICE_NONE;
    char *out = arena_alloc(a, text.n / 2 + 1);
    for (size_t i = 0; i < text.n; i += 2) {
        int hi = hex_value(text.p[i]), lo = hex_value(text.p[i + 1]);
        if (hi < 0 || lo < 0)
            return SLICE_NONE;
        out[i / 2] = (char)(hi << 4 | lo);
    }
    out[text.n / 2] = 0;
    return (slice){ out, text.n / 2 };
}
