/* Canned responses: Response Management, 9. One question by name; the type is not part of it, so that a response of another type can be told apart from none. */
#include "desks/genesys_cloud/wire.h"

enum { GC_RESPONSES_PAGE = 25 };

/* clang-format off */
static const struct { slice wire; const char *title; } gc_response_types[] = {
    { SLI("MessagingTemplate"),     "Message Template" },
    { SLI("CampaignEmailTemplate"), "Campaign Email Template" },
    { SLI("Footer"),                "Footer" },
    { SLI("Form"),                  "Form" },
};
/* clang-format on */

static const char *gc_response_type(slice wire)
{
    for (size_t i = 0; i < COUNT(gc_response_types); i++)
        if (slice_eq(gc_response_types[i].wire, wire))
            return gc_response_types[i].title;
    return "Standard";
}

static enum outcome gc_ask(struct call *c, struct delivery *d)
{
    struct jw w = jw_new(c->a, GC_BODY_MAX);
    jw_open(&w, NULL, '{');
    jw_str(&w, "queryPhrase", SL(""));
    jw_int(&w, "pageSize", GC_RESPONSES_PAGE);
    jw_int(&w, "pageNumber", 1);
    jw_open(&w, "filters", '[');
    jw_open(&w, NULL, '{');
    jw_str(&w, "name", SL("name"));
    jw_str(&w, "operator", SL("EQUALS"));
    jw_open(&w, "values", '[');
    jw_str(&w, NULL, d->wanted);
    jw_close(&w, ']');
    jw_close(&w, '}');
    jw_close(&w, ']');
    jw_close(&w, '}');
    gc_send(d, "POST", gc_url(c, "/responsemanagement/responses/query"), jw_done(&w));
    d->call.rate = GC_RATE_QUERIES;
    return OUT_CALL;
}

/* clang-format off */
static const struct js_field gc_substitution_fields[] = {
    JS_FIELD(struct substitution, id,          "id",           JS_STR, JS_REQ),
    JS_FIELD(struct substitution, description, "description",  JS_STR, 0),
    JS_FIELD(struct substitution, otherwise,   "defaultValue", JS_STR, 0),
};
static const struct js_field gc_response_fields[] = {
    JS_FIELD(struct canned_response, id,      "id",               JS_STR, 0),
    JS_FIELD(struct canned_response, name,    "name",             JS_STR, JS_REQ),
    JS_FIELD(struct canned_response, library, "libraries.0.name", JS_STR, 0),
    JS_FIELD_LIST(struct canned_response, substitutions, "substitutions", struct substitution, gc_substitution_fields, 0),
};
/* clang-format on */

/* The first text that is plain. */
static slice gc_plain_text(const struct js *texts)
{
    for (size_t i = 0; i < js_len(texts); i++)
        if (slice_eq_nocase(js_text(js_at(js_item(texts, i), "contentType")), SL("text/plain")))
            return js_text(js_at(js_item(texts, i), "content"));
    return SLICE_NONE;
}

static bool gc_read_response(struct call *c, const struct js *v, struct canned_response *ret)
{
    slice type = js_text(js_at(v, "responseType"));
    *ret = (struct canned_response){ 0 };
    if (!js_read(c->a, v, gc_response_fields, COUNT(gc_response_fields), ret, NULL))
        return false;
    ret->text = gc_plain_text(js_at(v, "texts"));
    if (!slice_eq(type, SL("CampaignSmsTemplate")))
        ret->why = arena_printf(c->a, "its type is %s, and only those of the type Campaign SMS Template can be sent here", gc_response_type(type));
    else if (!ret->text.n)
        ret->why = SL("it has no plain text");
    return true;
}

enum outcome gc_find_response(struct call *c, struct delivery *d)
{
    if (!d->last)
        return gc_ask(c, d);
    if (!gc_ok(d))
        return gc_fail(c, d, "canned responses");

    const struct js *all = js_at(gc_answer(c, d), "results.entities");
    slice wanted = slice_trim(d->wanted);
    for (size_t i = 0; i < js_len(all); i++) { /* of several of the name, one that can be sent */
        struct canned_response r;
        if (gc_read_response(c, js_item(all, i), &r) && slice_eq_nocase(slice_trim(r.name), wanted) && (!d->response.name.n || (d->response.why.n && !r.why.n)))
            d->response = r;
    }
    return OUT_DELIVERED;
}
