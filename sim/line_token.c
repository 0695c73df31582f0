/* line_token.c - channel access tokens of four kinds: section "Channel access tokens". */
#include "sim/line.h"
#include "sim/sign.h"

enum token_kind { TOKEN_STATELESS, TOKEN_SHORT, TOKEN_JWT, TOKEN_LONG };
enum {
    STATELESS_S = 900,
    SHORT_S = 30 * 24 * 3600,
    JWT_LONGEST_S = 30 * 24 * 3600,
    ASSERTION_LONGEST_S = 30 * 60,
    CLOCK_SKEW_S = 60,
    SHORT_TOKENS_MAX = 30, /* of one channel; the oldest gives way */
    TOKENS_MAX = 100000,
};

struct line_token {
    enum token_kind kind;
    int64_t ends_ms, made; /* wall clock; in the order they were made */
    char text[400], key_id[48];
    bool revoked;
};

struct form { /* of one request */
    slice grant_type, client_id, client_secret, assertion, assertion_type, access_token;
};

static int64_t now_ms(void)
{
    return time_now_ms();
}

static void oauth_error(struct line_call *q, int status, const char *error, const char *why)
{
    struct jw w = jw_new(q->a, 4096);
    jw_open(&w, NULL, '{');
    jw_str(&w, "error", slice_of(error));
    jw_str(&w, "error_description", slice_of(why));
    jw_close(&w, '}');
    line_answer(q, status, jw_done(&w));
}

/* application/x-www-form-urlencoded; the exchange's query reader does the decoding. */
static slice form_value(const struct sim_call *c, const char *name)
{
    struct exchange fake = { .a = c->x->a, .query = c->x->body };
    return exchange_query(&fake, name);
}

static bool read_form(struct line_call *q, struct form *f)
{
    slice type = exchange_header(q->c->x, "Content-Type");
    if (!slice_starts(type, SL("application/x-www-form-urlencoded"))) {
        oauth_error(q, 400, "invalid_request", "some parameters missed or invalid");
        return false;
    }
    *f = (struct form){
        .grant_type = form_value(q->c, "grant_type"),
        .client_id = form_value(q->c, "client_id"),
        .client_secret = form_value(q->c, "client_secret"),
        .assertion = form_value(q->c, "client_assertion"),
        .assertion_type = form_value(q->c, "client_assertion_type"),
        .access_token = form_value(q->c, "access_token"),
    };
    return true;
}

static bool client_ok(struct line_call *q, const struct form *f)
{
    if (!f->client_id.n || !f->client_secret.n)
        oauth_error(q, 400, "invalid_request", "some parameters missed or invalid");
    else if (!slice_eq(f->client_id, q->line->channel_id))
        oauth_error(q, 400, "invalid_request", "invalid client_id");
    else if (!bytes_equal_secret(f->client_secret, q->line->channel_secret))
        oauth_error(q, 400, "invalid_request", "invalid client_secret");
    else
        return true;
    return false;
}

/* Header and payload of a JWT, its signature checked under the registered key it names. */
static const struct js *assertion_payload(struct line_call *q, slice jwt, const char **why)
{
    struct line *l = q->line;
    slice rest = jwt, head64 = slice_cut(&rest, '.'), body64 = slice_cut(&rest, '.');
    slice head = sign_unbase64(q->a, head64), body = sign_unbase64(q->a, body64), sig = sign_unbase64(q->a, rest);
    struct fault f;
    const struct js *h = head.n ? js_parse(q->a, head, &f) : NULL, *p = body.n ? js_parse(q->a, body, &f) : NULL;
    *why = "Invalid client assertion";
    if (!h || !p || !sig.n || !slice_eq(js_text(js_at(h, "alg")), SL("RS256")))
        return NULL;
    const char *pem = shelf_get(l->keys, js_text(js_at(h, "kid")));
    *why = "Invalid kid";
    if (!pem)
        return NULL;
    *why = "Invalid client assertion signature";
    if (!sign_rs256_ok(slice_of(pem), slice_sub(jwt, 0, head64.n + 1 + body64.n), sig))
        return NULL;
    return p;
}

