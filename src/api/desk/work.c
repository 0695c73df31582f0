/* work.c - what agents and supervisors do with an interaction, but for what they say. */
#include "api/desk/inside.h"
#include "hub/message.h"

static slice body_text(const struct api_call *c, const char *name)
{
    return js_text(js_get(c->body, slice_of(name)));
}

static slice my_name(const struct act *act)
{
    return desk_user_name(act->desk, act->c->user);
}

static void everybody_gone(struct act *act)
{
    for (size_t i = 0; i < act->it->agents.n; i++)
        act_gone(act, LIST_AT(act->it->agents, struct desk_agent, i)->user);
    act_gone(act, act->it->invited);
}

/* ---- accept, reject ------------------------------------------------------------------------------------------------------------------------ */

void api_desk_accept(struct api_call *c)
{
    struct act *act = act_begin(c, ACT_ANY, true);
    if (!act)
        return;
    struct interaction *it = act->it;
    bool mine = it->state == DESK_INVITED && slice_eq(it->invited, c->user);
    if (it->state != DESK_QUEUED && !mine && interaction_agent(it, c->user)) { /* the answer to the first time was lost, or another agent brought them in */
        act_commit(act);
        return;
    }
    if (!mine && it->state != DESK_QUEUED) {
        act_conflict(act, "it is not offered to you any more");
        return;
    }
    desk_take(act->desk, it, c->user, act->now_ms);
    act_event(act, EVENT_JOINED, my_name(act), SLICE_NONE);
    act_commit(act);
}

void api_desk_reject(struct api_call *c)
{
    enum { AGAIN_MS = 30000 };
    struct act *act = act_begin(c, ACT_ANY, false);
    if (!act)
        return;
    struct interaction *it = act->it;
    if (it->state != DESK_INVITED || !slice_eq(it->invited, c->user)) {
        act_conflict(act, "it is not offered to you any more");
        return;
    }
    slice reason = utf8_cut(body_text(c, "reason"), DESK_WORD_MAX);
    int64_t queued_ms = it->queued_ms;
    act_gone(act, c->user);
    desk_queue(act->desk, it, SLICE_NONE, SLICE_NONE, 0, act->now_ms);
    it->queued_ms = queued_ms; /* it has waited all the time */
    interaction_refuse(it, c->user, act->now_ms + AGAIN_MS);
    if (reason.n)
        act_note(act, SLF " did not take it: " SLF, SLA(my_name(act)), SLA(reason));
    act_commit(act);
}

/* ---- the end ----------------------------------------------------------------------------------------------------------------------------- */

static void dispose(struct act *act)
{
    const struct js *disposition = js_get(act->c->body, SL("disposition")), *note = js_get(act->c->body, SL("note"));
    if (disposition)
        interaction_set(&act->it->disposition, js_text(disposition));
    if (note)
        interaction_set(&act->it->note, js_text(note));
}

void api_desk_disposition(struct api_call *c)
{
    struct act *act = act_begin(c, ACT_IN | ACT_ANY, true);
    if (!act)
        return;
    if (!role_watches(c->role) && !interaction_agent(act->it, c->user) && !slice_eq(act->it->owner_was, c->user)) {
        act_over(act);
        api_problem(c, 403, "forbidden", NULL, "it is not yours");
        return;
    }
    dispose(act);
    act_commit(act);
}

/* Also where the guest went first: the conversation is open until the desk ends it. Of one about a message that could not be delivered only when it is what has
 * opened the conversation: the agent wrote, and nobody else is in it. */
static bool ends_it(const struct act *act)
{
    const struct interaction *it = act->it;
    return !it->over && (!it->failed.n || (it->last_agent_ms && !interactions_active(act->desk->all, it->conversation, false)));
}

void api_desk_done(struct api_call *c)
{
    struct act *act = act_begin(c, 1u << DESK_OWNER, true);
    if (!act)
        return;
    struct interaction *it = act->it;
    if (it->state == DESK_DONE) {
        act_conflict(act, "it is done already");
        return;
    }
    dispose(act);
    if (ends_it(act)) {
        struct message *m = act_say(act, KIND_EVENT);
        m->event = EVENT_CLOSED;
    }
    it->over = true;
    everybody_gone(act);
    desk_end(act->desk, it, act->now_ms);
    act_commit(act);
}

