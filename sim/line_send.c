/* line_send.c - messages to people: sections "Sending", "Typing and read", "LINE notification messages by phone number". */
#include "sim/line.h"
#include "sim/sign.h"

enum {
    MULTICAST_MAX = 500, PNP_HASH_CHARS = 64, PNP_DELIVERY_MS = 1500, TAG_MIN = 16, TAG_MAX = 100, AGGREGATION_UNIT_MAX = 30,
    LOADING_STEP_S = 5, LOADING_MAX_S = 60, LOADING_STANDARD_S = 20,
};

struct accepted { /* a retry key that was taken */
    char request_id[40];
    slice sent; /* JSON, in the same malloc */
};

/* ---- checks --------------------------------------------------------------------------------------------------------------------------- */

static bool messages_ok(struct line_call *q, bool notification)
{
    struct line_errors *e = ARENA_NEW(q->a, struct line_errors);
    e->a = q->a;
    e->rules = (struct line_rules){ .allow_http = q->line->allow_http, .notification = notification };
    line_check_messages(e, js_at(q->doc, "messages"));
    const struct js *units = js_at(q->doc, "customAggregationUnits");
    if (units && (!js_is_array(units) || js_len(units) > 1))
        sim_line_error(e, SL("customAggregationUnits"), "Size must be between 0 and 1");
    else if (utf16_len(js_text(js_item(units, 0))) > AGGREGATION_UNIT_MAX)
        sim_line_error(e, SL("customAggregationUnits[0]"), "Length must be between 1 and %d", AGGREGATION_UNIT_MAX);
    if (e->n)
        line_errors_answer(q, e);
    return e->n == 0;
}

static bool is_hex(slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f')))
            return false;
    return s.n > 0;
}

static bool is_id(slice s, const char *prefixes)
{
    return s.n == LINE_ID_CHARS && strchr(prefixes, s.p[0]) && is_hex(slice_from(s, 1));
}

static bool is_uuid(slice s)
{
    if (s.n != 36)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        char c = (char)(s.p[i] | 0x20);
        if (dash ? s.p[i] != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
    }
    return true;
}

static void bad_to(struct line_call *q)
{
    line_message(q, 400, "The property, 'to', in the request body is invalid (line: -, column: -)");
}

/* A retry key is optional and a UUID; one that was taken within a day is answered 409 with what was sent then. */
static bool retry_key_ok(struct line_call *q, bool supported)
{
    slice key = exchange_header(q->c->x, "X-Line-Retry-Key");
    if (!key.p)
        return true;
    if (!supported || !is_uuid(key)) {
        line_message(q, 400, supported ? "Invalid retry key" : "The retry key is not supported by this endpoint");
        return false;
    }
    const struct accepted *a = shelf_get(q->line->retry_keys, key);
    if (!a)
        return true;
    q->line->retry_keys_repeated++;
    sim_header(q->c, "x-line-accepted-request-id", arena_dup(q->a, slice_of(a->request_id)));
    struct jw w = jw_new(q->a, 64 << 10);
    jw_open(&w, NULL, '{');
    jw_str(&w, "message", SL("The retry key is already accepted"));
    if (a->sent.n)
        jw_raw(&w, "sentMessages", a->sent);
    jw_close(&w, '}');
    line_answer(q, 409, jw_done(&w));
    return false;
}

static void retry_key_keep(struct line_call *q, slice sent)
{
    slice key = exchange_header(q->c->x, "X-Line-Retry-Key");
    if (!key.p)
        return;
    struct accepted *a = must_calloc(1, sizeof(*a) + sent.n + 1);
    memcpy(a + 1, sent.n ? sent.p : "", sent.n);
    a->sent = slice_mem(a + 1, sent.n);
    snprintf(a->request_id, sizeof(a->request_id), SLF, SLA(q->request_id));
    shelf_put(q->line->retry_keys, key, a, time_mono_ms());
}

static bool quota_ok(struct line_call *q, int64_t people)
{
    if (q->line->quota && q->line->used + people > q->line->quota) {
        line_message(q, 429, "You have reached your monthly limit.");
        return false;
    }
    q->line->used += people;
    return true;
}

