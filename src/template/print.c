#include "template/print.h"
#include "template/unicode.h"
#include <math.h>

void print_float(struct text_out *t, double f, char verb, int precision)
{
    if (isnan(f) || isinf(f)) {
        out_put(t, isnan(f) ? SL("NaN") : f > 0 ? SL("+Inf") : SL("-Inf"));
        return;
    }
    if (precision >= 0 && (verb == 'e' || verb == 'f')) {
        char buf[400 + TEMPLATE_WIDTH];
        int n = verb == 'e' ? snprintf(buf, sizeof(buf), "%.*e", precision, f) : snprintf(buf, sizeof(buf), "%.*f", precision, f);
        out_put(t, (slice){ buf, (size_t)n });
        return;
    }
    char digits[400];
    int exp, n;
    if (precision >= 0) { /* g with a precision: that many digits, trailing zeros dropped */
        char buf[400 + TEMPLATE_WIDTH];
        int keep = precision ? precision : 1;
        snprintf(buf, sizeof(buf), "%.*e", MIN(keep, 350) - 1, fabs(f));
        const char *e = strchr(buf, 'e');
        exp = (int)strtod(e + 1, NULL);
        n = 0;
        for (const char *p = buf; p < e; p++)
            if (*p != '.')
                digits[n++] = *p;
        while (n > 1 && digits[n - 1] == '0')
            n--;
    } else {
        n = float_digits(f, digits, &exp);
    }
    if (signbit(f))
        out_char(t, '-');
    int limit = precision < 0 ? 6 : MAX(n, precision ? precision : 1); /* where the exponent form begins */
    bool scientific = verb == 'e' || (verb != 'f' && (exp < -4 || exp >= limit));
    if (scientific) {
        out_char(t, digits[0]);
        if (n > 1) {
            out_char(t, '.');
            out_put(t, (slice){ digits + 1, (size_t)n - 1 });
        }
        out_fmt(t, "e%c%02d", exp < 0 ? '-' : '+', exp < 0 ? -exp : exp);
        return;
    }
    if (exp < 0) {
        out_put(t, SL("0."));
        out_fill(t, '0', (size_t)(-exp - 1));
        out_put(t, (slice){ digits, (size_t)n });
        return;
    }
    for (int i = 0; i <= exp || i < n; i++) {
        if (i == exp + 1)
            out_char(t, '.');
        out_char(t, i < n ? digits[i] : '0');
    }
}

static void print_deep(struct text_out *t, struct value v, int depth)
{
    run_step(t->r, 1);
    if (depth > TEMPLATE_VALUE_DEPTH)
        run_limit(t->r, "depth");
    switch (v.t) {
    case V_NONE:
    case V_NIL:
        out_put(t, SL("<nil>"));
        break;
    case V_BOOL:
        out_put(t, v.b ? SL("true") : SL("false"));
        break;
    case V_INT:
    case V_INT64:
        out_fmt(t, "%lld", (long long)v.i);
        break;
    case V_FLOAT:
        print_float(t, v.f, 'v', -1);
        break;
    case V_STRING:
        out_put(t, v.s);
        break;
    case V_LIST:
        out_char(t, '[');
        for (size_t i = 0; i < v.l->n; i++) {
            if (i)
                out_char(t, ' ');
            print_deep(t, v.l->v[i], depth + 1);
        }
        out_char(t, ']');
        break;
    case V_MAP:
        out_put(t, SL("map["));
        for (size_t i = 0; i < v.m->n; i++) {
            if (i)
                out_char(t, ' ');
            out_put(t, v.m->e[i].key);
            out_char(t, ':');
            print_deep(t, v.m->e[i].v, depth + 1);
        }
        out_char(t, ']');
        break;
    case V_TIME:
        time_print(t, v.at);
        break;
    case V_VERSION:
        out_fmt(t, "%llu.%llu.%llu", (unsigned long long)v.v->major, (unsigned long long)v.v->minor, (unsigned long long)v.v->patch);
        if (v.v->pre.n)
            out_char(t, '-'), out_put(t, v.v->pre);
        if (v.v->meta.n)
            out_char(t, '+'), out_put(t, v.v->meta);
        break;
    }
}

void print_value(struct text_out *t, struct value v)
{
    print_deep(t, v, 0);
}

slice value_text(struct run *r, struct value v)
{
    if (v.t == V_STRING)
        return v.s;
    struct text_out t = out_new(r);
    print_value(&t, v);
    return out_slice(&t);
}

