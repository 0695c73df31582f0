/* slack_api.c - the Web API: sections "Calls", "Sending", "Profiles", "Interactivity", "Errors". Errors come with HTTP 200, as there. */
#include "sim/shelf.h"
#include "sim/slack.h"
#include "wire/url.h"

/* ---- answers ----------------------------------------------------------------------------------------------------------------- */

void ssk_error(struct ssk_call *q, const char *error)
{
    sim_json(q->c, 200, arena_printf(q->a, "{\"ok\":false,\"error\":\"%s\"}", error));
}

static void error_detail(struct ssk_call *q, const char *error, const char *detail)
{
    sim_json(q->c, 200, arena_printf(q->a, "{\"ok\":false,\"error\":\"%s\",\"response_metadata\":{\"messages\":[\"[ERROR] %s\"]}}", error, detail));
}

void ssk_ok(struct ssk_call *q, slice members)
{
    sim_json(q->c, 200, arena_printf(q->a, "{\"ok\":true%s" SLF "}", members.n ? "," : "", SLA(members)));
}

void ssk_refuse(struct sim_call *c, int status)
{
    if (status == 429) {
        sim_header(c, "Retry-After", SL("1"));
        sim_json(c, 429, SL("{\"ok\":false,\"error\":\"ratelimited\"}"));
        return;
    }
    if (status >= 500)
        sim_answer(c, status, SL("text/html"), SL("<html><body>Server Error</body></html>"));
    else
        sim_json(c, 200, SL("{\"ok\":false,\"error\":\"fatal_error\"}"));
}

/* ---- parameters -------------------------------------------------------------------------------------------------------------- */

slice ssk_param(const struct ssk_call *q, const char *name)
{
    if (!q->doc)
        return form_get(q->a, q->form, slice_of(name));
    const struct js *v = js_at(q->doc, name);
    return js_is_string(v) ? js_text(v) : v && !js_is_null(v) ? js_print(q->a, v) : SLICE_NONE;
}

/* In forms objects and arrays are JSON texts. */
const struct js *ssk_param_json(const struct ssk_call *q, const char *name)
{
    const struct js *v = js_at(q->doc, name);
    slice text = q->doc ? js_text(v) : ssk_param(q, name);
    return text.n ? js_parse(q->a, text, NULL) : v;
}

/* ---- who is who ---------------------------------------------------------------------------------------------------------------- */

static void auth_test(struct ssk_call *q)
{
    const struct ssk_space *t = q->space;
    sim_header(q->c, "X-OAuth-Scopes", slice_of(t->scopes ? t->scopes : ""));
    ssk_ok(q, arena_printf(q->a, "\"url\":\"https://%s.slack.com/\",\"team\":\"%s\",\"user\":\"app\",\"team_id\":\"%s\",\"user_id\":\"%s\",\"bot_id\":\"%s\","
                                 "\"is_enterprise_install\":%s%s", t->domain, t->name, t->id, t->bot_user, t->bot, t->whole ? "true" : "false",
                           t->in_organisation ? ",\"enterprise_id\":\"" SSK_ENTERPRISE "\"" : ""));
}

static void users_info(struct ssk_call *q)
{
    const struct ssk_guest *g = ssk_guest_of(q->s, ssk_param(q, "user"));
    if (!g || g->space != q->space) {
        ssk_error(q, "user_not_found");
        return;
    }
    struct jw w = jw_new(q->a, 16384);
    jw_open(&w, NULL, '{');
    jw_open(&w, "user", '{');
    jw_str(&w, "id", slice_of(g->id));
    jw_str(&w, "team_id", slice_of(g->space->id));
    jw_str(&w, "name", slice_of(g->username));
    jw_bool(&w, "deleted", false);
    jw_str(&w, "real_name", arena_printf(q->a, "%s Guest", g->name));
    jw_str(&w, "tz", SL("Asia/Tokyo"));
    if (slice_eq(ssk_param(q, "include_locale"), SL("true")))
        jw_str(&w, "locale", SL("en-US"));
    jw_bool(&w, "is_bot", false);
    jw_open(&w, "profile", '{');
    jw_str(&w, "display_name", slice_of(g->name));
    jw_str(&w, "real_name", arena_printf(q->a, "%s Guest", g->name));
    jw_str(&w, "first_name", slice_of(g->name));
    jw_str(&w, "last_name", SL("Guest"));
    jw_str(&w, "email", arena_printf(q->a, "%s@example.com", g->username));
    jw_str(&w, "image_192", arena_printf(q->a, SLF "/faces/%zu", SLA(q->s->env->base_url), g->number));
    jw_close(&w, '}');
    jw_close(&w, '}');
    slice all = jw_done(&w);
    ssk_ok(q, slice_sub(all, 1, all.n - 1));
}

