/* openapi.c - the API document (OpenAPI 3.1), made out of operations.def, the schemas' tables and the connectors' settings. */
#include "api/call.h"
#include "api/connectors.h"
#include "hub/config.h"

enum { DOCUMENT_MAX = 8 << 20 };

/* clang-format off */
static const struct {
    const char *name, *type, *help, *in;
} query_params[] = {
    { "limit",   "integer", "How many at most", "query" },
    { "after",   "string",  "The page behind this cursor: `next` of the page before", "query" },
    { "before",  "string",  "Only what is older: `next` of the page before", "query" },
    { "q",       "string",  "Only what holds this text", "query" },
    { "tenant",  "string",  "Only of this tenant (id, slug or name)", "query" },
    { "channel", "string",  "Only of this channel (account id)", "query" },
    { "account", "string",  "Only to this account (account id)", "query" },
    { "open",    "boolean", "Only those a desk has open (true) or not (false)", "query" },
    { "reason",  "string",  "Only those refused for this reason", "query" },
    { "state",   "string",  "Only those in this state", "query" },
    { "language", "string", "In this language (en, ja …)", "query" },
    { "queue",   "string",  "Only of this queue", "query" },
    { "mine",    "boolean", "Only those I am in, or am asked to take", "query" },
    { "name",    "string",  "File name", "query" },
    { "next",    "string",  "Path of this hub to go to afterwards", "query" },
    { "code",    "string",  "As the provider sends it", "query" },
    { "If-Match", "string", "Only if it is still at this revision, an ETag; otherwise 412", "header" },
    { "If-None-Match", "string", "304 if it is still at this revision, an ETag", "header" },
    { "Idempotency-Key", "string", "Yours, at most 255 bytes: a repeat with the same one has no effect", "header" },
    { "secrets", "string",  "none: secrets are left out; passphrase: they are in the document, encrypted with the header X-Passphrase", "query" },
};
static const struct {
    const char *name, *help;
} tags[] = {
    { "auth", "Logging in" }, { "logins", "Who may log in" }, { "tenants", "Tenants: a desk, its channels, their settings" },
    { "connectors", "What this hub can talk to" }, { "channels", "Accounts at work" }, { "conversations", "Conversations and messages" },
    { "contacts", "Who the guests are, over all networks" }, { "journal", "Counts and dead letters" }, { "settings", "What all tenants share" }, { "responses", "Canned responses and commands" },
    { "preview", "What networks would get" },
    { "ivr", "For IVRs, with the tenant's own credentials" }, { "desk", "The built-in desk: agents, interactions, what is said" }, { "users", "Users and queues" },
    { "operations", "Health, events, audit, backup" }, { "meta", "This document" },
};
/* clang-format on */

/* ---- shapes that come out of settings tables ------------------------------------------------------------------------- */

static void one_of(struct jw *w, struct arena *a, bool desk)
{
    jw_open(w, "oneOf", '[');
    for (size_t i = 0; i < n_connectors; i++) {
        if (connectors[i]->desk != desk)
            continue;
        jw_open(w, NULL, '{');
        jw_str(w, "$ref", arena_printf(a, "#/components/schemas/" SLF, SLA(settings_schema_name(a, connectors[i]))));
        jw_close(w, '}');
    }
    jw_close(w, ']');
    jw_open(w, "discriminator", '{');
    jw_str(w, "propertyName", SL("type"));
    jw_open(w, "mapping", '{');
    for (size_t i = 0; i < n_connectors; i++)
        if (connectors[i]->desk == desk)
            jw_str(w, connectors[i]->name, arena_printf(a, "#/components/schemas/" SLF, SLA(settings_schema_name(a, connectors[i]))));
    jw_close(w, '}');
    jw_close(w, '}');
}

static void write_ref(struct jw *w, const char *key, const char *where, const char *name)
{
    char ref[128];
    snprintf(ref, sizeof(ref), "#/components/%s/%s", where, name);
    jw_open(w, key, '{');
    jw_str(w, "$ref", slice_of(ref));
    jw_close(w, '}');
}

static void text_property(struct jw *w, const char *name, const char *format, int64_t min, const char *help)
{
    jw_open(w, name, '{');
    jw_str(w, "type", SL("string"));
    jw_opt(w, "format", slice_of(format));
    if (min)
        jw_int(w, "minLength", min);
    jw_str(w, "description", slice_of(help));
    jw_close(w, '}');
}

