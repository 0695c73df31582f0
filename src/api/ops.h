/* ops.h - what an operator's tools ask the hub: health, metrics, and the journal's dead letters.
 *
 *   GET  /healthz/liveness    200 while the loop turns
 *   GET  /healthz/readiness   200 when messages can be accepted; 503 with the reasons
 *   GET  /health/detail       the same in numbers, in the shape of the Digital Channels guide
 *   GET  /metrics             Prometheus text; ops_metrics: on a server of its own as well
 *   GET  /internal/journal/counts, POST /internal/journal/replay|discard {"ids":[…]}
 *   POST /internal/notifiers {} lists the destinations of notifications; /internal/notifiers/test {"name"} sends one a test
 *   POST /internal/record {"on":true|false}   {} asks. hub->recorder must be there
 *
 * What is below /internal needs the token where the hub listens for everybody, and none on the control socket.
 */
#ifndef API_OPS_H
#define API_OPS_H
#include "hub/hub.h"
#include "net/server.h"

struct ops;
/* admin_token: as in <data>/admin.token. */
struct ops *ops_new(struct hub *h, struct server *s, slice admin_token) MUST_USE;
/* The calls below /internal, for whoever can reach this server: one on a socket that only the owner of the data may connect to. */
void ops_control(struct ops *o, struct server *s);
/* /metrics alone, on a port of its own. */
void ops_metrics(struct ops *o, struct server *s);
void ops_free(struct ops *o);
/* Not ready from now on (stopping). */
void ops_stopping(struct ops *o);

/* For the files of the calls below /internal: where a call comes in; has it the operator's token? False: it is answered. */
struct door;
bool ops_allowed(const struct door *door, struct exchange *x) MUST_USE;
struct hub *ops_hub(const struct door *door);
void notifier_ops_routes(struct door *door, struct server *s); /* notifier_ops.c */
#endif
