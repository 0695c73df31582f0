/* Sprig's number functions. */
#include "template/decimal.h"
#include "template/function.h"
#include "template/parse.h"
#include "template/print.h"
#include <math.h>

#define FN(name) static struct value name(struct run *r, const struct value *v, size_t n)

/* spf13/cast: "0x10" is 16, "042" is 34, "12.7" and "1e3" are 0, ".000" behind a number goes. */
static int64_t to_int64(struct value v)
{
    switch ((int)v.t) {
    case V_BOOL:
        return v.b;
    case V_INT:
    case V_INT64:
        return v.i;
    case V_FLOAT:
        return float_to_int(v.f);
    case V_STRING: {
        slice s = v.s;
        size_t dot = slice_find_last(s, '.');
        if (dot != SIZE_MAX && dot + 1 < s.n) {
            size_t i = dot + 1;
            while (i < s.n && s.p[i] == '0')
                i++;
            if (i == s.n)
                s = slice_sub(s, 0, dot);
        }
        int64_t i = 0;
        return go_int(s, &i) ? i : 0;
    }
    default:
        return 0;
    }
}

static double to_float64(struct value v)
{
    double f = 0;
    if (v.t == V_FLOAT)
        return v.f;
    if (v.t == V_STRING)
        return go_float(v.s, &f) ? f : 0;
    return v.t == V_BOOL || value_whole(v) ? (double)to_int64(v) : 0;
}

FN(f_int)
{
    (void)r, (void)n;
    return VALUE_INT(to_int64(v[0]));
}

FN(f_int64)
{
    (void)r, (void)n;
    return VALUE_INT64(to_int64(v[0]));
}

FN(f_float64)
{
    (void)r, (void)n;
    return VALUE_FLOAT(to_float64(v[0]));
}

FN(f_atoi)
{
    (void)r, (void)n;
    slice s = v[0].s;
    bool minus = s.n && s.p[0] == '-';
    size_t k = minus || (s.n && s.p[0] == '+');
    uint64_t u = 0, most = (uint64_t)INT64_MAX + minus;
    for (; k < s.n; k++) {
        if (s.p[k] < '0' || s.p[k] > '9')
            return VALUE_INT(0);
        if (__builtin_mul_overflow(u, (uint64_t)10, &u) || __builtin_add_overflow(u, (uint64_t)(s.p[k] - '0'), &u)) {
            u = UINT64_MAX; /* Go looks no further, either */
            break;
        }
    }
    u = MIN(u, most); /* of what is too large the nearest */
    return VALUE_INT(minus ? (int64_t)(0 - u) : (int64_t)u);
}

FN(f_to_decimal)
{
    (void)n;
    slice s = value_text(r, v[0]);
    int64_t i = 0;
    size_t k = s.n && (s.p[0] == '-' || s.p[0] == '+');
    if (k == s.n)
        return VALUE_INT64(0);
    for (; k < s.n; k++)
        if (s.p[k] < '0' || s.p[k] > '7' || __builtin_mul_overflow(i, 8, &i) || __builtin_add_overflow(i, s.p[k] - '0', &i))
            return VALUE_INT64(0);
    return VALUE_INT64(s.p[0] == '-' ? -i : i);
}

/* Whole numbers wrap around as Go's do; unsigned arithmetic is where C does. */
static int64_t wrap_add(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

static int64_t wrap_mul(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a * (uint64_t)b);
}

FN(f_add)
{
    (void)r;
    int64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum = wrap_add(sum, to_int64(v[i]));
    return VALUE_INT64(sum);
}

FN(f_add1)
{
    (void)r, (void)n;
    return VALUE_INT64(wrap_add(to_int64(v[0]), 1));
}

FN(f_sub)
{
    (void)r, (void)n;
    return VALUE_INT64((int64_t)((uint64_t)to_int64(v[0]) - (uint64_t)to_int64(v[1])));
}

FN(f_mul)
{
    (void)r;
    int64_t p = to_int64(v[0]);
    for (size_t i = 1; i < n; i++)
        p = wrap_mul(p, to_int64(v[i]));
    return VALUE_INT64(p);
}

FN(f_div)
{
    (void)n;
    int64_t a = to_int64(v[0]), b = to_int64(v[1]);
    if (b == 0)
        run_fail(r, "runtime error: integer divide by zero");
    return VALUE_INT64(b == -1 ? wrap_mul(a, -1) : a / b);
}

FN(f_mod)
{
    (void)n;
    int64_t a = to_int64(v[0]), b = to_int64(v[1]);
    if (b == 0)
        run_fail(r, "runtime error: integer divide by zero");
    return VALUE_INT64(b == -1 ? 0 : a % b);
}

FN(f_max)
{
    (void)r;
    int64_t m = to_int64(v[0]);
    for (size_t i = 1; i < n; i++)
        m = MAX(m, to_int64(v[i]));
    return VALUE_INT64(m);
}

FN(f_min)
{
    (void)r;
    int64_t m = to_int64(v[0]);
    for (size_t i = 1; i < n; i++)
        m = MIN(m, to_int64(v[i]));
    return VALUE_INT64(m);
}

FN(f_maxf)
{
    (void)r;
    double m = to_float64(v[0]);
    for (size_t i = 1; i < n; i++)
        m = fmax(m, to_float64(v[i]));
    return VALUE_FLOAT(m);
}

FN(f_minf)
{
    (void)r;
    double m = to_float64(v[0]);
    for (size_t i = 1; i < n; i++)
        m = fmin(m, to_float64(v[i]));
    return VALUE_FLOAT(m);
}

