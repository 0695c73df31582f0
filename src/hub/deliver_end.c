#include "hub/deliver-private.h"
#include "hub/accept.h"
#include "hub/conversation.h"
#include "hub/history.h"
#include "hub/later.h"
#include "hub/media.h"
#include "hub/meters.h"
#include "hub/notice.h"
#include "hub/state.h"
#include "hub/work.h"

enum {
    STORAGE_RETRY_MS = 1000, /* before an outcome that could not be stored is written again */
    RETRY_MOST_MS = 3600000, /* of what a vendor's Retry-After may ask for */
    VENDOR_ID_MAX = 180,
};
void deliver_free(struct delivering *dl)
{
    *(dl->prev ? &dl->prev->next : &dl->h->deliveries) = dl->next;
    if (dl->next)
        dl->next->prev = dl->prev;
    loop_timer_done(&dl->again);
    if (dl->run)
        run_free(dl->run);
    deliver_ask_free(dl->ask);
    if (dl->conv)
        conv_release(dl->conv);
    free(dl->work);
    arena_free(dl->a);
}

static void finished(struct delivering *dl)
{
    struct actor *target = dl->work->target;
    struct hub *h = dl->h;
    bool was_full = h->in_flight-- >= h->limits.in_flight_all;
    if (dl->work->probe) /* whatever it came to: a probe that told nothing must not hold the others for ever */
        target->breaker.probing = false;
    deliver_free(dl);
    target->in_flight--;
    for (size_t i = 0; was_full && i < h->n_actors; i++) { /* others may wait for the place, too: each in turn */
        h->pump_next = (h->pump_next + 1) % h->n_actors;
        deliver_pump(h->actors[h->pump_next]);
    }
    deliver_pump(target);
}

static slice message_peer(const struct message *m)
{
    return slice_or(m->peer_id, m->id);
}

bool deliver_desk_wants(const struct delivering *dl, enum status status)
{
    const struct connector *desk = dl->source->account.type;
    return dl->conv && desk->desk && dl->m.origin != ORIGIN_HUB && kind_is_content((enum kind)dl->m.kind) && (desk->caps.statuses & CAN(status));
}

/* The desk is told how far its message came, where it wants to know. */
static void tell_desk(struct delivering *dl, struct jbatch *b)
{
    enum reason reason = dl->tell == STATUS_FAILED ? (dl->reason ? dl->reason : REASON_GENERAL) : REASON_NONE;
    struct message st = { .kind = KIND_STATUS, .origin = ORIGIN_HUB, .guest = dl->conv->pub.guest, .at_ms = time_now_ms(),
                          .of = message_peer(&dl->m), .status = (int)dl->tell, .reason = (int)reason, .final = true };
    if (reason != REASON_NONE)
        st.reason_text = slice_of(dl->fault.text);
    accept_own(dl->source, dl->conv, &st, b);
}

/* A line that only the agent sees. A bot would take it for the guest's. */
static void tell_agent(struct delivering *dl, struct jbatch *b)
{
    slice text = arena_printf(dl->a, "[Commander] " SLF, SLA(dl->say));
    struct message m = { .kind = KIND_TEXT, .origin = ORIGIN_HUB, .guest = dl->conv->pub.guest, .at_ms = time_now_ms(), .text = text, .name = SL("commander") };
    if (dl->m.origin == ORIGIN_AGENT)
        accept_own(dl->source, dl->conv, &m, b);
}

static void log_outcome(struct delivering *dl, enum level level, const char *what, const char *text)
{
    struct log_line *l = log_begin(dl->h->log, level, "%s", what);
    log_str(l, "tenant", dl->work->target->tenant->name);
    log_str(l, "connector", slice_of(dl->work->target->account.type->name));
    log_str(l, "account", dl->work->target->account.id);
    log_int(l, "message", (int64_t)dl->work->id);
    log_str(l, "type", slice_of(kind_names[dl->m.kind]));
    log_int(l, "attempt", dl->work->attempts);
    if (text)
        log_str(l, "why", slice_of(text));
    log_end(l);
}

