/* Activities: "Activities", "Files in", "Groups and channels". One request, one activity. */
#include "networks/teams/wire.h"
#include "wire/mime.h"
#include "wire/url.h"

struct taking {
    struct call *c;
    struct inbox *in;
    const struct teams_activity *t;
};

static bool ignore(struct taking *k, const char *rule)
{
    inbox_ignore(k->in, rule, teams_activity_id(k->c->a, k->t));
    return true;
}

/* ---- attachments --------------------------------------------------------------------------------------------------- */

#define FILE_INFO "application/vnd.microsoft.teams.file.download.info"

static slice type_of_file(struct arena *a, slice name, slice extension)
{
    slice type = mime_of_name(name);
    return type.n || !extension.n ? type : mime_of_name(arena_printf(a, "x." SLF, SLA(extension)));
}

/* What one attachment brings; false: nothing that could be fetched. */
static bool media_of(struct call *c, const struct js *att, struct media *ret)
{
    slice type = js_text(js_at(att, "contentType")), url = js_text(js_at(att, "contentUrl")), name = js_text(js_at(att, "name"));
    *ret = (struct media){ .name = name };
    if (slice_eq(type, SL(FILE_INFO))) {
        ret->url = js_text(js_at(att, "content.downloadUrl"));
        ret->type = type_of_file(c->a, name, js_text(js_at(att, "content.fileType")));
        return ret->url.n > 0;
    }
    bool media = slice_starts(type, SL("image/")) || slice_starts(type, SL("video/")) || slice_starts(type, SL("audio/"));
    struct url u;
    if (!media || !url_parse(c->a, url, &u, NULL))
        return false;
    ret->url = url;
    ret->type = type;
    ret->token = teams_token_host(c, &u); /* pictures in the text lie at the connector; others are nobody's to see our token */
    return true;
}

/* A card somebody passed on, in words; absent: not a card. */
static slice card_text(struct arena *a, const struct js *att)
{
    slice type = js_text(js_at(att, "contentType"));
    if (slice_find(type, SL(".card.")) == SIZE_MAX)
        return SLICE_NONE;
    const struct js *card = js_at(att, "content");
    slice title = slice_or(js_text(js_at(card, "title")), js_text(js_at(card, "speak")));
    slice text = slice_or(js_text(js_at(card, "text")), js_text(js_at(card, "body.0.text")));
    return slice_trim(arena_printf(a, "[card] " SLF "%s" SLF, SLA(title), title.n && text.n ? "\n" : "", SLA(text)));
}

/* In rooms files stay in SharePoint and pictures in Graph: the HTML twin of the text is all that tells of them. */
static bool tells_of_files(const struct js *att)
{
    slice html = js_text(js_at(att, "content"));
    return slice_eq(js_text(js_at(att, "contentType")), SL("text/html")) &&
           (slice_find(html, SL("<attachment ")) != SIZE_MAX || slice_find(html, SL("/hostedContents/")) != SIZE_MAX);
}

struct content {
    struct js_list media; /* struct media */
    slice text;
};

static struct content content_of(struct taking *k, slice said)
{
    struct arena *a = k->c->a;
    struct content got = { .text = said };
    for (size_t i = 0; i < js_len(k->t->attachments) && i < TEAMS_ATTACHMENTS_MAX; i++) {
        const struct js *att = js_item(k->t->attachments, i);
        struct media md;
        slice more = SLICE_NONE;
        if (media_of(k->c, att, &md))
            *LIST_ADD(a, &got.media, struct media) = md;
        else if (tells_of_files(att))
            more = SL("[a file or picture that only Teams shows]");
        else
            more = card_text(a, att);
        if (more.n)
            got.text = arena_printf(a, SLF "%s" SLF, SLA(got.text), got.text.n ? "\n" : "", SLA(more));
    }
    return got;
}

/* ---- messages ------------------------------------------------------------------------------------------------------ */

static struct message *add_content(struct taking *k, enum kind kind, slice text, size_t i, bool addressed)
{
    static const char digits[] = "0123456789";
    char suffix[] = { digits[i / 10 % 10], digits[i % 10], 0 };
    struct message *m = teams_add(k->c, k->in, k->t, kind, i ? suffix : NULL);
    m->peer_id = k->t->id;
    m->reply_to = k->t->reply_to;
    m->text = text;
    if (!addressed)
        inbox_only(m, ONLY_OPEN);
    return m;
}

static bool on_message(struct taking *k)
{
    const struct teams_activity *t = k->t;
    if (t->value && !js_at(t->doc, "attachments.0.contentUrl"))
        return teams_add_answer(k->c, k->in, t, t->value, SLICE_NONE);
    struct teams_said said = teams_said_of(k->c->a, t->text, t->entities, slice_or(t->recipient, teams_bot_account(k->c)));
    struct content got = content_of(k, said.text);
    bool addressed = teams_in_person(t) || said.mentioned;
    if (!got.media.n && !got.text.n)
        return ignore(k, said.mentioned ? "empty-mention" : "empty");
    if (!got.media.n)
        add_content(k, KIND_TEXT, got.text, 0, addressed);
    for (size_t i = 0; i < got.media.n; i++) {
        const struct media *md = LIST_AT(got.media, struct media, i);
        struct message *m = add_content(k, kind_of_file(md->type), i ? SLICE_NONE : got.text, i, addressed);
        *LIST_ADD(k->c->a, &m->media, struct media) = *md;
    }
    return true;
}

