#include "api/chat/offers.h"
#include "api/chat/session.h"

enum { OFFERS_MAX = 5, ITEMS_MAX = 200 };

static bool taken(const struct offers *o, slice text)
{
    for (size_t i = 0; i < o->items.n; i++)
        if (slice_eq(LIST_AT(o->items, struct js_pair, i)->key, text))
            return true;
    return false;
}

slice offer_text(struct offers *o, const struct choice *ch, slice card_title)
{
    slice label = slice_or(ch->label, ch->payload), text = label;
    if (taken(o, text) && card_title.n)
        text = arena_printf(o->a, SLF " - " SLF, SLA(label), SLA(card_title));
    for (size_t n = 2; taken(o, text); n++)
        text = arena_printf(o->a, SLF " (%zu)", SLA(label), n);
    if (o->items.n < ITEMS_MAX)
        *LIST_ADD(o->a, &o->items, struct js_pair) = (struct js_pair){ text, slice_or(ch->payload, label) };
    return text;
}

static void write_one(struct jw *w, const struct offers *o)
{
    jw_open(w, NULL, '{');
    jw_str(w, "of", o->of);
    jw_open(w, "items", '[');
    for (size_t i = 0; i < o->items.n; i++) {
        const struct js_pair *p = LIST_AT(o->items, struct js_pair, i);
        jw_open(w, NULL, '[');
        jw_str(w, NULL, p->key);
        jw_str(w, NULL, p->value);
        jw_close(w, ']');
    }
    jw_close(w, ']');
    jw_close(w, '}');
}

slice offers_add(struct arena *a, slice json, const struct offers *o)
{
    const struct js *old = json.n ? js_parse(a, json, NULL) : NULL;
    if (!o->items.n)
        return json;
    for (size_t keep = MIN(js_len(old), (size_t)OFFERS_MAX - 1);; keep--) {
        struct jw w = jw_new(a, CHAT_OFFERS_BYTES);
        jw_open(&w, NULL, '[');
        write_one(&w, o);
        for (size_t i = 0; i < keep; i++)
            jw_value(&w, NULL, js_item(old, i));
        jw_close(&w, ']');
        slice done = jw_done(&w);
        if (done.p || keep == 0)
            return done.p ? done : json; /* more than is kept: its buttons come back as texts */
    }
}

bool offers_find(struct arena *a, slice json, slice text, slice *ret_payload, slice *ret_of)
{
    const struct js *doc = json.n ? js_parse(a, json, NULL) : NULL;
    for (size_t i = 0; i < js_len(doc); i++) {
        const struct js *items = js_at(js_item(doc, i), "items");
        for (size_t k = 0; k < js_len(items); k++) {
            if (!slice_eq(js_text(js_item(js_item(items, k), 0)), text))
                continue;
            *ret_payload = js_text(js_item(js_item(items, k), 1));
            *ret_of = js_text(js_at(js_item(doc, i), "of"));
            return true;
        }
    }
    return false;
}
