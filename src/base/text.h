/* text.h - growing text with a largest size from birth, and what Unicode asks of us.
 *
 *   struct text t = text_new(a, LIMIT_REPLY_BYTES);
 *   text_put(&t, SL("Hello "));
 *   text_add(&t, "%d guests", n);
 *   if (t.over) … the limit was crossed; what fitted is kept
 *
 * Errors  crossing the largest size is a sticky state checked once at the end, not after every append.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H
#include "base/arena.h"

struct text {
    struct arena *a;
    char *p;
    size_t n, cap, max;
    bool over;
};
struct text text_new(struct arena *a, size_t max_bytes);
void text_put(struct text *t, slice s);
void text_char(struct text *t, char c);
void text_add(struct text *t, const char *fmt, ...) PRINTF(2, 3);
/* Room for n more bytes to be written by the caller, who then adds to t->n; NULL: over. */
char *text_room(struct text *t, size_t n);
static inline slice text_slice(const struct text *t)
{
    return (slice){ t->p ? t->p : "", t->n };
}

bool utf8_valid(slice s);
/* The first `chars` code points (UTF-16 units) of s; a code point or surrogate pair is never split. */
slice utf8_cut(slice s, size_t chars);
slice utf8_cut_utf16(slice s, size_t units);
slice utf8_cut_bytes(slice s, size_t bytes);
size_t utf8_len(slice s);
size_t utf16_len(slice s);
/* s with each invalid byte replaced by U+FFFD; s itself when it is valid. */
slice utf8_repair(struct arena *a, slice s);
#endif
