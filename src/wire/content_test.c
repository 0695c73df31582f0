#include "tests/harness/test.h"
#include "wire/gzip.h"
#include "wire/hex.h"
#include "wire/image_size.h"
#include "wire/mime.h"
#include "wire/qr.h"
#include "wire/uuid.h"

TEST(uuids_are_random_and_well_formed)
{
    char one[UUID_TEXT], two[UUID_TEXT];
    uuid_v4(one);
    uuid_v4(two);
    CHECK(uuid_valid(slice_of(one)) && one[14] == '4' && strchr("89ab", one[19]) && strcmp(one, two) != 0);
    CHECK(uuid_valid(SL("0F3C7D2E-5b6a-4918-8c1d-2e3f4a5b6c7d")));
    static const slice bad[] = { SLI(""), SLI("0f3c7d2e5b6a49188c1d2e3f4a5b6c7d"), SLI("0f3c7d2e-5b6a-4918-8c1d-2e3f4a5b6c7g"),
                                 SLI("0f3c7d2e-5b6a-4918-8c1d-2e3f4a5b6c7"), SLI("0f3c7d2e-5b6a-49188-c1d-2e3f4a5b6c7d") };
    for (size_t i = 0; i < COUNT(bad); i++)
        CHECK_ROW(i, !uuid_valid(bad[i]));
}

TEST(ulids_sort_as_they_were_made)
{
    struct ulid_state s = { 0 };
    char last[ULID_TEXT] = "", next[ULID_TEXT];
    static const int64_t clock[] = { 1469918176385, 1469918176385, 1469918176386, 1469918176000, 0, -5, 1469918176387, INT64_C(1) << 60 };
    for (size_t i = 0; i < COUNT(clock); i++) {
        ulid_next(&s, clock[i], next);
        CHECK_ROW(i, strlen(next) == 26 && strcmp(last, next) < 0);
        if (i == 0)
            CHECK_SLICE(slice_mem(next, 10), SL("01ARYZ6S41")); /* the example of the specification */
        memcpy(last, next, sizeof(last));
    }
    memset(s.chance, 0xff, sizeof(s.chance));
    s.last_ms = 1000;
    struct ulid_state before = s;
    ulid_next(&s, 1000, next);
    CHECK_INT(s.last_ms, before.last_ms + 1);
    CHECK_SLICE(slice_of(next), SL("00000000Z90000000000000000"));
}

TEST(mime_types_and_names)
{
    CHECK_SLICE(mime_of_name(SL("Photo.JPG")), SL("image/jpeg"));
    CHECK_SLICE(mime_of_name(SL("a.tar.gz")), SL("application/gzip"));
    CHECK(!mime_of_name(SL("noext")).p && !mime_of_name(SL("x.")).p && !mime_of_name(SL("x.unknown")).p && !mime_of_name(SLICE_NONE).p);
    CHECK_SLICE(mime_extension(SL(" Image/JPEG ; q=1")), SL("jpg"));
    CHECK_SLICE(mime_extension(SL("audio/x-m4a")), SL("m4a"));
    CHECK_SLICE(mime_extension(SL("x/y")), SL("bin"));
    CHECK_INT(mime_kind(SL("image/png")), MIME_IMAGE);
    CHECK_INT(mime_kind(SL("VIDEO/mp4; codecs=x")), MIME_VIDEO);
    CHECK_INT(mime_kind(SL("audio/ogg")), MIME_AUDIO);
    CHECK_INT(mime_kind(SL("application/pdf")), MIME_FILE);
    CHECK_INT(mime_kind(SLICE_NONE), MIME_FILE);
    static const slice safe[] = { SLI("image/png"), SLI("application/pdf"), SLI("text/plain; charset=utf-8"), SLI("video/mp4"), SLI("audio/mpeg") };
    static const slice unsafe[] = { SLI("text/html"), SLI("image/svg+xml"), SLI("Text/HTML;x"), SLI("application/xml"), SLI("x/y"), SLI(""),
                                    SLI("application/xhtml+xml"), { NULL, 0 } };
    for (size_t i = 0; i < COUNT(safe); i++)
        CHECK_ROW(i, mime_inline_safe(safe[i]));
    for (size_t i = 0; i < COUNT(unsafe); i++)
        CHECK_ROW(i, !mime_inline_safe(unsafe[i]));
    CHECK(mime_valid(SL("image/svg+xml; charset=x")) && !mime_valid(SL("image")) && !mime_valid(SL("a/b/c")) && !mime_valid(SL("/b")));
    CHECK(!mime_valid(SL("a/")) && !mime_valid(SL("a/b\r\nx")) && !mime_valid(SL("")) && !mime_valid(slice_mem("a/\0", 3)));
}