/* ---- events -------------------------------------------------------------------------------------------------------- */

static bool on_update(struct taking *k)
{
    struct teams_said said = teams_said_of(k->c->a, k->t->text, k->t->entities, k->t->recipient);
    if (!said.text.n)
        return ignore(k, "edit-without-text");
    struct message *m = teams_add_event(k->c, k->in, k->t, EVENT_EDITED, slice_or(k->t->event_type, k->t->type));
    m->of = k->t->id;
    m->text = said.text;
    if (!teams_in_person(k->t) && !said.mentioned)
        inbox_only(m, ONLY_OPEN);
    return true;
}

static bool on_delete(struct taking *k)
{
    struct message *m = teams_add_event(k->c, k->in, k->t, EVENT_DELETED, slice_or(k->t->event_type, k->t->type));
    m->of = k->t->id;
    if (!teams_in_person(k->t))
        inbox_only(m, ONLY_OPEN);
    return true;
}

static bool on_reaction(struct taking *k)
{
    static const char *const lists[] = { "reactionsAdded", "reactionsRemoved" };
    for (size_t l = 0; l < COUNT(lists); l++) {
        slice type = js_text(js_at(js_item(js_at(k->t->doc, lists[l]), 0), "type"));
        if (!type.n)
            continue;
        struct message *m = teams_add_event(k->c, k->in, k->t, EVENT_OTHER, slice_of(lists[l]));
        m->payload = type;
        m->of = k->t->reply_to;
        if (!teams_in_person(k->t))
            inbox_only(m, ONLY_OPEN);
        return true;
    }
    return ignore(k, "reaction-without-type");
}

static bool names_bot(const struct js *members, slice bot)
{
    for (size_t i = 0; i < js_len(members); i++)
        if (bot.n && slice_eq(js_text(js_at(js_item(members, i), "id")), bot))
            return true;
    return false;
}

/* Somebody came or went. In a room nobody talks to us yet; in a personal chat it is the guest who opened it. */
static bool on_members(struct taking *k)
{
    const struct teams_activity *t = k->t;
    if (!teams_in_person(t))
        return ignore(k, "room-event");
    if (slice_starts(t->from, SL("28:")))
        return ignore(k, "own-echo");
    if (names_bot(js_at(t->doc, "membersAdded"), t->recipient))
        teams_add_event(k->c, k->in, t, EVENT_START, SL("membersAdded"));
    else if (names_bot(js_at(t->doc, "membersRemoved"), t->recipient))
        teams_add_event(k->c, k->in, t, EVENT_BLOCKED, SL("membersRemoved"));
    else
        return ignore(k, "room-event");
    return true;
}

static bool on_installation(struct taking *k)
{
    bool added = slice_starts(k->t->action, SL("add"));
    if (!teams_in_person(k->t))
        return ignore(k, "room-event");
    if (!added && !slice_starts(k->t->action, SL("remove")))
        return ignore(k, "unknown-type");
    teams_add_event(k->c, k->in, k->t, added ? EVENT_START : EVENT_BLOCKED, k->t->action);
    return true;
}

static bool on_typing(struct taking *k)
{
    struct message *m = teams_add(k->c, k->in, k->t, KIND_TYPING, NULL);
    if (!teams_in_person(k->t))
        inbox_only(m, ONLY_OPEN);
    return true;
}

static bool on_event(struct taking *k)
{
    if (!slice_eq(k->t->name, SL("application/vnd.microsoft.readReceipt")))
        return ignore(k, "unknown-type");
    struct message *m = teams_add_event(k->c, k->in, k->t, EVENT_READ, SL("readReceipt"));
    m->of = js_text(js_at(k->t->value, "lastReadMessageId"));
    return true;
}

static bool on_invoke(struct taking *k)
{
    return teams_invoke(k->c, k->in, k->t);
}

/* clang-format off */
static const struct { slice type; bool (*fn)(struct taking *k); } types[] = { /* "Activities" */
    { SLI("message"),            on_message },
    { SLI("messageUpdate"),      on_update },
    { SLI("messageDelete"),      on_delete },
    { SLI("messageReaction"),    on_reaction },
    { SLI("conversationUpdate"), on_members },
    { SLI("installationUpdate"), on_installation },
    { SLI("typing"),             on_typing },
    { SLI("event"),              on_event },
    { SLI("invoke"),             on_invoke },
};
/* clang-format on */

bool teams_receive(struct call *c, const struct request *rq, struct inbox *in)
{
    struct teams_activity t;
    if (!teams_activity_read(c, rq->body, &t))
        return false;
    struct taking k = { c, in, &t };
    if (slice_eq(t.from, slice_or(t.recipient, teams_bot_account(c))))
        return ignore(&k, "own-echo");
    for (size_t i = 0; i < COUNT(types); i++)
        if (slice_eq(t.type, types[i].type))
            return types[i].fn(&k);
    return ignore(&k, "unknown-type");
}
