#include "hub/rich.h"
#include "wire/js_loose.h"

const struct js *rich_json(struct arena *a, slice text, struct fault *f)
{
    text = slice_trim(text);
    slice json = js_is_meant(text) ? js_strict(a, utf8_repair(a, text), f) : SLICE_NONE;
    return json.p ? js_parse(a, json, f) : NULL;
}

const struct js *rich_doc(struct arena *a, slice text)
{
    const struct js *doc = slice_starts(slice_trim(text), SL("{")) ? rich_json(a, text, NULL) : NULL;
    return js_is_object(doc) && js_len(doc) ? doc : NULL;
}

struct making {
    struct arena *a;
    struct message *m;
    struct fault *f;
};

/* The first of these members that is a text or a number. */
static slice one_of(struct making *mk, const struct js *v, const char *x, const char *y, const char *z)
{
    const char *const names[] = { x, y, z };
    for (size_t i = 0; i < COUNT(names) && names[i]; i++) {
        const struct js *m = js_get(v, slice_of(names[i]));
        if (js_text(m).n)
            return js_text(m);
        if (js_is_number(m))
            return js_print(mk->a, m);
    }
    return SLICE_NONE;
}

/* ---- what a thing is made of ------------------------------------------------------------------------------------------- */

static bool take_choice(struct making *mk, const struct js *v, struct js_list *to, const char *field)
{
    struct choice ch = { 0 };
    if (js_is_string(v))
        ch.label = js_text(v);
    else
        ch = (struct choice){ .label = one_of(mk, v, "text", "label", "title"), .payload = one_of(mk, v, "payload", "value", NULL),
                              .url = one_of(mk, v, "url", NULL, NULL), .image = one_of(mk, v, "image", NULL, NULL) };
    if (!slice_trim(ch.label).n)
        return fault(mk->f, "missing_field", field, "choice %zu needs a text", to->n + 1);
    if (to->n == RICH_CHOICES_MAX)
        return fault(mk->f, "out_of_range", field, "at most %d choices", RICH_CHOICES_MAX);
    *LIST_ADD(mk->a, to, struct choice) = ch;
    return true;
}

static bool take_choices(struct making *mk, const struct js *list, struct js_list *to, const char *field)
{
    for (size_t i = 0; i < js_len(list); i++)
        if (!take_choice(mk, js_item(list, i), to, field))
            return false;
    return true;
}

static bool take_card(struct making *mk, const struct js *v)
{
    struct js_list *to = &mk->m->cards;
    struct card card = { .title = one_of(mk, v, "title", NULL, NULL), .text = one_of(mk, v, "text", "description", NULL),
                         .image = one_of(mk, v, "image", "imageUrl", NULL), .url = one_of(mk, v, "url", NULL, NULL) };
    static const char *const buttons[] = { "actions", "buttons", "choices" };
    for (size_t i = 0; i < COUNT(buttons); i++)
        if (!take_choices(mk, js_get(v, slice_of(buttons[i])), &card.choices, buttons[i]))
            return false;
    if (!card.title.n && !card.text.n && !card.image.n)
        return fault(mk->f, "missing_field", "cards", "card %zu needs a title, a text or an image", to->n + 1);
    if (to->n == RICH_CARDS_MAX)
        return fault(mk->f, "out_of_range", "cards", "at most %d cards", RICH_CARDS_MAX);
    *LIST_ADD(mk->a, to, struct card) = card;
    return true;
}

/* ---- forms that all networks have -------------------------------------------------------------------------------------- */

static bool on_text(struct making *mk, const struct js *v)
{
    mk->m->text = one_of(mk, v, "text", NULL, NULL);
    return slice_trim(mk->m->text).n || fault(mk->f, "missing_field", "text", "a text is missing");
}

static bool on_this_planet(const struct location *l, struct fault *f)
{
    return (l->lat_deg >= -90 && l->lat_deg <= 90 && l->lon_deg >= -180 && l->lon_deg <= 180) ||
           fault(f, "out_of_range", "latitude", "latitude must be between -90 and 90, longitude between -180 and 180");
}

/* Out of a placeholder it is a text. */
static bool take_degrees(struct making *mk, const struct js *v, const char *name, double *ret)
{
    const struct js *m = js_get(v, slice_of(name));
    return js_double(m, ret) || slice_double(js_text(m), ret) || fault(mk->f, "missing_field", name, "a location needs a latitude and a longitude in degrees");
}

static bool on_location(struct making *mk, const struct js *v)
{
    struct location *at = &mk->m->location;
    *at = (struct location){ .title = one_of(mk, v, "title", NULL, NULL), .address = one_of(mk, v, "address", NULL, NULL), .present = true };
    return take_degrees(mk, v, "latitude", &at->lat_deg) && take_degrees(mk, v, "longitude", &at->lon_deg) && on_this_planet(at, mk->f);
}

/* LINE has two numbers, Telegram and Viber one text. */
static bool on_sticker(struct making *mk, const struct js *v)
{
    mk->m->sticker = (struct sticker){ .package = one_of(mk, v, "packageId", NULL, NULL), .id = one_of(mk, v, "stickerId", NULL, NULL),
                                       .title = one_of(mk, v, "title", NULL, NULL) };
    return mk->m->sticker.id.n || fault(mk->f, "missing_field", "stickerId", "a sticker needs a stickerId");
}

