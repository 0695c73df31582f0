/* poll.c - what a page sees of its chat: docs/wire/webchat.md "Reading messages". */
#include "api/chat/request.h"
#include "api/chat/say.h"

enum { COUNT_LEAST = 1, POLL_ANSWER_MAX = CHAT_ANSWER_MAX / 2 };

struct reading {
    struct chat_call *c;
    struct jw w;
    int64_t last;  /* place of the last line given; 0: none */
    size_t n;
    bool polled;   /* the transport's own place moves on … */
    bool asked;    /* … to where the page itself has asked to be told on from */
    bool full;     /* there is more than one answer holds */
    char transport[UUID_TEXT];
};

static void begin(struct reading *r)
{
    r->w = jw_new(r->c->a, CHAT_ANSWER_MAX - 4096);
    jw_open(&r->w, NULL, '{');
    jw_open(&r->w, "messages", '[');
}

/* A poll goes on where its answer ended; who asks for a page of so many is told that they are too many. */
static void give(void *arg, int64_t place, slice json)
{
    struct reading *r = arg;
    r->full = r->full || (r->polled && r->w.t.n + json.n > POLL_ANSWER_MAX);
    if (r->full)
        return;
    jw_raw(&r->w, NULL, json);
    r->last = place;
    r->n++;
}

/* A page that hears of the end asks no more: so only when it has everything. */
void chat_state_write(struct jw *w, const struct chat_session *s, const struct actor *actor, bool told_all)
{
    bool ended = s->end != CHAT_OPEN && lines_all_shown(s) && told_all;
    jw_bool(w, "chatEnded", ended);
    if (s->seen)
        jw_str(w, "seenIndex", place_index(w->t.a, s->seen));
    if (ended && !s->rating && actor && slice_eq(actor->account.settings[WEBCHAT_SATISFACTION], SL("true")))
        jw_int(w, "satisfaction", CHAT_RATING_MAX);
}

static void finish(struct reading *r, bool to_the_end)
{
    struct chat_call *c = r->c;
    jw_close(&r->w, ']');
    chat_state_write(&r->w, c->session, c->actor, to_the_end && !r->full);
    jw_close(&r->w, '}');
    slice data = jw_done(&r->w);
    if (!data.p)
        chat_refuse(c, 413, NULL, "the answer is too long; ask for fewer messages");
    else
        chat_answer(c, data, false);
}

/* ---- the poll -------------------------------------------------------------------------------------------------------------------- */

static void has_it_all(struct chat_transport *t)
{
    for (size_t i = 0; i < CHAT_REPEATS; i++)
        t->before[i] = t->had;
}

/* Where the transport is to be told on from. Who asks over the connection of the last answer has got it. Else that answer may have got lost with its
 * connection, and those before it: their lines are told again, as often as a bad line loses answers one after the other. Pages know lines by their index and
 * drop what they have. */
static int64_t told_up_to(struct chat_transport *t, uint64_t connection)
{
    if (t->connection == connection)
        has_it_all(t);
    int64_t from = t->before[0];
    memmove(t->before, t->before + 1, sizeof(t->before) - sizeof(t->before[0]));
    t->before[CHAT_REPEATS - 1] = t->had;
    t->connection = connection;
    return from;
}

static void page_done(void *arg, bool ok);

static void poll_loaded(void *arg)
{
    struct reading *r = arg;
    struct chat_call *c = r->c;
    struct chat_session *s = c->session;
    if (!s->loaded) { /* the store could not be read */
        chat_not_stored(c);
        return;
    }
    struct chat_transport *t = session_transport(s, c->token.transport);
    int64_t from = told_up_to(t, slice_hash(c->x->remote));
    lines_trim(s, c->now_ms);
    if (from && !s->whole && s->n_lines && from < s->lines[0]->place) { /* away for more than the memory holds */
        lines_read(c->chat->sessions, s, from + 1, 0, CHAT_READ_MAX, give, page_done, r);
        return;
    }
    size_t i = s->n_lines;
    while (i > 0 && s->lines[i - 1]->place > from)
        i--;
    for (; i < s->n_lines && s->lines[i]->shown; i++)
        if (!s->lines[i]->passing || s->lines[i]->place > t->had)
            give(r, s->lines[i]->place, slice_mem(s->lines[i]->json, s->lines[i]->n));
    t->had = MAX(t->had, r->last);
    finish(r, true);
}

