/* image_size.h - how large is this picture?
 *
 *   struct image_size s;
 *   if (image_size(first_bytes, &s)) … s.width, s.height in pixels as stored
 *
 * Takes the first bytes of a JPEG, PNG, GIF or WebP. 64 bytes are enough for all but JPEG, where what cameras put before
 * the size may be 64 KiB and more.
 * Errors     false: another format, broken, or the size lies beyond the bytes given. Sizes are never 0.
 */
#ifndef WIRE_IMAGE_SIZE_H
#define WIRE_IMAGE_SIZE_H
#include "base/base.h"

struct image_size {
    int width, height;
};
bool image_size(slice first_bytes, struct image_size *ret) MUST_USE;
#endif
