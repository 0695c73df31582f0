/* What comes in: "Requests", "Events", "Conversations". One body, one event. */
#include "networks/slack/wire.h"
#include "wire/url.h"

struct envelope {
    slice type, app, event_id, team, context_team, enterprise;
    slice auth_team, auth_enterprise;
    bool auth_whole;
    int64_t at_s;
    const struct js *event;
};
struct message_event { /* also of a message inside a message */
    slice type, subtype, user, text, channel, channel_type, ts, thread, bot, deleted_ts;
    const struct js *doc;
};
/* clang-format off */
static const struct js_field envelope_fields[] = {
    JS_FIELD(struct envelope, type,            "type",                                   JS_STR,  JS_REQ),
    JS_FIELD(struct envelope, app,             "api_app_id",                             JS_STR,  0),
    JS_FIELD(struct envelope, event_id,        "event_id",                               JS_STR,  0),
    JS_FIELD(struct envelope, team,            "team_id",                                JS_STR,  0),
    JS_FIELD(struct envelope, context_team,    "context_team_id",                        JS_STR,  0),
    JS_FIELD(struct envelope, enterprise,      "enterprise_id",                          JS_STR,  0),
    JS_FIELD(struct envelope, auth_team,       "authorizations.0.team_id",               JS_STR,  0),
    JS_FIELD(struct envelope, auth_enterprise, "authorizations.0.enterprise_id",         JS_STR,  0),
    JS_FIELD(struct envelope, auth_whole,      "authorizations.0.is_enterprise_install", JS_BOOL, 0),
    JS_FIELD(struct envelope, at_s,            "event_time",                             JS_I64,  0),
    JS_FIELD(struct envelope, event,           "event",                                  JS_ANY,  0),
};
static const struct js_field message_event_fields[] = {
    JS_FIELD(struct message_event, type,         "type",         JS_STR, 0),
    JS_FIELD(struct message_event, subtype,      "subtype",      JS_STR, 0),
    JS_FIELD(struct message_event, user,         "user",         JS_STR, 0),
    JS_FIELD(struct message_event, text,         "text",         JS_STR, 0),
    JS_FIELD(struct message_event, channel,      "channel",      JS_STR, 0),
    JS_FIELD(struct message_event, channel_type, "channel_type", JS_STR, 0),
    JS_FIELD(struct message_event, ts,           "ts",           JS_STR, 0),
    JS_FIELD(struct message_event, thread,       "thread_ts",    JS_STR, 0),
    JS_FIELD(struct message_event, bot,          "bot_id",       JS_STR, 0),
    JS_FIELD(struct message_event, deleted_ts,   "deleted_ts",   JS_STR, 0),
};
/* clang-format on */

/* ---- small common things ------------------------------------------------------------------------------------------- */

/* "1767225600.000200": digits on both sides; never a double, which would lose the last of them. */
bool slack_ts_ms(slice ts, int64_t *ret_ms)
{
    slice fraction = ts, whole = slice_cut(&fraction, '.');
    int64_t s = 0, us = 0;
    if (whole.n < 1 || whole.n > 11 || fraction.n > 6 || !slice_int(whole, &s) || s < 0 || (fraction.n && (!slice_int(fraction, &us) || us < 0)))
        return false;
    for (size_t i = fraction.n; i < 6; i++)
        us *= 10;
    *ret_ms = s * 1000 + us / 1000;
    return *ret_ms <= TIME_MAX_MS;
}

bool slack_is_direct(slice channel)
{
    return slice_starts(channel, SL("D"));
}

static bool ignore(struct slack_event *e, const char *rule)
{
    inbox_ignore(e->in, rule, e->id);
    return true;
}

/* What others say to each other, and our own words coming back: counted, and nothing of it kept. */
static bool drop(struct slack_event *e, const char *rule)
{
    inbox_ignore(e->in, rule, SLICE_NONE);
    return true;
}

static bool bad(struct slack_event *e, const char *field, bool missing)
{
    return fault(e->c->f, missing ? "missing_field" : "wrong_type", field, missing ? "is required" : "has another form");
}

static slice join(struct slack_event *e, slice channel, slice ts)
{
    return arena_printf(e->c->a, SLF ":" SLF, SLA(channel), SLA(ts));
}

