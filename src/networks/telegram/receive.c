/* Updates: "Updates", "Messages", "Groups". One body, one update. */
#include "networks/telegram/wire.h"

struct telegram_from {
    int64_t id;
    bool is_bot;
    slice first, last, username, language;
};
struct telegram_message {
    int64_t id, at_ms, edited_ms, chat, thread;
    struct telegram_from from;
    slice chat_type, chat_title, text, caption, business, guest_query;
    int64_t reply_id, moved_to, moved_from;
    const struct js *doc;
};
/* clang-format off */
static const struct js_field from_fields[] = {
    JS_FIELD(struct telegram_from, id,       "id",            JS_I64,  JS_REQ),
    JS_FIELD(struct telegram_from, is_bot,   "is_bot",        JS_BOOL, 0),
    JS_FIELD(struct telegram_from, first,    "first_name",    JS_STR,  0),
    JS_FIELD(struct telegram_from, last,     "last_name",     JS_STR,  0),
    JS_FIELD(struct telegram_from, username, "username",      JS_STR,  0),
    JS_FIELD(struct telegram_from, language, "language_code", JS_STR,  0),
};
static const struct js_field message_fields[] = {
    JS_FIELD(struct telegram_message, id,          "message_id",                  JS_I64,  JS_REQ),
    JS_FIELD(struct telegram_message, at_ms,       "date",                        JS_SECS, JS_REQ),
    JS_FIELD(struct telegram_message, edited_ms,   "edit_date",                   JS_SECS, 0),
    JS_FIELD(struct telegram_message, chat,        "chat.id",                     JS_I64,  JS_REQ),
    JS_FIELD(struct telegram_message, chat_type,   "chat.type",                   JS_STR,  JS_REQ),
    JS_FIELD(struct telegram_message, chat_title,  "chat.title",                  JS_STR,  0),
    JS_FIELD(struct telegram_message, thread,      "message_thread_id",           JS_I64,  0),
    JS_FIELD(struct telegram_message, text,        "text",                        JS_STR,  0),
    JS_FIELD(struct telegram_message, caption,     "caption",                     JS_STR,  0),
    JS_FIELD(struct telegram_message, business,    "business_connection_id",      JS_STR,  0),
    JS_FIELD(struct telegram_message, guest_query, "guest_query_id",              JS_STR,  0),
    JS_FIELD(struct telegram_message, reply_id,    "reply_to_message.message_id", JS_I64,  0),
    JS_FIELD(struct telegram_message, moved_to,    "migrate_to_chat_id",          JS_I64,  0),
    JS_FIELD(struct telegram_message, moved_from,  "migrate_from_chat_id",        JS_I64,  0),
};
/* clang-format on */

struct update {
    struct call *c;
    struct inbox *in;
    slice id, type;
    const struct js *doc; /* what stands under its type */
};

/* ---- small common things ------------------------------------------------------------------------------------------- */

static bool read_at(struct update *u, const struct js *v, const char *path, const struct js_field *t, size_t n, void *into)
{
    struct fault f = { 0 };
    if (js_read(u->c->a, v, t, n, into, &f))
        return true;
    slice field = arena_printf(u->c->a, SLF "%s%s%s%s", SLA(u->type), *path ? "." : "", path, f.field[0] ? "." : "", f.field);
    return fault(u->c->f, f.code, field.p, "%s", f.text);
}

static bool read_message(struct update *u, const struct js *v, const char *path, struct telegram_message *ret)
{
    *ret = (struct telegram_message){ .doc = v };
    if (!read_at(u, v, path, message_fields, COUNT(message_fields), ret))
        return false;
    slice of = arena_printf(u->c->a, "%s%sfrom", path, *path ? "." : "");
    return !js_at(v, "from") || read_at(u, js_at(v, "from"), of.p, from_fields, COUNT(from_fields), &ret->from);
}

static bool ignore(struct update *u, const char *rule)
{
    inbox_ignore(u->in, rule, u->id);
    return true;
}

