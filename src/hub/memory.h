/* memory.h - a small durable memory: what a connector wants to find again, per account and per conversation.
 *
 * Reply tokens, request identifiers, the last numbered list, a learned id. Keys are short constants of the connector; values are text of at most
 * MEMORY_VALUE_MAX bytes; a value past its time is absent.
 *
 * The connector only reads and writes; the framework loads it before and stores it, when dirty, in the commit that follows.
 */
#ifndef HUB_MEMORY_H
#define HUB_MEMORY_H
#include "base/base.h"

enum { MEMORY_KEYS_MAX = 64, MEMORY_VALUE_MAX = 4096 };
struct memory;

struct memory *memory_new(void) MUST_USE; /* heap; values are copied */
void memory_free(struct memory *m);
void memory_clear(struct memory *m); /* nothing is in it, and it is clean */
slice memory_get(const struct memory *m, const char *key, int64_t now_ms); /* valid until the next set */
/* until_ms 0: for good. An absent value removes. Over the limits what was written longest ago is dropped, first of those that end by
 * themselves; a value over its limit is not kept. */
void memory_set(struct memory *m, const char *key, slice value, int64_t until_ms);
/* Of keys that share the room for things of one kind: the first that is free, else the one written longest ago. n at least 1. */
const char *memory_oldest(const struct memory *m, const char *const *keys, size_t n, int64_t now_ms);
bool memory_dirty(const struct memory *m);
void memory_clean(struct memory *m);
void memory_soil(struct memory *m); /* what was cleaned did not get stored: dirty again */
bool memory_is_empty(const struct memory *m);
slice memory_print(struct arena *a, const struct memory *m, int64_t now_ms) MUST_USE; /* JSON object {"key":["value",until]} */
/* The same in at most max bytes: what is over is dropped, as in memory_set. */
slice memory_fit(struct arena *a, struct memory *m, int64_t now_ms, size_t max) MUST_USE;
bool memory_load(struct memory *m, slice json, struct fault *f) MUST_USE;
#endif
