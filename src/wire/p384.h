/* p384.h - what was encrypted to a key of ours on the curve P-384 (secp384r1): ECDH, the X9.63 key derivation with SHA-256, AES-256-GCM.
 *
 *   struct p384_point to;
 *   p384_public(scalar, &to);              to.b goes out, the scalar stays here
 *   slice plain = p384_open(a, scalar, sealed);
 *
 * Form       sealed: the sender's point for this one text (P384_POINT_BYTES, 0x04 X Y), the encrypted text, P384_TAG_BYTES of tag. Key (32 bytes) and IV (16, not the
 *            usual 12) come out of the derivation, whose shared information is the sender's point; nothing else is authenticated.
 * Errors     false or {NULL,0}: the scalar is none (0, or not below the curve's order), the point is not on the curve, or the text was not encrypted to this key.
 * Facts      SEC 1, 3.6.1 and 5.1; docs/wire/apple-messages.md "Signing in".
 */
#ifndef WIRE_P384_H
#define WIRE_P384_H
#include "base/base.h"

enum { P384_SCALAR_BYTES = 48, P384_POINT_BYTES = 97, P384_TAG_BYTES = 16 };
struct p384_point {
    unsigned char b[P384_POINT_BYTES];
};

bool p384_public(slice scalar, struct p384_point *ret) MUST_USE;
slice p384_open(struct arena *a, slice scalar, slice sealed) MUST_USE;
#endif