/* ---- hold ---------------------------------------------------------------------------------------------------------------------------------- */

void api_desk_hold(struct api_call *c)
{
    int64_t until_ms = 0;
    struct act *act = act_begin(c, 1u << DESK_OWNER, true);
    if (!act)
        return;
    if (act->it->state != DESK_OPEN) {
        act_conflict(act, "only what is open can be held");
        return;
    }
    const struct js *until = js_get(c->body, SL("until_ms"));
    if (until && (!js_int(until, &until_ms) || until_ms <= act->now_ms)) {
        act_over(act);
        api_problem(c, 400, "out_of_range", "until_ms", "must be a time to come");
        return;
    }
    act->it->held_until_ms = until_ms;
    interaction_state(act->desk->all, act->it, DESK_HELD);
    act_commit(act);
}

void api_desk_resume(struct api_call *c)
{
    struct act *act = act_begin(c, 1u << DESK_OWNER, true);
    if (!act)
        return;
    if (act->it->state != DESK_HELD) {
        act_conflict(act, "it is not held");
        return;
    }
    act->it->held_until_ms = 0;
    interaction_state(act->desk->all, act->it, DESK_OPEN);
    act_commit(act);
}

/* ---- to others ------------------------------------------------------------------------------------------------------------------------------ */

/* The user the body names, or one chosen out of its queue. Absent: answered, and the act is over. */
static slice wanted_user(struct act *act)
{
    struct api_call *c = act->c;
    slice user = body_text(c, "user"), queue = body_text(c, "queue");
    if (!user.n == !queue.n) {
        act_over(act);
        api_problem(c, 400, "missing_field", "user", "name a user or a queue, one of them");
        return SLICE_NONE;
    }
    if (!user.n) {
        user = desk_choose(act->desk, c->a, queue, act->place.desk, act->it);
        if (!user.n)
            act_conflict(act, "nobody of this queue is ready");
        return user;
    }
    if (!login_find(c->api->logins, user)) {
        act_over(act);
        api_not_found(c, "user", user);
        return SLICE_NONE;
    }
    if (slice_eq(user, c->user)) {
        act_conflict(act, "that is you");
        return SLICE_NONE;
    }
    return user;
}

static bool is_going_on(const struct interaction *it)
{
    return it->state == DESK_OPEN || it->state == DESK_HELD;
}

void api_desk_transfer(struct api_call *c)
{
    struct act *act = act_begin(c, 1u << DESK_OWNER, true);
    if (!act)
        return;
    struct desk *desk = act->desk;
    struct interaction *it = act->it;
    slice queue = body_text(c, "queue"), note = body_text(c, "note"), user = SLICE_NONE;
    bool waits = it->state == DESK_QUEUED || it->state == DESK_INVITED;
    if (!is_going_on(it) && !waits) {
        act_conflict(act, "it is not going on");
        return;
    }
    if (!queue.n || body_text(c, "user").n) {
        user = wanted_user(act);
        if (!user.n)
            return;
        if (!desk_member(desk, user)->ready) {
            act_conflict(act, "this agent is not ready");
            return;
        }
    }
    if (!user.n && !desk_has_queue(desk, queue)) {
        act_over(act);
        api_not_found(c, "queue", queue);
        return;
    }
    for (size_t i = 0; i < it->agents.n; i++) {
        const struct desk_agent *one = LIST_AT(it->agents, struct desk_agent, i);
        if (ACT_TALKS & (1u << one->part))
            act_event(act, EVENT_LEFT, desk_user_name(desk, one->user), SLICE_NONE);
    }
    everybody_gone(act);
    interaction_alone(it);
    interaction_forgive(it);
    desk_queue(desk, it, queue, SLICE_NONE, 0, act->now_ms);
    if (user.n) {
        interaction_state(desk->all, it, DESK_INVITED);
        interaction_set(&it->invited, user);
        it->invited_ms = act->now_ms;
        it->transferred = true;
    }
    act_note(act, SLF " handed it to " SLF "%s" SLF, SLA(my_name(act)), SLA(user.n ? desk_user_name(desk, user) : queue), note.n ? ": " : "", SLA(note));
    act_commit(act);
}

