/* line_test.c - the simulated LINE over HTTP, as a hub meets it: one loop holds the simulator, a client and a hub that takes webhooks. */
#include "sim/line.h"
#include "sim/sign.h"
#include "tests/harness/test.h"
#include <openssl/evp.h>
#include <openssl/pem.h>

#define SECRET "8c570fa6dd201bb328f1c1eac23a96d8"
#define HELLO "{\"type\":\"text\",\"text\":\"hello\"}"

enum { HOOKS_MAX = 400, WAIT_MS = 8000 };

struct hook {
    slice body, signature;
};
struct world {
    struct arena *a;
    struct loop *loop;
    struct sim_run *run;
    struct client *client;
    struct server *hub;
    slice token, user;
    struct hook hooks[HOOKS_MAX];
    size_t n_hooks, wanted;
    int refuse; /* so many webhooks get 500 */
    int64_t hold_ms;
    struct exchange *held;
    struct loop_timer timer, hold;
    bool late;
};
struct got {
    int status;
    slice body, request_id, accepted_id, retry_after, type;
    const struct js *json;
    bool done, written;
};

static void answer_held(void *arg)
{
    struct world *w = arg;
    exchange_answer(TAKE(w->held), &(struct response){ .status = 200 });
}

static void hub_hook(struct exchange *x, void *ctx)
{
    struct world *w = ctx;
    CHECK(w->n_hooks < HOOKS_MAX);
    w->hooks[w->n_hooks++] = (struct hook){ arena_dup(w->a, x->body), arena_dup(w->a, exchange_header(x, "x-line-signature")) };
    if (w->hold_ms && !w->held) {
        w->held = x;
        loop_timer_start(w->loop, &w->hold, w->hold_ms, answer_held, w);
    } else {
        exchange_answer(x, &(struct response){ .status = w->refuse-- > 0 ? 500 : 200 });
    }
    if (w->n_hooks >= w->wanted)
        loop_stop(w->loop);
}

static void hub_picture(struct exchange *x, void *ctx)
{
    (void)ctx;
    exchange_answer(x, &(struct response){ .status = 200, .type = SL("image/png"), .body = SL("PNG bytes") });
}

static void on_late(void *arg)
{
    struct world *w = arg;
    w->late = true;
    loop_stop(w->loop);
}

static void run_ms(struct world *w, int64_t ms)
{
    w->late = false;
    w->wanted = SIZE_MAX;
    loop_timer_start(w->loop, &w->timer, ms, on_late, w);
    while (!w->late)
        loop_run(w->loop);
}

static void await_hooks(struct world *w, size_t n)
{
    w->wanted = n;
    w->late = false;
    loop_timer_start(w->loop, &w->timer, WAIT_MS, on_late, w);
    while (w->n_hooks < n && !w->late)
        loop_run(w->loop);
    loop_timer_stop(&w->timer);
    w->wanted = SIZE_MAX;
    if (w->n_hooks < n)
        test_fail(__FILE__, __LINE__, "%zu webhooks came, %zu were awaited", w->n_hooks, n);
}

struct asking {
    struct world *w;
    struct got *got;
};

static void answered(void *arg, const struct answer *r)
{
    struct asking *q = arg;
    struct arena *a = q->w->a;
    *q->got = (struct got){ .status = r->status, .body = arena_dup(a, r->body), .done = true, .written = r->written,
                            .request_id = arena_dup(a, answer_header(r, "x-line-request-id")),
                            .accepted_id = arena_dup(a, answer_header(r, "x-line-accepted-request-id")),
                            .retry_after = arena_dup(a, answer_header(r, "retry-after")), .type = arena_dup(a, r->type) };
    q->got->json = js_parse(a, q->got->body, NULL);
    loop_stop(q->w->loop);
}

static struct got call(struct world *w, const char *method, slice path, slice body, slice type, slice token, struct header extra)
{
    struct got got = { 0 };
    struct asking q = { w, &got };
    struct header h[3];
    size_t n = 0;
    if (type.n)
        h[n++] = (struct header){ SL("Content-Type"), type };
    if (token.n)
        h[n++] = (struct header){ SL("Authorization"), arena_printf(w->a, "Bearer " SLF, SLA(token)) };
    if (extra.name.n)
        h[n++] = extra;
    struct client_call c = {
        .a = w->a, .method = method, .url = arena_printf(w->a, "http://127.0.0.1:%u" SLF, sim_port(w->run), SLA(path)), .headers = h,
        .n_headers = n, .body = body, .total_ms = WAIT_MS, .done = answered, .arg = &q };
    client_send(w->client, &c);
    while (!got.done)
        loop_run(w->loop);
    return got;
}

static struct got post(struct world *w, const char *path, slice body)
{
    return call(w, "POST", slice_of(path), body, SL("application/json"), w->token, (struct header){ 0 });
}

static struct got get(struct world *w, slice path)
{
    return call(w, "GET", path, SLICE_NONE, SLICE_NONE, w->token, (struct header){ 0 });
}

static struct got form(struct world *w, const char *path, slice body)
{
    return call(w, "POST", slice_of(path), body, SL("application/x-www-form-urlencoded"), SLICE_NONE, (struct header){ 0 });
}

static slice push_body(struct world *w, const char *messages)
{
    return arena_printf(w->a, "{\"to\":\"" SLF "\",\"messages\":[%s]}", SLA(w->user), messages);
}

static slice says(const struct got *g)
{
    return js_text(js_at(g->json, "message"));
}

