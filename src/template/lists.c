/* Sprig's list functions. All return new lists. */
#include "template/eval.h"
#include "template/function.h"

#define FN(name) static struct value name(struct run *r, const struct value *v, size_t n)

static struct list *need(struct run *r, struct value v, const char *what)
{
    if (v.t != V_LIST)
        run_fail(r, "Cannot %s on type %s", what, v.t == V_NIL || v.t == V_NONE ? "nil" : value_kind_name(v));
    return v.l;
}

static struct list *part(struct run *r, const struct list *l, size_t from, size_t to, enum value_of of)
{
    struct list *out = list_new(r, to - from, of);
    if (to > from)
        memcpy(out->v, l->v + from, (to - from) * sizeof(*l->v));
    return out;
}

FN(f_list)
{
    struct list *l = list_new(r, n, OF_ANY);
    if (n)
        memcpy(l->v, v, n * sizeof(*v));
    return VALUE_LIST(l);
}

FN(f_first)
{
    (void)n;
    struct list *l = need(r, v[0], "find first");
    return l->n ? l->v[0] : VALUE_NIL;
}

FN(f_last)
{
    (void)n;
    struct list *l = need(r, v[0], "find last");
    return l->n ? l->v[l->n - 1] : VALUE_NIL;
}

FN(f_rest)
{
    (void)n;
    struct list *l = need(r, v[0], "find rest");
    return VALUE_LIST(part(r, l, MIN(l->n, (size_t)1), l->n, OF_ANY));
}

FN(f_initial)
{
    (void)n;
    struct list *l = need(r, v[0], "find initial");
    return VALUE_LIST(part(r, l, 0, l->n - (l->n > 0), OF_ANY));
}

FN(f_append)
{
    (void)n;
    struct list *l = need(r, v[0], "push"), *out = list_new(r, l->n + 1, OF_ANY);
    if (l->n)
        memcpy(out->v, l->v, l->n * sizeof(*l->v));
    out->v[l->n] = v[1];
    return VALUE_LIST(out);
}

FN(f_prepend)
{
    (void)n;
    struct list *l = need(r, v[0], "prepend"), *out = list_new(r, l->n + 1, OF_ANY);
    if (l->n)
        memcpy(out->v + 1, l->v, l->n * sizeof(*l->v));
    out->v[0] = v[1];
    return VALUE_LIST(out);
}

FN(f_concat)
{
    struct gather g = gather_new(r, OF_ANY);
    for (size_t i = 0; i < n; i++) {
        struct list *l = need(r, v[i], "concat");
        for (size_t k = 0; k < l->n; k++)
            gather_add(&g, l->v[k]);
    }
    return VALUE_LIST(g.l);
}

FN(f_reverse)
{
    (void)n;
    struct list *l = need(r, v[0], "find reverse"), *out = list_new(r, l->n, OF_ANY);
    for (size_t i = 0; i < l->n; i++)
        out->v[i] = l->v[l->n - 1 - i];
    return VALUE_LIST(out);
}

static bool holds(struct run *r, const struct value *v, size_t n, struct value x)
{
    for (size_t i = 0; i < n; i++)
        if (value_same(r, v[i], x, 0))
            return true;
    return false;
}

FN(f_uniq)
{
    (void)n;
    struct list *l = need(r, v[0], "find uniq");
    struct gather g = gather_new(r, OF_ANY);
    for (size_t i = 0; i < l->n; i++)
        if (!holds(r, g.l->v, g.l->n, l->v[i]))
            gather_add(&g, l->v[i]);
    return VALUE_LIST(g.l);
}

FN(f_without)
{
    struct list *l = need(r, v[0], "find without");
    struct gather g = gather_new(r, OF_ANY);
    for (size_t i = 0; i < l->n; i++)
        if (!holds(r, v + 1, n - 1, l->v[i]))
            gather_add(&g, l->v[i]);
    return VALUE_LIST(g.l);
}

FN(f_has)
{
    (void)n;
    if (v[1].t == V_NIL)
        return VALUE_TRUTH(false);
    struct list *l = need(r, v[1], "find has");
    return VALUE_TRUTH(holds(r, l->v, l->n, v[0]));
}

FN(f_compact)
{
    (void)n;
    struct list *l = need(r, v[0], "compact");
    struct gather g = gather_new(r, OF_ANY);
    for (size_t i = 0; i < l->n; i++)
        if (value_true(l->v[i]))
            gather_add(&g, l->v[i]);
    return VALUE_LIST(g.l);
}

static int64_t whole(struct value v)
{
    int64_t i = 0;
    return value_whole(v) ? v.i : v.t == V_FLOAT ? float_to_int(v.f) : v.t == V_STRING && slice_int(v.s, &i) ? i : 0;
}

FN(f_slice)
{
    struct list *l = need(r, v[0], "slice");
    if (!l->n)
        return VALUE_NIL;
    int64_t from = n > 1 ? whole(v[1]) : 0, to = n > 2 ? whole(v[2]) : (int64_t)l->n;
    if (from < 0 || to < from || to > (int64_t)l->n)
        run_fail(r, "reflect.Value.Slice: slice index out of bounds");
    return VALUE_LIST(part(r, l, (size_t)from, (size_t)to, l->of));
}

FN(f_chunk)
{
    (void)n;
    struct list *l = need(r, v[1], "chunk");
    int64_t size = v[0].i;
    if (size <= 0)
        run_fail(r, "integer divide by zero");
    struct gather g = gather_new(r, OF_LIST);
    for (size_t i = 0; i < l->n; i += (size_t)size) {
        size_t to = (uint64_t)size < l->n - i ? i + (size_t)size : l->n;
        gather_add(&g, VALUE_LIST(part(r, l, i, to, OF_ANY)));
        if (to == l->n)
            break;
    }
    return VALUE_LIST(g.l);
}

FN(f_deep_equal)
{
    (void)n;
    return VALUE_TRUTH(value_same(r, v[0], v[1], 0));
}

/* clang-format off */
#define BOTH(name, must, params, f) { name, params, f }, { must, params, f }
static const struct function rows[] = {
    { "list", "x*", f_list }, { "tuple", "x*", f_list },
    BOTH("first", "mustFirst", "x", f_first), BOTH("last", "mustLast", "x", f_last), BOTH("rest", "mustRest", "x", f_rest),
    BOTH("initial", "mustInitial", "x", f_initial), BOTH("append", "mustAppend", "xx", f_append), BOTH("push", "mustPush", "xx", f_append),
    BOTH("prepend", "mustPrepend", "xx", f_prepend), { "concat", "x*", f_concat }, BOTH("reverse", "mustReverse", "x", f_reverse),
    BOTH("uniq", "mustUniq", "x", f_uniq), BOTH("without", "mustWithout", "xx*", f_without), BOTH("has", "mustHas", "xx", f_has),
    BOTH("compact", "mustCompact", "x", f_compact), BOTH("slice", "mustSlice", "xx*", f_slice), BOTH("chunk", "mustChunk", "ix", f_chunk),
    { "deepEqual", "xx", f_deep_equal },
};
/* clang-format on */
const struct functions functions_list = { rows, COUNT(rows) };
