/* Dialogflow ES: "detectIntent, ES". */
#include "languages/dialogflow/wire.h"
#include "wire/url.h"

/* Host and path must name the same region; "us" is the one without a name. */
static slice es_url(struct call *c, slice session)
{
    slice location = setting(c, DIALOGFLOW_LOCATION), environment = setting(c, DIALOGFLOW_ENVIRONMENT);
    bool us = slice_eq(location, SL("us")), draft = slice_eq(environment, SL(DIALOGFLOW_DRAFT));
    slice host = dialogflow_host(c, us ? SL("") : arena_printf(c->a, SLF "-", SLA(location)));
    slice where = us ? SL("") : arena_printf(c->a, "/locations/" SLF, SLA(location));
    slice in = draft ? SL("") : arena_printf(c->a, "/environments/" SLF "/users/-", SLA(url_encode(c->a, environment)));
    return arena_printf(c->a, SLF "/v2/projects/" SLF SLF "/agent" SLF "/sessions/" SLF ":detectIntent", SLA(host), SLA(dialogflow_project(c)), SLA(where),
                        SLA(in), SLA(url_encode(c->a, session)));
}

static slice es_body(struct call *c, const struct language_ask *ask)
{
    struct jw w = jw_new(c->a, DIALOGFLOW_BODY_BYTES);
    jw_open(&w, NULL, '{');
    jw_open(&w, "queryInput", '{');
    jw_open(&w, "text", '{');
    jw_str(&w, "text", utf8_cut(ask->text, LANGUAGE_TEXT_CHARS));
    jw_str(&w, "languageCode", setting(c, DIALOGFLOW_LANGUAGE));
    jw_close(&w, '}');
    jw_close(&w, '}');
    jw_open(&w, "queryParams", '{');
    jw_opt(&w, "timeZone", dialogflow_zone_name(c, dialogflow_zone(c, ask)));
    jw_open(&w, "payload", '{');
    jw_str(&w, "tenant", ask->tenant);
    jw_close(&w, '}');
    jw_close(&w, '}');
    jw_close(&w, '}');
    return jw_done(&w);
}

/* Titles of what is more than a text. */
static void es_message(struct call *c, const struct js *m, struct language_answer *ret)
{
    const struct js *texts = js_at(m, "text.text"), *quick = js_at(m, "quickReplies.quickReplies"), *buttons = js_at(m, "card.buttons");
    for (size_t i = 0; i < js_len(texts); i++)
        dialogflow_say(c, ret, js_text(js_item(texts, i)));
    dialogflow_say(c, ret, js_text(js_at(m, "quickReplies.title")));
    for (size_t i = 0; i < js_len(quick); i++)
        dialogflow_say(c, ret, arena_printf(c->a, "- " SLF, SLA(js_text(js_item(quick, i)))));
    dialogflow_say(c, ret, js_text(js_at(m, "card.title")));
    dialogflow_say(c, ret, js_text(js_at(m, "card.subtitle")));
    for (size_t i = 0; i < js_len(buttons); i++)
        dialogflow_say(c, ret, arena_printf(c->a, "- " SLF, SLA(js_text(js_at(js_item(buttons, i), "text")))));
    dialogflow_say(c, ret, js_text(js_at(m, "image.imageUri")));
}

enum outcome dialogflow_es_ask(struct call *c, struct delivery *d, const struct language_ask *ask, struct language_answer *ret)
{
    enum outcome end;
    if (!d->last)
        return dialogflow_post(c, d, es_url(c, ask->session), es_body(c, ask));
    const struct js *result = js_at(dialogflow_answer(c, d, &end), "queryResult");
    if (!result)
        return end;
    *ret = (struct language_answer){ .complete = js_true(js_at(result, "allRequiredParamsPresent")) };
    ret->command = dialogflow_small(c->a, slice_or(js_text(js_at(result, "action")), js_text(js_at(result, "intent.displayName"))));
    ret->understood = ret->command.n && !js_true(js_at(result, "intent.isFallback")) && dialogflow_sure(c, js_at(result, "intentDetectionConfidence"));
    const struct js *messages = js_at(result, "fulfillmentMessages");
    for (size_t i = 0; i < js_len(messages); i++)
        if (!js_at(js_item(messages, i), "platform")) /* meant for one of Google's channels */
            es_message(c, js_item(messages, i), ret);
    if (!ret->say.n)
        dialogflow_say(c, ret, js_text(js_at(result, "fulfillmentText")));
    dialogflow_values(c, dialogflow_zone(c, ask), js_at(result, "parameters"), ret);
    return OUT_DELIVERED;
}