/* ---- delivering ----------------------------------------------------------------------------------------------------------------------- */

/* A message to somebody who blocked the account is accepted and never seen. */
static slice deliver(struct line_call *q, struct chat *c, const char *how)
{
    const struct js *messages = js_at(q->doc, "messages");
    struct jw w = jw_new(q->a, 64 << 10);
    jw_open(&w, NULL, '[');
    for (size_t i = 0; i < js_len(messages); i++) {
        const struct js *m = js_item(messages, i);
        slice type = js_text(js_at(m, "type"));
        char id[24];
        line_next_id(q->line, id, sizeof(id));
        jw_open(&w, NULL, '{');
        jw_str(&w, "id", slice_of(id));
        if (slice_starts(type, SL("text")) || slice_eq(type, SL("sticker")))
            jw_str(&w, "quoteToken", sim_random_hex(&q->line->env->random, q->a, 40));
        jw_close(&w, '}');
        if (c->kind == CHAT_USER && !c->friend)
            continue;
        struct bubble *b = line_bubble_add(c, false, how, slice_of(id), SLICE_NONE, js_print(q->a, m));
        snprintf(b->request_id, sizeof(b->request_id), SLF, SLA(q->request_id));
        line_bubble_told(c, b);
        if (q->line->fetch_media)
            line_media_fetch(c, b);
    }
    jw_close(&w, ']');
    return jw_done(&w);
}

static void answer_sent(struct line_call *q, slice sent)
{
    line_answer(q, 200, arena_printf(q->a, "{\"sentMessages\":" SLF "}", SLA(sent)));
}

static void post_reply(struct sim_call *c, void *ctx)
{
    struct line_call q;
    struct chat *chat;
    if (!line_enter(&q, c, ctx, LINE_JSON) || !retry_key_ok(&q, false) || !messages_ok(&q, false))
        return;
    if (!line_reply_token_use(q.line, js_text(js_at(q.doc, "replyToken")), &chat))
        line_message(&q, 400, "Invalid reply token");
    else
        answer_sent(&q, deliver(&q, chat, "reply"));
}

static void post_push(struct sim_call *c, void *ctx)
{
    struct line_call q;
    if (!line_enter(&q, c, ctx, LINE_JSON) || !retry_key_ok(&q, true))
        return;
    slice to = js_text(js_at(q.doc, "to"));
    if (!is_id(to, "UCR")) {
        bad_to(&q);
        return;
    }
    if (!messages_ok(&q, false))
        return;
    struct chat *chat = line_chat(q.line, to);
    if (!chat || chat->left) {
        line_message(&q, 400, "Failed to send messages");
        return;
    }
    if (!quota_ok(&q, 1))
        return;
    slice sent = deliver(&q, chat, "push");
    retry_key_keep(&q, sent);
    answer_sent(&q, sent);
}

static void post_multicast(struct sim_call *c, void *ctx)
{
    struct line_call q;
    if (!line_enter(&q, c, ctx, LINE_JSON) || !retry_key_ok(&q, true))
        return;
    const struct js *to = js_at(q.doc, "to");
    bool good = js_is_array(to) && js_len(to) >= 1 && js_len(to) <= MULTICAST_MAX;
    for (size_t i = 0; good && i < js_len(to); i++)
        good = is_id(js_text(js_item(to, i)), "U");
    if (!good) {
        bad_to(&q);
        return;
    }
    if (!messages_ok(&q, false) || !quota_ok(&q, (int64_t)js_len(to)))
        return;
    for (size_t i = 0; i < js_len(to); i++) {
        struct chat *chat = line_chat(q.line, js_text(js_item(to, i)));
        if (chat)
            (void)deliver(&q, chat, "multicast");
    }
    retry_key_keep(&q, SLICE_NONE);
    line_answer(&q, 200, SL("{}"));
}

/* A contact centre never sends to everybody. */
static void post_to_all(struct sim_call *c, void *ctx)
{
    struct line_call q;
    if (line_enter(&q, c, ctx, LINE_JSON))
        line_message(&q, 403, "Access to this API is not available for your account");
}

