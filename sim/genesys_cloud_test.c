/* genesys_cloud_test.c - the simulator's own rules, over HTTP, as a hub meets them: one loop holds the simulator, a client and a hub that takes
 * webhooks and serves one picture. */
#include "sim/genesys_cloud.h"
#include "tests/harness/test.h"

#define SECRET       "hub-signature-token-0001"
#define INTEGRATIONS "/api/v2/conversations/messaging/integrations/open"
#define TIME         "2026-03-04T05:06:07.123Z"

enum { HOOKS_MAX = 64, WAIT_MS = 5000 };

struct world {
    struct arena *a;
    struct loop *loop;
    struct sim_run *run;
    struct client *client;
    struct server *hub;
    slice base, hub_base, token, integration;
    slice hooks[HOOKS_MAX]; /* bodies of webhooks, oldest first */
    slice signatures[HOOKS_MAX];
    size_t n_hooks, wanted;
    int refuse[8]; /* statuses for the next webhooks instead of 200 */
    size_t n_refuse, refused;
    struct loop_timer timer;
    bool late;
};

struct got {
    int status;
    slice body, location, retry_after, rate_left;
    const struct js *json;
    bool done;
};

/* ---- the hub's side ------------------------------------------------------------------------------------------------------------ */

static void hub_hook(struct exchange *x, void *ctx)
{
    struct world *w = ctx;
    CHECK(w->n_hooks < HOOKS_MAX);
    w->signatures[w->n_hooks] = arena_dup(w->a, exchange_header(x, "x-hub-signature-256"));
    w->hooks[w->n_hooks++] = arena_dup(w->a, x->body);
    int status = w->refused < w->n_refuse ? w->refuse[w->refused++] : 200;
    exchange_answer(x, &(struct response){ .status = status });
    if (w->n_hooks >= w->wanted)
        loop_stop(w->loop);
}

static void hub_picture(struct exchange *x, void *ctx)
{
    (void)ctx;
    exchange_answer(
        x, &(struct response){ .status = 200, .type = SL("image/png"), .body = SL("PNG of a parcel") });
}

static void on_late(void *arg)
{
    struct world *w = arg;
    w->late = true;
    loop_stop(w->loop);
}

/* Runs the loop until n webhooks came in all. */
static void await_hooks(struct world *w, size_t n)
{
    w->wanted = n;
    w->late = false;
    loop_timer_start(w->loop, &w->timer, WAIT_MS, on_late, w);
    while (w->n_hooks < n && !w->late)
        loop_run(w->loop);
    loop_timer_stop(&w->timer);
    w->wanted = SIZE_MAX;
    CHECK_INT(w->n_hooks, n);
}

static void run_ms(struct world *w, int64_t ms)
{
    w->late = false;
    loop_timer_start(w->loop, &w->timer, ms, on_late, w);
    while (!w->late)
        loop_run(w->loop);
}

static const struct js *hook(struct world *w, size_t i)
{
    const struct js *doc = js_parse(w->a, w->hooks[i], NULL);
    CHECK(doc);
    return doc;
}

/* ---- calling --------------------------------------------------------------------------------------------------------------------- */

struct asking {
    struct world *w;
    struct got *got;
};

static void answered(void *arg, const struct answer *r)
{
    struct asking *q = arg;
    struct world *w = q->w;
    *q->got = (struct got){ .status = r->status,
                            .body = arena_dup(w->a, r->body),
                            .location = arena_dup(w->a, answer_header(r, "location")),
                            .retry_after = arena_dup(w->a, answer_header(r, "retry-after")),
                            .rate_left = arena_dup(w->a, answer_header(r, "inin-ratelimit-count")),
                            .done = true };
    q->got->json = js_parse(w->a, q->got->body, NULL);
    loop_stop(w->loop);
}

static struct got call_as(struct world *w, const char *method, slice path, slice type, slice authorization,
                          slice body)
{
    struct got got = { 0 };
    struct asking q = { w, &got };
    struct header headers[2];
    size_t n = 0;
    if (type.n)
        headers[n++] = (struct header){ SL("Content-Type"), type };
    if (authorization.n)
        headers[n++] = (struct header){ SL("Authorization"), authorization };
    struct client_call call = {
        .a = w->a,
        .method = method,
        .url = slice_starts(path, SL("http")) ? path : arena_printf(w->a, SLF SLF, SLA(w->base), SLA(path)),
        .headers = headers,
        .n_headers = n,
        .body = body,
        .total_ms = WAIT_MS,
        .done = answered,
        .arg = &q,
    };
    client_send(w->client, &call);
    while (!got.done)
        loop_run(w->loop);
    return got;
}

static struct got ask(struct world *w, const char *method, slice path, slice body)
{
    slice bearer = w->token.n ? arena_printf(w->a, "Bearer " SLF, SLA(w->token)) : SLICE_NONE;
    return call_as(w, method, path, body.n ? SL("application/json") : SLICE_NONE, bearer, body);
}

/* Like ask; the answer must have this status. */
static const struct js *must(struct world *w, int status, const char *method, slice path, slice body)
{
    struct got got = ask(w, method, path, body);
    if (got.status != status)
        test_fail(__FILE__, __LINE__, "%s " SLF ": %d " SLF, method, SLA(path), got.status, SLA(got.body));
    return got.json;
}

static slice at(const struct js *v, const char *path)
{
    return js_text(js_at(v, path));
}

static int64_t counter(struct world *w, const char *name)
{
    int64_t n = -1;
    CHECK(js_int(js_at(must(w, 200, "GET", SL("/sim/counters"), SLICE_NONE), name), &n));
    return n;
}

/* ---- the world ------------------------------------------------------------------------------------------------------------------- */

