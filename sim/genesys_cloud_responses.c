/* genesys_cloud_responses.c - "9. Canned responses". */
#include "sim/genesys_cloud.h"

#define RESPONSES "/api/v2/responsemanagement/responses"
#define LIBRARIES "/api/v2/responsemanagement/libraries"

struct canned {
    slice id, name, text, type, kind; /* kind: of the text, "text/plain" */
    struct js_list substitutions;
    int64_t created_ms;
};
struct substitution {
    slice id, description, value;
};
static const slice library_id = SLI("3d1b3c58-4f0e-4a66-8a4e-5b7c2f9d0001"), library_name = SLI("Hub");

/* clang-format off */
static const struct js_field substitution_fields[] = {
    JS_FIELD(struct substitution, id,          "id",           JS_STR, JS_REQ),
    JS_FIELD(struct substitution, description, "description",  JS_STR, 0),
    JS_FIELD(struct substitution, value,       "defaultValue", JS_STR, 0),
};
static const struct js_field response_fields[] = {
    JS_FIELD(struct canned, name, "name",         JS_STR, JS_REQ),
    JS_FIELD(struct canned, text, "text",         JS_STR, JS_REQ),
    JS_FIELD(struct canned, type, "responseType", JS_STR, 0),
    JS_FIELD(struct canned, kind, "contentType",  JS_STR, 0),
    JS_FIELD_LIST(struct canned, substitutions, "substitutions", struct substitution, substitution_fields, 0),
};
static const slice samples[] = {
    SLI("{\"name\":\"Greeting\",\"text\":\"Hello {{name}}, this is {{company}}. How can we help?\",\"substitutions\":["
        "{\"id\":\"name\",\"description\":\"the guest\",\"defaultValue\":\"there\"},{\"id\":\"company\",\"defaultValue\":\"ACME\"}]}"),
    SLI("{\"name\":\"Confirm\",\"text\":\"{\\\"genesys_prompt\\\":\\\"Shall we proceed?\\\",\\\"genesys_quick_replies\\\":["
        "{\\\"text\\\":\\\"Yes\\\",\\\"payload\\\":\\\"yes\\\"},{\\\"text\\\":\\\"No\\\",\\\"payload\\\":\\\"no\\\"}]}\"}"),
    SLI("{\"name\":\"Our office\",\"text\":\"{\\\"type\\\":\\\"location\\\",\\\"title\\\":\\\"ACME Tokyo\\\",\\\"address\\\":"
        "\\\"4-2-8 Shibakoen, Minato\\\",\\\"latitude\\\":35.6586,\\\"longitude\\\":139.7454}\"}"),
    SLI("{\"name\":\"Opening hours\",\"text\":\"We are here from {{ default \\\"9\\\" .from }} to 18 o'clock.\"}"),
};
/* clang-format on */

static bool add(struct sgc *g, slice json, struct fault *f)
{
    struct canned *r = ARENA_NEW(g->a, struct canned);
    const struct js *doc = js_parse(g->a, arena_dup(g->a, json), f);
    if (!doc || !js_read(g->a, doc, response_fields, COUNT(response_fields), r, f))
        return false;
    r->id = sgc_uuid(g->a);
    r->type = slice_or(r->type, SL("CampaignSmsTemplate"));
    r->kind = slice_or(r->kind, SL("text/plain"));
    r->created_ms = time_now_ms();
    sgc_list_add(&g->responses, r);
    return true;
}

void sgc_responses_begin(struct sgc *g)
{
    for (size_t i = 0; i < COUNT(samples); i++) {
        bool good = add(g, samples[i], NULL);
        assert(good);
    }
}

void sgc_responses_post(struct sim_call *c, void *ctx)
{
    struct fault f = { 0 };
    if (!add(ctx, c->x->body, &f))
        sim_fault(c, 400, &f);
    else
        sim_json(c, 200, SL("{}"));
}

static void write_library(struct jw *w)
{
    jw_open(w, NULL, '{');
    jw_str(w, "id", library_id);
    jw_str(w, "name", library_name);
    jw_str(w, "selfUri", SL(LIBRARIES "/3d1b3c58-4f0e-4a66-8a4e-5b7c2f9d0001"));
    jw_close(w, '}');
}

static void write_response(struct sgc *g, struct jw *w, const void *item)
{
    const struct canned *r = item;
    jw_open(w, NULL, '{');
    jw_str(w, "id", r->id);
    jw_str(w, "name", r->name);
    jw_int(w, "version", 1);
    jw_open(w, "libraries", '[');
    write_library(w);
    jw_close(w, ']');
    jw_open(w, "texts", '[');
    jw_open(w, NULL, '{');
    jw_str(w, "content", r->text);
    jw_str(w, "contentType", r->kind);
    jw_str(w, "type", SL("body"));
    jw_close(w, '}');
    jw_close(w, ']');
    jw_open(w, "substitutions", '[');
    const struct substitution *s = r->substitutions.items;
    for (size_t i = 0; i < r->substitutions.n; i++) {
        jw_open(w, NULL, '{');
        jw_str(w, "id", s[i].id);
        jw_opt(w, "description", s[i].description);
        if (s[i].value.p)
            jw_str(w, "defaultValue", s[i].value);
        jw_close(w, '}');
    }
    jw_close(w, ']');
    jw_str(w, "responseType", r->type);
    jw_str(w, "interactionType", SL("message"));
    jw_time(w, "dateCreated", r->created_ms);
    sgc_ref(w, "createdBy", g->client_id, "/api/v2/users");
    struct text uri = text_new(w->t.a, 256);
    text_add(&uri, RESPONSES "/" SLF, SLA(r->id));
    jw_str(w, "selfUri", text_slice(&uri));
    jw_close(w, '}');
}

