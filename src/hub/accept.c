#include "hub/accept.h"
#include "hub/adapt.h"
#include "hub/config.h"
#include "hub/conversation.h"
#include "hub/history.h"
#include "hub/intake.h"
#include "hub/keys.h"
#include "hub/media.h"
#include "hub/meters.h"
#include "hub/notice.h"
#include "hub/parcel.h"
#include "hub/recorder.h"
#include "hub/refused.h"
#include "hub/run.h"
#include "hub/state.h"
#include "hub/verify.h"
#include "wire/crypto.h"
#include "wire/hex.h"

enum {
    GUEST_MAX = 400,            /* bytes of a guest's id: a lane's name and a key of the store are made of it */
    ID_MAX = 1000,              /* a message id that is longer is known by its hash */
    BODY_SURE_MAX = 128 << 10,  /* no message of a smaller body can outgrow the journal's limit when it is printed */
    ASK_MS = 8000,              /* all calls of an inbox_ask together: someone waits for the page */
};
static_assert(2 * (2 * CONFIG_NAME_MAX) + 2 + GUEST_MAX <= JOURNAL_LANE_MAX, "tenant and name of two accounts, and the guest: the longest lane has a name");

bool accept_fits(struct arena *a, const struct inbox *in, size_t body_bytes, struct fault *f)
{
    for (size_t i = 0; i < in->resumed.n; i++)
        if (LIST_AT(in->resumed, struct inbox_resumed, i)->data.n > JOURNAL_VALUE_MAX)
            return fault(f, "too_large", "", "what a message waits for is longer than %d bytes", JOURNAL_VALUE_MAX);
    for (const struct inbox_item *it = in->first; it && body_bytes > BODY_SURE_MAX; it = it->next) {
        if (!message_fits(a, &it->m))
            return fault(f, "too_large", "", "a message is longer than %d bytes", JOURNAL_BODY_MAX - MESSAGE_ADDED_MAX);
    }
    return true;
}

slice lane_name(struct arena *a, const struct actor *target, const struct conv *conv)
{
    return arena_join(a, target->account.id, SL("\x1f"), conv->pub.id);
}

/* ---- into the journal --------------------------------------------------------------------------------------------- */

struct accepting {
    struct accepting *next, *prev; /* of the hub's, while conversations are loaded */
    struct actor *from;
    struct inbox *in;
    struct arena *a;
    slice trace_id;
    void (*done)(void *arg, bool ok);
    void *arg;
    size_t loading; /* conversations still to come */
    struct accepting *going; /* the next one that may be committed */
    bool goes;
    struct conv **convs; /* of each item; NULL: addressed to nobody we know */
    struct actor **targets;
    uint64_t *ids;
    slice *peers; /* what a last status took out of the conversation's memory: put back when the commit fails */
};
/* A message's place among those of its conversation: requests are committed together with what they hold, and one that has to wait for a conversation
 * to be loaded must not be overtaken in its others. Requests that share no conversation with it go past. */
struct accept_turn {
    struct accept_turn *next;
    struct accepting *ac;
    size_t i;
};

static slice sent_key(struct accepting *ac, const struct message *m)
{
    return arena_printf(ac->a, "sent:" SLF, SLA(m->of));
}

/* Nothing was stored: what was cleaned is dirty again, what was taken is there again. */
static void accept_failed(struct accepting *ac)
{
    size_t i = 0;
    memory_soil(ac->from->memory);
    for (struct inbox_item *it = ac->in->first; it; it = it->next, i++) {
        struct conv *conv = ac->convs[i];
        if (!conv)
            continue;
        conv_soil(conv);
        if (ac->peers[i].n) {
            it->m.of = it->of;
            memory_set(conv->memory, sent_key(ac, &it->m).p, ac->peers[i], time_now_ms() + ac->from->hub->limits.dedupe_ms);
        }
    }
}

