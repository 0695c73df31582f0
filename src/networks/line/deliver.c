/* Sending: "Sending", "Errors", "Notification messages", "Control hand-over", "Typing and read".
 *
 * Content goes out in calls of up to five bubbles; d->part counts the bubbles that are done. A call is a reply while the guest's reply
 * token is fresh (free of quota), else a push, or for a phone number a notification message.
 *
 * A push has a retry key: it may be repeated, and 409 says it was taken before. A reply has none, but its token is good for one reply
 * only: when its answer was lost the same reply is made once more with the same token, which succeeds if the first was not taken and can
 * never show anything twice. When that is refused, or the token is too old by then, nobody can tell: the outcome is unknown. A
 * notification message has nothing of the kind: a lost answer is unknown at once.
 */
#include "networks/line/wire.h"
#include "wire/crypto.h"
#include "wire/hex.h"

enum line_step {
    STEP_START,
    STEP_REPLY,       /* keep: "until token" */
    STEP_REPLY_AGAIN, /* an earlier reply with this token may have been taken */
    STEP_PUSH,
    STEP_PHONE,
    STEP_SWITCH,
    STEP_NOTICE,
    STEP_SMALL, /* loading animation, mark as read */
};

/* ---- errors -------------------------------------------------------------------------------------------------------- */

/* clang-format off */
static const struct { int status; slice message; enum reason reason; } refusals[] = { /* "Errors"; first match wins */
    { 400, SLI("Failed to send messages"), REASON_UNKNOWN_GUEST },
    { 400, SLI("The property, 'to',"),     REASON_UNKNOWN_GUEST },
    { 400, { NULL, 0 },                    REASON_INVALID },
    { 401, { NULL, 0 },                    REASON_CREDENTIALS },
    { 403, { NULL, 0 },                    REASON_CREDENTIALS },
    { 404, { NULL, 0 },                    REASON_UNKNOWN_GUEST },
    { 413, { NULL, 0 },                    REASON_INVALID },      /* the request, not a file */
    { 422, { NULL, 0 },                    REASON_UNKNOWN_GUEST }, /* a number that cannot be reached */
    { 429, SLI("You have reached your monthly limit"), REASON_RATE }, /* not the rate: next month */
};
/* clang-format on */
enum { RATE_PAUSE_MS = 1000 }; /* "Rate limits": no Retry-After is promised */

static enum outcome failed(struct call *c, struct delivery *d, const char *what)
{
    const struct answer *r = d->last;
    slice said = r->status ? line_error(c->a, r->body) : SLICE_NONE;
    for (size_t i = 0; i < COUNT(refusals); i++)
        if (refusals[i].status == r->status && slice_starts(said, slice_or(refusals[i].message, SL(""))))
            return refuse(c, d, refusals[i].reason, "%s: status %d: " SLF, what, r->status, SLA(said));
    enum outcome end = answer_outcome(c, d, what);
    if (end == OUT_RETRY && r->status == 429)
        d->retry_ms = MAX(d->retry_ms, (int64_t)RATE_PAUSE_MS);
    return end;
}

/* ---- content ------------------------------------------------------------------------------------------------------- */

static size_t call_size(const struct delivery *d, const struct line_bubbles *b)
{
    return MIN(b->list.n - d->part, (size_t)LINE_CALL_BUBBLES);
}

static enum outcome send_body(struct call *c, struct delivery *d, const struct line_bubbles *b,
                              const char *path, const char *to_key, slice to)
{
    slice messages = line_messages(c, d, b, d->part, call_size(d, b));
    struct jw w = jw_new(c->a, LINE_BODY_BYTES);
    jw_open(&w, NULL, '{');
    jw_str(&w, to_key, to);
    jw_raw(&w, "messages", messages);
    jw_close(&w, '}');
    slice body = jw_done(&w);
    if (!messages.p || !body.p)
        return refuse(c, d, REASON_INVALID, "the message is larger than the %d bytes LINE takes",
                      LINE_BODY_BYTES);
    line_api(c, d, "POST", path, body);
    return OUT_CALL;
}

