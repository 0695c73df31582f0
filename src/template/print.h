/* print.h - values as text: {{value}}, print, printf. Private to template/. */
#ifndef TEMPLATE_PRINT_H
#define TEMPLATE_PRINT_H
#include "template/run.h"

void print_value(struct text_out *t, struct value v);            /* %v; no value and nil as <nil> */
void print_float(struct text_out *t, double f, char verb, int precision); /* verb e f g v; precision -1: shortest */
void print_operands(struct text_out *t, const struct value *v, size_t n, bool line); /* print, println */
void print_format(struct text_out *t, slice format, const struct value *v, size_t n);
void print_quoted(struct text_out *t, slice s, bool ascii);      /* %q */
slice value_text(struct run *r, struct value v) MUST_USE;        /* a string as it is, else printed */
void time_print(struct text_out *t, struct instant at);
#endif
