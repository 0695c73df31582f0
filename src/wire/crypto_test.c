#include "tests/harness/test.h"
#include "wire/base64.h"
#include "wire/crypto.h"
#include "wire/hex.h"
#include <pthread.h>

#define BYTES(x) slice_mem((x).b, sizeof((x).b))

static slice repeat(struct arena *a, char c, size_t n)
{
    return slice_mem(memset(arena_alloc(a, n), c, n), n);
}

TEST(hashes_of_nothing_and_abc)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct sha1 s1 = sha1(SL("abc"));
    struct sha256 s2 = sha256(SL("abc")), empty = sha256(SLICE_NONE);
    struct sha512 s5 = sha512(SL("abc"));
    CHECK_SLICE(hex_encode(a, BYTES(s1)), SL("a9993e364706816aba3e25717850c26c9cd0d89d"));
    CHECK_SLICE(hex_encode(a, BYTES(s2)), SL("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    CHECK_SLICE(hex_encode(a, BYTES(empty)), SL("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
    CHECK_SLICE(hex_encode(a, BYTES(s5)),
                SL("ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"));
}

/* RFC 4231 sections 4.2 to 4.8 */
TEST(hmacs_of_rfc4231)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    const struct { slice key, data; const char *sha256, *sha512; } rows[] = {
        { repeat(a, 0x0b, 20), SL("Hi There"), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
          "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854" },
        { SL("Jefe"), SL("what do ya want for nothing?"), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
          "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737" },
        { repeat(a, (char)0xaa, 20), repeat(a, (char)0xdd, 50), "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
          "fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb" },
        { hex_decode(a, SL("0102030405060708090a0b0c0d0e0f10111213141516171819")), repeat(a, (char)0xcd, 50),
          "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
          "b0ba465637458c6990e5a8c5f61d4af7e576d97ff94b872de76f8050361ee3dba91ca5c11aa25eb4d679275cc5788063a5f19741120c4f2de2adebeb10a298dd" },
        { repeat(a, (char)0xaa, 131), SL("Test Using Larger Than Block-Size Key - Hash Key First"),
          "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
          "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f3526b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598" },
        { repeat(a, (char)0xaa, 131),
          SL("This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm."),
          "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
          "e37b6a775dc87dbaa4dfa9f96e5e3ffddebd71f8867289865df5a32d20cdc944b6022cac3c4982b10d5eeb55c3e4de15134676fb6de0446065c97440fa8c6a58" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sha256 m2 = hmac_sha256(rows[i].key, rows[i].data);
        struct sha512 m5 = hmac_sha512(rows[i].key, rows[i].data);
        CHECK_SLICE(hex_encode(a, BYTES(m2)), slice_of(rows[i].sha256));
        CHECK_SLICE(hex_encode(a, BYTES(m5)), slice_of(rows[i].sha512));
    }
    struct sha1 m1 = hmac_sha1(SL("Jefe"), SL("what do ya want for nothing?")); /* RFC 2202, case 2 */
    CHECK_SLICE(hex_encode(a, BYTES(m1)), SL("effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"));
    struct sha256 none = hmac_sha256(SLICE_NONE, SLICE_NONE);
    CHECK_SLICE(hex_encode(a, BYTES(none)), SL("b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"));
}

static const slice genesys_body = SLI(
    "{\"id\":\"0f3c7d2e5b6a49188c1d2e3f4a5b6c7d\",\"channel\":{\"id\":\"5c1f0a52-7d1b-4c39-9a0e-0d8f6b7a1c22\",\"platform\":\"Open\","
    "\"type\":\"Private\",\"messageId\":\"0f3c7d2e5b6a49188c1d2e3f4a5b6c7d\",\"to\":{\"id\":\"guest-42@line\",\"idType\":\"Opaque\"},"
    "\"from\":{\"nickname\":\"HUB-TEST\",\"id\":\"5c1f0a52-7d1b-4c39-9a0e-0d8f6b7a1c22\",\"idType\":\"Opaque\"},"
    "\"time\":\"2026-03-04T05:06:07.890Z\"},\"type\":\"Text\",\"text\":\"Hello \xe3\x81\x93\xe3\x82\x93\xe3\x81\xab\xe3\x81\xa1\xe3\x81\xaf\","
    "\"direction\":\"Outbound\",\"originatingEntity\":\"Human\",\"conversationId\":\"b2a7c8d9-1e2f-4a3b-8c4d-5e6f70819203\"}");

TEST(signatures_of_webhooks)
{
    struct sha256 line = hmac_sha256(SL("8c570fa6dd201bb328f1c1eac23a96d8"),
                                     SL("{\"destination\":\"U0123456789abcdef0123456789abcdef\",\"events\":[]}"));
    CHECK(mac_is_base64(BYTES(line), SL("j2zwSWvscnRkmVay2eMQI+B6oSOp3bA8F1CD3kPwJNo=")));
    CHECK_INT(genesys_body.n, 504);
    struct sha256 genesys = hmac_sha256(SL("hub-signature-token-0001"), genesys_body);
    CHECK(mac_is_base64(BYTES(genesys), SL("a9+r0s9uqoiV2onejRUukqb8NvwbXauoWPaFvnngtXY=")));
    CHECK(mac_is_hex(BYTES(genesys), SL("6bdfabd2cf6eaa8895da89de8d152e92a6fc36fc1b5daba858f685be79e0b576")));
    CHECK(mac_is_hex(BYTES(genesys), SL("6BDFABD2CF6EAA8895DA89DE8D152E92A6FC36FC1B5DABA858F685BE79E0B576")));
    static const slice wrong[] = {
        SLI(""), { NULL, 0 }, SLI("a9+r0s9uqoiV2onejRUukqb8NvwbXauoWPaFvnngtXY"), SLI("a9+r0s9uqoiV2onejRUukqb8NvwbXauoWPaFvnngtXZ="),
        SLI("a9-r0s9uqoiV2onejRUukqb8NvwbXauoWPaFvnngtXY="), SLI("6bdfabd2cf6eaa8895da89de8d152e92a6fc36fc1b5daba858f685be79e0b577"),
        SLI("6bdfabd2cf6eaa8895da89de8d152e92a6fc36fc1b5daba858f685be79e0b57x"), SLI("6bdfabd2cf6eaa8895da89de8d152e92"),
    };
    for (size_t i = 0; i < COUNT(wrong); i++)
        CHECK_ROW(i, !mac_is_base64(BYTES(genesys), wrong[i]) && !mac_is_hex(BYTES(genesys), wrong[i]));
}

TEST(signatures_of_map_addresses)
{
    static const struct { slice secret, data, want; } rows[] = {
        { SLI("bXlrZXk="), SLI("/maps/api/staticmap?center=40.714%2C+-73.998&client=myclient&size=400x400&zoom=12"),
          SLI("C1UG9w-v41q7i1lISpZsw1xzOV8=") },
        { SLI("aHViLXN0YXRpYy1tYXAtc2VjcmV0LTE="),
          SLI("/maps/api/staticmap?center=35.6586%2C139.7454&zoom=15&size=640x480&scale=1&language=ja&markers=35.6586%2C139.7454&key=AIzaTESTKEY0000000000000000000000000000"),
          SLI("RNZk_rem_BUaXMpZUfW0-5DgkQY=") },
    };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sha1 mac = hmac_sha1(base64url_decode(a, rows[i].secret), rows[i].data);
        CHECK_SLICE(base64url_encode_padded(a, BYTES(mac)), rows[i].want);
    }
}

