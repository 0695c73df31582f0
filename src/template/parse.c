#include "template/parse.h"
#include "template/function.h"
#include "template/unicode.h"

struct parser {
    struct arena *a; /* the template's */
    struct template *t;
    struct lexer lex;
    struct token *tokens; /* read so far; given back by moving at */
    size_t n_tokens, cap_tokens, at;
    slice *vars;
    size_t n_vars, cap_vars;
    size_t n_nodes;
    int nesting, ranges;
    struct template_error *e;
    jmp_buf out;
};
struct grow {
    struct parser *p;
    struct nodes list;
    size_t cap;
};

static struct node *item(struct parser *p);
static struct node *pipeline(struct parser *p, const char *context, enum token_type end);

void template_place(const struct template *t, size_t at, size_t *ret_line, size_t *ret_column)
{
    size_t line = 1, start = 0;
    at = MIN(at, t->text.n);
    for (size_t i = 0; i < at; i++)
        if (t->text.p[i] == '\n')
            line++, start = i + 1;
    *ret_line = line;
    *ret_column = at - start;
}

static NORETURN PRINTF(2, 3) void fail(struct parser *p, const char *fmt, ...)
{
    size_t line, column, at = p->at ? p->tokens[p->at - 1].at : 0;
    template_place(p->t, at, &line, &column);
    va_list ap;
    va_start(ap, fmt);
    slice text = arena_vprintf(p->a, fmt, ap);
    va_end(ap);
    p->e->stage = "parse";
    snprintf(p->e->text, sizeof(p->e->text), "template: response:%zu: " SLF, line, SLA(text));
    longjmp(p->out, 1);
}

/* ---- tokens ------------------------------------------------------------------------------------------------------ */

static struct token next(struct parser *p)
{
    if (p->at == p->n_tokens) {
        if (p->n_tokens == p->cap_tokens) {
            size_t cap = MAX(p->cap_tokens * 2, (size_t)64);
            p->tokens = arena_grow(p->a, p->tokens, p->cap_tokens * sizeof(*p->tokens), cap * sizeof(*p->tokens));
            p->cap_tokens = cap;
        }
        p->tokens[p->n_tokens++] = lex_next(&p->lex);
    }
    struct token t = p->tokens[p->at++];
    if (t.t == T_ERROR)
        fail(p, SLF, SLA(t.s));
    return t;
}

static struct token next_solid(struct parser *p)
{
    struct token t = next(p);
    return t.t == T_SPACE ? next(p) : t;
}

static struct token peek(struct parser *p)
{
    struct token t = next(p);
    p->at--;
    return t;
}

static struct token peek_solid(struct parser *p)
{
    struct token t = next_solid(p);
    p->at--;
    return t;
}

static NORETURN void unexpected(struct parser *p, struct token t, const char *context)
{
    if (t.t == T_EOF)
        fail(p, "unexpected EOF");
    if (t.t >= T_BLOCK)
        fail(p, "unexpected <" SLF "> in %s", SLA(t.s), context);
    if (t.t == T_SPACE || t.s.n > 40)
        fail(p, "unexpected \"%.10s\"... in %s", arena_cstr(p->a, slice_sub(t.s, 0, 10)), context);
    fail(p, "unexpected \"" SLF "\" in %s", SLA(t.s), context);
}

static struct token expect(struct parser *p, enum token_type t, const char *context)
{
    struct token got = next_solid(p);
    if (got.t != t)
        unexpected(p, got, context);
    return got;
}

/* ---- nodes ------------------------------------------------------------------------------------------------------- */

static struct node *node(struct parser *p, enum node_type t, struct token at)
{
    if (++p->n_nodes > TEMPLATE_NODES)
        fail(p, "template limit exceeded: nodes");
    struct node *n = ARENA_NEW(p->a, struct node);
    n->t = t;
    n->at = at.at;
    n->s = at.s;
    return n;
}

static void grow_add(struct grow *g, struct node *n)
{
    if (g->list.n == g->cap) {
        size_t cap = MAX(g->cap * 2, (size_t)4);
        g->list.v = arena_grow(g->p->a, g->list.v, g->cap * sizeof(n), cap * sizeof(n));
        g->cap = cap;
    }
    g->list.v[g->list.n++] = n;
}

