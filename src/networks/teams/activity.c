/* What all activities have in common: "Activities", "Conversation references", "Card replies". */
#include "networks/teams/wire.h"

/* clang-format off */
static const struct js_field activity_fields[] = {
    JS_FIELD(struct teams_activity, type,              "type",                          JS_STR,  JS_REQ),
    JS_FIELD(struct teams_activity, id,                "id",                            JS_STR,  0),
    JS_FIELD(struct teams_activity, at_ms,             "timestamp",                     JS_TIME, 0),
    JS_FIELD(struct teams_activity, local_at,          "timestamp",                     JS_STR,  0),
    JS_FIELD(struct teams_activity, service,           "serviceUrl",                    JS_STR,  JS_REQ),
    JS_FIELD(struct teams_activity, channel,           "channelId",                     JS_STR,  JS_REQ),
    JS_FIELD(struct teams_activity, from,              "from.id",                       JS_STR,  JS_REQ),
    JS_FIELD(struct teams_activity, from_name,         "from.name",                     JS_STR,  0),
    JS_FIELD(struct teams_activity, from_aad,          "from.aadObjectId",              JS_STR,  0),
    JS_FIELD(struct teams_activity, conversation,      "conversation.id",               JS_STR,  JS_REQ),
    JS_FIELD(struct teams_activity, conversation_type, "conversation.conversationType", JS_STR,  0),
    JS_FIELD(struct teams_activity, is_group,          "conversation.isGroup",          JS_BOOL, 0),
    JS_FIELD(struct teams_activity, tenant,            "conversation.tenantId",         JS_STR,  0),
    JS_FIELD(struct teams_activity, recipient,         "recipient.id",                  JS_STR,  0),
    JS_FIELD(struct teams_activity, recipient_name,    "recipient.name",                JS_STR,  0),
    JS_FIELD(struct teams_activity, text,              "text",                          JS_STR,  0),
    JS_FIELD(struct teams_activity, reply_to,          "replyToId",                     JS_STR,  0),
    JS_FIELD(struct teams_activity, name,              "name",                          JS_STR,  0),
    JS_FIELD(struct teams_activity, locale,            "locale",                        JS_STR,  0),
    JS_FIELD(struct teams_activity, action,            "action",                        JS_STR,  0),
    JS_FIELD(struct teams_activity, event_type,        "channelData.eventType",         JS_STR,  0),
    JS_FIELD(struct teams_activity, team,              "channelData.team.name",         JS_STR,  0),
    JS_FIELD(struct teams_activity, room,              "channelData.channel.name",      JS_STR,  0),
    JS_FIELD(struct teams_activity, value,             "value",                         JS_ANY,  0),
    JS_FIELD(struct teams_activity, attachments,       "attachments",                   JS_ANY,  0),
    JS_FIELD(struct teams_activity, entities,          "entities",                      JS_ANY,  0),
};
static const struct js_field ref_fields[] = {
    JS_FIELD(struct teams_ref, service,      "service",      JS_STR, 0),
    JS_FIELD(struct teams_ref, conversation, "conversation", JS_STR, 0),
    JS_FIELD(struct teams_ref, type,         "type",         JS_STR, 0),
    JS_FIELD(struct teams_ref, tenant,       "tenant",       JS_STR, 0),
    JS_FIELD(struct teams_ref, user,         "user",         JS_STR, 0),
    JS_FIELD(struct teams_ref, name,         "name",         JS_STR, 0),
    JS_FIELD(struct teams_ref, bot,          "bot",          JS_STR, 0),
    JS_FIELD(struct teams_ref, bot_name,     "bot_name",     JS_STR, 0),
    JS_FIELD(struct teams_ref, locale,       "locale",       JS_STR, 0),
    JS_FIELD(struct teams_ref, last,         "last",         JS_STR, 0),
};
/* clang-format on */

bool teams_activity_read(struct call *c, slice body, struct teams_activity *ret)
{
    *ret = (struct teams_activity){ .doc = js_parse(c->a, body, c->f) };
    if (!ret->doc || !js_read(c->a, ret->doc, activity_fields, COUNT(activity_fields), ret, c->f))
        return false;
    if (!ret->conversation.n || !ret->from.n)
        return fault(c->f, "missing_field", ret->from.n ? "conversation.id" : "from.id", "is empty");
    ret->tenant = slice_or(js_text(js_at(ret->doc, "channelData.tenant.id")), ret->tenant);
    ret->value = js_is_null(ret->value) ? NULL : ret->value;
    if (!ret->at_ms)
        ret->at_ms = c->now_ms;
    return true;
}