void print_operands(struct text_out *t, const struct value *v, size_t n, bool line)
{
    for (size_t i = 0; i < n; i++) {
        if (i && (line || (v[i].t != V_STRING && v[i - 1].t != V_STRING)))
            out_char(t, ' ');
        print_value(t, v[i]);
    }
    if (line)
        out_char(t, '\n');
}

static void quoted_rune(struct text_out *t, uint32_t c, bool bad, unsigned char byte, char quote, bool ascii)
{
    static const char plain[] = "abfnrtv", raw[] = "\a\b\f\n\r\t\v";
    const char *hit = c && c < 0x80 ? strchr(raw, (char)c) : NULL;
    if (bad)
        out_fmt(t, "\\x%02x", byte);
    else if (c == (unsigned char)quote || c == '\\')
        out_char(t, '\\'), out_char(t, (char)c);
    else if (hit && *hit)
        out_char(t, '\\'), out_char(t, plain[hit - raw]);
    else if (rune_is_print(c) && (!ascii || c < 0x80))
        out_rune(t, c);
    else if (c < ' ' || c == 0x7f)
        out_fmt(t, "\\x%02x", c);
    else if (c < 0x10000)
        out_fmt(t, "\\u%04x", c);
    else
        out_fmt(t, "\\U%08x", c);
}

void print_quoted(struct text_out *t, slice s, bool ascii)
{
    out_char(t, '"');
    for (size_t at = 0; at < s.n;) {
        size_t from = at;
        uint32_t c = rune_next(s, &at);
        quoted_rune(t, c, c == RUNE_BAD && at - from == 1, (unsigned char)s.p[from], '"', ascii);
    }
    out_char(t, '"');
}

/* ---- printf ------------------------------------------------------------------------------------------------------ */

struct spec {
    bool plus, minus, sharp, space, zero, has_width, has_precision;
    int width, precision;
    char verb_utf8[4];
    size_t verb_n;
    uint32_t verb;
};

/* Pads what was written behind `from` to the width, counted in characters. */
static void pad(struct text_out *t, size_t from, const struct spec *f, bool zero)
{
    size_t chars = utf8_len(slice_from(out_slice(t), from));
    if (!f->has_width || (size_t)f->width <= chars)
        return;
    size_t fill = (size_t)f->width - chars, had = t->n - from;
    out_fill(t, f->minus ? ' ' : zero ? '0' : ' ', fill);
    if (f->minus)
        return;
    size_t sign = zero && had && (t->p[from] == '-' || t->p[from] == '+' || t->p[from] == ' ') ? 1 : 0;
    memmove(t->p + from + sign + fill, t->p + from + sign, had - sign);
    memset(t->p + from + sign, zero ? '0' : ' ', fill);
}

static void pad_text(struct text_out *t, size_t from, const struct spec *f)
{
    size_t chars = utf8_len(slice_from(out_slice(t), from));
    if (!f->has_width || (size_t)f->width <= chars)
        return;
    size_t fill = (size_t)f->width - chars, had = t->n - from;
    bool zero = f->zero && !f->minus;
    out_fill(t, zero ? '0' : ' ', fill);
    if (f->minus)
        return;
    memmove(t->p + from + fill, t->p + from, had);
    memset(t->p + from, zero ? '0' : ' ', fill);
}

static void format_int(struct text_out *t, int64_t v, int base, const struct spec *f, const char *prefix, bool upper)
{
    char buf[80];
    size_t n = sizeof(buf);
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    if (f->has_precision && f->precision == 0 && v == 0) { /* nothing at all but the width */
        if (f->has_width)
            out_fill(t, ' ', (size_t)f->width);
        return;
    }
    const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    do {
        buf[--n] = digits[u % (unsigned)base];
        u /= (unsigned)base;
    } while (u);
    size_t from = t->n, have = sizeof(buf) - n;
    bool sign = v < 0 || f->plus || f->space;
    size_t least = f->has_precision ? (size_t)f->precision : 0;
    if (!f->has_precision && f->zero && !f->minus && f->has_width)
        least = (size_t)f->width > (size_t)sign ? (size_t)f->width - (size_t)sign : 0;
    if (v < 0)
        out_char(t, '-');
    else if (f->plus || f->space)
        out_char(t, f->plus ? '+' : ' ');
    out_put(t, slice_of(prefix));
    out_fill(t, '0', least > have ? least - have : 0);
    out_put(t, (slice){ buf + n, have });
    pad(t, from, f, false);
}

