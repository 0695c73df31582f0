/* png.h - is this the small picture we asked for?
 *
 *   struct png p;
 *   if (!png_read(icon, &p) || p.width != 32 || p.height != 32 || !png_is_outline(a, icon)) … not an outline icon
 *
 * png_read checks the signature, every chunk's length and checksum and the header. png_is_outline unpacks pictures of at most PNG_SIDE_MAX pixels a side and
 * says whether every pixel is white or transparent; it takes 8 bits a channel (or a palette), not interlaced, which is what programs write for icons,
 * and says no to the rest.
 */
#ifndef WIRE_PNG_H
#define WIRE_PNG_H
#include "base/base.h"

enum { PNG_SIDE_MAX = 512 };
struct png {
    unsigned width, height, depth, colour; /* colour: 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGB and alpha */
    bool interlaced, clear;                /* clear: may hold transparent pixels */
};
bool png_read(slice bytes, struct png *ret) MUST_USE;
bool png_is_outline(struct arena *a, slice bytes) MUST_USE;
#endif
