#include "cache/redis_conn.h"
#include "cache/cache.h"
#include "cache/redis_tls.h"
#include "cache/redis_url.h"
#include "net/loop.h"
#include <uv.h>

enum { CHECK_MS = 250, IDLE_PING_MS = 10000, AGAIN_FIRST_MS = 100, AGAIN_MOST_MS = 5000, IN_MAX = 4 << 20, OUT_MAX = 16 << 20, PIECE = 16384 };
#define REFUSED UINT32_MAX /* instead of a number of answers */
enum phase { DOWN, CONNECTING, LOGGING_IN, UP };

/* A command that waits for its answer. */
struct pending {
    struct pending *next;
    int64_t since_ms;
    void (*done)(void *arg, const struct resp *r);
    void *arg;
};
struct bytes {
    char *p;
    size_t n, cap;
};
/* What libuv holds while it lets go of a socket or a look-up; outlives the connection. */
struct link {
    uv_tcp_t tcp;
    uv_connect_t connect;
    uv_getaddrinfo_t look_up;
    struct redis_conn *conn; /* NULL: nobody listens any more */
    bool looking, opened, closing;
    char piece[PIECE];
};
struct write {
    uv_write_t uv;
    char bytes[];
};
struct redis_conn {
    struct loop *loop;
    struct redis_how how;
    struct redis_events ev;
    char host[REDIS_HOST_MAX + 1];
    unsigned port;
    enum phase phase;
    struct link *link;
    struct redis_tls *tls;
    struct pending *first, **last;
    struct bytes in, out; /* out: plain, not yet sent */
    bool flushing; /* at the end of this turn */
    unsigned logins;      /* answers of the log-in still to come */
    unsigned failures;    /* to connect, in a row */
    int64_t began_ms, began_us, took_us, heard_ms;
    struct loop_timer timer;
};

static void dial(void *arg);
static void flush(void *arg);

static void bytes_add(struct bytes *b, slice s)
{
    if (b->n + s.n > b->cap) {
        b->cap = MAX(b->cap * 2, b->n + s.n + 4096);
        b->p = must_realloc(b->p, b->cap);
    }
    memcpy(b->p + b->n, s.p ? s.p : "", s.n);
    b->n += s.n;
}

static void bytes_drop(struct bytes *b, size_t n)
{
    memmove(b->p, b->p + n, b->n - n);
    b->n -= n;
}

/* ---- the end of a connection --------------------------------------------------------------------------------------------------- */

static void link_freed(uv_handle_t *h)
{
    free(CONTAINER_OF((uv_tcp_t *)h, struct link, tcp));
}

static void link_close(struct link *k)
{
    k->conn = NULL;
    if (k->closing || k->looking) /* the look-up's end comes here again */
        return;
    k->closing = true;
    if (k->opened)
        uv_close((uv_handle_t *)&k->tcp, link_freed);
    else
        free(k);
}

static void let_go(struct redis_conn *c)
{
    if (c->link)
        link_close(c->link);
    c->link = NULL;
    redis_tls_free(c->tls);
    c->tls = NULL;
    c->in.n = c->out.n = 0;
    c->logins = 0;
    if (c->flushing)
        loop_defer_cancel(c->loop, flush, c);
    c->flushing = false;
}

static void drop(struct redis_conn *c, const char *why)
{
    char text[120];
    snprintf(text, sizeof(text), "%s", why);
    let_go(c);
    c->phase = DOWN;
    struct pending *p = c->first;
    c->first = NULL;
    c->last = &c->first;
    int64_t in_ms = MIN((int64_t)AGAIN_FIRST_MS << MIN(c->failures, 10u), (int64_t)AGAIN_MOST_MS);
    c->failures++;
    loop_timer_start(c->loop, &c->timer, in_ms, dial, c);
    for (struct pending *next; p; p = next) {
        next = p->next;
        p->done(p->arg, NULL);
        free(p);
    }
    c->ev.down(c->ev.arg, c, text);
}

void redis_conn_again(struct redis_conn *c, const char *why)
{
    if (c->phase == DOWN)
        return;
    c->failures = 0;
    drop(c, why);
}

