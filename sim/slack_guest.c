/* slack_guest.c - the members: what they do, and the request each of it makes; slack.c is the manual. */
#include "sim/draw.h"
#include "sim/shelf.h"
#include "sim/sign.h"
#include "sim/slack.h"
#include "sim/webhook.h"
#include "wire/url.h"

struct act { /* one thing done */
    struct ssk *s;
    struct ssk_guest *who;
    struct ssk_chat *chat;
    struct arena *a;
    const struct js *what;
    struct fault *f;
    slice ts;
};

static const char *type_of(const struct ssk_chat *chat)
{
    return chat->guest ? "im" : "channel";
}

static struct ssk_message *newest(const struct act *t, bool own)
{
    struct ssk_message *found = NULL;
    slice ts = js_text(js_at(t->what, "ts"));
    for (struct ssk_message *m = t->chat->first; m; m = m->next)
        if (ts.n ? slice_eq(slice_of(m->ts), ts) : !own || !m->from_bot)
            found = m;
    return found;
}

/* ---- messages ------------------------------------------------------------------------------------------------------------------- */

/* "thread": a ts, or "last": that of the newest message. */
static slice thread_of(const struct act *t)
{
    slice thread = js_text(js_at(t->what, "thread"));
    if (!slice_eq(thread, SL("last")))
        return thread;
    const struct ssk_message *m = t->chat->first, *last = m;
    for (; m; m = m->next)
        last = m;
    return !last ? SLICE_NONE : slice_of(last->thread[0] ? last->thread : last->ts);
}

static slice with_mention(const struct act *t, slice text)
{
    size_t at = slice_find(text, SL("@app"));
    if (at == SIZE_MAX)
        return text;
    return arena_printf(t->a, SLF "<@%s>" SLF, SLA(slice_sub(text, 0, at)), t->who->space->bot_user, SLA(slice_from(text, at + 4)));
}

static struct jw message_open(struct act *t, slice thread)
{
    struct jw w = jw_new(t->a, SSK_JSON_MAX);
    t->ts = ssk_ts(t->s, t->a);
    jw_open(&w, NULL, '{');
    jw_str(&w, "type", SL("message"));
    jw_str(&w, "user", slice_of(t->who->id));
    jw_str(&w, "ts", t->ts);
    jw_str(&w, "client_msg_id", sim_random_uuid(&t->s->env->random, t->a));
    jw_str(&w, "team", slice_of(t->who->space->id));
    if (thread.n) {
        jw_str(&w, "thread_ts", thread);
        jw_str(&w, "parent_user_id", slice_of(t->who->id));
    }
    return w;
}

/* A message event is the message, and where it happened. */
static slice event_of(struct act *t, slice json)
{
    return arena_printf(t->a, SLF ",\"channel\":\"%s\",\"channel_type\":\"%s\",\"event_ts\":\"" SLF "\"}", SLA(slice_sub(json, 0, json.n - 1)), t->chat->id,
                        type_of(t->chat), SLA(t->ts));
}

static bool message_close(struct act *t, struct jw *w, slice thread)
{
    jw_close(w, '}');
    slice json = jw_done(w);
    ssk_message_add(t->chat, t->ts, thread, false, json);
    ssk_event_send(t->who->space, t->chat, event_of(t, json));
    return true;
}

static bool do_text(struct act *t)
{
    enum { TEXT_MAX = 12000 };
    slice text = with_mention(t, js_text(js_at(t->what, "text"))), thread = thread_of(t);
    if (!text.n || utf8_len(text) > TEXT_MAX)
        return fault(t->f, "out_of_range", "text", "a text of 1 to %d characters", TEXT_MAX);
    struct jw w = message_open(t, thread);
    jw_str(&w, "text", text);
    jw_raw(&w, "blocks", SL("[{\"type\":\"rich_text\",\"block_id\":\"x\",\"elements\":[]}]"));
    message_close(t, &w, thread);
    bool mention = !t->chat->guest && slice_find(text, arena_printf(t->a, "<@%s>", t->who->space->bot_user)) != SIZE_MAX;
    if (mention) { /* the same once more, as another event */
        struct jw m = jw_new(t->a, SSK_JSON_MAX);
        jw_open(&m, NULL, '{');
        jw_str(&m, "type", SL("app_mention"));
        jw_str(&m, "user", slice_of(t->who->id));
        jw_str(&m, "ts", t->ts);
        jw_str(&m, "text", text);
        jw_str(&m, "channel", slice_of(t->chat->id));
        jw_str(&m, "event_ts", t->ts);
        jw_opt(&m, "thread_ts", thread);
        jw_close(&m, '}');
        ssk_event_send(t->who->space, t->chat, jw_done(&m));
    }
    return true;
}

