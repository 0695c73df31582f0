/* desk.c - the parts of the desk put together, and its agents. */
#include "api/desk/inside.h"
#include "hub/state.h"

enum { TICK_MS = 1000, SWEEP_EVERY = 60 };
#define MEMBER_KEY "g:a:"

bool role_watches(enum role role)
{
    return role == ROLE_SUPERVISOR || role == ROLE_ADMINISTRATOR;
}

bool desk_place(const struct desk *desk, slice conversation, struct desk_place *ret)
{
    slice guest = conversation, channel = slice_cut(&guest, ':');
    struct actor *actor = hub_actor(desk->hub, channel);
    if (!actor || actor->retired || !guest.n || !actor->tenant->desk || actor->tenant->desk->account.type != &connector_builtin)
        return false;
    *ret = (struct desk_place){ actor, actor->tenant->desk, guest };
    return true;
}

slice desk_address(struct arena *a, const struct desk_place *p)
{
    return arena_join(a, p->guest, SL("@"), p->channel->account.name);
}

slice desk_user_name(const struct desk *desk, slice user)
{
    const struct login *l = login_find(desk->api->logins, user);
    return l ? login_name(l) : user;
}

/* ---- agents ------------------------------------------------------------------------------------------------------------------------- */

static struct agent *member_find(const struct desk *desk, slice user)
{
    for (struct agent *m = desk->member_slots[slice_hash(user) % DESK_AGENT_SLOTS]; m; m = m->hash_next)
        if (slice_eq(slice_of(m->user), user))
            return m;
    return NULL;
}

struct agent *desk_member(struct desk *desk, slice user)
{
    struct agent *m = member_find(desk, user);
    if (m)
        return m;
    m = must_calloc(1, sizeof(*m));
    m->user = must_calloc(1, user.n + 1);
    memcpy(m->user, user.p, user.n);
    m->since_ms = m->idle_since_ms = time_now_ms();
    m->next = desk->members;
    desk->members = m;
    struct agent **slot = &desk->member_slots[slice_hash(user) % DESK_AGENT_SLOTS];
    m->hash_next = *slot;
    *slot = m;
    return m;
}

int64_t desk_answered_today(struct desk *desk, const struct agent *m, int64_t now_ms)
{
    return m->answered && m->answered_day_ms == desk_day_ms(desk, m->answered_zone, now_ms) ? m->answered : 0;
}

/* The day is that of who was answered last, where agents answer guests of several zones. */
void desk_answered(struct desk *desk, const struct interaction *it, slice user, int64_t at_ms)
{
    struct agent *m = desk_member(desk, user);
    slice zone = desk_zone_of(desk, it);
    int64_t now_ms = time_now_ms(), today_ms = desk_day_ms(desk, zone, now_ms);
    if (at_ms < today_ms)
        return;
    m->answered = desk_answered_today(desk, m, now_ms) + 1;
    m->answered_day_ms = today_ms;
    interaction_set(&m->answered_zone, zone);
}

struct member_stored {
    bool ready;
    slice reason;
    int64_t since_ms, idle_since_ms;
};
static const struct js_field member_fields[] = {
    JS_FIELD(struct member_stored, ready, "ready", JS_BOOL, JS_ZERO),
    JS_FIELD(struct member_stored, reason, "reason", JS_STR, 0),
    JS_FIELD(struct member_stored, since_ms, "since", JS_I64, 0),
    JS_FIELD(struct member_stored, idle_since_ms, "idle_since", JS_I64, 0),
};

void member_save(struct desk *desk, const struct agent *m, void (*stored)(void *arg, bool ok), void *arg)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct member_stored st = { m->ready, m->reason, m->since_ms, m->idle_since_ms };
    struct jw w = jw_new(a, 4096);
    jw_open(&w, NULL, '{');
    jw_fields(&w, member_fields, COUNT(member_fields), &st);
    jw_close(&w, '}');
    struct jbatch *b = jbatch_new(desk->hub->journal);
    state_put(desk->hub->state, b, arena_printf(a, MEMBER_KEY "%s", m->user), jw_done(&w));
    jbatch_commit(b, stored ? JOURNAL_DURABLE : JOURNAL_LAZY, stored, arg);
}