static void open_world(struct world *w, size_t n, const char *const *options)
{
    char *argv[16] = { (char *)(uintptr_t) "genesys-cloud", (char *)(uintptr_t) "--client-id=hub",
                       (char *)(uintptr_t) "--client-secret=pass:word" };
    int argc = 3;
    for (size_t i = 0; i < n; i++)
        argv[argc++] = (char *)(uintptr_t)options[i];
    *w = (struct world){ .a = arena_new(), .loop = loop_new(), .wanted = SIZE_MAX };
    struct fault f = { 0 };
    w->run = sim_open(w->loop, argc, argv, &f);
    if (!w->run)
        test_fail(__FILE__, __LINE__, "%s: %s", f.field, f.text);
    w->base = arena_printf(w->a, "http://127.0.0.1:%u", sim_port(w->run));
    struct client_limits limits;
    client_limits_default(&limits);
    limits.guard_off = true;
    w->client = client_new(w->loop, &limits, &f);
    w->hub = server_new(w->loop, "127.0.0.1:0", NULL, NULL, &f);
    CHECK(w->client && w->hub);
    server_route(w->hub, "POST", "/hook", 1 << 20, hub_hook, w);
    server_route(w->hub, "GET", "/parcel.png", 0, hub_picture, w);
    w->hub_base = arena_printf(w->a, "http://127.0.0.1:%u", server_port(w->hub));
}

static void close_world(struct world *w)
{
    client_free(w->client);
    server_free(w->hub);
    sim_close(w->run);
    loop_timer_done(&w->timer);
    loop_free(w->loop);
    arena_free(w->a);
}

static struct got login(struct world *w, const char *pair, slice body)
{
    slice basic = arena_printf(w->a, "Basic " SLF, SLA(sgc_base64(w->a, slice_of(pair))));
    return call_as(w, "POST", SL("/oauth/token"), SL("application/x-www-form-urlencoded"), basic, body);
}

static slice integration_body(struct world *w, const char *name, const char *secret, const char *more)
{
    return arena_printf(w->a,
                        "{\"name\":\"%s\",\"outboundNotificationWebhookUrl\":\"" SLF "/hook\","
                        "\"outboundNotificationWebhookSignatureSecretToken\":\"%s\"%s}",
                        name, SLA(w->hub_base), secret, more);
}

/* Logged in, with one integration. */
static void open_ready(struct world *w, size_t n, const char *const *options)
{
    open_world(w, n, options);
    w->token = at(login(w, "hub:pass:word", SL("grant_type=client_credentials")).json, "access_token");
    CHECK_INT(w->token.n, 86);
    w->integration =
        at(must(w, 200, "POST", SL(INTEGRATIONS), integration_body(w, "HUB-TEST", SECRET, "")), "id");
}

static slice inbound(struct world *w, const char *what)
{
    return arena_printf(w->a, "/api/v2/conversations/messages/" SLF "/inbound/open/%s", SLA(w->integration),
                        what);
}

static slice channel(struct world *w, const char *message_id)
{
    return arena_printf(
        w->a,
        "\"channel\":{\"messageId\":\"%s\",\"time\":\"" TIME "\",\"from\":{\"id\":\"g1@line\",\"idType\":"
        "\"Opaque\",\"nickname\":\"Mika\"},\"metadata\":{\"customAttributes\":{\"media\":\"LINE\"}}}",
        message_id);
}

static slice text_body(struct world *w, const char *message_id, const char *text)
{
    return arena_printf(w->a, "{" SLF ",\"text\":\"%s\"}", SLA(channel(w, message_id)), text);
}

/* A guest's text; the conversation it went to. */
static slice guest_says(struct world *w, const char *message_id, const char *text)
{
    slice path = arena_printf(w->a, SLF "?prefetchConversationId=true", SLA(inbound(w, "message")));
    return at(must(w, 200, "POST", path, text_body(w, message_id, text)), "conversationId");
}

static const struct js *desk(struct world *w, slice conversation, const char *what, slice body)
{
    return must(w, 200, "POST", arena_printf(w->a, "/sim/conversations/" SLF "/%s", SLA(conversation), what),
                body);
}

static const struct js *transcript(struct world *w, slice conversation)
{
    return must(w, 200, "GET", arena_printf(w->a, "/sim/conversations/" SLF, SLA(conversation)), SLICE_NONE);
}

static slice receipt_body(struct world *w, slice id, const char *rest)
{
    return arena_printf(
        w->a, "{\"id\":\"" SLF "\",\"channel\":{\"to\":{\"id\":\"g1@line\"},\"time\":\"" TIME "\"},%s}",
        SLA(id), rest);
}

/* ---- log in ---------------------------------------------------------------------------------------------------------------------- */

TEST(genesys_log_in_wants_the_right_client)
{
    static const struct {
        const char *pair, *body;
        int status;
        const char *error;
    } rows[] = {
        { "hub:pass:word", "grant_type=client_credentials", 200, "" },
        { "hub:pass:word", "x=1&grant_type=client%5Fcredentials", 200, "" },
        { "hub:wrong", "grant_type=client_credentials", 401, "invalid_client" },
        { "who:pass:word", "grant_type=client_credentials", 400, "invalid_client" },
        { "hub:pass:word", "grant_type=password", 400, "unsupported_grant_type" },
        { "nothing", "grant_type=client_credentials", 400, "invalid_request" },
    };
    struct world w;
    open_world(&w, 0, NULL);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct got got = login(&w, rows[i].pair, slice_of(rows[i].body));
        CHECK_ROW(i, got.status == rows[i].status);
        CHECK_ROW(i, slice_eq(at(got.json, "error"), slice_of(rows[i].error)));
        CHECK_ROW(i, (at(got.json, "access_token").n == 86) == (got.status == 200));
    }
    close_world(&w);
}

TEST(genesys_tokens_end)
{
    static const char *const options[] = { "--expires-in=1" };
    struct world w;
    open_world(&w, COUNT(options), options);
    slice path = SL("/api/v2/tokens/me");
    CHECK_SLICE(at(ask(&w, "GET", path, SLICE_NONE).json, "code"), SL("authentication.required"));
    w.token = SL("nonsense");
    CHECK_SLICE(at(ask(&w, "GET", path, SLICE_NONE).json, "code"), SL("bad.credentials"));
    w.token = at(login(&w, "hub:pass:word", SL("grant_type=client_credentials")).json, "access_token");
    CHECK_INT(ask(&w, "HEAD", path, SLICE_NONE).status, 200);
    run_ms(&w, 1050);
    CHECK_SLICE(at(ask(&w, "GET", path, SLICE_NONE).json, "code"), SL("credentials.expired"));
    CHECK_INT(ask(&w, "HEAD", path, SLICE_NONE).status, 401);
    close_world(&w);
}

