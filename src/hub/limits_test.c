#include "hub/hub.h"
#include "tests/harness/test.h"

/* ---- buckets: the clock is a parameter ------------------------------------------------------------------------------- */

TEST(bucket_never_lets_more_than_its_calls_through_in_any_window)
{
    static const struct {
        unsigned calls;
        int64_t per_ms;
    } rows[] = { { 1, 1000 }, { 5, 1000 }, { 20, 1000 }, { 300, 60000 }, { 2000, 1000 } };
    enum { TAKEN_MAX = 20000 };
    static int64_t taken_us[TAKEN_MAX];
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bucket b;
        bucket_init(&b, rows[i].calls, rows[i].per_ms);
        size_t n = 0, oldest = 0;
        int64_t per_us = rows[i].per_ms * 1000, now_us = 1000;
        for (int64_t end_us = now_us + 4 * per_us; now_us < end_us && n < TAKEN_MAX;) {
            int64_t wait_ms = bucket_take(&b, now_us);
            CHECK_ROW(i, wait_ms >= 0 && wait_ms <= rows[i].per_ms * 2 + 1);
            now_us += wait_ms * 1000;
            if (wait_ms)
                continue;
            taken_us[n++] = now_us;
            while (taken_us[n - 1] - taken_us[oldest] >= per_us)
                oldest++;
            CHECK_ROW(i, n - oldest <= rows[i].calls);
            if (n % (rows[i].calls / 2 + 7) == 0)
                now_us += per_us / 50; /* idle now and then: what is saved up must not add to what is allowed */
        }
        CHECK_ROW(i, n >= 2 * (size_t)(rows[i].calls > 1 ? rows[i].calls / 2 : 1)); /* and it lets through what it may */
    }
}

TEST(bucket_waits_as_long_as_it_says)
{
    struct bucket b;
    bucket_init(&b, 10, 1000);
    int64_t now_us = 5000000, wait_ms;
    while ((wait_ms = bucket_take(&b, now_us)) == 0)
        ;
    CHECK(wait_ms > 0);
    CHECK(bucket_take(&b, now_us + wait_ms * 1000 / 2) > 0);
    CHECK_INT(bucket_take(&b, now_us + wait_ms * 1000), 0);
}

TEST(bucket_without_a_limit_lets_all_through)
{
    struct bucket b = { 0 };
    for (int i = 0; i < 1000; i++)
        CHECK_INT(bucket_take(&b, 1), 0);
}

/* ---- back-off and breaker ---------------------------------------------------------------------------------------------- */

TEST(backoff_doubles_within_bounds)
{
    static const int64_t full[] = { 500, 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000, 60000 };
    static const uint32_t random[] = { 0, 1, 499, 500, 65537, UINT32_MAX };
    for (unsigned attempt = 0; attempt < COUNT(full); attempt++)
        for (size_t k = 0; k < COUNT(random); k++) {
            int64_t ms = backoff_ms(attempt, random[k]);
            CHECK_ROW(attempt, ms >= full[attempt] / 2 && ms <= full[attempt]);
        }
    CHECK(backoff_ms(UINT32_MAX, UINT32_MAX) <= 60000);
}

TEST(breaker_opens_after_failures_in_a_row)
{
    static const struct {
        bool hard;
        unsigned least;
    } rows[] = { { true, 3 }, { false, 8 } };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct breaker b = { 0 };
        int64_t wait_ms;
        for (unsigned n = 1; n < rows[i].least; n++)
            CHECK_ROW(i, breaker_failure(&b, rows[i].hard, 1000, 0) == 0);
        CHECK_ROW(i, breaker_lets(&b, 1000, &wait_ms) && wait_ms == 0);
        int64_t closed_ms = breaker_failure(&b, rows[i].hard, 1000, 7);
        CHECK_ROW(i, closed_ms > 0 && closed_ms <= 15000);
        CHECK_ROW(i, !breaker_lets(&b, 1000, &wait_ms) && wait_ms == closed_ms);
    }
}

TEST(breaker_lets_one_probe_through_and_closes_when_it_works)
{
    struct breaker b = { 0 };
    int64_t wait_ms, until_ms = 0;
    for (int i = 0; i < 3; i++)
        until_ms = breaker_failure(&b, true, 1000, 0);
    CHECK(until_ms > 0);
    CHECK(breaker_lets(&b, 1000 + until_ms, &wait_ms));
    CHECK(!breaker_lets(&b, 1000 + until_ms, &wait_ms) && wait_ms == 0); /* a second one waits for the first */
    CHECK(breaker_failure(&b, true, 1000 + until_ms, 0) > 0);
    CHECK(!breaker_lets(&b, 1000 + until_ms, &wait_ms) && wait_ms > 0);
    CHECK(breaker_lets(&b, 1000 + until_ms + wait_ms, &wait_ms));
    breaker_success(&b);
    CHECK(breaker_lets(&b, 1000, &wait_ms) && breaker_lets(&b, 1000, &wait_ms));
    CHECK_INT(breaker_failure(&b, true, 1000, 0), 0); /* counted from the start again */
}

TEST(breaker_waits_stay_bounded_however_long_it_fails)
{
    struct breaker b = { 0 };
    int64_t now_ms = 1000;
    for (int i = 0; i < 1000; i++) {
        int64_t wait_ms = breaker_failure(&b, true, now_ms, UINT32_MAX);
        CHECK(wait_ms <= 15000);
        now_ms += wait_ms + 1;
    }
}
