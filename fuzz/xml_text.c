/* Any bytes as an XML answer: never a crash; what is found is no longer than the document. Escaped text between tags reads back the same. */
#include "wire/xml_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new();
    slice doc = slice_mem(data, size);
    assert(xml_text(a, doc, "Code").n <= size);
    slice wrapped = arena_printf(a, "<E><Code>" SLF "</Code></E>", SLA(xml_escape(a, doc)));
    if (slice_find_char(doc, 0) == SIZE_MAX)
        assert(slice_eq(xml_text(a, wrapped, "Code"), doc));
    arena_free(a);
    return 0;
}
