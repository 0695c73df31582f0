#include "hub/rich.h"

const struct js *rich_doc(struct arena *a, slice text)
{
    text = slice_trim(text);
    const struct js *doc = slice_starts(text, SL("{")) ? js_parse(a, text, NULL) : NULL;
    return js_is_object(doc) && js_len(doc) ? doc : NULL;
}

/* ---- quick replies --------------------------------------------------------------------------------------------------- */

/* clang-format off */
static const struct js_field reply_fields[] = {
    JS_FIELD(struct choice, label,   "text",    JS_TEXTNUM, JS_REQ),
    JS_FIELD(struct choice, payload, "payload", JS_TEXTNUM, 0),
    JS_FIELD(struct choice, image,   "image",   JS_STR,     0),
};
struct replies {
    slice prompt;
    struct js_list choices; /* struct choice */
};
static const struct js_field replies_fields[] = {
    JS_FIELD(struct replies, prompt, "genesys_prompt", JS_STR, 0),
    JS_FIELD_LIST(struct replies, choices, "genesys_quick_replies", struct choice, reply_fields, JS_REQ),
};
/* clang-format on */

static bool quick_replies(struct arena *a, const struct js *doc, struct message *m, struct fault *f)
{
    struct replies r = { 0 };
    if (!js_read(a, doc, replies_fields, COUNT(replies_fields), &r, f))
        return false;
    if (!r.choices.n || r.choices.n > RICH_CHOICES_MAX)
        return fault(f, "out_of_range", "genesys_quick_replies", "must have 1 to %d replies", RICH_CHOICES_MAX);
    for (size_t i = 0; i < r.choices.n; i++)
        if (!slice_trim(LIST_AT(r.choices, struct choice, i)->label).n)
            return fault(f, "missing_field", "genesys_quick_replies", "reply %zu has no text", i + 1);
    m->kind = KIND_CHOICES;
    m->text = r.prompt;
    m->choices = r.choices;
    return true;
}

/* ---- places and stickers --------------------------------------------------------------------------------------------- */

/* clang-format off */
static const struct js_field place_fields[] = {
    JS_FIELD(struct location, lat_deg, "latitude",  JS_F64, JS_REQ),
    JS_FIELD(struct location, lon_deg, "longitude", JS_F64, JS_REQ),
    JS_FIELD(struct location, title,   "title",     JS_STR, 0),
    JS_FIELD(struct location, address, "address",   JS_STR, 0),
};
static const struct js_field sticker_fields[] = { /* LINE has two numbers, Telegram and Viber one text */
    JS_FIELD(struct sticker, id,      "stickerId", JS_TEXTNUM, JS_REQ),
    JS_FIELD(struct sticker, package, "packageId", JS_TEXTNUM, 0),
    JS_FIELD(struct sticker, title,   "title",     JS_STR,     0),
};
/* clang-format on */

static bool on_this_planet(const struct location *l, struct fault *f)
{
    return (l->lat_deg >= -90 && l->lat_deg <= 90 && l->lon_deg >= -180 && l->lon_deg <= 180) ||
           fault(f, "out_of_range", "latitude", "latitude must be between -90 and 90, longitude between -180 and 180");
}

static bool place(struct arena *a, const struct js *doc, struct message *m, struct fault *f)
{
    struct location l = { .present = true };
    if (!js_read(a, doc, place_fields, COUNT(place_fields), &l, f) || !on_this_planet(&l, f))
        return false;
    m->kind = KIND_LOCATION;
    m->location = l;
    return true;
}

static bool sticker(struct arena *a, const struct js *doc, struct message *m, struct fault *f)
{
    m->kind = KIND_STICKER;
    return js_read(a, doc, sticker_fields, COUNT(sticker_fields), &m->sticker, f);
}

/* ---- our own form ------------------------------------------------------------------------------------------------------ */

static bool good_choices(const struct js_list *choices, const char *field, struct fault *f)
{
    if (choices->n > RICH_CHOICES_MAX)
        return fault(f, "out_of_range", field, "at most %d choices", RICH_CHOICES_MAX);
    for (size_t i = 0; i < choices->n; i++)
        if (!slice_trim(LIST_AT(*choices, struct choice, i)->label).n)
            return fault(f, "missing_field", field, "choice %zu has no label", i + 1);
    return true;
}

