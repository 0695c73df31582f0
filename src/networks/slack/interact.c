/* Buttons, lists, dialogs, shortcuts, commands: "Interactivity". Answered within 3 s, so what has to be called for them is asked at once (inbox_ask). */
#include "networks/slack/wire.h"
#include "wire/url.h"

struct interaction {
    slice type, app, user, user_name, team, user_team, enterprise, installed_team, message_team;
    slice container, channel, container_channel, message_ts, container_ts, thread, container_thread;
    slice trigger, response_url, callback, private_metadata, view;
    bool whole;
    const struct js *doc, *actions;
};
/* clang-format off */
static const struct js_field interaction_fields[] = {
    JS_FIELD(struct interaction, type,              "type",                       JS_STR,  JS_REQ),
    JS_FIELD(struct interaction, app,               "api_app_id",                 JS_STR,  0),
    JS_FIELD(struct interaction, user,              "user.id",                    JS_STR,  JS_REQ),
    JS_FIELD(struct interaction, user_name,         "user.name",                  JS_STR,  0),
    JS_FIELD(struct interaction, team,              "team.id",                    JS_STR,  0),
    JS_FIELD(struct interaction, user_team,         "user.team_id",               JS_STR,  0),
    JS_FIELD(struct interaction, enterprise,        "enterprise.id",              JS_STR,  0),
    JS_FIELD(struct interaction, installed_team,    "view.app_installed_team_id", JS_STR,  0),
    JS_FIELD(struct interaction, message_team,      "message.team",               JS_STR,  0),
    JS_FIELD(struct interaction, container,         "container.type",             JS_STR,  0),
    JS_FIELD(struct interaction, channel,           "channel.id",                 JS_STR,  0),
    JS_FIELD(struct interaction, container_channel, "container.channel_id",       JS_STR,  0),
    JS_FIELD(struct interaction, message_ts,        "message.ts",                 JS_STR,  0),
    JS_FIELD(struct interaction, container_ts,      "container.message_ts",       JS_STR,  0),
    JS_FIELD(struct interaction, thread,            "message.thread_ts",          JS_STR,  0),
    JS_FIELD(struct interaction, container_thread,  "container.thread_ts",        JS_STR,  0),
    JS_FIELD(struct interaction, trigger,           "trigger_id",                 JS_STR,  0),
    JS_FIELD(struct interaction, response_url,      "response_url",               JS_STR,  0),
    JS_FIELD(struct interaction, callback,          "callback_id",                JS_STR,  0),
    JS_FIELD(struct interaction, private_metadata,  "view.private_metadata",      JS_STR,  0),
    JS_FIELD(struct interaction, view,              "view.id",                    JS_STR,  0),
    JS_FIELD(struct interaction, whole,             "is_enterprise_install",      JS_BOOL, 0),
    JS_FIELD(struct interaction, actions,           "actions",                    JS_ANY,  0),
};
/* clang-format on */
#define METADATA "dragoman " /* before the guest, in the private_metadata of dialogs we open */

struct taking {
    struct slack_event e;
    struct interaction t;
};

static bool ignore(struct taking *tk, const char *rule)
{
    inbox_ignore(tk->e.in, rule, SLICE_NONE);
    return true;
}

/* ---- where it belongs ------------------------------------------------------------------------------------------------- */

static struct message *add(struct taking *tk, enum kind kind, slice id)
{
    struct interaction *t = &tk->t;
    int64_t ms;
    slice channel = slice_or(t->container_channel, t->channel);
    slice ts = slice_or(t->container_ts, t->message_ts), thread = slice_or(t->container_thread, t->thread);
    if (!slack_id_ok(channel) || !slack_ts_ms(ts, &ms)) /* without a message there is no thread: between the user and us */
        channel = SLICE_NONE;
    if (!slack_ts_ms(thread, &ms))
        thread = ts;
    struct message *m = slack_add(&tk->e, kind, t->user, channel, thread);
    m->id = id;
    slice guest = slice_starts(t->private_metadata, SL(METADATA)) ? slice_from(t->private_metadata, strlen(METADATA)) : SLICE_NONE;
    if (guest.n && slice_eq(slack_guest_of(guest).install, tk->e.install)) /* the dialog was opened from there */
        m->guest = guest;
    if (channel.n)
        m->reply_to = arena_printf(tk->e.c->a, SLF ":" SLF, SLA(channel), SLA(ts)); /* `of` would have to be the desk's id of it */
    return m;
}

