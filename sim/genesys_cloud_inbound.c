/* genesys_cloud_inbound.c - "7. Inbound": what the hub posts. */
#include "sim/genesys_cloud.h"

#define INBOUND "/api/v2/conversations/messages/:integration/inbound/open"

/* ---- answers ----------------------------------------------------------------------------------------------------------------- */

static void write_person(struct jw *w, const char *key, const struct sgc_inbound *in)
{
    jw_open(w, key, '{');
    jw_str(w, "id", in->from);
    jw_str(w, "idType", slice_or(in->id_type, SL("Opaque")));
    jw_opt(w, "nickname", in->nickname);
    jw_opt(w, "firstName", in->first_name);
    jw_opt(w, "lastName", in->last_name);
    jw_opt(w, "image", in->image);
    jw_opt(w, "email", in->email);
    jw_close(w, '}');
}

static void write_channel(struct jw *w, const struct sgc_integration *ig, const struct sgc_inbound *in,
                          bool receipt)
{
    jw_open(w, "channel", '{');
    jw_str(w, "id", ig->id);
    jw_str(w, "platform", SL("Open"));
    jw_str(w, "type", SL("Private"));
    jw_opt(w, "messageId", in->message_id);
    if (receipt) {
        jw_open(w, "to", '{');
        jw_str(w, "id", in->to);
        jw_close(w, '}');
        jw_open(w, "from", '{');
        jw_str(w, "id", ig->id);
        jw_str(w, "idType", SL("Opaque"));
        jw_close(w, '}');
    } else {
        jw_open(w, "to", '{');
        jw_str(w, "id", ig->id);
        jw_close(w, '}');
        write_person(w, "from", in);
    }
    jw_str(w, "time", in->time);
    jw_close(w, '}');
}

static void answer_message(struct sim_call *c, const struct sgc_message *m, const struct sgc_inbound *in)
{
    struct jw w = sgc_writer(c);
    bool prefetch = slice_eq(exchange_query(c->x, "prefetchConversationId"), SL("true"));
    jw_open(&w, NULL, '{');
    jw_str(&w, "id", m->id);
    write_channel(&w, m->conversation->integration, in, false);
    if (in->button_type.n) {
        jw_str(&w, "type", SL("Structured"));
        jw_str(&w, "direction", SL("Inbound"));
        jw_raw(&w, "content", m->content);
    } else {
        jw_str(&w, "type", SL("Text"));
        jw_opt(&w, "text", m->text);
        if (m->content.n)
            jw_raw(&w, "content", m->content);
    }
    if (m->metadata.n)
        jw_raw(&w, "metadata", m->metadata);
    if (prefetch)
        jw_str(&w, "conversationId", m->conversation->id);
    jw_close(&w, '}');
    sgc_json(c, 200, jw_done(&w));
}

/* ---- taking a message -------------------------------------------------------------------------------------------------------- */

static void update(struct sgc *g, slice *kept, slice fresh)
{
    if (fresh.n && !slice_eq(*kept, fresh))
        *kept = arena_dup(g->a, fresh);
}

static void know_guest(struct sgc *g, struct sgc_conversation *v, const struct sgc_inbound *in)
{
    update(g, &v->id_type, in->id_type);
    update(g, &v->nickname, in->nickname);
    update(g, &v->first_name, in->first_name);
    update(g, &v->last_name, in->last_name);
    update(g, &v->image, in->image);
    update(g, &v->email, in->email);
    for (void *it = js_first(in->attributes); it; it = js_next(in->attributes, it))
        sgc_attribute_set(g, v, js_key(in->attributes, it), js_text(js_value(it)));
}

/* "messageId + time must be unique together". Without a messageId nothing can be told apart. */
static slice once_key(struct arena *a, const struct sgc_integration *ig, const struct sgc_inbound *in)
{
    if (slice_empty(in->message_id))
        return SLICE_NONE;
    return arena_printf(a, SLF " " SLF " " SLF, SLA(ig->id), SLA(in->time), SLA(in->message_id));
}

/* A file the profile does not let in vanishes; the others are copied. */
static void take_file(struct sgc *g, struct sgc_message *m, const struct sgc_inbound *in)
{
    if (slice_eq_nocase(in->kind, SL("Link")))
        return;
    m->media = sgc_media_new(g, in->name, in->mime, in->kind);
    m->media->url = arena_dup(g->a, in->url);
    m->media->wanted_sha256 = arena_dup(g->a, in->sha256);
    if (sgc_mime_allowed(g, m->conversation->integration, in->mime, true))
        return;
    g->n.fetch_dropped++;
    m->media->state = SGC_DROPPED;
}

