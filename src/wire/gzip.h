/* gzip.h - whole bodies unpacked within a bound, and packed.
 *
 *   switch (gzip_unpack(a, body, limits.body_bytes, &plain)) {
 *   case GZIP_OK:       plain is the content
 *   case GZIP_TOO_BIG:  413
 *   case GZIP_BAD:      400: not gzip, damaged, cut short, or followed by something else
 *   }
 *
 * Takes gzip (also several members one after the other) and zlib, the two that HTTP calls "gzip" and "deflate".
 * Memory     grows with what comes out, never beyond twice max_bytes, whatever the packed text promises.
 */
#ifndef WIRE_GZIP_H
#define WIRE_GZIP_H
#include "base/base.h"

enum gzip { GZIP_OK, GZIP_TOO_BIG, GZIP_BAD };

enum gzip gzip_unpack(struct arena *a, slice packed, size_t max_bytes, slice *ret) MUST_USE;
slice gzip_pack(struct arena *a, slice plain) MUST_USE;
#endif
