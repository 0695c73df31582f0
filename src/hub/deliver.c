#include "hub/deliver-private.h"
#include "hub/command.h"
#include "hub/conversation.h"
#include "hub/media.h"
#include "hub/notice.h"
#include "hub/state.h"

enum {
    YIELD_IN_FLIGHT = 4, /* to one account, while senders wait … */
    YIELD_TURNS = 16,    /* … which is when one came within so many turns of the loop */
    TYPING_STALE_MS = 15000, GIVE_UP_ATTEMPTS = 3,
};

struct homeless { /* offered, but its account is not configured: it waits until it is, in this process or the next */
    struct homeless *next;
    struct joffer o;
    char lane[];
};
static void begin(struct work *w);

/* ---- ready ---------------------------------------------------------------------------------------------------------- */

static void homeless_add(struct hub *h, const struct joffer *o)
{
    struct jbatch *b = jbatch_new(h->journal);
    jbatch_note(b, o->id, SL("{\"text\":\"its account is not configured\"}"));
    jbatch_commit(b, JOURNAL_LAZY, NULL, NULL);
    struct homeless *hl = must_calloc(1, sizeof(*hl) + o->lane.n);
    hl->o = *o;
    memcpy(hl->lane, o->lane.p, o->lane.n);
    hl->o.lane = slice_mem(hl->lane, o->lane.n);
    hl->next = h->homeless;
    h->homeless = hl;
}

void deliver_offer(struct hub *h, const struct joffer *o)
{
    slice conv_id = o->lane;
    slice target_id = slice_cut(&conv_id, 0x1f);
    slice guest = conv_id;
    slice channel_id = slice_cut(&guest, ':');
    struct actor *target = hub_actor(h, target_id), *channel = hub_actor(h, channel_id);
    if (!target || !channel || !guest.n) {
        homeless_add(h, o);
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

void deliver_orphaned(struct actor *gone)
{
    struct hub *h = gone->hub;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    for (size_t i = 0; i < h->n_actors; i++) {
        struct actor *target = h->actors[i];
        struct work **at = &target->ready;
        for (struct work *w; (w = *at);) {
            if (target != gone && w->channel != gone) {
                at = &w->next;
                continue;
            }
            struct joffer o = { w->id, arena_printf(a, SLF "\x1f" SLF ":" SLF, SLA(target->account.id), SLA(w->channel->account.id), SLA(slice_mem(w->guest, w->n_guest))),
                                w->accepted_ms, w->attempts, w->interrupted, w->begun };
            homeless_add(h, &o);
            *at = w->next;
            target->n_ready--;
            free(w);
        }
        target->ready_last = at;
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

void deliver_stop(struct hub *h)
{
    while (h->deliveries)
        deliver_free(h->deliveries);
    for (struct homeless *hl = h->homeless, *next; hl; hl = next) {
        next = hl->next;
        free(hl);
    }
    h->homeless = NULL;
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
        deliver_end(dl, J_DEAD, OUT_REFUSED);
        return;
    }
    /* What an agent says now is what the guest answers next: a number is that of an older list no more. One that goes with it is remembered when it is there. */
    if (!target->account.type->desk && dl->m.origin == ORIGIN_AGENT && kind_is_content((enum kind)dl->m.kind))
        memory_set(dl->conv->memory, LIST_MEMORY, SLICE_NONE, 0);
    struct run *r = dl->run = run_new(target, dl->conv, target->account.type->deliver, deliver_run_ended, dl);
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
            conv_agent(conv, r->d.person.name);
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

/* In a thread of several people the name beside a message is that of who wrote it, however many have written since. */
static void whose_it_is(struct delivering *dl)
{
    if (dl->source->account.type->desk || !conv_other_person(dl->conv, &dl->m.from))
        return;
    conv_person_forget(dl->conv);
    conv_person(dl->conv, &dl->m.from);
}

void deliver_lookup(void *arg)
{
    struct delivering *dl = arg;
    whose_it_is(dl);
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
        deliver_ignore(dl, by);
        return;
    }
    bool too_late = too_old(dl), settles = dl->work->target->account.type->settles_interrupted && !too_late;
    if (dl->work->interrupted && !settles) {
        fault(&dl->fault, "interrupted", "", "a call that must not be repeated was under way when the hub stopped");
        deliver_end(dl, J_UNKNOWN, OUT_UNKNOWN);
        return;
    }
    if (too_late) {
        dl->reason = REASON_EXPIRED;
        fault(&dl->fault, "expired", "", "tried for longer than give_up");
        deliver_end(dl, J_DEAD, OUT_REFUSED);
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
        deliver_end(dl, J_DEAD, OUT_REFUSED);
        return;
    }
    if (!w->begun) {
        got_resumed(dl, SLICE_NONE);
        return;
    }
    state_get(h->state, deliver_progress_key(dl, 'd'), got_progress, dl);
}
