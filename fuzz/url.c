/* What is printed of an address is plain ASCII and is the same address again; a reference keeps its base's host or names
 * its own; escaping and unescaping give the text back; forms survive being written. */
#include "fuzz/fuzz.h"
#include "wire/url.h"

static void is_stable(struct arena *a, const struct url *u)
{
    slice text = url_print(a, u);
    struct url again;
    for (size_t i = 0; i < text.n; i++)
        assert(text.p[i] > 0x20 && text.p[i] < 0x7f);
    if (text.n > URL_BYTES_MAX) /* escapes made it longer */
        return;
    assert(url_parse(a, text, &again, NULL));
    assert(url_same_origin(u, &again) && slice_eq(url_print(a, &again), text));
    assert(slice_eq(u->host, again.host) && !u->query.p == !again.query.p);
}

static void forms(struct arena *a, slice text)
{
    struct form form, again;
    if (!form_parse(a, text, &form, NULL))
        return;
    struct text t = text_new(a, text.n * 4 + 16);
    for (size_t i = 0; i < form.n; i++)
        form_add(&t, form.pairs[i].key, form.pairs[i].value);
    assert(!t.over && form_parse(a, text_slice(&t), &again, NULL) && again.n == form.n);
    for (size_t i = 0; i < form.n; i++) {
        assert(slice_eq(form.pairs[i].key, again.pairs[i].key) && slice_eq(form.pairs[i].value, again.pairs[i].value));
        assert(slice_eq(form_get(a, text, form.pairs[i].key), form_value(&form, form.pairs[i].key)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice text = slice_mem(data, size);
    struct url base, u;
    if (url_parse(a, text, &u, NULL))
        is_stable(a, &u);
    assert(url_parse(a, SL("https://example.com/a/b?c"), &base, NULL));
    if (url_join(a, &base, text, &u, NULL))
        is_stable(a, &u);
    slice decoded = url_decode(a, text);
    assert(!decoded.p || slice_eq(url_decode(a, url_encode(a, decoded)), decoded));
    if (size <= 2000)
        forms(a, text);
    return 0;
}
