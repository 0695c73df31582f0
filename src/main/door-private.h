/* door-private.h - a door, and what its files do for each other: life (door.c), webhooks (door_hook.c), what the store says (door_tenants.c).
 *
 * Threads: loop thread.
 */
#ifndef MAIN_DOOR_PRIVATE_H
#define MAIN_DOOR_PRIVATE_H
#include "hub/hub.h"
#include "main/door.h"
#include "net/server.h"
#include "store/seal.h"

/* The tenants as they were read together; requests that began with them may outlive them. */
struct era {
    struct era *next;
    struct arena *a;
    struct actor **actors;
    size_t n_actors;
};
struct door {
    struct arena *a;
    const struct options *options;
    const struct config *config;
    struct logger *logger;
    struct log log;
    struct hub hub; /* of it: accounts, keys, client, metrics. No journal, nothing is delivered */
    struct seal *seal;
    struct server *server;
    struct broker *broker;
    char broker_why[200]; /* it takes nothing, as was said last; "": it does */
    struct forward *forward;
    struct child *child; /* NULL: this replica does no worker's work */
    struct era *eras;    /* the first is now's */
    size_t open;         /* requests under way */
    slice url, local;    /* how others reach this replica; its own worker */
    struct arena *seen;  /* worker and tenants live here */
    slice worker, tenants;
    uint8_t forward_key[SEAL_DERIVED_BYTES];
    struct loop_timer look, flush;
    /* Monotonic: not before is it said again that the worker is not reached, that another door's proof is not good, that webhooks are not published. */
    int64_t unreached_ms, disowned_ms, unpublished_ms;
    int64_t unpublished; /* webhooks, since it was said last */
    unsigned looking;    /* answers of the store still to come */
    bool draining, server_ended, child_ended;
};

/* To the worker: our own where it is ours, another replica's door otherwise; what came from there goes no further than to ours. 503 while there is none. */
void door_hand_over(struct door *d, struct exchange *x);
/* A trouble of requests is not said for each of them: may it be said now? Then not again before DOOR_TELL_AGAIN_MS. */
enum { DOOR_TELL_AGAIN_MS = 10000 };
bool door_tells(int64_t *not_before_ms);
/* Routes for the webhooks of this replica's services. */
void door_hooks(struct door *d);
/* The tenants of the file and of the store; reads the store here and now. */
void door_tenants_read(struct door *d);
/* From now on: who is the worker, and did the tenants change? */
void door_look(struct door *d);
void door_tenants_free(struct door *d); /* no request is under way any more */
#endif
