/* telegram_api.c - the Bot API: sections "Calls", "Webhook", "Sending", "Buttons", "Files in", "Errors". */
#include "sim/feed.h"
#include "sim/shelf.h"
#include "sim/telegram.h"
#include "wire/url.h"

struct stg_call {
    struct stg *s;
    struct sim_call *c; /* NULL: asked for in a webhook's answer */
    struct arena *a;
    const struct js *doc; /* parameters in a JSON body */
    slice form;           /* else: query or form */
    const char *method;
};

/* ---- answers ----------------------------------------------------------------------------------------------------------------- */

static void answer_error(struct sim_call *c, int status, const char *text, int64_t retry_s)
{
    struct jw w = jw_new(c->x->a, 4096);
    jw_open(&w, NULL, '{');
    jw_bool(&w, "ok", false);
    jw_int(&w, "error_code", status);
    jw_str(&w, "description", slice_of(text));
    if (retry_s) {
        jw_open(&w, "parameters", '{');
        jw_int(&w, "retry_after", retry_s);
        jw_close(&w, '}');
        sim_header(c, "Retry-After", arena_printf(c->x->a, "%lld", (long long)retry_s));
    }
    jw_close(&w, '}');
    sim_json(c, status, jw_done(&w));
}

static void refuse(struct stg_call *q, int status, const char *text)
{
    if (q->c)
        answer_error(q->c, status, text, 0);
}

static void result(struct stg_call *q, slice json)
{
    if (q->c)
        sim_json(q->c, 200, arena_printf(q->a, "{\"ok\":true,\"result\":" SLF "}", SLA(json)));
}

/* clang-format off */
static const struct { int status; const char *text; } refusals[] = {
    { 400, "Bad Request: message text is empty" },
    { 401, "Unauthorized" },
    { 403, "Forbidden: bot was blocked by the user" },
    { 404, "Not Found" },
    { 409, "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running" },
    { 413, "Request Entity Too Large" },
    { 421, "Misdirected Request: unallowed token specified" },
    { 500, "Internal Server Error" },
};
/* clang-format on */

void stg_refuse(struct sim_call *c, int status)
{
    if (status == 429) {
        answer_error(c, 429, "Too Many Requests: retry after 1", 1);
        return;
    }
    for (size_t i = 0; i < COUNT(refusals); i++)
        if (refusals[i].status == status) {
            answer_error(c, status, refusals[i].text, 0);
            return;
        }
    sim_answer(c, status, SLICE_NONE, SLICE_NONE);
}

/* ---- parameters -------------------------------------------------------------------------------------------------------------- */

static slice text_of(const struct stg_call *q, const char *name)
{
    if (!q->doc)
        return form_get(q->a, q->form, slice_of(name));
    const struct js *v = js_at(q->doc, name);
    return js_is_string(v) ? js_text(v) : v && !js_is_null(v) ? js_print(q->a, v) : SLICE_NONE;
}

/* Objects and arrays; with forms they are JSON texts. */
static const struct js *value_of(const struct stg_call *q, const char *name)
{
    const struct js *v = js_at(q->doc, name);
    slice text = q->doc ? js_text(v) : text_of(q, name);
    return text.n ? js_parse(q->a, text, NULL) : v;
}

/* ---- webhook ----------------------------------------------------------------------------------------------------------------- */

static void get_me(struct stg_call *q)
{
    slice rest = q->s->token, bot = slice_cut(&rest, ':');
    result(q, arena_printf(q->a,
                           "{\"id\":" SLF ",\"is_bot\":true,\"first_name\":\"Dragoman\",\"username\":\"" SLF
                           "\",\"can_join_groups\":true,\"can_read_all_group_messages\":false,\"supports_guest_queries\":false}",
                           SLA(bot), SLA(q->s->username)));
}

