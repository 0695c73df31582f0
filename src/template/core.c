/* The functions of the language itself, and defaults and flow. */
#include "template/eval.h"
#include "template/function.h"
#include "template/print.h"
#include "template/unicode.h"

#define FN(name) static struct value name(struct run *r, const struct value *v, size_t n)
#define UNUSED_N ((void)n, (void)r)

FN(f_not)
{
    UNUSED_N;
    return VALUE_TRUTH(!value_true(v[0]));
}

FN(f_eq)
{
    if (n < 2)
        run_fail(r, "missing argument for comparison");
    for (size_t i = 1; i < n; i++)
        if (compare_equal(r, v[0], v[i]))
            return VALUE_TRUTH(true);
    return VALUE_TRUTH(false);
}

FN(f_ne)
{
    UNUSED_N;
    return VALUE_TRUTH(!compare_equal(r, v[0], v[1]));
}

FN(f_lt)
{
    UNUSED_N;
    return VALUE_TRUTH(compare_less(r, v[0], v[1]));
}

FN(f_le)
{
    UNUSED_N;
    return VALUE_TRUTH(compare_less(r, v[0], v[1]) || compare_equal(r, v[0], v[1]));
}

FN(f_gt)
{
    UNUSED_N;
    return VALUE_TRUTH(!compare_less(r, v[0], v[1]) && !compare_equal(r, v[0], v[1]));
}

FN(f_ge)
{
    UNUSED_N;
    return VALUE_TRUTH(!compare_less(r, v[0], v[1]));
}

FN(f_len)
{
    UNUSED_N;
    switch ((int)v[0].t) {
    case V_STRING:
        return VALUE_INT(v[0].s.n);
    case V_LIST:
        return VALUE_INT(v[0].l->n);
    case V_MAP:
        return VALUE_INT(v[0].m->n);
    case V_NONE:
    case V_NIL:
        run_fail(r, "len of nil pointer");
    default:
        run_fail(r, "len of type %s", value_type_name(v[0]));
    }
}

static struct value index_one(struct run *r, struct value x, struct value i)
{
    if (value_nothing(x))
        run_fail(r, "index of untyped nil");
    if (x.t == V_MAP) {
        if (i.t != V_STRING)
            run_fail(r, value_nothing(i) ? "value is nil; should be of type string" : "value has type %s; should be string", value_type_name(i));
        const struct value *hit = map_get(x.m, i.s);
        return hit ? *hit : x.m->of == OF_STRING ? VALUE_STRING(SL("")) : VALUE_NONE;
    }
    if (x.t != V_LIST && x.t != V_STRING)
        run_fail(r, "can't index item of type %s", value_type_name(x));
    if (!value_whole(i))
        run_fail(r, value_nothing(i) ? "cannot index slice/array with nil" : "cannot index slice/array with type %s", value_type_name(i));
    size_t len = x.t == V_LIST ? x.l->n : x.s.n;
    if (i.i < 0 || (uint64_t)i.i >= len)
        run_fail(r, "index out of range: %lld", (long long)i.i);
    return x.t == V_LIST ? x.l->v[i.i] : VALUE_INT((unsigned char)x.s.p[i.i]);
}

FN(f_index)
{
    struct value x = v[0];
    if (value_nothing(x))
        run_fail(r, "index of untyped nil");
    for (size_t i = 1; i < n; i++)
        x = index_one(r, x, v[i]);
    return x;
}

FN(f_print)
{
    struct text_out t = out_new(r);
    print_operands(&t, v, n, false);
    return VALUE_STRING(out_slice(&t));
}

FN(f_println)
{
    struct text_out t = out_new(r);
    print_operands(&t, v, n, true);
    return VALUE_STRING(out_slice(&t));
}

FN(f_printf)
{
    struct text_out t = out_new(r);
    print_format(&t, v[0].s, v + 1, n - 1);
    return VALUE_STRING(out_slice(&t));
}

static slice operands(struct run *r, const struct value *v, size_t n)
{
    struct text_out t = out_new(r);
    struct value shown[TEMPLATE_ARGUMENTS + 1];
    if (n == 1 && v[0].t == V_STRING)
        return v[0].s;
    for (size_t i = 0; i < n; i++) /* no value prints itself here, too */
        shown[i] = value_nothing(v[i]) ? VALUE_STRING(SL("<no value>")) : v[i];
    print_operands(&t, shown, n, false);
    return out_slice(&t);
}

