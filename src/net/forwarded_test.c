/* What a door says of a peer: believed with the key and in time, else not. */
#include "net/forwarded.h"
#include "tests/harness/test.h"
#include "wire/base64.h"
#include "wire/crypto.h"

static const int64_t now = 1767225600000;
static const slice key = SLI("0123456789abcdef0123456789abcdef");

TEST(forwarded_is_read_as_it_was_signed)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    static const slice remotes[] = { SLI("192.0.2.7:5678"), SLI("[2001:db8::1]:9"), SLI("local") };
    for (size_t i = 0; i < COUNT(remotes); i++) {
        slice got = SLICE_NONE;
        slice value = forwarded_sign(a, key, remotes[i], now);
        CHECK_ROW(i, forwarded_check(a, key, value, now + 5, &got));
        CHECK_SLICE(got, remotes[i]);
    }
}

TEST(forwarded_is_stale_after_its_time)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice got, value = forwarded_sign(a, key, SL("192.0.2.7:1"), now);
    static const struct {
        int64_t later_ms;
        bool good;
    } rows[] = { { 0, true }, { FORWARDED_FRESH_MS, true }, { FORWARDED_FRESH_MS + 1, false }, { -FORWARDED_FRESH_MS, true },
                 { -FORWARDED_FRESH_MS - 1, false } };
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_ROW(i, forwarded_check(a, key, value, now + rows[i].later_ms, &got) == rows[i].good);
}

TEST(forwarded_any_changed_byte_is_noticed)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice got, value = forwarded_sign(a, key, SL("192.0.2.7:1"), now);
    for (size_t i = 0; i < value.n; i++) {
        char *other = arena_cstr(a, value);
        other[i] = other[i] == 'A' ? 'B' : 'A';
        CHECK_ROW(i, !forwarded_check(a, key, slice_mem(other, value.n), now, &got));
        CHECK_ROW(i, !forwarded_check(a, key, slice_sub(value, 0, i), now, &got));
    }
    CHECK(!forwarded_check(a, SL("0123456789abcdef0123456789abcdeF"), value, now, &got));
    CHECK(!forwarded_check(a, SLICE_NONE, value, now, &got));
    CHECK(!forwarded_check(a, key, SL("."), now, &got));
}

/* Signed with our key all the same: a door of another version. */
TEST(forwarded_says_who_or_is_nothing)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    static const slice said[] = { SLI("{\"time\":1767225600000}"), SLI("{\"remote\":\"a:1\"}"), SLI("{\"remote\":\"\",\"time\":1767225600000}"), SLI("[]"),
                                  SLI("") };
    for (size_t i = 0; i < COUNT(said); i++) {
        slice got, text = base64url_encode(a, said[i]);
        struct sha256 mac = hmac_sha256(key, arena_join(a, SL(FORWARDED_HEADER), SL(":"), text));
        slice value = arena_join(a, text, SL("."), base64url_encode(a, slice_mem(mac.b, sizeof(mac.b))));
        CHECK_ROW(i, !forwarded_check(a, key, value, now, &got));
    }
}

TEST(forwarded_ip_of_a_peer)
{
    static const slice rows[][2] = { { SLI("192.0.2.7:5678"), SLI("192.0.2.7") }, { SLI("[::1]:9"), SLI("::1") }, { SLI("local"), { NULL, 0 } },
                                     { { NULL, 0 }, { NULL, 0 } } };
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_SLICE(forwarded_ip(rows[i][0]), rows[i][1]);
}
