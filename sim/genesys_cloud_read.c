/* genesys_cloud_read.c - "8.2 Agent's name", "8.3 End of conversation": what the hub looks up and changes. */
#include "sim/genesys_cloud.h"

#define MESSAGES "/api/v2/conversations/messages"

/* ---- participants ------------------------------------------------------------------------------------------------------------ */

static const char *const purposes[] = {
    [SGC_CUSTOMER] = "customer", [SGC_WORKFLOW] = "workflow", [SGC_ACD] = "acd", [SGC_SEAT] = "agent"
};

/* MessageData.status and MessageDetails.messageStatus */
static slice wire_status(const struct sgc_message *m)
{
    static const char *const in[] = {
        [SGC_RECEIVED] = "received", [SGC_PUBLISHED] = "published", [SGC_FAILED] = "failed"
    };
    static const char *const out[] = { [SGC_QUEUED] = "queued",
                                       [SGC_SENT] = "sent",
                                       [SGC_DELIVERED] = "delivery-success",
                                       [SGC_FAILED] = "delivery-failed" };
    return slice_of(m->by == SGC_GUEST ? in[m->state] : out[m->state]);
}

static slice guest_name(const struct sgc_conversation *v)
{
    return slice_or(v->nickname, slice_or(v->first_name, v->guest));
}

static slice name_of(const struct sgc_conversation *v, const struct sgc_participant *p)
{
    switch (p->purpose) {
    case SGC_CUSTOMER:
        return guest_name(v);
    case SGC_WORKFLOW:
        return SL("Guest messages");
    case SGC_ACD:
        return SL("Guests");
    case SGC_SEAT:
        return p->agent->name;
    }
    return SLICE_NONE;
}

static const char *state_of(const struct sgc_participant *p)
{
    return p->end_ms ? "disconnected" : p->purpose == SGC_ACD ? "alerting" : "connected";
}

static void write_attributes(struct jw *w, const struct sgc_conversation *v)
{
    jw_open(w, "attributes", '{');
    for (size_t i = 0; i < v->n_attributes; i++) {
        jw_key(w, v->attributes[i].key);
        jw_str(w, NULL, v->attributes[i].value);
    }
    jw_close(w, '}');
}

static void write_message_refs(struct jw *w, const struct sgc_conversation *v,
                               const struct sgc_participant *p)
{
    jw_open(w, "messages", '[');
    for (const struct sgc_message *m = v->messages; m; m = m->next) {
        bool theirs = p->purpose == SGC_CUSTOMER
                          ? m->by == SGC_GUEST
                          : p->purpose == SGC_SEAT && m->by == SGC_AGENT && m->agent == p->agent;
        if (!theirs)
            continue;
        struct text uri = text_new(w->t.a, 256);
        text_add(&uri, MESSAGES "/" SLF "/messages/" SLF, SLA(v->id), SLA(m->id));
        jw_open(w, NULL, '{');
        jw_str(w, "messageId", m->id);
        jw_str(w, "messageURI", text_slice(&uri));
        jw_str(w, "messageStatus", wire_status(m));
        jw_time(w, "messageTime", m->at_ms);
        jw_close(w, '}');
    }
    jw_close(w, ']');
}

static void write_address(struct jw *w, const char *key, slice id, slice name)
{
    jw_open(w, key, '{');
    jw_opt(w, "name", name);
    jw_str(w, "addressNormalized", id);
    jw_str(w, "addressRaw", id);
    jw_close(w, '}');
}

static void write_addresses(struct jw *w, const struct sgc_conversation *v)
{
    write_address(w, "toAddress", v->integration->id, v->integration->name);
    write_address(w, "fromAddress", v->guest, guest_name(v));
}

