/* dialogflow.c - plays Google Dialogflow: detectIntent of ES (v2) and CX (v3), and the token of a service account.
 *
 *   dragoman sim dialogflow --listen 127.0.0.1:9011
 *
 * Set in the hub: language: {type: dialogflow-es, service_account: what GET /sim/service-account shows, base_url: http://127.0.0.1:9011}; for CX agent, too.
 *
 * It understands "continue" with a time ("in 2 hours", "tomorrow at 10", 2026-08-23T10:00:00+09:00), asks for the time where there is none and takes the next line
 * of the session as that; everything else is the fallback. 256 characters, sessions of 36, the location of host and path, environments and the token are checked.
 *
 * Control API
 *   GET    /sim/service-account           the key file, made at the start; its token_uri is here
 *   GET    /sim/asked                     {"asked":[{"at","path","text","language","zone","session"}]}, newest last
 *   POST   /sim/state                     {"shape":"string"|"object"|"period"|"list"}: how ES writes times; {"forbidden":true}: the role is missing; {"revoked":true}: the
 *                                         key is not accepted any more; {"script":{queryResult}}: the next answer, whatever is asked
 *   GET    /sim/counters                  {"detected","tokens"}
 *   GET|POST|DELETE /sim/faults           faults.h
 */
#include "sim/dialogflow.h"
#include "sim/shelf.h"
#include "wire/url.h"

/* clang-format off */
static const struct sim_option options[] = {
    { "project",      "NAME",    "sim-project", "of the service account and its agents" },
    { "email",        "ADDRESS", "simcommander@sim-project.iam.gserviceaccount.com", "of the service account" },
    { "location",     "NAME",    "us", "where the ES agent is; us: the one without a name" },
    { "cx-location",  "NAME",    "global", "where the CX agent is" },
    { "agent",        "UUID",    "5b1c0000-0000-4000-8000-000000000001", "the CX agent" },
    { "environments", "NAMES",   "live", "besides draft, with commas between them" },
    { "token-life-s", "S",       "3599", "of access tokens" },
};
const char *const sdf_shape_names[SDF_SHAPES] = { [SDF_STRING] = "string", [SDF_OBJECT] = "object", [SDF_PERIOD] = "period", [SDF_LIST] = "list" };
/* clang-format on */

/* ---- errors ----------------------------------------------------------------------------------------------------------- */

static void google_error(struct sim_call *c, int status, const char *name, slice message)
{
    struct jw w = jw_new(c->x->a, SDF_JSON_MAX);
    jw_open(&w, NULL, '{');
    jw_open(&w, "error", '{');
    jw_int(&w, "code", status);
    jw_str(&w, "message", message);
    jw_str(&w, "status", slice_of(name));
    jw_close(&w, '}');
    jw_close(&w, '}');
    sim_json(c, status, jw_done(&w));
}

static void sdf_refuse(struct sim_call *c, int status)
{
    static const struct {
        int status;
        const char *name, *message;
    } rows[] = {
        { 400, "INVALID_ARGUMENT", "Request contains an invalid argument." },
        { 401, "UNAUTHENTICATED", "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential." },
        { 403, "PERMISSION_DENIED", "IAM permission 'dialogflow.sessions.detectIntent' on resource denied." },
        { 404, "NOT_FOUND", "No DesignTimeAgent found for project." },
        { 429, "RESOURCE_EXHAUSTED", "Quota exceeded for quota metric 'All other requests'." },
        { 503, "UNAVAILABLE", "The service is currently unavailable." },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (rows[i].status == status) {
            google_error(c, status, rows[i].name, slice_of(rows[i].message));
            return;
        }
    }
    google_error(c, status, status >= 500 ? "INTERNAL" : "UNKNOWN", SL("Internal error encountered."));
}

/* ---- which session? ----------------------------------------------------------------------------------------------------- */

static bool listed(slice names, slice name)
{
    while (names.n)
        if (slice_eq(slice_trim(slice_cut(&names, ',')), name))
            return true;
    return false;
}

static bool step(slice *path, const char *word)
{
    slice at = *path;
    if (!slice_eq(slice_cut(&at, '/'), slice_of(word)))
        return false;
    *path = at;
    return true;
}

struct where {
    slice project, location, agent, environment, session;
    bool good;
};

