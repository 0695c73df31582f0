#include "hub/adapt.h"
#include "hub/hub.h"

struct adapting {
    struct arena *a;
    const struct adapt_to *to;
    const struct caps *caps;
    struct js_list parts; /* struct message */
    struct text note;
    slice list;
    slice prefix; /* the agent's name, until it is written */
};

static bool can(const struct adapting *ad, enum kind k)
{
    return ad->caps->kinds & CAN(k);
}

static const struct adapt_rule rules[] = {
#define X(name, loses, text) { name, loses, text },
#include "hub/rules.def"
#undef X
};

const struct adapt_rule *adapt_rule_find(slice name)
{
    for (size_t i = 0; i < COUNT(rules); i++)
        if (slice_eq(name, slice_of(rules[i].name)))
            return &rules[i];
    return NULL;
}

const struct adapt_rule *adapt_rule_at(size_t i)
{
    return i < COUNT(rules) ? &rules[i] : NULL;
}

static void rule(struct adapting *ad, const char *name)
{
    slice noted = text_slice(&ad->note);
    assert(adapt_rule_find(slice_of(name)));
    if (slice_find(noted, slice_of(name)) != SIZE_MAX)
        return;
    text_add(&ad->note, "%s%s", ad->note.n ? " " : "", name);
}

/* A part that says who it is from and what it belongs to, and nothing else yet. */
static struct message *part_add(struct adapting *ad, const struct message *of, enum kind kind)
{
    struct message *p = LIST_ADD(ad->a, &ad->parts, struct message);
    p->kind = (int)kind;
    p->id = of->id;
    p->guest = of->guest;
    p->at_ms = of->at_ms;
    p->origin = of->origin;
    p->from = of->from;
    p->reply_to = of->reply_to;
    p->group = of->group;
    p->data = of->data;
    p->desk_conversation = of->desk_conversation;
    return p;
}

/* ---- text ------------------------------------------------------------------------------------------------------- */

static slice cut_units(slice s, size_t max, enum text_unit unit)
{
    switch (unit) {
    case UNIT_UTF16: return utf8_cut_utf16(s, max);
    case UNIT_BYTES: return utf8_cut_bytes(s, max);
    case UNIT_CHARS: break;
    }
    return utf8_cut(s, max);
}

static bool is_short(const struct caps *caps, slice text)
{
    return !caps->text_max || cut_units(text, caps->text_max, caps->text_unit).n == text.n;
}

/* Where to end a piece: behind the last line end, else sentence end, else blank of its last half. */
static size_t piece_end(slice piece)
{
    static const char *const marks[] = { "\n", ". ", "\xe3\x80\x82", " " };
    for (size_t i = 0; i < COUNT(marks); i++) {
        slice mark = slice_of(marks[i]);
        for (size_t at = piece.n; at > piece.n / 2 && at >= mark.n; at--)
            if (memcmp(piece.p + at - mark.n, mark.p, mark.n) == 0)
                return at;
    }
    return piece.n;
}

size_t text_split(slice text, size_t max, enum text_unit unit, slice *ret, size_t ret_max)
{
    size_t n = 0;
    do {
        slice piece = max ? cut_units(text, max, unit) : text;
        if (piece.n < text.n)
            piece.n = piece.n ? piece_end(piece) : text.n; /* a single character over the limit: not cut */
        ret[n++] = piece;
        text = slice_from(text, piece.n);
    } while (text.n && n < ret_max);
    return n;
}

/* "Maria: " before the first text of the message, where it is to be. */
static slice prefixed(struct adapting *ad, slice text)
{
    if (!ad->prefix.n || !slice_trim(text).n)
        return text;
    slice with = arena_printf(ad->a, SLF ": " SLF, SLA(ad->prefix), SLA(text));
    ad->prefix = SLICE_NONE;
    rule(ad, "prefix-agent");
    return with;
}

static void add_text(struct adapting *ad, const struct message *of, slice text)
{
    if (!slice_trim(text).n)
        return;
    text = prefixed(ad, text);
    slice *pieces = ARENA_ARRAY(ad->a, slice, ADAPT_PARTS_MAX);
    size_t n = text_split(text, ad->caps->text_max, ad->caps->text_unit, pieces, ADAPT_PARTS_MAX);
    if (n > 1)
        rule(ad, "split");
    if (pieces[n - 1].p + pieces[n - 1].n < text.p + text.n)
        rule(ad, "cut");
    for (size_t i = 0; i < n; i++)
        part_add(ad, of, KIND_TEXT)->text = pieces[i];
}

