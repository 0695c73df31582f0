/* request.c - from the HTTP request of a page to its operation: CORS, path, body, key, token, rate. */
#include "api/chat/request.h"
#include "api/contacts/contacts.h"
#include "api/nexus/rates.h"
#include "store/seal.h"
#include "wire/bracket.h"
#include "wire/mime.h"
#include "wire/url.h"
#include <stdarg.h>

static const char *const prefixes[] = { "/nexus/v3/chat/sessions", "/chat/v3/sessions" };

/* ---- answering --------------------------------------------------------------------------------------------------------------- */

void chat_leave(struct chat_call *c)
{
    if (c->session)
        c->session->holds--;
    c->session = NULL;
}

/* Any site may read the answers: what it may ask is decided by key, token and allowed_origins. No cookie is ever looked at. */
void chat_cors(struct chat_call *c, struct header to[CHAT_CORS_HEADERS])
{
    slice asked = exchange_header(c->x, "Access-Control-Request-Headers");
    to[0] = (struct header){ SL("Access-Control-Allow-Origin"), SL("*") };
    to[1] = (struct header){ SL("Access-Control-Allow-Methods"), SL("GET, POST, PUT, DELETE, OPTIONS") };
    to[2] = (struct header){ SL("Access-Control-Allow-Headers"),
                             arena_printf(c->a, "x-api-key, x-nexus-client-key, content-type, authorization%s" SLF, asked.n ? ", " : "", SLA(asked)) };
    to[3] = (struct header){ SL("Access-Control-Max-Age"), SL("86400") };
    to[4] = (struct header){ SL("X-Content-Type-Options"), SL("nosniff") };
}

enum { OWN_HEADERS = 4 };
/* CORS and those of the answer; how many. */
static size_t with_cors(struct chat_call *c, const struct header *own, size_t n_own, struct header to[CHAT_CORS_HEADERS + OWN_HEADERS])
{
    size_t n = CHAT_CORS_HEADERS;
    assert(n_own <= OWN_HEADERS);
    chat_cors(c, to);
    for (size_t i = 0; i < n_own; i++)
        to[n++] = own[i];
    return n;
}

void chat_send(struct chat_call *c, struct response *r)
{
    struct header headers[CHAT_CORS_HEADERS + OWN_HEADERS];
    r->n_headers = with_cors(c, r->headers, r->n_headers, headers);
    r->headers = headers;
    chat_leave(c);
    exchange_answer(c->x, r);
}

struct stream *chat_send_stream(struct chat_call *c, const struct stream_answer *sa)
{
    struct header headers[CHAT_CORS_HEADERS + OWN_HEADERS];
    struct stream_answer all = *sa;
    all.n_headers = with_cors(c, sa->headers, sa->n_headers, headers);
    all.headers = headers;
    chat_leave(c);
    return exchange_stream(c->x, &all);
}

static void send_json(struct chat_call *c, int status, struct jw *w)
{
    struct header none = { SL("Cache-Control"), SL("no-store") };
    jw_close(w, '}');
    slice body = jw_done(w);
    if (!body.p)
        body = SL("{\"status\":{\"code\":1,\"message\":\"the answer is too long; ask for less\"}}");
    chat_send(c, &(struct response){ .status = status, .type = SL("application/json; charset=utf-8"), .body = body, .headers = &none, .n_headers = 1 });
}

void chat_answer(struct chat_call *c, slice data, bool ended)
{
    struct jw w = jw_new(c->a, CHAT_ANSWER_MAX);
    jw_open(&w, NULL, '{');
    jw_open(&w, "status", '{');
    jw_int(&w, "code", 0);
    jw_str(&w, "message", SL("ok"));
    jw_close(&w, '}');
    jw_opt(&w, "operationId", c->operation);
    if (ended)
        jw_bool(&w, "chatEnded", true);
    jw_raw(&w, "data", slice_or(data, SL("{}")));
    send_json(c, 200, &w);
}

void chat_refuse(struct chat_call *c, int status, const char *code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    slice text = arena_vprintf(c->a, fmt, ap);
    va_end(ap);
    struct jw w = jw_new(c->a, 4096);
    jw_open(&w, NULL, '{');
    jw_open(&w, "status", '{');
    if (code)
        jw_str(&w, "code", slice_of(code));
    else
        jw_int(&w, "code", 1);
    jw_str(&w, "message", text);
    jw_close(&w, '}');
    if (c->operation.n <= 200)
        jw_opt(&w, "operationId", c->operation);
    if (c->session && c->session->end != CHAT_OPEN)
        jw_bool(&w, "chatEnded", true);
    send_json(c, status, &w);
}

