/* bracket.h - forms with nested names (a[b][c]=v, a[]=v), as jQuery and PHP write them, read as JSON.
 *
 *   const struct js *doc = bracket_parse(a, body, f);
 *   slice city = js_text(js_at(doc, "data.userData.city"));        of data[userData][city]=Lyon
 *
 * Shape      an object; every leaf is a string. a[] counts on from what is there; an object whose names are 0, 1, 2 … in this order is an array.
 *            A name whose brackets do not pair is taken as it stands. Of a name that comes twice the last one counts, in whatever form.
 * Errors     "bad_form": a broken escape, not UTF-8, more than FORM_PAIRS_MAX pairs, deeper than BRACKET_DEPTH_MAX.
 * Ownership  lives in the arena.
 */
#ifndef WIRE_BRACKET_H
#define WIRE_BRACKET_H
#include "wire/js.h"

enum { BRACKET_DEPTH_MAX = 16 };
const struct js *bracket_parse(struct arena *a, slice text, struct fault *f) MUST_USE; /* NULL: see *f */
#endif
