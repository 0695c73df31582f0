/* What guests send: "Messages in", "Interactive messages", "Attachments". One request, one message of a guest, with any number of attachments. */
#include "networks/apple/wire.h"
#include "wire/base64.h"
#include "wire/hex.h"
#include "wire/mime.h"

enum { KEY_HEX = 64, SAID_BYTES = 16 << 10, PLACE_BYTES = 4096, PER_REQUEST_ITEMS = 100 };

struct apple_in {
    slice id, source, destination, type, body, locale, intent, group, reply_to;
    const struct js *attachments, *interactive, *ref;
};
/* clang-format off */
static const struct js_field in_fields[] = {
    JS_FIELD(struct apple_in, id,          "id",                 JS_STR, JS_REQ),
    JS_FIELD(struct apple_in, source,      "sourceId",           JS_STR, JS_REQ),
    JS_FIELD(struct apple_in, destination, "destinationId",      JS_STR, JS_REQ),
    JS_FIELD(struct apple_in, type,        "type",               JS_STR, JS_REQ),
    JS_FIELD(struct apple_in, body,        "body",               JS_STR, 0),
    JS_FIELD(struct apple_in, locale,      "locale",             JS_STR, 0),
    JS_FIELD(struct apple_in, intent,      "intent",             JS_STR, 0),
    JS_FIELD(struct apple_in, group,       "group",              JS_STR, 0),
    JS_FIELD(struct apple_in, reply_to,    "replyToMessageId",   JS_STR, 0),
    JS_FIELD(struct apple_in, attachments, "attachments",        JS_ANY, 0),
    JS_FIELD(struct apple_in, interactive, "interactiveData",    JS_ANY, 0),
    JS_FIELD(struct apple_in, ref,         "interactiveDataRef", JS_ANY, 0),
};
/* clang-format on */

struct taking {
    struct call *c;
    struct inbox *in;
    const struct apple_in *t;
    slice caps;
};

static struct message *add(struct taking *k, enum kind kind, size_t i)
{
    const struct apple_in *t = k->t;
    struct message *m = inbox_add(k->in, kind);
    m->id = i ? arena_printf(k->c->a, SLF ":%zu", SLA(t->id), i) : t->id;
    m->peer_id = t->id;
    m->guest = t->source;
    m->at_ms = k->c->now_ms;
    m->from.locale = t->locale;
    m->reply_to = t->reply_to;
    message_data(k->c->a, m, SL("capabilities"), k->caps);
    message_data(k->c->a, m, SL("locale"), t->locale);
    message_data(k->c->a, m, SL("intent"), t->intent);
    message_data(k->c->a, m, SL("group"), t->group);
    if (k->caps.p)
        inbox_remember(k->in, m, APPLE_CAPS, k->caps, 0);
    if (t->locale.n)
        inbox_remember(k->in, m, APPLE_LOCALE, t->locale, 0);
    if (kind != KIND_TYPING && kind != KIND_EVENT)
        inbox_remember(k->in, m, APPLE_CLOSED, SLICE_NONE, 0);
    return m;
}

static bool ignore(struct taking *k, const char *rule)
{
    inbox_ignore(k->in, rule, k->t->id);
    return true;
}

/* ---- attachments ---------------------------------------------------------------------------------------------------- */

/* Where it lies, as media.id: what is needed to ask for its address. */
static slice place_of(struct call *c, slice url, slice owner, slice signature)
{
    struct jw w = jw_new(c->a, PLACE_BYTES);
    jw_open(&w, NULL, '{');
    jw_str(&w, "url", url);
    jw_opt(&w, "owner", owner);
    jw_str(&w, "signature", signature);
    jw_close(&w, '}');
    return jw_done(&w);
}

/* "00" and 64 hexadecimal digits; {NULL,0}: none. */
static slice key_of(struct call *c, slice key)
{
    slice hex = slice_starts(key, SL("00")) ? slice_from(key, 2) : SLICE_NONE;
    return hex.n == KEY_HEX && hex_decode(c->a, hex).p ? hex : SLICE_NONE;
}

