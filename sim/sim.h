/* sim.h - what a simulator is, and what every simulator gets.
 *
 * A simulator plays a vendor: it answers the API calls a connector makes the way the vendor does, refuses what the vendor refuses in the
 * vendor's words, sends signed webhooks, serves a page on which a person can play the guest (or the agent), and misbehaves on demand
 * (faults.h). It shares no code with the connector it faces: both are written from the wire sheet, so a misreading shows.
 *
 *   const struct sim sim_acme = { .name = "acme", .title = "Acme Chat", .options = acme_options, .n_options = COUNT(acme_options),
 *                                 .start = acme_start, .stop = acme_stop, .refuse = acme_refuse };
 *   … and the line SIM(acme) in sims.def.
 *
 *   dragoman sim acme --listen 127.0.0.1:9002 --hub http://127.0.0.1:8080 --channel-id 1234567890
 *
 * Every simulator serves under /sim/ its control API (never subject to faults): GET|POST|DELETE /sim/faults (faults.h),
 * GET /sim/webhooks (webhook.h), GET /sim/events (what is told to env->feed, as server-sent events), POST /sim/replay (below), and what its own file
 * says at its top; under / its page, if it has one.
 *
 * POST /sim/replay  the body is a webhook's: it goes to the hub signed and in its lane like one of the simulator's own, faults included, once.
 *                   The answer has the hub's status (502: it gave none) and {"status":200,"took_ms":3}. So a recording can be played by a simulator
 *                   (dragoman replay --sim).
 *
 * Threads    everything on the loop thread.
 */
#ifndef SIM_SIM_H
#define SIM_SIM_H
#include "net/client.h"
#include "net/loop.h"
#include "net/server.h"
#include "wire/js.h"

struct faults;
struct feed;
struct router;
struct webhook;
struct webhooks;
struct sim_call;
struct sim_env;

struct sim_option {
    const char *name;     /* "channel-id" is given as --channel-id VALUE or --channel-id=VALUE */
    const char *value;    /* what it takes, for the help text; NULL: a switch, whose value is "yes" when given */
    const char *standard; /* value when it is not given; NULL: none */
    const char *help;
};

struct sim {
    const char *name, *title;
    bool page; /* web/NAME is the page on which a person plays */
    const struct sim_option *options;
    size_t n_options;
    /* Makes the simulator's own state, puts it into env->state, registers routes, returns it; NULL: see *f. stop() is called whenever
     * env->state is set. */
    void *(*start)(struct sim_env *env, struct fault *f);
    /* Called when the server and the client are gone already: only memory and timers are left to end. */
    void (*stop)(void *state);
    /* Answers c with a status asked for by a fault rule, in the vendor's words; NULL: an empty body. */
    void (*refuse)(struct sim_call *c, int status);
    /* Fills all of *ret but done and arg: the webhook that would carry this body, in memory of a or for ever. Who is named in it becomes known
     * where the vendor would know them. NULL: this vendor sends no webhooks. */
    bool (*webhook)(struct sim_env *env, struct arena *a, slice body, struct webhook *ret, struct fault *f);
};

/* ---- what a simulator gets ------------------------------------------------------------------------------------------------- */

struct sim_random { /* seeded, so that a run can be repeated; not for secrets */
    uint64_t s[4];
};
void sim_random_seed(struct sim_random *r, uint64_t seed);
uint64_t sim_random_next(struct sim_random *r);
double sim_random_unit(struct sim_random *r); /* 0 <= x < 1 */
/* n lower-case hexadecimal digits; a UUID. */
slice sim_random_hex(struct sim_random *r, struct arena *a, size_t n) MUST_USE;
slice sim_random_uuid(struct sim_random *r, struct arena *a) MUST_USE;

struct sim_env {
    const struct sim *sim;
    struct loop *loop;
    struct server *server;
    struct client *client;
    struct arena *a;           /* lives as long as the simulator */
    slice base_url;            /* where we listen, "http://127.0.0.1:9002" */
    slice hub;                 /* --hub without a closing '/'; absent: none given */
    struct faults *faults;
    struct webhooks *webhooks;
    struct sim_random random;
    struct router *router;
    struct feed *feed;         /* what the open pages are told (feed.h) */
    const slice *values;       /* of the options, indexed like sim->options; sim_option reads them */
    void *state;               /* the simulator's own; set by start() */
    bool stopping;             /* start nothing new */
};
/* The value of one of sim->options; {NULL,0} when neither given nor standard. An unknown name is our own mistake. */
slice sim_option(const struct sim_env *env, const char *name);
bool sim_option_on(const struct sim_env *env, const char *name);
bool sim_option_int(const struct sim_env *env, const char *name, int64_t min, int64_t max, int64_t *ret, struct fault *f) MUST_USE;

