/* A part of a message as the activity it becomes: "Sending", "Text out", "Files out". */
#include "networks/teams/wire.h"

struct jw teams_open(struct call *c, const struct teams_ref *ref, const char *type)
{
    struct jw w = jw_new(c->a, TEAMS_BODY_BYTES);
    jw_open(&w, NULL, '{');
    jw_str(&w, "type", slice_of(type));
    jw_open(&w, "from", '{');
    jw_str(&w, "id", slice_or(ref->bot, teams_bot_account(c)));
    jw_opt(&w, "name", ref->bot_name);
    jw_close(&w, '}');
    jw_open(&w, "conversation", '{');
    jw_str(&w, "id", ref->conversation);
    jw_close(&w, '}');
    if (ref->user.n) {
        jw_open(&w, "recipient", '{');
        jw_str(&w, "id", ref->user);
        jw_close(&w, '}');
    }
    return w;
}

static slice closed(struct jw *w)
{
    jw_close(w, '}');
    return jw_done(w);
}

/* ---- text ----------------------------------------------------------------------------------------------------------- */

static slice agent_of(struct call *c, const struct message *m)
{
    if (!setting_true(c, TEAMS_PREFIX_AGENT) || m->origin == ORIGIN_GUEST || m->origin == ORIGIN_HUB)
        return SLICE_NONE;
    return author_name(c->conversation, m);
}

/* There is no place for the name of who writes: it stands in bold before the text, and then the text is Markdown. */
static void put_text(struct call *c, struct jw *w, const struct message *m, slice text)
{
    slice agent = agent_of(c, m);
    jw_str(w, "text", agent.n ? arena_printf(c->a, "**" SLF "**: " SLF, SLA(teams_markdown(c->a, agent)), SLA(teams_markdown(c->a, text))) : text);
    jw_str(w, "textFormat", agent.n ? SL("markdown") : SL("plain"));
}

/* ---- files ----------------------------------------------------------------------------------------------------------- */

static bool is_picture(const struct media *md)
{
    static const slice shown[] = { SLI("image/png"), SLI("image/jpeg"), SLI("image/gif") };
    bool type = false;
    for (size_t i = 0; i < COUNT(shown); i++)
        type |= slice_eq_nocase(md->type, shown[i]);
    return type && md->size <= TEAMS_IMAGE_BYTES && md->width <= TEAMS_IMAGE_SIDE && md->height <= TEAMS_IMAGE_SIDE;
}

static slice file_name(const struct media *md)
{
    return slice_or(md->name, SL("file"));
}

static slice picture(struct call *c, const struct teams_ref *ref, const struct media *md)
{
    struct jw w = teams_open(c, ref, "message");
    jw_open(&w, "attachments", '[');
    jw_open(&w, NULL, '{');
    jw_str(&w, "contentType", md->type);
    jw_str(&w, "contentUrl", md->url);
    jw_opt(&w, "name", md->name);
    jw_close(&w, '}');
    jw_close(&w, ']');
    return closed(&w);
}

slice teams_link(struct call *c, const struct teams_ref *ref, const struct media *md)
{
    struct jw w = teams_open(c, ref, "message");
    const struct teams_button link = { SL("Open"), md->url };
    jw_open(&w, "attachments", '[');
    teams_put_hero(&w, file_name(md), SLICE_NONE, SLICE_NONE, NULL, &link);
    jw_close(&w, ']');
    return closed(&w);
}

slice teams_consent(struct call *c, const struct teams_ref *ref, const struct media *md, slice key)
{
    struct jw w = teams_open(c, ref, "message");
    jw_open(&w, "attachments", '[');
    jw_open(&w, NULL, '{');
    jw_str(&w, "contentType", SL("application/vnd.microsoft.teams.card.file.consent"));
    jw_str(&w, "name", file_name(md));
    jw_open(&w, "content", '{');
    jw_str(&w, "description", file_name(md));
    jw_int(&w, "sizeInBytes", md->size);
    static const char *const contexts[] = { "acceptContext", "declineContext" };
    for (size_t i = 0; i < COUNT(contexts); i++) {
        jw_open(&w, contexts[i], '{');
        jw_str(&w, "dragoman", key);
        jw_close(&w, '}');
    }
    jw_close(&w, '}');
    jw_close(&w, '}');
    jw_close(&w, ']');
    return closed(&w);
}

slice teams_file_info(struct call *c, const struct teams_ref *ref, slice content_url, slice name, slice unique_id, slice file_type)
{
    struct jw w = teams_open(c, ref, "message");
    jw_open(&w, "attachments", '[');
    jw_open(&w, NULL, '{');
    jw_str(&w, "contentType", SL("application/vnd.microsoft.teams.card.file.info"));
    jw_str(&w, "contentUrl", content_url);
    jw_opt(&w, "name", name);
    jw_open(&w, "content", '{');
    jw_str(&w, "uniqueId", unique_id);
    jw_str(&w, "fileType", file_type);
    jw_close(&w, '}');
    jw_close(&w, '}');
    jw_close(&w, ']');
    return closed(&w);
}

