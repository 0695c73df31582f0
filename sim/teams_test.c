/* teams_test.c - the simulated Teams over HTTP, as a hub meets it: one loop holds the simulator, a client and a hub that takes activities. */
#include "sim/sign.h"
#include "sim/teams.h"
#include "tests/harness/test.h"

#define V3    "/emea/v3/conversations"
#define CHAT  V3 "/a%3A1SimulatedChat0001/activities"
#define ROOM  V3 "/19%3Asupport%40thread.tacv2%3Bmessageid%3D5/activities"
#define FORM  "grant_type=client_credentials&client_id=11111111-2222-3333-4444-555555555555&client_secret=6ay8Q~Example-Example-Example-Example"
#define SCOPE "&scope=https%3A%2F%2Fapi.botframework.com%2F.default"
enum { WAIT_MS = 8000, HOOKS_MAX = 40 };

struct world {
    struct arena *a;
    struct loop *loop;
    struct sim_run *run;
    struct client *client;
    struct server *hub;
    slice bodies[HOOKS_MAX], tokens[HOOKS_MAX], token;
    size_t n_hooks;
    int refuse; /* so many activities get 500 */
    struct loop_timer timer;
    bool late;
};
struct got {
    int status;
    const struct js *json;
    bool done;
};
struct asking {
    struct world *w;
    struct got *got;
};

static void hub_hook(struct exchange *x, void *ctx)
{
    struct world *w = ctx;
    CHECK(w->n_hooks < HOOKS_MAX);
    w->tokens[w->n_hooks] = arena_dup(w->a, exchange_header(x, "authorization"));
    w->bodies[w->n_hooks++] = arena_dup(w->a, x->body);
    exchange_answer(x, &(struct response){ .status = w->refuse-- > 0 ? 500 : 200 });
    loop_stop(w->loop);
}

static void on_late(void *arg)
{
    struct world *w = arg;
    w->late = true;
    loop_stop(w->loop);
}

static const struct js *await_hook(struct world *w, size_t n)
{
    w->late = false;
    loop_timer_start(w->loop, &w->timer, WAIT_MS, on_late, w);
    while (w->n_hooks < n && !w->late)
        loop_run(w->loop);
    loop_timer_stop(&w->timer);
    CHECK_INT(w->n_hooks, n);
    return js_parse(w->a, w->bodies[n - 1], NULL);
}

static void answered(void *arg, const struct answer *r)
{
    struct asking *q = arg;
    *q->got = (struct got){ .status = r->status, .done = true };
    q->got->json = r->body.n ? js_parse(q->w->a, arena_dup(q->w->a, r->body), NULL) : NULL;
    loop_stop(q->w->loop);
}

static struct got call(struct world *w, const char *method, const char *path, const char *type, slice body, const char *range)
{
    struct got got = { 0 };
    struct asking q = { w, &got };
    struct header h[3] = { { SL("Content-Type"), slice_of(type) } };
    size_t n = 1;
    if (w->token.n)
        h[n++] = (struct header){ SL("Authorization"), w->token };
    if (range)
        h[n++] = (struct header){ SL("Content-Range"), slice_of(range) };
    struct client_call c = { .a = w->a, .method = method, .url = arena_printf(w->a, "http://127.0.0.1:%u%s", sim_port(w->run), path),
                             .headers = h, .n_headers = n, .body = body, .total_ms = WAIT_MS, .done = answered, .arg = &q };
    client_send(w->client, &c);
    while (!got.done)
        loop_run(w->loop);
    return got;
}

static struct got post(struct world *w, const char *path, const char *body)
{
    return call(w, "POST", path, "application/json", slice_of(body), NULL);
}

static struct got get(struct world *w, const char *path)
{
    return call(w, "GET", path, "application/json", SLICE_NONE, NULL);
}

static struct got log_in(struct world *w, const char *tenant, const char *form)
{
    return call(w, "POST", arena_printf(w->a, "/%s/oauth2/v2.0/token", tenant).p, "application/x-www-form-urlencoded", slice_of(form), NULL);
}

static void open_world(struct world *w, bool token)
{
    *w = (struct world){ .a = arena_new(), .loop = loop_new() };
    struct fault f = { 0 };
    struct client_limits limits;
    client_limits_default(&limits);
    limits.guard_off = true;
    w->client = client_new(w->loop, &limits, &f);
    w->hub = server_new(w->loop, "127.0.0.1:0", NULL, NULL, &f);
    server_route(w->hub, "POST", "/teams", 1 << 20, hub_hook, w);
    char name[] = "teams", retry[] = "--retry-ms=10", fetch[] = "--fetch-media=no", hub[64];
    snprintf(hub, sizeof(hub), "--hub=http://127.0.0.1:%u", server_port(w->hub));
    char *argv[] = { name, retry, fetch, hub };
    w->run = sim_open(w->loop, (int)COUNT(argv), argv, &f);
    if (!w->run)
        test_fail(__FILE__, __LINE__, "%s %s", f.field, f.text);
    if (token)
        w->token = arena_printf(w->a, "Bearer " SLF, SLA(js_text(js_at(log_in(w, "botframework.com", FORM SCOPE).json, "access_token"))));
}

