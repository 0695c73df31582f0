/* Dialogflow CX: "detectIntent, CX". It has no word for "all is there": while it asks for a parameter, its answer is a prompt for one. */
#include "languages/dialogflow/wire.h"
#include "wire/url.h"

static slice cx_url(struct call *c, slice session)
{
    slice location = setting(c, DIALOGFLOW_LOCATION), environment = setting(c, DIALOGFLOW_ENVIRONMENT);
    bool global = slice_eq(location, SL("global")), draft = slice_eq(environment, SL(DIALOGFLOW_DRAFT));
    slice host = dialogflow_host(c, global ? SL("") : arena_printf(c->a, SLF "-", SLA(location)));
    slice in = draft ? SL("") : arena_printf(c->a, "/environments/" SLF, SLA(url_encode(c->a, environment)));
    return arena_printf(c->a, SLF "/v3/projects/" SLF "/locations/" SLF "/agents/" SLF SLF "/sessions/" SLF ":detectIntent", SLA(host), SLA(dialogflow_project(c)),
                        SLA(location), SLA(url_encode(c->a, setting(c, DIALOGFLOW_AGENT))), SLA(in), SLA(url_encode(c->a, session)));
}

static slice cx_body(struct call *c, const struct language_ask *ask)
{
    struct jw w = jw_new(c->a, DIALOGFLOW_BODY_BYTES);
    jw_open(&w, NULL, '{');
    jw_open(&w, "queryInput", '{');
    jw_open(&w, "text", '{');
    jw_str(&w, "text", utf8_cut(ask->text, LANGUAGE_TEXT_CHARS));
    jw_close(&w, '}');
    jw_str(&w, "languageCode", setting(c, DIALOGFLOW_LANGUAGE));
    jw_close(&w, '}');
    jw_open(&w, "queryParams", '{');
    jw_opt(&w, "timeZone", dialogflow_zone_name(c, dialogflow_zone(c, ask)));
    jw_open(&w, "parameters", '{');
    jw_str(&w, "tenant", ask->tenant);
    jw_close(&w, '}');
    jw_close(&w, '}');
    jw_close(&w, '}');
    return jw_done(&w);
}

static bool is_match(slice type)
{
    static const slice good[] = { SLI("INTENT"), SLI("DIRECT_INTENT"), SLI("PARAMETER_FILLING") };
    for (size_t i = 0; i < COUNT(good); i++)
        if (slice_eq(type, good[i]))
            return true;
    return false;
}

/* A parameter "command" says it, else the intent; while parameters are filled, the page that asks for them. */
static slice command_of(struct call *c, const struct js *result)
{
    static const char *const places[] = { "parameters.command", "match.intent.displayName", "intent.displayName", "currentPage.displayName" };
    for (size_t i = 0; i < COUNT(places); i++)
        if (js_text(js_at(result, places[i])).n)
            return dialogflow_small(c->a, js_text(js_at(result, places[i])));
    return SLICE_NONE;
}

enum outcome dialogflow_cx_ask(struct call *c, struct delivery *d, const struct language_ask *ask, struct language_answer *ret)
{
    enum outcome end;
    if (!d->last)
        return dialogflow_post(c, d, cx_url(c, ask->session), cx_body(c, ask));
    const struct js *result = js_at(dialogflow_answer(c, d, &end), "queryResult");
    if (!result)
        return end;
    const struct js *match = js_at(result, "match"), *messages = js_at(result, "responseMessages");
    *ret = (struct language_answer){ .complete = true, .command = command_of(c, result) };
    ret->understood = ret->command.n && is_match(js_text(js_at(match, "matchType"))) && !js_true(js_at(match, "intent.isFallback")) &&
                      dialogflow_sure(c, js_at(match, "confidence"));
    for (size_t i = 0; i < js_len(messages); i++) {
        const struct js *m = js_item(messages, i), *texts = js_at(m, "text.text");
        for (size_t k = 0; k < js_len(texts); k++)
            dialogflow_say(c, ret, js_text(js_item(texts, k)));
        ret->complete &= !slice_eq(js_text(js_at(m, "responseType")), SL("PARAMETER_PROMPT"));
    }
    dialogflow_values(c, dialogflow_zone(c, ask), js_at(result, "parameters"), ret);
    return OUT_DELIVERED;
}
