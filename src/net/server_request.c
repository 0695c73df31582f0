/* From the first line of a request to the call of its handler. */
#include "net/forwarded.h"
#include "net/server_check.h"
#include "net/server_private.h"

enum {
    SWALLOW_BYTES = 4 << 20, /* of a refused body, so that the peer gets to read the answer instead of a reset */
    BODY_FIRST_BYTES = 4096,
    REQUEST_ID_CHARS = 128,
    GZIP_WINDOW = 15 + 16, /* zlib's largest window, gzip wrapper only */
    GZIP_STEP_BYTES = 8192,
};

/* ---- identifiers -------------------------------------------------------------------------------- */

static void entropy(struct server *s, unsigned char *to, size_t n)
{
    if (s->entropy_used + n > sizeof(s->entropy)) {
        random_bytes(s->entropy, sizeof(s->entropy));
        s->entropy_used = 0;
    }
    memcpy(to, s->entropy + s->entropy_used, n);
    s->entropy_used += n;
}

static char *hex(char *to, const unsigned char *from, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        *to++ = "0123456789abcdef"[from[i] >> 4];
        *to++ = "0123456789abcdef"[from[i] & 15];
    }
    return to;
}

static slice new_hex(struct server *s, struct arena *a, size_t bytes)
{
    unsigned char raw[16];
    char *p = arena_alloc(a, bytes * 2 + 1);
    entropy(s, raw, bytes);
    *hex(p, raw, bytes) = 0;
    return (slice){ p, bytes * 2 };
}

static slice new_uuid(struct server *s, struct arena *a)
{
    unsigned char raw[16];
    entropy(s, raw, sizeof(raw));
    raw[6] = (raw[6] & 0x0f) | 0x40; /* version 4 */
    raw[8] = (raw[8] & 0x3f) | 0x80;
    static const size_t groups[] = { 4, 2, 2, 2, 6 };
    char *p = arena_alloc(a, 37), *at = p;
    const unsigned char *from = raw;
    for (size_t i = 0; i < COUNT(groups); i++) {
        if (i)
            *at++ = '-';
        at = hex(at, from, groups[i]);
        from += groups[i];
    }
    *at = 0;
    return (slice){ p, 36 };
}

static bool is_hex(slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= '0' && s.p[i] <= '9') || ((s.p[i] | 32) >= 'a' && (s.p[i] | 32) <= 'f')))
            return false;
    return s.n > 0;
}

static bool is_visible(slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= ' ' || s.p[i] >= 0x7f)
            return false;
    return s.n > 0;
}

static void identify(struct ex *e)
{
    struct exchange *x = &e->x;
    for (size_t i = 0; i < x->n_headers; i++) {
        slice name = x->headers[i].name, v = x->headers[i].value;
        if ((name.p[0] | 32) != 'x')
            continue;
        if (slice_eq_nocase(name, SL("X-Request-Id")) && v.n <= REQUEST_ID_CHARS && is_visible(v))
            x->request_id = v;
        else if (slice_eq_nocase(name, SL("X-B3-TraceId")) && (v.n == 32 || v.n == 16) && is_hex(v))
            x->trace_id = v;
        else if (slice_eq_nocase(name, SL("X-B3-SpanId")) && v.n == 16 && is_hex(v))
            x->span_id = v;
    }
    if (!x->request_id.n)
        x->request_id = new_uuid(e->server, x->a);
    if (!x->trace_id.n)
        x->trace_id = new_hex(e->server, x->a, 16);
    if (!x->span_id.n)
        x->span_id = new_hex(e->server, x->a, 8);
}

/* ---- head --------------------------------------------------------------------------------------- */

void *request_line(void *arg, const char *target, struct MHD_Connection *mhd)
{
    struct server *s = arg;
    struct arena *a = arena_new();
    struct ex *e = ARENA_NEW(a, struct ex);
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct conn *c = info->socket_context;
    c->since_ms = loop_now_ms(s->loop);
    e->conn = c;
    e->x.a = a;
    e->x.impl = e;
    e->x.started_us = time_mono_us();
    e->x.secure = s->tls;
    e->x.remote = arena_dup(a, slice_mem(c->remote, c->remote_n));
    e->server = s;
    e->mhd = mhd;
    e->target_at = target;
    e->target = arena_dup(a, slice_of(target ? target : ""));
    e->next = s->open;
    if (s->open)
        s->open->prev = e;
    s->open = e;
    return e;
}

struct fields { /* as the library holds them */
    struct header at[HEAD_FIELDS_MAX + 1];
    size_t n, bytes;
};

