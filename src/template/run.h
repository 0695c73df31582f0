/* run.h - one rendering: its memory, its limits, its errors. Private to template/.
 *
 * Errors     leave by longjmp: everything a rendering allocates lives in its arena, so nothing is lost, and the hundred
 *            functions of the language stay as short as their description.
 * Limits     run_alloc and run_step are the only ways to memory and time; a function that copies says how much first.
 */
#ifndef TEMPLATE_RUN_H
#define TEMPLATE_RUN_H
#include "template/template.h"
#include <setjmp.h>

struct node;
struct variable {
    slice name;
    struct value v;
};
struct text_out { /* growing bytes that count against the limits */
    struct run *r;
    char *p;
    size_t n, cap, max;
    const char *which; /* the limit's name */
};
struct run {
    struct arena *a;
    jmp_buf out;
    const struct template *t;
    const struct template_options *o;
    struct value root; /* the data the rendering began with: what placeholders are taken from */
    struct text_out output;
    struct variable *vars;
    size_t n_vars, cap_vars;
    size_t memory;
    long steps, looked_at; /* looked_at: steps when the clock was last read */
    int64_t ends_us;
    int depth;         /* of {{template}} */
    int evaluations;   /* nested: parentheses in commands in parentheses … */
    const struct node *at; /* for the error text */
    const char *calling; /* the function a failure is blamed on */
    size_t frame;      /* where the variables of the template being executed begin */
    slice name;        /* of the template being executed */
    uint64_t random;
    struct regex *regexes; /* the first ones compiled: loops use them again */
    struct template_error *e;
};

/* The error text is put together from the place, "executing … at <…>:" and this. */
void run_fail(struct run *r, const char *fmt, ...) PRINTF(2, 3) NORETURN;
void run_limit(struct run *r, const char *which) NORETURN;
void run_over(struct run *r); /* the slow half of run_step */
static inline void run_step(struct run *r, size_t n)
{
    r->steps += (long)n;
    if (r->steps - r->looked_at >= 1000)
        run_over(r);
}
void *run_alloc(struct run *r, size_t n) MUST_USE; /* not cleared */
slice run_copy(struct run *r, slice s) MUST_USE;

struct text_out out_new(struct run *r);       /* a string value */
void out_put(struct text_out *t, slice s);
void out_char(struct text_out *t, char c);
void out_rune(struct text_out *t, uint32_t c);
void out_fill(struct text_out *t, char c, size_t n);
void out_fmt(struct text_out *t, const char *fmt, ...) PRINTF(2, 3);
static inline slice out_slice(const struct text_out *t)
{
    return (slice){ t->p ? t->p : "", t->n };
}

struct list *list_new(struct run *r, size_t n, enum value_of of) MUST_USE; /* n values of V_NIL */
struct map *map_new(struct run *r, enum value_of of) MUST_USE;
void map_set(struct run *r, struct map *m, slice key, struct value v);
void map_drop(struct map *m, slice key);
void map_order(struct run *r, struct map *m); /* map_sort, counted */
/* A list that grows; done gives it as a value. */
struct gather {
    struct run *r;
    struct list *l;
    size_t cap;
};
struct gather gather_new(struct run *r, enum value_of of);
void gather_add(struct gather *g, struct value v);
#endif
