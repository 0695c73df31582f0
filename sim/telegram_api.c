/* telegram_api.c - the Bot API: sections "Calls", "Webhook", "Buttons", "Files in", "Errors"; telegram_send.c has "Sending". */
#include "sim/feed.h"
#include "sim/shelf.h"
#include "sim/telegram.h"
#include "wire/url.h"

/* ---- answers ----------------------------------------------------------------------------------------------------------------- */

void stg_answer_error(struct sim_call *c, int status, const char *text, int64_t retry_s)
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

void stg_answer_moved(struct stg_call *q, int64_t to)
{
    if (q->c)
        sim_json(q->c, 400, arena_printf(q->a, "{\"ok\":false,\"error_code\":400,\"description\":\"Bad Request: group chat was upgraded to a supergroup "
                                               "chat\",\"parameters\":{\"migrate_to_chat_id\":%lld}}", (long long)to));
}

void stg_call_refuse(struct stg_call *q, int status, const char *text)
{
    if (q->c)
        stg_answer_error(q->c, status, text, 0);
}

void stg_call_result(struct stg_call *q, slice json)
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
        stg_answer_error(c, 429, "Too Many Requests: retry after 1", 1);
        return;
    }
    for (size_t i = 0; i < COUNT(refusals); i++)
        if (refusals[i].status == status) {
            stg_answer_error(c, status, refusals[i].text, 0);
            return;
        }
    sim_answer(c, status, SLICE_NONE, SLICE_NONE);
}

/* ---- parameters -------------------------------------------------------------------------------------------------------------- */

slice stg_call_text(const struct stg_call *q, const char *name)
{
    if (q->parts)
        return multipart_value(q->parts, slice_of(name));
    if (!q->doc)
        return form_get(q->a, q->form, slice_of(name));
    const struct js *v = js_at(q->doc, name);
    return js_is_string(v) ? js_text(v) : v && !js_is_null(v) ? js_print(q->a, v) : SLICE_NONE;
}

/* "attach://NAME" means the part of that name; without it the parameter's own part may be the file. */
const struct multipart_part *stg_call_part(const struct stg_call *q, const char *name, slice value)
{
    if (!q->parts)
        return NULL;
    bool attached = slice_starts(value, SL("attach://"));
    const struct multipart_part *part = multipart_part(q->parts, attached ? slice_from(value, SL("attach://").n) : slice_of(name));
    return part && part->filename.n ? part : NULL;
}

/* Objects and arrays; with forms they are JSON texts. */
const struct js *stg_call_value(const struct stg_call *q, const char *name)
{
    const struct js *v = js_at(q->doc, name);
    slice text = q->doc ? js_text(v) : stg_call_text(q, name);
    return text.n ? js_parse(q->a, text, NULL) : v;
}

/* ---- webhook ----------------------------------------------------------------------------------------------------------------- */