static bool do_file(struct act *t)
{
    slice base64 = js_text(js_at(t->what, "base64")), type = sim_text(t->what, "contentType", base64.p ? "application/octet-stream" : "image/png");
    slice bytes = base64.p ? sign_unbase64(t->a, base64) : draw_scene(t->a, 640, 480, 1), thread = thread_of(t);
    if (!bytes.p)
        return fault(t->f, "wrong_type", "base64", "the bytes as Base64");
    struct ssk_file *f = must_calloc(1, sizeof(*f));
    snprintf(f->id, sizeof(f->id), SLF, SLA(ssk_id(t->s, t->a, "F0")));
    snprintf(f->name, sizeof(f->name), SLF, SLA(utf8_cut_bytes(sim_text(t->what, "name", "picture.png"), sizeof(f->name) - 1)));
    snprintf(f->type, sizeof(f->type), SLF, SLA(utf8_cut_bytes(type, sizeof(f->type) - 1)));
    snprintf(f->space, sizeof(f->space), "%s", t->who->space->id);
    f->bytes = ssk_copy(bytes);
    f->size = (int64_t)bytes.n;
    f->external = slice_eq(sim_text(t->what, "mode", ""), SL("external"));
    f->uploaded = f->shared = true;
    shelf_put(t->s->files, slice_of(f->id), f, 0);
    struct jw w = message_open(t, thread);
    jw_str(&w, "subtype", SL("file_share"));
    jw_str(&w, "text", sim_text(t->what, "text", ""));
    jw_open(&w, "files", '[');
    slice access = sim_text(t->what, "file_access", "");
    if (access.n) { /* of a shared channel: nothing but the id */
        jw_open(&w, NULL, '{');
        jw_str(&w, "id", slice_of(f->id));
        jw_str(&w, "mode", SL("file_access"));
        jw_str(&w, "file_access", access);
        jw_close(&w, '}');
    } else {
        ssk_put_file(&w, t->s, f, slice_of(t->who->id));
    }
    jw_close(&w, ']');
    jw_bool(&w, "upload", false);
    return message_close(t, &w, thread);
}

/* message_changed and message_deleted name the message they are about, and have a time of their own. */
static void change(struct act *t, const char *subtype, slice message, slice previous)
{
    struct jw w = jw_new(t->a, SSK_JSON_MAX);
    slice own = ssk_ts(t->s, t->a);
    jw_open(&w, NULL, '{');
    jw_str(&w, "type", SL("message"));
    jw_str(&w, "subtype", slice_of(subtype));
    jw_bool(&w, "hidden", true);
    jw_str(&w, "channel", slice_of(t->chat->id));
    jw_str(&w, "channel_type", slice_of(type_of(t->chat)));
    jw_str(&w, "ts", own);
    jw_str(&w, "event_ts", own);
    if (message.n)
        jw_raw(&w, "message", message);
    else
        jw_str(&w, "deleted_ts", t->ts);
    jw_raw(&w, "previous_message", previous);
    jw_close(&w, '}');
    ssk_event_send(t->who->space, t->chat, jw_done(&w));
}

static slice rewritten(struct act *t, const struct ssk_message *m, slice text, bool edited)
{
    const struct js *was = js_parse(t->a, slice_of(m->json), NULL);
    struct jw w = jw_new(t->a, SSK_JSON_MAX);
    jw_open(&w, NULL, '{');
    for (void *it = js_first(was); it; it = js_next(was, it)) {
        slice key = js_key(was, it);
        if (slice_eq(key, SL("text")) || slice_eq(key, SL("edited")))
            continue;
        jw_key(&w, key);
        jw_value(&w, NULL, js_value(it));
    }
    jw_str(&w, "text", text.p ? text : js_text(js_at(was, "text")));
    if (edited)
        jw_raw(&w, "edited", arena_printf(t->a, "{\"user\":\"%s\",\"ts\":\"" SLF "\"}", t->who->id, SLA(ssk_ts(t->s, t->a))));
    else
        jw_raw(&w, "attachments", SL("[{\"from_url\":\"https://example.com\",\"fallback\":\"Example\"}]"));
    jw_close(&w, '}');
    return jw_done(&w);
}

static bool do_edit(struct act *t)
{
    struct ssk_message *m = newest(t, true);
    bool edited = slice_eq(sim_text(t->what, "type", ""), SL("edit"));
    if (!m)
        return fault(t->f, "not_found", "ts", "no message of the guest's");
    slice previous = arena_dup(t->a, slice_of(m->json)), now = rewritten(t, m, edited ? sim_text(t->what, "text", "edited") : SLICE_NONE, edited);
    t->ts = slice_of(m->ts);
    ssk_message_replace(m, now);
    ssk_changed(t->s);
    change(t, "message_changed", now, previous);
    return true;
}

