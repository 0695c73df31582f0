#include "hub/deliver-private.h"
#include "hub/accept.h"
#include "hub/adapt.h"
#include "hub/command.h"
#include "hub/conversation.h"
#include "hub/history.h"
#include "hub/later.h"
#include "hub/media.h"
#include "hub/meters.h"
#include "hub/notice.h"
#include "hub/run.h"
#include "hub/state.h"
#include "hub/work.h"

enum {
    YIELD_IN_FLIGHT = 4, /* to one account, while senders wait … */
    YIELD_TURNS = 16,    /* … which is when one came within so many turns of the loop */
    TYPING_STALE_MS = 15000, GIVE_UP_ATTEMPTS = 3,
    STORAGE_RETRY_MS = 1000,  /* before an outcome that could not be stored is written again */
    RETRY_MOST_MS = 3600000,  /* of what a vendor's Retry-After may ask for */
    VENDOR_ID_MAX = 180,
};

struct homeless { /* offered, but its account is not configured: it waits until it is, in this process or the next */
    struct homeless *next;
    struct joffer o;
    char lane[];
};
static void begin(struct work *w);

/* ---- ready ---------------------------------------------------------------------------------------------------------- */

void deliver_offer(struct hub *h, const struct joffer *o)
{
    slice conv_id = o->lane;
    slice target_id = slice_cut(&conv_id, 0x1f);
    slice guest = conv_id;
    slice channel_id = slice_cut(&guest, ':');
    struct actor *target = hub_actor(h, target_id), *channel = hub_actor(h, channel_id);
    if (!target || !channel || !guest.n) {
        struct jbatch *b = jbatch_new(h->journal);
        jbatch_note(b, o->id, SL("{\"text\":\"its account is not configured\"}"));
        jbatch_commit(b, JOURNAL_LAZY, NULL, NULL);
        struct homeless *hl = must_calloc(1, sizeof(*hl) + o->lane.n);
        hl->o = *o;
        memcpy(hl->lane, o->lane.p, o->lane.n);
        hl->o.lane = slice_mem(hl->lane, o->lane.n);
        hl->next = h->homeless;
        h->homeless = hl;
        return;
    }
    struct work *w = must_calloc(1, sizeof(*w) + guest.n);
    *w = (struct work){ .id = o->id, .target = target, .channel = channel, .accepted_ms = o->accepted_ms,
                        .attempts = o->attempts, .interrupted = o->interrupted, .begun = o->begun, .n_guest = guest.n };
    memcpy(w->guest, guest.p, guest.n);
    *(target->ready ? target->ready_last : &target->ready) = w;
    target->ready_last = &w->next;
    target->n_ready++;
    deliver_pump(target);
}

void deliver_homeless(struct hub *h)
{
    struct homeless *hl = h->homeless;
    h->homeless = NULL;
    for (struct homeless *next; hl; hl = next) {
        next = hl->next;
        slice conv_id = hl->o.lane;
        slice target = slice_cut(&conv_id, 0x1f);
        slice channel = slice_cut(&conv_id, ':');
        if (hub_actor(h, target) && hub_actor(h, channel)) {
            deliver_offer(h, &hl->o);
            free(hl);
        } else {
            hl->next = h->homeless;
            h->homeless = hl;
        }
    }
}

/* While senders stand in line for a processor that is too slow, they go first: what is accepted can wait, they give up. A few deliveries
 * go on, so that nobody starves; each that ends looks again. */
static unsigned in_flight_most(const struct hub *h)
{
    bool yields = loop_is_pressed(h->loop) && loop_turns(h->loop) - h->asked_turn <= YIELD_TURNS;
    return yields ? MIN((unsigned)YIELD_IN_FLIGHT, h->limits.in_flight) : h->limits.in_flight;
}

static void woken(void *arg)
{
    deliver_pump(arg);
}