/* Stores what came; *ret_again: it was here before. NULL: full. */
static struct sgc_message *take(struct sgc *g, struct arena *a, struct sgc_integration *ig,
                                const struct sgc_inbound *in, bool *ret_again)
{
    slice once = once_key(a, ig, in);
    struct sgc_message *m = once.n ? sgc_map_get(&g->once_map, once) : NULL;
    *ret_again = m != NULL;
    if (m) {
        g->n.duplicates++;
        m->attempts++;
        return m;
    }
    m = sgc_message_add(g, sgc_conversation_for(g, ig, in->from), SGC_GUEST);
    if (!m)
        return NULL;
    m->attempts = 1;
    m->message_id = arena_dup(g->a, in->message_id);
    m->nickname = arena_dup(g->a, in->nickname);
    m->time = arena_dup(g->a, in->time);
    m->text = arena_dup(g->a, in->text);
    if (once.n)
        sgc_map_put(&g->once_map, arena_dup(g->a, once), m);
    return m;
}

static void full(struct sim_call *c)
{
    sgc_error(c, 503, "service.unavailable", "This simulator keeps no more than %d messages.",
              SGC_MESSAGES_MAX);
}

/* After the answer: the file, the receipt, the page. */
static void after(struct sgc *g, struct sgc_message *m)
{
    if (m->media && m->media->state == SGC_FETCHING)
        sgc_media_fetch(g, m);
    else if (g->receipts)
        sgc_hook_receipt(g, m, true, SLICE_NONE, SLICE_NONE, NULL);
    sgc_tell_message(g, m);
    sgc_tell_conversation(g, m->conversation);
}

static void take_message(struct sgc *g, struct sim_call *c, struct sgc_integration *ig,
                         const struct sgc_inbound *in)
{
    bool again;
    struct sgc_message *m = take(g, c->x->a, ig, in, &again);
    if (!m) {
        full(c);
        return;
    }
    if (!again) {
        g->n.inbound++;
        know_guest(g, m->conversation, in);
        if (js_len(in->metadata))
            m->metadata = js_print(g->a, in->metadata);
        if (js_len(in->content)) {
            m->content = js_print(g->a, in->content);
            take_file(g, m, in);
        }
    }
    answer_message(c, m, in);
    if (!again)
        after(g, m);
}

/* ---- checks common to the endpoints -------------------------------------------------------------------------------------------- */

/* False: answered. */
static bool read_body(struct sgc *g, struct sim_call *c, enum sgc_shape shape, struct sgc_inbound *in)
{
    struct fault f = { 0 };
    const struct js *doc = sgc_body(c);
    if (!doc) {
        g->n.refused++;
        return false;
    }
    if (sgc_check(doc, shape, in, &f))
        return true;
    g->n.refused++;
    sgc_error(c, 400, f.code, "Invalid request body. %s", f.text);
    return false;
}

static struct sgc_integration *integration_of(struct sgc *g, struct sim_call *c, slice id)
{
    struct sgc_integration *ig = sgc_integration_find(g, id);
    if (ig)
        return ig;
    g->n.refused++;
    sgc_not_found(c, "integration", id);
    return NULL;
}

/* channel.to of a guest's message is the integration itself, or is left out. */
static bool own_channel(struct sgc *g, struct sim_call *c, const struct sgc_integration *ig,
                        const struct sgc_inbound *in)
{
    if (slice_empty(in->to) || slice_eq(in->to, ig->id))
        return true;
    g->n.refused++;
    sgc_error(c, 400, "bad.request", "channel.to.id is not the integration of the path.");
    return false;
}

/* ---- the least work: --instant ------------------------------------------------------------------------------------------------- */

/* The text of a JSON string without escapes; with any, false: let the reader do it. */
static bool plain(slice raw, slice *ret)
{
    if (raw.n < 2 || raw.p[0] != '"' || slice_find_char(raw, '\\') != SIZE_MAX)
        return false;
    *ret = slice_sub(raw, 1, raw.n - 2);
    return true;
}