void slack_event_install(struct slack_event *e, const slice *ids, size_t n)
{
    for (size_t i = 0; i < n && !e->installed; i++)
        if (slack_install_get(e->c, ids[i], &e->own)) {
            e->install = ids[i];
            e->installed = true;
        }
    for (size_t i = 0; i < n && !e->install.n; i++)
        if (slack_id_ok(ids[i]))
            e->install = ids[i];
}

/* What the desk is told of the workspace: "Participant data". */
static void add_data(struct slack_event *e, struct message *m)
{
    struct arena *a = e->c->a;
    slice team = slice_or(e->own.team, e->team), name = e->own.team_name;
    slice enterprise = slice_or(e->own.enterprise, e->enterprise), enterprise_name = e->own.enterprise_name;
    slice known_name = SLICE_NONE, known_id = SLICE_NONE, known_enterprise = SLICE_NONE;
    if (!name.n && slack_team_of(e->c, team, &known_name, &known_id, &known_enterprise)) {
        name = known_name;
        enterprise = slice_or(enterprise, known_id);
        enterprise_name = slice_or(enterprise_name, known_enterprise);
    }
    message_data(a, m, SL("workspaceId"), team);
    message_data(a, m, SL("workspaceName"), name);
    message_data(a, m, SL("enterpriseId"), enterprise);
    message_data(a, m, SL("enterpriseName"), enterprise_name);
}

struct message *slack_add(struct slack_event *e, enum kind kind, slice user, slice channel, slice thread)
{
    struct message *m = inbox_add(e->in, kind);
    bool direct = !channel.n || slack_is_direct(channel);
    m->id = e->id;
    m->guest = direct ? arena_printf(e->c->a, SLF "." SLF, SLA(e->install), SLA(user))
                      : arena_printf(e->c->a, SLF "." SLF "." SLF, SLA(e->install), SLA(channel), SLA(thread));
    m->at_ms = e->c->now_ms;
    m->origin = ORIGIN_GUEST;
    m->from.id = user;
    if (!direct)
        m->group = channel;
    else if (channel.n)
        inbox_remember(e->in, m, SLACK_CHANNEL, channel, 0);
    add_data(e, m);
    return m;
}

/* ---- files: "Files in" ---------------------------------------------------------------------------------------------- */

struct file {
    slice id, name, title, type, mode, access, subtype, url, download;
    const struct js *size, *width, *height, *duration_ms; /* numbers; Slack has some of them as text, too */
};
/* clang-format off */
static const struct js_field file_fields[] = {
    JS_FIELD(struct file, id,          "id",                   JS_STR, JS_REQ),
    JS_FIELD(struct file, name,        "name",                 JS_STR, 0),
    JS_FIELD(struct file, title,       "title",                JS_STR, 0),
    JS_FIELD(struct file, type,        "mimetype",             JS_STR, 0),
    JS_FIELD(struct file, mode,        "mode",                 JS_STR, 0),
    JS_FIELD(struct file, access,      "file_access",          JS_STR, 0),
    JS_FIELD(struct file, subtype,     "subtype",              JS_STR, 0),
    JS_FIELD(struct file, url,         "url_private",          JS_STR, 0),
    JS_FIELD(struct file, download,    "url_private_download", JS_STR, 0),
    JS_FIELD(struct file, size,        "size",                 JS_ANY, 0),
    JS_FIELD(struct file, width,       "original_w",           JS_ANY, 0),
    JS_FIELD(struct file, height,      "original_h",           JS_ANY, 0),
    JS_FIELD(struct file, duration_ms, "duration_ms",          JS_ANY, 0),
};
/* clang-format on */

static int64_t count_of(const struct js *v)
{
    int64_t n = 0;
    return js_int(v, &n) || slice_int(js_text(v), &n) ? MAX(n, 0) : 0;
}

static enum kind kind_of(const struct file *f)
{
    if (slice_eq(f->subtype, SL("slack_audio")))
        return KIND_AUDIO;
    return slice_eq(f->subtype, SL("slack_video")) ? KIND_VIDEO : kind_of_file(f->type);
}

/* A recorded clip is told as "video/mp4" even when it is only heard. */
static slice type_of(struct arena *a, const struct file *f)
{
    if (slice_eq(f->subtype, SL("slack_audio")) && slice_starts(f->type, SL("video/")))
        return arena_printf(a, "audio/" SLF, SLA(slice_from(f->type, 6)));
    return f->type;
}

static void add_line(struct arena *a, slice *text, slice line)
{
    *text = arena_printf(a, SLF "%s" SLF, SLA(*text), text->n ? "\n" : "", SLA(line));
}

