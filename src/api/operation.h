/* operation.h - what the API can be asked: one row of operations.def each.
 *
 * From the rows come the routing, the check of the role, the check of the body, and the OpenAPI document. A row's handler is api_ID.
 *
 * Roles  administrator: everything. supervisor: reads conversations, messages, health and the journal; no settings, no secrets. agent: the own login, and what is offered to them at the built-in desk (its own files say whose an interaction is).
 *        MAY_ALL: nobody need be logged in. MAY_TENANT: the tenant's own credentials (Basic, or none when the tenant asks for none), checked by the
 *        handler because the body names the tenant.
 */
#ifndef API_OPERATION_H
#define API_OPERATION_H
#include "api/schema.h"

enum role { ROLE_NONE, ROLE_AGENT, ROLE_SUPERVISOR, ROLE_ADMINISTRATOR, ROLES };
extern const char *const role_names[ROLES];
enum {
    MAY_ALL = 0,
    MAY_ANY = 1 << ROLE_AGENT | 1 << ROLE_SUPERVISOR | 1 << ROLE_ADMINISTRATOR, /* whoever is logged in */
    MAY_READ = 1 << ROLE_SUPERVISOR | 1 << ROLE_ADMINISTRATOR,
    MAY_ADMIN = 1 << ROLE_ADMINISTRATOR,
    MAY_TENANT = 1 << ROLES,
};

struct api_call;
enum { OPERATION_PARAMS_MAX = 2 };
struct operation {
    const char *id, *method, *path; /* below /api/v1: "/tenants/{id}" */
    unsigned may;
    const char *query;   /* parameters, names out of query_params (openapi.c), with commas; those of the head among them. NULL: none */
    const char *request; /* schema of the body; NULL: none. "Patch:X": a merge-patch of X */
    int status;          /* of success */
    const char *answer;  /* its schema; NULL: no body; "type/subtype": such a body */
    const char *tag, *summary;
    void (*fn)(struct api_call *c);
};
extern const struct operation operations[];
extern const size_t n_operations;

/* The handlers. */
#define X(id, method, path, may, query, request, status, answer, tag, summary) void api_##id(struct api_call *c);
#include "api/operations.def"
#undef X

bool query_declared(slice name); /* does query_params (openapi.c) say what it means? Whoever adds one to operations.def sees to it. */

enum found_operation { OPERATION_FOUND, OPERATION_NO_PATH, OPERATION_NO_METHOD };
/* path: below /api/v1, as sent. ret_params: decoded. OPERATION_NO_METHOD: *ret_allow lists the methods there are. */
enum found_operation operation_find(struct arena *a, slice method, slice path, const struct operation **ret, slice ret_params[OPERATION_PARAMS_MAX],
                                    slice *ret_allow);
#endif
