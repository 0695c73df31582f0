/* clock.h - clocks and the one text form of a time.
 *
 * Units    int64 ms since 1970 UTC; time_mono_* count from an arbitrary start and never jump.
 * Facts    RFC 3339; the year is kept within 1970 to 9999.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H
#include "base/arena.h"

#define TIME_MAX_MS INT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z */

int64_t time_now_ms(void);  /* wall clock: for stamps that people and vendors see */
int64_t time_mono_ms(void); /* for time-outs, back-off and rates */
int64_t time_mono_us(void);
slice time_rfc3339(struct arena *a, int64_t ms) MUST_USE; /* "2026-03-04T05:06:07.123Z" */
enum { TIME_RFC3339_BYTES = 25 };                         /* with the closing 0 */
void time_rfc3339_buf(int64_t ms, char buf[TIME_RFC3339_BYTES]);
/* Accepts any fraction and any offset; false if it is no such time. */
bool time_parse_rfc3339(slice s, int64_t *ret_ms) MUST_USE;
#endif
