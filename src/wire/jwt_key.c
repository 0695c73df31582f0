#include "wire/jwt_key.h"
#include "wire/base64.h"
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

enum { KEY_TEXT_MAX = 32768 };

static struct jwt_key *bad(struct fault *f, const char *why)
{
    ERR_clear_error();
    (void)fault(f, "bad_key", "", "%s", why);
    return NULL;
}

static struct jwt_key *key_new(size_t secret_bytes)
{
    return must_calloc(1, sizeof(struct jwt_key) + secret_bytes);
}

struct jwt_key *jwt_key_secret(slice secret)
{
    struct jwt_key *key = key_new(secret.n);
    if (secret.n)
        memcpy(key->bytes, secret.p, secret.n);
    key->secret = slice_mem(key->bytes, secret.n);
    key->can_sign = true;
    return key;
}

struct jwt_key *jwt_key_free(struct jwt_key *key)
{
    if (!key)
        return NULL;
    EVP_PKEY_free(key->rsa);
    bytes_wipe(key->bytes, key->secret.n);
    free(key);
    return NULL;
}

bool jwt_key_can_sign(const struct jwt_key *key)
{
    return key->can_sign;
}

slice jwt_key_alg(const struct jwt_key *key)
{
    return key->rsa ? SL("RS256") : SL("HS256");
}

/* Takes pkey, also when it refuses it. */
static struct jwt_key *key_rsa(EVP_PKEY *pkey, bool can_sign, struct fault *f)
{
    const char *why = !EVP_PKEY_is_a(pkey, "RSA")                     ? "RS256 needs an RSA key"
                      : EVP_PKEY_get_bits(pkey) < JWT_RSA_BITS_MIN ? "an RSA key needs at least 2048 bits"
                                                                   : NULL;
    if (why) {
        EVP_PKEY_free(pkey);
        return bad(f, why);
    }
    struct jwt_key *key = key_new(0);
    key->rsa = pkey;
    key->can_sign = can_sign;
    return key;
}

/* ---- PEM --------------------------------------------------------------------------------------------------------- */

enum { PASSPHRASE_MAX = 1023 };

/* Without it OpenSSL would ask for a passphrase on the terminal. */
static int passphrase_give(char *buf, int size, int writing, void *user)
{
    const slice *passphrase = user;
    (void)writing;
    if (!passphrase || passphrase->n == 0 || passphrase->n > (size_t)size)
        return -1;
    memcpy(buf, passphrase->p, passphrase->n);
    return (int)passphrase->n;
}

static void bio_freep(BIO **bio)
{
    BIO_free(*bio);
}

struct jwt_key *jwt_key_pem(slice pem, struct fault *f)
{
    return jwt_key_pem_locked(pem, SLICE_NONE, f);
}

struct jwt_key *jwt_key_pem_locked(slice pem, slice passphrase, struct fault *f)
{
    if (passphrase.n > PASSPHRASE_MAX)
        return bad(f, "the passphrase is too long");
    if (pem.n == 0 || pem.n > KEY_TEXT_MAX)
        return bad(f, "no key");
    CLEANUP(bio_freep) BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    if (!bio)
        return bad(f, "no key");
    EVP_PKEY *pkey = PEM_read_bio_PrivateKey(bio, NULL, passphrase_give, &passphrase);
    bool can_sign = pkey;
    if (!pkey && BIO_reset(bio) == 1)
        pkey = PEM_read_bio_PUBKEY(bio, NULL, passphrase_give, NULL);
    if (!pkey)
        return bad(f, slice_find(pem, SL("ENCRYPTED")) == SIZE_MAX ? "no key in the PEM text"
                      : passphrase.n                               ? "the passphrase does not open the PEM key"
                                                                   : "the PEM key is encrypted");
    ERR_clear_error();
    return key_rsa(pkey, can_sign, f);
}

/* ---- JWK --------------------------------------------------------------------------------------------------------- */