void deliver_pump(struct actor *target)
{
    struct hub *h = target->hub;
    if (target->pumping)
        return; /* a delivery that ended at once: the loop below goes on, instead of one frame deeper for each */
    target->pumping = true;
    while ((target->set_up || target->set_up_refused) && !target->retired && target->ready && !h->draining && target->in_flight < in_flight_most(h) &&
           h->in_flight < h->limits.in_flight_all) {
        int64_t wait_ms;
        if (!breaker_lets(&target->breaker, time_mono_ms(), &wait_ms)) {
            if (wait_ms && !target->wake.active)
                loop_timer_start(h->loop, &target->wake, wait_ms, woken, target);
            hub_notice(h, NOTICE_CHANNEL_PAUSED, target, SL("calls to it fail; messages wait"));
            break;
        }
        struct work *w = target->ready;
        target->ready = w->next;
        target->n_ready--;
        target->in_flight++;
        h->in_flight++;
        w->probe = target->breaker.probing;
        begin(w);
    }
    target->pumping = false;
}

void deliver_drop(struct actor *target)
{
    for (struct work *w = target->ready, *next; w; w = next) {
        next = w->next;
        free(w);
    }
    target->ready = NULL;
    target->n_ready = 0;
}

/* No call is made for one that has not begun. What has is at most carried to the end of its attempt. */
void deliver_discarded(struct hub *h, uint64_t id)
{
    for (size_t i = 0; i < h->n_actors; i++) {
        struct actor *target = h->actors[i];
        struct work **at = &target->ready;
        for (struct work *w; (w = *at);) {
            if (w->id != id) {
                at = &w->next;
                continue;
            }
            *at = w->next;
            target->n_ready--;
            free(w);
        }
        target->ready_last = at;
    }
    for (struct homeless **at = &h->homeless, *hl; (hl = *at);) {
        if (hl->o.id != id) {
            at = &hl->next;
            continue;
        }
        *at = hl->next;
        free(hl);
    }
    for (struct delivering *dl = h->deliveries; dl; dl = dl->next)
        dl->discarded |= dl->work->id == id;
    media_abandon(h, id);
    struct jbatch *b = jbatch_new(h->journal);
    state_forget_message(h->state, b, id);
    jbatch_commit(b, JOURNAL_LAZY, NULL, NULL);
}

/* ---- ending --------------------------------------------------------------------------------------------------------- */

static void delivering_free(struct delivering *dl)
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
    delivering_free(dl);
    target->in_flight--;
    for (size_t i = 0; was_full && i < h->n_actors; i++) { /* others may wait for the place, too: each in turn */
        h->pump_next = (h->pump_next + 1) % h->n_actors;
        deliver_pump(h->actors[h->pump_next]);
    }
    deliver_pump(target);
}

void deliver_stop(struct hub *h)
{
    while (h->deliveries)
        delivering_free(h->deliveries);
    for (struct homeless *hl = h->homeless, *next; hl; hl = next) {
        next = hl->next;
        free(hl);
    }
    h->homeless = NULL;
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
        if (end)
            end->take(end->arg, &d, b);
        forget(dl, b);
    }
    if (dl->tell != STATUS_NONE)
        tell_desk(dl, b);
    if (dl->say.n)
        tell_agent(dl, b);
    if (dl->plan)
        later_put(dl->h, b, dl->conv, dl->later_ms, dl->conv->pub.agent_name);
    if ((dl->end == OUT_RETRY || dl->end == OUT_PARKED) && dl->run && !dl->discarded)
        run_save_progress(dl->run, b);
    actor_save(dl->work->target, b);
    if (dl->conv)
        conv_save(dl->conv, b);
    jbatch_commit(b, JOURNAL_LAZY, recorded, dl);
}

void deliver_settle(struct delivering *dl, enum jstate state, enum outcome end, slice note)
{
    dl->end = end;
    dl->state = state;
    dl->note = note;
    deliver_record(dl);
}

static void end_final(struct delivering *dl, enum jstate state, enum outcome end)
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