FN(f_html)
{
    static const struct {
        char c;
        const char *to;
    } rows[] = { { 0, "\xef\xbf\xbd" }, { '"', "&#34;" }, { '\'', "&#39;" }, { '&', "&amp;" }, { '<', "&lt;" }, { '>', "&gt;" } };
    slice s = operands(r, v, n);
    struct text_out t = out_new(r);
    for (size_t i = 0; i < s.n; i++) {
        size_t k = 0;
        while (k < COUNT(rows) && rows[k].c != s.p[i])
            k++;
        out_put(&t, k < COUNT(rows) ? slice_of(rows[k].to) : slice_sub(s, i, 1));
    }
    return VALUE_STRING(out_slice(&t));
}

FN(f_js)
{
    slice s = operands(r, v, n);
    struct text_out t = out_new(r);
    for (size_t at = 0; at < s.n;) {
        size_t from = at;
        uint32_t c = rune_next(s, &at);
        if (c == '\\' || c == '\'' || c == '"')
            out_char(&t, '\\'), out_char(&t, (char)c);
        else if (c == '<' || c == '>' || c == '&' || c == '=' || c < 0x20 || !rune_is_print(c))
            out_fmt(&t, "\\u%04X", c);
        else
            out_put(&t, slice_sub(s, from, at - from));
    }
    return VALUE_STRING(out_slice(&t));
}

FN(f_urlquery)
{
    slice s = operands(r, v, n);
    struct text_out t = out_new(r);
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (((c | 32) >= 'a' && (c | 32) <= 'z') || (c >= '0' && c <= '9') || (c && strchr("-_.~", c)))
            out_char(&t, (char)c);
        else if (c == ' ')
            out_char(&t, '+');
        else
            out_fmt(&t, "%%%02X", c);
    }
    return VALUE_STRING(out_slice(&t));
}

/* ---- defaults and flow ------------------------------------------------------------------------------------------- */

FN(f_default)
{
    UNUSED_N;
    return n > 1 && value_true(v[1]) ? v[1] : v[0];
}

FN(f_empty)
{
    UNUSED_N;
    return VALUE_TRUTH(!value_true(v[0]));
}

FN(f_coalesce)
{
    UNUSED_N;
    for (size_t i = 0; i < n; i++)
        if (value_true(v[i]))
            return v[i];
    return VALUE_NIL;
}

FN(f_all)
{
    UNUSED_N;
    for (size_t i = 0; i < n; i++)
        if (!value_true(v[i]))
            return VALUE_TRUTH(false);
    return VALUE_TRUTH(true);
}

FN(f_any)
{
    UNUSED_N;
    for (size_t i = 0; i < n; i++)
        if (value_true(v[i]))
            return VALUE_TRUTH(true);
    return VALUE_TRUTH(false);
}

FN(f_ternary)
{
    UNUSED_N;
    return v[2].b ? v[0] : v[1];
}

FN(f_fail)
{
    UNUSED_N;
    run_fail(r, SLF, SLA(v[0].s));
}

FN(f_hello)
{
    UNUSED_N;
    (void)v;
    return VALUE_STRING(SL("Hello!"));
}

/* clang-format off */
static const struct function rows[] = {
    { "and", "v*", NULL }, { "or", "v*", NULL }, { "not", "v", f_not },
    { "eq", "vv*", f_eq }, { "ne", "vv", f_ne }, { "lt", "vv", f_lt }, { "le", "vv", f_le }, { "gt", "vv", f_gt }, { "ge", "vv", f_ge },
    { "len", "v", f_len }, { "index", "vv*", f_index },
    { "print", "x*", f_print }, { "println", "x*", f_println }, { "printf", "sx*", f_printf },
    { "html", "v*", f_html }, { "js", "v*", f_js }, { "urlquery", "v*", f_urlquery },
    { "default", "xx*", f_default }, { "empty", "x", f_empty }, { "coalesce", "x*", f_coalesce }, { "all", "x*", f_all },
    { "any", "x*", f_any }, { "ternary", "xxb", f_ternary }, { "fail", "s", f_fail }, { "hello", "", f_hello },
};
/* clang-format on */
const struct functions functions_core = { rows, COUNT(rows) };
