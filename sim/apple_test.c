/* apple_test.c - the simulated gateway over HTTP, as a hub meets it: one loop holds the simulator, a client and a hub that takes what guests do. */
#include "sim/apple.h"
#include "sim/sign.h"
#include "tests/harness/test.h"
#include "wire/gzip.h"
#include "wire/hex.h"

enum { WAIT_MS = 3000, HOOKS_MAX = 12 };
#define BUSINESS "b5f1e3d2-1111-4222-8333-444455556666"
#define MSP      "653abce3-dead-4eef-8fe3-247634adce53"
#define SECRET   "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define GUEST    "urn:mbid:AQAAY0001"
#define ID       "0b8f6c58-7b5a-4d0e-a7b1-0a8f2f1f1c11"
#define BARE     "\"v\":1,\"id\":\"" ID "\",\"sourceId\":\"" BUSINESS "\",\"destinationId\":\"" GUEST "\""

struct world {
    struct arena *a;
    struct loop *loop;
    struct client *client;
    struct sim_run *run;
    struct server *hub;
    struct loop_timer timer;
    slice bodies[HOOKS_MAX], tokens[HOOKS_MAX], paths[HOOKS_MAX];
    size_t n_hooks;
    bool late;
};
struct got {
    int status;
    slice body;
    const struct js *json;
    bool done;
};
struct asking {
    struct world *w;
    struct got *got;
};

/* What the device calls: messages, the way back from a sign-in, the payment. */
static void hub_called(struct exchange *x, void *ctx)
{
    struct world *w = ctx;
    slice plain = x->body, auth = exchange_header(x, "authorization"); /* the server has unpacked it */
    if (w->n_hooks < HOOKS_MAX) {
        w->paths[w->n_hooks] = arena_dup(w->a, x->path);
        w->tokens[w->n_hooks] = arena_dup(w->a, auth);
        w->bodies[w->n_hooks++] = arena_dup(w->a, plain.n ? plain : x->query);
    }
    static const struct header back = { SLI("Location"), SLI("messages-auth://?status=success") };
    bool sign_in = slice_ends(x->path, SL("/callback")), pay = slice_ends(x->path, SL("/gateway"));
    exchange_answer(x, &(struct response){ .status = sign_in ? 302 : 200, .type = SL("application/json"), .body = pay ? SL("{\"status\":\"STATUS_SUCCESS\"}") : SL("{}"),
                                           .headers = &back, .n_headers = sign_in });
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
    *q->got = (struct got){ .status = r->status, .body = arena_dup(q->w->a, r->body), .done = true };
    q->got->json = js_parse(q->w->a, q->got->body, NULL);
    loop_stop(q->w->loop);
}

static slice token_of(struct world *w, const char *claims, slice secret)
{
    slice text = arena_printf(w->a, SLF "." SLF, SLA(sign_base64url(w->a, SL("{\"alg\":\"HS256\",\"typ\":\"JWT\"}"))), SLA(sign_base64url(w->a, slice_of(claims))));
    slice mac = sign_unbase64(w->a, sign_hmac_sha256_base64(w->a, secret, text));
    return arena_printf(w->a, "Bearer " SLF "." SLF, SLA(text), SLA(sign_base64url(w->a, mac)));
}

static slice good_token(struct world *w)
{
    return token_of(w, "{\"iss\":\"" MSP "\",\"iat\":1700000000}", sign_unbase64(w->a, SL(SECRET)));
}

static struct got call(struct world *w, const char *method, slice path, slice token, slice body, const struct header *more, size_t n_more)
{
    struct got got = { 0 };
    struct asking q = { w, &got };
    struct header h[12] = { { SL("id"), SL(ID) }, { SL("source-id"), SL(BUSINESS) }, { SL("destination-id"), SL(GUEST) } };
    size_t n = 3;
    if (token.n)
        h[n++] = (struct header){ SL("authorization"), token };
    for (size_t i = 0; i < n_more; i++)
        h[n++] = more[i];
    slice base = slice_starts(path, SL("http")) ? SL("") : arena_printf(w->a, "http://127.0.0.1:%u", sim_port(w->run));
    struct client_call c = { .a = w->a, .method = method, .url = arena_printf(w->a, SLF SLF, SLA(base), SLA(path)), .headers = h, .n_headers = n, .body = body,
                             .total_ms = WAIT_MS, .done = answered, .arg = &q };
    client_send(w->client, &c);
    while (!got.done)
        loop_run(w->loop);
    return got;
}

