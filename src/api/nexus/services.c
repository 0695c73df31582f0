#include "api/nexus/services.h"
#include "wire/url.h"

enum { DOC_MAX = 1 << 20, DIGITS_LEAST = 3, DIGITS_MOST = 20, DOMAIN_MAX = 253, FIELD_MAX = 64 };

const char *const service_names[SERVICES] = {
    [SERVICE_PLATFORM_UCS] = "PlatformUCS", [SERVICE_PURECLOUD_IDP] = "PurecloudIDP", [SERVICE_SMS] = "SMS", [SERVICE_EMAIL] = "Email",
    [SERVICE_PORTICO_SMS] = "PorticoSMS", [SERVICE_PORTICO_EMAIL] = "PorticoEmail", [SERVICE_ASYNC] = "Async",
};

/* What an object may and must have. A value is any text, or one of the words. */
struct member {
    const char *name, *words[2];
    bool required;
};
enum url_rule { URL_NEEDED, URL_NONE /* "N/A", or left out */ };
static const struct kind {
    enum url_rule url;
    struct member secret[3], data[3];
    bool one_of_data; /* exactly one of data's members */
    bool channels;
} kinds[SERVICES] = {
    [SERVICE_PLATFORM_UCS] = { .url = URL_NEEDED },
    [SERVICE_PURECLOUD_IDP] = { .url = URL_NEEDED, .secret = { { "clientId", { NULL }, true }, { "clientSecret", { NULL }, true } } },
    [SERVICE_SMS] = { .url = URL_NONE, .data = { { "tokenProvider", { "Purecloud" }, false }, { "provider", { "Async" }, false } }, .one_of_data = true },
    [SERVICE_EMAIL] = { .url = URL_NONE, .data = { { "provider", { "Async" }, true } } },
    [SERVICE_PORTICO_SMS] = { .url = URL_NEEDED },
    [SERVICE_PORTICO_EMAIL] = { .url = URL_NEEDED },
    [SERVICE_ASYNC] = { .url = URL_NONE, .channels = true },
};

bool service_find(slice name, enum service *ret)
{
    for (size_t i = 0; i < SERVICES; i++) {
        if (slice_eq(slice_of(service_names[i]), name)) {
            *ret = (enum service)i;
            return true;
        }
    }
    return false;
}

/* ---- secrets that stay ---------------------------------------------------------------------------------------------------- */

static bool is_kept(const struct js *v)
{
    return js_is_object(v) && js_len(v) == 1 && js_true(js_get(v, SL("set")));
}

static const struct js *same_item(const struct js *old, const struct js *item)
{
    slice id = js_text(js_get(item, SL("channelId")));
    for (size_t i = 0; id.n && i < js_len(old); i++)
        if (slice_eq(js_text(js_get(js_item(old, i), SL("channelId"))), id))
            return js_item(old, i);
    return NULL;
}

/* v, with old's texts in the places of {"set":true}. */
static void resolve(struct jw *w, const struct js *v, const struct js *old)
{
    if (is_kept(v) && js_is_string(old)) {
        jw_str(w, NULL, js_text(old));
    } else if (js_is_object(v)) {
        jw_open(w, NULL, '{');
        for (void *it = js_first(v); it; it = js_next(v, it)) {
            jw_key(w, js_key(v, it));
            resolve(w, js_value(it), js_get(old, js_key(v, it)));
        }
        jw_close(w, '}');
    } else if (js_is_array(v)) {
        jw_open(w, NULL, '[');
        for (size_t i = 0; i < js_len(v); i++)
            resolve(w, js_item(v, i), same_item(old, js_item(v, i)));
        jw_close(w, ']');
    } else {
        jw_value(w, NULL, v);
    }
}

/* ---- checks ------------------------------------------------------------------------------------------------------------------ */

static bool is_url(struct arena *a, slice text)
{
    struct url u;
    return text.n <= SERVICE_TEXT_MAX && url_parse(a, text, &u, NULL) && (slice_eq(u.scheme, SL("https")) || slice_eq(u.scheme, SL("http")));
}

bool service_is_channel(slice id)
{
    bool digits = id.n > 0, domain = id.n > 0 && id.n <= DOMAIN_MAX && id.p[0] != '.' && id.p[0] != '-' && id.p[id.n - 1] != '.';
    for (size_t i = 0; i < id.n; i++) {
        char c = id.p[i];
        bool digit = c >= '0' && c <= '9', letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        digits = digits && digit;
        domain = domain && (digit || letter || c == '-' || c == '.');
    }
    return digits ? id.n >= DIGITS_LEAST && id.n <= DIGITS_MOST : domain && slice_find_char(id, '.') != SIZE_MAX;
}

