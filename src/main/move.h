/* move.h - what both directions of `dragoman move` do: folders, tables of both sides, comparing, telling. Private to main/.
 *
 * Work   DATA/moving-in or moving-out: made anew by each run. A way out is built there and put in its place at the end; a way in reads there what the database holds, to compare it.
 * Errors functions that return bool fill *f when they return false; "differs": the two sides are not the same.
 */
#ifndef MAIN_MOVE_H
#define MAIN_MOVE_H
#include "hub/journal_pg.h"
#include "journal/journal.h"
#include "store/tables.h"

enum { MOVE_SHARD = 0, MOVE_TABLES_MAX = 8, MOVE_SAY_MS = 2000 };

struct move {
    struct arena *a;
    const char *data, *store, *work; /* folder, database, folder */
    slice key_file, key;
    int lockfd;
    struct tables *here[TABLE_SETS]; /* SQLite's; NULL: that file is not there */
    struct tables *there[TABLE_SETS];
    struct table_sum sums[TABLE_SETS][MOVE_TABLES_MAX]; /* of the side that it comes from */
    const char *names[TABLE_SETS][MOVE_TABLES_MAX];
    struct journal_pg *journal;
    int64_t counts[J_STATES]; /* of the side that it comes from */
    int64_t journal_bytes, said_ms;
};
void move_init(struct move *m, struct arena *a, const char *data, const char *store, const char *work, slice key_file, slice key);
void move_close_tables(struct move *m);
void move_close(struct move *m); /* what is open of either side; more than once does no harm */
void move_done(struct move *m);  /* also the lock */

bool move_lock(struct move *m, struct fault *f);     /* no hub runs on the folder; it may be one that never was there */
bool move_is_free(struct move *m, struct fault *f);  /* a folder to move into */
bool move_is_installation(struct move *m, struct fault *f); /* a folder to move from */
/* The tables of both sides; here: on the way in the files that DATA has, on the way out new ones in the work folder. */
bool move_open(struct move *m, bool out, struct fault *f);
/* The messages of DIR/journal by state, into m->counts. What is damaged is told, and is no reason to stop. */
bool move_count(struct move *m, const char *dir, struct fault *f);
bool move_work_new(struct move *m, struct fault *f);
bool move_aside(struct move *m, const char *name, struct fault *f);
bool move_key(struct move *m, struct fault *f);      /* the key goes along, where the configuration names it and the folder has none */
bool move_sync(struct move *m, struct fault *f);
bool move_remove_tree(const char *path, struct fault *f);

/* This side's tables are what was read on the other. */
bool move_compare(struct move *m, struct tables *const side[TABLE_SETS], struct fault *f);
/* DIR/journal is what the database gives, byte by byte and by the messages' states. */
bool move_compare_journals(struct move *m, const char *dir, struct fault *f);

void move_say(struct move *m, const char *what);
void move_told(void *move, const char *name, int64_t rows); /* now and then */
void move_told_bytes(void *move, int64_t bytes);
void move_report(const struct move *m);
#endif
