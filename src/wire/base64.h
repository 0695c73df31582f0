/* base64.h - RFC 4648 base64, both alphabets.
 *
 *   slice mac = base64_decode(a, header);
 *   if (!mac.p)
 *       return fault(f, "bad_signature", "", "the signature is no base64");
 *
 * Encoding   the standard alphabet is padded; the url alphabet is not, or is where a vendor wants it.
 * Decoding   strict: one alphabet, no white space, exact padding, no stray bits in the last character.
 *            base64_decode wants the padding; base64url_decode takes all of it or none.
 * Errors     {NULL, 0} for what is not base64; the empty text is valid and gives {"", 0}.
 * Ownership  results live in the arena, followed by a 0 byte.
 */
#ifndef WIRE_BASE64_H
#define WIRE_BASE64_H
#include "base/base.h"

slice base64_encode(struct arena *a, slice bytes) MUST_USE;
slice base64url_encode(struct arena *a, slice bytes) MUST_USE;
slice base64url_encode_padded(struct arena *a, slice bytes) MUST_USE;
slice base64_decode(struct arena *a, slice text) MUST_USE;
slice base64_decode_unpadded(struct arena *a, slice text) MUST_USE; /* standard alphabet, no padding allowed */
slice base64url_decode(struct arena *a, slice text) MUST_USE;
#endif
