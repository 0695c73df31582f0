/* Interactive messages and rich links: "Interactive messages", "Canned responses". What an operator wrote, and what sends.c makes of choices and cards, goes the same way:
 * the inner object becomes the one Apple takes, its pictures are put in, and what the guest's device cannot show becomes a text. */
#include "networks/apple/wire.h"
#include "wire/url.h"

static bool refused(struct call *c, struct delivery *d, const char *field, const char *text)
{
    d->reason = REASON_INVALID;
    return fault(c->f, "refused", field, "%s", text);
}

static bool is_one_of(slice key, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (slice_eq(key, slice_of(names[i])))
            return true;
    return false;
}

/* An address over several lines, as it is copied out of documents. */
static slice without_space(struct arena *a, slice url)
{
    struct text t = text_new(a, url.n + 1);
    for (size_t i = 0; i < url.n; i++)
        if ((unsigned char)url.p[i] > ' ')
            text_char(&t, url.p[i]);
    return text_slice(&t);
}

/* The picture at url, or NULL: then ret->picture says what is to be fetched first, unless it can never be had. */
static const struct apple_picture *picture(struct call *c, struct delivery *d, slice url, struct apple_send *ret)
{
    struct url u;
    const struct apple_picture *p = apple_picture_of(d, url);
    if (p)
        return p->data.n ? p : NULL;
    if (url.n && !ret->picture.n && url_parse(c->a, url, &u, NULL) && apple_picture_room(d))
        ret->picture = url;
    return NULL;
}

/* ---- pictures of data.images ------------------------------------------------------------------------------------------ */

static void put_images(struct call *c, struct delivery *d, struct jw *w, const struct js *images, struct apple_send *ret)
{
    bool any = false;
    for (size_t i = 0; i < js_len(images); i++) {
        const struct js *image = js_item(images, i);
        slice url = without_space(c->a, apple_member(image, "url")), data = apple_member(image, "data");
        const struct apple_picture *p = data.n ? NULL : picture(c, d, url, ret);
        if (!data.n && !p)
            continue;
        if (!any)
            jw_open(w, "images", '[');
        any = true;
        jw_open(w, NULL, '{');
        for (void *it = js_first(image); it; it = js_next(image, it))
            if (!slice_eq(js_key(image, it), SL("url")) && !slice_eq(js_key(image, it), SL("data"))) {
                jw_key(w, js_key(image, it));
                jw_value(w, NULL, js_value(it));
            }
        jw_str(w, "data", data.n ? data : p->data);
        jw_close(w, '}');
    }
    if (any)
        jw_close(w, ']');
}

/* Is there a picture of this name that can be sent? */
static bool has_image(struct call *c, const struct delivery *d, const struct js *images, slice id)
{
    for (size_t i = 0; i < js_len(images); i++) {
        const struct js *image = js_item(images, i);
        const struct apple_picture *p = apple_picture_of(d, without_space(c->a, apple_member(image, "url")));
        if (slice_eq(apple_member(image, "identifier"), id) && (apple_member(image, "data").n || (p && p->data.n)))
            return true;
    }
    return false;
}

/* A copy without the names of pictures that there are none of. */
static void put_checked(struct call *c, const struct delivery *d, struct jw *w, const char *key, const struct js *v, const struct js *images)
{
    if (js_is_object(v)) {
        jw_open(w, key, '{');
        for (void *it = js_first(v); it; it = js_next(v, it)) {
            if (slice_eq(js_key(v, it), SL("imageIdentifier")) && !has_image(c, d, images, js_text(js_value(it))))
                continue;
            jw_key(w, js_key(v, it));
            put_checked(c, d, w, NULL, js_value(it), images);
        }
        jw_close(w, '}');
    } else if (js_is_array(v)) {
        jw_open(w, key, '[');
        for (size_t i = 0; i < js_len(v); i++)
            put_checked(c, d, w, NULL, js_item(v, i), images);
        jw_close(w, ']');
    } else {
        jw_value(w, key, v);
    }
}

