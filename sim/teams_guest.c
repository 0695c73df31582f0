/* teams_guest.c - the people: what they do, and the activity each of it makes; teams.c is the manual. */
#include "sim/draw.h"
#include "sim/sign.h"
#include "sim/teams.h"
#include "sim/webhook.h"

/* ---- activities ------------------------------------------------------------------------------------------------------------------ */

static void put_channel_data(struct stm_deed *d, struct jw *w, const char *event)
{
    jw_open(w, "channelData", '{');
    jw_open(w, "tenant", '{');
    jw_str(w, "id", d->s->tenant);
    jw_close(w, '}');
    if (event)
        jw_str(w, "eventType", slice_of(event));
    if (d->chat->number == 0) {
        jw_raw(w, "team", SL("{\"id\":\"" STM_ROOM "\",\"name\":\"Support\"}"));
        jw_raw(w, "channel", SL("{\"id\":\"" STM_ROOM "\",\"name\":\"General\"}"));
    }
    jw_close(w, '}');
}

/* All that activities have in common; channelData is put by whoever closes it. */
struct jw stm_open(struct stm_deed *d, const char *type, slice thread)
{
    struct stm *s = d->s;
    bool room = d->chat->number == 0;
    struct jw w = jw_new(d->a, 1 << 20);
    jw_open(&w, NULL, '{');
    jw_str(&w, "type", slice_of(type));
    jw_str(&w, "id", d->id);
    jw_time(&w, "timestamp", time_now_ms());
    jw_time(&w, "localTimestamp", time_now_ms());
    jw_str(&w, "serviceUrl", stm_service_url(s, d->a));
    jw_str(&w, "channelId", SL("msteams"));
    jw_open(&w, "from", '{');
    jw_str(&w, "id", slice_of(d->who->user));
    jw_str(&w, "name", slice_of(d->who->name));
    jw_str(&w, "aadObjectId", slice_of(d->who->aad));
    jw_close(&w, '}');
    jw_open(&w, "conversation", '{');
    if (room)
        jw_bool(&w, "isGroup", true);
    jw_str(&w, "conversationType", room ? SL("channel") : SL("personal"));
    jw_str(&w, "tenantId", s->tenant);
    jw_str(&w, "id", room && thread.n ? arena_printf(d->a, "%s;messageid=" SLF, d->chat->conversation, SLA(thread)) : slice_of(d->chat->conversation));
    jw_close(&w, '}');
    jw_open(&w, "recipient", '{');
    jw_str(&w, "id", arena_printf(d->a, "28:" SLF, SLA(s->bot_id)));
    jw_str(&w, "name", s->bot_name);
    jw_close(&w, '}');
    jw_str(&w, "locale", SL("en-GB"));
    return w;
}

static bool send_it(struct stm_deed *d, struct jw *w, const char *event, enum stm_kind kind)
{
    put_channel_data(d, w, event);
    jw_close(w, '}');
    slice json = jw_done(w);
    free(d->s->last_activity);
    d->s->last_activity = stm_copy(json);
    d->s->last_chat = d->chat;
    stm_activity_send(d->chat, json, kind, d->forge);
    return true;
}

/* shown: it stands in the chat, too. */
bool stm_post(struct stm_deed *d, struct jw *w, slice thread, bool shown)
{
    if (shown)
        stm_message_add(d->chat, d->who->number, d->id, thread, arena_printf(d->a, SLF "}", SLA(jw_done(w))), SLICE_NONE);
    return send_it(d, w, NULL, STM_MESSAGE);
}

/* In the room a message begins a thread or goes on with one. */
static slice thread_of(struct stm_deed *d)
{
    slice thread = js_text(js_at(d->what, "thread"));
    return d->chat->number ? SLICE_NONE : slice_or(thread, d->id);
}

static void put_text(struct stm_deed *d, struct jw *w, slice text, bool mention)
{
    slice at = arena_printf(d->a, "<at>" SLF "</at>", SLA(d->s->bot_name));
    jw_str(w, "textFormat", SL("plain"));
    jw_str(w, "text", mention ? arena_printf(d->a, SLF " " SLF, SLA(at), SLA(text)) : text);
    jw_open(w, "entities", '[');
    jw_raw(w, NULL, SL("{\"type\":\"clientInfo\",\"locale\":\"en-GB\",\"country\":\"GB\",\"platform\":\"Web\",\"timezone\":\"Europe/London\"}"));
    if (mention) {
        jw_open(w, NULL, '{');
        jw_str(w, "type", SL("mention"));
        jw_open(w, "mentioned", '{');
        jw_str(w, "id", arena_printf(d->a, "28:" SLF, SLA(d->s->bot_id)));
        jw_str(w, "name", d->s->bot_name);
        jw_close(w, '}');
        jw_str(w, "text", at);
        jw_close(w, '}');
    }
    jw_close(w, ']');
}

