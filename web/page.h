/* page.h - the web pages that are built into the program.
 *
 * Each folder of web/ that holds an index.html becomes one page: one self-contained HTML text with its script and style inside and a
 * content-security policy that allows nothing else. A folder that holds a script.ts instead becomes one script, "FOLDER.js", for pages of others.
 * web/build.mjs makes them.
 */
#ifndef WEB_PAGE_H
#define WEB_PAGE_H
#include "base/base.h"

struct page {
    const char *name; /* the folder's; "widget.js": a script */
    const unsigned char *bytes;
    size_t n;
    bool gzipped; /* large ones are */
};
const struct page *page_find(slice name); /* NULL: there is none of this name */
#endif
