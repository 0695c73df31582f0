/* teams_press.c - what pressing a button does: sections "Cards", "Card replies", "Invokes", "Dialogs". */
#include "sim/teams.h"

/* ---- finding the button ------------------------------------------------------------------------------------------------------------ */

/* The action or button of this title, anywhere in a card. */
static const struct js *titled(const struct js *v, slice label)
{
    if (js_is_object(v)) {
        if (slice_eq(js_text(js_at(v, "title")), label) && js_text(js_at(v, "type")).n && !js_at(v, "body"))
            return v;
        for (void *it = js_first(v); it; it = js_next(v, it)) {
            const struct js *found = titled(js_value(it), label);
            if (found)
                return found;
        }
    }
    for (size_t i = 0; js_is_array(v) && i < js_len(v); i++) {
        const struct js *found = titled(js_item(v, i), label);
        if (found)
            return found;
    }
    return NULL;
}

static const struct js *find_button(struct stm_deed *d, slice label, const struct stm_message **ret)
{
    const struct js *found = NULL;
    for (const struct stm_message *m = d->chat->first; m; m = m->next) {
        const struct js *doc = m->who ? NULL : js_parse(d->a, slice_of(m->json), NULL);
        const struct js *attachments = js_at(doc, "attachments"), *b = NULL;
        for (size_t i = 0; i < js_len(attachments) && !b; i++)
            b = titled(js_at(js_item(attachments, i), "content"), label);
        if (!b)
            b = titled(js_at(doc, "suggestedActions"), label);
        if (b) {
            found = b;
            *ret = m;
        }
    }
    return found;
}

/* ---- what comes of it -------------------------------------------------------------------------------------------------------------- */

/* The action's data with the inputs of the card. */
static slice merged(struct stm_deed *d, const struct js *data)
{
    const struct js *inputs = js_at(d->what, "inputs");
    struct jw w = jw_new(d->a, 1 << 20);
    if (js_is_string(data)) /* then the inputs are lost */
        return js_print(d->a, data);
    jw_open(&w, NULL, '{');
    for (void *it = js_first(data); it; it = js_next(data, it))
        if (!js_get(inputs, js_key(data, it))) {
            jw_key(&w, js_key(data, it));
            jw_value(&w, NULL, js_value(it));
        }
    for (void *it = js_first(inputs); it; it = js_next(inputs, it)) {
        jw_key(&w, js_key(inputs, it));
        jw_value(&w, NULL, js_value(it));
    }
    jw_close(&w, '}');
    return jw_done(&w);
}

static bool message_back(struct stm_deed *d, const struct js *b, const struct stm_message *of)
{
    slice text = js_text(js_at(b, "text")), shown = js_text(js_at(b, "displayText")), thread = slice_of(of->thread);
    struct jw w = stm_open(d, "message", thread);
    jw_opt(&w, "text", text);
    if (js_at(b, "value"))
        jw_value(&w, "value", js_at(b, "value"));
    jw_str(&w, "replyToId", slice_of(of->id));
    if (shown.n) { /* stands in the chat as if it had been written */
        struct jw m = stm_open(d, "message", thread);
        jw_str(&m, "text", shown);
        jw_close(&m, '}');
        stm_message_add(d->chat, d->who->number, d->id, thread, jw_done(&m), SLICE_NONE);
    }
    return stm_post(d, &w, thread, false);
}

static bool invoke(struct stm_deed *d, const char *name, slice value, const struct stm_message *of)
{
    struct jw w = stm_open(d, "invoke", of ? slice_of(of->thread) : SLICE_NONE);
    if (name)
        jw_str(&w, "name", slice_of(name));
    jw_raw(&w, "value", value);
    if (of)
        jw_str(&w, "replyToId", slice_of(of->id));
    jw_open(&w, "channelData", '{');
    jw_open(&w, "tenant", '{');
    jw_str(&w, "id", d->s->tenant);
    jw_close(&w, '}');
    jw_close(&w, '}');
    jw_close(&w, '}');
    stm_activity_send(d->chat, jw_done(&w), STM_INVOKE, d->forge);
    return true;
}

static bool submit(struct stm_deed *d, const struct js *b, const struct stm_message *of)
{
    const struct js *data = js_at(b, "data"), *teams = js_at(data, "msteams");
    slice how = js_text(js_at(teams, "type"));
    if (slice_eq(how, SL("messageBack")))
        return message_back(d, teams, of);
    if (slice_eq(how, SL("imBack")))
        return stm_say(d, js_text(js_at(teams, "value")), slice_of(of->thread));
    if (slice_eq(how, SL("task/fetch")))
        return invoke(d, "task/fetch", arena_printf(d->a, "{\"data\":" SLF ",\"context\":{\"theme\":\"default\"}}", SLA(merged(d, data))), of);
    struct jw w = stm_open(d, "message", slice_of(of->thread));
    jw_raw(&w, "value", merged(d, data));
    jw_str(&w, "replyToId", slice_of(of->id));
    return stm_post(d, &w, slice_of(of->thread), false);
}

