/* internal.h - asking a hub that runs on this machine, with the configured token or that of its data directory. */
#ifndef MAIN_INTERNAL_H
#define MAIN_INTERNAL_H
#include "main/commands.h"

/* Prints the answer; the exit status. */
int internal_post(const struct options *o, const char *path, slice body);
/* The token of <data>/admin.token, made (mode 0600) when absent; {NULL,0}: see *f. */
slice internal_token(struct arena *a, const char *data, struct fault *f);
#endif
