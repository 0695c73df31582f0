#include "store/sqlite_file.h"
#include <fcntl.h>
#include <unistd.h>

enum { BUSY_MS = 5000 };

bool sqlite_failed(const struct sqlite_plan *plan, sqlite3 *db, const char *doing, struct fault *f)
{
    return fault(f, "store_failed", "", "%s cannot %s: %s", plan->what, doing, sqlite3_errmsg(db));
}

bool sqlite_run(const struct sqlite_plan *plan, sqlite3 *db, const char *sql, const char *doing, struct fault *f)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK || sqlite_failed(plan, db, doing, f);
}

static bool version_of(const struct sqlite_plan *plan, sqlite3 *db, size_t *ret, struct fault *f)
{
    sqlite3_stmt *st = NULL;
    bool ok = sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &st, NULL) == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW;
    if (ok)
        *ret = (size_t)MAX(sqlite3_column_int(st, 0), 0);
    else
        sqlite_failed(plan, db, "be read", f);
    sqlite3_finalize(st);
    return ok;
}

static bool migrate(const struct sqlite_plan *plan, sqlite3 *db, struct fault *f)
{
    size_t version = 0;
    if (!sqlite_run(plan, db, "BEGIN IMMEDIATE", "be locked", f) || !version_of(plan, db, &version, f))
        return false;
    if (version > plan->n_migrations)
        return fault(f, "newer", "", "%s: written by a newer version (%zu, this program knows %zu)", plan->what, version, plan->n_migrations);
    for (size_t v = version; v < plan->n_migrations; v++) {
        char set[48];
        snprintf(set, sizeof(set), "PRAGMA user_version=%zu", v + 1);
        if (!sqlite_run(plan, db, plan->migrations[v], "be brought up to date", f) || !sqlite_run(plan, db, set, "be brought up to date", f))
            return false;
    }
    return sqlite_run(plan, db, "COMMIT", "be brought up to date", f);
}

bool sqlite_file_open(const struct sqlite_plan *plan, const char *path, sqlite3 **ret, sqlite3_stmt **ret_st, struct fault *f)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600); /* SQLite would make it 0644 */
    if (fd < 0)
        return fault(f, "store_failed", "", "cannot open or make %s: %m", path);
    close(fd);
    if (sqlite3_open_v2(path, ret, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        return sqlite_failed(plan, *ret, "be opened", f);
    char pragmas[300];
    snprintf(pragmas, sizeof(pragmas),
             "PRAGMA journal_mode=WAL; PRAGMA synchronous=%s; PRAGMA wal_autocheckpoint=%d; PRAGMA cache_size=-%d; PRAGMA trusted_schema=OFF%s",
             plan->lazy ? "NORMAL" : "FULL", plan->checkpoint_pages, plan->cache_kib, plan->wipe ? "; PRAGMA secure_delete=ON" : "");
    sqlite3_busy_timeout(*ret, BUSY_MS);
    if (!sqlite_run(plan, *ret, pragmas, "be opened", f) || !migrate(plan, *ret, f))
        return false;
    for (size_t i = 0; i < plan->n_statements; i++)
        if (plan->statements[i] && sqlite3_prepare_v3(*ret, plan->statements[i], -1, SQLITE_PREPARE_PERSISTENT, &ret_st[i], NULL) != SQLITE_OK)
            return sqlite_failed(plan, *ret, "be opened", f);
    return true;
}

void sqlite_file_close(const struct sqlite_plan *plan, sqlite3 *db, sqlite3_stmt **st)
{
    for (size_t i = 0; i < plan->n_statements; i++)
        sqlite3_finalize(st[i]);
    sqlite3_close(db);
}

void sqlite_rollback(sqlite3 *db)
{
    if (!sqlite3_get_autocommit(db))
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
}