static void open_world(struct world *w, const char *option)
{
    *w = (struct world){ .a = arena_new(), .loop = loop_new(), .wanted = SIZE_MAX };
    struct fault f = { 0 };
    struct client_limits limits;
    client_limits_default(&limits);
    limits.guard_off = true;
    w->client = client_new(w->loop, &limits, &f);
    w->hub = server_new(w->loop, "127.0.0.1:0", NULL, NULL, &f);
    server_route(w->hub, "POST", "/line", 1 << 20, hub_hook, w);
    server_route(w->hub, "GET", "/picture", 0, hub_picture, w);
    char hub[64];
    snprintf(hub, sizeof(hub), "--hub=http://127.0.0.1:%u/", server_port(w->hub));
    char words[2][64] = { "line", "" };
    snprintf(words[1], sizeof(words[1]), "%s", option ? option : "--guests=6");
    char *argv[] = { words[0], hub, words[1] };
    w->run = sim_open(w->loop, COUNT(argv), argv, &f);
    if (!w->run)
        test_fail(__FILE__, __LINE__, "%s %s", f.field, f.text);
    struct got g = form(w, "/oauth2/v3/token", SL("grant_type=client_credentials&client_id=1234567890&client_secret=" SECRET));
    w->token = js_text(js_at(g.json, "access_token"));
    g = get(w, SL("/sim/guests"));
    w->user = js_text(js_at(g.json, "guests.0.id"));
    CHECK_INT(w->user.n, LINE_ID_CHARS);
}

static void close_world(struct world *w)
{
    sim_close(w->run);
    client_free(w->client);
    server_free(w->hub);
    loop_timer_done(&w->timer);
    loop_timer_done(&w->hold);
    loop_free(w->loop);
    arena_free(w->a);
}

static const struct js *event(struct world *w, size_t hook, size_t i)
{
    const struct js *doc = js_parse(w->a, w->hooks[hook].body, NULL);
    CHECK(doc);
    return js_item(js_at(doc, "events"), i);
}

/* The last bubble of the first guest's chat. */
static const struct js *last_bubble(struct world *w)
{
    struct got g = get(w, SL("/sim/guests/1/messages"));
    const struct js *list = js_at(g.json, "messages");
    return js_len(list) ? js_item(list, js_len(list) - 1) : NULL;
}

/* ---- tokens ------------------------------------------------------------------------------------------------------------------------- */

TEST(line_tokens_of_each_kind)
{
    struct world w;
    open_world(&w, NULL);
    static const struct { const char *path, *body; int status; } rows[] = {
        { "/oauth2/v3/token", "grant_type=client_credentials&client_id=1234567890&client_secret=" SECRET, 200 },
        { "/v2/oauth/accessToken", "grant_type=client_credentials&client_id=1234567890&client_secret=" SECRET, 200 },
        { "/oauth2/v3/token", "grant_type=client_credentials&client_id=1234567890&client_secret=wrong", 400 },
        { "/oauth2/v3/token", "grant_type=client_credentials&client_id=9&client_secret=" SECRET, 400 },
        { "/oauth2/v3/token", "grant_type=password&client_id=1234567890&client_secret=" SECRET, 400 },
        { "/v2/oauth/accessToken", "client_id=1234567890&client_secret=" SECRET, 400 },
        { "/v2/oauth/accessToken", "grant_type=client_credentials", 400 },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct got g = form(&w, rows[i].path, slice_of(rows[i].body));
        CHECK_ROW(i, g.status == rows[i].status);
        slice token = js_text(js_at(g.json, "access_token"));
        CHECK_ROW(i, (g.status == 200) == (token.n > 0));
        CHECK_ROW(i, (g.status != 200) == (js_text(js_at(g.json, "error")).n > 0));
        if (token.n)
            CHECK_ROW(i, call(&w, "GET", SL("/v2/bot/info"), SLICE_NONE, SLICE_NONE, token, (struct header){ 0 }).status == 200);
    }
    struct got g = form(&w, "/v2/oauth/accessToken", SL("grant_type=client_credentials&client_id=1234567890&client_secret=" SECRET));
    slice token = js_text(js_at(g.json, "access_token"));
    slice body = arena_printf(w.a, "access_token=%s", "");
    struct text escaped = text_new(w.a, 4096);
    for (size_t i = 0; i < token.n; i++)
        text_add(&escaped, "%%%02x", (unsigned char)token.p[i]);
    body = arena_printf(w.a, "access_token=" SLF, SLA(text_slice(&escaped)));
    CHECK_INT(form(&w, "/v2/oauth/verify", body).status, 200);
    CHECK_INT(form(&w, "/v2/oauth/revoke", body).status, 200);
    CHECK_INT(form(&w, "/v2/oauth/verify", body).status, 400);
    CHECK_INT(call(&w, "GET", SL("/v2/bot/info"), SLICE_NONE, SLICE_NONE, token, (struct header){ 0 }).status, 401);
    close_world(&w);
}

static slice url64(struct arena *a, slice s)
{
    slice b = sign_base64(a, s);
    char *p = arena_cstr(a, b);
    size_t n = 0;
    for (; n < b.n && p[n] != '='; n++)
        p[n] = p[n] == '+' ? '-' : p[n] == '/' ? '_' : p[n];
    return slice_mem(p, n);
}

static slice assertion(struct world *w, EVP_PKEY *key, slice kid, const char *iss, int64_t exp_s)
{
    slice head = arena_printf(w->a, "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"" SLF "\"}", SLA(kid));
    slice body = arena_printf(w->a, "{\"iss\":\"%s\",\"sub\":\"%s\",\"aud\":\"https://api.line.me/\",\"exp\":%lld,\"token_exp\":86400}", iss, iss,
                              (long long)exp_s);
    slice text = arena_printf(w->a, SLF "." SLF, SLA(url64(w->a, head)), SLA(url64(w->a, body)));
    unsigned char sig[512];
    size_t n = sizeof(sig);
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    CHECK(EVP_DigestSignInit(md, NULL, EVP_sha256(), NULL, key) == 1);
    CHECK(EVP_DigestSign(md, sig, &n, (const unsigned char *)text.p, text.n) == 1);
    EVP_MD_CTX_free(md);
    return arena_printf(w->a, SLF "." SLF, SLA(text), SLA(url64(w->a, slice_mem(sig, n))));
}

