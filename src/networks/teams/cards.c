/* Cards: "Cards". Hero cards for a few buttons and for cards, Adaptive Cards for what must be filled in. */
#include "networks/teams/wire.h"

#define HERO     "application/vnd.microsoft.card.hero"
#define ADAPTIVE "application/vnd.microsoft.card.adaptive"

static slice payload_of(const struct choice *ch)
{
    return slice_or(ch->payload, ch->label);
}

/* What comes back when it is pressed; activity.c reads it. */
static void put_choice_value(struct jw *w, const struct choice *ch)
{
    jw_open(w, "value", '{');
    jw_str(w, "dragoman", SL("choice"));
    jw_str(w, "payload", payload_of(ch));
    jw_str(w, "label", ch->label);
    jw_close(w, '}');
}

static void put_message_back(struct jw *w, const struct choice *ch)
{
    jw_str(w, "type", SL("messageBack"));
    jw_str(w, "text", ch->label);
    jw_str(w, "displayText", ch->label);
    put_choice_value(w, ch);
}

static void put_open_url(struct jw *w, slice label, slice url)
{
    jw_open(w, NULL, '{');
    jw_str(w, "type", SL("openUrl"));
    jw_str(w, "title", label);
    jw_str(w, "value", url);
    jw_close(w, '}');
}

static void put_button(struct jw *w, const struct choice *ch)
{
    if (ch->url.n) {
        put_open_url(w, ch->label, ch->url);
        return;
    }
    jw_open(w, NULL, '{');
    jw_str(w, "title", ch->label);
    put_message_back(w, ch);
    jw_close(w, '}');
}

void teams_put_hero(struct jw *w, slice title, slice text, slice image, const struct js_list *choices, const struct teams_button *link)
{
    jw_open(w, NULL, '{');
    jw_str(w, "contentType", SL(HERO));
    jw_open(w, "content", '{');
    jw_opt(w, "title", title);
    jw_opt(w, "text", text);
    if (image.n) {
        jw_open(w, "images", '[');
        jw_open(w, NULL, '{');
        jw_str(w, "url", image);
        jw_close(w, '}');
        jw_close(w, ']');
    }
    jw_open(w, "buttons", '[');
    for (size_t i = 0; choices && i < choices->n && i < TEAMS_HERO_BUTTONS; i++)
        put_button(w, LIST_AT(*choices, struct choice, i));
    if (link)
        put_open_url(w, link->label, link->url);
    jw_close(w, ']');
    jw_close(w, '}');
    jw_close(w, '}');
}

void teams_put_cards(struct jw *w, const struct js_list *cards)
{
    if (cards->n > 1)
        jw_str(w, "attachmentLayout", SL("carousel"));
    jw_open(w, "attachments", '[');
    for (size_t i = 0; i < cards->n; i++) {
        const struct card *card = LIST_AT(*cards, struct card, i);
        const struct teams_button more = { slice_or(card->title, SL("Open")), card->url };
        bool room = card->url.n && card->choices.n < TEAMS_HERO_BUTTONS;
        teams_put_hero(w, card->title, card->text, card->image, &card->choices, room ? &more : NULL);
    }
    jw_close(w, ']');
}

/* ---- Adaptive Cards ------------------------------------------------------------------------------------------------- */

static void adaptive_open(struct jw *w)
{
    jw_open(w, "attachments", '[');
    jw_open(w, NULL, '{');
    jw_str(w, "contentType", SL(ADAPTIVE));
    jw_open(w, "content", '{');
    jw_str(w, "type", SL("AdaptiveCard"));
    jw_str(w, "$schema", SL("http://adaptivecards.io/schemas/adaptive-card.json"));
    jw_str(w, "version", SL("1.4"));
    jw_open(w, "body", '[');
}

static void adaptive_close(struct jw *w)
{
    jw_close(w, '}');
    jw_close(w, '}');
    jw_close(w, ']');
}

