/* later.h - conversations that their agents want to go on with at a time: then a line of the hub's brings them back to the desk.
 *
 * Durable    in the batch that settles the command; state "l:" and the conversation. One of each conversation: a later one takes its place. When its time has
 *            come, the line goes to the desk's lane in the batch that takes it out of the state: once. What came due while the hub was down comes at the start.
 * Threads    loop thread.
 */
#ifndef HUB_LATER_H
#define HUB_LATER_H
#include "hub/hub.h"

enum { LATER_DAYS_MAX = 90 };
struct later;

void later_load(struct hub *h); /* h->later; at start, before the loop runs */
void later_start(struct hub *h);
void later_stop(struct hub *h);
/* at_ms 0: no more. by: the agent's name, or absent. */
void later_put(struct hub *h, struct jbatch *b, const struct conv *conv, int64_t at_ms, slice by);
int64_t later_at(const struct hub *h, slice conversation); /* 0: nothing is planned */
#endif
