/* dedupe.h - has this key been accepted within its time?
 *
 * Shape    Keys are kept as keyed 128-bit hashes with the hour in which they end. New ones live in a table in memory; when it
 *          holds DEDUPE_GENERATION_KEYS or is a day old, the table becomes a *generation*: a sorted file, of which only the
 *          first hash of each page and a Bloom filter (8 bits a key) stay in memory. DEDUPE_MERGE generations of one size
 *          class are merged to one of the next, so that their number grows with the logarithm of the keys. A generation is
 *          dropped as a whole when its last key has ended.
 * Claims   dedupe_claim marks a key whose accept is not yet durable, with the number of the batch it is in; the journal turns
 *          it into a kept key (dedupe_add) or takes it back (dedupe_unclaim).
 * Restart  the hash key is a file of the folder; generations are found by name; what is in memory is carried by the snapshot
 *          and the log. A key may then be in memory and in a generation: harmless.
 * Threads  loop thread; only the work of dedupe_freeze runs on another.
 */
#ifndef JOURNAL_DEDUPE_H
#define JOURNAL_DEDUPE_H
#include "journal/disk.h"
#include "journal/io.h"

enum { DEDUPE_GENERATION_KEYS = 49152, DEDUPE_MERGE = 6 };

struct dedupe;
struct dkey {
    uint64_t h[2];
};
struct dedupe *dedupe_open(int dirfd, const struct jio *io, struct fault *f) MUST_USE;
void dedupe_free(struct dedupe *d);
void dedupe_set_generation_keys(struct dedupe *d, size_t n); /* for tests */

struct dkey dedupe_key(const struct dedupe *d, slice key);
bool dedupe_seen(const struct dedupe *d, struct dkey k, uint32_t now_h);
void dedupe_add(struct dedupe *d, struct dkey k, uint32_t ends_h);

uint64_t dedupe_claimed(const struct dedupe *d, struct dkey k); /* the batch; 0: not claimed */
void dedupe_claim(struct dedupe *d, struct dkey k, uint64_t batch);
void dedupe_unclaim(struct dedupe *d, struct dkey k);

/* Does what is due: freezing, merging, dropping; file work goes to disk. */
void dedupe_tend(struct dedupe *d, struct disk *disk, uint32_t now_h, int64_t mono_ms);
/* Each key that only memory holds: what a snapshot must carry. */
void dedupe_each(const struct dedupe *d, void (*each)(void *arg, struct dkey k, uint32_t ends_h), void *arg);
size_t dedupe_in_memory(const struct dedupe *d);
size_t dedupe_generations(const struct dedupe *d);
#endif
