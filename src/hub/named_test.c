/* Several tokens under one account, pages of all accounts, calls before the answer, threads that are known or not. */
#include "hub/accept.h"
#include "hub/rig_test.h"
#include "hub/run.h"
#include "hub/token.h"

/* ---- a connector that keeps "TOKEN UNTIL" as "token:NAME" in its memory ------------------------------------------------ */

static bool n_known(struct call *c, slice name, slice *ret_token, int64_t *ret_until_ms)
{
    slice rest = arena_dup(c->a, memory_get(c->memory, arena_printf(c->a, "token:" SLF, SLA(name)).p, c->now_ms));
    *ret_token = slice_cut(&rest, ' ');
    return ret_token->n && slice_int(rest, ret_until_ms) ? true : fault(c->f, "no_token", "", "nobody let us in");
}

static bool installed_anew; /* while a renewal is under way */

static bool n_renew(struct call *c, slice name, struct http_call *ret)
{
    if (installed_anew)
        memory_set(c->memory, arena_printf(c->a, "token:" SLF, SLA(name)).p, SL("T9 0"), 0);
    ret->method = "POST";
    ret->url = arena_printf(c->a, SLF "/token", SLA(setting(c, 1)));
    ret->body = arena_printf(c->a, "refresh=" SLF, SLA(name));
    return true;
}

static bool n_took(struct call *c, slice name, const struct answer *r)
{
    slice token = js_text(js_at(js_parse(c->a, r->body, NULL), "access_token"));
    if (!token.n)
        return false;
    memory_set(c->memory, arena_printf(c->a, "token:" SLF, SLA(name)).p, arena_printf(c->a, SLF " %lld", SLA(token), (long long)(c->now_ms + 3600000)), 0);
    return true;
}

static enum outcome n_ask(struct call *c, struct delivery *d)
{
    if (d->last) {
        memory_set(c->memory, "asked", d->keep, 0);
        return d->last->status == 200 ? OUT_DELIVERED : answer_outcome(c, d, "ask");
    }
    d->call.method = "POST";
    d->call.url = arena_printf(c->a, SLF "/vendor/asked", SLA(setting(c, 1)));
    d->call.type = SL("text/plain");
    d->call.body = arena_printf(c->a, SLF " of " SLF, SLA(d->keep), SLA(c->conversation ? c->conversation->guest : SL("nobody")));
    d->call.no_token = true;
    return OUT_CALL;
}

static void n_answer(struct call *c, const struct delivery *d, enum outcome end, struct inbox *in)
{
    inbox_answer(in, end == OUT_DELIVERED ? 201 : 502, SL("text/plain"), arena_dup(c->a, d->keep));
    inbox_header(in, "X-Note", SL("made"));
}

/* "known U1 hi": only in a known conversation; "ask U1 x", "wait U1 x": asks, and waits for it; else a text. */
static bool n_receive(struct call *c, const struct request *rq, struct inbox *in)
{
    slice rest = rq->body, word = slice_cut(&rest, ' '), guest = slice_cut(&rest, ' ');
    if (slice_eq(guest, SL("-")))
        guest = SLICE_NONE;
    if (guest.n) {
        struct message *m = inbox_add(in, KIND_TEXT);
        m->id = rq->body;
        m->guest = guest;
        m->text = rest;
        m->at_ms = c->now_ms;
        if (slice_eq(word, SL("known")))
            inbox_only(m, ONLY_KNOWN);
    }
    if (slice_eq(word, SL("ask")) || slice_eq(word, SL("wait")))
        inbox_ask(in, n_ask, rest, slice_eq(word, SL("wait")) ? n_answer : NULL);
    return true;
}

static bool n_page(struct call *c, const struct request *rq, struct inbox *in)
{
    (void)rq;
    inbox_answer(in, c->account ? 200 : 404, SL("text/plain"), c->account ? c->account->id : SL("whose?"));
    return true;
}

static bool n_mine(struct call *c, const struct request *rq)
{
    return slice_eq(request_query(c->a, rq, "who"), c->account->id);
}

static bool n_probe(struct arena *a, const struct request *rq)
{
    (void)a;
    return slice_eq(rq->body, SL("are you there?"));
}