/* ---- values: "Interactivity", the table ---------------------------------------------------------------------------------- */

static void put_comma(struct text *t, slice s)
{
    text_add(t, "%s" SLF, t->n ? ", " : "", SLA(s));
}

/* What was entered or chosen: as an id, and as a person reads it. */
struct value {
    struct text id, label;
};

static void add_option(struct value *v, const struct js *option)
{
    slice id = js_text(js_at(option, "value"));
    put_comma(&v->id, id);
    put_comma(&v->label, slice_or(js_text(js_at(option, "text.text")), id));
}

static void add_word(struct value *v, slice word)
{
    put_comma(&v->id, word);
    put_comma(&v->label, word);
}

static struct value value_of(struct arena *a, const struct js *action)
{
    static const char *const words[] = { "selected_user", "selected_channel", "selected_conversation", "selected_date", "selected_time" };
    static const char *const lists[] = { "selected_users", "selected_channels", "selected_conversations" };
    enum { VALUE_BYTES = 16384 };
    struct value v = { text_new(a, VALUE_BYTES), text_new(a, VALUE_BYTES) };
    const struct js *one = js_at(action, "selected_option"), *many = js_at(action, "selected_options"), *rich = js_at(action, "rich_text_value");
    int64_t at_s;
    if (js_is_object(one))
        add_option(&v, one);
    for (size_t i = 0; i < js_len(many); i++)
        add_option(&v, js_item(many, i));
    for (size_t i = 0; i < COUNT(words); i++)
        if (js_text(js_at(action, words[i])).n)
            add_word(&v, js_text(js_at(action, words[i])));
    for (size_t i = 0; i < COUNT(lists); i++)
        for (size_t k = 0; k < js_len(js_at(action, lists[i])); k++)
            add_word(&v, js_text(js_item(js_at(action, lists[i]), k)));
    if (js_int(js_at(action, "selected_date_time"), &at_s) && at_s >= 0 && at_s <= TIME_MAX_MS / 1000)
        add_word(&v, time_rfc3339(a, at_s * 1000));
    if (js_is_object(rich))
        add_word(&v, js_print(a, rich));
    for (size_t i = 0; i < js_len(js_at(action, "files")); i++)
        add_word(&v, js_text(js_at(js_item(js_at(action, "files"), i), "id")));
    if (js_text(js_at(action, "value")).n) {
        put_comma(&v.id, js_text(js_at(action, "value")));
        put_comma(&v.label, slice_or(js_text(js_at(action, "text.text")), js_text(js_at(action, "value"))));
    }
    if (!v.label.n)
        put_comma(&v.label, slice_or(js_text(js_at(action, "text.text")), text_slice(&v.id)));
    if (!v.id.n)
        put_comma(&v.id, text_slice(&v.label));
    return v;
}

/* ---- what is called at once ------------------------------------------------------------------------------------------------- */

/* {"url","body"}: shows in place of our buttons which of them was taken. */
static enum outcome replace(struct call *c, struct delivery *d)
{
    if (d->last)
        return d->last->status == 200 ? OUT_DELIVERED : answer_outcome(c, d, "response_url");
    const struct js *doc = js_parse(c->a, d->keep, NULL);
    d->call.method = "POST";
    d->call.url = js_text(js_at(doc, "url"));
    d->call.type = SL("application/json; charset=utf-8");
    d->call.body = js_print(c->a, js_at(doc, "body"));
    d->call.no_token = true;
    d->call.repeatable = true;
    return OUT_CALL;
}

enum open_step { OPEN_BEGIN, OPEN_VIEW, OPEN_NOTICE };

/* Nothing opens: the guest, who waits for it, is told. */
static enum outcome not_opened(struct call *c, struct delivery *d, slice response_url)
{
    if (!response_url.n)
        return refuse(c, d, REASON_INVALID, "there is no dialog of this name, or it was too late for it");
    d->step = OPEN_NOTICE;
    d->call.method = "POST";
    d->call.url = response_url;
    d->call.type = SL("application/json; charset=utf-8");
    d->call.body = SL("{\"response_type\":\"ephemeral\",\"replace_original\":false,\"text\":\"This form cannot be opened (any more). Please write instead.\"}");
    d->call.no_token = true;
    return OUT_CALL;
}

