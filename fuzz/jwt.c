/* No text verifies but what the key signed; what it signed does; keys of any text are refused or work. */
#include "fuzz/fuzz.h"
#include "wire/jwt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct jwt_key *key;
    if (!key)
        key = jwt_key_secret(SL("a secret that the fuzzer does not know"));
    CLEANUP(arena_freep) struct arena *a = arena_new();
    slice text = slice_mem(data, size);
    struct fault f = { 0 };

    assert(!jws_verify(a, key, text, &f).p && f.code);
    slice kid = jwt_kid(a, text);
    assert(!kid.p || kid.n < size);

    slice token = jws_sign(a, key, SL("{\"alg\":\"HS256\"}"), text, &f);
    slice payload = jws_verify(a, key, token, &f);
    assert(token.n > JWT_BYTES_MAX ? !payload.p : slice_eq(payload, text));
    if (payload.p) /* any claims */
        (void)!jwt_verify(a, key, token, &(struct jwt_rules){ .now_ms = 1, .iss = SL("i"), .aud = SL("a") }, &f);
    token = jws_sign(a, key, text, SL("{}"), &f);
    (void)!jws_verify(a, key, token, &f).p; /* any header */

    CLEANUP(jwt_key_freep) struct jwt_key *other = jwt_key_read(text, &f);
    if (other && jwt_key_can_sign(other))
        assert(jws_verify(a, other, jwt_sign(a, other, SLICE_NONE, SL("{}"), &f), &f).p || f.code);
    return 0;
}
