#include "sim/genesys_cloud.h"

/* ---- what an agent says ------------------------------------------------------------------------------------------------------ */

struct sgc_message *sgc_say(struct sgc *g, struct sgc_conversation *v, const struct sgc_agent *agent,
                            slice text, slice content, struct sgc_media *media,
                            const struct sgc_hook_how *how, struct fault *f)
{
    if (v->integration->deleted)
        return fault(f, "refused", "", "The conversation's integration is deleted."), NULL;
    if (v->end_ms)
        return fault(f, "refused", "", "The conversation is over."), NULL;
    if (slice_empty(text) && slice_empty(content) && !media)
        return fault(f, "missing_field", "text", "There is nothing to say."), NULL;
    if (utf8_len(text) > SGC_TEXT_CHARS)
        return fault(f, "out_of_range", "text", "A text has at most %d characters.", SGC_TEXT_CHARS), NULL;
    if (media && !sgc_mime_allowed(g, v->integration, media->mime, false))
        return fault(f, "refused", "attachment.mime",
                     "The supported content profile does not let this kind of file out."),
               NULL;
    struct sgc_message *m = sgc_message_add(g, v, agent ? SGC_AGENT : SGC_BOT);
    if (!m)
        return fault(f, "refused", "", "This simulator keeps no more than %d messages.", SGC_MESSAGES_MAX),
               NULL;
    if (agent)
        sgc_seat_take(g, v, agent, "transfer");
    m->agent = agent;
    m->text = arena_dup(g->a, text);
    m->media = media;
    m->content = media ? sgc_media_content(g, media) : arena_dup(g->a, content);
    v->unread = 0;
    sgc_hook_message(g, m, how);
    sgc_tell_message(g, m);
    sgc_tell_conversation(g, v);
    return m;
}

/* ---- what pages and tests see -------------------------------------------------------------------------------------------------- */

static const char *const state_names[] = {
    [SGC_QUEUED] = "queued",       [SGC_RECEIVED] = "received",   [SGC_SENT] = "sent",
    [SGC_PUBLISHED] = "published", [SGC_DELIVERED] = "delivered", [SGC_FAILED] = "failed"
};
static const char *const media_names[] = { [SGC_FETCHING] = "fetching",
                                           [SGC_KEPT] = "kept",
                                           [SGC_DROPPED] = "dropped",
                                           [SGC_BROKEN] = "failed",
                                           [SGC_WAITING] = "waiting" };
static const char *const by_names[] = { [SGC_GUEST] = "guest", [SGC_AGENT] = "agent", [SGC_BOT] = "bot" };

static void write_media(struct jw *w, const struct sgc_media *f)
{
    struct text url = text_new(w->t.a, 128);
    text_add(&url, "/sim/media/" SLF, SLA(f->id));
    jw_open(w, "media", '{');
    jw_str(w, "id", f->id);
    jw_str(w, "name", f->name);
    jw_str(w, "mime", f->mime);
    jw_str(w, "kind", f->kind);
    jw_str(w, "state", slice_of(media_names[f->state]));
    jw_int(w, "size", (int64_t)f->size);
    jw_opt(w, "sha256", f->sha256);
    if (f->wanted_sha256.n && f->sha256.n)
        jw_bool(w, "sha256_matches", slice_eq_nocase(f->wanted_sha256, f->sha256));
    jw_opt(w, "error", f->error);
    if (f->bytes)
        jw_str(w, "url", text_slice(&url));
    jw_close(w, '}');
}

