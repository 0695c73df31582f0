/* A part as the message it becomes: "Sending". Choices, cards and pickers become the inner object of an interactive message; native.c does the rest. */
#include "hub/adapt.h"
#include "networks/apple/wire.h"

/* ---- texts ---------------------------------------------------------------------------------------------------------------- */

void apple_text(struct call *c, slice text, struct apple_send *ret)
{
    struct jw w = jw_new(c->a, APPLE_BODY_BYTES);
    *ret = (struct apple_send){ .way = APPLE_NOTHING };
    if (!slice_trim(text).n)
        return;
    jw_str(&w, NULL, text);
    ret->way = APPLE_JSON;
    ret->type = SL("text");
    ret->members = arena_printf(c->a, ",\"body\":" SLF, SLA(jw_done(&w)));
}

void apple_numbered(struct call *c, slice prompt, const struct apple_item *items, size_t n, struct apple_send *ret)
{
    struct text text = text_new(c->a, APPLE_BODY_BYTES);
    struct jw list = jw_new(c->a, MEMORY_VALUE_MAX);
    text_put(&text, prompt);
    jw_open(&list, NULL, '[');
    for (size_t i = 0; i < n; i++) {
        text_add(&text, "%s%zu. " SLF, i || prompt.n ? "\n" : "", i + 1, SLA(items[i].label));
        jw_open(&list, NULL, '[');
        jw_str(&list, NULL, items[i].label);
        jw_str(&list, NULL, items[i].payload);
        jw_close(&list, ']');
    }
    jw_close(&list, ']');
    apple_text(c, text_slice(&text), ret);
    ret->list = jw_done(&list);
}

/* ---- choices -------------------------------------------------------------------------------------------------------------- */

static slice payload_of(const struct choice *ch)
{
    return slice_or(ch->payload, ch->label);
}

/* Items on their way into a list: payloads that fit are their identifiers, the others are read back off the list by their titles. */
struct putting {
    struct call *c;
    struct jw w, list, labels; /* labels: the list where the device shows no numbers */
    size_t n;
    bool long_ones;
};

static struct putting putting_new(struct call *c)
{
    struct putting p = { .c = c, .w = jw_new(c->a, APPLE_BODY_BYTES), .list = jw_new(c->a, MEMORY_VALUE_MAX), .labels = jw_new(c->a, MEMORY_VALUE_MAX) };
    jw_open(&p.list, NULL, '[');
    jw_open(&p.labels, NULL, '[');
    return p;
}

static slice identifier(struct putting *p, slice label, slice payload)
{
    struct jw *const both[] = { &p->list, &p->labels };
    for (size_t i = 0; i < COUNT(both); i++) {
        jw_open(both[i], NULL, '[');
        jw_str(both[i], NULL, label);
        jw_str(both[i], NULL, payload);
        if (i)
            jw_bool(both[i], NULL, false);
        jw_close(both[i], ']');
    }
    p->n++;
    if (payload.n && utf8_len(payload) <= APPLE_ID_CHARS && !slice_starts(payload, SL(APPLE_OWN)))
        return payload;
    p->long_ones = true;
    return arena_printf(p->c->a, APPLE_OWN "%zu", p->n);
}

static slice list_of(struct putting *p, bool numbered)
{
    struct jw *w = numbered ? &p->list : &p->labels;
    jw_close(w, ']');
    return p->long_ones ? jw_done(w) : SLICE_NONE;
}

static void put_item(struct putting *p, slice label, slice payload, slice more, slice image, size_t order)
{
    jw_open(&p->w, NULL, '{');
    jw_str(&p->w, "identifier", identifier(p, label, payload));
    jw_str(&p->w, "title", label);
    jw_opt(&p->w, "subtitle", more);
    jw_int(&p->w, "order", (int64_t)order);
    jw_str(&p->w, "style", image.n ? SL("icon") : SL("default"));
    jw_opt(&p->w, "imageIdentifier", image);
    jw_close(&p->w, '}');
}

static void put_bubble(struct putting *p, slice title, slice more, slice image)
{
    static const char *const names[] = { "receivedMessage", "replyMessage" };
    for (size_t i = 0; i < COUNT(names); i++) {
        jw_open(&p->w, names[i], '{');
        jw_str(&p->w, "title", slice_or(title, SL("\xe2\x80\xa6")));
        if (i == 0)
            jw_opt(&p->w, "subtitle", more);
        jw_str(&p->w, "style", SL("icon"));
        if (i == 0)
            jw_opt(&p->w, "imageIdentifier", image);
        jw_close(&p->w, '}');
    }
}

static bool finish(struct putting *p, struct delivery *d, slice request, struct apple_send *ret)
{
    jw_close(&p->w, '}');
    slice json = jw_done(&p->w);
    const struct js *inner = json.n ? js_parse(p->c->a, json, p->c->f) : NULL;
    d->reason = REASON_INVALID;
    if (!inner || !apple_put_interactive(p->c, d, inner, request, ret))
        return json.n ? false : fault(p->c->f, "refused", "", "the message is too large");
    ret->list = slice_or(list_of(p, ret->list.n > 0), ret->list);
    return true;
}

