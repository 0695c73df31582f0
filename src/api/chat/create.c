/* create.c - sessions: made, resumed, told more about, left. */
#include "api/chat/request.h"
#include "api/chat/say.h"

enum { NAME_CHARS = 100, VALUE_CHARS = 1000, KEY_BYTES = 100, DATA_MAX = 60 };

/* ---- which channel -------------------------------------------------------------------------------------------------------------- */

static bool takes(const struct actor *actor, slice endpoint, slice stream)
{
    slice endpoints = slice_or(actor->account.settings[WEBCHAT_ENDPOINTS], actor->account.name), streams = actor->account.settings[WEBCHAT_STREAMS];
    return (!endpoint.n || webchat_listed(endpoints, endpoint)) && (!stream.n || !streams.n || webchat_listed(streams, stream));
}

static bool key_opens(const struct chat_call *c, const struct actor *actor)
{
    slice own = actor->account.settings[WEBCHAT_API_KEY];
    return c->key ? apikey_for(c->key, actor->tenant) : own.n && own.n == c->key_text.n && bytes_equal_secret(own, c->key_text);
}

static struct actor *find_channel(const struct chat_call *c, slice endpoint, slice stream)
{
    for (size_t i = 0; i < c->hub->n_actors; i++) {
        struct actor *actor = c->hub->actors[i];
        if (!actor->retired && actor->account.type == &connector_webchat && key_opens(c, actor) && takes(actor, endpoint, stream))
            return actor;
    }
    return NULL;
}

/* ---- who is it -------------------------------------------------------------------------------------------------------------------- */

static slice short_text(const struct js *v, size_t chars)
{
    slice s = js_text(v);
    return s.n ? utf8_cut(s, chars) : SLICE_NONE;
}

static bool is_own_field(slice key)
{
    static const slice own[] = { SLI("endpoint"), SLI("stream"), SLI("userData") };
    for (size_t i = 0; i < COUNT(own); i++)
        if (slice_eq(own[i], key))
            return true;
    return false;
}

static void put_data(struct jw *w, const struct js *from, const struct js *over, size_t *n)
{
    for (void *it = js_is_object(from) ? js_first(from) : NULL; it; it = js_next(from, it)) {
        slice key = js_key(from, it), value = short_text(js_value(it), VALUE_CHARS);
        if (slice_eq(key, SL("phone"))) /* its name in attached data */
            key = SL("PhoneNumber");
        if (!key.n || key.n > KEY_BYTES || !value.n || js_get(over, key) || *n == DATA_MAX)
            continue;
        ++*n;
        jw_key(w, key);
        jw_str(w, NULL, value);
    }
}

/* What the form said, and its userData under what was said before. more: userData that wins. {NULL,0}: too much. */
static slice profile(struct arena *a, const struct js *data, const struct js *more, slice nickname)
{
    struct jw w = jw_new(a, CHAT_PROFILE_BYTES);
    size_t n = 0;
    jw_open(&w, NULL, '{');
    jw_str(&w, "nickname", nickname);
    for (void *it = js_first(data); it; it = js_next(data, it)) {
        slice key = js_key(data, it), value = short_text(js_value(it), VALUE_CHARS);
        if (is_own_field(key) || slice_eq(key, SL("nickname")) || !key.n || key.n > KEY_BYTES || !value.n || n == DATA_MAX)
            continue;
        n++;
        jw_key(&w, key);
        jw_str(&w, NULL, value);
    }
    n = 0;
    jw_open(&w, "userData", '{');
    put_data(&w, more, NULL, &n);
    put_data(&w, js_get(data, SL("userData")), more, &n);
    jw_close(&w, '}');
    jw_close(&w, '}');
    return jw_done(&w);
}

/* ---- the answer ---------------------------------------------------------------------------------------------------------------------- */

