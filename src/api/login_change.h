/* login_change.h - how administrators change who can log in: the rules and the effects, once for /logins and /users, which are two views of the same.
 *
 *   struct login_change *ch = ARENA_NEW(c->a, struct login_change);
 *   *ch = (struct login_change){ .c = c, .of = &logins_view, .user = user, .role = role, .create = true, .rev = -1 };
 *   login_change(ch, password);
 *
 * Somebody must be able to administer the hub. With another role or password the sessions end; who is removed is not ready at the built-in desk any more, in case somebody of this name comes again.
 * Answers every time: a problem, or what `saved` answers.
 */
#ifndef API_LOGIN_CHANGE_H
#define API_LOGIN_CHANGE_H
#include "api/call.h"
#include "api/logins.h"

struct login_change;
struct login_view {
    const char *noun, *name;              /* "login", as problems call it; the member with its name */
    const char *create, *change, *remove; /* in the audit trail */
    void (*saved)(struct login_change *ch, const struct login *l); /* answers */
};
struct login_change {
    struct api_call *c;
    const struct login_view *of;
    slice user, profile; /* profile: absent: stays */
    enum role role;
    bool create, same_role; /* same_role: nothing was said about it */
    int64_t rev;            /* that it must still be at; -1: any */
};
void login_change(struct login_change *ch, slice password); /* absent: stays */
void login_delete(struct api_call *c, const struct login_view *of, slice user, int64_t rev);
#endif
