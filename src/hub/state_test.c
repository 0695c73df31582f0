#include "hub/state.h"
#include "hub/rig_test.h"
#include "store/store.h"
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

struct value {
    unsigned times;
    bool absent;
    char text[64];
};

static void got(void *arg, slice value)
{
    struct value *v = arg;
    v->times++;
    v->absent = !value.p;
    snprintf(v->text, sizeof(v->text), SLF, SLA(value));
}

static const char *get(struct rig *r, const char *key)
{
    static struct value v;
    v = (struct value){ 0 };
    state_get(r->hub.state, slice_of(key), got, &v);
    UNTIL(r, v.times == 1);
    return v.absent ? "(absent)" : v.text;
}

static void committed(void *arg, bool ok)
{
    CHECK(ok);
    *(bool *)arg = true;
}

static void put(struct rig *r, const char *key, const char *value)
{
    bool done = false;
    struct jbatch *b = jbatch_new(r->hub.journal);
    state_put(r->hub.state, b, slice_of(key), slice_of(value));
    jbatch_commit(b, JOURNAL_DURABLE, committed, &done);
    UNTIL(r, done);
}

static void count(void *arg, slice key, slice value)
{
    CHECK(slice_starts(key, SL("x:")) && value.p);
    ++*(unsigned *)arg;
}

/* Two files of the data folder, written by a thread of its own: first one, then the other. */
struct writing {
    int first, second;
};

static void *write_both(void *arg)
{
    const struct writing *w = arg;
    int64_t end_ms = time_mono_ms() + 100;
    uint64_t n = 0;
    do {
        n++;
        CHECK(pwrite(w->first, &n, sizeof(n), 0) == sizeof(n) && pwrite(w->second, &n, sizeof(n), 0) == sizeof(n));
    } while (time_mono_ms() < end_ms);
    return NULL;
}

static uint64_t number_in(struct rig *r, const char *file)
{
    uint64_t n = 0;
    int fd = open(arena_printf(r->a, "%s/%s", r->dir, file).p, O_RDONLY);
    CHECK(fd >= 0 && pread(fd, &n, sizeof(n), 0) >= 0);
    close(fd);
    return n;
}

/* The rig's own: half of one moment with half of another is what no kill leaves. */
TEST(state_of_a_crash_is_that_of_one_moment)
{
    struct rig *r = rig_new();
    struct writing w = { open(arena_printf(r->a, "%s/first", r->dir).p, O_WRONLY | O_CREAT, 0600), open(arena_printf(r->a, "%s/second", r->dir).p, O_WRONLY | O_CREAT, 0600) };
    pthread_t thread;
    CHECK(w.first >= 0 && w.second >= 0 && pthread_create(&thread, NULL, write_both, &w) == 0);
    while (!number_in(r, "second"))
        usleep(100);
    rig_crash(r);
    pthread_join(thread, NULL);
    uint64_t first = number_in(r, "first"), second = number_in(r, "second");
    CHECK(first == second || first == second + 1);
    close(w.first), close(w.second);
    rig_free(r);
}

TEST(state_is_there_before_and_after_it_went_to_the_store)
{
    struct rig *r = rig_new();
    CHECK(strcmp(get(r, "x:1"), "(absent)") == 0);
    put(r, "x:1", "one");
    put(r, "x:2", "two");
    put(r, "x:e", "");
    put(r, "x:2", NULL);
    CHECK(strcmp(get(r, "x:1"), "one") == 0 && strcmp(get(r, "x:2"), "(absent)") == 0 && strcmp(get(r, "x:e"), "") == 0);
    for (int64_t until_ms = time_mono_ms() + STATE_FLUSH_MS + 300; time_mono_ms() < until_ms;)
        rig_turn(r, 50); /* the store has it now, and the state has forgotten it */
    CHECK(strcmp(get(r, "x:1"), "one") == 0 && strcmp(get(r, "x:2"), "(absent)") == 0 && strcmp(get(r, "x:e"), "") == 0);
    put(r, "x:1", "uno");
    CHECK(strcmp(get(r, "x:1"), "uno") == 0); /* what is here is newer than what the store says */
    rig_crash(r);
    CHECK(strcmp(get(r, "x:1"), "uno") == 0 && strcmp(get(r, "x:2"), "(absent)") == 0 && strcmp(get(r, "x:e"), "") == 0);
    rig_free(r);
}

TEST(state_replays_the_last_of_each_key)
{
    struct rig *r = rig_new();
    for (int i = 0; i < 20; i++)
        put(r, i % 2 ? "x:a" : "x:b", arena_printf(r->a, "v%d", i).p);
    put(r, "x:c", "gone");
    put(r, "x:c", NULL);
    rig_crash(r);
    CHECK(strcmp(get(r, "x:a"), "v19") == 0 && strcmp(get(r, "x:b"), "v18") == 0 && strcmp(get(r, "x:c"), "(absent)") == 0);
    rig_stop(r);
    rig_start(r);
    CHECK(strcmp(get(r, "x:a"), "v19") == 0 && strcmp(get(r, "x:c"), "(absent)") == 0);
    rig_free(r);
}

TEST(state_put_while_the_store_is_asked_is_the_answer)
{
    struct rig *r = rig_new();
    struct value v = { 0 };
    state_get(r->hub.state, SL("x:1"), got, &v); /* the store will say: absent */
    CHECK_INT(v.times, 0);
    put(r, "x:1", "new");
    UNTIL(r, v.times == 1);
    CHECK(!v.absent && strcmp(v.text, "new") == 0);
    rig_free(r);
}

TEST(state_each_sees_a_key_once)
{
    struct rig *r = rig_new();
    put(r, "x:1", "one");
    put(r, "x:2", "two");
    put(r, "y:1", "other");
    rig_stop(r);
    rig_start(r);
    put(r, "x:2", "deux");
    put(r, "x:3", "three");
    put(r, "x:1", NULL);
    unsigned n = 0;
    store_close(r->hub.store); /* state_each is for the time before the store's thread runs */
    struct fault f;
    r->hub.store = store_open(arena_printf(r->a, "%s/store.db", r->dir).p, &f);
    CHECK(r->hub.store);
    state_each(r->hub.state, SL("x:"), count, &n);
    CHECK_INT(n, 2);
    store_start(r->hub.store, r->loop);
    rig_free(r);
}

TEST(state_stopped_while_it_is_read_leaves_nothing)
{
    struct rig *r = rig_new();
    struct value v = { 0 };
    state_get(r->hub.state, SL("x:1"), got, &v);
    rig_stop(r);
    CHECK_INT(v.times, 0);
    rig_free(r);
}