static void all_of(struct jw *w, const char *name, const char *one, const char *two)
{
    jw_open(w, name, '{');
    jw_open(w, "allOf", '[');
    write_ref(w, NULL, "schemas", one);
    write_ref(w, NULL, "schemas", two);
    jw_close(w, ']');
    jw_close(w, '}');
}

/* n of its settings' rows, and the language behind it. */
static void write_commander(struct jw *w, const char *name, const char *settings, size_t n)
{
    settings_schema(w, settings, commander_settings, n, NULL, SETTINGS_DOCUMENT);
    jw_open(w, name, '{');
    jw_open(w, "allOf", '[');
    write_ref(w, NULL, "schemas", settings);
    jw_open(w, NULL, '{');
    jw_str(w, "type", SL("object"));
    jw_open(w, "properties", '{');
    jw_open(w, "language", '{');
    jw_str(w, "type", SL("object"));
    jw_str(w, "description", SL("Its type, and the settings of that: GET /commander"));
    jw_open(w, "properties", '{');
    text_property(w, "type", NULL, 0, "dialogflow-es …");
    jw_close(w, '}');
    jw_open(w, "required", '[');
    jw_str(w, NULL, SL("type"));
    jw_close(w, ']');
    jw_close(w, '}');
    jw_close(w, '}');
    jw_close(w, '}');
    jw_close(w, ']');
    jw_close(w, '}');
}

static void write_own(struct jw *w, struct arena *a)
{
    write_commander(w, "CommanderDefault", "CommanderDefaultSettings", COMMANDER_OF_ALL);
    write_commander(w, "CommanderOfTenant", "CommanderSettings", COMMANDER_SETTINGS);
    for (size_t i = 0; i < n_connectors; i++)
        settings_schema(w, settings_schema_name(a, connectors[i]).p, connectors[i]->settings, connectors[i]->n_settings, connectors[i], SETTINGS_DOCUMENT);
    settings_schema(w, "TenantSettings", tenant_settings, TENANT_SETTINGS, NULL, SETTINGS_DOCUMENT);
    jw_open(w, "TenantMembers", '{');
    jw_str(w, "type", SL("object"));
    jw_open(w, "properties", '{');
    text_property(w, "id", "uuid", 0, "Made when left out, and never changed");
    text_property(w, "name", NULL, 1, "Unique among the tenants, also without regard to signs and capitals");
    write_ref(w, "desk", "schemas", "Desk");
    jw_open(w, "channels", '{');
    jw_str(w, "type", SL("array"));
    write_ref(w, "items", "schemas", "Channel");
    jw_int(w, "minItems", 1);
    jw_close(w, '}');
    write_ref(w, "commander", "schemas", "CommanderOfTenant");
    jw_open(w, "custom_data", '{');
    jw_str(w, "type", SL("object"));
    jw_str(w, "description", SL("Goes along with every conversation to the desk"));
    jw_open(w, "additionalProperties", '{');
    jw_str(w, "type", SL("string"));
    jw_close(w, '}');
    jw_close(w, '}');
    jw_close(w, '}');
    jw_open(w, "required", '[');
    jw_str(w, NULL, SL("name"));
    jw_str(w, NULL, SL("desk"));
    jw_str(w, NULL, SL("channels"));
    jw_close(w, ']');
    jw_close(w, '}');
    all_of(w, "TenantDocument", "TenantMembers", "TenantSettings");
    all_of(w, "Tenant", "TenantDocument", "TenantFacts");
    jw_open(w, "Desk", '{');
    one_of(w, a, true);
    jw_close(w, '}');
    jw_open(w, "Channel", '{');
    one_of(w, a, false);
    jw_close(w, '}');
}

/* ---- operations ------------------------------------------------------------------------------------------------------ */

static void write_content(struct jw *w, const char *type, const char *schema)
{
    jw_open(w, "content", '{');
    jw_open(w, type, '{');
    if (schema) {
        write_ref(w, "schema", "schemas", schema);
    } else {
        jw_open(w, "schema", '{');
        jw_str(w, "type", strcmp(type, "application/json") == 0 ? SL("object") : SL("string"));
        jw_close(w, '}');
    }
    jw_close(w, '}');
    jw_close(w, '}');
}