TEST(genesys_tokens_are_dropped_on_request)
{
    struct world w;
    open_ready(&w, 0, NULL);
    must(&w, 200, "POST", SL("/sim/tokens/expire"), SLICE_NONE);
    CHECK_SLICE(at(ask(&w, "GET", SL("/api/v2/tokens/me"), SLICE_NONE).json, "code"), SL("bad.credentials"));
    close_world(&w);
}

TEST(genesys_counts_calls_of_a_token)
{
    static const char *const options[] = { "--rate-limit=3" };
    struct world w;
    open_ready(&w, COUNT(options), options); /* one call made */
    CHECK_SLICE(ask(&w, "GET", SL("/api/v2/organizations/me"), SLICE_NONE).rate_left, SL("2"));
    must(&w, 200, "GET", SL("/api/v2/organizations/me"), SLICE_NONE);
    struct got got = ask(&w, "GET", SL("/api/v2/organizations/me"), SLICE_NONE);
    CHECK_INT(got.status, 429);
    CHECK_SLICE(at(got.json, "code"), SL("too.many.requests"));
    int64_t s;
    CHECK(slice_int(got.retry_after, &s) && s >= 1 && s <= 60);
    close_world(&w);
}

TEST(genesys_names_a_missing_permission)
{
    static const char *const options[] = { "--deny=architect:flow:view, x" };
    struct world w;
    open_ready(&w, COUNT(options), options);
    struct got got = ask(&w, "GET", SL("/api/v2/flows"), SLICE_NONE);
    CHECK_INT(got.status, 403);
    CHECK_SLICE(at(got.json, "code"), SL("missing.permissions"));
    CHECK(slice_ends(at(got.json, "message"), SL(": architect:flow:view")));
    close_world(&w);
}

/* ---- integrations ---------------------------------------------------------------------------------------------------------------- */

TEST(genesys_integrations_are_checked)
{
    static const struct {
        const char *name, *secret, *more;
        int status;
        const char *code;
    } rows[] = {
        { "A", "fifteen-chars-x", "", 400, "invalid.value" },
        { "A", "sixteen-chars-xx", "", 200, "" },
        { "a", "sixteen-chars-xx", "", 409, "conflict" },
        { "", "sixteen-chars-xx", "", 400, "constraint.validation" },
        { "B", "sixteen-chars-xx", ",\"supportedContent\":{\"id\":\"none\"}", 400, "invalid.value" },
        { "B", "sixteen-chars-xx", ",\"webhookHeaders\":{\"a\":1}", 400, "invalid.value" },
        { "B", "sixteen-chars-xx", ",\"webhookHeaders\":{\"a\":\"1\"}", 200, "" },
    };
    struct world w;
    open_ready(&w, 0, NULL);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct got got = ask(&w, "POST", SL(INTEGRATIONS),
                             integration_body(&w, rows[i].name, rows[i].secret, rows[i].more));
        CHECK_ROW(i, got.status == rows[i].status);
        CHECK_ROW(i, slice_eq(at(got.json, "code"), slice_of(rows[i].code)));
    }
    close_world(&w);
}

TEST(genesys_integrations_are_made_changed_and_deleted)
{
    struct world w;
    open_ready(&w, 0, NULL);
    slice one = arena_printf(w.a, INTEGRATIONS "/" SLF, SLA(w.integration));
    CHECK_SLICE(at(must(&w, 200, "GET", one, SLICE_NONE), "createStatus"), SL("Initiated"));
    run_ms(&w, SGC_INITIATED_MS + 20);
    CHECK_SLICE(at(must(&w, 200, "GET", one, SLICE_NONE), "createStatus"), SL("Completed"));
    const struct js *doc = must(&w, 200, "PATCH", one, SL("{\"name\":\"NEW\"}"));
    CHECK_SLICE(at(doc, "name"), SL("NEW"));
    CHECK_SLICE(at(doc, "outboundNotificationWebhookSignatureSecretToken"), SL(SECRET));
    must(&w, 400, "PATCH", one, SL("{\"outboundNotificationWebhookUrl\":\"https://a\"}"));
    must(&w, 200, "POST", SL(INTEGRATIONS), integration_body(&w, "TWO", SECRET, ""));
    doc = must(&w, 200, "GET", SL(INTEGRATIONS "?pageSize=1&pageNumber=2"), SLICE_NONE);
    CHECK_SLICE(at(doc, "entities.0.name"), SL("TWO"));
    CHECK(!js_at(doc, "nextUri") && js_at(doc, "previousUri"));
    must(&w, 204, "DELETE", one, SLICE_NONE);
    CHECK_SLICE(at(must(&w, 404, "GET", one, SLICE_NONE), "code"), SL("not.found"));
    must(&w, 404, "POST", inbound(&w, "message"), text_body(&w, "m", "t"));
    close_world(&w);
}

TEST(genesys_ties_published_flows_only)
{
    struct world w;
    open_ready(&w, 0, NULL);
    slice path = arena_printf(w.a, "/api/v2/routing/message/recipients/" SLF, SLA(w.integration));
    const struct js *flows = must(&w, 200, "GET", SL("/api/v2/flows?type=inboundshortmessage"), SLICE_NONE);
    size_t tied = 0;
    for (size_t i = 0; i < js_len(js_at(flows, "entities")); i++) {
        const struct js *flow = js_item(js_at(flows, "entities"), i);
        bool published = js_at(flow, "publishedVersion") != NULL;
        slice body = arena_printf(w.a, "{\"flow\":{\"id\":\"" SLF "\"}}", SLA(at(flow, "id")));
        const struct js *doc = must(&w, published ? 200 : 400, "PUT", path, body);
        CHECK_ROW(i, !published || slice_eq(at(doc, "flow.id"), at(flow, "id")));
        tied += published;
    }
    CHECK_INT(tied, 2);
    CHECK(!js_at(must(&w, 200, "PUT", path, SL("{\"flow\":null}")), "flow"));
    close_world(&w);
}

/* ---- messages of guests ------------------------------------------------------------------------------------------------------------ */

