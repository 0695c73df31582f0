/* api.c - from the HTTP request to the handler of its operation: path, who is it, may they, is the body good. */
#include "api/api.h"
#include "api/attempts.h"
#include "api/audit.h"
#include "api/call.h"
#include "api/chat/chat.h"
#include "api/contacts/contacts.h"
#include "api/desk/desk.h"
#include "api/events.h"
#include "api/health.h"
#include "api/logins.h"
#include "api/nexus/apikeys.h"
#include "api/nexus/nexus.h"
#include "api/nexus/provisions.h"
#include "api/nexus/rates.h"
#include "api/oidc.h"
#include "api/password.h"
#include "api/session.h"
#include "api/settings.h"
#include "wire/hex.h"
#include "wire/url.h"
#include <arpa/inet.h>

#define API_PREFIX "/api/v1"
enum { BODY_MAX = 1 << 20, RESTORE_BODY_MAX = 32 << 20, DESK_FILE_MAX = 25 << 20 };

/* ---- answering ------------------------------------------------------------------------------------------------------- */

void api_header(struct api_call *c, const char *name, slice value)
{
    assert(c->n_headers < COUNT(c->headers));
    c->headers[c->n_headers++] = (struct header){ slice_of(name), value };
}

struct jw api_json(struct api_call *c)
{
    struct jw w = jw_new(c->a, API_ANSWER_MAX);
    jw_open(&w, NULL, '{');
    return w;
}

void api_answer_json(struct api_call *c, int status, slice json)
{
    api_header(c, "Cache-Control", SL("no-store"));
    exchange_answer(c->x, &(struct response){ .status = status, .type = SL("application/json"), .body = json, .headers = c->headers,
                                              .n_headers = c->n_headers });
}

void api_answer(struct api_call *c, struct jw *w)
{
    jw_close(w, '}');
    slice json = jw_done(w);
    if (json.p)
        api_answer_json(c, c->op->status, json);
    else
        api_problem(c, 500, "too_large", NULL, "the answer is longer than %d bytes; ask for less", API_ANSWER_MAX);
}

void api_empty(struct api_call *c)
{
    api_header(c, "Cache-Control", SL("no-store"));
    exchange_answer(c->x, &(struct response){ .status = c->op->status, .headers = c->headers, .n_headers = c->n_headers });
}

slice api_root(const struct api *api)
{
    return slice_or(api->setup.root, api->hub->public_url);
}

/* ---- reading --------------------------------------------------------------------------------------------------------- */

bool api_etag(struct api_call *c, int64_t rev)
{
    slice tag = arena_printf(c->a, "\"%lld\"", (long long)rev);
    slice known = exchange_header(c->x, "If-None-Match");
    api_header(c, "ETag", tag);
    if (!known.n || slice_find(known, tag) == SIZE_MAX)
        return true;
    exchange_answer(c->x, &(struct response){ .status = 304, .headers = c->headers, .n_headers = c->n_headers });
    return false;
}

bool api_if_match(struct api_call *c, int64_t *ret_rev)
{
    slice want = slice_trim(exchange_header(c->x, "If-Match"));
    *ret_rev = -1;
    if (!want.n || slice_eq(want, SL("*")))
        return true;
    if (want.n > 2 && want.p[0] == '"' && want.p[want.n - 1] == '"' && slice_int(slice_sub(want, 1, want.n - 2), ret_rev) && *ret_rev >= 0)
        return true;
    api_problem(c, 412, "changed", "If-Match", "the revision of If-Match is none that this hub gave");
    return false;
}

slice api_query(struct api_call *c, const char *name)
{
    slice v = exchange_query(c->x, name);
    return v.n ? v : SLICE_NONE;
}

bool api_query_number(struct api_call *c, const char *name, int64_t min, int64_t max, int64_t otherwise, int64_t *ret)
{
    slice text = api_query(c, name);
    *ret = otherwise;
    if (!text.n || (slice_int(text, ret) && *ret >= min && *ret <= max))
        return true;
    api_problem(c, 400, "out_of_range", name, "must be a whole number between %lld and %lld", (long long)min, (long long)max);
    return false;
}

