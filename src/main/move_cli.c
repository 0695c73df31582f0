/* move_cli.c - `dragoman move in | out`: a stopped installation goes from its folder into PostgreSQL, or back. */
#include "main/commands.h"
#include "main/move.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char usage[] =
    "usage: dragoman move in  [--config FILE] [--data DIR] [--store postgresql://…]    what a stopped hub keeps in DIR is copied into the database\n"
    "       dragoman move out [--config FILE] [--data DIR] [--store postgresql://…]    what the database holds is copied into DIR\n"
    "\n"
    "The target must be empty. What was interrupted is repeated by the same command. At the end both sides are compared. docs/backends.md says more.\n";

static int say(const char *verb, const struct fault *f)
{
    fprintf(stderr, "dragoman move %s: %s\n", verb, f->text);
    return 1;
}

/* ---- the way in ---------------------------------------------------------------------------------------------------------------------- */

static bool copy_all(struct move *m, struct tables *const from[TABLE_SETS], struct tables *const to[TABLE_SETS], struct fault *f)
{
    for (size_t s = 0; s < TABLE_SETS; s++) {
        for (size_t i = 0; from[s] && i < tables_n(from[s]); i++)
            if (!tables_copy(from[s], to[s], i, &m->sums[s][i], move_told, m, f))
                return false;
        if (!tables_finish(to[s], f))
            return false;
    }
    return true;
}

static bool clear_all(struct move *m, struct fault *f)
{
    for (size_t s = 0; s < TABLE_SETS; s++)
        for (size_t i = 0; i < tables_n(m->there[s]); i++)
            if (!tables_clear(m->there[s], i, f))
                return false;
    return true;
}

static bool read_all_here(struct move *m, struct fault *f)
{
    for (size_t s = 0; s < TABLE_SETS; s++)
        for (size_t i = 0; m->here[s] && i < tables_n(m->here[s]); i++)
            if (!tables_sum(m->here[s], i, &m->sums[s][i], f))
                return false;
    return true;
}

static bool is_empty(struct move *m, bool *ret, struct fault *f)
{
    int64_t parts = 0;
    *ret = true;
    for (size_t s = 0; s < TABLE_SETS; s++)
        for (size_t i = 0; i < tables_n(m->there[s]); i++) {
            struct table_sum sum;
            if (!tables_sum(m->there[s], i, &sum, f))
                return false;
            *ret &= sum.rows == 0;
        }
    if (!journal_pg_parts(m->store, MOVE_SHARD, &parts, f))
        return false;
    *ret &= parts == 0;
    return true;
}

/* The files are put out of the way, so that nobody starts a hub on what has moved. What they hold stays. */
static bool put_aside(struct move *m, struct fault *f)
{
    static const char *const tails[] = { "", "-wal", "-shm" };
    if (!move_aside(m, "journal", f))
        return false;
    for (size_t s = 0; s < TABLE_SETS; s++)
        for (size_t i = 0; i < COUNT(tails); i++)
            if (!move_aside(m, arena_printf(m->a, "%s%s", table_set_files[s], tails[i]).p, f))
                return false;
    return move_sync(m, f);
}

static bool take(struct move *m, const char *holder, struct fault *f)
{
    move_say(m, "the journal");
    m->journal = journal_pg_take(m->store, MOVE_SHARD, slice_of(holder), m->work, f);
    if (m->journal)
        journal_pg_leave(m->journal, holder); /* until all is done */
    return m->journal != NULL;
}

static bool copy_in(struct move *m, bool again, struct fault *f)
{
    return take(m, JOURNAL_PG_MOVING_IN, f) && (!again || clear_all(m, f)) && copy_all(m, m->here, m->there, f) &&
           journal_pg_import(m->journal, m->data, move_told_bytes, m, f);
}

static bool compare(struct move *m, struct fault *f)
{
    return move_compare(m, m->there, f) && move_compare_journals(m, m->data, f);
}

/* It is there already when an earlier move came to its end but for the files here. */
static bool is_there(struct move *m, struct fault *f)
{
    if (read_all_here(m, f) && take(m, "", f) && compare(m, f))
        return true;
    return f->code && strcmp(f->code, "differs") == 0 ? fault(f, "in_use", "", "this database is not empty: give an empty one, or another schema") : false;
}

