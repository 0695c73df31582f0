/* parcel.h - a verified webhook as bytes: what a door hands the worker through the broker (docs/distributed.md).
 *
 * Shape      one line of JSON that says whose it is and how it came, and behind it the body as the connector shall see it, any bytes.
 * Shards     what one webhook says of several conversations goes to all their shards, as a copy to each: every copy has the same list, which of the messages are whose, in the
 *            order in which the connector finds them, and stands for those of its own shard alone. A reader who finds another number of messages (another version of the
 *            connector, other settings) takes them all from each copy: what is SEEN twice is no harm.
 * Versions   a replica of another version reads what it knows: members may be added. "v" grows when that is not so, and then such a parcel is refused ("newer").
 */
#ifndef HUB_PARCEL_H
#define HUB_PARCEL_H
#include "hub/connector.h"
#include "hub/inbox.h"

enum { PARCEL_VERSION = 1, PARCEL_HEAD_MAX = 256 << 10, PARCEL_SHARDS_MAX = 64 };
struct parcel {
    slice account;  /* "acme/line": verified to be meant */
    slice trace_id; /* of the request at the door */
    int64_t at_ms;  /* wall clock of the door */
    struct request rq;
    unsigned shard;
    slice shards; /* "2,5,2": of each message; absent: they are all of one shard */
};
/* The shard of a message that this account's webhook brings, of so many; the same in every process of every version. */
unsigned parcel_shard(const struct account *account, const struct message *m, unsigned shards);
/* Leaves in the inbox what this parcel stands for; what belongs to no message, in the copy of the lowest shard. */
void parcel_narrow(const struct parcel *p, struct inbox *in);
/* Do doors make parcels of this connector's webhooks? Not where every request may depend on what the worker remembers. */
bool parcel_carries(const struct connector *type);
/* {NULL,0}: its head is longer than PARCEL_HEAD_MAX. */
slice parcel_print(struct arena *a, const struct parcel *p) MUST_USE;
/* Slices point into bytes or a. False: *f ("malformed", "newer"). */
bool parcel_read(struct arena *a, slice bytes, struct parcel *ret, struct fault *f) MUST_USE;
#endif