static void common_members(struct jw *w, const struct sgc_conversation *v, const struct sgc_participant *p)
{
    jw_str(w, "id", p->id);
    jw_time(w, "startTime", p->start_ms);
    if (p->end_ms)
        jw_time(w, "endTime", p->end_ms);
    jw_str(w, "name", name_of(v, p));
    jw_str(w, "purpose", slice_of(purposes[p->purpose]));
    if (p->wrapup)
        jw_value(w, "wrapup", p->wrapup);
    if (p->purpose == SGC_CUSTOMER)
        write_attributes(w, v);
}

static void write_participant(struct sgc *g, struct jw *w, const struct sgc_conversation *v,
                              const struct sgc_participant *p)
{
    jw_open(w, NULL, '{');
    common_members(w, v, p);
    if (p->agent)
        jw_str(w, "userId", p->agent->id);
    if (p->purpose == SGC_ACD || p->purpose == SGC_SEAT) {
        jw_str(w, "queueId", g->queue_id);
        jw_str(w, "queueName", SL("Guests"));
    }
    jw_open(w, "messages", '[');
    jw_open(w, NULL, '{');
    jw_str(w, "id", p->communication);
    jw_str(w, "state", slice_of(state_of(p)));
    jw_opt(w, "disconnectType", slice_of(p->disconnect));
    jw_str(w, "direction", p->purpose == SGC_CUSTOMER ? SL("inbound") : SL("outbound"));
    jw_bool(w, "held", false);
    if (p->purpose != SGC_ACD)
        jw_time(w, "connectedTime", p->start_ms);
    if (p->end_ms)
        jw_time(w, "disconnectedTime", p->end_ms);
    jw_str(w, "type", SL("open"));
    jw_str(w, "provider", SL("PureCloud Messaging"));
    write_addresses(w, v);
    write_message_refs(w, v, p);
    jw_close(w, '}');
    jw_close(w, ']');
    jw_close(w, '}');
}

static void write_message_participant(struct sgc *g, struct jw *w, const struct sgc_conversation *v,
                                      const struct sgc_participant *p)
{
    jw_open(w, NULL, '{');
    common_members(w, v, p);
    jw_str(w, "state", slice_of(state_of(p)));
    jw_opt(w, "disconnectType", slice_of(p->disconnect));
    jw_str(w, "direction", p->purpose == SGC_CUSTOMER ? SL("inbound") : SL("outbound"));
    jw_str(w, "type", SL("open"));
    jw_str(w, "provider", SL("PureCloud Messaging"));
    if (p->agent)
        sgc_ref(w, "user", p->agent->id, "/api/v2/users");
    if (p->purpose == SGC_ACD || p->purpose == SGC_SEAT)
        sgc_ref(w, "queue", g->queue_id, "/api/v2/routing/queues");
    write_addresses(w, v);
    write_message_refs(w, v, p);
    jw_close(w, '}');
}

/* ---- conversations ----------------------------------------------------------------------------------------------------------- */

static struct sgc_conversation *conversation_of(struct sgc *g, struct sim_call *c)
{
    struct sgc_conversation *v = sgc_conversation_find(g, c->params[0]);
    if (!v)
        sgc_not_found(c, "conversation", c->params[0]);
    return v;
}

static void answer_conversation(struct sgc *g, struct sim_call *c, bool messages_view)
{
    const struct sgc_conversation *v = conversation_of(g, c);
    if (!v)
        return;
    struct jw w = sgc_writer(c);
    jw_open(&w, NULL, '{');
    jw_str(&w, "id", v->id);
    if (!messages_view)
        jw_time(&w, "startTime", v->start_ms);
    if (v->end_ms && !messages_view)
        jw_time(&w, "endTime", v->end_ms);
    jw_open(&w, "participants", '[');
    for (const struct sgc_participant *p = v->participants; p; p = p->next) {
        if (messages_view)
            write_message_participant(g, &w, v, p);
        else
            write_participant(g, &w, v, p);
    }
    jw_close(&w, ']');
    jw_open(&w, "recentTransfers", '[');
    jw_close(&w, ']');
    jw_open(&w, "divisions", '[');
    jw_close(&w, ']');
    jw_str(
        &w, "selfUri",
        arena_printf(c->x->a, "/api/v2/conversations/%s" SLF, messages_view ? "messages/" : "", SLA(v->id)));
    jw_close(&w, '}');
    sgc_json(c, 200, jw_done(&w));
}

