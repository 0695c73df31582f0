#include "broker/broker-private.h"
#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LINE_STACK_BYTES = 256 << 10, FRAME_MAX = 128 << 10 };

/* ---- orders and news ------------------------------------------------------------------------------------------------------- */

struct order *order_new(enum order_kind kind, slice key, slice body)
{
    struct order *o = must_calloc(1, sizeof(*o) + key.n + body.n);
    o->kind = kind;
    o->n_key = key.n;
    o->n = body.n;
    if (key.n)
        memcpy(o->bytes, key.p, key.n);
    if (body.n)
        memcpy(o->bytes + key.n, body.p, body.n);
    return o;
}

static void ring(struct line *l)
{
    uint64_t one = 1;
    if (write(l->bell, &one, sizeof(one)) != sizeof(one))
        assert(errno == EAGAIN); /* it rings already */
}

void line_order(struct line *l, struct order *o)
{
    pthread_mutex_lock(&l->lock);
    bool first = !l->orders;
    *l->last_order = o;
    l->last_order = &o->next;
    pthread_mutex_unlock(&l->lock);
    if (first)
        ring(l);
}

struct news *news_new(enum news_kind kind, slice bytes)
{
    struct news *n = must_calloc(1, sizeof(*n) + bytes.n);
    n->kind = kind;
    n->n = bytes.n;
    if (bytes.n)
        memcpy(n->bytes, bytes.p, bytes.n);
    return n;
}

void line_tell(struct line *l, struct news *n)
{
    n->life = l->life;
    pthread_mutex_lock(&l->lock);
    *l->last_news = n;
    l->last_news = &n->next;
    bool post = !l->told && !l->stop;
    l->told |= post;
    pthread_mutex_unlock(&l->lock);
    if (post)
        loop_post(l->b->loop, broker_heard, l);
}

bool line_fail(struct line *l, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(l->why, sizeof(l->why), fmt, args);
    va_end(args);
    return false;
}

bool line_reply(struct line *l, amqp_rpc_reply_t r, const char *what)
{
    const amqp_connection_close_t *close = r.reply.decoded;
    const amqp_channel_close_t *channel = r.reply.decoded;
    switch (r.reply_type) {
    case AMQP_RESPONSE_NORMAL: return true;
    case AMQP_RESPONSE_NONE: return line_fail(l, "%s: no answer", what);
    case AMQP_RESPONSE_LIBRARY_EXCEPTION: return line_fail(l, "%s: %s", what, amqp_error_string2(r.library_error));
    case AMQP_RESPONSE_SERVER_EXCEPTION: break;
    }
    if (r.reply.id == AMQP_CONNECTION_CLOSE_METHOD)
        return line_fail(l, "%s: %u %.*s", what, close->reply_code, (int)close->reply_text.len, (char *)close->reply_text.bytes);
    if (r.reply.id == AMQP_CHANNEL_CLOSE_METHOD)
        return line_fail(l, "%s: %u %.*s", what, channel->reply_code, (int)channel->reply_text.len, (char *)channel->reply_text.bytes);
    return line_fail(l, "%s: method %08x came", what, r.reply.id);
}

/* ---- connecting ------------------------------------------------------------------------------------------------------------ */

slice line_shard_queue(struct arena *a, const struct line *l, unsigned shard)
{
    return arena_printf(a, "%s.shard.%u", l->b->name, shard);
}

static bool topology(struct line *l)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice news = arena_printf(a, "%s.news", l->b->name);
    amqp_exchange_declare(l->c, CHANNEL, amqp_cstring_bytes(l->b->name), amqp_cstring_bytes("direct"), 0, 1, 0, 0, amqp_empty_table);
    if (!line_reply(l, amqp_get_rpc_reply(l->c), "exchange.declare"))
        return false;
    amqp_exchange_declare(l->c, CHANNEL, amqp_of(news), amqp_cstring_bytes("fanout"), 0, 1, 0, 0, amqp_empty_table);
    if (!line_reply(l, amqp_get_rpc_reply(l->c), "exchange.declare"))
        return false;
    amqp_table_entry_t args[] = {
        { .key = amqp_cstring_bytes("x-queue-type"), .value = { .kind = AMQP_FIELD_KIND_UTF8, .value.bytes = amqp_cstring_bytes(l->b->setup.classic ? "classic" : "quorum") } },
        { .key = amqp_cstring_bytes("x-single-active-consumer"), .value = { .kind = AMQP_FIELD_KIND_BOOLEAN, .value.boolean = 1 } },
    };
    for (unsigned i = 0; i < l->b->setup.shards; i++) {
        slice queue = line_shard_queue(a, l, i), key = arena_printf(a, "%u", i);
        amqp_queue_declare(l->c, CHANNEL, amqp_of(queue), 0, 1, 0, 0, (amqp_table_t){ COUNT(args), args });
        if (!line_reply(l, amqp_get_rpc_reply(l->c), "queue.declare"))
            return false;
        amqp_queue_bind(l->c, CHANNEL, amqp_of(queue), amqp_cstring_bytes(l->b->name), amqp_of(key), amqp_empty_table);
        if (!line_reply(l, amqp_get_rpc_reply(l->c), "queue.bind"))
            return false;
    }
    return true;
}

