#include "api/attempts.h"

enum { WAYS = 8, LOCK_FIRST_MS = 1000, LOCK_MOST_MS = 15 * 60 * 1000, FORGET_MS = 60 * 60 * 1000 };

/* A key's place is one of the WAYS of its row: looking and replacing take the same short time, however full the table is. */
struct attempt {
    uint64_t hash; /* 0: free. The key itself is not kept */
    unsigned failures;
    int64_t last_ms, until_ms;
};
struct attempts {
    struct attempt rows[ATTEMPTS_MAX / WAYS][WAYS];
};

struct attempts *attempts_new(void)
{
    return must_calloc(1, sizeof(struct attempts));
}

void attempts_free(struct attempts *t)
{
    free(t);
}

static struct attempt *row_of(struct attempts *t, uint64_t hash)
{
    return t->rows[hash % COUNT(t->rows)];
}

static uint64_t hash_of(slice key)
{
    uint64_t h = slice_hash(key);
    return h ? h : 1;
}

static struct attempt *find(struct attempts *t, uint64_t hash)
{
    struct attempt *row = row_of(t, hash);
    for (size_t i = 0; i < WAYS; i++)
        if (row[i].hash == hash)
            return &row[i];
    return NULL;
}

int64_t attempts_wait(struct attempts *t, slice key, int64_t now_ms)
{
    const struct attempt *at = key.n ? find(t, hash_of(key)) : NULL;
    return at && at->until_ms > now_ms ? (at->until_ms - now_ms + 999) / 1000 : 0;
}

void attempts_failed(struct attempts *t, slice key, unsigned free_tries, int64_t now_ms)
{
    if (!key.n)
        return;
    uint64_t hash = hash_of(key);
    struct attempt *at = find(t, hash), *row = row_of(t, hash);
    if (!at) {
        at = &row[0];
        for (size_t i = 1; i < WAYS; i++)
            if (!row[i].hash || (at->hash && row[i].last_ms < at->last_ms))
                at = &row[i];
        *at = (struct attempt){ .hash = hash };
    }
    if (now_ms - at->last_ms > FORGET_MS)
        at->failures = 0;
    at->failures++;
    at->last_ms = now_ms;
    if (at->failures < free_tries)
        return;
    unsigned doublings = MIN(at->failures - free_tries, 20u);
    at->until_ms = now_ms + MIN((int64_t)LOCK_FIRST_MS << doublings, (int64_t)LOCK_MOST_MS);
}

void attempts_passed(struct attempts *t, slice key)
{
    struct attempt *at = find(t, hash_of(key));
    if (at)
        *at = (struct attempt){ 0 };
}
