/* genesys_cloud.h - the one thing of this folder that other code can tell exists. */
#ifndef DESKS_GENESYS_CLOUD_GENESYS_CLOUD_H
#define DESKS_GENESYS_CLOUD_GENESYS_CLOUD_H
#include "hub/connector.h"

extern const struct connector connector_genesys_cloud;
#endif
