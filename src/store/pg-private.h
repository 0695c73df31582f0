/* pg-private.h - what pg.c and pg_connect.c share. */
#ifndef STORE_PG_PRIVATE_H
#define STORE_PG_PRIVATE_H
#include "store/pg.h"
#include <limits.h>
#include <libpq-fe.h>

enum { PG_NAME_MAX = 24 };
#define PG_CLAIM_STATEMENT "claim"
/* Of a group: its number into the row of the claim; when that is another's now it fails, and with it all of the group. */
#define PG_CLAIM_SQL "WITH mine AS (UPDATE dragoman_claim SET n=$1::bigint WHERE name='%s' AND writer='%s' RETURNING 1) SELECT 1/count(*) FROM mine"
struct pg {
    PGconn *c; /* NULL: lost. In pipeline mode and not blocking */
    char *where;
    const struct pg_tables *tables; /* copied below */
    struct pg_tables copy;
    char writer[33];     /* names this opening in the claim */
    bool opened, taken;  /* taken: another writer has the claim, for good */
    uint64_t n;          /* of the last group whose commit was tried */
    uint64_t stored_n;   /* as of the last connect */
    bool group;          /* begun, and neither committed nor rolled back */
    unsigned sent, received; /* commands, and those whose results were read */
    int64_t lost_ms, tried_ms, connects, losses;
};
/* Drops the connection; false with "store_lost". */
bool pg_lost(struct pg *pg, const char *why, struct fault *f);
/* Another one writes to these tables, from now on and for good: false with "in_use". */
bool pg_taken(struct pg *pg, struct fault *f);
bool pg_connect(struct pg *pg, struct fault *f) MUST_USE;   /* one try */
bool pg_connected(struct pg *pg, struct fault *f) MUST_USE; /* is, or can be made within what pg.h says of waiting */
/* Until the connection can be read (or also written); what came is read. Why that is not so, valid until the next call; NULL: it is. */
const char *pg_await(struct pg *pg, short events, int64_t until_ms) MUST_USE;
void pg_pause(int64_t ms);
#endif
