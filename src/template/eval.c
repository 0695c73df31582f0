#include "template/eval.h"
#include "template/function.h"
#include "template/parse.h"
#include "template/print.h"

enum { EVALUATION_DEPTH = 200 }; /* commands in parentheses in commands …: TEMPLATE_PARENS by parsing, times a template call */
enum leave { GO_ON, LEAVE_BREAK, LEAVE_CONTINUE };

static enum leave walk(struct run *r, struct value dot, const struct nodes *list);
static struct value eval_pipe(struct run *r, struct value dot, const struct node *pipe);
static struct value eval_field_chain(struct run *r, struct value dot, struct value from, const struct node *n, const struct node *cmd,
                                     const struct value *final);

void run_fail(struct run *r, const char *fmt, ...)
{
    slice text, source = SL("");
    va_list ap;
    va_start(ap, fmt);
    text = arena_vprintf(r->a, fmt, ap);
    va_end(ap);
    size_t line = 1, column = 0;
    if (r->at) {
        struct text t = text_new(r->a, 512);
        node_print(&t, r->at, 0);
        source = text_slice(&t);
        template_place(r->t, r->at->at, &line, &column);
    }
    bool calling = r->at && r->at->t == N_FUNCTION && r->calling;
    r->e->stage = "exec";
    snprintf(r->e->text, sizeof(r->e->text), "template: response:%zu:%zu: executing \"" SLF "\" at <" SLF ">: %s%s%s" SLF, line, column,
             SLA(r->name), SLA(source), calling ? "error calling " : "", calling ? r->calling : "", calling ? ": " : "", SLA(text));
    longjmp(r->out, 1);
}

/* ---- variables --------------------------------------------------------------------------------------------------- */

static void push(struct run *r, slice name, struct value v)
{
    if (r->n_vars == r->cap_vars) {
        size_t cap = MAX(r->cap_vars * 2, (size_t)16);
        struct variable *to = run_alloc(r, cap * sizeof(*to));
        if (r->n_vars)
            memcpy(to, r->vars, r->n_vars * sizeof(*to));
        r->vars = to;
        r->cap_vars = cap;
    }
    r->vars[r->n_vars++] = (struct variable){ name, v };
}

