#include "wire/http_date.h"

static const char days[] = "ThuFriSatSunMonTueWed", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec"; /* 1970-01-01 was a Thursday */

void http_date(int64_t ms, char ret[HTTP_DATE_BYTES])
{
    char at[TIME_RFC3339_BYTES]; /* 2026-03-15T09:45:30.000Z */
    time_rfc3339_buf(ms, at);
    int64_t day = MAX(ms, INT64_C(0)) / 86400000 % 7;
    int month = (at[5] - '0') * 10 + at[6] - '1';
    snprintf(ret, HTTP_DATE_BYTES, "%.3s, %.2s %.3s %.4s %.8s GMT", days + day * 3, at + 8, months + month * 3, at, at + 11);
}

bool http_date_parse(slice s, int64_t *ret_ms)
{
    s = slice_trim(s);
    if (s.n != HTTP_DATE_BYTES - 1 || slice_find(s, SL(", ")) != 3 || !slice_ends(s, SL(" GMT")))
        return false;
    size_t month = slice_find(slice_of(months), slice_sub(s, 8, 3));
    char at[TIME_RFC3339_BYTES];
    if (month == SIZE_MAX || month % 3)
        return false;
    month = month / 3 + 1;
    snprintf(at, sizeof(at), "%.4s-%c%c-%.2sT%.8sZ", s.p + 12, (char)('0' + month / 10), (char)('0' + month % 10), s.p + 5, s.p + 17);
    return time_parse_rfc3339(slice_of(at), ret_ms);
}