static void format_float(struct text_out *t, double v, const struct spec *f)
{
    size_t from = t->n;
    char verb = (char)f->verb;
    int precision = f->has_precision ? f->precision : (verb | 32) == 'e' || (verb | 32) == 'f' ? 6 : -1;
    if ((verb | 32) == 'x') {
        char buf[64 + TEMPLATE_WIDTH];
        int n = f->has_precision ? snprintf(buf, sizeof(buf), "%.*a", f->precision, v) : snprintf(buf, sizeof(buf), "%a", v);
        char *p = strchr(buf, 'p'); /* Go writes two exponent digits at least */
        out_put(t, (slice){ buf, p ? (size_t)(p - buf) + 2 : (size_t)n });
        if (p) {
            out_fill(t, '0', strlen(p + 2) < 2 ? 1 : 0);
            out_put(t, slice_of(p + 2));
        }
    } else {
        if (f->plus && !signbit(v) && !isinf(v))
            out_char(t, '+');
        else if (f->space && !signbit(v) && !f->plus && !isinf(v) && !isnan(v))
            out_char(t, ' ');
        print_float(t, v, verb == 'v' ? 'v' : (char)(verb | 32), precision);
        if (isinf(v) && v > 0 && !f->plus) { /* "+Inf" only where a sign is asked for, %v has it always */
            if (verb != 'v')
                memmove(t->p + from, t->p + from + 1, t->n - from - 1), t->n--;
        }
    }
    if (verb == 'E' || verb == 'G' || verb == 'X')
        for (size_t i = from; i < t->n; i++)
            t->p[i] = t->p[i] >= 'a' && t->p[i] <= 'z' ? (char)(t->p[i] - 32) : t->p[i];
    pad(t, from, f, f->zero && !f->minus && !isinf(v) && !isnan(v));
}

static void format_hex(struct text_out *t, slice s, const struct spec *f)
{
    size_t from = t->n;
    const char *digits = f->verb == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
    size_t n = f->has_precision ? MIN((size_t)f->precision, s.n) : s.n;
    for (size_t i = 0; i < n; i++) {
        if (i && f->space)
            out_char(t, ' ');
        if (f->sharp && (i == 0 || f->space))
            out_char(t, '0'), out_char(t, (char)f->verb);
        out_char(t, digits[(unsigned char)s.p[i] >> 4]);
        out_char(t, digits[s.p[i] & 15]);
    }
    pad_text(t, from, f);
}

static void format_value(struct text_out *t, struct value v, const struct spec *f, int depth);

/* The value as %v has it, with the width and the flags that stood there. */
static void bad_verb(struct text_out *t, const struct spec *f, struct value v, int depth)
{
    struct spec as_it_is = *f;
    as_it_is.verb = 'v';
    as_it_is.sharp = false;
    out_put(t, SL("%!"));
    out_put(t, (slice){ f->verb_utf8, f->verb_n });
    out_char(t, '(');
    if (value_nothing(v)) {
        out_put(t, SL("<nil>)"));
        return;
    }
    out_put(t, slice_of(value_type_name(v)));
    out_char(t, '=');
    format_value(t, v, &as_it_is, depth);
    out_char(t, ')');
}

static bool format_string(struct text_out *t, slice s, const struct spec *f)
{
    size_t from = t->n;
    bool sharp = f->verb == 'v' && f->sharp;
    if (f->verb == 'x' || f->verb == 'X')
        return format_hex(t, s, f), true;
    if (f->has_precision)
        s = utf8_cut(s, (size_t)f->precision);
    if (f->verb == 'q' || sharp) {
        bool raw = f->sharp && f->verb == 'q' && slice_find_char(s, '`') == SIZE_MAX;
        for (size_t at = 0; raw && at < s.n;) {
            uint32_t c = rune_next(s, &at);
            raw = c != RUNE_BAD && c != 0xfeff && (c >= ' ' || c == '\t') && c != 0x7f;
        }
        if (raw)
            out_char(t, '`'), out_put(t, s), out_char(t, '`');
        else
            print_quoted(t, s, f->plus);
    } else if (f->verb == 's' || f->verb == 'v') {
        out_put(t, s);
    } else {
        return false;
    }
    pad_text(t, from, f);
    return true;
}