TEST(genesys_refuses_inbound_messages_that_break_the_schema)
{
    /* clang-format off */
#define FROM "\"from\":{\"id\":\"g\",\"idType\":\"Opaque\"}"
#define CHANNEL "\"channel\":{\"time\":\"" TIME "\"," FROM "}"
#define FILE_OF(kind, rest) "{\"contentType\":\"Attachment\",\"attachment\":{\"mediaType\":\"" kind "\"" rest "}}"
#define LINK FILE_OF("Link", ",\"url\":\"https://a\",\"mime\":\"text/html\"")
    static const struct {
        const char *what, *body, *code, *words;
    } rows[] = {
        { "message", "nonsense", "bad.request", "malformed" },
        { "message", "[]", "bad.request", "malformed" },
        { "message", "{}", "bad.request", "'.channel'" },
        { "message", "{\"channel\":{" FROM "},\"text\":\"t\"}", "bad.request", "'.channel.time'" },
        { "message", "{\"channel\":{\"time\":\"today\"," FROM "},\"text\":\"t\"}", "invalid.date", "date-time" },
        { "message", "{\"channel\":{\"time\":\"" TIME "\",\"from\":{\"id\":\"g\"}},\"text\":\"t\"}", "bad.request", "idType" },
        { "message", "{\"channel\":{\"time\":\"" TIME "\",\"from\":{\"id\":\"g\",\"idType\":\"Post\"}},\"text\":\"t\"}", "bad.request", "Email|Phone|Opaque" },
        { "message", "{" CHANNEL "}", "bad.request", "should match some schema in anyOf" },
        { "message", "{" CHANNEL ",\"text\":1}", "bad.request", ".text should be string" },
        { "message", "{" CHANNEL ",\"text\":\"t\",\"metadata\":{\"a\":1}}", "bad.request", ".metadata" },
        { "message", "{\"channel\":{\"time\":\"" TIME "\"," FROM ",\"metadata\":{\"customAttributes\":{\"a\":null}}},\"text\":\"t\"}", "bad.request", "customAttributes" },
        { "message", "{" CHANNEL ",\"content\":[" LINK "," LINK "]}", "bad.request", "more than 1" },
        { "message", "{" CHANNEL ",\"content\":[{\"contentType\":\"Location\"}]}", "bad.request", "contentType" },
        { "message", "{" CHANNEL ",\"content\":[" FILE_OF("Image", ",\"mime\":\"image/png\"") "]}", "bad.request", "attachment.url" },
        { "message", "{\"channel\":{\"time\":\"" TIME "\"," FROM ",\"to\":{\"id\":\"other\"}},\"text\":\"t\"}", "bad.request", "channel.to" },
        { "structured/response", "{" CHANNEL ",\"originatingMessageId\":\"x\"}", "bad.request", "buttonResponse" },
        { "structured/response", "{" CHANNEL ",\"originatingMessageId\":\"x\",\"buttonResponse\":{\"type\":\"Card\",\"text\":\"a\",\"payload\":\"b\"}}", "bad.request", "buttonResponse.type" },
        { "structured/response", "{" CHANNEL ",\"buttonResponse\":{\"type\":\"Button\",\"text\":\"a\",\"payload\":\"b\"}}", "bad.request", "originatingMessageId" },
        { "event", "{" CHANNEL "}", "bad.request", "'.events'" },
        { "event", "{" CHANNEL ",\"events\":[{\"eventType\":\"Presence\"}]}", "bad.request", "eventType" },
        { "receipt", "{\"id\":\"x\",\"channel\":{\"time\":\"" TIME "\",\"to\":{\"id\":\"g\"}},\"status\":\"Read\"}", "bad.request", ".status" },
        { "receipt", "{\"id\":\"x\",\"channel\":{\"time\":\"" TIME "\",\"to\":{\"id\":\"g\"}},\"status\":\"Sent\"}", "bad.request", "Delivered and Failed" },
    };
    /* clang-format on */
    struct world w;
    open_ready(&w, 0, NULL);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct got got = ask(&w, "POST", inbound(&w, rows[i].what), slice_of(rows[i].body));
        CHECK_ROW(i, got.status == 400);
        CHECK_ROW(i, slice_eq(at(got.json, "code"), slice_of(rows[i].code)));
        CHECK_ROW(i, slice_find(at(got.json, "message"), slice_of(rows[i].words)) != SIZE_MAX);
    }
    CHECK_INT(counter(&w, "inbound"), 0);
    CHECK_INT(w.n_hooks, 0);
    close_world(&w);
}

TEST(genesys_takes_a_message_once)
{
    struct world w;
    open_ready(&w, 0, NULL);
    slice path = inbound(&w, "message");
    const struct js *first = must(&w, 200, "POST", path, text_body(&w, "m1", "hello"));
    const struct js *again = must(&w, 200, "POST", path, text_body(&w, "m1", "hello"));
    const struct js *other = must(&w, 200, "POST", path, text_body(&w, "m2", "hello"));
    CHECK(js_equal(first, again));
    CHECK_INT(at(first, "id").n, 32);
    CHECK(!js_at(first, "conversationId"));
    CHECK(!slice_eq(at(first, "id"), at(other, "id")));
    await_hooks(&w, 2);
    run_ms(&w, 30);
    CHECK_INT(w.n_hooks, 2);
    const struct js *log = must(&w, 200, "GET", SL("/sim/inbound"), SLICE_NONE);
    CHECK_INT(js_len(js_at(log, "messages")), 2);
    int64_t times;
    CHECK(js_int(js_at(log, "messages.0.times"), &times) && times == 2);
    log = must(&w, 200, "GET", SL("/sim/inbound?after=1"), SLICE_NONE);
    CHECK_SLICE(at(log, "messages.0.messageId"), SL("m2"));
    close_world(&w);
}

TEST(genesys_receipts_are_signed)
{
    struct world w;
    open_ready(&w, 0, NULL);
    slice conversation = guest_says(&w, "m1", "hello");
    await_hooks(&w, 1);
    const struct js *r = hook(&w, 0);
    slice want = arena_printf(w.a, "sha256=" SLF, SLA(sgc_hmac_base64(w.a, SL(SECRET), w.hooks[0])));
    CHECK_SLICE(w.signatures[0], want);
    CHECK_SLICE(at(r, "type"), SL("Receipt"));
    CHECK_SLICE(at(r, "status"), SL("Published"));
    CHECK_SLICE(at(r, "conversationId"), conversation);
    CHECK_SLICE(at(r, "channel.id"), w.integration);
    CHECK_SLICE(at(transcript(&w, conversation), "messages.0.state"), SL("published"));
    close_world(&w);
}

