#include "sim/faults.h"
#include "sim/shelf.h"
#include "sim/sign.h"
#include "tests/harness/test.h"

static void set(struct faults *fs, const char *json)
{
    struct fault f = { 0 };
    if (!faults_set(fs, slice_of(json), &f))
        test_fail(__FILE__, __LINE__, "%s: %s %s", json, f.field, f.text);
}

static enum fault_act act(struct faults *fs, const char *path)
{
    return faults_plan(fs, SL("POST"), slice_of(path)).act;
}

TEST(faults_skip_then_act_so_many_times)
{
    struct faults *fs = faults_new();
    set(fs, "{\"status\":429,\"retry_after_s\":2,\"skip\":1,\"times\":2,\"paths\":[\"/a\",\"/b/*\"]}");
    CHECK_INT(act(fs, "/a"), FAULT_NONE);
    CHECK_INT(act(fs, "/c"), FAULT_NONE);
    struct fault_plan p = faults_plan(fs, SL("GET"), SL("/b/x"));
    CHECK_INT(p.act, FAULT_STATUS);
    CHECK_INT(p.status, 429);
    CHECK_INT(p.retry_after_s, 2);
    CHECK_INT(act(fs, "/a"), FAULT_STATUS);
    CHECK_INT(act(fs, "/a"), FAULT_NONE);
    set(fs, "");
    CHECK_INT(act(fs, "/a"), FAULT_NONE);
    faults_free(fs);
}

TEST(faults_shares_are_kept_and_repeat_with_the_seed)
{
    struct faults *fs = faults_new();
    enum { CALLS = 4000 };
    bool first[CALLS];
    int hits = 0;
    set(fs, "{\"seed\":7,\"rules\":[{\"reset_after_share\":0.25}]}");
    for (int i = 0; i < CALLS; i++)
        hits += first[i] = act(fs, "/") == FAULT_RESET_AFTER;
    CHECK(hits > CALLS / 5 && hits < CALLS * 3 / 10);
    set(fs, "{\"seed\":7,\"rules\":[{\"reset_after_share\":0.25}]}");
    for (int i = 0; i < CALLS; i++)
        CHECK_ROW(i, first[i] == (act(fs, "/") == FAULT_RESET_AFTER));
    faults_free(fs);
}

TEST(faults_of_calls_and_of_webhooks_do_not_use_up_each_other)
{
    struct faults *fs = faults_new();
    set(fs, "{\"duplicate_share\":1,\"times\":1}");
    CHECK_INT(act(fs, "/hook"), FAULT_NONE);
    CHECK(faults_plan_hook(fs, SL("/hook")).duplicate);
    CHECK(!faults_plan_hook(fs, SL("/hook")).duplicate);
    set(fs, "{\"rules\":[{\"slow_ms\":20},{\"slow_ms\":30},{\"down\":true}]}");
    CHECK_INT(faults_plan(fs, SL("GET"), SL("/")).slow_ms, 50);
    CHECK_INT(act(fs, "/"), FAULT_DOWN);
    faults_free(fs);
}

TEST(faults_refuse_what_they_do_not_know_and_keep_the_old_rules)
{
    static const char *const bad[] = {
        "[]", "{\"statuss\":1}", "{\"status\":99}", "{\"status\":600}", "{\"share\":1.5}", "{\"slow_ms\":-1}", "{\"rules\":{}}", "{\"rules\":[7]}", "{",
        "{\"seed\":\"x\"}",
    };
    struct faults *fs = faults_new();
    set(fs, "{\"down\":true}");
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct fault f = { 0 };
        CHECK_ROW(i, !faults_set(fs, slice_of(bad[i]), &f));
        CHECK_ROW(i, f.code && f.text[0]);
    }
    CHECK_INT(act(fs, "/"), FAULT_DOWN);
    faults_free(fs);
}

TEST(shelf_throws_the_oldest_away)
{
    struct shelf *s = shelf_new(3, 100, NULL);
    static int things[200];
    shelf_put(s, SL("a"), &things[0], 0);
    shelf_put(s, SL("b"), &things[1], 50);
    shelf_put(s, SL("a"), &things[2], 60); /* newer than b now */
    CHECK(shelf_get(s, SL("a")) == &things[2]);
    shelf_put(s, SL("c"), &things[3], 155);
    CHECK(!shelf_get(s, SL("b"))); /* too old */
    CHECK_INT(shelf_count(s), 2);
    for (int i = 0; i < 200; i++) {
        CLEANUP(arena_freep) struct arena *a = arena_new();
        shelf_put(s, arena_printf(a, "n%d", i), &things[i], 156);
    }
    CHECK_INT(shelf_count(s), 3);
    CHECK(shelf_get(s, SL("n199")) == &things[199]);
    shelf_free(s);
}

TEST(signatures_are_the_ones_of_the_wire_sheets)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    CHECK_SLICE(sign_hmac_sha256_base64(a, SL("8c570fa6dd201bb328f1c1eac23a96d8"),
                                        SL("{\"destination\":\"U0123456789abcdef0123456789abcdef\",\"events\":[]}")),
                SL("j2zwSWvscnRkmVay2eMQI+B6oSOp3bA8F1CD3kPwJNo="));
    CHECK_SLICE(sign_sha256_hex(a, SL("+819000001234")), SL("c494f81694abfac17e456ccc0ae9504500e2185f88475897d885662420d9fc45"));
    static const struct { const char *text, *bytes; } rows[] = { { "", "" }, { "Zg==", "f" }, { "Zm8", "fo" }, { "Zm9v", "foo" }, { "-_-_", "\xfb\xff\xbf" } };
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_ROW(i, slice_eq(sign_unbase64(a, slice_of(rows[i].text)), slice_of(rows[i].bytes)));
    CHECK(!sign_unbase64(a, SL("Zg=x")).p);
    CHECK(!sign_unbase64(a, SL("Z")).p);
}

TEST(random_is_repeatable_and_makes_uuids)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct sim_random one, two;
    sim_random_seed(&one, 5);
    sim_random_seed(&two, 5);
    slice id = sim_random_uuid(&one, a);
    CHECK_SLICE(id, sim_random_uuid(&two, a));
    CHECK_INT(id.n, 36);
    CHECK(id.p[14] == '4' && strchr("89ab", id.p[19]));
    CHECK(!slice_eq(id, sim_random_uuid(&one, a)));
}
