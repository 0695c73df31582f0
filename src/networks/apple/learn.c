/* What an answer does not say by itself: a large one is fetched, decrypted and decoded ("Large messages"), a sign-in's token is opened and its owner asked for ("Signing in").
 * A shared place comes as a file, a card of contacts: it is read, too ("Attachments").
 * It runs as the account's lookup, before the desk gets the message; where it fails, the message goes with the title it came with.
 */
#include "networks/apple/wire.h"
#include "wire/aes_ctr.h"
#include "wire/base64.h"
#include "wire/gzip.h"
#include "wire/hex.h"
#include "wire/url.h"

enum learn_step { LEARN_NOTHING, LEARN_PLACE, LEARN_BYTES, LEARN_DECODED, LEARN_PERSON };

/* clang-format off */
const struct js_field apple_later_fields[APPLE_LATER_FIELDS] = {
    JS_FIELD(struct apple_later, place,   "place",   JS_STR, 0),
    JS_FIELD(struct apple_later, key,     "key",     JS_STR, 0),
    JS_FIELD(struct apple_later, bid,     "bid",     JS_STR, 0),
    JS_FIELD(struct apple_later, token,   "token",   JS_STR, 0),
    JS_FIELD(struct apple_later, request, "request", JS_STR, 0),
};
/* clang-format on */

static bool put_aside(const struct message *m)
{
    return (m->kind == (int)KIND_ANSWER || m->kind == (int)KIND_FILE) && m->native_json.n;
}

static bool later_of(struct call *c, const struct message *m, struct apple_later *ret)
{
    *ret = (struct apple_later){ 0 };
    if (!put_aside(m))
        return false;
    const struct js *doc = js_parse(c->a, m->native_json, NULL);
    return doc && js_read(c->a, doc, apple_later_fields, APPLE_LATER_FIELDS, ret, NULL);
}

bool apple_more(struct call *c, const struct message *m)
{
    return put_aside(m) || memory_get(c->guest_memory, APPLE_SIGNED, c->now_ms).n;
}

/* ---- large answers ---------------------------------------------------------------------------------------------------- */

static enum outcome not_read(struct call *c, struct delivery *d, const char *what)
{
    return refuse(c, d, REASON_GENERAL, d->m->kind == (int)KIND_FILE ? "a shared place could not be read: %s" : "a large answer could not be read: %s", what);
}

static enum outcome fetch(struct call *c, struct delivery *d)
{
    struct url u;
    slice url = apple_found(c, d);
    if (!url.n || !url_parse(c->a, url, &u, NULL))
        return not_read(c, d, "preDownload");
    d->call.method = "GET";
    d->call.url = url;
    d->call.no_token = d->call.repeatable = true;
    d->step = LEARN_BYTES;
    return OUT_CALL;
}

/* Is this the line of a property of a card? "URL:…", "item1.URL;type=pref:…" */
static bool is_property(slice line, slice name)
{
    slice key = slice_cut(&line, ':');
    key = slice_cut(&key, ';');
    size_t dot = slice_find_last(key, '.');
    return slice_eq_nocase(dot == SIZE_MAX ? key : slice_from(key, dot + 1), name);
}

/* The value of a property of a card, on one line and without its backslashes; {NULL,0}: it has none. Nothing is copied of the lines before it, of which a stranger may send many. */
static slice property_of(struct arena *a, slice card, slice name)
{
    while (card.n) {
        slice line = slice_cut(&card, '\n');
        if (!is_property(line, name))
            continue;
        struct text t = text_new(a, line.n + card.n + 1);
        for (;;) {
            for (size_t i = 0; i < line.n; i++)
                if (line.p[i] != '\\' && !(line.p[i] == '\r' && i + 1 == line.n))
                    text_char(&t, line.p[i]);
            if (!slice_starts(card, SL(" ")) && !slice_starts(card, SL("\t")))
                break;
            card = slice_from(card, 1); /* a line that was too long goes on here */
            line = slice_cut(&card, '\n');
        }
        slice whole = text_slice(&t);
        (void)slice_cut(&whole, ':');
        return whole;
    }
    return SLICE_NONE;
}

/* "https://maps.apple.com/?ll=50.894967,4.341626&q=…" */
static bool place_of_card(struct call *c, slice card, struct location *ret)
{
    slice url = property_of(c->a, card, SL("URL")), query = url;
    (void)slice_cut(&query, '?');
    slice at = form_get(c->a, query, SL("ll")), lat = slice_cut(&at, ',');
    *ret = (struct location){ .title = slice_or(form_get(c->a, query, SL("q")), property_of(c->a, card, SL("FN"))), .address = form_get(c->a, query, SL("address")) };
    ret->present = slice_double(slice_trim(lat), &ret->lat_deg) && slice_double(slice_trim(at), &ret->lon_deg) && ret->lat_deg >= -90 && ret->lat_deg <= 90 &&
                   ret->lon_deg >= -180 && ret->lon_deg <= 180;
    return ret->present;
}

