/* parse.h - the tree a template is parsed into. Private to template/.
 *
 * Names are checked while parsing: an unknown function or variable is a parse error. Nodes live in the template's arena.
 */
#ifndef TEMPLATE_PARSE_H
#define TEMPLATE_PARSE_H
#include "template/lex.h"

enum node_type {
    N_TEXT, N_ACTION, N_IF, N_WITH, N_RANGE, N_TEMPLATE, N_BREAK, N_CONTINUE, N_END, N_ELSE,
    N_PIPE, N_COMMAND, N_FUNCTION, N_FIELD, N_VARIABLE, N_CHAIN, N_DOT, N_NIL, N_BOOL, N_NUMBER, N_STRING, N_PLACE,
};
struct nodes {
    struct node **v;
    size_t n;
};
struct number {
    bool is_int, is_float, shown_float; /* shown_float: a float where anything is taken */
    int64_t i;
    double f;
};
struct node {
    enum node_type t;
    size_t at;   /* in the text */
    slice s;     /* text, name, source of a constant */
    slice value; /* of a string constant */
    bool truth, assign;
    struct number num;
    const struct function *fn;
    struct slices {
        slice *v;
        size_t n;
    } names;            /* fields of a field, variable or chain; declared variables of a pipe */
    struct node *pipe;  /* of if, with, range, template, action; what a chain starts from */
    struct nodes list;  /* body; commands of a pipe; words of a command */
    struct nodes other; /* else */
};
struct definition {
    slice name;
    struct nodes body;
    struct definition *next;
};
struct template {
    struct arena *a;
    slice text;
    struct definition *definitions;
    const struct definition *root;
};
const struct definition *template_definition(const struct template *t, slice name);
/* The node's source in normal form. */
void node_print(struct text *t, const struct node *n, int depth);
/* 1-based line and 0-based byte column of a place in the text. */
void template_place(const struct template *t, size_t at, size_t *ret_line, size_t *ret_column);
/* A number constant as Go reads it; false: no number. *ret_overflow: an integer too large. */
bool number_read(slice s, struct number *ret, bool *ret_overflow);
/* Go's ParseInt(s, 0, 64) and ParseFloat. */
bool go_int(slice s, int64_t *ret);
bool go_float(slice s, double *ret);
/* The bytes a quoted constant stands for; {NULL,0}: not one. */
slice unquote(struct arena *a, slice quoted);
#endif