void member_state(struct desk *desk, struct agent *m, bool ready, slice reason, void (*stored)(void *arg, bool ok), void *arg)
{
    if (m->ready != ready || !slice_eq(m->reason, reason))
        m->since_ms = time_now_ms();
    if (ready && !m->ready)
        m->idle_since_ms = m->since_ms;
    m->ready = ready;
    interaction_set(&m->reason, utf8_cut(reason, DESK_WORD_MAX));
    member_save(desk, m, stored, arg);
    desk_tell_me(desk, slice_of(m->user));
    desk_route_soon(desk);
}

void desk_user_changed(struct desk *desk, slice user)
{
    desk_tell_me(desk, user);
    desk_route_soon(desk);
}

void desk_user_gone(struct desk *desk, slice user)
{
    member_state(desk, desk_member(desk, user), false, SLICE_NONE, NULL, NULL);
}

static void read_member(void *arg, slice key, slice value)
{
    struct desk *desk = arg;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct member_stored st = { 0 };
    const struct js *doc = js_parse(a, value, NULL);
    slice user = slice_from(key, sizeof(MEMBER_KEY) - 1);
    if (!user.n || !doc || !js_read(a, doc, member_fields, COUNT(member_fields), &st, NULL))
        return; /* written by ourselves */
    struct agent *m = desk_member(desk, user);
    m->ready = st.ready;
    m->since_ms = st.since_ms;
    m->idle_since_ms = st.idle_since_ms;
    interaction_set(&m->reason, st.reason);
}

void desk_count(struct desk *desk)
{
    for (struct agent *m = desk->members; m; m = m->next) {
        m->open = 0;
        m->holds_some = false;
    }
    for (const struct interaction *it = interactions_first(desk->all); it; it = it->next) {
        slice who = it->state == DESK_INVITED ? it->invited : interaction_owner(it);
        struct agent *m = who.n ? member_find(desk, who) : NULL;
        if (!m)
            continue;
        m->open += it->state == DESK_INVITED || it->state == DESK_OPEN;
        m->holds_some |= it->state != DESK_INVITED;
    }
}

/* ---- life ---------------------------------------------------------------------------------------------------------------------------- */

static void tick(void *arg)
{
    struct desk *desk = arg;
    int64_t now_ms = time_now_ms();
    pages_close_ended(desk);
    if (!desk->hub->draining) {
        desk_look(desk, now_ms);
        interactions_sweep(desk->all, now_ms);
        figures_tick(desk, now_ms);
        desk_route_soon(desk);
    }
    loop_timer_start(desk->hub->loop, &desk->tick, TICK_MS, tick, desk);
}

struct desk *desk_new(struct api *api)
{
    struct desk *desk = must_calloc(1, sizeof(*desk));
    desk->api = api;
    desk->hub = api->hub;
    desk->all = interactions_new(api->hub);
    desk->queues = queues_new(api->hub);
    desk->figures = figures_new();
    state_each(api->hub->state, SL(MEMBER_KEY), read_member, desk);
    hub_own_end(api->hub, &connector_builtin, &(struct own_end){ desk_arrive, desk_arrived, desk });
    return desk;
}

void desk_start(struct desk *desk)
{
    const struct interaction *const lists[] = { interactions_first_done(desk->all), interactions_first(desk->all) };
    for (size_t i = 0; i < COUNT(lists); i++)
        for (const struct interaction *it = lists[i]; it; it = it->next)
            if (it->first_accepted_ms && (it->owner_was.n || interaction_owner(it).n))
                desk_answered(desk, it, slice_or(interaction_owner(it), it->owner_was), it->first_accepted_ms);
    desk_contacts_start(desk);
    loop_timer_start(desk->hub->loop, &desk->tick, TICK_MS, tick, desk);
}

void desk_stop(struct desk *desk)
{
    if (!desk)
        return;
    desk->stopped = true;
    loop_timer_done(&desk->tick);
}

void desk_free(struct desk *desk)
{
    if (!desk)
        return;
    for (struct agent *m = desk->members, *next; m; m = next) {
        next = m->next;
        interaction_set(&m->reason, SLICE_NONE);
        interaction_set(&m->answered_zone, SLICE_NONE);
        free(m->user);
        free(m);
    }
    for (size_t i = 0; i < DESK_ZONES; i++)
        interaction_set(&desk->zones[i].name, SLICE_NONE);
    desk_contacts_free(desk);
    figures_free(desk->figures);
    queues_free(desk->queues);
    interactions_free(desk->all);
    free(desk);
}
