/* Types are found whatever the bytes; a type we name is valid, and its extension leads back to its kind. */
#include "fuzz/fuzz.h"
#include "wire/mime.h"

static void check(slice type)
{
    if (!type.p)
        return;
    assert(mime_valid(type));
    slice extension = mime_extension(type);
    char name[16];
    snprintf(name, sizeof(name), "x." SLF, SLA(extension));
    assert(mime_kind(mime_of_name(slice_of(name))) == mime_kind(type));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    slice text = slice_mem(data, size);
    check(mime_sniff(text));
    check(mime_of_name(text));
    assert(lies_within(mime_essence(text), text) || mime_essence(text).n == 0);
    assert(mime_extension(text).n > 0);
    if (mime_inline_safe(text))
        assert(mime_valid(text));
    (void)mime_kind(text);
    return 0;
}
