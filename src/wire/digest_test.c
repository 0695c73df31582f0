#include "tests/harness/test.h"
#include "wire/base64.h"
#include "wire/digest.h"
#include "wire/hex.h"

static slice hex_of(struct arena *a, enum digest_kind kind, slice text, size_t step)
{
    CLEANUP(digest_freep) struct digest_stream *s = digest_new(kind);
    digest_update(s, SL("something else"));
    digest_reset(s);
    for (size_t at = 0; at < text.n; at += step) {
        struct digest between = digest_now(s); /* does not disturb */
        digest_update(s, slice_sub(text, at, step));
        CHECK(between.n == digest_now(s).n);
    }
    struct digest d = digest_now(s);
    return hex_encode(a, slice_mem(d.b, d.n));
}

/* RFC 1321 A.5, FIPS 180 "abc", RFC 3720 B.4, the check value of CRC-32C */
TEST(digests_of_known_texts_in_any_pieces)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice zeros = slice_mem(arena_zalloc(a, 32), 32);
    const struct {
        enum digest_kind kind;
        slice text;
        const char *want;
    } rows[] = {
        { DIGEST_MD5, SL(""), "d41d8cd98f00b204e9800998ecf8427e" },
        { DIGEST_MD5, SL("message digest"), "f96b697d7cb7938d525a2f31aaf161d0" },
        { DIGEST_SHA1, SL("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d" },
        { DIGEST_SHA1, SL("hello attachment\n"), "0d94338dc05f13b2a9317c2a19bee5b4551e0da9" },
        { DIGEST_SHA256, SL("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
        { DIGEST_CRC32C, SL(""), "00000000" },
        { DIGEST_CRC32C, SL("123456789"), "e3069283" },
        { DIGEST_CRC32C, zeros, "8a9136aa" },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        for (size_t step = 1; step <= 40; step += 3)
            CHECK_SLICE(hex_of(a, rows[i].kind, rows[i].text, step), slice_of(rows[i].want));
    CLEANUP(digest_freep) struct digest_stream *s = digest_new(DIGEST_CRC32C);
    digest_update(s, SL("hello attachment\n"));
    struct digest d = digest_now(s);
    CHECK_SLICE(base64_encode(a, slice_mem(d.b, d.n)), SL("cjVV1Q=="));
}

/* Five MiB are two blocks; four are one, and nothing behind it. */
TEST(the_digest_of_blocks_whatever_the_pieces)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    char *ones = arena_alloc(a, 5 << 20);
    memset(ones, 1, 5 << 20);
    const struct {
        slice text;
        size_t step;
        const char *want;
    } rows[] = {
        { SL(""), 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
        { SL("hello attachment\n"), 5, "7512c1aa38a96f012da8704f81cfea6b06853e264069cdf0c40d437a5f6eed90" },
        { slice_mem(ones, 5 << 20), 5 << 20, "ebf13e17ed3b51acfa83b38fd6b7e2ec7732126b1c5009c069caf228cc29127a" },
        { slice_mem(ones, 5 << 20), 1 << 20, "ebf13e17ed3b51acfa83b38fd6b7e2ec7732126b1c5009c069caf228cc29127a" },
        { slice_mem(ones, 5 << 20), 65537, "ebf13e17ed3b51acfa83b38fd6b7e2ec7732126b1c5009c069caf228cc29127a" },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_SLICE(hex_of(a, DIGEST_SHA256_BLOCKS, rows[i].text, rows[i].step), slice_of(rows[i].want));
}
