#include "template/lex.h"
#include "template/function.h"
#include "template/unicode.h"

static const struct {
    slice word;
    enum token_type t;
} keywords[] = {
    { SLI("block"), T_BLOCK }, { SLI("break"), T_BREAK }, { SLI("continue"), T_CONTINUE }, { SLI("define"), T_DEFINE },
    { SLI("else"), T_ELSE },   { SLI("end"), T_END },     { SLI("if"), T_IF },             { SLI("nil"), T_NIL },
    { SLI("range"), T_RANGE }, { SLI("template"), T_TEMPLATE }, { SLI("with"), T_WITH },
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static slice trim_left(slice s)
{
    while (s.n && is_space(s.p[0]))
        s = slice_from(s, 1);
    return s;
}

static slice trim_right(slice s)
{
    while (s.n && is_space(s.p[s.n - 1]))
        s.n--;
    return s;
}

static struct token token(const struct lexer *l, enum token_type t, size_t from)
{
    return (struct token){ t, from, { l->text.p + from, l->at - from } };
}

static struct token bad(const struct lexer *l, slice text)
{
    return (struct token){ T_ERROR, l->at, text };
}

static bool starts_at(const struct lexer *l, size_t at, slice what)
{
    return at <= l->text.n && slice_starts(slice_from(l->text, at), what);
}

slice lex_describe(struct arena *a, uint32_t c)
{
    char utf8[4];
    size_t n = rune_put(c, utf8);
    if (!rune_is_print(c))
        return arena_printf(a, "U+%04X", c);
    return arena_printf(a, "U+%04X '" SLF "'", c, (int)n, utf8);
}

bool lex_is_id(const struct lexer *l, slice name)
{
    for (size_t i = 0; i < l->n_ids; i++)
        if (slice_eq(l->ids[i], name))
            return true;
    return false;
}

bool template_keyword(slice s)
{
    for (size_t i = 0; i < COUNT(keywords); i++)
        if (slice_eq(keywords[i].word, s))
            return true;
    return slice_eq(s, SL("true")) || slice_eq(s, SL("false"));
}

/* What stands between the delimiters without trim markers, white space and parentheses around it. */
static slice bare(slice s)
{
    if (s.n > 1 && s.p[0] == '-' && is_space(s.p[1]))
        s = slice_from(s, 1);
    if (s.n > 1 && s.p[s.n - 1] == '-' && is_space(s.p[s.n - 2]))
        s.n--;
    s = trim_right(trim_left(s));
    while (s.n > 1 && s.p[0] == '(' && s.p[s.n - 1] == ')')
        s = trim_right(trim_left(slice_sub(s, 1, s.n - 2)));
    return s;
}

/* Placeholders: "exact known id?" comes before everything else, the other forms only where the language has no name. */
static bool lex_place(struct lexer *l, struct token *ret)
{
    if (!l->n_ids)
        return false;
    slice rest = slice_from(l->text, l->at + 2);
    size_t end = slice_find(rest, SL("}}"));
    if (end == SIZE_MAX)
        return false;
    slice exact = slice_sub(rest, 0, end), id = exact;
    if (!lex_is_id(l, id)) {
        id = bare(exact);
        unsigned char c = id.n ? (unsigned char)id.p[0] : 0;
        bool named = c == '_' || ((c | 32) >= 'a' && (c | 32) <= 'z') || c >= 0x80;
        if (!named || !lex_is_id(l, id) || function_find(id) || template_keyword(id))
            return false;
    }
    l->trim = !slice_eq(id, exact) && exact.n > 1 && exact.p[exact.n - 1] == '-' && is_space(exact.p[exact.n - 2]);
    *ret = (struct token){ T_PLACE, l->at + 2 + (size_t)(id.p - exact.p), id };
    l->at += 2 + end + 2;
    return true;
}

static bool trims_left(const struct lexer *l, size_t at)
{
    return starts_at(l, at, SL("{{-")) && at + 3 < l->text.n && is_space(l->text.p[at + 3]);
}

/* Behind the comment; or an error, and *ret is it. */
static bool skip_comment(struct lexer *l, struct token *ret)
{
    size_t body = l->at + (trims_left(l, l->at) ? 4 : 2);
    size_t end = slice_find(slice_from(l->text, body), SL("*/"));
    if (end == SIZE_MAX)
        return *ret = bad(l, SL("unclosed comment")), false;
    size_t after = body + end + 2;
    bool trim = after + 1 < l->text.n && is_space(l->text.p[after]) && l->text.p[after + 1] == '-' && starts_at(l, after + 2, SL("}}"));
    if (!trim && !starts_at(l, after, SL("}}")))
        return *ret = bad(l, SL("comment ends before closing delimiter")), false;
    l->at = after + (trim ? 4 : 2);
    l->trim = trim;
    return true;
}

static void skip_trimmed(struct lexer *l)
{
    while (l->trim && l->at < l->text.n && is_space(l->text.p[l->at]))
        l->at++;
    l->trim = false;
}

static struct token lex_text(struct lexer *l)
{
    for (;;) { /* comments leave nothing behind */
        skip_trimmed(l);
        size_t from = l->at;
        size_t open = slice_find(slice_from(l->text, from), SL("{{"));
        if (open == SIZE_MAX)
            open = l->text.n - from;
        if (open) {
            size_t to = from + open;
            slice s = { l->text.p + from, open };
            l->at = to;
            /* an exact id that begins with "- " is no trim marker */
            if (trims_left(l, to)) {
                struct lexer look = *l;
                struct token t;
                if (!(lex_place(&look, &t) && t.at == to + 2))
                    s = trim_right(s);
            }
            if (s.n)
                return (struct token){ T_TEXT, from, s };
        }
        if (l->at >= l->text.n)
            return token(l, T_EOF, l->at);
        struct token found;
        if (lex_place(l, &found))
            return found;
        size_t body = l->at + (trims_left(l, l->at) ? 4 : 2);
        if (!starts_at(l, body, SL("/*")))
            break;
        if (!skip_comment(l, &found))
            return found;
    }
    size_t from = l->at;
    l->at = trims_left(l, from) ? from + 3 : from + 2;
    l->inside = true;
    l->parens = 0;
    return token(l, T_LEFT, from);
}

static uint32_t peek(const struct lexer *l, size_t *ret_next)
{
    size_t at = l->at;
    uint32_t c = at < l->text.n ? rune_next(l->text, &at) : 0;
    *ret_next = at;
    return c;
}

static bool is_word(uint32_t c)
{
    return c == '_' || rune_is_letter(c) || rune_is_digit(c);
}

static void skip_word(struct lexer *l)
{
    size_t next;
    while (l->at < l->text.n && is_word(peek(l, &next)))
        l->at = next;
}

static bool at_terminator(const struct lexer *l)
{
    if (l->at >= l->text.n || starts_at(l, l->at, SL("}}")))
        return true;
    char c = l->text.p[l->at];
    return is_space(c) || (c && strchr(".,|:)(", c));
}

static struct token bad_character(struct lexer *l)
{
    size_t next;
    slice d = lex_describe(l->a, peek(l, &next));
    return bad(l, arena_printf(l->a, "bad character " SLF, SLA(d)));
}

static struct token lex_quoted(struct lexer *l, char quote, enum token_type t, const char *unterminated)
{
    size_t from = l->at++;
    for (; l->at < l->text.n; l->at++) {
        char c = l->text.p[l->at];
        if (c == quote) {
            l->at++;
            if (l->at - from > TEMPLATE_CONSTANT_BYTES)
                return bad(l, SL("template limit exceeded: constant"));
            return token(l, t, from);
        }
        if (c == '\n' && quote != '`')
            break;
        if (c == '\\' && quote != '`' && l->at + 1 < l->text.n && l->text.p[l->at + 1] != '\n')
            l->at++;
    }
    return bad(l, slice_of(unterminated));
}

static bool accept(struct lexer *l, const char *set)
{
    if (l->at < l->text.n && l->text.p[l->at] && strchr(set, l->text.p[l->at]))
        return l->at++, true;
    return false;
}

static void accept_run(struct lexer *l, const char *set)
{
    while (accept(l, set))
        ;
}

static struct token lex_number(struct lexer *l)
{
    size_t from = l->at, next;
    accept(l, "+-");
    const char *digits = "0123456789_";
    bool decimal = true, hex = false;
    if (accept(l, "0")) {
        if (accept(l, "xX"))
            digits = "0123456789abcdefABCDEF_", decimal = false, hex = true;
        else if (accept(l, "oO"))
            digits = "01234567_", decimal = false;
        else if (accept(l, "bB"))
            digits = "01_", decimal = false;
    }
    accept_run(l, digits);
    if (accept(l, "."))
        accept_run(l, digits);
    if (decimal ? accept(l, "eE") : hex && accept(l, "pP")) {
        accept(l, "+-");
        accept_run(l, "0123456789_");
    }
    bool imaginary = accept(l, "i");
    uint32_t c = peek(l, &next);
    bool wrong = l->at < l->text.n && is_word(c);
    if (wrong)
        l->at = next;
    if (wrong || (l->at < l->text.n && (c == '+' || c == '-'))) {
        struct token t = token(l, T_NUMBER, from);
        return bad(l, arena_printf(l->a, "bad number syntax: \"" SLF "\"", SLA(t.s)));
    }
    if (imaginary)
        return bad(l, SL("complex constants are not supported"));
    return token(l, T_NUMBER, from);
}

static struct token lex_word(struct lexer *l)
{
    size_t from = l->at;
    skip_word(l);
    if (!at_terminator(l))
        return bad_character(l);
    struct token t = token(l, T_IDENTIFIER, from);
    if (slice_eq(t.s, SL("true")) || slice_eq(t.s, SL("false")))
        t.t = T_BOOL;
    for (size_t i = 0; i < COUNT(keywords); i++)
        if (slice_eq(keywords[i].word, t.s))
            t.t = keywords[i].t;
    return t;
}

static struct token lex_inside(struct lexer *l)
{
    size_t from = l->at, next;
    bool trim = l->at + 1 < l->text.n && is_space(l->text.p[l->at]) && l->text.p[l->at + 1] == '-' && starts_at(l, l->at + 2, SL("}}"));
    if (trim || starts_at(l, l->at, SL("}}"))) {
        if (l->parens)
            return bad(l, SL("unclosed left paren"));
        l->at += trim ? 4 : 2;
        l->inside = false;
        l->trim = trim;
        return token(l, T_RIGHT, from);
    }
    if (l->at >= l->text.n)
        return bad(l, SL("unclosed action"));
    char c = l->text.p[l->at];
    if (is_space(c)) {
        while (l->at < l->text.n && is_space(l->text.p[l->at]))
            l->at++;
        if (starts_at(l, l->at, SL("-}}")) && l->at - 1 > from) /* the last one belongs to the trim marker */
            l->at--;
        else if (starts_at(l, l->at, SL("-}}")))
            return l->at = from, lex_inside(l);
        return token(l, T_SPACE, from);
    }
    switch (c) {
    case '=':
        return l->at++, token(l, T_ASSIGN, from);
    case ':':
        l->at++;
        if (!accept(l, "="))
            return bad(l, SL("expected :="));
        return token(l, T_DECLARE, from);
    case '|':
        return l->at++, token(l, T_PIPE, from);
    case '"':
        return lex_quoted(l, '"', T_STRING, "unterminated quoted string");
    case '`':
        return lex_quoted(l, '`', T_RAW, "unterminated raw quoted string");
    case '\'':
        return lex_quoted(l, '\'', T_CHAR, "unterminated character constant");
    case '(':
        if (++l->parens > TEMPLATE_PARENS)
            return bad(l, SL("template limit exceeded: parentheses"));
        return l->at++, token(l, T_OPEN, from);
    case ')':
        if (--l->parens < 0)
            return bad(l, SL("unexpected right paren"));
        return l->at++, token(l, T_CLOSE, from);
    case '.':
        if (l->at + 1 < l->text.n && l->text.p[l->at + 1] >= '0' && l->text.p[l->at + 1] <= '9')
            return lex_number(l);
        __attribute__((fallthrough));
    case '$':
        l->at++;
        if (at_terminator(l))
            return token(l, c == '.' ? T_DOT : T_VARIABLE, from);
        skip_word(l);
        if (!at_terminator(l))
            return bad_character(l);
        return token(l, c == '.' ? T_FIELD : T_VARIABLE, from);
    default:
        break;
    }
    if (c == '+' || c == '-' || (c >= '0' && c <= '9'))
        return lex_number(l);
    uint32_t rune = peek(l, &next);
    if (is_word(rune))
        return lex_word(l);
    if (rune < 0x80 && rune_is_print(rune))
        return l->at++, token(l, T_OTHER, from);
    slice d = lex_describe(l->a, rune);
    return bad(l, arena_printf(l->a, "unrecognized character in action: " SLF, SLA(d)));
}

struct token lex_next(struct lexer *l)
{
    return l->inside ? lex_inside(l) : lex_text(l);
}
