/* The HTTP server as a stranger meets it: the input is what one connection sends. Properties: the server ends the connection or answers and waits;
 * what a handler sees is within the limits and well-formed; and the next, honest request gets its answer. */
#include "fuzz/fuzz.h"
#include "net/loop.h"
#include "net/server.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BODY_MAX = 2048, HEAD_BYTES = 4096, TURNS_FAST = 4, TURNS_MAX = 2000, TURN_MS = 1 };

static struct loop *loop;
static struct server *server;
static struct loop_timer turn;

static void handler(struct exchange *x, void *ctx)
{
    (void)ctx;
    assert(x->path.n && x->path.p[0] == '/' && x->body.n <= BODY_MAX && x->request_id.n && x->trace_id.n && x->span_id.n);
    for (size_t i = 0; i < x->n_headers; i++) {
        assert(x->headers[i].name.n);
        assert(slice_find_char(x->headers[i].value, '\0') == SIZE_MAX && slice_find_char(x->headers[i].value, '\n') == SIZE_MAX);
    }
    (void)exchange_query(x, "a");
    exchange_text(x, 200, arena_printf(x->a, "%zu", x->body.n));
}

static void stop(void *arg)
{
    loop_stop(arg);
}

static int dial(void)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)server_port(server)), .sin_addr = { htonl(INADDR_LOOPBACK) } };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    struct linger now = { 1, 0 }; /* no thousands of ports in TIME_WAIT */
    assert(fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    return fd;
}

/* Sends it all, reads until the server hangs up; `patient` turns without a word are enough. Returns how much of the answer fitted. */
static size_t talk(slice text, int patient, char *answer, size_t room)
{
    int fd = dial();
    size_t got = 0;
    (void)!send(fd, text.p, text.n, MSG_NOSIGNAL);
    for (int quiet = 0; quiet < patient; quiet++) {
        loop_timer_start(loop, &turn, quiet < TURNS_FAST ? 0 : TURN_MS, stop, loop);
        loop_run(loop);
        char more[2048];
        ssize_t n = recv(fd, more, sizeof(more), MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN))
            break;
        size_t fits = n > 0 ? MIN((size_t)n, room - got) : 0;
        memcpy(answer + got, more, fits);
        got += fits;
        if (n > 0)
            quiet = 0;
    }
    close(fd);
    return got;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!server) {
        struct fault f = { 0 };
        struct server_limits l;
        server_limits_default(&l);
        l.head_bytes = HEAD_BYTES;
        l.body_bytes = BODY_MAX;
        loop = loop_new();
        server = server_new(loop, "127.0.0.1:0", NULL, &l, &f);
        assert(server);
        server_route(server, "POST", "/line", 0, handler, NULL);
        server_route(server, "*", "/files/*", 0, handler, NULL);
        server_route(server, "GET", "/", 0, handler, NULL);
    }
    char answer[512];
    (void)talk(slice_mem(data, size), TURNS_FAST, answer, sizeof(answer));
    size_t n = talk(SL("POST /line HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc"), TURNS_MAX, answer, sizeof(answer));
    assert(slice_starts(slice_mem(answer, n), SL("HTTP/1.1 200 ")) && slice_ends(slice_mem(answer, n), SL("\r\n\r\n3")));
    return 0;
}
