/* hub.h - the one mutable object, and the accounts at work in it.
 *
 * main builds it, gives it its parts, and passes it down. Everything in it belongs to the loop thread.
 *
 *   accept     webhook -> connector.receive -> journal                          accept.h
 *   deliver    journal -> media, lookup, adapt -> connector.deliver -> journal   deliver.h
 *   run        the steps of one connector function and the calls between them    run.h
 *   state      what is remembered, durable through the journal                   state.h
 */
#ifndef HUB_HUB_H
#define HUB_HUB_H
#include "hub/connector.h"
#include "base/log.h"
#include "base/metrics.h"
#include "hub/token.h"
#include "journal/journal.h"
#include "net/loop.h"

struct hub;
struct conv;
struct storage;
struct storage_set;
struct config;
struct store;
struct server;
struct seal;
struct run;
struct recorder;
struct notices;
struct work;       /* a message at the head of its lane: deliver.c */
struct delivering; /* one under way: deliver.c */
struct homeless;   /* offered for an account that is not configured: deliver.c */
struct registry;
struct history;
struct refusals;
struct config_tenant;
struct cache;
struct accepting;
struct hooked;
struct responses;
struct later;

struct hub_limits {
    unsigned in_flight;     /* deliveries at a time to one account */
    unsigned in_flight_all; /* and to all of them */
    unsigned media_parallel; /* fetches at a time */
    int64_t media_bytes;    /* largest attachment */
    slice media_types;      /* kinds that are taken, for mime_among; absent: all */
    int64_t media_ms;       /* longest fetch */
    int64_t media_wait_ms;  /* before the second try of a fetch; doubles with each */
    int64_t give_up_ms;     /* a message older than this is a dead letter */
    int64_t dedupe_ms;      /* how long message ids are remembered, unless the connector says otherwise */
    int64_t dead_ms;        /* so long what ended as dead or unknown can be sent again: the journal keeps it */
    int64_t purge_ms;       /* attachments live this long after their conversation closed */
    int64_t purge_every_ms; /* the longest time between two looks at what is due … */
    int64_t purge_again_ms; /* … and before one that could not be deleted is tried again */
    int64_t link_ms;        /* life of an attachment's link; 0: until it is purged */
    bool storage_instead;   /* what another storage does not take goes to the local disk */
    int64_t parcel_wait_ms; /* so long a worker waits for an account that a door knew: intake.h */
    unsigned conversations; /* kept in memory */
    unsigned notice_haste;  /* 1; tests: the waits of notices.def are so many times shorter */
    unsigned response_haste; /* … and the times of responses.h */
};
void hub_limits_default(struct hub_limits *l);

/* Calls allowed in a time: refilled steadily, with a small burst, so that no window of per_ms sees more than `calls`. */
struct bucket {
    double tokens, per_ms, burst;
    int64_t at_us;
};
void bucket_init(struct bucket *b, unsigned calls, int64_t per_ms);
/* 0: taken; else ms to wait until one can be. */
int64_t bucket_take(struct bucket *b, int64_t now_us);

enum { RATES_MAX = 8 };
/* Should calls be made to this account now? Opens after failures in a row, lets a single probe through when its time has come. */
struct breaker {
    unsigned failures; /* in a row */
    int64_t until_ms;  /* monotonic; 0: closed */
    bool probing;
};

struct tenant { /* stays as long as the hub runs; registry.c changes what is in it */
    slice id, slug, name;
    const struct config_tenant *config;
    bool retired; /* removed */
    struct actor *desk;
    struct actor **channels;
    size_t n_channels;
    struct js_list data; /* struct js_pair: custom data */
    struct actor *speaker; /* asks the language behind its commands: command.c. NULL: not yet */
};

/* The other end of accounts whose connector has own_end: pages of ours, and what they know. */
struct own_delivery {
    struct actor *to;
    struct conv *conv;
    uint64_t id; /* of the message, in journal and history */
    const struct message *m, *parts;
    size_t n_parts; /* m adapted, as in struct delivery */
    int64_t accepted_ms;
};
struct own_end {
    /* A message arrives. What shall be durable with it goes into the batch that settles it. Called once more for the same id when that batch was not stored,
     * or when the process died before it was. */
    void (*take)(void *arg, const struct own_delivery *d, struct jbatch *b);
    void (*taken)(void *arg, const struct own_delivery *d); /* it is stored: whoever looks at it can be told */
    void *arg;
};
enum { OWN_ENDS_MAX = 4 };