struct found {
    struct js_list media; /* struct media */
    enum kind kind;
    slice text;
};

static bool read_files(struct slack_event *e, const struct js *files, struct found *ret)
{
    struct arena *a = e->c->a;
    for (size_t i = 0; i < js_len(files); i++) {
        struct file f = { 0 };
        if (!js_read(a, js_item(files, i), file_fields, COUNT(file_fields), &f, e->c->f))
            return false;
        slice name = slice_or(f.name, slice_or(f.title, SL("file")));
        if (slice_eq(f.mode, SL("external"))) { /* somebody else keeps it: Drive, Dropbox … */
            add_line(a, &ret->text, arena_printf(a, SLF "\n" SLF, SLA(slice_or(f.title, name)), SLA(f.url)));
            continue;
        }
        if (slice_eq(f.mode, SL("tombstone")) || slice_eq(f.mode, SL("hidden_by_limit")) || slice_eq(f.access, SL("access_denied")) ||
            slice_eq(f.access, SL("file_not_found"))) {
            add_line(a, &ret->text, arena_printf(a, "[" SLF ": not available]", SLA(name)));
            continue;
        }
        bool ask = slice_eq(f.access, SL("check_file_info"));
        struct media *md = LIST_ADD(a, &ret->media, struct media);
        *md = (struct media){ .id = f.id, .url = ask ? SLICE_NONE : slice_or(f.download, f.url), .type = type_of(a, &f), .name = name,
                              .size = count_of(f.size), .width = count_of(f.width), .height = count_of(f.height),
                              .duration_ms = count_of(f.duration_ms), .token = true, .token_name = e->install, .exact = true };
        enum kind kind = kind_of(&f);
        ret->kind = ret->media.n > 1 && kind != ret->kind ? KIND_FILE : kind;
    }
    return true;
}

/* A forwarded message says what it is about in its attachments. */
static slice text_of(struct slack_event *e, const struct message_event *m, struct slack_text *ret)
{
    slice text = m->text;
    const struct js *more = js_at(m->doc, "attachments.0");
    if (!slice_trim(text).n)
        text = slice_or(js_text(js_at(more, "text")), js_text(js_at(more, "fallback")));
    *ret = slack_read_text(e->c, &e->own, text);
    return ret->text;
}

/* ---- message ----------------------------------------------------------------------------------------------------------- */

static bool read_message(struct slack_event *e, const struct js *v, const char *field, struct message_event *ret)
{
    *ret = (struct message_event){ .doc = v };
    if (!js_is_object(v))
        return bad(e, field, !v);
    return js_read(e->c->a, v, message_event_fields, COUNT(message_event_fields), ret, e->c->f);
}

/* Whose words are they? Not NULL: nobody's that we answer. */
static const char *not_a_guest(struct slack_event *e, const struct message_event *m)
{
    bool own = (m->bot.n && slice_eq(m->bot, e->own.bot)) || (m->user.n && slice_eq(m->user, e->own.bot_user));
    if (own)
        return "own-echo";
    if (m->bot.n)
        return "bot";
    return slack_id_ok(m->user) ? NULL : "no-sender";
}

static bool has_places(struct slack_event *e, const struct message_event *m)
{
    int64_t ms;
    if (!slack_id_ok(m->channel))
        return bad(e, "event.channel", !m->channel.p);
    if (!slack_ts_ms(m->ts, &ms))
        return bad(e, "event.ts", !m->ts.p);
    return !m->thread.p || slack_ts_ms(m->thread, &ms) || bad(e, "event.thread_ts", false);
}

static struct message *add_content(struct slack_event *e, const struct message_event *m, enum kind kind, const char *suffix)
{
    struct message *add = slack_add(e, kind, m->user, m->channel, slice_or(m->thread, m->ts));
    add->id = arena_printf(e->c->a, SLF "%s", SLA(join(e, m->channel, m->ts)), suffix); /* the same for app_mention and message */
    if (!slack_ts_ms(m->ts, &add->at_ms))
        add->at_ms = e->c->now_ms; /* has_places has seen that it is good */
    if (m->thread.n && !slice_eq(m->thread, m->ts))
        add->reply_to = join(e, m->channel, m->thread);
    return add;
}

