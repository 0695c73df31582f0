#include "template/moment.h"
#include "template/print.h"

enum { DAY = 86400, ZONE_STEPS = 1000 }; /* a zone is looked up in its file */
#define ZONE_S_MAX (INT64_C(1) << 40)    /* either way from 1970: zones know no others */

const char *const month_names[12] = { "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December" };
const char *const weekday_names[7] = { "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday" };

/* ---- calendar ------------------------------------------------------------------------------------------------------- */

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static int64_t days_of(int64_t y, int m, int64_t d) /* since 1970-01-01, of any day number */
{
    y -= m <= 2;
    int64_t era = floor_div(y, 400), yoe = y - era * 400, doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

struct civil moment_civil(struct instant at, const struct zone_clock *clock)
{
    struct civil c;
    int64_t s = at.s + clock->offset_s, z = floor_div(s, DAY), rest = s - z * DAY;
    c.weekday = (int)(((z + 4) % 7 + 7) % 7);
    int64_t e = z + 719468, era = floor_div(e, 146097), doe = e - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365, doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    c.day = (int)(doy - (153 * mp + 2) / 5 + 1);
    c.month = (int)(mp < 10 ? mp + 3 : mp - 9);
    c.year = yoe + era * 400 + (c.month <= 2);
    c.yearday = (int)(z - days_of(c.year, 1, 1)) + 1;
    c.hour = (int)(rest / 3600);
    c.minute = (int)(rest / 60 % 60);
    c.second = (int)(rest % 60);
    return c;
}

/* ---- zones ---------------------------------------------------------------------------------------------------------- */

static struct zone_clock named(struct run *r, slice zone, int64_t at_s)
{
    struct zone_clock c = { 0, "UTC" };
    if (!zone.n || slice_eq(zone, SL("UTC")))
        return c;
    run_step(r, ZONE_STEPS);
    if (at_s > -ZONE_S_MAX && at_s < ZONE_S_MAX && zone_clock(zone, at_s, &c))
        return c;
    return (struct zone_clock){ 0, "UTC" };
}

static slice local(const struct run *r)
{
    return r->o ? r->o->zone : SLICE_NONE;
}

struct zone_clock moment_clock_in(struct run *r, struct instant at, slice zone)
{
    bool word = zone.n && ((zone.p[0] >= 'A' && zone.p[0] <= 'Z') || (zone.p[0] >= 'a' && zone.p[0] <= 'z')); /* only names are zones here */
    return named(r, slice_eq(zone, SL("Local")) ? local(r) : word ? zone : SLICE_NONE, at.s);
}

/* A zone of letters that means nothing here: its letters, five bits each. */
static int32_t zone_of_letters(slice letters)
{
    int32_t z = 0;
    for (size_t i = 0; i < letters.n; i++)
        z = z << 5 | (letters.p[i] - 'A' + 1);
    return INSTANT_LETTERS | z;
}

struct zone_clock moment_clock(struct run *r, struct instant at)
{
    struct zone_clock c = { 0, "UTC" };
    if (at.zone == INSTANT_LOCAL)
        return named(r, local(r), at.s);
    if (at.zone >= INSTANT_LETTERS) {
        size_t n = 0;
        for (int shift = 20; shift >= 0; shift -= 5)
            if (at.zone >> shift & 31)
                c.letters[n++] = (char)('A' - 1 + (at.zone >> shift & 31));
        c.letters[n] = 0;
    } else if (at.zone) {
        c = (struct zone_clock){ at.zone - INSTANT_FIXED, "" };
    }
    return c;
}

struct instant moment_of(struct run *r, const struct civil *c, int32_t ns, int32_t zone)
{
    int64_t month = c->month - 1, year = c->year + floor_div(month, 12);
    month -= floor_div(month, 12) * 12;
    struct instant at = { .s = days_of(year, (int)month + 1, c->day) * DAY + c->hour * 3600 + c->minute * 60 + c->second, .ns = ns, .zone = zone };
    int32_t offset_s = moment_clock(r, at).offset_s; /* what is shown, taken for UTC: a guess, corrected by what it finds */
    if (offset_s) {
        struct instant guess = at;
        guess.s -= offset_s;
        at.s -= moment_clock(r, guess).offset_s;
    }
    return at;
}

/* ---- layouts: the parts of the reference time, Mon Jan 2 15:04:05 MST 2006 --------------------------------------------- */

enum word {
    LONG_MONTH, MONTH, MONTH_NUMBER, LONG_WEEKDAY, WEEKDAY, DAY_NUMBER, DAY_BLANK, YEARDAY, YEARDAY_BLANK, HOUR, HOUR_OF_12, MINUTE, SECOND, LONG_YEAR, YEAR,
    NOON, SMALL_NOON, LETTERS, OFFSET, FRACTION, NO_WORD,
};
struct part { /* of a layout; text is what stands there */
    enum word w;
    slice text;
};
/* Longest first where one begins another. */
/* clang-format off */
static const struct { slice text; enum word w; } words[] = {
    { SLI("January"), LONG_MONTH }, { SLI("Jan"), MONTH }, { SLI("Monday"), LONG_WEEKDAY }, { SLI("Mon"), WEEKDAY }, { SLI("MST"), LETTERS },
    { SLI("01"), MONTH_NUMBER }, { SLI("02"), DAY_NUMBER }, { SLI("03"), HOUR_OF_12 }, { SLI("04"), MINUTE }, { SLI("05"), SECOND }, { SLI("06"), YEAR },
    { SLI("002"), YEARDAY }, { SLI("15"), HOUR }, { SLI("1"), MONTH_NUMBER }, { SLI("2006"), LONG_YEAR }, { SLI("2"), DAY_NUMBER }, { SLI("_2"), DAY_BLANK },
    { SLI("__2"), YEARDAY_BLANK }, { SLI("3"), HOUR_OF_12 }, { SLI("4"), MINUTE }, { SLI("5"), SECOND }, { SLI("PM"), NOON }, { SLI("pm"), SMALL_NOON },
    { SLI("-07:00:00"), OFFSET }, { SLI("-070000"), OFFSET }, { SLI("-07:00"), OFFSET }, { SLI("-0700"), OFFSET }, { SLI("-07"), OFFSET },
    { SLI("Z07:00:00"), OFFSET }, { SLI("Z070000"), OFFSET }, { SLI("Z07:00"), OFFSET }, { SLI("Z0700"), OFFSET }, { SLI("Z07"), OFFSET },
};
/* clang-format on */

static bool is_digit(slice s, size_t at)
{
    return at < s.n && s.p[at] >= '0' && s.p[at] <= '9';
}

static bool comma_or_point(slice s)
{
    return s.n && (s.p[0] == '.' || s.p[0] == ',');
}

/* What the layout begins with; NO_WORD: one byte of text. */
static struct part part_at(slice layout)
{
    struct part none = { NO_WORD, slice_sub(layout, 0, 1) };
    if (comma_or_point(layout) && layout.n > 1 && (layout.p[1] == '0' || layout.p[1] == '9')) {
        size_t n = 1;
        while (n < layout.n && layout.p[n] == layout.p[1])
            n++;
        return is_digit(layout, n) ? none : (struct part){ FRACTION, slice_sub(layout, 0, n) };
    }
    if (slice_starts(layout, SL("_2006"))) /* a line, then the year */
        return none;
    for (size_t i = 0; i < COUNT(words); i++) {
        if (!slice_starts(layout, words[i].text))
            continue;
        char next = words[i].text.n < layout.n ? layout.p[words[i].text.n] : 0;
        if ((words[i].w == MONTH || words[i].w == WEEKDAY) && next >= 'a' && next <= 'z') /* "Month" is a word of its own */
            continue;
        return (struct part){ words[i].w, words[i].text };
    }
    return none;
}

/* ---- written ---------------------------------------------------------------------------------------------------------- */

static void put_name(struct text_out *t, const char *name, bool whole)
{
    out_put(t, slice_sub(slice_of(name), 0, whole ? SIZE_MAX : 3));
}

static void put_number(struct text_out *t, int64_t n, slice like)
{
    out_fmt(t, like.n > 1 ? "%02lld" : "%lld", (long long)n);
}

static void put_offset(struct text_out *t, int32_t offset_s, slice like)
{
    int all = offset_s < 0 ? -offset_s : offset_s;
    const char *colon = slice_find_char(like, ':') != SIZE_MAX ? ":" : "";
    size_t digits = like.n - 1 - (colon[0] ? like.n > 6 ? 2 : 1 : 0);
    if (like.p[0] == 'Z' && !offset_s) {
        out_char(t, 'Z');
        return;
    }
    out_fmt(t, "%c%02d", offset_s < 0 ? '-' : '+', all / 3600);
    if (digits > 2)
        out_fmt(t, "%s%02d", colon, all / 60 % 60);
    if (digits > 4)
        out_fmt(t, "%s%02d", colon, all % 60);
}

static void put_fraction(struct text_out *t, int32_t ns, slice like)
{
    char digits[16];
    size_t n = MIN(like.n - 1, (size_t)9);
    snprintf(digits, sizeof(digits), "%09d", ns);
    while (like.p[1] == '9' && n && digits[n - 1] == '0')
        n--;
    if (!n)
        return;
    out_char(t, like.p[0]);
    out_put(t, slice_mem(digits, n));
}

static void put_part(struct text_out *t, struct part p, const struct civil *c, struct instant at, const struct zone_clock *clock)
{
    switch (p.w) {
    case LONG_MONTH:
    case MONTH: put_name(t, month_names[c->month - 1], p.w == LONG_MONTH); break;
    case LONG_WEEKDAY:
    case WEEKDAY: put_name(t, weekday_names[c->weekday], p.w == LONG_WEEKDAY); break;
    case MONTH_NUMBER: put_number(t, c->month, p.text); break;
    case DAY_NUMBER: put_number(t, c->day, p.text); break;
    case DAY_BLANK: out_fmt(t, "%2d", c->day); break;
    case YEARDAY: out_fmt(t, "%03d", c->yearday); break;
    case YEARDAY_BLANK: out_fmt(t, "%3d", c->yearday); break;
    case HOUR: put_number(t, c->hour, p.text); break;
    case HOUR_OF_12: put_number(t, c->hour % 12 ? c->hour % 12 : 12, p.text); break;
    case MINUTE: put_number(t, c->minute, p.text); break;
    case SECOND: put_number(t, c->second, p.text); break;
    case LONG_YEAR: out_fmt(t, c->year < 0 ? "-%04lld" : "%04lld", c->year < 0 ? -(long long)c->year : (long long)c->year); break;
    case YEAR: put_number(t, c->year < 0 ? 0 : c->year % 100, p.text); break;
    case NOON: out_put(t, c->hour < 12 ? SL("AM") : SL("PM")); break;
    case SMALL_NOON: out_put(t, c->hour < 12 ? SL("am") : SL("pm")); break;
    case LETTERS:
        if (clock->letters[0])
            out_put(t, slice_of(clock->letters));
        else
            put_offset(t, clock->offset_s, SL("-0700"));
        break;
    case OFFSET: put_offset(t, clock->offset_s, p.text); break;
    case FRACTION: put_fraction(t, at.ns, p.text); break;
    case NO_WORD: out_put(t, p.text); break;
    }
}

void moment_put(struct text_out *t, slice layout, struct instant at, const struct zone_clock *clock)
{
    struct civil c = moment_civil(at, clock);
    while (layout.n) {
        struct part p = part_at(layout);
        run_step(t->r, 1);
        put_part(t, p, &c, at, clock);
        layout = slice_from(layout, p.text.n);
    }
}

void time_print(struct text_out *t, struct instant at)
{
    struct zone_clock clock = moment_clock(t->r, at);
    moment_put(t, SL("2006-01-02 15:04:05.999999999 -0700 MST"), at, &clock);
}

/* ---- read ------------------------------------------------------------------------------------------------------------- */

struct read_time {
    slice s;
    int64_t year, month, day, yearday, hour, minute, second, offset_s; /* -1: not said; offset_s: see has_offset */
    int32_t ns;
    bool has_offset, utc, noon, midnight;
    slice letters;
};

/* Some digits, at least and at most so many. */
static bool number(slice *s, size_t least, size_t most, int64_t *ret)
{
    size_t n = 0;
    *ret = 0;
    while (n < most && is_digit(*s, n))
        *ret = *ret * 10 + (s->p[n++] - '0');
    *s = slice_from(*s, n);
    return n >= least;
}

static bool name(slice *s, const char *const *names, int n, bool whole, int64_t *ret)
{
    for (int i = 0; i < n; i++) {
        slice one = slice_sub(slice_of(names[i]), 0, whole ? SIZE_MAX : 3);
        if (s->n >= one.n && slice_eq_nocase(slice_sub(*s, 0, one.n), one)) {
            *s = slice_from(*s, one.n);
            return *ret = i + 1, true;
        }
    }
    return false;
}

static bool take(slice *s, const char *text)
{
    bool is = slice_starts(*s, slice_of(text));
    *s = slice_from(*s, is ? strlen(text) : 0);
    return is;
}

/* A point and n digits; more than nine are cut off. */
static bool fraction(slice *s, size_t n, int32_t *ret)
{
    int64_t v;
    slice digits = slice_sub(*s, 1, MIN(n, (size_t)9));
    size_t have = digits.n;
    if (!comma_or_point(*s) || s->n < 1 + n || !have || !number(&digits, have, have, &v))
        return false;
    for (; have < 9; have++)
        v *= 10;
    *ret = (int32_t)v;
    *s = slice_from(*s, 1 + n);
    return true;
}

static size_t digits_behind_point(slice s)
{
    size_t n = 0;
    while (comma_or_point(s) && is_digit(s, n + 1))
        n++;
    return n;
}

static bool read_offset(struct read_time *t, slice like)
{
    slice *s = &t->s;
    size_t colon = slice_find_char(like, ':'), size = like.n;
    int64_t h, m = 0, sec = 0;
    if (like.p[0] == 'Z' && (size == 6 || size == 5 || size == 3) && take(s, "Z"))
        return t->utc = true;
    bool minus = s->n && s->p[0] == '-';
    if (!minus && !(s->n && s->p[0] == '+'))
        return false;
    *s = slice_from(*s, 1);
    if (!number(s, 2, 2, &h))
        return false;
    if (size > 3 && ((colon != SIZE_MAX && !take(s, ":")) || !number(s, 2, 2, &m)))
        return false;
    if (size > 6 && ((colon != SIZE_MAX && !take(s, ":")) || !number(s, 2, 2, &sec)))
        return false;
    t->offset_s = (h * 3600 + m * 60 + sec) * (minus ? -1 : 1);
    return t->has_offset = true;
}

/* "JST", "CEST", "GMT+3", "+03": three letters, or four or five that end in T. */
static bool read_letters(struct read_time *t)
{
    slice *s = &t->s, after;
    size_t n = 0;
    int64_t hours;
    if (take(s, "UTC"))
        return t->utc = true;
    while (n < s->n && n < 6 && s->p[n] >= 'A' && s->p[n] <= 'Z')
        n++;
    bool gmt = slice_starts(*s, SL("GMT")), sign = s->n > n && (s->p[n] == '+' || s->p[n] == '-');
    if (gmt || (n == 0 && sign)) {
        n = gmt ? 3 : 0;
        after = slice_from(*s, n + 1);
        size_t digits = after.n;
        bool hour = s->n > n && (s->p[n] == '+' || s->p[n] == '-') && number(&after, 1, SIZE_MAX, &hours) && hours <= 23;
        if (hour)
            n += 1 + digits - after.n;
        t->letters = slice_sub(*s, 0, n);
        *s = slice_from(*s, n);
        return n > 0;
    }
    if (n != 3 && !((n == 4 || n == 5) && s->p[n - 1] == 'T') && !(n >= 4 && slice_starts(*s, SL("WITA"))))
        return false;
    t->letters = slice_sub(*s, 0, n);
    *s = slice_from(*s, n);
    return true;
}

static bool read_part(struct read_time *t, struct part p, slice layout)
{
    slice *s = &t->s;
    size_t least = p.text.n > 1 && p.text.p[0] == '0' ? 2 : 1;
    int64_t ignored;
    switch (p.w) {
    case LONG_MONTH:
    case MONTH: return name(s, month_names, 12, p.w == LONG_MONTH, &t->month);
    case LONG_WEEKDAY:
    case WEEKDAY: return name(s, weekday_names, 7, p.w == LONG_WEEKDAY, &ignored);
    case MONTH_NUMBER: return number(s, least, 2, &t->month) && t->month >= 1 && t->month <= 12;
    case DAY_BLANK:
        (void)take(s, " ");
        return number(s, 1, 2, &t->day);
    case DAY_NUMBER: return number(s, least, 2, &t->day);
    case YEARDAY_BLANK:
        (void)(take(s, " ") && take(s, " "));
        return number(s, 1, 3, &t->yearday);
    case YEARDAY: return number(s, 3, 3, &t->yearday);
    case HOUR: return number(s, 1, 2, &t->hour) && t->hour < 24;
    case HOUR_OF_12: return number(s, least, 2, &t->hour) && t->hour <= 12;
    case MINUTE: return number(s, least, 2, &t->minute) && t->minute < 60;
    case SECOND:
        if (!number(s, least, 2, &t->second) || t->second >= 60)
            return false;
        /* a fraction behind the seconds is read even where the layout has none */
        return !digits_behind_point(*s) || part_at(layout).w == FRACTION || fraction(s, digits_behind_point(*s), &t->ns);
    case LONG_YEAR: return number(s, 4, 4, &t->year);
    case YEAR:
        if (!number(s, 2, 2, &t->year))
            return false;
        t->year += t->year >= 69 ? 1900 : 2000;
        return true;
    case NOON:
    case SMALL_NOON:
        t->noon = take(s, p.w == NOON ? "PM" : "pm");
        t->midnight = !t->noon && take(s, p.w == NOON ? "AM" : "am");
        return t->noon || t->midnight;
    case LETTERS: return read_letters(t);
    case OFFSET: return read_offset(t, p.text);
    case FRACTION:
        if (p.text.p[1] == '0')
            return fraction(s, p.text.n - 1, &t->ns);
        return !digits_behind_point(*s) || fraction(s, MIN(digits_behind_point(*s), (size_t)9), &t->ns);
    case NO_WORD: break;
    }
    if (p.text.p[0] == ' ') { /* any number of blanks, at the end also none */
        bool blank = !s->n || s->p[0] == ' ';
        while (take(s, " "))
            ;
        return blank;
    }
    bool same = slice_starts(*s, p.text);
    *s = slice_from(*s, same);
    return same;
}

static bool is_day(const struct read_time *t)
{
    static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (t->year % 4 == 0 && t->year % 100 != 0) || t->year % 400 == 0;
    return t->day >= 1 && t->day <= lengths[t->month - 1] + (t->month == 2 && leap);
}

/* The day of the year as month and day, which must be those that were read, too. */
static bool take_yearday(struct read_time *t)
{
    int64_t day = days_of(t->year, 1, t->yearday);
    static const struct zone_clock utc = { 0, "UTC" };
    struct civil c = moment_civil((struct instant){ .s = day * DAY }, &utc);
    if (t->yearday < 1 || c.year != t->year || (t->month >= 0 && t->month != c.month) || (t->day >= 0 && t->day != c.day))
        return false;
    t->month = c.month;
    t->day = c.day;
    return true;
}

bool moment_read(struct run *r, slice layout, slice s, struct instant *ret)
{
    struct read_time t = { .s = s, .month = -1, .day = -1, .yearday = -1 };
    while (layout.n) {
        struct part p = part_at(layout);
        run_step(r, 1);
        layout = slice_from(layout, p.text.n);
        while (p.w == NO_WORD && p.text.p[0] == ' ' && slice_starts(layout, SL(" "))) /* blanks are read as one */
            layout = slice_from(layout, 1);
        if (!read_part(&t, p, layout))
            return false;
    }
    if (t.s.n || (t.yearday >= 0 && !take_yearday(&t)))
        return false;
    t.month = t.month < 0 ? 1 : t.month;
    t.day = t.day < 0 ? 1 : t.day;
    if (!is_day(&t))
        return false;
    if (t.noon && t.hour < 12)
        t.hour += 12;
    else if (t.midnight && t.hour == 12)
        t.hour = 0;
    struct civil c = { .year = t.year, .month = (int)t.month, .day = (int)t.day, .hour = (int)t.hour, .minute = (int)t.minute, .second = (int)t.second };
    if (t.utc || (!t.has_offset && !t.letters.n)) {
        *ret = moment_of(r, &c, t.ns, t.utc ? INSTANT_UTC : INSTANT_LOCAL);
        return true;
    }
    struct instant at = moment_of(r, &c, t.ns, INSTANT_UTC), here = at;
    at.s -= t.has_offset ? t.offset_s : 0;
    here.s = at.s;
    here.zone = INSTANT_LOCAL;
    struct zone_clock clock = moment_clock(r, here);
    bool called = slice_eq(t.letters, slice_of(clock.letters));
    if (t.has_offset) {
        at.zone = clock.offset_s == t.offset_s && (!t.letters.n || called) ? INSTANT_LOCAL : INSTANT_FIXED + (int32_t)t.offset_s;
    } else {
        struct instant there = here; /* letters of ours mean our clocks, at what they show */
        there.s -= clock.offset_s;
        clock = moment_clock(r, there);
        int64_t hours;
        if (slice_eq(t.letters, slice_of(clock.letters))) {
            at = there;
        } else if (t.letters.n > 3 && slice_starts(t.letters, SL("GMT")) && slice_int(slice_from(t.letters, t.letters.p[3] == '+' ? 4 : 3), &hours)) {
            at.zone = INSTANT_FIXED + (int32_t)hours * 3600;
        } else {
            at.zone = t.letters.p[0] >= 'A' && t.letters.p[0] <= 'Z' && t.letters.n <= 5 ? zone_of_letters(t.letters) : INSTANT_FIXED;
        }
    }
    *ret = at;
    return true;
}
