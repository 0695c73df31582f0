/* A server behind a server, on one loop: what passes, how much is held, and what becomes of it when either side breaks off. */
#include "net/client.h"
#include "net/forward.h"
#include "net/forwarded.h"
#include "net/net_test.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

static const slice door_key = SLI("0123456789abcdef0123456789abcdef");
enum { UPLOAD_MAX = 64 << 20 };

struct house {
    struct loop *l;
    struct arena *a;
    struct server *door, *worker;
    struct forward *f;
    struct client *page; /* an ordinary visitor */
    const char *listen, *origin; /* of the worker */
    slice said_remote;           /* {NULL,0}: what the door sees */
    bool unsigned_door;
    int reached, worker_gone, drained;
    struct exchange *kept[64];
    size_t n_kept;
    struct events *shown[64];
    size_t n_shown;
    bool forwarded;
    char remote[64];
    /* /stream: what its origin has put so far */
    struct stream *stream;
    struct loop_timer drip;
    uint64_t stream_put, stream_left;
    int64_t stream_bytes;
    char file[256];
    uint64_t file_bytes;
    int open; /* calls of the page */
};

/* ---- the worker --------------------------------------------------------------------------------- */

static void dump(struct exchange *x, void *ctx)
{
    struct house *t = ctx;
    t->reached++;
    t->forwarded = x->forwarded;
    snprintf(t->remote, sizeof(t->remote), SLF, SLA(x->remote));
    struct text out = text_new(x->a, 1 << 20);
    text_add(&out, SLF " " SLF "%s" SLF "\n", SLA(x->method), SLA(x->path), x->query.p ? "?" : "", SLA(x->query));
    for (size_t i = 0; i < x->n_headers; i++)
        text_add(&out, SLF "=" SLF "\n", SLA(x->headers[i].name), SLA(x->headers[i].value));
    text_add(&out, "body(%zu,%lu)=", x->body.n, crc32(0, (const Bytef *)x->body.p, (uInt)x->body.n));
    text_put(&out, slice_sub(x->body, 0, 200));
    exchange_text(x, 200, text_slice(&out));
}

static void status(struct exchange *x, void *ctx)
{
    int64_t code;
    (void)ctx;
    CHECK(slice_int(x->rest, &code));
    static const struct header h[] = { { SLI("Set-Cookie"), SLI("a=1; Path=/") }, { SLI("Set-Cookie"), SLI("b=2; HttpOnly") },
                                       { SLI("Location"), SLI("/elsewhere") }, { SLI("Content-Encoding"), SLI("gzip") } };
    exchange_answer(x, &(struct response){ .status = (int)code, .type = SL("text/x"), .body = code == 204 || code == 304 ? SLICE_NONE : SL("\x1f\x8bpacked"),
                                           .headers = h, .n_headers = COUNT(h) });
}

static void file(struct exchange *x, void *ctx)
{
    struct house *t = ctx;
    exchange_file(x, &(struct file_answer){ .fd = open(t->file, O_RDONLY | O_CLOEXEC), .size = t->file_bytes, .type = SL("application/x"),
                                            .etag = SL("v1") });
}

static void never(struct exchange *x, void *ctx)
{
    struct house *t = ctx;
    t->reached++;
    CHECK(t->n_kept < COUNT(t->kept));
    t->kept[t->n_kept++] = x;
}

static void answer_kept(void *arg)
{
    struct house *t = arg;
    while (t->n_kept)
        exchange_text(t->kept[--t->n_kept], 200, SL("at last"));
}

static void worker_page_gone(void *arg)
{
    ((struct house *)arg)->worker_gone++;
}

static void show(struct exchange *x, void *ctx)
{
    struct house *t = ctx;
    t->reached++;
    CHECK(t->n_shown < COUNT(t->shown));
    struct events *e = exchange_events(x, worker_page_gone, t);
    if (e)
        t->shown[t->n_shown++] = e;
}

static void stream_next(void *arg)
{
    struct house *t = arg;
    static char bytes[32 << 10];
    while (t->stream && t->stream_left) {
        size_t n = MIN(sizeof(bytes), t->stream_left);
        t->stream_left -= n;
        t->stream_put += n;
        if (!stream_put(t->stream, slice_mem(bytes, n)))
            return;
    }
    if (t->stream)
        stream_end(TAKE(t->stream));
}

static void stream_ready(void *arg)
{
    struct house *t = arg;
    loop_timer_start(t->l, &t->drip, 0, stream_next, t);
}

static void stream_gone(void *arg)
{
    struct house *t = arg;
    t->stream = NULL;
    t->worker_gone++;
}

static void begin_stream(struct exchange *x, void *ctx)
{
    struct house *t = ctx;
    int64_t n;
    CHECK(slice_int(x->rest, &n));
    t->stream_left = (uint64_t)n;
    t->stream_put = 0;
    t->stream = exchange_stream(x, &(struct stream_answer){ .status = 200, .bytes = t->stream_bytes ? n : -1, .held_bytes = 128 << 10,
                                                             .ready = stream_ready, .gone = stream_gone, .arg = t });
    stream_ready(t);
}