static void answer_token(struct chat_call *c)
{
    struct chat_session *s = c->session;
    char transport[UUID_TEXT];
    uuid_v4(transport);
    struct chat_token t = { slice_of(s->id), slice_of(transport), slice_of(s->participant) };
    struct jw w = jw_new(c->a, 4096);
    jw_open(&w, NULL, '{');
    jw_str(&w, "clientToken", chat_token_sign(c->a, c->chat->key, &t));
    jw_str(&w, "selfUri", arena_printf(c->a, "/nexus/v3/chat/sessions/%s", s->id));
    if (c->actor && chat_number(c, WEBCHAT_UPLOAD_BYTES))
        jw_str(&w, "uploads", chat_true(c, WEBCHAT_FILES) ? SL("files") : SL("images"));
    jw_close(&w, '}');
    chat_answer(c, jw_done(&w), s->end != CHAT_OPEN);
}

/* ---- create --------------------------------------------------------------------------------------------------------------------------- */

static slice joined_line(struct chat_call *c, int64_t place, slice *ret_files)
{
    struct say_who who = say_guest(c->a, c->session);
    struct jw w = say_begin(c->a, place, "ParticipantJoined", &who);
    *ret_files = SLICE_NONE;
    return say_done(&w);
}

static void created(struct chat_call *c, bool repeated)
{
    (void)repeated;
    answer_token(c);
}

static void create(struct chat_call *c, const struct js *data)
{
    slice endpoint = js_text(js_get(data, SL("endpoint"))), stream = js_text(js_get(data, SL("stream")));
    slice nickname = slice_trim(slice_or(short_text(js_get(data, SL("nickname")), NAME_CHARS), short_text(js_get(data, SL("firstName")), NAME_CHARS)));
    c->actor = find_channel(c, endpoint, stream);
    if (!c->actor) {
        chat_refuse(c, 400, "INVALID_ENDPOINT", "there is no such endpoint or stream");
        return;
    }
    slice allowed = chat_setting(c, WEBCHAT_ORIGINS), origin = exchange_header(c->x, "Origin");
    if (allowed.n && origin.n && !webchat_origin_listed(allowed, origin)) {
        chat_refuse(c, 403, "AUTHENTICATION_REQUIRED", "this site may not open this chat");
        return;
    }
    if (!nickname.n && chat_true(c, WEBCHAT_NICKNAME)) {
        chat_refuse(c, 400, "INVALID_NICKNAME", "a nickname or firstName is needed");
        return;
    }
    slice json = profile(c->a, data, NULL, slice_or(nickname, SL("Guest")));
    if (!json.p) {
        chat_refuse(c, 400, NULL, "the data are longer than %d bytes", CHAT_PROFILE_BYTES);
        return;
    }
    if ((int64_t)chats_count(c->chat->sessions, c->actor->account.id) >= chat_number(c, WEBCHAT_SESSIONS)) {
        chat_refuse(c, 503, NULL, "too many chats are open; try again later");
        return;
    }
    c->session = chats_add(c->chat->sessions, c->actor->account.id, c->now_ms);
    c->session->holds++;
    bytes_set(&c->session->profile, json);
    struct message *m = chat_message(c, KIND_EVENT);
    m->event = EVENT_START;
    m->text = short_text(js_get(data, SL("subject")), VALUE_CHARS);
    chat_accept(c, joined_line, created);
}

/* ---- resume: the same POST with the token that was stored ------------------------------------------------------------------------------ */

static void resumed(void *arg, bool ok)
{
    struct chat_call *c = arg;
    if (ok)
        answer_token(c);
    else
        chat_not_stored(c);
}

static void keep_profile(struct chat_call *c, slice json, void (*done)(void *arg, bool ok))
{
    bytes_set(&c->session->profile, json);
    struct jbatch *b = jbatch_new(c->hub->journal);
    session_save(c->chat->sessions, c->session, b);
    jbatch_commit(b, JOURNAL_DURABLE, done, c);
}

static slice nickname_of(const struct js *old)
{
    return slice_or(js_text(js_get(old, SL("nickname"))), SL("Guest"));
}

