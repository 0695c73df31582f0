#include "wire/pairs.h"

static int by_name_and_value(const void *x, const void *y)
{
    const struct pair *p = x, *q = y;
    int names = slice_cmp(p->name, q->name);
    return names ? names : slice_cmp(p->value, q->value);
}

void pairs_sort(struct pair *pairs, size_t n)
{
    qsort(pairs, n, sizeof(*pairs), by_name_and_value);
}
