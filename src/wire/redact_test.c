#include "wire/redact.h"
#include "tests/harness/test.h"

TEST(redact_keeps_equal_values_equal)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    CHECK_SLICE(redact(a, SL("Hello World")), SL("REDACTED-a591a6d40b"));
    CHECK(redact(a, SL("")).p && redact(a, SL("")).n == 0);
    CHECK(!redact(a, SLICE_NONE).p);
}
