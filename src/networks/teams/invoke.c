/* Invokes: answered in the response, at once: "Invokes". */
#include "hub/rich.h"
#include "networks/teams/wire.h"

#define JSON_TYPE SL("application/json")

static void answer(struct inbox *in, struct jw *w)
{
    inbox_answer(in, 200, JSON_TYPE, jw_done(w));
}

slice teams_consent_key(struct arena *a, slice guest, slice key)
{
    return arena_printf(a, "consent " SLF " " SLF, SLA(guest), SLA(key));
}

/* ---- files --------------------------------------------------------------------------------------------------------- */

/* What the upload needs, and no more of what was said. */
static slice consent_data(struct arena *a, const struct js *value, slice key)
{
    static const char *const taken[] = { "contentUrl", "name", "uploadUrl", "uniqueId", "fileType" };
    struct jw w = jw_new(a, 32 << 10);
    jw_open(&w, NULL, '{');
    jw_str(&w, "key", key);
    jw_str(&w, "action", js_text(js_at(value, "action")));
    for (size_t i = 0; i < COUNT(taken); i++)
        jw_opt(&w, taken[i], js_text(js_get(js_at(value, "uploadInfo"), slice_of(taken[i]))));
    jw_close(&w, '}');
    return jw_done(&w);
}

static bool on_consent(struct call *c, struct inbox *in, const struct teams_activity *t)
{
    slice key = js_text(js_at(t->value, "context.dragoman")), action = js_text(js_at(t->value, "action"));
    bool accepted = slice_eq(action, SL("accept"));
    if (!accepted && !slice_eq(action, SL("decline")))
        return fault(c->f, "out_of_range", "value.action", "accept or decline");
    if (accepted && !js_text(js_at(t->value, "uploadInfo.uploadUrl")).n)
        return fault(c->f, "missing_field", "value.uploadInfo.uploadUrl", "says where the file goes");
    inbox_answer(in, 200, SLICE_NONE, SLICE_NONE);
    if (!key.n) {
        inbox_ignore(in, "foreign-consent", teams_activity_id(c->a, t));
        return true;
    }
    slice guest = teams_in_person(t) ? t->from : arena_printf(c->a, SLF "|" SLF, SLA(t->from), SLA(t->conversation));
    inbox_resume(in, teams_consent_key(c->a, guest, key), consent_data(c->a, t->value, key));
    return true;
}

/* ---- cards and dialogs ---------------------------------------------------------------------------------------------- */

static bool on_execute(struct call *c, struct inbox *in, const struct teams_activity *t)
{
    struct jw w = jw_new(c->a, 4096);
    const struct js *action = js_at(t->value, "action");
    jw_open(&w, NULL, '{');
    if (!js_is_object(action)) {
        jw_int(&w, "statusCode", 400);
        jw_str(&w, "type", SL("application/vnd.microsoft.error"));
        jw_raw(&w, "value", SL("{\"code\":\"BadRequest\",\"message\":\"the action is missing\"}"));
        jw_close(&w, '}');
        answer(in, &w);
        inbox_ignore(in, "action-missing", teams_activity_id(c->a, t));
        return true;
    }
    jw_int(&w, "statusCode", 200);
    jw_str(&w, "type", SL("application/vnd.microsoft.activity.message"));
    jw_str(&w, "value", setting(c, TEAMS_THANKS));
    jw_close(&w, '}');
    answer(in, &w);
    return teams_add_answer(c, in, t, js_at(action, "data"), js_text(js_at(action, "verb")));
}

static void answer_task_message(struct call *c, struct inbox *in, slice text)
{
    struct jw w = jw_new(c->a, 4096);
    jw_open(&w, NULL, '{');
    jw_open(&w, "task", '{');
    jw_str(&w, "type", SL("message"));
    jw_str(&w, "value", text);
    jw_close(&w, '}');
    jw_close(&w, '}');
    answer(in, &w);
}

slice teams_dialog_of(const struct js *data)
{
    return slice_eq(js_text(js_at(data, "type")), SL("cannedResponse")) ? js_text(js_at(data, "function")) : SLICE_NONE;
}

