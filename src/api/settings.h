/* settings.h - what all tenants share and is changed over the API: the proxy, and the notifiers beside those of the configuration file.
 *
 * Kept sealed in the store under "settings". A change is at work as soon as it is stored.
 */
#ifndef API_SETTINGS_H
#define API_SETTINGS_H
#include "base/base.h"
#include "wire/js.h"

struct api;
struct settings;
struct settings *settings_new(struct api *api) MUST_USE; /* reads what is stored; before store_start */
void settings_free(struct settings *st);
#endif