/* The section of a list picker, opened with its items. */
static void section_begin(struct putting *p, slice title, size_t order, bool multiple)
{
    jw_open(&p->w, NULL, '{');
    jw_str(&p->w, "title", title);
    jw_int(&p->w, "order", (int64_t)order);
    jw_bool(&p->w, "multipleSelection", multiple);
    jw_open(&p->w, "items", '[');
}

static void section_end(struct putting *p)
{
    jw_close(&p->w, ']');
    jw_close(&p->w, '}');
}

static bool put_quick(struct call *c, struct delivery *d, const struct message *m, slice request, struct apple_send *ret)
{
    struct putting p = putting_new(c);
    jw_open(&p.w, NULL, '{');
    jw_open(&p.w, "data", '{');
    jw_open(&p.w, "quick-reply", '{');
    jw_str(&p.w, "summaryText", slice_or(m->text, SL("\xe2\x80\xa6")));
    jw_open(&p.w, "items", '[');
    for (size_t i = 0; i < m->choices.n; i++) {
        const struct choice *ch = LIST_AT(m->choices, struct choice, i);
        jw_open(&p.w, NULL, '{');
        jw_str(&p.w, "identifier", identifier(&p, ch->label, payload_of(ch)));
        jw_str(&p.w, "title", ch->label);
        jw_close(&p.w, '}');
    }
    jw_close(&p.w, ']');
    jw_close(&p.w, '}');
    jw_close(&p.w, '}');
    return finish(&p, d, request, ret);
}

static bool put_list(struct call *c, struct delivery *d, slice title, slice more, const struct js_list *choices, bool multiple, slice image,
                     slice request, struct apple_send *ret)
{
    struct putting p = putting_new(c);
    jw_open(&p.w, NULL, '{');
    jw_open(&p.w, "data", '{');
    if (image.n) {
        jw_open(&p.w, "images", '[');
        jw_open(&p.w, NULL, '{');
        jw_str(&p.w, "identifier", SL("1"));
        jw_str(&p.w, "url", image);
        jw_close(&p.w, '}');
        jw_close(&p.w, ']');
    }
    jw_open(&p.w, "listPicker", '{');
    jw_bool(&p.w, "multipleSelection", multiple);
    jw_open(&p.w, "sections", '[');
    section_begin(&p, title, 0, multiple);
    for (size_t i = 0; i < choices->n; i++) {
        const struct choice *ch = LIST_AT(*choices, struct choice, i);
        put_item(&p, ch->label, payload_of(ch), SLICE_NONE, SLICE_NONE, i);
    }
    section_end(&p);
    jw_close(&p.w, ']');
    jw_close(&p.w, '}');
    jw_close(&p.w, '}');
    put_bubble(&p, title, more, image.n ? SL("1") : SLICE_NONE);
    return finish(&p, d, request, ret);
}

static bool send_choices(struct call *c, struct delivery *d, const struct message *m, slice request, struct apple_send *ret)
{
    bool few = m->choices.n >= APPLE_QUICK_MIN && m->choices.n <= APPLE_QUICK_MAX;
    if (few && (apple_can(c, "QUICK") || !apple_can(c, "LIST")))
        return put_quick(c, d, m, request, ret);
    return put_list(c, d, m->text, SLICE_NONE, &m->choices, false, SLICE_NONE, request, ret);
}

/* ---- cards ------------------------------------------------------------------------------------------------------------------ */

/* One card that opens an address and has a picture is a rich link. */
static bool is_link(const struct message *m)
{
    const struct card *card = LIST_AT(m->cards, struct card, 0);
    return m->cards.n == 1 && !card->choices.n && card->url.n && card->image.n;
}

static bool send_link(struct call *c, struct delivery *d, const struct card *card, struct apple_send *ret)
{
    struct jw w = jw_new(c->a, APPLE_BODY_BYTES);
    jw_open(&w, NULL, '{');
    jw_str(&w, "url", card->url);
    jw_opt(&w, "title", slice_or(card->title, card->text));
    jw_open(&w, "assets", '{');
    jw_open(&w, "image", '{');
    jw_str(&w, "url", card->image);
    jw_close(&w, '}');
    jw_close(&w, '}');
    jw_close(&w, '}');
    const struct js *rich = js_parse(c->a, jw_done(&w), c->f);
    return rich && apple_put_rich(c, d, rich, ret);
}

static void put_card(struct putting *p, const struct card *card, size_t i, slice image)
{
    struct arena *a = p->c->a;
    slice title = slice_or(card->title, slice_or(card->text, SL("\xe2\x80\xa6"))), more = card->title.n ? card->text : SLICE_NONE;
    if (card->url.n)
        more = arena_printf(a, SLF "%s" SLF, SLA(more), more.n ? "\n" : "", SLA(card->url));
    section_begin(p, card->choices.n > 1 ? title : SL(""), i, false);
    if (card->choices.n < 2)
        put_item(p, title, card->choices.n ? payload_of(LIST_AT(card->choices, struct choice, 0)) : title, more, image, 0);
    for (size_t k = 0; card->choices.n > 1 && k < card->choices.n; k++) {
        const struct choice *ch = LIST_AT(card->choices, struct choice, k);
        put_item(p, ch->label, payload_of(ch), k ? SLICE_NONE : more, k ? SLICE_NONE : image, k);
    }
    section_end(p);
}

