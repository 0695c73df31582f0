/* decimal.h - exact decimal numbers for addf and its kin, bounded by the limits of a rendering. Private to template/. */
#ifndef TEMPLATE_DECIMAL_H
#define TEMPLATE_DECIMAL_H
#include "template/run.h"

enum { DECIMAL_DIGITS = 2400, DECIMAL_DIVISION_PLACES = 16 };
struct decimal { /* d[n-1] … d[0] * 10^exp */
    bool minus;
    int exp, n;
    uint8_t d[];
};
struct decimal *decimal_of(struct run *r, double f); /* the shortest decimal of f, finite */
struct decimal *decimal_add(struct run *r, const struct decimal *a, const struct decimal *b, bool minus_b);
struct decimal *decimal_mul(struct run *r, const struct decimal *a, const struct decimal *b);
struct decimal *decimal_div(struct run *r, const struct decimal *a, const struct decimal *b); /* rounded half away from zero */
double decimal_float(struct run *r, const struct decimal *d);
#endif