/* The published vector: key and body give this header. */
TEST(genesys_signature_vector)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice body = SL(
        "{\"id\":\"0f3c7d2e5b6a49188c1d2e3f4a5b6c7d\",\"channel\":{\"id\":\"5c1f0a52-7d1b-4c39-9a0e-0d8f6b7a1c22\",\"platform\":\"Open\",\"type\":\"Private\",\"messageId\":\"0f3c7d2e5b6a49188c1d2e3f4a5b6c7d\",\"to\":{\"id\":\"guest-42@line\",\"idType\":\"Opaque\"},\"from\":{\"nickname\":\"HUB-TEST\",\"id\":\"5c1f0a52-7d1b-4c39-9a0e-0d8f6b7a1c22\",\"idType\":\"Opaque\"},\"time\":\"2026-03-04T05:06:07.890Z\"},\"type\":\"Text\",\"text\":\"Hello こんにちは\",\"direction\":\"Outbound\",\"originatingEntity\":\"Human\",\"conversationId\":\"b2a7c8d9-1e2f-4a3b-8c4d-5e6f70819203\"}");
    CHECK_INT(body.n, 504);
    CHECK_SLICE(sgc_hmac_base64(a, SL(SECRET), body), SL("a9+r0s9uqoiV2onejRUukqb8NvwbXauoWPaFvnngtXY="));
}

TEST(genesys_receipts_can_be_off)
{
    static const char *const options[] = { "--receipts=off" };
    struct world w;
    open_ready(&w, COUNT(options), options);
    guest_says(&w, "m1", "hello");
    run_ms(&w, 50);
    CHECK_INT(w.n_hooks, 0);
    close_world(&w);
}

TEST(genesys_fetches_attachments)
{
    static const struct {
        const char *path, *mime, *state, *status;
    } rows[] = {
        { "/parcel.png", "image/png", "kept", "Published" },
        { "/missing", "image/png", "failed", "Failed" },
    };
    struct world w;
    open_ready(&w, 0, NULL);
    slice want = sgc_sha256_hex(w.a, SL("PNG of a parcel"));
    for (size_t i = 0; i < COUNT(rows); i++) {
        slice id = arena_printf(w.a, "m%zu", i);
        slice body = arena_printf(
            w.a,
            "{" SLF
            ",\"text\":\"p\",\"content\":[{\"contentType\":\"Attachment\",\"attachment\":{\"mediaType\":"
            "\"Image\",\"url\":\"" SLF "%s\",\"mime\":\"%s\",\"filename\":\"p.png\",\"sha256\":\"" SLF
            "\"}}]}",
            SLA(channel(&w, id.p)), SLA(w.hub_base), rows[i].path, rows[i].mime, SLA(want));
        slice path = arena_printf(w.a, SLF "?prefetchConversationId=true", SLA(inbound(&w, "message")));
        slice conversation = at(must(&w, 200, "POST", path, body), "conversationId");
        await_hooks(&w, i + 1);
        CHECK_ROW(i, slice_eq(at(hook(&w, i), "status"), slice_of(rows[i].status)));
        const struct js *m = js_item(js_at(transcript(&w, conversation), "messages"), i);
        CHECK_ROW(i, slice_eq(at(m, "media.state"), slice_of(rows[i].state)));
        if (i == 0) {
            CHECK_SLICE(at(m, "media.sha256"), want);
            CHECK(js_true(js_at(m, "media.sha256_matches")));
            CHECK_SLICE(ask(&w, "GET", at(m, "media.url"), SLICE_NONE).body, SL("PNG of a parcel"));
        }
    }
    close_world(&w);
}

TEST(genesys_profiles_drop_files_without_a_word)
{
    struct world w;
    open_ready(&w, 0, NULL);
    slice profile = at(
        must(&w, 200, "POST", SL("/api/v2/conversations/messaging/supportedcontent"),
             SL("{\"name\":\"pdf\",\"mediaTypes\":{\"allow\":{\"inbound\":[{\"type\":\"application/pdf\"}],"
                "\"outbound\":[{\"type\":\"image/*\"}]}}}")),
        "id");
    must(
        &w, 200, "PATCH", arena_printf(w.a, INTEGRATIONS "/" SLF, SLA(w.integration)),
        arena_printf(w.a, "{\"name\":\"HUB-TEST\",\"supportedContent\":{\"id\":\"" SLF "\"}}", SLA(profile)));
    slice body = arena_printf(
        w.a,
        "{" SLF
        ",\"content\":[{\"contentType\":\"Attachment\",\"attachment\":{\"mediaType\":\"Image\",\"url\":\"" SLF
        "/parcel.png\",\"mime\":\"image/png\"}}]}",
        SLA(channel(&w, "m1")), SLA(w.hub_base));
    slice path = arena_printf(w.a, SLF "?prefetchConversationId=true", SLA(inbound(&w, "message")));
    slice conversation = at(must(&w, 200, "POST", path, body), "conversationId");
    await_hooks(&w, 1);
    CHECK_SLICE(at(hook(&w, 0), "status"), SL("Published"));
    CHECK_SLICE(at(transcript(&w, conversation), "messages.0.media.state"), SL("dropped"));
    slice say = arena_printf(w.a, "/sim/conversations/" SLF "/agent", SLA(conversation));
    must(&w, 400, "POST", say,
         SL("{\"attachment\":{\"base64\":\"AAAA\",\"name\":\"a.pdf\",\"mime\":\"application/pdf\"}}"));
    must(&w, 200, "POST", say,
         SL("{\"attachment\":{\"base64\":\"AAAA\",\"name\":\"a.webp\",\"mime\":\"image/webp\"}}"));
    close_world(&w);
}

