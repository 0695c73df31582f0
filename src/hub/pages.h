/* pages.h - the pages that belong to no account (route_extra.record): where customers register.
 *
 * The record of a page lives in the state under "p:CONNECTOR:KEY:PART", sealed: it holds people's names. It is loaded before receive is called, and what
 * it changes is on disk before the answer goes out. Writing pages of one connector are called at most PAGE_WRITES times in PAGE_WRITES_MS: strangers
 * may call them, and must not fill the disk; PAGE_BURST of them may come at once.
 *
 * The operator sees a record's first part at /internal/registrations/CONNECTOR/KEY (api/ops.c).
 */
#ifndef HUB_PAGES_H
#define HUB_PAGES_H
#include "hub/hub.h"

enum { PAGE_WRITES = 300, PAGE_BURST = 20, PAGE_WRITES_MS = 24 * 3600 * 1000 };

/* Serves the pages of this connector, if it has any. Once more does nothing. */
void pages_routes(struct hub *h, struct server *s, const struct connector *type);
/* Does it have pages, and is it in the list (blanks or commas between names)? */
bool pages_are_named(const struct connector *type, slice list);
/* Part 0 of a record; {NULL,0}: there is none. It lives during done. */
void pages_record(struct hub *h, slice connector, slice key, void (*done)(void *arg, slice part), void *arg);
#endif