/* ---- media ------------------------------------------------------------------------------------------------------ */

static bool media_carried(const struct adapting *ad, enum kind kind, const struct media *md)
{
    if (!can(ad, kind) || ad->caps->media == MEDIA_NONE)
        return false;
    for (size_t i = 0; i < ad->caps->n_media_rules; i++) {
        const struct media_rule *r = &ad->caps->media_rules[i];
        slice type = slice_of(r->type);
        bool prefix = slice_ends(type, SL("*"));
        if (prefix ? slice_starts(md->type, slice_sub(type, 0, type.n - 1)) : slice_eq_nocase(md->type, type))
            return r->max_bytes == 0 || md->size <= r->max_bytes;
    }
    return ad->caps->n_media_rules == 0;
}

static enum kind kind_of_media(const struct adapting *ad, slice type, enum kind otherwise)
{
    enum kind k = kind_of_file(type);
    return can(ad, k) ? k : otherwise;
}

static void add_media(struct adapting *ad, const struct message *m)
{
    slice caption = m->text;
    if (!m->media.n) {
        rule(ad, "media-lost");
        add_text(ad, m, caption);
        return;
    }
    if (ad->caps->caption)
        caption = prefixed(ad, caption);
    if (caption.n && (!ad->caps->caption || !is_short(ad->caps, caption))) {
        rule(ad, "caption-apart");
        add_text(ad, m, caption);
        caption = SLICE_NONE;
    }
    const struct media *all = m->media.items;
    for (size_t i = 0; i < m->media.n; i++) {
        const struct media *md = &all[i];
        slice name = slice_or(md->name, SL("file"));
        if (md->error.n || !md->url.n) {
            rule(ad, "media-lost");
            add_text(ad, m, arena_printf(ad->a, SLF "%s[" SLF ": " SLF "]", SLA(caption), caption.n ? "\n" : "", SLA(name),
                                         SLA(slice_or(md->error, SL("not available")))));
            caption = SLICE_NONE;
            continue;
        }
        enum kind kind = kind_of_media(ad, md->type, (enum kind)m->kind);
        if (!media_carried(ad, kind, md) && media_carried(ad, KIND_FILE, md))
            kind = KIND_FILE;
        if (!media_carried(ad, kind, md)) {
            rule(ad, "link");
            add_text(ad, m, arena_printf(ad->a, SLF "%s" SLF "\n" SLF, SLA(caption), caption.n ? "\n" : "", SLA(name), SLA(md->url)));
            caption = SLICE_NONE;
            continue;
        }
        struct message *p = part_add(ad, m, kind);
        *LIST_ADD(ad->a, &p->media, struct media) = *md;
        p->text = caption;
        caption = SLICE_NONE;
    }
}

/* ---- places and stickers ---------------------------------------------------------------------------------------- */

static slice degrees(struct arena *a, double v)
{
    struct jw w = jw_new(a, 64);
    jw_double(&w, NULL, v);
    return jw_done(&w);
}

static slice location_text(struct arena *a, const struct location *l)
{
    slice lat = degrees(a, l->lat_deg), lon = degrees(a, l->lon_deg);
    return arena_printf(a, SLF "%s" SLF "%shttps://www.google.com/maps/search/?api=1&query=" SLF "%%2C" SLF, SLA(l->title),
                        l->title.n ? "\n" : "", SLA(l->address), l->address.n ? "\n" : "", SLA(lat), SLA(lon));
}

static void add_location(struct adapting *ad, const struct message *m)
{
    if (!can(ad, KIND_LOCATION)) {
        slice text = location_text(ad->a, &m->location);
        const struct media *picture = message_media(m);
        if (picture && picture->url.n && !picture->error.n && media_carried(ad, KIND_IMAGE, picture)) {
            rule(ad, "location-picture");
            struct message as_image = *m;
            as_image.kind = KIND_IMAGE;
            as_image.text = text;
            add_media(ad, &as_image);
            return;
        }
        rule(ad, "location-text");
        add_text(ad, m, text);
        return;
    }
    struct message *p = part_add(ad, m, KIND_LOCATION);
    p->location = m->location;
    if (ad->caps->location_needs_title && (!p->location.title.n || !p->location.address.n)) {
        rule(ad, "location-title");
        slice where = arena_printf(ad->a, SLF ", " SLF, SLA(degrees(ad->a, m->location.lat_deg)), SLA(degrees(ad->a, m->location.lon_deg)));
        p->location.title = slice_or(p->location.title, slice_or(p->location.address, where));
        p->location.address = slice_or(p->location.address, where);
    }
}

