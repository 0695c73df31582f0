/* arrive.c - what the desk says to a guest becomes lines of the chat, in the batch that settles the message. */
#include "api/chat/request.h"
#include "api/chat/say.h"
#include "hub/conversation.h"
#include "hub/inbox.h"

static struct chat_session *session_of(const struct chat *chat, const struct own_delivery *d)
{
    struct chat_session *s = chats_find(chat->sessions, d->conv->pub.guest);
    return s && slice_eq(bytes_slice(&s->account), d->to->account.id) ? s : NULL;
}

/* ---- who is in it -------------------------------------------------------------------------------------------------------------------- */

/* How the guest sees who writes. */
static slice shown_name(const struct own_delivery *d)
{
    const struct account *acc = &d->to->account;
    slice own = acc->settings[WEBCHAT_AGENT_NAME];
    if (slice_eq(acc->settings[WEBCHAT_SHOW_AGENT], SL("false")))
        return own;
    return slice_or(own, slice_or(author_name(&d->conv->pub, d->m), d->to->tenant->name));
}

static size_t find_agent(const struct js *agents, slice name)
{
    for (size_t i = 0; i < js_len(agents); i++)
        if (slice_eq(js_text(js_item(agents, i)), name))
            return i;
    return SIZE_MAX;
}

/* The list with one name more, or without it (out: every name when name is absent). */
static void agents_change(struct arena *a, struct chat_session *s, const struct js *agents, slice name, bool out)
{
    enum { LIST_BYTES = 8192 };
    struct jw w = jw_new(a, LIST_BYTES);
    size_t n = js_len(agents), from = !out && n >= CHAT_AGENTS ? n - CHAT_AGENTS + 1 : 0;
    jw_open(&w, NULL, '[');
    for (size_t i = from; i < n; i++)
        if (!out || (name.n && !slice_eq(js_text(js_item(agents, i)), name)))
            jw_str(&w, NULL, js_text(js_item(agents, i)));
    if (!out)
        jw_str(&w, NULL, name);
    jw_close(&w, ']');
    slice json = jw_done(&w);
    if (json.p)
        bytes_set(&s->agents, json);
}

static void add_notice(struct chat *chat, struct chat_session *s, const struct own_delivery *d, struct arena *a, const char *type, slice name, struct jbatch *b)
{
    int64_t place = line_place(s, time_now_ms());
    struct say_who who = say_agent(a, s, name, (enum origin)d->m->origin);
    struct jw w = say_begin(a, place, type, &who);
    slice json = say_done(&w);
    if (json.p)
        line_add(chat->sessions, s, place, d->id, json, SLICE_NONE, b);
}

static void joins(struct chat *chat, struct chat_session *s, const struct own_delivery *d, struct arena *a, slice name, struct jbatch *b)
{
    const struct js *agents = s->agents.n ? js_parse(a, arena_dup(a, bytes_slice(&s->agents)), NULL) : NULL;
    if (!name.n || find_agent(agents, name) != SIZE_MAX)
        return;
    agents_change(a, s, agents, name, false);
    add_notice(chat, s, d, a, "ParticipantJoined", name, b);
}

/* name absent: all of them. */
static void leaves(struct chat *chat, struct chat_session *s, const struct own_delivery *d, struct arena *a, slice name, struct jbatch *b)
{
    const struct js *agents = s->agents.n ? js_parse(a, arena_dup(a, bytes_slice(&s->agents)), NULL) : NULL;
    for (size_t i = 0; i < js_len(agents); i++) {
        slice one = js_text(js_item(agents, i));
        if (!name.n || slice_eq(one, name))
            add_notice(chat, s, d, a, "ParticipantLeft", one, b);
    }
    agents_change(a, s, agents, name, true);
}

/* ---- what they say ------------------------------------------------------------------------------------------------------------------- */

