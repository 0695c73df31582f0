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

/* What both sides know of the store: where the worker's replica is reached, and the number of the tenants' last change. */
#define KEY_WORKER "worker"
#define WORKER_SOCKET "worker.sock"
/* Do the services of this replica hold this one? all: every one. */
bool service_wanted(const struct config *c, slice name);
/* The settings that several replicas need: false, *f says which is missing. */
bool replica_settings(const struct config *c, struct fault *f) MUST_USE;
/* How other replicas reach this one: replica_url, or listen with the port that was taken. */
slice replica_url(struct arena *a, const struct config *c, unsigned port) MUST_USE;
#endif
