/* apple_api.c - the gateway and the server of files: sections "Calls", "Attachments", "Interactive messages", "Errors". */
#include "sim/apple.h"
#include "sim/shelf.h"
#include "sim/sign.h"
#include "wire/gzip.h"
#include "wire/hex.h"
#include <openssl/evp.h>
#include <openssl/sha.h>

enum { KEY_BYTES = 32, SIGNATURE_BYTES = 21 };

static void refuse(struct sim_call *c, int status, const char *text)
{
    sim_answer(c, status, SL("text/plain"), slice_of(text));
}

void sam_refuse(struct sim_call *c, int status)
{
    if (status == 429)
        sim_header(c, "Retry-After", SL("1"));
    refuse(c, status, "asked for by a fault rule");
}

/* ---- files ---------------------------------------------------------------------------------------------------------------- */

slice sam_cipher(struct arena *a, slice key, slice bytes)
{
    static const unsigned char zero[16];
    unsigned char *out = arena_alloc(a, bytes.n + 1);
    int n = 0, end = 0;
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    bool good = key.n == KEY_BYTES && ctx && EVP_EncryptInit_ex(ctx, EVP_aes_256_ctr(), NULL, (const unsigned char *)key.p, zero) == 1 &&
                EVP_EncryptUpdate(ctx, out, &n, (const unsigned char *)bytes.p, (int)bytes.n) == 1 && EVP_EncryptFinal_ex(ctx, out + n, &end) == 1;
    EVP_CIPHER_CTX_free(ctx);
    return good ? slice_mem(out, bytes.n) : SLICE_NONE;
}

static struct sam_blob *blob_new(slice bytes)
{
    static const char owner[] = "M-simulated";
    struct sam_blob *b = must_malloc(sizeof(*b) + bytes.n + SIGNATURE_BYTES);
    char *p = (char *)(b + 1);
    memcpy(p, bytes.n ? bytes.p : "", bytes.n);
    p[bytes.n] = (char)0x81;
    SHA1((const unsigned char *)p, bytes.n, (unsigned char *)p + bytes.n + 1);
    *b = (struct sam_blob){ slice_mem(p, bytes.n), slice_of(owner), slice_mem(p + bytes.n, SIGNATURE_BYTES) };
    return b;
}

slice sam_blob_put(struct sam *s, slice bytes, struct arena *a)
{
    slice id = sim_random_hex(&s->env->random, a, 16);
    shelf_put(s->blobs, id, blob_new(bytes), time_mono_ms());
    return id;
}

slice sam_file_put(struct sam *s, struct arena *a, slice bytes)
{
    slice id = sim_random_hex(&s->env->random, a, 16);
    shelf_put(s->files, id, blob_new(bytes), time_mono_ms());
    return id;
}

slice sam_blob_url(struct sam *s, struct arena *a, slice id)
{
    return arena_printf(a, SLF "/mmcs/" SLF, SLA(s->env->base_url), SLA(id));
}

const struct sam_blob *sam_blob_of(struct sam *s, slice url)
{
    size_t slash = slice_find_last(url, '/');
    return slash == SIZE_MAX ? NULL : shelf_get(s->blobs, slice_from(url, slash + 1));
}

/* ---- who asks --------------------------------------------------------------------------------------------------------------- */

static slice field(const struct sim_call *c, const char *name, const char *older)
{
    slice value = exchange_header(c->x, name);
    return value.p || !older ? value : exchange_header(c->x, older);
}

