/* js_raw: where a value stands in a text. The text is one the parser accepted, but nothing here relies on that: any
 * bytes end in an answer within the text. */
#include "wire/js.h"

struct scan {
    const char *p, *end;
};

static void skip_space(struct scan *s)
{
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r'))
        s->p++;
}

static bool take(struct scan *s, char c)
{
    skip_space(s);
    if (s->p >= s->end || *s->p != c)
        return false;
    s->p++;
    return true;
}

/* s stands at an opening quote; the result is what stands between the quotes, escapes as they are. */
static bool take_string(struct scan *s, slice *ret)
{
    if (!take(s, '"'))
        return false;
    const char *from = s->p;
    for (; s->p < s->end && *s->p != '"'; s->p++)
        if (*s->p == '\\' && s->p + 1 < s->end)
            s->p++;
    if (s->p >= s->end)
        return false;
    *ret = (slice){ from, (size_t)(s->p - from) };
    s->p++;
    return true;
}

/* An object or array, without recursion: strings hide brackets, all other brackets count. */
static bool skip_nested(struct scan *s)
{
    size_t depth = 0;
    slice string;
    while (s->p < s->end) {
        char c = *s->p;
        if (c == '"') {
            if (!take_string(s, &string))
                return false;
            continue;
        }
        s->p++;
        if (c == '{' || c == '[')
            depth++;
        else if ((c == '}' || c == ']') && --depth == 0)
            return true;
    }
    return false;
}

static bool take_value(struct scan *s, slice *ret)
{
    skip_space(s);
    const char *from = s->p;
    slice string;
    if (from >= s->end)
        return false;
    if (*from == '"') {
        if (!take_string(s, &string))
            return false;
    } else if (*from == '{' || *from == '[') {
        if (!skip_nested(s))
            return false;
    } else {
        while (s->p < s->end && !strchr(",]} \t\n\r", *s->p))
            s->p++;
    }
    *ret = (slice){ from, (size_t)(s->p - from) };
    return ret->n > 0;
}

/* ---- keys with escapes ------------------------------------------------------------------------------------------ */

static int hex4(slice s)
{
    int v = 0;
    if (s.n < 4)
        return -1;
    for (size_t i = 0; i < 4; i++) {
        char c = s.p[i];
        int d = c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
        if (d < 0)
            return -1;
        v = v * 16 + d;
    }
    return v;
}

static size_t utf8_put(uint32_t cp, char out[4])
{
    if (cp < 0x80) {
        out[0] = (char)cp;
        return 1;
    }
    size_t n = cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
    for (size_t i = n; i-- > 1; cp >>= 6)
        out[i] = (char)(0x80 | (cp & 0x3f));
    out[0] = (char)(lead[n] | cp);
    return n;
}

/* Takes one character of an escaped string from *raw. */
static slice unescape(slice *raw, char out[4])
{
    size_t used = 1;
    slice one = { out, 1 };
    if (raw->p[0] != '\\' || raw->n < 2) {
        out[0] = raw->p[0];
    } else if (raw->p[1] != 'u') {
        static const char names[] = "\"\\/bfnrt", means[] = "\"\\/\b\f\n\r\t";
        const char *hit = strchr(names, raw->p[1]);
        out[0] = hit && *hit ? means[hit - names] : raw->p[1];
        used = 2;
    } else {
        int u = hex4(slice_from(*raw, 2)), low = -1;
        used = 6;
        if (u >= 0xd800 && u < 0xdc00 && raw->n >= 12 && raw->p[6] == '\\' && raw->p[7] == 'u') {
            low = hex4(slice_from(*raw, 8));
            used = 12;
        }
        uint32_t cp = u < 0 ? 0xfffd : (uint32_t)u;
        if (low >= 0xdc00 && low < 0xe000)
            cp = 0x10000 + ((cp - 0xd800) << 10) + ((uint32_t)low - 0xdc00);
        one.n = utf8_put(cp, out);
    }
    *raw = slice_from(*raw, used);
    return one;
}

static bool key_is(slice raw, slice want)
{
    if (slice_find_char(raw, '\\') == SIZE_MAX)
        return slice_eq(raw, want);
    while (raw.n) {
        char out[4];
        slice one = unescape(&raw, out);
        if (!slice_starts(want, one))
            return false;
        want = slice_from(want, one.n);
    }
    return want.n == 0;
}

/* ---- the way down ------------------------------------------------------------------------------------------------ */

static slice member(slice object, slice name)
{
    struct scan s = { object.p, object.p + object.n };
    slice key, value;
    if (!take(&s, '{'))
        return SLICE_NONE;
    do {
        skip_space(&s);
        if (!take_string(&s, &key) || !take(&s, ':') || !take_value(&s, &value))
            return SLICE_NONE;
        if (key_is(key, name))
            return value;
    } while (take(&s, ','));
    return SLICE_NONE;
}

static slice item(slice array, slice name)
{
    struct scan s = { array.p, array.p + array.n };
    int64_t i;
    slice value;
    if (!slice_int(name, &i) || i < 0 || name.p[0] == '-' || !take(&s, '['))
        return SLICE_NONE;
    do {
        if (!take_value(&s, &value))
            return SLICE_NONE;
        if (i-- == 0)
            return value;
    } while (take(&s, ','));
    return SLICE_NONE;
}

slice js_raw(slice text, const char *path)
{
    struct scan s = { text.p, text.p + text.n };
    slice at, rest = slice_of(*path ? path : NULL);
    if (!take_value(&s, &at))
        return SLICE_NONE;
    while (at.p && rest.p) {
        slice name = slice_cut(&rest, '.');
        at = at.p[0] == '{' ? member(at, name) : at.p[0] == '[' ? item(at, name) : SLICE_NONE;
    }
    return at;
}
