/* Sprig's map functions. The map of arguments (strings) is read like any other; what changes it works on a copy. */
#include "template/eval.h"
#include "template/function.h"
#include "template/print.h"

#define FN(name) static struct value name(struct run *r, const struct value *v, size_t n)

static const struct map *readable(struct value v)
{
    static const struct map none = { .n = 0 };
    return v.t == V_MAP ? v.m : &none;
}

static struct map *copied(struct run *r, const struct map *m)
{
    struct map *to = map_new(r, OF_ANY);
    to->n = to->cap = m->n;
    to->e = run_alloc(r, m->n * sizeof(*m->e) + 1);
    if (m->n)
        memcpy(to->e, m->e, m->n * sizeof(*m->e));
    run_step(r, m->n);
    return to;
}

static struct map *writable(struct run *r, struct value v)
{
    if (v.t != V_MAP)
        run_fail(r, "assignment to entry in nil map");
    return v.m->of == OF_STRING ? copied(r, v.m) : v.m;
}

FN(f_dict)
{
    struct map *m = map_new(r, OF_ANY);
    for (size_t i = 0; i < n; i += 2)
        map_set(r, m, value_text(r, v[i]), i + 1 < n ? v[i + 1] : VALUE_STRING(SL("")));
    return VALUE_MAP(m);
}

FN(f_get)
{
    (void)n;
    run_step(r, v[1].s.n / 64);
    const struct value *hit = map_get(readable(v[0]), v[1].s);
    return hit ? *hit : VALUE_STRING(SL(""));
}

FN(f_set)
{
    (void)n;
    struct map *m = writable(r, v[0]);
    map_set(r, m, v[1].s, v[2]);
    return VALUE_MAP(m);
}

FN(f_unset)
{
    (void)n;
    if (v[0].t != V_MAP)
        return v[0];
    struct map *m = writable(r, v[0]);
    map_drop(m, v[1].s);
    run_step(r, m->n / 2);
    return VALUE_MAP(m);
}

FN(f_has_key)
{
    (void)n;
    run_step(r, v[1].s.n / 64);
    return VALUE_TRUTH(map_get(readable(v[0]), v[1].s) != NULL);
}

FN(f_pluck)
{
    struct gather g = gather_new(r, OF_ANY);
    for (size_t i = 1; i < n; i++) {
        const struct value *hit = map_get(readable(v[i]), v[0].s);
        if (hit)
            gather_add(&g, *hit);
    }
    return VALUE_LIST(g.l);
}

FN(f_keys)
{
    struct gather g = gather_new(r, OF_STRING);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < readable(v[i])->n; k++)
            gather_add(&g, VALUE_STRING(v[i].m->e[k].key));
    return VALUE_LIST(g.l);
}

FN(f_values)
{
    (void)n;
    struct gather g = gather_new(r, OF_ANY);
    for (size_t k = 0; k < readable(v[0])->n; k++)
        gather_add(&g, v[0].m->e[k].v);
    return VALUE_LIST(g.l);
}

FN(f_pick)
{
    struct map *m = map_new(r, OF_ANY);
    for (size_t i = 1; i < n; i++) {
        const struct value *hit = map_get(readable(v[0]), v[i].s);
        if (hit)
            map_set(r, m, v[i].s, *hit);
    }
    return VALUE_MAP(m);
}

FN(f_omit)
{
    struct map *m = copied(r, readable(v[0]));
    for (size_t i = 1; i < n; i++) {
        map_drop(m, v[i].s);
        run_step(r, 1 + m->n / 2);
    }
    return VALUE_MAP(m);
}

/* Fills what is absent or empty in dst, with anything but nil; with `over`, what src has wins, nil too, but a map only over what is empty. Maps within maps likewise. */
static void merge(struct run *r, struct map *dst, const struct map *src, bool over, int depth)
{
    if (depth > TEMPLATE_VALUE_DEPTH)
        run_limit(r, "depth");
    for (size_t i = 0; i < src->n; i++) {
        struct value v = src->e[i].v;
        const struct value *have = map_get(dst, src->e[i].key);
        bool empty = !have || !value_true(*have);
        run_step(r, 1);
        if (have && have->t == V_MAP && v.t == V_MAP && have->m != v.m)
            merge(r, have->m, v.m, over, depth + 1);
        else if (over ? v.t != V_MAP || empty : empty && !value_nothing(v))
            map_set(r, dst, src->e[i].key, v);
    }
}

static struct value merged(struct run *r, const struct value *v, size_t n, bool over)
{
    struct map *m = writable(r, v[0]);
    for (size_t i = 1; i < n; i++)
        if (readable(v[i]) != m)
            merge(r, m, readable(v[i]), over, 0);
    return VALUE_MAP(m);
}

FN(f_merge)
{
    return merged(r, v, n, false);
}

FN(f_merge_overwrite)
{
    return merged(r, v, n, true);
}

static struct value deep_copy(struct run *r, struct value v, int depth)
{
    if (depth > TEMPLATE_VALUE_DEPTH)
        run_limit(r, "depth");
    run_step(r, 1);
    if (v.t == V_LIST) {
        struct list *l = list_new(r, v.l->n, v.l->of);
        for (size_t i = 0; i < l->n; i++)
            l->v[i] = deep_copy(r, v.l->v[i], depth + 1);
        return VALUE_LIST(l);
    }
    if (v.t == V_MAP) {
        struct map *m = copied(r, v.m);
        m->of = v.m->of;
        for (size_t i = 0; i < m->n; i++)
            m->e[i].v = deep_copy(r, m->e[i].v, depth + 1);
        return VALUE_MAP(m);
    }
    return v;
}

FN(f_deep_copy)
{
    (void)n;
    if (value_nothing(v[0]))
        run_fail(r, "reflect: Elem of invalid type");
    return deep_copy(r, v[0], 0);
}

FN(f_dig)
{
    if (n < 3)
        run_fail(r, "dig needs at least three arguments");
    struct value at = v[n - 1];
    for (size_t i = 0; i + 2 < n; i++) {
        if (at.t != V_MAP || v[i].t != V_STRING)
            run_fail(r, "interface conversion: interface {} is %s, not %s", value_type_name(at.t != V_MAP ? at : v[i]),
                     at.t != V_MAP ? "map[string]interface {}" : "string");
        const struct value *hit = map_get(at.m, v[i].s);
        if (!hit)
            return v[n - 2];
        at = *hit;
    }
    return at;
}

/* clang-format off */
static const struct function rows[] = {
    { "dict", "x*", f_dict }, { "get", "ms", f_get }, { "set", "msx", f_set }, { "unset", "ms", f_unset }, { "hasKey", "ms", f_has_key },
    { "pluck", "sm*", f_pluck }, { "keys", "m*", f_keys }, { "values", "m", f_values }, { "pick", "ms*", f_pick },
    { "omit", "ms*", f_omit }, { "merge", "mm*", f_merge }, { "mustMerge", "mm*", f_merge },
    { "mergeOverwrite", "mm*", f_merge_overwrite }, { "mustMergeOverwrite", "mm*", f_merge_overwrite },
    { "deepCopy", "x", f_deep_copy }, { "mustDeepCopy", "x", f_deep_copy }, { "dig", "xx*", f_dig },
};
/* clang-format on */
const struct functions functions_map = { rows, COUNT(rows) };