/* ---- for devices that cannot show it ------------------------------------------------------------------------------------ */

static slice prompt_of(struct call *c, const struct js *inner)
{
    slice title = apple_member(inner, "receivedMessage.title"), more = apple_member(inner, "receivedMessage.subtitle");
    return arena_printf(c->a, SLF "%s" SLF, SLA(title), title.n && more.n ? "\n" : "", SLA(more));
}

struct items {
    struct apple_item all[APPLE_ITEMS];
    size_t n;
};

static void add_item(struct items *to, slice label, slice payload)
{
    if (to->n < APPLE_ITEMS && label.n)
        to->all[to->n++] = (struct apple_item){ label, slice_or(payload, label) };
}

static void numbered_list(struct call *c, const struct js *inner, const struct js *list, struct apple_send *ret)
{
    struct items to = { .n = 0 };
    const struct js *sections = js_at(list, "sections");
    for (size_t s = 0; s < js_len(sections); s++) {
        const struct js *items = js_at(js_item(sections, s), "items");
        for (size_t i = 0; i < js_len(items); i++)
            add_item(&to, apple_member(js_item(items, i), "title"), apple_member(js_item(items, i), "identifier"));
    }
    apple_numbered(c, slice_or(prompt_of(c, inner), apple_member(list, "sections.0.title")), to.all, to.n, ret);
}

static void numbered_quick(struct call *c, const struct js *inner, const struct js *quick, struct apple_send *ret)
{
    struct items to = { .n = 0 };
    const struct js *items = js_at(quick, "items");
    for (size_t i = 0; i < js_len(items); i++)
        add_item(&to, apple_member(js_item(items, i), "title"), apple_member(js_item(items, i), "identifier"));
    apple_numbered(c, slice_or(apple_member(quick, "summaryText"), prompt_of(c, inner)), to.all, to.n, ret);
}

/* "2026-07-10T08:00+0000" as people read it. A text cannot know the reader's zone: it says that it is UTC. */
static slice slot_label(struct arena *a, slice at)
{
    enum { DATE = 10, TIME = 5 };
    bool usual = at.n == DATE + 1 + TIME + 5 && at.p[DATE] == 'T' && slice_ends(at, SL("+0000"));
    return usual ? arena_printf(a, "%.*s %.*s UTC", DATE, at.p, TIME, at.p + DATE + 1) : at;
}

static void numbered_slots(struct call *c, const struct js *inner, const struct js *event, struct apple_send *ret)
{
    struct items to = { .n = 0 };
    const struct js *slots = js_at(event, "timeslots") ? js_at(event, "timeslots") : js_at(inner, "data.timeslots");
    for (size_t i = 0; i < js_len(slots); i++)
        add_item(&to, slot_label(c->a, apple_member(js_item(slots, i), "startTime")), apple_member(js_item(slots, i), "identifier"));
    apple_numbered(c, slice_or(prompt_of(c, inner), apple_member(event, "title")), to.all, to.n, ret);
}

static void form_text(struct call *c, const struct js *inner, const struct js *form, struct apple_send *ret)
{
    slice splash = arena_printf(c->a, SLF "\n" SLF, SLA(apple_member(form, "data.splash.header")), SLA(apple_member(form, "data.splash.splashtext")));
    apple_text(c, slice_or(prompt_of(c, inner), slice_trim(splash)), ret);
}

/* clang-format off */
static const struct kind_of_data {
    const char *key, *capability; /* NULL: every device */
    void (*instead)(struct call *c, const struct js *inner, const struct js *v, struct apple_send *ret);
} kinds[] = {
    { "listPicker",   "LIST",  numbered_list },
    { "event",        "TIME",  numbered_slots },
    { "quick-reply",  "QUICK", numbered_quick },
    { "dynamic",      "FORM",  form_text },
    { "authenticate", "AUTH",  NULL }, /* or AUTH2; a link instead */
    { "payment",      NULL,    NULL },
};
/* clang-format on */

