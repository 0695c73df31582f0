/* Answers in pieces, as their peers see them. */
#include "net/net_test.h"
#include "net/server.h"
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

struct fountain { /* a handler that answers in pieces, one in each turn of a timer */
    struct loop *l;
    struct server *s;
    struct stream *stream;
    struct stream_answer sa;
    struct loop_timer timer;
    int pieces, put, ready, gone, drained;
    bool breaks, no_stream, stopped;
    size_t piece_bytes, most_held;
};

static void next_piece(void *arg)
{
    struct fountain *t = arg;
    static char bytes[64 << 10];
    if (!t->stream)
        return;
    memset(bytes, 'a' + t->put % 26, sizeof(bytes));
    if (t->put == t->pieces) {
        if (t->breaks)
            stream_break(TAKE(t->stream));
        else
            stream_end(TAKE(t->stream));
        return;
    }
    t->put++;
    t->stopped = !stream_put(t->stream, slice_mem(bytes, t->piece_bytes));
    t->most_held = MAX(t->most_held, stream_held(t->stream));
    if (!t->stopped)
        loop_timer_start(t->l, &t->timer, 1, next_piece, t);
}

static void on_ready(void *arg)
{
    struct fountain *t = arg;
    t->ready++;
    CHECK(t->stopped);
    loop_timer_start(t->l, &t->timer, 1, next_piece, t);
}

static void on_gone(void *arg)
{
    struct fountain *t = arg;
    t->gone++;
    t->stream = NULL;
}

static void springs(struct exchange *x, void *ctx)
{
    struct fountain *t = ctx;
    t->stream = exchange_stream(x, &t->sa);
    t->no_stream = !t->stream;
    if (t->stream)
        loop_timer_start(t->l, &t->timer, 1, next_piece, t);
}

static void fountain_new(struct fountain *t, int64_t bytes)
{
    *t = (struct fountain){ .l = loop_new(), .pieces = 3, .piece_bytes = 100 };
    t->sa = (struct stream_answer){ .status = 200, .bytes = bytes, .held_bytes = 1 << 20, .ready = on_ready, .gone = on_gone, .arg = t };
    t->s = server_new(t->l, "127.0.0.1:0", NULL, NULL, NULL);
    CHECK(t->s);
    server_route(t->s, "*", "/*", 0, springs, t);
}

static void fountain_free(struct fountain *t)
{
    server_free(t->s);
    CHECK(!t->stream);
    loop_timer_done(&t->timer);
    loop_free(t->l);
}

static void ask(struct fountain *t, struct peer *p, slice request)
{
    p->loop = t->l;
    p->port = server_port(t->s);
    p->send = request;
    peer_talk(p);
    t->put = 0;
}

static bool has(const struct peer *p, const char *text)
{
    return slice_find(peer_text(p), slice_of(text)) != SIZE_MAX;
}

static size_t body_bytes(const struct peer *p)
{
    size_t head = slice_find(peer_text(p), SL("\r\n\r\n"));
    return head == SIZE_MAX ? 0 : p->n - head - 4;
}

