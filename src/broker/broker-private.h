/* broker-private.h - a connection, its thread, and what passes between it and the loop.
 *
 *   orders   loop -> thread   publish, tell, acknowledge; in the order given
 *   news     thread -> loop   connected or not, blocked, confirmed, gained, arrived; in the order they came
 *
 * What the thread owns is in struct line below `thread's own`; the rest is the loop's, or guarded by lock.
 */
#ifndef BROKER_BROKER_PRIVATE_H
#define BROKER_BROKER_PRIVATE_H
#include "broker/broker.h"
#include "net/loop.h"
#include <amqp.h>
#include <pthread.h>
#include <sys/time.h>

enum {
    CHANNEL = 1, /* the only one of a connection */
    RPC_S = 10,  /* an answer of the broker's takes no longer, or the connection is given up */
    LOOK_MS = 1000, /* heartbeats want to be looked after */
    WHY_MAX = 200,
};

#define DEAD_KEY "dead"  /* routing key of the queue of the dead; those of shards are numbers */
#define HEADER_WHY "why" /* of a letter in it … */
#define HEADER_SHARD "shard"
enum order_kind { ORDER_PUBLISH, ORDER_BURY, ORDER_TELL, ORDER_ACK };
struct order {
    struct order *next;
    enum order_kind kind;
    unsigned shard;
    uint64_t number; /* publish: of the request; acknowledge: the tag of the connection's … */
    uint32_t life;   /* … of this life */
    size_t n_key, n;
    char bytes[]; /* key, body; bury: why, body */
};

enum news_kind { NEWS_UP, NEWS_DOWN, NEWS_BLOCKED, NEWS_UNBLOCKED, NEWS_CONFIRMED, NEWS_GAINED, NEWS_ARRIVED };
struct news {
    struct news *next;
    enum news_kind kind;
    unsigned shard;
    uint64_t number; /* confirmed: of the request; arrived: the tag */
    uint32_t life;
    bool ok, again;
    size_t n;
    char bytes[]; /* the body; why */
};

struct line;
/* What the two kinds of connections do differently; on the thread. False: the connection is to be given up, and l->why says why. */
struct line_role {
    const char *says;                                     /* the connection's name at the broker */
    bool (*begin)(struct line *l);                        /* connected, the topology is there */
    bool (*carry_out)(struct line *l, struct order *o);   /* does not keep it */
    bool (*look)(struct line *l);                         /* takes what the broker sent */
    void (*end)(struct line *l);                          /* the connection is gone */
};

struct line {
    struct broker *b;
    const struct line_role *role;
    pthread_t thread;
    pthread_mutex_t lock;
    int bell; /* eventfd: an order was given, or stop */
    /* guarded by lock */
    struct order *orders, **last_order;
    struct news *news, **last_news;
    bool told, stop; /* told: a post is on its way */
    int fd;          /* the socket, for line_stop; -1 */
    /* thread's own */
    amqp_connection_state_t c;
    uint32_t life;
    char why[WHY_MAX];
    uint64_t next_tag;   /* publisher: of the next publish */
    struct sent *sent;   /* publisher: published and not confirmed, a ring by tag */
    size_t n_sent, cap_sent;
    uint64_t first_sent; /* tag of the oldest one in it */
    struct held *held;   /* consumer: of each shard */
};

struct request { /* a publish without its confirm; the loop's */
    struct request *next, *prev; /* in the order asked */
    uint64_t number;
    int64_t until_ms; /* monotonic */
    broker_confirmed done;
    void *arg;
};

struct broker {
    struct loop *loop;
    struct broker_setup setup;
    char *url, *name, *mark, *ca_file; /* copies that setup points to */
    struct line publisher, consumer;
    bool consumes;              /* the second line exists */
    struct broker_consumer to;
    struct broker_state state;
    char why[WHY_MAX];
    bool held[BROKER_SHARDS_MAX];
    uint64_t next_number;
    struct request *first, *last;
    struct loop_timer sweep;
};

/* connect.c */
bool line_connect(struct line *l); /* a connection, the channel, the topology; blocks */
void line_disconnect(struct line *l, bool orderly);
slice line_shard_queue(struct arena *a, const struct line *l, unsigned shard);
slice line_dead_queue(struct arena *a, const struct line *l);
bool line_reply(struct line *l, amqp_rpc_reply_t r, const char *what); /* false: it is a failure, and why is set */

/* line.c */
void line_start(struct line *l, struct broker *b, const struct line_role *role);
void line_stop(struct line *l); /* what was ordered before is carried out if it can be done at once; joins the thread */
void line_order(struct line *l, struct order *o); /* takes it over */
struct order *order_new(enum order_kind kind, slice key, slice body) MUST_USE;
void line_tell(struct line *l, struct news *n); /* thread; takes it over */
struct news *news_new(enum news_kind kind, slice bytes) MUST_USE;
bool line_fail(struct line *l, const char *fmt, ...) PRINTF(2, 3); /* sets why; false */
/* broker.c */
struct broker *broker_of(const struct broker_setup *setup, struct fault *f) MUST_USE; /* without connections */
void broker_free(struct broker *b);
void broker_heard(void *line); /* on the loop: there is news */

extern const struct line_role publisher_role, consumer_role;
static inline amqp_bytes_t amqp_of(slice s)
{
    amqp_bytes_t b = { .len = s.n };
    memcpy(&b.bytes, &s.p, sizeof(b.bytes)); /* the library's bytes are not const */
    return b;
}
static inline slice slice_of_amqp(amqp_bytes_t b)
{
    return b.bytes ? slice_mem(b.bytes, b.len) : SLICE_NONE;
}
#endif
