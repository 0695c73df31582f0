/* broker.h - what was acknowledged, on its way from the process that took it to the one that owns its conversation. RabbitMQ keeps it meanwhile.
 *
 *   struct broker *b = broker_open(loop, &(struct broker_setup){ .url = "amqps://hub@mq/", .name = SL("dragoman"), .shards = 64 }, &f);
 *   broker_publish(b, shard, body, confirmed, arg);        confirmed(arg, NULL): it is on the broker's disks
 *   broker_consume(b, &(struct broker_consumer){ .gained = …, .lost = …, .arrived = … });
 *   broker_ack(b, tag);                                    once it is safe elsewhere
 *
 * Shard      a queue NAME.shard.17: durable, with a single active consumer. Every process consumes every shard; the broker gives each to one of them.
 * Together   the process that holds shard 0 consumes the others, too, and nobody else does: they are on several nodes of the broker, and have one owner. They are gained when
 *            they are consumed; what the owner before has not acknowledged comes when its connection is gone.
 * Baton      AMQP does not tell a consumer that it has become the active one. So each process publishes a baton to every shard it comes to; the active consumer holds
 *            the newest one unacknowledged, and when it dies the broker hands it to its successor: who holds the baton has gained the shard.
 *            A baton is renewed in time (BROKER_BATON_MS), because RabbitMQ closes channels that keep a delivery for half an hour.
 * Lost       when the connection ends, or the broker takes the consumer away: every shard is lost at that moment, and what was not acknowledged comes again,
 *            here or elsewhere. A process that is stopped for a while does not hear of it in time: what it writes must be fenced where it is written.
 * Publish    persistent and mandatory, on a connection of its own. No answer within confirm_ms, a negative one, a shard that does not exist, a lost connection:
 *            a fault, and nobody knows whether the message is kept; the sender repeats it, and who takes it in knows it by its key.
 * Whose      with a mark, NAME is the installation's that came first: the exchange NAME.of, which carries nothing, remembers the mark as its alternate exchange, and RabbitMQ refuses
 *            whoever declares it with another one. Such a process neither publishes nor consumes, and its state says why.
 * Dead       a queue NAME.dead that nobody consumes: what can never be used is kept there, with why, until an operator decides (dead.h).
 * Queues     quorum queues are on the disks of most nodes before they confirm, and outlive the loss of one. A RabbitMQ 3.10 that is killed within seconds after such a
 *            queue was made may never find a leader for it again (seen in the test; not later in the queue's life).
 *            RabbitMQ 4 throws away what such a queue has handed out twenty times; ours are declared without that limit (a policy can set one all the same: do not).
 * Alarm      while the broker lacks memory or disk it says so (connection.blocked): publishing fails at once, nothing is gathered here.
 * Order      of one process and one shard: as published, unless a publish in between failed.
 * Errors     "broker_lost", "broker_blocked", "broker_busy" (more than max_waiting wait for their confirms), "broker_slow", "broker_refused".
 * Ownership  publish copies the body; arrived's slices are valid during the call.
 * Callbacks  may publish, tell and acknowledge; not leave or close.
 * Threads    loop thread. Two threads of our own, one for each connection, do what blocks.
 */
#ifndef BROKER_BROKER_H
#define BROKER_BROKER_H
#include "base/base.h"

enum {
    BROKER_SHARDS_MAX = 256,
    BROKER_BODY_MAX = 4 << 20,
    BROKER_BATON_MS = 10 * 60 * 1000,
    BROKER_AGAIN_MS = 100,        /* after a lost connection; doubles … */
    BROKER_AGAIN_MAX_MS = 5000,   /* … up to this */
    BROKER_HEARTBEAT_S = 10,
    BROKER_WHY_MAX = 300,         /* bytes of why something was buried */
};

struct loop;
struct broker;
struct broker_setup {
    slice url;            /* amqp://user:password@host:port/vhost, amqps://…; %-encoded as in AMQP URIs; no vhost: "/" */
    slice name;           /* prefix of exchanges and queues, so that installations can share a broker */
    slice mark;           /* of the installation, no secret: letters and digits; absent: whose NAME is, is not looked at */
    unsigned shards;      /* 1 to BROKER_SHARDS_MAX; the same in every process and for ever */
    bool together;        /* one process has them all */
    unsigned prefetch;    /* deliveries of each shard that are not acknowledged yet; 0: 256 */
    size_t max_waiting;   /* publishes without their confirm; 0: 4096 */
    int64_t confirm_ms;   /* 0: 2000 */
    bool classic;         /* the queues are of the kind without copies on other nodes of the broker, instead of quorum queues; for ever, too */
    const char *ca_file;  /* of amqps; NULL: the system's */
};
/* Starts to connect; what is published before there is a connection fails. NULL: the setup is wrong (*f: field "url", "shards"). */
struct broker *broker_open(struct loop *loop, const struct broker_setup *setup, struct fault *f) MUST_USE;
/* Gives all shards back and ends what is under way: its callbacks do not come any more. Accepts NULL. */
void broker_close(struct broker *b);

unsigned broker_shards(const struct broker *b);

typedef void (*broker_confirmed)(void *arg, const struct fault *f);
void broker_publish(struct broker *b, unsigned shard, slice body, broker_confirmed done, void *arg);
/* Into the queue of the dead instead, confirmed likewise. shard: where it came from. why: for people; no secrets. */
void broker_bury(struct broker *b, unsigned shard, slice body, slice why, broker_confirmed done, void *arg);
/* To whoever listens on the exchange NAME.news (fanout): nobody need. Not confirmed, not kept here. key: "dead" … */
void broker_tell(struct broker *b, slice key, slice body);

struct broker_consumer {
    void (*gained)(void *ctx, unsigned shard);
    void (*lost)(void *ctx, unsigned shard);
    /* tag: for broker_ack. again: it was handed out before, to us or another. Only between gained and lost of its shard. */
    void (*arrived)(void *ctx, unsigned shard, uint64_t tag, slice body, bool again);
    void *ctx;
};
void broker_consume(struct broker *b, const struct broker_consumer *to); /* once */
/* A tag of a connection that is gone is ignored. */
void broker_ack(struct broker *b, uint64_t tag);
/* Takes nothing new and gives the shards back, so that others have them before this process ends; what is acknowledged until broker_close still counts. */
void broker_leave(struct broker *b);

struct broker_state {
    bool publishing, consuming; /* connected */
    bool blocked;
    const char *why;            /* what keeps it from being connected, or the alarm's reason; "" */
    uint64_t published, arrived, reconnects;
    size_t waiting;             /* for confirms */
    unsigned shards;            /* held */
};
struct broker_state broker_state(const struct broker *b); /* valid until the next turn of the loop */
#endif
