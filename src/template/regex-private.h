/* regex-private.h - a regular expression as a tree and as a program, for the files of regex.
 *
 *   regex_parse.c  text to tree
 *   regex.c        tree to program
 *   regex_match.c  the program over a text: all ways at once, so that no expression takes more than text times program
 */
#ifndef TEMPLATE_REGEX_PRIVATE_H
#define TEMPLATE_REGEX_PRIVATE_H
#include "template/regex.h"
#include "template/unicode.h"

enum op { OP_SET, OP_ANY, OP_CHAR, OP_MATCH, OP_JUMP, OP_SPLIT, OP_SAVE, OP_LINE_START, OP_LINE_END, OP_START, OP_END, OP_WORD, OP_NO_WORD, OP_FAIL };
enum { REGEX_GROUPS_MOST = 100 };

struct regex_set { /* of code points */
    bool negated, fold;
    size_t n, cap, n_classes;
    struct uc_range *r;
    struct regex_set_class {
        struct rune_class k;
        bool negated;
    } classes[8];
};
struct regex_inst {
    enum op op;
    uint32_t c; /* OP_CHAR: the code point; OP_SAVE: the slot; OP_ANY: 1 = also line ends */
    int x, y;   /* where to go, x preferred */
    const struct regex_set *set;
    bool fold;
};

enum tree_type { E_EMPTY, E_CHAR, E_ANY, E_SET, E_CAT, E_ALT, E_REPEAT, E_GROUP, E_AT };
struct regex_tree {
    enum tree_type t;
    uint32_t c;
    enum op at;
    bool fold, lazy;
    int min, max; /* max -1: no end */
    size_t group;
    const struct regex_set *set;
    struct regex_tree *l, *r;
};
struct regex {
    struct regex_inst *prog;
    int n, cap, start;
    size_t groups;
    slice names[REGEX_GROUPS_MOST];
    slice pattern;
    struct regex *next;  /* compiled before in this rendering */
    struct match *match; /* room for matching, taken when it is needed first */
};
struct regex_compiler {
    struct run *r;
    slice s;
    size_t at;
    unsigned flags;
    bool quoted; /* behind \Q */
    int depth;
    struct regex *re;
    const char *error;
};

/* regex_parse.c: from c->at on, up to a closing bracket or the end. c->error: what is wrong. */
struct regex_tree *regex_alternatives(struct regex_compiler *c);
bool regex_more(const struct regex_compiler *c); /* is there text left? */
#endif