static bool log_in(struct line *l, const struct amqp_connection_info *to)
{
    amqp_table_entry_t can[] = {
        { .key = amqp_cstring_bytes("connection.blocked"), .value = { .kind = AMQP_FIELD_KIND_BOOLEAN, .value.boolean = 1 } },
        { .key = amqp_cstring_bytes("consumer_cancel_notify"), .value = { .kind = AMQP_FIELD_KIND_BOOLEAN, .value.boolean = 1 } },
        { .key = amqp_cstring_bytes("publisher_confirms"), .value = { .kind = AMQP_FIELD_KIND_BOOLEAN, .value.boolean = 1 } },
        { .key = amqp_cstring_bytes("basic.nack"), .value = { .kind = AMQP_FIELD_KIND_BOOLEAN, .value.boolean = 1 } },
    };
    amqp_table_entry_t says[] = {
        { .key = amqp_cstring_bytes("capabilities"), .value = { .kind = AMQP_FIELD_KIND_TABLE, .value.table = { COUNT(can), can } } },
        { .key = amqp_cstring_bytes("connection_name"), .value = { .kind = AMQP_FIELD_KIND_UTF8,
                                                                    .value.bytes = amqp_cstring_bytes(l->role == &publisher_role ? "dragoman publishes" : "dragoman consumes") } },
    };
    amqp_table_t properties = { COUNT(says), says };
    const char *vhost = *to->vhost ? to->vhost : "/"; /* amqp://host/ names the empty one, which nobody has */
    if (!line_reply(l, amqp_login_with_properties(l->c, vhost, 0, FRAME_MAX, BROKER_HEARTBEAT_S, &properties, AMQP_SASL_METHOD_PLAIN, to->user, to->password),
                    "log-in"))
        return false;
    amqp_channel_open(l->c, CHANNEL);
    return line_reply(l, amqp_get_rpc_reply(l->c), "channel.open");
}

static void set_fd(struct line *l, int fd)
{
    pthread_mutex_lock(&l->lock);
    l->fd = fd;
    pthread_mutex_unlock(&l->lock);
}

static bool connect_line(struct line *l)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice copy = arena_dup(a, slice_of(l->b->url)); /* taken apart in place */
    char *url;
    memcpy(&url, &copy.p, sizeof(url));
    struct amqp_connection_info to;
    amqp_default_connection_info(&to);
    if (amqp_parse_url(url, &to) != AMQP_STATUS_OK)
        return line_fail(l, "the address is no AMQP URI");
    l->c = amqp_new_connection();
    amqp_socket_t *s = l->c ? to.ssl ? amqp_ssl_socket_new(l->c) : amqp_tcp_socket_new(l->c) : NULL;
    if (!s)
        return line_fail(l, "no memory for a connection");
    if (to.ssl) {
        amqp_ssl_socket_set_verify_peer(s, 1);
        amqp_ssl_socket_set_verify_hostname(s, 1);
        amqp_ssl_socket_set_ssl_versions(s, AMQP_TLSv1_2, AMQP_TLSvLATEST);
        if (amqp_ssl_socket_set_cacert(s, l->b->ca_file ? l->b->ca_file : "/etc/ssl/certs/ca-certificates.crt") != AMQP_STATUS_OK)
            return line_fail(l, "the file of trusted certificates cannot be read");
    }
    struct timeval patience = { .tv_sec = RPC_S };
    int e = amqp_socket_open_noblock(s, to.host, to.port, &patience);
    if (e != AMQP_STATUS_OK)
        return line_fail(l, "%s:%d: %s", to.host, to.port, amqp_error_string2(e));
    set_fd(l, amqp_get_sockfd(l->c));
    amqp_set_handshake_timeout(l->c, &patience);
    amqp_set_rpc_timeout(l->c, &patience);
    return log_in(l, &to) && topology(l) && l->role->begin(l);
}

