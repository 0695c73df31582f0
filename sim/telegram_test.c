/* telegram_test.c - the simulated Bot API over HTTP, as a hub meets it: one loop holds the simulator, a client and a hub that takes updates. */
#include "sim/telegram.h"
#include "tests/harness/test.h"

#define BOT "/bot123456789:AAExampleExampleExampleExampleExample"
enum { WAIT_MS = 8000, HOOKS_MAX = 50 };

struct world {
    struct arena *a;
    struct loop *loop;
    struct sim_run *run;
    struct client *client;
    struct server *hub;
    slice bodies[HOOKS_MAX], secrets[HOOKS_MAX];
    size_t n_hooks;
    int refuse; /* so many updates get 500 */
    slice reply;
    struct loop_timer timer;
    bool late;
};
struct got {
    int status;
    const struct js *json;
    slice body;
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
    w->secrets[w->n_hooks] = arena_dup(w->a, exchange_header(x, "x-telegram-bot-api-secret-token"));
    w->bodies[w->n_hooks++] = arena_dup(w->a, x->body);
    exchange_answer(x, &(struct response){ .status = w->refuse-- > 0 ? 500 : 200, .type = SL("application/json"), .body = w->reply });
    loop_stop(w->loop);
}

static void hub_file(struct exchange *x, void *ctx)
{
    (void)ctx;
    bool picture = slice_eq(x->path, SL("/picture"));
    exchange_answer(x, &(struct response){ .status = 200, .type = picture ? SL("image/png") : SL("text/html"), .body = SL("bytes") });
}

static void on_late(void *arg)
{
    struct world *w = arg;
    w->late = true;
    loop_stop(w->loop);
}

static void await_hooks(struct world *w, size_t n)
{
    w->late = false;
    loop_timer_start(w->loop, &w->timer, WAIT_MS, on_late, w);
    while (w->n_hooks < n && !w->late)
        loop_run(w->loop);
    loop_timer_stop(&w->timer);
    CHECK_INT(w->n_hooks, n);
}

static void answered(void *arg, const struct answer *r)
{
    struct asking *q = arg;
    *q->got = (struct got){ .status = r->status, .body = arena_dup(q->w->a, r->body), .done = true };
    q->got->json = js_parse(q->w->a, q->got->body, NULL);
    loop_stop(q->w->loop);
}

static struct got call(struct world *w, const char *method, slice path, slice body)
{
    struct got got = { 0 };
    struct asking q = { w, &got };
    struct header type = { SL("Content-Type"), SL("application/json") };
    struct client_call c = { .a = w->a, .method = method, .url = arena_printf(w->a, "http://127.0.0.1:%u" SLF, sim_port(w->run), SLA(path)),
                             .headers = &type, .n_headers = body.n ? 1 : 0, .body = body, .total_ms = WAIT_MS, .done = answered, .arg = &q };
    client_send(w->client, &c);
    while (!got.done)
        loop_run(w->loop);
    return got;
}

static struct got post(struct world *w, const char *path, const char *body)
{
    return call(w, "POST", slice_of(path), slice_of(body));
}

static void open_world(struct world *w, char *option)
{
    *w = (struct world){ .a = arena_new(), .loop = loop_new() };
    struct fault f = { 0 };
    struct client_limits limits;
    client_limits_default(&limits);
    limits.guard_off = true;
    w->client = client_new(w->loop, &limits, &f);
    w->hub = server_new(w->loop, "127.0.0.1:0", NULL, NULL, &f);
    server_route(w->hub, "POST", "/hook", 1 << 20, hub_hook, w);
    server_route(w->hub, "GET", "/picture", 0, hub_file, w);
    server_route(w->hub, "GET", "/page", 0, hub_file, w);
    char name[] = "telegram", retry[] = "--retry-ms=10";
    char *argv[] = { name, retry, option };
    w->run = sim_open(w->loop, option ? 3 : 2, argv, &f);
    if (!w->run)
        test_fail(__FILE__, __LINE__, "%s %s", f.field, f.text);
}

