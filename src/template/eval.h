/* eval.h - what functions share with the evaluation. Private to template/. */
#ifndef TEMPLATE_EVAL_H
#define TEMPLATE_EVAL_H
#include "template/run.h"

struct value field_of(struct run *r, struct value v, slice name, bool has_arguments, const struct value *args, size_t n);
/* -1, 0, 1 of eq: false, true; fails with Go's text where the kinds cannot be compared. */
bool compare_equal(struct run *r, struct value a, struct value b);
bool compare_less(struct run *r, struct value a, struct value b);
bool value_same(struct run *r, struct value a, struct value b, int depth); /* deep and exact in type */
/* Methods of a time: false if there is none of that name. */
bool time_method(struct run *r, struct instant at, slice name, const struct value *args, size_t n, struct value *ret);
bool version_method(struct run *r, const struct version *w, slice name, const struct value *args, size_t n, struct value *ret); /* likewise */
#endif
