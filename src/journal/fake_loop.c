#include "journal/fake_loop.h"
#include <errno.h>
#include <pthread.h>
#include <unistd.h>

int64_t fake_wall_ms = 1772600767890, fake_mono_us = 5000000;
struct fake_fault fake_write, fake_sync, fake_allocate;
int fake_syncs, fake_writes;
bool fake_torn;
atomic_bool fake_hang;

/* Commits and snapshots are written by two threads. */
static pthread_mutex_t io_lock = PTHREAD_MUTEX_INITIALIZER;

static int next_error(struct fake_fault *f, int *counter)
{
    int e = 0;
    pthread_mutex_lock(&io_lock);
    if (counter)
        ++*counter;
    if (f->after > 0) {
        f->after--;
    } else if (f->count > 0) {
        f->count--;
        e = f->error;
    }
    pthread_mutex_unlock(&io_lock);
    return e;
}

static int io_write(void *ctx, int fd, const void *p, size_t n, off_t at)
{
    int e = next_error(&fake_write, &fake_writes);
    if (e && fake_torn)
        jio_system.write(ctx, fd, p, n / 2, at);
    return e ? e : jio_system.write(ctx, fd, p, n, at);
}

static int io_sync(void *ctx, int fd)
{
    (void)ctx, (void)fd;
    while (fake_hang)
        usleep(1000);
    return next_error(&fake_sync, &fake_syncs);
}

static int io_allocate(void *ctx, int fd, off_t size)
{
    (void)ctx;
    int e = next_error(&fake_allocate, NULL);
    return e ? e : ftruncate(fd, size) == 0 ? 0 : errno;
}

static int64_t io_wall(void *ctx)
{
    (void)ctx;
    return fake_wall_ms;
}

static int64_t io_mono(void *ctx)
{
    (void)ctx;
    return fake_mono_us;
}

const struct jio fake_io = { .write = io_write, .sync = io_sync, .allocate = io_allocate, .wall_ms = io_wall, .mono_us = io_mono };

struct call {
    void (*fn)(void *);
    void *arg;
};
struct calls {
    struct call at[4096];
    size_t n;
};
struct fake_timer {
    struct fake_timer *next;
    struct loop_timer *user;
    struct loop *loop;
    int64_t at_us;
};
struct loop {
    pthread_mutex_t lock;
    pthread_cond_t posted_one;
    struct calls posted, deferred;
    struct fake_timer *timers;
};

static void calls_add(struct calls *c, void (*fn)(void *), void *arg)
{
    assert(c->n < COUNT(c->at));
    c->at[c->n++] = (struct call){ fn, arg };
}

static bool calls_run(struct calls *c, pthread_mutex_t *lock)
{
    if (lock)
        pthread_mutex_lock(lock);
    struct calls *now = must_malloc(sizeof(*now));
    memcpy(now->at, c->at, c->n * sizeof(c->at[0]));
    now->n = c->n;
    c->n = 0;
    if (lock)
        pthread_mutex_unlock(lock);
    bool any = now->n > 0;
    for (size_t i = 0; i < now->n; i++)
        now->at[i].fn(now->at[i].arg);
    free(now);
    return any;
}

struct loop *fake_loop_new(void)
{
    struct loop *l = must_calloc(1, sizeof(*l));
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->posted_one, NULL);
    return l;
}

void fake_loop_free(struct loop *l)
{
    assert(l->posted.n == 0 && l->deferred.n == 0 && !l->timers);
    pthread_mutex_destroy(&l->lock);
    pthread_cond_destroy(&l->posted_one);
    free(l);
}

void loop_post(struct loop *l, void (*fn)(void *), void *arg)
{
    pthread_mutex_lock(&l->lock);
    calls_add(&l->posted, fn, arg);
    pthread_cond_signal(&l->posted_one);
    pthread_mutex_unlock(&l->lock);
}

void loop_defer(struct loop *l, void (*fn)(void *), void *arg)
{
    calls_add(&l->deferred, fn, arg);
}

static void calls_forget(struct calls *c, void (*fn)(void *), void *arg)
{
    size_t kept = 0;
    for (size_t i = 0; i < c->n; i++)
        if (c->at[i].fn != fn || c->at[i].arg != arg)
            c->at[kept++] = c->at[i];
    c->n = kept;
}

void loop_defer_cancel(struct loop *l, void (*fn)(void *), void *arg)
{
    calls_forget(&l->deferred, fn, arg);
}

void loop_post_cancel(struct loop *l, void (*fn)(void *), void *arg)
{
    pthread_mutex_lock(&l->lock);
    calls_forget(&l->posted, fn, arg);
    pthread_mutex_unlock(&l->lock);
}

void loop_timer_start(struct loop *l, struct loop_timer *t, int64_t in_ms, void (*fn)(void *), void *arg)
{
    struct fake_timer *impl = t->impl;
    if (!impl) {
        t->impl = impl = must_calloc(1, sizeof(*impl));
        impl->user = t;
        impl->loop = l;
        impl->next = l->timers;
        l->timers = impl;
    }
    t->fn = fn;
    t->arg = arg;
    t->active = true;
    impl->at_us = fake_mono_us + MAX(in_ms, 0) * 1000;
}

void loop_timer_stop(struct loop_timer *t)
{
    t->active = false;
}

void loop_timer_done(struct loop_timer *t)
{
    struct fake_timer *impl = t->impl;
    if (!impl)
        return;
    struct fake_timer **at = &impl->loop->timers;
    while (*at != impl)
        at = &(*at)->next;
    *at = impl->next;
    free(impl);
    t->impl = NULL;
    t->active = false;
}

int64_t fake_next_timer_us(struct loop *l)
{
    int64_t at = INT64_MAX;
    for (struct fake_timer *t = l->timers; t; t = t->next)
        at = t->user->active ? MIN(at, t->at_us) : at;
    return at;
}

static bool timers_run(struct loop *l)
{
    for (struct fake_timer *t = l->timers; t; t = t->next)
        if (t->user->active && t->at_us <= fake_mono_us) {
            t->user->active = false;
            t->user->fn(t->user->arg);
            return true; /* the list may have changed */
        }
    return false;
}

bool fake_turn(struct loop *l)
{
    bool any = calls_run(&l->posted, &l->lock);
    any |= timers_run(l);
    any |= calls_run(&l->deferred, NULL);
    return any;
}

void fake_wait(struct loop *l)
{
    pthread_mutex_lock(&l->lock);
    while (!l->posted.n)
        pthread_cond_wait(&l->posted_one, &l->lock);
    pthread_mutex_unlock(&l->lock);
}

void fake_run(struct loop *l, struct journal *j, int64_t within_ms)
{
    int64_t end_us = fake_mono_us + within_ms * 1000;
    for (;;) {
        if (fake_turn(l))
            continue;
        if (disk_busy(j->disk) || disk_busy(j->back)) {
            fake_wait(l);
            continue;
        }
        int64_t at = fake_next_timer_us(l);
        if (at > end_us)
            break;
        int64_t by = MAX(at - fake_mono_us, 0);
        fake_mono_us += by;
        fake_wall_ms += (by + 999) / 1000;
    }
}
