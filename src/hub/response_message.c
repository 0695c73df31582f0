#include "hub/response_message.h"
#include "hub/rich.h"
#include "wire/js_loose.h"

struct making {
    struct arena *a;
    const struct connector *network;
    struct js_list *out;
    struct fault *f;
};

static bool no(struct making *mk, const char *field, const char *text)
{
    return fault(mk->f, "bad_response", field, "%s", text);
}

static struct message *add(struct making *mk, enum kind kind)
{
    struct message *m = LIST_ADD(mk->a, mk->out, struct message);
    m->kind = (int)kind;
    return m;
}

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

/* ---- what a thing is made of ------------------------------------------------------------------------------------------------ */

static bool take_choice(struct making *mk, const struct js *v, struct js_list *to, const char *field)
{
    struct choice ch = { 0 };
    if (js_is_string(v))
        ch.label = js_text(v);
    else
        ch = (struct choice){ .label = one_of(mk, v, "text", "label", "title"), .payload = one_of(mk, v, "payload", "value", NULL),
                              .url = one_of(mk, v, "url", NULL, NULL), .image = one_of(mk, v, "image", NULL, NULL) };
    if (!ch.label.n)
        return no(mk, field, "a choice needs a text");
    if (to->n == RESPONSE_CHOICES_MAX)
        return no(mk, field, "too many choices");
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

static bool take_card(struct making *mk, const struct js *v, struct js_list *to)
{
    struct card card = { .title = one_of(mk, v, "title", NULL, NULL), .text = one_of(mk, v, "text", "description", NULL),
                         .image = one_of(mk, v, "image", "imageUrl", NULL), .url = one_of(mk, v, "url", NULL, NULL) };
    static const char *const buttons[] = { "actions", "buttons", "choices" };
    for (size_t i = 0; i < COUNT(buttons); i++)
        if (!take_choices(mk, js_get(v, slice_of(buttons[i])), &card.choices, buttons[i]))
            return false;
    if (!card.title.n && !card.text.n && !card.image.n)
        return no(mk, "card", "a card needs a title, a text or an image");
    if (to->n == RESPONSE_CARDS_MAX)
        return no(mk, "cards", "too many cards");
    *LIST_ADD(mk->a, to, struct card) = card;
    return true;
}

/* ---- types -------------------------------------------------------------------------------------------------------------------- */

static bool on_text(struct making *mk, const struct js *v)
{
    slice text = one_of(mk, v, "text", NULL, NULL);
    if (!text.n)
        return no(mk, "text", "a text is missing");
    add(mk, KIND_TEXT)->text = text;
    return true;
}

/* Out of a placeholder it is a text. */
static bool coordinate(const struct js *v, double *ret)
{
    return js_double(v, ret) || slice_double(js_text(v), ret);
}

static bool on_location(struct making *mk, const struct js *v)
{
    struct location at = { .title = one_of(mk, v, "title", NULL, NULL), .address = one_of(mk, v, "address", NULL, NULL), .present = true };
    bool there = coordinate(js_get(v, SL("latitude")), &at.lat_deg) && coordinate(js_get(v, SL("longitude")), &at.lon_deg);
    if (!there || !(at.lat_deg >= -90 && at.lat_deg <= 90) || !(at.lon_deg >= -180 && at.lon_deg <= 180))
        return no(mk, "latitude", "a location needs latitude (-90 to 90) and longitude (-180 to 180)");
    add(mk, KIND_LOCATION)->location = at;
    return true;
}

static bool on_sticker(struct making *mk, const struct js *v)
{
    struct sticker s = { .package = one_of(mk, v, "packageId", NULL, NULL), .id = one_of(mk, v, "stickerId", NULL, NULL),
                         .title = one_of(mk, v, "title", NULL, NULL) };
    if (!s.id.n)
        return no(mk, "stickerId", "a sticker needs a stickerId");
    add(mk, KIND_STICKER)->sticker = s;
    return true;
}

static bool on_file(struct making *mk, const struct js *v, enum kind kind, const char *type)
{
    slice url = one_of(mk, v, "url", "originalContentUrl", NULL);
    if (!slice_starts(url, SL("https://")) && !slice_starts(url, SL("http://")))
        return no(mk, "url", "must be the address of the file, https://...");
    struct message *m = add(mk, kind);
    struct media *md = LIST_ADD(mk->a, &m->media, struct media);
    m->text = one_of(mk, v, "text", NULL, NULL);
    *md = (struct media){ .url = url, .type = slice_or(one_of(mk, v, "contentType", "mime", NULL), slice_of(type)),
                          .name = one_of(mk, v, "filename", NULL, NULL), .preview_url = one_of(mk, v, "previewImageUrl", NULL, NULL) };
    return true;
}

static bool on_image(struct making *mk, const struct js *v)
{
    return on_file(mk, v, KIND_IMAGE, "image/jpeg");
}

static bool on_video(struct making *mk, const struct js *v)
{
    return on_file(mk, v, KIND_VIDEO, "video/mp4");
}

static bool on_audio(struct making *mk, const struct js *v)
{
    return on_file(mk, v, KIND_AUDIO, "audio/mp4");
}

static bool on_any_file(struct making *mk, const struct js *v)
{
    return on_file(mk, v, KIND_FILE, "application/octet-stream");
}

static bool on_button(struct making *mk, const struct js *v)
{
    slice text = one_of(mk, v, "text", "prompt", NULL), label = one_of(mk, v, "label", "name", "title");
    if (!text.n)
        return no(mk, "text", "a button needs a text");
    struct message *m = add(mk, KIND_CHOICES);
    m->text = text;
    *LIST_ADD(mk->a, &m->choices, struct choice) = (struct choice){ .label = slice_or(label, text), .payload = one_of(mk, v, "payload", "value", NULL),
                                                                   .url = one_of(mk, v, "url", NULL, NULL) };
    return true;
}

static bool on_card(struct making *mk, const struct js *v)
{
    return take_card(mk, v, &add(mk, KIND_CARDS)->cards);
}

static bool on_carousel(struct making *mk, const struct js *v)
{
    const struct js *cards = js_get(v, SL("cards"));
    if (!js_is_array(cards) || js_len(cards) == 0)
        return no(mk, "cards", "a carousel needs cards");
    struct message *m = add(mk, KIND_CARDS);
    m->text = one_of(mk, v, "text", NULL, NULL);
    for (size_t i = 0; i < js_len(cards); i++)
        if (!take_card(mk, js_item(cards, i), &m->cards))
            return false;
    return true;
}

static bool on_quick_replies(struct making *mk, const struct js *v)
{
    const struct js *replies = js_get(v, SL("genesys_quick_replies"));
    if (!js_is_array(replies) || js_len(replies) == 0)
        return no(mk, "genesys_quick_replies", "must be a list of replies");
    struct message *m = add(mk, KIND_CHOICES);
    m->text = one_of(mk, v, "genesys_prompt", NULL, NULL);
    return take_choices(mk, replies, &m->choices, "genesys_quick_replies");
}

static void on_native(struct making *mk, const struct js *v)
{
    struct message *m = add(mk, KIND_NATIVE);
    m->native_for = slice_of(mk->network->name);
    m->native_json = js_print(mk->a, v);
}

/* ---- all -------------------------------------------------------------------------------------------------------------------------- */

/* own: members that only the network's own object of this type has; then it is that. */
/* clang-format off */
static const struct { slice type; const char *own[3]; bool (*take)(struct making *mk, const struct js *v); } types[] = {
    { SLI("text"),     { "quickReply", "sender", "emojis" },     on_text },
    { SLI("location"), { "quickReply", "sender", NULL },         on_location },
    { SLI("sticker"),  { "quickReply", "sender", NULL },         on_sticker },
    { SLI("image"),    { "quickReply", "sender", NULL },         on_image },
    { SLI("video"),    { "quickReply", "sender", "trackingId" }, on_video },
    { SLI("audio"),    { "quickReply", "sender", NULL },         on_audio },
    { SLI("file"),     { NULL },                                 on_any_file },
    { SLI("button"),   { NULL },                                 on_button },
    { SLI("card"),     { NULL },                                 on_card },
    { SLI("carousel"), { NULL },                                 on_carousel },
};
/* clang-format on */

static bool take_object(struct making *mk, const struct js *v)
{
    slice type = js_text(js_get(v, SL("type")));
    if (js_is_string(js_get(v, SL("kind"))))
        return rich_own(mk->a, v, add(mk, KIND_TEXT), mk->f);
    if (js_get(v, SL("genesys_prompt")) || js_get(v, SL("genesys_quick_replies")))
        return on_quick_replies(mk, v);
    for (size_t i = 0; i < COUNT(types); i++) {
        bool own = false;
        for (size_t k = 0; k < COUNT(types[i].own) && types[i].own[k]; k++)
            own |= js_get(v, slice_of(types[i].own[k])) != NULL;
        if (slice_eq_nocase(types[i].type, type) && !own)
            return types[i].take(mk, v);
    }
    if (js_len(v) == 0)
        return no(mk, "", "the object is empty");
    if (js_len(v) == 1 && js_is_string(js_get(v, SL("text"))))
        return on_text(mk, v);
    if (!(mk->network->caps.kinds & CAN(KIND_NATIVE)))
        return fault(mk->f, "bad_response", "type", "%s takes no objects of its own, and this one is none that all networks have", mk->network->title);
    on_native(mk, v);
    return true;
}

static bool take(struct making *mk, const struct js *v)
{
    if (mk->out->n == RESPONSE_MESSAGES_MAX)
        return fault(mk->f, "bad_response", "", "more than %d messages", RESPONSE_MESSAGES_MAX);
    if (js_is_object(v))
        return take_object(mk, v);
    slice text = slice_trim(js_text(v));
    if (!text.n)
        return no(mk, "", "an item of the list is no text and no object");
    add(mk, KIND_TEXT)->text = text;
    return true;
}

bool response_messages(struct arena *a, slice text, const struct connector *network, struct js_list *ret, struct fault *f)
{
    struct making mk = { a, network, ret, f };
    text = slice_trim(text);
    *ret = (struct js_list){ 0 };
    if (!text.n)
        return no(&mk, "", "it is empty");
    if (!js_is_meant(text)) {
        add(&mk, KIND_TEXT)->text = utf8_repair(a, text);
        return true;
    }
    struct fault bad = { 0 };
    slice json = js_strict(a, utf8_repair(a, text), &bad);
    const struct js *doc = json.p ? js_parse(a, json, &bad) : NULL;
    if (!doc)
        return fault(f, "bad_response", "", "its JSON is not valid: %.160s", bad.text);
    if (!js_is_array(doc))
        return take(&mk, doc);
    for (size_t i = 0; i < js_len(doc); i++)
        if (!take(&mk, js_item(doc, i)))
            return false;
    return ret->n > 0 || no(&mk, "", "the list is empty");
}
