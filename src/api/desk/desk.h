/* desk.h - the built-in desk: agents of this hub answer guests of every network in its pages.
 *
 *   /api/v1/desk/…, /api/v1/queues, /api/v1/users        operations.def; docs/desks/builtin.md tells what it does
 *
 * What a guest writes becomes an interaction (interaction.h) in a queue (queue.h), is offered to an agent (routing.h), and is answered by messages that go the
 * way of every message: durable before the 202, adapted to the guest's network, their fate told. Open pages are told what changes (page.h).
 * Threads  loop thread.
 */
#ifndef API_DESK_DESK_H
#define API_DESK_DESK_H
#include "api/call.h"

struct desk;
struct desk *desk_new(struct api *api) MUST_USE; /* before store_start: reads what there is; stands at the other end of the built-in desks from here on */
void desk_start(struct desk *desk);
void desk_stop(struct desk *desk);
void desk_free(struct desk *desk);
/* A login was made or changed; it is about to be removed. */
void desk_user_changed(struct desk *desk, slice user);
void desk_user_gone(struct desk *desk, slice user);
#endif