/* INSTALL, GUEST, NAME, RESPONSE_URL and TRIGGER in lines: opens the dialog that came with a message of the agent's, or is a canned response. */
static enum outcome open_view(struct call *c, struct delivery *d)
{
    slice trigger = d->keep, install = slice_cut(&trigger, '\n'), guest = slice_cut(&trigger, '\n'), name = slice_cut(&trigger, '\n');
    slice response_url = slice_cut(&trigger, '\n');
    if (d->last && d->step == OPEN_NOTICE)
        return refuse(c, d, REASON_INVALID, "there is no dialog of this name, or it was too late for it; the guest was told");
    if (d->last)
        return slack_answer_of(c->a, d->last).doc ? OUT_DELIVERED : not_opened(c, d, response_url);
    d->step = OPEN_VIEW;
    slice view = memory_get(c->guest_memory, arena_printf(c->a, "view:" SLF, SLA(name)).p, c->now_ms);
    const struct js *doc = view.n ? js_parse(c->a, arena_dup(c->a, view), NULL) : slack_dialog(c, name);
    if (!js_is_object(doc))
        return not_opened(c, d, response_url);
    struct jw w = jw_new(c->a, SLACK_BODY_BYTES);
    jw_open(&w, NULL, '{');
    jw_str(&w, "trigger_id", trigger);
    jw_open(&w, "view", '{');
    for (void *it = js_first(doc); it; it = js_next(doc, it)) {
        jw_key(&w, js_key(doc, it));
        jw_value(&w, NULL, js_value(it));
    }
    if (!js_at(doc, "private_metadata"))
        jw_str(&w, "private_metadata", arena_printf(c->a, METADATA SLF, SLA(guest)));
    jw_close(&w, '}');
    jw_close(&w, '}');
    slack_api(c, d, "views.open", install, jw_done(&w));
    d->call.rate = SLACK_RATE_TIER4;
    return OUT_CALL;
}

/* The address is Slack's, or the simulator's that plays it. */
static bool is_slacks(struct call *c, slice url)
{
    struct url u, base;
    if (!url_parse(c->a, url, &u, NULL))
        return false;
    if (slice_eq(u.scheme, SL("https")) && host_in_domain(u.host, SL("slack.com")))
        return true;
    return url_parse(c->a, setting(c, SLACK_BASE_URL), &base, NULL) && url_same_origin(&u, &base);
}

static bool is_ours(const struct js *element)
{
    return slice_starts(js_text(js_at(element, "action_id")), SL(SLACK_OWN));
}

static bool holds_ours(const struct js *block)
{
    const struct js *elements = js_at(block, "elements");
    bool ours = is_ours(js_at(block, "accessory"));
    for (size_t i = 0; i < js_len(elements); i++)
        ours |= is_ours(js_item(elements, i));
    return ours;
}

static void put_context(struct jw *w, slice label)
{
    jw_open(w, NULL, '{');
    jw_str(w, "type", SL("context"));
    jw_open(w, "elements", '[');
    jw_open(w, NULL, '{');
    jw_str(w, "type", SL("plain_text"));
    jw_str(w, "text", utf8_cut(label, SLACK_HEADER_CHARS));
    jw_close(w, '}');
    jw_close(w, ']');
    jw_close(w, '}');
}

/* Our question without its buttons, and what was answered. */
static void ask_replace(struct taking *tk, slice label)
{
    struct call *c = tk->e.c;
    const struct js *blocks = js_at(tk->t.doc, "message.blocks");
    if (!tk->t.response_url.n || !js_len(blocks) || !is_slacks(c, tk->t.response_url))
        return;
    struct jw w = jw_new(c->a, SLACK_RESPONSE_BYTES);
    jw_open(&w, NULL, '{');
    jw_str(&w, "url", tk->t.response_url);
    jw_open(&w, "body", '{');
    jw_bool(&w, "replace_original", true);
    jw_str(&w, "text", js_text(js_at(tk->t.doc, "message.text")));
    jw_open(&w, "blocks", '[');
    for (size_t i = 0; i < js_len(blocks); i++) {
        const struct js *block = js_item(blocks, i);
        if (!holds_ours(block)) {
            jw_value(&w, NULL, block);
            continue;
        }
        if (js_at(block, "text")) { /* its text stays */
            jw_open(&w, NULL, '{');
            jw_str(&w, "type", SL("section"));
            jw_value(&w, "text", js_at(block, "text"));
            jw_close(&w, '}');
        }
    }
    put_context(&w, arena_printf(c->a, "\xe2\x9c\x93 " SLF, SLA(label)));
    jw_close(&w, ']');
    jw_close(&w, '}');
    jw_close(&w, '}');
    slice data = jw_done(&w);
    if (data.p)
        inbox_ask(tk->e.in, replace, data, NULL);
}

