/* Apple Pay: "Apple Pay". The merchant's session is fetched with the merchant's certificate before the request goes out; the device then calls the addresses below.
 *
 *   /amb/pay/SECRET/gateway   the payment: handed to the business's own gateway as it came, whose answer decides. The only one that moves money
 *                  /method, /contact, /shipping   what was chosen on the sheet: prices stay as they are
 *                  /order     it is done: nothing to do
 *                  /fallback  a page, for devices that cannot pay
 *
 * SECRET is derived from one of the account: whoever knows the address was told it by us or by Apple.
 */
#include "hub/html_page.h"
#include "networks/apple/wire.h"
#include "wire/hex.h"

enum { SECRET_BYTES = 16, NAME_CHARS = 64, SESSION_BYTES = 64 << 10, PAY_BYTES = 256 << 10 };
#define PAY_PATH "/amb/pay"

bool apple_can_pay(const struct call *c)
{
    return setting(c, APPLE_PAY_MERCHANT).n > 0;
}

static slice secret_of(struct call *c)
{
    slice all = apple_derived(c, "pay", SL(""));
    return all.n ? hex_encode(c->a, slice_sub(all, 0, SECRET_BYTES)) : SLICE_NONE;
}

static slice pay_url(struct call *c, const char *action)
{
    return arena_printf(c->a, SLF PAY_PATH "/" SLF "/%s", SLA(c->account->public_url), SLA(secret_of(c)), action);
}

/* ---- the request ------------------------------------------------------------------------------------------------------- */

/* clang-format off */
static const struct { const char *member, *action; } endpoints[] = {
    { "paymentGatewayUrl",        "gateway" },
    { "fallbackUrl",              "fallback" },
    { "orderTrackingUrl",         "order" },
    { "paymentMethodUpdateUrl",   "method" },
    { "shippingContactUpdateUrl", "contact" },
    { "shippingMethodUpdateUrl",  "shipping" },
};
/* clang-format on */

static void put_others(struct jw *w, const struct js *given, const char *const *but, size_t n)
{
    for (void *it = js_is_object(given) ? js_first(given) : NULL; it; it = js_next(given, it)) {
        bool own = false;
        for (size_t i = 0; i < n; i++)
            own |= slice_eq(js_key(given, it), slice_of(but[i]));
        if (own)
            continue;
        jw_key(w, js_key(given, it));
        jw_value(w, NULL, js_value(it));
    }
}

static void put_apple_pay(struct call *c, struct jw *w, const struct js *request)
{
    static const char *const ours[] = { "applePay" };
    slice list = setting(c, APPLE_PAY_NETWORKS);
    jw_open(w, "paymentRequest", '{');
    put_others(w, request, ours, COUNT(ours));
    if (js_is_object(js_at(request, "applePay"))) {
        jw_value(w, "applePay", js_at(request, "applePay"));
    } else {
        jw_open(w, "applePay", '{');
        jw_str(w, "merchantIdentifier", setting(c, APPLE_PAY_MERCHANT));
        jw_open(w, "supportedNetworks", '[');
        while (list.p) {
            slice word = slice_trim(slice_cut(&list, ','));
            if (word.n)
                jw_str(w, NULL, word);
        }
        jw_close(w, ']');
        jw_raw(w, "merchantCapabilities", SL("[\"supports3DS\",\"supportsCredit\",\"supportsDebit\"]"));
        jw_close(w, '}');
    }
    jw_close(w, '}');
}

void apple_put_payment(struct call *c, struct delivery *d, struct jw *w, const struct js *given, struct apple_send *ret)
{
    static const char *const ours[] = { "merchantSession", "paymentRequest", "endpoints" };
    slice session = apple_own_of(c, d)->session;
    const struct js *urls = js_at(given, "endpoints");
    ret->session = !session.n;
    jw_open(w, NULL, '{');
    put_others(w, given, ours, COUNT(ours));
    if (session.n)
        jw_raw(w, "merchantSession", session);
    put_apple_pay(c, w, js_at(given, "paymentRequest"));
    jw_open(w, "endpoints", '{');
    for (size_t i = 0; i < COUNT(endpoints); i++)
        jw_str(w, endpoints[i].member, slice_or(apple_member(urls, endpoints[i].member), pay_url(c, endpoints[i].action)));
    jw_close(w, '}');
    jw_close(w, '}');
}

enum outcome apple_session_call(struct call *c, struct delivery *d)
{
    struct jw w = jw_new(c->a, SESSION_BYTES);
    if (!secret_of(c).n)
        return refuse(c, d, REASON_GENERAL, "the channel has not been set up yet");
    jw_open(&w, NULL, '{');
    jw_str(&w, "merchantIdentifier", setting(c, APPLE_PAY_MERCHANT));
    jw_str(&w, "displayName", utf8_cut(slice_or(setting(c, APPLE_PAY_NAME), setting(c, APPLE_PAY_MERCHANT)), NAME_CHARS));
    jw_str(&w, "initiative", SL("messaging"));
    jw_str(&w, "initiativeContext", pay_url(c, "gateway"));
    jw_close(&w, '}');
    d->call.method = "POST";
    d->call.url = setting(c, APPLE_PAY_SESSION);
    d->call.type = SL("application/json");
    d->call.body = jw_done(&w);
    d->call.tls_cert = setting(c, APPLE_PAY_CERTIFICATE);
    d->call.tls_key = setting(c, APPLE_PAY_KEY);
    d->call.no_token = d->call.repeatable = true; /* a session more does nothing */
    return OUT_CALL;
}

