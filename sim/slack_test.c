/* slack_test.c - the simulated Slack over HTTP, as a hub meets it: one loop holds the simulator, a client and a hub that takes its requests. */
#include "sim/sign.h"
#include "sim/slack.h"
#include "tests/harness/test.h"
#include "wire/url.h"

enum { WAIT_MS = 8000, HOOKS_MAX = 50 };
#define TOKEN "Bearer xoxb-installed-by-hand"

struct world {
    struct arena *a;
    struct loop *loop;
    struct sim_run *run;
    struct client *client;
    struct server *hub;
    slice bodies[HOOKS_MAX], signatures[HOOKS_MAX], stamps[HOOKS_MAX], retries[HOOKS_MAX];
    size_t n_hooks;
    int refuse; /* so many requests get 500 */
    struct loop_timer timer;
    bool late;
};
struct got {
    int status;
    const struct js *json;
    slice body, location;
    bool done;
};
struct asking {
    struct world *w;
    struct got *got;
};

static void on_hook(struct exchange *x, void *ctx)
{
    struct world *w = ctx;
    CHECK(w->n_hooks < HOOKS_MAX);
    size_t i = w->n_hooks++;
    w->bodies[i] = arena_dup(w->a, x->body);
    w->signatures[i] = arena_dup(w->a, exchange_header(x, "x-slack-signature"));
    w->stamps[i] = arena_dup(w->a, exchange_header(x, "x-slack-request-timestamp"));
    w->retries[i] = arena_dup(w->a, exchange_header(x, "x-slack-retry-num"));
    exchange_answer(x, &(struct response){ .status = w->refuse-- > 0 ? 500 : 200 });
    loop_stop(w->loop);
}

static void on_late(void *arg)
{
    struct world *w = arg;
    w->late = true;
    loop_stop(w->loop);
}

static void wait_for(struct world *w, const bool *done, size_t hooks)
{
    w->late = false;
    loop_timer_start(w->loop, &w->timer, WAIT_MS, on_late, w);
    while (!w->late && (done ? !*done : w->n_hooks < hooks))
        loop_run(w->loop);
    loop_timer_stop(&w->timer);
    CHECK(!w->late);
}

static void answered(void *arg, const struct answer *r)
{
    struct asking *as = arg;
    as->got->status = r->status;
    as->got->body = arena_dup(as->w->a, r->body);
    as->got->location = arena_dup(as->w->a, answer_header(r, "location"));
    as->got->json = js_parse(as->w->a, as->got->body, NULL);
    as->got->done = true;
    loop_stop(as->w->loop);
}

static struct got call(struct world *w, const char *method, const char *path, const char *auth, const char *type, slice body)
{
    struct got got = { 0 };
    struct asking as = { w, &got };
    struct header *headers = ARENA_ARRAY(w->a, struct header, 2);
    headers[0] = (struct header){ SL("Content-Type"), slice_of(type) };
    headers[1] = (struct header){ SL("Authorization"), slice_of(auth) };
    struct client_call *c = ARENA_NEW(w->a, struct client_call);
    *c = (struct client_call){ .a = w->a, .method = method, .url = arena_printf(w->a, "http://127.0.0.1:%u%s", sim_port(w->run), path), .headers = headers,
                               .n_headers = auth ? 2 : 1, .body = body, .done = answered, .arg = &as };
    client_send(w->client, c);
    wait_for(w, &got.done, 0);
    return got;
}

static struct got api(struct world *w, const char *method, const char *json)
{
    return call(w, "POST", arena_printf(w->a, "/api/%s", method).p, TOKEN, "application/json", slice_of(json));
}

static struct got sim(struct world *w, const char *path, const char *json)
{
    return call(w, json ? "POST" : "GET", path, NULL, "application/json", json ? slice_of(json) : SLICE_NONE);
}

static slice error_of(struct got g)
{
    return js_text(js_at(g.json, "error"));
}

