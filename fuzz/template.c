/* Any text parses or is refused with a place; what parses renders or fails within the limits, twice with the same result. */
#include "fuzz/fuzz.h"
#include "template/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice text = slice_mem(data, size), ids[] = { SL("name"), SL("first-name") };
    struct template_error e = { 0 }, again = { 0 };
    struct template_options o = { .now_ms = INT64_C(1709164800000), .zone = size & 1 ? SL("Asia/Tokyo") : SLICE_NONE, .random = 1, .wall_ms = 10000 };
    CLEANUP(template_freep) struct template *t = template_parse(text, ids, COUNT(ids), &e);
    if (!t) {
        assert(e.stage && e.text[0]);
        return 0;
    }
    slice out[2];
    bool good[2];
    for (int i = 0; i < 2; i++) {
        struct value v;
        bool json = template_json(a, SL("{\"name\":\"Ada\",\"n\":3,\"l\":[1,\"x\",null],\"m\":{\"a\":{\"b\":true}},\"s\":\"a,b\"}"), &v);
        assert(json);
        good[i] = template_render(t, a, v, &o, &out[i], i ? &again : &e);
        assert(!good[i] || out[i].n <= TEMPLATE_OUTPUT_BYTES);
    }
    assert(good[0] == good[1] && (!good[0] || slice_eq(out[0], out[1])));
    return 0;
}
