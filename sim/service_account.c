#include "sim/service_account.h"
#include "sim/shelf.h"
#include "wire/url.h"
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

/* ---- tokens --------------------------------------------------------------------------------------------------------- */

static void oauth_error(struct sim_call *c, const char *error, const char *description)
{
    struct jw w = jw_new(c->x->a, 4096);
    jw_open(&w, NULL, '{');
    jw_str(&w, "error", slice_of(error));
    jw_str(&w, "error_description", slice_of(description));
    jw_close(&w, '}');
    sim_json(c, 400, jw_done(&w));
}

void sim_account_token(struct sim_call *c, void *ctx)
{
    struct sim_account *s = ctx;
    struct arena *a = c->x->a;
    struct fault f = { 0 };
    slice grant = form_get(a, c->x->body, SL("grant_type")), jwt = form_get(a, c->x->body, SL("assertion"));
    struct jwt_rules rules = { .now_ms = time_now_ms(), .leeway_ms = SIM_ACCOUNT_CLOCK_MS, .iss = s->email,
                               .aud = arena_printf(a, SLF "/token", SLA(s->env->base_url)) };
    if (!slice_eq(grant, SL("urn:ietf:params:oauth:grant-type:jwt-bearer"))) {
        oauth_error(c, "unsupported_grant_type", "Invalid grant_type");
        return;
    }
    const struct js *claims = jwt_verify(a, s->key, jwt, &rules, &f);
    int64_t iat = 0, exp = 0;
    bool timed = claims && js_int(js_at(claims, "iat"), &iat) && js_int(js_at(claims, "exp"), &exp);
    if (s->revoked || !slice_eq(jwt_kid(a, jwt), s->key_id)) {
        oauth_error(c, "invalid_grant", "Invalid JWT Signature.");
    } else if (!claims) {
        oauth_error(c, "invalid_grant", strcmp(f.code, "bad_token") == 0 ? "Invalid JWT Signature." : "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.");
    } else if (!timed || exp - iat > 3600 || iat * 1000 > rules.now_ms + SIM_ACCOUNT_CLOCK_MS) {
        oauth_error(c, "invalid_grant", "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.");
    } else if (slice_find(js_text(js_at(claims, "scope")), slice_of(s->scope)) == SIZE_MAX) {
        oauth_error(c, "invalid_scope", "Invalid OAuth scope or ID token audience provided.");
    } else {
        slice token = arena_printf(a, "ya29." SLF, SLA(sim_random_hex(&s->env->random, a, 48)));
        shelf_put(s->tokens, token, s, rules.now_ms);
        s->given++;
        sim_json(c, 200, arena_printf(a, "{\"access_token\":\"" SLF "\",\"expires_in\":%lld,\"token_type\":\"Bearer\"}", SLA(token), (long long)s->token_life_s));
    }
}

bool sim_account_knows(const struct sim_account *s, const struct sim_call *c)
{
    slice given = exchange_header(c->x, "Authorization");
    return !s->revoked && slice_starts(given, SL("Bearer ")) && shelf_get(s->tokens, slice_from(given, 7)) != NULL;
}

/* ---- its key file ---------------------------------------------------------------------------------------------------- */

void sim_account_get(struct sim_call *c, void *ctx)
{
    const struct sim_account *s = ctx;
    struct jw w = jw_new(c->x->a, 16384);
    jw_open(&w, NULL, '{');
    jw_str(&w, "type", SL("service_account"));
    jw_str(&w, "project_id", s->project);
    jw_str(&w, "private_key_id", s->key_id);
    jw_str(&w, "private_key", slice_of(s->pem));
    jw_str(&w, "client_email", s->email);
    jw_str(&w, "client_id", SL("100000000000000000001"));
    jw_str(&w, "auth_uri", SL("https://accounts.google.com/o/oauth2/auth"));
    jw_str(&w, "token_uri", arena_printf(c->x->a, SLF "/token", SLA(s->env->base_url)));
    jw_close(&w, '}');
    sim_json(c, 200, jw_done(&w));
}

static bool key_make(struct sim_account *s, struct fault *f)
{
    enum { BITS = 2048 };
    EVP_PKEY *rsa = EVP_RSA_gen(BITS);
    BIO *out = BIO_new(BIO_s_mem());
    char *text = NULL;
    long n = 0;
    if (rsa && out && PEM_write_bio_PKCS8PrivateKey(out, rsa, NULL, NULL, 0, NULL, NULL) == 1)
        n = BIO_get_mem_data(out, &text);
    s->pem = n > 0 ? strndup(text, (size_t)n) : NULL;
    s->key = s->pem ? jwt_key_pem(slice_of(s->pem), f) : NULL;
    BIO_free(out);
    EVP_PKEY_free(rsa);
    return s->key || fault(f, "refused", "", "cannot make a key");
}

bool sim_account_make(struct sim_account *s, struct sim_env *env, slice email, slice project, const char *scope, int64_t token_life_s, struct fault *f)
{
    *s = (struct sim_account){ .env = env, .email = email, .project = project, .scope = scope, .token_life_s = token_life_s };
    s->key_id = sim_random_hex(&env->random, env->a, 40);
    s->tokens = shelf_new(SIM_ACCOUNT_TOKENS, token_life_s * 1000, NULL);
    return key_make(s, f);
}

void sim_account_done(struct sim_account *s)
{
    shelf_free(s->tokens);
    jwt_key_free(s->key);
    free(s->pem);
}
