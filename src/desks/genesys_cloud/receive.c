/* Request -> messages: the webhook, 8.1 and 8.2. The answer is the framework's 200 for everything that we can read at all: any other
 * status makes Genesys Cloud end the conversation in error ("Traps" 3). */
#include "desks/genesys_cloud/wire.h"

/* clang-format off */
static const struct js_field gc_outbound_fields[] = {                                                              /* 8.2 */
    JS_FIELD(struct gc_outbound, id,           "id",                    JS_STR,  0),
    JS_FIELD(struct gc_outbound, integration,  "channel.id",            JS_STR,  0),
    JS_FIELD(struct gc_outbound, to,           "channel.to.id",         JS_STR,  0),
    JS_FIELD(struct gc_outbound, from,         "channel.from.id",       JS_STR,  0),
    JS_FIELD(struct gc_outbound, at_ms,        "channel.time",          JS_TIME, 0),
    JS_FIELD(struct gc_outbound, type,         "type",                  JS_STR,  JS_REQ),
    JS_FIELD(struct gc_outbound, text,         "text",                  JS_STR,  0),
    JS_FIELD(struct gc_outbound, content,      "content",               JS_ANY,  0),
    JS_FIELD(struct gc_outbound, events,       "events",                JS_ANY,  0),
    JS_FIELD(struct gc_outbound, status,       "status",                JS_STR,  0),
    JS_FIELD(struct gc_outbound, reasons,      "reasons",               JS_ANY,  0),
    JS_FIELD(struct gc_outbound, final,        "isFinalReceipt",        JS_BOOL, 0),
    JS_FIELD(struct gc_outbound, direction,    "direction",             JS_STR,  0),
    JS_FIELD(struct gc_outbound, entity,       "originatingEntity",     JS_STR,  0),
    JS_FIELD(struct gc_outbound, conversation, "conversationId",        JS_STR,  0),
};

static const struct { slice wire; enum status status; } gc_statuses[] = {
    { SLI("Sent"),      STATUS_SENT },
    { SLI("Published"), STATUS_DELIVERED },    /* it stands in the agent's window */
    { SLI("Delivered"), STATUS_DELIVERED },
    { SLI("Read"),      STATUS_READ },
    { SLI("Failed"),    STATUS_FAILED },
};
/* clang-format on */

/* ---- which account? ---------------------------------------------------------------------------------------------------- */

slice gc_route_key(struct arena *a, const struct request *rq)
{
    const struct js *doc = js_parse(a, rq->body, NULL);
    slice key = js_text(js_at(doc, "channel.id"));
    return key.n ? key : js_text(js_at(doc, "channel.from.id"));
}

slice gc_route_own(struct call *c)
{
    return gc_integration(c);
}

/* ---- messages ------------------------------------------------------------------------------------------------------------ */

struct message *gc_message(struct inbox *in, enum kind kind, const struct gc_outbound *o, slice guest)
{
    struct message *m = inbox_add(in, kind);
    m->id = o->id;
    m->guest = guest;
    m->at_ms = o->at_ms;
    m->desk_conversation = o->conversation;
    m->origin = slice_eq(o->entity, SL("Human")) ? ORIGIN_AGENT : slice_eq(o->entity, SL("Bot")) ? ORIGIN_BOT : ORIGIN_NONE;
    return m;
}

/* A receipt has the id of the message it is about; together with its status that is unique. */
static void gc_receipt(struct call *c, const struct gc_outbound *o, slice guest, struct inbox *in)
{
    for (size_t i = 0; i < COUNT(gc_statuses); i++) {
        if (!slice_eq(gc_statuses[i].wire, o->status))
            continue;
        struct message *m = gc_message(in, KIND_STATUS, o, guest);
        m->id = arena_printf(c->a, SLF ":Receipt:" SLF, SLA(o->id), SLA(o->status));
        m->of = o->id;
        m->status = (int)gc_statuses[i].status;
        m->final = o->final || m->status == STATUS_FAILED;
        if (m->status != STATUS_FAILED)
            return;
        slice code = js_text(js_at(o->reasons, "0.code")), said = js_text(js_at(o->reasons, "0.message"));
        m->reason = (int)gc_reason_of(code);
        m->reason_text = code.n && said.n ? arena_printf(c->a, SLF ": " SLF, SLA(code), SLA(said)) : slice_or(said, code);
        return;
    }
    inbox_ignore(in, "unknown-receipt", o->id);
}

/* Only Typing is anything to us, and it is only ever "On" (7.3, "Traps" 12). */
static void gc_events(struct call *c, const struct gc_outbound *o, slice guest, struct inbox *in)
{
    if (!js_len(o->events))
        inbox_ignore(in, "unknown-event", o->id);
    for (size_t i = 0; i < js_len(o->events); i++) {
        const struct js *event = js_item(o->events, i);
        slice on = js_text(js_at(event, "typing.type"));
        if (!slice_eq(js_text(js_at(event, "eventType")), SL("Typing")) || (on.n && !slice_eq(on, SL("On")))) {
            inbox_ignore(in, "unknown-event", o->id);
            continue;
        }
        struct message *m = gc_message(in, KIND_TYPING, o, guest);
        m->id = o->id.n ? arena_printf(c->a, SLF ":Event:%zu", SLA(o->id), i)
                        : arena_printf(c->a, "Event:" SLF ":%lld:%zu", SLA(guest), (long long)o->at_ms, i);
        if (!js_int(js_at(event, "typing.duration"), &m->typing_ms) || m->typing_ms < 0)
            m->typing_ms = GC_TYPING_EVERY_MS;
    }
}

static bool gc_kind(struct call *c, const struct gc_outbound *o, slice guest, struct inbox *in)
{
    if (slice_eq(o->type, SL("Event")))
        return gc_events(c, o, guest, in), true;
    if (!o->id.n)
        return fault(c->f, "missing_field", "id", "is required");
    if (slice_eq(o->type, SL("Receipt")))
        return gc_receipt(c, o, guest, in), true;
    if (slice_eq(o->type, SL("Text")) || slice_eq(o->type, SL("Structured")) || slice_eq(o->type, SL("Message")))
        return gc_content(c, o, guest, in), true;
    if (o->text.n || js_len(o->content))
        return gc_content(c, o, guest, in), true; /* a type of tomorrow: what can be read of it is read */
    return inbox_ignore(in, "unknown-type", o->id), true;
}

bool gc_receive(struct call *c, const struct request *rq, struct inbox *in)
{
    if (rq->polled)
        return gc_receive_poll(c, rq, in);

    const struct js *doc = js_parse(c->a, rq->body, c->f);
    struct gc_outbound o = { .at_ms = c->now_ms };
    if (!doc || !js_read(c->a, doc, gc_outbound_fields, COUNT(gc_outbound_fields), &o, c->f))
        return false;
    if (slice_eq(o.direction, SL("Inbound")))
        return inbox_ignore(in, "own-echo", o.id), true;
    /* 8.2: the guest is whom it goes to; a receipt about a guest's message may name the two the other way round (unconfirmed). */
    slice guest = o.to.n && !slice_eq(o.to, o.integration) ? o.to : o.from;
    if (!guest.n || slice_eq(guest, o.integration))
        return fault(c->f, "missing_field", "channel.to.id", "is required");
    return gc_kind(c, &o, guest, in);
}