FN(f_ceil)
{
    (void)r, (void)n;
    return VALUE_FLOAT(ceil(to_float64(v[0])));
}

FN(f_floor)
{
    (void)r, (void)n;
    return VALUE_FLOAT(floor(to_float64(v[0])));
}

FN(f_round)
{
    (void)r;
    double on = n > 2 ? to_float64(v[2]) : 0.5, pow10 = pow(10, (double)v[1].i), digit = pow10 * to_float64(v[0]), whole;
    double part = modf(digit, &whole);
    return VALUE_FLOAT((part >= on ? ceil(digit) : floor(digit)) / pow10);
}

/* ---- exact decimals ---------------------------------------------------------------------------------------------- */

static struct decimal *operand(struct run *r, struct value v)
{
    double f = to_float64(v);
    if (isnan(f) || isinf(f))
        run_fail(r, "Cannot create a Decimal from %s", isnan(f) ? "NaN" : f > 0 ? "+Inf" : "-Inf");
    return decimal_of(r, f);
}

FN(f_addf)
{
    struct decimal *d = decimal_of(r, 0);
    for (size_t i = 0; i < n; i++)
        d = decimal_add(r, d, operand(r, v[i]), false);
    return VALUE_FLOAT(decimal_float(r, d));
}

FN(f_add1f)
{
    (void)n;
    return VALUE_FLOAT(decimal_float(r, decimal_add(r, operand(r, v[0]), decimal_of(r, 1), false)));
}

FN(f_subf)
{
    struct decimal *d = operand(r, v[0]);
    for (size_t i = 1; i < n; i++)
        d = decimal_add(r, d, operand(r, v[i]), true);
    return VALUE_FLOAT(decimal_float(r, d));
}

FN(f_mulf)
{
    struct decimal *d = operand(r, v[0]);
    for (size_t i = 1; i < n; i++)
        d = decimal_mul(r, d, operand(r, v[i]));
    return VALUE_FLOAT(decimal_float(r, d));
}

FN(f_divf)
{
    struct decimal *d = operand(r, v[0]);
    for (size_t i = 1; i < n; i++)
        d = decimal_div(r, d, operand(r, v[i]));
    return VALUE_FLOAT(decimal_float(r, d));
}

/* ---- sequences --------------------------------------------------------------------------------------------------- */

static struct list *sequence(struct run *r, int64_t from, int64_t to, int64_t step) /* without `to` */
{
    if (step == 0 || (step > 0 ? from >= to : from <= to))
        return list_new(r, 0, OF_INT);
    uint64_t distance = step > 0 ? (uint64_t)to - (uint64_t)from : (uint64_t)from - (uint64_t)to;
    uint64_t by = step > 0 ? (uint64_t)step : 0 - (uint64_t)step;
    uint64_t count = (distance - 1) / by + 1;
    struct list *l = list_new(r, (size_t)MIN(count, (uint64_t)TEMPLATE_ENTRIES + 1), OF_INT);
    for (size_t i = 0; i < l->n; i++)
        l->v[i] = VALUE_INT(wrap_add(from, wrap_mul((int64_t)i, step)));
    return l;
}

FN(f_until)
{
    (void)n;
    return VALUE_LIST(sequence(r, 0, v[0].i, v[0].i < 0 ? -1 : 1));
}

FN(f_until_step)
{
    (void)n;
    return VALUE_LIST(sequence(r, v[0].i, v[1].i, v[2].i));
}

FN(f_seq)
{
    int64_t from = 1, to = 0, step = 1;
    if (n == 0 || n > 3)
        return VALUE_STRING(SL(""));
    if (n == 1) {
        to = v[0].i;
        step = to < from ? -1 : 1;
    } else if (n == 2) {
        from = v[0].i, to = v[1].i;
        step = to < from ? -1 : 1;
    } else {
        from = v[0].i, step = v[1].i, to = v[2].i;
        if (step == 0 || (step > 0 && to < from))
            return VALUE_STRING(SL(""));
    }
    int64_t end = to;
    if (step > 0 ? end < INT64_MAX : end > INT64_MIN)
        end += step > 0 ? 1 : -1;
    struct list *l = sequence(r, from, end, step);
    struct text_out t = out_new(r);
    for (size_t i = 0; i < l->n; i++)
        out_fmt(&t, "%s%lld", i ? " " : "", (long long)l->v[i].i);
    return VALUE_STRING(out_slice(&t));
}

/* clang-format off */
static const struct function rows[] = {
    { "int", "x", f_int }, { "int64", "x", f_int64 }, { "float64", "x", f_float64 }, { "atoi", "s", f_atoi },
    { "toDecimal", "x", f_to_decimal }, { "add", "x*", f_add }, { "add1", "x", f_add1 }, { "sub", "xx", f_sub },
    { "mul", "xx*", f_mul }, { "div", "xx", f_div }, { "mod", "xx", f_mod }, { "max", "xx*", f_max }, { "biggest", "xx*", f_max },
    { "min", "xx*", f_min }, { "maxf", "xx*", f_maxf }, { "minf", "xx*", f_minf }, { "ceil", "x", f_ceil }, { "floor", "x", f_floor },
    { "round", "xif*", f_round }, { "addf", "x*", f_addf }, { "add1f", "x", f_add1f }, { "subf", "xx*", f_subf },
    { "mulf", "xx*", f_mulf }, { "divf", "xx*", f_divf }, { "until", "i", f_until }, { "untilStep", "iii", f_until_step },
    { "seq", "i*", f_seq },
};
/* clang-format on */
const struct functions functions_number = { rows, COUNT(rows) };
