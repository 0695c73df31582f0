/* table.h - entries by number and by id, and the heap of due times: what state.c is built on. */
#ifndef JOURNAL_TABLE_H
#define JOURNAL_TABLE_H
#include "journal/state.h"

struct entry *entry_new(struct state *s, uint64_t id, uint32_t *ret_number) MUST_USE;
void entry_free(struct state *s, struct entry *e);
uint32_t entry_number(const struct state *s, const struct entry *e);
void due_set(struct state *s, uint32_t entry, int64_t mono_ms, int64_t wall_ms); /* sets or changes */
void due_clear(struct state *s, struct entry *e);
#endif
