/* redis_url.h - redis[s][+cluster]://[[user]:password@]host[:port][,host[:port]…][/db] taken apart. */
#ifndef CACHE_REDIS_URL_H
#define CACHE_REDIS_URL_H
#include "base/base.h"

enum { REDIS_HOSTS_MAX = 16, REDIS_PORT = 6379, REDIS_DB_MAX = 15, REDIS_HOST_MAX = 253 };
struct redis_host {
    slice name; /* IPv6 without its brackets; a 0 byte behind it */
    unsigned port;
};
struct redis_url {
    bool tls, cluster;
    slice user, password; /* absent: none */
    struct redis_host hosts[REDIS_HOSTS_MAX];
    size_t n_hosts;
    unsigned db;
};
/* "bad_url"; its text never repeats what was given: it may hold a password. Without +cluster one host only. */
bool redis_url_parse(struct arena *a, slice text, struct redis_url *ret, struct fault *f) MUST_USE;
#endif