static bool check_value(const struct member *m, const char *where, const struct js *v, struct fault *f)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice path = arena_printf(a, "%s.%s", where, m->name), text = js_text(v);
    if (!v)
        return !m->required || fault(f, "missing_field", path.p, "%s is missing", path.p);
    if (!text.n || text.n > SERVICE_TEXT_MAX)
        return fault(f, "wrong_type", path.p, "%s must be a text of at most %d bytes", path.p, SERVICE_TEXT_MAX);
    for (size_t i = 0; i < COUNT(m->words) && m->words[i]; i++)
        if (slice_eq(slice_of(m->words[i]), text))
            return true;
    return !m->words[0] || fault(f, "refused", path.p, "%s must be %s", path.p, m->words[0]);
}

/* v: the object secret or data; absent is empty. */
static bool check_members(const struct member *rows, size_t n, const char *where, const struct js *v, struct fault *f)
{
    for (void *it = v ? js_first(v) : NULL; it; it = js_next(v, it)) {
        size_t i = 0;
        while (i < n && rows[i].name && !slice_eq(slice_of(rows[i].name), js_key(v, it)))
            i++;
        if (i == n || !rows[i].name)
            return fault(f, "refused", where, "%s has nothing called \"" SLF "\" here", where, SLA(utf8_cut_bytes(js_key(v, it), FIELD_MAX)));
    }
    for (size_t i = 0; i < n && rows[i].name; i++)
        if (!check_value(&rows[i], where, js_get(v, slice_of(rows[i].name)), f))
            return false;
    return true;
}

static bool has_only(const struct js *v, const char *const *names, size_t n)
{
    if (!js_is_object(v) || js_len(v) > n)
        return false;
    for (size_t i = 0; i < js_len(v); i++)
        if (!js_get(v, slice_of(names[i])))
            return false;
    return true;
}

static bool is_secret(const struct js *v)
{
    static const char *const names[] = { "secret" };
    slice s = js_text(js_get(v, SL("secret")));
    return has_only(v, names, COUNT(names)) && s.n && s.n <= SERVICE_TEXT_MAX;
}

static bool check_channel(struct arena *a, const struct js *secrets, const struct js *data, size_t i, struct fault *f)
{
    static const char *const data_names[] = { "channelId", "webhook" }, *const secret_names[] = { "channelId", "webhook", "api" };
    static const char *const webhook_names[] = { "url" };
    const struct js *here = js_item(data, i), *there = same_item(secrets, here), *hook = js_get(here, SL("webhook"));
    slice id = js_text(js_get(here, SL("channelId"))), at = arena_printf(a, "data.channels[%zu]", i);
    if (!service_is_channel(id))
        return fault(f, "refused", at.p, "%s: channelId must be a number of digits without + (16504661149) or a domain (company.com)", at.p);
    for (size_t k = 0; k < i; k++)
        if (slice_eq_nocase(js_text(js_get(js_item(data, k), SL("channelId"))), id))
            return fault(f, "refused", at.p, "%s: this channelId is there twice", at.p);
    if (!has_only(here, data_names, COUNT(data_names)) || !has_only(hook, webhook_names, COUNT(webhook_names)) || !is_url(a, js_text(js_get(hook, SL("url")))))
        return fault(f, "refused", at.p, "%s must be {\"channelId\",\"webhook\":{\"url\"}} with an address http:// or https://", at.p);
    if (!there)
        return fault(f, "missing_field", at.p, "%s: secret.channels has none with this channelId", at.p);
    if (!has_only(there, secret_names, COUNT(secret_names)) || !is_secret(js_get(there, SL("webhook"))) || !is_secret(js_get(there, SL("api"))))
        return fault(f, "refused", "secret.channels", "the secrets of " SLF " must be {\"channelId\",\"webhook\":{\"secret\"},\"api\":{\"secret\"}}",
                     SLA(utf8_cut_bytes(id, FIELD_MAX)));
    return true;
}

static bool check_channels(struct arena *a, const struct js *secret, const struct js *data, struct fault *f)
{
    static const char *const names[] = { "channels" };
    const struct js *secrets = js_get(secret, SL("channels")), *channels = js_get(data, SL("channels"));
    if (!has_only(data, names, 1) || !has_only(secret, names, 1) || !js_is_array(channels) || !js_is_array(secrets) || !js_len(channels))
        return fault(f, "missing_field", "data.channels", "secret and data must each have channels, a list, and nothing else");
    if (js_len(channels) > SERVICE_CHANNELS_MAX)
        return fault(f, "out_of_range", "data.channels", "data.channels has more than %d", SERVICE_CHANNELS_MAX);
    if (js_len(secrets) != js_len(channels))
        return fault(f, "refused", "secret.channels", "secret.channels and data.channels must name the same channels");
    for (size_t i = 0; i < js_len(channels); i++)
        if (!check_channel(a, secrets, channels, i, f))
            return false;
    return true;
}