static void team_info(struct ssk_call *q)
{
    slice id = ssk_param(q, "team");
    const struct ssk_space *t = q->space;
    for (size_t i = 0; i < SSK_WORKSPACES; i++)
        if (slice_eq(id, slice_of(q->s->spaces[i].id)))
            t = &q->s->spaces[i];
    ssk_ok(q, arena_printf(q->a, "\"team\":{\"id\":\"%s\",\"name\":\"%s\",\"domain\":\"%s\"%s}", t->id, t->name, t->domain,
                           t->in_organisation ? ",\"enterprise_id\":\"" SSK_ENTERPRISE "\",\"enterprise_name\":\"" SSK_ENTERPRISE_NAME "\"" : ""));
}

/* ---- messages ---------------------------------------------------------------------------------------------------------------------- */

static struct ssk_chat *chat_to(struct ssk_call *q, const char *name)
{
    struct ssk_chat *chat = ssk_chat_of(q->s, ssk_param(q, name));
    if (chat && chat->space == q->space)
        return chat;
    ssk_error(q, "channel_not_found");
    return NULL;
}

static bool over_rate(struct ssk_call *q, struct ssk_chat *chat)
{
    int64_t now_s = time_mono_ms() / 1000;
    if (chat->window_s != now_s)
        chat->in_window = 0;
    chat->window_s = now_s;
    if (!q->s->per_channel || ++chat->in_window <= q->s->per_channel)
        return false;
    ssk_refuse(q->c, 429);
    return true;
}

slice ssk_bot_message(struct ssk_call *q, struct ssk_chat *chat, slice thread, slice members)
{
    struct ssk *s = q->s;
    slice ts = ssk_ts(s, q->a);
    struct jw w = jw_new(q->a, SSK_JSON_MAX);
    jw_open(&w, NULL, '{');
    jw_str(&w, "type", SL("message"));
    jw_str(&w, "user", slice_of(q->space->bot_user));
    jw_str(&w, "bot_id", slice_of(q->space->bot));
    jw_str(&w, "app_id", s->app);
    jw_str(&w, "team", slice_of(q->space->id));
    jw_str(&w, "ts", ts);
    jw_opt(&w, "thread_ts", thread);
    slice open = jw_done(&w);
    slice json = arena_printf(q->a, SLF "%s" SLF "}", SLA(open), members.n ? "," : "", SLA(members));
    chat->typing_until_ms = 0;
    ssk_message_add(chat, ts, thread, true, json);
    /* The app hears itself, too. */
    ssk_event_send(q->space, chat, arena_printf(q->a, SLF ",\"channel\":\"%s\",\"channel_type\":\"%s\",\"event_ts\":\"" SLF "\"}",
                                                SLA(slice_sub(json, 0, json.n - 1)), chat->id, chat->guest ? "im" : "channel", SLA(ts)));
    return json;
}

static void post_message(struct ssk_call *q)
{
    enum { TEXT_MAX = 40000, ATTACHMENTS_MAX = 100 };
    struct ssk_chat *chat = chat_to(q, "channel");
    if (!chat || over_rate(q, chat))
        return;
    slice text = ssk_param(q, "text"), thread = ssk_param(q, "thread_ts"), name = ssk_param(q, "username"), icon = ssk_param(q, "icon_url");
    const struct js *blocks = ssk_param_json(q, "blocks"), *attachments = ssk_param_json(q, "attachments");
    const char *bad = blocks ? ssk_bad_blocks(blocks) : NULL;
    if (bad) {
        error_detail(q, "invalid_blocks", bad);
        return;
    }
    if (!text.n && !js_len(blocks) && !js_len(attachments)) {
        ssk_error(q, "no_text");
        return;
    }
    if (utf8_len(text) > TEXT_MAX || js_len(attachments) > ATTACHMENTS_MAX) {
        ssk_error(q, utf8_len(text) > TEXT_MAX ? "msg_too_long" : "too_many_attachments");
        return;
    }
    if (thread.n && !ssk_message_find(chat, thread)) {
        ssk_error(q, "thread_not_found");
        return;
    }
    if (name.n && (!q->space->scopes || !strstr(q->space->scopes, "chat:write.customize"))) {
        sim_json(q->c, 200, SL("{\"ok\":false,\"error\":\"missing_scope\",\"needed\":\"chat:write.customize\",\"provided\":\"chat:write\"}"));
        return;
    }
    struct jw w = jw_new(q->a, SSK_JSON_MAX);
    jw_open(&w, NULL, '{');
    jw_str(&w, "text", text);
    jw_opt(&w, "username", name);
    if (icon.n)
        jw_raw(&w, "icons", arena_printf(q->a, "{\"image_64\":\"" SLF "\"}", SLA(icon)));
    if (blocks)
        jw_value(&w, "blocks", blocks);
    if (attachments)
        jw_value(&w, "attachments", attachments);
    slice json = ssk_bot_message(q, chat, thread, slice_from(jw_done(&w), 1));
    ssk_ok(q, arena_printf(q->a, "\"channel\":\"%s\",\"ts\":\"" SLF "\",\"message\":" SLF, chat->id, SLA(js_text(js_at(js_parse(q->a, json, NULL), "ts"))), SLA(json)));
}

