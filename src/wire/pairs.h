/* pairs.h - names with values, in the order in which signatures of requests want them.
 */
#ifndef WIRE_PAIRS_H
#define WIRE_PAIRS_H
#include "base/base.h"

struct pair {
    slice name, value;
};
void pairs_sort(struct pair *pairs, size_t n); /* by name, then by value; byte order */
#endif