static void write_path_params(struct jw *w, const struct operation *op)
{
    for (const char *p = strchr(op->path, '{'); p; p = strchr(p + 1, '{')) {
        jw_open(w, NULL, '{');
        jw_str(w, "name", slice_mem(p + 1, (size_t)(strchr(p, '}') - p - 1)));
        jw_str(w, "in", SL("path"));
        jw_bool(w, "required", true);
        jw_open(w, "schema", '{');
        jw_str(w, "type", SL("string"));
        jw_close(w, '}');
        jw_close(w, '}');
    }
}

static size_t query_param(slice name)
{
    size_t i = 0;
    while (i < COUNT(query_params) && !slice_eq(slice_of(query_params[i].name), name))
        i++;
    return i;
}

bool query_declared(slice name)
{
    return query_param(name) < COUNT(query_params);
}

static void write_query_params(struct jw *w, const struct operation *op)
{
    slice rest = slice_of(op->query);
    while (rest.p) {
        slice name = slice_cut(&rest, ',');
        size_t i = query_param(name);
        bool declared = i < COUNT(query_params);
        jw_open(w, NULL, '{');
        jw_str(w, "name", name);
        jw_str(w, "in", declared ? slice_of(query_params[i].in) : SL("query"));
        if (declared)
            jw_str(w, "description", slice_of(query_params[i].help));
        jw_open(w, "schema", '{');
        jw_str(w, "type", slice_of(declared ? query_params[i].type : "string"));
        jw_close(w, '}');
        jw_close(w, '}');
    }
}

static void write_security(struct jw *w, const struct operation *op)
{
    jw_open(w, "security", '[');
    if (op->may & MAY_TENANT) {
        jw_open(w, NULL, '{');
        jw_open(w, "tenant", '[');
        jw_close(w, ']');
        jw_close(w, '}');
        jw_open(w, NULL, '{');
        jw_close(w, '}');
    } else if (op->may != MAY_ALL) {
        static const char *const schemes[] = { "bearer", "cookie" };
        for (size_t i = 0; i < COUNT(schemes); i++) {
            jw_open(w, NULL, '{');
            jw_open(w, schemes[i], '[');
            jw_close(w, ']');
            jw_close(w, '}');
        }
    }
    jw_close(w, ']');
    if (op->may == MAY_ALL || op->may & MAY_TENANT)
        return;
    jw_open(w, "x-roles", '[');
    for (size_t i = ROLE_NONE + 1; i < ROLES; i++)
        if (op->may & (1u << i))
            jw_str(w, NULL, slice_of(role_names[i]));
    jw_close(w, ']');
}

static void write_answers(struct jw *w, const struct operation *op)
{
    char status[8];
    snprintf(status, sizeof(status), "%d", op->status);
    jw_open(w, "responses", '{');
    jw_open(w, status, '{');
    jw_str(w, "description", op->status == 201 ? SL("Made") : op->status == 202 ? SL("Accepted: it is on disk") : SL("Done"));
    if (op->answer)
        write_content(w, strchr(op->answer, '/') ? op->answer : "application/json", strchr(op->answer, '/') ? NULL : op->answer);
    jw_close(w, '}');
    if (op->query && strstr(op->query, "If-None-Match")) {
        jw_open(w, "304", '{');
        jw_str(w, "description", SL("It is still at that revision"));
        jw_close(w, '}');
    }
    write_ref(w, "4XX", "responses", "Problem");
    write_ref(w, "5XX", "responses", "Problem");
    jw_close(w, '}');
}

static void write_operation(struct jw *w, struct arena *a, const struct operation *op)
{
    char *method = arena_cstr(a, slice_of(op->method));
    for (char *p = method; *p; p++)
        *p = (char)(*p | 32);
    jw_open(w, method, '{');
    jw_str(w, "operationId", slice_of(op->id));
    jw_open(w, "tags", '[');
    jw_str(w, NULL, slice_of(op->tag));
    jw_close(w, ']');
    jw_str(w, "summary", slice_of(op->summary));
    if (strchr(op->path, '{') || op->query) {
        jw_open(w, "parameters", '[');
        write_path_params(w, op);
        write_query_params(w, op);
        jw_close(w, ']');
    }
    if (op->request) {
        bool patch = slice_starts(slice_of(op->request), SL("Patch:"));
        jw_open(w, "requestBody", '{');
        const struct schema *body = schema_find(op->request);
        jw_bool(w, "required", !body || !schema_is_optional(body));
        write_content(w, patch ? "application/merge-patch+json" : "application/json", patch ? NULL : op->request);
        jw_close(w, '}');
    }
    write_security(w, op);
    write_answers(w, op);
    jw_close(w, '}');
}

