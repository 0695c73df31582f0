#include "journal/dedupe.h"
#include "journal/generation.h"
#include "journal/record.h"
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <unistd.h>

enum {
    DEDUPE_FIRST_SLOTS = 256,
    DEDUPE_GENERATIONS_MAX = 256,
    DEDUPE_OLD_MS = 24 * 3600 * 1000, /* a table this old is frozen even when small, so that its keys do not stay for ever … */
    DEDUPE_OLD_KEYS = 4096,           /* … unless it is so small that it does not matter */
    DEDUPE_MISSED_MS = 60 * 1000,     /* a failed freeze or merge is tried again after */
};

/* Open addressing; the all-zero hash is an empty slot (dedupe_key never makes it). value: the ending hour, or the batch. */
struct table {
    struct dkey *keys;
    uint64_t *batches; /* claims only */
    uint32_t *ends;    /* keys only */
    size_t n_slots, used;
};

struct freeze {
    struct job job;
    struct dedupe *d;
    struct disk *disk;
    struct table table;               /* to be written, or empty */
    struct generation *from[DEDUPE_MERGE]; /* to be merged */
    size_t n_from;
    uint32_t now_h, number;
    struct generation *made;
    int error;
};

struct dedupe {
    int dirfd;
    const struct jio *io;
    unsigned char key[crypto_shorthash_siphashx24_KEYBYTES];
    struct table active, claims;
    size_t generation_keys;
    int64_t active_since_ms, not_before_ms;
    struct freeze *freeze; /* under way; its table is still looked at */
    struct generation *gens[DEDUPE_GENERATIONS_MAX];
    size_t n_gens;
    uint32_t next_number;
};

static size_t slot_of(const struct table *t, struct dkey k)
{
    size_t at = k.h[0] & (t->n_slots - 1);
    while ((t->keys[at].h[0] | t->keys[at].h[1]) && (t->keys[at].h[0] != k.h[0] || t->keys[at].h[1] != k.h[1]))
        at = (at + 1) & (t->n_slots - 1);
    return at;
}

static bool slot_used(const struct table *t, size_t at)
{
    return t->keys[at].h[0] | t->keys[at].h[1];
}

static bool table_find(const struct table *t, struct dkey k, size_t *ret_at)
{
    if (!t->n_slots)
        return false;
    *ret_at = slot_of(t, k);
    return slot_used(t, *ret_at);
}

static void table_done(struct table *t)
{
    free(t->keys);
    free(t->ends);
    free(t->batches);
    *t = (struct table){ 0 };
}

static void table_put(struct table *t, struct dkey k, bool claims, uint32_t ends_h, uint64_t batch)
{
    if ((t->used + 1) * 4 > t->n_slots * 3) {
        struct table old = *t;
        t->n_slots = old.n_slots ? old.n_slots * 2 : DEDUPE_FIRST_SLOTS;
        t->keys = must_calloc(t->n_slots, sizeof(*t->keys));
        t->ends = claims ? NULL : must_malloc(t->n_slots * sizeof(*t->ends));
        t->batches = claims ? must_malloc(t->n_slots * sizeof(*t->batches)) : NULL;
        for (size_t i = 0; i < old.n_slots; i++) {
            if (!slot_used(&old, i))
                continue;
            size_t at = slot_of(t, old.keys[i]);
            t->keys[at] = old.keys[i];
            if (claims)
                t->batches[at] = old.batches[i];
            else
                t->ends[at] = old.ends[i];
        }
        table_done(&old);
    }
    size_t at = slot_of(t, k);
    t->used += !slot_used(t, at);
    t->keys[at] = k;
    if (claims)
        t->batches[at] = batch;
    else
        t->ends[at] = ends_h;
}

static void table_remove(struct table *t, size_t at)
{
    size_t mask = t->n_slots - 1;
    for (size_t next = (at + 1) & mask; slot_used(t, next); next = (next + 1) & mask) {
        size_t home = t->keys[next].h[0] & mask;
        if (((next - home) & mask) >= ((next - at) & mask)) {
            t->keys[at] = t->keys[next];
            if (t->batches)
                t->batches[at] = t->batches[next];
            if (t->ends)
                t->ends[at] = t->ends[next];
            at = next;
        }
    }
    t->keys[at] = (struct dkey){ { 0, 0 } };
    t->used--;
}

/* ---- keys --------------------------------------------------------------------------------------- */

struct dkey dedupe_key(const struct dedupe *d, slice key)
{
    struct dkey k;
    static_assert(sizeof(k) == crypto_shorthash_siphashx24_BYTES, "a key is one hash");
    crypto_shorthash_siphashx24((unsigned char *)&k, (const unsigned char *)(key.p ? key.p : ""), key.n, d->key);
    k.h[0] |= !(k.h[0] | k.h[1]); /* all zero means empty */
    return k;
}

