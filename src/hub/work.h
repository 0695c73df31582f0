/* work.h - the accounts at work: set up at start, polled, stopped. */
#ifndef HUB_WORK_H
#define HUB_WORK_H
#include "hub/hub.h"

/* Rates, tokens and memory of an actor whose account is filled in. memory: as remembered ({NULL,0}: nothing). */
void actor_init(struct actor *actor);
/* What an account has learned, as the store keeps it under actor_memory_key: into its memory. One that cannot be read is logged and changes nothing. */
void actor_remember(struct actor *actor, slice value);
void actor_done(struct actor *actor);
/* The same while the hub runs: what it remembers is read by the store's thread; then done(actor). It is .retired and .learning until then. */
void actor_init_later(struct actor *actor, void (*done)(void *arg));
/* Its settings changed: stopped, set up again with those of now. */
void actor_restart(struct actor *actor);
/* Sets the account up at its vendor, again with growing pauses until it worked, and polls where its connector asks for it. */
void actor_start(struct actor *actor);
void actor_stop(struct actor *actor);
/* A delivery learned that the vendor no longer knows what was set up. */
void actor_set_up_again(struct actor *actor);
/* After loop_run: closes client, journal and store, in the order in which nothing is called that is gone, and frees what was under way. What was not
 * finished is offered again at the next start. Parts that were never made are NULL. */
void hub_stop(struct hub *h);
#endif
