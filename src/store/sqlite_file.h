/* sqlite_file.h - a SQLite database in a file of its own: made with mode 0600, brought up to date, its statements prepared.
 *
 *   static const struct sqlite_plan plan = { .what = "the contacts", .migrations = migrations, … };
 *   if (!sqlite_file_open(&plan, path, &db->db, db->st, f))
 *       …                                     what was opened is closed with sqlite_file_close all the same
 *
 * Versions   row i of the migrations takes the file from version i to i + 1, in one transaction; rows are never changed once released, only added. A file of a
 *            newer version is refused: "newer".
 * Errors     "store_failed": "the contacts cannot be opened: …", with what SQLite says.
 * Threads    one at a time.
 */
#ifndef STORE_SQLITE_FILE_H
#define STORE_SQLITE_FILE_H
#include "base/base.h"
#include <sqlite3.h>

struct sqlite_plan {
    const char *what; /* in errors */
    const char *const *migrations;
    size_t n_migrations;
    const char *const *statements; /* NULL in it: there is none of this number */
    size_t n_statements;
    bool lazy;        /* a commit is written, and synced with the next checkpoint: for what can be made again. Else it is synced */
    bool wipe;        /* what is deleted is overwritten */
    int checkpoint_pages, cache_kib;
};
/* ret_st: plan->n_statements of them, zeroed. */
bool sqlite_file_open(const struct sqlite_plan *plan, const char *path, sqlite3 **ret, sqlite3_stmt **ret_st, struct fault *f) MUST_USE;
void sqlite_file_close(const struct sqlite_plan *plan, sqlite3 *db, sqlite3_stmt **st);

/* False. doing: "be read", "commit". */
bool sqlite_failed(const struct sqlite_plan *plan, sqlite3 *db, const char *doing, struct fault *f);
bool sqlite_run(const struct sqlite_plan *plan, sqlite3 *db, const char *sql, const char *doing, struct fault *f);
void sqlite_rollback(sqlite3 *db); /* when a transaction is open */
#endif
