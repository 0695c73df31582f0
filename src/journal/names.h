/* names.h - byte strings under small numbers: each string is kept once and is found by content or by number.
 *
 * Shape   numbers are dense and reused after names_drop, so that a caller keeps what it knows of a name in an array
 *         indexed by number (names_room says how long that array must be).
 * Memory  16 bytes, the text, and 4 to 8 bytes of table a name.
 */
#ifndef JOURNAL_NAMES_H
#define JOURNAL_NAMES_H
#include "base/base.h"

#define NAME_NONE UINT32_MAX

struct name {
    char *p; /* NULL: free, n is the next free number */
    uint32_t n, hash;
};
struct names {
    struct name *items;
    uint32_t *slots; /* number + 1; 0: empty */
    uint32_t n_items, cap_items, n_slots, used, first_free;
};
void names_init(struct names *t);
void names_done(struct names *t);
uint32_t names_find(const struct names *t, slice text); /* NAME_NONE: not there */
uint32_t names_add(struct names *t, slice text);        /* finds it or adds it */
void names_drop(struct names *t, uint32_t name);
static inline slice names_text(const struct names *t, uint32_t name)
{
    return (slice){ t->items[name].p, t->items[name].n };
}
static inline uint32_t names_room(const struct names *t)
{
    return t->cap_items;
}
#endif
