#include "base/durable.h"
#include "tests/harness/test.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static bool holds(const char *path, slice wanted)
{
    char got[64];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, got, sizeof(got));
    if (fd >= 0)
        close(fd);
    return n >= 0 && slice_eq(slice_mem(got, (size_t)n), wanted);
}

TEST(a_new_file_is_whole_or_somebody_elses)
{
    char below[128], file[160], other[160];
    snprintf(below, sizeof(below), "%s/a", test_dir());
    snprintf(file, sizeof(file), "%s/token", below);
    snprintf(other, sizeof(other), "%s/none/token", test_dir());
    CHECK_INT(durable_folder(below), 0);
    CHECK_INT(durable_folder(below), 0);
    CHECK_INT(durable_folder(other), ENOENT);

    CHECK_INT(durable_new_file(file, SL("first")), 0);
    CHECK_INT(durable_new_file(file, SL("second")), EEXIST);
    CHECK(holds(file, SL("first")));
    struct stat st;
    CHECK(stat(file, &st) == 0 && (st.st_mode & 0777) == 0600 && st.st_nlink == 1);
    CHECK_INT(durable_new_file(other, SL("x")), ENOENT);

    CHECK(unlink(file) == 0 && rmdir(below) == 0); /* nothing else is left */
}