/* projects/P[/locations/L]/agent[/environments/E/users/U]/sessions/S, or projects/P/locations/L/agents/A[/environments/E]/sessions/S */
static struct where where_of(slice path, bool cx)
{
    struct where w = { 0 };
    if (!step(&path, "projects"))
        return w;
    w.project = slice_cut(&path, '/');
    if (step(&path, "locations"))
        w.location = slice_cut(&path, '/');
    if (cx ? !step(&path, "agents") : !step(&path, "agent"))
        return w;
    if (cx)
        w.agent = slice_cut(&path, '/');
    if (step(&path, "environments")) {
        w.environment = slice_cut(&path, '/');
        if (!cx && (!step(&path, "users") || !slice_cut(&path, '/').n))
            return w;
    }
    w.good = step(&path, "sessions");
    w.session = path;
    return w;
}

/* ---- detectIntent -------------------------------------------------------------------------------------------------------- */

static void keep(struct sdf *s, struct sim_call *c, const struct sdf_asked *asked)
{
    struct jw w = jw_new(c->x->a, SDF_JSON_MAX);
    jw_open(&w, NULL, '{');
    jw_time(&w, "at", time_now_ms());
    jw_str(&w, "path", c->x->path);
    jw_str(&w, "text", asked->text);
    jw_str(&w, "language", asked->language);
    jw_opt(&w, "zone", asked->zone);
    jw_str(&w, "session", asked->session);
    jw_close(&w, '}');
    struct sdf_kept *k = must_calloc(1, sizeof(*k));
    slice json = jw_done(&w);
    k->json = strndup(json.p, json.n);
    *(s->asked ? s->asked_last : &s->asked) = k;
    s->asked_last = &k->next;
    if (++s->n_asked <= SDF_ASKED_KEPT)
        return;
    struct sdf_kept *old = s->asked;
    s->asked = old->next;
    s->n_asked--;
    free(old->json);
    free(old);
}

static bool may(struct sdf *s, struct sim_call *c)
{
    if (sim_account_knows(&s->account, c) && !s->forbidden)
        return true;
    sdf_refuse(c, s->forbidden && sim_account_knows(&s->account, c) ? 403 : 401);
    return false;
}

/* Is there such an agent, here? False: answered. */
static bool place_ok(struct sdf *s, struct sim_call *c, const struct where *w, bool cx)
{
    slice location = cx ? s->cx_location : s->location;
    bool here = cx || w->location.n ? slice_eq(w->location, location) : slice_eq(location, SL("us"));
    if (!w->good || !w->session.n || w->session.n > SDF_SESSION_CHARS)
        google_error(c, 400, "INVALID_ARGUMENT", SL("Invalid session name."));
    else if (!slice_eq(w->project, s->account.project))
        google_error(c, 403, "PERMISSION_DENIED", SL("Permission denied on resource project."));
    else if (!here)
        google_error(c, 400, "INVALID_ARGUMENT", arena_printf(c->x->a, "The agent is located in '" SLF "', which does not match the endpoint or resource name.", SLA(location)));
    else if ((cx && !slice_eq(w->agent, s->agent)) || (w->environment.n && !listed(s->environments, w->environment)))
        sdf_refuse(c, 404);
    else
        return true;
    return false;
}

static void detect(struct sim_call *c, struct sdf *s, bool cx)
{
    slice path = c->params[0];
    struct fault f = { 0 };
    if (!slice_ends(path, SL(":detectIntent"))) {
        sim_answer(c, 404, SLICE_NONE, SLICE_NONE);
        return;
    }
    if (!may(s, c))
        return;
    struct where w = where_of(slice_sub(path, 0, path.n - strlen(":detectIntent")), cx);
    if (!place_ok(s, c, &w, cx))
        return;
    const struct js *doc = js_parse(c->x->a, c->x->body, &f);
    struct sdf_asked asked = { .cx = cx, .text = js_text(js_at(doc, "queryInput.text.text")), .zone = js_text(js_at(doc, "queryParams.timeZone")), .session = w.session };
    asked.language = js_text(js_at(doc, cx ? "queryInput.languageCode" : "queryInput.text.languageCode"));
    if (!asked.text.n || !asked.language.n) {
        google_error(c, 400, "INVALID_ARGUMENT", asked.text.n ? SL("com.google.apps.framework.request.BadRequestException: The language code is missing.") : SL("Input text not set."));
        return;
    }
    if (utf8_len(asked.text) > SDF_TEXT_CHARS) {
        google_error(c, 400, "INVALID_ARGUMENT", SL("Input text exceeds 256 characters."));
        return;
    }
    keep(s, c, &asked);
    s->detected++;
    sim_json(c, 200, sdf_answer(s, c, &asked));
}