static void says(struct chat *chat, struct chat_session *s, const struct own_delivery *d, struct arena *a, struct jbatch *b)
{
    slice name = shown_name(d);
    struct offers o = { .a = a, .of = slice_or(d->m->peer_id, d->m->id) };
    joins(chat, s, d, a, name, b);
    for (size_t i = 0; i < d->n_parts; i++) {
        int64_t place = line_place(s, time_now_ms());
        struct say_who who = say_agent(a, s, name, (enum origin)d->m->origin);
        slice files, json = say_part(a, s, place, &who, &d->parts[i], &o, &files);
        if (!json.p) { /* over what a line holds: its text alone */
            struct message plain = { .kind = KIND_TEXT, .text = utf8_cut(d->parts[i].text, WEBCHAT_TEXT_CHARS_MAX / 4) };
            json = say_part(a, s, place, &who, &plain, &o, &files);
        }
        if (json.p)
            line_add(chat->sessions, s, place, d->id, json, files, b);
    }
    s->said = s->last;
    bytes_set(&s->said_id, utf8_cut_bytes(slice_or(d->m->peer_id, d->m->id), CHAT_ID_BYTES));
    if (d->m->origin == ORIGIN_AGENT) /* who answers has read */
        s->seen = s->own;
    bytes_set(&s->offers, offers_add(a, arena_dup(a, bytes_slice(&s->offers)), &o));
}

static void happens(struct chat *chat, struct chat_session *s, const struct own_delivery *d, struct arena *a, struct jbatch *b)
{
    switch ((enum event)d->m->event) {
    case EVENT_JOINED:
        if (d->m->from.name.n)
            joins(chat, s, d, a, shown_name(d), b);
        return;
    case EVENT_LEFT:
        if (d->m->from.name.n)
            leaves(chat, s, d, a, shown_name(d), b);
        return;
    case EVENT_CLOSED:
        leaves(chat, s, d, a, SLICE_NONE, b);
        if (s->end == CHAT_OPEN && !chat_is_async(d->to)) {
            s->end = CHAT_CLOSED;
            s->ended_ms = time_now_ms();
        }
        return;
    case EVENT_READ:
        s->seen = s->own;
        return;
    case EVENT_NONE: case EVENT_START: case EVENT_BLOCKED: case EVENT_DELETED: case EVENT_EDITED: case EVENT_OTHER: case EVENT_MAX:
        return;
    }
}

void arrive_take(void *arg, const struct own_delivery *d, struct jbatch *b)
{
    struct chat *chat = arg;
    struct chat_session *s = session_of(chat, d);
    CLEANUP(arena_freep) struct arena *a = arena_new();
    if (!s || d->m->kind == KIND_TYPING)
        return;
    lines_withdraw(chat->sessions, s, d->id, b); /* of a batch that was not stored */
    if (d->m->kind == KIND_EVENT)
        happens(chat, s, d, a, b);
    else
        says(chat, s, d, a, b);
    if (d->m->kind != KIND_EVENT || d->m->event != EVENT_READ)
        s->active_ms = time_now_ms();
    session_save(chat->sessions, s, b);
}

/* ---- typing: a line that passes --------------------------------------------------------------------------------------------------------- */

static void types(struct chat *chat, struct chat_session *s, const struct own_delivery *d)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    int64_t now_ms = time_now_ms(), place = line_place(s, now_ms);
    struct say_who who = say_agent(a, s, shown_name(d), (enum origin)d->m->origin);
    struct jw w = say_begin(a, place, "TypingStarted", &who);
    slice json = say_done(&w);
    lines_trim(s, now_ms);
    if (json.p)
        line_add(chat->sessions, s, place, 0, json, SLICE_NONE, NULL);
    if (d->m->origin == ORIGIN_AGENT) /* stored with the next message */
        s->seen = s->own;
    chat_tell(chat, s);
}

void arrive_taken(void *arg, const struct own_delivery *d)
{
    struct chat *chat = arg;
    struct chat_session *s = session_of(chat, d);
    if (!s)
        return;
    if (d->m->kind == KIND_TYPING) {
        types(chat, s, d);
        return;
    }
    lines_show(s, d->id);
    lines_trim(s, time_now_ms());
    chat_tell(chat, s);
}
