/* Everything that a guest can tap: quick replies, cards, pickers, templates with buttons, 8.4. */
#include "desks/genesys_cloud/content.h"

/* ---- quick replies ------------------------------------------------------------------------------------------------------ */

/* clang-format off */
static const struct js_field gc_reply_fields[] = {
    JS_FIELD(struct choice, label,   "text",    JS_STR, JS_REQ),
    JS_FIELD(struct choice, payload, "payload", JS_STR, 0),
    JS_FIELD(struct choice, image,   "image",   JS_STR, 0),
};
/* clang-format on */

bool gc_read_quick_reply(struct gc_reading *r, const struct js *v)
{
    struct choice reply = { 0 };
    if (!js_read(r->a, v, gc_reply_fields, COUNT(gc_reply_fields), &reply, NULL))
        return false;
    *LIST_ADD(r->a, &gc_piece_of(r, KIND_CHOICES)->choices, struct choice) = reply;
    return true;
}

bool gc_read_quick_reply_v2(struct gc_reading *r, const struct js *v)
{
    const struct js *actions = js_at(v, "actions");
    slice title = js_text(js_at(v, "title"));
    bool any = false;
    for (size_t i = 0; i < js_len(actions); i++)
        any |= gc_read_quick_reply(r, js_item(actions, i));
    if (!any)
        return false;
    struct message *p = gc_piece_of(r, KIND_CHOICES);
    p->text = slice_or(p->text, title);
    return true;
}

/* ---- cards --------------------------------------------------------------------------------------------------------------- */

/* clang-format off */
struct gc_action {
    slice type, text, payload, url;
};
static const struct js_field gc_action_fields[] = {
    JS_FIELD(struct gc_action, type,    "type",    JS_STR, 0),
    JS_FIELD(struct gc_action, text,    "text",    JS_STR, 0),
    JS_FIELD(struct gc_action, payload, "payload", JS_STR, 0),
    JS_FIELD(struct gc_action, url,     "url",     JS_STR, 0),
};
struct gc_card {
    slice title, description, image, video, url;
    struct js_list actions; /* struct gc_action */
};
static const struct js_field gc_card_fields[] = {
    JS_FIELD(struct gc_card, title,       "title",             JS_STR, JS_REQ),
    JS_FIELD(struct gc_card, description, "description",       JS_STR, 0),
    JS_FIELD(struct gc_card, image,       "image",             JS_STR, 0),
    JS_FIELD(struct gc_card, video,       "video",             JS_STR, 0),
    JS_FIELD(struct gc_card, url,         "defaultAction.url", JS_STR, 0),
    JS_FIELD_LIST(struct gc_card, actions, "actions", struct gc_action, gc_action_fields, 0),
};
/* clang-format on */

bool gc_read_card(struct gc_reading *r, const struct js *v)
{
    struct gc_card in = { 0 };
    if (!js_read(r->a, v, gc_card_fields, COUNT(gc_card_fields), &in, NULL))
        return false;
    struct card *card = LIST_ADD(r->a, &gc_piece_of(r, KIND_CARDS)->cards, struct card);
    card->title = in.title;
    card->text = in.description;
    card->image = in.image;
    card->url = in.url;
    if (in.video.n) /* no network of ours has films in cards */
        card->text = in.description.n ? arena_printf(r->a, SLF "\n" SLF, SLA(in.description), SLA(in.video)) : in.video;
    for (size_t i = 0; i < in.actions.n; i++) {
        const struct gc_action *act = LIST_AT(in.actions, struct gc_action, i);
        struct choice *choice = LIST_ADD(r->a, &card->choices, struct choice);
        choice->label = slice_or(act->text, slice_or(act->payload, act->url));
        if (slice_eq(act->type, SL("Link")))
            choice->url = act->url;
        else
            choice->payload = act->payload;
    }
    return true;
}

bool gc_read_carousel(struct gc_reading *r, const struct js *v)
{
    const struct js *cards = js_at(v, "cards");
    bool any = false;
    for (size_t i = 0; i < js_len(cards); i++)
        any |= gc_read_card(r, js_item(cards, i));
    return any;
}

/* ---- pickers -------------------------------------------------------------------------------------------------------------- */

