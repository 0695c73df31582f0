/* The workspaces that let the app in, and their tokens: "Installing", "Tokens". Each is one value of the account's memory, which is sealed. */
#include "networks/slack/wire.h"
#include "wire/url.h"

/* clang-format off */
static const struct js_field install_fields[] = {
    JS_FIELD(struct slack_install, token,           "token",           JS_STR, 0),
    JS_FIELD(struct slack_install, refresh,         "refresh",         JS_STR, 0),
    JS_FIELD(struct slack_install, bot_user,        "bot_user",        JS_STR, 0),
    JS_FIELD(struct slack_install, bot,             "bot",             JS_STR, 0),
    JS_FIELD(struct slack_install, team,            "team",            JS_STR, 0),
    JS_FIELD(struct slack_install, team_name,       "team_name",       JS_STR, 0),
    JS_FIELD(struct slack_install, enterprise,      "enterprise",      JS_STR, 0),
    JS_FIELD(struct slack_install, enterprise_name, "enterprise_name", JS_STR, 0),
    JS_FIELD(struct slack_install, scopes,          "scopes",          JS_STR, 0),
    JS_FIELD(struct slack_install, broken,          "broken",          JS_STR, 0),
    JS_FIELD(struct slack_install, until_ms,        "until",           JS_I64, 0),
    JS_FIELD(struct slack_install, since_ms,        "since",           JS_I64, 0),
};
/* clang-format on */

enum { ID_MAX = 32, NAMES_MAX = 3000, NAME_MAX_CHARS = 60 };

bool slack_id_ok(slice id)
{
    for (size_t i = 0; i < id.n; i++)
        if (!(id.p[i] >= 'A' && id.p[i] <= 'Z') && !(id.p[i] >= '0' && id.p[i] <= '9'))
            return false;
    return id.n > 0 && id.n <= ID_MAX;
}

static const char *key_of(const struct call *c, const char *what, slice id)
{
    return arena_printf(c->a, "%s:" SLF, what, SLA(id)).p;
}

/* ---- the record -------------------------------------------------------------------------------------------------------- */

bool slack_install_get(const struct call *c, slice id, struct slack_install *ret)
{
    *ret = (struct slack_install){ 0 };
    slice text = slack_id_ok(id) ? memory_get(c->memory, key_of(c, "install", id), c->now_ms) : SLICE_NONE;
    const struct js *doc = text.n ? js_parse(c->a, arena_dup(c->a, text), NULL) : NULL;
    return doc && js_read(c->a, doc, install_fields, COUNT(install_fields), ret, NULL);
}

/* "T1 T2 …": how many there are. */
static bool list_has(slice list, slice id, size_t *ret_n)
{
    bool has = false;
    *ret_n = 0;
    while (list.n) {
        slice one = slice_cut(&list, ' ');
        *ret_n += one.n > 0;
        has |= slice_eq(one, id);
    }
    return has;
}

bool slack_install_put(struct call *c, slice id, const struct slack_install *in)
{
    slice list = memory_get(c->memory, "installs", c->now_ms);
    size_t n;
    bool has = list_has(list, id, &n);
    if (!slack_id_ok(id) || (!has && n >= SLACK_INSTALLS))
        return false;
    struct jw w = jw_new(c->a, MEMORY_VALUE_MAX);
    jw_open(&w, NULL, '{');
    jw_fields(&w, install_fields, COUNT(install_fields), in);
    jw_close(&w, '}');
    slice text = jw_done(&w);
    if (!text.p)
        return false;
    if (!has)
        memory_set(c->memory, "installs", arena_printf(c->a, SLF "%s" SLF, SLA(list), list.n ? " " : "", SLA(id)), 0);
    memory_set(c->memory, key_of(c, "install", id), text, 0);
    return true;
}