static bool on_content(struct slack_event *e, const struct message_event *m)
{
    struct slack_text said;
    struct found found = { .kind = KIND_TEXT };
    const char *rule = not_a_guest(e, m);
    if (rule)
        return drop(e, rule);
    if (!has_places(e, m))
        return false;
    slice text = text_of(e, m, &said);
    if (!read_files(e, js_at(m->doc, "files"), &found))
        return false;
    bool direct = slack_is_direct(m->channel), named = said.mentioned || slice_eq(m->type, SL("app_mention"));
    bool files = found.text.n || found.media.n;
    if (!direct && !named && !m->thread.n)
        return drop(e, "not-addressed");
    if (!text.n && !files)
        return ignore(e, named ? "empty-mention" : "empty");
    bool apart = !direct && named && text.n && files; /* "Files in": the event app_mention of it may have come first, without them */
    if (apart) {
        add_content(e, m, KIND_TEXT, "")->text = text;
        text = SLICE_NONE;
    }
    if (found.text.n)
        add_line(e->c->a, &text, found.text);
    struct message *add = add_content(e, m, found.kind, apart ? ":files" : "");
    add->text = text;
    add->media = found.media;
    if (direct)
        inbox_remember(e->in, add, SLACK_THREAD, m->thread.n ? m->thread : SLICE_NONE, 0);
    else if (!named)
        inbox_only(add, ONLY_KNOWN);
    return true;
}

static bool on_changed(struct slack_event *e, const struct message_event *m)
{
    struct message_event is, was;
    if (!read_message(e, js_at(m->doc, "message"), "event.message", &is))
        return false;
    const struct js *before = js_at(m->doc, "previous_message");
    if (before && !js_is_null(before) && !read_message(e, before, "event.previous_message", &was))
        return false;
    /* Unfurled links and growing threads are changes, too; only a person's edit has `edited`. */
    const char *rule = not_a_guest(e, &is);
    if (!rule && (!js_is_object(js_at(is.doc, "edited")) || (js_is_object(before) && slice_eq(is.text, was.text))))
        rule = "change-without-edit";
    if (rule)
        return drop(e, rule);
    is.channel = m->channel;
    if (!has_places(e, &is))
        return false;
    struct message *add = slack_add(e, KIND_EVENT, is.user, is.channel, slice_or(is.thread, is.ts));
    add->event = EVENT_EDITED;
    add->name = SL("message_changed");
    add->of = join(e, is.channel, is.ts);
    add->text = slack_read_text(e->c, &e->own, is.text).text;
    if (!slack_ts_ms(slice_or(js_text(js_at(is.doc, "edited.ts")), is.ts), &add->at_ms))
        add->at_ms = e->c->now_ms;
    inbox_only(add, ONLY_KNOWN);
    return true;
}

static bool on_deleted(struct slack_event *e, const struct message_event *m)
{
    struct message_event was;
    if (!read_message(e, js_at(m->doc, "previous_message"), "event.previous_message", &was))
        return false;
    const char *rule = not_a_guest(e, &was);
    if (rule)
        return ignore(e, rule);
    was.channel = m->channel;
    was.ts = slice_or(m->deleted_ts, was.ts);
    if (!has_places(e, &was))
        return false;
    struct message *add = slack_add(e, KIND_EVENT, was.user, was.channel, slice_or(was.thread, was.ts));
    add->event = EVENT_DELETED;
    add->name = SL("message_deleted");
    add->of = join(e, was.channel, was.ts);
    inbox_only(add, ONLY_KNOWN);
    return true;
}

/* clang-format off */
static const struct { const char *subtype; bool (*on)(struct slack_event *e, const struct message_event *m); } subtypes[] = {
    { "file_share",       on_content },
    { "thread_broadcast", on_content },
    { "me_message",       on_content },
    { "message_changed",  on_changed },
    { "message_deleted",  on_deleted },
};
/* clang-format on */

static bool on_message(struct slack_event *e, const struct js *v)
{
    struct message_event m;
    if (!read_message(e, v, "event", &m))
        return false;
    if (!m.subtype.n)
        return on_content(e, &m);
    for (size_t i = 0; i < COUNT(subtypes); i++)
        if (slice_eq(m.subtype, slice_of(subtypes[i].subtype)))
            return subtypes[i].on(e, &m);
    return drop(e, slice_eq(m.subtype, SL("bot_message")) ? "bot" : "channel-notice");
}

/* ---- other events ---------------------------------------------------------------------------------------------------------- */

/* A thing done by someone: who, and where. */
static struct message *add_deed(struct slack_event *e, const struct js *v, slice user, slice channel, slice thread, enum event event)
{
    struct message *m = slack_add(e, KIND_EVENT, user, channel, thread);
    m->event = (int)event;
    m->name = js_text(js_at(v, "type"));
    inbox_only(m, ONLY_KNOWN);
    return m;
}

