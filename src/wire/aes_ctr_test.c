/* One known text, pieces of every size, and starting in the middle. */
#include "tests/harness/test.h"
#include "wire/aes_ctr.h"
#include "wire/hex.h"

static const char key_hex[] = "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4";
static const char plain[] = "Hello, Messages for Business!\n";

TEST(a_known_text)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    CLEANUP(aes_ctr_freep) struct aes_ctr *c = aes_ctr_new(hex_decode(a, slice_of(key_hex)), 0);
    char out[sizeof(plain) - 1];
    CHECK(c != NULL);
    aes_ctr_run(c, plain, sizeof(out), out);
    CHECK_SLICE(hex_encode(a, slice_mem(out, sizeof(out))), SL("ad0d9aedfbe3569b723e3fa12475db74f77a6c7d490f6c72aeb2dfa38f34"));
}

TEST(in_pieces_of_any_size_and_back_in_place)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice key = hex_decode(a, slice_of(key_hex));
    for (size_t piece = 1; piece < 40; piece++) {
        char text[sizeof(plain) - 1];
        memcpy(text, plain, sizeof(text));
        for (int way = 0; way < 2; way++) {
            CLEANUP(aes_ctr_freep) struct aes_ctr *c = aes_ctr_new(key, 0);
            for (size_t at = 0; at < sizeof(text); at += piece)
                aes_ctr_run(c, text + at, MIN(piece, sizeof(text) - at), text + at);
            CHECK(slice_eq(slice_mem(text, sizeof(text)), slice_of(plain)) == (way == 1));
        }
    }
}

TEST(from_any_byte_on)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice key = hex_decode(a, slice_of(key_hex));
    const int64_t bases[] = { 0, INT64_C(16) << 32 };
    for (size_t b = 0; b < COUNT(bases); b++)
        for (int64_t from = 0; from < 33; from++) {
            CLEANUP(aes_ctr_freep) struct aes_ctr *whole = aes_ctr_new(key, bases[b]), *part = aes_ctr_new(key, bases[b] + from);
            char zero[64] = { 0 }, one[64], other[64];
            aes_ctr_run(whole, zero, sizeof(zero), one);
            aes_ctr_run(part, zero, sizeof(zero) - (size_t)from, other);
            CHECK(memcmp(one + from, other, sizeof(zero) - (size_t)from) == 0);
        }
}

TEST(what_is_no_key)
{
    char bytes[33] = { 0 };
    CHECK(aes_ctr_new(slice_mem(bytes, 31), 0) == NULL);
    CHECK(aes_ctr_new(slice_mem(bytes, 33), 0) == NULL);
    CHECK(aes_ctr_new(SLICE_NONE, 0) == NULL);
    CHECK(aes_ctr_new(slice_mem(bytes, 32), -1) == NULL);
}
