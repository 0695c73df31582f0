/* custom.c - any application of one's own as a network: it posts what guests say, and is posted what agents answer.
 *
 * Wire facts: docs/wire/custom.md, which is ours; the names in quotes are its sections. What an operator does: docs/networks/custom.md.
 * This is the smallest whole connector: the table, receive, deliver. The others grew from such a file.
 */
#include "hub/connector.h"
#include "wire/crypto.h"
#include "wire/hex.h"

enum custom_setting { CUSTOM_SECRET, CUSTOM_OLD_SECRET, CUSTOM_URL, CUSTOM_SHOW_SYSTEM, CUSTOM_WINDOW, CUSTOM_SETTINGS };
#define CUSTOM_WINDOW_MAX_S 31536000
enum { TEXT_CHARS = 10000, CHOICES = 20, LABEL_CHARS = 100, DATA_MAX = 50, BODY_BYTES = 256 << 10 };
#define SIGNATURE "X-Dragoman-Signature"

/* clang-format off */
static const struct setting custom_settings[CUSTOM_SETTINGS] = {
    [CUSTOM_SECRET]      = { "secret", "Secret", .required = true, .secret = true, .min = 16, .max = 256,
        .help = "Signs what is sent both ways: chosen here, and known to the application" },
    [CUSTOM_OLD_SECRET]  = { "old_secret", "Old secret", .secret = true, .min = 16, .max = 256,
        .help = "Still taken from the application, while it changes over to another one" },
    [CUSTOM_URL]         = { "url", "Address of the application", SETTING_URL, .required = true,
        .help = "Where agents' messages are posted" },
    [CUSTOM_SHOW_SYSTEM] = { "show_system_messages", "Show System Messages", SETTING_BOOL, .otherwise = "false",
        .help = "Tell the guest when an agent joins or leaves and when the conversation ends" },
    [CUSTOM_WINDOW]      = { "reply_window_seconds", "Reply window (seconds)", SETTING_NUMBER, .otherwise = "0", .min = 0, .max = CUSTOM_WINDOW_MAX_S,
        .help = "How long after a guest's last message agents may answer; 0: as long as they like" },
};
static const struct media_rule custom_media[] = { { "*", INT64_C(1) << 40 } }; /* as links: no limit of ours */

/* "Messages": the same names in both directions */
static const struct { enum kind kind; const char *wire; } custom_kinds[] = {
    { KIND_TEXT,  "text" },  { KIND_IMAGE, "image" }, { KIND_VIDEO,    "video" },    { KIND_AUDIO,  "audio" },
    { KIND_FILE,  "file" },  { KIND_TYPING, "typing" }, { KIND_LOCATION, "location" }, { KIND_ANSWER, "answer" },
    { KIND_STATUS, "status" }, { KIND_EVENT, "left" }, { KIND_CHOICES, "choices" },
};

struct custom_in {
    slice id, type, guest, name, email, locale, text, url, media_type, file_name, title, address, payload, of, status;
    const struct js *data;
    double lat_deg, lon_deg;
    int64_t at_ms;
};
static const struct js_field custom_fields[] = { /* "From the application" */
    JS_FIELD(struct custom_in, id,         "id",         JS_STR, JS_REQ),
    JS_FIELD(struct custom_in, type,       "type",       JS_STR, JS_REQ),
    JS_FIELD(struct custom_in, guest,      "guest",      JS_STR, JS_REQ),
    JS_FIELD(struct custom_in, at_ms,      "at",         JS_TIME, 0),
    JS_FIELD(struct custom_in, name,       "name",       JS_STR, 0),
    JS_FIELD(struct custom_in, email,      "email",      JS_STR, 0),
    JS_FIELD(struct custom_in, locale,     "locale",     JS_STR, 0),
    JS_FIELD(struct custom_in, text,       "text",       JS_STR, 0),
    JS_FIELD(struct custom_in, url,        "url",        JS_STR, 0),
    JS_FIELD(struct custom_in, media_type, "media_type", JS_STR, 0),
    JS_FIELD(struct custom_in, file_name,  "file_name",  JS_STR, 0),
    JS_FIELD(struct custom_in, title,      "title",      JS_STR, 0),
    JS_FIELD(struct custom_in, address,    "address",    JS_STR, 0),
    JS_FIELD(struct custom_in, lat_deg,    "latitude",   JS_F64, 0),
    JS_FIELD(struct custom_in, lon_deg,    "longitude",  JS_F64, 0),
    JS_FIELD(struct custom_in, payload,    "payload",    JS_STR, 0),
    JS_FIELD(struct custom_in, of,         "of",         JS_STR, 0),
    JS_FIELD(struct custom_in, status,     "status",     JS_STR, 0),
    JS_FIELD(struct custom_in, data,       "data",       JS_ANY, 0),
};
/* clang-format on */