/* ---- the kinds ----------------------------------------------------------------------------------------------------------------- */

slice slack_dialog_of(const struct call *c, slice member, slice value)
{
    if (slice_eq(member, SL("action_id")))
        return slice_starts(value, SL(SLACK_OPENS)) ? slice_from(value, strlen(SLACK_OPENS)) : SLICE_NONE;
    bool may = slice_eq(member, SL("value")) && slice_starts(slice_trim(value), SL("{"));
    return may ? js_text(js_at(js_parse(c->a, value, NULL), "cannedResponse")) : SLICE_NONE;
}

static slice dialog_of(struct call *c, const struct js *action)
{
    slice by_id = slack_dialog_of(c, SL("action_id"), js_text(js_at(action, "action_id")));
    return by_id.n ? by_id : slack_dialog_of(c, SL("value"), js_text(js_at(action, "value")));
}

static slice action_id(struct taking *tk, const struct js *action, size_t i)
{
    slice ts = slice_or(tk->t.container_ts, tk->t.view), at = slice_or(js_text(js_at(action, "action_ts")), tk->t.trigger);
    return arena_printf(tk->e.c->a, "action:" SLF ":" SLF ":" SLF ":%zu", SLA(ts), SLA(at), SLA(tk->t.user), i);
}

/* All that was taken of a list of several, when its button says that it is done. */
static struct value taken_of(struct taking *tk)
{
    const struct js *blocks = js_at(tk->t.doc, "state.values");
    for (void *it = js_first(blocks); it; it = js_next(blocks, it)) {
        const struct js *many = js_get(js_value(it), SL(SLACK_OWN_MANY));
        if (many)
            return value_of(tk->e.c->a, many);
    }
    return value_of(tk->e.c->a, NULL);
}

static bool on_action(struct taking *tk, const struct js *action, size_t i)
{
    slice id = js_text(js_at(action, "action_id")), dialog = dialog_of(tk->e.c, action);
    if (!js_is_object(action))
        return fault(tk->e.c->f, "wrong_type", "actions", "must be objects");
    if (slice_eq(id, SL(SLACK_OWN_MANY)))
        return ignore(tk, "not-done-yet");
    if (js_text(js_at(action, "url")).n)
        return ignore(tk, "link-opened");
    if (dialog.n && tk->t.trigger.n && slice_find_char(dialog, '\n') == SIZE_MAX) {
        struct message *m = add(tk, KIND_EVENT, action_id(tk, action, i));
        m->event = EVENT_OTHER;
        m->name = SL("dialog_wanted");
        slice back = is_slacks(tk->e.c, tk->t.response_url) && slice_find_char(tk->t.response_url, '\n') == SIZE_MAX ? tk->t.response_url : SLICE_NONE;
        inbox_ask(tk->e.in, open_view, arena_printf(tk->e.c->a, SLF "\n" SLF "\n" SLF "\n" SLF "\n" SLF, SLA(tk->e.install), SLA(m->guest), SLA(dialog),
                                                    SLA(back), SLA(tk->t.trigger)), NULL);
        return true;
    }
    struct value v = slice_eq(id, SL(SLACK_OWN_DONE)) ? taken_of(tk) : value_of(tk->e.c->a, action);
    if (!v.id.n && slice_eq(id, SL(SLACK_OWN_DONE)))
        return ignore(tk, "not-done-yet");
    if (!v.id.n && !slice_eq(js_text(js_at(action, "type")), SL("button")))
        return ignore(tk, "nothing-chosen");
    struct message *m = add(tk, KIND_ANSWER, action_id(tk, action, i));
    m->payload = slice_or(text_slice(&v.id), id);
    m->text = slice_or(text_slice(&v.label), m->payload);
    if (is_ours(action))
        ask_replace(tk, m->text);
    return true;
}

static bool on_actions(struct taking *tk)
{
    size_t n = js_len(tk->t.actions);
    if (!js_is_array(tk->t.actions) || !n)
        return fault(tk->e.c->f, "missing_field", "actions", "is required");
    for (size_t i = 0; i < n; i++)
        if (!on_action(tk, js_item(tk->t.actions, i), i))
            return false;
    return true;
}

