#include "api/nexus/apikeys.h"
#include "hub/message.h"
#include "wire/crypto.h"
#include "wire/hex.h"
#include "wire/js.h"

#define KEY_PREFIX "apikey:"
enum { STORED_MAX = 16384, SLOTS = 1024 };

struct api_keys {
    struct hub *hub;
    struct api_key *slots[SLOTS];
    size_t n;
};
struct stored {
    slice ref, tenant, name, by;
    struct js_list permissions;
    bool enabled, revoked;
    int64_t created_ms, expires_ms, capacity, frequency;
};
/* clang-format off */
static const struct js_field stored_fields[] = {
    JS_FIELD(struct stored, ref,         "ref",         JS_STR,     JS_REQ),
    JS_FIELD(struct stored, tenant,      "tenant",      JS_STR,     JS_REQ),
    JS_FIELD(struct stored, name,        "name",        JS_STR,     0),
    JS_FIELD(struct stored, by,          "by",          JS_STR,     0),
    JS_FIELD(struct stored, permissions, "permissions", JS_STRLIST, 0),
    JS_FIELD(struct stored, enabled,     "enabled",     JS_BOOL,    0),
    JS_FIELD(struct stored, revoked,     "revoked",     JS_BOOL,    0),
    JS_FIELD(struct stored, created_ms,  "created",     JS_I64,     0),
    JS_FIELD(struct stored, expires_ms,  "expires",     JS_I64,     0),
    JS_FIELD(struct stored, capacity,    "capacity",    JS_I64,     JS_REQ),
    JS_FIELD(struct stored, frequency,   "frequency",   JS_I64,     JS_REQ),
};
/* clang-format on */

/* ---- the table: few keys, asked for by hash with every call ------------------------------------------------------------ */

static struct api_key **place(struct api_keys *ks, const uint8_t hash[API_KEY_HASH_BYTES])
{
    size_t slot = ((size_t)hash[0] << 8 | hash[1]) % SLOTS;
    struct api_key **at = &ks->slots[slot];
    while (*at && memcmp((*at)->hash, hash, API_KEY_HASH_BYTES) != 0)
        at = &(*at)->next;
    return at;
}

const struct api_key *apikeys_find(const struct api_keys *ks, slice key)
{
    if (!key.n)
        return NULL;
    struct sha256 hash = sha256(key); /* nobody can steer its bytes, so comparing them tells nothing */
    size_t slot = ((size_t)hash.b[0] << 8 | hash.b[1]) % SLOTS;
    for (const struct api_key *k = ks->slots[slot]; k; k = k->next)
        if (memcmp(k->hash, hash.b, API_KEY_HASH_BYTES) == 0)
            return k;
    return NULL;
}

/* The next one behind k in the order of the slots; NULL: that was the last. */
static const struct api_key *after(const struct api_keys *ks, size_t slot, const struct api_key *k)
{
    if (k && k->next)
        return k->next;
    for (slot = k ? slot + 1 : 0; slot < SLOTS; slot++)
        if (ks->slots[slot])
            return ks->slots[slot];
    return NULL;
}

const struct api_key *apikeys_first(const struct api_keys *ks)
{
    return after(ks, 0, NULL);
}

const struct api_key *apikeys_next(const struct api_keys *ks, const struct api_key *k)
{
    return after(ks, ((size_t)k->hash[0] << 8 | k->hash[1]) % SLOTS, k);
}

const struct api_key *apikeys_called(const struct api_keys *ks, slice ref)
{
    for (const struct api_key *k = apikeys_first(ks); k; k = apikeys_next(ks, k))
        if (slice_eq_nocase(slice_of(k->ref), ref))
            return k;
    return apikeys_find(ks, ref);
}

size_t apikeys_count(const struct api_keys *ks)
{
    return ks->n;
}

/* ---- what a key is good for ---------------------------------------------------------------------------------------------- */

bool apikey_good(const struct api_key *k, int64_t now_ms)
{
    return k->enabled && !k->revoked && (!k->expires_ms || now_ms < k->expires_ms);
}

static bool fits(slice pattern, slice permission)
{
    while (pattern.p && permission.p) {
        slice want = slice_cut(&pattern, ':');
        if (slice_eq(want, SL("*")) && !pattern.p)
            return true;
        slice have = slice_cut(&permission, ':');
        if (!slice_eq(want, SL("*")) && !slice_eq(want, have))
            return false;
    }
    return !pattern.p && !permission.p;
}

bool apikey_may(const struct api_key *k, slice permission)
{
    for (size_t i = 0; i < k->n_permissions; i++)
        if (fits(k->permissions[i], permission))
            return true;
    return false;
}

bool apikey_for(const struct api_key *k, const struct tenant *t)
{
    return slice_eq(k->tenant, SL("*")) || slice_eq_nocase(k->tenant, t->id) || slice_eq(k->tenant, t->slug) || slice_eq(k->tenant, t->name);
}

/* ---- changing ------------------------------------------------------------------------------------------------------------- */

