#include "journal/generation.h"
#include "journal/record.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    GEN_HEAD = 32, /* magic u64, keys u64, last hour u32, number u32, crc of what stays in memory u32, crc of the head so far u32 */
    GEN_BLOOM_BITS = 8,
    GEN_BLOOM_PROBES = 5,
    GEN_KEYS_MAX = 1 << 28,
};
#define GEN_MAGIC UINT64_C(0x3130676475646764) /* "dgdudg01" */

struct generation {
    int fd;
    uint32_t number, ends_h;
    size_t n, pages, bloom_bytes;
    uint64_t *fence; /* pages of them, then the filter */
    unsigned char *bloom;
};

static void file_name(char buf[32], uint32_t number)
{
    snprintf(buf, 32, "dedupe-%08u", number);
}

static size_t pages_of(size_t n)
{
    return (n + DENTRY_PER_PAGE - 1) / DENTRY_PER_PAGE;
}

static size_t bloom_bytes_of(size_t n)
{
    return (n * GEN_BLOOM_BITS + 63) / 64 * 8;
}

/* The second half of the hash is as random as the first, which orders the file; probes are h1 + i * h0. */
static size_t bloom_bit(struct dkey k, unsigned probe, size_t bytes)
{
    uint64_t h = k.h[1] + probe * (k.h[0] | 1);
    return (size_t)((unsigned __int128)h * (bytes * 8) >> 64);
}

int generation_write(int dirfd, const struct jio *io, uint32_t number, const struct dentry *all, size_t n)
{
    size_t pages = pages_of(n), bloom_bytes = bloom_bytes_of(n), tail = pages * 8 + bloom_bytes;
    size_t size = GEN_HEAD + pages * DENTRY_PAGE + tail;
    char *file = must_calloc(1, size), *fence = file + GEN_HEAD + pages * DENTRY_PAGE, *bloom = fence + pages * 8;
    uint32_t ends_h = 0;
    for (size_t i = 0; i < n; i++) {
        size_t page = i / DENTRY_PER_PAGE, at = i % DENTRY_PER_PAGE;
        memcpy(file + GEN_HEAD + page * DENTRY_PAGE + at * sizeof(all[i]), &all[i], sizeof(all[i]));
        if (at == 0)
            put64(fence + page * 8, all[i].key.h[0]);
        for (unsigned probe = 0; probe < GEN_BLOOM_PROBES; probe++) {
            size_t bit = bloom_bit(all[i].key, probe, bloom_bytes);
            bloom[bit / 8] = (char)((unsigned char)bloom[bit / 8] | 1u << (bit % 8));
        }
        ends_h = MAX(ends_h, all[i].ends_h);
    }
    char *p = put64(put64(file, GEN_MAGIC), n);
    p = put32(put32(put32(p, ends_h), number), crc32c(0, fence, tail));
    put32(p, crc32c(0, file, GEN_HEAD - 4));
    char name[32];
    file_name(name, number);
    int e = jio_replace(io, dirfd, name, slice_mem(file, size));
    free(file);
    return e;
}

struct generation *generation_open(int dirfd, uint32_t number)
{
    char name[32], head[GEN_HEAD];
    file_name(name, number);
    int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    struct stat st;
    struct generation *g = must_calloc(1, sizeof(*g));
    g->fd = fd;
    if (fstat(fd, &st) != 0 || jio_read(fd, head, GEN_HEAD, 0) != GEN_HEAD || get64(head) != GEN_MAGIC ||
        get32(head + GEN_HEAD - 4) != crc32c(0, head, GEN_HEAD - 4) || get64(head + 8) > GEN_KEYS_MAX)
        goto bad;
    g->n = (size_t)get64(head + 8);
    g->ends_h = get32(head + 16);
    g->number = number;
    g->pages = pages_of(g->n);
    g->bloom_bytes = bloom_bytes_of(g->n);
    size_t tail = g->pages * 8 + g->bloom_bytes;
    if (get32(head + 20) != number || (uint64_t)st.st_size != GEN_HEAD + g->pages * DENTRY_PAGE + tail)
        goto bad;
    g->fence = must_malloc(tail);
    g->bloom = (unsigned char *)(g->fence + g->pages);
    if (jio_read(fd, g->fence, tail, (off_t)(GEN_HEAD + g->pages * DENTRY_PAGE)) != tail ||
        crc32c(0, g->fence, tail) != get32(head + 24))
        goto bad;
    return g;
bad:
    generation_close(g);
    return NULL;
}

