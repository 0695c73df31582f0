/* genesys_cloud.c - plays a Genesys Cloud organisation, as far as a hub sees it. Facts: docs/wire/genesys-cloud.md.
 *
 *   dragoman sim genesys-cloud --listen 127.0.0.1:9001 --client-id hub --client-secret secret --agents "Maria Sato,Ken Ito"
 *
 * Login, API, apps, uploads and storage are all on one base URL. The integration that the hub makes says where webhooks go.
 *
 * Page       GET / is an agent's desk.
 * Control    all JSON; errors are {"code","message","field"}:
 *
 *   GET  /sim/conversations                  {"total","agents":[name],"conversations":[C]}, the newest first, SGC_CONVERSATIONS_LISTED at most.
 *        C: {"id","state":"queued|connected|ended","guest":{"id","name","image",…},"agent","unread","reopened","transfers","count","preview",
 *        "attributes":{},"integration","channel","flow","customer","started","ended","last","disconnect","typing"}
 *   GET  /sim/conversations/{id}             C with "messages":[M], the oldest first.
 *        M: {"id","messageId","direction","from":"guest|agent|bot","name","at","text","state","reason":{"code","message"},"attempts","content",
 *        "metadata","media":{"id","name","mime","size","sha256","sha256_matches","state":"fetching|kept|dropped|failed","url","error"},
 *        "button":{"type","text","payload","originatingMessageId","paired"}}; state of a guest's message: received, published, failed; of an
 *        agent's: queued, sent (the webhook answered 2xx), delivered or failed (the hub's receipt, or the webhook refused).
 *   GET  /sim/conversations/{id}/picture     the guest's picture, fetched for the page.
 *   POST /sim/conversations/{id}/agent       {"text","agent"}; or/and "attachment":{"base64","name","mime"}; or "typing":true; as a bot:
 *        "quick_replies":["Yes",{"text","payload"}], "cards":[{…}], "date_picker":{…}, "list_picker":{…}, "content":[raw elements], "bot":true;
 *        always possible: "copies":2 (the same webhook several times), "bad_signature":true. Answers M ({"sent":bool} for typing).
 *   POST /sim/conversations/{id}/file?name=&agent=&text=   body: the bytes, Content-Type: their kind. Answers M.
 *   POST /sim/conversations/{id}/end         {"by":"agent|guest|system|error"}, absent: agent. Answers C.
 *   POST /sim/conversations/{id}/transfer    {"agent"}. Answers C.
 *   POST /sim/conversations/{id}/read        no more unread. Answers C.
 *   POST /sim/messages/{id}/receipt          {"status":"Failed|Published","code","message","copies","bad_signature"}: one more receipt for a
 *        guest's message.
 *   POST /sim/tokens/expire                  every token given so far is bad from now on.
 *   POST /sim/responses                      {"name","text","responseType","contentType","substitutions":[{"id","defaultValue"}]}: a canned one.
 *   GET  /sim/inbound?after=SEQ&limit=       {"total","messages":[{"seq","id","messageId","time","from","nickname","conversation","text","times","payload",
 *        "sha256","at_ms"}]}: every guest's message taken, in order of arrival, once each; "times" counts the calls that carried it.
 *   GET  /sim/counters                       numbers of everything.
 *   GET  /sim/chat                           what notifiers posted to /webhooks/api/v1/webhook/{uuid}.
 *   GET  /sim/events                         server-sent events: conversation (C), message (M), typing ({"conversation","ms"}), notification.
 *   GET  /sim/media/{id}                     bytes of a file of a transcript.
 */
#include "sim/genesys_cloud.h"

/* clang-format off */
static const struct sim_option options[] = {
    { "client-id",         "ID",     "hub-client",          "the OAuth client that may log in" },
    { "client-secret",     "SECRET", "hub-client-secret",   "its secret" },
    { "agents",            "NAMES",  "Maria Sato,Ken Ito",  "who answers; the first is the standard one" },
    { "base-url",          "URL",    NULL,                  "how the hub reaches us, in links we hand out; absent: where we listen" },
    { "expires-in",        "S",      "86400",               "life of a token, 1 to 172800 seconds" },
    { "rate-limit",        "N",      "0",                   "calls a minute and token, then 429; the real one: 300; 0: no limit" },
    { "threading-seconds", "S",      "259200",              "a guest who writes again within it gets the same conversation; 0: never" },
    { "receipts",          "on|off", "on",                  "a Published receipt for every message taken" },
    { "retry-ms",          "MS",     "5000",                "between a webhook that was not taken and its repetition" },
    { "deny",              "LIST",   NULL,                  "permissions the client lacks, such as messaging:integration:view" },
    { "download-auth",     NULL,     NULL,                  "agents' files want the bearer token" },
    { "https-only",        NULL,     NULL,                  "refuse webhooks that are not https on port 443, as the real one does" },
    { "nameless",          NULL,     NULL,                  "message details name the agent by id only" },
    { "end-on-refusal",    NULL,     NULL,                  "a webhook answer other than 2xx, 429, 5xx ends the conversation in error" },
    { "instant",           NULL,     NULL,                  "take text messages with the least work, for benches" },
};
/* clang-format on */

