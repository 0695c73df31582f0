/* deliver.h - from the journal to the other side: one message of each lane at a time, and never two of one lane.
 *
 *   offered -> ready queue of its account -> (breaker, in-flight limit) -> body, conversation, media, lookup -> adapt -> connector.deliver
 *           -> settled: delivered | dead | unknown | ignored, put off (retry), or parked
 */
#ifndef HUB_DELIVER_H
#define HUB_DELIVER_H
#include "hub/hub.h"

/* A message whose account is not configured waits for it to appear, in this process or the next, and says so in its trace. */
void deliver_offer(struct hub *h, const struct joffer *o);
/* Something that held deliveries back is gone. */
void deliver_pump(struct actor *target);
/* Accounts appeared: what was offered while they were not configured goes on. */
void deliver_homeless(struct hub *h);
/* This account goes: what is ready for it, or came from it, waits until it is back. Its settings may go as well. */
void deliver_orphaned(struct actor *gone);
/* An operator's discard of it is on disk: it is not begun any more, and what was kept of it goes. */
void deliver_discarded(struct hub *h, uint64_t id);
/* Forgets what is ready (stop): it is offered again at the next start. */
void deliver_drop(struct actor *target);
/* Frees what is under way (stop, after the client and the journal are closed). */
void deliver_stop(struct hub *h);
#endif