/* ---- interactiveData ---------------------------------------------------------------------------------------------------- */

static const struct kind_of_data *kind_in(const struct js *data)
{
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (js_is_object(js_get(data, slice_of(kinds[i].key))))
            return &kinds[i];
    return NULL;
}

/* Some samples have zone and slots beside the event. */
static void put_event(struct jw *w, const struct js *data, const struct js *event)
{
    static const char *const moved[] = { "timezoneOffset", "timeslots" };
    jw_open(w, "event", '{');
    for (void *it = js_first(event); it; it = js_next(event, it)) {
        jw_key(w, js_key(event, it));
        jw_value(w, NULL, js_value(it));
    }
    for (size_t i = 0; i < COUNT(moved); i++)
        if (js_at(data, moved[i]) && !js_at(event, moved[i]))
            jw_value(w, moved[i], js_at(data, moved[i]));
    jw_close(w, '}');
}

/* Is it all there, so that it is passed on as it is? */
static bool is_whole(const struct js *v, const char *kind)
{
    return js_at(v, strcmp(kind, "payment") == 0 ? "merchantSession" : "oauth2.state") != NULL;
}

static bool put_data(struct call *c, struct delivery *d, struct jw *w, const struct js *data, slice request, struct apple_send *ret)
{
    static const char *const ours[] = { "version", "requestIdentifier", "images" };
    const struct js *event = js_at(data, "event");
    jw_open(w, "data", '{');
    jw_str(w, "version", slice_or(apple_member(data, "version"), SL("1.0")));
    jw_str(w, "requestIdentifier", request);
    if (js_len(js_at(data, "images")))
        put_images(c, d, w, js_at(data, "images"), ret);
    for (void *it = js_first(data); it; it = js_next(data, it)) {
        slice key = js_key(data, it);
        bool moved = event && (slice_eq(key, SL("timezoneOffset")) || slice_eq(key, SL("timeslots")));
        if (moved || is_one_of(key, ours, COUNT(ours)))
            continue;
        if (slice_eq(key, SL("event"))) {
            put_event(w, data, event);
            continue;
        }
        jw_key(w, key);
        const struct js *v = js_value(it);
        if (slice_eq(key, SL("authenticate")) && !is_whole(v, "authenticate")) {
            if (!apple_put_sign_in(c, d, w, v, request, ret))
                return false;
        } else if (slice_eq(key, SL("payment")) && !is_whole(v, "payment")) {
            apple_put_payment(c, d, w, v, ret);
        } else {
            put_checked(c, d, w, NULL, v, js_at(data, "images"));
        }
    }
    jw_close(w, '}');
    return true;
}

static void put_received(struct call *c, struct delivery *d, struct jw *w, const struct js *inner, const struct kind_of_data *kind)
{
    const struct js *data = js_at(inner, "data"), *given = js_at(inner, "receivedMessage");
    if (js_is_object(given)) {
        put_checked(c, d, w, "receivedMessage", given, js_at(data, "images"));
        return;
    }
    if (strcmp(kind->key, "quick-reply") == 0)
        return;
    static const char *const places[] = { "listPicker.sections.0.title", "event.title", "payment.paymentRequest.total.label", "dynamic.data.splash.header" };
    slice title = SLICE_NONE;
    for (size_t i = 0; i < COUNT(places) && !title.n; i++)
        title = apple_member(data, places[i]);
    jw_open(w, "receivedMessage", '{');
    jw_str(w, "title", slice_or(title, SL("\xe2\x80\xa6")));
    jw_str(w, "style", SL("icon"));
    jw_close(w, '}');
}