static const char *bad_webhook(const struct stg *s, struct arena *a, slice url)
{
    struct url u;
    if (!url_parse(a, url, &u, NULL))
        return "Bad Request: invalid webhook URL specified";
    if (s->allow_http)
        return NULL;
    if (!slice_starts(url, SL("https://")))
        return "Bad Request: bad webhook: An HTTPS URL must be provided for webhook";
    if (u.port != 443 && u.port != 80 && u.port != 88 && u.port != 8443)
        return "Bad Request: bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443";
    return NULL;
}

static void set_webhook(struct stg_call *q)
{
    enum { SECRET_MAX = 256 };
    struct stg *s = q->s;
    slice url = text_of(q, "url"), secret = text_of(q, "secret_token");
    const char *bad = url.n ? bad_webhook(s, q->a, url) : NULL;
    for (size_t i = 0; i < secret.n && !bad; i++)
        if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-", secret.p[i]))
            bad = "Bad Request: secret token contains unallowed characters";
    if (secret.n > SECRET_MAX)
        bad = "Bad Request: secret token is too long";
    if (bad) {
        refuse(q, 400, bad);
        return;
    }
    free(s->url);
    free(s->secret);
    s->url = url.n ? stg_copy(url) : NULL;
    s->secret = stg_copy(secret);
    const struct js *allowed = value_of(q, "allowed_updates");
    if (js_is_array(allowed)) { /* left out: as before */
        free(s->allowed);
        s->allowed = js_len(allowed) ? stg_copy(js_print(q->a, allowed)) : NULL;
    }
    result(q, SL("true"));
}

static void delete_webhook(struct stg_call *q)
{
    free(q->s->url);
    q->s->url = NULL;
    result(q, SL("true"));
}

static void get_webhook_info(struct stg_call *q)
{
    struct stg *s = q->s;
    size_t pending = 0;
    for (size_t i = 0; i < s->n_chats; i++)
        pending += s->chats[i].n_waiting;
    struct jw w = jw_new(q->a, 8192);
    jw_open(&w, NULL, '{');
    jw_str(&w, "url", slice_of(s->url ? s->url : ""));
    jw_bool(&w, "has_custom_certificate", false);
    jw_int(&w, "pending_update_count", (int64_t)pending);
    if (s->last_error)
        jw_str(&w, "last_error_message", slice_of(s->last_error));
    if (s->allowed)
        jw_raw(&w, "allowed_updates", slice_of(s->allowed));
    jw_close(&w, '}');
    result(q, jw_done(&w));
}