bool dedupe_seen(const struct dedupe *d, struct dkey k, uint32_t now_h)
{
    size_t at;
    if (table_find(&d->active, k, &at))
        return d->active.ends[at] > now_h;
    if (d->freeze && table_find(&d->freeze->table, k, &at))
        return d->freeze->table.ends[at] > now_h;
    for (size_t i = 0; i < d->n_gens; i++)
        if (generation_has(d->gens[i], k, now_h))
            return true;
    return false;
}

void dedupe_add(struct dedupe *d, struct dkey k, uint32_t ends_h)
{
    table_put(&d->active, k, false, ends_h, 0);
}

uint64_t dedupe_claimed(const struct dedupe *d, struct dkey k)
{
    size_t at;
    return table_find(&d->claims, k, &at) ? d->claims.batches[at] : 0;
}

void dedupe_claim(struct dedupe *d, struct dkey k, uint64_t batch)
{
    table_put(&d->claims, k, true, 0, batch);
}

void dedupe_unclaim(struct dedupe *d, struct dkey k)
{
    size_t at;
    if (table_find(&d->claims, k, &at))
        table_remove(&d->claims, at);
}

void dedupe_each(const struct dedupe *d, void (*each)(void *, struct dkey, uint32_t), void *arg)
{
    const struct table *tables[] = { &d->active, d->freeze ? &d->freeze->table : NULL };
    for (size_t t = 0; t < COUNT(tables); t++)
        for (size_t i = 0; tables[t] && i < tables[t]->n_slots; i++)
            if (slot_used(tables[t], i))
                each(arg, tables[t]->keys[i], tables[t]->ends[i]);
}

size_t dedupe_in_memory(const struct dedupe *d)
{
    return d->active.used + (d->freeze ? d->freeze->table.used : 0);
}

size_t dedupe_generations(const struct dedupe *d)
{
    return d->n_gens;
}

/* ---- freezing, merging, dropping ---------------------------------------------------------------- */

static int by_hash(const void *a, const void *b)
{
    const struct dentry *x = a, *y = b;
    uint64_t p = x->key.h[0], q = y->key.h[0];
    if (p == q)
        p = x->key.h[1], q = y->key.h[1];
    return p < q ? -1 : p > q;
}

/* On the disk thread. */
static void freeze_work(struct job *job)
{
    struct freeze *z = CONTAINER_OF(job, struct freeze, job);
    size_t room = z->table.used, n = 0;
    for (size_t i = 0; i < z->n_from; i++)
        room += generation_keys(z->from[i]);
    struct dentry *all = must_malloc(room * sizeof(*all));
    for (size_t i = 0; i < z->table.n_slots; i++)
        if (slot_used(&z->table, i))
            all[n++] = (struct dentry){ z->table.keys[i], z->table.ends[i], 0 };
    for (size_t i = 0; i < z->n_from; i++)
        n += generation_read(z->from[i], all + n, room - n);
    if (n < room) { /* a page cannot be read: what can be looked up where it is must not be replaced by less */
        free(all);
        z->error = EIO;
        return;
    }
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (all[i].ends_h > z->now_h)
            all[kept++] = all[i];
    qsort(all, kept, sizeof(*all), by_hash);
    z->error = kept ? generation_write(z->d->dirfd, z->d->io, z->number, all, kept) : 0;
    free(all);
    if (kept && !z->error) {
        z->made = generation_open(z->d->dirfd, z->number);
        z->error = z->made ? 0 : EIO;
    }
}

static void drop_generation(struct dedupe *d, size_t i)
{
    generation_remove(d->gens[i], d->dirfd, d->io);
    d->gens[i] = d->gens[--d->n_gens];
}

static void freeze_done(struct job *job)
{
    struct freeze *z = CONTAINER_OF(job, struct freeze, job);
    struct dedupe *d = z->d;
    d->freeze = NULL;
    if (z->error) {
        /* Nothing is lost: the keys go back to memory, which may grow beyond its usual size until the disk takes them. */
        for (size_t i = 0; i < z->table.n_slots; i++)
            if (slot_used(&z->table, i))
                table_put(&d->active, z->table.keys[i], false, z->table.ends[i], 0);
        d->not_before_ms = d->io->mono_us(d->io->ctx) / 1000 + DEDUPE_MISSED_MS;
    } else {
        for (size_t i = 0; i < z->n_from; i++)
            for (size_t g = 0; g < d->n_gens; g++)
                if (d->gens[g] == z->from[i]) {
                    drop_generation(d, g);
                    break;
                }
        if (z->made)
            d->gens[d->n_gens++] = z->made;
    }
    struct disk *disk = z->disk;
    uint32_t now_h = z->now_h;
    table_done(&z->table);
    free(z);
    dedupe_tend(d, disk, now_h, d->io->mono_us(d->io->ctx) / 1000); /* a new generation may be the one that makes a merge due */
}