static void write_message(struct jw *w, const struct sgc_message *m)
{
    const struct sgc_conversation *v = m->conversation;
    jw_open(w, NULL, '{');
    jw_str(w, "id", m->id);
    jw_str(w, "conversation", v->id);
    jw_opt(w, "messageId", m->message_id);
    jw_str(w, "direction", m->by == SGC_GUEST ? SL("inbound") : SL("outbound"));
    jw_str(w, "from", slice_of(by_names[m->by]));
    jw_str(w, "name",
           m->by == SGC_GUEST ? slice_or(v->nickname, v->guest)
           : m->agent         ? m->agent->name
                              : SL("Bot"));
    jw_time(w, "at", m->at_ms);
    jw_opt(w, "time", m->time);
    jw_str(w, "text", m->text);
    jw_str(w, "state", slice_of(state_names[m->state]));
    if (m->reason_code.n || m->reason_text.n) {
        jw_open(w, "reason", '{');
        jw_str(w, "code", m->reason_code);
        jw_str(w, "message", m->reason_text);
        jw_close(w, '}');
    }
    if (m->media)
        write_media(w, m->media);
    if (m->content.n)
        jw_raw(w, "content", m->content);
    if (m->metadata.n)
        jw_raw(w, "metadata", m->metadata);
    if (m->button_type.n) {
        jw_open(w, "button", '{');
        jw_str(w, "type", m->button_type);
        jw_str(w, "text", m->button_text);
        jw_str(w, "payload", m->button_payload);
        jw_str(w, "originatingMessageId", m->answers_to);
        jw_bool(w, "paired", m->paired);
        jw_close(w, '}');
    }
    jw_int(w, "attempts", m->attempts);
    jw_close(w, '}');
}

static void conversation_members(struct jw *w, const struct sgc_conversation *v)
{
    const struct sgc_participant *seat = sgc_seat(v);
    jw_str(w, "id", v->id);
    jw_str(w, "state", v->end_ms ? SL("ended") : seat ? SL("connected") : SL("queued"));
    jw_str(w, "integration", v->integration->id);
    jw_str(w, "channel", v->integration->name);
    jw_bool(w, "flow", v->integration->flow.n > 0);
    jw_open(w, "guest", '{');
    jw_str(w, "id", v->guest);
    jw_str(w, "name", slice_or(v->nickname, slice_or(v->first_name, v->guest)));
    jw_opt(w, "nickname", v->nickname);
    jw_opt(w, "firstName", v->first_name);
    jw_opt(w, "lastName", v->last_name);
    jw_opt(w, "image", v->image);
    jw_opt(w, "email", v->email);
    jw_close(w, '}');
    jw_opt(w, "agent", seat ? seat->agent->name : SLICE_NONE);
    jw_str(w, "customer", sgc_customer(v)->id);
    jw_time(w, "started", v->start_ms);
    if (v->end_ms)
        jw_time(w, "ended", v->end_ms);
    jw_opt(w, "disconnect", slice_of(sgc_customer(v)->disconnect));
    jw_time(w, "last", v->last_ms);
    jw_int(w, "unread", v->unread);
    jw_int(w, "reopened", v->reopened);
    jw_int(w, "transfers", v->transfers);
    jw_int(w, "count", (int64_t)v->n_messages);
    jw_bool(w, "typing", v->typing_until_ms > time_now_ms());
    const struct sgc_message *last =
        v->messages ? CONTAINER_OF(v->last_message, struct sgc_message, next) : NULL;
    jw_str(w, "preview",
           last ? utf8_cut(slice_or(last->text, last->media ? last->media->name : SLICE_NONE), 80)
                : SLICE_NONE);
    jw_open(w, "attributes", '{');
    for (size_t i = 0; i < v->n_attributes; i++) {
        jw_key(w, v->attributes[i].key);
        jw_str(w, NULL, v->attributes[i].value);
    }
    jw_close(w, '}');
}

static void write_conversation(struct jw *w, const struct sgc_conversation *v)
{
    jw_open(w, NULL, '{');
    conversation_members(w, v);
    jw_close(w, '}');
}

/* Nothing is written while nobody looks. */
void sgc_tell_message(struct sgc *g, const struct sgc_message *m)
{
    if (!feed_watched(g->env->feed))
        return;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct jw w = jw_new(a, SGC_ANSWER_MAX);
    write_message(&w, m);
    feed_send(g->env->feed, "message", jw_done(&w));
}

void sgc_tell_conversation(struct sgc *g, const struct sgc_conversation *v)
{
    if (!feed_watched(g->env->feed))
        return;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct jw w = jw_new(a, SGC_ANSWER_MAX);
    write_conversation(&w, v);
    feed_send(g->env->feed, "conversation", jw_done(&w));
}

