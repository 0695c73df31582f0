/* maps.h - the pieces of a map picture's address that have published test vectors. Facts: docs/wire/genesys-cloud.md 12. */
#ifndef DESKS_GENESYS_CLOUD_MAPS_H
#define DESKS_GENESYS_CLOUD_MAPS_H
#include "base/base.h"

slice gc_degrees(struct arena *a, double deg) MUST_USE; /* "35.6586": at most six decimals */
/* URL-safe base64, padding kept, of HMAC-SHA1 over the path and query; secret: URL-safe base64. {NULL,0}: the secret is none. */
slice gc_maps_sign(struct arena *a, slice path_and_query, slice secret) MUST_USE;
#endif