TEST(line_jwt_assertions_are_verified)
{
    struct world w;
    open_world(&w, NULL);
    EVP_PKEY *key = EVP_RSA_gen(2048), *other = EVP_RSA_gen(2048);
    BIO *bio = BIO_new(BIO_s_mem());
    CHECK(PEM_write_bio_PUBKEY(bio, key) == 1);
    char *pem;
    long pem_n = BIO_get_mem_data(bio, &pem);
    struct jw jw = jw_new(w.a, 8192);
    jw_open(&jw, NULL, '{');
    jw_str(&jw, "pem", slice_mem(pem, (size_t)pem_n));
    jw_close(&jw, '}');
    struct got g = post(&w, "/sim/keys", jw_done(&jw));
    CHECK_INT(g.status, 200);
    slice kid = js_text(js_at(g.json, "kid"));
    int64_t now_s = time_now_ms() / 1000;
    struct { EVP_PKEY *key; slice kid; const char *iss; int64_t exp_s; int status; } rows[] = {
        { key, kid, "1234567890", now_s + 1000, 200 },  { other, kid, "1234567890", now_s + 1000, 400 },
        { key, SL("?"), "1234567890", now_s + 1000, 400 }, { key, kid, "9", now_s + 1000, 400 },
        { key, kid, "1234567890", now_s - 1, 400 },     { key, kid, "1234567890", now_s + 4000, 400 },
    };
    static const char *const paths[] = { "/oauth2/v2.1/token", "/oauth2/v3/token" };
    for (size_t i = 0; i < COUNT(rows) * 2; i++) {
        slice jwt = assertion(&w, rows[i / 2].key, rows[i / 2].kid, rows[i / 2].iss, rows[i / 2].exp_s);
        g = form(&w, paths[i % 2],
                 arena_printf(w.a, "grant_type=client_credentials&client_assertion_type=urn%%3Aietf%%3Aparams%%3Aoauth%%3Aclient-assertion-type"
                                   "%%3Ajwt-bearer&client_assertion=" SLF, SLA(jwt)));
        CHECK_ROW(i, g.status == rows[i / 2].status);
        CHECK_ROW(i, (js_text(js_at(g.json, "key_id")).n > 0) == (g.status == 200 && i % 2 == 0));
    }
    BIO_free(bio);
    EVP_PKEY_free(key);
    EVP_PKEY_free(other);
    close_world(&w);
}

TEST(line_tokens_end)
{
    struct world w;
    open_world(&w, NULL);
    CHECK_INT(get(&w, SL("/v2/bot/info")).status, 200);
    CHECK_INT(call(&w, "DELETE", SL("/sim/tokens"), SLICE_NONE, SLICE_NONE, SLICE_NONE, (struct header){ 0 }).status, 200);
    struct got g = get(&w, SL("/v2/bot/info"));
    CHECK_INT(g.status, 401);
    CHECK(slice_starts(says(&g), SL("Authentication failed due to the following reason: invalid token.")));
    close_world(&w);
}

/* ---- calls -------------------------------------------------------------------------------------------------------------------------- */