static void write_paths(struct jw *w, struct arena *a)
{
    jw_open(w, "paths", '{');
    for (size_t i = 0; i < n_operations; i++) {
        bool first = true;
        for (size_t k = 0; k < i; k++)
            first &= strcmp(operations[k].path, operations[i].path) != 0;
        if (!first)
            continue;
        jw_open(w, operations[i].path, '{');
        for (size_t k = i; k < n_operations; k++)
            if (strcmp(operations[k].path, operations[i].path) == 0)
                write_operation(w, a, &operations[k]);
        jw_close(w, '}');
    }
    jw_close(w, '}');
}

/* ---- the rest -------------------------------------------------------------------------------------------------------- */

static void write_scheme(struct jw *w, const char *name, const char *type, const char *key, const char *value, const char *help)
{
    jw_open(w, name, '{');
    jw_str(w, "type", slice_of(type));
    jw_str(w, key, slice_of(value));
    if (strcmp(type, "apiKey") == 0)
        jw_str(w, "in", SL("cookie"));
    jw_str(w, "description", slice_of(help));
    jw_close(w, '}');
}

/* Do requests have this shape, or one that it is part of? */
static bool is_asked(const char *name)
{
    for (size_t i = 0; i < n_operations; i++)
        if (operations[i].request && strcmp(operations[i].request, name) == 0)
            return true;
    for (size_t i = 0; i < n_schemas; i++)
        for (size_t k = 0; k < schemas[i].n; k++)
            if (schemas[i].members[k].of && strcmp(schemas[i].members[k].of, name) == 0 && is_asked(schemas[i].name))
                return true;
    return false;
}

static void write_components(struct jw *w, struct arena *a)
{
    jw_open(w, "components", '{');
    jw_open(w, "securitySchemes", '{');
    write_scheme(w, "bearer", "http", "scheme", "bearer", "The token of POST /auth/login");
    write_scheme(w, "cookie", "apiKey", "name", "dragoman", "The same token, for pages of this hub; changes need the header X-Dragoman: 1");
    write_scheme(w, "tenant", "http", "scheme", "basic", "A tenant's own API user and password");
    jw_close(w, '}');
    jw_open(w, "responses", '{');
    jw_open(w, "Problem", '{');
    jw_str(w, "description", SL("What is wrong"));
    write_content(w, "application/problem+json", "Problem");
    jw_close(w, '}');
    jw_close(w, '}');
    jw_open(w, "schemas", '{');
    for (size_t i = 0; i < n_schemas; i++)
        schema_write(w, schemas[i].name, &schemas[i], is_asked(schemas[i].name));
    write_own(w, a);
    jw_close(w, '}');
    jw_close(w, '}');
}

static slice document(struct api *api)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct jw w = jw_new(a, DOCUMENT_MAX);
    jw_open(&w, NULL, '{');
    jw_str(&w, "openapi", SL("3.1.0"));
    jw_open(&w, "info", '{');
    jw_str(&w, "title", SL("Dragoman"));
    jw_str(&w, "version", SL(DRAGOMAN_VERSION));
    jw_str(&w, "description", SL("The hub between messaging networks and contact-centre desks"));
    jw_open(&w, "license", '{');
    jw_str(&w, "name", SL("Apache-2.0"));
    jw_str(&w, "identifier", SL("Apache-2.0"));
    jw_close(&w, '}');
    jw_close(&w, '}');
    jw_open(&w, "servers", '[');
    jw_open(&w, NULL, '{');
    jw_str(&w, "url", arena_printf(a, SLF "/api/v1", SLA(api_root(api))));
    jw_close(&w, '}');
    jw_close(&w, ']');
    jw_open(&w, "tags", '[');
    for (size_t i = 0; i < COUNT(tags); i++) {
        jw_open(&w, NULL, '{');
        jw_str(&w, "name", slice_of(tags[i].name));
        jw_str(&w, "description", slice_of(tags[i].help));
        jw_close(&w, '}');
    }
    jw_close(&w, ']');
    write_paths(&w, a);
    write_components(&w, a);
    jw_close(&w, '}');
    slice json = jw_done(&w);
    assert(json.p); /* it is made of our own tables */
    return arena_dup(api->a, json);
}

void api_openapi(struct api_call *c)
{
    if (!c->api->openapi.p)
        c->api->openapi = document(c->api);
    api_answer_json(c, 200, c->api->openapi);
}
