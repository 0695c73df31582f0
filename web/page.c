#include "web/page.h"

extern const struct page web_pages[]; /* made by build.mjs; the last one has no name */

const struct page *page_find(slice name)
{
    for (const struct page *p = web_pages; p->name; p++)
        if (slice_eq(slice_of(p->name), name))
            return p;
    return NULL;
}
