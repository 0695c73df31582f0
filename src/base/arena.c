#include "base/arena.h"

enum {
    ARENA_FIRST = 4096,      /* most webhooks and deliveries fit in one or two of these */
    ARENA_LARGEST = 65536,   /* chunks grow up to this; larger requests get a chunk of their own */
    ARENA_SPARE_CHUNKS = 64, /* first-size chunks kept for the next arena of this thread: 256 KiB */
    ARENA_ALIGN = 16,
};

struct chunk {
    struct chunk *next;
    size_t size; /* of the whole chunk, this header included */
};
#define CHUNK_HEAD ((sizeof(struct chunk) + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1))

struct arena {
    struct chunk *chunks; /* the newest first; the oldest holds the arena itself */
    char *at, *end;
    char *last; /* the newest allocation, for arena_grow */
    size_t bytes;
};

static __thread struct chunk *spare;
static __thread int n_spare;
static __thread long alive;

static NORETURN void out_of_memory(size_t n)
{
    fprintf(stderr, "dragoman: out of memory (asked for %zu bytes)\n", n);
    abort();
}

void *must_malloc(size_t n)
{
    void *p = malloc(n ? n : 1);
    if (!p)
        out_of_memory(n);
    return p;
}

void *must_calloc(size_t count, size_t n)
{
    void *p = calloc(count ? count : 1, n ? n : 1);
    if (!p)
        out_of_memory(n);
    return p;
}

void *must_realloc(void *p, size_t n)
{
    p = realloc(p, n ? n : 1);
    if (!p)
        out_of_memory(n);
    return p;
}

static struct chunk *chunk_get(size_t size)
{
    if (size == ARENA_FIRST && spare) {
        struct chunk *c = spare;
        spare = c->next;
        n_spare--;
        return c;
    }
    struct chunk *c = must_malloc(size);
    c->size = size;
    return c;
}

static void chunk_put(struct chunk *c)
{
    if (c->size == ARENA_FIRST && n_spare < ARENA_SPARE_CHUNKS) {
        c->next = spare;
        spare = c;
        n_spare++;
        return;
    }
    free(c);
}

static void *round_up(void *p)
{
    return (void *)(((uintptr_t)p + ARENA_ALIGN - 1) & ~(uintptr_t)(ARENA_ALIGN - 1));
}

struct arena *arena_new(void)
{
    struct chunk *c = chunk_get(ARENA_FIRST);
    c->next = NULL;
    struct arena *a = round_up((char *)c + CHUNK_HEAD);
    a->chunks = c;
    a->at = round_up(a + 1);
    a->end = (char *)c + c->size;
    a->last = NULL;
    a->bytes = c->size;
    alive++;
    return a;
}

struct arena *arena_free(struct arena *a)
{
    if (!a)
        return NULL;
    alive--;
    for (struct chunk *c = a->chunks, *next; c; c = next) {
        next = c->next; /* the last one holds *a: not touched afterwards */
        chunk_put(c);
    }
    return NULL;
}

static void arena_extend(struct arena *a, size_t n)
{
    size_t size = a->bytes < ARENA_FIRST * 2 ? ARENA_FIRST : MIN(a->bytes, (size_t)ARENA_LARGEST);
    if (n > size - CHUNK_HEAD)
        size = n + CHUNK_HEAD;
    struct chunk *c = chunk_get(size);
    c->next = a->chunks;
    a->chunks = c;
    a->at = (char *)c + CHUNK_HEAD;
    a->end = (char *)c + size;
    a->bytes += size;
}

void *arena_alloc(struct arena *a, size_t n)
{
    if (n > SIZE_MAX / 2)
        out_of_memory(n);
    char *p = round_up(a->at);
    if (p > a->end || (size_t)(a->end - p) < n) {
        arena_extend(a, n);
        p = a->at;
    }
    a->at = p + n;
    a->last = p;
    return p;
}

void *arena_zalloc(struct arena *a, size_t n)
{
    return memset(arena_alloc(a, n), 0, n);
}

void *arena_grow(struct arena *a, void *p, size_t old_n, size_t new_n)
{
    if (p && p == a->last && (size_t)(a->end - a->last) >= new_n) {
        a->at = a->last + MAX(old_n, new_n);
        return p;
    }
    void *to = arena_alloc(a, new_n);
    if (p)
        memcpy(to, p, MIN(old_n, new_n));
    return to;
}

slice arena_dup(struct arena *a, slice s)
{
    if (!s.p)
        return SLICE_NONE;
    char *p = arena_alloc(a, s.n + 1);
    if (s.n)
        memcpy(p, s.p, s.n);
    p[s.n] = 0;
    return (slice){ p, s.n };
}

slice arena_lower(struct arena *a, slice s)
{
    if (!s.p)
        return SLICE_NONE;
    char *p = arena_cstr(a, s);
    for (size_t i = 0; i < s.n; i++)
        p[i] = ascii_lower(p[i]);
    return (slice){ p, s.n };
}

char *arena_cstr(struct arena *a, slice s)
{
    char *p = arena_alloc(a, s.n + 1);
    if (s.n)
        memcpy(p, s.p, s.n);
    p[s.n] = 0;
    return p;
}

slice arena_join(struct arena *a, slice x, slice y, slice z)
{
    const slice parts[] = { x, y, z };
    char *p = arena_alloc(a, x.n + y.n + z.n + 1), *to = p;
    for (size_t i = 0; i < COUNT(parts); i++) {
        if (parts[i].n)
            memcpy(to, parts[i].p, parts[i].n);
        to += parts[i].n;
    }
    *to = 0;
    return (slice){ p, (size_t)(to - p) };
}

slice arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    size_t room = (size_t)(a->end - a->at) > ARENA_ALIGN ? (size_t)(a->end - a->at) - ARENA_ALIGN : 0;
    char *p = arena_alloc(a, room);
    int n = vsnprintf(p, room, fmt, ap);
    assert(n >= 0);
    if ((size_t)n < room) {
        a->at = p + n + 1;
    } else {
        a->at = p;
        p = arena_alloc(a, (size_t)n + 1);
        vsnprintf(p, (size_t)n + 1, fmt, again);
    }
    va_end(again);
    return (slice){ p, (size_t)n };
}

slice arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    slice s = arena_vprintf(a, fmt, ap);
    va_end(ap);
    return s;
}

size_t arena_bytes(const struct arena *a)
{
    return a->bytes;
}

long arena_alive(void)
{
    return alive;
}

void arena_thread_end(void)
{
    for (struct chunk *c; (c = spare);) {
        spare = c->next;
        free(c);
    }
    n_spare = 0;
}