TEST(mime_sniffs_content)
{
    static const struct { slice hex, want; } rows[] = {
        { SLI("ffd8ffe000104a464946"), SLI("image/jpeg") }, { SLI("89504e470d0a1a0a0000000d"), SLI("image/png") },
        { SLI("474946383961"), SLI("image/gif") }, { SLI("524946460000000057454250"), SLI("image/webp") },
        { SLI("524946460000000057415645"), SLI("audio/wav") }, { SLI("255044462d312e37"), SLI("application/pdf") },
        { SLI("000000186674797069736f6d"), SLI("video/mp4") }, { SLI("00000018667479704d344120"), SLI("audio/mp4") },
        { SLI("494433030000"), SLI("audio/mpeg") }, { SLI("fffb9064"), SLI("audio/mpeg") }, { SLI("4f676753"), SLI("audio/ogg") },
        { SLI("504b0304"), SLI("application/zip") }, { SLI("1f8b0800"), SLI("application/gzip") },
        { SLI(""), { NULL, 0 } }, { SLI("3c68746d6c3e"), { NULL, 0 } }, { SLI("ffffffff"), { NULL, 0 } }, { SLI("5249464600000000"), { NULL, 0 } },
    };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_SLICE(mime_sniff(hex_decode(a, rows[i].hex)), rows[i].want);
}

TEST(mime_settles_what_a_file_is)
{
    static const struct { slice declared, served, name, hex, want; } rows[] = {
        { SLI("image/jpeg"), SLI("application/octet-stream"), SLI("x"), SLI("ffd8ffe0"), SLI("image/jpeg") },
        { SLI("image/jpeg; q=1"), SLI("image/jpeg"), SLI("x"), SLI(""), SLI("image/jpeg") },
        { SLI("image/jpeg"), SLI("image/jpeg"), SLI("x.jpg"), SLI("255044462d312e37"), SLI("application/pdf") },
        { SLI("image/heic-sequence"), SLI(""), SLI("x"), SLI("00000018667479706d736631"), SLI("image/heic-sequence") },
        { SLI("image/svg+xml"), SLI(""), SLI("x"), SLI("3c737667"), SLI("image/svg+xml") },
        { SLI("application/x-ai"), SLI(""), SLI("x"), SLI("255044462d312e37"), SLI("application/x-ai") },
        { SLI("image/*"), SLI("image/png"), SLI("x"), SLI("89504e470d0a1a0a"), SLI("image/png") },
        { SLI(""), SLI("text/plain; charset=utf-8"), SLI("x.pdf"), SLI("68"), SLI("text/plain") },
        { SLI("application/octet-stream"), SLI("binary/octet-stream"), SLI("a.mp3"), SLI("89504e470d0a1a0a"), SLI("image/png") },
        { SLI(""), SLI("application/octet-stream"), SLI("a.docx"), SLI("504b0304"), SLI("application/vnd.openxmlformats-officedocument.wordprocessingml.document") },
        { SLI(""), SLI(""), SLI("a"), SLI("504b0304"), SLI("application/zip") },
        { SLI("image/*"), SLI("application/octet-stream"), SLI("a"), SLI("00"), SLI("application/octet-stream") },
        { SLI(""), SLI(""), SLI("a"), SLI(""), { NULL, 0 } },
    };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_SLICE(mime_settle(rows[i].declared, rows[i].served, rows[i].name, hex_decode(a, rows[i].hex)), rows[i].want);
    slice list = SL("image/*, application/pdf");
    CHECK(mime_among(SL("Image/PNG"), list) && mime_among(SL("application/pdf; x=1"), list) && mime_among(SL("a/b"), SL("*/*")));
    CHECK(!mime_among(SL("imagex/png"), list) && !mime_among(SL("application/pdfx"), list) && !mime_among(SL(""), list) && !mime_among(SL("a/b"), SL("")));
}

