/* floor.c - what the promise itself costs: a signed webhook is read, verified, written and synced with its group, and answered 200.
 *
 *   bench-floor      prints {"port":PORT}, appends to ./floor.log, serves until SIGTERM
 *
 * No routing, no JSON, no deduplication, no delivery: nothing can keep the promise of the hub's 200 for less on this machine. One
 * thread reads and answers, one writes and syncs; while a group is being synced the next one gathers.
 */
#include "bench/http.h"
#include "bench/work.h"
#include "wire/crypto.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_BYTES = 16384, EVENTS = 256 };

struct conn {
    int fd;
    bool waits; /* for its group */
    struct buffer in;
};
struct group {
    struct buffer bytes;
    struct conn **conns;
    size_t n, room;
};
static struct {
    int epoll, listener, file, bell;
    struct group gathering, syncing;
    pthread_mutex_t lock;
    pthread_cond_t work;
    bool full, synced, stop; /* full: syncing is the disk thread's; synced: it is ours again */
} f = { .lock = PTHREAD_MUTEX_INITIALIZER, .work = PTHREAD_COND_INITIALIZER };

static volatile sig_atomic_t stop_asked;

static void on_stop(int signum)
{
    (void)signum;
    stop_asked = 1;
}

static void *disk(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&f.lock);
    for (;;) {
        while (!f.full && !f.stop)
            pthread_cond_wait(&f.work, &f.lock);
        if (!f.full)
            break;
        pthread_mutex_unlock(&f.lock);
        for (size_t at = 0; at < f.syncing.bytes.n;) {
            ssize_t n = write(f.file, f.syncing.bytes.p + at, f.syncing.bytes.n - at);
            if (n <= 0)
                die("cannot write: %s", strerror(errno));
            at += (size_t)n;
        }
        if (fdatasync(f.file) != 0)
            die("cannot sync: %s", strerror(errno));
        pthread_mutex_lock(&f.lock);
        f.full = false;
        f.synced = true;
        uint64_t one = 1;
        if (write(f.bell, &one, sizeof(one)) != sizeof(one))
            die("cannot ring: %s", strerror(errno));
    }
    pthread_mutex_unlock(&f.lock);
    return NULL;
}

/* Hands the gathered group to the disk thread when that is idle. */
static void hand_over(void)
{
    pthread_mutex_lock(&f.lock);
    if (f.gathering.n && !f.full && !f.synced) {
        struct group g = f.syncing;
        f.syncing = f.gathering;
        f.gathering = g;
        f.full = true;
        pthread_cond_signal(&f.work);
    }
    pthread_mutex_unlock(&f.lock);
}

static void conn_close(struct conn *c)
{
    close(c->fd);
    c->fd = -1;
    buffer_done(&c->in);
    if (!c->waits)
        free(c);
}

static void answer(struct conn *c, const char *text)
{
    if (c->fd >= 0 && send(c->fd, text, strlen(text), MSG_NOSIGNAL) != (ssize_t)strlen(text))
        conn_close(c);
}

static void answer_synced(void)
{
    uint64_t n;
    if (read(f.bell, &n, sizeof(n)) < 0 && errno != EAGAIN)
        die("bell: %s", strerror(errno));
    pthread_mutex_lock(&f.lock);
    bool ours = f.synced;
    pthread_mutex_unlock(&f.lock);
    if (!ours)
        return;
    for (size_t i = 0; i < f.syncing.n; i++) {
        struct conn *c = f.syncing.conns[i];
        c->waits = false;
        if (c->fd < 0)
            free(c);
        else
            answer(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    }
    f.syncing.n = f.syncing.bytes.n = 0;
    pthread_mutex_lock(&f.lock);
    f.synced = false;
    pthread_mutex_unlock(&f.lock);
}

static void gather(struct conn *c, slice body)
{
    struct group *g = &f.gathering;
    uint32_t n = (uint32_t)body.n;
    if (g->n == g->room) {
        g->room = MAX(g->room * 2, (size_t)64);
        g->conns = must_realloc(g->conns, g->room * sizeof(*g->conns));
    }
    g->conns[g->n++] = c;
    c->waits = true;
    buffer_add(&g->bytes, slice_mem(&n, sizeof(n)));
    buffer_add(&g->bytes, body);
}

static void readable(struct conn *c)
{
    struct http_message m;
    ssize_t n = recv(c->fd, buffer_room(&c->in, READ_BYTES), READ_BYTES, 0);
    if (n <= 0) {
        if (n == 0 || errno != EAGAIN)
            conn_close(c);
        return;
    }
    c->in.n += (size_t)n;
    if (!http_read(buffer_slice(&c->in), &m))
        return;
    struct sha256 mac = hmac_sha256(SL(WORK_CHANNEL_SECRET), m.body);
    if (mac_is_base64(slice_mem(mac.b, sizeof(mac.b)), http_header(&m, "x-line-signature")))
        gather(c, m.body);
    else
        answer(c, "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    if (c->fd >= 0)
        buffer_drop(&c->in, m.size);
}

static void accept_all(void)
{
    int fd, on = 1;
    while ((fd = accept4(f.listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct conn *c = must_calloc(1, sizeof(*c));
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        c->fd = fd;
        epoll_ctl(f.epoll, EPOLL_CTL_ADD, fd, &(struct epoll_event){ .events = EPOLLIN, .data.ptr = c });
    }
}

int main(void)
{
    unsigned port;
    pthread_t thread;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, on_stop);
    signal(SIGINT, on_stop);
    files_max();
    f.epoll = epoll_create1(EPOLL_CLOEXEC);
    f.bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    f.file = open("floor.log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (f.file < 0)
        die("cannot open floor.log: %s", strerror(errno));
    f.listener = http_listen(0, &port);
    epoll_ctl(f.epoll, EPOLL_CTL_ADD, f.listener, &(struct epoll_event){ .events = EPOLLIN, .data.ptr = &f.listener });
    epoll_ctl(f.epoll, EPOLL_CTL_ADD, f.bell, &(struct epoll_event){ .events = EPOLLIN, .data.ptr = &f.bell });
    if (pthread_create(&thread, NULL, disk, NULL) != 0)
        die("no thread");
    printf("{\"port\":%u}\n", port);
    fflush(stdout);
    while (!stop_asked) {
        struct epoll_event events[EVENTS];
        int n = epoll_wait(f.epoll, events, EVENTS, 1000);
        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr == &f.listener)
                accept_all();
            else if (events[i].data.ptr == &f.bell)
                answer_synced();
            else
                readable(events[i].data.ptr);
        }
        hand_over();
    }
    pthread_mutex_lock(&f.lock);
    f.stop = true;
    pthread_cond_signal(&f.work);
    pthread_mutex_unlock(&f.lock);
    pthread_join(thread, NULL);
    return 0;
}
