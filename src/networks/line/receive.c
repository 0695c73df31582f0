/* Webhooks: "Inbound webhook". One body, several events of several guests. */
#include "networks/line/wire.h"

struct line_event {
    slice type, id, mode, reply_token;
    slice source, user, group, room;
    int64_t at_ms;
    bool redelivery;
    const struct js *doc; /* the whole event */
    const char *path;     /* "events[0]", for faults */
};
/* clang-format off */
static const struct js_field event_fields[] = {
    JS_FIELD(struct line_event, type,        "type",                         JS_STR,  JS_REQ),
    JS_FIELD(struct line_event, id,          "webhookEventId",               JS_STR,  0),
    JS_FIELD(struct line_event, mode,        "mode",                         JS_STR,  0),
    JS_FIELD(struct line_event, reply_token, "replyToken",                   JS_STR,  0),
    JS_FIELD(struct line_event, source,      "source.type",                  JS_STR,  0),
    JS_FIELD(struct line_event, user,        "source.userId",                JS_STR,  0),
    JS_FIELD(struct line_event, group,       "source.groupId",               JS_STR,  0),
    JS_FIELD(struct line_event, room,        "source.roomId",                JS_STR,  0),
    JS_FIELD(struct line_event, at_ms,       "timestamp",                    JS_I64,  0),
    JS_FIELD(struct line_event, redelivery,  "deliveryContext.isRedelivery", JS_BOOL, 0),
};
/* clang-format on */

/* A reply token's minute begins anew with a redelivery, but not long after the event. */
enum { REDELIVERED_TOKEN_MS = 19 * 60 * 1000 };

/* ---- small common things ------------------------------------------------------------------------------------------- */

static bool read_part(struct call *c, const struct line_event *e, const char *part, const struct js_field *t,
                      size_t n, void *into)
{
    struct fault f = { 0 };
    if (js_read(c->a, js_at(e->doc, part), t, n, into, &f))
        return true;
    slice field = arena_printf(c->a, "%s.%s%s%s", e->path, part, f.field[0] ? "." : "", f.field);
    return fault(c->f, f.code, field.p, "%s", f.text);
}

static slice guest_of(const struct line_event *e)
{
    return slice_or(e->group, slice_or(e->room, e->user));
}

/* A message of this event's guest with what every event says. */
static struct message *add(struct call *c, struct inbox *in, const struct line_event *e, enum kind kind)
{
    struct message *m = inbox_add(in, kind);
    m->id = e->id;
    m->guest = guest_of(e);
    m->at_ms = e->at_ms;
    m->origin = ORIGIN_GUEST;
    m->from.id = e->user;
    m->group = slice_or(e->group, e->room);
    m->private = slice_eq(e->mode, SL("standby")); /* another module holds the chat: nothing to answer */
    int64_t reply_ms = setting_number(c, LINE_REPLY_SECONDS) * 1000;
    bool late = e->redelivery && c->now_ms - e->at_ms > REDELIVERED_TOKEN_MS;
    if (e->reply_token.n && reply_ms && !m->private && !late)
        inbox_remember(in, m, LINE_REPLY_TOKEN, e->reply_token, c->now_ms + reply_ms);
    return m;
}

static struct message *add_event(struct call *c, struct inbox *in, const struct line_event *e,
                                 enum event event)
{
    struct message *m = add(c, in, e, KIND_EVENT);
    m->event = (int)event;
    m->name = e->type;
    return m;
}

/* ---- message: "Message kinds" -------------------------------------------------------------------------------------- */

