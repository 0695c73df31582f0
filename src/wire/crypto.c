#include "wire/crypto.h"
#include "wire/base64.h"
#include "wire/hex.h"
#include <openssl/evp.h>
#include <pthread.h>

enum { BLOCK_MAX = 128, MAC_MAX = 64 };

/* Fetched once: EVP_sha256() and friends would be looked up by name in every call (OpenSSL 3). */
enum hash { HASH_SHA1, HASH_SHA256, HASH_SHA512 };
static struct { const char *name; size_t block, size; EVP_MD *md; } hashes[] = {
    [HASH_SHA1] = { "SHA1", 64, 20, NULL },
    [HASH_SHA256] = { "SHA256", 64, 32, NULL },
    [HASH_SHA512] = { "SHA512", 128, 64, NULL },
};
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t ctx_key;
static __thread EVP_MD_CTX *thread_ctx;

static void must(bool ok)
{
    if (ok)
        return;
    fprintf(stderr, "dragoman: OpenSSL refused to hash\n");
    abort();
}

static void ctx_free(void *ctx)
{
    EVP_MD_CTX_free(ctx);
}

static void setup(void)
{
    for (size_t i = 0; i < COUNT(hashes); i++) {
        hashes[i].md = EVP_MD_fetch(NULL, hashes[i].name, NULL);
        must(hashes[i].md);
    }
    must(pthread_key_create(&ctx_key, ctx_free) == 0);
}

static EVP_MD_CTX *ctx_get(void)
{
    if (!thread_ctx) {
        pthread_once(&once, setup);
        thread_ctx = EVP_MD_CTX_new();
        must(thread_ctx && pthread_setspecific(ctx_key, thread_ctx) == 0);
    }
    return thread_ctx;
}

/* The hash of two pieces, one after the other. */
static void digest(enum hash h, slice first, slice second, unsigned char *out)
{
    EVP_MD_CTX *ctx = ctx_get();
    must(EVP_DigestInit_ex(ctx, hashes[h].md, NULL) && EVP_DigestUpdate(ctx, first.p, first.n) &&
         EVP_DigestUpdate(ctx, second.p, second.n) && EVP_DigestFinal_ex(ctx, out, NULL));
}

/* RFC 2104. By hand, because OpenSSL's EVP_MAC costs more to set up than to compute. */
static void hmac(enum hash h, slice key, slice s, unsigned char *out)
{
    size_t block = hashes[h].block, size = hashes[h].size;
    unsigned char pad[BLOCK_MAX] = { 0 }, inner[MAC_MAX];
    if (key.n > block)
        digest(h, key, SL(""), pad);
    else if (key.n)
        memcpy(pad, key.p, key.n);
    for (size_t i = 0; i < block; i++)
        pad[i] ^= 0x36;
    digest(h, slice_mem(pad, block), s, inner);
    for (size_t i = 0; i < block; i++)
        pad[i] ^= 0x36 ^ 0x5c;
    digest(h, slice_mem(pad, block), slice_mem(inner, size), out);
    bytes_wipe(pad, sizeof(pad));
    bytes_wipe(inner, sizeof(inner));
}

struct sha1 sha1(slice s)
{
    struct sha1 r;
    digest(HASH_SHA1, s, SL(""), r.b);
    return r;
}

struct sha256 sha256(slice s)
{
    struct sha256 r;
    digest(HASH_SHA256, s, SL(""), r.b);
    return r;
}

struct sha512 sha512(slice s)
{
    struct sha512 r;
    digest(HASH_SHA512, s, SL(""), r.b);
    return r;
}

struct sha1 hmac_sha1(slice key, slice s)
{
    struct sha1 r;
    hmac(HASH_SHA1, key, s, r.b);
    return r;
}

struct sha256 hmac_sha256(slice key, slice s)
{
    struct sha256 r;
    hmac(HASH_SHA256, key, s, r.b);
    return r;
}

struct sha512 hmac_sha512(slice key, slice s)
{
    struct sha512 r;
    hmac(HASH_SHA512, key, s, r.b);
    return r;
}

/* ---- in pieces --------------------------------------------------------------------------------------------------- */

struct sha256_stream {
    EVP_MD_CTX *ctx;
};

struct sha256_stream *sha256_new(void)
{
    pthread_once(&once, setup);
    struct sha256_stream *s = must_calloc(1, sizeof(*s));
    s->ctx = EVP_MD_CTX_new();
    must(s->ctx && EVP_DigestInit_ex(s->ctx, hashes[HASH_SHA256].md, NULL));
    return s;
}

void sha256_update(struct sha256_stream *s, slice piece)
{
    must(EVP_DigestUpdate(s->ctx, piece.p, piece.n));
}

struct sha256 sha256_final(struct sha256_stream *s)
{
    struct sha256 r;
    must(EVP_DigestFinal_ex(s->ctx, r.b, NULL) && EVP_DigestInit_ex(s->ctx, hashes[HASH_SHA256].md, NULL));
    return r;
}

struct sha256_stream *sha256_free(struct sha256_stream *s)
{
    if (s)
        EVP_MD_CTX_free(s->ctx);
    free(s);
    return NULL;
}

/* ---- comparing --------------------------------------------------------------------------------------------------- */

bool mac_is_base64(slice mac, slice text)
{
    if (text.n != (mac.n + 2) / 3 * 4)
        return false;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    return bytes_equal_secret(base64_encode(a, mac), text);
}

bool mac_is_hex(slice mac, slice text)
{
    if (text.n != mac.n * 2)
        return false;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice bytes = hex_decode(a, text);
    return bytes.p && bytes_equal_secret(mac, bytes);
}