static void conversation_get(struct sgc *g, struct sim_call *c)
{
    answer_conversation(g, c, false);
}

static void message_conversation_get(struct sgc *g, struct sim_call *c)
{
    answer_conversation(g, c, true);
}

static void end_by_api(struct sgc *g, struct sgc_conversation *v)
{
    sgc_conversation_end(g, v, "peer", "client");
    sgc_tell_conversation(g, v);
}

static void disconnect_post(struct sgc *g, struct sim_call *c)
{
    struct sgc_conversation *v = conversation_of(g, c);
    if (!v)
        return;
    end_by_api(g, v);
    sgc_json(c, 200, SL("\"ok\""));
}

/* ---- changing participants --------------------------------------------------------------------------------------------------- */

static struct sgc_participant *participant_of(struct sgc *g, struct sim_call *c,
                                              struct sgc_conversation **ret_v)
{
    struct sgc_conversation *v = conversation_of(g, c);
    struct sgc_participant *p = v ? sgc_participant_find(v, c->params[1]) : NULL;
    if (v && !p)
        sgc_not_found(c, "participant", c->params[1]);
    *ret_v = v;
    return p;
}

static void participant_patch(struct sgc *g, struct sim_call *c)
{
    struct sgc_conversation *v;
    struct sgc_participant *p = participant_of(g, c, &v);
    const struct js *doc = p ? sgc_body(c) : NULL;
    if (!doc)
        return;
    slice state = js_text(js_at(doc, "state"));
    const struct js *wrapup = js_at(doc, "wrapup");
    if (!state.n && !wrapup && !js_true(js_at(doc, "wrapupSkipped"))) {
        sgc_error(c, 400, "bad.request", "The request holds neither state nor wrapup.");
        return;
    }
    if (state.n && !slice_eq_nocase(state, SL("disconnected"))) {
        sgc_error(c, 400, "invalid.value", "A message participant can only be disconnected.");
        return;
    }
    if (wrapup)
        p->wrapup = js_parse(g->a, js_print(g->a, wrapup), NULL);
    if (state.n && (p->purpose == SGC_CUSTOMER || p->purpose == SGC_SEAT) && !p->end_ms)
        end_by_api(g, v); /* the last agent's leave ends it for the customer, too */
    sgc_correlate(c);
    sim_answer(c, 202, SLICE_NONE, SLICE_NONE);
}

static void attributes_patch(struct sgc *g, struct sim_call *c)
{
    struct sgc_conversation *v;
    struct sgc_participant *p = participant_of(g, c, &v);
    const struct js *doc = p ? sgc_body(c) : NULL;
    if (!doc)
        return;
    const struct js *map = js_at(doc, "attributes");
    bool good = js_is_object(map);
    for (void *it = js_first(map); it; it = js_next(map, it))
        good = good && js_is_string(js_value(it));
    if (!good) {
        sgc_error(c, 400, "bad.request", "attributes should be an object whose values are strings");
        return;
    }
    if (p->purpose == SGC_CUSTOMER)
        for (void *it = js_first(map); it; it = js_next(map, it))
            sgc_attribute_set(g, v, js_key(map, it), js_text(js_value(it)));
    sgc_notify(g, v, p, "attributes");
    sgc_tell_conversation(g, v);
    sgc_json(c, 200, js_print(c->x->a, doc));
}

