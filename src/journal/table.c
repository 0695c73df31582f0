/* Entries by number and by id. */
#include "journal/table.h"

enum { PAGE_ENTRIES = 512, INDEX_FIRST = 256 };

static uint32_t id_home(const struct state *s, uint64_t id)
{
    return (uint32_t)(id * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (s->n_index - 1);
}

struct entry *state_entry(const struct state *s, uint32_t number)
{
    return &s->pages[number / PAGE_ENTRIES][number % PAGE_ENTRIES];
}

uint32_t state_numbers(const struct state *s)
{
    return s->n_pages * PAGE_ENTRIES;
}

static uint32_t index_slot(const struct state *s, uint64_t id)
{
    uint32_t at = id_home(s, id);
    while (s->index[at] && state_entry(s, s->index[at] - 1)->id != id)
        at = (at + 1) & (s->n_index - 1);
    return at;
}

struct entry *state_find(const struct state *s, uint64_t id)
{
    if (!s->n_index || !id)
        return NULL;
    uint32_t at = index_slot(s, id);
    return s->index[at] ? state_entry(s, s->index[at] - 1) : NULL;
}

uint32_t entry_number(const struct state *s, const struct entry *e)
{
    uint32_t at = index_slot(s, e->id);
    assert(s->index[at]);
    return s->index[at] - 1;
}

static void index_grow(struct state *s)
{
    uint32_t *old = s->index, n_old = s->n_index;
    s->n_index = n_old ? n_old * 2 : INDEX_FIRST;
    s->index = must_calloc(s->n_index, sizeof(*s->index));
    for (uint32_t i = 0; i < n_old; i++)
        if (old[i])
            s->index[index_slot(s, state_entry(s, old[i] - 1)->id)] = old[i];
    free(old);
}

static void page_add(struct state *s)
{
    s->pages = must_realloc(s->pages, (s->n_pages + 1) * sizeof(*s->pages));
    s->pages[s->n_pages] = must_calloc(PAGE_ENTRIES, sizeof(struct entry));
    uint32_t first = s->n_pages++ * PAGE_ENTRIES;
    for (uint32_t i = PAGE_ENTRIES; i-- > 0;) {
        state_entry(s, first + i)->next = s->first_free;
        s->first_free = first + i;
    }
}

struct entry *entry_new(struct state *s, uint64_t id, uint32_t *ret_number)
{
    if ((s->n_entries + 1) * 3 > s->n_index * 2)
        index_grow(s);
    if (s->first_free == NONE)
        page_add(s);
    *ret_number = s->first_free;
    struct entry *e = state_entry(s, *ret_number);
    s->first_free = e->next;
    *e = (struct entry){ .id = id, .lane = NONE, .next = NONE, .prev = NONE, .wait_key = NONE, .due = NONE };
    s->index[index_slot(s, id)] = *ret_number + 1;
    s->n_entries++;
    return e;
}

void entry_free(struct state *s, struct entry *e)
{
    uint32_t mask = s->n_index - 1, at = index_slot(s, e->id), number = s->index[at] - 1;
    for (uint32_t next = (at + 1) & mask; s->index[next]; next = (next + 1) & mask) {
        uint32_t home = id_home(s, state_entry(s, s->index[next] - 1)->id);
        if (((next - home) & mask) >= ((next - at) & mask)) {
            s->index[at] = s->index[next];
            at = next;
        }
    }
    s->index[at] = 0;
    *e = (struct entry){ .next = s->first_free };
    s->first_free = number;
    s->n_entries--;
}

/* ---- due times: a binary heap; each entry knows its place ---------------------------------------- */

static void due_place(struct state *s, uint32_t at, struct due d)
{
    s->dues[at] = d;
    state_entry(s, d.entry)->due = at;
}

static void due_sift(struct state *s, uint32_t at, struct due d)
{
    for (; at > 0 && d.mono_ms < s->dues[(at - 1) / 2].mono_ms; at = (at - 1) / 2)
        due_place(s, at, s->dues[(at - 1) / 2]);
    for (uint32_t child; (child = at * 2 + 1) < s->n_dues; at = child) {
        if (child + 1 < s->n_dues && s->dues[child + 1].mono_ms < s->dues[child].mono_ms)
            child++;
        if (d.mono_ms <= s->dues[child].mono_ms)
            break;
        due_place(s, at, s->dues[child]);
    }
    due_place(s, at, d);
}

void due_set(struct state *s, uint32_t entry, int64_t mono_ms, int64_t wall_ms)
{
    struct entry *e = state_entry(s, entry);
    if (e->due == NONE) {
        if (s->n_dues == s->cap_dues) {
            s->cap_dues = s->cap_dues ? s->cap_dues * 2 : 16;
            s->dues = must_realloc(s->dues, s->cap_dues * sizeof(*s->dues));
        }
        e->due = s->n_dues++;
    }
    due_sift(s, e->due, (struct due){ mono_ms, wall_ms, entry });
}

void due_clear(struct state *s, struct entry *e)
{
    if (e->due == NONE)
        return;
    uint32_t at = e->due;
    struct due last = s->dues[--s->n_dues];
    e->due = NONE;
    if (at < s->n_dues)
        due_sift(s, at, last);
}

int64_t state_next_due(const struct state *s)
{
    return s->n_dues ? s->dues[0].mono_ms : INT64_MAX;
}
