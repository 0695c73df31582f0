#include "wire/digest.h"
#include <openssl/evp.h>
#include <pthread.h>

struct digest_stream {
    enum digest_kind kind;
    EVP_MD_CTX *ctx;    /* NULL: CRC-32C */
    EVP_MD_CTX *blocks; /* SHA256_BLOCKS: of the digests of the blocks that are complete; ctx is of the one after them */
    size_t n_block;     /* bytes in that one */
    uint32_t crc;
};

static void must(bool ok)
{
    if (ok)
        return;
    fprintf(stderr, "dragoman: OpenSSL refused to hash\n");
    abort();
}

/* ---- CRC-32C ----------------------------------------------------------------------------------------------------- */

enum { POLYNOMIAL = (int)0x82f63b78u, SLICES = 8 }; /* Castagnoli's, reflected */
static uint32_t tables[SLICES][256];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_tables(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int bit = 0; bit < 8; bit++)
            c = c & 1 ? (c >> 1) ^ (uint32_t)POLYNOMIAL : c >> 1;
        tables[0][i] = c;
    }
    for (size_t k = 1; k < SLICES; k++)
        for (size_t i = 0; i < 256; i++)
            tables[k][i] = (tables[k - 1][i] >> 8) ^ tables[0][tables[k - 1][i] & 255];
}

/* Eight bytes a step ("slicing by 8"): about 1.5 GB/s, where a byte a step gives 0.4. */
static uint32_t crc32c(uint32_t crc, slice s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    size_t n = s.n;
    crc = ~crc;
    for (; n >= SLICES; p += SLICES, n -= SLICES) {
        uint32_t low = crc ^ ((uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24);
        crc = tables[7][low & 255] ^ tables[6][low >> 8 & 255] ^ tables[5][low >> 16 & 255] ^ tables[4][low >> 24] ^ tables[3][p[4]] ^
              tables[2][p[5]] ^ tables[1][p[6]] ^ tables[0][p[7]];
    }
    for (; n; p++, n--)
        crc = (crc >> 8) ^ tables[0][(crc ^ *p) & 255];
    return ~crc;
}

/* ---- streams ----------------------------------------------------------------------------------------------------- */

static const EVP_MD *algorithm(enum digest_kind kind)
{
    return kind == DIGEST_MD5 ? EVP_md5() : kind == DIGEST_SHA1 ? EVP_sha1() : EVP_sha256();
}

void digest_reset(struct digest_stream *s)
{
    s->crc = 0;
    s->n_block = 0;
    must(!s->ctx || EVP_DigestInit_ex(s->ctx, algorithm(s->kind), NULL));
    must(!s->blocks || EVP_DigestInit_ex(s->blocks, algorithm(s->kind), NULL));
}

struct digest_stream *digest_new(enum digest_kind kind)
{
    struct digest_stream *s = must_calloc(1, sizeof(*s));
    s->kind = kind;
    if (kind == DIGEST_CRC32C) {
        pthread_once(&once, make_tables);
    } else {
        s->ctx = EVP_MD_CTX_new();
        must(s->ctx != NULL);
    }
    if (kind == DIGEST_SHA256_BLOCKS) {
        s->blocks = EVP_MD_CTX_new();
        must(s->blocks != NULL);
    }
    digest_reset(s);
    return s;
}

/* Ends the block in ctx: its digest goes to those before. */
static void block_end(EVP_MD_CTX *block, EVP_MD_CTX *blocks)
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    must(EVP_DigestFinal_ex(block, sum, &n) && EVP_DigestUpdate(blocks, sum, n));
}

static void blocks_update(struct digest_stream *s, slice piece)
{
    while (piece.n) {
        size_t n = MIN(piece.n, DIGEST_BLOCK_BYTES - s->n_block);
        must(EVP_DigestUpdate(s->ctx, piece.p, n));
        piece = slice_from(piece, n);
        s->n_block += n;
        if (s->n_block < DIGEST_BLOCK_BYTES)
            return;
        block_end(s->ctx, s->blocks);
        must(EVP_DigestInit_ex(s->ctx, algorithm(s->kind), NULL));
        s->n_block = 0;
    }
}

void digest_update(struct digest_stream *s, slice piece)
{
    if (s->blocks)
        blocks_update(s, piece);
    else if (s->ctx)
        must(EVP_DigestUpdate(s->ctx, piece.p, piece.n));
    else
        s->crc = crc32c(s->crc, piece);
}

struct digest digest_now(const struct digest_stream *s)
{
    struct digest d = { .n = 4 };
    if (!s->ctx) {
        for (size_t i = 0; i < d.n; i++)
            d.b[i] = (unsigned char)(s->crc >> (24 - 8 * i));
        return d;
    }
    unsigned n = 0;
    EVP_MD_CTX *copy = EVP_MD_CTX_new();
    must(copy && EVP_MD_CTX_copy_ex(copy, s->blocks ? s->blocks : s->ctx));
    if (s->blocks && s->n_block) {
        EVP_MD_CTX *block = EVP_MD_CTX_new();
        must(block && EVP_MD_CTX_copy_ex(block, s->ctx));
        block_end(block, copy);
        EVP_MD_CTX_free(block);
    }
    must(EVP_DigestFinal_ex(copy, d.b, &n));
    EVP_MD_CTX_free(copy);
    d.n = n;
    return d;
}

struct digest_stream *digest_free(struct digest_stream *s)
{
    if (s) {
        EVP_MD_CTX_free(s->ctx);
        EVP_MD_CTX_free(s->blocks);
    }
    free(s);
    return NULL;
}