static const struct route_extra n_routes[] = { { "POST", "/named/page", n_page, .mine = n_mine } };
static const struct rate n_rates[] = { { 0 }, { .calls = 10, .per_ms = 60000, .per_token = true } };

struct named {
    struct rig *r;
    struct connector type;
};

static struct named named_rig(struct connector *type)
{
    struct named n = { .r = rig_new() };
    struct actor *net = n.r->net;
    *type = *net->account.type;
    type->hook = (struct hook){ .path = "/named", .how = VERIFY_HMAC_SHA256_BASE64, .header = "X-Sig", .secrets = { 0 }, .n_secrets = 1 };
    type->auth.kind = AUTH_NAMED;
    type->auth.token_known = n_known;
    type->auth.token_renew = n_renew;
    type->auth.token_took = n_took;
    type->auth.renew_ms = 60000;
    type->receive = n_receive;
    type->probe = n_probe;
    type->routes = n_routes;
    type->n_routes = COUNT(n_routes);
    type->rates = n_rates;
    type->n_rates = COUNT(n_rates);
    net->account.type = type;
    accept_routes(&n.r->hub, n.r->server, type);
    n.r->token = SL("T2");
    return n;
}

struct asked {
    struct token_wait w;
    size_t n;
    char header[64];
};

static void got(void *arg, slice header, const struct fault *f)
{
    struct asked *as = arg;
    CHECK((header.p != NULL) == (f == NULL));
    snprintf(as->header, sizeof(as->header), SLF, SLA(header));
    as->n++;
}

static void ask_for(struct rig *r, struct asked *as, const char *name)
{
    *as = (struct asked){ .w = { .name = slice_of(name), .done = got, .arg = as } };
    token_get(r->net, &as->w);
}

static void remember(struct rig *r, const char *name, const char *token, int64_t until_ms)
{
    memory_set(r->net->memory, arena_printf(r->a, "token:%s", name).p, arena_printf(r->a, "%s %lld", token, (long long)until_ms), 0);
}

TEST(named_tokens_are_apart_and_renewed_by_one)
{
    enum { WAITERS = 20, MINUTE_MS = 60000 };
    struct connector type;
    struct rig *r = named_rig(&type).r;
    static struct asked all[WAITERS];
    struct asked one;
    int64_t now_ms = time_now_ms();
    ask_for(r, &one, "nobody");
    CHECK(one.n == 1 && !one.header[0]);
    remember(r, "fixed", "T0", 0);
    ask_for(r, &one, "fixed");
    CHECK(one.n == 1 && strcmp(one.header, "Bearer T0") == 0);
    remember(r, "late", "T1", now_ms + MINUTE_MS / 2); /* soon over: still given, and renewed meanwhile */
    ask_for(r, &one, "late");
    CHECK(one.n == 1 && strcmp(one.header, "Bearer T1") == 0);
    UNTIL(r, r->n_tokens == 1 && r->hub.open_runs == 0);
    ask_for(r, &one, "late");
    CHECK(strcmp(one.header, "Bearer T2") == 0);
    remember(r, "over", "T1", now_ms - 1);
    for (size_t i = 0; i < WAITERS; i++)
        ask_for(r, &all[i], "over");
    UNTIL(r, all[WAITERS - 1].n == 1);
    CHECK_INT(r->n_tokens, 2);
    for (size_t i = 0; i < WAITERS; i++)
        CHECK_ROW(i, all[i].n == 1 && strcmp(all[i].header, "Bearer T2") == 0);
    CHECK(rig_on_disk(r, "late") == false); /* what the account remembers is sealed */
    rig_free(r);
}

