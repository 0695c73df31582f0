/* Two replicas, each with a store of its own, one cache. */
#include "api/session.h"
#include "cache/cache.h"
#include "hub/hub.h"
#include "store/store.h"
#include "tests/harness/servers.h"
#include "tests/harness/test.h"
#include <signal.h>

enum { WAIT_MS = 240000 };

static struct redis_server redis;
struct replica {
    struct hub hub;
    struct sessions *sessions;
};
struct pair {
    struct arena *a;
    struct loop *loop;
    struct replica one, two;
};

static void replica_open(struct pair *p, struct replica *r)
{
    struct fault f = { 0 };
    r->hub = (struct hub){ .loop = p->loop, .store = store_open(arena_printf(p->a, "%s/store.db", test_dir()).p, &f) };
    slice where = arena_printf(p->a, "redis://127.0.0.1:%u", redis.port);
    r->hub.cache = cache_open(p->loop, &(struct cache_setup){ .where = where, .name = SL("dragoman") }, &f);
    CHECK(r->hub.store && r->hub.cache);
    r->sessions = sessions_new(&r->hub, 3600000, 600000);
}

static void stop(void *arg)
{
    loop_stop(arg);
}

static void pass(struct pair *p, int64_t ms)
{
    struct loop_timer t = { 0 };
    loop_timer_start(p->loop, &t, ms, stop, p->loop);
    while (t.active)
        loop_run(p->loop);
    loop_timer_done(&t);
}

static void wait_reachable(struct pair *p, bool wanted)
{
    for (int64_t until_ms = time_mono_ms() + WAIT_MS; cache_numbers(p->one.hub.cache).reachable != wanted || cache_numbers(p->two.hub.cache).reachable != wanted;
         pass(p, 10))
        CHECK(time_mono_ms() < until_ms);
}

static struct pair *pair_new(void)
{
    static struct pair p;
    p = (struct pair){ .a = arena_new(), .loop = loop_new() };
    if (!redis.pid)
        redis_server_start(&redis);
    (void)redis_server_say(p.a, &redis, "flushall");
    replica_open(&p, &p.one);
    replica_open(&p, &p.two);
    wait_reachable(&p, true);
    pass(&p, 50); /* both listen */
    return &p;
}

static void replica_close(struct replica *r)
{
    sessions_stop(r->sessions);
    cache_free(r->hub.cache);
    r->hub.cache = NULL;
    sessions_free(r->sessions);
    store_close(r->hub.store);
}

static void pair_free(struct pair *p)
{
    replica_close(&p->one);
    replica_close(&p->two);
    loop_free(p->loop);
    arena_free(p->a);
}

static void note(void *arg)
{
    *(bool *)arg = true;
}

static const struct session *find(struct pair *p, struct replica *r, slice token)
{
    bool sought = false;
    session_seek(r->sessions, token, note, &sought);
    int64_t until_ms = time_mono_ms() + WAIT_MS;
    while (!sought) {
        CHECK(time_mono_ms() < until_ms);
        pass(p, 2);
    }
    return session_find(r->sessions, token);
}

static bool heard_of_end(struct pair *p, struct replica *r, slice token)
{
    for (int64_t until_ms = time_mono_ms() + WAIT_MS; session_find(r->sessions, token); pass(p, 5))
        if (time_mono_ms() > until_ms)
            return false;
    return true;
}

TEST(session_of_one_replica_is_good_at_the_other_and_so_is_its_end)
{
    struct pair *p = pair_new();
    slice token = session_begin(p->one.sessions, p->a, SL("ann"), NULL, NULL);
    const struct session *s = find(p, &p->two, token);
    CHECK(s && slice_eq(slice_of(s->user), SL("ann")) && s->began_ms == session_find(p->one.sessions, token)->began_ms);
    CHECK(!find(p, &p->two, SL("nonsense")));
    session_end(p->one.sessions, session_find(p->one.sessions, token));
    CHECK(heard_of_end(p, &p->two, token));
    CHECK(!find(p, &p->two, token) && !find(p, &p->one, token));
    pair_free(p);
}

TEST(session_ends_of_a_login_count_everywhere_also_for_replicas_that_never_saw_them)
{
    struct pair *p = pair_new();
    slice kept = session_begin(p->one.sessions, p->a, SL("bob"), NULL, NULL), other = session_begin(p->one.sessions, p->a, SL("bob"), NULL, NULL);
    slice ann = session_begin(p->one.sessions, p->a, SL("ann"), NULL, NULL);
    CHECK(find(p, &p->two, kept) && find(p, &p->two, other) && find(p, &p->two, ann));
    slice unseen = session_begin(p->two.sessions, p->a, SL("bob"), NULL, NULL);
    uint8_t hash[SESSION_HASH_BYTES];
    memcpy(hash, session_find(p->one.sessions, kept)->hash, sizeof(hash));
    sessions_end_others(p->one.sessions, SL("bob"), hash); /* another password: replica one has never heard of "unseen" */
    CHECK(heard_of_end(p, &p->two, other) && heard_of_end(p, &p->two, unseen));
    CHECK(!find(p, &p->one, unseen) && !find(p, &p->two, other));
    CHECK(find(p, &p->one, kept) && find(p, &p->two, kept) && find(p, &p->two, ann));
    pass(p, 5); /* another millisecond than that of the end */
    slice fresh = session_begin(p->two.sessions, p->a, SL("bob"), NULL, NULL);
    CHECK(find(p, &p->one, fresh));
    pair_free(p);
}

TEST(session_ended_while_the_cache_is_lost_ends_everywhere_when_it_is_back)
{
    struct pair *p = pair_new();
    slice token = session_begin(p->one.sessions, p->a, SL("ann"), NULL, NULL), other = session_begin(p->one.sessions, p->a, SL("bob"), NULL, NULL);
    CHECK(find(p, &p->two, token) && find(p, &p->two, other));
    redis_server_stop(&redis, SIGKILL);
    wait_reachable(p, false);
    CHECK(find(p, &p->one, token) && find(p, &p->two, token)); /* who is known stays so */
    session_end(p->one.sessions, session_find(p->one.sessions, token));
    CHECK(!find(p, &p->one, token) && find(p, &p->two, token)); /* nobody could tell */
    redis_server_start(&redis); /* its memory is gone */
    wait_reachable(p, true);
    for (int64_t until_ms = time_mono_ms() + WAIT_MS; find(p, &p->two, token); pass(p, 20))
        CHECK(time_mono_ms() < until_ms);
    CHECK(find(p, &p->one, other) && find(p, &p->two, other)); /* and nobody else was logged out */
    pair_free(p);
}
