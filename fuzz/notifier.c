/* What operators are told, made of texts that came from outside, and what a destination answers. Byte 0 chooses the notifier, byte 1 the kind of
 * notice, byte 2 the answer's status; lines follow: head, service, tenant, account, reason, detail, Retry-After, and the answer's body. Properties: a
 * call can be made and its JSON is JSON; a verdict that is none says why, and says neither the destination's secret nor a wait below zero. */
#include "fuzz/world.h"
#include "hub/notifier.h"
#include "wire/url.h"

static const int statuses[] = { 0, 200, 202, 204, 301, 400, 401, 403, 404, 410, 413, 429, 500, 503 };
static const char secret[] = "0123456789abcdef0123456789abcdef";

static void settings_of(const struct notifier *k, struct notice_call *c)
{
    slice *settings = ARENA_ARRAY(c->a, slice, k->n_settings);
    for (size_t i = 0; i < k->n_settings; i++) {
        settings[i] = k->settings[i].required && k->settings[i].type == SETTING_TEXT ? slice_of(secret) : some_value(&k->settings[i]);
        if (k->settings[i].required && k->settings[i].type == SETTING_URL) /* as it is given out: the path is the secret */
            settings[i] = arena_printf(c->a, "https://hooks.example.com/services/%s", secret);
    }
    c->settings = settings;
}

static void can_be_made(struct arena *a, const struct http_call *call)
{
    struct url u;
    assert(call->method && url_parse(a, call->url, &u, NULL) && js_parse(a, call->body, NULL));
    for (size_t i = 0; i < call->n_headers; i++)
        assert(slice_find_char(call->headers[i].value, '\n') == SIZE_MAX && slice_find_char(call->headers[i].value, '\r') == SIZE_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3)
        return 0;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice rest = utf8_repair(a, slice_mem(data + 3, size - 3)), texts[7];
    for (size_t i = 0; i < COUNT(texts); i++)
        texts[i] = utf8_cut_bytes(slice_cut(&rest, '\n'), NOTICE_TEXT_MAX);
    const struct notifier *k = notifiers[data[0] % n_notifiers];
    struct fault f = { 0 };
    struct notice_call c = { .a = a, .public_url = SL("https://hub.example.com"), .f = &f };
    struct notice n = { .kind = SL("subscription.error"), .topic = data[1] % NOTICE_TOPICS, .colour = data[1] / 4 % NOTICE_COLOURS, .act = data[1] / 16 % 3,
                        .head = texts[0], .service = slice_or(texts[1], SL("dragoman")), .instance = SL("hub-1"), .tenant = texts[2], .tenant_id = texts[2],
                        .account = texts[3], .reason = texts[4], .detail = texts[5], .at_ms = INT64_C(1772600767890), .since_ms = 1, .count = data[1],
                        .key = SL("k") };
    settings_of(k, &c);
    struct http_call call = { 0 };
    if (k->build(&c, &n, &call))
        can_be_made(a, &call);
    struct header retry = { SL("Retry-After"), texts[6] };
    struct answer r = { .status = statuses[data[2] % COUNT(statuses)], .body = slice_or(rest, SL("")), .headers = &retry, .n_headers = 1 };
    struct notice_verdict v = { 0 };
    f = (struct fault){ 0 };
    k->judge(&c, &r, &v);
    assert(v.wait_ms >= 0 && (v.end == NOTICE_TAKEN || f.code));
    assert(slice_find(slice_of(f.text), slice_of(secret)) == SIZE_MAX || slice_find(rest, slice_of(secret)) != SIZE_MAX);
    return 0;
}
