#include "sim/draw.h"
#include <math.h>
#include <zlib.h>

struct canvas {
    struct arena *a;
    unsigned w, h;
    bool alpha;
    unsigned char *px; /* RGBA */
};
struct colour {
    unsigned char r, g, b;
};

static struct canvas canvas_new(struct arena *a, unsigned w, unsigned h, bool alpha)
{
    return (struct canvas){ a, w, h, alpha, arena_zalloc(a, (size_t)w * h * 4) };
}

static unsigned char mix(unsigned char under, unsigned char over, double share)
{
    return (unsigned char)(under + (over - under) * share + 0.5);
}

static void put(struct canvas *c, unsigned x, unsigned y, struct colour k, double share)
{
    unsigned char *p = c->px + ((size_t)y * c->w + x) * 4;
    if (share <= 0)
        return;
    share = share > 1 ? 1 : share;
    double covered = p[3] / 255.0, under = p[3] ? share : 1;
    p[0] = mix(p[0], k.r, under);
    p[1] = mix(p[1], k.g, under);
    p[2] = mix(p[2], k.b, under);
    p[3] = (unsigned char)((share + covered * (1 - share)) * 255 + 0.5);
}

/* An ellipse with soft edges; positions and radii are shares of the picture's height. */
static void ellipse(struct canvas *c, double cx, double cy, double rx, double ry, struct colour k)
{
    double s = c->h;
    for (unsigned y = 0; y < c->h; y++)
        for (unsigned x = 0; x < c->w; x++) {
            double dx = ((x + 0.5) / s - cx) / rx, dy = ((y + 0.5) / s - cy) / ry;
            double d = sqrt(dx * dx + dy * dy);
            put(c, x, y, k, (1 - d) * MIN(rx, ry) * s + 0.5);
        }
}

/* The lower half of a ring: a smile. */
static void smile(struct canvas *c, double cx, double cy, double r, double thick, struct colour k)
{
    double s = c->h;
    for (unsigned y = 0; y < c->h; y++)
        for (unsigned x = 0; x < c->w; x++) {
            double dx = (x + 0.5) / s - cx, dy = (y + 0.5) / s - cy;
            if (dy < r * 0.2)
                continue;
            put(c, x, y, k, (thick - fabs(sqrt(dx * dx + dy * dy) - r)) * s + 0.5);
        }
}

static void fill(struct canvas *c, struct colour top, struct colour bottom)
{
    for (unsigned y = 0; y < c->h; y++)
        for (unsigned x = 0; x < c->w; x++) {
            double t = (double)y / c->h;
            put(c, x, y, (struct colour){ mix(top.r, bottom.r, t), mix(top.g, bottom.g, t), mix(top.b, bottom.b, t) }, 1);
        }
}

/* ---- PNG ---------------------------------------------------------------------------------------------------------------------------- */

static void put_u32(struct text *t, uint32_t v)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        text_char(t, (char)(v >> shift & 0xff));
}

static void chunk(struct text *t, const char *name, slice data)
{
    put_u32(t, (uint32_t)data.n);
    size_t from = t->n;
    text_put(t, slice_of(name));
    text_put(t, data);
    put_u32(t, (uint32_t)crc32(0, (const Bytef *)t->p + from, (uInt)(t->n - from)));
}

static slice png(const struct canvas *c)
{
    size_t channels = c->alpha ? 4 : 3, row = c->w * channels + 1, n = 0;
    unsigned char *raw = arena_alloc(c->a, row * c->h);
    for (unsigned y = 0; y < c->h; y++) {
        raw[n++] = 0; /* no filter */
        for (unsigned x = 0; x < c->w; x++, n += channels)
            memcpy(raw + n, c->px + ((size_t)y * c->w + x) * 4, channels);
    }
    uLongf packed_n = compressBound(n);
    unsigned char *packed = arena_alloc(c->a, packed_n);
    int rc = compress2(packed, &packed_n, raw, n, 6);
    assert(rc == Z_OK);

    struct text head = text_new(c->a, 64), out = text_new(c->a, packed_n + 256);
    put_u32(&head, c->w);
    put_u32(&head, c->h);
    text_put(&head, slice_mem(c->alpha ? "\x08\x06\0\0\0" : "\x08\x02\0\0\0", 5)); /* 8 bits, colour with or without alpha */
    text_put(&out, SL("\x89PNG\r\n\x1a\n"));
    chunk(&out, "IHDR", text_slice(&head));
    chunk(&out, "IDAT", slice_mem(packed, packed_n));
    chunk(&out, "IEND", SLICE_NONE);
    return text_slice(&out);
}