static slice note_of(struct delivering *dl, enum outcome end)
{
    if (dl->run)
        return run_note(dl->run, end, dl->adapted.note);
    struct jw w = jw_new(dl->a, 4096);
    jw_open(&w, NULL, '{');
    jw_str(&w, "end", slice_of(outcome_names[end]));
    if (dl->reason != REASON_NONE)
        jw_str(&w, "reason", slice_of(reason_names[dl->reason]));
    if (dl->fault.code)
        jw_str(&w, "text", slice_of(dl->fault.text));
    jw_close(&w, '}');
    return jw_done(&w);
}

slice deliver_progress_key(struct delivering *dl, char letter)
{
    return state_message_key(dl->a, letter, dl->work->id);
}

static void forget(struct delivering *dl, struct jbatch *b)
{
    if (dl->unread || dl->discarded) { /* what is there was not looked at, or is being removed */
        media_abandon(dl->h, dl->work->id);
        state_forget_message(dl->h->state, b, dl->work->id);
        return;
    }
    if (dl->has_progress || (dl->run && dl->run->saved))
        state_put(dl->h->state, b, deliver_progress_key(dl, 'd'), SLICE_NONE);
    if (dl->resumed.p)
        state_put(dl->h->state, b, deliver_progress_key(dl, 'r'), SLICE_NONE);
    if (dl->has_said)
        state_put(dl->h->state, b, deliver_progress_key(dl, 'x'), SLICE_NONE);
    media_forget(dl->h, dl->work->id, dl->said.n ? &dl->files : &dl->m, b);
}


/* Who stands at the other end, where that is our own API and the message has arrived there; NULL: nobody. */
static const struct own_end *own_end_of(const struct delivering *dl)
{
    const struct connector *type = dl->work->target->account.type;
    return type->own_end && dl->state == J_DELIVERED && dl->end == OUT_DELIVERED ? hub_own_end_of(dl->h, type) : NULL;
}

static struct own_delivery own_delivery_of(const struct delivering *dl)
{
    return (struct own_delivery){ .to = dl->work->target, .conv = dl->conv, .id = dl->work->id, .m = &dl->m, .parts = dl->adapted.parts,
                                  .n_parts = dl->adapted.n, .accepted_ms = dl->work->accepted_ms };
}

/* A message whose outcome is not stored stays open, and with it its place among those under way: the journal would otherwise wait for it until
 * the next start, and deliver it twice then. */
static void recorded(void *arg, bool ok)
{
    struct delivering *dl = arg;
    history_stir(dl->h->history);
    if (ok || dl->h->stopped) {
        const struct own_end *end = ok && !dl->h->stopped ? own_end_of(dl) : NULL;
        struct own_delivery d = own_delivery_of(dl);
        if (end && end->taken)
            end->taken(end->arg, &d);
        struct asking_line *ask = ok && !dl->h->stopped ? dl->ask : NULL;
        dl->ask = ask ? NULL : dl->ask;
        finished(dl);
        if (ask)
            deliver_ask(ask);
        return;
    }
    log_end(log_begin_fault(dl->h->log, LEVEL_ERROR, journal_last_fault(dl->h->journal), "An outcome is not stored yet; it will be tried again"));
    hub_notice_part(dl->h, NOTICE_JOURNAL_FAILS, SLICE_NONE, slice_of(journal_last_fault(dl->h->journal)->text));
    memory_soil(dl->work->target->memory);
    if (dl->conv)
        conv_soil(dl->conv);
    loop_timer_start(dl->h->loop, &dl->again, STORAGE_RETRY_MS, deliver_record, dl);
}

