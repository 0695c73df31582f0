#include "api/attempts.h"

enum { WAYS = 8, LOCK_FIRST_MS = 1000, LOCK_MOST_MS = 15 * 60 * 1000, FORGET_MS = 60 * 60 * 1000 };

/* A key's place is one of the WAYS of its row: looking and replacing take the same short time, however full the table is. */
struct attempt {
    uint64_t hash; /* 0: free. The key itself is not kept */
    unsigned failures;
    int64_t last_ms, until_ms;
};
struct attempts {
    struct attempt failed[ATTEMPTS_MAX], passed[ATTEMPTS_MAX];
};

static struct attempt *row_of(struct attempt *rows, uint64_t hash)
{
    return &rows[hash % (ATTEMPTS_MAX / WAYS) * WAYS];
}

struct attempts *attempts_new(void)
{
    return must_calloc(1, sizeof(struct attempts));
}

void attempts_free(struct attempts *t)
{
    free(t);
}

static uint64_t hash_of(slice key)
{
    uint64_t h = slice_hash(key);
    return h ? h : 1;
}

static struct attempt *find(struct attempt *rows, uint64_t hash)
{
    struct attempt *at = row_of(rows, hash);
    for (size_t i = 0; i < WAYS; i++)
        if (at[i].hash == hash)
            return &at[i];
    return NULL;
}

/* A new one takes a free place, or that of the one that is longest ago. */
static struct attempt *find_or_add(struct attempt *rows, uint64_t hash)
{
    struct attempt *old = find(rows, hash), *of = row_of(rows, hash), *at = of;
    if (old)
        return old;
    for (size_t i = 1; i < WAYS; i++)
        if (!of[i].hash || (at->hash && of[i].last_ms < at->last_ms))
            at = &of[i];
    *at = (struct attempt){ .hash = hash };
    return at;
}

int64_t attempts_wait(struct attempts *t, slice key, int64_t now_ms)
{
    const struct attempt *at = key.n ? find(t->failed, hash_of(key)) : NULL;
    return at && at->until_ms > now_ms ? (at->until_ms - now_ms + 999) / 1000 : 0;
}

void attempts_failed(struct attempts *t, slice key, unsigned free_tries, int64_t now_ms)
{
    if (!key.n)
        return;
    struct attempt *at = find_or_add(t->failed, hash_of(key));
    if (now_ms - at->last_ms > FORGET_MS)
        at->failures = 0;
    at->failures++;
    at->last_ms = now_ms;
    if (at->failures < free_tries)
        return;
    unsigned doublings = MIN(at->failures - free_tries, 20u);
    at->until_ms = now_ms + MIN((int64_t)LOCK_FIRST_MS << doublings, (int64_t)LOCK_MOST_MS);
}

void attempts_passed(struct attempts *t, slice key, int64_t now_ms)
{
    struct attempt *at = find(t->failed, hash_of(key));
    if (at)
        *at = (struct attempt){ 0 };
    find_or_add(t->passed, hash_of(key))->last_ms = now_ms;
}

bool attempts_known(struct attempts *t, slice key)
{
    return find(t->passed, hash_of(key)) != NULL;
}