static void end_ignored(struct delivering *dl, const char *by)
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
    conv_set(conv, &conv->pub.desk_conversation, slice_or(r->d.desk_conversation, conv->pub.desk_conversation));
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
        end_ignored(dl, "typing-not-repeated");
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

static void run_ended(struct run *r, enum outcome end)
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
        end_final(dl, J_DEAD, end);
        return;
    case OUT_UNKNOWN:
        breaker_failure(&dl->work->target->breaker, true, time_mono_ms(), 0);
        end_final(dl, J_UNKNOWN, end);
        return;
    case OUT_PARKED: end_parked(dl); return;
    case OUT_CALL:
    case OUT_RETRY: break;
    }
    if (last && last->status == 0 && last->written && !r->d.last_repeatable) {
        /* the connector says again, but a call that must not be repeated may have been taken */
        end_final(dl, J_UNKNOWN, OUT_UNKNOWN);
        return;
    }
    if (r->d.set_up_again)
        actor_set_up_again(dl->work->target);
    deliver_retry(dl, r->d.retry_ms, !last || last->status == 0, true);
}

/* ---- beginning ------------------------------------------------------------------------------------------------------ */

static bool adapt_all(struct delivering *dl)
{
    struct adapt_to to = { &dl->work->target->account, &dl->conv->pub };
    struct message *all = NULL;
    if (!adapt_message(dl->a, &to, &dl->m, &dl->adapted, &dl->reason, &dl->fault))
        return false;
    for (size_t i = 1; i < dl->said.n; i++) { /* a response of several messages */
        struct adapted more;
        if (!adapt_message(dl->a, &to, LIST_AT(dl->said, struct message, i), &more, &dl->reason, &dl->fault))
            return false;
        all = ARENA_ARRAY(dl->a, struct message, dl->adapted.n + more.n);
        memcpy(all, dl->adapted.parts, dl->adapted.n * sizeof(all[0]));
        memcpy(all + dl->adapted.n, more.parts, more.n * sizeof(all[0]));
        dl->adapted.parts = all;
        dl->adapted.n += more.n;
        dl->adapted.note = more.note.n ? arena_printf(dl->a, SLF "%s" SLF, SLA(dl->adapted.note), dl->adapted.note.n ? " " : "", SLA(more.note)) : dl->adapted.note;
        dl->adapted.list = slice_or(more.list, dl->adapted.list);
    }
    return true;
}

static void deliver_run(struct delivering *dl)
{
    struct actor *target = dl->work->target;
    if (dl->discarded) { /* while it waited for its media or a name: no call is made */
        deliver_settle(dl, J_DEAD, OUT_REFUSED, SLICE_NONE);
        return;
    }
    if (!adapt_all(dl)) {
        end_final(dl, J_DEAD, OUT_REFUSED);
        return;
    }
    struct run *r = dl->run = run_new(target, dl->conv, target->account.type->deliver, run_ended, dl);
    r->id = dl->work->id;
    r->trace_id = dl->m.trace_id;
    r->d.m = &dl->m;
    r->d.parts = dl->adapted.parts;
    r->d.n_parts = dl->adapted.n;
    r->d.part = r->saved_part = dl->part;
    r->d.step = r->saved_step = dl->step;
    r->d.keep = r->saved_keep = dl->keep;
    r->saved = dl->has_progress;
    r->d.resumed = dl->resumed;
    r->d.attempt = dl->work->attempts;
    r->d.interrupted = dl->work->interrupted;
    r->d.begun = dl->work->begun;
    r->d.accepted_ms = dl->work->accepted_ms;
    r->d.key = arena_printf(dl->a, "%s-%llu", dl->h->key_prefix, (unsigned long long)dl->work->id);
    run_start(r);
}

