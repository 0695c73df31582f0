/* The connection that consumes: one consumer a shard, batons, acknowledgements. */
#include "broker/broker-private.h"

struct held {
    bool gained;
    uint64_t baton;     /* its delivery tag; 0: none */
    int64_t renewed_ms; /* monotonic: when our last baton was sent */
};
static const char baton_type[] = "baton";
enum { PREFETCH = 256, BATONS = 3 /* the one held, the next, and one of another process that comes */ };

static bool publish_baton(struct line *l, unsigned shard)
{
    char key[16];
    snprintf(key, sizeof(key), "%u", shard);
    amqp_basic_properties_t p = { ._flags = AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_TYPE_FLAG, .delivery_mode = AMQP_DELIVERY_PERSISTENT,
                                  .type = amqp_cstring_bytes(baton_type) };
    int e = amqp_basic_publish(l->c, CHANNEL, amqp_cstring_bytes(l->b->name), amqp_cstring_bytes(key), 0, 0, &p, amqp_empty_bytes);
    l->held[shard].renewed_ms = time_mono_ms();
    return e == AMQP_STATUS_OK ? true : line_fail(l, "basic.publish: %s", amqp_error_string2(e));
}

static bool acknowledge(struct line *l, uint64_t tag)
{
    int e = amqp_basic_ack(l->c, CHANNEL, tag, 0);
    return e == AMQP_STATUS_OK ? true : line_fail(l, "basic.ack: %s", amqp_error_string2(e));
}

static bool consume(struct line *l, unsigned shard)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    amqp_basic_consume(l->c, CHANNEL, amqp_of(line_shard_queue(a, l, shard)), amqp_of(arena_printf(a, "%u", shard)), 0, 0, 0, amqp_empty_table);
    return line_reply(l, amqp_get_rpc_reply(l->c), "basic.consume");
}

/* Of the shards that are had together only the first has batons. */
static unsigned shards_with_batons(const struct line *l)
{
    return l->b->setup.together ? 1 : l->b->setup.shards;
}

static bool begin(struct line *l)
{
    unsigned prefetch = (l->b->setup.prefetch ? l->b->setup.prefetch : PREFETCH) + BATONS;
    if (!l->held)
        l->held = must_calloc(BROKER_SHARDS_MAX, sizeof(*l->held));
    memset(l->held, 0, BROKER_SHARDS_MAX * sizeof(*l->held));
    amqp_basic_qos(l->c, CHANNEL, 0, (uint16_t)MIN(prefetch, 65535u), 0); /* of each consumer */
    if (!line_reply(l, amqp_get_rpc_reply(l->c), "basic.qos"))
        return false;
    for (unsigned i = 0; i < shards_with_batons(l); i++)
        if (!consume(l, i) || !publish_baton(l, i))
            return false;
    return true;
}

static void end(struct line *l)
{
    (void)l; /* the loop hears that we are down: all shards are lost */
}

static bool carry_out(struct line *l, struct order *o)
{
    return o->kind == ORDER_ACK && o->life == l->life ? acknowledge(l, o->number) : true;
}

static bool gain(struct line *l, unsigned shard)
{
    if (l->held[shard].gained)
        return true;
    l->held[shard].gained = true;
    struct news *n = news_new(NEWS_GAINED, SLICE_NONE);
    n->shard = shard;
    line_tell(l, n);
    for (unsigned i = 1; l->b->setup.together && shard == 0 && i < l->b->setup.shards; i++)
        if (!consume(l, i) || !gain(l, i))
            return false;
    return true;
}

static bool delivered(struct line *l, const amqp_envelope_t *e)
{
    int64_t shard;
    const amqp_basic_properties_t *p = &e->message.properties;
    if (!slice_int(slice_of_amqp(e->consumer_tag), &shard) || shard < 0 || shard >= (int64_t)l->b->setup.shards)
        return line_fail(l, "a delivery to a consumer that is none of ours");
    struct held *h = &l->held[shard];
    if (!gain(l, (unsigned)shard)) /* whatever comes, comes to the active one; of what an earlier one left the baton need not be the first */
        return false;
    if (p->_flags & AMQP_BASIC_TYPE_FLAG && slice_eq(slice_of_amqp(p->type), slice_of(baton_type))) {
        uint64_t before = h->baton;
        h->baton = e->delivery_tag;
        return before ? acknowledge(l, before) : true;
    }
    struct news *n = news_new(NEWS_ARRIVED, slice_of_amqp(e->message.body));
    n->shard = (unsigned)shard;
    n->number = e->delivery_tag;
    n->again = e->redelivered;
    line_tell(l, n);
    return true;
}

/* Something else than a delivery. */
static bool other(struct line *l)
{
    amqp_frame_t f;
    struct timeval now = { 0 };
    int e = amqp_simple_wait_frame_noblock(l->c, &f, &now);
    if (e != AMQP_STATUS_OK)
        return e == AMQP_STATUS_TIMEOUT ? true : line_fail(l, "%s", amqp_error_string2(e));
    if (f.frame_type != AMQP_FRAME_METHOD)
        return true;
    const amqp_connection_close_t *close = f.payload.method.decoded;
    const amqp_channel_close_t *channel = f.payload.method.decoded;
    switch (f.payload.method.id) {
    case AMQP_BASIC_CANCEL_METHOD: return line_fail(l, "the broker takes a queue away");
    case AMQP_CONNECTION_CLOSE_METHOD: return line_fail(l, "the broker closes: %u %.*s", close->reply_code, (int)close->reply_text.len, (char *)close->reply_text.bytes);
    case AMQP_CHANNEL_CLOSE_METHOD: return line_fail(l, "the broker closes the channel: %u %.*s", channel->reply_code, (int)channel->reply_text.len, (char *)channel->reply_text.bytes);
    default: return true;
    }
}

static bool renew(struct line *l)
{
    int64_t now_ms = time_mono_ms();
    for (unsigned i = 0; i < shards_with_batons(l); i++)
        if (l->held[i].gained && now_ms - l->held[i].renewed_ms > BROKER_BATON_MS && !publish_baton(l, i))
            return false;
    return true;
}

static bool look(struct line *l)
{
    for (;;) {
        amqp_envelope_t e;
        struct timeval now = { 0 };
        amqp_maybe_release_buffers(l->c);
        amqp_rpc_reply_t r = amqp_consume_message(l->c, &e, &now, 0);
        if (r.reply_type == AMQP_RESPONSE_NORMAL) {
            bool ok = delivered(l, &e);
            amqp_destroy_envelope(&e);
            if (!ok)
                return false;
            continue;
        }
        if (r.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION && r.library_error == AMQP_STATUS_TIMEOUT)
            return renew(l);
        if (r.reply_type != AMQP_RESPONSE_LIBRARY_EXCEPTION || r.library_error != AMQP_STATUS_UNEXPECTED_STATE)
            return line_reply(l, r, "basic.deliver");
        if (!other(l))
            return false;
    }
}

const struct line_role consumer_role = { .says = "dragoman consumes", .begin = begin, .carry_out = carry_out, .look = look, .end = end };
