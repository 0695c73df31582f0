/* Signing in at the business's own identity provider (OAuth 2.0), in the conversation: "Signing in".
 *
 *   newer (AUTH2)  the device opens the provider, which sends it back to us with a code; we exchange it
 *   older (AUTH)   the device exchanges it and sends us the token, encrypted to a key made for this request
 *   neither        a link to the provider, as a text; it comes back to us as in the newer way
 *
 * Nothing is kept for a request under way: its key and its state are derived from a secret of the account and the request's id (apple_derived), so that any process can
 * go on with it, at any time. The token is used once, to ask who its owner is, and forgotten.
 */
#include "hub/html_page.h"
#include "networks/apple/wire.h"
#include "wire/base64.h"
#include "wire/crypto.h"
#include "wire/hex.h"
#include "wire/p384.h"
#include "wire/url.h"

enum { SEED_BYTES = 32, STATE_BYTES = 24, PERSON_BYTES = 4096, WORD_CHARS = 200, CODE_BYTES = 4096, DAY_MS = 24 * 3600 * 1000, URL_BYTES = 8192 };
#define CALLBACK "/amb/oauth/callback"

/* ---- what only we know ------------------------------------------------------------------------------------------------ */

enum outcome apple_setup(struct call *c, struct delivery *d)
{
    (void)d;
    if (!memory_get(c->memory, APPLE_SEED, c->now_ms).n)
        memory_set(c->memory, APPLE_SEED, hex_encode(c->a, slice_mem(c->random, SEED_BYTES)), 0);
    return OUT_DELIVERED;
}

slice apple_derived(struct call *c, const char *use, slice of)
{
    slice seed = hex_decode(c->a, memory_get(c->memory, APPLE_SEED, c->now_ms));
    if (seed.n != SEED_BYTES)
        return SLICE_NONE;
    struct sha512 mac = hmac_sha512(seed, arena_printf(c->a, "%s\n" SLF, use, SLA(of)));
    return arena_dup(c->a, slice_mem(mac.b, sizeof(mac.b)));
}

static slice key_for(struct call *c, slice request)
{
    slice all = apple_derived(c, "key", request);
    return all.n ? slice_sub(all, 0, P384_SCALAR_BYTES) : SLICE_NONE;
}

slice apple_open_token(struct call *c, slice request, slice sealed)
{
    slice key = key_for(c, request), token = key.n ? p384_open(c->a, key, base64_decode(c->a, sealed)) : SLICE_NONE;
    return utf8_valid(token) ? token : SLICE_NONE;
}

/* ---- the state: which request of which guest, and how it is answered; unforgeable ---------------------------------------- */

struct asked {
    slice way, guest, request; /* way: "device" or "page" */
};

static slice mac_of(struct call *c, slice what)
{
    slice all = apple_derived(c, "state", what);
    return all.n ? base64url_encode(c->a, slice_sub(all, 0, STATE_BYTES)) : SLICE_NONE;
}

static slice state_for(struct call *c, const char *way, slice guest, slice request)
{
    slice what = base64url_encode(c->a, arena_printf(c->a, "%s\n" SLF "\n" SLF, way, SLA(guest), SLA(request)));
    return arena_printf(c->a, SLF "." SLF, SLA(what), SLA(mac_of(c, what)));
}

static bool state_read(struct call *c, slice state, struct asked *ret)
{
    slice mac = state, what = slice_cut(&mac, '.'), own = mac_of(c, what);
    if (!mac.n || !own.n || !bytes_equal_secret(mac, own))
        return false;
    slice rest = base64url_decode(c->a, what);
    ret->way = slice_cut(&rest, '\n');
    ret->guest = slice_cut(&rest, '\n');
    ret->request = rest;
    return ret->guest.n && ret->request.n;
}

static slice redirect_uri(const struct call *c)
{
    return arena_printf(c->a, SLF CALLBACK, SLA(c->account->public_url));
}

/* ---- asking ------------------------------------------------------------------------------------------------------------ */

bool apple_can_sign_in(const struct call *c)
{
    return setting(c, APPLE_OAUTH_CLIENT).n > 0;
}

static void put_scope(struct call *c, struct jw *w)
{
    slice list = setting(c, APPLE_OAUTH_SCOPE);
    jw_open(w, "scope", '[');
    while (list.p) {
        slice word = slice_trim(slice_cut(&list, ' '));
        if (word.n)
            jw_str(w, NULL, word);
    }
    jw_close(w, ']');
}

