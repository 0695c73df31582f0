#include "wire/url.h"
#include "wire/hex.h"
#include <arpa/inet.h>

enum { HOST_MAX = 253, PORT_MAX = 65535 };

/* clang-format off */
static const struct { slice scheme; int port; } ports[] = {
    { SLI("https"), 443 }, { SLI("http"), 80 }, { SLI("wss"), 443 }, { SLI("ws"), 80 },
    { SLI("amqp"), 5672 }, { SLI("amqps"), 5671 }, { SLI("redis"), 6379 }, { SLI("rediss"), 6379 },
};
/* clang-format on */

static int port_of(slice scheme)
{
    for (size_t i = 0; i < COUNT(ports); i++)
        if (slice_eq(ports[i].scheme, scheme))
            return ports[i].port;
    return 0;
}

static bool is_letter(char c)
{
    return (c | 32) >= 'a' && (c | 32) <= 'z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool bad(struct fault *f, const char *why)
{
    return fault(f, "bad_url", "", "%s", why);
}

/* ---- taking apart ------------------------------------------------------------------------------------------------ */

/* The five parts of RFC 3986 appendix B as they stand. */
struct parts {
    slice scheme, authority, path, query, fragment;
};

static size_t scheme_len(slice s)
{
    size_t n = 0;
    if (!s.n || !is_letter(s.p[0]))
        return 0;
    while (n < s.n && (is_letter(s.p[n]) || is_digit(s.p[n]) || s.p[n] == '+' || s.p[n] == '-' || s.p[n] == '.'))
        n++;
    return n < s.n && s.p[n] == ':' ? n : 0;
}

static struct parts split(slice s)
{
    struct parts r = { 0 };
    size_t n = scheme_len(s);
    if (n) {
        r.scheme = slice_sub(s, 0, n);
        s = slice_from(s, n + 1);
    }
    size_t hash = slice_find_char(s, '#');
    if (hash != SIZE_MAX) {
        r.fragment = slice_from(s, hash + 1);
        s.n = hash;
    }
    size_t ask = slice_find_char(s, '?');
    if (ask != SIZE_MAX) {
        r.query = slice_from(s, ask + 1);
        s.n = ask;
    }
    if (slice_starts(s, SL("//"))) {
        s = slice_from(s, 2);
        size_t end = MIN(slice_find_char(s, '/'), s.n);
        r.authority = slice_sub(s, 0, end);
        s = slice_from(s, end);
    }
    r.path = s;
    return r;
}

static bool read_host(struct arena *a, slice host, struct url *u, struct fault *f)
{
    if (host.n && host.p[0] == '[') {
        unsigned char address[16];
        if (host.n < 4 || host.p[host.n - 1] != ']')
            return bad(f, "an IPv6 address stands in brackets");
        u->host = arena_lower(a, slice_sub(host, 1, host.n - 2));
        u->host_v6 = true;
        if (u->host.n > HOST_MAX || strlen(u->host.p) != u->host.n || inet_pton(AF_INET6, u->host.p, address) != 1)
            return bad(f, "no IPv6 address between the brackets");
        return true;
    }
    if (host.n == 0 || host.n > HOST_MAX)
        return bad(f, host.n ? "the host's name is too long" : "a host is missing");
    for (size_t i = 0; i < host.n; i++)
        if (!is_letter(host.p[i]) && !is_digit(host.p[i]) && !(host.p[i] && strchr("-._", host.p[i])))
            return bad(f, "a host's name consists of letters, digits, '-', '_' and '.'");
    u->host = arena_lower(a, host);
    return true;
}

static bool read_authority(struct arena *a, slice s, struct url *u, struct fault *f)
{
    if (slice_find_char(s, '@') != SIZE_MAX)
        return bad(f, "user name and password are not taken in an address");
    size_t colon = slice_find_last(s, ':'), bracket = slice_find_last(s, ']');
    slice port = SLICE_NONE;
    if (colon != SIZE_MAX && (bracket == SIZE_MAX || colon > bracket)) {
        port = slice_from(s, colon + 1);
        s.n = colon;
    }
    u->port = port_of(u->scheme);
    int64_t v = 0;
    if (port.n) {
        if (port.p[0] == '-' || !slice_int(port, &v) || v < 1 || v > PORT_MAX)
            return bad(f, "a port is a number from 1 to 65535");
        u->port = (int)v;
    }
    return read_host(a, s, u, f);
}

/* RFC 3986 pchar, '/' and '?'; what browsers escape for the user is escaped. */
static bool is_plain(char c)
{
    return is_letter(c) || is_digit(c) || (c && strchr("-._~!$&'()*+,;=:@/?%", c));
}

static bool clean(struct arena *a, slice s, slice *ret, struct fault *f)
{
    size_t odd = 0;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c <= 0x20 || c == 0x7f || c == '\\')
            return bad(f, "white space, control characters and backslashes must be escaped");
        if (c == '%' && (i + 2 >= s.n || hex_value(s.p[i + 1]) < 0 || hex_value(s.p[i + 2]) < 0))
            return bad(f, "a percent sign is followed by two hexadecimal digits");
        odd += !is_plain((char)c);
    }
    *ret = s;
    if (!odd)
        return true;
    struct text t = text_new(a, s.n + odd * 2 + 1);
    for (size_t i = 0; i < s.n; i++) {
        if (is_plain(s.p[i]))
            text_char(&t, s.p[i]);
        else
            text_add(&t, "%%%02X", (unsigned char)s.p[i]);
    }
    *ret = text_slice(&t);
    return true;
}