void redis_conn_free(struct redis_conn *c)
{
    if (!c)
        return;
    let_go(c);
    for (struct pending *p = c->first, *next; p; p = next) {
        next = p->next;
        free(p);
    }
    loop_timer_done(&c->timer);
    free(c->in.p);
    free(c->out.p);
    free(c);
}

/* ---- sending ------------------------------------------------------------------------------------------------------------------- */

static void written(uv_write_t *uv, int status)
{
    (void)status; /* reading tells that the connection went */
    free(CONTAINER_OF(uv, struct write, uv));
}

static bool put_out(struct redis_conn *c, slice raw)
{
    struct write *w = must_malloc(sizeof(*w) + raw.n);
    memcpy(w->bytes, raw.p, raw.n);
    uv_buf_t buf = uv_buf_init(w->bytes, (unsigned)raw.n);
    if (uv_write(&w->uv, (uv_stream_t *)&c->link->tcp, &buf, 1, written) == 0)
        return true;
    free(w);
    return false;
}

static bool put_tls_out(struct redis_conn *c)
{
    char piece[PIECE];
    for (size_t n; (n = redis_tls_give(c->tls, piece, sizeof(piece))) > 0;)
        if (!put_out(c, slice_mem(piece, n)))
            return false;
    return true;
}

static bool put_plain(struct redis_conn *c, slice plain)
{
    if (!c->tls)
        return put_out(c, plain);
    return redis_tls_write(c->tls, plain) && put_tls_out(c);
}

static void flush(void *arg)
{
    struct redis_conn *c = arg;
    c->flushing = false;
    if (c->phase != UP || !c->out.n)
        return;
    bool ok = put_plain(c, slice_mem(c->out.p, c->out.n));
    c->out.n = 0;
    if (!ok)
        drop(c, "writing failed");
}

static void flush_soon(struct redis_conn *c)
{
    if (c->phase != UP || c->flushing)
        return;
    c->flushing = true;
    loop_defer(c->loop, flush, c);
}

static struct pending *pending_new(void (*done)(void *arg, const struct resp *r), void *arg)
{
    struct pending *p = must_calloc(1, sizeof(*p));
    *p = (struct pending){ .since_ms = time_mono_ms(), .done = done, .arg = arg };
    return p;
}

void redis_conn_send(struct redis_conn *c, slice command, void (*done)(void *arg, const struct resp *r), void *arg)
{
    if (c->phase == DOWN || c->out.n + command.n > OUT_MAX) {
        done(arg, NULL);
        return;
    }
    struct pending *p = pending_new(done, arg);
    *c->last = p;
    c->last = &p->next;
    bytes_add(&c->out, command);
    flush_soon(c);
}

/* ---- logging in ---------------------------------------------------------------------------------------------------------------- */

static void logged_in(void *arg, const struct resp *r)
{
    struct redis_conn *c = arg;
    if (!r)
        return; /* drop() is at work */
    if (r->kind == RESP_ERROR) {
        c->logins = REFUSED; /* take() drops it */
        return;
    }
    c->logins--;
}

static void login_add(struct redis_conn *c, struct arena *a, struct pending ***at, const slice *args, size_t n)
{
    struct text t = text_new(a, CACHE_VALUE_MAX);
    resp_command(&t, args, n);
    struct pending *p = pending_new(logged_in, c);
    p->next = **at;
    if (!p->next && c->last == *at)
        c->last = &p->next;
    **at = p;
    *at = &p->next;
    c->logins++;
    if (!put_plain(c, text_slice(&t)))
        c->logins = REFUSED;
}

static void is_up(struct redis_conn *c)
{
    c->phase = UP;
    c->took_us = time_mono_us() - c->began_us;
    c->failures = 0;
    flush_soon(c);
    c->ev.up(c->ev.arg, c);
}