static void es_post(struct sim_call *c, void *ctx)
{
    detect(c, ctx, false);
}

static void cx_post(struct sim_call *c, void *ctx)
{
    detect(c, ctx, true);
}

/* ---- control -------------------------------------------------------------------------------------------------------------- */

static void asked_get(struct sim_call *c, void *ctx)
{
    const struct sdf *s = ctx;
    struct jw w = jw_new(c->x->a, 4 << 20);
    jw_open(&w, NULL, '{');
    jw_open(&w, "asked", '[');
    for (const struct sdf_kept *k = s->asked; k; k = k->next)
        jw_raw(&w, NULL, slice_of(k->json));
    jw_close(&w, ']');
    jw_close(&w, '}');
    sim_json(c, 200, jw_done(&w));
}

static void state_post(struct sim_call *c, void *ctx)
{
    struct sdf *s = ctx;
    struct fault f;
    const struct js *doc = js_parse(c->x->a, c->x->body, &f);
    if (!doc) {
        sim_fault(c, 400, &f);
        return;
    }
    for (unsigned i = 0; i < SDF_SHAPES; i++)
        if (slice_eq(js_text(js_at(doc, "shape")), slice_of(sdf_shape_names[i])))
            s->shape = (enum sdf_shape)i;
    if (js_at(doc, "forbidden"))
        s->forbidden = js_true(js_at(doc, "forbidden"));
    if (js_at(doc, "revoked"))
        s->account.revoked = js_true(js_at(doc, "revoked"));
    if (js_at(doc, "script")) {
        slice script = js_print(c->x->a, js_at(doc, "script"));
        free(s->script);
        s->script = strndup(script.p, script.n);
    }
    sim_json(c, 200, SL("{}"));
}

static void counters_get(struct sim_call *c, void *ctx)
{
    const struct sdf *s = ctx;
    sim_json(c, 200, arena_printf(c->x->a, "{\"detected\":%llu,\"tokens\":%llu}", (unsigned long long)s->detected, (unsigned long long)s->account.given));
}

/* clang-format off */
static const struct sim_route routes[] = {
    { "GET",  "/sim/asked",    asked_get,    SIM_CONTROL },
    { "POST", "/sim/state",    state_post,   SIM_CONTROL },
    { "GET",  "/sim/counters", counters_get, SIM_CONTROL },
    { "POST", "/v2/*",         es_post,      0 },
    { "POST", "/v3/*",         cx_post,      0 },
};
static const struct sim_route account_routes[] = {
    { "GET",  "/sim/service-account", sim_account_get,   SIM_CONTROL },
    { "POST", "/token",               sim_account_token, 0 },
};
/* clang-format on */

static void sdf_stop(void *state)
{
    struct sdf *s = state;
    for (struct sdf_kept *k = s->asked, *next; k; k = next) {
        next = k->next;
        free(k->json);
        free(k);
    }
    shelf_free(s->waiting);
    sim_account_done(&s->account);
    free(s->script);
    free(s);
}

static void *sdf_start(struct sim_env *env, struct fault *f)
{
    struct sdf *s = must_calloc(1, sizeof(*s));
    int64_t life_s;
    env->state = s;
    s->env = env;
    s->location = sim_option(env, "location");
    s->cx_location = sim_option(env, "cx-location");
    s->agent = sim_option(env, "agent");
    s->environments = sim_option(env, "environments");
    s->waiting = shelf_new(SDF_SESSIONS, SDF_SESSION_MS, NULL);
    if (!sim_option_int(env, "token-life-s", 1, 3600, &life_s, f) ||
        !sim_account_make(&s->account, env, sim_option(env, "email"), sim_option(env, "project"), "/auth/", life_s, f))
        return NULL;
    sim_routes(env, routes, COUNT(routes), s, NULL);
    sim_routes(env, account_routes, COUNT(account_routes), &s->account, NULL);
    return s;
}

const struct sim sim_dialogflow = {
    .name = "dialogflow",
    .title = "Google Dialogflow",
    .options = options,
    .n_options = COUNT(options),
    .start = sdf_start,
    .stop = sdf_stop,
    .refuse = sdf_refuse,
};