bool api_page(struct api_call *c, struct api_page *ret, int64_t otherwise)
{
    *ret = (struct api_page){ .c = c, .after = api_query(c, "after") };
    if (!api_query_number(c, "limit", 1, API_PAGE_MAX, otherwise, &ret->left))
        return false;
    ret->begun = !ret->after.n;
    if (!ret->left)
        ret->left = INT64_MAX;
    return true;
}

bool api_page_has(struct api_page *p, slice key, bool wanted)
{
    if (!p->begun) {
        p->begun = slice_eq(key, p->after);
        return false;
    }
    if (!wanted || p->next.n)
        return false;
    if (p->left == 0) {
        p->next = p->last;
        return false;
    }
    p->left--;
    p->last = key;
    return true;
}

bool api_page_end(struct api_page *p, struct jw *w)
{
    if (!p->begun) {
        api_problem(p->c, 400, "out_of_range", "after", "is no cursor of this list, or the list has changed: read it from its beginning");
        return false;
    }
    if (p->next.n)
        jw_str(w, "next", p->next);
    else
        jw_null(w, "next");
    return true;
}

/* ---- who is it ------------------------------------------------------------------------------------------------------- */

/* Our own pages only: another site's form or script may send the cookie along, but not this header, and not from this origin. */
static bool from_our_page(const struct api *api, const struct exchange *x, struct arena *a)
{
    slice origin = exchange_header(x, "Origin");
    if (!exchange_header(x, "X-Dragoman").n)
        return false;
    if (!origin.n)
        return true;
    struct url u;
    slice host = exchange_header(x, "Host");
    slice behind = slice_from(origin, slice_find(origin, SL("://")) == SIZE_MAX ? origin.n : slice_find(origin, SL("://")) + 3);
    if (host.n && slice_eq_nocase(behind, host))
        return true;
    return url_parse(a, api_root(api), &u, NULL) && slice_eq_nocase(url_origin(a, &u), origin);
}

static bool is_unsafe(slice method)
{
    return !slice_eq(method, SL("GET")) && !slice_eq(method, SL("HEAD"));
}

slice api_cookie_token(const struct exchange *x)
{
    slice rest = exchange_header(x, "Cookie");
    while (rest.p) {
        slice value = slice_trim(slice_cut(&rest, ';'));
        if (slice_eq(slice_cut(&value, '='), SL(SESSION_COOKIE)))
            return value;
    }
    return SLICE_NONE;
}

static slice bearer_token(const struct api_call *c)
{
    slice value = exchange_header(c->x, "Authorization");
    slice scheme = slice_cut(&value, ' ');
    return slice_eq_nocase(scheme, SL("Bearer")) ? slice_trim(value) : SLICE_NONE;
}

enum role api_token_role(struct api *api, slice token, struct arena *a, slice *ret_user)
{
    struct session *session = token.n ? session_find(api->sessions, token) : NULL;
    const struct login *login = session ? login_find(api->logins, slice_of(session->user)) : NULL;
    if (!login)
        return ROLE_NONE;
    *ret_user = arena_dup(a, slice_of(login->user));
    return login->role;
}

enum role api_cookie_role(struct api *api, const struct exchange *x, struct arena *a, slice *ret_user)
{
    bool may = !is_unsafe(x->method) || from_our_page(api, x, a);
    return may ? api_token_role(api, api_cookie_token(x), a, ret_user) : ROLE_NONE;
}

/* A header counts, also a wrong one; else the cookie. */
static bool comes_by_cookie(const struct api_call *c)
{
    return !exchange_header(c->x, "Authorization").p;
}

static slice token_of(const struct api_call *c)
{
    return comes_by_cookie(c) ? api_cookie_token(c->x) : bearer_token(c);
}

/* False: answered. Nobody being logged in is no mistake here. */
static bool identify(struct api_call *c)
{
    slice token = token_of(c);
    bool by_cookie = comes_by_cookie(c);
    if (!token.n)
        return true;
    c->session = session_find(c->api->sessions, token);
    if (!c->session)
        return true;
    const struct login *login = login_find(c->api->logins, slice_of(c->session->user));
    if (!login)
        return true;
    if (by_cookie && is_unsafe(c->x->method) && !from_our_page(c->api, c->x, c->a)) {
        api_problem(c, 403, "forgery", "X-Dragoman", "with the cookie, changes need the header X-Dragoman: 1 and a page of this hub");
        return false;
    }
    c->user = arena_dup(c->a, slice_of(login->user));
    c->role = login->role;
    return true;
}

