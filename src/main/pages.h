/* pages.h - the web pages of this program, served by the hub.
 *
 *   page_serve(server, "/api/v1/openapi-ui", "openapi-ui");
 *
 * A page is one text with its script and style inside and a content-security policy (web/page.h); large ones are sent gzipped to whoever takes that.
 */
#ifndef MAIN_PAGES_H
#define MAIN_PAGES_H
#include "net/server.h"

/* name: of a folder of web/, or "FOLDER.js" for a script. False: there is no such page in this program. */
bool page_serve(struct server *s, const char *path, const char *name);
#endif
