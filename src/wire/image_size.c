#include "wire/image_size.h"

static uint32_t be(const unsigned char *b, size_t n)
{
    uint32_t v = 0;
    for (size_t i = 0; i < n; i++)
        v = v << 8 | b[i];
    return v;
}

static uint32_t le(const unsigned char *b, size_t n)
{
    uint32_t v = 0;
    for (size_t i = n; i-- > 0;)
        v = v << 8 | b[i];
    return v;
}

static bool sized(uint32_t width, uint32_t height, struct image_size *ret)
{
    if (width == 0 || height == 0 || width > INT32_MAX || height > INT32_MAX)
        return false;
    *ret = (struct image_size){ (int)width, (int)height };
    return true;
}

/* Segments are walked until a start of frame: any of C0 to CF but C4 (tables), C8 (reserved) and CC (arithmetic). */
static bool jpeg(const unsigned char *b, size_t n, struct image_size *ret)
{
    size_t at = 2;
    while (at + 4 <= n) {
        if (b[at] != 0xff)
            return false;
        unsigned char mark = b[at + 1];
        if (mark == 0xff) { /* fill byte */
            at++;
            continue;
        }
        if (mark == 0x01 || (mark >= 0xd0 && mark <= 0xd7)) { /* without a length */
            at += 2;
            continue;
        }
        if (mark == 0xd9 || mark == 0xda)
            return false; /* the picture's data began without a frame */
        size_t length = be(b + at + 2, 2);
        if (mark >= 0xc0 && mark <= 0xcf && mark != 0xc4 && mark != 0xc8 && mark != 0xcc)
            return length >= 8 && at + 9 <= n && sized(be(b + at + 7, 2), be(b + at + 5, 2), ret);
        if (length < 2)
            return false;
        at += 2 + length;
    }
    return false;
}

static bool webp(const unsigned char *b, size_t n, struct image_size *ret)
{
    slice chunk = slice_mem(b + 12, 4);
    if (slice_eq(chunk, SL("VP8X")) && n >= 30)
        return sized(le(b + 24, 3) + 1, le(b + 27, 3) + 1, ret);
    if (slice_eq(chunk, SL("VP8L")) && n >= 25 && b[20] == 0x2f) {
        uint32_t bits = le(b + 21, 4);
        return sized((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1, ret);
    }
    if (slice_eq(chunk, SL("VP8 ")) && n >= 30 && be(b + 23, 3) == 0x9d012a)
        return sized(le(b + 26, 2) & 0x3fff, le(b + 28, 2) & 0x3fff, ret);
    return false;
}

bool image_size(slice s, struct image_size *ret)
{
    const unsigned char *b = (const unsigned char *)s.p;
    if (s.n >= 24 && slice_starts(s, SL("\x89PNG\r\n\x1a\n")) && slice_eq(slice_sub(s, 12, 4), SL("IHDR")))
        return sized(be(b + 16, 4), be(b + 20, 4), ret);
    if (s.n >= 10 && (slice_starts(s, SL("GIF87a")) || slice_starts(s, SL("GIF89a"))))
        return sized(le(b + 6, 2), le(b + 8, 2), ret);
    if (s.n >= 16 && slice_starts(s, SL("RIFF")) && slice_eq(slice_sub(s, 8, 4), SL("WEBP")))
        return webp(b, s.n, ret);
    if (slice_starts(s, SL("\xff\xd8\xff")))
        return jpeg(b, s.n, ret);
    return false;
}