/* ---- routes and answers ----------------------------------------------------------------------------------------------------- */

enum { SIM_PARAMS_MAX = 4, SIM_HEADERS_MAX = 8, SIM_BODY_MAX = 24 << 20 };

struct sim_call {
    struct exchange *x;             /* for reading; answered only through sim_answer and its kin */
    struct sim_env *env;
    slice params[SIM_PARAMS_MAX];   /* what stood for each ":name" of the pattern, percent-decoded */
    struct header headers[SIM_HEADERS_MAX];
    size_t n_headers;
    void *impl;
};
typedef void (*sim_handler)(struct sim_call *c, void *ctx);

enum { SIM_CONTROL = 1 }; /* ours, not the vendor's: no faults here */
struct sim_route {
    const char *method;  /* "*": any */
    const char *pattern; /* "/v2/bot/profile/:userId"; a closing "*" matches the rest, which becomes the last param */
    sim_handler fn;
    unsigned flags;
};
/* t must outlive the simulator. The first route that matches wins; a request that none takes is answered by `unknown`, as a vendor route
 * (NULL: 404 without a body). May be called several times; the last `unknown` given counts. */
void sim_routes(struct sim_env *env, const struct sim_route *t, size_t n, void *ctx, sim_handler unknown);

/* Every call is answered exactly once, now or later. What is given must live in c->x->a (or for ever). */
void sim_header(struct sim_call *c, const char *name, slice value); /* of the answer to come */
void sim_answer(struct sim_call *c, int status, slice type, slice body);
void sim_json(struct sim_call *c, int status, slice body);
void sim_fault(struct sim_call *c, int status, const struct fault *f); /* {"code","message","field"}: our control API's errors */
void sim_refuse(struct sim_call *c, int status, const char *code, const char *field, const char *text); /* the same from its parts */
void sim_page(struct sim_call *c, const char *name);                   /* one of web/ (page.h) */
/* The body of a control call, an object; absent: one without members. NULL: it is none, and c is answered. */
const struct js *sim_object(struct sim_call *c) MUST_USE;
slice sim_text(const struct js *object, const char *name, const char *otherwise); /* a member of it */
/* What can be done on a page: a table of { slice type; bool (*fn)(struct X *x); }, of which x->what.type ("text" when absent) names a row. x also has the fault f. */
#define SIM_DO(deeds, x)                                                                                      \
    ({                                                                                                        \
        const slice type_ = sim_text((x)->what, "type", "text");                                              \
        size_t row_ = 0;                                                                                      \
        while (row_ < COUNT(deeds) && !slice_eq((deeds)[row_].type, type_))                                   \
            row_++;                                                                                           \
        row_ < COUNT(deeds) ? (deeds)[row_].fn(x) : fault((x)->f, "out_of_range", "type", "no such thing to do"); \
    })
/* The path as the vendor would count it for its rate limit: the pattern of the route that took the call. */
const char *sim_pattern(const struct sim_call *c);
/* For server-sent events, only on SIM_CONTROL routes. The call is over then. */
struct events *sim_events(struct sim_call *c, void (*gone)(void *), void *arg) MUST_USE;
/* Ends with the connection closed and no answer at all. */
void sim_abort(struct sim_call *c);

/* ---- running ---------------------------------------------------------------------------------------------------------------- */

struct sim_run;
/* argv[0] is the simulator's name. Used by sim_main and by tests, which bring their own loop. NULL: see *f. */
struct sim_run *sim_open(struct loop *l, int argc, char **argv, struct fault *f) MUST_USE;
unsigned sim_port(const struct sim_run *r);
struct sim_env *sim_env_of(struct sim_run *r);
void sim_close(struct sim_run *r);

/* argv[0] is the simulator's name (or --help). Prints "sim NAME ready http://127.0.0.1:PORT/" when requests are taken, runs until SIGTERM or
 * SIGINT; returns the exit status. */
int sim_main(int argc, char **argv);
const struct sim *sim_find(const char *name);
#endif
