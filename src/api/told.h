/* told.h - what the calls on conversations, messages and dead letters share: pages of messages out of the history. */
#ifndef API_TOLD_H
#define API_TOLD_H
#include "api/call.h"
#include "hub/history.h"

enum { TOLD_PAGE = 50, TOLD_PAGE_MAX = 200 };
struct told { /* a page being gathered; one more than asked for tells whether there is a next one */
    struct api_call *c;
    struct jw w;
    size_t n, limit;
    int64_t last, before;
    slice account;
    bool more;
};
/* Of a tenant and a channel, each of which may be absent: "acme/" or "acme/line". False: there is no such tenant, which was answered. */
bool told_account(struct api_call *c, slice tenant, slice channel, slice *ret);
/* ?limit and the cursor. NULL: answered. */
struct told *told_page(struct api_call *c, const char *cursor) MUST_USE;
void told_message(void *arg, const struct history_message *m); /* each of a page */
void told_done(void *arg, const struct fault *f);
void told_write(struct jw *w, const struct history_message *m);
void told_next(struct jw *w, slice next); /* "next": it, or null */
void told_failed(struct api_call *c, const struct fault *f);
#endif