static void close_world(struct world *w)
{
    sim_close(w->run);
    client_free(w->client);
    server_free(w->hub);
    loop_timer_done(&w->timer);
    loop_free(w->loop);
    arena_free(w->a);
}

TEST(teams_log_in_refuses_in_its_own_words)
{
    struct world w;
    open_world(&w, false);
    static const struct { const char *tenant, *form; int status; int64_t code; } rows[] = {
        { "botframework.com", FORM SCOPE, 200, 0 },
        { "aaaaaaaa-0000-4000-8000-000000000001", FORM SCOPE, 400, 700016 }, /* the customer's tenant is the wrong one */
        { "botframework.com", "grant_type=client_credentials&client_id=x&client_secret=y" SCOPE, 400, 700016 },
        { "botframework.com", "grant_type=client_credentials&client_id=11111111-2222-3333-4444-555555555555&client_secret=y" SCOPE, 401, 7000215 },
        { "botframework.com", FORM "&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default", 400, 70011 },
        { "botframework.com", "grant_type=password" SCOPE, 400, 70003 },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct got g = log_in(&w, rows[i].tenant, rows[i].form);
        int64_t code = 0;
        CHECK_ROW(i, g.status == rows[i].status);
        CHECK_ROW(i, g.status == 200 || (js_int(js_at(g.json, "error_codes.0"), &code) && code == rows[i].code));
    }
    CHECK_INT(post(&w, CHAT, "{\"type\":\"message\",\"text\":\"hi\"}").status, 401);
    close_world(&w);
}

TEST(teams_connector_takes_what_the_real_one_takes)
{
    struct world w;
    open_world(&w, true);
#define ATT(type, more) "{\"type\":\"message\",\"attachments\":[{\"contentType\":\"" type "\"" more "}]}"
#define HERO "application/vnd.microsoft.card.hero"
    static const struct { const char *path, *body; int status; } rows[] = {
        { CHAT, "{\"type\":\"message\",\"text\":\"hi\"}", 201 },
        { CHAT, "{\"type\":\"typing\"}", 201 },
        { CHAT, "{\"type\":\"message\"}", 400 },
        { CHAT, "[]", 400 },
        { CHAT, "{\"type\":\"message\",\"text\":\"x\",\"textFormat\":\"html\"}", 400 },
        { V3 "/a%3Anobody/activities", "{\"type\":\"message\",\"text\":\"hi\"}", 404 },
        { ROOM, "{\"type\":\"message\",\"text\":\"hi\"}", 201 },
        { CHAT, ATT("image/png", ",\"contentUrl\":\"https://x.example/a.png\""), 201 },
        { CHAT, ATT("image/png", ""), 400 },
        { CHAT, ATT("application/pdf", ",\"contentUrl\":\"https://x.example/a.pdf\""), 400 },
        { CHAT, ATT(HERO, ",\"content\":{\"buttons\":[{\"type\":\"openUrl\",\"title\":\"x\",\"value\":\"https://x\"}]}"), 201 },
        { CHAT, ATT(HERO, ",\"content\":{\"buttons\":[{\"type\":\"other\",\"title\":\"x\",\"value\":\"y\"}]}"), 400 },
        { CHAT, ATT(HERO, ",\"content\":{\"buttons\":[1,2,3,4,5,6,7]}"), 400 },
        { CHAT, ATT("application/vnd.microsoft.card.adaptive", ",\"content\":{\"type\":\"AdaptiveCard\",\"version\":\"1.4\",\"body\":[]}"), 201 },
        { CHAT, ATT("application/vnd.microsoft.card.adaptive", ",\"content\":{\"type\":\"AdaptiveCard\"}"), 400 },
        { CHAT, ATT("application/vnd.microsoft.teams.card.file.consent", ",\"name\":\"a\",\"content\":{\"sizeInBytes\":0,\"acceptContext\":{}}"), 400 },
        { ROOM, ATT("application/vnd.microsoft.teams.card.file.consent", ",\"name\":\"a\",\"content\":{\"sizeInBytes\":5,\"acceptContext\":{}}"), 400 },
        { CHAT, "{\"type\":\"message\",\"text\":\"x\",\"suggestedActions\":{\"actions\":[1,2,3,4]}}", 400 },
        { ROOM, "{\"type\":\"message\",\"text\":\"x\",\"suggestedActions\":{\"actions\":[1]}}", 400 },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct got g = post(&w, rows[i].path, rows[i].body);
        CHECK_ROW(i, g.status == rows[i].status);
        CHECK_ROW(i, js_text(js_at(g.json, g.status == 201 ? "id" : "error.code")).n);
    }
    CHECK_INT(get(&w, V3 "/a%3A1SimulatedChat0001/members/29%3A1SimulatedGuest0001").status, 200);
    CHECK_INT(get(&w, V3 "/a%3A1SimulatedChat0001/members/29%3Anobody").status, 404);
    CHECK_INT(post(&w, "/sim/guests/1/send", "{\"type\":\"remove\"}").status, 200);
    CHECK_INT(post(&w, CHAT, "{\"type\":\"message\",\"text\":\"hi\"}").status, 403);
    close_world(&w);
}