static bool on_reaction(struct slack_event *e, const struct js *v)
{
    slice user = js_text(js_at(v, "user")), channel = js_text(js_at(v, "item.channel")), ts = js_text(js_at(v, "item.ts"));
    int64_t ms;
    if (!channel.n)
        return ignore(e, "reaction-to-file");
    if (!slack_id_ok(user) || slice_eq(user, e->own.bot_user))
        return ignore(e, "own-echo");
    if (!slack_id_ok(channel) || !slack_ts_ms(ts, &ms))
        return bad(e, "event.item", false);
    struct message *m = add_deed(e, v, user, channel, ts, EVENT_OTHER);
    m->of = join(e, channel, ts);
    m->text = arena_printf(e->c->a, ":" SLF ":", SLA(js_text(js_at(v, "reaction"))));
    return true;
}

static bool on_member(struct slack_event *e, const struct js *v)
{
    slice user = js_text(js_at(v, "user"));
    bool joined = slice_eq(js_text(js_at(v, "type")), SL("member_joined_channel"));
    if (!slack_id_ok(user))
        return bad(e, "event.user", !user.p);
    if (slice_eq(user, e->own.bot_user))
        return ignore(e, joined ? "app-added" : "app-removed");
    add_deed(e, v, user, SLICE_NONE, SLICE_NONE, joined ? EVENT_JOINED : EVENT_LEFT)->group = js_text(js_at(v, "channel"));
    return true;
}

static bool on_home(struct slack_event *e, const struct js *v)
{
    slice user = js_text(js_at(v, "user")), channel = js_text(js_at(v, "channel"));
    if (!slack_id_ok(user))
        return bad(e, "event.user", !user.p);
    add_deed(e, v, user, slack_is_direct(channel) && slack_id_ok(channel) ? channel : SLICE_NONE, SLICE_NONE, EVENT_OTHER);
    return true;
}

static bool on_assistant(struct slack_event *e, const struct js *v)
{
    slice user = js_text(js_at(v, "assistant_thread.user_id")), channel = js_text(js_at(v, "assistant_thread.channel_id"));
    slice ts = js_text(js_at(v, "assistant_thread.thread_ts"));
    int64_t ms;
    if (!slack_id_ok(user) || !slack_is_direct(channel) || !slack_id_ok(channel) || !slack_ts_ms(ts, &ms))
        return bad(e, "event.assistant_thread", !js_at(v, "assistant_thread"));
    struct message *m = slack_add(e, KIND_EVENT, user, channel, SLICE_NONE);
    m->event = EVENT_START;
    m->name = SL("assistant_thread_started");
    inbox_remember(e->in, m, SLACK_ASSIST, ts, 0);
    inbox_remember(e->in, m, SLACK_THREAD, ts, 0);
    return true;
}

/* The end of an installation comes as two events in any order, and again for minutes when we did not answer: it ends the one it names, not that of the organisation
 * around it, and none that began after it. */
static bool ends(const struct slack_event *e)
{
    return e->installed && slice_eq(e->install, e->named) && !(e->at_s && e->at_s < e->own.since_ms / 1000);
}

static bool on_gone(struct slack_event *e, const struct js *v)
{
    (void)v;
    if (ends(e))
        slack_install_drop(e->c, e->install);
    return ignore(e, "uninstalled");
}

/* {"tokens":{"oauth":[users],"bot":[bot users]}}: ids of users, not tokens. */
static bool on_revoked(struct slack_event *e, const struct js *v)
{
    const struct js *bots = js_at(v, "tokens.bot");
    for (size_t i = 0; i < js_len(bots); i++)
        if (ends(e) && slice_eq(js_text(js_item(bots, i)), e->own.bot_user))
            slack_install_drop(e->c, e->install);
    return ignore(e, "tokens-revoked");
}

static bool on_rename(struct slack_event *e, const struct js *v)
{
    slice name = js_text(js_at(v, "name"));
    if (e->installed && name.n && e->own.team.n) {
        e->own.team_name = utf8_cut(name, SLACK_NAME_CHARS);
        (void)slack_install_put(e->c, e->install, &e->own);
    }
    return ignore(e, "workspace-renamed");
}

