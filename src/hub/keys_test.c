/* The keys vendors sign with: fetched once for all, kept, fetched again. The vendor is played in this process. */
#include "hub/keys.h"
#include "hub/verify.h"
#include "net/client.h"
#include "net/server.h"
#include "tests/harness/test.h"
#include "wire/jwks.h"
#include "wire/jwt_test_keys.h"

enum { WAIT_MS = 240000, AGAIN_MS = 2500 }; /* longer than a busy machine takes for what happens in between */
struct vendor {
    struct arena *a;
    struct loop *loop;
    struct server *server;
    struct hub hub;
    struct actor actor, other; /* two accounts of one bot */
    struct actor *actors[2];
    int status;        /* of the keys; 0: held back */
    const char *kid;   /* of the one key */
    unsigned fetches;
    struct jwt_key *key;
    struct exchange *held;
    struct logger *logger;
    struct log log;
    struct loop_timer timer;
    bool late;
};
struct asked {
    struct vendor *v;
    bool done;
    const char *why;
    struct request *rq;
};

static slice keys_url(struct call *c)
{
    return c->account->public_url;
}
static bool token_ok(struct call *c, const struct request *rq, const struct js *key, const struct js *claims)
{
    return js_text(js_at(key, "kid")).n && js_is_object(claims) && slice_eq(rq->body, c->account->id) ? true : fault(c->f, "wrong_audience", "", "for another");
}
static const struct connector tjwt = { .name = "tjwt", .title = "T", .token_ok = token_ok,
    .hook = { "/t", VERIFY_JWT, "authorization", "Bearer ", .keys = { keys_url, .keep_ms = 3600000, .again_ms = AGAIN_MS, .leeway_ms = 1000 } } };

static void answer_keys(struct vendor *v, struct exchange *x)
{
    exchange_json(x, v->status, arena_printf(v->a, "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"%s\",\"n\":\"" RFC7515_N "\",\"e\":\"AQAB\"}]}", v->kid));
}

static void on_keys(struct exchange *x, void *ctx)
{
    struct vendor *v = ctx;
    v->fetches++;
    if (v->status)
        answer_keys(v, x);
    else
        v->held = x;
    loop_stop(v->loop);
}

static void on_openid(struct exchange *x, void *ctx)
{
    struct vendor *v = ctx;
    exchange_json(x, 200, arena_printf(x->a, "{\"jwks_uri\":\"http://127.0.0.1:%u/keys\"}", server_port(v->server)));
}

static char *quiet(const char *name)
{
    (void)name;
    return NULL;
}

static void vendor_open(struct vendor *v)
{
    struct fault f;
    *v = (struct vendor){ .a = arena_new(), .loop = loop_new(), .status = 200, .kid = "k1", .logger = logger_new("test", quiet, &f) };
    logger_set_levels(v->logger, SL("fatal"));
    v->log = log_root(v->logger);
    v->key = jwt_key_pem(slice_of(pem_private), &f);
    v->server = server_new(v->loop, "127.0.0.1:0", NULL, NULL, &f);
    CHECK(v->server);
    server_route(v->server, "GET", "/keys", 0, on_keys, v);
    server_route(v->server, "GET", "/openid", 0, on_openid, v);
    struct client_limits cl;
    client_limits_default(&cl);
    cl.guard_off = true;
    v->hub = (struct hub){ .loop = v->loop, .log = &v->log, .metrics = metrics_new(), .a = v->a, .client = client_new(v->loop, &cl, &f), .actors = v->actors, .n_actors = 2 };
    v->actors[0] = &v->actor;
    v->actors[1] = &v->other;
    v->other = (struct actor){ .hub = &v->hub, .account = { .id = SL("t/u"), .type = &tjwt, .public_url = arena_printf(v->a, "http://127.0.0.1:%u/openid", server_port(v->server)) } };
    v->actor = (struct actor){ .hub = &v->hub, .account = { .id = SL("t/t"), .type = &tjwt, .public_url = arena_printf(v->a, "http://127.0.0.1:%u/openid", server_port(v->server)) } };
}