static bool do_delete(struct act *t)
{
    struct ssk_message *m = newest(t, true);
    if (!m)
        return fault(t->f, "not_found", "ts", "no message of the guest's");
    slice previous = arena_dup(t->a, slice_of(m->json));
    t->ts = arena_dup(t->a, slice_of(m->ts));
    ssk_message_remove(t->chat, t->ts);
    ssk_changed(t->s);
    change(t, "message_deleted", SLICE_NONE, previous);
    return true;
}

static bool do_react(struct act *t)
{
    struct ssk_message *m = newest(t, false);
    if (!m)
        return fault(t->f, "not_found", "ts", "no message");
    t->ts = slice_of(m->ts);
    ssk_event_send(t->who->space, t->chat,
                   arena_printf(t->a, "{\"type\":\"reaction_added\",\"user\":\"%s\",\"reaction\":\"" SLF "\",\"item\":{\"type\":\"message\",\"channel\":\"%s\",\"ts\":\"%s\"},"
                                      "\"event_ts\":\"" SLF "\"}", t->who->id, SLA(sim_text(t->what, "reaction", "thumbsup")), t->chat->id, m->ts, SLA(ssk_ts(t->s, t->a))));
    return true;
}

static bool do_home(struct act *t)
{
    t->ts = ssk_ts(t->s, t->a);
    ssk_event_send(t->who->space, t->chat, arena_printf(t->a, "{\"type\":\"app_home_opened\",\"user\":\"%s\",\"channel\":\"%s\",\"tab\":\"messages\",\"event_ts\":\"" SLF "\"}",
                                                        t->who->id, t->who->chat.id, SLA(t->ts)));
    return true;
}

/* A thread of the assistant is a message of ours to begin with. */
static bool do_assistant(struct act *t)
{
    t->ts = ssk_ts(t->s, t->a);
    ssk_message_add(&t->who->chat, t->ts, SLICE_NONE, true,
                    arena_printf(t->a, "{\"type\":\"message\",\"ts\":\"" SLF "\",\"text\":\"New assistant thread\"}", SLA(t->ts)));
    ssk_event_send(t->who->space, t->chat,
                   arena_printf(t->a, "{\"type\":\"assistant_thread_started\",\"assistant_thread\":{\"user_id\":\"%s\",\"context\":{},\"channel_id\":\"%s\",\"thread_ts\":\"" SLF
                                      "\"},\"event_ts\":\"" SLF "\"}", t->who->id, t->who->chat.id, SLA(t->ts), SLA(t->ts)));
    return true;
}

static bool do_join(struct act *t)
{
    t->ts = ssk_ts(t->s, t->a);
    ssk_event_send(t->who->space, t->chat, arena_printf(t->a, "{\"type\":\"member_joined_channel\",\"user\":\"%s\",\"channel\":\"%s\",\"channel_type\":\"C\",\"team\":\"%s\",\"event_ts\":\"" SLF "\"}",
                                                        t->who->id, t->who->space->channel.id, t->who->space->id, SLA(t->ts)));
    return true;
}

static bool do_event(struct act *t)
{
    const struct js *event = js_at(t->what, "event");
    if (!js_is_object(event))
        return fault(t->f, "missing_field", "event", "an object");
    ssk_event_send(t->who->space, t->chat, js_print(t->a, event));
    return true;
}

/* ---- interactivity ------------------------------------------------------------------------------------------------------------------ */

static slice new_trigger(struct act *t)
{
    slice id = arena_printf(t->a, "123.456." SLF, SLA(sim_random_hex(&t->s->env->random, t->a, 16)));
    struct ssk_trigger *trigger = must_malloc(sizeof(*trigger));
    *trigger = (struct ssk_trigger){ t->who, time_mono_ms() + SSK_TRIGGER_MS };
    shelf_put(t->s->triggers, id, trigger, time_mono_ms());
    return id;
}

