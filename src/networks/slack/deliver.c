/* Sending: "Sending", "Files out", "Errors", "Nothing is repeatable".
 *
 * A message becomes one or more sends (sends.c); d->part counts those that are done. A text is one call; a file is three: ask where to upload it, upload, have it
 * shown. Slack has no key by which a repeat could be known: a message whose answer was lost may have been taken, so the outcome is unknown. Asking where to upload
 * and uploading show nothing to anybody and begin anew in every attempt.
 */
#include "networks/slack/wire.h"
#include "wire/url.h"

enum slack_step {
    STEP_START,
    STEP_POST,
    STEP_POST_PLAIN, /* the workspace does not let us show the agent's name */
    STEP_OPEN,       /* which conversation is the direct one? */
    STEP_ASK,        /* where to upload */
    STEP_UPLOAD,     /* keep: the file's id */
    STEP_COMPLETE,
    STEP_INSTEAD,    /* a text with a link in place of the file */
    STEP_TYPING,
    STEP_COMPLETE_PLAIN, /* as STEP_POST_PLAIN */
    STEP_INSTEAD_PLAIN,
};

struct sending {
    struct call *c;
    struct delivery *d;
    struct slack_guest g;
    struct slack_install in;
    bool installed;
};

static slice channel_of(const struct sending *s)
{
    if (!s->g.direct)
        return s->g.place;
    return slice_or(memory_get(s->c->guest_memory, SLACK_CHANNEL, s->c->now_ms), s->g.place);
}

static slice thread_of(const struct sending *s)
{
    return s->g.direct ? memory_get(s->c->guest_memory, SLACK_THREAD, s->c->now_ms) : s->g.thread;
}

/* ---- who speaks ----------------------------------------------------------------------------------------------------- */

static bool is_plain(int step)
{
    return step == STEP_POST_PLAIN || step == STEP_COMPLETE_PLAIN || step == STEP_INSTEAD_PLAIN;
}

static bool may_name(const struct sending *s)
{
    return !is_plain(s->d->step) && (!s->in.scopes.n || slack_has_scope(&s->in, SL("chat:write.customize")));
}

static void put_agent(const struct sending *s, struct jw *w)
{
    slice name = may_name(s) ? slack_agent(s->c, s->d) : SLICE_NONE;
    if (!name.n)
        return;
    jw_str(w, "username", name);
    if (slice_starts(s->d->m->from.picture, SL("https://")))
        jw_str(w, "icon_url", s->d->m->from.picture);
}

/* ---- messages ---------------------------------------------------------------------------------------------------------- */

static enum outcome post(struct sending *s, enum slack_step step, slice members)
{
    struct call *c = s->c;
    struct jw w = jw_new(c->a, SLACK_BODY_BYTES);
    jw_open(&w, NULL, '{');
    jw_str(&w, "channel", channel_of(s));
    jw_opt(&w, "thread_ts", thread_of(s));
    s->d->step = (int)step;
    put_agent(s, &w);
    slice head = jw_done(&w);
    if (!members.n || head.n + members.n > SLACK_BODY_BYTES)
        return refuse(c, s->d, REASON_INVALID, "the message is larger than the %d bytes a call may have", SLACK_BODY_BYTES);
    slack_api(c, s->d, "chat.postMessage", s->g.install, arena_printf(c->a, SLF "," SLF "}", SLA(head), SLA(members)));
    s->d->call.rate = SLACK_RATE_CHAT;
    return OUT_CALL;
}

static slice text_members(struct call *c, slice text)
{
    struct jw w = slack_members(c);
    jw_str(&w, "text", text);
    return slack_members_done(&w);
}

/* ---- files: "Files out" ------------------------------------------------------------------------------------------------ */

static enum outcome open_direct(struct sending *s)
{
    struct text form = text_new(s->c->a, 1024);
    form_add(&form, SL("users"), s->g.place);
    s->d->step = STEP_OPEN;
    slack_form(s->c, s->d, "conversations.open", s->g.install, text_slice(&form));
    s->d->call.repeatable = true; /* it is the same conversation every time */
    s->d->call.rate = SLACK_RATE_TIER3;
    return OUT_CALL;
}

static enum outcome ask_where(struct sending *s, const struct slack_send *send)
{
    struct text form = text_new(s->c->a, 16384);
    form_add(&form, SL("filename"), slice_or(send->file->name, SL("file")));
    form_add(&form, SL("length"), arena_printf(s->c->a, "%lld", (long long)send->file->size));
    s->d->step = STEP_ASK;
    s->d->keep = SLICE_NONE;
    slack_form(s->c, s->d, "files.getUploadURLExternal", s->g.install, text_slice(&form));
    s->d->call.repeatable = true;
    s->d->call.rate = SLACK_RATE_TIER4;
    return OUT_CALL;
}

static enum outcome upload(struct sending *s, const struct slack_send *send, slice url, slice id)
{
    struct url u;
    if (!url_parse(s->c->a, url, &u, s->c->f) || !slack_id_ok(id))
        return refuse(s->c, s->d, REASON_SERVER, "files.getUploadURLExternal: it does not say where to");
    s->d->step = STEP_UPLOAD;
    s->d->keep = id;
    s->d->call = (struct http_call){ .method = "POST", .url = url, .type = SL("application/octet-stream"), .media_body = send->file,
                                     .no_token = true, .repeatable = true };
    return OUT_CALL;
}