TEST(named_token_that_is_refused_is_not_given_again)
{
    struct connector type;
    struct rig *r = named_rig(&type).r;
    struct asked one;
    remember(r, "fixed", "T0", 0);
    token_drop_named(r->net, SL("fixed"), SL("Bearer of another time"));
    ask_for(r, &one, "fixed");
    CHECK(one.header[0]);
    token_drop_named(r->net, SL("fixed"), SL("Bearer T0"));
    ask_for(r, &one, "fixed");
    CHECK(one.n == 1 && !one.header[0]); /* there is no way to another */
    remember(r, "fixed", "T9", 0);
    ask_for(r, &one, "fixed");
    CHECK(strcmp(one.header, "Bearer T9") == 0);
    remember(r, "turns", "T1", time_now_ms() + 3600000);
    token_drop_named(r->net, SL("turns"), SL("Bearer T1"));
    ask_for(r, &one, "turns");
    UNTIL(r, one.n == 1);
    CHECK(strcmp(one.header, "Bearer T2") == 0);
    r->token_status = 500;
    remember(r, "turns", "T1", time_now_ms() - 1);
    ask_for(r, &one, "turns");
    UNTIL(r, one.n == 1);
    CHECK(!one.header[0]);
    rig_free(r);
}

TEST(named_token_that_could_not_be_kept_is_not_asked_for)
{
    struct connector type;
    struct rig *r = named_rig(&type).r;
    struct asked one;
    remember(r, "over", "T1", time_now_ms() - 1);
    rig_disk_full(true);
    ask_for(r, &one, "over");
    UNTIL(r, one.n == 1);
    rig_disk_full(false);
    CHECK(!one.header[0]);
    CHECK_INT(r->n_tokens, 0); /* the vendor was not asked: its refresh token is still good */
    ask_for(r, &one, "over");
    UNTIL(r, one.n == 1);
    CHECK(one.header[0]);
    CHECK_INT(r->n_tokens, 1);
    rig_free(r);
}

TEST(named_token_that_came_by_other_ways_outlives_the_answer_to_a_renewal)
{
    struct connector type;
    struct rig *r = named_rig(&type).r;
    static const int statuses[] = { 0, 400 };
    struct asked one;
    installed_anew = true;
    for (size_t i = 0; i < COUNT(statuses); i++) {
        r->token_status = statuses[i];
        remember(r, "over", "T1", time_now_ms() - 1);
        ask_for(r, &one, "over");
        UNTIL(r, one.n == 1);
        CHECK_ROW(i, strcmp(one.header, "Bearer T9") == 0);
    }
    installed_anew = false;
    CHECK_INT(r->n_tokens, 2);
    rig_free(r);
}

static int hold_asked(struct rig *r, const struct seen *s)
{
    (void)r;
    return slice_ends(s->path, SL("/asked")) ? ANSWER_HOLD : 200;
}

static enum outcome n_deliver(struct call *c, struct delivery *d)
{
    if (d->last) {
        memory_set(c->memory, "carried", d->last_old_token ? SL("old") : SL("now"), 0);
        return OUT_DELIVERED;
    }
    d->call.method = "POST";
    d->call.url = arena_printf(c->a, SLF "/vendor/asked", SLA(setting(c, 1)));
    d->call.type = SL("text/plain");
    d->call.body = d->m->text;
    d->call.token = SL("fixed");
    return OUT_CALL;
}

TEST(named_token_that_was_replaced_while_a_call_was_under_way_is_told)
{
    struct connector type;
    struct rig *r = named_rig(&type).r;
    type.deliver = n_deliver;
    r->answer = hold_asked;
    remember(r, "fixed", "T0", 0);
    rig_say(r, "2", "U1@tnet", "first");
    UNTIL(r, rig_seen(r, "first") == 1);
    rig_answer_held(r, "first", 200);
    UNTIL(r, slice_eq(memory_get(r->net->memory, "carried", time_now_ms()), SL("now")));
    rig_say(r, "3", "U1@tnet", "second");
    UNTIL(r, rig_seen(r, "second") == 1);
    remember(r, "fixed", "T9", 0);
    rig_answer_held(r, "second", 200);
    UNTIL(r, slice_eq(memory_get(r->net->memory, "carried", time_now_ms()), SL("old")));
    rig_free(r);
}

TEST(named_tokens_have_a_rate_each)
{
    struct connector type;
    struct rig *r = named_rig(&type).r;
    remember(r, "a", "T0", 0);
    remember(r, "b", "T0", 0);
    struct bucket *a = token_named_bucket(r->net, SL("a"), 1), *b = token_named_bucket(r->net, SL("b"), 1);
    CHECK(a && b && a != b && !token_named_bucket(r->net, SL("nobody"), 1));
    int64_t wait_ms = 0;
    for (int i = 0; i < 100 && !wait_ms; i++)
        wait_ms = bucket_take(a, time_mono_us());
    CHECK(wait_ms > 0);
    CHECK_INT(bucket_take(b, time_mono_us()), 0);
    rig_free(r);
}

