#include "sim/genesys_cloud.h"

#define INTEGRATIONS "/api/v2/conversations/messaging/integrations/open"
#define RECIPIENTS   "/api/v2/routing/message/recipients"

/* ---- integrations: "5. Open Messaging integrations" ---------------------------------------------------------------------------- */

static void write_integration(struct sgc *g, struct jw *w, const void *item)
{
    const struct sgc_integration *in = item;
    jw_open(w, NULL, '{');
    jw_str(w, "id", in->id);
    jw_str(w, "name", in->name);
    sgc_ref(w, "supportedContent", in->content ? in->content->id : g->default_content,
            "/api/v2/conversations/messaging/supportedcontent");
    slice setting = in->setting ? in->setting->id : g->default_setting;
    if (setting.n)
        sgc_ref(w, "messagingSetting", setting, "/api/v2/conversations/messaging/settings");
    jw_str(w, "outboundNotificationWebhookUrl", in->url);
    jw_str(w, "outboundNotificationWebhookSignatureSecretToken", in->secret);
    const struct js_pair *headers = in->headers.items;
    jw_open(w, "webhookHeaders", '{');
    for (size_t i = 0; i < in->headers.n; i++) {
        jw_key(w, headers[i].key);
        jw_str(w, NULL, headers[i].value);
    }
    jw_close(w, '}');
    jw_str(w, "status", SL("Active"));
    sgc_ref(w, "recipient", in->id, RECIPIENTS);
    jw_time(w, "dateCreated", in->created_ms);
    jw_time(w, "dateModified", in->modified_ms);
    sgc_ref(w, "createdBy", g->client_id, "/api/v2/users");
    bool fresh = time_now_ms() - in->created_ms < SGC_INITIATED_MS;
    jw_str(w, "createStatus", fresh ? SL("Initiated") : SL("Completed"));
    struct text uri = text_new(w->t.a, 512);
    text_add(&uri, INTEGRATIONS "/" SLF, SLA(in->id));
    jw_str(w, "selfUri", text_slice(&uri));
    jw_close(w, '}');
}

static void answer_integration(struct sgc *g, struct sim_call *c, const struct sgc_integration *in)
{
    struct jw w = sgc_writer(c);
    write_integration(g, &w, in);
    sgc_json(c, 200, jw_done(&w));
}

static bool live(const void *item, const void *arg)
{
    (void)arg;
    return !((const struct sgc_integration *)item)->deleted;
}

static void integrations_list(struct sgc *g, struct sim_call *c)
{
    sgc_answer_list(
        g, c, &(struct sgc_listing){ .list = &g->integrations, .item = write_integration, .keep = live });
}

/* What POST and PATCH carry; absent members are absent. */
struct request {
    slice name, url, secret, content, setting;
    struct js_list headers;
};
/* clang-format off */
static const struct js_field request_fields[] = {
    JS_FIELD(struct request, name,    "name",                                            JS_STR,   0),
    JS_FIELD(struct request, url,     "outboundNotificationWebhookUrl",                  JS_STR,   0),
    JS_FIELD(struct request, secret,  "outboundNotificationWebhookSignatureSecretToken", JS_STR,   0),
    JS_FIELD(struct request, content, "supportedContent.id",                             JS_STR,   0),
    JS_FIELD(struct request, setting, "messagingSetting.id",                             JS_STR,   0),
    JS_FIELD(struct request, headers, "webhookHeaders",                                  JS_PAIRS, 0),
};
/* clang-format on */

static bool refuse(struct sim_call *c, int status, const char *code, const char *text)
{
    sgc_error(c, status, code, "%s", text);
    return false;
}

/* "port 443 only"; a simulator on one machine is told so only with --https-only. */
static bool url_ok(const struct sgc *g, slice url)
{
    bool https = slice_starts(url, SL("https://"));
    if (!https && !slice_starts(url, SL("http://")))
        return false;
    if (!g->https_only)
        return true;
    slice rest = slice_from(url, 8), host = slice_cut(&rest, '/');
    return https && (slice_find_char(host, ':') == SIZE_MAX || slice_ends(host, SL(":443")));
}

static bool name_taken(const struct sgc *g, slice name, const struct sgc_integration *but)
{
    for (size_t i = 0; i < g->integrations.n; i++) {
        const struct sgc_integration *in = g->integrations.items[i];
        if (in != but && !in->deleted && slice_eq_nocase(in->name, name))
            return true;
    }
    return false;
}

