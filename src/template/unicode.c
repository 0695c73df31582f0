#include "template/unicode.h"
#include "template/unicode_data.inc"

uint32_t rune_next(slice s, size_t *at)
{
    const unsigned char *b = (const unsigned char *)s.p + *at;
    size_t left = s.n - *at;
    if (b[0] < 0x80)
        return (*at)++, b[0];
    size_t n = b[0] >= 0xc2 && b[0] < 0xe0 ? 2 : (b[0] & 0xf0) == 0xe0 ? 3 : b[0] >= 0xf0 && b[0] < 0xf5 ? 4 : 0;
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    uint32_t c = n ? b[0] & (0xffu >> (n + 1)) : 0;
    bool good = n && left >= n;
    for (size_t i = 1; good && i < n; i++) {
        good = (b[i] & 0xc0) == 0x80;
        c = c << 6 | (b[i] & 0x3fu);
    }
    if (!good || c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        return (*at)++, RUNE_BAD;
    *at += n;
    return c;
}

uint32_t rune_before(slice s, size_t *at)
{
    for (size_t back = 1; back <= 4 && back <= *at; back++) {
        size_t from = *at - back, to = from;
        if (((unsigned char)s.p[from] & 0xc0) == 0x80 && back < 4)
            continue;
        uint32_t c = rune_next((slice){ s.p, *at }, &to);
        if (to == *at)
            return *at = from, c;
        break;
    }
    (*at)--;
    return RUNE_BAD;
}

size_t rune_put(uint32_t c, char out[4])
{
    if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        c = RUNE_BAD;
    if (c < 0x80)
        return out[0] = (char)c, 1;
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3f));
        out[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3f));
    out[2] = (char)(0x80 | (c >> 6 & 0x3f));
    out[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

static int category(uint32_t c)
{
    size_t lo = 0, hi = COUNT(uc_ranges);
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (c > uc_ranges[mid].hi)
            lo = mid + 1;
        else if (c < uc_ranges[mid].lo)
            hi = mid;
        else
            return uc_ranges[mid].cat;
    }
    return UC_NONE;
}

bool rune_is_letter(uint32_t c)
{
    if (c < 0x80)
        return (c | 32) >= 'a' && (c | 32) <= 'z';
    return category(c) <= UC_Lo;
}

bool rune_is_digit(uint32_t c)
{
    return c < 0x80 ? c >= '0' && c <= '9' : category(c) == UC_Nd;
}

bool rune_is_space(uint32_t c)
{
    return (c >= 9 && c <= 13) || c == ' ' || c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) ||
           c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

bool rune_is_upper(uint32_t c)
{
    return c < 0x80 ? c >= 'A' && c <= 'Z' : category(c) == UC_Lu;
}

bool rune_is_lower(uint32_t c)
{
    return c < 0x80 ? c >= 'a' && c <= 'z' : category(c) == UC_Ll;
}

bool rune_is_print(uint32_t c)
{
    return c < 0x80 ? c >= 0x20 && c < 0x7f : category(c) <= UC_So;
}

enum { CASE_NEIGHBOURS = 8 }; /* runs with a step may overlap with those after them */

static int32_t case_shift(uint32_t c, bool upper)
{
    size_t lo = 0, hi = COUNT(uc_cases);
    while (lo < hi) { /* the last run that starts at or before c */
        size_t mid = (lo + hi) / 2;
        if (uc_cases[mid].lo <= c)
            lo = mid + 1;
        else
            hi = mid;
    }
    for (size_t back = 0; back < CASE_NEIGHBOURS && back < lo; back++) {
        size_t i = lo - 1 - back;
        if (c <= uc_cases[i].hi && (c - uc_cases[i].lo) % uc_cases[i].step == 0)
            return upper ? uc_cases[i].upper : uc_cases[i].lower;
    }
    return 0;
}

uint32_t rune_upper(uint32_t c)
{
    if (c < 0x80)
        return c >= 'a' && c <= 'z' ? c - 32 : c;
    return (uint32_t)((int32_t)c + case_shift(c, true));
}

uint32_t rune_lower(uint32_t c)
{
    if (c < 0x80)
        return c >= 'A' && c <= 'Z' ? c + 32 : c;
    return (uint32_t)((int32_t)c + case_shift(c, false));
}

uint32_t rune_title(uint32_t c)
{
    if (c >= 0x1c4 && c <= 0x1cc) /* DŽ Dž dž LJ Lj lj NJ Nj nj: the middle one is the title form */
        return (c - 0x1c4) / 3 * 3 + 0x1c5;
    if (c >= 0x1f1 && c <= 0x1f3)
        return 0x1f2;
    if (c >= 0x10d0 && c <= 0x10ff) /* Georgian has no title forms */
        return c;
    return rune_upper(c);
}

bool rune_class_find(slice name, struct rune_class *ret)
{
    int first = -1, last = -1;
    for (int i = 0; i < (int)COUNT(uc_names); i++)
        if ((name.n == 1 || name.n == 2) && memcmp(uc_names[i], name.p, name.n) == 0) {
            first = first < 0 ? i : first;
            last = i;
        }
    if (first >= 0)
        return *ret = (struct rune_class){ .first = first, .last = last }, true;
    for (size_t i = 0; i < COUNT(uc_scripts); i++)
        if (slice_eq(name, slice_of(uc_scripts[i].name)))
            return *ret = (struct rune_class){ .first = -1, .r = uc_scripts[i].r, .n = uc_scripts[i].n }, true;
    return false;
}

bool rune_in_class(uint32_t c, const struct rune_class *k)
{
    if (k->first >= 0) {
        int cat = category(c);
        return cat >= k->first && cat <= k->last;
    }
    for (size_t i = 0; i < k->n; i++)
        if (c >= k->r[i].lo && c <= k->r[i].hi)
            return true;
    return false;
}
