#include "net/unix_path.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

bool unix_path_open(struct unix_path *u, const char *path, struct fault *f)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice whole = slice_of(path);
    size_t slash = slice_find_last(whole, '/');
    slice folder = slash == SIZE_MAX ? SL(".") : slash == 0 ? SL("/") : slice_sub(whole, 0, slash);
    slice name = slash == SIZE_MAX ? whole : slice_from(whole, slash + 1);
    *u = (struct unix_path){ .folder_fd = -1 };
    int fd = open(arena_cstr(a, folder), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fault(f, "storage", "", "cannot open the folder of %s: %s", path, strerror(errno));
    int n = snprintf(u->text, sizeof(u->text), "/proc/self/fd/%d/" SLF, fd, SLA(name));
    if (n < 0 || (size_t)n >= sizeof(u->text)) {
        close(fd);
        return fault(f, "bad_value", "", "the name of %s is too long for a socket", path);
    }
    u->folder_fd = fd;
    return true;
}

void unix_path_done(struct unix_path *u)
{
    if (u->text[0] && u->folder_fd >= 0)
        close(u->folder_fd);
    *u = (struct unix_path){ .folder_fd = -1 };
}
