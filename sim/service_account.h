/* service_account.h - a service account of Google's, as its simulators play one: its key file, its token endpoint, who may.
 *
 *   if (!sim_account_make(&g->account, env, email, project, "/auth/devstorage.", life_s, f)) …
 *   { "GET",  "/sim/service-account", sim_account_get, SIM_CONTROL },     ctx: the account
 *   { "POST", "/token",               sim_account_token, 0 },
 *   if (!sim_account_knows(&g->account, c)) …                              401 in the service's own words
 */
#ifndef SIM_SERVICE_ACCOUNT_H
#define SIM_SERVICE_ACCOUNT_H
#include "sim/sim.h"
#include "wire/jwt.h"

enum { SIM_ACCOUNT_CLOCK_MS = 300000 /* an assertion may be so much too early or late */, SIM_ACCOUNT_TOKENS = 1000 };
struct shelf;
struct sim_account {
    struct sim_env *env;
    struct jwt_key *key;
    char *pem;
    slice email, project, key_id;
    const char *scope; /* part of a scope that is good here */
    struct shelf *tokens;
    int64_t token_life_s;
    bool revoked;      /* the key is not accepted any more, nor what it got */
    uint64_t given;
};
/* A new key. env is already set up; email and project live as long as it. */
bool sim_account_make(struct sim_account *s, struct sim_env *env, slice email, slice project, const char *scope, int64_t token_life_s, struct fault *f) MUST_USE;
void sim_account_done(struct sim_account *s);
void sim_account_get(struct sim_call *c, void *ctx);
void sim_account_token(struct sim_call *c, void *ctx);
bool sim_account_knows(const struct sim_account *s, const struct sim_call *c);
#endif
