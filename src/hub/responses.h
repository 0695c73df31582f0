/* responses.h - where canned responses come from: the desk's own service, then the hub's own; kept in memory.
 *
 *   responses_find(tenant, SL("My Response"), found, arg);     found(arg, r, NULL), or found(arg, NULL, f)
 *   const struct canned_response *r = responses_peek(tenant, name);   at hand at once, for answers that must be there in 3 s; NULL: not now
 *
 * Kept       what the desk answered serves for RESPONSE_FRESH_MS. Up to RESPONSE_STALE_MS it serves on, and the desk is asked again in the background; so what
 *            was used within RESPONSE_WARM_MS is asked for every RESPONSE_REFRESH_MS without anybody waiting. A desk that cannot be asked costs nothing as
 *            long as there is a copy.
 * Own        responses made over the API; in the store under "response:" and their name, in memory from the start on. A desk's response of the same name
 *            comes first.
 * Errors     f->code "no_response" (there is none of this name), "response_refused" (it cannot be had: the text says why, for the agent),
 *            "response_failed" (not now).
 * Ownership  r is valid during the call; peeked: until the loop turns.
 * Threads    loop thread.
 */
#ifndef HUB_RESPONSES_H
#define HUB_RESPONSES_H
#include "hub/hub.h"
#include "template/template.h"

enum {
    RESPONSE_FRESH_MS = 60000, RESPONSE_UNKNOWN_MS = 3000, /* that there is none of a name: so that what was just made is found */
    RESPONSE_STALE_MS = 24 * 3600000, RESPONSE_WARM_MS = 24 * 3600000, RESPONSE_REFRESH_MS = 300000,
    RESPONSES_CACHED = 2000, RESPONSES_OWN = 2000, RESPONSE_TENANTS = 100,
};
struct responses;

void responses_new(struct hub *h);  /* h->responses; reads the hub's own: before store_start */
void responses_start(struct hub *h);
void responses_stop(struct hub *h); /* what is asked for is not answered any more; after runs_free */

typedef void (*response_found)(void *arg, const struct canned_response *r, const struct fault *f);
void responses_find(struct tenant *t, slice name, response_found found, void *arg);
const struct canned_response *responses_peek(struct tenant *t, slice name); /* asks for it, where it is not at hand */
/* The same as it reads with its defaults, in a. {NULL,0}: not at hand, or it cannot be sent. */
slice responses_text(struct tenant *t, struct arena *a, slice name) MUST_USE;

/* What the template makes of it, with clocks of this zone. False: *f, code "bad_template", text for the agent. */
bool response_render(struct hub *h, struct arena *a, const struct canned_response *r, slice zone, const struct template_pair *values, size_t n, slice *ret, struct fault *f) MUST_USE;

/* ---- the hub's own ------------------------------------------------------------------------------------------------------ */

struct own_response {
    struct canned_response r;
    struct js_list tenants; /* slice: names, slugs or ids; empty: of all */
    slice by;
    int64_t rev, changed_ms;
};
size_t responses_own(const struct hub *h, const struct own_response *const **ret); /* sorted by name */
const struct own_response *response_own(const struct hub *h, slice name);         /* NULL: none */
bool response_is_of(const struct own_response *o, const struct tenant *t);
/* doc: {name, text, library?, substitutions?, tenants?}. old NULL: make. done(arg, o, NULL): it is on disk and serves. Codes besides those of reading: "too_many", "changed",
 * "store_failed". */
typedef void (*response_done)(void *arg, const struct own_response *o, const struct fault *f);
void response_put(struct hub *h, const struct own_response *old, const struct js *doc, slice by, response_done done, void *arg);
/* Would response_put take it now? False: *f. Nothing is changed. */
bool response_check(struct hub *h, const struct own_response *old, const struct js *doc, struct fault *f);
void response_remove(struct hub *h, const struct own_response *o, response_done done, void *arg); /* then o NULL */
/* The members of one, into an object that is open. */
void own_response_write(struct jw *w, const struct own_response *o);
#endif