static bool good_data(struct call *c, struct delivery *d, const struct js *inner, const struct kind_of_data *kind)
{
    const struct js *data = js_at(inner, "data");
    if (!kind)
        return refused(c, d, "data", "the object needs listPicker, event, quick-reply, dynamic, authenticate or payment");
    if (strcmp(kind->key, "quick-reply") == 0 && !js_len(js_at(js_get(data, SL("quick-reply")), "items")))
        return refused(c, d, "quick-reply", "a quick reply has its items inside");
    if (strcmp(kind->key, "authenticate") == 0 && !is_whole(js_at(data, "authenticate"), kind->key) && !apple_can_sign_in(c))
        return refused(c, d, "authenticate", "a request to sign in needs its oauth2 member, or the channel its settings for signing in");
    if (strcmp(kind->key, "payment") == 0 && !is_whole(js_at(data, "payment"), kind->key) && !apple_can_pay(c))
        return refused(c, d, "payment", "a payment needs its merchantSession and endpoints, or the channel its settings for Apple Pay");
    return true;
}

static bool put_app(struct call *c, struct delivery *d, struct jw *w, const struct js *inner)
{
    static const char *const not_theirs[] = { "data", "bid", "appId", "version", "requestIdentifier" };
    int64_t app = 0;
    slice id = apple_member(inner, "appId");
    if (js_len(js_at(inner, "data")))
        return refused(c, d, "data", "an app's message has no data: what it says stands in URL");
    if (apple_member(inner, "URL").n > APPLE_APP_URL_BYTES)
        return refused(c, d, "URL", "an app's URL is too long");
    if (js_at(inner, "appId") && !(id.n ? slice_int(id, &app) : js_int(js_at(inner, "appId"), &app)))
        return refused(c, d, "appId", "an app's appId is a number");
    for (void *it = js_first(inner); it; it = js_next(inner, it))
        if (!is_one_of(js_key(inner, it), not_theirs, COUNT(not_theirs))) {
            jw_key(w, js_key(inner, it));
            jw_value(w, NULL, js_value(it));
        }
    if (js_at(inner, "appId"))
        jw_int(w, "appId", app);
    return true;
}

bool apple_put_interactive(struct call *c, struct delivery *d, const struct js *inner, slice request, struct apple_send *ret)
{
    static const char *const ours[] = { "data", "receivedMessage", "bid", "v", "id", "type", "sourceId", "destinationId" };
    slice bid = slice_or(apple_member(inner, "bid"), SL(APPLE_BID));
    const struct js *data = js_at(inner, "data");
    struct jw w = jw_new(c->a, APPLE_BODY_BYTES);
    bool again = slice_eq(bid, SL(APPLE_BID)) && !js_at(data, "authenticate") && !js_at(data, "payment");
    jw_open(&w, NULL, '{');
    jw_str(&w, "bid", bid);
    if (!slice_eq(bid, SL(APPLE_BID))) {
        if (!put_app(c, d, &w, inner))
            return false;
    } else {
        const struct kind_of_data *kind = kind_in(data);
        if (!good_data(c, d, inner, kind))
            return false;
        bool sign_in = strcmp(kind->key, "authenticate") == 0;
        bool can = !kind->capability || apple_can(c, kind->capability) || (sign_in && apple_can(c, "AUTH2"));
        if (!can && sign_in) {
            slice link = apple_sign_in_link(c, d, request);
            apple_text(c, arena_printf(c->a, SLF "\n" SLF, SLA(slice_or(prompt_of(c, inner), SL("Sign in"))), SLA(link)), ret);
            return link.n || refused(c, d, "authenticate", "the guest's device cannot sign in, and the channel has no address to link to");
        }
        if (!can) {
            kind->instead(c, inner, js_get(data, slice_of(kind->key)), ret);
            return ret->members.n > 0 || refused(c, d, kind->key, "the guest's device cannot show it, and it has no text");
        }
        for (void *it = js_first(inner); it; it = js_next(inner, it))
            if (!is_one_of(js_key(inner, it), ours, COUNT(ours))) {
                jw_key(&w, js_key(inner, it));
                put_checked(c, d, &w, NULL, js_value(it), js_at(data, "images"));
            }
        if (!put_data(c, d, &w, data, request, ret))
            return false;
        put_received(c, d, &w, inner, kind);
    }
    jw_close(&w, '}');
    slice json = jw_done(&w);
    if (!json.n)
        return refused(c, d, "", "the message is too large");
    ret->way = APPLE_JSON;
    ret->members = arena_join(c->a, SL(",\"interactiveData\":"), json, SL(""));
    ret->type = SL("interactive");
    ret->list = SLICE_NONE;
    ret->again = again;
    return true;
}

