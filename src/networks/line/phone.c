/* "Notification messages": a tag is "<uuid>-<hex>", the hex being the number's bytes covered by HMAC-SHA256(channel secret, uuid). */
#include "networks/line/wire.h"
#include "wire/crypto.h"
#include "wire/hex.h"

enum { UUID_CHARS = 36, PHONE_BYTES = 16 };

/* Covers and uncovers alike. */
static slice cover(struct call *c, slice uuid, slice bytes)
{
    struct sha256 mask = hmac_sha256(setting(c, LINE_CHANNEL_SECRET), uuid);
    char *p = arena_alloc(c->a, PHONE_BYTES);
    assert(bytes.n <= PHONE_BYTES);
    for (size_t i = 0; i < bytes.n; i++)
        p[i] = (char)(bytes.p[i] ^ (char)mask.b[i]);
    return slice_mem(p, bytes.n);
}

slice line_tag(struct call *c, slice phone, slice uuid)
{
    assert(uuid.n == UUID_CHARS);
    return arena_printf(c->a, SLF "-" SLF, SLA(uuid), SLA(hex_encode(c->a, cover(c, uuid, phone))));
}

slice line_tag_phone(struct call *c, slice tag)
{
    slice uuid = slice_sub(tag, 0, UUID_CHARS), rest = slice_from(tag, UUID_CHARS);
    if (!slice_starts(rest, SL("-")))
        return SLICE_NONE;
    slice bytes = hex_decode(c->a, slice_from(rest, 1));
    if (!bytes.n || bytes.n > PHONE_BYTES)
        return SLICE_NONE;
    slice phone = cover(c, uuid, bytes);
    return line_guest_of(phone) == LINE_PHONE ? phone : SLICE_NONE;
}
