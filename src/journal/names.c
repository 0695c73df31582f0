#include "journal/names.h"

enum { NAMES_FIRST = 16 };

void names_init(struct names *t)
{
    *t = (struct names){ .first_free = NAME_NONE };
}

void names_done(struct names *t)
{
    for (uint32_t i = 0; i < t->n_items; i++)
        free(t->items[i].p);
    free(t->items);
    free(t->slots);
    names_init(t);
}

static void place(struct names *t, uint32_t name)
{
    uint32_t at = t->items[name].hash & (t->n_slots - 1);
    while (t->slots[at])
        at = (at + 1) & (t->n_slots - 1);
    t->slots[at] = name + 1;
}

static void rehash(struct names *t, uint32_t n_slots)
{
    free(t->slots);
    t->slots = must_calloc(n_slots, sizeof(*t->slots));
    t->n_slots = n_slots;
    for (uint32_t i = 0; i < t->n_items; i++)
        if (t->items[i].p)
            place(t, i);
}

static uint32_t find_slot(const struct names *t, slice text, uint32_t hash)
{
    for (uint32_t at = hash & (t->n_slots - 1); t->slots[at]; at = (at + 1) & (t->n_slots - 1)) {
        uint32_t name = t->slots[at] - 1;
        if (t->items[name].hash == hash && slice_eq(names_text(t, name), text))
            return at;
    }
    return NAME_NONE;
}

uint32_t names_find(const struct names *t, slice text)
{
    if (!t->n_slots)
        return NAME_NONE;
    uint32_t at = find_slot(t, text, (uint32_t)slice_hash(text));
    return at == NAME_NONE ? NAME_NONE : t->slots[at] - 1;
}

uint32_t names_add(struct names *t, slice text)
{
    uint32_t hash = (uint32_t)slice_hash(text);
    uint32_t at = t->n_slots ? find_slot(t, text, hash) : NAME_NONE;
    if (at != NAME_NONE)
        return t->slots[at] - 1;
    if ((t->used + 1) * 4 > t->n_slots * 3)
        rehash(t, t->n_slots ? t->n_slots * 2 : NAMES_FIRST);
    uint32_t name = t->first_free;
    if (name != NAME_NONE) {
        t->first_free = t->items[name].n;
    } else {
        if (t->n_items == t->cap_items) {
            t->cap_items = t->cap_items ? t->cap_items * 2 : NAMES_FIRST;
            t->items = must_realloc(t->items, t->cap_items * sizeof(*t->items));
        }
        name = t->n_items++;
    }
    char *p = must_malloc(text.n);
    if (text.n)
        memcpy(p, text.p, text.n);
    t->items[name] = (struct name){ p, (uint32_t)text.n, hash };
    t->used++;
    place(t, name);
    return name;
}

void names_drop(struct names *t, uint32_t name)
{
    uint32_t mask = t->n_slots - 1, at = find_slot(t, names_text(t, name), t->items[name].hash);
    assert(at != NAME_NONE);
    /* Close the gap: whatever stands behind it and may move nearer to its place does. */
    for (uint32_t next = (at + 1) & mask; t->slots[next]; next = (next + 1) & mask) {
        uint32_t home = t->items[t->slots[next] - 1].hash & mask;
        if (((next - home) & mask) >= ((next - at) & mask)) {
            t->slots[at] = t->slots[next];
            at = next;
        }
    }
    t->slots[at] = 0;
    free(t->items[name].p);
    t->items[name] = (struct name){ NULL, t->first_free, 0 };
    t->first_free = name;
    t->used--;
}