void slack_install_drop(struct call *c, slice id)
{
    slice list = arena_dup(c->a, memory_get(c->memory, "installs", c->now_ms));
    struct text left = text_new(c->a, MEMORY_VALUE_MAX);
    while (list.n) {
        slice one = slice_cut(&list, ' ');
        if (one.n && !slice_eq(one, id))
            text_add(&left, "%s" SLF, left.n ? " " : "", SLA(one));
    }
    memory_set(c->memory, "installs", left.n ? text_slice(&left) : SLICE_NONE, 0);
    memory_set(c->memory, key_of(c, "install", id), SLICE_NONE, 0);
}

bool slack_has_scope(const struct slack_install *in, slice scope)
{
    slice rest = in->scopes;
    while (rest.n)
        if (slice_eq(slice_trim(slice_cut(&rest, ',')), scope))
            return true;
    return false;
}

/* ---- what Slack says when it lets us in --------------------------------------------------------------------------------- */

struct access {
    slice token, type, scope, bot_user, app, team, team_name, enterprise, enterprise_name, refresh;
    int64_t life_s;
    bool whole;
};
/* clang-format off */
static const struct js_field access_fields[] = {
    JS_FIELD(struct access, token,           "access_token",          JS_STR,  JS_REQ),
    JS_FIELD(struct access, type,            "token_type",            JS_STR,  0),
    JS_FIELD(struct access, scope,           "scope",                 JS_STR,  0),
    JS_FIELD(struct access, bot_user,        "bot_user_id",           JS_STR,  0),
    JS_FIELD(struct access, app,             "app_id",                JS_STR,  0),
    JS_FIELD(struct access, team,            "team.id",               JS_STR,  0),
    JS_FIELD(struct access, team_name,       "team.name",             JS_STR,  0),
    JS_FIELD(struct access, enterprise,      "enterprise.id",         JS_STR,  0),
    JS_FIELD(struct access, enterprise_name, "enterprise.name",       JS_STR,  0),
    JS_FIELD(struct access, refresh,         "refresh_token",         JS_STR,  0),
    JS_FIELD(struct access, life_s,          "expires_in",            JS_I64,  0),
    JS_FIELD(struct access, whole,           "is_enterprise_install", JS_BOOL, 0),
};
/* clang-format on */

bool slack_install_read(struct call *c, slice body, struct slack_install *ret, slice *ret_id)
{
    struct access in = { 0 };
    const struct js *doc = js_parse(c->a, body, c->f);
    if (!doc || !js_read(c->a, doc, access_fields, COUNT(access_fields), &in, c->f))
        return false;
    enum { LIFE_MAX_S = 365 * 86400 };
    if (in.type.n && !slice_eq(in.type, SL("bot")))
        return fault(c->f, "refused", "token_type", "this is no token of a bot");
    if (!slice_eq(in.app, setting(c, SLACK_APP_ID)))
        return fault(c->f, "refused", "app_id", "this is the token of another app");
    *ret_id = in.whole ? in.enterprise : in.team;
    if (!slack_id_ok(*ret_id))
        return fault(c->f, "missing_field", "team", "no workspace and no organisation is named");
    *ret = (struct slack_install){ .token = in.token, .refresh = in.refresh, .bot_user = in.bot_user, .scopes = in.scope,
                                   .team = in.whole ? SLICE_NONE : in.team, .team_name = in.whole ? SLICE_NONE : in.team_name,
                                   .enterprise = in.enterprise, .enterprise_name = in.enterprise_name, .since_ms = c->now_ms };
    if (in.life_s > 0)
        ret->until_ms = c->now_ms + MIN(in.life_s, (int64_t)LIFE_MAX_S) * 1000;
    return true;
}

/* ---- tokens --------------------------------------------------------------------------------------------------------------- */

bool slack_token_known(struct call *c, slice name, slice *ret_token, int64_t *ret_until_ms)
{
    struct slack_install in;
    if (!slack_install_get(c, name, &in) || !in.token.n)
        return fault(c->f, "no_token", "", "the workspace " SLF " has not let the app in", SLA(utf8_cut(name, ID_MAX)));
    if (in.broken.n)
        return fault(c->f, "no_token", "", "the workspace " SLF " took the token back: " SLF, SLA(name), SLA(in.broken));
    *ret_token = in.token;
    *ret_until_ms = in.refresh.n ? in.until_ms : 0;
    return true;
}

