/* box.c - plays Box: tokens by JWT and by client credentials, folders, files (uploads in one call and in parts), shared links, the trash.
 *
 *   dragoman sim box --listen 127.0.0.1:9006
 *
 * Set in the hub: config: what GET /sim/config shows, or client_id: sim-client, client_secret: sim-secret, enterprise_id: 123456; endpoint and upload_endpoint:
 * http://127.0.0.1:9006.
 *
 * Control API
 *   GET    /sim/config                    the app's settings file, its key made at the start and encrypted
 *   GET    /sim/objects                   {"objects":[{"type","id","name","size","sha1",…,"trashed"}]}
 *   POST   /sim/state                     {"revoked":true}: the app is not authorised any more; {"expired":true}: what tokens it has are too old; {"forbidden":true}: it has
 *                                         no rights; {"no_open":true}: links open only for the company; {"full":true}; {"retained":true}: nothing leaves the trash;
 *                                         {"slow":true}: commits are answered 202 at first; {"clock_s":600}: its clock
 *   GET    /sim/counters                  {"objects","puts","parts","tokens","links"}
 *   GET|POST|DELETE /sim/faults           faults.h
 */
#include "sim/box.h"
#include "wire/http_date.h"
#include "wire/url.h"
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

/* clang-format off */
static const struct sim_option options[] = {
    { "client-id",     "TEXT", "sim-client", "of the app" },
    { "client-secret", "TEXT", "sim-secret", "of the app" },
    { "enterprise",    "ID",   "123456",     "that authorised the app" },
    { "user",          "ID",   "777",        "as whom the app may act" },
    { "token-life-s",  "S",    "3600",       "of access tokens" },
    { "part-bytes",    "N",    "8388608",    "of each part of a long upload" },
};
/* clang-format on */
#define PASSPHRASE "sim-passphrase"
#define KEY_ID "simkey01"
#define AUDIENCE "https://api.box.com/oauth2/token"

/* ---- answers ------------------------------------------------------------------------------------------------------------------- */

static void error_open(struct jw *w, int status, const char *code, const char *message)
{
    jw_open(w, NULL, '{');
    jw_str(w, "type", SL("error"));
    jw_int(w, "status", status);
    jw_str(w, "code", slice_of(code));
    jw_str(w, "message", slice_of(message));
    jw_str(w, "request_id", SL("sim"));
    jw_str(w, "help_url", SL("http://developers.box.com/docs/#errors"));
}

void sbox_error(struct sim_call *c, int status, const char *code, const char *message)
{
    struct jw w = jw_new(c->x->a, SBOX_JSON_MAX);
    error_open(&w, status, code, message);
    jw_close(&w, '}');
    sim_json(c, status, jw_done(&w));
}

void sbox_conflict(struct sim_call *c, const struct sbox_item *there)
{
    struct jw w = jw_new(c->x->a, SBOX_JSON_MAX);
    error_open(&w, 409, "item_name_in_use", "Item with the same name already exists");
    jw_open(&w, "context_info", '{');
    if (there->folder)
        jw_open(&w, "conflicts", '[');
    jw_open(&w, there->folder ? NULL : "conflicts", '{');
    jw_str(&w, "type", there->folder ? SL("folder") : SL("file"));
    jw_str(&w, "id", slice_of(there->id));
    if (!there->folder)
        jw_str(&w, "sha1", slice_of(there->sha1));
    jw_str(&w, "name", slice_of(there->name));
    jw_close(&w, '}');
    if (there->folder)
        jw_close(&w, ']');
    jw_close(&w, '}');
    jw_close(&w, '}');
    sim_json(c, 409, jw_done(&w));
}