static enum outcome decode(struct call *c, struct delivery *d, const struct apple_later *later)
{
    CLEANUP(aes_ctr_freep) struct aes_ctr *cipher = aes_ctr_new(hex_decode(c->a, later->key), 0);
    slice body = d->last->body, plain;
    if (d->last->status != 200 || !body.n || !cipher)
        return not_read(c, d, "download");
    char *out = arena_alloc(c->a, body.n);
    aes_ctr_run(cipher, body.p, body.n, out);
    plain = slice_mem(out, body.n);
    if (d->m->kind == (int)KIND_FILE)
        return place_of_card(c, plain, &d->location) ? OUT_DELIVERED : not_read(c, d, "no coordinates");
    bool packed = plain.n >= 2 && (unsigned char)plain.p[0] == 0x1f && (unsigned char)plain.p[1] == 0x8b;
    if (packed && gzip_unpack(c->a, plain, APPLE_IN_BYTES, &plain) != GZIP_OK)
        return not_read(c, d, "gzip");
    if (!apple_api(c, d, "POST", "/decodePayload"))
        return not_read(c, d, "token");
    call_header(&d->call, "bid", slice_or(later->bid, SL(APPLE_BID)));
    call_header(&d->call, "accept", SL("*/*"));
    d->call.type = SL("application/octet-stream");
    d->call.body = plain;
    d->step = LEARN_DECODED;
    return OUT_CALL;
}

/* An archive of objects, one of which is a query with the answer in it: "?…&replyMessage=BASE64". */
static const struct js *of_archive(struct call *c, const struct js *objects)
{
    for (size_t i = 0; i < js_len(objects); i++) {
        slice text = js_text(js_item(objects, i));
        if (!slice_starts(text, SL("?")))
            continue;
        slice json = base64_decode(c->a, form_get(c->a, slice_from(text, 1), SL("replyMessage")));
        const struct js *doc = json.n ? js_parse(c->a, json, NULL) : NULL;
        if (js_is_object(doc))
            return doc;
    }
    return NULL;
}

/* interactiveData in any of the shapes it is given in. */
static const struct js *data_of(struct call *c, const struct js *doc)
{
    if (js_is_object(js_at(doc, "interactiveData")))
        return js_at(doc, "interactiveData");
    const struct js *objects = js_get(doc, SL("$objects"));
    if (!objects)
        return js_is_object(doc) ? doc : NULL;
    const struct js *inner = of_archive(c, objects);
    return js_is_object(js_at(inner, "interactiveData")) ? js_at(inner, "interactiveData") : inner;
}

static enum outcome decoded(struct call *c, struct delivery *d)
{
    struct apple_answer got;
    const struct js *i = d->last->status == 200 ? data_of(c, js_parse(c->a, d->last->body, NULL)) : NULL;
    if (!i || !apple_answer_of(c, i, &got) || got.rule)
        return not_read(c, d, "decodePayload");
    d->text = got.text;
    d->payload = got.by_label ? got.text : slice_or(got.payload, got.text);
    return OUT_DELIVERED;
}

/* ---- who signed in ------------------------------------------------------------------------------------------------------ */

static void tell(struct call *c, struct delivery *d, const struct apple_signed_in *who)
{
    const struct js_pair known[] = { { SL("signedInId"), who->id }, { SL("signedInEmail"), who->email } };
    d->person.name = who->name;
    d->person.email = who->email;
    for (size_t i = 0; i < COUNT(known); i++)
        if (known[i].value.n)
            *LIST_ADD(c->a, &d->data, struct js_pair) = known[i];
}

static enum outcome person(struct call *c, struct delivery *d)
{
    struct apple_signed_in who;
    if (d->last->status == 200 && apple_person_of(c, d->last->body, &who))
        tell(c, d, &who);
    return OUT_DELIVERED;
}

static enum outcome begin(struct call *c, struct delivery *d, const struct apple_later *later)
{
    struct apple_signed_in who;
    if (later->place.n) {
        d->step = LEARN_PLACE;
        return apple_find(c, d, later->place);
    }
    if (later->token.n) {
        slice token = apple_open_token(c, later->request, later->token);
        d->step = LEARN_PERSON;
        if (!token.n)
            return refuse(c, d, REASON_GENERAL, "the token of a sign-in was not encrypted to us");
        return apple_ask_person(c, d, token) ? OUT_CALL : OUT_DELIVERED;
    }
    if (apple_remembered_person(c, &who)) {
        tell(c, d, &who);
        memory_set(c->guest_memory, APPLE_SIGNED, SLICE_NONE, 0);
    }
    return OUT_DELIVERED;
}

enum outcome apple_learn(struct call *c, struct delivery *d)
{
    struct apple_later later;
    (void)later_of(c, d->m, &later);
    if (!d->last)
        return begin(c, d, &later);
    switch ((enum learn_step)d->step) {
    case LEARN_PLACE: return fetch(c, d);
    case LEARN_BYTES: return decode(c, d, &later);
    case LEARN_DECODED: return decoded(c, d);
    case LEARN_PERSON: return person(c, d);
    case LEARN_NOTHING: break;
    }
    return OUT_DELIVERED;
}
