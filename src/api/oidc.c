#include "api/oidc.h"
#include "api/audit.h"
#include "api/call.h"
#include "api/logins.h"
#include "api/session.h"
#include "hub/config.h"
#include "net/client.h"
#include "wire/base64.h"
#include "wire/crypto.h"
#include "wire/hex.h"
#include "wire/jwks.h"
#include "wire/url.h"

#define CALLBACK "/api/v1/auth/oidc/callback"
#define BOUND "dragoman-oidc" /* the cookie that binds a state to its browser */
enum { KEEP_MS = 3600000, SECRET_BYTES = 32, ANSWER_BYTES = 512 << 10, LEEWAY_MS = 60000, NEXT_MAX = 500, SUB_MAX = 255 };

struct waiting { /* who was sent to the provider */
    struct waiting *next;
    char state[SECRET_BYTES * 2 + 1], verifier[SECRET_BYTES * 2 + 1], nonce[SECRET_BYTES * 2 + 1], bound[SECRET_BYTES * 2 + 1];
    int64_t until_ms;
    uint64_t from;  /* hash of the address */
    size_t as_many; /* are from there, when room is made */
    char path[NEXT_MAX + 1];
};
struct oidc {
    struct api *api;
    struct waiting *waiting;
    size_t n;
    struct arena *a; /* of what the provider says of itself */
    slice issuer, authorize, token, keys_url;
    int64_t known_ms;
    struct jwks *keys;
};

static slice set(const struct oidc *o, enum config_id id)
{
    return o->api->hub->config ? config_text(o->api->hub->config, id) : SLICE_NONE;
}

struct oidc *oidc_new(struct api *api)
{
    struct oidc *o = must_calloc(1, sizeof(*o));
    o->api = api;
    return o;
}

static void drop(struct oidc *o, struct waiting **at)
{
    struct waiting *w = *at;
    *at = w->next;
    bytes_wipe(w, sizeof(*w));
    free(w);
    o->n--;
}

void oidc_free(struct oidc *o)
{
    if (!o)
        return;
    while (o->waiting)
        drop(o, &o->waiting);
    jwks_free(o->keys);
    arena_free(o->a);
    free(o);
}

bool oidc_next_ok(slice path)
{
    for (size_t i = 0; i < path.n; i++)
        if (path.p[i] <= ' ' || path.p[i] > '~' || path.p[i] == '\\')
            return false;
    return path.n > 0 && path.n <= NEXT_MAX && path.p[0] == '/' && !slice_starts(path, SL("//"));
}

bool oidc_role(slice list, const struct js *claim, int *ret)
{
    int best = ROLE_NONE;
    while (list.p) {
        slice role = slice_trim(slice_cut(&list, ',')), group = slice_trim(slice_cut(&role, '='));
        enum role r;
        bool has = js_is_string(claim) && slice_eq(js_text(claim), group);
        for (size_t i = 0; i < js_len(claim) && js_is_array(claim); i++)
            has |= slice_eq(js_text(js_item(claim, i)), group);
        if (group.n && has && role_of(slice_trim(role), &r))
            best = MAX(best, (int)r);
    }
    *ret = best;
    return best != ROLE_NONE;
}

/* ---- asking the provider ------------------------------------------------------------------------------------------------------------------- */

struct asking {
    struct api_call *c;
    struct oidc *o;
    struct client_call call;
    struct header headers[3];
    void (*then)(struct asking *as);
    slice next, code, verifier, nonce, id_token;
    bool keys_new;
};

static void failed(struct asking *as, const char *what)
{
    struct log_line *l = log_begin(as->c->hub->log, LEVEL_ERROR, "OpenID Connect: %s", what);
    log_str(l, "issuer", set(as->o, CFG_OIDC_ISSUER));
    log_end(l);
    api_problem(as->c, 502, "unavailable", NULL, "the provider that logs people in: %s", what);
}

static void ask(struct asking *as, const char *method, slice url, slice body, void (*done)(void *arg, const struct answer *r))
{
    as->call = (struct client_call){ .a = as->c->a, .method = method, .url = url, .body = body, .headers = as->headers, .answer_bytes = ANSWER_BYTES, .done = done, .arg = as };
    as->headers[as->call.n_headers++] = (struct header){ SL("Accept"), SL("application/json") };
    if (body.n)
        as->headers[as->call.n_headers++] = (struct header){ SL("Content-Type"), SL("application/x-www-form-urlencoded") };
    client_send(as->c->hub->client, &as->call);
}