/* Reads and checks; in is NULL on creation. False: answered. */
static bool read_request(struct sgc *g, struct sim_call *c, const struct sgc_integration *in,
                         struct request *r)
{
    struct fault f = { 0 };
    const struct js *doc = sgc_body(c);
    if (!doc)
        return false;
    if (!js_read(g->a, doc, request_fields, COUNT(request_fields), r, &f)) {
        sgc_error(c, 400, "invalid.value", "The value of %s is invalid: %s.", f.field, f.text);
        return false;
    }
    if (slice_empty(r->name))
        return refuse(c, 400, "constraint.validation", "The value of name is required.");
    if (!in && slice_empty(r->url))
        return refuse(c, 400, "constraint.validation",
                      "The value of outboundNotificationWebhookUrl is required.");
    if (!in && !r->secret.p)
        return refuse(c, 400, "constraint.validation",
                      "The value of outboundNotificationWebhookSignatureSecretToken is required.");
    if (r->url.p && !url_ok(g, r->url))
        return refuse(c, 400, "invalid.value",
                      "outboundNotificationWebhookUrl must be an https URL on port 443.");
    if (r->secret.p && utf8_len(r->secret) < SGC_SECRET_CHARS_MIN)
        return refuse(c, 400, "invalid.value",
                      "outboundNotificationWebhookSignatureSecretToken must be longer than 15 characters.");
    if (r->headers.n > SGC_WEBHOOK_HEADERS)
        return refuse(c, 400, "invalid.value", "webhookHeaders holds too many headers for this simulator.");
    if (r->content.n && !sgc_profile_find(&g->contents, r->content))
        return refuse(c, 400, "invalid.value", "supportedContent.id is not known.");
    if (r->setting.n && !sgc_profile_find(&g->settings, r->setting))
        return refuse(c, 400, "invalid.value", "messagingSetting.id is not known.");
    if (name_taken(g, r->name, in))
        return refuse(c, 409, "conflict", "An integration with this name exists already.");
    return true;
}

static void apply(struct sgc *g, struct sgc_integration *in, const struct request *r)
{
    in->name = arena_dup(g->a, r->name);
    if (r->url.p)
        in->url = arena_dup(g->a, r->url);
    if (r->secret.p)
        in->secret = arena_dup(g->a, r->secret);
    if (r->content.n)
        in->content = sgc_profile_find(&g->contents, r->content);
    if (r->setting.n)
        in->setting = sgc_profile_find(&g->settings, r->setting);
    if (r->headers.items) {
        struct js_pair *pairs = ARENA_ARRAY(g->a, struct js_pair, r->headers.n + 1);
        const struct js_pair *from = r->headers.items;
        for (size_t i = 0; i < r->headers.n; i++)
            pairs[i] = (struct js_pair){ arena_dup(g->a, from[i].key), arena_dup(g->a, from[i].value) };
        in->headers = (struct js_list){ pairs, r->headers.n };
    }
    in->modified_ms = time_now_ms();
}

static void integration_create(struct sgc *g, struct sim_call *c)
{
    struct request r = { 0 };
    if (!read_request(g, c, NULL, &r))
        return;
    struct sgc_integration *in = ARENA_NEW(g->a, struct sgc_integration);
    in->id = sgc_uuid(g->a);
    apply(g, in, &r);
    in->created_ms = in->modified_ms;
    sgc_list_add(&g->integrations, in);
    answer_integration(g, c, in);
}

/* NULL: answered with 404. */
static struct sgc_integration *integration_of(struct sgc *g, struct sim_call *c)
{
    struct sgc_integration *in = sgc_integration_find(g, c->params[0]);
    if (!in)
        sgc_not_found(c, "integration", c->params[0]);
    return in;
}

static void integration_get(struct sgc *g, struct sim_call *c)
{
    const struct sgc_integration *in = integration_of(g, c);
    if (in)
        answer_integration(g, c, in);
}

static void integration_patch(struct sgc *g, struct sim_call *c)
{
    struct request r = { 0 };
    struct sgc_integration *in = integration_of(g, c);
    if (!in || !read_request(g, c, in, &r))
        return;
    apply(g, in, &r);
    answer_integration(g, c, in);
}

static void integration_delete(struct sgc *g, struct sim_call *c)
{
    struct sgc_integration *in = integration_of(g, c);
    if (!in)
        return;
    in->deleted = true;
    sgc_correlate(c);
    sim_answer(c, 204, SLICE_NONE, SLICE_NONE);
}

