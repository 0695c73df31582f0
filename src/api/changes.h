/* changes.h - what differs between two documents of a tenant, told so that no secret is shown.
 *
 *   {"path":"channels[0].channel_secret","secret":true}   {"path":"desk.region","from":"mypurecloud.jp","to":"mypurecloud.de"}
 *
 * An account is compared with the one of the same name, wherever it stands in the list.
 */
#ifndef API_CHANGES_H
#define API_CHANGES_H
#include "hub/tenant_doc.h"
#include "wire/js.h"

/* Items into a list that is open; how many. old or fresh NULL: there is none. */
size_t changes_write(struct jw *w, struct arena *a, const struct config_tenant *old, const struct config_tenant *fresh);
#endif