static void put_text_block(struct jw *w, slice text, bool title)
{
    if (!text.n)
        return;
    jw_open(w, NULL, '{');
    jw_str(w, "type", SL("TextBlock"));
    jw_str(w, "text", text);
    jw_bool(w, "wrap", true);
    if (title)
        jw_str(w, "weight", SL("Bolder"));
    jw_close(w, '}');
}

static void put_action(struct jw *w, const struct choice *ch)
{
    jw_open(w, NULL, '{');
    jw_str(w, "type", ch->url.n ? SL("Action.OpenUrl") : SL("Action.Submit"));
    jw_str(w, "title", ch->label);
    if (ch->url.n) {
        jw_str(w, "url", ch->url);
    } else {
        jw_open(w, "data", '{');
        jw_open(w, "msteams", '{');
        put_message_back(w, ch);
        jw_close(w, '}');
        jw_close(w, '}');
    }
    jw_close(w, '}');
}

/* More than a hero card has buttons for: rows of a few each, as the client shows them. */
static void put_many(struct jw *w, const struct message *m)
{
    adaptive_open(w);
    put_text_block(w, m->text, false);
    for (size_t i = 0; i < m->choices.n; i += TEAMS_HERO_BUTTONS) {
        jw_open(w, NULL, '{');
        jw_str(w, "type", SL("ActionSet"));
        jw_open(w, "actions", '[');
        for (size_t k = i; k < m->choices.n && k < i + TEAMS_HERO_BUTTONS; k++)
            put_action(w, LIST_AT(m->choices, struct choice, k));
        jw_close(w, ']');
        jw_close(w, '}');
    }
    jw_close(w, ']');
    adaptive_close(w);
}

/* Few, short, and saying just what they are: shown above the text field, gone once one is pressed. Personal chats only. */
static void put_suggested(struct jw *w, const struct message *m, const struct teams_ref *ref)
{
    jw_str(w, "text", m->text);
    jw_str(w, "textFormat", SL("plain"));
    jw_open(w, "suggestedActions", '{');
    jw_open(w, "to", '[');
    jw_str(w, NULL, ref->user);
    jw_close(w, ']');
    jw_open(w, "actions", '[');
    for (size_t i = 0; i < m->choices.n; i++) {
        const struct choice *ch = LIST_AT(m->choices, struct choice, i);
        jw_open(w, NULL, '{');
        jw_str(w, "type", SL("imBack"));
        jw_str(w, "title", ch->label);
        jw_str(w, "value", ch->label);
        jw_close(w, '}');
    }
    jw_close(w, ']');
    jw_close(w, '}');
}

bool teams_put_choices(struct call *c, struct jw *w, const struct message *m, const struct teams_ref *ref)
{
    bool suggest = teams_is_personal(ref) && m->choices.n <= TEAMS_SUGGESTED && m->text.n;
    for (size_t i = 0; i < m->choices.n; i++) {
        const struct choice *ch = LIST_AT(m->choices, struct choice, i);
        if (!ch->label.n)
            return fault(c->f, "refused", "choices", "a choice needs a label");
        suggest &= !ch->url.n && slice_eq(payload_of(ch), ch->label);
    }
    if (suggest) {
        put_suggested(w, m, ref);
    } else if (m->choices.n <= TEAMS_HERO_BUTTONS) {
        jw_open(w, "attachments", '[');
        teams_put_hero(w, SLICE_NONE, m->text, SLICE_NONE, &m->choices, NULL);
        jw_close(w, ']');
    } else {
        put_many(w, m);
    }
    return true;
}

/* ---- pickers --------------------------------------------------------------------------------------------------------- */

static void put_option(struct jw *w, slice label, slice value)
{
    jw_open(w, NULL, '{');
    jw_str(w, "title", label);
    jw_str(w, "value", value);
    jw_close(w, '}');
}

static slice slot_label(struct arena *a, const struct time_slot *slot)
{
    slice at = time_rfc3339(a, slot->at_ms);
    return arena_printf(a, "%.10s %.5s UTC", at.p, at.p + 11);
}

