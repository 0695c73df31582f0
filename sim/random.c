#include "sim/sim.h"

/* xoshiro256** seeded by splitmix64: small, fast, good enough to choose whom to annoy. */
static uint64_t splitmix(uint64_t *x)
{
    uint64_t z = (*x += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static uint64_t rotl(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

void sim_random_seed(struct sim_random *r, uint64_t seed)
{
    for (size_t i = 0; i < COUNT(r->s); i++)
        r->s[i] = splitmix(&seed);
}

uint64_t sim_random_next(struct sim_random *r)
{
    uint64_t *s = r->s, result = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
}

double sim_random_unit(struct sim_random *r)
{
    return (double)(sim_random_next(r) >> 11) * 0x1.0p-53;
}

slice sim_random_hex(struct sim_random *r, struct arena *a, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    char *p = arena_alloc(a, n + 1);
    for (size_t i = 0; i < n; i++)
        p[i] = digits[sim_random_next(r) >> 60];
    p[n] = 0;
    return slice_mem(p, n);
}

slice sim_random_uuid(struct sim_random *r, struct arena *a)
{
    slice h = sim_random_hex(r, a, 31);
    return arena_printf(a, "%.8s-%.4s-4%.3s-%c%.3s-%.12s", h.p, h.p + 8, h.p + 12, "89ab"[sim_random_next(r) >> 62], h.p + 15, h.p + 19);
}
