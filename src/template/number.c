/* Numbers and quoted constants as Go's strconv reads them. */
#include "template/parse.h"
#include "template/unicode.h"
#include <math.h>

enum { NUMBER_CHARS = 400 }; /* a longer number is none; %f of the largest double has 309 digits */

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 32);
    return c >= 'a' && c <= 'z' ? c - 'a' + 10 : 99;
}

/* Underscores stand between digits or behind the base prefix only. Copies s without them. */
static bool without_underscores(slice s, char *to, size_t *ret_n)
{
    size_t n = 0;
    char before = '^'; /* '^' start, '0' digit, '_' underscore, '!' anything else */
    size_t i = 0;
    if (i < s.n && (s.p[i] == '-' || s.p[i] == '+'))
        to[n++] = s.p[i++];
    bool hex = false;
    if (s.n - i >= 2 && s.p[i] == '0' && strchr("xXoObB", s.p[i + 1])) {
        hex = (s.p[i + 1] | 32) == 'x';
        to[n++] = s.p[i++];
        to[n++] = s.p[i++];
        before = '0';
    }
    for (; i < s.n; i++) {
        if (s.p[i] == '_') {
            if (before != '0')
                return false;
            before = '_';
            continue;
        }
        bool is_digit = digit(s.p[i]) < (hex ? 16 : 10);
        if (!is_digit && before == '_')
            return false;
        before = is_digit ? '0' : '!';
        to[n++] = s.p[i];
    }
    to[n] = 0;
    *ret_n = n;
    return before != '_';
}

static bool whole(slice s, int64_t *ret, bool *ret_overflow)
{
    char buf[NUMBER_CHARS];
    size_t n;
    *ret_overflow = false;
    if (!s.n || s.n >= sizeof(buf) || !without_underscores(s, buf, &n))
        return false;
    size_t i = buf[0] == '-' || buf[0] == '+';
    bool minus = buf[0] == '-';
    int base = 10;
    if (n - i >= 2 && buf[i] == '0') {
        char c = (char)(buf[i + 1] | 32);
        base = c == 'x' ? 16 : c == 'o' ? 8 : c == 'b' ? 2 : 8;
        i += c == 'x' || c == 'o' || c == 'b' ? 2 : 1;
    } else if (slice_find_char(s, '_') != SIZE_MAX && n == i) {
        return false;
    }
    if (i >= n)
        return false;
    int64_t v = 0;
    for (; i < n; i++) {
        int d = digit(buf[i]);
        if (d >= base)
            return false;
        if (__builtin_mul_overflow(v, base, &v) || __builtin_sub_overflow(v, d, &v))
            *ret_overflow = true, v = 0;
    }
    if (!minus && v == INT64_MIN)
        *ret_overflow = true;
    if (*ret_overflow)
        return false;
    *ret = minus ? v : -v;
    return true;
}

bool go_int(slice s, int64_t *ret)
{
    bool overflow;
    return whole(s, ret, &overflow);
}

bool go_float(slice s, double *ret)
{
    char buf[NUMBER_CHARS];
    size_t n;
    if (!s.n || s.n >= sizeof(buf))
        return false;
    slice word = s.p[0] == '+' || s.p[0] == '-' ? slice_from(s, 1) : s;
    if (slice_eq_nocase(word, SL("inf")) || slice_eq_nocase(word, SL("infinity")) || slice_eq_nocase(s, SL("nan"))) {
        double inf = (double)INFINITY;
        *ret = slice_eq_nocase(s, SL("nan")) ? (double)NAN : s.p[0] == '-' ? -inf : inf;
        return true;
    }
    bool hex = word.n > 1 && word.p[0] == '0' && (word.p[1] | 32) == 'x';
    if (!without_underscores(s, buf, &n))
        return false;
    bool digits = false, exponent = false;
    for (size_t i = (size_t)(word.p - s.p) + (hex ? 2 : 0); i < n; i++) {
        char c = (char)(buf[i] | 32);
        if (!exponent && digits && (hex ? c == 'p' : c == 'e')) {
            exponent = true;
            if (i + 1 < n && (buf[i + 1] == '+' || buf[i + 1] == '-'))
                i++;
            if (i + 1 >= n)
                return false;
        } else if (digit(buf[i]) < (hex && !exponent ? 16 : 10)) {
            digits = true;
        } else if (buf[i] != '.' || exponent) {
            return false;
        }
    }
    if (!digits || (hex && !exponent))
        return false;
    char *end;
    *ret = strtod(buf, &end);
    return *end == 0 && !isinf(*ret);
}

