/* router.h - what sim.c needs of router.c; the face that simulators see is sim.h. */
#ifndef SIM_ROUTER_H
#define SIM_ROUTER_H
#include "sim/sim.h"

struct router;
struct router *router_new(struct sim_env *env) MUST_USE; /* takes every path of env->server */
void router_abort(struct router *r);                     /* resets every connection whose answer is late */
void router_free(struct router *r);
#endif
