#include "bench/record.h"

struct record_key {
    uint64_t key; /* 0: free */
    unsigned n;
};
enum { KEYS_FIRST = 1 << 15, GROW = 4096, SECOND_US = 1000000 };

static struct record_key *key_slot(struct record_key *keys, size_t room, uint64_t key)
{
    size_t i = key & (room - 1);
    while (keys[i].key && keys[i].key != key)
        i = (i + 1) & (room - 1);
    return &keys[i];
}

static void keys_grow(struct record *r)
{
    size_t room = r->keys_room ? r->keys_room * 2 : KEYS_FIRST;
    struct record_key *keys = must_calloc(room, sizeof(*keys));
    for (size_t i = 0; i < r->keys_room; i++)
        if (r->keys[i].key)
            *key_slot(keys, room, r->keys[i].key) = r->keys[i];
    free(r->keys);
    r->keys = keys;
    r->keys_room = room;
}

/* An array that reaches index i; what is new is 0. */
static void *reach(void *p, size_t *room, size_t i, size_t each)
{
    if (i < *room)
        return p;
    size_t more = MAX(*room * 2, i + GROW);
    p = must_realloc(p, more * each);
    memset((char *)p + *room * each, 0, (more - *room) * each);
    *room = more;
    return p;
}

void record_add(struct record *r, const struct work_text *t, uint64_t key)
{
    if (r->n_keys * 2 >= r->keys_room)
        keys_grow(r);
    r->at_us = reach(r->at_us, &r->room, t->n, sizeof(*r->at_us));
    r->last_k = reach(r->last_k, &r->guests, t->guest, sizeof(*r->last_k));
    struct record_key *known = key_slot(r->keys, r->keys_room, key);
    if (known->key) {
        r->repeats += known->n == t->n;
        r->swallowed += known->n != t->n;
        return;
    }
    *known = (struct record_key){ key, t->n };
    r->n_keys++;
    if (r->at_us[t->n]) {
        r->doubles++;
        return;
    }
    r->at_us[t->n] = r->last_us = time_mono_us();
    if (!r->unique++)
        r->first_us = r->last_us;
    if (t->k + 1 <= r->last_k[t->guest])
        r->disorder++;
    else
        r->last_k[t->guest] = t->k + 1;
}

void record_clear(struct record *r)
{
    free(r->at_us);
    free(r->last_k);
    free(r->keys);
    *r = (struct record){ 0 };
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

size_t record_max_in_a_second(const struct record *r)
{
    int64_t *at = must_calloc(r->unique + 1, sizeof(*at));
    size_t n = 0, most = 0;
    for (size_t i = 0; i < r->room; i++)
        if (r->at_us[i])
            at[n++] = r->at_us[i];
    qsort(at, n, sizeof(*at), by_value);
    for (size_t first = 0, last = 0; last < n; last++) {
        while (at[last] - at[first] >= SECOND_US)
            first++;
        most = MAX(most, last - first + 1);
    }
    free(at);
    return most;
}

void record_print(const struct record *r, const char *name, struct buffer *into)
{
    buffer_printf(into, "\"%s\":{\"unique\":%zu,\"repeats\":%zu,\"doubles\":%zu,\"swallowed\":%zu,\"disorder\":%zu,\"first_us\":%lld,\"last_us\":%lld,"
                  "\"max_in_a_second\":%zu}",
                  name, r->unique, r->repeats, r->doubles, r->swallowed, r->disorder, (long long)r->first_us, (long long)r->last_us,
                  record_max_in_a_second(r));
}
