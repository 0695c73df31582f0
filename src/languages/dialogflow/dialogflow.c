/* Google Dialogflow, ES and CX, as the language behind the commands. */
#include "base/zone.h"
#include "languages/dialogflow/wire.h"
#include "wire/service_account.h"
#include "wire/url.h"

#define SCOPE "https://www.googleapis.com/auth/dialogflow"

/* ---- settings --------------------------------------------------------------------------------------------------------- */

/* clang-format off */
static const char *const es_locations[] = { "us", "global", "europe-west1", "europe-west2", "australia-southeast1", "asia-northeast1", NULL };

#define ROWS \
    [DIALOGFLOW_LANGUAGE]    = { "language", "Language", SETTING_TEXT, .otherwise = "en", .min = 2, .max = 16, \
        .help = "Of the agents' commands, as the Dialogflow agent has it: en, ja, zh-cn" }, \
    [DIALOGFLOW_ENVIRONMENT] = { "environment", "Environment Id", SETTING_TEXT, .otherwise = DIALOGFLOW_DRAFT, .min = 1, .max = 100, \
        .help = "Settings of the Dialogflow agent, Environments" }, \
    [DIALOGFLOW_TIME_ZONE]   = { "time_zone", "Time zone", SETTING_TEXT, .max = 64, \
        .help = "What \"tomorrow at 10\" means: Asia/Tokyo; the commander's when left out, then the Dialogflow agent's own" }, \
    [DIALOGFLOW_FILE]        = { "service_account", "Service Account (JSON)", SETTING_TEXT, .secret = true, .max = 16384, \
        .help = "The content of the key file: Google Cloud console, IAM & Admin, Service Accounts, Keys, Add key, JSON" }, \
    [DIALOGFLOW_PROJECT]     = { "project_id", "Project Identifier", SETTING_TEXT, .max = 100, \
        .help = "This and the four below: the members of the key file, where it is not given as a whole" }, \
    [DIALOGFLOW_CLIENT]      = { "client_id", "Client Identifier", SETTING_TEXT, .max = 100 }, \
    [DIALOGFLOW_EMAIL]       = { "client_email", "Client Email", SETTING_TEXT, .max = 300 }, \
    [DIALOGFLOW_KEY_ID]      = { "private_key_id", "Private Key Identifier", SETTING_TEXT, .max = 100 }, \
    [DIALOGFLOW_KEY]         = { "private_key", "Private Key", SETTING_TEXT, .secret = true, .max = 16384, \
        .help = "PEM; line ends may be written \\n, as in the key file" }, \
    [DIALOGFLOW_CONFIDENCE]  = { "confidence_percent", "Confidence", SETTING_NUMBER, .otherwise = "50", .max = 100, \
        .help = "Dialogflow must be so sure, in percent, that a command is carried out" }, \
    [DIALOGFLOW_BASE_URL]    = { "base_url", "API address", SETTING_URL, .help = "Only for tests; the location's own when left out" }, \
    [DIALOGFLOW_TOKEN_URL]   = { "token_url", "Token URL", SETTING_URL, .otherwise = SERVICE_ACCOUNT_TOKEN_URL, \
        .help = "Where access tokens are asked for, unless the key file says otherwise (token_uri)" }

static const struct setting es_settings[DIALOGFLOW_ES_SETTINGS] = {
    [DIALOGFLOW_LOCATION] = { "location", "Location", SETTING_CHOICE, .otherwise = "us", .choices = es_locations,
        .help = "Where the Dialogflow agent was made" },
    ROWS
};
static const struct setting cx_settings[DIALOGFLOW_SETTINGS] = {
    [DIALOGFLOW_LOCATION] = { "location", "Location", SETTING_TEXT, .otherwise = "global", .min = 2, .max = 40,
        .help = "Where the agent was made: global, us-central1, europe-west1, asia-northeast1 \xe2\x80\xa6" },
    ROWS,
    [DIALOGFLOW_AGENT] = { "agent", "Agent", SETTING_TEXT, .required = true, .min = 36, .max = 36,
        .help = "Its UUID, the part behind /agents/ of its name" },
};
/* clang-format on */

/* "europe-west1": it becomes part of a host's name. */
static bool location_ok(slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!(s.p[i] >= 'a' && s.p[i] <= 'z') && !(s.p[i] >= '0' && s.p[i] <= '9') && (s.p[i] != '-' || i == 0 || i + 1 == s.n))
            return false;
    return s.n;
}

static bool who_is(struct call *c, struct service_account *w)
{
    struct fault why = { 0 };
    *w = (struct service_account){ .email = setting(c, DIALOGFLOW_EMAIL), .key_id = setting(c, DIALOGFLOW_KEY_ID), .key = setting(c, DIALOGFLOW_KEY),
                                   .project = setting(c, DIALOGFLOW_PROJECT) };
    slice file = setting(c, DIALOGFLOW_FILE);
    if (file.n && !service_account_read(c->a, file, w, &why))
        return fault(c->f, "wrong_type", "service_account", "is no key file of a service account: %s%s%s", why.field, why.field[0] ? ": " : "", why.text);
    w->token_url = slice_or(w->token_url, setting(c, DIALOGFLOW_TOKEN_URL));
    if (!w->email.n)
        return fault(c->f, "missing_field", "client_email", "is missing: give service_account, or the members of the key file one by one");
    if (!w->project.n)
        return fault(c->f, "missing_field", "project_id", "is missing");
    return true;
}

