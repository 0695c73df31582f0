/* slack_oauth.c - the log-in: sections "Installing", "Tokens". GET /oauth/v2/authorize shows who could let the app in; with &choose=T… (or the organisation's id, or
 * "nobody") it goes straight back, as after a tap there. */
#include "sim/shelf.h"
#include "sim/sign.h"
#include "sim/slack.h"
#include "wire/url.h"

struct code {
    struct ssk_space *space;
    bool whole;
    char redirect[2048], scopes[2048];
};

/* ---- tokens ---------------------------------------------------------------------------------------------------------------------- */

slice ssk_install(struct ssk *s, struct ssk_space *space, bool whole, slice scopes, struct arena *a)
{
    struct sim_random *rnd = &s->env->random;
    slice token = arena_printf(a, "%s" SLF, s->rotation ? "xoxe.xoxb-1-" : "xoxb-", SLA(sim_random_hex(rnd, a, 32)));
    ssk_set(&space->token, token);
    ssk_set(&space->refresh, s->rotation ? arena_printf(a, "xoxe-1-" SLF, SLA(sim_random_hex(rnd, a, 32))) : SLICE_NONE);
    if (scopes.p)
        ssk_set(&space->scopes, scopes);
    space->until_ms = s->rotation ? time_now_ms() + s->token_life_s * 1000 : 0;
    space->whole = whole;
    struct jw w = jw_new(a, 16384);
    jw_open(&w, NULL, '{');
    jw_str(&w, "access_token", token);
    jw_str(&w, "token_type", SL("bot"));
    jw_str(&w, "scope", slice_of(space->scopes ? space->scopes : ""));
    jw_str(&w, "bot_user_id", slice_of(space->bot_user));
    jw_str(&w, "app_id", s->app);
    if (whole)
        jw_null(&w, "team");
    else
        jw_raw(&w, "team", arena_printf(a, "{\"id\":\"%s\",\"name\":\"%s\"}", space->id, space->name));
    if (space->in_organisation)
        jw_raw(&w, "enterprise", SL("{\"id\":\"" SSK_ENTERPRISE "\",\"name\":\"" SSK_ENTERPRISE_NAME "\"}"));
    else
        jw_null(&w, "enterprise");
    jw_raw(&w, "authed_user", SL("{\"id\":\"U0ADMIN01\"}"));
    jw_bool(&w, "is_enterprise_install", whole);
    if (s->rotation) {
        jw_str(&w, "refresh_token", slice_of(space->refresh));
        jw_int(&w, "expires_in", s->token_life_s);
    }
    return slice_from(jw_done(&w), 1);
}

/* A used refresh token: somebody has stolen it, or two processes use it. */
static bool is_spent(const struct ssk *s, slice token)
{
    for (size_t i = 0; i < COUNT(s->spent); i++)
        if (s->spent[i] && slice_eq(slice_of(s->spent[i]), token))
            return true;
    return false;
}

static void refresh(struct ssk_call *q)
{
    struct ssk *s = q->s;
    slice token = ssk_param(q, "refresh_token");
    if (is_spent(s, token)) {
        s->misused++;
        ssk_error(q, "invalid_refresh_token");
        return;
    }
    for (size_t i = 0; i < SSK_WORKSPACES; i++) {
        struct ssk_space *space = &s->spaces[i];
        if (!space->refresh || !slice_eq(token, slice_of(space->refresh)))
            continue;
        s->rotations++;
        ssk_set(&s->spent[s->n_spent++ % COUNT(s->spent)], token);
        ssk_ok(q, ssk_install(s, space, space->whole, SLICE_NONE, q->a));
        return;
    }
    s->misused++;
    ssk_error(q, "invalid_refresh_token");
}

static bool client_ok(struct ssk_call *q)
{
    slice header = exchange_header(q->c->x, "authorization"), id = ssk_param(q, "client_id"), secret = ssk_param(q, "client_secret");
    if (slice_starts(header, SL("Basic "))) {
        secret = sign_unbase64(q->a, slice_from(header, 6));
        id = slice_cut(&secret, ':');
    }
    if (!slice_eq(id, q->s->client_id)) {
        ssk_error(q, "invalid_client_id");
        return false;
    }
    if (!slice_eq(secret, q->s->client_secret)) {
        ssk_error(q, "bad_client_secret");
        return false;
    }
    return true;
}