static struct world *world_new(const char *more)
{
    struct arena *a = arena_new();
    struct world *w = ARENA_NEW(a, struct world);
    struct fault f = { 0 };
    w->a = a;
    w->loop = loop_new();
    w->hub = server_new(w->loop, "127.0.0.1:0", NULL, NULL, &f);
    server_route(w->hub, "POST", "/slack", 0, on_hook, w);
    slice hub = arena_printf(a, "http://127.0.0.1:%u", server_port(w->hub));
    char *argv[] = { arena_cstr(a, SL("slack")), arena_cstr(a, SL("--listen")), arena_cstr(a, SL("127.0.0.1:0")), arena_cstr(a, SL("--hub")), arena_cstr(a, hub),
                     arena_cstr(a, SL("--installed")), arena_cstr(a, SL("--retry-ms=20")), arena_cstr(a, slice_of(more)) };
    w->run = sim_open(w->loop, more ? 8 : 7, argv, &f);
    w->client = client_new(w->loop, NULL, &f);
    if (!w->run || !w->client)
        test_fail(__FILE__, __LINE__, "%s", f.text);
    return w;
}

static void world_free(struct world *w)
{
    client_free(w->client);
    sim_close(w->run);
    server_free(w->hub);
    loop_timer_done(&w->timer);
    loop_free(w->loop);
    arena_free(w->a);
}

TEST(slack_sim_signs_what_it_sends_and_sends_it_again)
{
    struct world *w = world_new(NULL);
    w->refuse = 2;
    CHECK_INT(sim(w, "/sim/guests/1/send", "{\"type\":\"text\",\"text\":\"h\xc3\xa9llo\"}").status, 200);
    wait_for(w, NULL, 3);
    for (size_t i = 0; i < 3; i++) {
        slice base = arena_printf(w->a, "v0:" SLF ":" SLF, SLA(w->stamps[i]), SLA(w->bodies[i]));
        slice mac = sign_hmac_sha256_hex(w->a, SL("a1b2c3d4e5f60718293a4b5c6d7e8f90"), base);
        CHECK_SLICE(w->signatures[i], arena_printf(w->a, "v0=" SLF, SLA(mac)));
        CHECK_SLICE(w->bodies[i], w->bodies[0]);
        CHECK_SLICE(w->retries[i], i ? arena_printf(w->a, "%zu", i) : SLICE_NONE);
    }
    const struct js *doc = js_parse(w->a, w->bodies[0], NULL);
    CHECK_SLICE(js_text(js_at(doc, "event.text")), SL("h\xc3\xa9llo"));
    CHECK_SLICE(js_text(js_at(doc, "authorizations.0.team_id")), SL("T0ACME001"));
    world_free(w);
}

TEST(slack_sim_refuses_in_slacks_words)
{
    static const struct {
        const char *method, *body, *error;
    } rows[] = {
        { "chat.postMessage", "{\"channel\":\"U0GUEST01\",\"text\":\"hi\"}", NULL },
        { "chat.postMessage", "{\"channel\":\"C0NO\",\"text\":\"hi\"}", "channel_not_found" },
        { "chat.postMessage", "{\"channel\":\"U0GUEST01\"}", "no_text" },
        { "chat.postMessage", "{\"channel\":\"U0GUEST01\",\"text\":\"hi\",\"thread_ts\":\"1.000000\"}", "thread_not_found" },
        { "chat.postMessage", "{\"channel\":\"U0GUEST01\",\"blocks\":[{\"type\":\"section\",\"text\":{\"type\":\"mrkdown\",\"text\":\"x\"}}]}", "invalid_blocks" },
        { "chat.postMessage", "{\"channel\":\"U0GUEST01\",\"blocks\":[{\"type\":\"image\",\"image_url\":\"https://x.example/a.png\"}]}", "invalid_blocks" },
        { "chat.postMessage", "{\"channel\":\"U0GUEST01\",\"blocks\":[{\"type\":\"actions\",\"elements\":[{\"type\":\"multi_static_select\"}]}]}", "invalid_blocks" },
        { "chat.postMessage", "[]", "invalid_json" },
        { "users.info", "{\"user\":\"U0GUEST99\"}", "user_not_found" },
        { "users.info", "{\"user\":\"U0GUEST04\"}", "user_not_found" }, /* of the other workspace */
        { "views.open", "{\"trigger_id\":\"1.2.3\",\"view\":{}}", "trigger_exchanged" },
        { "files.getUploadURLExternal", "{\"filename\":\"a\"}", "invalid_arguments" },
        { "files.completeUploadExternal", "{\"files\":[{\"id\":\"F0NO\"}],\"channel_id\":\"D0DIRECT01\"}", "file_not_found" },
        { "files.completeUploadExternal", "{\"files\":[{\"id\":\"F0NO\"}],\"channel_id\":\"U0GUEST01\"}", "channel_not_found" },
        { "files.upload", "{}", "unknown_method" },
    };
    struct world *w = world_new(NULL);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct got g = api(w, rows[i].method, rows[i].body);
        CHECK_ROW(i, g.status == 200 && js_true(js_at(g.json, "ok")) == !rows[i].error);
        CHECK_SLICE(error_of(g), slice_of(rows[i].error));
    }
    CHECK_SLICE(error_of(call(w, "POST", "/api/auth.test", "Bearer xoxb-other", "application/json", SL("{}"))), SL("invalid_auth"));
    CHECK_SLICE(error_of(call(w, "POST", "/api/auth.test", NULL, "application/json", SL("{}"))), SL("not_authed"));
    CHECK_INT(sim(w, "/sim/workspaces/T0ACME001/expire", "{}").status, 200);
    CHECK_SLICE(error_of(api(w, "auth.test", "{}")), SL("token_expired"));
    world_free(w);
}