static void add_sticker(struct adapting *ad, const struct message *m)
{
    if (can(ad, KIND_STICKER) && (m->sticker.package.n || !ad->caps->sticker_needs_own_id)) {
        struct message *p = part_add(ad, m, KIND_STICKER);
        p->sticker = m->sticker;
        p->media = m->media;
        p->text = m->text;
        return;
    }
    const struct media *md = message_media(m);
    if (md && md->url.n && !md->error.n && media_carried(ad, KIND_IMAGE, md)) {
        rule(ad, "sticker-picture");
        struct message as_image = *m;
        as_image.kind = KIND_IMAGE;
        as_image.text = m->sticker.title;
        add_media(ad, &as_image);
        return;
    }
    rule(ad, "sticker-text");
    add_text(ad, m, arena_printf(ad->a, "[" SLF "]", SLA(slice_or(m->sticker.title, SL("sticker")))));
}

/* ---- choices, cards, pickers -------------------------------------------------------------------------------------- */

static void list_text(struct adapting *ad, struct text *t, struct jw *list, const struct js_list *choices, size_t *number)
{
    for (size_t i = 0; i < choices->n && *number < LIST_CHOICES_MAX; i++) {
        const struct choice *ch = LIST_AT(*choices, struct choice, i);
        if (ch->url.n) {
            text_add(t, "\n" SLF "\n" SLF, SLA(ch->label), SLA(ch->url));
            continue;
        }
        text_add(t, "\n%zu. " SLF, ++*number, SLA(ch->label)); /* as many as answer_of_list can read back */
        jw_open(list, NULL, '[');
        jw_str(list, NULL, ch->label);
        jw_str(list, NULL, slice_or(ch->payload, ch->label));
        jw_close(list, ']');
        if (*number == LIST_CHOICES_MAX && i + 1 < choices->n)
            rule(ad, "cut");
    }
}

static void add_numbered(struct adapting *ad, const struct message *m, slice prompt, const struct js_list *choices)
{
    enum { LIST_BYTES = 32768 };
    struct text t = text_new(ad->a, LIST_BYTES);
    struct jw list = jw_new(ad->a, MEMORY_VALUE_MAX);
    size_t number = 0;
    rule(ad, "numbered");
    text_put(&t, prompt);
    jw_open(&list, NULL, '[');
    list_text(ad, &t, &list, choices, &number);
    jw_close(&list, ']');
    ad->list = number ? jw_done(&list) : SLICE_NONE;
    add_text(ad, m, slice_trim(text_slice(&t)));
}

static void add_choices(struct adapting *ad, const struct message *m, slice prompt, const struct js_list *choices)
{
    const struct caps *caps = ad->caps;
    bool fits = can(ad, KIND_CHOICES) && choices->n && choices->n <= caps->choices_max;
    for (size_t i = 0; fits && i < choices->n; i++)
        fits = caps->choice_urls || !LIST_AT(*choices, struct choice, i)->url.n;
    if (!fits) {
        add_numbered(ad, m, prompt, choices);
        return;
    }
    /* A prompt over the limit: its beginning goes first, so that the choices stand under its end. */
    slice *pieces = ARENA_ARRAY(ad->a, slice, ADAPT_PARTS_MAX);
    size_t n = text_split(prefixed(ad, prompt), caps->text_max, caps->text_unit, pieces, ADAPT_PARTS_MAX);
    if (n > 1)
        rule(ad, "split");
    for (size_t i = 0; i + 1 < n; i++)
        add_text(ad, m, pieces[i]);
    struct message *p = part_add(ad, m, KIND_CHOICES);
    p->text = pieces[n - 1];
    for (size_t i = 0; i < choices->n; i++) {
        struct choice *to = LIST_ADD(ad->a, &p->choices, struct choice);
        *to = *LIST_AT(*choices, struct choice, i);
        if (!to->payload.n && !to->url.n)
            to->payload = to->label;
        slice whole = to->label;
        if (caps->choice_label_max)
            to->label = utf8_cut(to->label, caps->choice_label_max);
        if (to->label.n < whole.n)
            rule(ad, "short-label");
        if (to->image.n && !caps->choice_pictures)
            rule(ad, "choice-picture");
    }
}