/* Takes a text message without building a document, for benches; false: not such a one, nothing is done. */
static bool instant_message(struct sgc *g, struct sim_call *c, struct sgc_integration *ig)
{
    struct sgc_inbound in = { 0 };
    slice body = c->x->body, channel = js_raw(body, "channel"), from = js_raw(channel, "from");
    if (js_raw(body, "content").p || !plain(js_raw(body, "text"), &in.text) ||
        !plain(js_raw(channel, "messageId"), &in.message_id) || !plain(js_raw(channel, "time"), &in.time) ||
        !plain(js_raw(from, "id"), &in.from) || slice_empty(in.from))
        return false;
    bool again;
    struct sgc_message *m = take(g, c->x->a, ig, &in, &again);
    if (!m) {
        full(c);
        return true;
    }
    bool prefetch = slice_eq(exchange_query(c->x, "prefetchConversationId"), SL("true"));
    sim_json(c, 200,
             prefetch ? arena_printf(c->x->a,
                                     "{\"id\":\"" SLF "\",\"type\":\"Text\",\"conversationId\":\"" SLF "\"}",
                                     SLA(m->id), SLA(m->conversation->id))
                      : arena_printf(c->x->a, "{\"id\":\"" SLF "\",\"type\":\"Text\"}", SLA(m->id)));
    if (!again) {
        g->n.inbound++;
        after(g, m);
    }
    return true;
}

/* ---- the endpoints ----------------------------------------------------------------------------------------------------------- */

static void message_post(struct sgc *g, struct sim_call *c)
{
    struct sgc_inbound in = { 0 };
    struct sgc_integration *ig = integration_of(g, c, c->params[0]);
    if (!ig || (g->instant && instant_message(g, c, ig)))
        return;
    if (read_body(g, c, SGC_MESSAGE, &in) && own_channel(g, c, ig, &in))
        take_message(g, c, ig, &in);
}

/* Does the offer hold a choice of this text and payload? Searched in its words, whatever the kind of choice. */
static bool offered(struct arena *a, const struct sgc_message *offer, const struct sgc_inbound *in)
{
    struct jw text = jw_new(a, 1 << 16), payload = jw_new(a, 1 << 16);
    jw_str(&text, NULL, in->button_text);
    jw_str(&payload, NULL, in->button_payload);
    return slice_find(offer->content, jw_done(&text)) != SIZE_MAX &&
           slice_find(offer->content, jw_done(&payload)) != SIZE_MAX;
}

static void write_button(struct sgc *g, struct sgc_message *m)
{
    struct jw w = jw_new(g->a, 1 << 16);
    jw_open(&w, NULL, '[');
    jw_open(&w, NULL, '{');
    jw_str(&w, "contentType", SL("ButtonResponse"));
    jw_open(&w, "buttonResponse", '{');
    jw_str(&w, "type", m->button_type);
    jw_str(&w, "text", m->button_text);
    jw_str(&w, "payload", m->button_payload);
    jw_str(&w, "originatingMessageId", m->answers_to);
    jw_close(&w, '}');
    jw_close(&w, '}');
    jw_close(&w, ']');
    m->content = jw_done(&w);
}

static void response_post(struct sgc *g, struct sim_call *c)
{
    struct sgc_inbound in = { 0 };
    struct sgc_integration *ig = integration_of(g, c, c->params[0]);
    if (!ig || !read_body(g, c, SGC_RESPONSE, &in) || !own_channel(g, c, ig, &in))
        return;
    in.text = in.button_text;
    bool again;
    struct sgc_message *m = take(g, c->x->a, ig, &in, &again);
    if (!m) {
        full(c);
        return;
    }
    if (!again) {
        g->n.responses++;
        know_guest(g, m->conversation, &in);
        const struct sgc_message *offer = sgc_message_find(g, in.answers_to);
        m->button_type = arena_dup(g->a, in.button_type);
        m->button_text = m->text;
        m->button_payload = arena_dup(g->a, in.button_payload);
        m->answers_to = arena_dup(g->a, in.answers_to);
        m->paired = offer && offer->conversation == m->conversation && offered(c->x->a, offer, &in);
        write_button(g, m);
    }
    answer_message(c, m, &in);
    if (!again)
        after(g, m);
}

/* Without the messaging setting the event is taken and thrown away. */
static void event_post(struct sgc *g, struct sim_call *c)
{
    struct sgc_inbound in = { 0 };
    struct sgc_integration *ig = integration_of(g, c, c->params[0]);
    if (!ig || !read_body(g, c, SGC_EVENT, &in) || !own_channel(g, c, ig, &in))
        return;
    struct jw w = sgc_writer(c);
    jw_open(&w, NULL, '{');
    jw_str(&w, "id", sgc_hex(c->x->a, 32));
    write_channel(&w, ig, &in, false);
    jw_str(&w, "type", SL("Event"));
    jw_raw(&w, "events", SL("[{\"eventType\":\"Typing\",\"typing\":{\"type\":\"On\",\"duration\":5000}}]"));
    jw_close(&w, '}');
    sgc_json(c, 200, jw_done(&w));

    slice key = arena_printf(c->x->a, SLF " " SLF, SLA(ig->id), SLA(in.from));
    struct sgc_conversation *v = sgc_map_get(&g->guest_map, key);
    if (!sgc_typing_enabled(g, ig, true) || !v || v->end_ms) {
        g->n.typing_dropped++;
        return;
    }
    g->n.typing_in++;
    v->typing_until_ms = time_now_ms() + SGC_TYPING_MS;
    sgc_tell_typing(g, v);
}

