/* server.h - the HTTP server: our face of libmicrohttpd.
 *
 *   static void hook(struct exchange *x, void *ctx) { … exchange_json(x, 200, body); }
 *   server_route(s, "POST", "/line", 2 << 20, hook, ctx);
 *
 * A handler is called once per request, when the whole body is in (unpacked if it came gzipped, within the route's limit). It
 * answers now, or keeps the exchange and answers later: the connection is suspended meanwhile. An exchange that is answered is
 * gone. When the peer leaves before the answer, the exchange stays valid; the answer is dropped.
 *
 * Refused before a handler sees it, with a JSON body {"code","message","field"} and a closed connection: what RFC 9112 calls
 * malformed (server_check.c lists it), bodies over the limit (413), heads over the limit (431), unknown routes (404), wrong method (405),
 * unsupported coding (415). What the HTTP library refuses by itself has a short HTML body; slow clients are hung up on without a word.
 * docs/http-limits.md tells which is which. A route for GET also answers HEAD.
 *
 * Ownership  everything reachable from struct exchange lives in x->a until it is answered.
 * Threads    loop thread.
 */
#ifndef NET_SERVER_H
#define NET_SERVER_H
#include "base/base.h"

struct loop;
struct server;
struct events; /* a page that listens (server-sent events) */
struct stream; /* an answer that comes in pieces */

enum { LARGE_FROM_BYTES = 64 << 10 };
struct server_limits {
    size_t head_bytes;      /* default 16 KiB */
    size_t body_bytes;      /* default 2 MiB; a route may set its own */
    size_t large_bytes;     /* default 256 MiB: of all bodies together, behind the first LARGE_FROM_BYTES of each. What does not fit gets 503; one alone always fits */
    unsigned idle_s;        /* keep-alive and slow clients; default 60 */
    unsigned connections;   /* default 12000 */
    unsigned per_address;   /* default 0: no limit */
};
void server_limits_default(struct server_limits *l);
struct server_tls {
    const char *cert_file, *key_file; /* PEM; NULL: plain HTTP */
};

struct header {
    slice name, value;
};
struct exchange {
    struct arena *a;
    slice method, path, query; /* path as sent, without the query; percent-encoding kept */
    slice rest;                /* of a prefix route ("/files/" "*"): the part of path behind the prefix */
    slice body;                /* unpacked */
    const struct header *headers;
    size_t n_headers;
    slice remote;              /* "127.0.0.1:5678"; "local" on a socket in the file system; behind a door: who stands before the door */
    bool forwarded;            /* came through a door that has our key (server_forwarded) */
    bool disowned;             /* said that it did, with a proof that is not good: of another key, or of a clock far from ours */
    bool secure;               /* over TLS, to this server */
    slice request_id;          /* X-Request-Id as it came, or a new UUID; sent back */
    slice trace_id, span_id;   /* X-B3-TraceId / X-B3-SpanId as they came, or new (32 / 16 hex digits) */
    int64_t started_us;        /* monotonic */
    void *impl;
};
slice exchange_header(const struct exchange *x, const char *name); /* without regard to case; {NULL,0} if absent */
slice exchange_query(const struct exchange *x, const char *name);  /* percent-decoded, + is a space; {NULL,0} if absent */

typedef void (*server_handler)(struct exchange *x, void *ctx);

/* listen: "127.0.0.1:8080", "[::1]:0" (port 0: any free one; server_port tells), or "unix:PATH": a socket in the file system that only its owner may
 * connect to (0600), made anew where one is left over, and removed at the end. NULL: see *f. */
struct server *server_new(struct loop *l, const char *listen, const struct server_tls *tls, const struct server_limits *lim,
                          struct fault *f) MUST_USE;
unsigned server_port(const struct server *s);
/* body_max 0: the server's. path "/files/" + "*" matches every path that begins with "/files/". method "*": any. The most exact route wins. */
void server_route(struct server *s, const char *method, const char *path, size_t body_max, server_handler fn, void *ctx);
/* How a refusal is told at paths that begin with `below`, where {"code","message","field"} is not the custom: the body for this status, of this type. One
 * place for each server. */
struct server_fault_style {
    const char *below, *type;
    slice (*write)(struct arena *a, slice path, int status, const struct fault *f);
};
void server_faults(struct server *s, const struct server_fault_style *style);
/* Doors with this key stand before this server (net/forwarded.h): what they say of a request's peer is taken for it. What says so without the
 * key, or too late, is not believed; handlers see nothing of it either way. */
