/* apikeys.h - API keys: who may call the interfaces below /nexus in a tenant's name.
 *
 *   const struct api_key *k = apikeys_find(ks, exchange_header(x, "x-api-key"));
 *   if (!k || !apikey_good(k, now_ms) || !apikey_may(k, SL("nexus:consumer:chat")) || !apikey_for(k, tenant)) … 401
 *
 * Secret     the key is a UUID with 122 random bits. Only its SHA-256 is kept; it is told once, when it is made. From then on it is called by its ref.
 * Tenant     a tenant's id, or "*": all of them.
 * Permission a pattern of words with ':' between them; a last "*" stands for any rest: "nexus:consumer:chat", "nexus:cluster:*".
 * Rate       capacity calls in frequency seconds; counted for each client by rates.h.
 * Durable    a change is on disk before it is answered.
 * Threads    loop thread.
 */
#ifndef API_NEXUS_APIKEYS_H
#define API_NEXUS_APIKEYS_H
#include "hub/hub.h"
#include "store/store.h"
#include "wire/uuid.h"

enum { API_KEYS_MAX = 10000, API_KEY_PERMISSIONS = 20, API_KEY_CAPACITY = 120, API_KEY_FREQUENCY = 60, API_KEY_HASH_BYTES = 32 };
struct api_keys;
struct api_key {
    struct api_key *next;
    uint8_t hash[API_KEY_HASH_BYTES];
    char ref[UUID_TEXT];
    slice tenant, name, by;       /* in a */
    slice permissions[API_KEY_PERMISSIONS];
    size_t n_permissions;
    bool enabled, revoked;        /* revoked: for ever */
    int64_t created_ms, expires_ms; /* 0: never */
    int64_t capacity, frequency;
    struct arena *a;
};

struct api_keys *apikeys_new(struct hub *h) MUST_USE; /* before store_start: reads them */
void apikeys_free(struct api_keys *ks);
const struct api_key *apikeys_find(const struct api_keys *ks, slice key);  /* by the key itself; NULL: there is none */
const struct api_key *apikeys_called(const struct api_keys *ks, slice ref); /* by its ref, or by the key itself */
const struct api_key *apikeys_first(const struct api_keys *ks); /* in no order */
const struct api_key *apikeys_next(const struct api_keys *ks, const struct api_key *k);
size_t apikeys_count(const struct api_keys *ks);
bool apikey_good(const struct api_key *k, int64_t now_ms); /* enabled, not revoked, not past its end */
bool apikey_may(const struct api_key *k, slice permission);
bool apikey_for(const struct api_key *k, const struct tenant *t);

/* Makes one like `like` (hash, ref and times are its own), or puts `like` in place of `old`. done as soon as it is stored; *ret_key (new ones; in a)
 * is the key. The result is valid until the next change of the same key. */
const struct api_key *apikeys_put(struct api_keys *ks, const struct api_key *old, const struct api_key *like, struct arena *a, slice *ret_key,
                               store_done done, void *arg);
void apikeys_remove(struct api_keys *ks, const struct api_key *k, store_done done, void *arg);
#endif
