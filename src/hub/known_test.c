#include "hub/known.h"
#include "tests/harness/test.h"

static slice key_of(struct arena *a, const char *what, int i)
{
    return arena_printf(a, "c:acme/line:%s%d", what, i);
}

TEST(known_never_denies_a_key_that_was_added)
{
    enum { N = 20000 };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct known *k = known_new();
    CHECK(!known_may(k, key_of(a, "U", 0)));
    for (int i = 0; i < N; i++)
        known_add(k, key_of(a, "U", i));
    int denied = 0, alarms = 0;
    for (int i = 0; i < N; i++) {
        denied += !known_may(k, key_of(a, "U", i));
        alarms += known_may(k, key_of(a, "V", i));
    }
    CHECK_INT(denied, 0);
    CHECK(alarms < N / 100);
    known_free(k);
}