static bool send_media(struct call *c, struct delivery *d, const struct teams_ref *ref, const struct message *m, struct teams_send *ret)
{
    const struct media *md = message_media(m);
    if (!md || !md->url.n) {
        d->reason = REASON_MEDIA_TYPE;
        return fault(c->f, "refused", "media", "the file has no link");
    }
    if (m->kind == (int)KIND_IMAGE && is_picture(md))
        *ret = (struct teams_send){ TEAMS_ACTIVITY, picture(c, ref, md) };
    else if (teams_is_personal(ref) && md->handle.n && md->size > 0)
        *ret = (struct teams_send){ .way = TEAMS_FILE };
    else
        *ret = (struct teams_send){ TEAMS_ACTIVITY, teams_link(c, ref, md) };
    return true;
}

/* ---- the rest -------------------------------------------------------------------------------------------------------- */

static slice degrees(struct arena *a, double v)
{
    struct jw w = jw_new(a, 64);
    jw_double(&w, NULL, v);
    return jw_done(&w);
}

static void put_location(struct call *c, struct jw *w, const struct location *l)
{
    slice lat = degrees(c->a, l->lat_deg), lon = degrees(c->a, l->lon_deg);
    const struct teams_button map = { SL("Map"), arena_printf(c->a, "https://www.google.com/maps/search/?api=1&query=" SLF "%%2C" SLF, SLA(lat), SLA(lon)) };
    jw_open(w, "attachments", '[');
    teams_put_hero(w, slice_or(l->title, arena_printf(c->a, SLF ", " SLF, SLA(lat), SLA(lon))), l->address, SLICE_NONE, NULL, &map);
    jw_close(w, ']');
}

static bool send_event(struct call *c, const struct teams_ref *ref, const struct message *m, struct teams_send *ret)
{
    slice text = system_text(c, m);
    *ret = (struct teams_send){ .way = TEAMS_NOTHING };
    if (m->event == (int)EVENT_DELETED && m->of.n) {
        ret->way = TEAMS_REMOVE;
    } else if (m->event == (int)EVENT_EDITED && m->of.n && m->text.n) {
        struct jw w = teams_open(c, ref, "message");
        put_text(c, &w, m, m->text);
        *ret = (struct teams_send){ TEAMS_REPLACE, closed(&w) };
    } else if (text.n) {
        struct jw w = teams_open(c, ref, "message");
        jw_str(&w, "text", text);
        jw_str(&w, "textFormat", SL("plain"));
        *ret = (struct teams_send){ TEAMS_ACTIVITY, closed(&w) };
    }
    return true;
}

static bool too_large(struct call *c, struct delivery *d)
{
    d->reason = REASON_INVALID;
    return fault(c->f, "refused", "", "the message is larger than the %d bytes an activity may have", TEAMS_BODY_BYTES);
}

bool teams_send_of(struct call *c, struct delivery *d, const struct teams_ref *ref, const struct message *m, struct teams_send *ret)
{
    struct jw w = teams_open(c, ref, "message");
    bool good = true;
    d->reason = REASON_INVALID;
    switch ((enum kind)m->kind) {
    case KIND_IMAGE:
    case KIND_VIDEO:
    case KIND_AUDIO:
    case KIND_FILE: return send_media(c, d, ref, m, ret);
    case KIND_EVENT: return send_event(c, ref, m, ret);
    case KIND_TEXT: put_text(c, &w, m, m->text); break;
    case KIND_LOCATION: put_location(c, &w, &m->location); break;
    case KIND_CHOICES: good = teams_put_choices(c, &w, m, ref); break;
    case KIND_CARDS: teams_put_cards(&w, &m->cards); break;
    case KIND_PICKER: teams_put_picker(c, &w, &m->picker, m->text); break;
    case KIND_NATIVE: good = teams_put_native(c, &w, m->native_json); break;
    case KIND_ANSWER:
    case KIND_FORM:
    case KIND_PAYMENT:
    case KIND_STICKER:
    case KIND_TYPING:
    case KIND_STATUS:
    case KIND_MAX:
        d->reason = REASON_UNSUPPORTED;
        return fault(c->f, "refused", "kind", "not carried by Teams");
    }
    if (!good)
        return false;
    *ret = (struct teams_send){ TEAMS_ACTIVITY, closed(&w) };
    return ret->json.n || too_large(c, d);
}
