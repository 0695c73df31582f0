#include "net/loop.h"
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

/* Under load each wake-up costs more than what it brings. Turns of a loop that is woken often are therefore begun GATHER_US apart:
 * what comes meanwhile is served together. Whoever is woken seldom waits for nothing, and neither does a loop that has more work than
 * sleep: there events come together by themselves. One that is kept from working gathers, too: its time is short, not the clock's. */
enum {
    GATHER_US = 1000,
    ROUND_TURNS = 32,                      /* judged once in so many turns: */
    OFTEN_US = ROUND_TURNS * 2 * GATHER_US, /* often is, when they took less than this … */
    LULL_US = 8 * GATHER_US,                /* … and none of them this much */
    BUSY_PERCENT = 50,    /* of the time at work: more than that gathers by itself … */
    PRESSED_PERCENT = 80, /* … and of the time at work or kept from it: there is more to do than the processor gives time for */
};

struct call {
    void (*fn)(void *);
    void *arg;
};
struct calls { /* a queue that keeps its memory */
    struct call *at;
    size_t n, cap;
};

struct timer { /* a libuv timer, lent to one struct loop_timer at a time */
    uv_timer_t uv;
    struct loop *loop;
    struct loop_timer *user; /* NULL: on the spare list */
    struct timer *next, *next_spare;
};

struct work {
    uv_work_t uv;
    void (*work)(void *), (*done)(void *);
    void *arg;
};

struct signal_watch {
    uv_signal_t uv;
    void (*fn)(void *, int);
    void *arg;
    struct signal_watch *next;
};

struct share { /* of a processor, in time */
    uint64_t ran_us;
    uint64_t waited_us; /* would have run if it had been let: others had the processor, or its control group had used up its share */
};

struct loop {
    uv_loop_t uv;
    bool running;

    uv_async_t wake;
    uv_mutex_t lock; /* guards posted */
    struct calls posted, taken;

    uv_prepare_t before_wait;
    uv_check_t after_wait;
    uv_idle_t no_wait; /* active while a deferred call is left over */
    struct calls deferred, running_deferred;
    uint64_t turns;
    unsigned turn; /* of this round */
    uint64_t turn_us, round_us; /* when they began */
    struct share round_share;
    bool gathers, pressed;
    int schedstat; /* -1: this kernel does not tell */

    struct timer *timers, *spare;
    struct signal_watch *signals;
};

static void calls_add(struct calls *q, void (*fn)(void *), void *arg)
{
    if (q->n == q->cap) {
        q->cap = q->cap ? q->cap * 2 : 16;
        q->at = must_realloc(q->at, q->cap * sizeof(q->at[0]));
    }
    q->at[q->n++] = (struct call){ fn, arg };
}

static void calls_swap(struct calls *a, struct calls *b)
{
    struct calls was = *a;
    *a = *b;
    *b = was;
}

static void calls_run(struct calls *q)
{
    for (size_t i = 0; i < q->n; i++)
        if (q->at[i].fn) /* NULL: forgotten */
            q->at[i].fn(q->at[i].arg);
    q->n = 0;
}

/* ---- messages from other threads ---------------------------------------------------------------- */

static void posted_run(uv_async_t *wake)
{
    struct loop *l = wake->data;
    uv_mutex_lock(&l->lock);
    calls_swap(&l->posted, &l->taken);
    uv_mutex_unlock(&l->lock);
    calls_run(&l->taken);
}

void loop_post(struct loop *l, void (*fn)(void *), void *arg)
{
    uv_mutex_lock(&l->lock);
    bool first = l->posted.n == 0;
    calls_add(&l->posted, fn, arg);
    uv_mutex_unlock(&l->lock);
    if (first)
        uv_async_send(&l->wake);
}

/* ---- deferred calls ----------------------------------------------------------------------------- */

static void nothing(uv_idle_t *h)
{
    (void)h;
}

/* Runs twice a turn: behind the timers, and behind the descriptors. What a deferred call defers waits for the next of
 * the two, so that it cannot starve the descriptors; the idle handle keeps the loop from sleeping on it. */
static void deferred_run(struct loop *l)
{
    if (l->deferred.n == 0)
        return;
    calls_swap(&l->deferred, &l->running_deferred);
    calls_run(&l->running_deferred);
    if (l->deferred.n == 0)
        uv_idle_stop(&l->no_wait);
}

