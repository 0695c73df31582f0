/* What a message becomes at Slack: parts in, messages and files out, one after the other. "Sending", "Files out". */
#include "networks/slack/wire.h"

struct making {
    struct call *c;
    const struct delivery *d;
    bool named; /* Slack shows the agent's name itself */
    slice prefix; /* else it stands before the first text */
    struct js_list *sends; /* struct slack_send */
    enum reason *reason;
};

static bool no(struct making *mk, enum reason reason, const char *field, const char *text)
{
    *mk->reason = reason;
    return mk->c->f->code ? false : fault(mk->c->f, "refused", field, "%s", text);
}

static struct slack_send *add(struct making *mk)
{
    return LIST_ADD(mk->c->a, mk->sends, struct slack_send);
}

slice slack_agent(const struct call *c, const struct delivery *d)
{
    if (!setting_true(c, SLACK_DISPLAY_AGENT) || d->m->origin == (int)ORIGIN_HUB || d->m->kind == (int)KIND_EVENT)
        return SLICE_NONE;
    slice name = author_name(c->conversation, d->m);
    return utf8_cut(slice_trim(name), SLACK_NAME_CHARS);
}

/* "*Maria*: " before the first text, where Slack may not show the name itself. */
static slice with_name(struct making *mk, slice escaped)
{
    if (!mk->prefix.n || !escaped.n)
        return escaped;
    slice text = arena_printf(mk->c->a, "*" SLF "*: " SLF, SLA(slack_escape(mk->c->a, mk->prefix)), SLA(escaped));
    mk->prefix = SLICE_NONE;
    return text;
}

static void add_text(struct making *mk, slice text)
{
    if (!text.n)
        return;
    struct jw w = slack_members(mk->c);
    jw_str(&w, "text", with_name(mk, slack_escape(mk->c->a, text)));
    add(mk)->members = slack_members_done(&w);
}

static bool is_https(slice url)
{
    return slice_starts(url, SL("https://")) && utf8_len(url) <= SLACK_URL_CHARS;
}

/* A picture that is no file of ours is shown from where it is. */
static void add_picture(struct making *mk, const struct message *m, const struct media *md)
{
    slice name = slice_or(md->name, SL("picture")), text = slack_escape(mk->c->a, m->text);
    if (utf8_len(text) > SLACK_SECTION_CHARS - SLACK_NAME_CHARS * 6) { /* more than a block takes, its sender's name before it: a message of its own */
        add_text(mk, m->text);
        text = SLICE_NONE;
    }
    text = with_name(mk, text);
    struct jw w = slack_members(mk->c);
    jw_str(&w, "text", slice_or(text, slack_escape(mk->c->a, name)));
    jw_open(&w, "blocks", '[');
    if (text.n) {
        jw_open(&w, NULL, '{');
        jw_str(&w, "type", SL("section"));
        jw_open(&w, "text", '{');
        jw_str(&w, "type", SL("mrkdwn"));
        jw_str(&w, "text", text);
        jw_close(&w, '}');
        jw_close(&w, '}');
    }
    jw_open(&w, NULL, '{');
    jw_str(&w, "type", SL("image"));
    jw_str(&w, "image_url", md->url);
    jw_str(&w, "alt_text", name);
    jw_close(&w, '}');
    jw_close(&w, ']');
    add(mk)->members = slack_members_done(&w);
}

static bool add_media(struct making *mk, const struct message *m)
{
    const struct media *md = message_media(m);
    struct arena *a = mk->c->a;
    if (!md || !md->url.n)
        return no(mk, REASON_MEDIA_TYPE, "media", "the file has no link");
    slice link = arena_printf(a, SLF "%s" SLF "\n" SLF, SLA(m->text), m->text.n ? "\n" : "", SLA(slice_or(md->name, SL("file"))), SLA(md->url));
    if (md->handle.n && md->size > 0) {
        struct slack_send *s = add(mk);
        slice prefix = mk->prefix;
        s->file = md;
        s->comment = with_name(mk, slack_escape(a, m->text)); /* without a comment the next text has the name */
        s->instead = slack_escape(a, link);
        if (prefix.n)
            s->instead = arena_printf(a, "*" SLF "*: " SLF, SLA(slack_escape(a, prefix)), SLA(s->instead));
        return true;
    }
    if (m->kind == (int)KIND_IMAGE && is_https(md->url))
        add_picture(mk, m, md);
    else
        add_text(mk, link);
    return true;
}

static bool add_members(struct making *mk, slice members)
{
    if (!members.p)
        return no(mk, REASON_INVALID, "message", "it is larger than Slack takes");
    add(mk)->members = members;
    return true;
}

static bool add_rich(struct making *mk, const struct message *m)
{
    struct message named = *m;
    if (m->text.n && mk->prefix.n) { /* blocks escape the text themselves */
        named.text = arena_printf(mk->c->a, "*" SLF "*: " SLF, SLA(mk->prefix), SLA(m->text));
        mk->prefix = SLICE_NONE;
    }
    return add_members(mk, m->kind == (int)KIND_CHOICES ? slack_choices(mk->c, &named) : m->kind == (int)KIND_CARDS ? slack_cards(mk->c, &named) : slack_picker(mk->c, &named));
}

static bool add_native(struct making *mk, const struct message *m)
{
    slice members = SLICE_NONE;
    if (!slack_native(mk->c, m->native_json, &members))
        return no(mk, REASON_INVALID, "native", "malformed");
    return add_members(mk, members);
}

static bool add_event(struct making *mk, const struct message *m)
{
    slice text = system_text(mk->c, m);
    if (text.n)
        add_text(mk, text);
    return true;
}

static bool add_part(struct making *mk, const struct message *m)
{
    switch ((enum kind)m->kind) {
    case KIND_TEXT: add_text(mk, m->text); return true;
    case KIND_IMAGE:
    case KIND_VIDEO:
    case KIND_AUDIO:
    case KIND_FILE: return add_media(mk, m);
    case KIND_CHOICES:
    case KIND_CARDS:
    case KIND_PICKER: return add_rich(mk, m);
    case KIND_NATIVE: return add_native(mk, m);
    case KIND_EVENT: return add_event(mk, m);
    case KIND_LOCATION:
    case KIND_STICKER:
    case KIND_ANSWER:
    case KIND_FORM:
    case KIND_PAYMENT:
    case KIND_TYPING:
    case KIND_STATUS:
    case KIND_MAX: break;
    }
    return no(mk, REASON_UNSUPPORTED, "kind", "not carried by Slack");
}

bool slack_sends(struct call *c, const struct delivery *d, bool named, struct js_list *ret, enum reason *ret_reason)
{
    struct making mk = { .c = c, .d = d, .named = named, .prefix = named ? SLICE_NONE : slack_agent(c, d), .sends = ret, .reason = ret_reason };
    *ret = (struct js_list){ 0 };
    for (size_t i = 0; i < d->n_parts; i++)
        if (!add_part(&mk, &d->parts[i]))
            return false;
    return true;
}
