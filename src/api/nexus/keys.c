/* keys.c - API keys over HTTP: made, listed, changed, revoked, deleted. */
#include "api/nexus/call.h"
#include "hub/registry.h"

enum { NAME_MAX_BYTES = 200, KEY_BYTES = 16 << 10, RATE_MAX = 10000000, WORD_MAX = 100 };

struct keeping { /* until it is stored */
    struct nexus_call *c;
    slice body; /* of the answer; absent: 204 */
};

/* ---- a key ----------------------------------------------------------------------------------------------------------------------- */

/* id is the key itself: only when it is made. */
static void write_key(struct jw *w, const struct api_key *k, slice key)
{
    jw_open(w, NULL, '{');
    jw_opt(w, "id", key);
    jw_str(w, "ref", slice_of(k->ref));
    jw_str(w, "tenant", k->tenant);
    jw_str(w, "name", k->name);
    jw_open(w, "permissions", '[');
    for (size_t i = 0; i < k->n_permissions; i++)
        jw_str(w, NULL, k->permissions[i]);
    jw_close(w, ']');
    jw_bool(w, "enabled", k->enabled);
    jw_time(w, "created", k->created_ms);
    jw_str(w, "createdby", k->by);
    jw_bool(w, "revoked", k->revoked);
    if (k->expires_ms)
        jw_time(w, "expires", k->expires_ms);
    else
        jw_bool(w, "expires", false);
    jw_int(w, "capacity", k->capacity);
    jw_int(w, "frequency", k->frequency);
    jw_close(w, '}');
}

static bool is_permission(slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        char ch = s.p[i];
        bool word = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') || ch == '-' || ch == '_' || ch == ':' || ch == '*' || ch == '.';
        if (!word)
            return false;
    }
    return s.n > 0 && s.n <= WORD_MAX;
}

static bool read_bool(struct nexus_call *c, const char *name, bool *ret)
{
    const struct js *v = js_get(c->doc, slice_of(name));
    if (!v)
        return true;
    if (!js_is_bool(v)) {
        nexus_deny(c, 400, "INVALID_PARAMETER", "%s must be true or false", name);
        return false;
    }
    *ret = js_true(v);
    return true;
}

static bool read_number(struct nexus_call *c, const char *name, int64_t *ret)
{
    const struct js *v = js_get(c->doc, slice_of(name));
    if (!v || (js_int(v, ret) && *ret >= 1 && *ret <= RATE_MAX))
        return true;
    nexus_deny(c, 400, "INVALID_PARAMETER", "%s must be a whole number from 1 to %d", name, RATE_MAX);
    return false;
}

static bool read_expires(struct nexus_call *c, int64_t *ret)
{
    const struct js *v = js_get(c->doc, SL("expires"));
    if (!v)
        return true;
    if (js_is_bool(v) && !js_true(v)) {
        *ret = 0;
        return true;
    }
    if ((js_int(v, ret) && *ret > 0 && *ret <= TIME_MAX_MS) || (js_is_string(v) && time_parse_rfc3339(js_text(v), ret)))
        return true;
    nexus_deny(c, 400, "INVALID_PARAMETER", "expires must be false, a time such as 2030-01-31T00:00:00Z, or milliseconds since 1970");
    return false;
}

static bool read_permissions(struct nexus_call *c, struct api_key *k)
{
    const struct js *v = js_get(c->doc, SL("permissions"));
    if (!v)
        return true;
    k->n_permissions = 0;
    bool good = js_is_array(v) && js_len(v) <= API_KEY_PERMISSIONS;
    for (size_t i = 0; good && i < js_len(v); i++) {
        slice one = js_text(js_item(v, i));
        good = is_permission(one);
        k->permissions[k->n_permissions++] = one;
    }
    if (!good)
        nexus_deny(c, 400, "INVALID_PARAMETER", "permissions must be a list of at most %d such as nexus:consumer:chat", API_KEY_PERMISSIONS);
    return good;
}

/* What the body says into k. False: answered. */
static bool read_into(struct nexus_call *c, struct api_key *k)
{
    slice tenant = js_text(js_get(c->doc, SL("tenant"))), name = js_text(js_get(c->doc, SL("name")));
    if (tenant.n) {
        const struct registry_entry *e = registry_find(c->api->hub, tenant);
        if (!e && !slice_eq(tenant, SL("*"))) {
            nexus_deny(c, 400, "INVALID_CONTACT_CENTER", "there is no such tenant; it is one's id, or *");
            return false;
        }
        k->tenant = e ? e->id : tenant;
    }
    if (name.n)
        k->name = utf8_cut_bytes(name, NAME_MAX_BYTES);
    bool revoked = k->revoked;
    if (!read_bool(c, "enabled", &k->enabled) || !read_bool(c, "revoked", &revoked) || !read_number(c, "capacity", &k->capacity) ||
        !read_number(c, "frequency", &k->frequency) || !read_expires(c, &k->expires_ms) || !read_permissions(c, k))
        return false;
    if (k->revoked && !revoked) {
        nexus_deny(c, 409, "REVOKED", "a revoked key stays revoked: make another one");
        return false;
    }
    k->revoked = revoked;
    if (!k->tenant.n)
        nexus_deny(c, 400, "INVALID_PARAMETER", "tenant is missing: a tenant's id, or *");
    else if (!k->n_permissions)
        nexus_deny(c, 400, "INVALID_PARAMETER", "permissions are missing");
    return k->tenant.n && k->n_permissions;
}

