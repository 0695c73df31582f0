/* nexus.h - the provisioning interface below /nexus/v3, under the guide's own paths: API keys.
 *
 *   POST /nexus/v3/apikeys {"enabled","tenant","name","permissions":[…]}     the key, told once
 *   GET  /nexus/v3/apikeys, GET|PUT|DELETE /nexus/v3/apikeys/{ref}
 *
 * For administrators: Authorization holds a session's token of /api/v1/auth/login, with or without "Bearer" before it.
 */
#ifndef API_NEXUS_NEXUS_H
#define API_NEXUS_NEXUS_H
#include "api/call.h"

void nexus_start(struct api *api); /* serves; once */
#endif
