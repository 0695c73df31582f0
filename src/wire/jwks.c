#include "wire/jwks.h"

struct jwks {
    struct arena *a;
    struct jwk keys[JWKS_KEYS_MAX];
    size_t n;
};

static bool is_for_signatures(const struct js *doc)
{
    slice use = js_text(js_at(doc, "use"));
    return slice_eq(js_text(js_at(doc, "kty")), SL("RSA")) && (!use.n || slice_eq(use, SL("sig")));
}

static void add_key(struct jwks *set, const struct js *doc)
{
    struct fault ignored;
    slice kid = js_text(js_at(doc, "kid"));
    if (set->n == JWKS_KEYS_MAX || !kid.n || !is_for_signatures(doc) || jwks_find(set, kid))
        return;
    struct jwt_key *key = jwt_key_jwk(js_print(set->a, doc), &ignored);
    if (key)
        set->keys[set->n++] = (struct jwk){ kid, key, doc };
}

struct jwks *jwks_parse(slice json, struct fault *f)
{
    struct arena *a = arena_new();
    struct jwks *set = ARENA_NEW(a, struct jwks);
    set->a = a;
    const struct js *doc = js_parse(a, arena_dup(a, json), NULL), *keys = js_at(doc, "keys");
    for (size_t i = 0; js_is_array(keys) && i < js_len(keys); i++)
        add_key(set, js_item(keys, i));
    if (set->n)
        return set;
    fault(f, "bad_keys", "keys", "the document holds no RSA key for signatures");
    return jwks_free(set);
}

struct jwks *jwks_free(struct jwks *set)
{
    if (!set)
        return NULL;
    for (size_t i = 0; i < set->n; i++)
        jwt_key_free(set->keys[i].key);
    arena_free(set->a);
    return NULL;
}

const struct jwk *jwks_find(const struct jwks *set, slice kid)
{
    for (size_t i = 0; set && kid.n && i < set->n; i++)
        if (slice_eq(set->keys[i].kid, kid))
            return &set->keys[i];
    return NULL;
}

size_t jwks_count(const struct jwks *set)
{
    return set ? set->n : 0;
}