/* The label of a field, by its block. */
static slice label_of(const struct taking *tk, slice block)
{
    const struct js *blocks = js_at(tk->t.doc, "view.blocks");
    for (size_t i = 0; i < js_len(blocks); i++)
        if (slice_eq(js_text(js_at(js_item(blocks, i), "block_id")), block))
            return slice_or(js_text(js_at(js_item(blocks, i), "label.text")), block);
    return block;
}

/* A dialog was sent: a map of its fields, and lines for people. */
static bool on_submission(struct taking *tk)
{
    struct call *c = tk->e.c;
    const struct js *blocks = js_at(tk->t.doc, "view.state.values");
    struct jw w = jw_new(c->a, SLACK_RESPONSE_BYTES);
    struct text lines = text_new(c->a, SLACK_RESPONSE_BYTES);
    jw_open(&w, NULL, '{');
    for (void *b = js_first(blocks); b; b = js_next(blocks, b)) {
        const struct js *block = js_value(b);
        slice name = js_key(blocks, b);
        for (void *it = js_first(block); it; it = js_next(block, it)) {
            struct value v = value_of(c->a, js_value(it));
            jw_key(&w, js_len(block) > 1 ? arena_printf(c->a, SLF "." SLF, SLA(name), SLA(js_key(block, it))) : name);
            jw_str(&w, NULL, text_slice(&v.id));
            text_add(&lines, "%s" SLF ": " SLF, lines.n ? "\n" : "", SLA(label_of(tk, name)), SLA(text_slice(&v.label)));
        }
    }
    jw_close(&w, '}');
    slice hash = js_text(js_at(tk->t.doc, "view.hash"));
    struct message *m = add(tk, KIND_ANSWER, arena_printf(c->a, "view:" SLF ":" SLF, SLA(tk->t.view), SLA(slice_or(hash, tk->t.trigger))));
    m->payload = jw_done(&w);
    m->text = slice_or(text_slice(&lines), slice_or(js_text(js_at(tk->t.doc, "view.callback_id")), SL("submitted")));
    m->name = js_text(js_at(tk->t.doc, "view.callback_id"));
    return true; /* the empty 200 closes it */
}

static bool on_closed(struct taking *tk)
{
    struct message *m = add(tk, KIND_EVENT, arena_printf(tk->e.c->a, "closed:" SLF, SLA(tk->t.view)));
    m->event = EVENT_OTHER;
    m->name = SL("view_closed");
    return true;
}

static bool on_suggestion(struct taking *tk)
{
    inbox_answer(tk->e.in, 200, SL("application/json"), SL("{\"options\":[]}")); /* no list of ours is asked for */
    return ignore(tk, "suggestion");
}

static bool on_shortcut(struct taking *tk)
{
    slice text = js_text(js_at(tk->t.doc, "message.text"));
    slice id = slice_or(tk->t.trigger, slice_or(js_text(js_at(tk->t.doc, "action_ts")), tk->t.callback));
    struct message *m = add(tk, KIND_ANSWER, arena_printf(tk->e.c->a, "shortcut:" SLF, SLA(id)));
    m->payload = slice_or(tk->t.callback, tk->t.type);
    m->text = text.n ? slack_read_text(tk->e.c, &tk->e.own, text).text : m->payload;
    return true;
}

/* Buttons in the attachments of old: name and value. */
static bool on_attachment_action(struct taking *tk)
{
    const struct js *action = js_item(tk->t.actions, 0), *picked = js_at(action, "selected_options.0");
    slice value = slice_or(js_text(js_at(picked, "value")), slice_or(js_text(js_at(action, "value")), js_text(js_at(action, "name"))));
    if (!value.n)
        return fault(tk->e.c->f, "missing_field", "actions", "is required");
    slice ts = js_text(js_at(tk->t.doc, "message_ts")), at = js_text(js_at(tk->t.doc, "action_ts"));
    tk->t.container_ts = slice_or(tk->t.container_ts, ts);
    tk->t.container_channel = slice_or(tk->t.container_channel, tk->t.channel);
    struct message *m = add(tk, KIND_ANSWER, arena_printf(tk->e.c->a, "action:" SLF ":" SLF ":" SLF, SLA(ts), SLA(at), SLA(tk->t.user)));
    m->payload = value;
    m->text = value;
    return true;
}