void sgc_tell_typing(struct sgc *g, const struct sgc_conversation *v)
{
    if (!feed_watched(g->env->feed))
        return;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice json = arena_printf(a, "{\"conversation\":\"" SLF "\",\"ms\":%d}", SLA(v->id), SGC_TYPING_MS);
    feed_send(g->env->feed, "typing", json);
}

/* ---- reading ----------------------------------------------------------------------------------------------------------------- */

static struct sgc_conversation *conversation_of(struct sgc *g, struct sim_call *c)
{
    struct sgc_conversation *v = sgc_conversation_find(g, c->params[0]);
    if (!v)
        sim_refuse(c, 404, "not_found", "id", "There is no such conversation.");
    return v;
}

static void conversations_get(struct sim_call *c, void *ctx)
{
    struct sgc *g = ctx;
    struct jw w = sgc_writer(c);
    size_t n = MIN(g->conversations.n, (size_t)SGC_CONVERSATIONS_LISTED);
    jw_open(&w, NULL, '{');
    jw_int(&w, "total", (int64_t)g->conversations.n);
    jw_open(&w, "agents", '[');
    for (size_t i = 0; i < g->agents.n; i++)
        jw_str(&w, NULL, ((const struct sgc_agent *)g->agents.items[i])->name);
    jw_close(&w, ']');
    jw_open(&w, "conversations", '[');
    for (size_t i = 0; i < n; i++)
        write_conversation(&w, g->conversations.items[g->conversations.n - 1 - i]);
    jw_close(&w, ']');
    jw_close(&w, '}');
    sim_json(c, 200, jw_done(&w));
}

static void conversation_get(struct sim_call *c, void *ctx)
{
    const struct sgc_conversation *v = conversation_of(ctx, c);
    if (!v)
        return;
    struct jw w = sgc_writer(c);
    jw_open(&w, NULL, '{');
    conversation_members(&w, v);
    jw_open(&w, "messages", '[');
    for (const struct sgc_message *m = v->messages; m; m = m->next)
        write_message(&w, m);
    jw_close(&w, ']');
    jw_close(&w, '}');
    sim_json(c, 200, jw_done(&w));
}

enum { INBOUND_PAGE = 5000 };

static void inbound_get(struct sim_call *c, void *ctx)
{
    const struct sgc *g = ctx;
    int64_t from = 0, limit = INBOUND_PAGE;
    slice after = exchange_query(c->x, "after"), at_most = exchange_query(c->x, "limit");
    if ((after.p && (!slice_int(after, &from) || from < 0)) ||
        (at_most.p && (!slice_int(at_most, &limit) || limit < 1 || limit > INBOUND_PAGE))) {
        sim_refuse(c, 400, "out_of_range", "after", "after and limit are numbers.");
        return;
    }
    struct jw w = sgc_writer(c);
    jw_open(&w, NULL, '{');
    jw_int(&w, "total", (int64_t)g->inbound.n);
    jw_open(&w, "messages", '[');
    for (size_t i = (size_t)from; i < g->inbound.n && limit-- > 0; i++) {
        const struct sgc_message *m = g->inbound.items[i];
        jw_open(&w, NULL, '{');
        jw_int(&w, "seq", m->seq);
        jw_str(&w, "id", m->id);
        jw_str(&w, "messageId", m->message_id);
        jw_str(&w, "time", m->time);
        jw_str(&w, "from", m->conversation->guest);
        jw_opt(&w, "nickname", m->nickname);
        jw_str(&w, "conversation", m->conversation->id);
        jw_str(&w, "text", m->text);
        jw_int(&w, "times", m->attempts);
        jw_opt(&w, "payload", m->button_payload);
        if (m->media)
            jw_str(&w, "sha256", m->media->sha256);
        jw_int(&w, "at_ms", m->at_ms);
        jw_close(&w, '}');
    }
    jw_close(&w, ']');
    jw_close(&w, '}');
    sim_json(c, 200, jw_done(&w));
}

