#include "wire/aes_ctr.h"
#include <openssl/evp.h>

enum { BLOCK = 16 };

struct aes_ctr {
    EVP_CIPHER_CTX *ctx;
};

static _Noreturn void broken(void)
{
    fprintf(stderr, "OpenSSL refuses AES-256-CTR\n");
    abort();
}

static void run(struct aes_ctr *c, const char *in, size_t n, char *out)
{
    enum { PIECE = 1 << 20 };
    while (n) {
        int piece = (int)MIN(n, (size_t)PIECE), got = 0;
        if (EVP_EncryptUpdate(c->ctx, (unsigned char *)out, &got, (const unsigned char *)in, piece) != 1 || got != piece)
            broken();
        in += piece;
        out += piece;
        n -= (size_t)piece;
    }
}

struct aes_ctr *aes_ctr_new(slice key, int64_t from)
{
    if (key.n != AES_CTR_KEY_BYTES || from < 0)
        return NULL;
    unsigned char counter[BLOCK] = { 0 };
    uint64_t block = (uint64_t)from / BLOCK;
    for (size_t i = 0; i < sizeof(block); i++)
        counter[BLOCK - 1 - i] = (unsigned char)(block >> (8 * i));
    struct aes_ctr *c = must_malloc(sizeof(*c));
    c->ctx = EVP_CIPHER_CTX_new();
    if (!c->ctx || EVP_EncryptInit_ex(c->ctx, EVP_aes_256_ctr(), NULL, (const unsigned char *)key.p, counter) != 1)
        broken();
    char skipped[BLOCK] = { 0 };
    run(c, skipped, (size_t)(from % BLOCK), skipped);
    return c;
}

void aes_ctr_run(struct aes_ctr *c, const char *in, size_t n, char *out)
{
    run(c, in, n, out);
}

struct aes_ctr *aes_ctr_free(struct aes_ctr *c)
{
    if (!c)
        return NULL;
    EVP_CIPHER_CTX_free(c->ctx); /* wipes the key */
    free(c);
    return NULL;
}