TEST(genesys_typing_needs_the_setting)
{
    struct world w;
    open_ready(&w, 0, NULL);
    slice conversation = guest_says(&w, "m1", "hello");
    await_hooks(&w, 1);
    slice event = SL(
        "{\"channel\":{\"time\":\"" TIME
        "\",\"from\":{\"id\":\"g1@line\",\"idType\":\"Opaque\"}},\"events\":[{\"eventType\":\"Typing\"}]}");
    must(&w, 200, "POST", inbound(&w, "event"), event);
    CHECK(!js_true(js_at(transcript(&w, conversation), "typing")));
    CHECK(!js_true(js_at(desk(&w, conversation, "agent", SL("{\"typing\":true}")), "sent")));
    slice setting = at(
        must(
            &w, 200, "POST", SL("/api/v2/conversations/messaging/settings"),
            SL("{\"name\":\"hub\",\"event\":{\"typing\":{\"on\":{\"inbound\":\"Enabled\",\"outbound\":\"Enabled\"}}}}")),
        "id");
    must(
        &w, 200, "PATCH", arena_printf(w.a, INTEGRATIONS "/" SLF, SLA(w.integration)),
        arena_printf(w.a, "{\"name\":\"HUB-TEST\",\"messagingSetting\":{\"id\":\"" SLF "\"}}", SLA(setting)));
    must(&w, 200, "POST", inbound(&w, "event"), event);
    CHECK(js_true(js_at(transcript(&w, conversation), "typing")));
    CHECK(js_true(js_at(desk(&w, conversation, "agent", SL("{\"typing\":true}")), "sent")));
    await_hooks(&w, 2);
    CHECK_SLICE(at(hook(&w, 1), "events.0.typing.type"), SL("On"));
    close_world(&w);
}

/* ---- what agents say --------------------------------------------------------------------------------------------------------------- */

TEST(genesys_hub_receipts_move_a_message_forward_only)
{
    static const char *const options[] = { "--receipts=off" };
    struct world w;
    open_ready(&w, COUNT(options), options);
    slice conversation = guest_says(&w, "m1", "hello");
    slice id = at(desk(&w, conversation, "agent", SL("{\"text\":\"Hi\",\"agent\":\"Ken Ito\"}")), "id");
    await_hooks(&w, 1);
    CHECK_SLICE(at(hook(&w, 0), "id"), id);
    CHECK_SLICE(at(hook(&w, 0), "originatingEntity"), SL("Human"));
    run_ms(&w, 20);
    CHECK_SLICE(at(transcript(&w, conversation), "messages.1.state"), SL("sent"));
    slice path = inbound(&w, "receipt");
    CHECK_SLICE(at(must(&w, 200, "POST", path, receipt_body(&w, id, "\"status\":\"Delivered\"")), "status"),
                SL("Delivered"));
    CHECK_SLICE(at(transcript(&w, conversation), "messages.1.state"), SL("delivered"));
    must(&w, 200, "POST", path,
         receipt_body(
             &w, id,
             "\"status\":\"Failed\",\"reasons\":[{\"code\":\"RecipientOptedOut\",\"message\":\"blocked\"}]"));
    must(&w, 200, "POST", path, receipt_body(&w, id, "\"status\":\"Delivered\""));
    const struct js *m = js_item(js_at(transcript(&w, conversation), "messages"), 1);
    CHECK_SLICE(at(m, "state"), SL("failed"));
    CHECK_SLICE(at(m, "reason.code"), SL("RecipientOptedOut"));
    const struct js *unknown =
        must(&w, 200, "POST", path, receipt_body(&w, SL("none"), "\"status\":\"Delivered\""));
    CHECK_SLICE(at(unknown, "status"), SL("Failed"));
    CHECK_SLICE(at(unknown, "reasons.0.code"), SL("UnknownMessage"));
    const struct js *details =
        must(&w, 200, "GET", arena_printf(w.a, "/api/v2/conversations/messages/" SLF "/details", SLA(id)),
             SLICE_NONE);
    CHECK_SLICE(at(details, "createdBy.name"), SL("Ken Ito"));
    CHECK_SLICE(at(details, "status"), SL("delivery-failed"));
    slice user = arena_printf(w.a, "/api/v2/users/" SLF, SLA(at(details, "createdBy.id")));
    CHECK_SLICE(at(must(&w, 200, "GET", user, SLICE_NONE), "name"), SL("Ken Ito"));
    close_world(&w);
}

TEST(genesys_button_answers_are_paired_with_their_offer)
{
    static const struct {
        const char *text, *payload;
        bool paired;
    } rows[] = { { "No", "n-1", true }, { "No", "other", false }, { "Yes", "Yes", true } };
    static const char *const options[] = { "--receipts=off" };
    struct world w;
    open_ready(&w, COUNT(options), options);
    slice conversation = guest_says(&w, "m1", "hello");
    const struct js *said =
        desk(&w, conversation, "agent",
             SL("{\"text\":\"Well?\",\"quick_replies\":[\"Yes\",{\"text\":\"No\",\"payload\":\"n-1\"}]}"));
    await_hooks(&w, 1);
    CHECK_SLICE(at(hook(&w, 0), "type"), SL("Structured"));
    CHECK_SLICE(at(hook(&w, 0), "originatingEntity"), SL("Bot"));
    CHECK_SLICE(at(hook(&w, 0), "content.1.quickReply.payload"), SL("n-1"));
    for (size_t i = 0; i < COUNT(rows); i++) {
        slice body = arena_printf(w.a,
                                  "{" SLF ",\"originatingMessageId\":\"" SLF
                                  "\",\"buttonResponse\":{\"type\":\"QuickReply\",\"text\":\"%s\","
                                  "\"payload\":\"%s\"}}",
                                  SLA(channel(&w, arena_printf(w.a, "b%zu", i).p)), SLA(at(said, "id")),
                                  rows[i].text, rows[i].payload);
        const struct js *got = must(&w, 200, "POST", inbound(&w, "structured/response"), body);
        CHECK_ROW(i, slice_eq(at(got, "type"), SL("Structured")));
        const struct js *m = js_item(js_at(transcript(&w, conversation), "messages"), 2 + i);
        CHECK_ROW(i, js_true(js_at(m, "button.paired")) == rows[i].paired);
    }
    close_world(&w);
}

TEST(genesys_webhooks_are_repeated_and_given_up)
{
    static const struct {
        int answers[8];
        size_t calls;
        const char *state;
    } rows[] = {
        { { 503, 429, 200 }, 3, "sent" },
        { { 500, 500, 500, 500, 500, 500 }, 6, "failed" },
        { { 404 }, 1, "failed" },
    };
    static const char *const options[] = { "--receipts=off", "--retry-ms=10" };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct world w;
        open_ready(&w, COUNT(options), options);
        memcpy(w.refuse, rows[i].answers, sizeof(w.refuse));
        while (w.n_refuse < COUNT(w.refuse) && w.refuse[w.n_refuse])
            w.n_refuse++;
        slice conversation = guest_says(&w, "m1", "hello");
        desk(&w, conversation, "agent", SL("{\"text\":\"Hi\"}"));
        await_hooks(&w, rows[i].calls);
        run_ms(&w, 60);
        CHECK_ROW(i, w.n_hooks == rows[i].calls);
        for (size_t k = 1; k < w.n_hooks; k++)
            CHECK_ROW(i, slice_eq(w.hooks[k], w.hooks[0]));
        CHECK_ROW(i, slice_eq(at(transcript(&w, conversation), "messages.1.state"), slice_of(rows[i].state)));
        close_world(&w);
    }
}

