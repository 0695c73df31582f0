/* js_number.h - a double as JSON text; only for js_parse.c and jw.c.
 *
 * The text is the shortest that reads back as the same double, whatever the process's locale is. NaN and the infinities,
 * for which JSON has no word, become null. With `real`, a whole number keeps a fraction ("3.0"), so that a reader who
 * tells integers from reals sees what was there; -0.0 always does.
 */
#ifndef WIRE_JS_NUMBER_H
#define WIRE_JS_NUMBER_H
#include "base/base.h"

enum { JS_NUMBER_BYTES = 32 };
size_t js_number_print(double v, bool real, char buf[JS_NUMBER_BYTES]);
/* text: a number as JSON writes it. False: it is larger than any double. */
bool js_number_read(struct arena *a, slice text, double *ret) MUST_USE;
size_t js_integer_print(int64_t v, char buf[JS_NUMBER_BYTES]);
#endif