/* Signature and claims of what is sent, with the published key. */
TEST(teams_activities_are_signed_with_the_published_key)
{
    struct world w;
    open_world(&w, false);
    w.refuse = 1;
    CHECK_INT(post(&w, "/sim/guests/2/send", "{\"type\":\"text\",\"text\":\"a < b\"}").status, 200);
    const struct js *body = await_hook(&w, 2); /* once more after the 500 */
    CHECK_SLICE(w.bodies[0], w.bodies[1]);
    CHECK_SLICE(js_text(js_at(body, "text")), SL("a &lt; b"));
    CHECK_SLICE(js_text(js_at(body, "from.id")), SL("29:1SimulatedGuest0002"));
    slice rest = slice_from(w.tokens[1], 7), header = slice_cut(&rest, '.'), claims = slice_cut(&rest, '.');
    const struct js *keys = get(&w, "/v1/.well-known/keys").json, *head = js_parse(w.a, sign_unbase64(w.a, header), NULL);
    CHECK_SLICE(js_text(js_at(head, "kid")), js_text(js_at(keys, "keys.0.kid")));
    slice pem = sign_rsa_pem(w.a, js_text(js_at(keys, "keys.0.n")), js_text(js_at(keys, "keys.0.e")));
    CHECK(sign_rs256_ok(pem, arena_printf(w.a, SLF "." SLF, SLA(header), SLA(claims)), sign_unbase64(w.a, rest)));
    const struct js *said = js_parse(w.a, sign_unbase64(w.a, claims), NULL);
    CHECK_SLICE(js_text(js_at(said, "serviceurl")), js_text(js_at(body, "serviceUrl")));
    CHECK_INT(post(&w, "/sim/keys", "{\"rotate\":true}").status, 200);
    const struct js *after = get(&w, "/v1/.well-known/keys").json;
    CHECK_SLICE(js_text(js_at(after, "keys.1.kid")), js_text(js_at(keys, "keys.0.kid")));
    CHECK(!slice_eq(js_text(js_at(after, "keys.0.kid")), js_text(js_at(keys, "keys.0.kid"))));
    close_world(&w);
}

TEST(teams_uploads_come_in_ranges_and_without_a_token)
{
    struct world w;
    open_world(&w, true);
    CHECK_INT(post(&w, CHAT, "{\"type\":\"message\",\"attachments\":[{\"contentType\":\"application/vnd.microsoft.teams.card.file.consent\",\"name\":\"a.bin\","
                             "\"content\":{\"sizeInBytes\":327685,\"acceptContext\":{\"k\":1}}}]}").status, 201);
    CHECK_INT(post(&w, "/sim/guests/1/consent", "{\"accept\":true}").status, 200);
    const struct js *body = await_hook(&w, 1);
    CHECK_SLICE(js_text(js_at(body, "name")), SL("fileConsent/invoke"));
    slice url = js_text(js_at(body, "value.uploadInfo.uploadUrl"));
    const char *path = slice_from(url, slice_find(url, SL("/onedrive"))).p;
    slice piece = slice_mem(arena_zalloc(w.a, 327680), 327680);
    CHECK_INT(call(&w, "PUT", path, "application/octet-stream", piece, "bytes 0-327679/327685").status, 401);
    w.token = SLICE_NONE; /* OneDrive must not see it, and that it did is counted */
    static const struct { const char *range; size_t n; int status; } rows[] = {
        { "bytes 0-4/5", 5, 400 },                 /* another size */
        { "bytes 0-99/327685", 100, 400 },         /* no multiple of 320 KiB */
        { "bytes 327680-327684/327685", 5, 416 },  /* not yet */
        { NULL, 5, 400 },
        { "bytes 0-327679/327685", 327680, 202 },
        { "bytes 0-327679/327685", 327680, 416 },  /* there already */
        { "bytes 327680-327684/327685", 5, 201 },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_ROW(i, call(&w, "PUT", path, "application/octet-stream", slice_sub(piece, 0, rows[i].n), rows[i].range).status == rows[i].status);
    int64_t leaks = 0;
    CHECK(js_int(js_at(get(&w, "/sim/counters").json, "leaks"), &leaks) && leaks == 1);
    close_world(&w);
}
