/* The system's zone files (RFC 8536). */
#include "base/zone.h"
#include <fcntl.h>
#include <unistd.h>

#define ZONES "/usr/share/zoneinfo/"
enum { FILE_MAX = 64 << 10, HEADER = 44, NAME_MAX_BYTES = 64 };

/* ---- the rule at the end of a file: "EST5EDT,M3.2.0,M11.1.0" -------------------------------------------------------------------------- */

static bool number(slice *s, int64_t *ret)
{
    size_t n = 0;
    while (n < s->n && s->p[n] >= '0' && s->p[n] <= '9')
        n++;
    bool ok = n > 0 && slice_int(slice_sub(*s, 0, n), ret);
    *s = slice_from(*s, n);
    return ok;
}

static bool letters(slice *s, slice *ret)
{
    size_t n = 0;
    if (slice_starts(*s, SL("<"))) {
        n = slice_find_char(*s, '>');
        if (n == SIZE_MAX)
            return false;
        *ret = slice_sub(*s, 1, n - 1);
        *s = slice_from(*s, n + 1);
        return true;
    }
    while (n < s->n && ((s->p[n] >= 'A' && s->p[n] <= 'Z') || (s->p[n] >= 'a' && s->p[n] <= 'z')))
        n++;
    *ret = slice_sub(*s, 0, n);
    *s = slice_from(*s, n);
    return n > 0;
}

static struct zone_clock clock_of(int64_t offset_s, slice called)
{
    struct zone_clock c = { .offset_s = (int32_t)offset_s };
    snprintf(c.letters, sizeof(c.letters), SLF, SLA(slice_sub(called, 0, sizeof(c.letters) - 1)));
    return c;
}

/* "[+-]h[h[h]][:mm[:ss]]" as seconds */
static bool clock_time(slice *s, int64_t *ret)
{
    bool minus = slice_starts(*s, SL("-"));
    int64_t h = 0, m = 0, sec = 0;
    if (minus || slice_starts(*s, SL("+")))
        *s = slice_from(*s, 1);
    if (!number(s, &h))
        return false;
    if (slice_starts(*s, SL(":"))) {
        *s = slice_from(*s, 1);
        if (!number(s, &m))
            return false;
    }
    if (slice_starts(*s, SL(":"))) {
        *s = slice_from(*s, 1);
        if (!number(s, &sec))
            return false;
    }
    *ret = (h * 3600 + m * 60 + sec) * (minus ? -1 : 1);
    return true;
}

static bool leap(int64_t y)
{
    return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

static int64_t days_before_year(int64_t y) /* since 1970 */
{
    int64_t n = y - 1;
    return n * 365 + n / 4 - n / 100 + n / 400 - 719162;
}

/* Second of the year, by the standard clock's day, at which this rule applies; "M3.2.0/2", "J60", "59". */
static bool rule_second(slice *s, int64_t year, int64_t *ret)
{
    static const int before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365 };
    int64_t month, week, day, at = 7200;
    if (slice_starts(*s, SL("M"))) {
        *s = slice_from(*s, 1);
        if (!number(s, &month) || !slice_starts(*s, SL(".")))
            return false;
        *s = slice_from(*s, 1);
        if (!number(s, &week) || !slice_starts(*s, SL(".")))
            return false;
        *s = slice_from(*s, 1);
        if (!number(s, &day) || month < 1 || month > 12 || week < 1 || week > 5 || day > 6)
            return false;
        int64_t first = before[month - 1] + (month > 2 && leap(year)), length = before[month] - before[month - 1] + (month == 2 && leap(year));
        int64_t weekday = (days_before_year(year) + first + 4) % 7; /* 1970 began on a Thursday */
        int64_t in = (day - weekday + 7) % 7 + (week - 1) * 7;
        day = first + (in >= length ? in - 7 : in);
    } else {
        bool julian = slice_starts(*s, SL("J"));
        *s = slice_from(*s, julian);
        if (!number(s, &day) || day > 366)
            return false;
        if (julian)
            day = day - 1 + (day > 59 && leap(year));
    }
    if (slice_starts(*s, SL("/"))) {
        *s = slice_from(*s, 1);
        if (!clock_time(s, &at))
            return false;
    }
    *ret = day * 86400 + at;
    return true;
}

static bool rule_clock(slice s, int64_t at_s, struct zone_clock *ret)
{
    int64_t standard, summer, begins, ends;
    slice called, called_summer;
    if (!letters(&s, &called) || !clock_time(&s, &standard))
        return false;
    standard = -standard; /* west is positive there */
    *ret = clock_of(standard, called);
    if (!s.n)
        return true;
    summer = standard + 3600;
    if (!letters(&s, &called_summer))
        return false;
    if (!slice_starts(s, SL(","))) {
        if (!clock_time(&s, &summer))
            return false;
        summer = -summer;
    }
    int64_t local = at_s + standard, days = (local >= 0 ? local : local - 86399) / 86400, year = 1970 + days / 366;
    while (days_before_year(year + 1) <= days)
        year++;
    if (!slice_starts(s, SL(",")))
        return false;
    s = slice_from(s, 1);
    if (!rule_second(&s, year, &begins) || !slice_starts(s, SL(",")))
        return false;
    s = slice_from(s, 1);
    if (!rule_second(&s, year, &ends))
        return false;
    int64_t year_s = days_before_year(year) * 86400, from = year_s + begins - standard, to = year_s + ends - summer;
    bool is_summer = from < to ? at_s >= from && at_s < to : at_s >= from || at_s < to;
    *ret = is_summer ? clock_of(summer, called_summer) : clock_of(standard, called);
    return true;
}