static slice number(struct arena *a, int64_t v)
{
    return arena_printf(a, "%lld", (long long)v);
}

static bool is_group(const struct telegram_message *t)
{
    return slice_eq(t->chat_type, SL("group")) || slice_eq(t->chat_type, SL("supergroup"));
}

/* The memory's name for a group that became a supergroup: its guests keep the name they had. */
static slice moved_key(struct arena *a, int64_t chat)
{
    return arena_printf(a, "moved:%lld", (long long)chat);
}

/* Of one owner's customer: another who lets the bot into an account may have the same, and that chat has the same number. */
static slice business_guest(struct arena *a, slice chat, slice connection)
{
    return arena_printf(a, "b" SLF "." SLF, SLA(chat), SLA(connection));
}

static slice guest_of(struct update *u, const struct telegram_message *t, int64_t from)
{
    struct arena *a = u->c->a;
    slice chat = slice_or(memory_get(u->c->memory, moved_key(a, t->chat).p, u->c->now_ms), number(a, t->chat));
    if (t->business.n)
        return business_guest(a, chat, t->business);
    if (!is_group(t))
        return chat;
    if (js_true(js_at(t->doc, "is_topic_message")) && t->thread)
        return arena_printf(a, SLF ".%lld.%lld", SLA(chat), (long long)from, (long long)t->thread);
    return arena_printf(a, SLF ".%lld", SLA(chat), (long long)from);
}

static slice message_id(struct arena *a, const struct telegram_message *t)
{
    return arena_printf(a, "%lld:%lld", (long long)t->chat, (long long)t->id);
}

static struct message *add(struct update *u, const struct telegram_message *t, const struct telegram_from *from, enum kind kind)
{
    struct arena *a = u->c->a;
    struct message *m = inbox_add(u->in, kind);
    m->id = u->id;
    m->guest = guest_of(u, t, from->id);
    m->at_ms = t->at_ms;
    m->origin = ORIGIN_GUEST;
    m->from.id = number(a, from->id);
    m->from.first_name = from->first;
    m->from.last_name = from->last;
    m->from.name = slice_trim(arena_printf(a, SLF " " SLF, SLA(from->first), SLA(from->last)));
    m->from.locale = from->language;
    message_data(a, m, SL("username"), from->username);
    if (is_group(t)) {
        m->group = number(a, t->chat);
        message_data(a, m, SL("group"), t->chat_title);
        inbox_remember(u->in, m, TELEGRAM_LAST, number(a, t->id), 0);
    }
    return m;
}

static struct message *add_event(struct update *u, const struct telegram_message *t, const struct telegram_from *from,
                                 enum event event, slice name)
{
    struct message *m = add(u, t, from, KIND_EVENT);
    m->event = (int)event;
    m->name = name;
    return m;
}

/* ---- text and its entities: "Entities" ----------------------------------------------------------------------------- */

struct entity {
    slice type, url;
    int64_t offset, length, user;
};
/* clang-format off */
static const struct js_field entity_fields[] = {
    JS_FIELD(struct entity, type,   "type",    JS_STR, JS_REQ),
    JS_FIELD(struct entity, offset, "offset",  JS_I64, JS_REQ),
    JS_FIELD(struct entity, length, "length",  JS_I64, JS_REQ),
    JS_FIELD(struct entity, url,    "url",     JS_STR, 0),
    JS_FIELD(struct entity, user,   "user.id", JS_I64, 0),
};
/* clang-format on */

struct said { /* a text as an agent shall read it */
    slice text;
    bool mentioned; /* it names the bot, or is a command to it */
};

/* The bytes before so many UTF-16 units; what lies outside ends with the text. */
static size_t byte_at(slice text, int64_t units)
{
    return utf8_cut_utf16(text, units < 0 ? 0 : (size_t)units).n;
}