void deliver_record(void *arg)
{
    struct delivering *dl = arg;
    uint64_t id = dl->work->id;
    struct jbatch *b = jbatch_new(dl->h->journal);
    enum jdurability how = JOURNAL_LAZY;
    if (dl->discarded) {
        forget(dl, b);
    } else if (dl->end == OUT_RETRY) {
        jbatch_retry(b, id, dl->until_ms, dl->note);
    } else if (dl->end == OUT_PARKED) {
        jbatch_park(b, id, dl->wait_key, dl->until_ms, dl->note);
    } else {
        const struct own_end *end = own_end_of(dl);
        struct own_delivery d = own_delivery_of(dl);
        jbatch_settle(b, id, dl->state, dl->note);
        if (dl->conv && (dl->state == J_DEAD || dl->state == J_UNKNOWN) && kind_is_content((enum kind)dl->m.kind))
            media_purge_given_up(dl->h, dl->conv, b);
        if (end) {
            end->take(end->arg, &d, b);
            how = JOURNAL_DURABLE; /* pages show it then: it must not come once more after a power cut, or from another worker */
        }
        forget(dl, b);
    }
    if (dl->tell != STATUS_NONE)
        tell_desk(dl, b);
    if (dl->say.n)
        tell_agent(dl, b);
    if (dl->plan)
        later_put(dl->h, b, dl->conv, dl->later_ms, dl->conv->pub.agent_name);
    if ((dl->end == OUT_RETRY || dl->end == OUT_PARKED) && dl->run && !dl->discarded)
        run_keep_progress(dl->run, b);
    actor_save(dl->work->target, b);
    if (dl->conv)
        conv_save(dl->conv, b);
    jbatch_commit(b, how, recorded, dl);
}

void deliver_settle(struct delivering *dl, enum jstate state, enum outcome end, slice note)
{
    dl->end = end;
    dl->state = state;
    dl->note = note;
    deliver_record(dl);
}

void deliver_end(struct delivering *dl, enum jstate state, enum outcome end)
{
    if (dl->said.n && dl->conv) /* what the agent sent by its name was not taken */
        dl->say = arena_printf(dl->a, state == J_DEAD ? "It was not sent: %s" : "Perhaps it was not sent: %s", dl->fault.text);
    if (state == J_DEAD && deliver_desk_wants(dl, STATUS_FAILED))
        dl->tell = STATUS_FAILED;
    meter_outcome(dl->work->target, jstate_names[state], -1);
    log_outcome(dl, LEVEL_ERROR, state == J_DEAD ? "Message not delivered" : "Message may or may not have been delivered", dl->fault.text);
    hub_notice_dead(dl->work->target, state, dl->reason, slice_of(dl->fault.text));
    deliver_settle(dl, state, end, note_of(dl, end));
}

void deliver_ignore(struct delivering *dl, const char *by)
{
    if (dl->m.kind == KIND_STATUS && dl->m.status == STATUS_FAILED)
        log_outcome(dl, LEVEL_WARN, "The other side could not take a message", reason_names[dl->m.reason]);
    meter_ignored(dl->h, dl->work->target->account.type, by);
    deliver_settle(dl, J_IGNORED, OUT_DELIVERED, arena_printf(dl->a, "{\"rule\":\"%s\"}", by));
}

/* What the conversation learns from a delivery to its desk … */
static void learn_of_desk(struct delivering *dl)
{
    struct conv *conv = dl->conv;
    const struct run *r = dl->run;
    if (r->d.desk_conversation.n)
        conv_desk(conv, r->d.desk_conversation);
    if (dl->list_used)
        memory_set(conv->memory, LIST_MEMORY, SLICE_NONE, 0);
    if (!kind_is_content((enum kind)dl->m.kind) || !conv->pub.desk_conversation.n || conv->pub.open)
        return;
    struct jbatch *b = jbatch_new(dl->h->journal);
    conv_open(conv, true, b);
    jbatch_commit(b, JOURNAL_LAZY, NULL, NULL);
}

/* … and from one to its guest. */
static void learn_of_guest(struct delivering *dl, enum status reached, int64_t now_ms)
{
    struct conv *conv = dl->conv;
    slice vendor_id = dl->run->d.vendor_id;
    conv->pub.last_out_ms = now_ms;
    conv->dirty = true;
    if (dl->adapted.list.n)
        memory_set(conv->memory, LIST_MEMORY, dl->adapted.list, 0);
    slice offer = offer_of_parts(dl->a, dl->adapted.parts, dl->adapted.n);
    if (offer.n)
        memory_set(conv->memory, OFFER_MEMORY, offer, 0);
    if (reached == STATUS_SENT && dl->m.origin != ORIGIN_HUB && vendor_id.n && vendor_id.n < VENDOR_ID_MAX) /* more news will name it by the vendor's id */
        memory_set(conv->memory, arena_printf(dl->a, "sent:" SLF, SLA(vendor_id)).p, message_peer(&dl->m),
                   now_ms + dl->h->limits.dedupe_ms);
    if (deliver_desk_wants(dl, reached))
        dl->tell = reached;
}