/* clang-format off */
static const struct { const char *name; size_t off; } counters[] = {
#define C(name) { #name, offsetof(struct sgc_counters, name) }
    C(logins), C(login_refused), C(api_calls), C(unauthorised), C(rate_limited),
    C(inbound), C(duplicates), C(refused), C(responses), C(typing_in), C(typing_dropped),
    C(receipts_delivered), C(receipts_failed), C(receipts_refused),
    C(outbound), C(hooks), C(hook_retries), C(hook_given_up), C(receipts_out), C(typing_out),
    C(fetched), C(fetch_failed), C(fetch_dropped), C(downloads), C(redirects),
#undef C
};
/* clang-format on */

static void counters_get(struct sim_call *c, void *ctx)
{
    const struct sgc *g = ctx;
    struct jw w = sgc_writer(c);
    jw_open(&w, NULL, '{');
    for (size_t i = 0; i < COUNT(counters); i++) {
        int64_t n;
        memcpy(&n, (const char *)&g->n + counters[i].off, sizeof(n));
        jw_int(&w, counters[i].name, n);
    }
    jw_int(&w, "conversations", (int64_t)g->conversations.n);
    jw_int(&w, "messages", (int64_t)g->n_messages);
    jw_int(&w, "open_hooks", (int64_t)g->hooks.n);
    jw_close(&w, '}');
    sim_json(c, 200, jw_done(&w));
}

static void media_get(struct sim_call *c, void *ctx)
{
    const struct sgc *g = ctx;
    const struct sgc_media *f = sgc_map_get(&g->media_map, c->params[0]);
    if (!f || !f->bytes) {
        sim_refuse(c, 404, "not_found", "id", "There are no bytes of such a file.");
        return;
    }
    /* What guests send is shown, never run. */
    sim_header(c, "Content-Security-Policy", SL("default-src 'none'; sandbox"));
    sim_header(c, "X-Content-Type-Options", SL("nosniff"));
    if (!slice_starts(f->mime, SL("image/")) || slice_starts(f->mime, SL("image/svg")))
        sim_header(c, "Content-Disposition", SL("attachment"));
    sim_answer(c, 200, f->mime, slice_mem(f->bytes, f->size));
}

/* ---- the guest's picture: fetched for the page, which may load nothing from elsewhere ------------------------------------------------ */

enum { PICTURE_MAX = 2 << 20 };

struct picture {
    struct sim_call *c;
    struct client_call call;
};

static void picture_got(void *arg, const struct answer *r)
{
    struct picture *p = arg;
    if (r->status == 200 && slice_starts(r->type, SL("image/")) && !slice_starts(r->type, SL("image/svg"))) {
        sim_header(p->c, "X-Content-Type-Options", SL("nosniff"));
        sim_header(p->c, "Cache-Control", SL("max-age=300"));
        sim_answer(p->c, 200, r->type, r->body);
    } else {
        sim_refuse(p->c, 404, "not_found", "image", "The picture could not be fetched.");
    }
}

static void picture_get(struct sim_call *c, void *ctx)
{
    struct sgc *g = ctx;
    const struct sgc_conversation *v = conversation_of(g, c);
    if (!v)
        return;
    if (!v->image.n) {
        sim_refuse(c, 404, "not_found", "image", "The guest has no picture.");
        return;
    }
    struct picture *p = ARENA_NEW(c->x->a, struct picture);
    p->c = c;
    p->call = (struct client_call){ .a = c->x->a,
                                    .method = "GET",
                                    .url = v->image,
                                    .answer_bytes = PICTURE_MAX,
                                    .max_redirects = 3,
                                    .done = picture_got,
                                    .arg = p };
    client_send(g->env->client, &p->call);
}

static void chat_get(struct sim_call *c, void *ctx)
{
    const struct sgc *g = ctx;
    struct jw w = sgc_writer(c);
    jw_open(&w, NULL, '[');
    for (size_t i = 0; i < g->chat.n; i++)
        jw_raw(&w, NULL, *(const slice *)g->chat.items[i]);
    jw_close(&w, ']');
    sim_json(c, 200, jw_done(&w));
}

/* ---- acting as the agent ------------------------------------------------------------------------------------------------------- */