/* An Adaptive Card, bare or wrapped as an attachment. */
static const struct js *canned_card(struct call *c, slice name)
{
    struct fault f = { 0 };
    slice text = call_response(c, name);
    const struct js *doc = text.n ? rich_json(c->a, text, &f) : NULL;
    const struct js *one = js_at(doc, "attachments.0") ? js_at(doc, "attachments.0") : doc, *card = js_at(one, "content") ? js_at(one, "content") : one;
    if (!slice_eq(js_text(js_at(card, "type")), SL("AdaptiveCard")))
        return NULL;
    struct jw w = jw_new(c->a, TEAMS_BODY_BYTES);
    teams_put_card(&w, NULL, card);
    return js_parse(c->a, jw_done(&w), NULL);
}

/* The dialog's card travels in the button that opens it, or is a canned response: "Dialogs". */
static bool on_task_fetch(struct call *c, struct inbox *in, const struct teams_activity *t)
{
    const struct js *data = js_at(t->value, "data"), *card = js_at(data, "card");
    if (!js_is_object(card))
        card = canned_card(c, teams_dialog_of(data));
    inbox_ignore(in, js_is_object(card) ? "dialog-opened" : "dialog-unknown", teams_activity_id(c->a, t));
    if (!js_is_object(card)) {
        answer_task_message(c, in, SL("This form is not available."));
        return true;
    }
    struct jw w = jw_new(c->a, TEAMS_BODY_BYTES);
    jw_open(&w, NULL, '{');
    jw_open(&w, "task", '{');
    jw_str(&w, "type", SL("continue"));
    jw_open(&w, "value", '{');
    jw_str(&w, "title", slice_or(js_text(js_at(data, "title")), t->recipient_name));
    jw_str(&w, "height", SL("medium"));
    jw_str(&w, "width", SL("medium"));
    jw_open(&w, "card", '{');
    jw_str(&w, "contentType", SL("application/vnd.microsoft.card.adaptive"));
    jw_value(&w, "content", card);
    jw_close(&w, '}');
    jw_close(&w, '}');
    jw_close(&w, '}');
    jw_close(&w, '}');
    answer(in, &w);
    return true;
}

static bool on_task_submit(struct call *c, struct inbox *in, const struct teams_activity *t)
{
    answer_task_message(c, in, setting(c, TEAMS_THANKS));
    return teams_add_answer(c, in, t, js_at(t->value, "data"), SLICE_NONE);
}

static bool on_feedback(struct call *c, struct inbox *in, const struct teams_activity *t)
{
    struct message *m = teams_add_event(c, in, t, EVENT_OTHER, SL("feedback"));
    m->of = t->reply_to;
    m->payload = js_text(js_at(t->value, "actionValue.reaction"));
    m->text = js_text(js_at(t->value, "actionValue.feedback"));
    inbox_answer(in, 200, SLICE_NONE, SLICE_NONE);
    return true;
}

/* clang-format off */
static const struct { slice name; bool (*fn)(struct call *, struct inbox *, const struct teams_activity *); } invokes[] = {
    { SLI("fileConsent/invoke"),   on_consent },
    { SLI("adaptiveCard/action"),  on_execute },
    { SLI("task/fetch"),           on_task_fetch },
    { SLI("task/submit"),          on_task_submit },
    { SLI("message/submitAction"), on_feedback },
};
/* clang-format on */

bool teams_invoke(struct call *c, struct inbox *in, const struct teams_activity *t)
{
    for (size_t i = 0; i < COUNT(invokes); i++)
        if (slice_eq(t->name, invokes[i].name))
            return invokes[i].fn(c, in, t);
    if (!t->name.n && t->value) { /* an "invoke" button of a card */
        inbox_answer(in, 200, SLICE_NONE, SLICE_NONE);
        return teams_add_answer(c, in, t, t->value, SLICE_NONE);
    }
    inbox_ignore(in, "invoke-unknown", teams_activity_id(c->a, t));
    inbox_answer(in, 501, SLICE_NONE, SLICE_NONE); /* as the vendor's own libraries do */
    return true;
}