static void names_add(struct parser *p, struct node *n, slice name)
{
    if (n->names.n >= TEMPLATE_NESTING)
        fail(p, "template limit exceeded: fields");
    if (n->names.n % 4 == 0)
        n->names.v = arena_grow(p->a, n->names.v, n->names.n * sizeof(slice), (n->names.n + 4) * sizeof(slice));
    n->names.v[n->names.n++] = name;
}

static void var_add(struct parser *p, slice name)
{
    if (p->n_vars == p->cap_vars) {
        size_t cap = MAX(p->cap_vars * 2, (size_t)16);
        p->vars = arena_grow(p->a, p->vars, p->cap_vars * sizeof(slice), cap * sizeof(slice));
        p->cap_vars = cap;
    }
    p->vars[p->n_vars++] = name;
}

static bool var_known(const struct parser *p, slice name)
{
    for (size_t i = 0; i < p->n_vars; i++)
        if (slice_eq(p->vars[i], name))
            return true;
    return false;
}

/* ---- pipelines --------------------------------------------------------------------------------------------------- */

static struct node *constant(struct parser *p, struct token t)
{
    struct node *n = node(p, t.t == T_BOOL ? N_BOOL : t.t == T_NUMBER || t.t == T_CHAR ? N_NUMBER : N_STRING, t);
    if (t.t == T_BOOL) {
        n->truth = t.s.n == 4;
    } else if (t.t == T_NUMBER) {
        bool overflow;
        if (!number_read(t.s, &n->num, &overflow))
            fail(p, overflow ? "integer overflow: \"" SLF "\"" : "illegal number syntax: \"" SLF "\"", SLA(t.s));
    } else {
        n->value = unquote(p->a, t.s);
        if (!n->value.p)
            fail(p, t.t == T_CHAR ? "malformed character constant: " SLF : "invalid syntax: " SLF, SLA(t.s));
        if (t.t == T_CHAR) {
            size_t at = 0;
            n->num = (struct number){ .is_int = true, .is_float = true, .i = rune_next(n->value, &at) };
            n->num.f = (double)n->num.i;
        }
    }
    return n;
}

static struct node *word(struct parser *p, struct token t)
{
    const struct function *f = function_find(t.s);
    struct node *n = node(p, f ? N_FUNCTION : N_PLACE, t);
    n->fn = f;
    if (f)
        return n;
    if (lex_is_id(&p->lex, t.s)) /* a known placeholder where the language has no name */
        return n;
    if (function_refused(t.s))
        fail(p, "function \"" SLF "\" is disabled", SLA(t.s));
    fail(p, "function \"" SLF "\" not defined", SLA(t.s));
}

static struct node *term(struct parser *p)
{
    struct token t = next_solid(p);
    struct node *n;
    switch ((int)t.t) {
    case T_IDENTIFIER:
        return word(p, t);
    case T_DOT:
        return node(p, N_DOT, t);
    case T_NIL:
        return node(p, N_NIL, t);
    case T_VARIABLE:
        if (!var_known(p, t.s))
            fail(p, "undefined variable \"" SLF "\"", SLA(t.s));
        n = node(p, N_VARIABLE, t);
        return n;
    case T_FIELD:
        n = node(p, N_FIELD, t);
        names_add(p, n, slice_from(t.s, 1));
        return n;
    case T_BOOL:
    case T_NUMBER:
    case T_CHAR:
    case T_STRING:
    case T_RAW:
        return constant(p, t);
    case T_OPEN:
        return pipeline(p, "parenthesized pipeline", T_CLOSE);
    default:
        p->at--;
        return NULL;
    }
}

static struct node *operand(struct parser *p)
{
    struct node *n = term(p);
    if (!n || peek(p).t != T_FIELD)
        return n;
    if (n->t == N_BOOL || n->t == N_STRING || n->t == N_NUMBER || n->t == N_NIL || n->t == N_DOT)
        fail(p, "unexpected . after term \"" SLF "\"", SLA(n->s));
    if (n->t != N_FIELD && n->t != N_VARIABLE) {
        struct node *chain = node(p, N_CHAIN, peek(p));
        chain->pipe = n;
        n = chain;
    }
    while (peek(p).t == T_FIELD)
        names_add(p, n, slice_from(next(p).s, 1));
    return n;
}

