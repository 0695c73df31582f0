/* slack_press.c - what members press: buttons, lists, commands, shortcuts and dialogs, and the request each of it makes. */
#include "sim/shelf.h"
#include "sim/slack.h"
#include "wire/url.h"

/* ---- interactivity ------------------------------------------------------------------------------------------------------------------ */

static slice new_trigger(struct ssk_deed *t)
{
    slice id = arena_printf(t->a, "123.456." SLF, SLA(sim_random_hex(&t->s->env->random, t->a, 16)));
    struct ssk_trigger *trigger = must_malloc(sizeof(*trigger));
    *trigger = (struct ssk_trigger){ t->who, time_mono_ms() + SSK_TRIGGER_MS };
    shelf_put(t->s->triggers, id, trigger, time_mono_ms());
    return id;
}

static struct jw payload_open(struct ssk_deed *t, const char *type)
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

static void payload_close(struct ssk_deed *t, struct jw *w)
{
    jw_close(w, '}');
    ssk_payload_send(t->s, slice_of(t->chat->id), jw_done(w), NULL, NULL);
}

static slice response_url(struct ssk_deed *t, const struct ssk_message *m)
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
static struct picked find(struct ssk_deed *t, slice label)
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

static void put_element(struct ssk_deed *t, struct jw *w, const struct picked *p, const struct js *labels)
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

static void send_action(struct ssk_deed *t, const struct picked *p, const struct picked *state, const struct js *labels)
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
bool ssk_do_tap(struct ssk_deed *t)
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

bool ssk_do_command(struct ssk_deed *t)
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

bool ssk_do_shortcut(struct ssk_deed *t)
{
    bool message = slice_eq(sim_text(t->what, "type", ""), SL("message_action"));
    struct ssk_message *m = message ? ssk_newest(t, false) : NULL;
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

static void put_input(struct ssk_deed *t, struct jw *w, const struct js *block, slice said)
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

bool ssk_do_submit(struct ssk_deed *t)
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

bool ssk_do_close(struct ssk_deed *t)
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
