/* offer.c - interactions that wait are offered to agents; what time alone changes. */
#include "api/desk/inside.h"
#include "desks/builtin/hours.h"
#include "hub/accept.h"

enum {
    REFUSED_MS = 30000,    /* who said no is not asked again for so long */
    AGENTS_MAX = LOGINS_MAX,
};

static int64_t number(const struct actor *desk, enum builtin_setting i)
{
    int64_t n = 0;
    return slice_int(desk->account.settings[i], &n) ? n : 0;
}

int64_t desk_last_agent_ms(const struct desk_place *p)
{
    return number(p->desk, BUILTIN_LAST_AGENT) * 1000;
}

static void save(struct desk *desk, const struct interaction *it)
{
    struct jbatch *b = jbatch_new(desk->hub->journal);
    interaction_save(desk->all, it, b);
    jbatch_commit(b, JOURNAL_LAZY, NULL, NULL);
}

/* ---- moves: the caller stores and tells ---------------------------------------------------------------------------------------------- */

void desk_queue(struct desk *desk, struct interaction *it, slice queue, slice to, int64_t to_until_ms, int64_t now_ms)
{
    if (queue.n)
        interaction_set(&it->queue, queue);
    interaction_state(desk->all, it, DESK_QUEUED);
    interaction_set(&it->invited, SLICE_NONE);
    interaction_set(&it->last_agent, to);
    it->last_until_ms = to.n ? to_until_ms : 0;
    it->queued_ms = now_ms;
    it->invited_ms = it->held_until_ms = 0;
    it->transferred = it->overflowed = false;
}

void desk_take(struct desk *desk, struct interaction *it, slice user, int64_t now_ms)
{
    slice was = interaction_owner(it);
    if (was.n && !slice_eq(was, user))
        interaction_leave(it, was);
    (void)interaction_join(it, user, DESK_OWNER); /* there is room: the one before has left */
    interaction_state(desk->all, it, DESK_OPEN);
    interaction_set(&it->invited, SLICE_NONE);
    interaction_set(&it->last_agent, SLICE_NONE);
    it->last_until_ms = it->held_until_ms = it->invited_ms = 0;
    it->transferred = false;
    it->accepted_ms = now_ms;
    if (!it->first_accepted_ms)
        desk_answered(desk, it, user, now_ms);
    it->first_accepted_ms = it->first_accepted_ms ? it->first_accepted_ms : now_ms;
    struct agent *m = desk_member(desk, user);
    m->idle_since_ms = now_ms;
}

void desk_alone(struct desk *desk, struct interaction *it)
{
    for (size_t i = 0; i < it->agents.n; i++)
        desk_tell_gone(desk, LIST_AT(it->agents, struct desk_agent, i)->user, it);
    interaction_alone(it);
}

void desk_end(struct desk *desk, struct interaction *it, int64_t now_ms)
{
    slice owner = interaction_owner(it);
    interaction_set(&it->owner_was, slice_or(owner, it->last_agent));
    interaction_set(&it->invited, SLICE_NONE);
    interaction_set(&it->last_agent, SLICE_NONE);
    interaction_alone(it);
    it->done_ms = now_ms;
    it->unread = it->last_until_ms = it->held_until_ms = 0;
    interaction_state(desk->all, it, DESK_DONE);
}

/* ---- offering -------------------------------------------------------------------------------------------------------------------------- */

static void offer(struct desk *desk, struct interaction *it, slice user, const struct desk_place *p, int64_t now_ms)
{
    if (slice_eq(p->desk->account.settings[BUILTIN_AUTO_ANSWER], SL("true"))) {
        desk_take(desk, it, user, now_ms);
    } else {
        interaction_state(desk->all, it, DESK_INVITED);
        interaction_set(&it->invited, user);
        it->invited_ms = now_ms;
    }
    save(desk, it);
    desk_tell_interaction(desk, it);
}

/* Nobody is there who could be waited for. */
static void forget_last(struct desk *desk, struct interaction *it, int64_t now_ms)
{
    if (!it->last_agent.n || (now_ms < it->last_until_ms && login_find(desk->api->logins, it->last_agent)))
        return;
    interaction_set(&it->last_agent, SLICE_NONE);
    it->last_until_ms = 0;
}

