/* redis_conn.h - one connection to one server of Redis: pipelined commands, TLS, time-outs, connecting again. Private to cache/.
 *
 * Answers    each command gets exactly one done(): with the answer, or with NULL when the connection went, was not there, or no answer came within
 *            CACHE_ANSWER_MS; in these cases possibly before redis_conn_send returns. redis_conn_free answers nobody.
 * Life       connects at once, and again by itself: 0.1 s after a loss, doubling to 5 s. Commands given while it connects wait for that, within their time.
 * Threads    loop thread. Nothing here may be freed from within its callbacks.
 */
#ifndef CACHE_REDIS_CONN_H
#define CACHE_REDIS_CONN_H
#include "cache/resp.h"

struct loop;
struct ssl_ctx_st;
struct redis_conn;
struct redis_how {
    slice user, password; /* password absent: none is asked for */
    unsigned db;
    struct ssl_ctx_st *tls; /* NULL: none */
};
struct redis_events {
    void (*up)(void *arg, struct redis_conn *c);
    void (*down)(void *arg, struct redis_conn *c, const char *why); /* also when it could not be made */
    void (*said)(void *arg, slice channel, slice text);             /* what was subscribed to; NULL: nothing is */
    void *arg;
};
struct redis_conn *redis_conn_new(struct loop *l, const struct redis_how *how, const char *host, unsigned port, const struct redis_events *ev) MUST_USE;
void redis_conn_free(struct redis_conn *c);
void redis_conn_send(struct redis_conn *c, slice command, void (*done)(void *arg, const struct resp *r), void *arg);
void redis_conn_again(struct redis_conn *c, const char *why); /* it leads to the wrong server: another is made */
bool redis_conn_is_up(const struct redis_conn *c);
bool redis_conn_is_down(const struct redis_conn *c); /* neither up nor being made */
bool redis_conn_leads_to(const struct redis_conn *c, slice host, unsigned port);
const char *redis_conn_host(const struct redis_conn *c);
int64_t redis_conn_took_us(const struct redis_conn *c); /* from the begin of connecting until it was up, the last time */
unsigned redis_conn_port(const struct redis_conn *c);
#endif