static struct node *command(struct parser *p)
{
    struct node *c = node(p, N_COMMAND, peek_solid(p));
    struct grow words = { .p = p };
    for (;;) {
        (void)peek_solid(p);
        struct node *n = operand(p);
        if (n)
            grow_add(&words, n);
        if (words.list.n > TEMPLATE_ARGUMENTS + 1)
            fail(p, "template limit exceeded: arguments");
        struct token t = next(p);
        if (t.t == T_SPACE)
            continue;
        if (t.t == T_RIGHT || t.t == T_CLOSE)
            p->at--;
        else if (t.t != T_PIPE)
            unexpected(p, t, "operand");
        break;
    }
    if (!words.list.n)
        fail(p, "empty command");
    c->list = words.list;
    return c;
}

static void declarations(struct parser *p, struct node *pipe, const char *context)
{
    for (;;) {
        size_t back = p->at;
        struct token v = next_solid(p);
        struct token after = v.t == T_VARIABLE ? next_solid(p) : v;
        if (v.t != T_VARIABLE || !(after.t == T_ASSIGN || after.t == T_DECLARE || (after.t == T_OTHER && after.s.p[0] == ','))) {
            p->at = back;
            return;
        }
        names_add(p, pipe, v.s);
        var_add(p, v.s);
        pipe->assign = after.t == T_ASSIGN;
        if (after.t != T_OTHER)
            return;
        if (strcmp(context, "range") != 0 || pipe->names.n >= 2)
            fail(p, "too many declarations in %s", context);
        enum token_type t = peek_solid(p).t;
        if (t != T_VARIABLE && t != T_RIGHT && t != T_CLOSE)
            fail(p, "range can only initialize variables");
    }
}

static void check_pipeline(struct parser *p, const struct node *pipe, const char *context)
{
    if (!pipe->list.n)
        fail(p, "missing value for %s", context);
    if (pipe->list.n > TEMPLATE_STAGES)
        fail(p, "template limit exceeded: pipeline stages");
    for (size_t i = 1; i < pipe->list.n; i++) {
        enum node_type t = pipe->list.v[i]->list.v[0]->t;
        if (t == N_BOOL || t == N_DOT || t == N_NIL || t == N_NUMBER || t == N_STRING)
            fail(p, "non executable command in pipeline stage %zu", i + 1);
    }
}

static struct node *pipeline(struct parser *p, const char *context, enum token_type end)
{
    struct node *pipe = node(p, N_PIPE, peek_solid(p));
    struct grow commands = { .p = p };
    declarations(p, pipe, context);
    for (;;) {
        struct token t = next_solid(p);
        if (t.t == end)
            break;
        static const bool begins[T_WITH + 1] = {
            [T_BOOL] = true, [T_CHAR] = true, [T_DOT] = true, [T_FIELD] = true, [T_IDENTIFIER] = true, [T_NUMBER] = true,
            [T_NIL] = true, [T_RAW] = true, [T_STRING] = true, [T_VARIABLE] = true, [T_OPEN] = true,
        };
        if (!begins[t.t])
            unexpected(p, t, context);
        p->at--;
        grow_add(&commands, command(p));
    }
    pipe->list = commands.list;
    check_pipeline(p, pipe, context);
    return pipe;
}

/* ---- actions ----------------------------------------------------------------------------------------------------- */

static struct nodes item_list(struct parser *p, struct node **ret_end)
{
    struct grow items = { .p = p };
    for (;;) {
        if (peek_solid(p).t == T_EOF)
            fail(p, "unexpected EOF");
        struct node *n = item(p);
        if (n->t == N_END || n->t == N_ELSE)
            return *ret_end = n, items.list;
        grow_add(&items, n);
    }
}

static const char *end_name(const struct node *n)
{
    return n->t == N_END ? "{{end}}" : "{{else}}";
}

static struct node *control(struct parser *p, enum node_type t, const char *context)
{
    if (++p->nesting > TEMPLATE_NESTING)
        fail(p, "template limit exceeded: nesting");
    size_t vars = p->n_vars;
    struct node *n = node(p, t, p->tokens[p->at - 1]), *end;
    n->pipe = pipeline(p, context, T_RIGHT);
    p->ranges += t == N_RANGE;
    n->list = item_list(p, &end);
    p->ranges -= t == N_RANGE;
    if (end->t == N_ELSE) {
        enum token_type same = t == N_IF ? T_IF : t == N_WITH ? T_WITH : T_EOF;
        if (end->truth) { /* {{else if …}}, {{else with …}}: one {{end}} closes both */
            struct token again = next_solid(p);
            if (again.t != same)
                unexpected(p, again, context);
            struct grow g = { .p = p };
            grow_add(&g, control(p, t, context));
            n->other = g.list;
        } else {
            n->other = item_list(p, &end);
            if (end->t != N_END)
                fail(p, "expected end; found %s", end_name(end));
        }
    }
    p->n_vars = vars;
    p->nesting--;
    return n;
}

