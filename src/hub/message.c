#include "hub/message.h"
#include "wire/mime.h"

/* clang-format off */
const char *const kind_names[KIND_MAX] = {
#define X(e, name, family) [e] = name,
#include "hub/kinds.def"
#undef X
};
enum { C = 1, E, S };
static const unsigned char kind_family[KIND_MAX] = {
#define X(e, name, family) [e] = family,
#include "hub/kinds.def"
#undef X
};
const char *const event_names[EVENT_MAX] = {
    [EVENT_START] = "start", [EVENT_BLOCKED] = "blocked", [EVENT_DELETED] = "deleted", [EVENT_EDITED] = "edited",
    [EVENT_JOINED] = "joined", [EVENT_LEFT] = "left", [EVENT_CLOSED] = "closed", [EVENT_READ] = "read", [EVENT_OTHER] = "other",
};
const char *const status_names[STATUS_MAX] = {
    [STATUS_SENT] = "sent", [STATUS_DELIVERED] = "delivered", [STATUS_READ] = "read", [STATUS_FAILED] = "failed",
};
const char *const reason_names[REASON_MAX] = {
    [REASON_BLOCKED] = "blocked", [REASON_UNKNOWN_GUEST] = "unknown_guest", [REASON_RATE] = "rate_limited",
    [REASON_WINDOW] = "window_closed", [REASON_MEDIA_TYPE] = "media_type", [REASON_MEDIA_SIZE] = "media_size",
    [REASON_UNSUPPORTED] = "unsupported", [REASON_INVALID] = "invalid", [REASON_EXPIRED] = "expired",
    [REASON_CREDENTIALS] = "credentials", [REASON_SERVER] = "server", [REASON_GENERAL] = "general",
};
const char *const origin_names[ORIGIN_MAX] = {
    [ORIGIN_GUEST] = "guest", [ORIGIN_AGENT] = "agent", [ORIGIN_BOT] = "bot", [ORIGIN_HUB] = "hub",
};

const struct js_field person_fields[PERSON_FIELDS] = {
    JS_FIELD(struct person, id,         "id",         JS_STR, 0),
    JS_FIELD(struct person, name,       "name",       JS_STR, 0),
    JS_FIELD(struct person, first_name, "first_name", JS_STR, 0),
    JS_FIELD(struct person, last_name,  "last_name",  JS_STR, 0),
    JS_FIELD(struct person, picture,    "picture",    JS_STR, 0),
    JS_FIELD(struct person, locale,     "locale",     JS_STR, 0),
    JS_FIELD(struct person, email,      "email",      JS_STR, 0),
};
static const struct js_field media_fields[] = {
    JS_FIELD(struct media, url,         "url",         JS_STR,  0),
    JS_FIELD(struct media, id,          "id",          JS_STR,  0),
    JS_FIELD(struct media, type,        "type",        JS_STR,  0),
    JS_FIELD(struct media, name,        "name",        JS_STR,  0),
    JS_FIELD(struct media, sha256,      "sha256",      JS_STR,  0),
    JS_FIELD(struct media, preview_url, "preview_url", JS_STR,  0),
    JS_FIELD(struct media, handle,      "handle",      JS_STR,  0),
    JS_FIELD(struct media, storage,     "storage",     JS_STR,  0),
    JS_FIELD(struct media, error,       "error",       JS_STR,  0),
    JS_FIELD(struct media, size,        "size",        JS_I64,  0),
    JS_FIELD(struct media, duration_ms, "duration_ms", JS_I64,  0),
    JS_FIELD(struct media, width,       "width",       JS_I64,  0),
    JS_FIELD(struct media, height,      "height",      JS_I64,  0),
    JS_FIELD(struct media, token,       "token",       JS_BOOL, 0),
    JS_FIELD(struct media, token_maybe, "token_maybe", JS_BOOL, 0),
    JS_FIELD(struct media, key,         "key",         JS_STR,  0),
    JS_FIELD(struct media, token_name,  "token_name",  JS_STR,  0),
    JS_FIELD(struct media, exact,       "exact",       JS_BOOL, 0),
    JS_FIELD(struct media, public_url,  "public_url",  JS_BOOL, 0),
};
static const struct js_field location_fields[] = {
    JS_FIELD(struct location, lat_deg, "lat",     JS_F64,  JS_REQ | JS_ZERO),
    JS_FIELD(struct location, lon_deg, "lon",     JS_F64,  JS_REQ | JS_ZERO),
    JS_FIELD(struct location, title,   "title",   JS_STR,  0),
    JS_FIELD(struct location, address, "address", JS_STR,  0),
};
static const struct js_field sticker_fields[] = {
    JS_FIELD(struct sticker, package,  "package",  JS_STR,  0),
    JS_FIELD(struct sticker, id,       "id",       JS_STR,  0),
    JS_FIELD(struct sticker, title,    "title",    JS_STR,  0),
    JS_FIELD(struct sticker, animated, "animated", JS_BOOL, 0),
};
static const struct js_field choice_fields[] = {
    JS_FIELD(struct choice, label,   "label",   JS_STR, 0),
    JS_FIELD(struct choice, payload, "payload", JS_STR, 0),
    JS_FIELD(struct choice, url,     "url",     JS_STR, 0),
    JS_FIELD(struct choice, image,   "image",   JS_STR, 0),
};
static const struct js_field card_fields[] = {
    JS_FIELD(struct card, title, "title", JS_STR, 0),
    JS_FIELD(struct card, text,  "text",  JS_STR, 0),
    JS_FIELD(struct card, image, "image", JS_STR, 0),
    JS_FIELD(struct card, url,   "url",   JS_STR, 0),
    JS_FIELD_LIST(struct card, choices, "choices", struct choice, choice_fields, 0),
};
static const struct js_field slot_fields[] = {
    JS_FIELD(struct time_slot, at_ms,      "at",         JS_TIME, JS_REQ),
    JS_FIELD(struct time_slot, duration_s, "duration_s", JS_I64,  0),
};
static const struct js_field picker_fields[] = {
    JS_FIELD(struct picker, title, "title", JS_STR, 0),
    JS_FIELD(struct picker, text,  "text",  JS_STR, 0),
    JS_FIELD(struct picker, image, "image", JS_STR, 0),
    JS_FIELD_LIST(struct picker, slots,   "slots",   struct time_slot, slot_fields,   0),
    JS_FIELD_LIST(struct picker, choices, "choices", struct choice,    choice_fields, 0),
    JS_FIELD(struct picker, multiple, "multiple", JS_BOOL, 0),
};
static const struct js_field message_fields[] = {
    JS_FIELD_ENUM(struct message, kind, "kind", kind_names, JS_REQ | JS_ZERO),
    JS_FIELD(struct message, id,          "id",         JS_STR,  0),
    JS_FIELD(struct message, peer_id,     "peer_id",    JS_STR,  0),
    JS_FIELD(struct message, trace_id,    "trace_id",   JS_STR,  0),
    JS_FIELD(struct message, guest,       "guest",      JS_STR,  0),
    JS_FIELD(struct message, at_ms,       "at",         JS_TIME, 0),
    JS_FIELD_ENUM(struct message, origin, "origin", origin_names, 0),
    JS_FIELD_OBJ(struct message, from, "from", person_fields, 0),
    JS_FIELD(struct message, text,        "text",       JS_STR,  0),
    JS_FIELD(struct message, payload,     "payload",    JS_STR,  0),
    JS_FIELD(struct message, of,          "of",         JS_STR,  0),
    JS_FIELD(struct message, reply_to,    "reply_to",   JS_STR,  0),
    JS_FIELD_LIST(struct message, media, "media", struct media, media_fields, 0),
    JS_FIELD_OBJ(struct message, sticker, "sticker", sticker_fields, 0),
    JS_FIELD_LIST(struct message, choices, "choices", struct choice, choice_fields, 0),
    JS_FIELD_LIST(struct message, cards, "cards", struct card, card_fields, 0),
    JS_FIELD_OBJ(struct message, picker, "picker", picker_fields, 0),
    JS_FIELD(struct message, native_for,  "native_for", JS_STR,  0),
    JS_FIELD(struct message, native_json, "native",     JS_RAW,  0),
    JS_FIELD_ENUM(struct message, event,  "event",  event_names,  0),
    JS_FIELD(struct message, name,        "name",       JS_STR,  0),
    JS_FIELD_ENUM(struct message, status, "status", status_names, 0),
    JS_FIELD_ENUM(struct message, reason, "reason", reason_names, 0),
    JS_FIELD(struct message, reason_text, "reason_text", JS_STR, 0),
    JS_FIELD(struct message, final,       "final",      JS_BOOL, 0),
    JS_FIELD(struct message, typing_ms,   "typing_ms",  JS_I64,  0),
    JS_FIELD(struct message, group,       "group",      JS_STR,  0),
    JS_FIELD(struct message, desk_conversation, "desk_conversation", JS_STR, 0),
    JS_FIELD(struct message, data,        "data",       JS_PAIRS, 0),
    JS_FIELD(struct message, private,     "private",    JS_BOOL, 0),
};
/* clang-format on */

