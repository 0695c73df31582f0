/* An answer that comes in pieces, with a bound on what waits for the peer. */
#include "net/server_private.h"

enum {
    KNOWN_BLOCK_BYTES = 32 << 10, /* the library takes so much at once of a body whose length is known … */
    OPEN_BLOCK_BYTES = 4 << 10,   /* … and of others, which it copies through the connection's own memory */
};

struct piece {
    struct piece *next;
    size_t n, sent;
    char bytes[];
};

struct stream { /* from exchange_stream until the library is done with the request */
    struct ex *ex;
    struct stream_answer sa; /* its functions: NULL once the owner has let go */
    struct piece *head, **tail;
    size_t held;
    uint64_t put;
    bool full;    /* the owner was told to wait */
    bool waiting; /* the connection is suspended until there is something to send */
    bool ended, broken;
};

static void wake(struct stream *s)
{
    if (!s->waiting)
        return;
    s->waiting = false;
    s->ex->suspended = false;
    MHD_resume_connection(s->ex->mhd);
    server_run_soon(s->ex->server);
}

static void drop_head(struct stream *s)
{
    struct piece *p = s->head;
    s->head = p->next;
    if (!s->head)
        s->tail = &s->head;
    free(p);
}

static void let_go(struct stream *s)
{
    s->sa.ready = s->sa.gone = NULL;
    ex_unwatch(s->ex);
}

static ssize_t next_bytes(void *arg, uint64_t pos, char *to, size_t max)
{
    struct stream *s = ((struct ex *)arg)->stream;
    (void)pos;
    if (s->broken)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    size_t n = 0;
    while (s->head && n < max) {
        struct piece *p = s->head;
        size_t part = MIN(p->n - p->sent, max - n);
        memcpy(to + n, p->bytes + p->sent, part);
        n += part;
        p->sent += part;
        if (p->sent == p->n)
            drop_head(s);
    }
    s->held -= n;
    s->ex->written += n;
    if (s->full && s->held <= s->sa.held_bytes / 2) {
        s->full = false;
        if (s->sa.ready)
            s->sa.ready(s->sa.arg);
    }
    if (n)
        return (ssize_t)n;
    if (s->ended)
        return MHD_CONTENT_READER_END_OF_STREAM;
    s->waiting = true;
    s->ex->suspended = true;
    MHD_suspend_connection(s->ex->mhd);
    return 0;
}

static bool has_body(const struct ex *e, int status)
{
    return !e->head_only && status != 204 && status != 304;
}

struct stream *exchange_stream(struct exchange *x, const struct stream_answer *sa)
{
    struct ex *e = x->impl;
    if (!e->mhd || (sa->endless && e->server->draining)) {
        if (e->mhd)
            exchange_fault(x, 503, &(struct fault){ .code = "unavailable", .text = "the server is going down" });
        else
            ex_finished(e);
        return NULL;
    }
    bool known = sa->bytes >= 0, body = sa->bytes != 0 && has_body(e, sa->status);
    size_t block = known ? MIN((size_t)MAX(sa->bytes, 1), (size_t)KNOWN_BLOCK_BYTES) : OPEN_BLOCK_BYTES;
    struct MHD_Response *r;
    if (body || e->head_only)
        r = MHD_create_response_from_callback(known ? (uint64_t)sa->bytes : MHD_SIZE_UNKNOWN, block, next_bytes, e, NULL);
    else
        r = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    if (e->head_only && !known) /* the library would put the closing chunk behind the head */
        MHD_set_response_options(r, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
    ex_add_headers(e, r, sa->headers, sa->n_headers);
    if (!body) { /* the library asks for none */
        ex_send(e, sa->status, r, 0, false);
        return NULL;
    }
    struct stream *s = must_calloc(1, sizeof(*s));
    s->ex = e;
    s->sa = *sa;
    s->tail = &s->head;
    e->stream = s;
    ex_send(e, sa->status, r, 0, false);
    return s;
}

bool stream_put(struct stream *s, slice bytes)
{
    if (bytes.n && !s->ended && !s->broken) {
        struct piece *p = must_malloc(sizeof(*p) + bytes.n);
        p->next = NULL;
        p->n = bytes.n;
        p->sent = 0;
        memcpy(p->bytes, bytes.p, bytes.n);
        *s->tail = p;
        s->tail = &p->next;
        s->held += p->n;
        s->put += p->n;
        wake(s);
    }
    if (s->held >= s->sa.held_bytes)
        s->full = true;
    return !s->full;
}

size_t stream_held(const struct stream *s)
{
    return s->held;
}

void stream_end(struct stream *s)
{
    if (s->sa.bytes >= 0 && s->put != (uint64_t)s->sa.bytes) { /* less than was promised must not look like all of it */
        stream_break(s);
        return;
    }
    let_go(s);
    s->ended = true;
    wake(s);
}

void stream_break(struct stream *s)
{
    let_go(s);
    s->broken = true;
    while (s->head)
        drop_head(s);
    s->held = 0;
    ex_reset(s->ex);
    wake(s);
}

/* The server ends: streams that never would by themselves end here, in an orderly way. */
void stream_drain(struct stream *s)
{
    void (*gone)(void *) = s->sa.gone;
    if (!s->sa.endless || s->ended || s->broken)
        return;
    let_go(s);
    s->ended = true;
    wake(s);
    if (gone)
        gone(s->sa.arg);
}

void stream_finished(struct stream *s)
{
    void (*gone)(void *) = s->sa.gone;
    s->ex->stream = NULL;
    while (s->head)
        drop_head(s);
    if (gone)
        gone(s->sa.arg);
    free(s);
}
