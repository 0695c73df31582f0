#include "net/net_test.h"
#include <errno.h>
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

static void stop(void *loop)
{
    loop_stop(loop);
}

static void *talk(void *arg)
{
    struct peer *p = arg;
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    int wait_ms = p->wait_ms ? p->wait_ms : 2000;
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)p->port) };
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    struct timeval tv = { wait_ms / 1000, wait_ms % 1000 * 1000 };
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0) {
        size_t step = p->bytewise ? 1 : p->send.n;
        for (size_t i = 0; i < p->send.n; i += step) {
            if (send(fd, p->send.p + i, MIN(step, p->send.n - i), MSG_NOSIGNAL) < 0)
                break;
            p->sent = i + step;
            if (p->drip_ms)
                usleep((useconds_t)p->drip_ms * 1000);
        }
        if (p->half_close)
            shutdown(fd, SHUT_WR);
        while (!p->hang_up && p->n < sizeof(p->got) - 1) {
            ssize_t n = recv(fd, p->got + p->n, sizeof(p->got) - 1 - p->n, 0);
            if (n <= 0) {
                p->closed = n == 0 || errno != EAGAIN;
                p->reset = n < 0 && errno == ECONNRESET;
                break;
            }
            p->n += (size_t)n;
            if (p->stop_after && p->n >= p->stop_after)
                break;
        }
    }
    close(fd);
    loop_post(p->loop, stop, p->loop);
    return NULL;
}

void peer_talk(struct peer *p)
{
    pthread_t thread;
    p->n = 0;
    p->closed = p->reset = false;
    p->status = 0;
    CHECK_INT(pthread_create(&thread, NULL, talk, p), 0);
    loop_run(p->loop);
    pthread_join(thread, NULL);
    p->got[p->n] = 0;
    int64_t status;
    if (slice_starts(peer_text(p), SL("HTTP/1.")) && slice_int(slice_sub(peer_text(p), 9, 3), &status))
        p->status = (int)status;
}

slice peer_text(const struct peer *p)
{
    return slice_mem(p->got, p->n);
}

void run_for(struct loop *l, int64_t ms)
{
    struct loop_timer t = { 0 };
    loop_timer_start(l, &t, ms, stop, l);
    loop_run(l);
    loop_timer_done(&t);
}