static void add_cards(struct adapting *ad, const struct message *m)
{
    const struct caps *caps = ad->caps;
    bool fits = can(ad, KIND_CARDS) && m->cards.n && m->cards.n <= caps->cards_max;
    for (size_t i = 0; fits && i < m->cards.n && caps->card_choices_max; i++)
        fits = LIST_AT(m->cards, struct card, i)->choices.n <= caps->card_choices_max;
    if (fits) {
        if (m->text.n)
            add_text(ad, m, m->text);
        part_add(ad, m, KIND_CARDS)->cards = m->cards;
        return;
    }
    enum { CARDS_BYTES = 65536 };
    struct text t = text_new(ad->a, CARDS_BYTES);
    struct jw list = jw_new(ad->a, MEMORY_VALUE_MAX);
    size_t number = 0;
    rule(ad, "cards-text");
    text_put(&t, m->text);
    jw_open(&list, NULL, '[');
    for (size_t i = 0; i < m->cards.n; i++) {
        const struct card *card = LIST_AT(m->cards, struct card, i);
        const slice lines[] = { card->title, card->text, card->image, card->url };
        text_put(&t, SL("\n"));
        for (size_t k = 0; k < COUNT(lines); k++)
            if (lines[k].n)
                text_add(&t, "\n" SLF, SLA(lines[k]));
        list_text(ad, &t, &list, &card->choices, &number);
    }
    jw_close(&list, ']');
    ad->list = number ? jw_done(&list) : SLICE_NONE;
    add_text(ad, m, slice_trim(text_slice(&t)));
}

static void add_picker(struct adapting *ad, const struct message *m)
{
    if (can(ad, KIND_PICKER)) {
        struct message *p = part_add(ad, m, KIND_PICKER);
        p->text = m->text;
        p->picker = m->picker;
        return;
    }
    rule(ad, "picker-choices");
    struct js_list choices = { 0 };
    for (size_t i = 0; i < m->picker.slots.n; i++) {
        slice at = time_rfc3339(ad->a, LIST_AT(m->picker.slots, struct time_slot, i)->at_ms);
        struct choice *ch = LIST_ADD(ad->a, &choices, struct choice);
        ch->label = arena_printf(ad->a, "%.10s %.5s UTC", at.p, at.p + 11);
        ch->payload = at;
    }
    for (size_t i = 0; i < m->picker.choices.n; i++)
        *LIST_ADD(ad->a, &choices, struct choice) = *LIST_AT(m->picker.choices, struct choice, i);
    slice title = slice_or(m->picker.title, m->text);
    slice prompt = arena_printf(ad->a, SLF "%s" SLF, SLA(title), title.n && m->picker.text.n ? "\n" : "", SLA(m->picker.text));
    add_choices(ad, m, prompt.n ? prompt : SL("?"), &choices);
}

bool answer_of_list(struct arena *a, slice list, struct message *m)
{
    if (m->kind != KIND_TEXT || !list.n)
        return false;
    slice said = slice_trim(m->text);
    int64_t number = 0;
    bool is_number = slice_int(said, &number);
    const struct js *doc = js_parse(a, list, NULL);
    for (size_t i = 0; i < js_len(doc); i++) {
        slice label = js_text(js_item(js_item(doc, i), 0));
        bool numbered = !js_item(js_item(doc, i), 2);
        if (!(numbered && is_number && number == (int64_t)i + 1) && !slice_eq_nocase(label, said))
            continue;
        m->kind = KIND_ANSWER;
        m->text = label;
        m->payload = js_text(js_item(js_item(doc, i), 1));
        return true;
    }
    return false;
}

static void offer_choices(struct jw *w, const struct js_list *choices)
{
    for (size_t i = 0; i < choices->n; i++) {
        const struct choice *ch = LIST_AT(*choices, struct choice, i);
        if (ch->url.n || !ch->payload.n || slice_eq(ch->payload, ch->label))
            continue; /* such an answer says itself */
        jw_open(w, NULL, '[');
        jw_str(w, NULL, ch->label);
        jw_str(w, NULL, ch->payload);
        jw_close(w, ']');
    }
}

slice offer_of_parts(struct arena *a, const struct message *parts, size_t n)
{
    enum { NOTHING = 2 };
    struct jw w = jw_new(a, MEMORY_VALUE_MAX);
    jw_open(&w, NULL, '[');
    for (size_t i = 0; i < n; i++) {
        offer_choices(&w, &parts[i].choices);
        offer_choices(&w, &parts[i].picker.choices);
        for (size_t k = 0; k < parts[i].cards.n; k++)
            offer_choices(&w, &LIST_AT(parts[i].cards, struct card, k)->choices);
    }
    jw_close(&w, ']');
    slice json = jw_done(&w);
    return json.n > NOTHING ? json : SLICE_NONE;
}

