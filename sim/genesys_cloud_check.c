/* genesys_cloud_check.c - the inbound endpoints' schema as rows; the words of a refusal are those of a JSON schema checker. */
#include "sim/genesys_cloud.h"

enum want { W_ANY, W_STRING, W_TEXT, W_TIME, W_OBJECT, W_ARRAY, W_STRINGS, W_BOOL, W_ENUM };
struct rule {
    unsigned shapes;   /* of enum sgc_shape, as bits */
    unsigned required; /* in these of them */
    enum want want;
    const char *path, *names; /* W_ENUM: "Email|Phone|Opaque", any case */
};

#define ON(shape) (1u << (shape))
enum {
    MSG = ON(SGC_MESSAGE),
    RSP = ON(SGC_RESPONSE),
    EVT = ON(SGC_EVENT),
    RCP = ON(SGC_RECEIPT),
    OLD = ON(SGC_OLD),
    GUEST = MSG | RSP | EVT,
    ALL = GUEST | RCP | OLD,
};
#define STATUSES "Sent|Delivered|Failed|Published|Removed"

/* clang-format off */
static const struct rule rules[] = { /* parents before their members */
    { ALL,              ALL,         W_OBJECT,  "channel",                          NULL },
    { ALL,              ALL,         W_TIME,    "channel.time",                     NULL },
    { GUEST | OLD,      GUEST | OLD, W_OBJECT,  "channel.from",                     NULL },
    { GUEST | OLD,      GUEST | OLD, W_TEXT,    "channel.from.id",                  NULL },
    { GUEST | OLD,      GUEST,       W_ENUM,    "channel.from.idType",              "Email|Phone|Opaque" },
    { GUEST | OLD,      0,           W_STRING,  "channel.from.nickname",            NULL },
    { GUEST | OLD,      0,           W_STRING,  "channel.from.firstName",           NULL },
    { GUEST | OLD,      0,           W_STRING,  "channel.from.lastName",            NULL },
    { GUEST | OLD,      0,           W_STRING,  "channel.from.image",               NULL },
    { GUEST | OLD,      0,           W_STRING,  "channel.from.email",               NULL },
    { RCP | OLD,        RCP | OLD,   W_OBJECT,  "channel.to",                       NULL },
    { RCP | OLD,        RCP | OLD,   W_TEXT,    "channel.to.id",                    NULL },
    { ALL,              0,           W_TEXT,    "channel.messageId",                NULL },
    { ALL,              OLD,         W_ENUM,    "channel.platform",                 "Open" },
    { ALL,              OLD,         W_ENUM,    "channel.type",                     "Private" },
    { MSG | RSP | OLD,  0,           W_OBJECT,  "channel.metadata",                 NULL },
    { MSG | RSP | OLD,  0,           W_STRINGS, "channel.metadata.customAttributes",NULL },
    { MSG | RSP | OLD,  0,           W_ENUM,    "channel.metadata.subType",         "None|GoogleBusinessProfile|RoadsideAssistance|YouTube" },
    { OLD,              OLD,         W_ENUM,    "type",                             "Text|Receipt" },
    { OLD,              OLD,         W_ENUM,    "direction",                        "Inbound|Outbound" },
    { MSG | OLD,        0,           W_STRING,  "text",                             NULL },
    { MSG | OLD,        0,           W_ARRAY,   "content",                          NULL },
    { MSG | RSP | OLD,  0,           W_STRINGS, "metadata",                         NULL },
    { RSP,              RSP,         W_TEXT,    "originatingMessageId",             NULL },
    { RSP,              RSP,         W_OBJECT,  "buttonResponse",                   NULL },
    { RSP,              RSP,         W_ENUM,    "buttonResponse.type",              "Button|QuickReply|DatePicker" },
    { RSP,              RSP,         W_STRING,  "buttonResponse.text",              NULL },
    { RSP,              RSP,         W_STRING,  "buttonResponse.payload",           NULL },
    { EVT,              EVT,         W_ARRAY,   "events",                           NULL },
    { EVT,              EVT,         W_ENUM,    "events.0.eventType",               "Typing" },
    { RCP,              RCP,         W_TEXT,    "id",                               NULL },
    { RCP,              RCP,         W_ENUM,    "status",                           STATUSES },
    { OLD,              0,           W_ENUM,    "status",                           STATUSES },
    { RCP | OLD,        0,           W_ARRAY,   "reasons",                          NULL },
    { RCP | OLD,        0,           W_BOOL,    "isFinalReceipt",                   NULL },
};
static const struct rule attachment_rules[] = {
    { ALL, ALL, W_ENUM,   "contentType",           "Attachment" },
    { ALL, ALL, W_OBJECT, "attachment",            NULL },
    { ALL, ALL, W_ENUM,   "attachment.mediaType",  "Image|Video|Audio|File|Link" },
    { ALL, ALL, W_TEXT,   "attachment.url",        NULL },
    { ALL, ALL, W_TEXT,   "attachment.mime",       NULL },
    { ALL, 0,   W_STRING, "attachment.id",         NULL },
    { ALL, 0,   W_STRING, "attachment.text",       NULL },
    { ALL, 0,   W_STRING, "attachment.sha256",     NULL },
    { ALL, 0,   W_STRING, "attachment.filename",   NULL },
};
static const struct { const char *path; size_t off; } texts[] = {
    { "channel.messageId",      offsetof(struct sgc_inbound, message_id) },
    { "channel.time",           offsetof(struct sgc_inbound, time) },
    { "channel.from.id",        offsetof(struct sgc_inbound, from) },
    { "channel.from.idType",    offsetof(struct sgc_inbound, id_type) },
    { "channel.from.nickname",  offsetof(struct sgc_inbound, nickname) },
    { "channel.from.firstName", offsetof(struct sgc_inbound, first_name) },
    { "channel.from.lastName",  offsetof(struct sgc_inbound, last_name) },
    { "channel.from.image",     offsetof(struct sgc_inbound, image) },
    { "channel.from.email",     offsetof(struct sgc_inbound, email) },
    { "channel.to.id",          offsetof(struct sgc_inbound, to) },
    { "text",                   offsetof(struct sgc_inbound, text) },
    { "type",                   offsetof(struct sgc_inbound, type) },
    { "status",                 offsetof(struct sgc_inbound, status) },
    { "id",                     offsetof(struct sgc_inbound, id) },
    { "originatingMessageId",   offsetof(struct sgc_inbound, answers_to) },
    { "buttonResponse.type",    offsetof(struct sgc_inbound, button_type) },
    { "buttonResponse.text",    offsetof(struct sgc_inbound, button_text) },
    { "buttonResponse.payload", offsetof(struct sgc_inbound, button_payload) },
    { "content.0.attachment.mime",      offsetof(struct sgc_inbound, mime) },
    { "content.0.attachment.url",       offsetof(struct sgc_inbound, url) },
    { "content.0.attachment.mediaType", offsetof(struct sgc_inbound, kind) },
    { "content.0.attachment.filename",  offsetof(struct sgc_inbound, name) },
    { "content.0.attachment.sha256",    offsetof(struct sgc_inbound, sha256) },
};
/* clang-format on */