static void open_conversation(struct ssk_call *q)
{
    const struct ssk_guest *g = ssk_guest_of(q->s, ssk_param(q, "users"));
    if (!g || g->space != q->space)
        ssk_error(q, "user_not_found");
    else
        ssk_ok(q, arena_printf(q->a, "\"channel\":{\"id\":\"%s\"}", g->chat.id));
}

static void conversations_info(struct ssk_call *q)
{
    const struct ssk_chat *chat = chat_to(q, "channel");
    if (chat)
        ssk_ok(q, arena_printf(q->a, "\"channel\":{\"id\":\"%s\",\"is_im\":%s,\"name\":\"%s\"}", chat->id, chat->guest ? "true" : "false", chat->guest ? "" : "care"));
}

static void set_status(struct ssk_call *q)
{
    struct ssk_chat *chat = chat_to(q, "channel_id");
    enum { SHOWN_MS = 120000 };
    if (!chat)
        return;
    if (!ssk_param(q, "thread_ts").n) {
        ssk_error(q, "invalid_arguments");
        return;
    }
    chat->typing_until_ms = ssk_param(q, "status").n ? time_mono_ms() + SHOWN_MS : 0;
    ssk_changed(q->s);
    ssk_ok(q, SLICE_NONE);
}

/* ---- dialogs ------------------------------------------------------------------------------------------------------------------------ */

static void open_view(struct ssk_call *q)
{
    slice id = ssk_param(q, "trigger_id");
    struct ssk_trigger *t = shelf_get(q->s->triggers, id);
    const struct js *view = ssk_param_json(q, "view");
    if (!t) {
        ssk_error(q, "trigger_exchanged");
        return;
    }
    struct ssk_trigger was = *t;
    shelf_remove(q->s->triggers, id);
    const char *bad = ssk_bad_view(view);
    if (was.until_ms < time_mono_ms()) {
        ssk_error(q, "expired_trigger_id");
        return;
    }
    if (bad) {
        error_detail(q, "invalid_arguments", bad);
        return;
    }
    struct jw w = jw_new(q->a, SSK_JSON_MAX);
    jw_open(&w, NULL, '{');
    jw_str(&w, "id", ssk_id(q->s, q->a, "V0"));
    jw_str(&w, "team_id", slice_of(q->space->id));
    jw_str(&w, "hash", sim_random_hex(&q->s->env->random, q->a, 16));
    jw_str(&w, "app_installed_team_id", slice_of(q->space->whole ? SSK_ENTERPRISE : q->space->id));
    for (void *it = js_first(view); it; it = js_next(view, it)) {
        jw_key(&w, js_key(view, it));
        jw_value(&w, NULL, js_value(it));
    }
    jw_close(&w, '}');
    slice json = jw_done(&w);
    ssk_set(&was.guest->view, json);
    ssk_changed(q->s);
    ssk_ok(q, arena_printf(q->a, "\"view\":" SLF, SLA(json)));
}

/* ---- the methods ---------------------------------------------------------------------------------------------------------------------- */

