/* listener.h - a listening socket under the loop, which hands on what connects.
 *
 *   struct listener *l = listener_new(loop, "127.0.0.1:8080", taken, arg, &f);
 *
 * A process that may open no more files leaves those who connect in the kernel's queue (LISTENER_BACKLOG of them) and looks again every
 * LISTENER_RETRY_MS, whatever its other connections do. So does one whose taker has no room: it says so, and calls listener_go when there is.
 *
 * Threads    loop thread.
 */
#ifndef NET_LISTENER_H
#define NET_LISTENER_H
#include "base/base.h"

struct loop;
struct sockaddr;
struct listener;

enum { LISTENER_BACKLOG = 1024, LISTENER_RETRY_MS = 100 };

/* fd is its taker's from now on; it does not block and is closed on exec. */
typedef void (*listener_take)(void *arg, int fd, const struct sockaddr *from, unsigned from_n);

/* listen: as of server_new. NULL: see *f. Nothing is taken before the loop runs. */
struct listener *listener_new(struct loop *l, const char *listen, listener_take take, void *arg, struct fault *f) MUST_USE;
unsigned listener_port(const struct listener *l);   /* 0: it listens in the file system */
void listener_full(struct listener *l);             /* take nothing until listener_go */
void listener_go(struct listener *l);
void listener_free(struct listener *l);             /* closes it, and removes its name from the file system; NULL is well */
#endif