/* clang-format off */
static const struct js_field gc_slot_fields[] = {
    JS_FIELD(struct time_slot, at_ms,      "dateTime", JS_TIME, JS_REQ),
    JS_FIELD(struct time_slot, duration_s, "duration", JS_I64,  0),
};
static const struct js_field gc_date_fields[] = {
    JS_FIELD(struct picker, title, "title",    JS_STR, 0),
    JS_FIELD(struct picker, text,  "subtitle", JS_STR, 0),
    JS_FIELD(struct picker, image, "imageUrl", JS_STR, 0),
    JS_FIELD_LIST(struct picker, slots, "availableTimes", struct time_slot, gc_slot_fields, 0),
};
struct gc_item {
    slice id, title, subtitle, image;
};
static const struct js_field gc_item_fields[] = {
    JS_FIELD(struct gc_item, id,       "id",       JS_STR, 0),
    JS_FIELD(struct gc_item, title,    "title",    JS_STR, JS_REQ),
    JS_FIELD(struct gc_item, subtitle, "subtitle", JS_STR, 0),
    JS_FIELD(struct gc_item, image,    "imageUrl", JS_STR, 0),
};
struct gc_section {
    slice title;
    bool multiple;
    struct js_list items; /* struct gc_item */
};
static const struct js_field gc_section_fields[] = {
    JS_FIELD(struct gc_section, title,    "title",             JS_STR,  0),
    JS_FIELD(struct gc_section, multiple, "multipleSelection", JS_BOOL, 0),
    JS_FIELD_LIST(struct gc_section, items, "items", struct gc_item, gc_item_fields, 0),
};
struct gc_list {
    slice title, subtitle, image;
    struct js_list sections; /* struct gc_section */
};
static const struct js_field gc_list_fields[] = {
    JS_FIELD(struct gc_list, title,    "receivedMessage.title",    JS_STR, 0),
    JS_FIELD(struct gc_list, subtitle, "receivedMessage.subtitle", JS_STR, 0),
    JS_FIELD(struct gc_list, image,    "receivedMessage.imageUrl", JS_STR, 0),
    JS_FIELD_LIST(struct gc_list, sections, "sections", struct gc_section, gc_section_fields, JS_REQ),
};
/* clang-format on */

bool gc_read_date_picker(struct gc_reading *r, const struct js *v)
{
    struct picker picker = { 0 };
    if (!js_read(r->a, v, gc_date_fields, COUNT(gc_date_fields), &picker, NULL))
        return false;
    if (!picker.slots.n) { /* any time will do: the guest writes it */
        gc_line(r, picker.title);
        gc_line(r, picker.text);
        return picker.title.n || picker.text.n;
    }
    gc_piece_of(r, KIND_PICKER)->picker = picker;
    return true;
}

bool gc_read_list_picker(struct gc_reading *r, const struct js *v)
{
    struct gc_list in = { 0 };
    if (!js_read(r->a, v, gc_list_fields, COUNT(gc_list_fields), &in, NULL))
        return false;
    struct picker picker = { .title = in.title, .text = in.subtitle, .image = in.image };
    for (size_t s = 0; s < in.sections.n; s++) {
        const struct gc_section *section = LIST_AT(in.sections, struct gc_section, s);
        picker.title = slice_or(picker.title, section->title);
        picker.multiple |= section->multiple;
        for (size_t i = 0; i < section->items.n; i++) {
            const struct gc_item *item = LIST_AT(section->items, struct gc_item, i);
            struct choice *choice = LIST_ADD(r->a, &picker.choices, struct choice);
            choice->label = item->subtitle.n ? arena_printf(r->a, SLF " (" SLF ")", SLA(item->title), SLA(item->subtitle)) : item->title;
            choice->payload = item->id;
            choice->image = item->image;
        }
    }
    if (!picker.choices.n)
        return false;
    gc_piece_of(r, KIND_PICKER)->picker = picker;
    return true;
}

/* ---- templates -------------------------------------------------------------------------------------------------------------- */

/* clang-format off */
struct gc_parameter {
    slice name, text;
};
static const struct js_field gc_parameter_fields[] = {
    JS_FIELD(struct gc_parameter, name, "name", JS_STR, 0),
    JS_FIELD(struct gc_parameter, text, "text", JS_STR, JS_REQ),
};
struct gc_phrase {
    slice text;
    struct js_list parameters; /* struct gc_parameter */
};
static const struct js_field gc_phrase_fields[] = {
    JS_FIELD(struct gc_phrase, text, "text", JS_STR, 0),
    JS_FIELD_LIST(struct gc_phrase, parameters, "parameters", struct gc_parameter, gc_parameter_fields, 0),
};
struct gc_button {
    struct gc_phrase phrase;
    slice type, phone, url, payload;
};
static const struct js_field gc_button_fields[] = {
    JS_FIELD(struct gc_button, type,        "type",        JS_STR, JS_REQ),
    JS_FIELD(struct gc_button, phrase.text, "text",        JS_STR, 0),
    JS_FIELD(struct gc_button, phone,       "phoneNumber", JS_STR, 0),
    JS_FIELD(struct gc_button, url,         "url",         JS_STR, 0),
    JS_FIELD(struct gc_button, payload,     "payload",     JS_STR, 0),
    JS_FIELD_LIST(struct gc_button, phrase.parameters, "parameters", struct gc_parameter, gc_parameter_fields, 0),
};
struct gc_template {
    struct gc_phrase header, body;
    slice footer;
    const struct js *media;
    struct js_list buttons; /* struct gc_button */
};
static const struct js_field gc_template_fields[] = {
    JS_FIELD_OBJ(struct gc_template, header, "header", gc_phrase_fields, 0),
    JS_FIELD_OBJ(struct gc_template, body,   "body",   gc_phrase_fields, JS_REQ),
    JS_FIELD(struct gc_template, media,  "header.media", JS_ANY, 0),
    JS_FIELD(struct gc_template, footer, "footer.text",  JS_STR, 0),
    JS_FIELD_LIST(struct gc_template, buttons, "buttons", struct gc_button, gc_button_fields, 0),
};
/* clang-format on */