/* clang-format off */
static const struct { const char *name; void (*fn)(struct ssk_call *q); } methods[] = {
    { "auth.test",                    auth_test },
    { "chat.postMessage",             post_message },
    { "conversations.open",           open_conversation },
    { "conversations.info",           conversations_info },
    { "users.info",                   users_info },
    { "team.info",                    team_info },
    { "files.getUploadURLExternal",   ssk_get_upload_url },
    { "files.completeUploadExternal", ssk_complete_upload },
    { "files.info",                   ssk_files_info },
    { "views.open",                   open_view },
    { "assistant.threads.setStatus",  set_status },
};
/* clang-format on */

/* NULL: whose token it is; else the error. */
static const char *authorize(struct ssk_call *q)
{
    slice header = exchange_header(q->c->x, "authorization");
    slice token = slice_starts(header, SL("Bearer ")) ? slice_from(header, 7) : ssk_param(q, "token");
    if (!token.n)
        return "not_authed";
    for (size_t i = 0; i < SSK_WORKSPACES; i++) {
        struct ssk_space *space = &q->s->spaces[i];
        if (!space->token || !slice_eq(token, slice_of(space->token)))
            continue;
        q->space = space;
        return space->until_ms && space->until_ms <= time_now_ms() ? "token_expired" : NULL;
    }
    return "invalid_auth";
}

static void api(struct sim_call *c, void *ctx)
{
    struct ssk *s = ctx;
    struct ssk_call q = { .s = s, .c = c, .a = c->x->a, .method = c->params[0] };
    bool json = slice_starts(exchange_header(c->x, "content-type"), SL("application/json"));
    s->calls++;
    q.doc = json ? js_parse(q.a, c->x->body, NULL) : NULL;
    q.form = c->x->body.n ? c->x->body : c->x->query;
    if (json && !js_is_object(q.doc)) {
        ssk_error(&q, "invalid_json");
        return;
    }
    for (size_t i = 0; i < COUNT(methods); i++) {
        if (!slice_eq(q.method, slice_of(methods[i].name)))
            continue;
        const char *error = authorize(&q);
        if (error)
            ssk_error(&q, error);
        else
            methods[i].fn(&q);
        return;
    }
    ssk_error(&q, "unknown_method");
}

/* A response_url: replaces the message it is of, or says something more. */
static void respond(struct sim_call *c, void *ctx)
{
    struct ssk *s = ctx;
    struct ssk_response *r = shelf_get(s->responses, c->params[0]);
    const struct js *doc = js_parse(c->x->a, c->x->body, NULL);
    if (!r || r->uses >= SSK_RESPONSE_USES) {
        sim_answer(c, 404, SL("text/plain"), r ? SL("used_url") : SL("expired_url"));
        return;
    }
    if (!js_is_object(doc) || (js_at(doc, "blocks") && ssk_bad_blocks(js_at(doc, "blocks")))) {
        sim_answer(c, 400, SL("text/plain"), SL("invalid_payload"));
        return;
    }
    r->uses++;
    struct ssk_message *m = ssk_message_find(r->chat, slice_of(r->ts));
    if (m && js_true(js_at(doc, "delete_original"))) {
        ssk_message_remove(r->chat, slice_of(r->ts));
    } else if (m && js_true(js_at(doc, "replace_original"))) {
        const struct js *was = js_parse(c->x->a, slice_of(m->json), NULL);
        struct jw w = jw_new(c->x->a, SSK_JSON_MAX);
        jw_open(&w, NULL, '{');
        for (void *it = js_first(was); it; it = js_next(was, it)) {
            slice key = js_key(was, it);
            if (slice_eq(key, SL("text")) || slice_eq(key, SL("blocks")) || slice_eq(key, SL("attachments")))
                continue;
            jw_key(&w, key);
            jw_value(&w, NULL, js_value(it));
        }
        jw_str(&w, "text", js_text(js_at(doc, "text")));
        if (js_at(doc, "blocks"))
            jw_value(&w, "blocks", js_at(doc, "blocks"));
        jw_close(&w, '}');
        ssk_message_replace(m, jw_done(&w));
    }
    ssk_changed(s);
    sim_answer(c, 200, SL("text/plain"), SL("ok"));
}

static void unknown(struct sim_call *c, void *ctx)
{
    (void)ctx;
    sim_answer(c, 404, SL("text/html"), SL("<html><body>Not Found</body></html>"));
}

static const struct sim_route routes[] = {
    { "*", "/api/:method", api, 0 },
    { "POST", "/actions/:id", respond, 0 },
};

void ssk_api_routes(struct ssk *s)
{
    sim_routes(s->env, routes, COUNT(routes), s, unknown);
}
