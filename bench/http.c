#include "bench/http.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER_FIRST = 2048, PRINTED_MAX = 8192, BACKLOG = 4096 };

void die(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    exit(2);
}

/* ---- buffers --------------------------------------------------------------------------------------------------------- */

char *buffer_room(struct buffer *b, size_t n)
{
    if (b->cap - b->n < n) {
        b->cap = MAX(MAX(b->cap * 2, b->n + n), (size_t)BUFFER_FIRST);
        b->p = realloc(b->p, b->cap);
        if (!b->p)
            die("out of memory");
    }
    return b->p + b->n;
}

void buffer_add(struct buffer *b, slice s)
{
    if (!s.n)
        return;
    memcpy(buffer_room(b, s.n), s.p, s.n);
    b->n += s.n;
}

void buffer_printf(struct buffer *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(buffer_room(b, PRINTED_MAX), PRINTED_MAX, fmt, ap);
    va_end(ap);
    assert(n >= 0 && n < PRINTED_MAX);
    b->n += (size_t)n;
}

void buffer_drop(struct buffer *b, size_t n)
{
    assert(n <= b->n);
    b->n -= n;
    if (b->n)
        memmove(b->p, b->p + n, b->n);
}

void buffer_done(struct buffer *b)
{
    free(b->p);
    *b = (struct buffer){ 0 };
}

/* ---- messages -------------------------------------------------------------------------------------------------------- */

slice http_header(const struct http_message *m, const char *name)
{
    slice rest = m->head, wanted = slice_of(name);
    while (rest.n) {
        slice line = slice_cut(&rest, '\n');
        if (line.n > wanted.n && line.p[wanted.n] == ':' && slice_eq_nocase(slice_sub(line, 0, wanted.n), wanted))
            return slice_trim(slice_from(line, wanted.n + 1));
    }
    return SLICE_NONE;
}

bool http_read(slice in, struct http_message *ret)
{
    const char *end = in.n ? memmem(in.p, in.n, "\r\n\r\n", 4) : NULL;
    if (!end)
        return false;
    slice top = { in.p, (size_t)(end - in.p) };
    struct http_message m = { .head = top };
    m.start = slice_trim(slice_cut(&m.head, '\n'));
    slice length = http_header(&m, "content-length");
    int64_t n = 0;
    if (length.p && (!slice_int(length, &n) || n < 0))
        die("a Content-Length that is no number: " SLF, SLA(length));
    if (http_header(&m, "transfer-encoding").p)
        die("chunked bodies are not read here: " SLF, SLA(top));
    m.size = top.n + 4 + (size_t)n;
    if (in.n < m.size)
        return false;
    m.body = (slice){ end + 4, (size_t)n };
    *ret = m;
    return true;
}

int http_status(const struct http_message *m)
{
    int64_t status;
    slice rest = m->start;
    if (!slice_starts(slice_cut(&rest, ' '), SL("HTTP/1.")) || !slice_int(slice_cut(&rest, ' '), &status))
        die("not an HTTP answer: " SLF, SLA(m->start));
    return (int)status;
}

/* ---- sockets --------------------------------------------------------------------------------------------------------- */

static struct sockaddr_in loopback(unsigned port)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return at;
}

int http_listen(unsigned port, unsigned *ret_port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
    struct sockaddr_in at = loopback(port);
    socklen_t n = sizeof(at);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 || bind(fd, (struct sockaddr *)&at, n) != 0 ||
        listen(fd, BACKLOG) != 0 || getsockname(fd, (struct sockaddr *)&at, &n) != 0)
        die("cannot listen on 127.0.0.1:%u: %s", port, strerror(errno));
    *ret_port = ntohs(at.sin_port);
    return fd;
}

int http_connect(unsigned port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    struct sockaddr_in at = loopback(port);
    if (fd < 0)
        die("no socket: %s", strerror(errno));
    if (connect(fd, (struct sockaddr *)&at, sizeof(at)) != 0) {
        close(fd);
        return -1;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    return fd;
}

void files_max(void)
{
    struct rlimit l;
    if (getrlimit(RLIMIT_NOFILE, &l) == 0) {
        l.rlim_cur = l.rlim_max;
        setrlimit(RLIMIT_NOFILE, &l);
    }
}

/* ---- options --------------------------------------------------------------------------------------------------------- */

const char *option(int argc, char **argv, const char *name, const char *otherwise)
{
    for (int i = 1; i + 1 < argc; i++)
        if (slice_starts(slice_of(argv[i]), SL("--")) && strcmp(argv[i] + 2, name) == 0)
            return argv[i + 1];
    return otherwise;
}

int64_t option_int(int argc, char **argv, const char *name, int64_t otherwise)
{
    const char *text = option(argc, argv, name, NULL);
    if (text && !slice_int(slice_of(text), &otherwise))
        die("--%s: a number is needed", name);
    return otherwise;
}

double option_double(int argc, char **argv, const char *name, double otherwise)
{
    const char *text = option(argc, argv, name, NULL);
    if (text && !slice_double(slice_of(text), &otherwise))
        die("--%s: a number is needed", name);
    return otherwise;
}