void server_forwarded(struct server *s, slice key);
/* Called for every finished request (access log, metrics). */
void server_observe(struct server *s, void (*fn)(void *ctx, const struct exchange *x, int status, size_t written, int64_t took_us),
                    void *ctx);
/* Stops accepting and ends the event streams; open exchanges may still be answered; done when all are (or after grace_ms). */
void server_drain(struct server *s, int64_t grace_ms, void (*done)(void *), void *arg);
void server_free(struct server *s); /* exchanges that handlers still hold stay valid until they are answered, into nothing */
long server_connections(const struct server *s);

struct response {
    int status;
    slice type;          /* Content-Type; absent: none */
    slice body;          /* copied */
    const struct header *headers;
    size_t n_headers;
    bool close;          /* close the connection afterwards */
};
void exchange_answer(struct exchange *x, const struct response *r);
/* Ends the exchange without an answer: the connection is reset. For servers that play a failing peer. */
void exchange_abort(struct exchange *x);
void exchange_json(struct exchange *x, int status, slice body);
void exchange_text(struct exchange *x, int status, slice body);
/* {"code":…,"message":…,"field":…} */
void exchange_fault(struct exchange *x, int status, const struct fault *f);
void exchange_fault_with(struct exchange *x, int status, const struct fault *f, const struct header *headers, size_t n);
/* While the exchange waits for its answer, or is answered by a stream: left(arg) is called once, when the peer has closed its side. It left, or sends no
 * more but still listens: only what is written to it tells. The exchange stays the handler's. */
void exchange_watch(struct exchange *x, void (*left)(void *arg), void *arg);
/* For server_observe: what it was refused with, by the server or by a handler's exchange_fault. NULL: it was not, or the library below refused it. */
const struct fault *exchange_refusal(const struct exchange *x);
/* Streams a file from fd (taken over, closed) with Range, If-None-Match, HEAD: 200, 206, 304, 416. headers as in response. */
struct file_answer {
    int fd;
    uint64_t size;
    slice type, etag; /* etag without quotes, absent: none */
    const struct header *headers;
    size_t n_headers;
};
void exchange_file(struct exchange *x, const struct file_answer *fa);

/* Answers in pieces, as they come to hand. */
struct stream_answer {
    int status;
    const struct header *headers; /* Content-Type among them; not Content-Length, Transfer-Encoding, Connection */
    size_t n_headers;
    int64_t bytes;                /* of the body; -1: unknown (chunked) */
    size_t held_bytes;            /* when so much waits for the peer, stream_put says stop */
    bool endless;                 /* ends when the server drains, as events do */
    void (*ready)(void *arg);     /* half of that is gone again. May put nothing: have it done later */
    void (*gone)(void *arg);      /* the peer left, the server ends, or .bytes are all sent: the stream is no more */
    void *arg;
};
/* NULL: there is nothing to give any more, and the exchange is answered: HEAD, 204 and 304 have no body (of HEAD, .bytes is told), the peer had left, or
 * the server drains (endless only). */
struct stream *exchange_stream(struct exchange *x, const struct stream_answer *sa) MUST_USE;
bool stream_put(struct stream *s, slice bytes); /* copied. False: taken, but the next ones shall wait for ready */
size_t stream_held(const struct stream *s);     /* bytes that wait for the peer */
/* No function of the stream is called after these two. */
void stream_end(struct stream *s);   /* what waits is sent, then the answer is at its end; before .bytes were put it is broken instead */
void stream_break(struct stream *s); /* the answer will not be whole: the connection is reset */

/* Turns the exchange into a stream of server-sent events. gone(arg) is called when the page left or the server drains; then
 * the events are freed. events_close sends what is queued and frees; gone is not called. NULL: the page had left already, or
 * the server drains; the exchange is answered and gone is not called. */
struct events *exchange_events(struct exchange *x, void (*gone)(void *), void *arg) MUST_USE;
/* The same with headers beside our own. */
struct events *exchange_events_with(struct exchange *x, const struct header *headers, size_t n, void (*gone)(void *), void *arg) MUST_USE;
void events_send(struct events *e, const char *name, slice data); /* data: one line or more; bounded queue, oldest dropped with a "lost" event */
void events_close(struct events *e);
#endif
