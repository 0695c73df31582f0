/* problem.h - what went wrong, as the API tells it: application/problem+json (RFC 9457).
 *
 *   {"type":"urn:dragoman:problem:invalid","title":"Bad Request","status":400,"detail":"desk.region: must be …","instance":"/api/v1/tenants",
 *    "code":"invalid","field":"desk.region","message":"…","problems":[{"field":"desk.region","message":"must be …"}]}
 *
 * code is one of a few words that programs may compare; message is the same as detail (the hub's other addresses call it so).
 */
#ifndef API_PROBLEM_H
#define API_PROBLEM_H
#include "api/schema.h"

struct api_call;
/* field NULL: none. */
void api_problem(struct api_call *c, int status, const char *code, const char *field, const char *fmt, ...) PRINTF(5, 6);
void api_problems(struct api_call *c, int status, const char *code, const struct problems *p);
void api_fault(struct api_call *c, int status, const struct fault *f);
/* The document of a refusal that no operation made: a server_fault_style. */
slice problem_of_fault(struct arena *a, slice path, int status, const struct fault *f) MUST_USE;
#define PROBLEM_TYPE "application/problem+json"
/* The usual answers. */
void api_not_found(struct api_call *c, const char *what, slice name);
void api_not_stored(struct api_call *c, const struct fault *f); /* 503; f may be NULL */
#endif
