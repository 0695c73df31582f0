#include "journal/io.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static int system_write(void *ctx, int fd, const void *p, size_t n, off_t at)
{
    (void)ctx;
    const char *from = p;
    while (n) {
        ssize_t did = pwrite(fd, from, n, at);
        if (did < 0 && errno == EINTR)
            continue;
        if (did <= 0)
            return did == 0 ? EIO : errno;
        from += did, at += did, n -= (size_t)did;
    }
    return 0;
}

static int system_sync(void *ctx, int fd)
{
    (void)ctx;
    return fdatasync(fd) == 0 ? 0 : errno;
}

static int system_allocate(void *ctx, int fd, off_t size)
{
    (void)ctx;
    int e;
    do
        e = posix_fallocate(fd, 0, size);
    while (e == EINTR);
    return e;
}

static int64_t system_wall(void *ctx)
{
    (void)ctx;
    return time_now_ms();
}

static int64_t system_mono(void *ctx)
{
    (void)ctx;
    return time_mono_us();
}

const struct jio jio_system = {
    .write = system_write,
    .sync = system_sync,
    .allocate = system_allocate,
    .wall_ms = system_wall,
    .mono_us = system_mono,
};

size_t jio_read(int fd, void *p, size_t n, off_t at)
{
    size_t got = 0;
    while (got < n) {
        ssize_t did = pread(fd, (char *)p + got, n - got, at + (off_t)got);
        if (did < 0 && errno == EINTR)
            continue;
        if (did <= 0)
            break;
        got += (size_t)did;
    }
    return got;
}

int jio_replace(const struct jio *io, int dirfd, const char *name, slice content)
{
    char temp[64];
    snprintf(temp, sizeof(temp), "%s.new", name);
    int fd = openat(dirfd, temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno;
    const struct jio *local = io->replaced ? &jio_system : io;
    int e = local->write(local->ctx, fd, content.p, content.n, 0);
    if (!e)
        e = io->replaced ? io->replaced(io->ctx, name, content) : io->sync(io->ctx, fd);
    close(fd);
    if (!e && renameat(dirfd, temp, dirfd, name) != 0)
        e = errno;
    if (e)
        unlinkat(dirfd, temp, 0);
    else if (!io->replaced && fsync(dirfd) != 0)
        e = errno;
    return e;
}

slice jio_load(int dirfd, const char *name, size_t max, struct arena *a)
{
    int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return SLICE_NONE;
    struct stat st;
    slice s = SLICE_NONE;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (uint64_t)st.st_size <= max) {
        char *p = arena_alloc(a, (size_t)st.st_size + 1);
        if (jio_read(fd, p, (size_t)st.st_size, 0) == (size_t)st.st_size)
            s = slice_mem(p, (size_t)st.st_size);
    }
    close(fd);
    return s;
}

/* ---- CRC-32C ------------------------------------------------------------------------------------ */

enum { CRC_POLYNOMIAL_REVERSED = 0x82f63b78 };

static uint32_t crc_table[256];

__attribute__((constructor)) static void crc_table_make(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int bit = 0; bit < 8; bit++)
            c = c & 1 ? c >> 1 ^ (uint32_t)CRC_POLYNOMIAL_REVERSED : c >> 1;
        crc_table[i] = c;
    }
}

static uint32_t crc_by_table(uint32_t c, const unsigned char *p, size_t n)
{
    for (; n; n--)
        c = c >> 8 ^ crc_table[(c ^ *p++) & 0xff];
    return c;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t crc_by_processor(uint32_t c, const unsigned char *p, size_t n)
{
    uint64_t wide = c;
    for (; n >= 8; n -= 8, p += 8) {
        uint64_t w;
        memcpy(&w, p, 8);
        wide = __builtin_ia32_crc32di(wide, w);
    }
    c = (uint32_t)wide;
    for (; n; n--)
        c = __builtin_ia32_crc32qi(c, *p++);
    return c;
}
#endif

uint32_t crc32c(uint32_t seed, const void *p, size_t n)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2"))
        return ~crc_by_processor(~seed, p, n);
#endif
    return ~crc_by_table(~seed, p, n);
}