static bool names_bot(struct call *c, const struct entity *e, slice part)
{
    int64_t own = 0;
    slice name = telegram_bot_name(c);
    if (slice_eq(e->type, SL("text_mention")))
        return slice_int(telegram_bot_id(c), &own) && e->user == own;
    if (slice_eq(e->type, SL("mention")))
        return name.n && slice_eq_nocase(slice_from(part, 1), name);
    if (!slice_eq(e->type, SL("bot_command")))
        return false;
    slice at = part;
    slice_cut(&at, '@');
    return !at.p || (name.n && slice_eq_nocase(at, name));
}

static bool read_said(struct update *u, slice text, const struct js *entities, const char *path, struct said *ret)
{
    struct text out = text_new(u->c->a, TELEGRAM_BODY_BYTES * 4);
    size_t done = 0;
    *ret = (struct said){ .text = text };
    for (size_t i = 0; i < js_len(entities); i++) {
        struct entity e = { 0 };
        if (!read_at(u, js_item(entities, i), arena_printf(u->c->a, "%s[%zu]", path, i).p, entity_fields, COUNT(entity_fields), &e))
            return false;
        e.offset = MIN(MAX(e.offset, INT64_C(0)), (int64_t)text.n); /* numbers of a stranger's */
        e.length = MIN(MAX(e.length, INT64_C(0)), (int64_t)text.n);
        size_t from = byte_at(text, e.offset), to = byte_at(text, e.offset + e.length);
        bool bot = names_bot(u->c, &e, slice_sub(text, from, to - from));
        ret->mentioned |= bot;
        if (from < done)
            continue; /* inside one before */
        if (bot && !slice_eq(e.type, SL("bot_command"))) {
            text_put(&out, slice_sub(text, done, from - done));
            done = to;
        } else if (slice_eq(e.type, SL("text_link")) && e.url.n) {
            text_put(&out, slice_sub(text, done, to - done));
            text_add(&out, " (" SLF ")", SLA(e.url));
            done = to;
        }
    }
    text_put(&out, slice_from(text, done));
    if (text.n)
        ret->text = slice_trim(text_slice(&out));
    return true;
}

/* ---- content: "Messages" ------------------------------------------------------------------------------------------- */

struct file {
    slice id, type, name, preview;
    int64_t size, width, height, duration_s;
};
/* clang-format off */
static const struct js_field file_fields[] = {
    JS_FIELD(struct file, id,         "file_id",   JS_STR, JS_REQ),
    JS_FIELD(struct file, type,       "mime_type", JS_STR, 0),
    JS_FIELD(struct file, name,       "file_name", JS_STR, 0),
    JS_FIELD(struct file, size,       "file_size", JS_I64, 0),
    JS_FIELD(struct file, width,      "width",     JS_I64, 0),
    JS_FIELD(struct file, height,     "height",    JS_I64, 0),
    JS_FIELD(struct file, duration_s, "duration",  JS_I64, 0),
};
/* The order matters: an animation is also a document, a live photo also a photo, a venue also a location. */
static const struct media_kind { const char *wire; enum kind kind; slice type, name; } media_kinds[] = {
    { "animation",  KIND_VIDEO, SLI("video/mp4"),  SLI("animation.mp4") },
    { "live_photo", KIND_VIDEO, SLI("video/mp4"),  SLI("live-photo.mp4") },
    { "photo",      KIND_IMAGE, SLI("image/jpeg"), SLI("photo.jpg") },
    { "video",      KIND_VIDEO, SLI("video/mp4"),  SLI("video.mp4") },
    { "video_note", KIND_VIDEO, SLI("video/mp4"),  SLI("video-note.mp4") },
    { "audio",      KIND_AUDIO, SLI("audio/mpeg"), SLI("audio.mp3") },
    { "voice",      KIND_AUDIO, SLI("audio/ogg"),  SLI("voice.ogg") },
    { "document",   KIND_FILE,  { NULL, 0 },       SLI("file") },
};
/* clang-format on */