TEST(line_answers_in_its_own_words)
{
    struct world w;
    open_world(&w, NULL);
    static const struct { const char *method, *path, *type, *body; int status; const char *message; } rows[] = {
        { "GET", "/v2/bot/profile/U00000000000000000000000000000000", "", "", 404, "Not found" },
        { "GET", "/v2/bot/nothing", "", "", 404, "Not found" },
        { "POST", "/v2/bot/message/push", "text/plain", "x", 415, "The content type, text/plain, is not supported" },
        { "POST", "/v2/bot/message/push", "application/json", "{x", 400, "The request body could not be parsed as JSON (line: 1, column: 2)" },
        { "POST", "/v2/bot/message/push", "application/json", "{\"to\":\"me\",\"messages\":[" HELLO "]}", 400,
          "The property, 'to', in the request body is invalid (line: -, column: -)" },
        { "POST", "/v2/bot/message/push", "application/json", "{\"to\":\"U00000000000000000000000000000000\",\"messages\":[" HELLO "]}", 400,
          "Failed to send messages" },
        { "POST", "/v2/bot/message/reply", "application/json", "{\"replyToken\":\"x\",\"messages\":[" HELLO "]}", 400, "Invalid reply token" },
        { "POST", "/v2/bot/message/broadcast", "application/json", "{\"messages\":[" HELLO "]}", 403,
          "Access to this API is not available for your account" },
        { "POST", "/v2/bot/admin/switcher/switch", "application/json", "{}", 403, "Access to this API is not available for your account" },
        { "POST", "/v2/bot/chat/loading/start", "application/json", "{\"chatId\":\"U0123456789abcdef0123456789abcdef\",\"loadingSeconds\":7}", 400,
          "The property, 'loadingSeconds', in the request body is invalid (line: -, column: -)" },
        { "POST", "/v2/bot/message/validate/push", "application/json", "{\"messages\":[" HELLO "]}", 200, "" },
        { "POST", "/v2/bot/message/validate/reply", "application/json", "{\"messages\":[{\"type\":\"text\"}]}", 400, "The request body has 1 error(s)" },
        { "POST", "/v2/bot/chat/markAsRead", "application/json", "{\"markAsReadToken\":\"?\"}", 400,
          "The property, 'markAsReadToken', in the request body is invalid (line: -, column: -)" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct got g = call(&w, rows[i].method, slice_of(rows[i].path), slice_of(rows[i].body), slice_of(rows[i].type), w.token,
                            (struct header){ 0 });
        CHECK_ROW(i, g.status == rows[i].status);
        CHECK_SLICE(says(&g), slice_of(rows[i].message));
        CHECK_ROW(i, g.request_id.n == 36);
    }
    close_world(&w);
}

TEST(line_push_once_for_each_retry_key)
{
    struct world w;
    open_world(&w, NULL);
    slice body = push_body(&w, HELLO);
    struct header key = { SL("X-Line-Retry-Key"), SL("123e4567-e89b-12d3-a456-426614174000") };
    struct got one = call(&w, "POST", SL("/v2/bot/message/push"), body, SL("application/json"), w.token, key);
    struct got two = call(&w, "POST", SL("/v2/bot/message/push"), body, SL("application/json"), w.token, key);
    CHECK_INT(one.status, 200);
    CHECK_INT(two.status, 409);
    CHECK_SLICE(two.accepted_id, one.request_id);
    CHECK_SLICE(says(&two), SL("The retry key is already accepted"));
    CHECK_SLICE(js_text(js_at(two.json, "sentMessages.0.id")), js_text(js_at(one.json, "sentMessages.0.id")));
    struct got g = get(&w, SL("/sim/guests/1/messages"));
    CHECK_INT(js_len(js_at(g.json, "messages")), 1);
    key.value = SL("not-a-uuid");
    CHECK_INT(call(&w, "POST", SL("/v2/bot/message/push"), body, SL("application/json"), w.token, key).status, 400);
    close_world(&w);
}

TEST(line_reply_token_works_once)
{
    struct world w;
    open_world(&w, NULL);
    CHECK_INT(post(&w, "/sim/guests/1/send", SL("{\"type\":\"text\",\"text\":\"hi\"}")).status, 200);
    await_hooks(&w, 1);
    slice token = js_text(js_at(event(&w, 0, 0), "replyToken"));
    CHECK_INT(token.n, 32);
    slice body = arena_printf(w.a, "{\"replyToken\":\"" SLF "\",\"messages\":[" HELLO "," HELLO "]}", SLA(token));
    CHECK_INT(post(&w, "/v2/bot/message/reply", body).status, 200);
    struct got g = post(&w, "/v2/bot/message/reply", body);
    CHECK_INT(g.status, 400);
    CHECK_SLICE(says(&g), SL("Invalid reply token"));
    CHECK_SLICE(js_text(js_at(last_bubble(&w), "how")), SL("reply"));
    close_world(&w);
}

TEST(line_quota_and_blocked_guests)
{
    struct world w;
    open_world(&w, "--quota=2");
    CHECK_INT(post(&w, "/v2/bot/message/push", push_body(&w, HELLO)).status, 200);
    CHECK_INT(post(&w, "/sim/guests/1/send", SL("{\"type\":\"unfollow\"}")).status, 200);
    CHECK_INT(get(&w, arena_printf(w.a, "/v2/bot/profile/" SLF, SLA(w.user))).status, 404);
    CHECK_INT(post(&w, "/v2/bot/message/push", push_body(&w, HELLO)).status, 200);
    CHECK_SLICE(js_text(js_at(last_bubble(&w), "message.type")), SL("unfollow"));
    struct got g = post(&w, "/v2/bot/message/push", push_body(&w, HELLO));
    CHECK_INT(g.status, 429);
    CHECK_SLICE(says(&g), SL("You have reached your monthly limit."));
    int64_t used = 0;
    g = get(&w, SL("/v2/bot/message/quota/consumption"));
    CHECK(js_int(js_at(g.json, "totalUsage"), &used) && used == 2);
    close_world(&w);
}

TEST(line_rate_limit_is_of_one_endpoint)
{
    struct world w;
    open_world(&w, "--rate-limit=3");
    int refused = 0;
    for (int i = 0; i < 8; i++) /* more than two windows of a second cannot pass here */
        refused += get(&w, SL("/v2/bot/info")).status == 429;
    CHECK(refused >= 2);
    CHECK_INT(get(&w, SL("/v2/bot/message/quota")).status, 200);
    close_world(&w);
}

TEST(line_content_preview_and_transcoding)
{
    struct world w;
    open_world(&w, NULL);
    CHECK_INT(post(&w, "/sim/guests/1/send", SL("{\"type\":\"image\",\"base64\":\"iVBORw==\",\"contentType\":\"image/png\"}")).status, 200);
    CHECK_INT(post(&w, "/sim/guests/1/send", SL("{\"type\":\"video\",\"base64\":\"AAAA\",\"preparing_ms\":150}")).status, 200);
    await_hooks(&w, 2);
    slice image = js_text(js_at(event(&w, 0, 0), "message.id")), video = js_text(js_at(event(&w, 1, 0), "message.id"));
    struct got g = get(&w, arena_printf(w.a, "/v2/bot/message/" SLF "/content", SLA(image)));
    CHECK_INT(g.status, 200);
    CHECK_SLICE(g.body, SL("\x89PNG"));
    CHECK_SLICE(g.type, SL("image/png"));
    CHECK_INT(get(&w, arena_printf(w.a, "/v2/bot/message/" SLF "/content/preview", SLA(image))).status, 200);
    CHECK_INT(get(&w, arena_printf(w.a, "/v2/bot/message/" SLF "/content", SLA(video))).status, 202);
    slice transcoding = arena_printf(w.a, "/v2/bot/message/" SLF "/content/transcoding", SLA(video));
    CHECK_SLICE(get(&w, transcoding).body, SL("{\"status\":\"processing\"}"));
    run_ms(&w, 200);
    CHECK_SLICE(get(&w, transcoding).body, SL("{\"status\":\"succeeded\"}"));
    CHECK_INT(get(&w, arena_printf(w.a, "/v2/bot/message/" SLF "/content", SLA(video))).status, 200);
    CHECK_INT(post(&w, "/sim/guests/1/send", arena_printf(w.a, "{\"type\":\"unsend\",\"messageId\":\"" SLF "\"}", SLA(image))).status, 200);
    CHECK_INT(get(&w, arena_printf(w.a, "/v2/bot/message/" SLF "/content", SLA(image))).status, 404);
    close_world(&w);
}

TEST(line_notifications_by_phone_number)
{
    struct world w;
    open_world(&w, "--pnp-refused=+819099999999");
    slice good = sign_sha256_hex(w.a, SL("+819000001234")), bad = sign_sha256_hex(w.a, SL("+819099999999"));
    struct header tag = { SL("X-Line-Delivery-Tag"), SL("a-tag-of-the-hub-01") };
    slice path = SL("/bot/pnp/push");
    slice body = arena_printf(w.a, "{\"to\":\"" SLF "\",\"messages\":[" HELLO "]}", SLA(good));
    CHECK_INT(call(&w, "POST", path, body, SL("application/json"), w.token, tag).status, 200);
    await_hooks(&w, 1);
    CHECK_SLICE(js_text(js_at(event(&w, 0, 0), "type")), SL("delivery"));
    CHECK_SLICE(js_text(js_at(event(&w, 0, 0), "delivery.data")), tag.value);
    CHECK(!js_at(event(&w, 0, 0), "source"));
    body = arena_printf(w.a, "{\"to\":\"" SLF "\",\"messages\":[" HELLO "]}", SLA(bad));
    CHECK_INT(call(&w, "POST", path, body, SL("application/json"), w.token, tag).status, 422);
    CHECK_INT(call(&w, "POST", path, push_body(&w, HELLO), SL("application/json"), w.token, tag).status, 400);
    close_world(&w);
}

TEST(line_switcher_takes_the_chat_away_and_back)
{
    struct world w;
    open_world(&w, "--switcher-secret=s3cret");
    slice body = arena_printf(w.a, "{\"destinationId\":\"bot-2\",\"userId\":\"" SLF "\"}", SLA(w.user));
    slice path = SL("/v2/bot/admin/switcher/switch");
    struct header secret = { SL("X-Line-SwitcherSecret"), SL("wrong") };
    CHECK_INT(call(&w, "POST", path, body, SL("application/json"), w.token, secret).status, 401);
    secret.value = SL("s3cret");
    CHECK_INT(call(&w, "POST", path, body, SL("application/json"), w.token, secret).status, 200);
    CHECK_INT(call(&w, "POST", SL("/v2/bot/admin/switcher/notice"), body, SL("application/json"), w.token, secret).status, 200);
    CHECK_INT(post(&w, "/sim/guests/1/send", SL("{\"type\":\"text\",\"text\":\"for the other bot\"}")).status, 200);
    CHECK_INT(post(&w, "/sim/guests/1/send", SL("{\"type\":\"switchBack\",\"note\":{\"from\":\"bot-2\"}}")).status, 200);
    await_hooks(&w, 1);
    CHECK_SLICE(js_text(js_at(event(&w, 0, 0), "type")), SL("switcher"));
    CHECK_SLICE(js_text(js_at(event(&w, 0, 0), "note.from")), SL("bot-2"));
    CHECK_INT(w.n_hooks, 1);
    close_world(&w);
}

/* ---- webhooks ----------------------------------------------------------------------------------------------------------------------- */

TEST(line_every_event_kind_is_signed_and_complete)
{
    struct world w;
    open_world(&w, NULL);
    static const struct { const char *what, *type; bool reply_token; const char *has; } rows[] = {
        { "{\"type\":\"text\",\"text\":\"x\"}", "message", true, "message.text" },
        { "{\"type\":\"image\"}", "message", true, "message.contentProvider.type" },
        { "{\"type\":\"image\",\"url\":\"https://e.example/a.png\"}", "message", true, "message.contentProvider.originalContentUrl" },
        { "{\"type\":\"audio\",\"base64\":\"AAAA\",\"duration\":5}", "message", true, "message.duration" },
        { "{\"type\":\"file\"}", "message", true, "message.fileName" },
        { "{\"type\":\"sticker\",\"keywords\":[\"hi\"]}", "message", true, "message.keywords.0" },
        { "{\"type\":\"location\"}", "message", true, "message.latitude" },
        { "{\"type\":\"postback\",\"data\":\"d\",\"params\":{\"date\":\"2024-01-31\"}}", "postback", true, "postback.params.date" },
        { "{\"type\":\"unsend\"}", "unsend", false, "unsend.messageId" },
        { "{\"type\":\"videoPlayComplete\"}", "videoPlayComplete", true, "videoPlayComplete.trackingId" },
        { "{\"type\":\"beacon\"}", "beacon", true, "beacon.hwid" },
        { "{\"type\":\"accountLink\"}", "accountLink", true, "link.nonce" },
        { "{\"type\":\"accountLink\",\"link\":{\"result\":\"failed\",\"nonce\":\"n\"}}", "accountLink", false, "link.nonce" },
        { "{\"type\":\"membership\"}", "membership", true, "membership.membershipId" },
        { "{\"type\":\"module\"}", "module", false, "module.botId" },
        { "{\"type\":\"activated\"}", "activated", false, "chatControl.expireAt" },
        { "{\"type\":\"deactivated\"}", "deactivated", false, "type" },
        { "{\"type\":\"botSuspended\"}", "botSuspended", false, "type" },
        { "{\"type\":\"botResumed\"}", "botResumed", false, "type" },
        { "{\"type\":\"delivery\"}", "delivery", false, "delivery.data" },
        { "{\"type\":\"event\",\"event\":{\"type\":\"brandNew\",\"thing\":1}}", "brandNew", false, "thing" },
        { "{\"type\":\"unfollow\"}", "unfollow", false, "source.userId" },
        { "{\"type\":\"follow\"}", "follow", true, "follow.isUnblocked" },
    };
    static const char *const always[] = { "type", "mode", "timestamp", "webhookEventId", "deliveryContext.isRedelivery" };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct got g = post(&w, "/sim/guests/1/send", slice_of(rows[i].what));
        if (g.status != 200)
            test_fail(__FILE__, __LINE__, "row %zu: " SLF, i, SLA(g.body));
        await_hooks(&w, i + 1);
        const struct js *e = event(&w, i, 0);
        CHECK_SLICE(js_text(js_at(e, "type")), slice_of(rows[i].type));
        CHECK_ROW(i, js_at(e, rows[i].has));
        CHECK_ROW(i, (js_text(js_at(e, "replyToken")).n == 32) == rows[i].reply_token);
        CHECK_ROW(i, js_text(js_at(e, "webhookEventId")).n == 26);
        for (size_t k = 0; k < COUNT(always); k++)
            CHECK_ROW(i, js_at(e, always[k]));
        CHECK_SLICE(w.hooks[i].signature, sign_hmac_sha256_base64(w.a, SL(SECRET), w.hooks[i].body));
    }
    close_world(&w);
}