static struct got post(struct world *w, const char *path, const char *body)
{
    return call(w, "POST", slice_of(path), good_token(w), slice_of(body), NULL, 0);
}

static struct got guest_does(struct world *w, const char *what)
{
    return call(w, "POST", SL("/sim/guests/1/send"), SLICE_NONE, slice_of(what), NULL, 0);
}

static void open_world(struct world *w)
{
    *w = (struct world){ .a = arena_new(), .loop = loop_new() };
    struct fault f = { 0 };
    struct client_limits limits;
    client_limits_default(&limits);
    limits.guard_off = true;
    w->client = client_new(w->loop, &limits, &f);
    w->hub = server_new(w->loop, "127.0.0.1:0", NULL, NULL, &f);
    server_route(w->hub, "*", "/amb/*", 1 << 20, hub_called, w);
    char name[] = "apple", retry[] = "--retry-ms=10", hub[64];
    snprintf(hub, sizeof(hub), "--hub=http://127.0.0.1:%u", server_port(w->hub));
    char *argv[] = { name, retry, hub };
    w->run = sim_open(w->loop, (int)COUNT(argv), argv, &f);
    if (!w->run)
        test_fail(__FILE__, __LINE__, "%s %s", f.field, f.text);
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

TEST(apple_lets_in_who_has_the_secret)
{
    struct world w;
    open_world(&w);
    slice secret = sign_unbase64(w.a, SL(SECRET)), body = SL("{" BARE ",\"type\":\"text\",\"body\":\"Hi\"}");
    const struct {
        slice token;
        int status;
    } rows[] = {
        { good_token(&w), 200 },
        { SLICE_NONE, 401 },
        { SL("Basic eDp5"), 401 },
        { token_of(&w, "{\"iss\":\"" MSP "\",\"iat\":1700000000}", SL(SECRET)), 403 }, /* not decoded */
        { token_of(&w, "{\"iss\":\"other\",\"iat\":1700000000}", secret), 403 },
        { token_of(&w, "{\"iss\":\"" MSP "\"}", secret), 403 },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_ROW(i, call(&w, "POST", SL("/v1/message"), rows[i].token, body, NULL, 0).status == rows[i].status);
    close_world(&w);
}

TEST(apple_refuses_what_apple_would)
{
    struct world w;
    open_world(&w);
#define INTERACTIVE "{" BARE ",\"type\":\"interactive\",\"interactiveData\":{\"bid\":\"" SAM_BID "\",\"receivedMessage\":{\"title\":\"t\"},\"data\":{\"version\":\"1.0\",\"requestIdentifier\":\"r\","
    static const struct {
        const char *path, *body;
        int status;
    } rows[] = {
        { "/v1/message", "{" BARE ",\"type\":\"text\",\"body\":\"Hi\"}", 200 },
        { "/v1/message", "{" BARE ",\"type\":\"text\"}", 400 },
        { "/v1/message", "{" BARE ",\"type\":\"shout\"}", 400 },
        { "/v1/message", "{\"v\":1,\"id\":\"other\",\"sourceId\":\"" BUSINESS "\",\"destinationId\":\"" GUEST "\",\"type\":\"text\",\"body\":\"Hi\"}", 400 },
        { "/v1/message", "{" BARE ",\"type\":\"text\",\"body\":\"Hi\",\"attachments\":[{}]}", 400 },
        { "/v1/message", "{" BARE ",\"type\":\"richLink\",\"body\":\"u\",\"richLinkData\":{\"url\":\"https://x\",\"assets\":{\"image\":{\"url\":\"https://x/i\"}}}}", 400 },
        { "/v1/message", INTERACTIVE "\"listPicker\":{}}}}", 200 },
        { "/v1/message", INTERACTIVE "\"images\":[{\"identifier\":\"1\",\"url\":\"https://x\"}],\"listPicker\":{}}}}", 400 },
        { "/v1/message", INTERACTIVE "\"authenticate\":{\"oauth2\":{\"responseType\":\"code\",\"scope\":[\"a\"],\"state\":\"s\"}}}}}", 400 },
        { "/v1/authenticate", INTERACTIVE "\"authenticate\":{\"oauth2\":{\"responseType\":\"code\",\"scope\":[\"a\"],\"state\":\"s\"}}}}}", 400 },
        { "/v1/authenticate", INTERACTIVE "\"authenticate\":{\"oauth2\":{\"responseType\":\"code\",\"scope\":[\"a\"],\"state\":\"s\",\"redirectURI\":\"https://x\"}}}}}", 200 },
        { "/v1/authenticate", "{" BARE ",\"type\":\"text\",\"body\":\"Hi\"}", 400 },
        { "/v1/message", INTERACTIVE "\"payment\":{\"paymentRequest\":{}}}}}", 400 },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_ROW(i, post(&w, rows[i].path, rows[i].body).status == rows[i].status);
    close_world(&w);
}

TEST(apple_takes_an_id_once)
{
    struct world w;
    open_world(&w);
    for (size_t i = 0; i < 3; i++)
        CHECK_INT(post(&w, "/v1/message", "{" BARE ",\"type\":\"text\",\"body\":\"Hi\"}").status, 200);
    CHECK_INT(js_len(js_at(call(&w, "GET", SL("/sim/guests/1/messages"), SLICE_NONE, SLICE_NONE, NULL, 0).json, "messages")), 1);
    int64_t repeats = 0;
    CHECK(js_int(js_at(call(&w, "GET", SL("/sim/counters"), SLICE_NONE, SLICE_NONE, NULL, 0).json, "repeats"), &repeats) && repeats == 2);
    close_world(&w);
}

TEST(apple_sends_signed_and_packed)
{
    struct world w;
    open_world(&w);
    CHECK_INT(guest_does(&w, "{\"type\":\"text\",\"text\":\"Hi\",\"intent\":\"stay\"}").status, 200);
    const struct js *m = await_hook(&w, 1);
    CHECK_SLICE(js_text(js_at(m, "body")), SL("Hi"));
    CHECK_SLICE(js_text(js_at(m, "intent")), SL("stay"));
    CHECK_SLICE(js_text(js_at(m, "destinationId")), SL(BUSINESS));
    slice token = slice_from(w.tokens[0], 7), mac = sign_unbase64(w.a, slice_from(token, slice_find_last(token, '.') + 1));
    slice text = slice_sub(token, 0, slice_find_last(token, '.'));
    CHECK(slice_eq(mac, sign_unbase64(w.a, sign_hmac_sha256_base64(w.a, sign_unbase64(w.a, SL(SECRET)), text))));
    CHECK_INT(guest_does(&w, "{\"type\":\"close\"}").status, 200);
    (void)await_hook(&w, 2);
    CHECK_INT(post(&w, "/v1/message", "{" BARE ",\"type\":\"text\",\"body\":\"Hi\"}").status, 410);
    close_world(&w);
}

TEST(apple_files_lie_encrypted_and_are_fetched_at_once)
{
    struct world w;
    open_world(&w);
    CHECK_INT(guest_does(&w, "{\"type\":\"file\",\"base64\":\"aGVsbG8=\",\"name\":\"a.txt\"}").status, 200);
    const struct js *at = js_at(await_hook(&w, 1), "attachments.0");
    slice signature = sign_base64(w.a, hex_decode(w.a, js_text(js_at(at, "signature"))));
    const struct header place[] = { { SL("MMCS-Url"), js_text(js_at(at, "url")) }, { SL("MMCS-Owner"), js_text(js_at(at, "owner")) }, { SL("MMCS-Signature"), signature } };
    CHECK_INT(call(&w, "GET", SL("/v1/preDownload"), good_token(&w), SLICE_NONE, place, 2).status, 400);
    struct got where = call(&w, "GET", SL("/v1/preDownload"), good_token(&w), SLICE_NONE, place, 3);
    struct got bytes = call(&w, "GET", js_text(js_at(where.json, "download-url")), SLICE_NONE, SLICE_NONE, NULL, 0);
    CHECK_INT(bytes.status, 200);
    CHECK_INT(bytes.body.n, 5);
    CHECK_SLICE(sam_cipher(w.a, hex_decode(w.a, slice_from(js_text(js_at(at, "key")), 2)), bytes.body), SL("hello"));
    CHECK_INT(call(&w, "GET", SL("/mmcs/download/none"), SLICE_NONE, SLICE_NONE, NULL, 0).status, 404);
    close_world(&w);
}

TEST(apple_cipher_has_the_known_vector)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice key = hex_decode(a, SL("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4"));
    CHECK_SLICE(hex_encode(a, sam_cipher(a, key, SL("Hello, Messages for Business!\n"))), SL("ad0d9aedfbe3569b723e3fa12475db74f77a6c7d490f6c72aeb2dfa38f34"));
}

TEST(apple_answers_a_picker_at_once_or_by_reference)
{
    struct world w;
    open_world(&w);
    CHECK_INT(guest_does(&w, "{\"type\":\"pick\",\"titles\":[\"Twin\"]}").status, 400);
    CHECK_INT(post(&w, "/v1/message", INTERACTIVE "\"listPicker\":{\"sections\":[{\"items\":[{\"identifier\":\"t\",\"title\":\"Twin\"}]}]}}}}").status, 200);
    CHECK_INT(guest_does(&w, "{\"type\":\"pick\",\"titles\":[\"Twin\"]}").status, 200);
    CHECK_SLICE(js_text(js_at(await_hook(&w, 1), "interactiveData.data.listPicker.sections.0.items.0.identifier")), SL("t"));
    CHECK_INT(guest_does(&w, "{\"type\":\"pick\",\"titles\":[\"Twin\"],\"large\":true}").status, 200);
    const struct js *ref = js_at(await_hook(&w, 2), "interactiveDataRef");
    const struct header place[] = { { SL("MMCS-Url"), js_text(js_at(ref, "url")) }, { SL("MMCS-Owner"), js_text(js_at(ref, "owner")) },
                                    { SL("MMCS-Signature"), js_text(js_at(ref, "signature-base64")) }, { SL("bid"), js_text(js_at(ref, "bid")) } };
    slice url = js_text(js_at(call(&w, "GET", SL("/v1/preDownload"), good_token(&w), SLICE_NONE, place, 3).json, "download-url")), plain = SLICE_NONE;
    slice packed = sam_cipher(w.a, hex_decode(w.a, slice_from(js_text(js_at(ref, "key")), 2)), call(&w, "GET", url, SLICE_NONE, SLICE_NONE, NULL, 0).body);
    CHECK(gzip_unpack(w.a, packed, 1 << 20, &plain) == GZIP_OK);
    CHECK_INT(call(&w, "POST", SL("/v1/decodePayload"), good_token(&w), plain, place, 3).status, 400);
    struct got decoded = call(&w, "POST", SL("/v1/decodePayload"), good_token(&w), plain, place, 4);
    CHECK_SLICE(js_text(js_at(decoded.json, "interactiveData.data.replyMessage.title")), SL("Twin"));
    close_world(&w);
}

TEST(apple_signs_in_by_the_provider)
{
    struct world w;
    open_world(&w);
    CHECK_INT(guest_does(&w, "{\"type\":\"sign_in\"}").status, 400);
    slice body = arena_printf(w.a, INTERACTIVE "\"authenticate\":{\"oauth2\":{\"responseType\":\"code\",\"scope\":[\"a\"],\"state\":\"s&1\",\"redirectURI\":\"http://127.0.0.1:%u/amb/oauth/callback\"}}}}}",
                              server_port(w.hub));
    CHECK_INT(post(&w, "/v1/authenticate", body.p).status, 200);
    CHECK_INT(guest_does(&w, "{\"type\":\"sign_in\"}").status, 200);
    CHECK_SLICE(js_text(js_at(await_hook(&w, 2), "interactiveData.data.authenticate.status")), SL("authenticated"));
    slice query = w.bodies[0], code = slice_from(query, slice_find(query, SL("code=")) + 5);
    CHECK(slice_starts(query, SL("state=s%261&code=good-")));
    slice form = arena_printf(w.a, "grant_type=authorization_code&code=" SLF "&redirect_uri=x/amb/oauth/callback&client_id=c", SLA(code));
    struct got token = call(&w, "POST", SL("/oauth/token"), SLICE_NONE, form, NULL, 0);
    CHECK_INT(call(&w, "POST", SL("/oauth/token"), SLICE_NONE, form, NULL, 0).status, 400); /* once */
    slice bearer = arena_printf(w.a, "Bearer " SLF, SLA(js_text(js_at(token.json, "access_token"))));
    CHECK_SLICE(js_text(js_at(call(&w, "GET", SL("/oauth/userinfo"), bearer, SLICE_NONE, NULL, 0).json, "sub")), SL("user-1"));
    CHECK_INT(call(&w, "GET", SL("/oauth/userinfo"), SL("Bearer at-nobody"), SLICE_NONE, NULL, 0).status, 401);
    CHECK_INT(guest_does(&w, "{\"type\":\"sign_in\",\"deny\":true}").status, 200);
    (void)await_hook(&w, 4);
    CHECK(slice_ends(w.bodies[2], SL("&error=access_denied")));
    close_world(&w);
}

TEST(apple_pays_by_the_endpoints)
{
    struct world w;
    open_world(&w);
    struct got bad = post(&w, "/paymentservices/paymentSession", "{\"merchantIdentifier\":\"shop\"}");
    CHECK_INT(bad.status, 400);
    struct got session = post(&w, "/paymentservices/paymentSession",
                              "{\"merchantIdentifier\":\"merchant.com.example\",\"displayName\":\"Hotel\",\"initiative\":\"messaging\",\"initiativeContext\":\"https://x/gateway\"}");
    CHECK(slice_starts(js_text(js_at(session.json, "merchantSessionIdentifier")), SL("SSH")));
    slice at = arena_printf(w.a, "http://127.0.0.1:%u/amb/pay/s", server_port(w.hub));
    slice body = arena_printf(w.a, INTERACTIVE "\"payment\":{\"merchantSession\":" SLF ",\"paymentRequest\":{\"countryCode\":\"JP\",\"currencyCode\":\"JPY\",\"total\":{\"amount\":\"1\"},"
                                               "\"applePay\":{\"merchantIdentifier\":\"m\"}},\"endpoints\":{\"paymentGatewayUrl\":\"" SLF "/gateway\",\"orderTrackingUrl\":\"" SLF
                                               "/order\",\"paymentMethodUpdateUrl\":\"" SLF "/method\"}}}}}", SLA(session.body), SLA(at), SLA(at), SLA(at));
    CHECK_INT(post(&w, "/v1/message", body.p).status, 200);
    CHECK_INT(guest_does(&w, "{\"type\":\"pay\"}").status, 200);
    (void)await_hook(&w, 4);
    CHECK_SLICE(w.paths[0], SL("/amb/pay/s/method"));
    CHECK_SLICE(w.paths[1], SL("/amb/pay/s/gateway"));
    CHECK_SLICE(js_text(js_at(js_parse(w.a, w.bodies[1], NULL), "payment.paymentToken.paymentMethod.network")), SL("Visa"));
    for (size_t i = 2; i < 4; i++)
        if (slice_eq(w.paths[i], SL("/amb/message")))
            CHECK_SLICE(js_text(js_at(js_parse(w.a, w.bodies[i], NULL), "interactiveData.data.payment.state")), SL("completed"));
        else
            CHECK_SLICE(w.paths[i], SL("/amb/pay/s/order"));
    close_world(&w);
}
