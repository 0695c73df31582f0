/* Whatever lies in the data directory, opening the journal neither crashes nor asks for memory without bound, and what was
 * recovered once is recovered again. The first byte says what the rest is: a whole segment; records, put into a group with
 * right checksums; a snapshot's content, likewise; the pages of a file of dedupe keys, likewise. */
#include "fuzz/fuzz.h"
#include "journal/generation.h"
#include "journal/journal-private.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64];
static struct loop *loop;
static size_t heard;

static int no_sync(void *ctx, int fd)
{
    (void)ctx, (void)fd;
    return 0;
}

static void remove_dir(void)
{
    static const char *const files[] = { "00000001.log", "00000002.log", "snapshot", "key", "lock", "dedupe-00000001", "" };
    char path[128];
    for (size_t i = 0; i < COUNT(files); i++) {
        snprintf(path, sizeof(path), "%s/journal/%s", dir, files[i]);
        if (files[i][0])
            unlink(path);
        else
            rmdir(path);
    }
    rmdir(dir);
}

static void file_write(const char *name, const char *p, size_t n)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/journal/%s", dir, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert(fd >= 0 && write(fd, p, n) == (ssize_t)n);
    close(fd);
}

static void hear_offer(void *ctx, const struct joffer *o)
{
    (void)ctx;
    heard += o->lane.n;
}

static void hear_put(void *ctx, slice key, slice value)
{
    (void)ctx;
    heard += key.n + value.n;
}

static void hear_waiting(void *ctx, uint64_t id, slice lane, slice body)
{
    (void)ctx;
    heard += id + lane.n + body.n;
}

static bool hear_record(void *arg, const struct jrecord *r)
{
    (void)arg;
    heard += r->body.n + r->note.n;
    return true;
}

static bool recover(int64_t ret_counts[J_STATES])
{
    struct jio io = jio_system;
    io.sync = no_sync;
    struct journal_limits limits;
    journal_limits_default(&limits);
    limits.segment_bytes = 4096;
    struct journal *j = journal_open_with(loop, dir, &limits, &(struct joffers){ hear_offer, hear_put, hear_waiting, NULL }, &io, 0, NULL);
    if (!j)
        return false;
    journal_counts(j, ret_counts);
    journal_close(j);
    return true;
}

static void segment(char *file, const char *records, size_t n)
{
    memset(file, 0, SEG_HEAD);
    memcpy(file, "drgnlog1", 8);
    put32(file + 8, 1);
    put64(file + 24, 1);
    uint32_t crc = crc32c(0, file, SEG_HEAD - 4);
    put32(file + SEG_HEAD - 4, crc);
    char *group = file + SEG_HEAD;
    put32(group, (uint32_t)n);
    put64(group + 8, 1);
    memcpy(group + GROUP_HEAD, records, n);
    crc = crc32c(crc32c(crc, group, 4), group + 8, n + GROUP_HEAD - 8);
    put32(group + 4, crc);
}

/* generation.h's file, its pages, fences and filter out of these bytes again and again. */
static slice generation(struct arena *a, slice bytes)
{
    enum { HEAD = 32, BLOOM_BITS = 8 };
    size_t keys = bytes.n ? (unsigned char)bytes.p[0] * 3u : 0, pages = (keys + DENTRY_PER_PAGE - 1) / DENTRY_PER_PAGE;
    size_t tail = pages * 8 + (keys * BLOOM_BITS + 63) / 64 * 8, n = HEAD + pages * DENTRY_PAGE + tail;
    char *file = arena_alloc(a, n);
    for (size_t i = HEAD; i < n; i++)
        file[i] = bytes.p[i % bytes.n];
    memcpy(file, "dgdudg01", 8);
    put32(put32(put32(put64(file + 8, keys), UINT32_MAX), 1), crc32c(0, file + n - tail, tail));
    put32(file + HEAD - 4, crc32c(0, file, HEAD - 4));
    return slice_mem(file, n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!loop) {
        loop = loop_new();
        snprintf(dir, sizeof(dir), "%s/dragoman-fuzz-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
        assert(mkdtemp(dir));
        atexit(remove_dir);
    }
    if (size < 1)
        return 0;
    char path[128];
    static const char *const old[] = { "00000001.log", "00000002.log", "snapshot", "dedupe-00000001" };
    snprintf(path, sizeof(path), "%s/journal", dir);
    mkdir(path, 0700);
    for (size_t i = 0; i < COUNT(old); i++) {
        snprintf(path, sizeof(path), "%s/journal/%s", dir, old[i]);
        unlink(path);
    }
    slice rest = slice_mem(data + 1, size - 1);
    CLEANUP(arena_freep) struct arena *a = arena_new();
    char *file = arena_alloc(a, rest.n + SEG_HEAD + GROUP_HEAD);
    if (data[0] == 'd') {
        slice g = generation(a, rest);
        file_write("dedupe-00000001", g.p, g.n);
    } else if (data[0] % 3 == 0) {
        file_write("00000001.log", rest.p, rest.n);
    } else if (data[0] % 3 == 1) {
        segment(file, rest.p, rest.n);
        file_write("00000001.log", file, rest.n + SEG_HEAD + GROUP_HEAD);
    } else {
        memcpy(file, "drngsnp1", 8);
        put64(file + 8, crc32c(0, rest.p, rest.n));
        memcpy(file + 16, rest.p, rest.n);
        file_write("snapshot", file, rest.n + 16);
    }
    int64_t first[J_STATES], again[J_STATES];
    (void)!journal_scan(dir, hear_record, NULL, NULL);
    if (recover(first) && (data[0] == 'd' || data[0] % 3 != 2)) {
        assert(recover(again));
        assert(memcmp(first, again, sizeof(first)) == 0);
    }
    return 0;
}
