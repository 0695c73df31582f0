/* multipart.h - multipart/form-data taken apart (RFC 7578).
 *
 *   struct multipart mp;
 *   if (!multipart_parse(a, request_header(rq, "content-type"), rq->body, &mp, f))
 *       return false;
 *   slice name = multipart_value(&mp, SL("bot_name"));
 *   const struct multipart_part *icon = multipart_part(&mp, SL("color_icon"));
 *
 * Shape      parts in order; name without its quotes, filename absent for a plain field, type absent where none was said. A browser sends a file
 *            field left empty as filename "" and no bytes.
 * Strict     CRLF line ends, the closing boundary must be there, every part names itself. What stands before the first boundary is skipped. A body that
 *            is not so is refused whole, never read by halves.
 * Errors     "bad_form".
 * Ownership  slices point into the body; names with escapes live in the arena.
 */
#ifndef WIRE_MULTIPART_H
#define WIRE_MULTIPART_H
#include "base/base.h"

enum { MULTIPART_PARTS_MAX = 64, MULTIPART_HEAD_MAX = 4096, MULTIPART_BOUNDARY_MAX = 70 };

struct multipart_part {
    slice name, filename, type, body;
};
struct multipart {
    struct multipart_part parts[MULTIPART_PARTS_MAX];
    size_t n;
};
bool multipart_parse(struct arena *a, slice content_type, slice body, struct multipart *ret, struct fault *f) MUST_USE;
const struct multipart_part *multipart_part(const struct multipart *mp, slice name); /* the first of that name; NULL: none */
slice multipart_value(const struct multipart *mp, slice name);                       /* its body; {NULL,0}: none */
#endif
