/* storage_set.h - the storages of this hub: opened from the configuration, found by name, checked, and taken out of use while they do not work.
 *
 * The local disk is always there (h->storage, named "local"; in tests it may be all there is). Attachments are kept where the side that sends them says (account.storage); while that
 * storage is in trouble, or when it refuses one, they go to the local disk instead (hub_limits.storage_instead): a storage without credentials must not
 * cost a guest's photograph.
 *
 * Check      storage_probe of each configured storage at the start, and again every STORAGE_CHECK_MS while it is in trouble. What it says is logged and told once
 *            a change, stands in /healthz/readiness, and as 0 or 1 in the metric storage_up.
 * Threads    loop thread.
 */
#ifndef HUB_STORAGE_SET_H
#define HUB_STORAGE_SET_H
#include "hub/config.h"
#include "hub/hub.h"

enum { STORAGE_CHECK_MS = 60000 };
/* After h->client, h->loop. local is owned by the set from here on. Makes no calls. */
bool storages_open(struct hub *h, const struct config *c, struct storage *local, struct fault *f) MUST_USE;
/* Beside the local disk these are the storages from now on. One that is as before (name, type, settings) stays as it is; one that is gone, or is configured
 * anew, takes no more, but what it has can be read and deleted as long as the hub runs. Their texts must live as long as the hub. False: one of them cannot
 * be opened, and nothing changed. */
bool storages_configure(struct hub *h, const struct config_storage *list, size_t n, struct fault *f) MUST_USE;
/* After hub_stop: what is still open ends. */
void storages_close(struct hub *h);
/* NULL: there is none of this name (any more). */
struct storage *storages_find(const struct hub *h, slice name);
size_t storages_count(const struct hub *h);
struct storage *storages_at(const struct hub *h, size_t i);
/* Where a file from this account goes now. */
struct storage *storages_choose(const struct actor *from);
void storages_check(struct hub *h);
/* A put failed for good: out of use until a check, or another put, succeeds. */
void storage_trouble(struct hub *h, struct storage *s, const struct fault *why);
void storage_works(struct hub *h, struct storage *s);
/* Of a file that was stored just now nothing could be noted, so that nobody would ever delete it: it is deleted at once. */
void storage_unkept(struct hub *h, struct storage *s, slice handle);
#endif
