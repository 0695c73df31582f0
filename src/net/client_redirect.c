#include "net/client_redirect.h"
#include <curl/curl.h>

static slice part(struct arena *a, CURLU *u, CURLUPart what)
{
    char *text = NULL;
    if (curl_url_get(u, what, &text, what == CURLUPART_PORT ? CURLU_DEFAULT_PORT : 0) != CURLUE_OK)
        return SLICE_NONE;
    slice s = arena_dup(a, slice_of(text));
    curl_free(text);
    return s;
}

slice url_host(struct arena *a, slice url)
{
    CURLU *u = curl_url();
    slice host = SLICE_NONE;
    if (u && curl_url_set(u, CURLUPART_URL, arena_cstr(a, url), CURLU_DISALLOW_USER) == CURLUE_OK)
        host = part(a, u, CURLUPART_HOST);
    curl_url_cleanup(u);
    return host;
}

/* Fields that say what is wanted, not who asks. */
static const slice harmless[] = {
    SLI("Accept"), SLI("Accept-Language"), SLI("Content-Type"), SLI("User-Agent"), SLI("Range"), SLI("If-None-Match"),
    SLI("If-Modified-Since"), SLI("X-Request-Id"), SLI("X-B3-TraceId"), SLI("X-B3-SpanId"),
};

static bool may_travel(slice name, bool same_origin, bool body)
{
    if (!body && slice_starts(name, SL("Content-")))
        return false;
    if (same_origin)
        return true;
    for (size_t i = 0; i < COUNT(harmless); i++)
        if (slice_eq_nocase(name, harmless[i]))
            return true;
    return false;
}

enum redirect redirect_next(struct arena *a, const struct hop *from, int status, slice to, struct hop *ret)
{
    bool to_get;
    switch (status) {
    case 301:
    case 302: /* what every client does, against the letter of the first HTTP/1.1 */
        to_get = strcmp(from->method, "POST") == 0;
        break;
    case 303:
        to_get = strcmp(from->method, "HEAD") != 0;
        break;
    case 307:
    case 308:
        to_get = false;
        break;
    default:
        return REDIRECT_NONE;
    }
    CURLU *u = curl_url();
    slice scheme[2], host[2], port[2];
    bool ok = to.n && u && curl_url_set(u, CURLUPART_URL, arena_cstr(a, from->url), 0) == CURLUE_OK;
    if (ok) {
        scheme[0] = part(a, u, CURLUPART_SCHEME), host[0] = part(a, u, CURLUPART_HOST), port[0] = part(a, u, CURLUPART_PORT);
        ok = curl_url_set(u, CURLUPART_URL, arena_cstr(a, to), CURLU_DISALLOW_USER) == CURLUE_OK;
    }
    if (!ok) {
        curl_url_cleanup(u);
        return REDIRECT_NONE;
    }
    scheme[1] = part(a, u, CURLUPART_SCHEME), host[1] = part(a, u, CURLUPART_HOST), port[1] = part(a, u, CURLUPART_PORT);
    curl_url_set(u, CURLUPART_FRAGMENT, NULL, 0);
    slice url = part(a, u, CURLUPART_URL);
    curl_url_cleanup(u);
    if (!slice_eq_nocase(scheme[1], SL("http")) && !slice_eq_nocase(scheme[1], SL("https")))
        return REDIRECT_NONE;
    if (slice_eq_nocase(scheme[0], SL("https")) && !slice_eq_nocase(scheme[1], SL("https")))
        return REDIRECT_REFUSED;

    bool same = slice_eq_nocase(scheme[0], scheme[1]) && slice_eq_nocase(host[0], host[1]) && slice_eq(port[0], port[1]);
    ret->method = to_get ? "GET" : from->method;
    ret->url = url;
    ret->body = from->body && !to_get;
    ret->away = from->away || !same;
    struct header *kept = ARENA_ARRAY(a, struct header, from->n_headers + 1);
    size_t n = 0;
    for (size_t i = 0; i < from->n_headers; i++)
        if (may_travel(from->headers[i].name, same, ret->body))
            kept[n++] = from->headers[i];
    ret->headers = kept;
    ret->n_headers = n;
    return REDIRECT_FOLLOW;
}
