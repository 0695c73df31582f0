/* auth.c - logging in and out. */
#include "api/attempts.h"
#include "api/audit.h"
#include "api/call.h"
#include "api/login_change.h"
#include "api/password.h"
#include "api/session.h"

struct logging {
    struct api_call *c;
    slice user, password;
    struct api_guess guess;
    bool cookie;
    slice token;
    int64_t until_ms;
};

struct api_guess api_guess(struct api_call *c, slice kind, slice name)
{
    bool local = slice_starts(c->address, SL("127.")) || slice_eq(c->address, SL("[::1]"));
    struct api_guess g = { .anywhere = arena_join(c->a, kind, SL(":"), name) };
    g.address = local && !c->api->setup.forwarded ? SLICE_NONE : arena_printf(c->a, "a:" SLF, SLA(api_network(c->a, c->address)));
    g.here = arena_join(c->a, g.address, SL(" "), g.anywhere);
    return g;
}

bool api_slow_down(struct api_call *c, const struct api_guess *g)
{
    struct attempts *t = c->api->attempts;
    int64_t now_ms = time_mono_ms(), wait_s = MAX(attempts_wait(t, g->here, now_ms), attempts_wait(t, g->address, now_ms));
    if (!attempts_known(t, g->here))
        wait_s = MAX(wait_s, attempts_wait(t, g->anywhere, now_ms));
    if (!wait_s)
        return false;
    api_header(c, "Retry-After", arena_printf(c->a, "%lld", (long long)wait_s));
    api_problem(c, 429, "too_many_attempts", NULL, "too many wrong passwords: try again in %lld s", (long long)wait_s);
    return true;
}

void api_guessed(struct api_call *c, const struct api_guess *g, bool right)
{
    struct attempts *t = c->api->attempts;
    int64_t now_ms = time_mono_ms();
    if (right) {
        attempts_passed(t, g->here, now_ms);
        return;
    }
    attempts_failed(t, g->here, ATTEMPTS_LOGIN, now_ms);
    attempts_failed(t, g->address, ATTEMPTS_ADDRESS, now_ms);
    attempts_failed(t, g->anywhere, ATTEMPTS_ANYWHERE, now_ms);
}

void api_busy(struct api_call *c)
{
    api_header(c, "Retry-After", SL("1"));
    api_problem(c, 503, "busy", NULL, "too many passwords are being checked; try again");
}

void api_session_cookie(struct api_call *c, slice token, int64_t seconds)
{
    bool secure = slice_starts(api_root(c->api), SL("https://"));
    api_header(c, "Set-Cookie", arena_printf(c->a, SESSION_COOKIE "=" SLF "; Path=/; Max-Age=%lld; HttpOnly; SameSite=Strict%s", SLA(token),
                                             (long long)seconds, secure ? "; Secure" : ""));
}

static void begun(void *arg, const struct fault *f)
{
    struct logging *lg = arg;
    struct api_call *c = lg->c;
    const struct login *login = f ? NULL : login_find(c->api->logins, lg->user);
    if (!login) {
        api_not_stored(c, f);
        return;
    }
    int64_t seconds = MAX((lg->until_ms - time_now_ms()) / 1000, 0);
    if (lg->cookie)
        api_session_cookie(c, lg->token, seconds);
    struct jw w = api_json(c);
    jw_str(&w, "type", SL("Bearer"));
    jw_str(&w, "token", lg->token);
    jw_int(&w, "expires_in", seconds);
    jw_str(&w, "user", lg->user);
    jw_str(&w, "role", slice_of(role_names[login->role]));
    api_answer(c, &w);
}

static slice hash_of_login(void *arg)
{
    const struct logging *lg = arg;
    const struct login *login = login_find(lg->c->api->logins, lg->user);
    return login ? slice_of(login->hash) : SLICE_NONE;
}

static void checked(void *arg, bool same)
{
    struct logging *lg = arg;
    struct api_call *c = lg->c;
    struct api *api = c->api;
    if (api->stopped) {
        api_not_stored(c, NULL);
        return;
    }
    if (api_slow_down(c, &lg->guess)) /* wrong ones that came at the same time: this one is not told, right or wrong */
        return;
    if (!same || !login_find(api->logins, lg->user)) {
        api_guessed(c, &lg->guess, false);
        struct log_line *l = log_begin(c->hub->log, LEVEL_WARN, "Log-in refused");
        log_str(l, "remote", c->address);
        log_end(l);
        api_problem(c, 401, "wrong_credentials", NULL, "there is no such user with this password");
        return;
    }
    api_guessed(c, &lg->guess, true);
    lg->until_ms = time_now_ms() + api->setup.session_ms;
    lg->token = session_begin(api->sessions, c->a, lg->user, begun, lg);
}

void api_auth_login(struct api_call *c)
{
    struct logging *lg = ARENA_NEW(c->a, struct logging);
    *lg = (struct logging){ .c = c, .user = js_text(js_get(c->body, SL("user"))), .password = js_text(js_get(c->body, SL("password"))),
                            .cookie = js_true(js_get(c->body, SL("cookie"))) };
    lg->guess = api_guess(c, SL("u"), lg->user);
    if (api_slow_down(c, &lg->guess))
        return;
    if (!passwords_check(c->api->passwords, lg->password, hash_of_login, checked, lg))
        api_busy(c);
}

void api_auth_logout(struct api_call *c)
{
    session_end(c->api->sessions, c->session);
    api_session_cookie(c, SL(""), 0);
    api_empty(c);
}