static enum outcome complete(struct sending *s, enum slack_step step, const struct slack_send *send)
{
    struct jw w = jw_new(s->c->a, SLACK_BODY_BYTES);
    jw_open(&w, NULL, '{');
    jw_open(&w, "files", '[');
    jw_open(&w, NULL, '{');
    jw_str(&w, "id", s->d->keep);
    jw_str(&w, "title", slice_or(send->file->name, SL("file")));
    jw_close(&w, '}');
    jw_close(&w, ']');
    jw_str(&w, "channel_id", channel_of(s));
    jw_opt(&w, "thread_ts", thread_of(s));
    jw_opt(&w, "initial_comment", send->comment);
    s->d->step = (int)step;
    put_agent(s, &w);
    jw_close(&w, '}');
    slack_api(s->c, s->d, "files.completeUploadExternal", s->g.install, jw_done(&w));
    s->d->call.rate = SLACK_RATE_CHAT;
    return OUT_CALL;
}

/* ---- one send ----------------------------------------------------------------------------------------------------------- */

static enum outcome begin(struct sending *s, const struct slack_send *send)
{
    if (!send->file)
        return post(s, STEP_POST, send->members);
    if (s->g.direct && slice_eq(channel_of(s), s->g.place))
        return open_direct(s); /* a file goes to a conversation, not to a user */
    return ask_where(s, send);
}

static enum outcome done(struct sending *s, slice vendor_id)
{
    s->d->vendor_id = vendor_id;
    s->d->part++;
    s->d->step = STEP_START;
    s->d->keep = SLICE_NONE;
    return OUT_DELIVERED;
}

static enum outcome posted(struct sending *s, const struct js *doc)
{
    slice channel = js_text(js_at(doc, "channel"));
    if (s->g.direct && slack_is_direct(channel))
        memory_set(s->c->guest_memory, SLACK_CHANNEL, channel, 0);
    return done(s, arena_printf(s->c->a, SLF ":" SLF, SLA(channel), SLA(js_text(js_at(doc, "ts")))));
}

static enum outcome opened(struct sending *s, const struct slack_send *send, const struct js *doc)
{
    slice channel = js_text(js_at(doc, "channel.id"));
    if (!slack_is_direct(channel) || !slack_id_ok(channel))
        return refuse(s->c, s->d, REASON_SERVER, "conversations.open: it does not say which");
    memory_set(s->c->guest_memory, SLACK_CHANNEL, channel, 0);
    return ask_where(s, send);
}

static const char *const step_names[] = {
    [STEP_START] = "",
    [STEP_POST] = "chat.postMessage",
    [STEP_POST_PLAIN] = "chat.postMessage",
    [STEP_OPEN] = "conversations.open",
    [STEP_ASK] = "files.getUploadURLExternal",
    [STEP_UPLOAD] = "upload",
    [STEP_COMPLETE] = "files.completeUploadExternal",
    [STEP_INSTEAD] = "chat.postMessage",
    [STEP_TYPING] = "assistant.threads.setStatus",
    [STEP_COMPLETE_PLAIN] = "files.completeUploadExternal",
    [STEP_INSTEAD_PLAIN] = "chat.postMessage",
};

/* The same once more, with another token. */
static enum outcome again(struct sending *s, const struct slack_send *send)
{
    enum outcome end = OUT_REFUSED;
    enum slack_step step = (enum slack_step)s->d->step;
    switch (step) {
    case STEP_COMPLETE:
    case STEP_COMPLETE_PLAIN: end = complete(s, step, send); break;
    case STEP_INSTEAD:
    case STEP_INSTEAD_PLAIN: end = post(s, step, text_members(s->c, send->instead)); break;
    case STEP_POST_PLAIN: end = post(s, STEP_POST_PLAIN, send->members); break;
    case STEP_START:
    case STEP_POST:
    case STEP_OPEN:
    case STEP_ASK:
    case STEP_UPLOAD:
    case STEP_TYPING: end = begin(s, send); break;
    }
    s->d->call.new_token = true;
    return end;
}

static bool no_place(slice error)
{
    static const slice all[] = { SLI("channel_not_found"), SLI("user_not_found"), SLI("not_in_channel"), SLI("is_archived"), SLI("messages_tab_disabled"),
                                 SLI("restricted_action"), SLI("ratelimited"), SLI("rate_limited"), SLI("internal_error"), SLI("fatal_error"),
                                 SLI("service_unavailable"), SLI("request_timeout"), SLI("team_added_to_org") };
    for (size_t i = 0; i < COUNT(all); i++)
        if (slice_eq(error, all[i]))
            return true;
    return false;
}

