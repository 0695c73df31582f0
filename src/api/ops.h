/* ops.h - what an operator's tools ask the hub: health, metrics, and the journal's dead letters.
 *
 *   GET  /healthz/liveness    200 while the loop turns
 *   GET  /healthz/readiness   200 when messages can be accepted; 503 with the reasons
 *   GET  /health/detail       the same in numbers, in the shape of the Digital Channels guide
 *   GET  /metrics             Prometheus text
 *   GET  /internal/journal/counts, POST /internal/journal/replay|discard {"ids":[…]}   with the token of <data>/admin.token
 *   POST /internal/record {"on":true|false}   likewise; {} asks. hub->recorder must be there
 */
#ifndef API_OPS_H
#define API_OPS_H
#include "hub/hub.h"
#include "net/server.h"

struct ops;
/* admin_token: as in <data>/admin.token. */
struct ops *ops_new(struct hub *h, struct server *s, slice admin_token) MUST_USE;
void ops_free(struct ops *o);
/* Not ready from now on (stopping). */
void ops_stopping(struct ops *o);
#endif