/* 0: good; else what is answered. */
static int judge(struct sam *s, struct sim_call *c)
{
    slice given = field(c, "authorization", NULL);
    struct arena *a = c->x->a;
    if (!slice_starts(given, SL("Bearer ")))
        return 401;
    slice token = slice_from(given, 7);
    size_t dot = slice_find_last(token, '.');
    if (dot == SIZE_MAX)
        return 403;
    slice rest = token, head = sign_unbase64(a, slice_cut(&rest, '.')), claims = sign_unbase64(a, slice_cut(&rest, '.'));
    slice mac = sign_unbase64(a, slice_from(token, dot + 1));
    const struct js *h = js_parse(a, head, NULL), *p = js_parse(a, claims, NULL);
    int64_t iat_s = 0;
    bool good = mac.n && slice_eq(sign_unbase64(a, sign_hmac_sha256_base64(a, s->secret, slice_sub(token, 0, dot))), mac) &&
                slice_eq(js_text(js_at(h, "alg")), SL("HS256")) && slice_eq(js_text(js_at(p, "iss")), s->msp_id) && js_int(js_at(p, "iat"), &iat_s);
    if (!good)
        return 403;
    return slice_eq(field(c, "source-id", NULL), s->business) ? 0 : 404;
}

/* False: answered. */
bool sam_let_in(struct sam *s, struct sim_call *c)
{
    int status = judge(s, c);
    s->calls++;
    if (status)
        refuse(c, status, status == 404 ? "unknown business" : "token");
    return !status;
}

/* ---- messages --------------------------------------------------------------------------------------------------------------- */

/* The newer way goes to its own address; the older one brings a key. NULL: good. */
static const char *bad_sign_in(const struct js *v, bool authenticate)
{
    enum { POINT_BYTES = 97 };
    const struct js *oauth = js_at(v, "oauth2");
    CLEANUP(arena_freep) struct arena *a = arena_new();
    if (!v)
        return authenticate ? "authenticate" : NULL;
    if (!js_text(js_at(oauth, "responseType")).n || !js_len(js_at(oauth, "scope")) || !js_text(js_at(oauth, "state")).n)
        return "oauth2: responseType, scope, state";
    if (authenticate)
        return js_text(js_at(oauth, "redirectURI")).n ? NULL : "oauth2: redirectURI";
    slice point = sign_unbase64(a, js_text(js_at(oauth, "responseEncryptionKey")));
    return point.n == POINT_BYTES && point.p[0] == 4 ? NULL : "oauth2: responseEncryptionKey";
}

static const char *bad_payment(const struct js *v)
{
    static const char *const needed[] = { "merchantSession.merchantSessionIdentifier", "paymentRequest.countryCode", "paymentRequest.currencyCode",
                                          "paymentRequest.total.amount", "paymentRequest.applePay.merchantIdentifier", "endpoints.paymentGatewayUrl" };
    for (size_t i = 0; v && i < COUNT(needed); i++)
        if (!js_text(js_at(v, needed[i])).n)
            return needed[i];
    return NULL;
}

/* What Apple would not take; NULL: good. */
static const char *bad_interactive(const struct js *i, bool authenticate)
{
    const struct js *data = js_at(i, "data"), *images = js_at(data, "images");
    slice bid = js_text(js_at(i, "bid"));
    if (!bid.n)
        return "interactiveData.bid";
    if (!slice_ends(bid, SL(":com.apple.icloud.apps.messages.business.extension")))
        return data ? "data is not allowed here" : js_is_integer(js_at(i, "appId")) ? NULL : "appId";
    if (!js_text(js_at(data, "requestIdentifier")).n || !js_text(js_at(data, "version")).n)
        return "data.requestIdentifier and data.version";
    const char *bad = bad_sign_in(js_at(data, "authenticate"), authenticate);
    if (bad || (bad = bad_payment(js_at(data, "payment"))))
        return bad;
    for (size_t k = 0; k < js_len(images); k++)
        if (js_at(js_item(images, k), "url") || !js_text(js_at(js_item(images, k), "data")).n)
            return "images hold data";
    return js_get(data, SL("quick-reply")) || js_text(js_at(i, "receivedMessage.title")).n ? NULL : "receivedMessage";
}

static const char *bad_link(const struct js *l)
{
    if (!js_text(js_at(l, "url")).n || !js_text(js_at(l, "assets.image.data")).n || js_at(l, "assets.image.url"))
        return "richLinkData";
    return NULL;
}

