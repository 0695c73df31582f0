#include "net/guard.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

struct block {
    unsigned char net[16];
    unsigned bits;
};

/* clang-format off */
static const struct block refused4[] = {
    { { 0 }, 8 },               /* this network; 0.0.0.0 reaches this host */
    { { 10 }, 8 },              /* private */
    { { 100, 64 }, 10 },        /* shared by carrier-grade NAT */
    { { 127 }, 8 },             /* loopback */
    { { 169, 254 }, 16 },       /* link-local; clouds' metadata services */
    { { 172, 16 }, 12 },        /* private */
    { { 192, 0, 0 }, 24 },      /* protocol assignments */
    { { 192, 0, 2 }, 24 },      /* documentation */
    { { 192, 31, 196 }, 24 },   /* AS112 */
    { { 192, 52, 193 }, 24 },   /* AMT */
    { { 192, 88, 99 }, 24 },    /* 6to4 relays, withdrawn */
    { { 192, 168 }, 16 },       /* private */
    { { 192, 175, 48 }, 24 },   /* AS112 */
    { { 198, 18 }, 15 },        /* benchmarks */
    { { 198, 51, 100 }, 24 },   /* documentation */
    { { 203, 0, 113 }, 24 },    /* documentation */
    { { 224 }, 4 },             /* multicast */
    { { 240 }, 4 },             /* reserved, broadcast */
};
static const struct block refused6[] = { /* within 2000::/3, the only range that is global unicast */
    { { 0x20, 0x01, 0x00 }, 23 },             /* protocol assignments, Teredo and ORCHID among them */
    { { 0x20, 0x01, 0x0d, 0xb8 }, 32 },       /* documentation */
    { { 0x26, 0x20, 0x00, 0x4f, 0x80 }, 48 }, /* AS112 */
    { { 0x3f, 0xff }, 20 },                   /* documentation */
};
static const struct block global6 = { { 0x20 }, 3 };
static const struct block six_to_four = { { 0x20, 0x02 }, 16 };
static const struct block mapped = { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff }, 96 };
static const struct block nat64 = { { 0, 0x64, 0xff, 0x9b }, 96 };
/* clang-format on */

static bool inside(const unsigned char *a, const struct block *b)
{
    size_t whole = b->bits / 8, rest = b->bits % 8;
    if (memcmp(a, b->net, whole) != 0)
        return false;
    unsigned mask = rest ? (0xff00u >> rest) & 0xff : 0;
    return (a[whole < 16 ? whole : 15] & mask) == (b->net[whole < 16 ? whole : 15] & mask);
}

static bool ok4(const unsigned char a[4])
{
    for (size_t i = 0; i < COUNT(refused4); i++)
        if (inside(a, &refused4[i]))
            return false;
    return true;
}

static bool ok6(const unsigned char a[16])
{
    if (inside(a, &mapped) || inside(a, &nat64))
        return ok4(a + 12);
    if (!inside(a, &global6))
        return false;
    if (inside(a, &six_to_four))
        return ok4(a + 2);
    if ((a[8] & 0xfd) == 0 && a[9] == 0 && a[10] == 0x5e && a[11] == 0xfe) /* ISATAP */
        return ok4(a + 12);
    for (size_t i = 0; i < COUNT(refused6); i++)
        if (inside(a, &refused6[i]))
            return false;
    return true;
}

bool guard_address_ok(const struct sockaddr *a)
{
    if (a->sa_family == AF_INET) {
        unsigned char v4[4];
        memcpy(v4, &((const struct sockaddr_in *)(const void *)a)->sin_addr, sizeof(v4));
        return ok4(v4);
    }
    if (a->sa_family == AF_INET6)
        return ok6(((const struct sockaddr_in6 *)(const void *)a)->sin6_addr.s6_addr);
    return false;
}

/* Decimal, octal or hexadecimal: what ends in one is read as an address, however it is written. */
static bool is_number(slice s)
{
    bool hex = s.n >= 2 && s.p[0] == '0' && (s.p[1] | 32) == 'x';
    for (size_t i = hex ? 2 : 0; i < s.n; i++) {
        char c = s.p[i], small = (char)(c | 32);
        if (!(c >= '0' && c <= '9') && !(hex && small >= 'a' && small <= 'f'))
            return false;
    }
    return s.n > 0;
}

bool guard_host_ok(slice host)
{
    char text[256];
    if (slice_starts(host, SL("[")) && slice_ends(host, SL("]")))
        host = slice_sub(host, 1, host.n - 2);
    host = slice_sub(host, 0, MIN(host.n, slice_find_char(host, '%'))); /* zone */
    while (host.n && host.p[host.n - 1] == '.')
        host.n--;
    if (host.n == 0 || host.n >= sizeof(text))
        return false;
    memcpy(text, host.p, host.n);
    text[host.n] = 0;
    unsigned char a[16];
    if (inet_pton(AF_INET, text, a) == 1)
        return ok4(a);
    if (inet_pton(AF_INET6, text, a) == 1)
        return ok6(a);
    size_t dot = slice_find_last(host, '.');
    slice last = dot == SIZE_MAX ? host : slice_from(host, dot + 1);
    return !slice_eq_nocase(last, SL("localhost")) && !is_number(last);
}
