/* verify.h - which account is a request for, and is it really from there?
 *
 * Candidates are the accounts of the connector whose hook was called; a path behind the hook's names one ("/line/acme/line"), else what the unverified body says
 * (connector.route_key). Among the candidates the one whose secret verifies the raw bytes is it; all live secrets are tried.
 */
#ifndef HUB_VERIFY_H
#define HUB_VERIFY_H
#include "hub/hub.h"

enum found { FOUND, FOUND_NONE, FOUND_BAD };
/* FOUND: *ret_actor; rq->body is the body receive shall see. Else *f says which part differs. */
enum found find_verified(struct hub *h, const struct connector *type, struct arena *a, struct request *rq, struct actor **ret_actor,
                         struct fault *f);
/* Does the account that was found know whether it is meant? Not while the body says for whom it is and the account has not learned its own key. */
bool knows_its_key(const struct connector *type, struct arena *a, const struct request *rq, struct actor *actor);
struct actor *find_by_path(struct hub *h, const struct connector *type, slice rest, struct fault *f);
/* The connector's hook row over this request. Exported for the case runner. */
bool hook_verify(struct call *c, const struct request *rq, slice *ret_body, struct fault *f);
/* What stands behind the hook's prefix in its header. */
bool hook_token(const struct hook *hook, const struct request *rq, slice *ret, struct fault *f);
/* The headers a vendor would send with this body now (the signature, and the time where that is signed, too), made with the account's first secret; name absent: none
 * is needed. For replays. */
bool hook_sign(const struct account *acc, struct arena *a, slice body, int64_t now_ms, struct header *ret, struct header *ret_stamp,
               struct fault *f) MUST_USE;
#endif