/* ---- pictures ------------------------------------------------------------------------------------------------------------------------- */

/* clang-format off */
static const struct colour skins[] = { { 255, 219, 172 }, { 241, 194, 125 }, { 224, 172, 105 }, { 141, 85, 36 }, { 198, 134, 66 } };
static const struct colour hairs[] = { { 45, 35, 30 }, { 184, 120, 60 }, { 25, 22, 28 }, { 120, 60, 35 }, { 90, 90, 100 } };
static const struct colour cloths[] = { { 64, 145, 108 }, { 69, 123, 157 }, { 188, 80, 144 }, { 244, 162, 97 }, { 106, 76, 147 }, { 38, 70, 83 } };
static const struct colour skies[] = { { 222, 239, 231 }, { 222, 234, 246 }, { 246, 226, 240 }, { 252, 238, 220 }, { 234, 228, 246 } };
/* clang-format on */
static const struct colour ink = { 40, 38, 46 }, white = { 255, 255, 255 };

slice draw_face(struct arena *a, unsigned size, unsigned number)
{
    struct canvas c = canvas_new(a, size, size, false);
    unsigned n = number * 7 + number / 5;
    fill(&c, skies[number % COUNT(skies)], skies[(number + 1) % COUNT(skies)]);
    struct colour hair = hairs[n % COUNT(hairs)], skin = skins[n / 2 % COUNT(skins)];
    ellipse(&c, 0.5, 1.02, 0.36, 0.30, cloths[number % COUNT(cloths)]);
    if (number % 2)
        ellipse(&c, 0.5, 0.52, 0.29, 0.34, hair);
    ellipse(&c, 0.5, 0.36, 0.26, 0.22, hair);
    ellipse(&c, 0.5, 0.49, 0.22, 0.26, skin);
    ellipse(&c, 0.5, 0.27, 0.20, 0.09, hair);
    ellipse(&c, 0.42, 0.47, 0.024, 0.032, ink);
    ellipse(&c, 0.58, 0.47, 0.024, 0.032, ink);
    smile(&c, 0.5, 0.54, 0.09, 0.012, ink);
    return png(&c);
}

slice draw_sticker(struct arena *a, unsigned size, unsigned number)
{
    struct canvas c = canvas_new(a, size, size, true);
    struct colour body = cloths[number % COUNT(cloths)], light = skies[number % COUNT(skies)];
    ellipse(&c, 0.27, 0.26, 0.13, 0.15, white);
    ellipse(&c, 0.73, 0.26, 0.13, 0.15, white);
    ellipse(&c, 0.5, 0.54, 0.44, 0.41, white);
    ellipse(&c, 0.27, 0.26, 0.11, 0.13, body);
    ellipse(&c, 0.73, 0.26, 0.11, 0.13, body);
    ellipse(&c, 0.5, 0.54, 0.41, 0.38, body);
    ellipse(&c, 0.5, 0.60, 0.27, 0.24, light);
    ellipse(&c, 0.37, 0.47, 0.045, 0.06, ink);
    ellipse(&c, 0.63, 0.47, 0.045, 0.06, ink);
    ellipse(&c, 0.385, 0.45, 0.014, 0.018, white);
    ellipse(&c, 0.645, 0.45, 0.014, 0.018, white);
    ellipse(&c, 0.5, 0.56, 0.035, 0.024, ink);
    smile(&c, 0.5, number % 2 ? 0.58 : 0.62, number % 3 ? 0.11 : 0.08, 0.014, ink);
    return png(&c);
}

slice draw_scene(struct arena *a, unsigned width, unsigned height, unsigned number)
{
    struct canvas c = canvas_new(a, width, height, false);
    double wide = (double)width / height;
    fill(&c, (struct colour){ 94, 155, 212 }, (struct colour){ 252, 226, 190 });
    ellipse(&c, wide * 0.72, 0.30, 0.10, 0.10, (struct colour){ 255, 244, 200 });
    for (unsigned i = 0; i < 3; i++)
        ellipse(&c, wide * (0.15 + 0.2 * i), 0.16 + 0.05 * (double)((i + number) % 3), 0.14, 0.03, white);
    ellipse(&c, wide * 0.25, 1.02, wide * 0.45, 0.42, (struct colour){ 74, 124, 110 });
    ellipse(&c, wide * 0.85, 1.08, wide * 0.50, 0.46, (struct colour){ 58, 104, 92 });
    ellipse(&c, wide * 0.50, 1.25, wide * 0.80, 0.42, (struct colour){ 44, 82, 74 });
    return png(&c);
}
