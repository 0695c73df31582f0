/* Buttons that were sent, so that a tapped one can be answered in Genesys Cloud's own way, 7.2.
 *
 * The newest GC_OFFERS of them are kept in the guest's memory, one in each key; the answer to one that is forgotten goes as a text. */
#include "desks/genesys_cloud/wire.h"

static const char *const gc_offer_keys[GC_OFFERS] = {
    "offer.0", "offer.1", "offer.2", "offer.3", "offer.4", "offer.5", "offer.6", "offer.7",
};

/* clang-format off */
static const struct js_field gc_choice_fields[] = {
    JS_FIELD(struct choice, label,   "label",   JS_STR, 0),
    JS_FIELD(struct choice, payload, "payload", JS_STR, 0),
};
static const struct js_field gc_offer_fields[] = {
    JS_FIELD(struct gc_offer, id,    "id",   JS_STR,  JS_REQ),
    JS_FIELD(struct gc_offer, type,  "type", JS_STR,  JS_REQ),
    JS_FIELD(struct gc_offer, at_ms, "at",   JS_TIME, JS_REQ),
    JS_FIELD_LIST(struct gc_offer, choices, "choices", struct choice, gc_choice_fields, JS_REQ),
};
/* clang-format on */

void gc_offer_remember(struct call *c, struct inbox *in, struct message *m, const struct gc_offer *offer)
{
    enum { DAY_MS = 24 * 60 * 60 * 1000 };
    struct gc_offer kept = *offer;
    for (; kept.choices.n; kept.choices.n--) { /* as many as fit, from the first */
        struct jw w = jw_new(c->a, MEMORY_VALUE_MAX);
        jw_open(&w, NULL, '{');
        jw_fields(&w, gc_offer_fields, COUNT(gc_offer_fields), &kept);
        jw_close(&w, '}');
        slice value = jw_done(&w);
        if (value.p) {
            inbox_remember_newest(in, m, gc_offer_keys, GC_OFFERS, value, c->now_ms + (int64_t)GC_OFFER_DAYS * DAY_MS);
            return;
        }
    }
}

static bool same_time(slice a, slice b)
{
    int64_t x, y;
    return time_parse_rfc3339(a, &x) && time_parse_rfc3339(b, &y) && x == y;
}

/* What the guest's network gives back: the payload where it has one, else the label. */
static bool takes(const struct choice *offered, const struct message *m)
{
    if (m->payload.n)
        return slice_eq(m->payload, offered->payload) || same_time(m->payload, offered->payload);
    return m->text.n && (slice_eq(m->text, offered->label) || slice_eq(m->text, offered->payload));
}

bool gc_offer_find(struct call *c, const struct message *m, struct gc_offer *ret, struct choice *ret_choice)
{
    bool found = false;
    slice of = gc_platform_id(m->of);
    for (size_t i = 0; i < GC_OFFERS; i++) {
        slice value = memory_get(c->guest_memory, gc_offer_keys[i], c->now_ms);
        const struct js *doc = value.n ? js_parse(c->a, value, NULL) : NULL;
        struct gc_offer offer = { 0 };
        if (!doc || !js_read(c->a, doc, gc_offer_fields, COUNT(gc_offer_fields), &offer, NULL))
            continue;
        if (of.n ? !slice_eq(offer.id, of) : found && offer.at_ms <= ret->at_ms)
            continue; /* the one that is named, else the newest that has this answer */
        for (size_t k = 0; k < offer.choices.n; k++) {
            struct choice *choice = LIST_AT(offer.choices, struct choice, k);
            if (!takes(choice, m))
                continue;
            *ret = offer;
            *ret_choice = *choice;
            found = true;
            break;
        }
    }
    return found;
}
