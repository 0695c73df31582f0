/* parcel.h - a verified webhook as bytes: what a door hands the worker through the broker (docs/distributed.md).
 *
 * Shape      one line of JSON that says whose it is and how it came, and behind it the body as the connector shall see it, any bytes.
 * Versions   a replica of another version reads what it knows: members may be added. "v" grows when that is not so, and then such a parcel is refused ("newer").
 */
#ifndef HUB_PARCEL_H
#define HUB_PARCEL_H
#include "hub/connector.h"

enum { PARCEL_VERSION = 1, PARCEL_HEAD_MAX = 256 << 10 };
struct parcel {
    slice account;  /* "acme/line": verified to be meant */
    slice trace_id; /* of the request at the door */
    int64_t at_ms;  /* wall clock of the door */
    struct request rq;
};
/* Do doors make parcels of this connector's webhooks? Not where every request may depend on what the worker remembers. */
bool parcel_carries(const struct connector *type);
/* {NULL,0}: its head is longer than PARCEL_HEAD_MAX. */
slice parcel_print(struct arena *a, const struct parcel *p) MUST_USE;
/* Slices point into bytes or a. False: *f ("malformed", "newer"). */
bool parcel_read(struct arena *a, slice bytes, struct parcel *ret, struct fault *f) MUST_USE;
#endif