static void accept_done(void *arg, bool ok)
{
    struct accepting *ac = arg;
    size_t i = 0;
    if (!ok)
        accept_failed(ac);
    history_stir(ac->from->hub->history);
    if (ok && ac->in->ask && ac->in->n && ac->convs[0])
        ac->in->conv = conv_hold(ac->convs[0]);
    for (struct inbox_item *it = ac->in->first; it; it = it->next, i++) {
        if (ok && ac->ids[i] && ac->convs[i]) {
            meter_accepted(ac->from);
            media_begin(ac->from, ac->ids[i], &it->m);
        }
        if (ac->convs[i])
            conv_release(ac->convs[i]);
    }
    ac->done(ac->arg, ok);
}

/* Where news about a message of ours names it by the vendor's id: the id the other side knows it by. */
static bool status_translate(struct accepting *ac, struct conv *conv, struct message *m, slice *ret_taken)
{
    if (ac->from->account.type->desk)
        return true;
    slice key = sent_key(ac, m);
    slice peer = arena_dup(ac->a, memory_get(conv->memory, key.p, time_now_ms()));
    if (!peer.n)
        return false;
    m->of = peer;
    if (m->final || m->status == STATUS_FAILED) {
        memory_set(conv->memory, key.p, SLICE_NONE, 0);
        *ret_taken = peer;
    }
    return true;
}

void accept_closed(struct conv *conv, struct jbatch *b)
{
    conv_open(conv, false, b);
    conv_set(conv, &conv->pub.desk_conversation, SLICE_NONE);
    conv_set(conv, &conv->pub.agent_name, SLICE_NONE);
    conv->agent_until_ms = 0;
    memory_set(conv->memory, LIST_MEMORY, SLICE_NONE, 0);
    media_purge_later(conv->channel->hub, conv, b);
}

/* What a message of its kind means for the hub itself. */
static void accept_effects(struct accepting *ac, struct conv *conv, struct message *m, struct jbatch *b)
{
    struct hub *h = ac->from->hub;
    if (ac->from->account.type->desk) {
        if (m->desk_conversation.n && m->event != EVENT_CLOSED)
            conv_desk(conv, m->desk_conversation);
        if (kind_is_content((enum kind)m->kind))
            conv_open(conv, true, b);
        if (m->kind == KIND_EVENT && m->event == EVENT_CLOSED)
            accept_closed(conv, b);
        bool goes = m->kind == KIND_EVENT && (m->event == EVENT_CLOSED || m->event == EVENT_LEFT);
        if (m->from.name.n && !goes)
            conv_agent(conv, m->from.name);
        return;
    }
    if (!conv_other_person(conv, &m->from)) /* what waits before it is theirs who wrote it: deliver.c asks who it is when its turn comes */
        conv_person(conv, &m->from);
    if (kind_is_content((enum kind)m->kind)) {
        conv->pub.last_in_ms = m->at_ms;
        conv->dirty = true;
        media_purge_cancel(h, conv, b);
    }
}

/* The trace id differs with every delivery of it, the vendor's id does not. */
static slice id_key(struct accepting *ac, slice id)
{
    struct sha256 sum = sha256(id.n > ID_MAX ? id : SLICE_NONE);
    slice short_id = id.n > ID_MAX ? arena_printf(ac->a, "#" SLF, SLA(hex_encode(ac->a, slice_mem(sum.b, sizeof(sum.b))))) : id;
    return arena_join(ac->a, ac->from->account.id, SL("\x1f"), short_id);
}

static slice dedupe_key(struct accepting *ac, const struct message *m, size_t i)
{
    struct arena *a = ac->a;
    slice account = ac->from->account.id;
    if (m->id.n)
        return id_key(ac, m->id);
    if (m->kind == KIND_TYPING)
        return SLICE_NONE;
    struct message plain = *m; /* a network without ids: the message itself, but for what we added */
    plain.trace_id = SLICE_NONE;
    struct sha256 sum = sha256(message_print(a, &plain));
    return arena_printf(a, SLF "\x1f#%zu" SLF, SLA(account), i, SLA(hex_encode(a, slice_mem(sum.b, sizeof(sum.b)))));
}

