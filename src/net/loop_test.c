#include "net/loop.h"
#include "tests/harness/test.h"
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

struct ctx {
    struct loop *l;
    struct loop_timer t, t2;
    int n, order[8];
    pthread_t thread, where;
};

static void stop(void *arg)
{
    loop_stop(((struct ctx *)arg)->l);
}

static void note1(void *arg)
{
    struct ctx *c = arg;
    c->order[c->n++] = 1;
}

static void note2(void *arg)
{
    struct ctx *c = arg;
    c->order[c->n++] = 2;
    loop_stop(c->l);
}

TEST(loop_timers_fire_once_in_order_of_time)
{
    struct ctx c = { .l = loop_new() };
    loop_timer_start(c.l, &c.t2, 20, note2, &c);
    loop_timer_start(c.l, &c.t, 1, note1, &c);
    CHECK(c.t.active);
    int64_t began = time_mono_ms();
    loop_run(c.l);
    CHECK_INT(c.n, 2);
    CHECK_INT(c.order[0], 1);
    CHECK_INT(c.order[1], 2);
    CHECK(!c.t.active && !c.t2.active);
    CHECK(time_mono_ms() - began >= 18);
    loop_timer_done(&c.t);
    loop_timer_done(&c.t2);
    CHECK(!c.t.impl);
    loop_free(c.l);
}

TEST(loop_timer_stopped_does_not_fire)
{
    struct ctx c = { .l = loop_new() };
    loop_timer_start(c.l, &c.t, 1, note1, &c);
    loop_timer_stop(&c.t);
    loop_timer_start(c.l, &c.t2, 5, stop, &c);
    loop_run(c.l);
    CHECK_INT(c.n, 0);
    loop_timer_start(c.l, &c.t, 1, note2, &c); /* reusable */
    loop_run(c.l);
    CHECK_INT(c.n, 1);
    loop_free(c.l);
}

TEST(loop_frees_a_timer_that_still_runs)
{
    struct ctx c = { .l = loop_new() };
    loop_timer_start(c.l, &c.t, 100000, note1, &c);
    loop_free(c.l);
    CHECK(!c.t.active && !c.t.impl);
}

enum { POSTS = 2000 };

static void posted(void *arg)
{
    struct ctx *c = arg;
    c->where = pthread_self();
    if (++c->n == POSTS)
        loop_stop(c->l);
}

static void *poster(void *arg)
{
    struct ctx *c = arg;
    for (int i = 0; i < POSTS; i++)
        loop_post(c->l, posted, c);
    return NULL;
}

TEST(loop_post_from_a_thread_loses_nothing)
{
    struct ctx c = { .l = loop_new() };
    pthread_create(&c.thread, NULL, poster, &c);
    loop_run(c.l);
    pthread_join(c.thread, NULL);
    CHECK_INT(c.n, POSTS);
    CHECK(pthread_equal(c.where, pthread_self()));
    loop_free(c.l);
}

static void again(void *arg)
{
    struct ctx *c = arg;
    c->order[c->n++] = 3;
    loop_defer(c->l, note2, c);
}

static void defer_both(void *arg)
{
    struct ctx *c = arg;
    loop_defer(c->l, note1, c);
    loop_defer(c->l, again, c);
    CHECK_INT(c->n, 0); /* not at once */
}

TEST(loop_defer_runs_before_the_loop_waits_and_may_defer_again)
{
    for (int i = 0; i < 2; i++) {
        struct ctx c = { .l = loop_new() };
        if (i == 0) /* from a timer, from a descriptor */
            loop_timer_start(c.l, &c.t, 0, defer_both, &c);
        else
            loop_post(c.l, defer_both, &c);
        loop_timer_start(c.l, &c.t2, 2000, stop, &c); /* would leave n at 2 */
        loop_run(c.l);
        CHECK_ROW(i, c.n == 3 && c.order[0] == 1 && c.order[1] == 3 && c.order[2] == 2);
        CHECK_ROW(i, c.t2.active);
        loop_free(c.l);
    }
}