static bool media_of(struct call *c, const struct js *att, struct media *ret)
{
    slice url = apple_member(att, "url"), name = apple_member(att, "name"), type = apple_member(att, "mimeType");
    slice signature = slice_or(apple_member(att, "signature-base64"), base64_encode(c->a, hex_decode(c->a, apple_member(att, "signature"))));
    slice size = apple_member(att, "size");
    *ret = (struct media){ .name = name, .type = slice_or(type, mime_of_name(name)), .key = key_of(c, apple_member(att, "key")) };
    if (!(size.n ? slice_int(size, &ret->size) : js_int(js_at(att, "size"), &ret->size)) || ret->size < 0)
        ret->size = 0;
    ret->id = place_of(c, url, apple_member(att, "owner"), signature);
    ret->exact = ret->size > 0;
    return url.n && signature.n && ret->key.n && ret->id.n;
}

static enum kind kind_of(slice type)
{
    switch (mime_kind(type)) {
    case MIME_IMAGE: return KIND_IMAGE;
    case MIME_VIDEO: return KIND_VIDEO;
    case MIME_AUDIO: return KIND_AUDIO;
    case MIME_FILE: break;
    }
    return KIND_FILE;
}

/* Without the marks that stand where attachments are shown. */
static slice said_of(struct arena *a, slice body)
{
    static const char mark[] = "\xef\xbf\xbc";
    struct text t = text_new(a, body.n + 1);
    for (;;) {
        size_t at = slice_find(body, slice_of(mark));
        text_put(&t, slice_sub(body, 0, at == SIZE_MAX ? body.n : at));
        if (at == SIZE_MAX)
            return slice_trim(text_slice(&t));
        body = slice_from(body, at + sizeof(mark) - 1);
    }
}

static bool on_text(struct taking *k)
{
    slice said = said_of(k->c->a, k->t->body);
    size_t n = MIN(js_len(k->t->attachments), (size_t)APPLE_ATTACHMENTS), found = 0;
    for (size_t i = 0; i < n; i++) {
        struct media md;
        if (!media_of(k->c, js_item(k->t->attachments, i), &md)) {
            md.id = SLICE_NONE;
            md.error = SL("the message does not say where it is");
        }
        struct message *m = add(k, kind_of(md.type), found);
        m->text = found++ ? SLICE_NONE : said;
        *LIST_ADD(k->c->a, &m->media, struct media) = md;
    }
    if (found)
        return true;
    if (!said.n)
        return ignore(k, "empty");
    add(k, KIND_TEXT, 0)->text = said;
    return true;
}

/* Where an attachment can be fetched now: the address lives for seconds. */
enum outcome apple_media_find(struct call *c, struct delivery *d)
{
    if (!d->last) {
        const struct js *place = js_parse(c->a, d->media->id, NULL);
        slice url = apple_member(place, "url"), owner = apple_member(place, "owner"), signature = apple_member(place, "signature");
        if (!url.n || !apple_api(c, d, "GET", "/preDownload"))
            return refuse(c, d, REASON_GENERAL, "attachment: where it is was not kept");
        static const char *const names[][3] = { { "MMCS-Url", "MMCS-Signature", "MMCS-Owner" }, { "url", "signature", "owner" } };
        for (size_t i = 0; i < COUNT(names); i++) { /* the newer and the older names */
            call_header(&d->call, names[i][0], url);
            call_header(&d->call, names[i][1], signature);
            if (owner.n)
                call_header(&d->call, names[i][2], owner);
        }
        return OUT_CALL;
    }
    if (d->last->status != 200)
        return apple_failed(c, d, "preDownload");
    d->media_url = apple_member(js_parse(c->a, d->last->body, NULL), "download-url");
    return d->media_url.n ? OUT_DELIVERED : refuse(c, d, REASON_SERVER, "preDownload: the answer names no address");
}

/* ---- answers --------------------------------------------------------------------------------------------------------- */

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

