/* provisions.h - what was provisioned for each contact centre: the tenant's own record and its services, each one JSON object.
 *
 *   const struct provision *p = provisions_find(ps, ccid, service_names[SERVICE_SMS]);
 *   provisions_put(ps, ccid, name, json, by, done, arg);
 *
 * Name       a service's (services.h), or PROVISION_TENANT.
 * Secrets    the objects hold them; on disk they are sealed, bound to contact centre and name.
 * Durable    a change is on disk when done is called; it is at work at once.
 * Ownership  a result is valid until the next change of the same one.
 * Threads    loop thread.
 */
#ifndef API_NEXUS_PROVISIONS_H
#define API_NEXUS_PROVISIONS_H
#include "hub/hub.h"
#include "store/store.h"

enum { PROVISIONS_MAX = 20000, PROVISION_BYTES_MAX = 1 << 20 };
#define PROVISION_TENANT "tenant"
struct provisions;
struct provision {
    struct provision *next;
    slice ccid, name, json, by; /* in a; ccid in lower case */
    int64_t changed_ms;
    struct arena *a;
};

struct provisions *provisions_new(struct hub *h) MUST_USE; /* before store_start: reads them */
void provisions_free(struct provisions *ps);
const struct provision *provisions_find(const struct provisions *ps, slice ccid, slice name); /* NULL: there is none */
size_t provisions_count(const struct provisions *ps);
/* All of them (of this contact centre; ccid absent: of every one), by contact centre and name, in a. *ret_n of them. */
const struct provision *const *provisions_list(const struct provisions *ps, slice ccid, struct arena *a, size_t *ret_n);
void provisions_put(struct provisions *ps, slice ccid, slice name, slice json, slice by, store_done done, void *arg);
void provisions_remove(struct provisions *ps, const struct provision *p, store_done done, void *arg);
#endif
