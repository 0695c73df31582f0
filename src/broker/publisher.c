/* The connection that publishes: each message with the number of its confirm, in the order ordered. */
#include "broker/broker-private.h"

struct sent {
    uint64_t number; /* of the request; 0: confirmed */
    bool returned;
};
enum { SENT_LEAST = 256 };

static bool begin(struct line *l)
{
    amqp_confirm_select(l->c, CHANNEL);
    l->next_tag = l->first_sent = 1;
    l->n_sent = 0;
    return line_reply(l, amqp_get_rpc_reply(l->c), "confirm.select");
}

static void end(struct line *l)
{
    l->n_sent = 0; /* the loop hears that we are down: nobody knows what became of them */
}

static struct sent *sent_at(struct line *l, uint64_t tag)
{
    return tag >= l->first_sent && tag < l->first_sent + l->n_sent ? &l->sent[tag & (l->cap_sent - 1)] : NULL;
}

static void remember(struct line *l, uint64_t number)
{
    if (l->n_sent == l->cap_sent) {
        size_t cap = l->cap_sent ? l->cap_sent * 2 : SENT_LEAST;
        struct sent *wider = must_calloc(cap, sizeof(*wider));
        for (uint64_t tag = l->first_sent; tag < l->first_sent + l->n_sent; tag++)
            wider[tag & (cap - 1)] = l->sent[tag & (l->cap_sent - 1)];
        free(l->sent);
        l->sent = wider;
        l->cap_sent = cap;
    }
    l->sent[l->next_tag++ & (l->cap_sent - 1)] = (struct sent){ .number = number };
    l->n_sent++;
}

static int publish(struct line *l, const struct order *o, amqp_basic_properties_t *p, amqp_bytes_t body)
{
    char key[16], text[40];
    snprintf(key, sizeof(key), "%u", o->shard);
    snprintf(text, sizeof(text), "%llu", (unsigned long long)l->next_tag); /* a returned message tells which it was */
    p->_flags |= AMQP_BASIC_MESSAGE_ID_FLAG;
    p->message_id = amqp_cstring_bytes(text);
    if (o->kind == ORDER_PUBLISH)
        return amqp_basic_publish(l->c, CHANNEL, amqp_cstring_bytes(l->b->name), amqp_cstring_bytes(key), 1, 0, p, body);
    amqp_table_entry_t headers[] = {
        { .key = amqp_cstring_bytes(HEADER_WHY), .value = { .kind = AMQP_FIELD_KIND_UTF8, .value.bytes = amqp_of(slice_mem(o->bytes, o->n_key)) } },
        { .key = amqp_cstring_bytes(HEADER_SHARD), .value = { .kind = AMQP_FIELD_KIND_I64, .value.i64 = o->shard } },
    };
    p->_flags |= AMQP_BASIC_HEADERS_FLAG | AMQP_BASIC_TIMESTAMP_FLAG;
    p->headers = (amqp_table_t){ COUNT(headers), headers };
    p->timestamp = (uint64_t)(time_now_ms() / 1000);
    return amqp_basic_publish(l->c, CHANNEL, amqp_cstring_bytes(l->b->name), amqp_cstring_bytes(DEAD_KEY), 1, 0, p, body);
}

static bool carry_out(struct line *l, struct order *o)
{
    amqp_basic_properties_t p = { ._flags = AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_CONTENT_TYPE_FLAG, .delivery_mode = AMQP_DELIVERY_PERSISTENT,
                                  .content_type = amqp_cstring_bytes("application/octet-stream") };
    amqp_bytes_t body = amqp_of(slice_mem(o->bytes + o->n_key, o->n));
    int e;
    if (o->kind == ORDER_TELL) { /* takes a number, too: everything on a channel in confirm mode does */
        CLEANUP(arena_freep) struct arena *a = arena_new();
        e = amqp_basic_publish(l->c, CHANNEL, amqp_of(arena_printf(a, "%s.news", l->b->name)), amqp_of(slice_mem(o->bytes, o->n_key)), 0, 0, &p, body);
    } else {
        e = publish(l, o, &p, body);
    }
    if (e != AMQP_STATUS_OK)
        return line_fail(l, "basic.publish: %s", amqp_error_string2(e));
    remember(l, o->kind == ORDER_TELL ? 0 : o->number);
    return true;
}

