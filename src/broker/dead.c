#include "broker/dead.h"
#include "broker/broker-private.h"

struct broker_dead {
    struct broker *b;
    struct line l;
    int64_t left; /* not looked at yet */
    unsigned kept; /* looked at and not decided */
};
enum { BACK_MS = 2000, BACK_LOOK_NS = 10 * 1000 * 1000 };
static const struct line_role operator_role = { .says = "dragoman parcels" };

static bool is_lost(const struct broker_dead *d, struct fault *f)
{
    fault(f, "broker_lost", "", "the broker is not reached: %s", d->l.why);
    return false;
}

static bool open_queue(struct broker_dead *d)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    if (!line_connect(&d->l))
        return false;
    amqp_confirm_select(d->l.c, CHANNEL);
    if (!line_reply(&d->l, amqp_get_rpc_reply(d->l.c), "confirm.select"))
        return false;
    const amqp_queue_declare_ok_t *is = amqp_queue_declare(d->l.c, CHANNEL, amqp_of(line_dead_queue(a, &d->l)), 1, 0, 0, 0, amqp_empty_table);
    if (!line_reply(&d->l, amqp_get_rpc_reply(d->l.c), "queue.declare"))
        return false;
    d->left = is->message_count;
    return true;
}

struct broker_dead *broker_dead_open(const struct broker_setup *setup, struct fault *f)
{
    struct broker *b = broker_of(setup, f);
    if (!b)
        return NULL;
    struct broker_dead *d = must_calloc(1, sizeof(*d));
    d->b = b;
    d->l.b = b;
    d->l.role = &operator_role;
    d->l.fd = -1;
    pthread_mutex_init(&d->l.lock, NULL);
    if (open_queue(d))
        return d;
    is_lost(d, f);
    broker_dead_close(d);
    return NULL;
}

/* What was not decided is in its place when the next one looks: a broker that is only left puts it back at its leisure. */
static void give_back(struct broker_dead *d)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    int64_t end_ms = time_mono_ms() + BACK_MS;
    if (amqp_basic_nack(d->l.c, CHANNEL, 0, 1, 1) != AMQP_STATUS_OK)
        return;
    while (time_mono_ms() < end_ms) {
        const amqp_queue_declare_ok_t *is = amqp_queue_declare(d->l.c, CHANNEL, amqp_of(line_dead_queue(a, &d->l)), 1, 0, 0, 0, amqp_empty_table);
        if (!line_reply(&d->l, amqp_get_rpc_reply(d->l.c), "queue.declare") || is->message_count >= d->kept)
            return;
        struct timespec rest = { .tv_nsec = BACK_LOOK_NS };
        (void)nanosleep(&rest, NULL);
    }
}

void broker_dead_close(struct broker_dead *d)
{
    if (!d)
        return;
    if (d->kept && !d->l.why[0])
        give_back(d);
    line_disconnect(&d->l, d->l.why[0] == 0);
    pthread_mutex_destroy(&d->l.lock);
    broker_free(d->b);
    free(d);
}

static void read_headers(struct arena *a, const amqp_table_t *headers, struct broker_letter *ret)
{
    for (int i = 0; i < headers->num_entries; i++) {
        const amqp_table_entry_t *h = &headers->entries[i];
        if (slice_eq(slice_of_amqp(h->key), SL(HEADER_WHY)) && h->value.kind == AMQP_FIELD_KIND_UTF8)
            ret->why = arena_dup(a, slice_of_amqp(h->value.value.bytes));
        if (slice_eq(slice_of_amqp(h->key), SL(HEADER_SHARD)) && h->value.kind == AMQP_FIELD_KIND_I64)
            ret->shard = (unsigned)h->value.value.i64;
    }
}

