/* disk.h - the blocking part of the local storage: folders, files, sidecars. Called on helper threads (and disk_open on the loop).
 *
 * A path is tenant, conversation and id, each a word. Nothing here follows a symbolic link.
 */
#ifndef STORAGES_LOCAL_DISK_H
#define STORAGES_LOCAL_DISK_H
#include "base/base.h"
#include "hub/storage.h"

struct disk_path {
    char tenant[STORAGE_WORD_MAX + 1], conversation[STORAGE_WORD_MAX + 1], id[STORAGE_WORD_MAX + 1];
};
/* "t/c/id"; false: not three words. */
bool disk_path_parse(slice text, struct disk_path *ret) MUST_USE;
/* Fills *f: "storage_full" or "storage_failed", with what and errno. Returns false. */
bool disk_fault(struct fault *f, const char *what);

struct disk_writer {
    int folder, fd;
    char tmp[32];
};
/* Makes the folders and the temporary file. */
bool disk_begin(struct disk_writer *w, int root, const struct disk_path *path, struct fault *f) MUST_USE;
bool disk_write(struct disk_writer *w, slice bytes, struct fault *f) MUST_USE;
/* fsync, sidecar, rename, fsync of the folder. */
bool disk_finish(struct disk_writer *w, const struct disk_path *path, slice sidecar, struct fault *f) MUST_USE;
/* Removes what is left of it; also after disk_finish, where it does nothing. */
void disk_drop(struct disk_writer *w);

/* The file and its sidecar's text (in a). -1: not there (errno ENOENT), or cannot be read. */
int disk_open(int root, const struct disk_path *path, struct arena *a, slice *ret_sidecar);
enum storage_end disk_delete(int root, const struct disk_path *path, struct fault *f);
#endif