static void vendor_close(struct vendor *v)
{
    v->hub.stopped = true;
    client_free(v->hub.client);
    keys_stop(&v->hub);
    if (v->held)
        exchange_abort(v->held);
    server_free(v->server);
    loop_timer_done(&v->timer);
    metrics_free(v->hub.metrics);
    loop_free(v->loop);
    logger_free(v->logger);
    jwt_key_free(v->key);
    arena_free(v->a);
}

static void ready(void *arg, const struct fault *why)
{
    struct asked *q = arg;
    q->done = true;
    q->why = why ? why->code : NULL;
    loop_stop(q->v->loop);
}

/* A request whose token names this key; said: its claims. */
static void ask_saying(struct vendor *v, struct asked *q, const char *kid, const char *said)
{
    struct fault f = { 0 };
    struct header *h = ARENA_NEW(v->a, struct header);
    *h = (struct header){ SL("Authorization"), arena_printf(v->a, "Bearer " SLF, SLA(jwt_sign(v->a, v->key, slice_of(kid), slice_of(said), &f))) };
    struct request *rq = ARENA_NEW(v->a, struct request);
    *rq = (struct request){ .method = SL("POST"), .path = SL(""), .body = SL("{}"), .headers = h, .n_headers = 1 };
    *q = (struct asked){ .v = v, .rq = rq };
    keys_prepare(&v->hub, &tjwt, v->a, rq, ready, q);
}

static void ask(struct vendor *v, struct asked *q, const char *kid)
{
    ask_saying(v, q, kid, "{\"exp\":1}");
}

static void on_late(void *arg)
{
    struct vendor *v = arg;
    v->late = true;
    loop_stop(v->loop);
}

static void await(struct vendor *v, const bool *what)
{
    v->late = false;
    loop_timer_start(v->loop, &v->timer, WAIT_MS, on_late, v);
    while (!*what && !v->late)
        loop_run(v->loop);
    loop_timer_stop(&v->timer);
    CHECK(*what);
}

static void pass(struct vendor *v, int64_t ms)
{
    v->late = false;
    loop_timer_start(v->loop, &v->timer, ms, on_late, v);
    while (!v->late)
        loop_run(v->loop);
}

static const struct jwks *have(struct vendor *v)
{
    return keys_have(v->hub.keys, v->actor.account.public_url);
}

TEST(keys_are_fetched_once_for_all_who_wait)
{
    struct vendor v;
    struct asked q[20];
    vendor_open(&v);
    CHECK(!have(&v));
    for (size_t i = 0; i < COUNT(q); i++)
        ask(&v, &q[i], "k1");
    for (size_t i = 0; i < COUNT(q); i++) {
        await(&v, &q[i].done);
        CHECK_ROW(i, !q[i].why);
    }
    CHECK_INT(v.fetches, 1);
    CHECK(jwks_find(have(&v), SL("k1")));
    struct asked later;
    ask(&v, &later, "k1");
    CHECK(later.done && !later.why); /* at hand: not even a turn of the loop */
    vendor_close(&v);
}

TEST(keys_an_unknown_one_has_them_fetched_again_but_not_for_ever)
{
    struct vendor v;
    struct asked q;
    vendor_open(&v);
    ask(&v, &q, "k1");
    await(&v, &q.done);
    v.kid = "k2"; /* the vendor changed its key */
    ask(&v, &q, "k2");
    await(&v, &q.done);
    CHECK(!q.why && jwks_find(have(&v), SL("k2")));
    CHECK_INT(v.fetches, 2);
    for (int i = 0; i < 10; i++) {
        ask(&v, &q, "made-up");
        CHECK(q.done && !q.why); /* there is nothing to wait for: the token is wrong */
    }
    CHECK_INT(v.fetches, 2);
    pass(&v, AGAIN_MS + 100);
    ask(&v, &q, "made-up");
    await(&v, &q.done);
    CHECK_INT(v.fetches, 3);
    vendor_close(&v);
}