static void worker_start(struct house *t)
{
    struct server_limits lim;
    struct fault f = { 0 };
    server_limits_default(&lim);
    lim.head_bytes += FORWARD_HEAD_BYTES;
    t->worker = server_new(t->l, t->listen, NULL, &lim, &f);
    CHECK(t->worker);
    server_forwarded(t->worker, door_key);
    server_route(t->worker, "*", "/dump", UPLOAD_MAX, dump, t);
    server_route(t->worker, "*", "/api/dump", 0, dump, t);
    server_route(t->worker, "*", "/status/*", 0, status, t);
    server_route(t->worker, "*", "/never", 0, never, t);
    server_route(t->worker, "GET", "/file", 0, file, t);
    server_route(t->worker, "GET", "/events", 0, show, t);
    server_route(t->worker, "GET", "/stream/*", 0, begin_stream, t);
}

/* ---- the door ----------------------------------------------------------------------------------- */

static void hand_on(struct exchange *x, void *ctx)
{
    struct house *t = ctx;
    if (t->said_remote.p)
        x->remote = t->said_remote;
    struct header from = { SL(FORWARDED_HEADER), forwarded_sign(x->a, door_key, x->remote, time_now_ms()) };
    forward_exchange(t->f, x, t->origin, &from, t->unsigned_door ? 0 : 1);
}

static slice problem(struct arena *a, slice path, int code, const struct fault *f)
{
    return arena_printf(a, "{\"type\":\"%s\",\"status\":%d,\"instance\":\"" SLF "\"}", f->code, code, SLA(path));
}

static struct house *house_new(const struct forward_limits *lim)
{
    struct house *t = must_calloc(1, sizeof(*t));
    struct server_limits sl;
    t->l = loop_new();
    t->a = arena_new();
    t->listen = arena_printf(t->a, "unix:%s/worker.sock", test_dir()).p;
    t->origin = t->listen;
    worker_start(t);
    server_limits_default(&sl);
    t->door = server_new(t->l, "127.0.0.1:0", NULL, &sl, NULL);
    t->f = forward_new(t->l, lim, NULL);
    CHECK(t->door && t->f);
    static const struct server_fault_style style = { "/api/", "application/problem+json", problem };
    server_faults(t->door, &style);
    server_route(t->door, "*", "/*", UPLOAD_MAX, hand_on, t);
    struct client_limits cl;
    client_limits_default(&cl);
    cl.per_host = cl.total = 500;
    cl.total_ms = 60000;
    t->page = client_new(t->l, &cl, NULL);
    return t;
}

static void house_free(struct house *t)
{
    client_free(t->page);
    forward_free(t->f);
    server_free(t->door);
    server_free(t->worker);
    answer_kept(t);
    loop_timer_done(&t->drip);
    loop_free(t->l);
    arena_free(t->a);
    free(t);
}

static void talk(struct house *t, struct peer *p, slice request)
{
    p->loop = t->l;
    p->port = server_port(t->door);
    p->send = request;
    if (!p->wait_ms)
        p->wait_ms = 20000; /* it says Connection: close */
    peer_talk(p);
}

static bool has(const struct peer *p, const char *text)
{
    return slice_find(peer_text(p), slice_of(text)) != SIZE_MAX;
}

static int count(const struct peer *p, const char *text)
{
    int n = 0;
    slice rest = peer_text(p), what = slice_of(text);
    for (size_t at; (at = slice_find(rest, what)) != SIZE_MAX; n++)
        rest = slice_from(rest, at + what.n);
    return n;
}

static int dial(const struct house *t, const char *request)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0), small = 4096;
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)server_port(t->door)) };
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    CHECK(connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0);
    CHECK(send(fd, request, strlen(request), MSG_NOSIGNAL) == (ssize_t)strlen(request));
    return fd;
}

