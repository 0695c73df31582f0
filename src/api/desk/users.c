/* users.c - the users of the hub, with what makes them agents (logins.h keeps them). */
#include "api/audit.h"
#include "api/desk/inside.h"
#include "api/password.h"
#include "api/session.h"
#include "hub/message.h"

static void write_user(struct desk *desk, struct jw *w, const struct login *l)
{
    const struct agent *m = desk_member(desk, slice_of(l->user));
    jw_str(w, "name", slice_of(l->user));
    jw_str(w, "display_name", login_name(l));
    jw_str(w, "role", slice_of(role_names[l->role]));
    jw_opt(w, "email", l->is.email);
    jw_open(w, "queues", '[');
    for (size_t i = 0; i < l->is.queues.n; i++)
        jw_str(w, NULL, *LIST_AT(l->is.queues, slice, i));
    jw_close(w, ']');
    jw_open(w, "skills", '{');
    for (size_t i = 0; i < l->is.skills.n; i++) {
        jw_key(w, LIST_AT(l->is.skills, struct login_skill, i)->name);
        jw_int(w, NULL, LIST_AT(l->is.skills, struct login_skill, i)->level);
    }
    jw_close(w, '}');
    jw_open(w, "capacity", '{');
    jw_int(w, "chat", l->is.capacity);
    jw_close(w, '}');
    jw_str(w, "status", m->ready ? SL("ready") : SL("not-ready"));
    jw_time(w, "created", l->created_ms);
    jw_time(w, "changed", l->changed_ms);
}

void api_users_list(struct api_call *c)
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
        write_user(call_desk(c), &w, l);
        jw_close(&w, '}');
    }
    jw_close(&w, ']');
    if (api_page_end(&page, &w))
        api_answer(c, &w);
}

void api_users_get(struct api_call *c)
{
    const struct login *l = login_find(c->api->logins, c->params[0]);
    if (!l) {
        api_not_found(c, "user", c->params[0]);
        return;
    }
    if (!api_etag(c, l->changed_ms))
        return;
    struct jw w = api_json(c);
    write_user(call_desk(c), &w, l);
    api_answer(c, &w);
}

/* ---- changing ------------------------------------------------------------------------------------------------------------------------------ */

struct saving {
    struct api_call *c;
    slice user, profile;
    enum role role;
    bool create;
    int64_t rev; /* that it must still be at; -1: any */
};

static void saved(void *arg, const struct fault *f)
{
    struct saving *sv = arg;
    struct api_call *c = sv->c;
    const struct login *l = f ? NULL : login_find(c->api->logins, sv->user);
    if (!l) {
        api_not_stored(c, f);
        return;
    }
    api_header(c, "ETag", arena_printf(c->a, "\"%lld\"", (long long)l->changed_ms));
    struct jw w = api_json(c);
    write_user(call_desk(c), &w, l);
    desk_tell_me(call_desk(c), sv->user);
    desk_route_soon(call_desk(c));
    api_answer(c, &w); /* the call may be gone with that */
}

/* Hashing took a while: things may have changed meanwhile. */
static bool still_good(struct saving *sv)
{
    struct api_call *c = sv->c;
    const struct login *l = login_find(c->api->logins, sv->user);
    if (sv->create && l)
        api_problem(c, 409, "conflict", "name", "there is a user of this name");
    else if (sv->create && logins_count(c->api->logins) >= LOGINS_MAX)
        api_problem(c, 409, "conflict", NULL, "there are %d users, and more are not kept", LOGINS_MAX);
    else if (!sv->create && !l)
        api_not_found(c, "user", sv->user);
    else if (l && sv->rev >= 0 && sv->rev != l->changed_ms)
        api_problem(c, 412, "changed", "If-Match", "somebody has changed it since");
    else if (l && l->role == ROLE_ADMINISTRATOR && sv->role != ROLE_ADMINISTRATOR && logins_administrators(c->api->logins) == 1)
        api_problem(c, 409, "conflict", "role", "this is the last administrator");
    else
        return true;
    return false;
}

static void save(struct saving *sv, slice hash)
{
    struct api_call *c = sv->c;
    const struct login *l = login_find(c->api->logins, sv->user);
    if (l && (hash.n || l->role != sv->role))
        sessions_end(c->api->sessions, sv->user);
    audit_note(c, sv->create ? "user.create" : "user.change", sv->user, SLICE_NONE);
    login_put_profile(c->api->logins, sv->user, sv->role, hash, sv->profile, saved, sv);
}

