/* shelf.h - things kept by name, the oldest thrown away first.
 *
 *   struct shelf *tokens = shelf_new(10000, 60000, free);
 *   shelf_put(tokens, token, thing, now_ms);
 *   struct thing *t = shelf_get(tokens, token);
 *
 * At most `max` things, none older than keep_ms (0: any age). drop(thing) is called for each that leaves; NULL: nothing to free.
 */
#ifndef SIM_SHELF_H
#define SIM_SHELF_H
#include "base/base.h"

struct shelf;
struct shelf *shelf_new(size_t max, int64_t keep_ms, void (*drop)(void *thing)) MUST_USE;
void shelf_free(struct shelf *s);
void *shelf_get(const struct shelf *s, slice name);
void shelf_put(struct shelf *s, slice name, void *thing, int64_t now_ms); /* replaces (and drops) one of the same name */
void shelf_remove(struct shelf *s, slice name);
size_t shelf_count(const struct shelf *s);
/* From the oldest to the newest; fn may not change the shelf. */
void shelf_each(const struct shelf *s, void (*fn)(void *arg, void *thing), void *arg);
#endif
