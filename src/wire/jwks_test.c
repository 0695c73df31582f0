#include "tests/harness/test.h"
#include "wire/jwks.h"
#include "wire/jwt_test_keys.h"

#define KEY(kid, more) "{\"kty\":\"RSA\",\"kid\":\"" kid "\",\"n\":\"" RFC7515_N "\",\"e\":\"AQAB\"" more "}"

TEST(jwks_keeps_what_can_verify_signatures)
{
    static const struct { const char *keys; size_t n; } rows[] = {
        { KEY("a", ",\"use\":\"sig\",\"endorsements\":[\"msteams\"]") "," KEY("b", ""), 2 },
        { KEY("a", ",\"use\":\"enc\"") "," KEY("b", ""), 1 },
        { KEY("a", "") "," KEY("a", ",\"use\":\"sig\""), 1 },
        { "{\"kty\":\"oct\",\"kid\":\"s\",\"k\":\"c2VjcmV0\"}," KEY("b", ""), 1 },
        { "{\"kty\":\"RSA\",\"kid\":\"short\",\"n\":\"AQAB\",\"e\":\"AQAB\"},7,null," KEY("b", ""), 1 },
        { "{\"kty\":\"RSA\",\"n\":\"" RFC7515_N "\",\"e\":\"AQAB\"}", 0 },
        { "", 0 },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP(arena_freep) struct arena *a = arena_new();
        struct fault f = { 0 };
        CLEANUP(jwks_freep) struct jwks *set = jwks_parse(arena_printf(a, "{\"keys\":[%s]}", rows[i].keys), &f);
        CHECK_ROW(i, jwks_count(set) == rows[i].n);
        CHECK_ROW(i, (rows[i].n == 0) == (f.code != NULL));
    }
    struct fault f = { 0 };
    static const char *const broken[] = { "", "{", "[]", "{\"keys\":{}}", "{\"keys\":\"x\"}" };
    for (size_t i = 0; i < COUNT(broken); i++)
        CHECK_ROW(i, !jwks_parse(slice_of(broken[i]), &f));
}

TEST(jwks_finds_by_kid_and_verifies)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct fault f = { 0 };
    CLEANUP(jwks_freep) struct jwks *set = jwks_parse(SL("{\"keys\":[" KEY("k1", ",\"endorsements\":[\"msteams\"]") "]}"), &f);
    CLEANUP(jwt_key_freep) struct jwt_key *key = jwt_key_pem(slice_of(pem_private), &f);
    slice token = jwt_sign(a, key, SL("k1"), SL("{\"exp\":2000,\"iss\":\"me\"}"), &f);
    const struct jwk *k = jwks_find(set, jwt_kid(a, token));
    CHECK(k && slice_eq(js_text(js_at(k->doc, "endorsements.0")), SL("msteams")));
    CHECK(jwt_verify(a, k->key, token, &(struct jwt_rules){ .now_ms = 1000000 }, &f));
    CHECK(!jwks_find(set, SL("k2")) && !jwks_find(set, SLICE_NONE) && !jwks_find(NULL, SL("k1")));
}