bool teams_in_person(const struct teams_activity *t)
{
    return t->conversation_type.n ? slice_eq(t->conversation_type, SL("personal")) : !t->is_group;
}

/* ---- references ---------------------------------------------------------------------------------------------------- */

slice teams_ref_print(struct arena *a, const struct teams_ref *ref)
{
    struct jw w = jw_new(a, MEMORY_VALUE_MAX);
    jw_open(&w, NULL, '{');
    jw_fields(&w, ref_fields, COUNT(ref_fields), ref);
    jw_close(&w, '}');
    return jw_done(&w);
}

void teams_ref_set(struct call *c, const struct teams_ref *ref)
{
    memory_set(c->guest_memory, TEAMS_REF, teams_ref_print(c->a, ref), 0);
}

bool teams_is_personal(const struct teams_ref *ref)
{
    return slice_eq(ref->type, SL("personal"));
}

/* A guest we were only told of: written to where the newest activity came from. */
static bool ref_made(struct call *c, slice guest, struct teams_ref *ret)
{
    slice service = arena_dup(c->a, memory_get(c->memory, TEAMS_SERVICE, c->now_ms)), tenant = service;
    service = slice_cut(&tenant, ' ');
    struct teams_guest g = teams_guest_of(guest);
    if (!service.n || !slice_starts(g.user, SL("29:")))
        return false;
    *ret = (struct teams_ref){ .service = service, .tenant = tenant, .user = g.user, .conversation = g.room, .bot = teams_bot_account(c),
                               .type = g.room.n ? SL("channel") : SL("personal") };
    return true;
}

bool teams_ref_get(struct call *c, slice guest, struct teams_ref *ret)
{
    slice text = arena_dup(c->a, c->guest_memory ? memory_get(c->guest_memory, TEAMS_REF, c->now_ms) : SLICE_NONE);
    const struct js *doc = text.n ? js_parse(c->a, text, NULL) : NULL;
    *ret = (struct teams_ref){ 0 };
    if (doc && js_read(c->a, doc, ref_fields, COUNT(ref_fields), ret, NULL) && ret->service.n)
        return true;
    return ref_made(c, guest, ret);
}

struct teams_guest teams_guest_of(slice guest)
{
    struct teams_guest g;
    g.user = slice_cut(&guest, '|');
    g.room = guest;
    return g;
}

/* ---- messages ------------------------------------------------------------------------------------------------------ */

slice teams_activity_id(struct arena *a, const struct teams_activity *t)
{
    return t->id.n ? arena_printf(a, SLF " " SLF, SLA(t->conversation), SLA(t->id)) : SLICE_NONE;
}

static void put_client(struct call *c, struct message *m, const struct teams_activity *t)
{
    for (size_t i = 0; i < js_len(t->entities); i++) {
        const struct js *e = js_item(t->entities, i);
        if (!slice_eq(js_text(js_at(e, "type")), SL("clientInfo")))
            continue;
        m->from.locale = slice_or(m->from.locale, js_text(js_at(e, "locale")));
        message_data(c->a, m, SL("country"), js_text(js_at(e, "country")));
        message_data(c->a, m, SL("deviceOS"), js_text(js_at(e, "platform")));
        message_data(c->a, m, SL("timezone"), js_text(js_at(e, "timezone")));
        return;
    }
}

static void remember(struct call *c, struct inbox *in, struct message *m, const struct teams_activity *t)
{
    struct teams_ref ref = { .service = t->service, .conversation = t->conversation, .tenant = t->tenant, .user = t->from, .name = t->from_name,
                             .bot = slice_or(t->recipient, teams_bot_account(c)), .bot_name = t->recipient_name, .locale = t->locale, .last = t->id };
    ref.type = teams_in_person(t) ? SL("personal") : slice_or(t->conversation_type, SL("groupChat"));
    inbox_remember(in, m, TEAMS_REF, teams_ref_print(c->a, &ref), 0);
    slice where = arena_printf(c->a, SLF " " SLF, SLA(t->service), SLA(t->tenant));
    if (!slice_eq(where, memory_get(c->memory, TEAMS_SERVICE, c->now_ms)))
        memory_set(c->memory, TEAMS_SERVICE, where, 0);
}