static void resume(struct chat_call *c, const struct js *data)
{
    const struct js *old = js_parse(c->a, arena_dup(c->a, bytes_slice(&c->session->profile)), NULL), *more = js_get(data, SL("userData"));
    if (c->session->end != CHAT_OPEN) {
        chat_refuse(c, 404, "INVALID_SESSION", "the chat has ended");
        return;
    }
    slice json = js_len(more) && old ? profile(c->a, old, more, nickname_of(old)) : SLICE_NONE;
    if (json.p && !slice_eq(json, bytes_slice(&c->session->profile)))
        keep_profile(c, json, resumed);
    else
        answer_token(c);
}

void chat_create(struct chat_call *c)
{
    const struct js *data = js_get(c->doc, SL("data"));
    if (c->session)
        resume(c, data);
    else if (js_is_object(data))
        create(c, data);
    else
        chat_refuse(c, 400, "INVALID_ENDPOINT", "data is missing");
}

/* ---- userdata --------------------------------------------------------------------------------------------------------------------------- */

static void told(void *arg, bool ok)
{
    struct chat_call *c = arg;
    if (ok)
        chat_answer(c, SLICE_NONE, false);
    else
        chat_not_stored(c);
}

void chat_userdata(struct chat_call *c)
{
    const struct js *data = js_get(c->doc, SL("data")), *inner = js_get(data, SL("userData"));
    const struct js *old = js_parse(c->a, arena_dup(c->a, bytes_slice(&c->session->profile)), NULL);
    if (c->session->end != CHAT_OPEN) {
        chat_refuse(c, 404, "INVALID_SESSION", "the chat has ended");
        return;
    }
    if (!js_is_object(data) || !old) {
        chat_refuse(c, 400, NULL, "data is missing");
        return;
    }
    slice json = profile(c->a, old, js_is_object(inner) ? inner : data, nickname_of(old));
    if (json.p)
        keep_profile(c, json, told);
    else
        chat_refuse(c, 413, NULL, "the data are longer than %d bytes", CHAT_PROFILE_BYTES);
}

/* ---- leave -------------------------------------------------------------------------------------------------------------------------------- */

static slice left_line(struct chat_call *c, int64_t place, slice *ret_files)
{
    struct say_who who = say_guest(c->a, c->session);
    struct jw w = say_begin(c->a, place, "ParticipantLeft", &who);
    c->session->end = CHAT_LEFT;
    c->session->ended_ms = c->now_ms;
    *ret_files = SLICE_NONE;
    return say_done(&w);
}

static void left(struct chat_call *c, bool repeated)
{
    (void)repeated;
    chat_answer(c, SLICE_NONE, true);
}

void chat_leave_session(struct chat_call *c)
{
    if (!slice_eq_nocase(c->words[2], c->token.participant)) {
        chat_refuse(c, 404, "INVALID_SESSION", "this token is not of that participant");
        return;
    }
    if (c->session->end != CHAT_OPEN) {
        chat_answer(c, SLICE_NONE, true);
        return;
    }
    struct message *m = chat_message(c, KIND_EVENT);
    m->event = EVENT_LEFT;
    m->text = arena_printf(c->a, SLF " has left the chat", SLA(say_guest(c->a, c->session).nickname));
    inbox_remember(&c->in, m, WEBCHAT_OVER, SL("1"), 0);
    chat_accept(c, left_line, left);
}

/* ---- the address that a session was told as its own: no token, so nothing about the guest ------------------------------------------------- */

void chat_interaction(struct chat_call *c)
{
    const struct chat_session *s = chats_find(c->chat->sessions, c->words[0]);
    const struct actor *actor = s ? session_actor(c->chat->sessions, s) : NULL;
    if (!actor || !key_opens(c, actor)) {
        chat_refuse(c, 404, "INVALID_SESSION", "there is no such session");
        return;
    }
    struct jw w = jw_new(c->a, 4096);
    jw_open(&w, NULL, '{');
    jw_str(&w, "sessionId", slice_of(s->id));
    jw_str(&w, "interactionId", c->words[1]);
    jw_bool(&w, "chatEnded", s->end != CHAT_OPEN);
    jw_time(&w, "created", s->created_ms);
    jw_close(&w, '}');
    chat_answer(c, jw_done(&w), false);
}
