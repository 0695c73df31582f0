/* known.h - which keys may be in the store? A filter that never says no to one that is there.
 *
 * A guest who writes for the first time has no conversation in the store; with this nobody needs to ask the store's thread about it.
 *
 * Shape      a Bloom filter of a fixed 128 KiB: KNOWN_KEYS keys give about 2 % false alarms, more keys give more of them. Keys are not taken out.
 * Threads    loop thread.
 */
#ifndef HUB_KNOWN_H
#define HUB_KNOWN_H
#include "base/base.h"

enum { KNOWN_BITS = 1 << 20, KNOWN_KEYS = 100000, KNOWN_PROBES = 4 };

struct known; /* zeroed memory, touched as keys come */
struct known *known_new(void) MUST_USE;
void known_free(struct known *k);
void known_add(struct known *k, slice key);
bool known_may(const struct known *k, slice key); /* false: certainly never added */
#endif
