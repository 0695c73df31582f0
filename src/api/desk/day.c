/* day.c - what day it is where guests are answered: the zone of their queue, else of their desk. */
#include "api/desk/inside.h"
#include "base/zone.h"

enum { QUARTER_MS = 900000 }; /* clocks are put forward and back at a whole quarter of an hour */

int64_t desk_local_ms(struct desk *desk, slice zone, int64_t at_ms)
{
    int64_t quarter = at_ms / QUARTER_MS;
    struct desk_zone *z = &desk->zones[(slice_hash(zone) + (uint64_t)quarter) % DESK_ZONES];
    if (!zone.n)
        return at_ms;
    if (z->quarter != quarter || !slice_eq(z->name, zone)) { /* known by reading a file: not for each of those who wait */
        interaction_set(&z->name, zone);
        z->quarter = quarter;
        z->offset_ms = zone_offset_ms(zone, at_ms);
    }
    return at_ms + z->offset_ms;
}

int64_t desk_day_ms(struct desk *desk, slice zone, int64_t at_ms)
{
    int64_t local_ms = desk_local_ms(desk, zone, at_ms), into_ms = local_ms % DESK_DAY_MS;
    int64_t begins_ms = at_ms - into_ms;
    return begins_ms + (local_ms - into_ms - desk_local_ms(desk, zone, begins_ms)); /* the clocks may have been changed since */
}

slice desk_zone_of(const struct desk *desk, const struct interaction *it)
{
    struct desk_place p;
    return desk_place(desk, it->conversation, &p) ? queue_rules(desk->queues, it->queue, p.desk).zone : SLICE_NONE;
}