/* Runs the loop until it is so, within a bound that is long for a slow machine. */
#define UNTIL(t, so)                                         \
    do {                                                     \
        bool now_ = (so);                                    \
        for (int i_ = 0; i_ < 4000 && !now_; i_++, now_ = (so)) \
            run_for((t)->l, 5);                              \
        if (!now_)                                           \
            test_fail(__FILE__, __LINE__, "in vain: %s", #so); \
    } while (0)

/* What has come to fd by now, without its being waited for; -1: reset. */
static ssize_t read_now(int fd, char *to, size_t max)
{
    ssize_t n = recv(fd, to, max, MSG_DONTWAIT);
    return n >= 0 ? n : errno == ECONNRESET ? -1 : 0;
}

/* ---- what passes there -------------------------------------------------------------------------- */

TEST(forward_hands_the_request_on)
{
    struct house *t = house_new(NULL);
    static const struct {
        slice raw;
        const char *has[6], *has_not[4];
    } rows[] = {
        { SLI("GET /dump?a=%20b&&c%zz HTTP/1.1\r\nHost: shop.example\r\nCookie: s=1\r\nX-Request-Id: r-7\r\nConnection: close\r\n\r\n"),
          { "GET /dump?a=%20b&&c%zz\n", "Host=shop.example\n", "Cookie=s=1\n", "X-Request-Id=r-7\n", "X-Forwarded-Host=shop.example\n", "X-Forwarded-Proto=http\n" },
          { "Connection=", "X-Dragoman-Forward", "User-Agent", "Accept=" } },
        { SLI("GET /dump? HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), { "GET /dump?\n", "body(0," }, { "Content-Length=" } },
        { SLI("GET http://shop.example/dump?x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), { "GET /dump?x\n" }, { NULL } },
        { SLI("POST /dump HTTP/1.1\r\nHost: a\r\nContent-Type: text/y\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"),
          { "POST /dump\n", "Content-Type=text/y\n", "Content-Length=5\n", "body(5,907060870)=hello" }, { "Expect" } },
        { SLI("POST /dump HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
          { "Content-Length=5\n", "=hello" }, { "Transfer-Encoding", "Content-Type=" } },
        { SLI("POST /dump HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"), { "POST /dump\n", "Content-Length=0\n" }, { NULL } },
        { SLI("DELETE /dump HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"), { "DELETE /dump\n", "body(2,", "={}" }, { NULL } },
        { SLI("PATCH /dump HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"), { "PATCH /dump\n", "={}" }, { NULL } },
        { SLI("PUT /dump HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"), { "PUT /dump\n", "={}" }, { "Expect=" } },
        { SLI("OPTIONS /dump HTTP/1.1\r\nHost: a\r\nOrigin: http://b\r\nConnection: close\r\n\r\n"), { "OPTIONS /dump\n", "Origin=http://b\n" }, { NULL } },
        { SLI("FROBNICATE /dump HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), { "FROBNICATE /dump\n" }, { NULL } },
        { SLI("GET /dump HTTP/1.1\r\nHost: a\r\nConnection: close, X-Mine\r\nX-Mine: 1\r\nX-Yours: 2\r\nKeep-Alive: 5\r\nTE: trailers\r\nUpgrade: h2c\r\nProxy-Authorization: x\r\n\r\n"),
          { "X-Yours=2\n" }, { "X-Mine", "Keep-Alive", "Upgrade", "Proxy-" } },
        { SLI("GET /dump HTTP/1.1\r\nHost: a\r\nConnection: close, Host\r\nX-Empty:\r\n\r\n"), { "Host=a\n", "X-Empty=\n" }, { NULL } },
        { SLI("GET /dump HTTP/1.0\r\n\r\n"), { "GET /dump\n" }, { NULL } },
        { SLI("GET /dump HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.9, 10.0.0.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: b\r\nConnection: close\r\n\r\n"),
          { "X-Forwarded-For=203.0.113.9, 10.0.0.1\n", "X-Forwarded-Proto=https\n", "X-Forwarded-Host=b\n" }, { "127.0.0.1", "X-Forwarded-Proto=http\n", "X-Forwarded-Host=a" } },
        { SLI("GET /dump HTTP/1.1\r\nHost: a\r\nUser-Agent: Mine/1\r\nAccept: text/z\r\nX-Dragoman-Forward: made.up\r\nConnection: close\r\n\r\n"),
          { "User-Agent=Mine/1\n", "Accept=text/z\n" }, { "made.up" } },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct peer p = { 0 };
        talk(t, &p, rows[i].raw);
        CHECK_ROW(i, has(&p, "HTTP/1.1 200 OK\r\n") && p.closed && !p.reset && t->forwarded); /* once after a 100 */
        for (size_t k = 0; k < COUNT(rows[i].has); k++)
            if (rows[i].has[k] && !has(&p, rows[i].has[k]))
                test_fail(__FILE__, __LINE__, "row %zu: not there: %s\n%s", i, rows[i].has[k], p.got);
        slice got = slice_from(peer_text(&p), slice_find(peer_text(&p), SL("\r\n\r\n")));
        for (size_t k = 0; k < COUNT(rows[i].has_not); k++)
            if (rows[i].has_not[k] && slice_find(got, slice_of(rows[i].has_not[k])) != SIZE_MAX)
                test_fail(__FILE__, __LINE__, "row %zu: there: %s\n%s", i, rows[i].has_not[k], p.got);
    }
    CHECK_INT(forward_open(t->f), 0);
    CHECK_INT(server_connections(t->worker), 1); /* one after the other, on one connection */
    house_free(t);
}

TEST(forward_hands_a_packed_body_on_unpacked)
{
    struct house *t = house_new(NULL);
    unsigned char packed[200];
    z_stream z = { .next_in = (Bytef *)(uintptr_t)"hello", .avail_in = 5, .next_out = packed, .avail_out = sizeof(packed) };
    CHECK(deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) == Z_OK && deflate(&z, Z_FINISH) == Z_STREAM_END);
    slice raw = arena_printf(t->a, "POST /dump HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: %lu\r\nConnection: close\r\n\r\n", z.total_out);
    raw = arena_join(t->a, raw, slice_mem(packed, z.total_out), SLICE_NONE);
    deflateEnd(&z);
    struct peer p = { 0 };
    talk(t, &p, raw);
    CHECK(p.status == 200 && has(&p, "=hello") && !has(&p, "Content-Encoding="));
    house_free(t);
}

TEST(forward_tells_who_stands_before_the_door)
{
    struct house *t = house_new(NULL);
    static const slice get = SLI("GET /dump HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.9\r\nConnection: close\r\n\r\n");
    static const slice remotes[] = { SLI("192.0.2.7:5678"), SLI("[2001:db8::1]:9"), SLI("local") };
    for (size_t i = 0; i < COUNT(remotes); i++) {
        struct peer p = { 0 };
        t->said_remote = remotes[i];
        talk(t, &p, get);
        CHECK_ROW(i, p.status == 200 && t->forwarded && has(&p, "X-Forwarded-For=203.0.113.9\n"));
        CHECK_SLICE(slice_of(t->remote), remotes[i]);
    }
    struct peer p = { 0 };
    t->said_remote = SL("192.0.2.7:5678");
    t->unsigned_door = true;
    talk(t, &p, get);
    CHECK(!t->forwarded && strcmp(t->remote, "local") == 0);
    CHECK(has(&p, "X-Forwarded-For=203.0.113.9, 192.0.2.7\n"));
    server_forwarded(t->worker, SL("another key of an installation !"));
    t->unsigned_door = false;
    talk(t, &p, get);
    CHECK(p.status == 200 && !t->forwarded && strcmp(t->remote, "local") == 0 && !has(&p, FORWARDED_HEADER));
    house_free(t);
}

/* ---- what passes back --------------------------------------------------------------------------- */

static slice get(struct house *t, const char *method, const char *path, const char *more)
{
    return arena_printf(t->a, "%s %s HTTP/1.1\r\nHost: a\r\nX-Request-Id: r-8\r\nConnection: close\r\n%s\r\n", method, path, more);
}

TEST(forward_hands_the_answer_back)
{
    struct house *t = house_new(NULL);
    static const int codes[] = { 200, 201, 204, 302, 304, 400, 404, 418, 500, 503 };
    for (size_t i = 0; i < COUNT(codes); i++) {
        struct peer p = { 0 };
        talk(t, &p, get(t, "GET", arena_printf(t->a, "/status/%d", codes[i]).p, ""));
        CHECK_INT(p.status, codes[i]);
        CHECK_ROW(i, p.closed && !p.reset && count(&p, "Set-Cookie: ") == 2 && has(&p, "Set-Cookie: a=1; Path=/\r\n") && has(&p, "Set-Cookie: b=2; HttpOnly\r\n"));
        CHECK_ROW(i, has(&p, "Location: /elsewhere\r\n") && has(&p, "Content-Encoding: gzip\r\n") && has(&p, "Content-Type: text/x\r\n"));
        CHECK_ROW(i, count(&p, "X-Request-Id: r-8\r\n") == 1 && count(&p, "Date: ") == 1);
        bool body = codes[i] != 204 && codes[i] != 304;
        CHECK_ROW(i, has(&p, "\r\n\r\n\x1f\x8bpacked") == body && has(&p, "Content-Length: 8\r\n") == body);
    }
    house_free(t);
}

static void write_file(struct house *t, size_t bytes)
{
    snprintf(t->file, sizeof(t->file), "%s/file", test_dir());
    int fd = open(t->file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    unsigned char block[65536];
    uint32_t x = 1;
    for (size_t done = 0; done < bytes; done += sizeof(block)) {
        for (size_t i = 0; i < sizeof(block); i++)
            block[i] = (unsigned char)((x = x * 1664525u + 1013904223u) >> 24);
        CHECK(write(fd, block, MIN(sizeof(block), bytes - done)) > 0);
    }
    close(fd);
    t->file_bytes = bytes;
}

TEST(forward_hands_ranges_and_heads_back)
{
    struct house *t = house_new(NULL);
    write_file(t, 10000);
    static const struct {
        const char *method, *more;
        int status;
        const char *has;
        size_t body;
    } rows[] = {
        { "GET", "", 200, "Content-Length: 10000\r\n", 10000 },
        { "HEAD", "", 200, "Content-Length: 10000\r\n", 0 },
        { "GET", "Range: bytes=100-199\r\n", 206, "Content-Range: bytes 100-199/10000\r\n", 100 },
        { "GET", "Range: bytes=20000-\r\n", 416, "Content-Range: bytes */10000\r\n", 0 },
        { "GET", "If-None-Match: \"v1\"\r\n", 304, "ETag: \"v1\"\r\n", 0 },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct peer p = { 0 };
        talk(t, &p, get(t, rows[i].method, "/file", rows[i].more));
        CHECK_ROW(i, p.status == rows[i].status && has(&p, rows[i].has) && p.closed && !p.reset);
        CHECK_INT(p.n - slice_find(peer_text(&p), SL("\r\n\r\n")) - 4, rows[i].body);
    }
    struct peer p = { 0 }; /* several on one connection: nothing is left between them */
    talk(t, &p, SL("HEAD /file HTTP/1.1\r\nHost: a\r\n\r\nHEAD /stream/5 HTTP/1.1\r\nHost: a\r\n\r\n"));
    CHECK_INT(count(&p, "HTTP/1.1 200 OK\r\n"), 2);
    struct peer q = { 0 };
    talk(t, &q, SL("GET /status/304 HTTP/1.1\r\nHost: a\r\n\r\nHEAD /file HTTP/1.1\r\nHost: a\r\n\r\nGET /status/204 HTTP/1.1\r\nHost: a\r\n\r\n"
                   "GET /stream/5 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
    CHECK_INT(count(&q, "HTTP/1.1 "), 4);
    CHECK(has(&q, "Transfer-Encoding: chunked\r\n") && slice_ends(peer_text(&q), SL("0\r\n\r\n")));
    house_free(t);
}

/* ---- size --------------------------------------------------------------------------------------- */

struct taken {
    struct house *t;
    uint64_t bytes;
    uLong crc;
    int status;
    slice body;
};

static bool take(void *arg, const struct answer *head, const char *p, size_t n)
{
    struct taken *k = arg;
    (void)head;
    k->crc = crc32(k->crc, (const Bytef *)p, (uInt)n);
    k->bytes += n;
    return true;
}

static void took(void *arg, const struct answer *r)
{
    struct taken *k = arg;
    k->status = r->status;
    k->body = r->body;
    if (--k->t->open == 0)
        loop_stop(k->t->l);
}

static void begin(struct house *t, struct taken *k, const char *method, const char *path, slice body, bool sink)
{
    struct client_call *call = ARENA_NEW(t->a, struct client_call);
    *k = (struct taken){ .t = t };
    *call = (struct client_call){ .a = t->a, .method = method, .url = arena_printf(t->a, "http://127.0.0.1:%u%s", server_port(t->door), path), .body = body,
                                  .sink = sink ? take : NULL, .io_arg = k, .answer_bytes = SIZE_MAX, .done = took, .arg = k };
    t->open++;
    client_send(t->page, call);
}

TEST(forward_carries_50_mib_each_way)
{
    struct house *t = house_new(NULL);
    size_t n = 50 << 20;
    write_file(t, n);
    struct taken k;
    begin(t, &k, "GET", "/file", SLICE_NONE, true);
    loop_run(t->l);
    CHECK(k.status == 200 && k.bytes == n);
    slice whole = slice_mem(arena_alloc(t->a, n), n);
    int fd = open(t->file, O_RDONLY | O_CLOEXEC);
    CHECK(read(fd, (char *)(uintptr_t)whole.p, n) == (ssize_t)n);
    close(fd);
    uLong crc = crc32(0, (const Bytef *)whole.p, (uInt)n);
    CHECK_INT(k.crc, crc);
    begin(t, &k, "POST", "/dump", whole, false);
    loop_run(t->l);
    CHECK_INT(k.status, 200);
    CHECK(slice_find(k.body, arena_printf(t->a, "body(%zu,%lu)=", n, crc)) != SIZE_MAX);
    for (int known = 0; known < 2; known++) {
        t->stream_bytes = known;
        begin(t, &k, "GET", arena_printf(t->a, "/stream/%zu", n).p, SLICE_NONE, true);
        loop_run(t->l);
        CHECK(k.status == 200 && k.bytes == n);
    }
    CHECK_INT(forward_open(t->f), 0);
    house_free(t);
}

TEST(forward_waits_for_a_page_that_reads_slowly)
{
    struct house *t = house_new(NULL);
    size_t n = 50 << 20, got = 0;
    for (int known = 0; known < 2; known++) {
        t->stream_bytes = known;
        int fd = dial(t, arena_printf(t->a, "GET /stream/%zu HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", n).p);
        UNTIL(t, t->stream_put > 0);
        for (uint64_t before = 0; before != t->stream_put;) { /* until nothing moves any more */
            before = t->stream_put;
            run_for(t->l, 200);
        }
        CHECK(t->stream_put < 20u << 20); /* most of which the kernel holds */
        char *buf = arena_alloc(t->a, 1 << 20);
        ssize_t some = 1;
        for (got = 0; some > 0;) {
            while ((some = recv(fd, buf, 1 << 20, MSG_DONTWAIT)) > 0)
                got += (size_t)some;
            if (some == 0 || errno != EAGAIN)
                break;
            run_for(t->l, 1);
            some = 1;
        }
        CHECK_INT(some, 0); /* an orderly end */
        CHECK(got > n);     /* the head is with it */
        close(fd);
        UNTIL(t, forward_open(t->f) == 0);
    }
    house_free(t);
}

TEST(forward_many_at_once)
{
    struct house *t = house_new(NULL);
    enum { N = 300, PAGES = 50 };
    write_file(t, 300000);
    int fds[PAGES];
    for (int i = 0; i < PAGES; i++)
        fds[i] = dial(t, "GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
    UNTIL(t, t->n_shown == PAGES);
    struct taken *k = ARENA_ARRAY(t->a, struct taken, N);
    for (int i = 0; i < N; i++) {
        slice body = slice_mem(arena_zalloc(t->a, (size_t)i * 100 + 1), (size_t)i * 100 + 1);
        if (i % 3 == 0)
            begin(t, &k[i], "GET", "/file", SLICE_NONE, true);
        else if (i % 3 == 1)
            begin(t, &k[i], "POST", "/dump", body, false);
        else
            begin(t, &k[i], "GET", "/status/404", SLICE_NONE, false);
    }
    loop_run(t->l);
    for (int i = 0; i < N; i++) {
        CHECK_ROW(i, k[i].status == (i % 3 == 2 ? 404 : 200));
        CHECK_ROW(i, i % 3 != 0 || k[i].bytes == t->file_bytes);
        CHECK_ROW(i, i % 3 != 1 || slice_find(k[i].body, arena_printf(t->a, "body(%d,", i * 100 + 1)) != SIZE_MAX);
    }
    CHECK_INT(forward_open(t->f), PAGES);
    for (size_t i = 0; i < PAGES; i++)
        events_send(t->shown[i], "word", arena_printf(t->a, "for page %zu", i));
    char buf[8192];
    for (size_t i = 0; i < PAGES; i++) {
        size_t n = 0;
        UNTIL(t, (n += (size_t)read_now(fds[i], buf + n, sizeof(buf) - n), slice_find(slice_mem(buf, n), SL("event: word\ndata: for page ")) != SIZE_MAX));
        close(fds[i]);
    }
    UNTIL(t, forward_open(t->f) == 0 && t->worker_gone == PAGES);
    house_free(t);
}

TEST(forward_lets_in_no_more_than_it_may)
{
    struct forward_limits lim;
    forward_limits_default(&lim);
    lim.connections = 3;
    struct house *t = house_new(&lim);
    int fds[3];
    for (int i = 0; i < 3; i++)
        fds[i] = dial(t, "GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
    UNTIL(t, t->n_shown == 3);
    struct peer p = { 0 };
    talk(t, &p, get(t, "GET", "/dump", ""));
    CHECK(p.status == 503 && has(&p, "\"code\":\"busy\"") && has(&p, "Retry-After: "));
    close(fds[0]);
    UNTIL(t, forward_open(t->f) == 2);
    talk(t, &p, get(t, "GET", "/dump", ""));
    CHECK_INT(p.status, 200);
    close(fds[1]);
    close(fds[2]);
    house_free(t);
}

/* ---- event streams ------------------------------------------------------------------------------ */

static void on_drained(void *arg)
{
    ((struct house *)arg)->drained++;
}

TEST(forward_gives_events_at_once)
{
    struct house *t = house_new(NULL);
    char buf[4096];
    size_t n = 0;
    int fd = dial(t, "GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
    UNTIL(t, t->n_shown == 1);
    UNTIL(t, (n += (size_t)read_now(fd, buf + n, sizeof(buf) - n), slice_find(slice_mem(buf, n), SL("retry: ")) != SIZE_MAX));
    CHECK(slice_find(slice_mem(buf, n), SL("Content-Type: text/event-stream\r\n")) != SIZE_MAX);
    CHECK(slice_find(slice_mem(buf, n), SL("X-Accel-Buffering: no\r\n")) != SIZE_MAX);
    for (int i = 0; i < 20; i++) {
        slice want = arena_printf(t->a, "data: %d\n\n", i);
        events_send(t->shown[0], "n", arena_printf(t->a, "%d", i));
        UNTIL(t, (n += (size_t)read_now(fd, buf + n, sizeof(buf) - n), slice_find(slice_mem(buf, n), want) != SIZE_MAX));
    }
    server_drain(t->door, 5000, on_drained, t); /* a stream never ends by itself */
    UNTIL(t, t->drained == 1 && t->worker_gone == 1);
    n += (size_t)read_now(fd, buf + n, sizeof(buf) - n);
    CHECK(slice_ends(slice_mem(buf, n), SL("0\r\n\r\n")));
    close(fd);
    house_free(t);
}

TEST(forward_ends_events_when_the_worker_ends_them)
{
    struct house *t = house_new(NULL);
    char buf[4096];
    size_t n = 0;
    int fd = dial(t, "GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
    UNTIL(t, t->n_shown == 1);
    server_drain(t->worker, 5000, on_drained, t);
    UNTIL(t, t->drained == 1 && forward_open(t->f) == 0);
    UNTIL(t, (n += (size_t)read_now(fd, buf + n, sizeof(buf) - n), slice_ends(slice_mem(buf, n), SL("0\r\n\r\n"))));
    close(fd);
    house_free(t);
}

TEST(forward_does_not_wait_for_ever)
{
    struct forward_limits lim;
    forward_limits_default(&lim);
    lim.head_ms = 150;
    lim.idle_ms = 150;
    struct house *t = house_new(&lim);
    struct peer p = { 0 };
    talk(t, &p, get(t, "GET", "/never", ""));
    CHECK(p.status == 504 && has(&p, "\"code\":\"worker_slow\""));
    talk(t, &p, get(t, "GET", "/events", "")); /* its keep-alive comes too late */
    CHECK(p.status == 200 && p.reset);
    UNTIL(t, t->worker_gone == 1);
    CHECK_INT(forward_open(t->f), 0);
    house_free(t);
}

/* ---- the page leaves ---------------------------------------------------------------------------- */

TEST(forward_ends_the_call_when_the_page_leaves)
{
    struct forward_limits lim;
    forward_limits_default(&lim);
    lim.leave_ms = 100;
    struct house *t = house_new(&lim);
    static const char *const requests[] = {
        "GET /never HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /never HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi",
        "GET /events HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /stream/50000000 HTTP/1.1\r\nHost: a\r\n\r\n",
    };
    for (size_t i = 0; i < COUNT(requests); i++)
        for (int hard = 0; hard < 2; hard++) {
            int fd = dial(t, requests[i]);
            struct linger at_once = { .l_onoff = 1 };
            if (hard)
                setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
            UNTIL(t, forward_open(t->f) == 1 && t->reached + (t->stream != NULL));
            close(fd);
            UNTIL(t, forward_open(t->f) == 0);
            answer_kept(t); /* the worker's handler answers into nothing */
            UNTIL(t, server_connections(t->worker) <= 1 && !t->stream);
            t->reached = 0;
        }
    CHECK_INT(t->worker_gone, 4);
    house_free(t);
}

TEST(forward_answers_a_page_that_only_sends_no_more)
{
    struct house *t = house_new(NULL);
    struct peer p = { .half_close = true };
    talk(t, &p, SL("GET /dump HTTP/1.1\r\nHost: a\r\n\r\n"));
    CHECK(p.status == 200 && has(&p, "GET /dump\n"));
    write_file(t, 50000);
    struct peer q = { .half_close = true };
    talk(t, &q, SL("GET /file HTTP/1.0\r\n\r\n"));
    CHECK(q.status == 200 && q.n > 50000 && !q.reset);
    house_free(t);
}

/* ---- the worker breaks off ---------------------------------------------------------------------- */

struct breaker { /* reads so much of a request, says something, and hangs up */
    int listener;
    unsigned port;
    size_t reads;
    const char *says;
    bool reset;
    pthread_t thread;
};

static void *breaking(void *arg)
{
    struct breaker *b = arg;
    for (int fd; (fd = accept(b->listener, NULL, NULL)) >= 0; close(fd)) {
        char buf[65536];
        for (size_t n = 0; n < b->reads;) {
            ssize_t got = recv(fd, buf, MIN(sizeof(buf), b->reads - n), 0);
            if (got <= 0)
                break;
            n += (size_t)got;
            if (memmem(buf, (size_t)got, "\r\n\r\n", 4) && b->reads == SIZE_MAX)
                break;
        }
        if (b->says && send(fd, b->says, strlen(b->says), MSG_NOSIGNAL) < 0)
            continue;
        struct linger hard = { 1, 0 };
        if (b->reset)
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    }
    return NULL;
}

static void breaker_start(struct breaker *b)
{
    struct sockaddr_in at = { .sin_family = AF_INET };
    socklen_t n = sizeof(at);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    b->listener = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(bind(b->listener, (struct sockaddr *)&at, sizeof(at)) == 0 && listen(b->listener, 16) == 0);
    getsockname(b->listener, (struct sockaddr *)&at, &n);
    b->port = ntohs(at.sin_port);
    CHECK_INT(pthread_create(&b->thread, NULL, breaking, b), 0);
}

static void breaker_stop(struct breaker *b)
{
    shutdown(b->listener, SHUT_RDWR);
    pthread_join(b->thread, NULL);
    close(b->listener);
}

TEST(forward_half_an_answer_never_looks_whole)
{
    struct house *t = house_new(NULL);
    enum { ALL = -1 };
    static const struct {
        const char *method;
        long reads;
        const char *says;
        bool reset;
        int status, or_status;
        bool broken; /* then it need not see even the head */
        const char *has;
    } rows[] = {
        { "GET", 0, NULL, true, 503, 502, false, NULL }, /* before it was asked, or just then */
        { "GET", ALL, NULL, false, 502, 0, false, "worker_gone" },
        { "GET", ALL, NULL, true, 502, 0, false, "worker_gone" },
        { "POST", 20, NULL, true, 503, 502, false, NULL }, /* when little is sent at once, the kernel had it all */
        { "POST", ALL, NULL, true, 503, 502, false, NULL },
        { "GET", ALL, "HTTP/1.1 200 OK\r\nContent-Le", false, 502, 0, false, "worker_gone" },
        { "GET", ALL, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", true, 502, 0, false, "worker_gone" },
        { "GET", ALL, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", false, 200, 0, true, NULL },
        { "GET", ALL, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", false, 200, 0, true, NULL },
        { "GET", ALL, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", false, 200, 0, true, NULL },
        { "GET", ALL, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n", false, 200, 0, true, NULL },
        { "GET", ALL, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n9\r\ndata: a\n\n\r\n", false, 200, 0, true, NULL },
        { "GET", ALL, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", false, 200, 0, false, "lo\r\n0\r\n\r\n" },
        { "GET", ALL, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close, X-Mine\r\nX-Mine: 1\r\nX-Yours: 2\r\n\r\nhello", false, 200, 0, false, "X-Yours: 2" },
        { "GET", ALL, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Made\r\nContent-Length: 0\r\n\r\n", false, 201, 0, false, "HTTP/1.1 201" },
        { "GET", ALL, "HTTP/1.1 200 OK\r\n\r\nuntil the end", false, 200, 0, false, "until the end" },
        { "HEAD", ALL, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", true, 200, 0, false, "Content-Length: 5" },
        { "GET", ALL, "HTTP/1.1 799 Odd\r\nContent-Length: 0\r\n\r\n", false, 502, 0, false, "worker_gone" },
        { "GET", ALL, "SSH-2.0-OpenSSH\r\n", false, 502, 0, false, "worker_gone" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct breaker b = { .reads = rows[i].reads == ALL ? SIZE_MAX : (size_t)rows[i].reads, .says = rows[i].says, .reset = rows[i].reset };
        breaker_start(&b);
        t->origin = arena_printf(t->a, "http://127.0.0.1:%u", b.port).p;
        struct peer p = { 0 };
        slice raw = get(t, rows[i].method, "/x", "");
        if (strcmp(rows[i].method, "POST") == 0)
            raw = arena_join(t->a, get(t, "POST", "/x", "Content-Length: 3000000\r\n"), slice_mem(arena_zalloc(t->a, 3000000), 3000000), SLICE_NONE);
        talk(t, &p, raw);
        if ((p.status != rows[i].status && p.status != rows[i].or_status) || p.reset != rows[i].broken || (rows[i].has && !has(&p, rows[i].has)))
            test_fail(__FILE__, __LINE__, "row %zu: %d reset %d\n%s", i, p.status, p.reset, p.got);
        CHECK_ROW(i, !has(&p, "X-Mine") && p.closed);
        CHECK_INT(forward_open(t->f), 0);
        breaker_stop(&b);
    }
    house_free(t);
}

TEST(forward_says_when_nobody_is_there)
{
    struct house *t = house_new(NULL);
    struct breaker b = { 0 };
    breaker_start(&b); /* a port that nobody listens on any more */
    breaker_stop(&b);
    const char *origins[] = { arena_printf(t->a, "unix:%s/nobody.sock", test_dir()).p, "unix:/nonexistent/worker.sock",
                              arena_printf(t->a, "http://127.0.0.1:%u", b.port).p };
    for (size_t i = 0; i < COUNT(origins); i++) {
        t->origin = origins[i];
        struct peer p = { 0 };
        talk(t, &p, SL("POST /dump HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi"));
        CHECK_ROW(i, p.status == 503 && has(&p, "\"code\":\"no_worker\"") && has(&p, "Retry-After: 2\r\n"));
        struct peer q = { 0 };
        talk(t, &q, get(t, "GET", "/api/dump", ""));
        CHECK_ROW(i, q.status == 503 && has(&q, "Content-Type: application/problem+json") && has(&q, "\"instance\":\"/api/dump\"") && has(&q, "Retry-After: 2\r\n"));
    }
    house_free(t);
}

TEST(forward_finds_the_worker_again)
{
    struct house *t = house_new(NULL);
    struct peer p = { 0 };
    for (int i = 0; i < 12; i++) {
        talk(t, &p, get(t, "GET", "/dump", ""));
        CHECK_INT(p.status, 200);
        server_free(t->worker);
        t->worker = NULL;
        talk(t, &p, get(t, "GET", "/dump", ""));
        CHECK_INT(p.status, 503);
        if (i >= 6) { /* it has moved; more often than sockets are kept */
            t->listen = arena_printf(t->a, "unix:%s/worker-%d.sock", test_dir(), i % 6 * 2).p;
            t->origin = t->listen;
        }
        worker_start(t);
    }
    for (int i = 0; i < FORWARD_SOCKETS_MAX + 3; i++) {
        t->origin = arena_printf(t->a, "unix:%s/none-%d.sock", test_dir(), i).p;
        talk(t, &p, get(t, "GET", "/dump", ""));
        CHECK_INT(p.status, 503);
    }
    t->origin = t->listen;
    talk(t, &p, get(t, "GET", "/dump", ""));
    CHECK_INT(p.status, 200);
    house_free(t);
}

TEST(forward_worker_ends_with_requests_on_their_way)
{
    struct house *t = house_new(NULL);
    int waits = dial(t, "POST /never HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"), page = dial(t, "GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
    UNTIL(t, t->n_kept == 1 && t->n_shown == 1);
    server_free(t->worker);
    t->worker = NULL;
    answer_kept(t);
    UNTIL(t, forward_open(t->f) == 0);
    char buf[4096];
    ssize_t n = 0;
    UNTIL(t, (n = read_now(waits, buf, sizeof(buf))) > 0);
    CHECK(slice_starts(slice_mem(buf, (size_t)n), SL("HTTP/1.1 502 ")));
    UNTIL(t, (n = read_now(page, buf, sizeof(buf))) != 0 && (n < 0 || (n = read_now(page, buf, sizeof(buf))) < 0));
    close(waits);
    close(page);
    house_free(t);
}

/* Whichever ends first. */
TEST(forward_ends_with_requests_on_their_way)
{
    for (int first = 0; first < 3; first++) {
        struct house *t = house_new(NULL);
        int fds[] = { dial(t, "POST /never HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"), dial(t, "GET /events HTTP/1.1\r\nHost: a\r\n\r\n"),
                      dial(t, "GET /stream/50000000 HTTP/1.1\r\nHost: a\r\n\r\n") };
        UNTIL(t, t->n_kept == 1 && t->n_shown == 1 && t->stream);
        char head;
        for (size_t i = 1; i < COUNT(fds); i++) /* the door has begun their answers */
            UNTIL(t, recv(fds[i], &head, 1, MSG_DONTWAIT | MSG_PEEK) == 1);
        CHECK_INT(forward_open(t->f), 3);
        if (first == 0) {
            forward_free(t->f);
            t->f = NULL;
        } else if (first == 1) {
            server_free(t->door);
            t->door = NULL;
            CHECK_INT(forward_open(t->f), 1); /* who still waits is answered into nothing */
        } else {
            answer_kept(t); /* answered in the same turn in which the door ends */
            server_free(t->door);
            t->door = NULL;
            UNTIL(t, forward_open(t->f) == 0);
        }
        run_for(t->l, 20);
        for (size_t i = 0; i < COUNT(fds); i++)
            close(fds[i]);
        house_free(t);
    }
}
