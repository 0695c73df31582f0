#include "cache/cache.h"
#include "net/loop.h"
#include "tests/harness/servers.h"
#include "tests/harness/test.h"
#include <signal.h>

/* Every behaviour is tested on each of these. Servers are started by the first test that wants them. */
enum place { IN_MEMORY, IN_REDIS, IN_REDIS_TLS, IN_CLUSTER };
#define TEST_PLACES(name)                                                        \
    static void each_##name(enum place at);                                    \
    TEST(name##_in_memory)                                                     \
    {                                                                          \
        each_##name(IN_MEMORY);                                                \
    }                                                                          \
    TEST(name##_in_redis)                                                      \
    {                                                                          \
        each_##name(IN_REDIS);                                                 \
    }                                                                          \
    TEST(name##_in_redis_with_password_and_tls)                                \
    {                                                                          \
        each_##name(IN_REDIS_TLS);                                             \
    }                                                                          \
    TEST(name##_in_a_cluster)                                                  \
    {                                                                          \
        each_##name(IN_CLUSTER);                                               \
    }                                                                          \
    static void each_##name(enum place at)

static struct redis_server single, secured = { .password = "s3cret word", .tls = true }, members[3];

static struct loop *the_loop;
static struct loop_timer guard;
static int n_said, changes;
static bool reachable;

static void too_late(void *arg)
{
    (void)arg;
    test_fail(__FILE__, __LINE__, "no answer came");
}

static void on_changed(void *arg, bool is, slice why)
{
    (void)arg;
    (void)why;
    reachable = is;
    changes++;
}

static slice where_of(enum place at, char to[200])
{
    switch (at) {
    case IN_MEMORY:
        *to = 0;
        break;
    case IN_REDIS:
        if (!single.pid)
            redis_server_start(&single);
        snprintf(to, 200, "redis://127.0.0.1:%u/2", single.port);
        break;
    case IN_REDIS_TLS:
        if (!secured.pid)
            redis_server_start(&secured);
        snprintf(to, 200, "rediss://:s3cret%%20word@localhost:%u", secured.port);
        break;
    case IN_CLUSTER:
        if (!members[0].pid)
            redis_cluster_start(members);
        snprintf(to, 200, "redis+cluster://127.0.0.1:%u,127.0.0.1:%u", members[1].port, members[0].port);
        break;
    }
    return slice_of(to);
}

static struct cache *open_named(slice where, const char *ca, slice name)
{
    struct fault f = { 0 };
    if (!the_loop) {
        the_loop = loop_new();
        loop_timer_start(the_loop, &guard, 60000, too_late, NULL);
    }
    reachable = false;
    struct cache *c = cache_open(the_loop, &(struct cache_setup){ .where = where, .ca_file = ca, .name = name }, &f);
    if (!c)
        test_fail(__FILE__, __LINE__, "%s", f.text);
    cache_watch(c, on_changed, NULL);
    return c;
}

static struct cache *open_at(slice where, const char *ca)
{
    return open_named(where, ca, SLICE_NONE);
}

static struct cache *open_new(enum place at)
{
    char where[200];
    slice w = where_of(at, where);
    return open_at(w, at == IN_REDIS_TLS ? redis_ca_file() : NULL);
}

static void done_with(struct cache *c, struct cache *other)
{
    cache_free(c);
    cache_free(other);
    loop_timer_done(&guard);
    loop_free(the_loop);
    the_loop = NULL;
}

/* ---- calls that wait for their answer ------------------------------------------------------------------------------------------- */

struct said {
    bool came, yes;
    int64_t n;
    char text[64];
};

static void came(struct said *s, const struct fault *f)
{
    if (f)
        snprintf(s->text, sizeof(s->text), "%s", f->code);
    s->came = true;
    loop_stop(the_loop);
}

static void on_done(void *arg, const struct fault *f)
{
    struct said *s = arg;
    snprintf(s->text, sizeof(s->text), "ok");
    came(s, f);
}

static void on_said(void *arg, bool yes, const struct fault *f)
{
    struct said *s = arg;
    s->yes = yes;
    snprintf(s->text, sizeof(s->text), "%s", yes ? "yes" : "no");
    came(s, f);
}

static void on_got(void *arg, slice value, const struct fault *f)
{
    struct said *s = arg;
    snprintf(s->text, sizeof(s->text), SLF, SLA(value.p ? value : SL("none")));
    came(s, f);
}

static void on_counted(void *arg, int64_t n, const struct fault *f)
{
    struct said *s = arg;
    snprintf(s->text, sizeof(s->text), "%lld", (long long)n);
    came(s, f);
}

static slice wait_for(struct said *s)
{
    while (!s->came)
        loop_run(the_loop);
    return slice_of(s->text);
}

static struct said said;
#define GET(c, key)                   (said = (struct said){ 0 }, cache_get(c, SL(key), on_got, &said), wait_for(&said))
#define SET(c, key, value, ms)        (said = (struct said){ 0 }, cache_set(c, SL(key), SL(value), ms, on_done, &said), wait_for(&said))
#define REMOVE(c, key)                (said = (struct said){ 0 }, cache_remove(c, SL(key), on_done, &said), wait_for(&said))
#define LOCK(c, key, token, ms)       (said = (struct said){ 0 }, cache_lock(c, SL(key), SL(token), ms, on_said, &said), wait_for(&said))
#define LOCK_KEEP(c, key, token, ms)  (said = (struct said){ 0 }, cache_lock_keep(c, SL(key), SL(token), ms, on_said, &said), wait_for(&said))
#define UNLOCK(c, key, token)         (said = (struct said){ 0 }, cache_unlock(c, SL(key), SL(token), on_said, &said), wait_for(&said))
#define ADD(c, key, by, ms)           (said = (struct said){ 0 }, cache_count(c, SL(key), by, ms, on_counted, &said), wait_for(&said))

static void stop_loop(void *arg)
{
    (void)arg;
    loop_stop(the_loop);
}

static void pass(int64_t ms)
{
    struct loop_timer t = { 0 };
    loop_timer_start(the_loop, &t, ms, stop_loop, NULL);
    while (t.active)
        loop_run(the_loop);
    loop_timer_done(&t);
}

TEST_PLACES(cache_values_stay_for_their_time)
{
    struct cache *c = open_new(at);
    REMOVE(c, "v:1");
    CHECK_SLICE(GET(c, "v:1"), SL("none"));
    CHECK_SLICE(SET(c, "v:1", "one", 60000), SL("ok"));
    CHECK_SLICE(GET(c, "v:1"), SL("one"));
    CHECK_SLICE(SET(c, "v:1", "", 60000), SL("ok"));
    CHECK_SLICE(GET(c, "v:1"), SL(""));
    CHECK_SLICE(SET(c, "v:1", "uno", 300), SL("ok"));
    CHECK_SLICE(GET(c, "v:1"), SL("uno"));
    pass(500);
    CHECK_SLICE(GET(c, "v:1"), SL("none"));
    CHECK_SLICE(SET(c, "v:2", "two", 60000), SL("ok"));
    CHECK_SLICE(REMOVE(c, "v:2"), SL("ok"));
    CHECK_SLICE(GET(c, "v:2"), SL("none"));
    static char big[CACHE_VALUE_MAX + 1];
    said = (struct said){ 0 };
    cache_set(c, SL("v:3"), slice_mem(big, sizeof(big)), 60000, on_done, &said);
    CHECK_SLICE(wait_for(&said), SL("too_long"));
    said = (struct said){ 0 };
    cache_set(c, SL("v:3"), slice_mem(big, sizeof(big) - 1), 60000, on_done, &said);
    CHECK_SLICE(wait_for(&said), SL("ok"));
    said = (struct said){ 0 };
    cache_get(c, slice_mem(big, CACHE_KEY_MAX + 1), on_got, &said);
    CHECK_SLICE(wait_for(&said), SL("too_long"));
    done_with(c, NULL);
}

TEST_PLACES(cache_locks_have_one_holder)
{
    struct cache *c = open_new(at), *other = at == IN_MEMORY ? NULL : open_new(at), *o = other ? other : c;
    REMOVE(c, "lock:1");
    CHECK_SLICE(LOCK(c, "lock:1", "me", 60000), SL("yes"));
    CHECK_SLICE(LOCK(o, "lock:1", "you", 60000), SL("no"));
    CHECK_SLICE(UNLOCK(o, "lock:1", "you"), SL("no"));
    CHECK_SLICE(LOCK_KEEP(o, "lock:1", "you", 1), SL("no"));
    CHECK_SLICE(LOCK_KEEP(c, "lock:1", "me", 300), SL("yes"));
    CHECK_SLICE(LOCK(o, "lock:1", "you", 60000), SL("no"));
    pass(500);
    CHECK_SLICE(LOCK(o, "lock:1", "you", 60000), SL("yes"));
    CHECK_SLICE(LOCK_KEEP(c, "lock:1", "me", 60000), SL("no"));
    CHECK_SLICE(UNLOCK(c, "lock:1", "me"), SL("no"));
    CHECK_SLICE(UNLOCK(o, "lock:1", "you"), SL("yes"));
    CHECK_SLICE(UNLOCK(o, "lock:1", "you"), SL("no"));
    done_with(c, other);
}

TEST_PLACES(cache_numbers_are_counted_within_their_time)
{
    struct cache *c = open_new(at);
    REMOVE(c, "n:1");
    CHECK_SLICE(ADD(c, "n:1", 1, 300), SL("1"));
    CHECK_SLICE(ADD(c, "n:1", 5, 60000), SL("6")); /* the first one's time counts */
    CHECK_SLICE(ADD(c, "n:1", -2, 60000), SL("4"));
    pass(500);
    CHECK_SLICE(ADD(c, "n:1", 1, 60000), SL("1"));
    REMOVE(c, "n:1");
    done_with(c, NULL);
}

static char heard_text[200];
static void heard(void *arg, slice text)
{
    size_t n = strlen(heard_text);
    snprintf(heard_text + n, sizeof(heard_text) - n, "%s:" SLF " ", (const char *)arg, SLA(text));
    n_said++;
    loop_stop(the_loop);
}

#define TAG(literal) ((void *)(uintptr_t)(literal))
TEST_PLACES(cache_news_reach_those_who_listen)
{
    struct cache *c = open_new(at), *other = at == IN_MEMORY ? NULL : open_new(at), *o = other ? other : c;
    heard_text[0] = 0;
    n_said = 0;
    cache_listen(c, "weather", heard, TAG("c"));
    cache_listen(o, "sports", heard, TAG("o"));
    for (int i = 0; n_said < 1; i++) { /* until the subscription stands */
        cache_publish(o, SL("weather"), SL("rain"));
        pass(20);
    }
    pass(100);
    heard_text[0] = 0;
    n_said = 0;
    for (int i = 0; n_said < 1; i++) {
        cache_publish(c, SL("sports"), SL("1:0"));
        cache_publish(c, SL("nothing"), SL("nobody hears"));
        pass(20);
    }
    for (int i = 0; i < 500 && !heard_text[0]; i++)
        pass(10);
    pass(50);
    CHECK(slice_starts(slice_of(heard_text), SL("o:1:0 ")) && slice_find(slice_of(heard_text), SL("c:")) == SIZE_MAX);
    done_with(c, other);
}

TEST(cache_of_another_installation_is_another_one)
{
    char where[200];
    slice w = where_of(IN_REDIS, where);
    struct cache *c = open_named(w, NULL, SL("one")), *other = open_named(w, NULL, SL("two"));
    heard_text[0] = 0;
    n_said = 0;
    cache_listen(c, "weather", heard, TAG("c"));
    cache_listen(other, "weather", heard, TAG("o"));
    CHECK_SLICE(SET(c, "v:1", "mine", 60000), SL("ok"));
    CHECK_SLICE(GET(other, "v:1"), SL("none"));
    CHECK_SLICE(LOCK(c, "lock:1", "me", 60000), SL("yes"));
    CHECK_SLICE(LOCK(other, "lock:1", "you", 60000), SL("yes"));
    while (n_said < 3) {
        cache_publish(c, SL("weather"), SL("rain"));
        pass(20);
    }
    CHECK(slice_find(slice_of(heard_text), SL("o:")) == SIZE_MAX);
    done_with(c, other);
}

TEST_PLACES(cache_keeps_many_calls_apart)
{
    enum { MANY = 2000 };
    static struct said all[MANY];
    struct cache *c = open_new(at);
    char key[16];
    memset(all, 0, sizeof(all));
    for (int i = 0; i < MANY; i++) {
        snprintf(key, sizeof(key), "many:%d", i);
        cache_set(c, slice_of(key), slice_of(key), 60000, NULL, NULL);
        cache_get(c, slice_of(key), on_got, &all[i]);
        cache_remove(c, slice_of(key), NULL, NULL);
    }
    for (int i = 0; i < MANY; i++) {
        snprintf(key, sizeof(key), "many:%d", i);
        CHECK_SLICE(wait_for(&all[i]), slice_of(key));
    }
    struct cache_numbers n = cache_numbers(c);
    CHECK(n.reachable && n.failures == 0 && n.commands == 3 * MANY);
    done_with(c, NULL);
}

/* ---- losing it ------------------------------------------------------------------------------------------------------------------ */

TEST(cache_that_is_lost_says_so_at_once_and_recovers)
{
    struct cache *c = open_new(IN_REDIS);
    CHECK_SLICE(SET(c, "l:1", "one", 60000), SL("ok"));
    CHECK(reachable);
    redis_server_stop(&single, SIGKILL);
    for (int i = 0; i < 1000 && reachable; i++)
        pass(10);
    CHECK(!reachable);
    int64_t before_ms = time_mono_ms();
    CHECK_SLICE(GET(c, "l:1"), SL("cache_lost"));
    CHECK_SLICE(LOCK(c, "l:2", "me", 1000), SL("cache_lost"));
    CHECK(time_mono_ms() - before_ms < CACHE_ANSWER_MS);
    redis_server_start(&single);
    for (int64_t until_ms = time_mono_ms() + 60000; !reachable; pass(20))
        CHECK(time_mono_ms() < until_ms);
    CHECK_SLICE(GET(c, "l:1"), SL("none"));
    CHECK_SLICE(SET(c, "l:1", "again", 60000), SL("ok"));
    CHECK(cache_numbers(c).connects >= 2);
    done_with(c, NULL);
}

TEST(cache_that_does_not_answer_is_lost_in_time)
{
    struct cache *c = open_new(IN_REDIS);
    CHECK_SLICE(SET(c, "l:3", "one", 60000), SL("ok"));
    CHECK(kill(single.pid, SIGSTOP) == 0);
    int64_t before_ms = time_mono_ms();
    slice code = GET(c, "l:3");
    CHECK(kill(single.pid, SIGCONT) == 0);
    CHECK_SLICE(code, SL("cache_lost"));
    CHECK(time_mono_ms() - before_ms < 6 * CACHE_ANSWER_MS);
    for (int64_t until_ms = time_mono_ms() + 60000; !reachable; pass(20))
        CHECK(time_mono_ms() < until_ms);
    CHECK_SLICE(GET(c, "l:3"), SL("one"));
    done_with(c, NULL);
}

TEST(cache_listens_again_after_a_restart)
{
    struct cache *c = open_new(IN_REDIS);
    heard_text[0] = 0;
    n_said = 0;
    cache_listen(c, "weather", heard, TAG("c"));
    redis_server_stop(&single, SIGKILL);
    pass(20);
    redis_server_start(&single);
    for (int64_t until_ms = time_mono_ms() + 60000; n_said < 1; pass(50)) {
        cache_publish(c, SL("weather"), SL("sun"));
        CHECK(time_mono_ms() < until_ms);
    }
    done_with(c, NULL);
}

TEST(cache_of_a_wrong_password_or_certificate_is_not_used)
{
    char where[200];
    (void)where_of(IN_REDIS_TLS, where);
    snprintf(where, sizeof(where), "rediss://:wrong@localhost:%u", secured.port);
    struct cache *c = open_at(slice_of(where), redis_ca_file());
    CHECK_SLICE(GET(c, "p:1"), SL("cache_lost"));
    CHECK(!reachable);
    snprintf(where, sizeof(where), "rediss://:s3cret%%20word@localhost:%u", secured.port);
    struct cache *other = open_at(slice_of(where), NULL); /* signed by nobody the system knows */
    CHECK_SLICE(GET(other, "p:1"), SL("cache_lost"));
    CHECK(!reachable);
    done_with(c, other);
}

/* A master without replica is stopped: its keys are lost, the others' stay; it comes back, and all is well. */
TEST(cache_of_a_cluster_loses_only_what_the_lost_master_had)
{
    enum { KEYS = 60 };
    struct cache *c = open_new(IN_CLUSTER);
    CHECK_SLICE(SET(c, "k:0", "v", 60000), SL("ok"));
    pass(300); /* all three are known */
    redis_server_stop(&members[0], SIGKILL); /* one of those that were named */
    pass(1500);
    CHECK(reachable);
    int ok = 0, lost = 0;
    char key[16];
    for (int i = 0; i < KEYS; i++) {
        snprintf(key, sizeof(key), "k:%d", i);
        said = (struct said){ 0 };
        cache_set(c, slice_of(key), SL("v"), 60000, on_done, &said);
        slice code = wait_for(&said);
        ok += slice_eq(code, SL("ok"));
        lost += slice_eq(code, SL("cache_lost"));
    }
    CHECK_INT(ok + lost, KEYS);
    CHECK(ok > KEYS / 3 && lost > 0);
    redis_server_start(&members[0]); /* its file of nodes is there */
    for (int64_t until_ms = time_mono_ms() + 60000; ok < KEYS;) {
        ok = 0;
        for (int i = 0; i < KEYS; i++) {
            snprintf(key, sizeof(key), "k:%d", i);
            said = (struct said){ 0 };
            cache_set(c, slice_of(key), SL("v"), 60000, on_done, &said);
            ok += slice_eq(wait_for(&said), SL("ok"));
        }
        pass(100);
        CHECK(time_mono_ms() < until_ms);
    }
    done_with(c, NULL);
}
