#include "tests/harness/test.h"
#include "wire/base64.h"
#include "wire/jwt.h"
#include "wire/jwt_test_keys.h"

/* RFC 7515 appendix A.1 */
#define A1_SECRET "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"
#define A1_PAYLOAD "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
#define A1_TOKEN "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." A1_PAYLOAD ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
#define A2_TOKEN "eyJhbGciOiJSUzI1NiJ9." A1_PAYLOAD "." RFC7515_SIGNATURE
static const int64_t a1_exp_ms = 1300819380000;

TEST(jwt_verifies_the_hs256_of_rfc7515)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct fault f = { 0 };
    CLEANUP(jwt_key_freep) struct jwt_key *key = jwt_key_secret(base64url_decode(a, SL(A1_SECRET)));
    CLEANUP(jwt_key_freep) struct jwt_key *jwk = jwt_key_read(SL("{\"kty\":\"oct\",\"k\":\"" A1_SECRET "\"}"), &f);
    CHECK(jwk && jwt_key_can_sign(jwk));
    struct jwt_rules rules = { .now_ms = a1_exp_ms - 1, .iss = SL("joe") };
    const struct js *claims = jwt_verify(a, key, SL(A1_TOKEN), &rules, &f);
    CHECK(claims && js_true(js_get(claims, SL("http://example.com/is_root"))));
    CHECK(jwt_verify(a, jwk, SL(A1_TOKEN), &rules, &f));
    CHECK_SLICE(jws_sign(a, key, SL("{\"typ\":\"JWT\",\r\n \"alg\":\"HS256\"}"),
                         SL("{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}"), &f),
                SL(A1_TOKEN));
}

TEST(jwt_signs_the_rs256_of_rfc7515_with_every_form_of_the_key)
{
    static const char *const forms[] = {
        "{\"kty\":\"RSA\",\"n\":\"" RFC7515_N "\",\"e\":\"AQAB\",\"d\":\"" RFC7515_D "\"," RFC7515_FACTORS "}",
        " {\"kty\":\"RSA\",\"n\":\"" RFC7515_N "\",\"e\":\"AQAB\",\"d\":\"" RFC7515_D "\"} ",
        pem_private,
    };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(forms); i++) {
        struct fault f = { 0 };
        CLEANUP(jwt_key_freep) struct jwt_key *key = jwt_key_read(slice_of(forms[i]), &f);
        CHECK_ROW(i, key && jwt_key_can_sign(key));
        CHECK_SLICE(jws_sign(a, key, SL("{\"alg\":\"RS256\"}"), base64url_decode(a, SL(A1_PAYLOAD)), &f), SL(A2_TOKEN));
        CHECK_ROW(i, jws_verify(a, key, SL(A2_TOKEN), &f).p);
    }
}

TEST(jwt_verifies_with_public_keys_which_cannot_sign)
{
    static const char *const forms[] = { "{\"kty\":\"RSA\",\"n\":\"" RFC7515_N "\",\"e\":\"AQAB\"}", pem_public };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(forms); i++) {
        struct fault f = { 0 };
        CLEANUP(jwt_key_freep) struct jwt_key *key = jwt_key_read(slice_of(forms[i]), &f);
        CHECK_ROW(i, key && !jwt_key_can_sign(key));
        CHECK_SLICE(jws_verify(a, key, SL(A2_TOKEN), &f), base64url_decode(a, SL(A1_PAYLOAD)));
        CHECK_ROW(i, !jwt_sign(a, key, SLICE_NONE, SL("{}"), &f).p);
        CHECK_SLICE(slice_of(f.code), SL("bad_key"));
    }
}

TEST(jwt_refuses_bad_keys)
{
    const char *const forms[] = {
        "", "x", "{}", "[]", "{\"kty\":\"EC\"}", "{\"kty\":\"oct\"}", "{\"kty\":\"oct\",\"k\":\"\"}", "{\"kty\":\"RSA\",\"n\":\"AQAB\"}",
        "{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}", "{\"kty\":\"RSA\",\"n\":\"" RFC7515_N "\",\"e\":\"!\"}",
        "{\"kty\":\"RSA\",\"n\":\"" RFC7515_N "\",\"e\":\"AQAB\",\"d\":5}", pem_encrypted, pem_elliptic, pem_small,
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    };
    for (size_t i = 0; i < COUNT(forms); i++) {
        struct fault f = { 0 };
        CHECK_ROW(i, !jwt_key_read(slice_of(forms[i]), &f));
        CHECK_SLICE(slice_of(f.code), SL("bad_key"));
        CHECK_ROW(i, f.text[0]);
    }
}