static bool good_cards(const struct js_list *cards, struct fault *f)
{
    if (!cards->n || cards->n > RICH_CARDS_MAX)
        return fault(f, "out_of_range", "cards", "must be 1 to %d cards", RICH_CARDS_MAX);
    for (size_t i = 0; i < cards->n; i++) {
        const struct card *c = LIST_AT(*cards, struct card, i);
        if (!c->title.n && !c->text.n && !c->image.n)
            return fault(f, "missing_field", "cards", "card %zu has neither title, text nor image", i + 1);
        if (!good_choices(&c->choices, "cards", f))
            return false;
    }
    return true;
}

/* Is what its kind needs there? */
static bool is_whole(const struct message *m, struct fault *f)
{
    switch ((enum kind)m->kind) {
    case KIND_TEXT: return slice_trim(m->text).n || fault(f, "missing_field", "text", "must not be empty");
    case KIND_IMAGE:
    case KIND_VIDEO:
    case KIND_AUDIO:
    case KIND_FILE: return m->media.n || fault(f, "missing_field", "media", "must have the file's url");
    case KIND_LOCATION: return m->location.present ? on_this_planet(&m->location, f) : fault(f, "missing_field", "location", "is missing");
    case KIND_STICKER: return m->sticker.id.n || m->media.n || fault(f, "missing_field", "sticker", "must have an id");
    case KIND_CHOICES: return m->choices.n ? good_choices(&m->choices, "choices", f) : fault(f, "missing_field", "choices", "is missing");
    case KIND_CARDS: return good_cards(&m->cards, f);
    case KIND_PICKER:
        return m->picker.slots.n + m->picker.choices.n ? good_choices(&m->picker.choices, "picker", f)
                                                       : fault(f, "missing_field", "picker", "must have slots or choices");
    case KIND_NATIVE: return m->native_json.n || fault(f, "missing_field", "native", "is missing");
    case KIND_ANSWER:
    case KIND_FORM:
    case KIND_PAYMENT:
    case KIND_TYPING:
    case KIND_EVENT:
    case KIND_STATUS:
    case KIND_MAX: break;
    }
    return fault(f, "out_of_range", "kind", "must be one that can be written: text, image, video, audio, file, location, sticker, choices, cards, picker, native");
}

bool rich_own(struct arena *a, const struct js *doc, struct message *ret, struct fault *f)
{
    struct message in = { 0 };
    if (!message_read(a, doc, &in, f))
        return false;
    struct message m = { .kind = in.kind, .text = in.text, .location = in.location, .sticker = in.sticker, .choices = in.choices, .cards = in.cards,
                         .picker = in.picker, .native_for = in.native_for, .native_json = in.native_json };
    for (size_t i = 0; i < in.media.n; i++) {
        const struct media *md = LIST_AT(in.media, struct media, i);
        if (!slice_starts(md->url, SL("https://")) && !slice_starts(md->url, SL("http://")))
            return fault(f, "missing_field", "media", "file %zu must have its url, https://\xe2\x80\xa6", i + 1);
        *LIST_ADD(a, &m.media, struct media) = (struct media){ .url = md->url, .type = md->type, .name = md->name, .preview_url = md->preview_url,
                                                               .duration_ms = md->duration_ms, .width = md->width, .height = md->height };
    }
    *ret = m;
    return is_whole(&m, f);
}

/* ---- all ------------------------------------------------------------------------------------------------------------- */

static bool is_own(const struct js *doc)
{
    slice kind = js_text(js_at(doc, "kind"));
    for (unsigned k = 0; k < KIND_MAX; k++)
        if (slice_eq(kind, slice_of(kind_names[k])))
            return true;
    return false;
}

bool rich_message(struct arena *a, const struct js *doc, slice json, struct message *ret, struct fault *f)
{
    slice type = js_text(js_at(doc, "type"));
    *ret = (struct message){ 0 };
    if (js_at(doc, "genesys_quick_replies"))
        return quick_replies(a, doc, ret, f);
    if (slice_eq(type, SL("location")) && (js_at(doc, "latitude") || js_at(doc, "longitude")))
        return place(a, doc, ret, f);
    if (slice_eq(type, SL("sticker")) && js_at(doc, "stickerId"))
        return sticker(a, doc, ret, f);
    if (is_own(doc))
        return rich_own(a, doc, ret, f);
    ret->kind = KIND_NATIVE;
    ret->native_json = json;
    return true;
}