static bool all_space(const struct nodes *l)
{
    for (size_t i = 0; i < l->n; i++)
        if (l->v[i]->t != N_TEXT || slice_trim(l->v[i]->s).n)
            return false;
    return true;
}

static void define(struct parser *p, slice name, struct nodes body)
{
    for (struct definition *d = p->t->definitions; d; d = d->next) {
        if (!slice_eq(d->name, name))
            continue;
        if (all_space(&d->body))
            d->body = body;
        else if (!all_space(&body))
            fail(p, "template: multiple definition of template \"" SLF "\"", SLA(name));
        return;
    }
    struct definition *d = ARENA_NEW(p->a, struct definition);
    *d = (struct definition){ name, body, p->t->definitions };
    p->t->definitions = d;
}

static slice clause_name(struct parser *p, const char *context)
{
    struct token t = next_solid(p);
    if (t.t != T_STRING && t.t != T_RAW)
        unexpected(p, t, context);
    return constant(p, t)->value;
}

/* The body of a define or block, in which only $ is known. */
static void definition(struct parser *p, slice name, const char *context)
{
    if (++p->nesting > TEMPLATE_NESTING)
        fail(p, "template limit exceeded: nesting");
    slice *vars = p->vars;
    size_t n_vars = p->n_vars, cap_vars = p->cap_vars;
    int ranges = p->ranges;
    p->vars = NULL;
    p->n_vars = p->cap_vars = 0;
    p->ranges = 0;
    var_add(p, SL("$"));
    struct node *end;
    struct nodes body = item_list(p, &end);
    if (end->t != N_END)
        fail(p, "unexpected %s in %s", end_name(end), context);
    p->vars = vars;
    p->n_vars = n_vars;
    p->cap_vars = cap_vars;
    p->ranges = ranges;
    p->nesting--;
    define(p, name, body);
}

static struct node *leave(struct parser *p, struct token t)
{
    const char *name = t.t == T_BREAK ? "{{break}}" : "{{continue}}";
    struct token end = next_solid(p);
    if (end.t != T_RIGHT)
        unexpected(p, end, name);
    if (!p->ranges)
        fail(p, "%s outside {{range}}", name);
    return node(p, t.t == T_BREAK ? N_BREAK : N_CONTINUE, t);
}

static struct node *call_template(struct parser *p, struct token t)
{
    struct node *n = node(p, N_TEMPLATE, t);
    const char *context = t.t == T_BLOCK ? "block clause" : "template clause";
    n->value = clause_name(p, context);
    if (t.t == T_BLOCK) {
        n->pipe = pipeline(p, context, T_RIGHT);
        definition(p, n->value, context);
    } else if (peek_solid(p).t == T_RIGHT) {
        (void)next_solid(p);
    } else {
        n->pipe = pipeline(p, context, T_RIGHT);
    }
    return n;
}

static struct node *action(struct parser *p)
{
    struct token t = next_solid(p);
    struct node *n;
    switch ((int)t.t) {
    case T_IF:
        return control(p, N_IF, "if");
    case T_WITH:
        return control(p, N_WITH, "with");
    case T_RANGE:
        return control(p, N_RANGE, "range");
    case T_TEMPLATE:
    case T_BLOCK:
        return call_template(p, t);
    case T_BREAK:
    case T_CONTINUE:
        return leave(p, t);
    case T_END:
        n = node(p, N_END, t);
        (void)expect(p, T_RIGHT, "end");
        return n;
    case T_ELSE:
        n = node(p, N_ELSE, t);
        t = peek_solid(p);
        n->truth = t.t == T_IF || t.t == T_WITH;
        if (!n->truth)
            (void)expect(p, T_RIGHT, "else");
        return n;
    default:
        p->at--;
        n = node(p, N_ACTION, peek(p));
        n->pipe = pipeline(p, "command", T_RIGHT);
        return n;
    }
}

static struct node *item(struct parser *p)
{
    struct token t = next_solid(p);
    if (t.t == T_TEXT || t.t == T_PLACE)
        return node(p, t.t == T_TEXT ? N_TEXT : N_PLACE, t);
    if (t.t != T_LEFT)
        unexpected(p, t, "input");
    return action(p);
}