/* It did not work. A file has a text that takes its place, where a text would arrive. */
static enum outcome failed(struct sending *s, const struct slack_send *send, const struct slack_answer *t)
{
    struct delivery *d = s->d;
    bool file = d->step == STEP_ASK || d->step == STEP_UPLOAD || d->step == STEP_COMPLETE || d->step == STEP_COMPLETE_PLAIN;
    enum outcome end = slack_failed(s->c, d, s->g.install, step_names[d->step]);
    struct slack_install now;
    bool broken = slack_install_get(s->c, s->g.install, &now) && now.broken.n;
    if (!file || end != OUT_REFUSED || broken || no_place(t->error))
        return end;
    *s->c->f = (struct fault){ 0 };
    d->reason = REASON_NONE;
    d->keep = SLICE_NONE;
    return post(s, is_plain(d->step) ? STEP_INSTEAD_PLAIN : STEP_INSTEAD, text_members(s->c, send->instead));
}

/* Not the agent's name and picture: then the same once more, with the name before the text. */
static enum outcome plainly(struct sending *s)
{
    struct js_list plain;
    int named = s->d->step;
    if (!slack_sends(s->c, s->d, false, &plain, &s->d->reason))
        return OUT_REFUSED;
    const struct slack_send *send = LIST_AT(plain, struct slack_send, s->d->part);
    if (named == STEP_COMPLETE)
        return complete(s, STEP_COMPLETE_PLAIN, send);
    if (named == STEP_INSTEAD)
        return post(s, STEP_INSTEAD_PLAIN, text_members(s->c, send->instead));
    return post(s, STEP_POST_PLAIN, send->members);
}

static enum outcome answered(struct sending *s, const struct slack_send *send)
{
    struct delivery *d = s->d;
    struct slack_answer t = slack_answer_of(s->c->a, d->last);
    if (d->step == STEP_UPLOAD && d->last->status == 200) /* whatever its body says */
        return complete(s, STEP_COMPLETE, send);
    if (t.doc) {
        switch ((enum slack_step)d->step) {
        case STEP_OPEN: return opened(s, send, t.doc);
        case STEP_ASK: return upload(s, send, js_text(js_at(t.doc, "upload_url")), js_text(js_at(t.doc, "file_id")));
        case STEP_COMPLETE:
        case STEP_COMPLETE_PLAIN: return done(s, d->keep);
        case STEP_START:
        case STEP_POST:
        case STEP_POST_PLAIN:
        case STEP_UPLOAD:
        case STEP_INSTEAD:
        case STEP_INSTEAD_PLAIN:
        case STEP_TYPING: break;
        }
        return posted(s, t.doc);
    }
    if (slack_token_ended(&t) && s->in.refresh.n && !d->last_new_token)
        return again(s, send);
    bool named = (d->step == STEP_POST || d->step == STEP_COMPLETE || d->step == STEP_INSTEAD) && may_name(s) && slack_agent(s->c, d).n;
    if (named && slice_eq(t.error, SL("missing_scope")))
        return plainly(s);
    return failed(s, send, &t);
}

/* ---- typing: "Assistant" ------------------------------------------------------------------------------------------------ */

static enum outcome typing(struct sending *s)
{
    slice assistant = memory_get(s->c->guest_memory, SLACK_ASSIST, s->c->now_ms), channel = channel_of(s);
    if (s->d->last)
        return slack_answer_of(s->c->a, s->d->last).doc ? OUT_DELIVERED : slack_failed(s->c, s->d, s->g.install, step_names[STEP_TYPING]);
    if (!s->g.direct || !assistant.n || !slice_eq(assistant, thread_of(s)) || !slack_is_direct(channel))
        return OUT_DELIVERED; /* elsewhere Slack has no such thing */
    struct jw w = jw_new(s->c->a, 4096);
    jw_open(&w, NULL, '{');
    jw_str(&w, "channel_id", channel);
    jw_str(&w, "thread_ts", assistant);
    jw_str(&w, "status", SL("is typing\xe2\x80\xa6"));
    jw_close(&w, '}');
    s->d->step = STEP_TYPING;
    slack_api(s->c, s->d, "assistant.threads.setStatus", s->g.install, jw_done(&w));
    s->d->call.repeatable = true;
    return OUT_CALL;
}

enum outcome slack_deliver(struct call *c, struct delivery *d)
{
    struct sending s = { .c = c, .d = d, .g = slack_guest_of(delivery_guest(c, d)) };
    struct js_list sends;
    s.installed = slack_install_get(c, s.g.install, &s.in);
    if (s.in.broken.n)
        return refuse(c, d, REASON_CREDENTIALS, "the workspace took the token back (" SLF "): it must install the app anew", SLA(s.in.broken));
    if (d->m->kind == (int)KIND_TYPING)
        return typing(&s);
    if (d->interrupted) {
        fault(c->f, "unknown", "", "the answer to an earlier call was lost");
        return OUT_UNKNOWN;
    }
    if (!slack_sends(c, d, may_name(&s), &sends, &d->reason))
        return OUT_REFUSED;
    if (d->last && d->part < sends.n) {
        enum outcome end = answered(&s, LIST_AT(sends, struct slack_send, d->part));
        if (end != OUT_DELIVERED)
            return end;
    }
    return d->part < sends.n ? begin(&s, LIST_AT(sends, struct slack_send, d->part)) : OUT_DELIVERED;
}
