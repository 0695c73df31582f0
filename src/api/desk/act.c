/* act.c - what every action on an interaction has in common: who may, what goes into one commit, who is told. */
#include "api/desk/inside.h"
#include "hub/accept.h"
#include "hub/message.h"

enum { EVENT_BYTES = 1 << 20 };

bool act_may_see(const struct api_call *c, const struct interaction *it)
{
    const struct login *l = login_find(c->api->logins, c->user);
    if (role_watches(c->role) || interaction_agent(it, c->user) || slice_eq(it->invited, c->user) || slice_eq(it->owner_was, c->user))
        return true;
    return l && (it->state == DESK_QUEUED || it->state == DESK_INVITED) && route_serves(&l->is, it->queue);
}

struct act *act_on(struct api_call *c, struct interaction *it)
{
    struct desk *desk = call_desk(c);
    struct desk_place place;
    if (!desk_place(desk, it->conversation, &place)) {
        api_problem(c, 409, "conflict", NULL, "its channel is not answered at this desk any more");
        return NULL;
    }
    struct act *act = ARENA_NEW(c->a, struct act);
    *act = (struct act){ .c = c, .desk = desk, .it = it, .place = place, .now_ms = time_now_ms() };
    inbox_init(&act->in, c->a);
    it->holds++;
    return act;
}

struct act *act_begin(struct api_call *c, unsigned parts, bool watches)
{
    struct desk *desk = call_desk(c);
    struct interaction *it = interactions_find(desk->all, c->params[0]);
    if (!it) {
        api_not_found(c, "interaction", c->params[0]);
        return NULL;
    }
    const struct desk_agent *me = interaction_agent(it, c->user);
    bool allowed = (me && parts & (1u << me->part)) || (watches && role_watches(c->role)) || (parts & ACT_ANY && act_may_see(c, it));
    if (!allowed) {
        api_problem(c, 403, "forbidden", NULL, me ? "not in the part you have in it" : "it is not yours");
        return NULL;
    }
    return act_on(c, it);
}

void act_over(struct act *act)
{
    act->it->holds--;
}

void act_conflict(struct act *act, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    slice text = arena_vprintf(act->c->a, fmt, ap);
    va_end(ap);
    act_over(act);
    api_problem(act->c, 409, "conflict", NULL, SLF, SLA(text));
}

/* ---- what goes along -------------------------------------------------------------------------------------------------------------------- */

struct message *act_say(struct act *act, enum kind kind)
{
    struct arena *a = act->c->a;
    struct message *m = inbox_add(&act->in, kind);
    m->guest = desk_address(a, &act->place);
    m->at_ms = act->now_ms;
    m->id = uuid_make(a);
    m->origin = ORIGIN_AGENT;
    m->desk_conversation = act->it->conversation;
    m->from.id = act->c->user;
    m->from.name = arena_dup(a, desk_user_name(act->desk, act->c->user));
    return m;
}

/* Who sees to a message that could not be delivered is not in the conversation itself. */
void act_event(struct act *act, enum event event, slice name, slice text)
{
    if (act->it->failed.n)
        return;
    struct message *m = act_say(act, KIND_EVENT);
    m->event = (int)event;
    m->from.name = arena_dup(act->c->a, name);
    m->text = text;
}

void act_note(struct act *act, const char *fmt, ...)
{
    va_list ap;
    struct message *m = act_say(act, KIND_TEXT);
    va_start(ap, fmt);
    m->text = arena_vprintf(act->c->a, fmt, ap);
    va_end(ap);
    m->origin = ORIGIN_HUB;
    m->private = true;
}

void act_gone(struct act *act, slice user)
{
    if (user.n && act->n_gone < COUNT(act->gone))
        act->gone[act->n_gone++] = arena_dup(act->c->a, user);
}

/* ---- the commit -------------------------------------------------------------------------------------------------------------------------- */

static void with_state(void *arg, struct jbatch *b)
{
    struct act *act = arg;
    interaction_save(act->desk->all, act->it, b);
}

static void tell_notes(struct act *act)
{
    for (const struct inbox_item *item = act->in.first; item; item = item->next) {
        if (!item->m.private)
            continue;
        struct jw w = jw_new(act->c->a, EVENT_BYTES);
        jw_open(&w, NULL, '{');
        jw_str(&w, "interaction", act->it->id);
        show_message(&w, "message", &(struct said){ .id = item->m.id, .interaction = act->it->id, .m = &item->m, .at_ms = act->now_ms, .state = "delivered" });
        jw_close(&w, '}');
        desk_tell_in(act->desk, act->it, "message", jw_done(&w), SLICE_NONE);
    }
}

static void stored(void *arg, bool ok)
{
    struct act *act = arg;
    struct desk *desk = act->desk;
    struct interaction *it = act->it;
    it->holds--;
    if (desk->stopped) {
        api_not_stored(act->c, NULL);
        return;
    }
    /* What is in memory is the truth either way; it is stored with the next change at the latest. */
    tell_notes(act);
    desk_tell_interaction(desk, it);
    for (size_t i = 0; i < act->n_gone; i++) {
        if (!interaction_agent(it, act->gone[i]) && !slice_eq(it->invited, act->gone[i]))
            desk_tell_gone(desk, act->gone[i], it);
        desk_tell_me(desk, act->gone[i]);
    }
    desk_tell_me(desk, act->c->user);
    desk_route_soon(desk);
    if (!ok) {
        api_not_stored(act->c, NULL);
    } else if (act->answer) {
        act->answer(act);
    } else {
        struct jw w = jw_new(act->c->a, API_ANSWER_MAX);
        show_interaction(desk, &w, NULL, it);
        api_answer_json(act->c, act->c->op->status, jw_done(&w));
    }
}

void act_commit(struct act *act)
{
    act->in.also = with_state;
    act->in.also_arg = act;
    accept_inbox(act->place.desk, &act->in, act->c->x->trace_id, stored, act);
}
