#include "net/forwarded.h"
#include "wire/base64.h"
#include "wire/crypto.h"
#include "wire/js.h"

enum { SAID_BYTES = 512 };

struct said {
    slice remote;
    int64_t at_ms;
};
static const struct js_field said_fields[] = {
    JS_FIELD(struct said, remote, "remote", JS_STR, JS_REQ),
    JS_FIELD(struct said, at_ms, "time", JS_I64, JS_REQ),
};

/* The name of the header is part of what is signed: a signature made with this key for another purpose is none here. */
static struct sha256 seal_of(struct arena *a, slice key, slice said)
{
    return hmac_sha256(key, arena_join(a, SL(FORWARDED_HEADER), SL(":"), said));
}

slice forwarded_sign(struct arena *a, slice key, slice remote, int64_t now_ms)
{
    struct jw w = jw_new(a, SAID_BYTES);
    jw_open(&w, NULL, '{');
    jw_str(&w, "remote", remote);
    jw_int(&w, "time", now_ms);
    jw_close(&w, '}');
    slice said = base64url_encode(a, jw_done(&w));
    struct sha256 mac = seal_of(a, key, said);
    return arena_join(a, said, SL("."), base64url_encode(a, slice_mem(mac.b, sizeof(mac.b))));
}

bool forwarded_check(struct arena *a, slice key, slice value, int64_t now_ms, slice *ret_remote)
{
    slice rest = value, said = slice_cut(&rest, '.');
    if (!key.n || !said.n || !rest.n || value.n > 2 * SAID_BYTES)
        return false;
    struct sha256 mac = seal_of(a, key, said);
    slice given = base64url_decode(a, rest);
    if (!given.p || !bytes_equal_secret(slice_mem(mac.b, sizeof(mac.b)), given))
        return false;
    slice text = base64url_decode(a, said);
    const struct js *doc = text.p ? js_parse(a, text, NULL) : NULL;
    struct said s = { 0 };
    if (!doc || !js_read(a, doc, said_fields, COUNT(said_fields), &s, NULL) || !s.remote.n)
        return false;
    if (s.at_ms < now_ms - FORWARDED_FRESH_MS || s.at_ms > now_ms + FORWARDED_FRESH_MS)
        return false;
    *ret_remote = s.remote;
    return true;
}

slice forwarded_ip(slice remote)
{
    size_t colon = slice_find_last(remote, ':');
    slice host = colon == SIZE_MAX ? SLICE_NONE : slice_sub(remote, 0, colon);
    if (slice_starts(host, SL("[")) && slice_ends(host, SL("]")))
        host = slice_sub(host, 1, host.n - 2);
    return host.n ? host : SLICE_NONE;
}
