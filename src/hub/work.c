#include "hub/work.h"
#include "hub/accept.h"
#include "hub/command.h"
#include "hub/conversation.h"
#include "hub/deliver.h"
#include "hub/keys.h"
#include "hub/run.h"
#include "hub/history.h"
#include "hub/later.h"
#include "hub/media.h"
#include "hub/notice.h"
#include "hub/registry.h"
#include "hub/responses.h"
#include "hub/state.h"
#include "net/client.h"
#include "store/seal.h"
#include "store/store.h"

enum { SETUP_AGAIN_MS = 300000, SETUP_RETRY_MOST_MS = 600000, SETUP_QUIET = 5, /* attempts before a retry is an error */
       SETUP_ANEW_MS = 1000, POLL_TURN_MS = 250, POLLS_AT_ONCE = 4 };

static void setup(void *arg);

static void setup_ended(struct run *r, enum outcome end)
{
    struct actor *actor = r->actor;
    struct hub *h = actor->hub;
    actor->setting_up = false;
    if (actor->setup_stale || actor->retired) {
        bool again = actor->setup_stale && !actor->retired;
        actor->setup_stale = false;
        run_free(r);
        if (again)
            setup(actor);
        return;
    }
    if (end == OUT_DELIVERED) {
        actor->set_up = true;
        actor->setup_fault.code = NULL;
        hub_notice(h, NOTICE_ACCOUNT_WORKS, actor, SLICE_NONE);
        struct log_line *l = log_begin(h->log, LEVEL_INFO, "Account ready");
        log_str(l, "account", actor->account.id);
        log_end(l);
        run_free(r);
        deliver_pump(actor);
        return;
    }
    actor->set_up_refused = end == OUT_REFUSED; /* then what was set up before may still serve */
    actor->setup_fault = r->fault;
    if (!actor->setup_fault.code)
        fault(&actor->setup_fault, "setup", "", "its vendor could not be asked");
    uint32_t random;
    random_bytes(&random, sizeof(random));
    int64_t wait_ms = backoff_ms(actor->setup_attempt++, random);
    int64_t again_ms = end == OUT_REFUSED ? SETUP_AGAIN_MS : MIN(MAX(r->d.retry_ms, wait_ms), SETUP_RETRY_MOST_MS);
    bool still_coming = end == OUT_RETRY && actor->setup_attempt <= SETUP_QUIET; /* a vendor that is still at it, or away for a moment */
    struct log_line *l = log_begin_fault(h->log, still_coming ? LEVEL_WARN : LEVEL_ERROR, &actor->setup_fault, "Account not set up");
    log_str(l, "account", actor->account.id);
    log_int(l, "again_ms", again_ms);
    log_end(l);
    if (!still_coming)
        hub_notice(h, NOTICE_ACCOUNT_FAILS, actor, slice_of(actor->setup_fault.text));
    run_free(r);
    loop_timer_start(h->loop, &actor->setup_timer, again_ms, setup, actor);
    deliver_pump(actor);
}

static void setup(void *arg)
{
    struct actor *actor = arg;
    if (actor->hub->draining || actor->retired)
        return;
    actor->setting_up = true;
    run_start(run_new(actor, NULL, actor->account.type->setup, setup_ended, NULL));
}

void actor_set_up_again(struct actor *actor)
{
    if (!actor->set_up || !actor->account.type->setup)
        return;
    actor->set_up = false;
    actor->setup_attempt = 0;
    loop_timer_start(actor->hub->loop, &actor->setup_timer, SETUP_ANEW_MS, setup, actor);
}

/* ---- polls ---------------------------------------------------------------------------------------------------------- */

struct polling {
    struct run *run;
    struct inbox in;
};

static enum outcome poll_step(struct call *c, struct delivery *d)
{
    if (d->last)
        return d->last->status ? OUT_DELIVERED : OUT_RETRY;
    return c->account->type->poll.next(c, d);
}

static void poll_over(struct run *r)
{
    r->actor->polls_open--;
    if (r->conv)
        r->conv->polling = false;
    run_free(r);
}

static void poll_stored(void *arg, bool ok)
{
    struct polling *p = arg;
    (void)ok; /* not stored: the next poll sees it again */
    poll_over(p->run);
}

static void poll_ended(struct run *r, enum outcome end)
{
    struct actor *actor = r->actor;
    if (end != OUT_DELIVERED || !r->d.last) {
        poll_over(r);
        return;
    }
    struct polling *p = ARENA_NEW(r->a, struct polling);
    p->run = r;
    inbox_init(&p->in, r->a);
    struct request rq = { .method = SL("POLL"), .body = r->d.last->body, .polled = true, .status = r->d.last->status,
                          .headers = r->d.last->headers, .n_headers = r->d.last->n_headers };
    struct call c;
    struct fault f = { 0 };
    actor_call(actor, &c, r->a, r->conv, &f);
    if (!actor->account.type->receive(&c, &rq, &p->in)) {
        struct log_line *l = log_begin_fault(actor->hub->log, LEVEL_WARN, &f, "Answer to a poll not understood");
        log_str(l, "account", actor->account.id);
        log_end(l);
        poll_stored(p, false);
        return;
    }
    accept_inbox(actor, &p->in, SLICE_NONE, poll_stored, p);
}

static void poll_one(struct actor *actor, struct conv *conv)
{
    struct run *r = run_new(actor, conv, poll_step, poll_ended, NULL);
    r->no_wait = true;
    if (conv)
        conv->polling = true;
    actor->polls_open++;
    run_start(r);
}

