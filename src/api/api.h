/* api.h - the REST API below /api/v1: for the console, for scripts, for IVRs.
 *
 *   struct api *api = api_new(&setup, &f);        before store_start: logins and sessions are read
 *   api_start(api);                               routes are served from here on
 *   …
 *   api_stop(api);                                before the hub's parts go: what waits is answered
 *   api_free(api);                                after loop_free
 *
 * What it can be asked stands in operations.def; shapes of bodies in schemas.c; errors are RFC 9457 problems (problem.h).
 *
 * Threads   loop thread. Passwords are hashed on a helper thread (password.h).
 */
#ifndef API_API_H
#define API_API_H
#include "hub/hub.h"
#include "net/server.h"

struct api;
struct notice_target;
struct api_setup {
    struct hub *hub;
    struct server *server;
    slice data;           /* the data directory */
    slice root;           /* how people reach the API: "https://hub.example.com"; absent: the hub's public_url */
    slice admin_user, admin_password; /* of the first administrator; password absent: one is made, see logins.h */
    slice proxy;          /* of the configuration file */
    const struct notice_target *notifiers; /* likewise */
    size_t n_notifiers;
    int64_t session_ms, idle_ms;      /* a session ends so long after its beginning, and after its last use */
    int64_t forwarded;    /* so many proxies of ours are in front, one behind the other: the caller is who the outermost saw, so far from the end of X-Forwarded-For. 0: none */
};
struct api *api_new(const struct api_setup *setup, struct fault *f) MUST_USE;
/* Proxy and notifiers are put to work; before the accounts start. */
void api_settings(struct api *api);
void api_start(struct api *api);
/* What a server refuses by itself below /api is a problem document; of api_start, and for doors before it. */
void api_faults(struct server *s);
/* What the command line asks over the control socket. */
void api_control(struct api *api, struct server *control);
/* Of each finished request, for what health tells. */
void api_observe(struct api *api, const struct exchange *x, int64_t took_us);
void api_stop(struct api *api);
void api_free(struct api *api);
#endif