static void end_delivered(struct delivering *dl)
{
    int64_t now_ms = time_now_ms();
    enum status reached = dl->run->d.status ? dl->run->d.status : STATUS_DELIVERED;
    breaker_success(&dl->work->target->breaker);
    hub_notice(dl->h, NOTICE_CHANNEL_WORKS, dl->work->target, SLICE_NONE);
    if (dl->work->target->account.type->desk)
        learn_of_desk(dl);
    else if (kind_is_content((enum kind)dl->m.kind))
        learn_of_guest(dl, reached, now_ms);
    meter_outcome(dl->work->target, "delivered", now_ms - dl->work->accepted_ms);
    if (log_on(dl->h->log, LEVEL_DEBUG))
        log_outcome(dl, LEVEL_DEBUG, "Message delivered", NULL);
    deliver_settle(dl, J_DELIVERED, OUT_DELIVERED, note_of(dl, OUT_DELIVERED));
}

void deliver_retry(struct delivering *dl, int64_t in_ms, bool hard, bool counts)
{
    struct actor *target = dl->work->target;
    if (dl->m.kind == KIND_TYPING) {
        if (counts)
            breaker_failure(&target->breaker, hard, time_mono_ms(), 0);
        deliver_ignore(dl, "typing-not-repeated");
        return;
    }
    uint32_t random;
    random_bytes(&random, sizeof(random));
    in_ms = in_ms > 0 ? MIN(in_ms, RETRY_MOST_MS) : backoff_ms(dl->work->attempts, random);
    int64_t closed_ms = counts ? breaker_failure(&target->breaker, hard, time_mono_ms(), random) : 0;
    in_ms = MAX(in_ms, closed_ms);
    meter_outcome(target, "retry", -1);
    log_outcome(dl, LEVEL_INFO, "Message put off", dl->fault.text);
    dl->end = OUT_RETRY;
    dl->until_ms = time_now_ms() + in_ms;
    dl->note = note_of(dl, OUT_RETRY);
    deliver_record(dl);
}

static void end_parked(struct delivering *dl)
{
    const struct delivery *d = &dl->run->d;
    breaker_success(&dl->work->target->breaker);
    dl->end = OUT_PARKED;
    dl->until_ms = d->wait_until_ms;
    dl->wait_key = arena_printf(dl->a, SLF "\x1f" SLF, SLA(dl->work->target->account.id), SLA(d->wait_for));
    dl->note = note_of(dl, OUT_PARKED);
    deliver_record(dl);
}

void deliver_run_ended(struct run *r, enum outcome end)
{
    struct delivering *dl = r->arg;
    dl->fault = r->fault;
    dl->reason = r->d.reason;
    const struct answer *last = r->n_hops ? &r->last : NULL;
    switch (end) {
    case OUT_DELIVERED: end_delivered(dl); return;
    case OUT_REFUSED:
        breaker_success(&dl->work->target->breaker); /* it answers */
        if (dl->reason != REASON_CREDENTIALS)
            hub_notice(dl->h, NOTICE_CHANNEL_WORKS, dl->work->target, SLICE_NONE);
        deliver_end(dl, J_DEAD, end);
        return;
    case OUT_UNKNOWN:
        breaker_failure(&dl->work->target->breaker, true, time_mono_ms(), 0);
        deliver_end(dl, J_UNKNOWN, end);
        return;
    case OUT_PARKED: end_parked(dl); return;
    case OUT_CALL:
    case OUT_RETRY: break;
    }
    if (last && last->status == 0 && last->written && !r->d.last_repeatable) {
        /* the connector says again, but a call that must not be repeated may have been taken */
        deliver_end(dl, J_UNKNOWN, OUT_UNKNOWN);
        return;
    }
    if (r->d.set_up_again)
        actor_set_up_again(dl->work->target);
    deliver_retry(dl, r->d.retry_ms, !last || last->status == 0, true);
}
