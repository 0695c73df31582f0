/* Sprig's functions for times, and the methods of a time. */
#include "template/eval.h"
#include "template/function.h"
#include "template/moment.h"
#include "template/print.h"

#define FN(name) static struct value name(struct run *r, const struct value *v, size_t n)
enum { DAY_S = 86400 };
#define NS_A_SECOND INT64_C(1000000000)

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static struct instant now(struct run *r)
{
    int64_t ms = r->o ? r->o->now_ms : 0;
    return (struct instant){ floor_div(ms, 1000), (int32_t)(ms - floor_div(ms, 1000) * 1000) * 1000000, INSTANT_LOCAL };
}

static struct value value_time(struct instant at)
{
    return (struct value){ .t = V_TIME, .at = at };
}

/* A time, or seconds as an int; anything else is now. */
static struct instant moment(struct run *r, struct value v)
{
    return v.t == V_TIME ? v.at : value_whole(v) && v.i > -(INT64_C(1) << 55) && v.i < INT64_C(1) << 55 ? (struct instant){ v.i, 0, INSTANT_LOCAL } : now(r);
}

static struct value formatted(struct run *r, slice layout, struct instant at, const struct zone_clock *clock)
{
    struct text_out t = out_new(r);
    moment_put(&t, layout, at, clock);
    return VALUE_STRING(out_slice(&t));
}

FN(f_now)
{
    (void)v, (void)n;
    return value_time(now(r));
}

static struct value formatted_in(struct run *r, slice layout, struct value x, slice zone)
{
    struct instant at = moment(r, x);
    struct zone_clock clock = moment_clock_in(r, at, zone);
    return formatted(r, layout, at, &clock);
}

FN(f_date)
{
    return formatted_in(r, v[0].s, v[1], n > 2 ? v[2].s : SL("Local"));
}

FN(f_html_date)
{
    return formatted_in(r, SL("2006-01-02"), v[0], n > 1 ? v[1].s : SL("Local"));
}

FN(f_unix_epoch)
{
    (void)n;
    struct text_out t = out_new(r);
    out_fmt(&t, "%lld", (long long)v[0].at.s);
    return VALUE_STRING(out_slice(&t));
}

/* "1h1m1.5s"; what is shorter than a second has its digits behind the point, too. */
static void put_duration(struct text_out *t, int64_t ns)
{
    uint64_t u = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns, s = u / 1000000000, rest = u % 1000000000;
    char digits[16];
    size_t k = 9;
    if (ns < 0)
        out_char(t, '-');
    if (s >= 3600)
        out_fmt(t, "%lluh", (unsigned long long)(s / 3600));
    if (s >= 60)
        out_fmt(t, "%llum", (unsigned long long)(s / 60 % 60));
    out_fmt(t, "%llu", (unsigned long long)(s % 60));
    snprintf(digits, sizeof(digits), "%09u", (unsigned)rest);
    while (k && digits[k - 1] == '0')
        k--;
    if (k) {
        out_char(t, '.');
        out_put(t, slice_mem(digits, k));
    }
    out_char(t, 's');
}

/* From b to a; as long as a duration can be, where it is longer. */
static int64_t ns_between(struct instant a, struct instant b)
{
    int64_t ns;
    if (__builtin_mul_overflow(a.s - b.s, NS_A_SECOND, &ns) || __builtin_add_overflow(ns, a.ns - b.ns, &ns))
        return a.s < b.s ? INT64_MIN : INT64_MAX;
    return ns;
}

static int64_t rounded_to_seconds(int64_t ns)
{
    int64_t rest = ns % NS_A_SECOND, half = NS_A_SECOND / 2, up = rest < 0 ? -NS_A_SECOND - rest : NS_A_SECOND - rest, to;
    if (rest > -half && rest < half)
        return ns - rest;
    return __builtin_add_overflow(ns, up, &to) ? (ns < 0 ? INT64_MIN : INT64_MAX) : to;
}

FN(f_ago)
{
    (void)n;
    struct text_out t = out_new(r);
    put_duration(&t, rounded_to_seconds(ns_between(now(r), moment(r, v[0]))));
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
    put_duration(&t, (int64_t)((uint64_t)s * (uint64_t)NS_A_SECOND)); /* wraps around as Go's do */
    return VALUE_STRING(out_slice(&t));
}

/* Digits off the front of *s; false: more than fit. */
static bool digits_off(slice *s, uint64_t *ret)
{
    *ret = 0;
    while (s->n && s->p[0] >= '0' && s->p[0] <= '9') {
        if (__builtin_mul_overflow(*ret, UINT64_C(10), ret) || __builtin_add_overflow(*ret, (uint64_t)(s->p[0] - '0'), ret))
            return false;
        *s = slice_from(*s, 1);
    }
    return true;
}

/* The digits behind a point, as far as they count: their value, and what it is of. */
static double fraction_off(slice *s, double *ret_scale)
{
    double v = 0;
    *ret_scale = 1;
    for (; s->n && s->p[0] >= '0' && s->p[0] <= '9'; *s = slice_from(*s, 1)) {
        if (v >= 9e17)
            continue;
        v = v * 10 + (s->p[0] - '0');
        *ret_scale *= 10;
    }
    return v;
}

