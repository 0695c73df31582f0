/* stream.c - pages that are told as things happen (server-sent events) instead of polling: docs/wire/webchat.md "Being told".
 *
 * A page says from where (index), is sent what it lacks, then each line as it is shown. What got lost with a connection it asks for again by the same index.
 */
#include "api/chat/request.h"

struct chat_stream {
    struct chat_stream *next;
    struct chat *chat;
    struct chat_session *session; /* NULL: it is gone, and so is the page */
    struct events *events;        /* NULL: the page is gone */
    int64_t had, seen;            /* what it was told */
    bool ended, busy;             /* busy: its beginning is being read */
    struct arena *a;              /* of that reading; NULL: none */
    struct jw w;
};

static void stream_free(struct chat_stream *st)
{
    arena_free(st->a);
    free(st);
}

static void unlist(struct chat_stream *st)
{
    struct chat_stream **at = &st->session->streams;
    while (*at && *at != st)
        at = &(*at)->next;
    if (*at)
        *at = st->next;
    st->chat->n_streams--;
    if (!st->chat->stopped) /* the numbers may be gone already */
        METRIC_SET(st->chat->hub->metrics, METRIC_CHAT_STREAMS, st->chat->n_streams);
}

static void gone(void *arg)
{
    struct chat_stream *st = arg;
    st->session->seen_ms = time_now_ms();
    st->events = NULL;
    if (st->busy) /* who reads for it frees it */
        return;
    unlist(st);
    stream_free(st);
}

void streams_end(struct chat_session *s)
{
    while (s->streams) {
        struct chat_stream *st = s->streams;
        unlist(st);
        if (st->events)
            events_close(st->events);
        stream_free(st);
    }
}

/* ---- telling ---------------------------------------------------------------------------------------------------------------- */

static struct jw begin(struct arena *a)
{
    struct jw w = jw_new(a, CHAT_ANSWER_MAX);
    jw_open(&w, NULL, '{');
    jw_open(&w, "messages", '[');
    return w;
}

static void send(struct chat_stream *st, struct jw *w)
{
    struct chat_session *s = st->session;
    jw_close(w, ']');
    chat_state_write(w, s, session_actor(st->chat->sessions, s), true);
    jw_close(w, '}');
    slice data = jw_done(w);
    st->seen = s->seen;
    st->ended = s->end != CHAT_OPEN && lines_all_shown(s);
    if (data.p && st->events)
        events_send(st->events, "messages", data);
}

static void tell_one(struct chat_stream *st)
{
    struct chat_session *s = st->session;
    size_t i = s->n_lines, n = 0;
    if (st->busy || !st->events)
        return;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct jw w = begin(a);
    while (i > 0 && s->lines[i - 1]->place > st->had)
        i--;
    for (; i < s->n_lines && s->lines[i]->shown; i++, n++) {
        jw_raw(&w, NULL, slice_mem(s->lines[i]->json, s->lines[i]->n));
        st->had = s->lines[i]->place;
    }
    if (n || st->seen != s->seen || (s->end != CHAT_OPEN && !st->ended && lines_all_shown(s)))
        send(st, &w);
}

void chat_tell(struct chat *chat, struct chat_session *s)
{
    (void)chat;
    for (struct chat_stream *st = s->streams, *next; st; st = next) {
        next = st->next;
        tell_one(st);
    }
}

/* ---- a page comes ------------------------------------------------------------------------------------------------------------- */

static void give(void *arg, int64_t place, slice json)
{
    struct chat_stream *st = arg;
    jw_raw(&st->w, NULL, json);
    st->had = MAX(st->had, place);
}

static void given(void *arg, bool ok)
{
    struct chat_stream *st = arg;
    st->busy = false;
    if (!st->events || !ok) { /* it comes back, or polls */
        unlist(st);
        if (st->events)
            events_close(st->events);
        stream_free(st);
        return;
    }
    send(st, &st->w);
    arena_free(st->a);
    st->a = NULL;
    tell_one(st); /* what came meanwhile */
}

struct opening { /* until the newest lines are in memory */
    struct chat_call *c;
    int64_t from;
};

static size_t count(const struct chat_session *s)
{
    size_t n = 0;
    for (const struct chat_stream *st = s->streams; st; st = st->next)
        n++;
    return n;
}

static void loaded(void *arg)
{
    struct opening *op = arg;
    struct chat_call *c = op->c;
    struct chat *chat = c->chat;
    struct chat_session *s = c->session;
    struct header headers[CHAT_CORS_HEADERS];
    if (!s->loaded || chat->stopped) { /* the store could not be read */
        chat_not_stored(c);
        return;
    }
    if (chat->n_streams >= CHAT_STREAMS_ALL || count(s) >= CHAT_STREAMS) {
        chat_refuse(c, 503, NULL, "too many pages are told already: poll");
        return;
    }
    struct chat_stream *st = must_calloc(1, sizeof(*st));
    *st = (struct chat_stream){ .next = s->streams, .chat = chat, .session = s, .busy = true };
    chat_cors(c, headers);
    chat_leave(c);
    st->events = exchange_events_with(c->x, headers, COUNT(headers), gone, st);
    if (!st->events) {
        free(st);
        return;
    }
    s->streams = st;
    chat->n_streams++;
    METRIC_SET(chat->hub->metrics, METRIC_CHAT_STREAMS, chat->n_streams);
    st->a = arena_new();
    st->w = begin(st->a);
    lines_read(chat->sessions, s, op->from, 0, CHAT_READ_MAX, give, given, st);
}

void chat_stream(struct chat_call *c)
{
    slice index = exchange_query(c->x, "index");
    struct opening *op = ARENA_NEW(c->a, struct opening);
    *op = (struct opening){ .c = c };
    if (index.n && !place_read(index, &op->from))
        chat_refuse(c, 400, NULL, "index must be one that a message had");
    else
        lines_load(c->chat->sessions, c->session, loaded, op);
}
