/* teams_auth.c - the log-in: keys, the tokens we sign, and those we give the bot. Sections "Inbound authentication", "Outbound token". */
#include "sim/shelf.h"
#include "sim/sign.h"
#include "sim/teams.h"

/* ---- keys --------------------------------------------------------------------------------------------------------------------- */

void stm_key_new(struct stm *s)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    sign_key_free(s->keys[STM_KEYS - 1]);
    for (size_t i = STM_KEYS - 1; i > 0; i--) {
        s->keys[i] = s->keys[i - 1];
        memcpy(s->kids[i], s->kids[i - 1], sizeof(s->kids[i]));
    }
    s->keys[0] = sign_key_new();
    snprintf(s->kids[0], sizeof(s->kids[0]), SLF, SLA(sim_random_hex(&s->env->random, a, 20)));
}

static void get_openid(struct sim_call *c, void *ctx)
{
    struct stm *s = ctx;
    slice base = s->env->base_url;
    sim_json(c, 200, arena_printf(c->x->a,
                                  "{\"issuer\":\"https://api.botframework.com\",\"authorization_endpoint\":\"https://invalid.botframework.com\","
                                  "\"jwks_uri\":\"" SLF "/v1/.well-known/keys\",\"id_token_signing_alg_values_supported\":[\"RS256\"],"
                                  "\"token_endpoint_auth_methods_supported\":[\"private_key_jwt\"]}", SLA(base)));
}

static void put_key(struct jw *w, const struct stm *s, struct arena *a, size_t i, const char *kid, const char *endorsed)
{
    slice n, e;
    sign_key_numbers(a, s->keys[i], &n, &e);
    jw_open(w, NULL, '{');
    jw_str(w, "kty", SL("RSA"));
    jw_str(w, "use", SL("sig"));
    jw_str(w, "kid", slice_of(kid));
    jw_str(w, "x5t", slice_of(kid));
    jw_str(w, "n", n);
    jw_str(w, "e", e);
    jw_open(w, "endorsements", '[');
    if (endorsed)
        jw_str(w, NULL, slice_of(endorsed));
    jw_close(w, ']');
    jw_close(w, '}');
}

/* The key "unendorsed" is the newest under another name, and may not sign for Teams. */
static void get_keys(struct sim_call *c, void *ctx)
{
    struct stm *s = ctx;
    struct jw w = jw_new(c->x->a, 64 << 10);
    s->key_fetches++;
    jw_open(&w, NULL, '{');
    jw_open(&w, "keys", '[');
    for (size_t i = 0; i < STM_KEYS && s->keys[i]; i++)
        put_key(&w, s, c->x->a, i, s->kids[i], "msteams");
    put_key(&w, s, c->x->a, 0, "unendorsed", "webchat");
    jw_close(&w, ']');
    jw_close(&w, '}');
    sim_json(c, 200, jw_done(&w));
}

static void post_keys(struct sim_call *c, void *ctx)
{
    struct stm *s = ctx;
    if (js_true(js_at(js_parse(c->x->a, c->x->body, NULL), "rotate")))
        stm_key_new(s);
    sim_json(c, 200, arena_printf(c->x->a, "{\"kid\":\"%s\"}", s->kids[0]));
}

/* ---- what we sign ------------------------------------------------------------------------------------------------------------- */

static bool is(const char *forge, const char *what)
{
    return forge && strcmp(forge, what) == 0;
}