static struct jw payload_open(struct act *t, const char *type)
{
    const struct ssk_space *space = t->who->space;
    struct jw w = jw_new(t->a, SSK_JSON_MAX);
    jw_open(&w, NULL, '{');
    jw_str(&w, "type", slice_of(type));
    jw_str(&w, "api_app_id", t->s->app);
    jw_str(&w, "token", SL("deprecated-verification-token"));
    if (space->whole)
        jw_null(&w, "team");
    else
        jw_raw(&w, "team", arena_printf(t->a, "{\"id\":\"%s\",\"domain\":\"%s\"}", space->id, space->domain));
    if (space->in_organisation)
        jw_raw(&w, "enterprise", SL("{\"id\":\"" SSK_ENTERPRISE "\",\"name\":\"" SSK_ENTERPRISE_NAME "\"}"));
    else
        jw_null(&w, "enterprise");
    jw_bool(&w, "is_enterprise_install", space->whole);
    jw_raw(&w, "user", arena_printf(t->a, "{\"id\":\"%s\",\"username\":\"%s\",\"name\":\"%s\",\"team_id\":\"%s\"}", t->who->id, t->who->username, t->who->username, space->id));
    jw_str(&w, "trigger_id", new_trigger(t));
    return w;
}

static void payload_close(struct act *t, struct jw *w)
{
    jw_close(w, '}');
    ssk_payload_send(t->s, slice_of(t->chat->id), jw_done(w), NULL, NULL);
}

static slice response_url(struct act *t, const struct ssk_message *m)
{
    slice id = sim_random_hex(&t->s->env->random, t->a, 24);
    struct ssk_response *r = must_calloc(1, sizeof(*r));
    r->chat = t->chat;
    snprintf(r->ts, sizeof(r->ts), "%s", m->ts);
    shelf_put(t->s->responses, id, r, time_mono_ms());
    return arena_printf(t->a, SLF "/actions/" SLF, SLA(t->s->env->base_url), SLA(id));
}

struct picked {
    const struct ssk_message *m;
    const struct js *block, *element, *option;
};

static const struct js *option_of(const struct js *element, slice label)
{
    const struct js *options = js_at(element, "options");
    for (size_t i = 0; i < js_len(options); i++)
        if (slice_eq(js_text(js_at(js_item(options, i), "text.text")), label))
            return js_item(options, i);
    return NULL;
}

static void look_at(struct picked *p, const struct ssk_message *m, const struct js *block, const struct js *element, slice label)
{
    bool button = slice_eq(js_text(js_at(element, "type")), SL("button")) && slice_eq(js_text(js_at(element, "text.text")), label);
    const struct js *option = option_of(element, label);
    if (button || option)
        *p = (struct picked){ m, block, element, option };
}

/* The newest button or option of this label. */
static struct picked find(struct act *t, slice label)
{
    struct picked p = { 0 };
    for (const struct ssk_message *m = t->chat->first; m; m = m->next) {
        const struct js *blocks = js_at(js_parse(t->a, slice_of(m->json), NULL), "blocks");
        for (size_t i = 0; i < js_len(blocks); i++) {
            const struct js *block = js_item(blocks, i), *elements = js_at(block, "elements");
            look_at(&p, m, block, js_at(block, "accessory"), label);
            for (size_t k = 0; k < js_len(elements); k++)
                look_at(&p, m, block, js_item(elements, k), label);
        }
    }
    return p;
}

static void put_element(struct act *t, struct jw *w, const struct picked *p, const struct js *labels)
{
    slice type = js_text(js_at(p->element, "type"));
    bool many = slice_starts(type, SL("multi_")) || slice_eq(type, SL("checkboxes"));
    jw_open(w, NULL, '{');
    jw_str(w, "type", type);
    jw_str(w, "action_id", slice_or(js_text(js_at(p->element, "action_id")), SL("Kx1")));
    jw_str(w, "block_id", slice_or(js_text(js_at(p->block, "block_id")), SL("b1")));
    if (slice_eq(type, SL("button"))) {
        jw_value(w, "text", js_at(p->element, "text"));
        if (js_at(p->element, "value"))
            jw_value(w, "value", js_at(p->element, "value"));
        if (js_at(p->element, "url"))
            jw_value(w, "url", js_at(p->element, "url"));
    } else if (many) {
        jw_open(w, "selected_options", '[');
        for (size_t i = 0; i < js_len(labels); i++)
            if (option_of(p->element, js_text(js_item(labels, i))))
                jw_value(w, NULL, option_of(p->element, js_text(js_item(labels, i))));
        if (!js_len(labels) && p->option)
            jw_value(w, NULL, p->option);
        jw_close(w, ']');
    } else if (p->option) {
        jw_value(w, "selected_option", p->option);
    }
    jw_str(w, "action_ts", ssk_ts(t->s, t->a));
    jw_close(w, '}');
}