TEST(gzip_unpacks_within_its_bound)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct text t = text_new(a, 1 << 20);
    for (int i = 0; i < 20000; i++)
        text_add(&t, "%d,", i * 7919);
    slice plain = text_slice(&t), packed = gzip_pack(a, plain), got = SLICE_NONE;
    CHECK(packed.n < plain.n);
    CHECK_INT(gzip_unpack(a, packed, plain.n, &got), GZIP_OK);
    CHECK(slice_eq(got, plain));
    CHECK_INT(gzip_unpack(a, packed, plain.n - 1, &got), GZIP_TOO_BIG);
    CHECK_INT(gzip_unpack(a, packed, 0, &got), GZIP_TOO_BIG);
    slice nothing = gzip_pack(a, SL(""));
    CHECK_INT(gzip_unpack(a, nothing, 0, &got), GZIP_OK);
    CHECK(got.p && got.n == 0);
    slice twice = arena_printf(a, "%s", "");
    char *both = arena_alloc(a, packed.n * 2);
    memcpy(both, packed.p, packed.n);
    memcpy(both + packed.n, packed.p, packed.n);
    twice = slice_mem(both, packed.n * 2);
    CHECK_INT(gzip_unpack(a, twice, plain.n * 2, &got), GZIP_OK);
    CHECK(got.n == plain.n * 2 && slice_eq(slice_from(got, plain.n), plain));
    CHECK_INT(gzip_unpack(a, hex_decode(a, SL("789c4b040000620062")), 10, &got), GZIP_OK); /* zlib */
    CHECK_SLICE(got, SL("a"));
    for (size_t cut = 0; cut < nothing.n; cut++)
        CHECK_ROW(cut, gzip_unpack(a, slice_sub(nothing, 0, cut), 100, &got) == GZIP_BAD);
    CHECK_INT(gzip_unpack(a, slice_sub(packed, 0, packed.n - 9), plain.n, &got), GZIP_BAD);
    char *bad = arena_alloc(a, packed.n + 1);
    memcpy(bad, packed.p, packed.n);
    bad[packed.n] = 'x';
    CHECK_INT(gzip_unpack(a, slice_mem(bad, packed.n + 1), plain.n, &got), GZIP_BAD);
    bad[packed.n - 6] ^= 1; /* in the checksum */
    CHECK_INT(gzip_unpack(a, slice_mem(bad, packed.n), plain.n, &got), GZIP_BAD);
    CHECK_INT(gzip_unpack(a, SL("plain text"), 100, &got), GZIP_BAD);
}

TEST(gzip_bombs_cost_no_memory)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    CLEANUP(arena_freep) struct arena *b = arena_new();
    char *zeros = arena_zalloc(a, 32 << 20);
    slice bomb = gzip_pack(a, slice_mem(zeros, 32 << 20)), got;
    CHECK(bomb.n < 64 << 10);
    CHECK_INT(gzip_unpack(b, bomb, 64 << 10, &got), GZIP_TOO_BIG);
    CHECK(arena_bytes(b) < 256 << 10);
}

TEST(qr_codes_are_drawn)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice svg = qr_svg(a, SL("https://line.me/R/ti/p/%40acme"));
    CHECK(slice_starts(svg, SL("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 37 37\"")));
    CHECK(slice_ends(svg, SL("z\"/></svg>")));
    CHECK(slice_find(svg, SL("<path d=\"M4 4h7v1h-7zM")) != SIZE_MAX); /* the first finder pattern's upper edge */
    CHECK(slice_find(svg, SL("M26 4h7v1h-7zM4 5h1v1h-1zM10 5h1v1h-1z")) != SIZE_MAX);
    char *longest = arena_alloc(a, QR_TEXT_MAX + 1);
    memset(longest, 'x', QR_TEXT_MAX + 1);
    CHECK(qr_svg(a, slice_mem(longest, QR_TEXT_MAX)).p && !qr_svg(a, slice_mem(longest, QR_TEXT_MAX + 1)).p);
    CHECK(!qr_svg(a, SL("")).p && qr_svg(a, slice_mem("a\0b", 3)).p);
}

TEST(image_sizes_are_read)
{
    static const struct { slice hex; int width, height; } rows[] = {
        { SLI("89504e470d0a1a0a0000000d4948445200000280000001e0"), 640, 480 },
        { SLI("474946383961800210010000"), 640, 272 },
        { SLI("ffd8ffe000104a46494600010100000100010000ffc4000400ffffc000110801e002800301"), 640, 480 },
        { SLI("ffd8ffffe00002ffc2000b0801e00280"), 640, 480 },                                   /* fill byte, progressive */
        { SLI("52494646000000005745425056503820000000000000009d012a8002e001"), 640, 480 },       /* lossy */
        { SLI("5249464600000000574542505650384c000000002f7fc27700"), 640, 480 },                 /* lossless */
        { SLI("5249464600000000574542505650385800000000000000007f0200df0100"), 640, 480 },       /* extended */
    };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(rows); i++) {
        slice bytes = hex_decode(a, rows[i].hex);
        struct image_size s = { 0, 0 };
        CHECK_ROW(i, bytes.p && image_size(bytes, &s));
        CHECK_INT(s.width, rows[i].width);
        CHECK_INT(s.height, rows[i].height);
        for (size_t n = 0; n < 9 && n < bytes.n; n++)
            CHECK_ROW(i, !image_size(slice_sub(bytes, 0, n), &s));
    }
    static const slice bad[] = {
        SLI("89504e470d0a1a0a0000000d4948445200000000000001e0"), SLI("89504e470d0a1a0a0000000d49484452ffffffff000001e0"),
        SLI("ffd8ffe00001ffc0000b0801e00280"), SLI("ffd8ffda0000000000000000"), SLI("ffd8ffe0ffff"), SLI("ffd80000"), SLI("00"),
        SLI("474946383961000010010000"), SLI("52494646000000005745425041424344000000000000009d012a8002e001"),
    };
    struct image_size s;
    for (size_t i = 0; i < COUNT(bad); i++)
        CHECK_ROW(i, !image_size(hex_decode(a, bad[i]), &s));
}