static slice escaped(struct arena *a, slice text)
{
    struct text t = text_new(a, text.n * 5 + 1);
    for (size_t i = 0; i < text.n; i++) {
        const char *by = text.p[i] == '&' ? "&amp;" : text.p[i] == '<' ? "&lt;" : text.p[i] == '>' ? "&gt;" : NULL;
        if (by)
            text_put(&t, slice_of(by));
        else
            text_char(&t, text.p[i]);
    }
    return text_slice(&t);
}

bool stm_say(struct stm_deed *d, slice text, slice thread)
{
    bool room = d->chat->number == 0, quiet = js_at(d->what, "mention") && !js_true(js_at(d->what, "mention"));
    struct jw w = stm_open(d, "message", thread);
    put_text(d, &w, escaped(d->a, text), room && !quiet);
    jw_open(&w, "attachments", '[');
    jw_open(&w, NULL, '{');
    jw_str(&w, "contentType", SL("text/html"));
    jw_str(&w, "content", arena_printf(d->a, "<p>" SLF "</p>", SLA(escaped(d->a, text))));
    jw_close(&w, '}');
    jw_close(&w, ']');
    if (room && quiet && !d->s->rsc) { /* the bot does not hear it */
        jw_close(&w, '}');
        stm_message_add(d->chat, d->who->number, d->id, thread, jw_done(&w), SLICE_NONE);
        return true;
    }
    return stm_post(d, &w, thread, true);
}

/* ---- what a guest does ---------------------------------------------------------------------------------------------------------- */

static bool do_text(struct stm_deed *d)
{
    slice text = js_text(js_at(d->what, "text"));
    if (!text.n)
        return fault(d->f, "missing_field", "text", "a text");
    return stm_say(d, text, thread_of(d));
}

static bool bytes_of_deed(struct stm_deed *d, bool picture, slice *ret)
{
    slice base64 = js_text(js_at(d->what, "base64"));
    *ret = base64.p ? sign_unbase64(d->a, base64) : picture ? draw_scene(d->a, 640, 480, 2) : SL("A file of the simulator.\n");
    return ret->p || fault(d->f, "wrong_type", "base64", "the bytes as Base64");
}

static bool do_picture(struct stm_deed *d)
{
    slice bytes;
    if (!bytes_of_deed(d, true, &bytes))
        return false;
    slice id = stm_file_put(d->s, d->a, sim_text(d->what, "contentType", "image/png"), SL("picture.png"), bytes);
    slice thread = thread_of(d);
    struct jw w = stm_open(d, "message", thread);
    put_text(d, &w, escaped(d->a, sim_text(d->what, "text", "")), d->chat->number == 0);
    jw_open(&w, "attachments", '[');
    jw_open(&w, NULL, '{');
    jw_str(&w, "contentType", SL("image/*"));
    jw_str(&w, "contentUrl", arena_printf(d->a, SLF "v3/attachments/" SLF "/views/original", SLA(stm_service_url(d->s, d->a)), SLA(id)));
    jw_close(&w, '}');
    jw_raw(&w, NULL, SL("{\"contentType\":\"text/html\",\"content\":\"<p><img alt=\\\"picture\\\"></p>\"}"));
    jw_close(&w, ']');
    return stm_post(d, &w, thread, true);
}

