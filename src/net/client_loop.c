#include "net/client-private.h"
#include <unistd.h>

void client_kick(void *arg)
{
    struct client *c = arg;
    int running;
    c->kicked = false;
    curl_multi_socket_action(c->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    client_collect_done(c);
}

static void on_timer(void *arg)
{
    client_kick(arg);
}

/* The timer is only ever moved to an earlier time: libcurl asks again after each time it fired. */
int client_plan(CURLM *multi, long in_ms, void *arg)
{
    struct client *c = arg;
    (void)multi;
    if (in_ms == 0) {
        if (!c->kicked) {
            c->kicked = true;
            loop_defer(c->loop, client_kick, c); /* one for all calls begun in this turn */
        }
        return 0;
    }
    if (in_ms < 0)
        return 0;
    int64_t due = loop_now_ms(c->loop) + in_ms;
    if (c->timer.active && c->timer_due_ms <= due)
        return 0;
    c->timer_due_ms = due;
    loop_timer_start(c->loop, &c->timer, in_ms, on_timer, c);
    return 0;
}

static int loop_events(int wanted)
{
    return (wanted & CURL_POLL_IN ? UV_READABLE : 0) | (wanted & CURL_POLL_OUT ? UV_WRITABLE : 0);
}

static void on_socket(uv_poll_t *h, int status, int events);

static void watch(struct client_sock *s, int events)
{
    if (s->watched == events)
        return;
    s->watched = events;
    uv_poll_start(&s->poll, events, on_socket);
}

static void free_sock(uv_handle_t *h)
{
    free(h->data);
}

static void on_socket(uv_poll_t *h, int status, int events)
{
    struct client_sock *s = h->data;
    struct client *c = s->client;
    if (s->wanted == 0) { /* a kept connection speaks or closes unasked: libcurl will see it when it wants to use it */
        uv_poll_stop(h);
        s->watched = 0;
        return;
    }
    if (status < 0) { /* the descriptor has an error, and libuv stopped watching: reading and writing tell which */
        s->watched = 0;
        events = loop_events(s->wanted);
    }
    int running, what = (events & UV_READABLE ? CURL_CSELECT_IN : 0) | (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0);
    s->in_action = true;
    curl_multi_socket_action(c->multi, s->fd, what, &running);
    s->in_action = false;
    if (s->closed)
        uv_close((uv_handle_t *)h, free_sock);
    else if (s->wanted)
        watch(s, loop_events(s->wanted));
    client_collect_done(c);
}

static struct client_sock *find_sock(struct client *c, curl_socket_t fd)
{
    struct client_sock *s = c->socks;
    while (s && s->fd != fd)
        s = s->next;
    return s;
}

void client_sock_close(struct client *c, struct client_sock *s)
{
    if (s->prev)
        s->prev->next = s->next;
    else
        c->socks = s->next;
    if (s->next)
        s->next->prev = s->prev;
    uv_poll_stop(&s->poll);
    s->closed = true;
    if (!s->in_action)
        uv_close((uv_handle_t *)&s->poll, free_sock);
}

/* A socket that libcurl drops stays watched for reading: the next call on this connection then costs no change of the
 * kernel's list. client_sock_close ends it when libcurl closes the descriptor. */
int client_on_interest(CURL *easy, curl_socket_t fd, int what, void *arg, void *sockp)
{
    struct client *c = arg;
    struct client_sock *s = sockp ? sockp : find_sock(c, fd);
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (s)
            s->wanted = 0;
        return 0;
    }
    if (!s) {
        s = must_calloc(1, sizeof(*s));
        if (uv_poll_init(loop_uv(c->loop), &s->poll, fd) != 0) {
            free(s);
            return -1;
        }
        s->poll.data = s;
        s->client = c;
        s->fd = fd;
        s->next = c->socks;
        if (c->socks)
            c->socks->prev = s;
        c->socks = s;
    }
    if (!sockp)
        curl_multi_assign(c->multi, fd, s);
    s->wanted = what;
    watch(s, loop_events(what));
    return 0;
}

int client_on_close(void *arg, curl_socket_t fd)
{
    struct client *c = arg;
    struct client_sock *s = find_sock(c, fd);
    if (s)
        client_sock_close(c, s);
    return close(fd);
}
