#include "storages/cloud_private.h"

/* What the interface calls struct storage_get. */
struct cloud_download {
    struct cloud *c; /* NULL: the storage is closed */
    struct cloud_download *next, **here;
    void (*ready)(void *arg);
    void *arg;
    struct running *op;
    char *buffer;
    size_t from, to, cap; /* what of it waits to be read */
    bool paused, waiting, telling, ended, failed;
};

static struct cloud_download *download_of(struct storage_get *g)
{
    return (struct cloud_download *)(void *)g;
}

/* Behind the client's callback, for the reader may close the whole thing. */
static void tell(void *arg)
{
    struct cloud_download *d = arg;
    d->telling = false;
    d->ready(d->arg);
}

static void tell_later(struct cloud_download *d)
{
    if (!d->waiting || d->telling)
        return;
    d->waiting = false;
    d->telling = true;
    loop_defer(d->c->loop, tell, d);
}

static bool sink(void *owner, const struct answer *head, const char *p, size_t n)
{
    struct cloud_download *d = owner;
    struct cloud_op *op = &d->op->op;
    if (d->op->asked_from > 0 && head->status != 206)
        return false; /* from the beginning again: those bytes were read already */
    if (op->bytes >= 0) /* the whole file was sent, not the part that was asked for */
        n = MIN(n, (size_t)op->bytes);
    if (d->from == d->to)
        d->from = d->to = 0;
    if (d->cap - d->to < n && d->from) {
        memmove(d->buffer, d->buffer + d->from, d->to - d->from);
        d->to -= d->from;
        d->from = 0;
    }
    if (d->cap - d->to < n) {
        d->cap = MAX(d->to + n, (size_t)CLOUD_BLOCK * 2);
        d->buffer = must_realloc(d->buffer, d->cap);
    }
    memcpy(d->buffer + d->to, p, n);
    d->to += n;
    op->from += (int64_t)n; /* where a new try goes on */
    op->bytes -= op->bytes < 0 ? 0 : (int64_t)n;
    op->attempt = 0;
    tell_later(d);
    if (d->to - d->from >= CLOUD_BLOCK) {
        d->paused = true;
        op_pause(d->op);
    }
    return true;
}

static void op_done(void *owner, struct running *r, enum cloud_end end)
{
    struct cloud_download *d = owner;
    (void)r;
    d->op = NULL;
    d->ended = true;
    d->failed = end != CLOUD_DONE;
    tell_later(d);
}

struct storage_get *cloud_get(struct storage *s, slice handle, int64_t from, int64_t n, void (*ready)(void *arg), void *arg)
{
    struct cloud *c = cloud_of(s);
    struct cloud_download *d = must_calloc(1, sizeof(*d));
    *d = (struct cloud_download){ .c = c, .ready = ready, .arg = arg, .next = c->state->downloads, .here = &c->state->downloads };
    if (d->next)
        d->next->here = &d->next;
    c->state->downloads = d;
    d->op = op_new(c, CLOUD_GET, op_done, d);
    d->op->op.handle = arena_dup(d->op->op.a, handle);
    d->op->op.from = from;
    d->op->op.bytes = n;
    d->op->sink = sink;
    op_start(d->op);
    return (struct storage_get *)(void *)d;
}

ssize_t cloud_get_read(struct storage_get *g, char *buf, size_t n)
{
    struct cloud_download *d = download_of(g);
    n = MIN(n, d->to - d->from);
    if (n) {
        memcpy(buf, d->buffer + d->from, n);
        d->from += n;
        if (d->paused && d->from == d->to && d->op) {
            d->paused = false;
            op_resume(d->op);
        }
        return (ssize_t)n;
    }
    if (d->failed || !d->c)
        return -1;
    if (d->ended)
        return 0;
    d->waiting = true;
    return STORAGE_WAIT;
}

void cloud_get_close(struct storage_get *g)
{
    struct cloud_download *d = download_of(g);
    if (d->c) {
        *d->here = d->next;
        if (d->next)
            d->next->here = d->here;
        op_cancel(d->op);
        if (d->telling)
            loop_defer_cancel(d->c->loop, tell, d);
    }
    free(d->buffer);
    free(d);
}

void downloads_close(struct cloud *c)
{
    for (struct cloud_download *d = c->state->downloads; d; d = d->next) {
        op_cancel(d->op);
        if (d->telling)
            loop_defer_cancel(c->loop, tell, d);
        d->op = NULL;
        d->c = NULL; /* whoever reads closes it */
    }
}