static void wrapup_codes(struct sgc *g, struct sim_call *c)
{
    struct sgc_conversation *v;
    if (participant_of(g, c, &v))
        sgc_json(c, 200,
                 SL("[{\"id\":\"7fb334b0-0e9e-11e4-9191-0800200c9a66\",\"name\":\"Default Wrap-up Code\"}]"));
}

/* ---- messages ---------------------------------------------------------------------------------------------------------------- */

static void write_user(struct sgc *g, struct jw *w, const char *key, const struct sgc_agent *agent)
{
    jw_open(w, key, '{');
    jw_str(w, "id", agent->id);
    if (!key || !g->nameless)
        jw_str(w, "name", agent->name);
    if (!key) {
        jw_str(w, "email", agent->email);
        jw_str(w, "username", agent->email);
        jw_str(w, "state", SL("active"));
        jw_int(w, "version", 1);
    }
    struct text uri = text_new(w->t.a, 256);
    text_add(&uri, "/api/v2/users/" SLF, SLA(agent->id));
    jw_str(w, "selfUri", text_slice(&uri));
    jw_close(w, '}');
}

static void write_normalized(struct jw *w, const struct sgc_message *m)
{
    const struct sgc_conversation *v = m->conversation;
    bool in = m->by == SGC_GUEST;
    jw_open(w, "normalizedMessage", '{');
    jw_str(w, "id", m->id);
    jw_open(w, "channel", '{');
    jw_str(w, "id", v->integration->id);
    jw_str(w, "platform", SL("Open"));
    jw_str(w, "type", SL("Private"));
    jw_opt(w, "messageId", in ? m->message_id : m->id);
    jw_open(w, "to", '{');
    jw_str(w, "id", in ? v->integration->id : v->guest);
    jw_close(w, '}');
    jw_open(w, "from", '{');
    jw_str(w, "id", in ? v->guest : v->integration->id);
    jw_close(w, '}');
    jw_time(w, "time", m->at_ms);
    jw_close(w, '}');
    jw_str(w, "type", m->content.n && !m->media ? SL("Structured") : SL("Text"));
    jw_opt(w, "text", m->text);
    if (m->content.n)
        jw_raw(w, "content", m->content);
    jw_str(w, "direction", in ? SL("Inbound") : SL("Outbound"));
    if (!in)
        jw_str(w, "originatingEntity", m->by == SGC_AGENT ? SL("Human") : SL("Bot"));
    if (m->metadata.n)
        jw_raw(w, "metadata", m->metadata);
    jw_close(w, '}');
}

static void write_details(struct sgc *g, struct jw *w, const struct sgc_message *m, bool normalized)
{
    const struct sgc_conversation *v = m->conversation;
    bool in = m->by == SGC_GUEST;
    jw_open(w, NULL, '{');
    jw_str(w, "id", m->id);
    jw_str(w, "providerMessageId", m->id);
    jw_time(w, "timestamp", m->at_ms);
    jw_str(w, "fromAddress", in ? v->guest : v->integration->id);
    jw_str(w, "toAddress", in ? v->integration->id : v->guest);
    jw_str(w, "direction", in ? SL("inbound") : SL("outbound"));
    jw_str(w, "messengerType", SL("open"));
    jw_str(w, "textBody", m->text);
    jw_str(w, "status", wire_status(m));
    jw_open(w, "media", '[');
    if (m->media) {
        jw_open(w, NULL, '{');
        jw_str(w, "url", m->media->url);
        jw_str(w, "mediaType", m->media->mime);
        jw_int(w, "contentLengthBytes", (int64_t)m->media->size);
        jw_opt(w, "name", m->media->name);
        jw_str(w, "id", m->media->id);
        jw_close(w, '}');
    }
    jw_close(w, ']');
    if (normalized)
        write_normalized(w, m);
    if (m->agent)
        write_user(g, w, "createdBy", m->agent);
    jw_str(w, "conversationId", v->id);
    struct text uri = text_new(w->t.a, 256);
    text_add(&uri, MESSAGES "/" SLF "/messages/" SLF, SLA(v->id), SLA(m->id));
    jw_str(w, "selfUri", text_slice(&uri));
    jw_close(w, '}');
}

