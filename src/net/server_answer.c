/* What a handler reads from an exchange, and what it answers. */
#include "net/server_private.h"
#include <sys/socket.h>
#include "wire/js.h"
#include <unistd.h>

enum { FAULT_BYTES = 4096 };

/* ---- reading ------------------------------------------------------------------------------------ */

slice exchange_header(const struct exchange *x, const char *name)
{
    slice want = slice_of(name);
    for (size_t i = 0; i < x->n_headers; i++)
        if (slice_eq_nocase(x->headers[i].name, want))
            return x->headers[i].value;
    return SLICE_NONE;
}

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static slice decode(struct arena *a, slice s)
{
    char *p = arena_alloc(a, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        int hi = s.p[i] == '%' && i + 2 < s.n ? digit(s.p[i + 1]) : -1;
        int lo = hi >= 0 ? digit(s.p[i + 2]) : -1;
        if (lo >= 0) {
            p[n++] = (char)(hi * 16 + lo);
            i += 2;
        } else {
            p[n++] = s.p[i] == '+' ? ' ' : s.p[i];
        }
    }
    p[n] = 0;
    return (slice){ p, n };
}

slice exchange_query(const struct exchange *x, const char *name)
{
    slice rest = x->query, want = slice_of(name);
    while (rest.p) {
        slice value = slice_cut(&rest, '&');
        slice key = slice_cut(&value, '=');
        if (slice_eq(key, want) || slice_eq(decode(x->a, key), want))
            return decode(x->a, value);
    }
    return SLICE_NONE;
}

/* ---- answering ---------------------------------------------------------------------------------- */

/* The library copies names and values; it refuses those with control characters, which so never reach a peer. */
static void add_header(struct ex *e, struct MHD_Response *r, slice name, slice value)
{
    MHD_add_response_header(r, arena_cstr(e->x.a, name), arena_cstr(e->x.a, value));
}

void ex_add_headers(struct ex *e, struct MHD_Response *r, const struct header *h, size_t n)
{
    for (size_t i = 0; i < n; i++)
        add_header(e, r, h[i].name, h[i].value);
}

/* Takes r over. */
void ex_send(struct ex *e, int status, struct MHD_Response *r, size_t written, bool close)
{
    assert(e->step != EX_ANSWERED); /* an exchange is answered once */
    e->step = EX_ANSWERED;
    e->status = status;
    e->written = e->head_only ? 0 : written;
    if (!e->stream && !e->events)
        ex_unwatch(e);
    if (e->x.request_id.n)
        add_header(e, r, SL("X-Request-Id"), e->x.request_id);
    if (close || e->server->draining)
        MHD_add_response_header(r, "Connection", "close");
    enum MHD_Result queued = MHD_queue_response(e->mhd, (unsigned)status, r);
    assert(queued == MHD_YES); /* we answer before the body or after it */
    MHD_destroy_response(r);
    if (e->suspended) {
        e->suspended = false;
        MHD_resume_connection(e->mhd);
        server_run_soon(e->server);
    }
}

void ex_reset(struct ex *e)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(e->mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct sockaddr to_nobody = { .sa_family = AF_UNSPEC };
    if (info)
        connect(info->connect_fd, &to_nobody, sizeof(to_nobody));
}

/* False: the peer is gone, and now so is the exchange. */
static bool still_there(struct ex *e)
{
    if (e->mhd)
        return true;
    ex_finished(e);
    return false;
}

static struct MHD_Response *response_of(slice body)
{
    return MHD_create_response_from_buffer(body.n, (void *)(uintptr_t)(body.p ? body.p : ""), MHD_RESPMEM_PERSISTENT);
}

void exchange_answer(struct exchange *x, const struct response *r)
{
    struct ex *e = x->impl;
    if (!still_there(e))
        return;
    struct MHD_Response *m = response_of(arena_dup(x->a, r->body)); /* x->a lives until all is sent */
    if (r->type.n)
        add_header(e, m, SL("Content-Type"), r->type);
    ex_add_headers(e, m, r->headers, r->n_headers);
    ex_send(e, r->status, m, r->body.n, r->close);
}

