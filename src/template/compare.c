#include "template/eval.h"
#include <math.h>

enum kind { KIND_NONE, KIND_BOOL, KIND_INT, KIND_FLOAT, KIND_STRING };

static enum kind kind_of(struct value v)
{
    return v.t == V_BOOL ? KIND_BOOL : value_whole(v) ? KIND_INT : v.t == V_FLOAT ? KIND_FLOAT : v.t == V_STRING ? KIND_STRING : KIND_NONE;
}

/* -?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)? and nothing else */
static bool decimal_text(slice s, double *ret)
{
    size_t i = s.n && s.p[0] == '-', digits = 0;
    bool dot = false;
    for (; i < s.n; i++) {
        char c = s.p[i];
        if (c >= '0' && c <= '9') {
            digits++;
        } else if (c == '.' && digits && !dot) {
            dot = true;
            digits = 0;
        } else if ((c == 'e' || c == 'E') && digits) {
            i += i + 1 < s.n && (s.p[i + 1] == '+' || s.p[i + 1] == '-');
            for (digits = 0, i++; i < s.n; i++, digits++)
                if (s.p[i] < '0' || s.p[i] > '9')
                    return false;
            break;
        } else {
            return false;
        }
    }
    return digits && slice_double(s, ret);
}

/* Numbers of different kinds, and number with decimal text, compare by value. */
static bool both_numbers(struct value a, struct value b, double *ret_a, double *ret_b)
{
    enum kind ka = kind_of(a), kb = kind_of(b);
    if (ka == kb || ka == KIND_NONE || kb == KIND_NONE || ka == KIND_BOOL || kb == KIND_BOOL)
        return false;
    *ret_a = ka == KIND_INT ? (double)a.i : a.f;
    *ret_b = kb == KIND_INT ? (double)b.i : b.f;
    return (ka != KIND_STRING || decimal_text(a.s, ret_a)) && (kb != KIND_STRING || decimal_text(b.s, ret_b));
}

bool compare_equal(struct run *r, struct value a, struct value b)
{
    double x, y;
    if (both_numbers(a, b, &x, &y))
        return x >= y && x <= y;
    enum kind ka = kind_of(a), kb = kind_of(b);
    if (value_nothing(a) || value_nothing(b))
        return value_nothing(a) && value_nothing(b);
    if (ka != kb)
        run_fail(r, "incompatible types for comparison");
    switch (ka) {
    case KIND_BOOL:
        return a.b == b.b;
    case KIND_INT:
        return a.i == b.i;
    case KIND_FLOAT:
        return a.f >= b.f && a.f <= b.f;
    case KIND_STRING:
        run_step(r, MIN(a.s.n, b.s.n) / 64);
        return slice_eq(a.s, b.s);
    case KIND_NONE:
        break;
    }
    if (a.t == V_TIME && b.t == V_TIME)
        return a.at.s == b.at.s && a.at.ns == b.at.ns;
    if (a.t == V_VERSION && b.t == V_VERSION)
        return a.v == b.v;
    run_fail(r, "non-comparable type %s", value_type_name(a));
}

bool compare_less(struct run *r, struct value a, struct value b)
{
    double x, y;
    if (both_numbers(a, b, &x, &y))
        return x < y;
    enum kind ka = kind_of(a), kb = kind_of(b);
    if (ka == KIND_NONE || kb == KIND_NONE)
        run_fail(r, "invalid type for comparison");
    if (ka != kb)
        run_fail(r, "incompatible types for comparison");
    if (ka == KIND_BOOL)
        run_fail(r, "invalid type for comparison");
    if (ka == KIND_STRING)
        run_step(r, MIN(a.s.n, b.s.n) / 64);
    return ka == KIND_INT ? a.i < b.i : ka == KIND_FLOAT ? a.f < b.f : slice_cmp(a.s, b.s) < 0;
}

bool value_same(struct run *r, struct value a, struct value b, int depth)
{
    run_step(r, 1);
    if (depth > TEMPLATE_VALUE_DEPTH)
        run_limit(r, "depth");
    if (value_nothing(a) || value_nothing(b))
        return value_nothing(a) && value_nothing(b);
    if (a.t != b.t)
        return false;
    switch (a.t) {
    case V_NONE:
    case V_NIL:
        return true;
    case V_BOOL:
        return a.b == b.b;
    case V_INT:
    case V_INT64:
        return a.i == b.i;
    case V_FLOAT:
        return a.f >= b.f && a.f <= b.f;
    case V_STRING:
        run_step(r, a.s.n / 64);
        return slice_eq(a.s, b.s);
    case V_LIST:
        if (a.l->n != b.l->n || a.l->of != b.l->of)
            return false;
        for (size_t i = 0; i < a.l->n; i++)
            if (!value_same(r, a.l->v[i], b.l->v[i], depth + 1))
                return false;
        return true;
    case V_MAP:
        if (a.m->n != b.m->n || a.m->of != b.m->of)
            return false;
        for (size_t i = 0; i < a.m->n; i++)
            if (!slice_eq(a.m->e[i].key, b.m->e[i].key) || !value_same(r, a.m->e[i].v, b.m->e[i].v, depth + 1))
                return false;
        return true;
    case V_TIME:
        return a.at.s == b.at.s && a.at.ns == b.at.ns;
    case V_VERSION:
        break;
    }
    return slice_eq(a.v->original, b.v->original);
}
