#include "desks/genesys_cloud/wire.h"
#include "wire/base64.h"
#include "wire/url.h"
#include <stdarg.h>

static slice without_slash(slice url)
{
    while (url.n && url.p[url.n - 1] == '/')
        url.n--;
    return url;
}

slice gc_host_url(const struct call *c, enum gc_host which)
{
    slice base = without_slash(setting(c, GC_BASE_URL));
    if (base.n)
        return base;
    return arena_printf(c->a, "https://%s." SLF, which == GC_HOST_LOGIN ? "login" : "api", SLA(setting(c, GC_REGION)));
}

slice gc_url(const struct call *c, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    slice rest = arena_vprintf(c->a, fmt, ap);
    va_end(ap);
    return arena_printf(c->a, SLF "/api/v2" SLF, SLA(gc_host_url(c, GC_HOST_API)), SLA(rest));
}

/* 2: no refresh token; when the time is over the same question is asked again. */
bool gc_token_call(struct call *c, struct http_call *ret)
{
    slice pair = arena_printf(c->a, SLF ":" SLF, SLA(setting(c, GC_CLIENT_ID)), SLA(setting(c, GC_CLIENT_SECRET)));
    ret->method = "POST";
    ret->url = arena_printf(c->a, SLF "/oauth/token", SLA(gc_host_url(c, GC_HOST_LOGIN)));
    ret->type = SL("application/x-www-form-urlencoded");
    ret->body = SL("grant_type=client_credentials");
    ret->repeatable = true;
    call_header(ret, "authorization", arena_printf(c->a, "Basic " SLF, SLA(base64_encode(c->a, pair))));
    call_header(ret, "accept", SL("application/json"));
    return true;
}

/* "Traps" 17: agents' files are on a host of their own within the domain. Nobody else gets the token. */
bool gc_token_host(struct call *c, const struct url *u)
{
    struct url base;
    if (setting(c, GC_BASE_URL).n)
        return url_parse(c->a, setting(c, GC_BASE_URL), &base, NULL) && url_same_host(&base, u);
    return slice_eq(u->scheme, SL("https")) && host_in_domain(u->host, setting(c, GC_REGION));
}