TEST(line_groups_batches_standby_and_wrong_signatures)
{
    struct world w;
    open_world(&w, NULL);
    struct got g = get(&w, SL("/sim/guests"));
    slice group = js_text(js_at(g.json, "guests.6.id"));
    CHECK(group.n && group.p[0] == 'C');
    CHECK_INT(post(&w, "/sim/send", SL("{\"items\":[{\"guest\":\"1\",\"type\":\"text\",\"text\":\"a\"},{\"guest\":\"2\",\"type\":\"text\",\"text\":\"b\"},"
                                       "{\"guest\":\"7\",\"as\":\"2\",\"type\":\"text\",\"text\":\"c\"}]}")).status, 200);
    await_hooks(&w, 1);
    CHECK_SLICE(js_text(js_at(event(&w, 0, 2), "source.groupId")), group);
    CHECK_SLICE(js_text(js_at(event(&w, 0, 2), "source.userId")), js_text(js_at(g.json, "guests.1.id")));
    CHECK(!js_at(event(&w, 0, 2), "message.markAsReadToken"));
    CHECK_INT(post(&w, "/sim/guests/7/send", SL("{\"type\":\"memberLeft\",\"as\":\"3\"}")).status, 200);
    CHECK_INT(post(&w, "/sim/guests/1/send", SL("{\"type\":\"text\",\"text\":\"d\",\"standby\":true,\"wrongSignature\":true}")).status, 200);
    await_hooks(&w, 3);
    const struct js *e = event(&w, 2, 0);
    size_t at = 2;
    if (slice_eq(js_text(js_at(e, "type")), SL("memberLeft")))
        e = event(&w, 1, 0), at = 1;
    CHECK_SLICE(js_text(js_at(e, "mode")), SL("standby"));
    CHECK(!js_at(e, "replyToken"));
    CHECK(!slice_eq(w.hooks[at].signature, sign_hmac_sha256_base64(w.a, SL(SECRET), w.hooks[at].body)));
    struct got summary = get(&w, arena_printf(w.a, "/v2/bot/group/" SLF "/summary", SLA(group)));
    CHECK_SLICE(js_text(js_at(summary.json, "groupName")), SL("Weekend trip"));
    CHECK_INT(get(&w, arena_printf(w.a, "/v2/bot/group/" SLF "/member/" SLF, SLA(group), SLA(w.user))).status, 200);
    close_world(&w);
}

