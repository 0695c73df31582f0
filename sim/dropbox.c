/* dropbox.c - plays Dropbox: tokens, files (uploads in one call and in sessions), shared and temporary links.
 *
 *   dragoman sim dropbox --listen 127.0.0.1:9005
 *
 * Set in the hub: app_key: sim-app-key; app_secret: sim-app-secret; refresh_token: sim-refresh-token; endpoint and content_endpoint: http://127.0.0.1:9005.
 *
 * Control API
 *   GET    /sim/objects                   {"objects":[{"name","path_display","size","content_hash",…,"shared"}]}
 *   POST   /sim/state                     {"revoked":true}: the refresh token is not accepted any more, nor what it got; {"expired":true}: what was given is too old;
 *                                         {"no_sharing":true}: the app lacks sharing.write; {"no_public":true}: links open only for the team; {"full":true};
 *                                         {"late":true}: temporary links have expired; {"bare":true}: a link that exists comes without its data
 *   GET    /sim/counters                  {"objects","puts","appends","tokens","links"}
 *   GET|POST|DELETE /sim/faults           faults.h
 */
#include "sim/dropbox.h"
#include "wire/base64.h"
#include "wire/hex.h"
#include "wire/url.h"

/* clang-format off */
static const struct sim_option options[] = {
    { "app-key",       "TEXT", "sim-app-key",       "of the app" },
    { "app-secret",    "TEXT", "sim-app-secret",    "of the app" },
    { "refresh-token", "TEXT", "sim-refresh-token", "that an account gave to the app" },
    { "token-life-s",  "S",    "14400",             "of access tokens" },
};
/* clang-format on */

/* ---- answers ------------------------------------------------------------------------------------------------------------------- */

void sdrop_error(struct sim_call *c, int status, const char *summary, slice error)
{
    struct arena *a = c->x->a;
    struct sdrop *d = c->env->state;
    const char *dots = "..." + sim_random_next(&d->env->random) % 3; /* so that nobody compares the whole of it */
    sim_json(c, status, arena_printf(a, "{\"error_summary\":\"%s/%s\",\"error\":" SLF "}", summary, dots, SLA(error)));
}

/* "path/not_found" is {".tag":"path","path":{".tag":"not_found"}} */
void sdrop_tags(struct sim_call *c, int status, const char *summary)
{
    struct arena *a = c->x->a;
    slice rest = slice_of(summary), first = slice_cut(&rest, '/'), second = slice_cut(&rest, '/'), third = slice_cut(&rest, '/');
    slice inner = third.n    ? arena_printf(a, "{\".tag\":\"" SLF "\",\"" SLF "\":{\".tag\":\"" SLF "\"}}", SLA(second), SLA(second), SLA(third))
                  : second.n ? arena_printf(a, "{\".tag\":\"" SLF "\"}", SLA(second))
                             : SLICE_NONE;
    sdrop_error(c, status, summary,
                inner.n ? arena_printf(a, "{\".tag\":\"" SLF "\",\"" SLF "\":" SLF "}", SLA(first), SLA(first), SLA(inner))
                        : arena_printf(a, "{\".tag\":\"" SLF "\"}", SLA(first)));
}

void sdrop_malformed(struct sim_call *c, const char *why)
{
    sim_answer(c, 400, SL("text/plain; charset=utf-8"), arena_printf(c->x->a, "Error in call to API function \"" SLF "\": %s", SLA(slice_from(c->x->path, 3)), why));
}

static void sdrop_refuse(struct sim_call *c, int status)
{
    if (status == 429)
        sdrop_error(c, 429, "too_many_requests", SL("{\"reason\":{\".tag\":\"too_many_requests\"},\"retry_after\":1}"));
    else if (status == 401)
        sdrop_tags(c, 401, "expired_access_token");
    else if (status == 403)
        sdrop_tags(c, 403, "invalid_account_type/feature");
    else if (status == 409)
        sdrop_tags(c, 409, "path/too_many_write_operations");
    else
        sim_answer(c, status, SL("text/plain"), SL("Something went wrong."));
}

/* ---- who may --------------------------------------------------------------------------------------------------------------------- */

bool sdrop_may(struct sdrop *d, struct sim_call *c, bool sharing)
{
    slice given = exchange_header(c->x, "Authorization");
    if (!slice_starts(given, SL("Bearer ")) || d->revoked) {
        sdrop_tags(c, 401, "invalid_access_token");
        return false;
    }
    if (!shelf_get(d->tokens, slice_from(given, 7))) {
        sdrop_tags(c, 401, "expired_access_token");
        return false;
    }
    if (sharing && d->no_sharing) {
        sdrop_error(c, 401, "missing_scope", SL("{\".tag\":\"missing_scope\",\"required_scope\":\"sharing.write\"}"));
        return false;
    }
    return true;
}

static void oauth_error(struct sim_call *c, int status, const char *error, const char *description)
{
    sim_json(c, status, arena_printf(c->x->a, "{\"error\":\"%s\",\"error_description\":\"%s\"}", error, description));
}

/* From the form, from the query (their library does that), or by HTTP Basic. */
static slice token_value(struct sim_call *c, const char *name)
{
    slice v = form_get(c->x->a, c->x->body, slice_of(name));
    return v.n ? v : exchange_query(c->x, name);
}

