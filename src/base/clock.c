#include "base/clock.h"

static int64_t clock_us(clockid_t id)
{
    struct timespec ts;
    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t time_now_ms(void)
{
    return clock_us(CLOCK_REALTIME) / 1000;
}

int64_t time_mono_ms(void)
{
    return clock_us(CLOCK_MONOTONIC) / 1000;
}

int64_t time_mono_us(void)
{
    return clock_us(CLOCK_MONOTONIC);
}

/* Days since 1970-01-01 and back, proleptic Gregorian (Howard Hinnant's civil calendar arithmetic). */
static int64_t days_of(int64_t y, int m, int d)
{
    y -= m <= 2;
    int64_t era = y / 400;
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + doe - 719468;
}

void time_rfc3339_buf(int64_t ms, char buf[TIME_RFC3339_BYTES])
{
    ms = ms < 0 ? 0 : MIN(ms, TIME_MAX_MS);
    int64_t days = ms / 86400000, rest = ms % 86400000;
    int64_t z = days + 719468, era = z / 146097, doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    int d = (int)(doy - (153 * mp + 2) / 5 + 1), m = (int)(mp < 10 ? mp + 3 : mp - 9);
    int y = (int)(yoe + era * 400 + (m <= 2));
    int64_t s = rest / 1000;
    int part[] = { y / 100, y % 100, m, d, (int)(s / 3600), (int)(s / 60 % 60), (int)(s % 60) };
    static const unsigned char at[] = { 0, 2, 5, 8, 11, 14, 17 };
    memcpy(buf, "0000-00-00T00:00:00.000Z", TIME_RFC3339_BYTES);
    for (size_t i = 0; i < COUNT(at); i++) {
        buf[at[i]] = (char)('0' + part[i] / 10);
        buf[at[i] + 1] = (char)('0' + part[i] % 10);
    }
    int frac = (int)(rest % 1000);
    buf[20] = (char)('0' + frac / 100);
    buf[21] = (char)('0' + frac / 10 % 10);
    buf[22] = (char)('0' + frac % 10);
}

slice time_rfc3339(struct arena *a, int64_t ms)
{
    char *p = arena_alloc(a, TIME_RFC3339_BYTES);
    time_rfc3339_buf(ms, p);
    return (slice){ p, TIME_RFC3339_BYTES - 1 };
}

static bool number(slice *s, size_t digits, char after, int *ret)
{
    int64_t v;
    if (s->n < digits + (after != 0) || s->p[0] == '-' || !slice_int(slice_sub(*s, 0, digits), &v))
        return false;
    *ret = (int)v;
    *s = slice_from(*s, digits);
    if (after && (s->p[0] | 32) != (after | 32))
        return false;
    *s = slice_from(*s, after != 0);
    return true;
}

bool time_parse_rfc3339(slice s, int64_t *ret_ms)
{
    int y, mo, d, h, mi, sec, oh = 0, om = 0;
    if (!number(&s, 4, '-', &y) || !number(&s, 2, '-', &mo) || !number(&s, 2, 'T', &d) ||
        !number(&s, 2, ':', &h) || !number(&s, 2, ':', &mi) || !number(&s, 2, 0, &sec))
        return false;
    if (y < 1970 || mo < 1 || mo > 12 || d < 1 || d > 31 || h > 23 || mi > 59 || sec > 60)
        return false;
    int64_t frac = 0, unit = 100;
    if (s.n && s.p[0] == '.') {
        for (s = slice_from(s, 1); s.n && s.p[0] >= '0' && s.p[0] <= '9'; s = slice_from(s, 1)) {
            frac += (s.p[0] - '0') * unit;
            unit /= 10;
        }
    }
    int sign = 0;
    if (s.n == 1 && (s.p[0] | 32) == 'z') {
        s = slice_from(s, 1);
    } else if (s.n && (s.p[0] == '+' || s.p[0] == '-')) {
        sign = s.p[0] == '+' ? -1 : 1;
        s = slice_from(s, 1);
        if (!number(&s, 2, 0, &oh))
            return false;
        s = s.n && s.p[0] == ':' ? slice_from(s, 1) : s;
        if (!number(&s, 2, 0, &om))
            return false;
    } else {
        return false;
    }
    int64_t ms = ((days_of(y, mo, d) * 24 + h) * 60 + mi + sign * (oh * 60 + om)) * 60000 + sec * 1000 + frac;
    if (s.n || ms < 0 || ms > TIME_MAX_MS)
        return false;
    *ret_ms = ms;
    return true;
}
