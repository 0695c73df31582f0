#include "net/forward.h"
#include "net/client.h"
#include "net/forwarded.h"
#include "net/loop.h"

enum {
    CONNECT_MS = 2000,
    HEAD_MS = 120000,
    IDLE_MS = 90000,
    LEAVE_MS = 2000,
    HELD_BYTES = 256 << 10,
    CONNECTIONS = 4096,
    OWN_FIELDS = 8,      /* that we add to a request: put_own_fields */
    LOOKS_A_LIMIT = 4,   /* so often within the shortest limit is looked whose time is over */
    LOOK_MS_MIN = 10,
    STATUS_MAX = 599,
};

struct link { /* the connections to one socket in the file system, or to all addresses */
    struct link *next;
    char *socket; /* NULL: to addresses */
    struct client *client;
};

struct passing { /* a request on its way; lives in its own arena, because the exchange's may end first */
    struct arena *a;
    struct forward *f;
    struct passing *prev, *next;
    struct exchange *x;    /* NULL: answered, and all of it is given */
    struct stream *stream; /* the answer has begun */
    struct client_call call;
    const char *origin;
    bool watched, left, paused;
    int64_t since_ms, heard_ms, left_ms;
};

struct forward {
    struct loop *loop;
    struct forward_limits lim;
    struct link *links;
    unsigned n_sockets;
    struct passing *open;
    unsigned n_open;
    struct loop_timer look;
    int64_t look_ms;
};

void forward_limits_default(struct forward_limits *l)
{
    *l = (struct forward_limits){ .connect_ms = CONNECT_MS, .head_ms = HEAD_MS, .idle_ms = IDLE_MS, .leave_ms = LEAVE_MS,
                                  .held_bytes = HELD_BYTES, .connections = CONNECTIONS };
}

/* ---- faults ------------------------------------------------------------------------------------- */

static void refuse(struct exchange *x, int status, const char *code, const char *text)
{
    struct fault f = { .code = code };
    struct header later = { SL("Retry-After"), arena_printf(x->a, "%d", FORWARD_RETRY_S) };
    fault(&f, code, "", "%s", text);
    exchange_fault_with(x, status, &f, &later, status == 503 ? 1 : 0);
}

static void refuse_unreached(struct exchange *x)
{
    refuse(x, 503, "no_worker", "the process that does this is not there at the moment");
}

/* ---- header fields ------------------------------------------------------------------------------ */

/* RFC 9110 section 7.6.1: of one connection, not of the message. */
static const slice of_connection[] = {
    SLI("Connection"), SLI("Keep-Alive"), SLI("Proxy-Connection"), SLI("Proxy-Authenticate"), SLI("Proxy-Authorization"),
    SLI("TE"), SLI("Trailer"), SLI("Transfer-Encoding"), SLI("Upgrade"),
};
/* Said anew by us, or no longer true of the body, which the server has unpacked. */
static const slice not_there[] = {
    SLI("Content-Length"), SLI("Content-Encoding"), SLI("Expect"), SLI("X-Forwarded-For"), SLI("X-Request-Id"),
    SLI("X-B3-TraceId"), SLI("X-B3-SpanId"), SLI(FORWARDED_HEADER),
};
static const slice not_back[] = { SLI("Content-Length"), SLI("Date"), SLI("X-Request-Id") };

static bool is_one_of(slice name, const slice *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (slice_eq_nocase(name, names[i]))
            return true;
    return false;
}

static bool is_set(slice name, const struct header *h, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (slice_eq_nocase(name, h[i].name))
            return true;
    return false;
}

/* Connection names fields that are of the connection, too. Whom a request is for is not. */
static bool is_named_by_connection(slice name, const struct header *h, size_t n)
{
    if (slice_eq_nocase(name, SL("Host")))
        return false;
    for (size_t i = 0; i < n; i++) {
        slice list = h[i].value;
        if (!slice_eq_nocase(h[i].name, SL("Connection")))
            continue;
        while (list.p)
            if (slice_eq_nocase(slice_trim(slice_cut(&list, ',')), name))
                return true;
    }
    return false;
}

/* Copies to `to` what may pass; returns how many. */
static size_t pass_fields(struct header *to, const struct header *h, size_t n, const slice *without, size_t n_without)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (!is_one_of(h[i].name, of_connection, COUNT(of_connection)) && !is_one_of(h[i].name, without, n_without) &&
            !is_named_by_connection(h[i].name, h, n))
            to[kept++] = h[i];
    return kept;
}