void exchange_abort(struct exchange *x)
{
    struct ex *e = x->impl;
    if (!still_there(e))
        return;
    assert(e->step == EX_WAITING);
    e->step = EX_ABORTED;
    ex_unwatch(e);
    ex_reset(e);
    if (e->suspended) {
        e->suspended = false;
        MHD_resume_connection(e->mhd);
        server_run_soon(e->server);
    }
}

void exchange_json(struct exchange *x, int status, slice body)
{
    exchange_answer(x, &(struct response){ .status = status, .type = SL("application/json"), .body = body });
}

void exchange_text(struct exchange *x, int status, slice body)
{
    exchange_answer(x, &(struct response){ .status = status, .type = SL("text/plain; charset=utf-8"), .body = body });
}

void ex_fault(struct ex *e, int status, const struct fault *f, const struct header *h, size_t n, bool close)
{
    if (!still_there(e))
        return;
    if (f != &e->fault)
        e->fault = *f;
    const struct server_fault_style *style = &e->server->faults;
    if (style->write && slice_starts(e->x.path, slice_of(style->below))) {
        exchange_answer(&e->x, &(struct response){ .status = status, .type = slice_of(style->type), .body = style->write(e->x.a, e->x.path, status, f),
                                                   .headers = h, .n_headers = n, .close = close });
        return;
    }
    struct jw w = jw_new(e->x.a, FAULT_BYTES);
    jw_open(&w, NULL, '{');
    jw_str(&w, "code", slice_of(f->code ? f->code : "error"));
    jw_str(&w, "message", slice_of(f->text));
    jw_str(&w, "field", slice_of(f->field));
    jw_close(&w, '}');
    exchange_answer(&e->x, &(struct response){ .status = status, .type = SL("application/json"), .body = jw_done(&w),
                                               .headers = h, .n_headers = n, .close = close });
}

void exchange_fault(struct exchange *x, int status, const struct fault *f)
{
    ex_fault(x->impl, status, f, NULL, 0, false);
}

void exchange_fault_with(struct exchange *x, int status, const struct fault *f, const struct header *headers, size_t n)
{
    ex_fault(x->impl, status, f, headers, n, false);
}

/* ---- watching ----------------------------------------------------------------------------------- */

static void free_watch(uv_handle_t *h)
{
    free(h);
}

void ex_unwatch(struct ex *e)
{
    if (!e->leaving)
        return;
    uv_poll_stop(e->leaving);
    uv_close((uv_handle_t *)e->leaving, free_watch);
    e->leaving = NULL;
}

static void on_left(uv_poll_t *h, int status, int what)
{
    struct ex *e = h->data;
    (void)status, (void)what;
    ex_unwatch(e);
    e->left(e->left_arg);
}

void exchange_watch(struct exchange *x, void (*left)(void *arg), void *arg)
{
    struct ex *e = x->impl;
    ex_unwatch(e);
    const union MHD_ConnectionInfo *info = e->mhd ? MHD_get_connection_info(e->mhd, MHD_CONNECTION_INFO_CONNECTION_FD) : NULL;
    if (!info)
        return;
    e->leaving = must_calloc(1, sizeof(*e->leaving));
    if (uv_poll_init(loop_uv(e->server->loop), e->leaving, info->connect_fd) != 0) {
        free(e->leaving); /* then writing finds out */
        e->leaving = NULL;
        return;
    }
    e->leaving->data = e;
    e->left = left;
    e->left_arg = arg;
    uv_poll_start(e->leaving, UV_DISCONNECT, on_left);
}

const struct fault *exchange_refusal(const struct exchange *x)
{
    const struct ex *e = x->impl;
    return e->fault.code ? &e->fault : NULL;
}

/* ---- files -------------------------------------------------------------------------------------- */

