/* Texts: "Text in", "Text out". */
#include "networks/teams/wire.h"

/* clang-format off */
static const struct { slice name, text; } entities[] = {
    { SLI("amp"), SLI("&") }, { SLI("lt"), SLI("<") }, { SLI("gt"), SLI(">") }, { SLI("quot"), SLI("\"") }, { SLI("apos"), SLI("'") },
    { SLI("nbsp"), SLI(" ") },
};
/* clang-format on */
enum { ENTITY_MAX = 10, CODE_MAX = 0x10ffff };

static void put_code(struct text *t, uint32_t v)
{
    if (v < 0x80) {
        text_char(t, (char)v);
        return;
    }
    int more = v < 0x800 ? 1 : v < 0x10000 ? 2 : 3;
    static const unsigned lead[] = { 0, 0xc0, 0xe0, 0xf0 };
    text_char(t, (char)(lead[more] | v >> (6 * more)));
    while (more-- > 0)
        text_char(t, (char)(0x80 | (v >> (6 * more) & 0x3f)));
}

/* "#38", "#x26" */
static bool number_of(slice name, uint32_t *ret)
{
    bool hex = name.n > 1 && (name.p[1] | 0x20) == 'x';
    slice digits = slice_from(name, hex ? 2 : 1);
    uint32_t v = 0;
    for (size_t i = 0; i < digits.n; i++) {
        const char *all = "0123456789abcdef", *at = digits.p[i] ? strchr(all, digits.p[i] >= 'A' && digits.p[i] <= 'F' ? digits.p[i] | 0x20 : digits.p[i]) : NULL;
        unsigned base = hex ? 16 : 10;
        if (!at || (unsigned)(at - all) >= base || v > CODE_MAX)
            return false;
        v = v * base + (uint32_t)(at - all);
    }
    *ret = v;
    return digits.n && v && v <= CODE_MAX && !(v >= 0xd800 && v <= 0xdfff);
}

slice teams_unescape(struct arena *a, slice html)
{
    struct text t = text_new(a, html.n + 1);
    if (slice_find_char(html, '&') == SIZE_MAX && slice_find(html, SL("\xc2\xa0")) == SIZE_MAX)
        return html;
    for (size_t i = 0; i < html.n; i++) {
        slice rest = slice_from(html, i);
        if (slice_starts(rest, SL("\xc2\xa0"))) { /* a blank that does not break */
            text_char(&t, ' ');
            i++;
            continue;
        }
        size_t end = html.p[i] == '&' ? slice_find_char(slice_sub(rest, 0, ENTITY_MAX), ';') : SIZE_MAX;
        slice name = end == SIZE_MAX ? SLICE_NONE : slice_sub(rest, 1, end - 1), text = SLICE_NONE;
        uint32_t code = 0;
        for (size_t k = 0; k < COUNT(entities) && !text.p; k++)
            if (slice_eq(name, entities[k].name))
                text = entities[k].text;
        if (text.p)
            text_put(&t, text);
        else if (slice_starts(name, SL("#")) && number_of(name, &code))
            put_code(&t, code);
        else {
            text_char(&t, html.p[i]);
            continue;
        }
        i += end;
    }
    return text_slice(&t);
}

static slice replaced(struct arena *a, slice text, slice what, slice by)
{
    size_t at = what.n ? slice_find(text, what) : SIZE_MAX;
    if (at == SIZE_MAX)
        return text;
    return arena_printf(a, SLF SLF SLF, SLA(slice_sub(text, 0, at)), SLA(by), SLA(slice_from(text, at + what.n)));
}

struct teams_said teams_said_of(struct arena *a, slice text, const struct js *list, slice bot)
{
    enum { MENTIONS_MAX = 50 };
    struct teams_said said = { .text = text };
    for (size_t i = 0; i < js_len(list) && i < MENTIONS_MAX; i++) {
        const struct js *e = js_item(list, i);
        if (!slice_eq(js_text(js_at(e, "type")), SL("mention")))
            continue;
        bool own = slice_eq(js_text(js_at(e, "mentioned.id")), bot); /* names can be borrowed, ids cannot */
        said.mentioned |= own;
        slice name = js_text(js_at(e, "mentioned.name"));
        said.text = replaced(a, said.text, js_text(js_at(e, "text")), own ? SLICE_NONE : name.n ? arena_printf(a, "@" SLF, SLA(name)) : SLICE_NONE);
    }
    static const slice tags[] = { SLI("<at>"), SLI("</at>") }; /* of mentions that are in no list */
    for (size_t i = 0; i < COUNT(tags); i++)
        for (size_t n = 0; n < MENTIONS_MAX && slice_find(said.text, tags[i]) != SIZE_MAX; n++)
            said.text = replaced(a, said.text, tags[i], SLICE_NONE);
    if (said.text.p)
        said.text = slice_trim(teams_unescape(a, said.text));
    return said;
}

slice teams_markdown(struct arena *a, slice text)
{
    struct text t = text_new(a, text.n * 3 + 1);
    for (size_t i = 0; i < text.n; i++) {
        char ch = text.p[i];
        if (ch == '\r')
            continue;
        if (ch == '\n') { /* Markdown makes one paragraph of single line ends */
            text_put(&t, SL("  \n"));
            continue;
        }
        if (ch && strchr("\\`*_{}[]()#+-.!~>|<", ch))
            text_char(&t, '\\');
        text_char(&t, ch);
    }
    return text_slice(&t);
}