static bool on_user(struct slack_event *e, const struct js *v)
{
    slice user = js_text(js_at(v, "user.id"));
    if (slack_name_of(e->c, user).n)
        slack_name_keep(e->c, user, SLICE_NONE);
    return ignore(e, "user-changed");
}

static bool on_nothing(struct slack_event *e, const struct js *v)
{
    (void)v;
    return ignore(e, "bookkeeping");
}

/* clang-format off */
static const struct { const char *type; bool (*on)(struct slack_event *e, const struct js *v); } events[] = { /* "Events" */
    { "message",                  on_message },
    { "app_mention",              on_message },
    { "app_home_opened",          on_home },
    { "assistant_thread_started", on_assistant },
    { "reaction_added",           on_reaction },
    { "reaction_removed",         on_reaction },
    { "member_joined_channel",    on_member },
    { "member_left_channel",      on_member },
    { "app_uninstalled",          on_gone },
    { "tokens_revoked",           on_revoked },
    { "team_rename",              on_rename },
    { "user_change",              on_user },
    { "user_profile_changed",     on_user },
    { "assistant_thread_context_changed", on_nothing },
    { "team_domain_change",       on_nothing },
    { "team_access_granted",      on_nothing },
    { "team_access_revoked",      on_nothing },
    { "grid_migration_started",   on_nothing },
    { "grid_migration_finished",  on_nothing },
    { "file_shared",              on_nothing }, /* without content; message/file_share has it */
    { "file_created",             on_nothing },
    { "file_deleted",             on_nothing },
};
/* clang-format on */

static bool on_event(struct call *c, const struct envelope *v, struct inbox *in)
{
    struct slack_event e = { .c = c, .in = in, .id = v->event_id, .team = slice_or(v->auth_team, slice_or(v->team, v->context_team)),
                             .enterprise = slice_or(v->auth_enterprise, v->enterprise) };
    /* Whose token sees this: in a channel shared with others the outer team is where it happened, not who let us in. */
    const slice ids[] = { v->auth_whole ? v->auth_enterprise : v->auth_team, v->team, v->context_team, v->enterprise };
    if (!v->event_id.n)
        return bad(&e, "event_id", true);
    if (!js_is_object(v->event))
        return bad(&e, "event", !v->event);
    slack_event_install(&e, ids, COUNT(ids));
    e.named = slice_or(ids[0], slice_or(v->team, v->enterprise));
    e.at_s = v->at_s;
    if (!e.install.n)
        return ignore(&e, "no-workspace");
    slice type = js_text(js_at(v->event, "type"));
    for (size_t i = 0; i < COUNT(events); i++)
        if (slice_eq(type, slice_of(events[i].type)))
            return events[i].on(&e, v->event);
    return ignore(&e, "unknown-event");
}

/* ---- requests -------------------------------------------------------------------------------------------------------------------- */

static bool receive_form(struct call *c, slice body, struct inbox *in)
{
    struct form form;
    if (!form_parse(c->a, body, &form, c->f))
        return false;
    slice payload = form_value(&form, SL("payload"));
    if (payload.p)
        return slack_interaction(c, payload, in);
    if (form_value(&form, SL("command")).p)
        return slack_command(c, body, in);
    return fault(c->f, "missing_field", "payload", "a form has a payload or a command");
}

bool slack_receive(struct call *c, const struct request *rq, struct inbox *in)
{
    if (slice_starts(request_header(rq, "content-type"), SL("application/x-www-form-urlencoded")))
        return receive_form(c, rq->body, in);
    struct envelope v = { 0 };
    const struct js *doc = js_parse(c->a, rq->body, c->f);
    if (!doc || !js_read(c->a, doc, envelope_fields, COUNT(envelope_fields), &v, c->f))
        return false;
    if (slice_eq(v.type, SL("url_verification"))) {
        slice challenge = js_text(js_at(doc, "challenge"));
        if (!challenge.p)
            return fault(c->f, "missing_field", "challenge", "is required");
        inbox_answer(in, 200, SL("text/plain; charset=utf-8"), challenge);
        return true;
    }
    if (v.app.n && !slice_eq(v.app, setting(c, SLACK_APP_ID))) { /* the path named an account, the body another app */
        inbox_ignore(in, "foreign-app", v.event_id);
        return true;
    }
    if (slice_eq(v.type, SL("event_callback")))
        return on_event(c, &v, in);
    inbox_ignore(in, slice_eq(v.type, SL("app_rate_limited")) ? "app-rate-limited" : "unknown-type", SLICE_NONE);
    return true;
}