static bool assertion_ok(struct line_call *q, const struct form *f, bool need_life, int64_t *ret_life_s)
{
    const char *why = NULL;
    if (!slice_eq(f->assertion_type, SL("urn:ietf:params:oauth:client-assertion-type:jwt-bearer"))) {
        oauth_error(q, 400, "invalid_request", "some parameters missed or invalid");
        return false;
    }
    const struct js *p = assertion_payload(q, f->assertion, &why);
    int64_t exp = 0, life = STATELESS_S, now_s = now_ms() / 1000;
    if (p) {
        if (!slice_eq(js_text(js_at(p, "iss")), q->line->channel_id) || !slice_eq(js_text(js_at(p, "sub")), q->line->channel_id))
            why = "Invalid iss or sub";
        else if (!slice_eq(js_text(js_at(p, "aud")), SL("https://api.line.me/")))
            why = "Invalid aud";
        else if (!js_int(js_at(p, "exp"), &exp) || exp <= now_s || exp > now_s + ASSERTION_LONGEST_S + CLOCK_SKEW_S)
            why = "Invalid exp";
        else if (need_life && (!js_int(js_at(p, "token_exp"), &life) || life <= 0 || life > JWT_LONGEST_S))
            why = "Invalid token_exp";
        else
            why = NULL;
    }
    if (why)
        oauth_error(q, 400, "invalid_client", why);
    *ret_life_s = life;
    return !why;
}

static void revoke_oldest_short(struct line *l);

static struct line_token *token_new(struct line *l, enum token_kind kind, int64_t life_s)
{
    static const size_t length[] = { [TOKEN_STATELESS] = 290, [TOKEN_SHORT] = 172, [TOKEN_JWT] = 172, [TOKEN_LONG] = 172 };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct line_token *t = must_calloc(1, sizeof(*t));
    t->kind = kind;
    t->made = (int64_t)++l->next_id;
    t->ends_ms = now_ms() + life_s * 1000;
    unsigned char raw[sizeof(t->text)];
    random_bytes(raw, sizeof(raw));
    slice text = sign_base64(a, slice_mem(raw, length[kind] * 3 / 4));
    snprintf(t->text, sizeof(t->text), SLF, SLA(slice_sub(text, 0, length[kind])));
    if (kind == TOKEN_JWT)
        snprintf(t->key_id, sizeof(t->key_id), SLF, SLA(sim_random_hex(&l->env->random, a, 22)));
    shelf_put(l->tokens, slice_of(t->text), t, now_ms());
    if (kind == TOKEN_SHORT)
        revoke_oldest_short(l);
    return t;
}

struct oldest {
    struct line_token *first;
    size_t live;
};

static void look_short(void *arg, void *thing)
{
    struct oldest *o = arg;
    struct line_token *t = thing;
    if (t->kind != TOKEN_SHORT || t->revoked || t->ends_ms <= now_ms())
        return;
    o->live++;
    if (!o->first)
        o->first = t;
}

static void revoke_oldest_short(struct line *l)
{
    struct oldest o = { 0 };
    shelf_each(l->tokens, look_short, &o);
    if (o.live > SHORT_TOKENS_MAX)
        o.first->revoked = true;
}

static void issue(struct line_call *q, enum token_kind kind, int64_t life_s)
{
    struct line_token *t = token_new(q->line, kind, life_s);
    struct jw w = jw_new(q->a, 4096);
    jw_open(&w, NULL, '{');
    jw_str(&w, "access_token", slice_of(t->text));
    jw_int(&w, "expires_in", kind == TOKEN_STATELESS ? life_s - 1 : life_s);
    jw_str(&w, "token_type", SL("Bearer"));
    jw_opt(&w, "key_id", slice_of(t->key_id));
    jw_close(&w, '}');
    line_answer(q, 200, jw_done(&w));
}

static struct line_token *live_token(const struct line *l, slice text)
{
    struct line_token *t = shelf_get(l->tokens, text);
    return t && !t->revoked && t->ends_ms > now_ms() ? t : NULL;
}

