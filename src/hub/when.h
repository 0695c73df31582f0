/* when.h - a time as people write it in a command: "in 2 hours", "tomorrow at 10", "monday 9:30", "at 15:00", "2026-08-23 10:00".
 *
 * Shape   English words in any case; hours as 10, 10:30, 10am, 10:30 pm; a day without an hour means WHEN_MORNING. A clock's time that has passed today means
 *         tomorrow; a weekday means the next one. A date without a zone of its own is of the zone given.
 * Errors  false: it is none of these.
 */
#ifndef HUB_WHEN_H
#define HUB_WHEN_H
#include "base/base.h"

enum { WHEN_MORNING = 9 };
#define WHEN_SAMPLES "in 2 hours, tomorrow 10:00, monday at 9, 15:30, 2026-08-23 10:00"
bool when_read(slice text, slice zone, int64_t now_ms, int64_t *ret_ms) MUST_USE;
/* "2026-08-23 10:00 (Asia/Tokyo)" */
slice when_print(struct arena *a, slice zone, int64_t at_ms) MUST_USE;
#endif
