/* Times. The zone is UTC, but where dateInZone and htmlDateInZone name one that the system knows. */
#include "base/zone.h"
#include "template/eval.h"
#include "template/function.h"
#include "template/print.h"

#define FN(name) static struct value name(struct run *r, const struct value *v, size_t n)
enum { DAY = 86400, ZONE_STEPS = 1000 }; /* a zone is looked up in its file */
#define ZONE_S_MAX (INT64_C(1) << 40)     /* either way from 1970: zones know no others */

struct civil {
    int64_t year;
    int month, day, hour, minute, second, weekday, yearday;
    int offset_s; /* what the zone adds to UTC */
    bool utc;
};
static const char *const months[] = { "January", "February", "March", "April", "May", "June", "July", "August", "September",
                                      "October", "November", "December" };
static const char *const days[] = { "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday" };

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static int64_t days_of(int64_t y, int m, int64_t d) /* since 1970-01-01, of any month and day number */
{
    y -= m <= 2;
    int64_t era = floor_div(y, 400), yoe = y - era * 400, doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static struct civil civil_of(int64_t s)
{
    struct civil c;
    int64_t z = floor_div(s, DAY), rest = s - z * DAY;
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

static void put_fraction(struct text_out *t, int32_t ns, size_t digits, bool trim)
{
    char buf[16];
    snprintf(buf, sizeof(buf), "%09d", ns);
    digits = MIN(digits, (size_t)9);
    while (trim && digits && buf[digits - 1] == '0')
        digits--;
    if (!digits)
        return;
    out_char(t, '.');
    out_put(t, (slice){ buf, digits });
}

/* The layout words, longest first where one begins another. */
static const char *const words[] = { "January", "Jan", "Monday", "Mon", "MST", "2006", "002", "01", "02", "03", "04", "05", "06", "15",
                                     "_2", "PM", "pm", "-07:00", "-0700", "-07", "Z07:00", "Z0700", "1", "2", "3", "4", "5" };

/* "+0900", with a colon or as hours alone */
static void put_offset(struct text_out *t, int offset_s, bool colon, bool minutes)
{
    int all = abs(offset_s) / 60;
    out_fmt(t, "%c%02d", offset_s < 0 ? '-' : '+', all / 60);
    if (minutes)
        out_fmt(t, colon ? ":%02d" : "%02d", all % 60);
}

static void put_word(struct text_out *t, const char *w, const struct civil *c)
{
    int h12 = c->hour % 12 ? c->hour % 12 : 12;
    switch (w[0]) {
    case 'J':
        out_put(t, slice_sub(slice_of(months[c->month - 1]), 0, w[3] ? SIZE_MAX : 3));
        return;
    case 'M':
        if (w[1] == 'S' && c->utc)
            out_put(t, SL("UTC"));
        else if (w[1] == 'S') /* as Go has it for zones whose hours have no letters */
            put_offset(t, c->offset_s, false, c->offset_s % 3600 != 0);
        else
            out_put(t, slice_sub(slice_of(days[c->weekday]), 0, w[3] ? SIZE_MAX : 3));
        return;
    case 'P':
        out_put(t, c->hour < 12 ? SL("AM") : SL("PM"));
        return;
    case 'p':
        out_put(t, c->hour < 12 ? SL("am") : SL("pm"));
        return;
    case 'Z':
        if (!c->offset_s)
            out_char(t, 'Z');
        else
            put_offset(t, c->offset_s, w[3] == ':', true);
        return;
    case '-':
        put_offset(t, c->offset_s, strlen(w) == 6, strlen(w) > 3);
        return;
    case '_':
        out_fmt(t, "%2d", c->day);
        return;
    default:
        break;
    }
    if (strcmp(w, "2006") == 0)
        out_fmt(t, "%04lld", (long long)c->year);
    else if (strcmp(w, "06") == 0)
        out_fmt(t, "%02lld", (long long)(c->year % 100));
    else if (strcmp(w, "002") == 0)
        out_fmt(t, "%03d", c->yearday);
    else if (strcmp(w, "15") == 0)
        out_fmt(t, "%02d", c->hour);
    else {
        bool two = w[0] == '0';
        static const int none = 0;
        const int *field[] = { &none, &c->month, &c->day, &h12, &c->minute, &c->second };
        out_fmt(t, two ? "%02d" : "%d", *field[w[two] - '0']);
    }
}

static bool is_zone(slice zone)
{
    bool letter = zone.n && ((zone.p[0] >= 'A' && zone.p[0] <= 'Z') || (zone.p[0] >= 'a' && zone.p[0] <= 'z'));
    return letter && !slice_eq(zone, SL("UTC")) && !slice_eq(zone, SL("Local")) && zone_known(zone);
}

/* zone: one that is not known is UTC. */
static void put_layout(struct text_out *t, slice layout, struct instant at, slice zone)
{
    bool there = at.s > -ZONE_S_MAX && at.s < ZONE_S_MAX && is_zone(zone);
    int offset_s = there ? (int)(zone_offset_ms(zone, at.s * 1000) / 1000) : 0;
    struct civil c = civil_of(at.s + offset_s);
    c.offset_s = offset_s;
    c.utc = !there;
    if (zone.n)
        run_step(t->r, ZONE_STEPS);
    for (size_t i = 0; i < layout.n;) {
        slice rest = slice_from(layout, i);
        size_t k = 0;
        run_step(t->r, 1);
        if ((rest.p[0] == '.' || rest.p[0] == ',') && rest.n > 1 && (rest.p[1] == '0' || rest.p[1] == '9')) {
            size_t digits = 1;
            while (1 + digits < rest.n && rest.p[1 + digits] == rest.p[1])
                digits++;
            if (1 + digits == rest.n || rest.p[1 + digits] < '0' || rest.p[1 + digits] > '9') {
                put_fraction(t, at.ns, digits, rest.p[1] == '9');
                i += 1 + digits;
                continue;
            }
        }
        while (k < COUNT(words) && !slice_starts(rest, slice_of(words[k])))
            k++;
        if (k == COUNT(words)) {
            out_char(t, layout.p[i++]);
            continue;
        }
        put_word(t, words[k], &c);
        i += strlen(words[k]);
    }
}

void time_print(struct text_out *t, struct instant at)
{
    put_layout(t, SL("2006-01-02 15:04:05.999999999 -0700 MST"), at, SLICE_NONE);
}

static struct instant now(struct run *r)
{
    int64_t ms = r->o ? r->o->now_ms : 0;
    return (struct instant){ floor_div(ms, 1000), (int32_t)(ms - floor_div(ms, 1000) * 1000) * 1000000 };
}

static struct value value_time(struct instant at)
{
    return (struct value){ .t = V_TIME, .at = at };
}

/* A time, or seconds as an int; anything else is now. */
static struct instant moment(struct run *r, struct value v)
{
    return v.t == V_TIME ? v.at : value_whole(v) && v.i > -(INT64_C(1) << 55) && v.i < INT64_C(1) << 55 ? (struct instant){ v.i, 0 } : now(r);
}

static struct value formatted(struct run *r, slice layout, struct instant at, slice zone)
{
    struct text_out t = out_new(r);
    put_layout(&t, layout, at, zone);
    return VALUE_STRING(out_slice(&t));
}

FN(f_now)
{
    (void)v, (void)n;
    return value_time(now(r));
}

FN(f_date)
{
    return formatted(r, v[0].s, moment(r, v[1]), n > 2 ? v[2].s : SLICE_NONE);
}

FN(f_html_date)
{
    return formatted(r, SL("2006-01-02"), moment(r, v[0]), n > 1 ? v[1].s : SLICE_NONE);
}

FN(f_unix_epoch)
{
    (void)n;
    struct text_out t = out_new(r);
    out_fmt(&t, "%lld", (long long)v[0].at.s);
    return VALUE_STRING(out_slice(&t));
}

static void put_duration(struct text_out *t, int64_t s)
{
    if (s < 0)
        out_char(t, '-');
    uint64_t u = s < 0 ? 0 - (uint64_t)s : (uint64_t)s;
    if (u >= 3600)
        out_fmt(t, "%lluh", (unsigned long long)(u / 3600));
    if (u >= 60)
        out_fmt(t, "%llum", (unsigned long long)(u / 60 % 60));
    out_fmt(t, "%llus", (unsigned long long)(u % 60));
}

FN(f_ago)
{
    (void)n;
    struct text_out t = out_new(r);
    struct instant at = v[0].t == V_TIME || v[0].t == V_INT64 || v[0].t == V_INT ? moment(r, v[0]) : now(r);
    struct instant here = now(r);
    int64_t ms = (here.s - at.s) * 1000 + (here.ns - at.ns) / 1000000;
    put_duration(&t, floor_div(ms + 500, 1000));
    return VALUE_STRING(out_slice(&t));
}

FN(f_duration)
{
    (void)n;
    struct text_out t = out_new(r);
    int64_t s = 0;
    if (v[0].t == V_INT64)
        s = v[0].i;
    else if (v[0].t == V_STRING && !slice_int(v[0].s, &s))
        s = 0;
    put_duration(&t, s);
    return VALUE_STRING(out_slice(&t));
}

static bool duration_read(slice s, int64_t *ret_ns)
{
    static const struct {
        slice name;
        double ns;
    } units[] = { { SLI("ns"), 1 }, { SLI("us"), 1e3 }, { SLI("\xc2\xb5s"), 1e3 }, { SLI("ms"), 1e6 }, { SLI("s"), 1e9 }, { SLI("m"), 60e9 }, { SLI("h"), 3600e9 } };
    bool minus = s.n && s.p[0] == '-';
    if (s.n && (s.p[0] == '-' || s.p[0] == '+'))
        s = slice_from(s, 1);
    if (slice_eq(s, SL("0")))
        return *ret_ns = 0, true;
    double sum = 0, x;
    while (s.n) {
        size_t k = 0, u = COUNT(units), best = 0;
        while (k < s.n && ((s.p[k] >= '0' && s.p[k] <= '9') || s.p[k] == '.'))
            k++;
        if (!k || !slice_double(slice_sub(s, 0, k), &x))
            return false;
        s = slice_from(s, k);
        for (size_t i = 0; i < COUNT(units); i++)
            if (slice_starts(s, units[i].name) && units[i].name.n > best)
                best = units[i].name.n, u = i;
        if (u == COUNT(units))
            return false;
        sum += x * units[u].ns;
        s = slice_from(s, best);
        *ret_ns = 1;
    }
    if (sum > 9.2e18 || *ret_ns != 1)
        return false;
    *ret_ns = (int64_t)(minus ? -sum : sum);
    return true;
}

static struct instant moved(struct instant at, int64_t ns)
{
    int64_t sum = at.ns + ns % 1000000000;
    at.s += ns / 1000000000 + floor_div(sum, 1000000000);
    at.ns = (int32_t)(sum - floor_div(sum, 1000000000) * 1000000000);
    return at;
}

FN(f_date_modify)
{
    (void)r, (void)n;
    int64_t ns = 0;
    return duration_read(v[0].s, &ns) ? value_time(moved(v[1].at, ns)) : v[1];
}

FN(f_must_date_modify)
{
    (void)n;
    int64_t ns = 0;
    if (!duration_read(v[0].s, &ns))
        run_fail(r, "time: invalid duration \"" SLF "\"", SLA(v[0].s));
    return value_time(moved(v[1].at, ns));
}

FN(f_duration_round)
{
    (void)n;
    static const struct {
        int64_t s;
        const char *name;
    } units[] = { { 365 * DAY, "y" }, { 30 * DAY, "mo" }, { DAY, "d" }, { 3600, "h" }, { 60, "m" }, { 1, "s" } };
    int64_t s = 0, ns;
    struct text_out t = out_new(r);
    if (v[0].t == V_INT64)
        s = v[0].i / 1000000000;
    else if (v[0].t == V_STRING && duration_read(v[0].s, &ns))
        s = ns / 1000000000;
    else if (v[0].t == V_TIME)
        s = now(r).s - v[0].at.s;
    s = s < 0 ? -(s + (s == INT64_MIN)) : s;
    for (size_t i = 0; i < COUNT(units); i++)
        if (s > units[i].s) {
            out_fmt(&t, "%lld%s", (long long)(s / units[i].s), units[i].name);
            return VALUE_STRING(out_slice(&t));
        }
    return VALUE_STRING(SL("0s"));
}

static bool number_at(slice *s, int least, int most, int64_t *ret)
{
    int n = 0;
    *ret = 0;
    while (n < most && s->n && s->p[0] >= '0' && s->p[0] <= '9') {
        *ret = *ret * 10 + (s->p[0] - '0');
        *s = slice_from(*s, 1);
        n++;
    }
    return n >= least;
}

static bool name_at(slice *s, const char *const *names, int n, size_t chars, int64_t *ret)
{
    for (int i = 0; i < n; i++) {
        slice name = slice_sub(slice_of(names[i]), 0, chars);
        if (s->n >= name.n && slice_eq_nocase(slice_sub(*s, 0, name.n), name)) {
            *s = slice_from(*s, name.n);
            return *ret = i, true;
        }
    }
    return false;
}

/* A text in the layout's form; false: it is not. */
static bool time_read(slice layout, slice s, struct instant *ret)
{
    int64_t year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0, offset = 0, x;
    int pm = -1;
    int32_t ns = 0;
    while (layout.n) {
        size_t k = 0;
        while (k < COUNT(words) && !slice_starts(layout, slice_of(words[k])))
            k++;
        if (k == COUNT(words)) {
            if (!s.n || s.p[0] != layout.p[0])
                return false;
            s = slice_from(s, 1), layout = slice_from(layout, 1);
            continue;
        }
        const char *w = words[k];
        layout = slice_from(layout, strlen(w));
        bool good = true;
        if (w[0] == 'J')
            good = name_at(&s, months, 12, w[3] ? SIZE_MAX : 3, &month), month++;
        else if (w[0] == 'M' && w[1] == 'o')
            good = name_at(&s, days, 7, w[3] ? SIZE_MAX : 3, &x);
        else if (w[0] == 'M')
            good = slice_starts(s, SL("UTC")) || slice_starts(s, SL("GMT")), s = slice_from(s, 3);
        else if ((w[0] | 32) == 'p') {
            pm = s.n > 1 && (s.p[0] | 32) == 'p';
            good = s.n > 1 && ((s.p[0] | 32) == 'p' || (s.p[0] | 32) == 'a') && (s.p[1] | 32) == 'm';
            s = slice_from(s, 2);
        } else if (w[0] == 'Z' && s.n && s.p[0] == 'Z')
            s = slice_from(s, 1);
        else if (w[0] == 'Z' || w[0] == '-') {
            int64_t h = 0, m = 0;
            bool minus = s.n && s.p[0] == '-';
            good = s.n && (s.p[0] == '-' || s.p[0] == '+');
            s = slice_from(s, 1);
            good = good && number_at(&s, 2, 2, &h);
            if (strchr(w, ':'))
                good = good && s.n && s.p[0] == ':', s = slice_from(s, 1);
            if (strcmp(w, "-07") != 0)
                good = good && number_at(&s, 2, 2, &m);
            offset = (h * 3600 + m * 60) * (minus ? -1 : 1);
        } else if (strcmp(w, "2006") == 0)
            good = number_at(&s, 4, 4, &year);
        else if (strcmp(w, "06") == 0)
            good = number_at(&s, 2, 2, &year), year += year >= 69 ? 1900 : 2000;
        else if (strcmp(w, "15") == 0)
            good = number_at(&s, 2, 2, &hour);
        else if (strcmp(w, "002") == 0)
            good = number_at(&s, 3, 3, &day), month = 1;
        else {
            while (w[0] == '_' && s.n && s.p[0] == ' ')
                s = slice_from(s, 1);
            int64_t *field[] = { &x, &month, &day, &hour, &minute, &second };
            bool two = w[0] == '0' || w[0] == '_';
            good = number_at(&s, w[0] == '0' ? 2 : 1, 2, field[w[two] - '0']);
            if (w[two] == '5' && s.n > 1 && s.p[0] == '.' && s.p[1] >= '0' && s.p[1] <= '9' && !(layout.n && layout.p[0] == '.')) {
                s = slice_from(s, 1); /* a fraction behind the seconds is read even where the layout has none */
                for (int32_t unit = 100000000; s.n && s.p[0] >= '0' && s.p[0] <= '9'; s = slice_from(s, 1), unit /= 10)
                    ns += (s.p[0] - '0') * unit;
            }
        }
        if (!good)
            return false;
    }
    static const int lengths[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    if (s.n || month < 1 || month > 12 || day < 1 || (day > lengths[month - 1] && day > 31) || hour > 23 || minute > 59 || second > 59)
        return false;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (day > lengths[month - 1] || (month == 2 && day == 29 && !leap))
        return false;
    if (pm == 1 && hour < 12)
        hour += 12;
    if (pm == 0 && hour == 12)
        hour = 0;
    ret->s = days_of(year, (int)month, day) * DAY + hour * 3600 + minute * 60 + second - offset;
    ret->ns = ns;
    return true;
}

static const struct instant year_one = { INT64_C(-62135596800), 0 };

FN(f_to_date)
{
    (void)r, (void)n;
    struct instant at;
    return value_time(time_read(v[0].s, v[1].s, &at) ? at : year_one);
}

FN(f_must_to_date)
{
    (void)n;
    struct instant at;
    if (!time_read(v[0].s, v[1].s, &at))
        run_fail(r, "parsing time \"" SLF "\" as \"" SLF "\": cannot parse", SLA(v[1].s), SLA(v[0].s));
    return value_time(at);
}

bool time_method(struct run *r, struct instant at, slice name, const struct value *args, size_t n, struct value *ret)
{
    struct civil c = civil_of(at.s);
    const struct {
        const char *name;
        int64_t v;
    } numbers[] = { { "Year", c.year }, { "Day", c.day }, { "Hour", c.hour }, { "Minute", c.minute }, { "Second", c.second }, { "YearDay", c.yearday } };
    size_t want = slice_eq(name, SL("AddDate")) ? 3 : slice_eq(name, SL("Format")) || slice_eq(name, SL("Before")) || slice_eq(name, SL("After")) || slice_eq(name, SL("Equal"));
    for (size_t i = 0; i < COUNT(numbers); i++)
        if (slice_eq(name, slice_of(numbers[i].name)))
            *ret = VALUE_INT(numbers[i].v), want = 9;
    if (slice_eq(name, SL("Unix")))
        *ret = VALUE_INT64(at.s), want = 9;
    else if (slice_eq(name, SL("Month")))
        *ret = VALUE_STRING(slice_of(months[c.month - 1])), want = 9;
    else if (slice_eq(name, SL("Weekday")))
        *ret = VALUE_STRING(slice_of(days[c.weekday])), want = 9;
    else if (slice_eq(name, SL("IsZero")))
        *ret = VALUE_TRUTH(at.s == year_one.s && !at.ns), want = 9;
    else if (slice_eq(name, SL("UTC")))
        *ret = value_time(at), want = 9;
    if (!want)
        return false;
    if (n != (want == 9 ? 0 : want))
        run_fail(r, "wrong number of args for " SLF ": want %zu got %zu", SLA(name), want == 9 ? (size_t)0 : want, n);
    if (want == 9)
        return true;
    if (want == 3) {
        for (size_t i = 0; i < 3; i++)
            if (args[i].t != V_INT || args[i].i > 100000 || args[i].i < -100000)
                run_fail(r, "wrong type for value; expected int; got %s", value_type_name(args[i]));
        int64_t month = c.month - 1 + args[1].i, year = c.year + args[0].i + floor_div(month, 12);
        month -= floor_div(month, 12) * 12;
        *ret = value_time((struct instant){ days_of(year, (int)month + 1, c.day + args[2].i) * DAY + (at.s - floor_div(at.s, DAY) * DAY), at.ns });
        return true;
    }
    if (args[0].t != (name.p[0] == 'F' ? V_STRING : V_TIME))
        run_fail(r, "wrong type for value; got %s", value_type_name(args[0]));
    if (name.p[0] == 'F')
        return *ret = formatted(r, args[0].s, at, SLICE_NONE), true;
    struct instant b = args[0].at;
    int order = at.s < b.s ? -1 : at.s > b.s ? 1 : at.ns < b.ns ? -1 : at.ns > b.ns;
    *ret = VALUE_TRUTH(name.p[0] == 'B' ? order < 0 : name.p[0] == 'A' ? order > 0 : order == 0);
    return true;
}

/* clang-format off */
static const struct function rows[] = {
    { "now", "", f_now }, { "ago", "x", f_ago }, { "date", "sx", f_date }, { "dateInZone", "sxs", f_date }, { "date_in_zone", "sxs", f_date },
    { "htmlDate", "x", f_html_date }, { "htmlDateInZone", "xs", f_html_date }, { "dateModify", "st", f_date_modify },
    { "date_modify", "st", f_date_modify }, { "mustDateModify", "st", f_must_date_modify }, { "must_date_modify", "st", f_must_date_modify },
    { "toDate", "ss", f_to_date }, { "mustToDate", "ss", f_must_to_date }, { "unixEpoch", "t", f_unix_epoch },
    { "duration", "x", f_duration }, { "durationRound", "x", f_duration_round },
};
/* clang-format on */
const struct functions functions_time = { rows, COUNT(rows) };
