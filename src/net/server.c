/* The server's life: the library's daemon under our loop, routes, drain. */
#include "net/server_private.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    HEAD_BYTES = 16 << 10,
    BODY_BYTES = 2 << 20,
    LARGE_BYTES = 256 << 20,
    IDLE_S = 60,
    CONNECTIONS = 12000,
    SLOW_FACTOR = 2, /* a request may take so many times idle_s to arrive, and longer for the bytes of its body */
    TLS_FILE_BYTES = 1 << 20, /* a certificate chain or key larger than this is a mistake */
};

void server_limits_default(struct server_limits *l)
{
    *l = (struct server_limits){
        .head_bytes = HEAD_BYTES, .body_bytes = BODY_BYTES, .large_bytes = LARGE_BYTES, .idle_s = IDLE_S, .connections = CONNECTIONS
    };
}

/* ---- the library under our loop ----------------------------------------------------------------- */

static void run(struct server *s);

static void run_deferred(void *arg)
{
    struct server *s = arg;
    s->run_scheduled = false;
    run(s);
}

/* Once for all requests answered in this turn. */
void server_run_soon(struct server *s)
{
    if (s->run_scheduled)
        return;
    s->run_scheduled = true;
    loop_defer(s->loop, run_deferred, s);
}

static void on_timer(void *arg)
{
    run(arg);
}

/* The timer is moved only to an earlier time: when it fires too early it is set again, which costs one wake-up in a
 * time-out's length instead of a change with every request. */
static void plan_next_run(struct server *s)
{
    MHD_UNSIGNED_LONG_LONG in_ms;
    if (MHD_get_timeout(s->mhd, &in_ms) != MHD_YES)
        return;
    if (in_ms == 0) {
        server_run_soon(s);
        return;
    }
    int64_t due = loop_now_ms(s->loop) + (int64_t)in_ms;
    if (s->timer.active && s->timer_due_ms <= due)
        return;
    s->timer_due_ms = due;
    loop_timer_start(s->loop, &s->timer, (int64_t)in_ms, on_timer, s);
}

static void run(struct server *s)
{
    MHD_run(s->mhd);
    plan_next_run(s);
}

static void on_poll(uv_poll_t *h, int status, int events)
{
    (void)status, (void)events;
    run(h->data);
}

static void free_handle(uv_handle_t *h)
{
    free(h);
}

/* The library's own time-out starts again with every byte, so a peer that drips would stay for ever. */
static void drop_slow(void *arg)
{
    struct server *s = arg;
    int64_t now = loop_now_ms(s->loop), each_ms = (int64_t)s->lim.idle_s * 1000;
    for (struct conn *c = s->conns; c; c = c->next)
        if (!c->answering && now - c->since_ms > SLOW_FACTOR * each_ms + c->earned_ms)
            shutdown(c->fd, SHUT_RDWR); /* the library sees the end of the connection */
    if (s->conns && each_ms)
        loop_timer_start(s->loop, &s->slow, each_ms, drop_slow, s);
}

static void conn_link(struct server *s, struct conn *c)
{
    c->next = s->conns;
    if (s->conns)
        s->conns->prev = c;
    s->conns = c;
    s->n_connections++;
    if (!s->slow.active && s->lim.idle_s)
        loop_timer_start(s->loop, &s->slow, (int64_t)s->lim.idle_s * 1000, drop_slow, s);
}

static void conn_unlink(struct server *s, struct conn *c)
{
    if (c->prev)
        c->prev->next = c->next;
    else
        s->conns = c->next;
    if (c->next)
        c->next->prev = c->prev;
    if (s->n_connections-- >= (long)s->lim.connections && s->listener)
        listener_go(s->listener);
}

static void on_connection(void *arg, struct MHD_Connection *mhd, void **context, enum MHD_ConnectionNotificationCode what)
{
    struct server *s = arg;
    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        conn_unlink(s, *context);
        free(*context);
        *context = NULL;
        return;
    }
    struct conn *c = must_calloc(1, sizeof(*c));
    c->server = s;
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    char ip[INET6_ADDRSTRLEN] = "";
    int n = 0;
    if (info && info->client_addr->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)info->client_addr;
        inet_ntop(AF_INET, &in->sin_addr, ip, sizeof(ip));
        n = snprintf(c->remote, sizeof(c->remote), "%s:%u", ip, ntohs(in->sin_port));
    } else if (info && info->client_addr->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)(const void *)info->client_addr;
        inet_ntop(AF_INET6, &in->sin6_addr, ip, sizeof(ip));
        n = snprintf(c->remote, sizeof(c->remote), "[%s]:%u", ip, ntohs(in->sin6_port));
    }
    if (s->at_path)
        n = snprintf(c->remote, sizeof(c->remote), "local");
    c->remote_n = n > 0 ? MIN((size_t)n, sizeof(c->remote) - 1) : 0;
    info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    c->fd = info->connect_fd;
    c->since_ms = loop_now_ms(s->loop);
    conn_link(s, c);
    *context = c;
}

