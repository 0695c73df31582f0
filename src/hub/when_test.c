#include "hub/when.h"
#include "base/zone.h"
#include "tests/harness/test.h"

TEST(times_as_agents_write_them)
{
    /* now: Wednesday 2026-03-04 05:06:07 UTC, 14:06:07 in Tokyo */
    static const struct { const char *text, *zone, *want; } rows[] = {
        { "in 2 hours", "UTC", "2026-03-04T07:06:07.000Z" },      { "2h", "UTC", "2026-03-04T07:06:07.000Z" },
        { "In 90 Minutes", "UTC", "2026-03-04T06:36:07.000Z" },   { "in an hour", "UTC", "2026-03-04T06:06:07.000Z" },
        { "in 3 days", "UTC", "2026-03-07T05:06:07.000Z" },       { "tomorrow at 10", "Asia/Tokyo", "2026-03-05T01:00:00.000Z" },
        { "tomorrow", "+09:00", "2026-03-05T00:00:00.000Z" },     { "today 3pm", "Asia/Tokyo", "2026-03-04T06:00:00.000Z" },
        { "at 15:30", "Asia/Tokyo", "2026-03-04T06:30:00.000Z" }, { "10:00", "Asia/Tokyo", "2026-03-05T01:00:00.000Z" },
        { "monday 9", "UTC", "2026-03-09T09:00:00.000Z" },        { "on Wednesday at 12 am", "UTC", "2026-03-11T00:00:00.000Z" },
        { "10:30 pm tomorrow", "UTC", "2026-03-05T22:30:00.000Z" }, { "2026-08-23 10:00", "Asia/Tokyo", "2026-08-23T01:00:00.000Z" },
        { "2026-08-23T10:00", "UTC", "2026-08-23T10:00:00.000Z" }, { "2026-08-23T10:00:00+02:00", "UTC", "2026-08-23T08:00:00.000Z" },
        { "2026-08-23", "UTC", "2026-08-23T09:00:00.000Z" },      { "2026-07-01 12:00", "America/New_York", "2026-07-01T16:00:00.000Z" },
        { "when it suits", "UTC", NULL },  { "", "UTC", NULL },   { "in", "UTC", NULL },          { "in 0 hours", "UTC", NULL },
        { "25:00", "UTC", NULL },          { "13pm", "UTC", NULL }, { "2026-13-45", "UTC", NULL }, { "tomorrow at ten", "UTC", NULL },
        { "in 2 hours and more", "UTC", NULL }, { "10 10 10", "UTC", NULL },
    };
    int64_t now_ms, at_ms;
    CHECK(time_parse_rfc3339(SL("2026-03-04T05:06:07Z"), &now_ms));
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(rows); i++) {
        bool is = when_read(slice_of(rows[i].text), slice_of(rows[i].zone), now_ms, &at_ms);
        if (is != (rows[i].want != NULL) || (is && !slice_eq(time_rfc3339(a, at_ms), slice_of(rows[i].want))))
            fprintf(stderr, "%s -> %s\n", rows[i].text, is ? time_rfc3339(a, at_ms).p : "no");
        CHECK_ROW(i, is == (rows[i].want != NULL) && (!is || slice_eq(time_rfc3339(a, at_ms), slice_of(rows[i].want))));
    }
    CHECK_SLICE(when_print(a, SL("Asia/Tokyo"), now_ms), SL("2026-03-04 14:06 (Asia/Tokyo)"));
    CHECK(zone_known(SL("Europe/Paris")) && zone_known(SL("-03:30")) && !zone_known(SL("../etc/passwd")) && !zone_known(SL("Asia/Nowhere")));
}
