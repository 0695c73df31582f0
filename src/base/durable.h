/* durable.h - folders and files whose names, too, are still there after a power cut: a name is on disk only when its folder was synced.
 *
 *   durable_folder("data");                              made if it is missing
 *   durable_new_file("data/secret.key", text);           EEXIST: somebody else's whole file is there
 *
 * Errors     0 or an errno. A parent folder that may be entered but not read cannot be synced: that is not an error.
 * Threads    any; blocks for the disk.
 */
#ifndef BASE_DURABLE_H
#define BASE_DURABLE_H
#include "base/slice.h"

/* Mode 0700 when it is made here. Also syncs the name of one that is there: whoever made it may have died before. */
int durable_folder(const char *path) MUST_USE;
/* Mode 0600. The file appears under its name with all of its bytes or not at all, and never replaces one. */
int durable_new_file(const char *path, slice content) MUST_USE;
/* Brings the name of what lies at the path to the disk. */
int durable_name(const char *path) MUST_USE;
#endif