static void disconnect(struct line *l, bool orderly)
{
    set_fd(l, -1);
    if (l->c && orderly)
        (void)amqp_connection_close(l->c, AMQP_REPLY_SUCCESS);
    if (l->c)
        amqp_destroy_connection(l->c);
    l->c = NULL;
}

/* ---- the thread -------------------------------------------------------------------------------------------------------------- */

static bool stopping(struct line *l)
{
    pthread_mutex_lock(&l->lock);
    bool stop = l->stop;
    pthread_mutex_unlock(&l->lock);
    return stop;
}

static struct order *take_orders(struct line *l)
{
    pthread_mutex_lock(&l->lock);
    struct order *o = l->orders;
    l->orders = NULL;
    l->last_order = &l->orders;
    pthread_mutex_unlock(&l->lock);
    return o;
}

/* Until the bell rings, the broker sends something, or the time is over. */
static void rest(struct line *l, int64_t ms)
{
    struct pollfd p[] = { { .fd = l->bell, .events = POLLIN }, { .fd = l->c ? amqp_get_sockfd(l->c) : -1, .events = POLLIN } };
    uint64_t rung;
    if (poll(p, COUNT(p), (int)ms) > 0 && p[0].revents & POLLIN && read(l->bell, &rung, sizeof(rung)) < 0)
        assert(errno == EAGAIN);
}

static bool carry_out_all(struct line *l)
{
    bool ok = true;
    for (struct order *o = take_orders(l), *next; o; o = next) {
        next = o->next;
        if (ok && l->c)
            ok = l->role->carry_out(l, o);
        free(o); /* a publish that was not made is missed by its deadline, or by the news that we are down */
    }
    return ok;
}

/* One life of the connection. */
static void live(struct line *l)
{
    l->life++;
    l->why[0] = 0;
    bool ok = connect_line(l);
    if (ok)
        line_tell(l, news_new(NEWS_UP, SLICE_NONE));
    while (ok && !stopping(l)) {
        ok = carry_out_all(l) && l->role->look(l);
        if (!ok)
            break;
        amqp_maybe_release_buffers(l->c);
        rest(l, LOOK_MS);
    }
    if (ok)
        ok = carry_out_all(l);
    l->role->end(l);
    disconnect(l, ok);
    line_tell(l, news_new(NEWS_DOWN, slice_of(l->why)));
}

static void *line_run(void *arg)
{
    struct line *l = arg;
    int64_t again_ms = BROKER_AGAIN_MS;
    while (!stopping(l)) {
        int64_t began_ms = time_mono_ms();
        live(l);
        if (time_mono_ms() - began_ms > BROKER_AGAIN_MAX_MS)
            again_ms = BROKER_AGAIN_MS;
        for (int64_t until_ms = time_mono_ms() + again_ms, left; !stopping(l) && (left = until_ms - time_mono_ms()) > 0;) {
            (void)carry_out_all(l);
            rest(l, left);
        }
        again_ms = MIN(again_ms * 2, (int64_t)BROKER_AGAIN_MAX_MS);
    }
    arena_thread_end();
    return NULL;
}

void line_start(struct line *l, struct broker *b, const struct line_role *role)
{
    l->b = b;
    l->role = role;
    l->fd = -1;
    l->last_order = &l->orders;
    l->last_news = &l->news;
    pthread_mutex_init(&l->lock, NULL);
    l->bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    assert(l->bell >= 0);
    sigset_t all, before; /* signals are for the loop's thread */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, LINE_STACK_BYTES);
    int e = pthread_create(&l->thread, &attr, line_run, l);
    assert(e == 0);
    pthread_attr_destroy(&attr);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void line_stop(struct line *l)
{
    enum { ORDERLY_MS = 2000 };
    pthread_mutex_lock(&l->lock);
    l->stop = true;
    pthread_mutex_unlock(&l->lock);
    ring(l);
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += ORDERLY_MS / 1000;
    if (pthread_timedjoin_np(l->thread, NULL, &until) != 0) { /* it waits for a broker that does not answer */
        pthread_mutex_lock(&l->lock);
        if (l->fd >= 0)
            (void)shutdown(l->fd, SHUT_RDWR);
        pthread_mutex_unlock(&l->lock);
        pthread_join(l->thread, NULL);
    }
    loop_post_cancel(l->b->loop, broker_heard, l);
    for (struct order *o = take_orders(l), *next; o; o = next) {
        next = o->next;
        free(o);
    }
    for (struct news *n = l->news, *next; n; n = next) {
        next = n->next;
        free(n);
    }
    free(l->sent);
    free(l->held);
    close(l->bell);
    pthread_mutex_destroy(&l->lock);
}
