/* Any document is refused or gives keys that can be found and verify nothing of their own. */
#include "fuzz/fuzz.h"
#include "wire/jwks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct fault f = { 0 };
    slice text = slice_mem(data, size);
    CLEANUP(jwks_freep) struct jwks *set = jwks_parse(text, &f);
    assert(set ? jwks_count(set) > 0 && jwks_count(set) <= JWKS_KEYS_MAX : f.code != NULL);
    const struct jwk *k = jwks_find(set, jwt_kid(a, text));
    assert(!k || !jws_verify(a, k->key, text, &f).p);
    k = jwks_find(set, SL("a"));
    assert(!k || (slice_eq(k->kid, SL("a")) && !jwt_key_can_sign(k->key)) || (k && slice_find(text, SL("\"d\"")) != SIZE_MAX));
    return 0;
}
