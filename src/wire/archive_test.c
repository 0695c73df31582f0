/* zip and png. */
#include "tests/harness/test.h"
#include "wire/png.h"
#include "wire/zip.h"
#include <zlib.h>

TEST(zip_is_read_back_by_its_directory)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct zip z = zip_new(a, 1000);
    zip_add(&z, "a.txt", SL("hello"));
    zip_add(&z, "b", SL(""));
    slice all = zip_done(&z);
    CHECK(all.p && slice_starts(all, SL("PK\3\4")));
    CHECK(slice_find(all, SL("a.txthello")) != SIZE_MAX);
    size_t end = all.n - 22; /* its end record has no comment */
    CHECK(slice_starts(slice_from(all, end), SL("PK\5\6")));
    CHECK_INT((unsigned char)all.p[end + 10], 2);
    size_t directory = (unsigned char)all.p[end + 16];
    CHECK(slice_starts(slice_from(all, directory), SL("PK\1\2")));
    struct zip small = zip_new(a, 60);
    zip_add(&small, "a.txt", SL("hello, but a text that is longer than that"));
    CHECK(!zip_done(&small).p);
}

/* ---- pictures made here --------------------------------------------------------------------------------------------- */

static void put32(struct text *t, uint32_t v)
{
    for (int i = 24; i >= 0; i -= 8)
        text_char(t, (char)(v >> i & 0xff));
}

static void chunk(struct text *t, const char *type, slice data)
{
    put32(t, (uint32_t)data.n);
    size_t from = t->n;
    text_put(t, slice_of(type));
    text_put(t, data);
    put32(t, (uint32_t)crc32(0, (const unsigned char *)t->p + from, (uInt)(t->n - from)));
}

static slice picture(struct arena *a, unsigned w, unsigned h, unsigned colour, slice raw, slice palette, slice clear)
{
    struct text t = text_new(a, 1 << 20), head = text_new(a, 100);
    text_put(&t, SL("\x89PNG\r\n\x1a\n"));
    put32(&head, w);
    put32(&head, h);
    text_char(&head, 8);
    text_char(&head, (char)colour);
    text_put(&head, SL("\0\0\0"));
    chunk(&t, "IHDR", text_slice(&head));
    if (palette.n)
        chunk(&t, "PLTE", palette);
    if (clear.p)
        chunk(&t, "tRNS", clear);
    uLongf n = compressBound(raw.n);
    unsigned char *packed = arena_alloc(a, n);
    CHECK_INT(compress(packed, &n, (const unsigned char *)raw.p, raw.n), Z_OK);
    chunk(&t, "IDAT", slice_mem(packed, n));
    chunk(&t, "IEND", SL(""));
    return text_slice(&t);
}

TEST(png_knows_white_and_clear)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct { slice bytes; bool ok; } rows[] = {
        { picture(a, 2, 1, 6, SL("\0\xff\xff\xff\xff\1\2\3\0"), SLICE_NONE, SLICE_NONE), true },  /* white, clear */
        { picture(a, 2, 1, 6, SL("\0\xff\xff\xff\xff\1\2\3\1"), SLICE_NONE, SLICE_NONE), false }, /* hardly to be seen, and not white */
        { picture(a, 2, 1, 6, SL("\1\xff\xff\xff\x80\0\0\0\0"), SLICE_NONE, SLICE_NONE), true },  /* as the one to the left */
        { picture(a, 1, 2, 6, SL("\0\xff\xff\xff\xff\2\0\0\0\0"), SLICE_NONE, SLICE_NONE), true }, /* as the one above */
        { picture(a, 1, 2, 4, SL("\0\xff\xff\4\0\0"), SLICE_NONE, SLICE_NONE), true },
        { picture(a, 1, 2, 0, SL("\3\xff\3\x80"), SLICE_NONE, SLICE_NONE), true },
        { picture(a, 1, 1, 2, SL("\0\xff\xff\xfe"), SLICE_NONE, SLICE_NONE), false },
        { picture(a, 1, 1, 2, SL("\0\1\2\3"), SLICE_NONE, SL("\0\1\0\2\0\3")), true },
        { picture(a, 2, 1, 3, SL("\0\0\1"), SL("\1\2\3\xff\xff\xff"), SL("\0")), true },
        { picture(a, 2, 1, 3, SL("\0\0\1"), SL("\1\2\3\xff\xff\xff"), SLICE_NONE), false },
        { picture(a, 1, 1, 3, SL("\0\7"), SL("\xff\xff\xff"), SLICE_NONE), false }, /* outside the palette */
        { picture(a, 1, 1, 0, SL("\5\xff"), SLICE_NONE, SLICE_NONE), false },        /* no such filter */
        { picture(a, 2, 1, 0, SL("\0\xff"), SLICE_NONE, SLICE_NONE), false },        /* a pixel short */
        { picture(a, 1, 1, 0, SL("\0\xff\xff"), SLICE_NONE, SLICE_NONE), false },    /* one too many */
        { picture(a, 1, 1, 1, SL("\0\xff"), SLICE_NONE, SLICE_NONE), false },        /* no such colour type */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct png p;
        CHECK_ROW(i, png_read(rows[i].bytes, &p) && p.width <= 2);
        CHECK_ROW(i, png_is_outline(a, rows[i].bytes) == rows[i].ok);
    }
}

TEST(png_refuses_damage)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice good = picture(a, 192, 192, 0, slice_mem(arena_zalloc(a, 193 * 192), 193 * 192), SLICE_NONE, SLICE_NONE);
    struct png p;
    CHECK(png_read(good, &p));
    CHECK(p.width == 192 && p.height == 192 && p.depth == 8 && !p.clear && !p.interlaced);
    for (size_t n = 0; n < good.n; n++)
        CHECK_ROW(n, !png_read(slice_sub(good, 0, n), &p));
    for (size_t i = 0; i < good.n; i++) {
        char *broken = arena_cstr(a, good);
        broken[i] ^= 1;
        CHECK_ROW(i, !png_read(slice_mem(broken, good.n), &p));
    }
}
