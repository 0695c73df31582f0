/* Parameters: "Parameters". Types vary by language and entity, so every shape of a time is looked for. */
#include "base/zone.h"
#include "languages/dialogflow/wire.h"

/* ---- times ----------------------------------------------------------------------------------------------------------- */

enum { DAY_MS = 86400000 };

slice dialogflow_zone(struct call *c, const struct language_ask *ask)
{
    return slice_or(setting(c, DIALOGFLOW_TIME_ZONE), ask->zone);
}

slice dialogflow_zone_name(struct call *c, slice zone)
{
    int64_t hours;
    bool offset = zone.n && (zone.p[0] == '+' || zone.p[0] == '-');
    if (!offset)
        return zone;
    if (!slice_ends(zone, SL(":00")) || !slice_int(slice_sub(zone, 1, 2), &hours) || hours < 1 || hours > 12)
        return SLICE_NONE;
    return arena_printf(c->a, "Etc/GMT%c%lld", zone.p[0] == '+' ? '-' : '+', (long long)hours); /* west is positive there */
}

/* What the clock shows there, as a time: the zone's offset then is guessed, and once more with what the guess found. */
static int64_t from_wall(slice zone, int64_t wall_ms)
{
    return wall_ms - zone_offset_ms(zone, wall_ms - zone_offset_ms(zone, wall_ms));
}

/* Days since 1970-01-01 of a date that is one. */
static bool date_days(int64_t y, int64_t m, int64_t d, int64_t *ret)
{
    struct tm tm = { .tm_year = (int)(y - 1900), .tm_mon = (int)(m - 1), .tm_mday = (int)d };
    if (y < 1970 || y > 9999 || m < 1 || m > 12 || d < 1 || d > 31)
        return false;
    *ret = (int64_t)timegm(&tm) / (DAY_MS / 1000);
    return true;
}

/* CX: {"year":2026,"month":8,"day":23,"hours":10,"minutes":0,"seconds":0}, numbers, without a zone. */
static bool time_of_parts(slice zone, const struct js *v, int64_t *ret_ms)
{
    static const struct { const char *name; int64_t most, unit_ms; } parts[] = { { "hours", 23, 3600000 }, { "minutes", 59, 60000 }, { "seconds", 59, 1000 } };
    int64_t y, m, d, days, wall_ms;
    if (!js_int(js_at(v, "year"), &y) || !js_int(js_at(v, "month"), &m) || !js_int(js_at(v, "day"), &d) || !date_days(y, m, d, &days))
        return false;
    wall_ms = days * DAY_MS;
    for (size_t i = 0; i < COUNT(parts); i++) {
        int64_t n = 0;
        if (js_at(v, parts[i].name) && (!js_int(js_at(v, parts[i].name), &n) || n < 0 || n > parts[i].most))
            return false;
        wall_ms += n * parts[i].unit_ms;
    }
    *ret_ms = from_wall(zone, wall_ms);
    return true;
}

/* Of periods the start. */
static const char *const starts[] = { "date_time", "dateTime", "startDateTime", "start_date_time", "startDate", "start_date", "startTime", "start_time", "date", "time" };

static bool time_of(slice zone, const struct js *v, int64_t *ret_ms, unsigned depth)
{
    if (js_is_string(v))
        return time_parse_rfc3339(js_text(v), ret_ms);
    if (depth == DIALOGFLOW_DEPTH)
        return false;
    if (js_is_array(v))
        return js_len(v) && time_of(zone, js_item(v, 0), ret_ms, depth + 1);
    if (!js_is_object(v))
        return false;
    for (size_t i = 0; i < COUNT(starts); i++)
        if (js_at(v, starts[i]) && time_of(zone, js_at(v, starts[i]), ret_ms, depth + 1))
            return true;
    return time_of_parts(zone, v, ret_ms);
}

/* ---- all -------------------------------------------------------------------------------------------------------------- */

static const char *const when_names[] = { "when", "date-time", "datetime", "date_time" };

static slice as_text(struct call *c, slice zone, const struct js *v)
{
    int64_t at_ms;
    if (js_is_string(v))
        return js_text(v);
    if ((js_is_object(v) || js_is_array(v)) && time_of(zone, v, &at_ms, 0))
        return time_rfc3339(c->a, at_ms);
    return js_is_null(v) ? SLICE_NONE : js_print(c->a, v);
}

void dialogflow_values(struct call *c, slice zone, const struct js *parameters, struct language_answer *ret)
{
    for (void *it = js_first(parameters); it; it = js_next(parameters, it)) {
        slice text = as_text(c, zone, js_value(it));
        if (text.n) /* absent values come as "" */
            *LIST_ADD(c->a, &ret->values, struct js_pair) = (struct js_pair){ js_key(parameters, it), text };
    }
    for (size_t i = 0; i < COUNT(when_names); i++)
        if (time_of(zone, js_get(parameters, slice_of(when_names[i])), &ret->when_ms, 0))
            return;
    for (void *it = js_first(parameters); it; it = js_next(parameters, it))
        if (time_of(zone, js_value(it), &ret->when_ms, 0))
            return;
}