static int refuse_asked(struct rig *r, const struct seen *s)
{
    (void)r;
    return slice_ends(s->path, SL("/asked")) ? 400 : 200;
}

TEST(ask_does_not_hold_the_answer_unless_it_makes_it)
{
    struct connector type;
    struct rig *r = named_rig(&type).r;
    int waits = 0;
    r->answer = hold_asked;
    CHECK_INT(rig_hook(r, "/named", "ask U1 open"), 200);
    UNTIL(r, rig_seen(r, "open of U1") == 1); /* of the conversation that the message is of */
    rig_answer_held(r, "open of U1", 200);
    UNTIL(r, slice_eq(memory_get(r->net->memory, "asked", time_now_ms()), SL("open")));
    rig_hook_later(r, "/named", "wait - code", &waits);
    UNTIL(r, rig_seen(r, "code of nobody") == 1);
    rig_turn(r, 50);
    CHECK_INT(waits, 0);
    rig_answer_held(r, "code of nobody", 200);
    UNTIL(r, waits != 0);
    CHECK_INT(waits, 201);
    r->answer = refuse_asked;
    CHECK_INT(rig_hook(r, "/named", "wait - code2"), 502);
    UNTIL(r, r->hub.open_runs == 0);
    rig_free(r);
}

TEST(ask_that_is_open_when_the_hub_stops_is_let_go)
{
    struct connector type;
    struct rig *r = named_rig(&type).r;
    int waits = 0;
    r->answer = hold_asked;
    rig_hook_later(r, "/named", "wait U1 code", &waits);
    UNTIL(r, rig_seen(r, "code of U1") == 1);
    rig_free(r);
}

TEST(page_of_all_accounts_finds_its_own_or_none)
{
    struct connector type;
    struct rig *r = named_rig(&type).r;
    CHECK_INT(rig_hook(r, "/named/page", ""), 404);
    CHECK_INT(rig_hook(r, "/named/page?who=t/tother", ""), 404);
    CHECK_INT(rig_hook(r, "/named/page?who=t/tnet", ""), 200);
    rig_free(r);
}

static void count(void *arg, const struct answer *r)
{
    *(int *)arg = r->status ? r->status : -1;
}

TEST(probe_is_answered_without_a_signature_and_nothing_else_is)
{
    struct connector type;
    struct rig *r = named_rig(&type).r;
    static const char *const bodies[] = { "are you there?", "known U1 hi" };
    for (size_t i = 0; i < COUNT(bodies); i++) {
        int status = 0;
        struct client_call call = { .a = r->a, .method = "POST", .url = arena_printf(r->a, "http://127.0.0.1:%u/named", server_port(r->server)),
                                    .body = slice_of(bodies[i]), .done = count, .arg = &status };
        client_send(r->out, &call);
        UNTIL(r, status != 0);
        CHECK_ROW(i, status == (i ? 403 : 200));
    }
    CHECK_INT(r->n_seen, 0);
    rig_free(r);
}

TEST(only_known_conversations_go_on_and_nothing_of_the_others_is_stored)
{
    struct connector type;
    struct rig *r = named_rig(&type).r;
    CHECK_INT(rig_hook(r, "/named", "known U1 secret-talk"), 200);
    rig_turn(r, 100);
    CHECK_INT(r->n_seen, 0);
    CHECK(!rig_on_disk(r, "secret-talk"));
    CHECK_INT(rig_hook(r, "/named", "any U1 hello"), 200);
    UNTIL(r, rig_seen(r, "hello") == 1);
    CHECK_INT(rig_hook(r, "/named", "known U1 again"), 200);
    UNTIL(r, rig_seen(r, "again") == 1);
    CHECK_INT(rig_hook(r, "/named", "known U2 other"), 200);
    rig_turn(r, 100);
    CHECK_INT(rig_seen(r, "other"), 0);
    rig_free(r);
}
