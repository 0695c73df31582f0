/* rates.h - how often may this client of this key call? A bucket for each pair, refilled steadily.
 *
 *   int64_t wait_ms = rates_take(r, key, client, k->capacity, k->frequency, time_mono_ms());     0: go on; else 429
 *
 * Counted for each client of a key, because one key serves all visitors of a page: with 120 calls a minute and a poll every 3 s the seventh visitor would
 * find it empty.
 * Memory     RATES_SLOTS buckets; a new client takes the place of the one among its RATES_WAYS neighbours that was heard longest ago.
 * Time       monotonic ms.
 */
#ifndef API_NEXUS_RATES_H
#define API_NEXUS_RATES_H
#include "base/base.h"

enum { RATES_SLOTS = 32768, RATES_WAYS = 8 };
struct rates;
struct rates *rates_new(void) MUST_USE;
void rates_free(struct rates *r);
int64_t rates_take(struct rates *r, slice key, slice client, int64_t capacity, int64_t frequency_s, int64_t now_ms) MUST_USE;
#endif
