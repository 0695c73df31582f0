/* apple_device.c - what a device does with requests to sign in and to pay, and the identity provider and Apple Pay's gateway it needs for that: sections "Signing in", "Apple Pay",
 * "Large messages". The cryptography is the device's side, written apart from the hub's.
 *
 *   POST /oauth/token, GET /oauth/userinfo        the provider: a code "good-…" once, who the token is of
 *   POST /paymentservices/paymentSession          of merchants named merchant.*
 *   POST /v1/decodePayload                        what sam_large_put() packed
 */
#include "sim/apple.h"
#include "sim/shelf.h"
#include "sim/sign.h"
#include "wire/gzip.h"
#include "wire/hex.h"
#include "wire/url.h"
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

enum { POINT_BYTES = 97, SHARED_BYTES = 48, KEY_BYTES = 32, IV_BYTES = 16, TAG_BYTES = 16, DEVICE_MS = 10 * 1000, PERSON_TEXT = 512 };
#define ENCODED "bplist00" /* how a large answer begins until it is decoded */

/* ---- encrypting to the hub's key ------------------------------------------------------------------------------------------ */

static EVP_PKEY *peer_of(slice point)
{
    EVP_PKEY *key = NULL;
    char group[] = "P-384";
    OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
                            OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)(uintptr_t)point.p, point.n), OSSL_PARAM_construct_end() };
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    if (ctx && EVP_PKEY_fromdata_init(ctx) == 1)
        (void)EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static bool share(EVP_PKEY *own, EVP_PKEY *peer, unsigned char ret[SHARED_BYTES])
{
    size_t n = SHARED_BYTES;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(own, NULL);
    bool good = ctx && EVP_PKEY_derive_init(ctx) == 1 && EVP_PKEY_derive_set_peer(ctx, peer) == 1 && EVP_PKEY_derive(ctx, ret, &n) == 1 && n == SHARED_BYTES;
    EVP_PKEY_CTX_free(ctx);
    return good;
}

static bool lock(const unsigned char *key, slice plain, unsigned char *out, unsigned char *tag)
{
    int n = 0, end = 0;
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    bool good = ctx && EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, NULL, NULL) == 1 && EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_IVLEN, IV_BYTES, NULL) == 1 &&
                EVP_EncryptInit_ex(ctx, NULL, NULL, key, key + KEY_BYTES) == 1 && EVP_EncryptUpdate(ctx, out, &n, (const unsigned char *)plain.p, (int)plain.n) == 1 &&
                EVP_EncryptFinal_ex(ctx, out + n, &end) == 1 && EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, tag) == 1;
    EVP_CIPHER_CTX_free(ctx);
    return good;
}

/* The device's point for this once, the text, the tag. {NULL,0}: point is no key. */
static slice sealed(struct arena *a, slice point, slice plain)
{
    size_t n = 0;
    unsigned char shared[SHARED_BYTES + 4 + POINT_BYTES] = { 0 }, key[2 * SHA256_DIGEST_LENGTH];
    unsigned char *out = arena_alloc(a, POINT_BYTES + plain.n + TAG_BYTES);
    EVP_PKEY *own = EVP_EC_gen("P-384"), *peer = peer_of(point);
    bool good = own && peer && EVP_PKEY_get_octet_string_param(own, OSSL_PKEY_PARAM_PUB_KEY, out, POINT_BYTES, &n) == 1 && n == POINT_BYTES && share(own, peer, shared);
    EVP_PKEY_free(own);
    EVP_PKEY_free(peer);
    if (!good)
        return SLICE_NONE;
    memcpy(shared + SHARED_BYTES + 4, out, POINT_BYTES);
    for (unsigned char i = 0; i < 2; i++) {
        shared[SHARED_BYTES + 3] = (unsigned char)(i + 1);
        SHA256(shared, sizeof(shared), key + i * SHA256_DIGEST_LENGTH);
    }
    return lock(key, plain, out + POINT_BYTES, out + POINT_BYTES + plain.n) ? slice_mem(out, POINT_BYTES + plain.n + TAG_BYTES) : SLICE_NONE;
}

/* ---- large answers -------------------------------------------------------------------------------------------------------- */

