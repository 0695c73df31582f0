/* tables.h - the rows of an installation's tables as they are: copied from one engine into the other, counted and compared (`dragoman move`).
 *
 *   struct tables *from = tables_open(TABLES_HISTORY, "data/history.db", &f), *to = tables_open(TABLES_HISTORY, "postgresql://…", &f);
 *   for (size_t i = 0; i < tables_n(from); i++)
 *       if (!tables_copy(from, to, i, &sum, told, arg, &f)) …
 *   tables_finish(to, &f)                       then tables_sum(to, i, …) says the same
 *
 * Shape      a set is what one program opens together: the store, the history, the contacts. Rows keep their numbers. What is made from other rows (indexes of
 *            words) is not copied: tables_finish has it made, or leaves it to the hub.
 * Sum        a number of rows and a check sum of them, whatever their order. Texts count as PostgreSQL keeps them (sql.h).
 * Claim      whoever has a set of PostgreSQL's open is its one writer: with a hub on it, it is "in_use".
 * Errors     as sql.h. A copy that failed leaves what was copied so far.
 * Threads    one at a time. Everything blocks.
 */
#ifndef STORE_TABLES_H
#define STORE_TABLES_H
#include "base/base.h"

enum table_set { TABLES_STORE, TABLES_HISTORY, TABLES_CONTACTS, TABLE_SETS };
extern const char *const table_set_files[TABLE_SETS]; /* "store.db" … */

enum { TABLES_PAGE = 500 }; /* rows of a transaction */

struct tables;
struct tables *tables_open(enum table_set set, const char *where, struct fault *f) MUST_USE;
void tables_close(struct tables *t);
size_t tables_n(const struct tables *t);
const char *tables_name(const struct tables *t, size_t table); /* of what it holds: "keys" */

struct table_sum {
    int64_t rows;
    uint64_t part[4];
};
bool table_sum_same(const struct table_sum *a, const struct table_sum *b);
bool tables_sum(struct tables *t, size_t table, struct table_sum *ret, struct fault *f);
/* told: after each transaction, with the rows so far; may be NULL. *ret: the sum of what was read. */
bool tables_copy(struct tables *from, struct tables *to, size_t table, struct table_sum *ret, void (*told)(void *arg, const char *name, int64_t rows), void *arg,
                 struct fault *f);
bool tables_clear(struct tables *t, size_t table, struct fault *f);
bool tables_finish(struct tables *t, struct fault *f);
#endif