static void take_list(struct taking *k, const struct js *list, struct answer_of *to)
{
    (void)k;
    const struct js *sections = js_at(list, "sections");
    for (size_t s = 0; s < MIN(js_len(sections), (size_t)PER_REQUEST_ITEMS); s++) {
        const struct js *items = js_at(js_item(sections, s), "items");
        for (size_t i = 0; i < js_len(items) && to->n < PER_REQUEST_ITEMS; i++)
            chosen(to, apple_member(js_item(items, i), "identifier"), apple_member(js_item(items, i), "title"));
    }
}

static void take_quick(struct taking *k, const struct js *quick, struct answer_of *to)
{
    (void)k;
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
static void take_event(struct taking *k, const struct js *event, struct answer_of *to)
{
    const struct js *slots = js_at(event, "timeslots");
    for (size_t i = 0; i < MIN(js_len(slots), (size_t)PER_REQUEST_ITEMS); i++) {
        slice id = apple_member(js_item(slots, i), "identifier"), at = apple_member(js_item(slots, i), "startTime");
        bool own = id.n == APPLE_ID_CHARS && slice_ends(id, SL("Z"));
        chosen(to, own || !at.n ? id : arena_printf(k->c->a, SLF "%s" SLF, SLA(id), id.n ? "," : "", SLA(at)), slice_or(at, id));
    }
}

/* "Room: Twin" for each page; the selections themselves are the payload. */
static void take_form(struct taking *k, const struct js *form, struct answer_of *to)
{
    const struct js *pages = js_at(form, "selections");
    for (size_t p = 0; p < MIN(js_len(pages), (size_t)PER_REQUEST_ITEMS); p++) {
        const struct js *page = js_item(pages, p), *items = js_at(page, "items");
        text_add(&to->text, "%s" SLF ": ", to->n++ ? "\n" : "", SLA(slice_or(apple_member(page, "title"), apple_member(page, "pageIdentifier"))));
        for (size_t i = 0; i < js_len(items); i++)
            text_add(&to->text, "%s" SLF, i ? ", " : "", SLA(slice_or(apple_member(js_item(items, i), "title"), apple_member(js_item(items, i), "value"))));
    }
    if (js_is_array(pages))
        text_put(&to->payload, js_print(k->c->a, pages));
}

/* clang-format off */
static const struct { const char *key; void (*take)(struct taking *k, const struct js *v, struct answer_of *to); } kinds[] = {
    { "listPicker",  take_list },
    { "quick-reply", take_quick },
    { "event",       take_event },
    { "dynamic",     take_form },
};
/* clang-format on */

/* The other side's id of the message it answers is not to be had here: the framework finds the newest one with this payload. */
static bool add_answer(struct taking *k, slice payload, slice text, bool by_label)
{
    if (!payload.n && !text.n)
        return ignore(k, "empty-answer");
    struct message *m = add(k, by_label ? KIND_TEXT : KIND_ANSWER, 0); /* by its label: the framework reads the payload back off the list */
    m->text = text;
    if (!by_label)
        m->payload = slice_or(payload, text);
    return true;
}

static bool add_event(struct taking *k, slice name, slice status)
{
    struct message *m = add(k, KIND_EVENT, 0);
    m->event = EVENT_OTHER;
    m->name = name;
    m->payload = slice_or(status, SL("unknown"));
    return true;
}

static slice title_of(const struct js *i)
{
    static const char *const places[] = { "data.replyMessage.title", "replyMessage.title", "data.replyMessage.alternateTitle", "receivedMessage.title",
                                          "title" };
    for (size_t p = 0; p < COUNT(places); p++)
        if (apple_member(i, places[p]).n)
            return apple_member(i, places[p]);
    return SLICE_NONE;
}

static bool on_interactive(struct taking *k)
{
    const struct js *i = js_is_object(k->t->interactive) ? k->t->interactive : NULL, *data = js_at(i, "data");
    slice bid = apple_member(i, "bid");
    if (!i) /* only a reference to it: its title is all that the request itself says */
        return add_answer(k, SLICE_NONE, apple_member(k->t->ref, "title"), false);
    if (bid.n && !slice_eq(bid, SL(APPLE_BID)))
        return add_answer(k, apple_member(i, "URL"), slice_or(title_of(i), apple_member(i, "appName")), false);
    for (size_t n = 0; n < COUNT(kinds); n++) {
        const struct js *v = js_get(data, slice_of(kinds[n].key));
        if (!js_is_object(v))
            continue;
        struct answer_of to = { text_new(k->c->a, SAID_BYTES), text_new(k->c->a, SAID_BYTES), 0, false };
        kinds[n].take(k, v, &to);
        bool form = kinds[n].take == take_form;
        slice text = text_slice(&to.text), title = title_of(i);
        if (to.payload.over)
            return fault(k->c->f, "out_of_range", kinds[n].key, "the answer is larger than %d bytes", SAID_BYTES);
        bool label = to.by_label && to.n == 1;
        return add_answer(k, text_slice(&to.payload), label || form ? slice_or(text, title) : slice_or(title, text), label);
    }
    if (js_is_object(js_at(data, "authenticate")))
        return add_event(k, SL("authenticated"), apple_member(data, "authenticate.status"));
    if (js_is_object(js_at(data, "payment")))
        return add_event(k, SL("payment"), slice_or(apple_member(data, "payment.state"), apple_member(data, "payment.status")));
    return title_of(i).n ? add_answer(k, SLICE_NONE, title_of(i), false) : ignore(k, "unknown-interactive");
}

/* ---- the rest -------------------------------------------------------------------------------------------------------- */

static bool on_rich_link(struct taking *k)
{
    const struct apple_in *t = k->t;
    if (!t->body.n)
        return ignore(k, "empty");
    add(k, KIND_TEXT, 0)->text = t->body;
    return true;
}

static bool on_typing(struct taking *k)
{
    add(k, KIND_TYPING, 0);
    return true;
}

static bool on_typing_end(struct taking *k)
{
    return ignore(k, "typing-end");
}

static bool on_close(struct taking *k)
{
    struct message *m = add(k, KIND_EVENT, 0);
    m->event = EVENT_BLOCKED;
    m->name = SL("close");
    inbox_remember(k->in, m, APPLE_CLOSED, SL("1"), 0);
    return true;
}

/* clang-format off */
static const struct { slice type; bool (*fn)(struct taking *k); } types[] = { /* "Messages in" */
    { SLI("text"),         on_text },
    { SLI("interactive"),  on_interactive },
    { SLI("richLink"),     on_rich_link },
    { SLI("typing_start"), on_typing },
    { SLI("typing_end"),   on_typing_end },
    { SLI("close"),        on_close },
};
/* clang-format on */

/* The fields of the request name the same as the body: only they were looked at when the account was chosen. */
static bool same_ids(struct call *c, const struct request *rq, const struct apple_in *t)
{
    const struct {
        const char *field;
        slice body;
    } pairs[] = { { "id", t->id }, { "source-id", t->source }, { "destination-id", t->destination } };
    for (size_t i = 0; i < COUNT(pairs); i++) {
        slice field = request_header(rq, pairs[i].field);
        if (!field.n)
            return fault(c->f, "missing_field", pairs[i].field, "the header %s is missing", pairs[i].field);
        if (!slice_eq(field, pairs[i].body))
            return fault(c->f, "wrong_id", pairs[i].field, "header and body name different ones");
    }
    return slice_eq(t->destination, setting(c, APPLE_BUSINESS_ID)) || fault(c->f, "unknown_account", "destinationId", "another business");
}

bool apple_receive(struct call *c, const struct request *rq, struct inbox *in)
{
    struct apple_in t = { 0 };
    const struct js *doc = js_parse(c->a, rq->body, c->f);
    if (!doc || !js_read(c->a, doc, in_fields, COUNT(in_fields), &t, c->f) || !same_ids(c, rq, &t))
        return false;
    slice caps = request_header(rq, "capability-list");
    struct taking k = { c, in, &t, caps.p ? caps : request_header(rq, "capabilities") };
    for (size_t i = 0; i < COUNT(types); i++)
        if (slice_eq(t.type, types[i].type))
            return types[i].fn(&k);
    return ignore(&k, "unknown-type");
}