/* ---- pages of it ------------------------------------------------------------------------------------------------------------------- */

static void page_done(void *arg, bool ok)
{
    struct reading *r = arg;
    struct chat_session *s = r->c->session;
    if (!ok) {
        chat_not_stored(r->c);
        return;
    }
    if (r->polled) {
        struct chat_transport *t = session_transport(s, slice_of(r->transport));
        t->had = MAX(t->had, r->last);
        if (r->asked)
            has_it_all(t);
        t->connection = slice_hash(r->c->x->remote);
    }
    finish(r, r->polled);
}

void chat_read(struct chat_call *c)
{
    slice index = exchange_query(c->x, "index"), count = exchange_query(c->x, "count");
    struct reading *r = ARENA_NEW(c->a, struct reading);
    *r = (struct reading){ .c = c, .polled = !index.n || !count.n, .asked = index.n || count.n };
    int64_t place = 0, n = CHAT_READ_MAX;
    memcpy(r->transport, c->transport->id, sizeof(r->transport));
    begin(r);
    if (index.n && !place_read(index, &place))
        chat_refuse(c, 400, NULL, "index must be one that a message had");
    else if (count.n && (!slice_int(count, &n) || n < COUNT_LEAST))
        chat_refuse(c, 400, NULL, "count must be a whole number from %d", COUNT_LEAST);
    else if (!index.n && !count.n)
        lines_load(c->chat->sessions, c->session, poll_loaded, r);
    else if (count.n)
        lines_read(c->chat->sessions, c->session, 0, place, (size_t)MIN(n, (int64_t)CHAT_READ_MAX), give, page_done, r);
    else
        lines_read(c->chat->sessions, c->session, place, 0, CHAT_READ_MAX, give, page_done, r);
}

/* ---- the transcript, for the guest to keep -------------------------------------------------------------------------------------------- */

struct transcript {
    struct chat_call *c;
    struct text t;
};

static void write_line(void *arg, int64_t place, slice json)
{
    struct transcript *tr = arg;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    const struct js *m = js_parse(a, json, NULL);
    slice type = js_text(js_get(m, SL("type"))), who = js_text(js_at(m, "from.nickname")), text = js_text(js_get(m, SL("text")));
    const struct js *content = js_get(m, SL("content"));
    slice at = time_rfc3339(a, place_ms(place));
    text_add(&tr->t, "%.10s %.8s  " SLF, at.p, at.p + 11, SLA(who));
    if (slice_eq(type, SL("ParticipantJoined")) || slice_eq(type, SL("ParticipantLeft")))
        text_add(&tr->t, " [%s]", slice_eq(type, SL("ParticipantLeft")) ? "left" : "joined");
    if (text.n)
        text_add(&tr->t, ": " SLF, SLA(text));
    for (size_t i = 0; i < js_len(content); i++) {
        slice name = js_text(js_get(js_item(content, i), SL("name"))), title = js_text(js_get(js_item(content, i), SL("title")));
        slice what = slice_or(title, slice_or(name, js_text(js_get(js_item(content, i), SL("text")))));
        text_add(&tr->t, " [" SLF "]", SLA(slice_or(what, js_text(js_get(js_item(content, i), SL("type"))))));
    }
    text_put(&tr->t, SL("\r\n"));
}

static void transcript_done(void *arg, bool ok)
{
    struct transcript *tr = arg;
    struct header as = { SL("Content-Disposition"), SL("attachment; filename=\"transcript.txt\"") };
    if (ok)
        chat_send(tr->c, &(struct response){ .status = 200, .type = SL("text/plain; charset=utf-8"), .body = text_slice(&tr->t), .headers = &as, .n_headers = 1 });
    else
        chat_not_stored(tr->c);
}

void chat_transcript(struct chat_call *c)
{
    struct transcript *tr = ARENA_NEW(c->a, struct transcript);
    *tr = (struct transcript){ .c = c, .t = text_new(c->a, CHAT_ANSWER_MAX) };
    lines_read(c->chat->sessions, c->session, 0, 0, CHAT_READ_MAX, write_line, transcript_done, tr);
}