static const slice get_1_1 = SLI("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
static const slice get_1_0 = SLI("GET / HTTP/1.0\r\n\r\n");

TEST(stream_of_known_length)
{
    struct fountain t;
    struct peer p = { 0 };
    fountain_new(&t, 300);
    ask(&t, &p, get_1_1);
    CHECK(has(&p, "Content-Length: 300\r\n") && p.closed && !p.reset);
    CHECK_INT(body_bytes(&p), 300);
    CHECK_INT(t.gone, 1); /* all was sent before the owner said so */
    fountain_free(&t);
}

TEST(stream_of_unknown_length)
{
    struct fountain t;
    struct peer p = { 0 };
    fountain_new(&t, -1);
    ask(&t, &p, get_1_1);
    CHECK(has(&p, "Transfer-Encoding: chunked\r\n") && slice_ends(peer_text(&p), SL("0\r\n\r\n")));
    ask(&t, &p, get_1_0);
    CHECK(p.closed && !p.reset && !has(&p, "chunked"));
    CHECK_INT(body_bytes(&p), 300);
    CHECK_INT(t.gone, 0);
    fountain_free(&t);
}

TEST(stream_that_is_not_whole_is_reset)
{
    struct fountain t;
    for (int i = 0; i < 4; i++) { /* also where only the connection's end tells the body's */
        struct peer p = { 0 };
        fountain_new(&t, i < 2 ? -1 : 400);
        t.breaks = i != 3; /* the last one only ends too early */
        ask(&t, &p, i == 1 ? get_1_0 : get_1_1);
        CHECK_ROW(i, p.status == 200 && p.reset);
        CHECK_ROW(i, !slice_ends(peer_text(&p), SL("0\r\n\r\n")));
        CHECK_INT(t.gone, 0);
        fountain_free(&t);
    }
}

TEST(stream_without_a_body)
{
    static const struct {
        slice request;
        int status;
        int64_t bytes;
        const char *has, *has_not;
    } rows[] = {
        { SLI("HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), 200, 5000, "Content-Length: 5000\r\n", "chunked" },
        { SLI("HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), 200, -1, "HTTP/1.1 200", "Content-Length" },
        { SLI("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), 204, -1, "HTTP/1.1 204", "chunked" },
        { SLI("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), 304, 77, "HTTP/1.1 304", "Content-Length: 77" },
        { SLI("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), 200, 0, "Content-Length: 0\r\n", "chunked" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fountain t;
        struct peer p = { 0 };
        fountain_new(&t, rows[i].bytes);
        t.sa.status = rows[i].status;
        ask(&t, &p, rows[i].request);
        CHECK_ROW(i, t.no_stream && p.closed && !p.reset && body_bytes(&p) == 0);
        CHECK_ROW(i, has(&p, rows[i].has) && !has(&p, rows[i].has_not));
        CHECK_INT(t.gone, 0);
        fountain_free(&t);
    }
}

static int dial(const struct fountain *t)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0), small = 4096;
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)server_port(t->s)) };
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    CHECK(connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0);
    CHECK(send(fd, get_1_1.p, get_1_1.n, MSG_NOSIGNAL) == (ssize_t)get_1_1.n);
    return fd;
}

TEST(stream_holds_no_more_than_it_may)
{
    struct fountain t;
    fountain_new(&t, -1);
    t.pieces = 400;
    t.piece_bytes = 64 << 10;
    t.sa.held_bytes = 256 << 10;
    int fd = dial(&t);
    for (int i = 0; i < 500 && !t.stopped; i++)
        run_for(t.l, 10);
    CHECK(t.stopped && t.put < t.pieces); /* nobody reads: what the kernel does not hold waits with us */
    size_t got = 0;
    for (int i = 0; i < 2000 && t.stream; i++) {
        char buf[65536];
        for (ssize_t n; (n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT)) > 0;)
            got += (size_t)n;
        run_for(t.l, 2);
    }
    CHECK(!t.stream && t.put == t.pieces && t.ready > 0);
    CHECK(t.most_held < t.sa.held_bytes + t.piece_bytes);
    CHECK(got > 20u << 20);
    close(fd);
    fountain_free(&t);
}

TEST(stream_owner_hears_that_the_peer_left)
{
    struct fountain t;
    fountain_new(&t, -1);
    t.pieces = 100000;
    int fd = dial(&t);
    while (t.put < 3)
        run_for(t.l, 5);
    close(fd);
    for (int i = 0; i < 500 && !t.gone; i++)
        run_for(t.l, 10);
    CHECK_INT(t.gone, 1);
    fountain_free(&t);
}

static void drained(void *arg)
{
    ((struct fountain *)arg)->drained++;
}

TEST(stream_ends_with_the_server)
{
    for (int endless = 0; endless < 2; endless++) {
        struct fountain t;
        fountain_new(&t, -1);
        t.pieces = 10;
        t.sa.endless = endless;
        int fd = dial(&t);
        while (t.put < 2)
            run_for(t.l, 1);
        int before = t.put;
        server_drain(t.s, 5000, drained, &t);
        for (int i = 0; i < 500 && !t.drained; i++)
            run_for(t.l, 5);
        CHECK_INT(t.drained, 1);
        CHECK_INT(t.gone, endless);
        CHECK(endless ? t.put == before : t.put == 10);
        char buf[8192];
        size_t n = 0;
        for (ssize_t got; (got = recv(fd, buf + n, sizeof(buf) - n, 0)) > 0;)
            n += (size_t)got;
        CHECK(slice_ends(slice_mem(buf, n), SL("0\r\n\r\n"))); /* in an orderly way */
        close(fd);
        fountain_free(&t);
    }
    struct fountain t; /* at once */
    fountain_new(&t, -1);
    t.pieces = 100000;
    int fd = dial(&t);
    while (t.put < 2)
        run_for(t.l, 1);
    server_free(t.s);
    CHECK_INT(t.gone, 1);
    t.s = NULL;
    close(fd);
    fountain_free(&t);
}