/* ---- rich links ----------------------------------------------------------------------------------------------------------- */

static void put_member(struct call *c, struct jw *w, const char *key, slice value)
{
    jw_opt(w, key, without_space(c->a, value));
}

bool apple_put_rich(struct call *c, struct delivery *d, const struct js *rich, struct apple_send *ret)
{
    slice url = without_space(c->a, apple_member(rich, "url")), title = apple_member(rich, "title");
    const struct js *image = js_at(rich, "assets.image"), *video = js_at(rich, "assets.video");
    slice from = without_space(c->a, apple_member(image, "url")), data = apple_member(image, "data");
    struct url u;
    if (!url.n || !url_parse(c->a, url, &u, NULL))
        return refused(c, d, "richLinkData.url", "a rich link needs an address");
    const struct apple_picture *p = data.n || !from.n ? NULL : picture(c, d, from, ret);
    if (ret->picture.n)
        return true;
    if (!data.n && !p) { /* Apple takes no rich link without a picture */
        apple_text(c, arena_printf(c->a, SLF "%s" SLF, SLA(title), title.n ? "\n" : "", SLA(url)), ret);
        return true;
    }
    struct jw w = jw_new(c->a, APPLE_BODY_BYTES);
    jw_open(&w, NULL, '{');
    jw_str(&w, "url", url);
    jw_opt(&w, "title", title);
    jw_open(&w, "assets", '{');
    jw_open(&w, "image", '{');
    jw_str(&w, "data", data.n ? data : p->data);
    jw_str(&w, "mimeType", slice_or(p ? p->type : SLICE_NONE, slice_or(apple_member(image, "mimeType"), SL("image/jpeg"))));
    jw_close(&w, '}');
    if (js_is_object(video)) {
        jw_open(&w, "video", '{');
        put_member(c, &w, "url", apple_member(video, "url"));
        put_member(c, &w, "mimeType", apple_member(video, "mimeType"));
        jw_close(&w, '}');
    }
    jw_close(&w, '}');
    jw_close(&w, '}');
    slice json = jw_done(&w);
    struct jw body = jw_new(c->a, APPLE_BODY_BYTES);
    jw_str(&body, NULL, url);
    if (!json.n)
        return refused(c, d, "", "the message is too large");
    *ret = (struct apple_send){ .way = APPLE_JSON, .type = SL("richLink"),
                                .members = arena_join(c->a, arena_printf(c->a, ",\"body\":" SLF ",\"richLinkData\":", SLA(jw_done(&body))), json, SL("")) };
    return true;
}

bool apple_native(struct call *c, struct delivery *d, slice json, slice request, struct apple_send *ret)
{
    const struct js *doc = js_parse(c->a, json, c->f);
    d->reason = REASON_INVALID;
    if (!doc)
        return false;
    if (!js_is_object(doc))
        return refused(c, d, "native", "an object is wanted");
    const struct js *rich = js_at(doc, "richLinkData");
    if (rich || slice_eq(apple_member(doc, "type"), SL("richLink")))
        return apple_put_rich(c, d, rich ? rich : doc, ret);
    const struct js *inner = js_is_object(js_at(doc, "interactiveData")) ? js_at(doc, "interactiveData") : doc;
    if (kind_in(js_at(inner, "data")) && !apple_interactive_ok(c, inner))
        return false;
    return apple_put_interactive(c, d, inner, request, ret);
}
