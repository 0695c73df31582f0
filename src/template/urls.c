/* Sprig's urlParse and urlJoin, by the rules of Go's net/url. */
#include "template/function.h"
#include "template/print.h"

#define FN(name) static struct value name(struct run *r, const struct value *v, size_t n)

/* What may stand unescaped, and what % may hide, depends on the part. */
enum part { PART_PATH, PART_HOST, PART_ZONE, PART_USER, PART_FRAGMENT };
struct url {
    slice scheme, opaque, host, path, query, fragment, user, password;
    bool has_user, has_password;
};

static bool wants_escape(unsigned char c, enum part part)
{
    if (((c | 32) >= 'a' && (c | 32) <= 'z') || (c >= '0' && c <= '9') || (c && strchr("-_.~", c)))
        return false;
    switch (part) {
    case PART_HOST:
    case PART_ZONE: return !c || !strchr("!$&'()*+,;=:[]<>\"", c);
    case PART_PATH: return !c || !strchr("$&+,/:;=@", c);
    case PART_USER: return !c || !strchr("$&+,;=", c);
    case PART_FRAGMENT: return !c || !strchr("$&+,/:;=?@!()*", c);
    }
    return true;
}

static void put_escaped(struct text_out *t, slice s, enum part part)
{
    run_step(t->r, s.n / 8);
    for (size_t i = 0; i < s.n; i++)
        if (wants_escape((unsigned char)s.p[i], part))
            out_fmt(t, "%%%02X", (unsigned char)s.p[i]);
        else
            out_char(t, s.p[i]);
}

static int hex(char c)
{
    char l = (char)(c | 32);
    return c >= '0' && c <= '9' ? c - '0' : l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

static NORETURN void wrong(struct run *r, const char *what, slice text)
{
    run_fail(r, "unable to parse url: %s \"" SLF "\"", what, SLA(slice_sub(text, 0, 100)));
}

static slice unescaped(struct run *r, slice s, enum part part)
{
    struct text_out t = out_new(r);
    bool host = part == PART_HOST || part == PART_ZONE;
    run_step(r, s.n / 8);
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c != '%') {
            if (host && c < 0x80 && wants_escape(c, part))
                wrong(r, "invalid character in host name", slice_sub(s, i, 1));
            out_char(&t, s.p[i]);
            continue;
        }
        slice three = slice_sub(s, i, 3);
        if (three.n < 3 || hex(three.p[1]) < 0 || hex(three.p[2]) < 0)
            wrong(r, "invalid URL escape", three);
        unsigned char is = (unsigned char)(hex(three.p[1]) << 4 | hex(three.p[2]));
        bool percent = is == '%';
        if (part == PART_HOST && is < 0x80 && !percent) /* in names % hides only what is no ASCII */
            wrong(r, "invalid URL escape", three);
        if (part == PART_ZONE && !percent && is != ' ' && wants_escape(is, PART_HOST))
            wrong(r, "invalid URL escape", three);
        out_char(&t, (char)is);
        i += 2;
    }
    return out_slice(&t);
}

static bool is_port(slice s) /* ":8080", ":", nothing */
{
    for (size_t i = 0; i < s.n; i++)
        if (i == 0 ? s.p[i] != ':' : s.p[i] < '0' || s.p[i] > '9')
            return false;
    return true;
}

static slice read_host(struct run *r, slice host)
{
    size_t colon = slice_find_last(host, ':');
    if (!slice_starts(host, SL("["))) {
        if (colon != SIZE_MAX && !is_port(slice_from(host, colon)))
            wrong(r, "invalid port after host", slice_from(host, colon));
        return unescaped(r, host, PART_HOST);
    }
    size_t end = slice_find_last(host, ']');
    if (end == SIZE_MAX)
        wrong(r, "missing ']' in host", host);
    if (!is_port(slice_from(host, end + 1)))
        wrong(r, "invalid port after host", slice_from(host, end + 1));
    size_t zone = slice_find(slice_sub(host, 0, end), SL("%25"));
    if (zone == SIZE_MAX)
        return unescaped(r, host, PART_HOST);
    struct text_out t = out_new(r);
    out_put(&t, unescaped(r, slice_sub(host, 0, zone), PART_HOST));
    out_put(&t, unescaped(r, slice_sub(host, zone, end - zone), PART_ZONE));
    out_put(&t, unescaped(r, slice_from(host, end), PART_HOST));
    return out_slice(&t);
}

