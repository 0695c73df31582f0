/* What a recording and a log may show. Byte 0 is a bit set: which names are kept. Properties: the shape of the JSON is the same, nothing that was
 * said stands in it, the same in is the same out; replaced paths leave the rest alone. */
#include "fuzz/fuzz.h"
#include "hub/pseudonym.h"
#include "wire/js.h"
#include "wire/redact.h"

static void same_shape(const struct js *x, const struct js *y, unsigned depth)
{
    assert(x && y && js_is_object(x) == js_is_object(y) && js_is_array(x) == js_is_array(y));
    if (js_is_object(x) || js_is_array(x))
        assert(js_len(x) == js_len(y));
    for (size_t i = 0; js_is_array(x) && i < js_len(x) && depth; i++)
        same_shape(js_item(x, i), js_item(y, i), depth - 1);
}

static bool has_letters(slice s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += (s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= 'A' && s.p[i] <= 'Z');
    return n >= 12; /* by chance a short word becomes itself */
}

static void texts(struct arena *a, const struct pseudonyms *p, slice text)
{
    slice hidden = pseudonym_text(p, a, text), again = pseudonym_text(p, a, text);
    assert(hidden.p && slice_eq(hidden, again));
    assert(!has_letters(text) || !slice_eq(hidden, text));
    slice shown = redact(a, text);
    assert(shown.p && (text.n < 16 || slice_find(shown, text) == SIZE_MAX));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const keep[] = { "type", "mode", NULL }, *const paths[] = { "id", "events.message.id", "a.b", NULL };
    static const slice names[] = { SLI("line"), SLI("x") };
    if (size < 1)
        return 0;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice text = slice_mem(data + 1, size - 1);
    struct pseudonyms p = { .key = { 7 }, .keep = data[0] & 1 ? keep : NULL, .names = names, .n_names = data[0] & 2 ? COUNT(names) : 0 };
    if (utf8_valid(text))
        texts(a, &p, text);
    const struct js *doc = js_parse(a, text, NULL);
    slice body = pseudonym_body(&p, a, text), replaced = pseudonym_paths(&p, a, text, paths);
    if (!doc) {
        assert(!body.p);
        return 0;
    }
    const struct js *hidden = js_parse(a, body, NULL), *other = js_parse(a, replaced, NULL);
    assert(hidden && utf8_valid(body) && slice_eq(pseudonym_body(&p, a, text), body));
    same_shape(doc, hidden, 20);
    same_shape(doc, other, 20);
    return 0;
}