static bool is_open(struct desk *desk, const struct queue_rules *r, int64_t now_ms)
{
    struct hours hours;
    struct fault f;
    if (!r->hours.n || !hours_read(r->hours, &hours, &f))
        return true;
    return hours_open(&hours, desk_local_ms(desk, r->zone, now_ms));
}

static void overflow(struct desk *desk, struct interaction *it, const struct queue_rules *r, int64_t now_ms)
{
    bool due = r->overflow_ms && r->overflow_queue.n && !it->overflowed && now_ms - it->queued_ms >= r->overflow_ms;
    if (!due || slice_eq(r->overflow_queue, it->queue))
        return;
    interaction_set(&it->queue, r->overflow_queue);
    it->overflowed = true;
    save(desk, it);
}

static int by_age(const void *x, const void *y)
{
    const struct interaction *a = *(struct interaction *const *)x, *b = *(struct interaction *const *)y;
    if (a->queued_ms != b->queued_ms)
        return a->queued_ms < b->queued_ms ? -1 : 1;
    return slice_cmp(a->id, b->id);
}

static size_t gather_agents(struct desk *desk, struct route_agent *ret)
{
    size_t n = 0;
    desk_count(desk);
    for (const struct agent *m = desk->members; m && n < AGENTS_MAX; m = m->next) {
        const struct login *l = m->ready ? login_find(desk->api->logins, slice_of(m->user)) : NULL;
        if (l && m->open < l->is.capacity)
            ret[n++] = (struct route_agent){ slice_of(m->user), &l->is, true, m->open, m->idle_since_ms };
    }
    return n;
}

slice desk_choose(struct desk *desk, struct arena *a, slice queue, const struct actor *at, const struct interaction *it)
{
    struct route_agent *agents = ARENA_ARRAY(a, struct route_agent, AGENTS_MAX);
    size_t n = gather_agents(desk, agents), kept = 0;
    struct queue_rules r = queue_rules(desk->queues, queue, at);
    struct interaction asked = { .queue = queue };
    for (size_t i = 0; i < n; i++)
        if (!interaction_agent(it, agents[i].user))
            agents[kept++] = agents[i];
    size_t to = route_choose(agents, kept, &asked, r.skills, time_now_ms());
    return to == SIZE_MAX ? SLICE_NONE : arena_dup(a, agents[to].user);
}

static void route(void *arg)
{
    struct desk *desk = arg;
    desk->routes = false;
    if (desk->stopped || desk->hub->draining)
        return;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct js_list waiting = { NULL, 0 };
    int64_t now_ms = time_now_ms();
    for (struct interaction *it = interactions_first(desk->all); it; it = it->next)
        if (it->state == DESK_QUEUED && !it->holds)
            *LIST_ADD(a, &waiting, struct interaction *) = it;
    if (!waiting.n)
        return;
    struct route_agent *agents = ARENA_ARRAY(a, struct route_agent, AGENTS_MAX);
    size_t n = gather_agents(desk, agents);
    qsort(waiting.items, waiting.n, sizeof(struct interaction *), by_age);
    for (size_t i = 0; i < waiting.n; i++) {
        struct interaction *it = *LIST_AT(waiting, struct interaction *, i);
        struct desk_place p;
        if (!desk_place(desk, it->conversation, &p))
            continue;
        struct queue_rules r = queue_rules(desk->queues, it->queue, p.desk);
        overflow(desk, it, &r, now_ms);
        r = queue_rules(desk->queues, it->queue, p.desk);
        forget_last(desk, it, now_ms);
        size_t to = n && is_open(desk, &r, now_ms) ? route_choose(agents, n, it, r.skills, now_ms) : SIZE_MAX;
        if (to == SIZE_MAX)
            continue;
        agents[to].open++;
        agents[to].idle_since_ms = now_ms;
        offer(desk, it, agents[to].user, &p, now_ms);
    }
}

void desk_route_soon(struct desk *desk)
{
    if (desk->routes || desk->stopped)
        return;
    desk->routes = true;
    loop_defer(desk->hub->loop, route, desk);
}

/* ---- what time changes ---------------------------------------------------------------------------------------------------------------- */