static void send_action(struct act *t, const struct picked *p, const struct picked *state, const struct js *labels)
{
    struct jw w = payload_open(t, "block_actions");
    jw_open(&w, "container", '{');
    jw_str(&w, "type", SL("message"));
    jw_str(&w, "message_ts", slice_of(p->m->ts));
    jw_str(&w, "channel_id", slice_of(t->chat->id));
    jw_bool(&w, "is_ephemeral", false);
    jw_opt(&w, "thread_ts", slice_of(p->m->thread));
    jw_close(&w, '}');
    jw_raw(&w, "channel", arena_printf(t->a, "{\"id\":\"%s\",\"name\":\"%s\"}", t->chat->id, t->chat->guest ? "directmessage" : "care"));
    jw_raw(&w, "message", slice_of(p->m->json));
    jw_open(&w, "state", '{');
    jw_open(&w, "values", '{');
    if (state->element) {
        jw_open(&w, "b1", '{');
        jw_key(&w, js_text(js_at(state->element, "action_id")));
        put_element(t, &w, state, labels);
        jw_close(&w, '}');
    }
    jw_close(&w, '}');
    jw_close(&w, '}');
    jw_str(&w, "response_url", response_url(t, p->m));
    jw_open(&w, "actions", '[');
    put_element(t, &w, p, labels);
    jw_close(&w, ']');
    payload_close(t, &w);
}

/* "labels" chooses of a list of several; "label" then is the button beside it. */
static bool do_tap(struct act *t)
{
    const struct js *labels = js_at(t->what, "labels");
    struct picked p = find(t, sim_text(t->what, "label", "")), state = { 0 };
    if (js_len(labels))
        state = find(t, js_text(js_item(labels, 0)));
    if (!p.m && state.m)
        p = state;
    if (!p.m)
        return fault(t->f, "not_found", "label", "no button and no option with this label is shown");
    send_action(t, &p, &state, labels);
    return true;
}

static bool do_command(struct act *t)
{
    struct text form = text_new(t->a, 65536);
    const struct ssk_space *space = t->who->space;
    form_add(&form, SL("token"), SL("deprecated-verification-token"));
    form_add(&form, SL("api_app_id"), t->s->app);
    form_add(&form, SL("team_id"), slice_of(space->id));
    form_add(&form, SL("team_domain"), slice_of(space->domain));
    if (space->in_organisation) {
        form_add(&form, SL("enterprise_id"), SL(SSK_ENTERPRISE));
        form_add(&form, SL("enterprise_name"), SL(SSK_ENTERPRISE_NAME));
    }
    form_add(&form, SL("channel_id"), slice_of(t->chat->id));
    form_add(&form, SL("user_id"), slice_of(t->who->id));
    form_add(&form, SL("user_name"), slice_of(t->who->username));
    form_add(&form, SL("command"), sim_text(t->what, "command", "/care"));
    form_add(&form, SL("text"), sim_text(t->what, "text", ""));
    form_add(&form, SL("response_url"), arena_printf(t->a, SLF "/actions/none", SLA(t->s->env->base_url)));
    form_add(&form, SL("trigger_id"), new_trigger(t));
    form_add(&form, SL("is_enterprise_install"), space->whole ? SL("true") : SL("false"));
    ssk_form_send(t->s, slice_of(t->chat->id), text_slice(&form));
    return true;
}

static bool do_shortcut(struct act *t)
{
    bool message = slice_eq(sim_text(t->what, "type", ""), SL("message_action"));
    struct ssk_message *m = message ? newest(t, false) : NULL;
    if (message && !m)
        return fault(t->f, "not_found", "ts", "no message");
    struct jw w = payload_open(t, message ? "message_action" : "shortcut");
    jw_str(&w, "callback_id", sim_text(t->what, "callback_id", "ask"));
    if (m) {
        jw_raw(&w, "channel", arena_printf(t->a, "{\"id\":\"%s\",\"name\":\"directmessage\"}", t->chat->id));
        jw_str(&w, "message_ts", slice_of(m->ts));
        jw_raw(&w, "message", slice_of(m->json));
        jw_str(&w, "response_url", response_url(t, m));
    }
    payload_close(t, &w);
    return true;
}

/* ---- dialogs ---------------------------------------------------------------------------------------------------------------------------- */

static void view_answered(void *arg, int status, slice body)
{
    struct ssk_guest *g = arg;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice action = body.n ? js_text(js_at(js_parse(a, body, NULL), "response_action")) : SLICE_NONE;
    if (status == 200 && !slice_eq(action, SL("errors"))) /* errors keep it open */
        ssk_set(&g->view, SLICE_NONE);
    ssk_changed(g->space->sim);
}