static enum MHD_Result collect_field(void *arg, enum MHD_ValueKind kind, const char *name, size_t name_n, const char *value,
                                     size_t value_n)
{
    struct fields *fs = arg;
    (void)kind;
    if (fs->n > HEAD_FIELDS_MAX)
        return MHD_NO;
    fs->at[fs->n++] = (struct header){ { name, name_n }, { value ? value : "", value_n } };
    fs->bytes += name_n + value_n;
    return MHD_YES;
}

/* The library's memory dies with the connection, the exchange may live longer. */
static void keep_fields(struct ex *e, const struct fields *fs)
{
    struct header *to = ARENA_ARRAY(e->x.a, struct header, fs->n ? fs->n : 1);
    char *p = arena_alloc(e->x.a, fs->bytes + 2 * fs->n);
    for (size_t i = 0; i < fs->n; i++) {
        slice part[] = { fs->at[i].name, fs->at[i].value }, *into[] = { &to[i].name, &to[i].value };
        for (size_t k = 0; k < 2; k++) {
            if (part[k].n)
                memcpy(p, part[k].p, part[k].n);
            *into[k] = (slice){ p, part[k].n };
            p[part[k].n] = 0;
            p += part[k].n + 1;
        }
    }
    e->x.headers = to;
    e->x.n_headers = fs->n;
}

/* The door wrote its peer's address behind the others: handlers find the list as the door did. */
static void undo_forwarded_for(struct exchange *x, struct header *h)
{
    slice ip = forwarded_ip(x->remote);
    if (!ip.n || !slice_ends(h->value, ip))
        return;
    slice before = slice_trim(slice_sub(h->value, 0, h->value.n - ip.n));
    if (!before.n || slice_ends(before, SL(",")))
        h->value = slice_trim(slice_sub(before, 0, before.n ? before.n - 1 : 0));
}

static void hear_door(struct ex *e)
{
    struct exchange *x = &e->x;
    slice from = exchange_header(x, FORWARDED_HEADER);
    if (!e->server->forwarded_key.n || !from.p)
        return;
    x->forwarded = forwarded_check(x->a, e->server->forwarded_key, from, time_now_ms(), &x->remote);
    x->disowned = !x->forwarded;
    struct header *to = ARENA_ARRAY(x->a, struct header, x->n_headers);
    size_t n = 0;
    for (size_t i = 0; i < x->n_headers; i++) {
        struct header h = x->headers[i];
        if (slice_eq_nocase(h.name, SL(FORWARDED_HEADER)))
            continue;
        if (x->forwarded && slice_eq_nocase(h.name, SL("X-Forwarded-For"))) {
            undo_forwarded_for(x, &h);
            if (!h.value.n)
                continue;
        }
        to[n++] = h;
    }
    x->headers = to;
    x->n_headers = n;
}

