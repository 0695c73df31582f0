#include "wire/png.h"
#include "wire/gzip.h"
#include <zlib.h>

static const char signature[] = "\x89PNG\r\n\x1a\n";
enum { SIGNATURE = 8, CHUNK = 12, HEADER = 13, COLOURS = 256, OPAQUE = 255 };

static uint32_t be32(slice s, size_t at)
{
    const unsigned char *p = (const unsigned char *)s.p + at;
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

struct chunk {
    slice type, data;
};

/* Cuts the next chunk off *rest; false: there is none, or it is damaged. */
static bool chunk_next(slice *rest, struct chunk *ret)
{
    if (rest->n < CHUNK)
        return false;
    size_t n = be32(*rest, 0);
    if (n > rest->n - CHUNK)
        return false;
    slice named = slice_sub(*rest, 4, 4 + n);
    if (crc32(0, (const unsigned char *)named.p, (uInt)named.n) != be32(*rest, 8 + n))
        return false;
    *ret = (struct chunk){ slice_sub(named, 0, 4), slice_from(named, 4) };
    *rest = slice_from(*rest, CHUNK + n);
    return true;
}

static bool header(const struct chunk *c, struct png *ret)
{
    if (!slice_eq(c->type, SL("IHDR")) || c->data.n != HEADER)
        return false;
    const unsigned char *p = (const unsigned char *)c->data.p;
    *ret = (struct png){ .width = be32(c->data, 0), .height = be32(c->data, 4), .depth = p[8], .colour = p[9], .interlaced = p[12] != 0 };
    ret->clear = ret->colour == 4 || ret->colour == 6;
    return ret->width && ret->height;
}

bool png_read(slice bytes, struct png *ret)
{
    struct chunk c;
    slice rest = slice_from(bytes, SIGNATURE);
    if (!slice_starts(bytes, slice_mem(signature, SIGNATURE)) || !chunk_next(&rest, &c) || !header(&c, ret))
        return false;
    while (chunk_next(&rest, &c)) {
        ret->clear |= slice_eq(c.type, SL("tRNS"));
        if (slice_eq(c.type, SL("IEND")))
            return true;
    }
    return false;
}

/* ---- pixels ----------------------------------------------------------------------------------------------------------- */

static unsigned paeth(unsigned a, unsigned b, unsigned c)
{
    int p = (int)a + (int)b - (int)c, pa = abs(p - (int)a), pb = abs(p - (int)b), pc = abs(p - (int)c);
    return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
}

/* One line, in place; up: the line above it, or zeros. */
static bool unfilter(unsigned how, unsigned char *line, const unsigned char *up, size_t n, size_t step)
{
    for (size_t i = 0; i < n; i++) {
        unsigned left = i >= step ? line[i - step] : 0, above = up[i], corner = i >= step ? up[i - step] : 0;
        unsigned add;
        switch (how) {
        case 0: add = 0; break;
        case 1: add = left; break;
        case 2: add = above; break;
        case 3: add = (left + above) / 2; break;
        case 4: add = paeth(left, above, corner); break;
        default: return false;
        }
        line[i] = (unsigned char)(line[i] + add);
    }
    return true;
}

struct looks {
    struct png png;
    slice palette, alphas; /* PLTE, tRNS */
    slice packed;
};

static bool collect(struct arena *a, slice bytes, struct looks *l)
{
    struct chunk c;
    slice rest = slice_from(bytes, SIGNATURE);
    struct text packed = text_new(a, bytes.n + 1);
    while (chunk_next(&rest, &c)) {
        if (slice_eq(c.type, SL("PLTE")))
            l->palette = c.data;
        else if (slice_eq(c.type, SL("tRNS")))
            l->alphas = c.data;
        else if (slice_eq(c.type, SL("IDAT")))
            text_put(&packed, c.data);
    }
    l->packed = text_slice(&packed);
    return l->packed.n > 0;
}

static bool is_white(const unsigned char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] != OPAQUE)
            return false;
    return true;
}

/* White or transparent; partly transparent white is the soft edge of a line. */
static bool pixel_ok(const struct looks *l, const unsigned char *p)
{
    switch (l->png.colour) {
    case 0: return p[0] == OPAQUE || (l->alphas.n >= 2 && (unsigned char)l->alphas.p[1] == p[0]);
    case 2:
        return is_white(p, 3) || (l->alphas.n >= 6 && (unsigned char)l->alphas.p[1] == p[0] && (unsigned char)l->alphas.p[3] == p[1] &&
                                  (unsigned char)l->alphas.p[5] == p[2]);
    case 3:
        if (p[0] < l->alphas.n && l->alphas.p[p[0]] == 0)
            return true;
        return (size_t)p[0] * 3 + 3 <= l->palette.n && is_white((const unsigned char *)l->palette.p + (size_t)p[0] * 3, 3);
    case 4: return p[1] == 0 || p[0] == OPAQUE;
    case 6: return p[3] == 0 || is_white(p, 3);
    default: return false;
    }
}

bool png_is_outline(struct arena *a, slice bytes)
{
    static const size_t channels[] = { 1, 0, 3, 1, 2, 0, 4 };
    struct looks l = { 0 };
    slice raw;
    if (!png_read(bytes, &l.png) || l.png.depth != 8 || l.png.interlaced || l.png.colour >= COUNT(channels) || !channels[l.png.colour] ||
        l.png.width > PNG_SIDE_MAX || l.png.height > PNG_SIDE_MAX || !collect(a, bytes, &l))
        return false;
    size_t step = channels[l.png.colour], n = l.png.width * step, line = n + 1;
    if (gzip_unpack(a, l.packed, line * l.png.height, &raw) != GZIP_OK || raw.n != line * l.png.height)
        return false;
    unsigned char *pixels = arena_alloc(a, raw.n), *up = arena_zalloc(a, n);
    memcpy(pixels, raw.p, raw.n);
    for (size_t y = 0; y < l.png.height; y++) {
        unsigned char *now = pixels + y * line + 1;
        if (!unfilter(now[-1], now, up, n, step))
            return false;
        for (size_t x = 0; x < l.png.width; x++)
            if (!pixel_ok(&l, now + x * step))
                return false;
        up = now;
    }
    return true;
}