TEST(line_redelivers_what_got_no_2xx)
{
    struct world w;
    open_world(&w, "--redelivery-ms=20");
    CHECK_INT(post(&w, "/sim/settings", SL("{\"redelivery\":true}")).status, 200);
    w.refuse = 2;
    CHECK_INT(post(&w, "/sim/guests/1/send", SL("{\"type\":\"text\",\"text\":\"\\\"isRedelivery\\\":false\"}")).status, 200);
    await_hooks(&w, 3);
    for (size_t i = 0; i < 3; i++) {
        const struct js *e = event(&w, i, 0);
        CHECK_ROW(i, js_true(js_at(e, "deliveryContext.isRedelivery")) == (i > 0));
        CHECK_SLICE(js_text(js_at(e, "webhookEventId")), js_text(js_at(event(&w, 0, 0), "webhookEventId")));
        CHECK_SLICE(js_text(js_at(e, "message.text")), SL("\"isRedelivery\":false"));
        CHECK_SLICE(w.hooks[i].signature, sign_hmac_sha256_base64(w.a, SL(SECRET), w.hooks[i].body));
    }
    run_ms(&w, 150);
    CHECK_INT(w.n_hooks, 3);
    close_world(&w);
}

TEST(line_waits_two_seconds_for_an_answer_and_keeps_the_order_of_a_chat)
{
    struct world w;
    open_world(&w, NULL);
    w.hold_ms = 3000;
    CHECK_INT(post(&w, "/sim/guests/1/send", SL("{\"type\":\"text\",\"text\":\"one\"}")).status, 200);
    CHECK_INT(post(&w, "/sim/guests/1/send", SL("{\"type\":\"text\",\"text\":\"two\"}")).status, 200);
    CHECK_INT(post(&w, "/sim/guests/2/send", SL("{\"type\":\"text\",\"text\":\"other\"}")).status, 200);
    int64_t began_ms = time_mono_ms();
    await_hooks(&w, 2);
    CHECK(time_mono_ms() - began_ms < 1500);
    CHECK_SLICE(js_text(js_at(event(&w, 1, 0), "message.text")), SL("other"));
    await_hooks(&w, 3);
    CHECK(time_mono_ms() - began_ms >= 1900);
    CHECK_SLICE(js_text(js_at(event(&w, 2, 0), "message.text")), SL("two"));
    struct got g = get(&w, SL("/sim/webhooks"));
    int64_t timed_out = 0;
    CHECK(js_int(js_at(g.json, "timed_out"), &timed_out) && timed_out == 1);
    while (w.held)
        run_ms(&w, 50);
    close_world(&w);
}

