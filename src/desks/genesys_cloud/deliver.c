/* Message -> calls, 7. One call for each part; part is the number of parts done.
 *
 * Every call may be repeated: a message is known by its messageId and time together ("Traps" 9), and both are the same in every
 * attempt; a receipt and a typing event say the same thing again. */
#include "desks/genesys_cloud/wire.h"

enum gc_step {
    GC_FIRST,  /* in the way that suits the part */
    GC_AS_TEXT /* an answer whose buttons Genesys Cloud does not know any more, as a text */
};

/* ---- channel, 7.1 ----------------------------------------------------------------------------------------------------- */

static void gc_time(struct jw *w, const struct delivery *d)
{
    jw_time(w, "time", d->accepted_ms + (int64_t)d->part);
}

/* Who writes. The address is the thread: it never changes for a guest of a channel. */
static void gc_from(struct jw *w, const struct call *c)
{
    const struct person *who = &c->conversation->person;
    jw_open(w, "from", '{');
    jw_str(w, "id", c->conversation->address);
    jw_str(w, "idType", SL("Opaque"));
    jw_opt(w, "nickname", who->name);
    jw_opt(w, "firstName", who->first_name);
    jw_opt(w, "lastName", who->last_name);
    jw_opt(w, "email", who->email);
    if (slice_starts(who->picture, SL("https://")) || slice_starts(who->picture, SL("http://")))
        jw_str(w, "image", who->picture);
    jw_close(w, '}');
}

/* Later rows win over earlier ones: what the operator sets by hand comes last. */
static void gc_put(struct arena *a, struct js_list *data, slice key, slice value)
{
    if (!key.n || !value.n)
        return; /* absent keys are left out */
    for (size_t i = 0; i < data->n; i++) {
        struct js_pair *p = LIST_AT(*data, struct js_pair, i);
        if (slice_eq(p->key, key)) {
            p->value = value;
            return;
        }
    }
    *LIST_ADD(a, data, struct js_pair) = (struct js_pair){ key, value };
}

static void gc_put_all(struct arena *a, struct js_list *data, const struct js_list *more)
{
    for (size_t i = 0; i < more->n; i++)
        gc_put(a, data, LIST_AT(*more, struct js_pair, i)->key, LIST_AT(*more, struct js_pair, i)->value);
}

/* The guest's participant data, 10: strings only ("Traps" 10). */
static void gc_attributes(struct jw *w, const struct call *c, const struct message *m)
{
    struct js_list data = { 0 };
    gc_put(c->a, &data, SL("locale"), c->conversation->person.locale);
    gc_put_all(c->a, &data, &m->data);
    gc_put(c->a, &data, SL("media"), c->conversation->network); /* whatever a guest's form calls it */
    gc_put_all(c->a, &data, &c->conversation->tenant_data);
    const struct js *own = setting(c, GC_CUSTOM_DATA).n ? js_parse(c->a, setting(c, GC_CUSTOM_DATA), NULL) : NULL;
    for (void *it = js_first(own); it; it = js_next(own, it))
        gc_put(c->a, &data, js_key(own, it), js_text(js_value(it)));

    jw_open(w, "metadata", '{');
    jw_open(w, "customAttributes", '{');
    for (size_t i = 0; i < data.n; i++) {
        jw_key(w, LIST_AT(data, struct js_pair, i)->key);
        jw_str(w, NULL, LIST_AT(data, struct js_pair, i)->value);
    }
    jw_close(w, '}');
    jw_close(w, '}');
}

static void gc_channel(struct jw *w, const struct call *c, const struct delivery *d)
{
    jw_open(w, "channel", '{');
    jw_str(w, "platform", SL("Open"));
    jw_str(w, "type", SL("Private"));
    slice id = d->part ? arena_printf(c->a, SLF "-%zu", SLA(d->key), d->part + 1) : d->key;
    jw_str(w, "messageId", d->step == GC_AS_TEXT ? arena_printf(c->a, SLF "-text", SLA(id)) : id);
    jw_open(w, "to", '{');
    jw_str(w, "id", gc_integration(c));
    jw_close(w, '}');
    gc_from(w, c);
    gc_time(w, d);
    gc_attributes(w, c, d->m);
    jw_close(w, '}');
}

/* ---- message, 7.1 -------------------------------------------------------------------------------------------------------- */

static const char *gc_media_type(enum kind k)
{
    return k == KIND_IMAGE ? "Image" : k == KIND_VIDEO ? "Video" : k == KIND_AUDIO ? "Audio" : "File";
}

