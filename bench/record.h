/* record.h - what arrived at one end: each message once, in its guest's order?
 *
 * Shape      a message is known by its number n; a vendor knows it by its key (Genesys Cloud: messageId and time; LINE: retry key).
 *            the same key again with the same n is a repeat that the vendor makes harmless; with another n the vendor would have
 *            swallowed a message; another key with the same n is a message that the guest or agent sees twice.
 * Order      of a guest, k must grow from one first arrival to the next.
 */
#ifndef BENCH_RECORD_H
#define BENCH_RECORD_H
#include "bench/http.h"
#include "bench/work.h"

struct record {
    int64_t *at_us; /* by n: first arrival, 0: none */
    size_t room;
    unsigned *last_k; /* by guest: k + 1 of the newest */
    size_t guests;
    struct record_key *keys; /* open addressing */
    size_t keys_room, n_keys;
    size_t unique, repeats, doubles, swallowed, disorder;
    int64_t first_us, last_us;
};
void record_add(struct record *r, const struct work_text *t, uint64_t key);
void record_clear(struct record *r);
size_t record_max_in_a_second(const struct record *r); /* most first arrivals within any 1,000,000 µs */
void record_print(const struct record *r, const char *name, struct buffer *into);
#endif
