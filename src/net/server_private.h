/* server_private.h - what the files of the server share; nobody else includes it. */
#ifndef NET_SERVER_PRIVATE_H
#define NET_SERVER_PRIVATE_H
#include "net/listener.h"
#include "net/loop.h"
#include "net/server.h"
#include <microhttpd.h>
#include <sys/types.h>
#include <uv.h>
#include <zlib.h>

struct route {
    slice method, path; /* path of a prefix route ends with '/' */
    bool prefix;
    size_t body_max;
    server_handler fn;
    void *ctx;
};

enum { ENTROPY_BYTES = 2048 };

struct server {
    struct loop *loop;
    struct server_limits lim;
    struct arena *a; /* lives as long as the server: routes, key material */
    struct MHD_Daemon *mhd;
    struct listener *listener; /* NULL: no longer */
    unsigned port;
    bool at_path;              /* listens in the file system */
    bool tls;
    slice forwarded_key; /* absent: no door in front of this server */
    bool in_place; /* the library is the version whose parsing in place head_is_plain knows */

    uv_poll_t *poll;
    struct loop_timer timer;
    int64_t timer_due_ms;
    bool run_scheduled;

    struct route *routes;
    size_t n_routes, cap_routes;
    struct server_fault_style faults; /* write NULL: none */
    void (*observe)(void *, const struct exchange *, int, size_t, int64_t);
    void *observe_ctx;

    long n_connections;
    struct conn *conns;
    struct loop_timer slow;
    struct ex *open; /* every request from its first line until it is finished */
    size_t large_bytes; /* of their bodies, behind the first LARGE_FROM_BYTES of each */
    struct events *pages;
    struct loop_timer keep_alive;

    bool draining;
    struct loop_timer grace;
    void (*drained)(void *);
    void *drained_arg;

    unsigned char entropy[ENTROPY_BYTES]; /* for ids; nothing secret is made from it */
    size_t entropy_used;
};

struct conn { /* one connection */
    struct server *server;
    struct conn *prev, *next;
    int fd;
    bool answering;    /* a request is complete: the peer owes nothing */
    int64_t since_ms;  /* that we wait for a request line, or for the rest of a request */
    int64_t earned_ms; /* by the bytes of a body: a millisecond each, so 1 kB/s is fast enough */
    size_t remote_n;
    char remote[64];
};

enum ex_step {
    EX_HEAD,     /* request line seen */
    EX_BODY,     /* head checked, route known */
    EX_REFUSING, /* refused; the rest of the body is swallowed before the answer */
    EX_WAITING,  /* with the handler */
    EX_ANSWERED, /* handed to the library, being sent */
    EX_ABORTED,  /* to be closed without an answer as soon as the library asks */
};

struct ex { /* an exchange as the server sees it; lives in x.a */
    struct exchange x;
    struct server *server;
    struct MHD_Connection *mhd; /* NULL: the peer is gone */
    struct conn *conn;          /* valid while mhd is */
    struct ex *prev, *next;
    enum ex_step step;
    bool in_library; /* inside a callback of the library: nothing to resume */
    bool suspended;
    bool head_only;  /* HEAD */
    slice target;
    const char *target_at; /* where the library keeps it; only ever compared */
    const struct route *route;

    struct text body;
    size_t large_bytes; /* of it */
    uint64_t body_left; /* that may still be swallowed in EX_REFUSING */
    z_stream *gzip;     /* its memory is in x.a */
    bool gzip_ended;
    size_t packed;      /* bytes of it so far */

    int refusal; /* status */
    struct fault fault; /* why it was refused, by us or by the handler */
    const char *allow; /* with 405 */

    int status;
    size_t written;
    struct events *events;
    struct stream *stream;
    uv_poll_t *leaving; /* watches for the peer's end; NULL: nobody asked */
    void (*left)(void *);
    void *left_arg;
};

/* server.c */
void server_run_soon(struct server *s);
void ex_finished(struct ex *e); /* takes it off the list and frees its arena */
/* server_request.c */
void *request_line(void *server, const char *target, struct MHD_Connection *mhd);
enum MHD_Result request_part(void *server, struct MHD_Connection *mhd, const char *url, const char *method, const char *version,
                             const char *data, size_t *n, void **ex);
void request_done(void *server, struct MHD_Connection *mhd, void **ex, enum MHD_RequestTerminationCode how);
/* server_answer.c */
void ex_send(struct ex *e, int status, struct MHD_Response *r, size_t written, bool close);
void ex_add_headers(struct ex *e, struct MHD_Response *r, const struct header *h, size_t n);
void ex_fault(struct ex *e, int status, const struct fault *f, const struct header *h, size_t n, bool close);
/* The peer's connection is reset. The library would say "no more follows" before it closes, which a peer that goes by that takes for the end of an
 * answer; a TCP socket that is connected to nobody resets at once. (On a socket in the file system only the closing is left.) */
void ex_reset(struct ex *e);
void ex_unwatch(struct ex *e); /* ends exchange_watch */
/* server_stream.c */
void stream_drain(struct stream *s);
void stream_finished(struct stream *s); /* tells the owner if there still is one, frees it */
/* server_events.c */
void events_gone(struct events *e); /* the page left, or the server ends: tells the owner, frees it */
#endif
