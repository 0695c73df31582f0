/* Has the conversation ended? Open Messaging never tells, 8.3; so the open ones are asked after.
 *
 * A transfer, a rejection or a requeue disconnects an agent, never the guest: the end is the end of the conversation, or of every
 * one of the guest's own legs ("Traps" 14). */
#include "desks/genesys_cloud/wire.h"

#define GC_ENDED "ended" /* guest's memory: the end that was told last */
enum { GC_REOPEN_GRACE_MS = 2 * 60 * 1000 }; /* a guest's message after the end is about to bring the conversation back */

enum outcome gc_poll(struct call *c, struct delivery *d)
{
    const struct conversation *who = c->conversation;
    if (d->last || !who || !who->open || !who->desk_conversation.n)
        return OUT_DELIVERED;
    gc_get(d, gc_url(c, "/conversations/" SLF, SLA(gc_part(c, who->desk_conversation))));
    return OUT_CALL;
}

/* clang-format off */
struct gc_leg {
    slice state;
    int64_t ended_ms;
};
static const struct js_field gc_leg_fields[] = {
    JS_FIELD(struct gc_leg, state,    "state",            JS_STR,  0),
    JS_FIELD(struct gc_leg, ended_ms, "disconnectedTime", JS_TIME, 0),
};
struct gc_participant {
    slice purpose;
    int64_t ended_ms;
    struct js_list legs; /* struct gc_leg */
};
static const struct js_field gc_participant_fields[] = {
    JS_FIELD(struct gc_participant, purpose,  "purpose", JS_STR,  0),
    JS_FIELD(struct gc_participant, ended_ms, "endTime", JS_TIME, 0),
    JS_FIELD_LIST(struct gc_participant, legs, "messages", struct gc_leg, gc_leg_fields, 0),
};
struct gc_conversation {
    slice id;
    int64_t ended_ms;
    struct js_list participants; /* struct gc_participant */
};
static const struct js_field gc_conversation_fields[] = {
    JS_FIELD(struct gc_conversation, id,       "id",      JS_STR,  JS_REQ),
    JS_FIELD(struct gc_conversation, ended_ms, "endTime", JS_TIME, 0),
    JS_FIELD_LIST(struct gc_conversation, participants, "participants", struct gc_participant, gc_participant_fields, 0),
};
/* clang-format on */

/* True: over; *ret_ms: since when, 0 where nothing says it. */
static bool gc_ended(const struct gc_conversation *conversation, int64_t *ret_ms)
{
    *ret_ms = conversation->ended_ms;
    if (conversation->ended_ms)
        return true;
    size_t legs = 0;
    for (size_t i = 0; i < conversation->participants.n; i++) {
        const struct gc_participant *p = LIST_AT(conversation->participants, struct gc_participant, i);
        if (!slice_eq(p->purpose, SL("customer")))
            continue;
        for (size_t k = 0; k < p->legs.n; k++, legs++) {
            const struct gc_leg *leg = LIST_AT(p->legs, struct gc_leg, k);
            if (!slice_eq(leg->state, SL("disconnected")))
                return false;
            *ret_ms = MAX(*ret_ms, leg->ended_ms);
        }
        *ret_ms = MAX(*ret_ms, p->ended_ms);
    }
    return legs > 0;
}

bool gc_receive_poll(struct call *c, const struct request *rq, struct inbox *in)
{
    const struct conversation *who = c->conversation;
    bool gone = rq->status == 404; /* deleted, or older than they are kept: nobody will ever end it */
    if (!who || (!gone && (rq->status < 200 || rq->status >= 300)))
        return inbox_ignore(in, "poll-failed", SLICE_NONE), true; /* asked again at its next turn */

    struct gc_conversation now = { .id = who->desk_conversation };
    int64_t ended_ms = 0;
    if (!gone) {
        const struct js *doc = js_parse(c->a, rq->body, c->f);
        if (!doc || !js_read(c->a, doc, gc_conversation_fields, COUNT(gc_conversation_fields), &now, c->f))
            return false;
        if (!slice_eq(now.id, who->desk_conversation) || !gc_ended(&now, &ended_ms))
            return true;
    }
    if (ended_ms < who->last_in_ms && c->now_ms - who->last_in_ms < GC_REOPEN_GRACE_MS)
        return true;
    slice id = arena_printf(c->a, SLF ":" SLF, SLA(now.id), SLA(ended_ms ? time_rfc3339(c->a, ended_ms) : SL("0")));
    bool again = slice_eq(id, memory_get(c->guest_memory, GC_ENDED, c->now_ms));
    if (again && ended_ms && ended_ms < who->last_in_ms)
        return true; /* the guest is back, and what ended before is still named */
    struct message *m = inbox_add(in, KIND_EVENT);
    m->event = EVENT_CLOSED;
    /* It may end twice at one moment, or at moments nobody names: what an agent said before the end arrives behind it, and opens it again here; and it comes
     * back to life under its id ("Traps" 13). Then the second end must not be taken for the first told twice. */
    m->id = again ? arena_printf(c->a, "closed:" SLF ":again:" SLF, SLA(id), SLA(time_rfc3339(c->a, c->now_ms))) : arena_printf(c->a, "closed:" SLF, SLA(id));
    inbox_remember(in, m, GC_ENDED, id, 0);
    m->guest = who->address;
    m->at_ms = ended_ms ? ended_ms : c->now_ms;
    m->origin = ORIGIN_HUB;
    m->desk_conversation = now.id;
    return true;
}
