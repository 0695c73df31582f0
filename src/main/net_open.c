#include "main/net_open.h"
#include "net/forward.h"
#include <sys/resource.h>

/* Each connection is a descriptor: as many as the system lets us have. Returns how many may come in without taking those that our own calls and
 * files need: a hub whose doors are crowded must still be able to write and to deliver. */
static unsigned raise_files(const struct config *c)
{
    enum { FILES_OF_OURS = 100, LEAST = 16 };
    struct rlimit files;
    int64_t wanted = config_number(c, CFG_CONNECTIONS), ours = config_number(c, CFG_CALLS) + config_number(c, CFG_MEDIA_PARALLEL) + FILES_OF_OURS;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return (unsigned)wanted;
    files.rlim_cur = files.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &files) != 0) /* not granted: what we have must do */
        (void)getrlimit(RLIMIT_NOFILE, &files);
    int64_t have = (int64_t)MIN(files.rlim_cur, (rlim_t)INT32_MAX);
    return (unsigned)MAX(MIN(wanted, have - MIN(ours, have / 2)), (int64_t)LEAST);
}

struct client *net_client(struct loop *loop, const struct config *c, struct fault *f)
{
    struct client_limits cl;
    client_limits_default(&cl);
    slice proxy = config_text(c, CFG_PROXY), ca = config_text(c, CFG_CA_FILE);
    cl.proxy = proxy.n ? proxy.p : NULL;
    cl.ca_file = ca.n ? ca.p : NULL;
    cl.per_host = (unsigned)config_number(c, CFG_PER_HOST);
    cl.total = (unsigned)config_number(c, CFG_CALLS);
    cl.connect_ms = config_number(c, CFG_CONNECT_MS);
    cl.total_ms = config_number(c, CFG_CALL_MS);
    cl.guard_off = !config_true(c, CFG_GUARD);
    return client_new(loop, &cl, f);
}

struct server *net_server(struct loop *loop, const struct config *c, const char *listen, struct fault *f)
{
    struct server_limits sl;
    server_limits_default(&sl);
    sl.body_bytes = (size_t)config_number(c, CFG_BODY_MAX);
    sl.head_bytes = (size_t)config_number(c, CFG_HEAD_MAX) + (strncmp(listen, "unix:", 5) == 0 ? FORWARD_HEAD_BYTES : 0);
    sl.large_bytes = (size_t)config_number(c, CFG_LARGE_MIB) << 20;
    sl.idle_s = (unsigned)config_number(c, CFG_IDLE_SECONDS);
    sl.connections = raise_files(c);
    slice cert = config_text(c, CFG_TLS_CERT), key = config_text(c, CFG_TLS_KEY);
    bool local = strncmp(listen, "unix:", 5) == 0;
    struct server_tls tls = { cert.n && !local ? cert.p : NULL, key.n && !local ? key.p : NULL };
    return server_new(loop, listen, &tls, &sl, f);
}
