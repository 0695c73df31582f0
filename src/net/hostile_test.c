/* What must not get through: every row is sent whole and byte by byte, must be refused, must not reach the handler, and must
 * cost the peer its connection. docs/http-limits.md tells the rest. */
#include "net/net_test.h"
#include "net/server.h"
#include <string.h>

#define RAW(text) { text, sizeof(text) - 1 }

/* status 0: the library hangs up without a word */
/* clang-format off */
static const struct { const char *what; slice raw; int status; } hostile[] = {
    { "two content-lengths",        RAW("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx"), 400 },
    { "two equal content-lengths",  RAW("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx"), 400 },
    { "length list",                RAW("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\nx"), 400 },
    { "length with chunked",        RAW("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400 },
    { "signed length",              RAW("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +600\r\n\r\nx"), 400 },
    { "negative length",            RAW("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\nx"), 400 },
    { "hex length",                 RAW("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x10\r\n\r\nx"), 400 },
    { "empty length",               RAW("POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\nx"), 400 },
    { "huge length",                RAW("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\nx"), 413 },
    { "no host",                    RAW("GET / HTTP/1.1\r\n\r\n"), 400 },
    { "empty host",                 RAW("GET / HTTP/1.1\r\nHost:\r\n\r\n"), 400 },
    { "host with user",             RAW("GET / HTTP/1.1\r\nHost: a@b\r\n\r\n"), 400 },
    { "two hosts",                  RAW("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), 400 },
    { "folded header",              RAW("GET / HTTP/1.1\r\nHost: a\r\nX-A: one\r\n two\r\n\r\n"), 400 },
    { "folded last but one",        RAW("GET / HTTP/1.1\r\nHost: a\r\nX-A: one\r\n\ttwo\r\nX-B: c\r\n\r\n"), 400 },
    { "folded first",               RAW("GET / HTTP/1.1\r\n Host: a\r\nHost: b\r\n\r\n"), 400 },
    { "space before colon",         RAW("GET / HTTP/1.1\r\nHost : a\r\n\r\n"), 400 },
    { "space before colon, beside", RAW("GET / HTTP/1.1\r\nHost: a\r\nX-A : b\r\n\r\n"), 400 },
    { "tab before colon",           RAW("GET / HTTP/1.1\r\nHost: a\r\nContent-Length\t: 3\r\n\r\nabc"), 400 },
    { "no colon",                   RAW("GET / HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n"), 400 },
    { "empty name",                 RAW("GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n"), 400 },
    { "NUL in a value",             RAW("GET / HTTP/1.1\r\nHost: a\r\nX-A: b\0c\r\nX-B: d\r\n\r\n"), 400 },
    { "NUL in the last value",      RAW("GET / HTTP/1.1\r\nHost: a\r\nX-A: b\0c\r\n\r\n"), 400 },
    { "NULs ending the last value", RAW("GET / HTTP/1.1\r\nHost: a\r\nX-A: b\0\0\0\0\r\n\r\n"), 400 },
    { "NUL in a name",              RAW("GET / HTTP/1.1\r\nHost: a\r\nX\0A: b\r\n\r\n"), 400 },
    { "NUL begins a line",          RAW("GET / HTTP/1.1\r\nHost: a\r\n\0X-A: b\r\n\r\n"), 400 },
    { "NULs hide a request",        RAW("GET / HTTP/1.1\r\nHost: a\r\n\0\0GET /evil HTTP/1.1\r\n\r\n"), 400 },
    { "NUL in the path",            RAW("GET /a\0b HTTP/1.1\r\nHost: a\r\n\r\n"), 400 },
    { "NUL in the method",          RAW("GE\0T / HTTP/1.1\r\nHost: a\r\n\r\n"), 400 },
    { "bare CR in a value",         RAW("GET / HTTP/1.1\r\nHost: a\r\nX-A: b\rX-B: c\r\n\r\n"), 400 },
    { "bare CR in the path",        RAW("GET /a\rb HTTP/1.1\r\nHost: a\r\n\r\n"), 400 },
    { "bare LF ends a line",        RAW("GET / HTTP/1.1\r\nHost: a\nX-A: b\r\n\r\n"), 400 },
    { "bare LF ends request line",  RAW("GET / HTTP/1.1\nHost: a\r\n\r\n"), 400 },
    { "bare LF ends the head",      RAW("GET / HTTP/1.1\r\nHost: a\r\n\n"), 400 },
    { "only bare LFs",              RAW("GET / HTTP/1.1\nHost: a\n\n"), 400 },
    { "bell in a value",            RAW("GET / HTTP/1.1\r\nHost: a\r\nX-A: \a\r\n\r\n"), 400 },
    { "unknown transfer coding",    RAW("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\nx"), 400 },
    { "coding list",                RAW("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), 400 },
    { "coding with a tail",         RAW("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked \r\n\r\n0\r\n\r\n"), 400 },
    { "coding twice",               RAW("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400 },
    { "coding identity",            RAW("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\nContent-Length: 1\r\n\r\nx"), 400 },
    { "coding in 1.0",              RAW("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400 },
    { "chunk size overflow",        RAW("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1ffffffffffffffff\r\nx\r\n0\r\n\r\n"), 413 },
    { "chunk size not hex",         RAW("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nx\r\n0\r\n\r\n"), 400 },
    { "chunk size signed",          RAW("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n+1\r\nx\r\n0\r\n\r\n"), 400 },
    { "chunk size missing",         RAW("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\r\nx\r\n0\r\n\r\n"), 400 },
    { "chunk longer than said",     RAW("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxyz\r\n0\r\n\r\n"), 400 },
    { "method with a bracket",      RAW("GE(T / HTTP/1.1\r\nHost: a\r\n\r\n"), 400 },
    { "unknown method",             RAW("FROB / HTTP/1.1\r\nHost: a\r\n\r\n"), 405 },
    { "known method, wrong here",   RAW("DELETE / HTTP/1.1\r\nHost: a\r\n\r\n"), 405 },
    { "connect",                    RAW("CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n"), 400 },
    { "no path",                    RAW("GET HTTP/1.1\r\nHost: a\r\n\r\n"), 400 },
    { "path without slash",         RAW("GET x HTTP/1.1\r\nHost: a\r\n\r\n"), 400 },
    { "space in the path",          RAW("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"), 0 },
    { "two spaces",                 RAW("GET  / HTTP/1.1\r\nHost: a\r\n\r\n"), 400 },
    { "tab for a space",            RAW("GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n"), 400 },
    { "control in the path",        RAW("GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n"), 400 },
    { "fragment",                   RAW("GET /#a HTTP/1.1\r\nHost: a\r\n\r\n"), 400 },
    { "%00",                        RAW("GET /a%00 HTTP/1.1\r\nHost: a\r\n\r\n"), 400 },
    { "%00 in the query",           RAW("GET /?a=%00 HTTP/1.1\r\nHost: a\r\n\r\n"), 400 },
    { "broken escape",              RAW("GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n"), 400 },
    { "dot segments",               RAW("GET /../etc HTTP/1.1\r\nHost: a\r\n\r\n"), 400 },
    { "encoded dot segments",       RAW("GET /x/%2e%2E/etc HTTP/1.1\r\nHost: a\r\n\r\n"), 400 },
    { "HTTP/0.9",                   RAW("GET /\r\n\r\n"), 400 },
    { "HTTP/1.9",                   RAW("GET / HTTP/1.9\r\nHost: a\r\n\r\n"), 400 },
    { "HTTP/2.0",                   RAW("GET / HTTP/2.0\r\nHost: a\r\n\r\n"), 505 },
    { "lower-case version",         RAW("GET / http/1.1\r\nHost: a\r\n\r\n"), 400 },
    { "HTTP/2 preface",             RAW("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505 },
    { "TLS to a plain port",        RAW("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"), 0 },
    { "one word",                   RAW("hello\r\n\r\n"), 0 },
    { "unknown path",               RAW("GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n"), 404 },
    { "unknown expectation",        RAW("POST / HTTP/1.1\r\nHost: a\r\nExpect: miracle\r\nContent-Length: 1\r\n\r\nx"), 417 },
    { "unknown content coding",     RAW("POST / HTTP/1.1\r\nHost: a\r\nContent-Encoding: br\r\nContent-Length: 1\r\n\r\nx"), 415 },
    { "coding stack",               RAW("POST / HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip, gzip\r\nContent-Length: 1\r\n\r\nx"), 415 },
    { "gzip that is none",          RAW("POST / HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nxxxx"), 400 },
};
/* clang-format on */

static void count(struct exchange *x, void *ctx)
{
    ++*(int *)ctx;
    exchange_text(x, 200, SL("reached"));
}

static struct server *serve(struct loop *l, int *reached)
{
    struct server_limits lim;
    server_limits_default(&lim);
    struct server *s = server_new(l, "127.0.0.1:0", NULL, &lim, NULL);
    CHECK(s);
    server_route(s, "GET", "/", 1000, count, reached);
    server_route(s, "POST", "/", 1000, count, reached);
    return s;
}

TEST(hostile_requests_are_refused_and_cost_the_connection)
{
    struct loop *l = loop_new();
    int reached = 0;
    struct server *s = serve(l, &reached);
    for (size_t i = 0; i < COUNT(hostile); i++) {
        for (int bytewise = 0; bytewise < 2; bytewise++) {
            struct peer p = { .loop = l, .port = server_port(s), .send = hostile[i].raw, .bytewise = bytewise };
            peer_talk(&p);
            if (p.status != hostile[i].status || !p.closed || reached)
                test_fail(__FILE__, __LINE__, "%s%s: status %d, want %d%s%s\n%s", hostile[i].what, bytewise ? " (bytewise)" : "",
                          p.status, hostile[i].status, p.closed ? "" : ", still open", reached ? ", reached the handler" : "", p.got);
        }
    }
    server_free(s);
    loop_free(l);
}

static slice fill(struct arena *a, const char *before, size_t n, const char *after)
{
    struct text t = text_new(a, 1 << 20);
    text_put(&t, slice_of(before));
    for (size_t i = 0; i < n; i++)
        text_char(&t, 'a');
    text_put(&t, slice_of(after));
    return text_slice(&t);
}

TEST(hostile_sizes_are_refused)
{
    struct loop *l = loop_new();
    struct arena *a = arena_new();
    int reached = 0;
    struct server *s = serve(l, &reached);
    struct text many = text_new(a, 1 << 16);
    text_put(&many, SL("GET / HTTP/1.1\r\nHost: a\r\n"));
    for (int i = 0; i < 110; i++)
        text_add(&many, "a%d: b\r\n", i);
    text_put(&many, SL("\r\n"));
    const struct {
        slice raw;
        int lo, hi;
    } rows[] = {
        { fill(a, "GET /", 20000, " HTTP/1.1\r\nHost: a\r\n\r\n"), 414, 431 },
        { fill(a, "GET / HTTP/1.1\r\nHost: a\r\nX-A: ", 20000, "\r\n\r\n"), 413, 431 },
        { text_slice(&many), 413, 431 },
        { fill(a, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n", 1001, ""), 413, 413 },
        { fill(a, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n", 10, ""), 413, 413 },
        { fill(a, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4e20\r\n", 20000, "\r\n0\r\n\r\n"), 413, 413 },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct peer p = { .loop = l, .port = server_port(s), .send = rows[i].raw };
        peer_talk(&p);
        if (p.status < rows[i].lo || p.status > rows[i].hi || !p.closed || reached)
            test_fail(__FILE__, __LINE__, "row %zu: status %d, closed %d\n%.200s", i, p.status, p.closed, p.got);
    }
    server_free(s);
    arena_free(a);
    loop_free(l);
}

/* The neighbours of what is refused must pass. clang-format off */
static const struct { const char *what; slice raw; bool closed; } good[] = {
    { "plain",          RAW("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), false },
    { "absolute form",  RAW("GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n"), false },
    { "absolute, bare", RAW("GET http://a HTTP/1.1\r\nHost: a\r\n\r\n"), false },
    { "query",          RAW("GET /?a=%zz&b=%41 HTTP/1.1\r\nHost: a:8080\r\n\r\n"), false },
    { "HTTP/1.0",       RAW("GET / HTTP/1.0\r\n\r\n"), true },
    { "HTTP/1.0, host", RAW("GET / HTTP/1.0\r\nHost: a\r\n\r\n"), true },
    { "close",          RAW("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), true },
    { "no space",       RAW("GET / HTTP/1.1\r\nHost:a\r\nX-A:b\r\nX-B:\r\n\r\n"), false },
    { "spaces, tabs",   RAW("GET / HTTP/1.1\r\nHost:  a  \r\nX-A:\t b\t\r\nX-B:   \r\n\r\n"), false },
    { "cookies",        RAW("GET / HTTP/1.1\r\nCookie: a=b; c=d\r\nHost: a\r\nCookie: e=f\r\n\r\n"), false },
    { "IPv6 host",      RAW("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"), false },
    { "chunked",        RAW("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nTrail: er\r\n\r\n"), false },
    { "length",         RAW("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 003\r\n\r\nabc"), false },
    { "blank before",   RAW("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), false },
    /* The library hides these from us; docs/http-limits.md says why they are harmless here. */
    { "LF after size",  RAW("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n"), false },
    { "LF after chunk", RAW("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\n0\r\n\r\n"), false },
    { "LF in trailer",  RAW("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\n\r\n"), false },
    { "odd extension",  RAW("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;\a\r\nabc\r\n0\r\n\r\n"), false },
    { "length trailer", RAW("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 9\r\n\r\n"), false },
    { "UTF-8 value",    RAW("GET / HTTP/1.1\r\nHost: a\r\nX-A: \xc3\xa9\r\n\r\n"), false },
};
/* clang-format on */

TEST(hostile_neighbours_pass)
{
    struct loop *l = loop_new();
    int reached = 0;
    struct server *s = serve(l, &reached);
    for (size_t i = 0; i < COUNT(good); i++) {
        for (int bytewise = 0; bytewise < 2; bytewise++) {
            struct peer p = { .loop = l, .port = server_port(s), .send = good[i].raw, .bytewise = bytewise, .wait_ms = 30 };
            peer_talk(&p);
            if (p.status != 200 || p.closed != good[i].closed)
                test_fail(__FILE__, __LINE__, "%s: status %d, closed %d\n%s", good[i].what, p.status, p.closed, p.got);
        }
    }
    CHECK_INT(reached, 2 * COUNT(good));
    server_free(s);
    loop_free(l);
}