static bool is_json(struct asking *as, const struct answer *r, const char *what, const struct js **ret)
{
    *ret = r->status == 200 ? js_parse(as->c->a, arena_dup(as->c->a, r->body), NULL) : NULL;
    if (as->o->api->stopped || !as->c->hub->client)
        api_not_stored(as->c, NULL);
    else if (!js_is_object(*ret))
        failed(as, what);
    else
        return true;
    return false;
}

static void described(void *arg, const struct answer *r)
{
    struct asking *as = arg;
    struct oidc *o = as->o;
    const struct js *doc;
    if (!is_json(as, r, "it does not describe itself", &doc))
        return;
    struct arena *a = arena_new();
    slice issuer = js_text(js_get(doc, SL("issuer"))), authorize = js_text(js_get(doc, SL("authorization_endpoint")));
    slice token = js_text(js_get(doc, SL("token_endpoint"))), keys = js_text(js_get(doc, SL("jwks_uri")));
    slice mine = set(o, CFG_OIDC_ISSUER);
    while (slice_ends(mine, SL("/")) && !slice_ends(issuer, SL("/")))
        mine = slice_sub(mine, 0, mine.n - 1);
    if (!slice_eq(issuer, mine) || !authorize.n || !token.n || !keys.n) {
        arena_free(a);
        failed(as, "what it says of itself is not complete, or it calls itself otherwise");
        return;
    }
    arena_free(o->a);
    o->a = a;
    o->issuer = arena_dup(a, issuer);
    o->authorize = arena_dup(a, authorize);
    o->token = arena_dup(a, token);
    o->keys_url = arena_dup(a, keys);
    o->known_ms = time_mono_ms();
    as->then(as);
}

static void with_provider(struct asking *as, void (*then)(struct asking *as))
{
    struct oidc *o = as->o;
    as->then = then;
    if (o->a && time_mono_ms() - o->known_ms < KEEP_MS) {
        then(as);
        return;
    }
    slice issuer = set(o, CFG_OIDC_ISSUER);
    while (slice_ends(issuer, SL("/")))
        issuer = slice_sub(issuer, 0, issuer.n - 1);
    ask(as, "GET", arena_join(as->c->a, issuer, SL("/.well-known/openid-configuration"), SLICE_NONE), SLICE_NONE, described);
}

static bool is_set_up(const struct oidc *o)
{
    return set(o, CFG_OIDC_ISSUER).n && set(o, CFG_OIDC_CLIENT).n;
}

void api_oidc_ways(struct api_call *c)
{
    struct jw w = api_json(c);
    jw_bool(&w, "provider", is_set_up(c->api->oidc));
    jw_bool(&w, "logged_in", c->role != ROLE_NONE);
    api_answer(c, &w);
}

/* NULL: answered. */
static struct asking *asking_new(struct api_call *c)
{
    struct oidc *o = c->api->oidc;
    if (!is_set_up(o)) {
        api_problem(c, 404, "not_found", NULL, "logging in at a provider is not set up here (oidc.issuer)");
        return NULL;
    }
    struct asking *as = ARENA_NEW(c->a, struct asking);
    *as = (struct asking){ .c = c, .o = o };
    return as;
}

/* ---- there ------------------------------------------------------------------------------------------------------------------------------------ */

static void secret_text(char to[SECRET_BYTES * 2 + 1])
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    uint8_t bytes[SECRET_BYTES];
    random_bytes(bytes, sizeof(bytes));
    slice hex = hex_encode(a, slice_mem(bytes, sizeof(bytes)));
    memcpy(to, hex.p, SECRET_BYTES * 2);
    to[SECRET_BYTES * 2] = 0;
}

static int by_address(const void *x, const void *y)
{
    const struct waiting *const *v = x, *const *w = y;
    return (*v)->from < (*w)->from ? -1 : (*v)->from > (*w)->from;
}

/* The list is newest first: of two that are as good the one behind came before. Anybody may ask for this, and often: it takes one sort. */
static struct waiting **oldest_of_most(struct oidc *o)
{
    struct waiting *all[OIDC_WAITING_MAX], **found = NULL;
    size_t n = 0, most = 0;
    for (struct waiting *w = o->waiting; w; w = w->next)
        all[n++] = w;
    qsort(all, n, sizeof(all[0]), by_address);
    for (size_t i = 0, same; i < n; i += same) {
        for (same = 1; i + same < n && all[i + same]->from == all[i]->from;)
            same++;
        for (size_t k = i; k < i + same; k++)
            all[k]->as_many = same;
    }
    for (struct waiting **at = &o->waiting; *at; at = &(*at)->next) {
        if ((*at)->as_many < most)
            continue;
        most = (*at)->as_many;
        found = at;
    }
    return found;
}

