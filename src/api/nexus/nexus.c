#include "api/nexus/nexus.h"
#include "api/audit.h"
#include "api/nexus/apikeys.h"
#include "hub/registry.h"
#include <stdarg.h>

#define KEYS_PATH "/nexus/v3/apikeys"
enum { BODY_MAX = 64 << 10, NAME_MAX_BYTES = 200, ANSWER_MAX = 8 << 20, RATE_MAX = 10000000, WORD_MAX = 100 };

struct nexus_call {
    struct api *api;
    struct exchange *x;
    struct arena *a;
    slice user;
    const struct js *doc;
    slice key; /* of a new one: told once */
    const struct api_key *kept;
    int status;
};

static void answer(struct nexus_call *c, int status, slice body)
{
    struct header none = { SL("Cache-Control"), SL("no-store") };
    exchange_answer(c->x, &(struct response){ .status = status, .type = body.p ? SL("application/json") : SLICE_NONE, .body = body, .headers = &none, .n_headers = 1 });
}

static void deny(struct nexus_call *c, int status, const char *code, const char *fmt, ...) PRINTF(4, 5);
static void deny(struct nexus_call *c, int status, const char *code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    slice text = arena_vprintf(c->a, fmt, ap);
    va_end(ap);
    struct jw w = jw_new(c->a, 4096);
    jw_open(&w, NULL, '{');
    jw_open(&w, "status", '{');
    jw_str(&w, "code", slice_of(code));
    jw_str(&w, "message", text);
    jw_close(&w, '}');
    jw_close(&w, '}');
    answer(c, status, jw_done(&w));
}

/* ---- a key ----------------------------------------------------------------------------------------------------------------------- */

/* id is the key itself: only when it is made. */
static void write_key(struct jw *w, const struct api_key *k, slice key)
{
    jw_open(w, NULL, '{');
    jw_opt(w, "id", key);
    jw_str(w, "ref", slice_of(k->ref));
    jw_str(w, "tenant", k->tenant);
    jw_str(w, "name", k->name);
    jw_open(w, "permissions", '[');
    for (size_t i = 0; i < k->n_permissions; i++)
        jw_str(w, NULL, k->permissions[i]);
    jw_close(w, ']');
    jw_bool(w, "enabled", k->enabled);
    jw_time(w, "created", k->created_ms);
    jw_str(w, "createdby", k->by);
    jw_bool(w, "revoked", k->revoked);
    if (k->expires_ms)
        jw_time(w, "expires", k->expires_ms);
    else
        jw_bool(w, "expires", false);
    jw_int(w, "capacity", k->capacity);
    jw_int(w, "frequency", k->frequency);
    jw_close(w, '}');
}

static bool is_permission(slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        char ch = s.p[i];
        bool word = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') || ch == '-' || ch == '_' || ch == ':' || ch == '*' || ch == '.';
        if (!word)
            return false;
    }
    return s.n > 0 && s.n <= WORD_MAX;
}

static bool read_bool(struct nexus_call *c, const char *name, bool *ret)
{
    const struct js *v = js_get(c->doc, slice_of(name));
    if (!v)
        return true;
    if (!js_is_bool(v)) {
        deny(c, 400, "INVALID_PARAMETER", "%s must be true or false", name);
        return false;
    }
    *ret = js_true(v);
    return true;
}

static bool read_number(struct nexus_call *c, const char *name, int64_t *ret)
{
    const struct js *v = js_get(c->doc, slice_of(name));
    if (!v || (js_int(v, ret) && *ret >= 1 && *ret <= RATE_MAX))
        return true;
    deny(c, 400, "INVALID_PARAMETER", "%s must be a whole number from 1 to %d", name, RATE_MAX);
    return false;
}

