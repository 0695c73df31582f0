/* zone.h - what clocks show in a zone, without the C library's one zone of the whole process.
 *
 *   int64_t local_ms = now_ms + zone_offset_ms(SL("Asia/Tokyo"), now_ms);
 *
 * Shape      a zone is "UTC", "+09:00", or a name of the system's zone files ("Asia/Tokyo"), with rules for years to come (RFC 8536).
 */
#ifndef BASE_ZONE_H
#define BASE_ZONE_H
#include "base/arena.h"

enum { ZONE_LETTERS = 8 };
struct zone_clock {
    int32_t offset_s;           /* what is to be added to UTC */
    char letters[ZONE_LETTERS]; /* what clocks call it then: "JST", "CEST", "+07"; "" for zones like "+09:00" */
};
bool zone_known(slice name);
/* What is to be added to UTC there at this time; 0 where the zone is not known. */
int64_t zone_offset_ms(slice name, int64_t at_ms);
/* False: the zone is not known. */
bool zone_clock(slice name, int64_t at_s, struct zone_clock *ret) MUST_USE;
/* The same out of the bytes of a zone file. False: it is none. */
bool zone_file_clock(slice file, int64_t at_s, struct zone_clock *ret) MUST_USE;
#endif
