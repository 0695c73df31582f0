/* lex.h - a template's text as tokens. Private to template/. White space inside actions is a token: it separates. */
#ifndef TEMPLATE_LEX_H
#define TEMPLATE_LEX_H
#include "template/template.h"

enum token_type {
    T_ERROR, T_EOF, T_TEXT, T_LEFT, T_RIGHT, T_SPACE, T_IDENTIFIER, T_FIELD, T_VARIABLE, T_NUMBER, T_CHAR, T_STRING, T_RAW,
    T_BOOL, T_OPEN, T_CLOSE, T_PIPE, T_ASSIGN, T_DECLARE, T_OTHER, T_DOT, T_PLACE, /* from here on keywords */
    T_BLOCK, T_BREAK, T_CONTINUE, T_DEFINE, T_ELSE, T_END, T_IF, T_NIL, T_RANGE, T_TEMPLATE, T_WITH,
};
struct token {
    enum token_type t;
    size_t at;
    slice s; /* T_ERROR: the text for people */
};
struct lexer {
    struct arena *a;
    slice text;
    size_t at;
    bool inside, trim; /* trim: the text that follows loses its leading white space */
    int parens;
    const slice *ids;
    size_t n_ids;
};
struct token lex_next(struct lexer *l);
bool lex_is_id(const struct lexer *l, slice name);
/* "U+002D '-'" */
slice lex_describe(struct arena *a, uint32_t c);
#endif