static void sbox_refuse(struct sim_call *c, int status)
{
    static const struct {
        int status;
        const char *code, *message;
    } rows[] = {
        { 401, "unauthorized", "Unauthorized" },
        { 403, "access_denied_insufficient_permissions", "Access denied - insufficient permission" },
        { 404, "not_found", "Not Found" },
        { 409, "operation_blocked_temporary", "The operation is blocked by another ongoing operation" },
        { 429, "rate_limit_exceeded", "Request rate limit exceeded, please try again later" },
        { 503, "unavailable", "Unavailable" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (rows[i].status == status) {
            sbox_error(c, status, rows[i].code, rows[i].message);
            return;
        }
    }
    sbox_error(c, status, status >= 500 ? "internal_server_error" : "bad_request", "Refused");
}

/* ---- who may --------------------------------------------------------------------------------------------------------------------- */

bool sbox_may(struct sbox *b, struct sim_call *c)
{
    slice given = exchange_header(c->x, "Authorization");
    if (!slice_starts(given, SL("Bearer ")) || !shelf_get(b->tokens, slice_from(given, 7)) || b->revoked) {
        sim_header(c, "WWW-Authenticate", SL("Bearer realm=\"Service\", error=\"invalid_token\", error_description=\"The access token provided is invalid.\""));
        sim_answer(c, 401, SLICE_NONE, SLICE_NONE);
        return false;
    }
    if (b->forbidden) {
        sbox_refuse(c, 403);
        return false;
    }
    return true;
}

static int64_t now_ms(const struct sbox *b)
{
    return time_now_ms() + b->clock_ms;
}

static const char *subject_wrong(const struct sbox *b, slice kind, slice id)
{
    bool enterprise = slice_eq(kind, SL("enterprise"));
    if (!enterprise && !slice_eq(kind, SL("user")))
        return "Please check the 'box_sub_type' claim.";
    return slice_eq(id, sim_option(b->env, enterprise ? "enterprise" : "user")) ? NULL : "Please check the 'sub' claim. The 'sub' specified is invalid.";
}

/* NULL: it is good. */
static const char *assertion_wrong(struct sbox *b, struct arena *a, slice jwt)
{
    struct fault f = { 0 };
    int64_t now = now_ms(b), exp = 0;
    struct jwt_rules rules = { .now_ms = now, .iss = sim_option(b->env, "client-id"), .aud = SL(AUDIENCE) };
    const struct js *claims = jwt_verify(a, b->key, jwt, &rules, &f);
    if (!claims)
        return strcmp(f.code, "expired") == 0           ? "Please check the 'exp' claim."
               : strcmp(f.code, "wrong_audience") == 0 ? "Please check the 'aud' claim."
               : strcmp(f.code, "wrong_issuer") == 0   ? "Please check the 'iss' claim."
                                                         : "OAuth JSON Web Signature could not be verified";
    slice kid = jwt_kid(a, jwt), jti = js_text(js_at(claims, "jti")); /* their own library names no key */
    if (kid.n && !slice_eq(kid, SL(KEY_ID)))
        return "OAuth JSON Web Signature could not be verified";
    if (!js_int(js_at(claims, "exp"), &exp) || exp * 1000 > now + SBOX_ASSERTION_S * 1000)
        return "Please check the 'exp' claim.";
    if (jti.n < 16 || jti.n > 128 || shelf_get(b->jtis, jti))
        return "Please check the 'jti' claim. A unique 'jti' value is required.";
    shelf_put(b->jtis, jti, b, time_now_ms());
    return subject_wrong(b, js_text(js_at(claims, "box_sub_type")), js_text(js_at(claims, "sub")));
}

static void token_error(struct sim_call *c, struct sbox *b, const char *error, const char *description)
{
    char date[HTTP_DATE_BYTES];
    http_date(now_ms(b), date);
    sim_header(c, "Date", arena_dup(c->x->a, slice_of(date)));
    sim_json(c, 400, arena_printf(c->x->a, "{\"error\":\"%s\",\"error_description\":\"%s\"}", error, description));
}

static void token_post(struct sim_call *c, void *ctx)
{
    struct sbox *b = ctx;
    struct arena *a = c->x->a;
    slice form = c->x->body, grant = form_get(a, form, SL("grant_type"));
    bool jwt = slice_eq(grant, SL("urn:ietf:params:oauth:grant-type:jwt-bearer"));
    if (!jwt && !slice_eq(grant, SL("client_credentials"))) {
        token_error(c, b, "unsupported_grant_type", "The grant type is not supported");
        return;
    }
    if (!slice_eq(form_get(a, form, SL("client_id")), sim_option(b->env, "client-id")) ||
        !slice_eq(form_get(a, form, SL("client_secret")), sim_option(b->env, "client-secret"))) {
        token_error(c, b, "invalid_client", "The client credentials are invalid");
        return;
    }
    const char *why = jwt ? assertion_wrong(b, a, form_get(a, form, SL("assertion")))
                          : subject_wrong(b, form_get(a, form, SL("box_subject_type")), form_get(a, form, SL("box_subject_id")));
    if (b->revoked || why) {
        token_error(c, b, b->revoked ? "unauthorized_client" : "invalid_grant", b->revoked ? "This app is not authorized by the enterprise admin" : why);
        return;
    }
    slice token = sim_random_hex(&b->env->random, a, 32);
    shelf_put(b->tokens, token, b, time_now_ms());
    b->tokens_given++;
    sim_json(c, 200, arena_printf(a, "{\"access_token\":\"" SLF "\",\"expires_in\":%lld,\"restricted_to\":[],\"token_type\":\"bearer\"}", SLA(token), (long long)b->token_life_s));
}

/* ---- control ------------------------------------------------------------------------------------------------------------------------ */

static void config_get(struct sim_call *c, void *ctx)
{
    struct sbox *b = ctx;
    struct jw w = jw_new(c->x->a, 16384);
    jw_open(&w, NULL, '{');
    jw_open(&w, "boxAppSettings", '{');
    jw_str(&w, "clientID", sim_option(b->env, "client-id"));
    jw_str(&w, "clientSecret", sim_option(b->env, "client-secret"));
    jw_open(&w, "appAuth", '{');
    jw_str(&w, "publicKeyID", SL(KEY_ID));
    jw_str(&w, "privateKey", slice_of(b->pem));
    jw_str(&w, "passphrase", SL(PASSPHRASE));
    jw_close(&w, '}');
    jw_close(&w, '}');
    jw_str(&w, "enterpriseID", sim_option(b->env, "enterprise"));
    jw_close(&w, '}');
    sim_json(c, 200, jw_done(&w));
}

static void objects_show(struct sim_call *c, void *ctx)
{
    struct sbox *b = ctx;
    struct jw w = jw_new(c->x->a, 4 << 20);
    jw_open(&w, NULL, '{');
    jw_open(&w, "objects", '[');
    for (const struct sbox_item *f = b->items; f; f = f->next)
        sbox_item_json(&w, NULL, b, f);
    jw_close(&w, ']');
    jw_close(&w, '}');
    sim_json(c, 200, jw_done(&w));
}

static void state_post(struct sim_call *c, void *ctx)
{
    struct sbox *b = ctx;
    struct fault f;
    int64_t clock_s;
    const struct js *doc = js_parse(c->x->a, c->x->body, &f);
    struct { const char *name; bool *flag; } flags[] = { { "revoked", &b->revoked }, { "forbidden", &b->forbidden }, { "no_open", &b->no_open },
                                                         { "full", &b->full }, { "retained", &b->retained }, { "slow", &b->slow } };
    if (!doc) {
        sim_fault(c, 400, &f);
        return;
    }
    for (size_t i = 0; i < COUNT(flags); i++)
        if (js_at(doc, flags[i].name))
            *flags[i].flag = js_true(js_at(doc, flags[i].name));
    if (js_int(js_at(doc, "clock_s"), &clock_s))
        b->clock_ms = clock_s * 1000;
    if (js_true(js_at(doc, "expired"))) {
        shelf_free(b->tokens);
        b->tokens = shelf_new(SBOX_TOKENS_KEPT, b->token_life_s * 1000, NULL);
    }
    sim_json(c, 200, SL("{}"));
}

static void counters_get(struct sim_call *c, void *ctx)
{
    struct sbox *b = ctx;
    size_t n = 0;
    for (const struct sbox_item *f = b->items; f; f = f->next)
        n += !f->folder;
    sim_json(c, 200, arena_printf(c->x->a, "{\"objects\":%zu,\"puts\":%llu,\"parts\":%llu,\"tokens\":%llu,\"links\":%llu}", n, (unsigned long long)b->puts,
                                  (unsigned long long)b->parts, (unsigned long long)b->tokens_given, (unsigned long long)b->links_made));
}

/* clang-format off */
static const struct sim_route routes[] = {
    { "GET",  "/sim/config",   config_get,   SIM_CONTROL },
    { "GET",  "/sim/objects",  objects_show, SIM_CONTROL },
    { "POST", "/sim/state",    state_post,   SIM_CONTROL },
    { "GET",  "/sim/counters", counters_get, SIM_CONTROL },
    { "POST", "/oauth2/token", token_post,   0 },
};
/* clang-format on */

/* ---- life ------------------------------------------------------------------------------------------------------------------------------- */

static bool key_make(struct sbox *b, struct fault *f)
{
    enum { BITS = 2048 };
    EVP_PKEY *rsa = EVP_RSA_gen(BITS);
    BIO *out = BIO_new(BIO_s_mem());
    char *text = NULL;
    long n = 0;
    if (rsa && out && PEM_write_bio_PKCS8PrivateKey(out, rsa, EVP_aes_256_cbc(), PASSPHRASE, (int)strlen(PASSPHRASE), NULL, NULL) == 1)
        n = BIO_get_mem_data(out, &text);
    b->pem = n > 0 ? sbox_copy(slice_mem(text, (size_t)n)) : NULL;
    b->key = b->pem ? jwt_key_pem_locked(slice_of(b->pem), SL(PASSPHRASE), f) : NULL;
    BIO_free(out);
    EVP_PKEY_free(rsa);
    return b->key || fault(f, "refused", "", "cannot make a key");
}

static void sbox_stop(void *state)
{
    struct sbox *b = state;
    sbox_sessions_free(b);
    sbox_items_free(b);
    shelf_free(b->tokens);
    shelf_free(b->jtis);
    shelf_free(b->downloads);
    jwt_key_free(b->key);
    free(b->pem);
    free(b);
}

static void *sbox_start(struct sim_env *env, struct fault *f)
{
    enum { DOWNLOAD_MS = 900000 };
    struct sbox *b = must_calloc(1, sizeof(*b));
    env->state = b;
    b->env = env;
    b->next_id = 1000000000;
    b->jtis = shelf_new(SBOX_TOKENS_KEPT, 0, NULL);
    b->downloads = shelf_new(SBOX_TOKENS_KEPT, DOWNLOAD_MS, free);
    if (!sim_option_int(env, "token-life-s", 1, 4200, &b->token_life_s, f) || !sim_option_int(env, "part-bytes", 1, 64 << 20, &b->part_bytes, f) || !key_make(b, f))
        return NULL;
    b->tokens = shelf_new(SBOX_TOKENS_KEPT, b->token_life_s * 1000, NULL);
    sim_routes(env, routes, COUNT(routes), b, NULL);
    sbox_upload_routes(b);
    sbox_files_routes(b);
    return b;
}

const struct sim sim_box = {
    .name = "box",
    .title = "Box",
    .options = options,
    .n_options = COUNT(options),
    .start = sbox_start,
    .stop = sbox_stop,
    .refuse = sbox_refuse,
};