static enum outcome push(struct call *c, struct delivery *d, const struct line_bubbles *b)
{
    bool old = c->now_ms - d->accepted_ms > LINE_RETRY_KEY_MS, tried = d->attempt > 0 || d->step == STEP_PUSH; /* or the hub was stopped under the first push */
    if (old && tried) { /* an earlier attempt may have been taken, and LINE has forgotten its key */
        fault(c->f, "unknown", "", "push: older than its retry key");
        return OUT_UNKNOWN;
    }
    d->step = STEP_PUSH;
    d->keep = SLICE_NONE;
    enum outcome end = send_body(c, d, b, "/v2/bot/message/push", "to", delivery_guest(c, d));
    call_header(&d->call, "X-Line-Retry-Key", delivery_uuid(c->a, d, d->part));
    d->call.repeatable = true;
    return end;
}

/* The reply token in d->keep while it is fresh. */
static slice fresh_token(const struct call *c, const struct delivery *d)
{
    slice token = d->keep;
    int64_t until_ms = 0;
    if (!slice_int(slice_cut(&token, ' '), &until_ms) || until_ms <= c->now_ms)
        return SLICE_NONE;
    return token;
}

static enum outcome reply(struct call *c, struct delivery *d, const struct line_bubbles *b, slice token)
{
    return send_body(c, d, b, "/v2/bot/message/reply", "replyToken", token);
}

static enum outcome reply_lost(struct call *c)
{
    fault(c->f, "unknown", "", "reply: it may have been taken, and its token cannot tell any more");
    return OUT_UNKNOWN;
}

/* Takes the conversation's token, if any: it is good for one reply. */
static bool take_token(struct call *c, struct delivery *d)
{
    int64_t until_ms = c->now_ms + setting_number(c, LINE_REPLY_SECONDS) * 1000;
    slice token = memory_get(c->guest_memory, LINE_REPLY_TOKEN, c->now_ms);
    if (!token.n || until_ms == c->now_ms)
        return false;
    d->keep = arena_printf(c->a, "%lld " SLF, (long long)until_ms, SLA(token));
    memory_set(c->guest_memory, LINE_REPLY_TOKEN, SLICE_NONE, 0);
    return true;
}

/* "Notification messages": no retry key, no pictures, and the tag is what the later event calls it. */
static enum outcome phone(struct call *c, struct delivery *d, const struct line_bubbles *b)
{
    for (size_t i = 0; i < d->n_parts; i++)
        if (kind_is_media((enum kind)d->parts[i].kind))
            return refuse(c, d, REASON_UNSUPPORTED,
                          "a notification message carries no pictures, films or sounds");
    slice guest = delivery_guest(c, d);
    struct sha256 sum = sha256(guest);
    d->step = STEP_PHONE;
    enum outcome end =
        send_body(c, d, b, "/bot/pnp/push", "to", hex_encode(c->a, slice_mem(sum.b, sizeof(sum.b))));
    call_header(&d->call, "X-Line-Delivery-Tag", line_tag(c, guest, delivery_uuid(c->a, d, d->part)));
    return end;
}

static enum outcome send_next(struct call *c, struct delivery *d, const struct line_bubbles *b)
{
    if (line_guest_of(delivery_guest(c, d)) == LINE_PHONE)
        return phone(c, d, b);
    if (!take_token(c, d))
        return push(c, d, b);
    d->step = STEP_REPLY;
    return reply(c, d, b, fresh_token(c, d));
}

/* The first step of a later attempt goes on where the last one stopped. */
static enum outcome go_on(struct call *c, struct delivery *d, const struct line_bubbles *b)
{
    slice token = fresh_token(c, d);
    switch ((enum line_step)d->step) {
    case STEP_REPLY:
        if (d->interrupted)
            d->step = STEP_REPLY_AGAIN;
        if (!token.n)
            return d->interrupted ? reply_lost(c) : push(c, d, b);
        return reply(c, d, b, token);
    case STEP_REPLY_AGAIN:
        return token.n ? reply(c, d, b, token) : reply_lost(c);
    case STEP_PUSH:
        return push(c, d, b);
    case STEP_PHONE:
        if (!d->interrupted)
            return phone(c, d, b);
        fault(c->f, "unknown", "", "notification message: the answer was lost");
        return OUT_UNKNOWN;
    case STEP_START:
        if (d->interrupted) /* what was under way is not known */
            return reply_lost(c);
        break;
    case STEP_SWITCH:
    case STEP_NOTICE:
    case STEP_SMALL:
        break;
    }
    return send_next(c, d, b);
}

