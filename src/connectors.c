/* The one place above the floors that names every connector. */
#include "hub/connector.h"

#define CONNECTOR(name) extern const struct connector connector_##name;
#include "connectors.def"
#undef CONNECTOR

const struct connector *const connectors[] = {
#define CONNECTOR(name) &connector_##name,
#include "connectors.def"
#undef CONNECTOR
};
const size_t n_connectors = COUNT(connectors);

const struct connector *connector_find(slice name)
{
    for (size_t i = 0; i < n_connectors; i++)
        if (slice_eq(slice_of(connectors[i]->name), name))
            return connectors[i];
    return NULL;
}
