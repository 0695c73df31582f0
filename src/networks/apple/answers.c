/* What a guest answered to an interactive message: "Interactive messages", "Signing in", "Apple Pay". The same whether it came with the request or had to be fetched. */
#include "networks/apple/wire.h"

enum { SAID_BYTES = 16 << 10, PER_REQUEST_ITEMS = 100 };

struct answer_of {
    struct text payload, text;
    size_t n;
    bool by_label; /* one of the items has its payload in a list of ours */
};

/* One chosen item more. */
static void chosen(struct answer_of *to, slice id, slice title)
{
    bool own = slice_starts(id, SL(APPLE_OWN));
    to->by_label |= own;
    text_add(&to->payload, "%s" SLF, to->n ? "," : "", SLA(own ? title : slice_or(id, title)));
    text_add(&to->text, "%s" SLF, to->n ? ", " : "", SLA(slice_or(title, id)));
    to->n++;
}

static void take_list(struct call *c, const struct js *list, struct answer_of *to)
{
    (void)c;
    const struct js *sections = js_at(list, "sections");
    for (size_t s = 0; s < MIN(js_len(sections), (size_t)PER_REQUEST_ITEMS); s++) {
        const struct js *items = js_at(js_item(sections, s), "items");
        for (size_t i = 0; i < js_len(items) && to->n < PER_REQUEST_ITEMS; i++)
            chosen(to, apple_member(js_item(items, i), "identifier"), apple_member(js_item(items, i), "title"));
    }
}

static void take_quick(struct call *c, const struct js *quick, struct answer_of *to)
{
    (void)c;
    const struct js *items = js_at(quick, "items");
    slice id = apple_member(quick, "selectedIdentifier");
    int64_t at = -1;
    if (!js_int(js_at(quick, "selectedIndex"), &at))
        at = -1;
    for (size_t i = 0; i < js_len(items); i++) {
        slice own = apple_member(js_item(items, i), "identifier");
        if (id.n ? slice_eq(id, own) : at == (int64_t)i) {
            chosen(to, own, apple_member(js_item(items, i), "title"));
            return;
        }
    }
    if (id.n)
        chosen(to, id, SLICE_NONE);
}

/* Slots of a picker of ours are known by their time. */
static void take_event(struct call *c, const struct js *event, struct answer_of *to)
{
    const struct js *slots = js_at(event, "timeslots");
    for (size_t i = 0; i < MIN(js_len(slots), (size_t)PER_REQUEST_ITEMS); i++) {
        slice id = apple_member(js_item(slots, i), "identifier"), at = apple_member(js_item(slots, i), "startTime");
        bool own = id.n == APPLE_ID_CHARS && slice_ends(id, SL("Z"));
        chosen(to, own || !at.n ? id : arena_printf(c->a, SLF "%s" SLF, SLA(id), id.n ? "," : "", SLA(at)), slice_or(at, id));
    }
}

/* "Room: Twin" for each page; the selections themselves are the payload. */
static void take_form(struct call *c, const struct js *form, struct answer_of *to)
{
    const struct js *pages = js_at(form, "selections");
    for (size_t p = 0; p < MIN(js_len(pages), (size_t)PER_REQUEST_ITEMS); p++) {
        const struct js *page = js_item(pages, p), *items = js_at(page, "items");
        text_add(&to->text, "%s" SLF ": ", to->n++ ? "\n" : "", SLA(slice_or(apple_member(page, "title"), apple_member(page, "pageIdentifier"))));
        for (size_t i = 0; i < js_len(items); i++)
            text_add(&to->text, "%s" SLF, i ? ", " : "", SLA(slice_or(apple_member(js_item(items, i), "title"), apple_member(js_item(items, i), "value"))));
    }
    if (js_is_array(pages))
        text_put(&to->payload, js_print(c->a, pages));
}

/* clang-format off */
static const struct { const char *key; void (*take)(struct call *c, const struct js *v, struct answer_of *to); } kinds[] = {
    { "listPicker",  take_list },
    { "quick-reply", take_quick },
    { "event",       take_event },
    { "dynamic",     take_form },
};
/* clang-format on */

static slice title_of(const struct js *i)
{
    static const char *const places[] = { "data.replyMessage.title", "replyMessage.title", "data.replyMessage.alternateTitle", "receivedMessage.title",
                                          "title" };
    for (size_t p = 0; p < COUNT(places); p++)
        if (apple_member(i, places[p]).n)
            return apple_member(i, places[p]);
    return SLICE_NONE;
}

/* How it ended, for people; the vendor's own word for it is the payload. */
static void settled(struct call *c, struct apple_answer *ret, const char *what, slice status, const char *good)
{
    status = slice_or(status, SL("unknown"));
    ret->payload = arena_printf(c->a, "%s:" SLF, what, SLA(status));
    ret->text = good ? slice_of(good) : arena_printf(c->a, "Failed (%s): " SLF, what, SLA(status));
}

bool apple_answer_of(struct call *c, const struct js *i, struct apple_answer *ret)
{
    const struct js *data = js_at(i, "data");
    slice bid = apple_member(i, "bid"), title = title_of(i);
    *ret = (struct apple_answer){ .text = title };
    if (bid.n && !slice_eq(bid, SL(APPLE_BID))) {
        ret->payload = apple_member(i, "URL");
        ret->text = slice_or(title, apple_member(i, "appName"));
        return true;
    }
    for (size_t n = 0; n < COUNT(kinds); n++) {
        const struct js *v = js_get(data, slice_of(kinds[n].key));
        if (!js_is_object(v))
            continue;
        struct answer_of to = { text_new(c->a, SAID_BYTES), text_new(c->a, SAID_BYTES), 0, false };
        kinds[n].take(c, v, &to);
        bool form = kinds[n].take == take_form;
        if (to.payload.over)
            return fault(c->f, "out_of_range", kinds[n].key, "the answer is larger than %d bytes", SAID_BYTES);
        ret->by_label = to.by_label && to.n == 1;
        ret->payload = text_slice(&to.payload);
        ret->text = ret->by_label || form ? slice_or(text_slice(&to.text), title) : slice_or(title, text_slice(&to.text));
        return true;
    }
    const struct js *in = js_at(data, "authenticate"), *paid = js_at(data, "payment");
    if (js_is_object(in)) {
        slice status = apple_member(in, "status");
        settled(c, ret, "sign-in", status, slice_eq_nocase(status, SL("authenticated")) ? "Signed in" : NULL);
        ret->token = apple_member(in, "token");
        ret->request = apple_member(data, "requestIdentifier");
    } else if (js_is_object(paid)) {
        slice state = slice_or(apple_member(paid, "state"), apple_member(paid, "status"));
        settled(c, ret, "payment", state, slice_eq_nocase(state, SL("completed")) || slice_eq(state, SL("STATUS_SUCCESS")) ? "Paid" : NULL);
    } else if (!title.n) {
        ret->rule = "unknown-interactive";
    }
    return true;
}