bool slack_token_renew(struct call *c, slice name, struct http_call *ret)
{
    struct slack_install in;
    if (!slack_install_get(c, name, &in) || !in.refresh.n)
        return fault(c->f, "no_token", "", "there is no refresh token");
    struct text form = text_new(c->a, SLACK_BODY_BYTES);
    form_add(&form, SL("grant_type"), SL("refresh_token"));
    form_add(&form, SL("refresh_token"), in.refresh);
    ret->method = "POST";
    ret->url = slack_url(c, "oauth.v2.access");
    ret->type = SL("application/x-www-form-urlencoded");
    ret->body = text_slice(&form);
    ret->rate = SLACK_RATE_ALL;
    slack_basic(c, ret);
    return true;
}

/* The new pair takes the place of the old, whose refresh token is used up. */
bool slack_token_took(struct call *c, slice name, const struct answer *r)
{
    struct slack_install in, fresh;
    slice id;
    struct slack_answer t = slack_answer_of(c->a, r);
    if (!t.doc && !t.error.n)
        return false; /* no answer of Slack's: the framework reads it */
    bool good = t.doc && slack_install_read(c, r->body, &fresh, &id);
    if (good && slack_install_get(c, name, &in)) {
        in.token = fresh.token;
        in.refresh = slice_or(fresh.refresh, in.refresh);
        in.until_ms = fresh.until_ms;
        in.broken = SLICE_NONE;
        return slack_install_put(c, name, &in);
    }
    static const slice final[] = { SLI("invalid_refresh_token"), SLI("invalid_grant"), SLI("token_revoked"), SLI("account_inactive") };
    for (size_t i = 0; i < COUNT(final); i++)
        if (slice_eq(t.error, final[i]) && slack_install_get(c, name, &in)) {
            in.broken = t.error;
            (void)slack_install_put(c, name, &in);
        }
    return c->f->code ? false : fault(c->f, "refused", "", "no new token: " SLF, SLA(t.error));
}

/* ---- names ------------------------------------------------------------------------------------------------------------------ */

slice slack_name_of(const struct call *c, slice user)
{
    slice all = memory_get(c->memory, "names", c->now_ms);
    while (all.n) {
        slice line = slice_cut(&all, '\n');
        if (slice_eq(slice_cut(&line, ' '), user))
            return arena_dup(c->a, line);
    }
    return SLICE_NONE;
}

/* The newest first; the oldest make room. An absent name forgets. */
void slack_name_keep(struct call *c, slice user, slice name)
{
    slice all = arena_dup(c->a, memory_get(c->memory, "names", c->now_ms));
    struct text t = text_new(c->a, MEMORY_VALUE_MAX);
    bool plain = slice_find_char(name, '\n') == SIZE_MAX && slack_id_ok(user);
    if (name.n && plain)
        text_add(&t, SLF " " SLF "\n", SLA(user), SLA(utf8_cut(name, NAME_MAX_CHARS)));
    while (all.n && t.n < NAMES_MAX) {
        slice line = slice_cut(&all, '\n'), rest = line;
        if (line.n && !slice_eq(slice_cut(&rest, ' '), user))
            text_add(&t, SLF "\n", SLA(line));
    }
    memory_set(c->memory, "names", t.n ? text_slice(&t) : SLICE_NONE, 0);
}

bool slack_team_of(const struct call *c, slice team, slice *ret_name, slice *ret_enterprise, slice *ret_enterprise_name)
{
    slice text = slack_id_ok(team) ? memory_get(c->memory, key_of(c, "team", team), c->now_ms) : SLICE_NONE;
    const struct js *doc = text.n ? js_parse(c->a, arena_dup(c->a, text), NULL) : NULL;
    *ret_name = js_text(js_item(doc, 0));
    *ret_enterprise = js_text(js_item(doc, 1));
    *ret_enterprise_name = js_text(js_item(doc, 2));
    return doc != NULL;
}