void chat_not_stored(struct chat_call *c)
{
    chat_refuse(c, 503, NULL, "it could not be stored now; send it again");
}

/* ---- who is it ----------------------------------------------------------------------------------------------------------------- */

bool chat_is_async(const struct actor *actor)
{
    return slice_eq(actor->account.settings[WEBCHAT_ASYNC], SL("true"));
}

static bool is_ours(const struct actor *actor)
{
    return !actor->retired && actor->account.type == &connector_webchat;
}

static bool is_own_key(const struct actor *actor, slice key)
{
    slice own = actor->account.settings[WEBCHAT_API_KEY];
    return own.n && own.n == key.n && bytes_equal_secret(own, key);
}

/* May this key speak for this channel? */
static bool key_opens(const struct chat_call *c, const struct actor *actor)
{
    return c->key ? apikey_for(c->key, actor->tenant) : is_own_key(actor, c->key_text);
}

static struct actor *channel_with_key(struct hub *h, slice key)
{
    for (size_t i = 0; i < h->n_actors; i++)
        if (is_ours(h->actors[i]) && is_own_key(h->actors[i], key))
            return h->actors[i];
    return NULL;
}

/* Whether it is unknown, ended or not for chats: a stranger is told the same. False: answered. */
static bool read_key(struct chat_call *c)
{
    struct api *api = c->chat->api;
    c->key_text = exchange_header(c->x, "x-api-key");
    c->key = apikeys_find(api->keys, c->key_text);
    bool good = c->key ? apikey_good(c->key, c->now_ms) && apikey_may(c->key, SL(CHAT_PERMISSION))
                       : c->key_text.n && (c->session ? c->actor && is_own_key(c->actor, c->key_text) : channel_with_key(c->hub, c->key_text) != NULL);
    if (good && (!c->session || (c->actor && key_opens(c, c->actor))))
        return true;
    chat_refuse(c, 401, "INVALID_CONTACT_CENTER", "the API key is not valid here");
    return false;
}

/* The key's calls are counted for each client: by its token, or by its address where it has none yet. Resuming gives a token that nothing was counted for, so that
 * it is counted by the session, whichever of its tokens asks; and all of its tokens together have no more than the pages that are told apart. False: answered. */
static bool within_rate(struct chat_call *c)
{
    int64_t capacity = c->key ? c->key->capacity : API_KEY_CAPACITY, frequency = c->key ? c->key->frequency : API_KEY_FREQUENCY;
    slice client = !c->session   ? arena_printf(c->a, "a:" SLF, SLA(api_network(c->a, c->address)))
                   : !c->n_words ? arena_printf(c->a, "s:" SLF, SLA(c->token.session))
                                 : arena_printf(c->a, "t:" SLF "." SLF, SLA(c->token.session), SLA(c->token.transport));
    struct rates *rates = c->chat->api->rates;
    int64_t now_ms = time_mono_ms(), wait_ms = rates_take(rates, c->key_text, client, capacity, frequency, now_ms);
    if (!wait_ms && c->session && c->n_words)
        wait_ms = rates_take(rates, c->key_text, arena_printf(c->a, "all:" SLF, SLA(c->token.session)), capacity * CHAT_TRANSPORTS, frequency, now_ms);
    if (!wait_ms)
        return true;
    chat_refuse(c, 429, NULL, "too many calls: try again in %lld ms", (long long)wait_ms);
    return false;
}

/* An origin that is not allowed is a page of somebody else that took the key. No origin: not a browser. False: answered. */
static bool from_allowed_origin(struct chat_call *c, const struct actor *actor)
{
    slice allowed = actor->account.settings[WEBCHAT_ORIGINS], origin = exchange_header(c->x, "Origin");
    if (!allowed.n || !origin.n || webchat_origin_listed(allowed, origin))
        return true;
    chat_refuse(c, 403, "AUTHENTICATION_REQUIRED", "this site may not open this chat");
    return false;
}