static slice forwarded_for(struct arena *a, const struct exchange *x)
{
    slice all = SLICE_NONE, ip = forwarded_ip(x->remote);
    for (size_t i = 0; i < x->n_headers; i++)
        if (slice_eq_nocase(x->headers[i].name, SL("X-Forwarded-For")) && x->headers[i].value.n)
            all = all.n ? arena_join(a, all, SL(", "), x->headers[i].value) : x->headers[i].value;
    if (!ip.n)
        return all;
    return all.n ? arena_join(a, all, SL(", "), ip) : ip;
}

static size_t put_own_fields(struct header *to, struct arena *a, const struct exchange *x)
{
    struct header own[OWN_FIELDS];
    size_t n = 0, kept = 0;
    own[n++] = (struct header){ SL("X-Request-Id"), x->request_id };
    own[n++] = (struct header){ SL("X-B3-TraceId"), x->trace_id };
    own[n++] = (struct header){ SL("X-B3-SpanId"), x->span_id };
    own[n++] = (struct header){ SL("X-Forwarded-For"), forwarded_for(a, x) };
    if (!is_set(SL("X-Forwarded-Proto"), x->headers, x->n_headers))
        own[n++] = (struct header){ SL("X-Forwarded-Proto"), x->secure ? SL("https") : SL("http") };
    if (!is_set(SL("X-Forwarded-Host"), x->headers, x->n_headers))
        own[n++] = (struct header){ SL("X-Forwarded-Host"), exchange_header(x, "Host") };
    assert(n <= OWN_FIELDS);
    for (size_t i = 0; i < n; i++)
        if (own[i].value.n)
            to[kept++] = own[i];
    return kept;
}

static void put_request_fields(struct passing *p, const struct header *extra, size_t n_extra)
{
    const struct exchange *x = p->x;
    struct header *h = ARENA_ARRAY(p->a, struct header, x->n_headers + OWN_FIELDS + n_extra), *to = h;
    size_t n = pass_fields(h, x->headers, x->n_headers, not_there, COUNT(not_there));
    n += put_own_fields(h + n, p->a, x);
    for (size_t i = 0; i < n; i++)
        if (!is_set(h[i].name, extra, n_extra))
            *to++ = (struct header){ arena_dup(p->a, h[i].name), arena_dup(p->a, h[i].value) };
    for (size_t i = 0; i < n_extra; i++)
        *to++ = (struct header){ arena_dup(p->a, extra[i].name), arena_dup(p->a, extra[i].value) };
    p->call.headers = h;
    p->call.n_headers = (size_t)(to - h);
}

/* ---- the end of a passage ----------------------------------------------------------------------- */

static void passing_free(struct passing *p)
{
    struct forward *f = p->f;
    if (p->prev)
        p->prev->next = p->next;
    else
        f->open = p->next;
    if (p->next)
        p->next->prev = p->prev;
    if (--f->n_open == 0)
        loop_timer_stop(&f->look);
    arena_free(p->a);
}

/* Breaks off: what has begun is reset, what has not is answered. status 0: nobody is there to be answered. */
static void give_up(struct passing *p, int status, const char *code, const char *text)
{
    client_cancel(&p->call);
    if (p->stream)
        stream_break(p->stream);
    else if (p->x && status)
        refuse(p->x, status, code, text);
    else if (p->x)
        exchange_abort(p->x);
    passing_free(p);
}

static void on_gone(void *arg)
{
    struct passing *p = arg;
    client_cancel(&p->call);
    passing_free(p);
}

/* ---- the answer --------------------------------------------------------------------------------- */

static void on_ready(void *arg)
{
    struct passing *p = arg;
    p->paused = false;
    p->heard_ms = loop_now_ms(p->f->loop); /* until now nobody asked */
    client_resume(&p->call);
}

static int64_t answer_bytes(const struct answer *r)
{
    int64_t n;
    slice text = answer_header(r, "Content-Length");
    return text.n && slice_int(text, &n) && n >= 0 ? n : -1;
}

