/* The one place above the floors that names every notifier. */
#include "hub/notifier.h"

#define NOTIFIER(name) extern const struct notifier notifier_##name;
#include "notifiers.def"
#undef NOTIFIER

const struct notifier *const notifiers[] = {
#define NOTIFIER(name) &notifier_##name,
#include "notifiers.def"
#undef NOTIFIER
};
const size_t n_notifiers = COUNT(notifiers);

const struct notifier *notifier_find(slice name)
{
    for (size_t i = 0; i < n_notifiers; i++)
        if (slice_eq(slice_of(notifiers[i]->name), name))
            return notifiers[i];
    return NULL;
}