/* Commas separate the values that come back: one that holds a comma goes by its number. */
static slice value_of(struct call *c, const struct choice *ch, size_t i)
{
    slice value = payload_of(ch);
    return slice_find_char(value, ',') == SIZE_MAX ? value : arena_printf(c->a, "#%zu", i + 1);
}

static void put_options(struct call *c, struct jw *w, const struct picker *p)
{
    jw_open(w, NULL, '{');
    jw_str(w, "type", SL("Input.ChoiceSet"));
    jw_str(w, "id", SL("picked"));
    jw_str(w, "style", p->slots.n + p->choices.n > TEAMS_HERO_BUTTONS ? SL("compact") : SL("expanded"));
    jw_bool(w, "isMultiSelect", p->multiple);
    jw_open(w, "choices", '[');
    for (size_t i = 0; i < p->slots.n; i++) {
        const struct time_slot *slot = LIST_AT(p->slots, struct time_slot, i);
        put_option(w, slot_label(c->a, slot), time_rfc3339(c->a, slot->at_ms));
    }
    for (size_t i = 0; i < p->choices.n; i++) {
        const struct choice *ch = LIST_AT(p->choices, struct choice, i);
        put_option(w, slice_or(ch->label, value_of(c, ch, i)), value_of(c, ch, i));
    }
    jw_close(w, ']');
    jw_close(w, '}');
}

static void put_input(struct jw *w, const char *type, const char *id)
{
    jw_open(w, NULL, '{');
    jw_str(w, "type", slice_of(type));
    jw_str(w, "id", slice_of(id));
    jw_close(w, '}');
}

/* The labels travel with the button, so that the answer can be shown in words. */
static void put_labels(struct call *c, struct jw *w, const struct picker *p)
{
    jw_open(w, "labels", '{');
    for (size_t i = 0; i < p->slots.n; i++) {
        const struct time_slot *slot = LIST_AT(p->slots, struct time_slot, i);
        jw_key(w, time_rfc3339(c->a, slot->at_ms));
        jw_str(w, NULL, slot_label(c->a, slot));
    }
    for (size_t i = 0; i < p->choices.n; i++) {
        const struct choice *ch = LIST_AT(p->choices, struct choice, i);
        bool seen = false;
        for (size_t k = 0; k < i; k++)
            seen |= slice_eq(value_of(c, ch, i), value_of(c, LIST_AT(p->choices, struct choice, k), k));
        if (seen)
            continue;
        jw_key(w, value_of(c, ch, i));
        jw_str(w, NULL, ch->label);
    }
    jw_close(w, '}');
    jw_open(w, "values", '{');
    for (size_t i = 0; i < p->choices.n; i++) {
        const struct choice *ch = LIST_AT(p->choices, struct choice, i);
        slice value = value_of(c, ch, i);
        if (slice_eq(value, payload_of(ch)))
            continue;
        jw_key(w, value);
        jw_str(w, NULL, payload_of(ch));
    }
    jw_close(w, '}');
}

void teams_put_picker(struct call *c, struct jw *w, const struct picker *p, slice text)
{
    bool list = p->slots.n || p->choices.n;
    adaptive_open(w);
    put_text_block(w, p->title, true);
    put_text_block(w, slice_or(p->text, text), false);
    if (list) {
        put_options(c, w, p);
    } else {
        put_input(w, "Input.Date", "date");
        put_input(w, "Input.Time", "time");
    }
    jw_close(w, ']');
    jw_open(w, "actions", '[');
    jw_open(w, NULL, '{');
    jw_str(w, "type", SL("Action.Submit"));
    jw_str(w, "title", SL("OK"));
    jw_open(w, "data", '{');
    jw_str(w, "dragoman", list ? SL("list") : SL("time"));
    if (list)
        put_labels(c, w, p);
    jw_close(w, '}');
    jw_close(w, '}');
    jw_close(w, ']');
    adaptive_close(w);
}

/* ---- what is written for Teams --------------------------------------------------------------------------------------- */

