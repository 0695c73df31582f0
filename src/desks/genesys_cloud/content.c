/* What an outbound message shows to the guest: its text and its content elements become messages, 8.4.
 *
 * Mostly that is one message. Where it must be several (a caption that nothing can carry, a file beside buttons), the last one has the
 * platform's id and those before it the id with ":1", ":2" …: they are delivered in order, so that news about the last one speaks for all. */
#include "desks/genesys_cloud/content.h"
#include "hub/rich.h"

static bool gc_is(const struct js *element, const char *type)
{
    return slice_eq(js_text(js_at(element, "contentType")), slice_of(type));
}

static struct message *gc_piece(struct gc_reading *r, enum kind kind)
{
    struct message *p = LIST_ADD(r->a, &r->pieces, struct message);
    p->kind = (int)kind;
    return p;
}

struct message *gc_piece_of(struct gc_reading *r, enum kind kind)
{
    for (size_t i = 0; i < r->pieces.n; i++)
        if (LIST_AT(r->pieces, struct message, i)->kind == (int)kind)
            return LIST_AT(r->pieces, struct message, i);
    return gc_piece(r, kind);
}

void gc_line(struct gc_reading *r, slice line)
{
    if (line.n)
        r->text = r->text.n ? arena_printf(r->a, SLF "\n" SLF, SLA(r->text), SLA(line)) : line;
}

/* ---- attachments --------------------------------------------------------------------------------------------------------- */

/* clang-format off */
struct gc_attachment {
    slice id, type, url, mime, text, sha256, name;
    int64_t size;
};
static const struct js_field gc_attachment_fields[] = {
    JS_FIELD(struct gc_attachment, id,     "id",               JS_STR, 0),
    JS_FIELD(struct gc_attachment, type,   "mediaType",        JS_STR, JS_REQ),
    JS_FIELD(struct gc_attachment, url,    "url",              JS_STR, JS_REQ),
    JS_FIELD(struct gc_attachment, mime,   "mime",             JS_STR, 0),
    JS_FIELD(struct gc_attachment, text,   "text",             JS_STR, 0),
    JS_FIELD(struct gc_attachment, sha256, "sha256",           JS_STR, 0),
    JS_FIELD(struct gc_attachment, name,   "filename",         JS_STR, 0),
    JS_FIELD(struct gc_attachment, size,   "contentSizeBytes", JS_I64, 0),
};
static const struct { slice wire; enum kind kind; } gc_media_types[] = {
    { SLI("Image"), KIND_IMAGE }, { SLI("Video"), KIND_VIDEO }, { SLI("Audio"), KIND_AUDIO }, { SLI("File"), KIND_FILE },
};
/* clang-format on */

bool gc_read_attachment(struct gc_reading *r, const struct js *v)
{
    struct gc_attachment at = { 0 };
    if (!js_read(r->a, v, gc_attachment_fields, COUNT(gc_attachment_fields), &at, NULL))
        return false;
    if (slice_eq(at.type, SL("Link"))) {
        gc_line(r, at.text);
        gc_line(r, at.url);
        return true;
    }
    for (size_t i = 0; i < COUNT(gc_media_types); i++) {
        if (!slice_eq(gc_media_types[i].wire, at.type))
            continue;
        struct media *md = LIST_ADD(r->a, &gc_piece_of(r, gc_media_types[i].kind)->media, struct media);
        md->id = at.id;
        md->url = at.url;
        md->type = at.mime;
        md->name = at.name;
        md->sha256 = at.sha256;
        md->size = MAX(at.size, 0);
        md->token_maybe = true; /* 8.2: whether the file host wants the token is not settled; gc_token_host guards it */
        return true;
    }
    return false;
}

/* ---- places ---------------------------------------------------------------------------------------------------------------- */

/* clang-format off */
struct gc_place {
    slice url, address, text;
    const struct js *lat, *lon;
};
static const struct js_field gc_place_fields[] = {
    JS_FIELD(struct gc_place, url,     "url",       JS_STR, 0),
    JS_FIELD(struct gc_place, address, "address",   JS_STR, 0),
    JS_FIELD(struct gc_place, text,    "text",      JS_STR, 0),
    JS_FIELD(struct gc_place, lat,     "latitude",  JS_ANY, 0),
    JS_FIELD(struct gc_place, lon,     "longitude", JS_ANY, 0),
};
/* clang-format on */

bool gc_coordinates(const struct js *lat, const struct js *lon, struct location *ret)
{
    double x, y;
    if (!js_double(lat, &x) || !js_double(lon, &y) || !(x >= -90 && x <= 90) || !(y >= -180 && y <= 180))
        return false;
    ret->lat_deg = x;
    ret->lon_deg = y;
    ret->present = true;
    return true;
}

static bool gc_read_location(struct gc_reading *r, const struct js *v)
{
    struct gc_place at = { 0 };
    struct location where = { 0 };
    if (!js_read(r->a, v, gc_place_fields, COUNT(gc_place_fields), &at, NULL))
        return false;
    if (!gc_coordinates(at.lat, at.lon, &where)) {
        gc_line(r, at.text);
        gc_line(r, at.address);
        gc_line(r, at.url);
        return at.text.n || at.address.n || at.url.n;
    }
    where.title = at.text;
    where.address = at.address;
    gc_piece(r, KIND_LOCATION)->location = where;
    return true;
}

static bool gc_read_text(struct gc_reading *r, const struct js *v)
{
    slice body = js_text(js_at(v, "body"));
    if (!slice_eq(body, r->text))
        gc_line(r, body);
    return body.n;
}