bool apple_put_sign_in(struct call *c, struct delivery *d, struct jw *w, const struct js *given, slice request, struct apple_send *ret)
{
    static const char *const ours[] = { "state", "redirectURI", "responseEncryptionKey", "clientSecret" };
    struct p384_point point;
    const struct js *oauth = js_at(given, "oauth2");
    slice guest = c->conversation->guest;
    ret->authenticate = apple_can(c, "AUTH2");
    slice key = key_for(c, request);
    if (!key.n || !p384_public(key, &point)) {
        d->reason = REASON_GENERAL;
        return fault(c->f, "refused", "authenticate", "the channel has not been set up yet");
    }
    jw_open(w, NULL, '{');
    jw_open(w, "oauth2", '{');
    for (void *it = js_is_object(oauth) ? js_first(oauth) : NULL; it; it = js_next(oauth, it)) {
        bool own = false;
        for (size_t i = 0; i < COUNT(ours); i++)
            own |= slice_eq(js_key(oauth, it), slice_of(ours[i]));
        if (own)
            continue;
        jw_key(w, js_key(oauth, it));
        jw_value(w, NULL, js_value(it));
    }
    if (!js_at(oauth, "responseType"))
        jw_str(w, "responseType", SL("code"));
    if (!js_at(oauth, "scope"))
        put_scope(c, w);
    if (ret->authenticate) {
        jw_str(w, "state", state_for(c, "device", guest, request));
        jw_str(w, "redirectURI", redirect_uri(c));
    } else {
        jw_str(w, "state", base64_encode(c->a, slice_sub(apple_derived(c, "device", request), 0, STATE_BYTES)));
        jw_str(w, "responseEncryptionKey", base64_encode(c->a, slice_mem(point.b, sizeof(point.b))));
        jw_opt(w, "clientSecret", setting(c, APPLE_OAUTH_SECRET));
    }
    jw_close(w, '}');
    jw_close(w, '}');
    return true;
}

slice apple_sign_in_link(struct call *c, const struct delivery *d, slice request)
{
    (void)d;
    slice base = setting(c, APPLE_OAUTH_AUTHORIZE);
    if (!base.n || !apple_derived(c, "key", request).n)
        return SLICE_NONE;
    struct text t = text_new(c->a, URL_BYTES), query = text_new(c->a, URL_BYTES);
    query_add(&query, SL("response_type"), SL("code"));
    query_add(&query, SL("client_id"), setting(c, APPLE_OAUTH_CLIENT));
    query_add(&query, SL("redirect_uri"), redirect_uri(c));
    query_add(&query, SL("scope"), setting(c, APPLE_OAUTH_SCOPE));
    query_add(&query, SL("state"), state_for(c, "page", c->conversation->guest, request));
    text_add(&t, SLF "%c" SLF, SLA(base), slice_find_char(base, '?') == SIZE_MAX ? '?' : '&', SLA(text_slice(&query)));
    return t.over ? SLICE_NONE : text_slice(&t);
}

/* ---- who it is ---------------------------------------------------------------------------------------------------------- */

bool apple_ask_person(struct call *c, struct delivery *d, slice token)
{
    if (!setting(c, APPLE_OAUTH_USER).n)
        return false;
    d->call.method = "GET";
    d->call.url = setting(c, APPLE_OAUTH_USER);
    d->call.no_token = d->call.repeatable = true;
    call_header(&d->call, "Authorization", arena_printf(c->a, "Bearer " SLF, SLA(token)));
    call_header(&d->call, "Accept", SL("application/json"));
    return true;
}

/* The members that OpenID Connect calls so; others have their own for the id. */
bool apple_person_of(struct call *c, slice json, struct apple_signed_in *ret)
{
    const struct js *doc = js_parse(c->a, json, NULL);
    const slice said[] = { slice_or(apple_member(doc, "sub"), apple_member(doc, "id")), apple_member(doc, "name"), apple_member(doc, "email") };
    slice *const to[] = { &ret->id, &ret->name, &ret->email };
    bool any = false;
    for (size_t i = 0; i < COUNT(said); i++) {
        *to[i] = utf8_cut(said[i], WORD_CHARS);
        any |= said[i].n > 0;
    }
    return any;
}

void apple_remember_person(struct call *c, const struct apple_signed_in *who)
{
    struct jw w = jw_new(c->a, PERSON_BYTES);
    jw_open(&w, NULL, '{');
    jw_opt(&w, "sub", who->id);
    jw_opt(&w, "name", who->name);
    jw_opt(&w, "email", who->email);
    jw_close(&w, '}');
    if (c->guest_memory)
        memory_set(c->guest_memory, APPLE_SIGNED, jw_done(&w), c->now_ms + DAY_MS);
}

bool apple_remembered_person(struct call *c, struct apple_signed_in *ret)
{
    slice json = memory_get(c->guest_memory, APPLE_SIGNED, c->now_ms);
    return json.n && apple_person_of(c, arena_dup(c->a, json), ret);
}

/* ---- the way back: a browser comes with a code --------------------------------------------------------------------------- */

enum exchange_step { EXCHANGE_CODE = 1, EXCHANGE_PERSON };

/* What an ID token says. It came straight from the provider over TLS, so that its signature says nothing more. */
static slice claims_of(struct call *c, slice id_token)
{
    slice rest = id_token;
    (void)slice_cut(&rest, '.');
    return base64url_decode(c->a, slice_cut(&rest, '.'));
}