static struct value *variable(struct run *r, slice name)
{
    for (size_t i = r->n_vars; i-- > r->frame;)
        if (slice_eq(r->vars[i].name, name))
            return &r->vars[i].v;
    run_fail(r, "undefined variable: " SLF, SLA(name));
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

static struct value plain(struct value v) /* a nil that leaves a pipeline is no value */
{
    return v.t == V_NIL ? VALUE_NONE : v;
}

static struct value constant(struct run *r, const struct node *n)
{
    switch ((int)n->t) {
    case N_BOOL:
        return VALUE_TRUTH(n->truth);
    case N_STRING:
        return VALUE_STRING(n->value);
    default:
        if (n->num.shown_float)
            return VALUE_FLOAT(n->num.f);
        if (!n->num.is_int)
            run_fail(r, SLF " overflows int", SLA(n->s));
        return VALUE_INT(n->num.i);
    }
}

struct value field_of(struct run *r, struct value v, slice name, bool has_arguments, const struct value *args, size_t n)
{
    run_step(r, 1);
    switch (v.t) {
    case V_NONE:
        return VALUE_NONE;
    case V_NIL:
        run_fail(r, "nil pointer evaluating interface {}." SLF, SLA(name));
    case V_MAP: {
        if (has_arguments)
            run_fail(r, SLF " is not a method but has arguments", SLA(name));
        const struct value *hit = map_get(v.m, name);
        return hit ? *hit : VALUE_NONE;
    }
    case V_TIME: {
        struct value ret;
        if (time_method(r, v.at, name, args, n, &ret))
            return ret;
        break;
    }
    case V_VERSION: {
        struct value ret;
        if (version_method(r, v.v, name, args, n, &ret))
            return ret;
        break;
    }
    case V_BOOL:
    case V_INT:
    case V_INT64:
    case V_FLOAT:
    case V_STRING:
    case V_LIST:
        break;
    }
    run_fail(r, "can't evaluate field " SLF " in type %s", SLA(name), value_type_name(v));
}

/* ---- arguments --------------------------------------------------------------------------------------------------- */

static const char *letter_type(char letter)
{
    switch (letter) {
    case 's':
        return "string";
    case 'i':
        return "int";
    case 'b':
        return "bool";
    case 'f':
        return "float64";
    case 't':
        return "time.Time";
    case 'm':
        return "map[string]interface {}";
    default:
        return "interface {}";
    }
}

/* An int where a parameter of type int stands: also an int64, a whole float, decimal text. */
static bool as_int(struct value v, struct value *ret)
{
    int64_t i = 0;
    if (value_whole(v))
        i = v.i;
    else if (v.t == V_FLOAT && v.f >= -9.2e18 && v.f <= 9.2e18 && (double)(int64_t)v.f >= v.f && (double)(int64_t)v.f <= v.f)
        i = (int64_t)v.f;
    else if (v.t != V_STRING || !slice_int(v.s, &i))
        return false;
    *ret = VALUE_INT(i);
    return true;
}

static struct value fit(struct run *r, struct value v, char letter)
{
    if (letter == 'v')
        return v;
    if (letter == 'x')
        return v.t == V_NONE ? VALUE_NIL : v;
    if (value_nothing(v)) {
        if (letter == 'm')
            return VALUE_NIL;
        run_fail(r, "invalid value; expected %s", letter_type(letter));
    }
    struct value ret = v;
    bool good = letter == 's' ? v.t == V_STRING : letter == 'b' ? v.t == V_BOOL : letter == 'f' ? v.t == V_FLOAT : letter == 't' ? v.t == V_TIME
              : letter == 'm' ? v.t == V_MAP : as_int(v, &ret);
    if (!good)
        run_fail(r, "wrong type for value; expected %s; got %s", letter_type(letter), value_type_name(v));
    return ret;
}

static struct value eval_constant_argument(struct run *r, const struct node *n, char letter)
{
    struct value ret;
    if (letter == 'x' || letter == 'v')
        return constant(r, n);
    if (letter == 'b' && n->t == N_BOOL)
        return VALUE_TRUTH(n->truth);
    if (letter == 's' && n->t == N_STRING)
        return VALUE_STRING(n->value);
    if (letter == 'i' && n->t == N_NUMBER && n->num.is_int)
        return VALUE_INT(n->num.i);
    if (letter == 'i' && n->t == N_STRING && as_int(VALUE_STRING(n->value), &ret))
        return ret;
    if (letter == 'f' && n->t == N_NUMBER && n->num.is_float)
        return VALUE_FLOAT(n->num.f);
    const char *want = letter == 'i' ? "integer" : letter == 'f' ? "float" : letter_type(letter);
    if (letter == 'm' || letter == 't')
        run_fail(r, "can't handle " SLF " for arg of type %s", SLA(n->s), want);
    run_fail(r, "expected %s; found " SLF, want, SLA(n->s));
}

static struct value eval_command(struct run *r, struct value dot, const struct node *cmd, const struct value *final);

static struct value eval_argument(struct run *r, struct value dot, const struct node *n, char letter)
{
    r->at = n;
    run_step(r, 1);
    switch ((int)n->t) {
    case N_DOT:
        return fit(r, dot, letter);
    case N_NIL:
        if (letter == 's' || letter == 'i' || letter == 'f' || letter == 'b' || letter == 't')
            run_fail(r, "cannot assign nil to %s", letter_type(letter));
        return VALUE_NIL;
    case N_BOOL:
    case N_NUMBER:
    case N_STRING:
        return eval_constant_argument(r, n, letter);
    case N_PIPE:
        return fit(r, eval_pipe(r, dot, n), letter);
    default: {
        struct node *words[] = { NULL };
        struct node alone = { .t = N_COMMAND, .at = n->at, .list = { words, 1 } };
        memcpy(words, &n, sizeof(n)); /* a command of one word */
        struct value v = eval_command(r, dot, &alone, NULL);
        r->at = n;
        return fit(r, v, letter);
    }
    }
}

/* ---- calls ------------------------------------------------------------------------------------------------------- */

static char letter_at(const char *params, size_t i)
{
    size_t at = 0;
    while (i-- && params[at]) {
        if (params[at + 1] == '*')
            return params[at];
        at++;
    }
    return params[at];
}

static void check_count(struct run *r, const struct function *f, size_t got)
{
    const char *star = strchr(f->params, '*');
    size_t want = star ? (size_t)(star - f->params) - 1 : strlen(f->params);
    if (star ? got < want : got != want)
        run_fail(r, "wrong number of args for %s: want %s%zu got %zu", f->name, star ? "at least " : "", want, got);
}

static struct value eval_and_or(struct run *r, struct value dot, const struct node *cmd, const struct value *final)
{
    bool is_or = cmd->list.v[0]->fn->name[0] == 'o';
    struct value v = VALUE_NONE;
    for (size_t i = 1; i < cmd->list.n; i++) {
        v = eval_argument(r, dot, cmd->list.v[i], 'v');
        if (value_true(v) == is_or)
            return v;
    }
    return final ? *final : v;
}

static struct value eval_function(struct run *r, struct value dot, const struct node *cmd, const struct value *final)
{
    const struct node *name = cmd->list.v[0];
    const struct function *f = name->fn;
    size_t n = cmd->list.n - 1 + (final != NULL);
    r->at = name;
    r->calling = NULL;
    if (!f->call) {
        if (!n)
            run_fail(r, "wrong number of args for %s: want at least 1 got 0", f->name);
        return eval_and_or(r, dot, cmd, final);
    }
    check_count(r, f, n);
    struct value args[TEMPLATE_ARGUMENTS + 1];
    assert(n <= COUNT(args));
    for (size_t i = 0; i + 1 < cmd->list.n; i++)
        args[i] = eval_argument(r, dot, cmd->list.v[i + 1], letter_at(f->params, i));
    r->at = name;
    r->calling = NULL;
    if (final)
        args[n - 1] = fit(r, *final, letter_at(f->params, n - 1));
    r->calling = f->name;
    run_step(r, 1 + n);
    struct value ret = f->call(r, args, n);
    r->calling = NULL;
    return ret;
}

static void no_function(struct run *r, const struct node *cmd, const struct value *final)
{
    if (cmd->list.n < 2 && !final)
        return;
    struct text t = text_new(r->a, 256);
    node_print(&t, cmd->list.v[0], 0);
    run_fail(r, "can't give argument to non-function " SLF, (int)t.n, t.p ? t.p : "");
}

static struct value eval_field_chain(struct run *r, struct value dot, struct value from, const struct node *n, const struct node *cmd,
                                     const struct value *final)
{
    struct value args[TEMPLATE_ARGUMENTS + 1];
    size_t n_args = 0;
    bool has = cmd->list.n > 1 || final;
    for (size_t i = 0; i + 1 < n->names.n; i++)
        from = field_of(r, from, n->names.v[i], false, NULL, 0);
    if (has && (from.t == V_TIME || from.t == V_VERSION)) {
        for (size_t i = 1; i < cmd->list.n; i++)
            args[n_args++] = eval_argument(r, dot, cmd->list.v[i], 'x');
        if (final)
            args[n_args++] = *final;
        r->at = n;
    }
    return field_of(r, from, n->names.v[n->names.n - 1], has, args, n_args);
}

static struct value place(struct run *r, const struct node *n)
{
    const struct value *v = r->root.t == V_MAP ? map_get(r->root.m, n->s) : NULL;
    return v ? *v : VALUE_NONE;
}

static struct value eval_command(struct run *r, struct value dot, const struct node *cmd, const struct value *final)
{
    const struct node *first = cmd->list.v[0];
    r->at = first;
    run_step(r, 1);
    if (++r->evaluations > EVALUATION_DEPTH)
        run_limit(r, "depth");
    struct value v = VALUE_NONE;
    switch ((int)first->t) {
    case N_FUNCTION:
        v = eval_function(r, dot, cmd, final);
        break;
    case N_FIELD:
        v = eval_field_chain(r, dot, dot, first, cmd, final);
        break;
    case N_VARIABLE:
        v = *variable(r, first->s);
        if (first->names.n)
            v = eval_field_chain(r, dot, v, first, cmd, final);
        else
            no_function(r, cmd, final);
        break;
    case N_CHAIN:
        if (first->pipe->t == N_NIL)
            run_fail(r, "indirection through explicit nil");
        v = eval_argument(r, dot, first->pipe, 'v');
        r->at = first;
        v = eval_field_chain(r, dot, v, first, cmd, final);
        break;
    default:
        no_function(r, cmd, final);
        if (first->t == N_PIPE)
            v = eval_pipe(r, dot, first);
        else if (first->t == N_PLACE)
            v = place(r, first);
        else if (first->t == N_DOT)
            v = dot;
        else if (first->t == N_NIL)
            run_fail(r, "nil is not a command");
        else
            v = constant(r, first);
        break;
    }
    r->evaluations--;
    return v;
}

static struct value eval_pipe(struct run *r, struct value dot, const struct node *pipe)
{
    struct value v = VALUE_NONE;
    for (size_t i = 0; i < pipe->list.n; i++) {
        struct value before = v;
        v = plain(eval_command(r, dot, pipe->list.v[i], i ? &before : NULL));
    }
    r->at = pipe;
    for (size_t i = 0; i < pipe->names.n; i++) {
        if (pipe->assign)
            *variable(r, pipe->names.v[i]) = v;
        else
            push(r, pipe->names.v[i], v);
    }
    return v;
}

/* ---- actions ----------------------------------------------------------------------------------------------------- */

static void print_result(struct run *r, struct value v)
{
    if (!value_nothing(v))
        print_value(&r->output, v);
    else if (!r->o || !r->o->novalue_empty)
        out_put(&r->output, SL("<no value>"));
}

static enum leave one_turn(struct run *r, const struct node *n, struct value key, struct value element)
{
    size_t mark = r->n_vars, names = n->pipe->names.n;
    run_step(r, 1);
    if (names) {
        const slice *name = n->pipe->names.v;
        struct value *last = n->pipe->assign ? variable(r, name[names - 1]) : &r->vars[mark - 1].v;
        *last = element;
        if (names > 1)
            *(n->pipe->assign ? variable(r, name[0]) : &r->vars[mark - 2].v) = key;
    }
    enum leave how = walk(r, element, &n->list);
    r->n_vars = mark;
    return how;
}

static enum leave range(struct run *r, struct value dot, const struct node *n)
{
    struct value v = eval_pipe(r, dot, n->pipe);
    r->at = n;
    int64_t count = 0;
    struct entry *pairs = NULL;
    if (value_whole(v)) { /* a count; as one constant only where the language has no other meaning for it */
        count = v.i;
    } else if (v.t == V_FLOAT) {
        struct value whole;
        if (!as_int(v, &whole))
            run_fail(r, "range can't iterate over %g", v.f);
        run_fail(r, "range can't iterate over " SLF, SLA(value_text(r, v)));
    } else if (v.t == V_LIST) {
        count = (int64_t)v.l->n;
    } else if (v.t == V_MAP) { /* a copy of the pairs: the body may change the map */
        count = (int64_t)v.m->n;
        pairs = run_alloc(r, v.m->n * sizeof(*pairs));
        if (v.m->n)
            memcpy(pairs, v.m->e, v.m->n * sizeof(*pairs));
    } else if (!value_nothing(v)) {
        run_fail(r, "range can't iterate over " SLF, SLA(value_text(r, v)));
    }
    if (count <= 0)
        return walk(r, dot, &n->other);
    for (int64_t i = 0; i < count; i++) {
        struct value key = pairs ? VALUE_STRING(pairs[i].key) : VALUE_INT(i);
        struct value element = pairs ? pairs[i].v : v.t == V_LIST ? v.l->v[i] : VALUE_INT(i);
        if (one_turn(r, n, key, element) == LEAVE_BREAK)
            break;
    }
    return GO_ON;
}

static void call_template(struct run *r, struct value dot, const struct node *n)
{
    const struct definition *d = template_definition(r->t, n->value);
    r->at = n;
    if (!d)
        run_fail(r, "template \"" SLF "\" not defined", SLA(n->value));
    if (++r->depth > TEMPLATE_CALL_DEPTH)
        run_limit(r, "template depth");
    size_t mark = r->n_vars;
    struct value argument = n->pipe ? eval_pipe(r, dot, n->pipe) : VALUE_NONE;
    size_t frame = r->frame, body = r->n_vars;
    slice name = r->name;
    r->frame = body;
    r->name = d->name;
    push(r, SL("$"), argument);
    walk(r, argument, &d->body);
    r->name = name;
    r->frame = frame;
    r->n_vars = mark;
    r->depth--;
}

static enum leave walk_one(struct run *r, struct value dot, const struct node *n)
{
    size_t mark = r->n_vars;
    struct value v;
    enum leave how = GO_ON;
    r->at = n;
    run_step(r, 1);
    switch ((int)n->t) {
    case N_TEXT:
        out_put(&r->output, n->s);
        return GO_ON;
    case N_PLACE:
        print_result(r, place(r, n));
        return GO_ON;
    case N_ACTION:
        v = eval_pipe(r, dot, n->pipe);
        if (!n->pipe->names.n)
            print_result(r, v);
        return GO_ON; /* what it declared lives on */
    case N_IF:
    case N_WITH:
        v = eval_pipe(r, dot, n->pipe);
        how = value_true(v) ? walk(r, n->t == N_WITH ? v : dot, &n->list) : walk(r, dot, &n->other);
        break;
    case N_RANGE:
        how = range(r, dot, n);
        break;
    case N_TEMPLATE:
        call_template(r, dot, n);
        break;
    case N_BREAK:
        return LEAVE_BREAK;
    case N_CONTINUE:
        return LEAVE_CONTINUE;
    default:
        break;
    }
    r->n_vars = mark;
    return how;
}

static enum leave walk(struct run *r, struct value dot, const struct nodes *list)
{
    for (size_t i = 0; i < list->n; i++) {
        enum leave how = walk_one(r, dot, list->v[i]);
        if (how != GO_ON)
            return how;
    }
    return GO_ON;
}

bool template_render(const struct template *t, struct arena *a, struct value data, const struct template_options *o, slice *ret_out,
                     struct template_error *e)
{
    struct run *r = ARENA_NEW(a, struct run);
    int wall_ms = o && o->wall_ms ? o->wall_ms : TEMPLATE_WALL_MS;
    r->a = a;
    r->t = t;
    r->o = o;
    r->e = e;
    r->root = data;
    r->name = SL("response");
    r->random = (o ? o->random : 0) * UINT64_C(0x9e3779b97f4a7c15) + 1;
    r->ends_us = time_mono_us() + (int64_t)wall_ms * 1000;
    r->output = (struct text_out){ .r = r, .max = TEMPLATE_OUTPUT_BYTES, .which = "output" };
    if (setjmp(r->out))
        return false;
    push(r, SL("$"), plain(data));
    walk(r, plain(data), &t->root->body);
    *ret_out = out_slice(&r->output);
    return true;
}
