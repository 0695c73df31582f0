#include "desks/builtin/hours.h"
#include "tests/harness/test.h"

enum { MO = 0, TU, WE, TH, FR, SA, SU };
static int64_t at(int day, int hour, int minute) /* of the week that began on Monday 2026-03-02 */
{
    return INT64_C(1772409600000) + ((day * 24 + hour) * 60 + minute) * INT64_C(60000);
}

TEST(hours_are_spans_of_the_week)
{
    static const struct {
        const char *text;
        int day, hour, minute;
        bool open;
    } rows[] = {
        { "", SU, 3, 0, true },
        { "Mo-Fr 09:00-18:00", MO, 9, 0, true },
        { "Mo-Fr 09:00-18:00", MO, 8, 59, false },
        { "Mo-Fr 09:00-18:00", FR, 17, 59, true },
        { "Mo-Fr 09:00-18:00", FR, 18, 0, false },
        { "Mo-Fr 09:00-18:00", SA, 12, 0, false },
        { "Mo-Fr 09:00-18:00;Sa 10:00-14:00", SA, 13, 0, true },
        { " mo , we 9:00-10:00 ; ", WE, 9, 30, true },
        { "Mo,We 9:00-10:00", TU, 9, 30, false },
        { "Sa-Mo 00:00-24:00", SU, 23, 59, true },
        { "Sa-Mo 00:00-24:00", TU, 0, 0, false },
        { "Fr 22:00-06:00", SA, 5, 59, true },
        { "Fr 22:00-06:00", FR, 21, 59, false },
        { "Su 22:00-06:00", MO, 5, 59, true }, /* over the end of the week */
        { "Su 22:00-06:00", MO, 6, 0, false },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct hours h;
        struct fault f;
        CHECK_ROW(i, hours_read(slice_of(rows[i].text), &h, &f));
        CHECK_ROW(i, hours_open(&h, at(rows[i].day, rows[i].hour, rows[i].minute)) == rows[i].open);
    }
}

TEST(hours_that_mean_nothing_are_refused)
{
    static const char *const bad[] = { "Mo", "09:00-18:00", "Mo 9-18", "Mo 09:00", "Xx 09:00-18:00", "Mo-Xx 09:00-18:00", "Mo 25:00-26:00", "Mo 09:60-10:00", "Mo 24:01-02:00",
                                       "Mo-Su 01:00-02:00;Mo-Su 01:00-02:00;Mo-Su 01:00-02:00;Mo-Su 01:00-02:00;Mo 01:00-02:00" };
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct hours h;
        struct fault f = { 0 };
        CHECK_ROW(i, !hours_read(slice_of(bad[i]), &h, &f) && strcmp(f.field, "business_hours") == 0);
    }
}

/* A version 2 file without times of its own: only the rule at its end. */
static slice zone_file(struct arena *a, const char *rule)
{
    char head[44] = "TZif2";
    head[39] = 1; /* one type */
    head[43] = 4; /* four letters */
    slice h = slice_mem(head, sizeof(head)), body = slice_mem("\0\0\0\0\0\0UTC\0", 10);
    slice one = arena_join(a, h, body, h);
    return arena_join(a, one, body, arena_printf(a, "\n%s\n", rule));
}

TEST(zones_follow_the_rule_at_the_end_of_their_file)
{
    static const struct {
        const char *rule;
        int64_t at_s, offset_s;
        const char *letters;
    } rows[] = {
        { "JST-9", 1772409600, 32400, "JST" },
        { "EST5EDT,M3.2.0,M11.1.0", 1772953199, -18000, "EST" },            /* 2026-03-08 01:59:59 */
        { "EST5EDT,M3.2.0,M11.1.0", 1772953200, -14400, "EDT" },            /* … 03:00:00 */
        { "EST5EDT,M3.2.0,M11.1.0", 1793512799, -14400, "EDT" },            /* 2026-11-01 01:59:59, for the first time */
        { "EST5EDT,M3.2.0,M11.1.0", 1793512800, -18000, "EST" },
        { "CET-1CEST,M3.5.0,M10.5.0/3", 1774745999, 3600, "CET" },          /* 2026-03-29 01:59:59 */
        { "CET-1CEST,M3.5.0,M10.5.0/3", 1774746000, 7200, "CEST" },
        { "<+0330>-3:30", 1772409600, 12600, "+0330" },
        { "AEST-10AEDT,M10.1.0,M4.1.0/3", 1767225600, 39600, "AEDT" },       /* summer over the new year */
        { "AEST-10AEDT,M10.1.0,M4.1.0/3", 1782864000, 36000, "AEST" },
    };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct zone_clock c = { .offset_s = -1 };
        CHECK_ROW(i, zone_file_clock(zone_file(a, rows[i].rule), rows[i].at_s, &c) && c.offset_s == rows[i].offset_s && strcmp(c.letters, rows[i].letters) == 0);
    }
    struct zone_clock c;
    CHECK(!zone_file_clock(SL("TZif"), 0, &c) && !zone_file_clock(SL(""), 0, &c));
    slice whole = zone_file(a, "JST-9");
    for (size_t n = 0; n < 98; n++) /* cut anywhere within its blocks */
        CHECK_ROW(n, !zone_file_clock(slice_sub(whole, 0, n), 0, &c));
}

TEST(zones_have_names_or_offsets)
{
    CHECK_INT(zone_offset_ms(SL("UTC"), 0), 0);
    CHECK_INT(zone_offset_ms(SL("+09:00"), 0), 32400000);
    CHECK_INT(zone_offset_ms(SL("-03:30"), 0), -12600000);
    struct zone_clock c; /* out of the times that a file lists, not of its rule */
    CHECK(zone_clock(SL("Asia/Tokyo"), -1000000000, &c) && c.offset_s == 32400 && strcmp(c.letters, "JST") == 0);
    CHECK(zone_clock(SL("-03:30"), 0, &c) && c.offset_s == -12600 && !c.letters[0]);
    CHECK(zone_clock(SLICE_NONE, 0, &c) && c.offset_s == 0 && strcmp(c.letters, "UTC") == 0);
    static const char *const bad[] = { "+9:00", "+99:00", "/etc/passwd", "../UTC", "Mars/Olympus", "Europe/..", "a b" };
    for (size_t i = 0; i < COUNT(bad); i++)
        CHECK_ROW(i, !zone_known(slice_of(bad[i])));
}