/* The call was taken: its bubbles are done. */
static void taken(struct call *c, struct delivery *d, const struct line_bubbles *b)
{
    struct fault none = { 0 };
    const struct js *doc = d->last->body.n ? js_parse(c->a, d->last->body, &none) : NULL;
    const struct js *sent = js_at(doc, "sentMessages");
    slice id = js_text(js_at(js_item(sent, js_len(sent) ? js_len(sent) - 1 : 0), "id"));
    if (d->step == STEP_PHONE) {
        d->vendor_id = line_tag(c, delivery_guest(c, d), delivery_uuid(c->a, d, d->part));
        d->status = STATUS_SENT; /* the phone's own news follow */
    } else if (id.n) {
        d->vendor_id = id;
    }
    d->part += call_size(d, b);
    d->step = STEP_START;
    d->keep = SLICE_NONE;
}

static enum outcome reply_failed(struct call *c, struct delivery *d, const struct line_bubbles *b)
{
    const struct answer *r = d->last;
    bool again = d->step == STEP_REPLY_AGAIN;
    if (r->status == 400 && slice_starts(line_error(c->a, r->body), SL("Invalid reply token")))
        return again ? reply_lost(c) : push(c, d, b);
    if (r->status == 0 && r->written) {
        d->step = STEP_REPLY_AGAIN;
        return again ? reply_lost(c) : go_on(c, d, b);
    }
    if (r->status >= 500)
        d->step = STEP_REPLY_AGAIN;
    return failed(c, d, "reply");
}

/* Sets *ret_end and returns true when the delivery of content has come to an end or needs another call. */
static bool content(struct call *c, struct delivery *d, enum outcome *ret_end)
{
    struct line_bubbles b;
    if (!line_bubbles(c, d, &b, &d->reason)) {
        *ret_end = OUT_REFUSED;
        return true;
    }
    if (d->part >= b.list.n)
        return false;
    if (!d->last) {
        *ret_end = go_on(c, d, &b);
        return true;
    }
    int status = d->last->status;
    if ((status >= 200 && status < 300) || (status == 409 && d->step == STEP_PUSH)) {
        taken(c, d, &b);
        if (d->part >= b.list.n)
            return false;
        *ret_end = send_next(c, d, &b);
    } else if (d->step == STEP_REPLY || d->step == STEP_REPLY_AGAIN) {
        *ret_end = reply_failed(c, d, &b);
    } else if (d->step == STEP_PHONE && status >= 500) {
        fault(c->f, "unknown", "", "notification message: status %d", status);
        *ret_end = OUT_UNKNOWN;
    } else {
        *ret_end = failed(c, d, d->step == STEP_PHONE ? "notification message" : "push");
    }
    return true;
}

/* ---- control hand-over --------------------------------------------------------------------------------------------- */

static enum outcome switch_call(struct call *c, struct delivery *d, enum line_step step)
{
    static const char *const members[] = {
        [LINE_USER] = "userId", [LINE_GROUP] = "groupId", [LINE_ROOM] = "roomId", [LINE_PHONE] = "userId"
    };
    slice guest = delivery_guest(c, d);
    struct jw w = jw_new(c->a, LINE_BODY_BYTES);
    jw_open(&w, NULL, '{');
    jw_str(&w, "destinationId", setting(c, LINE_SWITCHER_DESTINATION));
    jw_str(&w, members[line_guest_of(guest)], guest);
    jw_close(&w, '}');
    d->step = (int)step;
    line_api(c, d, "POST",
             step == STEP_SWITCH ? "/v2/bot/admin/switcher/switch" : "/v2/bot/admin/switcher/notice",
             jw_done(&w));
    d->call.repeatable =
        true; /* switching to where the guest is already changes nothing; a second notice says the same */
    return OUT_CALL;
}

