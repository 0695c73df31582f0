/* arena.h - memory that dies together.
 *
 *   CLEANUP(arena_freep) struct arena *a = arena_new();
 *   slice url = arena_printf(a, "https://" SLF "/v2", SLA(host));
 *
 * Everything allocated from an arena lives until arena_free. Single frees do not exist.
 *
 * Advantages     no frees, no leaks on early return, allocation is a pointer bump.
 * Disadvantages  a long-lived arena only grows: give each request and each delivery its own.
 * Errors         none: inputs are bounded where bytes enter, so an arena is bounded; a failing malloc ends the
 *                process with a message.
 * Threads        an arena belongs to one thread at a time; handing it over is fine. Free chunks are kept per
 *                thread, at most ARENA_SPARE_CHUNKS.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H
#include "base/slice.h"
#include <stdarg.h>

struct arena;

struct arena *arena_new(void) MUST_USE;
struct arena *arena_free(struct arena *a); /* accepts NULL, returns NULL */
static inline void arena_freep(struct arena **a)
{
    *a = arena_free(*a);
}
void *arena_alloc(struct arena *a, size_t n) MUST_USE;  /* 16-byte aligned, not cleared; never NULL */
void *arena_zalloc(struct arena *a, size_t n) MUST_USE; /* cleared */
#define ARENA_NEW(a, T) ((T *)arena_zalloc((a), sizeof(T)))
#define ARENA_ARRAY(a, T, n) ((T *)arena_zalloc((a), sizeof(T) * (n)))
/* Grows the last allocation in place where possible, else copies. */
void *arena_grow(struct arena *a, void *p, size_t old_n, size_t new_n) MUST_USE;
slice arena_dup(struct arena *a, slice s) MUST_USE; /* absent stays absent; the copy is followed by a 0 byte */
char *arena_cstr(struct arena *a, slice s) MUST_USE;
slice arena_lower(struct arena *a, slice s) MUST_USE; /* arena_dup, ASCII letters small */
slice arena_join(struct arena *a, slice x, slice y, slice z) MUST_USE; /* one behind the other, a 0 byte behind them */
slice arena_printf(struct arena *a, const char *fmt, ...) PRINTF(2, 3) MUST_USE; /* followed by a 0 byte */
slice arena_vprintf(struct arena *a, const char *fmt, va_list ap) PRINTF(2, 0) MUST_USE;
/* Bytes taken from the system by this arena (for limits and tests). */
size_t arena_bytes(const struct arena *a);
/* Arenas alive in this thread (tests check it returns to 0). */
long arena_alive(void);
/* The last thing that a thread of ours does which used arenas: gives back its free chunks. */
void arena_thread_end(void);

/* malloc family that ends the process when memory is out. */
void *must_malloc(size_t n) MUST_USE;
void *must_calloc(size_t count, size_t n) MUST_USE;
void *must_realloc(void *p, size_t n) MUST_USE;
#endif
