#include "tests/harness/test.h"
#include "wire/http_date.h"

TEST(http_dates_name_day_and_month)
{
    static const struct {
        int64_t ms;
        const char *text;
    } rows[] = {
        { INT64_C(1773567930000), "Sun, 15 Mar 2026 09:45:30 GMT" },
        { 0, "Thu, 01 Jan 1970 00:00:00 GMT" },
        { INT64_C(951782400000), "Tue, 29 Feb 2000 00:00:00 GMT" },
        { INT64_C(4102444799000), "Thu, 31 Dec 2099 23:59:59 GMT" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char got[HTTP_DATE_BYTES];
        int64_t ms = -1;
        http_date(rows[i].ms, got);
        CHECK_SLICE(slice_of(got), slice_of(rows[i].text));
        CHECK_ROW(i, http_date_parse(slice_of(got), &ms) && ms == rows[i].ms);
    }
    static const char *const wrong[] = { "", "Sun, 15 Mar 2026 09:45:30 UTC", "Sun, 15 anF 2026 09:45:30 GMT", "Sun, 99 Mar 2026 09:45:30 GMT",
                                         "Sunday, 15-Mar-26 09:45:30 GMT", "Sun, 15 Mar 20x6 09:45:30 GMT" };
    for (size_t i = 0; i < COUNT(wrong); i++) {
        int64_t ms;
        CHECK_ROW(i, !http_date_parse(slice_of(wrong[i]), &ms));
    }
}