static void hashed(void *arg, slice hash)
{
    struct saving *sv = arg;
    if (sv->c->api->stopped || !hash.n)
        api_not_stored(sv->c, NULL);
    else if (still_good(sv))
        save(sv, hash);
}

/* Of the body: the profile's members alone. */
static slice profile_of(struct api_call *c, const struct login *old, struct fault *f)
{
    static const char *const members[] = { "display_name", "email", "queues", "skills", "capacity" };
    struct login_profile is;
    struct jw w = jw_new(c->a, LOGIN_PROFILE_MAX);
    if (!login_profile_read(c->a, c->body, &is, f))
        return SLICE_NONE;
    jw_open(&w, NULL, '{');
    for (size_t i = 0; i < COUNT(members); i++)
        if (js_get(c->body, slice_of(members[i])))
            jw_value(&w, members[i], js_get(c->body, slice_of(members[i])));
    if (old)
        jw_opt(&w, "oidc", old->is.oidc);
    jw_close(&w, '}');
    slice json = jw_done(&w);
    if (!json.p)
        fault(f, "too_large", "", "what is known of a user has at most %d bytes", LOGIN_PROFILE_MAX);
    return json;
}

static void begin_saving(struct api_call *c, slice user, bool create, int64_t rev)
{
    struct fault f = { 0 };
    struct saving *sv = ARENA_NEW(c->a, struct saving);
    *sv = (struct saving){ .c = c, .user = user, .create = create, .rev = rev, .profile = profile_of(c, create ? NULL : login_find(c->api->logins, user), &f) };
    slice password = js_text(js_get(c->body, SL("password")));
    bool known = role_of(js_text(js_get(c->body, SL("role"))), &sv->role);
    assert(known); /* its schema lists them */
    if (!sv->profile.p) {
        api_fault(c, 400, &f);
        return;
    }
    if (!login_user_ok(user)) {
        api_problem(c, 400, "invalid", "name", LOGIN_USER_RULE, LOGIN_USER_MAX);
        return;
    }
    if (!still_good(sv))
        return;
    if (!password.n && create)
        api_problem(c, 400, "missing_field", "password", "a new user needs one");
    else if (!password.n)
        save(sv, SLICE_NONE);
    else if (!password_good(password, user, &f))
        api_fault(c, 400, &f);
    else if (!passwords_hash(c->api->passwords, password, hashed, sv))
        api_busy(c);
}

void api_users_create(struct api_call *c)
{
    begin_saving(c, js_text(js_get(c->body, SL("name"))), true, -1);
}

void api_users_put(struct api_call *c)
{
    int64_t rev;
    if (!login_find(c->api->logins, c->params[0]))
        api_not_found(c, "user", c->params[0]);
    else if (!slice_eq(js_text(js_get(c->body, SL("name"))), c->params[0]))
        api_problem(c, 400, "invalid", "name", "a user keeps the name");
    else if (api_if_match(c, &rev))
        begin_saving(c, c->params[0], false, rev);
}

static bool unchanged(struct api_call *c, const struct login *l)
{
    int64_t rev;
    if (!api_if_match(c, &rev))
        return false;
    if (rev >= 0 && rev != l->changed_ms) {
        api_problem(c, 412, "changed", "If-Match", "somebody has changed it since");
        return false;
    }
    return true;
}

static void removed(void *arg, const struct fault *f)
{
    struct api_call *c = arg;
    if (f)
        api_not_stored(c, f);
    else
        api_empty(c);
}

void api_users_delete(struct api_call *c)
{
    const struct login *l = login_find(c->api->logins, c->params[0]);
    if (!l) {
        api_not_found(c, "user", c->params[0]);
        return;
    }
    if (l->role == ROLE_ADMINISTRATOR && logins_administrators(c->api->logins) == 1) {
        api_problem(c, 409, "conflict", "role", "this is the last administrator");
        return;
    }
    if (!unchanged(c, l))
        return;
    struct agent *m = desk_member(call_desk(c), c->params[0]);
    m->ready = false;
    member_save(call_desk(c), m, NULL, NULL);
    audit_note(c, "user.delete", c->params[0], SLICE_NONE);
    sessions_end(c->api->sessions, c->params[0]);
    login_remove(c->api->logins, c->params[0], removed, c);
}
