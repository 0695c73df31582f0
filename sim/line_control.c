/* line_control.c - the control API; line.c is its manual. */
#include "sim/line.h"
#include "sim/webhook.h"

static struct chat *chat_of(struct sim_call *c, struct line *l)
{
    struct chat *chat = line_chat(l, c->params[0]);
    if (!chat)
        sim_refuse(c, 404, "not_found", "", "no such guest");
    return chat;
}

/* ---- doing ------------------------------------------------------------------------------------------------------------------------------ */

static void send_how(struct line_batch *b, const struct js *doc)
{
    b->bad_signature = js_true(js_at(doc, "wrongSignature"));
    b->standby = js_true(js_at(doc, "standby"));
    b->destination = arena_dup(b->a, js_text(js_at(doc, "destination")));
}

static void answer_done(struct sim_call *c, struct line_batch *b)
{
    struct jw w = jw_new(c->x->a, 4096);
    jw_open(&w, NULL, '{');
    jw_int(&w, "events", (int64_t)b->n);
    jw_opt(&w, "webhookEventId", b->last_event_id);
    jw_opt(&w, "replyToken", b->last_reply_token);
    jw_close(&w, '}');
    slice json = jw_done(&w);
    if (b->n)
        line_batch_send(b, NULL, NULL);
    else
        arena_free(b->a);
    sim_json(c, 200, json);
}

static void do_one(struct sim_call *c, struct line *l, struct chat *chat, const struct js *what)
{
    struct fault f = { 0 };
    struct line_batch *b = line_batch_new(l);
    send_how(b, what);
    if (line_guest_does(b, chat, what, &f)) {
        answer_done(c, b);
        return;
    }
    arena_free(b->a);
    sim_fault(c, 400, &f);
}

static void post_send(struct sim_call *c, void *ctx)
{
    struct line *l = ctx;
    struct chat *chat = chat_of(c, l);
    const struct js *doc = chat ? sim_object(c) : NULL;
    if (doc)
        do_one(c, l, chat, doc);
}

/* {"items":[{"guest":"1","type":"text","text":"…"},…]}: all in one webhook. */
static void post_batch(struct sim_call *c, void *ctx)
{
    struct line *l = ctx;
    const struct js *doc = sim_object(c), *items = js_at(doc, "items");
    struct fault f = { 0 };
    if (!doc)
        return;
    struct line_batch *b = line_batch_new(l);
    send_how(b, doc);
    for (size_t i = 0; i < js_len(items); i++) {
        struct chat *chat = line_chat(l, js_text(js_at(js_item(items, i), "guest")));
        if (!chat)
            fault(&f, "not_found", "items", "no such guest in item %zu", i);
        if (!chat || !line_guest_does(b, chat, js_item(items, i), &f)) {
            arena_free(b->a);
            sim_fault(c, 400, &f);
            return;
        }
    }
    answer_done(c, b);
}

/* What the button asks the guest's phone to do, as something a guest does; NULL: nothing goes out. */
static const struct js *deed(struct sim_call *c, const struct js *action, const struct js *doc)
{
    slice type = js_text(js_at(action, "type"));
    struct jw w = jw_new(c->x->a, 64 << 10);
    jw_open(&w, NULL, '{');
    if (slice_eq(type, SL("message"))) {
        jw_str(&w, "type", SL("text"));
        jw_str(&w, "text", js_text(js_at(action, "text")));
    } else if (slice_eq(type, SL("postback")) || slice_eq(type, SL("datetimepicker"))) {
        jw_str(&w, "type", SL("postback"));
        jw_str(&w, "data", js_text(js_at(action, "data")));
        jw_opt(&w, "displayText", js_text(js_at(action, "displayText")));
        if (js_at(doc, "params"))
            jw_value(&w, "params", js_at(doc, "params"));
        else if (slice_eq(type, SL("datetimepicker"))) {
            slice mode = js_text(js_at(action, "mode"));
            bool date = slice_eq(mode, SL("date")), time = slice_eq(mode, SL("time"));
            jw_open(&w, "params", '{');
            jw_str(&w, date ? "date" : time ? "time" : "datetime",
                   slice_or(js_text(js_at(action, "initial")), date ? SL("2030-01-31") : time ? SL("10:15") : SL("2030-01-31T10:15")));
            jw_close(&w, '}');
        }
    } else if (slice_eq(type, SL("location"))) {
        jw_str(&w, "type", SL("location"));
    } else if (slice_eq(type, SL("camera")) || slice_eq(type, SL("cameraRoll"))) {
        jw_str(&w, "type", SL("image"));
    } else {
        return NULL;
    }
    jw_close(&w, '}');
    struct fault f;
    return js_parse(c->x->a, jw_done(&w), &f);
}

static void post_tap(struct sim_call *c, void *ctx)
{
    struct line *l = ctx;
    struct chat *chat = chat_of(c, l);
    const struct js *doc = chat ? sim_object(c) : NULL;
    if (!doc)
        return;
    const struct js *action = line_tapped(chat, c->x->a, js_text(js_at(doc, "label")));
    if (!action) {
        sim_refuse(c, 404, "not_found", "label", "no button with this label is shown");
        return;
    }
    const struct js *what = deed(c, action, doc);
    if (what) {
        do_one(c, l, chat, what);
        return;
    }
    struct jw w = jw_new(c->x->a, 16 << 10);
    jw_open(&w, NULL, '{');
    jw_value(&w, "action", action);
    jw_close(&w, '}');
    sim_json(c, 200, jw_done(&w));
}

/* ---- looking ---------------------------------------------------------------------------------------------------------------------------- */