/* ---- the operations ----------------------------------------------------------------------------------------------------------------- */

static void stored(void *arg, const struct fault *f)
{
    struct keeping *ke = arg;
    if (f)
        nexus_not_stored(ke->c);
    else
        nexus_answer(ke->c, ke->body.p ? 200 : 204, ke->body); /* 200 also when it was made, as the guide has it */
}

static struct keeping *keep(struct nexus_call *c)
{
    struct keeping *ke = ARENA_NEW(c->a, struct keeping);
    *ke = (struct keeping){ .c = c };
    return ke;
}

static slice print_key(struct arena *a, const struct api_key *k, slice key)
{
    struct jw w = jw_new(a, KEY_BYTES);
    write_key(&w, k, key);
    return jw_done(&w);
}

static void create(struct nexus_call *c)
{
    struct api_key k = { .enabled = true, .by = c->user, .capacity = API_KEY_CAPACITY, .frequency = API_KEY_FREQUENCY };
    if (apikeys_count(c->api->keys) >= API_KEYS_MAX) {
        nexus_deny(c, 409, "LIMIT", "there are %d keys, and more are not kept", API_KEYS_MAX);
        return;
    }
    if (!read_into(c, &k))
        return;
    slice key;
    struct keeping *ke = keep(c);
    const struct api_key *made = apikeys_put(c->api->keys, NULL, &k, c->a, &key, stored, ke); /* the store answers in a later turn */
    ke->body = print_key(c->a, made, key);
    nexus_audit(c, "apikey.create", slice_of(made->ref));
}

static void change(struct nexus_call *c, const struct api_key *old)
{
    struct api_key k = *old;
    k.tenant = arena_dup(c->a, k.tenant); /* the old one goes */
    k.name = arena_dup(c->a, k.name);
    k.by = arena_dup(c->a, k.by);
    for (size_t i = 0; i < k.n_permissions; i++)
        k.permissions[i] = arena_dup(c->a, k.permissions[i]);
    if (!read_into(c, &k))
        return;
    slice none;
    struct keeping *ke = keep(c);
    bool revoked = k.revoked && !old->revoked;
    const struct api_key *put = apikeys_put(c->api->keys, old, &k, c->a, &none, stored, ke);
    ke->body = print_key(c->a, put, SLICE_NONE);
    nexus_audit(c, revoked ? "apikey.revoke" : "apikey.change", slice_of(put->ref));
}

static void list(struct nexus_call *c)
{
    struct jw w = jw_new(c->a, NEXUS_ANSWER_MAX);
    jw_open(&w, NULL, '[');
    for (const struct api_key *k = apikeys_first(c->api->keys); k; k = apikeys_next(c->api->keys, k))
        write_key(&w, k, SLICE_NONE);
    jw_close(&w, ']');
    slice body = jw_done(&w);
    if (body.p)
        nexus_answer(c, 200, body);
    else
        nexus_deny(c, 500, "TOO_LARGE", "the list is longer than %d bytes", NEXUS_ANSWER_MAX);
}

static void one(struct nexus_call *c, slice ref)
{
    const struct api_key *k = apikeys_called(c->api->keys, ref);
    if (!k) {
        nexus_deny(c, 404, "NOT_FOUND", "there is no such key");
    } else if (slice_eq(c->x->method, SL("GET"))) {
        nexus_answer(c, 200, print_key(c->a, k, SLICE_NONE));
    } else if (slice_eq(c->x->method, SL("PUT"))) {
        change(c, k);
    } else if (slice_eq(c->x->method, SL("DELETE"))) {
        nexus_audit(c, "apikey.delete", slice_of(k->ref));
        apikeys_remove(c->api->keys, k, stored, keep(c));
    } else {
        nexus_deny(c, 405, "METHOD_NOT_ALLOWED", "this address takes GET, PUT and DELETE");
    }
}

void nexus_keys(struct nexus_call *c)
{
    if (!nexus_administrator(c))
        return;
    if (c->n_words)
        one(c, c->words[0]);
    else if (slice_eq(c->x->method, SL("POST")))
        create(c);
    else if (slice_eq(c->x->method, SL("GET")))
        list(c);
    else
        nexus_deny(c, 405, "METHOD_NOT_ALLOWED", "this address takes GET and POST");
}