static const char *wire_of(int kind)
{
    for (size_t i = 0; i < COUNT(custom_kinds); i++)
        if ((int)custom_kinds[i].kind == kind)
            return custom_kinds[i].wire;
    return "text";
}

/* ---- receive: "From the application" ---------------------------------------------------------------------------------- */

static void put_data(struct call *c, struct message *m, const struct js *data)
{
    size_t n = 0;
    for (void *it = js_is_object(data) ? js_first(data) : NULL; it && n < DATA_MAX; it = js_next(data, it), n++)
        message_data(c->a, m, js_key(data, it), js_text(js_value(it)));
}

/* What only some kinds have. False: *c->f. */
static bool put_content(struct call *c, struct message *m, const struct custom_in *t, const struct js *doc)
{
    if (kind_is_media((enum kind)m->kind)) {
        *LIST_ADD(c->a, &m->media, struct media) = (struct media){ .url = t->url, .type = t->media_type, .name = t->file_name };
        return t->url.n || fault(c->f, "missing_field", "url", "a file has an address");
    }
    if (m->kind == (int)KIND_LOCATION) {
        static const char *const both[] = { "latitude", "longitude" };
        for (size_t i = 0; i < COUNT(both); i++)
            if (!js_is_number(js_at(doc, both[i])))
                return fault(c->f, "missing_field", both[i], "a place has both");
        m->location = (struct location){ t->lat_deg, t->lon_deg, t->title, t->address, .present = true };
        return (t->lat_deg >= -90 && t->lat_deg <= 90 && t->lon_deg >= -180 && t->lon_deg <= 180) || fault(c->f, "out_of_range", "latitude", "a place on Earth");
    }
    if (m->kind == (int)KIND_ANSWER) {
        m->payload = slice_or(t->payload, t->text); /* the framework finds the newest choices with it */
        return m->payload.n || fault(c->f, "missing_field", "payload", "an answer has a payload");
    }
    if (m->kind == (int)KIND_STATUS) {
        m->of = t->of;
        for (int i = STATUS_DELIVERED; i < STATUS_MAX; i++)
            if (slice_eq(t->status, slice_of(status_names[i])))
                m->status = i;
        return (m->status && m->of.n) || fault(c->f, "out_of_range", "status", "delivered, read or failed, and of");
    }
    if (m->kind == (int)KIND_EVENT)
        m->event = EVENT_BLOCKED;
    return m->kind != (int)KIND_TEXT || t->text.n || fault(c->f, "missing_field", "text", "a text");
}

static bool custom_receive(struct call *c, const struct request *rq, struct inbox *in)
{
    struct custom_in t = { 0 };
    const struct js *doc = js_parse(c->a, rq->body, c->f);
    if (!doc || !js_read(c->a, doc, custom_fields, COUNT(custom_fields), &t, c->f))
        return false;
    for (size_t i = 0; i < COUNT(custom_kinds); i++) {
        if (!slice_eq(slice_of(custom_kinds[i].wire), t.type) || custom_kinds[i].kind == KIND_CHOICES)
            continue;
        struct message *m = inbox_add(in, custom_kinds[i].kind);
        m->id = t.id;
        m->guest = t.guest;
        m->at_ms = t.at_ms ? t.at_ms : c->now_ms;
        m->text = t.text;
        m->from.name = t.name;
        m->from.email = t.email;
        m->from.locale = t.locale;
        put_data(c, m, t.data);
        return put_content(c, m, &t, doc);
    }
    inbox_ignore(in, "unknown-type", t.id);
    return true;
}

/* ---- deliver: "To the application" ------------------------------------------------------------------------------------ */

static void put_choices(struct jw *w, const struct message *m)
{
    jw_open(w, "choices", '[');
    for (size_t i = 0; i < m->choices.n; i++) {
        const struct choice *ch = LIST_AT(m->choices, struct choice, i);
        jw_open(w, NULL, '{');
        jw_str(w, "label", ch->label);
        jw_str(w, "payload", slice_or(ch->payload, ch->label));
        jw_opt(w, "url", ch->url);
        jw_close(w, '}');
    }
    jw_close(w, ']');
}

