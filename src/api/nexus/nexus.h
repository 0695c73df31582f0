/* nexus.h - the provisioning interface below /nexus/v3, under the guide's own paths: tenants, services, API keys.
 *
 *   POST /nexus/v3/provisioning/tenants {"id","name","type","backendurl","username","token","genesystenantid"}     a key for chats
 *   POST /nexus/v3/provisioning/services/{ccid}/{NAME} {"url","secret","data"}
 *   POST /nexus/v3/apikeys {"enabled","tenant","name","permissions":[…]}     the key, told once
 *   GET, PUT, DELETE of each: docs/provisioning.md
 *
 * Who may   administrators: Authorization holds a session's token of /api/v1/auth/login, with or without "Bearer" before it, or the console's cookie.
 *           Services also take an API key (x-api-key) whose permissions have NEXUS_CLUSTER or, for its own tenant, NEXUS_SERVICES.
 */
#ifndef API_NEXUS_NEXUS_H
#define API_NEXUS_NEXUS_H
#include "api/call.h"

#define NEXUS_CLUSTER "nexus:cluster:services" /* "nexus:cluster:*" has it */
#define NEXUS_SERVICES "nexus:provisioning:services"
void nexus_start(struct api *api); /* serves; once */
#endif