struct order { /* POST …/agent */
    slice text, agent, base64, name, mime;
    const struct js *quick_replies, *cards, *date_picker, *list_picker, *content;
    int64_t copies;
    bool typing, bot, bad_signature;
};
/* clang-format off */
static const struct js_field order_fields[] = {
    JS_FIELD(struct order, text,          "text",              JS_STR,  0),
    JS_FIELD(struct order, agent,         "agent",             JS_STR,  0),
    JS_FIELD(struct order, base64,        "attachment.base64", JS_STR,  0),
    JS_FIELD(struct order, name,          "attachment.name",   JS_STR,  0),
    JS_FIELD(struct order, mime,          "attachment.mime",   JS_STR,  0),
    JS_FIELD(struct order, quick_replies, "quick_replies",     JS_ANY,  0),
    JS_FIELD(struct order, cards,         "cards",             JS_ANY,  0),
    JS_FIELD(struct order, date_picker,   "date_picker",       JS_ANY,  0),
    JS_FIELD(struct order, list_picker,   "list_picker",       JS_ANY,  0),
    JS_FIELD(struct order, content,       "content",           JS_ANY,  0),
    JS_FIELD(struct order, copies,        "copies",            JS_I64,  0),
    JS_FIELD(struct order, typing,        "typing",            JS_BOOL, 0),
    JS_FIELD(struct order, bot,           "bot",               JS_BOOL, 0),
    JS_FIELD(struct order, bad_signature, "bad_signature",     JS_BOOL, 0),
};
/* clang-format on */

static void quick_reply(struct jw *w, const struct js *item)
{
    slice text = js_is_string(item) ? js_text(item) : js_text(js_at(item, "text"));
    jw_open(w, NULL, '{');
    jw_str(w, "contentType", SL("QuickReply"));
    jw_open(w, "quickReply", '{');
    jw_str(w, "text", text);
    jw_str(w, "payload", slice_or(js_text(js_at(item, "payload")), text));
    jw_opt(w, "image", js_text(js_at(item, "image")));
    jw_str(w, "action", SL("Message"));
    jw_close(w, '}');
    jw_close(w, '}');
}

static void element(struct jw *w, const char *type, const char *member, const struct js *value)
{
    jw_open(w, NULL, '{');
    jw_str(w, "contentType", slice_of(type));
    jw_value(w, member, value);
    jw_close(w, '}');
}

/* What flows and bots send, "8.4 Content elements"; absent: the order holds nothing structured. */
static slice structured(struct arena *a, const struct order *o)
{
    struct jw w = jw_new(a, SGC_ANSWER_MAX);
    if (js_is_array(o->content))
        return js_len(o->content) ? js_print(a, o->content) : SLICE_NONE;
    jw_open(&w, NULL, '[');
    for (size_t i = 0; i < js_len(o->quick_replies); i++)
        quick_reply(&w, js_item(o->quick_replies, i));
    if (js_len(o->cards) == 1)
        element(&w, "Card", "card", js_item(o->cards, 0));
    if (js_len(o->cards) > 1) {
        jw_open(&w, NULL, '{');
        jw_str(&w, "contentType", SL("Carousel"));
        jw_open(&w, "carousel", '{');
        jw_value(&w, "cards", o->cards);
        jw_close(&w, '}');
        jw_close(&w, '}');
    }
    if (js_is_object(o->date_picker))
        element(&w, "DatePicker", "datePicker", o->date_picker);
    if (js_is_object(o->list_picker))
        element(&w, "ListPicker", "listPicker", o->list_picker);
    jw_close(&w, ']');
    slice json = jw_done(&w);
    return json.n > strlen("[]") ? json : SLICE_NONE;
}

static struct sgc_media *file_new(struct sgc *g, slice name, slice mime, slice bytes)
{
    struct sgc_media *f = sgc_media_new(g, slice_or(name, SL("file")),
                                        slice_or(mime, SL("application/octet-stream")), sgc_kind_of(mime));
    f->url = arena_printf(g->a, SLF "/api/v2/downloads/" SLF, SLA(g->base), SLA(f->id));
    sgc_media_fill(g, f, bytes);
    return f;
}

static void answer_said(struct sim_call *c, const struct sgc_message *m, const struct fault *f)
{
    if (!m) {
        sim_fault(c, 400, f);
        return;
    }
    struct jw w = sgc_writer(c);
    write_message(&w, m);
    sim_json(c, 200, jw_done(&w));
}