/* ---- the way into the API ------------------------------------------------------------------------------------------------------ */

static const struct {
    const struct sgc_route *t;
    const size_t *n;
} tables[] = {
    /* what is called often comes first */
    { sgc_inbound_routes, &sgc_inbound_n }, { sgc_read_routes, &sgc_read_n },
    { sgc_auth_routes, &sgc_auth_n },       { sgc_admin_routes, &sgc_admin_n },
    { sgc_profile_routes, &sgc_profile_n }, { sgc_media_routes, &sgc_media_n },
    { sgc_agent_routes, &sgc_agent_n },     { sgc_responses_routes, &sgc_responses_n },
    { sgc_notify_routes, &sgc_notify_n },
};

/* The pattern is the table's own text, so that its address says which row it is. */
static const struct sgc_route *route_of(const struct sim_call *c)
{
    const char *pattern = sim_pattern(c);
    for (size_t i = 0; i < COUNT(tables); i++)
        for (size_t k = 0; k < *tables[i].n; k++)
            if (tables[i].t[k].pattern == pattern && slice_eq(slice_of(tables[i].t[k].method), c->x->method))
                return &tables[i].t[k];
    return NULL;
}

static void enter(struct sim_call *c, void *ctx)
{
    const struct sgc_route *r = route_of(c);
    assert(r);
    if (sgc_allowed(ctx, c, r->permission))
        r->fn(ctx, c);
}

static void unknown(struct sim_call *c, void *ctx)
{
    if (!slice_starts(c->x->path, SL("/api/v2/")))
        sim_answer(c, 404, SLICE_NONE, SLICE_NONE);
    else if (sgc_allowed(ctx, c, NULL))
        sgc_error(c, 404, "not.found", "HTTP 404 Not Found");
}

static const struct sim_route open_routes[] = {
    { "POST", "/oauth/token", sgc_login, 0 },
    { "POST", "/webhooks/api/v1/webhook/:id", sgc_chat_post, 0 },
};

static void add_routes(struct sgc *g)
{
    size_t n = 0;
    for (size_t i = 0; i < COUNT(tables); i++)
        n += *tables[i].n;
    struct sim_route *routes = ARENA_ARRAY(g->a, struct sim_route, n);
    n = 0;
    for (size_t i = 0; i < COUNT(tables); i++)
        for (size_t k = 0; k < *tables[i].n; k++)
            routes[n++] = (struct sim_route){ tables[i].t[k].method, tables[i].t[k].pattern, enter, 0 };
    sim_routes(g->env, routes, n, g, unknown);
    sim_routes(g->env, open_routes, COUNT(open_routes), g, NULL);
    sim_routes(g->env, sgc_file_routes, sgc_file_n, g, NULL);
    sim_routes(g->env, sgc_desk_routes, sgc_desk_n, g, NULL);
}

/* A fault rule's status in Genesys' words. */
static void refuse(struct sim_call *c, int status)
{
    static const struct {
        int status;
        const char *code, *text;
    } words[] = {
        { 400, "bad.request", "The request could not be understood by the server due to malformed syntax." },
        { 401, "bad.credentials", "Invalid login credentials." },
        { 403, "not.authorized", "You are not authorized to perform the requested action." },
        { 404, "not.found", "The requested resource was not found." },
        { 413, "request.entity.too.large", "The request is over the size limit." },
        { 415, "unsupported.media.type", "Unsupported media type." },
        { 429, "too.many.requests", "Rate limit exceeded the maximum 300 requests within 60 seconds." },
        { 503, "service.unavailable", "Service Unavailable - The server is currently unavailable." },
        { 504, "request.timeout", "The request timed out." },
    };
    for (size_t i = 0; i < COUNT(words); i++)
        if (words[i].status == status) {
            sgc_error(c, status, words[i].code, "%s", words[i].text);
            return;
        }
    sgc_error(
        c, status, status >= 500 ? "internal.server.error" : "bad.request",
        "The server encountered an unexpected condition which prevented it from fulfilling the request.");
}