static size_t marks_in(slice body)
{
    size_t n = 0;
    for (size_t at; (at = slice_find(body, SL("\xef\xbf\xbc"))) != SIZE_MAX; n++)
        body = slice_from(body, at + 3);
    return n;
}

/* Attachments lie on the server, are what their fields say, and have a mark each. */
static const char *bad_attachments(struct sam *s, struct arena *a, const struct js *doc, slice *ret_media)
{
    const struct js *list = js_at(doc, "attachments");
    struct jw w = jw_new(a, SAM_JSON_BYTES);
    if (js_len(list) > marks_in(js_text(js_at(doc, "body"))))
        return "a mark for each attachment";
    jw_open(&w, NULL, '[');
    for (size_t i = 0; i < js_len(list); i++) {
        const struct js *att = js_item(list, i);
        const struct sam_blob *b = sam_blob_of(s, js_text(js_at(att, "url")));
        slice key = js_text(js_at(att, "key"));
        int64_t size = 0;
        if (!b || !slice_eq(b->owner, js_text(js_at(att, "owner"))))
            return "attachment: url, owner";
        if (!slice_eq(sign_unbase64(a, js_text(js_at(att, "signature-base64"))), b->signature))
            return "attachment: signature-base64";
        if (!slice_int(js_text(js_at(att, "size")), &size) || size != (int64_t)b->bytes.n)
            return "attachment: size";
        slice plain = slice_starts(key, SL("00")) ? sam_cipher(a, hex_decode(a, slice_from(key, 2)), b->bytes) : SLICE_NONE;
        if (!plain.p)
            return "attachment: key";
        jw_open(&w, NULL, '{');
        jw_str(&w, "id", sam_file_put(s, a, plain));
        jw_str(&w, "sha256", sign_sha256_hex(a, plain));
        jw_int(&w, "bytes", (int64_t)plain.n);
        jw_str(&w, "type", js_text(js_at(att, "mimeType")));
        jw_close(&w, '}');
    }
    jw_close(&w, ']');
    *ret_media = js_len(list) ? jw_done(&w) : SLICE_NONE;
    return NULL;
}

static slice ref_write(struct sam *s, struct arena *a, slice id)
{
    const struct sam_blob *b = shelf_get(s->blobs, id);
    struct jw w = jw_new(a, 4096);
    jw_open(&w, NULL, '{');
    jw_str(&w, "title", SL("kept"));
    jw_str(&w, "url", sam_blob_url(s, a, id));
    jw_str(&w, "owner", b->owner);
    jw_str(&w, "signature-base64", sign_base64(a, b->signature));
    jw_str(&w, "size", arena_printf(a, "%zu", b->bytes.n));
    jw_close(&w, '}');
    return jw_done(&w);
}

/* The message that a reference of ours stands for; NULL: it is none. */
static const struct js *referred(struct sam *s, struct arena *a, const struct js *ref)
{
    const struct sam_blob *b = sam_blob_of(s, js_text(js_at(ref, "url")));
    bool good = b && slice_eq(b->owner, js_text(js_at(ref, "owner"))) && slice_eq(sign_unbase64(a, js_text(js_at(ref, "signature-base64"))), b->signature);
    return good ? js_parse(a, arena_dup(a, b->bytes), NULL) : NULL;
}

static const char *bad_message(struct sam *s, struct sim_call *c, const struct js *doc, bool authenticate, slice *ret_media)
{
    static const char *const fields[][2] = { { "id", "id" }, { "source-id", "sourceId" }, { "destination-id", "destinationId" } };
    slice type = js_text(js_at(doc, "type"));
    int64_t v = 0;
    for (size_t i = 0; i < COUNT(fields); i++)
        if (!field(c, fields[i][0], NULL).n || !slice_eq(field(c, fields[i][0], NULL), js_text(js_at(doc, fields[i][1]))))
            return fields[i][1];
    if (!js_int(js_at(doc, "v"), &v) || v != 1)
        return "v";
    if (authenticate && !slice_eq(type, SL("interactive")))
        return "type";
    if (slice_eq(type, SL("text")))
        return js_text(js_at(doc, "body")).n ? bad_attachments(s, c->x->a, doc, ret_media) : "body";
    if (slice_eq(type, SL("interactive")) && js_at(doc, "interactiveDataRef"))
        return js_at(doc, "interactiveData") || !referred(s, c->x->a, js_at(doc, "interactiveDataRef")) ? "interactiveDataRef" : NULL;
    if (slice_eq(type, SL("interactive")))
        return bad_interactive(js_at(doc, "interactiveData"), authenticate);
    if (slice_eq(type, SL("richLink")))
        return bad_link(js_at(doc, "richLinkData"));
    return slice_eq(type, SL("typing_start")) || slice_eq(type, SL("typing_end")) ? NULL : "type";
}

