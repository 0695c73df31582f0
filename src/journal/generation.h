/* generation.h - a sorted file of dedupe keys that does not change any more.
 *
 * Shape    dedupe-NUMBER: a head, pages of DENTRY_PER_PAGE keys in hash order, the first hash of each page, a Bloom filter. Only
 *          the last two are held in memory; a look-up that the filter lets through reads one page.
 * Errors   a file that is not whole and well-formed is not used (generation_open: NULL); what it held may then be accepted twice.
 */
#ifndef JOURNAL_GENERATION_H
#define JOURNAL_GENERATION_H
#include "journal/dedupe.h"

struct dentry {
    struct dkey key;
    uint32_t ends_h, unused;
};
enum { DENTRY_PAGE = 4096, DENTRY_PER_PAGE = DENTRY_PAGE / (int)sizeof(struct dentry) };

struct generation;
/* all: in hash order. 0 or an errno. */
int generation_write(int dirfd, const struct jio *io, uint32_t number, const struct dentry *all, size_t n);
struct generation *generation_open(int dirfd, uint32_t number) MUST_USE;
void generation_close(struct generation *g);
void generation_remove(struct generation *g, int dirfd, const struct jio *io); /* closes it and deletes its file */
/* Opens those of the folder; *ret_next: a number above all of them. */
size_t generation_find(int dirfd, struct generation **ret, size_t max, uint32_t *ret_next);

bool generation_has(const struct generation *g, struct dkey k, uint32_t now_h);
size_t generation_keys(const struct generation *g);
uint32_t generation_ends_h(const struct generation *g); /* when its last key ends */
size_t generation_read(const struct generation *g, struct dentry *into, size_t max);
#endif
