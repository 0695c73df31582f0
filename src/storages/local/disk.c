#include "storages/local/disk.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SIDECAR_MAX = 16384, TMP_OLD_S = 3600, FOLDER_TRIES = 5 };

static bool take_word(slice s, char to[STORAGE_WORD_MAX + 1])
{
    if (!storage_word_ok(s))
        return false;
    memcpy(to, s.p, s.n);
    to[s.n] = 0;
    return true;
}

bool disk_path_parse(slice text, struct disk_path *ret)
{
    return take_word(slice_cut(&text, '/'), ret->tenant) && take_word(slice_cut(&text, '/'), ret->conversation) &&
           take_word(text, ret->id);
}

bool disk_fault(struct fault *f, const char *what)
{
    bool full = errno == ENOSPC || errno == EDQUOT;
    return fault(f, full ? "storage_full" : "storage_failed", "", "the attachment's folder cannot %s: %s", what, strerror(errno));
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* ---- folders -------------------------------------------------------------------------------------------------------------------- */

static int open_folder(int at, const char *name)
{
    return openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static int make_folder(int at, const char *name)
{
    int fd = open_folder(at, name);
    if (fd >= 0 || errno != ENOENT)
        return fd;
    if (mkdirat(at, name, 0700) == 0)
        fsync(at); /* its name is as durable as the file that follows */
    return open_folder(at, name);
}

/* The conversation's folder, made when `make`. */
static int folder_of(int root, const struct disk_path *path, bool make)
{
    int tenant = make ? make_folder(root, path->tenant) : open_folder(root, path->tenant);
    int fd = tenant < 0 ? -1 : make ? make_folder(tenant, path->conversation) : open_folder(tenant, path->conversation);
    int error = errno;
    close_fd(&tenant);
    errno = error;
    return fd;
}

/* ---- writing --------------------------------------------------------------------------------------------------------------------- */

static int open_tmp(int folder, char name[32])
{
    uint64_t random;
    random_bytes(&random, sizeof(random));
    snprintf(name, 32, ".tmp-%016llx", (unsigned long long)random);
    return openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

bool disk_begin(struct disk_writer *w, int root, const struct disk_path *path, struct fault *f)
{
    w->folder = w->fd = -1;
    for (int i = 0; i < FOLDER_TRIES; i++) { /* a delete may remove the empty folder between the two calls */
        w->folder = folder_of(root, path, true);
        if (w->folder < 0)
            continue;
        w->fd = open_tmp(w->folder, w->tmp);
        if (w->fd >= 0)
            return true;
        int error = errno;
        close_fd(&w->folder);
        errno = error;
        if (error != ENOENT)
            return disk_fault(f, "be written to");
    }
    return disk_fault(f, "be made");
}

static bool write_all(int fd, slice s)
{
    while (s.n) {
        ssize_t n = write(fd, s.p, s.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        s = slice_from(s, (size_t)n);
    }
    return true;
}

bool disk_write(struct disk_writer *w, slice bytes, struct fault *f)
{
    return write_all(w->fd, bytes) || disk_fault(f, "be written to");
}

bool disk_finish(struct disk_writer *w, const struct disk_path *path, slice sidecar, struct fault *f)
{
    char side_tmp[32], side_name[STORAGE_WORD_MAX + 8];
    snprintf(side_name, sizeof(side_name), "%s.json", path->id);
    if (fsync(w->fd) != 0)
        return disk_fault(f, "be written to");
    int side = open_tmp(w->folder, side_tmp);
    bool ok = side >= 0 && write_all(side, sidecar) && fsync(side) == 0;
    int error = errno;
    close_fd(&side);
    errno = error;
    /* The sidecar first: a file without one is never seen. */
    ok = ok && renameat(w->folder, side_tmp, w->folder, side_name) == 0 && renameat(w->folder, w->tmp, w->folder, path->id) == 0;
    if (!ok) {
        disk_fault(f, "be written to");
        unlinkat(w->folder, side_tmp, 0);
        return false;
    }
    w->tmp[0] = 0;
    return fsync(w->folder) == 0 || disk_fault(f, "be written to");
}

void disk_drop(struct disk_writer *w)
{
    if (w->fd >= 0 && w->tmp[0])
        unlinkat(w->folder, w->tmp, 0);
    close_fd(&w->fd);
    close_fd(&w->folder);
}

/* ---- reading and deleting ----------------------------------------------------------------------------------------------------------- */

static slice read_sidecar(int folder, const char *id, struct arena *a)
{
    char name[STORAGE_WORD_MAX + 8];
    snprintf(name, sizeof(name), "%s.json", id);
    int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return SLICE_NONE;
    char *p = arena_alloc(a, SIDECAR_MAX);
    ssize_t n = read(fd, p, SIDECAR_MAX);
    close(fd);
    return n > 0 && n < SIDECAR_MAX ? (slice){ p, (size_t)n } : SLICE_NONE;
}

int disk_open(int root, const struct disk_path *path, struct arena *a, slice *ret_sidecar)
{
    int folder = folder_of(root, path, false);
    if (folder < 0)
        return -1;
    int fd = openat(folder, path->id, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    int error = errno;
    *ret_sidecar = fd >= 0 ? read_sidecar(folder, path->id, a) : SLICE_NONE;
    if (fd >= 0 && !ret_sidecar->p)
        error = ENOENT, close_fd(&fd);
    close_fd(&folder);
    errno = error;
    return fd;
}

/* Temporary files of processes that died would keep an empty folder alive. */
static void remove_old_tmp(int folder)
{
    int fd = dup(folder);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    if (!d) {
        close_fd(&fd);
        return;
    }
    rewinddir(d);
    int64_t now_s = time_now_ms() / 1000;
    for (const struct dirent *e; (e = readdir(d));) {
        struct stat st;
        if (strncmp(e->d_name, ".tmp-", 5) == 0 && fstatat(folder, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            now_s - st.st_mtime > TMP_OLD_S)
            unlinkat(folder, e->d_name, 0);
    }
    closedir(d);
}

enum storage_end disk_delete(int root, const struct disk_path *path, struct fault *f)
{
    char side_name[STORAGE_WORD_MAX + 8];
    snprintf(side_name, sizeof(side_name), "%s.json", path->id);
    int folder = folder_of(root, path, false);
    if (folder < 0 && errno == ENOENT)
        return STORAGE_GONE;
    if (folder < 0)
        return disk_fault(f, "be opened"), STORAGE_LATER;
    bool there = unlinkat(folder, path->id, 0) == 0;
    enum storage_end end = there ? STORAGE_OK : STORAGE_GONE;
    if ((!there && errno != ENOENT) || (unlinkat(folder, side_name, 0) != 0 && errno != ENOENT) || fsync(folder) != 0) {
        disk_fault(f, "be changed");
        end = STORAGE_LATER;
    }
    remove_old_tmp(folder);
    close_fd(&folder);
    int tenant = open_folder(root, path->tenant);
    if (tenant >= 0)
        unlinkat(tenant, path->conversation, AT_REMOVEDIR); /* fails while other files are there, which is right */
    close_fd(&tenant);
    return end;
}