static slice accept_note(struct accepting *ac, const char *rule)
{
    struct jw w = jw_new(ac->a, 1024);
    jw_open(&w, NULL, '{');
    jw_str(&w, "from", ac->from->account.id);
    jw_opt(&w, "trace", ac->trace_id);
    if (rule)
        jw_str(&w, "rule", slice_of(rule));
    jw_close(&w, '}');
    return jw_done(&w);
}

static void accept_item(struct accepting *ac, struct jbatch *b, struct inbox_item *it, size_t i)
{
    struct message *m = &it->m;
    struct conv *conv = ac->convs[i];
    bool unknown = conv && it->only == ONLY_KNOWN && !conv->pub.last_in_ms, unasked = conv && it->only == ONLY_OPEN && !conv->pub.open;
    if (unknown || unasked) { /* other people's talk: counted, not stored */
        meter_ignored(ac->from->hub, ac->from->account.type, unknown ? "unknown-conversation" : "not-addressed");
        return;
    }
    const char *rule = !conv ? "unknown-address" : m->private ? "private" : NULL;
    int64_t keep_ms = ac->from->account.dedupe_ms ? ac->from->account.dedupe_ms : ac->from->account.type->hook.dedupe_ms;
    m->trace_id = ac->trace_id;
    it->of = m->of;
    if (!m->origin)
        m->origin = ac->from->account.type->desk ? ORIGIN_AGENT : ORIGIN_GUEST;
    if (!rule && m->kind == KIND_STATUS && !status_translate(ac, conv, m, &ac->peers[i]))
        rule = "status-of-unknown";
    struct jaccept acc = {
        .lane = conv ? lane_name(ac->a, ac->targets[i], conv) : arena_printf(ac->a, SLF "\x1f", SLA(ac->from->account.id)),
        .dedupe = dedupe_key(ac, m, i),
        .dedupe_keep_ms = keep_ms ? keep_ms : ac->from->hub->limits.dedupe_ms,
        .state = rule ? J_IGNORED : J_WAITING,
        .body = message_print(ac->a, m),
        .note = accept_note(ac, rule),
    };
    enum jresult result;
    jbatch_accept(b, &acc, &result, &ac->ids[i]);
    if (result == J_SEEN) {
        ac->ids[i] = 0;
        meter_ignored(ac->from->hub, ac->from->account.type, "seen");
        return;
    }
    if (rule) {
        meter_ignored(ac->from->hub, ac->from->account.type, rule);
        ac->ids[i] = 0;
        return;
    }
    it->number = ac->ids[i];
    for (size_t k = 0; k < it->remember.n; k++) {
        const struct remembered *rm = LIST_AT(it->remember, struct remembered, k);
        memory_set(conv->memory, remembered_key(rm, conv->memory, time_now_ms()), rm->value, rm->until_ms);
    }
    accept_effects(ac, conv, m, b);
    conv_save(conv, b);
}

static void accept_unlist(struct accepting *ac)
{
    *(ac->prev ? &ac->prev->next : &ac->from->hub->accepting) = ac->next;
    if (ac->next)
        ac->next->prev = ac->prev;
}

void accept_stop(struct hub *h)
{
    for (struct accepting *ac; (ac = h->accepting);) {
        accept_unlist(ac);
        ac->done(ac->arg, false);
    }
}