/* The transport stands. */
static void log_in(struct redis_conn *c)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct pending **at = &c->first; /* before what waits already */
    c->phase = LOGGING_IN;
    if (c->how.password.p && c->how.user.p)
        login_add(c, a, &at, (slice[]){ SL("AUTH"), c->how.user, c->how.password }, 3);
    else if (c->how.password.p)
        login_add(c, a, &at, (slice[]){ SL("AUTH"), c->how.password }, 2);
    if (c->how.db)
        login_add(c, a, &at, (slice[]){ SL("SELECT"), arena_printf(a, "%u", c->how.db) }, 2);
    if (c->logins == REFUSED)
        drop(c, "writing failed");
    else if (!c->logins)
        is_up(c);
}

/* ---- receiving ----------------------------------------------------------------------------------------------------------------- */

static bool is_news(const struct redis_conn *c, const struct resp *r)
{
    return c->ev.said && r->kind == RESP_ARRAY && r->n == 3 && slice_eq(r->items[0].text, SL("message"));
}

/* One value. False: the connection is gone. */
static bool take(struct redis_conn *c, const struct resp *r)
{
    const struct link *k = c->link;
    if (is_news(c, r)) {
        c->ev.said(c->ev.arg, r->items[1].text, r->items[2].text);
        return c->link == k;
    }
    struct pending *p = c->first;
    if (!p) {
        drop(c, "it answered what nobody asked");
        return false;
    }
    c->first = p->next;
    if (!c->first)
        c->last = &c->first;
    p->done(p->arg, r);
    free(p);
    if (c->link != k)
        return false;
    if (c->phase != LOGGING_IN)
        return true;
    if (c->logins == REFUSED) {
        drop(c, "it refused the log-in");
        return false;
    }
    if (!c->logins)
        is_up(c);
    return c->link == k;
}

static void take_all(struct redis_conn *c)
{
    size_t at = 0;
    for (;;) {
        CLEANUP(arena_freep) struct arena *a = arena_new();
        struct resp r;
        size_t used;
        enum resp_end end = at < c->in.n ? resp_read(a, slice_mem(c->in.p + at, c->in.n - at), &r, &used) : RESP_MORE;
        if (end == RESP_BAD || (end == RESP_MORE && c->in.n - at > IN_MAX)) {
            drop(c, "it does not speak as Redis does");
            return;
        }
        if (end == RESP_MORE)
            break;
        at += used;
        if (!take(c, &r))
            return;
    }
    bytes_drop(&c->in, at);
}

static bool take_tls(struct redis_conn *c, slice raw)
{
    const char *why;
    char piece[PIECE];
    ssize_t n;
    bool was_ready = redis_tls_ready(c->tls);
    bool ok = redis_tls_take(c->tls, raw, &why);
    if (!put_tls_out(c) || !ok) {
        drop(c, why);
        return false;
    }
    if (!redis_tls_ready(c->tls))
        return true;
    while ((n = redis_tls_read(c->tls, piece, sizeof(piece))) > 0)
        bytes_add(&c->in, slice_mem(piece, (size_t)n));
    if (n < 0 || !put_tls_out(c)) {
        drop(c, "TLS ended");
        return false;
    }
    const struct link *k = c->link;
    if (!was_ready)
        log_in(c);
    return c->link == k;
}

static void give_room(uv_handle_t *h, size_t hint, uv_buf_t *buf)
{
    (void)hint;
    struct link *k = CONTAINER_OF((uv_tcp_t *)h, struct link, tcp);
    *buf = uv_buf_init(k->piece, sizeof(k->piece));
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
    struct link *k = CONTAINER_OF((uv_tcp_t *)s, struct link, tcp);
    struct redis_conn *c = k->conn;
    if (!c || n == 0)
        return;
    if (n < 0) {
        drop(c, n == UV_EOF ? "it closed the connection" : uv_strerror((int)n));
        return;
    }
    c->heard_ms = time_mono_ms();
    slice raw = slice_mem(buf->base, (size_t)n);
    if (!c->tls)
        bytes_add(&c->in, raw);
    else if (!take_tls(c, raw))
        return;
    take_all(c);
}

/* ---- connecting ---------------------------------------------------------------------------------------------------------------- */

