#include "hub/when.h"
#include "base/zone.h"

enum { WORDS_MAX = 8 };
static const int64_t MINUTE_MS = 60000, DAY_MS = 86400000;

struct words {
    slice w[WORDS_MAX];
    size_t n, at;
};

static bool split(slice text, struct words *ret)
{
    *ret = (struct words){ 0 };
    while (text.n) {
        slice w = slice_cut(&text, ' ');
        w = slice_trim(w);
        while (slice_ends(w, SL(",")) || slice_ends(w, SL(".")))
            w.n--;
        if (!w.n || slice_eq_nocase(w, SL("at")) || slice_eq_nocase(w, SL("on")) || slice_eq_nocase(w, SL("the")) || slice_eq_nocase(w, SL("next")))
            continue;
        if (ret->n == WORDS_MAX)
            return false;
        ret->w[ret->n++] = w;
    }
    return ret->n > 0;
}

static slice word(const struct words *ws, size_t ahead)
{
    return ws->at + ahead < ws->n ? ws->w[ws->at + ahead] : SLICE_NONE;
}

static bool is(slice w, const char *what)
{
    return slice_eq_nocase(w, slice_of(what));
}

/* "2h", "90 minutes", "an hour": behind "in" or without it. */
static bool span(struct words *ws, int64_t *ret_ms)
{
    static const struct { const char *names[5]; int64_t ms; } units[] = {
        { { "m", "min", "mins", "minute", "minutes" }, 60000 },
        { { "h", "hr", "hrs", "hour", "hours" }, 3600000 },
        { { "d", "day", "days", NULL, NULL }, 86400000 },
        { { "w", "week", "weeks", NULL, NULL }, 604800000 },
    };
    slice amount = word(ws, 0), unit = word(ws, 1);
    size_t digits = 0, used = 2;
    int64_t n = 1;
    while (digits < amount.n && amount.p[digits] >= '0' && amount.p[digits] <= '9')
        digits++;
    if (digits && digits < amount.n) { /* "2h" */
        unit = slice_from(amount, digits);
        used = 1;
    }
    if (digits ? !slice_int(slice_sub(amount, 0, digits), &n) || n < 1 || n > 100000 : !is(amount, "a") && !is(amount, "an") && !is(amount, "one"))
        return false;
    for (size_t i = 0; i < COUNT(units); i++)
        for (size_t k = 0; k < COUNT(units[i].names) && units[i].names[k]; k++)
            if (is(unit, units[i].names[k])) {
                ws->at += used;
                *ret_ms = n * units[i].ms;
                return true;
            }
    return false;
}

/* "10", "10:30", "10am", "10:30 pm": minutes of the day. */
static bool hour(struct words *ws, int64_t *ret_minutes)
{
    slice w = word(ws, 0), half = SLICE_NONE;
    size_t used = 1;
    int64_t h, m = 0;
    if (w.n > 2 && (is(slice_from(w, w.n - 2), "am") || is(slice_from(w, w.n - 2), "pm"))) {
        half = slice_from(w, w.n - 2);
        w = slice_sub(w, 0, w.n - 2);
    } else if (is(word(ws, 1), "am") || is(word(ws, 1), "pm")) {
        half = word(ws, 1);
        used = 2;
    } else if (is(word(ws, 1), "o'clock")) {
        used = 2;
    }
    slice hours = slice_cut(&w, ':'), minutes = slice_cut(&w, ':');
    if (!slice_int(hours, &h) || (minutes.p && (minutes.n != 2 || !slice_int(minutes, &m))) || h < 0 || h > 24 || m < 0 || m > 59)
        return false;
    if (half.p && (h < 1 || h > 12))
        return false;
    if (half.p)
        h = h % 12 + (is(half, "pm") ? 12 : 0);
    ws->at += used;
    *ret_minutes = h * 60 + m;
    return true;
}

/* From what the clock there shows to UTC. */
static int64_t utc_of(slice zone, int64_t local_ms)
{
    int64_t at = local_ms - zone_offset_ms(zone, local_ms);
    return local_ms - zone_offset_ms(zone, at);
}

static bool date(struct words *ws, slice zone, int64_t *ret_ms)
{
    char text[40];
    slice w = word(ws, 0);
    bool iso = w.n >= 10 && w.p[4] == '-' && w.p[7] == '-';
    int64_t minutes = WHEN_MORNING * 60, day;
    if (!iso)
        return false;
    if (w.n > 10 && time_parse_rfc3339(w, ret_ms)) {
        ws->at++;
        return true;
    }
    snprintf(text, sizeof(text), "%.10sT00:00:00Z", w.p);
    if (!time_parse_rfc3339(slice_of(text), &day))
        return false;
    if (w.n > 11 && (w.p[10] == 'T' || w.p[10] == 't')) {
        ws->w[ws->at] = slice_sub(slice_from(w, 11), 0, 5);
        if (!hour(ws, &minutes))
            return false;
    } else {
        ws->at++;
        if (word(ws, 0).n && !hour(ws, &minutes))
            return false;
    }
    *ret_ms = utc_of(zone, day + minutes * MINUTE_MS);
    return true;
}

/* "today", "tomorrow", a weekday: days from today. */
static bool day_word(struct words *ws, int64_t today, int64_t *ret_days)
{
    static const char *const days[] = { "thursday", "friday", "saturday", "sunday", "monday", "tuesday", "wednesday" }; /* 1970 began on a Thursday */
    slice w = word(ws, 0);
    int64_t n = is(w, "today") ? 0 : is(w, "tomorrow") ? 1 : -1;
    for (size_t i = 0; n < 0 && i < COUNT(days); i++)
        if (is(w, days[i]) || (w.n == 3 && slice_eq_nocase(w, slice_sub(slice_of(days[i]), 0, 3)))) {
            n = ((int64_t)i - today % 7 + 7) % 7;
            n = n ? n : 7;
        }
    if (n < 0)
        return false;
    ws->at++;
    *ret_days = n;
    return true;
}

bool when_read(slice text, slice zone, int64_t now_ms, int64_t *ret_ms)
{
    struct words ws;
    int64_t local = now_ms + zone_offset_ms(zone, now_ms), today = local / DAY_MS, days = 0, minutes = WHEN_MORNING * 60, ms;
    if (!split(text, &ws))
        return false;
    bool in = is(word(&ws, 0), "in");
    ws.at += in;
    if (span(&ws, &ms)) {
        *ret_ms = now_ms + ms;
        return ws.at == ws.n;
    }
    if (in)
        return false;
    if (date(&ws, zone, ret_ms))
        return ws.at == ws.n;
    bool day = day_word(&ws, today, &days), clock = ws.at < ws.n && hour(&ws, &minutes);
    if (!day && clock) /* or the day stands behind it */
        day = day_word(&ws, today, &days);
    if (ws.at != ws.n || (!day && !clock))
        return false;
    if (!day && today * DAY_MS + minutes * MINUTE_MS <= local)
        days = 1;
    *ret_ms = utc_of(zone, (today + days) * DAY_MS + minutes * MINUTE_MS);
    return true;
}

slice when_print(struct arena *a, slice zone, int64_t at_ms)
{
    slice t = time_rfc3339(a, at_ms + zone_offset_ms(zone, at_ms));
    return arena_printf(a, "%.10s %.5s (" SLF ")", t.p, t.p + 11, SLA(slice_or(zone, SL("UTC"))));
}
