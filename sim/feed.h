/* feed.h - what happens, told to every open page: a set of server-sent event streams.
 *
 * A route handler calls feed_add; feed_send reaches all pages. Pages that leave are forgotten.
 */
#ifndef SIM_FEED_H
#define SIM_FEED_H
#include "sim/sim.h"

enum { FEED_PAGES_MAX = 64 };

struct feed;
struct feed *feed_new(void) MUST_USE;
void feed_free(struct feed *f); /* after the server is gone */
void feed_add(struct feed *f, struct sim_call *c);
bool feed_watched(const struct feed *f); /* some page is open */
void feed_send(struct feed *f, const char *name, slice json);
#endif