static bool do_file(struct stm_deed *d)
{
    slice bytes, name = sim_text(d->what, "name", "notes.txt");
    if (d->chat->number == 0)
        return fault(d->f, "refused", "type", "files of a channel stay in SharePoint");
    if (!bytes_of_deed(d, false, &bytes))
        return false;
    size_t dot = slice_find_last(name, '.');
    slice id = stm_file_put(d->s, d->a, SL("application/octet-stream"), name, bytes);
    struct jw w = stm_open(d, "message", SLICE_NONE);
    put_text(d, &w, sim_text(d->what, "text", ""), false);
    jw_open(&w, "attachments", '[');
    jw_open(&w, NULL, '{');
    jw_str(&w, "contentType", SL("application/vnd.microsoft.teams.file.download.info"));
    jw_str(&w, "contentUrl", arena_printf(d->a, SLF "/onedrive/page/" SLF, SLA(d->s->env->base_url), SLA(id)));
    jw_str(&w, "name", name);
    jw_open(&w, "content", '{');
    jw_str(&w, "downloadUrl", arena_printf(d->a, SLF "/onedrive/download/" SLF "?tempauth=abc", SLA(d->s->env->base_url), SLA(id)));
    jw_str(&w, "uniqueId", id);
    jw_str(&w, "fileType", dot == SIZE_MAX ? SL("") : slice_from(name, dot + 1));
    jw_close(&w, '}');
    jw_close(&w, '}');
    jw_close(&w, ']');
    return stm_post(d, &w, SLICE_NONE, true);
}

/* The newest message of a guest (or of the bot), or the one that is named. */
static struct stm_message *newest(struct stm_deed *d, bool of_bot)
{
    slice id = js_text(js_at(d->what, "message_id"));
    struct stm_message *found = NULL;
    for (struct stm_message *m = d->chat->first; m; m = m->next)
        if ((m->who == 0) == of_bot && (!id.n || slice_eq(id, slice_of(m->id))))
            found = m;
    if (!found)
        fault(d->f, "not_found", "message_id", "no such message");
    return found;
}

static bool do_change(struct stm_deed *d)
{
    bool gone = slice_eq(sim_text(d->what, "type", ""), SL("delete")), back = slice_eq(sim_text(d->what, "type", ""), SL("undelete"));
    struct stm_message *m = newest(d, false);
    if (!m)
        return false;
    d->id = arena_dup(d->a, slice_of(m->id));
    slice thread = arena_dup(d->a, slice_of(m->thread));
    struct jw w = stm_open(d, gone ? "messageDelete" : "messageUpdate", thread);
    if (gone) {
        stm_message_drop(d->chat, m);
        return send_it(d, &w, "softDeleteMessage", STM_MESSAGE);
    }
    put_text(d, &w, escaped(d->a, sim_text(d->what, "text", "edited")), d->chat->number == 0);
    struct jw shown = stm_open(d, "message", thread);
    put_text(d, &shown, escaped(d->a, sim_text(d->what, "text", "edited")), false);
    jw_close(&shown, '}');
    stm_message_replace(m, jw_done(&shown));
    stm_changed(d->s);
    return send_it(d, &w, back ? "undeleteMessage" : "editMessage", STM_MESSAGE);
}

static bool do_react(struct stm_deed *d)
{
    bool added = slice_eq(sim_text(d->what, "type", ""), SL("react"));
    const struct stm_message *m = newest(d, true);
    if (!m)
        return false;
    struct jw w = stm_open(d, "messageReaction", slice_of(m->thread));
    jw_str(&w, "replyToId", slice_of(m->id));
    jw_open(&w, added ? "reactionsAdded" : "reactionsRemoved", '[');
    jw_open(&w, NULL, '{');
    jw_str(&w, "type", sim_text(d->what, "reaction", "like"));
    jw_close(&w, '}');
    jw_close(&w, ']');
    return send_it(d, &w, NULL, STM_MESSAGE);
}

static bool do_typing(struct stm_deed *d)
{
    struct jw w = stm_open(d, "typing", SLICE_NONE);
    return send_it(d, &w, NULL, STM_MESSAGE);
}

static bool do_read(struct stm_deed *d)
{
    const struct stm_message *m = newest(d, true);
    if (!m)
        return false;
    struct jw w = stm_open(d, "event", SLICE_NONE);
    jw_str(&w, "name", SL("application/vnd.microsoft.readReceipt"));
    jw_open(&w, "value", '{');
    jw_str(&w, "lastReadMessageId", slice_of(m->id));
    jw_close(&w, '}');
    return send_it(d, &w, NULL, STM_MESSAGE);
}

static bool do_install(struct stm_deed *d)
{
    bool added = slice_eq(sim_text(d->what, "type", ""), SL("install"));
    d->chat->removed = !added;
    stm_changed(d->s);
    struct jw w = stm_open(d, "installationUpdate", SLICE_NONE);
    jw_str(&w, "action", added ? SL("add") : SL("remove"));
    return send_it(d, &w, NULL, STM_MESSAGE);
}

