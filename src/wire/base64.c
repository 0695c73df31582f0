#include "wire/base64.h"

enum padding { PAD_EXACT, PAD_NONE, PAD_EITHER };

static const char standard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char for_urls[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

enum { NO_DIGIT = 64 };
struct values {
    unsigned char of[256];
};
static struct values standard_values, url_values;

__attribute__((constructor)) static void values_make(void)
{
    memset(&standard_values, NO_DIGIT, sizeof(standard_values));
    memset(&url_values, NO_DIGIT, sizeof(url_values));
    for (unsigned char i = 0; i < 64; i++) {
        standard_values.of[(unsigned char)standard[i]] = i;
        url_values.of[(unsigned char)for_urls[i]] = i;
    }
}

static slice encode(struct arena *a, slice s, const char *alphabet, bool pad)
{
    size_t whole = s.n / 3, rest = s.n % 3;
    char *out = arena_alloc(a, (whole + 1) * 4 + 1), *p = out;
    const unsigned char *b = (const unsigned char *)s.p;
    for (size_t i = 0; i < whole; i++, b += 3) {
        uint32_t v = (uint32_t)b[0] << 16 | (uint32_t)b[1] << 8 | b[2];
        *p++ = alphabet[v >> 18];
        *p++ = alphabet[v >> 12 & 63];
        *p++ = alphabet[v >> 6 & 63];
        *p++ = alphabet[v & 63];
    }
    if (rest) {
        uint32_t v = (uint32_t)b[0] << 16 | (rest == 2 ? (uint32_t)b[1] << 8 : 0);
        *p++ = alphabet[v >> 18];
        *p++ = alphabet[v >> 12 & 63];
        if (rest == 2)
            *p++ = alphabet[v >> 6 & 63];
        for (size_t i = rest; pad && i < 3; i++)
            *p++ = '=';
    }
    *p = 0;
    return (slice){ out, (size_t)(p - out) };
}

/* Takes the padding away; false when it is not as wanted. */
static bool unpad(slice *s, enum padding padding)
{
    size_t pads = 0;
    while (pads < 2 && s->n > pads && s->p[s->n - 1 - pads] == '=')
        pads++;
    if (pads && (s->n % 4 || padding == PAD_NONE))
        return false;
    if (!pads && padding == PAD_EXACT && s->n % 4)
        return false;
    s->n -= pads;
    return s->n % 4 != 1;
}

static slice decode(struct arena *a, slice s, const struct values *values, enum padding padding)
{
    if (!s.p || !unpad(&s, padding))
        return SLICE_NONE;
    unsigned char *out = arena_alloc(a, s.n / 4 * 3 + 3), *p = out;
    uint32_t bits = 0;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char v = values->of[(unsigned char)s.p[i]];
        if (v == NO_DIGIT)
            return SLICE_NONE;
        bits = bits << 6 | v;
        if (i % 4 == 3) {
            *p++ = (unsigned char)(bits >> 16);
            *p++ = (unsigned char)(bits >> 8);
            *p++ = (unsigned char)bits;
            bits = 0;
        }
    }
    size_t rest = s.n % 4;
    if ((rest == 2 && bits & 15) || (rest == 3 && bits & 3))
        return SLICE_NONE;
    if (rest >= 2)
        *p++ = (unsigned char)(rest == 2 ? bits >> 4 : bits >> 10);
    if (rest == 3)
        *p++ = (unsigned char)(bits >> 2);
    *p = 0;
    return slice_mem(out, (size_t)(p - out));
}

slice base64_encode(struct arena *a, slice bytes)
{
    return encode(a, bytes, standard, true);
}

slice base64url_encode(struct arena *a, slice bytes)
{
    return encode(a, bytes, for_urls, false);
}

slice base64url_encode_padded(struct arena *a, slice bytes)
{
    return encode(a, bytes, for_urls, true);
}

slice base64_decode(struct arena *a, slice text)
{
    return decode(a, text, &standard_values, PAD_EXACT);
}

slice base64_decode_unpadded(struct arena *a, slice text)
{
    return decode(a, text, &standard_values, PAD_NONE);
}

slice base64url_decode(struct arena *a, slice text)
{
    return decode(a, text, &url_values, PAD_EITHER);
}
