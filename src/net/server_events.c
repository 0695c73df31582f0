/* Server-sent events: a response that never ends, fed from a bounded queue. */
#include "net/server_private.h"

enum {
    QUEUE_BYTES = 256 << 10, /* of a page that reads slowly; then the oldest events are dropped */
    BLOCK_BYTES = 4096,
    RETRY_MS = 3000,     /* told to the page: wait so long before coming back */
    KEEP_ALIVE_S = 25,   /* below the 30 s after which the strictest proxies cut a silent connection */
};

struct chunk { /* one event in its wire form */
    struct chunk *next;
    size_t n, sent;
    char text[];
};

struct events {
    struct server *server;
    struct ex *ex;
    struct events *prev, *next;
    void (*gone)(void *);
    void *gone_arg;
    struct chunk *head, **tail;
    size_t queued_bytes;
    uint64_t dropped; /* since the last "lost" event */
    bool waiting;     /* the connection is suspended until there is something to send */
    bool closing;
};

static void wake(struct events *e)
{
    if (!e->waiting)
        return;
    e->waiting = false;
    e->ex->suspended = false;
    MHD_resume_connection(e->ex->mhd);
    server_run_soon(e->server);
}

static void queue(struct events *e, slice text)
{
    struct chunk *c = must_malloc(sizeof(*c) + text.n);
    c->next = NULL;
    c->n = text.n;
    c->sent = 0;
    memcpy(c->text, text.p, text.n);
    *e->tail = c;
    e->tail = &c->next;
    e->queued_bytes += c->n;
}

static void drop_head(struct events *e)
{
    struct chunk *c = e->head;
    e->head = c->next;
    if (!e->head)
        e->tail = &e->head;
    e->queued_bytes -= c->n;
    free(c);
}

/* Keeps what is half sent, drops from behind it. */
static void make_room(struct events *e, size_t n)
{
    while (e->head && e->queued_bytes + n > QUEUE_BYTES) {
        if (e->head->sent == 0) {
            drop_head(e);
        } else if (e->head->next) {
            struct chunk *c = e->head->next;
            e->head->next = c->next;
            if (!c->next)
                e->tail = &e->head->next;
            e->queued_bytes -= c->n;
            free(c);
        } else {
            return;
        }
        e->dropped++;
    }
}

/* "event: name", then each line of data. */
static slice wire_form(struct arena *a, const char *name, slice data)
{
    struct text t = text_new(a, SIZE_MAX / 2);
    if (name)
        text_add(&t, "event: %s\n", name);
    do {
        slice line = slice_cut(&data, '\n');
        text_put(&t, SL("data: "));
        text_put(&t, slice_ends(line, SL("\r")) ? slice_sub(line, 0, line.n - 1) : line);
        text_char(&t, '\n');
    } while (data.p);
    text_char(&t, '\n');
    return text_slice(&t);
}

static ssize_t next_bytes(void *arg, uint64_t pos, char *to, size_t max)
{
    struct events *e = ((struct ex *)arg)->events;
    (void)pos;
    if (!e)
        return MHD_CONTENT_READER_END_OF_STREAM;
    size_t n = 0;
    while (e->head && n < max) {
        struct chunk *c = e->head;
        size_t part = MIN(c->n - c->sent, max - n);
        memcpy(to + n, c->text + c->sent, part);
        n += part;
        c->sent += part;
        if (c->sent == c->n)
            drop_head(e);
    }
    e->ex->written += n;
    if (n)
        return (ssize_t)n;
    if (e->closing)
        return MHD_CONTENT_READER_END_OF_STREAM;
    e->waiting = true;
    e->ex->suspended = true;
    MHD_suspend_connection(e->ex->mhd);
    return 0;
}

static void keep_alive(void *arg)
{
    struct server *s = arg;
    for (struct events *e = s->pages; e; e = e->next) {
        if (!e->head)
            queue(e, SL(": keep-alive\n\n"));
        wake(e);
    }
    if (s->pages)
        loop_timer_start(s->loop, &s->keep_alive, KEEP_ALIVE_S * 1000, keep_alive, s);
}

/* The page left while nothing is being sent. */
static void on_leave(void *arg)
{
    struct events *e = arg;
    e->closing = true;
    while (e->head)
        drop_head(e);
    wake(e); /* the library finds out by itself and calls request_done */
}

/* From here on the stream ends by itself; ex outlives it. */
static void events_free(struct events *e)
{
    struct server *s = e->server;
    wake(e);
    ex_unwatch(e->ex);
    if (e->prev)
        e->prev->next = e->next;
    else
        s->pages = e->next;
    if (e->next)
        e->next->prev = e->prev;
    if (!s->pages)
        loop_timer_stop(&s->keep_alive);
    e->ex->events = NULL;
    while (e->head)
        drop_head(e);
    free(e);
}

void events_gone(struct events *e)
{
    void (*gone)(void *) = e->gone;
    void *arg = e->gone_arg;
    events_free(e);
    if (gone)
        gone(arg);
}

struct events *exchange_events_with(struct exchange *x, const struct header *headers, size_t n, void (*gone)(void *), void *arg)
{
    struct ex *ex = x->impl;
    if (!ex->mhd || ex->server->draining) {
        if (ex->mhd)
            exchange_fault(x, 503, &(struct fault){ .code = "unavailable", .text = "the server is going down" });
        else
            ex_finished(ex);
        return NULL;
    }
    struct server *s = ex->server;
    struct events *e = must_calloc(1, sizeof(*e));
    e->server = s;
    e->ex = ex;
    e->gone = gone;
    e->gone_arg = arg;
    e->tail = &e->head;
    e->next = s->pages;
    if (s->pages)
        s->pages->prev = e;
    s->pages = e;
    ex->events = e;
    if (!s->keep_alive.active)
        loop_timer_start(s->loop, &s->keep_alive, KEEP_ALIVE_S * 1000, keep_alive, s);
    exchange_watch(x, on_leave, e);
    queue(e, arena_printf(x->a, "retry: %d\n\n", RETRY_MS));

    struct MHD_Response *r = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_BYTES, next_bytes, ex, NULL);
    MHD_add_response_header(r, "Content-Type", "text/event-stream");
    MHD_add_response_header(r, "Cache-Control", "no-cache");
    MHD_add_response_header(r, "X-Accel-Buffering", "no"); /* nginx in front must not collect */
    for (size_t i = 0; i < n; i++)
        MHD_add_response_header(r, arena_cstr(x->a, headers[i].name), arena_cstr(x->a, headers[i].value));
    ex_send(ex, 200, r, 0, false);
    return e;
}

struct events *exchange_events(struct exchange *x, void (*gone)(void *), void *arg)
{
    return exchange_events_with(x, NULL, 0, gone, arg);
}

void events_send(struct events *e, const char *name, slice data)
{
    if (e->closing)
        return;
    struct arena *a = arena_new();
    slice text = wire_form(a, name, data);
    make_room(e, text.n);
    if (e->dropped) {
        queue(e, arena_printf(a, "event: lost\ndata: %llu\n\n", (unsigned long long)e->dropped));
        e->dropped = 0;
    }
    queue(e, text);
    arena_free(a);
    wake(e);
}

void events_close(struct events *e)
{
    e->gone = NULL;
    e->closing = true;
    if (e->head) { /* what is queued is sent first */
        wake(e);
        return;
    }
    events_free(e);
}