static bool format_whole(struct text_out *t, int64_t v, const struct spec *f)
{
    size_t from = t->n;
    switch (f->verb) {
    case 'v':
    case 'd':
        return format_int(t, v, 10, f, "", false), true;
    case 'b':
        return format_int(t, v, 2, f, f->sharp ? "0b" : "", false), true;
    case 'o':
    case 'O':
        return format_int(t, v, 8, f, f->verb == 'O' ? "0o" : f->sharp ? "0" : "", false), true;
    case 'x':
    case 'X':
        return format_int(t, v, 16, f, f->sharp ? f->verb == 'x' ? "0x" : "0X" : "", f->verb == 'X'), true;
    case 'c':
        out_rune(t, v < 0 || v > 0x10ffff ? RUNE_BAD : (uint32_t)v);
        break;
    case 'q': {
        uint32_t c = v < 0 || v > 0x10ffff || (v >= 0xd800 && v < 0xe000) ? RUNE_BAD : (uint32_t)v;
        out_char(t, '\'');
        quoted_rune(t, c, false, 0, '\'', f->plus);
        out_char(t, '\'');
        break;
    }
    case 'U': {
        out_fmt(t, "U+%04llX", (unsigned long long)v);
        if (f->sharp && v >= 0 && v <= 0x10ffff && rune_is_print((uint32_t)v))
            out_put(t, SL(" '")), out_rune(t, (uint32_t)v), out_char(t, '\'');
        break;
    }
    default:
        return false;
    }
    pad_text(t, from, f);
    return true;
}

static void format_value(struct text_out *t, struct value v, const struct spec *f, int depth)
{
    run_step(t->r, 1);
    if (depth > TEMPLATE_VALUE_DEPTH)
        run_limit(t->r, "depth");
    size_t from = t->n;
    bool done = false;
    if (f->verb == 'T' && depth == 0) {
        struct spec s = *f;
        s.verb = 's';
        (void)format_string(t, slice_of(value_type_name(v)), &s);
        return;
    }
    if (f->verb == 'p')
        return bad_verb(t, f, v, depth);
    switch (v.t) {
    case V_NONE:
    case V_NIL:
        if (f->verb == 'v' || depth) {
            out_put(t, SL("<nil>"));
            if (!depth)
                pad_text(t, from, f);
            return;
        }
        break;
    case V_BOOL:
        if (f->verb == 't' || f->verb == 'v') {
            out_put(t, v.b ? SL("true") : SL("false"));
            pad_text(t, from, f);
            return;
        }
        break;
    case V_INT:
    case V_INT64:
        done = format_whole(t, v.i, f);
        break;
    case V_FLOAT:
        if (f->verb < 0x80 && strchr("veEfFgGxX", (int)f->verb)) {
            format_float(t, v.f, f);
            return;
        }
        break;
    case V_STRING:
        done = format_string(t, v.s, f);
        break;
    case V_LIST:
        if ((f->verb == 'x' || f->verb == 'X') && depth < 0)
            break;
        out_char(t, '[');
        for (size_t i = 0; i < v.l->n; i++) {
            if (i)
                out_char(t, ' ');
            format_value(t, v.l->v[i], f, depth + 1);
        }
        out_char(t, ']');
        return;
    case V_MAP:
        out_put(t, SL("map["));
        for (size_t i = 0; i < v.m->n; i++) {
            if (i)
                out_char(t, ' ');
            format_value(t, VALUE_STRING(v.m->e[i].key), f, depth + 1);
            out_char(t, ':');
            format_value(t, v.m->e[i].v, f, depth + 1);
        }
        out_char(t, ']');
        return;
    case V_TIME:
    case V_VERSION: { /* both have a String method */
        struct text_out inner = out_new(t->r);
        print_value(&inner, v);
        done = format_string(t, out_slice(&inner), f);
        break;
    }
    }
    if (!done)
        bad_verb(t, f, v, depth);
}

struct reading { /* of a format */
    slice s;
    size_t at;
    const struct value *v;
    size_t n, arg;
    bool reordered, good_index, after_index;
};

static int digits_at(struct reading *g, bool *ret_any)
{
    int n = 0;
    *ret_any = false;
    for (; g->at < g->s.n && g->s.p[g->at] >= '0' && g->s.p[g->at] <= '9'; g->at++) {
        n = MIN(n * 10 + (g->s.p[g->at] - '0'), 1000000);
        *ret_any = true;
    }
    return n;
}