static void forget_old(struct oidc *o)
{
    int64_t now_ms = time_mono_ms();
    for (struct waiting **at = &o->waiting; *at;) {
        if (now_ms >= (*at)->until_ms)
            drop(o, at);
        else
            at = &(*at)->next;
    }
    while (o->n >= OIDC_WAITING_MAX) /* the address that sends most makes room, so that nobody can push the others out */
        drop(o, oldest_of_most(o));
}

static void redirect(struct api_call *c, slice to)
{
    api_header(c, "Location", to);
    api_header(c, "Cache-Control", SL("no-store"));
    exchange_answer(c->x, &(struct response){ .status = 302, .headers = c->headers, .n_headers = c->n_headers });
}

static slice callback_url(const struct api_call *c)
{
    return arena_join(c->a, api_root(c->api), SL(CALLBACK), SLICE_NONE);
}

static void bind_browser(struct api_call *c, slice value, int64_t seconds)
{
    bool secure = slice_starts(api_root(c->api), SL("https://"));
    api_header(c, "Set-Cookie", arena_printf(c->a, BOUND "=" SLF "; Path=" CALLBACK "; Max-Age=%lld; HttpOnly; SameSite=Lax%s", SLA(value), (long long)seconds,
                                             secure ? "; Secure" : ""));
}

static void send_there(struct asking *as)
{
    struct api_call *c = as->c;
    struct oidc *o = as->o;
    forget_old(o);
    struct waiting *w = must_calloc(1, sizeof(*w));
    secret_text(w->state);
    secret_text(w->verifier);
    secret_text(w->nonce);
    secret_text(w->bound);
    w->until_ms = time_mono_ms() + OIDC_WAIT_MS;
    w->from = slice_hash(api_network(c->a, c->address));
    memcpy(w->path, as->next.p, as->next.n);
    w->next = o->waiting;
    o->waiting = w;
    o->n++;
    struct sha256 sum = sha256(slice_of(w->verifier));
    struct text url = text_new(c->a, URL_BYTES_MAX);
    struct text query = text_new(c->a, URL_BYTES_MAX);
    query_add(&query, SL("response_type"), SL("code"));
    query_add(&query, SL("client_id"), set(o, CFG_OIDC_CLIENT));
    query_add(&query, SL("redirect_uri"), callback_url(c));
    query_add(&query, SL("scope"), SL("openid profile email"));
    query_add(&query, SL("state"), slice_of(w->state));
    query_add(&query, SL("nonce"), slice_of(w->nonce));
    query_add(&query, SL("code_challenge"), base64url_encode(c->a, slice_mem(sum.b, sizeof(sum.b))));
    query_add(&query, SL("code_challenge_method"), SL("S256"));
    text_put(&url, o->authorize);
    text_char(&url, slice_find_char(o->authorize, '?') == SIZE_MAX ? '?' : '&');
    text_put(&url, text_slice(&query));
    bind_browser(c, slice_of(w->bound), OIDC_WAIT_MS / 1000);
    redirect(c, text_slice(&url));
}

void api_oidc_start(struct api_call *c)
{
    slice next = slice_or(api_query(c, "next"), SL("/ux/conv"));
    struct asking *as = asking_new(c);
    if (!as)
        return;
    if (!oidc_next_ok(next)) {
        api_problem(c, 400, "invalid", "next", "must be a path of this hub");
        return;
    }
    as->next = next;
    with_provider(as, send_there);
}

/* ---- and back ------------------------------------------------------------------------------------------------------------------------------- */

static slice cookie(const struct api_call *c, slice name)
{
    slice rest = exchange_header(c->x, "Cookie");
    while (rest.p) {
        slice value = slice_trim(slice_cut(&rest, ';'));
        if (slice_eq(slice_cut(&value, '='), name))
            return value;
    }
    return SLICE_NONE;
}

struct arriving {
    struct asking *as;
    slice user, token;
    int64_t until_ms;
};

