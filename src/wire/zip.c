#include "wire/zip.h"
#include <zlib.h>

enum { VERSION = 20, DATE = 33 /* 1980-01-01 */ };

static void put16(struct text *t, unsigned v)
{
    text_char(t, (char)(v & 0xff));
    text_char(t, (char)(v >> 8 & 0xff));
}

static void put32(struct text *t, uint32_t v)
{
    put16(t, v & 0xffff);
    put16(t, v >> 16);
}

struct zip zip_new(struct arena *a, size_t max_bytes)
{
    assert(max_bytes < UINT32_MAX);
    return (struct zip){ .t = text_new(a, max_bytes) };
}

/* What a file's own head and its entry in the directory have in common. */
static void put_facts(struct zip *z, size_t i)
{
    struct text *t = &z->t;
    put16(t, VERSION);
    put16(t, 0); /* flags */
    put16(t, 0); /* stored */
    put16(t, 0); /* time */
    put16(t, DATE);
    put32(t, z->files[i].crc);
    put32(t, z->files[i].size);
    put32(t, z->files[i].size);
    put16(t, (unsigned)strlen(z->files[i].name));
    put16(t, 0); /* extra */
}

void zip_add(struct zip *z, const char *name, slice bytes)
{
    assert(z->n < ZIP_FILES_MAX && bytes.n < UINT32_MAX);
    size_t i = z->n++;
    z->files[i].name = name;
    z->files[i].crc = (uint32_t)crc32(0, (const unsigned char *)(bytes.p ? bytes.p : ""), (uInt)bytes.n);
    z->files[i].size = (uint32_t)bytes.n;
    z->files[i].at = (uint32_t)z->t.n;
    put32(&z->t, 0x04034b50);
    put_facts(z, i);
    text_put(&z->t, slice_of(name));
    text_put(&z->t, bytes);
}

slice zip_done(struct zip *z)
{
    struct text *t = &z->t;
    uint32_t from = (uint32_t)t->n;
    for (size_t i = 0; i < z->n; i++) {
        put32(t, 0x02014b50);
        put16(t, VERSION);
        put_facts(z, i);
        put16(t, 0); /* comment */
        put16(t, 0); /* disk */
        put16(t, 0); /* internal attributes */
        put32(t, 0); /* external attributes */
        put32(t, z->files[i].at);
        text_put(t, slice_of(z->files[i].name));
    }
    uint32_t bytes = (uint32_t)t->n - from;
    put32(t, 0x06054b50);
    put32(t, 0); /* disks */
    put16(t, (unsigned)z->n);
    put16(t, (unsigned)z->n);
    put32(t, bytes);
    put32(t, from);
    put16(t, 0); /* comment */
    return t->over ? SLICE_NONE : text_slice(t);
}
