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
/* The same, for a page that others may hold in a frame: frames is the value of its Content-Security-Policy; absent: nobody may. It and a live as long as s. */
bool page_serve_framed(struct server *s, struct arena *a, const char *path, const char *name, slice frames);
/* Origins apart by spaces or commas, such as "https://desk.example.com, https://crm.example.com", as "frame-ancestors …". Absent: there are none. False: one is
 * no origin, *f says which. */
bool page_frames(struct arena *a, slice origins, slice *ret, struct fault *f) MUST_USE;
#endif