/* ---- elements ---------------------------------------------------------------------------------------------------------------- */

/* clang-format off */
static const struct { const char *type, *field; bool (*read)(struct gc_reading *r, const struct js *v); } gc_elements[] = {
    { "Attachment",   "attachment",   gc_read_attachment },
    { "Location",     "location",     gc_read_location },
    { "QuickReply",   "quickReply",   gc_read_quick_reply },
    { "QuickReplyV2", "quickReplyV2", gc_read_quick_reply_v2 },
    { "Card",         "card",         gc_read_card },
    { "Carousel",     "carousel",     gc_read_carousel },
    { "DatePicker",   "datePicker",   gc_read_date_picker },
    { "ListPicker",   "listPicker",   gc_read_list_picker },
    { "Notification", "template",     gc_read_notification },
    { "Text",         "text",         gc_read_text },
};
static const struct { const char *type, *field; enum kind kind; } gc_unreadable[] = { /* passed on whole; few networks have a use for them */
    { "Form",           "form",           KIND_FORM },
    { "PaymentRequest", "paymentRequest", KIND_PAYMENT },
};
/* clang-format on */

static bool gc_element(struct gc_reading *r, const struct js *element)
{
    for (size_t i = 0; i < COUNT(gc_elements); i++)
        if (gc_is(element, gc_elements[i].type))
            return gc_elements[i].read(r, js_at(element, gc_elements[i].field));
    return false;
}

/* What has no text and nothing we can read: the network refuses it, and Genesys Cloud is told so by a receipt ("UnsupportedMessage"). */
static void gc_unsupported(struct gc_reading *r, const struct js *element)
{
    struct message *p = NULL;
    for (size_t i = 0; i < COUNT(gc_unreadable) && !p; i++) {
        if (!gc_is(element, gc_unreadable[i].type))
            continue;
        p = gc_piece(r, gc_unreadable[i].kind);
        p->native_json = js_print(r->a, js_at(element, gc_unreadable[i].field));
    }
    if (!p) {
        p = gc_piece(r, KIND_NATIVE);
        p->native_json = js_print(r->a, element);
    }
    p->native_for = SL("genesys-cloud");
    p->name = js_text(js_at(element, "contentType"));
}

/* ---- text that is JSON, 9 --------------------------------------------------------------------------------------------------------- */

/* Only a whole JSON object that is good is meant to be one; everything else is what the agent wrote. */
static bool gc_read_json(struct gc_reading *r, slice text)
{
    const struct js *doc = rich_doc(r->a, text);
    struct message m;
    if (!doc || !rich_message(r->a, doc, NULL, &m, NULL))
        return false;
    r->text = SLICE_NONE;
    *gc_piece(r, (enum kind)m.kind) = m;
    return true;
}

/* ---- all ----------------------------------------------------------------------------------------------------------------------------- */

static bool gc_holds_text(const struct message *p)
{
    return kind_is_media((enum kind)p->kind) || p->kind == KIND_CHOICES;
}

/* The text goes where it belongs: caption, prompt, or a message of its own before the rest. */
static void gc_place_text(struct gc_reading *r)
{
    if (!r->text.n)
        return;
    for (size_t i = 0; i < r->pieces.n; i++) {
        struct message *p = LIST_AT(r->pieces, struct message, i);
        if (!gc_holds_text(p))
            continue;
        p->text = p->text.n && !slice_eq(p->text, r->text) ? arena_printf(r->a, SLF "\n" SLF, SLA(r->text), SLA(p->text)) : r->text;
        return;
    }
    (void)gc_piece(r, KIND_TEXT); /* room for one more, then everything moves up */
    struct message *first = LIST_AT(r->pieces, struct message, 0);
    memmove(first + 1, first, (r->pieces.n - 1) * sizeof(*first));
    *first = (struct message){ .kind = KIND_TEXT, .text = r->text };
}

void gc_content(struct call *c, const struct gc_outbound *o, slice guest, struct inbox *in)
{
    struct gc_reading r = { .a = c->a, .text = o->text };
    const struct js *unread = NULL;
    for (size_t i = 0; i < js_len(o->content); i++)
        if (!gc_element(&r, js_item(o->content, i)) && !unread)
            unread = js_item(o->content, i);

    struct gc_reading json = { .a = c->a };
    if (!js_len(o->content) && gc_read_json(&json, o->text))
        r = json;
    if (unread && !r.text.n && !r.pieces.n)
        gc_unsupported(&r, unread);
    gc_place_text(&r);
    if (!r.pieces.n)
        inbox_ignore(in, "empty", o->id);

    for (size_t i = 0; i < r.pieces.n; i++) {
        const struct message *p = LIST_AT(r.pieces, struct message, i);
        struct message *m = gc_message(in, (enum kind)p->kind, o, guest);
        struct message envelope = *m;
        *m = *p;
        m->id = i + 1 == r.pieces.n ? o->id : arena_printf(c->a, SLF ":%zu", SLA(o->id), i + 1);
        m->guest = envelope.guest;
        m->at_ms = envelope.at_ms;
        m->origin = envelope.origin;
        m->desk_conversation = envelope.desk_conversation;
        struct gc_offer offer = { .id = o->id, .at_ms = o->at_ms };
        /* Buttons out of a text are ours: Genesys Cloud offered nothing and would not know the answer. */
        if (js_len(o->content) && gc_offer_of(c->a, m, &offer))
            gc_offer_remember(c, in, m, &offer);
    }
}