TEST(genesys_sends_twice_and_signs_wrong_on_request)
{
    static const char *const options[] = { "--receipts=off" };
    struct world w;
    open_ready(&w, COUNT(options), options);
    slice conversation = guest_says(&w, "m1", "hello");
    desk(&w, conversation, "agent", SL("{\"text\":\"Hi\",\"copies\":2}"));
    await_hooks(&w, 2);
    CHECK_SLICE(w.hooks[0], w.hooks[1]);
    desk(&w, conversation, "agent", SL("{\"text\":\"Hi\",\"bad_signature\":true}"));
    await_hooks(&w, 3);
    slice right = arena_printf(w.a, "sha256=" SLF, SLA(sgc_hmac_base64(w.a, SL(SECRET), w.hooks[2])));
    CHECK_INT(w.signatures[2].n, right.n);
    CHECK(!slice_eq(w.signatures[2], right));
    close_world(&w);
}

TEST(genesys_files_are_reached_over_a_signed_redirect)
{
    static const char *const options[] = { "--receipts=off", "--download-auth" };
    struct world w;
    open_ready(&w, COUNT(options), options);
    slice conversation = guest_says(&w, "m1", "hello");
    desk(&w, conversation, "agent",
         SL("{\"attachment\":{\"base64\":\"UE5H\",\"name\":\"a.png\",\"mime\":\"image/png\"}}"));
    await_hooks(&w, 1);
    slice url = at(hook(&w, 0), "content.0.attachment.url");
    CHECK_SLICE(at(hook(&w, 0), "type"), SL("Text"));
    CHECK_INT(call_as(&w, "GET", url, SLICE_NONE, SLICE_NONE, SLICE_NONE).status, 401);
    struct got redirect = ask(&w, "GET", url, SLICE_NONE);
    CHECK_INT(redirect.status, 303);
    CHECK_INT(ask(&w, "GET", redirect.location, SLICE_NONE).status,
              400); /* a token that followed the redirect */
    struct got got = call_as(&w, "GET", redirect.location, SLICE_NONE, SLICE_NONE, SLICE_NONE);
    CHECK_SLICE(got.body, SL("PNG"));
    slice spoilt = arena_printf(w.a, SLF "0", SLA(slice_sub(redirect.location, 0, redirect.location.n - 1)));
    spoilt = slice_eq(spoilt, redirect.location)
                 ? arena_printf(w.a, SLF "1", SLA(slice_sub(spoilt, 0, spoilt.n - 1)))
                 : spoilt;
    CHECK_INT(call_as(&w, "GET", spoilt, SLICE_NONE, SLICE_NONE, SLICE_NONE).status, 403);
    close_world(&w);
}

/* ---- ends -------------------------------------------------------------------------------------------------------------------------- */

static const struct js *participant(const struct js *conversation, const char *purpose, size_t nth)
{
    const struct js *list = js_at(conversation, "participants");
    for (size_t i = 0; i < js_len(list); i++)
        if (slice_eq(at(js_item(list, i), "purpose"), slice_of(purpose)) && nth-- == 0)
            return js_item(list, i);
    return NULL;
}

TEST(genesys_transfers_do_not_end_a_conversation)
{
    static const char *const options[] = { "--receipts=off" };
    struct world w;
    open_ready(&w, COUNT(options), options);
    slice id = guest_says(&w, "m1", "hello");
    slice path = arena_printf(w.a, "/api/v2/conversations/" SLF, SLA(id));
    desk(&w, id, "agent", SL("{\"text\":\"Hi\",\"agent\":\"Maria Sato\"}"));
    desk(&w, id, "transfer", SL("{\"agent\":\"Ken Ito\"}"));
    const struct js *v = must(&w, 200, "GET", path, SLICE_NONE);
    CHECK(!js_at(v, "endTime"));
    CHECK_SLICE(at(participant(v, "agent", 0), "messages.0.disconnectType"), SL("transfer"));
    CHECK_SLICE(at(participant(v, "agent", 1), "messages.0.state"), SL("connected"));
    CHECK_SLICE(at(participant(v, "customer", 0), "messages.0.state"), SL("connected"));
    desk(&w, id, "end", SLICE_NONE);
    v = must(&w, 200, "GET", path, SLICE_NONE);
    CHECK(at(v, "endTime").n);
    CHECK_SLICE(at(participant(v, "customer", 0), "messages.0.state"), SL("disconnected"));
    must(&w, 400, "POST", arena_printf(w.a, "/sim/conversations/" SLF "/agent", SLA(id)),
         SL("{\"text\":\"too late\"}"));
    CHECK(slice_eq(guest_says(&w, "m2", "again"), id)); /* within the threading window */
    v = must(&w, 200, "GET", path, SLICE_NONE);
    CHECK(!js_at(v, "endTime"));
    CHECK_SLICE(at(participant(v, "customer", 0), "messages.0.state"), SL("connected"));
    close_world(&w);
}

TEST(genesys_without_threading_every_end_is_final)
{
    static const char *const options[] = { "--receipts=off", "--threading-seconds=0" };
    struct world w;
    open_ready(&w, COUNT(options), options);
    slice id = guest_says(&w, "m1", "hello");
    CHECK(slice_eq(guest_says(&w, "m2", "more"), id));
    desk(&w, id, "end", SLICE_NONE);
    CHECK(!slice_eq(guest_says(&w, "m3", "again"), id));
    close_world(&w);
}

