/* unix_path.h - the address of a socket in the file system, however long its path is.
 *
 * The kernel takes 107 bytes of path; through the open folder that the socket lies in, any path fits.
 *
 *   struct unix_path at;
 *   if (!unix_path_open(&at, "/very/long/…/control.sock", f)) …
 *   bind or connect to at.text; unix_path_done(&at)
 */
#ifndef NET_UNIX_PATH_H
#define NET_UNIX_PATH_H
#include "base/base.h"

enum { UNIX_PATH_MAX = 107 };
struct unix_path {
    int folder_fd;
    char text[UNIX_PATH_MAX + 1]; /* valid until unix_path_done, in this process */
};
bool unix_path_open(struct unix_path *u, const char *path, struct fault *f) MUST_USE; /* false: no such folder, or too long a name */
void unix_path_done(struct unix_path *u);                                             /* also of one that is zeroed or was not opened */
#endif
