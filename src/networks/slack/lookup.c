/* Who is it, and where is the file: "Profiles", "Files in". */
#include "networks/slack/wire.h"
#include "wire/url.h"

enum lookup_step { LOOKUP_USER = 1, LOOKUP_TEAM, LOOKUP_MENTION };

struct user {
    slice id, name, real_name, locale, display, profile_real, first, last, email, picture, large;
};
/* clang-format off */
static const struct js_field user_fields[] = {
    JS_FIELD(struct user, id,           "user.id",                   JS_STR, JS_REQ),
    JS_FIELD(struct user, name,         "user.name",                 JS_STR, 0),
    JS_FIELD(struct user, real_name,    "user.real_name",            JS_STR, 0),
    JS_FIELD(struct user, locale,       "user.locale",               JS_STR, 0),
    JS_FIELD(struct user, display,      "user.profile.display_name", JS_STR, 0),
    JS_FIELD(struct user, profile_real, "user.profile.real_name",    JS_STR, 0),
    JS_FIELD(struct user, first,        "user.profile.first_name",   JS_STR, 0),
    JS_FIELD(struct user, last,         "user.profile.last_name",    JS_STR, 0),
    JS_FIELD(struct user, email,        "user.profile.email",        JS_STR, 0),
    JS_FIELD(struct user, picture,      "user.profile.image_192",    JS_STR, 0),
    JS_FIELD(struct user, large,        "user.profile.image_512",    JS_STR, 0),
};
/* clang-format on */

static slice data_of(const struct message *m, const char *key)
{
    for (size_t i = 0; m && i < m->data.n; i++)
        if (slice_eq(LIST_AT(m->data, struct js_pair, i)->key, slice_of(key)))
            return LIST_AT(m->data, struct js_pair, i)->value;
    return SLICE_NONE;
}

static enum outcome read_only(struct call *c, struct delivery *d, int step, const char *method, slice install, slice form)
{
    d->step = step;
    slack_form(c, d, method, install, form);
    d->call.repeatable = true;
    d->call.rate = step == LOOKUP_TEAM ? SLACK_RATE_TIER3 : SLACK_RATE_TIER4;
    return OUT_CALL;
}

static enum outcome ask_user(struct call *c, struct delivery *d, slice install, slice user)
{
    struct text form = text_new(c->a, 1024);
    form_add(&form, SL("user"), user);
    form_add(&form, SL("include_locale"), SL("true"));
    return read_only(c, d, LOOKUP_USER, "users.info", install, text_slice(&form));
}

/* ---- mentions: receive left "@U0GUEST02" where it knew no name --------------------------------------------------------- */

/* The next "@U…" of *rest, which goes on behind it; {NULL,0}: none. *ret_before: what stands before it. */
static slice mention_cut(slice *rest, slice *ret_before)
{
    enum { ID_MIN = 6 };
    slice all = *rest;
    for (size_t at = 0; at + 1 < all.n; at++) {
        size_t n = 1;
        if (all.p[at] != '@' || (all.p[at + 1] != 'U' && all.p[at + 1] != 'W'))
            continue;
        while (at + n < all.n && slack_id_ok(slice_sub(all, at + n, 1)))
            n++;
        if (n - 1 < ID_MIN || !slack_id_ok(slice_sub(all, at + 1, n - 1)))
            continue;
        *ret_before = slice_sub(all, 0, at);
        *rest = slice_from(all, at + n);
        return slice_sub(all, at + 1, n - 1);
    }
    *ret_before = all;
    *rest = SLICE_NONE;
    return SLICE_NONE;
}

/* The nth mention (from 0) or one behind it whose name nobody knows; *ret_n: which it is. */
static slice unknown_mention(const struct call *c, slice text, size_t from, size_t *ret_n)
{
    slice before;
    for (size_t n = 0; n < SLACK_MENTIONS; n++) {
        slice id = mention_cut(&text, &before);
        if (!id.n)
            break;
        *ret_n = n;
        if (n >= from && !slack_name_of(c, id).n)
            return id;
    }
    return SLICE_NONE;
}

bool slack_lookup_more(struct call *c, const struct message *m)
{
    size_t n;
    return unknown_mention(c, m->text, 0, &n).n > 0;
}

static void put_names(struct call *c, struct delivery *d)
{
    struct text t = text_new(c->a, d->m->text.n * 4 + SLACK_BODY_BYTES);
    slice rest = d->m->text, before;
    bool any = false;
    while (rest.n) {
        slice id = mention_cut(&rest, &before), name = id.n ? slack_name_of(c, id) : SLICE_NONE;
        text_put(&t, before);
        if (id.n)
            text_add(&t, "@" SLF, SLA(slice_or(name, id)));
        any |= name.n > 0;
    }
    if (any)
        d->text = text_slice(&t);
}

/* d->part counts the mentions that were looked at. */
static bool ask_mention(struct call *c, struct delivery *d, slice install)
{
    size_t n = 0;
    slice id = unknown_mention(c, d->m->text, d->part, &n);
    if (!id.n)
        return false;
    struct text form = text_new(c->a, 1024);
    form_add(&form, SL("user"), id);
    d->part = n + 1;
    read_only(c, d, LOOKUP_MENTION, "users.info", install, text_slice(&form));
    return true;
}