static void accept_commit(struct accepting *ac)
{
    struct hub *h = ac->from->hub;
    accept_unlist(ac);
    struct jbatch *b = jbatch_new(h->journal);
    size_t i = 0;
    for (struct inbox_item *it = ac->in->first; it; it = it->next)
        accept_item(ac, b, it, i++);
    for (i = 0; i < ac->in->ignored.n; i++) {
        const struct inbox_ignored *ig = LIST_AT(ac->in->ignored, struct inbox_ignored, i);
        meter_ignored(h, ac->from->account.type, ig->rule);
        if (!ig->id.n)
            continue;
        enum jresult result;
        uint64_t id;
        jbatch_accept(b, &(struct jaccept){ .lane = arena_printf(ac->a, SLF "\x1f", SLA(ac->from->account.id)),
                                            .dedupe = id_key(ac, ig->id),
                                            .dedupe_keep_ms = h->limits.dedupe_ms,
                                            .state = J_IGNORED,
                                            .body = SL("{}"),
                                            .note = accept_note(ac, ig->rule) },
                      &result, &id);
    }
    for (i = 0; i < ac->in->resumed.n; i++) {
        const struct inbox_resumed *rs = LIST_AT(ac->in->resumed, struct inbox_resumed, i);
        slice key = arena_printf(ac->a, SLF "\x1f" SLF, SLA(ac->from->account.id), SLA(rs->wait_for));
        uint64_t id;
        if (jbatch_resume(b, key, SL("{\"resumed\":true}"), &id))
            state_put(h->state, b, arena_printf(ac->a, "r:%llu", (unsigned long long)id), slice_or(rs->data, SL("")));
        else
            meter_ignored(h, ac->from->account.type, "nothing-waits");
    }
    actor_save(ac->from, b);
    if (ac->in->also)
        ac->in->also(ac->in->also_arg, b);
    jbatch_commit(b, JOURNAL_DURABLE, accept_done, ac);
}

/* ---- whose turn is it? --------------------------------------------------------------------------------------------- */

static bool may_go(const struct accepting *ac)
{
    if (ac->loading || ac->goes)
        return false;
    for (size_t i = 0; i < ac->in->n; i++)
        if (ac->convs[i] && ac->convs[i]->turns->ac != ac)
            return false;
    return true;
}

/* Commits it if it is its turn, and then those who waited for it. No circle: the turns of every conversation stand in the order the requests came. */
static void accept_go(struct accepting *ac)
{
    struct accepting **last = &ac->going;
    if (!may_go(ac))
        return;
    ac->goes = true;
    for (struct accepting *next; ac; ac = next) {
        for (size_t i = 0; i < ac->in->n; i++) {
            struct conv *conv = ac->convs[i];
            while (conv && conv->turns && conv->turns->ac == ac)
                conv->turns = conv->turns->next;
        }
        for (size_t i = 0; i < ac->in->n; i++) {
            struct conv *conv = ac->convs[i];
            struct accepting *behind = conv && conv->turns ? conv->turns->ac : NULL;
            if (!behind || !may_go(behind))
                continue;
            behind->goes = true;
            *last = behind;
            last = &behind->going;
        }
        next = ac->going;
        accept_commit(ac);
    }
}

/* Called in the order in which the conversation was asked for. */
static void conv_ready(void *arg, struct conv *conv)
{
    struct accept_turn *turn = arg;
    struct accepting *ac = turn->ac;
    ac->convs[turn->i] = conv;
    *(conv->turns ? conv->turns_last : &conv->turns) = turn;
    conv->turns_last = &turn->next;
    if (--ac->loading == 0)
        accept_go(ac);
}