static void access_token(struct sim_call *c, void *ctx)
{
    struct ssk *s = ctx;
    struct ssk_call q = { .s = s, .c = c, .a = c->x->a, .form = c->x->body };
    s->calls++;
    if (!client_ok(&q))
        return;
    slice grant = ssk_param(&q, "grant_type"), code = ssk_param(&q, "code");
    if (slice_eq(grant, SL("refresh_token"))) {
        refresh(&q);
        return;
    }
    const struct code *known = shelf_get(s->codes, code);
    if (grant.n && !slice_eq(grant, SL("authorization_code"))) {
        ssk_error(&q, "invalid_grant_type");
    } else if (!known) {
        ssk_error(&q, "invalid_code");
    } else if (!slice_eq(ssk_param(&q, "redirect_uri"), slice_of(known->redirect))) {
        ssk_error(&q, "bad_redirect_uri");
    } else {
        struct code was = *known;
        shelf_remove(s->codes, code);
        ssk_ok(&q, ssk_install(s, was.space, was.whole, slice_of(was.scopes), q.a));
    }
}

/* ---- the page -------------------------------------------------------------------------------------------------------------------------- */

static void go_back(struct sim_call *c, slice redirect, slice state, const char *key, slice value)
{
    struct text query = text_new(c->x->a, URL_BYTES_MAX);
    query_add(&query, slice_of(key), value);
    query_add(&query, SL("state"), state);
    sim_header(c, "Location", arena_printf(c->x->a, SLF "?" SLF, SLA(redirect), SLA(text_slice(&query))));
    sim_answer(c, 302, SLICE_NONE, SLICE_NONE);
}

static void give_code(struct sim_call *c, struct ssk *s, struct ssk_space *space, bool whole, slice redirect, slice state)
{
    slice code = sim_random_hex(&s->env->random, c->x->a, 40);
    struct code *k = must_calloc(1, sizeof(*k));
    k->space = space;
    k->whole = whole;
    snprintf(k->redirect, sizeof(k->redirect), SLF, SLA(redirect));
    snprintf(k->scopes, sizeof(k->scopes), SLF, SLA(exchange_query(c->x, "scope")));
    shelf_put(s->codes, code, k, time_mono_ms());
    go_back(c, redirect, state, "code", code);
}

static void put_choice(struct text *t, struct sim_call *c, slice id, const char *label)
{
    text_add(t, "<p><a data-testid=\"choose-" SLF "\" href=\"/oauth/v2/authorize?", SLA(id));
    slice query = c->x->query;
    for (size_t i = 0; i < query.n; i++) /* our own address again: what could end the attribute is escaped in it */
        if (query.p[i] == '&')
            text_put(t, SL("&amp;"));
        else if (query.p[i] != '"' && query.p[i] != '<')
            text_char(t, query.p[i]);
    text_add(t, "&amp;choose=" SLF "\">%s</a></p>", SLA(id), label);
}

static void authorize(struct sim_call *c, void *ctx)
{
    struct ssk *s = ctx;
    struct arena *a = c->x->a;
    slice redirect = exchange_query(c->x, "redirect_uri"), state = exchange_query(c->x, "state"), choose = exchange_query(c->x, "choose");
    if (!slice_eq(exchange_query(c->x, "client_id"), s->client_id) || !redirect.n || !exchange_query(c->x, "scope").n) {
        sim_answer(c, 400, SL("text/html"), SL("<!doctype html><title>Slack</title><p>Something went wrong: invalid client_id, scope or redirect_uri</p>"));
        return;
    }
    if (slice_eq(choose, SL("nobody"))) {
        go_back(c, redirect, state, "error", SL("access_denied"));
        return;
    }
    if (slice_eq(choose, SL(SSK_ENTERPRISE))) {
        give_code(c, s, &s->spaces[1], true, redirect, state);
        return;
    }
    for (size_t i = 0; i < SSK_WORKSPACES; i++)
        if (slice_eq(choose, slice_of(s->spaces[i].id))) {
            give_code(c, s, &s->spaces[i], false, redirect, state);
            return;
        }
    enum { PAGE_BYTES = 65536 };
    struct text t = text_new(a, PAGE_BYTES);
    text_put(&t, SL("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Slack simulator: let the app in</title><link rel=\"icon\" href=\"data:,\"><main><h1>The app asks to be let in</h1>"));
    for (size_t i = 0; i < SSK_WORKSPACES; i++)
        put_choice(&t, c, slice_of(s->spaces[i].id), s->spaces[i].name);
    put_choice(&t, c, SL(SSK_ENTERPRISE), "The whole organisation " SSK_ENTERPRISE_NAME);
    put_choice(&t, c, SL("nobody"), "Cancel");
    text_put(&t, SL("</main></html>"));
    sim_answer(c, 200, SL("text/html; charset=utf-8"), text_slice(&t));
}

static const struct sim_route routes[] = {
    { "POST", "/api/oauth.v2.access", access_token, 0 },
    { "GET", "/oauth/v2/authorize", authorize, 0 },
};

void ssk_oauth_routes(struct ssk *s)
{
    sim_routes(s->env, routes, COUNT(routes), s, NULL);
}
