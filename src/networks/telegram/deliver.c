/* Sending: "Sending", "Errors", "Limits", "Nothing is repeatable".
 *
 * A message becomes one or more calls (sends.c); d->part counts those that are done. Telegram has no key by which a repeat could be known: a call
 * whose answer was lost may have been taken, so the outcome is unknown, and only what was surely not taken is tried again.
 */
#include "hub/adapt.h"
#include "networks/telegram/wire.h"

enum telegram_step {
    STEP_START,
    STEP_SEND,
    STEP_INSTEAD, /* the text in place of what Telegram could not fetch */
    STEP_UNTAP,   /* takes away the buttons that were tapped */
    STEP_TYPING,
    STEP_UPLOAD, /* the file itself */
};

/* Opens the object with where it goes. */
static struct jw body_begin(struct call *c, const struct telegram_guest *g)
{
    struct jw w = jw_new(c->a, TELEGRAM_BODY_BYTES + 1024);
    slice chat = slice_or(memory_get(c->guest_memory, TELEGRAM_CHAT, c->now_ms), g->chat);
    int64_t id;
    jw_open(&w, NULL, '{');
    if (slice_int(chat, &id))
        jw_int(&w, "chat_id", id);
    else
        jw_str(&w, "chat_id", chat);
    if (g->business)
        jw_opt(&w, "business_connection_id", slice_or(g->connection, memory_get(c->guest_memory, TELEGRAM_BUSINESS, c->now_ms)));
    if (slice_int(g->thread, &id))
        jw_int(&w, "message_thread_id", id);
    return w;
}

static unsigned rate_of(const struct telegram_guest *g)
{
    return g->group ? TELEGRAM_RATE_GROUP : TELEGRAM_RATE_CHAT;
}

/* How the next call of this send is made; what an earlier one taught stays. */
static enum telegram_step step_of(const struct delivery *d, const struct telegram_send *s)
{
    if (d->step == STEP_INSTEAD || d->step == STEP_UPLOAD)
        return (enum telegram_step)d->step;
    return s->upload ? STEP_UPLOAD : STEP_SEND;
}

static enum outcome send(struct call *c, struct delivery *d, const struct telegram_send *s)
{
    struct telegram_guest g = telegram_guest_of(delivery_guest(c, d));
    enum telegram_step step = step_of(d, s);
    slice members = step == STEP_INSTEAD ? SLICE_NONE : s->members;
    int64_t last;
    struct jw w = body_begin(c, &g);
    if (g.group && d->part == 0 && slice_int(memory_get(c->guest_memory, TELEGRAM_LAST, c->now_ms), &last)) {
        jw_open(&w, "reply_parameters", '{'); /* in a group: whom it is for */
        jw_int(&w, "message_id", last);
        jw_bool(&w, "allow_sending_without_reply", true);
        jw_close(&w, '}');
    }
    if (step == STEP_INSTEAD)
        jw_str(&w, "text", s->instead);
    if (step == STEP_SEND && s->file_member)
        jw_str(&w, s->file_member, s->link);
    slice body = arena_printf(c->a, SLF "%s" SLF "}", SLA(jw_done(&w)), members.n ? "," : "", SLA(members));
    if ((!s->members.n && !s->file_member) || body.n > TELEGRAM_BODY_BYTES)
        return refuse(c, d, REASON_INVALID, "the message is larger than the %d bytes a call may have", TELEGRAM_BODY_BYTES);
    d->step = (int)step;
    if (step == STEP_UPLOAD)
        telegram_upload(c, d, s->method, body, s->file_member, s->file);
    else
        telegram_api(c, d, step == STEP_INSTEAD ? "sendMessage" : s->method, body);
    d->call.rate = rate_of(&g);
    return OUT_CALL;
}

/* The buttons of a tapped message would answer once more. */
static bool untap(struct call *c, struct delivery *d)
{
    struct telegram_guest g = telegram_guest_of(delivery_guest(c, d));
    int64_t id;
    if (!slice_int(memory_get(c->guest_memory, TELEGRAM_TAPPED, c->now_ms), &id))
        return false;
    memory_set(c->guest_memory, TELEGRAM_TAPPED, SLICE_NONE, 0);
    struct jw w = body_begin(c, &g);
    jw_int(&w, "message_id", id);
    jw_open(&w, "reply_markup", '{');
    jw_open(&w, "inline_keyboard", '[');
    jw_close(&w, ']');
    jw_close(&w, '}');
    jw_close(&w, '}');
    telegram_api(c, d, "editMessageReplyMarkup", jw_done(&w));
    d->call.repeatable = true;
    d->step = STEP_UNTAP;
    return true;
}

