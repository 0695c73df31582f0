/* registry.h - the tenants at work, and how they change while the hub runs.
 *
 *   registry_new(h, server, connector_find);                  then registry_file for each tenant of the file, registry_load
 *   registry_put(h, NULL, -1, doc, SL("admin"), &problems, made, arg);
 *
 * Origin     a tenant of the file is changed there (and by a restart); one of the store is made, changed and removed here. Where both have the same
 *            name or id, the file's wins and the store's entry says so in .fault.
 * Durable    done(arg, entry, NULL) means that the change is on disk and at work.
 * At work    an account keeps its struct actor as long as the hub runs. A change gives it new settings, sets it up again and lets what waited for it go
 *            on; a removed one is retired: its webhooks are unknown (404) and its messages wait in the journal until it is there again or an operator
 *            discards them. What other tenants do goes on meanwhile.
 * Desk       when a tenant gets another desk, its conversations begin anew there.
 * Ownership  entries live as long as the hub; their texts until the next change of the same entry.
 * Threads    loop thread.
 */
#ifndef HUB_REGISTRY_H
#define HUB_REGISTRY_H
#include "hub/hub.h"
#include "hub/tenant_doc.h"

enum tenant_origin { TENANT_OF_FILE, TENANT_OF_STORE };
struct registry_entry {
    const struct config_tenant *config; /* NULL: removed, or not readable: see fault */
    enum tenant_origin origin;
    slice id, slug, name;
    int64_t rev, changed_ms; /* rev grows with each change, from 1 */
    slice by;                /* who changed it last */
    struct tenant *tenant;   /* NULL: not at work */
    struct fault fault;      /* why it is not */
    bool removed;
    /* registry.c's own */
    struct arena *a;
    bool busy; /* a change of it is under way … */
    const struct config_tenant *coming; /* … to this; NULL: it is removed */
};
struct registry;

void registry_new(struct hub *h, config_find find);
void registry_free(struct hub *h);
/* At start, before the loop runs and the store's thread: the tenants of the file, then those of the store. Their accounts are made, not yet started. */
void registry_file(struct hub *h, const struct config_tenant *t);
void registry_load(struct hub *h);
/* One tenant as the store has it ("t:ID"), for who reads them himself: a replica's door. */
void registry_stored(struct hub *h, slice key, slice value);
/* The store's key whose value is another one after every change of a tenant. */
#define REGISTRY_CHANGED "tenants"
/* Where a connector's webhooks begin to be served when the first account of it appears. NULL: nowhere. */
void registry_on_account(struct hub *h, void (*appeared)(void *arg, struct actor *actor), void *arg);

size_t registry_count(const struct hub *h); /* removed ones are counted, too */
const struct registry_entry *registry_at(const struct hub *h, size_t i);
/* By id, slug or name; NULL: none (or removed). */
const struct registry_entry *registry_find(const struct hub *h, slice word);

/* Is this document good? NULL: see *p (paths such as "channels[0].channel_secret"). old NULL: of a new tenant. In a. */
const struct config_tenant *registry_check(struct hub *h, struct arena *a, slice doc, const struct registry_entry *old,
                                           struct config_problems *p) MUST_USE;
/* e NULL: see *f. Called once, now or later. Codes: "invalid" (see the problems given to registry_put), "read_only" (of the file), "changed" (another
 * revision, or a change under way), "too_many", "store_failed". */
typedef void (*registry_done)(void *arg, const struct registry_entry *e, const struct fault *f);
/* old NULL: make. if_rev -1: whatever it is now. */
void registry_put(struct hub *h, const struct registry_entry *old, int64_t if_rev, slice doc, slice by, struct config_problems *p,
                  registry_done done, void *arg);
void registry_remove(struct hub *h, const struct registry_entry *e, int64_t if_rev, slice by, registry_done done, void *arg);
#endif
