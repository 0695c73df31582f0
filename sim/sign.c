#include "sim/sign.h"
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

static const unsigned char *bytes_of(slice s)
{
    return (const unsigned char *)(s.p ? s.p : "");
}

slice sign_base64(struct arena *a, slice bytes)
{
    unsigned char *p = arena_alloc(a, (bytes.n + 2) / 3 * 4 + 1);
    int n = EVP_EncodeBlock(p, bytes_of(bytes), (int)bytes.n);
    return slice_mem(p, (size_t)n);
}

static int sextet(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

slice sign_unbase64(struct arena *a, slice text)
{
    while (text.n && text.p[text.n - 1] == '=')
        text.n--;
    char *p = arena_alloc(a, text.n / 4 * 3 + 4);
    size_t n = 0;
    uint32_t bits = 0;
    for (size_t i = 0; i < text.n; i++) {
        int v = sextet(text.p[i]);
        if (v < 0)
            return SLICE_NONE;
        bits = bits << 6 | (uint32_t)v;
        if (i % 4 != 0)
            p[n++] = (char)(bits >> (6 - 2 * (i % 4)) & 0xff);
    }
    return text.n % 4 == 1 ? SLICE_NONE : slice_mem(p, n);
}

slice sign_hmac_sha256_base64(struct arena *a, slice key, slice message)
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    HMAC(EVP_sha256(), bytes_of(key), (int)key.n, bytes_of(message), message.n, mac, &n);
    return sign_base64(a, slice_mem(mac, n));
}

slice sign_hmac_sha256_hex(struct arena *a, slice key, slice message)
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    HMAC(EVP_sha256(), bytes_of(key), (int)key.n, bytes_of(message), message.n, mac, &n);
    struct text t = text_new(a, 2 * EVP_MAX_MD_SIZE + 1);
    for (unsigned i = 0; i < n; i++)
        text_add(&t, "%02x", mac[i]);
    return text_slice(&t);
}

slice sign_sha256_hex(struct arena *a, slice bytes)
{
    unsigned char md[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    EVP_Digest(bytes_of(bytes), bytes.n, md, &n, EVP_sha256(), NULL);
    struct text t = text_new(a, 2 * EVP_MAX_MD_SIZE + 1);
    for (unsigned i = 0; i < n; i++)
        text_add(&t, "%02x", md[i]);
    return text_slice(&t);
}

bool sign_rs256_ok(slice pem, slice message, slice signature)
{
    BIO *bio = BIO_new_mem_buf(bytes_of(pem), (int)pem.n);
    EVP_PKEY *key = bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    bool ok = key && md && EVP_DigestVerifyInit(md, NULL, EVP_sha256(), NULL, key) == 1 &&
              EVP_DigestVerify(md, bytes_of(signature), signature.n, bytes_of(message), message.n) == 1;
    EVP_MD_CTX_free(md);
    EVP_PKEY_free(key);
    BIO_free(bio);
    return ok;
}

slice sign_rsa_pem(struct arena *a, slice n, slice e)
{
    slice nb = sign_unbase64(a, n), eb = sign_unbase64(a, e), pem = SLICE_NONE;
    BIGNUM *bn = BN_bin2bn(bytes_of(nb), (int)nb.n, NULL), *be = BN_bin2bn(bytes_of(eb), (int)eb.n, NULL);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    OSSL_PARAM *params = NULL;
    if (nb.n && eb.n && bn && be && build && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, bn) &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, be))
        params = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    EVP_PKEY *key = NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    if (params && ctx && bio && EVP_PKEY_fromdata_init(ctx) == 1 && EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) == 1 &&
        PEM_write_bio_PUBKEY(bio, key) == 1) {
        char *p = NULL;
        long len = BIO_get_mem_data(bio, &p);
        pem = arena_dup(a, slice_mem(p, (size_t)len));
    }
    BIO_free(bio);
    EVP_PKEY_free(key);
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    BN_free(be);
    BN_free(bn);
    return pem;
}

/* ---- keys of our own -------------------------------------------------------------------------------------------------------- */

struct sign_key {
    EVP_PKEY *pkey;
};

struct sign_key *sign_key_new(void)
{
    struct sign_key *k = must_calloc(1, sizeof(*k));
    k->pkey = EVP_RSA_gen(2048);
    assert(k->pkey);
    return k;
}

void sign_key_free(struct sign_key *k)
{
    if (k)
        EVP_PKEY_free(k->pkey);
    free(k);
}

slice sign_base64url(struct arena *a, slice bytes)
{
    slice std = sign_base64(a, bytes);
    char *p = arena_cstr(a, std);
    size_t n = std.n;
    while (n && p[n - 1] == '=')
        n--;
    for (size_t i = 0; i < n; i++)
        p[i] = p[i] == '+' ? '-' : p[i] == '/' ? '_' : p[i];
    return slice_mem(p, n);
}

slice sign_rs256(struct arena *a, const struct sign_key *k, slice message)
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    size_t n = (size_t)EVP_PKEY_get_size(k->pkey);
    unsigned char *out = arena_alloc(a, n);
    bool ok = md && EVP_DigestSignInit(md, NULL, EVP_sha256(), NULL, k->pkey) == 1 && EVP_DigestSign(md, out, &n, bytes_of(message), message.n) == 1;
    EVP_MD_CTX_free(md);
    assert(ok);
    return sign_base64url(a, slice_mem(out, n));
}

static slice number_of(struct arena *a, const struct sign_key *k, const char *name)
{
    BIGNUM *bn = NULL;
    if (EVP_PKEY_get_bn_param(k->pkey, name, &bn) != 1)
        return SLICE_NONE;
    size_t n = (size_t)BN_num_bytes(bn);
    unsigned char *p = arena_alloc(a, n + 1);
    BN_bn2bin(bn, p);
    BN_free(bn);
    return sign_base64url(a, slice_mem(p, n));
}

void sign_key_numbers(struct arena *a, const struct sign_key *k, slice *ret_n, slice *ret_e)
{
    *ret_n = number_of(a, k, OSSL_PKEY_PARAM_RSA_N);
    *ret_e = number_of(a, k, OSSL_PKEY_PARAM_RSA_E);
}