static bool execute(struct stm_deed *d, const struct js *b, const struct stm_message *of)
{
    struct jw w = jw_new(d->a, 1 << 20);
    jw_open(&w, NULL, '{');
    jw_open(&w, "action", '{');
    jw_str(&w, "type", SL("Action.Execute"));
    jw_opt(&w, "id", js_text(js_at(b, "id")));
    jw_opt(&w, "verb", js_text(js_at(b, "verb")));
    jw_raw(&w, "data", merged(d, js_at(b, "data")));
    jw_close(&w, '}');
    jw_str(&w, "trigger", SL("manual"));
    jw_close(&w, '}');
    return invoke(d, "adaptiveCard/action", jw_done(&w), of);
}

bool stm_press(struct stm_deed *d)
{
    slice label = js_text(js_at(d->what, "label"));
    const struct stm_message *of = NULL;
    const struct js *b = find_button(d, label, &of);
    if (!b)
        return fault(d->f, "not_found", "label", "no button of this label is shown");
    slice type = js_text(js_at(b, "type"));
    if (slice_eq(type, SL("imBack")))
        return stm_say(d, js_text(js_at(b, "value")), slice_of(of->thread));
    if (slice_eq(type, SL("messageBack")))
        return message_back(d, b, of);
    if (slice_eq(type, SL("invoke")))
        return invoke(d, NULL, js_print(d->a, js_at(b, "value")), of);
    if (slice_eq(type, SL("Action.Submit")))
        return submit(d, b, of);
    if (slice_eq(type, SL("Action.Execute")))
        return execute(d, b, of);
    return true; /* openUrl and its like: the bot does not hear of it */
}

/* ---- files and dialogs -------------------------------------------------------------------------------------------------------------- */

#define CONSENT "application/vnd.microsoft.teams.card.file.consent"

bool stm_consent(struct stm_deed *d)
{
    const struct stm_message *of = NULL;
    const struct js *card = NULL;
    bool accept = js_true(js_at(d->what, "accept"));
    for (const struct stm_message *m = d->chat->first; m; m = m->next) {
        const struct js *att = js_at(js_parse(d->a, slice_of(m->json), NULL), "attachments.0");
        if (slice_eq(js_text(js_at(att, "contentType")), SL(CONSENT))) {
            of = m;
            card = att;
        }
    }
    int64_t size = 0;
    if (!of || !js_int(js_at(card, "content.sizeInBytes"), &size) || size <= 0 || size > STM_FILE_BYTES_MAX)
        return fault(d->f, "not_found", "", "nobody asks whether to take a file");
    slice name = js_text(js_at(card, "name")), base = d->s->env->base_url;
    struct jw w = jw_new(d->a, 16 << 10);
    jw_open(&w, NULL, '{');
    jw_str(&w, "type", SL("fileUpload"));
    jw_str(&w, "action", accept ? SL("accept") : SL("decline"));
    jw_value(&w, "context", js_at(card, accept ? "content.acceptContext" : "content.declineContext"));
    if (accept) {
        slice id = stm_upload_open(d->s, d->a, name, size);
        jw_open(&w, "uploadInfo", '{');
        jw_str(&w, "contentUrl", arena_printf(d->a, SLF "/onedrive/page/" SLF, SLA(base), SLA(id)));
        jw_str(&w, "name", name);
        jw_str(&w, "uploadUrl", arena_printf(d->a, SLF "/onedrive/upload/" SLF, SLA(base), SLA(id)));
        jw_str(&w, "uniqueId", id);
        jw_str(&w, "fileType", slice_from(name, slice_find_last(name, '.') == SIZE_MAX ? name.n : slice_find_last(name, '.') + 1));
        jw_close(&w, '}');
    }
    jw_close(&w, '}');
    return invoke(d, "fileConsent/invoke", jw_done(&w), of);
}

bool stm_dialog(struct stm_deed *d)
{
    const struct js *data = js_at(d->what, "data");
    if (!js_is_object(data))
        return fault(d->f, "missing_field", "data", "what was filled in");
    return invoke(d, "task/submit", arena_printf(d->a, "{\"data\":" SLF ",\"context\":{\"theme\":\"default\"}}", SLA(js_print(d->a, data))), NULL);
}