/* ---- query --------------------------------------------------------------------------------------------------------------------- */

static slice member(const struct canned *r, slice name)
{
    return slice_eq(name, SL("name"))               ? r->name
           : slice_eq(name, SL("responseType"))     ? r->type
           : slice_eq(name, SL("libraryId"))        ? library_id
           : slice_eq(name, SL("text.contentType")) ? r->kind
                                                    : SLICE_NONE;
}

static bool has_nocase(slice s, slice part)
{
    for (size_t i = 0; i + part.n <= s.n; i++)
        if (slice_eq_nocase(slice_sub(s, i, part.n), part))
            return true;
    return false;
}

static bool compares(slice operator, slice have, slice want)
{
    if (slice_eq(operator, SL("BEGINS_WITH")))
        return slice_eq_nocase(slice_sub(have, 0, want.n), want);
    if (slice_eq(operator, SL("ENDS_WITH")))
        return have.n >= want.n && slice_eq_nocase(slice_from(have, have.n - want.n), want);
    if (slice_eq(operator, SL("CONTAINS")))
        return has_nocase(have, want);
    return slice_eq_nocase(have, want);
}

static bool filter_takes(const struct js *filter, const struct canned *r)
{
    slice have = member(r, js_text(js_at(filter, "name"))), operator= js_text(js_at(filter, "operator"));
    const struct js *values = js_at(filter, "values");
    bool any = false;
    for (size_t i = 0; i < js_len(values); i++)
        any |= compares(operator, have, js_text(js_item(values, i)));
    return slice_eq(operator, SL("NOTEQUALS")) ? !any : any;
}

static void query_post(struct sgc *g, struct sim_call *c)
{
    const struct js *doc = sgc_body(c);
    if (!doc)
        return;
    slice phrase = js_text(js_at(doc, "queryPhrase"));
    const struct js *filters = js_at(doc, "filters");
    int64_t total = 0, size = 25;
    if (js_at(doc, "pageSize") && (!js_int(js_at(doc, "pageSize"), &size) || size < 1 || size > 500)) {
        sgc_error(c, 400, "invalid.value", "pageSize must be from 1 to 500.");
        return;
    }
    struct jw w = sgc_writer(c);
    jw_open(&w, NULL, '{');
    jw_open(&w, "results", '{');
    jw_open(&w, "entities", '[');
    for (size_t i = 0; i < g->responses.n; i++) {
        const struct canned *r = g->responses.items[i];
        bool taken = has_nocase(r->name, phrase) || has_nocase(r->text, phrase);
        for (size_t k = 0; k < js_len(filters); k++)
            taken = taken && filter_takes(js_item(filters, k), r);
        if (taken && total++ < size)
            write_response(g, &w, r);
    }
    jw_close(&w, ']');
    jw_int(&w, "pageSize", size);
    jw_int(&w, "pageNumber", 1);
    jw_int(&w, "total", total);
    jw_int(&w, "pageCount", (total + size - 1) / size);
    jw_close(&w, '}');
    jw_close(&w, '}');
    sgc_json(c, 200, jw_done(&w));
}

static void responses_list(struct sgc *g, struct sim_call *c)
{
    static const struct sgc_list none;
    slice library = exchange_query(c->x, "libraryId");
    if (!library.n)
        sgc_error(c, 400, "constraint.validation", "The value of libraryId is required.");
    else
        sgc_answer_list(g, c,
                        &(struct sgc_listing){ .list = slice_eq(library, library_id) ? &g->responses : &none,
                                               .item = write_response });
}

static void response_get(struct sgc *g, struct sim_call *c)
{
    for (size_t i = 0; i < g->responses.n; i++) {
        const struct canned *r = g->responses.items[i];
        if (!slice_eq(r->id, c->params[0]))
            continue;
        struct jw w = sgc_writer(c);
        write_response(g, &w, r);
        sgc_json(c, 200, jw_done(&w));
        return;
    }
    sgc_not_found(c, "response", c->params[0]);
}

/* ---- libraries: there is one ----------------------------------------------------------------------------------------------------- */

static void write_one_library(struct sgc *g, struct jw *w, const void *item)
{
    (void)g;
    (void)item;
    write_library(w);
}

static void libraries_list(struct sgc *g, struct sim_call *c)
{
    slice prefix = exchange_query(c->x, "libraryPrefix");
    void *one[] = { g };
    struct sgc_list list = { one, slice_eq_nocase(slice_sub(library_name, 0, prefix.n), prefix), 1 };
    sgc_answer_list(g, c, &(struct sgc_listing){ .list = &list, .item = write_one_library });
}

static void library_get(struct sgc *g, struct sim_call *c)
{
    (void)g;
    if (!slice_eq(c->params[0], library_id)) {
        sgc_not_found(c, "library", c->params[0]);
        return;
    }
    struct jw w = sgc_writer(c);
    write_library(&w);
    sgc_json(c, 200, jw_done(&w));
}

/* clang-format off */
const struct sgc_route sgc_responses_routes[] = {
    { "POST", RESPONSES "/query", "responses:response:view", query_post },
    { "GET",  RESPONSES,          "responses:response:view", responses_list },
    { "GET",  RESPONSES "/:id",   "responses:response:view", response_get },
    { "GET",  LIBRARIES,          "responses:library:view",  libraries_list },
    { "GET",  LIBRARIES "/:id",   "responses:library:view",  library_get },
};
/* clang-format on */
const size_t sgc_responses_n = COUNT(sgc_responses_routes);
