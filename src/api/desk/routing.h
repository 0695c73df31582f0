/* routing.h - who gets which conversation? Pure: what is known goes in, a choice comes out.
 *
 * An agent fits an interaction when ready, not full, serving its queue, having every skill the queue asks for, and not having just refused it. While an
 * interaction waits for its last agent (last_until_ms), nobody else fits. Of those who fit the best is who has the most of the skills asked for (sum of levels),
 * then who is least occupied (open conversations of those they can have), then who has been idle longest.
 * Interactions are looked at in the order in which they began to wait.
 */
#ifndef API_DESK_ROUTING_H
#define API_DESK_ROUTING_H
#include "api/logins.h"

struct interaction;
struct route_agent {
    slice user;
    const struct login_profile *is;
    bool ready;
    int64_t open, idle_since_ms;
};
bool route_serves(const struct login_profile *is, slice queue); /* who names no queues serves all */
/* skills: slices. */
bool route_fits(const struct route_agent *who, const struct interaction *it, const struct js_list *skills, int64_t now_ms);
/* Index of who shall be asked; SIZE_MAX: nobody now. */
size_t route_choose(const struct route_agent *agents, size_t n, const struct interaction *it, const struct js_list *skills, int64_t now_ms);
#endif