void accept_inbox(struct actor *from, struct inbox *in, slice trace_id, void (*done)(void *arg, bool ok), void *arg)
{
    struct arena *a = in->a;
    struct accepting *ac = ARENA_NEW(a, struct accepting);
    *ac = (struct accepting){ .from = from, .in = in, .a = a, .trace_id = trace_id, .done = done, .arg = arg };
    if (!in->n && !in->ignored.n && !in->resumed.n && !in->also && !memory_dirty(from->memory)) {
        done(arg, true); /* nothing to keep: a check by the vendor */
        return;
    }
    ac->convs = ARENA_ARRAY(a, struct conv *, in->n + 1);
    ac->targets = ARENA_ARRAY(a, struct actor *, in->n + 1);
    ac->ids = ARENA_ARRAY(a, uint64_t, in->n + 1);
    ac->peers = ARENA_ARRAY(a, slice, in->n + 1);
    ac->next = from->hub->accepting;
    if (ac->next)
        ac->next->prev = ac;
    from->hub->accepting = ac;
    ac->loading = 1; /* ours, so that nothing commits before the loop below ends */
    size_t i = 0;
    for (struct inbox_item *it = in->first; it; it = it->next, i++) {
        struct actor *channel = from;
        slice guest = it->m.guest;
        if (from->account.type->desk)
            channel = tenant_channel(from->tenant, it->m.guest, &guest);
        if (!channel || !guest.n || guest.n > GUEST_MAX)
            continue;
        ac->targets[i] = from->account.type->desk ? channel : from->tenant->desk;
        struct accept_turn *turn = ARENA_NEW(a, struct accept_turn);
        *turn = (struct accept_turn){ .ac = ac, .i = i };
        ac->loading++;
        conv_get(from->hub, channel, guest, conv_ready, turn);
    }
    if (--ac->loading == 0)
        accept_go(ac);
}

void accept_own(struct actor *to, struct conv *conv, const struct message *m, struct jbatch *b)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    enum jresult result;
    uint64_t id;
    jbatch_accept(b, &(struct jaccept){ .lane = lane_name(a, to, conv), .state = J_WAITING, .body = message_print(a, m),
                                        .note = SL("{\"from\":\"hub\"}") },
                  &result, &id);
}

/* ---- the webhook ------------------------------------------------------------------------------------------------- */

struct hooked {
    struct hooked *next; /* all of the hub's */
    struct hub *hub;
    const struct connector *type;
    const struct route_extra *route; /* NULL: the hook */
};
struct webhook {
    struct exchange *x;
    struct hub *hub;
    const struct connector *type;
    struct actor *actor;
    struct inbox in;
    struct request rq; /* as verified */
    bool hook;         /* not an extra route */
    struct fault fault;
};

static void webhook_answer(struct webhook *wh)
{
    struct response r = inbox_response(&wh->in);
    exchange_answer(wh->x, &r);
}

/* What was asked has ended: its own run, its own memory, and where the sender still waits for it, its answer. */
struct asked {
    struct webhook *wh; /* NULL: answered already */
    ask_answer answer;
};

static void ask_ended(struct run *r, enum outcome end)
{
    struct asked *as = r->arg;
    if (end != OUT_DELIVERED) {
        struct log_line *l = r->fault.code ? log_begin_fault(r->hub->log, LEVEL_WARN, &r->fault, "A call beside the lanes had no success")
                                           : log_begin(r->hub->log, LEVEL_WARN, "A call beside the lanes had no success");
        log_str(l, "account", r->actor->account.id);
        log_end(l);
    }
    if (as->wh) {
        struct call c;
        struct fault f = { 0 };
        actor_call(r->actor, &c, as->wh->x->a, r->conv, &f);
        *c.f = r->fault;
        as->answer(&c, &r->d, end, &as->wh->in);
        webhook_answer(as->wh);
    }
    run_free(r);
}

static void ask(struct webhook *wh)
{
    struct inbox *in = &wh->in;
    struct run *r = run_new(wh->actor, in->conv, in->ask, ask_ended, NULL);
    struct asked *as = ARENA_NEW(r->a, struct asked);
    *as = (struct asked){ .wh = in->ask_answer ? wh : NULL, .answer = in->ask_answer };
    r->arg = as;
    r->no_wait = true;
    r->total_ms = ASK_MS;
    r->d.keep = arena_dup(r->a, in->ask_data);
    if (in->conv)
        conv_release(in->conv); /* the run holds it */
    in->conv = NULL;
    if (!as->wh)
        webhook_answer(wh);
    run_start(r);
}