static bool do_start(struct stm_deed *d)
{
    struct jw w = stm_open(d, "conversationUpdate", SLICE_NONE);
    jw_open(&w, "membersAdded", '[');
    jw_open(&w, NULL, '{');
    jw_str(&w, "id", arena_printf(d->a, "28:" SLF, SLA(d->s->bot_id)));
    jw_close(&w, '}');
    jw_close(&w, ']');
    return send_it(d, &w, d->chat->number ? NULL : "teamMemberAdded", STM_MESSAGE);
}

static bool do_submit(struct stm_deed *d)
{
    struct jw w = stm_open(d, "message", thread_of(d));
    if (js_at(d->what, "value"))
        jw_value(&w, "value", js_at(d->what, "value"));
    jw_opt(&w, "replyToId", js_text(js_at(d->what, "reply_to")));
    return send_it(d, &w, NULL, STM_MESSAGE);
}

static bool do_activity(struct stm_deed *d)
{
    const struct js *own = js_at(d->what, "activity");
    struct jw w = stm_open(d, "message", thread_of(d));
    put_channel_data(d, &w, NULL);
    jw_close(&w, '}');
    const struct js *base = js_parse(d->a, jw_done(&w), NULL);
    struct jw all = jw_new(d->a, 1 << 20);
    jw_open(&all, NULL, '{');
    for (void *it = js_first(base); it; it = js_next(base, it))
        if (!js_get(own, js_key(base, it))) {
            jw_key(&all, js_key(base, it));
            jw_value(&all, NULL, js_value(it));
        }
    for (void *it = js_first(own); it; it = js_next(own, it)) {
        jw_key(&all, js_key(own, it));
        jw_value(&all, NULL, js_value(it));
    }
    jw_close(&all, '}');
    bool invoke = slice_eq(js_text(js_at(own, "type")), SL("invoke"));
    stm_activity_send(d->chat, jw_done(&all), invoke ? STM_INVOKE : STM_MESSAGE, d->forge);
    return true;
}

/* clang-format off */
static const struct { slice type; bool (*fn)(struct stm_deed *d); } deeds[] = {
    { SLI("text"),     do_text },    { SLI("picture"), do_picture }, { SLI("file"),    do_file },    { SLI("edit"),   do_change },
    { SLI("undelete"), do_change },  { SLI("delete"),  do_change },  { SLI("react"),   do_react },   { SLI("unreact"), do_react },
    { SLI("typing"),   do_typing },  { SLI("read"),    do_read },    { SLI("install"), do_install }, { SLI("remove"), do_install },
    { SLI("start"),    do_start },   { SLI("submit"),  do_submit },  { SLI("activity"), do_activity },
};
/* clang-format on */

static bool act(struct stm_deed *d)
{
    return SIM_DO(deeds, d);
}

/* ---- control routes ------------------------------------------------------------------------------------------------------------ */

static void do_deed(struct sim_call *c, struct stm *s, bool (*fn)(struct stm_deed *))
{
    struct fault f = { 0 };
    struct stm_deed d = { .s = s, .a = c->x->a, .f = &f, .chat = stm_chat_of(s, c->params[0]), .id = stm_new_id(s, c->x->a) };
    if (!d.chat) {
        sim_refuse(c, 404, "not_found", "", "no such guest");
        return;
    }
    d.what = sim_object(c);
    if (!d.what)
        return;
    slice as = js_text(js_at(d.what, "as")), forge = js_text(js_at(d.what, "forge"));
    d.who = d.chat->number ? d.chat : stm_chat_of(s, as.n ? as : SL("1"));
    d.forge = forge.n ? arena_cstr(d.a, forge) : NULL;
    if (!d.who || !d.who->number)
        sim_refuse(c, 404, "not_found", "", "nobody of that number");
    else if (fn(&d))
        sim_json(c, 200, arena_printf(d.a, "{\"id\":\"" SLF "\"}", SLA(d.id)));
    else
        sim_fault(c, 400, &f);
}

static void post_send(struct sim_call *c, void *ctx)
{
    do_deed(c, ctx, act);
}

static void post_press(struct sim_call *c, void *ctx)
{
    do_deed(c, ctx, stm_press);
}

static void post_consent(struct sim_call *c, void *ctx)
{
    do_deed(c, ctx, stm_consent);
}