struct line_content {
    slice id, type, text, quote_token, quoted, read_token;
    slice provider, original, preview, file_name;
    int64_t duration_ms, file_size;
    double lat_deg, lon_deg;
    slice title, address;
    slice package, sticker, resource;
    struct js_list keywords; /* slice */
};
/* clang-format off */
static const struct js_field content_fields[] = {
    JS_FIELD(struct line_content, id,          "id",              JS_STR, JS_REQ),
    JS_FIELD(struct line_content, type,        "type",            JS_STR, JS_REQ),
    JS_FIELD(struct line_content, quote_token, "quoteToken",      JS_STR, 0),
    JS_FIELD(struct line_content, quoted,      "quotedMessageId", JS_STR, 0),
    JS_FIELD(struct line_content, read_token,  "markAsReadToken", JS_STR, 0),
};
static const struct js_field text_fields[] = {
    JS_FIELD(struct line_content, text,        "text",            JS_STR, JS_REQ),
};
static const struct js_field media_fields[] = {
    JS_FIELD(struct line_content, provider,    "contentProvider.type",               JS_STR, 0),
    JS_FIELD(struct line_content, original,    "contentProvider.originalContentUrl", JS_STR, 0),
    JS_FIELD(struct line_content, preview,     "contentProvider.previewImageUrl",    JS_STR, 0),
    JS_FIELD(struct line_content, duration_ms, "duration",                           JS_I64, 0),
    JS_FIELD(struct line_content, file_name,   "fileName",                           JS_STR, 0),
    JS_FIELD(struct line_content, file_size,   "fileSize",                           JS_I64, 0),
};
static const struct js_field location_fields[] = {
    JS_FIELD(struct line_content, lat_deg,     "latitude",  JS_F64, JS_REQ),
    JS_FIELD(struct line_content, lon_deg,     "longitude", JS_F64, JS_REQ),
    JS_FIELD(struct line_content, title,       "title",     JS_STR, 0),
    JS_FIELD(struct line_content, address,     "address",   JS_STR, 0),
};
static const struct js_field sticker_fields[] = {
    JS_FIELD(struct line_content, package,     "packageId",           JS_STR,     JS_REQ),
    JS_FIELD(struct line_content, sticker,     "stickerId",           JS_STR,     JS_REQ),
    JS_FIELD(struct line_content, resource,    "stickerResourceType", JS_STR,     0),
    JS_FIELD(struct line_content, text,        "text",                JS_STR,     0),
    JS_FIELD(struct line_content, keywords,    "keywords",            JS_STRLIST, 0),
};
static const struct { slice wire; enum kind kind; const struct js_field *fields; size_t n; } contents[] = {
    { SLI("text"),     KIND_TEXT,     text_fields,     COUNT(text_fields) },
    { SLI("image"),    KIND_IMAGE,    media_fields,    COUNT(media_fields) },
    { SLI("video"),    KIND_VIDEO,    media_fields,    COUNT(media_fields) },
    { SLI("audio"),    KIND_AUDIO,    media_fields,    COUNT(media_fields) },
    { SLI("file"),     KIND_FILE,     media_fields,    COUNT(media_fields) },
    { SLI("location"), KIND_LOCATION, location_fields, COUNT(location_fields) },
    { SLI("sticker"),  KIND_STICKER,  sticker_fields,  COUNT(sticker_fields) },
};
/* clang-format on */

static void put_media(struct call *c, struct message *m, const struct line_content *t)
{
    struct media *md = LIST_ADD(c->a, &m->media, struct media);
    md->name = t->file_name;
    md->size = MAX(t->file_size, 0);
    md->duration_ms = MAX(t->duration_ms, 0);
    if (slice_eq(t->provider, SL("external")) && t->original.n) { /* "Content download": without the token */
        md->url = t->original;
        md->preview_url = t->preview;
        return;
    }
    md->id = t->id;
    md->token = true;
}

static slice fill(struct arena *a, slice text, slice name, slice value)
{
    size_t at = slice_find(text, name);
    if (at == SIZE_MAX)
        return text;
    return arena_printf(a, SLF SLF SLF, SLA(slice_sub(text, 0, at)), SLA(value),
                        SLA(slice_from(text, at + name.n)));
}

static void put_sticker(struct call *c, struct message *m, const struct line_content *t)
{
    m->sticker = (struct sticker){ .package = t->package, .id = t->sticker };
    m->sticker.title = t->text.n ? t->text : t->keywords.n ? *LIST_AT(t->keywords, slice, 0) : SLICE_NONE;
    m->sticker.animated =
        slice_starts(t->resource, SL("ANIMATION")) || slice_starts(t->resource, SL("POPUP"));
    slice url = fill(c->a, setting(c, LINE_STICKER_URL), SL("{stickerId}"), t->sticker);
    url = fill(c->a, url, SL("{packageId}"), t->package);
    if (url.n)
        *LIST_ADD(c->a, &m->media, struct media) =
            (struct media){ .url = url, .type = SL("image/png"), .public_url = true };
}