/* False: answered. */
static bool read_session(struct chat_call *c, slice in_path)
{
    slice token = exchange_header(c->x, "x-nexus-client-key");
    if (!token.n || !chat_token_read(c->a, c->chat->key, token, &c->token) || (in_path.p && !slice_eq_nocase(in_path, c->token.session))) {
        chat_refuse(c, 401, "INVALID_SESSION", "the client token is not valid for this session");
        return false;
    }
    struct chat_session *s = chats_find(c->chat->sessions, c->token.session);
    if (!s || !slice_eq(slice_of(s->participant), c->token.participant)) {
        chat_refuse(c, 404, "INVALID_SESSION", "there is no such session any more");
        return false;
    }
    c->session = s;
    s->holds++;
    c->actor = session_actor(c->chat->sessions, s);
    return true;
}

/* ---- the body ------------------------------------------------------------------------------------------------------------------ */

/* False: answered. */
static bool read_body(struct chat_call *c)
{
    struct fault f = { 0 };
    slice type = mime_essence(exchange_header(c->x, "Content-Type")), body = c->x->body;
    c->operation = exchange_query(c->x, "operationId");
    if (!body.n || slice_eq_nocase(type, SL("multipart/form-data")))
        return true;
    if (body.n > CHAT_BODY_MAX) {
        chat_refuse(c, 413, NULL, "the body is longer than %d bytes", CHAT_BODY_MAX);
        return false;
    }
    c->doc = slice_eq_nocase(type, SL("application/json")) ? js_parse(c->a, body, &f) : bracket_parse(c->a, body, &f);
    if (c->doc && !js_is_object(c->doc)) {
        fault(&f, "wrong_type", "", "the body must be an object");
        c->doc = NULL;
    }
    if (!c->doc) {
        chat_refuse(c, 400, NULL, "%s", f.text);
        return false;
    }
    c->operation = slice_or(js_text(js_get(c->doc, SL("operationId"))), c->operation);
    return true;
}

/* ---- the request ---------------------------------------------------------------------------------------------------------------- */

/* clang-format off */
static const struct row {
    const char *method;
    size_t words;
    const char *second; /* the word behind the session's id */
    void (*fn)(struct chat_call *c);
    bool no_token;
} rows[] = {
    { "POST",   0, NULL,           chat_create,        true },
    { "GET",    2, "messages",     chat_read,          false },
    { "POST",   2, "messages",     chat_say,           false },
    { "POST",   2, "images",       chat_upload,        false },
    { "POST",   2, "files",        chat_upload_file,   false },
    { "PUT",    2, "userdata",     chat_userdata,      false },
    { "GET",    2, "transcript",   chat_transcript,    false },
    { "GET",    2, "events",       chat_stream,        false },
    { "POST",   2, "read",         chat_mark_read,     false },
    { "POST",   2, "satisfaction", chat_rate,          false },
    { "DELETE", 3, "participants", chat_leave_session, false },
    { "GET",    3, "images",       chat_download,      false },
    { "GET",    3, "files",        chat_download,      false },
    { "GET",    2, NULL,           chat_interaction,   true },
};
/* clang-format on */

static const struct row *find_row(const struct chat_call *c, bool *ret_path)
{
    *ret_path = false;
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (rows[i].words != c->n_words || (rows[i].second && !slice_eq(slice_of(rows[i].second), c->words[1])))
            continue;
        *ret_path = true;
        if (slice_eq(slice_of(rows[i].method), c->x->method))
            return &rows[i];
    }
    return NULL;
}

static bool read_path(struct chat_call *c)
{
    slice rest = c->x->path;
    for (size_t i = 0; i < COUNT(prefixes); i++)
        if (slice_starts(rest, slice_of(prefixes[i])))
            rest = slice_from(rest, strlen(prefixes[i]));
    if (rest.n)
        rest = slice_from(rest, 1);
    return url_words(c->a, rest, c->words, COUNT(c->words), &c->n_words);
}