/* An account at work; stays as long as the hub runs. Its settings may be replaced between two calls of its connector's functions. */
struct actor {
    struct hub *hub;
    bool retired;  /* not configured (any more): for webhooks and deliveries it does not exist */
    bool learning; /* what it remembers is being read: it appears after that */
    struct tenant *tenant;
    struct account account;
    struct memory *memory;
    struct token token;
    struct token_named *tokens; /* AUTH_NAMED: those asked for since the start */
    struct bucket buckets[RATES_MAX];
    /* as the target of deliveries */
    struct work *ready, **ready_last;
    unsigned n_ready, in_flight;
    bool pumping; /* deliver_pump is at work */
    struct breaker breaker;
    struct loop_timer wake; /* when the breaker or a bucket lets the next one go */
    /* setup and polls */
    struct loop_timer setup_timer, poll_timer;
    unsigned setup_attempt;
    bool set_up, set_up_refused; /* neither: its deliveries wait for it */
    bool setting_up, setup_stale; /* a setup is under way; it began with settings that are gone */
    struct fault setup_fault;
    struct conv *poll_next;
    int64_t poll_ms;
    unsigned polls_open;
    void (*learned)(void *arg);
};

struct hub {
    struct loop *loop;
    struct client *client;
    struct journal *journal;
    struct store *store;
    const char *database; /* postgresql://…: history and contacts are there, too; NULL: in files of the data folder */
    int64_t turn;         /* on that database, of hubs that follow one another: the later one takes over; 0: there is only this one */
    struct cache *cache; /* NULL: nothing is shared with other processes */
    const struct seal *seal; /* for what accounts remember */
    const struct config *config; /* the file's, with what is set over the API; NULL: none */
    struct storage_set *storages;
    struct storage *storage; /* the local disk, which is always there */
    uint8_t link_secret[32]; /* signs media_link.h's links */
    struct metrics *metrics;
    const struct log *log;
    struct hub_limits limits;
    slice public_url;
    struct arena *a; /* lives as long as the hub: tenants and accounts */
    struct registry *registry; /* NULL: the tenants never change */
    struct tenant **tenants;
    size_t n_tenants;
    struct actor **actors;
    size_t n_actors;
    struct state *state;
    struct conversations *conversations;
    struct media_jobs *media;
    struct served *pages;      /* served already: pages.h */
    struct keys *keys;         /* vendors' public keys: keys.h. NULL: none were asked for yet */
    struct loop_timer purge_timer;
    unsigned purging, purge_found; /* attachments being deleted; found by the look under way */
    bool purge_more;           /* … by the last one: all it takes at once */
    struct purge_due *purges;  /* whose attachments go, and the store has not noted it yet */
    struct intake *intake;     /* a worker's; NULL: webhooks come to this process themselves */
    struct recorder *recorder; /* NULL: there is none */
    struct refusals *refused;  /* NULL: they are not kept */
    struct history *history;   /* NULL: none is kept */
    struct responses *responses; /* canned ones */
    struct later *later;       /* conversations that come back to their desks */
    struct {
        const struct connector *type;
        struct own_end end;
    } own_ends[OWN_ENDS_MAX];
    size_t n_own_ends;
    struct notices *notices;   /* NULL: nobody is told anything */
    bool draining;       /* no new deliveries; what is open is finished */
    bool stopped;        /* no new calls either: hub_stop is at work */
    int64_t wall_less_mono_ms; /* 0: not asked yet */
    unsigned open_runs;
    struct run *runs;    /* all that are open */
    struct delivering *deliveries;
    struct homeless *homeless;
    unsigned in_flight;  /* of all actors */
    uint64_t asked_turn; /* of the loop, in which a webhook came last */
    size_t pump_next;    /* the actor whose turn is next when there is room again */
    struct hooked *hooked;       /* what is served: accept.c */
    struct accepting *accepting; /* requests whose conversations are being loaded: accept.c */
    char key_prefix[24]; /* of delivery keys: unique to this data directory */
};

/* Wall-clock ms that do not jump: the wall clock when this was first asked, and the time that has passed since. For ages. */
int64_t hub_steady_ms(struct hub *h);
/* Once for each connector with own_end, before the first delivery. */
void hub_own_end(struct hub *h, const struct connector *type, const struct own_end *end);
const struct own_end *hub_own_end_of(const struct hub *h, const struct connector *type); /* NULL: nobody stands there */
struct actor *hub_actor(const struct hub *h, slice account_id); /* NULL: none is configured */
/* Of a desk's address "U1@line" within its tenant; *ret_guest gets "U1". NULL: no such channel. */
struct actor *tenant_channel(const struct tenant *t, slice address, slice *ret_guest);
/* Fills c for a call of a function of this actor's connector. */
void actor_call(struct actor *actor, struct call *c, struct arena *a, struct conv *conv, struct fault *f);
slice actor_memory_key(struct arena *a, const struct actor *actor); /* what its account remembers stands under, in state and store */

bool breaker_lets(struct breaker *b, int64_t now_ms, int64_t *ret_wait_ms);
void breaker_success(struct breaker *b);
/* hard: the other side could not be reached at all. Returns ms until the next probe, 0: still closed. */
int64_t breaker_failure(struct breaker *b, bool hard, int64_t now_ms, uint32_t random);
int64_t backoff_ms(unsigned attempt, uint32_t random); /* 0.5 s doubling to 60 s, with jitter */
#endif
