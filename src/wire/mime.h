/* mime.h - what kind of content is this?
 *
 *   slice type = slice_or(mime_sniff(first_bytes), mime_of_name(file_name));
 *
 * Types are given without parameters, in lower case. Functions that take a type ignore its parameters
 * ("image/jpeg; q=1"), its case and white space around it.
 */
#ifndef WIRE_MIME_H
#define WIRE_MIME_H
#include "base/base.h"

enum mime_kind { MIME_FILE, MIME_IMAGE, MIME_VIDEO, MIME_AUDIO };
enum { MIME_SNIFF_BYTES = 64 }; /* so many first bytes are enough */

slice mime_of_name(slice file_name);      /* by its extension; {NULL,0} if we do not know it */
slice mime_extension(slice type);         /* "jpg", without the dot; "bin" if we do not know the type */
slice mime_sniff(slice first_bytes);      /* by content; {NULL,0} if it is none of the kinds we can tell */
enum mime_kind mime_kind(slice type);
/* What is it, when its sender says declared, its server served, and it is called name and begins so? A vague word ("application/octet-stream",
 * a family) gives way to a better one, and so does a picture's that the bytes show to be none. {NULL,0}: nobody knows. */
slice mime_settle(slice declared, slice served, slice name, slice first_bytes);
bool mime_among(slice type, slice list);  /* list: types and whole families, with commas between them */
slice mime_essence(slice type);           /* the type without parameters and white space */
bool mime_valid(slice type);              /* token "/" token, at most 127 bytes, before parameters */
/* May a browser show it in its window when it comes from our address? Pictures, sound, video, PDF and plain text; never
 * what can carry scripts (HTML, SVG, XML …). */
bool mime_inline_safe(slice type);
#endif
