#include "desks/builtin/hours.h"

enum { DAY_MINUTES = 24 * 60, MONDAY_FIRST = 3 /* the first of January 1970 was a Thursday */ };

static bool day_of(slice word, int *ret)
{
    static const char *const names[] = { "Mo", "Tu", "We", "Th", "Fr", "Sa", "Su" };
    for (size_t i = 0; i < COUNT(names); i++) {
        if (slice_eq_nocase(word, slice_of(names[i]))) {
            *ret = (int)i;
            return true;
        }
    }
    return false;
}

static bool minutes_of(slice word, int *ret)
{
    slice rest = word, hours = slice_trim(slice_cut(&rest, ':'));
    int64_t h, m;
    if (hours.n == 0 || hours.n > 2 || rest.n != 2 || !slice_int(hours, &h) || !slice_int(rest, &m) || h < 0 || h > 24 || m < 0 || m > 59 || (h == 24 && m))
        return false;
    *ret = (int)(h * 60 + m);
    return true;
}

static bool add(struct hours *h, int day, int from, int to)
{
    if (h->n == HOURS_SPANS)
        return false;
    h->spans[h->n++] = (struct hours_span){ day * DAY_MINUTES + from, day * DAY_MINUTES + to + (to <= from ? DAY_MINUTES : 0) };
    return true;
}

/* "Mo-Fr", "Sa", "Mo,We-Fr" */
static bool add_days(struct hours *h, slice days, int from, int to)
{
    while (days.p) {
        slice last = slice_trim(slice_cut(&days, ',')), first = slice_trim(slice_cut(&last, '-'));
        int a, b;
        if (!day_of(first, &a))
            return false;
        b = a;
        if (last.p && !day_of(slice_trim(last), &b))
            return false;
        for (int day = a;; day = (day + 1) % 7) {
            if (!add(h, day, from, to))
                return false;
            if (day == b)
                break;
        }
    }
    return true;
}

bool hours_read(slice text, struct hours *ret, struct fault *f)
{
    *ret = (struct hours){ .n = 0 };
    if (!slice_trim(text).n)
        return true;
    for (slice rest = text; rest.p;) {
        slice line = slice_trim(slice_cut(&rest, ';'));
        size_t blank = slice_find_last(line, ' ');
        if (!line.n)
            continue;
        slice span = blank == SIZE_MAX ? SLICE_NONE : slice_from(line, blank + 1), days = slice_trim(slice_sub(line, 0, MIN(blank, line.n)));
        int from, to;
        slice begin = slice_cut(&span, '-');
        if (!days.n || !minutes_of(begin, &from) || !span.p || !minutes_of(span, &to) || !add_days(ret, days, from, to))
            return fault(f, "refused", "business_hours", "\"" SLF "\" is not like \"Mo-Fr 09:00-18:00;Sa 10:00-14:00\"", SLA(utf8_cut_bytes(line, 60)));
    }
    return true;
}

bool hours_open(const struct hours *h, int64_t local_ms)
{
    int64_t minutes = (local_ms >= 0 ? local_ms : local_ms - 59999) / 60000 + MONDAY_FIRST * DAY_MINUTES;
    int now = (int)((minutes % HOURS_WEEK_MINUTES + HOURS_WEEK_MINUTES) % HOURS_WEEK_MINUTES);
    for (size_t i = 0; i < h->n; i++) {
        const struct hours_span *s = &h->spans[i];
        if ((now >= s->from && now < s->to) || (now + HOURS_WEEK_MINUTES >= s->from && now + HOURS_WEEK_MINUTES < s->to))
            return true;
    }
    return h->n == 0;
}