static void put_media(struct call *c, struct message *m, const struct file *f, slice type, slice name)
{
    struct media *md = LIST_ADD(c->a, &m->media, struct media);
    *md = (struct media){ .id = f->id, .type = slice_or(f->type, type), .name = slice_or(f->name, name), .size = MAX(f->size, 0),
                          .width = MAX(f->width, 0), .height = MAX(f->height, 0) };
    if (f->duration_s > 0 && f->duration_s < INT32_MAX)
        md->duration_ms = f->duration_s * 1000;
    if (f->size <= TELEGRAM_DOWNLOAD_BYTES)
        return;
    md->error = arena_printf(c->a, "%lld bytes; Telegram hands over at most %d", (long long)f->size, TELEGRAM_DOWNLOAD_BYTES);
    md->id = SLICE_NONE;
}

static bool on_media(struct update *u, const struct telegram_message *t, const struct media_kind *k, slice text)
{
    const struct js *v = js_at(t->doc, k->wire);
    if (js_is_array(v)) /* sizes of one photo, the largest last */
        v = js_item(v, js_len(v) ? js_len(v) - 1 : 0);
    struct file f = { 0 };
    if (!read_at(u, v, k->wire, file_fields, COUNT(file_fields), &f))
        return false;
    enum kind kind = k->kind == KIND_FILE && slice_starts(f.type, SL("image/")) ? KIND_IMAGE : k->kind;
    struct message *m = add(u, t, &t->from, kind);
    m->peer_id = message_id(u->c->a, t);
    m->text = text;
    put_media(u->c, m, &f, k->type, k->name);
    return true;
}

static bool on_sticker(struct update *u, const struct telegram_message *t, const struct js *v)
{
    struct {
        slice unique, set, emoji;
        bool animated, video;
    } s = { 0 };
    const struct js_field fields[] = {
        JS_FIELD(__typeof__(s), unique, "file_unique_id", JS_STR, JS_REQ), JS_FIELD(__typeof__(s), set, "set_name", JS_STR, 0),
        JS_FIELD(__typeof__(s), emoji, "emoji", JS_STR, 0),                JS_FIELD(__typeof__(s), animated, "is_animated", JS_BOOL, 0),
        JS_FIELD(__typeof__(s), video, "is_video", JS_BOOL, 0),
    };
    if (!read_at(u, v, "sticker", fields, COUNT(fields), &s))
        return false;
    bool moves = s.animated || s.video;
    const struct js *picture = moves ? js_at(v, "thumbnail") : v;
    struct file f = { 0 };
    if (picture && !read_at(u, picture, moves ? "sticker.thumbnail" : "sticker", file_fields, COUNT(file_fields), &f))
        return false;
    struct message *m = add(u, t, &t->from, KIND_STICKER);
    m->peer_id = message_id(u->c->a, t);
    m->sticker = (struct sticker){ .package = s.set, .id = s.unique, .title = s.emoji, .animated = moves };
    if (f.id.n)
        put_media(u->c, m, &f, SL("image/webp"), SL("sticker.webp"));
    return true;
}

static bool on_location(struct update *u, const struct telegram_message *t, const struct js *v, const char *path)
{
    struct location w = { .present = true };
    const struct js_field fields[] = {
        JS_FIELD(struct location, lat_deg, "latitude", JS_F64, JS_REQ),
        JS_FIELD(struct location, lon_deg, "longitude", JS_F64, JS_REQ),
    };
    if (!read_at(u, v, path, fields, COUNT(fields), &w))
        return false;
    w.title = js_text(js_at(t->doc, "venue.title"));
    w.address = js_text(js_at(t->doc, "venue.address"));
    struct message *m = add(u, t, &t->from, KIND_LOCATION);
    m->peer_id = message_id(u->c->a, t);
    m->location = w;
    return true;
}

static bool add_text(struct update *u, const struct telegram_message *t, slice text)
{
    struct message *m = add(u, t, &t->from, KIND_TEXT);
    m->peer_id = message_id(u->c->a, t);
    m->text = text;
    if (t->reply_id)
        m->reply_to = arena_printf(u->c->a, "%lld:%lld", (long long)t->chat, (long long)t->reply_id);
    return true;
}