static void put_input(struct act *t, struct jw *w, const struct js *block, slice said)
{
    const struct js *element = js_at(block, "element"), *option = option_of(element, said);
    slice type = js_text(js_at(element, "type"));
    (void)t;
    jw_key(w, js_text(js_at(block, "block_id")));
    jw_open(w, NULL, '{');
    jw_key(w, slice_or(js_text(js_at(element, "action_id")), SL("input")));
    jw_open(w, NULL, '{');
    jw_str(w, "type", type);
    if (option)
        jw_value(w, "selected_option", option);
    else if (slice_eq(type, SL("datepicker")))
        jw_str(w, "selected_date", said);
    else if (slice_eq(type, SL("timepicker")))
        jw_str(w, "selected_time", said);
    else if (said.p)
        jw_str(w, "value", said);
    else
        jw_null(w, "value");
    jw_close(w, '}');
    jw_close(w, '}');
}

static bool do_submit(struct act *t)
{
    const struct js *view = t->who->view ? js_parse(t->a, slice_of(t->who->view), NULL) : NULL, *blocks = js_at(view, "blocks");
    if (!view)
        return fault(t->f, "not_found", "", "no dialog is open");
    struct jw w = payload_open(t, "view_submission");
    jw_open(&w, "view", '{');
    for (void *it = js_first(view); it; it = js_next(view, it)) {
        jw_key(&w, js_key(view, it));
        jw_value(&w, NULL, js_value(it));
    }
    jw_open(&w, "state", '{');
    jw_open(&w, "values", '{');
    for (size_t i = 0; i < js_len(blocks); i++) {
        const struct js *block = js_item(blocks, i);
        if (slice_eq(js_text(js_at(block, "type")), SL("input")))
            put_input(t, &w, block, js_text(js_get(js_at(t->what, "values"), js_text(js_at(block, "block_id")))));
    }
    jw_close(&w, '}');
    jw_close(&w, '}');
    jw_close(&w, '}');
    jw_open(&w, "response_urls", '[');
    jw_close(&w, ']');
    jw_close(&w, '}');
    ssk_payload_send(t->s, slice_of(t->chat->id), jw_done(&w), view_answered, t->who);
    return true;
}

static bool do_close(struct act *t)
{
    if (!t->who->view)
        return fault(t->f, "not_found", "", "no dialog is open");
    const struct js *view = js_parse(t->a, slice_of(t->who->view), NULL);
    if (js_true(js_at(view, "notify_on_close"))) {
        struct jw w = payload_open(t, "view_closed");
        jw_value(&w, "view", view);
        jw_bool(&w, "is_cleared", false);
        payload_close(t, &w);
    }
    ssk_set(&t->who->view, SLICE_NONE);
    ssk_changed(t->s);
    return true;
}

/* clang-format off */
static const struct { slice type; bool (*fn)(struct act *t); } deeds[] = {
    { SLI("text"),     do_text },     { SLI("file"),     do_file },     { SLI("edit"),           do_edit },
    { SLI("unfurl"),   do_edit },     { SLI("delete"),   do_delete },   { SLI("react"),          do_react },
    { SLI("home"),     do_home },     { SLI("assistant"), do_assistant }, { SLI("join"),         do_join },
    { SLI("event"),    do_event },    { SLI("command"),  do_command },  { SLI("shortcut"),       do_shortcut },
    { SLI("message_action"), do_shortcut },
};
/* clang-format on */

static bool do_any(struct act *t)
{
    return SIM_DO(deeds, t);
}

/* ---- control routes --------------------------------------------------------------------------------------------------------------------- */

static void act(struct sim_call *c, struct ssk *s, bool (*fn)(struct act *t))
{
    struct fault f = { 0 };
    struct act t = { .s = s, .a = c->x->a, .f = &f, .who = ssk_guest_of(s, c->params[0]) };
    if (!t.who) {
        sim_refuse(c, 404, "not_found", "", "no such guest");
        return;
    }
    t.what = sim_object(c);
    if (!t.what)
        return;
    t.chat = slice_eq(sim_text(t.what, "in", ""), SL("channel")) ? &t.who->space->channel : &t.who->chat;
    if (fn(&t))
        sim_json(c, 200, arena_printf(t.a, "{\"ts\":\"" SLF "\"}", SLA(t.ts)));
    else
        sim_fault(c, 400, &f);
}

static void post_send(struct sim_call *c, void *ctx)
{
    act(c, ctx, do_any);
}

static void post_tap(struct sim_call *c, void *ctx)
{
    act(c, ctx, do_tap);
}

static void post_submit(struct sim_call *c, void *ctx)
{
    act(c, ctx, do_submit);
}

static void post_close(struct sim_call *c, void *ctx)
{
    act(c, ctx, do_close);
}

static void post_again(struct sim_call *c, void *ctx)
{
    ssk_event_again(ctx);
    sim_json(c, 200, SL("{}"));
}