static void put_content(struct call *c, struct message *m, const struct line_content *t)
{
    if (m->kind == (int)KIND_TEXT)
        m->text = t->text;
    else if (m->kind == (int)KIND_STICKER)
        put_sticker(c, m, t);
    else if (m->kind == (int)KIND_LOCATION)
        m->location = (struct location){ t->lat_deg, t->lon_deg, t->title, t->address, true };
    else
        put_media(c, m, t);
}

static bool on_message(struct call *c, struct inbox *in, const struct line_event *e)
{
    struct line_content t = { 0 };
    if (!read_part(c, e, "message", content_fields, COUNT(content_fields), &t))
        return false;
    for (size_t i = 0; i < COUNT(contents); i++) {
        if (!slice_eq(contents[i].wire, t.type))
            continue;
        if (!read_part(c, e, "message", contents[i].fields, contents[i].n, &t))
            return false;
        struct message *m = add(c, in, e, contents[i].kind);
        m->peer_id = t.id;
        m->reply_to = t.quoted;
        put_content(c, m, &t);
        if (t.read_token.n && !m->private)
            inbox_remember(in, m, LINE_READ_TOKEN, t.read_token, 0);
        if (t.quote_token.n && !m->private)
            inbox_remember(in, m, LINE_QUOTE, arena_printf(c->a, SLF " " SLF, SLA(t.id), SLA(t.quote_token)),
                           0);
        return true;
    }
    inbox_ignore(in, "unknown-message-type", e->id);
    return true;
}

/* ---- the other kinds: "Every event kind" --------------------------------------------------------------------------- */

struct line_details {
    slice text, payload, date, time, datetime, menu;
    bool unblocked;
    int64_t number;
};
/* clang-format off */
static const struct js_field postback_fields[] = {
    JS_FIELD(struct line_details, payload,  "data",                      JS_STR, JS_REQ),
    JS_FIELD(struct line_details, date,     "params.date",               JS_STR, 0),
    JS_FIELD(struct line_details, time,     "params.time",               JS_STR, 0),
    JS_FIELD(struct line_details, datetime, "params.datetime",           JS_STR, 0),
    JS_FIELD(struct line_details, menu,     "params.newRichMenuAliasId", JS_STR, 0),
};
static const struct js_field unsend_fields[]     = { JS_FIELD(struct line_details, text,      "messageId",    JS_STR, JS_REQ) };
static const struct js_field follow_fields[]     = { JS_FIELD(struct line_details, unblocked, "isUnblocked",  JS_BOOL, 0) };
static const struct js_field video_fields[]      = { JS_FIELD(struct line_details, payload,   "trackingId",   JS_STR, JS_REQ) };
static const struct js_field beacon_fields[]     = { JS_FIELD(struct line_details, text,      "type",         JS_STR, JS_REQ),
                                                     JS_FIELD(struct line_details, payload,   "hwid",         JS_STR, JS_REQ) };
static const struct js_field link_fields[]       = { JS_FIELD(struct line_details, text,      "result",       JS_STR, JS_REQ),
                                                     JS_FIELD(struct line_details, payload,   "nonce",        JS_STR, JS_REQ) };
static const struct js_field membership_fields[] = { JS_FIELD(struct line_details, text,      "type",         JS_STR, JS_REQ),
                                                     JS_FIELD(struct line_details, payload,   "membershipId", JS_TEXTNUM, 0) };
static const struct js_field delivery_fields[]   = { JS_FIELD(struct line_details, payload,   "data",         JS_STR, JS_REQ) };
/* clang-format on */

static bool on_postback(struct call *c, struct inbox *in, const struct line_event *e)
{
    struct line_details t = { 0 };
    if (!read_part(c, e, "postback", postback_fields, COUNT(postback_fields), &t))
        return false;
    if (t.menu.p) { /* the guest turned to another rich menu: nobody was answered */
        struct message *m = add_event(c, in, e, EVENT_OTHER);
        m->name = SL("richmenuswitch");
        m->payload = t.payload;
        m->text = t.menu;
        return true;
    }
    struct message *m = add(c, in, e, KIND_ANSWER);
    m->payload = t.payload;
    m->text = slice_or(t.datetime, slice_or(t.date, t.time));
    return true;
}

static bool on_unsend(struct call *c, struct inbox *in, const struct line_event *e)
{
    struct line_details t = { 0 };
    if (!read_part(c, e, "unsend", unsend_fields, COUNT(unsend_fields), &t))
        return false;
    add_event(c, in, e, EVENT_DELETED)->of = t.text;
    return true;
}

