#include "api/nexus/rates.h"

struct slot {
    uint64_t name; /* 0: free */
    int64_t at_ms;
    double left;
};
struct rates {
    struct slot slots[RATES_SLOTS];
};

struct rates *rates_new(void)
{
    return must_calloc(1, sizeof(struct rates));
}

void rates_free(struct rates *r)
{
    free(r);
}

static struct slot *find(struct rates *r, uint64_t name, int64_t capacity, int64_t now_ms)
{
    struct slot *set = &r->slots[name % (RATES_SLOTS / RATES_WAYS) * RATES_WAYS], *oldest = set;
    for (size_t i = 0; i < RATES_WAYS; i++) {
        if (set[i].name == name)
            return &set[i];
        if (set[i].at_ms < oldest->at_ms)
            oldest = &set[i];
    }
    *oldest = (struct slot){ name, now_ms, (double)capacity };
    return oldest;
}

int64_t rates_take(struct rates *r, slice key, slice client, int64_t capacity, int64_t frequency_s, int64_t now_ms)
{
    uint64_t name = (slice_hash(key) * 31 + slice_hash(client)) | 1;
    struct slot *s = find(r, name, capacity, now_ms);
    double per_ms = (double)capacity / ((double)frequency_s * 1000);
    s->left = MIN((double)capacity, s->left + (double)(now_ms - s->at_ms) * per_ms);
    s->at_ms = now_ms;
    if (s->left < 1)
        return (int64_t)((1 - s->left) / per_ms) + 1;
    s->left -= 1;
    return 0;
}