static void confirm_one(struct line *l, uint64_t tag, bool ok)
{
    struct sent *s = sent_at(l, tag);
    if (!s || !s->number)
        return;
    struct news *n = news_new(NEWS_CONFIRMED, SLICE_NONE);
    n->number = s->number;
    n->ok = ok && !s->returned;
    s->number = 0;
    line_tell(l, n);
}

static void confirmed(struct line *l, uint64_t tag, bool multiple, bool ok)
{
    for (uint64_t t = multiple ? l->first_sent : tag; t <= tag && t < l->next_tag; t++)
        confirm_one(l, t, ok);
    if (multiple && tag >= l->first_sent) {
        uint64_t gone = MIN(tag + 1 - l->first_sent, (uint64_t)l->n_sent);
        l->first_sent += gone;
        l->n_sent -= gone;
    }
    while (l->n_sent && !l->sent[l->first_sent & (l->cap_sent - 1)].number) {
        l->first_sent++;
        l->n_sent--;
    }
}

/* No queue took it; its confirm follows. */
static bool returned(struct line *l)
{
    amqp_message_t m;
    if (!line_reply(l, amqp_read_message(l->c, CHANNEL, &m, 0), "basic.return"))
        return false;
    int64_t tag;
    struct sent *s = slice_int(slice_of_amqp(m.properties.message_id), &tag) && tag > 0 ? sent_at(l, (uint64_t)tag) : NULL;
    if (s)
        s->returned = true;
    amqp_destroy_message(&m);
    return true;
}

static bool method(struct line *l, const amqp_method_t *m)
{
    switch (m->id) {
    case AMQP_BASIC_ACK_METHOD: {
        const amqp_basic_ack_t *ack = m->decoded;
        confirmed(l, ack->delivery_tag, ack->multiple, true);
        return true;
    }
    case AMQP_BASIC_NACK_METHOD: {
        const amqp_basic_nack_t *nack = m->decoded;
        confirmed(l, nack->delivery_tag, nack->multiple, false);
        return true;
    }
    case AMQP_BASIC_RETURN_METHOD: return returned(l);
    case AMQP_CONNECTION_BLOCKED_METHOD: {
        const amqp_connection_blocked_t *blocked = m->decoded;
        line_tell(l, news_new(NEWS_BLOCKED, slice_of_amqp(blocked->reason)));
        return true;
    }
    case AMQP_CONNECTION_UNBLOCKED_METHOD: line_tell(l, news_new(NEWS_UNBLOCKED, SLICE_NONE)); return true;
    case AMQP_CONNECTION_CLOSE_METHOD: {
        const amqp_connection_close_t *close = m->decoded;
        return line_fail(l, "the broker closes: %u %.*s", close->reply_code, (int)close->reply_text.len, (char *)close->reply_text.bytes);
    }
    case AMQP_CHANNEL_CLOSE_METHOD: {
        const amqp_channel_close_t *close = m->decoded;
        return line_fail(l, "the broker closes the channel: %u %.*s", close->reply_code, (int)close->reply_text.len, (char *)close->reply_text.bytes);
    }
    default: return true;
    }
}

static bool look(struct line *l)
{
    for (;;) {
        amqp_frame_t f;
        struct timeval now = { 0 };
        int e = amqp_simple_wait_frame_noblock(l->c, &f, &now);
        if (e == AMQP_STATUS_TIMEOUT)
            return true;
        if (e != AMQP_STATUS_OK)
            return line_fail(l, "%s", amqp_error_string2(e));
        if (f.frame_type == AMQP_FRAME_METHOD && !method(l, &f.payload.method))
            return false;
        amqp_maybe_release_buffers(l->c);
    }
}

const struct line_role publisher_role = { .says = "dragoman publishes", .begin = begin, .carry_out = carry_out, .look = look, .end = end };