static void set_hook(struct world *w)
{
    struct got g = call(w, "POST", SL(BOT "/setWebhook"),
                        arena_printf(w->a, "{\"url\":\"http://127.0.0.1:%u/hook\",\"secret_token\":\"hub-7f3c_01\"}", server_port(w->hub)));
    CHECK_INT(g.status, 200);
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

TEST(telegram_calls_and_their_errors)
{
    struct world w;
    open_world(&w, NULL);
    static const struct { const char *path, *body; int status; const char *said; } rows[] = {
        { BOT "/getMe", "{}", 200, "" },
        { BOT "/GETME", "{}", 200, "" },
        { BOT "/getNothing", "{}", 404, "Not Found: method not found" },
        { "/bot1:wrong/getMe", "{}", 401, "Unauthorized" },
        { "/botnonsense/getMe", "{}", 404, "Not Found" },
        { "/nothing", "{}", 404, "Not Found" },
        { BOT "/sendMessage", "[]", 400, "Bad Request: can't parse JSON object" },
        { BOT "/sendMessage", "{\"text\":\"x\"}", 400, "Bad Request: chat_id is empty" },
        { BOT "/sendMessage", "{\"chat_id\":5,\"text\":\"x\"}", 400, "Bad Request: chat not found" },
        { BOT "/sendMessage", "{\"chat_id\":1111111}", 400, "Bad Request: message text is empty" },
        { BOT "/sendMessage", "{\"chat_id\":1111111,\"text\":\"hello\"}", 200, "" },
        { BOT "/sendMessage?chat_id=1111111&text=hello", "", 200, "" },
        { BOT "/sendVenue", "{\"chat_id\":1111111,\"latitude\":1,\"longitude\":2,\"title\":\"x\"}", 400, "Bad Request: a required parameter is missing" },
        { BOT "/sendSticker", "{\"chat_id\":1111111,\"sticker\":\"1988\"}", 400, "Bad Request: wrong file_id or the file is temporarily unavailable" },
        { BOT "/sendMediaGroup", "{\"chat_id\":1111111,\"media\":[{\"type\":\"photo\",\"media\":\"x\"}]}", 400, "Bad Request: there must be 2-10 messages in the album" },
        { BOT "/sendMessage", "{\"chat_id\":1111111,\"text\":\"x\",\"reply_markup\":{\"inline_keyboard\":[[{\"text\":\"y\"}]]}}", 400,
          "Bad Request: can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard" },
        { BOT "/getFile", "{\"file_id\":\"none\"}", 400, "Bad Request: wrong file_id or the file is temporarily unavailable" },
        { BOT "/answerCallbackQuery", "{\"callback_query_id\":\"old\"}", 400, "Bad Request: query is too old and response timeout expired or query ID is invalid" },
        { BOT "/setWebhook", "{\"url\":\"http://h/x\",\"secret_token\":\"a b\"}", 400, "Bad Request: secret token contains unallowed characters" },
        { BOT "/getUpdates", "{}", 200, "" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct got g = post(&w, rows[i].path, rows[i].body);
        CHECK_ROW(i, g.status == rows[i].status);
        CHECK_ROW(i, js_true(js_at(g.json, "ok")) == (rows[i].status == 200));
        CHECK_ROW(i, slice_eq(js_text(js_at(g.json, "description")), slice_of(rows[i].said)));
    }
    close_world(&w);
}

TEST(telegram_webhook_must_be_https_where_strict)
{
    struct world w;
    char strict[] = "--allow-http=no";
    open_world(&w, strict);
    static const struct { const char *url; int status; } rows[] = {
        { "http://hub.example/x", 400 }, { "https://hub.example:9000/x", 400 }, { "nonsense", 400 },
        { "https://hub.example/x", 200 }, { "https://hub.example:8443/x", 200 }, { "", 200 },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_ROW(i, post(&w, BOT "/setWebhook", arena_printf(w.a, "{\"url\":\"%s\"}", rows[i].url).p).status == rows[i].status);
    close_world(&w);
}

TEST(telegram_updates_carry_the_secret_and_come_again_in_order)
{
    struct world w;
    open_world(&w, NULL);
    set_hook(&w);
    CHECK_INT(post(&w, BOT "/getUpdates", "{}").status, 409);
    w.refuse = 2;
    CHECK_INT(post(&w, "/sim/guests/1/send", "{\"type\":\"text\",\"text\":\"one\"}").status, 200);
    CHECK_INT(post(&w, "/sim/guests/1/send", "{\"type\":\"text\",\"text\":\"two\"}").status, 200);
    await_hooks(&w, 4);
    static const char *const texts[] = { "one", "one", "one", "two" };
    for (size_t i = 0; i < COUNT(texts); i++) {
        CHECK_SLICE(w.secrets[i], SL("hub-7f3c_01"));
        CHECK_SLICE(js_text(js_at(js_parse(w.a, w.bodies[i], NULL), "message.text")), slice_of(texts[i]));
    }
    CHECK_SLICE(w.bodies[0], w.bodies[2]);
    close_world(&w);
}

TEST(telegram_files_links_and_buttons)
{
    struct world w;
    open_world(&w, NULL);
    set_hook(&w);
    CHECK_INT(post(&w, "/sim/guests/1/send", "{\"type\":\"photo\",\"base64\":\"aGVsbG8=\"}").status, 200);
    await_hooks(&w, 1);
    slice id = js_text(js_at(js_parse(w.a, w.bodies[0], NULL), "message.photo.1.file_id"));
    struct got g = call(&w, "POST", SL(BOT "/getFile"), arena_printf(w.a, "{\"file_id\":\"" SLF "\"}", SLA(id)));
    slice path = js_text(js_at(g.json, "result.file_path"));
    CHECK_SLICE(call(&w, "GET", arena_printf(w.a, "/file" BOT "/" SLF, SLA(path)), SLICE_NONE).body, SL("hello"));
    CHECK_INT(call(&w, "GET", arena_printf(w.a, "/file/bot1:x/" SLF, SLA(path)), SLICE_NONE).status, 404);
    static const struct { const char *page; int status; } rows[] = { { "picture", 200 }, { "page", 400 }, { "none", 400 } };
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_ROW(i, call(&w, "POST", SL(BOT "/sendPhoto"), arena_printf(w.a, "{\"chat_id\":1111111,\"photo\":\"http://127.0.0.1:%u/%s\"}",
                                                                          server_port(w.hub), rows[i].page)).status == rows[i].status);
    CHECK_INT(post(&w, BOT "/sendMessage", "{\"chat_id\":1111111,\"text\":\"?\",\"reply_markup\":{\"inline_keyboard\":[[{\"text\":\"Yes\","
                                           "\"callback_data\":\"y-1\"}]]}}").status, 200);
    CHECK_INT(post(&w, "/sim/guests/1/tap", "{\"label\":\"No\"}").status, 404);
    CHECK_INT(post(&w, "/sim/guests/1/tap", "{\"label\":\"Yes\"}").status, 200);
    await_hooks(&w, 2);
    const struct js *doc = js_parse(w.a, w.bodies[1], NULL);
    CHECK_SLICE(js_text(js_at(doc, "callback_query.data")), SL("y-1"));
    slice answer = arena_printf(w.a, "{\"callback_query_id\":\"" SLF "\"}", SLA(js_text(js_at(doc, "callback_query.id"))));
    CHECK_INT(call(&w, "POST", SL(BOT "/answerCallbackQuery"), answer).status, 200);
    CHECK_INT(call(&w, "POST", SL(BOT "/answerCallbackQuery"), answer).status, 400);
    CHECK_INT(post(&w, "/sim/guests/1/send", "{\"type\":\"block\"}").status, 200);
    CHECK_INT(post(&w, BOT "/sendMessage", "{\"chat_id\":1111111,\"text\":\"x\"}").status, 403);
    close_world(&w);
}

TEST(telegram_too_many_say_how_long)
{
    struct world w;
    char rate[] = "--per-chat=1";
    open_world(&w, rate);
    int refused = 0;
    for (int i = 0; i < 3; i++) {
        struct got g = post(&w, BOT "/sendMessage", "{\"chat_id\":1111111,\"text\":\"x\"}");
        int64_t wait_s = 0;
        if (g.status == 429 && js_int(js_at(g.json, "parameters.retry_after"), &wait_s) && wait_s == 1)
            refused++;
    }
    CHECK(refused >= 1);
    close_world(&w);
}