static void work(void *arg)
{
    struct ctx *c = arg;
    c->where = pthread_self();
    c->order[0] = 7;
}

static void worked(void *arg)
{
    struct ctx *c = arg;
    c->thread = pthread_self();
    loop_stop(c->l);
}

TEST(loop_work_runs_elsewhere_and_comes_back)
{
    struct ctx c = { .l = loop_new() };
    loop_work(c.l, work, worked, &c);
    loop_run(c.l);
    CHECK_INT(c.order[0], 7);
    CHECK(!pthread_equal(c.where, pthread_self()));
    CHECK(pthread_equal(c.thread, pthread_self()));
    loop_free(c.l);
}

static void on_signal(void *arg, int signum)
{
    struct ctx *c = arg;
    c->n = signum;
    loop_stop(c->l);
}

static void raise_it(void *arg)
{
    (void)arg;
    kill(getpid(), SIGUSR1);
}

TEST(loop_signal_arrives_on_the_loop)
{
    struct ctx c = { .l = loop_new() };
    loop_signal(c.l, SIGUSR1, on_signal, &c);
    loop_post(c.l, raise_it, &c);
    loop_run(c.l);
    CHECK_INT(c.n, SIGUSR1);
    loop_free(c.l);
}

TEST(loop_idle_sleeps)
{
    struct ctx c = { .l = loop_new() };
    loop_post(c.l, defer_both, &c); /* whatever went before must not leave it spinning */
    loop_run(c.l);
    loop_timer_start(c.l, &c.t, 200, stop, &c);
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    loop_run(c.l);
    getrusage(RUSAGE_SELF, &after);
    CHECK(after.ru_nvcsw - before.ru_nvcsw <= 10); /* times this process went to sleep: 1, and what threads left over do */
    loop_free(c.l);
}

struct spinner {
    struct loop *l;
    struct loop_timer next, end;
    bool spins, pressed, was_pressed;
};

static void spin(void *arg)
{
    struct spinner *s = arg;
    for (int64_t until_us = time_mono_us() + 20000; s->spins && time_mono_us() < until_us;)
        ;
    s->pressed = loop_is_pressed(s->l);
    s->was_pressed |= s->pressed;
    loop_timer_start(s->l, &s->next, s->spins ? 1 : 20, spin, s);
}

static void spinner_ends(void *arg)
{
    loop_stop(((struct spinner *)arg)->l);
}

TEST(loop_knows_when_there_is_more_work_than_time)
{
    struct spinner s = { .l = loop_new(), .spins = true };
    uint64_t turns = loop_turns(s.l);
    loop_timer_start(s.l, &s.next, 0, spin, &s);
    loop_timer_start(s.l, &s.end, 300, spinner_ends, &s);
    loop_run(s.l);
    CHECK(s.was_pressed && s.pressed);
    CHECK(loop_turns(s.l) > turns);
    s.spins = false;
    loop_timer_start(s.l, &s.end, 300, spinner_ends, &s);
    loop_run(s.l);
    CHECK(!s.pressed);
    loop_timer_done(&s.next);
    loop_timer_done(&s.end);
    loop_free(s.l);
}

struct pinged {
    struct loop *l;
    int left;
};

static void pinged(void *arg)
{
    struct pinged *p = arg;
    if (--p->left == 0)
        loop_stop(p->l);
}

static void *ping(void *arg)
{
    struct pinged *p = arg;
    for (int i = p->left; i > 0; i--) {
        usleep(300);
        loop_post(p->l, pinged, p);
    }
    return NULL;
}

TEST(loop_gathers_what_comes_often)
{
    enum { PINGS = 1000 };
    struct pinged p = { .l = loop_new(), .left = PINGS };
    pthread_t thread;
    uint64_t turns = loop_turns(p.l);
    pthread_create(&thread, NULL, ping, &p);
    loop_run(p.l);
    pthread_join(thread, NULL);
    CHECK(loop_turns(p.l) - turns < PINGS * 3 / 4); /* several were served in one turn */
    loop_free(p.l);
}
