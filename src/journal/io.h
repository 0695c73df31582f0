/* io.h - what the journal asks of the operating system: writes, syncs and clocks, as a table, so that tests can make a
 * disk full, broken or slow and let the clock jump. Files are opened, renamed and read directly.
 *
 * Copies   The folder may be a copy of a journal that is kept elsewhere (hub/journal_pg.h): then sync and replaced answer when it is kept there, the
 *          files are only read here, and the three below are told what files there are. A segment of an earlier opening is not gone on with then.
 *
 * Errors   write and sync return 0 or an errno; a short write is continued by the implementation.
 * Threads  write, sync, allocate, opened and replaced are called from the journal's own threads: what belongs to segments from one, whole files from
 *          another; removed from the first of them and the loop's; clocks from any.
 */
#ifndef JOURNAL_IO_H
#define JOURNAL_IO_H
#include "base/base.h"
#include <sys/types.h>

struct jio {
    int (*write)(void *ctx, int fd, const void *p, size_t n, off_t at);
    int (*sync)(void *ctx, int fd); /* data and what is needed to read it back */
    int (*allocate)(void *ctx, int fd, off_t size);
    int64_t (*wall_ms)(void *ctx);
    int64_t (*mono_us)(void *ctx);
    /* All NULL: the folder is the journal. */
    void (*opened)(void *ctx, int fd, const char *name);             /* fd is empty and becomes the segment of this name; what there was of it does not count */
    int (*replaced)(void *ctx, const char *name, slice content);     /* a whole file, in place of sync */
    void (*removed)(void *ctx, const char *name);                    /* need not be kept any longer than to the next sync */
    void *ctx;
};
extern const struct jio jio_system;

/* Reads up to n bytes (fewer only at the end of the file or on an error). */
size_t jio_read(int fd, void *p, size_t n, off_t at);
/* Writes name.new, syncs it, renames it to name and syncs the folder. 0 or an errno. */
int jio_replace(const struct jio *io, int dirfd, const char *name, slice content);
/* The whole file into a; {NULL,0} when it is absent, unreadable or longer than max. */
slice jio_load(int dirfd, const char *name, size_t max, struct arena *a);

/* CRC-32C (Castagnoli) of p[0..n) continued from seed; by the processor's own instruction where it has one. */
uint32_t crc32c(uint32_t seed, const void *p, size_t n);
#endif
