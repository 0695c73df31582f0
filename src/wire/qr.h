/* qr.h - a text as a QR code, drawn as SVG.
 *
 *   slice svg = qr_svg(a, SL("https://line.me/R/ti/p/%40acme"));
 *
 * Shape      a whole SVG document, black on white, four modules of quiet zone, one unit a module; it scales.
 * Errors     {NULL, 0} when the text is empty or longer than QR_TEXT_MAX bytes.
 * Threads    any.
 */
#ifndef WIRE_QR_H
#define WIRE_QR_H
#include "base/base.h"

enum { QR_TEXT_MAX = 2331 }; /* what version 40 holds at error correction level M */

slice qr_svg(struct arena *a, slice text) MUST_USE;
#endif
