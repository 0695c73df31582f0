/* forwarded.h - who really stands at the other end of a request that a door hands on.
 *
 *   h[n++] = (struct header){ SL(FORWARDED_HEADER), forwarded_sign(a, key, x->remote, time_now_ms()) };     the door (net/forward.h)
 *   server_forwarded(s, key);                                                                            the server behind it
 *
 * Shape      base64url of {"remote":"192.0.2.7:5678","time":1767225600000} (ms since 1970), a dot, base64url of its HMAC-SHA256. The key is shared by the
 *            processes of one installation: seal_derive(seal, SL("forwarded requests"), key).
 * Freshness  a header is good for FORWARDED_FRESH_MS around its time, so the clocks of two machines may differ by that much.
 * Secrecy    what a header says is no secret; whoever reads one on its way can use it until it is stale. Between machines the way is TLS, or a network of
 *            one's own.
 */
#ifndef NET_FORWARDED_H
#define NET_FORWARDED_H
#include "base/base.h"

#define FORWARDED_HEADER "X-Dragoman-Forward"
enum { FORWARDED_KEY_BYTES = 32, FORWARDED_FRESH_MS = 60000 };

slice forwarded_sign(struct arena *a, slice key, slice remote, int64_t now_ms) MUST_USE;
/* False: not signed with this key, stale, or malformed. */
bool forwarded_check(struct arena *a, slice key, slice value, int64_t now_ms, slice *ret_remote) MUST_USE;
/* "192.0.2.7" of "192.0.2.7:5678", "::1" of "[::1]:5678"; {NULL,0} of what is no address and port ("local"). */
slice forwarded_ip(slice remote);
#endif