/* The path stays percent-encoded: a router that decodes first could take %2F for a slash. */
static size_t keep_encoded(void *arg, struct MHD_Connection *mhd, char *s)
{
    (void)arg, (void)mhd;
    return strlen(s);
}

/* ---- who connects ------------------------------------------------------------------------------- */

/* The library closes fd when it refuses it: too many from one address. */
static void taken(void *arg, int fd, const struct sockaddr *from, unsigned from_n)
{
    struct server *s = arg;
    MHD_add_connection(s->mhd, fd, from, from_n);
    server_run_soon(s);
    if (s->n_connections >= (long)s->lim.connections)
        listener_full(s->listener);
}

/* ---- start -------------------------------------------------------------------------------------- */

static bool read_pem(struct server *s, const char *path, const char *field, char **ret, struct fault *f)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0 || st.st_size <= 0 || st.st_size > TLS_FILE_BYTES) {
        int why = fd < 0 ? errno : EINVAL;
        if (fd >= 0)
            close(fd);
        return fault(f, "bad_value", field, "cannot read %s: %s", path, strerror(why));
    }
    size_t n = (size_t)st.st_size;
    char *text = arena_alloc(s->a, n + 1);
    ssize_t got = read(fd, text, n);
    close(fd);
    if (got != (ssize_t)n)
        return fault(f, "bad_value", field, "cannot read %s whole", path);
    text[n] = 0;
    *ret = text;
    return true;
}

enum { OPTIONS_MAX = 24 };

static bool start_library(struct server *s, const struct server_tls *tls, struct fault *f)
{
    struct MHD_OptionItem opt[OPTIONS_MAX];
    size_t n = 0;
    opt[n++] = (struct MHD_OptionItem){ MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL };
    opt[n++] = (struct MHD_OptionItem){ MHD_OPTION_CONNECTION_MEMORY_LIMIT, (intptr_t)s->lim.head_bytes, NULL };
    opt[n++] = (struct MHD_OptionItem){ MHD_OPTION_CONNECTION_LIMIT, (intptr_t)s->lim.connections, NULL };
    opt[n++] = (struct MHD_OptionItem){ MHD_OPTION_PER_IP_CONNECTION_LIMIT, (intptr_t)s->lim.per_address, NULL };
    opt[n++] = (struct MHD_OptionItem){ MHD_OPTION_CONNECTION_TIMEOUT, (intptr_t)s->lim.idle_s, NULL };
    opt[n++] = (struct MHD_OptionItem){ MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, NULL };
    opt[n++] = (struct MHD_OptionItem){ MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)keep_encoded, s };
    opt[n++] = (struct MHD_OptionItem){ MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)request_line, s };
    opt[n++] = (struct MHD_OptionItem){ MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)request_done, s };
    opt[n++] = (struct MHD_OptionItem){ MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)on_connection, s };
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_NO_LISTEN_SOCKET;
    if (tls && tls->cert_file) {
        char *cert = NULL, *key = NULL;
        if (!read_pem(s, tls->cert_file, "tls.cert_file", &cert, f) || !read_pem(s, tls->key_file, "tls.key_file", &key, f))
            return false;
        static char priorities[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";
        opt[n++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_CERT, 0, cert };
        opt[n++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_KEY, 0, key };
        opt[n++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_PRIORITIES, 0, priorities };
        flags |= MHD_USE_TLS;
        s->tls = true;
    }
    opt[n++] = (struct MHD_OptionItem){ MHD_OPTION_END, 0, NULL };
    assert(n <= OPTIONS_MAX);
    s->mhd = MHD_start_daemon(flags, 0, NULL, NULL, request_part, s, MHD_OPTION_ARRAY, opt, MHD_OPTION_END);
    if (!s->mhd)
        return fault(f, "refused", tls && tls->cert_file ? "tls" : "listen",
                     "the HTTP server cannot start%s", tls && tls->cert_file ? ": is the certificate valid, and is the key its key?" : "");
    s->in_place = strcmp(MHD_get_version(), "0.9.75") == 0;
    return true;
}

struct server *server_new(struct loop *l, const char *listen_text, const struct server_tls *tls, const struct server_limits *lim,
                          struct fault *f)
{
    struct server *s = must_calloc(1, sizeof(*s));
    s->loop = l;
    s->a = arena_new();
    s->entropy_used = sizeof(s->entropy);
    if (lim)
        s->lim = *lim;
    else
        server_limits_default(&s->lim);
    s->at_path = slice_starts(slice_of(listen_text), SL("unix:"));
    s->listener = listener_new(l, listen_text, taken, s, f);
    if (!s->listener || !start_library(s, tls, f)) {
        listener_free(s->listener);
        arena_free(s->a);
        free(s);
        return NULL;
    }
    s->port = listener_port(s->listener);
    s->poll = must_calloc(1, sizeof(*s->poll));
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(s->mhd, MHD_DAEMON_INFO_EPOLL_FD);
    int rc = uv_poll_init(loop_uv(l), s->poll, info->epoll_fd);
    assert(rc == 0);
    s->poll->data = s;
    uv_poll_start(s->poll, UV_READABLE, on_poll);
    return s;
}