static bool allowed(struct api_call *c)
{
    if (c->op->may == MAY_ALL || c->op->may & MAY_TENANT)
        return true;
    if (c->role == ROLE_NONE) {
        api_header(c, "WWW-Authenticate", SL("Bearer"));
        api_problem(c, 401, "unauthorized", "Authorization", "log in first: POST /api/v1/auth/login; the token may have ended");
        return false;
    }
    if (c->op->may & (1u << c->role))
        return true;
    api_problem(c, 403, "forbidden", NULL, "the role %s may not do this", role_names[c->role]);
    return false;
}

/* ---- the body -------------------------------------------------------------------------------------------------------- */

static bool json_type(slice type)
{
    type = slice_trim(slice_cut(&type, ';'));
    return slice_eq_nocase(type, SL("application/json")) || slice_eq_nocase(type, SL("application/merge-patch+json"));
}

/* False: answered. */
static bool read_body(struct api_call *c)
{
    struct fault f = { 0 };
    const char *name = c->op->request;
    if (!name)
        return true;
    slice type = exchange_header(c->x, "Content-Type");
    const struct schema *s = schema_find(name);
    if (!c->x->body.n && s && schema_is_optional(s)) { /* nothing in it must be said */
        c->body = js_parse(c->a, SL("{}"), &f);
        return true;
    }
    if (!c->x->body.n) {
        api_problem(c, 400, "missing_field", NULL, "a body is needed: JSON of the shape %s of /api/v1/openapi", name);
        return false;
    }
    if (!json_type(type)) {
        api_problem(c, 415, "unsupported", "Content-Type", "the body must be application/json");
        return false;
    }
    c->body = js_parse(c->a, c->x->body, &f);
    if (!c->body) {
        api_fault(c, 400, &f);
        return false;
    }
    struct problems p = { .a = c->a };
    if (s ? schema_check(s, c->body, SLICE_NONE, &p) : js_is_object(c->body))
        return true;
    if (!p.n)
        problem_add(&p, SLICE_NONE, "the body must be an object");
    api_problems(c, 400, "invalid", &p);
    return false;
}

/* ---- the request ----------------------------------------------------------------------------------------------------- */

/* The address so far from the end (1: the last) of X-Forwarded-For, or the first. A proxy adds to the list, perhaps as a line of its own behind those that came. */
static slice forwarded_for(const struct exchange *x, int64_t from_end)
{
    slice found = SLICE_NONE;
    for (size_t i = x->n_headers; i-- > 0 && from_end;) {
        slice rest = slice_eq_nocase(x->headers[i].name, SL("X-Forwarded-For")) ? x->headers[i].value : SLICE_NONE;
        for (; rest.p && from_end; from_end--) {
            size_t comma = slice_find_last(rest, ',');
            found = slice_trim(comma == SIZE_MAX ? rest : slice_from(rest, comma + 1));
            rest = comma == SIZE_MAX ? SLICE_NONE : slice_sub(rest, 0, comma);
        }
    }
    return found;
}

slice api_caller(const struct api *api, const struct exchange *x)
{
    slice from = forwarded_for(x, api->setup.forwarded);
    bool bare = from.n && slice_find_char(from, '[') == SIZE_MAX && slice_find_char(from, ':') != slice_find_last(from, ':'); /* an IPv6 address */
    from = slice_or(from, x->remote);
    size_t colon = bare || slice_ends(from, SL("]")) ? SIZE_MAX : slice_find_last(from, ':');
    return colon == SIZE_MAX ? from : slice_sub(from, 0, colon);
}

slice api_network(struct arena *a, slice address)
{
    struct in6_addr ip;
    slice bare = slice_starts(address, SL("[")) && slice_ends(address, SL("]")) ? slice_sub(address, 1, address.n - 2) : address;
    if (inet_pton(AF_INET6, arena_cstr(a, bare), &ip) != 1 || IN6_IS_ADDR_V4MAPPED(&ip) || IN6_IS_ADDR_LOOPBACK(&ip))
        return address;
    return arena_join(a, hex_encode(a, slice_mem(ip.s6_addr, sizeof(ip.s6_addr) / 2)), SL("/64"), SLICE_NONE);
}

