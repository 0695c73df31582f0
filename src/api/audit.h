/* audit.h - who changed what: one row for each change made over the API, kept for good up to AUDIT_MAX rows.
 *
 *   audit_note(api, c, "tenant.create", slug, detail);
 *
 * Stored under "audit:" + a key that sorts newest first. detail: JSON without secrets (the paths that changed, not their values), or absent.
 */
#ifndef API_AUDIT_H
#define API_AUDIT_H
#include "base/base.h"

enum { AUDIT_MAX = 20000 };
#define AUDIT_PREFIX "audit:"
struct api;
struct api_call;
struct hub;
struct audit;
struct audit *audit_new(struct hub *h) MUST_USE; /* before store_start: forgets the oldest */
void audit_free(struct audit *au);
void audit_note(struct api_call *c, const char *action, slice target, slice detail);
/* The same where nobody called: the hub itself, the command line. */
void audit_by(struct api *api, slice by, slice address, const char *action, slice target, slice detail);
#endif
