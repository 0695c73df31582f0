#include "hub/memory.h"
#include "tests/harness/test.h"

static char *key_of(unsigned n)
{
    static char key[32];
    snprintf(key, sizeof(key), "k%u", n);
    return key;
}

TEST(memory_keeps_replaces_and_removes)
{
    struct memory *m = memory_new();
    CHECK(memory_is_empty(m) && !memory_dirty(m));
    CHECK(!memory_get(m, "a", 0).p && !memory_get(NULL, "a", 0).p);
    memory_set(m, "a", SL("1"), 0);
    memory_set(m, "b", SL(""), 0);
    CHECK(memory_dirty(m) && !memory_is_empty(m));
    CHECK_SLICE(memory_get(m, "a", 0), SL("1"));
    CHECK(memory_get(m, "b", 0).p && memory_get(m, "b", 0).n == 0); /* present and empty */
    memory_clean(m);
    memory_set(m, "a", SL("1"), 0);
    CHECK(!memory_dirty(m)); /* the same again is no change */
    memory_set(m, "none", SLICE_NONE, 0);
    CHECK(!memory_dirty(m));
    memory_set(m, "a", SL("1"), 500);
    CHECK(memory_dirty(m)); /* another end is one */
    memory_clean(m);
    memory_soil(m);
    CHECK(memory_dirty(m));
    memory_set(m, "a", SLICE_NONE, 0);
    CHECK(!memory_get(m, "a", 0).p);
    memory_free(m);
    memory_free(NULL);
}

TEST(memory_forgets_when_time_has_come)
{
    struct memory *m = memory_new();
    memory_set(m, "a", SL("1"), 1000);
    CHECK(memory_get(m, "a", 999).p);
    CHECK(!memory_get(m, "a", 1000).p);
    memory_free(m);
}

TEST(memory_over_its_limits_drops_the_oldest_and_first_what_would_end)
{
    struct memory *m = memory_new();
    memory_set(m, "for-good", SL("1"), 0);
    for (unsigned i = 0; i < MEMORY_KEYS_MAX - 1; i++)
        memory_set(m, key_of(i), SL("x"), 1000 + i);
    memory_set(m, "one-more", SL("2"), 5000);
    CHECK(memory_get(m, "for-good", 0).p && memory_get(m, "one-more", 0).p);
    CHECK(!memory_get(m, "k0", 0).p && memory_get(m, "k1", 0).p);
    memory_free(m);

    m = memory_new();
    for (unsigned i = 0; i < MEMORY_KEYS_MAX + 3; i++)
        memory_set(m, key_of(i), SL("x"), 0);
    CHECK(!memory_get(m, "k2", 0).p && memory_get(m, "k3", 0).p && memory_get(m, key_of(MEMORY_KEYS_MAX + 2), 0).p);
    memory_free(m);
}

TEST(memory_written_again_is_no_longer_the_oldest)
{
    struct memory *m = memory_new();
    for (unsigned i = 0; i < MEMORY_KEYS_MAX; i++)
        memory_set(m, key_of(i), SL("x"), 9000);
    memory_set(m, "k0", SL("y"), 9000);
    memory_set(m, "one-more", SL("z"), 9000);
    CHECK_SLICE(memory_get(m, "k0", 0), SL("y"));
    CHECK(!memory_get(m, "k1", 0).p && memory_get(m, "k2", 0).p);
    memory_free(m);
}

TEST(memory_knows_which_of_several_keys_makes_way)
{
    static const char *const keys[] = { "r.0", "r.1", "r.2" };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct memory *m = memory_new();
    memory_set(m, "other", SL("x"), 0);
    for (size_t i = 0; i < COUNT(keys); i++) {
        CHECK_SLICE(slice_of(memory_oldest(m, keys, COUNT(keys), 100)), slice_of(keys[i]));
        memory_set(m, keys[i], SL("x"), 1000);
    }
    memory_set(m, "r.0", SL("y"), 1000);
    struct memory *n = memory_new(); /* the order of writing is kept over a restart */
    CHECK(memory_load(n, memory_print(a, m, 100), NULL));
    CHECK_SLICE(slice_of(memory_oldest(n, keys, COUNT(keys), 100)), SL("r.1"));
    memory_set(n, "r.2", SL("x"), 50); /* past its time: free */
    CHECK_SLICE(slice_of(memory_oldest(n, keys, COUNT(keys), 100)), SL("r.2"));
    memory_free(m);
    memory_free(n);
}

TEST(memory_values_have_a_largest_size)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct memory *m = memory_new();
    char *big = arena_alloc(a, MEMORY_VALUE_MAX + 1);
    memset(big, 'x', MEMORY_VALUE_MAX + 1);
    memory_set(m, "a", slice_mem(big, MEMORY_VALUE_MAX), 0);
    CHECK_INT(memory_get(m, "a", 0).n, MEMORY_VALUE_MAX);
    memory_set(m, "a", slice_mem(big, MEMORY_VALUE_MAX + 1), 0); /* not kept, and the old one is not true any more */
    CHECK(!memory_get(m, "a", 0).p);
    memory_free(m);
}

TEST(memory_printed_and_loaded_is_the_same)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct memory *m = memory_new(), *n = memory_new();
    memory_set(m, "a", SL("say \"hi\"\n\xe3\x81\x82"), 0);
    memory_set(m, "b", SL(""), INT64_C(1) << 50);
    memory_set(m, "over", SL("x"), 1000);
    slice json = memory_print(a, m, 2000);
    struct fault f = { 0 };
    CHECK(memory_load(n, json, &f));
    CHECK(!memory_dirty(n));
    CHECK_SLICE(memory_get(n, "a", 2000), SL("say \"hi\"\n\xe3\x81\x82"));
    CHECK(memory_get(n, "b", (INT64_C(1) << 50) - 1).p && !memory_get(n, "b", INT64_C(1) << 50).p);
    CHECK(!memory_get(n, "over", 0).p);
    static const char *const bad[] = { "", "[", "{\"a\":1}", "{\"a\":[\"x\"]}", "{\"a\":[1,2]}" };
    for (size_t i = 0; i < COUNT(bad); i++)
        CHECK_ROW(i, !memory_load(n, slice_of(bad[i]), &f));
    memory_free(m);
    memory_free(n);
}

TEST(memory_fits_into_what_there_is_room_for)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct memory *m = memory_new();
    char x[1000];
    memset(x, 1, sizeof(x)); /* each byte is six in JSON */
    for (unsigned i = 0; i < 20; i++)
        memory_set(m, key_of(i), slice_mem(x, sizeof(x)), 0);
    slice json = memory_fit(a, m, 0, 32000);
    CHECK(json.p && json.n <= 32000 && json.n > 20000);
    CHECK(memory_get(m, "k19", 0).p && !memory_get(m, "k0", 0).p);
    struct memory *n = memory_new();
    CHECK(memory_load(n, json, NULL));
    CHECK_INT(memory_get(n, "k19", 0).n, sizeof(x));
    memory_free(m);
    memory_free(n);
}
