/* intake.h - the worker's side of the broker: parcels of webhooks go the way of a webhook, and are acknowledged once they are durable.
 *
 *   struct intake *in = intake_new(h, broker);
 *   intake_arrived(in, tag, body);       from the broker's consumer, in order
 *   intake_lost(in);                     the shard is lost: what is not begun is forgotten, it comes again
 *
 * Order     parcels are begun as they arrive. When one cannot be stored, none is begun any more; what is under way ends, and then all that is not stored is begun
 *           again, in order, until it is.
 * Behind    what a door hands over instead of publishing it must not overtake what was published before: a marker is sent the way of the parcels, and when it
 *           arrives, and all parcels before it are stored, the turn has come.
 * Twice     a parcel that comes again was accepted already: its messages are SEEN by their keys.
 * Unknown   a parcel for an account that is not there waits for it, limits.parcel_wait_ms long and INTAKE_WAITING_MAX of them, while others go past: doors that were started
 *           with a newer configuration may know it sooner, and one that was just made may not be at work yet. A stop hands it to the worker who follows.
 * Time      of a parcel is when it came to its door, however long it lay with the broker, and each time that it comes again.
 * Useless   a parcel whose account did not come, or that the connector (or this version) does not understand, is logged, counted and buried: a door believed in it and
 *           said 200, so the broker keeps it in the queue of the dead, where it holds nothing back (dragoman parcels). Only then it is acknowledged.
 * Answers   went out at the door; calls that a connector wants to make beside the lanes are made by whoever answers (the door hands such requests over instead).
 * Threads   loop thread.
 */
#ifndef HUB_INTAKE_H
#define HUB_INTAKE_H
#include "hub/hub.h"

enum {
    INTAKE_AGAIN_MS = 300, /* after a failure, and to look for an account */
    INTAKE_BEHIND_MS = 5000, /* a turn that has not come until then does not come */
    INTAKE_WAITING_MAX = 64, /* well below what the broker hands out without an acknowledgement */
};
struct broker;
struct intake;
struct intake *intake_new(struct hub *h, struct broker *b) MUST_USE;
void intake_free(struct intake *in); /* behind hub_stop: nothing of it is under way any more. Accepts NULL */
void intake_arrived(struct intake *in, uint64_t tag, slice body);
void intake_lost(struct intake *in);
/* then(arg, true): all parcels that were published before this call are stored, but for those of other accounts that are not there. False: the broker does not take the marker, the shard is lost, or it takes too long;
 * who waits shall ask again. then may be called before this returns; it does not come any more behind intake_free. */
void intake_behind(struct intake *in, const struct actor *actor, void (*then)(void *arg, bool ok), void *arg);
size_t intake_open(const struct intake *in); /* parcels not acknowledged yet */
#endif
