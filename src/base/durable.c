#include "base/durable.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 4096 };

int durable_name(const char *path)
{
    slice s = slice_of(path);
    while (s.n > 1 && s.p[s.n - 1] == '/')
        s.n--;
    size_t slash = slice_find_last(s, '/');
    char folder[PATH_BYTES];
    int n = snprintf(folder, sizeof(folder), SLF, SLA(slash == SIZE_MAX ? SL(".") : slash == 0 ? SL("/") : slice_sub(s, 0, slash)));
    if (n < 0 || (size_t)n >= sizeof(folder))
        return ENAMETOOLONG;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno == EACCES ? 0 : errno;
    int e = fsync(fd) == 0 ? 0 : errno;
    close(fd);
    return e;
}

int durable_folder(const char *path)
{
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return errno;
    return durable_name(path);
}

/* Made under a name of our own and linked to the one asked for: whoever comes second finds the first one's whole file. */
int durable_new_file(const char *path, slice content)
{
    char tmp[PATH_BYTES];
    int n = snprintf(tmp, sizeof(tmp), "%s.%ld", path, (long)getpid());
    if (n < 0 || (size_t)n >= sizeof(tmp))
        return ENAMETOOLONG;
    unlink(tmp); /* left by a process that died */
    int fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno;
    ssize_t did = write(fd, content.p, content.n);
    int e = did < 0 ? errno : (size_t)did != content.n ? ENOSPC : fsync(fd) == 0 ? 0 : errno;
    close(fd);
    if (!e && link(tmp, path) != 0)
        e = errno;
    unlink(tmp);
    return e && e != EEXIST ? e : durable_name(path) ? EIO : e;
}