void sam_large_write(struct sam *s, struct arena *a, struct jw *w, slice title, slice json)
{
    unsigned char bytes[KEY_BYTES];
    random_bytes(bytes, sizeof(bytes));
    slice key = slice_mem(bytes, sizeof(bytes)), encoded = arena_printf(a, ENCODED SLF, SLA(json));
    slice url = sam_blob_url(s, a, sam_blob_put(s, sam_cipher(a, key, gzip_pack(a, encoded)), a));
    const struct sam_blob *b = sam_blob_of(s, url);
    jw_open(w, "interactiveDataRef", '{');
    jw_str(w, "bid", SL(SAM_BID));
    jw_str(w, "title", title);
    jw_str(w, "url", url);
    jw_str(w, "owner", b->owner);
    jw_str(w, "key", arena_printf(a, "00" SLF, SLA(hex_encode(a, key))));
    jw_str(w, "size", arena_printf(a, "%zu", b->bytes.n));
    jw_str(w, "signature", hex_encode(a, b->signature));
    jw_str(w, "signature-base64", sign_base64(a, b->signature));
    jw_close(w, '}');
}

static void post_decode(struct sim_call *c, void *ctx)
{
    slice body = c->x->body;
    if (!sam_let_in(ctx, c))
        return;
    if (!slice_eq(exchange_header(c->x, "bid"), SL(SAM_BID)) || !slice_starts(body, SL(ENCODED)))
        sim_answer(c, 400, SL("text/plain"), SL("bid, or not encoded"));
    else
        sim_json(c, 200, slice_from(body, sizeof(ENCODED) - 1));
}

/* ---- the provider, and Apple Pay's gateway ----------------------------------------------------------------------------------- */

static void post_token(struct sim_call *c, void *ctx)
{
    struct sam *s = ctx;
    struct arena *a = c->x->a;
    slice code = form_get(a, c->x->body, SL("code")), type = form_get(a, c->x->body, SL("grant_type")), uri = form_get(a, c->x->body, SL("redirect_uri"));
    const char *guest = shelf_get(s->codes, code);
    if (!guest || !slice_eq(type, SL("authorization_code")) || !slice_ends(uri, SL("/amb/oauth/callback")) || !form_get(a, c->x->body, SL("client_id")).n) {
        sim_json(c, 400, SL("{\"error\":\"invalid_grant\"}"));
        return;
    }
    slice token = arena_printf(a, "at-%s", guest);
    shelf_remove(s->codes, code);
    sim_json(c, 200, arena_printf(a, "{\"access_token\":\"" SLF "\",\"token_type\":\"Bearer\",\"expires_in\":3600}", SLA(token)));
}

static void get_userinfo(struct sim_call *c, void *ctx)
{
    struct sam *s = ctx;
    slice token = exchange_header(c->x, "authorization");
    const struct sam_chat *chat = slice_starts(token, SL("Bearer at-")) ? sam_chat_of(s, slice_from(token, sizeof("Bearer at-") - 1)) : NULL;
    if (!chat) {
        sim_json(c, 401, SL("{\"error\":\"invalid_token\"}"));
        return;
    }
    sim_json(c, 200, arena_printf(c->x->a, "{\"sub\":\"user-%zu\",\"name\":\"%s Example\",\"email\":\"guest%zu@example.com\"}", (size_t)(chat - s->chats) + 1, chat->name,
                                  (size_t)(chat - s->chats) + 1));
}

static void post_session(struct sim_call *c, void *ctx)
{
    struct sam *s = ctx;
    struct arena *a = c->x->a;
    const struct js *doc = js_parse(a, c->x->body, NULL);
    slice merchant = js_text(js_at(doc, "merchantIdentifier")), name = js_text(js_at(doc, "displayName"));
    bool good = slice_starts(merchant, SL("merchant.")) && name.n && utf8_len(name) <= 64 && slice_eq(js_text(js_at(doc, "initiative")), SL("messaging")) &&
                slice_ends(js_text(js_at(doc, "initiativeContext")), SL("/gateway"));
    if (!good) {
        sim_json(c, 400, SL("{\"statusMessage\":\"Payment Services Exception\"}"));
        return;
    }
    sim_json(c, 200, arena_printf(a, "{\"epochTimestamp\":%lld,\"merchantSessionIdentifier\":\"SSH" SLF "\",\"merchantIdentifier\":\"" SLF "\",\"signature\":\"3080\"}",
                                  (long long)time_now_ms(), SLA(sim_random_hex(&s->env->random, a, 16)), SLA(merchant)));
}