static bool on_contact(struct update *u, const struct telegram_message *t, const struct js *v)
{
    slice first = js_text(js_at(v, "first_name")), last = js_text(js_at(v, "last_name"));
    slice phone = js_text(js_at(v, "phone_number"));
    if (!phone.n)
        return fault(u->c->f, "missing_field", "message.contact.phone_number", "is required");
    slice name = slice_trim(arena_printf(u->c->a, SLF " " SLF, SLA(first), SLA(last)));
    return add_text(u, t, arena_printf(u->c->a, SLF "%s%s" SLF, SLA(name), name.n ? ", " : "", slice_starts(phone, SL("+")) ? "" : "+",
                                       SLA(phone)));
}

/* Kinds with no word of ours: a text that says what it was. */
static const struct {
    const char *wire, *text;
} placeholders[] = {
    { "poll", "poll.question" },     { "game", "game.title" },        { "story", NULL },     { "checklist", "checklist.title" },
    { "paid_media", NULL },          { "rich_message", NULL },        { "invoice", "invoice.title" },
    { "giveaway", NULL },            { "giveaway_winners", NULL },
};

static bool on_placeholder(struct update *u, const struct telegram_message *t, bool *ret_done)
{
    for (size_t i = 0; i < COUNT(placeholders); i++) {
        if (!js_at(t->doc, placeholders[i].wire))
            continue;
        slice more = placeholders[i].text ? js_text(js_at(t->doc, placeholders[i].text)) : SLICE_NONE;
        *ret_done = true;
        return add_text(u, t, arena_printf(u->c->a, "[%s]%s" SLF, placeholders[i].wire, more.n ? " " : "", SLA(more)));
    }
    return true;
}

static bool on_content(struct update *u, const struct telegram_message *t, slice said)
{
    const struct js *v;
    for (size_t i = 0; i < COUNT(media_kinds); i++)
        if (js_at(t->doc, media_kinds[i].wire))
            return on_media(u, t, &media_kinds[i], said);
    if ((v = js_at(t->doc, "sticker")))
        return on_sticker(u, t, v);
    if ((v = js_at(t->doc, "venue.location")))
        return on_location(u, t, v, "venue.location");
    if ((v = js_at(t->doc, "location")))
        return on_location(u, t, v, "location");
    if ((v = js_at(t->doc, "contact")))
        return on_contact(u, t, v);
    if ((v = js_at(t->doc, "dice"))) {
        int64_t value = 0;
        if (!js_int(js_at(v, "value"), &value))
            return fault(u->c->f, "missing_field", "message.dice.value", "is required");
        return add_text(u, t, arena_printf(u->c->a, SLF " %lld", SLA(js_text(js_at(v, "emoji"))), (long long)value));
    }
    if ((v = js_at(t->doc, "web_app_data"))) {
        struct message *m = add(u, t, &t->from, KIND_ANSWER);
        m->payload = js_text(js_at(v, "data"));
        m->text = js_text(js_at(v, "button_text"));
        return true;
    }
    if (said.n)
        return add_text(u, t, said);
    bool done = false;
    return on_placeholder(u, t, &done) && (done || ignore(u, t->text.p ? "empty-mention" : "service-message"));
}

/* ---- message ------------------------------------------------------------------------------------------------------- */

/* "/start payload": the guest pressed START, perhaps behind a link with a payload. */
static bool on_start(struct update *u, const struct telegram_message *t, bool *ret_done)
{
    slice rest = t->text, command = slice_cut(&rest, ' '), at = command;
    *ret_done = !is_group(t) && slice_eq(slice_cut(&at, '@'), SL("/start"));
    if (!*ret_done)
        return true;
    struct message *m = add_event(u, t, &t->from, EVENT_START, SL("start"));
    m->peer_id = message_id(u->c->a, t);
    m->text = slice_trim(rest);
    return true;
}

