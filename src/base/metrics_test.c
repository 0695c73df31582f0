#include "base/metrics.h"
#include "tests/harness/test.h"

static bool page_has(slice page, const char *line)
{
    return slice_find(page, slice_of(line)) != SIZE_MAX;
}

TEST(metrics_page_is_prometheus_text)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct metrics *m = metrics_new();
    METRIC_ADD(m, METRIC_WEBHOOKS, 1, SL("line"), SL("accepted"));
    METRIC_ADD(m, METRIC_WEBHOOKS, 2, SL("line"), SL("accepted"));
    METRIC_ADD(m, METRIC_WEBHOOKS, 1, SL("a\"b\\c\nd"), SL("bad_signature"));
    METRIC_SET(m, METRIC_JOURNAL_MESSAGES, 41, SL("waiting"));
    METRIC_SET(m, METRIC_JOURNAL_MESSAGES, 12, SL("waiting"));
    METRIC_OBSERVE(m, METRIC_CALL_SECONDS, 0.0005, SL("line"), metric_status(204));
    METRIC_OBSERVE(m, METRIC_CALL_SECONDS, 0.3, SL("line"), metric_status(204));
    METRIC_OBSERVE(m, METRIC_CALL_SECONDS, 99, SL("line"), metric_status(204));
    slice page = metrics_print(m, a);

    static const char *const lines[] = {
        "# HELP dragoman_webhooks_total Webhooks by what became of them",
        "\n# TYPE dragoman_webhooks_total counter\ndragoman_webhooks_total{connector=\"a\\\"b\\\\c\\nd\",result=\"bad_signature\"} 1\n"
        "dragoman_webhooks_total{connector=\"line\",result=\"accepted\"} 3\n",
        "\ndragoman_journal_messages{state=\"waiting\"} 12\n",
        "\n# TYPE dragoman_call_seconds histogram\n",
        "\ndragoman_call_seconds_bucket{connector=\"line\",status=\"2xx\",le=\"0.0005\"} 1\n",
        "\ndragoman_call_seconds_bucket{connector=\"line\",status=\"2xx\",le=\"0.25\"} 1\n",
        "\ndragoman_call_seconds_bucket{connector=\"line\",status=\"2xx\",le=\"0.5\"} 2\n",
        "\ndragoman_call_seconds_bucket{connector=\"line\",status=\"2xx\",le=\"10\"} 2\n",
        "\ndragoman_call_seconds_bucket{connector=\"line\",status=\"2xx\",le=\"+Inf\"} 3\n",
        "\ndragoman_call_seconds_sum{connector=\"line\",status=\"2xx\"} 99.3005\n",
        "\ndragoman_call_seconds_count{connector=\"line\",status=\"2xx\"} 3\n",
        "\ndragoman_journal_lanes 0\n",
        "\nprocess_open_fds ",
        "\nprocess_resident_memory_bytes ",
        "\ndragoman_build_info{version=\"" DRAGOMAN_VERSION "\"} 1\n",
    };
    for (size_t i = 0; i < COUNT(lines); i++)
        CHECK_ROW(i, page_has(page, lines[i]));
    CHECK(!page_has(page, "dragoman_tokens")); /* nothing happened yet */
    CHECK(slice_ends(page, SL("\n")));
    CHECK(metrics_value(m, METRIC_RSS, NULL, 0) > 100000);
    CHECK(metrics_value(m, METRIC_FDS, NULL, 0) >= 3);
    metrics_free(m);
}

TEST(metrics_labels_are_bounded)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct metrics *m = metrics_new();
    struct series *first = METRIC_SERIES(m, METRIC_RETRIES, SL("first"));
    for (int i = 0; i < METRIC_SERIES_MAX + 100; i++)
        METRIC_ADD(m, METRIC_RETRIES, 1, arena_printf(a, "c%d", i));
    series_add(first, 5);
    CHECK_INT(metrics_value(m, METRIC_RETRIES, &SL("other"), 1), 101);
    CHECK_INT(metrics_value(m, METRIC_RETRIES, &SL("first"), 1), 5);
    CHECK_INT(metrics_value(m, METRIC_RETRIES, &SL("c17"), 1), 1);
    CHECK_INT(metrics_value(m, METRIC_SERIES_LOST, NULL, 0), 101);
    slice longer = arena_printf(a, "%0200d", 7);
    METRIC_ADD(m, METRIC_MEDIA_BYTES, 1, longer);
    CHECK(page_has(metrics_print(m, a), "dragoman_media_bytes_total{connector=\"0000"));
    CHECK_INT(metrics_value(m, METRIC_MEDIA_BYTES, &longer, 1), 1);
    metrics_free(m);
}

static void set_lanes(void *arg, struct metrics *m)
{
    METRIC_SET(m, METRIC_JOURNAL_LANES, ++*(int *)arg);
}

TEST(metrics_collectors_run_before_the_page)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct metrics *m = metrics_new();
    int lanes = 6;
    metrics_collect(m, set_lanes, &lanes);
    CHECK(page_has(metrics_print(m, a), "\ndragoman_journal_lanes 7\n"));
    CHECK(page_has(metrics_print(m, a), "\ndragoman_journal_lanes 8\n"));
    metrics_free(m);
}

TEST(metrics_status_is_a_class)
{
    static const struct {
        int status;
        const char *want;
    } rows[] = { { 0, "none" }, { 200, "2xx" }, { 304, "3xx" }, { 429, "4xx" }, { 599, "5xx" }, { 600, "none" }, { -1, "none" } };
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_ROW(i, slice_eq(metric_status(rows[i].status), slice_of(rows[i].want)));
}