static bool finish(struct arena *a, const struct parts *p, struct url *ret, struct fault *f)
{
    struct url u = { .scheme = arena_lower(a, p->scheme) };
    if (!read_authority(a, p->authority, &u, f) || !clean(a, slice_or(p->path, SL("/")), &u.path, f) ||
        !clean(a, p->query, &u.query, f) || !clean(a, p->fragment, &u.fragment, f))
        return false;
    *ret = u;
    return true;
}

bool url_parse(struct arena *a, slice text, struct url *ret, struct fault *f)
{
    if (text.n > URL_BYTES_MAX)
        return bad(f, "the address is too long");
    struct parts p = split(text);
    if (!p.scheme.n)
        return bad(f, "an address begins with its scheme, such as https://");
    if (!p.authority.p)
        return bad(f, "a host is missing");
    return finish(a, &p, ret, f);
}

/* ---- putting together -------------------------------------------------------------------------------------------- */

static slice origin(struct arena *a, const struct url *u, const char *before_path)
{
    const char *open = u->host_v6 ? "[" : "", *close = u->host_v6 ? "]" : "";
    if (u->port == port_of(u->scheme))
        return arena_printf(a, SLF "://%s" SLF "%s%s", SLA(u->scheme), open, SLA(u->host), close, before_path);
    return arena_printf(a, SLF "://%s" SLF "%s:%d%s", SLA(u->scheme), open, SLA(u->host), close, u->port, before_path);
}

slice url_origin(struct arena *a, const struct url *u)
{
    return origin(a, u, "");
}

slice url_print(struct arena *a, const struct url *u)
{
    return arena_printf(a, SLF SLF "%s" SLF "%s" SLF, SLA(origin(a, u, "")), SLA(u->path), u->query.p ? "?" : "",
                        SLA(u->query), u->fragment.p ? "#" : "", SLA(u->fragment));
}

bool url_is_dots(slice s)
{
    return slice_eq(s, SL(".")) || slice_eq(s, SL(".."));
}

bool url_name_ok(slice name, size_t max, const char *none_of)
{
    for (size_t i = 0; i < name.n; i++)
        if ((unsigned char)name.p[i] <= ' ' || name.p[i] == 0x7f || strchr(none_of, name.p[i]))
            return false;
    return name.n > 0 && name.n <= max && utf8_valid(name) && !url_is_dots(name);
}

/* RFC 3986 section 5.2.4, segment by segment; the path begins with '/'. */
static slice without_dots(struct arena *a, slice path)
{
    struct text t = text_new(a, path.n + 2);
    slice rest = slice_from(path, 1);
    while (rest.p) {
        slice segment = slice_cut(&rest, '/');
        bool one = slice_eq(segment, SL(".")), two = slice_eq(segment, SL(".."));
        if (two)
            t.n = t.n ? slice_find_last(text_slice(&t), '/') : 0;
        if (!one && !two) {
            text_char(&t, '/');
            text_put(&t, segment);
        } else if (!rest.p) {
            text_char(&t, '/');
        }
    }
    return slice_or(text_slice(&t), SL("/"));
}

/* RFC 3986 section 5.2.3 */
static slice merged(struct arena *a, slice base, slice path)
{
    base.n = slice_find_last(base, '/') + 1;
    return arena_printf(a, SLF SLF, SLA(base), SLA(path));
}

bool url_join(struct arena *a, const struct url *base, slice reference, struct url *ret, struct fault *f)
{
    if (reference.n > URL_BYTES_MAX)
        return bad(f, "the address is too long");
    struct parts r = split(reference);
    if (r.scheme.p && !r.authority.p)
        return bad(f, "a host is missing");
    if (r.authority.p) {
        r.scheme = slice_or(r.scheme, base->scheme);
        r.path = without_dots(a, slice_or(r.path, SL("/")));
        return finish(a, &r, ret, f);
    }
    struct url u = *base;
    if (r.path.n) {
        slice path = r.path.p[0] == '/' ? r.path : merged(a, base->path, r.path);
        if (!clean(a, without_dots(a, path), &u.path, f))
            return false;
    }
    if ((r.path.n || r.query.p) && !clean(a, r.query, &u.query, f))
        return false;
    if (!clean(a, r.fragment, &u.fragment, f))
        return false;
    *ret = u;
    return true;
}

/* ---- comparing --------------------------------------------------------------------------------------------------- */

static slice without_dot(slice host)
{
    return slice_ends(host, SL(".")) ? slice_sub(host, 0, host.n - 1) : host;
}

bool url_same_host(const struct url *a, const struct url *b)
{
    return slice_eq(a->scheme, b->scheme) && a->host_v6 == b->host_v6 && slice_eq_nocase(without_dot(a->host), without_dot(b->host));
}

bool url_same_origin(const struct url *a, const struct url *b)
{
    return url_same_host(a, b) && a->port == b->port;
}

bool host_in_domain(slice host, slice domain)
{
    host = without_dot(host);
    domain = without_dot(domain);
    if (!domain.n || host.n < domain.n || !slice_eq_nocase(slice_from(host, host.n - domain.n), domain))
        return false;
    return host.n == domain.n || host.p[host.n - domain.n - 1] == '.';
}
