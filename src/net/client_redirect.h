/* client_redirect.h - where a redirect leads, and what may travel along. Pure functions. */
#ifndef NET_CLIENT_REDIRECT_H
#define NET_CLIENT_REDIRECT_H
#include "net/client.h"

enum redirect {
    REDIRECT_NONE,     /* no redirect, or one that cannot be followed: the answer stands as it is */
    REDIRECT_FOLLOW,   /* *hop is the next request */
    REDIRECT_REFUSED,  /* leads from https to http */
};
struct hop {
    const char *method;
    slice url;
    bool body; /* the body goes along */
    bool away; /* at another origin than the first */
    const struct header *headers;
    size_t n_headers;
};
/* to: the Location field. A changed origin (scheme, host or port) keeps only fields that cannot hold a credential. */
enum redirect redirect_next(struct arena *a, const struct hop *from, int status, slice to, struct hop *ret) MUST_USE;
/* The host of an absolute URL as libcurl reads it: numeric IPv4 forms are written out. Absent if the URL is malformed or carries
 * a user name. */
slice url_host(struct arena *a, slice url);
#endif
