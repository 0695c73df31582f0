/* forward.h - hands a request on to another server, and its answer back as it comes.
 *
 *   struct header from = { SL(FORWARDED_HEADER), forwarded_sign(x->a, key, x->remote, time_now_ms()) };
 *   forward_exchange(f, x, "unix:/var/lib/dragoman/worker.sock", &from, 1);
 *
 * There       method, path and query byte for byte, the body (unpacked if it came gzipped), and the header but for what belongs to one connection
 *             (Connection and what it names, Transfer-Encoding, Upgrade …). Host stays. X-Forwarded-For gets the peer's address at its end, X-Forwarded-Proto
 *             and -Host are set where nobody before us did; X-Request-Id and the X-B3 identifiers are those of the exchange. Fields of `extra` take the
 *             place of fields of the same name.
 * Back        status, header (Set-Cookie several times, Content-Encoding and Content-Length as they are) and body, in pieces: at most held_bytes wait
 *             for a peer that reads slowly, and the origin waits with them. So answers may be as long as they like, and event streams last as they like.
 * No answer   the exchange is answered with a fault: 503 "no_worker" and Retry-After when the request did not get there (nothing happened, it may be sent
 *             again), 502 "worker_gone" when the origin went away before its head, 504 "worker_slow" after head_ms, 503 "busy" over `connections`. When
 *             the origin ends in the middle of its answer, or says nothing for idle_ms, the peer's connection is reset: half an answer never looks whole.
 * Leaving     when the peer leaves, the call to the origin ends, at the latest after leave_ms: for so long a peer is still answered that only closed its
 *             sending side.
 * Their side  the origin sees up to FORWARD_HEAD_BYTES more of header than we did: let its head_bytes be so much larger. An event stream needs a word more
 *             often than idle_ms; ours have one every 25 s.
 * Ownership   the exchange belongs to the forwarder from forward_exchange on. origin and extra are copied.
 * Threads     loop thread.
 */
#ifndef NET_FORWARD_H
#define NET_FORWARD_H
#include "net/server.h"

struct forward;
struct forward_limits {
    int64_t connect_ms;   /* default 2000 */
    int64_t head_ms;      /* from the request to the head of its answer; default 120000: polls that wait are answered before */
    int64_t idle_ms;      /* between two pieces of an answer that the peer waits for; default 90000 */
    int64_t leave_ms;     /* between a peer's last word that it sends no more and our giving it up; default 2000 */
    size_t held_bytes;    /* of one answer; default 256 KiB */
    unsigned connections; /* requests on their way, open streams among them; default 4096 */
    const char *ca_file;  /* for https: extra certificate authorities (PEM), NULL: the system's */
    void (*unreached)(void *arg, const char *origin, const struct fault *f); /* a request did not get there, and why; NULL: nobody wants to know */
    void *arg;
};
void forward_limits_default(struct forward_limits *l);
enum { FORWARD_RETRY_S = 2, FORWARD_HEAD_BYTES = 2048, FORWARD_SOCKETS_MAX = 8 };

struct forward *forward_new(struct loop *l, const struct forward_limits *lim, struct fault *f) MUST_USE; /* lim NULL: the defaults */
void forward_free(struct forward *f); /* what is on its way is answered with a fault, or broken off */
/* origin: "unix:PATH" or "http(s)://HOST:PORT". */
void forward_exchange(struct forward *f, struct exchange *x, const char *origin, const struct header *extra, size_t n_extra);
unsigned forward_open(const struct forward *f); /* requests on their way */
#endif