static void poll_turn(void *arg)
{
    struct actor *actor = arg;
    struct hub *h = actor->hub;
    int64_t now_ms = time_mono_ms(), next_ms = actor->poll_ms;
    if (!h->draining && !actor->account.type->poll.per_conversation) {
        if (!actor->polls_open)
            poll_one(actor, NULL);
    } else if (!h->draining) {
        struct conv *first = actor->poll_next;
        for (unsigned n = 0; actor->poll_next && n < POLLS_AT_ONCE && actor->polls_open < POLLS_AT_ONCE; n++) {
            struct conv *conv = actor->poll_next;
            int64_t due_ms = conv->poll_ms + actor->poll_ms;
            if (conv->poll_ms && now_ms < due_ms) {
                next_ms = MIN(next_ms, due_ms - now_ms);
                break;
            }
            actor->poll_next = conv->open_next;
            bool fresh = !conv->poll_ms; /* just opened: not over yet */
            conv->poll_ms = now_ms;
            if (!fresh && !conv->polling)
                poll_one(actor, conv);
            next_ms = POLL_TURN_MS;
            if (actor->poll_next == first)
                break;
        }
    }
    loop_timer_start(h->loop, &actor->poll_timer, MAX(next_ms, POLL_TURN_MS), poll_turn, actor);
}

/* ---- life ------------------------------------------------------------------------------------------------------------ */

void actor_remember(struct actor *actor, slice value)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct fault f = { 0 };
    struct secret json = { 0 };
    bool ok = seal_reveal(actor->hub->seal, actor_memory_key(a, actor), value, &json, &f) && memory_load(actor->memory, secret_reveal(&json), &f);
    secret_wipe(&json);
    if (ok)
        return;
    memory_clean(actor->memory);
    struct log_line *l = log_begin_fault(actor->hub->log, LEVEL_ERROR, &f, "What the account remembers cannot be read");
    log_str(l, "account", actor->account.id);
    log_end(l);
}

static void remembered(void *arg, slice key, slice value)
{
    struct actor *actor = arg;
    if (slice_eq(slice_from(key, 2), actor->account.id)) /* and not one whose id is longer */
        actor_remember(actor, value);
}

static void rates_init(struct actor *actor)
{
    const struct connector *type = actor->account.type;
    assert(type->n_rates <= RATES_MAX);
    memset(actor->buckets, 0, sizeof(actor->buckets));
    for (size_t i = 0; i < type->n_rates; i++) {
        const struct rate *rate = &type->rates[i];
        int64_t calls = rate->calls;
        if (rate->setting && !slice_int(actor->account.settings[rate->setting], &calls))
            calls = rate->calls;
        if (calls > 0)
            bucket_init(&actor->buckets[i], (unsigned)MIN(calls, INT64_C(1000000)), rate->per_ms);
    }
}

void actor_init(struct actor *actor)
{
    actor->memory = memory_new();
    rates_init(actor);
    CLEANUP(arena_freep) struct arena *a = arena_new();
    state_each(actor->hub->state, actor_memory_key(a, actor), remembered, actor);
}

static void learned(void *arg, slice value)
{
    struct actor *actor = arg;
    if (value.p)
        actor_remember(actor, value);
    actor->learning = false;
    actor->learned(actor);
}

void actor_init_later(struct actor *actor, void (*done)(void *))
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    actor->memory = memory_new();
    rates_init(actor);
    actor->retired = actor->learning = true;
    actor->learned = done;
    state_get(actor->hub->state, actor_memory_key(a, actor), learned, actor);
}

void actor_restart(struct actor *actor)
{
    actor_stop(actor);
    token_reset(actor);
    rates_init(actor);
    actor->breaker = (struct breaker){ 0 };
    actor->set_up = actor->set_up_refused = false;
    actor->setup_attempt = 0;
    actor->setup_fault.code = NULL;
    actor_start(actor);
    deliver_pump(actor);
}

void actor_start(struct actor *actor)
{
    const struct connector *type = actor->account.type;
    if (!type->setup)
        actor->set_up = true;
    else if (actor->setting_up)
        actor->setup_stale = true; /* its end begins it anew */
    else
        setup(actor);
    if (!type->poll.next)
        return;
    int64_t every_s = 0;
    if (!slice_int(actor->account.settings[type->poll.every], &every_s) || every_s <= 0)
        return;
    actor->poll_ms = every_s * 1000;
    loop_timer_start(actor->hub->loop, &actor->poll_timer, actor->poll_ms, poll_turn, actor);
}

void actor_stop(struct actor *actor)
{
    loop_timer_stop(&actor->poll_timer);
    loop_timer_stop(&actor->setup_timer);
}

void actor_done(struct actor *actor)
{
    loop_timer_done(&actor->poll_timer);
    loop_timer_done(&actor->setup_timer);
    loop_timer_done(&actor->wake);
    token_done(&actor->token);
    token_named_done(actor);
    deliver_drop(actor);
    memory_free(actor->memory);
}

void hub_stop(struct hub *h)
{
    h->draining = h->stopped = true;
    client_free(h->client); /* what is open ends without an answer, and says so in the journal */
    h->client = NULL;
    history_free(h->history);
    h->history = NULL;
    journal_close(h->journal);
    h->journal = NULL;
    if (h->store && h->state)
        state_flush_all(h->state);
    store_close(h->store);
    h->store = NULL;
    keys_stop(h);
    accept_stop(h);
    deliver_stop(h);
    runs_free(h);
    media_purge_stop(h);
    media_free(h->media);
    h->media = NULL;
    for (size_t i = 0; i < h->n_actors; i++)
        if (h->actors[i]->memory)
            actor_done(h->actors[i]);
    for (size_t i = 0; i < h->n_tenants; i++)
        command_tenant_done(h->tenants[i]);
    responses_stop(h);
    later_stop(h);
    registry_free(h);
    conversations_free(h->conversations);
    h->conversations = NULL;
    state_free(h->state);
    h->state = NULL;
}