static void put_guest(struct jw *w, const struct ssk_guest *g)
{
    int64_t left_ms = g->chat.typing_until_ms - time_mono_ms();
    jw_open(w, NULL, '{');
    jw_int(w, "number", (int64_t)g->number);
    jw_str(w, "id", slice_of(g->id));
    jw_str(w, "name", slice_of(g->name));
    jw_str(w, "workspace", slice_of(g->space->id));
    jw_str(w, "channel", slice_of(g->chat.id));
    jw_int(w, "typing_ms", MAX(left_ms, 0));
    if (g->view)
        jw_raw(w, "view", slice_of(g->view));
    jw_close(w, '}');
}

static void get_guests(struct sim_call *c, void *ctx)
{
    struct ssk *s = ctx;
    struct jw w = jw_new(c->x->a, 8 << 20);
    jw_open(&w, NULL, '{');
    jw_open(&w, "app", '{');
    jw_str(&w, "id", s->app);
    jw_str(&w, "hub", s->env->hub);
    jw_close(&w, '}');
    jw_open(&w, "workspaces", '[');
    for (size_t i = 0; i < SSK_WORKSPACES; i++) {
        const struct ssk_space *t = &s->spaces[i];
        jw_open(&w, NULL, '{');
        jw_str(&w, "id", slice_of(t->id));
        jw_str(&w, "name", slice_of(t->name));
        jw_bool(&w, "installed", t->token != NULL);
        jw_bool(&w, "whole", t->whole);
        jw_str(&w, "bot", slice_of(t->bot_user));
        jw_str(&w, "channel", slice_of(t->channel.id));
        jw_close(&w, '}');
    }
    jw_close(&w, ']');
    jw_open(&w, "guests", '[');
    for (size_t i = 0; i < SSK_WORKSPACES; i++)
        for (size_t k = 0; k < s->n_guests; k++)
            put_guest(&w, &s->spaces[i].guests[k]);
    jw_close(&w, ']');
    jw_close(&w, '}');
    sim_json(c, 200, jw_done(&w));
}

static void get_messages(struct sim_call *c, void *ctx)
{
    const struct ssk_guest *g = ssk_guest_of(ctx, c->params[0]);
    if (!g) {
        sim_refuse(c, 404, "not_found", "", "no such guest");
        return;
    }
    const struct ssk_chat *chat = slice_eq(exchange_query(c->x, "in"), SL("channel")) ? &g->space->channel : &g->chat;
    struct jw w = jw_new(c->x->a, 64 << 20);
    jw_open(&w, NULL, '{');
    jw_open(&w, "messages", '[');
    for (const struct ssk_message *m = chat->first; m; m = m->next)
        ssk_message_write(&w, m);
    jw_close(&w, ']');
    jw_close(&w, '}');
    sim_json(c, 200, jw_done(&w));
}

/* What an administrator's Retry does; the answer shows what the hub said. */
struct verifying {
    struct sim_call *c;
    slice challenge;
};

static void verified(void *arg, const struct webhook_result *r)
{
    struct verifying *v = arg;
    struct jw w = jw_new(v->c->x->a, 65536);
    jw_open(&w, NULL, '{');
    jw_int(&w, "status", r->status);
    jw_str(&w, "body", r->body);
    slice said = slice_starts(r->body, SL("{")) ? js_text(js_at(js_parse(v->c->x->a, r->body, NULL), "challenge")) : r->body; /* Slack reads both */
    jw_bool(&w, "good", r->status == 200 && slice_eq(said, v->challenge));
    jw_close(&w, '}');
    sim_json(v->c, 200, jw_done(&w));
}

static void send_plain(struct sim_call *c, struct ssk *s, slice type, slice body, slice challenge, bool sign)
{
    struct arena *a = c->x->a;
    struct verifying *v = ARENA_NEW(a, struct verifying);
    slice stamp = arena_printf(a, "%lld", (long long)(time_now_ms() / 1000));
    slice base = arena_printf(a, "v0:" SLF ":" SLF, SLA(stamp), SLA(body));
    const struct header headers[] = { { SL("Content-Type"), type },
                                      { SL("X-Slack-Request-Timestamp"), stamp },
                                      { SL("X-Slack-Signature"), arena_printf(a, "v0=" SLF, SLA(sign_hmac_sha256_hex(a, s->signing_secret, base))) } };
    *v = (struct verifying){ c, challenge };
    if (!s->env->hub.n) {
        sim_refuse(c, 409, "no_hub", "", "started without --hub");
        return;
    }
    webhook_send(s->env, &(struct webhook){ .url = arena_printf(a, SLF "/slack", SLA(s->env->hub)), .headers = headers, .n_headers = sign ? 3 : 1,
                                            .signature = sign ? 2 : -1, .body = body, .timeout_ms = SSK_HOOK_MS, .done = verified, .arg = v });
}

