/* Three hubs, each with journal and store of its own, one account at one vendor, one cache. */
#include "hub/token_share.h"
#include "cache/cache.h"
#include "hub/rig_test.h"
#include "tests/harness/servers.h"
#include <signal.h>

enum { HUBS = 3, ROUNDS = 20, WAIT_MS = 240000 };

static struct redis_server redis;
struct asked {
    struct token_wait w;
    bool came;
    char header[64], code[128];
};
struct several {
    struct rig *rigs[HUBS];
    struct asked asked[HUBS];
};

static struct several *several_new(void)
{
    static struct several s;
    char where[64];
    struct fault f = { 0 };
    if (!redis.pid)
        redis_server_start(&redis);
    CLEANUP(arena_freep) struct arena *a = arena_new();
    (void)redis_server_say(a, &redis, "flushall");
    snprintf(where, sizeof(where), "redis://127.0.0.1:%u", redis.port);
    for (size_t i = 0; i < HUBS; i++) {
        struct rig *r = s.rigs[i] = rig_new();
        r->hub.cache = cache_open(r->loop, &(struct cache_setup){ .where = slice_of(where), .name = SL("dragoman") }, &f);
        CHECK(r->hub.cache);
        slice *settings = (slice *)(uintptr_t)r->other->account.settings;
        bool moved = i == 0; /* the first one's vendor is everybody's */
        for (size_t k = 0; !moved && k < r->other->account.type->n_settings; k++)
            if ((moved = strcmp(r->other->account.type->settings[k].name, "base_url") == 0))
                settings[k] = account_setting(&s.rigs[0]->other->account, "base_url");
        CHECK(moved && account_setting(&r->other->account, "base_url").n);
    }
    s.rigs[0]->single_use = true;
    s.rigs[0]->token = SL("T1");
    return &s;
}

static void several_free(struct several *s)
{
    for (size_t i = 0; i < HUBS; i++) {
        cache_free(s->rigs[i]->hub.cache);
        s->rigs[i]->hub.cache = NULL;
        rig_free(s->rigs[i]);
    }
}

static void turn(struct several *s)
{
    static size_t first;
    first++;
    for (size_t i = 0; i < HUBS; i++)
        rig_turn(s->rigs[(first + i) % HUBS], 2);
}

static void wait_reachable(struct several *s, bool wanted)
{
    int64_t until_ms = time_mono_ms() + WAIT_MS;
    for (size_t i = 0; i < HUBS; i++)
        while (cache_numbers(s->rigs[i]->hub.cache).reachable != wanted) {
            turn(s);
            CHECK(time_mono_ms() < until_ms);
        }
}

static void got(void *arg, slice header, const struct fault *f)
{
    struct asked *as = arg;
    snprintf(as->header, sizeof(as->header), SLF, SLA(header));
    snprintf(as->code, sizeof(as->code), "%s%.100s", f ? f->code : "", f ? f->text : "");
    as->came = true;
}

/* All ask at once, another one first each time. */
static void ask_all(struct several *s)
{
    static size_t first;
    int64_t until_ms = time_mono_ms() + WAIT_MS;
    first++;
    for (size_t k = 0; k < HUBS; k++) {
        size_t i = (first + k) % HUBS;
        s->asked[i] = (struct asked){ .w = { .done = got, .arg = &s->asked[i] } };
        token_get(s->rigs[i]->other, &s->asked[i].w);
    }
    for (size_t i = 0; i < HUBS; i++)
        while (!s->asked[i].came) {
            turn(s);
            CHECK(time_mono_ms() < until_ms);
        }
}

static void drop_all(struct several *s)
{
    for (size_t i = 0; i < HUBS; i++)
        token_drop(s->rigs[i]->other, slice_of(s->asked[i].header));
}

static void check_round(struct several *s, size_t asked)
{
    for (size_t i = 0; i < HUBS; i++) {
        if (*s->asked[i].code)
            test_fail(__FILE__, __LINE__, "hub %zu: %s", i, s->asked[i].code);
        CHECK_SLICE(slice_of(s->asked[i].header), slice_of(s->asked[0].header));
        CHECK_ROW(i, *s->asked[i].header);
    }
    CHECK_INT(s->rigs[0]->n_tokens, asked);
    CHECK_INT(s->rigs[0]->n_misused, 0);
}