static void write_any_integration(struct sgc *g, struct jw *w, const void *item)
{
    (void)g;
    const struct sgc_integration *in = item;
    jw_open(w, NULL, '{');
    jw_str(w, "id", in->id);
    jw_str(w, "name", in->name);
    jw_str(w, "status", SL("Active"));
    jw_str(w, "messengerType", SL("open"));
    sgc_ref(w, "recipient", in->id, RECIPIENTS);
    jw_time(w, "dateCreated", in->created_ms);
    jw_close(w, '}');
}

static void integrations_all(struct sgc *g, struct sim_call *c)
{
    sgc_answer_list(
        g, c, &(struct sgc_listing){ .list = &g->integrations, .item = write_any_integration, .keep = live });
}

static void identity_get(struct sgc *g, struct sim_call *c)
{
    const struct sgc_integration *in = integration_of(g, c);
    if (in)
        sgc_json(c, 200,
                 in->identity ? js_print(c->x->a, in->identity)
                              : SL("{\"resolveIdentities\":false,\"division\":{\"id\":\"*\"}}"));
}

static void identity_put(struct sgc *g, struct sim_call *c)
{
    struct sgc_integration *in = integration_of(g, c);
    if (!in)
        return;
    const struct js *doc = sgc_body(c);
    if (!doc)
        return;
    if (!js_is_bool(js_at(doc, "resolveIdentities"))) {
        sgc_error(c, 400, "constraint.validation", "The value of resolveIdentities is required.");
        return;
    }
    in->identity = js_parse(g->a, arena_dup(g->a, c->x->body), NULL);
    sgc_json(c, 200, js_print(c->x->a, doc));
}

/* ---- flows and recipients: "6. Message routing and flows" ----------------------------------------------------------------------- */

static const struct flow {
    slice id, name, description;
    bool published;
} flows[] = {
    { SLI("900f1e2d-3c4b-4a59-8677-889900aabb01"), SLI("Guest messages"),
      SLI("Puts every guest into the queue"), true },
    { SLI("900f1e2d-3c4b-4a59-8677-889900aabb02"), SLI("Guest messages with a bot"),
      SLI("Asks first, then the queue"), true },
    { SLI("900f1e2d-3c4b-4a59-8677-889900aabb03"), SLI("Unfinished"), SLI("Saved, never published"), false },
};

static const struct flow *flow_find(slice id)
{
    for (size_t i = 0; i < COUNT(flows); i++)
        if (slice_eq(flows[i].id, id))
            return &flows[i];
    return NULL;
}

static void flow_members(struct jw *w, const struct flow *f)
{
    jw_str(w, "id", f->id);
    jw_str(w, "name", f->name);
    jw_str(w, "description", f->description);
    jw_str(w, "type", SL("INBOUNDSHORTMESSAGE"));
    jw_bool(w, "active", f->published);
    jw_bool(w, "system", false);
    jw_bool(w, "deleted", false);
    if (f->published) {
        jw_open(w, "publishedVersion", '{');
        jw_str(w, "id", SL("1.0"));
        jw_str(w, "name", SL("1.0"));
        jw_close(w, '}');
    }
    struct text uri = text_new(w->t.a, 256);
    text_add(&uri, "/api/v2/flows/" SLF, SLA(f->id));
    jw_str(w, "selfUri", text_slice(&uri));
}

static void write_flow(struct sgc *g, struct jw *w, const void *item)
{
    (void)g;
    jw_open(w, NULL, '{');
    flow_members(w, item);
    jw_close(w, '}');
}

static void flows_list(struct sgc *g, struct sim_call *c)
{
    slice types = exchange_query(c->x, "type"), name = exchange_query(c->x, "name");
    bool wanted = !types.n;
    while (types.n)
        wanted |= slice_eq_nocase(slice_cut(&types, ','), SL("inboundshortmessage"));
    struct sgc_list list = { 0 };
    for (size_t i = 0; wanted && i < COUNT(flows); i++)
        if (!name.n || slice_eq_nocase(name, flows[i].name))
            sgc_list_add(&list, (void *)(uintptr_t)&flows[i]);
    sgc_answer_list(g, c, &(struct sgc_listing){ .list = &list, .item = write_flow });
    sgc_list_done(&list);
}