static slice body_of(struct call *c, const struct delivery *d, const struct message *m, slice text)
{
    const struct media *md = message_media(m);
    struct jw w = jw_new(c->a, BODY_BYTES);
    jw_open(&w, NULL, '{');
    jw_str(&w, "id", delivery_uuid(c->a, d, d->part));
    jw_str(&w, "type", slice_of(wire_of(m->kind == (int)KIND_EVENT ? (int)KIND_TEXT : m->kind)));
    jw_str(&w, "guest", delivery_guest(c, d));
    if (m->kind != (int)KIND_EVENT)
        jw_opt(&w, "agent", author_name(c->conversation, d->m));
    jw_opt(&w, "text", text);
    if (md) {
        jw_str(&w, "url", md->url);
        jw_opt(&w, "media_type", md->type);
        jw_opt(&w, "file_name", md->name);
    }
    if (m->location.present) {
        jw_double(&w, "latitude", m->location.lat_deg);
        jw_double(&w, "longitude", m->location.lon_deg);
        jw_opt(&w, "title", m->location.title);
        jw_opt(&w, "address", m->location.address);
    }
    if (m->choices.n)
        put_choices(&w, m);
    jw_close(&w, '}');
    return jw_done(&w);
}

static enum outcome post(struct call *c, struct delivery *d, slice body)
{
    if (!body.n)
        return refuse(c, d, REASON_INVALID, "the message is larger than the %d bytes a call may have", BODY_BYTES);
    struct sha256 mac = hmac_sha256(setting(c, CUSTOM_SECRET), body);
    d->call.method = "POST";
    d->call.url = setting(c, CUSTOM_URL);
    d->call.type = SL("application/json");
    d->call.body = body;
    d->call.repeatable = true; /* "To the application": it knows a repeat by the id */
    call_header(&d->call, SIGNATURE, arena_printf(c->a, "sha256=" SLF, SLA(hex_encode(c->a, slice_mem(mac.b, sizeof(mac.b))))));
    return OUT_CALL;
}

static enum outcome custom_deliver(struct call *c, struct delivery *d)
{
    if (d->last && (d->last->status == 404 || d->last->status == 410))
        return refuse(c, d, REASON_UNKNOWN_GUEST, "the application does not know the guest (any more): status %d", d->last->status);
    if (d->last && !answer_good(d->last))
        return answer_outcome(c, d, "the application");
    if (d->last) {
        d->vendor_id = delivery_uuid(c->a, d, d->part);
        d->part++;
    }
    if (d->m->kind == (int)KIND_TYPING)
        return d->last ? OUT_DELIVERED : post(c, d, body_of(c, d, d->m, SLICE_NONE));
    for (; d->part < d->n_parts; d->part++) {
        const struct message *m = &d->parts[d->part];
        slice text = m->kind == (int)KIND_EVENT ? system_text(c, m) : m->text;
        if (m->kind != (int)KIND_EVENT || text.n)
            return post(c, d, body_of(c, d, m, text));
    }
    return OUT_DELIVERED;
}

static const char *const custom_record_keep[] = { "type", "media_type", "status", "locale", NULL };
static const char *const custom_record_ids[] = { "id", NULL };

/* clang-format off */
const struct connector connector_custom = {
    .name     = "custom",
    .title    = "Custom",
    .caps     = {
        .kinds = CAN(KIND_TEXT) | CAN(KIND_IMAGE) | CAN(KIND_VIDEO) | CAN(KIND_AUDIO) | CAN(KIND_FILE) | CAN(KIND_LOCATION) | CAN(KIND_CHOICES) | CAN(KIND_TYPING) |
                 CAN(KIND_EVENT),
        .events = CAN(EVENT_JOINED) | CAN(EVENT_LEFT) | CAN(EVENT_CLOSED),
        .text_max = TEXT_CHARS, .text_unit = UNIT_CHARS, .caption = true, .agent_name = true,
        .media = MEDIA_LINK, .media_rules = custom_media, .n_media_rules = COUNT(custom_media),
        .choices_max = CHOICES, .choice_label_max = LABEL_CHARS, .choice_urls = true,
        .reply_window_setting = CUSTOM_WINDOW,
    },
    .settings = custom_settings, .n_settings = COUNT(custom_settings),
    .hook     = { "/custom", VERIFY_HMAC_SHA256_HEX, SIGNATURE, "sha256=", .secrets = { CUSTOM_SECRET, CUSTOM_OLD_SECRET }, .n_secrets = 2 },
    .record_keep = custom_record_keep, .record_ids = custom_record_ids,
    .receive  = custom_receive,
    .deliver  = custom_deliver,
    .dry      = { .guest = "u1" },
};
/* clang-format on */
