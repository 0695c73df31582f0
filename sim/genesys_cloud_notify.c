/* genesys_cloud_notify.c - "8.3": notification channels and their subscriptions. What they would carry is told to the page
 * ("notification" events); there is no socket behind connectUri. */
#include "sim/genesys_cloud.h"

#define CHANNELS "/api/v2/notifications/channels"

enum { TOPICS_MAX = 1000, CHANNELS_MAX = 20, CHANNEL_LIFE_S = 86400 };

struct channel {
    slice id;
    int64_t expires_ms;
    struct sgc_map topics; /* topic -> itself */
    struct sgc_list order;
};

void sgc_channels_free(struct sgc *g)
{
    for (size_t i = 0; i < g->channels.n; i++) {
        struct channel *ch = g->channels.items[i];
        sgc_map_done(&ch->topics);
        sgc_list_done(&ch->order);
    }
    sgc_list_done(&g->channels);
}

static void write_channel(struct sgc *g, struct jw *w, const void *item)
{
    const struct channel *ch = item;
    slice host = slice_from(g->base, slice_find(g->base, SL("://")));
    struct text uri = text_new(w->t.a, 512);
    text_add(&uri, "ws" SLF "/channels/" SLF, SLA(host), SLA(ch->id));
    jw_open(w, NULL, '{');
    jw_str(w, "connectUri", text_slice(&uri));
    jw_str(w, "id", ch->id);
    jw_time(w, "expires", ch->expires_ms);
    jw_close(w, '}');
}

static void channel_create(struct sgc *g, struct sim_call *c)
{
    if (g->channels.n >= CHANNELS_MAX) { /* the oldest makes room, as with the real one */
        struct channel *oldest = g->channels.items[0];
        sgc_map_done(&oldest->topics);
        sgc_list_done(&oldest->order);
        sgc_list_remove(&g->channels, oldest);
    }
    struct channel *ch = ARENA_NEW(g->a, struct channel);
    ch->id = arena_printf(g->a, "streaming-5-" SLF, SLA(sgc_hex(c->x->a, 24)));
    ch->expires_ms = time_now_ms() + CHANNEL_LIFE_S * INT64_C(1000);
    sgc_list_add(&g->channels, ch);
    struct jw w = sgc_writer(c);
    write_channel(g, &w, ch);
    sgc_json(c, 200, jw_done(&w));
}

static void channels_list(struct sgc *g, struct sim_call *c)
{
    sgc_answer_list(g, c, &(struct sgc_listing){ .list = &g->channels, .item = write_channel });
}

static struct channel *channel_of(struct sgc *g, struct sim_call *c)
{
    for (size_t i = 0; i < g->channels.n; i++) {
        struct channel *ch = g->channels.items[i];
        if (slice_eq(ch->id, c->params[0]))
            return ch;
    }
    sgc_not_found(c, "channel", c->params[0]);
    return NULL;
}

static void channel_head(struct sgc *g, struct sim_call *c)
{
    if (!channel_of(g, c))
        return;
    sgc_correlate(c);
    sim_answer(c, 200, SLICE_NONE, SLICE_NONE);
}

static void forget(struct channel *ch)
{
    sgc_map_done(&ch->topics);
    ch->order.n = 0;
}

static void answer_topics(struct sim_call *c, const struct sgc_list *topics)
{
    struct jw w = sgc_writer(c);
    jw_open(&w, NULL, '{');
    jw_open(&w, "entities", '[');
    for (size_t i = 0; i < topics->n; i++) {
        jw_open(&w, NULL, '{');
        jw_str(&w, "id", *(const slice *)topics->items[i]);
        jw_str(&w, "state", SL("Permitted"));
        jw_close(&w, '}');
    }
    jw_close(&w, ']');
    jw_close(&w, '}');
    sgc_json(c, 200, jw_done(&w));
}

static void subscriptions_get(struct sgc *g, struct sim_call *c)
{
    const struct channel *ch = channel_of(g, c);
    if (ch)
        answer_topics(c, &ch->order);
}

static void subscriptions_delete(struct sgc *g, struct sim_call *c)
{
    struct channel *ch = channel_of(g, c);
    if (!ch)
        return;
    forget(ch);
    sgc_correlate(c);
    sim_answer(c, 204, SLICE_NONE, SLICE_NONE);
}

