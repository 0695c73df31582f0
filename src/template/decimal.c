#include "template/decimal.h"
#include "template/value.h"
#include <math.h>

static struct decimal *make(struct run *r, int n, int exp, bool minus)
{
    if (n > DECIMAL_DIGITS)
        run_limit(r, "digits");
    run_step(r, (size_t)n / 16);
    struct decimal *d = run_alloc(r, sizeof(*d) + (size_t)n);
    *d = (struct decimal){ .minus = minus, .exp = exp, .n = n };
    memset(d->d, 0, (size_t)n);
    return d;
}

static struct decimal *tidy(struct decimal *d) /* without leading zeros */
{
    while (d->n && d->d[d->n - 1] == 0)
        d->n--;
    d->minus = d->minus && d->n;
    return d;
}

struct decimal *decimal_of(struct run *r, double f)
{
    char digits[FLOAT_DIGITS];
    int exp, n = float_digits(f, digits, &exp);
    struct decimal *d = make(r, n, exp - n + 1, signbit(f));
    for (int i = 0; i < n; i++)
        d->d[n - 1 - i] = (uint8_t)(digits[i] - '0');
    return tidy(d);
}

/* a's digit at 10^(exp) */
static int digit_at(const struct decimal *a, int exp)
{
    int i = exp - a->exp;
    return i >= 0 && i < a->n ? a->d[i] : 0;
}

static int compare_size(const struct decimal *a, const struct decimal *b)
{
    int top = MAX(a->exp + a->n, b->exp + b->n), low = MIN(a->exp, b->exp);
    for (int e = top; e >= low; e--)
        if (digit_at(a, e) != digit_at(b, e))
            return digit_at(a, e) - digit_at(b, e);
    return 0;
}

struct decimal *decimal_add(struct run *r, const struct decimal *a, const struct decimal *b, bool minus_b)
{
    if (!b->n)
        minus_b = false;
    bool b_minus = b->minus != minus_b;
    int low = MIN(a->n ? a->exp : b->exp, b->n ? b->exp : a->exp);
    int top = MAX(a->n ? a->exp + a->n : low, b->n ? b->exp + b->n : low) + 1;
    bool same = a->minus == b_minus, swap = !same && compare_size(a, b) < 0;
    const struct decimal *big = swap ? b : a, *small = swap ? a : b;
    struct decimal *d = make(r, top - low, low, swap ? b_minus : a->n ? a->minus : b_minus);
    int carry = 0;
    for (int i = 0; i < d->n; i++) {
        int x = digit_at(big, low + i), y = digit_at(small, low + i);
        int s = same ? x + y + carry : x - y + carry + 10;
        d->d[i] = (uint8_t)(s % 10);
        carry = same ? s / 10 : s / 10 - 1;
    }
    return tidy(d);
}

struct decimal *decimal_mul(struct run *r, const struct decimal *a, const struct decimal *b)
{
    struct decimal *d = make(r, a->n + b->n, a->exp + b->exp, a->minus != b->minus);
    run_step(r, (size_t)a->n * (size_t)b->n / 64);
    for (int i = 0; i < a->n; i++) {
        int carry = 0;
        for (int k = 0; k < b->n || carry; k++) {
            int s = d->d[i + k] + carry + (k < b->n ? a->d[i] * b->d[k] : 0);
            d->d[i + k] = (uint8_t)(s % 10);
            carry = s / 10;
        }
    }
    return tidy(d);
}

struct decimal *decimal_div(struct run *r, const struct decimal *a, const struct decimal *b)
{
    if (!b->n)
        run_fail(r, "decimal division by 0");
    /* digits of a, then as many zeros as bring the quotient to DECIMAL_DIVISION_PLACES + 1 places */
    int places = DECIMAL_DIVISION_PLACES + 1, want = a->exp - b->exp + places, n = a->n + want;
    struct decimal *q = make(r, MAX(n, 1) + 1, -places, a->minus != b->minus);
    struct decimal *rest = make(r, b->n + 2, 0, false);
    run_step(r, (size_t)MAX(n, 0) * (size_t)b->n / 16);
    for (int i = n - 1; i >= 0; i--) {
        memmove(rest->d + 1, rest->d, (size_t)rest->n - 1);
        int from = i - want;
        rest->d[0] = (uint8_t)(from >= 0 && from < a->n ? a->d[from] : 0);
        for (;;) { /* how often does b go in? */
            int k = rest->n - 1;
            while (k >= 0 && rest->d[k] == (k < b->n ? b->d[k] : 0))
                k--;
            if (k >= 0 && rest->d[k] < (k < b->n ? b->d[k] : 0))
                break;
            int borrow = 0;
            for (k = 0; k < rest->n; k++) {
                int s = rest->d[k] - (k < b->n ? b->d[k] : 0) - borrow;
                borrow = s < 0;
                rest->d[k] = (uint8_t)(s + (borrow ? 10 : 0));
            }
            q->d[i]++;
        }
    }
    /* the last place decides: half away from zero */
    int carry = q->d[0] >= 5;
    q->d[0] = 0;
    for (int i = 1; carry && i < q->n; i++) {
        q->d[i] = (uint8_t)(q->d[i] + carry);
        carry = q->d[i] == 10;
        if (carry)
            q->d[i] = 0;
    }
    return tidy(q);
}

double decimal_float(struct run *r, const struct decimal *d)
{
    char *text = run_alloc(r, (size_t)d->n + 32);
    int n = 0;
    text[n++] = d->minus ? '-' : '+';
    for (int i = d->n - 1; i >= 0; i--)
        text[n++] = (char)('0' + d->d[i]);
    snprintf(text + n, 24, "%se%d", d->n ? "" : "0", d->n ? d->exp : 0);
    return strtod(text, NULL);
}