TEST(genesys_participants_take_attributes_and_disconnect)
{
    static const char *const options[] = { "--receipts=off" };
    struct world w;
    open_ready(&w, COUNT(options), options);
    slice id = guest_says(&w, "m1", "hello");
    slice path = arena_printf(w.a, "/api/v2/conversations/" SLF, SLA(id));
    const struct js *customer = participant(must(&w, 200, "GET", path, SLICE_NONE), "customer", 0);
    CHECK_SLICE(at(customer, "attributes.media"), SL("LINE"));
    slice one = arena_printf(w.a, SLF "/participants/" SLF, SLA(path), SLA(at(customer, "id")));
    slice attributes = arena_printf(w.a, SLF "/attributes", SLA(one));
    must(&w, 200, "PATCH", attributes, SL("{\"attributes\":{\"media\":\"Slack\",\"city\":\"Kyoto\"}}"));
    must(&w, 400, "PATCH", attributes, SL("{\"attributes\":{\"media\":1}}"));
    customer = participant(must(&w, 200, "GET", path, SLICE_NONE), "customer", 0);
    CHECK_SLICE(at(customer, "attributes.media"), SL("Slack"));
    CHECK_SLICE(at(customer, "attributes.city"), SL("Kyoto"));
    slice messages = arena_printf(w.a, "/api/v2/conversations/messages/" SLF "/participants/" SLF, SLA(id),
                                  SLA(at(customer, "id")));
    must(&w, 400, "PATCH", messages, SL("{\"state\":\"parked\"}"));
    must(&w, 202, "PATCH", messages, SL("{\"state\":\"disconnected\"}"));
    CHECK(at(must(&w, 200, "GET", path, SLICE_NONE), "endTime").n);
    close_world(&w);
}

TEST(genesys_old_endpoint_takes_text_and_receipts)
{
    static const char *const options[] = { "--receipts=off" };
    struct world w;
    open_ready(&w, COUNT(options), options);
    slice path = SL("/api/v2/conversations/messages/inbound/open");
    slice good = arena_printf(
        w.a,
        "{\"channel\":{\"platform\":\"Open\",\"type\":\"Private\",\"messageId\":\"m1\",\"to\":{\"id\":\"" SLF
        "\"},\"from\":{\"id\":\"g1@line\",\"idType\":\"Opaque\"},\"time\":\"" TIME
        "\"},\"type\":\"Text\",\"text\":\"t\",\"direction\":\"Inbound\"}",
        SLA(w.integration));
    must(&w, 200, "POST", path, good);
    must(&w, 400, "POST", path, text_body(&w, "m2", "no platform, type, direction"));
    CHECK_INT(counter(&w, "inbound"), 1);
    close_world(&w);
}

TEST(genesys_responses_are_found_by_name)
{
    struct world w;
    open_ready(&w, 0, NULL);
    slice path = SL("/api/v2/responsemanagement/responses/query");
    const struct js *doc = must(
        &w, 200, "POST", path,
        SL("{\"queryPhrase\":\"\",\"pageSize\":25,\"filters\":[{\"name\":\"name\",\"operator\":\"EQUALS\",\"values\":"
           "[\"greeting\"]},{\"name\":\"responseType\",\"operator\":\"EQUALS\",\"values\":[\"CampaignSmsTemplate\"]}]}"));
    CHECK_SLICE(at(doc, "results.entities.0.name"), SL("Greeting"));
    CHECK_SLICE(at(doc, "results.entities.0.texts.0.contentType"), SL("text/plain"));
    doc = must(
        &w, 200, "POST", path,
        SL("{\"filters\":[{\"name\":\"name\",\"operator\":\"EQUALS\",\"values\":[\"nothing of the kind\"]}]}"));
    CHECK_INT(js_len(js_at(doc, "results.entities")), 0);
    must(&w, 200, "POST", SL("/sim/responses"), SL("{\"name\":\"Nothing of the kind\",\"text\":\"x\"}"));
    doc = must(
        &w, 200, "POST", path,
        SL("{\"filters\":[{\"name\":\"name\",\"operator\":\"EQUALS\",\"values\":[\"nothing of the kind\"]}]}"));
    CHECK_INT(js_len(js_at(doc, "results.entities")), 1);
    close_world(&w);
}

TEST(genesys_channels_hold_subscriptions)
{
    struct world w;
    open_ready(&w, 0, NULL);
    const struct js *ch = must(&w, 200, "POST", SL("/api/v2/notifications/channels"), SLICE_NONE);
    CHECK(slice_starts(at(ch, "connectUri"), SL("ws://127.0.0.1:")));
    slice path = arena_printf(w.a, "/api/v2/notifications/channels/" SLF "/subscriptions", SLA(at(ch, "id")));
    CHECK_INT(
        js_len(js_at(must(&w, 200, "POST", path, SL("[{\"id\":\"v2.a\"},{\"id\":\"v2.b\"}]")), "entities")),
        2);
    CHECK_INT(
        js_len(js_at(must(&w, 200, "POST", path, SL("[{\"id\":\"v2.b\"},{\"id\":\"v2.c\"}]")), "entities")),
        3);
    CHECK_INT(js_len(js_at(must(&w, 200, "PUT", path, SL("[{\"id\":\"v2.d\"}]")), "entities")), 1);
    must(&w, 400, "PUT", path, SL("[{\"id\":\"nonsense\"}]"));
    must(&w, 204, "DELETE", path, SLICE_NONE);
    CHECK_INT(js_len(js_at(must(&w, 200, "GET", path, SLICE_NONE), "entities")), 0);
    close_world(&w);
}

/* The short way must take what the long way takes. */
TEST(genesys_instant_keeps_the_same_record)
{
    static const char *const options[] = { "--receipts=off", "--instant" };
    struct world w;
    open_ready(&w, COUNT(options), options);
    slice id = guest_says(&w, "m1", "hello");
    CHECK(slice_eq(guest_says(&w, "m1", "hello"), id));
    CHECK(slice_eq(guest_says(&w, "m2", "with \\\"quotes\\\""), id)); /* escapes go the long way */
    const struct js *log = must(&w, 200, "GET", SL("/sim/inbound"), SLICE_NONE);
    CHECK_INT(js_len(js_at(log, "messages")), 2);
    CHECK_SLICE(at(log, "messages.0.text"), SL("hello"));
    CHECK_SLICE(at(log, "messages.0.from"), SL("g1@line"));
    CHECK_SLICE(at(log, "messages.1.text"), SL("with \"quotes\""));
    CHECK_INT(ask(&w, "POST", inbound(&w, "message"), SL("{}")).status, 400);
    close_world(&w);
}