static void begin_answer(struct passing *p, const struct answer *r)
{
    struct header *h = ARENA_ARRAY(p->a, struct header, MAX(r->n_headers, (size_t)1));
    struct exchange *x = p->x;
    p->stream = exchange_stream(x, &(struct stream_answer){
        .status = r->status,
        .headers = h,
        .n_headers = pass_fields(h, r->headers, r->n_headers, not_back, COUNT(not_back)),
        .bytes = answer_bytes(r),
        .held_bytes = p->f->lim.held_bytes,
        .endless = slice_starts(r->type, SL("text/event-stream")),
        .ready = on_ready,
        .gone = on_gone,
        .arg = p,
    });
    if (!p->stream)
        p->x = NULL;
}

/* The exchange must not be answered whole while its body may still be on its way: what has no body is answered by on_done. */
static bool on_head(void *arg, const struct answer *r)
{
    struct passing *p = arg;
    p->heard_ms = loop_now_ms(p->f->loop);
    if (r->status > STATUS_MAX)
        return false;
    if (strcmp(p->call.method, "HEAD") == 0 || r->status == 204 || r->status == 304 || answer_bytes(r) == 0)
        return true;
    begin_answer(p, r);
    return p->stream != NULL;
}

static bool on_bytes(void *arg, const struct answer *head, const char *bytes, size_t n)
{
    struct passing *p = arg;
    (void)head;
    p->heard_ms = loop_now_ms(p->f->loop);
    if (!p->stream)
        return false;
    if (!stream_put(p->stream, slice_mem(bytes, n))) {
        p->paused = true;
        client_pause(&p->call);
    }
    return true;
}

static void tell_unreached(const struct passing *p, const struct answer *r)
{
    const struct forward_limits *lim = &p->f->lim;
    struct fault f = { 0 };
    fault(&f, "no_worker", "", SLF, SLA(r->error));
    if (lim->unreached)
        lim->unreached(lim->arg, p->origin, &f);
}

static void on_done(void *arg, const struct answer *r)
{
    struct passing *p = arg;
    if (!r->status && !r->written)
        tell_unreached(p, r);
    if (p->stream && r->status)
        stream_end(p->stream);
    else if (p->stream)
        stream_break(p->stream);
    else if (p->x && r->status)
        begin_answer(p, r);
    else if (p->x && r->written)
        refuse(p->x, 502, "worker_gone", "the process that does this went away before it answered");
    else if (p->x)
        refuse_unreached(p->x);
    passing_free(p);
}

/* ---- time --------------------------------------------------------------------------------------- */

static void on_left(void *arg)
{
    struct passing *p = arg;
    p->left = true;
    p->left_ms = loop_now_ms(p->f->loop);
}

static void look_at(struct passing *p, int64_t now)
{
    const struct forward_limits *lim = &p->f->lim;
    if (!p->watched && p->x) { /* only now: most are answered before anybody looks */
        p->watched = true;
        exchange_watch(p->x, on_left, p);
    }
    bool owed = p->stream && stream_held(p->stream) > 0; /* then writing tells whether the peer is there */
    if (p->left && !owed && now - MAX(p->left_ms, p->heard_ms) >= lim->leave_ms)
        give_up(p, 0, NULL, NULL);
    else if (!p->stream && now - p->since_ms > lim->head_ms)
        give_up(p, 504, "worker_slow", "the process that does this did not answer in time");
    else if (p->stream && !p->paused && now - p->heard_ms > lim->idle_ms)
        give_up(p, 0, NULL, NULL);
}

static void look(void *arg)
{
    struct forward *f = arg;
    int64_t now = loop_now_ms(f->loop);
    for (struct passing *p = f->open, *next; p; p = next) {
        next = p->next;
        look_at(p, now);
    }
    if (f->open)
        loop_timer_start(f->loop, &f->look, f->look_ms, look, f);
}

/* ---- the way there ------------------------------------------------------------------------------ */

static struct client *connect_to(struct forward *f, const char *socket)
{
    struct client_limits lim;
    client_limits_default(&lim);
    lim.connect_ms = f->lim.connect_ms;
    lim.per_host = lim.total = f->lim.connections; /* never reached: a request over the limit would wait behind streams */
    lim.ca_file = f->lim.ca_file;
    lim.unix_socket = socket;
    return client_new(f->loop, &lim, NULL);
}

static void link_free(struct link *l)
{
    client_free(l->client);
    free(l->socket);
    free(l);
}

