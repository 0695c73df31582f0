/* slice.h - text and bytes as pointer and length, passed by value, not terminated.
 *
 *   if (slice_eq(type, SL("text"))) …
 *   arena_printf(a, "channel=" SLF, SLA(channel));
 *
 * Shape      {NULL, 0} is absent; {"", 0} is present and empty: vendors mean different things by the two.
 * Ownership  a slice never owns; what it points into says how long it lives.
 */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H
#include "base/macros.h"

typedef struct slice {
    const char *p;
    size_t n;
} slice;

#define SL(literal) ((slice){ "" literal, sizeof(literal) - 1 })
#define SLI(literal) { "" literal, sizeof(literal) - 1 } /* SL for static initialisers */
#define SLF "%.*s"
#define SLA(s) (int)(s).n, (s).p ? (s).p : ""
#define SLICE_NONE ((slice){ NULL, 0 })

static inline slice slice_of(const char *cstr)
{
    return cstr ? (slice){ cstr, strlen(cstr) } : SLICE_NONE;
}
static inline slice slice_mem(const void *p, size_t n)
{
    return (slice){ (const char *)p, n };
}
static inline bool slice_eq(slice a, slice b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}
/* Present and empty counts as empty, and so does absent. */
static inline bool slice_empty(slice s)
{
    return s.n == 0;
}
static inline slice slice_or(slice s, slice otherwise)
{
    return s.n ? s : otherwise;
}
static inline char ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}
bool slice_eq_nocase(slice a, slice b); /* ASCII letters only */
bool slice_starts(slice s, slice prefix);
bool slice_ends(slice s, slice suffix);
/* Index of the first (last) occurrence, or SIZE_MAX. */
size_t slice_find(slice s, slice what);
size_t slice_find_char(slice s, char c);
size_t slice_find_last(slice s, char c);
slice slice_from(slice s, size_t from);            /* s[from..], clamped */
slice slice_sub(slice s, size_t from, size_t len); /* clamped */
slice slice_trim(slice s);                         /* without ASCII white space at both ends */
/* Cuts *rest at the first sep: returns what stood before it, leaves what follows ({NULL,0} at the end). */
slice slice_cut(slice *rest, char sep);
/* Whole decimal number, optional '-', nothing else; false when out of range or not a number. */
bool slice_int(slice s, int64_t *ret) MUST_USE;
bool slice_double(slice s, double *ret) MUST_USE;
int slice_cmp(slice a, slice b); /* byte order, as memcmp */
uint64_t slice_hash(slice s);    /* for tables in memory only; keyed per process, never stored */
/* FNV-1a of what was hashed so far (SLICE_HASH_FIRST: nothing) with s behind it: the same in every process and version. Not where somebody gains by two that are equal. */
#define SLICE_HASH_FIRST UINT64_C(0xcbf29ce484222325)
uint64_t slice_hash_fixed(uint64_t so_far, slice s);

/* Same bytes? The time taken depends on the length only. */
bool bytes_equal_secret(slice a, slice b) MUST_USE;
void bytes_wipe(void *p, size_t n);
/* From the kernel, small ones out of a stock of this thread (do not fork without exec); never fails. */
void random_bytes(void *p, size_t n);
void random_hex(char *to, size_t bytes); /* two small letters for each byte, and a 0 behind them */
#endif
