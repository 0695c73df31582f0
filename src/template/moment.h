/* moment.h - times: the calendar, zones, and layouts ("2006-01-02 15:04") written and read. Private to template/.
 *
 * Zones      a time carries its own (value.h): UTC, Local (template_options.zone), or what stood in the text it was read from. Looking a named zone up costs ZONE_STEPS.
 */
#ifndef TEMPLATE_MOMENT_H
#define TEMPLATE_MOMENT_H
#include "base/zone.h"
#include "template/run.h"

struct civil {
    int64_t year;
    int month, day, hour, minute, second, weekday, yearday;
};
/* What clocks show in the zone a time carries, or in the one named: "Local", or UTC where there is none of that name. */
struct zone_clock moment_clock(struct run *r, struct instant at);
struct zone_clock moment_clock_in(struct run *r, struct instant at, slice zone);
struct civil moment_civil(struct instant at, const struct zone_clock *clock);
/* The time at which clocks in that zone show this; months and days may be out of their range. */
struct instant moment_of(struct run *r, const struct civil *c, int32_t ns, int32_t zone);
void moment_put(struct text_out *t, slice layout, struct instant at, const struct zone_clock *clock);
/* A text in the layout's form, in Local where it names no zone. False: it is not. */
bool moment_read(struct run *r, slice layout, slice s, struct instant *ret) MUST_USE;
extern const char *const month_names[12], *const weekday_names[7];
#endif