static void taken(struct call *c, struct delivery *d, const struct telegram_answer *t)
{
    const struct js *sent = js_is_array(t->result) ? js_item(t->result, js_len(t->result) ? js_len(t->result) - 1 : 0) : t->result;
    int64_t id = 0, chat = 0;
    if (js_int(js_at(sent, "message_id"), &id) && js_int(js_at(sent, "chat.id"), &chat))
        d->vendor_id = arena_printf(c->a, "%lld:%lld", (long long)chat, (long long)id);
    d->part++;
    d->step = STEP_START;
}

/* Telegram could not get at the file, or did not like what it found there. */
static bool cannot_fetch(const struct telegram_answer *t)
{
    static const slice said[] = { SLI("Bad Request: failed to get HTTP URL content"), SLI("Bad Request: wrong type of the web page content"),
                                  SLI("Bad Request: wrong file_id"), SLI("Bad Request: wrong remote file"),
                                  SLI("Bad Request: WEBPAGE_"), SLI("Bad Request: IMAGE_PROCESS_FAILED"),
                                  SLI("Bad Request: PHOTO_"), SLI("Bad Request: group send failed"),
                                  SLI("Bad Request: file is too big") };
    for (size_t i = 0; i < COUNT(said); i++)
        if (slice_starts(t->description, said[i]))
            return true;
    return false;
}

static enum outcome answered(struct call *c, struct delivery *d, const struct telegram_send *s)
{
    struct telegram_answer t = telegram_answer_of(c->a, d->last);
    if (t.result || answer_good(d->last)) {
        taken(c, d, &t);
        return OUT_DELIVERED;
    }
    slice now_at = arena_printf(c->a, "%lld", (long long)t.moved_to);
    if (t.moved_to && !slice_eq(memory_get(c->guest_memory, TELEGRAM_CHAT, c->now_ms), now_at)) {
        memory_set(c->guest_memory, TELEGRAM_CHAT, now_at, 0);
        return send(c, d, s);
    }
    bool unusable = d->last->status == 400 && cannot_fetch(&t), too_large = d->last->status == 413;
    if (unusable && d->step == STEP_SEND && s->file) {
        d->step = STEP_UPLOAD;
        return send(c, d, s);
    }
    if ((unusable && d->step == STEP_SEND && s->instead.n) || ((unusable || too_large) && d->step == STEP_UPLOAD)) {
        d->step = STEP_INSTEAD;
        return send(c, d, s);
    }
    return telegram_failed(c, d, d->step == STEP_INSTEAD ? "sendMessage" : s->method);
}

static enum outcome typing(struct call *c, struct delivery *d)
{
    if (d->last)
        return telegram_answer_of(c->a, d->last).result ? OUT_DELIVERED : telegram_failed(c, d, "sendChatAction");
    struct telegram_guest g = telegram_guest_of(delivery_guest(c, d));
    struct jw w = body_begin(c, &g);
    jw_str(&w, "action", SL("typing"));
    jw_close(&w, '}');
    telegram_api(c, d, "sendChatAction", jw_done(&w));
    d->call.repeatable = true;
    d->step = STEP_TYPING;
    return OUT_CALL;
}

enum outcome telegram_deliver(struct call *c, struct delivery *d)
{
    if (d->m->kind == (int)KIND_TYPING)
        return typing(c, d);
    if (d->interrupted) {
        fault(c->f, "unknown", "", "the answer to an earlier call was lost");
        return OUT_UNKNOWN;
    }
    struct js_list sends;
    slice list;
    if (!telegram_sends(c, d, &sends, &list, &d->reason))
        return OUT_REFUSED;
    if (d->last && d->step != STEP_UNTAP) { /* whatever came of taking buttons away: the message matters */
        enum outcome end = answered(c, d, LIST_AT(sends, struct telegram_send, d->part));
        if (end != OUT_DELIVERED)
            return end;
    } else if (!d->last && d->part < sends.n && d->step == STEP_START && untap(c, d)) {
        return OUT_CALL;
    }
    if (d->part < sends.n)
        return send(c, d, LIST_AT(sends, struct telegram_send, d->part));
    if (list.n)
        memory_set(c->guest_memory, LIST_MEMORY, list, 0);
    return OUT_DELIVERED;
}