void generation_close(struct generation *g)
{
    if (!g)
        return;
    close(g->fd);
    free(g->fence);
    free(g);
}

void generation_remove(struct generation *g, int dirfd, const struct jio *io)
{
    char name[32];
    file_name(name, g->number);
    unlinkat(dirfd, name, 0);
    if (io->removed)
        io->removed(io->ctx, name);
    generation_close(g);
}

size_t generation_find(int dirfd, struct generation **ret, size_t max, uint32_t *ret_next)
{
    size_t n = 0;
    int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    *ret_next = 1;
    for (struct dirent *e; dir && (e = readdir(dir));) {
        slice name = slice_of(e->d_name);
        int64_t number;
        if (!slice_starts(name, SL("dedupe-")) || !slice_int(slice_from(name, 7), &number) || number <= 0 ||
            number >= UINT32_MAX)
            continue;
        *ret_next = MAX(*ret_next, (uint32_t)number + 1);
        struct generation *g = n < max ? generation_open(dirfd, (uint32_t)number) : NULL;
        if (g)
            ret[n++] = g;
    }
    if (dir)
        closedir(dir);
    return n;
}

static bool page_has(const struct generation *g, size_t page, struct dkey k, uint32_t now_h)
{
    struct dentry all[DENTRY_PER_PAGE];
    size_t n = MIN((size_t)DENTRY_PER_PAGE, g->n - page * DENTRY_PER_PAGE), low = 0, high = n;
    if (jio_read(g->fd, all, n * sizeof(*all), (off_t)(GEN_HEAD + page * DENTRY_PAGE)) != n * sizeof(*all))
        return false;
    while (low < high) {
        size_t mid = (low + high) / 2;
        const struct dkey *at = &all[mid].key;
        if (at->h[0] < k.h[0] || (at->h[0] == k.h[0] && at->h[1] < k.h[1]))
            low = mid + 1;
        else
            high = mid;
    }
    return low < n && all[low].key.h[0] == k.h[0] && all[low].key.h[1] == k.h[1] && all[low].ends_h > now_h;
}

bool generation_has(const struct generation *g, struct dkey k, uint32_t now_h)
{
    for (unsigned probe = 0; probe < GEN_BLOOM_PROBES; probe++) {
        size_t bit = bloom_bit(k, probe, g->bloom_bytes);
        if (!(g->bloom[bit / 8] & 1u << (bit % 8)))
            return false;
    }
    size_t low = 0, high = g->pages; /* the first page that begins behind the key */
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (g->fence[mid] <= k.h[0])
            low = mid + 1;
        else
            high = mid;
    }
    return low && page_has(g, low - 1, k, now_h);
}

size_t generation_keys(const struct generation *g)
{
    return g->n;
}

uint32_t generation_ends_h(const struct generation *g)
{
    return g->ends_h;
}

size_t generation_read(const struct generation *g, struct dentry *into, size_t max)
{
    size_t n = 0;
    for (size_t page = 0; page < g->pages && n < max; page++) {
        size_t want = MIN(MIN((size_t)DENTRY_PER_PAGE, g->n - n), max - n);
        if (jio_read(g->fd, into + n, want * sizeof(*into), (off_t)(GEN_HEAD + page * DENTRY_PAGE)) != want * sizeof(*into))
            break;
        n += want;
    }
    return n;
}
