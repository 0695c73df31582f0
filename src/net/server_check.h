/* server_check.h - is this request head one that every program on the way reads the same?
 *
 * The HTTP library is lenient where RFC 9112 is not: it takes two Content-Lengths, joins folded lines, cuts values at a NUL. A
 * proxy in front of us that reads such a head differently would let one request hide in another. So the head is checked again,
 * and what is not plain is refused. Pure functions over slices; docs/http-limits.md lists what cannot be seen here.
 */
#ifndef NET_SERVER_CHECK_H
#define NET_SERVER_CHECK_H
#include "net/server.h"

enum { HEAD_FIELDS_MAX = 100 };

struct head {
    slice method, target, version; /* "POST", "/line?a=b", "HTTP/1.1" */
    const struct header *headers;  /* values without white space around them, except Transfer-Encoding: as sent */
    size_t n_headers;
};
/* 0: good; else the status to refuse it with, and *f says why. */
int head_check(const struct head *h, struct fault *f) MUST_USE;
/* The slices of *h as the library points into its buffer, in which it parsed the head of head_bytes in place. False when something
 * stands between the parts that the library hides: a NUL, a bare LF as the end of a line, a folded line, several spaces. */
bool head_is_plain(const struct head *h, size_t head_bytes) MUST_USE;
/* Path and query of a target in origin or absolute form. */
void target_split(slice target, slice *ret_path, slice *ret_query);
#endif
