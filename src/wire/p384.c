#include "wire/p384.h"
#include "wire/crypto.h"
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>

enum { HALF_BYTES = 32, IV_BYTES = 16, KEY_IV_BYTES = HALF_BYTES + IV_BYTES };

/* What a calculation on the curve takes; all of it is NULL or made. */
struct curve {
    EC_GROUP *group;
    BN_CTX *ctx;
    BIGNUM *scalar, *x;
    EC_POINT *in, *out;
};

static void curve_end(struct curve *k)
{
    EC_POINT_free(k->in);
    EC_POINT_clear_free(k->out);
    BN_clear_free(k->x);
    BN_clear_free(k->scalar);
    BN_CTX_free(k->ctx);
    EC_GROUP_free(k->group);
}

/* False: no scalar of the curve. curve_end in both cases. */
static bool curve_begin(struct curve *k, slice scalar)
{
    *k = (struct curve){ .group = EC_GROUP_new_by_curve_name(NID_secp384r1), .ctx = BN_CTX_secure_new() };
    if (!k->group || !k->ctx || scalar.n != P384_SCALAR_BYTES)
        return false;
    k->scalar = BN_bin2bn((const unsigned char *)scalar.p, P384_SCALAR_BYTES, BN_secure_new());
    k->x = BN_secure_new();
    k->in = EC_POINT_new(k->group);
    k->out = EC_POINT_new(k->group);
    if (!k->scalar || !k->x || !k->in || !k->out)
        return false;
    BN_set_flags(k->scalar, BN_FLG_CONSTTIME);
    return !BN_is_zero(k->scalar) && BN_cmp(k->scalar, EC_GROUP_get0_order(k->group)) < 0;
}

bool p384_public(slice scalar, struct p384_point *ret)
{
    struct curve k;
    bool good = curve_begin(&k, scalar) && EC_POINT_mul(k.group, k.out, k.scalar, NULL, NULL, k.ctx) == 1 &&
                EC_POINT_point2oct(k.group, k.out, POINT_CONVERSION_UNCOMPRESSED, ret->b, sizeof(ret->b), k.ctx) == sizeof(ret->b);
    curve_end(&k);
    return good;
}

/* The x of the point that both can calculate. */
static bool agree(slice scalar, slice point, unsigned char ret[P384_SCALAR_BYTES])
{
    struct curve k;
    bool good = curve_begin(&k, scalar) && point.p[0] == POINT_CONVERSION_UNCOMPRESSED &&
                EC_POINT_oct2point(k.group, k.in, (const unsigned char *)point.p, point.n, k.ctx) == 1 && /* it is on the curve, whose cofactor is 1 */
                !EC_POINT_is_at_infinity(k.group, k.in) && EC_POINT_mul(k.group, k.out, NULL, k.in, k.scalar, k.ctx) == 1 &&
                EC_POINT_get_affine_coordinates(k.group, k.out, k.x, NULL, k.ctx) == 1 && BN_bn2binpad(k.x, ret, P384_SCALAR_BYTES) == P384_SCALAR_BYTES;
    curve_end(&k);
    return good;
}

/* X9.63: SHA-256 of secret, counter and shared information, as often as bytes are needed. */
static void derive(const unsigned char z[P384_SCALAR_BYTES], slice point, unsigned char ret[KEY_IV_BYTES])
{
    unsigned char in[P384_SCALAR_BYTES + 4 + P384_POINT_BYTES] = { 0 };
    memcpy(in, z, P384_SCALAR_BYTES);
    memcpy(in + P384_SCALAR_BYTES + 4, point.p, P384_POINT_BYTES);
    for (unsigned i = 0; i * HALF_BYTES < KEY_IV_BYTES; i++) {
        in[P384_SCALAR_BYTES + 3] = (unsigned char)(i + 1);
        struct sha256 part = sha256(slice_mem(in, sizeof(in)));
        memcpy(ret + i * HALF_BYTES, part.b, MIN((size_t)KEY_IV_BYTES - i * HALF_BYTES, sizeof(part.b)));
    }
    OPENSSL_cleanse(in, sizeof(in));
}

slice p384_open(struct arena *a, slice scalar, slice sealed)
{
    if (sealed.n < P384_POINT_BYTES + P384_TAG_BYTES || sealed.n > INT_MAX)
        return SLICE_NONE;
    unsigned char z[P384_SCALAR_BYTES], key[KEY_IV_BYTES], tag[P384_TAG_BYTES];
    slice point = slice_sub(sealed, 0, P384_POINT_BYTES);
    slice text = slice_sub(sealed, P384_POINT_BYTES, sealed.n - P384_POINT_BYTES - P384_TAG_BYTES);
    if (!agree(scalar, point, z))
        return SLICE_NONE;
    derive(z, point, key);
    memcpy(tag, sealed.p + sealed.n - P384_TAG_BYTES, sizeof(tag));
    unsigned char *out = arena_alloc(a, text.n + 1);
    int n = 0, end = 0;
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    bool good = ctx && EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, NULL, NULL) == 1 && EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_IVLEN, IV_BYTES, NULL) == 1 &&
                EVP_DecryptInit_ex(ctx, NULL, NULL, key, key + HALF_BYTES) == 1 && EVP_DecryptUpdate(ctx, out, &n, (const unsigned char *)text.p, (int)text.n) == 1 &&
                EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, P384_TAG_BYTES, tag) == 1 && EVP_DecryptFinal_ex(ctx, out + n, &end) == 1;
    EVP_CIPHER_CTX_free(ctx);
    OPENSSL_cleanse(z, sizeof(z));
    OPENSSL_cleanse(key, sizeof(key));
    return good ? slice_mem(out, text.n) : SLICE_NONE;
}
