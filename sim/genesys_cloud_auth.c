#include "sim/genesys_cloud.h"

enum { TOKEN_BYTES = 64, WINDOW_MS = 60000 }; /* 86 characters, as the real ones */

/* ---- log in: "2. OAuth" ------------------------------------------------------------------------------------------------------ */

static void login_refused(struct sgc *g, struct sim_call *c, int status, const char *error, const char *text)
{
    g->n.login_refused++;
    struct jw w = sgc_writer(c);
    jw_open(&w, NULL, '{');
    jw_str(&w, "error", slice_of(error));
    jw_str(&w, "description", slice_of(text));
    jw_str(&w, "error_description", slice_of(text));
    jw_close(&w, '}');
    sgc_json(c, status, jw_done(&w));
}

static slice new_token(struct sgc *g)
{
    unsigned char raw[TOKEN_BYTES];
    random_bytes(raw, sizeof(raw));
    slice text = sgc_base64(g->a, slice_mem(raw, sizeof(raw)));
    while (slice_ends(text, SL("=")))
        text.n--;
    char *p = arena_cstr(g->a, text);
    for (size_t i = 0; i < text.n; i++)
        p[i] = p[i] == '+' ? '-' : p[i] == '/' ? '_' : p[i];
    struct sgc_token *t = ARENA_NEW(g->a, struct sgc_token);
    t->text = slice_mem(p, text.n);
    t->expires_ms = time_mono_ms() + g->token_s * 1000;
    sgc_map_put(&g->token_map, t->text, t);
    sgc_list_add(&g->tokens, t);
    return t->text;
}

void sgc_login(struct sim_call *c, void *ctx)
{
    struct sgc *g = ctx;
    slice basic = exchange_header(c->x, "authorization"), pair;
    if (!slice_eq_nocase(slice_sub(basic, 0, 6), SL("Basic ")) ||
        !sgc_unbase64(c->x->a, slice_trim(slice_from(basic, 6)), &pair) ||
        slice_find_char(pair, ':') == SIZE_MAX) {
        login_refused(g, c, 400, "invalid_request", "client credentials are missing");
        return;
    }
    slice id = slice_cut(&pair, ':');
    if (!slice_starts(exchange_header(c->x, "content-type"), SL("application/x-www-form-urlencoded"))) {
        login_refused(g, c, 400, "invalid_request", "the body is not application/x-www-form-urlencoded");
    } else if (!slice_eq(sgc_form(c->x->a, c->x->body, "grant_type"), SL("client_credentials"))) {
        login_refused(g, c, 400, "unsupported_grant_type", "grant_type must be client_credentials");
    } else if (!slice_eq(id, g->client_id)) {
        login_refused(g, c, 400, "invalid_client", "client not found or not active");
    } else if (!bytes_equal_secret(pair, g->client_secret)) {
        login_refused(g, c, 401, "invalid_client", "authentication failed");
    } else {
        g->n.logins++;
        struct jw w = sgc_writer(c);
        jw_open(&w, NULL, '{');
        jw_str(&w, "access_token", new_token(g));
        jw_str(&w, "token_type", SL("bearer"));
        jw_int(&w, "expires_in", g->token_s - (g->token_s > 1));
        jw_close(&w, '}');
        sgc_json(c, 200, jw_done(&w));
    }
}

/* ---- every call: token, rate, permission ------------------------------------------------------------------------------------- */

static struct sgc_token *token_of(const struct sgc *g, slice authorization)
{
    if (!slice_eq_nocase(slice_sub(authorization, 0, 7), SL("Bearer ")))
        return NULL;
    return sgc_map_get(&g->token_map, slice_trim(slice_from(authorization, 7)));
}

static bool alive(const struct sgc_token *t)
{
    return t && !t->dead && time_mono_ms() < t->expires_ms;
}

bool sgc_token_alive(const struct sgc *g, slice authorization)
{
    return alive(token_of(g, authorization));
}

static bool unauthorised(struct sgc *g, struct sim_call *c, const char *code, const char *text)
{
    g->n.unauthorised++;
    sgc_error(c, 401, code, "%s", text);
    return false;
}

