#include "base/text.h"

struct text text_new(struct arena *a, size_t max_bytes)
{
    return (struct text){ .a = a, .max = max_bytes };
}

char *text_room(struct text *t, size_t n)
{
    if (t->over || n > t->max - t->n) {
        t->over = true;
        return NULL;
    }
    if (t->cap - t->n < n) {
        size_t cap = MAX(t->cap * 2, MAX(t->n + n, (size_t)256));
        t->p = arena_grow(t->a, t->p, t->cap, cap);
        t->cap = cap;
    }
    return t->p + t->n;
}

void text_put(struct text *t, slice s)
{
    char *p = s.n ? text_room(t, s.n) : NULL;
    if (!p)
        return;
    memcpy(p, s.p, s.n);
    t->n += s.n;
}

void text_char(struct text *t, char c)
{
    text_put(t, (slice){ &c, 1 });
}

void text_add(struct text *t, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    assert(n >= 0);
    char *p = text_room(t, (size_t)n + 1);
    if (p) {
        vsnprintf(p, (size_t)n + 1, fmt, again);
        t->n += (size_t)n;
    }
    va_end(again);
    va_end(ap);
}

/* Length of the valid sequence at s.p, 0 if it is none; *ret_cp is its code point. */
static size_t utf8_next(slice s, uint32_t *ret_cp)
{
    const unsigned char *b = (const unsigned char *)s.p;
    if (b[0] < 0x80)
        return *ret_cp = b[0], 1;
    size_t n = b[0] >= 0xc2 && b[0] < 0xe0 ? 2 : (b[0] & 0xf0) == 0xe0 ? 3 : b[0] >= 0xf0 && b[0] < 0xf5 ? 4 : 0;
    if (n == 0 || s.n < n)
        return 0;
    uint32_t cp = b[0] & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if ((b[i] & 0xc0) != 0x80)
            return 0;
        cp = cp << 6 | (b[i] & 0x3fu);
    }
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    if (cp < least[n] || cp > 0x10ffff || (cp >= 0xd800 && cp < 0xe000))
        return 0;
    *ret_cp = cp;
    return n;
}

bool utf8_valid(slice s)
{
    uint32_t cp;
    uint64_t eight;
    while (s.n) {
        if (s.n >= sizeof(eight)) { /* ASCII goes by eight bytes at a time */
            memcpy(&eight, s.p, sizeof(eight));
            if (!(eight & 0x8080808080808080u)) {
                s = slice_from(s, sizeof(eight));
                continue;
            }
        }
        size_t n = utf8_next(s, &cp);
        if (!n)
            return false;
        s = slice_from(s, n);
    }
    return true;
}

/* Walks s while the cost of what was passed stays within the budget; invalid bytes cost one. */
static size_t utf8_walk(slice s, size_t budget, bool utf16, size_t *ret_cost)
{
    size_t at = 0, cost = 0;
    while (at < s.n) {
        uint32_t cp = 0;
        size_t n = utf8_next(slice_from(s, at), &cp);
        size_t c = utf16 && cp > 0xffff ? 2 : 1;
        if (cost + c > budget)
            break;
        cost += c;
        at += n ? n : 1;
    }
    if (ret_cost)
        *ret_cost = cost;
    return at;
}

slice utf8_cut(slice s, size_t chars)
{
    return slice_sub(s, 0, utf8_walk(s, chars, false, NULL));
}

slice utf8_cut_utf16(slice s, size_t units)
{
    return slice_sub(s, 0, utf8_walk(s, units, true, NULL));
}

slice utf8_cut_bytes(slice s, size_t bytes)
{
    if (s.n <= bytes)
        return s;
    while (bytes && ((unsigned char)s.p[bytes] & 0xc0) == 0x80)
        bytes--;
    return slice_sub(s, 0, bytes);
}

size_t utf8_len(slice s)
{
    size_t cost;
    utf8_walk(s, SIZE_MAX, false, &cost);
    return cost;
}

size_t utf16_len(slice s)
{
    size_t cost;
    utf8_walk(s, SIZE_MAX, true, &cost);
    return cost;
}

slice utf8_repair(struct arena *a, slice s)
{
    if (utf8_valid(s))
        return s;
    struct text t = text_new(a, s.n * 3);
    while (s.n) {
        uint32_t cp;
        size_t n = utf8_next(s, &cp);
        text_put(&t, n ? slice_sub(s, 0, n) : SL("\xef\xbf\xbd"));
        s = slice_from(s, n ? n : 1);
    }
    return text_slice(&t);
}