TEST(keys_that_cannot_be_had_are_said_so_and_the_old_ones_stay)
{
    struct vendor v;
    struct asked q;
    vendor_open(&v);
    v.status = 500;
    ask(&v, &q, "k1");
    await(&v, &q.done);
    CHECK(q.why && strcmp(q.why, "no_keys") == 0);
    ask(&v, &q, "k1");
    CHECK(q.done && q.why); /* just tried */
    CHECK_INT(v.fetches, 1);
    v.status = 200;
    pass(&v, KEYS_RETRY_MS + 50);
    ask(&v, &q, "k1");
    await(&v, &q.done);
    CHECK(!q.why && have(&v));
    v.status = 500;
    pass(&v, AGAIN_MS + 100);
    ask(&v, &q, "k2"); /* perhaps a new key, perhaps made up: nobody can tell now */
    await(&v, &q.done);
    CHECK(q.why && jwks_find(have(&v), SL("k1")));
    ask(&v, &q, "k1");
    CHECK(q.done && !q.why);
    vendor_close(&v);
}

TEST(keys_are_not_waited_for_without_end)
{
    struct vendor v;
    struct asked q, at_stop;
    vendor_open(&v);
    v.status = 0;
    ask(&v, &q, "k1");
    int64_t from_ms = time_mono_ms();
    await(&v, &q.done);
    CHECK(q.why && time_mono_ms() - from_ms < 4 * KEYS_WAIT_MS);
    ask(&v, &at_stop, "k1");
    vendor_close(&v);
    CHECK(at_stop.done && at_stop.why);
}

TEST(keys_verify_a_token_and_its_claims_find_the_account)
{
    struct vendor v;
    struct asked q;
    vendor_open(&v);
    static const struct { const char *kid, *said, *body; enum found found; const char *id, *code; } rows[] = {
        { "k1", "{\"exp\":4102444800}", "t/t", FOUND, "t/t", NULL },
        { "k1", "{\"exp\":4102444800}", "t/u", FOUND, "t/u", NULL },
        { "k1", "{\"exp\":4102444800}", "t/v", FOUND_BAD, NULL, "wrong_audience" },
        { "k1", "{\"exp\":1000}", "t/t", FOUND_BAD, NULL, "expired" },
        { "k1", "{}", "t/t", FOUND_BAD, NULL, "bad_token" },
        { "k9", "{\"exp\":4102444800}", "t/t", FOUND_BAD, NULL, "bad_signature" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct actor *who = NULL;
        struct fault f = { 0 };
        ask_saying(&v, &q, rows[i].kid, rows[i].said);
        await(&v, &q.done);
        CHECK_ROW(i, !q.why);
        q.rq->body = slice_of(rows[i].body);
        CHECK_ROW(i, find_verified(&v.hub, &tjwt, v.a, q.rq, &who, &f) == rows[i].found);
        CHECK_ROW(i, !rows[i].id || slice_eq(who->account.id, slice_of(rows[i].id)));
        CHECK_ROW(i, rows[i].code ? f.code && strcmp(f.code, rows[i].code) == 0 : !f.code);
    }
    v.actor.retired = true; /* whoever is gone has no webhooks */
    struct actor *who = NULL;
    struct fault f = { 0 };
    ask_saying(&v, &q, "k1", "{\"exp\":4102444800}");
    await(&v, &q.done);
    q.rq->body = SL("t/t");
    CHECK_INT(find_verified(&v.hub, &tjwt, v.a, q.rq, &who, &f), FOUND_BAD);
    vendor_close(&v);
}

TEST(keys_need_a_token_that_names_one)
{
    struct vendor v;
    struct asked q = { .v = &v };
    vendor_open(&v);
    struct header h = { SL("authorization"), SL("Bearer nonsense") };
    struct request rq = { .method = SL("POST"), .path = SL(""), .body = SL("{}"), .headers = &h, .n_headers = 1 };
    keys_prepare(&v.hub, &tjwt, v.a, &rq, ready, &q);
    CHECK(q.done && !q.why && v.fetches == 0);
    rq.n_headers = 0;
    q.done = false;
    keys_prepare(&v.hub, &tjwt, v.a, &rq, ready, &q);
    CHECK(q.done && !q.why && v.fetches == 0);
    vendor_close(&v);
}