/* Who does not answer is not there: the next one is asked. */
static void unanswered(struct desk *desk, struct interaction *it, int64_t now_ms)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice user = arena_dup(a, it->invited);
    struct agent *m = desk_member(desk, user);
    int64_t queued_ms = it->queued_ms;
    desk_queue(desk, it, SLICE_NONE, SLICE_NONE, 0, now_ms);
    it->queued_ms = queued_ms; /* it has waited all the time */
    interaction_refuse(it, user, now_ms + REFUSED_MS);
    save(desk, it);
    desk_tell_gone(desk, user, it);
    member_state(desk, m, false, SL("no answer"), NULL, NULL);
}

static void hold_ends(struct desk *desk, struct interaction *it, const struct desk_place *p, int64_t now_ms)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice owner = arena_dup(a, interaction_owner(it));
    desk_alone(desk, it);
    interaction_forgive(it);
    desk_queue(desk, it, SLICE_NONE, owner, now_ms + desk_last_agent_ms(p), now_ms);
    save(desk, it);
}

struct ending {
    struct desk *desk;
    struct interaction *it;
    struct arena *a;
    struct inbox in;
};

static void with_end(void *arg, struct jbatch *b)
{
    struct ending *en = arg;
    interaction_save(en->desk->all, en->it, b);
}

static void ended(void *arg, bool ok)
{
    struct ending *en = arg;
    (void)ok; /* what is in memory is true, and is stored with the next change */
    en->it->holds--;
    if (!en->desk->stopped)
        desk_tell_interaction(en->desk, en->it);
    arena_free(en->a);
}

/* Without an agent who says so: hub and guest are told that it is over. */
static void closes(struct desk *desk, struct interaction *it, const struct desk_place *p, int64_t now_ms)
{
    struct arena *a = arena_new();
    struct ending *en = ARENA_NEW(a, struct ending);
    *en = (struct ending){ .desk = desk, .it = it, .a = a };
    inbox_init(&en->in, a);
    struct message *m = inbox_add(&en->in, KIND_EVENT);
    m->event = EVENT_CLOSED;
    m->guest = desk_address(a, p);
    m->at_ms = now_ms;
    m->id = uuid_make(a);
    m->origin = ORIGIN_HUB;
    en->in.also = with_end;
    en->in.also_arg = en;
    it->holds++;
    it->over = true;
    accept_inbox(p->desk, &en->in, SLICE_NONE, ended, en);
}

/* Its owner is no user any more: somebody else goes on with it. */
static void orphaned(struct desk *desk, struct interaction *it, const struct desk_place *p, int64_t now_ms)
{
    bool guest_gone = it->state == DESK_WRAPUP;
    desk_alone(desk, it);
    interaction_forgive(it);
    if (guest_gone)
        desk_end(desk, it, now_ms);
    else
        desk_queue(desk, it, SLICE_NONE, SLICE_NONE, 0, now_ms);
    if (guest_gone && !it->over && !it->failed.n)
        closes(desk, it, p, now_ms);
    else
        save(desk, it);
}

/* Nobody has written for long: the guest is told that it is over, the agent still closes it. */
static void idle(struct desk *desk, struct interaction *it, const struct desk_place *p, int64_t now_ms)
{
    interaction_state(desk->all, it, DESK_WRAPUP);
    closes(desk, it, p, now_ms);
}

void desk_look(struct desk *desk, int64_t now_ms)
{
    for (struct interaction *it = interactions_first(desk->all), *next; it; it = next) {
        struct desk_place p;
        next = it->next;
        if (it->holds || !desk_place(desk, it->conversation, &p))
            continue;
        int64_t idle_ms = number(p.desk, BUILTIN_IDLE_END) * 1000, said_ms = MAX(MAX(it->last_guest_ms, it->last_agent_ms), it->accepted_ms);
        slice owner = interaction_owner(it);
        if (owner.n && !login_find(desk->api->logins, owner))
            orphaned(desk, it, &p, now_ms);
        else if (it->state == DESK_INVITED && now_ms - it->invited_ms >= number(p.desk, BUILTIN_INVITE) * 1000)
            unanswered(desk, it, now_ms);
        else if (it->state == DESK_HELD && it->held_until_ms && now_ms >= it->held_until_ms)
            hold_ends(desk, it, &p, now_ms);
        else if (idle_ms && it->state == DESK_OPEN && !it->failed.n && now_ms - said_ms >= idle_ms)
            idle(desk, it, &p, now_ms);
    }
}