static bool wants_switch(const struct call *c, const struct delivery *d)
{
    bool asked = d->m->event == (int)EVENT_CLOSED ||
                 (d->m->event == (int)EVENT_OTHER && slice_eq(d->m->name, SL("switch")));
    bool by_name = d->m->event == (int)EVENT_OTHER; /* somebody asked for this guest: whether a number will do is LINE's to say */
    return asked && setting(c, LINE_SWITCHER_SECRET).n && setting(c, LINE_SWITCHER_DESTINATION).n &&
           (by_name || line_guest_of(delivery_guest(c, d)) != LINE_PHONE);
}

static enum outcome switch_over(struct call *c, struct delivery *d)
{
    if (d->step != STEP_SWITCH && d->step != STEP_NOTICE)
        return switch_call(c, d, STEP_SWITCH);
    if (!d->last)
        return switch_call(c, d, (enum line_step)d->step);
    if (d->last->status < 200 || d->last->status > 299)
        return failed(c, d, d->step == STEP_SWITCH ? "switch" : "notice");
    return d->step == STEP_SWITCH ? switch_call(c, d, STEP_NOTICE) : OUT_DELIVERED;
}

/* ---- typing and read ----------------------------------------------------------------------------------------------- */

static enum outcome small_end(struct call *c, struct delivery *d, const char *what)
{
    return answer_good(d->last) ? OUT_DELIVERED : failed(c, d, what);
}

static enum outcome loading(struct call *c, struct delivery *d)
{
    enum { STEP_S = 5, LONGEST_S = 60 };
    if (d->last)
        return small_end(c, d, "loading animation");
    int64_t seconds = setting_number(c, LINE_LOADING_SECONDS);
    if (seconds <= 0 || line_guest_of(delivery_guest(c, d)) != LINE_USER)
        return OUT_DELIVERED;
    if (d->m->typing_ms > 0)
        seconds = MIN(d->m->typing_ms, (int64_t)LONGEST_S * 1000) / 1000;
    seconds = MIN(MAX((seconds + STEP_S - 1) / STEP_S, 1) * STEP_S, LONGEST_S);
    struct jw w = jw_new(c->a, LINE_BODY_BYTES);
    jw_open(&w, NULL, '{');
    jw_str(&w, "chatId", delivery_guest(c, d));
    jw_int(&w, "loadingSeconds", seconds);
    jw_close(&w, '}');
    line_api(c, d, "POST", "/v2/bot/chat/loading/start", jw_done(&w));
    d->call.repeatable = true; /* a second one takes the first one's place */
    d->call.rate = LINE_RATE_LOADING;
    d->step = STEP_SMALL;
    return OUT_CALL;
}

static enum outcome mark_as_read(struct call *c, struct delivery *d)
{
    if (d->last)
        return small_end(c, d, "mark as read");
    slice token = memory_get(c->guest_memory, LINE_READ_TOKEN, c->now_ms);
    if (!setting_true(c, LINE_MARK_AS_READ) || !token.n)
        return OUT_DELIVERED;
    struct jw w = jw_new(c->a, LINE_BODY_BYTES);
    jw_open(&w, NULL, '{');
    jw_str(&w, "markAsReadToken", token);
    jw_close(&w, '}');
    line_api(c, d, "POST", "/v2/bot/chat/markAsRead", jw_done(&w));
    d->call.repeatable = true;
    d->step = STEP_SMALL;
    return OUT_CALL;
}

enum outcome line_deliver(struct call *c, struct delivery *d)
{
    if (d->m->kind == (int)KIND_TYPING)
        return loading(c, d);
    if (d->m->kind == (int)KIND_EVENT && d->m->event == (int)EVENT_READ)
        return mark_as_read(c, d);

    enum outcome end;
    bool switching = d->step == STEP_SWITCH || d->step == STEP_NOTICE, switches = d->m->kind == (int)KIND_EVENT && wants_switch(c, d);
    if (switching || !content(c, d, &end))
        return switches ? switch_over(c, d) : OUT_DELIVERED;
    if (!switches || (end != OUT_REFUSED && end != OUT_UNKNOWN))
        return end;
    /* The guest is not told of the end (the month's pushes are used up, the guest is gone): control goes back all the same. */
    *c->f = (struct fault){ 0 };
    d->reason = REASON_NONE;
    return switch_call(c, d, STEP_SWITCH);
}
