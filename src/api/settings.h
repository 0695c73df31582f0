/* settings.h - what all tenants share and is changed over the API: the proxy, the default storage and commander, and the storages and notifiers beside
 * those of the configuration file.
 *
 * Kept sealed in the store under "settings". A change is at work as soon as it is stored.
 */
#ifndef API_SETTINGS_H
#define API_SETTINGS_H
#include "hub/tenant_doc.h"
#include "wire/js.h"

struct api;
struct settings;
struct settings *settings_new(struct api *api) MUST_USE; /* reads what is stored; before store_start */
void settings_free(struct settings *st);
struct api_call;
/* Those made over the API. Valid until the next change. */
size_t settings_storages(const struct api *api, const struct config_storage **ret);
int64_t settings_rev(const struct api *api);
slice settings_default_storage(const struct api *api); /* of what names none: as set over the API, else in the configuration file */
/* One storage's members. */
void storage_document(struct jw *w, const struct config_storage *st, enum doc_secrets secrets);
/* The members as they are now, into an object that is open. */
void settings_document(const struct api *api, struct jw *w, enum doc_secrets secrets);
/* doc over them. done comes once; "invalid", "in_use" (a storage that a tenant names, or that is the default): see *p; "changed": another change is being stored. */
void settings_change(struct api_call *c, const struct js *doc, struct config_problems *p, void (*done)(void *arg, const struct fault *f), void *arg);
/* Is doc over them valid by itself? False: see *p. Nothing is changed. */
bool settings_check(const struct api *api, const struct js *doc, struct config_problems *p);
#endif