/* ---- the file ------------------------------------------------------------------------------------------------------------------------ */

static int64_t big(slice s, size_t at, size_t bytes)
{
    uint64_t v = (unsigned char)s.p[at] & 0x80 ? UINT64_MAX : 0;
    for (size_t i = 0; i < bytes; i++)
        v = v << 8 | (unsigned char)s.p[at + i];
    return (int64_t)v;
}

struct block { /* where the parts of one of a file's two blocks are */
    size_t times, kinds, types, letters, end;
    size_t n_times, n_types, n_letters;
};
static bool block_at(slice file, size_t at, size_t time_bytes, struct block *ret)
{
    if (file.n < at + HEADER || !slice_starts(slice_from(file, at), SL("TZif")))
        return false;
    int64_t counts[6]; /* isutc, isstd, leap, time, type, char */
    for (size_t i = 0; i < COUNT(counts); i++) {
        counts[i] = big(file, at + 20 + i * 4, 4);
        if (counts[i] < 0 || counts[i] > FILE_MAX)
            return false;
    }
    size_t n_times = (size_t)counts[3], n_types = (size_t)counts[4], n_letters = (size_t)counts[5];
    *ret = (struct block){ .times = at + HEADER, .kinds = at + HEADER + n_times * time_bytes, .n_times = n_times, .n_types = n_types, .n_letters = n_letters };
    ret->types = ret->kinds + n_times;
    ret->letters = ret->types + n_types * 6;
    ret->end = ret->letters + n_letters + (size_t)counts[2] * (time_bytes + 4) + (size_t)counts[1] + (size_t)counts[0];
    return ret->end <= file.n && n_types > 0;
}

bool zone_file_clock(slice file, int64_t at_s, struct zone_clock *ret)
{
    struct block first, b;
    if (!block_at(file, 0, 4, &first) || file.p[4] < '2' || !block_at(file, first.end, 8, &b))
        return false;
    slice rule = slice_from(file, b.end + 1);
    rule = slice_cut(&rule, '\n');
    if (b.n_times == 0 || at_s >= big(file, b.times + (b.n_times - 1) * 8, 8)) {
        if (rule.n && rule_clock(rule, at_s, ret))
            return true;
    }
    size_t kind = 0;
    for (size_t i = 0; i < b.n_times && big(file, b.times + i * 8, 8) <= at_s; i++)
        kind = (unsigned char)file.p[b.kinds + i];
    if (kind >= b.n_types)
        return false;
    slice type = slice_sub(file, b.types + kind * 6, 6), called = slice_sub(file, b.letters, b.n_letters);
    called = slice_from(called, (unsigned char)type.p[5]);
    *ret = clock_of(big(type, 0, 4), slice_sub(called, 0, slice_find_char(called, 0)));
    return true;
}

/* ---- by name --------------------------------------------------------------------------------------------------------------------------- */

static bool name_ok(slice name)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool word = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '+';
        if (!word && (c != '/' || i == 0))
            return false;
    }
    return name.n > 0 && name.n <= NAME_MAX_BYTES;
}

static slice file_of(struct arena *a, slice name)
{
    char path[sizeof(ZONES) + NAME_MAX_BYTES];
    if (!name_ok(name))
        return SLICE_NONE;
    snprintf(path, sizeof(path), ZONES SLF, SLA(name));
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return SLICE_NONE;
    char *p = arena_alloc(a, FILE_MAX);
    ssize_t n = read(fd, p, FILE_MAX);
    close(fd);
    return n > 0 ? slice_mem(p, (size_t)n) : SLICE_NONE;
}

/* "+09:00" */
static bool fixed(slice name, struct zone_clock *ret)
{
    int64_t offset_s;
    if (name.n != 6 || (name.p[0] != '+' && name.p[0] != '-') || name.p[3] != ':')
        return false;
    slice rest = name;
    if (!clock_time(&rest, &offset_s) || rest.n || offset_s < -18 * 3600 || offset_s > 18 * 3600)
        return false;
    *ret = clock_of(offset_s, SLICE_NONE);
    return true;
}

bool zone_clock(slice name, int64_t at_s, struct zone_clock *ret)
{
    *ret = clock_of(0, SL("UTC"));
    if (!name.n || slice_eq(name, SL("UTC")) || fixed(name, ret))
        return true;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice file = file_of(a, name);
    return file.n && zone_file_clock(file, at_s, ret);
}

bool zone_known(slice name)
{
    struct zone_clock c;
    return zone_clock(name, 0, &c);
}

int64_t zone_offset_ms(slice name, int64_t at_ms)
{
    struct zone_clock c;
    return zone_clock(name, at_ms / 1000, &c) ? c.offset_s * INT64_C(1000) : 0;
}