static void webhook_unstored(struct webhook *wh)
{
    struct fault f;
    meter_webhook(wh->hub, wh->type, "failed");
    fault(&f, "not_stored", "", "the message could not be stored; send it again");
    exchange_fault(wh->x, 503, &f);
}

static void webhook_done(void *arg, bool ok)
{
    struct webhook *wh = arg;
    struct hub *h = wh->hub;
    if (!ok) {
        if (h->journal) {
            log_end(log_begin_fault(h->log, LEVEL_ERROR, journal_last_fault(h->journal), "Webhook not stored"));
            hub_notice_part(h, NOTICE_JOURNAL_FAILS, SLICE_NONE, slice_of(journal_last_fault(h->journal)->text));
        }
        webhook_unstored(wh);
        return;
    }
    meter_webhook(h, wh->type, "accepted");
    if (h->recorder && wh->hook)
        recorder_take(h->recorder, wh->actor, &wh->rq);
    if (wh->in.ask)
        ask(wh);
    else
        webhook_answer(wh);
}

static void webhook_refuse(struct hub *h, struct webhook *wh, int status, const char *result)
{
    meter_webhook(h, wh->type, result);
    struct log_line *l = log_begin(h->log, LEVEL_WARN, "Webhook refused");
    log_str(l, "connector", slice_of(wh->type->name));
    log_str(l, "result", slice_of(result));
    log_str(l, "code", slice_of(wh->fault.code));
    log_str(l, "field", slice_of(wh->fault.field));
    log_str(l, "why", slice_of(wh->fault.text));
    log_str(l, "remote", wh->x->remote);
    log_str(l, "reqid", wh->x->request_id);
    log_end(l);
    if (h->refused) {
        struct request rq = { .method = wh->x->method, .path = wh->x->rest, .query = wh->x->query, .body = wh->x->body, .headers = wh->x->headers,
                              .n_headers = wh->x->n_headers };
        refused_note(h->refused, wh->type, &rq, wh->x->remote, result, &wh->fault);
    }
    exchange_fault(wh->x, status, &wh->fault);
}

/* Its turn has come: all that doors published before it is stored. */
static void webhook_turn(void *arg, bool ok)
{
    struct webhook *wh = arg;
    if (ok)
        accept_inbox(wh->actor, &wh->in, wh->x->trace_id, webhook_done, wh);
    else
        webhook_unstored(wh);
}

static void webhook_take(struct hub *h, struct webhook *wh, const struct request *rq,
                         bool (*receive)(struct call *, const struct request *, struct inbox *))
{
    struct call c;
    if (wh->actor)
        actor_call(wh->actor, &c, wh->x->a, NULL, &wh->fault);
    else /* a page of no account */
        c = (struct call){ .a = wh->x->a, .now_ms = time_now_ms(), .f = &wh->fault };
    inbox_init(&wh->in, wh->x->a);
    if (!receive(&c, rq, &wh->in) || wh->in.n > INBOX_MESSAGES_MAX) {
        if (!wh->fault.code)
            fault(&wh->fault, "too_many", "", "more than %d messages in one request", INBOX_MESSAGES_MAX);
        webhook_refuse(h, wh, 400, "malformed");
        return;
    }
    if (!accept_fits(wh->x->a, &wh->in, rq->body.n, &wh->fault)) {
        webhook_refuse(h, wh, 413, "malformed");
        return;
    }
    if (wh->actor) {
        if (h->intake && wh->x->forwarded && wh->in.n && parcel_carries(wh->type))
            intake_behind(h->intake, wh->actor, webhook_turn, wh);
        else
            webhook_turn(wh, true);
        return;
    }
    assert(!wh->in.n && !wh->in.ask && !wh->in.resumed.n);
    webhook_answer(wh);
}