static struct freeze *freeze_new(struct dedupe *d, uint32_t now_h)
{
    struct freeze *z = must_calloc(1, sizeof(*z));
    z->job.work = freeze_work;
    z->job.done = freeze_done;
    z->d = d;
    z->now_h = now_h;
    z->number = d->next_number++;
    d->freeze = z;
    return z;
}

static unsigned size_class(const struct dedupe *d, const struct generation *g)
{
    unsigned class = 0;
    for (size_t n = generation_keys(g); n > d->generation_keys * 2; n /= DEDUPE_MERGE)
        class++;
    return class;
}

/* DEDUPE_MERGE generations of one size class, if there are so many. */
static bool merge_choose(struct dedupe *d, struct generation *ret_from[DEDUPE_MERGE])
{
    for (size_t i = 0; i < d->n_gens; i++) {
        unsigned class = size_class(d, d->gens[i]);
        size_t n = 0;
        for (size_t k = i; k < d->n_gens && n < DEDUPE_MERGE; k++)
            if (size_class(d, d->gens[k]) == class)
                ret_from[n++] = d->gens[k];
        if (n == DEDUPE_MERGE)
            return true;
    }
    return false;
}

void dedupe_tend(struct dedupe *d, struct disk *disk, uint32_t now_h, int64_t mono_ms)
{
    if (d->freeze)
        return;
    for (size_t i = d->n_gens; i-- > 0;)
        if (generation_ends_h(d->gens[i]) <= now_h)
            drop_generation(d, i);
    if (!d->active.used)
        d->active_since_ms = mono_ms;
    if (mono_ms < d->not_before_ms)
        return;
    bool old = mono_ms - d->active_since_ms >= DEDUPE_OLD_MS && d->active.used >= DEDUPE_OLD_KEYS;
    struct freeze *z = NULL;
    struct generation *from[DEDUPE_MERGE];
    if ((d->active.used >= d->generation_keys || old) && d->n_gens < DEDUPE_GENERATIONS_MAX) {
        z = freeze_new(d, now_h);
        z->table = d->active;
        d->active = (struct table){ 0 };
        d->active_since_ms = mono_ms;
    } else if (merge_choose(d, from)) {
        z = freeze_new(d, now_h);
        memcpy(z->from, from, sizeof(from));
        z->n_from = DEDUPE_MERGE;
    }
    if (z) {
        z->disk = disk;
        disk_submit(disk, &z->job);
    }
}

/* ---- opening ------------------------------------------------------------------------------------ */

static bool key_load(struct dedupe *d, struct fault *f)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice s = jio_load(d->dirfd, "key", sizeof(d->key), a);
    if (s.p && s.n == sizeof(d->key)) {
        memcpy(d->key, s.p, s.n);
        return true;
    }
    if (s.p || faccessat(d->dirfd, "key", F_OK, 0) == 0)
        return fault(f, "bad_file", "journal/key", "is there but does not hold a key");
    random_bytes(d->key, sizeof(d->key));
    int e = jio_replace(d->io, d->dirfd, "key", slice_mem(d->key, sizeof(d->key)));
    return e == 0 || fault(f, "io", "journal/key", "cannot be written: %s", strerror(e));
}

struct dedupe *dedupe_open(int dirfd, const struct jio *io, struct fault *f)
{
    struct dedupe *d = must_calloc(1, sizeof(*d));
    d->dirfd = dirfd;
    d->io = io;
    d->generation_keys = DEDUPE_GENERATION_KEYS;
    d->active_since_ms = io->mono_us(io->ctx) / 1000;
    if (!key_load(d, f)) {
        free(d);
        return NULL;
    }
    d->n_gens = generation_find(dirfd, d->gens, DEDUPE_GENERATIONS_MAX - 1, &d->next_number);
    return d;
}

void dedupe_free(struct dedupe *d)
{
    if (!d)
        return;
    assert(!d->freeze); /* the disk was drained */
    for (size_t i = 0; i < d->n_gens; i++)
        generation_close(d->gens[i]);
    table_done(&d->active);
    table_done(&d->claims);
    free(d);
}

void dedupe_set_generation_keys(struct dedupe *d, size_t n)
{
    d->generation_keys = n;
}
