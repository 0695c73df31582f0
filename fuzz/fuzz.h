/* fuzz.h - what every fuzz target begins with.
 *
 * A target checks a property with assert(), not only that nothing crashes. Arenas must all be gone at the end of a run.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H
#include "base/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Does the part lie within the whole (or is it absent)? */
static inline bool lies_within(slice part, slice whole)
{
    return !part.p || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}
#endif
