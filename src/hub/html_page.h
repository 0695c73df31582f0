/* html_page.h - the few pages that connectors show themselves: registration, the way back from a log-in.
 *
 *   struct text t = html_begin(c->a, SL("Register"));
 *   text_add(&t, "<p>" SLF "</p>", SLA(html_escape(c->a, name)));
 *   html_answer(in, 200, &t);
 *
 * Shape    one language (English), no script, no picture, a form of the browser's own. What a guest or vendor said goes through html_escape.
 * Safety   the answer's policy lets nothing be loaded and forms be sent to ourselves only; it is not kept in caches and not framed.
 */
#ifndef HUB_HTML_PAGE_H
#define HUB_HTML_PAGE_H
#include "hub/connector.h"

enum { HTML_BYTES = 64 << 10 };
slice html_escape(struct arena *a, slice s) MUST_USE; /* for text and attribute values in double quotes */
struct text html_begin(struct arena *a, slice title) MUST_USE;
void html_answer(struct inbox *in, int status, struct text *t);
/* The value of a cookie of the request; {NULL,0}: absent. */
slice request_cookie(const struct request *rq, const char *name) MUST_USE;
#endif