static bool on_old_dialog(struct taking *tk)
{
    const struct js *fields = js_at(tk->t.doc, "submission");
    struct text lines = text_new(tk->e.c->a, SLACK_RESPONSE_BYTES);
    if (!js_is_object(fields))
        return fault(tk->e.c->f, "missing_field", "submission", "is required");
    for (void *it = js_first(fields); it; it = js_next(fields, it))
        text_add(&lines, "%s" SLF ": " SLF, lines.n ? "\n" : "", SLA(js_key(fields, it)), SLA(js_text(js_value(it))));
    struct message *m = add(tk, KIND_ANSWER, arena_printf(tk->e.c->a, "dialog:" SLF ":" SLF, SLA(js_text(js_at(tk->t.doc, "action_ts"))), SLA(tk->t.user)));
    m->payload = js_print(tk->e.c->a, fields);
    m->text = slice_or(text_slice(&lines), SL("submitted"));
    return true;
}

/* clang-format off */
static const struct { const char *type; bool (*on)(struct taking *tk); } kinds[] = { /* "Interactivity" */
    { "block_actions",       on_actions },
    { "view_submission",     on_submission },
    { "view_closed",         on_closed },
    { "block_suggestion",    on_suggestion },
    { "shortcut",            on_shortcut },
    { "message_action",      on_shortcut },
    { "interactive_message", on_attachment_action },
    { "dialog_submission",   on_old_dialog },
};
/* clang-format on */

bool slack_interaction(struct call *c, slice json, struct inbox *in)
{
    struct taking tk = { .e = { .c = c, .in = in } };
    struct interaction *t = &tk.t;
    t->doc = js_parse(c->a, json, c->f);
    if (!t->doc || !js_read(c->a, t->doc, interaction_fields, COUNT(interaction_fields), t, c->f))
        return false;
    if (t->app.n && !slice_eq(t->app, setting(c, SLACK_APP_ID)))
        return ignore(&tk, "foreign-app");
    if (!slack_id_ok(t->user))
        return fault(c->f, "wrong_type", "user.id", "has another form");
    /* The team may be absent (organisations) or the guest's own (shared channels): whichever of them let us in. */
    const slice ids[] = { t->installed_team, t->whole ? t->enterprise : SLICE_NONE, t->team, t->user_team, t->message_team, t->enterprise };
    tk.e.team = slice_or(t->team, t->user_team);
    tk.e.enterprise = t->enterprise;
    slack_event_install(&tk.e, ids, COUNT(ids));
    if (!tk.e.install.n)
        return ignore(&tk, "no-workspace");
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (slice_eq(t->type, slice_of(kinds[i].type)))
            return kinds[i].on(&tk);
    return ignore(&tk, "unknown-interaction");
}

/* ---- slash commands: "Commands" ---------------------------------------------------------------------------------------------------- */

bool slack_command(struct call *c, slice body, struct inbox *in)
{
    struct form form;
    struct slack_event e = { .c = c, .in = in };
    if (!form_parse(c->a, body, &form, c->f))
        return false;
    slice user = form_value(&form, SL("user_id")), command = form_value(&form, SL("command")), text = slice_trim(form_value(&form, SL("text")));
    bool whole = slice_eq(form_value(&form, SL("is_enterprise_install")), SL("true"));
    if (!slack_id_ok(user))
        return fault(c->f, user.p ? "wrong_type" : "missing_field", "user_id", "is required");
    e.team = form_value(&form, SL("team_id"));
    e.enterprise = form_value(&form, SL("enterprise_id"));
    const slice ids[] = { whole ? e.enterprise : e.team, e.team, e.enterprise };
    slack_event_install(&e, ids, COUNT(ids));
    if (!e.install.n) {
        inbox_ignore(in, "no-workspace", SLICE_NONE);
        return true;
    }
    e.id = arena_printf(c->a, "command:" SLF, SLA(form_value(&form, SL("trigger_id"))));
    /* Wherever it was typed, only its author sees it: it belongs between the author and us. */
    struct message *m = slack_add(&e, KIND_ANSWER, user, SLICE_NONE, SLICE_NONE);
    m->payload = arena_printf(c->a, SLF "%s" SLF, SLA(command), text.n ? " " : "", SLA(text));
    m->text = slice_or(text, m->payload);
    return true;
}
