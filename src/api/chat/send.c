/* send.c - what the guest writes: into the journal, and as a line into the chat, in one commit. */
#include "api/chat/request.h"
#include "api/chat/say.h"
#include "hub/accept.h"
#include "wire/crypto.h"
#include "wire/hex.h"

enum { PREVIEW_CHARS = 500, TYPING_EVERY_MS = 3000, OPERATION_MAX = 200, HASH_BYTES = 8 };

/* ---- a message of the guest ------------------------------------------------------------------------------------------------------ */

/* What the page told: names for the person, everything for the desk. */
static void about_guest(struct chat_call *c, struct message *m)
{
    const struct js *profile = js_parse(c->a, arena_dup(c->a, bytes_slice(&c->session->profile)), NULL), *data = js_get(profile, SL("userData"));
    m->from = (struct person){ .name = js_text(js_get(profile, SL("nickname"))), .first_name = js_text(js_get(profile, SL("firstName"))),
                               .last_name = js_text(js_get(profile, SL("lastName"))), .email = js_text(js_get(profile, SL("email"))) };
    for (void *it = profile ? js_first(profile) : NULL; it; it = js_next(profile, it))
        if (js_is_string(js_value(it)))
            message_data(c->a, m, js_key(profile, it), js_text(js_value(it)));
    for (void *it = data ? js_first(data) : NULL; it; it = js_next(data, it))
        message_data(c->a, m, js_key(data, it), js_text(js_value(it)));
}

struct message *chat_message(struct chat_call *c, enum kind kind)
{
    inbox_init(&c->in, c->a);
    struct message *m = inbox_add(&c->in, kind);
    m->guest = arena_dup(c->a, slice_of(c->session->id));
    m->at_ms = c->now_ms;
    m->origin = ORIGIN_GUEST;
    m->id = uuid_make(c->a);
    about_guest(c, m);
    return m;
}

slice chat_message_id(struct chat_call *c, slice said)
{
    if (!c->operation.n || c->operation.n > OPERATION_MAX)
        return uuid_make(c->a);
    struct sha256 sum = sha256(said);
    return arena_printf(c->a, "%s:" SLF ":" SLF, c->session->id, SLA(c->operation), SLA(hex_encode(c->a, slice_mem(sum.b, HASH_BYTES))));
}

/* ---- into the journal -------------------------------------------------------------------------------------------------------------- */

struct saying {
    struct chat_call *c;
    slice (*line)(struct chat_call *c, int64_t place, slice *ret_files);
    void (*done)(struct chat_call *c, bool repeated);
    uint64_t number;
    enum chat_end end; /* before */
};

static void with_line(void *arg, struct jbatch *b)
{
    struct saying *sy = arg;
    struct chat_call *c = sy->c;
    struct chat_session *s = c->session;
    slice files = SLICE_NONE;
    sy->number = c->in.first->number;
    sy->end = s->end;
    if (!sy->number)
        return; /* it was there already */
    do {
        int64_t place = line_place(s, c->now_ms);
        slice json = sy->line(c, place, &files);
        if (json.p) {
            line_add(c->chat->sessions, s, place, sy->number, json, files, b);
            s->own = c->place = place;
        }
    } while (c->unsaid.n);
    s->active_ms = c->now_ms;
    session_save(c->chat->sessions, s, b);
}

static void accepted(void *arg, bool ok)
{
    struct saying *sy = arg;
    struct chat_call *c = sy->c;
    struct chat_session *s = c->session;
    if (ok) {
        lines_show(s, sy->number);
        lines_trim(s, c->now_ms);
        chat_tell(c->chat, s);
        sy->done(c, !sy->number);
        return;
    }
    if (sy->number)
        lines_withdraw(c->chat->sessions, s, sy->number, NULL);
    s->end = sy->end;
    struct chat *chat = c->chat;
    bool made = s->created_ms == c->now_ms; /* it was to be made */
    chat_not_stored(c);                     /* the call may be gone with that */
    if (made && !s->holds && !s->n_lines) {
        struct jbatch *b = jbatch_new(chat->hub->journal);
        chats_remove(chat->sessions, s, b);
        jbatch_commit(b, JOURNAL_LAZY, NULL, NULL);
    }
}

void chat_accept(struct chat_call *c, slice (*line)(struct chat_call *c, int64_t place, slice *ret_files), void (*done)(struct chat_call *c, bool repeated))
{
    struct saying *sy = ARENA_NEW(c->a, struct saying);
    *sy = (struct saying){ .c = c, .line = line, .done = done, .end = c->session->end };
    c->in.also = with_line;
    c->in.also_arg = sy;
    accept_inbox(c->actor, &c->in, c->x->trace_id, accepted, sy);
}