static bool read_expires(struct nexus_call *c, int64_t *ret)
{
    const struct js *v = js_get(c->doc, SL("expires"));
    if (!v)
        return true;
    if (js_is_bool(v) && !js_true(v)) {
        *ret = 0;
        return true;
    }
    if ((js_int(v, ret) && *ret > 0 && *ret <= TIME_MAX_MS) || (js_is_string(v) && time_parse_rfc3339(js_text(v), ret)))
        return true;
    deny(c, 400, "INVALID_PARAMETER", "expires must be false, a time such as 2030-01-31T00:00:00Z, or milliseconds since 1970");
    return false;
}

static bool read_permissions(struct nexus_call *c, struct api_key *k)
{
    const struct js *v = js_get(c->doc, SL("permissions"));
    if (!v)
        return true;
    k->n_permissions = 0;
    bool good = js_is_array(v) && js_len(v) <= API_KEY_PERMISSIONS;
    for (size_t i = 0; good && i < js_len(v); i++) {
        slice one = js_text(js_item(v, i));
        good = is_permission(one);
        k->permissions[k->n_permissions++] = one;
    }
    if (!good)
        deny(c, 400, "INVALID_PARAMETER", "permissions must be a list of at most %d such as nexus:consumer:chat", API_KEY_PERMISSIONS);
    return good;
}

/* What the body says into k. False: answered. */
static bool read_into(struct nexus_call *c, struct api_key *k)
{
    slice tenant = js_text(js_get(c->doc, SL("tenant"))), name = js_text(js_get(c->doc, SL("name")));
    if (tenant.n) {
        const struct registry_entry *e = registry_find(c->api->hub, tenant);
        if (!e && !slice_eq(tenant, SL("*"))) {
            deny(c, 400, "INVALID_CONTACT_CENTER", "there is no such tenant; it is one's id, or *");
            return false;
        }
        k->tenant = e ? e->id : tenant;
    }
    if (name.n)
        k->name = utf8_cut_bytes(name, NAME_MAX_BYTES);
    bool revoked = k->revoked;
    if (!read_bool(c, "enabled", &k->enabled) || !read_bool(c, "revoked", &revoked) || !read_number(c, "capacity", &k->capacity) ||
        !read_number(c, "frequency", &k->frequency) || !read_expires(c, &k->expires_ms) || !read_permissions(c, k))
        return false;
    if (k->revoked && !revoked) {
        deny(c, 409, "REVOKED", "a revoked key stays revoked: make another one");
        return false;
    }
    k->revoked = revoked;
    if (!k->tenant.n)
        deny(c, 400, "INVALID_PARAMETER", "tenant is missing: a tenant's id, or *");
    else if (!k->n_permissions)
        deny(c, 400, "INVALID_PARAMETER", "permissions are missing");
    return k->tenant.n && k->n_permissions;
}

/* ---- the operations ----------------------------------------------------------------------------------------------------------------- */

static void stored(void *arg, const struct fault *f)
{
    struct nexus_call *c = arg;
    if (f) {
        deny(c, 503, "UNAVAILABLE", "it could not be stored; try again");
        return;
    }
    if (!c->kept) {
        answer(c, 204, SLICE_NONE);
        return;
    }
    struct jw w = jw_new(c->a, ANSWER_MAX);
    write_key(&w, c->kept, c->key);
    answer(c, c->status, jw_done(&w));
}

static void note(struct nexus_call *c, const char *what, const struct api_key *k)
{
    audit_by(c->api, c->user, api_caller(c->api, c->x), what, slice_of(k->ref), SLICE_NONE);
}

static void create(struct nexus_call *c)
{
    struct api_key k = { .enabled = true, .by = c->user, .capacity = API_KEY_CAPACITY, .frequency = API_KEY_FREQUENCY };
    if (apikeys_count(c->api->keys) >= API_KEYS_MAX)
        deny(c, 409, "LIMIT", "there are %d keys, and more are not kept", API_KEYS_MAX);
    else if (read_into(c, &k)) {
        c->status = 200; /* as the guide has it */
        c->kept = apikeys_put(c->api->keys, NULL, &k, c->a, &c->key, stored, c);
        note(c, "apikey.create", c->kept);
    }
}