static bool check_url(struct arena *a, enum url_rule rule, const struct js *v, struct fault *f)
{
    slice text = js_text(v);
    if (v && !js_is_string(v))
        return fault(f, "wrong_type", "url", "url must be a text");
    if (rule == URL_NEEDED)
        return is_url(a, text) || fault(f, text.n ? "refused" : "missing_field", "url", "url must be an address http:// or https://");
    return !text.n || slice_eq(text, SL("N/A")) || is_url(a, text) || fault(f, "refused", "url", "url must be N/A, or left out");
}

static bool check_names(const struct js *body, struct fault *f)
{
    static const slice known[] = { SLI("url"), SLI("secret"), SLI("data"), SLI("operationId") };
    for (void *it = js_first(body); it; it = js_next(body, it)) {
        size_t i = 0;
        while (i < COUNT(known) && !slice_eq(known[i], js_key(body, it)))
            i++;
        if (i == COUNT(known))
            return fault(f, "refused", "", "there is no member \"" SLF "\": url, secret and data are known", SLA(utf8_cut_bytes(js_key(body, it), FIELD_MAX)));
    }
    for (size_t i = 1; i <= 2; i++) {
        const struct js *v = js_get(body, known[i]);
        if (v && !js_is_object(v))
            return fault(f, "wrong_type", known[i].p, "%s must be an object", known[i].p);
    }
    return true;
}

slice service_check(struct arena *a, enum service s, const struct js *body, slice old, struct fault *f)
{
    const struct kind *k = &kinds[s];
    const struct js *before = old.n ? js_parse(a, old, NULL) : NULL;
    if (!check_names(body, f))
        return SLICE_NONE;
    struct jw w = jw_new(a, DOC_MAX);
    jw_open(&w, NULL, '{');
    if (js_text(js_get(body, SL("url"))).n)
        jw_str(&w, "url", js_text(js_get(body, SL("url"))));
    jw_key(&w, SL("secret"));
    if (js_get(body, SL("secret")))
        resolve(&w, js_get(body, SL("secret")), js_get(before, SL("secret")));
    else
        jw_raw(&w, NULL, SL("{}"));
    jw_key(&w, SL("data"));
    jw_raw(&w, NULL, js_get(body, SL("data")) ? js_print(a, js_get(body, SL("data"))) : SL("{}"));
    jw_close(&w, '}');
    slice doc = jw_done(&w);
    const struct js *now = doc.p ? js_parse(a, doc, f) : NULL, *secret = js_get(now, SL("secret")), *data = js_get(now, SL("data"));
    if (!now) {
        fault(f, "too_large", "", "it is longer than %d bytes", DOC_MAX);
        return SLICE_NONE;
    }
    bool good = check_url(a, k->url, js_get(body, SL("url")), f);
    if (good && k->channels)
        good = check_channels(a, secret, data, f);
    else if (good)
        good = check_members(k->secret, COUNT(k->secret), "secret", secret, f) && check_members(k->data, COUNT(k->data), "data", data, f);
    if (good && k->one_of_data && js_len(data) != 1)
        good = fault(f, "refused", "data", "data must have one of %s, %s", k->data[0].name, k->data[1].name);
    return good ? doc : SLICE_NONE;
}

/* ---- showing -------------------------------------------------------------------------------------------------------------------- */

/* Every text but the ids of channels becomes {"set":true}. */
static void hide(struct jw *w, const struct js *v)
{
    if (js_is_object(v)) {
        jw_open(w, NULL, '{');
        for (void *it = js_first(v); it; it = js_next(v, it)) {
            jw_key(w, js_key(v, it));
            if (slice_eq(js_key(v, it), SL("channelId")))
                jw_value(w, NULL, js_value(it));
            else
                hide(w, js_value(it));
        }
        jw_close(w, '}');
    } else if (js_is_array(v)) {
        jw_open(w, NULL, '[');
        for (size_t i = 0; i < js_len(v); i++)
            hide(w, js_item(v, i));
        jw_close(w, ']');
    } else {
        jw_raw(w, NULL, SL("{\"set\":true}"));
    }
}

void service_write(struct jw *w, const struct js *doc)
{
    jw_opt(w, "url", js_text(js_get(doc, SL("url"))));
    jw_key(w, SL("secret"));
    hide(w, js_get(doc, SL("secret")));
    jw_value(w, "data", js_get(doc, SL("data")));
}