/* PUT replaces, POST adds. */
static void subscriptions_set(struct sgc *g, struct sim_call *c)
{
    struct channel *ch = channel_of(g, c);
    struct fault f = { 0 };
    const struct js *list = ch ? js_parse(c->x->a, c->x->body, &f) : NULL;
    if (!ch)
        return;
    bool replace = slice_eq(c->x->method, SL("PUT"));
    if (!js_is_array(list) || (replace ? 0 : ch->order.n) + js_len(list) > TOPICS_MAX) {
        sgc_error(c, 400, "bad.request", "The body is a list of topics, at most %d on a channel.",
                  TOPICS_MAX);
        return;
    }
    for (size_t i = 0; i < js_len(list); i++)
        if (!slice_starts(js_text(js_at(js_item(list, i), "id")), SL("v2."))) {
            sgc_error(c, 400, "bad.request", "A topic begins with v2.");
            return;
        }
    if (replace)
        forget(ch);
    ch->expires_ms = time_now_ms() + CHANNEL_LIFE_S * INT64_C(1000);
    for (size_t i = 0; i < js_len(list); i++) {
        slice topic = js_text(js_at(js_item(list, i), "id"));
        if (sgc_map_get(&ch->topics, topic))
            continue;
        slice *kept = ARENA_NEW(g->a, slice);
        *kept = arena_dup(g->a, topic);
        sgc_map_put(&ch->topics, *kept, kept);
        sgc_list_add(&ch->order, kept);
    }
    answer_topics(c, &ch->order);
}

/* ---- events ------------------------------------------------------------------------------------------------------------------ */

static slice upper(struct arena *a, slice s)
{
    char *p = arena_cstr(a, s);
    for (size_t i = 0; i < s.n; i++)
        p[i] = p[i] == '.' ? '_' : p[i] >= 'a' && p[i] <= 'z' ? (char)(p[i] - 'a' + 'A') : p[i];
    return slice_mem(p, s.n);
}

void sgc_notify(struct sgc *g, const struct sgc_conversation *v, const struct sgc_participant *p,
                const char *topic)
{
    if (!feed_watched(g->env->feed) && !g->channels.n)
        return;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice name = arena_printf(a, "v2.detail.events.conversation." SLF ".%s", SLA(v->id), topic);
    struct jw w = jw_new(a, 1 << 14);
    jw_open(&w, NULL, '{');
    jw_str(&w, "topicName", name);
    jw_str(&w, "version", SL("2"));
    jw_open(&w, "eventBody", '{');
    jw_int(&w, "eventTime", time_now_ms());
    jw_str(&w, "conversationId", v->id);
    jw_str(&w, "participantId", p->id);
    jw_str(&w, "sessionId", p->communication);
    if (p->disconnect)
        jw_str(&w, "disconnectType", upper(a, slice_of(p->disconnect)));
    jw_str(&w, "mediaType", SL("MESSAGE"));
    jw_str(&w, "messageType", SL("OPEN"));
    jw_str(&w, "direction", SL("INBOUND"));
    jw_str(&w, "addressTo", v->integration->id);
    jw_str(&w, "addressFrom", v->guest);
    jw_str(&w, "queueId", g->queue_id);
    if (p->agent)
        jw_str(&w, "userId", p->agent->id);
    jw_close(&w, '}');
    jw_open(&w, "metadata", '{');
    jw_str(&w, "CorrelationId", sgc_uuid(a));
    jw_close(&w, '}');
    jw_close(&w, '}');
    feed_send(g->env->feed, "notification", jw_done(&w));
}

/* clang-format off */
const struct sgc_route sgc_notify_routes[] = {
    { "POST",   CHANNELS,                       NULL, channel_create },
    { "GET",    CHANNELS,                       NULL, channels_list },
    { "HEAD",   CHANNELS "/:id",                NULL, channel_head },
    { "GET",    CHANNELS "/:id/subscriptions",  NULL, subscriptions_get },
    { "PUT",    CHANNELS "/:id/subscriptions",  NULL, subscriptions_set },
    { "POST",   CHANNELS "/:id/subscriptions",  NULL, subscriptions_set },
    { "DELETE", CHANNELS "/:id/subscriptions",  NULL, subscriptions_delete },
};
/* clang-format on */
const size_t sgc_notify_n = COUNT(sgc_notify_routes);
