#include "broker/broker-private.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LINE_STACK_BYTES = 256 << 10 };

/* ---- orders and news ------------------------------------------------------------------------------------------------------- */

struct order *order_new(enum order_kind kind, slice key, slice body)
{
    struct order *o = must_calloc(1, sizeof(*o) + key.n + body.n);
    o->kind = kind;
    o->n_key = key.n;
    o->n = body.n;
    if (key.n)
        memcpy(o->bytes, key.p, key.n);
    if (body.n)
        memcpy(o->bytes + key.n, body.p, body.n);
    return o;
}

static void ring(struct line *l)
{
    uint64_t one = 1;
    if (write(l->bell, &one, sizeof(one)) != sizeof(one))
        assert(errno == EAGAIN); /* it rings already */
}

void line_order(struct line *l, struct order *o)
{
    pthread_mutex_lock(&l->lock);
    bool first = !l->orders;
    *l->last_order = o;
    l->last_order = &o->next;
    pthread_mutex_unlock(&l->lock);
    if (first)
        ring(l);
}

struct news *news_new(enum news_kind kind, slice bytes)
{
    struct news *n = must_calloc(1, sizeof(*n) + bytes.n);
    n->kind = kind;
    n->n = bytes.n;
    if (bytes.n)
        memcpy(n->bytes, bytes.p, bytes.n);
    return n;
}

void line_tell(struct line *l, struct news *n)
{
    n->life = l->life;
    pthread_mutex_lock(&l->lock);
    *l->last_news = n;
    l->last_news = &n->next;
    bool post = !l->told && !l->stop;
    l->told |= post;
    pthread_mutex_unlock(&l->lock);
    if (post)
        loop_post(l->b->loop, broker_heard, l);
}

bool line_fail(struct line *l, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(l->why, sizeof(l->why), fmt, args);
    va_end(args);
    return false;
}

/* ---- the thread -------------------------------------------------------------------------------------------------------------- */

static bool stopping(struct line *l)
{
    pthread_mutex_lock(&l->lock);
    bool stop = l->stop;
    pthread_mutex_unlock(&l->lock);
    return stop;
}

static struct order *take_orders(struct line *l)
{
    pthread_mutex_lock(&l->lock);
    struct order *o = l->orders;
    l->orders = NULL;
    l->last_order = &l->orders;
    pthread_mutex_unlock(&l->lock);
    return o;
}

/* Until the bell rings, the broker sends something, or the time is over. */
static void rest(struct line *l, int64_t ms)
{
    struct pollfd p[] = { { .fd = l->bell, .events = POLLIN }, { .fd = l->c ? amqp_get_sockfd(l->c) : -1, .events = POLLIN } };
    uint64_t rung;
    if (poll(p, COUNT(p), (int)ms) > 0 && p[0].revents & POLLIN && read(l->bell, &rung, sizeof(rung)) < 0)
        assert(errno == EAGAIN);
}

static bool carry_out_all(struct line *l)
{
    bool ok = true;
    for (struct order *o = take_orders(l), *next; o; o = next) {
        next = o->next;
        if (ok && l->c)
            ok = l->role->carry_out(l, o);
        free(o); /* a publish that was not made is missed by its deadline, or by the news that we are down */
    }
    return ok;
}

/* One life of the connection. */
static void live(struct line *l)
{
    l->life++;
    l->why[0] = 0;
    bool ok = line_connect(l) && l->role->begin(l);
    if (ok)
        line_tell(l, news_new(NEWS_UP, SLICE_NONE));
    while (ok && !stopping(l)) {
        ok = carry_out_all(l) && l->role->look(l);
        if (!ok)
            break;
        amqp_maybe_release_buffers(l->c);
        rest(l, LOOK_MS);
    }
    if (ok)
        ok = carry_out_all(l);
    l->role->end(l);
    line_disconnect(l, ok);
    line_tell(l, news_new(NEWS_DOWN, slice_of(l->why)));
}

static void *line_run(void *arg)
{
    struct line *l = arg;
    int64_t again_ms = BROKER_AGAIN_MS;
    while (!stopping(l)) {
        int64_t began_ms = time_mono_ms();
        live(l);
        if (time_mono_ms() - began_ms > BROKER_AGAIN_MAX_MS)
            again_ms = BROKER_AGAIN_MS;
        for (int64_t until_ms = time_mono_ms() + again_ms, left; !stopping(l) && (left = until_ms - time_mono_ms()) > 0;) {
            (void)carry_out_all(l);
            rest(l, left);
        }
        again_ms = MIN(again_ms * 2, (int64_t)BROKER_AGAIN_MAX_MS);
    }
    arena_thread_end();
    return NULL;
}

void line_start(struct line *l, struct broker *b, const struct line_role *role)
{
    l->b = b;
    l->role = role;
    l->fd = -1;
    l->last_order = &l->orders;
    l->last_news = &l->news;
    pthread_mutex_init(&l->lock, NULL);
    l->bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    assert(l->bell >= 0);
    sigset_t all, before; /* signals are for the loop's thread */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, LINE_STACK_BYTES);
    int e = pthread_create(&l->thread, &attr, line_run, l);
    assert(e == 0);
    pthread_attr_destroy(&attr);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void line_stop(struct line *l)
{
    enum { ORDERLY_MS = 2000 };
    pthread_mutex_lock(&l->lock);
    l->stop = true;
    pthread_mutex_unlock(&l->lock);
    ring(l);
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += ORDERLY_MS / 1000;
    if (pthread_timedjoin_np(l->thread, NULL, &until) != 0) { /* it waits for a broker that does not answer */
        pthread_mutex_lock(&l->lock);
        if (l->fd >= 0)
            (void)shutdown(l->fd, SHUT_RDWR);
        pthread_mutex_unlock(&l->lock);
        pthread_join(l->thread, NULL);
    }
    loop_post_cancel(l->b->loop, broker_heard, l);
    for (struct order *o = take_orders(l), *next; o; o = next) {
        next = o->next;
        free(o);
    }
    for (struct news *n = l->news, *next; n; n = next) {
        next = n->next;
        free(n);
    }
    free(l->sent);
    free(l->held);
    close(l->bell);
    pthread_mutex_destroy(&l->lock);
}