static bool on_file(struct making *mk, const struct js *v)
{
    static const char *const mimes[] = { [KIND_IMAGE] = "image/jpeg", [KIND_VIDEO] = "video/mp4", [KIND_AUDIO] = "audio/mp4", [KIND_FILE] = "application/octet-stream" };
    slice url = one_of(mk, v, "url", "originalContentUrl", NULL);
    if (!slice_starts(url, SL("https://")) && !slice_starts(url, SL("http://")))
        return fault(mk->f, "missing_field", "url", "must be the address of the file, https://...");
    mk->m->text = one_of(mk, v, "text", NULL, NULL);
    *LIST_ADD(mk->a, &mk->m->media, struct media) = (struct media){
        .url = url,
        .type = slice_or(one_of(mk, v, "contentType", "mime", NULL), slice_of(mimes[mk->m->kind])),
        .name = one_of(mk, v, "filename", NULL, NULL),
        .preview_url = one_of(mk, v, "previewImageUrl", NULL, NULL),
    };
    return true;
}

static bool on_button(struct making *mk, const struct js *v)
{
    slice text = one_of(mk, v, "text", "prompt", NULL), label = one_of(mk, v, "label", "name", "title");
    if (!text.n)
        return fault(mk->f, "missing_field", "text", "a button needs a text");
    mk->m->text = text;
    *LIST_ADD(mk->a, &mk->m->choices, struct choice) = (struct choice){ .label = slice_or(label, text), .payload = one_of(mk, v, "payload", "value", NULL),
                                                                       .url = one_of(mk, v, "url", NULL, NULL) };
    return true;
}

static bool on_carousel(struct making *mk, const struct js *v)
{
    const struct js *cards = js_get(v, SL("cards"));
    if (!js_is_array(cards) || js_len(cards) == 0)
        return fault(mk->f, "missing_field", "cards", "a carousel needs cards");
    mk->m->text = one_of(mk, v, "text", NULL, NULL);
    for (size_t i = 0; i < js_len(cards); i++)
        if (!take_card(mk, js_item(cards, i)))
            return false;
    return true;
}

static bool on_quick_replies(struct making *mk, const struct js *v)
{
    const struct js *replies = js_get(v, SL("genesys_quick_replies"));
    if (!js_is_array(replies) || js_len(replies) == 0)
        return fault(mk->f, "out_of_range", "genesys_quick_replies", "must be a list of 1 to %d replies", RICH_CHOICES_MAX);
    mk->m->kind = KIND_CHOICES;
    mk->m->text = one_of(mk, v, "genesys_prompt", NULL, NULL);
    return take_choices(mk, replies, &mk->m->choices, "genesys_quick_replies");
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

/* needs: without any of these members it can only be the network's own object of that type; own: with one of these it is. */
/* clang-format off */
static const struct { slice type; enum kind kind; const char *needs[2], *own[3]; bool (*take)(struct making *mk, const struct js *v); } types[] = {
    { SLI("text"),     KIND_TEXT,     { "text" },                      { "quickReply", "sender", "emojis" },     on_text },
    { SLI("location"), KIND_LOCATION, { "latitude", "longitude" },     { "quickReply", "sender" },               on_location },
    { SLI("sticker"),  KIND_STICKER,  { "stickerId" },                 { "quickReply", "sender" },               on_sticker },
    { SLI("image"),    KIND_IMAGE,    { "url", "originalContentUrl" }, { "quickReply", "sender" },               on_file },
    { SLI("video"),    KIND_VIDEO,    { "url", "originalContentUrl" }, { "quickReply", "sender", "trackingId" }, on_file },
    { SLI("audio"),    KIND_AUDIO,    { "url", "originalContentUrl" }, { "quickReply", "sender" },               on_file },
    { SLI("file"),     KIND_FILE,     { "url", "originalContentUrl" }, { NULL },                                 on_file },
    { SLI("button"),   KIND_CHOICES,  { NULL },                        { NULL },                                 on_button },
    { SLI("card"),     KIND_CARDS,    { NULL },                        { NULL },                                 take_card },
    { SLI("carousel"), KIND_CARDS,    { NULL },                        { NULL },                                 on_carousel },
};
/* clang-format on */

static bool has_any(const struct js *v, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n && names[i]; i++)
        if (js_get(v, slice_of(names[i])))
            return true;
    return false;
}

static bool is_own(const struct js *doc)
{
    slice kind = js_text(js_at(doc, "kind"));
    for (unsigned k = 0; k < KIND_MAX; k++)
        if (slice_eq(kind, slice_of(kind_names[k])))
            return true;
    return false;
}

bool rich_message(struct arena *a, const struct js *doc, const struct connector *network, struct message *ret, struct fault *f)
{
    struct making mk = { a, ret, f };
    slice type = js_text(js_get(doc, SL("type")));
    bool natives = !network || (network->caps.kinds & CAN(KIND_NATIVE));
    *ret = (struct message){ 0 };
    if (js_len(doc) == 0)
        return fault(f, "missing_field", "", "the object is empty");
    if (js_get(doc, SL("genesys_prompt")) || js_get(doc, SL("genesys_quick_replies")))
        return on_quick_replies(&mk, doc);
    if (is_own(doc))
        return rich_own(a, doc, ret, f);
    for (size_t i = 0; i < COUNT(types); i++) {
        if (!slice_eq_nocase(types[i].type, type) || has_any(doc, types[i].own, COUNT(types[i].own)))
            continue;
        if (natives && types[i].needs[0] && !has_any(doc, types[i].needs, COUNT(types[i].needs)))
            continue;
        ret->kind = (int)types[i].kind;
        return types[i].take(&mk, doc);
    }
    if (js_len(doc) == 1 && js_is_string(js_get(doc, SL("text"))))
        return on_text(&mk, doc);
    if (!natives)
        return fault(f, "unsupported", "type", "%s takes no objects of its own, and this one is none that all networks have", network->title);
    *ret = (struct message){ .kind = KIND_NATIVE, .native_for = network ? slice_of(network->name) : SLICE_NONE, .native_json = js_print(a, doc) };
    return true;
}