void api_auth_me(struct api_call *c)
{
    struct jw w = api_json(c);
    jw_str(&w, "user", c->user);
    jw_str(&w, "role", slice_of(role_names[c->role]));
    jw_time(&w, "expires", session_until_ms(c->api->sessions, c->session));
    jw_str(&w, "version", SL(DRAGOMAN_VERSION));
    api_answer(c, &w);
}

/* ---- another password ------------------------------------------------------------------------------------------------ */

struct changing {
    struct api_call *c;
    slice fresh;
    struct api_guess guess;
    uint8_t session[SESSION_HASH_BYTES]; /* the one that asks; it may have ended when the answer is there */
};

static void changed(void *arg, const struct fault *f)
{
    struct changing *ch = arg;
    if (f)
        api_not_stored(ch->c, f);
    else
        api_empty(ch->c);
}

static void new_hashed(void *arg, slice hash)
{
    struct changing *ch = arg;
    struct api_call *c = ch->c;
    const struct login *login = c->api->stopped ? NULL : login_find(c->api->logins, c->user);
    if (!hash.n || !login) {
        api_not_stored(c, NULL);
        return;
    }
    if (!session_alive(c->api->sessions, ch->session)) {
        api_problem(c, 401, "unauthorized", "Authorization", "the session has ended meanwhile");
        return;
    }
    sessions_end_others(c->api->sessions, c->user, ch->session);
    audit_note(c, "login.password", c->user, SLICE_NONE);
    login_put(c->api->logins, c->user, login->role, hash, changed, ch);
}

static slice hash_of_changer(void *arg)
{
    const struct changing *ch = arg;
    const struct login *login = login_find(ch->c->api->logins, ch->c->user);
    return login ? slice_of(login->hash) : SLICE_NONE;
}

static void old_checked(void *arg, bool same)
{
    struct changing *ch = arg;
    struct api_call *c = ch->c;
    if (!c->api->stopped && api_slow_down(c, &ch->guess))
        return;
    if (!same && !c->api->stopped) {
        api_guessed(c, &ch->guess, false);
        api_problem(c, 403, "wrong_credentials", "old", "the old password is wrong");
        return;
    }
    if (c->api->stopped || !passwords_hash(c->api->passwords, ch->fresh, new_hashed, ch))
        api_busy(c);
}

void api_auth_password(struct api_call *c)
{
    struct fault f = { 0 };
    struct changing *ch = ARENA_NEW(c->a, struct changing);
    *ch = (struct changing){ .c = c, .fresh = js_text(js_get(c->body, SL("new"))) };
    ch->guess = api_guess(c, SL("u"), c->user);
    memcpy(ch->session, c->session->hash, sizeof(ch->session));
    if (!password_good(ch->fresh, c->user, &f)) {
        memcpy(f.field, "new", sizeof("new"));
        api_fault(c, 400, &f);
        return;
    }
    if (api_slow_down(c, &ch->guess))
        return;
    if (!passwords_check(c->api->passwords, js_text(js_get(c->body, SL("old"))), hash_of_changer, old_checked, ch))
        api_busy(c);
}

/* ---- logins ---------------------------------------------------------------------------------------------------------- */

static void write_login(struct jw *w, const struct login *l)
{
    jw_str(w, "user", slice_of(l->user));
    jw_str(w, "role", slice_of(role_names[l->role]));
    jw_time(w, "created", l->created_ms);
    jw_time(w, "changed", l->changed_ms);
}

void api_logins_list(struct api_call *c)
{
    struct api_page page;
    if (!api_page(c, &page, 0))
        return;
    struct jw w = api_json(c);
    jw_open(&w, "items", '[');
    for (const struct login *l = login_first(c->api->logins); l; l = l->next) {
        if (!api_page_has(&page, slice_of(l->user), true))
            continue;
        jw_open(&w, NULL, '{');
        write_login(&w, l);
        jw_close(&w, '}');
    }
    jw_close(&w, ']');
    if (api_page_end(&page, &w))
        api_answer(c, &w);
}

static void saved(struct login_change *ch, const struct login *l)
{
    if (ch->create)
        api_header(ch->c, "Location", arena_printf(ch->c->a, "/api/v1/logins/" SLF, SLA(ch->user)));
    struct jw w = api_json(ch->c);
    write_login(&w, l);
    api_answer(ch->c, &w);
}

static const struct login_view view = { "login", "user", "login.create", "login.change", "login.delete", saved };

void api_logins_create(struct api_call *c)
{
    struct login_change *ch = ARENA_NEW(c->a, struct login_change);
    *ch = (struct login_change){ .c = c, .of = &view, .user = js_text(js_get(c->body, SL("user"))), .create = true, .rev = -1 };
    bool known = role_of(js_text(js_get(c->body, SL("role"))), &ch->role);
    assert(known); /* its schema lists them */
    login_change(ch, js_text(js_get(c->body, SL("password"))));
}

void api_logins_patch(struct api_call *c)
{
    const struct login *l = login_find(c->api->logins, c->params[0]);
    const struct js *role = js_get(c->body, SL("role"));
    if (!l) {
        api_not_found(c, "login", c->params[0]);
        return;
    }
    struct login_change *ch = ARENA_NEW(c->a, struct login_change);
    *ch = (struct login_change){ .c = c, .of = &view, .user = c->params[0], .role = l->role, .same_role = !role, .rev = -1 };
    bool known = !role || role_of(js_text(role), &ch->role);
    assert(known); /* its schema lists them */
    login_change(ch, js_text(js_get(c->body, SL("password"))));
}

void api_logins_delete(struct api_call *c)
{
    login_delete(c, &view, c->params[0], -1);
}