/* The account that a page of all accounts is asked for. */
static struct actor *find_mine(struct hub *h, struct webhook *wh, const struct route_extra *route, const struct request *rq)
{
    for (size_t i = 0; i < h->n_actors; i++) {
        struct call c;
        struct fault f = { 0 };
        if (h->actors[i]->account.type != wh->type || h->actors[i]->retired)
            continue;
        actor_call(h->actors[i], &c, wh->x->a, NULL, &f);
        if (route->mine(&c, rq))
            return h->actors[i];
    }
    return NULL;
}

static void webhook_verify(void *arg, const struct fault *no_keys)
{
    struct webhook *wh = arg;
    struct hub *h = wh->hub;
    if (no_keys) {
        wh->fault = *no_keys;
        webhook_refuse(h, wh, 503, "no_keys");
        return;
    }
    enum found found = find_verified(h, wh->type, wh->x->a, &wh->rq, &wh->actor, &wh->fault);
    if (found == FOUND) {
        webhook_take(h, wh, &wh->rq, wh->type->receive);
        return;
    }
    int bad = wh->type->hook.bad_status ? wh->type->hook.bad_status : 403;
    if (wh->type->hook.absent_status && wh->fault.code && strcmp(wh->fault.code, "no_signature") == 0)
        bad = wh->type->hook.absent_status;
    webhook_refuse(h, wh, found == FOUND_NONE ? 404 : bad, found == FOUND_NONE ? "unknown" : "bad_signature");
}

static void on_request(struct exchange *x, void *ctx)
{
    struct hooked *hk = ctx;
    struct hub *h = hk->hub;
    struct webhook *wh = ARENA_NEW(x->a, struct webhook);
    h->asked_turn = loop_turns(h->loop);
    wh->x = x;
    wh->type = hk->type;
    wh->hub = h;
    struct request rq = { .method = x->method, .path = x->rest, .query = x->query, .body = x->body,
                          .headers = x->headers, .n_headers = x->n_headers };
    if (hk->route && hk->route->mine) {
        wh->actor = find_mine(h, wh, hk->route, &rq);
        webhook_take(h, wh, &rq, hk->route->receive);
        return;
    }
    if (!hk->route && hk->type->probe && hk->type->probe(x->a, &rq)) {
        meter_webhook(h, hk->type, "probe");
        exchange_answer(x, &(struct response){ .status = 200 });
        return;
    }
    if (hk->route) {
        wh->actor = find_by_path(h, hk->type, x->rest, &wh->fault);
        if (wh->actor)
            webhook_take(h, wh, &rq, hk->route->receive);
        else
            webhook_refuse(h, wh, 404, "unknown");
        return;
    }
    wh->rq = rq;
    wh->hook = true;
    if (hk->type->hook.how == VERIFY_JWT)
        keys_prepare(h, hk->type, x->a, &wh->rq, webhook_verify, wh);
    else
        webhook_verify(wh, NULL);
}

static void add_route(struct hub *h, struct server *s, const struct connector *type, const struct route_extra *route)
{
    struct hooked *hk = ARENA_NEW(h->a, struct hooked);
    *hk = (struct hooked){ h->hooked, h, type, route };
    h->hooked = hk;
    const char *path = route ? route->path : type->hook.path;
    const char *method = route ? route->method : "*";
    slice below = arena_printf(h->a, "%s/*", path);
    size_t body_max = route && route->body_max ? route->body_max : type->hook.body_max;
    server_route(s, method, path, body_max, on_request, hk);
    server_route(s, method, below.p, body_max, on_request, hk);
}

void accept_routes(struct hub *h, struct server *s, const struct connector *type)
{
    for (const struct hooked *hk = h->hooked; hk; hk = hk->next)
        if (hk->type == type)
            return;
    if (type->hook.path)
        add_route(h, s, type, NULL);
    for (size_t k = 0; k < type->n_routes; k++)
        if (!type->routes[k].record) /* those are of pages.c */
            add_route(h, s, type, &type->routes[k]);
}