static bool send_cards(struct call *c, struct delivery *d, const struct message *m, slice request, struct apple_send *ret)
{
    if (is_link(m))
        return send_link(c, d, LIST_AT(m->cards, struct card, 0), ret);
    struct putting p = putting_new(c);
    jw_open(&p.w, NULL, '{');
    jw_open(&p.w, "data", '{');
    jw_open(&p.w, "images", '[');
    for (size_t i = 0; i < m->cards.n; i++) {
        slice url = LIST_AT(m->cards, struct card, i)->image;
        if (!url.n)
            continue;
        jw_open(&p.w, NULL, '{');
        jw_str(&p.w, "identifier", arena_printf(c->a, "%zu", i + 1));
        jw_str(&p.w, "url", url);
        jw_close(&p.w, '}');
    }
    jw_close(&p.w, ']');
    jw_open(&p.w, "listPicker", '{');
    jw_bool(&p.w, "multipleSelection", false);
    jw_open(&p.w, "sections", '[');
    for (size_t i = 0; i < m->cards.n; i++) {
        const struct card *card = LIST_AT(m->cards, struct card, i);
        put_card(&p, card, i, card->image.n ? arena_printf(c->a, "%zu", i + 1) : SLICE_NONE);
    }
    jw_close(&p.w, ']');
    jw_close(&p.w, '}');
    jw_close(&p.w, '}');
    const struct card *first = LIST_AT(m->cards, struct card, 0);
    put_bubble(&p, slice_or(m->text, slice_or(first->title, first->text)), SLICE_NONE, first->image.n ? SL("1") : SLICE_NONE);
    return finish(&p, d, request, ret);
}

/* ---- pickers ---------------------------------------------------------------------------------------------------------------- */

/* Slots are named by their time, so that an answer says which without a list of ours. */
static bool send_times(struct call *c, struct delivery *d, const struct message *m, slice request, struct apple_send *ret)
{
    const struct picker *pk = &m->picker;
    slice title = slice_or(pk->title, slice_or(m->text, SL("\xe2\x80\xa6")));
    struct putting p = putting_new(c);
    jw_open(&p.w, NULL, '{');
    jw_open(&p.w, "data", '{');
    jw_open(&p.w, "event", '{');
    jw_str(&p.w, "identifier", SL("1"));
    jw_str(&p.w, "title", title);
    jw_open(&p.w, "timeslots", '[');
    for (size_t i = 0; i < pk->slots.n; i++) {
        const struct time_slot *slot = LIST_AT(pk->slots, struct time_slot, i);
        slice at = time_rfc3339(c->a, slot->at_ms);
        jw_open(&p.w, NULL, '{');
        jw_str(&p.w, "identifier", arena_printf(c->a, "%.19sZ", at.p));
        jw_str(&p.w, "startTime", arena_printf(c->a, "%.16s+0000", at.p));
        jw_int(&p.w, "duration", slot->duration_s);
        jw_close(&p.w, '}');
    }
    jw_close(&p.w, ']');
    jw_close(&p.w, '}');
    jw_close(&p.w, '}');
    put_bubble(&p, title, pk->text, SLICE_NONE);
    return finish(&p, d, request, ret);
}

bool apple_send_of(struct call *c, struct delivery *d, const struct message *m, slice request, struct apple_send *ret)
{
    const struct picker *pk = &m->picker;
    *ret = (struct apple_send){ .way = APPLE_NOTHING };
    switch ((enum kind)m->kind) {
    case KIND_TEXT: apple_text(c, m->text, ret); return true;
    case KIND_EVENT: apple_text(c, system_text(c, m), ret); return true;
    case KIND_CHOICES: return send_choices(c, d, m, request, ret);
    case KIND_CARDS: return send_cards(c, d, m, request, ret);
    case KIND_NATIVE: return apple_native(c, d, m->native_json, request, ret);
    case KIND_PICKER:
        if (pk->slots.n)
            return send_times(c, d, m, request, ret);
        return put_list(c, d, slice_or(pk->title, m->text), pk->text, &pk->choices, pk->multiple, pk->image, request, ret);
    case KIND_IMAGE:
    case KIND_VIDEO:
    case KIND_AUDIO:
    case KIND_FILE: ret->way = APPLE_FILE; return true;
    case KIND_LOCATION:
    case KIND_STICKER:
    case KIND_ANSWER:
    case KIND_FORM:
    case KIND_PAYMENT:
    case KIND_TYPING:
    case KIND_STATUS:
    case KIND_MAX: break;
    }
    d->reason = REASON_UNSUPPORTED;
    return fault(c->f, "refused", "kind", "not carried by Apple Messages for Business");
}