/* ---- text ---------------------------------------------------------------------------------------------------------------------------- */

/* As much of what is unsaid as a line holds. */
static slice text_line(struct chat_call *c, int64_t place, slice *ret_files)
{
    const struct js *data = js_get(c->doc, SL("data"));
    slice text = c->unsaid, json;
    struct say_who who = say_guest(c->a, c->session);
    slice type = js_text(js_get(data, SL("type")));
    bool own = webchat_listed(chat_setting(c, WEBCHAT_TYPES), type);
    for (;; text = utf8_cut_bytes(text, text.n / 2)) {
        struct jw w = say_begin(c->a, place, own ? arena_cstr(c->a, type) : "Text", &who);
        jw_str(&w, "text", text);
        json = say_done(&w);
        if (json.p || !text.n)
            break;
    }
    c->unsaid = text.n ? slice_from(c->unsaid, text.n) : SLICE_NONE;
    *ret_files = SLICE_NONE;
    return json;
}

void chat_said(struct chat_call *c, bool repeated)
{
    struct jw w = jw_new(c->a, 200);
    jw_open(&w, NULL, '{');
    if (!repeated && c->place)
        jw_str(&w, "index", place_index(c->a, c->place));
    jw_close(&w, '}');
    chat_answer(c, jw_done(&w), false);
}

static void say_text(struct chat_call *c, slice text)
{
    slice payload, of;
    struct message *m = chat_message(c, KIND_TEXT);
    m->text = text;
    m->id = chat_message_id(c, text);
    if (offers_find(c->a, arena_dup(c->a, bytes_slice(&c->session->offers)), text, &payload, &of)) {
        m->kind = KIND_ANSWER;
        m->payload = payload;
        m->of = of;
    }
    bytes_set(&c->session->preview, SLICE_NONE);
    c->unsaid = text;
    chat_accept(c, text_line, chat_said);
}

/* ---- typing: told, shown, never stored -------------------------------------------------------------------------------------------------- */

static void typing_told(void *arg, bool ok)
{
    struct chat_call *c = arg;
    (void)ok; /* the next one comes soon */
    chat_answer(c, SLICE_NONE, false);
}

static void typing(struct chat_call *c, bool begins, slice text)
{
    struct chat_session *s = c->session;
    const struct actor *desk = c->actor->tenant->desk;
    bytes_set(&s->preview, begins ? utf8_cut(text, PREVIEW_CHARS) : SLICE_NONE);
    s->preview_ms = c->now_ms;
    bool wanted = begins && desk && (desk->account.type->caps.kinds & CAN(KIND_TYPING)) && c->now_ms - s->typing_told_ms >= TYPING_EVERY_MS;
    if (!wanted) {
        chat_answer(c, SLICE_NONE, false);
        return;
    }
    s->typing_told_ms = c->now_ms;
    inbox_init(&c->in, c->a);
    struct message *m = inbox_add(&c->in, KIND_TYPING);
    m->guest = arena_dup(c->a, slice_of(s->id));
    m->at_ms = c->now_ms;
    m->typing_ms = CHAT_TYPING_MS;
    accept_inbox(c->actor, &c->in, c->x->trace_id, typing_told, c);
}

void chat_say(struct chat_call *c)
{
    const struct js *data = js_get(c->doc, SL("data"));
    slice type = slice_or(js_text(js_get(data, SL("type"))), SL("Text")), text = js_text(js_get(data, SL("text")));
    bool begins = slice_eq(type, SL("TypingStarted"));
    if (c->session->end != CHAT_OPEN)
        chat_refuse(c, 404, "INVALID_SESSION", "the chat has ended");
    else if (begins || slice_eq(type, SL("TypingStopped")))
        typing(c, begins, text);
    else if (!slice_eq(type, SL("Text")) && !slice_eq(type, SL("Message")) && !webchat_listed(chat_setting(c, WEBCHAT_TYPES), type))
        chat_refuse(c, 400, NULL, "messages of this type are not taken");
    else if (!slice_trim(text).n)
        chat_refuse(c, 400, NULL, "data.text is missing");
    else if ((int64_t)utf8_len(text) > chat_number(c, WEBCHAT_TEXT_CHARS))
        chat_refuse(c, 413, NULL, "a message has at most %lld characters", (long long)chat_number(c, WEBCHAT_TEXT_CHARS));
    else
        say_text(c, text);
}