bool line_token_ok(struct line *l, slice bearer)
{
    return live_token(l, bearer) != NULL;
}

/* ---- routes ------------------------------------------------------------------------------------------------------------------------ */

static void post_stateless(struct sim_call *c, void *ctx)
{
    struct line_call q;
    struct form f;
    int64_t life;
    if (!line_enter(&q, c, ctx, LINE_NO_AUTH) || !read_form(&q, &f))
        return;
    if (!slice_eq(f.grant_type, SL("client_credentials")))
        oauth_error(&q, 400, "unsupported_grant_type", "grant_type must be client_credentials");
    else if (f.assertion.n ? assertion_ok(&q, &f, false, &life) : client_ok(&q, &f))
        issue(&q, TOKEN_STATELESS, STATELESS_S);
}

static void post_short(struct sim_call *c, void *ctx)
{
    struct line_call q;
    struct form f;
    if (!line_enter(&q, c, ctx, LINE_NO_AUTH) || !read_form(&q, &f))
        return;
    if (!slice_eq(f.grant_type, SL("client_credentials")))
        oauth_error(&q, 400, "unsupported_grant_type", "grant_type must be client_credentials");
    else if (client_ok(&q, &f))
        issue(&q, TOKEN_SHORT, SHORT_S);
}

static void post_jwt(struct sim_call *c, void *ctx)
{
    struct line_call q;
    struct form f;
    int64_t life;
    if (!line_enter(&q, c, ctx, LINE_NO_AUTH) || !read_form(&q, &f))
        return;
    if (!slice_eq(f.grant_type, SL("client_credentials")))
        oauth_error(&q, 400, "unsupported_grant_type", "grant_type must be client_credentials");
    else if (assertion_ok(&q, &f, true, &life))
        issue(&q, TOKEN_JWT, life);
}

static void list_kid(void *arg, void *thing)
{
    const struct line_token *t = thing;
    if (t->kind == TOKEN_JWT && !t->revoked && t->ends_ms > now_ms())
        jw_str(arg, NULL, slice_of(t->key_id));
}

static void get_kids(struct sim_call *c, void *ctx)
{
    struct line_call q;
    if (!line_enter(&q, c, ctx, LINE_NO_AUTH))
        return;
    struct form f = { .assertion = exchange_query(c->x, "client_assertion"),
                      .assertion_type = exchange_query(c->x, "client_assertion_type") };
    int64_t life;
    if (!assertion_ok(&q, &f, false, &life))
        return;
    struct jw w = jw_new(q.a, 64 << 10);
    jw_open(&w, NULL, '{');
    jw_open(&w, "kids", '[');
    shelf_each(q.line->tokens, list_kid, &w);
    jw_close(&w, ']');
    jw_close(&w, '}');
    line_answer(&q, 200, jw_done(&w));
}

static void verify(struct line_call *q, slice text, const char *error)
{
    const struct line_token *t = live_token(q->line, text);
    if (!t) {
        oauth_error(q, 400, error, "The access token expired");
        return;
    }
    struct jw w = jw_new(q->a, 4096);
    jw_open(&w, NULL, '{');
    jw_str(&w, "client_id", q->line->channel_id);
    jw_int(&w, "expires_in", (t->ends_ms - now_ms()) / 1000);
    jw_str(&w, "scope", SL("P CM"));
    jw_close(&w, '}');
    line_answer(q, 200, jw_done(&w));
}

static void get_verify(struct sim_call *c, void *ctx)
{
    struct line_call q;
    if (line_enter(&q, c, ctx, LINE_NO_AUTH))
        verify(&q, exchange_query(c->x, "access_token"), "invalid_request");
}

static void post_verify(struct sim_call *c, void *ctx)
{
    struct line_call q;
    struct form f;
    if (line_enter(&q, c, ctx, LINE_NO_AUTH) && read_form(&q, &f))
        verify(&q, f.access_token, "invalid_request");
}