static void looked_up(struct run *r, enum outcome end)
{
    struct delivering *dl = r->arg;
    struct conv *conv = dl->conv;
    const struct lookup *lk = &r->actor->account.type->lookup;
    int64_t until_ms = time_now_ms() + (end == OUT_DELIVERED ? lk->keep_ms : lk->unknown_ms);
    if (r->actor->account.type->desk) {
        if (r->d.person.name.n) /* where nobody could be asked, it is the name the account gives instead */
            conv_set(conv, &conv->pub.agent_name, r->d.person.name);
        conv->agent_until_ms = until_ms;
    } else {
        if (end == OUT_DELIVERED)
            conv_person(conv, &r->d.person);
        for (size_t i = 0; i < r->d.data.n; i++) {
            const struct js_pair *p = LIST_AT(r->d.data, struct js_pair, i);
            message_data(dl->a, &dl->m, arena_dup(dl->a, p->key), arena_dup(dl->a, p->value));
        }
        if (r->d.text.n)
            dl->m.text = arena_dup(dl->a, r->d.text);
        if (r->d.location.present) {
            dl->m.kind = KIND_LOCATION;
            dl->m.location = r->d.location;
            dl->m.location.title = arena_dup(dl->a, r->d.location.title);
            dl->m.location.address = arena_dup(dl->a, r->d.location.address);
            dl->m.media.n = 0;
        }
        if (r->d.payload.n)
            dl->m.payload = arena_dup(dl->a, r->d.payload);
        conv->person_until_ms = until_ms;
    }
    conv->dirty = true;
    run_free(r);
    deliver_run(dl);
}

static bool more_to_ask(struct delivering *dl, const struct lookup *lk)
{
    struct call c;
    struct fault f = { 0 };
    if (!lk->more)
        return false;
    actor_call(dl->source, &c, dl->a, dl->conv, &f);
    return lk->more(&c, &dl->m);
}

void deliver_lookup(void *arg)
{
    struct delivering *dl = arg;
    const struct lookup *lk = &dl->source->account.type->lookup;
    bool desk = dl->source->account.type->desk;
    int64_t until_ms = desk ? dl->conv->agent_until_ms : dl->conv->person_until_ms;
    bool may = lk->who && kind_is_content((enum kind)dl->m.kind) && dl->m.origin != ORIGIN_HUB;
    bool wanted = may && (time_now_ms() >= until_ms || more_to_ask(dl, lk));
    if (!wanted || (desk && dl->m.origin == ORIGIN_BOT)) {
        deliver_run(dl);
        return;
    }
    struct run *r = run_new(dl->source, dl->conv, lk->who, looked_up, dl);
    r->no_wait = true;
    r->total_ms = lk->total_ms;
    r->d.m = &dl->m;
    run_start(r);
}

static const char *not_wanted(const struct delivering *dl)
{
    const struct account *to = &dl->work->target->account;
    const struct caps *caps = &to->type->caps;
    unsigned kind = CAN(dl->m.kind);
    if (dl->m.kind == KIND_TYPING && time_now_ms() - dl->work->accepted_ms > TYPING_STALE_MS)
        return "typing-stale";
    if (dl->m.kind == KIND_TYPING)
        return caps->kinds & kind ? NULL : "typing-not-carried";
    if (dl->m.kind == KIND_STATUS)
        return (caps->kinds & kind) && (caps->statuses & CAN(dl->m.status)) ? NULL : "status-not-carried";
    if (dl->m.kind != KIND_EVENT || ((caps->kinds & kind) && (caps->events & CAN(dl->m.event))))
        return NULL;
    if (dl->m.event == EVENT_EDITED && dl->m.text.n)
        return NULL; /* it becomes a text */
    bool shown = dl->m.text.n && slice_eq(account_setting(to, "show_system_messages"), SL("true"));
    return shown ? NULL : "event-not-carried";
}

/* Age by a clock that does not jump while we run; and never without having tried, whatever the clock says after a restart. */
static bool too_old(const struct delivering *dl)
{
    int64_t age_ms = hub_steady_ms(dl->h) - dl->work->accepted_ms;
    return age_ms > dl->h->limits.give_up_ms && dl->work->attempts >= GIVE_UP_ATTEMPTS && !dl->resumed.p;
}

