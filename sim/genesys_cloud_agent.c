/* genesys_cloud_agent.c - "8.5 Agent side" and "7.5 Starting a conversation": messages that leave by the public API. */
#include "sim/genesys_cloud.h"

/* The agent whose communication it is speaks; a queue's communication is nobody's. NULL: answered. */
static struct sgc_participant *speaker(struct sgc *g, struct sim_call *c, struct sgc_conversation **ret_v)
{
    struct sgc_conversation *v = sgc_conversation_find(g, c->params[0]);
    if (!v) {
        sgc_not_found(c, "conversation", c->params[0]);
        return NULL;
    }
    *ret_v = v;
    for (struct sgc_participant *p = v->participants; p; p = p->next)
        if (slice_eq(p->communication, c->params[1]) && p->purpose == SGC_SEAT && !p->end_ms)
            return p;
    sgc_not_found(c, "communication", c->params[1]);
    return NULL;
}

static void answer_said(struct sim_call *c, const struct sgc_message *m)
{
    const struct sgc_conversation *v = m->conversation;
    struct jw w = sgc_writer(c);
    jw_open(&w, NULL, '{');
    jw_str(&w, "id", m->id);
    jw_time(&w, "timestamp", m->at_ms);
    jw_str(&w, "fromAddress", v->integration->id);
    jw_str(&w, "toAddress", v->guest);
    jw_str(&w, "direction", SL("outbound"));
    jw_str(&w, "messengerType", SL("open"));
    jw_str(&w, "textBody", m->text);
    jw_str(&w, "status", SL("queued"));
    jw_str(&w, "conversationId", v->id);
    jw_close(&w, '}');
    sgc_json(c, 202, jw_done(&w));
}

static void say_post(struct sgc *g, struct sim_call *c)
{
    struct sgc_conversation *v;
    const struct sgc_participant *p = speaker(g, c, &v);
    const struct js *doc = p ? sgc_body(c) : NULL;
    if (!doc)
        return;
    slice media_id = js_text(js_at(doc, "mediaIds.0"));
    struct sgc_media *f = media_id.n ? sgc_map_get(&g->media_map, media_id) : NULL;
    if (media_id.n && (!f || f->state != SGC_KEPT)) {
        sgc_error(c, 400, "invalid.value", "mediaIds names a file that is not there.");
        return;
    }
    struct fault why = { 0 };
    const struct sgc_message *m =
        sgc_say(g, v, p->agent, js_text(js_at(doc, "textBody")), SLICE_NONE, f, NULL, &why);
    if (m)
        answer_said(c, m);
    else
        sgc_error(c, 400, "bad.request", "%s", why.text);
}

static void typing_post(struct sgc *g, struct sim_call *c)
{
    struct sgc_conversation *v;
    if (!speaker(g, c, &v))
        return;
    if (sgc_typing_enabled(g, v->integration, false))
        sgc_hook_typing(g, v, NULL);
    sgc_correlate(c);
    sim_answer(c, 202, SLICE_NONE, SLICE_NONE);
}

static void agentless_post(struct sgc *g, struct sim_call *c)
{
    const struct js *doc = sgc_body(c);
    if (!doc)
        return;
    slice to = js_text(js_at(doc, "toAddress")), text = js_text(js_at(doc, "textBody"));
    struct sgc_integration *in = sgc_integration_find(g, js_text(js_at(doc, "fromAddress")));
    if (!in || !to.n || !slice_eq_nocase(js_text(js_at(doc, "toAddressMessengerType")), SL("open"))) {
        sgc_error(c, 400, "bad.request",
                  "fromAddress (an integration), toAddress and toAddressMessengerType open are required.");
        return;
    }
    struct fault why = { 0 };
    struct sgc_conversation *v = sgc_conversation_for(g, in, to);
    const struct sgc_message *m = sgc_say(g, v, NULL, text, SLICE_NONE, NULL, NULL, &why);
    if (!m) {
        sgc_error(c, 400, "bad.request", "%s", why.text);
        return;
    }
    struct jw w = sgc_writer(c);
    jw_open(&w, NULL, '{');
    jw_str(&w, "id", m->id);
    jw_str(&w, "conversationId", v->id);
    jw_str(&w, "fromAddress", in->id);
    jw_str(&w, "toAddress", to);
    jw_str(&w, "messengerType", SL("open"));
    jw_str(&w, "textBody", text);
    jw_time(&w, "timestamp", m->at_ms);
    jw_close(&w, '}');
    sgc_json(c, 202, jw_done(&w));
}

#define COMMUNICATION "/api/v2/conversations/messages/:conversation/communications/:communication"
/* clang-format off */
const struct sgc_route sgc_agent_routes[] = {
    { "POST", COMMUNICATION "/messages",                  "conversation:message:create", say_post },
    { "POST", COMMUNICATION "/typing",                    "conversation:message:create", typing_post },
    { "POST", "/api/v2/conversations/messages/agentless", "conversation:message:create", agentless_post },
};
/* clang-format on */
const size_t sgc_agent_n = COUNT(sgc_agent_routes);