/* ---- what the device does ------------------------------------------------------------------------------------------------------- */

struct errand { /* lives in its own arena */
    struct sam *s;
    struct sam_chat *chat;
    struct arena *a;
    slice request, caps, order_url, pay_body;
    const char *gateway;
    struct client_call call;
};

static struct errand *errand_new(const struct sam_deed *d, const struct js *data)
{
    struct arena *a = arena_new();
    struct errand *e = ARENA_NEW(a, struct errand);
    *e = (struct errand){ .s = d->s, .chat = d->chat, .a = a, .request = arena_dup(a, js_text(js_at(data, "requestIdentifier"))),
                          .caps = arena_dup(a, sim_text(d->what, "capabilities", d->s->caps.p)) };
    return e;
}

/* The webhook that says how it ended. */
static void told(struct errand *e, const char *kind, slice inner)
{
    struct sam *s = e->s;
    slice id = sim_random_uuid(&s->env->random, e->a);
    struct jw w = jw_new(e->a, SAM_JSON_BYTES);
    jw_open(&w, NULL, '{');
    jw_int(&w, "v", 1);
    jw_str(&w, "id", id);
    jw_str(&w, "type", SL("interactive"));
    jw_str(&w, "sourceId", slice_of(e->chat->id));
    jw_str(&w, "destinationId", s->business);
    jw_open(&w, "interactiveData", '{');
    jw_str(&w, "bid", SL(SAM_BID));
    jw_str(&w, "sessionIdentifier", sim_random_uuid(&s->env->random, e->a));
    jw_open(&w, "data", '{');
    jw_str(&w, "version", SL("1.0"));
    jw_str(&w, "requestIdentifier", e->request);
    jw_raw(&w, kind, inner);
    jw_close(&w, '}');
    jw_close(&w, '}');
    jw_close(&w, '}');
    slice json = jw_done(&w);
    sam_message_add(e->chat, true, json, SLICE_NONE);
    sam_event_send(e->chat, id, e->caps, json);
}

static void go(struct errand *e, const char *method, slice url, slice body, void (*done)(void *, const struct answer *))
{
    static const struct header json = { SLI("Content-Type"), SLI("application/json") };
    e->call = (struct client_call){ .a = e->a, .method = method, .url = url, .headers = &json, .n_headers = body.n ? 1 : 0, .body = body, .total_ms = DEVICE_MS, .done = done, .arg = e };
    client_send(e->s->env->client, &e->call);
}

static void came_back(void *arg, const struct answer *r)
{
    struct errand *e = arg;
    bool good = r->status == 302 && slice_eq(answer_header(r, "location"), SL("messages-auth://?status=success"));
    if (!e->s->env->stopping)
        told(e, "authenticate", good ? SL("{\"status\":\"authenticated\"}") : SL("{\"status\":\"failed\"}"));
    arena_free(e->a);
}

static bool sign_in_older(struct sam_deed *d, const struct js *data, const struct js *oauth)
{
    slice point = sign_unbase64(d->a, js_text(js_at(oauth, "responseEncryptionKey")));
    slice token = sealed(d->a, point, arena_printf(d->a, "at-%s", d->chat->id));
    if (!token.p)
        return fault(d->f, "refused", "responseEncryptionKey", "it is no key");
    struct errand *e = errand_new(d, data);
    told(e, "authenticate", arena_printf(e->a, "{\"status\":\"authenticated\",\"token\":\"" SLF "\"}", SLA(sign_base64(d->a, token))));
    arena_free(e->a);
    return true;
}