void answer_label(struct arena *a, slice offer, struct message *m)
{
    if (m->kind != KIND_ANSWER || !m->payload.n || !offer.n || (m->text.n && !slice_eq(m->text, m->payload)))
        return;
    const struct js *doc = js_parse(a, offer, NULL);
    for (size_t i = 0; i < js_len(doc); i++)
        if (slice_eq(js_text(js_item(js_item(doc, i), 1)), m->payload)) {
            m->text = js_text(js_item(js_item(doc, i), 0));
            return;
        }
}

/* ---- all ---------------------------------------------------------------------------------------------------------- */

/* Where the account asks for it and its network has no better place. */
static slice agent_prefix(const struct adapting *ad, const struct message *m)
{
    const struct adapt_to *to = ad->to;
    bool wanted = slice_eq(account_setting(to->account, "prefix_agent_name"), SL("true"));
    if (!wanted || ad->caps->agent_name || to->account->type->desk || m->origin == ORIGIN_GUEST)
        return SLICE_NONE;
    return author_name(to->conversation, m);
}

static void add_text_only(struct adapting *ad, const struct message *m)
{
    if (m->text.n)
        rule(ad, "text-only");
    add_text(ad, m, m->text);
}

static void add_any(struct adapting *ad, const struct message *m)
{
    switch ((enum kind)m->kind) {
    case KIND_TEXT: add_text(ad, m, m->text); return;
    case KIND_IMAGE:
    case KIND_VIDEO:
    case KIND_AUDIO:
    case KIND_FILE: add_media(ad, m); return;
    case KIND_LOCATION: add_location(ad, m); return;
    case KIND_STICKER: add_sticker(ad, m); return;
    case KIND_CHOICES: add_choices(ad, m, m->text, &m->choices); return;
    case KIND_CARDS: add_cards(ad, m); return;
    case KIND_PICKER: add_picker(ad, m); return;
    case KIND_ANSWER:
        if (!can(ad, KIND_ANSWER)) {
            rule(ad, "answer-text");
            add_text(ad, m, slice_or(m->text, m->payload));
            return;
        }
        break;
    case KIND_NATIVE:
        if (!can(ad, KIND_NATIVE) || (m->native_for.n && !slice_eq(m->native_for, slice_of(ad->to->account->type->name)))) {
            add_text_only(ad, m);
            return;
        }
        break;
    case KIND_FORM:
    case KIND_PAYMENT:
        if (!can(ad, (enum kind)m->kind)) {
            add_text_only(ad, m);
            return;
        }
        break;
    case KIND_EVENT:
        if (!(ad->caps->events & CAN(m->event)) && m->event == EVENT_EDITED) {
            rule(ad, "edited-text");
            add_text(ad, m, arena_printf(ad->a, "(edited) " SLF, SLA(m->text)));
            return;
        }
        if (!(ad->caps->events & CAN(m->event))) { /* accept let it through: a system message to show */
            add_text(ad, m, m->text);
            return;
        }
        break;
    case KIND_TYPING:
    case KIND_STATUS:
    case KIND_MAX: break;
    }
    *part_add(ad, m, (enum kind)m->kind) = *m;
}

bool adapt_message(struct arena *a, const struct adapt_to *to, const struct message *m, struct adapted *ret, enum reason *ret_reason,
                   struct fault *f)
{
    enum { NOTE_BYTES = 400 };
    struct adapting ad = { .a = a, .to = to, .caps = &to->account->type->caps, .note = text_new(a, NOTE_BYTES) };
    ad.prefix = agent_prefix(&ad, m);
    add_any(&ad, m);
    if (ad.parts.n == 0) {
        bool empty = m->kind == KIND_TEXT;
        *ret_reason = empty ? REASON_INVALID : REASON_UNSUPPORTED;
        return fault(f, empty ? "empty" : "unsupported", "kind", empty ? "a %s without text" : "%s cannot show this %s, and it has no text",
                     empty ? kind_names[m->kind] : to->account->type->title, kind_names[m->kind]);
    }
    *ret = (struct adapted){ ad.parts.items, ad.parts.n, text_slice(&ad.note), ad.list };
    return true;
}