static bool on_follow(struct call *c, struct inbox *in, const struct line_event *e)
{
    struct line_details t = { 0 };
    if (js_at(e->doc, "follow") && !read_part(c, e, "follow", follow_fields, COUNT(follow_fields), &t))
        return false;
    struct message *m = add_event(c, in, e, EVENT_START);
    if (t.unblocked)
        m->text = SL("unblocked");
    return true;
}

static bool on_unfollow(struct call *c, struct inbox *in, const struct line_event *e)
{
    add_event(c, in, e, EVENT_BLOCKED);
    return true;
}

static bool on_join(struct call *c, struct inbox *in, const struct line_event *e)
{
    add_event(c, in, e, EVENT_JOINED);
    return true;
}

static bool on_leave(struct call *c, struct inbox *in, const struct line_event *e)
{
    add_event(c, in, e, EVENT_LEFT);
    return true;
}

/* One message a member; the event's id is the first one's. */
static bool on_members(struct call *c, struct inbox *in, const struct line_event *e)
{
    bool joined = slice_eq(e->type, SL("memberJoined"));
    const char *path = joined ? "joined.members" : "left.members";
    const struct js *members = js_at(e->doc, path);
    if (!js_is_array(members))
        return fault(c->f, members ? "wrong_type" : "missing_field",
                     arena_printf(c->a, "%s.%s", e->path, path).p, "must be an array");
    for (size_t i = 0; i < js_len(members); i++) {
        const struct js *id = js_at(js_item(members, i), "userId");
        slice user = js_text(id);
        if (id && !js_is_null(id) && !js_is_string(id))
            return fault(c->f, "wrong_type", arena_printf(c->a, "%s.%s[%zu].userId", e->path, path, i).p,
                         "must be a string");
        if (!user.n) { /* LINE need not say who it is: what else the request holds counts all the same */
            inbox_ignore(in, "no-user", SLICE_NONE);
            continue;
        }
        struct message *m = add_event(c, in, e, joined ? EVENT_JOINED : EVENT_LEFT);
        m->from.id = user;
        if (i)
            m->id = arena_printf(c->a, SLF ":%zu", SLA(e->id), i);
    }
    if (!js_len(members))
        inbox_ignore(in, "no-members", e->id);
    return true;
}

/* clang-format off */
static const struct { slice wire; const char *part; const struct js_field *fields; size_t n; } others[] = {
    { SLI("videoPlayComplete"), "videoPlayComplete", video_fields,      COUNT(video_fields) },
    { SLI("beacon"),            "beacon",            beacon_fields,     COUNT(beacon_fields) },
    { SLI("accountLink"),       "link",              link_fields,       COUNT(link_fields) },
    { SLI("membership"),        "membership",        membership_fields, COUNT(membership_fields) },
    { SLI("activated"),         NULL,                NULL,              0 },
    { SLI("deactivated"),       NULL,                NULL,              0 },
};
/* clang-format on */

static bool on_other(struct call *c, struct inbox *in, const struct line_event *e)
{
    for (size_t i = 0; i < COUNT(others); i++) {
        struct line_details t = { 0 };
        if (!slice_eq(others[i].wire, e->type))
            continue;
        if (others[i].part && !read_part(c, e, others[i].part, others[i].fields, others[i].n, &t))
            return false;
        struct message *m = add_event(c, in, e, EVENT_OTHER);
        m->text = t.text;
        m->payload = t.payload;
    }
    return true;
}

/* "Notification messages": what we sent has reached the phone. Without our tag it was somebody else's. */
static bool on_delivery(struct call *c, struct inbox *in, const struct line_event *e)
{
    struct line_details t = { 0 };
    if (!read_part(c, e, "delivery", delivery_fields, COUNT(delivery_fields), &t))
        return false;
    slice phone = line_tag_phone(c, t.payload);
    if (!phone.n) {
        inbox_ignore(in, "foreign-delivery", e->id);
        return true;
    }
    struct message *m = inbox_add(in, KIND_STATUS);
    m->id = e->id;
    m->guest = phone;
    m->at_ms = e->at_ms;
    m->of = t.payload;
    m->status = STATUS_DELIVERED;
    m->final = true;
    return true;
}

/* About the account, not about a guest. */
static bool on_account(struct call *c, struct inbox *in, const struct line_event *e)
{
    (void)c;
    inbox_ignore(in, "account-event", e->id);
    return true;
}