/* The answer is itself a receipt: what was not taken is said in it, with HTTP 200. */
static void answer_receipt(struct sim_call *c, const struct sgc_integration *ig, const struct sgc_inbound *in,
                           const char *refused, const char *why)
{
    struct jw w = sgc_writer(c);
    jw_open(&w, NULL, '{');
    jw_str(&w, "id", in->id);
    write_channel(&w, ig, in, true);
    jw_str(&w, "type", SL("Receipt"));
    jw_str(&w, "status", refused ? SL("Failed") : in->status);
    jw_open(&w, "reasons", '[');
    if (refused) {
        jw_open(&w, NULL, '{');
        jw_str(&w, "code", slice_of(refused));
        jw_str(&w, "message", slice_of(why));
        jw_close(&w, '}');
    }
    jw_close(&w, ']');
    jw_bool(&w, "isFinalReceipt", true);
    jw_str(&w, "direction", SL("Outbound"));
    jw_close(&w, '}');
    sgc_json(c, 200, jw_done(&w));
}

static void take_receipt(struct sgc *g, struct sim_call *c, const struct sgc_integration *ig,
                         const struct sgc_inbound *in)
{
    bool delivered = slice_eq_nocase(in->status, SL("Delivered"));
    if (!delivered && !slice_eq_nocase(in->status, SL("Failed"))) {
        g->n.receipts_refused++;
        sgc_error(c, 400, "bad.request", "Only the receipt statuses Delivered and Failed are supported.");
        return;
    }
    struct sgc_message *m = sgc_message_find(g, in->id);
    if (!m || m->by == SGC_GUEST || m->conversation->integration != ig) {
        g->n.receipts_refused++;
        answer_receipt(c, ig, in, "UnknownMessage", "The message is not known.");
        return;
    }
    if (!slice_eq(in->to, m->conversation->guest)) {
        g->n.receipts_refused++;
        answer_receipt(c, ig, in, "InvalidDestination", "The message went to another guest.");
        return;
    }
    if (delivered)
        g->n.receipts_delivered++;
    else
        g->n.receipts_failed++;
    const struct js *reason = js_item(in->reasons, 0);
    if (sgc_message_state(m, delivered ? SGC_DELIVERED : SGC_FAILED) && !delivered) {
        m->reason_code = arena_dup(g->a, js_text(js_at(reason, "code")));
        m->reason_text = arena_dup(g->a, js_text(js_at(reason, "message")));
    }
    answer_receipt(c, ig, in, NULL, NULL);
    sgc_tell_message(g, m);
}

static void receipt_post(struct sgc *g, struct sim_call *c)
{
    struct sgc_inbound in = { 0 };
    const struct sgc_integration *ig = integration_of(g, c, c->params[0]);
    if (ig && read_body(g, c, SGC_RECEIPT, &in))
        take_receipt(g, c, ig, &in);
}

/* The old endpoint finds the integration in the channel: a guest's message goes to it, a receipt comes from it. */
static void old_post(struct sgc *g, struct sim_call *c)
{
    struct sgc_inbound in = { 0 };
    if (!read_body(g, c, SGC_OLD, &in))
        return;
    bool text = slice_eq_nocase(in.type, SL("Text"));
    struct sgc_integration *ig = integration_of(g, c, text ? in.to : in.from);
    if (ig && text)
        take_message(g, c, ig, &in);
    else if (ig)
        take_receipt(g, c, ig, &in);
}

/* clang-format off */
const struct sgc_route sgc_inbound_routes[] = {
    { "POST", INBOUND "/message",                                "conversation:message:receive", message_post },
    { "POST", INBOUND "/receipt",                                "conversation:message:receive", receipt_post },
    { "POST", INBOUND "/structured/response",                    "conversation:message:receive", response_post },
    { "POST", INBOUND "/event",                                  "conversation:message:receive", event_post },
    { "POST", "/api/v2/conversations/messages/inbound/open",     "conversation:message:receive", old_post },
};
/* clang-format on */
const size_t sgc_inbound_n = COUNT(sgc_inbound_routes);