static void got_conv(void *arg, struct conv *conv)
{
    struct delivering *dl = arg;
    dl->conv = conv;
    const char *by = not_wanted(dl);
    if (by) {
        end_ignored(dl, by);
        return;
    }
    bool too_late = too_old(dl), settles = dl->work->target->account.type->settles_interrupted && !too_late;
    if (dl->work->interrupted && !settles) {
        fault(&dl->fault, "interrupted", "", "a call that must not be repeated was under way when the hub stopped");
        end_final(dl, J_UNKNOWN, OUT_UNKNOWN);
        return;
    }
    if (too_late) {
        dl->reason = REASON_EXPIRED;
        fault(&dl->fault, "expired", "", "tried for longer than give_up");
        end_final(dl, J_DEAD, OUT_REFUSED);
        return;
    }
    if (dl->source->account.type->desk && command_is(dl->source->tenant, &dl->m)) {
        deliver_command(dl);
        return;
    }
    if (dl->work->target->account.type->desk && !(dl->source->account.type->desk)) {
        slice list = memory_get(conv->memory, LIST_MEMORY, time_now_ms());
        dl->list_used = list.n && answer_of_list(dl->a, arena_dup(dl->a, list), &dl->m);
        answer_label(dl->a, arena_dup(dl->a, memory_get(conv->memory, OFFER_MEMORY, time_now_ms())), &dl->m);
    }
    media_settle(dl->source, dl->work->id, dl->a, &dl->m, deliver_lookup, dl);
}

static void got_resumed(void *arg, slice value)
{
    struct delivering *dl = arg;
    dl->resumed = arena_dup(dl->a, value);
    conv_get(dl->h, dl->work->channel, slice_mem(dl->work->guest, dl->work->n_guest), got_conv, dl);
}

static void got_progress(void *arg, slice value)
{
    struct delivering *dl = arg;
    struct progress {
        int64_t part, step;
        slice keep;
    } p = { 0 };
    static const struct js_field fields[] = {
        JS_FIELD(struct progress, part, "part", JS_I64, 0),
        JS_FIELD(struct progress, step, "step", JS_I64, 0),
        JS_FIELD(struct progress, keep, "keep", JS_STR, 0),
    };
    const struct js *doc = value.p ? js_parse(dl->a, arena_dup(dl->a, value), NULL) : NULL;
    if (doc && js_read(dl->a, doc, fields, COUNT(fields), &p, NULL)) {
        dl->has_progress = true;
        dl->part = (size_t)p.part;
        dl->step = (int)p.step;
        dl->keep = p.keep;
    }
    state_get(dl->h->state, deliver_progress_key(dl, 'r'), got_resumed, dl);
}

static void begin(struct work *w)
{
    struct hub *h = w->target->hub;
    struct arena *a = arena_new();
    struct delivering *dl = ARENA_NEW(a, struct delivering);
    dl->work = w;
    dl->h = h;
    dl->a = a;
    dl->next = h->deliveries;
    if (dl->next)
        dl->next->prev = dl;
    h->deliveries = dl;
    dl->source = w->target->account.type->desk ? w->channel : w->channel->tenant->desk;
    slice body = journal_body(h->journal, w->id, a);
    const struct js *doc = body.p ? js_parse(a, body, &dl->fault) : NULL;
    if (!doc || !message_read(a, doc, &dl->m, &dl->fault)) {
        if (!body.p)
            fault(&dl->fault, "body_lost", "", "the journal no longer has its body");
        dl->unread = true;
        end_final(dl, J_DEAD, OUT_REFUSED);
        return;
    }
    if (!w->begun) {
        got_resumed(dl, SLICE_NONE);
        return;
    }
    state_get(h->state, deliver_progress_key(dl, 'd'), got_progress, dl);
}
