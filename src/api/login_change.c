#include "api/login_change.h"
#include "api/audit.h"
#include "api/desk/desk.h"
#include "api/password.h"
#include "api/session.h"

static void saved(void *arg, const struct fault *f)
{
    struct login_change *ch = arg;
    const struct login *l = f ? NULL : login_find(ch->c->api->logins, ch->user);
    if (!l) {
        api_not_stored(ch->c, f);
        return;
    }
    desk_user_changed(ch->c->api->desk, ch->user);
    ch->of->saved(ch, l);
}

static bool at_rev(struct api_call *c, const struct login *l, int64_t rev)
{
    if (rev < 0 || rev == l->changed_ms)
        return true;
    api_problem(c, 412, "changed", "If-Match", "somebody has changed it since");
    return false;
}

/* May it lose the role? Somebody must be able to administer the hub. */
static bool not_last(struct api_call *c, const struct login *l)
{
    if (l->role != ROLE_ADMINISTRATOR || logins_administrators(c->api->logins) > 1)
        return true;
    api_problem(c, 409, "conflict", "role", "this is the last administrator");
    return false;
}

static bool good(struct login_change *ch)
{
    struct api_call *c = ch->c;
    const struct login *l = login_find(c->api->logins, ch->user);
    if (ch->create && l)
        api_problem(c, 409, "conflict", ch->of->name, "there is a %s of this name", ch->of->noun);
    else if (ch->create && logins_count(c->api->logins) >= LOGINS_MAX)
        api_problem(c, 409, "conflict", NULL, "there are %d %ss, and more are not kept", LOGINS_MAX, ch->of->noun);
    else if (!ch->create && !l)
        api_not_found(c, ch->of->noun, ch->user);
    else
        return !l || (at_rev(c, l, ch->rev) && (ch->role == ROLE_ADMINISTRATOR || not_last(c, l)));
    return false;
}

static void save(struct login_change *ch, slice hash)
{
    struct api_call *c = ch->c;
    const struct login *l = login_find(c->api->logins, ch->user);
    struct jw w = jw_new(c->a, 256);
    jw_open(&w, NULL, '{');
    jw_str(&w, "role", slice_of(role_names[ch->role]));
    jw_bool(&w, "password", hash.n > 0);
    jw_close(&w, '}');
    if (l && (hash.n || l->role != ch->role))
        sessions_end(c->api->sessions, ch->user);
    audit_note(c, ch->create ? ch->of->create : ch->of->change, ch->user, jw_done(&w));
    login_put_profile(c->api->logins, ch->user, ch->role, hash, ch->profile, saved, ch);
}

/* Hashing took a while: things may have changed meanwhile. */
static void hashed(void *arg, slice hash)
{
    struct login_change *ch = arg;
    const struct login *l = ch->c->api->stopped ? NULL : login_find(ch->c->api->logins, ch->user);
    if (l && ch->same_role)
        ch->role = l->role;
    if (ch->c->api->stopped || !hash.n)
        api_not_stored(ch->c, NULL);
    else if (good(ch))
        save(ch, hash);
}

void login_change(struct login_change *ch, slice password)
{
    struct api_call *c = ch->c;
    struct fault f = { 0 };
    if (!login_user_ok(ch->user))
        api_problem(c, 400, "invalid", ch->of->name, LOGIN_USER_RULE, LOGIN_USER_MAX);
    else if (!good(ch))
        return;
    else if (!password.n && ch->create)
        api_problem(c, 400, "missing_field", "password", "a new %s needs one", ch->of->noun);
    else if (!password.n)
        save(ch, SLICE_NONE);
    else if (!password_good(password, ch->user, &f))
        api_fault(c, 400, &f);
    else if (!passwords_hash(c->api->passwords, password, hashed, ch))
        api_busy(c);
}

static void removed(void *arg, const struct fault *f)
{
    struct api_call *c = arg;
    if (f)
        api_not_stored(c, f);
    else
        api_empty(c);
}

void login_delete(struct api_call *c, const struct login_view *of, slice user, int64_t rev)
{
    const struct login *l = login_find(c->api->logins, user);
    if (!l) {
        api_not_found(c, of->noun, user);
        return;
    }
    if (!not_last(c, l) || !at_rev(c, l, rev))
        return;
    desk_user_gone(c->api->desk, user);
    audit_note(c, of->remove, user, SLICE_NONE);
    sessions_end(c->api->sessions, user);
    login_remove(c->api->logins, user, removed, c);
}