/* Stateless tokens cannot be revoked: the call succeeds and changes nothing. */
static void revoke(struct line_call *q, slice text)
{
    struct line_token *t = shelf_get(q->line->tokens, text);
    if (t && t->kind != TOKEN_STATELESS)
        t->revoked = true;
    line_answer(q, 200, SLICE_NONE);
}

static void post_revoke(struct sim_call *c, void *ctx)
{
    struct line_call q;
    struct form f;
    if (line_enter(&q, c, ctx, LINE_NO_AUTH) && read_form(&q, &f))
        revoke(&q, f.access_token);
}

static void post_revoke_jwt(struct sim_call *c, void *ctx)
{
    struct line_call q;
    struct form f;
    if (line_enter(&q, c, ctx, LINE_NO_AUTH) && read_form(&q, &f) && client_ok(&q, &f))
        revoke(&q, f.access_token);
}

/* ---- what the console does: a long-lived token, a registered key ------------------------------------------------------------------ */

static void console_token(struct sim_call *c, void *ctx)
{
    struct line *l = ctx;
    const struct line_token *t = token_new(l, TOKEN_LONG, INT64_C(100) * 365 * 24 * 3600);
    struct jw w = jw_new(c->x->a, 4096);
    jw_open(&w, NULL, '{');
    jw_str(&w, "access_token", slice_of(t->text));
    jw_close(&w, '}');
    sim_json(c, 200, jw_done(&w));
}

static void console_key(struct sim_call *c, void *ctx)
{
    struct line *l = ctx;
    struct fault f = { 0 };
    const struct js *doc = js_parse(c->x->a, c->x->body, &f);
    slice pem = js_text(js_at(doc, "pem"));
    if (doc && !pem.n)
        pem = sign_rsa_pem(c->x->a, js_text(js_at(doc, "n")), js_text(js_at(doc, "e")));
    if (!pem.n) {
        if (!f.code)
            fault(&f, "missing_field", "n", "a public RSA key as a JWK, or {\"pem\":…}");
        sim_fault(c, 400, &f);
        return;
    }
    slice kid = sim_random_uuid(&l->env->random, c->x->a);
    char *kept = must_malloc(pem.n + 1);
    memcpy(kept, pem.p, pem.n);
    kept[pem.n] = 0;
    shelf_put(l->keys, kid, kept, 0);
    struct jw w = jw_new(c->x->a, 4096);
    jw_open(&w, NULL, '{');
    jw_str(&w, "kid", kid);
    jw_close(&w, '}');
    sim_json(c, 200, jw_done(&w));
}

static void expire_one(void *arg, void *thing)
{
    (void)arg;
    ((struct line_token *)thing)->ends_ms = 0;
}

static void expire_all(struct sim_call *c, void *ctx)
{
    struct line *l = ctx;
    shelf_each(l->tokens, expire_one, NULL);
    sim_json(c, 200, SL("{}"));
}

static const struct sim_route routes[] = {
    { "POST", "/oauth2/v3/token", post_stateless, 0 },
    { "POST", "/v2/oauth/accessToken", post_short, 0 },
    { "POST", "/oauth2/v2.1/token", post_jwt, 0 },
    { "GET", "/oauth2/v2.1/tokens/kid", get_kids, 0 },
    { "GET", "/oauth2/v2.1/verify", get_verify, 0 },
    { "POST", "/oauth2/v2.1/revoke", post_revoke_jwt, 0 },
    { "POST", "/v2/oauth/verify", post_verify, 0 },
    { "POST", "/v2/oauth/revoke", post_revoke, 0 },
    { "POST", "/sim/tokens", console_token, SIM_CONTROL },
    { "DELETE", "/sim/tokens", expire_all, SIM_CONTROL },
    { "POST", "/sim/keys", console_key, SIM_CONTROL },
};

void line_token_routes(struct line *l)
{
    l->tokens = shelf_new(TOKENS_MAX, 0, free);
    l->keys = shelf_new(100, 0, free);
    sim_routes(l->env, routes, COUNT(routes), l, NULL);
}