/* ---- faults and the control API ------------------------------------------------------------------------------------------------------ */

TEST(line_faults_over_http)
{
    struct world w;
    open_world(&w, NULL);
    CHECK_INT(post(&w, "/sim/faults", SL("{\"rules\":[{\"status\":429,\"retry_after_s\":2,\"times\":1},{\"reset_before_share\":1,\"times\":1},"
                                         "{\"reset_after_share\":1,\"times\":1},{\"timeout_share\":1,\"timeout_ms\":50,\"times\":1}]}")).status, 200);
    struct got g = post(&w, "/v2/bot/message/push", push_body(&w, HELLO));
    CHECK_INT(g.status, 429);
    CHECK_SLICE(g.retry_after, SL("2"));
    CHECK_SLICE(says(&g), SL("The API rate limit has been exceeded. Try again later."));
    g = post(&w, "/v2/bot/message/push", push_body(&w, HELLO));
    CHECK_INT(g.status, 0);
    CHECK(g.written);
    CHECK(!last_bubble(&w));
    g = post(&w, "/v2/bot/message/push", push_body(&w, HELLO));
    CHECK_INT(g.status, 0);
    CHECK(last_bubble(&w));
    CHECK_INT(post(&w, "/v2/bot/message/push", push_body(&w, HELLO)).status, 0);
    CHECK_INT(post(&w, "/v2/bot/message/push", push_body(&w, HELLO)).status, 200);
    g = get(&w, SL("/sim/guests/1/messages"));
    CHECK_INT(js_len(js_at(g.json, "messages")), 3);
    int64_t n = 0;
    g = get(&w, SL("/sim/faults"));
    CHECK(js_int(js_at(g.json, "injected.reset_after"), &n) && n == 1);
    CHECK_INT(post(&w, "/sim/faults", SL("{\"nonsense\":1}")).status, 400);
    close_world(&w);
}

TEST(line_webhooks_twice_out_of_order_and_spoiled)
{
    struct world w;
    open_world(&w, NULL);
    CHECK_INT(post(&w, "/sim/faults", SL("{\"duplicate_share\":1,\"times\":1}")).status, 200);
    CHECK_INT(post(&w, "/sim/guests/1/send", SL("{\"type\":\"text\",\"text\":\"twice\"}")).status, 200);
    await_hooks(&w, 2);
    CHECK_SLICE(w.hooks[0].body, w.hooks[1].body);
    CHECK_INT(post(&w, "/sim/faults", SL("{\"reorder_share\":1,\"times\":1}")).status, 200);
    CHECK_INT(post(&w, "/sim/send", SL("{\"items\":[{\"guest\":\"1\",\"type\":\"text\",\"text\":\"first\"}]}")).status, 200);
    CHECK_INT(post(&w, "/sim/send", SL("{\"items\":[{\"guest\":\"1\",\"type\":\"text\",\"text\":\"second\"}]}")).status, 200);
    await_hooks(&w, 4);
    CHECK_SLICE(js_text(js_at(event(&w, 2, 0), "message.text")), SL("second"));
    CHECK_SLICE(js_text(js_at(event(&w, 3, 0), "message.text")), SL("first"));
    CHECK_INT(post(&w, "/sim/faults", SL("{\"bad_signature_share\":1}")).status, 200);
    CHECK_INT(post(&w, "/sim/guests/1/send", SL("{\"type\":\"text\",\"text\":\"spoiled\"}")).status, 200);
    await_hooks(&w, 5);
    slice right = sign_hmac_sha256_base64(w.a, SL(SECRET), w.hooks[4].body);
    CHECK_INT(w.hooks[4].signature.n, right.n);
    CHECK(!slice_eq(w.hooks[4].signature, right));
    close_world(&w);
}

