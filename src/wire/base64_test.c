#include "tests/harness/test.h"
#include "wire/base64.h"
#include "wire/hex.h"

TEST(base64_of_rfc4648)
{
    static const struct { slice plain, text; } rows[] = {
        { SLI(""), SLI("") }, { SLI("f"), SLI("Zg==") }, { SLI("fo"), SLI("Zm8=") }, { SLI("foo"), SLI("Zm9v") },
        { SLI("foob"), SLI("Zm9vYg==") }, { SLI("fooba"), SLI("Zm9vYmE=") }, { SLI("foobar"), SLI("Zm9vYmFy") },
        { SLI("\xfb\xff\xbf"), SLI("+/+/") },
    };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(rows); i++) {
        CHECK_SLICE(base64_encode(a, rows[i].plain), rows[i].text);
        slice back = base64_decode(a, rows[i].text);
        CHECK_SLICE(back, rows[i].plain);
        CHECK_ROW(i, back.p);
        CHECK_SLICE(base64url_decode(a, base64url_encode(a, rows[i].plain)), rows[i].plain);
        CHECK_SLICE(base64url_decode(a, base64url_encode_padded(a, rows[i].plain)), rows[i].plain);
    }
    CHECK_SLICE(base64url_encode(a, SL("\xfb\xff\xbf\xff")), SL("-_-__w"));
    CHECK_SLICE(base64url_encode_padded(a, SL("\xfb\xff\xbf\xff")), SL("-_-__w=="));
    CHECK_SLICE(base64_decode_unpadded(a, SL("Zm8")), SL("fo"));
}

TEST(base64_is_strict)
{
    static const slice bad[] = {
        SLI("Zg"), SLI("Zg="), SLI("Zg==="), SLI("Z"), SLI("Z==="), SLI("===="), SLI("Zh=="), SLI("Zm9="), SLI("Zm9v\n"), SLI(" Zm9v"),
        SLI("Zm9v===="), SLI("Zg==Zg=="), SLI("-_-_"), SLI("Zm9%"), SLI("Zm\xff" "v"), { NULL, 0 }, SLI("="), SLI("Zm9v=")
    };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(bad); i++)
        CHECK_ROW(i, !base64_decode(a, bad[i]).p);
    CHECK(!base64url_decode(a, SL("+/+/")).p && !base64url_decode(a, SL("Zg=")).p && !base64url_decode(a, SL("Zh")).p);
    CHECK(!base64_decode_unpadded(a, SL("Zm8=")).p);
}

TEST(hex_is_read_in_either_case)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    CHECK_SLICE(hex_encode(a, slice_mem("\0\x7f\xff", 3)), SL("007fff"));
    CHECK_SLICE(hex_decode(a, SL("007FfF")), slice_mem("\0\x7f\xff", 3));
    slice empty = hex_decode(a, SL(""));
    CHECK(empty.p && empty.n == 0);
    CHECK(!hex_decode(a, SL("0")).p && !hex_decode(a, SL("0g")).p && !hex_decode(a, SL("@0")).p && !hex_decode(a, SLICE_NONE).p);
}