static void get_me(struct stg_call *q)
{
    slice rest = q->s->token, bot = slice_cut(&rest, ':');
    stg_call_result(q, arena_printf(q->a,
                           "{\"id\":" SLF ",\"is_bot\":true,\"first_name\":\"Dragoman\",\"username\":\"" SLF
                           "\",\"can_join_groups\":true,\"can_read_all_group_messages\":false,\"supports_guest_queries\":false,"
                           "\"supports_inline_queries\":false,\"can_connect_to_business\":false,\"has_main_web_app\":false,\"has_topics_enabled\":false,"
                           "\"allows_users_to_create_topics\":false,\"can_manage_bots\":false,\"supports_join_request_queries\":false}",
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
    slice url = stg_call_text(q, "url"), secret = stg_call_text(q, "secret_token");
    const char *bad = url.n ? bad_webhook(s, q->a, url) : NULL;
    for (size_t i = 0; i < secret.n && !bad; i++)
        if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-", secret.p[i]))
            bad = "Bad Request: secret token contains unallowed characters";
    if (secret.n > SECRET_MAX)
        bad = "Bad Request: secret token is too long";
    if (bad) {
        stg_call_refuse(q, 400, bad);
        return;
    }
    free(s->url);
    free(s->secret);
    s->url = url.n ? stg_copy(url) : NULL;
    s->secret = stg_copy(secret);
    const struct js *allowed = stg_call_value(q, "allowed_updates");
    if (js_is_array(allowed)) { /* left out: as before */
        free(s->allowed);
        s->allowed = js_len(allowed) ? stg_copy(js_print(q->a, allowed)) : NULL;
    }
    stg_call_result(q, SL("true"));
}

static void delete_webhook(struct stg_call *q)
{
    free(q->s->url);
    q->s->url = NULL;
    stg_call_result(q, SL("true"));
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
    stg_call_result(q, jw_done(&w));
}

static void get_updates(struct stg_call *q)
{
    if (q->s->url)
        stg_call_refuse(q, 409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first");
    else
        stg_call_result(q, SL("[]"));
}

/* ---- files ------------------------------------------------------------------------------------------------------------------- */

static void get_file(struct stg_call *q)
{
    slice id = stg_call_text(q, "file_id");
    const struct stg_file *file = shelf_get(q->s->files, id);
    if (!file) {
        stg_call_refuse(q, 400, "Bad Request: wrong file_id or the file is temporarily unavailable");
        return;
    }
    if (file->size > STG_FILE_BYTES_MAX) {
        stg_call_refuse(q, 400, "Bad Request: file is too big");
        return;
    }
    stg_call_result(q, arena_printf(q->a, "{\"file_id\":\"" SLF "\",\"file_unique_id\":\"u" SLF "\",\"file_size\":%lld,\"file_path\":\"files/" SLF "\"}",
                           SLA(id), SLA(id), (long long)file->size, SLA(id)));
}

static void file_get(struct sim_call *c, void *ctx)
{
    struct stg *s = ctx;
    slice bot = c->params[0], path = c->params[1];
    const struct stg_file *file = slice_starts(path, SL("files/")) ? shelf_get(s->files, slice_from(path, 6)) : NULL;
    if (!slice_eq(bot, arena_printf(c->x->a, "bot" SLF, SLA(s->token))) || !file) {
        stg_answer_error(c, 404, "Not Found", 0);
        return;
    }
    sim_answer(c, 200, SL("application/octet-stream"), arena_dup(c->x->a, file->bytes)); /* of no type, as there */
}

/* ---- buttons ----------------------------------------------------------------------------------------------------------------- */

static void answer_callback(struct stg_call *q)
{
    slice id = stg_call_text(q, "callback_query_id");
    if (!shelf_get(q->s->queries, id)) {
        stg_call_refuse(q, 400, "Bad Request: query is too old and response timeout expired or query ID is invalid");
        return;
    }
    shelf_remove(q->s->queries, id);
    feed_send(q->s->env->feed, "callback", SL("{}"));
    stg_call_result(q, SL("true"));
}

static void edit_markup(struct stg_call *q)
{
    struct stg_chat *chat = stg_call_chat(q);
    int64_t id = 0;
    if (!chat)
        return;
    struct stg_message *m = slice_int(stg_call_text(q, "message_id"), &id) ? stg_message_find(chat, id) : NULL;
    if (!m || m->from_guest) {
        stg_call_refuse(q, 400, "Bad Request: message to edit not found");
        return;
    }
    const struct js *doc = js_parse(q->a, slice_of(m->json), NULL), *markup = stg_call_value(q, "reply_markup");
    slice json = stg_without(q->a, doc, "reply_markup");
    json = stg_without(q->a, js_parse(q->a, json, NULL), "edit_date");
    json = arena_printf(q->a, SLF ",\"edit_date\":%lld}", SLA(slice_sub(json, 0, json.n - 1)), (long long)(time_now_ms() / 1000));
    if (js_len(js_at(markup, "inline_keyboard")))
        json = arena_printf(q->a, SLF ",\"reply_markup\":" SLF "}", SLA(slice_sub(json, 0, json.n - 1)), SLA(js_print(q->a, markup)));
    stg_message_replace(m, json);
    feed_send(q->s->env->feed, "reset", SL("{}"));
    stg_call_result(q, json);
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
    { "sendMediaGroup",         stg_send_group,       true },
    { "sendChatAction",         stg_send_action,     true },
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
    return stg_send(q, method);
}

static void api(struct sim_call *c, void *ctx)
{
    struct stg *s = ctx;
    slice bot = c->params[0];
    struct stg_call q = { .s = s, .c = c, .a = c->x->a, .form = c->x->query };
    s->calls++;
    if (!slice_starts(bot, SL("bot"))) {
        stg_answer_error(c, 404, "Not Found", 0);
        return;
    }
    if (!slice_eq(slice_from(bot, 3), s->token)) {
        bool formed = slice_find_char(bot, ':') != SIZE_MAX;
        stg_answer_error(c, formed ? 401 : 404, formed ? "Unauthorized" : "Not Found", 0);
        return;
    }
    slice type = slice_of("");
    for (size_t i = 0; i < c->x->n_headers; i++)
        if (slice_eq_nocase(c->x->headers[i].name, SL("content-type")))
            type = c->x->headers[i].value;
    if (slice_starts(type, SL("application/json")) && c->x->body.n) {
        q.doc = js_parse(q.a, c->x->body, NULL);
        if (!js_is_object(q.doc)) {
            stg_answer_error(c, 400, "Bad Request: can't parse JSON object", 0);
            return;
        }
    } else if (slice_starts(type, SL("application/x-www-form-urlencoded"))) {
        q.form = c->x->body;
    } else if (slice_starts(type, SL("multipart/form-data"))) {
        struct multipart *parts = ARENA_NEW(q.a, struct multipart);
        struct fault f = { 0 };
        if (!multipart_parse(q.a, type, c->x->body, parts, &f)) {
            stg_answer_error(c, 400, "Bad Request: can't parse form data", 0);
            return;
        }
        q.parts = parts;
    }
    if (!run(&q, c->params[1]))
        stg_answer_error(c, 404, "Not Found: method not found", 0);
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
    stg_answer_error(c, 404, "Not Found", 0);
}

static const struct sim_route routes[] = {
    { "GET", "/file/:bot/*", file_get, 0 },
    { "*", "/:bot/:method", api, 0 },
};

void stg_api_routes(struct stg *s)
{
    sim_routes(s->env, routes, COUNT(routes), s, unknown);
}
