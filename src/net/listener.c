/* The socket is made, watched, and emptied a few at a time. */
#include "net/listener.h"
#include "net/loop.h"
#include "net/unix_path.h"
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

enum { AT_ONCE = 64 }; /* taken in one turn of the loop, so that those who are here are served, too */

struct listener {
    struct loop *loop;
    uv_poll_t *poll;
    int fd;
    unsigned port;
    struct arena *a;
    const char *socket_file; /* NULL: listens on an address */
    bool full;
    struct loop_timer retry;
    listener_take take;
    void *arg;
};

/* ---- the socket --------------------------------------------------------------------------------- */

static bool split_address(struct arena *a, const char *listen, const char **ret_host, const char **ret_port, struct fault *f)
{
    slice s = slice_of(listen);
    size_t colon = slice_find_last(s, ':');
    int64_t port;
    if (colon == SIZE_MAX || !slice_int(slice_from(s, colon + 1), &port) || port < 0 || port > 65535)
        return fault(f, "bad_value", "listen", "\"%s\" is no address: write 127.0.0.1:8080 or [::1]:8080", listen);
    slice host = slice_sub(s, 0, colon);
    if (slice_starts(host, SL("[")) && slice_ends(host, SL("]")))
        host = slice_sub(host, 1, host.n - 2);
    *ret_host = host.n ? arena_cstr(a, host) : NULL;
    *ret_port = arena_cstr(a, slice_from(s, colon + 1));
    return true;
}

/* What a process left that was killed. Anything but a socket is a mistake in the path, and stays. */
static bool make_room(const char *path)
{
    struct stat st;
    if (lstat(path, &st) != 0)
        return errno == ENOENT;
    if (S_ISSOCK(st.st_mode))
        return unlink(path) == 0;
    errno = EEXIST;
    return false;
}

/* The mode is set before the name exists, so that nobody else can be quicker. */
static bool listen_at(struct listener *l, const char *path, struct fault *f)
{
    struct unix_path at;
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    static_assert(sizeof(at.text) <= sizeof(to.sun_path), "the kernel takes it");
    if (!unix_path_open(&at, path, f))
        return false;
    memcpy(to.sun_path, at.text, sizeof(at.text));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 && fchmod(fd, 0600) == 0 && make_room(path) &&
              bind(fd, (struct sockaddr *)&to, sizeof(to)) == 0 && listen(fd, LISTENER_BACKLOG) == 0;
    int why = errno;
    unix_path_done(&at);
    l->fd = fd;
    if (!ok)
        return fault(f, "refused", "listen", "cannot listen on %s: %s", path, strerror(why));
    l->socket_file = path;
    return true;
}

static bool listen_on(struct listener *l, const char *text, struct fault *f)
{
    const char *host, *port;
    if (!split_address(l->a, text, &host, &port, f))
        return false;
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV }, *found = NULL;
    int rc = getaddrinfo(host, port, &hints, &found);
    if (rc != 0)
        return fault(f, "bad_value", "listen", "cannot resolve \"%s\": %s", text, gai_strerror(rc));
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1;
    struct sockaddr_storage at = { 0 };
    socklen_t at_n = sizeof(at);
    bool ok = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
              setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0 && /* inherited by what is accepted */
              bind(fd, found->ai_addr, found->ai_addrlen) == 0 && listen(fd, LISTENER_BACKLOG) == 0 &&
              getsockname(fd, (struct sockaddr *)&at, &at_n) == 0;
    int why = errno;
    freeaddrinfo(found);
    l->fd = fd;
    if (!ok)
        return fault(f, "refused", "listen", "cannot listen on \"%s\": %s", text, strerror(why));
    l->port = ntohs(at.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)(void *)&at)->sin6_port
                                             : ((struct sockaddr_in *)(void *)&at)->sin_port);
    return true;
}

/* ---- who connects ------------------------------------------------------------------------------- */

static void on_poll(uv_poll_t *h, int status, int events);

static void watch(void *arg)
{
    struct listener *l = arg;
    if (!l->full)
        uv_poll_start(l->poll, UV_READABLE, on_poll);
}

static void on_poll(uv_poll_t *h, int status, int events)
{
    (void)status, (void)events;
    struct listener *l = h->data;
    for (int i = 0; i < AT_ONCE && !l->full; i++) {
        struct sockaddr_storage from;
        socklen_t n = sizeof(from);
        int fd = accept4(l->fd, (struct sockaddr *)&from, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            l->take(l->arg, fd, (struct sockaddr *)&from, n);
            continue;
        }
        if (errno == EINTR || errno == ECONNABORTED)
            continue;
        if (errno != EAGAIN) { /* no file, no memory */
            uv_poll_stop(l->poll);
            loop_timer_start(l->loop, &l->retry, LISTENER_RETRY_MS, watch, l);
        }
        return;
    }
}

struct listener *listener_new(struct loop *loop, const char *text, listener_take take, void *arg, struct fault *f)
{
    struct listener *l = must_calloc(1, sizeof(*l));
    *l = (struct listener){ .loop = loop, .a = arena_new(), .fd = -1, .take = take, .arg = arg };
    slice whole = slice_of(text), scheme = SL("unix:");
    bool ok = slice_starts(whole, scheme) ? listen_at(l, arena_cstr(l->a, slice_from(whole, scheme.n)), f) : listen_on(l, text, f);
    if (!ok) {
        listener_free(l);
        return NULL;
    }
    l->poll = must_calloc(1, sizeof(*l->poll));
    int rc = uv_poll_init(loop_uv(loop), l->poll, l->fd);
    assert(rc == 0);
    (void)rc;
    l->poll->data = l;
    watch(l);
    return l;
}

unsigned listener_port(const struct listener *l)
{
    return l->port;
}

void listener_full(struct listener *l)
{
    l->full = true;
    uv_poll_stop(l->poll);
}

void listener_go(struct listener *l)
{
    l->full = false;
    if (!l->retry.active)
        watch(l);
}

static void free_handle(uv_handle_t *h)
{
    free(h);
}

void listener_free(struct listener *l)
{
    if (!l)
        return;
    loop_timer_done(&l->retry);
    if (l->poll) {
        uv_poll_stop(l->poll);
        uv_close((uv_handle_t *)l->poll, free_handle);
    }
    if (l->socket_file)
        unlink(l->socket_file);
    if (l->fd >= 0)
        close(l->fd);
    arena_free(l->a);
    free(l);
}