bool broker_dead_next(struct broker_dead *d, struct arena *a, struct broker_letter *ret, struct fault *f)
{
    if (d->left-- <= 0)
        return false;
    amqp_maybe_release_buffers(d->l.c);
    amqp_rpc_reply_t r = amqp_basic_get(d->l.c, CHANNEL, amqp_of(line_dead_queue(a, &d->l)), 0);
    if (!line_reply(&d->l, r, "basic.get"))
        return is_lost(d, f);
    if (r.reply.id == AMQP_BASIC_GET_EMPTY_METHOD)
        return false;
    const amqp_basic_get_ok_t *got = r.reply.decoded;
    *ret = (struct broker_letter){ .tag = got->delivery_tag };
    amqp_message_t m;
    if (!line_reply(&d->l, amqp_read_message(d->l.c, CHANNEL, &m, 0), "basic.get"))
        return is_lost(d, f);
    if (m.properties._flags & AMQP_BASIC_TIMESTAMP_FLAG)
        ret->at_ms = (int64_t)m.properties.timestamp * 1000;
    if (m.properties._flags & AMQP_BASIC_HEADERS_FLAG)
        read_headers(a, &m.properties.headers, ret);
    ret->body = arena_dup(a, slice_of_amqp(m.body));
    amqp_destroy_message(&m);
    d->kept++;
    return true;
}

bool broker_dead_drop(struct broker_dead *d, const struct broker_letter *l, struct fault *f)
{
    int e = amqp_basic_ack(d->l.c, CHANNEL, l->tag, 0);
    if (e == AMQP_STATUS_OK) {
        d->kept--;
        return true;
    }
    line_fail(&d->l, "basic.ack: %s", amqp_error_string2(e));
    return is_lost(d, f);
}

/* What the broker says of the one message that was published. */
static bool wait_confirmed(struct broker_dead *d, bool *ret_kept)
{
    struct timeval patience = { .tv_sec = RPC_S };
    *ret_kept = true;
    for (;;) {
        amqp_frame_t frame;
        int e = amqp_simple_wait_frame_noblock(d->l.c, &frame, &patience);
        if (e != AMQP_STATUS_OK)
            return line_fail(&d->l, "%s", amqp_error_string2(e));
        if (frame.frame_type != AMQP_FRAME_METHOD)
            continue;
        amqp_message_t returned;
        switch (frame.payload.method.id) {
        case AMQP_BASIC_ACK_METHOD: return true;
        case AMQP_BASIC_NACK_METHOD: *ret_kept = false; return true;
        case AMQP_BASIC_RETURN_METHOD:
            *ret_kept = false;
            if (!line_reply(&d->l, amqp_read_message(d->l.c, CHANNEL, &returned, 0), "basic.return"))
                return false;
            amqp_destroy_message(&returned);
            continue; /* its confirm follows */
        case AMQP_CONNECTION_CLOSE_METHOD:
        case AMQP_CHANNEL_CLOSE_METHOD: return line_fail(&d->l, "the broker closes");
        default: continue;
        }
    }
}

bool broker_dead_again(struct broker_dead *d, const struct broker_letter *l, struct fault *f)
{
    char key[16];
    bool kept;
    snprintf(key, sizeof(key), "%u", l->shard);
    amqp_basic_properties_t p = { ._flags = AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_CONTENT_TYPE_FLAG, .delivery_mode = AMQP_DELIVERY_PERSISTENT,
                                  .content_type = amqp_cstring_bytes("application/octet-stream") };
    int e = amqp_basic_publish(d->l.c, CHANNEL, amqp_cstring_bytes(d->b->name), amqp_cstring_bytes(key), 1, 0, &p, amqp_of(l->body));
    if (e != AMQP_STATUS_OK) {
        line_fail(&d->l, "basic.publish: %s", amqp_error_string2(e));
        return is_lost(d, f);
    }
    if (!wait_confirmed(d, &kept))
        return is_lost(d, f);
    if (!kept)
        return fault(f, "broker_refused", "", "the broker could not keep the message");
    return broker_dead_drop(d, l, f);
}