/* The group became a supergroup: what is known of its guests goes on under the old name. */
static bool on_moved(struct update *u, const struct telegram_message *t)
{
    int64_t from = t->moved_to ? t->chat : t->moved_from, to = t->moved_to ? t->moved_to : t->chat;
    slice first = memory_get(u->c->memory, moved_key(u->c->a, from).p, u->c->now_ms);
    memory_set(u->c->memory, moved_key(u->c->a, to).p, slice_or(arena_dup(u->c->a, first), number(u->c->a, from)), u->c->now_ms + TELEGRAM_MOVED_MS);
    return ignore(u, "group-moved");
}

static bool to_the_bot(struct update *u, const struct telegram_message *t, const struct said *said)
{
    int64_t own = 0, to = 0;
    return said->mentioned || (slice_int(telegram_bot_id(u->c), &own) &&
                               js_int(js_at(t->doc, "reply_to_message.from.id"), &to) && to == own);
}

static bool read_all(struct update *u, struct telegram_message *t, struct said *ret)
{
    return read_message(u, u->doc, "", t) &&
           read_said(u, t->text.p ? t->text : t->caption, js_at(u->doc, t->text.p ? "entities" : "caption_entities"),
                     t->text.p ? "entities" : "caption_entities", ret);
}

/* Whose words are they? False: nobody's that we answer; the rule says why. */
static const char *not_a_guest(const struct telegram_message *t)
{
    if (!t->from.id)
        return "no-sender";
    if (t->from.is_bot)
        return "bot";
    if (slice_eq(t->chat_type, SL("channel")))
        return "channel";
    if (t->business.n && t->from.id != t->chat)
        return "business-owner"; /* typed by the account's owner: not from the guest */
    return NULL;
}

static bool on_message(struct update *u)
{
    struct telegram_message t;
    struct said said;
    bool done = false;
    if (!read_all(u, &t, &said))
        return false;
    if (t.moved_to || t.moved_from)
        return on_moved(u, &t);
    const char *rule = not_a_guest(&t);
    if (rule)
        return ignore(u, rule);
    if (is_group(&t) && !to_the_bot(u, &t, &said))
        return ignore(u, "not-addressed");
    if (!on_start(u, &t, &done) || done)
        return !u->c->f->code;
    return on_content(u, &t, said.text);
}

static bool on_edited(struct update *u)
{
    struct telegram_message t;
    struct said said;
    if (!read_all(u, &t, &said))
        return false;
    const char *rule = not_a_guest(&t);
    if (!rule && js_at(u->doc, "location"))
        rule = "live-location";
    if (!rule && is_group(&t) && !to_the_bot(u, &t, &said))
        rule = "not-addressed";
    if (!rule && !said.text.n)
        rule = "edit-without-text";
    if (rule)
        return ignore(u, rule);
    struct message *m = add_event(u, &t, &t.from, EVENT_EDITED, u->type);
    m->at_ms = t.edited_ms ? t.edited_ms : t.at_ms;
    m->of = message_id(u->c->a, &t);
    m->text = said.text;
    return true;
}

/* ---- buttons: "Buttons" -------------------------------------------------------------------------------------------- */

static slice label_of(const struct js *markup, slice payload)
{
    const struct js *rows = js_at(markup, "inline_keyboard");
    for (size_t i = 0; i < js_len(rows); i++)
        for (size_t k = 0; k < js_len(js_item(rows, i)); k++) {
            const struct js *b = js_item(js_item(rows, i), k);
            if (slice_eq(js_text(js_at(b, "callback_data")), payload))
                return js_text(js_at(b, "text"));
        }
    return payload;
}

/* "Answers in the response": the button stops spinning with the 200, without a call of ours. */
static void answer_callback(struct update *u, slice id)
{
    struct jw w = jw_new(u->c->a, TELEGRAM_BODY_BYTES);
    jw_open(&w, NULL, '{');
    jw_str(&w, "method", SL("answerCallbackQuery"));
    jw_str(&w, "callback_query_id", id);
    jw_close(&w, '}');
    inbox_answer(u->in, 200, SL("application/json"), jw_done(&w));
}