TEST(token_of_single_use_is_rotated_by_one_of_three_hubs_at_a_time)
{
    struct several *s = several_new();
    wait_reachable(s, true);
    for (size_t round = 1; round <= ROUNDS; round++) {
        ask_all(s);
        check_round(s, round);
        drop_all(s);
    }
    for (size_t i = 1; i < HUBS; i++)
        CHECK_ROW(i, s->rigs[i]->n_tokens == 0); /* nobody's own vendor was asked */
    several_free(s);
}

TEST(token_of_single_use_waits_while_the_cache_is_lost)
{
    struct several *s = several_new();
    wait_reachable(s, true);
    ask_all(s);
    check_round(s, 1);
    drop_all(s);
    redis_server_stop(&redis, SIGKILL);
    wait_reachable(s, false);
    ask_all(s);
    for (size_t i = 0; i < HUBS; i++)
        CHECK_ROW(i, slice_starts(slice_of(s->asked[i].code), SL("no_token")));
    CHECK_INT(s->rigs[0]->n_tokens, 1);
    redis_server_start(&redis); /* its memory is gone: each knows the newest by itself */
    wait_reachable(s, true);
    ask_all(s);
    check_round(s, 2);
    several_free(s);
}

TEST(token_is_had_from_the_one_who_died_after_its_lock_ended)
{
    struct several *s = several_new();
    CLEANUP(arena_freep) struct arena *a = arena_new();
    wait_reachable(s, true);
    (void)redis_server_say(a, &redis, "set 'dragoman:token-lock:{t/tother}' someone-who-died px 700");
    int64_t began_ms = time_mono_ms();
    ask_all(s);
    check_round(s, 1);
    CHECK(time_mono_ms() - began_ms >= 500);
    several_free(s);
}

static int64_t lock_left_ms(struct arena *a)
{
    int64_t ms = 0;
    return slice_int(slice_trim(redis_server_say(a, &redis, "pttl 'dragoman:token-lock:{t/tother}'")), &ms) ? ms : 0;
}

/* limits.call_ms may be longer than the lock. */
TEST(token_lock_lasts_as_long_as_the_answer_is_waited_for)
{
    int64_t usual_ms = rig_call_ms, until_ms = time_mono_ms() + WAIT_MS;
    rig_call_ms = WAIT_MS;
    struct several *s = several_new();
    CLEANUP(arena_freep) struct arena *a = arena_new();
    rig_call_ms = usual_ms;
    wait_reachable(s, true);
    s->rigs[0]->token_status = ANSWER_HOLD;
    s->asked[1] = (struct asked){ .w = { .done = got, .arg = &s->asked[1] } };
    token_get(s->rigs[1]->other, &s->asked[1].w);
    while (!s->rigs[0]->held_token)
        turn(s);
    (void)redis_server_say(a, &redis, "pexpire 'dragoman:token-lock:{t/tother}' 20000"); /* as if it had been held for ten seconds */
    while (lock_left_ms(a) <= 20000) {
        turn(s);
        CHECK(!s->asked[1].came && time_mono_ms() < until_ms);
    }
    rig_answer_token(s->rigs[0]);
    while (!s->asked[1].came)
        turn(s);
    CHECK(*s->asked[1].header);
    while (lock_left_ms(a) > 0) /* and not longer */
        turn(s);
    several_free(s);
}

static void found(void *arg, slice value, const struct fault *f)
{
    CHECK(!f && value.n && slice_find(value, SL("Bearer")) == SIZE_MAX && slice_starts(value, SL("sealed:")));
    *(bool *)arg = true;
}

TEST(token_in_the_cache_is_sealed)
{
    struct several *s = several_new();
    bool there = false;
    wait_reachable(s, true);
    ask_all(s);
    cache_get(s->rigs[1]->hub.cache, SL("token:{t/tother}"), found, &there);
    while (!there)
        turn(s);
    several_free(s);
}
