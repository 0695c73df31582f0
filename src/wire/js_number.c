#include "wire/js_number.h"
#include <locale.h>
#include <math.h>

enum {
    DIGITS_SURE = 15, /* every decimal of so many digits survives double and back */
    DIGITS_MAX = 17,  /* every double survives so many digits and back */
    PLAIN_MAX = 16,   /* largest power of ten written without exponent: stays within int64 for readers */
    PLAIN_MIN = -7,
};

/* d[0].d[1]d[2]… times ten to the power of `exp` */
struct decimal {
    char d[DIGITS_MAX + 1];
    int n, exp;
};

static locale_t c_locale;

__attribute__((constructor)) static void c_locale_make(void)
{
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    assert(c_locale);
}

bool js_number_read(struct arena *a, slice text, double *ret)
{
    char buf[64];
    const char *p = buf;
    if (text.n < sizeof(buf)) {
        memcpy(buf, text.p, text.n);
        buf[text.n] = 0;
    } else {
        p = arena_cstr(a, text);
    }
    *ret = strtod_l(p, NULL, c_locale);
    return isfinite(*ret);
}

size_t js_integer_print(int64_t v, char buf[JS_NUMBER_BYTES])
{
    char rev[20];
    size_t n = 0, at = 0;
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    do {
        rev[n++] = (char)('0' + u % 10);
        u /= 10;
    } while (u);
    if (v < 0)
        buf[at++] = '-';
    while (n)
        buf[at++] = rev[--n];
    buf[at] = 0;
    return at;
}

/* printf knows the digits; its decimal point depends on the locale and is stepped over. */
static struct decimal decimal_of(double v, int digits)
{
    char buf[64];
    struct decimal r = { .n = 0 };
    snprintf(buf, sizeof(buf), "%.*e", digits - 1, v);
    const char *p = buf;
    for (; *p != 'e'; p++)
        if (*p >= '0' && *p <= '9')
            r.d[r.n++] = *p;
    bool minus = *++p == '-';
    for (p++; *p; p++)
        r.exp = r.exp * 10 + (*p - '0');
    r.exp = minus ? -r.exp : r.exp;
    while (r.n > 1 && r.d[r.n - 1] == '0')
        r.n--;
    return r;
}

static size_t put(char *buf, const char *p, int n)
{
    memcpy(buf, p, (size_t)n);
    return (size_t)n;
}

static size_t zeros(char *buf, int n)
{
    memset(buf, '0', (size_t)n);
    return (size_t)n;
}

static size_t decimal_print(const struct decimal *r, bool real, char *buf)
{
    size_t at = 0;
    if (r->exp < PLAIN_MIN || r->exp > PLAIN_MAX) {
        at += put(buf, r->d, 1);
        if (r->n > 1) {
            buf[at++] = '.';
            at += put(buf + at, r->d + 1, r->n - 1);
        }
        buf[at++] = 'e';
        return at + js_integer_print(r->exp, buf + at);
    }
    if (r->exp < 0) {
        at += put(buf, "0.", 2);
        at += zeros(buf + at, -r->exp - 1);
        at += put(buf + at, r->d, r->n);
    } else if (r->n <= r->exp + 1) {
        at += put(buf, r->d, r->n);
        at += zeros(buf + at, r->exp + 1 - r->n);
        if (real)
            at += put(buf + at, ".0", 2);
    } else {
        at += put(buf, r->d, r->exp + 1);
        buf[at++] = '.';
        at += put(buf + at, r->d + r->exp + 1, r->n - r->exp - 1);
    }
    buf[at] = 0;
    return at;
}

/* One more in the last digit. */
static void decimal_up(struct decimal *r)
{
    int i = r->n - 1;
    for (; i >= 0 && r->d[i] == '9'; i--)
        r->d[i] = '0';
    if (i >= 0) {
        r->d[i]++;
    } else {
        r->d[0] = '1';
        r->exp++;
    }
}

size_t js_number_print(double v, bool real, char buf[JS_NUMBER_BYTES])
{
    if (!isfinite(v)) {
        memcpy(buf, "null", 5);
        return 4;
    }
    size_t sign = 0;
    if (signbit(v)) {
        buf[sign++] = '-';
        v = -v;
    }
    if (v <= 0) {
        memcpy(buf + sign, sign || real ? "0.0" : "0", sign || real ? 4 : 2);
        return sign + (sign || real ? 3 : 1);
    }
    /* Below the normal numbers fewer digits are enough; everywhere else 15 digits are tried first. */
    for (int digits = v < 0x1p-1022 ? 1 : DIGITS_SURE;; digits++) {
        struct decimal r = decimal_of(v, digits);
        size_t n = decimal_print(&r, real, buf + sign);
        if (digits == DIGITS_MAX || !(strtod_l(buf + sign, NULL, c_locale) < v || strtod_l(buf + sign, NULL, c_locale) > v))
            return sign + n;
        /* At a power of two the doubles below lie closer than those above: the next decimal up may still be v. */
        if (digits == DIGITS_MAX - 1 && r.n == digits) {
            decimal_up(&r);
            n = decimal_print(&r, real, buf + sign);
            if (!(strtod_l(buf + sign, NULL, c_locale) < v || strtod_l(buf + sign, NULL, c_locale) > v))
                return sign + n;
        }
    }
}
