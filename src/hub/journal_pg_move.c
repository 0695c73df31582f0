/* A journal that was a folder goes into the database. */
#include "hub/journal_pg-private.h"
#include "journal/log.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* What was written of a segment, which is as long as it may become; all of any other file. */
static size_t used(int dirfd, const char *name, size_t size)
{
    slice s = slice_of(name), records;
    int64_t no;
    uint32_t off;
    struct reader r;
    if (!slice_ends(s, SL(".log")) || !slice_int(slice_sub(s, 0, s.n - 4), &no) || no <= 0 || no > UINT32_MAX || !reader_open(&r, dirfd, (uint32_t)no))
        return size;
    while (reader_next(&r, UINT64_MAX, &records, &off))
        ;
    size_t end = r.off;
    reader_close(&r);
    return MIN(end, size);
}

static int put_file(struct journal_pg *p, int dirfd, const char *name, int64_t *bytes)
{
    struct stat st;
    int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    int e = fstat(fd, &st) == 0 ? 0 : errno;
    size_t n = e ? 0 : used(dirfd, name, (size_t)st.st_size);
    if (!e && n) {
        void *at = mmap(NULL, n, PROT_READ, MAP_PRIVATE, fd, 0);
        e = at == MAP_FAILED ? errno : journal_pg_put(p, name, slice_mem(at, n), (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000);
        if (at != MAP_FAILED)
            munmap(at, n);
        *bytes += (int64_t)n;
    }
    close(fd);
    return e;
}

bool journal_pg_import(struct journal_pg *p, const char *dir, void (*told)(void *arg, int64_t bytes), void *arg, struct fault *f)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    const char *path = arena_printf(a, "%s/journal", dir).p;
    DIR *d = opendir(path);
    if (!d)
        return fault(f, "not_found", "data", "there is no journal in %s: %s", dir, strerror(errno));
    int64_t bytes = 0;
    int e = journal_pg_clear(p);
    for (struct dirent *entry; !e && (entry = readdir(d));) {
        slice name = slice_of(entry->d_name);
        if (!journal_pg_is_file(entry->d_name) || slice_ends(name, SL(".tmp")) || slice_ends(name, SL(".new")))
            continue;
        e = put_file(p, dirfd(d), entry->d_name, &bytes);
        if (told)
            told(arg, bytes);
    }
    closedir(d);
    if (!e)
        return true;
    journal_pg_fault(p, f);
    return f->code ? false : fault(f, "io", "data", "%.150s: %s", path, strerror(e));
}