static void index_at(struct reading *g)
{
    g->after_index = false;
    if (g->at >= g->s.n || g->s.p[g->at] != '[')
        return;
    g->reordered = true;
    size_t close = slice_find_char(slice_from(g->s, g->at), ']');
    if (close == SIZE_MAX) {
        g->good_index = false;
        g->at++;
        return;
    }
    int64_t k = 0;
    bool good = slice_int(slice_sub(g->s, g->at + 1, close - 1), &k) && k >= 1 && k <= (int64_t)g->n;
    g->at += close + 1;
    if (!good) {
        g->good_index = false;
        return;
    }
    g->arg = (size_t)k - 1;
    g->after_index = true;
}

/* A '*': its value, or false. */
static bool star(struct reading *g, int *ret)
{
    bool good = g->arg < g->n && value_whole(g->v[g->arg]) && g->v[g->arg].i <= 1000000 && g->v[g->arg].i >= -1000000;
    if (good)
        *ret = (int)g->v[g->arg].i;
    g->arg += g->arg < g->n;
    g->after_index = false;
    return good;
}

static void one_spec(struct text_out *t, struct reading *g)
{
    struct spec f = { 0 };
    g->good_index = true;
    g->after_index = false;
    for (; g->at < g->s.n; g->at++) {
        char c = g->s.p[g->at];
        if (c == '+')
            f.plus = true;
        else if (c == '-')
            f.minus = true, f.zero = false;
        else if (c == '#')
            f.sharp = true;
        else if (c == ' ')
            f.space = true;
        else if (c == '0')
            f.zero = !f.minus;
        else
            break;
    }
    index_at(g);
    if (g->at < g->s.n && g->s.p[g->at] == '*') {
        g->at++;
        f.has_width = star(g, &f.width);
        if (!f.has_width)
            out_put(t, SL("%!(BADWIDTH)"));
        if (f.width < 0)
            f.width = -f.width, f.minus = true, f.zero = false;
    } else {
        f.width = digits_at(g, &f.has_width);
        if (g->after_index && f.has_width)
            g->good_index = false;
    }
    if (g->at + 1 <= g->s.n && g->at < g->s.n && g->s.p[g->at] == '.') {
        g->at++;
        if (g->after_index)
            g->good_index = false;
        index_at(g);
        if (g->at < g->s.n && g->s.p[g->at] == '*') {
            g->at++;
            f.has_precision = star(g, &f.precision);
            if (f.precision < 0)
                f.precision = 0, f.has_precision = false;
            if (!f.has_precision)
                out_put(t, SL("%!(BADPREC)"));
        } else {
            bool any;
            f.precision = digits_at(g, &any);
            f.has_precision = true;
        }
    }
    if (!g->after_index)
        index_at(g);
    if (f.width > TEMPLATE_WIDTH || f.precision > TEMPLATE_WIDTH)
        run_limit(t->r, "printf width");
    if (g->at >= g->s.n) {
        out_put(t, SL("%!(NOVERB)"));
        return;
    }
    size_t from = g->at;
    f.verb = rune_next(g->s, &g->at);
    f.plus = f.plus && f.verb != 'v'; /* there it asks for names of members, of which nothing here has any */
    f.verb_n = MIN(g->at - from, sizeof(f.verb_utf8));
    memcpy(f.verb_utf8, g->s.p + from, f.verb_n);
    if (f.verb == '%') {
        out_char(t, '%');
        return;
    }
    if (!g->good_index || g->arg >= g->n) {
        out_put(t, SL("%!"));
        out_put(t, (slice){ f.verb_utf8, f.verb_n });
        out_put(t, !g->good_index ? SL("(BADINDEX)") : SL("(MISSING)"));
        return;
    }
    format_value(t, g->v[g->arg++], &f, 0);
}

void print_format(struct text_out *t, slice format, const struct value *v, size_t n)
{
    struct reading g = { .s = format, .v = v, .n = n };
    while (g.at < format.n) {
        slice rest = slice_from(format, g.at);
        size_t text = slice_find_char(rest, '%');
        out_put(t, slice_sub(rest, 0, text));
        if (text == SIZE_MAX)
            break;
        g.at += text + 1;
        run_step(t->r, 1);
        one_spec(t, &g);
    }
    if (g.reordered || g.arg >= n)
        return;
    out_put(t, SL("%!(EXTRA "));
    for (size_t i = g.arg; i < n; i++) {
        if (i > g.arg)
            out_put(t, SL(", "));
        if (value_nothing(v[i])) {
            out_put(t, SL("<nil>"));
            continue;
        }
        out_put(t, slice_of(value_type_name(v[i])));
        out_char(t, '=');
        print_value(t, v[i]);
    }
    out_char(t, ')');
}
