#include "base/pages.h"
#include "tests/harness/test.h"

TEST(slice_int_reads_whole_numbers_only)
{
    static const struct { slice in; bool ok; int64_t v; } rows[] = {
        { SLI("0"), true, 0 }, { SLI("-1"), true, -1 }, { SLI("9223372036854775807"), true, INT64_MAX },
        { SLI("-9223372036854775808"), true, INT64_MIN }, { SLI("9223372036854775808"), false, 0 },
        { SLI(""), false, 0 }, { SLI("-"), false, 0 }, { SLI("+1"), false, 0 }, { SLI("1 "), false, 0 },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t v = 0;
        CHECK_ROW(i, slice_int(rows[i].in, &v) == rows[i].ok);
        CHECK_ROW(i, v == rows[i].v);
    }
}

TEST(random_hex_writes_two_letters_a_byte_and_an_end)
{
    char one[2 * 40 + 2], two[sizeof(one)];
    memset(one, '#', sizeof(one)), memset(two, '#', sizeof(two));
    random_hex(one, 40), random_hex(two, 40);
    CHECK_INT(strspn(one, "0123456789abcdef"), 80);
    CHECK(one[80] == 0 && one[81] == '#' && strcmp(one, two) != 0);
    random_hex(one, 0);
    CHECK(one[0] == 0);
}

TEST(slice_cut_tells_empty_from_absent)
{
    slice rest = SL("a,,b");
    CHECK_SLICE(slice_cut(&rest, ','), SL("a"));
    CHECK_SLICE(slice_cut(&rest, ','), SL(""));
    CHECK_SLICE(slice_cut(&rest, ','), SL("b"));
    CHECK(!rest.p);
}

TEST(times_are_read_and_written)
{
    static const struct { slice in; int64_t ms; } rows[] = {
        { SLI("1970-01-01T00:00:00Z"), 0 }, { SLI("2026-03-04T05:06:07.890Z"), 1772600767890 },
        { SLI("2026-03-04T14:06:07.890+09:00"), 1772600767890 }, { SLI("2000-02-29t00:00:00z"), 951782400000 },
        { SLI("9999-12-31T23:59:59.999Z"), TIME_MAX_MS },
    };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t ms = -1;
        CHECK_ROW(i, time_parse_rfc3339(rows[i].in, &ms) && ms == rows[i].ms);
    }
    CHECK_SLICE(time_rfc3339(a, 1772600767890), SL("2026-03-04T05:06:07.890Z"));
    CHECK_SLICE(time_rfc3339(a, 951782400000), SL("2000-02-29T00:00:00.000Z"));
    static const slice bad[] = { SLI(""), SLI("2026-13-01T00:00:00Z"), SLI("2026-01-01T00:00:00"), SLI("1969-12-31T23:59:59Z"),
                                 SLI("2026-01-01T00:00:00Zx") };
    for (size_t i = 0; i < COUNT(bad); i++) {
        int64_t ms;
        CHECK_ROW(i, !time_parse_rfc3339(bad[i], &ms));
    }
}

TEST(utf8_is_never_split)
{
    CHECK(utf8_valid(SL("a\xc3\xa9\xe3\x81\x82\xf0\x9f\x98\x80")));
    static const slice bad[] = { SLI("\xc0\x80"), SLI("\xed\xa0\x80"), SLI("\xf4\x90\x80\x80"), SLI("\x80"), SLI("\xe3\x81") };
    for (size_t i = 0; i < COUNT(bad); i++)
        CHECK_ROW(i, !utf8_valid(bad[i]));
    CHECK_SLICE(utf8_cut(SL("\xc3\xa9" "ab"), 2), SL("\xc3\xa9" "a"));
    CHECK_INT(utf16_len(SL("\xf0\x9f\x98\x80" "a")), 3);
    CHECK_SLICE(utf8_cut_utf16(SL("a\xf0\x9f\x98\x80"), 2), SL("a"));
    CHECK_SLICE(utf8_cut_bytes(SL("a\xe3\x81\x82"), 3), SL("a"));
    CLEANUP(arena_freep) struct arena *a = arena_new();
    CHECK_SLICE(utf8_repair(a, SL("a\xff" "b")), SL("a\xef\xbf\xbd" "b"));
}

TEST(arenas_grow_and_texts_are_bounded)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct text t = text_new(a, 10000);
    for (int i = 0; i < 1000; i++)
        text_add(&t, "%d,", i % 10);
    CHECK_INT(t.n, 2000);
    CHECK(!t.over);
    struct text small = text_new(a, 4);
    text_put(&small, SL("abc"));
    text_put(&small, SL("de"));
    CHECK(small.over);
    CHECK_SLICE(text_slice(&small), SL("abc"));
    slice s = arena_printf(a, "%08000d", 7);
    CHECK_INT(s.n, 8000);
    char *big = arena_alloc(a, 1 << 20);
    memset(big, 1, 1 << 20);
}

TEST(arena_join_keeps_every_byte)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice s = arena_join(a, SL("a\0b"), SL("/"), SLICE_NONE);
    CHECK_INT(s.n, 4);
    CHECK(memcmp(s.p, "a\0b/", 5) == 0);
    CHECK(arena_join(a, SLICE_NONE, SLICE_NONE, SLICE_NONE).p[0] == 0);
}

static size_t resident_kib(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f || fscanf(f, "%*d %ld", &pages) != 1)
        pages = 0;
    if (f)
        fclose(f);
    return (size_t)pages * 4;
}

TEST(pages_given_back_come_again_when_used)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice before = arena_printf(a, "%d %s %.3f", 42, "text", 1.5);
    size_t had = resident_kib();
    pages_give_back();
    CHECK(had == 0 || resident_kib() < had);
    CHECK_SLICE(arena_printf(a, "%d %s %.3f", 42, "text", 1.5), before);
    CHECK_SLICE(before, SL("42 text 1.500"));
}
