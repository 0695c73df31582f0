/* nexus.c - from the HTTP request to the operation: who calls, path, body; and how it is answered. */
#include "api/nexus/nexus.h"
#include "api/audit.h"
#include "api/nexus/call.h"
#include "api/nexus/rates.h"
#include "api/session.h"
#include "wire/url.h"
#include "wire/uuid.h"
#include <stdarg.h>

#define NEXUS_ROOT "/nexus/v3/"

/* ---- answering ----------------------------------------------------------------------------------------------------------- */

void nexus_answer(struct nexus_call *c, int status, slice body)
{
    struct header headers[] = { { SL("Cache-Control"), SL("no-store") }, { SL("X-Content-Type-Options"), SL("nosniff") } };
    exchange_answer(c->x, &(struct response){ .status = status, .type = body.p ? SL("application/json") : SLICE_NONE, .body = body,
                                              .headers = headers, .n_headers = COUNT(headers) });
}

void nexus_data(struct nexus_call *c, slice data)
{
    struct jw w = jw_new(c->a, NEXUS_ANSWER_MAX);
    jw_open(&w, NULL, '{');
    jw_open(&w, "status", '{');
    jw_int(&w, "code", 0);
    jw_close(&w, '}');
    jw_raw(&w, "data", data.n ? data : SL("{}"));
    jw_str(&w, "operationId", c->operation);
    jw_close(&w, '}');
    slice body = jw_done(&w);
    if (body.p)
        nexus_answer(c, 200, body);
    else
        nexus_deny(c, 500, "TOO_LARGE", "the answer is longer than %d bytes", NEXUS_ANSWER_MAX);
}

void nexus_deny(struct nexus_call *c, int status, const char *code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    slice text = arena_vprintf(c->a, fmt, ap);
    va_end(ap);
    struct jw w = jw_new(c->a, 8192);
    jw_open(&w, NULL, '{');
    jw_open(&w, "status", '{');
    jw_str(&w, "code", slice_of(code));
    jw_str(&w, "message", text);
    jw_close(&w, '}');
    jw_str(&w, "operationId", c->operation);
    jw_close(&w, '}');
    nexus_answer(c, status, jw_done(&w));
}

void nexus_not_stored(struct nexus_call *c)
{
    nexus_deny(c, 503, "UNAVAILABLE", "it could not be stored; try again");
}

void nexus_audit(struct nexus_call *c, const char *what, slice target)
{
    audit_by(c->api, c->user, api_caller(c->api, c->x), what, target, SLICE_NONE);
}

/* ---- who calls -------------------------------------------------------------------------------------------------------------- */

bool nexus_administrator(struct nexus_call *c)
{
    if (c->role == ROLE_ADMINISTRATOR)
        return true;
    if (c->role == ROLE_NONE)
        nexus_deny(c, 401, "UNAUTHORIZED", "the Authorization header must hold the token of a session: POST /api/v1/auth/login");
    else
        nexus_deny(c, 403, "FORBIDDEN", "only administrators may do this");
    return false;
}

/* The guide writes the token with "Bearer" in one place and without it in another. */
static slice token_of(const struct exchange *x)
{
    slice value = slice_trim(exchange_header(x, "Authorization")), rest = value, scheme = slice_cut(&rest, ' ');
    return slice_eq_nocase(scheme, SL("Bearer")) ? slice_trim(rest) : value;
}

/* False: answered. Nobody being known is no mistake yet. */
static bool identify(struct nexus_call *c)
{
    slice token = token_of(c->x), key = exchange_header(c->x, "x-api-key");
    c->role = token.n ? api_token_role(c->api, token, c->a, &c->user) : api_cookie_role(c->api, c->x, c->a, &c->user);
    if (c->role != ROLE_NONE || !key.n)
        return true;
    const struct api_key *k = apikeys_find(c->api->keys, key);
    if (!k || !apikey_good(k, time_now_ms())) {
        nexus_deny(c, 401, "INVALID_CONTACT_CENTER", "the API key is not valid");
        return false;
    }
    slice client = arena_printf(c->a, "a:" SLF, SLA(api_network(c->a, api_caller(c->api, c->x))));
    int64_t wait_ms = rates_take(c->api->rates, key, client, k->capacity, k->frequency, time_mono_ms());
    if (wait_ms) {
        nexus_deny(c, 429, "TOO_MANY_REQUESTS", "too many calls: try again in %lld ms", (long long)wait_ms);
        return false;
    }
    c->key = k;
    c->user = arena_printf(c->a, "key " SLF, SLA(k->name));
    return true;
}

/* ---- the request -------------------------------------------------------------------------------------------------------------- */

/* clang-format off */
static const struct row {
    const char *path; /* below NEXUS_ROOT; words follow it */
    size_t words_least, words_most;
    void (*fn)(struct nexus_call *c);
} rows[] = {
    { "apikeys",               0, 1, nexus_keys },
    { "provisioning/tenants",  0, 1, nexus_tenants },
    { "provisioning/services", 1, 2, nexus_services },
};
/* clang-format on */

/* False: answered. */
static bool read_body(struct nexus_call *c)
{
    struct fault f = { 0 };
    if (!slice_eq(c->x->method, SL("POST")) && !slice_eq(c->x->method, SL("PUT")))
        return true;
    c->doc = js_parse(c->a, c->x->body, &f);
    if (c->doc && !js_is_object(c->doc))
        fault(&f, "wrong_type", "", "the body must be an object");
    if (f.code) {
        nexus_deny(c, 400, "INVALID_BODY", "%s", f.text);
        return false;
    }
    slice operation = js_text(js_get(c->doc, SL("operationId")));
    if (uuid_valid(operation))
        c->operation = operation;
    return true;
}

/* Who asks is known, as far as it can be. */
static void sought(void *arg)
{
    struct nexus_call *c = arg;
    if (c->api->stopped)
        nexus_deny(c, 503, "UNAVAILABLE", "the hub is going down");
    else if (!identify(c))
        return;
    else if (c->role == ROLE_NONE && !c->key)
        (void)nexus_administrator(c);
    else if (!c->fn)
        nexus_deny(c, 404, "NOT_FOUND", "there is nothing at this address");
    else if (read_body(c))
        c->fn(c);
}

static void on_request(struct exchange *x, void *ctx)
{
    struct api *api = ctx;
    struct nexus_call *c = ARENA_NEW(x->a, struct nexus_call);
    *c = (struct nexus_call){ .api = api, .x = x, .a = x->a, .operation = uuid_make(x->a) };
    slice path = slice_from(x->path, sizeof(NEXUS_ROOT) - 1);
    const struct row *row = rows;
    while (!slice_starts(path, slice_of(row->path))) /* the routes are these rows */
        row++;
    slice rest = slice_from(path, strlen(row->path));
    if (rest.n && rest.p[0] == '/')
        rest = slice_from(rest, 1);
    if (url_words(c->a, rest, c->words, COUNT(c->words), &c->n_words) && c->n_words >= row->words_least && c->n_words <= row->words_most)
        c->fn = row->fn;
    slice token = slice_or(token_of(x), api_cookie_token(x));
    if (token.n)
        session_seek(api->sessions, token, sought, c);
    else
        sought(c);
}

void nexus_start(struct api *api)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        slice path = arena_printf(api->a, NEXUS_ROOT "%s", rows[i].path), below = arena_printf(api->a, SLF "/*", SLA(path));
        server_route(api->setup.server, "*", path.p, NEXUS_BODY_MAX, on_request, api);
        server_route(api->setup.server, "*", below.p, NEXUS_BODY_MAX, on_request, api);
    }
}