static int read_head(struct ex *e, const char *method, const char *version)
{
    struct fields fs;
    fs.n = fs.bytes = 0;
    MHD_get_connection_values_n(e->mhd, MHD_HEADER_KIND, collect_field, &fs);
    struct head h = { .method = slice_of(method), .target = { e->target_at, e->target.n }, .version = slice_of(version),
                      .headers = fs.at, .n_headers = fs.n };
    const union MHD_ConnectionInfo *size = MHD_get_connection_info(e->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    bool plain = !e->server->in_place || (size && head_is_plain(&h, size->header_size));

    for (size_t i = 0; i < fs.n; i++)
        if (!slice_eq_nocase(fs.at[i].name, SL("Transfer-Encoding")))
            fs.at[i].value = slice_trim(fs.at[i].value);
    keep_fields(e, &fs);
    h.headers = e->x.headers;
    h.target = e->target;
    e->x.method = arena_dup(e->x.a, h.method);
    e->head_only = slice_eq(h.method, SL("HEAD"));
    target_split(e->target, &e->x.path, &e->x.query);
    identify(e);

    int status = head_check(&h, &e->fault);
    if (status == 0 && !plain) {
        fault(&e->fault, "bad_request", "headers", "the head holds a NUL, a folded line or a bare line feed");
        status = 400;
    }
    hear_door(e);
    return status;
}

/* ---- route -------------------------------------------------------------------------------------- */

static bool method_matches(const struct route *r, slice method)
{
    return r->method.n == 0 || slice_eq(r->method, method) ||
           (slice_eq(method, SL("HEAD")) && slice_eq(r->method, SL("GET")));
}

static int find_route(struct ex *e)
{
    struct server *s = e->server;
    slice path = e->x.path;
    struct text allow = text_new(e->x.a, 256);
    for (size_t i = 0; i < s->n_routes; i++) {
        const struct route *r = &s->routes[i];
        if (r->prefix ? !slice_starts(path, r->path) : !slice_eq(path, r->path))
            continue;
        if (method_matches(r, e->x.method)) {
            e->route = r;
            e->x.rest = r->prefix ? slice_from(path, r->path.n) : SLICE_NONE;
            return 0;
        }
        if (allow.n)
            text_put(&allow, SL(", "));
        text_put(&allow, r->method);
    }
    if (allow.n) {
        e->allow = arena_cstr(e->x.a, text_slice(&allow));
        fault(&e->fault, "method_not_allowed", "method", "this address takes %s", e->allow);
        return 405;
    }
    fault(&e->fault, "not_found", "path", "there is nothing at this address");
    return 404;
}

/* ---- body --------------------------------------------------------------------------------------- */

static voidpf gzip_alloc(voidpf arena, uInt items, uInt size)
{
    return arena_alloc(arena, (size_t)items * size);
}

static void gzip_free(voidpf arena, voidpf p)
{
    (void)arena, (void)p; /* dies with the exchange */
}

static int check_coding(struct ex *e)
{
    slice coding = exchange_header(&e->x, "Content-Encoding");
    if (!coding.n || slice_eq_nocase(coding, SL("identity")))
        return 0;
    if (!slice_eq_nocase(coding, SL("gzip")) && !slice_eq_nocase(coding, SL("x-gzip"))) {
        fault(&e->fault, "unsupported", "content-encoding", "bodies may come plain or gzipped");
        return 415;
    }
    e->gzip = ARENA_NEW(e->x.a, z_stream);
    e->gzip->zalloc = gzip_alloc;
    e->gzip->zfree = gzip_free;
    e->gzip->opaque = e->x.a;
    int rc = inflateInit2(e->gzip, GZIP_WINDOW);
    assert(rc == Z_OK);
    return 0;
}

static int too_large(struct ex *e)
{
    fault(&e->fault, "too_large", "body", "the body is larger than %zu bytes", e->route->body_max);
    return 413;
}

static int bad_gzip(struct ex *e)
{
    fault(&e->fault, "bad_request", "body", "the body is not valid gzip");
    return 400;
}

static int unpack(struct ex *e, const char *p, size_t n)
{
    z_stream *z = e->gzip;
    char plain[GZIP_STEP_BYTES];
    e->packed += n; /* what unpacks to nothing counts, too */
    if (e->packed > e->route->body_max)
        return too_large(e);
    z->next_in = (Bytef *)(uintptr_t)p; /* zlib does not write there */
    z->avail_in = (uInt)n;
    do {
        if (e->gzip_ended) { /* a gzip file may consist of several members */
            if (z->avail_in == 0)
                break;
            if (inflateReset(z) != Z_OK)
                return bad_gzip(e);
            e->gzip_ended = false;
        }
        z->next_out = (Bytef *)plain;
        z->avail_out = sizeof(plain);
        int rc = inflate(z, Z_NO_FLUSH);
        if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
            return bad_gzip(e);
        text_put(&e->body, slice_mem(plain, sizeof(plain) - z->avail_out));
        if (e->body.over)
            return too_large(e);
        e->gzip_ended = rc == Z_STREAM_END;
    } while (z->avail_in > 0 || z->avail_out == 0);
    return 0;
}

static size_t large_part(uint64_t bytes)
{
    return bytes > LARGE_FROM_BYTES ? (size_t)bytes - LARGE_FROM_BYTES : 0;
}

/* Bodies are kept before it is known who sends them: what many strangers send together must have an end, too. What a route takes fits when nothing else is there.
 * others: the large parts of the others'. */
static int has_room(struct ex *e, size_t others, size_t large)
{
    if (!large || others + large <= MAX(e->server->lim.large_bytes, e->route->body_max))
        return 0;
    fault(&e->fault, "busy", "body", "too many large requests are under way; try again");
    return 503;
}

static int take_room(struct ex *e)
{
    struct server *s = e->server;
    size_t large = large_part(e->body.n), others = s->large_bytes - e->large_bytes;
    s->large_bytes = others + large;
    e->large_bytes = large;
    return has_room(e, others, large);
}

static int take_body(struct ex *e, const char *p, size_t n)
{
    int status = 0;
    if (e->gzip)
        status = unpack(e, p, n);
    else
        text_put(&e->body, slice_mem(p, n));
    return status ? status : e->body.over ? too_large(e) : take_room(e);
}

/* ---- the library's callbacks -------------------------------------------------------------------- */

static void answer_refusal(struct ex *e)
{
    struct header more = e->allow ? (struct header){ SL("Allow"), slice_of(e->allow) } : (struct header){ SL("Retry-After"), SL("1") };
    ex_fault(e, e->refusal, &e->fault, &more, e->allow || e->refusal == 503 ? 1 : 0, true);
}

/* Answers at once where the rest of the body is unknown, long, or not sent yet; else swallows it first. */
static void refuse(struct ex *e, int status, bool framing_sound)
{
    e->refusal = status;
    int64_t length = 0;
    slice length_text = exchange_header(&e->x, "Content-Length");
    bool known = !length_text.n || slice_int(length_text, &length);
    bool chunked = exchange_header(&e->x, "Transfer-Encoding").n > 0;
    if (!framing_sound || !known || length > SWALLOW_BYTES || exchange_header(&e->x, "Expect").n || (length == 0 && !chunked)) {
        answer_refusal(e);
        return;
    }
    e->step = EX_REFUSING;
    e->body_left = SWALLOW_BYTES;
}

static void head_arrived(struct ex *e, const char *method, const char *version)
{
    int status = read_head(e, method, version);
    if (status) {
        refuse(e, status, false);
        return;
    }
    status = find_route(e);
    if (status == 0)
        status = check_coding(e);
    int64_t length = 0;
    slice length_text = exchange_header(&e->x, "Content-Length");
    if (status == 0 && length_text.n && slice_int(length_text, &length) && (uint64_t)length > e->route->body_max)
        status = too_large(e);
    if (status == 0) /* before it comes: in the middle of a long one there would be no answer */
        status = has_room(e, e->server->large_bytes, large_part((uint64_t)length));
    if (status) {
        refuse(e, status, true);
        return;
    }
    e->body = text_new(e->x.a, e->route->body_max);
    e->step = EX_BODY;
}

static enum MHD_Result body_arrived(struct ex *e, const char *data, size_t n)
{
    if (e->step == EX_BODY) {
        int status = take_body(e, data, n);
        if (status) {
            e->refusal = status;
            e->step = EX_REFUSING;
            e->body_left = SWALLOW_BYTES;
        }
        return MHD_YES;
    }
    if (e->step == EX_REFUSING) {
        if (n > e->body_left)
            return MHD_NO; /* the library cannot answer in the middle of a body: all that is left is to hang up */
        e->body_left -= n;
    }
    return MHD_YES;
}

static void request_complete(struct ex *e)
{
    e->conn->answering = true;
    if (e->step == EX_BODY && e->gzip && !e->gzip_ended && e->gzip->total_in > 0) {
        e->refusal = bad_gzip(e);
        e->step = EX_REFUSING;
    }
    if (e->step == EX_REFUSING) {
        answer_refusal(e);
        return;
    }
    e->x.body = text_slice(&e->body);
    e->step = EX_WAITING;
    e->route->fn(&e->x, e->route->ctx);
    if (e->step == EX_WAITING) {
        e->suspended = true;
        MHD_suspend_connection(e->mhd);
    }
}

enum MHD_Result request_part(void *arg, struct MHD_Connection *mhd, const char *url, const char *method, const char *version,
                             const char *data, size_t *n, void **ex)
{
    struct ex *e = *ex;
    (void)arg, (void)mhd, (void)url;
    enum MHD_Result go_on = MHD_YES;
    e->in_library = true;
    if (e->step == EX_HEAD) {
        head_arrived(e, method, version);
    } else if (*n) {
        e->conn->earned_ms += (int64_t)*n;
        go_on = body_arrived(e, data, *n);
        *n = 0;
    } else if (e->step == EX_BODY || e->step == EX_REFUSING) {
        request_complete(e);
    }
    if (e->step == EX_ABORTED) /* by the handler just now, or while suspended */
        go_on = MHD_NO;
    e->in_library = false;
    return go_on;
}

void request_done(void *arg, struct MHD_Connection *mhd, void **ex, enum MHD_RequestTerminationCode how)
{
    struct server *s = arg;
    struct ex *e = *ex;
    (void)how;
    if (!e)
        return;
    *ex = NULL;
    e->conn->answering = false;
    e->conn->earned_ms = 0;
    e->conn->since_ms = loop_now_ms(s->loop);
    if (e->events)
        events_gone(e->events);
    ex_unwatch(e);
    if (e->stream)
        stream_finished(e->stream);
    if (e->step == EX_WAITING) { /* the handler still has it; only when the server ends */
        e->mhd = NULL;
        e->suspended = false;
        return;
    }
    if (e->status == 0) { /* refused by the library itself, or cut off */
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_HTTP_STATUS);
        e->status = info ? (int)info->http_status : 0;
    }
    if (s->observe)
        s->observe(s->observe_ctx, &e->x, e->status, e->written, time_mono_us() - e->x.started_us);
    ex_finished(e);
}