struct message *teams_add(struct call *c, struct inbox *in, const struct teams_activity *t, enum kind kind, const char *suffix)
{
    struct message *m = inbox_add(in, kind);
    bool personal = teams_in_person(t);
    m->id = teams_activity_id(c->a, t);
    if (suffix && m->id.n)
        m->id = arena_printf(c->a, SLF " %s", SLA(m->id), suffix);
    m->guest = personal ? t->from : arena_printf(c->a, SLF "|" SLF, SLA(t->from), SLA(t->conversation));
    m->at_ms = t->at_ms;
    m->origin = ORIGIN_GUEST;
    m->from.id = slice_or(t->from_aad, t->from);
    m->from.name = t->from_name;
    m->from.locale = t->locale;
    put_client(c, m, t);
    message_data(c->a, m, SL("aadObjectId"), t->from_aad);
    message_data(c->a, m, SL("teamsTenantId"), t->tenant);
    if (!personal) {
        m->group = t->conversation;
        message_data(c->a, m, SL("team"), t->team);
        message_data(c->a, m, SL("channel"), t->room);
    }
    remember(c, in, m, t);
    return m;
}

struct message *teams_add_event(struct call *c, struct inbox *in, const struct teams_activity *t, enum event event, slice name)
{
    struct message *m = teams_add(c, in, t, KIND_EVENT, NULL);
    m->id = arena_printf(c->a, SLF " " SLF " " SLF " " SLF, SLA(m->id), SLA(t->type), SLA(name), SLA(t->local_at)); /* an edit has the id of what it changes */
    m->event = (int)event;
    m->name = name;
    return m;
}

/* ---- answers ------------------------------------------------------------------------------------------------------- */

/* What was picked in one of our lists, by the map that travelled with its button: labels, or values; as it is where it is not in there. */
static slice picked_as(struct arena *a, const struct js *map, slice picked, const char *between)
{
    struct text t = text_new(a, TEAMS_TEXT_UNITS);
    while (picked.p) {
        slice one = slice_cut(&picked, ',');
        text_add(&t, "%s" SLF, t.n ? between : "", SLA(slice_or(js_text(js_get(map, one)), one)));
    }
    return text_slice(&t);
}

/* A card of ours says how it is to be read; *ret_text stays where it has none. */
static slice own_payload(struct arena *a, const struct js *data, slice *ret_text)
{
    slice how = js_text(js_at(data, "dragoman")), picked = js_text(js_at(data, "picked"));
    if (slice_eq(how, SL("choice"))) {
        *ret_text = slice_or(*ret_text, js_text(js_at(data, "label")));
        return js_text(js_at(data, "payload"));
    }
    if (slice_eq(how, SL("list"))) {
        *ret_text = picked_as(a, js_at(data, "labels"), picked, ", ");
        return picked_as(a, js_at(data, "values"), picked, ",");
    }
    if (slice_eq(how, SL("time"))) {
        slice date = js_text(js_at(data, "date")), time = js_text(js_at(data, "time"));
        *ret_text = arena_printf(a, SLF "%s" SLF, SLA(date), date.n && time.n ? " " : "", SLA(time));
        return arena_printf(a, SLF "%s" SLF, SLA(date), date.n && time.n ? "T" : "", SLA(time));
    }
    return SLICE_NONE;
}

/* A list or a time of ours: sent with nothing in it, it says nothing. */
static bool is_own_form(const struct js *data)
{
    slice how = js_text(js_at(data, "dragoman"));
    return slice_eq(how, SL("list")) || slice_eq(how, SL("time"));
}

/* "name: value" of what was filled in, for an agent to read. */
static slice filled_in(struct arena *a, const struct js *data)
{
    struct text t = text_new(a, TEAMS_TEXT_UNITS);
    for (void *it = js_first(data); it; it = js_next(data, it)) {
        slice key = js_key(data, it), value = js_text(js_value(it));
        if (value.n && !slice_eq(key, SL("msteams")))
            text_add(&t, "%s" SLF ": " SLF, t.n ? "\n" : "", SLA(key), SLA(value));
    }
    return text_slice(&t);
}

bool teams_add_answer(struct call *c, struct inbox *in, const struct teams_activity *t, const struct js *data, slice verb)
{
    struct arena *a = c->a;
    slice text = slice_trim(teams_unescape(a, t->text));
    slice own = js_is_object(data) ? own_payload(a, data, &text) : js_text(data);
    if (!own.n && is_own_form(data)) {
        inbox_ignore(in, "nothing-chosen", teams_activity_id(a, t));
        return true;
    }
    struct message *m = teams_add(c, in, t, KIND_ANSWER, NULL);
    slice obvious = slice_or(js_text(js_at(data, "text")), js_text(js_at(data, "value")));
    if (js_is_object(data) && !text.n)
        text = slice_or(obvious, filled_in(a, data));
    m->payload = own.n ? own : data ? js_print(a, data) : SLICE_NONE;
    m->text = slice_or(text, slice_or(own, slice_or(verb, SL("…"))));
    m->peer_id = t->id;
    m->reply_to = t->reply_to;
    message_data(a, m, SL("verb"), verb);
    return true;
}
