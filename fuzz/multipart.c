/* The first line is the Content-Type, the rest the body: parts lie inside the body, and never hold the boundary. */
#include "fuzz/fuzz.h"
#include "wire/multipart.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice body = slice_mem(data, size), type = slice_cut(&body, '\n');
    struct multipart mp;
    struct fault f = { 0 };
    if (!multipart_parse(a, type, body, &mp, &f)) {
        assert(f.code);
        return 0;
    }
    for (size_t i = 0; i < mp.n; i++) {
        slice p = mp.parts[i].body;
        assert(p.p >= body.p && p.p + p.n <= body.p + body.n && mp.parts[i].name.p);
        assert(multipart_part(&mp, mp.parts[i].name));
    }
    return 0;
}