bool apple_session_took(struct call *c, struct delivery *d)
{
    const struct js *doc = d->last->status == 200 ? js_parse(c->a, d->last->body, NULL) : NULL;
    if (!js_is_object(doc) || d->last->body.n > SESSION_BYTES)
        return false;
    apple_own_of(c, d)->session = js_print(c->a, doc);
    return true;
}

/* ---- what the device calls ------------------------------------------------------------------------------------------------ */

/* "SECRET/action" below the path. */
static slice action_of(const struct request *rq, slice *ret_secret)
{
    slice rest = slice_starts(rq->path, SL("/")) ? slice_from(rq->path, 1) : rq->path;
    *ret_secret = slice_cut(&rest, '/');
    return rest;
}

bool apple_pay_mine(struct call *c, const struct request *rq)
{
    slice secret, own = secret_of(c);
    (void)action_of(rq, &secret);
    return own.n && bytes_equal_secret(own, secret);
}

/* d->keep: what Apple sent. A payment is not sent twice: without an answer it counts as failed, and the gateway's own books say what happened. */
static enum outcome charge(struct call *c, struct delivery *d)
{
    if (d->last)
        return OUT_DELIVERED;
    d->call.method = "POST";
    d->call.url = setting(c, APPLE_PAY_GATEWAY);
    d->call.type = SL("application/json");
    d->call.body = d->keep;
    d->call.no_token = true;
    return OUT_CALL;
}

static void charged(struct call *c, const struct delivery *d, enum outcome end, struct inbox *in)
{
    bool good = end == OUT_DELIVERED && d->last && answer_good(d->last), bare = good && !d->last->body.n;
    slice status = good && !bare ? apple_member(js_parse(c->a, d->last->body, NULL), "status") : SLICE_NONE;
    struct jw w = jw_new(c->a, SESSION_BYTES);
    jw_open(&w, NULL, '{');
    jw_str(&w, "status", slice_or(status, bare ? SL("STATUS_SUCCESS") : SL("STATUS_FAILURE"))); /* who says something else than a status has not said that it is paid */
    jw_close(&w, '}');
    inbox_answer(in, 200, SL("application/json"), jw_done(&w));
}

static void answer(struct inbox *in, const char *json)
{
    inbox_answer(in, 200, SL("application/json"), slice_of(json));
}

bool apple_pay_called(struct call *c, const struct request *rq, struct inbox *in)
{
    slice secret, action = action_of(rq, &secret);
    const struct js *doc = c->account ? js_parse(c->a, rq->body, c->f) : NULL;
    bool known = false;
    for (size_t i = 0; i < COUNT(endpoints); i++)
        known |= slice_eq(action, slice_of(endpoints[i].action));
    if (!c->account || !known || slice_eq(action, SL("fallback"))) {
        inbox_answer(in, 404, SLICE_NONE, SLICE_NONE);
        return true;
    }
    if (!js_is_object(doc) || rq->body.n > PAY_BYTES)
        return fault(c->f, "refused", "", "an object is wanted");
    if (slice_eq(action, SL("gateway")) && setting(c, APPLE_PAY_GATEWAY).n)
        inbox_ask(in, charge, rq->body, charged);
    else
        answer(in, slice_eq(action, SL("gateway")) ? "{\"status\":\"STATUS_FAILURE\"}" : slice_eq(action, SL("order")) ? "\"ok\"" : "{}");
    return true;
}

bool apple_pay_page(struct call *c, const struct request *rq, struct inbox *in)
{
    slice secret;
    bool here = c->account && slice_eq(action_of(rq, &secret), SL("fallback"));
    struct text t = html_begin(c->a, here ? SL("Apple Pay") : SL("Not found"));
    if (here)
        text_put(&t, SL("<p>This device cannot pay with Apple Pay. Please go back to the conversation and ask for another way to pay.</p>"));
    html_answer(in, here ? 200 : 404, &t);
    return true;
}

/* One file for the host: the account that has it serves it. */
bool apple_domain_mine(struct call *c, const struct request *rq)
{
    return !rq->path.n && setting(c, APPLE_PAY_DOMAIN).n;
}

bool apple_domain(struct call *c, const struct request *rq, struct inbox *in)
{
    (void)rq;
    if (c->account)
        inbox_answer(in, 200, SL("text/plain"), setting(c, APPLE_PAY_DOMAIN));
    else
        inbox_answer(in, 404, SLICE_NONE, SLICE_NONE);
    return true;
}
