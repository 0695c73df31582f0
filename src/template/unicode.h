/* unicode.h - the properties of code points the template language needs: categories, simple case, scripts.
 *
 * Facts  the tables of unicode_data.inc, made by unicode_make.mjs.
 */
#ifndef TEMPLATE_UNICODE_H
#define TEMPLATE_UNICODE_H
#include "base/base.h"

enum { RUNE_BAD = 0xfffd };
struct uc_range {
    uint32_t lo, hi;
};
/* The code point at s[*at], *at moves behind it. An invalid byte is RUNE_BAD of width 1. */
uint32_t rune_next(slice s, size_t *at);
/* The code point that ends before s[*at], *at moves to its start. */
uint32_t rune_before(slice s, size_t *at);
size_t rune_put(uint32_t c, char out[4]); /* bytes written; what is no code point becomes U+FFFD */

bool rune_is_letter(uint32_t c);
bool rune_is_digit(uint32_t c); /* Nd */
bool rune_is_space(uint32_t c); /* White_Space */
bool rune_is_upper(uint32_t c);
bool rune_is_lower(uint32_t c);
bool rune_is_print(uint32_t c); /* letters, marks, numbers, punctuation, symbols and the ASCII space */
uint32_t rune_upper(uint32_t c);
uint32_t rune_lower(uint32_t c);
uint32_t rune_title(uint32_t c);
/* A property by the name regular expressions use: "L", "Lu", "Han"; false: no such name. */
struct rune_class {
    int first, last;          /* categories, -1: a script */
    const struct uc_range *r; /* of the script */
    size_t n;
};
bool rune_class_find(slice name, struct rune_class *ret);
bool rune_in_class(uint32_t c, const struct rune_class *k);
#endif