/* As it is, but for white space around addresses, which people paste and Teams does not forgive. */
static void put_trimmed(struct jw *w, const char *key, const struct js *v, slice name)
{
    if (js_is_object(v)) {
        jw_open(w, key, '{');
        for (void *it = js_first(v); it; it = js_next(v, it)) {
            jw_key(w, js_key(v, it));
            put_trimmed(w, NULL, js_value(it), js_key(v, it));
        }
        jw_close(w, '}');
    } else if (js_is_array(v)) {
        jw_open(w, key, '[');
        for (size_t i = 0; i < js_len(v); i++)
            put_trimmed(w, NULL, js_item(v, i), SLICE_NONE);
        jw_close(w, ']');
    } else if (js_is_string(v) && (slice_eq(name, SL("url")) || slice_eq(name, SL("contentUrl")) || slice_eq(name, SL("iconUrl")))) {
        jw_str(w, key, slice_trim(js_text(v)));
    } else {
        jw_value(w, key, v);
    }
}

void teams_put_card(struct jw *w, const char *key, const struct js *card)
{
    put_trimmed(w, key, card, SLICE_NONE);
}

/* What a button of this card will open is at hand by the time somebody presses it. */
static void ask_for_dialogs(struct call *c, const struct js *v)
{
    slice dialog = teams_dialog_of(v);
    if (dialog.n)
        (void)call_response(c, dialog);
    for (void *it = js_is_object(v) ? js_first(v) : NULL; it; it = js_next(v, it))
        ask_for_dialogs(c, js_value(it));
    for (size_t i = 0; js_is_array(v) && i < js_len(v); i++)
        ask_for_dialogs(c, js_item(v, i));
}

static void put_attachment(struct jw *w, const struct js *doc)
{
    bool wrapped = js_text(js_at(doc, "contentType")).n > 0;
    if (wrapped) {
        put_trimmed(w, NULL, doc, SLICE_NONE);
        return;
    }
    jw_open(w, NULL, '{');
    jw_str(w, "contentType", SL(ADAPTIVE));
    put_trimmed(w, "content", doc, SLICE_NONE);
    jw_close(w, '}');
}

/* A bare Adaptive Card, an attachment, {"attachments":[…]}, a list of those, or the members of an activity. */
bool teams_put_native(struct call *c, struct jw *w, slice json)
{
    static const char *const ours[] = { "type", "from", "conversation", "recipient", "replyToId", "serviceUrl", "channelId", "id" };
    const struct js *doc = js_parse(c->a, json, c->f);
    if (!doc)
        return false;
    bool activity = js_at(doc, "attachments") || slice_eq(js_text(js_at(doc, "type")), SL("message"));
    bool card = slice_eq(js_text(js_at(doc, "type")), SL("AdaptiveCard")) || js_text(js_at(doc, "contentType")).n;
    bool list = js_is_array(doc) && js_len(doc);
    if ((activity || card || list) && !teams_card_ok(c, doc))
        return false;
    ask_for_dialogs(c, doc);
    if (activity) {
        for (void *it = js_first(doc); it; it = js_next(doc, it)) {
            bool skip = false;
            for (size_t i = 0; i < COUNT(ours); i++)
                skip |= slice_eq(js_key(doc, it), slice_of(ours[i]));
            if (skip)
                continue;
            jw_key(w, js_key(doc, it));
            put_trimmed(w, NULL, js_value(it), js_key(doc, it));
        }
        return true;
    }
    if (!card && !list)
        return fault(c->f, "refused", "native", "an Adaptive Card, an attachment or an activity is wanted");
    if (js_is_array(doc) && js_len(doc) > 1)
        jw_str(w, "attachmentLayout", SL("carousel"));
    jw_open(w, "attachments", '[');
    if (js_is_array(doc))
        for (size_t i = 0; i < js_len(doc); i++)
            put_attachment(w, js_item(doc, i));
    else
        put_attachment(w, doc);
    jw_close(w, ']');
    return true;
}