/* clang-format off */
static const struct {
    slice wire;
    bool (*on)(struct call *c, struct inbox *in, const struct line_event *e);
    bool no_guest;
} events[] = {
    { SLI("message"),           on_message, false },
    { SLI("postback"),          on_postback, false },
    { SLI("follow"),            on_follow, false },
    { SLI("unfollow"),          on_unfollow, false },
    { SLI("unsend"),            on_unsend, false },
    { SLI("join"),              on_join, false },
    { SLI("leave"),             on_leave, false },
    { SLI("memberJoined"),      on_members, false },
    { SLI("memberLeft"),        on_members, false },
    { SLI("videoPlayComplete"), on_other, false },
    { SLI("beacon"),            on_other, false },
    { SLI("accountLink"),       on_other, false },
    { SLI("membership"),        on_other, false },
    { SLI("activated"),         on_other, false },
    { SLI("deactivated"),       on_other, false },
    { SLI("delivery"),          on_delivery, true },
    { SLI("module"),            on_account, true },
    { SLI("botSuspended"),      on_account, true },
    { SLI("botResumed"),        on_account, true },
};
static const slice placeholder_tokens[] = { /* "Verification handshake": of older consoles */
    SLI("00000000000000000000000000000000"), SLI("ffffffffffffffffffffffffffffffff"),
};
/* clang-format on */

static bool is_placeholder(slice token)
{
    for (size_t i = 0; i < COUNT(placeholder_tokens); i++)
        if (slice_eq(token, placeholder_tokens[i]))
            return true;
    return false;
}

static bool receive_event(struct call *c, struct inbox *in, const struct line_event *e)
{
    if (is_placeholder(e->reply_token)) {
        inbox_ignore(in, "placeholder-token", e->id);
        return true;
    }
    for (size_t i = 0; i < COUNT(events); i++) {
        if (!slice_eq(events[i].wire, e->type))
            continue;
        if (!e->id.n) /* without it the same event twice could not be told from two */
            return fault(c->f, "missing_field", arena_printf(c->a, "%s.webhookEventId", e->path).p,
                         "is required");
        if (e->at_ms < 0 || e->at_ms > TIME_MAX_MS)
            return fault(c->f, "out_of_range", arena_printf(c->a, "%s.timestamp", e->path).p,
                         "must be ms since 1970");
        if (!events[i].no_guest && !guest_of(e).n) { /* likewise: "source" may be left out, and so may who a user is */
            inbox_ignore(in, "no-source", e->id);
            return true;
        }
        return events[i].on(c, in, e);
    }
    inbox_ignore(in, "unknown-type", e->id);
    return true;
}

bool line_receive(struct call *c, const struct request *rq, struct inbox *in)
{
    const struct js *doc = js_parse(c->a, rq->body, c->f);
    if (!doc)
        return false;
    const struct js *list = js_at(doc, "events");
    if (!js_is_array(list))
        return fault(c->f, list ? "wrong_type" : "missing_field", "events", "must be an array");
    for (size_t i = 0; i < js_len(list); i++) {
        struct line_event e = { .doc = js_item(list, i), .path = arena_printf(c->a, "events[%zu]", i).p };
        struct fault f = { 0 };
        if (!js_read(c->a, e.doc, event_fields, COUNT(event_fields), &e, &f))
            return fault(c->f, f.code, arena_printf(c->a, "%s%s%s", e.path, f.field[0] ? "." : "", f.field).p,
                         "%s", f.text);
        if (!receive_event(c, in, &e))
            return false;
    }
    return true;
}

/* "destination" stands first in what LINE sends: then nothing is parsed before the signature is known to be good. */
slice line_route_key(struct arena *a, const struct request *rq)
{
    static const char first[] = "{\"destination\":\"";
    if (slice_starts(rq->body, slice_of(first))) {
        slice rest = slice_from(rq->body, sizeof(first) - 1);
        slice key = slice_cut(&rest, '"');
        if (rest.p && slice_find_char(key, '\\') == SIZE_MAX)
            return key.n ? key : SLICE_NONE;
    }
    struct fault f = { 0 };
    const struct js *doc = js_parse(a, rq->body, &f);
    slice key = js_text(js_at(doc, "destination"));
    return key.n ? key : SLICE_NONE;
}