static void serve(struct chat_call *c)
{
    bool path = read_path(c);
    const struct row *row = path ? find_row(c, &path) : NULL;
    bool resume = row && row->fn == chat_create && exchange_header(c->x, "x-nexus-client-key").n;
    if (c->chat->stopped || c->hub->draining)
        chat_refuse(c, 503, NULL, "the hub is going down");
    else if (!row)
        chat_refuse(c, path ? 405 : 404, NULL, path ? "this address does not take this method" : "there is nothing at this address");
    else if (!read_body(c))
        return;
    else if ((!row->no_token || resume) && !read_session(c, resume ? SLICE_NONE : c->words[0]))
        return;
    else if (!read_key(c) || !within_rate(c) || (c->actor && !from_allowed_origin(c, c->actor)))
        return;
    else {
        if (c->session) {
            c->session->seen_ms = c->now_ms;
            c->transport = session_transport(c->session, c->token.transport);
        }
        row->fn(c);
    }
}

static void on_request(struct exchange *x, void *ctx)
{
    struct chat *chat = ctx;
    struct chat_call *c = ARENA_NEW(x->a, struct chat_call);
    *c = (struct chat_call){ .chat = chat, .hub = chat->hub, .x = x, .a = x->a, .address = api_caller(chat->api, x), .now_ms = time_now_ms() };
    if (slice_eq(x->method, SL("OPTIONS")))
        chat_send(c, &(struct response){ .status = 204 });
    else
        serve(c);
}

/* ---- what is kept of a chat, and that nothing is kept any more ------------------------------------------------------------------------ */

static struct chat_session *session_of(const struct chat *chat, slice conversation)
{
    slice guest = conversation, account = slice_cut(&guest, ':');
    struct chat_session *s = guest.p ? chats_find(chat->sessions, guest) : NULL;
    return s && slice_eq(bytes_slice(&s->account), account) ? s : NULL;
}

/* A session that requests hold, or with lines on their way to the disk, has ended and goes with the next sweep. */
static void erase(void *arg, slice conversation, struct jbatch *b)
{
    struct chat *chat = arg;
    struct chat_session *s = session_of(chat, conversation);
    if (!s)
        return;
    if (!s->holds && !s->loads && !s->readings && lines_all_shown(s)) {
        chats_remove(chat->sessions, s, b);
        return;
    }
    s->end = CHAT_CLOSED;
    s->ended_ms = time_now_ms() - CHAT_ENDED_KEEP_MS;
    bytes_set(&s->profile, SL("{}"));
    bytes_set(&s->offers, SL(""));
    session_save(chat->sessions, s, b);
}

static void tell(void *arg, slice conversation, struct jw *w)
{
    const struct chat_session *s = session_of(arg, conversation);
    if (s && s->profile.n)
        jw_raw(w, "form", bytes_slice(&s->profile));
}

/* ---- life -------------------------------------------------------------------------------------------------------------------------- */

struct chat *chat_new(struct api *api)
{
    struct chat *chat = must_calloc(1, sizeof(*chat));
    uint8_t secret[SEAL_DERIVED_BYTES];
    chat->api = api;
    chat->hub = api->hub;
    seal_derive(api->hub->seal, SL("chat client tokens"), secret);
    chat->key = jwt_key_secret(slice_mem(secret, sizeof(secret)));
    bytes_wipe(secret, sizeof(secret));
    chat->sessions = chats_new(api->hub);
    hub_own_end(api->hub, &connector_webchat, &(struct own_end){ arrive_take, arrive_taken, chat });
    return chat;
}

void chat_start(struct chat *chat)
{
    struct server *s = chat->api->setup.server;
    for (size_t i = 0; i < COUNT(prefixes); i++) {
        slice below = arena_printf(chat->api->a, "%s/*", prefixes[i]);
        server_route(s, "*", prefixes[i], CHAT_BODY_MAX, on_request, chat);
        server_route(s, "*", below.p, WEBCHAT_UPLOAD_MAX + CHAT_UPLOAD_SLACK, on_request, chat);
    }
    contacts_keep(chat->api->contacts, &(struct contact_keeper){ erase, tell, chat });
    sweep_start(chat);
}

void chat_stop(struct chat *chat)
{
    if (!chat)
        return;
    chat->stopped = true;
    loop_timer_done(&chat->sweep);
}

void chat_free(struct chat *chat)
{
    if (!chat)
        return;
    chats_free(chat->sessions);
    jwt_key_free(chat->key);
    free(chat);
}

slice chat_preview(const struct chat *chat, slice conversation)
{
    const struct chat_session *s = session_of(chat, conversation);
    bool fresh = s && time_now_ms() - s->preview_ms < CHAT_TYPING_MS;
    return fresh && s->preview.n ? bytes_slice(&s->preview) : SLICE_NONE;
}
