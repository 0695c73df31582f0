#include "wire/xml_text.h"
#include "wire/hex.h"

/* clang-format off */
static const struct { slice name; char c; } entities[] = {
    { SLI("amp"), '&' }, { SLI("lt"), '<' }, { SLI("gt"), '>' }, { SLI("quot"), '"' }, { SLI("apos"), '\'' },
};
/* clang-format on */

static void put_utf8(struct text *t, uint32_t c)
{
    char b[4];
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n; i-- > 1; c >>= 6)
        b[i] = (char)(0x80 | (c & 0x3f));
    b[0] = (char)(n == 1 ? c : c | (0xf00u >> n & 0xff));
    text_put(t, slice_mem(b, n));
}

/* "#65", "#x41": the code point; 0: it is none. */
static uint32_t numbered(slice s)
{
    bool hex = s.n > 2 && (s.p[1] == 'x' || s.p[1] == 'X');
    uint32_t c = 0;
    if (s.n < 2 || s.n > 9 || s.p[0] != '#')
        return 0;
    for (size_t i = hex ? 2 : 1; i < s.n; i++) {
        int digit = hex_value(s.p[i]);
        if (digit < 0 || (!hex && digit > 9))
            return 0;
        c = c * (hex ? 16 : 10) + (uint32_t)digit;
    }
    return c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0 : c;
}

static slice unescape(struct arena *a, slice s)
{
    struct text t = text_new(a, s.n + 1);
    while (s.n) {
        size_t amp = slice_find_char(s, '&');
        size_t end = amp == SIZE_MAX ? SIZE_MAX : slice_find_char(slice_from(s, amp), ';');
        if (end == SIZE_MAX) {
            text_put(&t, s);
            break;
        }
        slice name = slice_sub(s, amp + 1, end - 1);
        uint32_t c = numbered(name);
        for (size_t i = 0; i < COUNT(entities); i++)
            if (slice_eq(name, entities[i].name))
                c = (unsigned char)entities[i].c;
        text_put(&t, slice_sub(s, 0, amp));
        if (c)
            put_utf8(&t, c);
        else
            text_put(&t, slice_sub(s, amp, end + 1));
        s = slice_from(s, amp + end + 1);
    }
    return text_slice(&t);
}

/* The name in what stands between < and >: without prefix and attributes. */
static slice name_of(slice tag)
{
    for (size_t i = 0; i < tag.n; i++)
        if (strchr(" \t\r\n/", tag.p[i]) && tag.p[i]) {
            tag = slice_sub(tag, 0, i);
            break;
        }
    size_t colon = slice_find_char(tag, ':');
    return colon == SIZE_MAX ? tag : slice_from(tag, colon + 1);
}

slice xml_text(struct arena *a, slice doc, const char *name)
{
    static const struct {
        slice open, close;
    } skips[] = { { SLI("<!--"), SLI("-->") }, { SLI("<![CDATA["), SLI("]]>") }, { SLI("<?"), SLI("?>") } };
    while (doc.n) {
        size_t open = slice_find_char(doc, '<');
        if (open == SIZE_MAX)
            return SLICE_NONE;
        doc = slice_from(doc, open);
        size_t skip = 0;
        for (size_t i = 0; i < COUNT(skips) && !skip; i++) {
            if (!slice_starts(doc, skips[i].open))
                continue;
            size_t end = slice_find(doc, skips[i].close);
            skip = end == SIZE_MAX ? doc.n : end + skips[i].close.n;
        }
        if (skip) {
            doc = slice_from(doc, skip);
            continue;
        }
        size_t close = slice_find_char(doc, '>');
        if (close == SIZE_MAX)
            return SLICE_NONE;
        slice tag = slice_sub(doc, 1, close - 1);
        doc = slice_from(doc, close + 1);
        if (tag.n && tag.p[0] == '/')
            continue;
        if (!slice_eq(name_of(tag), slice_of(name)))
            continue;
        if (tag.p[tag.n - 1] == '/')
            return SL("");
        if (slice_starts(doc, SL("<![CDATA["))) {
            size_t end = slice_find(doc, SL("]]>"));
            return end == SIZE_MAX ? SLICE_NONE : slice_sub(doc, 9, end - 9);
        }
        size_t end = slice_find_char(doc, '<');
        if (end != SIZE_MAX && slice_starts(slice_from(doc, end), SL("</")))
            return unescape(a, slice_sub(doc, 0, end));
    }
    return SLICE_NONE;
}

slice xml_escape(struct arena *a, slice text)
{
    struct text t = text_new(a, text.n * 6 + 1);
    for (size_t i = 0; i < text.n; i++) {
        slice name = SLICE_NONE;
        for (size_t k = 0; k < COUNT(entities); k++)
            if (entities[k].c == text.p[i])
                name = entities[k].name;
        if (name.n)
            text_add(&t, "&" SLF ";", SLA(name));
        else
            text_char(&t, text.p[i]);
    }
    return text_slice(&t);
}