static void bring_in(struct api_call *c, enum desk_part part)
{
    struct act *act = act_begin(c, ACT_TALKS, true);
    if (!act)
        return;
    struct interaction *it = act->it;
    if (!is_going_on(it)) {
        act_conflict(act, "it is not going on");
        return;
    }
    slice user = wanted_user(act);
    if (!user.n)
        return;
    const struct desk_agent *there = interaction_agent(it, user);
    if (there && (there->part == DESK_OWNER || there->part == (int)part)) {
        act_conflict(act, "this agent is in it already");
        return;
    }
    if (!interaction_join(it, user, part)) {
        act_conflict(act, "there are %d agents in it", DESK_AGENTS_MAX);
        return;
    }
    if (part == DESK_CONFERENCED)
        act_event(act, EVENT_JOINED, desk_user_name(act->desk, user), SLICE_NONE);
    act_note(act, SLF " %s " SLF, SLA(my_name(act)), part == DESK_CONFERENCED ? "brought in" : "consults", SLA(desk_user_name(act->desk, user)));
    act_commit(act);
}

void api_desk_consult(struct api_call *c)
{
    bring_in(c, DESK_CONSULTED);
}

void api_desk_conference(struct api_call *c)
{
    bring_in(c, DESK_CONFERENCED);
}

/* Who is heard by the guest, besides the owner; absent: nobody. */
static slice next_owner(const struct interaction *it)
{
    for (size_t i = 0; i < it->agents.n; i++)
        if (LIST_AT(it->agents, struct desk_agent, i)->part == DESK_CONFERENCED)
            return LIST_AT(it->agents, struct desk_agent, i)->user;
    return SLICE_NONE;
}

void api_desk_leave(struct api_call *c)
{
    struct act *act = act_begin(c, ACT_IN, false);
    if (!act)
        return;
    struct interaction *it = act->it;
    int part = interaction_agent(it, c->user)->part;
    slice next = part == DESK_OWNER ? arena_dup(c->a, next_owner(it)) : SLICE_NONE;
    if (part == DESK_OWNER && !next.n) {
        act_conflict(act, "nobody else talks to the guest: transfer it, hold it, or mark it done");
        return;
    }
    act_gone(act, c->user);
    interaction_leave(it, c->user);
    if (next.n)
        (void)interaction_join(it, next, DESK_OWNER); /* they are in it: only the part changes */
    if (part == DESK_OWNER || part == DESK_CONFERENCED)
        act_event(act, EVENT_LEFT, my_name(act), SLICE_NONE);
    act_commit(act);
}

/* ---- supervisors ---------------------------------------------------------------------------------------------------------------------------- */

static void look_in(struct api_call *c, enum desk_part part)
{
    struct act *act = act_begin(c, 0, true);
    if (!act)
        return;
    struct interaction *it = act->it;
    const struct desk_agent *me = interaction_agent(it, c->user);
    if (it->state == DESK_DONE || it->failed.n) {
        act_conflict(act, "it is not going on");
        return;
    }
    if (me && (me->part == DESK_OWNER || me->part == (int)part)) {
        act_conflict(act, "you are in it already");
        return;
    }
    if (me && me->part == DESK_CONFERENCED)
        act_event(act, EVENT_LEFT, my_name(act), SLICE_NONE);
    if (!interaction_join(it, c->user, part)) {
        act_conflict(act, "there are %d agents in it", DESK_AGENTS_MAX);
        return;
    }
    if (part == DESK_CONFERENCED)
        act_event(act, EVENT_JOINED, my_name(act), SLICE_NONE);
    act_commit(act);
}

void api_desk_monitor(struct api_call *c)
{
    look_in(c, DESK_MONITOR);
}

void api_desk_coach(struct api_call *c)
{
    look_in(c, DESK_COACH);
}

void api_desk_barge(struct api_call *c)
{
    look_in(c, DESK_CONFERENCED);
}

/* ---- read ----------------------------------------------------------------------------------------------------------------------------------- */

void api_desk_read(struct api_call *c)
{
    struct act *act = act_begin(c, ACT_TALKS, false);
    if (!act)
        return;
    const struct caps *caps = &act->place.channel->account.type->caps;
    bool new = act->it->unread > 0;
    act->it->unread = 0;
    if (new && (caps->kinds & CAN(KIND_EVENT)) && (caps->events & CAN(EVENT_READ)))
        act_event(act, EVENT_READ, my_name(act), SLICE_NONE);
    act_commit(act);
}