static struct api_key *copy(const struct api_key *like)
{
    struct arena *a = arena_new();
    struct api_key *k = ARENA_NEW(a, struct api_key);
    *k = *like;
    k->a = a;
    k->tenant = arena_dup(a, like->tenant);
    k->name = arena_dup(a, like->name);
    k->by = arena_dup(a, like->by);
    for (size_t i = 0; i < like->n_permissions; i++)
        k->permissions[i] = arena_dup(a, like->permissions[i]);
    return k;
}

static void drop(struct api_keys *ks, struct api_key **at)
{
    struct api_key *k = *at;
    if (!k)
        return;
    *at = k->next;
    ks->n--;
    arena_free(k->a);
}

static struct api_key *put(struct api_keys *ks, const struct api_key *like)
{
    struct api_key *k = copy(like), **at = place(ks, like->hash);
    drop(ks, at);
    k->next = *at;
    *at = k;
    ks->n++;
    return k;
}

static slice stored_key(struct arena *a, const struct api_key *k)
{
    return arena_printf(a, KEY_PREFIX SLF, SLA(hex_encode(a, slice_mem(k->hash, sizeof(k->hash)))));
}

static slice print(struct arena *a, const struct api_key *k)
{
    struct stored s = { .ref = slice_of(k->ref), .tenant = k->tenant, .name = k->name, .by = k->by, .enabled = k->enabled, .revoked = k->revoked,
                        .created_ms = k->created_ms, .expires_ms = k->expires_ms, .capacity = k->capacity, .frequency = k->frequency };
    for (size_t i = 0; i < k->n_permissions; i++)
        *LIST_ADD(a, &s.permissions, slice) = k->permissions[i];
    struct jw w = jw_new(a, STORED_MAX);
    jw_open(&w, NULL, '{');
    jw_fields(&w, stored_fields, COUNT(stored_fields), &s);
    jw_close(&w, '}');
    return jw_done(&w);
}

const struct api_key *apikeys_put(struct api_keys *ks, const struct api_key *old, const struct api_key *like, struct arena *a, slice *ret_key,
                               store_done done, void *arg)
{
    struct api_key k = *like;
    if (old) {
        memcpy(k.hash, old->hash, sizeof(k.hash));
        memcpy(k.ref, old->ref, sizeof(k.ref));
    } else {
        char key[UUID_TEXT];
        uuid_v4(key);
        uuid_v4(k.ref);
        *ret_key = arena_dup(a, slice_of(key));
        struct sha256 hash = sha256(*ret_key);
        static_assert(sizeof(hash.b) == API_KEY_HASH_BYTES, "one hash's length");
        memcpy(k.hash, hash.b, sizeof(k.hash));
        k.created_ms = time_now_ms();
    }
    slice key = stored_key(a, &k), value = print(a, &k);
    const struct api_key *put_in = put(ks, &k);
    store_put(ks->hub->store, &(struct store_pair){ key, value }, 1, done, arg);
    return put_in;
}

void apikeys_remove(struct api_keys *ks, const struct api_key *k, store_done done, void *arg)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice key = stored_key(a, k);
    drop(ks, place(ks, k->hash));
    store_put(ks->hub->store, &(struct store_pair){ key, SLICE_NONE }, 1, done, arg);
}

/* ---- life ------------------------------------------------------------------------------------------------------------------- */

static void read_one(void *arg, slice key, slice value)
{
    struct api_keys *ks = arg;
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct stored s = { 0 };
    struct api_key k = { 0 };
    const struct js *doc = js_parse(a, value, NULL);
    slice hash = hex_decode(a, slice_from(key, sizeof(KEY_PREFIX) - 1));
    if (hash.n != sizeof(k.hash) || !doc || !js_read(a, doc, stored_fields, COUNT(stored_fields), &s, NULL) || s.ref.n != UUID_TEXT - 1)
        return; /* written by ourselves; what cannot be read lets nobody in */
    memcpy(k.hash, hash.p, sizeof(k.hash));
    memcpy(k.ref, s.ref.p, s.ref.n);
    k.tenant = s.tenant;
    k.name = s.name;
    k.by = s.by;
    k.enabled = s.enabled;
    k.revoked = s.revoked;
    k.created_ms = s.created_ms;
    k.expires_ms = s.expires_ms;
    k.capacity = s.capacity;
    k.frequency = s.frequency;
    for (size_t i = 0; i < s.permissions.n && k.n_permissions < API_KEY_PERMISSIONS; i++)
        k.permissions[k.n_permissions++] = *LIST_AT(s.permissions, slice, i);
    put(ks, &k);
}

struct api_keys *apikeys_new(struct hub *h)
{
    struct api_keys *ks = must_calloc(1, sizeof(*ks));
    ks->hub = h;
    store_scan(h->store, SL(KEY_PREFIX), API_KEYS_MAX, read_one, NULL, ks);
    return ks;
}

void apikeys_free(struct api_keys *ks)
{
    if (!ks)
        return;
    for (size_t i = 0; i < SLOTS; i++)
        while (ks->slots[i])
            drop(ks, &ks->slots[i]);
    free(ks);
}
