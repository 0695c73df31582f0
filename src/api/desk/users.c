/* users.c - the users of the hub, with what makes them agents (logins.h keeps them, login_change.h has the rules). */
#include "api/desk/inside.h"
#include "api/login_change.h"
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

static void saved(struct login_change *ch, const struct login *l)
{
    api_header(ch->c, "ETag", arena_printf(ch->c->a, "\"%lld\"", (long long)l->changed_ms));
    struct jw w = api_json(ch->c);
    write_user(call_desk(ch->c), &w, l);
    api_answer(ch->c, &w);
}

static const struct login_view view = { "user", "name", "user.create", "user.change", "user.delete", saved };

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

static void change(struct api_call *c, slice user, bool create, int64_t rev)
{
    struct fault f = { 0 };
    struct login_change *ch = ARENA_NEW(c->a, struct login_change);
    *ch = (struct login_change){ .c = c, .of = &view, .user = user, .create = create, .rev = rev, .profile = profile_of(c, create ? NULL : login_find(c->api->logins, user), &f) };
    bool known = role_of(js_text(js_get(c->body, SL("role"))), &ch->role);
    assert(known); /* its schema lists them */
    if (ch->profile.p)
        login_change(ch, js_text(js_get(c->body, SL("password"))));
    else
        api_fault(c, 400, &f);
}

void api_users_create(struct api_call *c)
{
    change(c, js_text(js_get(c->body, SL("name"))), true, -1);
}

void api_users_put(struct api_call *c)
{
    int64_t rev;
    if (!login_find(c->api->logins, c->params[0]))
        api_not_found(c, "user", c->params[0]);
    else if (!slice_eq(js_text(js_get(c->body, SL("name"))), c->params[0]))
        api_problem(c, 400, "invalid", "name", "a user keeps the name");
    else if (api_if_match(c, &rev))
        change(c, c->params[0], false, rev);
}

void api_users_delete(struct api_call *c)
{
    int64_t rev;
    if (api_if_match(c, &rev))
        login_delete(c, &view, c->params[0], rev);
}