/* "1h30m", "-1.5s" */
static bool duration_read(slice s, int64_t *ret_ns)
{
    static const struct {
        slice name;
        uint64_t ns;
    } units[] = { { SLI("ns"), 1 }, { SLI("us"), 1000 }, { SLI("\xc2\xb5s"), 1000 }, { SLI("\xce\xbcs"), 1000 }, { SLI("ms"), 1000000 }, { SLI("s"), 1000000000 },
                  { SLI("m"), UINT64_C(60000000000) }, { SLI("h"), UINT64_C(3600000000000) } };
    const uint64_t most = UINT64_C(1) << 63;
    bool minus = s.n && s.p[0] == '-';
    uint64_t sum = 0, v;
    if (s.n && (s.p[0] == '-' || s.p[0] == '+'))
        s = slice_from(s, 1);
    if (slice_eq(s, SL("0")))
        return *ret_ns = 0, true;
    if (!s.n)
        return false;
    while (s.n) {
        size_t before = s.n, u = 0;
        double scale = 1, behind = 0;
        if (!digits_off(&s, &v))
            return false;
        size_t digits = before - s.n;
        if (slice_starts(s, SL("."))) {
            s = slice_from(s, 1);
            before = s.n;
            behind = fraction_off(&s, &scale);
            digits += before - s.n;
        }
        size_t name = 0;
        while (name < s.n && s.p[name] != '.' && !(s.p[name] >= '0' && s.p[name] <= '9'))
            name++;
        while (u < COUNT(units) && !slice_eq(units[u].name, slice_sub(s, 0, name)))
            u++;
        if (!digits || u == COUNT(units) || __builtin_mul_overflow(v, units[u].ns, &v) || v > most)
            return false;
        v += (uint64_t)(behind * ((double)units[u].ns / scale));
        if (v > most || (sum += v) > most)
            return false;
        s = slice_from(s, name);
    }
    if (sum == most && !minus)
        return false;
    *ret_ns = (int64_t)(minus ? 0 - sum : sum);
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
    } units[] = { { 365 * DAY_S, "y" }, { 30 * DAY_S, "mo" }, { DAY_S, "d" }, { 3600, "h" }, { 60, "m" }, { 1, "s" } };
    int64_t ns = 0;
    struct text_out t = out_new(r);
    if (v[0].t == V_INT64)
        ns = v[0].i;
    else if (v[0].t == V_STRING && !duration_read(v[0].s, &ns))
        ns = 0;
    else if (v[0].t == V_TIME)
        ns = ns_between(now(r), v[0].at);
    uint64_t u = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
    for (size_t i = 0; i < COUNT(units); i++) {
        uint64_t unit = (uint64_t)(units[i].s * NS_A_SECOND);
        if (u > unit) {
            out_fmt(&t, "%llu%s", (unsigned long long)(u / unit), units[i].name);
            return VALUE_STRING(out_slice(&t));
        }
    }
    return VALUE_STRING(SL("0s"));
}

static const struct instant year_one = { .s = INT64_C(-62135596800) };

FN(f_to_date)
{
    (void)n;
    struct instant at;
    return value_time(moment_read(r, v[0].s, v[1].s, &at) ? at : year_one);
}

FN(f_must_to_date)
{
    (void)n;
    struct instant at;
    if (!moment_read(r, v[0].s, v[1].s, &at))
        run_fail(r, "parsing time \"" SLF "\" as \"" SLF "\": cannot parse", SLA(v[1].s), SLA(v[0].s));
    return value_time(at);
}

bool time_method(struct run *r, struct instant at, slice name, const struct value *args, size_t n, struct value *ret)
{
    struct zone_clock clock = moment_clock(r, at);
    struct civil c = moment_civil(at, &clock);
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
        *ret = VALUE_STRING(slice_of(month_names[c.month - 1])), want = 9;
    else if (slice_eq(name, SL("Weekday")))
        *ret = VALUE_STRING(slice_of(weekday_names[c.weekday])), want = 9;
    else if (slice_eq(name, SL("IsZero")))
        *ret = VALUE_TRUTH(at.s == year_one.s && !at.ns), want = 9;
    else if (slice_eq(name, SL("UTC")))
        *ret = value_time((struct instant){ at.s, at.ns, INSTANT_UTC }), want = 9;
    else if (slice_eq(name, SL("Local")))
        *ret = value_time((struct instant){ at.s, at.ns, INSTANT_LOCAL }), want = 9;
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
        c.year += args[0].i;
        c.month += (int)args[1].i;
        c.day += (int)args[2].i;
        *ret = value_time(moment_of(r, &c, at.ns, at.zone));
        return true;
    }
    if (args[0].t != (name.p[0] == 'F' ? V_STRING : V_TIME))
        run_fail(r, "wrong type for value; got %s", value_type_name(args[0]));
    if (name.p[0] == 'F')
        return *ret = formatted(r, args[0].s, at, &clock), true;
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
