/* events.c - what happens, told to open pages as it happens (server-sent events).
 *
 *   event: conversation  {"id":"acme/line:U1"}       something was said in it, or became of what was said: read it again
 *   event: contact       {"id":"ct-…"}               a contact was made, changed, or is gone
 *   event: health        {"waiting":…, …}            the journal's counts, when they changed
 *   event: config        {"action":"tenant.change","target":"acme"}      administrators only
 *
 * Nothing is done for events while no page is open, but for what the history does anyway.
 */
#include "api/events.h"
#include "api/call.h"
#include "api/contacts/contacts.h"
#include "api/session.h"
#include "hub/history.h"

enum { STREAMS_MAX = 200, LOOK_MS = 1000 };

struct stream {
    struct stream *next;
    struct streams *all;
    struct events *events;
    enum role role;
    uint8_t session[SESSION_HASH_BYTES];
};
struct streams {
    struct api *api;
    struct stream *first;
    size_t n;
    struct loop_timer timer;
    int64_t counts[J_STATES];
};

static void send(struct streams *ss, unsigned may, const char *name, slice json)
{
    for (struct stream *st = ss->first; st; st = st->next)
        if (may & (1u << st->role))
            events_send(st->events, name, json);
}

/* ---- what is told ---------------------------------------------------------------------------------------------------- */

static void send_id(struct streams *ss, unsigned may, const char *name, slice id)
{
    if (!ss->first)
        return;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct jw w = jw_new(a, 4096);
    jw_open(&w, NULL, '{');
    jw_str(&w, "id", id);
    jw_close(&w, '}');
    send(ss, may, name, jw_done(&w));
}

static void conversation_changed(void *arg, slice conversation)
{
    send_id(arg, MAY_READ, "conversation", conversation);
}

static void contact_changed(void *arg, slice contact)
{
    send_id(arg, MAY_READ, "contact", contact);
}

static void tell_health(struct streams *ss)
{
    int64_t n[J_STATES];
    journal_counts(ss->api->hub->journal, n);
    if (memcmp(n, ss->counts, sizeof(n)) == 0)
        return;
    memcpy(ss->counts, n, sizeof(n));
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct jw w = jw_new(a, 1024);
    jw_open(&w, NULL, '{');
    for (size_t i = 0; i < J_STATES; i++)
        jw_int(&w, jstate_names[i], n[i]);
    jw_close(&w, '}');
    send(ss, MAY_READ, "health", jw_done(&w));
}

void streams_config(struct api *api, const char *action, slice target)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct jw w = jw_new(a, 2048);
    jw_open(&w, NULL, '{');
    jw_str(&w, "action", slice_of(action));
    jw_str(&w, "target", target);
    jw_close(&w, '}');
    send(api->streams, MAY_ADMIN, "config", jw_done(&w));
}

/* ---- looking --------------------------------------------------------------------------------------------------------- */

/* Who logged out, or whose session ended, hears no more. */
static void close_ended(struct streams *ss)
{
    for (struct stream **at = &ss->first; *at;) {
        struct stream *st = *at;
        if (session_alive(ss->api->sessions, st->session)) {
            at = &st->next;
            continue;
        }
        *at = st->next;
        ss->n--;
        events_close(st->events);
        free(st);
    }
}

static void tick(void *arg)
{
    struct streams *ss = arg;
    close_ended(ss);
    if (!ss->first)
        return;
    tell_health(ss);
    loop_timer_start(ss->api->hub->loop, &ss->timer, LOOK_MS, tick, ss);
}

/* ---- pages ----------------------------------------------------------------------------------------------------------- */

static void gone(void *arg)
{
    struct stream *st = arg;
    struct streams *ss = st->all;
    for (struct stream **at = &ss->first; *at; at = &(*at)->next) {
        if (*at == st) {
            *at = st->next;
            break;
        }
    }
    ss->n--;
    free(st);
}

void api_events(struct api_call *c)
{
    struct streams *ss = c->api->streams;
    if (ss->n >= STREAMS_MAX) {
        api_problem(c, 503, "busy", NULL, "%d pages listen already", STREAMS_MAX);
        return;
    }
    struct stream *st = must_calloc(1, sizeof(*st));
    *st = (struct stream){ .all = ss, .role = c->role };
    memcpy(st->session, c->session->hash, sizeof(st->session));
    st->events = exchange_events(c->x, gone, st);
    if (!st->events) {
        free(st);
        return;
    }
    st->next = ss->first;
    ss->first = st;
    ss->n++;
    events_send(st->events, "hello", SL("{}"));
    if (!ss->timer.active)
        loop_timer_start(ss->api->hub->loop, &ss->timer, LOOK_MS, tick, ss);
}

struct streams *streams_new(struct api *api)
{
    struct streams *ss = must_calloc(1, sizeof(*ss));
    ss->api = api;
    return ss;
}

void streams_start(struct streams *ss)
{
    if (ss->api->hub->history)
        history_on_change(ss->api->hub->history, conversation_changed, ss);
    contacts_on_change(ss->api->contacts, contact_changed, ss);
}

void streams_stop(struct streams *ss)
{
    if (ss)
        loop_timer_done(&ss->timer);
}

void streams_free(struct streams *ss)
{
    free(ss); /* the server has told every page's end */
}
