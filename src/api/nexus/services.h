/* services.h - the services a contact centre can be given: which there are, and what each must be told.
 *
 *   slice doc = service_check(a, SERVICE_SMS, body, old, &f);       {"url","secret","data"}; absent: see f, which names the member
 *   service_write(&w, doc);                                         its members as shown: no secret comes out
 *
 * Shape      url, secret and data as the guide has them. Async has the same channels, by channelId, in secret and data.
 * Secrets    shown as {"set":true}; sent back so, a secret stays as it was (old).
 * Facts      docs/provisioning.md "Services"
 */
#ifndef API_NEXUS_SERVICES_H
#define API_NEXUS_SERVICES_H
#include "wire/js.h"

enum service {
    SERVICE_PLATFORM_UCS,
    SERVICE_PURECLOUD_IDP,
    SERVICE_SMS,
    SERVICE_EMAIL,
    SERVICE_PORTICO_SMS,
    SERVICE_PORTICO_EMAIL,
    SERVICE_ASYNC,
    SERVICES
};
enum { SERVICE_CHANNELS_MAX = 1000, SERVICE_TEXT_MAX = 1000 };
extern const char *const service_names[SERVICES];
bool service_find(slice name, enum service *ret); /* as the guide writes it, capitals too */
/* old: the document that this one takes the place of, absent: none. */
slice service_check(struct arena *a, enum service s, const struct js *body, slice old, struct fault *f) MUST_USE;
void service_write(struct jw *w, const struct js *doc);
bool service_is_channel(slice id); /* 3 to 20 digits, or the name of a domain */
#endif
