/* replica.h - what the processes of a replica, its door and its worker, have in common: settings, and where they meet (docs/distributed.md).
 */
#ifndef MAIN_REPLICA_H
#define MAIN_REPLICA_H
#include "broker/broker.h"
#include "hub/config.h"
#include "store/seal.h"

/* In the store: where the worker's replica is reached. */
#define KEY_WORKER "worker"
/* In the data folder: where the worker listens. */
#define WORKER_SOCKET "worker.sock"
/* Do the services of this replica hold this one? all: every one. */
bool service_wanted(const struct config *c, slice name);
/* The settings that several replicas need: false, *f says which is missing. */
bool replica_settings(const struct config *c, struct fault *f) MUST_USE;
/* How other replicas reach this one: replica_url, or listen with the port that was taken. */
slice replica_url(struct arena *a, const struct config *c, unsigned port) MUST_USE;
/* The broker of all replicas; its texts are c's, or in a. mark: replica_mark's. */
struct broker_setup replica_broker(struct arena *a, const struct config *c, slice mark);
/* What all replicas of an installation have in common and no other has: it comes of the key, and does not tell it. */
slice replica_mark(struct arena *a, const struct seal *seal) MUST_USE;
/* The key of this installation: secret_key, or the file; NULL: *f. */
struct seal *replica_seal(const struct config *c, struct fault *f) MUST_USE;
#endif
