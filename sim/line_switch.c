/* line_switch.c - handing a person's chat to somebody else: section "Control hand-over". */
#include "sim/line.h"

/* Both headers go with every call of a channel that has the switcher; here they are asked for where they matter. */
static bool switcher_ok(struct line_call *q)
{
    const struct line *l = q->line;
    slice secret = exchange_header(q->c->x, "X-Line-SwitcherSecret"), service = exchange_header(q->c->x, "X-Line-ServiceCode");
    if (!l->switcher_secret.n)
        line_message(q, 403, "Access to this API is not available for your account");
    else if (!bytes_equal_secret(secret, l->switcher_secret))
        line_message(q, 401, "Authentication failed due to the following reason: invalid switcher secret.");
    else if (service.p && l->service_code.n && !slice_eq(service, l->service_code))
        line_message(q, 403, "Access to this API is not available for your account");
    else
        return true;
    return false;
}

/* {"destinationId","userId"|"groupId"|"roomId","note"?} */
static struct chat *who_of(struct line_call *q, slice *ret_destination)
{
    static const char *const members[] = { "userId", "groupId", "roomId" };
    *ret_destination = js_text(js_at(q->doc, "destinationId"));
    if (!ret_destination->n) {
        line_message(q, 400, "The property, 'destinationId', in the request body is invalid (line: -, column: -)");
        return NULL;
    }
    for (size_t i = 0; i < COUNT(members); i++) {
        slice id = js_text(js_at(q->doc, members[i]));
        struct chat *c = id.n == LINE_ID_CHARS ? line_chat(q->line, id) : NULL;
        if (c)
            return c;
    }
    line_message(q, 400, "The property, 'userId', in the request body is invalid (line: -, column: -)");
    return NULL;
}

static void told(struct chat *c, const char *what, slice destination)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct jw w = jw_new(a, 4096);
    jw_open(&w, NULL, '{');
    jw_str(&w, "type", slice_of(what));
    jw_str(&w, "destinationId", destination);
    jw_close(&w, '}');
    char id[24];
    line_next_id(c->line, id, sizeof(id));
    line_bubble_told(c, line_bubble_add(c, false, what, slice_of(id), SLICE_NONE, jw_done(&w)));
}

static void post_switch(struct sim_call *c, void *ctx)
{
    struct line_call q;
    slice destination;
    struct chat *chat;
    if (!line_enter(&q, c, ctx, LINE_JSON) || !switcher_ok(&q) || !(chat = who_of(&q, &destination)))
        return;
    snprintf(chat->destination, sizeof(chat->destination), SLF, SLA(utf8_cut_bytes(destination, sizeof(chat->destination) - 1)));
    told(chat, "switch", destination);
    line_answer(&q, 200, SL("{}"));
}

static void post_notice(struct sim_call *c, void *ctx)
{
    struct line_call q;
    slice destination;
    struct chat *chat;
    if (!line_enter(&q, c, ctx, LINE_JSON) || !switcher_ok(&q) || !(chat = who_of(&q, &destination)))
        return;
    told(chat, "notice", destination);
    line_answer(&q, 200, SL("{}"));
}

/* ---- module channels -------------------------------------------------------------------------------------------------------------------- */

static void post_acquire(struct sim_call *c, void *ctx)
{
    enum { TTL_MAX_S = 31536000 };
    struct line_call q;
    if (!line_enter(&q, c, ctx, c->x->body.n ? LINE_JSON : 0))
        return;
    int64_t ttl = 3600;
    const struct js *t = js_at(q.doc, "ttl");
    if (!line_chat(q.line, c->params[0]))
        line_message(&q, 404, "Not found");
    else if (t && (!js_int(t, &ttl) || ttl < 1 || ttl > TTL_MAX_S))
        line_message(&q, 400, "The property, 'ttl', in the request body is invalid (line: -, column: -)");
    else
        line_answer(&q, 200, SL("{}"));
}

static void post_release(struct sim_call *c, void *ctx)
{
    struct line_call q;
    if (!line_enter(&q, c, ctx, 0))
        return;
    if (!line_chat(q.line, c->params[0]))
        line_message(&q, 404, "Not found");
    else
        line_answer(&q, 200, SL("{}"));
}

static const struct sim_route routes[] = {
    { "POST", "/v2/bot/admin/switcher/switch", post_switch, 0 },
    { "POST", "/v2/bot/admin/switcher/notice", post_notice, 0 },
    { "POST", "/v2/bot/chat/:chatId/control/acquire", post_acquire, 0 },
    { "POST", "/v2/bot/chat/:chatId/control/release", post_release, 0 },
};

void line_switch_routes(struct line *l)
{
    sim_routes(l->env, routes, COUNT(routes), l, NULL);
}