static void take(struct sam *s, struct sam_chat *chat, const struct js *doc, slice json, slice media)
{
    slice type = js_text(js_at(doc, "type"));
    chat->typing_ms = slice_eq(type, SL("typing_start")) ? time_mono_ms() : 0;
    if (slice_starts(type, SL("typing")))
        sam_changed(s);
    else
        sam_message_add(chat, false, json, media);
}

/* What the phone shows of a message that went by reference. */
static slice whole(struct arena *a, const struct js *doc, const struct js *kept)
{
    struct jw w = jw_new(a, SAM_JSON_BYTES);
    jw_open(&w, NULL, '{');
    for (void *it = js_first(doc); it; it = js_next(doc, it)) {
        if (slice_eq(js_key(doc, it), SL("interactiveDataRef")))
            continue;
        jw_key(&w, js_key(doc, it));
        jw_value(&w, NULL, js_value(it));
    }
    jw_value(&w, "interactiveData", js_at(kept, "interactiveData"));
    jw_close(&w, '}');
    return jw_done(&w);
}

static void post_any(struct sim_call *c, struct sam *s, bool authenticate)
{
    struct arena *a = c->x->a;
    slice media = SLICE_NONE;
    if (!sam_let_in(s, c))
        return;
    const struct js *doc = js_parse(a, c->x->body, NULL);
    const char *bad = doc ? bad_message(s, c, doc, authenticate, &media) : "JSON";
    struct sam_chat *chat = sam_chat_of(s, js_text(js_at(doc, "destinationId")));
    if (bad || !chat) {
        refuse(c, bad ? 400 : 404, bad ? bad : "unknown destination");
        return;
    }
    if (chat->closed) {
        refuse(c, 410, "the guest left");
        return;
    }
    slice id = js_text(js_at(doc, "id"));
    if (shelf_get(s->seen, id)) { /* a repeat changes nothing */
        s->repeats++;
        sim_answer(c, 200, SLICE_NONE, SLICE_NONE);
        return;
    }
    shelf_put(s->seen, id, s, time_mono_ms());
    const struct js *kept = js_at(doc, "interactiveDataRef") ? referred(s, a, js_at(doc, "interactiveDataRef")) : NULL;
    s->refs += kept != NULL;
    take(s, chat, doc, kept ? whole(a, doc, kept) : c->x->body, media);
    if (js_at(doc, "interactiveData") && c->x->body.n > SAM_LARGE)
        sim_json(c, 200, arena_printf(a, "{\"interactiveDataRef\":" SLF "}", SLA(ref_write(s, a, sam_blob_put(s, c->x->body, a)))));
    else
        sim_answer(c, 200, SLICE_NONE, SLICE_NONE);
}

static void post_message(struct sim_call *c, void *ctx)
{
    post_any(c, ctx, false);
}

static void post_authenticate(struct sim_call *c, void *ctx)
{
    post_any(c, ctx, true);
}

/* ---- files up and down ------------------------------------------------------------------------------------------------------- */

