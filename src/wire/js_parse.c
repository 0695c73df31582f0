/* js_parse: the reader of js.h. It copies what it keeps, so that the text may go.
 *
 * The kernel of it is the string: plain runs go by eight bytes at a time, UTF-8 is checked only where a byte is not ASCII, escapes are
 * resolved only where there are some. Members and items gather on one stack and move to the arena when their container closes.
 */
#include "wire/js_value.h"
#include "wire/js_number.h"
#include "wire/js_plain.h"

enum {
    STACK_FIRST = 64,
    FEW_MEMBERS = 16, /* objects with more have a sorted index */
};

struct parser {
    const char *p, *end;
    struct arena *a;
    struct js_member *stack; /* of all containers that are open; items have no key */
    size_t n, cap;
    int depth;
    const char *why; /* of the first thing wrong, which stands at p */
};

static bool wrong(struct parser *s, const char *why)
{
    if (!s->why)
        s->why = s->p < s->end && *s->p == 0 ? "a NUL byte stands in the text" : why;
    return false;
}

static void skip_space(struct parser *s)
{
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\n' || *s->p == '\r' || *s->p == '\t'))
        s->p++;
}

/* ---- strings ---------------------------------------------------------------------------------------------------- */

static int hex4(const char *p)
{
    int v = 0;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        int d = c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
        if (d < 0)
            return -1;
        v = v * 16 + d;
    }
    return v;
}

static char *utf8_put(char *to, uint32_t cp)
{
    if (cp < 0x80) {
        *to++ = (char)cp;
        return to;
    }
    if (cp < 0x800) {
        *to++ = (char)(0xc0 | cp >> 6);
    } else {
        if (cp < 0x10000) {
            *to++ = (char)(0xe0 | cp >> 12);
        } else {
            *to++ = (char)(0xf0 | cp >> 18);
            *to++ = (char)(0x80 | (cp >> 12 & 0x3f));
        }
        *to++ = (char)(0x80 | (cp >> 6 & 0x3f));
    }
    *to++ = (char)(0x80 | (cp & 0x3f));
    return to;
}

/* p stands behind "\u"; end is the closing quote. */
static bool unescape_u(struct parser *s, const char **p, const char *end, char **to)
{
    int u = end - *p >= 4 ? hex4(*p) : -1;
    if (u < 0)
        return wrong(s, "\\u is not followed by four hexadecimal digits");
    *p += 4;
    if (u >= 0xd800 && u < 0xdc00) {
        int low = end - *p >= 6 && (*p)[0] == '\\' && (*p)[1] == 'u' ? hex4(*p + 2) : -1;
        if (low < 0xdc00 || low >= 0xe000)
            return wrong(s, "half of a surrogate pair stands alone");
        *p += 6;
        u = 0x10000 + ((u - 0xd800) << 10) + (low - 0xdc00);
    } else if (u >= 0xdc00 && u < 0xe000) {
        return wrong(s, "half of a surrogate pair stands alone");
    }
    *to = utf8_put(*to, (uint32_t)u);
    return true;
}

/* Never longer than it stands there. */
static bool unescape(struct parser *s, slice raw, slice *ret)
{
    static const char names[] = "\"\\/bfnrt", means[] = "\"\\/\b\f\n\r\t";
    char *copy = arena_alloc(s->a, raw.n + 1), *to = copy;
    for (const char *p = raw.p, *end = raw.p + raw.n; p < end;) {
        if (*p != '\\') {
            *to++ = *p++;
            continue;
        }
        const char *hit = p[1] ? strchr(names, p[1]) : NULL; /* a quote that a backslash hides is not the end: p[1] is there */
        if (hit) {
            *to++ = means[hit - names];
            p += 2;
        } else if (p[1] == 'u') {
            p += 2;
            if (!unescape_u(s, &p, end, &to))
                return false;
        } else {
            return wrong(s, "a backslash is followed by what needs none");
        }
    }
    *to = 0;
    *ret = (slice){ copy, (size_t)(to - copy) };
    return true;
}

