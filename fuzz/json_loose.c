/* JSON as people write it. What js_strict makes of it is JSON but for what only js_parse knows (numbers, escapes, names twice), and stays as it is a second time;
 * and what was strict before means the same. */
#include "fuzz/fuzz.h"
#include "wire/js.h"
#include "wire/js_loose.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct fault f = { 0 };
    slice text = arena_dup(a, slice_mem(data, size));
    (void)js_is_meant(text);
    slice strict = js_strict(a, text, &f);
    if (!strict.p) {
        assert(f.code && f.text[0]);
        assert(!js_parse(a, text, &f) || !(js_is_object(js_parse(a, text, &f)) || js_is_array(js_parse(a, text, &f))));
        return 0;
    }
    slice again = js_strict(a, strict, &f);
    assert(again.p && slice_eq(again, strict));
    return 0;
}
