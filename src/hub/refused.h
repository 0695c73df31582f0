/* refused.h - the last webhooks that were turned away, and which part of them was wrong: the signature doctor.
 *
 * Kept in memory only, never on disk: they may hold what guests wrote. At most REFUSED_OF_TYPE of a connector, each with at most REFUSED_BODY_MAX bytes of
 * its body; of the headers those that signatures are made of. When the secret is corrected they are looked at again, as they came, at the time they came.
 * Threads  loop thread.
 */
#ifndef HUB_REFUSED_H
#define HUB_REFUSED_H
#include "hub/connector.h"
#include "hub/hub.h"

enum { REFUSED_OF_TYPE = 20, REFUSED_BODY_MAX = 64 << 10 };
struct refusals;
struct refused {
    struct refused *next; /* newer first */
    struct arena *a;
    const struct connector *type;
    uint64_t number;
    int64_t at_ms;
    slice remote, method, path; /* path: the account it names, or empty */
    slice query, body;
    size_t body_bytes;          /* as it came; more than body.n: only its beginning is kept */
    const struct header *headers;
    size_t n_headers;
    slice result;               /* "bad_signature", "unknown", "malformed" */
    struct fault fault;         /* what was said then */
};
struct refusals *refusals_new(void) MUST_USE;
void refusals_free(struct refusals *rs);
void refused_note(struct refusals *rs, const struct connector *type, const struct request *rq, slice remote, const char *result, const struct fault *f);
const struct refused *refused_first(const struct refusals *rs); /* newest; then ->next */

enum refused_part { REFUSED_GOOD, REFUSED_HEADER, REFUSED_CLOCK, REFUSED_SECRET, REFUSED_BODY, REFUSED_ACCOUNT, REFUSED_CONTENT, REFUSED_PARTS };
extern const char *const refused_parts[REFUSED_PARTS];
struct refused_finding {
    enum refused_part part;
    slice text;           /* for people: what is wrong and what to do */
    struct actor *other;  /* REFUSED_SECRET: whose secret it was signed with; NULL: nobody's of this hub */
};
/* Would it be taken by this account with the settings of now? If not: which part differs. */
void refused_look(struct hub *h, struct arena *a, const struct refused *r, struct actor *actor, struct refused_finding *ret);
#endif