static void post_verify(struct sim_call *c, void *ctx)
{
    struct ssk *s = ctx;
    slice challenge = sim_random_hex(&s->env->random, c->x->a, 40);
    send_plain(c, s, SL("application/json"),
               arena_printf(c->x->a, "{\"token\":\"x\",\"challenge\":\"" SLF "\",\"type\":\"url_verification\"}", SLA(challenge)), challenge, true);
}

static void post_probe(struct sim_call *c, void *ctx)
{
    send_plain(c, ctx, SL("application/x-www-form-urlencoded"), SL("ssl_check=1&token=x"), SL(""), false);
}

static void post_limited(struct sim_call *c, void *ctx)
{
    struct ssk *s = ctx;
    ssk_raw_send(s, SLICE_NONE, SL("application/json"),
                 arena_printf(c->x->a, "{\"token\":\"x\",\"type\":\"app_rate_limited\",\"team_id\":\"%s\",\"minute_rate_limited\":%lld,\"api_app_id\":\"" SLF "\"}",
                              s->spaces[0].id, (long long)(time_now_ms() / 60000 * 60), SLA(s->app)), false);
    sim_json(c, 200, SL("{}"));
}

static struct ssk_space *space_of(struct sim_call *c, struct ssk *s)
{
    for (size_t i = 0; i < SSK_WORKSPACES; i++)
        if (slice_eq(c->params[0], slice_of(s->spaces[i].id)))
            return &s->spaces[i];
    sim_refuse(c, 404, "not_found", "", "no such workspace");
    return NULL;
}

static void post_uninstall(struct sim_call *c, void *ctx)
{
    struct ssk_space *space = space_of(c, ctx);
    if (!space)
        return;
    ssk_event_send(space, NULL, arena_printf(c->x->a, "{\"type\":\"tokens_revoked\",\"tokens\":{\"oauth\":[],\"bot\":[\"%s\"]}}", space->bot_user));
    ssk_event_send(space, NULL, SL("{\"type\":\"app_uninstalled\"}"));
    ssk_set(&space->token, SLICE_NONE);
    ssk_set(&space->refresh, SLICE_NONE);
    sim_json(c, 200, SL("{}"));
}

static void post_expire(struct sim_call *c, void *ctx)
{
    struct ssk_space *space = space_of(c, ctx);
    if (!space)
        return;
    space->until_ms = 1;
    sim_json(c, 200, SL("{}"));
}

static void get_counters(struct sim_call *c, void *ctx)
{
    struct ssk *s = ctx;
    sim_json(c, 200, arena_printf(c->x->a, "{\"calls\":%lld,\"events\":%lld,\"taken\":%lld,\"refused\":%lld,\"retried\":%lld,\"rotations\":%lld,\"misused\":%lld,\"webhooks\":" SLF "}", (long long)s->calls,
                                  (long long)s->events, (long long)s->taken, (long long)s->refused, (long long)s->retried, (long long)s->rotations, (long long)s->misused, SLA(webhooks_show(s->env->webhooks, c->x->a))));
}

static const struct sim_route routes[] = {
    { "GET", "/sim/guests", get_guests, SIM_CONTROL },
    { "POST", "/sim/guests/:guest/send", post_send, SIM_CONTROL },
    { "POST", "/sim/guests/:guest/tap", post_tap, SIM_CONTROL },
    { "POST", "/sim/guests/:guest/submit", post_submit, SIM_CONTROL },
    { "POST", "/sim/guests/:guest/close", post_close, SIM_CONTROL },
    { "POST", "/sim/guests/:guest/again", post_again, SIM_CONTROL },
    { "GET", "/sim/guests/:guest/messages", get_messages, SIM_CONTROL },
    { "POST", "/sim/verify", post_verify, SIM_CONTROL },
    { "POST", "/sim/probe", post_probe, SIM_CONTROL },
    { "POST", "/sim/rate-limited", post_limited, SIM_CONTROL },
    { "POST", "/sim/workspaces/:id/uninstall", post_uninstall, SIM_CONTROL },
    { "POST", "/sim/workspaces/:id/expire", post_expire, SIM_CONTROL },
    { "GET", "/sim/counters", get_counters, SIM_CONTROL },
};

void ssk_guest_routes(struct ssk *s)
{
    sim_routes(s->env, routes, COUNT(routes), s, NULL);
}