static void gc_attachment(struct jw *w, const struct message *part, const struct media *md, slice text)
{
    jw_open(w, "content", '[');
    jw_open(w, NULL, '{');
    jw_str(w, "contentType", SL("Attachment"));
    jw_open(w, "attachment", '{');
    jw_str(w, "mediaType", slice_of(gc_media_type((enum kind)part->kind)));
    jw_str(w, "url", md->url);
    jw_str(w, "mime", slice_or(md->type, SL("application/octet-stream")));
    jw_opt(w, "filename", md->name);
    jw_opt(w, "sha256", md->sha256);
    jw_opt(w, "text", text);
    jw_close(w, '}');
    jw_close(w, '}');
    jw_close(w, ']');
}

static enum outcome gc_message_call(struct call *c, struct delivery *d, const struct message *part)
{
    const struct media *md = kind_is_media((enum kind)part->kind) ? message_media(part) : NULL;
    slice text = part->kind == KIND_ANSWER ? slice_or(part->text, part->payload) : part->text;
    if (md)
        text = slice_or(text, md->name); /* an agent's window shows nothing else of a file that is not fetched yet */
    bool attach = md && md->url.n;
    if (!attach && !text.n)
        return OUT_DELIVERED; /* nothing to show: "text or content must be present" */

    struct jw w = jw_new(c->a, GC_BODY_MAX);
    jw_open(&w, NULL, '{');
    gc_channel(&w, c, d);
    jw_str(&w, "type", SL("Text"));
    jw_str(&w, "direction", SL("Inbound"));
    jw_opt(&w, "text", text);
    if (attach)
        gc_attachment(&w, part, md, text);
    if (part->kind == KIND_ANSWER && part->payload.n) {
        jw_open(&w, "metadata", '{');
        jw_str(&w, "payload", part->payload);
        jw_close(&w, '}');
    }
    jw_close(&w, '}');
    slice body = jw_done(&w);
    if (!body.p)
        return refuse(c, d, REASON_INVALID, "the message is larger than %d bytes", GC_BODY_MAX);

    /* 7: a conversation that is new, or comes back, is named in the answer only when asked for. */
    bool known = c->conversation->desk_conversation.n && c->conversation->open;
    gc_send(d, "POST", gc_url(c, "/conversations/messages/" SLF "/inbound/open/message%s", SLA(gc_part(c, gc_integration(c))),
                              known ? "" : "?prefetchConversationId=true"), body);
    return OUT_CALL;
}

/* ---- structured response, 7.2 ----------------------------------------------------------------------------------------------- */

static enum outcome gc_answer_call(struct call *c, struct delivery *d, const struct message *part)
{
    struct gc_offer offer = { 0 };
    struct choice choice = { 0 };
    if (d->step == GC_AS_TEXT || !gc_offer_find(c, part, &offer, &choice))
        return gc_message_call(c, d, part);

    struct jw w = jw_new(c->a, GC_BODY_MAX);
    jw_open(&w, NULL, '{');
    gc_channel(&w, c, d);
    jw_open(&w, "buttonResponse", '{'); /* text and payload exactly as offered: they are compared */
    jw_str(&w, "type", offer.type);
    jw_str(&w, "text", choice.label);
    jw_str(&w, "payload", choice.payload);
    jw_close(&w, '}');
    jw_str(&w, "originatingMessageId", offer.id);
    jw_close(&w, '}');
    gc_send(d, "POST", gc_url(c, "/conversations/messages/" SLF "/inbound/open/structured/response", SLA(gc_part(c, gc_integration(c)))),
            jw_done(&w));
    return OUT_CALL;
}

/* ---- event, 7.3; receipt, 7.4 -------------------------------------------------------------------------------------------------- */

static enum outcome gc_typing_call(struct call *c, struct delivery *d)
{
    if (!setting_true(c, GC_TYPING) || memory_get(c->guest_memory, "typing", c->now_ms).n)
        return OUT_DELIVERED; /* switched off, or one went just now */
    memory_set(c->guest_memory, "typing", SL("1"), c->now_ms + GC_TYPING_EVERY_MS);

    struct jw w = jw_new(c->a, GC_BODY_MAX);
    jw_open(&w, NULL, '{');
    jw_open(&w, "channel", '{');
    gc_from(&w, c);
    gc_time(&w, d);
    jw_close(&w, '}');
    jw_open(&w, "events", '[');
    jw_open(&w, NULL, '{');
    jw_str(&w, "eventType", SL("Typing"));
    jw_close(&w, '}');
    jw_close(&w, ']');
    jw_close(&w, '}');
    gc_send(d, "POST", gc_url(c, "/conversations/messages/" SLF "/inbound/open/event", SLA(gc_part(c, gc_integration(c)))), jw_done(&w));
    return OUT_CALL;
}

static enum outcome gc_receipt_call(struct call *c, struct delivery *d, const struct message *part)
{
    bool failed = part->status == STATUS_FAILED;
    slice id = gc_platform_id(part->of);
    /* News about one piece of several counts only when it is bad: the last piece speaks for all. */
    if (!id.n || (!failed && (part->status != STATUS_DELIVERED || id.n != part->of.n)))
        return OUT_DELIVERED;