static bool dialogflow_check(struct call *c)
{
    struct service_account w;
    struct fault why = { 0 };
    slice zone = setting(c, DIALOGFLOW_TIME_ZONE);
    if (!location_ok(setting(c, DIALOGFLOW_LOCATION)))
        return fault(c->f, "wrong_type", "location", "must be a region such as europe-west1, or global");
    if (zone.n && !zone_known(zone))
        return fault(c->f, "wrong_type", "time_zone", "there is no such time zone here; it looks like Asia/Tokyo");
    if (!who_is(c, &w))
        return false;
    CLEANUP(jwt_key_freep) struct jwt_key *key = service_account_key(c->a, &w, &why);
    return key || fault(c->f, "wrong_type", setting(c, DIALOGFLOW_FILE).n ? "service_account" : "private_key", "the private key cannot be used: %s", why.text);
}

/* ---- token: "Token" -------------------------------------------------------------------------------------------------- */

static bool dialogflow_token_call(struct call *c, struct http_call *ret)
{
    struct service_account w;
    if (!who_is(c, &w))
        return false;
    CLEANUP(jwt_key_freep) struct jwt_key *key = service_account_key(c->a, &w, c->f);
    if (!key)
        return false;
    ret->method = "POST";
    ret->url = w.token_url;
    ret->type = SL("application/x-www-form-urlencoded");
    ret->body = service_account_form(c->a, &w, key, SL(SCOPE), c->now_ms, c->f);
    return ret->body.p;
}

/* ---- calls ------------------------------------------------------------------------------------------------------------- */

slice dialogflow_project(struct call *c)
{
    struct service_account w;
    struct fault f = { 0 };
    struct call quiet = *c;
    quiet.f = &f;
    return who_is(&quiet, &w) ? url_encode(c->a, w.project) : SLICE_NONE;
}

slice dialogflow_host(struct call *c, slice location_host)
{
    slice base = setting(c, DIALOGFLOW_BASE_URL);
    return base.n ? base : arena_printf(c->a, "https://" SLF "dialogflow.googleapis.com", SLA(location_host));
}

enum outcome dialogflow_post(struct call *c, struct delivery *d, slice url, slice body)
{
    (void)c;
    d->call.method = "POST";
    d->call.url = url;
    d->call.type = SL("application/json; charset=utf-8");
    d->call.body = body;
    d->call.repeatable = true; /* it understands, it does nothing */
    d->call.total_ms = DIALOGFLOW_TOTAL_MS;
    return OUT_CALL;
}

/* clang-format off */
static const struct { int status; const char *text; } advice[] = { /* "Errors" */
    { 401, "Dialogflow does not accept the access token" },
    { 403, "the service account may not use Dialogflow: it needs the role Dialogflow API Client, and the API must be on" },
    { 404, "Dialogflow has no such agent or environment in this location" },
};
/* clang-format on */

const struct js *dialogflow_answer(struct call *c, struct delivery *d, enum outcome *ret_end)
{
    const struct answer *r = d->last;
    const struct js *doc = r->status && r->body.n ? js_parse(c->a, r->body, NULL) : NULL;
    if (r->status == 200 && js_is_object(js_at(doc, "queryResult")))
        return doc;
    *ret_end = OUT_REFUSED;
    for (size_t i = 0; i < COUNT(advice); i++) {
        if (r->status == advice[i].status) {
            refuse(c, d, REASON_CREDENTIALS, "%s", advice[i].text);
            return NULL;
        }
    }
    enum { SAID_CHARS = 100 };
    slice said = utf8_cut(js_text(js_at(doc, "error.message")), SAID_CHARS);
    if (r->status == 200)
        refuse(c, d, REASON_SERVER, "Dialogflow's answer cannot be read");
    else if (r->status == 400)
        refuse(c, d, REASON_INVALID, "Dialogflow: " SLF, SLA(slice_or(said, SL("the request is not good"))));
    else
        *ret_end = answer_outcome(c, d, "Dialogflow");
    return NULL;
}

/* ---- what both say --------------------------------------------------------------------------------------------------------- */

void dialogflow_say(struct call *c, struct language_answer *ret, slice line)
{
    line = slice_trim(line);
    if (line.n && ret->say.n + line.n < DIALOGFLOW_TEXT_BYTES)
        ret->say = ret->say.n ? arena_printf(c->a, SLF "\n" SLF, SLA(ret->say), SLA(line)) : line;
}

slice dialogflow_small(struct arena *a, slice s)
{
    return slice_trim(arena_lower(a, s));
}

bool dialogflow_sure(struct call *c, const struct js *confidence)
{
    double sure = 0;
    return js_double(confidence, &sure) && sure * 100 >= (double)setting_number(c, DIALOGFLOW_CONFIDENCE);
}

/* ---- the tables -------------------------------------------------------------------------------------------------------------- */

/* clang-format off */
const struct language language_dialogflow_es = {
    .type    = { .name = "dialogflow-es", .title = "Google Dialogflow ES", .settings = es_settings, .n_settings = COUNT(es_settings),
                 .auth = { AUTH_REQUEST, .token_call = dialogflow_token_call }, .check = dialogflow_check },
    .ask     = dialogflow_es_ask,
    .archive = { "dialogflow-command-continue-1.0.0.zip", dialogflow_archive },
};
const struct language language_dialogflow_cx = {
    .type    = { .name = "dialogflow-cx", .title = "Google Dialogflow CX", .settings = cx_settings, .n_settings = COUNT(cx_settings),
                 .auth = { AUTH_REQUEST, .token_call = dialogflow_token_call }, .check = dialogflow_check },
    .ask     = dialogflow_cx_ask,
};
/* clang-format on */