static uint64_t clock_us(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static struct share share_now(const struct loop *l)
{
    char text[96];
    ssize_t n = l->schedstat >= 0 ? pread(l->schedstat, text, sizeof(text) - 1, 0) : -1;
    uint64_t ran_ns, waited_ns;
    text[MAX(n, 0)] = 0;
    if (n <= 0 || sscanf(text, "%" SCNu64 " %" SCNu64, &ran_ns, &waited_ns) != 2)
        return (struct share){ clock_us(CLOCK_THREAD_CPUTIME_ID), 0 };
    return (struct share){ ran_ns / 1000, waited_ns / 1000 };
}

static void judge_round(struct loop *l, uint64_t now)
{
    struct share s = share_now(l);
    uint64_t took = MAX(now - l->round_us, 1), ran = (s.ran_us - l->round_share.ran_us) * 100 / took,
             waited = (s.waited_us - l->round_share.waited_us) * 100 / took;
    bool often = l->turn == ROUND_TURNS && took < OFTEN_US;
    l->pressed = ran + waited >= PRESSED_PERCENT;
    l->gathers = (often || l->pressed) && ran < BUSY_PERCENT;
    l->turn = 0;
    l->round_us = now;
    l->round_share = s;
}

bool loop_is_pressed(const struct loop *l)
{
    return l->pressed;
}

uint64_t loop_turns(const struct loop *l)
{
    return l->turns;
}

/* Before the loop asks for events. Nothing is late by more than GATHER_US. */
static void gather(struct loop *l)
{
    uint64_t now = clock_us(CLOCK_MONOTONIC);
    l->turns++;
    if (++l->turn == ROUND_TURNS || now - l->turn_us > LULL_US)
        judge_round(l, now);
    if (l->gathers && now - l->turn_us < GATHER_US && l->deferred.n == 0) {
        struct timespec rest = { .tv_nsec = (long)(l->turn_us + GATHER_US - now) * 1000 };
        nanosleep(&rest, NULL); /* a signal ends it early: then there is something to do */
        uv_update_time(&l->uv);
        now = clock_us(CLOCK_MONOTONIC);
    }
    l->turn_us = now;
}

static void on_prepare(uv_prepare_t *h)
{
    deferred_run(h->data);
    gather(h->data);
}

static void on_check(uv_check_t *h)
{
    deferred_run(h->data);
}

void loop_defer(struct loop *l, void (*fn)(void *), void *arg)
{
    if (l->deferred.n == 0)
        uv_idle_start(&l->no_wait, nothing);
    calls_add(&l->deferred, fn, arg);
}

static void forget(struct calls *q, void (*fn)(void *), void *arg)
{
    for (size_t i = 0; i < q->n; i++)
        if (q->at[i].fn == fn && q->at[i].arg == arg)
            q->at[i].fn = NULL;
}

void loop_defer_cancel(struct loop *l, void (*fn)(void *), void *arg)
{
    forget(&l->deferred, fn, arg);
    forget(&l->running_deferred, fn, arg); /* those of this round that already ran are not looked at again */
}

void loop_post_cancel(struct loop *l, void (*fn)(void *), void *arg)
{
    uv_mutex_lock(&l->lock);
    forget(&l->posted, fn, arg);
    uv_mutex_unlock(&l->lock);
    forget(&l->taken, fn, arg);
}

/* ---- timers ------------------------------------------------------------------------------------- */

static void timer_fire(uv_timer_t *h)
{
    struct loop_timer *t = ((struct timer *)h->data)->user;
    t->active = false;
    t->fn(t->arg); /* may free or restart t */
}

static struct timer *timer_take(struct loop *l, struct loop_timer *user)
{
    struct timer *t = l->spare;
    if (t) {
        l->spare = t->next_spare;
    } else {
        t = must_calloc(1, sizeof(*t));
        uv_timer_init(&l->uv, &t->uv);
        t->uv.data = t;
        t->loop = l;
        t->next = l->timers;
        l->timers = t;
    }
    t->user = user;
    return t;
}

void loop_timer_start(struct loop *l, struct loop_timer *user, int64_t in_ms, void (*fn)(void *), void *arg)
{
    struct timer *t = user->impl;
    if (!t)
        user->impl = t = timer_take(l, user);
    assert(t->loop == l && t->user == user);
    if (!l->running)
        uv_update_time(&l->uv); /* outside loop_run its clock stands still */
    user->fn = fn;
    user->arg = arg;
    user->active = true;
    uv_timer_start(&t->uv, timer_fire, in_ms > 0 ? (uint64_t)in_ms : 0, 0);
}

void loop_timer_stop(struct loop_timer *user)
{
    struct timer *t = user->impl;
    if (t && user->active)
        uv_timer_stop(&t->uv);
    user->active = false;
}

void loop_timer_done(struct loop_timer *user)
{
    struct timer *t = user->impl;
    if (!t)
        return;
    loop_timer_stop(user);
    user->impl = NULL;
    t->user = NULL;
    t->next_spare = t->loop->spare;
    t->loop->spare = t;
}

/* ---- blocking work ------------------------------------------------------------------------------ */

static void work_run(uv_work_t *h)
{
    struct work *w = h->data;
    w->work(w->arg);
}

static void work_done(uv_work_t *h, int status)
{
    struct work *w = h->data;
    (void)status; /* never cancelled */
    if (w->done)
        w->done(w->arg);
    free(w);
}

void loop_work(struct loop *l, void (*work)(void *), void (*done)(void *), void *arg)
{
    struct work *w = must_calloc(1, sizeof(*w));
    w->uv.data = w;
    w->work = work;
    w->done = done;
    w->arg = arg;
    int rc = uv_queue_work(&l->uv, &w->uv, work_run, work_done);
    assert(rc == 0);
}

/* ---- signals ------------------------------------------------------------------------------------ */

static void signal_fire(uv_signal_t *h, int signum)
{
    struct signal_watch *w = h->data;
    w->fn(w->arg, signum);
}

void loop_signal(struct loop *l, int signum, void (*fn)(void *, int), void *arg)
{
    struct signal_watch *w = must_calloc(1, sizeof(*w));
    w->fn = fn;
    w->arg = arg;
    w->next = l->signals;
    l->signals = w;
    uv_signal_init(&l->uv, &w->uv);
    w->uv.data = w;
    int rc = uv_signal_start(&w->uv, signal_fire, signum);
    assert(rc == 0);
}

/* ---- life --------------------------------------------------------------------------------------- */

struct loop *loop_new(void)
{
    struct loop *l = must_calloc(1, sizeof(*l));
    int rc = uv_loop_init(&l->uv);
    if (rc == 0)
        rc = uv_mutex_init(&l->lock);
    if (rc == 0)
        rc = uv_async_init(&l->uv, &l->wake, posted_run);
    if (rc != 0) { /* no descriptors or no memory left before anything began: nobody could go on from here */
        fprintf(stderr, "dragoman: the event loop cannot start: %s\n", uv_strerror(rc));
        abort();
    }
    signal(SIGPIPE, SIG_IGN);
    uv_prepare_init(&l->uv, &l->before_wait);
    uv_prepare_start(&l->before_wait, on_prepare);
    uv_check_init(&l->uv, &l->after_wait);
    uv_check_start(&l->after_wait, on_check);
    uv_idle_init(&l->uv, &l->no_wait);
    l->wake.data = l->before_wait.data = l->after_wait.data = l;
    return l;
}

void loop_run(struct loop *l)
{
    assert(!l->running);
    l->running = true;
    l->schedstat = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
    uv_run(&l->uv, UV_RUN_DEFAULT); /* the wake handle keeps it going until uv_stop */
    if (l->schedstat >= 0)
        close(l->schedstat);
    l->running = false;
}

void loop_stop(struct loop *l)
{
    uv_stop(&l->uv);
}

struct uv_loop_s *loop_uv(struct loop *l)
{
    return &l->uv;
}

int64_t loop_now_ms(const struct loop *l)
{
    return (int64_t)uv_now(&l->uv);
}

void loop_free(struct loop *l)
{
    if (!l)
        return;
    assert(!l->running);
    for (struct timer *t = l->timers; t; t = t->next) {
        if (t->user && uv_is_active((uv_handle_t *)&t->uv)) {
            t->user->impl = NULL;
            t->user->active = false;
        }
        uv_close((uv_handle_t *)&t->uv, NULL);
    }
    for (struct signal_watch *w = l->signals; w; w = w->next)
        uv_close((uv_handle_t *)&w->uv, NULL);
    uv_close((uv_handle_t *)&l->wake, NULL);
    uv_close((uv_handle_t *)&l->before_wait, NULL);
    uv_close((uv_handle_t *)&l->after_wait, NULL);
    uv_close((uv_handle_t *)&l->no_wait, NULL);
    while (uv_run(&l->uv, UV_RUN_DEFAULT) != 0) /* also waits for work under way; twice after a loop_stop that nobody heard */
        ;
    int rc = uv_loop_close(&l->uv);
    assert(rc == 0); /* a server or client outlives its loop */

    for (struct timer *t = l->timers, *next; t; t = next) {
        next = t->next;
        free(t);
    }
    for (struct signal_watch *w = l->signals, *next; w; w = next) {
        next = w->next;
        free(w);
    }
    uv_mutex_destroy(&l->lock);
    free(l->posted.at);
    free(l->taken.at);
    free(l->deferred.at);
    free(l->running_deferred.at);
    free(l);
}