/* By name, else by number; what is neither stays as it is written. */
static slice gc_parameter(const struct js_list *all, slice name, slice written)
{
    int64_t number;
    for (size_t i = 0; i < all->n; i++)
        if (slice_eq(LIST_AT(*all, struct gc_parameter, i)->name, name))
            return LIST_AT(*all, struct gc_parameter, i)->text;
    if (slice_int(name, &number) && number >= 1 && (uint64_t)number <= all->n)
        return LIST_AT(*all, struct gc_parameter, (size_t)number - 1)->text;
    return written;
}

/* "Dear {{1}}" with its parameters filled in; what was filled in is not looked at again. */
static slice gc_phrase(struct gc_reading *r, const struct gc_phrase *p)
{
    struct text t = text_new(r->a, GC_BODY_MAX);
    slice rest = p->text;
    while (rest.n) {
        size_t open = slice_find(rest, SL("{{"));
        size_t close = open == SIZE_MAX ? SIZE_MAX : slice_find(slice_from(rest, open), SL("}}"));
        if (close == SIZE_MAX)
            break;
        text_put(&t, slice_sub(rest, 0, open));
        slice written = slice_sub(rest, open, close + 2);
        text_put(&t, gc_parameter(&p->parameters, slice_trim(slice_sub(written, 2, close - 2)), written));
        rest = slice_from(rest, open + close + 2);
    }
    text_put(&t, rest);
    return text_slice(&t);
}

bool gc_read_notification(struct gc_reading *r, const struct js *v)
{
    struct gc_template in = { 0 };
    if (!js_read(r->a, v, gc_template_fields, COUNT(gc_template_fields), &in, NULL))
        return false;
    if (in.media && !js_is_null(in.media) && !gc_read_attachment(r, in.media))
        return false;
    gc_line(r, gc_phrase(r, &in.header));
    gc_line(r, gc_phrase(r, &in.body));
    gc_line(r, in.footer);
    for (size_t i = 0; i < in.buttons.n; i++) {
        const struct gc_button *b = LIST_AT(in.buttons, struct gc_button, i);
        struct choice *choice = LIST_ADD(r->a, &gc_piece_of(r, KIND_CHOICES)->choices, struct choice);
        choice->label = slice_or(gc_phrase(r, &b->phrase), slice_or(b->payload, slice_or(b->url, b->phone)));
        if (slice_eq(b->type, SL("Url")))
            choice->url = b->url;
        else if (slice_eq(b->type, SL("PhoneNumber")))
            choice->url = arena_printf(r->a, "tel:" SLF, SLA(b->phone));
        else
            choice->payload = b->payload;
    }
    return true;
}

/* ---- what may be answered, 7.2 ------------------------------------------------------------------------------------------------- */

static void gc_offer_add(struct arena *a, struct gc_offer *offer, const struct js_list *choices)
{
    for (size_t i = 0; i < choices->n; i++) {
        const struct choice *choice = LIST_AT(*choices, struct choice, i);
        if (!choice->url.n)
            *LIST_ADD(a, &offer->choices, struct choice) =
                (struct choice){ .label = choice->label, .payload = slice_or(choice->payload, choice->label) };
    }
}

/* Lists cannot be answered in their own way: the inbound side has no word for them. Their answers go as texts. */
bool gc_offer_of(struct arena *a, const struct message *m, struct gc_offer *ret)
{
    if (m->kind == KIND_CHOICES) {
        ret->type = SL("QuickReply");
        gc_offer_add(a, ret, &m->choices);
    } else if (m->kind == KIND_CARDS) {
        ret->type = SL("Button");
        for (size_t i = 0; i < m->cards.n; i++)
            gc_offer_add(a, ret, &LIST_AT(m->cards, struct card, i)->choices);
    } else if (m->kind == KIND_PICKER) {
        ret->type = SL("DatePicker");
        for (size_t i = 0; i < m->picker.slots.n; i++) {
            slice at = time_rfc3339(a, LIST_AT(m->picker.slots, struct time_slot, i)->at_ms);
            *LIST_ADD(a, &ret->choices, struct choice) = (struct choice){ .label = at, .payload = at };
        }
    }
    return ret->choices.n;
}