bool sam_do_sign_in(struct sam_deed *d)
{
    const struct js *data = sam_newest(d, "authenticate.oauth2"), *oauth = js_at(data, "authenticate.oauth2");
    slice uri = js_text(js_at(oauth, "redirectURI"));
    if (!oauth)
        return fault(d->f, "not_found", "type", "nobody asked to sign in");
    if (!uri.n)
        return sign_in_older(d, data, oauth);
    struct errand *e = errand_new(d, data);
    struct text query = text_new(e->a, SAM_JSON_BYTES);
    query_add(&query, SL("state"), js_text(js_at(oauth, "state")));
    if (js_true(js_at(d->what, "deny"))) {
        query_add(&query, SL("error"), SL("access_denied"));
    } else {
        slice code = arena_printf(e->a, "good-" SLF, SLA(sim_random_hex(&d->s->env->random, e->a, 16)));
        shelf_put(d->s->codes, code, sam_copy(slice_of(d->chat->id)), time_mono_ms());
        query_add(&query, SL("code"), code);
    }
    go(e, "GET", arena_printf(e->a, SLF "?" SLF, SLA(uri), SLA(text_slice(&query))), SLICE_NONE, came_back);
    return true;
}

static void order_told(void *arg, const struct answer *r)
{
    struct errand *e = arg;
    (void)r;
    arena_free(e->a);
}

static void paid(void *arg, const struct answer *r)
{
    struct errand *e = arg;
    bool good = r->status == 200 && slice_eq(js_text(js_at(js_parse(e->a, r->body, NULL), "status")), SL("STATUS_SUCCESS"));
    if (e->s->env->stopping) {
        arena_free(e->a);
        return;
    }
    told(e, "payment", good ? SL("{\"state\":\"completed\"}") : SL("{\"state\":\"failed\"}"));
    if (good)
        go(e, "POST", e->order_url, arena_printf(e->a, "{\"requestIdentifier\":\"" SLF "\"}", SLA(e->request)), order_told);
    else
        arena_free(e->a);
}

/* The prices are asked for again before the payment is made. */
static void method_told(void *arg, const struct answer *r)
{
    struct errand *e = arg;
    if (r->status == 200 && js_is_object(js_parse(e->a, r->body, NULL)) && !e->s->env->stopping) {
        go(e, "POST", slice_of(e->gateway), e->pay_body, paid);
        return;
    }
    if (!e->s->env->stopping)
        told(e, "payment", SL("{\"state\":\"failed\"}"));
    arena_free(e->a);
}

bool sam_do_pay(struct sam_deed *d)
{
    const struct js *data = sam_newest(d, "payment.merchantSession"), *urls = js_at(data, "payment.endpoints");
    if (!data)
        return fault(d->f, "not_found", "type", "nobody asked for a payment");
    struct errand *e = errand_new(d, data);
    slice request = e->request;
    e->gateway = arena_cstr(e->a, js_text(js_at(urls, "paymentGatewayUrl")));
    e->order_url = arena_dup(e->a, js_text(js_at(urls, "orderTrackingUrl")));
    e->pay_body = arena_printf(e->a, "{\"requestIdentifier\":\"" SLF "\",\"payment\":{\"paymentToken\":{\"paymentData\":{\"version\":\"EC_v1\"},\"paymentMethod\":{\"displayName\":\"Visa 1234\","
                                     "\"network\":\"Visa\",\"type\":\"debit\"},\"transactionIdentifier\":\"" SLF "\"}}}", SLA(request), SLA(sim_random_hex(&d->s->env->random, e->a, 32)));
    go(e, "POST", arena_dup(e->a, js_text(js_at(urls, "paymentMethodUpdateUrl"))),
       arena_printf(e->a, "{\"requestIdentifier\":\"" SLF "\",\"version\":\"1.0\",\"payment\":{\"paymentMethod\":{\"type\":\"debit\"}}}", SLA(request)), method_told);
    return true;
}

static const struct sim_route routes[] = {
    { "POST", "/v1/decodePayload", post_decode, 0 },
    { "POST", "/oauth/token", post_token, 0 },
    { "GET", "/oauth/userinfo", get_userinfo, 0 },
    { "POST", "/paymentservices/paymentSession", post_session, 0 },
};

void sam_device_routes(struct sam *s)
{
    sim_routes(s->env, routes, COUNT(routes), s, NULL);
}
