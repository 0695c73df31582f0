#include "hub/known.h"

struct known {
    uint64_t words[KNOWN_BITS / 64];
};

struct known *known_new(void)
{
    return must_calloc(1, sizeof(struct known));
}

void known_free(struct known *k)
{
    free(k);
}

/* Two halves of one hash make all the probes (Kirsch and Mitzenmacher). */
static uint32_t probe(uint64_t hash, unsigned i)
{
    return ((uint32_t)hash + i * ((uint32_t)(hash >> 32) | 1)) % KNOWN_BITS;
}

void known_add(struct known *k, slice key)
{
    uint64_t hash = slice_hash(key);
    for (unsigned i = 0; i < KNOWN_PROBES; i++) {
        uint32_t bit = probe(hash, i);
        k->words[bit / 64] |= UINT64_C(1) << bit % 64;
    }
}

bool known_may(const struct known *k, slice key)
{
    uint64_t hash = slice_hash(key);
    for (unsigned i = 0; i < KNOWN_PROBES; i++) {
        uint32_t bit = probe(hash, i);
        if (!(k->words[bit / 64] >> bit % 64 & 1))
            return false;
    }
    return true;
}