static void flow_get(struct sgc *g, struct sim_call *c)
{
    const struct flow *f = flow_find(c->params[0]);
    if (!f) {
        sgc_not_found(c, "flow", c->params[0]);
        return;
    }
    struct jw w = sgc_writer(c);
    write_flow(g, &w, f);
    sgc_json(c, 200, jw_done(&w));
}

static void write_recipient(struct sgc *g, struct jw *w, const void *item)
{
    const struct sgc_integration *in = item;
    const struct flow *f = flow_find(in->flow);
    jw_open(w, NULL, '{');
    jw_str(w, "id", in->id);
    jw_str(w, "name", in->name);
    if (f) {
        jw_open(w, "flow", '{');
        jw_str(w, "id", f->id);
        jw_str(w, "name", f->name);
        jw_bool(w, "active", f->published);
        jw_bool(w, "system", false);
        jw_bool(w, "deleted", false);
        jw_close(w, '}');
    }
    jw_time(w, "dateCreated", in->created_ms);
    jw_time(w, "dateModified", in->modified_ms);
    sgc_ref(w, "createdBy", g->client_id, "/api/v2/users");
    sgc_ref(w, "modifiedBy", g->client_id, "/api/v2/users");
    jw_str(w, "messengerType", SL("open"));
    struct text uri = text_new(w->t.a, 512);
    text_add(&uri, RECIPIENTS "/" SLF, SLA(in->id));
    jw_str(w, "selfUri", text_slice(&uri));
    jw_close(w, '}');
}

static void answer_recipient(struct sgc *g, struct sim_call *c, const struct sgc_integration *in)
{
    struct jw w = sgc_writer(c);
    write_recipient(g, &w, in);
    sgc_json(c, 200, jw_done(&w));
}

static bool of_name(const void *item, const void *arg)
{
    const slice *name = arg;
    const struct sgc_integration *in = item;
    return !in->deleted && (!name->n || slice_eq_nocase(*name, in->name));
}

static void recipients_list(struct sgc *g, struct sim_call *c)
{
    static const struct sgc_list none;
    slice type = exchange_query(c->x, "messengerType"), name = exchange_query(c->x, "name");
    bool open = !type.n || slice_eq_nocase(type, SL("open"));
    sgc_answer_list(g, c,
                    &(struct sgc_listing){ .list = open ? &g->integrations : &none,
                                           .item = write_recipient,
                                           .keep = of_name,
                                           .arg = &name });
}

static void recipient_get(struct sgc *g, struct sim_call *c)
{
    const struct sgc_integration *in = integration_of(g, c);
    if (in)
        answer_recipient(g, c, in);
}

static void recipient_put(struct sgc *g, struct sim_call *c)
{
    struct sgc_integration *in = integration_of(g, c);
    const struct js *doc = in ? sgc_body(c) : NULL;
    if (!doc)
        return;
    const struct js *flow = js_at(doc, "flow");
    const struct flow *f = flow_find(js_text(js_at(flow, "id")));
    if (flow && !js_is_null(flow) && (!f || !f->published)) {
        sgc_error(c, 400, "invalid.value", f ? "The flow is not published." : "The flow is not known.");
        return;
    }
    in->flow = f ? f->id : SLICE_NONE;
    in->modified_ms = time_now_ms();
    answer_recipient(g, c, in);
}

/* ---- importing a flow: a job that takes a file and is done with it ------------------------------------------------------------- */

struct job {
    slice id, yaml;
};

static struct job *job_find(const struct sgc *g, slice id)
{
    for (size_t i = 0; i < g->jobs.n; i++) {
        struct job *j = g->jobs.items[i];
        if (slice_eq(j->id, id))
            return j;
    }
    return NULL;
}

static void job_create(struct sgc *g, struct sim_call *c)
{
    struct job *j = ARENA_NEW(g->a, struct job);
    j->id = sgc_uuid(g->a);
    sgc_list_add(&g->jobs, j);
    struct jw w = sgc_writer(c);
    jw_open(&w, NULL, '{');
    jw_str(&w, "id", j->id);
    jw_str(&w, "presignedUrl",
           arena_printf(c->x->a, SLF "/storage/flows/" SLF "?signature=" SLF, SLA(g->base), SLA(j->id),
                        SLA(sgc_hmac_hex(c->x->a, g->signing_key, j->id))));
    jw_open(&w, "headers", '{');
    jw_str(&w, "x-amz-server-side-encryption", SL("AES256"));
    jw_close(&w, '}');
    jw_close(&w, '}');
    sgc_json(c, 200, jw_done(&w));
}

