/* Never more than the bound comes out; what is packed unpacks to the same. */
#include "fuzz/fuzz.h"
#include "wire/gzip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { BOUND = 10000 };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice text = slice_mem(data, size), out = SLICE_NONE;
    if (gzip_unpack(a, text, BOUND, &out) == GZIP_OK)
        assert(out.p && out.n <= BOUND);
    else
        assert(!out.p);
    assert(arena_bytes(a) <= BOUND * 4 + 65536);

    slice packed = gzip_pack(a, text);
    assert(gzip_unpack(a, packed, size, &out) == GZIP_OK && slice_eq(out, text));
    assert(size == 0 || gzip_unpack(a, packed, size - 1, &out) == GZIP_TOO_BIG);
    return 0;
}