bool number_read(slice s, struct number *ret, bool *ret_overflow)
{
    *ret = (struct number){ 0 };
    bool fraction = false;
    bool hex = slice_find(s, SL("0x")) != SIZE_MAX || slice_find(s, SL("0X")) != SIZE_MAX;
    for (size_t i = 0; i < s.n; i++)
        fraction |= s.p[i] && strchr(hex ? ".pP" : ".eEpP", s.p[i]) != NULL;
    if (whole(s, &ret->i, ret_overflow)) {
        ret->is_int = ret->is_float = true;
        ret->f = (double)ret->i;
        return true;
    }
    char buf[NUMBER_CHARS];
    size_t n;
    if (*ret_overflow || !fraction || s.n >= sizeof(buf) || !without_underscores(s, buf, &n) ||
        !go_float((slice){ buf, n }, &ret->f))
        return false;
    ret->is_float = ret->shown_float = true;
    if (floor(ret->f) >= ret->f && fabs(ret->f) < 9.2e18) {
        ret->is_int = true;
        ret->i = (int64_t)ret->f;
    }
    return true;
}

/* One escape behind a backslash at s[*at]; false: not one of Go's. *ret_byte: one byte rather than a code point. */
static bool escape(slice s, size_t *at, char quote, uint32_t *ret, bool *ret_byte)
{
    static const char from[] = "abfnrtv\\", to[] = "\a\b\f\n\r\t\v\\";
    if (*at >= s.n)
        return false;
    char c = s.p[(*at)++];
    const char *hit = c ? strchr(from, c) : NULL;
    *ret_byte = false;
    if (hit)
        return *ret = (unsigned char)to[hit - from], true;
    if (c == quote)
        return *ret = (unsigned char)c, true;
    size_t n = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : c >= '0' && c <= '7' ? 3 : 0;
    int base = n == 3 ? 8 : 16;
    *at -= n == 3;
    if (!n || s.n - *at < n)
        return false;
    uint32_t v = 0;
    for (size_t i = 0; i < n; i++) {
        int d = digit(s.p[(*at)++]);
        if (d >= base)
            return false;
        v = v * (uint32_t)base + (uint32_t)d;
    }
    *ret_byte = n < 4;
    *ret = v;
    return *ret_byte ? v < 256 : v <= 0x10ffff && !(v >= 0xd800 && v < 0xe000);
}

slice unquote(struct arena *a, slice q)
{
    if (q.n < 2)
        return SLICE_NONE;
    char quote = q.p[0];
    slice s = slice_sub(q, 1, q.n - 2);
    struct text t = text_new(a, TEMPLATE_CONSTANT_BYTES);
    if (quote == '`') {
        for (size_t i = 0; i < s.n; i++)
            if (s.p[i] != '\r')
                text_char(&t, s.p[i]);
        return text_slice(&t);
    }
    size_t runes = 0;
    for (size_t at = 0; at < s.n; runes++) {
        if (s.p[at] != '\\') {
            size_t from = at;
            (void)rune_next(s, &at);
            text_put(&t, slice_sub(s, from, at - from));
            continue;
        }
        at++;
        uint32_t c;
        bool byte;
        char utf8[4];
        if (!escape(s, &at, quote, &c, &byte))
            return SLICE_NONE;
        if (byte && quote == '"')
            text_char(&t, (char)c);
        else
            text_put(&t, (slice){ utf8, rune_put(c, utf8) });
    }
    if (quote == '\'' && runes != 1)
        return SLICE_NONE;
    return text_slice(&t);
}