/* The agent named; nobody named: who is connected, else the first of all. */
static const struct sgc_agent *agent_for(const struct sgc *g, const struct sgc_conversation *v, slice name)
{
    const struct sgc_participant *seat = sgc_seat(v);
    if (name.n)
        return sgc_agent_find(g, name);
    return seat ? seat->agent : g->agents.items[0];
}

static void type_to(struct sgc *g, struct sim_call *c, struct sgc_conversation *v,
                    const struct sgc_hook_how *how)
{
    bool on = sgc_typing_enabled(g, v->integration, false) && !v->end_ms;
    if (on)
        sgc_hook_typing(g, v, how);
    sim_json(c, 200, on ? SL("{\"sent\":true}") : SL("{\"sent\":false}"));
}

static void agent_post(struct sim_call *c, void *ctx)
{
    struct sgc *g = ctx;
    struct sgc_conversation *v = conversation_of(g, c);
    if (!v)
        return;
    struct arena *a = c->x->a;
    struct fault f = { 0 };
    struct order o = { 0 };
    const struct js *doc = js_parse(a, c->x->body, &f);
    if (!doc || !js_read(a, doc, order_fields, COUNT(order_fields), &o, &f)) {
        sim_fault(c, 400, &f);
        return;
    }
    const struct sgc_agent *agent = agent_for(g, v, o.agent);
    slice bytes = SLICE_NONE, content = structured(a, &o);
    struct sgc_hook_how how = { .bad_signature = o.bad_signature, .copies = (int)MIN(MAX(o.copies, 0), 6) };
    if (!agent)
        sim_refuse(c, 400, "refused", "agent", "There is no such agent.");
    else if (o.base64.p && !sgc_unbase64(a, o.base64, &bytes))
        sim_refuse(c, 400, "wrong_type", "attachment.base64", "It is not Base64.");
    else if (o.typing)
        type_to(g, c, v, &how);
    else {
        struct sgc_media *file = o.base64.p ? file_new(g, o.name, o.mime, bytes) : NULL;
        bool bot = o.bot || content.n; /* agents can send only text and attachments */
        answer_said(c, sgc_say(g, v, bot ? NULL : agent, o.text, content, file, &how, &f), &f);
    }
}

static void file_post(struct sim_call *c, void *ctx)
{
    struct sgc *g = ctx;
    struct sgc_conversation *v = conversation_of(g, c);
    if (!v)
        return;
    const struct sgc_agent *agent = agent_for(g, v, exchange_query(c->x, "agent"));
    if (!agent) {
        sim_refuse(c, 400, "refused", "agent", "There is no such agent.");
        return;
    }
    struct fault f = { 0 };
    struct sgc_media *file =
        file_new(g, exchange_query(c->x, "name"), exchange_header(c->x, "content-type"), c->x->body);
    answer_said(c, sgc_say(g, v, agent, exchange_query(c->x, "text"), SLICE_NONE, file, NULL, &f), &f);
}

static void answer_conversation(struct sgc *g, struct sim_call *c, const struct sgc_conversation *v)
{
    sgc_tell_conversation(g, v);
    struct jw w = sgc_writer(c);
    write_conversation(&w, v);
    sim_json(c, 200, jw_done(&w));
}

/* who ended it -> how the customer's and the agent's side ended */
static const struct {
    slice by;
    const char *customer, *agent;
} ends[] = {
    { SLI("agent"), "peer", "client" },
    { SLI("guest"), "client", "peer" },
    { SLI("system"), "system", "system" },
    { SLI("error"), "error", "error" },
};

static void end_post(struct sim_call *c, void *ctx)
{
    struct sgc *g = ctx;
    struct sgc_conversation *v = conversation_of(g, c);
    if (!v)
        return;
    const struct js *doc = c->x->body.n ? js_parse(c->x->a, c->x->body, NULL) : NULL;
    slice by = slice_or(js_text(js_at(doc, "by")), SL("agent"));
    for (size_t i = 0; i < COUNT(ends); i++)
        if (slice_eq(ends[i].by, by)) {
            sgc_conversation_end(g, v, ends[i].customer, ends[i].agent);
            answer_conversation(g, c, v);
            return;
        }
    sim_refuse(c, 400, "refused", "by", "by is agent, guest, system or error.");
}

