/* client-private.h - calls under way and what they stand on, for the files of client.
 *
 *   client.c       a call: begun, paused, ended
 *   client_slot.c  libcurl's handles: what one is told of a request, and what it tells of the answer
 *   client_loop.c  libcurl's sockets and time under our loop
 */
#ifndef NET_CLIENT_PRIVATE_H
#define NET_CLIENT_PRIVATE_H
#include "net/client_redirect.h"
#include "net/loop.h"
#include "net/unix_path.h"
#include <curl/curl.h>
#include <uv.h>

struct client_run;
struct client_slot { /* a libcurl handle: made and set up once, used for one call at a time */
    CURL *easy;
    CURLU *url;
    struct client *client;
    struct client_run *run; /* NULL: spare */
    const char *proxy; /* as set in easy */
    bool identity;     /* a certificate is set in easy */
    bool target;       /* a request target is set in easy */
    struct client_slot *next;
};

struct client_sock { /* a socket libcurl watches */
    uv_poll_t poll;
    struct client *client;
    curl_socket_t fd;
    int wanted;  /* CURL_POLL_* ; 0: libcurl is not interested now */
    int watched; /* UV_* that the loop watches */
    bool in_action, closed;
    struct client_sock *prev, *next;
};

struct client_run { /* a call under way; lives in its arena */
    struct client *client;
    struct client_call *call;
    struct client_slot *slot;
    struct client_run *prev, *next;
    struct hop hop; /* the request as it is sent now */
    unsigned hops;
    int64_t began_us, deadline_us;
    struct curl_slist *fields;

    struct answer answer;
    struct header *headers;
    size_t n_headers, cap_headers, head_bytes;
    struct text body;
    uint64_t taken; /* bytes that went to the sink */

    unsigned sent_times;  /* requests begun on a connection, of this hop, the one that was not repeated counted */
    bool written_before;  /* an earlier hop left us */
    bool may_repeat;      /* GET and HEAD: libcurl may try again on a fresh connection */
    bool head_whole;
    bool in_callback;     /* libcurl's: handles must not be removed now */
    bool cancelled;       /* while in_callback */
    const char *stopped;  /* we made libcurl give up, and why */
};

struct client {
    struct loop *loop;
    struct client_limits lim;
    struct unix_path at; /* of lim.unix_socket */
    struct arena *a;
    CURLM *multi;
    struct client_slot *spare;
    unsigned n_spare;
    struct client_sock *socks;
    struct client_run *runs;
    unsigned n_open;
    struct loop_timer timer;
    int64_t timer_due_ms;
    bool kicked, closing;
};

/* client.c */
void client_collect_done(struct client *c); /* calls that libcurl is done with end */

/* client_slot.c */
extern const char client_not_public[];
struct client_slot *client_slot_get(struct client *c) MUST_USE;
void client_slot_put(struct client_slot *s); /* its call has ended */
void client_slot_free(struct client_slot *s);
bool client_guarded(const struct client_run *r); /* it may go to public addresses only */
bool client_is_clean(slice s);                   /* no byte in it ends a line */
bool client_make_fields(struct client_run *r, bool chunked);
void client_set_request(struct client_run *r);
size_t client_answer_max(const struct client_run *r);
void client_show_head(struct client_run *r);

/* client_loop.c: libcurl's callbacks; client is their arg. */
void client_kick(void *client); /* libcurl's turn, now */
int client_plan(CURLM *multi, long in_ms, void *client);
int client_on_interest(CURL *easy, curl_socket_t fd, int what, void *client, void *sock);
int client_on_close(void *client, curl_socket_t fd);
void client_sock_close(struct client *c, struct client_sock *s);
#endif
