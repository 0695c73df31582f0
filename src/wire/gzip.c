#include "wire/gzip.h"
#include <limits.h>
#include <zlib.h>

enum {
    WINDOW_AUTO = MAX_WBITS + 32, /* gzip or zlib, told by the first bytes */
    WINDOW_GZIP = MAX_WBITS + 16,
    FIRST_ROOM = 4096,
    MEMORY_DEFAULT = 8,
};

static void *z_alloc(void *opaque, unsigned count, unsigned size)
{
    (void)opaque;
    return must_malloc((size_t)count * size);
}

static void z_free(void *opaque, void *p)
{
    (void)opaque;
    free(p);
}

static unsigned char *in_of(slice s)
{
    return (unsigned char *)(uintptr_t)s.p; /* zlib reads it only */
}

struct out {
    struct arena *a;
    char *p;
    size_t n, cap, max;
};

/* Room for more, at most one byte beyond the bound: that byte tells that the content is too big. */
static void out_grow(struct out *o)
{
    size_t cap = MIN(MAX(o->cap * 2, (size_t)FIRST_ROOM), o->max + 1);
    o->p = arena_grow(o->a, o->p, o->n, cap);
    o->cap = cap;
}

static enum gzip unpack(z_stream *z, struct out *o)
{
    for (;;) {
        if (o->n == o->cap)
            out_grow(o);
        z->next_out = (unsigned char *)o->p + o->n;
        z->avail_out = (unsigned)MIN(o->cap - o->n, (size_t)INT_MAX);
        unsigned room = z->avail_out;
        int rc = inflate(z, Z_NO_FLUSH);
        o->n += room - z->avail_out;
        if (o->n > o->max)
            return GZIP_TOO_BIG;
        if (rc == Z_STREAM_END) {
            if (z->avail_in == 0)
                return GZIP_OK;
            if (inflateReset(z) != Z_OK) /* another member */
                return GZIP_BAD;
        } else if (rc != Z_OK) {
            return GZIP_BAD; /* Z_BUF_ERROR, too: there is room, so the text was cut short */
        }
    }
}

enum gzip gzip_unpack(struct arena *a, slice packed, size_t max_bytes, slice *ret)
{
    if (packed.n == 0 || packed.n > INT_MAX || max_bytes > SIZE_MAX / 4)
        return packed.n > INT_MAX ? GZIP_TOO_BIG : GZIP_BAD;
    z_stream z = { .zalloc = z_alloc, .zfree = z_free, .next_in = in_of(packed), .avail_in = (unsigned)packed.n };
    if (inflateInit2(&z, WINDOW_AUTO) != Z_OK)
        return GZIP_BAD;
    struct out o = { .a = a, .max = max_bytes };
    enum gzip end = unpack(&z, &o);
    inflateEnd(&z);
    if (end == GZIP_OK)
        *ret = (slice){ o.p, o.n };
    return end;
}

slice gzip_pack(struct arena *a, slice plain)
{
    assert(plain.n <= INT_MAX / 2);
    z_stream z = { .zalloc = z_alloc, .zfree = z_free, .next_in = in_of(plain), .avail_in = (unsigned)plain.n };
    int rc = deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, WINDOW_GZIP, MEMORY_DEFAULT, Z_DEFAULT_STRATEGY);
    assert(rc == Z_OK);
    size_t room = deflateBound(&z, plain.n);
    char *out = arena_alloc(a, room);
    z.next_out = (unsigned char *)out;
    z.avail_out = (unsigned)room;
    rc = deflate(&z, Z_FINISH);
    assert(rc == Z_STREAM_END);
    size_t n = room - z.avail_out;
    deflateEnd(&z);
    return (slice){ out, n };
}
