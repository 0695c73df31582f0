/* client.h - the HTTP client: our face of libcurl's multi interface.
 *
 * Pools of kept connections per destination, HTTP/1.1 and 2, proxy, time-outs, bounded bodies. Redirects are followed only where asked
 * for, at most max_redirects, and never with credentials to another origin. With guard set, addresses that are not public unicast are
 * refused after name resolution (the guard sees what is connected to, so that a name cannot change its mind).
 *
 * Errors     a call always ends with exactly one done(), never before client_send has returned. status 0: no answer; then .written says
 *            whether the request may have left us completely (then it may have had effect; false only where it certainly had not) and
 *            .error says why in a few words. Only GET and HEAD are repeated when a kept connection broke before the answer.
 * Ownership  *call and what it points to must live until done (allocate it in the delivery's arena). The answer lives in call->a.
 * Threads    loop thread.
 */
#ifndef NET_CLIENT_H
#define NET_CLIENT_H
#include "base/base.h"
#include "net/server.h" /* struct header */

struct client;
struct client_limits {
    const char *proxy;        /* "http://host:port", NULL: none */
    unsigned per_host;        /* connections to one destination; default 32 */
    unsigned total;           /* default 256 */
    int64_t connect_ms;       /* default 5000 */
    int64_t total_ms;         /* default 10000 */
    size_t answer_bytes;      /* default 1 MiB */
    bool guard_off;           /* tests and demonstrations on loopback: the address guard lets everything pass */
    const char *ca_file;      /* extra certificate authorities (PEM), NULL: the system's */
    const char *unix_socket;  /* every call goes to the server on this socket, whatever host its URL names; NULL: to the host */
};
void client_limits_default(struct client_limits *l);
struct client *client_new(struct loop *l, const struct client_limits *lim, struct fault *f) MUST_USE;
/* Calls made from now on go through this proxy; absent: through none. */
void client_set_proxy(struct client *c, slice proxy);
void client_free(struct client *c); /* open calls end with status 0; not from within done() */

struct answer {
    int status;             /* 0: no answer */
    bool written;           /* the request left us completely */
    bool refused;           /* status 0: the address guard would not let it go, and never will */
    int64_t retry_after_ms; /* from Retry-After (seconds or date), a day at most; 0: none */
    slice body;             /* empty when a sink took it */
    slice type;             /* Content-Type */
    const struct header *headers;
    size_t n_headers;
    slice error;            /* status 0: for people; no secrets, no query strings */
    slice final_url;        /* after redirects */
    int64_t took_us;
};
slice answer_header(const struct answer *r, const char *name);

struct client_call {
    struct arena *a;
    const char *method;
    slice url;
    slice target;           /* sent as it is in place of the URL's path and query; absent: those of the URL */
    const struct header *headers;
    size_t n_headers;
    slice body;             /* sent with Content-Length; Content-Type is one of headers */
    /* Upload instead of body: called for the next bytes, returns how many (0: end, -1: abort, CLIENT_PAUSE: call client_resume later). */
    ssize_t (*source)(void *arg, char *buf, size_t n);
    int64_t source_bytes;   /* its length; -1: unknown (chunked) */
    /* Download: takes the bytes of a 2xx answer; returns false to abort, or pauses by client_pause. NULL: into answer.body. */
    bool (*sink)(void *arg, const struct answer *head, const char *p, size_t n);
    /* Told when the head of the answer is in, before its body; returns false to abort. With it the sink takes the bytes of every answer. */
    bool (*head)(void *arg, const struct answer *head);
    void *io_arg;
    size_t answer_bytes;    /* largest body; 0: the client's; with a sink: of the sink, and of another answer's body only so much is kept as the client's */
    int64_t connect_ms, total_ms; /* 0: the client's; total_ms CLIENT_NO_END: as long as it takes */
    bool as_it_is;          /* headers are all that is said: no User-Agent, no Accept of ours */
    unsigned max_redirects; /* 0: none followed, the 3xx is the answer. To another origin only harmless fields travel along, never from
                             * https to http */
    bool guard;             /* the URL came out of a message */
    bool guard_away;        /* likewise, but at an origin that is trusted: guarded where a redirect leads elsewhere */
    slice tls_cert, tls_key; /* the other side wants to know by a certificate who calls (both PEM, the chain behind the certificate); absent: it does not */
    void (*done)(void *arg, const struct answer *r);
    void *arg;
    void *impl;
};
enum { CLIENT_PAUSE = -2, CLIENT_NO_END = -1 };
void client_send(struct client *c, struct client_call *call);
void client_cancel(struct client_call *call); /* no done() follows */
void client_pause(struct client_call *call);  /* stops the sink, after what is handed to it now */
void client_resume(struct client_call *call); /* goes on after client_pause or CLIENT_PAUSE */
unsigned client_open(const struct client *c); /* calls not done */
#endif