bool kind_is_content(enum kind k)
{
    return kind_family[k] == C;
}

enum kind kind_of_file(slice type)
{
    switch (mime_kind(type)) {
    case MIME_IMAGE: return KIND_IMAGE;
    case MIME_VIDEO: return KIND_VIDEO;
    case MIME_AUDIO: return KIND_AUDIO;
    case MIME_FILE: break;
    }
    return KIND_FILE;
}

bool kind_is_media(enum kind k)
{
    return k == KIND_IMAGE || k == KIND_VIDEO || k == KIND_AUDIO || k == KIND_FILE;
}

void message_write(struct jw *w, const char *key, const struct message *m)
{
    jw_open(w, key, '{');
    jw_fields(w, message_fields, COUNT(message_fields), m);
    if (m->location.present) {
        jw_open(w, "location", '{');
        jw_fields(w, location_fields, COUNT(location_fields), &m->location);
        jw_close(w, '}');
    }
    jw_close(w, '}');
}

enum { MESSAGE_BYTES = 1 << 20 };

slice message_print(struct arena *a, const struct message *m)
{
    struct jw w = jw_new(a, MESSAGE_BYTES);
    message_write(&w, NULL, m);
    return jw_done(&w);
}

bool message_fits(struct arena *a, const struct message *m)
{
    slice json = message_print(a, m);
    return json.p && json.n <= MESSAGE_BYTES - MESSAGE_ADDED_MAX;
}

bool message_read(struct arena *a, const struct js *v, struct message *ret, struct fault *f)
{
    struct message m = { 0 };
    if (!js_read(a, v, message_fields, COUNT(message_fields), &m, f))
        return false;
    const struct js *where = js_at(v, "location");
    if (where && !js_is_null(where)) {
        if (!js_read(a, where, location_fields, COUNT(location_fields), &m.location, f))
            return false;
        m.location.present = true;
    }
    *ret = m;
    return true;
}

void message_data(struct arena *a, struct message *m, slice key, slice value)
{
    if (!value.n)
        return;
    *LIST_ADD(a, &m->data, struct js_pair) = (struct js_pair){ key, value };
}