/* One entry of an If-None-Match list; weak comparison. */
static bool etag_matches(slice list, slice etag)
{
    if (slice_eq(slice_trim(list), SL("*")))
        return true;
    while (list.p) {
        slice one = slice_trim(slice_cut(&list, ','));
        if (slice_starts(one, SL("W/")))
            one = slice_from(one, 2);
        if (one.n >= 2 && one.p[0] == '"' && one.p[one.n - 1] == '"' && slice_eq(slice_sub(one, 1, one.n - 2), etag))
            return true;
    }
    return false;
}

static bool is_number(slice s, int64_t *ret)
{
    return s.n > 0 && s.p[0] >= '0' && s.p[0] <= '9' && slice_int(s, ret);
}

enum range { RANGE_NONE, RANGE_ONE, RANGE_OUTSIDE };

/* A single byte range; what is malformed, of another unit, or more than one is ignored as RFC 9110 allows. */
static enum range parse_range(slice v, uint64_t size, uint64_t *ret_from, uint64_t *ret_n)
{
    if (!slice_starts(v, SL("bytes=")) || slice_find_char(v, ',') != SIZE_MAX)
        return RANGE_NONE;
    slice last = slice_from(v, 6), first = slice_cut(&last, '-');
    first = slice_trim(first);
    if (!last.p)
        return RANGE_NONE;
    last = slice_trim(last);
    int64_t a, b;
    if (first.n == 0) { /* the last b bytes */
        if (!is_number(last, &b))
            return RANGE_NONE;
        if (b == 0 || size == 0)
            return RANGE_OUTSIDE;
        *ret_n = MIN((uint64_t)b, size);
        *ret_from = size - *ret_n;
        return RANGE_ONE;
    }
    if (!is_number(first, &a) || (last.n && (!is_number(last, &b) || b < a)))
        return RANGE_NONE;
    if ((uint64_t)a >= size)
        return RANGE_OUTSIDE;
    *ret_from = (uint64_t)a;
    *ret_n = last.n ? MIN((uint64_t)(b - a) + 1, size - (uint64_t)a) : size - (uint64_t)a;
    return RANGE_ONE;
}

void exchange_file(struct exchange *x, const struct file_answer *fa)
{
    struct ex *e = x->impl;
    if (!e->mhd) {
        close(fa->fd);
        ex_finished(e);
        return;
    }
    uint64_t from = 0, n = fa->size;
    int status = 200;
    slice none_match = exchange_header(x, "If-None-Match"), if_range = exchange_header(x, "If-Range");
    if (fa->etag.n && none_match.n && etag_matches(none_match, fa->etag)) {
        status = 304;
    } else if (slice_eq(x->method, SL("GET")) && (!if_range.n || (fa->etag.n && !slice_starts(if_range, SL("W/")) &&
                                                                   etag_matches(if_range, fa->etag)))) {
        switch (parse_range(exchange_header(x, "Range"), fa->size, &from, &n)) {
        case RANGE_NONE:
            break;
        case RANGE_ONE:
            status = 206;
            break;
        case RANGE_OUTSIDE:
            status = 416;
            break;
        }
    }
    bool with_body = status == 200 || status == 206;
    struct MHD_Response *m;
    if (with_body) {
        m = MHD_create_response_from_fd_at_offset64(n, fa->fd, from); /* closes fd */
    } else {
        close(fa->fd);
        n = 0;
        m = response_of(SLICE_NONE);
    }
    if (fa->type.n && with_body)
        add_header(e, m, SL("Content-Type"), fa->type);
    if (fa->etag.n)
        add_header(e, m, SL("ETag"), arena_printf(x->a, "\"" SLF "\"", SLA(fa->etag)));
    MHD_add_response_header(m, "Accept-Ranges", "bytes");
    if (status == 206)
        add_header(e, m, SL("Content-Range"),
                   arena_printf(x->a, "bytes %llu-%llu/%llu", (unsigned long long)from, (unsigned long long)(from + n - 1),
                                (unsigned long long)fa->size));
    if (status == 416)
        add_header(e, m, SL("Content-Range"), arena_printf(x->a, "bytes */%llu", (unsigned long long)fa->size));
    ex_add_headers(e, m, fa->headers, fa->n_headers);
    ex_send(e, status, m, (size_t)n, false);
}