unsigned server_port(const struct server *s)
{
    return s->port;
}

long server_connections(const struct server *s)
{
    return s->n_connections;
}

void server_faults(struct server *s, const struct server_fault_style *style)
{
    s->faults = *style;
}

void server_forwarded(struct server *s, slice key)
{
    s->forwarded_key = arena_dup(s->a, key);
}

void server_observe(struct server *s, void (*fn)(void *, const struct exchange *, int, size_t, int64_t), void *ctx)
{
    s->observe = fn;
    s->observe_ctx = ctx;
}

/* ---- routes ------------------------------------------------------------------------------------- */

/* The most exact first: whole paths, then the longest prefix; a named method before any method. */
static bool goes_before(const struct route *a, const struct route *b)
{
    if (a->prefix != b->prefix)
        return !a->prefix;
    if (a->path.n != b->path.n)
        return a->path.n > b->path.n;
    return a->method.n && !b->method.n;
}

void server_route(struct server *s, const char *method, const char *path, size_t body_max, server_handler fn, void *ctx)
{
    slice p = slice_of(path), m = slice_of(method);
    bool prefix = slice_ends(p, SL("/*"));
    struct route r = {
        .method = slice_eq(m, SL("*")) ? SLICE_NONE : arena_dup(s->a, m),
        .path = arena_dup(s->a, prefix ? slice_sub(p, 0, p.n - 1) : p),
        .prefix = prefix,
        .body_max = body_max ? body_max : s->lim.body_bytes,
        .fn = fn,
        .ctx = ctx,
    };
    if (s->n_routes == s->cap_routes) {
        s->cap_routes = s->cap_routes ? s->cap_routes * 2 : 16;
        s->routes = must_realloc(s->routes, s->cap_routes * sizeof(s->routes[0]));
    }
    size_t i = s->n_routes++;
    for (; i > 0 && goes_before(&r, &s->routes[i - 1]); i--)
        s->routes[i] = s->routes[i - 1];
    s->routes[i] = r;
}

/* ---- end ---------------------------------------------------------------------------------------- */

static void drained(void *arg)
{
    struct server *s = arg;
    void (*done)(void *) = s->drained;
    s->drained = NULL;
    loop_timer_stop(&s->grace);
    if (done)
        done(s->drained_arg); /* may free s */
}

void ex_finished(struct ex *e)
{
    struct server *s = e->server;
    if (s) {
        if (e->prev)
            e->prev->next = e->next;
        else
            s->open = e->next;
        if (e->next)
            e->next->prev = e->prev;
        s->large_bytes -= e->large_bytes;
        if (s->draining && !s->open && s->drained)
            loop_defer(s->loop, drained, s);
    }
    arena_free(e->x.a); /* holds *e */
}

static void stop_listening(struct server *s)
{
    listener_free(s->listener);
    s->listener = NULL;
}

void server_drain(struct server *s, int64_t grace_ms, void (*done)(void *), void *arg)
{
    s->draining = true;
    s->drained = done;
    s->drained_arg = arg;
    stop_listening(s);
    while (s->pages) /* these would never end by themselves */
        events_gone(s->pages);
    for (struct ex *e = s->open; e; e = e->next)
        if (e->stream)
            stream_drain(e->stream);
    if (!s->open)
        loop_defer(s->loop, drained, s);
    else
        loop_timer_start(s->loop, &s->grace, grace_ms, drained, s);
}

void server_free(struct server *s)
{
    if (!s)
        return;
    while (s->pages)
        events_gone(s->pages);
    loop_defer_cancel(s->loop, run_deferred, s);
    loop_defer_cancel(s->loop, drained, s);
    loop_timer_done(&s->timer);
    loop_timer_done(&s->grace);
    loop_timer_done(&s->keep_alive);
    loop_timer_done(&s->slow);
    uv_poll_stop(s->poll);
    uv_close((uv_handle_t *)s->poll, free_handle);
    stop_listening(s);
    s->drained = NULL;
    for (struct ex *e = s->open; e; e = e->next) {
        if (e->suspended) { /* the library refuses to stop with a suspended connection */
            e->suspended = false;
            MHD_resume_connection(e->mhd);
        }
    }
    MHD_stop_daemon(s->mhd); /* calls request_done and on_connection for what is left */
    for (struct ex *e = s->open, *next; e; e = next) { /* still with their handlers, who will answer into nothing */
        next = e->next;
        e->server = NULL;
        e->mhd = NULL;
        e->prev = e->next = NULL;
    }
    free(s->routes);
    arena_free(s->a);
    free(s);
}