static void get_guests(struct sim_call *c, void *ctx)
{
    enum { SHOWN_MAX = 200 };
    struct line *l = ctx;
    struct jw w = jw_new(c->x->a, 1 << 20);
    jw_open(&w, NULL, '{');
    jw_open(&w, "account", '{');
    jw_str(&w, "name", l->bot_name);
    jw_str(&w, "basicId", l->bot_id);
    jw_str(&w, "userId", l->destination);
    jw_str(&w, "webhook", slice_of(l->webhook_url));
    jw_close(&w, '}');
    jw_int(&w, "count", (int64_t)l->n_chats);
    jw_open(&w, "guests", '[');
    for (size_t i = 0; i < MIN(l->n_chats, (size_t)SHOWN_MAX); i++)
        line_chat_write(&w, l->chats[i]);
    jw_close(&w, ']');
    jw_close(&w, '}');
    sim_json(c, 200, jw_done(&w));
}

/* Also ?after=ID: only what came later. */
static void get_messages(struct sim_call *c, void *ctx)
{
    struct line *l = ctx;
    struct chat *chat = chat_of(c, l);
    if (!chat)
        return;
    slice after = exchange_query(c->x, "after");
    const struct bubble *from = after.n ? line_bubble_find(chat, after) : NULL;
    struct jw w = jw_new(c->x->a, 32 << 20);
    jw_open(&w, NULL, '{');
    jw_key(&w, SL("guest"));
    line_chat_write(&w, chat);
    jw_open(&w, "messages", '[');
    for (const struct bubble *b = from ? from->next : chat->first; b; b = b->next)
        line_bubble_write(&w, b);
    jw_close(&w, ']');
    jw_close(&w, '}');
    sim_json(c, 200, jw_done(&w));
}

static void delete_messages(struct sim_call *c, void *ctx)
{
    struct line *l = ctx;
    line_chats_clear(l);
    feed_send(l->env->feed, "reset", SL("{}"));
    sim_json(c, 200, SL("{}"));
}

void line_counters_write(struct jw *w, const struct line *l)
{
    int64_t from_guests = 0, to_guests = 0;
    for (size_t i = 0; i < l->n_chats; i++) {
        from_guests += l->chats[i]->sent;
        to_guests += l->chats[i]->received;
    }
    jw_int(w, "from_guests", from_guests);
    jw_int(w, "to_guests", to_guests);
    jw_int(w, "events", l->events_made);
    jw_int(w, "reply_tokens_used", l->reply_tokens_used);
    jw_int(w, "retry_keys_repeated", l->retry_keys_repeated);
    jw_int(w, "quota_used", l->used);
    jw_int(w, "pnp_sent", l->pnp_sent);
    line_stats_write(w, l);
}

static void get_counters(struct sim_call *c, void *ctx)
{
    struct line *l = ctx;
    struct jw w = jw_new(c->x->a, 256 << 10);
    jw_open(&w, NULL, '{');
    line_counters_write(&w, l);
    jw_raw(&w, "webhooks", webhooks_show(l->env->webhooks, c->x->a));
    jw_close(&w, '}');
    sim_json(c, 200, jw_done(&w));
}

static void post_settings(struct sim_call *c, void *ctx)
{
    struct line *l = ctx;
    const struct js *doc = sim_object(c), *quota = js_at(doc, "quota"), *used = js_at(doc, "used");
    if (!doc)
        return;
    int64_t n;
    if ((quota && (!js_int(quota, &n) || n < 0)) || (used && (!js_int(used, &n) || n < 0))) {
        sim_refuse(c, 400, "out_of_range", "quota", "a number from 0");
        return;
    }
    if (quota && js_int(quota, &n))
        l->quota = n;
    if (used && js_int(used, &n))
        l->used = n;
    if (js_at(doc, "chatMode"))
        l->chat_mode = js_true(js_at(doc, "chatMode"));
    if (js_at(doc, "redelivery"))
        l->redelivery = js_true(js_at(doc, "redelivery"));
    slice refused = js_text(js_at(doc, "pnpRefused"));
    if (refused.p) {
        free(l->pnp_refused);
        l->pnp_refused = must_malloc(refused.n + 1);
        memcpy(l->pnp_refused, refused.p, refused.n);
        l->pnp_refused[refused.n] = 0;
    }
    sim_json(c, 200, SL("{}"));
}

static void verified(void *arg, int status, int64_t took_ms)
{
    struct sim_call *c = arg;
    sim_json(c, 200, arena_printf(c->x->a, "{\"status\":%d,\"took_ms\":%lld}", status, (long long)took_ms));
}

/* The console's "Verify" button: an empty list of events. */
static void post_verify(struct sim_call *c, void *ctx)
{
    line_batch_send(line_batch_new(ctx), verified, c);
}

static const struct sim_route routes[] = {
    { "GET", "/sim/guests", get_guests, SIM_CONTROL },
    { "POST", "/sim/guests/:chat/send", post_send, SIM_CONTROL },
    { "POST", "/sim/guests/:chat/tap", post_tap, SIM_CONTROL },
    { "GET", "/sim/guests/:chat/messages", get_messages, SIM_CONTROL },
    { "DELETE", "/sim/messages", delete_messages, SIM_CONTROL },
    { "POST", "/sim/send", post_batch, SIM_CONTROL },
    { "POST", "/sim/verify", post_verify, SIM_CONTROL },
    { "GET", "/sim/counters", get_counters, SIM_CONTROL },
    { "POST", "/sim/settings", post_settings, SIM_CONTROL },
};

void line_control_routes(struct line *l)
{
    sim_routes(l->env, routes, COUNT(routes), l, NULL);
}
