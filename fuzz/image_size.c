/* Sizes are positive; fewer of the same bytes give the same size or none. */
#include "fuzz/fuzz.h"
#include "wire/image_size.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct image_size whole, part;
    slice bytes = slice_mem(data, size);
    if (!image_size(bytes, &whole))
        return 0;
    assert(whole.width > 0 && whole.height > 0);
    for (size_t n = size > 64 ? size - 64 : 0; n < size; n++)
        assert(!image_size(slice_sub(bytes, 0, n), &part) || (part.width == whole.width && part.height == whole.height));
    return 0;
}