/* ---- beginning and end ----------------------------------------------------------------------------------------------------------- */

/* "Maria Sato" -> maria.sato@simulated.example */
static slice email_of(struct arena *a, slice name)
{
    slice email = arena_printf(a, SLF "@simulated.example", SLA(name));
    char *p = arena_cstr(a, email);
    for (size_t i = 0; i < email.n; i++)
        p[i] = p[i] == ' ' ? '.' : p[i] >= 'A' && p[i] <= 'Z' ? (char)(p[i] - 'A' + 'a') : p[i];
    return slice_mem(p, email.n);
}

static bool add_agents(struct sgc *g, slice names, struct fault *f)
{
    while (names.n) {
        slice name = slice_trim(slice_cut(&names, ','));
        if (!name.n)
            continue;
        struct sgc_agent *agent = ARENA_NEW(g->a, struct sgc_agent);
        *agent = (struct sgc_agent){ sgc_uuid(g->a), arena_dup(g->a, name), email_of(g->a, name) };
        sgc_list_add(&g->agents, agent);
    }
    return g->agents.n || fault(f, "missing_field", "agents", "somebody must answer");
}

static bool read_options(struct sgc *g, struct fault *f)
{
    const struct sim_env *env = g->env;
    int64_t threading_s;
    g->client_id = sim_option(env, "client-id");
    g->client_secret = sim_option(env, "client-secret");
    g->base = slice_or(sim_option(env, "base-url"), env->base_url);
    if (slice_ends(g->base, SL("/")))
        g->base.n--;
    g->denied = sim_option(env, "deny");
    slice receipts = sim_option(env, "receipts");
    g->receipts = !slice_eq(receipts, SL("off")) && sim_option_on(env, "receipts");
    g->download_auth = sim_option_on(env, "download-auth");
    g->https_only = sim_option_on(env, "https-only");
    g->nameless = sim_option_on(env, "nameless");
    g->end_on_refusal = sim_option_on(env, "end-on-refusal");
    g->instant = sim_option_on(env, "instant");
    if (!sim_option_int(env, "expires-in", 1, 172800, &g->token_s, f) ||
        !sim_option_int(env, "rate-limit", 0, INT32_MAX, &g->rate_limit, f) ||
        !sim_option_int(env, "retry-ms", 1, 3600000, &g->retry_ms, f) ||
        !sim_option_int(env, "threading-seconds", 0, INT32_MAX, &threading_s, f))
        return false;
    g->threading_ms = threading_s * 1000;
    g->timeline_min = (int)(threading_s / 60);
    if (slice_find(g->base, SL("://")) == SIZE_MAX)
        return fault(f, "out_of_range", "base-url", "a URL begins with http:// or https://");
    return add_agents(g, sim_option(env, "agents"), f);
}

static void stop(void *state)
{
    struct sgc *g = state;
    struct sgc_list *lists[] = { &g->tokens,        &g->integrations, &g->contents,  &g->settings, &g->agents,
                                 &g->conversations, &g->inbound,      &g->responses, &g->jobs,     &g->chat };
    struct sgc_map *maps[] = { &g->token_map,   &g->conversation_map, &g->guest_map,
                               &g->message_map, &g->once_map,         &g->media_map };
    sgc_hooks_free(g);
    sgc_media_free(g);
    sgc_channels_free(g);
    for (size_t i = 0; i < COUNT(lists); i++)
        sgc_list_done(lists[i]);
    for (size_t i = 0; i < COUNT(maps); i++)
        sgc_map_done(maps[i]);
    arena_free(g->a);
    free(g);
}

static void *start(struct sim_env *env, struct fault *f)
{
    struct sgc *g = must_calloc(1, sizeof(*g));
    g->env = env;
    g->a = arena_new();
    env->state = g; /* stop() frees it, also when this fails */
    if (!read_options(g, f))
        return NULL;
    g->org_id = sgc_uuid(g->a);
    g->queue_id = sgc_uuid(g->a);
    g->signing_key = sgc_hex(g->a, 64);
    sgc_profiles_begin(g);
    sgc_responses_begin(g);
    add_routes(g);
    return g;
}

const struct sim sim_genesys_cloud = {
    .name = "genesys-cloud",
    .title = "Genesys Cloud",
    .page = true,
    .options = options,
    .n_options = COUNT(options),
    .start = start,
    .stop = stop,
    .refuse = refuse,
    .webhook = sgc_webhook,
};