static void begun(void *arg, const struct fault *f)
{
    struct arriving *ar = arg;
    struct api_call *c = ar->as->c;
    if (f) {
        api_not_stored(c, f);
        return;
    }
    bind_browser(c, SL(""), 0);
    api_session_cookie(c, ar->token, MAX((ar->until_ms - time_now_ms()) / 1000, 0));
    redirect(c, ar->as->next);
}

static void user_stored(void *arg, const struct fault *f)
{
    struct arriving *ar = arg;
    struct api_call *c = ar->as->c;
    if (f || c->api->stopped) {
        api_not_stored(c, f);
        return;
    }
    ar->until_ms = time_now_ms() + c->api->setup.session_ms;
    ar->token = session_begin(c->api->sessions, c->a, ar->user, begun, ar);
}

static slice user_of(struct arena *a, const struct js *claims, slice sub)
{
    slice names[] = { js_text(js_get(claims, SL("preferred_username"))), js_text(js_get(claims, SL("email"))), sub };
    for (size_t i = 0; i < COUNT(names); i++)
        if (login_user_ok(names[i]))
            return names[i];
    struct sha256 sum = sha256(sub);
    return arena_printf(a, "oidc-" SLF, SLA(slice_sub(hex_encode(a, slice_mem(sum.b, sizeof(sum.b))), 0, 16)));
}

/* What we keep of a user, with what the provider says of the person. */
static slice profile_of(struct arena *a, const struct login *l, const struct js *claims, slice sub)
{
    const struct js *old = l && l->profile.n ? js_parse(a, l->profile, NULL) : NULL;
    slice name = utf8_cut(js_text(js_get(claims, SL("name"))), 50), email = utf8_cut_bytes(js_text(js_get(claims, SL("email"))), 200);
    struct jw w = jw_new(a, LOGIN_PROFILE_MAX);
    jw_open(&w, NULL, '{');
    for (void *it = old ? js_first(old) : NULL; it; it = js_next(old, it)) {
        slice key = js_key(old, it);
        if (slice_eq(key, SL("oidc")) || (slice_eq(key, SL("display_name")) && name.n) || (slice_eq(key, SL("email")) && email.n))
            continue;
        jw_key(&w, key);
        jw_value(&w, NULL, js_value(it));
    }
    jw_opt(&w, "display_name", name);
    jw_opt(&w, "email", email);
    jw_str(&w, "oidc", sub);
    jw_close(&w, '}');
    return jw_done(&w);
}

static void let_in(struct asking *as, const struct js *claims)
{
    struct api_call *c = as->c;
    struct oidc *o = as->o;
    slice sub = js_text(js_get(claims, SL("sub"))), claim_name = set(o, CFG_OIDC_ROLE_CLAIM);
    const struct js *claim = js_get(claims, claim_name);
    int role;
    claim = claim ? claim : js_at(claims, arena_cstr(c->a, claim_name));
    if (!sub.n || sub.n > SUB_MAX) {
        failed(as, "its token says not who it is about");
        return;
    }
    if (!oidc_role(set(o, CFG_OIDC_ROLES), claim, &role)) {
        api_problem(c, 403, "forbidden", NULL, "the provider knows you, but you have no role here (oidc.roles)");
        return;
    }
    struct arriving *ar = ARENA_NEW(c->a, struct arriving);
    *ar = (struct arriving){ .as = as, .user = user_of(c->a, claims, sub) };
    const struct login *l = login_find(c->api->logins, ar->user);
    if (l && (!slice_eq(slice_of(l->hash), SL(LOGIN_NO_PASSWORD)) || (l->is.oidc.n && !slice_eq(l->is.oidc, sub)))) {
        api_problem(c, 409, "conflict", NULL, "\"" SLF "\" is somebody else here", SLA(ar->user));
        return;
    }
    if (!l && logins_count(c->api->logins) >= LOGINS_MAX) {
        api_problem(c, 409, "conflict", NULL, "there are %d users, and more are not kept", LOGINS_MAX);
        return;
    }
    if (l && l->role == ROLE_ADMINISTRATOR && role != ROLE_ADMINISTRATOR && logins_administrators(c->api->logins) == 1)
        role = ROLE_ADMINISTRATOR; /* somebody must be able to administer the hub */
    slice profile = profile_of(c->a, l, claims, sub);
    if (l && l->role == (enum role)role && slice_eq(profile, l->profile)) {
        user_stored(ar, NULL);
        return;
    }
    if (l && l->role != (enum role)role)
        sessions_end(c->api->sessions, ar->user);
    audit_by(c->api, ar->user, c->address, l ? "user.change" : "user.create", ar->user, SL("{\"oidc\":true}"));
    login_put_profile(c->api->logins, ar->user, (enum role)role, SL(LOGIN_NO_PASSWORD), profile, user_stored, ar);
}