/* clang-format off */
/* RFC 7518 section 6.3; all of the second half, or none */
static const struct { const char *jwk, *param; } numbers[] = {
    { "n",  OSSL_PKEY_PARAM_RSA_N },
    { "e",  OSSL_PKEY_PARAM_RSA_E },
    { "d",  OSSL_PKEY_PARAM_RSA_D },
    { "p",  OSSL_PKEY_PARAM_RSA_FACTOR1 },
    { "q",  OSSL_PKEY_PARAM_RSA_FACTOR2 },
    { "dp", OSSL_PKEY_PARAM_RSA_EXPONENT1 },
    { "dq", OSSL_PKEY_PARAM_RSA_EXPONENT2 },
    { "qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1 },
};
/* clang-format on */
enum { NUMBER_N, NUMBER_E, NUMBER_D, NUMBER_P, NUMBERS = COUNT(numbers) };

struct rsa_numbers {
    BIGNUM *bn[NUMBERS];
    size_t n; /* how many of them the key has */
};

static void numbers_done(struct rsa_numbers *r)
{
    for (size_t i = 0; i < NUMBERS; i++)
        BN_clear_free(r->bn[i]);
}

static bool numbers_read(struct arena *a, const struct js *jwk, struct rsa_numbers *r)
{
    for (size_t i = 0; i < NUMBERS; i++) {
        const struct js *v = js_at(jwk, numbers[i].jwk);
        slice bytes = base64url_decode(a, js_text(v));
        if (v && bytes.n == 0)
            return false;
        if (v)
            r->bn[i] = BN_bin2bn((const unsigned char *)bytes.p, (int)bytes.n, NULL);
    }
    bool factors = true;
    for (size_t i = NUMBER_P; i < NUMBERS; i++)
        factors = factors && r->bn[i];
    r->n = !r->bn[NUMBER_D] ? NUMBER_D : factors ? (size_t)NUMBERS : NUMBER_P;
    return r->bn[NUMBER_N] && r->bn[NUMBER_E];
}

static EVP_PKEY *pkey_of(const struct rsa_numbers *r)
{
    EVP_PKEY *pkey = NULL;
    OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
    bool ok = bld;
    for (size_t i = 0; ok && i < r->n; i++)
        ok = OSSL_PARAM_BLD_push_BN(bld, numbers[i].param, r->bn[i]) == 1;
    OSSL_PARAM *params = ok ? OSSL_PARAM_BLD_to_param(bld) : NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    int selection = r->n > NUMBER_D ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY;
    if (!params || !ctx || EVP_PKEY_fromdata_init(ctx) != 1 || EVP_PKEY_fromdata(ctx, &pkey, selection, params) != 1)
        pkey = NULL;
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(bld);
    return pkey;
}

static struct jwt_key *key_jwk(struct arena *a, const struct js *jwk, struct fault *f)
{
    slice kty = js_text(js_at(jwk, "kty"));
    if (slice_eq(kty, SL("oct"))) {
        slice secret = base64url_decode(a, js_text(js_at(jwk, "k")));
        return secret.n ? jwt_key_secret(secret) : bad(f, "the JWK's k is no base64url text");
    }
    if (!slice_eq(kty, SL("RSA")))
        return bad(f, "the JWK's kty must be RSA or oct");
    CLEANUP(numbers_done) struct rsa_numbers r = { .n = 0 };
    if (!numbers_read(a, jwk, &r))
        return bad(f, "the JWK's n, e, d … are base64url texts, and n and e are needed");
    EVP_PKEY *pkey = pkey_of(&r);
    return pkey ? key_rsa(pkey, r.n > NUMBER_D, f) : bad(f, "the JWK's numbers make no RSA key");
}

struct jwt_key *jwt_key_jwk(slice json, struct fault *f)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    const struct js *jwk = json.n <= KEY_TEXT_MAX ? js_parse(a, json, NULL) : NULL;
    return js_is_object(jwk) ? key_jwk(a, jwk, f) : bad(f, "the key is no JSON object");
}

struct jwt_key *jwt_key_read(slice text, struct fault *f)
{
    text = slice_trim(text);
    return slice_starts(text, SL("{")) ? jwt_key_jwk(text, f) : jwt_key_pem(text, f);
}

slice pem_lines(struct arena *a, slice pem)
{
    struct text t = text_new(a, pem.n + 1);
    while (pem.n) {
        size_t at = slice_find(pem, SL("\\n"));
        text_put(&t, slice_sub(pem, 0, MIN(at, pem.n)));
        if (at == SIZE_MAX)
            break;
        text_char(&t, '\n');
        pem = slice_from(pem, at + 2);
    }
    return text_slice(&t);
}