static bool move_in(struct move *m, struct fault *f)
{
    slice holder;
    bool empty;
    if (!move_is_installation(m, f) || !move_lock(m, f) || !move_count(m, m->data, f))
        return false;
    if (!journal_pg_holder(m->store, MOVE_SHARD, m->a, &holder, f) || !move_open(m, false, f))
        return false;
    if (slice_eq(holder, SL(JOURNAL_PG_MOVED_OUT)))
        return fault(f, "in_use", "", "what this database holds was moved out: give an empty one, or another schema");
    bool again = slice_eq(holder, SL(JOURNAL_PG_MOVING_IN));
    if (again)
        move_say(m, "a move that was interrupted is begun again");
    if (!is_empty(m, &empty, f) || !move_work_new(m, f))
        return false;
    if (empty || again ? !copy_in(m, again, f) || !compare(m, f) : !is_there(m, f))
        return false;
    journal_pg_leave(m->journal, "");
    move_close(m);
    if (!put_aside(m, f))
        return false;
    move_report(m);
    printf("All of it is in the database. The files in %s are kept under the names *.moved. Each hub that works on the database needs the key (secret.key).\n", m->data);
    return true;
}

/* ---- the way out ----------------------------------------------------------------------------------------------------------------------- */

static bool in_place(struct move *m, const char *name, struct fault *f)
{
    slice from = arena_printf(m->a, "%s/%s", m->work, name), to = arena_printf(m->a, "%s/%s", m->data, name);
    return rename(from.p, to.p) == 0 || fault(f, "io", "data", "%.150s: %s", to.p, strerror(errno));
}

/* The journal last: with it the folder is an installation. */
static bool all_in_place(struct move *m, struct fault *f)
{
    slice mark = arena_printf(m->a, "%s/journal/%s", m->work, JOURNAL_COPY_MARK), copy = arena_printf(m->a, "%s/journal", m->data);
    for (size_t s = 0; s < TABLE_SETS; s++)
        if (!in_place(m, table_set_files[s], f))
            return false;
    return move_remove_tree(copy.p, f) && (unlink(mark.p) == 0 || fault(f, "io", "data", "%.150s: %s", mark.p, strerror(errno))) && in_place(m, "journal", f) &&
           move_sync(m, f);
}

static bool move_out(struct move *m, struct fault *f)
{
    slice holder;
    if (!journal_pg_holder(m->store, MOVE_SHARD, m->a, &holder, f))
        return false;
    if (slice_eq(holder, SL(JOURNAL_PG_MOVING_IN)))
        return fault(f, "in_use", "", "a move into this database was not finished");
    bool again = slice_eq(holder, SL(JOURNAL_PG_MOVED_OUT)); /* so it stays, also when this one fails */
    if (!move_is_free(m, f) || !move_lock(m, f) || !move_work_new(m, f) || !move_open(m, true, f) || !take(m, again ? JOURNAL_PG_MOVED_OUT : "", f) ||
        !move_count(m, m->work, f))
        return false;
    if (!copy_all(m, m->there, m->here, f) || !move_compare(m, m->here, f) || !move_compare_journals(m, m->work, f) || !move_key(m, f))
        return false;
    move_close_tables(m);
    if (!all_in_place(m, f))
        return false;
    journal_pg_leave(m->journal, JOURNAL_PG_MOVED_OUT);
    move_close(m);
    move_report(m);
    printf("All of it is in %s. The database is as it was; no hub will start on it.\n", m->data);
    return true;
}

int command_move(const struct options *o, int argc, char **argv)
{
    bool in = argc == 1 && strcmp(argv[0], "in") == 0, out = argc == 1 && strcmp(argv[0], "out") == 0;
    if (!in && !out)
        return command_usage(usage, argc, argv);
    CLEANUP(arena_freep) struct arena *a = arena_new();
    const struct config *c = options_config(a, o);
    if (!c)
        return 2;
    slice store = config_text(c, CFG_STORE);
    if (!slice_starts(store, SL("postgresql://")) && !slice_starts(store, SL("postgres://"))) {
        fprintf(stderr, "dragoman move: the setting store names no PostgreSQL (--store postgresql://…)\n");
        return 2;
    }
    struct move m;
    struct fault f = { 0 };
    move_init(&m, a, config_text(c, CFG_DATA).p, store.p, in ? "moving-in" : "moving-out", config_text(c, CFG_KEY_FILE), config_text(c, CFG_SECRET_KEY));
    bool ok = in ? move_in(&m, &f) : move_out(&m, &f);
    move_close(&m);
    if (ok)
        ok = move_remove_tree(m.work, &f);
    move_done(&m);
    return ok ? 0 : say(argv[0], &f);
}