TEST(slack_sim_takes_a_file_in_three_steps_and_guards_it)
{
    struct world *w = world_new(NULL);
    struct got url = call(w, "POST", "/api/files.getUploadURLExternal", TOKEN, "application/x-www-form-urlencoded", SL("filename=a.txt&length=5"));
    slice address = js_text(js_at(url.json, "upload_url")), id = js_text(js_at(url.json, "file_id"));
    slice path = slice_from(address, slice_find(address, SL("/upload/")));
    CHECK_INT(call(w, "POST", arena_cstr(w->a, path), NULL, "application/octet-stream", SL("four")).status, 400);
    CHECK_INT(call(w, "POST", arena_cstr(w->a, path), NULL, "application/octet-stream", SL("bytes")).status, 200);
    slice done = arena_printf(w->a, "{\"files\":[{\"id\":\"" SLF "\"}],\"channel_id\":\"D0DIRECT01\"}", SLA(id));
    CHECK(js_true(js_at(api(w, "files.completeUploadExternal", done.p).json, "ok")));
    CHECK_SLICE(error_of(api(w, "files.completeUploadExternal", done.p)), SL("file_not_found")); /* once */
    slice file = arena_printf(w->a, "/files-pri/" SLF "/download/file", SLA(id));
    CHECK_SLICE(call(w, "GET", file.p, TOKEN, "", SLICE_NONE).body, SL("bytes"));
    struct got page = call(w, "GET", file.p, NULL, "", SLICE_NONE);
    CHECK(page.status == 200 && slice_find(page.body, SL("Sign in")) != SIZE_MAX);
    world_free(w);
}

TEST(slack_sim_gives_a_code_once_and_turns_refresh_tokens)
{
    struct world *w = world_new("--rotation");
    struct got back = call(w, "GET", "/oauth/v2/authorize?client_id=111.222&scope=chat%3Awrite&state=s&redirect_uri=http%3A%2F%2Fx%2Fback&choose=E0GRID001", NULL, "", SLICE_NONE);
    CHECK_INT(back.status, 302);
    slice query = slice_from(back.location, slice_find_char(back.location, '?') + 1), code = form_get(w->a, query, SL("code"));
    slice form = arena_printf(w->a, "client_id=111.222&client_secret=c0ffee00c0ffee00c0ffee00c0ffee00&redirect_uri=http%%3A%%2F%%2Fx%%2Fback&code=" SLF, SLA(code));
    struct got token = call(w, "POST", "/api/oauth.v2.access", NULL, "application/x-www-form-urlencoded", form);
    CHECK(js_true(js_at(token.json, "is_enterprise_install")) && js_is_null(js_at(token.json, "team")));
    CHECK_SLICE(error_of(call(w, "POST", "/api/oauth.v2.access", NULL, "application/x-www-form-urlencoded", form)), SL("invalid_code"));
    slice turn = arena_printf(w->a, "client_id=111.222&client_secret=c0ffee00c0ffee00c0ffee00c0ffee00&grant_type=refresh_token&refresh_token=" SLF,
                              SLA(js_text(js_at(token.json, "refresh_token"))));
    CHECK(js_true(js_at(call(w, "POST", "/api/oauth.v2.access", NULL, "application/x-www-form-urlencoded", turn).json, "ok")));
    CHECK_SLICE(error_of(call(w, "POST", "/api/oauth.v2.access", NULL, "application/x-www-form-urlencoded", turn)), SL("invalid_refresh_token"));
    CHECK_SLICE(error_of(call(w, "POST", "/api/oauth.v2.access", NULL, "application/x-www-form-urlencoded", SL("client_id=x"))), SL("invalid_client_id"));
    world_free(w);
}