static void token_post(struct sim_call *c, void *ctx)
{
    struct sdrop *d = ctx;
    struct arena *a = c->x->a;
    slice id = token_value(c, "client_id"), secret = token_value(c, "client_secret"), basic = exchange_header(c->x, "Authorization");
    if (slice_starts(basic, SL("Basic "))) {
        slice pair = base64_decode(a, slice_from(basic, 6));
        id = slice_cut(&pair, ':');
        secret = pair;
    }
    if (!slice_eq(id, sim_option(d->env, "app-key"))) {
        oauth_error(c, 400, "invalid_client_id", "Invalid client_id");
    } else if (!slice_eq(secret, sim_option(d->env, "app-secret"))) {
        oauth_error(c, 400, "invalid_client", "Invalid client_id or client_secret");
    } else if (!slice_eq(token_value(c, "grant_type"), SL("refresh_token"))) {
        oauth_error(c, 400, "unsupported_grant_type", "grant type must be refresh_token");
    } else if (d->revoked || !slice_eq(token_value(c, "refresh_token"), sim_option(d->env, "refresh-token"))) {
        oauth_error(c, 400, "invalid_grant", "refresh token is invalid or revoked");
    } else {
        slice token = arena_printf(a, "sl." SLF, SLA(sim_random_hex(&d->env->random, a, 60)));
        shelf_put(d->tokens, token, d, time_now_ms());
        d->tokens_given++;
        sim_json(c, 200, arena_printf(a, "{\"access_token\":\"" SLF "\",\"token_type\":\"bearer\",\"expires_in\":%lld}", SLA(token), (long long)d->token_life_s));
    }
}

/* ---- control ------------------------------------------------------------------------------------------------------------------------ */

static void objects_show(struct sim_call *c, void *ctx)
{
    struct sdrop *d = ctx;
    struct jw w = jw_new(c->x->a, 4 << 20);
    jw_open(&w, NULL, '{');
    jw_open(&w, "objects", '[');
    for (const struct sdrop_file *f = d->files; f; f = f->next)
        sdrop_file_json(&w, NULL, f, NULL);
    jw_close(&w, ']');
    jw_close(&w, '}');
    sim_json(c, 200, jw_done(&w));
}

static void tokens_forget(struct sdrop *d)
{
    shelf_free(d->tokens);
    d->tokens = shelf_new(SDROP_TOKENS_KEPT, d->token_life_s * 1000, NULL);
}

static void state_post(struct sim_call *c, void *ctx)
{
    struct sdrop *d = ctx;
    struct fault f;
    const struct js *doc = js_parse(c->x->a, c->x->body, &f);
    struct { const char *name; bool *flag; } flags[] = { { "revoked", &d->revoked }, { "no_sharing", &d->no_sharing }, { "no_public", &d->no_public },
                                                         { "full", &d->full }, { "late", &d->late }, { "bare", &d->bare } };
    if (!doc) {
        sim_fault(c, 400, &f);
        return;
    }
    for (size_t i = 0; i < COUNT(flags); i++)
        if (js_at(doc, flags[i].name))
            *flags[i].flag = js_true(js_at(doc, flags[i].name));
    if (js_true(js_at(doc, "expired")))
        tokens_forget(d);
    sim_json(c, 200, SL("{}"));
}

static void counters_get(struct sim_call *c, void *ctx)
{
    struct sdrop *d = ctx;
    size_t n = 0;
    for (const struct sdrop_file *f = d->files; f; f = f->next)
        n++;
    sim_json(c, 200, arena_printf(c->x->a, "{\"objects\":%zu,\"puts\":%llu,\"appends\":%llu,\"tokens\":%llu,\"links\":%llu}", n, (unsigned long long)d->puts,
                                  (unsigned long long)d->appends, (unsigned long long)d->tokens_given, (unsigned long long)d->links_made));
}

/* clang-format off */
static const struct sim_route routes[] = {
    { "GET",  "/sim/objects",  objects_show, SIM_CONTROL },
    { "POST", "/sim/state",    state_post,   SIM_CONTROL },
    { "GET",  "/sim/counters", counters_get, SIM_CONTROL },
    { "POST", "/oauth2/token", token_post,   0 },
};
/* clang-format on */

/* ---- life ------------------------------------------------------------------------------------------------------------------------------- */

static void sdrop_stop(void *state)
{
    struct sdrop *d = state;
    sdrop_files_free(d);
    shelf_free(d->tokens);
    shelf_free(d->temporary);
    free(d);
}

static void *sdrop_start(struct sim_env *env, struct fault *f)
{
    struct sdrop *d = must_calloc(1, sizeof(*d));
    env->state = d;
    d->env = env;
    d->temporary = shelf_new(SDROP_TOKENS_KEPT, SDROP_TEMPORARY_MS, free);
    if (!sim_option_int(env, "token-life-s", 1, 14400, &d->token_life_s, f))
        return NULL;
    d->tokens = shelf_new(SDROP_TOKENS_KEPT, d->token_life_s * 1000, NULL);
    sim_routes(env, routes, COUNT(routes), d, NULL);
    sdrop_files_routes(d);
    sdrop_link_routes(d);
    return d;
}

const struct sim sim_dropbox = {
    .name = "dropbox",
    .title = "Dropbox",
    .options = options,
    .n_options = COUNT(options),
    .start = sdrop_start,
    .stop = sdrop_stop,
    .refuse = sdrop_refuse,
};
