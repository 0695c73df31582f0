/* A key and a text from elsewhere, and what must not open. */
#include "tests/harness/test.h"
#include "wire/base64.h"
#include "wire/hex.h"
#include "wire/p384.h"

static const char scalar_hex[] = "000000000000000000000000000000001234567890abcdef1234567890abcdef1234567890abcdef1234567890abcdef";
static const char public_64[] = "BMeH03wFwsGZoSx+hbqiNUqq2DJgwIoVbc5hGzzfzhcHbyj8ZjyKX3S4LpEFleLWtcjMLNgfcdwTE01V8a4gqNcO5SrdO5qwOH6W77LM+ubaa4ESiZCxoULCv8JhGYAXZg==";
static const char sealed_64[] = "BMhxV0CLrdD1cA9/cwcZkwsnSPlEsBkVJTZtKbm9NDAjDF6HgocCno5sLzbQcwyQtHmi8Fe+69rt5Uo/mSf2mVYCL2I4QUX71EL5DfwPFqaM/Se2Il9X5B53uQKiSuu8Uw1IIhN0"
                                "A8Kk3iVbYwGu11ns6i+gb5onTjdDAKEDSL2KPQwpEBYDjdE=";

TEST(p384_a_known_key_opens_a_known_text)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice scalar = hex_decode(a, slice_of(scalar_hex));
    struct p384_point point;
    CHECK(p384_public(scalar, &point));
    CHECK_SLICE(base64_encode(a, slice_mem(point.b, sizeof(point.b))), slice_of(public_64));
    CHECK_SLICE(p384_open(a, scalar, base64_decode(a, slice_of(sealed_64))), SL("ya29.sample-access-token"));
}

TEST(p384_what_was_changed_does_not_open)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice scalar = hex_decode(a, slice_of(scalar_hex)), sealed = base64_decode(a, slice_of(sealed_64));
    for (size_t i = 0; i < sealed.n; i += 7) {
        char *p = arena_alloc(a, sealed.n);
        memcpy(p, sealed.p, sealed.n);
        p[i] = (char)(p[i] ^ 1);
        CHECK_ROW(i, !p384_open(a, scalar, slice_mem(p, sealed.n)).p);
    }
    for (size_t n = 0; n < sealed.n; n++)
        CHECK_ROW(n, !p384_open(a, scalar, slice_sub(sealed, 0, n)).p);
}

TEST(p384_what_is_no_key)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    static const char *const rows[] = {
        "", "01",
        "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
        "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973", /* the order */
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    };
    struct p384_point point;
    for (size_t i = 0; i < COUNT(rows); i++) {
        slice scalar = hex_decode(a, slice_of(rows[i]));
        CHECK_ROW(i, !p384_public(scalar, &point));
        CHECK_ROW(i, !p384_open(a, scalar, base64_decode(a, slice_of(sealed_64))).p);
    }
}
