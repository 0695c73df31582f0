/* Large interactive messages, most of them by their pictures: "Large messages". Apple answers one with a reference to what it keeps of it; the same once more goes by that. */
#include "networks/apple/wire.h"
#include "wire/crypto.h"
#include "wire/hex.h"

enum { REF_BYTES = 2048, KEY_CHARS = 24 };

/* "ref:" and what the message says, but for the id of the request, which is another one each time. NULL: it does not go by reference. */
static const char *key_of(struct call *c, const struct apple_send *s, slice request)
{
    size_t at = s->again && s->members.n > APPLE_LARGE_BYTES ? slice_find(s->members, request) : SIZE_MAX;
    if (at == SIZE_MAX)
        return NULL;
    struct sha256 sum = sha256(arena_join(c->a, slice_sub(s->members, 0, at), slice_from(s->members, at + request.n), SL("")));
    return arena_printf(c->a, "ref:%.*s", KEY_CHARS, hex_encode(c->a, slice_mem(sum.b, sizeof(sum.b))).p).p;
}

slice apple_ref(struct call *c, const struct apple_send *s, slice request)
{
    const char *key = key_of(c, s, request);
    slice ref = key ? memory_get(c->memory, key, c->now_ms) : SLICE_NONE;
    return ref.n ? arena_join(c->a, SL(",\"interactiveDataRef\":"), ref, SL("")) : SLICE_NONE;
}

void apple_ref_took(struct call *c, const struct apple_send *s, slice request, slice body)
{
    const char *key = body.n ? key_of(c, s, request) : NULL;
    const struct js *doc = key ? js_parse(c->a, body, NULL) : NULL, *ref = js_at(doc, "interactiveDataRef");
    slice json = js_is_object(ref) && apple_member(ref, "url").n ? js_print(c->a, ref) : SLICE_NONE;
    if (json.n && json.n <= REF_BYTES)
        memory_set(c->memory, key, json, c->now_ms + APPLE_REF_MS);
}

void apple_ref_forget(struct call *c, const struct apple_send *s, slice request)
{
    const char *key = key_of(c, s, request);
    if (key)
        memory_set(c->memory, key, SLICE_NONE, 0);
}
