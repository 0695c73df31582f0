/* dry.h - what would this side get? A delivery with nobody at the other end.
 *
 *   struct dry dry = { .type = connector_find(SL("line")), .now_ms = time_now_ms() };
 *   dry_run(a, &dry, &m);
 *   dry.end         OUT_DELIVERED: this is how it goes; OUT_REFUSED: dry.reason and dry.fault say why not
 *   dry.adapted     the parts it was made into, and the rules that were applied
 *   dry.calls       struct http_call: what would be sent, one after another
 *
 * Connectors are pure, so deliver is stepped as the framework steps it (run.h), and each call is answered as its vendor answers a good one
 * (connector.dry). Nothing is sent, fetched, stored or remembered. An account's own settings are used where they are given, but never a secret: in
 * its place stands what connector.dry says, else DRY_SECRET. Files count as stored, at the address the message names.
 *
 * Ownership  all in a; the account and m must live as long.
 * Threads    any: nothing is shared.
 */
#ifndef HUB_DRY_H
#define HUB_DRY_H
#include "hub/adapt.h"
#include "hub/connector.h"

enum { DRY_CALLS_MAX = 100 };
#define DRY_SECRET "***"
struct dry {
    const struct connector *type;
    const struct account *account; /* NULL: one with the defaults of its table */
    int64_t now_ms;
    slice public_url;
    /* results */
    enum outcome end;
    enum reason reason;
    struct fault fault;
    struct adapted adapted;
    struct js_list calls; /* struct http_call */
};
void dry_run(struct arena *a, struct dry *dry, const struct message *m);
/* Values for type's settings: own's members, else base's, else the defaults; JSON that is no text stands as it is written. Either may be NULL. */
slice *dry_settings(struct arena *a, const struct connector *type, const struct js *own, const struct js *base);
#endif
