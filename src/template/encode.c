/* Sprig's encodings and hashes. Decoding errors are returned as text, as Sprig does. */
#include "template/function.h"
#include "wire/crypto.h"
#include "wire/hex.h"

#define FN(name) static struct value name(struct run *r, const struct value *v, size_t n)

struct alphabet {
    const char *chars, *name;
    int bits, group; /* a character's bits, characters of a group */
};
static const struct alphabet base64 = { "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", "base64", 6, 4 };
static const struct alphabet base32 = { "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "base32", 5, 8 };

static struct value encoded(struct run *r, slice s, const struct alphabet *k)
{
    struct text_out t = out_new(r);
    uint32_t acc = 0;
    int have = 0;
    run_step(r, s.n / 16);
    for (size_t i = 0; i < s.n; i++) {
        acc = acc << 8 | (unsigned char)s.p[i];
        for (have += 8; have >= k->bits; have -= k->bits)
            out_char(&t, k->chars[acc >> (have - k->bits) & ((1u << k->bits) - 1)]);
        acc &= (1u << have) - 1;
    }
    if (have)
        out_char(&t, k->chars[acc << (k->bits - have) & ((1u << k->bits) - 1)]);
    while (t.n % (size_t)k->group)
        out_char(&t, '=');
    return VALUE_STRING(out_slice(&t));
}

static struct value decoded(struct run *r, slice s, const struct alphabet *k)
{
    struct text_out t = out_new(r), wrong = out_new(r);
    uint32_t acc = 0;
    int have = 0, in_group = 0, pads = 0;
    size_t at = 0;
    run_step(r, s.n / 16);
    for (; at < s.n; at++) {
        char c = s.p[at];
        if (c == '\r' || c == '\n')
            continue;
        const char *hit = c ? strchr(k->chars, c) : NULL;
        bool pad_place = k->group == 4 ? in_group >= 2 : in_group == 2 || in_group == 4 || in_group == 5 || in_group == 7;
        if (c == '=' && (pads || pad_place) && pads + in_group < k->group) {
            pads++;
            continue;
        }
        if (!hit || pads)
            break;
        acc = acc << k->bits | (uint32_t)(hit - k->chars);
        have += k->bits;
        if (have >= 8) {
            have -= 8;
            out_char(&t, (char)(acc >> have & 0xff));
        }
        acc &= 0xff;
        in_group = (in_group + 1) % k->group;
    }
    if (at == s.n && (pads ? in_group + pads == k->group : in_group == 0))
        return VALUE_STRING(out_slice(&t));
    out_fmt(&wrong, "illegal %s data at input byte %zu", k->name, at == s.n && !pads ? s.n - (size_t)in_group : at);
    return VALUE_STRING(out_slice(&wrong));
}

FN(f_b64enc)
{
    (void)n;
    return encoded(r, v[0].s, &base64);
}

FN(f_b64dec)
{
    (void)n;
    return decoded(r, v[0].s, &base64);
}

FN(f_b32enc)
{
    (void)n;
    return encoded(r, v[0].s, &base32);
}

FN(f_b32dec)
{
    (void)n;
    return decoded(r, v[0].s, &base32);
}

static struct value hexed(struct run *r, const unsigned char *b, size_t n)
{
    struct text_out t = out_new(r);
    for (size_t i = 0; i < n; i++)
        out_fmt(&t, "%02x", b[i]);
    return VALUE_STRING(out_slice(&t));
}

FN(f_sha1)
{
    (void)n;
    run_step(r, v[0].s.n / 16);
    struct sha1 h = sha1(v[0].s);
    return hexed(r, h.b, sizeof(h.b));
}

FN(f_sha256)
{
    (void)n;
    run_step(r, v[0].s.n / 16);
    struct sha256 h = sha256(v[0].s);
    return hexed(r, h.b, sizeof(h.b));
}

FN(f_sha512)
{
    (void)n;
    run_step(r, v[0].s.n / 16);
    struct sha512 h = sha512(v[0].s);
    return hexed(r, h.b, sizeof(h.b));
}

FN(f_adler32)
{
    (void)n;
    uint32_t a = 1, b = 0;
    run_step(r, v[0].s.n / 16);
    for (size_t i = 0; i < v[0].s.n; i++) {
        a = (a + (unsigned char)v[0].s.p[i]) % 65521;
        b = (b + a) % 65521;
    }
    struct text_out t = out_new(r);
    out_fmt(&t, "%u", b << 16 | a);
    return VALUE_STRING(out_slice(&t));
}

/* clang-format off */
static const struct function rows[] = {
    { "b64enc", "s", f_b64enc }, { "b64dec", "s", f_b64dec }, { "b32enc", "s", f_b32enc }, { "b32dec", "s", f_b32dec },
    { "sha1sum", "s", f_sha1 }, { "sha256sum", "s", f_sha256 }, { "sha512sum", "s", f_sha512 }, { "adler32sum", "s", f_adler32 },
};
/* clang-format on */
const struct functions functions_encode = { rows, COUNT(rows) };
