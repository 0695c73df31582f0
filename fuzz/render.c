/* Lines of `dragoman render`, whose reader and writer may be any script: whatever a line is, the answer is one line of JSON with an output or an error. */
#include "fuzz/fuzz.h"
#include "main/render_line.h"
#include "wire/js.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct template_cache *cache;
    if (!cache)
        cache = template_cache_new();
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice line = render_line(cache, a, slice_mem(data, size));
    const struct js *answer = js_parse(a, line, NULL);
    assert(answer && js_is_object(answer) && slice_find_char(line, '\n') == SIZE_MAX);
    assert(js_at(answer, "output") || js_at(answer, "output_b64") || (js_text(js_at(answer, "error")).n && js_text(js_at(answer, "stage")).n));
    return 0;
}