static void ponged(void *arg, const struct resp *r)
{
    (void)arg;
    (void)r; /* that something came is enough */
}

/* While it is there: has the oldest command waited for too long, is the peer still there? */
static void check(void *arg)
{
    struct redis_conn *c = arg;
    int64_t now_ms = time_mono_ms();
    bool late = c->phase == UP ? c->first && now_ms - c->first->since_ms > CACHE_ANSWER_MS : now_ms - c->began_ms > CACHE_ANSWER_MS;
    if (late) {
        drop(c, "it did not answer in time");
        return;
    }
    if (c->phase == UP && !c->first && now_ms - c->heard_ms > IDLE_PING_MS)
        redis_conn_send(c, SL("*1\r\n$4\r\nPING\r\n"), ponged, c);
    loop_timer_start(c->loop, &c->timer, CHECK_MS, check, c);
}

static void on_connect(uv_connect_t *uv, int status)
{
    struct redis_conn *c = CONTAINER_OF(uv, struct link, connect)->conn;
    if (!c)
        return;
    if (status != 0 || uv_read_start((uv_stream_t *)&c->link->tcp, give_room, on_read) != 0) {
        drop(c, status ? uv_strerror(status) : "reading failed");
        return;
    }
    (void)uv_tcp_nodelay(&c->link->tcp, 1);
    c->heard_ms = time_mono_ms();
    if (!c->how.tls) {
        log_in(c);
        return;
    }
    c->tls = redis_tls_new(c->how.tls, c->host);
    if (!c->tls || !put_tls_out(c))
        drop(c, "TLS cannot begin");
}

static void on_address(uv_getaddrinfo_t *uv, int status, struct addrinfo *found)
{
    struct link *k = CONTAINER_OF(uv, struct link, look_up);
    struct redis_conn *c = k->conn;
    k->looking = false;
    if (!c) {
        link_close(k);
    } else if (status != 0) {
        drop(c, uv_strerror(status));
    } else {
        k->opened = uv_tcp_init(loop_uv(c->loop), &k->tcp) == 0;
        if (!k->opened || uv_tcp_connect(&k->connect, &k->tcp, found->ai_addr, on_connect) != 0)
            drop(c, "no connection can be made");
    }
    uv_freeaddrinfo(found);
}

static void dial(void *arg)
{
    struct redis_conn *c = arg;
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
    char port[8];
    snprintf(port, sizeof(port), "%u", c->port & 0xffff);
    c->phase = CONNECTING;
    c->began_ms = time_mono_ms();
    c->began_us = time_mono_us();
    c->link = must_calloc(1, sizeof(*c->link));
    c->link->conn = c;
    c->link->looking = true;
    loop_timer_start(c->loop, &c->timer, CHECK_MS, check, c);
    if (uv_getaddrinfo(loop_uv(c->loop), &c->link->look_up, on_address, c->host, port, &hints) != 0) {
        c->link->looking = false;
        drop(c, "its name cannot be looked up");
    }
}

struct redis_conn *redis_conn_new(struct loop *l, const struct redis_how *how, const char *host, unsigned port, const struct redis_events *ev)
{
    struct redis_conn *c = must_calloc(1, sizeof(*c));
    c->loop = l;
    c->how = *how;
    c->ev = *ev;
    c->port = port;
    c->last = &c->first;
    snprintf(c->host, sizeof(c->host), "%s", host);
    dial(c);
    return c;
}

bool redis_conn_is_up(const struct redis_conn *c)
{
    return c->phase == UP;
}

bool redis_conn_is_down(const struct redis_conn *c)
{
    return c->phase == DOWN;
}

bool redis_conn_leads_to(const struct redis_conn *c, slice host, unsigned port)
{
    return c->port == port && slice_eq(slice_of(c->host), host);
}

const char *redis_conn_host(const struct redis_conn *c)
{
    return c->host;
}

int64_t redis_conn_took_us(const struct redis_conn *c)
{
    return c->took_us;
}

unsigned redis_conn_port(const struct redis_conn *c)
{
    return c->port;
}
