/* A connection is made: log-in, topology. */
#include "broker/broker-private.h"
#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>

enum { FRAME_MAX = 128 << 10, NO_LIMIT = INT32_MAX };

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

slice line_shard_queue(struct arena *a, const struct line *l, unsigned shard)
{
    return arena_printf(a, "%s.shard.%u", l->b->name, shard);
}

slice line_dead_queue(struct arena *a, const struct line *l)
{
    return arena_printf(a, "%s.dead", l->b->name);
}

/* Durable, bound to the exchange under key. What is handed out again and again (a worker that cannot start, a database that is away for a day) is not for the broker to throw away:
 * RabbitMQ 4 does so with a quorum queue's after the twentieth time, unless the queue says otherwise. */
static bool declare_queue(struct line *l, slice name, slice key, bool one_consumer)
{
    amqp_table_entry_t args[3] = { { .key = amqp_cstring_bytes("x-queue-type"), .value = { .kind = AMQP_FIELD_KIND_UTF8, .value.bytes = amqp_cstring_bytes(l->b->setup.classic ? "classic" : "quorum") } } };
    int n = 1;
    if (one_consumer)
        args[n++] = (amqp_table_entry_t){ .key = amqp_cstring_bytes("x-single-active-consumer"), .value = { .kind = AMQP_FIELD_KIND_BOOLEAN, .value.boolean = 1 } };
    if (!l->b->setup.classic)
        args[n++] = (amqp_table_entry_t){ .key = amqp_cstring_bytes("x-delivery-limit"), .value = { .kind = AMQP_FIELD_KIND_I32, .value.i32 = NO_LIMIT } };
    amqp_queue_declare(l->c, CHANNEL, amqp_of(name), 0, 1, 0, 0, (amqp_table_t){ n, args });
    if (!line_reply(l, amqp_get_rpc_reply(l->c), "queue.declare"))
        return false;
    amqp_queue_bind(l->c, CHANNEL, amqp_of(name), amqp_cstring_bytes(l->b->name), amqp_of(key), amqp_empty_table);
    return line_reply(l, amqp_get_rpc_reply(l->c), "queue.bind");
}

/* Another installation's parcels are none of ours, nor ours its: an exchange is declared again only with the alternate exchange that it has (which need not exist). */
static bool is_ours(struct line *l, struct arena *a)
{
    slice of = arena_printf(a, "%s.of", l->b->name), mark = arena_printf(a, SLF ".%s", SLA(of), l->b->mark);
    amqp_table_entry_t args[] = { { .key = amqp_cstring_bytes("alternate-exchange"), .value = { .kind = AMQP_FIELD_KIND_UTF8, .value.bytes = amqp_of(mark) } } };
    amqp_exchange_declare(l->c, CHANNEL, amqp_of(of), amqp_cstring_bytes("fanout"), 0, 1, 0, 0, (amqp_table_t){ COUNT(args), args });
    amqp_rpc_reply_t r = amqp_get_rpc_reply(l->c);
    const amqp_channel_close_t *close = r.reply.decoded;
    if (r.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION && r.reply.id == AMQP_CHANNEL_CLOSE_METHOD && close->reply_code == AMQP_PRECONDITION_FAILED)
        return line_fail(l, "%s is another installation's there, or this secret_key or broker.shards is not that of the others: give each installation a broker.name of its own", l->b->name);
    return line_reply(l, r, "exchange.declare");
}

static bool topology(struct line *l)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    if (*l->b->mark && !is_ours(l, a))
        return false;
    slice news = arena_printf(a, "%s.news", l->b->name);
    amqp_exchange_declare(l->c, CHANNEL, amqp_cstring_bytes(l->b->name), amqp_cstring_bytes("direct"), 0, 1, 0, 0, amqp_empty_table);
    if (!line_reply(l, amqp_get_rpc_reply(l->c), "exchange.declare"))
        return false;
    amqp_exchange_declare(l->c, CHANNEL, amqp_of(news), amqp_cstring_bytes("fanout"), 0, 1, 0, 0, amqp_empty_table);
    if (!line_reply(l, amqp_get_rpc_reply(l->c), "exchange.declare"))
        return false;
    for (unsigned i = 0; i < l->b->setup.shards; i++)
        if (!declare_queue(l, line_shard_queue(a, l, i), arena_printf(a, "%u", i), true))
            return false;
    return declare_queue(l, line_dead_queue(a, l), SL(DEAD_KEY), false);
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
                                                                    .value.bytes = amqp_cstring_bytes(l->role->says) } },
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

bool line_connect(struct line *l)
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
    return log_in(l, &to) && topology(l);
}

void line_disconnect(struct line *l, bool orderly)
{
    set_fd(l, -1);
    if (l->c && orderly)
        (void)amqp_connection_close(l->c, AMQP_REPLY_SUCCESS);
    if (l->c)
        amqp_destroy_connection(l->c);
    l->c = NULL;
}