/* d->keep: the code. */
static enum outcome exchange(struct call *c, struct delivery *d)
{
    struct apple_signed_in who;
    if (!d->last) {
        struct text form = text_new(c->a, CODE_BYTES + URL_BYTES);
        form_add(&form, SL("grant_type"), SL("authorization_code"));
        form_add(&form, SL("code"), d->keep);
        form_add(&form, SL("redirect_uri"), redirect_uri(c));
        form_add(&form, SL("client_id"), setting(c, APPLE_OAUTH_CLIENT));
        if (setting(c, APPLE_OAUTH_SECRET).n)
            form_add(&form, SL("client_secret"), setting(c, APPLE_OAUTH_SECRET));
        d->call.method = "POST";
        d->call.url = setting(c, APPLE_OAUTH_TOKEN);
        d->call.type = SL("application/x-www-form-urlencoded");
        d->call.body = text_slice(&form);
        d->call.no_token = true;
        call_header(&d->call, "Accept", SL("application/json"));
        d->step = EXCHANGE_CODE;
        return OUT_CALL;
    }
    if (d->last->status != 200)
        return d->step == EXCHANGE_CODE ? refuse(c, d, REASON_CREDENTIALS, "the provider did not take the code: status %d", d->last->status) : OUT_DELIVERED;
    const struct js *doc = js_parse(c->a, d->last->body, NULL);
    slice token = apple_member(doc, "access_token"), claims = d->step == EXCHANGE_CODE ? claims_of(c, apple_member(doc, "id_token")) : d->last->body;
    if (d->step == EXCHANGE_CODE && !token.n)
        return refuse(c, d, REASON_CREDENTIALS, "the provider's answer holds no token");
    if (claims.n && apple_person_of(c, claims, &who))
        apple_remember_person(c, &who);
    if (d->step == EXCHANGE_PERSON || !apple_ask_person(c, d, token))
        return OUT_DELIVERED;
    d->step = EXCHANGE_PERSON;
    return OUT_CALL;
}

static void page(struct call *c, struct inbox *in, int status, slice title, slice text)
{
    struct text t = html_begin(c->a, title);
    text_add(&t, "<p>" SLF "</p>", SLA(html_escape(c->a, text)));
    html_answer(in, status, &t);
}

/* The device waits for an address of its own; a browser shows a page. */
static void say(struct call *c, struct inbox *in, slice way, slice error)
{
    if (slice_eq(way, SL("page"))) {
        page(c, in, error.n ? 400 : 200, error.n ? SL("You are not signed in") : SL("You are signed in"), SL("You can go back to the conversation."));
        return;
    }
    inbox_answer(in, 302, SLICE_NONE, SLICE_NONE);
    inbox_header(in, "Location", error.n ? arena_printf(c->a, "messages-auth://?status=error&error=" SLF, SLA(url_encode(c->a, error))) : SL("messages-auth://?status=success"));
    inbox_header(in, "Cache-Control", SL("no-store"));
}

static void exchanged_device(struct call *c, const struct delivery *d, enum outcome end, struct inbox *in)
{
    (void)d;
    say(c, in, SL("device"), end == OUT_DELIVERED ? SLICE_NONE : SL("exchange_failed"));
}

static void exchanged_page(struct call *c, const struct delivery *d, enum outcome end, struct inbox *in)
{
    (void)d;
    say(c, in, SL("page"), end == OUT_DELIVERED ? SLICE_NONE : SL("exchange_failed"));
}

bool apple_callback_mine(struct call *c, const struct request *rq)
{
    struct asked asked;
    return state_read(c, request_query(c->a, rq, "state"), &asked);
}

bool apple_callback(struct call *c, const struct request *rq, struct inbox *in)
{
    struct asked asked;
    slice code = request_query(c->a, rq, "code"), error = request_query(c->a, rq, "error");
    if (!c->account || !state_read(c, request_query(c->a, rq, "state"), &asked)) {
        page(c, in, 400, SL("This link is not from here"), SL("Signing in begins in the conversation."));
        return true;
    }
    if (!code.n || code.n > CODE_BYTES || !setting(c, APPLE_OAUTH_TOKEN).n) {
        say(c, in, asked.way, utf8_cut(utf8_repair(c->a, slice_or(error, SL("no_code"))), WORD_CHARS));
        return true;
    }
    struct message *m = inbox_add(in, KIND_EVENT); /* so that the conversation is at hand */
    m->id = arena_printf(c->a, "signing-in:" SLF, SLA(asked.request));
    m->guest = asked.guest;
    m->at_ms = c->now_ms;
    m->event = EVENT_OTHER;
    m->name = SL("signing-in");
    inbox_ask(in, exchange, code, slice_eq(asked.way, SL("page")) ? exchanged_page : exchanged_device);
    return true;
}