static void transfer_post(struct sim_call *c, void *ctx)
{
    struct sgc *g = ctx;
    struct sgc_conversation *v = conversation_of(g, c);
    if (!v)
        return;
    const struct js *doc = js_parse(c->x->a, c->x->body, NULL);
    const struct sgc_agent *agent = sgc_agent_find(g, js_text(js_at(doc, "agent")));
    if (!agent || v->end_ms) {
        sim_refuse(c, 400, "refused", "agent", agent ? "The conversation is over." : "There is no such agent.");
        return;
    }
    sgc_seat_take(g, v, agent, "transfer");
    answer_conversation(g, c, v);
}

static void read_post(struct sim_call *c, void *ctx)
{
    struct sgc_conversation *v = conversation_of(ctx, c);
    if (!v)
        return;
    v->unread = 0;
    answer_conversation(ctx, c, v);
}

/* A receipt of our choice for a guest's message. */
static void receipt_post(struct sim_call *c, void *ctx)
{
    struct sgc *g = ctx;
    struct sgc_message *m = sgc_message_find(g, c->params[0]);
    const struct js *doc = c->x->body.n ? js_parse(c->x->a, c->x->body, NULL) : NULL;
    if (!m || m->by != SGC_GUEST) {
        sim_refuse(c, 404, "not_found", "id", "There is no such message of a guest.");
        return;
    }
    int64_t copies = 1;
    if (js_at(doc, "copies") && !js_int(js_at(doc, "copies"), &copies))
        copies = 1;
    struct sgc_hook_how how = { .bad_signature = js_true(js_at(doc, "bad_signature")),
                                .copies = (int)MIN(MAX(copies, 1), 6) };
    bool published = slice_eq(js_text(js_at(doc, "status")), SL("Published"));
    sgc_hook_receipt(g, m, published, slice_or(js_text(js_at(doc, "code")), SL("GeneralError")),
                     slice_or(js_text(js_at(doc, "message")), SL("The message could not be processed.")),
                     &how);
    sgc_tell_message(g, m);
    sim_json(c, 200, SL("{}"));
}

static void tokens_expire(struct sim_call *c, void *ctx)
{
    const struct sgc *g = ctx;
    for (size_t i = 0; i < g->tokens.n; i++)
        ((struct sgc_token *)g->tokens.items[i])->dead = true;
    sim_json(c, 200, SL("{}"));
}

/* clang-format off */
const struct sim_route sgc_desk_routes[] = {
    { "GET",  "/sim/conversations",                conversations_get, SIM_CONTROL },
    { "GET",  "/sim/conversations/:id",            conversation_get,  SIM_CONTROL },
    { "GET",  "/sim/conversations/:id/picture",    picture_get,       SIM_CONTROL },
    { "POST", "/sim/conversations/:id/agent",      agent_post,        SIM_CONTROL },
    { "POST", "/sim/conversations/:id/file",       file_post,         SIM_CONTROL },
    { "POST", "/sim/conversations/:id/end",        end_post,          SIM_CONTROL },
    { "POST", "/sim/conversations/:id/transfer",   transfer_post,     SIM_CONTROL },
    { "POST", "/sim/conversations/:id/read",       read_post,         SIM_CONTROL },
    { "POST", "/sim/messages/:id/receipt",         receipt_post,      SIM_CONTROL },
    { "POST", "/sim/tokens/expire",                tokens_expire,     SIM_CONTROL },
    { "POST", "/sim/responses",                    sgc_responses_post, SIM_CONTROL },
    { "GET",  "/sim/inbound",                      inbound_get,       SIM_CONTROL },
    { "GET",  "/sim/counters",                     counters_get,      SIM_CONTROL },
    { "GET",  "/sim/chat",                         chat_get,          SIM_CONTROL },
    { "GET",  "/sim/media/:id",                    media_get,         SIM_CONTROL },
};
/* clang-format on */
const size_t sgc_desk_n = COUNT(sgc_desk_routes);
