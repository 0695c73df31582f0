/* The library's own promises; the language is tested by the cases of tests/template. */
#include "template/template.h"
#include "tests/harness/test.h"

static const struct template_options options = { .now_ms = INT64_C(1709164800123), .random = 7 };

static slice render(struct arena *a, const char *text, slice json)
{
    struct template_error e = { 0 };
    struct value data = VALUE_NONE;
    slice out = SL("");
    CLEANUP(template_freep) struct template *t = template_parse(slice_of(text), NULL, 0, &e);
    CHECK(t != NULL);
    CHECK(!json.n || template_json(a, json, &data));
    if (!template_render(t, a, data, &options, &out, &e))
        return arena_printf(a, "%s: %s", e.stage, e.text);
    return arena_dup(a, out);
}

TEST(template_renders_data)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    CHECK_SLICE(render(a, "Hello {{.name | upper}}{{range .l}} {{.}}{{end}}", SL("{\"name\":\"ada\",\"l\":[1,2]}")), SL("Hello ADA 1 2"));
}

TEST(template_clock_and_chance_are_parameters)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    CHECK_SLICE(render(a, "{{now | date \"2006-01-02T15:04:05.000\"}}", SL("")), SL("2024-02-29T00:00:00.123"));
    CHECK_SLICE(render(a, "{{randAlphaNum 20}}", SL("")), render(a, "{{randAlphaNum 20}}", SL("")));
    CHECK(render(a, "{{randAlphaNum 20}}", SL("")).n == 20);
}

TEST(template_clocks_are_of_a_zone)
{
    static const struct {
        const char *zone, *text, *want;
    } rows[] = {
        { "", "{{now}}", "2024-02-29 00:00:00.123 +0000 UTC" },
        { "Asia/Tokyo", "{{now}}", "2024-02-29 09:00:00.123 +0900 JST" },
        { "Asia/Tokyo", "{{date \"15:04 MST\" 0}} {{htmlDate 0}} {{dateInZone \"15:04\" 0 \"UTC\"}} {{dateInZone \"15:04\" 0 \"Local\"}}", "09:00 JST 1970-01-01 00:00 09:00" },
        { "America/New_York", "{{toDate \"2006-01-02 15:04\" \"2024-07-01 12:00\"}} {{(now).Hour}} {{(now).UTC.Hour}} {{htmlDate now}}", "2024-07-01 12:00:00 -0400 EDT 19 0 2024-02-28" },
        { "America/New_York", "{{(toDate \"2006-01-02 15:04\" \"2024-03-09 12:00\").AddDate 0 0 1}} {{toDate \"2006-01-02 15:04\" \"2024-03-10 02:30\"}}",
          "2024-03-10 12:00:00 -0400 EDT 2024-03-10 01:30:00 -0500 EST" }, /* an hour that is not there: as Go has it */
        { "America/New_York", "{{toDate \"2006-01-02 15:04 MST\" \"2024-07-01 12:00 EDT\"}} {{toDate \"2006-01-02 15:04 -0700\" \"2024-07-01 12:00 -0400\"}} {{toDate \"2006-01-02 15:04 MST\" \"2024-07-01 12:00 JST\"}}",
          "2024-07-01 12:00:00 -0400 EDT 2024-07-01 12:00:00 -0400 EDT 2024-07-01 12:00:00 +0000 JST" },
        { "+05:30", "{{date \"15:04 -07:00 MST\" 0}}", "05:30 +05:30 +0530" },
        { "No/Where", "{{date \"15:04 MST\" 0}}", "00:00 UTC" },
    };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct template_options o = options;
        struct template_error e = { 0 };
        slice out = SL("");
        o.zone = slice_of(rows[i].zone);
        CLEANUP(template_freep) struct template *t = template_parse(slice_of(rows[i].text), NULL, 0, &e);
        if (!t || !template_render(t, a, VALUE_NONE, &o, &out, &e) || !slice_eq(out, slice_of(rows[i].want)))
            test_fail(__FILE__, __LINE__, "row %zu: " SLF " %s", i, SLA(out), e.text);
    }
}

TEST(template_error_tells_the_place)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    CHECK_SLICE(render(a, "a\nb {{upper 1}}", SL("")),
                SL("exec: template: response:2:10: executing \"response\" at <1>: expected string; found 1"));
}

TEST(template_no_value_may_be_nothing)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct template_options o = { .novalue_empty = true };
    struct template_error e;
    slice out;
    CLEANUP(template_freep) struct template *t = template_parse(SL("<{{.x}}>"), NULL, 0, &e);
    CHECK(t && template_render(t, a, template_strings(a, NULL, 0), &o, &out, &e));
    CHECK_SLICE(out, SL("<>"));
}

TEST(template_cache_tells_ids_apart_and_stays_small)
{
    struct template_cache *c = template_cache_new();
    struct template_error e;
    slice name = SL("name");
    CHECK(!template_cached(c, SL("{{name}}"), NULL, 0, &e));
    const struct template *t = template_cached(c, SL("{{name}}"), &name, 1, &e);
    CHECK(t && t == template_cached(c, SL("{{name}}"), &name, 1, &e));
    CHECK(!template_cached(c, SL("{{name}}"), NULL, 0, &e));
    for (int i = 0; i < 3 * TEMPLATE_CACHED; i++) {
        char text[32];
        snprintf(text, sizeof(text), "text %d {{.x}}", i);
        CHECK(template_cached(c, slice_of(text), NULL, 0, &e) != NULL);
    }
    template_cache_free(c);
}

/* A loop that would run for hours ends within its steps or its time, whichever comes first. */
TEST(template_long_loops_end)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    int64_t begin = time_mono_ms();
    slice out = render(a, "{{range $i := until 9000}}{{range $j := until 9000}}{{if eq $i $j}}{{end}}{{end}}{{end}}", SL(""));
    CHECK(slice_find(out, SL("template limit exceeded")) != SIZE_MAX);
    CHECK(time_mono_ms() - begin < 30000);
    CHECK(arena_bytes(a) < 3 * TEMPLATE_MEMORY_BYTES);
}

TEST(template_typical_response_is_fast) /* prints what it took; no assertion on time */
{
    struct template_cache *c = template_cache_new();
    static const char text[] = "{\"genesys_prompt\":\"Hello {{name}}, your total is {{total}}\",\"genesys_quick_replies\":["
                               "{{if gt .total 10}}{\"text\":\"Pay\",\"payload\":{{OK | toJson}}},{{end}}{\"text\":{{name | upper | quote}},\"payload\":\"no\"}]}";
    struct template_pair args[] = { { SL("name"), SL("John") }, { SL("total"), SL("12") } }, defaults[] = { { SL("OK"), SL("yes") } };
    struct template_error e;
    enum { ROUNDS = 2000 };
    int64_t begin = time_mono_us();
    for (int i = 0; i < ROUNDS; i++) {
        CLEANUP(arena_freep) struct arena *a = arena_new();
        slice out;
        CHECK(template_respond(c, a, slice_of(text), args, COUNT(args), defaults, COUNT(defaults), &options, &out, &e));
        CHECK(slice_starts(out, SL("{\"genesys_prompt\":\"Hello John, your total is 12\"")));
    }
    printf("# a typical response: %.2f us\n", (double)(time_mono_us() - begin) / ROUNDS);
    template_cache_free(c);
}
