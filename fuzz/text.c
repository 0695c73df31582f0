/* Times, numbers and Unicode of strangers. Properties: what is read and printed is read as the same; a cut is a prefix, is whole where the text was,
 * and keeps its bound; ids and hosts of any bytes get an answer. */
#include "fuzz/fuzz.h"
#include "net/guard.h"
#include "wire/uuid.h"

static void times(struct arena *a, slice text)
{
    int64_t ms, again;
    if (!time_parse_rfc3339(text, &ms) || ms < 0 || ms > TIME_MAX_MS)
        return;
    assert(time_parse_rfc3339(time_rfc3339(a, ms), &again) && again == ms);
}

static void numbers(struct arena *a, slice text)
{
    int64_t n, again;
    if (slice_int(text, &n))
        assert(slice_int(arena_printf(a, "%lld", (long long)n), &again) && again == n);
    double d;
    if (slice_double(text, &d))
        assert(d == d && d - d == 0); /* a number, and finite */
}

static void cut(slice text, slice part, size_t length, size_t bound)
{
    assert(part.p == text.p && part.n <= text.n && length <= bound);
    assert(!utf8_valid(text) || utf8_valid(part));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice text = slice_mem(data, size);
    times(a, text);
    numbers(a, text);
    for (size_t bound = 0; bound < 20; bound += 3) {
        slice part = utf8_cut(text, bound);
        cut(text, part, utf8_len(part), bound);
        part = utf8_cut_utf16(text, bound);
        cut(text, part, utf16_len(part), bound);
        part = utf8_cut_bytes(text, bound);
        cut(text, part, part.n, bound);
    }
    slice repaired = utf8_repair(a, text);
    assert(utf8_valid(repaired) && (!utf8_valid(text) || slice_eq(repaired, text)));
    assert(!uuid_valid(text) || text.n == UUID_TEXT - 1);
    (void)!guard_host_ok(text);
    return 0;
}