static void post_dialog(struct sim_call *c, void *ctx)
{
    do_deed(c, ctx, stm_dialog);
}

static void post_again(struct sim_call *c, void *ctx)
{
    struct stm *s = ctx;
    if (!s->last_activity) {
        sim_refuse(c, 404, "not_found", "", "no activity was sent yet");
        return;
    }
    stm_activity_send(s->last_chat, slice_of(s->last_activity), STM_MESSAGE, NULL);
    sim_json(c, 200, SL("{}"));
}

static void put_guest(struct jw *w, const struct stm_chat *chat)
{
    int64_t left_ms = chat->typing_until_ms - time_mono_ms();
    jw_open(w, NULL, '{');
    if (chat->number == 0)
        jw_str(w, "number", SL("room"));
    else
        jw_int(w, "number", chat->number);
    jw_str(w, "id", slice_of(chat->user));
    jw_str(w, "name", slice_of(chat->name));
    jw_str(w, "conversation", slice_of(chat->conversation));
    jw_bool(w, "removed", chat->removed);
    jw_int(w, "typing_ms", MAX(left_ms, 0));
    jw_close(w, '}');
}

static void get_guests(struct sim_call *c, void *ctx)
{
    struct stm *s = ctx;
    struct jw w = jw_new(c->x->a, 1 << 20);
    jw_open(&w, NULL, '{');
    jw_open(&w, "bot", '{');
    jw_str(&w, "id", s->bot_id);
    jw_str(&w, "name", s->bot_name);
    jw_close(&w, '}');
    jw_str(&w, "service", stm_service_url(s, c->x->a));
    jw_str(&w, "hub", s->env->hub);
    jw_open(&w, "guests", '[');
    for (size_t i = 0; i < s->n_chats; i++)
        put_guest(&w, &s->chats[i]);
    jw_close(&w, ']');
    jw_close(&w, '}');
    sim_json(c, 200, jw_done(&w));
}

static void get_messages(struct sim_call *c, void *ctx)
{
    struct stm *s = ctx;
    const struct stm_chat *chat = stm_chat_of(s, c->params[0]);
    if (!chat) {
        sim_refuse(c, 404, "not_found", "", "no such guest");
        return;
    }
    struct jw w = jw_new(c->x->a, 32 << 20);
    jw_open(&w, NULL, '{');
    jw_key(&w, SL("guest"));
    put_guest(&w, chat);
    jw_open(&w, "messages", '[');
    for (const struct stm_message *m = chat->first; m; m = m->next)
        stm_message_write(&w, s, m);
    jw_close(&w, ']');
    if (chat->invoke)
        jw_raw(&w, "invoke", slice_of(chat->invoke));
    jw_close(&w, '}');
    sim_json(c, 200, jw_done(&w));
}

static void get_counters(struct sim_call *c, void *ctx)
{
    struct stm *s = ctx;
    struct jw w = jw_new(c->x->a, 1 << 20);
    jw_open(&w, NULL, '{');
    jw_int(&w, "calls", s->calls);
    jw_int(&w, "activities", s->activities);
    jw_int(&w, "taken", s->taken);
    jw_int(&w, "refused", s->refused);
    jw_int(&w, "keys", s->key_fetches);
    jw_int(&w, "tokens", s->token_requests);
    jw_int(&w, "leaks", s->leaks);
    jw_raw(&w, "webhooks", webhooks_show(s->env->webhooks, c->x->a));
    jw_close(&w, '}');
    sim_json(c, 200, jw_done(&w));
}

static const struct sim_route routes[] = {
    { "GET", "/sim/guests", get_guests, SIM_CONTROL },
    { "POST", "/sim/guests/:guest/send", post_send, SIM_CONTROL },
    { "POST", "/sim/guests/:guest/press", post_press, SIM_CONTROL },
    { "POST", "/sim/guests/:guest/consent", post_consent, SIM_CONTROL },
    { "POST", "/sim/guests/:guest/dialog", post_dialog, SIM_CONTROL },
    { "POST", "/sim/guests/:guest/again", post_again, SIM_CONTROL },
    { "GET", "/sim/guests/:guest/messages", get_messages, SIM_CONTROL },
    { "GET", "/sim/counters", get_counters, SIM_CONTROL },
};

void stm_guest_routes(struct stm *s)
{
    sim_routes(s->env, routes, COUNT(routes), s, NULL);
}
