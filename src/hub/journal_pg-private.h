/* journal_pg-private.h - what journal_pg.c (the io) and journal_pg_take.c (tables, fence, folder) share. */
#ifndef HUB_JOURNAL_PG_PRIVATE_H
#define HUB_JOURNAL_PG_PRIVATE_H
#include "hub/journal_pg.h"
#include "journal/disk.h"
#include "journal/io.h"
#include "net/loop.h"
#include "store/pg.h"
#include <pthread.h>

enum {
    PG_FILE_NAME_MAX = 40,
    PG_PART_BYTES = 256 << 10, /* of a row */
};

enum journal_pg_statement { JST_FENCE, JST_PART, JST_CUT, JST_REMOVE, JST_TAKE, JST_LEAVE, JST_LOOK, JST_FILES, JST_PARTS, JST_COUNT, JST_CLEAR, JST_HASTE, JST_SEND_AWAY, JST_OURS, JST_MAX };
extern const struct pg_tables journal_pg_tables;

struct pg_file_name {
    char text[PG_FILE_NAME_MAX];
};
/* A segment being written: what was written since the last sync. By descriptor; one whose number came back is forgotten (opened). */
struct pg_file {
    int fd;
    struct pg_file_name name;
    bool broken; /* a sync failed: the journal writes to another one from now on */
    char *buf;
    size_t n, cap;
    struct pg_piece { /* what stands together in the file */
        int64_t at;
        size_t from, n;
    } *pieces;
    size_t n_pieces, cap_pieces;
};
/* A connection and who uses it: segments from the journal's first thread, whole files (and the look at the fence) from others. */
struct pg_line {
    pthread_mutex_t lock;
    struct pg *pg;
    int64_t made, lost; /* under the journal_pg's lock */
};
struct journal_pg {
    struct jio io;
    unsigned shard;
    int64_t epoch;
    struct pg_line segments, files;
    char leave[64]; /* the holder after us */
    struct pg_file **open; /* the thread of segments only */
    size_t n_open;

    pthread_mutex_t lock; /* of what follows; never held for longer than it takes to look */
    struct pg_file_name *removed; /* to be deleted with the next commit of a segment */
    size_t n_removed, cap_removed;
    struct journal_pg_numbers numbers;
    struct fault fault;
    struct loop *loop;
    void (*told)(void *arg);
    void *told_arg;

    /* loop thread */
    struct disk *look;
    struct job look_job;
    struct loop_timer look_timer;
    bool looking;
};
void journal_pg_init_io(struct journal_pg *p);
/* Whole files, in a transaction each; at_ms: when they were written. 0 or an errno. */
int journal_pg_put(struct journal_pg *p, const char *name, slice content, int64_t at_ms);
int journal_pg_clear(struct journal_pg *p);
bool journal_pg_is_file(const char *name); /* of a journal's folder */
void pg_file_free(struct pg_file *file);
#endif