/* A worker that moves has another socket: the connections to the former one are kept only while there is room. */
static bool make_room(struct forward *f)
{
    for (struct link **at = &f->links; *at && f->n_sockets >= FORWARD_SOCKETS_MAX; at = &(*at)->next) {
        struct link *l = *at;
        if (!l->socket || client_open(l->client))
            continue;
        *at = l->next;
        link_free(l);
        f->n_sockets--;
        return true;
    }
    return f->n_sockets < FORWARD_SOCKETS_MAX;
}

static struct client *client_for(struct forward *f, const char *socket)
{
    for (struct link *l = f->links; l; l = l->next)
        if (socket ? l->socket && strcmp(l->socket, socket) == 0 : !l->socket)
            return l->client;
    if (socket && !make_room(f))
        return NULL;
    struct client *c = connect_to(f, socket);
    if (!c)
        return NULL;
    struct link *l = must_calloc(1, sizeof(*l));
    l->client = c;
    if (socket) {
        size_t n = strlen(socket) + 1;
        l->socket = memcpy(must_malloc(n), socket, n);
        f->n_sockets++;
    }
    l->next = f->links;
    f->links = l;
    return c;
}

void forward_exchange(struct forward *f, struct exchange *x, const char *origin, const struct header *extra, size_t n_extra)
{
    static const slice scheme = SLI("unix:");
    const char *socket = slice_starts(slice_of(origin), scheme) ? origin + scheme.n : NULL;
    if (f->n_open >= f->lim.connections) {
        refuse(x, 503, "busy", "too many requests are on their way");
        return;
    }
    struct client *c = client_for(f, socket);
    if (!c) { /* not even the folder of its socket is there */
        refuse_unreached(x);
        return;
    }
    struct arena *a = arena_new();
    struct passing *p = ARENA_NEW(a, struct passing);
    p->a = a;
    p->f = f;
    p->x = x;
    p->origin = arena_cstr(a, slice_of(origin));
    p->since_ms = p->heard_ms = loop_now_ms(f->loop);
    p->next = f->open;
    if (f->open)
        f->open->prev = p;
    f->open = p;
    f->n_open++;
    if (!f->look.active)
        loop_timer_start(f->loop, &f->look, f->look_ms, look, f);
    p->call = (struct client_call){
        .a = a,
        .method = arena_cstr(a, x->method),
        .url = socket ? SL("http://localhost/") : arena_join(a, slice_of(origin), SL("/"), SLICE_NONE),
        .target = x->query.p ? arena_join(a, x->path, SL("?"), x->query) : arena_dup(a, x->path),
        .body = slice_eq(x->method, SL("HEAD")) ? SLICE_NONE : x->body, /* lives as long as the exchange waits */
        .head = on_head,
        .sink = on_bytes,
        .io_arg = p,
        .answer_bytes = SIZE_MAX,
        .total_ms = CLIENT_NO_END,
        .as_it_is = true,
        .done = on_done,
        .arg = p,
    };
    put_request_fields(p, extra, n_extra);
    client_send(c, &p->call);
}

/* ---- life --------------------------------------------------------------------------------------- */

struct forward *forward_new(struct loop *l, const struct forward_limits *lim, struct fault *fl)
{
    struct forward_limits defaults;
    forward_limits_default(&defaults);
    if (!lim)
        lim = &defaults;
    if (lim->connect_ms <= 0 || lim->head_ms <= 0 || lim->idle_ms <= 0 || lim->leave_ms <= 0 || !lim->held_bytes || !lim->connections)
        return (void)fault(fl, "out_of_range", "forward", "each limit must be more than 0"), NULL;
    struct forward *f = must_calloc(1, sizeof(*f));
    f->loop = l;
    f->lim = *lim;
    f->look_ms = MAX(MIN(MIN(lim->head_ms, lim->idle_ms), lim->leave_ms) / LOOKS_A_LIMIT, (int64_t)LOOK_MS_MIN);
    return f;
}

void forward_free(struct forward *f)
{
    if (!f)
        return;
    for (struct link *l = f->links, *next; l; l = next) {
        next = l->next;
        link_free(l); /* ends its calls: on_done */
    }
    assert(!f->open);
    loop_timer_done(&f->look);
    free(f);
}

unsigned forward_open(const struct forward *f)
{
    return f->n_open;
}