static void verify(struct asking *as);

static void keys_came(void *arg, const struct answer *r)
{
    struct asking *as = arg;
    const struct js *doc;
    struct fault f;
    if (!is_json(as, r, "its keys cannot be read", &doc))
        return;
    struct jwks *keys = jwks_parse(r->body, &f);
    if (!keys) {
        failed(as, "its keys cannot be read");
        return;
    }
    jwks_free(as->o->keys);
    as->o->keys = keys;
    as->keys_new = true;
    verify(as);
}

static void verify(struct asking *as)
{
    struct api_call *c = as->c;
    struct oidc *o = as->o;
    struct fault f = { 0 };
    const struct jwk *key = o->keys ? jwks_find(o->keys, jwt_kid(c->a, as->id_token)) : NULL;
    if (!key && !as->keys_new) { /* not fetched yet, or a new one */
        ask(as, "GET", o->keys_url, SLICE_NONE, keys_came);
        return;
    }
    struct jwt_rules rules = { .now_ms = time_now_ms(), .leeway_ms = LEEWAY_MS, .iss = o->issuer, .aud = set(o, CFG_OIDC_CLIENT) };
    const struct js *claims = key ? jwt_verify(c->a, key->key, as->id_token, &rules, &f) : NULL;
    if (!claims || !bytes_equal_secret(js_text(js_get(claims, SL("nonce"))), as->nonce))
        api_problem(c, 403, "wrong_credentials", NULL, "the provider's token does not hold%s%s", f.code ? ": " : "", f.code ? f.text : "");
    else
        let_in(as, claims);
}

static void token_came(void *arg, const struct answer *r)
{
    struct asking *as = arg;
    const struct js *doc;
    if (r->status == 400 || r->status == 401) {
        failed(as, "it refused the code, or our client_secret");
        return;
    }
    if (!is_json(as, r, "it gave no token", &doc))
        return;
    as->id_token = js_text(js_get(doc, SL("id_token")));
    if (as->id_token.n)
        verify(as);
    else
        failed(as, "it gave no id_token");
}

static void change_code(struct asking *as)
{
    struct api_call *c = as->c;
    struct oidc *o = as->o;
    slice secret = set(o, CFG_OIDC_SECRET);
    struct text body = text_new(c->a, URL_BYTES_MAX);
    form_add(&body, SL("grant_type"), SL("authorization_code"));
    form_add(&body, SL("code"), as->code);
    form_add(&body, SL("redirect_uri"), callback_url(c));
    form_add(&body, SL("client_id"), set(o, CFG_OIDC_CLIENT));
    form_add(&body, SL("code_verifier"), as->verifier);
    if (secret.n)
        form_add(&body, SL("client_secret"), secret);
    ask(as, "POST", o->token, text_slice(&body), token_came);
}

/* The state is good once, in the browser that it was made for. */
static bool take_waiting(struct asking *as, slice state)
{
    struct oidc *o = as->o;
    struct arena *a = as->c->a;
    forget_old(o);
    for (struct waiting **at = &o->waiting; *at; at = &(*at)->next) {
        struct waiting *w = *at;
        if (!bytes_equal_secret(slice_of(w->state), state))
            continue;
        bool here = bytes_equal_secret(slice_of(w->bound), cookie(as->c, SL(BOUND)));
        as->next = arena_dup(a, slice_of(w->path));
        as->verifier = arena_dup(a, slice_of(w->verifier));
        as->nonce = arena_dup(a, slice_of(w->nonce));
        drop(o, at);
        return here;
    }
    return false;
}

void api_oidc_callback(struct api_call *c)
{
    struct asking *as = asking_new(c);
    if (!as)
        return;
    as->code = api_query(c, "code");
    if (!take_waiting(as, api_query(c, "state")))
        api_problem(c, 403, "forgery", "state", "nobody of this browser was sent to log in, or it was too long ago: begin again");
    else if (!as->code.n)
        api_problem(c, 403, "wrong_credentials", NULL, "the provider did not let you in");
    else
        with_provider(as, change_code);
}
