#include "net/server_check.h"

static bool is_token_char(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_token(slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!is_token_char((unsigned char)s.p[i]))
            return false;
    return s.n > 0;
}

/* Field values may hold anything but control characters; a tab counts as a space. */
static bool is_field_value(slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if ((c < ' ' && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void target_split(slice target, slice *ret_path, slice *ret_query)
{
    static const slice schemes[] = { SLI("http://"), SLI("https://") };
    for (size_t i = 0; i < COUNT(schemes); i++) {
        if (!slice_eq_nocase(slice_sub(target, 0, schemes[i].n), schemes[i]))
            continue;
        slice rest = slice_from(target, schemes[i].n);
        size_t at = 0;
        while (at < rest.n && rest.p[at] != '/' && rest.p[at] != '?')
            at++;
        target = slice_from(rest, at);
        break;
    }
    size_t mark = slice_find_char(target, '?');
    *ret_path = mark == SIZE_MAX ? target : slice_sub(target, 0, mark);
    *ret_query = mark == SIZE_MAX ? SLICE_NONE : slice_from(target, mark + 1);
    if (ret_path->n == 0)
        *ret_path = SL("/"); /* "http://host" */
}

/* One segment of a path is "." or "..", also when its dots are percent-encoded. */
static bool has_dot_segment(slice path)
{
    while (path.p) {
        slice seg = slice_cut(&path, '/');
        size_t dots = 0, i = 0;
        while (i < seg.n) {
            if (seg.p[i] == '.')
                i++;
            else if (seg.n - i >= 3 && seg.p[i] == '%' && seg.p[i + 1] == '2' && (seg.p[i + 2] | 32) == 'e')
                i += 3;
            else
                break;
            dots++;
        }
        if (i == seg.n && (dots == 1 || dots == 2))
            return true;
    }
    return false;
}

static int check_target(const struct head *h, struct fault *f)
{
    slice t = h->target;
    for (size_t i = 0; i < t.n; i++) {
        unsigned char c = (unsigned char)t.p[i];
        if (c <= ' ' || c == 0x7f || c == '#')
            return (void)fault(f, "bad_request", "target", "the request target holds a character that must be encoded"), 400;
    }
    slice path, query;
    target_split(t, &path, &query);
    if (slice_eq(t, SL("*")) && slice_eq(h->method, SL("OPTIONS")))
        return 0;
    if (t.n == 0 || path.p[0] != '/')
        return (void)fault(f, "bad_request", "target", "the request target must be a path or an absolute URL"), 400;
    for (size_t i = 0; i < t.n; i++) {
        if (t.p[i] != '%')
            continue;
        int hi = i + 2 < t.n ? hex_digit(t.p[i + 1]) : -1, lo = i + 2 < t.n ? hex_digit(t.p[i + 2]) : -1;
        if (hi == 0 && lo == 0)
            return (void)fault(f, "bad_request", "target", "the request target holds %%00"), 400;
        /* A lone % in a query is common and harmless; in a path two readers could take it for two resources. */
        if ((hi < 0 || lo < 0) && !(query.p && t.p + i >= query.p))
            return (void)fault(f, "bad_request", "target", "the path holds a %% that is no percent-encoding"), 400;
    }
    if (has_dot_segment(path))
        return (void)fault(f, "bad_request", "target", "the path holds a . or .. segment"), 400;
    return 0;
}

static bool host_ok(slice v)
{
    for (size_t i = 0; i < v.n; i++) {
        unsigned char c = (unsigned char)v.p[i];
        if (c <= ' ' || c >= 0x7f || strchr("/?#@\\,\"<>", c))
            return false;
    }
    return v.n > 0;
}

static bool all_digits(slice v)
{
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] < '0' || v.p[i] > '9')
            return false;
    return v.n > 0 && v.n <= 18; /* always fits 64 bits */
}

/* Fields that decide where the request ends or whom it is for: at most one of each, and only in one form. */
static int check_framing(const struct head *h, struct fault *f)
{
    bool v1_1 = slice_eq(h->version, SL("HTTP/1.1"));
    int hosts = 0, lengths = 0, codings = 0;
    for (size_t i = 0; i < h->n_headers; i++) {
        slice name = h->headers[i].name, v = h->headers[i].value;
        if (slice_eq_nocase(name, SL("Host"))) {
            hosts++;
            if (!host_ok(v))
                return (void)fault(f, "bad_request", "host", "the Host field is malformed"), 400;
        } else if (slice_eq_nocase(name, SL("Content-Length"))) {
            lengths++;
            if (!all_digits(v))
                return (void)fault(f, "bad_request", "content-length", "Content-Length must be digits"), 400;
        } else if (slice_eq_nocase(name, SL("Transfer-Encoding"))) {
            codings++;
            if (!slice_eq_nocase(v, SL("chunked")))
                return (void)fault(f, "bad_request", "transfer-encoding", "the only transfer coding is chunked"), 400;
        } else if (slice_eq_nocase(name, SL("Expect")) && !slice_eq_nocase(v, SL("100-continue"))) {
            return (void)fault(f, "bad_request", "expect", "unknown expectation"), 417;
        }
    }
    if (hosts > 1 || (hosts == 0 && v1_1))
        return (void)fault(f, "bad_request", "host", "exactly one Host field is needed"), 400;
    if (lengths > 1)
        return (void)fault(f, "bad_request", "content-length", "more than one Content-Length"), 400;
    if (codings > 1 || (codings && lengths))
        return (void)fault(f, "bad_request", "transfer-encoding", "Transfer-Encoding beside another length"), 400;
    if (codings && !v1_1)
        return (void)fault(f, "bad_request", "transfer-encoding", "HTTP/1.0 has no transfer codings"), 400;
    return 0;
}

int head_check(const struct head *h, struct fault *f)
{
    if (!is_token(h->method))
        return (void)fault(f, "bad_request", "method", "the method is malformed"), 400;
    if (!slice_eq(h->version, SL("HTTP/1.1")) && !slice_eq(h->version, SL("HTTP/1.0")))
        return (void)fault(f, "bad_request", "version", "only HTTP/1.1 and HTTP/1.0 are spoken here"), 400;
    int status = check_target(h, f);
    if (status)
        return status;
    if (h->n_headers > HEAD_FIELDS_MAX)
        return (void)fault(f, "too_large", "headers", "more than %d header fields", HEAD_FIELDS_MAX), 431;
    for (size_t i = 0; i < h->n_headers; i++) {
        if (!is_token(h->headers[i].name))
            return (void)fault(f, "bad_request", "headers", "a field name is malformed"), 400;
        if (!is_field_value(h->headers[i].value))
            return (void)fault(f, "bad_request", "headers", "a field value holds a control character"), 400;
    }
    return check_framing(h, f);
}

/* Only addresses are compared, nothing outside the slices is read. In place, "name: value CR LF name" becomes name, 0, optional
 * white space, value, 0, 0, name. */
bool head_is_plain(const struct head *h, size_t head_bytes)
{
    const char *at = h->method.p;
    const char *end = at + head_bytes;
    if (h->target.p != at + h->method.n + 1 || h->version.p != h->target.p + h->target.n + 1)
        return false;
    at = h->version.p + h->version.n + 2;
    for (size_t i = 0; i < h->n_headers; i++) {
        slice name = h->headers[i].name, v = h->headers[i].value;
        if (name.p != at || v.p <= name.p + name.n || v.p > end)
            return false;
        for (const char *c = name.p + name.n + 1; c < v.p; c++)
            if (*c != ' ' && *c != '\t')
                return false;
        at = v.p + v.n + 2;
    }
    return at + 2 == end;
}