TEST(line_taps_do_what_the_button_says)
{
    struct world w;
    open_world(&w, NULL);
    const char *buttons = "{\"type\":\"template\",\"altText\":\"a\",\"template\":{\"type\":\"buttons\",\"text\":\"t\",\"actions\":["
                          "{\"type\":\"postback\",\"label\":\"Old\",\"data\":\"old-1\",\"displayText\":\"I take the old one\"},"
                          "{\"type\":\"uri\",\"label\":\"Site\",\"uri\":\"https://e.example/\"}]}}";
    const char *quick = "{\"type\":\"text\",\"text\":\"q\",\"quickReply\":{\"items\":[{\"type\":\"action\",\"action\":{\"type\":\"message\",\"label\":\"Yes\","
                        "\"text\":\"yes!\"}},{\"type\":\"action\",\"action\":{\"type\":\"datetimepicker\",\"label\":\"When\",\"data\":\"w\",\"mode\":\"date\"}}]}}";
    CHECK_INT(post(&w, "/v2/bot/message/push", push_body(&w, buttons)).status, 200);
    CHECK_INT(post(&w, "/v2/bot/message/push", push_body(&w, quick)).status, 200);
    CHECK_INT(post(&w, "/sim/guests/1/tap", SL("{\"label\":\"When\",\"params\":{\"date\":\"2031-02-03\"}}")).status, 200);
    await_hooks(&w, 1);
    CHECK_SLICE(js_text(js_at(event(&w, 0, 0), "postback.params.date")), SL("2031-02-03"));
    CHECK_INT(post(&w, "/sim/guests/1/tap", SL("{\"label\":\"Yes\"}")).status, 200);
    await_hooks(&w, 2);
    CHECK_SLICE(js_text(js_at(event(&w, 1, 0), "message.text")), SL("yes!"));
    CHECK_INT(post(&w, "/sim/guests/1/tap", SL("{\"label\":\"Yes\"}")).status, 404); /* gone with the answer */
    CHECK_INT(post(&w, "/sim/guests/1/tap", SL("{\"label\":\"Old\"}")).status, 200);
    await_hooks(&w, 3);
    CHECK_SLICE(js_text(js_at(event(&w, 2, 0), "postback.data")), SL("old-1"));
    CHECK_SLICE(js_text(js_at(last_bubble(&w), "message.text")), SL("I take the old one"));
    struct got g = post(&w, "/sim/guests/1/tap", SL("{\"label\":\"Site\"}"));
    CHECK_SLICE(js_text(js_at(g.json, "action.uri")), SL("https://e.example/"));
    close_world(&w);
}

TEST(line_fetches_what_messages_point_to)
{
    struct world w;
    open_world(&w, NULL);
    slice base = arena_printf(w.a, "http://127.0.0.1:%u", server_port(w.hub));
    slice m = arena_printf(w.a, "{\"type\":\"image\",\"originalContentUrl\":\"" SLF "/picture\",\"previewImageUrl\":\"" SLF "/missing\"}", SLA(base), SLA(base));
    CHECK_INT(post(&w, "/v2/bot/message/push", push_body(&w, m.p)).status, 200);
    const struct js *b = NULL;
    for (int i = 0; i < 100 && !js_at(b, "media.previewImageUrl"); i++) {
        run_ms(&w, 20);
        b = last_bubble(&w);
    }
    CHECK_SLICE(js_text(js_at(b, "media.originalContentUrl.type")), SL("image/png"));
    CHECK(!js_at(b, "media.originalContentUrl.problem"));
    CHECK_SLICE(js_text(js_at(b, "media.previewImageUrl.problem")), SL("not 200"));
    slice id = js_text(js_at(b, "id"));
    struct got g = get(&w, arena_printf(w.a, "/sim/guests/1/media/" SLF "?url=" SLF "/picture", SLA(id), SLA(base)));
    CHECK_INT(g.status, 200);
    CHECK_SLICE(g.body, SL("PNG bytes"));
    CHECK_INT(get(&w, arena_printf(w.a, "/sim/guests/1/media/" SLF "?url=" SLF "/other", SLA(id), SLA(base))).status, 404);
    close_world(&w);
}

TEST(line_burst_counts_every_answer)
{
    struct world w;
    open_world(&w, NULL);
    CHECK_INT(post(&w, "/sim/burst", SL("{\"count\":200,\"guests\":20,\"rate\":2000,\"text\":\"b\"}")).status, 200);
    await_hooks(&w, 200);
    struct got g = { 0 };
    for (int i = 0; i < 100 && !js_true(js_at(g.json, "done")); i++) {
        run_ms(&w, 10);
        g = get(&w, SL("/sim/burst"));
    }
    int64_t ok = 0;
    CHECK(js_int(js_at(g.json, "ok"), &ok) && ok == 200);
    CHECK_INT(post(&w, "/sim/burst", SL("{\"count\":0}")).status, 400);
    close_world(&w);
}

TEST(line_page_is_one_self_contained_text)
{
    struct world w;
    open_world(&w, NULL);
    struct got g = get(&w, SL("/"));
    CHECK_INT(g.status, 200);
    CHECK(slice_find(g.body, SL("Content-Security-Policy")) != SIZE_MAX);
    CHECK(slice_find(g.body, SL("'unsafe-inline'")) == SIZE_MAX);
    CHECK(slice_find(g.body, SL("data-testid=\"message-input\"")) != SIZE_MAX);
    CHECK(slice_find(g.body, SL("<!--script-->")) == SIZE_MAX);
    static const char *const pictures[] = { "/sim/sample.png", "/sim/faces/3.png", "/stickershop/v1/sticker/1988/android/sticker.png" };
    for (size_t i = 0; i < COUNT(pictures); i++)
        CHECK_ROW(i, slice_starts(get(&w, slice_of(pictures[i])).body, SL("\x89PNG\r\n\x1a\n")));
    close_world(&w);
}

TEST(sim_refuses_bad_options)
{
    static const char *const rows[] = { "--nonsense=1", "guests=3", "--guests=many", "--channel-id", "--faults={\"x\":1}", "--listen=nowhere" };
    struct loop *l = loop_new();
    for (size_t i = 0; i < COUNT(rows); i++) {
        char words[2][64] = { "line", "" };
        snprintf(words[1], sizeof(words[1]), "%s", rows[i]);
        char *argv[] = { words[0], words[1] };
        struct fault f = { 0 };
        CHECK_ROW(i, !sim_open(l, 2, argv, &f));
        CHECK_ROW(i, f.code && f.text[0]);
    }
    loop_free(l);
}