static void answer_details(struct sgc *g, struct sim_call *c, slice id, bool normalized)
{
    const struct sgc_message *m = sgc_message_find(g, id);
    if (!m) {
        sgc_not_found(c, "message", id);
        return;
    }
    struct jw w = sgc_writer(c);
    write_details(g, &w, m, normalized);
    sgc_json(c, 200, jw_done(&w));
}

static void details_get(struct sgc *g, struct sim_call *c)
{
    answer_details(g, c, c->params[0], slice_eq(exchange_query(c->x, "useNormalizedMessage"), SL("true")));
}

static void message_get(struct sgc *g, struct sim_call *c)
{
    answer_details(g, c, c->params[1], true);
}

static void bulk_post(struct sgc *g, struct sim_call *c)
{
    enum { BULK_MAX = 1000 };
    struct fault f = { 0 };
    const struct js *ids = js_parse(c->x->a, c->x->body, &f);
    if (!js_is_array(ids) || js_len(ids) > BULK_MAX) {
        sgc_error(c, 400, "bad.request", "The body is a list of at most %d message ids.", BULK_MAX);
        return;
    }
    struct jw w = sgc_writer(c);
    jw_open(&w, NULL, '{');
    jw_open(&w, "entities", '[');
    for (size_t i = 0; i < js_len(ids); i++) {
        const struct sgc_message *m = sgc_message_find(g, js_text(js_item(ids, i)));
        if (m && slice_eq(m->conversation->id, c->params[0]))
            write_details(g, &w, m, true);
    }
    jw_close(&w, ']');
    jw_close(&w, '}');
    sgc_json(c, 200, jw_done(&w));
}

static void user_get(struct sgc *g, struct sim_call *c)
{
    const struct sgc_agent *agent = sgc_agent_find(g, c->params[0]);
    if (!agent) {
        sgc_not_found(c, "user", c->params[0]);
        return;
    }
    struct jw w = sgc_writer(c);
    write_user(g, &w, NULL, agent);
    sgc_json(c, 200, jw_done(&w));
}

/* clang-format off */
const struct sgc_route sgc_read_routes[] = {
    { "GET",   MESSAGES "/:message/details",                                     "conversation:message:view",           details_get },
    { "GET",   "/api/v2/users/:id",                                              NULL,                                  user_get },
    { "GET",   MESSAGES "/:conversation",                                        "conversation:message:view",           message_conversation_get },
    { "GET",   MESSAGES "/:conversation/messages/:message",                      "conversation:message:view",           message_get },
    { "POST",  MESSAGES "/:conversation/messages/bulk",                          "conversation:message:view",           bulk_post },
    { "PATCH", MESSAGES "/:conversation/participants/:id",                       "conversation:participant:wrapup",     participant_patch },
    { "PATCH", MESSAGES "/:conversation/participants/:id/attributes",            NULL,                                  attributes_patch },
    { "GET",   MESSAGES "/:conversation/participants/:id/wrapupcodes",           NULL,                                  wrapup_codes },
    { "GET",   "/api/v2/conversations/:conversation",                            "conversation:communication:view",     conversation_get },
    { "PATCH", "/api/v2/conversations/:conversation/participants/:id",           "conversation:participant:wrapup",     participant_patch },
    { "PATCH", "/api/v2/conversations/:conversation/participants/:id/attributes",NULL,                                  attributes_patch },
    { "GET",   "/api/v2/conversations/:conversation/participants/:id/wrapupcodes",NULL,                                 wrapup_codes },
    { "POST",  "/api/v2/conversations/:conversation/disconnect",                 "conversation:communication:disconnect", disconnect_post },
};
/* clang-format on */
const size_t sgc_read_n = COUNT(sgc_read_routes);
