/* guard.h - may we connect to this address when somebody else chose it?
 *
 * A URL in a message could point into our own network. Only public unicast addresses pass; loopback, private, link-local, shared,
 * documentation, benchmark, multicast, reserved and unspecified ones do not, nor an IPv6 address that carries such an IPv4 address
 * (mapped, compatible, 6to4, NAT64, Teredo, ISATAP).
 *
 * Facts      IANA special-purpose address registries (RFC 6890 and its updates).
 */
#ifndef NET_GUARD_H
#define NET_GUARD_H
#include "base/base.h"

struct sockaddr;
bool guard_address_ok(const struct sockaddr *a) MUST_USE;
/* host is a literal address (with or without brackets): as above. A name passes unless it means this machine ("localhost"). */
bool guard_host_ok(slice host) MUST_USE;
#endif
