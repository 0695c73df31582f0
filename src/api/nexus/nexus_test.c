#include "api/nexus/apikeys.h"
#include "api/nexus/rates.h"
#include "tests/harness/test.h"

TEST(apikey_permissions_are_compared_word_by_word)
{
    static const struct { const char *pattern, *permission; bool fits; } rows[] = {
        { "nexus:consumer:chat", "nexus:consumer:chat", true },
        { "nexus:consumer:*", "nexus:consumer:chat", true },
        { "nexus:*", "nexus:consumer:chat", true },
        { "*", "nexus:consumer:chat", true },
        { "nexus:*:chat", "nexus:consumer:chat", true },
        { "nexus:cluster:*", "nexus:consumer:chat", false },
        { "nexus:designer:chat", "nexus:consumer:chat", false },
        { "nexus:consumer", "nexus:consumer:chat", false },
        { "nexus:consumer:chat:more", "nexus:consumer:chat", false },
        { "nexus:consumer:cha", "nexus:consumer:chat", false },
        { "nexus:con*", "nexus:consumer:chat", false },
        { "", "nexus:consumer:chat", false },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct api_key k = { .permissions = { slice_of(rows[i].pattern) }, .n_permissions = 1 };
        CHECK_ROW(i, apikey_may(&k, slice_of(rows[i].permission)) == rows[i].fits);
    }
}

TEST(apikey_is_good_until_it_ends)
{
    struct api_key k = { .enabled = true };
    CHECK(apikey_good(&k, 1000));
    k.expires_ms = 1000;
    CHECK(apikey_good(&k, 999) && !apikey_good(&k, 1000));
    k.expires_ms = 0;
    k.revoked = true;
    CHECK(!apikey_good(&k, 1));
    k = (struct api_key){ 0 };
    CHECK(!apikey_good(&k, 1));
}

TEST(rates_are_counted_for_each_client)
{
    struct rates *r = rates_new();
    for (int i = 0; i < 120; i++)
        CHECK_INT(rates_take(r, SL("key"), SL("ana"), 120, 60, 5000), 0);
    int64_t wait_ms = rates_take(r, SL("key"), SL("ana"), 120, 60, 5000);
    CHECK(wait_ms > 0 && wait_ms <= 501);
    CHECK_INT(rates_take(r, SL("key"), SL("bo"), 120, 60, 5000), 0);
    CHECK_INT(rates_take(r, SL("other"), SL("ana"), 120, 60, 5000), 0);
    CHECK_INT(rates_take(r, SL("key"), SL("ana"), 120, 60, 5000 + wait_ms), 0);
    int taken = 0;
    for (int ms = 0; ms < 60000; ms += 100) /* whatever it asks, no more than its rate */
        taken += rates_take(r, SL("key"), SL("ana"), 120, 60, 10000 + ms) == 0;
    CHECK(taken >= 118 && taken <= 132);
    for (int i = 0; i < 100000; i++) { /* others come in numbers: the table keeps its size */
        char name[16];
        snprintf(name, sizeof(name), "c%d", i);
        CHECK_INT(rates_take(r, SL("key"), slice_of(name), 2, 60, 80000 + i), 0);
    }
    rates_free(r);
}