static void post_validate(struct sim_call *c, void *ctx)
{
    struct line_call q;
    if (line_enter(&q, c, ctx, LINE_JSON) && messages_ok(&q, false))
        line_answer(&q, 200, SL("{}"));
}

/* ---- by phone number -------------------------------------------------------------------------------------------------------------------- */

struct pnp { /* a notification on its way */
    struct line *line;
    struct pnp *next, **here;
    struct loop_timer timer;
    char data[TAG_MAX + 1];
};

static void pnp_free(struct pnp *p)
{
    *p->here = p->next;
    if (p->next)
        p->next->here = p->here;
    loop_timer_done(&p->timer);
    free(p);
}

static void pnp_arrived(void *arg)
{
    struct pnp *p = arg;
    struct line_batch *b = line_batch_new(p->line);
    line_event_open(b, "delivery", NULL, NULL, false);
    jw_open(&b->w, "delivery", '{');
    jw_str(&b->w, "data", slice_of(p->data));
    jw_close(&b->w, '}');
    line_event_close(b);
    line_batch_send(b, NULL, NULL);
    pnp_free(p);
}

static bool pnp_is_refused(struct line_call *q, slice hash)
{
    slice rest = slice_of(q->line->pnp_refused);
    while (rest.p)
        if (slice_eq(sign_sha256_hex(q->a, slice_trim(slice_cut(&rest, ','))), hash))
            return true;
    return false;
}

static struct chat *by_phone(struct line_call *q, slice hash)
{
    for (size_t i = 0; i < q->line->n_chats; i++) {
        struct chat *c = q->line->chats[i];
        if (c->kind == CHAT_USER && slice_eq(sign_sha256_hex(q->a, slice_of(c->phone)), hash))
            return c;
    }
    return NULL;
}

static void notify(struct line_call *q)
{
    struct line *l = q->line;
    slice to = js_text(js_at(q->doc, "to")), tag = exchange_header(q->c->x, "X-Line-Delivery-Tag");
    if (to.n != PNP_HASH_CHARS || !is_hex(to)) {
        bad_to(q);
        return;
    }
    if (tag.p && (tag.n < TAG_MIN || tag.n > TAG_MAX)) {
        line_message(q, 400, "The value for the 'X-Line-Delivery-Tag' header is invalid");
        return;
    }
    if (pnp_is_refused(q, to)) {
        line_message(q, 422, "Failed to send messages");
        return;
    }
    struct chat *c = by_phone(q, to);
    if (c && js_at(q->doc, "messages"))
        (void)deliver(q, c, "pnp");
    l->pnp_sent++;
    struct pnp *p = must_calloc(1, sizeof(*p));
    p->line = l;
    snprintf(p->data, sizeof(p->data), SLF, SLA(tag.p ? tag : to));
    p->next = l->notifying;
    p->here = &l->notifying;
    if (p->next)
        p->next->here = &p->next;
    l->notifying = p;
    loop_timer_start(l->env->loop, &p->timer, PNP_DELIVERY_MS, pnp_arrived, p);
    line_answer(q, 200, SL("{}"));
}

static void post_pnp(struct sim_call *c, void *ctx)
{
    struct line_call q;
    if (line_enter(&q, c, ctx, LINE_JSON) && messages_ok(&q, true))
        notify(&q);
}

static void post_pnp_template(struct sim_call *c, void *ctx)
{
    struct line_call q;
    if (!line_enter(&q, c, ctx, LINE_JSON))
        return;
    if (!js_text(js_at(q.doc, "templateKey")).n || !js_is_object(js_at(q.doc, "body")))
        line_message(&q, 400, "The request body has 1 error(s)");
    else
        notify(&q);
}

/* ---- typing and read ------------------------------------------------------------------------------------------------------------------ */

