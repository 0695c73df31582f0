/* internal.h - how the commands ask a hub that runs on this machine: over a socket in its data directory.
 *
 * Only the owner of the data directory may connect to it (0600), which is also who may read and write the journal itself; so no token is asked for, and
 * it does not matter where the hub listens, and whether it speaks TLS there.
 */
#ifndef MAIN_INTERNAL_H
#define MAIN_INTERNAL_H
#include "main/commands.h"

#define CONTROL_SOCKET "control.sock" /* in the data directory, while a hub runs */

/* Prints the answer; the exit status. */
int internal_post(const struct options *o, const char *path, slice body);
/* The token of <data>/admin.token, for calls from elsewhere; made (mode 0600) when absent; {NULL,0}: see *f. */
slice internal_token(struct arena *a, const char *data, struct fault *f);
#endif
