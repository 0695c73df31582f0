/* net_open.h - the HTTP client and server as the configuration wants them. */
#ifndef MAIN_NET_OPEN_H
#define MAIN_NET_OPEN_H
#include "hub/config.h"
#include "net/client.h"
#include "net/server.h"

struct client *net_client(struct loop *loop, const struct config *c, struct fault *f) MUST_USE;
/* listen: as for server_new. Raises the number of files this process may open to what the system grants. */
struct server *net_server(struct loop *loop, const struct config *c, const char *listen, struct fault *f) MUST_USE;
#endif
