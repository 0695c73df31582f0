/* Decoding gives the bytes whose encoding is the text: strictness means there is exactly one. */
#include "fuzz/fuzz.h"
#include "wire/base64.h"
#include "wire/hex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice text = slice_mem(data, size);

    slice bytes = base64_decode(a, text);
    assert(!bytes.p || slice_eq(base64_encode(a, bytes), text));
    bytes = base64url_decode(a, text);
    assert(!bytes.p || slice_eq(base64url_encode(a, bytes), text) || slice_eq(base64url_encode_padded(a, bytes), text));
    bytes = hex_decode(a, text);
    assert(!bytes.p || slice_eq_nocase(hex_encode(a, bytes), text));

    assert(slice_eq(base64_decode(a, base64_encode(a, text)), text));
    assert(slice_eq(base64url_decode(a, base64url_encode(a, text)), text));
    assert(slice_eq(hex_decode(a, hex_encode(a, text)), text));
    return 0;
}
