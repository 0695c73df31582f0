/* What guests send: "Messages in", "Interactive messages", "Attachments". One request, one message of a guest, with any number of attachments. */
#include "networks/apple/wire.h"
#include "wire/base64.h"
#include "wire/hex.h"
#include "wire/mime.h"

enum { KEY_HEX = 64, PLACE_BYTES = 4096, LATER_BYTES = 64 << 10 };

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

/* What has to be fetched or opened before it can be read (learn.c) waits in the message. */
static void put_aside(struct taking *k, struct message *m, const struct apple_later *later)
{
    struct jw w = jw_new(k->c->a, LATER_BYTES);
    jw_open(&w, NULL, '{');
    jw_fields(&w, apple_later_fields, APPLE_LATER_FIELDS, later);
    jw_close(&w, '}');
    m->native_for = slice_of(k->c->account->type->name);
    m->native_json = jw_done(&w);
}

static bool on_text(struct taking *k)
{
    slice said = said_of(k->c->a, k->t->body);
    size_t n = MIN(js_len(k->t->attachments), (size_t)APPLE_ATTACHMENTS), found = 0;
    if (said.n && slice_eq_nocase(apple_member(js_item(k->t->attachments, 0), "mimeType"), SL(APPLE_VLOCATION))) /* it says nothing itself */
        add(k, KIND_TEXT, found++)->text = said;
    for (size_t i = 0; i < n; i++) {
        struct media md;
        if (!media_of(k->c, js_item(k->t->attachments, i), &md)) {
            md.id = SLICE_NONE;
            md.error = SL("the message does not say where it is");
        }
        struct message *m = add(k, kind_of_file(md.type), found);
        m->text = found++ ? SLICE_NONE : said;
        *LIST_ADD(k->c->a, &m->media, struct media) = md;
        if (md.id.n && slice_eq_nocase(md.type, SL(APPLE_VLOCATION)))
            put_aside(k, m, &(struct apple_later){ .place = md.id, .key = md.key });
    }
    if (found)
        return true;
    if (!said.n)
        return ignore(k, "empty");
    add(k, KIND_TEXT, 0)->text = said;
    return true;
}

/* Where it can be fetched now: the address lives for seconds. */
enum outcome apple_find(struct call *c, struct delivery *d, slice where)
{
    static const char *const names[][3] = { { "MMCS-Url", "MMCS-Signature", "MMCS-Owner" }, { "url", "signature", "owner" } };
    const struct js *place = js_parse(c->a, where, NULL);
    slice url = apple_member(place, "url"), owner = apple_member(place, "owner"), signature = apple_member(place, "signature");
    if (!url.n || !apple_api(c, d, "GET", "/preDownload"))
        return refuse(c, d, REASON_GENERAL, "attachment: where it is was not kept");
    for (size_t i = 0; i < COUNT(names); i++) { /* the newer and the older names */
        call_header(&d->call, names[i][0], url);
        call_header(&d->call, names[i][1], signature);
        if (owner.n)
            call_header(&d->call, names[i][2], owner);
    }
    return OUT_CALL;
}

slice apple_found(struct call *c, const struct delivery *d)
{
    return d->last->status == 200 ? apple_member(js_parse(c->a, d->last->body, NULL), "download-url") : SLICE_NONE;
}

enum outcome apple_media_find(struct call *c, struct delivery *d)
{
    if (!d->last)
        return apple_find(c, d, d->media->id);
    if (d->last->status != 200)
        return apple_failed(c, d, "preDownload");
    d->media_url = apple_found(c, d);
    return d->media_url.n ? OUT_DELIVERED : refuse(c, d, REASON_SERVER, "preDownload: the answer names no address");
}

/* ---- answers --------------------------------------------------------------------------------------------------------- */

/* Only a reference to it: its title stands for it until it is fetched. */
static bool on_reference(struct taking *k)
{
    const struct js *ref = k->t->ref;
    struct media md;
    bool whole = media_of(k->c, ref, &md);
    slice title = slice_or(apple_member(ref, "title"), whole ? SL("\xe2\x80\xa6") : SLICE_NONE);
    if (!title.n)
        return ignore(k, "empty-answer");
    struct message *m = add(k, KIND_ANSWER, 0);
    m->text = m->payload = title;
    if (whole)
        put_aside(k, m, &(struct apple_later){ .place = md.id, .key = md.key, .bid = apple_member(ref, "bid") });
    return true;
}

/* The other side's id of the message it answers is not to be had here: the framework finds the newest one with this payload. */
static bool on_interactive(struct taking *k)
{
    struct apple_answer got;
    if (!js_is_object(k->t->interactive))
        return on_reference(k);
    if (!apple_answer_of(k->c, k->t->interactive, &got))
        return false;
    if (got.rule || (!got.payload.n && !got.text.n))
        return ignore(k, got.rule ? got.rule : "empty-answer");
    struct message *m = add(k, got.by_label ? KIND_TEXT : KIND_ANSWER, 0); /* by its label: the framework reads the payload back off the list */
    m->text = got.text;
    if (!got.by_label)
        m->payload = slice_or(got.payload, got.text);
    if (got.token.n)
        put_aside(k, m, &(struct apple_later){ .token = got.token, .request = got.request });
    return true;
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