    struct jw w = jw_new(c->a, GC_BODY_MAX);
    jw_open(&w, NULL, '{');
    jw_str(&w, "id", id);
    jw_open(&w, "channel", '{');
    jw_open(&w, "to", '{');
    jw_str(&w, "id", c->conversation->address);
    jw_str(&w, "idType", SL("Opaque"));
    jw_close(&w, '}');
    gc_time(&w, d);
    jw_close(&w, '}');
    jw_str(&w, "status", failed ? SL("Failed") : SL("Delivered"));
    jw_open(&w, "reasons", '[');
    if (failed) {
        slice code = gc_reason_code((enum reason)part->reason);
        jw_open(&w, NULL, '{');
        jw_str(&w, "code", code);
        jw_str(&w, "message", slice_or(part->reason_text, code)); /* required */
        jw_close(&w, '}');
    }
    jw_close(&w, ']');
    jw_bool(&w, "isFinalReceipt", true);
    jw_close(&w, '}');
    gc_send(d, "POST", gc_url(c, "/conversations/messages/" SLF "/inbound/open/receipt", SLA(gc_part(c, gc_integration(c)))), jw_done(&w));
    return OUT_CALL;
}

/* ---- steps ------------------------------------------------------------------------------------------------------------------------ */

static enum outcome gc_call(struct call *c, struct delivery *d, const struct message *part)
{
    if (part->kind == KIND_STATUS)
        return gc_receipt_call(c, d, part);
    if (part->kind == KIND_TYPING)
        return gc_typing_call(c, d);
    if (part->kind == KIND_ANSWER)
        return gc_answer_call(c, d, part);
    return gc_message_call(c, d, part);
}

/* "Traps" 11: a receipt that was not taken is answered 200, with a receipt that says Failed. */
static enum outcome gc_receipt_answer(struct call *c, struct delivery *d)
{
    const struct js *doc = gc_answer(c, d);
    if (!slice_eq(js_text(js_at(doc, "status")), SL("Failed")))
        return OUT_DELIVERED;
    slice code = js_text(js_at(doc, "reasons.0.code"));
    return refuse(c, d, gc_reason_of(code), "the receipt was not taken: " SLF, SLA(slice_or(code, SL("no reason given"))));
}

/* OUT_DELIVERED: this part is done. OUT_CALL: again, in the way that d->step says. */
static enum outcome gc_part_answer(struct call *c, struct delivery *d, const struct message *part)
{
    int status = d->last->status;
    if (gc_ok(d)) {
        if (part->kind == KIND_STATUS)
            return gc_receipt_answer(c, d);
        if (part->kind == KIND_TYPING)
            return OUT_DELIVERED;
        const struct js *doc = gc_answer(c, d);
        slice id = js_text(js_at(doc, "id")), conversation = js_text(js_at(doc, "conversationId"));
        if (id.n)
            d->vendor_id = id; /* of several, the last one's */
        if (conversation.n)
            d->desk_conversation = conversation;
        d->status = STATUS_SENT; /* the Published receipt says that it arrived, 4 */
        return OUT_DELIVERED;
    }
    if (status == 409 && (d->attempt > 0 || d->begun))
        return OUT_DELIVERED; /* the same messageId and time again: the first one was taken (that it is a 409 is unconfirmed) */
    if (part->kind == KIND_ANSWER && d->step == GC_FIRST && (status == 400 || status == 404)) {
        d->step = GC_AS_TEXT; /* a tapped button is never lost */
        return OUT_CALL;
    }
    if (status == 404 && part->kind != KIND_STATUS) { /* the integration was deleted over there: it is made again, the message waits */
        (void)gc_fail(c, d, "inbound message");
        d->set_up_again = true;
        d->reason = REASON_NONE;
        return OUT_RETRY;
    }
    return gc_fail(c, d, part->kind == KIND_STATUS ? "receipt" : part->kind == KIND_TYPING ? "typing" : "inbound message");
}

enum outcome gc_deliver(struct call *c, struct delivery *d)
{
    if (!gc_integration(c).n) {
        d->reason = REASON_SERVER;
        (void)fault(c->f, "not_ready", "", "the Open Messaging integration is not set up yet");
        return OUT_RETRY;
    }
    if (d->last && d->part < d->n_parts) {
        enum outcome end = gc_part_answer(c, d, &d->parts[d->part]);
        if (end != OUT_DELIVERED && end != OUT_CALL)
            return end;
        if (end == OUT_DELIVERED) {
            d->part++;
            d->step = GC_FIRST;
        }
    }
    for (; d->part < d->n_parts; d->part++) {
        enum outcome end = gc_call(c, d, &d->parts[d->part]);
        if (end != OUT_DELIVERED)
            return end;
    }
    return OUT_DELIVERED;
}