static bool named(const char *names, slice s)
{
    slice rest = slice_of(names);
    while (rest.n)
        if (slice_eq_nocase(slice_cut(&rest, '|'), s))
            return true;
    return false;
}

static bool all_strings(const struct js *v)
{
    for (void *it = js_first(v); it; it = js_next(v, it))
        if (!js_is_string(js_value(it)))
            return false;
    return js_is_object(v);
}

static bool rule_holds(const struct rule *r, const char *where, const struct js *v, struct fault *f)
{
    int64_t ms;
    switch (r->want) {
    case W_ANY:
        return true;
    case W_STRING:
        return js_is_string(v) || fault(f, "bad.request", r->path, "%s.%s should be string", where, r->path);
    case W_TEXT:
        return js_text(v).n ||
               fault(f, "bad.request", r->path, "%s.%s should be a string that is not empty", where, r->path);
    case W_TIME:
        return time_parse_rfc3339(js_text(v), &ms) ||
               fault(f, "invalid.date", r->path, "%s.%s should match format \"date-time\"", where, r->path);
    case W_OBJECT:
        return js_is_object(v) || fault(f, "bad.request", r->path, "%s.%s should be object", where, r->path);
    case W_ARRAY:
        return js_is_array(v) || fault(f, "bad.request", r->path, "%s.%s should be array", where, r->path);
    case W_STRINGS:
        return all_strings(v) || fault(f, "bad.request", r->path,
                                       "%s.%s should be an object whose values are strings", where, r->path);
    case W_BOOL:
        return js_is_bool(v) || fault(f, "bad.request", r->path, "%s.%s should be boolean", where, r->path);
    case W_ENUM:
        return (js_is_string(v) && named(r->names, js_text(v))) ||
               fault(f, "bad.request", r->path, "%s.%s should be equal to one of the allowed values (%s)",
                     where, r->path, r->names);
    }
    return false;
}

static bool rules_hold(const struct rule *t, size_t n, enum sgc_shape shape, const char *where,
                       const struct js *doc, struct fault *f)
{
    for (size_t i = 0; i < n; i++) {
        if (!(t[i].shapes & ON(shape)))
            continue;
        const struct js *v = js_at(doc, t[i].path);
        if (v && !js_is_null(v)) {
            if (!rule_holds(&t[i], where, v, f))
                return false;
        } else if (t[i].required & ON(shape)) {
            return fault(f, "bad.request", t[i].path, "should have required property '%s.%s'", where,
                         t[i].path);
        }
    }
    return true;
}

/* "only Attachment, only one item"; nothing at all is refused in the words of section 3. */
static bool content_holds(const struct sgc_inbound *in, struct fault *f)
{
    if (js_len(in->content) > 1)
        return fault(f, "bad.request", "content", ".content should NOT have more than 1 items");
    if (js_len(in->content) == 1)
        return rules_hold(attachment_rules, COUNT(attachment_rules), SGC_MESSAGE, ".content[0]",
                          js_item(in->content, 0), f);
    return !slice_empty(in->text) ||
           fault(
               f, "bad.request", "content",
               "should have required property 'content', should have required property '.text', should match "
               "some schema in anyOf");
}

bool sgc_check(const struct js *doc, enum sgc_shape shape, struct sgc_inbound *ret, struct fault *f)
{
    if (!rules_hold(rules, COUNT(rules), shape, "", doc, f))
        return false;
    for (size_t i = 0; i < COUNT(texts); i++) {
        slice s = js_text(js_at(doc, texts[i].path));
        memcpy((char *)ret + texts[i].off, &s, sizeof(s));
    }
    ret->content = js_at(doc, "content");
    ret->attributes = js_at(doc, "channel.metadata.customAttributes");
    ret->metadata = js_at(doc, "metadata");
    ret->reasons = js_at(doc, "reasons");
    bool message = shape == SGC_MESSAGE || (shape == SGC_OLD && slice_eq_nocase(ret->type, SL("Text")));
    if (shape == SGC_OLD && !message && (slice_empty(ret->id) || slice_empty(ret->status)))
        return fault(f, "bad.request", "id",
                     "should have required property '.id', should have required property '.status'");
    return !message || content_holds(ret, f);
}
