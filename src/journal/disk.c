#include "journal/disk.h"
#include "net/loop.h"
#include <pthread.h>
#include <signal.h>

enum { DISK_STACK_BYTES = 256 << 10 };

struct queue {
    struct job *first, **last;
};

/* What a posted wake-up points at: it may arrive after the disk is gone. */
struct bell {
    struct disk *d;
    bool rung;
};

struct disk {
    struct loop *loop;
    struct bell *bell;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t asked, finished;
    struct queue todo, ready;
    size_t open; /* submitted and done not yet run */
    bool stop, draining; /* draining: who waits looks by himself, no wake-up is posted */
};

static void queue_init(struct queue *q)
{
    q->first = NULL;
    q->last = &q->first;
}

static void queue_put(struct queue *q, struct job *job)
{
    job->next = NULL;
    *q->last = job;
    q->last = &job->next;
}

static struct job *queue_all(struct queue *q)
{
    struct job *job = q->first;
    queue_init(q);
    return job;
}

static struct job *queue_get(struct queue *q)
{
    struct job *job = q->first;
    q->first = job->next;
    if (!q->first)
        queue_init(q);
    return job;
}

static void run_ready(struct disk *d)
{
    pthread_mutex_lock(&d->lock);
    struct job *job = queue_all(&d->ready);
    pthread_mutex_unlock(&d->lock);
    for (struct job *next; job; job = next) {
        next = job->next; /* done may free the job or submit it again */
        d->open--;
        job->done(job);
    }
}

static void bell_heard(void *arg)
{
    struct bell *bell = arg;
    pthread_mutex_lock(&bell->d->lock);
    bell->rung = false;
    pthread_mutex_unlock(&bell->d->lock);
    run_ready(bell->d);
}

static void *disk_run(void *arg)
{
    struct disk *d = arg;
    pthread_mutex_lock(&d->lock);
    while (!d->stop || d->todo.first) {
        if (!d->todo.first) {
            pthread_cond_wait(&d->asked, &d->lock);
            continue;
        }
        struct job *job = queue_get(&d->todo);
        pthread_mutex_unlock(&d->lock);
        job->work(job);
        pthread_mutex_lock(&d->lock);
        queue_put(&d->ready, job);
        pthread_cond_signal(&d->finished);
        if (!d->bell->rung && !d->draining) {
            d->bell->rung = true;
            loop_post(d->loop, bell_heard, d->bell);
        }
    }
    pthread_mutex_unlock(&d->lock);
    return NULL;
}

struct disk *disk_new(struct loop *loop)
{
    struct disk *d = must_calloc(1, sizeof(*d));
    d->loop = loop;
    d->bell = must_calloc(1, sizeof(*d->bell));
    d->bell->d = d;
    pthread_mutex_init(&d->lock, NULL);
    pthread_cond_init(&d->asked, NULL);
    pthread_cond_init(&d->finished, NULL);
    queue_init(&d->todo);
    queue_init(&d->ready);

    /* Signals are for the loop's thread. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, DISK_STACK_BYTES);
    int e = pthread_create(&d->thread, &attr, disk_run, d);
    pthread_attr_destroy(&attr);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (e) {
        free(d->bell);
        free(d);
        return NULL;
    }
    return d;
}

void disk_submit(struct disk *d, struct job *job)
{
    d->open++;
    pthread_mutex_lock(&d->lock);
    queue_put(&d->todo, job);
    pthread_cond_signal(&d->asked);
    pthread_mutex_unlock(&d->lock);
}

void disk_drain(struct disk *d)
{
    while (d->open) {
        pthread_mutex_lock(&d->lock);
        d->draining = true;
        while (!d->ready.first)
            pthread_cond_wait(&d->finished, &d->lock);
        d->draining = false;
        pthread_mutex_unlock(&d->lock);
        run_ready(d);
    }
}

bool disk_busy(const struct disk *d)
{
    return d->open != 0;
}

void disk_free(struct disk *d)
{
    if (!d)
        return;
    disk_drain(d);
    pthread_mutex_lock(&d->lock);
    d->stop = true;
    pthread_cond_signal(&d->asked);
    pthread_mutex_unlock(&d->lock);
    pthread_join(d->thread, NULL);
    loop_post_cancel(d->loop, bell_heard, d->bell);
    free(d->bell);
    pthread_mutex_destroy(&d->lock);
    pthread_cond_destroy(&d->asked);
    pthread_cond_destroy(&d->finished);
    free(d);
}

/* ---- later -------------------------------------------------------------------------------------- */

struct later {
    struct loop *loop;
    void (*fn)(void *);
    void *arg;
    bool asked;
};

struct later *later_new(struct loop *loop, void (*fn)(void *), void *arg)
{
    struct later *l = must_malloc(sizeof(*l));
    *l = (struct later){ loop, fn, arg, false };
    return l;
}

static void later_run(void *arg)
{
    struct later *l = arg;
    l->asked = false;
    l->fn(l->arg);
}

void later_ask(struct later *l)
{
    if (l->asked)
        return;
    l->asked = true;
    loop_defer(l->loop, later_run, l);
}

void later_free(struct later *l)
{
    if (l && l->asked)
        loop_defer_cancel(l->loop, later_run, l);
    free(l);
}
