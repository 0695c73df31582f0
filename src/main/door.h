/* door.h - a replica's door: the process that takes webhooks and hands all else to the worker (docs/distributed.md).
 *
 * A webhook that verifies and is understood is published to the broker as a parcel; its sender is answered when the broker has confirmed it. Everything else is
 * forwarded: what is unknown or malformed as far as the door knows (its tenants may be those of a moment ago), what needs an answer that only the worker has, the
 * API and all pages. While there is no worker, that is answered 503; webhooks are taken all the same.
 *
 * Own paths   /healthz/liveness, /healthz/readiness (the worker's answer when there is one; 503 while the broker takes nothing), /metrics/door.
 */
#ifndef MAIN_DOOR_H
#define MAIN_DOOR_H
#include "main/commands.h"

/* Serves until it is told to stop; starts and restarts the worker's process where this replica's services say so. Returns the exit status. */
int door_serve(const struct options *o, const struct config *c, struct arena *a);
#endif
