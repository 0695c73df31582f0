/* What is an outline icon is also a picture; nothing larger than it says is unpacked. */
#include "fuzz/fuzz.h"
#include "wire/png.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct png p;
    slice bytes = slice_mem(data, size);
    bool outline = png_is_outline(a, bytes);
    assert(!outline || (png_read(bytes, &p) && p.width <= PNG_SIDE_MAX && p.height <= PNG_SIDE_MAX));
    return 0;
}
