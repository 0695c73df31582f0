/* The one place above the floors that names every kind of storage. */
#include "hub/storage.h"

#define STORAGE(name) extern const struct storage_type storage_type_##name;
#include "storages.def"
#undef STORAGE

const struct storage_type *const storage_types[] = {
#define STORAGE(name) &storage_type_##name,
#include "storages.def"
#undef STORAGE
    NULL, /* so that an empty list is an array, too */
};
const size_t n_storage_types = COUNT(storage_types) - 1;

const struct storage_type *storage_type_find(slice name)
{
    for (size_t i = 0; i < n_storage_types; i++)
        if (slice_eq(slice_of(storage_types[i]->name), name))
            return storage_types[i];
    return NULL;
}