static bool on_callback(struct update *u)
{
    struct {
        slice id, data;
    } q = { 0 };
    const struct js_field fields[] = {
        JS_FIELD(__typeof__(q), id, "id", JS_STR, JS_REQ),
        JS_FIELD(__typeof__(q), data, "data", JS_STR, 0),
    };
    struct telegram_from from = { 0 };
    struct telegram_message t = { .doc = js_at(u->doc, "message") };
    if (!read_at(u, u->doc, "", fields, COUNT(fields), &q) ||
        !read_at(u, js_at(u->doc, "from"), "from", from_fields, COUNT(from_fields), &from))
        return false;
    answer_callback(u, q.id);
    if (!t.doc || !q.data.n)
        return ignore(u, "foreign-button");
    if (!read_at(u, t.doc, "message", message_fields, COUNT(message_fields), &t))
        return false;
    if (t.business.n && from.id != t.chat)
        return ignore(u, "business-owner");
    t.at_ms = u->c->now_ms; /* the message's own time is that of its sending; 0 when it is too old to be shown */
    t.doc = js_at(u->doc, "message");
    struct message *m = add(u, &t, &from, KIND_ANSWER);
    m->payload = q.data;
    m->text = label_of(js_at(t.doc, "reply_markup"), q.data);
    inbox_remember(u->in, m, TELEGRAM_TAPPED, number(u->c->a, t.id), 0);
    return true;
}

/* ---- the rest ------------------------------------------------------------------------------------------------------ */

static bool on_member(struct update *u)
{
    struct {
        int64_t chat, at_ms;
        slice type, was, is;
    } e = { 0 };
    const struct js_field fields[] = {
        JS_FIELD(__typeof__(e), chat, "chat.id", JS_I64, JS_REQ),
        JS_FIELD(__typeof__(e), type, "chat.type", JS_STR, JS_REQ),
        JS_FIELD(__typeof__(e), at_ms, "date", JS_SECS, JS_REQ),
        JS_FIELD(__typeof__(e), was, "old_chat_member.status", JS_STR, 0),
        JS_FIELD(__typeof__(e), is, "new_chat_member.status", JS_STR, JS_REQ),
    };
    struct telegram_from from = { 0 };
    if (!read_at(u, u->doc, "", fields, COUNT(fields), &e) ||
        !read_at(u, js_at(u->doc, "from"), "from", from_fields, COUNT(from_fields), &from))
        return false;
    bool blocked = slice_eq(e.is, SL("kicked")), back = slice_eq(e.was, SL("kicked")) && slice_eq(e.is, SL("member"));
    if (!slice_eq(e.type, SL("private")))
        return ignore(u, "membership-of-group"); /* guests of a group are its members, one by one */
    if (!blocked && !back)
        return ignore(u, "membership");
    const struct telegram_message t = { .chat = e.chat, .chat_type = e.type, .at_ms = e.at_ms, .doc = u->doc };
    struct message *m = add_event(u, &t, &from, blocked ? EVENT_BLOCKED : EVENT_START, e.is);
    if (back)
        m->text = SL("unblocked");
    return true;
}