TEST(jwt_opens_an_encrypted_key_with_its_passphrase_alone)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct fault f = { 0 };
    CLEANUP(jwt_key_freep) struct jwt_key *plain = jwt_key_pem(slice_of(pem_private), &f);
    CLEANUP(jwt_key_freep) struct jwt_key *locked = jwt_key_pem_locked(slice_of(pem_encrypted), SL("hub-passphrase"), &f);
    CHECK(locked && jwt_key_can_sign(locked));
    CHECK_SLICE(jwt_key_sign(a, locked, SL("text")), jwt_key_sign(a, plain, SL("text")));
    CHECK(!jwt_key_pem_locked(slice_of(pem_encrypted), SL("other"), &f));
    CHECK_SLICE(slice_of(f.text), SL("the passphrase does not open the PEM key"));
    CHECK(!jwt_key_pem_locked(slice_of(pem_encrypted), SLICE_NONE, &f));
    CHECK_SLICE(slice_of(f.text), SL("the PEM key is encrypted"));
    char *endless = arena_zalloc(a, 5000);
    CHECK(!jwt_key_pem_locked(slice_of(pem_encrypted), slice_mem(endless, 5000), &f));
}

TEST(jwt_writes_the_assertion_of_line)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct fault f = { 0 };
    CLEANUP(jwt_key_freep) struct jwt_key *key = jwt_key_pem(slice_of(pem_private), &f);
    CLEANUP(jwt_key_freep) struct jwt_key *public_key = jwt_key_pem(slice_of(pem_public), &f);
    struct jwt_claims claims = { .iss = SL("1234567890"), .sub = SL("1234567890"), .aud = SL("https://api.line.me/"),
                                 .exp_ms = 1772600767000 };
    struct jw w = jw_new(a, JWT_BYTES_MAX);
    jw_open(&w, NULL, '{');
    jwt_claims_write(&w, &claims);
    jw_int(&w, "token_exp", 86400);
    jw_close(&w, '}');
    slice token = jwt_sign(a, key, SL("kid-1"), jw_done(&w), &f);
    CHECK_SLICE(jwt_kid(a, token), SL("kid-1"));
    slice header = token;
    CHECK_SLICE(base64url_decode(a, slice_cut(&header, '.')), SL("{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"kid-1\"}"));
    CHECK_SLICE(jws_verify(a, public_key, token, &f),
                SL("{\"iss\":\"1234567890\",\"sub\":\"1234567890\",\"aud\":\"https://api.line.me/\",\"exp\":1772600767,\"token_exp\":86400}"));
    struct jwt_rules rules = { .now_ms = 1772600000000, .iss = SL("1234567890"), .aud = SL("https://api.line.me/") };
    CHECK(jwt_verify(a, public_key, token, &rules, &f));
}