/* The workspace's name, where nobody has said it yet. */
static enum outcome ask_team(struct call *c, struct delivery *d, slice install)
{
    slice team = data_of(d->m, "workspaceId"), name, enterprise, enterprise_name;
    if (!slack_id_ok(team) || data_of(d->m, "workspaceName").n || slack_team_of(c, team, &name, &enterprise, &enterprise_name))
        return OUT_DELIVERED;
    struct text form = text_new(c->a, 1024);
    form_add(&form, SL("team"), team);
    return read_only(c, d, LOOKUP_TEAM, "team.info", install, text_slice(&form));
}

static slice name_of(const struct user *u)
{
    return slice_or(u->display, slice_or(u->profile_real, slice_or(u->real_name, u->name)));
}

static void take_mentioned(struct call *c, const struct js *doc)
{
    struct user u = { 0 };
    if (doc && js_read(c->a, doc, user_fields, COUNT(user_fields), &u, c->f))
        slack_name_keep(c, u.id, name_of(&u));
}

static bool take_user(struct call *c, struct delivery *d, const struct js *doc, bool channel)
{
    struct user u = { 0 };
    if (!js_read(c->a, doc, user_fields, COUNT(user_fields), &u, c->f))
        return false;
    slice name = name_of(&u);
    d->person = (struct person){ .id = u.id, .name = name, .first_name = u.first, .last_name = u.last, .picture = slice_or(u.picture, u.large),
                                 .locale = u.locale, .email = u.email };
    if (channel) /* others may mention them */
        slack_name_keep(c, u.id, name);
    return true;
}

static void add_data(struct call *c, struct delivery *d, const char *key, slice value)
{
    if (value.n && !data_of(d->m, key).n)
        *LIST_ADD(c->a, &d->data, struct js_pair) = (struct js_pair){ slice_of(key), value };
}

static void take_team(struct call *c, struct delivery *d, const struct js *doc)
{
    slice id = js_text(js_at(doc, "team.id")), name = js_text(js_at(doc, "team.name"));
    slice enterprise = js_text(js_at(doc, "team.enterprise_id")), enterprise_name = js_text(js_at(doc, "team.enterprise_name"));
    struct jw w = jw_new(c->a, MEMORY_VALUE_MAX);
    jw_open(&w, NULL, '[');
    jw_str(&w, NULL, name);
    jw_str(&w, NULL, enterprise);
    jw_str(&w, NULL, enterprise_name);
    jw_close(&w, ']');
    if (slack_id_ok(id))
        memory_set(c->memory, arena_printf(c->a, "team:" SLF, SLA(id)).p, jw_done(&w), c->now_ms + SLACK_TEAM_MS);
    add_data(c, d, "workspaceName", name);
    add_data(c, d, "enterpriseId", enterprise);
    add_data(c, d, "enterpriseName", enterprise_name);
}

enum outcome slack_lookup(struct call *c, struct delivery *d)
{
    slice guest = c->conversation ? c->conversation->guest : SLICE_NONE;
    struct slack_guest g = slack_guest_of(guest);
    slice user = slice_or(d->m->from.id, slice_or(c->conversation ? c->conversation->person.id : SLICE_NONE, g.place));
    if (!d->last)
        return slack_id_ok(user) ? ask_user(c, d, g.install, user) : refuse(c, d, REASON_UNKNOWN_GUEST, "nobody to ask about");
    struct slack_answer t = slack_answer_of(c->a, d->last);
    if (d->step == LOOKUP_USER) {
        if (!t.doc)
            return slack_failed(c, d, g.install, "users.info");
        if (!take_user(c, d, t.doc, !g.direct))
            return refuse(c, d, REASON_SERVER, "users.info: it does not say who");
    } else if (d->step == LOOKUP_MENTION) {
        take_mentioned(c, t.doc);
    } else if (t.doc) {
        take_team(c, d, t.doc);
    }
    if (d->step != LOOKUP_TEAM && ask_mention(c, d, g.install))
        return OUT_CALL;
    put_names(c, d);
    if (d->step != LOOKUP_TEAM && ask_team(c, d, g.install) == OUT_CALL)
        return OUT_CALL;
    *c->f = (struct fault){ 0 }; /* a name of a workspace is no reason to forget whose message it is */
    return OUT_DELIVERED;
}

/* A file of a shared channel says only its id. */
enum outcome slack_media_find(struct call *c, struct delivery *d)
{
    slice install = d->media->token_name;
    if (!d->last) {
        struct text form = text_new(c->a, 4096);
        form_add(&form, SL("file"), d->media->id);
        slack_form(c, d, "files.info", install, text_slice(&form));
        d->call.repeatable = true;
        d->call.rate = SLACK_RATE_TIER4;
        return OUT_CALL;
    }
    struct slack_answer t = slack_answer_of(c->a, d->last);
    if (!t.doc)
        return slack_failed(c, d, install, "files.info");
    d->media_url = slice_or(js_text(js_at(t.doc, "file.url_private_download")), js_text(js_at(t.doc, "file.url_private")));
    return d->media_url.n ? OUT_DELIVERED : refuse(c, d, REASON_SERVER, "files.info: it does not say where the file is");
}
