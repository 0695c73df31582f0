/* hours.h - when is a desk open?
 *
 *   struct hours hours;
 *   if (!hours_read(SL("Mo-Fr 09:00-18:00;Sa 10:00-14:00"), &hours, f)) …
 *   bool open = hours_open(&hours, now_ms + zone_offset_ms(SL("Asia/Tokyo"), now_ms));
 *
 * Shape      days (Mo Tu We Th Fr Sa Su; Mo-Fr; Mo,We) and a span of the day, with semicolons between them. A span that ends before it begins goes on over
 *            midnight into the next day; "24:00" is the end of the day. An absent text is open always.
 * Zone       "UTC", "+09:00", or a name of the system's zone files ("Asia/Tokyo"), with rules for years to come (RFC 8536).
 */
#ifndef DESKS_BUILTIN_HOURS_H
#define DESKS_BUILTIN_HOURS_H
#include "base/base.h"
#include "base/zone.h"

enum { HOURS_SPANS = 28, HOURS_WEEK_MINUTES = 7 * 24 * 60 };
struct hours {
    struct hours_span {
        int from, to; /* minutes of the week that begins on Monday; to may be beyond its end */
    } spans[HOURS_SPANS];
    size_t n;
};
bool hours_read(slice text, struct hours *ret, struct fault *f) MUST_USE;
bool hours_open(const struct hours *h, int64_t local_ms); /* ms since 1970 as the clock on the wall there shows it */
#endif