slice stm_bearer(struct stm *s, struct arena *a, const char *forge)
{
    enum { LIFE_S = 3600, LATE_S = 400 };
    int64_t now_s = time_now_ms() / 1000;
    int64_t from_s = is(forge, "expired") ? now_s - LIFE_S - LATE_S : is(forge, "early") ? now_s + LATE_S : now_s;
    slice service = is(forge, "service") ? SL("https://evil.example/emea/") : stm_service_url(s, a);
    struct jw h = jw_new(a, 1024), w = jw_new(a, 4096);
    jw_open(&h, NULL, '{');
    jw_str(&h, "alg", is(forge, "none") ? SL("none") : SL("RS256"));
    jw_str(&h, "kid", is(forge, "kid") ? SL("nobody") : is(forge, "endorsement") ? SL("unendorsed") : slice_of(s->kids[0]));
    jw_str(&h, "x5t", slice_of(s->kids[0]));
    jw_str(&h, "typ", SL("JWT"));
    jw_close(&h, '}');
    jw_open(&w, NULL, '{');
    jw_str(&w, "serviceurl", service);
    jw_int(&w, "nbf", from_s);
    jw_int(&w, "exp", from_s + LIFE_S);
    jw_str(&w, "iss", is(forge, "issuer") ? SL("https://sts.windows.net/d6d49420-f39b-4df7-a1dc-d59a935871db/") : SL("https://api.botframework.com"));
    jw_str(&w, "aud", is(forge, "audience") ? SL("99999999-2222-3333-4444-555555555555") : s->bot_id);
    jw_close(&w, '}');
    slice text = arena_printf(a, SLF "." SLF, SLA(sign_base64url(a, jw_done(&h))), SLA(sign_base64url(a, jw_done(&w))));
    slice signature = is(forge, "none") ? SL("") : sign_rs256(a, s->keys[0], is(forge, "signature") ? SL("something else") : text);
    return arena_printf(a, "Bearer " SLF "." SLF, SLA(text), SLA(signature));
}

/* ---- the bot's token ------------------------------------------------------------------------------------------------------------ */

static void token_error(struct sim_call *c, int status, const char *error, int code, const char *text)
{
    struct jw w = jw_new(c->x->a, 4096);
    jw_open(&w, NULL, '{');
    jw_str(&w, "error", slice_of(error));
    jw_str(&w, "error_description", arena_printf(c->x->a, "AADSTS%d: %s", code, text));
    jw_open(&w, "error_codes", '[');
    jw_int(&w, NULL, code);
    jw_close(&w, ']');
    jw_close(&w, '}');
    sim_json(c, status, jw_done(&w));
}

static void post_token(struct sim_call *c, void *ctx)
{
    struct stm *s = ctx;
    struct exchange form = { .a = c->x->a, .query = c->x->body }; /* read as a query is */
    s->token_requests++;
    if (!slice_eq(exchange_query(&form, "grant_type"), SL("client_credentials"))) {
        token_error(c, 400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type.");
    } else if (!slice_eq_nocase(c->params[0], s->authority) || !slice_eq_nocase(exchange_query(&form, "client_id"), s->bot_id)) {
        token_error(c, 400, "unauthorized_client", 700016, "Application with identifier was not found in the directory.");
    } else if (!slice_eq(exchange_query(&form, "client_secret"), s->bot_secret)) {
        token_error(c, 401, "invalid_client", 7000215, "Invalid client secret provided.");
    } else if (!slice_eq(exchange_query(&form, "scope"), SL("https://api.botframework.com/.default"))) {
        token_error(c, 400, "invalid_scope", 70011, "The provided value for the input parameter 'scope' is not valid.");
    } else {
        slice token = arena_printf(c->x->a, "eyJ0eXAi." SLF, SLA(sim_random_hex(&s->env->random, c->x->a, 40)));
        int64_t *until = must_malloc(sizeof(*until));
        *until = time_mono_ms() + s->token_s * 1000;
        shelf_put(s->tokens, token, until, time_mono_ms());
        sim_json(c, 200, arena_printf(c->x->a, "{\"token_type\":\"Bearer\",\"expires_in\":%lld,\"ext_expires_in\":%lld,\"access_token\":\"" SLF "\"}",
                                      (long long)s->token_s, (long long)s->token_s, SLA(token)));
    }
}

bool stm_token_ok(struct stm *s, struct sim_call *c)
{
    slice given = exchange_header(c->x, "Authorization");
    const int64_t *until = slice_starts(given, SL("Bearer ")) ? shelf_get(s->tokens, slice_from(given, 7)) : NULL;
    if (until && time_mono_ms() < *until)
        return true;
    sim_json(c, 401, SL("{\"message\":\"Authorization has been denied for this request.\"}"));
    return false;
}

static const struct sim_route routes[] = {
    { "GET", "/v1/.well-known/openidconfiguration", get_openid, 0 },
    { "GET", "/v1/.well-known/keys", get_keys, 0 },
    { "POST", "/:tenant/oauth2/v2.0/token", post_token, 0 },
    { "POST", "/sim/keys", post_keys, SIM_CONTROL },
};

void stm_auth_routes(struct stm *s)
{
    sim_routes(s->env, routes, COUNT(routes), s, NULL);
}
