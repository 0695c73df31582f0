/* js_loose.h - JSON as people write it by hand, made into the JSON that js_parse reads.
 *
 *   slice json = js_strict(a, text, &f);
 *   if (!json.p) … f.text: "line 5: ] where the object that began in line 3 ends with }"
 *
 * Taken      comments (two slashes to the end of the line, slash and star), a comma behind the last member or item, line ends and tabs inside strings:
 *            an address (http://, https://) that was broken over several lines is put together, in other strings they stay as \n and \t. The sign U+21B5
 *            at the end of a line, which documents put where they break one, goes with its line end.
 * Refused    everything else that is no JSON, and what is no UTF-8, with its line and what is wrong there.
 * Ownership  the result lives in a.
 */
#ifndef WIRE_JS_LOOSE_H
#define WIRE_JS_LOOSE_H
#include "base/base.h"

/* Does this text want to be a JSON object or array? A text that begins with a brace but goes on like prose does not. */
bool js_is_meant(slice text);
slice js_strict(struct arena *a, slice text, struct fault *f) MUST_USE; /* {NULL,0}: see *f, code "bad_json" */
#endif