static void whole_text(struct parser *p)
{
    struct grow items = { .p = p };
    var_add(p, SL("$"));
    while (peek(p).t != T_EOF) {
        size_t back = p->at;
        if (next(p).t == T_LEFT && next_solid(p).t == T_DEFINE) {
            slice name = clause_name(p, "define clause");
            (void)expect(p, T_RIGHT, "define clause");
            definition(p, name, "define clause");
            continue;
        }
        p->at = back;
        struct node *n = item(p);
        if (n->t == N_END || n->t == N_ELSE)
            fail(p, "unexpected %s", end_name(n));
        grow_add(&items, n);
    }
    define(p, SL("response"), items.list);
    p->t->root = template_definition(p->t, SL("response"));
}

const struct definition *template_definition(const struct template *t, slice name)
{
    for (const struct definition *d = t->definitions; d; d = d->next)
        if (slice_eq(d->name, name))
            return d;
    return NULL;
}

struct template *template_free(struct template *t)
{
    if (t)
        arena_free(t->a);
    return NULL;
}

struct template *template_parse(slice text, const slice *ids, size_t n_ids, struct template_error *e)
{
    if (text.n > TEMPLATE_TEXT_BYTES) {
        e->stage = "parse";
        snprintf(e->text, sizeof(e->text), "template: response:1: template limit exceeded: text");
        return NULL;
    }
    struct arena *a = arena_new();
    struct parser *p = ARENA_NEW(a, struct parser);
    p->a = a;
    p->e = e;
    p->t = ARENA_NEW(a, struct template);
    p->t->a = a;
    p->t->text = text.n ? arena_dup(a, text) : SL("");
    p->lex = (struct lexer){ .a = a, .text = p->t->text, .ids = ids, .n_ids = n_ids };
    if (setjmp(p->out)) {
        arena_free(a);
        return NULL;
    }
    whole_text(p);
    return p->t;
}

/* ---- source in normal form --------------------------------------------------------------------------------------- */

enum { PRINT_DEPTH = 16, PRINT_BYTES = 200 };

static void print_names(struct text *t, const struct slices *names)
{
    for (size_t i = 0; i < names->n; i++)
        text_add(t, "." SLF, SLA(names->v[i]));
}

void node_print(struct text *t, const struct node *n, int depth)
{
    if (depth > PRINT_DEPTH || t->n > PRINT_BYTES)
        return;
    switch ((int)n->t) {
    case N_PIPE:
        for (size_t i = 0; i < n->names.n; i++)
            text_add(t, "%s" SLF, i ? ", " : "", SLA(n->names.v[i]));
        text_add(t, "%s", n->names.n ? n->assign ? " = " : " := " : "");
        for (size_t i = 0; i < n->list.n; i++) {
            text_add(t, "%s", i ? " | " : "");
            node_print(t, n->list.v[i], depth + 1);
        }
        break;
    case N_COMMAND:
        for (size_t i = 0; i < n->list.n; i++) {
            bool pipe = n->list.v[i]->t == N_PIPE;
            text_add(t, "%s%s", i ? " " : "", pipe ? "(" : "");
            node_print(t, n->list.v[i], depth + 1);
            text_add(t, "%s", pipe ? ")" : "");
        }
        break;
    case N_CHAIN:
        text_add(t, "%s", n->pipe->t == N_PIPE ? "(" : "");
        node_print(t, n->pipe, depth + 1);
        text_add(t, "%s", n->pipe->t == N_PIPE ? ")" : "");
        print_names(t, &n->names);
        break;
    case N_FIELD:
        print_names(t, &n->names);
        break;
    case N_VARIABLE:
        text_put(t, n->s);
        print_names(t, &n->names);
        break;
    case N_ACTION:
    case N_IF:
    case N_WITH:
    case N_RANGE:
        text_add(t, "{{%s", n->t == N_IF ? "if " : n->t == N_WITH ? "with " : n->t == N_RANGE ? "range " : "");
        node_print(t, n->pipe, depth + 1);
        text_add(t, "}}");
        break;
    case N_TEMPLATE:
        text_add(t, "{{template \"" SLF "\"", SLA(n->value));
        if (n->pipe) {
            text_char(t, ' ');
            node_print(t, n->pipe, depth + 1);
        }
        text_add(t, "}}");
        break;
    case N_PLACE:
        text_add(t, "{{" SLF "}}", SLA(n->s));
        break;
    default:
        text_put(t, n->s);
        break;
    }
}
