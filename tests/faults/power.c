/* power.c - preloaded into the hub: writes down what it does to the files below $POWER_DIR, so that a power cut can be played afterwards, and lets
 * chosen calls fail.
 *
 * $POWER_LOG is appended to, one record a call that changed something, in the order in which the calls took effect (power.mjs reads it):
 *   u32 op, u32 length of a, u32 length of b, u32 0, u64 inode, u64 offset or size; then a and b (paths, or the bytes written)
 * $POWER_CONTROL holds what shall fail: struct control, shared memory. A sync that is made to fail is written down as such: what was to be synced
 * is on no disk, and a later sync does not bring it there, as on Linux.
 *
 * What is mapped into memory is not seen (SQLite's -shm, which a start makes anew). Calls go to the kernel directly, so that a sanitizer's own
 * wrappers do not matter. One lock around call and record keeps both in the same order. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

enum op { CREATE = 1, WRITE, SIZE, GROW, SYNC, SYNC_FAILED, RENAME, UNLINK, LINK, MKDIR, DIRSYNC };
enum kind { ON_WRITE = 1, ON_SYNC = 2, ON_OPEN = 4, ON_RENAME = 8, ON_SIZE = 16 };
enum { FDS = 65536, SHORT = -1 };

struct control { /* all 64 bit; written by the test before kinds is */
    volatile int64_t kinds; /* of calls, ON_…; 0: nothing fails */
    volatile int64_t skip;  /* so many pass */
    volatile int64_t times; /* so many fail then; -1: all */
    volatile int64_t error; /* errno, or SHORT: half is written */
    volatile int64_t fired, seen;
    char match[80];         /* part of the path */
};
struct watched {
    uint64_t ino; /* 0: not ours */
    char *path;   /* below the folder */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct control *control;
static struct watched fds[FDS];
static char folder[PATH_MAX];
static size_t folder_n;
static int log_fd = -1;

__attribute__((constructor)) static void begin(void)
{
    const char *dir = getenv("POWER_DIR"), *log = getenv("POWER_LOG"), *file = getenv("POWER_CONTROL");
    if (!dir || !log)
        return;
    snprintf(folder, sizeof(folder), "%s", dir);
    folder_n = strlen(folder);
    log_fd = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    int fd = file ? (int)syscall(SYS_openat, AT_FDCWD, file, O_RDWR | O_CLOEXEC, 0) : -1;
    void *p = fd < 0 ? MAP_FAILED : mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    control = p == MAP_FAILED ? NULL : p;
    if (fd >= 0)
        syscall(SYS_close, fd);
}

static void note(enum op op, uint64_t ino, uint64_t at, const void *a, size_t a_n, const char *b)
{
    struct {
        uint32_t op, a_n, b_n, zero;
        uint64_t ino, at;
    } head = { op, (uint32_t)a_n, b ? (uint32_t)strlen(b) : 0, 0, ino, at };
    struct iovec v[3] = { { &head, sizeof(head) }, { (void *)(uintptr_t)a, a_n }, { (void *)(uintptr_t)b, head.b_n } };
    if (syscall(SYS_writev, log_fd, v, 3) != (long)(sizeof(head) + a_n + head.b_n))
        abort(); /* the test would tell lies */
}

/* The path below the folder; NULL: it lies elsewhere. */
static const char *below(int at, const char *path, char buf[PATH_MAX])
{
    if (log_fd < 0)
        return NULL;
    if (path[0] == '/') {
        snprintf(buf, PATH_MAX, "%s", path);
    } else {
        char link[64];
        snprintf(link, sizeof(link), at == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d", at);
        ssize_t n = readlink(link, buf, PATH_MAX - 1);
        if (n < 0)
            return NULL;
        buf[n] = 0;
        if (strcmp(path, ".") != 0)
            snprintf(buf + n, PATH_MAX - (size_t)n, "/%s", path);
    }
    if (strncmp(buf, folder, folder_n) != 0 || (buf[folder_n] != '/' && buf[folder_n] != 0))
        return NULL;
    return buf[folder_n] ? buf + folder_n + 1 : buf + folder_n;
}

static struct watched *of(int fd)
{
    return fd >= 0 && fd < FDS && fds[fd].path ? &fds[fd] : NULL;
}

/* Is this call one that shall fail? 0, an errno, or SHORT. Under the lock. */
static int failing(enum kind kind, const char *path)
{
    if (!control || !(control->kinds & kind) || !strstr(path, control->match))
        return 0;
    control->seen++;
    if (control->skip > 0) {
        control->skip--;
        return 0;
    }
    if (control->times == 0)
        return 0;
    if (control->times > 0)
        control->times--;
    control->fired++;
    return (int)control->error;
}

/* ---- open and close ------------------------------------------------------------------------------------------------ */

static int opening(int at, const char *path, int flags, mode_t mode)
{
    char buf[PATH_MAX];
    const char *rest = below(at, path, buf);
    if (!rest)
        return (int)syscall(SYS_openat, at, path, flags, mode);
    pthread_mutex_lock(&lock);
    int e = (flags & O_ACCMODE) != O_RDONLY ? failing(ON_OPEN, rest) : 0;
    struct stat st;
    bool there = fstatat(at, path, &st, 0) == 0;
    int fd = e > 0 ? -1 : (int)syscall(SYS_openat, at, path, flags, mode);
    e = e > 0 ? e : errno;
    if (fd >= 0 && fd < FDS && fstat(fd, &st) == 0) {
        free(fds[fd].path);
        fds[fd] = (struct watched){ st.st_ino, strdup(rest) };
        if (!there)
            note(CREATE, st.st_ino, 0, rest, strlen(rest), NULL);
        else if (flags & O_TRUNC && S_ISREG(st.st_mode))
            note(SIZE, st.st_ino, 0, NULL, 0, NULL);
    }
    pthread_mutex_unlock(&lock);
    errno = e;
    return fd;
}

#define MODE(flags)                                                                                                                        \
    ({                                                                                                                                     \
        mode_t m = 0;                                                                                                                      \
        if ((flags) & (O_CREAT | __O_TMPFILE)) {                                                                                           \
            va_list ap;                                                                                                                    \
            va_start(ap, flags);                                                                                                           \
            m = va_arg(ap, mode_t);                                                                                                        \
            va_end(ap);                                                                                                                    \
        }                                                                                                                                  \
        m;                                                                                                                                 \
    })
EXPORT int open(const char *path, int flags, ...)
{
    return opening(AT_FDCWD, path, flags, MODE(flags));
}
EXPORT int open64(const char *path, int flags, ...)
{
    return opening(AT_FDCWD, path, flags, MODE(flags));
}
EXPORT int openat(int at, const char *path, int flags, ...)
{
    return opening(at, path, flags, MODE(flags));
}
EXPORT int openat64(int at, const char *path, int flags, ...)
{
    return opening(at, path, flags, MODE(flags));
}
/* What _FORTIFY_SOURCE makes of those without a mode. */
int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __openat_2(int at, const char *path, int flags);
int __openat64_2(int at, const char *path, int flags);
EXPORT int __open_2(const char *path, int flags)
{
    return opening(AT_FDCWD, path, flags, 0);
}
EXPORT int __open64_2(const char *path, int flags)
{
    return opening(AT_FDCWD, path, flags, 0);
}
EXPORT int __openat_2(int at, const char *path, int flags)
{
    return opening(at, path, flags, 0);
}
EXPORT int __openat64_2(int at, const char *path, int flags)
{
    return opening(at, path, flags, 0);
}

EXPORT int close(int fd)
{
    if (of(fd)) {
        pthread_mutex_lock(&lock);
        free(fds[fd].path);
        fds[fd] = (struct watched){ 0 };
        pthread_mutex_unlock(&lock);
    }
    return (int)syscall(SYS_close, fd);
}

/* ---- writing ------------------------------------------------------------------------------------------------------- */

/* at < 0: where the file stands. */
static ssize_t writing(int fd, const struct iovec *v, int n_v, off_t at)
{
    struct watched *w = of(fd);
    if (!w)
        return at < 0 ? syscall(SYS_writev, fd, v, n_v) : syscall(SYS_pwritev, fd, v, n_v, at, 0);
    pthread_mutex_lock(&lock);
    int e = failing(ON_WRITE, w->path);
    ssize_t did = -1;
    if (e <= 0) {
        size_t n = 0;
        for (int i = 0; i < n_v; i++)
            n += v[i].iov_len;
        char *all = malloc(n + 1);
        n = 0;
        for (int i = 0; i < n_v; i++) {
            memcpy(all + n, v[i].iov_base, v[i].iov_len);
            n += v[i].iov_len;
        }
        n = e == SHORT ? n / 2 : n;
        off_t to = at < 0 ? lseek(fd, 0, SEEK_CUR) : at;
        did = at < 0 ? syscall(SYS_write, fd, all, n) : syscall(SYS_pwrite64, fd, all, n, at);
        e = errno;
        if (did > 0)
            note(WRITE, w->ino, (uint64_t)to, all, (size_t)did, NULL);
        free(all);
    }
    pthread_mutex_unlock(&lock);
    errno = e;
    return did;
}
EXPORT ssize_t write(int fd, const void *p, size_t n)
{
    return writing(fd, &(struct iovec){ (void *)(uintptr_t)p, n }, 1, -1);
}
EXPORT ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
    return writing(fd, &(struct iovec){ (void *)(uintptr_t)p, n }, 1, at);
}
EXPORT ssize_t pwrite64(int fd, const void *p, size_t n, off_t at)
{
    return writing(fd, &(struct iovec){ (void *)(uintptr_t)p, n }, 1, at);
}
EXPORT ssize_t writev(int fd, const struct iovec *v, int n)
{
    return writing(fd, v, n, -1);
}
EXPORT ssize_t pwritev(int fd, const struct iovec *v, int n, off_t at)
{
    return writing(fd, v, n, at);
}
EXPORT ssize_t pwritev64(int fd, const struct iovec *v, int n, off_t at)
{
    return writing(fd, v, n, at);
}

static int sizing(int fd, off_t size, bool grow)
{
    struct watched *w = of(fd);
    if (!w)
        return (int)(grow ? syscall(SYS_fallocate, fd, 0, 0, size) : syscall(SYS_ftruncate, fd, size));
    pthread_mutex_lock(&lock);
    int e = failing(ON_SIZE, w->path);
    int rc = e > 0 ? -1 : (int)(grow ? syscall(SYS_fallocate, fd, 0, 0, size) : syscall(SYS_ftruncate, fd, size));
    e = e > 0 ? e : errno;
    if (rc == 0)
        note(grow ? GROW : SIZE, w->ino, (uint64_t)size, NULL, 0, NULL);
    pthread_mutex_unlock(&lock);
    errno = e;
    return rc;
}
EXPORT int ftruncate(int fd, off_t size)
{
    return sizing(fd, size, false);
}
EXPORT int ftruncate64(int fd, off_t size)
{
    return sizing(fd, size, false);
}
EXPORT int posix_fallocate(int fd, off_t at, off_t n)
{
    return sizing(fd, at + n, true) == 0 ? 0 : errno;
}
EXPORT int posix_fallocate64(int fd, off_t at, off_t n)
{
    return sizing(fd, at + n, true) == 0 ? 0 : errno;
}

/* ---- syncing ------------------------------------------------------------------------------------------------------- */

static int syncing(int fd, bool data)
{
    struct watched *w = of(fd);
    if (!w)
        return (int)syscall(data ? SYS_fdatasync : SYS_fsync, fd);
    pthread_mutex_lock(&lock);
    struct stat st;
    bool dir = fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
    int e = failing(ON_SYNC, w->path);
    int rc = e > 0 ? -1 : (int)syscall(data ? SYS_fdatasync : SYS_fsync, fd);
    if (e <= 0)
        e = errno;
    else if (!dir)
        note(SYNC_FAILED, w->ino, 0, NULL, 0, NULL);
    if (rc == 0)
        note(dir ? DIRSYNC : SYNC, w->ino, 0, dir ? w->path : NULL, dir ? strlen(w->path) : 0, NULL);
    pthread_mutex_unlock(&lock);
    errno = e;
    return rc;
}
EXPORT int fsync(int fd)
{
    return syncing(fd, false);
}
EXPORT int fdatasync(int fd)
{
    return syncing(fd, true);
}

/* ---- names --------------------------------------------------------------------------------------------------------- */

static int naming(enum op op, int at, const char *from, int to_at, const char *to, long number, int flags)
{
    char a[PATH_MAX], b[PATH_MAX];
    const char *x = below(at, from, a), *y = to ? below(to_at, to, b) : "";
    if (!x || !y) { /* nothing of ours is moved in or out */
        return (int)(to ? syscall(number, at, from, to_at, to, flags) : syscall(number, at, from, flags));
    }
    pthread_mutex_lock(&lock);
    int e = failing(ON_RENAME, to ? y : x);
    int rc = e > 0 ? -1 : (int)(to ? syscall(number, at, from, to_at, to, flags) : syscall(number, at, from, flags));
    e = e > 0 ? e : errno;
    if (rc == 0)
        note(op, 0, 0, x, strlen(x), to ? y : NULL);
    pthread_mutex_unlock(&lock);
    errno = e;
    return rc;
}
EXPORT int rename(const char *from, const char *to)
{
    return naming(RENAME, AT_FDCWD, from, AT_FDCWD, to, SYS_renameat2, 0);
}
EXPORT int renameat(int at, const char *from, int to_at, const char *to)
{
    return naming(RENAME, at, from, to_at, to, SYS_renameat2, 0);
}
EXPORT int link(const char *from, const char *to)
{
    return naming(LINK, AT_FDCWD, from, AT_FDCWD, to, SYS_linkat, 0);
}
EXPORT int linkat(int at, const char *from, int to_at, const char *to, int flags)
{
    return naming(LINK, at, from, to_at, to, SYS_linkat, flags);
}
EXPORT int unlink(const char *path)
{
    return naming(UNLINK, AT_FDCWD, path, 0, NULL, SYS_unlinkat, 0);
}
EXPORT int unlinkat(int at, const char *path, int flags)
{
    return naming(UNLINK, at, path, 0, NULL, SYS_unlinkat, flags);
}
EXPORT int rmdir(const char *path)
{
    return naming(UNLINK, AT_FDCWD, path, 0, NULL, SYS_unlinkat, AT_REMOVEDIR);
}
EXPORT int mkdir(const char *path, mode_t mode)
{
    return naming(MKDIR, AT_FDCWD, path, 0, NULL, SYS_mkdirat, (int)mode);
}
EXPORT int mkdirat(int at, const char *path, mode_t mode)
{
    return naming(MKDIR, at, path, 0, NULL, SYS_mkdirat, (int)mode);
}