static void get_pre_upload(struct sim_call *c, void *ctx)
{
    struct sam *s = ctx;
    struct arena *a = c->x->a;
    int64_t size = 0;
    if (!sam_let_in(s, c))
        return;
    if (!slice_int(field(c, "mmcs-size", "size"), &size) || size <= 0 || size > SAM_BLOB_BYTES_MAX) {
        refuse(c, size > SAM_BLOB_BYTES_MAX ? 413 : 400, "MMCS-Size");
        return;
    }
    slice id = sam_blob_put(s, SL(""), a);
    sim_json(c, 200, arena_printf(a, "{\"upload-url\":\"" SLF "/mmcs/" SLF "/upload/%lld\",\"mmcs-url\":\"" SLF "\",\"mmcs-owner\":\"M-simulated\"}", SLA(s->env->base_url),
                                  SLA(id), (long long)size, SLA(sam_blob_url(s, a, id))));
}

static void post_upload(struct sim_call *c, void *ctx)
{
    struct sam *s = ctx;
    struct arena *a = c->x->a;
    int64_t size = 0;
    const struct sam_blob *old = shelf_get(s->blobs, c->params[0]);
    if (!old || !slice_int(c->params[1], &size) || size != (int64_t)c->x->body.n || field(c, "authorization", NULL).p) {
        refuse(c, 400, "upload");
        return;
    }
    struct sam_blob *b = blob_new(c->x->body);
    shelf_put(s->blobs, c->params[0], b, time_mono_ms());
    sim_json(c, 200, arena_printf(a, "{\"singleFile\":{\"fileChecksum\":\"" SLF "\",\"size\":%lld,\"receipt\":\"r\"}}", SLA(sign_base64(a, b->signature)), (long long)size));
}

static void get_pre_download(struct sim_call *c, void *ctx)
{
    struct sam *s = ctx;
    struct arena *a = c->x->a;
    if (!sam_let_in(s, c))
        return;
    slice url = field(c, "mmcs-url", "url");
    const struct sam_blob *b = sam_blob_of(s, url);
    if (!b || !slice_eq(sign_unbase64(a, field(c, "mmcs-signature", "signature")), b->signature) || !slice_eq(field(c, "mmcs-owner", "owner"), b->owner)) {
        refuse(c, 400, "MMCS-Url, MMCS-Signature, MMCS-Owner");
        return;
    }
    slice key = sim_random_hex(&s->env->random, a, 16);
    shelf_put(s->downloads, key, sam_copy(slice_from(url, slice_find_last(url, '/') + 1)), time_mono_ms());
    sim_json(c, 200, arena_printf(a, "{\"download-url\":\"" SLF "/mmcs/download/" SLF "\"}", SLA(s->env->base_url), SLA(key)));
}

static void answer_bytes(struct sim_call *c, const struct sam_blob *b)
{
    if (b)
        sim_answer(c, 200, SL("application/octet-stream"), arena_dup(c->x->a, b->bytes));
    else
        refuse(c, 404, "no such file");
}

static void get_download(struct sim_call *c, void *ctx)
{
    struct sam *s = ctx;
    const char *id = shelf_get(s->downloads, c->params[0]);
    answer_bytes(c, id ? shelf_get(s->blobs, slice_of(id)) : NULL);
}

static void get_blob(struct sim_call *c, void *ctx)
{
    struct sam *s = ctx;
    answer_bytes(c, shelf_get(s->blobs, c->params[0]));
}

static void get_file(struct sim_call *c, void *ctx)
{
    struct sam *s = ctx;
    answer_bytes(c, shelf_get(s->files, c->params[0]));
}

static const struct sim_route routes[] = {
    { "POST", "/v1/message", post_message, 0 },
    { "POST", "/v1/authenticate", post_authenticate, 0 },
    { "GET", "/v1/preUpload", get_pre_upload, 0 },
    { "GET", "/v1/preDownload", get_pre_download, 0 },
    { "POST", "/mmcs/:id/upload/:size", post_upload, 0 },
    { "GET", "/mmcs/download/:key", get_download, 0 },
    { "GET", "/sim/blobs/:id", get_blob, SIM_CONTROL },
    { "GET", "/sim/files/:id", get_file, SIM_CONTROL },
};

void sam_api_routes(struct sam *s)
{
    sim_routes(s->env, routes, COUNT(routes), s, NULL);
}
