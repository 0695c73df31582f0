/* deliver.h - from the journal to the other side: one message of each lane at a time, and never two of one lane.
 *
 *   offered -> ready queue of its account -> (breaker, in-flight limit) -> body, conversation, media, lookup -> adapt -> connector.deliver
 *           -> settled: delivered | dead | unknown | ignored, put off (retry), or parked
 */
#ifndef HUB_DELIVER_H
#define HUB_DELIVER_H
#include "hub/hub.h"

void deliver_offer(struct hub *h, const struct joffer *o);
/* Something that held deliveries back is gone. */
void deliver_pump(struct actor *target);
/* Accounts appeared: what was offered while they were not configured goes on. */
void deliver_homeless(struct hub *h);
/* Forgets what is ready (stop): it is offered again at the next start. */
void deliver_drop(struct actor *target);
/* Frees what is under way (stop, after the client and the journal are closed). */
void deliver_stop(struct hub *h);
#endif
