/* Sprig's string functions that change letters, and the random ones. */
#include "template/function.h"
#include "template/unicode.h"

#define FN(name) static struct value name(struct run *r, const struct value *v, size_t n)

typedef uint32_t change(uint32_t c, uint32_t before);

/* Each character through f, which also sees the one before (0 at the start). */
static struct value mapped(struct run *r, slice s, change *f)
{
    struct text_out t = out_new(r);
    uint32_t before = 0;
    run_step(r, s.n / 8);
    for (size_t at = 0; at < s.n;) {
        uint32_t c = rune_next(s, &at);
        out_rune(&t, f(c, before));
        before = c;
    }
    return VALUE_STRING(out_slice(&t));
}

static uint32_t to_upper(uint32_t c, uint32_t before)
{
    (void)before;
    return rune_upper(c);
}

static uint32_t to_lower(uint32_t c, uint32_t before)
{
    (void)before;
    return rune_lower(c);
}

static uint32_t to_title(uint32_t c, uint32_t before)
{
    bool separator = before < 0x80 ? !(rune_is_letter(before) || rune_is_digit(before) || before == '_')
                                   : !rune_is_letter(before) && !rune_is_digit(before) && rune_is_space(before);
    return separator ? rune_title(c) : c;
}

static uint32_t to_untitle(uint32_t c, uint32_t before)
{
    return !before || rune_is_space(before) ? rune_lower(c) : c;
}

static uint32_t to_swapped(uint32_t c, uint32_t before)
{
    if (rune_is_upper(c) || (rune_title(c) == c && rune_lower(c) != c))
        return rune_lower(c);
    if (rune_is_lower(c))
        return !before || rune_is_space(before) ? rune_title(c) : rune_upper(c);
    return c;
}

FN(f_upper)
{
    (void)n;
    return mapped(r, v[0].s, to_upper);
}

FN(f_lower)
{
    (void)n;
    return mapped(r, v[0].s, to_lower);
}

FN(f_title)
{
    (void)n;
    return mapped(r, v[0].s, to_title);
}

FN(f_untitle)
{
    (void)n;
    return mapped(r, v[0].s, to_untitle);
}

FN(f_swapcase)
{
    (void)n;
    return mapped(r, v[0].s, to_swapped);
}

FN(f_initials)
{
    (void)n;
    struct text_out t = out_new(r);
    uint32_t before = ' ';
    run_step(r, v[0].s.n / 8);
    for (size_t at = 0; at < v[0].s.n;) {
        uint32_t c = rune_next(v[0].s, &at);
        if (rune_is_space(before) && !rune_is_space(c))
            out_rune(&t, c);
        before = c;
    }
    return VALUE_STRING(out_slice(&t));
}

FN(f_nospace)
{
    (void)n;
    struct text_out t = out_new(r);
    run_step(r, v[0].s.n / 8);
    for (size_t at = 0; at < v[0].s.n;) {
        size_t from = at;
        uint32_t c = rune_next(v[0].s, &at);
        if (!rune_is_space(c))
            out_put(&t, slice_sub(v[0].s, from, at - from));
    }
    return VALUE_STRING(out_slice(&t));
}

static uint32_t draw(struct run *r, uint32_t below) /* splitmix64 */
{
    uint64_t z = r->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)((z ^ z >> 31) % below);
}

static struct value random_text(struct run *r, int64_t n, slice from)
{
    if (n < 0 || n > TEMPLATE_RANDOM_CHARS)
        run_limit(r, "random text");
    struct text_out t = out_new(r);
    for (int64_t i = 0; i < n; i++)
        out_char(&t, from.p[draw(r, (uint32_t)from.n)]);
    return VALUE_STRING(out_slice(&t));
}

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

FN(f_rand_alpha)
{
    (void)n;
    return random_text(r, v[0].i, SL(LETTERS));
}

FN(f_rand_numeric)
{
    (void)n;
    return random_text(r, v[0].i, SL(DIGITS));
}

FN(f_rand_alpha_num)
{
    (void)n;
    return random_text(r, v[0].i, SL(LETTERS DIGITS));
}

FN(f_rand_ascii)
{
    (void)n;
    char all[95];
    for (int i = 0; i < 95; i++)
        all[i] = (char)(32 + i);
    return random_text(r, v[0].i, (slice){ all, sizeof(all) });
}

FN(f_rand_int)
{
    (void)n;
    if (v[0].i >= v[1].i || v[1].i - v[0].i > UINT32_MAX)
        run_fail(r, "invalid argument to Intn");
    return VALUE_INT(v[0].i + draw(r, (uint32_t)(v[1].i - v[0].i)));
}

FN(f_shuffle)
{
    (void)n;
    slice s = v[0].s;
    uint32_t *c = run_alloc(r, (s.n + 1) * sizeof(*c));
    size_t count = 0;
    for (size_t at = 0; at < s.n;)
        c[count++] = rune_next(s, &at);
    struct text_out t = out_new(r);
    for (size_t i = count; i > 1; i--) {
        size_t k = draw(r, (uint32_t)i);
        uint32_t x = c[i - 1];
        c[i - 1] = c[k];
        c[k] = x;
    }
    for (size_t i = 0; i < count; i++)
        out_rune(&t, c[i]);
    return VALUE_STRING(out_slice(&t));
}

/* clang-format off */
static const struct function rows[] = {
    { "upper", "s", f_upper }, { "lower", "s", f_lower }, { "title", "s", f_title }, { "untitle", "s", f_untitle },
    { "swapcase", "s", f_swapcase }, { "initials", "s", f_initials }, { "nospace", "s", f_nospace }, { "randAlpha", "i", f_rand_alpha },
    { "randNumeric", "i", f_rand_numeric }, { "randAlphaNum", "i", f_rand_alpha_num }, { "randAscii", "i", f_rand_ascii },
    { "randInt", "ii", f_rand_int }, { "shuffle", "s", f_shuffle },
};
/* clang-format on */
const struct functions functions_text = { rows, COUNT(rows) };