TEST(jwt_says_why_claims_are_refused)
{
    static const struct { const char *claims, *code; } rows[] = {
        { "{\"iss\":\"i\",\"aud\":\"a\",\"exp\":1011}", NULL },
        { "{\"iss\":\"i\",\"aud\":[\"b\",\"a\"],\"exp\":1011}", NULL },
        { "{\"iss\":\"i\",\"aud\":\"a\",\"exp\":996}", NULL }, /* five seconds of leeway */
        { "{\"iss\":\"i\",\"aud\":\"a\",\"exp\":995}", "expired" },
        { "{\"iss\":\"i\",\"aud\":\"a\",\"exp\":1011,\"nbf\":1005}", NULL },
        { "{\"iss\":\"i\",\"aud\":\"a\",\"exp\":1011,\"nbf\":1006}", "not_yet_valid" },
        { "{\"iss\":\"j\",\"aud\":\"a\",\"exp\":1011}", "wrong_issuer" },
        { "{\"aud\":\"a\",\"exp\":1011}", "wrong_issuer" },
        { "{\"iss\":\"i\",\"aud\":\"b\",\"exp\":1011}", "wrong_audience" },
        { "{\"iss\":\"i\",\"aud\":[],\"exp\":1011}", "wrong_audience" },
        { "{\"iss\":\"i\",\"exp\":1011}", "wrong_audience" },
        { "{\"iss\":\"i\",\"aud\":\"a\"}", "bad_token" },
        { "{\"iss\":\"i\",\"aud\":\"a\",\"exp\":null}", "bad_token" },
        { "{\"iss\":\"i\",\"aud\":\"a\",\"exp\":\"1011\"}", "bad_token" },
        { "{\"iss\":\"i\",\"aud\":\"a\",\"exp\":1e300}", "bad_token" },
        { "[]", "bad_token" }, { "x", "bad_token" },
    };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    CLEANUP(jwt_key_freep) struct jwt_key *key = jwt_key_secret(SL("secret"));
    struct jwt_rules rules = { .now_ms = 1000000, .leeway_ms = 5000, .iss = SL("i"), .aud = SL("a") };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fault f = { 0 };
        slice token = jwt_sign(a, key, SLICE_NONE, slice_of(rows[i].claims), &f);
        CHECK_ROW(i, !!jwt_verify(a, key, token, &rules, &f) == !rows[i].code);
        CHECK_SLICE(slice_of(f.code), slice_of(rows[i].code));
    }
    rules.exp_optional = true;
    CHECK(jwt_verify(a, key, jwt_sign(a, key, SLICE_NONE, SL("{\"iss\":\"i\",\"aud\":\"a\"}"), NULL), &rules, NULL));
}

TEST(jwt_refuses_forged_tokens)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct fault f = { 0 };
    CLEANUP(jwt_key_freep) struct jwt_key *secret = jwt_key_secret(base64url_decode(a, SL(A1_SECRET)));
    CLEANUP(jwt_key_freep) struct jwt_key *rsa = jwt_key_pem(slice_of(pem_public), &f);
    CLEANUP(jwt_key_freep) struct jwt_key *pem_as_secret = jwt_key_secret(slice_of(pem_public));
    const slice forged[] = {
        SL("eyJhbGciOiJub25lIn0." A1_PAYLOAD "."),  /* alg none */
        SL("eyJhbGciOiJub25lIn0." A1_PAYLOAD ".AA"),
        SL(A2_TOKEN),                                /* RS256 */
        jws_sign(a, secret, SL("{\"alg\":\"hs256\"}"), SL("{}"), &f),
        jws_sign(a, secret, SL("{\"alg\":\"HS256\",\"crit\":[\"b64\"]}"), SL("{}"), &f),
        jws_sign(a, secret, SL("{}"), SL("{}"), &f), jws_sign(a, secret, SL("[]"), SL("{}"), &f),
        SL(A1_TOKEN "="), SL(A1_TOKEN "."), SL("x" A1_TOKEN), SL(A1_TOKEN "A"), SL(""), SL("."), SL(".."), SL("a.b.c"),
        SL("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." A1_PAYLOAD ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl"),
        SL("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." A1_PAYLOAD ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjX"),
    };
    for (size_t i = 0; i < COUNT(forged); i++) {
        CHECK_ROW(i, !jws_verify(a, secret, forged[i], &f).p);
        CHECK_SLICE(slice_of(f.code), SL("bad_token"));
    }
    /* a public key used as if it were a shared secret */
    CHECK(!jws_verify(a, rsa, jwt_sign(a, pem_as_secret, SLICE_NONE, SL("{}"), &f), &f).p);
    char *tampered = arena_cstr(a, SL(A2_TOKEN));
    tampered[30] = (char)(tampered[30] == 'A' ? 'B' : 'A');
    CHECK(!jws_verify(a, rsa, slice_of(tampered), &f).p);
    char *huge = arena_alloc(a, JWT_BYTES_MAX * 2);
    memset(huge, 'A', JWT_BYTES_MAX * 2);
    CHECK(!jws_verify(a, secret, slice_mem(huge, JWT_BYTES_MAX * 2), &f).p && !jwt_kid(a, SL(A1_TOKEN)).p);
}