/* Who asks is known, as far as it can be. */
static void sought(void *arg)
{
    struct api_call *c = arg;
    if (c->api->stopped)
        api_problem(c, 503, "unavailable", NULL, "the hub is going down");
    else if (identify(c) && allowed(c) && read_body(c))
        c->op->fn(c);
}

static void on_request(struct exchange *x, void *ctx)
{
    struct api *api = ctx;
    struct api_call *c = ARENA_NEW(x->a, struct api_call);
    *c = (struct api_call){ .api = api, .hub = api->hub, .x = x, .a = x->a };
    slice allow;
    slice path = slice_from(x->path, sizeof(API_PREFIX) - 1);
    c->address = api_caller(api, x);
    api_header(c, "X-Content-Type-Options", SL("nosniff"));
    enum found_operation found = operation_find(c->a, x->method, path, &c->op, c->params, &allow);
    if (found == OPERATION_NO_PATH) {
        api_problem(c, 404, "not_found", "path", "there is nothing at this address");
        return;
    }
    if (found == OPERATION_NO_METHOD) {
        api_header(c, "Allow", allow);
        api_problem(c, 405, "method_not_allowed", "method", "this address takes " SLF, SLA(allow));
        return;
    }
    slice token = token_of(c);
    if (token.n)
        session_seek(api->sessions, token, sought, c);
    else
        sought(c);
}

/* ---- life ------------------------------------------------------------------------------------------------------------ */

struct api *api_new(const struct api_setup *setup, struct fault *f)
{
    struct arena *a = arena_new();
    struct api *api = ARENA_NEW(a, struct api);
    *api = (struct api){ .setup = *setup, .hub = setup->hub, .a = a };
    api->passwords = passwords_new(api->hub->loop);
    api->attempts = attempts_new();
    api->sessions = sessions_new(api->hub, setup->session_ms, setup->idle_ms);
    api->logins = logins_new(api);
    api->audit = audit_new(api->hub);
    api->settings = settings_new(api);
    api->streams = streams_new(api);
    api->health = health_new(api);
    api->keys = apikeys_new(api->hub);
    api->provisions = provisions_new(api->hub);
    api->rates = rates_new();
    api->contacts = contacts_new(api, setup->data);
    api->chat = chat_new(api);
    api->desk = desk_new(api);
    api->oidc = oidc_new(api);
    if (logins_first(api->logins, f))
        return api;
    api_stop(api);
    api_free(api);
    return NULL;
}

void api_faults(struct server *s)
{
    server_faults(s, &(struct server_fault_style){ "/api/", PROBLEM_TYPE, problem_of_fault });
}

void api_start(struct api *api)
{
    struct server *s = api->setup.server;
    api_faults(s);
    streams_start(api->streams);
    server_route(s, "*", API_PREFIX "/*", BODY_MAX, on_request, api);
    server_route(s, "POST", API_PREFIX "/restore", RESTORE_BODY_MAX, on_request, api);
    contacts_start(api->contacts);
    server_route(s, "POST", API_PREFIX "/desk/files", DESK_FILE_MAX, on_request, api);
    nexus_start(api);
    chat_start(api->chat);
    desk_start(api->desk);
}

void api_control(struct api *api, struct server *control)
{
    contacts_control(api->contacts, control);
}

void api_stop(struct api *api)
{
    if (!api)
        return;
    api->stopped = true;
    passwords_stop(api->passwords);
    desk_stop(api->desk);
    chat_stop(api->chat);
    contacts_stop(api->contacts);
    sessions_stop(api->sessions);
    streams_stop(api->streams);
    health_stop(api->health);
}

void api_free(struct api *api)
{
    if (!api)
        return;
    oidc_free(api->oidc);
    desk_free(api->desk);
    chat_free(api->chat);
    contacts_free(api->contacts);
    rates_free(api->rates);
    provisions_free(api->provisions);
    apikeys_free(api->keys);
    health_free(api->health);
    streams_free(api->streams);
    settings_free(api->settings);
    audit_free(api->audit);
    logins_free(api->logins);
    sessions_free(api->sessions);
    attempts_free(api->attempts);
    passwords_free(api->passwords);
    arena_free(api->a);
}