/* Counts the call in its token's minute. */
static bool rate_ok(struct sgc *g, struct sim_call *c, struct sgc_token *t)
{
    int64_t now = time_mono_ms();
    if (now - t->window_ms >= WINDOW_MS || t->calls == 0) {
        t->window_ms = now;
        t->calls = 0;
    }
    int64_t left_s = (WINDOW_MS - (now - t->window_ms) + 999) / 1000;
    bool ok = t->calls < g->rate_limit;
    t->calls += ok;
    sim_header(c, "inin-ratelimit-count", arena_printf(c->x->a, "%d", t->calls));
    sim_header(c, "inin-ratelimit-allowed", arena_printf(c->x->a, "%lld", (long long)g->rate_limit));
    sim_header(c, "inin-ratelimit-reset", arena_printf(c->x->a, "%lld", (long long)left_s));
    if (ok)
        return true;
    g->n.rate_limited++;
    sim_header(c, "Retry-After", arena_printf(c->x->a, "%lld", (long long)left_s));
    sgc_error(
        c, 429, "too.many.requests",
        "Rate limit exceeded the maximum. Retry the request in [%lld] seconds, maximum %lld requests within 60 seconds",
        (long long)left_s, (long long)g->rate_limit);
    return false;
}

static bool denied(const struct sgc *g, const char *permission)
{
    slice rest = g->denied;
    while (rest.n)
        if (slice_eq(slice_trim(slice_cut(&rest, ',')), slice_of(permission)))
            return true;
    return false;
}

bool sgc_allowed(struct sgc *g, struct sim_call *c, const char *permission)
{
    g->n.api_calls++;
    slice authorization = exchange_header(c->x, "authorization");
    if (slice_empty(authorization))
        return unauthorised(g, c, "authentication.required",
                            "No authentication bearer token specified in authorization header.");
    struct sgc_token *t = token_of(g, authorization);
    if (!t || t->dead)
        return unauthorised(g, c, "bad.credentials", "Invalid login credentials.");
    if (!alive(t))
        return unauthorised(g, c, "credentials.expired", "The supplied credentials have expired.");
    if (g->rate_limit && !rate_ok(g, c, t))
        return false;
    if (permission && denied(g, permission)) {
        sgc_error(c, 403, "missing.permissions",
                  "Unable to perform the requested action. You are missing the following permission(s): %s",
                  permission);
        return false;
    }
    return true;
}

/* ---- who am I ---------------------------------------------------------------------------------------------------------------- */

static void named(struct jw *w, const char *key, slice id, slice name)
{
    jw_open(w, key, '{');
    jw_str(w, "id", id);
    jw_str(w, "name", name);
    jw_close(w, '}');
}

static void token_get(struct sgc *g, struct sim_call *c)
{
    struct jw w = sgc_writer(c);
    jw_open(&w, NULL, '{');
    named(&w, "organization", g->org_id, SL("Simulated organisation"));
    named(&w, "homeOrganization", g->org_id, SL("Simulated organisation"));
    jw_open(&w, "authorizedScope", '[');
    jw_close(&w, ']');
    jw_open(&w, "OAuthClient", '{');
    jw_str(&w, "id", g->client_id);
    jw_str(&w, "name", SL("hub"));
    named(&w, "organization", g->org_id, SL("Simulated organisation"));
    jw_close(&w, '}');
    jw_close(&w, '}');
    sgc_json(c, 200, jw_done(&w));
}

static void token_head(struct sgc *g, struct sim_call *c)
{
    (void)g;
    sgc_correlate(c);
    sim_answer(c, 200, SLICE_NONE, SLICE_NONE);
}

static void token_delete(struct sgc *g, struct sim_call *c)
{
    token_of(g, exchange_header(c->x, "authorization"))->dead = true;
    token_head(g, c);
}

static void organization(struct sgc *g, struct sim_call *c)
{
    struct jw w = sgc_writer(c);
    jw_open(&w, NULL, '{');
    jw_str(&w, "id", g->org_id);
    jw_str(&w, "name", SL("Simulated organisation"));
    jw_str(&w, "defaultLanguage", SL("en-US"));
    jw_str(&w, "defaultCountryCode", SL("JP"));
    jw_str(&w, "thirdPartyOrgName", SL("simulated"));
    jw_str(&w, "domain", SL("simulated"));
    jw_int(&w, "version", 1);
    jw_str(&w, "state", SL("active"));
    jw_str(&w, "productPlatform", SL("GenesysCloud"));
    jw_str(&w, "selfUri", SL("/api/v2/organizations/me"));
    jw_close(&w, '}');
    sgc_json(c, 200, jw_done(&w));
}

/* clang-format off */
const struct sgc_route sgc_auth_routes[] = {
    { "GET",    "/api/v2/tokens/me",        NULL, token_get },
    { "HEAD",   "/api/v2/tokens/me",        NULL, token_head },
    { "DELETE", "/api/v2/tokens/me",        NULL, token_delete },
    { "GET",    "/api/v2/organizations/me", NULL, organization },
};
/* clang-format on */
const size_t sgc_auth_n = COUNT(sgc_auth_routes);