static void post_loading(struct sim_call *c, void *ctx)
{
    struct line_call q;
    if (!line_enter(&q, c, ctx, LINE_JSON))
        return;
    int64_t seconds = LOADING_STANDARD_S;
    const struct js *s = js_at(q.doc, "loadingSeconds");
    slice id = js_text(js_at(q.doc, "chatId"));
    if (!is_id(id, "U")) {
        line_message(&q, 400, "The property, 'chatId', in the request body is invalid (line: -, column: -)");
        return;
    }
    if (s && (!js_int(s, &seconds) || seconds < LOADING_STEP_S || seconds > LOADING_MAX_S || seconds % LOADING_STEP_S)) {
        line_message(&q, 400, "The property, 'loadingSeconds', in the request body is invalid (line: -, column: -)");
        return;
    }
    struct chat *chat = line_chat(q.line, id);
    if (chat && chat->friend) {
        chat->loading_until_ms = time_mono_ms() + seconds * 1000;
        feed_send(q.line->env->feed, "typing", arena_printf(q.a, "{\"chat\":\"%s\",\"seconds\":%lld}", chat->id, (long long)seconds));
    }
    line_answer(&q, 202, SL("{}"));
}

/* Marks the message and those before it. */
static void mark_read(struct chat *c, const struct bubble *upto)
{
    for (struct bubble *b = c->first; b; b = b->next) {
        if (b->from_guest && !b->read) {
            b->read = true;
            line_bubble_told(c, b);
        }
        if (b == upto)
            break;
    }
}

static void post_mark_read(struct sim_call *c, void *ctx)
{
    struct line_call q;
    if (!line_enter(&q, c, ctx, LINE_JSON))
        return;
    if (!q.line->chat_mode) {
        line_message(&q, 400, "Failed to mark messages as read. Please ensure that chat is enabled.");
        return;
    }
    slice token = js_text(js_at(q.doc, "markAsReadToken"));
    const char *where = shelf_get(q.line->read_tokens, token); /* "chat message" */
    slice rest = slice_of(where), id = slice_cut(&rest, ' ');
    struct chat *chat = where ? line_chat(q.line, id) : NULL;
    if (!chat) {
        line_message(&q, 400, "The property, 'markAsReadToken', in the request body is invalid (line: -, column: -)");
        return;
    }
    const struct bubble *b = line_bubble_find(chat, rest);
    if (b)
        mark_read(chat, b);
    line_answer(&q, 200, SL("{}"));
}

static void post_mark_read_old(struct sim_call *c, void *ctx)
{
    struct line_call q;
    if (!line_enter(&q, c, ctx, LINE_JSON))
        return;
    struct chat *chat = line_chat(q.line, js_text(js_at(q.doc, "chat.userId")));
    if (!chat) {
        line_message(&q, 400, "The property, 'chat', in the request body is invalid (line: -, column: -)");
        return;
    }
    mark_read(chat, NULL);
    line_answer(&q, 200, SL("{}"));
}

static const struct sim_route routes[] = {
    { "POST", "/v2/bot/message/reply", post_reply, 0 },
    { "POST", "/v2/bot/message/push", post_push, 0 },
    { "POST", "/v2/bot/message/multicast", post_multicast, 0 },
    { "POST", "/v2/bot/message/broadcast", post_to_all, 0 },
    { "POST", "/v2/bot/message/narrowcast", post_to_all, 0 },
    { "POST", "/v2/bot/message/validate/reply", post_validate, 0 },
    { "POST", "/v2/bot/message/validate/push", post_validate, 0 },
    { "POST", "/v2/bot/message/validate/multicast", post_validate, 0 },
    { "POST", "/v2/bot/message/validate/narrowcast", post_validate, 0 },
    { "POST", "/v2/bot/message/validate/broadcast", post_validate, 0 },
    { "POST", "/v2/bot/message/markAsRead", post_mark_read_old, 0 },
    { "POST", "/v2/bot/message/pnp/templated/push", post_pnp_template, 0 },
    { "POST", "/bot/pnp/push", post_pnp, 0 },
    { "POST", "/v2/bot/chat/loading/start", post_loading, 0 },
    { "POST", "/v2/bot/chat/markAsRead", post_mark_read, 0 },
};

void line_send_routes(struct line *l)
{
    sim_routes(l->env, routes, COUNT(routes), l, NULL);
}

void line_send_done(struct line *l)
{
    while (l->notifying)
        pnp_free(l->notifying);
}