static void change(struct nexus_call *c, const struct api_key *old)
{
    struct api_key k = *old;
    k.tenant = arena_dup(c->a, k.tenant); /* the old one goes */
    k.name = arena_dup(c->a, k.name);
    k.by = arena_dup(c->a, k.by);
    for (size_t i = 0; i < k.n_permissions; i++)
        k.permissions[i] = arena_dup(c->a, k.permissions[i]);
    if (!read_into(c, &k))
        return;
    c->status = 200;
    slice none;
    c->kept = apikeys_put(c->api->keys, old, &k, c->a, &none, stored, c);
    note(c, k.revoked ? "apikey.revoke" : "apikey.change", c->kept);
}

static void list(struct nexus_call *c)
{
    struct jw w = jw_new(c->a, ANSWER_MAX);
    jw_open(&w, NULL, '[');
    for (const struct api_key *k = apikeys_first(c->api->keys); k; k = apikeys_next(c->api->keys, k))
        write_key(&w, k, SLICE_NONE);
    jw_close(&w, ']');
    answer(c, 200, jw_done(&w));
}

static void one(struct nexus_call *c, slice ref)
{
    const struct api_key *k = apikeys_called(c->api->keys, ref);
    if (!k) {
        deny(c, 404, "NOT_FOUND", "there is no such key");
    } else if (slice_eq(c->x->method, SL("GET"))) {
        struct jw w = jw_new(c->a, ANSWER_MAX);
        write_key(&w, k, SLICE_NONE);
        answer(c, 200, jw_done(&w));
    } else if (slice_eq(c->x->method, SL("PUT"))) {
        change(c, k);
    } else if (slice_eq(c->x->method, SL("DELETE"))) {
        note(c, "apikey.delete", k);
        apikeys_remove(c->api->keys, k, stored, c);
    } else {
        deny(c, 405, "METHOD_NOT_ALLOWED", "this address takes GET, PUT and DELETE");
    }
}

/* The guide writes the token without "Bearer" here. */
static slice token_of(const struct exchange *x)
{
    slice value = slice_trim(exchange_header(x, "Authorization")), rest = value, scheme = slice_cut(&rest, ' ');
    return slice_eq_nocase(scheme, SL("Bearer")) ? slice_trim(rest) : value;
}

static void on_request(struct exchange *x, void *ctx)
{
    struct api *api = ctx;
    struct fault f = { 0 };
    struct nexus_call *c = ARENA_NEW(x->a, struct nexus_call);
    *c = (struct nexus_call){ .api = api, .x = x, .a = x->a };
    enum role role = api_token_role(api, token_of(x), c->a, &c->user);
    bool body = slice_eq(x->method, SL("POST")) || slice_eq(x->method, SL("PUT"));
    slice ref = slice_eq(x->path, SL(KEYS_PATH)) ? SLICE_NONE : x->rest;
    if (api->stopped)
        deny(c, 503, "UNAVAILABLE", "the hub is going down");
    else if (role == ROLE_NONE)
        deny(c, 401, "UNAUTHORIZED", "the Authorization header must hold the token of a session: POST /api/v1/auth/login");
    else if (role != ROLE_ADMINISTRATOR)
        deny(c, 403, "FORBIDDEN", "only administrators may do this");
    else if (body && (!(c->doc = js_parse(c->a, x->body, &f)) || !js_is_object(c->doc)))
        deny(c, 400, "INVALID_BODY", "%s", f.code ? f.text : "the body must be an object");
    else if (ref.n)
        one(c, ref);
    else if (slice_eq(x->method, SL("POST")))
        create(c);
    else if (slice_eq(x->method, SL("GET")))
        list(c);
    else
        deny(c, 405, "METHOD_NOT_ALLOWED", "this address takes GET and POST");
}

void nexus_start(struct api *api)
{
    server_route(api->setup.server, "*", KEYS_PATH, BODY_MAX, on_request, api);
    server_route(api->setup.server, "*", KEYS_PATH "/*", BODY_MAX, on_request, api);
}