/* s->p stands behind the opening quote. */
static bool take_string(struct parser *s, slice *ret)
{
    const char *from = s->p;
    bool ascii = true, escapes = false;
    for (;;) {
        s->p = js_plain_end(s->p, s->end);
        if (s->p == s->end)
            return wrong(s, "the text ends within a string");
        unsigned char c = (unsigned char)*s->p;
        if (c == '"')
            break;
        if (c < 0x20)
            return wrong(s, "a control character stands in a string");
        if (c == '\\') {
            escapes = true;
            if (++s->p == s->end)
                return wrong(s, "the text ends within a string");
        } else {
            ascii = false;
        }
        if ((unsigned char)*s->p < 0x20)
            return wrong(s, "a control character stands in a string");
        s->p++;
    }
    slice raw = { from, (size_t)(s->p - from) };
    if (!ascii && !utf8_valid(raw))
        return wrong(s, "unable to decode a byte as UTF-8");
    if (escapes) {
        if (!unescape(s, raw, ret))
            return false;
    } else {
        *ret = arena_dup(s->a, raw);
    }
    s->p++;
    return true;
}

/* ---- numbers and literals --------------------------------------------------------------------------------------- */

static bool digits(struct parser *s)
{
    const char *from = s->p;
    while (s->p < s->end && *s->p >= '0' && *s->p <= '9')
        s->p++;
    return s->p > from || wrong(s, "a digit is expected");
}

static bool take_integer(struct parser *s, slice text, struct js *ret)
{
    ret->kind = JS_INTEGER;
    return slice_int(text, &ret->v.integer) || wrong(s, "too big an integer");
}

static bool take_number(struct parser *s, struct js *ret)
{
    const char *from = s->p;
    bool real = false;
    if (*s->p == '-')
        s->p++;
    if (s->p < s->end && *s->p == '0')
        s->p++;
    else if (!digits(s))
        return false;
    if (s->p < s->end && *s->p == '.') {
        real = true;
        s->p++;
        if (!digits(s))
            return false;
    }
    if (s->p < s->end && (*s->p | 32) == 'e') {
        real = true;
        s->p++;
        if (s->p < s->end && (*s->p == '+' || *s->p == '-'))
            s->p++;
        if (!digits(s))
            return false;
    }
    slice text = { from, (size_t)(s->p - from) };
    if (!real)
        return take_integer(s, text, ret);
    ret->kind = JS_REAL;
    return js_number_read(s->a, text, &ret->v.real) || wrong(s, "overflow of a real number");
}

static bool take_literal(struct parser *s, slice word, enum js_kind kind, struct js *ret)
{
    if (!slice_starts(slice_mem(s->p, (size_t)(s->end - s->p)), word))
        return wrong(s, "a value is expected");
    s->p += word.n;
    ret->kind = kind;
    return true;
}

/* ---- containers ------------------------------------------------------------------------------------------------- */

static bool take_value(struct parser *s, struct js *ret);

static struct js_member *push(struct parser *s)
{
    if (s->n == s->cap) {
        s->cap = s->cap ? s->cap * 2 : STACK_FIRST;
        s->stack = must_realloc(s->stack, s->cap * sizeof(s->stack[0]));
    }
    return &s->stack[s->n++];
}

/* Behind an opening bracket: is the container empty? Behind a member or item: does another follow? */
static bool closes(struct parser *s, char bracket)
{
    skip_space(s);
    if (s->p == s->end || *s->p != bracket)
        return false;
    s->p++;
    return true;
}

static bool comma(struct parser *s)
{
    if (s->p == s->end || *s->p != ',')
        return wrong(s, "',' or a closing bracket is expected");
    s->p++;
    return true;
}

static bool take_array(struct parser *s, struct js *ret)
{
    size_t base = s->n;
    for (bool first = true; !closes(s, ']'); first = false) {
        struct js item;
        if ((!first && !comma(s)) || !take_value(s, &item))
            return false;
        push(s)->value = item;
    }
    size_t n = s->n - base;
    struct js *items = arena_alloc(s->a, n * sizeof(*items));
    for (size_t i = 0; i < n; i++)
        items[i] = s->stack[base + i].value;
    s->n = base;
    *ret = (struct js){ JS_ARRAY, (uint32_t)n, { .items = items } };
    return true;
}

static int by_key(const void *a, const void *b)
{
    return js_key_order((*(const struct js_member *const *)a)->key, (*(const struct js_member *const *)b)->key);
}

static bool twice(struct parser *s)
{
    return wrong(s, "a duplicate key");
}