void sgc_job_put(struct sim_call *c, void *ctx)
{
    struct sgc *g = ctx;
    struct job *j = job_find(g, c->params[0]);
    if (!j ||
        !slice_eq(exchange_query(c->x, "signature"), sgc_hmac_hex(c->x->a, g->signing_key, c->params[0])) ||
        !slice_eq(exchange_header(c->x, "x-amz-server-side-encryption"), SL("AES256"))) {
        sim_answer(c, 403, SL("application/xml"), SL("<Error><Code>SignatureDoesNotMatch</Code></Error>"));
        return;
    }
    j->yaml = arena_dup(g->a, c->x->body);
    sim_answer(c, 200, SLICE_NONE, SLICE_NONE);
}

static void job_get(struct sgc *g, struct sim_call *c)
{
    const struct job *j = job_find(g, c->params[0]);
    if (!j) {
        sgc_not_found(c, "job", c->params[0]);
        return;
    }
    bool good = slice_find(j->yaml, SL("inboundShortMessage:")) != SIZE_MAX;
    struct jw w = sgc_writer(c);
    jw_open(&w, NULL, '{');
    jw_str(&w, "id", j->id);
    jw_str(&w, "status", !j->yaml.p ? SL("Registered") : good ? SL("Success") : SL("Failure"));
    jw_str(&w, "command", SL("Publish"));
    jw_open(&w, "messages", '[');
    if (j->yaml.p && !good) {
        jw_open(&w, NULL, '{');
        jw_time(&w, "dateTime", time_now_ms());
        jw_str(&w, "type", SL("Error"));
        jw_str(&w, "text", SL("The file holds no inboundShortMessage flow."));
        jw_close(&w, '}');
    }
    jw_close(&w, ']');
    if (good)
        sgc_ref(&w, "flow", flows[0].id, "/api/v2/flows");
    jw_close(&w, '}');
    sgc_json(c, 200, jw_done(&w));
}

/* ---- what notifiers call: "11. Notifier" --------------------------------------------------------------------------------------- */

void sgc_chat_post(struct sim_call *c, void *ctx)
{
    struct sgc *g = ctx;
    const struct js *doc = sgc_body(c);
    if (!doc)
        return;
    if (slice_empty(js_text(js_at(doc, "message")))) {
        sgc_error(c, 400, "bad.request", "message is required");
        return;
    }
    slice *line = ARENA_NEW(g->a, slice);
    *line = js_print(g->a, doc);
    sgc_list_add(&g->chat, line);
    sgc_json(c, 200, SL("{}"));
}

/* clang-format off */
const struct sgc_route sgc_admin_routes[] = {
    { "GET",    INTEGRATIONS,                                       "messaging:integration:view",   integrations_list },
    { "POST",   INTEGRATIONS,                                       "messaging:integration:add",    integration_create },
    { "GET",    INTEGRATIONS "/:id",                                "messaging:integration:view",   integration_get },
    { "PATCH",  INTEGRATIONS "/:id",                                "messaging:integration:edit",   integration_patch },
    { "DELETE", INTEGRATIONS "/:id",                                "messaging:integration:delete", integration_delete },
    { "GET",    "/api/v2/conversations/messaging/integrations",     "messaging:integration:view",   integrations_all },
    { "GET",    "/api/v2/conversations/messaging/identityresolution/integrations/open/:id",
                                                                    "messaging:identityResolutionOpen:view", identity_get },
    { "PUT",    "/api/v2/conversations/messaging/identityresolution/integrations/open/:id",
                                                                    "messaging:identityResolutionOpen:edit", identity_put },
    { "GET",    RECIPIENTS,                                         "routing:message:manage",       recipients_list },
    { "GET",    RECIPIENTS "/:id",                                  "routing:message:manage",       recipient_get },
    { "PUT",    RECIPIENTS "/:id",                                  "routing:message:manage",       recipient_put },
    { "GET",    "/api/v2/flows",                                    "architect:flow:view",          flows_list },
    { "POST",   "/api/v2/flows/jobs",                               "architect:job:create",         job_create },
    { "GET",    "/api/v2/flows/jobs/:id",                           "architect:job:view",           job_get },
    { "GET",    "/api/v2/flows/:id",                                "architect:flow:view",          flow_get },
};
/* clang-format on */
const size_t sgc_admin_n = COUNT(sgc_admin_routes);
