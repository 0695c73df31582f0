/* js_plain.h - how far a text is the same inside and outside of a JSON string; only for js_parse.c and jw.c.
 *
 * Plain is printable ASCII but quote and backslash: nothing to escape, nothing to check. Nearly all text is, so it goes by eight bytes
 * at a time.
 */
#ifndef WIRE_JS_PLAIN_H
#define WIRE_JS_PLAIN_H
#include "base/base.h"

#define JS_EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* The first byte that is not plain, or end. */
static inline const char *js_plain_end(const char *p, const char *end)
{
    const uint64_t high = JS_EACH(0x80);
    for (uint64_t w; end - p >= 8; p += 8) {
        memcpy(&w, p, 8);
        uint64_t quote = w ^ JS_EACH('"'), backslash = w ^ JS_EACH('\\');
        uint64_t below = (w - JS_EACH(0x20)) | (quote - JS_EACH(1)) | (backslash - JS_EACH(1)); /* borrows where a byte is too small */
        if ((w | below) & high) /* also behind the first that is not plain, never before it */
            break;
    }
    while (p < end && (unsigned char)*p >= 0x20 && (unsigned char)*p < 0x80 && *p != '"' && *p != '\\')
        p++;
    return p;
}
static inline bool js_is_plain(slice s)
{
    return js_plain_end(s.p, s.p + s.n) == s.p + s.n;
}
#endif