/* Also finds keys that stand there twice. */
static bool make_index(struct parser *s, struct js_members *m, size_t n)
{
    m->sorted = NULL;
    if (n <= FEW_MEMBERS) {
        for (size_t i = 1; i < n; i++)
            for (size_t k = 0; k < i; k++)
                if (slice_eq(m->at[i].key, m->at[k].key))
                    return twice(s);
        return true;
    }
    const struct js_member **sorted = arena_alloc(s->a, n * sizeof(*sorted));
    for (size_t i = 0; i < n; i++)
        sorted[i] = &m->at[i];
    qsort(sorted, n, sizeof(*sorted), by_key);
    for (size_t i = 1; i < n; i++)
        if (slice_eq(sorted[i - 1]->key, sorted[i]->key))
            return twice(s);
    m->sorted = sorted;
    return true;
}

static bool take_key(struct parser *s, slice *ret)
{
    skip_space(s);
    if (s->p == s->end || *s->p != '"')
        return wrong(s, "a string or '}' is expected");
    s->p++;
    if (!take_string(s, ret))
        return false;
    if (memchr(ret->p, 0, ret->n))
        return wrong(s, "a NUL stands in a key");
    skip_space(s);
    if (s->p == s->end || *s->p != ':')
        return wrong(s, "':' is expected");
    s->p++;
    return true;
}

static bool take_object(struct parser *s, struct js *ret)
{
    size_t base = s->n;
    for (bool first = true; !closes(s, '}'); first = false) {
        struct js_member one;
        if ((!first && !comma(s)) || !take_key(s, &one.key) || !take_value(s, &one.value))
            return false;
        *push(s) = one;
    }
    size_t n = s->n - base;
    struct js_members *m = arena_alloc(s->a, sizeof(*m) + n * sizeof(m->at[0]));
    if (n)
        memcpy(m->at, s->stack + base, n * sizeof(m->at[0]));
    s->n = base;
    *ret = (struct js){ JS_OBJECT, (uint32_t)n, { .members = m } };
    return make_index(s, m, n);
}

static bool take_container(struct parser *s, struct js *ret)
{
    if (++s->depth > JS_DEPTH_MAX)
        return wrong(s, "nested deeper than 64 levels");
    bool ok = *s->p++ == '{' ? take_object(s, ret) : take_array(s, ret);
    s->depth--;
    return ok;
}

/* Recursion is bounded by JS_DEPTH_MAX. */
static bool take_value(struct parser *s, struct js *ret)
{
    skip_space(s);
    char c = s->p < s->end ? *s->p : 0;
    slice text;
    switch (c) {
    case '"':
        s->p++;
        if (!take_string(s, &text))
            return false;
        *ret = (struct js){ JS_STRING, (uint32_t)text.n, { .text = text.p } };
        return true;
    case '{':
    case '[':
        return take_container(s, ret);
    case 't':
        return take_literal(s, SL("true"), JS_TRUE, ret);
    case 'f':
        return take_literal(s, SL("false"), JS_FALSE, ret);
    case 'n':
        return take_literal(s, SL("null"), JS_NULL, ret);
    default:
        return c == '-' || (c >= '0' && c <= '9') ? take_number(s, ret) : wrong(s, "a value is expected");
    }
}

/* ---- the whole -------------------------------------------------------------------------------------------------- */

/* Line and column of what was wrong; none of the text itself: it may be a message. */
static void tell(const struct parser *s, slice text, struct fault *f)
{
    int line = 1, column = 1;
    for (const char *p = text.p; p < s->p; p++) {
        line += *p == '\n';
        column = *p == '\n' ? 1 : column + 1;
    }
    (void)fault(f, "bad_json", "", "line %d, column %d: %s", line, column, s->why);
}

const struct js *js_parse(struct arena *a, slice text, struct fault *f)
{
    static_assert(JS_DEPTH_MAX == 64, "take_container says so");
    if (text.n == 0 || text.n > UINT32_MAX)
        return (void)fault(f, "bad_json", "", text.n ? "the text is too long" : "line 1, column 0: the text is empty"), NULL;
    struct parser s = { .p = text.p, .end = text.p + text.n, .a = a };
    struct js value;
    bool ok = take_value(&s, &value);
    if (ok) {
        skip_space(&s);
        ok = s.p == s.end || wrong(&s, "something follows the value");
    }
    free(s.stack);
    if (!ok)
        return tell(&s, text, f), NULL;
    struct js *v = arena_alloc(a, sizeof(*v));
    *v = value;
    return v;
}
