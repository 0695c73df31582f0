/* compare.h - JSON as values: where do two texts first differ, and how is one written so that people can read it? */
#ifndef TESTS_CASES_COMPARE_H
#define TESTS_CASES_COMPARE_H
#include "wire/js.h"

/* {NULL,0}: equal as values. Else the first differing path and both values, for people. */
slice json_difference(struct arena *a, slice want, slice got) MUST_USE;
/* One value a line where a line is long enough, else its members on lines of their own. */
slice json_pretty(struct arena *a, slice json) MUST_USE;
#endif
