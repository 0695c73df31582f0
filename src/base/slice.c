#define BASE_ALLOW_LIBC
#include "base/slice.h"
#include <errno.h>
#include <sys/random.h>

enum { RANDOM_STOCK = 1024 };

bool slice_eq_nocase(slice a, slice b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
            return false;
    return true;
}

bool slice_starts(slice s, slice prefix)
{
    return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

bool slice_ends(slice s, slice suffix)
{
    return s.n >= suffix.n && (suffix.n == 0 || memcmp(s.p + s.n - suffix.n, suffix.p, suffix.n) == 0);
}

size_t slice_find(slice s, slice what)
{
    if (what.n == 0)
        return 0;
    if (s.n < what.n)
        return SIZE_MAX;
    const char *hit = memmem(s.p, s.n, what.p, what.n);
    return hit ? (size_t)(hit - s.p) : SIZE_MAX;
}

size_t slice_find_char(slice s, char c)
{
    const char *hit = s.n ? memchr(s.p, c, s.n) : NULL;
    return hit ? (size_t)(hit - s.p) : SIZE_MAX;
}

size_t slice_find_last(slice s, char c)
{
    const char *hit = s.n ? memrchr(s.p, c, s.n) : NULL;
    return hit ? (size_t)(hit - s.p) : SIZE_MAX;
}

slice slice_from(slice s, size_t from)
{
    from = MIN(from, s.n);
    return from ? (slice){ s.p + from, s.n - from } : s; /* no arithmetic with an absent one */
}

slice slice_sub(slice s, size_t from, size_t len)
{
    s = slice_from(s, from);
    s.n = MIN(s.n, len);
    return s;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f';
}

slice slice_trim(slice s)
{
    while (s.n && is_space(s.p[0]))
        s.p++, s.n--;
    while (s.n && is_space(s.p[s.n - 1]))
        s.n--;
    return s;
}

slice slice_cut(slice *rest, char sep)
{
    size_t at = slice_find_char(*rest, sep);
    slice head = *rest;
    if (at == SIZE_MAX) {
        *rest = SLICE_NONE;
        return head;
    }
    head.n = at;
    *rest = slice_from(*rest, at + 1);
    return head;
}

bool slice_int(slice s, int64_t *ret)
{
    bool minus = s.n && s.p[0] == '-';
    if (minus)
        s = slice_from(s, 1);
    if (s.n == 0)
        return false;
    int64_t v = 0; /* counted downwards: INT64_MIN has no positive twin */
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_sub_overflow(v, s.p[i] - '0', &v))
            return false;
    }
    if (!minus && v == INT64_MIN)
        return false;
    *ret = minus ? v : -v;
    return true;
}

bool slice_double(slice s, double *ret)
{
    char buf[64];
    if (s.n == 0 || s.n >= sizeof(buf) || is_space(s.p[0]))
        return false;
    memcpy(buf, s.p, s.n);
    buf[s.n] = 0;
    char *end;
    errno = 0;
    double v = strtod(buf, &end);
    if (*end || errno == ERANGE)
        return false;
    *ret = v;
    return true;
}

int slice_cmp(slice a, slice b)
{
    size_t n = MIN(a.n, b.n);
    int c = n ? memcmp(a.p, b.p, n) : 0;
    if (c)
        return c;
    return a.n < b.n ? -1 : a.n > b.n;
}

/* SipHash-1-3 with a key drawn at start: hostile names cannot be chosen to collide. */
static uint64_t hash_key[2];

__attribute__((constructor)) static void hash_key_draw(void)
{
    random_bytes(hash_key, sizeof(hash_key));
}

#define ROTL(x, b) (((x) << (b)) | ((x) >> (64 - (b))))
static void sip_round(uint64_t v[4])
{
    v[0] += v[1], v[1] = ROTL(v[1], 13), v[1] ^= v[0], v[0] = ROTL(v[0], 32);
    v[2] += v[3], v[3] = ROTL(v[3], 16), v[3] ^= v[2];
    v[0] += v[3], v[3] = ROTL(v[3], 21), v[3] ^= v[0];
    v[2] += v[1], v[1] = ROTL(v[1], 17), v[1] ^= v[2], v[2] = ROTL(v[2], 32);
}

uint64_t slice_hash_fixed(uint64_t so_far, slice s)
{
    for (size_t i = 0; i < s.n; i++)
        so_far = (so_far ^ (unsigned char)s.p[i]) * UINT64_C(0x100000001b3);
    return so_far;
}

uint64_t slice_hash(slice s)
{
    uint64_t v[4] = { hash_key[0] ^ 0x736f6d6570736575u, hash_key[1] ^ 0x646f72616e646f6du,
                      hash_key[0] ^ 0x6c7967656e657261u, hash_key[1] ^ 0x7465646279746573u };
    size_t i = 0;
    uint64_t w;
    for (; i + 8 <= s.n; i += 8) {
        memcpy(&w, s.p + i, 8);
        v[3] ^= w;
        sip_round(v);
        v[0] ^= w;
    }
    w = (uint64_t)s.n << 56;
    if (s.n > i)
        memcpy(&w, s.p + i, s.n - i);
    w |= (uint64_t)s.n << 56;
    v[3] ^= w;
    sip_round(v);
    v[0] ^= w;
    v[2] ^= 0xff;
    for (int r = 0; r < 3; r++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

bool bytes_equal_secret(slice a, slice b)
{
    if (a.n != b.n)
        return false;
    unsigned char diff = 0;
    for (size_t i = 0; i < a.n; i++)
        diff |= (unsigned char)(a.p[i] ^ b.p[i]);
    return *(volatile unsigned char *)&diff == 0;
}

void bytes_wipe(void *p, size_t n)
{
    explicit_bzero(p, n);
}

static void random_from_kernel(void *p, size_t n)
{
    char *at = p;
    while (n) {
        ssize_t got = getrandom(at, n, 0);
        if (got < 0 && errno == EINTR)
            continue;
        assert(got > 0);
        at += got;
        n -= (size_t)got;
    }
}

/* Small requests are served from a stock, so that one system call serves many; what was given away is wiped. */
void random_bytes(void *p, size_t n)
{
    static __thread unsigned char stock[RANDOM_STOCK];
    static __thread size_t left;
    if (n > sizeof(stock) / 4) {
        random_from_kernel(p, n);
        return;
    }
    if (left < n) {
        random_from_kernel(stock, sizeof(stock));
        left = sizeof(stock);
    }
    left -= n;
    memcpy(p, stock + left, n);
    explicit_bzero(stock + left, n);
}

void random_hex(char *to, size_t bytes)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < bytes; i++) {
        uint8_t byte;
        random_bytes(&byte, 1);
        to[2 * i] = digits[byte >> 4];
        to[2 * i + 1] = digits[byte & 15];
    }
    to[2 * bytes] = 0;
}