static void get_updates(struct stg_call *q)
{
    if (q->s->url)
        refuse(q, 409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first");
    else
        result(q, SL("[]"));
}

/* ---- files ------------------------------------------------------------------------------------------------------------------- */

static void get_file(struct stg_call *q)
{
    slice id = text_of(q, "file_id");
    const struct stg_file *file = shelf_get(q->s->files, id);
    if (!file) {
        refuse(q, 400, "Bad Request: wrong file_id or the file is temporarily unavailable");
        return;
    }
    if (file->size > STG_FILE_BYTES_MAX) {
        refuse(q, 400, "Bad Request: file is too big");
        return;
    }
    result(q, arena_printf(q->a, "{\"file_id\":\"" SLF "\",\"file_unique_id\":\"u" SLF "\",\"file_size\":%lld,\"file_path\":\"files/" SLF "\"}",
                           SLA(id), SLA(id), (long long)file->size, SLA(id)));
}

static void file_get(struct sim_call *c, void *ctx)
{
    struct stg *s = ctx;
    slice bot = c->params[0], path = c->params[1];
    const struct stg_file *file = slice_starts(path, SL("files/")) ? shelf_get(s->files, slice_from(path, 6)) : NULL;
    if (!slice_eq(bot, arena_printf(c->x->a, "bot" SLF, SLA(s->token))) || !file) {
        answer_error(c, 404, "Not Found", 0);
        return;
    }
    sim_answer(c, 200, SL("application/octet-stream"), arena_dup(c->x->a, file->bytes)); /* of no type, as there */
}

/* ---- sending ----------------------------------------------------------------------------------------------------------------- */

/* clang-format off */
static const struct sending { const char *method, *need, *need_too; } sendings[] = { /* need: a parameter that must be there */
    { "sendMessage",   "text",         NULL },
    { "sendPhoto",     "photo",        NULL },
    { "sendVideo",     "video",        NULL },
    { "sendAnimation", "animation",    NULL },
    { "sendAudio",     "audio",        NULL },
    { "sendVoice",     "voice",        NULL },
    { "sendDocument",  "document",     NULL },
    { "sendSticker",   "sticker",      NULL },
    { "sendLocation",  "latitude",     "longitude" },
    { "sendVenue",     "title",        "address" },
    { "sendContact",   "phone_number", "first_name" },
    { "sendPoll",      "question",     "options" },
};
/* clang-format on */

/* NULL: a chat that takes messages now; else answered. */
static struct stg_chat *chat_to(struct stg_call *q)
{
    struct stg *s = q->s;
    slice id = text_of(q, "chat_id");
    struct stg_chat *chat = NULL;
    for (size_t i = 0; i < s->n_chats; i++)
        if (slice_eq(id, arena_printf(q->a, "%lld", (long long)s->chats[i].id)))
            chat = &s->chats[i];
    if (!chat) {
        refuse(q, 400, id.n ? "Bad Request: chat not found" : "Bad Request: chat_id is empty");
        return NULL;
    }
    if (chat->blocked) {
        refuse(q, 403, "Forbidden: bot was blocked by the user");
        return NULL;
    }
    return chat;
}

static bool over_rate(struct stg_call *q, struct stg_chat *chat)
{
    int64_t now_s = time_mono_ms() / 1000;
    if (chat->window_s != now_s)
        chat->in_window = 0;
    chat->window_s = now_s;
    if (!q->s->per_chat || ++chat->in_window <= q->s->per_chat)
        return false;
    if (q->c)
        answer_error(q->c, 429, "Too Many Requests: retry after 1", 1);
    return true;
}

static const char *bad_markup(const struct js *markup)
{
    enum { DATA_MAX = 64 };
    const struct js *rows = js_at(markup, "inline_keyboard");
    for (size_t i = 0; i < js_len(rows); i++)
        for (size_t k = 0; k < js_len(js_item(rows, i)); k++) {
            const struct js *b = js_item(js_item(rows, i), k);
            slice data = js_text(js_at(b, "callback_data"));
            if (!js_text(js_at(b, "text")).n)
                return "Bad Request: can't parse inline keyboard button: Field \"text\" must be of type String";
            if (!data.n && !js_text(js_at(b, "url")).n)
                return "Bad Request: can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard";
            if (data.n > DATA_MAX)
                return "Bad Request: BUTTON_DATA_INVALID";
        }
    return NULL;
}

static slice message_made(struct stg_call *q, struct stg_chat *chat, int64_t id, const struct js *members)
{
    struct jw w = jw_new(q->a, 1 << 20);
    slice rest = q->s->token, bot = slice_cut(&rest, ':');
    jw_open(&w, NULL, '{');
    jw_int(&w, "message_id", id);
    jw_int(&w, "date", time_now_ms() / 1000);
    jw_raw(&w, "from", arena_printf(q->a, "{\"id\":" SLF ",\"is_bot\":true,\"first_name\":\"Dragoman\",\"username\":\"" SLF "\"}",
                                    SLA(bot), SLA(q->s->username)));
    jw_open(&w, "chat", '{');
    jw_int(&w, "id", chat->id);
    jw_str(&w, "type", chat->group ? SL("supergroup") : SL("private"));
    jw_close(&w, '}');
    for (void *it = js_first(members); it; it = js_next(members, it))
        if (!slice_eq(js_key(members, it), SL("chat_id"))) {
            jw_key(&w, js_key(members, it));
            jw_value(&w, NULL, js_value(it));
        }
    jw_close(&w, '}');
    return jw_done(&w);
}

/* The parameters as members of the message to be; forms are put into an object. */
static const struct js *members_of(struct stg_call *q, const struct sending *k)
{
    if (q->doc)
        return q->doc;
    static const char *const others[] = { "caption", "latitude", "longitude" };
    struct jw w = jw_new(q->a, 1 << 20);
    jw_open(&w, NULL, '{');
    jw_str(&w, k->need, text_of(q, k->need));
    if (k->need_too)
        jw_str(&w, k->need_too, text_of(q, k->need_too));
    for (size_t i = 0; i < COUNT(others); i++)
        jw_opt(&w, others[i], text_of(q, others[i]));
    if (value_of(q, "reply_markup"))
        jw_value(&w, "reply_markup", value_of(q, "reply_markup"));
    jw_close(&w, '}');
    return js_parse(q->a, jw_done(&w), NULL);
}

struct fetching {
    struct stg_call q;
    struct stg_chat *chat;
    const struct js *members;
    bool photo;
    struct client_call call;
};

static void put(struct stg_call *q, struct stg_chat *chat, const struct js *members, slice media)
{
    int64_t id = q->s->next_id++;
    slice json = message_made(q, chat, id, members);
    chat->typing_until_ms = 0;
    stg_message_add(chat, false, id, json, media);
    result(q, json);
}

static void fetched(void *arg, const struct answer *r)
{
    struct fetching *f = arg;
    size_t most = f->photo ? STG_PHOTO_BYTES_MAX : STG_FILE_BYTES_MAX;
    slice type = r->type;
    if (r->status != 200 || r->body.n > most || !r->body.n) {
        refuse(&f->q, 400, "Bad Request: failed to get HTTP URL content");
        return;
    }
    if (f->photo && !slice_starts(type, SL("image/"))) {
        refuse(&f->q, 400, "Bad Request: wrong type of the web page content");
        return;
    }
    struct jw w = jw_new(f->q.a, 4096);
    jw_open(&w, NULL, '{');
    jw_int(&w, "bytes", (int64_t)r->body.n);
    jw_str(&w, "type", type);
    jw_close(&w, '}');
    put(&f->q, f->chat, f->members, jw_done(&w));
}

static void fetch(struct stg_call *q, struct stg_chat *chat, const struct js *members, slice url, bool photo)
{
    struct fetching *f = ARENA_NEW(q->a, struct fetching);
    enum { FETCH_MS = 10000, REDIRECTS = 5 };
    f->q = *q;
    f->chat = chat;
    f->members = members;
    f->photo = photo;
    f->call = (struct client_call){ .a = q->a, .method = "GET", .url = url, .answer_bytes = STG_FILE_BYTES_MAX + 1, .total_ms = FETCH_MS,
                                    .max_redirects = REDIRECTS, .done = fetched, .arg = f };
    client_send(q->s->env->client, &f->call);
}

static bool is_link(slice s)
{
    return slice_starts(s, SL("https://")) || slice_starts(s, SL("http://"));
}

static void send_one(struct stg_call *q, const struct sending *k)
{
    enum { TEXT_UNITS = 4096, CAPTION_UNITS = 1024 };
    struct stg_chat *chat = chat_to(q);
    if (!chat || over_rate(q, chat))
        return;
    slice need = text_of(q, k->need), caption = text_of(q, "caption");
    const char *bad = bad_markup(value_of(q, "reply_markup"));
    if (!need.n)
        bad = strcmp(k->need, "text") == 0 ? "Bad Request: message text is empty" : "Bad Request: there is no content in the request";
    if (k->need_too && !text_of(q, k->need_too).n)
        bad = "Bad Request: a required parameter is missing";
    if (strcmp(k->need, "text") == 0 && utf16_len(need) > TEXT_UNITS)
        bad = "Bad Request: message is too long";
    if (utf16_len(caption) > CAPTION_UNITS)
        bad = "Bad Request: message caption is too long";
    bool photo = strcmp(k->need, "photo") == 0, file = photo || strstr("video animation audio voice document sticker", k->need);
    bool link = file && is_link(need);
    if (link && !q->s->allow_http && !slice_starts(need, SL("https://")))
        bad = "Bad Request: invalid file HTTP URL specified: URL must be HTTPS";
    if (file && !link && !shelf_get(q->s->files, need))
        bad = "Bad Request: wrong file_id or the file is temporarily unavailable";
    if (bad) {
        refuse(q, 400, bad);
        return;
    }
    const struct js *members = members_of(q, k);
    if (link && q->s->fetch_media && q->c)
        fetch(q, chat, members, need, photo);
    else
        put(q, chat, members, SLICE_NONE);
}

static void send_group(struct stg_call *q)
{
    enum { LEAST = 2, MOST = 10 };
    struct stg_chat *chat = chat_to(q);
    const struct js *media = chat ? value_of(q, "media") : NULL;
    if (!chat || over_rate(q, chat))
        return;
    if (js_len(media) < LEAST || js_len(media) > MOST) {
        refuse(q, 400, "Bad Request: there must be 2-10 messages in the album");
        return;
    }
    struct text all = text_new(q->a, 1 << 20);
    slice album = arena_printf(q->a, "%lld", (long long)q->s->next_id);
    for (size_t i = 0; i < js_len(media); i++) {
        const struct js *one = js_item(media, i);
        slice type = js_text(js_at(one, "type"));
        int64_t id = q->s->next_id++;
        struct jw w = jw_new(q->a, 64 << 10);
        jw_open(&w, NULL, '{');
        jw_str(&w, "media_group_id", album);
        jw_key(&w, type);
        jw_str(&w, NULL, js_text(js_at(one, "media")));
        jw_opt(&w, "caption", js_text(js_at(one, "caption")));
        jw_close(&w, '}');
        slice json = message_made(q, chat, id, js_parse(q->a, jw_done(&w), NULL));
        stg_message_add(chat, false, id, json, SLICE_NONE);
        text_add(&all, "%s" SLF, i ? "," : "[", SLA(json));
    }
    text_char(&all, ']');
    result(q, text_slice(&all));
}

static void send_action(struct stg_call *q)
{
    enum { SHOWN_MS = 5000 };
    struct stg_chat *chat = chat_to(q);
    if (!chat)
        return;
    if (!text_of(q, "action").n) {
        refuse(q, 400, "Bad Request: wrong parameter action in request");
        return;
    }
    chat->typing_until_ms = time_mono_ms() + SHOWN_MS;
    feed_send(q->s->feed, "typing", arena_printf(q->a, "{\"chat\":%lld}", (long long)chat->id));
    result(q, SL("true"));
}

/* ---- buttons ----------------------------------------------------------------------------------------------------------------- */

static void answer_callback(struct stg_call *q)
{
    slice id = text_of(q, "callback_query_id");
    if (!shelf_get(q->s->queries, id)) {
        refuse(q, 400, "Bad Request: query is too old and response timeout expired or query ID is invalid");
        return;
    }
    shelf_remove(q->s->queries, id);
    feed_send(q->s->feed, "callback", SL("{}"));
    result(q, SL("true"));
}

static void edit_markup(struct stg_call *q)
{
    struct stg_chat *chat = chat_to(q);
    int64_t id = 0;
    if (!chat)
        return;
    struct stg_message *m = slice_int(text_of(q, "message_id"), &id) ? stg_message_find(chat, id) : NULL;
    if (!m || m->from_guest) {
        refuse(q, 400, "Bad Request: message to edit not found");
        return;
    }
    const struct js *doc = js_parse(q->a, slice_of(m->json), NULL), *markup = value_of(q, "reply_markup");
    bool keep = js_len(js_at(markup, "inline_keyboard")) > 0;
    struct jw w = jw_new(q->a, 1 << 20);
    jw_open(&w, NULL, '{');
    for (void *it = js_first(doc); it; it = js_next(doc, it))
        if (!slice_eq(js_key(doc, it), SL("reply_markup"))) {
            jw_key(&w, js_key(doc, it));
            jw_value(&w, NULL, js_value(it));
        }
    if (keep)
        jw_value(&w, "reply_markup", markup);
    jw_close(&w, '}');
    slice json = jw_done(&w);
    stg_message_replace(m, json);
    feed_send(q->s->feed, "reset", SL("{}"));
    result(q, json);
}

/* ---- all ---------------------------------------------------------------------------------------------------------------------- */

/* clang-format off */
static const struct { const char *name; void (*fn)(struct stg_call *q); bool in_reply; } methods[] = {
    { "getMe",                  get_me,           false },
    { "setWebhook",             set_webhook,      false },
    { "deleteWebhook",          delete_webhook,   false },
    { "getWebhookInfo",         get_webhook_info, false },
    { "getUpdates",             get_updates,      false },
    { "getFile",                get_file,         false },
    { "sendMediaGroup",         send_group,       true },
    { "sendChatAction",         send_action,      true },
    { "answerCallbackQuery",    answer_callback,  true },
    { "editMessageReplyMarkup", edit_markup,      true },
};
/* clang-format on */

static bool run(struct stg_call *q, slice method)
{
    for (size_t i = 0; i < COUNT(methods); i++)
        if (slice_eq_nocase(method, slice_of(methods[i].name)) && (q->c || methods[i].in_reply)) {
            methods[i].fn(q);
            return true;
        }
    for (size_t i = 0; i < COUNT(sendings); i++)
        if (slice_eq_nocase(method, slice_of(sendings[i].method))) {
            send_one(q, &sendings[i]);
            return true;
        }
    return false;
}

static void api(struct sim_call *c, void *ctx)
{
    struct stg *s = ctx;
    slice bot = c->params[0];
    struct stg_call q = { .s = s, .c = c, .a = c->x->a, .form = c->x->query };
    s->calls++;
    if (!slice_starts(bot, SL("bot"))) {
        answer_error(c, 404, "Not Found", 0);
        return;
    }
    if (!slice_eq(slice_from(bot, 3), s->token)) {
        bool formed = slice_find_char(bot, ':') != SIZE_MAX;
        answer_error(c, formed ? 401 : 404, formed ? "Unauthorized" : "Not Found", 0);
        return;
    }
    slice type = slice_of("");
    for (size_t i = 0; i < c->x->n_headers; i++)
        if (slice_eq_nocase(c->x->headers[i].name, SL("content-type")))
            type = c->x->headers[i].value;
    if (slice_starts(type, SL("application/json")) && c->x->body.n) {
        q.doc = js_parse(q.a, c->x->body, NULL);
        if (!js_is_object(q.doc)) {
            answer_error(c, 400, "Bad Request: can't parse JSON object", 0);
            return;
        }
    } else if (slice_starts(type, SL("application/x-www-form-urlencoded"))) {
        q.form = c->x->body;
    }
    if (!run(&q, c->params[1]))
        answer_error(c, 404, "Not Found: method not found", 0);
}

void stg_api_reply(struct stg *s, slice body)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct stg_call q = { .s = s, .a = a, .doc = js_parse(a, arena_dup(a, body), NULL) };
    if (js_is_object(q.doc))
        (void)run(&q, js_text(js_at(q.doc, "method")));
}

static void unknown(struct sim_call *c, void *ctx)
{
    (void)ctx;
    answer_error(c, 404, "Not Found", 0);
}

static const struct sim_route routes[] = {
    { "GET", "/file/:bot/*", file_get, 0 },
    { "*", "/:bot/:method", api, 0 },
};

void stg_api_routes(struct stg *s)
{
    sim_routes(s->env, routes, COUNT(routes), s, unknown);
}
