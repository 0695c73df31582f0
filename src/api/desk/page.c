/* page.c - open pages of agents and supervisors, told what happens as it happens (GET /api/v1/desk/events).
 *
 *   hello        {"me":{…},"interactions":[…]}         first, so that whoever comes back knows all
 *   interaction  an interaction of mine, as it is now
 *   gone         {"id":…}                              it is not mine any more
 *   message      {"interaction":…,"message":{…}}
 *   typing       {"interaction":…,"who":"guest" or a name,"preview":…}
 *   state        {"interaction":…,"id":…,"state":…}    how far a message came
 *   me           my own state
 *   queues       the figures of all queues             supervisors; at most once a second, like …
 *   agents       … all agents
 */
#include "api/desk/inside.h"
#include "api/logins.h"
#include "api/session.h"

enum { PAGES_MAX = 2000, EVENT_MAX_BYTES = 1 << 20, HELLO_MAX_BYTES = 8 << 20 };

struct desk_page {
    struct desk_page *next;
    struct desk *desk;
    struct events *events;
    enum role role;
    slice user;
    uint8_t session[SESSION_HASH_BYTES];
};

/* ---- telling -------------------------------------------------------------------------------------------------------------------------- */

void desk_tell(struct desk *desk, slice user, const char *event, slice json)
{
    for (struct desk_page *p = json.p ? desk->pages : NULL; p; p = p->next)
        if (slice_eq(p->user, user))
            events_send(p->events, event, json);
}

void desk_tell_watchers(struct desk *desk, const char *event, slice json)
{
    for (struct desk_page *p = json.p ? desk->pages : NULL; p; p = p->next)
        if (role_watches(p->role))
            events_send(p->events, event, json);
}

size_t watchers(const struct desk *desk)
{
    size_t n = 0;
    for (const struct desk_page *p = desk->pages; p; p = p->next)
        n += role_watches(p->role);
    return n;
}

size_t pages_of(const struct desk *desk, slice user)
{
    size_t n = 0;
    for (const struct desk_page *p = desk->pages; p; p = p->next)
        n += slice_eq(p->user, user);
    return n;
}

void desk_tell_in(struct desk *desk, const struct interaction *it, const char *event, slice json, slice but)
{
    for (size_t i = 0; i < it->agents.n; i++) {
        slice user = LIST_AT(it->agents, struct desk_agent, i)->user;
        if (!slice_eq(user, but))
            desk_tell(desk, user, event, json);
    }
    if (it->invited.n && !interaction_agent(it, it->invited) && !slice_eq(it->invited, but))
        desk_tell(desk, it->invited, event, json);
}

void desk_tell_interaction(struct desk *desk, const struct interaction *it)
{
    if (!desk->pages)
        return;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct jw w = jw_new(a, EVENT_MAX_BYTES);
    show_interaction(desk, &w, NULL, it);
    desk_tell_in(desk, it, "interaction", jw_done(&w), SLICE_NONE);
}

void desk_tell_gone(struct desk *desk, slice user, const struct interaction *it)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct jw w = jw_new(a, 4096);
    jw_open(&w, NULL, '{');
    jw_str(&w, "id", it->id);
    jw_close(&w, '}');
    desk_tell(desk, user, "gone", jw_done(&w));
}

void desk_tell_me(struct desk *desk, slice user)
{
    const struct login *l = login_find(desk->api->logins, user);
    if (!l || !pages_of(desk, user))
        return;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct jw w = jw_new(a, EVENT_MAX_BYTES);
    show_me(desk, &w, NULL, l);
    desk_tell(desk, user, "me", jw_done(&w));
}

/* ---- pages ------------------------------------------------------------------------------------------------------------------------------ */

static void page_free(struct desk_page *p)
{
    interaction_set(&p->user, SLICE_NONE);
    free(p);
}

static void gone(void *arg)
{
    struct desk_page *p = arg;
    struct desk_page **at = &p->desk->pages;
    while (*at != p)
        at = &(*at)->next;
    *at = p->next;
    p->desk->n_pages--;
    page_free(p);
}

/* Who logged out, or whose session ended, hears no more. */
void pages_close_ended(struct desk *desk)
{
    for (struct desk_page **at = &desk->pages; *at;) {
        struct desk_page *p = *at;
        const struct login *l = login_find(desk->api->logins, p->user);
        if (session_alive(desk->api->sessions, p->session) && l && l->role == p->role) {
            at = &p->next;
            continue;
        }
        *at = p->next;
        desk->n_pages--;
        events_close(p->events);
        page_free(p);
    }
}

static void hello(struct desk *desk, struct desk_page *p, const struct login *l)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct jw w = jw_new(a, HELLO_MAX_BYTES);
    jw_open(&w, NULL, '{');
    show_me(desk, &w, "me", l);
    jw_open(&w, "interactions", '[');
    for (const struct interaction *it = interactions_first(desk->all); it; it = it->next)
        if (slice_eq(it->invited, p->user) || interaction_agent(it, p->user))
            show_interaction(desk, &w, NULL, it);
    jw_close(&w, ']');
    jw_close(&w, '}');
    slice json = jw_done(&w);
    events_send(p->events, "hello", json.p ? json : SL("{}"));
}

void api_desk_events(struct api_call *c)
{
    struct desk *desk = call_desk(c);
    const struct login *l = login_find(c->api->logins, c->user);
    if (desk->n_pages >= PAGES_MAX) {
        api_problem(c, 503, "busy", NULL, "%d pages listen already", PAGES_MAX);
        return;
    }
    struct desk_page *p = must_calloc(1, sizeof(*p));
    *p = (struct desk_page){ .desk = desk, .role = c->role };
    interaction_set(&p->user, c->user);
    memcpy(p->session, c->session->hash, sizeof(p->session));
    p->events = exchange_events(c->x, gone, p);
    if (!p->events) {
        page_free(p);
        return;
    }
    p->next = desk->pages;
    desk->pages = p;
    desk->n_pages++;
    hello(desk, p, l);
}