/* One message each, of the customer's chat with the owner. */
static bool on_business_deleted(struct update *u)
{
    struct {
        slice business;
        int64_t chat;
    } e = { 0 };
    const struct js_field fields[] = {
        JS_FIELD(__typeof__(e), business, "business_connection_id", JS_STR, JS_REQ),
        JS_FIELD(__typeof__(e), chat, "chat.id", JS_I64, JS_REQ),
    };
    if (!read_at(u, u->doc, "", fields, COUNT(fields), &e))
        return false;
    const struct js *ids = js_at(u->doc, "message_ids");
    for (size_t i = 0; i < js_len(ids); i++) {
        int64_t id = 0;
        if (!js_int(js_item(ids, i), &id))
            return fault(u->c->f, "wrong_type", "deleted_business_messages.message_ids", "must be numbers");
        struct message *m = inbox_add(u->in, KIND_EVENT);
        m->id = i ? arena_printf(u->c->a, SLF ":%zu", SLA(u->id), i) : u->id;
        m->guest = business_guest(u->c->a, number(u->c->a, e.chat), e.business);
        m->at_ms = u->c->now_ms;
        m->origin = ORIGIN_GUEST;
        m->event = EVENT_DELETED;
        m->name = u->type;
        m->of = arena_printf(u->c->a, "%lld:%lld", (long long)e.chat, (long long)id);
    }
    return js_len(ids) ? true : ignore(u, "no-messages");
}

static enum outcome nothing_to_call(struct call *c, struct delivery *d)
{
    (void)c, (void)d;
    return OUT_DELIVERED;
}

/* d->keep: the query. */
static void invite(struct call *c, const struct delivery *d, enum outcome end, struct inbox *in)
{
    slice name = telegram_bot_name(c);
    (void)end;
    if (!name.n)
        return;
    struct jw w = jw_new(c->a, TELEGRAM_BODY_BYTES);
    jw_open(&w, NULL, '{');
    jw_str(&w, "method", SL("answerGuestQuery"));
    jw_str(&w, "guest_query_id", d->keep);
    jw_open(&w, "result", '{');
    jw_str(&w, "type", SL("article"));
    jw_str(&w, "id", SL("1"));
    jw_str(&w, "title", SL("Chat"));
    jw_open(&w, "input_message_content", '{');
    jw_str(&w, "message_text", arena_printf(c->a, "https://t.me/" SLF, SLA(name)));
    jw_close(&w, '}');
    jw_close(&w, '}');
    jw_close(&w, '}');
    inbox_answer(in, 200, SL("application/json"), jw_done(&w));
}

/* "Guest mode": one answer, at once, that asks over to the private chat. Asked for, because only where the account's memory is at hand the bot's name is known. */
static bool on_guest_message(struct update *u)
{
    slice query = js_text(js_at(u->doc, "guest_query_id"));
    if (!query.n)
        return fault(u->c->f, "missing_field", "guest_message.guest_query_id", "is required");
    inbox_ask(u->in, nothing_to_call, query, invite);
    return ignore(u, "guest-mode");
}

static bool on_connection(struct update *u)
{
    return ignore(u, "business-connection"); /* its messages name it themselves */
}

/* clang-format off */
static const struct { const char *wire; bool (*on)(struct update *u); } updates[] = { /* "Updates" */
    { "message",                   on_message },
    { "edited_message",            on_edited },
    { "callback_query",            on_callback },
    { "my_chat_member",            on_member },
    { "business_message",          on_message },
    { "edited_business_message",   on_edited },
    { "deleted_business_messages", on_business_deleted },
    { "business_connection",       on_connection },
    { "guest_message",             on_guest_message },
};
/* clang-format on */

bool telegram_receive(struct call *c, const struct request *rq, struct inbox *in)
{
    const struct js *doc = js_parse(c->a, rq->body, c->f);
    int64_t id = 0;
    if (!doc)
        return false;
    if (!js_int(js_at(doc, "update_id"), &id))
        return fault(c->f, js_at(doc, "update_id") ? "wrong_type" : "missing_field", "update_id", "must be a number");
    struct update u = { .c = c, .in = in, .id = number(c->a, id) };
    for (size_t i = 0; i < COUNT(updates); i++) {
        u.doc = js_at(doc, updates[i].wire);
        u.type = slice_of(updates[i].wire);
        if (!u.doc)
            continue;
        if (!js_is_object(u.doc))
            return fault(c->f, "wrong_type", updates[i].wire, "must be an object");
        return updates[i].on(&u);
    }
    return ignore(&u, "unknown-update");
}