TEST(sha256_in_pieces_is_the_same)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    CLEANUP(sha256_freep) struct sha256_stream *s = sha256_new();
    slice data = repeat(a, 'x', 1000);
    for (size_t step = 1; step < 300; step = step * 3 + 1) {
        for (size_t at = 0; at < data.n; at += step)
            sha256_update(s, slice_sub(data, at, step));
        struct sha256 got = sha256_final(s), want = sha256(data);
        CHECK_ROW(step, slice_eq(BYTES(got), BYTES(want)));
    }
    struct sha256 got = sha256_final(s), want = sha256(SL(""));
    CHECK_SLICE(BYTES(got), BYTES(want));
}

static void *in_thread(void *arg)
{
    for (int i = 0; i < 200; i++)
        *(struct sha256 *)arg = hmac_sha256(SL("k"), SL("d"));
    return NULL;
}

TEST(hmacs_of_several_threads_do_not_mix)
{
    pthread_t threads[4];
    struct sha256 got[COUNT(threads)], want = hmac_sha256(SL("k"), SL("d"));
    for (size_t i = 0; i < COUNT(threads); i++)
        CHECK(pthread_create(&threads[i], NULL, in_thread, &got[i]) == 0);
    for (size_t i = 0; i < COUNT(threads); i++) {
        pthread_join(threads[i], NULL);
        CHECK_ROW(i, slice_eq(BYTES(got[i]), BYTES(want)));
    }
}