static void read_authority(struct run *r, slice s, struct url *u)
{
    size_t at = slice_find_last(s, '@');
    u->host = read_host(r, at == SIZE_MAX ? s : slice_from(s, at + 1));
    if (at == SIZE_MAX)
        return;
    slice user = slice_sub(s, 0, at);
    for (size_t i = 0; i < user.n; i++) {
        unsigned char c = (unsigned char)user.p[i];
        if (!((c | 32) >= 'a' && (c | 32) <= 'z') && !(c >= '0' && c <= '9') && !(c && strchr("-._:~!$&'()*+,;=%@", c)))
            wrong(r, "invalid userinfo", user);
    }
    size_t colon = slice_find_char(user, ':');
    u->has_user = true;
    u->has_password = colon != SIZE_MAX;
    u->user = unescaped(r, slice_sub(user, 0, colon), PART_USER);
    u->password = u->has_password ? unescaped(r, slice_from(user, colon + 1), PART_USER) : SL("");
}

/* "http:" off the front of *rest, in small letters. */
static slice read_scheme(struct run *r, slice *rest)
{
    slice s = *rest;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if ((c | 32) >= 'a' && (c | 32) <= 'z')
            continue;
        if (i && ((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.'))
            continue;
        if (c != ':')
            return SL("");
        if (!i)
            wrong(r, "missing protocol scheme", s);
        struct text_out t = out_new(r);
        for (size_t k = 0; k < i; k++)
            out_char(&t, ascii_lower(s.p[k]));
        *rest = slice_from(s, i + 1);
        return out_slice(&t);
    }
    return SL("");
}

static struct url read_url(struct run *r, slice all)
{
    struct url u = { .scheme = SL(""), .opaque = SL(""), .host = SL(""), .path = SL(""), .query = SL(""), .fragment = SL("") };
    slice fragment = all, rest = slice_cut(&fragment, '#'), query;
    for (size_t i = 0; i < rest.n; i++)
        if ((unsigned char)rest.p[i] < ' ' || rest.p[i] == 0x7f)
            wrong(r, "invalid control character in URL", slice_sub(rest, 0, i));
    u.fragment = unescaped(r, fragment, PART_FRAGMENT);
    if (slice_eq(rest, SL("*"))) {
        u.path = rest;
        return u;
    }
    u.scheme = read_scheme(r, &rest);
    query = rest;
    rest = slice_cut(&query, '?');
    u.query = slice_or(query, SL(""));
    bool rooted = slice_starts(rest, SL("/"));
    if (!rooted && u.scheme.n) { /* "mailto:someone" */
        u.opaque = rest;
        return u;
    }
    if (!rooted && slice_find_char(slice_sub(rest, 0, slice_find_char(rest, '/')), ':') != SIZE_MAX)
        wrong(r, "first path segment in URL cannot contain colon", rest);
    if (slice_starts(rest, SL("//")) && (u.scheme.n || !slice_starts(rest, SL("///")))) {
        slice authority = slice_from(rest, 2);
        size_t slash = slice_find_char(authority, '/');
        rest = slash == SIZE_MAX ? SL("") : slice_from(authority, slash);
        read_authority(r, slice_sub(authority, 0, slash), &u);
    }
    u.path = unescaped(r, rest, PART_PATH);
    return u;
}

static slice host_name(slice host) /* without port and brackets */
{
    size_t colon = slice_find_last(host, ':');
    if (colon != SIZE_MAX && is_port(slice_from(host, colon)))
        host = slice_sub(host, 0, colon);
    return slice_starts(host, SL("[")) && slice_ends(host, SL("]")) ? slice_sub(host, 1, host.n - 2) : host;
}

static void put_user(struct text_out *t, const struct url *u)
{
    put_escaped(t, u->user, PART_USER);
    if (u->has_password) {
        out_char(t, ':');
        put_escaped(t, u->password, PART_USER);
    }
}

FN(f_parse)
{
    (void)n;
    struct url u = read_url(r, v[0].s);
    struct text_out user = out_new(r);
    if (u.has_user)
        put_user(&user, &u);
    const struct {
        slice name, value;
    } members[] = { { SL("scheme"), u.scheme }, { SL("host"), u.host }, { SL("hostname"), host_name(u.host) }, { SL("path"), u.path },
                    { SL("query"), u.query }, { SL("opaque"), u.opaque }, { SL("fragment"), u.fragment }, { SL("userinfo"), out_slice(&user) } };
    struct map *m = map_new(r, OF_ANY);
    for (size_t i = 0; i < COUNT(members); i++)
        map_set(r, m, members[i].name, VALUE_STRING(members[i].value));
    return VALUE_MAP(m);
}

static slice member(struct run *r, struct value v, slice name)
{
    const struct value *m = v.t == V_MAP ? map_get(v.m, name) : NULL;
    if (m && m->t != V_STRING)
        run_fail(r, "unable to parse " SLF " key, must be of type string, but %s found", SLA(name), value_kind_name(*m));
    return m ? m->s : SL("");
}

static void put_path(struct text_out *t, slice path, bool host)
{
    if (path.n && path.p[0] != '/' && host)
        out_char(t, '/');
    else if (!t->n && slice_find_char(slice_sub(path, 0, slice_find_char(path, '/')), ':') != SIZE_MAX)
        out_put(t, SL("./")); /* else what is before the colon would be a scheme */
    if (slice_eq(path, SL("*")))
        out_put(t, path);
    else
        put_escaped(t, path, PART_PATH);
}

FN(f_join)
{
    (void)n;
    struct url u = { .scheme = member(r, v[0], SL("scheme")), .opaque = member(r, v[0], SL("opaque")), .host = member(r, v[0], SL("host")),
                     .path = member(r, v[0], SL("path")), .query = member(r, v[0], SL("query")), .fragment = member(r, v[0], SL("fragment")) };
    slice user = member(r, v[0], SL("userinfo"));
    struct text_out t = out_new(r);
    if (user.n) {
        struct text_out with = out_new(r);
        out_put(&with, SL("proto://"));
        out_put(&with, user);
        out_put(&with, SL("@host"));
        struct url whose = read_url(r, out_slice(&with));
        u.user = whose.user;
        u.password = whose.password;
        u.has_user = whose.has_user;
        u.has_password = whose.has_password;
    }
    out_put(&t, u.scheme);
    out_put(&t, u.scheme.n ? SL(":") : SL(""));
    if (u.opaque.n) {
        out_put(&t, u.opaque);
    } else {
        bool authority = u.host.n || u.has_user;
        out_put(&t, authority || (u.scheme.n && u.path.n) ? SL("//") : SL(""));
        if (u.has_user) {
            put_user(&t, &u);
            out_char(&t, '@');
        }
        put_escaped(&t, u.host, PART_HOST);
        put_path(&t, u.path, u.host.n != 0);
    }
    out_put(&t, u.query.n ? SL("?") : SL(""));
    out_put(&t, u.query);
    out_put(&t, u.fragment.n ? SL("#") : SL(""));
    put_escaped(&t, u.fragment, PART_FRAGMENT);
    return VALUE_STRING(out_slice(&t));
}

/* clang-format off */
static const struct function rows[] = { { "urlParse", "s", f_parse }, { "urlJoin", "m", f_join } };
/* clang-format on */
const struct functions functions_url = { rows, COUNT(rows) };
