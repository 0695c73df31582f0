/* hex.h - bytes as hexadecimal text. Written in lower case, read in either; {NULL, 0} for what is not hex. */
#ifndef WIRE_HEX_H
#define WIRE_HEX_H
#include "base/base.h"

slice hex_encode(struct arena *a, slice bytes) MUST_USE;
slice hex_decode(struct arena *a, slice text) MUST_USE;

/* 0 to 15, or -1 */
static inline int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 32);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}
#endif
